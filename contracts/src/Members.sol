// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMembers} from "./interfaces/IMembers.sol";

/// Invariants of the list: 1 to 64 members; accounts, keys and node ids are not zero and occur once; with four or more
/// members nobody has a third of the power, so that no single one can stop the others.
contract Members is IMembers {
    uint256 private constant MEMBERS_MAX = 64;
    uint256 private constant POWER_MAX = 10 ** 9; // 64 of them are far below CometBFT's bound, 2^60

    Member[] private members; // nodes and the genesis rely on these slots
    uint64 private epoch;
    uint64 private proposed;  // how many proposals there were
    mapping(address proposer => Proposal) private proposals;
    mapping(uint64 number => mapping(address member => bool)) private voted;
    bytes32 private seal;      // readers of sealed records rely on this slot and the next
    uint64 private sealNumber;
    mapping(bytes32 vote => Tally) private tallies;
    mapping(bytes32 vote => mapping(address member => bool)) private stated;

    struct Tally {
        uint64 votes;
        uint64 power;
    }

    function propose(address leaves, Member calldata joins) external returns (uint64 number) {
        _require(_after(leaves, joins));
        number = ++proposed;
        proposals[msg.sender] = Proposal(number, epoch, leaves, joins, 0, 0);
        emit ChangeProposed(msg.sender, number, leaves, joins);
        vote(msg.sender, number);
    }

    function vote(address proposer, uint64 number) public {
        uint256 own = _indexOf(msg.sender);
        if (own == members.length) revert NotMember();
        Proposal storage p = proposals[proposer];
        if (number == 0 || p.number != number || p.epoch != epoch) revert NoSuchProposal();
        if (voted[number][msg.sender]) revert AlreadyVoted();
        voted[number][msg.sender] = true;
        (p.votes, p.power) = (p.votes + 1, p.power + members[own].power);
        emit ChangeVoted(proposer, number, msg.sender);
        if (_isEnough(p.votes, p.power)) _apply(p.leaves, p.joins);
    }

    function stateSeal(uint64 number, bytes32 statement) external {
        uint256 own = _indexOf(msg.sender);
        if (own == members.length) revert NotMember();
        if (number != sealNumber + 1 || statement == 0) revert StaleSeal();
        bytes32 key = keccak256(abi.encode(epoch, number, statement));
        if (stated[key][msg.sender]) revert AlreadyVoted();
        stated[key][msg.sender] = true;
        Tally storage t = tallies[key];
        (t.votes, t.power) = (t.votes + 1, t.power + members[own].power);
        emit SealVoted(number, statement, msg.sender);
        if (!_isEnough(t.votes, t.power)) return;
        (seal, sealNumber) = (statement, number);
        emit SealStated(number, statement);
    }

    function sealOf() external view returns (uint64 number, bytes32 statement) {
        return (sealNumber, seal);
    }

    function membersOf() external view returns (Member[] memory) {
        return members;
    }

    function epochOf() external view returns (uint64) {
        return epoch;
    }

    function proposalOf(address proposer) external view returns (Proposal memory found) {
        if (proposals[proposer].epoch == epoch) found = proposals[proposer];
    }

    function hasVoted(uint64 number, address member) external view returns (bool) {
        return voted[number][member];
    }

    // Inside.

    /// More than two thirds of the members, who hold more than two thirds of the power.
    function _isEnough(uint64 votes, uint64 power) private view returns (bool) {
        uint256 all = 0;
        for (uint256 i = 0; i < members.length; i++) all += members[i].power;
        return 3 * uint256(votes) > 2 * members.length && 3 * uint256(power) > 2 * all;
    }

    /// The number of members: it is not one.
    function _indexOf(address account) private view returns (uint256 i) {
        while (i < members.length && members[i].account != account) i++;
    }

    /// The list as the change would leave it.
    function _after(address leaves, Member calldata joins) private view returns (Member[] memory list) {
        uint256 count = members.length;
        uint256 place = leaves == address(0) ? count : _indexOf(leaves);
        if (leaves != address(0) && place == count) revert NotMember();
        bool has = joins.account != address(0);
        if (place == count && !has) revert BadChange();
        list = new Member[](place == count ? count + 1 : has ? count : count - 1);
        for (uint256 i = 0; i < count && i < list.length; i++) list[i] = members[i];
        if (has) list[place] = joins;
        else if (place < list.length) list[place] = members[count - 1];
    }

    function _require(Member[] memory list) private pure {
        if (list.length == 0 || list.length > MEMBERS_MAX) revert BadChange();
        uint256 all = 0;
        uint256 most = 0;
        for (uint256 i = 0; i < list.length; i++) {
            Member memory m = list[i];
            if (m.key == 0 || m.node == 0 || m.power == 0 || m.power > POWER_MAX) revert BadChange();
            for (uint256 j = 0; j < i; j++) {
                Member memory o = list[j];
                if (m.account == o.account || m.key == o.key || m.node == o.node) revert BadChange();
            }
            all += m.power;
            if (m.power > most) most = m.power;
        }
        if (list.length >= 4 && 3 * most >= all) revert TooMuchPower();
    }

    /// What `_after` gives: the list has not changed since it was proposed.
    function _apply(address leaves, Member memory joins) private {
        uint256 place = leaves == address(0) ? members.length : _indexOf(leaves);
        if (joins.account == address(0)) {
            members[place] = members[members.length - 1];
            members.pop();
        } else if (place == members.length) members.push(joins);
        else members[place] = joins;
        emit MembersChanged(++epoch);
    }
}
