// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Roles} from "../src/Roles.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {Base} from "./Base.t.sol";

contract DirectoryTest is Base {
    uint256 private constant NEW = 40;

    function list(IDirectory.Entry memory e, bytes memory possession, bytes memory own, bytes[] memory theirs) private {
        directory.list(e, possession, own, theirs);
    }

    function test_an_actor_is_listed_with_its_key() public {
        listActor(NEW, Roles.HOSPITAL | Roles.EMERGENCY);
        IDirectory.Actor memory a = directory.actorOf(vm.addr(NEW));
        (bytes32 x, bytes32 y) = p256(NEW);
        check(a.status == IDirectory.Status.ACTIVE && a.keyVersion == 1 && a.keyX == x && a.keyY == y, "entry");
        check(a.listedAt == START && a.emergencyFrom == START, "founding: at once");
        check(directory.isActive(vm.addr(NEW), 0) && directory.isActive(vm.addr(NEW), Roles.HOSPITAL), "roles");
        check(!directory.isActive(vm.addr(NEW), Roles.HOSPITAL | Roles.NODE), "all bits are needed");
        check(!directory.isActive(vm.addr(STRANGER), 0), "strangers are not active");
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
        bytes32 d = entryDigest(e);
        bytes[] memory one = new bytes[](1);
        one[0] = signed(registrarKeys[0], d);
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        vm.expectRevert(IDirectory.NotEnoughRegistrars.selector);
        list(e, possession, signed(NEW, d), one);
    }

    function test_a_registrar_does_not_count_twice_and_a_stranger_never() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = entryDigest(e);
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
        bytes32 d = entryDigest(e);
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        vm.expectRevert(IDirectory.BadSignature.selector);
        list(e, possession, signed(STRANGER, d), byRegistrars(d));
    }

    function test_a_signature_over_another_entry_is_refused() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = entryDigest(e);
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        e.roles = Roles.REGULATOR;
        vm.expectRevert(IDirectory.BadSignature.selector);
        list(e, possession, signed(NEW, d), byRegistrars(d));
    }

    function test_high_s_is_refused() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = entryDigest(e);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(NEW, d);
        bytes32 mirrored = bytes32(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - uint256(s));
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        vm.expectRevert(IDirectory.BadSignature.selector);
        list(e, possession, abi.encodePacked(r, mirrored, v == 27 ? uint8(28) : uint8(27)), byRegistrars(d));
    }

    function test_a_key_of_somebody_else_cannot_be_published() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        (e.keyX, e.keyY) = p256(HOSPITAL);
        bytes32 d = entryDigest(e);
        bytes memory possession = possessionOf(NEW, e.actor, 1);
        vm.expectRevert(IDirectory.BadPossession.selector);
        list(e, possession, signed(NEW, d), byRegistrars(d));
    }

    function test_possession_for_another_actor_does_not_serve() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = entryDigest(e);
        bytes memory possession = possessionOf(NEW, vm.addr(HOSPITAL), 1);
        vm.expectRevert(IDirectory.BadPossession.selector);
        list(e, possession, signed(NEW, d), byRegistrars(d));
    }

    function test_late_twice_and_malformed_entries_are_refused() public {
        IDirectory.Entry memory e = entryOf(NEW, Roles.HOSPITAL);
        bytes32 d = entryDigest(e);
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

    function publish(uint256 by, uint256 actor, uint256 key, uint32 version) private {
        (bytes32 x, bytes32 y) = p256(key);
        bytes32 t = keccak256("PublishKey(address actor,uint32 version,bytes32 keyX,bytes32 keyY,uint64 deadline)");
        bytes32 d = digestOf("xinglin directory", address(directory), keccak256(abi.encode(t, vm.addr(actor), version,
            x, y, soon())));
        directory.publishKey(vm.addr(actor), x, y, soon(), possessionOf(key, vm.addr(actor), version), signed(by, d));
    }

    function publishOutside(uint256 by, uint256 actor, uint256 key, uint32 version) external {
        publish(by, actor, key, version);
    }

    function test_a_new_key_has_the_next_version() public {
        publish(HOSPITAL, HOSPITAL, 500, 2);
        (bytes32 x,) = p256(500);
        check(directory.actorOf(vm.addr(HOSPITAL)).keyVersion == 2
            && directory.actorOf(vm.addr(HOSPITAL)).keyX == x, "version 2");
    }

    function test_nobody_else_changes_a_key_nor_the_same_again() public {
        vm.expectRevert(IDirectory.BadSignature.selector);
        this.publishOutside(STRANGER, HOSPITAL, 500, 2);
        publish(HOSPITAL, HOSPITAL, 500, 2);
        vm.expectRevert(IDirectory.BadSignature.selector);
        this.publishOutside(HOSPITAL, HOSPITAL, 500, 2);
        vm.expectRevert(IDirectory.NotListed.selector);
        this.publishOutside(STRANGER, STRANGER, 500, 1);
    }

    function test_withdrawn_is_final() public {
        setStatus(DOCTOR, IDirectory.Status.SUSPENDED);
        check(!directory.isActive(vm.addr(DOCTOR), 0), "suspended");
        setStatus(DOCTOR, IDirectory.Status.ACTIVE);
        check(directory.isActive(vm.addr(DOCTOR), 0), "active again");
        setStatus(DOCTOR, IDirectory.Status.WITHDRAWN);
        bytes[] memory none = new bytes[](0);
        vm.expectRevert(IDirectory.BadEntry.selector);
        directory.setStatus(vm.addr(DOCTOR), IDirectory.Status.ACTIVE, 0, uint64(START + 1 hours), none);
    }

    function test_a_status_signature_serves_once() public {
        address actor = vm.addr(DOCTOR);
        bytes32 t = keccak256("SetStatus(address actor,uint8 status,bytes32 reason,uint64 nonce,uint64 deadline)");
        bytes32 d = digestOf("xinglin directory", address(directory), keccak256(abi.encode(t, actor,
            IDirectory.Status.SUSPENDED, bytes32(0), uint64(0), soon())));
        bytes[] memory s = byRegistrars(d);
        directory.setStatus(actor, IDirectory.Status.SUSPENDED, 0, soon(), s);
        setStatus(DOCTOR, IDirectory.Status.ACTIVE);
        uint64 deadline = soon();
        vm.expectRevert(IDirectory.BadSignature.selector);
        directory.setStatus(actor, IDirectory.Status.SUSPENDED, 0, deadline, s);
    }

    function test_a_threshold_that_cannot_be_met_is_refused() public {
        address[] memory one = new address[](1);
        one[0] = address(1);
        check(deploy("Directory", abi.encode(one, uint8(2), uint64(0))) == address(0), "2 of 1");
        check(deploy("Directory", abi.encode(one, uint8(0), uint64(0))) == address(0), "0 of 1");
        check(deploy("Directory", abi.encode(one, uint8(1), uint64(0))) != address(0), "1 of 1");
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (address(1), address(1));
        check(deploy("Directory", abi.encode(twice, uint8(1), uint64(0))) == address(0), "the same twice");
    }

    /// Whatever is sent by someone who has no signatures, nothing changes (MedRec's hole).
    function testFuzz_no_signature_no_change(address sender, bytes calldata junk, uint8 status) public {
        vm.assume(sender != address(vm));
        bytes[] memory s = new bytes[](2);
        (s[0], s[1]) = (junk, junk);
        IDirectory.Entry memory e = entryOf(NEW, Roles.REGULATOR);
        vm.startPrank(sender);
        (bool listed,) = address(directory).call(abi.encodeCall(IDirectory.list, (e, junk, junk, s)));
        (bool changed,) = address(directory).call(abi.encodeCall(IDirectory.setStatus, (vm.addr(HOSPITAL),
            IDirectory.Status(status % 4), 0, soon(), s)));
        (bool keyed,) = address(directory).call(abi.encodeCall(IDirectory.publishKey, (vm.addr(HOSPITAL), e.keyX,
            e.keyY, soon(), junk, junk)));
        vm.stopPrank();
        check(!listed && !changed && !keyed, "refused");
    }
}
