// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

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

    function test_a_lot_and_its_parts() public {
        bytes32 b = lot("lot", 5);
        more(b, 2);
        act(MAKER, change(b, 0, IMedicines.State.VOID));
        deliver(b, 1, 1, PHARMACY, "tote");
        uint256 w = word(entry(b, 1), 1);
        check(w == uint256(EXPIRY) | uint256(7) << 40 | uint256(1) << 72 | uint256(1) << 104 | uint256(2) << 136
            | uint256(3) << 160 | uint256(1) << 176, "expiry, commissioned, ended, number, parts, places, free");
        act(MAKER, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        check(word(entry(b, 1), 1) == w | uint256(1) << 192, "recalled");
        check(word(inner(b, 2, 1), 0) == uint256(bytes32("root")) >> 64 | uint256(5) << 192 | uint256(2) << 224,
            "2: a part: root, first, count");
        check(bytes32(word(keccak256(abi.encode(uint256(1), uint256(11))), 0)) == b, "11: lots by number");
        check(word(entry(b, 13), 0) == 1 | uint256(1) << 24, "13: by, number");
        check(word(0, 14) >> 192 == 1 && word(0, 14) << 64 != 0, "14: the list of recalls");
        check(word(0, 19) == 1 | uint256(2) << 32, "19: lots, actors");
    }

    function test_a_units_byte_and_its_place() public {
        bytes32 b = lot("lot", 40);
        act(MAKER, change(b, 33, IMedicines.State.HELD));
        act(MAKER, change(b, 33, IMedicines.State.RECALLED));
        act(REGULATOR, change(b, 33, IMedicines.State.LOCKED));
        act(MAKER, change(b, 34, IMedicines.State.DESTROYED));
        check(word(inner(b, 3, 1), 0) == uint256(16 + 32 + 64) << 8 | uint256(5) << 16, "3: 32 states a word");
        bytes32 c = container(MAKER, "case");
        pack(MAKER, c, b, 35, 1);
        check(word(inner(b, 4, 2), 0) == uint256(1) << 48, "4: 16 places a word");
        uint256 rows = word(inner(b, 5, 0), 0);
        check(rows >> 128 == uint64(bytes8(c)) | uint256(1) << 64 | uint256(2) << 120, "5: a row: key, count, kind");
        check(uint128(rows) == 1 | uint256(38) << 64 | uint256(1) << 120 | uint256(1) << 127, "the owner's, kept");
    }

    function test_a_container() public {
        bytes32 b = lot("lot", 9);
        bytes32 c = container(MAKER, "case");
        bytes32 pallet = container(MAKER, "pallet");
        pack(MAKER, c, b, 0, 4);
        act(MAKER, change(b, 0, IMedicines.State.HELD));
        nest(MAKER, pallet, c);
        act(REGULATOR, abi.encodeCall(IMedicines.holdContainer, (c, true)));
        act(MAKER, abi.encodeCall(IMedicines.ship, (pallet, vm.addr(REGULATOR), IMedicines.Purpose.DESTRUCTION)));
        check(boxOf(uint64(bytes8(c))) == uint64(bytes8(pallet)) | uint256(1) << 64 | uint256(4) << 136
            | uint256(2) << 160 | uint256(1) << 184 | uint256(1) << 216 | uint256(3) << 240, "7: the case");
        check(boxOf(uint64(bytes8(pallet))) == uint256(1) << 64 | uint256(2) << 88 | uint256(1) << 136
            | uint256(2) << 160 | uint256(1) << 184 | uint256(1) << 232 | uint256(12) << 240, "the pallet");
        act(REGULATOR, abi.encodeCall(IMedicines.accept, (pallet)));
        check(boxOf(uint64(bytes8(pallet))) == uint256(2) << 64 | SEVERAL << 112 | uint256(1) << 136
            | uint256(2) << 160 | uint256(1) << 184 | uint256(1) << 232 | uint256(28) << 240, "it came back");
        check(word(entry(padded(vm.addr(REGULATOR)), 9), 0) == 2 && actorOf(2) == vm.addr(REGULATOR), "9, 10: actors");
    }

    /// What the slot of each list holds folds from its events.
    function test_lists_fold() public {
        bytes32 b = lot("lot", 9);
        sell(PHARMACY, b, 0);
        bytes32 alert = keccak256(abi.encode(uint32(0), IMedicines.Code.NOT_CUSTODIAN, vm.addr(PHARMACY),
            vm.addr(MAKER)));
        check(word(entry(b, 15), 0) == fold(0, 1, alert), "15: alerts");
        act(MAKER, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        bytes32 recall = keccak256(abi.encode(b, vm.addr(MAKER), bytes32("reason"), true));
        check(word(0, 14) == fold(0, 1, recall), "14: recalls");
        act(MAKER, abi.encodeCall(IMedicines.reverseRecall, (b, "mistake")));
        bytes32 reversal = keccak256(abi.encode(b, vm.addr(MAKER), bytes32("mistake"), false));
        check(word(0, 14) == fold(bytes24(uint192(fold(0, 1, recall))), 2, reversal), "and reversals");
        act(REGULATOR, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        vm.prank(vm.addr(MAKER));
        medicines.acknowledgeRecall(b, 0);
        bytes32 heard = keccak256(abi.encode(vm.addr(MAKER), uint64(3)));
        check(word(entry(b, 16), 0) == fold(0, 1, heard), "16: acknowledgements");
    }

    function fold(bytes24 before, uint64 n, bytes32 item) private view returns (uint256) {
        bytes24 head = bytes24(keccak256(abi.encode(before, n, block.timestamp, item)));
        return uint256(uint192(head)) | uint256(n) << 192;
    }
}
