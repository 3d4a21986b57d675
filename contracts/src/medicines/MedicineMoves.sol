// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMedicines} from "../interfaces/IMedicines.sol";
import {IProducts} from "../interfaces/IProducts.sol";

/// The table of a unit's moves (docs/contracts.md), for all but packing, dispensing and its undoing. It looks at
/// nothing stored. It is a part of Products because Medicines has no room for it.
abstract contract MedicineMoves is IProducts {
    uint256 private constant CUSTODIAN = 1; // facts: see IProducts.factsOf
    uint256 private constant OWNER = 2;
    uint256 private constant REGULATOR = 4;
    uint256 private constant MANUFACTURER = 8;
    uint256 private constant DISPENSER = 16;
    uint256 private constant BACK = 32;
    uint256 private constant HELD = 16;     // marks: see IMedicines.State
    uint256 private constant LOCKED = 32;
    uint256 private constant RECALLED = 64;
    uint256 private constant BARRED = 128;
    uint256 private constant LOST = uint256(IMedicines.State.LOST);

    function judge(uint256 state, uint8 to, uint256 facts) external pure returns (uint8 code, uint256 after_) {
        IMedicines.Code c;
        (c, after_) = _judge(state, IMedicines.State(to), facts);
        code = uint8(c);
    }

    function _judge(uint256 state, IMedicines.State to, uint256 facts) private pure
        returns (IMedicines.Code code, uint256 after_) {
        code = _actorCode(state, to, facts);
        if (code != IMedicines.Code.OK) return (code, state);
        uint256 base = state & 15;
        bool found = to == IMedicines.State.HELD && base == LOST;
        bool open = base == 0 || base == uint256(IMedicines.State.PARTIAL) || base == uint256(IMedicines.State.BACK);
        if (found) return (code, state - base + HELD | (state & BARRED != 0 ? uint256(IMedicines.State.BACK) : 0));
        if (!open) return (IMedicines.Code.FINAL, state);
        bool mark = to == IMedicines.State.HELD || to == IMedicines.State.LOCKED || to == IMedicines.State.RECALLED
            || to == IMedicines.State.ACTIVE;
        bool may;
        (may, after_) = mark ? _marked(state, to, facts) : _ended(state, to, facts);
        if (!may) code = IMedicines.Code.NOT_ALLOWED;
    }

    /// Who may try at all: the custodian or a regulator; for a recall the owner or a regulator; for a lock a regulator.
    function _actorCode(uint256 state, IMedicines.State to, uint256 facts) private pure returns (IMedicines.Code) {
        bool regulator = facts & REGULATOR != 0;
        bool ok = regulator;
        if (facts & (CUSTODIAN | OWNER | REGULATOR) == 0) return IMedicines.Code.NOT_CUSTODIAN;
        if (to == IMedicines.State.RECALLED && facts & BACK == 0) ok = regulator || facts & OWNER != 0;
        else if (to == IMedicines.State.ACTIVE && state & LOCKED == 0) ok = regulator || facts & CUSTODIAN != 0;
        else if (to != IMedicines.State.RECALLED && to != IMedicines.State.LOCKED && to != IMedicines.State.ACTIVE) {
            ok = facts & CUSTODIAN != 0 || (regulator && to != IMedicines.State.VOID);
            return ok ? IMedicines.Code.OK : IMedicines.Code.NOT_CUSTODIAN;
        }
        return ok ? IMedicines.Code.OK : IMedicines.Code.WRONG_ROLE;
    }

    function _marked(uint256 state, IMedicines.State to, uint256 facts) private pure returns (bool, uint256) {
        if (to == IMedicines.State.ACTIVE) return (state & (HELD | LOCKED) != 0, state & ~(HELD | LOCKED));
        if (facts & BACK != 0) return (state & RECALLED != 0, state & ~RECALLED);
        uint256 mark = RECALLED;
        if (to == IMedicines.State.HELD) mark = HELD;
        else if (to == IMedicines.State.LOCKED) mark = LOCKED;
        return (state & mark == 0, state | mark);
    }

    /// Ends, and opening.
    function _ended(uint256 state, IMedicines.State to, uint256 facts) private pure returns (bool, uint256) {
        uint256 base = state & 15;
        uint256 after_ = state - base + uint256(to);
        if (to == IMedicines.State.DESTROYED || to == IMedicines.State.STOLEN || to == IMedicines.State.LOST) {
            if (base != 0) after_ |= BARRED; // found again, it goes back only
            return (state & LOCKED == 0 || facts & REGULATOR != 0, after_);
        }
        if (to == IMedicines.State.SAMPLED || to == IMedicines.State.EXPORTED) return (state == 0, after_);
        if (to == IMedicines.State.CONSUMED) return (state == 0 && facts & MANUFACTURER != 0, after_);
        if (to == IMedicines.State.PARTIAL) return (state & ~BARRED == 0 && facts & DISPENSER != 0, after_);
        return (to == IMedicines.State.VOID && state & ~HELD == 0 && facts & OWNER != 0, after_);
    }
}
