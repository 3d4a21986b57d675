// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "./interfaces/IDirectory.sol";
import {Eip712} from "./lib/Eip712.sol";
import {Lists} from "./lib/Lists.sol";
import {P256} from "./lib/P256.sol";
import {Stated} from "./lib/Stated.sol";
import {Roles} from "./Roles.sol";

/// Any account may relay: what counts are the signatures. Nobody, the deployer included, has a power of its own.
contract Directory is IDirectory, Stated, Eip712 {
    using Lists for Lists.List;

    struct KeyBefore {
        uint32 version;
        bytes32 x;
        bytes32 y;
    }

    bytes32 private constant REGISTRARS = keccak256(
        "Registrars(uint32 number,bytes32 previous,address[] registrars,uint8 threshold,bool theft,"
        "address[] affirmed,uint64 deadline)");
    bytes32 private constant ENTRY = keccak256(
        "Entry(address actor,uint32 roles,string name,bytes32 keyX,bytes32 keyY,bytes32 factsKey,"
        "uint32 registrarSet,uint64 deadline)");
    bytes32 private constant KEY_CHANGE = keccak256(
        "KeyChange(address actor,uint32 version,bytes32 previous,bytes32 keyX,bytes32 keyY,bytes32 factsKey,"
        "bool stolen,uint64 deadline)");
    bytes32 private constant STANDING = keccak256(
        "Standing(address actor,uint8 status,uint16 emergenciesADay,bytes32 reason,uint64 number,uint64 deadline)");
    uint256 private constant WAIT = 48 hours;
    uint256 private constant NAME_BYTES_MAX = 128;
    uint256 private constant REGISTRARS_MAX = 64;
    uint256 private constant EMERGENCIES_A_DAY = 16;

    mapping(address => Actor) private actors; // proofs rely on these slots
    bytes32 private registrars;               // fact of the newest set
    uint32 private number;                    // of that set
    uint8 private threshold;
    uint32 private validFrom;                 // the first set whose entries count
    uint40 private changedAt;                 // number of the block of the newest set
    mapping(uint32 number => mapping(address => bool)) private members;
    Lists.List private listed;                // of all who were ever listed; an entry: the account, as a word
    mapping(address actor => mapping(uint32 version => uint40)) private keyTimes; // in force from then on; 0: never was
    mapping(address actor => KeyBefore) private keysBefore; // in force while the newest one waits
    mapping(uint24 ordinal => address) private accounts;
    bytes32 public immutable genesis;
    address private immutable deployer;
    uint64 private immutable foundingUntil;

    constructor(bytes32 genesis_, address deployer_, address[] memory registrars_, uint8 threshold_,
        uint64 foundingPeriodSeconds) Eip712("xinglin directory", genesis_) {
        (genesis, deployer) = (genesis_, deployer_);
        foundingUntil = uint64(block.timestamp) + foundingPeriodSeconds;
        _appoint(Registrars(0, 0, registrars_, threshold_, false, new address[](0), 0));
    }

    function changeRegistrars(Registrars calldata set, bytes[] calldata oldSignatures, bytes[] calldata newSignatures)
        external stated(abi.encodeCall(this.changeRegistrars, (set, oldSignatures, newSignatures))) {
        if (set.number != number + 1 || set.previous != registrars) revert StaleRegistrars(number);
        if (block.timestamp > set.deadline) revert Expired();
        bytes32 digest = _digest(_factOf(set));
        _requireRegistrars(digest, oldSignatures);
        _requireNewcomers(set.registrars, digest, newSignatures);
        if (!set.theft && set.affirmed.length != 0) revert BadEntry();
        for (uint256 i = 0; i < set.affirmed.length; i++) {
            Actor storage a = actors[set.affirmed[i]];
            if (a.status == Status.NONE || a.registrarSet < validFrom) revert BadEntry();
            a.registrarSet = set.number;
        }
        if (set.theft) validFrom = set.number;
        _appoint(set);
    }

    function list(Entry calldata e, bytes calldata possession, bytes calldata actorSignature,
        bytes[] calldata registrarSignatures) external
        stated(abi.encodeCall(this.list, (e, possession, actorSignature, registrarSignatures))) {
        uint256 nameBytes = bytes(e.name).length;
        if (e.actor == address(0) || e.roles == 0 || e.roles & ~Roles.ALL != 0 || nameBytes == 0
            || nameBytes > NAME_BYTES_MAX) revert BadEntry();
        if (block.timestamp > e.deadline) revert Expired();
        if (e.registrarSet != number) revert StaleRegistrars(number);
        Actor storage a = actors[e.actor];
        bool fell = a.registrarSet < validFrom && a.status != Status.WITHDRAWN;
        if (a.status != Status.NONE && !fell) revert AlreadyListed();
        bytes32 fact = keccak256(abi.encode(ENTRY, e.actor, e.roles, keccak256(bytes(e.name)), e.keyX, e.keyY,
            e.factsKey, e.registrarSet, e.deadline));
        bytes32 digest = _digest(fact);
        if (!_signedBy(e.actor, digest, actorSignature)) revert BadSignature();
        _requireRegistrars(digest, registrarSignatures);

        (a.roles, a.status, a.registrarSet) = (e.roles, Status.ACTIVE, e.registrarSet);
        a.listedAt = uint40(block.timestamp);
        a.emergencyFrom = uint40(block.timestamp <= foundingUntil ? block.timestamp : block.timestamp + WAIT);
        (a.entry, a.entryAt) = (fact, uint40(block.number));
        (uint64 n, bytes24 before) = listed.append(bytes32(uint256(uint160(e.actor))));
        if (a.ordinal == 0) {
            if (n >= type(uint24).max) revert BadEntry();
            (a.ordinal, accounts[uint24(n)]) = (uint24(n), e.actor);
        }
        emit ActorListed(e.actor, e.roles, e.name, n, before);
        _publish(e.actor, fact, e.keyX, e.keyY, possession, block.timestamp);
    }

    function changeKey(KeyChange calldata c, bytes calldata possession, bytes calldata actorSignature,
        bytes calldata keySignature, bytes[] calldata registrarSignatures) external
        stated(abi.encodeCall(this.changeKey, (c, possession, actorSignature, keySignature, registrarSignatures))) {
        if (!isActive(c.actor, 0)) revert NotListed();
        Actor storage a = actors[c.actor];
        if (c.version != a.keyVersion + 1 || c.previous != a.key) revert StaleKey(a.keyVersion);
        if (block.timestamp > c.deadline) revert Expired();
        bytes32 fact = keccak256(abi.encode(KEY_CHANGE, c));
        bytes32 digest = _digest(fact);
        bool byAccount = actorSignature.length != 0;
        if (byAccount && !_signedBy(c.actor, digest, actorSignature)) revert BadSignature();
        if (!byAccount || keySignature.length == 0) _requireRegistrars(digest, registrarSignatures);
        else if (!_signedByKey(c.actor, digest, keySignature)) revert BadSignature();
        _publish(c.actor, fact, c.keyX, c.keyY, possession, byAccount ? block.timestamp : block.timestamp + WAIT);
    }

    function setStanding(Standing calldata s, bytes[] calldata registrarSignatures) external
        stated(abi.encodeCall(this.setStanding, (s, registrarSignatures))) {
        Actor storage a = actors[s.actor];
        if (a.status == Status.NONE) revert NotListed();
        if (s.status == Status.NONE || a.status == Status.WITHDRAWN) revert BadEntry();
        if (s.number <= a.number) revert StaleNumber(a.number);
        if (block.timestamp > s.deadline) revert Expired();
        _requireRegistrars(_digest(keccak256(abi.encode(STANDING, s))), registrarSignatures);
        (a.status, a.emergenciesADay, a.number) = (s.status, s.emergenciesADay, s.number);
        emit StandingChanged(s.actor, s.status, s.emergenciesADay, s.reason);
    }

    function actorOf(address actor) external view returns (Actor memory) {
        return actors[actor];
    }

    /// Written so that each word is read once: it stands in the way of every pack that is dispensed.
    function standingOf(address actor) external view returns (uint32 roles, uint24 ordinal) {
        Actor storage a = actors[actor];
        (uint256 word, uint256 first, uint256 active) = (0, validFrom, uint256(Status.ACTIVE));
        assembly ("memory-safe") {
            word := sload(a.slot)
            let counts := iszero(lt(and(shr(72, word), 0xffffffff), first))
            roles := mul(and(word, 0xffffffff), and(counts, eq(and(shr(32, word), 0xff), active)))
            mstore(0, roles)
            ordinal := and(shr(224, word), 0xffffff)
            mstore(32, ordinal)
            return(0, 64)
        }
    }

    function accountOf(uint24 ordinal) external view returns (address) {
        return accounts[ordinal];
    }

    function isActive(address actor, uint32 roles) public view returns (bool) {
        Actor storage a = actors[actor];
        return a.status == Status.ACTIVE && a.registrarSet >= validFrom && a.roles & roles == roles;
    }

    function mayBreakGlass(address actor) external view returns (bool) {
        return isActive(actor, Roles.EMERGENCY) && block.timestamp >= actors[actor].emergencyFrom;
    }

    function emergenciesOf(address actor) external view returns (uint256) {
        uint256 own = actors[actor].emergenciesADay;
        return own == 0 ? EMERGENCIES_A_DAY : own;
    }

    function isKeyCurrent(address actor, uint32 version) external view returns (bool) {
        Actor storage a = actors[actor];
        if (version == 0) return false;
        return version == a.keyVersion || (block.timestamp < a.keyFrom && version == keysBefore[actor].version);
    }

    function isRegistrar(address account) public view returns (bool) {
        return members[number][account];
    }

    function registrarsOf() external view returns (uint32 number_, bytes32 statement, uint8 threshold_,
        uint32 validFrom_) {
        return (number, registrars, threshold, validFrom);
    }

    function admits(address account) external view returns (bool) {
        return isActive(account, 0) || isRegistrar(account) || account == deployer;
    }

    // Inside.

    function _factOf(Registrars memory set) private pure returns (bytes32) {
        return keccak256(abi.encode(REGISTRARS, set.number, set.previous, keccak256(abi.encodePacked(set.registrars)),
            set.threshold, set.theft, keccak256(abi.encodePacked(set.affirmed)), set.deadline));
    }

    /// Ascending order makes each registrar another one.
    function _appoint(Registrars memory set) private {
        uint256 count = set.registrars.length;
        if (count == 0 || count > REGISTRARS_MAX || set.threshold > count
            || 2 * uint256(set.threshold) <= count) revert BadRegistrars();
        address last = address(0);
        for (uint256 i = 0; i < count; i++) {
            if (set.registrars[i] <= last) revert BadRegistrars();
            last = set.registrars[i];
            members[set.number][last] = true;
        }
        (registrars, number, threshold, changedAt) = (_factOf(set), set.number, set.threshold, uint40(block.number));
        emit RegistrarsChanged(set.number, registrars);
    }

    function _requireRegistrars(bytes32 digest, bytes[] calldata signatures) private view {
        if (signatures.length < threshold) revert NotEnoughRegistrars();
        address last = address(0);
        for (uint256 i = 0; i < signatures.length; i++) {
            address signer = _signer(digest, signatures[i]);
            if (signer <= last || !isRegistrar(signer)) revert BadSignature();
            last = signer;
        }
    }

    /// Each who is not of the present set, in the new one's order.
    function _requireNewcomers(address[] calldata all, bytes32 digest, bytes[] calldata signatures) private view {
        uint256 next = 0;
        for (uint256 i = 0; i < all.length; i++) {
            if (isRegistrar(all[i])) continue;
            if (next == signatures.length || !_signedBy(all[i], digest, signatures[next++])) revert BadSignature();
        }
        if (next != signatures.length) revert BadSignature();
    }

    /// By the key that is in force: not by one that registrars alone gave and that still waits.
    function _signedByKey(address actor, bytes32 digest, bytes calldata signature) private view returns (bool) {
        Actor storage a = actors[actor];
        if (block.timestamp >= a.keyFrom) return P256.verify(digest, signature, a.keyX, a.keyY);
        return P256.verify(digest, signature, keysBefore[actor].x, keysBefore[actor].y);
    }

    /// `from`: when the key comes in force. What replaces a key that waits leaves the one in force as it is.
    function _publish(address actor, bytes32 fact, bytes32 x, bytes32 y, bytes calldata possession, uint256 from)
        private {
        Actor storage a = actors[actor];
        uint32 version = a.keyVersion + 1;
        bytes32 hash = keccak256(abi.encode("xinglin key possession", block.chainid, address(this), genesis, actor,
            version, x, y));
        if (!P256.verify(hash, possession, x, y)) revert BadPossession();
        if (block.timestamp < a.keyFrom) delete keyTimes[actor][a.keyVersion];
        else if (from > block.timestamp) keysBefore[actor] = KeyBefore(a.keyVersion, a.keyX, a.keyY);
        (a.keyVersion, a.key, a.keyAt, a.keyX, a.keyY) = (version, fact, uint40(block.number), x, y);
        (a.keyFrom, keyTimes[actor][version]) = (uint40(from), uint40(from));
        emit KeyPublished(actor, version, x, y);
    }
}
