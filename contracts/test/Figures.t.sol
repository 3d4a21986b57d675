// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPack} from "../src/interfaces/IPack.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {Pack} from "./Pack.t.sol";

/// The figures of docs/contracts.md: storage slots of a unit's whole life, and gas. Gas stands in snapshots/ after a
/// run.
contract FiguresTest is Pack {
    uint32 private constant CASE = 48;
    uint32 private constant CASES = 20;
    uint32 private constant UNITS = CASE * CASES;

    mapping(bytes32 slot => bool) private counted;

    event Figure(string what, uint256 value);

    /// How many slots of a contract were written since vm.record, are not zero now, and were not counted before.
    function count(address target) private returns (uint256 n) {
        (, bytes32[] memory writes) = vm.accesses(target);
        for (uint256 i = 0; i < writes.length; i++) {
            bytes32 key = keccak256(abi.encode(target, writes[i]));
            if (counted[key] || vm.load(target, writes[i]) == 0) continue;
            counted[key] = true;
            n++;
        }
    }

    function caseTags(uint32 first, uint32 n) private pure returns (bytes32[] memory tags) {
        tags = new bytes32[](n);
        for (uint32 i = 0; i < n; i++) tags[i] = bytes32(uint256(1000 + first + i));
    }

    function caseIds() private pure returns (bytes32[] memory ids) {
        ids = caseTags(0, CASES);
        for (uint32 i = 0; i < CASES; i++) ids[i] = containerId(vm.addr(MAKER), ids[i]);
    }

    function sellCase(bytes32 b, uint32 first) private {
        IPack.Unit[] memory units = new IPack.Unit[](CASE);
        for (uint32 i = 0; i < CASE; i++) units[i] = IPack.Unit(b, first + i);
        act(PHARMACY, abi.encodeCall(IMedicines.dispense, (units)));
    }

    function gas(string memory what) private returns (uint256) {
        return vm.snapshotGasLastCall(string.concat("medicines: ", what));
    }

    /// Commissioned, packed in cases on a pallet, to a wholesaler, by the case to a pharmacy, unpacked, dispensed; a
    /// document a step. The product holds 6,000 packs already: a table as full as tables are, of which each pack bears
    /// its share.
    function test_slots_and_gas_of_a_whole_life() public {
        vm.record();
        bytes32 b = lot("older", 2000);
        more(b, 2000);
        more(b, 2000);
        count(address(medicines));
        act(MAKER, opening(PRODUCT, "lot"));
        b = idOf("lot");
        more(b, UNITS);
        uint256 packed = gas("commission 960 units");
        uint256 table = count(address(products)) * 1000 / products.productOf(PRODUCT).units;
        act(MAKER, abi.encodeCall(IMedicines.packLot, (b, 0, CASE, caseTags(0, CASES))));
        packed += gas("pack 20 cases of 48");
        bytes32 pallet = container(MAKER, "pallet");
        bytes32[] memory cases = caseIds();
        act(MAKER, abi.encodeCall(IMedicines.packContainers, (pallet, cases)));
        gas("put 20 cases on a pallet");
        act(MAKER, shipping(pallet, WHOLESALER));
        gas("ship a pallet of 960");
        act(WHOLESALER, abi.encodeCall(IMedicines.accept, (pallet)));
        gas("accept a pallet of 960");
        act(WHOLESALER, abi.encodeCall(IMedicines.unpackContainers, (pallet, cases)));
        uint256 slots = count(address(medicines));
        (uint256 sold, uint256 more_) = sellAll(b, cases);
        slots += more_;
        check(endedOf(b) == UNITS, "all were dispensed");
        emit Figure("thousandths of a slot a unit, in the table of serials", table);
        emit Figure("thousandths of a slot a unit, all else, documents included", slots * 1000 / UNITS);
        emit Figure("documents", 7 + 4 * uint256(CASES));
        emit Figure("gas a unit commissioned and packed", packed / UNITS);
        emit Figure("gas a unit dispensed in a batch of 48", sold / CASE);
        check(table + slots * 1000 / UNITS <= 450, "at most 0.45 slots a unit");
        check(packed / UNITS <= 10_000, "at most 10,000 gas a unit commissioned and packed");
        check(sold / CASE <= 13_000, "at most 13,000 gas a unit dispensed in a batch");
    }

    function sellAll(bytes32 b, bytes32[] memory cases) private returns (uint256 sold, uint256 slots) {
        for (uint32 i = 0; i < CASES; i++) {
            vm.record();
            move(cases[i], WHOLESALER, PHARMACY);
            act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (cases[i], b, i * CASE, CASE)));
            gas("unpack a case of 48");
            sellCase(b, i * CASE);
            sold = gas("dispense 48 units");
            slots += count(address(medicines));
        }
    }

    function test_gas_of_single_steps() public {
        bytes32 b = lot("lot", 100);
        act(MAKER, abi.encodeCall(IMedicines.openContainer, ("case")));
        gas("open a container");
        bytes32 c = containerId(vm.addr(MAKER), "case");
        pack(MAKER, c, b, 0, 10);
        gas("pack 10 units");
        move(c, MAKER, PHARMACY);
        act(PHARMACY, abi.encodeCall(IMedicines.unpackRange, (c, b, 0, 10)));
        sellOne(PHARMACY, b, 1);
        sellOne(PHARMACY, b, 0);
        uint256 alone = gas("dispense 1 unit");
        emit Figure("gas of dispensing one unit, the transaction's 21,000 included", alone);
        check(alone <= 45_000, "at most 45,000 gas for one unit");
        sell(PHARMACY2, b, 0);
        gas("a second dispense, alerted");
        act(PHARMACY, undoing(b, 0));
        gas("undo a dispense");
        act(PHARMACY, change(b, 2, IPack.State.HELD));
        gas("hold a unit");
        act(MAKER, abi.encodeCall(IMedicines.recallBatch, (b, "reason")));
        gas("recall a lot");
        uint24 place = holderOf(b, 2).place;
        vm.prank(vm.addr(PHARMACY));
        medicines.acknowledgeRecall(b, place);
        gas("acknowledge a recall");
    }
}
