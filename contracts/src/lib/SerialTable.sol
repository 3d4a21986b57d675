// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A set of fragments that only grows, for itself and one bucket at a time (extendible hashing without a directory;
/// docs/decisions/0073 says why). A fragment is known by its low 41 bits. A bucket is a word and holds the fragments
/// whose low d bits are its place: its depth d in the low 5 bits, above it a lane of 41 - d bits for each fragment (the
/// bits above the place), and a 1 above the last lane. A full bucket at place p splits into p and p + 2^d. Both halves
/// are packed anew: a lane lost the bit that became part of the place, so deeper buckets have room for more of them.
///
/// So of n fragments that are in, one that is not in is taken for one of them with odds of n in 2^41.
///
/// Whoever chooses fragments can have all lanes of a bucket go into one half. But six splits at most make room for one
/// lane more. So an insertion has a bounded cost, and only who puts more than 25 fragments with the same low 31 bits in
/// is refused. No other product's table is touched.
library SerialTable {
    uint256 private constant BITS = 41;      // of a fragment
    uint256 private constant DEPTH_BITS = 5;
    uint256 private constant DEPTH_MAX = 31; // and the mask of a depth
    uint256 private constant EMPTY = 32;     // a bucket of depth 0 without lanes

    enum Found { NEW, DUPLICATE, CROWDED }

    /// `first`: the slot of place 0; place p stands p slots behind it. `guess`: a depth to look at first. A wrong one
    /// costs reads and changes nothing.
    function insert(uint256 first, uint256 guess, uint256 fragment) internal returns (Found) {
        unchecked { // places have 31 bits, and what is added to `first` wraps as any slot's number does
            (uint256 place, uint256 word) = _bucket(first, guess, fragment);
            if (_has(word, fragment)) return Found.DUPLICATE;
            while (_isFull(word)) {
                uint256 depth = _depthOf(word);
                if (depth == DEPTH_MAX) return Found.CROWDED;
                (uint256 low, uint256 high) = _split(word);
                uint256 sibling = place + (1 << depth);
                // the half that the fragment is not of is written here, the other one below
                if ((fragment >> depth) & 1 == 0) {
                    _store(first + sibling, high);
                    word = low;
                } else {
                    _store(first + place, low);
                    (place, word) = (sibling, high);
                }
            }
            _store(first + place, _with(word, fragment));
            return Found.NEW;
        }
    }

    /// Would insert say DUPLICATE? And the depth of the fragment's bucket: the best guess.
    function look(uint256 first, uint256 guess, uint256 fragment) internal view returns (bool found, uint256 depth) {
        (, uint256 word) = _bucket(first, guess, fragment);
        return (_has(word, fragment), _depthOf(word));
    }

    /// For whoever knows no better, the depth to look at first in a table of `units` fragments: 1.2 words are read then.
    function guessOf(uint256 units) internal pure returns (uint256 depth) {
        for (units = units * 7 / 32; units > 1; units >>= 1) depth++;
    }

    /// The bucket that the fragment belongs to. A bucket that was made is never 0, and one that was not made hides
    /// behind the one that it will split from. That of place 0 is empty then.
    function _bucket(uint256 first, uint256 guess, uint256 fragment) private view
        returns (uint256 place, uint256 word) {
        assembly ("memory-safe") {
            place := and(fragment, sub(shl(guess, 1), 1))
            for {} 1 {} {
                word := sload(add(first, place))
                switch word
                case 0 {
                    if iszero(place) {
                        word := EMPTY
                        break
                    }
                    place := xor(place, shl(sub(255, clz(place)), 1)) // without its highest bit
                }
                default {
                    let right := and(fragment, sub(shl(and(word, DEPTH_MAX), 1), 1))
                    if eq(place, right) { break }
                    place := right
                }
            }
        }
    }

    function _depthOf(uint256 word) private pure returns (uint256) {
        return word & DEPTH_MAX;
    }

    /// Is the fragment in this bucket? All lanes at once: they are compared with as many copies of the fragment's bits,
    /// and (x - 1) & ~x has a lane's highest bit only if that lane, or one below it, is 0.
    function _has(uint256 word, uint256 fragment) private pure returns (bool found) {
        assembly ("memory-safe") {
            let width := sub(BITS, and(word, DEPTH_MAX))
            let lanes := shr(DEPTH_BITS, word)
            let end := shl(sub(255, clz(lanes)), 1) // the 1 above the last lane
            let mask := sub(shl(width, 1), 1)
            let ones := div(sub(end, 1), mask)      // a 1 in each lane
            let unlike := xor(xor(lanes, end), mul(ones, and(shr(and(word, DEPTH_MAX), fragment), mask)))
            found := iszero(iszero(and(and(sub(unlike, ones), not(unlike)), shl(sub(width, 1), ones))))
        }
    }

    /// Has the bucket no room for one more lane and the 1 above it?
    function _isFull(uint256 word) private pure returns (bool full) {
        assembly ("memory-safe") {
            full := gt(sub(BITS, and(word, DEPTH_MAX)), clz(word))
        }
    }

    function _with(uint256 word, uint256 fragment) private pure returns (uint256 more) {
        assembly ("memory-safe") {
            let width := sub(BITS, and(word, DEPTH_MAX))
            let end := sub(255, clz(word))
            let lane := and(shr(and(word, DEPTH_MAX), fragment), sub(shl(width, 1), 1))
            // the 1 that was above the lanes goes up by one
            more := xor(word, shl(end, or(xor(lane, 1), shl(width, 1))))
        }
    }

    /// Lanes whose lowest bit is 0 stay; those with 1 go. Both halves are one deeper.
    function _split(uint256 word) private pure returns (uint256 low, uint256 high) {
        assembly ("memory-safe") {
            low := add(and(word, DEPTH_MAX), 1)
            high := low
            let lows := DEPTH_BITS
            let highs := DEPTH_BITS
            let width := sub(BITS, low) // of a lane from now on
            let mask := sub(shl(width, 1), 1)
            for { let rest := shr(DEPTH_BITS, word) } gt(rest, 1) {} {
                let bit := and(rest, 1)
                rest := shr(1, rest)
                let lane := and(rest, mask)
                rest := shr(width, rest)
                switch bit
                case 0 {
                    low := or(low, shl(lows, lane))
                    lows := add(lows, width)
                }
                default {
                    high := or(high, shl(highs, lane))
                    highs := add(highs, width)
                }
            }
            low := or(low, shl(lows, 1))
            high := or(high, shl(highs, 1))
        }
    }

    function _store(uint256 slot, uint256 word) private {
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }
}
