// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPack} from "../interfaces/IPack.sol";
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
    uint256 private constant HELD = 16;     // marks: see IPack.State
    uint256 private constant LOCKED = 32;
    uint256 private constant RECALLED = 64;
    uint256 private constant BARRED = 128;
    uint256 private constant LOST = uint256(IPack.State.LOST);

    function judge(uint256 state, uint8 to, uint256 facts) external pure returns (uint8 code, uint256 after_) {
        IPack.Code c;
        (c, after_) = _judge(state, IPack.State(to), facts);
        code = uint8(c);
    }

    function _judge(uint256 state, IPack.State to, uint256 facts) private pure
        returns (IPack.Code code, uint256 after_) {
        code = _actorCode(state, to, facts);
        if (code != IPack.Code.OK) return (code, state);
        uint256 base = state & 15;
        bool found = to == IPack.State.HELD && base == LOST;
        bool open = base == 0 || base == uint256(IPack.State.PARTIAL) || base == uint256(IPack.State.BACK);
        if (found) return (code, state - base | HELD | (state & BARRED != 0 ? uint256(IPack.State.BACK) : 0));
        if (!open) return (IPack.Code.FINAL, state);
        bool mark = to == IPack.State.HELD || to == IPack.State.LOCKED || to == IPack.State.RECALLED
            || to == IPack.State.ACTIVE;
        bool may;
        (may, after_) = mark ? _marked(state, to, facts) : _ended(state, to, facts);
        if (!may) code = IPack.Code.NOT_ALLOWED;
    }

    /// Who may try at all: the custodian or a regulator; for a recall the owner or a regulator; for a lock a regulator.
    function _actorCode(uint256 state, IPack.State to, uint256 facts) private pure returns (IPack.Code) {
        bool regulator = facts & REGULATOR != 0;
        bool ok = regulator;
        if (facts & (CUSTODIAN | OWNER | REGULATOR) == 0) return IPack.Code.NOT_CUSTODIAN;
        if (to == IPack.State.RECALLED && facts & BACK == 0) ok = regulator || facts & OWNER != 0;
        else if (to == IPack.State.ACTIVE && state & (HELD | LOCKED) != LOCKED) {
            ok = regulator || facts & CUSTODIAN != 0;
        }
        else if (to != IPack.State.RECALLED && to != IPack.State.LOCKED && to != IPack.State.ACTIVE) {
            ok = facts & CUSTODIAN != 0 || (regulator && to != IPack.State.VOID);
            return ok ? IPack.Code.OK : IPack.Code.NOT_CUSTODIAN;
        }
        return ok ? IPack.Code.OK : IPack.Code.WRONG_ROLE;
    }

    /// A custodian's hold and a regulator's are apart, as those of a container are (Medicines.holdContainer): a
    /// regulator holds with LOCKED, and ends the custodian's HELD only if there is no LOCKED to end.
    function _marked(uint256 state, IPack.State to, uint256 facts) private pure returns (bool, uint256) {
        bool regulator = facts & REGULATOR != 0;
        uint256 mark = RECALLED;
        if (to == IPack.State.ACTIVE) mark = regulator && state & LOCKED != 0 ? LOCKED : HELD;
        else if (to != IPack.State.RECALLED) mark = regulator ? LOCKED : HELD;
        bool away = to == IPack.State.ACTIVE || facts & BACK != 0;
        return ((state & mark != 0) == away, state ^ mark);
    }

    /// Ends, and opening.
    function _ended(uint256 state, IPack.State to, uint256 facts) private pure returns (bool, uint256) {
        uint256 base = state & 15;
        uint256 after_ = state - base + uint256(to);
        if (to == IPack.State.DESTROYED || to == IPack.State.STOLEN || to == IPack.State.LOST) {
            if (base != 0) after_ |= BARRED; // found again, it goes back only
            return (state & LOCKED == 0 || facts & REGULATOR != 0, after_);
        }
        if (to == IPack.State.SAMPLED || to == IPack.State.EXPORTED) return (state == 0, after_);
        if (to == IPack.State.CONSUMED) return (state == 0 && facts & MANUFACTURER != 0, after_);
        if (to == IPack.State.PARTIAL) return (state & ~BARRED == 0 && facts & DISPENSER != 0, after_);
        return (to == IPack.State.VOID && state & ~HELD == 0 && facts & OWNER != 0, after_);
    }
}
