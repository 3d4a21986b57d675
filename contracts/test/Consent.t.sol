// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "../src/interfaces/IBlobGate.sol";
import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {Roles} from "../src/Roles.sol";
import {Health} from "./Health.t.sol";

contract ConsentTest is Health {
    IBlobGate private gate;
    bytes32 private record;

    function setUp() public override {
        super.setUp();
        gate = IBlobGate(address(consent));
        record = addRecord(1);
    }

    function served(uint256 actor) private view returns (bool) {
        return IBlobGate(address(records)).mayGet(vm.addr(actor), record);
    }

    function is_(IConsent.Reason a, IConsent.Reason b) private pure {
        check(a == b, "reason");
    }

    function test_grant_access_window_end() public {
        give(DOCTOR, READ);
        check(!served(DOCTOR), "a grant alone serves nothing");
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.PERMITTED);
        check(served(DOCTOR) && consent.hasWindow(vm.addr(DOCTOR), folder, record), "window");
        check(!consent.hasWindow(vm.addr(DOCTOR), folder, 0), "of the record only");
        vm.warp(START + 30 minutes - 1);
        check(served(DOCTOR), "to the last second");
        vm.warp(START + 30 minutes);
        check(!served(DOCTOR), "over");
    }

    function test_a_window_over_the_folder_covers_its_records() public {
        give(DOCTOR, READ);
        is_(ask(DOCTOR, 0, TREAT), IConsent.Reason.PERMITTED);
        check(served(DOCTOR), "record");
        check(!consent.hasWindow(vm.addr(DOCTOR), folder, "none"), "of this folder only");
    }

    function test_a_window_never_passes_the_grants_end() public {
        grant(PATIENT, actionOf(DOCTOR, 0, READ, uint40(START), uint40(START + 10 minutes)));
        ask(DOCTOR, 0, TREAT);
        check(consent.windowOf(vm.addr(DOCTOR), folder, 0).until == START + 10 minutes, "until");
        vm.warp(START + 10 minutes);
        check(!served(DOCTOR), "over");
    }

    function test_refusals_are_events_with_reasons() public {
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.NO_GRANT);
        is_(ask(DOCTOR, "none", TREAT), IConsent.Reason.UNKNOWN);
        grant(PATIENT, actionOf(DOCTOR, 0, READ, uint40(START + 10), uint40(START + 20)));
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.NOT_YET);
        vm.warp(START + 10);
        is_(ask(DOCTOR, record, 2), IConsent.Reason.WRONG_PURPOSE);
        is_(ask(DOCTOR, record, 255), IConsent.Reason.WRONG_PURPOSE);
        vm.warp(START + 20);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.EXPIRED);
        give(DOCTOR, WRITE);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.NO_READ_RIGHT);
        revoke(PATIENT, DOCTOR);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.REVOKED);
        erase(PATIENT, record);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.RECORD_ERASED);
        setStatus(DOCTOR, IDirectory.Status.SUSPENDED);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.ACTOR_INACTIVE);
        forget();
        is_(ask(HOSPITAL, record, TREAT), IConsent.Reason.FOLDER_CLOSED);
        check(!served(DOCTOR), "nothing was ever served");
    }

    function test_a_refusal_is_logged() public {
        vm.expectEmit(address(consent));
        emit IConsent.Access(folder, record, vm.addr(DOCTOR), TREAT, false, IConsent.Reason.NO_GRANT, 0);
        ask(DOCTOR, record, TREAT);
    }

    function test_strangers_revert_and_refusals_have_a_quota() public {
        as_(STRANGER);
        vm.expectRevert(IConsent.NotListed.selector);
        consent.access(folder, record, TREAT);
        for (uint256 i = 0; i < 1000; i++) {
            ask(DOCTOR, record, TREAT);
        }
        as_(DOCTOR);
        vm.expectRevert(IConsent.OverQuota.selector);
        consent.access(folder, record, TREAT);
        vm.warp(START + 1 days);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.NO_GRANT);
    }

    function test_an_author_reads_its_own() public {
        is_(ask(HOSPITAL, record, TREAT), IConsent.Reason.AUTHOR);
        is_(ask(HOSPITAL, 0, TREAT), IConsent.Reason.NO_READ_RIGHT);
    }

    function test_revoking_ends_grant_and_window_at_once_and_owes_a_rotation() public {
        give(DOCTOR, READ);
        ask(DOCTOR, record, TREAT);
        ask(DOCTOR, 0, TREAT);
        check(served(DOCTOR) && gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 1)), "before");
        vm.recordLogs();
        revoke(PATIENT, DOCTOR);
        check(erasedItems()[0] == grantItem(DOCTOR, 1), "the wrap is erased");
        check(!served(DOCTOR) && !gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 1)), "after");
        check(!gate.mayGet(vm.addr(PATIENT), grantItem(DOCTOR, 1)), "for everyone");
        check(folders.folderOf(folder).rotationOwed, "owed");
        rotate(PATIENT, 1, 1001, trustees());
        check(!folders.folderOf(folder).rotationOwed, "done");
        vm.expectRevert(IConsent.NoSuchGrant.selector);
        this.revoke(PATIENT, DOCTOR);
        as_(NODE);
        gate.confirmErased(grantItem(DOCTOR, 1));
    }

    function test_only_the_controller_grants_and_revokes() public {
        IConsent.GrantAction memory a = actionOf(DOCTOR, 0, READ, uint40(START), uint40(START + 1));
        vm.expectRevert(IFolders.NotController.selector);
        this.grant(DOCTOR, a);
        give(DOCTOR, READ);
        vm.expectRevert(IFolders.NotController.selector);
        this.revoke(HOSPITAL, DOCTOR);
    }

    function test_a_signature_serves_once_and_for_its_words_only() public {
        IConsent.GrantAction memory a = actionOf(DOCTOR, 0, READ, uint40(START), uint40(START + 1 days));
        bytes memory s = grantSignature(PATIENT, a);
        uint64 deadline = soon();
        a.until++;
        as_(HOSPITAL);
        vm.expectRevert(IFolders.NotController.selector);
        consent.grant(a, deadline, s);
        a.until--;
        as_(STRANGER);
        vm.expectRevert(IConsent.NotListed.selector);
        consent.grant(a, deadline, s);
        as_(HOSPITAL);
        consent.grant(a, deadline, s);
        as_(HOSPITAL);
        vm.expectRevert(IFolders.NotController.selector);
        consent.grant(a, deadline, s);
        vm.warp(deadline + 1);
        as_(HOSPITAL);
        vm.expectRevert(IConsent.Expired.selector);
        consent.grant(a, deadline, s);
    }

    function refuse(IConsent.GrantAction memory a) private {
        vm.expectRevert(IConsent.BadGrant.selector);
        this.grant(PATIENT, a);
    }

    function test_unsound_grants_are_refused() public {
        uint40 end = uint40(START + 1 days);
        refuse(actionOf(DOCTOR, 0, 0, uint40(START), end));
        refuse(actionOf(DOCTOR, 0, 16, uint40(START), end));
        refuse(actionOf(DOCTOR, 0, READ, end, end));
        refuse(actionOf(DOCTOR, 0, READ, 0, uint40(START)));
        refuse(actionOf(STRANGER, 0, READ, 0, end));
        refuse(actionOf(PATIENT, 0, READ, 0, end));
        refuse(actionOf(DOCTOR, record, WRITE, 0, end));
        IConsent.GrantAction memory a = actionOf(DOCTOR, 0, READ, 0, end);
        a.wrap = 0;
        refuse(a);
        a = actionOf(DOCTOR, 0, READ, 0, end);
        a.purposes = 0;
        refuse(a);
        a.purposes = 128;
        refuse(a);
        a = actionOf(DOCTOR, "none", READ, 0, end);
        vm.expectRevert(IConsent.UnknownRecord.selector);
        this.grant(PATIENT, a);
    }

    function test_a_grant_of_one_record_opens_that_record_only() public {
        bytes32 other = addRecord(2);
        grant(PATIENT, actionOf(DOCTOR, record, READ, 0, uint40(START + 1 days)));
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.PERMITTED);
        is_(ask(DOCTOR, other, TREAT), IConsent.Reason.NO_GRANT);
        is_(ask(DOCTOR, 0, TREAT), IConsent.Reason.NO_GRANT);
        check(served(DOCTOR) && !IBlobGate(address(records)).mayGet(vm.addr(DOCTOR), other), "served");
        check(!IBlobGate(address(folders)).mayGet(vm.addr(DOCTOR), wrapsItem(1)), "not the folder's wraps");
    }

    function test_a_new_grant_replaces_the_old_one() public {
        give(DOCTOR, READ);
        ask(DOCTOR, record, TREAT);
        rotate(PATIENT, 1, 1001, trustees());
        vm.recordLogs();
        give(DOCTOR, WRITE);
        check(erasedItems()[0] == grantItem(DOCTOR, 1), "the old wrap goes");
        check(!served(DOCTOR), "the window rests on the grant");
        check(consent.grantOf(folder, 0, vm.addr(DOCTOR)).epoch == 2, "epoch");
    }

    function test_losing_the_read_right_loses_the_wrap() public {
        give(DOCTOR, READ);
        vm.recordLogs();
        give(DOCTOR, WRITE);
        check(erasedItems()[0] == grantItem(DOCTOR, 1) && !gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 1)), "gone");
        check(folders.folderOf(folder).rotationOwed, "and a rotation is owed");
        give(DOCTOR, READ);
        check(gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 1)), "given again");
    }

    function test_a_suspended_grantee_sees_nothing() public {
        give(DOCTOR, READ);
        ask(DOCTOR, record, TREAT);
        setStatus(DOCTOR, IDirectory.Status.SUSPENDED);
        check(!served(DOCTOR) && !gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 1)), "nothing");
        check(!consent.hasRight(vm.addr(DOCTOR), folder, 0, READ), "no right");
    }

    function test_a_grants_wrap_is_for_its_time() public {
        grant(PATIENT, actionOf(DOCTOR, 0, READ, uint40(START + 10), uint40(START + 20)));
        bytes32 item = grantItem(DOCTOR, 1);
        check(!gate.mayGet(vm.addr(DOCTOR), item) && gate.mayGet(vm.addr(PATIENT), item), "not yet");
        vm.warp(START + 10);
        check(gate.mayGet(vm.addr(DOCTOR), item) && !gate.mayGet(vm.addr(HOSPITAL), item), "now");
        vm.warp(START + 20);
        check(!gate.mayGet(vm.addr(DOCTOR), item), "no more");
    }

    // Emergencies.

    function test_breaking_glass_opens_a_window_and_a_review() public {
        (bool permitted, uint64 review) = breakGlass(EMERGENCY);
        check(permitted && review == 1 && served(EMERGENCY), "window");
        IConsent.Window memory w = consent.windowOf(vm.addr(EMERGENCY), folder, 0);
        check(w.emergency && w.until == START + 60 minutes && w.purpose == ETREAT && w.review == 1, "window");
        is_(ask(EMERGENCY, record, ETREAT), IConsent.Reason.EMERGENCY);
        is_(ask(EMERGENCY, record, TREAT), IConsent.Reason.NO_GRANT);
        check(folders.folderOf(folder).rotationOwed, "rotation owed");
        vm.warp(START + 60 minutes);
        check(!served(EMERGENCY), "over");
        (,,, bool open) = consent.reviewOf(1);
        check(open, "the review stays open");
    }

    function test_a_trustee_releases_to_the_emergency_actor_only() public {
        (, uint64 review) = breakGlass(EMERGENCY);
        as_(HOSPITAL);
        vm.expectRevert(IConsent.NotATrustee.selector);
        consent.release(review, "share", 100);
        as_(TRUSTEE);
        consent.release(review, "share", 100);
        bytes32 item = keccak256(abi.encode("release", review, vm.addr(TRUSTEE)));
        check(gate.mayGet(vm.addr(EMERGENCY), item) && gate.mayGet(vm.addr(TRUSTEE), item)
            && gate.mayGet(vm.addr(PATIENT), item), "these");
        check(!gate.mayGet(vm.addr(HOSPITAL), item) && !gate.mayGet(vm.addr(REGULATOR), item), "not those");
        vm.warp(START + 60 minutes);
        check(!gate.mayGet(vm.addr(EMERGENCY), item), "after the window");
        as_(TRUSTEE);
        vm.expectRevert(IConsent.NoOpenReview.selector);
        consent.release(review, "share", 100);
    }

    function test_the_reason_is_for_controller_and_regulators() public {
        (, uint64 review) = breakGlass(EMERGENCY);
        bytes32 item = keccak256(abi.encode("reason", review));
        check(gate.mayGet(vm.addr(PATIENT), item) && gate.mayGet(vm.addr(REGULATOR), item), "these");
        check(!gate.mayGet(vm.addr(EMERGENCY), item) && !gate.mayGet(vm.addr(HOSPITAL), item), "not those");
    }

    function test_glass_does_not_break_for_others() public {
        vm.expectEmit(address(consent));
        emit IConsent.Access(folder, 0, vm.addr(DOCTOR), ETREAT, false, IConsent.Reason.EMERGENCY_NOT_ALLOWED, 0);
        (bool permitted,) = breakGlass(DOCTOR);
        check(!permitted && !served(DOCTOR), "no role");
        as_(STRANGER);
        vm.expectRevert(IConsent.NotListed.selector);
        consent.breakGlass(folder, "hash", "reason", 300);
        vm.warp(START + FOUNDING + 1);
        listActor(50, Roles.EMERGENCY);
        vm.expectEmit(address(consent));
        emit IConsent.Access(folder, 0, vm.addr(50), ETREAT, false, IConsent.Reason.EMERGENCY_TOO_NEW, 0);
        (permitted,) = breakGlass(50);
        check(!permitted, "too new");
        folder = openFolder("no glass", 0);
        (permitted,) = breakGlass(EMERGENCY);
        check(!permitted, "the folder does not allow it");
    }

    function closeSignature(uint256 by, uint64 review) private view returns (bytes memory) {
        bytes32 h = keccak256("CloseReview(uint64 review,bool justified,uint64 nonce,uint64 deadline)");
        return signed(by, digestOf("xinglin consent", address(consent), keccak256(abi.encode(h, review, false, nonce(),
            soon()))));
    }

    function test_a_review_is_closed_by_controller_or_regulator_and_the_window_with_it() public {
        (, uint64 review) = breakGlass(EMERGENCY);
        bytes memory wrong = closeSignature(EMERGENCY, review);
        uint64 deadline = soon();
        as_(EMERGENCY);
        vm.expectRevert(IFolders.NotController.selector);
        consent.closeReview(review, false, deadline, wrong);
        bytes memory s = closeSignature(PATIENT, review);
        as_(HOSPITAL);
        consent.closeReview(review, false, deadline, s);
        check(!served(EMERGENCY), "ended");
        as_(HOSPITAL);
        vm.expectRevert(IConsent.NoOpenReview.selector);
        consent.closeReview(review, false, deadline, s);
        (, review) = breakGlass(EMERGENCY);
        as_(REGULATOR);
        consent.closeReview(review, true, deadline, "");
        check(!served(EMERGENCY), "ended");
    }

    function test_only_nodes_anchor_audits() public {
        as_(HOSPITAL);
        vm.expectRevert(IBlobGate.NotANode.selector);
        consent.anchorAudit("head", 3);
        vm.expectEmit(address(consent));
        emit IConsent.AuditAnchored(vm.addr(NODE), "head", 3);
        as_(NODE);
        consent.anchorAudit("head", 3);
    }

    function test_forgetting_from_outside_is_refused() public {
        vm.expectRevert(IConsent.NotAllowed.selector);
        consent.folderForgotten(folder);
        vm.expectRevert(IConsent.NotAllowed.selector);
        consent.eraseForgotten(folder);
    }

    function test_forgetting_erases_grants_reasons_and_releases() public {
        give(DOCTOR, READ);
        (, uint64 review) = breakGlass(EMERGENCY);
        as_(TRUSTEE);
        consent.release(review, "share", 100);
        vm.recordLogs();
        forget();
        bytes32[] memory erased = erasedItems();
        check(erased.length == 4 && erased[1] == grantItem(DOCTOR, 1)
            && erased[2] == keccak256(abi.encode("reason", review)), "erased");
        for (uint256 i = 1; i < 4; i++) {
            check(!gate.mayGet(vm.addr(PATIENT), erased[i]), "served to nobody");
        }
        check(!served(EMERGENCY), "no emergency window either");
        consent.eraseForgotten(folder);
    }

    function test_blobsOf_names_wrap_reason_and_release() public view {
        IConsent.GrantAction memory a = actionOf(DOCTOR, 0, READ, 0, 1);
        checkNames(gate, abi.encodeCall(IConsent.grant, (a, 1, "")), WRAP);
        checkNames(gate, abi.encodeCall(IConsent.breakGlass, (folder, "hash", "reason", 1)), "reason");
        checkNames(gate, abi.encodeCall(IConsent.release, (1, "share", 1)), "share");
        check(gate.blobsOf(abi.encodeCall(IConsent.access, (folder, record, 0))).length == 0, "access");
        a.wrap = 0;
        check(gate.blobsOf(abi.encodeCall(IConsent.grant, (a, 1, ""))).length == 0, "a grant without a wrap");
        checkNamesNoneCutShort(gate, abi.encodeCall(IConsent.release, (1, "share", 1)), 4 + 2 * 32);
    }

    /// The classic hole: whoever sends it, without the controller's signature nobody gains or loses a right.
    function testFuzz_no_signature_no_right(address sender, bytes calldata junk) public {
        vm.assume(sender != vm.addr(PATIENT) && sender != address(vm));
        give(DOCTOR, READ);
        IConsent.GrantAction memory a = actionOf(HOSPITAL, 0, READ, 0, uint40(START + 1 days));
        address doctor = vm.addr(DOCTOR);
        vm.startPrank(sender);
        (bool granted,) = address(consent).call(abi.encodeCall(IConsent.grant, (a, soon(), junk)));
        (bool revoked,) = address(consent).call(abi.encodeCall(IConsent.revoke, (folder, 0, doctor, soon(), junk)));
        vm.stopPrank();
        check(!granted && !revoked, "refused");
        check(consent.hasRight(doctor, folder, 0, READ)
            && !consent.hasRight(vm.addr(HOSPITAL), folder, 0, READ), "as before");
    }

    /// A window lies within its grant, whatever the times.
    function testFuzz_windows_lie_within_grants(uint40 from, uint40 length, uint40 askAt, uint40 lookAt) public {
        from = uint40(START + from % 2 days);
        uint40 until = from + 1 + length % 2 days;
        askAt = uint40(START + askAt % 4 days);
        lookAt = askAt + lookAt % 1 hours;
        grant(PATIENT, actionOf(DOCTOR, 0, READ, from, until));
        vm.warp(askAt);
        bool permitted = ask(DOCTOR, record, TREAT) == IConsent.Reason.PERMITTED;
        check(permitted == (askAt >= from && askAt < until), "decision");
        vm.warp(lookAt);
        check(served(DOCTOR) == (permitted && lookAt < until && lookAt < askAt + 30 minutes), "window");
    }
}
