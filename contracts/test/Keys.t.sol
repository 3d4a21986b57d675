// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {Base} from "./Base.t.sol";

/// Changes of an actor's encryption key: who may sign one, and what nobody may.
contract KeysTest is Base {
    bytes[] private none;

    function changeOf(uint256 actor, uint256 key) private view returns (IDirectory.KeyChange memory c) {
        IDirectory.Actor memory a = directory.actorOf(vm.addr(actor));
        (c.actor, c.version, c.previous) = (vm.addr(actor), a.keyVersion + 1, a.key);
        (c.keyX, c.keyY) = p256(key);
        c.deadline = soon();
    }

    function fact(IDirectory.KeyChange memory c) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(
            "KeyChange(address actor,uint32 version,bytes32 previous,bytes32 keyX,bytes32 keyY,"
            "bytes32 factsKey,bool stolen,uint64 deadline)"),
            c));
    }

    function byKey(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = vm.signP256(key, digest);
        return abi.encodePacked(r, s);
    }

    /// `account` and `old` 0: does not sign.
    function send(IDirectory.KeyChange memory c, uint256 key, uint256 account, uint256 old, bool registrars) public {
        bytes32 d = inDirectory(fact(c));
        anyone();
        directory.changeKey(c, possessionOf(key, c.actor, c.version), account == 0 ? bytes("") : signed(account, d),
            old == 0 ? bytes("") : byKey(old, d), registrars ? byRegistrars(d) : none);
    }

    function test_the_account_and_the_key_before_change_a_key() public {
        IDirectory.KeyChange memory c = changeOf(HOSPITAL, 500);
        send(c, 500, HOSPITAL, HOSPITAL, false);
        IDirectory.Actor memory a = directory.actorOf(vm.addr(HOSPITAL));
        check(a.keyVersion == 2 && a.keyX == c.keyX && a.key == fact(c) && a.key != a.entry, "version 2");
        check(a.keyFrom == START && directory.isKeyCurrent(c.actor, 2) && !directory.isKeyCurrent(c.actor, 1), "now");
        send(changeOf(HOSPITAL, 501), 501, HOSPITAL, 500, false);
        check(directory.actorOf(vm.addr(HOSPITAL)).keyVersion == 3, "version 3, signed by version 2");
    }

    function test_the_account_alone_changes_nothing() public {
        IDirectory.KeyChange memory c = changeOf(HOSPITAL, 500);
        vm.expectRevert(IDirectory.NotEnoughRegistrars.selector);
        this.send(c, 500, HOSPITAL, 0, false);
        vm.expectRevert(IDirectory.BadSignature.selector);
        this.send(c, 500, HOSPITAL, 500, false); // the new key in place of the old one
        vm.expectRevert(IDirectory.NotEnoughRegistrars.selector);
        this.send(c, 500, 0, HOSPITAL, false); // the old key without the account
        vm.expectRevert(IDirectory.BadSignature.selector);
        this.send(c, 500, STRANGER, HOSPITAL, true);
    }

    function test_a_lost_key_is_changed_by_the_account_and_registrars() public {
        send(changeOf(HOSPITAL, 500), 500, HOSPITAL, 0, true);
        check(directory.actorOf(vm.addr(HOSPITAL)).keyFrom == START, "at once");
    }

    function test_registrars_alone_wait_48_hours_that_all_see() public {
        IDirectory.KeyChange memory c = changeOf(HOSPITAL, 500);
        send(c, 500, 0, 0, true);
        check(directory.actorOf(c.actor).keyFrom == START + 48 hours, "from");
        check(directory.isKeyCurrent(c.actor, 1) && directory.isKeyCurrent(c.actor, 2), "both meanwhile");
        check(!directory.isKeyCurrent(c.actor, 0) && !directory.isKeyCurrent(c.actor, 3), "no others");
        vm.warp(START + 48 hours);
        check(!directory.isKeyCurrent(c.actor, 1) && directory.isKeyCurrent(c.actor, 2), "then the new one");
    }

    function test_a_change_is_of_the_key_before_and_serves_once() public {
        IDirectory.KeyChange memory c = changeOf(HOSPITAL, 500);
        c.previous = "another";
        vm.expectRevert(abi.encodeWithSelector(IDirectory.StaleKey.selector, uint32(1)));
        this.send(c, 500, HOSPITAL, HOSPITAL, false);
        c = changeOf(HOSPITAL, 500);
        c.version = 3;
        vm.expectRevert(abi.encodeWithSelector(IDirectory.StaleKey.selector, uint32(1)));
        this.send(c, 500, HOSPITAL, HOSPITAL, false);
        c = changeOf(HOSPITAL, 500);
        this.send(c, 500, HOSPITAL, HOSPITAL, false);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.StaleKey.selector, uint32(2)));
        this.send(c, 500, HOSPITAL, HOSPITAL, false);
    }

    function test_the_new_key_proves_possession_and_the_change_is_in_time() public {
        IDirectory.KeyChange memory c = changeOf(HOSPITAL, 500);
        vm.expectRevert(IDirectory.BadPossession.selector);
        this.send(c, 501, HOSPITAL, HOSPITAL, false);
        vm.warp(c.deadline + 1);
        vm.expectRevert(IDirectory.Expired.selector);
        this.send(c, 500, HOSPITAL, HOSPITAL, false);
    }

    function test_who_is_not_active_changes_no_key() public {
        setStatus(HOSPITAL, IDirectory.Status.SUSPENDED);
        IDirectory.KeyChange memory c = changeOf(HOSPITAL, 500);
        vm.expectRevert(IDirectory.NotListed.selector);
        this.send(c, 500, HOSPITAL, HOSPITAL, false);
        c = changeOf(STRANGER, 500);
        vm.expectRevert(IDirectory.NotListed.selector);
        this.send(c, 500, STRANGER, 0, true);
    }

    /// Within the 48 hours the account takes back what registrars alone gave, with the key that is in force.
    function test_the_account_replaces_what_registrars_alone_gave() public {
        send(changeOf(HOSPITAL, 500), 500, 0, 0, true);
        IDirectory.KeyChange memory c = changeOf(HOSPITAL, 501);
        vm.expectRevert(IDirectory.BadSignature.selector);
        this.send(c, 501, HOSPITAL, 500, false); // the key that waits signs nothing yet
        vm.expectRevert(IDirectory.NotEnoughRegistrars.selector);
        this.send(c, 501, 0, HOSPITAL, false); // and the key in force nothing without the account
        vm.warp(START + 48 hours - 1);
        c = changeOf(HOSPITAL, 501);
        send(c, 501, HOSPITAL, HOSPITAL, false);
        check(directory.actorOf(c.actor).keyFrom == START + 48 hours - 1, "in force at once");
        check(directory.isKeyCurrent(c.actor, 3) && !directory.isKeyCurrent(c.actor, 2)
            && !directory.isKeyCurrent(c.actor, 1), "only this one");
        vm.warp(START + 96 hours);
        check(!directory.isKeyCurrent(c.actor, 2), "what was replaced never comes in force");
        c = changeOf(HOSPITAL, 502);
        vm.expectRevert(IDirectory.BadSignature.selector);
        this.send(c, 502, HOSPITAL, HOSPITAL, false); // the first key's time is over
        send(c, 502, HOSPITAL, 501, false);
    }

    function test_after_48_hours_the_key_before_replaces_nothing() public {
        send(changeOf(HOSPITAL, 500), 500, 0, 0, true);
        vm.warp(START + 48 hours);
        IDirectory.KeyChange memory c = changeOf(HOSPITAL, 501);
        vm.expectRevert(IDirectory.BadSignature.selector);
        this.send(c, 501, HOSPITAL, HOSPITAL, false);
        send(c, 501, HOSPITAL, 500, false);
    }

    function test_a_second_key_by_registrars_alone_makes_the_first_one_not_current() public {
        send(changeOf(HOSPITAL, 500), 500, 0, 0, true);
        vm.warp(START + 47 hours);
        send(changeOf(HOSPITAL, 501), 501, 0, 0, true);
        address who = vm.addr(HOSPITAL);
        check(directory.isKeyCurrent(who, 1) && !directory.isKeyCurrent(who, 2) && directory.isKeyCurrent(who, 3),
            "the one in force, and the newest");
        vm.warp(START + 48 hours);
        check(directory.isKeyCurrent(who, 1) && !directory.isKeyCurrent(who, 2), "still");
        send(changeOf(HOSPITAL, 502), 502, HOSPITAL, HOSPITAL, false);
        check(directory.actorOf(who).keyVersion == 4, "the one in force signs");
        vm.warp(START + 200 hours);
        send(changeOf(HOSPITAL, 503), 503, 0, 0, true);
        check(directory.isKeyCurrent(who, 4) && !directory.isKeyCurrent(who, 1), "then it is version 4 that is");
    }

    function keyTime(address who, uint256 version) private view returns (uint256) {
        bytes32 all = keccak256(abi.encode(who, uint256(5)));
        return uint256(vm.load(address(directory), keccak256(abi.encode(version, all))));
    }

    function test_the_time_of_each_key_is_kept_unless_it_never_came_in_force() public {
        address who = vm.addr(HOSPITAL);
        vm.warp(START + 1 hours);
        send(changeOf(HOSPITAL, 500), 500, HOSPITAL, HOSPITAL, false);
        send(changeOf(HOSPITAL, 501), 501, 0, 0, true);
        check(keyTime(who, 1) == START && keyTime(who, 2) == START + 1 hours && keyTime(who, 3) == START + 49 hours,
            "each");
        send(changeOf(HOSPITAL, 502), 502, HOSPITAL, 500, false);
        check(keyTime(who, 3) == 0 && keyTime(who, 4) == START + 1 hours && keyTime(who, 2) == START + 1 hours,
            "version 3 never was");
    }
}
