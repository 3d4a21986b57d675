// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "./interfaces/IDirectory.sol";
import {IProducts} from "./interfaces/IProducts.sol";
import {Lists} from "./lib/Lists.sol";
import {Quota} from "./lib/Quota.sol";
import {MedicineContainers} from "./medicines/MedicineContainers.sol";
import {MedicineUnits} from "./medicines/MedicineUnits.sol";
import {Roles} from "./Roles.sol";

contract Medicines is MedicineContainers {
    using Lists for Lists.List;
    using Quota for mapping(bytes32 => Quota.Use);

    uint256 private constant OPERATIONS_MAX = 64;
    uint256 private constant UNITS_MAX = 256; // named one by one in an operation
    uint256 private constant ALERTS_A_DAY = 1000;
    uint256 private constant UNDO_TIME = 10 days;
    uint256 private constant CUSTODIAN_FACT = 1; // IProducts.factsOf
    uint256 private constant BACK_FACT = 32;

    bool private transient capturing;
    Code private transient answer;       // of the capture's dispense
    bytes26 private transient dispensed; // digest of what it dispensed
    bool private transient hasDispensed;

    constructor(IDirectory directory_, IProducts products_) MedicineUnits(directory_, products_) {}

    modifier inCapture() {
        _requireCapture();
        _;
    }

    // Not captured.

    function withdrawProduct(bytes32 product, bool withdrawn_) external {
        _requireRegulator(product);
        _require(_ownerOf(product) != address(0), Code.UNKNOWN_PRODUCT, product);
        withdrawn[product] = withdrawn_;
        emit ProductWithdrawn(product, withdrawn_);
    }

    function acknowledgeRecall(bytes32 batch, uint16 place) external {
        _require(_isActive(msg.sender, 0), Code.NOT_LISTED, batch);
        Batch storage b = _batch(batch);
        _require(b.recalled, Code.NOT_ALLOWED, batch);
        Row memory row = _row(batch, place);
        uint64 me = actorNumbers[msg.sender];
        _require(row.count != 0 && _custodianOf(row) == me, Code.NOT_CUSTODIAN, batch);
        uint64 recall = recalls[batch].number;
        bytes32 key = keccak256(abi.encode(batch, me));
        _require(acknowledged[key] != recall, Code.EXISTS, batch);
        acknowledged[key] = recall;
        (uint64 n, bytes24 before) = acknowledgementLists[batch].append(keccak256(abi.encode(msg.sender, recall)));
        emit RecallAcknowledged(batch, msg.sender, recall, n, before);
    }

    function moveStock(bytes32 batch, uint16 place, address to) external {
        _requireRegulator(batch);
        Batch storage b = _batch(batch);
        _require(_isPartner(to), Code.INACTIVE_PARTNER, batch);
        Row memory row = _row(batch, place);
        _require(row.kind == Kind.LOOSE, Code.NOT_LOOSE, batch);
        address from = actors[uint24(row.key)];
        _require(!_isActive(from, 0), Code.IS_ACTIVE, batch);
        bytes32 key = _placeKey(batch, Kind.LOOSE, row.key);
        if (place == 0) b.closed = true; // the owner's next units would stand in this row
        else if (placesOf[key] == place) delete placesOf[key];
        (row.from, row.key) = (uint24(row.key), _numberOf(to));
        _setRow(batch, place, row);
        key = _placeKey(batch, Kind.LOOSE, row.key);
        if (placesOf[key] == 0) placesOf[key] = place;
        emit StockMoved(batch, from, to, msg.sender);
    }

    function moveContainers(bytes32[] calldata ids, address to) external {
        _requireRegulator(0);
        _require(_isPartner(to), Code.INACTIVE_PARTNER, 0);
        uint24 number = _numberOf(to);
        for (uint256 i = 0; i < ids.length; i++) {
            Container storage c = containers[_keyOf(ids[i])];
            _require(c.parent == 0, Code.HAS_PARENT, ids[i]);
            address from = actors[c.custodian];
            _require(!_isActive(from, 0), Code.IS_ACTIVE, ids[i]);
            (c.from, c.custodian, c.receiver) = (c.custodian, number, 0);
            c.flags |= ARRIVED;
            emit ContainerMoved(ids[i], from, to, msg.sender);
        }
    }

    // Documents.

    function capture(bytes32 documentHash, bytes32 eventsRoot, uint32 part, bytes[] calldata operations) external
        returns (bytes32 captureId, Code code) {
        _require(!capturing, Code.NOT_IN_CAPTURE, documentHash);
        _require(_isActive(msg.sender, 0), Code.NOT_LISTED, documentHash);
        captureId = _captureId(documentHash, part);
        Captured_ storage c = captures[captureId];
        if (c.capturedAt != 0) {
            emit CaptureRepeated(captureId);
            return (captureId, c.code);
        }
        _require(operations.length != 0 && operations.length <= OPERATIONS_MAX, Code.TOO_MANY, documentHash);
        (capturing, hasDispensed, answer, dispensed) = (true, false, Code.OK, 0);
        for (uint256 i = 0; i < operations.length; i++) {
            _run(operations[i]);
        }
        capturing = false;
        code = answer;
        captures[captureId] = Captured_(uint40(block.timestamp), code, dispensed);
        emit Captured(captureId, msg.sender, documentHash, eventsRoot, part, code);
    }

    // Lots.

    function openBatch(bytes32 product, bytes32 tag, uint40 expiry) external inCapture {
        _requireOwner(product);
        bytes32 id = keccak256(abi.encode(product, tag));
        Batch storage b = batches[id];
        _require(b.number == 0, Code.EXISTS, id);
        _require(expiry > block.timestamp, Code.BAD_ARGUMENT, id);
        uint32 number = ++lotsCount;
        lots[number] = id;
        (b.product, b.expiry, b.number, b.places) = (product, expiry, number, 1);
        _setRow(id, 0, Row(_numberOf(msg.sender), 0, 0, Kind.LOOSE, false));
        emit BatchOpened(id, product, tag, expiry);
    }

    function commission(bytes32 batch, bytes32 root, bytes calldata fragments) external inCapture {
        Batch storage b = _batch(batch);
        _requireOwner(b.product);
        _require(!b.closed, Code.CLOSED, batch);
        uint256 n = fragments.length / 8;
        _require(root != 0 && n != 0 && fragments.length % 8 == 0, Code.BAD_ARGUMENT, batch);
        uint32 first = b.commissioned;
        _require(n <= type(uint32).max - first, Code.TOO_MANY, batch);
        (IProducts.Insertion result, bytes8 fragment) = products.insert(b.product, fragments);
        _require(result != IProducts.Insertion.DUPLICATE, Code.DUPLICATE_SERIAL, fragment);
        _require(result == IProducts.Insertion.DONE, Code.CROWDED, fragment);
        uint24 part = b.parts;
        (b.commissioned, b.parts) = (first + uint32(n), part + 1);
        parts[batch][part] = Part(bytes24(root), first, uint32(n));
        _add(batch, 0, uint32(n));
        emit Commissioned(batch, part, first, uint32(n), root);
    }

    function recallBatch(bytes32 batch, bytes32 reason) external inCapture {
        Batch storage b = _batch(batch);
        _require(_ownerOf(b.product) == msg.sender || _isRegulator(), Code.NOT_OWNER, batch);
        _require(!b.recalled, Code.IS_RECALLED, batch);
        recalls[batch] = Recall(_numberOf(msg.sender), _recall(batch, b, true, reason));
    }

    function reverseRecall(bytes32 batch, bytes32 reason) external inCapture {
        Batch storage b = _batch(batch);
        _require(b.recalled, Code.NOT_ALLOWED, batch);
        address by = actors[recalls[batch].by];
        bool instead = _isRegulator() && !_isActive(by, 0);
        _require(by == msg.sender || instead, Code.NOT_OWNER, batch);
        _recall(batch, b, false, reason);
    }

    // Containers.

    function openContainer(bytes32 tag) external inCapture {
        _openContainer(tag);
    }

    function packLot(bytes32 batch, uint32 first, uint32 each, bytes32[] calldata tags) external inCapture {
        for (uint256 i = 0; i < tags.length; i++) {
            _packUnits(_openContainer(tags[i]), batch, _none(), first, each);
            first += each;
        }
    }

    function packUnits(bytes32 container, bytes32 batch, uint32[] calldata indexes) external inCapture {
        _require(indexes.length <= UNITS_MAX, Code.TOO_MANY, batch);
        uint64 key = _keyOf(container);
        _requireMine(key);
        _packUnits(key, batch, indexes, 0, uint32(indexes.length));
    }

    function packContainers(bytes32 parent, bytes32[] calldata children) external inCapture {
        uint64 key = _keyOf(parent);
        (, uint256 level) = _requireMine(key);
        for (uint256 i = 0; i < children.length; i++) {
            _nest(key, level, _keyOf(children[i]));
        }
    }

    function unpackUnits(bytes32 container, bytes32 batch, uint32[] calldata indexes) external inCapture {
        _require(indexes.length <= UNITS_MAX, Code.TOO_MANY, batch);
        _unpackUnits(_keyOf(container), batch, indexes, 0, uint32(indexes.length));
    }

    function unpackRange(bytes32 container, bytes32 batch, uint32 first, uint32 count) external inCapture {
        _unpackUnits(_keyOf(container), batch, _none(), first, count);
    }

    function unpackContainers(bytes32 parent, bytes32[] calldata children) external inCapture {
        uint64 key = _keyOf(parent);
        (uint64 root,) = _requireMine(key);
        for (uint256 i = 0; i < children.length; i++) {
            _unnest(key, root, _keyOf(children[i]));
        }
    }

    function ship(bytes32 container, address to, Purpose purpose) external inCapture {
        uint64 key = _keyOf(container);
        Container storage c = containers[key];
        _require(c.parent == 0, Code.HAS_PARENT, container);
        _requireMine(key);
        _require(c.contents != 0 && to != msg.sender, Code.BAD_ARGUMENT, container);
        _require(_isPartner(msg.sender), Code.WRONG_ROLE, container);
        _require(_isPartner(to), Code.INACTIVE_PARTNER, container);
        if (purpose == Purpose.TRADE) {
            Code code = _tradeCode(key);
            _require(code == Code.OK, code, container);
        } else {
            _require(_mayGoBack(key, to), Code.NOT_ITS_ORIGIN, container);
        }
        c.receiver = _numberOf(to);
        c.flags = (c.flags & (HELD | LOCKED | ARRIVED)) | uint8(purpose) << PURPOSE_SHIFT;
        emit Shipped(container, msg.sender, to, purpose);
    }

    function accept(bytes32 container) external inCapture {
        (Container storage c, address from, uint24 me) = _pending(container);
        _require(c.receiver == me, Code.NOT_RECEIVER, container);
        _require(_isActive(from, 0), Code.INACTIVE_PARTNER, container);
        _require(_isPartner(msg.sender), Code.WRONG_ROLE, container);
        c.from = _purposeOf(c) == Purpose.TRADE ? c.custodian : SEVERAL;
        (c.custodian, c.receiver) = (me, 0);
        c.flags |= ARRIVED;
        emit Accepted(container, from, msg.sender);
    }

    function endShipping(bytes32 container) external inCapture {
        (Container storage c, address from, uint24 me) = _pending(container);
        _require(c.receiver == me || c.custodian == me, Code.NOT_CUSTODIAN, container);
        emit ShippingEnded(container, from, actors[c.receiver], msg.sender);
        c.receiver = 0;
    }

    function holdContainer(bytes32 container, bool held) external inCapture {
        uint64 key = _keyOf(container);
        Container storage c = containers[key];
        (uint64 root,) = _outermost(key);
        bool regulator = _isRegulator();
        _require(regulator || containers[root].custodian == actorNumbers[msg.sender], Code.NOT_CUSTODIAN, container);
        _require((c.flags & HELD != 0) != held, Code.NOT_ALLOWED, container);
        _require(held || regulator || c.flags & LOCKED == 0, Code.IS_HELD, container);
        c.flags &= ~(HELD | LOCKED);
        if (held) c.flags |= regulator ? HELD | LOCKED : HELD;
        _blemish(key, held ? int256(1) : -1);
        emit ContainerHeld(container, msg.sender, held);
    }

    // Units.

    function dispense(Unit[] calldata units) external inCapture returns (Code code) {
        _require(!hasDispensed && units.length != 0 && units.length <= UNITS_MAX, Code.TOO_MANY, 0);
        _require(_isDispenser(msg.sender), Code.WRONG_ROLE, 0);
        bytes26 digest = 0;
        Cursor memory c = _cursor(units[0].batch);
        uint24 me = actorNumbers[msg.sender];
        for (uint256 i = 0; i < units.length; i++) {
            if (units[i].batch != c.batch) {
                _flush(c);
                c = _cursor(units[i].batch);
            }
            (Code one, uint24 other) = _dispense(c, units[i].index, me);
            if (one == Code.OK) {
                digest = _digest(digest, units[i]);
                continue;
            }
            if (code == Code.OK) code = one;
            _alert(units[i], one, actors[other]);
        }
        _flush(c);
        (hasDispensed, answer, dispensed) = (true, code, digest);
    }

    function undoDispense(bytes32 documentHash, uint32 part, Unit[] calldata dispensed_, uint32[] calldata which)
        external inCapture {
        bytes32 captureId = _captureId(documentHash, part);
        Captured_ storage done = captures[captureId];
        bytes26 digest = 0;
        for (uint256 i = 0; i < dispensed_.length; i++) digest = _digest(digest, dispensed_[i]);
        _require(digest != 0 && digest == done.dispensed && which.length != 0, Code.UNDO_OTHER, captureId);
        _require(block.timestamp <= done.capturedAt + UNDO_TIME, Code.UNDO_LATE, captureId);
        for (uint256 i = 0; i < which.length; i++) {
            _require(which[i] < dispensed_.length, Code.BAD_ARGUMENT, captureId);
            Unit calldata unit = dispensed_[which[i]];
            Cursor memory c = _cursor(unit.batch);
            _load(c, unit.index);
            (uint256 state, uint16 place) = _at(c, unit.index);
            State base = _baseOf(state);
            bool opened = base == State.OPENED_DISPENSED;
            _require(opened || base == State.DISPENSED, Code.NOT_ALLOWED, unit.batch);
            _require(_row(unit.batch, place).key == actorNumbers[msg.sender], Code.UNDO_OTHER, unit.batch);
            _setState(c, unit.index, BARRED_MARK | (opened ? uint256(State.PARTIAL) : 0));
            _flush(c);
            batches[unit.batch].ended--;
            _add(unit.batch, place, 1);
            emit UnitChanged(unit.batch, unit.index, opened ? State.PARTIAL : State.ACTIVE, msg.sender);
        }
    }

    function changeUnits(bytes32 batch, uint32[] calldata indexes, State to) external inCapture {
        _changeAll(batch, indexes, to, false);
    }

    function reverseUnits(bytes32 batch, uint32[] calldata indexes) external inCapture {
        _requireRegulator(batch);
        _changeAll(batch, indexes, State.RECALLED, true);
    }

    // Inside.

    function _requireCapture() private view {
        _require(capturing, Code.NOT_IN_CAPTURE, 0);
    }

    function _requireOwner(bytes32 product) private view {
        address owner = _ownerOf(product);
        _require(owner != address(0), Code.UNKNOWN_PRODUCT, product);
        _require(owner == msg.sender, Code.NOT_OWNER, product);
        _require(_isActive(owner, Roles.MANUFACTURER), Code.WRONG_ROLE, product);
    }

    function _isRegulator() private view returns (bool) {
        return _isActive(msg.sender, Roles.REGULATOR);
    }

    function _requireRegulator(bytes32 thing) private view {
        _require(_isRegulator(), Code.WRONG_ROLE, thing);
    }

    /// An outermost container that is on its way, from whom, and the sender's number.
    function _pending(bytes32 container) private view returns (Container storage c, address from, uint24 me) {
        c = containers[_keyOf(container)];
        _require(c.parent == 0, Code.HAS_PARENT, container);
        _require(c.receiver != 0, Code.NOT_PENDING, container);
        (from, me) = (actors[c.custodian], actorNumbers[msg.sender]);
    }

    function _captureId(bytes32 documentHash, uint32 part) private view returns (bytes32) {
        return keccak256(abi.encode(msg.sender, documentHash, part));
    }

    /// An operation in this contract's own state, as the sender's; its refusal is the capture's.
    function _run(bytes calldata operation) private {
        (bool done, bytes memory result) = address(this).delegatecall(operation);
        if (done) return;
        assembly ("memory-safe") {
            revert(add(result, 32), mload(result))
        }
    }

    /// Of the units so far, and one more.
    function _digest(bytes26 before, Unit calldata unit) private pure returns (bytes26) {
        return bytes26(keccak256(abi.encode(before, unit.batch, unit.index)));
    }

    function _recall(bytes32 batch, Batch storage b, bool recalled, bytes32 reason) private returns (uint64 n) {
        b.recalled = recalled;
        bytes24 before;
        (n, before) = recallList.append(keccak256(abi.encode(batch, msg.sender, reason, recalled)));
        emit BatchRecalled(batch, msg.sender, recalled, reason, b.commissioned, b.commissioned - b.ended, n, before);
    }

    /// Above the quota it is counted, and nothing else.
    function _alert(Unit calldata unit, Code code, address other) private {
        bytes32 who = Quota.key(msg.sender);
        uint256 before = alerts.used(who);
        alerts[who] = Quota.Use(uint64(block.timestamp / 1 days), uint128(before + 1));
        if (before >= ALERTS_A_DAY) return;
        bytes32 entry = keccak256(abi.encode(unit.index, code, msg.sender, other));
        (uint64 n, bytes24 head) = alertLists[unit.batch].append(entry);
        emit Alert(unit.batch, unit.index, code, msg.sender, other, n, head);
    }

    /// Dispenses one unit, or says why not and who has it. Being dispensed already counts before everything else: that
    /// is a copy's mark.
    function _dispense(Cursor memory c, uint32 index, uint24 me) private returns (Code, uint24 other) {
        Batch storage b = batches[c.batch];
        if (b.number == 0) return (Code.UNKNOWN_BATCH, other);
        if (index >= b.commissioned) return (Code.UNKNOWN_UNIT, other);
        _seek(c, index);
        (uint256 state, uint16 place) = _at(c, index);
        Row memory row = _row(c.batch, place);
        other = _custodianOf(row);
        State base = _baseOf(state);
        if (base == State.DISPENSED || base == State.OPENED_DISPENSED) return (Code.ALREADY_DISPENSED, other);
        if (_isEnded(state)) return (Code.FINAL, other);
        if (other != me) return (Code.NOT_CUSTODIAN, other);
        if (row.kind == Kind.PACKED) return (Code.NOT_LOOSE, other);
        if (state & RECALLED_MARK != 0) return (Code.IS_RECALLED, other);
        if (state & STOP_MARKS != 0) return (Code.IS_HELD, other);
        if (base == State.BACK) return (Code.IS_BARRED, other);
        Code code = _batchCode(b);
        if (code != Code.OK) return (code, other);
        State to = base == State.PARTIAL ? State.OPENED_DISPENSED : State.DISPENSED;
        _setState(c, index, state & BARRED_MARK | uint256(to));
        b.ended++;
        _sub(c.batch, place, 1, true);
        emit UnitChanged(c.batch, index, State.DISPENSED, msg.sender);
        return (Code.OK, other);
    }

    /// `back`: takes the mark away instead.
    function _changeAll(bytes32 batch, uint32[] calldata indexes, State to, bool back) private {
        _require(indexes.length != 0 && indexes.length <= UNITS_MAX, Code.TOO_MANY, batch);
        Batch storage b = _batch(batch);
        uint256 facts = products.factsOf(b.product, msg.sender) | (back ? BACK_FACT : 0);
        if (to == State.PARTIAL || to == State.EXPORTED || to == State.CONSUMED) {
            _require(_batchCode(b) == Code.OK, _batchCode(b), batch);
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
        (uint256 from, uint16 place) = _at(c, index);
        Row memory row = _row(c.batch, place);
        if (_custodianOf(row) == actorNumbers[msg.sender]) facts |= CUSTODIAN_FACT;
        (uint8 code, uint256 to) = products.judge(from, uint8(move), facts);
        _require(code == 0, Code(code), bytes32(index));
        _require(to & 15 == from & 15 || row.kind == Kind.LOOSE, Code.NOT_LOOSE, bytes32(index));
        if (_isEnded(to)) {
            batches[c.batch].ended++;
            _sub(c.batch, place, 1, true);
        } else if (_isEnded(from)) {
            batches[c.batch].ended--;
            _add(c.batch, place, 1);
        } else if (row.kind == Kind.PACKED && (from != 0) != (to != 0)) {
            _blemish(row.key, to != 0 ? int256(1) : -1);
        }
        _setState(c, index, to);
    }

    function _custodianOf(Row memory row) private view returns (uint24) {
        if (row.kind == Kind.LOOSE) return uint24(row.key);
        (uint64 root,) = _outermost(row.key);
        return containers[root].custodian;
    }
}
