// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "./interfaces/IDirectory.sol";
import {FragmentTable} from "./lib/FragmentTable.sol";
import {MedicineContainers} from "./medicines/MedicineContainers.sol";
import {MedicineUnits} from "./medicines/MedicineUnits.sol";
import {Roles} from "./Roles.sol";

contract Medicines is MedicineContainers {
    using FragmentTable for FragmentTable.Table;

    uint256 private constant GENERATIONS_MAX = 16;
    uint256 private constant OPERATIONS_MAX = 64;
    uint256 private constant UNITS_MAX = 256; // named one by one in an operation
    uint256 private constant UNDO_TIME = 10 days;

    bool private transient capturing;
    Code private transient answer;       // of the capture's dispense
    bytes26 private transient dispensed; // digest of what it dispensed
    bool private transient hasDispensed;

    constructor(IDirectory directory_) MedicineUnits(directory_) {}

    modifier inCapture() {
        _require(capturing, Code.NOT_IN_CAPTURE, 0);
        _;
    }

    // Products.

    function registerProduct(bytes32 product, address owner, bytes32 keyCommitment, uint32 capacity) external {
        _require(directory.isActive(msg.sender, Roles.REGULATOR), Code.WRONG_ROLE, product);
        _require(products[product].owner == address(0), Code.EXISTS, product);
        _require(product != 0 && capacity != 0 && keyCommitment != 0, Code.BAD_ARGUMENT, product);
        _require(directory.isActive(owner, Roles.MANUFACTURER), Code.INACTIVE_PARTNER, product);
        Product storage p = products[product];
        (p.owner, p.keyCommitment) = (owner, keyCommitment);
        p.fragments.grow(capacity);
        emit ProductRegistered(product, owner, keyCommitment);
        emit ProductGrown(product, 1, capacity);
    }

    function growProduct(bytes32 product, uint32 capacity) external {
        Product storage p = _owned(product);
        _require(capacity != 0, Code.BAD_ARGUMENT, product);
        _require(p.fragments.generations.length < GENERATIONS_MAX, Code.TOO_MANY, product);
        p.fragments.grow(capacity);
        emit ProductGrown(product, uint32(p.fragments.generations.length), capacity);
    }

    function withdrawProduct(bytes32 product, bool withdrawn) external {
        _require(directory.isActive(msg.sender, Roles.REGULATOR), Code.WRONG_ROLE, product);
        _require(products[product].owner != address(0), Code.UNKNOWN_PRODUCT, product);
        products[product].withdrawn = withdrawn;
        emit ProductWithdrawn(product, withdrawn);
    }

    function acknowledgeRecall(bytes32 batch) external {
        _require(directory.isActive(msg.sender, 0), Code.NOT_LISTED, batch);
        (, Batch storage b) = _batch(batch);
        _require(b.recalled, Code.NOT_ALLOWED, batch);
        emit RecallAcknowledged(batch, msg.sender);
    }

    // Documents.

    function capture(bytes32 documentHash, bytes32 eventsRoot, uint32 part, bytes[] calldata operations) external
        returns (bytes32 captureId, Code code) {
        _require(!capturing, Code.NOT_IN_CAPTURE, documentHash);
        _require(directory.isActive(msg.sender, 0), Code.NOT_LISTED, documentHash);
        captureId = keccak256(abi.encode(msg.sender, documentHash, part));
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

    // Batches.

    function openBatch(bytes32 product, bytes32 tag, uint40 expiry, bytes32 root, uint32 count) external inCapture {
        _owned(product);
        bytes32 id = batchId(product, tag);
        _require(batchNumbers[id] == 0, Code.EXISTS, id);
        _require(root != 0 && count != 0 && expiry > block.timestamp, Code.BAD_ARGUMENT, id);
        uint32 number = ++batchesCount;
        batchNumbers[id] = number;
        batches[number] = Batch(product, root, expiry, count, 0, 0, false);
        _addHolder(number, Kind.LOOSE, _numberOf(msg.sender));
        emit BatchOpened(id, product, expiry, root, count);
    }

    function commission(bytes32 batch, bytes calldata fragments) external inCapture {
        (uint32 number, Batch storage b) = _batch(batch);
        Product storage p = _owned(b.product);
        uint256 n = fragments.length / 8;
        _require(n != 0 && fragments.length % 8 == 0, Code.BAD_ARGUMENT, batch);
        uint32 first = b.commissioned;
        _require(n <= b.count - first, Code.COMPLETE, batch);
        for (uint256 i = 0; i < n; i++) {
            uint64 fragment = uint64(bytes8(fragments[8 * i:8 * i + 8]));
            _require(fragment != 0, Code.BAD_ARGUMENT, batch);
            (bool duplicate, bool full) = p.fragments.insert(fragment);
            _require(!duplicate, Code.DUPLICATE_SERIAL, bytes32(bytes8(fragment)));
            _require(!full, Code.TABLE_FULL, b.product);
        }
        b.commissioned = first + uint32(n);
        _addCount(number, 0, uint32(n));
        emit Commissioned(batch, first, uint32(n), b.commissioned == b.count);
    }

    function recallBatch(bytes32 batch, bytes32 reason) external inCapture {
        (, Batch storage b) = _liveBatch(batch);
        _require(products[b.product].owner == msg.sender
            || directory.isActive(msg.sender, Roles.REGULATOR), Code.NOT_OWNER, batch);
        _require(!b.recalled, Code.IS_RECALLED, batch);
        b.recalled = true;
        emit BatchRecalled(batch, msg.sender, reason, b.commissioned, b.commissioned - b.ended);
    }

    // Containers.

    function openContainer(bytes32 tag) external inCapture {
        _openContainer(tag);
    }

    function packLot(bytes32 batch, uint32 first, uint32 each, bytes32[] calldata tags) external inCapture {
        for (uint256 i = 0; i < tags.length; i++) {
            _packUnits(_openContainer(tags[i]), batch, new uint32[](0), first, each);
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
        uint256 level = _requireMine(key);
        for (uint256 i = 0; i < children.length; i++) {
            _nest(key, level, _keyOf(children[i]));
        }
    }

    function unpackUnits(bytes32 container, bytes32 batch, uint32[] calldata indexes) external inCapture {
        _require(indexes.length <= UNITS_MAX, Code.TOO_MANY, batch);
        uint64 key = _keyOf(container);
        _requireMine(key);
        _unpackUnits(key, batch, indexes, 0, uint32(indexes.length));
    }

    function unpackRange(bytes32 container, bytes32 batch, uint32 first, uint32 count) external inCapture {
        uint64 key = _keyOf(container);
        _requireMine(key);
        _unpackUnits(key, batch, new uint32[](0), first, count);
    }

    function unpackContainers(bytes32 parent, bytes32[] calldata children) external inCapture {
        uint64 key = _keyOf(parent);
        _requireMine(key);
        for (uint256 i = 0; i < children.length; i++) {
            _unnest(key, _keyOf(children[i]));
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
            _require(_takesBack(to), Code.WRONG_ROLE, container);
        }
        c.receiver = _numberOf(to);
        c.flags = (c.flags & (HELD | LOCKED)) | uint8(purpose) << PURPOSE_SHIFT;
        emit Shipped(container, msg.sender, to, purpose);
    }

    function accept(bytes32 container) external inCapture {
        uint64 key = _keyOf(container);
        Container storage c = containers[key];
        _require(c.parent == 0, Code.HAS_PARENT, container);
        _require(c.receiver != 0, Code.NOT_PENDING, container);
        _require(c.receiver == actorNumbers[msg.sender], Code.NOT_RECEIVER, container);
        address from = actorsByNumber[c.custodian];
        _require(directory.isActive(from, 0), Code.INACTIVE_PARTNER, container);
        _require(_isPartner(msg.sender), Code.WRONG_ROLE, container);
        (c.custodian, c.receiver) = (c.receiver, 0);
        emit Accepted(container, from, msg.sender);
    }

    function endShipping(bytes32 container) external inCapture {
        uint64 key = _keyOf(container);
        Container storage c = containers[key];
        _require(c.receiver != 0, Code.NOT_PENDING, container);
        uint32 me = actorNumbers[msg.sender];
        _require(c.receiver == me || c.custodian == me, Code.NOT_CUSTODIAN, container);
        emit ShippingEnded(container, actorsByNumber[c.custodian], actorsByNumber[c.receiver], msg.sender);
        c.receiver = 0;
    }

    function holdContainer(bytes32 container, bool held) external inCapture {
        uint64 key = _keyOf(container);
        Container storage c = containers[key];
        (uint64 root,) = _outermost(key);
        bool regulator = directory.isActive(msg.sender, Roles.REGULATOR);
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
        uint32 roles = _activeRoles(msg.sender);
        _require(roles & (Roles.PHARMACY | Roles.HOSPITAL) != 0, Code.WRONG_ROLE, 0);
        Unit[] memory done = new Unit[](units.length);
        uint256 n = 0;
        for (uint256 i = 0; i < units.length; i++) {
            (Code one, address other) = _dispense(units[i]);
            if (one == Code.OK) {
                done[n++] = units[i];
                continue;
            }
            if (code == Code.OK) code = one;
            emit Alert(units[i].batch, units[i].index, one, msg.sender, other);
        }
        assembly ("memory-safe") {
            mstore(done, n)
        }
        (hasDispensed, answer, dispensed) = (true, code, _digest(done));
    }

    function undoDispense(bytes32 captureId, Unit[] calldata dispensed_, uint32[] calldata which) external inCapture {
        Captured_ storage c = captures[captureId];
        _require(c.dispensed == _digest(dispensed_) && dispensed_.length != 0
            && which.length != 0, Code.UNDO_OTHER, captureId);
        _require(block.timestamp <= c.capturedAt + UNDO_TIME, Code.UNDO_LATE, captureId);
        for (uint256 i = 0; i < which.length; i++) {
            _require(which[i] < dispensed_.length, Code.BAD_ARGUMENT, captureId);
            Unit calldata unit = dispensed_[which[i]];
            (uint32 batch, Batch storage b) = _batch(unit.batch);
            Cursor memory cursor = _cursor(batch);
            (State state, uint16 position) = _read(cursor, unit.index);
            _require(_holder(batch, position).key == actorNumbers[msg.sender], Code.UNDO_OTHER, unit.batch);
            _require(state == State.DISPENSED, Code.NOT_ALLOWED, unit.batch);
            _setState(cursor, unit.index, State.ACTIVE);
            _flush(cursor);
            b.ended--;
            _addCount(batch, position, 1);
            emit UnitChanged(unit.batch, unit.index, State.ACTIVE, msg.sender);
        }
    }

    function changeUnits(bytes32 batch, uint32[] calldata indexes, State to) external inCapture {
        _require(indexes.length != 0 && indexes.length <= UNITS_MAX, Code.TOO_MANY, batch);
        (uint32 number, Batch storage b) = _liveBatch(batch);
        uint32 roles = _activeRoles(msg.sender);
        bool owner = products[b.product].owner == msg.sender;
        Cursor memory cursor = _cursor(number);
        for (uint256 i = 0; i < indexes.length; i++) {
            _require(indexes[i] < b.count, Code.UNKNOWN_UNIT, bytes32(uint256(indexes[i])));
            _seek(cursor, indexes[i]);
            _change(cursor, b, indexes[i], to, roles, owner);
            emit UnitChanged(batch, indexes[i], to, msg.sender);
        }
        _flush(cursor);
    }

    // Views.

    function productOf(bytes32 product) external view returns (ProductView memory v) {
        Product storage p = products[product];
        (v.owner, v.keyCommitment, v.withdrawn) = (p.owner, p.keyCommitment, p.withdrawn);
        v.generations = uint32(p.fragments.generations.length);
        for (uint256 g = 0; g < v.generations; g++) {
            FragmentTable.Generation memory generation = p.fragments.generations[g];
            v.units += generation.used;
            v.room = generation.capacity - generation.used;
        }
    }

    function batchOf(bytes32 batch) external view returns (BatchView memory) {
        Batch storage b = batches[batchNumbers[batch]];
        return BatchView(b.product, b.root, b.expiry, b.count, b.commissioned, b.ended, b.recalled);
    }

    function containerOf(bytes32 container) external view returns (ContainerView memory) {
        uint64 key = _keyOf(container);
        Container storage c = containers[key];
        (uint64 root,) = _outermost(key);
        Container storage r = containers[root];
        Purpose purpose = Purpose(r.flags >> PURPOSE_SHIFT);
        return ContainerView(_idOf(c.parent), actorsByNumber[r.custodian], actorsByNumber[r.receiver], purpose,
            c.flags & HELD != 0, c.blemishes, c.contents);
    }

    function unitState(bytes32 batch, uint32 index) external view returns (UnitView memory v) {
        (uint32 number, Batch storage b) = _batch(batch);
        _require(index < b.commissioned, Code.UNKNOWN_UNIT, bytes32(uint256(index)));
        (State stored, uint16 position) = _read(_cursor(number), index);
        if (b.commissioned != b.count) return v; // not live: NONE
        v.stored = stored;
        v.expiry = b.expiry;
        v.recalled = b.recalled || stored == State.RECALLED;
        v.withdrawn = products[b.product].withdrawn;
        v.expired = block.timestamp >= b.expiry;
        Holder memory holder = _holder(number, position);
        bool held = false;
        if (holder.kind == Kind.PACKED) {
            v.packed = true;
            uint64 key = holder.key;
            for (uint64 at_ = key; at_ != 0; at_ = containers[at_].parent) {
                if (containers[at_].flags & HELD != 0) held = true;
                if (containers[at_].receiver != 0) v.inTransit = true;
            }
        }
        v.effective = _effective(v, b.recalled, held);
    }

    function holderOf(bytes32 batch, uint32 index) external view returns (Holding memory) {
        (uint32 number, Batch storage b) = _batch(batch);
        _require(index < b.commissioned, Code.UNKNOWN_UNIT, bytes32(uint256(index)));
        (State state, uint16 position) = _read(_cursor(number), index);
        Holder memory holder = _holder(number, position);
        holder.count = _isEnded(state) ? 0 : 1;
        return _holding(holder);
    }

    function holdersOf(bytes32 batch, uint32 from, uint32 max) external view
        returns (Holding[] memory rows, uint32 next) {
        (uint32 number,) = _batch(batch);
        uint256 length = holders[number].length;
        uint256 rest = from < length ? length - from : 0;
        rows = new Holding[](rest < max ? rest : max);
        uint256 n = 0;
        uint256 i = from;
        for (; i < length && n < max; i++) {
            Holder memory holder = _holder(number, i);
            if (holder.count != 0) rows[n++] = _holding(holder);
        }
        next = i < length ? uint32(i) : 0;
        assembly ("memory-safe") {
            mstore(rows, n)
        }
    }

    function isCommissioned(bytes32 product, bytes8 fragment) external view returns (bool) {
        return fragment != 0 && products[product].fragments.contains(uint64(fragment));
    }

    function captureOf(bytes32 captureId) external view returns (CaptureView memory) {
        return CaptureView(captures[captureId].capturedAt, captures[captureId].code);
    }

    function batchId(bytes32 product, bytes32 tag) public pure returns (bytes32) {
        return keccak256(abi.encode(product, tag));
    }

    function containerId(address opener, bytes32 tag) external pure returns (bytes32) {
        return bytes32(bytes8(keccak256(abi.encode(opener, tag))));
    }

    // Inside.

    function _owned(bytes32 product) private view returns (Product storage p) {
        p = products[product];
        _require(p.owner != address(0), Code.UNKNOWN_PRODUCT, product);
        _require(p.owner == msg.sender, Code.NOT_OWNER, product);
        _require(directory.isActive(msg.sender, Roles.MANUFACTURER), Code.WRONG_ROLE, product);
    }

    /// An operation in this contract's own state, as the sender's; its refusal is the capture's.
    function _run(bytes calldata operation) private {
        (bool done, bytes memory result) = address(this).delegatecall(operation);
        if (done) return;
        assembly ("memory-safe") {
            revert(add(result, 32), mload(result))
        }
    }

    function _digest(Unit[] memory units) private pure returns (bytes26) {
        return bytes26(keccak256(abi.encode(units)));
    }

    /// Dispenses one unit, or says why not and who has it. Being dispensed already counts before everything else: that
    /// is a copy's mark.
    function _dispense(Unit calldata unit) private returns (Code, address other) {
        uint32 number = batchNumbers[unit.batch];
        if (number == 0) return (Code.UNKNOWN_BATCH, other);
        Batch storage b = batches[number];
        if (b.commissioned != b.count) return (Code.NOT_LIVE, other);
        if (unit.index >= b.count) return (Code.UNKNOWN_UNIT, other);
        Cursor memory cursor = _cursor(number);
        (State state, uint16 position) = _read(cursor, unit.index);
        Holder memory holder = _holder(number, position);
        other = _holding(holder).custodian;
        if (state == State.DISPENSED) return (Code.ALREADY_DISPENSED, other);
        if (_isEnded(state)) return (Code.FINAL, other);
        if (other != msg.sender) return (Code.NOT_CUSTODIAN, other);
        if (holder.kind == Kind.PACKED) return (Code.NOT_LOOSE, other);
        if (state == State.RECALLED) return (Code.IS_RECALLED, other);
        if (_isBlemished(state)) return (Code.IS_HELD, other);
        Code code = _batchCode(b);
        if (code != Code.OK) return (code, other);
        _setState(cursor, unit.index, State.DISPENSED);
        _flush(cursor);
        b.ended++;
        _subCount(number, position, 1);
        emit UnitChanged(unit.batch, unit.index, State.DISPENSED, msg.sender);
        return (Code.OK, other);
    }

    function _change(Cursor memory cursor, Batch storage b, uint32 index, State to, uint32 roles, bool owner) private {
        (State from, uint16 position) = _read(cursor, index);
        Holder memory holder = _holder(cursor.batch, position);
        bool custodian = _holding(holder).custodian == msg.sender;
        bool regulator = roles & Roles.REGULATOR != 0;
        bytes32 thing = bytes32(uint256(index));
        _require(custodian || owner || regulator, Code.NOT_CUSTODIAN, thing);
        if (to == State.RECALLED || to == State.LOCKED || (to == State.ACTIVE && from != State.HELD)) {
            _require(regulator || (owner && to == State.RECALLED), Code.WRONG_ROLE, thing);
        } else {
            _require(custodian || regulator, Code.NOT_CUSTODIAN, thing);
        }
        _require(!_isEnded(from) || (from == State.LOST && to == State.HELD), Code.FINAL, thing);
        _require(_isMove(from, to, roles, owner && custodian), Code.NOT_ALLOWED, thing);
        if (to == State.PARTIAL || to == State.EXPORTED || to == State.CONSUMED) {
            Code code = _batchCode(b);
            _require(code == Code.OK, code, thing);
        }
        bool endsOrOpens = _isEnded(to) || to == State.PARTIAL;
        _require(!endsOrOpens || holder.kind == Kind.LOOSE, Code.NOT_LOOSE, thing);
        if (_isEnded(to) && !_isEnded(from)) {
            b.ended++;
            _subCount(cursor.batch, position, 1);
        } else if (_isEnded(from)) {
            b.ended--;
            _addCount(cursor.batch, position, 1);
        }
        if (holder.kind == Kind.PACKED && _isBlemished(from) != _isBlemished(to)) {
            _blemish(holder.key, _isBlemished(to) ? int256(1) : -1);
        }
        _setState(cursor, index, to);
    }

    /// The table of docs/contracts.md, but for who is the custodian.
    function _isMove(State from, State to, uint32 roles, bool owning) private pure returns (bool) {
        bool regulator = roles & Roles.REGULATOR != 0;
        bool clean = from == State.ACTIVE || from == State.HELD;
        if (to == State.ACTIVE) return _isBlemished(from);
        if (to == State.HELD) return from == State.ACTIVE || from == State.LOST;
        if (to == State.LOCKED) return clean;
        if (to == State.RECALLED) return clean || from == State.LOCKED;
        if (to == State.DESTROYED || to == State.STOLEN || to == State.LOST) return from != State.LOCKED || regulator;
        if (to == State.SAMPLED || to == State.EXPORTED) return from == State.ACTIVE;
        if (to == State.CONSUMED) return from == State.ACTIVE && roles & Roles.MANUFACTURER != 0;
        if (to == State.PARTIAL) return from == State.ACTIVE && roles & (Roles.PHARMACY | Roles.HOSPITAL) != 0;
        if (to == State.VOID) return clean && owning;
        return false;
    }

    function _effective(UnitView memory v, bool batchRecalled, bool held) private pure returns (State) {
        if (_isEnded(v.stored)) return v.stored;
        if (v.withdrawn) return State.WITHDRAWN;
        if (batchRecalled) return State.BATCH_RECALLED;
        if (_isBlemished(v.stored)) return v.stored;
        if (v.expired) return State.EXPIRED;
        if (held) return State.HELD;
        if (v.inTransit) return State.IN_TRANSIT;
        if (v.packed) return State.PACKED;
        return v.stored;
    }

    function _holding(Holder memory holder) private view returns (Holding memory) {
        if (holder.kind == Kind.LOOSE) return Holding(actorsByNumber[holder.key], address(0), 0, holder.count);
        (uint64 root,) = _outermost(holder.key);
        Container storage r = containers[root];
        return Holding(actorsByNumber[r.custodian], actorsByNumber[r.receiver], _idOf(holder.key), holder.count);
    }
}
