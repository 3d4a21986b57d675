// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A list of which one slot says whether somebody was shown all of it. The entries stand in events; each event carries
/// its number and the head before it. A reader proves the slot and folds the events from the newest to the oldest:
/// what is left out, changed or invented does not fold. 192 bits: a collision costs 2^96 hashes.
library Lists {
    struct List {
        bytes24 head;  // 0: the list is empty
        uint64 count;
    }

    /// `n`: the entry's number, from 1. `before`: the head before it.
    function append(List storage list, bytes32 entry) internal returns (uint64 n, bytes24 before) {
        (before, n) = (list.head, list.count + 1);
        (list.head, list.count) = (bytes24(keccak256(abi.encode(before, n, block.timestamp, entry))), n);
    }
}
