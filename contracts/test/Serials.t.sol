// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IPack} from "../src/interfaces/IPack.sol";
import {IProducts} from "../src/interfaces/IProducts.sol";
import {Pack} from "./Pack.t.sol";

/// The table of serials, against a plain set; and serials that a regulator admits although the table has their like.
contract SerialsTest is Pack {
    uint56 private constant KNOWN = (1 << 41) - 1; // what the table keeps of a fragment

    event Played(uint64 seed, bytes32 hash); // to be seen with -vvvv

    uint64 private random;
    mapping(uint256 history => mapping(uint56 => bool)) private plain;
    uint256[3] private came; // of insertions: what came of them

    /// 56 bits, as src/health/trace/serials_test.c makes them.
    function next() private returns (uint56) {
        unchecked {
            random = random * 6364136223846793005 + 1442695040888963407;
        }
        return uint56(random >> 8);
    }

    /// One pack, looked for at this depth first.
    function insert(bytes32 product, uint56 f, uint8 depth) private returns (IProducts.Insertion result) {
        vm.prank(address(medicines));
        (result,) = products.insert(product, abi.encodePacked(f, depth));
        came[uint256(result)]++;
    }

    /// `n` fragments with these bits random and those above them set; every second one with a depth that is made up.
    /// Returns the hash of the table that they leave.
    function play(uint64 seed, uint256 n, uint56 mask, uint56 set) private returns (bytes32 hash) {
        bytes32 product = bytes32(uint256(seed));
        random = seed;
        for (uint256 i = 0; i < n; i++) {
            uint56 f = (next() & mask) | set;
            uint8 depth = i % 2 == 0 ? 0 : uint8(next());
            IProducts.Insertion result = insert(product, f, depth);
            bool known = plain[seed][f & KNOWN];
            check((result == IProducts.Insertion.DUPLICATE) == known, "what is in, and nothing else");
            if (result == IProducts.Insertion.DONE) plain[seed][f & KNOWN] = true;
            check(products.isCommissioned(product, bytes7(f)) == plain[seed][f & KNOWN], "found");
        }
        hash = hashOf(entry(product, 5), 0, 0);
        emit Played(seed, hash);
    }

    /// The bucket at this place, and those that split from it, in order.
    function hashOf(bytes32 first, uint256 place, bytes32 before) private view returns (bytes32 hash) {
        bytes32 held = vm.load(address(products), bytes32(uint256(first) + place));
        hash = keccak256(abi.encode(before, held));
        for (uint256 bit = 0; bit < uint256(held) % 32; bit++) {
            if (place >> bit == 0) hash = hashOf(first, place + (1 << bit), hash);
        }
    }

    /// The same histories, with the same hashes, as in src/health/trace/serials_test.c: program and contract agree.
    function test_the_table_of_serials_is_a_set_whatever_is_put_in() public {
        bytes32 any = play(1, 2000, type(uint56).max, 0);
        check(came[1] == 0 && came[2] == 0, "of any fragments none is refused");
        bytes32 alike_ = play(2, 600, 0xff << 33 | 0x3f, 0);
        check(came[1] > 10 && came[2] == 0, "of few bits some are");
        bytes32 onePlace = play(3, 300, type(uint56).max << 7, 0x55);
        check(came[2] == 0, "one place that splits takes them");
        bytes32 crowded = play(4, 300, type(uint56).max << 31, 0x1234);
        check(came[2] > 200, "one that splits to the end takes 25");
        check(any == ANY && alike_ == ALIKE && onePlace == ONE_PLACE && crowded == CROWDED, "as in the program's test");
    }

    bytes32 private constant ANY = 0x6043fed8abc32454aa5603a8b5aa49961ffcf777e6e85eaaad0dae1248e02934;
    bytes32 private constant ALIKE = 0xa02b139fbadba27f3a6a2c69192315557dfa80ef67fc8356c6e7795340857362;
    bytes32 private constant ONE_PLACE = 0xcf1a1fcb0c476d5df82291cdb709c9208f1e93c8f006d6692d5f6a0031522bd1;
    bytes32 private constant CROWDED = 0x6b1bbfd6b355bb5bb74b1cec8e207160f3d786b7105972b562116e80f7dd849a;

    /// Whatever was put in is found again; nothing else is; and nothing is put in twice.
    function testFuzz_the_table_of_serials_is_a_set(uint64 start, uint16 size) public {
        bytes32 b = lot("set", 1);
        start = 5000 + start % (1 << 62);
        uint64 n = 1 + size % 900;
        act(MAKER, commissioning(b, fragmentsOf(start, n)));
        for (uint64 i = 0; i < n; i++) {
            check(products.isCommissioned(PRODUCT, fragment(start + i)), "in");
            check(!products.isCommissioned(PRODUCT, fragment(start + n + i)), "out");
        }
        check(products.productOf(PRODUCT).units == n + 1, "count");
        uint64 again = start + size / 3 % n;
        refused(IPack.Code.DUPLICATE_SERIAL, MAKER, commissioning(b, fragmentsOf(again, 1)));
    }

    /// Where lookUp says that a pack has its place, nothing is read but that, and what it splits into is written.
    function test_a_pack_is_looked_for_where_the_table_said() public {
        lot("lot", 900);
        for (uint64 i = 5000; i < 5100; i++) {
            bytes memory pack_ = abi.encodePacked(fragment(i), bytes1(0));
            uint256 depth = uint8(products.lookUp(PRODUCT, pack_)[0]);
            check(depth > 4 && depth < 12, "a depth");
            vm.record();
            check(insert(PRODUCT, uint56(fragment(i)), uint8(depth)) == IProducts.Insertion.DONE, "new");
            (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(address(products));
            check(products.lookUp(PRODUCT, pack_)[0] == 0xff, "it is in");
            uint256 place = uint256(entry(PRODUCT, 5)) + uint56(fragment(i)) % 2 ** depth;
            for (uint256 j = 0; j < reads.length; j++) {
                if (reads[j] != bytes32(place)) check(isIn(writes, reads[j]) || !isInTable(reads[j]), "one bucket");
            }
        }
    }

    function isIn(bytes32[] memory all, bytes32 one_) private pure returns (bool found) {
        for (uint256 i = 0; i < all.length; i++) found = found || all[i] == one_;
    }

    function isInTable(bytes32 slot) private pure returns (bool) {
        unchecked {
            return uint256(slot) - uint256(entry(PRODUCT, 5)) < 2 ** 31;
        }
    }

    /// Somebody who chooses fragments fills a bucket of its own product: refused with a code, at a bounded cost; other
    /// fragments and other products go on.
    function test_a_crowded_place_refuses_its_fragments_only() public {
        bytes32 b = lot("lot", 1);
        for (uint256 i = 0; i < 25; i++) {
            bytes memory one_ = abi.encodePacked(uint56(i << 31 | 7), uint8(i % 2 == 0 ? 0 : 255));
            uint256 before = gasleft();
            act(MAKER, commissioning(b, one_));
            check(before - gasleft() < 500_000, "bounded");
        }
        bytes memory last = abi.encodePacked(uint56(99 << 31 | 7), uint8(0));
        refused(IPack.Code.CROWDED, MAKER, commissioning(b, last));
        more(b, 200);
        registerProduct("other", MAKER);
        act(MAKER, opening("other", "lot"));
        act(MAKER, commissioning(batchId("other", "lot"), last));
    }

    // Serials that a regulator admits.

    function alike(bytes7 f, uint256 bit) private pure returns (bytes7) {
        return bytes7(uint56(f) ^ uint56(1 << bit));
    }

    function packOf(bytes7 f) private pure returns (bytes memory) {
        return abi.encodePacked(f, bytes1(0));
    }

    function admit(uint256 key, bytes32 product, bytes7 f, bytes4 why) private {
        vm.prank(vm.addr(key));
        if (why != 0) vm.expectRevert(why);
        products.admitSerial(product, f);
    }

    function test_a_serial_that_the_table_takes_for_another_is_commissioned_once_if_a_regulator_admits_it() public {
        bytes32 b = lot("lot", 3);
        (bytes7 first, bytes7 like) = (fragment(1), alike(fragment(1), 41));
        refused(IPack.Code.DUPLICATE_SERIAL, MAKER, commissioning(b, packOf(like)));
        check(products.isCommissioned(PRODUCT, like), "taken for another");
        vm.expectEmit(address(products));
        emit IProducts.SerialAdmitted(PRODUCT, vm.addr(REGULATOR), like);
        admit(REGULATOR, PRODUCT, like, 0);
        check(!products.isCommissioned(PRODUCT, like) && products.isCommissioned(PRODUCT, first), "one of them is");
        check(products.lookUp(PRODUCT, packOf(like))[0] == 0, "it has a place");
        admit(REGULATOR, PRODUCT, like, IProducts.AlreadyAdmitted.selector);
        refused(IPack.Code.DUPLICATE_SERIAL, MAKER, commissioning(b, packOf(first)));
        refused(IPack.Code.DUPLICATE_SERIAL, MAKER, commissioning(b, packOf(alike(first, 55))));
        act(MAKER, commissioning(b, abi.encodePacked(packOf(like), fragmentsOf(700, 2))));
        check(products.productOf(PRODUCT).units == 6 && batchOf(b).commissioned == 6, "all three");
        check(products.isCommissioned(PRODUCT, like), "and now that one is, too");
        refused(IPack.Code.DUPLICATE_SERIAL, MAKER, commissioning(b, packOf(like)));
        admit(REGULATOR, PRODUCT, like, IProducts.AlreadyAdmitted.selector);
    }

    function test_a_serial_that_is_refused_with_its_document_stays_admitted() public {
        bytes32 b = lot("lot", 3);
        bytes7 like = alike(fragment(1), 50);
        admit(REGULATOR, PRODUCT, like, 0);
        refused(IPack.Code.DUPLICATE_SERIAL, MAKER, commissioning(b, abi.encodePacked(packOf(like), packOf(like))));
        act(MAKER, commissioning(b, packOf(like)));
    }

    function test_only_an_active_regulator_admits_and_only_what_the_table_refuses() public {
        lot("lot", 3);
        bytes7 like = alike(fragment(1), 41);
        admit(MAKER, PRODUCT, like, IProducts.NotListed.selector);
        admit(STRANGER, PRODUCT, like, IProducts.NotListed.selector);
        setStatus(REGULATOR, IDirectory.Status.SUSPENDED);
        admit(REGULATOR, PRODUCT, like, IProducts.NotListed.selector);
        setStatus(REGULATOR, IDirectory.Status.ACTIVE);
        admit(REGULATOR, PRODUCT, fragment(77), IProducts.NothingInTheWay.selector);
        admit(REGULATOR, "none", like, IProducts.NothingInTheWay.selector);
    }

    function test_what_is_admitted_of_one_product_is_not_of_another() public {
        bytes32 b = lot("lot", 3);
        registerProduct("other", MAKER);
        act(MAKER, opening("other", "lot"));
        act(MAKER, commissioning(batchId("other", "lot"), fragmentsOf(0, 3)));
        bytes7 like = alike(fragment(1), 41);
        admit(REGULATOR, PRODUCT, like, 0);
        refused(IPack.Code.DUPLICATE_SERIAL, MAKER, commissioning(batchId("other", "lot"), packOf(like)));
        act(MAKER, commissioning(b, packOf(like)));
        admit(REGULATOR, "other", like, 0);
        act(MAKER, commissioning(batchId("other", "lot"), packOf(like)));
    }
}
