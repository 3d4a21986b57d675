// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Roles} from "../src/Roles.sol";
import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {IMedicines} from "../src/interfaces/IMedicines.sol";
import {IProducts} from "../src/interfaces/IProducts.sol";
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
    IProducts internal products;
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
        medicines = IMedicines(vm.computeCreateAddress(address(this), nonce + 5));
        products = IProducts(deploy("Products", abi.encode(directory, medicines)));
        require(deploy("Medicines", abi.encode(directory, products)) == address(medicines), "address of Medicines");

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

    // Products. REGULATOR holds the key of tags alone; the point is a multiple of P-256's base point.

    function holdersOf(address[] memory holders, uint8 threshold) internal view
        returns (IProducts.TagHolders memory t) {
        IProducts.Holders memory before = products.tagHolders();
        bytes32[] memory commitments = new bytes32[](2 * uint256(threshold));
        for (uint256 i = 0; i < threshold; i++) {
            (commitments[2 * i], commitments[2 * i + 1]) = p256(500 + i);
        }
        return IProducts.TagHolders(before.number + 1, before.statement, holders, threshold, commitments, soon());
    }

    function holdersFact(IProducts.TagHolders memory t) internal pure returns (bytes32) {
        bytes32 kind = keccak256("TagHolders(uint32 number,bytes32 previous,address[] holders,uint8 threshold,"
            "bytes32[] commitments,uint64 deadline)");
        return keccak256(abi.encode(kind, t.number, t.previous, keccak256(abi.encodePacked(t.holders)), t.threshold,
            keccak256(abi.encodePacked(t.commitments)), t.deadline));
    }

    function setTagHolders(IProducts.TagHolders memory t) internal {
        bytes[] memory signatures = byRegistrars(digestOf("xinglin products", address(products), holdersFact(t)));
        anyone();
        products.setTagHolders(t, signatures);
    }

    function registrationOf(bytes32 product, uint256 owner) internal view
        returns (IProducts.RegisterProduct memory) {
        return IProducts.RegisterProduct(product, vm.addr(owner), "commitment", products.tagHolders().number, soon());
    }

    function registrationFact(IProducts.RegisterProduct memory r) internal pure returns (bytes32) {
        bytes32 kind = keccak256("RegisterProduct(bytes32 product,address owner,bytes32 keyCommitment,uint32 holders,"
            "uint64 deadline)");
        return keccak256(abi.encode(kind, r));
    }

    function registrationDigest(IProducts.RegisterProduct memory r) internal view returns (bytes32) {
        return digestOf("xinglin products", address(products), registrationFact(r));
    }

    function registerProduct(bytes32 product, uint256 owner) internal {
        if (products.tagHolders().number == 0) {
            address[] memory holders = new address[](1);
            holders[0] = vm.addr(REGULATOR);
            setTagHolders(holdersOf(holders, 1));
        }
        IProducts.RegisterProduct memory r = registrationOf(product, owner);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = signed(REGULATOR, registrationDigest(r));
        as_(owner);
        products.registerProduct(r, signatures, "");
    }

    function soon() internal view returns (uint64) {
        return uint64(block.timestamp + 1 hours);
    }

    function check(bool holds, string memory what) internal pure {
        require(holds, what);
    }
}
