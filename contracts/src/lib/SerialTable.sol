// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A set of 8-byte fragments that only grows, for itself and one bucket at a time (extendible hashing without a
/// directory; docs/decisions says why). A bucket is a word: its depth d in the low 8 bits, and nine lanes of 27 bits.
/// It holds the fragments whose low d bits are its place. A full bucket at place p splits into p and p + 2^d.
///
/// A lane is a 1 with the fragment's next bits below it, 26 of them when it is put in: place and lane identify the
/// fragment. A split takes one bit off each lane, which has become part of the place. So a fragment that is not in is
/// taken for one that is with odds of about 6 × depth / 2 in 2^26: the set never forgets, and rarely refuses too much.
///
/// Whoever chooses fragments can fill one bucket. Splitting stops after SPLITS_MAX at once and at DEPTH_MAX: such a
/// fragment is refused at a bounded cost, and no other product's table is touched.
library SerialTable {
    uint256 private constant LANES = 9;
    uint256 private constant LANE_BITS = 27;
    uint256 private constant LANE = (1 << LANE_BITS) - 1;
    uint256 private constant FRESH = 1 << 26;   // the 1 above the 26 bits of a new lane
    uint256 private constant DEPTH_MAX = 30;
    uint256 private constant SPLITS_MAX = 4;    // an honest insertion needs more once in 2^32 splits
    uint256 private constant LANES_SHIFT = 8;
    uint256 private constant FULL = LANES_SHIFT + LANES * LANE_BITS;

    enum Found { NEW, DUPLICATE, CROWDED }

    /// `first`: the slot of place 0; place p stands p slots behind it. `guess`: a depth to look at first.
    function insert(uint256 first, uint256 guess, uint64 fragment) internal returns (Found) {
        unchecked { // places have 31 bits, and what is added to `first` wraps as any slot's number does
            (uint256 place, uint256 word) = _bucket(first, guess, fragment);
            (bool found, uint256 end) = _look(word, fragment);
            if (found) return Found.DUPLICATE;
            for (uint256 splits = 0; end == FULL; splits++) {
                uint256 depth = word & 0xff;
                if (splits == SPLITS_MAX || depth == DEPTH_MAX) return Found.CROWDED;
                uint256 other;
                uint256 otherEnd;
                (word, other, end, otherEnd) = _split(word);
                uint256 sibling = place + (1 << depth);
                // the half that the fragment is not of is written here, the other one below
                if ((fragment >> depth) & 1 == 0) {
                    _store(first + sibling, other);
                } else {
                    _store(first + place, word);
                    (place, word, end) = (sibling, other, otherEnd);
                }
            }
            uint256 lane = FRESH | ((fragment >> (word & 0xff)) & (FRESH - 1));
            _store(first + place, word | lane << end);
            return Found.NEW;
        }
    }

    function contains(uint256 first, uint256 guess, uint64 fragment) internal view returns (bool found) {
        (, uint256 word) = _bucket(first, guess, fragment);
        (found,) = _look(word, fragment);
    }

    /// The depth to look at first in a table of `units` fragments, six a bucket: 1.2 words are read then.
    function guessOf(uint256 units) internal pure returns (uint256 depth) {
        for (units = units * 13 / 64; units > 1; units >>= 1) depth++;
    }

    /// The bucket that the fragment belongs to. A bucket that was made is never 0 (but for place 0 before its first
    /// fragment), and one that was not made hides behind the one that it will split from.
    function _bucket(uint256 first, uint256 guess, uint64 fragment) private view returns (uint256 place, uint256 word) {
        assembly ("memory-safe") {
            place := and(fragment, sub(shl(guess, 1), 1))
            for {} 1 {} {
                word := sload(add(first, place))
                let right := and(fragment, sub(shl(and(word, 0xff), 1), 1))
                switch word
                case 0 {
                    if iszero(place) { break }
                    place := xor(place, shl(sub(255, clz(place)), 1)) // without its highest bit
                }
                default {
                    if eq(place, right) { break }
                    place := right
                }
            }
        }
    }

    /// Is the fragment in this bucket, and where do its lanes end?
    function _look(uint256 word, uint64 fragment) private pure returns (bool found, uint256 end) {
        assembly ("memory-safe") {
            // bit 27: no lane differs from the fragment in no bit at all
            let bits := or(and(shr(and(word, 0xff), fragment), 0x3ffffff), 0x8000000)
            end := 8
            for { let rest := shr(8, word) } rest { rest := shr(27, rest) } {
                let lane := and(rest, 0x7ffffff)
                let unlike := xor(lane, bits)
                // equal below the lane's 1: the lowest bit that differs is that 1, or above it
                found := or(found, gt(shl(1, and(unlike, sub(0, unlike))), lane))
                end := add(end, 27)
            }
        }
    }

    /// Lanes whose lowest bit is 0 stay; those with 1 go. Both halves are one deeper; where their lanes end.
    function _split(uint256 word) private pure returns (uint256 low, uint256 high, uint256 lows, uint256 highs) {
        (lows, highs) = (LANES_SHIFT, LANES_SHIFT);
        unchecked { // nine lanes at most
            low = high = (word & 0xff) + 1;
            for (word >>= LANES_SHIFT; word != 0; word >>= LANE_BITS) {
                uint256 lane = word & LANE;
                if (lane & 1 == 0) {
                    low |= (lane >> 1) << lows;
                    lows += LANE_BITS;
                } else {
                    high |= (lane >> 1) << highs;
                    highs += LANE_BITS;
                }
            }
        }
    }

    function _store(uint256 slot, uint256 word) private {
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }
}
