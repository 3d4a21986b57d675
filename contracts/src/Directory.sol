// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "./interfaces/IDirectory.sol";
import {Eip712} from "./lib/Eip712.sol";
import {P256} from "./lib/P256.sol";
import {Roles} from "./Roles.sol";

/// Any account may relay: what counts are the signatures. Nobody, the deployer included, has a power of its own.
contract Directory is IDirectory, Eip712 {
    bytes32 private constant ENTRY = keccak256(
        "Entry(address actor,uint32 roles,string name,bytes32 keyX,bytes32 keyY,uint64 deadline)");
    bytes32 private constant PUBLISH_KEY = keccak256(
        "PublishKey(address actor,uint32 version,bytes32 keyX,bytes32 keyY,uint64 deadline)");
    bytes32 private constant SET_STATUS = keccak256(
        "SetStatus(address actor,uint8 status,bytes32 reason,uint64 nonce,uint64 deadline)");
    uint256 private constant EMERGENCY_WAIT = 48 hours;
    uint256 private constant NAME_BYTES_MAX = 128;

    mapping(address => Actor) private actors;
    mapping(address => uint64) private nonces;
    mapping(address => bool) public isRegistrar;
    uint8 public immutable threshold;
    uint64 public immutable foundingUntil;

    constructor(address[] memory registrars, uint8 threshold_,
        uint64 foundingPeriodSeconds) Eip712("xinglin directory") {
        if (threshold_ == 0 || threshold_ > registrars.length) revert NotEnoughRegistrars();
        for (uint256 i = 0; i < registrars.length; i++) {
            if (registrars[i] == address(0) || isRegistrar[registrars[i]]) revert BadEntry();
            isRegistrar[registrars[i]] = true;
        }
        threshold = threshold_;
        foundingUntil = uint64(block.timestamp) + foundingPeriodSeconds;
    }

    function list(Entry calldata entry, bytes calldata possession, bytes calldata actorSignature,
        bytes[] calldata registrarSignatures) external {
        uint256 nameBytes = bytes(entry.name).length;
        if (entry.actor == address(0) || entry.roles == 0 || entry.roles & ~Roles.ALL != 0 || nameBytes == 0
            || nameBytes > NAME_BYTES_MAX) revert BadEntry();
        if (block.timestamp > entry.deadline) revert Expired();
        if (actors[entry.actor].status != Status.NONE) revert AlreadyListed();
        bytes32 digest = _digest(keccak256(abi.encode(ENTRY, entry.actor, entry.roles, keccak256(bytes(entry.name)),
            entry.keyX, entry.keyY, entry.deadline)));
        if (_signer(digest, actorSignature) != entry.actor) revert BadSignature();
        _requireRegistrars(digest, registrarSignatures);
        _requirePossession(entry.actor, 1, entry.keyX, entry.keyY, possession);

        uint64 emergencyFrom = uint64(block.timestamp <= foundingUntil ? block.timestamp
            : block.timestamp + EMERGENCY_WAIT);
        actors[entry.actor] = Actor(entry.roles, Status.ACTIVE, 1, uint64(block.timestamp), emergencyFrom, entry.keyX,
            entry.keyY, entry.name);
        emit ActorListed(entry.actor, entry.roles, entry.name);
        emit KeyPublished(entry.actor, 1, entry.keyX, entry.keyY);
    }

    function publishKey(address actor, bytes32 keyX, bytes32 keyY, uint64 deadline, bytes calldata possession,
        bytes calldata actorSignature) external {
        Actor storage a = actors[actor];
        if (a.status != Status.ACTIVE) revert NotListed();
        if (block.timestamp > deadline) revert Expired();
        uint32 version = a.keyVersion + 1;
        bytes32 digest = _digest(keccak256(abi.encode(PUBLISH_KEY, actor, version, keyX, keyY, deadline)));
        if (_signer(digest, actorSignature) != actor) revert BadSignature();
        _requirePossession(actor, version, keyX, keyY, possession);
        (a.keyVersion, a.keyX, a.keyY) = (version, keyX, keyY);
        emit KeyPublished(actor, version, keyX, keyY);
    }

    function setStatus(address actor, Status status, bytes32 reason, uint64 deadline,
        bytes[] calldata registrarSignatures) external {
        Actor storage a = actors[actor];
        if (a.status == Status.NONE) revert NotListed();
        if (status == Status.NONE || status == a.status || a.status == Status.WITHDRAWN) revert BadEntry();
        if (block.timestamp > deadline) revert Expired();
        bytes32 digest = _digest(keccak256(abi.encode(SET_STATUS, actor, status, reason, nonces[actor]++, deadline)));
        _requireRegistrars(digest, registrarSignatures);
        a.status = status;
        emit StatusChanged(actor, status, reason);
    }

    function actorOf(address actor) external view returns (Actor memory) {
        return actors[actor];
    }

    function isActive(address actor, uint32 roles) public view returns (bool) {
        Actor storage a = actors[actor];
        return a.status == Status.ACTIVE && a.roles & roles == roles;
    }

    function mayBreakGlass(address actor) external view returns (bool) {
        return isActive(actor, Roles.EMERGENCY) && block.timestamp >= actors[actor].emergencyFrom;
    }

    function nonceOf(address actor) external view returns (uint64) {
        return nonces[actor];
    }

    /// Ascending order makes each signature another registrar's.
    function _requireRegistrars(bytes32 digest, bytes[] calldata signatures) private view {
        if (signatures.length < threshold) revert NotEnoughRegistrars();
        address last = address(0);
        for (uint256 i = 0; i < signatures.length; i++) {
            address signer = _signer(digest, signatures[i]);
            if (signer <= last || !isRegistrar[signer]) revert BadSignature();
            last = signer;
        }
    }

    function _requirePossession(address actor, uint32 version, bytes32 x, bytes32 y, bytes calldata possession)
        private view {
        bytes32 hash = keccak256(abi.encode("xinglin key possession", block.chainid, address(this), actor, version, x,
            y));
        if (!P256.verify(hash, possession, x, y)) revert BadPossession();
    }
}
