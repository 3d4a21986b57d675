// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// How much of something an account, or whatever a key stands for, has used up today (UTC). One slot a key.
library Quota {
    struct Use {
        uint64 day;
        uint128 amount;
    }

    function key(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function used(mapping(bytes32 => Use) storage uses, bytes32 whose) internal view returns (uint256) {
        Use storage use = uses[whose];
        return use.day == block.timestamp / 1 days ? use.amount : 0;
    }

    /// Is there room for `amount` more? No sum overflows, whatever `amount` is.
    function hasRoom(mapping(bytes32 => Use) storage uses, bytes32 whose, uint256 amount, uint256 limit) internal view
        returns (bool) {
        return amount <= limit && used(uses, whose) <= limit - amount;
    }

    /// False, and nothing used, if `limit` would be passed.
    function take(mapping(bytes32 => Use) storage uses, bytes32 whose, uint256 amount, uint256 limit) internal
        returns (bool) {
        if (!hasRoom(uses, whose, amount, limit)) return false;
        uses[whose] = Use(uint64(block.timestamp / 1 days), uint128(used(uses, whose) + amount));
        return true;
    }
}
