// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IPack} from "../src/interfaces/IPack.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {IProducts} from "../src/interfaces/IProducts.sol";
import {Pack} from "./Pack.t.sol";

/// docs/wire-formats.md §8: where proofs of products and lots look. Stock.t.sol reads units, rows and containers so in
/// every other test of them; here are the rest, and members that no other test tells apart.
contract LayoutMedicinesTest is Pack {
    function at(address target, bytes32 slot, uint256 i) private view returns (uint256) {
        return uint256(vm.load(target, bytes32(uint256(slot) + i)));
    }

    function padded(address who) private pure returns (bytes32) {
        return bytes32(uint256(uint160(who)));
    }

    function ordinal(uint256 key) private view returns (uint256 n) {
        (, n) = directory.standingOf(vm.addr(key));
    }

    function test_a_product() public {
        vm.roll(77);
        registerProduct("new", MAKER);
        act(MAKER, opening("new", "lot"));
        act(MAKER, commissioning(batchId("new", "lot"), fragmentsOf(0, 3)));
        bytes32 slot = entry("new", 0);
        address target = address(products);
        check(at(target, slot, 0) == uint256(uint160(vm.addr(MAKER))) | uint256(1) << 160 | uint256(3) << 192,
            "owner, holders, units");
        check(bytes32(at(target, slot, 1)) == "commitment", "+1");
        check(bytes32(at(target, slot, 2)) == products.productOf("new").statement && at(target, slot, 2) != 0, "+2");
        check(at(target, slot, 3) == 77, "+3 statedAt");
    }

    function test_the_holders_of_the_key() public {
        IProducts.Holders memory h = products.tagHolders();
        address target = address(products);
        check(bytes32(at(target, 0, 1)) == h.statement && h.statement != 0, "1: statement");
        check(bytes32(at(target, 0, 2)) == h.key && h.key != 0, "2: key");
        check(at(target, 0, 3) == 1 | uint256(1) << 32 | uint256(h.statedAt) << 40, "3: number, threshold, statedAt");
        bytes32 slot = keccak256(abi.encode(vm.addr(REGULATOR), keccak256(abi.encode(uint256(1), uint256(4)))));
        check(at(target, slot, 0) == 1, "4: places");
        vm.prank(vm.addr(REGULATOR));
        products.nameReceiver("thing", vm.addr(WHOLESALER));
        check(at(target, entry("thing", 6), 0) == uint160(vm.addr(WHOLESALER)), "6: receivers");
    }

    /// A bucket of the table of serials: a depth of 0, a lane of 41 bits for each fragment, and a 1.
    function test_the_table_of_serials_and_what_was_admitted() public {
        bytes32 b = lot("lot", 1);
        bytes7 f = fragment(0);
        uint256 lane = uint56(f) % 2 ** 41;
        check(at(address(products), entry(PRODUCT, 5), 0) == (uint256(1) << 41 | lane) << 5, "5: tables");
        bytes7 other = bytes7(uint56(f) ^ uint56(1) << 55);
        vm.prank(vm.addr(REGULATOR));
        products.admitSerial(PRODUCT, other);
        bytes32 slot = keccak256(abi.encode(uint256(uint56(other)), entry(PRODUCT, 7)));
        check(at(address(products), slot, 0) == 1, "7: admissions");
        act(MAKER, commissioning(b, abi.encodePacked(other, bytes1(0))));
        check(at(address(products), slot, 0) == 2, "used");
    }

    function test_a_lot_and_its_parts() public {
        bytes32 b = lot("lot", 5);
        more(b, 2);
        act(MAKER, change(b, 0, IPack.State.VOID));
        deliver(b, 1, 1, PHARMACY, "tote");
        act(MAKER, change(b, 2, IPack.State.HELD));
        pack(MAKER, container(MAKER, "free"), b, 1 + 3, 1);
        act(MAKER, abi.encodeCall(IMedicines.unpackUnits, (containerId(vm.addr(MAKER), "free"), b, list(4, 1))));
        uint256 w = word(entry(b, 1), 1);
        check(w == uint256(EXPIRY) | uint256(7) << 40 | uint256(5) << 72 | uint256(1) << 104 | uint256(2) << 136
            | uint256(1) << 160 | CASE_PLACES << 184 | uint256(2) << 216 | (START / 1 days) << 232,
            "expiry, commissioned, touched, number, parts, cases, free, places, opened");
        act(MAKER, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        check(word(entry(b, 1), 1) == w | uint256(1) << 208, "flags");
        check(word(inner(b, 2, 1), 0) == uint256(bytes32("root")) >> 64 | uint256(5) << 192 | uint256(2) << 224,
            "2: a part: root, first, count");
        check(bytes32(word(keccak256(abi.encode(uint256(1), uint256(9))), 0)) == b, "9: lots by number");
        check(word(entry(b, 12), 0) == ordinal(MAKER) | uint256(1) << 24, "12: by, number");
        check(word(0, 13) >> 192 == 1 && word(0, 13) << 64 != 0, "13: the list of recalls");
        check(word(0, 18) == 1, "18: lots");
    }

    function test_a_units_byte_and_its_place() public {
        bytes32 b = lot("lot", 40);
        act(MAKER, change(b, 33, IPack.State.HELD));
        act(MAKER, change(b, 33, IPack.State.RECALLED));
        act(REGULATOR, change(b, 33, IPack.State.LOCKED));
        act(MAKER, change(b, 34, IPack.State.DESTROYED));
        check(word(inner(b, 3, 4), 0) == uint256(16 + 32 + 64) << 32 | uint256(5) << 64, "3: 8 units a word: state");
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 35, 1);
        check(word(inner(b, 3, 4), 0) >> 96 == CASE_PLACES << 8, "and place");
        uint256 row = word(inner(b, 5, CASE_PLACES / 2), 0);
        check(row == uint64(bytes8(c)) | uint256(1) << 64 | uint256(2) << 120, "5: a row: key, count, kind");
        uint256 owners = ordinal(MAKER) | uint256(38) << 64 | uint256(1) << 120 | uint256(1) << 127;
        check(word(inner(b, 5, 0), 0) == owners, "the owner's, kept");
        act(MAKER, abi.encodeCall(IMedicines.unpackUnits, (c, b, list(35, 1))));
        check(word(inner(b, 3, 4), 0) >> 96 == uint256(0xffff) << 8, "with the owner again");
    }

    function test_a_dispensed_unit() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        uint256 before = word(inner(b, 3, 0), 0);
        vm.warp(START + 300 days);
        sellOne(PHARMACY, b, 1);
        check(word(inner(b, 3, 0), 0) == before + ((3 + (1 << 4)) << 32 | uint256(300 & 255) << 56), "3: state, day");
        uint256 row = word(inner(b, 5, 0), 0) >> 128;
        uint256 document = uint40(bytes5(keccak256(abi.encode(documentsNow())))) ^ 1;
        uint256 rest = uint256(2) << 64 | ordinal(MAKER) << 96 | uint256(1) << 120 | uint256(1) << 127;
        check(row == ordinal(PHARMACY) | document << 24 | rest, "5: actor, document, count");
    }

    function test_a_row_that_was_moved() public {
        bytes32 b = lot("lot", 10);
        deliver(b, 0, 3, PHARMACY, "tote");
        setStatus(PHARMACY, IDirectory.Status.SUSPENDED);
        vm.prank(vm.addr(REGULATOR));
        medicines.moveStock(b, 1, vm.addr(PHARMACY2));
        bytes32 key = keccak256(abi.encode(b, uint256(1), uint256(1)));
        check(word(entry(key, 19), 0) == 1, "19: how often");
        check(word(keccak256(abi.encode(entry(key, 19))), 0) == START / 1 days | ordinal(PHARMACY) << 24, "day, from");
        check(word(inner(b, 5, 0), 0) >> 128 == ordinal(PHARMACY2) | uint256(3) << 64 | ordinal(PHARMACY) << 96
            | uint256(5) << 120, "5: moved");
        pack(PHARMACY2, container(PHARMACY2, "box"), b, 0, 3);
        check(word(entry(key, 19), 0) == 0 && word(entry(b, 20), 0) == 1, "20: the row is free");
    }

    function test_runs() public {
        bytes32 b = lot("lot", 1500);
        bytes32[] memory tags = new bytes32[](3);
        for (uint256 i = 0; i < 3; i++) tags[i] = bytes32(i + 1);
        act(MAKER, abi.encodeCall(IMedicines.packLot, (b, 5, 400, tags)));
        check(word(inner(b, 4, 0), 0) == uint256(5) | 1018 << 10 | 399 << 20 | CASE_PLACES << 40, "4: from, units, a case, place");
        check(word(inner(b, 4, 1), 0) == uint256(180) << 10 | 399 << 20 | 219 << 30 | (CASE_PLACES + 2) << 40, "and before");
        check(word(inner(b, 3, 0), 0) == 0 && batchOf(b).touched == 1205, "no unit is written");
    }

    function test_a_container() public {
        bytes32 b = lot("lot", 9);
        bytes32 c = container(MAKER, "case");
        bytes32 pallet = container(MAKER, "pallet");
        pack(MAKER, c, b, 0, 4);
        act(MAKER, change(b, 0, IPack.State.HELD));
        nest(MAKER, pallet, c);
        act(REGULATOR, abi.encodeCall(IMedicines.holdContainer, (c, true)));
        act(MAKER, abi.encodeCall(IMedicines.ship, (pallet, vm.addr(REGULATOR), IPack.Purpose.DESTRUCTION)));
        check(boxOf(uint64(bytes8(c))) == uint64(bytes8(pallet)) | ordinal(MAKER) << 64 | uint256(4) << 136
            | uint256(2) << 160 | uint256(1) << 184 | CASE_PLACES << 216 | uint256(2) << 248, "7: the case");
        check(boxOf(uint64(bytes8(pallet))) == ordinal(MAKER) << 64 | ordinal(REGULATOR) << 88 | uint256(1) << 136
            | uint256(2) << 160 | uint256(1) << 184 | uint256(1) << 240 | uint256(12) << 248, "the pallet");
        act(REGULATOR, abi.encodeCall(IMedicines.accept, (pallet)));
        check(boxOf(uint64(bytes8(pallet))) == ordinal(REGULATOR) << 64 | SEVERAL << 112 | uint256(1) << 136
            | uint256(2) << 160 | uint256(1) << 184 | uint256(1) << 240 | uint256(28) << 248, "it came back");
    }

    /// What the slot of each list holds folds from its events.
    function test_lists_fold() public {
        bytes32 b = lot("lot", 9);
        sell(PHARMACY, b, 0);
        bytes32 alert = keccak256(abi.encode(uint32(0), IPack.Code.NOT_CUSTODIAN, vm.addr(PHARMACY),
            vm.addr(MAKER)));
        check(word(entry(b, 14), 0) == fold(0, 1, alert), "14: alerts");
        act(MAKER, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        bytes32 recall = keccak256(abi.encode(b, vm.addr(MAKER), bytes32("reason"), true));
        check(word(0, 13) == fold(0, 1, recall), "13: recalls");
        act(MAKER, abi.encodeCall(IMedicines.reverseRecall, (b, "mistake")));
        bytes32 reversal = keccak256(abi.encode(b, vm.addr(MAKER), bytes32("mistake"), false));
        check(word(0, 13) == fold(bytes24(uint192(fold(0, 1, recall))), 2, reversal), "and reversals");
        act(REGULATOR, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        vm.prank(vm.addr(MAKER));
        medicines.acknowledgeRecall(b, 0);
        bytes32 heard = keccak256(abi.encode(vm.addr(MAKER), uint64(3)));
        check(word(entry(b, 15), 0) == fold(0, 1, heard), "15: acknowledgements");
    }

    function fold(bytes24 before, uint64 n, bytes32 item) private view returns (uint256) {
        bytes24 head = bytes24(keccak256(abi.encode(before, n, block.timestamp, item)));
        return uint256(uint192(head)) | uint256(n) << 192;
    }
}
