// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "../src/interfaces/IBlobGate.sol";
import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {Roles} from "../src/Roles.sol";
import {IStated} from "../src/interfaces/IStated.sol";
import {Health} from "./Health.t.sol";

/// Breaking the glass, releases, reviews, and their quotas.
contract EmergencyTest is Health {
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

    function refused(uint256 actor, IConsent.Reason why) private {
        vm.recordLogs();
        (bool permitted, uint64 review) = breakGlass(actor);
        check(!permitted && review == 0, "refused");
        bytes memory data = vm.getRecordedLogs()[0].data;
        (uint8 purpose, bool is_, IConsent.Reason reason) = abi.decode(data, (uint8, bool, IConsent.Reason));
        check(purpose == ETREAT && !is_ && reason == why, "an event with its reason");
    }

    function test_breaking_glass_opens_a_window_and_a_review() public {
        vm.roll(block.number + 9);
        (bool permitted, uint64 review) = breakGlass(EMERGENCY);
        check(permitted && review == 1 && served(EMERGENCY), "window");
        IConsent.Window memory w = consent.windowOf(vm.addr(EMERGENCY), folder, 0);
        check(w.emergency && w.until == START + 60 minutes && w.purpose == ETREAT && w.review == 1, "window");
        IConsent.Review memory r = consent.reviewOf(1);
        check(r.fact == emergencyFact(emergencyOf(EMERGENCY)) && r.statedAt == block.number
            && r.actor == vm.addr(EMERGENCY) && r.folder == folder, "review");
        check(ask(EMERGENCY, record, ETREAT) == IConsent.Reason.EMERGENCY, "for emergencies");
        check(ask(EMERGENCY, record, TREAT) == IConsent.Reason.NO_GRANT, "for nothing else");
        check(folders.folderOf(folder).rotationOwed, "rotation owed");
        vm.warp(START + 60 minutes);
        check(!served(EMERGENCY), "over");
        check(consent.reviewOf(1).open, "the review stays open");
    }

    function test_a_look_inside_an_emergency_is_no_event() public {
        breakGlass(EMERGENCY);
        vm.recordLogs();
        ask(EMERGENCY, record, ETREAT);
        check(vm.getRecordedLogs().length == 0, "none");
    }

    function test_the_actor_signs_its_emergency_and_sends_it_itself() public {
        IConsent.Emergency memory e = emergencyOf(EMERGENCY);
        bytes memory s = signed(EMERGENCY, inConsent(emergencyFact(e)));
        as_(HOSPITAL);
        vm.expectRevert(IConsent.BadSignature.selector);
        consent.breakGlass(e, s);
        bytes memory forged = signed(HOSPITAL, inConsent(emergencyFact(e)));
        as_(EMERGENCY);
        vm.expectRevert(IConsent.BadSignature.selector);
        consent.breakGlass(e, forged);
        as_(EMERGENCY);
        vm.expectRevert(IConsent.BadSignature.selector);
        consent.breakGlass(e, "");
        vm.prank(vm.addr(EMERGENCY), vm.addr(STRANGER));
        vm.expectRevert(IStated.NotTopLevel.selector);
        consent.breakGlass(e, s);
        vm.warp(e.deadline + 1);
        as_(EMERGENCY);
        vm.expectRevert(IConsent.Expired.selector);
        consent.breakGlass(e, s);
    }

    function test_glass_does_not_break_for_others() public {
        refused(DOCTOR, IConsent.Reason.EMERGENCY_NOT_ALLOWED);
        vm.expectRevert(IConsent.NotListed.selector);
        this.breakGlass(STRANGER);
        vm.warp(START + FOUNDING + 1);
        listActor(50, Roles.EMERGENCY);
        refused(50, IConsent.Reason.EMERGENCY_TOO_NEW);
        folder = openFolder("no glass", 0);
        refused(EMERGENCY, IConsent.Reason.EMERGENCY_NOT_ALLOWED);
    }

    // Quotas.

    function test_three_emergencies_a_day_in_one_folder() public {
        for (uint256 i = 0; i < 3; i++) breakGlass(EMERGENCY);
        refused(EMERGENCY, IConsent.Reason.EMERGENCY_QUOTA);
        folder = openFolder("another", 60);
        (bool permitted,) = breakGlass(EMERGENCY);
        check(permitted, "another folder is open to it");
        vm.warp(START + 1 days);
        (permitted,) = breakGlass(EMERGENCY);
        check(permitted, "a new day");
    }

    function breakInFolders(uint256 actor, uint256 first, uint256 n) private {
        for (uint256 i = 0; i < n; i++) {
            folder = openFolder(bytes32(first + i), 60);
            (bool permitted,) = breakGlass(actor);
            check(permitted, "within the quota");
        }
    }

    function test_sixteen_emergencies_a_day_over_all_folders_unless_registrars_say_otherwise() public {
        breakInFolders(EMERGENCY, 1, 16);
        folder = openFolder("the next", 60);
        refused(EMERGENCY, IConsent.Reason.EMERGENCY_QUOTA);
        IDirectory.Standing memory s = standingOf(EMERGENCY, IDirectory.Status.ACTIVE, 17);
        anyone();
        directory.setStanding(s, byRegistrars(standingDigest(s)));
        (bool permitted,) = breakGlass(EMERGENCY);
        check(permitted, "raised");
        refused(EMERGENCY, IConsent.Reason.EMERGENCY_QUOTA);
        listActor(51, Roles.EMERGENCY);
        (permitted,) = breakGlass(51);
        check(permitted, "nobody uses up another actor's");
    }

    // Releases.

    function test_a_trustee_releases_to_the_emergency_actor_only_and_once() public {
        (, uint64 review) = breakGlass(EMERGENCY);
        as_(HOSPITAL);
        vm.expectRevert(IConsent.NotATrustee.selector);
        consent.release(review, 1, "share", 100);
        vm.prank(vm.addr(TRUSTEE), vm.addr(STRANGER));
        vm.expectRevert(IStated.NotTopLevel.selector);
        consent.release(review, 1, "share", 100);
        as_(TRUSTEE);
        consent.release(review, 1, "share", 100);
        as_(TRUSTEE);
        vm.expectRevert(IConsent.NotAllowed.selector);
        consent.release(review, 1, "share", 100);
        bytes32 item = keccak256(abi.encode("release", review, vm.addr(TRUSTEE), uint32(1)));
        check(gate.mayGet(vm.addr(EMERGENCY), item) && gate.mayGet(vm.addr(TRUSTEE), item)
            && gate.mayGet(vm.addr(PATIENT), item), "these");
        check(!gate.mayGet(vm.addr(HOSPITAL), item) && !gate.mayGet(vm.addr(REGULATOR), item), "not those");
        vm.warp(START + 60 minutes);
        check(!gate.mayGet(vm.addr(EMERGENCY), item), "after the window");
        as_(TRUSTEE);
        vm.expectRevert(IConsent.NoOpenReview.selector);
        consent.release(review, 1, "share", 100);
    }

    function test_the_emergency_actor_names_a_false_release() public {
        (, uint64 review) = breakGlass(EMERGENCY);
        address trustee = vm.addr(TRUSTEE);
        as_(EMERGENCY);
        vm.expectRevert(IConsent.NotAllowed.selector);
        consent.refuseRelease(review, 1, trustee);
        as_(TRUSTEE);
        consent.release(review, 1, "share", 100);
        as_(HOSPITAL);
        vm.expectRevert(IConsent.NotAllowed.selector);
        consent.refuseRelease(review, 1, trustee);
        vm.expectEmit(address(consent));
        emit IConsent.ReleaseRefused(review, trustee, 1);
        as_(EMERGENCY);
        consent.refuseRelease(review, 1, trustee);
        as_(EMERGENCY);
        vm.expectRevert(IConsent.NotAllowed.selector);
        consent.refuseRelease(review, 1, trustee); // once
    }

    function test_a_release_is_of_the_newest_epoch_and_each_has_its_own() public {
        (, uint64 review) = breakGlass(EMERGENCY);
        as_(TRUSTEE);
        consent.release(review, 1, "share", 100);
        rotate(PATIENT, rotateOf(PATIENT, 1001));
        as_(TRUSTEE);
        vm.expectRevert(abi.encodeWithSelector(IConsent.StaleEpoch.selector, 2));
        consent.release(review, 1, "share", 100);
        as_(TRUSTEE);
        consent.release(review, 2, "share", 100);
    }

    function test_an_emergency_actor_follows_links_in_its_window_alone() public {
        IBlobGate wraps = IBlobGate(address(folders));
        bytes32 item = keccak256(abi.encode("wraps", folder, uint32(1)));
        check(!wraps.mayGet(vm.addr(EMERGENCY), item), "before");
        breakGlass(EMERGENCY);
        check(wraps.mayGet(vm.addr(EMERGENCY), item) && !wraps.mayGet(vm.addr(DOCTOR), item), "in its window");
        vm.warp(START + 60 minutes);
        check(!wraps.mayGet(vm.addr(EMERGENCY), item), "after it");
    }

    function test_the_reason_is_for_controller_and_regulators() public {
        (, uint64 review) = breakGlass(EMERGENCY);
        bytes32 item = keccak256(abi.encode("reason", review));
        check(gate.mayGet(vm.addr(PATIENT), item) && gate.mayGet(vm.addr(REGULATOR), item), "these");
        check(!gate.mayGet(vm.addr(EMERGENCY), item) && !gate.mayGet(vm.addr(HOSPITAL), item), "not those");
    }

    // Reviews.

    function closingOf(uint256 by, uint64 review, bool justified) private view
        returns (IConsent.CloseReview memory) {
        return IConsent.CloseReview(review, justified, vm.addr(by), address(0), next(by), soon());
    }

    function close(uint256 by, uint256 sender, IConsent.CloseReview memory c) public {
        bytes32 t = keccak256(
            "CloseReview(uint64 review,bool justified,address by,address relay,uint64 number,uint64 deadline)");
        bytes memory s = by == 0 ? bytes("") : signed(by, inConsent(keccak256(abi.encode(t, c))));
        as_(sender);
        consent.closeReview(c, s);
    }

    function test_a_review_is_closed_by_the_controller_and_the_window_with_it() public {
        (, uint64 review) = breakGlass(EMERGENCY);
        IConsent.CloseReview memory c = closingOf(PATIENT, review, false);
        vm.expectRevert(IFolders.BadSignature.selector);
        this.close(HOSPITAL, HOSPITAL, c);
        IConsent.CloseReview memory own = closingOf(HOSPITAL, review, false);
        vm.expectRevert(IConsent.NotController.selector);
        this.close(HOSPITAL, HOSPITAL, own);
        close(PATIENT, HOSPITAL, c);
        check(!served(EMERGENCY), "ended");
        IConsent.Review memory closed = consent.reviewOf(review);
        check(!closed.open && !closed.justified && closed.closedBy == vm.addr(PATIENT), "how it was closed");
        vm.expectRevert(IConsent.NoOpenReview.selector);
        this.close(PATIENT, HOSPITAL, c);
    }

    function test_a_regulator_closes_without_the_folders_signature() public {
        (, uint64 review) = breakGlass(EMERGENCY);
        IConsent.CloseReview memory c = closingOf(REGULATOR, review, true);
        vm.expectRevert(IConsent.BadSignature.selector);
        this.close(0, HOSPITAL, c); // in its name
        IConsent.CloseReview memory own = closingOf(HOSPITAL, review, true);
        vm.expectRevert(IConsent.BadSignature.selector);
        this.close(0, HOSPITAL, own); // by an actor that is no regulator
        close(0, REGULATOR, c);
        check(!served(EMERGENCY), "ended");
    }

    function test_nobody_closes_the_review_of_an_emergency_that_it_opened_itself() public {
        listActor(52, Roles.EMERGENCY | Roles.REGULATOR);
        (, uint64 review) = breakGlass(52);
        IConsent.CloseReview memory c = closingOf(52, review, true);
        vm.expectRevert(IConsent.NotAllowed.selector);
        this.close(0, 52, c);
        handOver(PATIENT, 52, handOverOf(52));
        c = closingOf(52, review, true);
        vm.expectRevert(IConsent.NotAllowed.selector);
        this.close(52, HOSPITAL, c);
    }
}
