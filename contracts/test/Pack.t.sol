// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPack} from "../src/interfaces/IPack.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {Stock} from "./Stock.t.sol";

/// A product of MAKER's, and short names for captures of one operation.
abstract contract Pack is Stock {
    bytes32 internal constant PRODUCT = "product";
    uint40 internal constant EXPIRY = uint40(START + 365 days);
    uint256 private documents;
    uint64 private serials;

    function setUp() public virtual override {
        super.setUp();
        registerProduct(PRODUCT, MAKER);
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

    function unit(bytes32 batch, uint32 index) internal pure returns (IPack.Unit[] memory units) {
        units = new IPack.Unit[](1);
        units[0] = IPack.Unit(batch, index);
    }

    /// A fresh document with this operation.
    function act(uint256 key, bytes memory operation) internal returns (bytes32 captureId, IPack.Code code) {
        bytes[] memory operations = one(operation);
        vm.prank(vm.addr(key));
        return medicines.capture(bytes32(++documents), "events", 0, operations);
    }

    function refused(IPack.Code expected, uint256 key, bytes memory operation) internal {
        bytes[] memory operations = one(operation);
        vm.prank(vm.addr(key));
        (bool done, bytes memory answer) = address(medicines).call(abi.encodeCall(IMedicines.capture,
            (bytes32(++documents), "events", 0, operations)));
        check(!done && answer.length == 68 && bytes4(answer) == IPack.Refused.selector, "refused");
        uint8 code = uint8(answer[35]);
        check(code == uint8(expected), string.concat("code is ", digits(code), ", not ", digits(uint8(expected))));
    }

    function digits(uint8 n) internal pure returns (string memory) {
        return string(abi.encodePacked(bytes1(48 + n / 10), bytes1(48 + n % 10)));
    }

    function idOf(bytes32 tag) internal pure returns (bytes32) {
        return batchId(PRODUCT, tag);
    }

    /// Packs without a depth to look at first.
    function fragmentsOf(uint64 first, uint256 n) internal pure returns (bytes memory out) {
        out = new bytes(8 * n);
        for (uint256 i = 0; i < n; i++) {
            bytes7 f = fragment(first + uint64(i));
            for (uint256 j = 0; j < 7; j++) out[8 * i + j] = f[j];
        }
    }

    function fragment(uint64 serial) internal pure returns (bytes7) {
        return bytes7(keccak256(abi.encode("serial", serial)));
    }

    function opening(bytes32 product, bytes32 tag) internal pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.openBatch, (product, tag, EXPIRY));
    }

    function commissioning(bytes32 batch, bytes memory fragments) internal pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.commission, (batch, "root", fragments));
    }

    /// A lot of fresh serials, all loose with MAKER.
    function lot(bytes32 tag, uint32 n) internal returns (bytes32 id) {
        act(MAKER, opening(PRODUCT, tag));
        id = idOf(tag);
        more(id, n);
    }

    function more(bytes32 id, uint32 n) internal {
        act(MAKER, commissioning(id, fragmentsOf(serials, n)));
        serials += n;
    }

    function container(uint256 key, bytes32 tag) internal returns (bytes32) {
        act(key, abi.encodeCall(IMedicines.openContainer, (tag)));
        return containerId(vm.addr(key), tag);
    }

    function pack(uint256 key, bytes32 into, bytes32 batch, uint32 first, uint32 n) internal {
        act(key, abi.encodeCall(IMedicines.packUnits, (into, batch, list(first, n))));
    }

    function nest(uint256 key, bytes32 parent, bytes32 child) internal {
        act(key, abi.encodeCall(IMedicines.packContainers, (parent, single(child))));
    }

    function shipping(bytes32 id, uint256 to) internal pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.ship, (id, vm.addr(to), IPack.Purpose.TRADE));
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

    function sell(uint256 key, bytes32 batch, uint32 index) internal returns (bytes32 captureId, IPack.Code code) {
        return act(key, abi.encodeCall(IMedicines.dispense, (unit(batch, index))));
    }

    function change(bytes32 batch, uint32 index, IPack.State to) internal pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.changeUnits, (batch, list(index, 1), to));
    }

    function undoing(bytes32 batch, uint32 index) internal pure returns (bytes memory) {
        return abi.encodeCall(IMedicines.undoDispense, (batch, list(index, 1)));
    }

    /// A fresh document of this one unit.
    function sellOne(uint256 key, bytes32 batch, uint32 index) internal returns (IPack.Code) {
        vm.prank(vm.addr(key));
        return medicines.dispenseLoose(keccak256(abi.encode(++documents)), batch, index);
    }

    function documentsNow() internal view returns (uint256) {
        return documents;
    }

    function stateOf(bytes32 batch, uint32 index) internal view returns (IPack.State) {
        return unitOf(batch, index).effective;
    }

    function whoHas(bytes32 batch, uint32 index) internal view returns (address) {
        return holderOf(batch, index).custodian;
    }

    /// Units that ended.
    function endedOf(bytes32 batch) internal view returns (uint256 ended) {
        ended = batchOf(batch).commissioned;
        uint256[] memory places = placesOf(batch);
        for (uint256 i = 0; i < places.length; i++) {
            Row_ memory row = rowOf(batch, places[i]);
            if (row.kind != 0) ended -= row.count;
        }
    }

    /// Invariants 11 and 12: each row counts the live units that stand in it: commissioned = live + ended.
    function checkConserved(bytes32 batch) internal view {
        for (uint32 i = batchOf(batch).touched; i < batchOf(batch).commissioned; i++) {
            check(unitOf(batch, i).state == 0 && unitOf(batch, i).place == 0, "nothing happened to these");
        }
        IPack.Batch memory b = batchOf(batch);
        uint256[] memory places = placesOf(batch);
        uint256[] memory standing = new uint256[](places.length);
        for (uint32 i = 0; i < b.commissioned; i++) {
            Unit_ memory u = unitOf(batch, i);
            if (!isEnded(u.base)) standing[u.place < CASE_PLACES ? u.place : u.place - CASE_PLACES + b.places]++;
            else check(u.place < CASE_PLACES, "what ended stands with an actor");
        }
        for (uint256 i = 0; i < places.length; i++) {
            Row_ memory row = rowOf(batch, places[i]);
            if (row.kind != 0) check(row.count == standing[i], "a row counts what stands in it");
            check(standing[i] == 0 || row.kind == (i < b.places ? 1 : 2), "in a row of its kind");
        }
        checkFree(batch, 0, b.places, freePlaceOf(batch));
        checkFree(batch, CASE_PLACES, b.cases, b.freeCase);
    }

    /// The free rows are those of the list of free rows, each once.
    function checkFree(bytes32 batch, uint256 first, uint256 n, uint256 at_) private view {
        uint256 free = 0;
        for (uint256 i = first; i < first + n; i++) {
            if (rowOf(batch, i).kind == 0) free++;
        }
        uint256 listed = 0;
        for (; at_ != 0 && listed <= free; at_ = rowOf(batch, at_).key) {
            check(rowOf(batch, at_).kind == 0 && at_ >= first && at_ < first + n, "free");
            listed++;
        }
        check(free == listed, "free rows are listed");
    }

    function freePlaceOf(bytes32 batch) internal view returns (uint256) {
        return word(entry(batch, 20), 0);
    }
}
