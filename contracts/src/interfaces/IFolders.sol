// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A patient's compartments. A folder has a controller account, and a sealing key per epoch; the contract knows no
/// person. Gate for the items of epoch wraps.
///
/// Each statement is an EIP-712 struct of the same name and members (a member `minutes_` is called `minutes` there). Its
/// struct hash, the statement's fact, is what the contract keeps; its bytes and its signature, which is never missing,
/// stand in the calldata of the transaction that made it. `by` signs; `relay` sends (0: any listed actor), or `by` does;
/// `number` is above the last one that `by` used in the folder, in any of the contracts.
interface IFolders {
    /// Who opens the folder in an emergency: `threshold` of the trustees together, for so many minutes.
    struct Glass {
        uint16 minutes_;       // 0: not allowed
        uint8 threshold;       // 0 if there are no trustees; 1: each holds the whole key
        address[] trustees;    // at most 8
        bytes32[] commitments; // Feldman's, from the second on: x and y of threshold - 1 points
    }
    struct Open {
        address controller;
        bytes32 salt;
        bytes32 keyX;
        bytes32 keyY;
        bytes32 auditX;        // key of the controller's own that audit entries are sealed to
        bytes32 auditY;
        bytes32 wraps;         // blob of the container of epoch wraps
        uint32 wrapsSize;
        Glass glass;
        bytes label;           // sealed to the controller's own key, at most 512 bytes
        address relay;
        uint64 deadline;
    }
    struct Rotate {
        bytes32 folder;
        uint32 epoch;          // the new one
        bytes32 previous;      // fact of the epoch before
        bytes32 keyX;
        bytes32 keyY;
        bytes32 wraps;
        uint32 wrapsSize;
        Glass glass;
        address[] recipients;  // others than the trustees who keep reading; at most 64 with them
        address by;
        address relay;
        uint64 number;
        uint64 deadline;
    }
    struct HandOver {
        bytes32 folder;
        uint32 handOver;       // from 1
        bytes32 previous;      // fact of the hand-over before; 0: none
        address controller;    // the new one
        bytes32 auditX;
        bytes32 auditY;
        address relay;
        uint64 number;
        uint64 deadline;
    }
    struct Forget {
        bytes32 folder;
        address relay;
        uint64 number;
        uint64 deadline;
    }
    struct Head { // storage layout: docs/wire-formats.md §8
        address controller;
        uint32 epoch;          // from 1
        uint32 handOver;       // how many there were
        uint16 glassMinutes;
        bool closed;           // forgotten
        bool rotationOwed;
        uint64 number;         // the last one that the controller used
        uint40 epochAt;        // number of the block of the newest epoch
        uint40 handOverAt;     // of the newest hand-over
        uint8 threshold;
        uint8 trusteeCount;
        uint8 sharesRefused;   // bit i: trustee i says so of its share of the newest epoch
        bytes32 handOverFact;  // of the newest hand-over; 0: the first controller
        bytes32 keyX;          // of the newest epoch
    }
    struct Point {
        bytes32 x;
        bytes32 y;
    }
    /// What a statement says of its own sending.
    struct Terms {
        address by;
        address relay;
        uint64 number;
        uint64 deadline;
    }

    /// `n` and `before`: in the list of the controller's folders (lib/Lists.sol), like in FolderHandedOver.
    event FolderOpened(bytes32 indexed folder, address indexed controller, uint64 n, bytes24 before);
    event FolderHandedOver(bytes32 indexed folder, address indexed controller, uint32 handOver, uint64 n,
        bytes24 before);
    event EpochStarted(bytes32 indexed folder, uint32 indexed epoch, bytes32 keyX, bytes32 keyY, bytes32 wraps,
        address[] trustees, address[] recipients);
    event GlassPolicy(bytes32 indexed folder, uint16 minutes_, uint8 threshold);
    event RotationOwed(bytes32 indexed folder, uint32 epoch);
    event FolderForgotten(bytes32 indexed folder);
    /// A trustee says that its share of the epoch's key does not fit the commitments.
    event ShareRefused(bytes32 indexed folder, uint32 indexed epoch, address indexed trustee);

    /// The account that the statement names may not make it in this folder.
    error NotController();
    error BadSignature();
    /// The statement names another account as its relay.
    error NotTheRelay();
    error StaleNumber(uint64 last);
    error NotListed();
    error Expired();
    /// The folder has another epoch by now.
    error StaleEpoch(uint32 current);
    /// The folder was handed over by now.
    error StaleHandOver(uint32 current);
    /// There is no such folder.
    error UnknownFolder();
    /// The folder is there already.
    error FolderExists();
    /// The folder is forgotten.
    error FolderIsClosed();
    /// The folder is not forgotten.
    error FolderIsOpen();
    /// The key or the name of its wraps makes no sense.
    error BadKey();
    /// The glass policy makes no sense: its trustees, threshold or commitments.
    error BadGlass();
    /// The list is longer than it may be.
    error TooMany();
    /// A trustee stands twice, or is not an active trustee of the directory.
    error BadRecipients();
    /// The account is not an active trustee of the folder.
    error NotATrustee();
    /// The account has used up its quota of the day.
    error OverQuota();

    /// Signed by the controller and sent by a listed actor. folder = keccak256(abi.encode(chainid, this, controller,
    /// salt)): it commits to the first controller. It uses number 1.
    function open(Open calldata statement, bytes calldata signature) external returns (bytes32 folder);
    /// By the controller, or by a holder of the right to rotate over the whole folder, who keeps the glass policy.
    function rotate(Rotate calldata statement, bytes calldata signature) external;
    /// Signed by the old and the new controller. The old one knows a key still: a rotation is owed.
    function handOver(HandOver calldata statement, bytes calldata oldSignature, bytes calldata newSignature) external;
    /// By the controller. Nothing can be added or read any more; eraseForgotten of each contract names what to delete.
    function forget(Forget calldata statement, bytes calldata signature) external;
    /// By anyone, of a forgotten folder: erases the wraps of these epochs, the last one included.
    function eraseForgotten(bytes32 folder, uint32 fromEpoch, uint32 toEpoch) external;
    /// By a trustee of the folder, of the newest epoch: it stands in the head until the next one.
    function refuseShare(bytes32 folder) external;

    function folderOf(bytes32 folder) external view returns (Head memory);
    /// The fact of the statement that started the epoch.
    function epochOf(bytes32 folder, uint32 epoch) external view returns (bytes32 fact);
    /// The last number that `by` used in the folder.
    function numberOf(bytes32 folder, address by) external view returns (uint64);
    function auditKeyOf(bytes32 folder) external view returns (bytes32 x, bytes32 y);
    function trusteesOf(bytes32 folder) external view returns (address[] memory);
    function isTrustee(bytes32 folder, address who) external view returns (bool);
    function folderId(address controller, bytes32 salt) external view returns (bytes32);

    /// Records and Consent only (fixed at deployment): checks that the statement with this digest (in the caller's
    /// domain) is signed by `terms.by`, that `sender` may send it, and that it is in time; uses up its number. What
    /// `terms.by` may do, and whether the folder must be open, the caller checks.
    function authorize(bytes32 folder, Terms calldata terms, address sender, bytes32 digest, bytes calldata signature)
        external;
    function markRotationOwed(bytes32 folder) external;
}
