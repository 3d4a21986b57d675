// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "../src/interfaces/IBlobGate.sol";
import {IConsent} from "../src/interfaces/IConsent.sol";
import {IRecords} from "../src/interfaces/IRecords.sol";
import {Health} from "./Health.t.sol";

/// What goes with a record that is erased and with a folder that is forgotten.
contract ErasingTest is Health {
    IBlobGate private gate;
    bytes32 private record;

    function setUp() public override {
        super.setUp();
        gate = IBlobGate(address(consent));
        record = addRecord(1);
    }

    function share(uint256 grantee) private {
        grant(PATIENT, grantOf(PATIENT, grantee, record, READ));
    }

    function test_erasing_a_record_erases_the_wraps_of_its_grants() public {
        share(DOCTOR);
        share(DOCTOR); // again: the first wrap is replaced
        share(NODE);
        share(MAKER);
        IConsent.Revoke memory r = revokeOf(PATIENT, MAKER);
        r.record = record;
        revoke(PATIENT, r);
        give(DOCTOR, READ); // over the whole folder: stays
        vm.recordLogs();
        erase(PATIENT, record);
        bytes32[] memory erased = erasedItems();
        check(erased.length == 3 && erased[0] == record && erased[1] == grantItem(DOCTOR, record, 1, 2)
            && erased[2] == grantItem(NODE, record, 1, 1), "container and wraps");
        check(!gate.mayGet(vm.addr(DOCTOR), erased[1]) && !gate.mayGet(vm.addr(PATIENT), erased[2])
            && !gate.mayPutLate(vm.addr(PATIENT), erased[1]), "served to nobody");
        check(gate.mayGet(vm.addr(DOCTOR), grantItem(DOCTOR, 0, 1, 1)), "the folder's");
        as_(NODE);
        gate.confirmErased(erased[1]);
    }

    function test_more_wraps_than_are_erased_at_once_are_erased_by_anyone() public {
        for (uint256 i = 0; i < 65; i++) {
            listActor(1000 + i, 1);
            share(1000 + i);
        }
        vm.recordLogs();
        erase(PATIENT, record);
        check(erasedItems().length == 65, "the container and 64 wraps");
        bytes32 last = grantItem(1064, record, 1, 1);
        check(!gate.mayGet(vm.addr(1064), last), "the last one is not served either");
        vm.recordLogs();
        as_(STRANGER);
        consent.eraseForgotten(folder, only(last));
        check(erasedItems().length == 1, "erased");
        vm.recordLogs();
        consent.eraseForgotten(folder, only(last));
        check(erasedItems().length == 0, "once");
    }

    function test_only_records_says_that_a_record_is_erased() public {
        vm.expectRevert(IConsent.NotAllowed.selector);
        consent.recordErased(folder, record);
    }

    function test_what_stands_is_erased_by_nobody() public {
        share(DOCTOR);
        vm.recordLogs();
        consent.eraseForgotten(folder, only(grantItem(DOCTOR, record, 1, 1)));
        check(erasedItems().length == 0, "passed over");
        vm.expectRevert(IRecords.FolderIsOpen.selector);
        records.eraseForgotten(folder, only(record));
    }

    function test_a_forgotten_folders_items_are_erased_in_pages_by_anyone() public {
        give(DOCTOR, READ);
        (, uint64 review) = breakGlass(EMERGENCY);
        as_(TRUSTEE);
        consent.release(review, 1, "share", 100);
        bytes32[] memory ids = new bytes32[](4);
        ids[0] = grantItem(DOCTOR, 0, 1, 1);
        ids[1] = keccak256(abi.encode("reason", review));
        ids[2] = keccak256(abi.encode("release", review, vm.addr(TRUSTEE), uint32(1)));
        ids[3] = "none";
        forget();
        vm.recordLogs();
        as_(STRANGER);
        consent.eraseForgotten(folder, ids);
        check(erasedItems().length == 3, "all that there are");
        vm.recordLogs();
        consent.eraseForgotten(folder, ids);
        check(erasedItems().length == 0, "once");
        for (uint256 i = 0; i < 3; i++) {
            check(!gate.mayGet(vm.addr(PATIENT), ids[i]) && !gate.mayPutLate(vm.addr(PATIENT), ids[i]), "to nobody");
        }
    }

    function test_items_of_another_folder_are_passed_over() public {
        give(DOCTOR, READ);
        bytes32 item = grantItem(DOCTOR, 0, 1, 1);
        bytes32 first = folder;
        folder = openFolder("another", 60);
        forget();
        vm.recordLogs();
        consent.eraseForgotten(folder, only(item));
        records.eraseForgotten(folder, only(record));
        check(erasedItems().length == 0, "not its own");
        check(gate.mayGet(vm.addr(DOCTOR), item) && records.registrationOf(record).folder == first
            && records.registrationOf(record).state == 1, "as before");
    }

    function test_a_forgotten_folders_records_are_erased_once() public {
        forget();
        vm.recordLogs();
        as_(STRANGER);
        records.eraseForgotten(folder, only(record));
        check(erasedItems()[0] == record && records.registrationOf(record).state == 2, "erased");
        vm.recordLogs();
        records.eraseForgotten(folder, only(record));
        check(erasedItems().length == 0, "once");
        as_(NODE);
        IBlobGate(address(records)).confirmErased(record);
    }

    function test_only_actors_anchor_audits_and_their_count_never_falls() public {
        as_(STRANGER);
        vm.expectRevert(IConsent.NotListed.selector);
        consent.anchorAudit("root", 3);
        as_(HOSPITAL);
        consent.anchorAudit("its own", 7);
        vm.expectEmit(address(consent));
        emit IConsent.AuditAnchored(vm.addr(NODE), "root", 3);
        as_(NODE);
        consent.anchorAudit("root", 3);
        as_(NODE);
        vm.expectRevert(IConsent.NotAllowed.selector);
        consent.anchorAudit("root", 2);
        as_(NODE);
        consent.anchorAudit("the next", 3);
        (bytes32 root, uint64 count, uint40 time) = consent.anchorOf(vm.addr(NODE));
        check(root == "the next" && count == 3 && time == START, "the newest");
        (root, count, time) = consent.anchorOf(vm.addr(HOSPITAL));
        check(root == "its own" && count == 7 && time == START, "of each its own");
    }

    function test_the_lists_that_reads_are_entered_in_are_the_folders() public {
        share(DOCTOR);
        (bytes32 list, bytes32 x, bytes32 y) = gate.auditOf(grantItem(DOCTOR, record, 1, 1));
        (bytes32 ownX, bytes32 ownY) = p256(1500);
        check(list == folder && x == ownX && y == ownY, "list and key");
        (list, x, y) = gate.auditOf("none");
        check(list == 0 && x == 0 && y == 0, "no such item");
        check(gate.mayAudit(vm.addr(PATIENT), folder) && !gate.mayAudit(vm.addr(DOCTOR), folder)
            && !gate.mayAudit(address(0), "none"), "who");
    }
}
