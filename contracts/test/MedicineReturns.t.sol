// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IPack} from "../src/interfaces/IPack.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {Pack} from "./Pack.t.sol";

/// What was opened, undone, recalled or left behind, and the rows of holders.
contract MedicineReturnsTest is Pack {
    // Undoing.

    function test_dispensing_is_undone_by_the_same_actor_within_ten_days() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        sell(PHARMACY, b, 0);
        refused(IPack.Code.UNDO_OTHER, PHARMACY2, undoing(b, 0));
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, undoing(b, 1));
        refused(IPack.Code.UNKNOWN_UNIT, PHARMACY, undoing(b, 10));
        vm.warp(START / 1 days * 1 days + 11 days - 1);
        act(PHARMACY, undoing(b, 0));
        check(stateOf(b, 0) == IPack.State.ACTIVE && unitOf(b, 0).barred, "active, and barred");
        check(endedOf(b) == 0, "live");
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, undoing(b, 0));
        (, IPack.Code code) = sell(PHARMACY, b, 0);
        check(code == IPack.Code.OK, "to the same patient");
        vm.warp(START / 1 days * 1 days + 21 days);
        refused(IPack.Code.UNDO_LATE, PHARMACY, undoing(b, 0));
        checkConserved(b);
    }

    function testFuzz_nothing_is_undone_after_ten_days(uint16 later) public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        vm.warp(START + uint256(later) * 1 hours % 365 days);
        sell(PHARMACY, b, 2);
        uint256 day = block.timestamp / 1 days;
        check(unitOf(b, 2).day + batchOf(b).opened == day, "the day");
        vm.warp((day + 11 + later) * 1 days);
        refused(IPack.Code.UNDO_LATE, PHARMACY, undoing(b, 2));
        vm.warp((day + 2048 + later % 11) * 1 days);
        refused(IPack.Code.UNDO_LATE, PHARMACY, undoing(b, 2));
        vm.warp((day + later % 11) * 1 days);
        act(PHARMACY, undoing(b, 2));
    }

    /// A refused second dispense does not renew the time.
    function test_a_later_alert_is_no_way_to_undo() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        sell(PHARMACY, b, 0);
        vm.warp(START + 20 days);
        (, IPack.Code code) = sell(PHARMACY, b, 0);
        check(code == IPack.Code.ALREADY_DISPENSED, "alert");
        refused(IPack.Code.UNDO_LATE, PHARMACY, undoing(b, 0));
    }

    function test_undoing_gives_an_opened_pack_back_as_opened() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        act(PHARMACY, change(b, 0, IPack.State.PARTIAL));
        sell(PHARMACY, b, 0);
        check(stateOf(b, 0) == IPack.State.DISPENSED, "dispensed");
        act(PHARMACY, undoing(b, 0));
        check(unitOf(b, 0).base == IPack.State.PARTIAL && unitOf(b, 0).barred, "opened, as before");
        checkConserved(b);
    }

    /// Invariants 9 and 10: an undone pack is neither traded nor dispensed by anybody else.
    function test_an_undone_pack_goes_to_the_same_patient_or_back() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        sell(PHARMACY, b, 0);
        act(PHARMACY, undoing(b, 0));
        goesBackOnly(b, 0);
    }

    function test_an_opened_pack_is_never_traded() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        act(PHARMACY, change(b, 0, IPack.State.PARTIAL));
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, change(b, 0, IPack.State.EXPORTED));
        goesBackOnly(b, 0);
    }

    /// Of a unit that MAKER delivered to PHARMACY.
    function goesBackOnly(bytes32 b, uint32 index) private {
        bytes32 box = container(PHARMACY, "box");
        pack(PHARMACY, box, b, index, 1);
        check(containerOf(box).blemishes == 1, "it bars its container");
        refused(IPack.Code.IS_HELD, PHARMACY, shipping(box, PHARMACY2));
        refused(IPack.Code.NOT_ITS_ORIGIN, PHARMACY, returning(box, PHARMACY2));
        refused(IPack.Code.NOT_ITS_ORIGIN, PHARMACY, returning(box, WHOLESALER));
        act(PHARMACY, returning(box, MAKER));
        act(MAKER, abi.encodeCall(IMedicines.accept, (box)));
        refused(IPack.Code.NOT_ITS_ORIGIN, MAKER, returning(box, PHARMACY)); // back is not to and fro
        act(MAKER, abi.encodeCall(IMedicines.unpackRange, (box, b, index, 1)));
        check(unitOf(b, index).base == IPack.State.BACK, "on its way back");
        act(MAKER, change(b, index, IPack.State.LOST));
        act(MAKER, change(b, index, IPack.State.HELD));
        act(MAKER, change(b, index, IPack.State.ACTIVE));
        check(unitOf(b, index).base == IPack.State.BACK, "being lost does not launder it");
        pack(MAKER, box, b, index, 1);
        refused(IPack.Code.IS_HELD, MAKER, shipping(box, PHARMACY2));
        checkConserved(b);
    }

    function test_a_pack_that_came_back_is_not_dispensed() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        bytes32 box = container(PHARMACY, "box");
        pack(PHARMACY, box, b, 0, 1);
        move(box, PHARMACY, PHARMACY2);
        act(PHARMACY2, abi.encodeCall(IMedicines.unpackRange, (box, b, 0, 1)));
        sell(PHARMACY2, b, 0);
        act(PHARMACY2, undoing(b, 0));
        bytes32 back = container(PHARMACY2, "back");
        pack(PHARMACY2, back, b, 0, 1);
        act(PHARMACY2, returning(back, PHARMACY));
        act(PHARMACY, abi.encodeCall(IMedicines.accept, (back)));
        act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (back, b, 0, 1)));
        (, IPack.Code code) = sell(PHARMACY, b, 0);
        check(code == IPack.Code.IS_BARRED, "back, never on");
    }

    function test_an_opened_pack_is_held_and_recalled_like_others() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        act(PHARMACY, change(b, 0, IPack.State.PARTIAL));
        act(PHARMACY, change(b, 0, IPack.State.HELD));
        expectSale(b, IPack.Code.IS_HELD);
        act(PHARMACY, change(b, 0, IPack.State.ACTIVE));
        check(unitOf(b, 0).base == IPack.State.PARTIAL, "still opened");
        act(MAKER, change(b, 0, IPack.State.RECALLED));
        expectSale(b, IPack.Code.IS_RECALLED);
        act(REGULATOR, abi.encodeCall(IMedicines.reverseUnits, (b, list(0, 1))));
        expectSale(b, IPack.Code.OK);
    }

    function expectSale(bytes32 b, IPack.Code expected) private {
        (, IPack.Code code) = sell(PHARMACY, b, 0);
        check(code == expected, "sale");
    }

    function test_a_mark_is_set_once_and_taken_by_who_may() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        bytes memory reversing = abi.encodeCall(IMedicines.reverseUnits, (b, list(0, 1)));
        refused(IPack.Code.NOT_ALLOWED, REGULATOR, reversing);
        act(MAKER, change(b, 0, IPack.State.RECALLED));
        refused(IPack.Code.NOT_ALLOWED, MAKER, change(b, 0, IPack.State.RECALLED));
        refused(IPack.Code.WRONG_ROLE, MAKER, reversing);
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, change(b, 0, IPack.State.ACTIVE));
        act(REGULATOR, change(b, 0, IPack.State.LOCKED));
        refused(IPack.Code.WRONG_ROLE, PHARMACY, change(b, 0, IPack.State.ACTIVE));
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, change(b, 0, IPack.State.LOST));
        act(REGULATOR, change(b, 0, IPack.State.ACTIVE));
        check(unitOf(b, 0).state == 64, "recalled still");
        act(REGULATOR, reversing);
        check(unitOf(b, 0).state == 0, "sound");
    }

    /// Whichever hold came first, its own actor ends it, and the other one stays.
    function test_a_custodians_hold_of_a_pack_and_a_regulators_are_apart() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        for (uint256 order = 0; order < 2; order++) {
            (uint256 one_, uint256 other) = order == 0 ? (PHARMACY, REGULATOR) : (REGULATOR, PHARMACY);
            act(one_, change(b, 0, IPack.State.HELD));
            act(other, change(b, 0, IPack.State.HELD));
            check(unitOf(b, 0).state == 48, "both marks");
            refused(IPack.Code.NOT_ALLOWED, one_, change(b, 0, IPack.State.HELD));
            act(one_, change(b, 0, IPack.State.ACTIVE));
            check(unitOf(b, 0).state == (one_ == PHARMACY ? 32 : 16), "the other one's stays");
            expectSale(b, IPack.Code.IS_HELD);
            act(other, change(b, 0, IPack.State.ACTIVE));
            check(unitOf(b, 0).state == 0, "held by nobody");
        }
        act(REGULATOR, change(b, 0, IPack.State.HELD));
        refused(IPack.Code.WRONG_ROLE, PHARMACY, change(b, 0, IPack.State.ACTIVE));
        refused(IPack.Code.NOT_ALLOWED, REGULATOR, change(b, 0, IPack.State.LOCKED));
        act(REGULATOR, change(b, 0, IPack.State.ACTIVE));
        act(PHARMACY, change(b, 0, IPack.State.HELD));
        act(REGULATOR, change(b, 0, IPack.State.ACTIVE)); // a regulator may end a custodian's too
        refused(IPack.Code.NOT_ALLOWED, REGULATOR, change(b, 0, IPack.State.ACTIVE));
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, change(b, 0, IPack.State.ACTIVE));
        expectSale(b, IPack.Code.OK);
    }

    // Returns.

    function returning(bytes32 c, uint256 to) private pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.ship, (c, vm.addr(to), IPack.Purpose.RETURN));
    }

    function test_goods_go_back_to_whom_they_came_from() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 0, 5);
        move(c, MAKER, WHOLESALER);
        move(c, WHOLESALER, PHARMACY);
        refused(IPack.Code.NOT_ITS_ORIGIN, PHARMACY, returning(c, PHARMACY2));
        for (uint8 p = 1; p < 4; p++) {
            refused(IPack.Code.NOT_ITS_ORIGIN, PHARMACY, abi.encodeCall(IMedicines.ship, (c, vm.addr(PHARMACY2),
                IPack.Purpose(p))));
        }
        act(PHARMACY, returning(c, WHOLESALER));
        act(WHOLESALER, abi.encodeCall(IMedicines.accept, (c)));
        act(WHOLESALER, returning(c, MAKER)); // the owner takes its own back from anyone
    }

    /// Unpacked and packed anew, the row of the loose units says where they came from.
    function test_loose_goods_know_where_they_came_from() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 0, 5);
        move(c, MAKER, WHOLESALER);
        move(c, WHOLESALER, PHARMACY);
        act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (c, b, 0, 5)));
        bytes32 box = container(PHARMACY, "box");
        pack(PHARMACY, box, b, 0, 2);
        refused(IPack.Code.NOT_ITS_ORIGIN, PHARMACY, returning(box, PHARMACY2));
        act(PHARMACY, returning(box, WHOLESALER));
    }

    function test_a_regulator_names_who_takes_back() public {
        bytes32 first = lot("first", 10);
        bytes32 second = lot("second", 10);
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, first, 0, 2);
        pack(MAKER, c, second, 0, 2);
        move(c, MAKER, PHARMACY);
        vm.expectRevert();
        products.nameReceiver(first, vm.addr(WHOLESALER));
        vm.prank(vm.addr(REGULATOR));
        products.nameReceiver(first, vm.addr(WHOLESALER));
        refused(IPack.Code.NOT_ITS_ORIGIN, PHARMACY, returning(c, WHOLESALER)); // not for the second lot
        vm.prank(vm.addr(REGULATOR));
        products.nameReceiver(PRODUCT, vm.addr(WHOLESALER));
        act(PHARMACY, returning(c, WHOLESALER));
        act(PHARMACY, abi.encodeCall(IMedicines.endShipping, (c)));
        act(PHARMACY, returning(c, REGULATOR));
    }

    // Stock of a custodian that is gone.

    function test_a_regulator_moves_the_stock_of_a_suspended_custodian() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 5, PHARMACY, "tote");
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 5, 5);
        move(c, MAKER, PHARMACY);
        bytes32[] memory cases = single(c);
        uint24 place = holderOf(b, 0).place;
        address to = vm.addr(WHOLESALER);
        vm.startPrank(vm.addr(REGULATOR));
        refusedStock(IPack.Code.IS_ACTIVE, b, place);
        vm.expectRevert(abi.encodeWithSelector(IPack.Refused.selector, IPack.Code.IS_ACTIVE, c));
        medicines.moveContainers(cases, to);
        vm.stopPrank();
        setStatus(PHARMACY, IDirectory.Status.SUSPENDED);
        vm.prank(vm.addr(MAKER));
        refusedStock(IPack.Code.WRONG_ROLE, b, place);
        vm.startPrank(vm.addr(REGULATOR));
        medicines.moveStock(b, place, to);
        medicines.moveContainers(cases, to);
        refusedStock(IPack.Code.NOT_LOOSE, b, holderOf(b, 5).place);
        vm.stopPrank();
        check(whoHas(b, 0) == to && whoHas(b, 5) == to, "moved");
        act(WHOLESALER, abi.encodeCall(IMedicines.unpackRange, (c, b, 5, 5)));
        act(WHOLESALER, abi.encodeCall(IMedicines.packLot, (b, 0, 10, single("all"))));
        move(containerId(to, "all"), WHOLESALER, PHARMACY2);
        checkConserved(b);
    }

    function refusedStock(IPack.Code code, bytes32 b, uint24 place) private {
        vm.expectRevert(abi.encodeWithSelector(IPack.Refused.selector, code, b));
        medicines.moveStock(b, place, vm.addr(WHOLESALER));
    }

    function test_a_lot_whose_owners_stock_was_moved_takes_no_more_units() public {
        bytes32 b = lot("lot", 20);
        setStatus(MAKER, IDirectory.Status.SUSPENDED);
        vm.prank(vm.addr(REGULATOR));
        medicines.moveStock(b, 0, vm.addr(WHOLESALER));
        setStatus(MAKER, IDirectory.Status.ACTIVE);
        refused(IPack.Code.CLOSED, MAKER, commissioning(b, fragmentsOf(900, 1)));
        refused(IPack.Code.NOT_CUSTODIAN, MAKER, abi.encodeCall(IMedicines.packLot, (b, 0, 5, single("box"))));
        act(WHOLESALER, abi.encodeCall(IMedicines.packLot, (b, 0, 5, single("box"))));
        move(containerId(vm.addr(WHOLESALER), "box"), WHOLESALER, MAKER);
        act(MAKER, abi.encodeCall(IMedicines.unpackRange, (containerId(vm.addr(WHOLESALER), "box"), b, 0, 5)));
        check(whoHas(b, 0) == vm.addr(MAKER) && whoHas(b, 5) == vm.addr(WHOLESALER), "apart");
        checkConserved(b);
    }

    /// Who gets the row did not dispense what ended in it; what it dispenses from then on it may undo.
    function test_who_gets_a_row_undoes_nothing_that_was_dispensed_before() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 5, PHARMACY, "tote");
        sell(PHARMACY, b, 0);
        setStatus(PHARMACY, IDirectory.Status.SUSPENDED);
        uint24 place = holderOf(b, 1).place;
        vm.prank(vm.addr(REGULATOR));
        medicines.moveStock(b, place, vm.addr(PHARMACY2));
        refused(IPack.Code.UNDO_OTHER, PHARMACY2, undoing(b, 0));
        vm.warp(START + 1 days);
        refused(IPack.Code.UNDO_OTHER, PHARMACY2, undoing(b, 0));
        sell(PHARMACY2, b, 1);
        act(PHARMACY2, undoing(b, 1));
        checkConserved(b);
    }

    // Marks that stay.

    /// Whatever marks a lost pack has, being found only holds it.
    function test_a_held_pack_that_is_lost_and_found_is_held() public {
        bytes32 b = lot("lot", 20);
        act(MAKER, change(b, 0, IPack.State.HELD));
        act(MAKER, change(b, 0, IPack.State.LOST));
        act(MAKER, change(b, 0, IPack.State.HELD));
        check(unitOf(b, 0).state == 16, "held, and not locked");
        act(MAKER, change(b, 0, IPack.State.RECALLED));
        act(REGULATOR, change(b, 0, IPack.State.LOCKED));
        act(REGULATOR, change(b, 0, IPack.State.LOST));
        act(MAKER, change(b, 0, IPack.State.HELD));
        check(unitOf(b, 0).state == 112, "all of its marks");
    }

    function test_what_a_regulator_holds_is_not_emptied() public {
        bytes32 b = lot("lot", 20);
        bytes32 c = container(MAKER, "case");
        bytes32 pallet = container(MAKER, "pallet");
        pack(MAKER, c, b, 0, 8);
        nest(MAKER, pallet, c);
        act(REGULATOR, abi.encodeCall(IMedicines.holdContainer, (pallet, true)));
        refused(IPack.Code.IS_HELD, MAKER, abi.encodeCall(IMedicines.unpackContainers, (pallet, single(c))));
        refused(IPack.Code.IS_HELD, MAKER, abi.encodeCall(IMedicines.unpackRange, (c, b, 0, 8)));
        act(REGULATOR, abi.encodeCall(IMedicines.holdContainer, (pallet, false)));
        act(MAKER, abi.encodeCall(IMedicines.unpackContainers, (pallet, single(c))));
        act(MAKER, abi.encodeCall(IMedicines.unpackRange, (c, b, 0, 8)));
        checkConserved(b);
    }

    // Places of holders.

    /// One pack, in and out of containers: the lot's rows do not run out.
    function test_a_place_is_used_again() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 1, PHARMACY, "tote");
        IPack.Batch memory before = batchOf(b);
        for (uint256 i = 0; i < 40; i++) {
            bytes32 box = container(PHARMACY, bytes32(100 + i));
            pack(PHARMACY, box, b, 0, 1);
            if (i % 2 == 0) act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (box, b, 0, 1)));
            else act(PHARMACY, abi.encodeCall(IMedicines.unpackUnits, (box, b, list(0, 1))));
            checkConserved(b);
        }
        IPack.Batch memory now_ = batchOf(b);
        check(now_.places == before.places && now_.cases == before.cases, "no more");
    }

    function test_a_container_of_two_lots_stands_among_the_holders_of_both() public {
        bytes32 first = lot("first", 10);
        bytes32 second = lot("second", 10);
        bytes32 c = container(MAKER, "case");
        for (uint256 i = 0; i < 3; i++) {
            pack(MAKER, c, first, 0, 2);
            pack(MAKER, c, second, 0, 2);
            pack(MAKER, c, first, 2, 2);
            pack(MAKER, c, second, 2, 2);
            check(holderOf(first, 3).count == 4 && holderOf(second, 3).count == 4, "one row each");
            act(MAKER, abi.encodeCall(IMedicines.unpackRange, (c, first, 0, 4)));
            act(MAKER, abi.encodeCall(IMedicines.unpackRange, (c, second, 0, 4)));
            checkConserved(first);
            checkConserved(second);
        }
        check(batchOf(first).cases == 1 && batchOf(second).cases == 1, "places");
    }

    /// The row of who dispensed is kept, so that a later alert names the dispenser.
    function test_a_dispensers_row_is_not_given_away() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 1, PHARMACY, "tote");
        sell(PHARMACY, b, 0);
        deliver(b, 1, 1, PHARMACY2, "tote 2");
        check(whoHas(b, 0) == vm.addr(PHARMACY) && whoHas(b, 1) == vm.addr(PHARMACY2), "both");
    }

    // Recalls.

    function recalling(bytes32 b) private pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.recallBatch, (b, "reason"));
    }

    /// Invariant 11.
    function test_a_recall_reaches_all_and_names_every_holder() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 4, PHARMACY, "t1");
        deliver(b, 4, 4, PHARMACY2, "t2");
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 8, 4);
        act(MAKER, shipping(c, WHOLESALER));
        sell(PHARMACY, b, 0);
        refused(IPack.Code.NOT_OWNER, WHOLESALER, recalling(b));
        vm.expectEmit(address(medicines));
        emit IPack.BatchRecalled(b, vm.addr(MAKER), true, "reason", 20, 1, 0);
        act(MAKER, recalling(b));
        more(b, 2); // recalled from the start
        for (uint32 i = 0; i < 22; i++) {
            check(stateOf(b, i) == (i == 0 ? IPack.State.DISPENSED : IPack.State.BATCH_RECALLED), "reached");
        }
        Holding_[] memory rows = holdersOf(b);
        uint256 held = 0;
        for (uint256 i = 0; i < rows.length; i++) {
            held += rows[i].count;
            if (rows[i].custodian == vm.addr(PHARMACY)) check(rows[i].count == 3, "pharmacy");
            if (rows[i].custodian == vm.addr(PHARMACY2)) check(rows[i].count == 4, "the other");
            if (rows[i].container == c) check(rows[i].receiver == vm.addr(WHOLESALER) && rows[i].count == 4, "case");
        }
        check(rows.length == 4 && held == 21, "maker, two pharmacies, a case under way");
        checkConserved(b);
        (, IPack.Code code) = sell(PHARMACY, b, 1);
        check(code == IPack.Code.IS_RECALLED, "not sold");
        refused(IPack.Code.IS_RECALLED, MAKER, recalling(b));
    }

    /// An owner that recalls its lot first cannot end a regulator's recall.
    function test_a_regulator_recalls_what_its_owner_recalled() public {
        bytes32 b = lot("lot", 10);
        bytes memory recalling = abi.encodeCall(IMedicines.recallBatch, (b, "reason"));
        act(MAKER, recalling);
        refused(IPack.Code.IS_RECALLED, MAKER, recalling);
        act(REGULATOR, recalling);
        refused(IPack.Code.IS_RECALLED, REGULATOR, recalling);
        refused(IPack.Code.NOT_OWNER, MAKER, abi.encodeCall(IMedicines.reverseRecall, (b, "mistake")));
        act(REGULATOR, abi.encodeCall(IMedicines.reverseRecall, (b, "mistake")));
        check(batchOf(b).flags == 0, "reversed");
    }

    function test_a_recall_is_reversed_by_who_ordered_it() public {
        bytes32 b = lot("lot", 10);
        bytes memory reversing = abi.encodeCall(IMedicines.reverseRecall, (b, "mistake"));
        refused(IPack.Code.NOT_ALLOWED, MAKER, reversing);
        act(REGULATOR, recalling(b));
        refused(IPack.Code.NOT_OWNER, MAKER, reversing);
        act(REGULATOR, reversing);
        check(stateOf(b, 0) == IPack.State.ACTIVE, "sound");
        act(MAKER, recalling(b));
        (address by, uint256 number) = recallOf(b);
        check(by == vm.addr(MAKER) && number == 3, "the third of the list");
        refused(IPack.Code.NOT_OWNER, REGULATOR, reversing);
        setStatus(MAKER, IDirectory.Status.SUSPENDED);
        act(REGULATOR, reversing);
        check(batchOf(b).flags == 0, "for one who is gone");
    }

    function test_recalls_are_acknowledged_by_holders_once() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 2, PHARMACY, "tote");
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 2, 2);
        move(c, MAKER, WHOLESALER);
        uint24 mine = holderOf(b, 0).place;
        uint24 theirs = holderOf(b, 2).place;
        acknowledge(PHARMACY, b, mine, IPack.Code.NOT_ALLOWED);
        act(MAKER, recalling(b));
        acknowledge(STRANGER, b, mine, IPack.Code.NOT_LISTED);
        acknowledge(PHARMACY2, b, mine, IPack.Code.NOT_CUSTODIAN);
        acknowledge(PHARMACY, b, theirs, IPack.Code.NOT_CUSTODIAN);
        acknowledge(PHARMACY, b, 999, IPack.Code.NOT_CUSTODIAN);
        acknowledge(PHARMACY, b, mine, IPack.Code.OK);
        acknowledge(WHOLESALER, b, theirs, IPack.Code.OK);
        acknowledge(PHARMACY, b, mine, IPack.Code.EXISTS);
        check(word(entry(b, 15), 0) >> 192 == 2, "two in the list");
        act(MAKER, abi.encodeCall(IMedicines.reverseRecall, (b, "mistake")));
        act(MAKER, recalling(b));
        acknowledge(PHARMACY, b, mine, IPack.Code.OK);
    }

    function acknowledge(uint256 key, bytes32 b, uint24 place, IPack.Code code) private {
        if (code != IPack.Code.OK) {
            vm.expectRevert(abi.encodeWithSelector(IPack.Refused.selector, code, b));
        }
        vm.prank(vm.addr(key));
        medicines.acknowledgeRecall(b, place);
    }

    // Alerts.

    function test_alerts_stop_at_the_quota_and_the_answer_does_not() public {
        bytes32 b = lot("lot", 256);
        IPack.Unit[] memory units = new IPack.Unit[](250);
        for (uint32 i = 0; i < 250; i++) units[i] = IPack.Unit(b, i);
        bytes memory selling = abi.encodeCall(IMedicines.dispense, (units));
        for (uint256 i = 0; i < 5; i++) {
            (, IPack.Code code) = act(PHARMACY, selling);
            check(code == IPack.Code.NOT_CUSTODIAN, "answered");
        }
        check(word(entry(b, 14), 0) >> 192 == 1000, "a thousand in the list");
        check(word(entry(bytes32(uint256(uint160(vm.addr(PHARMACY)))), 17), 0) >> 64 == 1250, "all are counted");
        sell(PHARMACY2, b, 0);
        check(word(entry(b, 14), 0) >> 192 == 1001, "another actor's");
        vm.warp(START + 1 days);
        sell(PHARMACY, b, 0);
        check(word(entry(b, 14), 0) >> 192 == 1002, "the next day");
    }
}
