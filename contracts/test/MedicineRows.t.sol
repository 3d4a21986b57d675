// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IPack} from "../src/interfaces/IPack.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {Pack} from "./Pack.t.sol";

/// Rows of a lot's holders: as many as a factory has cases, one for each supplier of an actor, and those that a
/// regulator gave to somebody else.
contract MedicineRowsTest is Pack {
    uint32 private constant MANY = 70_000; // cases of one pack: more than 16 bits count

    function some(uint256 first, uint256 n) private pure returns (bytes32[] memory tags) {
        tags = new bytes32[](n);
        for (uint256 i = 0; i < n; i++) tags[i] = bytes32(first + i + 1);
    }

    /// One thousand packs, each in a case of its own.
    function thousand(bytes32 b, uint32 first) private {
        uint256 free;
        assembly {
            free := mload(64)
        }
        more(b, 1000);
        act(MAKER, abi.encodeCall(IMedicines.packLot, (b, first, 1, some(first, 1000))));
        assembly {
            mstore(64, free) // nothing of it is looked at any more
        }
    }

    function test_a_lot_of_more_cases_than_sixteen_bits_count() public {
        act(MAKER, opening(PRODUCT, "lot"));
        bytes32 b = idOf("lot");
        for (uint32 i = 0; i < MANY; i += 1000) thousand(b, i);
        check(batchOf(b).cases == MANY, "as many rows");
        for (uint32 i = 65_000; i < MANY; i += 499) {
            bytes32 c = containerId(vm.addr(MAKER), bytes32(uint256(i) + 1));
            check(holderOf(b, i).container == c, "each pack stands in its case");
        }
        bytes32 last = containerId(vm.addr(MAKER), bytes32(uint256(MANY)));
        act(MAKER, abi.encodeCall(IMedicines.unpackRange, (last, b, MANY - 1, 1)));
        pack(MAKER, last, b, MANY - 1, 1);
        check(batchOf(b).cases == MANY && unitOf(b, MANY - 1).place == CASE_PLACES + MANY - 1, "used again");
        act(MAKER, change(b, MANY - 1, IPack.State.HELD));
        check(holderOf(b, MANY - 1).container == last, "a mark leaves the place as it is");
        act(MAKER, change(b, MANY - 1, IPack.State.ACTIVE));
        move(last, MAKER, PHARMACY);
        act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (last, b, MANY - 1, 1)));
        check(sellOne(PHARMACY, b, MANY - 1) == IPack.Code.OK && batchOf(b).places == 2, "sold by an actor's row");
    }

    // Suppliers.

    function returning(bytes32 c, uint256 to) private pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.ship, (c, vm.addr(to), IPack.Purpose.RETURN));
    }

    function passOn(bytes32 b, uint32 first, uint32 n, uint256 by, uint256 to) private {
        bytes32 tote = container(by, bytes32(1000 + uint256(first)));
        pack(by, tote, b, first, n);
        move(tote, by, to);
        act(to, abi.encodeCall(IMedicines.unpackRange, (tote, b, first, n)));
    }

    /// Each pack goes back to whom it came from, and not to who supplied others of its lot later.
    function test_a_pack_goes_back_to_its_own_supplier() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 4, WHOLESALER, "tote 1");
        deliver(b, 4, 4, PHARMACY2, "tote 2");
        passOn(b, 0, 4, WHOLESALER, PHARMACY);
        passOn(b, 4, 4, PHARMACY2, PHARMACY);
        bytes32 box = container(PHARMACY, "box");
        pack(PHARMACY, box, b, 0, 2);
        refused(IPack.Code.NOT_ITS_ORIGIN, PHARMACY, returning(box, PHARMACY2));
        act(PHARMACY, returning(box, WHOLESALER));
        bytes32 other = container(PHARMACY, "other");
        pack(PHARMACY, other, b, 4, 2);
        refused(IPack.Code.NOT_ITS_ORIGIN, PHARMACY, returning(other, WHOLESALER));
        act(PHARMACY, returning(other, PHARMACY2));
        bytes32 both = container(PHARMACY, "both");
        pack(PHARMACY, both, b, 2, 1);
        pack(PHARMACY, both, b, 6, 1);
        refused(IPack.Code.NOT_ITS_ORIGIN, PHARMACY, returning(both, PHARMACY2));
        checkConserved(b);
    }

    /// Packed and unpacked by its holder, a pack still knows its supplier; and rows do not grow.
    function test_a_pack_keeps_its_supplier_in_a_box_of_its_holder() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 4, WHOLESALER, "tote 1");
        passOn(b, 0, 4, WHOLESALER, PHARMACY);
        uint256 places = batchOf(b).places;
        for (uint256 i = 0; i < 5; i++) {
            bytes32 box = container(PHARMACY, bytes32(100 + i));
            pack(PHARMACY, box, b, 0, 4);
            act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (box, b, 0, 4)));
        }
        check(batchOf(b).places == places, "the same row");
        bytes32 back = container(PHARMACY, "back");
        pack(PHARMACY, back, b, 0, 4);
        act(PHARMACY, returning(back, WHOLESALER));
        checkConserved(b);
    }

    // Rows that a regulator moved.

    function fall(bytes32 b, uint32 index, uint256 from, uint256 to) private {
        setStatus(from, IDirectory.Status.SUSPENDED);
        uint24 place = holderOf(b, index).place;
        vm.prank(vm.addr(REGULATOR));
        medicines.moveStock(b, place, vm.addr(to));
    }

    function expectSale(uint256 by, bytes32 b, uint32 index, IPack.Code expected) private {
        (, IPack.Code code) = sell(by, b, index);
        check(code == expected, "sale");
    }

    /// What the former holder opened, or took back from a patient, is nobody's to dispense; nor is anything on the day
    /// of the move.
    function test_a_moved_row_dispenses_only_sound_packs_from_the_next_day_on() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 6, PHARMACY, "tote");
        act(PHARMACY, change(b, 0, IPack.State.PARTIAL));
        sell(PHARMACY, b, 1);
        act(PHARMACY, undoing(b, 1));
        fall(b, 0, PHARMACY, PHARMACY2);
        expectSale(PHARMACY2, b, 2, IPack.Code.PENDING);
        check(sellOne(PHARMACY2, b, 2) == IPack.Code.PENDING, "alone, too");
        vm.warp((START / 1 days + 1) * 1 days);
        expectSale(PHARMACY2, b, 0, IPack.Code.IS_BARRED);
        expectSale(PHARMACY2, b, 1, IPack.Code.IS_BARRED);
        check(sellOne(PHARMACY2, b, 1) == IPack.Code.IS_BARRED, "alone, too");
        expectSale(PHARMACY2, b, 2, IPack.Code.OK);
        refused(IPack.Code.NOT_ALLOWED, PHARMACY2, change(b, 3, IPack.State.PARTIAL));
        bytes32 box = container(PHARMACY2, "box");
        pack(PHARMACY2, box, b, 0, 4 - 2);
        act(PHARMACY2, abi.encodeCall(IMedicines.unpackRange, (box, b, 0, 2)));
        check(unitOf(b, 0).base == IPack.State.BACK && unitOf(b, 1).base == IPack.State.BACK, "a box launders nothing");
        checkConserved(b);
    }

    function alerted(bytes32 b, uint32 index, uint256 other) private {
        bytes32 item = keccak256(abi.encode(index, IPack.Code.ALREADY_DISPENSED, vm.addr(PHARMACY2), vm.addr(other)));
        uint256 before = word(entry(b, 14), 0);
        sell(PHARMACY2, b, index);
        uint64 n = uint64(before >> 192) + 1;
        bytes24 head = bytes24(keccak256(abi.encode(bytes24(uint192(before)), n, block.timestamp, item)));
        check(word(entry(b, 14), 0) == (uint256(uint192(head)) | uint256(n) << 192), "the alert names who dispensed it");
    }

    /// A row that went through three hands: each of them dispensed what it did.
    function test_who_dispensed_stays_who_dispensed() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 6, PHARMACY, "tote");
        sell(PHARMACY, b, 0);
        fall(b, 1, PHARMACY, HOSPITAL);
        vm.warp(START + 5 days);
        sell(HOSPITAL, b, 1);
        fall(b, 2, HOSPITAL, PHARMACY2);
        vm.warp(START + 7 days);
        sell(PHARMACY2, b, 2);
        alerted(b, 0, PHARMACY);
        alerted(b, 1, HOSPITAL);
        alerted(b, 2, PHARMACY2);
        refused(IPack.Code.UNDO_OTHER, PHARMACY2, undoing(b, 0));
        refused(IPack.Code.UNDO_OTHER, PHARMACY2, undoing(b, 1));
        setStatus(PHARMACY, IDirectory.Status.ACTIVE);
        refused(IPack.Code.UNDO_OTHER, PHARMACY, undoing(b, 0)); // the stock is not its own any more
        act(PHARMACY2, undoing(b, 2));
        checkConserved(b);
    }

    /// Who gets a row keeps it apart from what it has and gets, and a row that is used again remembers nothing.
    function test_a_moved_row_takes_nothing_in() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 2, PHARMACY, "tote 1");
        fall(b, 0, PHARMACY, PHARMACY2);
        deliver(b, 2, 2, PHARMACY2, "tote 2");
        check(unitOf(b, 0).place != unitOf(b, 2).place, "apart");
        expectSale(PHARMACY2, b, 2, IPack.Code.OK);
        uint256 place = unitOf(b, 0).place;
        pack(PHARMACY2, container(PHARMACY2, "box"), b, 0, 2);
        check(freePlaceOf(b) == place, "free");
        deliver(b, 4, 2, HOSPITAL, "tote 3");
        check(unitOf(b, 4).place == place && !rowOf(b, place).moved, "used again");
        expectSale(HOSPITAL, b, 4, IPack.Code.OK);
        checkConserved(b);
    }

    /// The owner's row is closed when it is moved: what comes back to the owner has another.
    function test_goods_that_come_back_to_an_owner_whose_row_was_moved() public {
        bytes32 b = lot("lot", 20);
        deliver(b, 0, 2, PHARMACY, "tote");
        fall(b, 5, MAKER, WHOLESALER);
        setStatus(MAKER, IDirectory.Status.ACTIVE);
        bytes32 back = container(PHARMACY, "back");
        pack(PHARMACY, back, b, 0, 2);
        act(PHARMACY, returning(back, MAKER));
        act(MAKER, abi.encodeCall(IMedicines.accept, (back)));
        act(MAKER, abi.encodeCall(IMedicines.unpackRange, (back, b, 0, 2)));
        check(whoHas(b, 0) == vm.addr(MAKER) && whoHas(b, 5) == vm.addr(WHOLESALER), "apart");
        checkConserved(b);
    }

    // Days.

    /// Of a lot that is sold for longer than 2,047 days, the last dispenses cannot be undone; the others can.
    function test_a_dispense_after_the_last_day_that_counts_is_not_undone() public {
        act(MAKER, abi.encodeCall(IMedicines.openBatch, (PRODUCT, "lot", uint40(START + 5000 days))));
        bytes32 b = idOf("lot");
        more(b, 10);
        deliver(b, 0, 6, PHARMACY, "tote");
        vm.warp(START + 2046 days);
        sell(PHARMACY, b, 0);
        act(PHARMACY, undoing(b, 0));
        vm.warp(START + 2047 days);
        sell(PHARMACY, b, 1);
        refused(IPack.Code.UNDO_LATE, PHARMACY, undoing(b, 1));
        vm.warp(START + 3000 days);
        expectSale(PHARMACY, b, 2, IPack.Code.OK);
        check(sellOne(PHARMACY, b, 3) == IPack.Code.OK, "alone, too");
        refused(IPack.Code.UNDO_LATE, PHARMACY, undoing(b, 2));
        refused(IPack.Code.UNDO_LATE, PHARMACY, undoing(b, 3));
        checkConserved(b);
    }
}
