// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {IProducts} from "../interfaces/IProducts.sol";
import {Lists} from "../lib/Lists.sol";
import {Roles} from "../Roles.sol";
import {MedicineContainers} from "./MedicineContainers.sol";
import {MedicineUnits} from "./MedicineUnits.sol";

/// What is rarely done: recalls, a unit's other moves, what was dispensed taken back, what regulators do. Medicines,
/// which made this contract, runs its code in its own storage (delegatecall); IMedicines says what each function is
/// for. Called directly it has an empty storage of its own, in which nobody trusts anything.
contract MedicinePowers is MedicineContainers {
    using Lists for Lists.List;

    uint256 private constant UNDO_DAYS = 10;
    uint256 private constant LOTS_A_CALL = 1500; // of a product that is withdrawn: about 11 million gas
    uint256 private constant CUSTODIAN_FACT = 1; // IProducts.factsOf
    uint256 private constant BACK_FACT = 32;

    constructor(IDirectory directory_, IProducts products_) MedicineUnits(directory_, products_) {}

    // Not captured.

    function withdrawProduct(bytes32 product, bool withdrawn_, uint32 from) external {
        _requireRegulator(product);
        _require(_ownerOf(product) != address(0), Code.UNKNOWN_PRODUCT, product);
        if (from == 0) {
            withdrawn[product] = withdrawn_;
            emit ProductWithdrawn(product, withdrawn_);
        }
        uint32[] storage all = lotsOf[product];
        uint256 end = from + LOTS_A_CALL < all.length ? from + LOTS_A_CALL : all.length;
        for (uint256 i = from; i < end; i++) {
            _flag(batches[lots[all[i]]], LOT_WITHDRAWN, withdrawn[product]);
        }
    }

    function acknowledgeRecall(bytes32 batch, uint24 place) external {
        _require(_isActive(msg.sender, 0), Code.NOT_LISTED, batch);
        Batch storage b = _batch(batch);
        _require(b.flags & LOT_RECALLED != 0, Code.NOT_ALLOWED, batch);
        Row memory row = _row(batch, place);
        uint24 number = _numberOf(msg.sender);
        _require(row.count != 0 && _custodianOf(row) == number, Code.NOT_CUSTODIAN, batch);
        uint64 recall = recalls[batch].number;
        bytes32 key = keccak256(abi.encode(batch, number));
        _require(acknowledged[key] != recall, Code.EXISTS, batch);
        acknowledged[key] = recall;
        (uint64 n, bytes24 before) = acknowledgementLists[batch].append(keccak256(abi.encode(msg.sender, recall)));
        emit RecallAcknowledged(batch, msg.sender, recall, n, before);
    }

    function moveStock(bytes32 batch, uint24 place, address to) external {
        _requireRegulator(batch);
        Batch storage b = _batch(batch);
        _require(_isPartner(to), Code.INACTIVE_PARTNER, batch);
        Row memory row = _row(batch, place);
        _require(row.kind == Kind.LOOSE, Code.NOT_LOOSE, batch);
        address from = _actorOf(uint24(row.key));
        _require(!_isActive(from, 0), Code.IS_ACTIVE, batch);
        bytes32 key = _keyOfRow(batch, row);
        if (place == 0) _flag(b, LOT_CLOSED, true); // the owner's next units would stand in this row
        else if (placesOf[key] == place) delete placesOf[key];
        moves[_placeKey(batch, Kind.LOOSE, place)].push(uint48(block.timestamp / 1 days | uint256(row.key) << 24));
        _setRow(batch, place, Row(_numberOf(to), row.count, uint24(row.key), Kind.LOOSE, true, row.kept, 0));
        emit StockMoved(batch, from, to, msg.sender);
    }

    function moveContainers(bytes32[] calldata ids, address to) external {
        _requireRegulator(0);
        _require(_isPartner(to), Code.INACTIVE_PARTNER, 0);
        uint24 number = _numberOf(to);
        for (uint256 i = 0; i < ids.length; i++) {
            Container storage c = containers[_keyOf(ids[i])];
            _require(c.parent == 0, Code.HAS_PARENT, ids[i]);
            address from = _actorOf(c.custodian);
            _require(!_isActive(from, 0), Code.IS_ACTIVE, ids[i]);
            (c.from, c.custodian, c.receiver) = (c.custodian, number, 0);
            c.flags |= ARRIVED;
            emit ContainerMoved(ids[i], from, to, msg.sender);
        }
    }

    // Operations.

    function recallBatch(bytes32 batch, bytes32 reason) external inCapture {
        Batch storage b = _batch(batch);
        _require(_ownerOf(b.product) == msg.sender || _isRegulator(), Code.NOT_OWNER, batch);
        _require(b.flags & LOT_RECALLED == 0 || _mayTakeOver(recalls[batch].by), Code.IS_RECALLED, batch);
        recalls[batch] = Recall(me, _recall(batch, b, true, reason));
    }

    function reverseRecall(bytes32 batch, bytes32 reason) external inCapture {
        Batch storage b = _batch(batch);
        _require(b.flags & LOT_RECALLED != 0, Code.NOT_ALLOWED, batch);
        address by = _actorOf(recalls[batch].by);
        bool instead = _isRegulator() && !_isActive(by, 0);
        _require(by == msg.sender || instead, Code.NOT_OWNER, batch);
        _recall(batch, b, false, reason);
    }

    function undoDispense(bytes32 batch, uint32[] calldata indexes) external inCapture {
        _require(indexes.length != 0 && indexes.length <= UNITS_MAX, Code.TOO_MANY, batch);
        Batch storage b = _batch(batch);
        Cursor memory c = _cursor(batch);
        for (uint256 i = 0; i < indexes.length; i++) {
            _require(indexes[i] < b.commissioned, Code.UNKNOWN_UNIT, bytes32(uint256(indexes[i])));
            _seek(c, indexes[i]);
            _undo(c, indexes[i]);
        }
        _flush(c);
    }

    function changeUnits(bytes32 batch, uint32[] calldata indexes, State to) external inCapture {
        _changeAll(batch, indexes, to, false);
    }

    function reverseUnits(bytes32 batch, uint32[] calldata indexes) external inCapture {
        _requireRegulator(batch);
        _changeAll(batch, indexes, State.RECALLED, true);
    }

    // Inside.

    function _flag(Batch storage b, uint8 flag, bool set) private {
        b.flags = set ? b.flags | flag : b.flags & ~flag;
    }

    function _undo(Cursor memory c, uint32 index) private {
        (uint256 state, uint24 place) = _at(c, index);
        _require(_isDispensed(state), Code.NOT_ALLOWED, c.batch);
        Row memory row = _row(c.batch, place);
        (uint256 day, bool exact) = _dayOf(c, index);
        // who got the row from a regulator did not dispense what ended in it before
        bool own = row.key == me && (!row.moved || _dispenserOf(c.batch, place, me, day) == me);
        _require(own, Code.UNDO_OTHER, c.batch);
        _require(exact && block.timestamp / 1 days <= day + UNDO_DAYS, Code.UNDO_LATE, c.batch);
        bool opened = _baseOf(state) == State.OPENED_DISPENSED;
        _setState(c, index, BARRED_MARK | (opened ? uint256(State.PARTIAL) : 0));
        _add(c.batch, place, 1);
        emit UnitChanged(c.batch, index, opened ? State.PARTIAL : State.ACTIVE, msg.sender);
    }

    function _requireRegulator(bytes32 thing) private view {
        _require(_isRegulator(), Code.WRONG_ROLE, thing);
    }

    /// A regulator's recall is its own, although the owner, who could end that, recalled the lot before.
    function _mayTakeOver(uint24 by) private view returns (bool) {
        return _isRegulator() && !_isActive(_actorOf(by), Roles.REGULATOR);
    }

    function _recall(bytes32 batch, Batch storage b, bool recalled, bytes32 reason) private returns (uint64 n) {
        _flag(b, LOT_RECALLED, recalled);
        bytes24 before;
        (n, before) = recallList.append(keccak256(abi.encode(batch, msg.sender, reason, recalled)));
        emit BatchRecalled(batch, msg.sender, recalled, reason, b.commissioned, n, before);
    }

    /// `back`: takes the mark away instead.
    function _changeAll(bytes32 batch, uint32[] calldata indexes, State to, bool back) private {
        _require(indexes.length != 0 && indexes.length <= UNITS_MAX, Code.TOO_MANY, batch);
        Batch storage b = _batch(batch);
        uint256 facts = products.factsOf(b.product, msg.sender) | (back ? BACK_FACT : 0);
        if (to == State.PARTIAL || to == State.EXPORTED || to == State.CONSUMED) {
            Code code = _lotCode(_lotWord(batch));
            _require(code == Code.OK, code, batch);
        }
        Cursor memory c = _cursor(batch);
        for (uint256 i = 0; i < indexes.length; i++) {
            _require(indexes[i] < b.commissioned, Code.UNKNOWN_UNIT, bytes32(uint256(indexes[i])));
            _seek(c, indexes[i]);
            _change(c, indexes[i], to, facts);
            emit UnitChanged(batch, indexes[i], back ? State.ACTIVE : to, msg.sender);
        }
        _flush(c);
    }

    function _change(Cursor memory c, uint256 index, State move, uint256 facts) private {
        (uint256 from, uint24 place) = _at(c, index);
        if (_isDispensed(from)) from &= BASE | BARRED_MARK;
        Row memory row = _row(c.batch, place);
        _require(move != State.PARTIAL || !row.moved, Code.NOT_ALLOWED, bytes32(index));
        if (_custodianOf(row) == me) facts |= CUSTODIAN_FACT;
        (uint8 code, uint256 to) = products.judge(from, uint8(move), facts);
        _require(code == 0, Code(code), bytes32(index));
        _require(to & 15 == from & 15 || row.kind == Kind.LOOSE, Code.NOT_LOOSE, bytes32(index));
        if (_isEnded(to)) {
            _sub(c.batch, place, 1, true);
        } else if (_isEnded(from)) {
            _add(c.batch, place, 1);
        } else if (row.kind == Kind.PACKED && (from != 0) != (to != 0)) {
            _blemish(row.key, to != 0 ? int256(1) : -1);
        }
        _setState(c, index, to);
    }
}
