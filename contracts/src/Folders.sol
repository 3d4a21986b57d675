// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "./interfaces/IBlobGate.sol";
import {IConsent} from "./interfaces/IConsent.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {IFolders} from "./interfaces/IFolders.sol";
import {Blobs} from "./lib/Blobs.sol";
import {Eip712} from "./lib/Eip712.sol";
import {Lists} from "./lib/Lists.sol";
import {P256} from "./lib/P256.sol";
import {Quota} from "./lib/Quota.sol";
import {Stated} from "./lib/Stated.sol";
import {Roles} from "./Roles.sol";

contract Folders is IFolders, IBlobGate, Stated, Eip712 {
    using Lists for Lists.List;
    using Quota for mapping(bytes32 => Quota.Use);

    bytes32 private constant GLASS = keccak256(
        "Glass(uint16 minutes,uint8 threshold,address[] trustees,bytes32[] commitments)");
    bytes32 private constant OPEN = keccak256(
        "Open(address controller,bytes32 salt,bytes32 keyX,bytes32 keyY,bytes32 auditX,bytes32 auditY,"
        "bytes32 wraps,uint32 wrapsSize,Glass glass,bytes label,address relay,"
        "uint64 deadline)Glass(uint16 minutes,uint8 threshold,address[] trustees,bytes32[] commitments)");
    bytes32 private constant ROTATE = keccak256(
        "Rotate(bytes32 folder,uint32 epoch,bytes32 previous,bytes32 keyX,bytes32 keyY,bytes32 wraps,"
        "uint32 wrapsSize,Glass glass,address[] recipients,address by,address relay,uint64 number,"
        "uint64 deadline)Glass(uint16 minutes,uint8 threshold,address[] trustees,bytes32[] commitments)");
    bytes32 private constant HAND_OVER = keccak256(
        "HandOver(bytes32 folder,uint32 handOver,bytes32 previous,address controller,bytes32 auditX,"
        "bytes32 auditY,address relay,uint64 number,uint64 deadline)");
    bytes32 private constant FORGET = keccak256("Forget(bytes32 folder,address relay,uint64 number,uint64 deadline)");
    uint256 private constant TRUSTEES_MAX = 8;
    uint256 private constant RECIPIENTS_MAX = 64;
    uint256 private constant LABEL_BYTES_MAX = 512;
    uint256 private constant DAILY_BYTES = 64 << 20;
    uint256 private constant WRAPS_WORD = 6; // of Open
    uint256 private constant ROTATE_WRAPS_WORD = 5;
    uint8 private constant READ = 1;
    uint8 private constant MAY_ROTATE = 8;

    struct Item {
        bytes32 folder;
        bool erased;
    }

    mapping(bytes32 folder => Head) private heads; // proofs rely on these slots
    mapping(bytes32 folder => mapping(uint32 epoch => bytes32)) private epochs;
    mapping(address controller => Lists.List) private opened;
    mapping(bytes32 folder => Point) private auditKeys;
    mapping(bytes32 folder => address[]) private trustees;
    mapping(bytes32 folder => mapping(address by => uint64)) private numbers; // of delegates
    mapping(bytes32 item => Item) private items;
    mapping(bytes32 account => Quota.Use) private named;
    IDirectory private immutable directory;
    address private immutable records;
    IConsent private immutable consent;

    constructor(IDirectory directory_, address records_, IConsent consent_)
        Eip712("xinglin folders", directory_.genesis()) {
        (directory, records, consent) = (directory_, records_, consent_);
    }

    function open(Open calldata o, bytes calldata signature) external
        stated(abi.encodeCall(this.open, (o, signature))) returns (bytes32 folder) {
        if (!directory.isActive(msg.sender, 0)) revert NotListed();
        folder = folderId(o.controller, o.salt);
        Head storage head = heads[folder];
        if (head.controller != address(0)) revert FolderExists();
        if (o.label.length > LABEL_BYTES_MAX) revert TooMany();
        bytes32 fact = keccak256(abi.encode(OPEN, o.controller, o.salt, o.keyX, o.keyY, o.auditX, o.auditY, o.wraps,
            o.wrapsSize, _hashOf(o.glass), keccak256(o.label), o.relay, o.deadline));
        head.controller = o.controller;
        _authorize(folder, Terms(o.controller, o.relay, 1, o.deadline), msg.sender, _digest(fact), signature);

        (uint64 n, bytes24 before) = opened[o.controller].append(folder);
        emit FolderOpened(folder, o.controller, n, before);
        _setAuditKey(folder, o.auditX, o.auditY);
        _setGlass(folder, o.glass);
        _startEpoch(folder, fact, Point(o.keyX, o.keyY), o.wraps, o.wrapsSize);
        emit EpochStarted(folder, 1, o.keyX, o.keyY, o.wraps, o.glass.trustees, new address[](0));
    }

    function rotate(Rotate calldata r, bytes calldata signature) external
        stated(abi.encodeCall(this.rotate, (r, signature))) {
        Head storage head = _openHead(r.folder);
        if (r.epoch != head.epoch + 1 || r.previous != epochs[r.folder][head.epoch]) revert StaleEpoch(head.epoch);
        if (r.glass.trustees.length + r.recipients.length > RECIPIENTS_MAX) revert TooMany();
        bytes32 fact = _factOf(r);
        if (r.by != head.controller) _requireRotator(r, head);
        _authorize(r.folder, Terms(r.by, r.relay, r.number, r.deadline), msg.sender, _digest(fact), signature);
        head.rotationOwed = false;
        _setGlass(r.folder, r.glass);
        _startEpoch(r.folder, fact, Point(r.keyX, r.keyY), r.wraps, r.wrapsSize);
        emit EpochStarted(r.folder, r.epoch, r.keyX, r.keyY, r.wraps, r.glass.trustees, r.recipients);
    }

    function handOver(HandOver calldata h, bytes calldata oldSignature, bytes calldata newSignature) external
        stated(abi.encodeCall(this.handOver, (h, oldSignature, newSignature))) {
        Head storage head = _openHead(h.folder);
        if (h.handOver != head.handOver + 1 || h.previous != head.handOverFact) revert StaleHandOver(head.handOver);
        address old = head.controller;
        if (h.controller == old) revert NotController();
        uint64 last = numbers[h.folder][h.controller];
        if (h.number <= last) revert StaleNumber(last); // what it signed as a delegate is void
        bytes32 fact = keccak256(abi.encode(HAND_OVER, h));
        bytes32 digest = _digest(fact);
        _authorize(h.folder, Terms(old, h.relay, h.number, h.deadline), msg.sender, digest, oldSignature);
        if (!_signedBy(h.controller, digest, newSignature)) revert BadSignature();

        numbers[h.folder][old] = h.number; // and what the old one signed is void, if it ever is a delegate
        (head.controller, head.handOver, head.handOverFact) = (h.controller, h.handOver, fact);
        head.handOverAt = uint40(block.number);
        _setAuditKey(h.folder, h.auditX, h.auditY);
        (uint64 n, bytes24 before) = opened[h.controller].append(h.folder);
        emit FolderHandedOver(h.folder, h.controller, h.handOver, n, before);
        _oweRotation(h.folder, head);
    }

    function forget(Forget calldata f, bytes calldata signature) external
        stated(abi.encodeCall(this.forget, (f, signature))) {
        Head storage head = _openHead(f.folder);
        bytes32 digest = _digest(keccak256(abi.encode(FORGET, f)));
        _authorize(f.folder, Terms(head.controller, f.relay, f.number, f.deadline), msg.sender, digest, signature);
        head.closed = true;
        emit FolderForgotten(f.folder);
    }

    function eraseForgotten(bytes32 folder, uint32 fromEpoch, uint32 toEpoch) external {
        Head storage head = _head(folder);
        if (!head.closed) revert FolderIsOpen();
        uint256 last = toEpoch < head.epoch ? toEpoch : head.epoch;
        for (uint256 epoch = fromEpoch == 0 ? 1 : fromEpoch; epoch <= last; epoch++) {
            bytes32 item = _wrapsItem(folder, uint32(epoch));
            if (items[item].erased) continue;
            items[item].erased = true;
            emit BlobErased(item);
        }
    }

    function refuseShare(bytes32 folder) external {
        (bool isOne, uint256 i) = _trusteeAt(folder, msg.sender);
        if (!isOne || !directory.isActive(msg.sender, Roles.TRUSTEE)) revert NotATrustee();
        heads[folder].sharesRefused |= uint8(1 << i);
        emit ShareRefused(folder, heads[folder].epoch, msg.sender);
    }

    function authorize(bytes32 folder, Terms calldata terms, address sender, bytes32 digest, bytes calldata signature)
        external {
        if (msg.sender != records && msg.sender != address(consent)) revert NotController();
        _head(folder);
        _authorize(folder, terms, sender, digest, signature);
    }

    function markRotationOwed(bytes32 folder) external {
        if (msg.sender != records && msg.sender != address(consent)) revert NotController();
        _oweRotation(folder, _head(folder));
    }

    // The gate of epoch wraps.

    function mayPut(address who, uint256 size) external view returns (bool) {
        return directory.isActive(who, 0) && named.hasRoom(Quota.key(who), size, DAILY_BYTES);
    }

    function mayPutLate(address who, bytes32 item) external view returns (bool) {
        Head storage head = heads[items[item].folder];
        if (head.controller == address(0) || head.closed) return false;
        return who == head.controller || directory.isActive(who, 0);
    }

    /// The controller, trustees, who holds a read right over the whole folder now, and an emergency actor in its
    /// window, which finds older keys through the links.
    function mayGet(address who, bytes32 item) external view returns (bool) {
        bytes32 folder = items[item].folder;
        Head storage head = heads[folder];
        if (head.controller == address(0) || head.closed) return false;
        if (who == head.controller) return true;
        return (isTrustee(folder, who) && directory.isActive(who, 0)) || consent.hasRight(who, folder, 0, READ)
            || consent.windowOf(who, folder, 0).emergency;
    }

    function mayAudit(address who, bytes32 folder) external view returns (bool) {
        return who != address(0) && who == heads[folder].controller;
    }

    function auditOf(bytes32 item) external view returns (bytes32 folder, bytes32 x, bytes32 y) {
        folder = items[item].folder;
        (x, y) = auditKeyOf(folder);
    }

    function blobsOf(bytes calldata input) external pure returns (bytes32[] memory none) {
        if (input.length < 4) return none;
        bytes4 selector = bytes4(input[0:4]);
        if (selector == this.open.selector) return Blobs.inStruct(input, WRAPS_WORD);
        if (selector == this.rotate.selector) return Blobs.inStruct(input, ROTATE_WRAPS_WORD);
        return none;
    }

    function confirmErased(bytes32 item) external {
        if (!directory.isActive(msg.sender, Roles.NODE)) revert NotANode();
        if (!items[item].erased) revert NotErased();
        emit ErasureConfirmed(item, msg.sender);
    }

    // Views.

    function folderOf(bytes32 folder) external view returns (Head memory) {
        return heads[folder];
    }

    function epochOf(bytes32 folder, uint32 epoch) external view returns (bytes32) {
        return epochs[folder][epoch];
    }

    function numberOf(bytes32 folder, address by) public view returns (uint64) {
        return by == heads[folder].controller ? heads[folder].number : numbers[folder][by];
    }

    function auditKeyOf(bytes32 folder) public view returns (bytes32 x, bytes32 y) {
        return (auditKeys[folder].x, auditKeys[folder].y);
    }

    function trusteesOf(bytes32 folder) external view returns (address[] memory) {
        return trustees[folder];
    }

    function isTrustee(bytes32 folder, address who) public view returns (bool isOne) {
        (isOne,) = _trusteeAt(folder, who);
    }

    function folderId(address controller, bytes32 salt) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), controller, salt));
    }

    // Inside.

    function _trusteeAt(bytes32 folder, address who) private view returns (bool, uint256 i) {
        address[] storage all = trustees[folder];
        for (; i < all.length; i++) {
            if (all[i] == who) return (true, i);
        }
        return (false, 0);
    }

    function _wrapsItem(bytes32 folder, uint32 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode("wraps", folder, epoch));
    }

    function _head(bytes32 folder) private view returns (Head storage head) {
        head = heads[folder];
        if (head.controller == address(0)) revert UnknownFolder();
    }

    function _openHead(bytes32 folder) private view returns (Head storage head) {
        head = _head(folder);
        if (head.closed) revert FolderIsClosed();
    }

    function _hashOf(Glass calldata g) private pure returns (bytes32) {
        return keccak256(abi.encode(GLASS, g.minutes_, g.threshold, keccak256(abi.encodePacked(g.trustees)),
            keccak256(abi.encodePacked(g.commitments))));
    }

    function _factOf(Rotate calldata r) private pure returns (bytes32) {
        return keccak256(abi.encode(ROTATE, r.folder, r.epoch, r.previous, r.keyX, r.keyY, r.wraps, r.wrapsSize,
            _hashOf(r.glass), keccak256(abi.encodePacked(r.recipients)), r.by, r.relay, r.number, r.deadline));
    }

    /// Signed by whom it names, sent by whom it names, in time, and newer than all that this account signed before.
    function _authorize(bytes32 folder, Terms memory t, address sender, bytes32 digest, bytes calldata signature)
        private {
        if (block.timestamp > t.deadline) revert Expired();
        if (sender != t.by) {
            if (t.relay != address(0) && sender != t.relay) revert NotTheRelay();
            if (t.relay == address(0) && !directory.isActive(sender, 0)) revert NotListed();
        }
        if (!_signedBy(t.by, digest, signature)) revert BadSignature();
        uint64 last = numberOf(folder, t.by);
        if (t.number <= last) revert StaleNumber(last);
        if (t.by == heads[folder].controller) heads[folder].number = t.number;
        else numbers[folder][t.by] = t.number;
    }

    /// A delegate takes nobody's part in emergencies and gives nobody one.
    function _requireRotator(Rotate calldata r, Head storage head) private view {
        if (!consent.hasRight(r.by, r.folder, 0, MAY_ROTATE)) revert NotController();
        bool kept = r.glass.minutes_ == head.glassMinutes && r.glass.threshold == head.threshold
            && keccak256(abi.encodePacked(r.glass.trustees)) == keccak256(abi.encodePacked(trustees[r.folder]));
        if (!kept) revert BadGlass();
    }

    function _setAuditKey(bytes32 folder, bytes32 x, bytes32 y) private {
        if (!P256.isOnCurve(x, y)) revert BadKey();
        auditKeys[folder] = Point(x, y);
    }

    function _setGlass(bytes32 folder, Glass calldata g) private {
        uint256 count = g.trustees.length;
        if (count > TRUSTEES_MAX) revert TooMany();
        if (g.threshold > count || (g.threshold == 0) != (count == 0)) revert BadGlass();
        if (g.commitments.length != (count == 0 ? 0 : 2 * uint256(g.threshold - 1))) revert BadGlass();
        for (uint256 i = 0; i < g.commitments.length; i += 2) {
            if (!P256.isOnCurve(g.commitments[i], g.commitments[i + 1])) revert BadGlass();
        }
        for (uint256 i = 0; i < count; i++) {
            if (!directory.isActive(g.trustees[i], Roles.TRUSTEE)) revert BadRecipients();
            for (uint256 j = 0; j < i; j++) {
                if (g.trustees[i] == g.trustees[j]) revert BadRecipients();
            }
        }
        trustees[folder] = g.trustees;
        Head storage head = heads[folder];
        (head.glassMinutes, head.threshold, head.trusteeCount) = (g.minutes_, g.threshold, uint8(count));
        emit GlassPolicy(folder, g.minutes_, g.threshold);
    }

    function _startEpoch(bytes32 folder, bytes32 fact, Point memory key, bytes32 wraps, uint32 wrapsSize) private {
        Head storage head = heads[folder];
        if (!P256.isOnCurve(key.x, key.y) || head.keyX == key.x || wraps == 0 || wrapsSize == 0) revert BadKey();
        if (!named.take(Quota.key(msg.sender), wrapsSize, DAILY_BYTES)) revert OverQuota();
        uint32 epoch = head.epoch + 1;
        (head.epoch, head.epochAt, head.keyX, head.sharesRefused) = (epoch, uint40(block.number), key.x, 0);
        epochs[folder][epoch] = fact;
        bytes32 item = _wrapsItem(folder, epoch);
        items[item].folder = folder;
        emit BlobNamed(item, wraps, wrapsSize);
    }

    function _oweRotation(bytes32 folder, Head storage head) private {
        if (head.closed || head.rotationOwed) return;
        head.rotationOwed = true;
        emit RotationOwed(folder, head.epoch);
    }
}
