// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A set of 8-byte fragments that only grows: four a slot, buckets of one slot, linear probing. It grows by
/// generations, each with a
/// capacity declared beforehand (filled to nine tenths at most); a fragment is in at most one of them.
library FragmentTable {
    uint256 private constant LANES = 4;

    struct Generation {
        uint32 buckets;
        uint32 capacity;
        uint32 used;
    }
    struct Table {
        Generation[] generations;
        mapping(uint256 generation => mapping(uint256 bucket => uint256)) words;
    }

    function grow(Table storage table, uint32 capacity) internal {
        table.generations.push(Generation(uint32((uint256(capacity) * 10 / 9 + LANES) / LANES + 1), capacity, 0));
    }

    function contains(Table storage table, uint64 fragment) internal view returns (bool) {
        for (uint256 g = 0; g < table.generations.length; g++) {
            (bool found,,) = _find(table, g, fragment);
            if (found) return true;
        }
        return false;
    }

    /// Fragments are not zero. `full`: the newest generation takes no more; nothing was written. `duplicate`: it is in
    /// already.
    function insert(Table storage table, uint64 fragment) internal returns (bool duplicate, bool full) {
        uint256 newest = table.generations.length - 1;
        for (uint256 g = 0; g < newest; g++) {
            (bool old,,) = _find(table, g, fragment);
            if (old) return (true, false);
        }
        (bool found, uint256 bucket, uint256 lane) = _find(table, newest, fragment);
        if (found) return (true, false);
        Generation storage generation = table.generations[newest];
        if (generation.used >= generation.capacity) return (false, true);
        generation.used++;
        table.words[newest][bucket] |= uint256(fragment) << (lane * 64);
    }

    /// Where the fragment is, or where it would go. Ends: a generation always has empty lanes.
    function _find(Table storage table, uint256 g, uint64 fragment) private view
        returns (bool found, uint256 bucket, uint256 lane) {
        uint256 buckets = table.generations[g].buckets;
        mapping(uint256 => uint256) storage words = table.words[g];
        for (bucket = fragment % buckets;; bucket = bucket + 1 == buckets ? 0 : bucket + 1) {
            uint256 word = words[bucket];
            for (lane = 0; lane < LANES; lane++) {
                uint64 here = uint64(word >> (lane * 64));
                if (here == fragment) return (true, bucket, lane);
                if (here == 0) return (false, bucket, lane);
            }
        }
    }
}
