// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Who takes part: organisations, professionals and nodes, each with an account and a versioned P-256 encryption key.
/// An entry is signed by the actor and by `threshold` registrars. No owner, no upgrade.
///
/// Each statement below is an EIP-712 struct of the same name and members. Its struct hash, the statement's fact, is
/// what the contract keeps; its bytes and signatures stand in the calldata of the transaction that made it.
interface IDirectory {
    enum Status { NONE, ACTIVE, SUSPENDED, WITHDRAWN }

    /// A set of registrars. Number 0 is the constructor's: nothing before it, no theft, nobody affirmed, no deadline.
    struct Registrars {
        uint32 number;
        bytes32 previous;     // fact of the set before
        address[] registrars; // ascending
        uint8 threshold;      // more than half of them
        bool theft;           // entries of earlier sets count no more, but for those in `affirmed`
        address[] affirmed;
        uint64 deadline;      // seconds
    }
    struct Entry {
        address actor;
        uint32 roles;         // bits: see Roles.sol
        string name;          // of an organisation; never of a patient
        bytes32 keyX;
        bytes32 keyY;
        bytes32 factsKey;     // compressed Baby Jubjub point that signs facts; 0: none
        uint32 registrarSet;  // whose registrars sign: the newest
        uint64 deadline;
    }
    struct KeyChange {
        address actor;
        uint32 version;       // the new one
        bytes32 previous;     // fact of the key before: the newest key change's, else the entry's
        bytes32 keyX;
        bytes32 keyY;
        bytes32 factsKey;
        bool stolen;          // the key before: nobody uses it from now on
        uint64 deadline;
    }
    struct Standing {
        address actor;
        Status status;
        uint16 emergenciesADay; // 0: 16
        bytes32 reason;
        uint64 number;          // above the last one
        uint64 deadline;
    }
    struct Actor { // storage layout: docs/wire-formats.md §8
        uint32 roles;
        Status status;
        uint32 keyVersion;    // from 1
        uint32 registrarSet;  // under which the entry counts
        uint40 listedAt;      // seconds, like all times here
        uint40 emergencyFrom; // may break glass from then on; founding actors at once, others after 48 h
        uint40 keyFrom;       // the newest key is in force from then on
        uint24 ordinal;       // from 1, by when it was listed first: other contracts' short name of it
        bytes32 entry;        // fact of the entry
        bytes32 key;          // fact of the newest key change; of the entry before the first
        uint40 entryAt;       // number of the block of the entry
        uint40 keyAt;         // of the newest key
        uint64 number;        // of the newest standing
        uint16 emergenciesADay;
        bytes32 keyX;
        bytes32 keyY;
    }

    /// `n`, `before`: of the list of all who were ever listed (lib/Lists.sol). Who is listed anew is in it again.
    event ActorListed(address indexed actor, uint32 roles, string name, uint64 n, bytes24 before);
    event KeyPublished(address indexed actor, uint32 version, bytes32 x, bytes32 y);
    event StandingChanged(address indexed actor, Status status, uint16 emergenciesADay, bytes32 reason);
    event RegistrarsChanged(uint32 indexed number, bytes32 statement);

    /// Fewer registrars signed than the threshold.
    error NotEnoughRegistrars();
    /// The registrars make no sense: none, not in ascending order, or a threshold of half of them or less.
    error BadRegistrars();
    /// There is another set of registrars by now.
    error StaleRegistrars(uint32 current);
    /// The actor has another encryption key by now.
    error StaleKey(uint32 current);
    /// The statement's number is used up.
    error StaleNumber(uint64 last);
    /// A signature is missing, or is not of the account that has to sign.
    error BadSignature();
    /// The encryption key is not proved to be in the hands of its owner.
    error BadPossession();
    /// The deadline of what was signed has passed.
    error Expired();
    /// The account is listed already.
    error AlreadyListed();
    /// The account is not active in the directory.
    error NotListed();
    /// The entry makes no sense: account, name, roles or status.
    error BadEntry();

    /// Signed by registrars of the present set and by every newcomer, each in ascending order of address.
    function changeRegistrars(Registrars calldata set, bytes[] calldata oldSignatures, bytes[] calldata newSignatures)
        external;
    /// Signed by the actor and by registrars. `possession`: docs/wire-formats.md §4, r || s. An actor whose entry fell
    /// with its registrars is listed anew; its key has the next version.
    function list(Entry calldata entry, bytes calldata possession, bytes calldata actorSignature,
        bytes[] calldata registrarSignatures) external;
    /// Signed by the account and by the key in force (P-256 over the digest, r || s); or by the account and registrars;
    /// or by registrars alone, and then the key is in force after 48 hours. What does not sign is left empty. While a
    /// key waits, the one before it is in force: with it the account replaces what registrars alone gave.
    function changeKey(KeyChange calldata change, bytes calldata possession, bytes calldata actorSignature,
        bytes calldata keySignature, bytes[] calldata registrarSignatures) external;
    /// Signed by registrars. WITHDRAWN is final.
    function setStanding(Standing calldata standing, bytes[] calldata registrarSignatures) external;

    function genesis() external view returns (bytes32);
    function actorOf(address actor) external view returns (Actor memory);
    /// Active, its entry of a set that counts, and holding all bits of `roles` (0: any role).
    function isActive(address actor, uint32 roles) external view returns (bool);
    /// Its roles, 0 if it is not active, and its ordinal, 0 if it was never listed.
    function standingOf(address actor) external view returns (uint32 roles, uint24 ordinal);
    /// 0: nobody has that ordinal.
    function accountOf(uint24 ordinal) external view returns (address);
    function mayBreakGlass(address actor) external view returns (bool);
    /// Emergencies that the actor may declare a day.
    function emergenciesOf(address actor) external view returns (uint256);
    /// Is this the version of a key that actors may be given things under now? It is the newest; while that is not in
    /// force yet, it is the one that is in force too.
    function isKeyCurrent(address actor, uint32 version) external view returns (bool);
    function isRegistrar(address account) external view returns (bool);
    /// The newest set: its number, its fact, how many must sign, the first set whose entries count.
    function registrarsOf() external view returns (uint32 number, bytes32 statement, uint8 threshold, uint32 validFrom);
    /// Whose transactions a chain takes whose genesis says so: active actors, registrars, and the deployer.
    function admits(address account) external view returns (bool);
}
