// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {Roles} from "../src/Roles.sol";
import {Base} from "./Base.t.sol";

/// The chain of sets of registrars. Set 0 is keys 1, 2, 3 with threshold 2; key 4 is a newcomer.
contract RegistrarsTest is Base {
    uint256 private constant NEWCOMER = 4;

    function fact(IDirectory.Registrars memory set) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(
            "Registrars(uint32 number,bytes32 previous,address[] registrars,uint8 threshold,bool theft,"
            "address[] affirmed,uint64 deadline)"),
            set.number, set.previous, keccak256(abi.encodePacked(set.registrars)), set.threshold, set.theft,
            keccak256(abi.encodePacked(set.affirmed)), set.deadline));
    }

    function ascending(uint256[] memory keys) private pure returns (uint256[] memory) {
        for (uint256 i = 0; i < keys.length; i++) {
            for (uint256 j = i + 1; j < keys.length; j++) {
                if (vm.addr(keys[j]) < vm.addr(keys[i])) (keys[i], keys[j]) = (keys[j], keys[i]);
            }
        }
        return keys;
    }

    /// The first two of the present set, and the newcomer.
    function nextKeys() private view returns (uint256[] memory keys) {
        keys = new uint256[](3);
        (keys[0], keys[1], keys[2]) = (registrarKeys[0], registrarKeys[1], NEWCOMER);
        return ascending(keys);
    }

    function nextSet() private view returns (IDirectory.Registrars memory set) {
        (uint32 number, bytes32 previous,,) = directory.registrarsOf();
        (set.number, set.previous, set.threshold, set.deadline) = (number + 1, previous, 2, soon());
        uint256[] memory keys = nextKeys();
        set.registrars = new address[](3);
        for (uint256 i = 0; i < 3; i++) set.registrars[i] = vm.addr(keys[i]);
    }

    function newcomer(IDirectory.Registrars memory set) private view returns (bytes[] memory s) {
        s = new bytes[](1);
        s[0] = signed(NEWCOMER, inDirectory(fact(set)));
    }

    function change(IDirectory.Registrars memory set) public {
        anyone();
        directory.changeRegistrars(set, byRegistrars(inDirectory(fact(set))), newcomer(set));
    }

    function test_the_constructors_set_is_number_0_and_its_fact_follows_from_the_anchor() public view {
        IDirectory.Registrars memory founding = IDirectory.Registrars(0, 0, addressesOf(registrarKeys), 2, false,
            new address[](0), 0);
        (uint32 number, bytes32 statement, uint8 threshold, uint32 validFrom) = directory.registrarsOf();
        check(number == 0 && statement == fact(founding) && threshold == 2 && validFrom == 0, "set 0");
    }

    function test_m_of_n_and_the_newcomers_make_the_next_set() public {
        IDirectory.Registrars memory set = nextSet();
        vm.expectEmit(address(directory));
        emit IDirectory.RegistrarsChanged(1, fact(set));
        change(set);
        (uint32 number, bytes32 statement,, uint32 validFrom) = directory.registrarsOf();
        check(number == 1 && statement == fact(set) && validFrom == 0, "set 1");
        check(directory.isRegistrar(vm.addr(NEWCOMER)) && !directory.isRegistrar(vm.addr(registrarKeys[2])), "members");
        check(directory.isActive(vm.addr(HOSPITAL), 0), "entries of the set before count on");
    }

    function test_sets_never_go_back_and_never_fork() public {
        IDirectory.Registrars memory first = nextSet();
        IDirectory.Registrars memory fork = nextSet();
        fork.threshold = 3;
        change(first);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.StaleRegistrars.selector, uint32(1)));
        this.change(first);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.StaleRegistrars.selector, uint32(1)));
        this.change(fork);
        IDirectory.Registrars memory jump = nextSet();
        jump.previous = fact(fork);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.StaleRegistrars.selector, uint32(1)));
        this.change(jump);
    }

    function test_too_few_old_ones_or_a_newcomer_who_did_not_sign_change_nothing() public {
        IDirectory.Registrars memory set = nextSet();
        bytes32 d = inDirectory(fact(set));
        bytes[] memory one = new bytes[](1);
        one[0] = signed(registrarKeys[0], d);
        vm.expectRevert(IDirectory.NotEnoughRegistrars.selector);
        anyone();
        directory.changeRegistrars(set, one, newcomer(set));
        bytes[] memory none = new bytes[](0);
        vm.expectRevert(IDirectory.BadSignature.selector);
        anyone();
        directory.changeRegistrars(set, byRegistrars(d), none);
        one[0] = signed(STRANGER, d);
        vm.expectRevert(IDirectory.BadSignature.selector);
        anyone();
        directory.changeRegistrars(set, byRegistrars(d), one);
        bytes[] memory more = new bytes[](2);
        (more[0], more[1]) = (signed(NEWCOMER, d), signed(STRANGER, d));
        vm.expectRevert(IDirectory.BadSignature.selector);
        anyone();
        directory.changeRegistrars(set, byRegistrars(d), more);
    }

    function test_the_threshold_is_always_more_than_half() public {
        IDirectory.Registrars memory set = nextSet();
        set.threshold = 1;
        vm.expectRevert(IDirectory.BadRegistrars.selector);
        this.change(set);
        set.threshold = 4;
        vm.expectRevert(IDirectory.BadRegistrars.selector);
        this.change(set);
    }

    function test_a_change_is_in_time() public {
        IDirectory.Registrars memory set = nextSet();
        vm.warp(set.deadline + 1);
        vm.expectRevert(IDirectory.Expired.selector);
        this.change(set);
    }

    function theft() private view returns (IDirectory.Registrars memory set) {
        set = nextSet();
        (set.theft, set.affirmed) = (true, new address[](1));
        set.affirmed[0] = vm.addr(HOSPITAL);
    }

    function test_after_a_theft_only_affirmed_entries_count() public {
        change(theft());
        check(directory.isActive(vm.addr(HOSPITAL), 0), "affirmed");
        check(!directory.isActive(vm.addr(DOCTOR), 0) && !directory.admits(vm.addr(DOCTOR)), "fallen");
        check(directory.actorOf(vm.addr(HOSPITAL)).registrarSet == 1, "its set");
        check(directory.actorOf(vm.addr(DOCTOR)).registrarSet == 0, "its set");
    }

    function test_a_fallen_actor_is_listed_anew_and_its_key_has_the_next_version() public {
        change(theft());
        (registrarKeys[0], registrarKeys[1], registrarKeys[2]) = (nextKeys()[0], nextKeys()[1], nextKeys()[2]);
        listActor(DOCTOR, Roles.PROFESSIONAL);
        check(directory.isActive(vm.addr(DOCTOR), Roles.PROFESSIONAL), "back");
        check(directory.actorOf(vm.addr(DOCTOR)).keyVersion == 2, "version");
        IDirectory.Entry memory e = entryOf(HOSPITAL, Roles.HOSPITAL);
        bytes32 d = inDirectory(entryFact(e));
        bytes memory possession = possessionOf(HOSPITAL, e.actor, 2);
        bytes[] memory theirs = byRegistrars(d);
        vm.expectRevert(IDirectory.AlreadyListed.selector);
        anyone();
        directory.list(e, possession, signed(HOSPITAL, d), theirs);
    }

    function test_what_makes_no_sense_is_not_affirmed() public {
        IDirectory.Registrars memory set = theft();
        set.theft = false;
        vm.expectRevert(IDirectory.BadEntry.selector);
        this.change(set);
        set = theft();
        set.affirmed[0] = vm.addr(STRANGER);
        vm.expectRevert(IDirectory.BadEntry.selector);
        this.change(set);
        change(theft());
        (registrarKeys[0], registrarKeys[1], registrarKeys[2]) = (nextKeys()[0], nextKeys()[1], nextKeys()[2]);
        set = nextSet(); // another theft does not bring back what fell at the first
        (set.theft, set.affirmed) = (true, new address[](1));
        set.affirmed[0] = vm.addr(DOCTOR);
        bytes[] memory old = byRegistrars(inDirectory(fact(set)));
        bytes[] memory none = new bytes[](0);
        vm.expectRevert(IDirectory.BadEntry.selector);
        anyone();
        directory.changeRegistrars(set, old, none);
    }
}
