// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Weighed and not taken: linear hashing. Five lanes of 51 bits a word, one bucket split for every four insertions,
/// whichever it is the turn of; a full bucket has overflow words behind it.
library LinearHashing {
    uint256 private constant BITS = 51;
    uint256 private constant LANE = (1 << BITS) - 1;
    uint256 private constant LANES = 5;
    uint256 private constant EACH = 4;

    function insert(uint256 first, uint256 units, uint64 fragment) internal returns (bool fresh) {
        uint256 lane = (fragment & LANE) | 1 << 50; // never 0
        uint256 buckets = units / EACH + 1;
        if (_put(first, _placeOf(fragment, buckets), lane, true)) return false;
        if ((units + 1) % EACH == 0) _split(first, buckets);
        return true;
    }

    function _placeOf(uint256 hash, uint256 buckets) private pure returns (uint256 place) {
        uint256 level;
        assembly ("memory-safe") {
            level := sub(255, clz(buckets))
        }
        place = hash & ((2 << level) - 1);
        if (place >= buckets) place = hash & ((1 << level) - 1);
    }

    /// True: it was there.
    function _put(uint256 first, uint256 place, uint256 lane, bool look) private returns (bool) {
        for (uint256 slot = first + place;; slot += 1 << 40) {
            uint256 word = _load(slot);
            for (uint256 i = 0; i < LANES; i++) {
                uint256 here = (word >> (i * BITS)) & LANE;
                if (look && here == lane) return true;
                if (here != 0) continue;
                _store(slot, word | lane << (i * BITS));
                return false;
            }
        }
    }

    function _split(uint256 first, uint256 buckets) private {
        uint256 level;
        assembly ("memory-safe") {
            level := sub(255, clz(buckets))
        }
        uint256 old = buckets - (1 << level);
        uint256[64] memory stay;
        uint256[64] memory go;
        uint256 stays;
        uint256 goes;
        uint256 slot = first + old;
        uint256 chain = 0;
        for (uint256 word = _load(slot); word != 0; word = _load(slot)) {
            for (; word != 0; word >>= BITS) {
                uint256 lane = word & LANE;
                if ((lane >> level) & 1 == 1) go[goes++] = lane;
                else stay[stays++] = lane;
            }
            slot += 1 << 40;
            chain++;
        }
        _fill(first + old, stay, stays, chain);
        _fill(first + buckets, go, goes, 0);
    }

    function _fill(uint256 slot, uint256[64] memory lanes, uint256 n, uint256 chain) private {
        uint256 i = 0;
        for (uint256 c = 0; i < n || c < chain; c++) {
            uint256 word = 0;
            for (uint256 k = 0; k < LANES && i < n; k++) word |= lanes[i++] << (k * BITS);
            _store(slot + (c << 40), word);
        }
    }

    function _load(uint256 slot) private view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(slot)
        }
    }

    function _store(uint256 slot, uint256 word) private {
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }
}
