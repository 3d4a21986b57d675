// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {Pack} from "./Pack.t.sol";

/// Random operations by random actors on two lots and five containers. Most are refused; whatever happens, the books
/// must balance.
contract MedicinesWalkTest is Pack {
    uint256 private constant STEPS = 250;
    uint32 private constant UNITS = 40;

    uint256[5] private actors = [MAKER, WHOLESALER, PHARMACY, PHARMACY2, REGULATOR];
    bytes32[2] private lots;
    bytes32[5] private boxes;
    uint256 private random;
    uint256 private done;

    function next(uint256 below) private returns (uint256) {
        random = uint256(keccak256(abi.encode(random)));
        return random % below;
    }

    /// The present custodian of the thing mostly, so that much succeeds; else anyone.
    function step() private {
        bytes32 b = lots[next(2)];
        bytes32 box = boxes[next(5)];
        uint32 first = uint32(next(UNITS + 2));
        uint256 kind = next(14);
        bytes memory operation;
        if (kind < 2) operation = abi.encodeCall(IMedicines.packUnits, (box, b, list(first, uint32(1 + next(12)))));
        else if (kind == 2) operation = abi.encodeCall(IMedicines.unpackRange, (box, b, first, uint32(1 + next(12))));
        else if (kind == 3) operation = abi.encodeCall(IMedicines.packContainers, (box, single(boxes[next(5)])));
        else if (kind == 4) {
            bytes32 child = boxes[next(5)];
            bytes32 parent = medicines.containerOf(child).parent;
            if (parent != 0) box = parent;
            operation = abi.encodeCall(IMedicines.unpackContainers, (box, single(child)));
        }
        else if (kind == 5) operation = abi.encodeCall(IMedicines.ship, (box, vm.addr(actors[next(5)]),
            IMedicines.Purpose(next(4))));
        else if (kind == 6) operation = abi.encodeCall(IMedicines.accept, (box));
        else if (kind == 7) operation = abi.encodeCall(IMedicines.endShipping, (box));
        else if (kind == 8) operation = abi.encodeCall(IMedicines.holdContainer, (box, next(2) == 0));
        else if (kind == 9) operation = abi.encodeCall(IMedicines.dispense, (unit(b, first)));
        else if (kind == 10) operation = abi.encodeCall(IMedicines.changeUnits, (b, list(first, 1),
            IMedicines.State(1 + next(13))));
        else operation = abi.encodeCall(IMedicines.changeUnits, (b, list(first, uint32(1 + next(3))), next(3) == 0
            ? IMedicines.State.ACTIVE : IMedicines.State.HELD));
        address who = vm.addr(actors[next(5)]);
        if (next(4) != 0) {
            if (kind == 6) who = medicines.containerOf(box).receiver;
            else if (kind < 9 && kind > 1) who = medicines.containerOf(box).custodian;
            else if (first < UNITS) who = medicines.holderOf(b, first).custodian;
        }
        bytes[] memory operations = one(operation);
        vm.prank(who);
        (bool ok,) = address(medicines).call(abi.encodeCall(IMedicines.capture, (bytes32(random), "", 0, operations)));
        if (ok) done++;
    }

    /// What a container counts is what stands in it.
    function checkBoxes() private view {
        for (uint256 i = 0; i < boxes.length; i++) {
            IMedicines.ContainerView memory c = medicines.containerOf(boxes[i]);
            uint256 inside = 0;
            for (uint256 j = 0; j < boxes.length; j++) {
                if (medicines.containerOf(boxes[j]).parent == boxes[i]) inside++;
            }
            uint256 blemishes = 0;
            for (uint256 l = 0; l < 2; l++) {
                for (uint32 u = 0; u < UNITS; u++) {
                    IMedicines.Holding memory h = medicines.holderOf(lots[l], u);
                    if (h.container == boxes[i]) inside++;
                    IMedicines.State s = medicines.unitState(lots[l], u).stored;
                    bool bad = s == IMedicines.State.HELD || s == IMedicines.State.LOCKED
                        || s == IMedicines.State.RECALLED;
                    if (bad && isInside(h.container, boxes[i])) blemishes++;
                }
            }
            for (uint256 j = 0; j < boxes.length; j++) {
                if (medicines.containerOf(boxes[j]).held && isInside(boxes[j], boxes[i])) blemishes++;
            }
            check(c.contents == inside, "contents");
            check(c.blemishes == blemishes, "blemishes");
        }
    }

    function isInside(bytes32 box, bytes32 outer) private view returns (bool) {
        for (uint256 level = 0; box != 0; level++) {
            check(level < 8, "no cycle, at most 8 levels");
            if (box == outer) return true;
            box = medicines.containerOf(box).parent;
        }
        return false;
    }

    function testFuzz_the_books_balance(uint256 seed) public {
        random = seed;
        lots = [lot("first", UNITS), lot("second", UNITS)];
        for (uint256 i = 0; i < 5; i++) boxes[i] = container(i < 4 ? MAKER : WHOLESALER, bytes32(i + 1));
        deliver(lots[0], 0, 10, PHARMACY, "tote 1");
        deliver(lots[1], 0, 10, WHOLESALER, "tote 2");
        for (uint256 i = 0; i < STEPS; i++) {
            if (i == STEPS / 2
                && seed % 3 == 0) act(MAKER, abi.encodeCall(IMedicines.recallBatch, (lots[0], "reason")));
            step();
        }
        check(done > STEPS / 20, "the walk went somewhere");
        checkConserved(lots[0]);
        checkConserved(lots[1]);
        checkBoxes();
    }

    /// Fragments: whatever was put in is found again, in any generation; nothing else is.
    function testFuzz_the_fragment_table_is_a_set(uint64 start, uint8 split) public {
        vm.prank(vm.addr(REGULATOR));
        medicines.registerProduct("set", vm.addr(MAKER), "commitment", 60);
        act(MAKER, abi.encodeCall(IMedicines.openBatch, ("set", "lot", EXPIRY, "root", 100)));
        bytes32 b = medicines.batchId("set", "lot");
        start %= 1 << 62;
        uint64 n = split % 60;
        if (n != 0) act(MAKER, abi.encodeCall(IMedicines.commission, (b, fragmentsOf(start, n))));
        vm.prank(vm.addr(MAKER));
        medicines.growProduct("set", 100);
        act(MAKER, abi.encodeCall(IMedicines.commission, (b, fragmentsOf(start + n, 100 - n))));
        for (uint64 i = 0; i < 100; i++) {
            check(medicines.isCommissioned("set", fragment(start + i)), "in");
            check(!medicines.isCommissioned("set", fragment(start + 100 + i)), "out");
        }
        check(medicines.productOf("set").units == 100, "count");
    }
}
