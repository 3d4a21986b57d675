// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IPack} from "../src/interfaces/IPack.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {IProducts} from "../src/interfaces/IProducts.sol";
import {Roles} from "../src/Roles.sol";
import {Pack} from "./Pack.t.sol";

contract MedicinesTest is Pack {
    // Lots.

    /// Invariant 1.
    function test_only_the_owner_commissions() public {
        listActor(60, Roles.MANUFACTURER);
        refused(IPack.Code.NOT_OWNER, 60, opening(PRODUCT, "lot"));
        refused(IPack.Code.NOT_OWNER, REGULATOR, opening(PRODUCT, "lot"));
        refused(IPack.Code.UNKNOWN_PRODUCT, MAKER, opening("none", "lot"));
        act(MAKER, opening(PRODUCT, "lot"));
        refused(IPack.Code.NOT_OWNER, 60, commissioning(idOf("lot"), fragmentsOf(0, 4)));
        refused(IPack.Code.UNKNOWN_BATCH, MAKER, commissioning("none", fragmentsOf(0, 4)));
        setStatus(MAKER, IDirectory.Status.SUSPENDED);
        refused(IPack.Code.NOT_LISTED, MAKER, commissioning(idOf("lot"), fragmentsOf(0, 4)));
    }

    /// Invariant 2.
    function test_a_serial_is_commissioned_once_ever() public {
        lot("first", 10);
        act(MAKER, opening(PRODUCT, "second"));
        bytes32 second = idOf("second");
        refused(IPack.Code.DUPLICATE_SERIAL, MAKER, commissioning(second, fragmentsOf(9, 2)));
        refused(IPack.Code.DUPLICATE_SERIAL, MAKER, commissioning(second, bytes.concat(fragmentsOf(50, 1),
            fragmentsOf(50, 1))));
        refused(IPack.Code.BAD_ARGUMENT, MAKER, commissioning(second, new bytes(0)));
        refused(IPack.Code.BAD_ARGUMENT, MAKER, commissioning(second, new bytes(9)));
        check(products.isCommissioned(PRODUCT, fragment(9)) && !products.isCommissioned(PRODUCT, fragment(10)), "in");
        act(MAKER, commissioning(second, fragmentsOf(10, 2)));
        check(products.productOf(PRODUCT).units == 12, "counts");
        vm.expectRevert(IProducts.NotMedicines.selector);
        products.insert(PRODUCT, fragmentsOf(90, 1));
    }

    function test_a_voided_serial_is_not_free_again() public {
        bytes32 b = lot("lot", 2);
        act(MAKER, change(b, 0, IPack.State.VOID));
        act(MAKER, opening(PRODUCT, "next"));
        refused(IPack.Code.DUPLICATE_SERIAL, MAKER, commissioning(idOf("next"), fragmentsOf(0, 1)));
    }

    /// Invariant 3: a lot is opened once; nothing changes its expiry.
    function test_a_lot_is_opened_once() public {
        lot("lot", 2);
        refused(IPack.Code.EXISTS, MAKER, abi.encodeCall(IMedicines.openBatch, (PRODUCT, "lot", EXPIRY + 1)));
        refused(IPack.Code.BAD_ARGUMENT, MAKER, abi.encodeCall(IMedicines.openBatch, (PRODUCT, "old",
            uint40(START))));
        check(batchOf(idOf("lot")).expiry == EXPIRY, "expiry");
    }

    /// Lines add parts for as long as they like; each is live at once, whatever happened to the ones before.
    function test_a_lot_has_no_end() public {
        bytes32 b = lot("lot", 3);
        check(stateOf(b, 2) == IPack.State.ACTIVE, "live");
        deliver(b, 0, 3, PHARMACY, "tote");
        more(b, 40);
        more(b, 1);
        IPack.Batch memory all = batchOf(b);
        check(all.commissioned == 44 && all.parts == 3, "three parts");
        check(partOf(b, 1).first == 3 && partOf(b, 1).count == 40 && partOf(b, 1).root == bytes24("root"), "a part");
        check(partOf(b, 2).first == 43 && partOf(b, 2).count == 1, "the last");
        check(whoHas(b, 43) == vm.addr(MAKER) && whoHas(b, 2) == vm.addr(PHARMACY), "who has them");
        checkConserved(b);
    }

    /// Invariant 4.
    function test_units_that_do_not_exist_are_refused() public {
        bytes32 b = lot("lot", 3);
        bytes32 c = container(MAKER, "case");
        refused(IPack.Code.UNKNOWN_UNIT, MAKER, abi.encodeCall(IMedicines.packUnits, (c, b, list(2, 2))));
        refused(IPack.Code.UNKNOWN_UNIT, MAKER, abi.encodeCall(IMedicines.packLot, (b, 2, 2, single("box"))));
        refused(IPack.Code.UNKNOWN_UNIT, MAKER, abi.encodeCall(IMedicines.packLot, (b, type(uint32).max, 2,
            single("box"))));
        refused(IPack.Code.UNKNOWN_BATCH, MAKER, abi.encodeCall(IMedicines.packUnits, (c, "none", list(0, 1))));
        refused(IPack.Code.UNKNOWN_CONTAINER, MAKER, abi.encodeCall(IMedicines.packUnits, ("none", b, list(0,
            1))));
        refused(IPack.Code.UNKNOWN_UNIT, MAKER, change(b, 3, IPack.State.DESTROYED));
        (, IPack.Code code) = sell(PHARMACY, b, 3);
        check(code == IPack.Code.UNKNOWN_UNIT, "dispense");
    }

    // Custody.

    function test_a_pallet_moves_with_all_inside_by_one_write() public {
        bytes32 b = lot("lot", 96);
        bytes32[] memory tags = new bytes32[](2);
        (tags[0], tags[1]) = ("case 1", "case 2");
        act(MAKER, abi.encodeCall(IMedicines.packLot, (b, 0, 48, tags)));
        bytes32 pallet = container(MAKER, "pallet");
        nest(MAKER, pallet, containerId(vm.addr(MAKER), "case 1"));
        nest(MAKER, pallet, containerId(vm.addr(MAKER), "case 2"));
        check(stateOf(b, 95) == IPack.State.PACKED, "packed");
        act(MAKER, shipping(pallet, WHOLESALER));
        check(stateOf(b, 0) == IPack.State.IN_TRANSIT && whoHas(b, 0) == vm.addr(MAKER), "in transit");
        check(holderOf(b, 0).receiver == vm.addr(WHOLESALER), "receiver");
        vm.record();
        act(WHOLESALER, abi.encodeCall(IMedicines.accept, (pallet)));
        (, bytes32[] memory writes) = vm.accesses(address(medicines));
        check(writes.length <= 8, "the container, the capture, and its flags");
        check(whoHas(b, 0) == vm.addr(WHOLESALER) && whoHas(b, 95) == vm.addr(WHOLESALER), "both ends");
        checkConserved(b);
    }

    /// Invariant 5.
    function test_only_the_custodian_packs_ships_unpacks_and_dispenses() public {
        bytes32 b = lot("lot", 10);
        bytes32 mine = container(WHOLESALER, "mine");
        refused(IPack.Code.NOT_CUSTODIAN, WHOLESALER, abi.encodeCall(IMedicines.packUnits, (mine, b, list(0, 1))));
        refused(IPack.Code.NOT_CUSTODIAN, WHOLESALER, abi.encodeCall(IMedicines.packLot, (b, 0, 5,
            single("case"))));
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 0, 5);
        refused(IPack.Code.NOT_CUSTODIAN, WHOLESALER, shipping(c, PHARMACY));
        refused(IPack.Code.NOT_CUSTODIAN, WHOLESALER, abi.encodeCall(IMedicines.unpackUnits, (c, b, list(0, 1))));
        refused(IPack.Code.NOT_CUSTODIAN, WHOLESALER, abi.encodeCall(IMedicines.packContainers, (mine,
            single(c))));
        refused(IPack.Code.NOT_CUSTODIAN, WHOLESALER, abi.encodeCall(IMedicines.holdContainer, (c, true)));
        refused(IPack.Code.NOT_CUSTODIAN, WHOLESALER, change(b, 7, IPack.State.DESTROYED));
        (, IPack.Code code) = sell(PHARMACY, b, 7);
        check(code == IPack.Code.NOT_CUSTODIAN && stateOf(b, 7) == IPack.State.ACTIVE, "dispense");
    }

    function test_a_thing_has_one_pending_transfer() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 0, 5);
        act(MAKER, shipping(c, WHOLESALER));
        refused(IPack.Code.PENDING, MAKER, shipping(c, PHARMACY));
        refused(IPack.Code.PENDING, MAKER, abi.encodeCall(IMedicines.unpackUnits, (c, b, list(0, 1))));
        refused(IPack.Code.PENDING, MAKER, abi.encodeCall(IMedicines.packUnits, (c, b, list(5, 1))));
        bytes32 pallet = container(MAKER, "pallet");
        refused(IPack.Code.PENDING, MAKER, abi.encodeCall(IMedicines.packContainers, (pallet, single(c))));
    }

    /// Invariant 6.
    function test_only_the_named_receiver_accepts_and_once() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 0, 5);
        bytes memory accepting = abi.encodeCall(IMedicines.accept, (c));
        refused(IPack.Code.NOT_PENDING, WHOLESALER, accepting);
        act(MAKER, shipping(c, WHOLESALER));
        refused(IPack.Code.NOT_RECEIVER, PHARMACY, accepting);
        refused(IPack.Code.NOT_RECEIVER, MAKER, accepting);
        act(WHOLESALER, accepting);
        refused(IPack.Code.NOT_PENDING, WHOLESALER, accepting);
        check(whoHas(b, 0) == vm.addr(WHOLESALER), "moved");
    }

    function test_shipping_is_voided_by_the_sender_or_rejected_by_the_receiver() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 0, 5);
        bytes memory ending = abi.encodeCall(IMedicines.endShipping, (c));
        refused(IPack.Code.NOT_PENDING, MAKER, ending);
        act(MAKER, shipping(c, WHOLESALER));
        refused(IPack.Code.NOT_CUSTODIAN, PHARMACY, ending);
        act(WHOLESALER, ending);
        act(MAKER, shipping(c, WHOLESALER));
        act(MAKER, ending);
        refused(IPack.Code.NOT_PENDING, WHOLESALER, abi.encodeCall(IMedicines.accept, (c)));
        check(whoHas(b, 0) == vm.addr(MAKER), "stayed");
    }

    /// Invariant 7.
    function test_children_move_with_their_parent_only() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        bytes32 pallet = container(MAKER, "pallet");
        bytes32 other = container(MAKER, "other");
        pack(MAKER, c, b, 0, 5);
        nest(MAKER, pallet, c);
        refused(IPack.Code.HAS_PARENT, MAKER, shipping(c, WHOLESALER));
        refused(IPack.Code.HAS_PARENT, MAKER, abi.encodeCall(IMedicines.packContainers, (other, single(c))));
        refused(IPack.Code.NOT_LOOSE, MAKER, abi.encodeCall(IMedicines.packUnits, (other, b, list(0, 1))));
        refused(IPack.Code.NOT_A_CHILD, MAKER, abi.encodeCall(IMedicines.unpackContainers, (other, single(c))));
        refused(IPack.Code.NOT_A_CHILD, MAKER, abi.encodeCall(IMedicines.unpackUnits, (pallet, b, list(0, 1))));
        refused(IPack.Code.NOT_LOOSE, MAKER, change(b, 0, IPack.State.DESTROYED));
        refused(IPack.Code.HAS_PARENT, WHOLESALER, abi.encodeCall(IMedicines.accept, (c)));
    }

    function test_no_cycles_and_at_most_eight_levels() public {
        bytes32[9] memory c;
        for (uint256 i = 0; i < 9; i++) c[i] = container(MAKER, bytes32(i + 1));
        refused(IPack.Code.CYCLE, MAKER, abi.encodeCall(IMedicines.packContainers, (c[0], single(c[0]))));
        for (uint256 i = 0; i < 7; i++) nest(MAKER, c[i], c[i + 1]);
        refused(IPack.Code.CYCLE, MAKER, abi.encodeCall(IMedicines.packContainers, (c[7], single(c[0]))));
        refused(IPack.Code.TOO_DEEP, MAKER, abi.encodeCall(IMedicines.packContainers, (c[7], single(c[8]))));
        refused(IPack.Code.TOO_DEEP, MAKER, abi.encodeCall(IMedicines.packContainers, (c[8], single(c[0]))));
    }

    function test_a_unit_is_not_named_twice_in_a_packing() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        uint32[] memory twice = new uint32[](2);
        refused(IPack.Code.NOT_LOOSE, MAKER, abi.encodeCall(IMedicines.packUnits, (c, b, twice)));
        checkConserved(b);
    }

    /// Invariant 18.
    function test_both_partners_are_active_when_goods_move() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 0, 5);
        refused(IPack.Code.INACTIVE_PARTNER, MAKER, shipping(c, STRANGER));
        refused(IPack.Code.INACTIVE_PARTNER, MAKER, shipping(c, NODE));
        act(MAKER, shipping(c, WHOLESALER));
        setStatus(MAKER, IDirectory.Status.SUSPENDED);
        refused(IPack.Code.INACTIVE_PARTNER, WHOLESALER, abi.encodeCall(IMedicines.accept, (c)));
        setStatus(MAKER, IDirectory.Status.ACTIVE);
        setStatus(WHOLESALER, IDirectory.Status.SUSPENDED);
        refused(IPack.Code.NOT_LISTED, WHOLESALER, abi.encodeCall(IMedicines.accept, (c)));
    }

    // Ends.

    function test_a_pack_is_dispensed_once_and_both_hear_of_a_second_time() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        (, IPack.Code code) = sell(PHARMACY, b, 0);
        check(code == IPack.Code.OK && stateOf(b, 0) == IPack.State.DISPENSED, "dispensed");
        vm.expectEmit(address(medicines));
        emit IPack.Alert(b, 0, IPack.Code.ALREADY_DISPENSED, vm.addr(PHARMACY2), vm.addr(PHARMACY),
            1, 0);
        (, code) = sell(PHARMACY2, b, 0);
        check(code == IPack.Code.ALREADY_DISPENSED, "a copy");
        (, code) = sell(PHARMACY, b, 0);
        check(code == IPack.Code.ALREADY_DISPENSED, "again");
        check(endedOf(b) == 1, "once");
        checkConserved(b);
    }

    function test_only_pharmacies_and_hospitals_dispense() public {
        bytes32 b = lot("lot", 10);
        refused(IPack.Code.WRONG_ROLE, MAKER, abi.encodeCall(IMedicines.dispense, (unit(b, 0))));
        deliver(b, 0, 3, HOSPITAL, "tote");
        (, IPack.Code code) = sell(HOSPITAL, b, 0);
        check(code == IPack.Code.OK, "hospital");
    }

    function test_a_packed_unit_is_not_dispensed() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 0, 5);
        move(c, MAKER, PHARMACY);
        (, IPack.Code code) = sell(PHARMACY, b, 0);
        check(code == IPack.Code.NOT_LOOSE && stateOf(b, 0) == IPack.State.PACKED, "unpack first");
    }

    /// Invariant 8.
    function test_final_states_are_final() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 8, PHARMACY, "tote");
        IPack.State[5] memory ends = [IPack.State.DESTROYED, IPack.State.STOLEN,
            IPack.State.SAMPLED, IPack.State.EXPORTED, IPack.State.LOST];
        for (uint32 i = 0; i < 5; i++) {
            act(PHARMACY, change(b, i, ends[i]));
            for (uint8 to = 1; to <= 13; to++) {
                if (ends[i] == IPack.State.LOST && to == uint8(IPack.State.HELD)) continue; // found again
                attempt(b, i, IPack.State(to));
            }
            (, IPack.Code code) = sell(PHARMACY, b, i);
            check(code == IPack.Code.FINAL, "not dispensed either");
            check(unitOf(b, i).base == ends[i], "as it was");
        }
        sell(PHARMACY, b, 6);
        for (uint8 to = 1; to <= 13; to++) attempt(b, 6, IPack.State(to));
        act(PHARMACY, change(b, 4, IPack.State.HELD));
        check(stateOf(b, 4) == IPack.State.HELD, "the lost one was found");
        checkConserved(b);
    }

    /// By custodian, owner and regulator.
    function attempt(bytes32 b, uint32 index, IPack.State to) private {
        uint256[3] memory actors = [PHARMACY, MAKER, REGULATOR];
        bytes[] memory operations = one(change(b, index, to));
        for (uint256 i = 0; i < 3; i++) {
            vm.prank(vm.addr(actors[i]));
            (bool done,) = address(medicines).call(abi.encodeCall(IMedicines.capture, (keccak256(abi.encode(i, index,
                to)), "", 0, operations)));
            check(!done, "a final state was left");
        }
    }

    /// Invariant 9, units.
    function test_held_recalled_and_expired_units_are_not_dispensed() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 5, PHARMACY, "tote");
        act(PHARMACY, change(b, 0, IPack.State.HELD));
        act(REGULATOR, change(b, 1, IPack.State.LOCKED));
        act(MAKER, change(b, 2, IPack.State.RECALLED));
        expectSale(b, 0, IPack.Code.IS_HELD);
        expectSale(b, 1, IPack.Code.IS_HELD);
        expectSale(b, 2, IPack.Code.IS_RECALLED);
        refused(IPack.Code.WRONG_ROLE, PHARMACY, change(b, 1, IPack.State.ACTIVE));
        refused(IPack.Code.WRONG_ROLE, MAKER, change(b, 2, IPack.State.ACTIVE));
        act(PHARMACY, change(b, 0, IPack.State.ACTIVE));
        expectSale(b, 0, IPack.Code.OK);
        vm.prank(vm.addr(REGULATOR));
        medicines.withdrawProduct(PRODUCT, true, 0);
        expectSale(b, 3, IPack.Code.IS_WITHDRAWN);
        vm.prank(vm.addr(REGULATOR));
        medicines.withdrawProduct(PRODUCT, false, 0);
        vm.warp(EXPIRY - 1);
        expectSale(b, 3, IPack.Code.OK);
        vm.warp(EXPIRY);
        expectSale(b, 4, IPack.Code.IS_EXPIRED);
        check(stateOf(b, 4) == IPack.State.EXPIRED, "expired");
    }

    function expectSale(bytes32 b, uint32 index, IPack.Code expected) private {
        (, IPack.Code code) = sell(PHARMACY, b, index);
        check(code == expected, "sale");
        check((stateOf(b, index) == IPack.State.DISPENSED) == (code == IPack.Code.OK), "effect");
    }

    /// The table of docs/contracts.md: moves that need a role, an owner or a place.
    function test_moves_need_their_actor() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 5, PHARMACY, "tote");
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, change(b, 0, IPack.State.CONSUMED));
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, change(b, 0, IPack.State.VOID));
        refused(IPack.Code.NOT_CUSTODIAN, MAKER, change(b, 0, IPack.State.VOID));
        refused(IPack.Code.NOT_CUSTODIAN, MAKER, change(b, 0, IPack.State.HELD));
        refused(IPack.Code.WRONG_ROLE, PHARMACY, change(b, 0, IPack.State.LOCKED));
        refused(IPack.Code.WRONG_ROLE, PHARMACY, change(b, 0, IPack.State.RECALLED));
        refused(IPack.Code.NOT_ALLOWED, MAKER, change(b, 9, IPack.State.PARTIAL));
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, change(b, 0, IPack.State.DISPENSED));
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, change(b, 0, IPack.State.NONE));
        act(MAKER, change(b, 9, IPack.State.CONSUMED));
        act(MAKER, change(b, 8, IPack.State.VOID));
        act(PHARMACY, change(b, 0, IPack.State.PARTIAL));
        refused(IPack.Code.NOT_ALLOWED, PHARMACY, change(b, 0, IPack.State.EXPORTED));
        expectSale(b, 0, IPack.Code.OK);
        check(endedOf(b) == 3, "consumed, void, dispensed");
        checkConserved(b);
    }

    function test_recalled_packs_are_not_opened_exported_or_repackaged() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 5, PHARMACY, "tote");
        act(MAKER, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        refused(IPack.Code.IS_RECALLED, PHARMACY, change(b, 0, IPack.State.PARTIAL));
        refused(IPack.Code.IS_RECALLED, PHARMACY, change(b, 0, IPack.State.EXPORTED));
        refused(IPack.Code.IS_RECALLED, MAKER, change(b, 9, IPack.State.CONSUMED));
        act(PHARMACY, change(b, 0, IPack.State.DESTROYED));
    }

    function returning(bytes32 c, uint256 to) private pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.ship, (c, vm.addr(to), IPack.Purpose.RETURN));
    }

    /// Invariant 9, containers: what is inside at any depth bars the tree from trade, but not from going back.
    function test_barred_goods_go_back_only() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        bytes32 pallet = container(MAKER, "pallet");
        pack(MAKER, c, b, 0, 5);
        nest(MAKER, pallet, c);
        move(pallet, MAKER, WHOLESALER);
        act(REGULATOR, change(b, 3, IPack.State.LOCKED));
        check(containerOf(pallet).blemishes == 1, "counted upwards");
        refused(IPack.Code.IS_HELD, WHOLESALER, shipping(pallet, PHARMACY));
        refused(IPack.Code.NOT_ITS_ORIGIN, WHOLESALER, returning(pallet, PHARMACY));
        act(REGULATOR, change(b, 3, IPack.State.ACTIVE));
        act(WHOLESALER, abi.encodeCall(IMedicines.holdContainer, (c, true)));
        refused(IPack.Code.IS_HELD, WHOLESALER, shipping(pallet, PHARMACY));
        check(stateOf(b, 0) == IPack.State.HELD, "held");
        act(WHOLESALER, abi.encodeCall(IMedicines.holdContainer, (c, false)));
        act(MAKER, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        refused(IPack.Code.IS_RECALLED, WHOLESALER, shipping(pallet, PHARMACY));
        act(WHOLESALER, returning(pallet, MAKER));
        act(MAKER, abi.encodeCall(IMedicines.accept, (pallet)));
        check(whoHas(b, 0) == vm.addr(MAKER), "back");
    }

    function test_a_blemish_leaves_with_its_container() public {
        bytes32 b = lot("lot", 10);
        bytes32 sound = container(MAKER, "sound");
        bytes32 bad = container(MAKER, "bad");
        bytes32 pallet = container(MAKER, "pallet");
        pack(MAKER, sound, b, 0, 2);
        pack(MAKER, bad, b, 2, 2);
        act(MAKER, change(b, 2, IPack.State.HELD)); // packed, not yet on the pallet
        nest(MAKER, pallet, sound);
        nest(MAKER, pallet, bad);
        refused(IPack.Code.IS_HELD, MAKER, shipping(pallet, WHOLESALER));
        act(MAKER, abi.encodeCall(IMedicines.unpackContainers, (pallet, single(bad))));
        check(containerOf(pallet).blemishes == 0 && containerOf(bad).blemishes == 1, "it left");
        act(MAKER, abi.encodeCall(IMedicines.unpackUnits, (bad, b, list(2, 1))));
        check(containerOf(bad).blemishes == 0, "the unit left");
        move(bad, MAKER, WHOLESALER);
        move(pallet, MAKER, WHOLESALER);
        pack(MAKER, sound = container(MAKER, "third"), b, 2, 1); // a held unit may be packed, to go back
        refused(IPack.Code.IS_HELD, MAKER, shipping(sound, WHOLESALER));
    }

    function test_a_mixed_tote_is_barred_by_any_of_its_lots() public {
        bytes32 first = lot("first", 10);
        bytes32 second = lot("second", 10);
        bytes32 tote = container(MAKER, "tote");
        bytes32 inner = container(MAKER, "inner");
        pack(MAKER, tote, first, 0, 2);
        pack(MAKER, inner, second, 0, 2);
        nest(MAKER, tote, inner);
        act(REGULATOR, abi.encodeCall(IMedicines.recallBatch, (second, "reason")));
        refused(IPack.Code.IS_RECALLED, MAKER, shipping(tote, WHOLESALER));
        act(MAKER, abi.encodeCall(IMedicines.unpackContainers, (tote, single(inner))));
        act(MAKER, abi.encodeCall(IMedicines.unpackUnits, (tote, first, list(0, 2))));
        pack(MAKER, tote, first, 0, 2); // emptied, it forgot the other lot
        move(tote, MAKER, WHOLESALER);
        check(whoHas(first, 0) == vm.addr(WHOLESALER) && whoHas(second, 0) == vm.addr(MAKER), "moved apart");
        checkConserved(first);
        checkConserved(second);
    }

    function test_a_regulators_hold_is_released_by_a_regulator_only() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 0, 5);
        act(REGULATOR, abi.encodeCall(IMedicines.holdContainer, (c, true)));
        refused(IPack.Code.NOT_ALLOWED, REGULATOR, abi.encodeCall(IMedicines.holdContainer, (c, true)));
        refused(IPack.Code.IS_HELD, MAKER, abi.encodeCall(IMedicines.holdContainer, (c, false)));
        act(REGULATOR, abi.encodeCall(IMedicines.holdContainer, (c, false)));
        refused(IPack.Code.NOT_ALLOWED, REGULATOR, abi.encodeCall(IMedicines.holdContainer, (c, false)));
        move(c, MAKER, WHOLESALER);
    }

    function test_a_custodians_hold_and_a_regulators_are_apart() public {
        bytes32 b = lot("lot", 10);
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 0, 5);
        for (uint256 order = 0; order < 2; order++) {
            act(order == 0 ? MAKER : REGULATOR, abi.encodeCall(IMedicines.holdContainer, (c, true)));
            act(order == 0 ? REGULATOR : MAKER, abi.encodeCall(IMedicines.holdContainer, (c, true)));
            check(containerOf(c).blemishes == 1, "it is held once");
            act(order == 0 ? MAKER : REGULATOR, abi.encodeCall(IMedicines.holdContainer, (c, false)));
            refused(IPack.Code.IS_HELD, MAKER, shipping(c, WHOLESALER));
            act(order == 0 ? REGULATOR : MAKER, abi.encodeCall(IMedicines.holdContainer, (c, false)));
            check(containerOf(c).blemishes == 0, "and by nobody");
        }
        act(MAKER, abi.encodeCall(IMedicines.holdContainer, (c, true)));
        act(REGULATOR, abi.encodeCall(IMedicines.holdContainer, (c, false))); // a regulator may end a custodian's too
        move(c, MAKER, WHOLESALER);
    }

    // Documents.

    /// Invariant 14.
    function test_the_same_document_again_changes_nothing() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        bytes[] memory operations = one(abi.encodeCall(IMedicines.dispense, (unit(b, 0))));
        vm.startPrank(vm.addr(PHARMACY));
        (bytes32 id, IPack.Code code) = medicines.capture("sale", "events", 0, operations);
        vm.warp(START + 5);
        vm.expectEmit(address(medicines));
        emit IPack.CaptureRepeated(id);
        (bytes32 again, IPack.Code second) = medicines.capture("sale", "events", 0, operations);
        vm.stopPrank();
        check(id == again && code == IPack.Code.OK && second == code, "the first answer");
        check(capturedAt(id) == START && capturedAt("none") == 0, "its time");
        check(id == keccak256(abi.encode(vm.addr(PHARMACY), bytes32("sale"), uint32(0))), "id");
    }

    function test_another_actors_document_of_the_same_hash_is_another() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        bytes[] memory operations = one(abi.encodeCall(IMedicines.dispense, (unit(b, 0))));
        vm.prank(vm.addr(PHARMACY2));
        (, IPack.Code code) = medicines.capture("sale", "events", 0, operations);
        check(code == IPack.Code.NOT_CUSTODIAN, "the other's fails");
        vm.prank(vm.addr(PHARMACY));
        (, code) = medicines.capture("sale", "events", 0, operations);
        check(code == IPack.Code.OK, "and bars nobody");
    }

    function test_a_document_takes_effect_whole_or_not_at_all() public {
        bytes32 b = lot("lot", 10);
        bytes[] memory operations = new bytes[](3);
        bytes32 c = containerId(vm.addr(MAKER), "case");
        operations[0] = abi.encodeCall(IMedicines.openContainer, ("case"));
        operations[1] = abi.encodeCall(IMedicines.packUnits, (c, b, list(0, 5)));
        operations[2] = shipping(c, STRANGER);
        vm.prank(vm.addr(MAKER));
        vm.expectRevert(abi.encodeWithSelector(IPack.Refused.selector, IPack.Code.INACTIVE_PARTNER, c));
        medicines.capture("document", "events", 0, operations);
        check(stateOf(b, 0) == IPack.State.ACTIVE, "nothing was packed");
        operations[2] = shipping(c, WHOLESALER);
        vm.prank(vm.addr(MAKER));
        medicines.capture("document", "events", 0, operations);
        check(stateOf(b, 0) == IPack.State.IN_TRANSIT, "all three");
    }

    function test_operations_outside_a_document_and_documents_inside_are_refused() public {
        bytes32 b = lot("lot", 10);
        bytes memory expected = abi.encodeWithSelector(IPack.Refused.selector, IPack.Code.NOT_IN_CAPTURE,
            bytes32(0));
        vm.startPrank(vm.addr(MAKER));
        vm.expectRevert(expected);
        medicines.openContainer("case");
        vm.expectRevert(expected);
        medicines.recallBatch(b, "reason");
        vm.expectRevert(expected);
        medicines.openBatch(PRODUCT, "x", EXPIRY);
        vm.stopPrank();
        refused(IPack.Code.NOT_IN_CAPTURE, MAKER, abi.encodeCall(IMedicines.capture, ("inner", "", 0,
            one(abi.encodeCall(IMedicines.openContainer, ("case"))))));
        refused(IPack.Code.NOT_LISTED, STRANGER, abi.encodeCall(IMedicines.openContainer, ("case")));
    }

    function test_one_dispense_a_document() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        bytes[] memory operations = new bytes[](2);
        operations[0] = abi.encodeCall(IMedicines.dispense, (unit(b, 0)));
        operations[1] = abi.encodeCall(IMedicines.dispense, (unit(b, 1)));
        vm.prank(vm.addr(PHARMACY));
        vm.expectRevert(abi.encodeWithSelector(IPack.Refused.selector, IPack.Code.TOO_MANY, bytes32(0)));
        medicines.capture("document", "events", 0, operations);
    }

    function test_opening_someones_container_id_is_not_possible() public {
        container(MAKER, "case");
        bytes32 theirs = container(WHOLESALER, "case");
        check(theirs != containerId(vm.addr(MAKER), "case"), "an SSCC is the opener's");
        refused(IPack.Code.EXISTS, MAKER, abi.encodeCall(IMedicines.openContainer, ("case")));
    }
}
