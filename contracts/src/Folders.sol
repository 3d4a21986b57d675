// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "./interfaces/IBlobGate.sol";
import {IConsent} from "./interfaces/IConsent.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {IFolders} from "./interfaces/IFolders.sol";
import {Blobs} from "./lib/Blobs.sol";
import {Eip712} from "./lib/Eip712.sol";
import {P256} from "./lib/P256.sol";
import {Quota} from "./lib/Quota.sol";
import {Roles} from "./Roles.sol";

contract Folders is IFolders, IBlobGate, Eip712 {
    using Quota for mapping(address => Quota.Use);

    bytes32 private constant OPEN = keccak256(
        "Open(address controller,bytes32 salt,bytes32 keyX,bytes32 keyY,bytes32 wraps,uint32 wrapsSize,uint16 glassMinutes,address[] trustees,uint64 deadline)");
    bytes32 private constant ROTATE = keccak256(
        "Rotate(bytes32 folder,uint32 expectedEpoch,bytes32 keyX,bytes32 keyY,bytes32 wraps,uint32 wrapsSize,address[] recipients,uint64 nonce,uint64 deadline)");
    bytes32 private constant FORGET = keccak256("Forget(bytes32 folder,uint64 nonce,uint64 deadline)");
    uint256 private constant TRUSTEES_MAX = 8;
    uint256 private constant RECIPIENTS_MAX = 64;
    uint256 private constant DAILY_BYTES = 64 << 20;
    uint8 private constant READ = 1;

    struct Head {
        address controller;
        uint32 epoch;
        bool closed;
        bool rotationOwed;
        uint16 glassMinutes;
        uint64 nonce;
    }
    struct Key {
        bytes32 x;
        bytes32 y;
    }

    mapping(bytes32 folder => Head) private heads;
    mapping(bytes32 folder => mapping(uint32 epoch => Key)) private keys;
    mapping(bytes32 folder => address[]) private trustees;
    mapping(bytes32 item => bytes32 folder) private itemFolder;
    mapping(address => Quota.Use) private named;
    IDirectory private immutable directory;
    address private immutable records;
    IConsent private immutable consent;

    constructor(IDirectory directory_, address records_, IConsent consent_) Eip712("xinglin folders") {
        (directory, records, consent) = (directory_, records_, consent_);
    }

    function open(address controller, bytes32 salt, bytes32 keyX, bytes32 keyY, bytes32 wraps, uint32 wrapsSize,
        uint16 glassMinutes, address[] calldata trustees_, uint64 deadline, bytes calldata signature) external
        returns (bytes32 folder) {
        if (!directory.isActive(msg.sender, 0)) revert NotListed();
        if (block.timestamp > deadline) revert Expired();
        if (trustees_.length > TRUSTEES_MAX) revert TooMany();
        if (controller != msg.sender) {
            bytes32 fields = keccak256(abi.encodePacked(trustees_));
            bytes32 digest = _digest(keccak256(abi.encode(OPEN, controller, salt, keyX, keyY, wraps, wrapsSize,
                glassMinutes, fields, deadline)));
            if (controller == address(0) || _signer(digest, signature) != controller) revert NotController();
        }
        folder = folderId(controller, salt);
        if (heads[folder].controller != address(0)) revert FolderExists();
        for (uint256 i = 0; i < trustees_.length; i++) {
            if (!directory.isActive(trustees_[i], Roles.TRUSTEE)) revert NotListed();
            for (uint256 j = 0; j < i; j++) {
                if (trustees_[i] == trustees_[j]) revert BadRecipients();
            }
        }
        trustees[folder] = trustees_;
        heads[folder] = Head(controller, 0, false, false, glassMinutes, 0);
        emit FolderOpened(folder, controller);
        emit GlassPolicy(folder, glassMinutes, trustees_);
        _startEpoch(folder, keyX, keyY, wraps, wrapsSize, trustees_);
    }

    function rotate(bytes32 folder, uint32 expectedEpoch, bytes32 keyX, bytes32 keyY, bytes32 wraps, uint32 wrapsSize,
        address[] calldata recipients, uint64 deadline, bytes calldata signature) external {
        Head storage head = _openHead(folder);
        if (block.timestamp > deadline) revert Expired();
        if (head.epoch != expectedEpoch) revert StaleEpoch(head.epoch);
        if (recipients.length > RECIPIENTS_MAX) revert TooMany();
        bytes32 list = keccak256(abi.encodePacked(recipients));
        bytes32 fields = keccak256(abi.encode(ROTATE, folder, expectedEpoch, keyX, keyY, wraps, wrapsSize, list,
            head.nonce, deadline));
        _relayed(head, fields, signature);
        _requireTrusteesFirst(folder, recipients);
        head.rotationOwed = false;
        _startEpoch(folder, keyX, keyY, wraps, wrapsSize, recipients);
    }

    function forget(bytes32 folder, uint64 deadline, bytes calldata signature) external {
        Head storage head = _openHead(folder);
        if (block.timestamp > deadline) revert Expired();
        _relayed(head, keccak256(abi.encode(FORGET, folder, head.nonce, deadline)), signature);
        head.closed = true;
        emit FolderForgotten(folder);
        for (uint32 epoch = 1; epoch <= head.epoch; epoch++) {
            emit BlobErased(_wrapsItem(folder, epoch));
        }
        consent.folderForgotten(folder);
    }

    function authorize(bytes32 folder, address sender, bytes32 digest, bytes calldata signature) external {
        if (msg.sender != records && msg.sender != address(consent)) revert NotController();
        _authorize(_head(folder), sender, digest, signature);
    }

    function markRotationOwed(bytes32 folder) external {
        if (msg.sender != records && msg.sender != address(consent)) revert NotController();
        Head storage head = _head(folder);
        if (head.closed || head.rotationOwed) return;
        head.rotationOwed = true;
        emit RotationOwed(folder, head.epoch);
    }

    // The gate of epoch wraps.

    function mayPut(address who, uint256 size) external view returns (bool) {
        return directory.isActive(who, 0) && size <= DAILY_BYTES && named.used(who) + size <= DAILY_BYTES;
    }

    /// The controller, trustees, and who holds a read right over the whole folder now.
    function mayGet(address who, bytes32 item) external view returns (bool) {
        bytes32 folder = itemFolder[item];
        Head storage head = heads[folder];
        if (head.controller == address(0) || head.closed) return false;
        if (who == head.controller) return true;
        return (isTrustee(folder, who) && directory.isActive(who, 0)) || consent.hasRight(who, folder, 0, READ);
    }

    function mayAudit(address who, bytes32 item) external view returns (bool) {
        return who != address(0) && who == heads[itemFolder[item]].controller;
    }

    function auditKey(bytes32 item) external view returns (bytes32 x, bytes32 y) {
        bytes32 folder = itemFolder[item];
        return keyOf(folder, heads[folder].epoch);
    }

    function blobsOf(bytes calldata input) external pure returns (bytes32[] memory none) {
        if (input.length < 4) return none;
        bytes4 selector = bytes4(input[0:4]);
        if (selector == this.open.selector || selector == this.rotate.selector) return Blobs.atWord(input, 4);
        return none;
    }

    function confirmErased(bytes32 item) external {
        if (!directory.isActive(msg.sender, Roles.NODE)) revert NotANode();
        if (!heads[itemFolder[item]].closed) revert NotErased();
        emit ErasureConfirmed(item, msg.sender);
    }

    function folderOf(bytes32 folder) external view returns (Folder memory) {
        Head memory head = heads[folder];
        Key memory key = keys[folder][head.epoch];
        return Folder(head.controller, head.epoch, head.closed, head.rotationOwed, head.glassMinutes, head.nonce, key.x,
            key.y);
    }

    function trusteesOf(bytes32 folder) external view returns (address[] memory) {
        return trustees[folder];
    }

    function isTrustee(bytes32 folder, address who) public view returns (bool) {
        address[] storage all = trustees[folder];
        for (uint256 i = 0; i < all.length; i++) {
            if (all[i] == who) return true;
        }
        return false;
    }

    function keyOf(bytes32 folder, uint32 epoch) public view returns (bytes32 x, bytes32 y) {
        Key storage key = keys[folder][epoch];
        return (key.x, key.y);
    }

    function folderId(address controller, bytes32 salt) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), controller, salt));
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

    /// The controller itself, or a listed actor with the controller's signature over `structHash`.
    function _relayed(Head storage head, bytes32 structHash, bytes calldata signature) private {
        if (msg.sender != head.controller && !directory.isActive(msg.sender, 0)) revert NotListed();
        _authorize(head, msg.sender, _digest(structHash), signature);
    }

    function _authorize(Head storage head, address sender, bytes32 digest, bytes calldata signature) private {
        if (sender != head.controller && _signer(digest, signature) != head.controller) revert NotController();
        head.nonce++;
    }

    function _startEpoch(bytes32 folder, bytes32 keyX, bytes32 keyY, bytes32 wraps, uint32 wrapsSize,
        address[] calldata recipients) private {
        Head storage head = heads[folder];
        Key storage last = keys[folder][head.epoch];
        if (!P256.isOnCurve(keyX, keyY) || last.x == keyX || wraps == 0 || wrapsSize == 0) revert BadKey();
        if (!named.take(msg.sender, wrapsSize, DAILY_BYTES)) revert OverQuota();
        uint32 epoch = ++head.epoch;
        keys[folder][epoch] = Key(keyX, keyY);
        bytes32 item = _wrapsItem(folder, epoch);
        itemFolder[item] = folder;
        emit EpochStarted(folder, epoch, keyX, keyY, wraps, recipients);
        emit BlobNamed(item, wraps, wrapsSize);
    }

    /// The folder's trustees in their order, then others; only an inactive trustee may be missing.
    function _requireTrusteesFirst(bytes32 folder, address[] calldata recipients) private view {
        address[] storage all = trustees[folder];
        uint256 next = 0;
        for (uint256 i = 0; i < all.length; i++) {
            if (next < recipients.length && recipients[next] == all[i]) {
                next++;
            } else if (directory.isActive(all[i], 0)) {
                revert BadRecipients();
            }
        }
    }
}
