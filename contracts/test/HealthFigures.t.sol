// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IRecords} from "../src/interfaces/IRecords.sol";
import {Health} from "./Health.t.sol";

/// The figures of docs/contracts.md for the contracts of health records.
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
