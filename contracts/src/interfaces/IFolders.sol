// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A patient's compartments. A folder has a controller account, and a sealing key per epoch; the contract knows no
/// person. Every
/// action carries the controller's EIP-712 signature and is sent by a listed actor, or comes from the controller itself
/// (then the signature may be empty; opening needs a listed sender all the same). Gate for the items of epoch wraps.
interface IFolders {
    struct Folder {
        address controller;
        uint32 epoch;         // from 1
        bool closed;          // forgotten
        bool rotationOwed;
        uint16 glassMinutes;  // length of a break-glass window; 0: not allowed
        uint64 nonce;         // of the next signed action of any contract on this folder
        bytes32 keyX;
        bytes32 keyY;
    }

    event FolderOpened(bytes32 indexed folder, address indexed controller);
    event EpochStarted(bytes32 indexed folder, uint32 indexed epoch, bytes32 keyX, bytes32 keyY, bytes32 wraps,
        address[] recipients);
    event RotationOwed(bytes32 indexed folder, uint32 epoch);
    event GlassPolicy(bytes32 indexed folder, uint16 minutes_, address[] trustees);
    event FolderForgotten(bytes32 indexed folder);

    /// Only the controller of the folder may do this.
    error NotController();
    error NotListed();
    error Expired();
    /// The folder has another epoch by now.
    error StaleEpoch(uint32 current);
    /// There is no such folder.
    error UnknownFolder();
    /// The folder is there already.
    error FolderExists();
    /// The folder is forgotten.
    error FolderIsClosed();
    /// The key or the name of its wraps makes no sense.
    error BadKey();
    /// The folder has more recipients than a folder may have.
    error TooMany();
    /// A recipient is missing, stands twice or may not read.
    error BadRecipients();
    /// The account has used up its quota of the day.
    error OverQuota();

    /// folder = keccak256(abi.encode(chainid, this, controller, salt)). EIP-712
    /// `Open(address controller,bytes32 salt,bytes32 keyX,bytes32 keyY,bytes32 wraps,uint32 wrapsSize,uint16
    /// glassMinutes,address[] trustees,uint64 deadline)`.
    /// `wraps`: the container of epoch wraps; its recipients are the trustees (at most 8).
    function open(address controller, bytes32 salt, bytes32 keyX, bytes32 keyY, bytes32 wraps, uint32 wrapsSize,
        uint16 glassMinutes, address[] calldata trustees, uint64 deadline, bytes calldata signature) external
        returns (bytes32 folder);
    /// EIP-712 `Rotate(bytes32 folder,uint32 expectedEpoch,bytes32 keyX,bytes32 keyY,bytes32 wraps,uint32
    /// wrapsSize,address[] recipients,uint64 nonce,uint64 deadline)`.
    /// `recipients`: trustees first, then grantees who keep reading (at most 64 in all). An inactive
    /// trustee may be left out.
    function rotate(bytes32 folder, uint32 expectedEpoch, bytes32 keyX, bytes32 keyY, bytes32 wraps, uint32 wrapsSize,
        address[] calldata recipients, uint64 deadline, bytes calldata signature) external;
    /// Forgets the folder: all its wraps are erased, nothing can be added. EIP-712 `Forget(bytes32 folder,uint64
    /// nonce,uint64 deadline)`.
    function forget(bytes32 folder, uint64 deadline, bytes calldata signature) external;

    function folderOf(bytes32 folder) external view returns (Folder memory);
    function trusteesOf(bytes32 folder) external view returns (address[] memory);
    function isTrustee(bytes32 folder, address who) external view returns (bool);
    function keyOf(bytes32 folder, uint32 epoch) external view returns (bytes32 x, bytes32 y);
    function folderId(address controller, bytes32 salt) external view returns (bytes32);

    /// Records and Consent only (fixed at deployment): checks that `signature` is the controller's over `digestStruct`
    /// in the caller's
    /// domain (or that `sender` is the controller), and uses up the folder's nonce. Callers check that the folder is
    /// open where they
    /// must: revoking and erasing stay possible after forgetting.
    function authorize(bytes32 folder, address sender, bytes32 digest, bytes calldata signature) external;
    function markRotationOwed(bytes32 folder) external;
}
