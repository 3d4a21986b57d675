// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {Base} from "./Base.t.sol";

/// A product of MAKER's, and short names for captures of one operation.
abstract contract Pack is Base {
    bytes32 internal constant PRODUCT = "product";
    uint40 internal constant EXPIRY = uint40(START + 365 days);
    uint256 private documents;
    uint64 private serials;

    function setUp() public virtual override {
        super.setUp();
        vm.prank(vm.addr(REGULATOR));
        medicines.registerProduct(PRODUCT, vm.addr(MAKER), "commitment", 10_000);
    }

    function one(bytes memory operation) internal pure returns (bytes[] memory all) {
        all = new bytes[](1);
        all[0] = operation;
    }

    function list(uint32 first, uint32 n) internal pure returns (uint32[] memory indexes) {
        indexes = new uint32[](n);
        for (uint32 i = 0; i < n; i++) indexes[i] = first + i;
    }

    function single(bytes32 id) internal pure returns (bytes32[] memory all) {
        all = new bytes32[](1);
        all[0] = id;
    }

    function unit(bytes32 batch, uint32 index) internal pure returns (IMedicines.Unit[] memory units) {
        units = new IMedicines.Unit[](1);
        units[0] = IMedicines.Unit(batch, index);
    }

    /// A fresh document with this operation.
    function act(uint256 key, bytes memory operation) internal returns (bytes32 captureId, IMedicines.Code code) {
        bytes[] memory operations = one(operation);
        vm.prank(vm.addr(key));
        return medicines.capture(bytes32(++documents), "events", 0, operations);
    }

    function refused(IMedicines.Code expected, uint256 key, bytes memory operation) internal {
        bytes[] memory operations = one(operation);
        vm.prank(vm.addr(key));
        (bool done, bytes memory answer) = address(medicines).call(abi.encodeCall(IMedicines.capture,
            (bytes32(++documents), "events", 0, operations)));
        check(!done && answer.length == 68 && bytes4(answer) == IMedicines.Refused.selector, "refused");
        uint8 code = uint8(answer[35]);
        check(code == uint8(expected), string.concat("code is ", digits(code), ", not ", digits(uint8(expected))));
    }

    function digits(uint8 n) private pure returns (string memory) {
        return string(abi.encodePacked(bytes1(48 + n / 10), bytes1(48 + n % 10)));
    }

    function idOf(bytes32 tag) internal view returns (bytes32) {
        return medicines.batchId(PRODUCT, tag);
    }

    function fragmentsOf(uint64 first, uint256 n) internal pure returns (bytes memory out) {
        out = new bytes(8 * n);
        for (uint256 i = 0; i < n; i++) {
            bytes8 f = fragment(first + uint64(i));
            for (uint256 j = 0; j < 8; j++) out[8 * i + j] = f[j];
        }
    }

    function fragment(uint64 serial) internal pure returns (bytes8) {
        return bytes8(keccak256(abi.encode("serial", serial)));
    }

    /// A live lot of fresh serials, all loose with MAKER.
    function lot(bytes32 tag, uint32 n) internal returns (bytes32 id) {
        act(MAKER, abi.encodeCall(IMedicines.openBatch, (PRODUCT, tag, EXPIRY, "root", n)));
        id = idOf(tag);
        act(MAKER, abi.encodeCall(IMedicines.commission, (id, fragmentsOf(serials, n))));
        serials += n;
    }

    function container(uint256 key, bytes32 tag) internal returns (bytes32) {
        act(key, abi.encodeCall(IMedicines.openContainer, (tag)));
        return medicines.containerId(vm.addr(key), tag);
    }

    function pack(uint256 key, bytes32 into, bytes32 batch, uint32 first, uint32 n) internal {
        act(key, abi.encodeCall(IMedicines.packUnits, (into, batch, list(first, n))));
    }

    function nest(uint256 key, bytes32 parent, bytes32 child) internal {
        act(key, abi.encodeCall(IMedicines.packContainers, (parent, single(child))));
    }

    function shipping(bytes32 id, uint256 to) internal pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.ship, (id, vm.addr(to), IMedicines.Purpose.TRADE));
    }

    function move(bytes32 id, uint256 from, uint256 to) internal {
        act(from, shipping(id, to));
        act(to, abi.encodeCall(IMedicines.accept, (id)));
    }

    /// `n` units of a batch loose with `to`, by way of a container.
    function deliver(bytes32 batch, uint32 first, uint32 n, uint256 to, bytes32 tag) internal {
        bytes32 tote = container(MAKER, tag);
        pack(MAKER, tote, batch, first, n);
        move(tote, MAKER, to);
        act(to, abi.encodeCall(IMedicines.unpackRange, (tote, batch, first, n)));
    }

    function sell(uint256 key, bytes32 batch, uint32 index) internal returns (bytes32 captureId, IMedicines.Code code) {
        return act(key, abi.encodeCall(IMedicines.dispense, (unit(batch, index))));
    }

    function change(bytes32 batch, uint32 index, IMedicines.State to) internal pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.changeUnits, (batch, list(index, 1), to));
    }

    function stateOf(bytes32 batch, uint32 index) internal view returns (IMedicines.State) {
        return medicines.unitState(batch, index).effective;
    }

    function whoHas(bytes32 batch, uint32 index) internal view returns (address) {
        return medicines.holderOf(batch, index).custodian;
    }

    /// Invariants 11 and 12: the rows of holders add up to the live units.
    function checkConserved(bytes32 batch) internal view {
        IMedicines.BatchView memory b = medicines.batchOf(batch);
        (IMedicines.Holding[] memory rows, uint32 next) = medicines.holdersOf(batch, 0, type(uint32).max);
        uint256 held = 0;
        for (uint256 i = 0; i < rows.length; i++) held += rows[i].count;
        check(next == 0 && held == b.commissioned - b.ended, "commissioned = live + ended");
        uint256 live = 0;
        for (uint32 i = 0; i < b.commissioned; i++) {
            IMedicines.State s = medicines.unitState(batch, i).stored;
            if (s == IMedicines.State.ACTIVE || s == IMedicines.State.HELD || s == IMedicines.State.LOCKED
                || s == IMedicines.State.PARTIAL || s == IMedicines.State.RECALLED) live++;
        }
        check(live == held, "states and counts agree");
    }
}
