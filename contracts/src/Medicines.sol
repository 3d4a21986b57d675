// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "./interfaces/IDirectory.sol";
import {IProducts} from "./interfaces/IProducts.sol";
import {Lists} from "./lib/Lists.sol";
import {Quota} from "./lib/Quota.sol";
import {MedicineContainers} from "./medicines/MedicineContainers.sol";
import {MedicinePowers} from "./medicines/MedicinePowers.sol";
import {MedicineUnits} from "./medicines/MedicineUnits.sol";
import {Roles} from "./Roles.sol";

/// IMedicines, together with MedicinePowers.
contract Medicines is MedicineContainers {
    using Lists for Lists.List;
    using Quota for mapping(bytes32 => Quota.Use);

    uint256 private constant OPERATIONS_MAX = 64;
    uint256 private constant ALERTS_A_DAY = 1000;

    bool private transient hasDispensed;
    Code private transient answer; // of the capture's dispense

    MedicinePowers private immutable powers;

    constructor(IDirectory directory_, IProducts products_) MedicineUnits(directory_, products_) {
        powers = new MedicinePowers(directory_, products_);
    }

    /// What is rarely done is in MedicinePowers, for which this contract has no room.
    fallback() external {
        _run(address(powers), msg.data);
    }

    // Documents.

    function capture(bytes32 documentHash, bytes32 eventsRoot, uint32 part, bytes[] calldata operations) external
        returns (bytes32 captureId, Code code) {
        _require(!capturing, Code.NOT_IN_CAPTURE, documentHash);
        (uint32 roles, uint24 number) = _standingOf(msg.sender);
        _require(roles != 0, Code.NOT_LISTED, documentHash);
        captureId = _captureId(documentHash, part);
        Captured_ storage c = captures[captureId];
        if (c.capturedAt != 0) {
            emit CaptureRepeated(captureId);
            return (captureId, c.code);
        }
        _require(operations.length != 0 && operations.length <= OPERATIONS_MAX, Code.TOO_MANY, documentHash);
        (capturing, hasDispensed, answer, me) = (true, false, Code.OK, number);
        for (uint256 i = 0; i < operations.length; i++) {
            // whose answer would be lost, and which says nothing of a document of several units
            _require(bytes4(operations[i]) != this.dispenseLoose.selector, Code.NOT_ALLOWED, documentHash);
            _run(address(this), operations[i]);
        }
        capturing = false;
        code = answer;
        captures[captureId] = Captured_(uint40(block.timestamp), code);
        emit Captured(captureId, msg.sender, documentHash, eventsRoot, part, code);
    }

    function dispenseLoose(bytes32 documentHash, bytes32 batch, uint32 index) external returns (Code code) {
        (uint32 roles, uint24 mine) = _standingOf(msg.sender);
        if (roles & DISPENSERS == 0) _refuse(Code.WRONG_ROLE, documentHash);
        uint256 document = uint256(documentHash) >> 216 ^ index; // as the row keeps it
        uint256 other;
        uint256 last;
        (code, other, last) = _dispense(batch, index, mine, document);
        bytes32 topic = Dispensed.selector;
        if (code == Code.OK) { // emit Dispensed and return OK, without the compiler's copies
            assembly ("memory-safe") {
                mstore(0, or(shl(24, shr(24, documentHash)), mine))
                log3(0, 32, topic, batch, index)
                mstore(0, 0)
                return(0, 32)
            }
        }
        bytes32 captureId = _captureId(documentHash, 0);
        if (code == Code.ALREADY_DISPENSED && other == mine && last == document) {
            emit CaptureRepeated(captureId);
            return Code.OK;
        }
        _alert(batch, index, code, uint24(other));
        emit Captured(captureId, msg.sender, documentHash, 0, 0, code);
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
        lotsOf[product].push(number);
        (b.product, b.expiry, b.number, b.places) = (product, expiry, number, 1);
        (b.opened, b.flags) = (uint24(block.timestamp / 1 days), withdrawn[product] ? LOT_WITHDRAWN : 0);
        _setRow(id, 0, Row(me, 0, 0, Kind.LOOSE, false, false, 0));
        emit BatchOpened(id, product, tag, expiry);
    }

    function commission(bytes32 batch, bytes32 root, bytes calldata packs) external inCapture {
        Batch storage b = _batch(batch);
        _requireOwner(b.product);
        _require(b.flags & LOT_CLOSED == 0, Code.CLOSED, batch);
        uint256 n = packs.length / 8;
        _require(root != 0 && n != 0 && packs.length % 8 == 0, Code.BAD_ARGUMENT, batch);
        uint32 first = b.commissioned;
        _require(n <= type(uint32).max - first, Code.TOO_MANY, batch);
        (IProducts.Insertion result, bytes7 fragment) = products.insert(b.product, packs);
        _require(result != IProducts.Insertion.DUPLICATE, Code.DUPLICATE_SERIAL, fragment);
        _require(result == IProducts.Insertion.DONE, Code.CROWDED, fragment);
        uint24 part = b.parts;
        (b.commissioned, b.parts) = (first + uint32(n), part + 1);
        parts[batch][part] = Part(bytes24(root), first, uint32(n));
        _add(batch, 0, uint32(n));
        emit Commissioned(batch, part, first, uint32(n), root);
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

    function packRange(bytes32 container, bytes32 batch, uint32 first, uint32 count) external inCapture {
        uint64 key = _keyOf(container);
        _requireMine(key);
        _packUnits(key, batch, _none(), first, count);
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
        (Container storage c, address from) = _pending(container);
        _require(c.receiver == me, Code.NOT_RECEIVER, container);
        _require(_isActive(from, 0), Code.INACTIVE_PARTNER, container);
        _require(_isPartner(msg.sender), Code.WRONG_ROLE, container);
        c.from = _purposeOf(c) == Purpose.TRADE ? c.custodian : SEVERAL;
        (c.custodian, c.receiver) = (me, 0);
        c.flags |= ARRIVED;
        emit Accepted(container, from, msg.sender);
    }

    function endShipping(bytes32 container) external inCapture {
        (Container storage c, address from) = _pending(container);
        _require(c.receiver == me || c.custodian == me, Code.NOT_CUSTODIAN, container);
        emit ShippingEnded(container, from, _actorOf(c.receiver), msg.sender);
        c.receiver = 0;
    }

    function holdContainer(bytes32 container, bool held) external inCapture {
        uint64 key = _keyOf(container);
        Container storage c = containers[key];
        (uint64 root,) = _outermost(key);
        bool regulator = _isRegulator();
        _require(regulator || containers[root].custodian == me, Code.NOT_CUSTODIAN, container);
        // each has a mark of its own; a regulator who has set none takes the custodian's away
        uint8 before = c.flags & (HELD | LOCKED);
        uint8 mark = regulator && (held || before & LOCKED != 0) ? LOCKED : HELD;
        _require(held || before & mark != 0 || before == 0, Code.IS_HELD, container);
        _require((before & mark != 0) != held, Code.NOT_ALLOWED, container);
        c.flags ^= mark;
        if (before & ~mark == 0) _blemish(key, held ? int256(1) : -1);
        emit ContainerHeld(container, msg.sender, held);
    }

    // Units.

    function dispense(Unit[] calldata units) external inCapture returns (Code code) {
        _require(!hasDispensed && units.length != 0 && units.length <= UNITS_MAX, Code.TOO_MANY, 0);
        _require(_roles(msg.sender) & DISPENSERS != 0, Code.WRONG_ROLE, 0);
        for (uint256 i = 0; i < units.length; i++) {
            (bytes32 batch, uint32 index) = (units[i].batch, units[i].index);
            (Code one, uint256 other,) = _dispense(batch, index, me, 0);
            if (one == Code.OK) {
                emit UnitChanged(batch, index, State.DISPENSED, msg.sender);
                continue;
            }
            if (code == Code.OK) code = one;
            _alert(batch, index, one, uint24(other));
        }
        (hasDispensed, answer) = (true, code);
    }

    // Inside.

    function _requireOwner(bytes32 product) private view {
        address owner = _ownerOf(product);
        _require(owner != address(0), Code.UNKNOWN_PRODUCT, product);
        _require(owner == msg.sender, Code.NOT_OWNER, product);
        _require(_isActive(owner, Roles.MANUFACTURER), Code.WRONG_ROLE, product);
    }

    /// An outermost container that is on its way, and from whom.
    function _pending(bytes32 container) private view returns (Container storage c, address from) {
        c = containers[_keyOf(container)];
        _require(c.parent == 0, Code.HAS_PARENT, container);
        _require(c.receiver != 0, Code.NOT_PENDING, container);
        from = _actorOf(c.custodian);
    }

    function _captureId(bytes32 documentHash, uint32 part) private view returns (bytes32) {
        return keccak256(abi.encode(msg.sender, documentHash, part));
    }

    /// An operation in this contract's own state, as the sender's; its refusal is the capture's.
    function _run(address code, bytes calldata operation) private {
        (bool done, bytes memory result) = code.delegatecall(operation);
        if (done) return;
        assembly ("memory-safe") {
            revert(add(result, 32), mload(result))
        }
    }


    /// Above the quota it is counted, and nothing else.
    function _alert(bytes32 batch, uint32 index, Code code, uint24 number) private {
        address other = _actorOf(number);
        bytes32 who = Quota.key(msg.sender);
        uint256 before = alerts.used(who);
        alerts[who] = Quota.Use(uint64(block.timestamp / 1 days), uint128(before + 1));
        if (before >= ALERTS_A_DAY) return;
        bytes32 entry = keccak256(abi.encode(index, code, msg.sender, other));
        (uint64 n, bytes24 head) = alertLists[batch].append(entry);
        emit Alert(batch, index, code, msg.sender, other, n, head);
    }
}
