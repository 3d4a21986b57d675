// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Who may see what, for what purpose, until when; and the log of every look and every refusal. Gate for grant wraps,
/// releases
/// and reasons. `record` 0 means the whole folder.
interface IConsent {
    struct Grant {
        uint8 rights;      // 1 read, 2 write, 4 share, 8 rotate
        uint16 purposes;   // bit per purpose: 0 TREAT 1 ETREAT 2 HPAYMT 3 HOPERAT 4 HRESCH 5 PUBHLTH 6 PATRQT
        uint40 from;
        uint40 until;      // exclusive, seconds
        bool revoked;
        uint32 epoch;      // whose key the wrap holds
    }
    struct GrantAction {
        bytes32 folder;
        bytes32 record;
        address grantee;
        uint8 rights;
        uint16 purposes;
        uint40 from;
        uint40 until;
        bytes32 wrap;      // blob of the wrap; 0 where rights hold no read
        uint32 wrapSize;
    }
    /// Why an access was permitted or refused. Stable numbers.
    enum Reason { PERMITTED, AUTHOR, EMERGENCY, NO_GRANT, NOT_YET, EXPIRED, REVOKED, WRONG_PURPOSE, NO_READ_RIGHT,
        ACTOR_INACTIVE, FOLDER_CLOSED, RECORD_ERASED, EMERGENCY_NOT_ALLOWED, EMERGENCY_TOO_NEW, UNKNOWN }
    struct Window {
        uint40 until;
        uint8 purpose;     // number, not bit
        bool emergency;
        uint64 review;     // of a break-glass; 0: none
    }

    event Granted(bytes32 indexed folder, bytes32 indexed record, address indexed grantee, uint8 rights,
        uint16 purposes, uint40 from, uint40 until, uint32 epoch);
    event Revoked(bytes32 indexed folder, bytes32 indexed record, address indexed grantee);
    event Access(bytes32 indexed folder, bytes32 indexed record, address indexed actor, uint8 purpose, bool permitted,
        Reason reason, uint40 until);
    event GlassBroken(bytes32 indexed folder, address indexed actor, uint64 indexed review, bytes32 reasonHash,
        uint40 until);
    event ShareReleased(uint64 indexed review, address indexed trustee);
    event ReviewClosed(uint64 indexed review, address indexed by, bool justified);
    event AuditAnchored(address indexed node, bytes32 head, uint64 count);

    error NotListed();
    error Expired();
    /// The grant makes no sense: its grantee, rights, purposes or times.
    error BadGrant();
    /// There is no such grant, or it is revoked.
    error NoSuchGrant();
    error UnknownRecord();
    error OverQuota();
    /// The account is not an active trustee of the folder.
    error NotATrustee();
    /// There is no such emergency, or its window has ended.
    error NoOpenReview();
    /// This is not allowed in the present state.
    error NotAllowed();

    /// EIP-712 `Grant(bytes32 folder,bytes32 record,address grantee,uint8 rights,uint16 purposes,uint40 from,uint40
    /// until,bytes32 wrap,uint32 wrapSize,uint64 nonce,uint64 deadline)`
    /// by the controller. A new grant to the same grantee and record replaces the old one.
    function grant(GrantAction calldata action, uint64 deadline, bytes calldata signature) external;
    /// EIP-712 `Revoke(bytes32 folder,bytes32 record,address grantee,uint64 nonce,uint64 deadline)`. Ends grant and
    /// window at once; rotation owed.
    function revoke(bytes32 folder, bytes32 record, address grantee, uint64 deadline, bytes calldata signature)
        external;
    /// Asks for a window. Never reverts for a listed actor within its quota (1,000 refusals a day): refusals are
    /// events. `purpose` is the number.
    function access(bytes32 folder, bytes32 record, uint8 purpose) external returns (bool permitted, Reason reason);
    /// By an emergency actor. Refusals are Access events with purpose ETREAT. `reason`: blob of the sealed reason.
    function breakGlass(bytes32 folder, bytes32 reasonHash, bytes32 reason, uint32 reasonSize) external
        returns (bool permitted, uint64 review);
    /// By a trustee of the folder, while the window is open: names the blob that holds its share for the emergency
    /// actor.
    function release(uint64 review, bytes32 blob, uint32 size) external;
    /// EIP-712 `CloseReview(uint64 review,bool justified,uint64 nonce,uint64 deadline)` by the controller, or by a
    /// regulator itself (no signature). Ends the window.
    function closeReview(uint64 review, bool justified, uint64 deadline, bytes calldata signature) external;
    /// By a node that the directory lists:
    function anchorAudit(bytes32 head, uint64 count) external;

    /// Folders only, when a folder is forgotten: its wraps, releases and reasons are erased, the first 1,000 at once.
    function folderForgotten(bytes32 folder) external;
    /// Anyone, of a forgotten folder with more: the next 1,000.
    function eraseForgotten(bytes32 folder) external;

    function grantOf(bytes32 folder, bytes32 record, address grantee) external view returns (Grant memory);
    /// An open window over the record (its own or its folder's), inside a grant that holds now, or of an emergency.
    function hasWindow(address who, bytes32 folder, bytes32 record) external view returns (bool);
    function windowOf(address who, bytes32 folder, bytes32 record) external view returns (Window memory);
    function hasRight(address who, bytes32 folder, bytes32 record, uint8 right) external view returns (bool);
    function reviewOf(uint64 review) external view returns (bytes32 folder, address actor, uint40 until, bool open);
}
