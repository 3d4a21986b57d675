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

contract Consent is IConsent, IBlobGate, Stated, Eip712 {
    using Lists for Lists.List;
    using Quota for mapping(bytes32 => Quota.Use);

    bytes32 private constant GRANT = keccak256(
        "Grant(bytes32 folder,bytes32 record,address grantee,uint32 keyVersion,uint8 rights,uint16 purposes,"
        "uint40 from,uint40 until,uint32 epoch,bytes32 wrap,uint32 wrapSize,address by,address relay,"
        "uint64 number,uint64 deadline)");
    bytes32 private constant REVOKE = keccak256(
        "Revoke(bytes32 folder,bytes32 record,address grantee,address by,address relay,uint64 number,uint64 deadline)");
    bytes32 private constant EMERGENCY = keccak256(
        "Emergency(bytes32 folder,address actor,bytes32 reasonHash,bytes32 reason,uint32 reasonSize,uint64 deadline)");
    bytes32 private constant CLOSE_REVIEW = keccak256(
        "CloseReview(uint64 review,bool justified,address by,address relay,uint64 number,uint64 deadline)");
    uint8 private constant READ = 1;
    uint8 private constant SHARE = 4;
    uint8 private constant MAY_ROTATE = 8;
    uint8 private constant RIGHTS_ALL = 15;
    uint8 private constant PURPOSES = 7;
    uint8 private constant ETREAT = 1;
    uint8 private constant RECORD_REGISTERED = 1;
    uint256 private constant WINDOW = 30 minutes;
    uint256 private constant DAILY_REFUSALS = 1000;
    uint256 private constant DAILY_EMERGENCIES = 3; // of an actor in one folder
    uint256 private constant DAILY_BYTES = 64 << 20;
    uint256 private constant ERASURES_AT_ONCE = 64;
    uint256 private constant WRAP_WORD = 9;   // of Grant
    uint256 private constant REASON_WORD = 3; // of Emergency
    uint256 private constant RELEASE_WORD = 2;

    enum ItemKind { NONE, GRANT, REASON, RELEASE }
    struct Item {
        ItemKind kind;
        bool erased;     // with its folder or its record
        uint64 review;   // of a reason or a release
        address subject; // grantee, or trustee
        bool refused;    // a release, by its emergency actor
        bytes32 folder;
        bytes32 about;   // of a grant: its record; of a release: its blob, so that nobody else answers for it
    }

    mapping(bytes32 key => GrantState) private grants; // proofs rely on these slots; key: _grantKey
    mapping(bytes32 folder => Lists.List) private grantLists;
    mapping(bytes32 folder => Lists.List) private lookLists;
    mapping(uint64 review => Review) private reviews;
    mapping(address node => Anchor) private anchors;
    mapping(bytes32 key => uint256) private windows;    // their ends, 32 bits a purpose; key: _grantKey
    mapping(bytes32 key => uint64) private glass;       // newest review of (folder, 0, actor)
    mapping(bytes32 item => Item) private items;
    mapping(bytes32 record => address[]) private grantees; // of grants over one record
    mapping(bytes32 account => Quota.Use) private refusals;
    mapping(bytes32 key => Quota.Use) private emergencies; // of an actor, and of (folder, 0, actor)
    mapping(bytes32 account => Quota.Use) private named;
    uint64 private lastReview;
    IDirectory private immutable directory;
    IFolders private immutable folders;
    IRecords private immutable records;

    constructor(IDirectory directory_, IFolders folders_, IRecords records_)
        Eip712("xinglin consent", directory_.genesis()) {
        (directory, folders, records) = (directory_, folders_, records_);
    }

    // Grants.

    function grant(Grant calldata g, bytes calldata signature) external
        stated(abi.encodeCall(this.grant, (g, signature))) {
        IFolders.Head memory head = folders.folderOf(g.folder);
        _requireSound(g, head);
        GrantState storage state = grants[_grantKey(g.folder, g.record, g.grantee)];
        if (g.by != head.controller) {
            _requireDelegate(g.by, g.folder, state);
            _requireWithin(g, grants[_grantKey(g.folder, 0, g.by)]);
        }
        bytes32 fact = keccak256(abi.encode(GRANT, g));
        _authorize(g.folder, IFolders.Terms(g.by, g.relay, g.number, g.deadline), fact, signature);

        _eraseWrap(g, state);
        if (g.record != 0 && state.count == 0) grantees[g.record].push(g.grantee);
        uint32 count = state.count + 1;
        grants[_grantKey(g.folder, g.record, g.grantee)] = GrantState(g.rights, g.purposes, g.from, g.until, false,
            g.epoch, count, uint40(block.number), fact, g.by == head.controller ? address(0) : g.by);
        (uint64 n, bytes24 before) = grantLists[g.folder].append(fact);
        emit Granted(g.folder, g.record, g.grantee, g.rights, g.purposes, g.from, g.until, g.epoch, count, fact, n,
            before);
        if (g.rights & READ != 0) {
            bytes32 item = _grantItem(g.folder, g.record, g.grantee, g.epoch, count);
            _name(item, Item(ItemKind.GRANT, false, 0, g.grantee, false, g.folder, g.record), g.wrap, g.wrapSize);
        }
    }

    function revoke(Revoke calldata r, bytes calldata signature) external
        stated(abi.encodeCall(this.revoke, (r, signature))) {
        address controller = folders.folderOf(r.folder).controller;
        bytes32 key = _grantKey(r.folder, r.record, r.grantee);
        GrantState storage state = grants[key];
        if (r.by != controller) _requireDelegate(r.by, r.folder, state);
        bytes32 fact = keccak256(abi.encode(REVOKE, r));
        _authorize(r.folder, IFolders.Terms(r.by, r.relay, r.number, r.deadline), fact, signature);

        bool hadWrap = state.rights & READ != 0 && !state.revoked;
        (state.revoked, state.statedAt, state.fact) = (true, uint40(block.number), fact);
        state.delegate = r.by == controller ? address(0) : r.by;
        delete windows[key];
        (uint64 n, bytes24 before) = grantLists[r.folder].append(fact);
        emit Revoked(r.folder, r.record, r.grantee, fact, n, before);
        if (hadWrap) {
            emit BlobErased(_grantItem(r.folder, r.record, r.grantee, state.epoch, state.count));
            folders.markRotationOwed(r.folder);
        }
    }

    // Access.

    function access(bytes32 folder, bytes32 record, uint8 purpose) external
        returns (bool permitted, Reason reason, uint40 until) {
        uint64 review;
        (reason, until, review) = _decide(msg.sender, folder, record, purpose);
        permitted = reason <= Reason.EMERGENCY;
        if (permitted) {
            uint40 open = reason == Reason.EMERGENCY ? until : _openUntil(folder, record, purpose);
            if (open != 0) return (permitted, reason, open);
            _openWindow(_grantKey(folder, record, msg.sender), purpose, until);
        }
        _log(folder, record, purpose, reason, until, review);
    }

    function breakGlass(Emergency calldata e, bytes calldata signature) external
        stated(abi.encodeCall(this.breakGlass, (e, signature)))
        returns (bool permitted, uint64 review) {
        bytes32 fact = keccak256(abi.encode(EMERGENCY, e));
        if (msg.sender != e.actor || !_signedBy(e.actor, _digest(fact), signature)) revert BadSignature();
        if (block.timestamp > e.deadline) revert Expired();
        if (e.reasonHash == 0 || e.reason == 0 || e.reasonSize == 0) revert NotAllowed();
        IFolders.Head memory head = folders.folderOf(e.folder);
        bytes32 key = _grantKey(e.folder, 0, e.actor);
        Reason reason = _decideGlass(e.actor, head, key);
        if (reason != Reason.EMERGENCY) {
            _log(e.folder, 0, ETREAT, reason, 0, 0);
            return (false, 0);
        }
        uint40 until = uint40(block.timestamp + uint256(head.glassMinutes) * 1 minutes);
        review = ++lastReview;
        reviews[review] = Review(e.actor, until, true, uint40(block.number), false, e.folder, fact, address(0));
        glass[key] = review;
        emit GlassBroken(e.folder, e.actor, review, e.reasonHash, until);
        _log(e.folder, 0, ETREAT, reason, until, review);
        _name(keccak256(abi.encode("reason", review)),
            Item(ItemKind.REASON, false, review, e.actor, false, e.folder, 0), e.reason, e.reasonSize);
        folders.markRotationOwed(e.folder);
        return (true, review);
    }

    function release(uint64 review, uint32 epoch, bytes32 blob, uint32 size) external topLevel {
        Review storage r = reviews[review];
        if (!_isOpen(r)) revert NoOpenReview();
        if (!directory.isActive(msg.sender, Roles.TRUSTEE)
            || !folders.isTrustee(r.folder, msg.sender)) revert NotATrustee();
        IFolders.Head memory head = folders.folderOf(r.folder);
        if (epoch != head.epoch) revert StaleEpoch(head.epoch);
        bytes32 item = _releaseItem(review, msg.sender, epoch);
        if (head.closed || blob == 0 || size == 0 || items[item].kind != ItemKind.NONE) revert NotAllowed();
        emit ShareReleased(review, msg.sender, epoch);
        _name(item, Item(ItemKind.RELEASE, false, review, msg.sender, false, r.folder, blob), blob, size);
    }

    function refuseRelease(uint64 review, uint32 epoch, address trustee) external {
        Item storage item = items[_releaseItem(review, trustee, epoch)];
        if (msg.sender != reviews[review].actor || item.kind == ItemKind.NONE || item.refused) revert NotAllowed();
        item.refused = true;
        emit ReleaseRefused(review, trustee, epoch);
    }

    function closeReview(CloseReview calldata c, bytes calldata signature) external
        stated(abi.encodeCall(this.closeReview, (c, signature))) {
        Review storage r = reviews[c.review];
        if (!r.open) revert NoOpenReview();
        if (c.by == r.actor) revert NotAllowed();
        if (signature.length == 0) {
            if (c.by != msg.sender || !directory.isActive(c.by, Roles.REGULATOR)) revert BadSignature();
        } else {
            if (c.by != folders.folderOf(r.folder).controller) revert NotController();
            _authorize(r.folder, IFolders.Terms(c.by, c.relay, c.number, c.deadline),
                keccak256(abi.encode(CLOSE_REVIEW, c)), signature);
        }
        (r.open, r.justified, r.closedBy) = (false, c.justified, c.by);
        emit ReviewClosed(c.review, c.by, c.justified);
    }

    function anchorAudit(bytes32 root, uint64 count) external {
        if (!directory.isActive(msg.sender, 0)) revert NotListed();
        if (count < anchors[msg.sender].count) revert NotAllowed();
        anchors[msg.sender] = Anchor(root, count, uint40(block.timestamp));
        emit AuditAnchored(msg.sender, root, count);
    }

    function anchorOf(address node) external view returns (bytes32 root, uint64 count, uint40 time) {
        Anchor storage a = anchors[node];
        return (a.root, a.count, a.time);
    }

    // Erasing.

    function recordErased(bytes32 folder, bytes32 record) external {
        if (msg.sender != address(records)) revert NotAllowed();
        address[] storage all = grantees[record];
        for (uint256 i = 0; i < all.length && i < ERASURES_AT_ONCE; i++) {
            GrantState storage g = grants[_grantKey(folder, record, all[i])];
            if (g.rights & READ == 0 || g.revoked) continue;
            _eraseItem(_grantItem(folder, record, all[i], g.epoch, g.count));
        }
    }

    function eraseForgotten(bytes32 folder, bytes32[] calldata ids) external {
        bool closed = folders.folderOf(folder).closed;
        for (uint256 i = 0; i < ids.length; i++) {
            Item storage item = items[ids[i]];
            if (item.kind == ItemKind.NONE || item.folder != folder || _isReplaced(ids[i], item)) continue;
            if (!item.erased && (closed || _isOfErasedRecord(item))) _eraseItem(ids[i]);
        }
    }

    // The gate of grant wraps, reasons and releases.

    function mayPut(address who, uint256 size) external view returns (bool) {
        return directory.isActive(who, 0) && named.hasRoom(Quota.key(who), size, DAILY_BYTES);
    }

    function mayPutLate(address who, bytes32 item) external view returns (bool) {
        (bool stands, address controller) = _stands(item);
        return stands && (who == controller || directory.isActive(who, 0));
    }

    function mayGet(address who, bytes32 item) external view returns (bool) {
        (bool stands, address controller) = _stands(item);
        if (!stands) return false;
        if (who == controller) return true;
        if (!directory.isActive(who, 0)) return false;
        Item storage i = items[item];
        if (i.kind == ItemKind.GRANT) return who == i.subject
            && _holds(grants[_grantKey(i.folder, i.about, who)], READ);
        if (i.kind == ItemKind.REASON) return directory.isActive(who, Roles.REGULATOR);
        Review storage r = reviews[i.review];
        return who == i.subject || (who == r.actor && _isOpen(r) && directory.isActive(who, Roles.EMERGENCY));
    }

    function mayAudit(address who, bytes32 folder) external view returns (bool) {
        return who != address(0) && who == folders.folderOf(folder).controller;
    }

    function auditOf(bytes32 item) external view returns (bytes32 folder, bytes32 x, bytes32 y) {
        folder = items[item].folder;
        (x, y) = folders.auditKeyOf(folder);
    }

    function blobsOf(bytes calldata input) external pure returns (bytes32[] memory none) {
        if (input.length < 4) return none;
        bytes4 selector = bytes4(input[0:4]);
        if (selector == this.grant.selector) return Blobs.atWord(input, WRAP_WORD);
        if (selector == this.breakGlass.selector) return Blobs.atWord(input, REASON_WORD);
        if (selector == this.release.selector) return Blobs.atWord(input, RELEASE_WORD);
        return none;
    }

    function confirmErased(bytes32 item) external {
        if (!directory.isActive(msg.sender, Roles.NODE)) revert NotANode();
        (bool stands,) = _stands(item);
        if (stands || items[item].kind == ItemKind.NONE) revert NotErased();
        emit ErasureConfirmed(item, msg.sender);
    }

    // Views.

    function grantOf(bytes32 folder, bytes32 record, address grantee) external view returns (GrantState memory) {
        return grants[_grantKey(folder, record, grantee)];
    }

    function hasWindow(address who, bytes32 folder, bytes32 record) external view returns (bool) {
        return windowOf(who, folder, record).until != 0;
    }

    /// The record's own, else the folder's, else that of an emergency; zeros: none is open.
    function windowOf(address who, bytes32 folder, bytes32 record) public view returns (Window memory window) {
        if (!directory.isActive(who, 0) || folders.folderOf(folder).closed) return window;
        bool isAuthor = false;
        if (record != 0) {
            IRecords.Registration memory r = records.registrationOf(record);
            if (r.folder != folder || r.state != RECORD_REGISTERED) return window;
            isAuthor = r.author == who;
        }
        window = _windowIn(who, folder, record, isAuthor);
        if (window.until == 0) window = _windowIn(who, folder, 0, false);
        if (window.until != 0) return window;
        uint64 review = glass[_grantKey(folder, 0, who)];
        if (_isOpen(reviews[review]) && directory.isActive(who, Roles.EMERGENCY)) {
            return Window(reviews[review].until, ETREAT, true, review);
        }
    }

    function hasRight(address who, bytes32 folder, bytes32 record, uint8 right) public view returns (bool) {
        if (right == 0 || !directory.isActive(who, 0) || folders.folderOf(folder).closed) return false;
        if (_holds(grants[_grantKey(folder, 0, who)], right)) return true;
        return record != 0 && _holds(grants[_grantKey(folder, record, who)], right);
    }

    function reviewOf(uint64 review) external view returns (Review memory) {
        return reviews[review];
    }

    // Inside: grants.

    function _grantKey(bytes32 folder, bytes32 record, address grantee) private pure returns (bytes32) {
        return keccak256(abi.encode(folder, record, grantee));
    }

    function _grantItem(bytes32 folder, bytes32 record, address grantee, uint32 epoch, uint32 count) private pure
        returns (bytes32) {
        return keccak256(abi.encode("grant", folder, record, grantee, epoch, count));
    }

    function _releaseItem(uint64 review, address trustee, uint32 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode("release", review, trustee, epoch));
    }

    function _authorize(bytes32 folder, IFolders.Terms memory terms, bytes32 fact, bytes calldata signature) private {
        folders.authorize(folder, terms, msg.sender, _digest(fact), signature);
    }

    function _requireSound(Grant calldata g, IFolders.Head memory head) private view {
        if (head.controller == address(0) || head.closed || g.grantee == head.controller) revert BadGrant();
        if (g.epoch != head.epoch) revert StaleEpoch(head.epoch);
        if (g.rights == 0 || g.rights & ~RIGHTS_ALL != 0 || g.purposes >> PURPOSES != 0) revert BadGrant();
        if (g.until <= g.from || g.until <= block.timestamp) revert BadGrant();
        bool reads = g.rights & READ != 0;
        if (reads != (g.wrap != 0) || reads != (g.wrapSize != 0) || (reads && g.purposes == 0)) revert BadGrant();
        if (!directory.isActive(g.grantee, 0)) revert BadGrant();
        if (!directory.isKeyCurrent(g.grantee, g.keyVersion)) revert StaleGranteeKey();
        if (g.record != 0) {
            if (g.rights & ~(READ | SHARE) != 0) revert BadGrant();
            IRecords.Registration memory r = records.registrationOf(g.record);
            if (r.folder != g.folder || r.state != RECORD_REGISTERED) revert UnknownRecord();
        }
    }

    /// A delegate states what nobody has stated yet, or what it stated itself: it neither ends what the controller gave
    /// nor gives what the controller took.
    function _requireDelegate(address by, bytes32 folder, GrantState storage state) private view {
        if (!hasRight(by, folder, 0, SHARE)) revert NotController();
        if (state.fact != 0 && state.delegate != by) revert BeyondOwnRight();
    }

    function _requireWithin(Grant calldata g, GrantState storage own) private view {
        bool within = g.grantee != g.by && g.rights & ~(own.rights & ~(SHARE | MAY_ROTATE)) == 0
            && g.purposes & ~own.purposes == 0 && g.until <= own.until;
        if (!within) revert BeyondOwnRight();
    }

    /// A grant that is replaced loses its wrap. Who no longer reads knows a key still.
    function _eraseWrap(Grant calldata g, GrantState storage old) private {
        if (old.rights & READ == 0 || old.revoked) return;
        emit BlobErased(_grantItem(g.folder, g.record, g.grantee, old.epoch, old.count));
        if (g.rights & READ == 0) folders.markRotationOwed(g.folder);
    }

    function _holds(GrantState storage g, uint8 right) private view returns (bool) {
        return g.rights & right == right && !g.revoked && block.timestamp >= g.from && block.timestamp < g.until;
    }

    function _judge(GrantState storage g, uint8 purpose) private view returns (Reason) {
        if (g.rights == 0) return Reason.NO_GRANT;
        if (g.revoked) return Reason.REVOKED;
        if (block.timestamp < g.from) return Reason.NOT_YET;
        if (block.timestamp >= g.until) return Reason.EXPIRED;
        if (g.rights & READ == 0) return Reason.NO_READ_RIGHT;
        if (purpose >= PURPOSES || g.purposes & (uint16(1) << purpose) == 0) return Reason.WRONG_PURPOSE;
        return Reason.PERMITTED;
    }

    // Inside: items.

    function _name(bytes32 item, Item memory what, bytes32 blob, uint32 size) private {
        if (!named.take(Quota.key(msg.sender), size, DAILY_BYTES)) revert OverQuota();
        items[item] = what;
        emit BlobNamed(item, blob, size);
    }

    function _eraseItem(bytes32 item) private {
        items[item].erased = true;
        emit BlobErased(item);
    }

    function _stands(bytes32 item) private view returns (bool stands, address controller) {
        Item storage i = items[item];
        if (i.kind == ItemKind.NONE) return (false, address(0));
        IFolders.Head memory head = folders.folderOf(i.folder);
        return (!head.closed && !i.erased && !_isReplaced(item, i) && !_isOfErasedRecord(i), head.controller);
    }

    /// Of a grant's wrap: the grant was revoked, or holds a newer wrap or none.
    function _isReplaced(bytes32 item, Item storage i) private view returns (bool) {
        if (i.kind != ItemKind.GRANT) return false;
        GrantState storage g = grants[_grantKey(i.folder, i.about, i.subject)];
        return g.revoked || g.rights & READ == 0
            || item != _grantItem(i.folder, i.about, i.subject, g.epoch, g.count);
    }

    function _isOfErasedRecord(Item storage i) private view returns (bool) {
        return i.kind == ItemKind.GRANT && i.about != 0
            && records.registrationOf(i.about).state != RECORD_REGISTERED;
    }

    // Inside: access.

    function _isOpen(Review storage r) private view returns (bool) {
        return r.open && block.timestamp < r.until;
    }

    /// Does a grant over the record, or over its folder, permit this purpose now?
    function _permits(address who, bytes32 folder, bytes32 record, uint8 purpose) private view returns (bool) {
        if (_judge(grants[_grantKey(folder, 0, who)], purpose) == Reason.PERMITTED) return true;
        return record != 0 && _judge(grants[_grantKey(folder, record, who)], purpose) == Reason.PERMITTED;
    }

    /// The end of the window that was asked for over just this; 0: it has ended.
    function _endOf(bytes32 key, uint8 purpose) private view returns (uint40) {
        uint256 end = uint32(windows[key] >> (32 * purpose));
        return block.timestamp < end ? uint40(end) : 0;
    }

    function _openWindow(bytes32 key, uint8 purpose, uint40 until) private {
        uint256 shift = 32 * purpose;
        windows[key] = (windows[key] & ~(uint256(type(uint32).max) << shift)) | uint256(uint32(until)) << shift;
    }

    /// A window of some purpose over just this, for which a grant still holds; an author needs none.
    function _windowIn(address who, bytes32 folder, bytes32 record, bool isAuthor) private view
        returns (Window memory window) {
        bytes32 key = _grantKey(folder, record, who);
        for (uint8 purpose = 0; purpose < PURPOSES; purpose++) {
            uint40 until = _endOf(key, purpose);
            if (until != 0 && (isAuthor || _permits(who, folder, record, purpose))) {
                return Window(until, purpose, false, 0);
            }
        }
    }

    /// Of a look that is permitted: the end of a window for its purpose, which was logged when it opened; 0: none is
    /// open.
    function _openUntil(bytes32 folder, bytes32 record, uint8 purpose) private view returns (uint40 until) {
        until = _endOf(_grantKey(folder, record, msg.sender), purpose);
        if (until == 0 && _permits(msg.sender, folder, 0, purpose)) {
            until = _endOf(_grantKey(folder, 0, msg.sender), purpose);
        }
    }

    /// Who is not listed is no party to anybody's log.
    function _isActiveOrListed(address who) private view returns (bool) {
        if (directory.isActive(who, 0)) return true;
        if (directory.actorOf(who).status == IDirectory.Status.NONE) revert NotListed();
        return false;
    }

    function _decide(address who, bytes32 folder, bytes32 record, uint8 purpose) private view
        returns (Reason, uint40 until, uint64 review) {
        if (!_isActiveOrListed(who)) return (Reason.ACTOR_INACTIVE, 0, 0);
        IFolders.Head memory head = folders.folderOf(folder);
        if (head.controller == address(0)) return (Reason.UNKNOWN, 0, 0);
        if (head.closed) return (Reason.FOLDER_CLOSED, 0, 0);
        if (record != 0) {
            IRecords.Registration memory r = records.registrationOf(record);
            if (r.state == 0 || r.folder != folder) return (Reason.UNKNOWN, 0, 0);
            if (r.state != RECORD_REGISTERED) return (Reason.RECORD_ERASED, 0, 0);
            if (r.author == who && purpose < PURPOSES) return (Reason.AUTHOR, uint40(block.timestamp + WINDOW), 0);
        }
        review = glass[_grantKey(folder, 0, who)];
        if (purpose == ETREAT && _isOpen(reviews[review]) && directory.isActive(who, Roles.EMERGENCY)) {
            return (Reason.EMERGENCY, reviews[review].until, review);
        }
        Reason reason;
        (reason, until) = _decideByGrant(who, folder, record, purpose);
        return (reason, until, 0);
    }

    /// By the record's grant or the folder's. If both refuse, the answer is that of the one that exists, the record's
    /// first.
    function _decideByGrant(address who, bytes32 folder, bytes32 record, uint8 purpose) private view
        returns (Reason reason, uint40) {
        GrantState storage own = grants[_grantKey(folder, record, who)];
        GrantState storage whole = grants[_grantKey(folder, 0, who)];
        reason = _judge(own, purpose);
        uint256 end = reason == Reason.PERMITTED ? own.until : 0;
        Reason other = _judge(whole, purpose);
        if (other == Reason.PERMITTED) {
            reason = other;
            if (whole.until > end) end = whole.until;
        } else if (reason == Reason.NO_GRANT) {
            reason = other;
        }
        if (reason != Reason.PERMITTED) return (reason, 0);
        uint256 until = block.timestamp + WINDOW;
        return (reason, uint40(until < end ? until : end));
    }

    /// `key`: of (folder, 0, actor). Uses up the quotas if it permits.
    function _decideGlass(address who, IFolders.Head memory head, bytes32 key) private returns (Reason) {
        if (!_isActiveOrListed(who)) return Reason.ACTOR_INACTIVE;
        if (head.controller == address(0)) return Reason.UNKNOWN;
        if (head.closed) return Reason.FOLDER_CLOSED;
        if (!directory.isActive(who, Roles.EMERGENCY) || head.glassMinutes == 0) return Reason.EMERGENCY_NOT_ALLOWED;
        if (!directory.mayBreakGlass(who)) return Reason.EMERGENCY_TOO_NEW;
        if (!emergencies.hasRoom(key, 1, DAILY_EMERGENCIES)) return Reason.EMERGENCY_QUOTA;
        if (!emergencies.take(Quota.key(who), 1, directory.emergenciesOf(who))) return Reason.EMERGENCY_QUOTA;
        emergencies.take(key, 1, DAILY_EMERGENCIES);
        return Reason.EMERGENCY;
    }

    /// Into the folder's list of looks.
    function _log(bytes32 folder, bytes32 record, uint8 purpose, Reason reason, uint40 until, uint64 review) private {
        bool permitted = reason <= Reason.EMERGENCY;
        if (!permitted && !refusals.take(Quota.key(msg.sender), 1, DAILY_REFUSALS)) revert OverQuota();
        (uint64 n, bytes24 before) = lookLists[folder].append(keccak256(abi.encode(record, msg.sender, purpose,
            permitted, reason, until, review)));
        emit Access(folder, record, msg.sender, purpose, permitted, reason, until, review, n, before);
    }
}
