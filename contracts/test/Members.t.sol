// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMembers} from "../src/interfaces/IMembers.sol";
import {Vm} from "./Vm.sol";

/// A consortium's members, with code and storage as a genesis lays them.
contract MembersTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    IMembers private constant MEMBERS = IMembers(0x0000000000000000000000000000000000C04537);
    uint256 private constant LIST = uint256(keccak256(abi.encode(uint256(0))));

    function setUp() public {
        string memory artifact = vm.readFile("artifacts/Members.json");
        vm.etch(address(MEMBERS), vm.parseJsonBytes(artifact, ".deployedBytecode"));
        lay(4);
    }

    function check(bool condition, string memory what) private pure {
        require(condition, what);
    }

    function who(uint256 i) private pure returns (address) {
        return address(uint160(0xa000 + i));
    }

    function member(uint256 i, uint64 power) private pure returns (IMembers.Member memory) {
        return IMembers.Member(who(i), power, keccak256(abi.encode("key", i)), bytes20(keccak256(abi.encode("n", i))));
    }

    function nobody() private pure returns (IMembers.Member memory none) {}

    /// The first `count` members, each with power 10, in the storage.
    function lay(uint256 count) private {
        vm.store(address(MEMBERS), 0, bytes32(count));
        for (uint256 i = 0; i < count; i++) {
            IMembers.Member memory m = member(i, 10);
            uint256 first = LIST + 3 * i;
            vm.store(address(MEMBERS), bytes32(first), bytes32(uint256(uint160(m.account)) | uint256(m.power) << 160));
            vm.store(address(MEMBERS), bytes32(first + 1), m.key);
            vm.store(address(MEMBERS), bytes32(first + 2), bytes32(uint256(uint160(m.node))));
        }
    }

    function same(IMembers.Member memory a, IMembers.Member memory b) private pure returns (bool) {
        return keccak256(abi.encode(a)) == keccak256(abi.encode(b));
    }

    function propose(uint256 by, address leaves, IMembers.Member memory joins) private returns (uint64) {
        vm.prank(who(by));
        return MEMBERS.propose(leaves, joins);
    }

    function refused(bytes4 why, address leaves, IMembers.Member memory joins) private {
        vm.prank(who(0));
        vm.expectRevert(why);
        MEMBERS.propose(leaves, joins);
    }

    function vote(uint256 by, uint256 proposer, uint64 number) private {
        vm.prank(who(by));
        MEMBERS.vote(who(proposer), number);
    }

    /// Members 0 to 2 want it.
    function change(address leaves, IMembers.Member memory joins) private {
        uint64 number = propose(0, leaves, joins);
        vote(1, 0, number);
        if (MEMBERS.proposalOf(who(0)).number != 0) vote(2, 0, number);
    }

    function state(uint256 by, uint64 number, bytes32 statement) private {
        vm.prank(who(by));
        MEMBERS.stateSeal(number, statement);
    }

    function stateRefused(bytes4 why, uint256 by, uint64 number, bytes32 statement) private {
        vm.expectRevert(why);
        state(by, number, statement);
    }

    function test_a_seal_is_stated_by_more_than_two_thirds_who_say_the_same() public {
        state(0, 1, "one");
        state(1, 1, "one");
        state(2, 1, "another");
        (uint64 number, bytes32 statement) = MEMBERS.sealOf();
        check(number == 0 && statement == 0, "two of four, and one for another");
        vm.expectEmit(address(MEMBERS));
        emit IMembers.SealStated(1, "one");
        state(3, 1, "one");
        (number, statement) = MEMBERS.sealOf();
        check(number == 1 && statement == "one", "three of four");
        check(vm.load(address(MEMBERS), bytes32(uint256(4))) == "one", "where readers look for it");
        check(uint64(uint256(vm.load(address(MEMBERS), bytes32(uint256(5))))) == 1, "and its number");
        stateRefused(IMembers.StaleSeal.selector, 0, 1, "one");
        stateRefused(IMembers.StaleSeal.selector, 0, 3, "one");
    }

    function test_only_members_state_a_seal_once_and_not_nothing() public {
        stateRefused(IMembers.NotMember.selector, 9, 1, "one");
        stateRefused(IMembers.StaleSeal.selector, 0, 1, 0);
        state(0, 1, "one");
        stateRefused(IMembers.AlreadyVoted.selector, 0, 1, "one");
    }

    function test_votes_for_a_seal_end_with_the_list_of_members() public {
        state(0, 1, "one");
        state(1, 1, "one");
        change(address(0), member(9, 10));
        state(2, 1, "one");
        state(3, 1, "one");
        state(0, 1, "one");
        (uint64 number,) = MEMBERS.sealOf();
        check(number == 0, "three of five");
        state(9, 1, "one");
        (number,) = MEMBERS.sealOf();
        check(number == 1, "four of five");
    }

    function test_the_list_is_what_the_genesis_laid() public view {
        IMembers.Member[] memory list = MEMBERS.membersOf();
        check(list.length == 4 && MEMBERS.epochOf() == 0, "four, and no change");
        for (uint256 i = 0; i < 4; i++) check(same(list[i], member(i, 10)), "a member");
    }

    function test_a_member_joins_when_more_than_two_thirds_want_it() public {
        uint64 number = propose(0, address(0), member(9, 10));
        check(number == 1 && MEMBERS.hasVoted(1, who(0)) && !MEMBERS.hasVoted(1, who(1)), "the proposer has voted");
        vote(1, 0, number);
        check(MEMBERS.membersOf().length == 4, "two of four are not enough");
        IMembers.Proposal memory p = MEMBERS.proposalOf(who(0));
        check(p.number == 1 && p.votes == 2 && p.power == 20 && same(p.joins, member(9, 10)), "the proposal");
        vm.expectEmit(address(MEMBERS));
        emit IMembers.MembersChanged(1);
        vote(2, 0, number);
        IMembers.Member[] memory list = MEMBERS.membersOf();
        check(list.length == 5 && same(list[4], member(9, 10)) && MEMBERS.epochOf() == 1, "at the end of the list");
        check(MEMBERS.proposalOf(who(0)).number == 0, "the proposal is done");
    }

    function test_a_member_leaves_and_the_last_takes_its_place() public {
        change(who(1), nobody());
        IMembers.Member[] memory list = MEMBERS.membersOf();
        check(list.length == 3 && same(list[1], member(3, 10)) && same(list[2], member(2, 10)), "the list");
        vm.prank(who(1));
        vm.expectRevert(IMembers.NotMember.selector);
        MEMBERS.propose(who(0), nobody());
    }

    function test_the_last_of_the_list_leaves() public {
        change(who(3), nobody());
        IMembers.Member[] memory list = MEMBERS.membersOf();
        check(list.length == 3 && same(list[2], member(2, 10)), "the list");
    }

    function test_a_member_is_replaced_in_its_place() public {
        change(who(2), member(9, 10));
        IMembers.Member[] memory list = MEMBERS.membersOf();
        check(list.length == 4 && same(list[2], member(9, 10)) && same(list[3], member(3, 10)), "the list");
        check(vm.load(address(MEMBERS), bytes32(LIST + 7)) == member(9, 10).key, "where nodes read it");
        check(uint160(uint256(vm.load(address(MEMBERS), bytes32(LIST + 8)))) == uint160(member(9, 10).node), "its node");
    }

    function test_a_member_changes_its_key_or_power_only() public {
        IMembers.Member memory m = member(2, 12);
        change(who(2), m);
        check(same(MEMBERS.membersOf()[2], m), "its power");
        m.key = "another";
        change(who(2), m);
        check(same(MEMBERS.membersOf()[2], m) && MEMBERS.epochOf() == 2, "its key");
    }

    function test_only_members_propose_and_vote() public {
        vm.prank(who(9));
        vm.expectRevert(IMembers.NotMember.selector);
        MEMBERS.propose(who(0), nobody());
        uint64 number = propose(0, who(3), nobody());
        vm.prank(who(9));
        vm.expectRevert(IMembers.NotMember.selector);
        MEMBERS.vote(who(0), number);
    }

    function test_nobody_votes_twice() public {
        uint64 number = propose(0, who(3), nobody());
        vm.prank(who(0));
        vm.expectRevert(IMembers.AlreadyVoted.selector);
        MEMBERS.vote(who(0), number);
    }

    function test_a_vote_is_for_what_was_read() public {
        uint64 number = propose(0, who(3), nobody());
        check(propose(0, who(2), nobody()) == number + 1, "it replaces the first");
        vm.prank(who(1));
        vm.expectRevert(IMembers.NoSuchProposal.selector);
        MEMBERS.vote(who(0), number);
        vm.prank(who(1));
        vm.expectRevert(IMembers.NoSuchProposal.selector);
        MEMBERS.vote(who(1), 0);
    }

    function test_a_change_makes_other_proposals_stale() public {
        uint64 number = propose(3, who(0), nobody());
        vote(2, 3, number);
        change(address(0), member(9, 10));
        check(MEMBERS.proposalOf(who(3)).number == 0, "not shown");
        vm.prank(who(1));
        vm.expectRevert(IMembers.NoSuchProposal.selector);
        MEMBERS.vote(who(3), number);
    }

    function test_what_makes_no_sense_is_refused() public {
        refused(IMembers.BadChange.selector, address(0), nobody());
        refused(IMembers.NotMember.selector, who(9), nobody());
        refused(IMembers.BadChange.selector, address(0), member(2, 10));
        IMembers.Member memory m = member(9, 0);
        refused(IMembers.BadChange.selector, address(0), m);
        m.power = 10 ** 9 + 1;
        refused(IMembers.BadChange.selector, address(0), m);
        m = member(9, 10);
        m.key = 0;
        refused(IMembers.BadChange.selector, address(0), m);
        m.key = member(1, 10).key;
        refused(IMembers.BadChange.selector, address(0), m);
        m = member(9, 10);
        m.node = 0;
        refused(IMembers.BadChange.selector, address(0), m);
        m.node = member(1, 10).node;
        refused(IMembers.BadChange.selector, who(2), m);
        m = member(9, 10);
        m.account = who(1);
        refused(IMembers.BadChange.selector, who(2), m);
    }

    function test_with_four_or_more_nobody_gets_a_third_of_the_power() public {
        refused(IMembers.TooMuchPower.selector, address(0), member(9, 20)); // 20 of 60
        change(address(0), member(9, 19));
        refused(IMembers.TooMuchPower.selector, who(0), nobody()); // 19 of 49
        lay(3);
        check(propose(0, address(0), member(8, 14)) != 0, "14 of 44");
        refused(IMembers.TooMuchPower.selector, address(0), member(8, 15)); // 15 of 45
    }

    function test_with_three_all_must_want_it_and_the_last_one_stays() public {
        lay(3);
        change(who(2), nobody());
        check(MEMBERS.membersOf().length == 2, "three of three");
        uint64 number = propose(0, who(1), nobody());
        check(MEMBERS.membersOf().length == 2, "one of two");
        vote(1, 0, number);
        refused(IMembers.BadChange.selector, who(0), nobody());
    }

    function test_many_small_members_do_not_decide_alone_nor_a_few_large_ones() public {
        lay(10);
        for (uint256 i = 0; i < 4; i++) { // now 0 to 3 hold 116 of 176
            uint64 n = propose(0, who(i), member(i, 29));
            for (uint256 j = 1; j < 10 && MEMBERS.proposalOf(who(0)).number == n; j++) vote(j, 0, n);
        }
        check(MEMBERS.epochOf() == 4, "laid");
        uint64 number = propose(9, who(0), nobody());
        for (uint256 j = 3; j < 9; j++) vote(j, 9, number);
        check(MEMBERS.epochOf() == 4, "seven of ten, with 89 of 176");
        vote(2, 9, number);
        check(MEMBERS.epochOf() == 5, "eight of ten, with 118 of 176");
    }

    function test_at_most_64() public {
        lay(64);
        refused(IMembers.BadChange.selector, address(0), member(99, 10));
        check(propose(0, who(5), member(99, 10)) == 1, "a replacement");
    }
}
