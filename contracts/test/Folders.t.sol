// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "../src/interfaces/IBlobGate.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {Roles} from "../src/Roles.sol";
import {IStated} from "../src/interfaces/IStated.sol";
import {Health} from "./Health.t.sol";

contract FoldersTest is Health {
    uint256 private constant TRUSTEE2 = 31;
    uint256 private constant TRUSTEE3 = 32;

    function gate() private view returns (IBlobGate) {
        return IBlobGate(address(folders));
    }

    // Opening.

    function test_a_folder_is_opened_by_its_controllers_signature() public view {
        IFolders.Head memory head = folders.folderOf(folder);
        (bytes32 x,) = p256(1000);
        check(head.controller == vm.addr(PATIENT) && head.epoch == 1 && head.keyX == x
            && head.glassMinutes == 60 && head.number == 1, "folder");
        check(folder == folders.folderId(vm.addr(PATIENT), SALT), "id");
        check(folders.isTrustee(folder, vm.addr(TRUSTEE)) && !folders.isTrustee(folder, vm.addr(HOSPITAL)), "trustees");
        check(folders.epochOf(folder, 1) == openFact(openOf(SALT, 60)), "the fact");
    }

    function test_an_unlisted_sender_opens_nothing() public {
        IFolders.Open memory o = openOf("other", 0);
        bytes memory s = signed(PATIENT, inFolders(openFact(o)));
        as_(STRANGER);
        vm.expectRevert(IFolders.NotListed.selector);
        folders.open(o, s);
        as_(PATIENT);
        vm.expectRevert(IFolders.NotListed.selector);
        folders.open(o, s);
    }

    function test_a_signature_for_other_words_opens_nothing() public {
        IFolders.Open memory o = openOf("other", 0);
        bytes memory s = signed(PATIENT, inFolders(openFact(o)));
        o.glass = glassOf(0, new address[](0));
        as_(HOSPITAL);
        vm.expectRevert(IFolders.BadSignature.selector);
        folders.open(o, s);
        o = openOf("other", 0);
        o.label = "another label";
        as_(HOSPITAL);
        vm.expectRevert(IFolders.BadSignature.selector);
        folders.open(o, s);
        o = openOf("other", 0);
        o.controller = address(0);
        as_(HOSPITAL);
        vm.expectRevert(IFolders.BadSignature.selector);
        folders.open(o, "");
    }

    function test_even_the_controller_itself_signs() public {
        IFolders.Open memory o = openOf("own", 0);
        o.controller = vm.addr(HOSPITAL);
        as_(HOSPITAL);
        vm.expectRevert(IFolders.BadSignature.selector);
        folders.open(o, "");
        IFolders.Forget memory f = forgetOf();
        as_(PATIENT);
        vm.expectRevert(IFolders.BadSignature.selector);
        folders.forget(f, "");
    }

    function test_a_folder_is_opened_once() public {
        IFolders.Open memory o = openOf(SALT, 60);
        vm.expectRevert(IFolders.FolderExists.selector);
        this.open(PATIENT, o);
    }

    function test_a_point_off_the_curve_is_no_key() public {
        IFolders.Open memory o = openOf("other", 0);
        o.keyX = bytes32(uint256(1));
        vm.expectRevert(IFolders.BadKey.selector);
        this.open(PATIENT, o);
        o = openOf("other", 0);
        o.auditX = bytes32(uint256(1));
        vm.expectRevert(IFolders.BadKey.selector);
        this.open(PATIENT, o);
        o = openOf("other", 0);
        o.wraps = 0;
        vm.expectRevert(IFolders.BadKey.selector);
        this.open(PATIENT, o);
    }

    function test_a_label_has_its_limit() public {
        IFolders.Open memory o = openOf("other", 0);
        o.label = new bytes(513);
        vm.expectRevert(IFolders.TooMany.selector);
        this.open(PATIENT, o);
        o.label = new bytes(512);
        open(PATIENT, o);
    }

    // Relays and numbers.

    function test_only_the_relay_that_is_named_sends() public {
        IFolders.Rotate memory r = rotateOf(PATIENT, 1001);
        r.relay = vm.addr(DOCTOR);
        vm.expectRevert(IFolders.NotTheRelay.selector);
        this.rotate(PATIENT, r);
        bytes memory s = signed(PATIENT, inFolders(rotateFact(r)));
        as_(DOCTOR);
        folders.rotate(r, s);
        check(folders.folderOf(folder).epoch == 2, "the relay");
        r = rotateOf(PATIENT, 1002);
        r.relay = vm.addr(DOCTOR);
        s = signed(PATIENT, inFolders(rotateFact(r)));
        as_(PATIENT);
        folders.rotate(r, s);
        check(folders.folderOf(folder).epoch == 3, "and the controller itself");
    }

    function test_a_relay_that_is_not_listed_sends_nothing_unless_it_is_named() public {
        IFolders.Forget memory f = forgetOf();
        bytes memory s = signed(PATIENT, forgetDigest(f));
        as_(STRANGER);
        vm.expectRevert(IFolders.NotListed.selector);
        folders.forget(f, s);
        f.relay = vm.addr(STRANGER);
        s = signed(PATIENT, forgetDigest(f));
        as_(STRANGER);
        folders.forget(f, s);
        check(folders.folderOf(folder).closed, "it is named");
    }

    function test_a_rotation_that_was_held_back_is_void_once_a_later_number_is_used() public {
        IFolders.Rotate memory held = rotateOf(PATIENT, 1001);
        bytes memory s = signed(PATIENT, inFolders(rotateFact(held)));
        give(DOCTOR, READ); // in another contract: the numbers are the folder's
        as_(HOSPITAL);
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleNumber.selector, uint64(2)));
        folders.rotate(held, s);
        IFolders.Rotate memory jump = rotateOf(PATIENT, 1001);
        jump.number = 1000;
        rotate(PATIENT, jump);
        check(folders.numberOf(folder, vm.addr(PATIENT)) == 1000, "any number above the last");
    }

    function test_late_actions_are_refused() public {
        IFolders.Forget memory f = forgetOf();
        bytes memory s = signed(PATIENT, forgetDigest(f));
        vm.warp(f.deadline + 1);
        as_(HOSPITAL);
        vm.expectRevert(IFolders.Expired.selector);
        folders.forget(f, s);
    }

    function test_code_at_an_account_names_no_blobs() public {
        IFolders.Rotate memory r = rotateOf(PATIENT, 1001);
        bytes memory s = signed(PATIENT, inFolders(rotateFact(r)));
        vm.etch(vm.addr(HOSPITAL), abi.encodePacked(hex"ef0100", address(folders))); // EIP-7702
        as_(HOSPITAL);
        vm.expectRevert(IStated.NotTopLevel.selector);
        folders.rotate(r, s);
        vm.prank(vm.addr(DOCTOR), vm.addr(STRANGER)); // through a contract of somebody's
        vm.expectRevert(IStated.NotTopLevel.selector);
        folders.rotate(r, s);
        IFolders.Open memory o = openOf("other", 0);
        s = signed(PATIENT, inFolders(openFact(o)));
        vm.prank(vm.addr(DOCTOR), vm.addr(STRANGER));
        vm.expectRevert(IStated.NotTopLevel.selector);
        folders.open(o, s);
    }

    // Epochs.

    function test_rotation_starts_the_next_epoch() public {
        IFolders.Rotate memory r = rotateOf(PATIENT, 1001);
        vm.roll(block.number + 7);
        rotate(PATIENT, r);
        IFolders.Head memory head = folders.folderOf(folder);
        check(head.epoch == 2 && head.keyX == r.keyX && head.epochAt == block.number, "epoch 2");
        check(folders.epochOf(folder, 2) == rotateFact(r), "its fact");
        check(folders.epochOf(folder, 1) == openFact(openOf(SALT, 60)), "epoch 1 is still known");
    }

    function test_only_the_controller_rotates_and_only_from_the_present_epoch() public {
        IFolders.Rotate memory r = rotateOf(PATIENT, 1001);
        vm.expectRevert(IFolders.BadSignature.selector);
        this.rotate(HOSPITAL, r);
        r = rotateOf(HOSPITAL, 1001);
        vm.expectRevert(IFolders.NotController.selector);
        this.rotate(HOSPITAL, r);
        r = rotateOf(PATIENT, 1001);
        r.epoch = 3;
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleEpoch.selector, uint32(1)));
        this.rotate(PATIENT, r);
        r = rotateOf(PATIENT, 1001);
        r.previous = "another history";
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleEpoch.selector, uint32(1)));
        this.rotate(PATIENT, r);
        r = rotateOf(PATIENT, 1000); // the same key again
        vm.expectRevert(IFolders.BadKey.selector);
        this.rotate(PATIENT, r);
    }

    function test_a_rotation_signature_serves_once_and_a_failed_one_changes_nothing() public {
        IFolders.Rotate memory r = rotateOf(PATIENT, 1001);
        IFolders.Head memory before = folders.folderOf(folder);
        r.wrapsSize = 0;
        vm.expectRevert(IFolders.BadKey.selector);
        this.rotate(PATIENT, r);
        check(keccak256(abi.encode(before)) == keccak256(abi.encode(folders.folderOf(folder))), "as it was");
        r.wrapsSize = 900;
        rotate(PATIENT, r);
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleEpoch.selector, uint32(2)));
        this.rotate(PATIENT, r);
    }

    // Trustees.

    function threeTrustees() private returns (address[] memory t) {
        listActor(TRUSTEE2, Roles.TRUSTEE);
        listActor(TRUSTEE3, Roles.TRUSTEE);
        t = new address[](3);
        (t[0], t[1], t[2]) = (vm.addr(TRUSTEE), vm.addr(TRUSTEE2), vm.addr(TRUSTEE3));
    }

    function commitments(uint256 n) private pure returns (bytes32[] memory c) {
        c = new bytes32[](2 * n);
        for (uint256 i = 0; i < n; i++) (c[2 * i], c[2 * i + 1]) = p256(2000 + i);
    }

    function test_the_patient_changes_trustees_and_a_hostile_or_dead_one_blocks_nothing() public {
        setStatus(TRUSTEE, IDirectory.Status.WITHDRAWN);
        IFolders.Rotate memory r = rotateOf(PATIENT, 1001);
        r.glass = glassOf(30, new address[](0));
        rotate(PATIENT, r);
        IFolders.Head memory head = folders.folderOf(folder);
        check(head.trusteeCount == 0 && head.threshold == 0 && head.glassMinutes == 30, "none");
        check(!folders.isTrustee(folder, vm.addr(TRUSTEE)) && folders.trusteesOf(folder).length == 0, "dropped");
    }

    function test_t_of_n_trustees_come_with_the_commitments_of_their_shares() public {
        IFolders.Rotate memory r = rotateOf(PATIENT, 1001);
        r.glass = IFolders.Glass(60, 2, threeTrustees(), commitments(1));
        rotate(PATIENT, r);
        IFolders.Head memory head = folders.folderOf(folder);
        check(head.threshold == 2 && head.trusteeCount == 3 && folders.isTrustee(folder, vm.addr(TRUSTEE3)), "2 of 3");
    }

    function refuseGlass(IFolders.Glass memory g, bytes4 why) private {
        IFolders.Rotate memory r = rotateOf(PATIENT, 1001);
        r.glass = g;
        vm.expectRevert(why);
        this.rotate(PATIENT, r);
    }

    function test_glass_policies_that_make_no_sense_are_refused() public {
        address[] memory three = threeTrustees();
        address[] memory none = new address[](0);
        refuseGlass(IFolders.Glass(60, 0, three, commitments(0)), IFolders.BadGlass.selector);
        refuseGlass(IFolders.Glass(60, 4, three, commitments(3)), IFolders.BadGlass.selector);
        refuseGlass(IFolders.Glass(60, 1, none, commitments(0)), IFolders.BadGlass.selector);
        refuseGlass(IFolders.Glass(60, 2, three, commitments(0)), IFolders.BadGlass.selector);
        refuseGlass(IFolders.Glass(60, 2, three, commitments(2)), IFolders.BadGlass.selector);
        bytes32[] memory off = commitments(1);
        off[1] = bytes32(uint256(off[1]) ^ 1);
        refuseGlass(IFolders.Glass(60, 2, three, off), IFolders.BadGlass.selector);
        three[2] = three[0];
        refuseGlass(IFolders.Glass(60, 1, three, commitments(0)), IFolders.BadRecipients.selector);
        three[2] = vm.addr(HOSPITAL);
        refuseGlass(IFolders.Glass(60, 1, three, commitments(0)), IFolders.BadRecipients.selector);
        refuseGlass(glassOf(60, new address[](9)), IFolders.TooMany.selector);
    }

    function test_too_many_recipients_are_refused() public {
        IFolders.Rotate memory r = rotateOf(PATIENT, 1001);
        r.recipients = new address[](64);
        vm.expectRevert(IFolders.TooMany.selector);
        this.rotate(PATIENT, r);
        r.recipients = new address[](63);
        rotate(PATIENT, r);
    }

    function test_a_trustee_complains_of_its_share() public {
        vm.expectEmit(address(folders));
        emit IFolders.ShareRefused(folder, 1, vm.addr(TRUSTEE));
        as_(TRUSTEE);
        folders.refuseShare(folder);
        check(folders.folderOf(folder).sharesRefused == 1, "it stands");
        as_(HOSPITAL);
        vm.expectRevert(IFolders.NotATrustee.selector);
        folders.refuseShare(folder);
        rotate(PATIENT, rotateOf(PATIENT, 1001));
        check(folders.folderOf(folder).sharesRefused == 0, "until the next epoch");
    }

    // Hand-overs.

    function test_old_and_new_controller_hand_a_folder_over() public {
        IFolders.HandOver memory h = handOverOf(STRANGER);
        handOver(PATIENT, STRANGER, h);
        IFolders.Head memory head = folders.folderOf(folder);
        check(head.controller == vm.addr(STRANGER) && head.handOver == 1 && head.rotationOwed, "head");
        check(head.handOverFact == handOverFact(h) && head.handOverAt == block.number, "fact");
        (bytes32 x,) = folders.auditKeyOf(folder);
        check(x == h.auditX, "audit key");
        IFolders.Rotate memory r = rotateOf(PATIENT, 1001);
        vm.expectRevert(IFolders.NotController.selector);
        this.rotate(PATIENT, r);
        rotate(STRANGER, rotateOf(STRANGER, 1001));
        check(!folders.folderOf(folder).rotationOwed, "done");
    }

    function test_both_sign_a_hand_over() public {
        IFolders.HandOver memory h = handOverOf(STRANGER);
        vm.expectRevert(IFolders.BadSignature.selector);
        this.handOver(STRANGER, STRANGER, h);
        vm.expectRevert(IFolders.BadSignature.selector);
        this.handOver(PATIENT, PATIENT, h);
        h.handOver = 2;
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleHandOver.selector, uint32(0)));
        this.handOver(PATIENT, STRANGER, h);
        h = handOverOf(STRANGER);
        h.previous = "another";
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleHandOver.selector, uint32(0)));
        this.handOver(PATIENT, STRANGER, h);
        h = handOverOf(PATIENT);
        vm.expectRevert(IFolders.NotController.selector);
        this.handOver(PATIENT, PATIENT, h);
    }

    /// What the old one signed before, with whatever number, is void for good.
    function test_a_former_controllers_statements_are_void() public {
        IFolders.Rotate memory held = rotateOf(PATIENT, 1001);
        held.number = 50;
        IFolders.HandOver memory h = handOverOf(DOCTOR);
        h.number = 60;
        handOver(PATIENT, DOCTOR, h);
        listActor(PATIENT, Roles.PROFESSIONAL);
        grant(DOCTOR, grantOf(DOCTOR, PATIENT, 0, READ | ROTATE)); // even as a delegate
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleNumber.selector, uint64(60)));
        this.rotate(PATIENT, held);
    }

    // Forgetting.

    function test_forgetting_closes_at_once_and_erases_in_pages() public {
        rotate(PATIENT, rotateOf(PATIENT, 1001));
        rotate(PATIENT, rotateOf(PATIENT, 1002));
        vm.expectRevert(IFolders.FolderIsOpen.selector);
        folders.eraseForgotten(folder, 1, 3);
        forget();
        check(!gate().mayGet(vm.addr(PATIENT), wrapsItem(3))
            && !gate().mayPutLate(vm.addr(PATIENT), wrapsItem(3)), "closed");
        vm.recordLogs();
        as_(STRANGER); // by anyone
        folders.eraseForgotten(folder, 0, 2);
        bytes32[] memory erased = erasedItems();
        check(erased.length == 2 && erased[0] == wrapsItem(1) && erased[1] == wrapsItem(2), "the first page");
        vm.recordLogs();
        folders.eraseForgotten(folder, 2, type(uint32).max);
        erased = erasedItems();
        check(erased.length == 1 && erased[0] == wrapsItem(3), "the second, and each once");
        IFolders.Rotate memory r = rotateOf(PATIENT, 1003);
        vm.expectRevert(IFolders.FolderIsClosed.selector);
        this.rotate(PATIENT, r);
        IFolders.HandOver memory h = handOverOf(DOCTOR);
        vm.expectRevert(IFolders.FolderIsClosed.selector);
        this.handOver(PATIENT, DOCTOR, h);
    }

    function test_only_the_controller_forgets() public {
        IFolders.Forget memory f = forgetOf();
        bytes memory s = signed(HOSPITAL, forgetDigest(f));
        as_(HOSPITAL);
        vm.expectRevert(IFolders.BadSignature.selector);
        folders.forget(f, s);
    }

    // The gate.

    function test_wraps_are_for_controller_trustees_and_readers() public {
        check(gate().mayGet(vm.addr(PATIENT), wrapsItem(1))
            && gate().mayGet(vm.addr(TRUSTEE), wrapsItem(1)), "controller, trustee");
        check(!gate().mayGet(vm.addr(HOSPITAL), wrapsItem(1))
            && !gate().mayGet(vm.addr(STRANGER), wrapsItem(1)), "others not");
        give(DOCTOR, READ);
        check(gate().mayGet(vm.addr(DOCTOR), wrapsItem(1)), "a reader");
        give(HOSPITAL, WRITE);
        check(!gate().mayGet(vm.addr(HOSPITAL), wrapsItem(1)), "writing is not reading");
        take(DOCTOR);
        check(!gate().mayGet(vm.addr(DOCTOR), wrapsItem(1)), "revoked");
        check(!gate().mayGet(vm.addr(PATIENT), wrapsItem(9)), "no such item");
        check(gate().mayAudit(vm.addr(PATIENT), folder) && !gate().mayAudit(vm.addr(HOSPITAL), folder)
            && !gate().mayAudit(address(0), "none"), "audit: the controller's");
    }

    function test_audit_entries_are_sealed_to_a_key_of_the_controllers_own() public {
        (bytes32 list, bytes32 x, bytes32 y) = gate().auditOf(wrapsItem(1));
        (bytes32 ownX, bytes32 ownY) = p256(1500);
        check(list == folder && x == ownX && y == ownY, "published at open");
        rotate(PATIENT, rotateOf(PATIENT, 1001));
        forget();
        (, x,) = gate().auditOf(wrapsItem(1));
        check(x == ownX, "untouched by rotating and forgetting");
    }

    function test_wraps_that_no_node_holds_are_put_later() public {
        check(gate().mayPutLate(vm.addr(PATIENT), wrapsItem(1)) && gate().mayPutLate(vm.addr(DOCTOR), wrapsItem(1)),
            "the controller, and any listed actor");
        check(!gate().mayPutLate(vm.addr(STRANGER), wrapsItem(1))
            && !gate().mayPutLate(vm.addr(DOCTOR), wrapsItem(2)), "nobody else, nothing else");
    }

    function test_only_a_node_confirms_and_only_what_is_erased() public {
        as_(NODE);
        vm.expectRevert(IBlobGate.NotErased.selector);
        gate().confirmErased(keccak256("none"));
        forget();
        folders.eraseForgotten(folder, 1, 1);
        bytes32 item = wrapsItem(1);
        as_(HOSPITAL);
        vm.expectRevert(IBlobGate.NotANode.selector);
        gate().confirmErased(item);
        as_(NODE);
        gate().confirmErased(item);
    }

    function test_outsiders_cannot_use_the_inner_doors() public {
        IFolders.Terms memory terms = IFolders.Terms(vm.addr(PATIENT), address(0), 99, soon());
        vm.expectRevert(IFolders.NotController.selector);
        folders.authorize(folder, terms, vm.addr(PATIENT), 0, "");
        vm.expectRevert(IFolders.NotController.selector);
        folders.markRotationOwed(folder);
    }

    function test_a_daily_quota_holds() public {
        check(gate().mayPut(vm.addr(HOSPITAL), 1 << 20), "room");
        check(!gate().mayPut(vm.addr(HOSPITAL), 64 << 20), "900 bytes are used");
        check(!gate().mayPut(vm.addr(HOSPITAL), type(uint256).max), "no overflow");
        check(!gate().mayPut(vm.addr(STRANGER), 1), "strangers: none");
        vm.warp(block.timestamp + 1 days);
        check(gate().mayPut(vm.addr(HOSPITAL), 64 << 20), "a new day");
    }

    function test_blobsOf_names_the_wraps() public view {
        bytes memory rotate_ = abi.encodeCall(IFolders.rotate, (rotateOf(PATIENT, 1001), ""));
        checkNames(gate(), rotate_, WRAP);
        checkNamesNoneCutShort(gate(), rotate_, 4 + 2 * 32 + 6 * 32);
        bytes memory open_ = abi.encodeCall(IFolders.open, (openOf("other", 0), ""));
        checkNames(gate(), open_, WRAP);
        checkNamesNoneCutShort(gate(), open_, 4 + 2 * 32 + 7 * 32);
        check(gate().blobsOf(abi.encodeCall(IFolders.forget, (forgetOf(), ""))).length == 0, "others name none");
    }

    /// Calldata that nobody encoded: no revert.
    function testFuzz_blobsOf_never_reverts(uint256 offset, bytes calldata rest) public view {
        bytes memory wild = abi.encodePacked(IFolders.open.selector, offset, rest);
        check(gate().blobsOf(wild).length <= 1, "wild");
        wild = abi.encodePacked(IFolders.rotate.selector, offset % 2000, rest);
        check(gate().blobsOf(wild).length <= 1, "near");
    }
}
