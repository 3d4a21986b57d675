// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Roles} from "../src/Roles.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {Base} from "./Base.t.sol";

contract DirectoryTest is Base {
    uint256 private constant NEW = 40;

    function list(IDirectory.Entry memory e, bytes memory possession, bytes memory own, bytes[] memory theirs) private {
        anyone();
        directory.list(e, possession, own, theirs);
    }

    function test_an_actor_is_listed_with_its_key() public {
        listActor(NEW, Roles.HOSPITAL | Roles.EMERGENCY);
        IDirectory.Actor memory a = directory.actorOf(vm.addr(NEW));
        (bytes32 x, bytes32 y) = p256(NEW);
        check(a.status == IDirectory.Status.ACTIVE && a.keyVersion == 1 && a.keyX == x && a.keyY == y, "entry");
        check(a.listedAt == START && a.emergencyFrom == START && a.keyFrom == START, "founding: at once");
        check(a.entryAt == block.number && a.keyAt == block.number, "where the statement stands");
        check(directory.isActive(vm.addr(NEW), 0) && directory.isActive(vm.addr(NEW), Roles.HOSPITAL), "roles");
        check(!directory.isActive(vm.addr(NEW), Roles.HOSPITAL | Roles.NODE), "all bits are needed");
        check(!directory.isActive(vm.addr(STRANGER), 0), "strangers are not active");
    }

    function test_the_fact_of_an_entry_is_its_struct_hash() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        listActor(NEW, Roles.HOSPITAL);
        IDirectory.Actor memory a = directory.actorOf(vm.addr(NEW));
        check(a.entry == entryFact(e) && a.key == a.entry, "facts");
    }

    function test_an_entry_names_the_present_registrars() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        e.registrarSet = 1;
        bytes32 d = inDirectory(entryFact(e));
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.StaleRegistrars.selector, uint32(0)));
        list(e, possession, signed(NEW, d), byRegistrars(d));
    }

    /// The same signatures in the domain of another chain with this chain id and these addresses.
    function test_signatures_of_another_deployment_are_refused() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 domain = keccak256(abi.encode(keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"),
            keccak256("xinglin directory"), keccak256("1"), block.chainid, address(directory), keccak256("another")));
        bytes32 d = keccak256(abi.encodePacked(hex"1901", domain, entryFact(e)));
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        vm.expectRevert(IDirectory.BadSignature.selector);
        list(e, possession, signed(NEW, d), byRegistrars(d));
    }

    function test_a_later_emergency_actor_waits_48_hours() public {
        vm.warp(START + FOUNDING + 1);
        listActor(NEW, Roles.EMERGENCY);
        check(!directory.mayBreakGlass(vm.addr(NEW)), "not yet");
        vm.warp(START + FOUNDING + 48 hours);
        check(!directory.mayBreakGlass(vm.addr(NEW)), "a second before");
        vm.warp(START + FOUNDING + 1 + 48 hours);
        check(directory.mayBreakGlass(vm.addr(NEW)), "now");
        check(!directory.mayBreakGlass(vm.addr(HOSPITAL)), "without the role: never");
    }

    function test_one_registrar_of_two_is_not_enough() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = inDirectory(entryFact(e));
        bytes[] memory one = new bytes[](1);
        one[0] = signed(registrarKeys[0], d);
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        vm.expectRevert(IDirectory.NotEnoughRegistrars.selector);
        list(e, possession, signed(NEW, d), one);
    }

    function test_a_registrar_does_not_count_twice_and_a_stranger_never() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = inDirectory(entryFact(e));
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        bytes[] memory s = new bytes[](2);
        (s[0], s[1]) = (signed(registrarKeys[0], d), signed(registrarKeys[0], d));
        vm.expectRevert(IDirectory.BadSignature.selector);
        list(e, possession, signed(NEW, d), s);
        (s[0], s[1]) = (signed(registrarKeys[1], d), signed(registrarKeys[0], d));
        vm.expectRevert(IDirectory.BadSignature.selector);
        list(e, possession, signed(NEW, d), s);
        (s[0], s[1]) = (signed(registrarKeys[0], d), signed(STRANGER, d));
        vm.expectRevert(IDirectory.BadSignature.selector);
        list(e, possession, signed(NEW, d), s);
    }

    function test_registrars_alone_cannot_list_someone() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = inDirectory(entryFact(e));
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        vm.expectRevert(IDirectory.BadSignature.selector);
        list(e, possession, signed(STRANGER, d), byRegistrars(d));
    }

    function test_a_signature_over_another_entry_is_refused() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = inDirectory(entryFact(e));
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        e.roles = Roles.REGULATOR;
        vm.expectRevert(IDirectory.BadSignature.selector);
        list(e, possession, signed(NEW, d), byRegistrars(d));
    }

    function test_high_s_is_refused() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = inDirectory(entryFact(e));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(NEW, d);
        bytes32 mirrored = bytes32(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - uint256(s));
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        vm.expectRevert(IDirectory.BadSignature.selector);
        list(e, possession, abi.encodePacked(r, mirrored, v == 27 ? uint8(28) : uint8(27)), byRegistrars(d));
    }

    function test_a_key_of_somebody_else_cannot_be_published() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        (e.keyX, e.keyY) = p256(HOSPITAL);
        bytes32 d = inDirectory(entryFact(e));
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        vm.expectRevert(IDirectory.BadPossession.selector);
        list(e, possession, signed(NEW, d), byRegistrars(d));
    }

    function test_possession_for_another_actor_does_not_serve() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = inDirectory(entryFact(e));
        bytes memory possession = possessionOf(NEW, vm.addr(HOSPITAL), 1);
        vm.expectRevert(IDirectory.BadPossession.selector);
        list(e, possession, signed(NEW, d), byRegistrars(d));
    }

    function test_late_twice_and_malformed_entries_are_refused() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = inDirectory(entryFact(e));
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        bytes[] memory s = byRegistrars(d);
        vm.warp(e.deadline + 1);
        vm.expectRevert(IDirectory.Expired.selector);
        list(e, possession, signed(NEW, d), s);
        vm.warp(START);
        list(e, possession, signed(NEW, d), s);
        vm.expectRevert(IDirectory.AlreadyListed.selector);
        list(e, possession, signed(NEW, d), s);
        e.roles = 0;
        vm.expectRevert(IDirectory.BadEntry.selector);
        list(e, possession, signed(NEW, d), s);
        e.roles = Roles.ALL + 1;
        vm.expectRevert(IDirectory.BadEntry.selector);
        list(e, possession, signed(NEW, d), s);
        (e.roles, e.name) = (1, "");
        vm.expectRevert(IDirectory.BadEntry.selector);
        list(e, possession, signed(NEW, d), s);
    }

    function test_withdrawn_is_final() public {
        setStatus(DOCTOR, IDirectory.Status.SUSPENDED);
        check(!directory.isActive(vm.addr(DOCTOR), 0), "suspended");
        setStatus(DOCTOR, IDirectory.Status.ACTIVE);
        check(directory.isActive(vm.addr(DOCTOR), 0), "active again");
        setStatus(DOCTOR, IDirectory.Status.WITHDRAWN);
        IDirectory.Standing memory s = standingOf(DOCTOR, IDirectory.Status.ACTIVE, 0);
        bytes[] memory signatures = byRegistrars(standingDigest(s));
        vm.expectRevert(IDirectory.BadEntry.selector);
        anyone();
        directory.setStanding(s, signatures);
        IDirectory.Entry memory e = entryOf(DOCTOR, Roles.PROFESSIONAL);
        bytes32 d = inDirectory(entryFact(e));
        bytes memory possession = possessionOf(DOCTOR, e.actor, 2);
        vm.expectRevert(IDirectory.AlreadyListed.selector);
        list(e, possession, signed(DOCTOR, d), byRegistrars(d));
    }

    function test_a_standing_serves_once_and_voids_what_was_held_back() public {
        IDirectory.Standing memory held = standingOf(DOCTOR, IDirectory.Status.ACTIVE, 0);
        bytes[] memory signatures = byRegistrars(standingDigest(held));
        setStatus(DOCTOR, IDirectory.Status.SUSPENDED);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.StaleNumber.selector, uint64(1)));
        anyone();
        directory.setStanding(held, signatures);
        IDirectory.Standing memory jump = standingOf(DOCTOR, IDirectory.Status.ACTIVE, 0);
        jump.number = 9;
        anyone();
        directory.setStanding(jump, byRegistrars(standingDigest(jump)));
        check(directory.actorOf(vm.addr(DOCTOR)).number == 9, "any number above the last");
    }

    function test_one_registrar_sets_no_standing_and_an_expired_one_is_refused() public {
        IDirectory.Standing memory s = standingOf(DOCTOR, IDirectory.Status.SUSPENDED, 0);
        bytes[] memory one = new bytes[](1);
        one[0] = signed(registrarKeys[0], standingDigest(s));
        vm.expectRevert(IDirectory.NotEnoughRegistrars.selector);
        anyone();
        directory.setStanding(s, one);
        bytes[] memory two = byRegistrars(standingDigest(s));
        vm.warp(s.deadline + 1);
        vm.expectRevert(IDirectory.Expired.selector);
        anyone();
        directory.setStanding(s, two);
    }

    function test_registrars_raise_an_actors_emergencies() public {
        check(directory.emergenciesOf(vm.addr(EMERGENCY)) == 16, "as all");
        IDirectory.Standing memory s = standingOf(EMERGENCY, IDirectory.Status.ACTIVE, 100);
        anyone();
        directory.setStanding(s, byRegistrars(standingDigest(s)));
        check(directory.emergenciesOf(vm.addr(EMERGENCY)) == 100, "raised");
    }

    function test_a_chain_admits_actors_registrars_and_the_deployer() public {
        check(directory.admits(vm.addr(DOCTOR)) && directory.admits(vm.addr(registrarKeys[2]))
            && directory.admits(DEPLOYER), "these");
        check(!directory.admits(vm.addr(STRANGER)) && !directory.admits(address(0)), "not those");
        setStatus(DOCTOR, IDirectory.Status.SUSPENDED);
        check(!directory.admits(vm.addr(DOCTOR)), "nor the suspended");
    }

    function test_registrars_that_make_no_sense_are_refused() public {
        address[] memory one = new address[](1);
        one[0] = address(1);
        address[] memory two = new address[](2);
        (two[0], two[1]) = (address(1), address(2));
        check(!deploys(one, 2) && !deploys(one, 0) && deploys(one, 1), "of one");
        check(!deploys(two, 1) && deploys(two, 2), "half of two is not enough");
        (two[0], two[1]) = (address(2), address(1));
        check(!deploys(two, 2), "not in their order");
        (two[0], two[1]) = (address(1), address(1));
        check(!deploys(two, 2), "the same twice");
        (two[0], two[1]) = (address(0), address(1));
        check(!deploys(two, 2), "nobody");
        check(!deploys(new address[](0), 0), "none");
    }

    function deploys(address[] memory registrars, uint8 threshold) private returns (bool) {
        return deploy("Directory", abi.encode(GENESIS, DEPLOYER, registrars, threshold, uint64(0))) != address(0);
    }

    /// Whatever is sent by someone who has no signatures, nothing changes (MedRec's hole).
    function testFuzz_no_signature_no_change(address sender, bytes calldata junk, uint8 status) public {
        vm.assume(sender != address(vm) && sender.code.length == 0);
        bytes[] memory s = new bytes[](2);
        (s[0], s[1]) = (junk, junk);
        IDirectory.Entry memory e = entryOf(NEW, Roles.REGULATOR);
        vm.startPrank(sender, sender);
        (bool listed,) = address(directory).call(abi.encodeCall(IDirectory.list, (e, junk, junk, s)));
        IDirectory.Standing memory standing = IDirectory.Standing(vm.addr(HOSPITAL), IDirectory.Status(status % 4), 0,
            0, 1, soon());
        (bool changed,) = address(directory).call(abi.encodeCall(IDirectory.setStanding, (standing, s)));
        IDirectory.KeyChange memory key = IDirectory.KeyChange(vm.addr(HOSPITAL), 2,
            directory.actorOf(vm.addr(HOSPITAL)).key, e.keyX, e.keyY, 0, false, soon());
        (bool keyed,) = address(directory).call(abi.encodeCall(IDirectory.changeKey, (key, junk, junk, junk, s)));
        vm.stopPrank();
        check(!listed && !changed && !keyed, "refused");
    }
}
