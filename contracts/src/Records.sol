// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "./interfaces/IBlobGate.sol";
import {IConsent} from "./interfaces/IConsent.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";
import {IFolders} from "./interfaces/IFolders.sol";
import {IRecords} from "./interfaces/IRecords.sol";
import {Blobs} from "./lib/Blobs.sol";
import {Eip712} from "./lib/Eip712.sol";
import {Lists} from "./lib/Lists.sol";
import {Quota} from "./lib/Quota.sol";
import {Stated} from "./lib/Stated.sol";
import {Roles} from "./Roles.sol";

contract Records is IRecords, IBlobGate, Stated, Eip712 {
    using Lists for Lists.List;
    using Quota for mapping(bytes32 => Quota.Use);

    bytes32 private constant ERASE = keccak256("Erase(bytes32 record,address relay,uint64 number,uint64 deadline)");
    /// Not checked here: the author's signature over it stands in the sealed lead, and who reads the record checks it.
    bytes32 private constant RECORD = keccak256(
        "Record(bytes32 record,bytes32 folder,uint32 epoch,bytes32 root,bytes32 facts)");
    uint256 private constant CONTAINER_BYTES_MAX = 64 << 20;
    uint256 private constant DAILY_BYTES = 16 << 30;
    uint256 private constant ADDITIONS_MAX = 64;
    uint256 private constant ADDITION_WORDS = 7; // of calldata
    uint256 private constant ADDITION_BLOB = 4;  // which of them
    uint8 private constant WRITE = 2;
    uint8 private constant REGISTERED = 1;
    uint8 private constant ERASED = 2;

    enum Kind { NONE, ADDED, ERASED } // of an entry in a folder's list

    mapping(bytes32 record => Registration) private registrations; // proofs rely on these slots
    mapping(bytes32 folder => Lists.List) private lists;
    mapping(bytes32 account => Quota.Use) private named;
    IDirectory private immutable directory;
    IFolders private immutable folders;
    IConsent private immutable consent;

    constructor(IDirectory directory_, IFolders folders_, IConsent consent_)
        Eip712("xinglin records", directory_.genesis()) {
        (directory, folders, consent) = (directory_, folders_, consent_);
    }

    function add(Addition calldata addition) external topLevel returns (bytes32 record) {
        return _add(addition);
    }

    function addMany(Addition[] calldata additions) external topLevel returns (bytes32[] memory records) {
        if (additions.length == 0 || additions.length > ADDITIONS_MAX) revert BadAddition();
        records = new bytes32[](additions.length);
        for (uint256 i = 0; i < additions.length; i++) {
            records[i] = _add(additions[i]);
        }
    }

    function erase(Erase calldata e, bytes calldata signature) external
        stated(abi.encodeCall(this.erase, (e, signature))) {
        Registration storage r = registrations[e.record];
        if (r.state == 0) revert UnknownRecord();
        if (r.state == ERASED) revert AlreadyErased();
        address controller = folders.folderOf(r.folder).controller;
        folders.authorize(r.folder, IFolders.Terms(controller, e.relay, e.number, e.deadline), msg.sender,
            _digest(keccak256(abi.encode(ERASE, e))), signature);
        r.state = ERASED;
        (uint64 n, bytes24 before) = lists[r.folder].append(keccak256(abi.encode(Kind.ERASED, e.record, address(0), 0,
            bytes32(0), bytes32(0), 0, bytes32(0))));
        emit RecordErased(r.folder, e.record, n, before);
        emit BlobErased(e.record);
        consent.recordErased(r.folder, e.record);
    }

    function eraseForgotten(bytes32 folder, bytes32[] calldata ids) external {
        if (!folders.folderOf(folder).closed) revert FolderIsOpen();
        for (uint256 i = 0; i < ids.length; i++) {
            Registration storage r = registrations[ids[i]];
            if (r.folder != folder || r.state != REGISTERED) continue;
            r.state = ERASED;
            emit BlobErased(ids[i]);
        }
    }

    // The gate of records' containers: an item is a record's id.

    function mayPut(address who, uint256 size) external view returns (bool) {
        return directory.isActive(who, 0) && named.hasRoom(Quota.key(who), size, DAILY_BYTES);
    }

    function mayPutLate(address who, bytes32 item) external view returns (bool) {
        Registration storage r = registrations[item];
        if (r.state != REGISTERED) return false;
        IFolders.Head memory head = folders.folderOf(r.folder);
        return !head.closed && (who == head.controller || directory.isActive(who, 0));
    }

    /// The controller, the author, and who has a window open at this moment.
    function mayGet(address who, bytes32 item) external view returns (bool) {
        Registration storage r = registrations[item];
        if (r.state != REGISTERED) return false;
        IFolders.Head memory head = folders.folderOf(r.folder);
        if (head.closed) return false;
        if (who == head.controller) return true;
        return directory.isActive(who, 0) && (who == r.author || consent.hasWindow(who, r.folder, item));
    }

    function mayAudit(address who, bytes32 folder) external view returns (bool) {
        return who != address(0) && who == folders.folderOf(folder).controller;
    }

    function auditOf(bytes32 item) external view returns (bytes32 folder, bytes32 x, bytes32 y) {
        folder = registrations[item].folder;
        (x, y) = folders.auditKeyOf(folder);
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
        IFolders.Head memory head = folders.folderOf(a.folder);
        if (msg.sender != head.controller) {
            if (!directory.isActive(msg.sender, 0)) revert NotListed();
            if (!consent.hasRight(msg.sender, a.folder, 0, WRITE)) revert NotAllowedToWrite();
        }
        if (head.closed) revert NotAllowedToWrite();
        if (head.epoch != a.epoch) revert StaleEpoch(head.epoch);
        if (a.root == 0 || a.blob == 0 || a.size == 0 || a.size > CONTAINER_BYTES_MAX) revert BadAddition();
        record = recordId(a.folder, a.epoch, msg.sender, a.nonce);
        if (registrations[record].state != 0) revert RecordExists();
        if (!named.take(Quota.key(msg.sender), a.size, DAILY_BYTES)) revert OverQuota();
        registrations[record] = Registration(a.root, a.folder, msg.sender, a.epoch, REGISTERED, uint40(block.timestamp),
            a.blob, a.facts);
        (uint64 n, bytes24 before) = lists[a.folder].append(keccak256(abi.encode(Kind.ADDED, record, msg.sender,
            a.epoch, a.root, a.blob, a.size, a.facts)));
        emit RecordAdded(a.folder, record, msg.sender, a.epoch, a.root, a.blob, a.size, a.facts, n, before);
        emit BlobNamed(record, a.blob, a.size);
    }
}
