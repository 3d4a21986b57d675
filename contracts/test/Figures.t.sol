// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {Pack} from "./Pack.t.sol";
import {IRecords} from "../src/interfaces/IRecords.sol";
import {Health} from "./Health.t.sol";

/// The figures of docs/contracts.md: storage slots of a unit's whole life, and gas. Gas stands in snapshots/ after a
/// run.
contract FiguresTest is Pack {
    uint32 private constant CASE = 48;
    uint32 private constant CASES = 20;
    uint32 private constant UNITS = CASE * CASES;

    mapping(bytes32 slot => bool) private counted;
    uint256 private slots;

    function setUp() public override {
        super.setUp();
        vm.prank(vm.addr(REGULATOR));
        medicines.registerProduct("figures", vm.addr(MAKER), "commitment", UNITS);
    }

    /// Adds the slots of the contract that were written since vm.record and are not zero now.
    function count() private {
        (, bytes32[] memory writes) = vm.accesses(address(medicines));
        for (uint256 i = 0; i < writes.length; i++) {
            if (counted[writes[i]] || vm.load(address(medicines), writes[i]) == 0) continue;
            counted[writes[i]] = true;
            slots++;
        }
    }

    function caseTags(uint32 first, uint32 n) private pure returns (bytes32[] memory tags) {
        tags = new bytes32[](n);
        for (uint32 i = 0; i < n; i++) tags[i] = bytes32(uint256(1000 + first + i));
    }

    function caseIds() private view returns (bytes32[] memory ids) {
        ids = caseTags(0, CASES);
        for (uint32 i = 0; i < CASES; i++) ids[i] = medicines.containerId(vm.addr(MAKER), ids[i]);
    }

    function sellCase(bytes32 b, uint32 first) private {
        IMedicines.Unit[] memory units = new IMedicines.Unit[](CASE);
        for (uint32 i = 0; i < CASE; i++) units[i] = IMedicines.Unit(b, first + i);
        act(PHARMACY, abi.encodeCall(IMedicines.dispense, (units)));
    }

    /// Commissioned, packed in cases on a pallet, to a wholesaler, by the case to a pharmacy, unpacked, dispensed; a
    /// document a step.
    function test_slots_of_a_whole_life() public {
        vm.record();
        act(MAKER, abi.encodeCall(IMedicines.openBatch, ("figures", "lot", EXPIRY, "root", UNITS)));
        bytes32 b = medicines.batchId("figures", "lot");
        act(MAKER, abi.encodeCall(IMedicines.commission, (b, fragmentsOf(0, UNITS))));
        vm.snapshotGasLastCall("medicines: commission 960 units");
        act(MAKER, abi.encodeCall(IMedicines.packLot, (b, 0, CASE, caseTags(0, CASES))));
        vm.snapshotGasLastCall("medicines: pack 20 cases of 48");
        bytes32 pallet = container(MAKER, "pallet");
        bytes32[] memory cases = caseIds();
        act(MAKER, abi.encodeCall(IMedicines.packContainers, (pallet, cases)));
        vm.snapshotGasLastCall("medicines: put 20 cases on a pallet");
        act(MAKER, shipping(pallet, WHOLESALER));
        vm.snapshotGasLastCall("medicines: ship a pallet of 960");
        act(WHOLESALER, abi.encodeCall(IMedicines.accept, (pallet)));
        vm.snapshotGasLastCall("medicines: accept a pallet of 960");
        act(WHOLESALER, abi.encodeCall(IMedicines.unpackContainers, (pallet, cases)));
        count();
        for (uint32 i = 0; i < CASES; i++) {
            vm.record();
            move(cases[i], WHOLESALER, PHARMACY);
            act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (cases[i], b, i * CASE, CASE)));
            vm.snapshotGasLastCall("medicines: unpack a case of 48");
            sellCase(b, i * CASE);
            vm.snapshotGasLastCall("medicines: dispense 48 units");
            count();
        }
        uint256 documents = 8 + 4 * uint256(CASES) - 1;
        check(medicines.batchOf(b).ended == UNITS, "all were dispensed");
        uint256 withDocuments = slots * 1000 / UNITS;
        uint256 without = (slots - documents) * 1000 / UNITS;
        emit Figure("slots of 960 units, documents included", slots);
        emit Figure("documents", documents);
        emit Figure("thousandths of a slot a unit, documents apart", without);
        emit Figure("thousandths of a slot a unit, documents included", withDocuments);
        check(without <= 450, "at most 0.45 slots a unit");
    }

    event Figure(string what, uint256 value);

    function test_gas_of_single_steps() public {
        bytes32 b = lot("lot", 100);
        act(MAKER, abi.encodeCall(IMedicines.openContainer, ("case")));
        vm.snapshotGasLastCall("medicines: open a container");
        bytes32 c = medicines.containerId(vm.addr(MAKER), "case");
        pack(MAKER, c, b, 0, 10);
        vm.snapshotGasLastCall("medicines: pack 10 units");
        move(c, MAKER, PHARMACY);
        act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (c, b, 0, 10)));
        (bytes32 id,) = sell(PHARMACY, b, 0);
        vm.snapshotGasLastCall("medicines: dispense 1 unit");
        sell(PHARMACY2, b, 0);
        vm.snapshotGasLastCall("medicines: a second dispense, alerted");
        act(PHARMACY, abi.encodeCall(IMedicines.undoDispense, (id, unit(b, 0), list(0, 1))));
        vm.snapshotGasLastCall("medicines: undo a dispense");
        act(MAKER, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        vm.snapshotGasLastCall("medicines: recall a lot");
    }
}

