// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "../src/interfaces/IBlobGate.sol";
import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {Roles} from "../src/Roles.sol";
import {IStated} from "../src/interfaces/IStated.sol";
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

    function timed(uint256 grantee, bytes32 which, uint8 rights, uint40 from, uint40 until) private view
        returns (IConsent.Grant memory g) {
        g = grantOf(PATIENT, grantee, which, rights);
        (g.from, g.until) = (from, until);
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
        grant(PATIENT, timed(DOCTOR, 0, READ, uint40(START), uint40(START + 10 minutes)));
        ask(DOCTOR, 0, TREAT);
        check(consent.windowOf(vm.addr(DOCTOR), folder, 0).until == START + 10 minutes, "until");
        vm.warp(START + 10 minutes);
        check(!served(DOCTOR), "over");
    }

    function test_refusals_are_events_with_reasons() public {
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.NO_GRANT);
        is_(ask(DOCTOR, "none", TREAT), IConsent.Reason.UNKNOWN);
        grant(PATIENT, timed(DOCTOR, 0, READ, uint40(START + 10), uint40(START + 20)));
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.NOT_YET);
        vm.warp(START + 10);
        is_(ask(DOCTOR, record, 2), IConsent.Reason.WRONG_PURPOSE);
        is_(ask(DOCTOR, record, 255), IConsent.Reason.WRONG_PURPOSE);
        vm.warp(START + 20);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.EXPIRED);
        give(DOCTOR, WRITE);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.NO_READ_RIGHT);
        take(DOCTOR);
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
        emit IConsent.Access(folder, record, vm.addr(DOCTOR), TREAT, false, IConsent.Reason.NO_GRANT, 0, 0, 1, 0);
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

    function looks() private view returns (uint64) {
        return uint64(uint256(vm.load(address(consent), keccak256(abi.encode(folder, uint256(2))))) >> 192);
    }

    function test_a_look_inside_an_open_window_is_no_event() public {
        give(DOCTOR, READ);
        ask(DOCTOR, record, TREAT);
        check(looks() == 1, "the first");
        vm.recordLogs();
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.PERMITTED);
        check(looks() == 1 && vm.getRecordedLogs().length == 0, "no event, no entry");
        ask(DOCTOR, 0, TREAT);
        check(looks() == 2, "the whole folder is more");
        ask(DOCTOR, addRecord(2), TREAT);
        check(looks() == 2, "inside the folder's window");
        vm.warp(START + 30 minutes);
        ask(DOCTOR, record, TREAT);
        check(looks() == 3, "the next window");
    }

    function test_a_look_for_another_purpose_is_an_event() public {
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, READ);
        g.purposes = 5;
        grant(PATIENT, g);
        ask(DOCTOR, 0, TREAT);
        is_(ask(DOCTOR, 0, 2), IConsent.Reason.PERMITTED);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.PERMITTED);
        check(looks() == 2, "one window a purpose: none of them ends another");
    }

    function test_a_grant_that_ended_lets_no_look_pass_silently() public {
        give(DOCTOR, READ);
        ask(DOCTOR, 0, TREAT);
        take(DOCTOR);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.REVOKED);
        check(looks() == 2, "logged");
    }

    /// The folder's window rests on a grant that is no more; the record's grant opens a window of its own.
    function test_a_window_without_its_grant_hides_no_look() public {
        give(DOCTOR, READ);
        ask(DOCTOR, 0, TREAT);
        give(DOCTOR, WRITE);
        grant(PATIENT, grantOf(PATIENT, DOCTOR, record, READ));
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.PERMITTED);
        check(looks() == 2, "logged");
    }

    function test_an_author_is_logged_once_a_window() public {
        ask(HOSPITAL, record, TREAT);
        is_(ask(HOSPITAL, record, TREAT), IConsent.Reason.AUTHOR);
        for (uint8 purpose = 0; purpose < 14; purpose++) ask(HOSPITAL, record, purpose % 7);
        check(looks() == 7, "once a purpose, in whatever order it asks");
        is_(ask(HOSPITAL, record, 7), IConsent.Reason.NO_READ_RIGHT);
        check(consent.windowOf(vm.addr(HOSPITAL), folder, record).until == START + 30 minutes, "its window");
        vm.warp(START + 30 minutes);
        ask(HOSPITAL, record, TREAT);
        check(looks() == 9, "the next window");
    }

    function test_an_author_reads_its_own() public {
        is_(ask(HOSPITAL, record, TREAT), IConsent.Reason.AUTHOR);
        is_(ask(HOSPITAL, 0, TREAT), IConsent.Reason.NO_READ_RIGHT);
    }

    function test_revoking_ends_grant_and_window_at_once_and_owes_a_rotation() public {
        give(DOCTOR, READ);
        ask(DOCTOR, record, TREAT);
        ask(DOCTOR, 0, TREAT);
        check(served(DOCTOR) && gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 0, 1, 1)), "before");
        vm.recordLogs();
        take(DOCTOR);
        check(erasedItems()[0] == grantItem(DOCTOR, 0, 1, 1), "the wrap is erased");
        check(!served(DOCTOR) && !gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 0, 1, 1)), "after");
        check(!gate.mayGet(vm.addr(PATIENT), grantItem(DOCTOR, 0, 1, 1)), "for everyone");
        check(folders.folderOf(folder).rotationOwed, "owed");
        rotate(PATIENT, rotateOf(PATIENT, 1001));
        check(!folders.folderOf(folder).rotationOwed, "done");
        as_(NODE);
        gate.confirmErased(grantItem(DOCTOR, 0, 1, 1));
    }

    /// A grant that a relay holds back is void once its revocation is played.
    function test_what_is_not_granted_is_revoked_too() public {
        IConsent.Grant memory held = grantOf(PATIENT, DOCTOR, 0, READ);
        bytes memory s = signed(PATIENT, inConsent(grantFact(held)));
        IConsent.Revoke memory r = revokeOf(PATIENT, DOCTOR);
        r.number = held.number + 1;
        revoke(PATIENT, r);
        check(consent.grantOf(folder, 0, vm.addr(DOCTOR)).revoked, "succeeds");
        as_(HOSPITAL);
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleNumber.selector, r.number));
        consent.grant(held, s);
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleNumber.selector, r.number));
        this.revoke(PATIENT, r);
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.NO_GRANT);
    }

    function test_only_the_controller_grants_and_revokes() public {
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, READ);
        vm.expectRevert(IFolders.BadSignature.selector);
        this.grant(DOCTOR, g);
        g = grantOf(HOSPITAL, DOCTOR, 0, READ);
        vm.expectRevert(IConsent.NotController.selector);
        this.grant(HOSPITAL, g);
        give(DOCTOR, READ);
        IConsent.Revoke memory r = revokeOf(HOSPITAL, DOCTOR);
        vm.expectRevert(IConsent.NotController.selector);
        this.revoke(HOSPITAL, r);
        r = revokeOf(PATIENT, DOCTOR);
        vm.expectRevert(IFolders.BadSignature.selector);
        this.revoke(HOSPITAL, r);
        r.folder = "none";
        vm.expectRevert(IConsent.NotController.selector);
        this.revoke(PATIENT, r);
    }

    function test_a_signature_serves_once_and_for_its_words_only() public {
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, READ);
        bytes memory s = signed(PATIENT, inConsent(grantFact(g)));
        g.until++;
        as_(HOSPITAL);
        vm.expectRevert(IFolders.BadSignature.selector);
        consent.grant(g, s);
        g.until--;
        as_(STRANGER);
        vm.expectRevert(IFolders.NotListed.selector);
        consent.grant(g, s);
        as_(HOSPITAL);
        consent.grant(g, s);
        as_(HOSPITAL);
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleNumber.selector, g.number));
        consent.grant(g, s);
        vm.warp(g.deadline + 1);
        as_(HOSPITAL);
        vm.expectRevert(IFolders.Expired.selector);
        consent.grant(g, s);
    }

    function test_only_the_relay_that_is_named_sends() public {
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, READ);
        g.relay = vm.addr(NODE);
        vm.expectRevert(IFolders.NotTheRelay.selector);
        this.grant(PATIENT, g);
        bytes memory s = signed(PATIENT, inConsent(grantFact(g)));
        as_(NODE);
        consent.grant(g, s);
        IConsent.Revoke memory r = revokeOf(PATIENT, DOCTOR);
        r.relay = vm.addr(NODE);
        vm.expectRevert(IFolders.NotTheRelay.selector);
        this.revoke(PATIENT, r);
    }

    function test_code_at_an_account_names_no_wraps() public {
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, READ);
        bytes memory s = signed(PATIENT, inConsent(grantFact(g)));
        vm.prank(vm.addr(HOSPITAL), vm.addr(STRANGER));
        vm.expectRevert(IStated.NotTopLevel.selector);
        consent.grant(g, s);
        vm.etch(vm.addr(HOSPITAL), abi.encodePacked(hex"ef0100", address(consent)));
        as_(HOSPITAL);
        vm.expectRevert(IStated.NotTopLevel.selector);
        consent.grant(g, s);
    }

    function test_a_grant_is_of_the_present_epoch_and_key() public {
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, READ);
        g.epoch = 2;
        vm.expectRevert(abi.encodeWithSelector(IConsent.StaleEpoch.selector, uint32(1)));
        this.grant(PATIENT, g);
        g = grantOf(PATIENT, DOCTOR, 0, READ);
        g.keyVersion = 2;
        vm.expectRevert(IConsent.StaleGranteeKey.selector);
        this.grant(PATIENT, g);
    }

    function test_the_newest_fact_of_a_grant_is_kept() public {
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, READ);
        vm.roll(block.number + 5);
        grant(PATIENT, g);
        IConsent.GrantState memory state = consent.grantOf(folder, 0, vm.addr(DOCTOR));
        check(state.fact == grantFact(g) && state.statedAt == block.number && state.count == 1, "granted");
        IConsent.Revoke memory r = revokeOf(PATIENT, DOCTOR);
        vm.roll(block.number + 5);
        revoke(PATIENT, r);
        state = consent.grantOf(folder, 0, vm.addr(DOCTOR));
        check(state.fact == revokeFact(r) && state.statedAt == block.number && state.revoked, "revoked");
    }

    function refuse(IConsent.Grant memory a) private {
        vm.expectRevert(IConsent.BadGrant.selector);
        this.grant(PATIENT, a);
    }

    function test_unsound_grants_are_refused() public {
        uint40 end = uint40(START + 1 days);
        refuse(timed(DOCTOR, 0, 0, uint40(START), end));
        refuse(timed(DOCTOR, 0, 16, uint40(START), end));
        refuse(timed(DOCTOR, 0, READ, end, end));
        refuse(timed(DOCTOR, 0, READ, 0, uint40(START)));
        refuse(timed(STRANGER, 0, READ, 0, end));
        refuse(timed(PATIENT, 0, READ, 0, end));
        refuse(timed(DOCTOR, record, WRITE, 0, end));
        IConsent.Grant memory a = timed(DOCTOR, 0, READ, 0, end);
        a.wrap = 0;
        refuse(a);
        a = timed(DOCTOR, 0, READ, 0, end);
        a.purposes = 0;
        refuse(a);
        a.purposes = 128;
        refuse(a);
        a = timed(DOCTOR, "none", READ, 0, end);
        vm.expectRevert(IConsent.UnknownRecord.selector);
        this.grant(PATIENT, a);
    }

    function test_a_grant_of_one_record_opens_that_record_only() public {
        bytes32 other = addRecord(2);
        grant(PATIENT, timed(DOCTOR, record, READ, 0, uint40(START + 1 days)));
        is_(ask(DOCTOR, record, TREAT), IConsent.Reason.PERMITTED);
        is_(ask(DOCTOR, other, TREAT), IConsent.Reason.NO_GRANT);
        is_(ask(DOCTOR, 0, TREAT), IConsent.Reason.NO_GRANT);
        check(served(DOCTOR) && !IBlobGate(address(records)).mayGet(vm.addr(DOCTOR), other), "served");
        check(!IBlobGate(address(folders)).mayGet(vm.addr(DOCTOR), wrapsItem(1)), "not the folder's wraps");
    }

    function test_a_new_grant_replaces_the_old_one() public {
        give(DOCTOR, READ);
        ask(DOCTOR, record, TREAT);
        rotate(PATIENT, rotateOf(PATIENT, 1001));
        vm.recordLogs();
        give(DOCTOR, WRITE);
        check(erasedItems()[0] == grantItem(DOCTOR, 0, 1, 1), "the old wrap goes");
        check(!served(DOCTOR), "the window rests on the grant");
        check(consent.grantOf(folder, 0, vm.addr(DOCTOR)).epoch == 2, "epoch");
    }

    function test_losing_the_read_right_loses_the_wrap() public {
        give(DOCTOR, READ);
        vm.recordLogs();
        give(DOCTOR, WRITE);
        bytes32 first = grantItem(DOCTOR, 0, 1, 1);
        check(erasedItems()[0] == first && !gate.mayGet(vm.addr(DOCTOR), first), "gone");
        check(folders.folderOf(folder).rotationOwed, "and a rotation is owed");
        give(DOCTOR, READ);
        check(gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 0, 1, 3)) && !gate.mayGet(vm.addr(DOCTOR), first),
            "given again, under a new item");
    }

    /// In the same epoch, as after publishing a new key: the old wrap goes, the new one stands.
    function test_a_grant_that_is_given_again_has_a_new_item() public {
        give(DOCTOR, READ);
        bytes32 first = grantItem(DOCTOR, 0, 1, 1);
        vm.recordLogs();
        give(DOCTOR, READ);
        bytes32 second = grantItem(DOCTOR, 0, 1, 2);
        check(erasedItems()[0] == first, "erased");
        check(!gate.mayGet(vm.addr(PATIENT), first) && gate.mayGet(vm.addr(DOCTOR), second), "replaced");
        check(!gate.mayPutLate(vm.addr(PATIENT), first) && gate.mayPutLate(vm.addr(PATIENT), second), "late puts");
        take(DOCTOR);
        check(!gate.mayPutLate(vm.addr(PATIENT), second), "never after a revocation");
        give(DOCTOR, READ);
        check(gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 0, 1, 3)), "and again");
    }

    function test_a_suspended_grantee_sees_nothing() public {
        give(DOCTOR, READ);
        ask(DOCTOR, record, TREAT);
        setStatus(DOCTOR, IDirectory.Status.SUSPENDED);
        check(!served(DOCTOR) && !gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 0, 1, 1)), "nothing");
        check(!consent.hasRight(vm.addr(DOCTOR), folder, 0, READ), "no right");
    }

    function test_a_grants_wrap_is_for_its_time() public {
        grant(PATIENT, timed(DOCTOR, 0, READ, uint40(START + 10), uint40(START + 20)));
        bytes32 item = grantItem(DOCTOR, 0, 1, 1);
        check(!gate.mayGet(vm.addr(DOCTOR), item) && gate.mayGet(vm.addr(PATIENT), item), "not yet");
        vm.warp(START + 10);
        check(gate.mayGet(vm.addr(DOCTOR), item) && !gate.mayGet(vm.addr(HOSPITAL), item), "now");
        vm.warp(START + 20);
        check(!gate.mayGet(vm.addr(DOCTOR), item), "no more");
    }

    function test_blobsOf_names_wrap_reason_and_release() public view {
        IConsent.Grant memory a = timed(DOCTOR, 0, READ, 0, 1);
        checkNames(gate, abi.encodeCall(IConsent.grant, (a, "")), WRAP);
        checkNames(gate, abi.encodeCall(IConsent.breakGlass, (emergencyOf(EMERGENCY), "")), "reason");
        checkNames(gate, abi.encodeCall(IConsent.release, (1, 1, "share", 1)), "share");
        check(gate.blobsOf(abi.encodeCall(IConsent.access, (folder, record, 0))).length == 0, "access");
        a.wrap = 0;
        check(gate.blobsOf(abi.encodeCall(IConsent.grant, (a, ""))).length == 0, "a grant without a wrap");
        checkNamesNoneCutShort(gate, abi.encodeCall(IConsent.release, (1, 1, "share", 1)), 4 + 3 * 32);
    }

    /// The classic hole: whoever sends it, without the controller's signature nobody gains or loses a right.
    function testFuzz_no_signature_no_right(address sender, bytes calldata junk) public {
        vm.assume(sender != address(vm));
        give(DOCTOR, READ);
        IConsent.Grant memory a = grantOf(PATIENT, HOSPITAL, 0, READ);
        IConsent.Revoke memory r = revokeOf(PATIENT, DOCTOR);
        vm.startPrank(sender, sender);
        (bool granted,) = address(consent).call(abi.encodeCall(IConsent.grant, (a, junk)));
        (bool revoked,) = address(consent).call(abi.encodeCall(IConsent.revoke, (r, junk)));
        vm.stopPrank();
        check(!granted && !revoked, "refused");
        check(consent.hasRight(vm.addr(DOCTOR), folder, 0, READ)
            && !consent.hasRight(vm.addr(HOSPITAL), folder, 0, READ), "as before");
    }

    /// A window lies within its grant, whatever the times.
    function testFuzz_windows_lie_within_grants(uint40 from, uint40 length, uint40 askAt, uint40 lookAt) public {
        from = uint40(START + from % 2 days);
        uint40 until = from + 1 + length % 2 days;
        askAt = uint40(START + askAt % 4 days);
        lookAt = askAt + lookAt % 1 hours;
        grant(PATIENT, timed(DOCTOR, 0, READ, from, until));
        vm.warp(askAt);
        bool permitted = ask(DOCTOR, record, TREAT) == IConsent.Reason.PERMITTED;
        check(permitted == (askAt >= from && askAt < until), "decision");
        vm.warp(lookAt);
        check(served(DOCTOR) == (permitted && lookAt < until && lookAt < askAt + 30 minutes), "window");
    }
}
