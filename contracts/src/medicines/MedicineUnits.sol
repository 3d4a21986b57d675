// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {IMedicines} from "../interfaces/IMedicines.sol";
import {FragmentTable} from "../lib/FragmentTable.sol";

/// What is stored of batches and their units. Per unit: 4 bits of state (64 a slot) and a 16-bit holder (16 a slot),
/// the position of an
/// entry in its batch's list of holders. Zero bits mean: active, and loose with the owner; so commissioning writes
/// neither.
abstract contract MedicineUnits is IMedicines {
    enum Kind { LOOSE, PACKED }

    struct Product {
        address owner;
        bool withdrawn;
        bytes32 keyCommitment;
        FragmentTable.Table fragments;
    }
    struct Batch {
        bytes32 product;
        bytes32 root;
        uint40 expiry;
        uint32 count;
        uint32 commissioned;
        uint32 ended;
        bool recalled;
    }
    struct Holder {    // stored in 16 bytes, two a slot
        Kind kind;
        uint64 key;    // an actor's number, or a container's key
        uint32 count;  // live units
    }
    /// The words of the unit last looked at, so that a run of units costs a write a slot.
    struct Cursor {
        uint32 batch;
        uint256 stateSlot;
        uint256 stateWord;
        uint256 holderSlot;
        uint256 holderWord;
    }
    struct Captured_ {
        uint40 capturedAt;
        Code code;
        bytes26 dispensed; // of the units that it dispensed
    }

    uint256 private constant STATES = 64; // a slot
    uint256 private constant HOLDERS = 16;
    uint256 private constant NO_SLOT = type(uint256).max;

    mapping(bytes32 product => Product) internal products;
    mapping(bytes32 batch => uint32) internal batchNumbers; // from 1
    mapping(uint32 batch => Batch) internal batches;
    mapping(uint32 batch => uint128[]) internal holders; // from the low end: key 64, kind 8, count 32
    mapping(bytes32 key => uint16) internal positions; // in holders, plus nothing: 0 is not there
    mapping(uint32 batch => mapping(uint256 slot => uint256)) private stateWords;
    mapping(uint32 batch => mapping(uint256 slot => uint256)) private holderWords;
    mapping(address => uint32) internal actorNumbers; // from 1
    mapping(uint64 => address) internal actorsByNumber;
    mapping(bytes32 => Captured_) internal captures;
    uint32 internal batchesCount;
    uint32 internal actorsCount;
    IDirectory internal immutable directory;

    constructor(IDirectory directory_) {
        directory = directory_;
    }

    function _refuse(Code code, bytes32 thing) internal pure {
        revert Refused(code, thing);
    }

    function _require(bool holds, Code code, bytes32 thing) internal pure {
        if (!holds) revert Refused(code, thing);
    }

    function _numberOf(address actor) internal returns (uint32 number) {
        number = actorNumbers[actor];
        if (number != 0) return number;
        number = ++actorsCount;
        actorNumbers[actor] = number;
        actorsByNumber[number] = actor;
    }

    function _batch(bytes32 id) internal view returns (uint32 number, Batch storage b) {
        number = batchNumbers[id];
        _require(number != 0, Code.UNKNOWN_BATCH, id);
        b = batches[number];
    }

    function _liveBatch(bytes32 id) internal view returns (uint32 number, Batch storage b) {
        (number, b) = _batch(id);
        _require(b.commissioned == b.count, Code.NOT_LIVE, id);
    }

    /// OK, or why nothing of this batch may be traded now.
    function _batchCode(Batch storage b) internal view returns (Code) {
        if (b.recalled) return Code.IS_RECALLED;
        if (products[b.product].withdrawn) return Code.IS_WITHDRAWN;
        if (block.timestamp >= b.expiry) return Code.IS_EXPIRED;
        return Code.OK;
    }

    function _isEnded(State s) internal pure returns (bool) {
        return s == State.DISPENSED || (s >= State.DESTROYED && s <= State.CONSUMED) || s == State.VOID;
    }

    function _isBlemished(State s) internal pure returns (bool) {
        return s == State.HELD || s == State.LOCKED || s == State.RECALLED;
    }

    // Cursors.

    function _cursor(uint32 batch) internal pure returns (Cursor memory) {
        return Cursor(batch, NO_SLOT, 0, NO_SLOT, 0);
    }

    function _read(Cursor memory c, uint32 index) internal view returns (State state, uint16 position) {
        require(c.stateSlot == NO_SLOT || c.stateSlot == index / STATES);
        require(c.holderSlot == NO_SLOT || c.holderSlot == index / HOLDERS);
        if (c.stateSlot == NO_SLOT) (c.stateSlot, c.stateWord) = (index / STATES, stateWords[c.batch][index / STATES]);
        if (c.holderSlot == NO_SLOT) (c.holderSlot, c.holderWord) = (index / HOLDERS,
            holderWords[c.batch][index / HOLDERS]);
        uint256 nibble = (c.stateWord >> (index % STATES * 4)) & 15;
        state = nibble == 0 ? State.ACTIVE : State(nibble);
        position = uint16(c.holderWord >> (index % HOLDERS * 16));
    }

    /// Writes what was changed, if `index` lies in other words than those of the cursor, and forgets them.
    function _seek(Cursor memory c, uint32 index) internal {
        if (c.stateSlot != NO_SLOT && c.stateSlot != index / STATES) {
            stateWords[c.batch][c.stateSlot] = c.stateWord;
            c.stateSlot = NO_SLOT;
        }
        if (c.holderSlot != NO_SLOT && c.holderSlot != index / HOLDERS) {
            holderWords[c.batch][c.holderSlot] = c.holderWord;
            c.holderSlot = NO_SLOT;
        }
    }

    function _flush(Cursor memory c) internal {
        if (c.stateSlot != NO_SLOT) stateWords[c.batch][c.stateSlot] = c.stateWord;
        if (c.holderSlot != NO_SLOT) holderWords[c.batch][c.holderSlot] = c.holderWord;
    }

    function _setState(Cursor memory c, uint32 index, State state) internal pure {
        uint256 shift = index % STATES * 4;
        uint256 nibble = state == State.ACTIVE ? 0 : uint256(state);
        c.stateWord = (c.stateWord & ~(uint256(15) << shift)) | (nibble << shift);
    }

    function _setHolder(Cursor memory c, uint32 index, uint16 position) internal pure {
        uint256 shift = index % HOLDERS * 16;
        c.holderWord = (c.holderWord & ~(uint256(0xffff) << shift)) | (uint256(position) << shift);
    }

    // Holders.

    function _addHolder(uint32 batch, Kind kind, uint64 key) internal returns (uint16) {
        uint256 position = holders[batch].length;
        _require(position <= type(uint16).max, Code.TOO_MANY, bytes32(uint256(batch)));
        holders[batch].push(uint128(key) | uint128(uint8(kind)) << 64);
        return uint16(position);
    }

    function _holder(uint32 batch, uint256 position) internal view returns (Holder memory) {
        uint128 packed = holders[batch][position];
        return Holder(Kind(uint8(packed >> 64)), uint64(packed), uint32(packed >> 72));
    }

    function _addCount(uint32 batch, uint256 position, uint32 n) internal {
        holders[batch][position] += uint128(n) << 72;
    }

    function _subCount(uint32 batch, uint256 position, uint32 n) internal {
        holders[batch][position] -= uint128(n) << 72;
    }

    function _looseHolder(uint32 batch, uint32 actor) internal returns (uint16 position) {
        if (_holder(batch, 0).key == actor) return 0;
        bytes32 key = keccak256(abi.encode(batch, Kind.LOOSE, actor));
        position = positions[key];
        if (position == 0) {
            position = _addHolder(batch, Kind.LOOSE, actor);
            positions[key] = position;
        }
    }

    /// Moves live units from one holder to another; returns how many of them are blemished. Indexes are `list`, or
    /// `first` … where the list
    /// is empty. All must stand with (kind, key) now.
    function _move(bytes32 id, uint32[] memory list, uint32 first, uint32 n, Kind kind, uint64 key, uint16 to) internal
        returns (uint32 blemished) {
        (uint32 batch, Batch storage b) = _liveBatch(id);
        Cursor memory c = _cursor(batch);
        uint256 from = NO_SLOT; // position whose holder was found right
        uint32 run = 0;
        uint32 count = b.count;
        for (uint32 i = 0; i < n; i++) {
            uint32 index = list.length != 0 ? list[i] : first + i;
            _require(index < count, Code.UNKNOWN_UNIT, bytes32(uint256(index)));
            _seek(c, index);
            (State state, uint16 position) = _read(c, index);
            _require(!_isEnded(state), Code.FINAL, bytes32(uint256(index)));
            if (position != from) {
                Holder memory holder = _holder(batch, position);
                _require(holder.kind == kind, kind == Kind.LOOSE ? Code.NOT_LOOSE
                    : Code.NOT_A_CHILD, bytes32(uint256(index)));
                _require(holder.key == key, kind == Kind.LOOSE ? Code.NOT_CUSTODIAN
                    : Code.NOT_A_CHILD, bytes32(uint256(index)));
                if (run != 0) _subCount(batch, from, run);
                (from, run) = (position, 0);
            }
            run++;
            if (_isBlemished(state)) blemished++;
            _setHolder(c, index, to);
        }
        if (run != 0) _subCount(batch, from, run);
        _addCount(batch, to, n);
        _flush(c);
    }
}
