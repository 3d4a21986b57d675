// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Who runs the nodes of a consortium: CometBFT's validators, and whom a node takes as its peer. It stands in the
/// genesis, with the first members in its storage; so it has no constructor, no owner and no upgrade. Nodes read the
/// list straight from the state after each block that has the event MembersChanged.
///
/// A change is made by more than two thirds of the members who hold more than two thirds of the power. It makes all
/// other proposals stale: whoever voted for one had another list in mind.
interface IMembers {
    struct Member { // storage layout: docs/wire-formats.md §8
        address account; // votes
        uint64 power;    // of its votes in CometBFT: 1 to 10^9
        bytes32 key;     // CometBFT's validator key, Ed25519
        bytes20 node;    // CometBFT's node id
    }
    /// One of the two at least: a member that leaves [account 0: nobody], one that joins [joins.account 0: nobody].
    /// With both, the second takes the place of the first, and may be the same account with another key or power.
    struct Proposal {
        uint64 number; // 0: there is none
        uint64 epoch;  // of the list that it changes
        address leaves;
        Member joins;
        uint64 votes;
        uint64 power;  // of those who voted
    }

    /// The account is not a member of the consortium.
    error NotMember();
    /// The change is malformed: nobody would be left, or an account, a key or a node is zero or occurs twice.
    error BadChange();
    /// A member would have a third of the power or more.
    error TooMuchPower();
    /// There is no such proposal for the present list of members.
    error NoSuchProposal();
    /// The statement is not the one after the newest.
    error StaleSeal();
    /// This member has voted for this proposal or statement.
    error AlreadyVoted();

    event ChangeProposed(address indexed proposer, uint64 indexed number, address leaves, Member joins);
    event ChangeVoted(address indexed proposer, uint64 indexed number, address indexed member);
    event MembersChanged(uint64 epoch);
    event SealVoted(uint64 indexed number, bytes32 indexed statement, address indexed member);
    event SealStated(uint64 indexed number, bytes32 statement);

    /// The caller's only proposal, which replaces its earlier one, and its vote for it. Returns the proposal's number.
    function propose(address leaves, Member calldata joins) external returns (uint64);
    /// `number` names what the caller read: a proposer cannot exchange it meanwhile.
    function vote(address proposer, uint64 number) external;
    function membersOf() external view returns (Member[] memory);
    /// How many changes there were.
    function epochOf() external view returns (uint64);
    /// Of this member, if it has one for the present list; else number 0.
    function proposalOf(address proposer) external view returns (Proposal memory);
    function hasVoted(uint64 number, address member) external view returns (bool);
    /// The caller's vote for who holds shares of the outer seal's key: the hash of a statement (docs/wire-formats.md
    /// §14) whose number is the one after the newest. As many votes as a change takes make it the newest; votes of
    /// another list of members do not count.
    function stateSeal(uint64 number, bytes32 statement) external;
    /// The newest [0: there is none].
    function sealOf() external view returns (uint64 number, bytes32 statement);
}
