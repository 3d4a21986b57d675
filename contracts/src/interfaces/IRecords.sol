// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Registrations of sealed records: commitments only. Gate for records' containers.
///
/// Statements, facts, `relay` and `number` are those of IFolders.
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
    struct Erase {
        bytes32 record;
        address relay;
        uint64 number;
        uint64 deadline;
    }

    /// `n` and `before`: in the folder's list of records (lib/Lists.sol), whose entry is keccak256(abi.encode(1, record,
    /// author, epoch, root, blob, size, facts)).
    event RecordAdded(bytes32 indexed folder, bytes32 indexed record, address indexed author, uint32 epoch,
        bytes32 root, bytes32 blob, uint64 size, bytes32 facts, uint64 n, bytes24 before);
    /// Its entry: keccak256(abi.encode(2, record, 0, 0, 0, 0, 0, 0)).
    event RecordErased(bytes32 indexed folder, bytes32 indexed record, uint64 n, bytes24 before);

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
    error FolderIsOpen();
    error OverQuota();

    /// By the author: a listed, active actor with the write right in the folder (Consent), or the folder's controller.
    function add(Addition calldata addition) external returns (bytes32 record);
    /// A document of several folders' records, registered together or not at all.
    function addMany(Addition[] calldata additions) external returns (bytes32[] memory records);
    /// By the folder's controller; after forgetting too. The wraps of the record's grants are erased with it.
    function erase(Erase calldata statement, bytes calldata signature) external;
    /// By anyone, of a forgotten folder: erases these of its records. Others are passed over.
    function eraseForgotten(bytes32 folder, bytes32[] calldata ids) external;

    function registrationOf(bytes32 record) external view returns (Registration memory);
    function recordId(bytes32 folder, uint32 epoch, address author, uint64 nonce) external view returns (bytes32);
}
