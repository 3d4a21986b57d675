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

contract Consent is IConsent, IBlobGate, Eip712 {
    using Quota for mapping(address => Quota.Use);

    bytes32 private constant GRANT = keccak256(
        "Grant(bytes32 folder,bytes32 record,address grantee,uint8 rights,uint16 purposes,uint40 from,uint40 until,bytes32 wrap,uint32 wrapSize,uint64 nonce,uint64 deadline)");
    bytes32 private constant REVOKE = keccak256(
        "Revoke(bytes32 folder,bytes32 record,address grantee,uint64 nonce,uint64 deadline)");
    bytes32 private constant CLOSE_REVIEW = keccak256(
        "CloseReview(uint64 review,bool justified,uint64 nonce,uint64 deadline)");
    uint8 private constant READ = 1;
    uint8 private constant SHARE = 4;
    uint8 private constant RIGHTS_ALL = 15;
    uint8 private constant PURPOSES = 7;
    uint8 private constant ETREAT = 1;
    uint8 private constant RECORD_REGISTERED = 1;
    uint256 private constant WINDOW = 30 minutes;
    uint256 private constant DAILY_REFUSALS = 1000;
    uint256 private constant DAILY_BYTES = 64 << 20;
    uint256 private constant ERASURES_AT_ONCE = 1000;

    enum ItemKind { NONE, GRANT, REASON, RELEASE }
    struct Item {
        ItemKind kind;
        uint64 review;   // of a reason or a release
        address subject; // grantee, or trustee
        bytes32 folder;
        bytes32 record;  // of a grant
    }
    struct Open {
        uint40 until;
        uint8 purpose;
    }
    struct Review {
        address actor;
        uint40 until;
        bool open;
        bytes32 folder;
    }

    mapping(bytes32 key => Grant) private grants;    // key: _grantKey
    mapping(bytes32 key => Open) private windows;    // key: _grantKey
    mapping(bytes32 key => uint64) private glass;    // newest review of (folder, 0, actor)
    mapping(uint64 review => Review) private reviews;
    mapping(bytes32 item => Item) private items;
    mapping(bytes32 folder => bytes32[]) private folderItems;
    mapping(bytes32 folder => uint256) private erasedItems; // of folderItems, after forgetting
    mapping(address => Quota.Use) private refusals;
    mapping(address => Quota.Use) private named;
    uint64 private lastReview;
    IDirectory private immutable directory;
    IFolders private immutable folders;
    IRecords private immutable records;

    constructor(IDirectory directory_, IFolders folders_, IRecords records_) Eip712("xinglin consent") {
        (directory, folders, records) = (directory_, folders_, records_);
    }

    // Grants.

    function grant(GrantAction calldata a, uint64 deadline, bytes calldata signature) external {
        IFolders.Folder memory folder = _relayed(a.folder, deadline);
        _requireSound(a, folder);
        bytes32 fields = keccak256(abi.encode(
            GRANT, a.folder, a.record, a.grantee, a.rights, a.purposes, a.from, a.until, a.wrap, a.wrapSize,
                folder.nonce, deadline));
        folders.authorize(a.folder, msg.sender, _digest(fields), signature);

        bytes32 key = _grantKey(a.folder, a.record, a.grantee);
        _eraseWrap(a, grants[key], folder.epoch);
        grants[key] = Grant(a.rights, a.purposes, a.from, a.until, false, folder.epoch);
        emit Granted(a.folder, a.record, a.grantee, a.rights, a.purposes, a.from, a.until, folder.epoch);
        if (a.rights & READ != 0) {
            bytes32 item = _grantItem(a.folder, a.record, a.grantee, folder.epoch);
            _name(item, Item(ItemKind.GRANT, 0, a.grantee, a.folder, a.record), a.wrap, a.wrapSize);
        }
    }

    function revoke(bytes32 folderId, bytes32 record, address grantee, uint64 deadline, bytes calldata signature)
        external {
        IFolders.Folder memory folder = _relayed(folderId, deadline);
        bytes32 key = _grantKey(folderId, record, grantee);
        Grant storage g = grants[key];
        if (g.rights == 0 || g.revoked) revert NoSuchGrant();
        bytes32 fields = keccak256(abi.encode(REVOKE, folderId, record, grantee, folder.nonce, deadline));
        folders.authorize(folderId, msg.sender, _digest(fields), signature);
        g.revoked = true;
        delete windows[key];
        emit Revoked(folderId, record, grantee);
        if (g.rights & READ != 0) {
            emit BlobErased(_grantItem(folderId, record, grantee, g.epoch));
            folders.markRotationOwed(folderId);
        }
    }

    // Access.

    function access(bytes32 folder, bytes32 record, uint8 purpose) external returns (bool permitted, Reason reason) {
        uint40 until;
        (permitted, reason, until) = _decide(msg.sender, folder, record, purpose);
        if (reason == Reason.PERMITTED) windows[_grantKey(folder, record, msg.sender)] = Open(until, purpose);
        if (!permitted) _countRefusal();
        emit Access(folder, record, msg.sender, purpose, permitted, reason, until);
    }

    function breakGlass(bytes32 folder, bytes32 reasonHash, bytes32 reasonBlob, uint32 reasonSize) external
        returns (bool permitted, uint64 review) {
        IFolders.Folder memory f = folders.folderOf(folder);
        Reason reason = _decideGlass(msg.sender, f);
        if (reason != Reason.EMERGENCY) {
            _countRefusal();
            emit Access(folder, 0, msg.sender, ETREAT, false, reason, 0);
            return (false, 0);
        }
        if (reasonHash == 0 || reasonBlob == 0 || reasonSize == 0) revert NotAllowed();
        uint40 until = uint40(block.timestamp + uint256(f.glassMinutes) * 1 minutes);
        review = ++lastReview;
        reviews[review] = Review(msg.sender, until, true, folder);
        glass[_grantKey(folder, 0, msg.sender)] = review;
        emit GlassBroken(folder, msg.sender, review, reasonHash, until);
        emit Access(folder, 0, msg.sender, ETREAT, true, Reason.EMERGENCY, until);
        _name(keccak256(abi.encode("reason", review)), Item(ItemKind.REASON, review, msg.sender, folder, 0), reasonBlob,
            reasonSize);
        folders.markRotationOwed(folder);
        return (true, review);
    }

    function release(uint64 review, bytes32 blob, uint32 size) external {
        Review storage r = reviews[review];
        if (!_isOpen(r)) revert NoOpenReview();
        if (!directory.isActive(msg.sender, Roles.TRUSTEE)
            || !folders.isTrustee(r.folder, msg.sender)) revert NotATrustee();
        if (folders.folderOf(r.folder).closed || blob == 0 || size == 0) revert NotAllowed();
        emit ShareReleased(review, msg.sender);
        _name(keccak256(abi.encode("release", review, msg.sender)), Item(ItemKind.RELEASE, review, msg.sender, r.folder,
            0), blob, size);
    }

    function closeReview(uint64 review, bool justified, uint64 deadline, bytes calldata signature) external {
        Review storage r = reviews[review];
        if (!r.open) revert NoOpenReview();
        address by = msg.sender;
        if (signature.length != 0 || !directory.isActive(msg.sender, Roles.REGULATOR)) {
            IFolders.Folder memory folder = _relayed(r.folder, deadline);
            bytes32 fields = keccak256(abi.encode(CLOSE_REVIEW, review, justified, folder.nonce, deadline));
            folders.authorize(r.folder, msg.sender, _digest(fields), signature);
            by = folder.controller;
        }
        r.open = false;
        emit ReviewClosed(review, by, justified);
    }

    function anchorAudit(bytes32 head, uint64 count) external {
        if (!directory.isActive(msg.sender, Roles.NODE)) revert NotANode();
        emit AuditAnchored(msg.sender, head, count);
    }

    // Forgetting.

    function folderForgotten(bytes32 folder) external {
        if (msg.sender != address(folders)) revert NotAllowed();
        _eraseItems(folder);
    }

    function eraseForgotten(bytes32 folder) external {
        if (!folders.folderOf(folder).closed) revert NotAllowed();
        _eraseItems(folder);
    }

    // The gate of grant wraps, reasons and releases.

    function mayPut(address who, uint256 size) external view returns (bool) {
        return directory.isActive(who, 0) && size <= DAILY_BYTES && named.used(who) + size <= DAILY_BYTES;
    }

    function mayGet(address who, bytes32 item) external view returns (bool) {
        Item storage i = items[item];
        if (i.kind == ItemKind.NONE) return false;
        IFolders.Folder memory folder = folders.folderOf(i.folder);
        if (folder.closed || _isReplaced(item, i)) return false;
        if (who == folder.controller) return true;
        if (!directory.isActive(who, 0)) return false;
        if (i.kind == ItemKind.GRANT) return who == i.subject
            && _holds(grants[_grantKey(i.folder, i.record, who)], READ);
        if (i.kind == ItemKind.REASON) return directory.isActive(who, Roles.REGULATOR);
        Review storage r = reviews[i.review];
        return who == i.subject || (who == r.actor && _isOpen(r) && directory.isActive(who, Roles.EMERGENCY));
    }

    function mayAudit(address who, bytes32 item) external view returns (bool) {
        return items[item].kind != ItemKind.NONE && who == folders.folderOf(items[item].folder).controller;
    }

    function auditKey(bytes32 item) external view returns (bytes32 x, bytes32 y) {
        IFolders.Folder memory folder = folders.folderOf(items[item].folder);
        return (folder.keyX, folder.keyY);
    }

    function blobsOf(bytes calldata input) external pure returns (bytes32[] memory none) {
        if (input.length < 4) return none;
        bytes4 selector = bytes4(input[0:4]);
        if (selector == this.grant.selector) return Blobs.atWord(input, 7);
        if (selector == this.breakGlass.selector) return Blobs.atWord(input, 2);
        if (selector == this.release.selector) return Blobs.atWord(input, 1);
        return none;
    }

    function confirmErased(bytes32 item) external {
        if (!directory.isActive(msg.sender, Roles.NODE)) revert NotANode();
        Item storage i = items[item];
        if (i.kind == ItemKind.NONE || !(folders.folderOf(i.folder).closed || _isReplaced(item, i))) revert NotErased();
        emit ErasureConfirmed(item, msg.sender);
    }

    // Views.

    function grantOf(bytes32 folder, bytes32 record, address grantee) external view returns (Grant memory) {
        return grants[_grantKey(folder, record, grantee)];
    }

    function hasWindow(address who, bytes32 folder, bytes32 record) external view returns (bool) {
        return windowOf(who, folder, record).until != 0;
    }

    /// The record's own, else the folder's, else that of an emergency; zeros: none is open.
    function windowOf(address who, bytes32 folder, bytes32 record) public view returns (Window memory window) {
        if (!directory.isActive(who, 0) || folders.folderOf(folder).closed) return window;
        if (record != 0) {
            IRecords.Registration memory r = records.registrationOf(record);
            if (r.folder != folder || r.state != RECORD_REGISTERED) return window;
        }
        Open memory own = windows[_grantKey(folder, record, who)];
        if (_stillHolds(own, who, folder, record)) return Window(own.until, own.purpose, false, 0);
        Open memory whole = windows[_grantKey(folder, 0, who)];
        if (_stillHolds(whole, who, folder, 0)) return Window(whole.until, whole.purpose, false, 0);
        uint64 review = glass[_grantKey(folder, 0, who)];
        if (_isOpen(reviews[review]) && directory.isActive(who, Roles.EMERGENCY)) {
            return Window(reviews[review].until, ETREAT, true, review);
        }
    }

    function hasRight(address who, bytes32 folder, bytes32 record, uint8 right) external view returns (bool) {
        if (right == 0 || !directory.isActive(who, 0) || folders.folderOf(folder).closed) return false;
        if (_holds(grants[_grantKey(folder, 0, who)], right)) return true;
        return record != 0 && _holds(grants[_grantKey(folder, record, who)], right);
    }

    function reviewOf(uint64 review) external view returns (bytes32 folder, address actor, uint40 until, bool open) {
        Review storage r = reviews[review];
        return (r.folder, r.actor, r.until, r.open);
    }

    // Inside.

    function _grantKey(bytes32 folder, bytes32 record, address grantee) private pure returns (bytes32) {
        return keccak256(abi.encode(folder, record, grantee));
    }

    function _grantItem(bytes32 folder, bytes32 record, address grantee, uint32 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode("grant", folder, record, grantee, epoch));
    }

    /// For what a controller signed: in time, and sent by itself or a listed actor.
    function _relayed(bytes32 folderId, uint64 deadline) private view returns (IFolders.Folder memory folder) {
        if (block.timestamp > deadline) revert Expired();
        folder = folders.folderOf(folderId);
        if (msg.sender != folder.controller && !directory.isActive(msg.sender, 0)) revert NotListed();
    }

    function _requireSound(GrantAction calldata a, IFolders.Folder memory folder) private view {
        if (folder.controller == address(0) || folder.closed || a.grantee == folder.controller) revert BadGrant();
        if (a.rights == 0 || a.rights & ~RIGHTS_ALL != 0 || a.purposes >> PURPOSES != 0) revert BadGrant();
        if (a.until <= a.from || a.until <= block.timestamp) revert BadGrant();
        bool reads = a.rights & READ != 0;
        if (reads != (a.wrap != 0) || reads != (a.wrapSize != 0) || (reads && a.purposes == 0)) revert BadGrant();
        if (!directory.isActive(a.grantee, 0)) revert BadGrant();
        if (a.record != 0) {
            if (a.rights & ~(READ | SHARE) != 0) revert BadGrant();
            IRecords.Registration memory r = records.registrationOf(a.record);
            if (r.folder != a.folder || r.state != RECORD_REGISTERED) revert UnknownRecord();
        }
    }

    /// A grant that is replaced loses its wrap, unless the new one's stands under the same item. Who no longer reads
    /// knows a key still.
    function _eraseWrap(GrantAction calldata a, Grant memory old, uint32 newEpoch) private {
        if (old.rights & READ == 0 || old.revoked) return;
        bool reads = a.rights & READ != 0;
        if (!reads || old.epoch != newEpoch) emit BlobErased(_grantItem(a.folder, a.record, a.grantee, old.epoch));
        if (!reads) folders.markRotationOwed(a.folder);
    }

    function _name(bytes32 item, Item memory what, bytes32 blob, uint32 size) private {
        if (!named.take(msg.sender, size, DAILY_BYTES)) revert OverQuota();
        if (items[item].kind == ItemKind.NONE) folderItems[what.folder].push(item);
        items[item] = what;
        emit BlobNamed(item, blob, size);
    }

    function _eraseItems(bytes32 folder) private {
        bytes32[] storage all = folderItems[folder];
        uint256 i = erasedItems[folder];
        uint256 end = i + ERASURES_AT_ONCE < all.length ? i + ERASURES_AT_ONCE : all.length;
        for (; i < end; i++) {
            emit BlobErased(all[i]);
        }
        erasedItems[folder] = end;
    }

    /// Of a grant's wrap: the grant was revoked, or holds the wrap of another epoch or none.
    function _isReplaced(bytes32 item, Item storage i) private view returns (bool) {
        if (i.kind != ItemKind.GRANT) return false;
        Grant storage g = grants[_grantKey(i.folder, i.record, i.subject)];
        return g.revoked || g.rights & READ == 0 || item != _grantItem(i.folder, i.record, i.subject, g.epoch);
    }

    function _holds(Grant storage g, uint8 right) private view returns (bool) {
        return g.rights & right == right && !g.revoked && block.timestamp >= g.from && block.timestamp < g.until;
    }

    function _isOpen(Review storage r) private view returns (bool) {
        return r.open && block.timestamp < r.until;
    }

    /// The window has not ended, and a grant for its purpose still holds.
    function _stillHolds(Open memory window, address who, bytes32 folder, bytes32 record) private view returns (bool) {
        if (block.timestamp >= window.until) return false;
        if (_judge(grants[_grantKey(folder, 0, who)], window.purpose) == Reason.PERMITTED) return true;
        return record != 0 && _judge(grants[_grantKey(folder, record, who)], window.purpose) == Reason.PERMITTED;
    }

    function _judge(Grant storage g, uint8 purpose) private view returns (Reason) {
        if (g.rights == 0) return Reason.NO_GRANT;
        if (g.revoked) return Reason.REVOKED;
        if (block.timestamp < g.from) return Reason.NOT_YET;
        if (block.timestamp >= g.until) return Reason.EXPIRED;
        if (g.rights & READ == 0) return Reason.NO_READ_RIGHT;
        if (purpose >= PURPOSES || g.purposes & (uint16(1) << purpose) == 0) return Reason.WRONG_PURPOSE;
        return Reason.PERMITTED;
    }

    function _decide(address who, bytes32 folder, bytes32 record, uint8 purpose) private view
        returns (bool, Reason, uint40) {
        IDirectory.Actor memory actor = directory.actorOf(who);
        if (actor.status == IDirectory.Status.NONE) revert NotListed();
        if (actor.status != IDirectory.Status.ACTIVE) return (false, Reason.ACTOR_INACTIVE, 0);
        IFolders.Folder memory f = folders.folderOf(folder);
        if (f.controller == address(0)) return (false, Reason.UNKNOWN, 0);
        if (f.closed) return (false, Reason.FOLDER_CLOSED, 0);
        if (record != 0) {
            IRecords.Registration memory r = records.registrationOf(record);
            if (r.state == 0 || r.folder != folder) return (false, Reason.UNKNOWN, 0);
            if (r.state != RECORD_REGISTERED) return (false, Reason.RECORD_ERASED, 0);
            if (r.author == who) return (true, Reason.AUTHOR, uint40(block.timestamp + WINDOW));
        }
        uint64 review = glass[_grantKey(folder, 0, who)];
        if (purpose == ETREAT && _isOpen(reviews[review]) && actor.roles & Roles.EMERGENCY != 0) {
            return (true, Reason.EMERGENCY, reviews[review].until);
        }
        return _decideByGrant(who, folder, record, purpose);
    }

    /// By the record's grant or the folder's; where both refuse, the answer is that of the one that exists, the
    /// record's first.
    function _decideByGrant(address who, bytes32 folder, bytes32 record, uint8 purpose) private view
        returns (bool, Reason, uint40) {
        Grant storage own = grants[_grantKey(folder, record, who)];
        Grant storage whole = grants[_grantKey(folder, 0, who)];
        Reason reason = _judge(own, purpose);
        uint256 end = reason == Reason.PERMITTED ? own.until : 0;
        Reason other = _judge(whole, purpose);
        if (other == Reason.PERMITTED) {
            reason = other;
            if (whole.until > end) end = whole.until;
        } else if (reason == Reason.NO_GRANT) {
            reason = other;
        }
        if (reason != Reason.PERMITTED) return (false, reason, 0);
        uint256 until = block.timestamp + WINDOW;
        return (true, reason, uint40(until < end ? until : end));
    }

    function _decideGlass(address who, IFolders.Folder memory f) private view returns (Reason) {
        IDirectory.Actor memory actor = directory.actorOf(who);
        if (actor.status == IDirectory.Status.NONE) revert NotListed();
        if (actor.status != IDirectory.Status.ACTIVE) return Reason.ACTOR_INACTIVE;
        if (f.controller == address(0)) return Reason.UNKNOWN;
        if (f.closed) return Reason.FOLDER_CLOSED;
        if (actor.roles & Roles.EMERGENCY == 0 || f.glassMinutes == 0) return Reason.EMERGENCY_NOT_ALLOWED;
        if (!directory.mayBreakGlass(who)) return Reason.EMERGENCY_TOO_NEW;
        return Reason.EMERGENCY;
    }

    function _countRefusal() private {
        if (!refusals.take(msg.sender, 1, DAILY_REFUSALS)) revert OverQuota();
    }
}
