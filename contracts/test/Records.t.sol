// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "../src/interfaces/IBlobGate.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IRecords} from "../src/interfaces/IRecords.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {IStated} from "../src/interfaces/IStated.sol";
import {Health} from "./Health.t.sol";

contract RecordsTest is Health {
    function gate() private view returns (IBlobGate) {
        return IBlobGate(address(records));
    }

    function test_who_may_write_adds_without_reading() public {
        bytes32 record = addRecord(1);
        IRecords.Registration memory r = records.registrationOf(record);
        check(r.root == "root" && r.folder == folder && r.author == vm.addr(HOSPITAL) && r.epoch == 1
            && r.state == 1, "registration");
        check(r.addedAt == START && r.blob == "blob" && r.facts == 0, "registration");
        check(record == records.recordId(folder, 1, vm.addr(HOSPITAL), 1), "id");
        check(!consent.hasRight(vm.addr(HOSPITAL), folder, 0, READ), "it cannot read");
    }

    /// docs/wire-formats.md §8: disclosure proofs rely on it.
    function test_the_storage_layout_is_that_of_the_wire_formats() public {
        bytes32 record = addRecord(1);
        uint256 slot = uint256(keccak256(abi.encode(record, uint256(0))));
        check(vm.load(address(records), bytes32(slot)) == "root", "+0 root");
        check(vm.load(address(records), bytes32(slot + 1)) == folder, "+1 folder");
        uint256 packed = uint160(vm.addr(HOSPITAL)) | uint256(1) << 160 | uint256(1) << 192 | uint256(START) << 200;
        check(uint256(vm.load(address(records), bytes32(slot + 2))) == packed, "+2 author, epoch, state, addedAt");
        check(vm.load(address(records), bytes32(slot + 3)) == "blob", "+3 blob");
        check(vm.load(address(records), bytes32(slot + 4)) == 0, "+4 facts");
        erase(PATIENT, record);
        packed += uint256(1) << 192;
        check(uint256(vm.load(address(records), bytes32(slot + 2))) == packed, "erased");
    }

    function test_without_the_write_right_nothing_is_added() public {
        IRecords.Addition memory a = additionOf(1);
        as_(HOSPITAL);
        vm.expectRevert(IRecords.NotAllowedToWrite.selector);
        records.add(a);
        give(HOSPITAL, READ);
        as_(HOSPITAL);
        vm.expectRevert(IRecords.NotAllowedToWrite.selector);
        records.add(a);
        as_(STRANGER);
        vm.expectRevert(IRecords.NotListed.selector);
        records.add(a);
        give(HOSPITAL, WRITE);
        setStatus(HOSPITAL, IDirectory.Status.SUSPENDED);
        as_(HOSPITAL);
        vm.expectRevert(IRecords.NotListed.selector);
        records.add(a);
    }

    function test_a_write_right_ends_with_its_grant() public {
        addRecord(1);
        vm.warp(block.timestamp + 1 days);
        IRecords.Addition memory a = additionOf(2);
        as_(HOSPITAL);
        vm.expectRevert(IRecords.NotAllowedToWrite.selector);
        records.add(a);
    }

    function test_sealed_for_an_old_epoch_is_refused() public {
        give(HOSPITAL, WRITE);
        IRecords.Addition memory a = additionOf(1);
        rotate(PATIENT, rotateOf(PATIENT, 1001));
        as_(HOSPITAL);
        vm.expectRevert(abi.encodeWithSelector(IRecords.StaleEpoch.selector, uint32(2)));
        records.add(a);
    }

    function test_a_record_is_added_once_and_whole() public {
        addRecord(1);
        IRecords.Addition memory a = additionOf(1);
        as_(HOSPITAL);
        vm.expectRevert(IRecords.RecordExists.selector);
        records.add(a);
        a.nonce = 2;
        a.root = 0;
        as_(HOSPITAL);
        vm.expectRevert(IRecords.BadAddition.selector);
        records.add(a);
        (a.root, a.size) = ("root", (64 << 20) + 1);
        as_(HOSPITAL);
        vm.expectRevert(IRecords.BadAddition.selector);
        records.add(a);
    }

    function test_many_are_added_together_or_not_at_all() public {
        give(HOSPITAL, WRITE);
        IRecords.Addition[] memory a = new IRecords.Addition[](2);
        (a[0], a[1]) = (additionOf(1), additionOf(2));
        a[1].folder = "another";
        as_(HOSPITAL);
        vm.expectRevert(IRecords.NotAllowedToWrite.selector);
        records.addMany(a);
        check(records.registrationOf(records.recordId(folder, 1, vm.addr(HOSPITAL), 1)).state == 0, "none");
        a[1].folder = folder;
        as_(HOSPITAL);
        bytes32[] memory ids = records.addMany(a);
        check(records.registrationOf(ids[0]).state == 1 && records.registrationOf(ids[1]).state == 1, "both");
    }

    function test_the_controller_erases_and_nobody_else() public {
        bytes32 record = addRecord(1);
        vm.expectRevert(IFolders.BadSignature.selector);
        this.erase(HOSPITAL, record);
        check(gate().mayGet(vm.addr(HOSPITAL), record) && gate().mayGet(vm.addr(PATIENT), record), "before");
        vm.recordLogs();
        erase(PATIENT, record);
        check(erasedItems().length == 1, "BlobErased");
        check(!gate().mayGet(vm.addr(HOSPITAL), record) && !gate().mayGet(vm.addr(PATIENT), record), "after");
        vm.expectRevert(IRecords.AlreadyErased.selector);
        this.erase(PATIENT, record);
        vm.expectRevert(IRecords.UnknownRecord.selector);
        this.erase(PATIENT, "none");
    }

    function test_erasure_is_confirmed_by_nodes_only() public {
        bytes32 record = addRecord(1);
        as_(NODE);
        vm.expectRevert(IBlobGate.NotErased.selector);
        gate().confirmErased(record);
        erase(PATIENT, record);
        as_(HOSPITAL);
        vm.expectRevert(IBlobGate.NotANode.selector);
        gate().confirmErased(record);
        as_(NODE);
        gate().confirmErased(record);
    }

    function test_an_erasure_is_the_controllers_and_is_numbered() public {
        bytes32 record = addRecord(1);
        vm.expectRevert(IFolders.BadSignature.selector);
        this.erase(HOSPITAL, record);
        IRecords.Erase memory e = IRecords.Erase(record, vm.addr(NODE), next(PATIENT), soon());
        bytes32 t = keccak256("Erase(bytes32 record,address relay,uint64 number,uint64 deadline)");
        bytes memory s = signed(PATIENT, inRecords(keccak256(abi.encode(t, e))));
        as_(HOSPITAL);
        vm.expectRevert(IFolders.NotTheRelay.selector);
        records.erase(e, s);
        give(DOCTOR, READ);
        as_(NODE);
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleNumber.selector, e.number));
        records.erase(e, s);
    }

    function test_code_at_an_account_names_no_containers() public {
        give(HOSPITAL, WRITE);
        IRecords.Addition memory a = additionOf(1);
        IRecords.Addition[] memory many = new IRecords.Addition[](1);
        many[0] = a;
        vm.etch(vm.addr(HOSPITAL), abi.encodePacked(hex"ef0100", address(records)));
        as_(HOSPITAL);
        vm.expectRevert(IStated.NotTopLevel.selector);
        records.add(a);
        as_(HOSPITAL);
        vm.expectRevert(IStated.NotTopLevel.selector);
        records.addMany(many);
    }

    function test_a_container_is_put_later_while_its_record_stands() public {
        bytes32 record = addRecord(1);
        check(gate().mayPutLate(vm.addr(PATIENT), record) && gate().mayPutLate(vm.addr(DOCTOR), record), "stands");
        check(!gate().mayPutLate(vm.addr(STRANGER), record) && !gate().mayPutLate(vm.addr(DOCTOR), "none"), "others");
        erase(PATIENT, record);
        check(!gate().mayPutLate(vm.addr(PATIENT), record), "never after erasure");
    }

    function test_records_of_a_forgotten_folder_are_served_to_nobody_and_can_be_erased() public {
        bytes32 record = addRecord(1);
        forget();
        check(!gate().mayGet(vm.addr(HOSPITAL), record) && !gate().mayGet(vm.addr(PATIENT), record), "closed");
        IRecords.Addition memory a = additionOf(2);
        as_(HOSPITAL);
        vm.expectRevert(IRecords.NotAllowedToWrite.selector);
        records.add(a);
        erase(PATIENT, record);
        check(records.registrationOf(record).state == 2, "erased");
    }

    function test_a_suspended_author_is_not_served() public {
        bytes32 record = addRecord(1);
        check(gate().mayGet(vm.addr(HOSPITAL), record), "its own");
        setStatus(HOSPITAL, IDirectory.Status.SUSPENDED);
        check(!gate().mayGet(vm.addr(HOSPITAL), record), "suspended");
    }

    function test_audit_is_for_the_controller_under_its_own_key() public {
        bytes32 record = addRecord(1);
        rotate(PATIENT, rotateOf(PATIENT, 1001));
        (bytes32 x, bytes32 y) = p256(1500);
        (bytes32 list, bytes32 ax, bytes32 ay) = gate().auditOf(record);
        check(list == folder && x == ax && y == ay, "list and key");
        check(gate().mayAudit(vm.addr(PATIENT), folder) && !gate().mayAudit(vm.addr(HOSPITAL), folder), "who");
        (list, ax, ay) = gate().auditOf("none");
        check(list == 0 && ax == 0 && ay == 0 && !gate().mayAudit(address(0), "none"), "no such item");
    }

    function additionsOf(uint256 n) private view returns (IRecords.Addition[] memory a) {
        a = new IRecords.Addition[](n);
        for (uint256 i = 0; i < n; i++) {
            a[i] = additionOf(uint64(i));
            a[i].blob = bytes32(i + 1);
        }
    }

    function test_blobsOf_names_every_container() public view {
        bytes memory one = abi.encodeCall(IRecords.add, (additionOf(1)));
        checkNames(gate(), one, "blob");
        checkNamesNoneCutShort(gate(), one, 4 + 5 * 32);
        bytes memory many = abi.encodeCall(IRecords.addMany, (additionsOf(64)));
        bytes32[] memory named = gate().blobsOf(many);
        check(named.length == 64, "addMany");
        for (uint256 i = 0; i < 64; i++) {
            check(named[i] == bytes32(i + 1), "each in its place");
        }
        check(gate().blobsOf(abi.encodeCall(IRecords.addMany, (additionsOf(65)))).length == 0,
            "addMany reverts for more");
        check(gate().blobsOf(abi.encodeCall(IRecords.addMany, (additionsOf(0)))).length == 0, "no addition");
        check(gate().blobsOf(hex"12345678").length == 0 && gate().blobsOf("").length == 0, "others");
        checkNamesNoneCutShort(gate(), abi.encodeCall(IRecords.addMany, (additionsOf(2))), 4 + 2 * 32 + 2 * 7 * 32);
    }

    /// The array may stand anywhere behind its offset, as the compiler's decoder takes it.
    function test_blobsOf_follows_the_offset() public view {
        IRecords.Addition memory a = additionOf(1);
        bytes memory odd = abi.encodePacked(IRecords.addMany.selector, abi.encode(uint256(0x40), bytes32("gap"),
            uint256(1), a));
        checkNames(gate(), odd, "blob");
    }

    /// Calldata that nobody encoded: no revert, no more names than there are words.
    function testFuzz_blobsOf_never_reverts(uint256 offset, uint256 n, bytes calldata rest) public view {
        bytes memory wild = abi.encodePacked(IRecords.addMany.selector, offset, n, rest);
        check(gate().blobsOf(wild).length * 32 <= rest.length + 64, "wild");
        wild = abi.encodePacked(IRecords.addMany.selector, uint256(0x20), n % 80, rest);
        check(gate().blobsOf(wild).length * 7 * 32 <= rest.length, "count");
    }
}
