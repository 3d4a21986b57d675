// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What a node asks of a contract before it keeps, serves or deletes a blob (docs/wire-formats.md §5).
/// It knows nothing of patients.
interface IBlobGate {
    event BlobNamed(bytes32 indexed item, bytes32 indexed blob, uint256 size);
    event BlobErased(bytes32 indexed item);
    event ErasureConfirmed(bytes32 indexed item, address indexed node);

    /// The account is not an active node of the directory.
    error NotANode();
    /// The item is not erased.
    error NotErased();

    /// May `size` more bytes of `who` wait at a node for transactions that name them? Of one blob, or of several together.
    function mayPut(address who, uint256 size) external view returns (bool);
    /// May `who` put the item's blob later, at the namer's cost? The controller and any active actor may, while the item
    /// stands: never after it was erased, forgotten or replaced.
    function mayPutLate(address who, bytes32 item) external view returns (bool);
    function mayGet(address who, bytes32 item) external view returns (bool);
    /// May `who` read this list of audit entries?
    function mayAudit(address who, bytes32 list) external view returns (bool);
    /// The list that reads of `item` are entered in, one a folder, and the P-256 key that its entries are sealed to: of
    /// the controller alone. Zeros: none.
    function auditOf(bytes32 item) external view returns (bytes32 list, bytes32 x, bytes32 y);
    /// The blobs that a transaction with this calldata would name, at most 64; none if the calldata is cut short.
    function blobsOf(bytes calldata input) external pure returns (bytes32[] memory);
    /// By a node that the directory lists, once it has deleted.
    function confirmErased(bytes32 item) external;
}
