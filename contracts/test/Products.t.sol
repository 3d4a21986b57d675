// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IPack} from "../src/interfaces/IPack.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {IProducts} from "../src/interfaces/IProducts.sol";
import {Roles} from "../src/Roles.sol";
import {Pack} from "./Pack.t.sol";

/// Who holds the key of tags, and whose a product is.
contract ProductsTest is Pack {
    uint256 private constant REGULATOR2 = 60;
    uint256 private constant REGULATOR3 = 61;
    uint256 private constant MAKER2 = 62;

    uint256[3] private keys; // of three regulators, in ascending order of their addresses

    function setUp() public override {
        super.setUp();
        listActor(REGULATOR2, Roles.REGULATOR);
        listActor(REGULATOR3, Roles.REGULATOR);
        listActor(MAKER2, Roles.MANUFACTURER);
        keys = [REGULATOR, REGULATOR2, REGULATOR3];
        for (uint256 i = 0; i < 2; i++) {
            for (uint256 j = 0; j < 2; j++) {
                if (vm.addr(keys[j + 1]) < vm.addr(keys[j])) (keys[j], keys[j + 1]) = (keys[j + 1], keys[j]);
            }
        }
    }

    function three() private view returns (IProducts.TagHolders memory) {
        return holdersOf(addressesOf(keys), 2);
    }

    function refusedHolders(IProducts.TagHolders memory t, bytes memory why) private {
        bytes[] memory signatures = byRegistrars(digestOf("xinglin products", address(products), holdersFact(t)));
        anyone();
        vm.expectRevert(why);
        products.setTagHolders(t, signatures);
    }

    function test_registrars_appoint_holders_and_the_key_stays() public {
        IProducts.TagHolders memory t = three();
        vm.roll(99);
        setTagHolders(t);
        IProducts.Holders memory h = products.tagHolders();
        check(h.number == 2 && h.threshold == 2 && h.statement == holdersFact(t) && h.statedAt == 99, "the newest");
        check(h.key == keccak256(abi.encode(t.commitments[0], t.commitments[1])), "its key");
        check(products.placeOf(2, vm.addr(keys[2])) == 3 && products.placeOf(1, vm.addr(keys[2])) == (keys[2]
            == REGULATOR ? 1 : 0) && products.placeOf(2, vm.addr(MAKER)) == 0, "places");
        t = three();
        (t.commitments[0], t.commitments[1]) = p256(999);
        refusedHolders(t, abi.encodeWithSelector(IProducts.OtherKey.selector));
    }

    function test_holders_that_make_no_sense_are_refused() public {
        IProducts.TagHolders memory t = three();
        t.number = 3;
        refusedHolders(t, abi.encodeWithSelector(IProducts.StaleHolders.selector, uint32(1)));
        t = three();
        t.previous = "another";
        refusedHolders(t, abi.encodeWithSelector(IProducts.StaleHolders.selector, uint32(1)));
        t = three();
        t.deadline = uint64(START - 1);
        refusedHolders(t, abi.encodeWithSelector(IProducts.Expired.selector));
        bytes memory bad = abi.encodeWithSelector(IProducts.BadHolders.selector);
        t = three();
        (t.holders[0], t.holders[1]) = (t.holders[1], t.holders[0]);
        refusedHolders(t, bad);
        t = three();
        t.holders[1] = t.holders[0];
        refusedHolders(t, bad);
        t = three();
        t.commitments[3] = 0;
        refusedHolders(t, bad);
        t = three();
        t.threshold = 3;
        refusedHolders(t, bad);
        t = holdersOf(addressesOf(keys), 4);
        refusedHolders(t, bad);
        t = holdersOf(addressesOf(keys), 0);
        refusedHolders(t, bad);
        t = three();
        t.holders[2] = address(type(uint160).max);
        refusedHolders(t, abi.encodeWithSelector(IProducts.NotListed.selector));
    }

    function test_holders_need_the_registrars() public {
        IProducts.TagHolders memory t = three();
        bytes32 digest = digestOf("xinglin products", address(products), holdersFact(t));
        bytes[] memory few = new bytes[](1);
        few[0] = signed(registrarKeys[0], digest);
        anyone();
        vm.expectRevert(IProducts.NotEnoughSigners.selector);
        products.setTagHolders(t, few);
        bytes[] memory twice = new bytes[](2);
        (twice[0], twice[1]) = (few[0], few[0]);
        anyone();
        vm.expectRevert(IProducts.BadSignature.selector);
        products.setTagHolders(t, twice);
        for (uint256 i = 0; i < 2; i++) twice[i] = signed(keys[i], digest);
        anyone();
        vm.expectRevert(IProducts.BadSignature.selector);
        products.setTagHolders(t, twice);
    }

    function signaturesOf(IProducts.RegisterProduct memory r, uint256 first, uint256 second) private view
        returns (bytes[] memory s) {
        s = new bytes[](2);
        (s[0], s[1]) = (signed(first, registrationDigest(r)), signed(second, registrationDigest(r)));
    }

    function test_a_product_needs_its_holders_and_its_owner() public {
        setTagHolders(three());
        IProducts.RegisterProduct memory r = registrationOf("new", MAKER);
        bytes[] memory s = signaturesOf(r, keys[0], keys[1]);
        bytes memory owner = signed(MAKER, registrationDigest(r));
        bytes[] memory one_ = new bytes[](1);
        one_[0] = s[0];
        refusedProduct(MAKER, r, one_, "", IProducts.NotEnoughSigners.selector);
        refusedProduct(MAKER, r, signaturesOf(r, keys[1], keys[0]), "", IProducts.BadSignature.selector);
        refusedProduct(MAKER, r, signaturesOf(r, keys[0], WHOLESALER), "", IProducts.BadSignature.selector);
        refusedProduct(WHOLESALER, r, s, "", IProducts.BadSignature.selector);
        refusedProduct(WHOLESALER, r, s, signed(MAKER2, registrationDigest(r)), IProducts.BadSignature.selector);
        refusedProduct(STRANGER, r, s, owner, IProducts.NotListed.selector);
        vm.roll(98);
        as_(WHOLESALER);
        products.registerProduct(r, s, owner);
        IProducts.Product memory p = products.productOf("new");
        check(p.owner == vm.addr(MAKER) && p.holders == 2 && p.units == 0 && p.statedAt == 98, "registered");
        check(p.keyCommitment == "commitment" && p.statement == registrationFact(r), "its fact");
    }

    function refusedProduct(uint256 sender, IProducts.RegisterProduct memory r, bytes[] memory s, bytes memory owner,
        bytes4 why) private {
        as_(sender);
        vm.expectRevert(why);
        products.registerProduct(r, s, owner);
    }

    /// One GTIN, one product (invariants 1 and 2): whoever asks, and however the holders change.
    function test_a_product_is_registered_once_whoever_asks() public {
        setTagHolders(three());
        IProducts.RegisterProduct memory r = registrationOf(PRODUCT, MAKER2);
        bytes[] memory s = signaturesOf(r, keys[1], keys[2]);
        as_(MAKER2);
        vm.expectRevert(abi.encodeWithSelector(IProducts.AlreadyRegistered.selector, vm.addr(MAKER)));
        products.registerProduct(r, s, "");
    }

    function test_a_registration_is_of_the_holders_in_force_and_of_active_ones() public {
        IProducts.RegisterProduct memory r = registrationOf("new", MAKER); // of number 1
        setTagHolders(three());
        as_(MAKER);
        vm.expectRevert(abi.encodeWithSelector(IProducts.StaleHolders.selector, uint32(2)));
        products.registerProduct(r, new bytes[](0), "");
        r = registrationOf("new", MAKER);
        bytes[] memory s = signaturesOf(r, keys[0], keys[1]);
        setStatus(keys[1], IDirectory.Status.SUSPENDED);
        refusedProduct(MAKER, r, s, "", IProducts.NotListed.selector);
        s = signaturesOf(r, keys[0], keys[2]);
        as_(MAKER);
        products.registerProduct(r, s, "");
    }

    function test_a_registration_that_makes_no_sense_is_refused() public {
        IProducts.RegisterProduct memory r = registrationOf(0, MAKER);
        refusedProduct(MAKER, r, new bytes[](0), "", IProducts.BadProduct.selector);
        r = registrationOf("new", MAKER);
        r.keyCommitment = 0;
        refusedProduct(MAKER, r, new bytes[](0), "", IProducts.BadProduct.selector);
        r = registrationOf("new", MAKER);
        r.deadline = uint64(START - 1);
        refusedProduct(MAKER, r, new bytes[](0), "", IProducts.Expired.selector);
        r = registrationOf("new", WHOLESALER);
        refusedProduct(WHOLESALER, r, new bytes[](0), "", IProducts.NotListed.selector);
    }

    function test_a_regulator_withdraws_a_product() public {
        vm.prank(vm.addr(MAKER));
        vm.expectRevert(abi.encodeWithSelector(IPack.Refused.selector, IPack.Code.WRONG_ROLE, PRODUCT));
        medicines.withdrawProduct(PRODUCT, true, 0);
        vm.startPrank(vm.addr(REGULATOR));
        vm.expectRevert(abi.encodeWithSelector(IPack.Refused.selector, IPack.Code.UNKNOWN_PRODUCT,
            bytes32("none")));
        medicines.withdrawProduct("none", true, 0);
        medicines.withdrawProduct(PRODUCT, true, 0);
        vm.stopPrank();
        check(isWithdrawn(PRODUCT), "withdrawn");
    }
}
