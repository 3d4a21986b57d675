// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Who may see what, for what purpose, until when; and the log of every look and every refusal. Gate for grant wraps,
/// releases and reasons. `record` 0 means the whole folder.
///
/// Statements, facts, `by`, `relay` and `number` are those of IFolders.
interface IConsent {
    struct Grant {
        bytes32 folder;
        bytes32 record;
        address grantee;
        uint32 keyVersion; // of the grantee's key that the wrap is sealed to: the present one
        uint8 rights;      // 1 read, 2 write, 4 share, 8 rotate
        uint16 purposes;   // bit per purpose: 0 TREAT 1 ETREAT 2 HPAYMT 3 HOPERAT 4 HRESCH 5 PUBHLTH 6 PATRQT
        uint40 from;
        uint40 until;      // exclusive, seconds
        uint32 epoch;      // the present one, whose key the wrap holds
        bytes32 wrap;      // blob of the wrap; 0 if the rights hold no read
        uint32 wrapSize;
        address by;
        address relay;
        uint64 number;
        uint64 deadline;
    }
    struct Revoke {
        bytes32 folder;
        bytes32 record;
        address grantee;
        address by;
        address relay;
        uint64 number;
        uint64 deadline;
    }
    struct Emergency {
        bytes32 folder;
        address actor;
        bytes32 reasonHash;
        bytes32 reason;    // blob of the sealed reason
        uint32 reasonSize;
        uint64 deadline;
    }
    struct CloseReview {
        uint64 review;
        bool justified;
        address by;
        address relay;
        uint64 number;
        uint64 deadline;
    }
    struct GrantState { // storage layout: docs/wire-formats.md §8
        uint8 rights;
        uint16 purposes;
        uint40 from;
        uint40 until;
        bool revoked;
        uint32 epoch;      // whose key the wrap holds
        uint32 count;      // how many times granted
        uint40 statedAt;   // number of the block of `fact`
        bytes32 fact;      // of the newest Grant or Revoke; 0: none
        address delegate;  // who made that; 0: a controller
    }
    struct Review { // storage layout: docs/wire-formats.md §8
        address actor;
        uint40 until;
        bool open;
        uint40 statedAt;   // number of the block of `fact`
        bool justified;    // once it is closed
        bytes32 folder;
        bytes32 fact;      // of the Emergency
        address closedBy;  // 0: it is open
    }
    struct Anchor { // storage layout: docs/wire-formats.md §8
        bytes32 root;
        uint64 count;
        uint40 time;
    }
    /// Why an access was permitted or refused. Stable numbers.
    enum Reason { PERMITTED, AUTHOR, EMERGENCY, NO_GRANT, NOT_YET, EXPIRED, REVOKED, WRONG_PURPOSE, NO_READ_RIGHT,
        ACTOR_INACTIVE, FOLDER_CLOSED, RECORD_ERASED, EMERGENCY_NOT_ALLOWED, EMERGENCY_TOO_NEW, UNKNOWN,
        EMERGENCY_QUOTA }
    struct Window {
        uint40 until;
        uint8 purpose;     // number, not bit
        bool emergency;
        uint64 review;     // of a break-glass; 0: none
    }

    /// `fact`: the statement's, which is the entry. `n` and `before`: in the folder's list of grants (lib/Lists.sol),
    /// like in Revoked.
    event Granted(bytes32 indexed folder, bytes32 indexed record, address indexed grantee, uint8 rights,
        uint16 purposes, uint40 from, uint40 until, uint32 epoch, uint32 count, bytes32 fact, uint64 n, bytes24 before);
    event Revoked(bytes32 indexed folder, bytes32 indexed record, address indexed grantee, bytes32 fact, uint64 n,
        bytes24 before);
    /// `review`: 0 unless `reason` is EMERGENCY. `n` and `before`: in the folder's list of looks, whose entry is
    /// keccak256(abi.encode(record, actor, purpose, permitted, reason, until, review)).
    event Access(bytes32 indexed folder, bytes32 indexed record, address indexed actor, uint8 purpose, bool permitted,
        Reason reason, uint40 until, uint64 review, uint64 n, bytes24 before);
    event GlassBroken(bytes32 indexed folder, address indexed actor, uint64 indexed review, bytes32 reasonHash,
        uint40 until);
    /// `epoch`: whose key the share is of.
    event ShareReleased(uint64 indexed review, address indexed trustee, uint32 epoch);
    /// The emergency actor says that what the trustee released does not fit the commitments.
    event ReleaseRefused(uint64 indexed review, address indexed trustee, uint32 epoch);
    event ReviewClosed(uint64 indexed review, address indexed by, bool justified);
    event AuditAnchored(address indexed node, bytes32 root, uint64 count);

