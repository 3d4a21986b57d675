// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Roles} from "../src/Roles.sol";
import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {IRecords} from "../src/interfaces/IRecords.sol";
import {Vm} from "./Vm.sol";

/// A deployment in the fixed order with a cast of actors. Keys are small numbers; an actor's P-256 key is its number
/// too.
abstract contract Base {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant START = 1_800_000_000;
    bytes32 internal constant GENESIS = "the genesis block's hash";
    address internal constant DEPLOYER = address(0xde);
    uint64 internal constant FOUNDING = 1 days;
    uint256 internal constant HOSPITAL = 11;
    uint256 internal constant DOCTOR = 12;
    uint256 internal constant TRUSTEE = 13;
    uint256 internal constant REGULATOR = 14;
    uint256 internal constant NODE = 15;
    uint256 internal constant MAKER = 16;
    uint256 internal constant WHOLESALER = 17;
    uint256 internal constant PHARMACY = 18;
    uint256 internal constant PHARMACY2 = 19;
    uint256 internal constant EMERGENCY = 20;
    uint256 internal constant STRANGER = 66;
    uint256 internal constant PATIENT = 77;

    IDirectory internal directory;
    IFolders internal folders;
    IRecords internal records;
    IConsent internal consent;
    IMedicines internal medicines;
    uint256[3] internal registrarKeys;

    bytes32 private constant DOMAIN = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)");

    function setUp() public virtual {
        vm.warp(START);
        registrarKeys = [uint256(1), 2, 3];
        sort(registrarKeys);
        uint256 nonce = vm.getNonce(address(this));
        folders = IFolders(vm.computeCreateAddress(address(this), nonce + 1));
        records = IRecords(vm.computeCreateAddress(address(this), nonce + 2));
        consent = IConsent(vm.computeCreateAddress(address(this), nonce + 3));
        directory = IDirectory(deploy("Directory", abi.encode(GENESIS, DEPLOYER, addressesOf(registrarKeys), uint8(2),
            FOUNDING)));
        require(deploy("Folders", abi.encode(directory, records, consent)) == address(folders), "address of Folders");
        require(deploy("Records", abi.encode(directory, folders, consent)) == address(records), "address of Records");
        require(deploy("Consent", abi.encode(directory, folders, records)) == address(consent), "address of Consent");
        medicines = IMedicines(deploy("Medicines", abi.encode(directory)));

        listActor(HOSPITAL, Roles.HOSPITAL);
        listActor(DOCTOR, Roles.PROFESSIONAL);
        listActor(TRUSTEE, Roles.TRUSTEE);
        listActor(REGULATOR, Roles.REGULATOR);
        listActor(NODE, Roles.NODE);
        listActor(MAKER, Roles.MANUFACTURER);
        listActor(WHOLESALER, Roles.WHOLESALER);
        listActor(PHARMACY, Roles.PHARMACY);
        listActor(PHARMACY2, Roles.PHARMACY);
        listActor(EMERGENCY, Roles.PROFESSIONAL | Roles.EMERGENCY);
    }

    /// What the product embeds: the committed artifact. 0 where the constructor refuses.
    function deploy(string memory name, bytes memory arguments) internal returns (address made) {
        string memory artifact = vm.readFile(string.concat("artifacts/", name, ".json"));
        bytes memory code = abi.encodePacked(vm.parseJsonBytes(artifact, ".bytecode"), arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
    }

    function as_(uint256 key) internal {
        vm.prank(vm.addr(key), vm.addr(key));
    }

    /// Statements are sent by an account itself, whoever's it is.
    function anyone() internal {
        vm.prank(DEPLOYER, DEPLOYER);
    }

    /// In ascending order of their addresses.
    function sort(uint256[3] storage keys) private {
        for (uint256 i = 0; i < 3; i++) {
            for (uint256 j = i + 1; j < 3; j++) {
                if (vm.addr(keys[j]) < vm.addr(keys[i])) (keys[i], keys[j]) = (keys[j], keys[i]);
            }
        }
    }

    function addressesOf(uint256[3] memory keys) internal pure returns (address[] memory all) {
        all = new address[](3);
        for (uint256 i = 0; i < 3; i++) all[i] = vm.addr(keys[i]);
    }

    // Signing.

    function digestOf(string memory name, address target, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN, keccak256(bytes(name)), keccak256("1"), block.chainid, target,
            GENESIS));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function p256(uint256 key) internal pure returns (bytes32, bytes32) {
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        return (bytes32(x), bytes32(y));
    }

    function possessionOf(uint256 key, address actor, uint32 version) internal view returns (bytes memory) {
        (bytes32 x, bytes32 y) = p256(key);
        (bytes32 r, bytes32 s) = vm.signP256(key, keccak256(abi.encode("xinglin key possession", block.chainid,
            address(directory), GENESIS, actor, version, x, y)));
        return abi.encodePacked(r, s);
    }

    function entryOf(uint256 key, uint32 roles) internal view returns (IDirectory.Entry memory e) {
        (bytes32 x, bytes32 y) = p256(key);
        (uint32 set,,,) = directory.registrarsOf();
        return IDirectory.Entry(vm.addr(key), roles, "an actor", x, y, "a facts key", set, soon());
    }

    function entryFact(IDirectory.Entry memory e) internal pure returns (bytes32) {
        bytes32 t = keccak256(
            "Entry(address actor,uint32 roles,string name,bytes32 keyX,bytes32 keyY,bytes32 factsKey,"
            "uint32 registrarSet,uint64 deadline)");
        return keccak256(abi.encode(t, e.actor, e.roles, keccak256(bytes(e.name)), e.keyX, e.keyY, e.factsKey,
            e.registrarSet, e.deadline));
    }

    function inDirectory(bytes32 fact) internal view returns (bytes32) {
        return digestOf("xinglin directory", address(directory), fact);
    }

    function byRegistrars(bytes32 digest) internal view returns (bytes[] memory s) {
        s = new bytes[](2);
        s[0] = signed(registrarKeys[0], digest);
        s[1] = signed(registrarKeys[1], digest);
    }

    function listActor(uint256 key, uint32 roles) internal {
        IDirectory.Entry memory e = entryOf(key, roles);
        bytes32 d = inDirectory(entryFact(e));
        bytes memory possession = possessionOf(key, e.actor, directory.actorOf(e.actor).keyVersion + 1);
        anyone();
        directory.list(e, possession, signed(key, d), byRegistrars(d));
    }

    function standingOf(uint256 key, IDirectory.Status status, uint16 emergencies) internal view
        returns (IDirectory.Standing memory) {
        return IDirectory.Standing(vm.addr(key), status, emergencies, "why", directory.actorOf(vm.addr(key)).number + 1,
            soon());
    }

    function standingDigest(IDirectory.Standing memory s) internal view returns (bytes32) {
        bytes32 t = keccak256(
            "Standing(address actor,uint8 status,uint16 emergenciesADay,bytes32 reason,uint64 number,uint64 deadline)");
        return inDirectory(keccak256(abi.encode(t, s)));
    }

    function setStatus(uint256 key, IDirectory.Status status) internal {
        IDirectory.Standing memory s = standingOf(key, status, 0);
        anyone();
        directory.setStanding(s, byRegistrars(standingDigest(s)));
    }

    function soon() internal view returns (uint64) {
        return uint64(block.timestamp + 1 hours);
    }

    function check(bool holds, string memory what) internal pure {
        require(holds, what);
    }
}
