// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {IPack} from "../src/interfaces/IPack.sol";
import {Pack} from "./Pack.t.sol";

/// Documents of one unit, which have no slot; runs of cases, which write no unit; lots of a withdrawn product.
contract MedicinesAloneTest is Pack {
    function alone(uint256 key, bytes32 document, bytes32 b, uint32 index) private returns (IPack.Code) {
        vm.prank(vm.addr(key));
        return medicines.dispenseLoose(document, b, index);
    }

    function alertsOf(bytes32 b) private view returns (uint256) {
        return word(entry(b, 14), 0) >> 192;
    }

    function test_a_document_of_one_unit_counts_once() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 10, PHARMACY, "tote");
        bytes32 first = keccak256("first");
        check(alone(PHARMACY, first, b, 0) == IPack.Code.OK && stateOf(b, 0) == IPack.State.DISPENSED, "dispensed");
        vm.expectEmit(address(medicines));
        emit IPack.CaptureRepeated(keccak256(abi.encode(vm.addr(PHARMACY), first, uint32(0))));
        check(alone(PHARMACY, first, b, 0) == IPack.Code.OK && alertsOf(b) == 0, "again: nothing");
        check(alone(PHARMACY, keccak256("other"), b, 0) == IPack.Code.ALREADY_DISPENSED && alertsOf(b) == 1, "a copy");
        check(alone(PHARMACY2, first, b, 0) == IPack.Code.ALREADY_DISPENSED && alertsOf(b) == 2, "elsewhere");
        check(alone(PHARMACY, keccak256("second"), b, 1) == IPack.Code.OK, "another");
        check(alone(PHARMACY, first, b, 0) == IPack.Code.ALREADY_DISPENSED && alertsOf(b) == 3, "forgotten: an alert");
        check(endedOf(b) == 2, "two");
        checkConserved(b);
    }

    /// A document that dispensed one pack is no word for another one, which was dispensed before.
    function test_a_document_of_another_unit_hides_no_alert() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 10, PHARMACY, "tote");
        bytes32 document = keccak256("document");
        alone(PHARMACY, keccak256("earlier"), b, 0);
        alone(PHARMACY, document, b, 1);
        check(alone(PHARMACY, document, b, 0) == IPack.Code.ALREADY_DISPENSED && alertsOf(b) == 1, "an alert");
        check(alone(PHARMACY, document, b, 1) == IPack.Code.OK && alertsOf(b) == 1, "the same one again");
    }

    /// Its answer would be lost there, and the capture say OK.
    function test_a_document_of_one_unit_is_no_operation_of_another() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 10, PHARMACY, "tote");
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, abi.encodeCall(IMedicines.dispenseLoose, ("document", b, 0)));
        check(endedOf(b) == 0, "nothing");
    }

    function test_what_one_unit_alone_says() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 10, PHARMACY, "tote");
        (, uint24 ordinal) = directory.standingOf(vm.addr(PHARMACY));
        bytes32 document = keccak256("document");
        vm.expectEmit(address(medicines));
        emit IPack.Dispensed(b, 3, bytes32(bytes29(document)) | bytes32(uint256(ordinal)));
        alone(PHARMACY, document, b, 3);
        check(whoHas(b, 3) == vm.addr(PHARMACY), "who dispensed it");
    }

    /// Everything that forbids a dispense in a capture forbids it alone, and says so to both.
    function test_one_unit_alone_is_refused_like_others() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 10, PHARMACY, "tote");
        vm.expectRevert(abi.encodeWithSelector(IPack.Refused.selector, IPack.Code.WRONG_ROLE, bytes32("document")));
        alone(WHOLESALER, "document", b, 0);
        check(alone(PHARMACY, "1", "none", 0) == IPack.Code.UNKNOWN_BATCH, "no such lot");
        check(alone(PHARMACY, "2", b, 20) == IPack.Code.UNKNOWN_UNIT, "no such unit");
        check(alone(PHARMACY, "3", b, 15) == IPack.Code.NOT_CUSTODIAN, "the owner's");
        check(alone(PHARMACY2, "4", b, 0) == IPack.Code.NOT_CUSTODIAN, "another's");
        bytes32 c = container(PHARMACY, "box");
        pack(PHARMACY, c, b, 1, 2);
        check(alone(PHARMACY, "5", b, 1) == IPack.Code.NOT_LOOSE, "packed");
        act(PHARMACY, change(b, 4, IPack.State.HELD));
        check(alone(PHARMACY, "6", b, 4) == IPack.Code.IS_HELD, "held");
        act(MAKER, change(b, 5, IPack.State.RECALLED));
        check(alone(PHARMACY, "7", b, 5) == IPack.Code.IS_RECALLED, "recalled");
        act(PHARMACY, change(b, 6, IPack.State.DESTROYED));
        check(alone(PHARMACY, "8", b, 6) == IPack.Code.FINAL, "destroyed");
        act(PHARMACY, change(b, 7, IPack.State.PARTIAL));
        check(alone(PHARMACY, "9", b, 7) == IPack.Code.OK, "opened");
        check(unitOf(b, 7).base == IPack.State.OPENED_DISPENSED, "and known as such");
        act(MAKER, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        check(alone(PHARMACY, "10", b, 8) == IPack.Code.IS_RECALLED, "the lot");
        act(MAKER, abi.encodeCall(IMedicines.reverseRecall, (b, "mistake")));
        vm.warp(EXPIRY);
        check(alone(PHARMACY, "11", b, 8) == IPack.Code.IS_EXPIRED, "expired");
        check(endedOf(b) == 2, "nothing else");
        checkConserved(b);
    }

    // Runs.

    function packRun(bytes32 b, bytes32 c, uint32 first, uint32 n) private {
        act(MAKER, abi.encodeCall(IMedicines.packRange, (c, b, first, n)));
    }

    /// Cases in order, a gap, another size, a fifth run in the block, and across blocks: each unit stands in its case.
    function test_cases_in_and_out_of_order() public {
        bytes32 b = lot("lot", 2300);
        uint32[7] memory first = [uint32(0), 48, 100, 148, 160, 200, 1000];
        uint32[7] memory n = [uint32(48), 48, 48, 12, 24, 10, 1024];
        for (uint256 i = 0; i < 7; i++) packRun(b, container(MAKER, bytes32(i + 1)), first[i], n[i]);
        for (uint256 i = 0; i < 7; i++) {
            bytes32 c = containerId(vm.addr(MAKER), bytes32(i + 1));
            check(holderOf(b, first[i]).container == c, "the first in its case");
            check(holderOf(b, first[i] + n[i] - 1).container == c, "the last");
            check(containerOf(c).contents == n[i], "contents");
        }
        check(holderOf(b, 96).container == 0 && holderOf(b, 199).container == 0, "between");
        check(holderOf(b, 2024).container == 0, "behind");
        check(word(inner(b, 3, 0), 0) == 0 && word(inner(b, 3, 25), 0) != 0, "four runs a block, and no more");
        packRun(b, container(MAKER, "back"), 96, 4); // behind where runs begin: unit by unit
        refused(IPack.Code.NOT_LOOSE, MAKER, abi.encodeCall(IMedicines.packRange,
            (containerId(vm.addr(MAKER), "back"), b, 90, 2)));
        checkConserved(b);
    }

    /// Units between those of a case that was filled twice stay where they are, whoever opens it.
    function test_a_case_that_is_filled_twice_has_no_others() public {
        bytes32 b = lot("lot", 64);
        bytes32 twice = container(MAKER, "twice");
        bytes32 between = container(MAKER, "between");
        packRun(b, twice, 0, 3);
        packRun(b, between, 3, 2);
        packRun(b, twice, 6, 20);
        move(twice, MAKER, PHARMACY);
        move(between, MAKER, PHARMACY2);
        refused(IPack.Code.NOT_A_CHILD, PHARMACY, abi.encodeCall(IMedicines.unpackRange, (twice, b, 0, 8)));
        refused(IPack.Code.NOT_A_CHILD, PHARMACY, abi.encodeCall(IMedicines.unpackRange, (twice, b, 5, 2)));
        act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (twice, b, 0, 3)));
        act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (twice, b, 6, 20)));
        check(whoHas(b, 3) == vm.addr(PHARMACY2) && whoHas(b, 5) == vm.addr(MAKER), "not theirs");
        checkConserved(b);
    }

    function test_a_run_is_opened_by_parts() public {
        bytes32 b = lot("lot", 200);
        bytes32[] memory tags = new bytes32[](3);
        for (uint256 i = 0; i < 3; i++) tags[i] = bytes32(i + 1);
        act(MAKER, abi.encodeCall(IMedicines.packLot, (b, 3, 50, tags)));
        bytes32 c = containerId(vm.addr(MAKER), tags[1]);
        move(c, MAKER, PHARMACY);
        act(PHARMACY, abi.encodeCall(IMedicines.unpackUnits, (c, b, list(60, 1))));
        check(alone(PHARMACY, "one", b, 60) == IPack.Code.OK && holderOf(b, 61).container == c, "one of them");
        act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (c, b, 53, 7)));
        act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (c, b, 61, 42)));
        check(containerOf(c).contents == 0 && holderOf(b, 102).count == 49, "all of them");
        refused(IPack.Code.NOT_A_CHILD, PHARMACY, abi.encodeCall(IMedicines.unpackUnits, (c, b, list(53, 1))));
        checkConserved(b);
    }

    function test_all_lots_of_a_withdrawn_product_are_withdrawn() public {
        bytes32 first = lot("first", 2);
        bytes32 second = lot("second", 2);
        vm.prank(vm.addr(REGULATOR));
        medicines.withdrawProduct(PRODUCT, true, 0);
        bytes32 later = lot("later", 2);
        check(batchOf(first).flags & batchOf(second).flags & batchOf(later).flags == LOT_WITHDRAWN, "all");
        vm.prank(vm.addr(REGULATOR));
        medicines.withdrawProduct(PRODUCT, false, 0);
        check(batchOf(first).flags | batchOf(later).flags == 0, "back");
    }
}
