// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Weighed and not taken: segments of four whole fragments a word, linear probing, each segment four times as large as
/// the one before; an insertion looks into all of them.
library Segments {
    uint256 private constant FIRST = 256;

    function insert(mapping(uint256 => uint256) storage words, uint256 units, uint64 fragment) internal
        returns (bool fresh) {
        uint256 begin = 0;
        uint256 capacity = FIRST;
        for (uint256 g = 0;; g++) {
            (bool found, uint256 place, uint256 lane) = _find(words, g << 40, capacity * 5 / 18 + 1, fragment);
            if (found) return false;
            if (units < begin + capacity) {
                words[place] |= uint256(fragment) << (lane * 64);
                return true;
            }
            (begin, capacity) = (begin + capacity, capacity * 4);
        }
    }

    function _find(mapping(uint256 => uint256) storage words, uint256 base, uint256 buckets, uint64 fragment)
        private view returns (bool, uint256 place, uint256 lane) {
        for (uint256 bucket = fragment % buckets;; bucket = (bucket + 1) % buckets) {
            place = base + bucket;
            uint256 word = words[place];
            for (lane = 0; lane < 4; lane++) {
                uint64 here = uint64(word >> (lane * 64));
                if (here == fragment) return (true, place, lane);
                if (here == 0) return (false, place, lane);
            }
        }
    }
}