contract HealthFiguresTest is Health {
    function test_gas_of_single_steps() public {
        listActor(90, 1);
        vm.snapshotGasLastCall("directory: list");
        openFolder("figures", 60);
        vm.snapshotGasLastCall("folders: open");
        give(HOSPITAL, WRITE);
        vm.snapshotGasLastCall("consent: grant to write");
        give(DOCTOR, READ);
        vm.snapshotGasLastCall("consent: grant to read");
        IRecords.Addition memory a = additionOf(1);
        as_(HOSPITAL);
        bytes32 record = records.add(a);
        vm.snapshotGasLastCall("records: add");
        ask(DOCTOR, record, TREAT);
        vm.snapshotGasLastCall("consent: access, permitted");
        ask(DOCTOR, record, TREAT);
        vm.snapshotGasLastCall("consent: access, inside a window");
        ask(TRUSTEE, record, TREAT);
        vm.snapshotGasLastCall("consent: access, refused");
        (, uint64 review) = breakGlass(EMERGENCY);
        vm.snapshotGasLastCall("consent: break glass");
        as_(TRUSTEE);
        consent.release(review, 1, "share", 100);
        vm.snapshotGasLastCall("consent: release");
        grant(PATIENT, grantOf(PATIENT, NODE, record, READ));
        vm.snapshotGasLastCall("consent: grant to read one record");
        take(DOCTOR);
        vm.snapshotGasLastCall("consent: revoke");
        rotate(PATIENT, rotateOf(PATIENT, 1001));
        vm.snapshotGasLastCall("folders: rotate");
        handOver(PATIENT, STRANGER, handOverOf(STRANGER));
        vm.snapshotGasLastCall("folders: hand over");
        handOver(STRANGER, PATIENT, handOverOf(PATIENT));
        erase(PATIENT, record);
        vm.snapshotGasLastCall("records: erase");
        forget();
        vm.snapshotGasLastCall("folders: forget");
        folders.eraseForgotten(folder, 1, 2);
        vm.snapshotGasLastCall("folders: erase 2 epochs");
        check(folders.folderOf(folder).closed, "to the end");
    }

    function test_gas_of_an_actors_standing() public {
        IDirectory.Standing memory s = standingOf(DOCTOR, IDirectory.Status.SUSPENDED, 0);
        anyone();
        directory.setStanding(s, byRegistrars(standingDigest(s)));
        vm.snapshotGasLastCall("directory: set standing");
    }

    function test_gas_of_closing_a_review() public {
        (, uint64 review) = breakGlass(EMERGENCY);
        IConsent.CloseReview memory c = IConsent.CloseReview(review, true, vm.addr(REGULATOR), address(0), 1, soon());
        as_(REGULATOR);
        consent.closeReview(c, "");
        vm.snapshotGasLastCall("consent: close a review");
    }
}
