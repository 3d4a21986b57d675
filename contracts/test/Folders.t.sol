// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "../src/interfaces/IBlobGate.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {Health} from "./Health.t.sol";

contract FoldersTest is Health {
    function gate() private view returns (IBlobGate) {
        return IBlobGate(address(folders));
    }

    function test_a_folder_is_opened_by_its_controllers_signature() public view {
        IFolders.Folder memory f = folders.folderOf(folder);
        (bytes32 x, bytes32 y) = p256(1000);
        check(f.controller == vm.addr(PATIENT) && f.epoch == 1 && f.keyX == x && f.keyY == y
            && f.glassMinutes == 60, "folder");
        check(folder == folders.folderId(vm.addr(PATIENT), SALT), "id");
        check(folders.isTrustee(folder, vm.addr(TRUSTEE)) && !folders.isTrustee(folder, vm.addr(HOSPITAL)), "trustees");
    }

    function test_an_unlisted_sender_opens_nothing() public {
        (bytes32 x, bytes32 y) = p256(1000);
        bytes memory s = openSignature("other", 1000, 0, trustees());
        uint64 deadline = soon();
        address[] memory t = trustees();
        address patient = vm.addr(PATIENT);
        as_(STRANGER);
        vm.expectRevert(IFolders.NotListed.selector);
        folders.open(patient, "other", x, y, WRAP, 900, 0, t, deadline, s);
    }

    function test_a_signature_for_other_trustees_opens_nothing() public {
        (bytes32 x, bytes32 y) = p256(1000);
        bytes memory s = openSignature("other", 1000, 0, trustees());
        address[] memory none = new address[](0);
        uint64 deadline = soon();
        address patient = vm.addr(PATIENT);
        as_(HOSPITAL);
        vm.expectRevert(IFolders.NotController.selector);
        folders.open(patient, "other", x, y, WRAP, 900, 0, none, deadline, s);
    }

    function test_a_folder_is_opened_once() public {
        (bytes32 x, bytes32 y) = p256(1000);
        bytes memory s = openSignature(SALT, 1000, 60, trustees());
        uint64 deadline = soon();
        address[] memory t = trustees();
        address patient = vm.addr(PATIENT);
        as_(HOSPITAL);
        vm.expectRevert(IFolders.FolderExists.selector);
        folders.open(patient, SALT, x, y, WRAP, 900, 60, t, deadline, s);
    }

    function test_a_point_off_the_curve_is_no_key() public {
        address me = vm.addr(HOSPITAL);
        address[] memory t = trustees();
        uint64 deadline = soon();
        as_(HOSPITAL);
        vm.expectRevert(IFolders.BadKey.selector);
        folders.open(me, "own", bytes32(uint256(1)), bytes32(uint256(1)), WRAP, 900, 60, t, deadline, "");
    }

    function test_rotation_starts_the_next_epoch() public {
        rotate(PATIENT, 1, 1001, trustees());
        (bytes32 x,) = p256(1001);
        check(folders.folderOf(folder).epoch == 2 && folders.folderOf(folder).keyX == x && nonce() == 1, "epoch 2");
        (bytes32 old,) = folders.keyOf(folder, 1);
        (x,) = p256(1000);
        check(old == x, "epoch 1 is still known");
    }

    function test_only_the_controller_rotates_and_only_from_the_present_epoch() public {
        vm.expectRevert(IFolders.NotController.selector);
        this.rotate(HOSPITAL, 1, 1001, trustees());
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleEpoch.selector, uint32(1)));
        this.rotate(PATIENT, 2, 1001, trustees());
        vm.expectRevert(IFolders.BadKey.selector);
        this.rotate(PATIENT, 1, 1000, trustees()); // the same key again
    }

    function test_a_rotation_signature_serves_once() public {
        (bytes32 x, bytes32 y) = p256(1001);
        bytes memory s = rotateSignature(PATIENT, 1, 1001, trustees());
        uint64 deadline = soon();
        address[] memory t = trustees();
        as_(HOSPITAL);
        folders.rotate(folder, 1, x, y, WRAP, 900, t, deadline, s);
        as_(HOSPITAL);
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleEpoch.selector, uint32(2)));
        folders.rotate(folder, 1, x, y, WRAP, 900, t, deadline, s);
        as_(HOSPITAL);
        vm.expectRevert(IFolders.NotController.selector);
        folders.rotate(folder, 2, x, y, WRAP, 900, t, deadline, s);
    }

    function test_rotation_leaves_no_active_trustee_out() public {
        address[] memory none = new address[](0);
        vm.expectRevert(IFolders.BadRecipients.selector);
        this.rotate(PATIENT, 1, 1001, none);
        address[] memory late = new address[](2);
        (late[0], late[1]) = (vm.addr(DOCTOR), vm.addr(TRUSTEE));
        vm.expectRevert(IFolders.BadRecipients.selector);
        this.rotate(PATIENT, 1, 1001, late);
        setStatus(TRUSTEE, IDirectory.Status.WITHDRAWN);
        rotate(PATIENT, 1, 1001, none);
        check(folders.folderOf(folder).epoch == 2, "without the withdrawn one");
    }

    function test_late_actions_are_refused() public {
        bytes memory s = forgetSignature(PATIENT);
        uint64 deadline = soon();
        vm.warp(deadline + 1);
        as_(HOSPITAL);
        vm.expectRevert(IFolders.Expired.selector);
        folders.forget(folder, deadline, s);
    }

    function test_the_controller_itself_needs_no_signature() public {
        uint64 deadline = soon();
        as_(PATIENT);
        folders.forget(folder, deadline, "");
        check(folders.folderOf(folder).closed, "closed");
    }

    function test_forgetting_erases_wraps_and_ends_everything() public {
        rotate(PATIENT, 1, 1001, trustees());
        give(DOCTOR, READ);
        vm.recordLogs();
        forget();
        bytes32[] memory erased = erasedItems();
        check(erased.length == 3 && erased[0] == wrapsItem(1) && erased[1] == wrapsItem(2)
            && erased[2] == grantItem(DOCTOR, 2), "all wraps");
        check(!gate().mayGet(vm.addr(PATIENT), wrapsItem(2)), "gone");
        vm.expectRevert(IFolders.FolderIsClosed.selector);
        this.rotate(PATIENT, 2, 1002, trustees());
    }

    function test_wraps_are_for_controller_trustees_and_readers() public {
        check(gate().mayGet(vm.addr(PATIENT), wrapsItem(1))
            && gate().mayGet(vm.addr(TRUSTEE), wrapsItem(1)), "controller, trustee");
        check(!gate().mayGet(vm.addr(HOSPITAL), wrapsItem(1))
            && !gate().mayGet(vm.addr(STRANGER), wrapsItem(1)), "others not");
        give(DOCTOR, READ);
        check(gate().mayGet(vm.addr(DOCTOR), wrapsItem(1)), "a reader");
        give(HOSPITAL, WRITE);
        check(!gate().mayGet(vm.addr(HOSPITAL), wrapsItem(1)), "writing is not reading");
        revoke(PATIENT, DOCTOR);
        check(!gate().mayGet(vm.addr(DOCTOR), wrapsItem(1)), "revoked");
        check(!gate().mayGet(vm.addr(PATIENT), wrapsItem(9)), "no such item");
        check(gate().mayAudit(vm.addr(PATIENT), wrapsItem(1))
            && !gate().mayAudit(vm.addr(HOSPITAL), wrapsItem(1)), "audit: the controller's");
    }

    function test_only_a_node_confirms_and_only_what_is_erased() public {
        as_(NODE);
        vm.expectRevert(IBlobGate.NotErased.selector);
        gate().confirmErased(keccak256("none"));
        forget();
        bytes32 item = wrapsItem(1);
        as_(HOSPITAL);
        vm.expectRevert(IBlobGate.NotANode.selector);
        gate().confirmErased(item);
        as_(NODE);
        gate().confirmErased(item);
    }

    function test_outsiders_cannot_use_the_inner_doors() public {
        vm.expectRevert(IFolders.NotController.selector);
        folders.authorize(folder, vm.addr(PATIENT), 0, "");
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
        (bytes32 x, bytes32 y) = p256(1000);
        bytes memory rotate_ = abi.encodeCall(IFolders.rotate, (folder, 1, x, y, WRAP, 9, trustees(), 1, ""));
        checkNames(gate(), abi.encodeCall(IFolders.open, (vm.addr(PATIENT), SALT, x, y, WRAP, 9, 6, trustees(), 1, "")),
            WRAP);
        checkNames(gate(), rotate_, WRAP);
        checkNamesNoneCutShort(gate(), rotate_, 4 + 5 * 32);
        check(gate().blobsOf(abi.encodeCall(IFolders.forget, (folder, 1, ""))).length == 0
            && gate().blobsOf("").length == 0, "others");
    }

    /// The classic hole: whoever sends it, without the controller's signature nothing about the folder changes.
    function testFuzz_no_signature_no_change(address sender, bytes calldata junk) public {
        vm.assume(sender != vm.addr(PATIENT) && sender != address(vm));
        (bytes32 x, bytes32 y) = p256(1001);
        bytes32 before = keccak256(abi.encode(folders.folderOf(folder)));
        bytes memory rotation = abi.encodeCall(IFolders.rotate, (folder, 1, x, y, WRAP, 900, trustees(), soon(), junk));
        bytes memory forgetting = abi.encodeCall(IFolders.forget, (folder, soon(), junk));
        address hospital = vm.addr(HOSPITAL);
        for (uint256 i = 0; i < 2; i++) {
            vm.startPrank(i == 0 ? sender : hospital);
            (bool rotated,) = address(folders).call(rotation);
            (bool forgotten,) = address(folders).call(forgetting);
            vm.stopPrank();
            check(!rotated && !forgotten, "refused");
        }
        check(before == keccak256(abi.encode(folders.folderOf(folder))), "unchanged");
    }
}
