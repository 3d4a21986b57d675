// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "./interfaces/IBlobGate.sol";
import {IConsent} from "./interfaces/IConsent.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {IFolders} from "./interfaces/IFolders.sol";
import {IRecords} from "./interfaces/IRecords.sol";
import {Blobs} from "./lib/Blobs.sol";
import {Eip712} from "./lib/Eip712.sol";
import {Quota} from "./lib/Quota.sol";
import {Roles} from "./Roles.sol";

contract Records is IRecords, IBlobGate, Eip712 {
    using Quota for mapping(address => Quota.Use);

    bytes32 private constant ERASE = keccak256("Erase(bytes32 record,uint64 nonce,uint64 deadline)");
    uint256 private constant CONTAINER_BYTES_MAX = 64 << 20;
    uint256 private constant DAILY_BYTES = 16 << 30;
    uint256 private constant ADDITIONS_MAX = 64;
    uint256 private constant ADDITION_WORDS = 7; // of calldata
    uint256 private constant ADDITION_BLOB = 4;  // which of them
    uint8 private constant WRITE = 2;
    uint8 private constant REGISTERED = 1;
    uint8 private constant ERASED = 2;

    mapping(bytes32 record => Registration) private registrations; // slot 0, which proofs rely on
    mapping(address => Quota.Use) private named;
    IDirectory private immutable directory;
    IFolders private immutable folders;
    IConsent private immutable consent;

    constructor(IDirectory directory_, IFolders folders_, IConsent consent_) Eip712("xinglin records") {
        (directory, folders, consent) = (directory_, folders_, consent_);
    }

    function add(Addition calldata addition) external returns (bytes32 record) {
        return _add(addition);
    }

    function addMany(Addition[] calldata additions) external returns (bytes32[] memory records) {
        if (additions.length == 0 || additions.length > ADDITIONS_MAX) revert BadAddition();
        records = new bytes32[](additions.length);
        for (uint256 i = 0; i < additions.length; i++) {
            records[i] = _add(additions[i]);
        }
    }

    function erase(bytes32 record, uint64 deadline, bytes calldata signature) external {
        Registration storage r = registrations[record];
        if (r.state == 0) revert UnknownRecord();
        if (r.state == ERASED) revert AlreadyErased();
        if (block.timestamp > deadline) revert Expired();
        IFolders.Folder memory folder = folders.folderOf(r.folder);
        if (msg.sender != folder.controller && !directory.isActive(msg.sender, 0)) revert NotListed();
        folders.authorize(r.folder, msg.sender, _digest(keccak256(abi.encode(ERASE, record, folder.nonce, deadline))),
            signature);
        r.state = ERASED;
        emit RecordErased(r.folder, record);
        emit BlobErased(record);
    }

    // The gate of records' containers: an item is a record's id.

    function mayPut(address who, uint256 size) external view returns (bool) {
        return directory.isActive(who, 0) && size <= CONTAINER_BYTES_MAX && named.used(who) + size <= DAILY_BYTES;
    }

    /// The controller, the author, and who has a window open at this moment.
    function mayGet(address who, bytes32 item) external view returns (bool) {
        Registration storage r = registrations[item];
        if (r.state != REGISTERED) return false;
        IFolders.Folder memory folder = folders.folderOf(r.folder);
        if (folder.closed) return false;
        if (who == folder.controller) return true;
        return directory.isActive(who, 0) && (who == r.author || consent.hasWindow(who, r.folder, item));
    }

    function mayAudit(address who, bytes32 item) external view returns (bool) {
        Registration storage r = registrations[item];
        return r.state != 0 && who == folders.folderOf(r.folder).controller;
    }

    function auditKey(bytes32 item) external view returns (bytes32 x, bytes32 y) {
        IFolders.Folder memory folder = folders.folderOf(registrations[item].folder);
        return (folder.keyX, folder.keyY);
    }

    function blobsOf(bytes calldata input) external pure returns (bytes32[] memory none) {
        if (input.length < 4) return none;
        bytes4 selector = bytes4(input[0:4]);
        if (selector == this.add.selector) return Blobs.atWord(input, ADDITION_BLOB);
        if (selector == this.addMany.selector) return Blobs.inArray(input, ADDITION_WORDS, ADDITION_BLOB,
            ADDITIONS_MAX);
        return none;
    }

    function confirmErased(bytes32 item) external {
        if (!directory.isActive(msg.sender, Roles.NODE)) revert NotANode();
        if (registrations[item].state != ERASED) revert NotErased();
        emit ErasureConfirmed(item, msg.sender);
    }

    function registrationOf(bytes32 record) external view returns (Registration memory) {
        return registrations[record];
    }

    function recordId(bytes32 folder, uint32 epoch, address author, uint64 nonce) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), folder, epoch, author, nonce));
    }

    function _add(Addition calldata a) private returns (bytes32 record) {
        IFolders.Folder memory folder = folders.folderOf(a.folder);
        if (msg.sender != folder.controller) {
            if (!directory.isActive(msg.sender, 0)) revert NotListed();
            if (!consent.hasRight(msg.sender, a.folder, 0, WRITE)) revert NotAllowedToWrite();
        }
        if (folder.closed) revert NotAllowedToWrite();
        if (folder.epoch != a.epoch) revert StaleEpoch(folder.epoch);
        if (a.root == 0 || a.blob == 0 || a.size == 0 || a.size > CONTAINER_BYTES_MAX) revert BadAddition();
        record = recordId(a.folder, a.epoch, msg.sender, a.nonce);
        if (registrations[record].state != 0) revert RecordExists();
        if (!named.take(msg.sender, a.size, DAILY_BYTES)) revert OverQuota();
        registrations[record] = Registration(a.root, a.folder, msg.sender, a.epoch, REGISTERED, uint40(block.timestamp),
            a.blob, a.facts);
        emit RecordAdded(a.folder, record, msg.sender, a.epoch, a.root, a.blob, a.size);
        emit BlobNamed(record, a.blob, a.size);
    }
}
