// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Who takes part: organisations, professionals and nodes, each with an account and a versioned P-256 encryption key.
/// An entry
/// is signed by the actor and by `threshold` registrars. No owner, no upgrade.
interface IDirectory {
    enum Status { NONE, ACTIVE, SUSPENDED, WITHDRAWN }

    struct Entry {
        address actor;
        uint32 roles;      // bits: see Roles.sol
        string name;       // of an organisation; never of a patient
        bytes32 keyX;
        bytes32 keyY;
        uint64 deadline;   // seconds
    }
    struct Actor {
        uint32 roles;
        Status status;
        uint32 keyVersion;    // from 1
        uint64 listedAt;
        uint64 emergencyFrom; // may break glass from then on; founding actors at once, others after 48 h
        bytes32 keyX;
        bytes32 keyY;
        string name;
    }

    event ActorListed(address indexed actor, uint32 roles, string name);
    event KeyPublished(address indexed actor, uint32 version, bytes32 x, bytes32 y);
    event StatusChanged(address indexed actor, Status status, bytes32 reason);

    /// Fewer registrars signed than the threshold.
    error NotEnoughRegistrars();
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

    /// EIP-712 `Entry(address actor,uint32 roles,string name,bytes32 keyX,bytes32 keyY,uint64 deadline)` by the actor
    /// and by
    /// registrars in ascending order of address. `possession`: docs/wire-formats.md §4, r || s.
    function list(Entry calldata entry, bytes calldata possession, bytes calldata actorSignature,
        bytes[] calldata registrarSignatures) external;
    /// EIP-712 `PublishKey(address actor,uint32 version,bytes32 keyX,bytes32 keyY,uint64 deadline)` by the actor.
    function publishKey(address actor, bytes32 keyX, bytes32 keyY, uint64 deadline, bytes calldata possession,
        bytes calldata actorSignature) external;
    /// EIP-712 `SetStatus(address actor,uint8 status,bytes32 reason,uint64 nonce,uint64 deadline)` by registrars;
    /// WITHDRAWN is final.
    function setStatus(address actor, Status status, bytes32 reason, uint64 deadline,
        bytes[] calldata registrarSignatures) external;

    function actorOf(address actor) external view returns (Actor memory);
    /// Active and holding all bits of `roles` (0: any role).
    function isActive(address actor, uint32 roles) external view returns (bool);
    function mayBreakGlass(address actor) external view returns (bool);
    function isRegistrar(address account) external view returns (bool);
    function threshold() external view returns (uint8);
    function nonceOf(address actor) external view returns (uint64);
}
