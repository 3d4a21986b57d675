// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IPack} from "../src/interfaces/IPack.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {Pack} from "./Pack.t.sol";

/// Random operations by random actors on two lots without an end and five containers: packing, trade and returns, every
/// change of a unit, dispensing and undoing, recalls and their reversal, custodians that fall and whose stock is moved,
/// holds by both who may hold.
/// Most are refused; whatever happens, the books must balance.
contract MedicinesWalkTest is Pack {
    uint256 private constant STEPS = 250;
    uint32 private constant UNITS = 40; // to begin with

    uint256[5] private cast_ = [MAKER, WHOLESALER, PHARMACY, PHARMACY2, REGULATOR];
    bytes32[2] private lots;
    bytes32[5] private boxes;
    IPack.Unit[] private sold;
    uint256[] private sellers;
    uint256 private random;
    uint256 private done;
    uint256[14] private kinds;    // how often each kind of step was done
    uint256 private opened;       // packs that became PARTIAL
    uint256 private returned;     // shipments that were accepted and not traded
    uint256 private rowsMoved;    // of suspended custodians
    uint256 private boxesMoved;
    uint256 private days_;
    uint256 private actor;        // whose operation was done last, in this step; 0: nobody's
    uint256[2] private lifted;    // how often one of two holds was ended: of a pack, of a container

    /// Of the unit and the container that a step is about.
    struct Before {
        bool there;
        uint256 state;      // the byte
        IPack.State base;
        bool pending;
        bool blemished;
        IPack.Purpose purpose;
        uint256 holds;      // of a live unit: 1 a custodian's, 2 a regulator's
        uint256 boxHolds;   // of the container, likewise
    }

    function next(uint256 below) private returns (uint256) {
        random = uint256(keccak256(abi.encode(random)));
        return random % below;
    }

    function keyOf(address who) private view returns (uint256) {
        for (uint256 i = 0; i < 5; i++) {
            if (vm.addr(cast_[i]) == who) return cast_[i];
        }
        return cast_[0];
    }

    function attempt(uint256 kind, uint256 key, bytes memory operation) private returns (bool ok) {
        bytes[] memory operations = one(operation);
        vm.prank(vm.addr(key));
        (ok,) = address(medicines).call(abi.encodeCall(IMedicines.capture, (bytes32(random), "", 0, operations)));
        if (!ok) return false;
        done++;
        kinds[kind]++;
        actor = key;
    }

    /// The present custodian of the thing mostly, so that much succeeds; else anyone.
    function actorFor(address custodian) private returns (uint256) {
        return next(4) == 0 ? cast_[next(5)] : keyOf(custodian);
    }

    /// All that a step leaves is stored: its memory is used again.
    function walk(uint256 steps) private {
        for (uint256 i = 0; i < steps; i++) {
            uint256 free;
            assembly {
                free := mload(64)
            }
            step();
            assembly {
                mstore(64, free)
            }
        }
    }

    function step() private {
        bytes32 b = lots[next(2)];
        bytes32 box = boxes[next(5)];
        uint32 n = batchOf(b).commissioned;
        uint32 first = uint32(next(n + 1));
        uint32 count = uint32(1 + next(20));
        uint256 kind = next(14);
        if ((kind == 8 || kind == 10) && next(2) == 0) first = uint32(next(10)); // what was delivered
        actor = 0;
        Before memory before = look(b, first, n, box);
        uint256 owner = actorFor(first < n ? holderOf(b, first).custodian : address(0));
        uint256 keeper = actorFor(containerOf(box).custodian);
        if (kind == 0) {
            uint256 mine = actorFor(vm.addr(MAKER));
            attempt(kind, mine, commissioning(b, fragmentsOf(uint64(1000 + next(3000)), 1 + next(3))));
        } else if (kind == 1) packing(b, box, first, count, owner);
        else if (kind == 2) unpacking(b, box, first, count, keeper);
        else if (kind == 3) nesting(box, keeper);
        else if (kind == 4) shippingOn(box, keeper);
        else if (kind == 5) attempt(kind, actorFor(containerOf(box).receiver), abi.encodeCall(IMedicines.accept,
            (box)));
        else if (kind == 6) attempt(kind, keeper, abi.encodeCall(IMedicines.endShipping, (box)));
        else if (kind == 7) attempt(kind, keeper, abi.encodeCall(IMedicines.holdContainer, (box, next(2) == 0)));
        else if (kind == 8) selling(b, first, owner);
        else if (kind == 9) undoingOne();
        else if (kind == 10) changing(b, first, count, owner);
        else if (kind == 11) recalling(b);
        else if (kind == 12) falling(b, box);
        else takingTurns(b, first, box, owner, keeper);
        compare(before, kind, b, first, box);
    }

    function look(bytes32 b, uint32 first, uint32 n, bytes32 box) private view returns (Before memory now_) {
        Box_ memory c = containerOf(box);
        if (first < n) {
            Unit_ memory u = unitOf(b, first);
            (now_.there, now_.state, now_.base) = (true, u.state, u.base);
            if (!isEnded(u.base)) now_.holds = u.state >> 4 & 3;
        }
        now_.boxHolds = boxOf(uint64(bytes8(box))) >> 248 & 3;
        (now_.pending, now_.blemished, now_.purpose) = (c.receiver != address(0), c.blemishes != 0, c.purpose);
    }

    /// What no step may do, whoever takes it; and what the walk has to have done to say anything.
    function compare(Before memory before, uint256 kind, bytes32 b, uint32 first, bytes32 box) private {
        Before memory now_ = look(b, first, before.there ? first + 1 : 0, box);
        if (before.there && before.state != now_.state) {
            bool wasEnded = isEnded(before.base);
            bool found = (kind == 10 || kind == 13) && before.base == IPack.State.LOST;
            check(!wasEnded || kind == 9 || found, "what is final stays so");
            if (!wasEnded && !isEnded(now_.base) && kind != 13) compareHolds(before.holds, now_.holds, 0);
        }
        if (kind != 13) compareHolds(before.boxHolds, now_.boxHolds, 1);
        bool traded = kind == 4 && !before.pending && now_.pending && now_.purpose == IPack.Purpose.TRADE;
        check(!traded || !now_.blemished, "opened, held and recalled packs are not traded");
        if (kind == 5 && before.pending && !now_.pending && before.purpose != IPack.Purpose.TRADE) returned++;
    }

    /// Who set or ended which hold (1 a custodian's, 2 a regulator's) of a pack (0) or a container (1).
    function compareHolds(uint256 before, uint256 now_, uint256 what) private {
        uint256 changed = before ^ now_;
        if (changed == 0) return;
        check(changed != 3, "one hold at a time");
        check(actor == REGULATOR || changed == 1, "only a regulator touches a regulator's hold");
        check(actor != REGULATOR || changed == 2 || now_ == 0, "a regulator ends its own hold first, and sets no other");
        if (before == 3) lifted[what]++;
    }

    /// A custodian and a regulator hold and release one thing, in any order.
    function takingTurns(bytes32 b, uint32 first, bytes32 box, uint256 owner, uint256 keeper) private {
        uint256 what = next(2);
        for (uint256 i = 0; i < 8; i++) {
            Before memory before = look(b, first, batchOf(b).commissioned, box);
            bool held = i < 6 && next(2) == 0; // in the end a regulator takes away what is left
            uint256 key = i > 5 || next(2) == 0 ? REGULATOR : what == 0 ? owner : keeper;
            attempt(13, key, what == 0 ? change(b, first, held ? IPack.State.HELD : IPack.State.ACTIVE)
                : abi.encodeCall(IMedicines.holdContainer, (box, held)));
            Before memory now_ = look(b, first, batchOf(b).commissioned, box);
            if (!isEnded(before.base)) compareHolds(before.holds, now_.holds, 0);
            compareHolds(before.boxHolds, now_.boxHolds, 1);
        }
    }

    function packing(bytes32 b, bytes32 box, uint32 first, uint32 count, uint256 key) private {
        bytes32[] memory tags = single(bytes32(random));
        if (next(2) == 0) first = batchOf(b).touched; // where runs begin
        if (next(3) == 0) attempt(1, key, abi.encodeCall(IMedicines.packLot, (b, first, count, tags)));
        else if (next(3) == 0) attempt(1, key, abi.encodeCall(IMedicines.packRange, (box, b, first, count)));
        else attempt(1, key, abi.encodeCall(IMedicines.packUnits, (box, b, list(first, count))));
    }

    function unpacking(bytes32 b, bytes32 box, uint32 first, uint32 count, uint256 key) private {
        uint256 n = batchOf(b).commissioned;
        bytes32 in_ = first < n ? holderOf(b, first).container : bytes32(0);
        if (in_ != 0) (box, key) = (in_, actorFor(containerOf(in_).custodian));
        if (next(2) == 0) attempt(2, key, abi.encodeCall(IMedicines.unpackUnits, (box, b, list(first, 1))));
        else attempt(2, key, abi.encodeCall(IMedicines.unpackRange, (box, b, first, count)));
    }

    function nesting(bytes32 box, uint256 key) private {
        bytes32 child = boxes[next(5)];
        if (next(2) == 0) {
            attempt(3, key, abi.encodeCall(IMedicines.packContainers, (box, single(child))));
            return;
        }
        bytes32 parent = containerOf(child).parent;
        if (parent != 0) box = parent;
        attempt(3, key, abi.encodeCall(IMedicines.unpackContainers, (box, single(child))));
    }

    function shippingOn(bytes32 box, uint256 key) private {
        address to = vm.addr(cast_[next(5)]);
        attempt(4, key, abi.encodeCall(IMedicines.ship, (box, to, IPack.Purpose(next(4)))));
    }

    function selling(bytes32 b, uint32 first, uint256 key) private {
        bytes32 document = bytes32(random);
        if (next(2) == 0) {
            vm.prank(vm.addr(key));
            (bool ok, bytes memory answer) = address(medicines).call(abi.encodeCall(IMedicines.dispenseLoose,
                (document, b, first)));
            if (!ok || abi.decode(answer, (uint8)) != 0) return;
            done++;
            sold.push(IPack.Unit(b, first));
            sellers.push(key);
            return;
        }
        if (!attempt(8, key, abi.encodeCall(IMedicines.dispense, (unit(b, first))))) return;
        if (unitOf(b, first).effective != IPack.State.DISPENSED) return; // an alert
        sold.push(IPack.Unit(b, first));
        sellers.push(key);
    }

    function undoingOne() private {
        if (sold.length == 0) return;
        uint256 i = next(sold.length);
        attempt(9, actorFor(vm.addr(sellers[i])), undoing(sold[i].batch, sold[i].index));
    }

    function changing(bytes32 b, uint32 first, uint32 count, uint256 key) private {
        uint256 what = next(5);
        if (what == 4) {
            if (attempt(10, key, change(b, first, IPack.State.PARTIAL))) opened++;
        } else if (what == 0) attempt(10, key, abi.encodeCall(IMedicines.reverseUnits, (b, list(first, 1))));
        else if (what == 1) attempt(10, key, change(b, first, IPack.State(1 + next(15))));
        else attempt(10, key, abi.encodeCall(IMedicines.changeUnits, (b, list(first, count % 3 + 1), next(3) == 0
            ? IPack.State.ACTIVE : IPack.State.HELD)));
    }

    function recalling(bytes32 b) private {
        if (next(3) == 0) attempt(11, cast_[next(2) * 4], abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        else attempt(11, keyOf(recallBy(b)), abi.encodeCall(IMedicines.reverseRecall, (b, "mistake")));
    }

    function recallBy(bytes32 b) private view returns (address by) {
        (by,) = recallOf(b);
    }

    /// Somebody is suspended; a regulator moves a row, or a container, to somebody else; the one is back.
    function falling(bytes32 b, bytes32 box) private {
        if (next(4) != 0) return; // few, for what was moved is neither sold nor opened for a while
        uint256 who = cast_[next(4)];
        setStatus(who, IDirectory.Status.SUSPENDED);
        address to = vm.addr(cast_[next(5)]);
        uint256[] memory places = placesOf(b);
        uint24 place = uint24(places[next(places.length)]);
        bytes32[] memory all = single(box);
        vm.prank(vm.addr(REGULATOR));
        (bool ok,) = address(medicines).call(abi.encodeCall(IMedicines.moveStock, (b, place, to)));
        if (ok) (kinds[12], rowsMoved) = (kinds[12] + 1, rowsMoved + 1);
        vm.prank(vm.addr(REGULATOR));
        (ok,) = address(medicines).call(abi.encodeCall(IMedicines.moveContainers, (all, to)));
        if (ok) (kinds[12], boxesMoved) = (kinds[12] + 1, boxesMoved + 1);
        setStatus(who, IDirectory.Status.ACTIVE);
        if (next(8) == 0) vm.warp(START + ++days_ * 1 days); // a row that was moved dispenses from then on
    }

    /// What a container counts is what stands in it.
    function checkBoxes() private view {
        for (uint256 i = 0; i < boxes.length; i++) {
            Box_ memory c = containerOf(boxes[i]);
            uint256 inside = 0;
            uint256 blemishes = 0;
            for (uint256 j = 0; j < boxes.length; j++) {
                Box_ memory other = containerOf(boxes[j]);
                if (other.parent == boxes[i]) inside++;
                if (other.held && isInside(boxes[j], boxes[i])) blemishes++;
            }
            for (uint256 l = 0; l < 2; l++) {
                uint256 n = batchOf(lots[l]).commissioned;
                for (uint256 u = 0; u < n; u++) {
                    Unit_ memory unit_ = unitOf(lots[l], u);
                    Row_ memory row = rowOf(lots[l], unit_.place);
                    if (row.kind != 2) continue;
                    bytes32 in_ = bytes32(bytes8(row.key));
                    check(!isEnded(unit_.base), "what ended is loose");
                    if (in_ == boxes[i]) inside++;
                    if (unit_.state != 0 && isInside(in_, boxes[i])) blemishes++;
                }
            }
            check(c.contents == inside, "contents");
            check(c.blemishes == blemishes, "blemishes");
        }
    }

    function isInside(bytes32 box, bytes32 outer) private view returns (bool) {
        for (uint256 level = 0; box != 0; level++) {
            check(level < 8, "no cycle, at most 8 levels");
            if (box == outer) return true;
            box = bytes32(bytes8(uint64(boxOf(uint64(bytes8(box))))));
        }
        return false;
    }

    function testFuzz_the_books_balance(uint256 seed) public {
        random = seed;
        lots = [lot("first", UNITS), lot("second", UNITS)];
        for (uint256 i = 0; i < 5; i++) boxes[i] = container(i < 4 ? MAKER : WHOLESALER, bytes32(i + 1));
        deliver(lots[0], 0, 10, PHARMACY, "tote 1");
        deliver(lots[1], 0, 10, WHOLESALER, "tote 2");
        walk(STEPS);
        check(done > STEPS / 20, "the walk went somewhere");
        checkConserved(lots[0]);
        checkConserved(lots[1]);
        checkBoxes();
    }

    /// The walk above does everything it says, on some path at least.
    function test_the_walk_reaches_every_kind_of_step() public {
        random = 1;
        lots = [lot("first", UNITS), lot("second", UNITS)];
        for (uint256 i = 0; i < 5; i++) boxes[i] = container(i < 4 ? MAKER : WHOLESALER, bytes32(i + 1));
        deliver(lots[0], 0, 10, PHARMACY, "tote 1");
        deliver(lots[1], 0, 10, PHARMACY2, "tote 2");
        walk(8 * STEPS);
        for (uint256 kind = 0; kind < 14; kind++) {
            check(kinds[kind] != 0, string.concat("a kind of step never happened: ", digits(uint8(kind))));
        }
        check(opened != 0, "no pack was opened");
        check(returned != 0, "nothing was returned");
        check(lifted[0] != 0 && lifted[1] != 0, "no hold was ended beside another");
        check(rowsMoved != 0 && boxesMoved != 0, "no stock of a suspended custodian was moved");
        checkConserved(lots[0]);
        checkConserved(lots[1]);
        checkBoxes();
    }
}
