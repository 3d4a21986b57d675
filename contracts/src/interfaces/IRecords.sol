// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Registrations of sealed records: commitments only. Gate for records' containers.
interface IRecords {
    struct Registration { // storage layout: docs/wire-formats.md §8
        bytes32 root;
        bytes32 folder;
        address author;
        uint32 epoch;
        uint8 state; // 1 registered, 2 erased
        uint40 addedAt;
        bytes32 blob;
        bytes32 facts; // 0: none
    }
    struct Addition {
        bytes32 folder;
        uint32 epoch;   // must be the current one
        uint64 nonce;   // random, the author's
        bytes32 root;
        bytes32 blob;
        bytes32 facts;
        uint64 size;    // of the container, bytes
    }

    event RecordAdded(bytes32 indexed folder, bytes32 indexed record, address indexed author, uint32 epoch,
        bytes32 root, bytes32 blob, uint64 size);
    event RecordErased(bytes32 indexed folder, bytes32 indexed record);

    error NotListed();
    /// The author may not write into the folder, or the folder is forgotten.
    error NotAllowedToWrite();
    error StaleEpoch(uint32 current);
    /// The record is there already.
    error RecordExists();
    /// There is no such record.
    error UnknownRecord();
    /// The record is erased already.
    error AlreadyErased();
    /// The registration makes no sense: its root, blob or size.
    error BadAddition();
    error Expired();
    error OverQuota();

    /// By the author: a listed, active actor with the write right in the folder (Consent), or the folder's controller.
    function add(Addition calldata addition) external returns (bytes32 record);
    /// A document of several folders' records, registered together or not at all.
    function addMany(Addition[] calldata additions) external returns (bytes32[] memory records);
    /// EIP-712 `Erase(bytes32 record,uint64 nonce,uint64 deadline)` by the folder's controller.
    function erase(bytes32 record, uint64 deadline, bytes calldata signature) external;

    function registrationOf(bytes32 record) external view returns (Registration memory);
    function recordId(bytes32 folder, uint32 epoch, address author, uint64 nonce) external view returns (bytes32);
}
