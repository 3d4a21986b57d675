// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// How much of something an account has used up today (UTC). One slot an account.
library Quota {
    struct Use {
        uint64 day;
        uint128 amount;
    }

    function used(mapping(address => Use) storage uses, address who) internal view returns (uint256) {
        Use storage use = uses[who];
        return use.day == block.timestamp / 1 days ? use.amount : 0;
    }

    /// False, and nothing used, where `limit` would be passed.
    function take(mapping(address => Use) storage uses, address who, uint256 amount, uint256 limit) internal
        returns (bool) {
        uint256 total = used(uses, who) + amount;
        if (total > limit) return false;
        uses[who] = Use(uint64(block.timestamp / 1 days), uint128(total));
        return true;
    }
}
