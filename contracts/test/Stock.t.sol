// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPack} from "../src/interfaces/IPack.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {Base} from "./Base.t.sol";

/// Reads lots, units, holders and containers where they are stored (docs/wire-formats.md §8), as programs do.
abstract contract Stock is Base {
    uint256 internal constant SEVERAL = type(uint24).max;
    uint256 internal constant CASE_PLACES = 65536; // the first place of a container
    uint8 internal constant LOT_RECALLED = 1; // flags of a lot
    uint8 internal constant LOT_WITHDRAWN = 4;

    struct Unit_ {
        uint256 state;   // the byte
        IPack.State base;
        IPack.State effective;
        bool barred;
        uint256 place;
        uint256 day;     // of a dispensed one
    }
    struct Row_ {
        uint64 key;
        uint32 count;
        uint256 from;
        uint256 kind;
        bool moved;
        bool kept;
    }
    struct Holding_ {
        address custodian;
        address receiver;
        bytes32 container;
        uint32 count;
        uint24 place;
    }
    struct Box_ {
        bytes32 parent;
        address custodian;  // of the outermost one, like the next three
        address receiver;
        uint256 from;
        IPack.Purpose purpose;
        bool held;
        uint256 blemishes;
        uint256 contents;
        uint64 root;
    }

    function word(bytes32 slot, uint256 i) internal view returns (uint256) {
        return uint256(vm.load(address(medicines), bytes32(uint256(slot) + i)));
    }

    function entry(bytes32 key, uint256 slot) internal pure returns (bytes32) {
        return keccak256(abi.encode(key, slot));
    }

    function inner(bytes32 key, uint256 slot, uint256 i) internal pure returns (bytes32) {
        return keccak256(abi.encode(i, entry(key, slot)));
    }

    function isWithdrawn(bytes32 product) internal view returns (bool) {
        return word(entry(product, 0), 0) == 1;
    }

    function batchOf(bytes32 id) internal view returns (IPack.Batch memory b) {
        b.product = bytes32(word(entry(id, 1), 0));
        uint256 w = word(entry(id, 1), 1);
        (b.expiry, b.commissioned, b.touched) = (uint40(w), uint32(w >> 40), uint32(w >> 72));
        (b.number, b.parts) = (uint32(w >> 104), uint24(w >> 136));
        (b.cases, b.freeCase, b.flags) = (uint24(w >> 160), uint24(w >> 184), uint8(w >> 208));
        (b.places, b.opened) = (uint16(w >> 216), uint24(w >> 232));
    }

    /// The numbers of all rows that were ever used.
    function placesOf(bytes32 id) internal view returns (uint256[] memory all) {
        IPack.Batch memory b = batchOf(id);
        all = new uint256[](uint256(b.places) + b.cases);
        for (uint256 i = 0; i < all.length; i++) all[i] = i < b.places ? i : CASE_PLACES + i - b.places;
    }

    function partOf(bytes32 id, uint24 part) internal view returns (IPack.Part memory p) {
        uint256 w = word(inner(id, 2, part), 0);
        return IPack.Part(bytes24(uint192(w)), uint32(w >> 192), uint32(w >> 224));
    }

    function actorOf(uint256 number) internal view returns (address) {
        return directory.accountOf(uint24(number));
    }

    function rowOf(bytes32 id, uint256 place) internal view returns (Row_ memory r) {
        uint256 w = word(inner(id, 5, place / 2), 0) >> (place % 2 * 128);
        uint64 key = w >> 120 & 3 == 1 ? uint24(w) : uint64(w);
        bool moved = w >> 122 & 1 == 1;
        return Row_(key, uint32(w >> 64), w >> 96 & 0xffffff, w >> 120 & 3, moved, w >> 127 & 1 == 1);
    }

    function boxOf(uint64 key) internal view returns (uint256) {
        return word(keccak256(abi.encode(key, uint256(7))), 0);
    }

    function containerOf(bytes32 id) internal view returns (Box_ memory b) {
        uint64 key = uint64(bytes8(id));
        uint256 w = boxOf(key);
        b.parent = bytes32(bytes8(uint64(w)));
        (b.contents, b.blemishes) = (w >> 136 & 0xffffff, w >> 160 & 0xffffff);
        b.held = w >> 248 & 3 != 0;
        for (b.root = key; uint64(w) != 0; w = boxOf(b.root)) b.root = uint64(w);
        (b.custodian, b.receiver, b.from) = (actorOf(w >> 64 & 0xffffff), actorOf(w >> 88 & 0xffffff),
            w >> 112 & 0xffffff);
        b.purpose = IPack.Purpose(w >> 250 & 3);
    }

    function isEnded(IPack.State s) internal pure returns (bool) {
        return s == IPack.State.DISPENSED || s == IPack.State.OPENED_DISPENSED
            || (s >= IPack.State.DESTROYED && s <= IPack.State.CONSUMED) || s == IPack.State.VOID;
    }

    function unitOf(bytes32 id, uint256 index) internal view returns (Unit_ memory u) {
        uint256 bits = word(inner(id, 3, index / 8), 0) >> (index % 8 * 32) & type(uint32).max;
        u.state = bits & 255;
        u.base = u.state & 15 == 0 ? IPack.State.ACTIVE : IPack.State(u.state & 15);
        u.place = bits >> 8;
        if (u.base == IPack.State.DISPENSED || u.base == IPack.State.OPENED_DISPENSED) {
            u.day = bits >> 24 | (u.state >> 4 & 7) << 8;
            u.state &= 143;
            u.place &= 0xffff;
        }
        u.barred = u.base == IPack.State.PARTIAL || u.base == IPack.State.BACK || u.state & 128 != 0;
        if (u.place == 0xffff) u.place = 0;
        else if (u.place == 0) u.place = placeByRuns(id, index);
        u.effective = effective(batchOf(id), u, rowOf(id, u.place));
    }

    function placeByRuns(bytes32 id, uint256 index) internal view returns (uint256) {
        for (uint256 r = word(inner(id, 4, index / 1024), 0); r != 0; r >>= 64) {
            (uint256 from, uint256 n, uint256 each) = (r & 1023, (r >> 10 & 1023) + 1, (r >> 20 & 1023) + 1);
            if (index % 1024 < from || index % 1024 >= from + n) continue;
            return (r >> 40 & 0xffffff) + (index % 1024 - from + (r >> 30 & 1023)) / each;
        }
        return 0;
    }

    function effective(IPack.Batch memory b, Unit_ memory u, Row_ memory row) private view
        returns (IPack.State) {
        if (u.base == IPack.State.OPENED_DISPENSED) return IPack.State.DISPENSED;
        if (isEnded(u.base)) return u.base;
        if (b.flags & LOT_WITHDRAWN != 0) return IPack.State.WITHDRAWN;
        if (b.flags & LOT_RECALLED != 0) return IPack.State.BATCH_RECALLED;
        if (u.state & 64 != 0) return IPack.State.RECALLED;
        if (u.state & 32 != 0) return IPack.State.LOCKED;
        if (u.state & 16 != 0) return IPack.State.HELD;
        if (block.timestamp >= b.expiry) return IPack.State.EXPIRED;
        if (row.kind != 2) return u.base;
        bool inTransit = false;
        for (uint64 at_ = row.key; at_ != 0; at_ = uint64(boxOf(at_))) {
            if (boxOf(at_) >> 248 & 3 != 0) return IPack.State.HELD;
            if (boxOf(at_) >> 88 & 0xffffff != 0) inTransit = true;
        }
        return inTransit ? IPack.State.IN_TRANSIT : IPack.State.PACKED;
    }

    function holding(bytes32 id, uint256 place) internal view returns (Holding_ memory h) {
        Row_ memory row = rowOf(id, place);
        (h.count, h.place) = (row.count, uint24(place));
        if (row.kind != 2) {
            h.custodian = actorOf(row.key);
            return h;
        }
        h.container = bytes32(bytes8(row.key));
        Box_ memory b = containerOf(h.container);
        (h.custodian, h.receiver) = (b.custodian, b.receiver);
    }

    function holderOf(bytes32 id, uint256 index) internal view returns (Holding_ memory h) {
        return holding(id, unitOf(id, index).place);
    }

    /// Of everybody who holds units.
    function holdersOf(bytes32 id) internal view returns (Holding_[] memory found) {
        uint256[] memory places = placesOf(id);
        found = new Holding_[](places.length);
        uint256 n = 0;
        for (uint256 i = 0; i < places.length; i++) {
            if (rowOf(id, places[i]).count != 0) found[n++] = holding(id, places[i]);
        }
        assembly ("memory-safe") {
            mstore(found, n)
        }
    }

    function recallOf(bytes32 id) internal view returns (address by, uint256 number) {
        uint256 w = word(entry(id, 12), 0);
        return (actorOf(w & 0xffffff), w >> 24 & type(uint64).max);
    }

    function capturedAt(bytes32 id) internal view returns (uint256) {
        return word(entry(id, 11), 0) & type(uint40).max;
    }

    function batchId(bytes32 product, bytes32 tag) internal pure returns (bytes32) {
        return keccak256(abi.encode(product, tag));
    }

    function containerId(address opener, bytes32 tag) internal pure returns (bytes32) {
        return bytes32(bytes8(keccak256(abi.encode(opener, tag))));
    }
}