    error NotListed();
    error Expired();
    error NotController();
    error BadSignature();
    /// The folder has another epoch by now.
    error StaleEpoch(uint32 current);
    /// The grantee has another encryption key by now.
    error StaleGranteeKey();
    /// The grant makes no sense: its grantee, rights, purposes or times.
    error BadGrant();
    /// A delegate gives no more and no longer than it has itself, and changes nothing that others have stated.
    error BeyondOwnRight();
    error UnknownRecord();
    error OverQuota();
    error NotATrustee();
    /// There is no such emergency, or its window has ended.
    error NoOpenReview();
    /// This is not allowed in the present state.
    error NotAllowed();

    /// By the controller, or by a holder of the right to share over the whole folder. A new grant to the same grantee
    /// and record replaces the old one, and has a wrap and an item of its own.
    function grant(Grant calldata statement, bytes calldata signature) external;
    /// By the controller, or by a holder of the right to share of what it granted itself. Ends grant and window at
    /// once; rotation owed. Revoking what is not granted succeeds and uses its number: a grant that was held back is
    /// void.
    function revoke(Revoke calldata statement, bytes calldata signature) external;
    /// Asks for a window. Never reverts for a listed actor within its quota (1,000 refusals a day): refusals are
    /// events. A look inside an open window for the same purpose is no event. `purpose` is the number, `until` the
    /// window's end.
    function access(bytes32 folder, bytes32 record, uint8 purpose) external
        returns (bool permitted, Reason reason, uint40 until);
    /// By the emergency actor, who signs it and sends it itself. Refusals are Access events with purpose ETREAT.
    function breakGlass(Emergency calldata statement, bytes calldata signature) external
        returns (bool permitted, uint64 review);
    /// By a trustee of the folder, while the window is open, once for each epoch: names the blob that holds its share
    /// of the newest epoch's key for the emergency actor.
    function release(uint64 review, uint32 epoch, bytes32 blob, uint32 size) external;
    /// By the emergency actor of the review: the trustee's release is false.
    function refuseRelease(uint64 review, uint32 epoch, address trustee) external;
    /// By the controller; or, without a signature, by a regulator itself. Never by the review's own actor. Ends the
    /// window.
    function closeReview(CloseReview calldata statement, bytes calldata signature) external;
    /// By an active actor, for what it serves as a node or shows through a gateway: the root of its map of reads or
    /// looks, and how many it holds, which never falls.
    function anchorAudit(bytes32 root, uint64 count) external;
    /// What the actor anchored last; zeros: nothing. `time` is the block's.
    function anchorOf(address node) external view returns (bytes32 root, uint64 count, uint40 time);

    /// Records only, when a record is erased: the wraps of its grants are, the first 64 at once.
    function recordErased(bytes32 folder, bytes32 record) external;
    /// By anyone: erases items of the folder that went with it when it was forgotten, or with their record. Others are
    /// passed over.
    function eraseForgotten(bytes32 folder, bytes32[] calldata ids) external;

    function grantOf(bytes32 folder, bytes32 record, address grantee) external view returns (GrantState memory);
    /// An open window over the record (its own or its folder's), inside a grant that holds now, or of its author, or
    /// of an emergency.
    function hasWindow(address who, bytes32 folder, bytes32 record) external view returns (bool);
    function windowOf(address who, bytes32 folder, bytes32 record) external view returns (Window memory);
    function hasRight(address who, bytes32 folder, bytes32 record, uint8 right) external view returns (bool);
    function reviewOf(uint64 review) external view returns (Review memory);
}
