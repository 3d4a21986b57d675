// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "./interfaces/IDirectory.sol";
import {Eip712} from "./lib/Eip712.sol";
import {P256} from "./lib/P256.sol";
import {SerialTable} from "./lib/SerialTable.sol";
import {Stated} from "./lib/Stated.sol";
import {MedicineMoves} from "./medicines/MedicineMoves.sol";
import {Roles} from "./Roles.sol";

contract Products is MedicineMoves, Stated, Eip712 {
    bytes32 private constant TAG_HOLDERS = keccak256(
        "TagHolders(uint32 number,bytes32 previous,address[] holders,uint8 threshold,bytes32[] commitments,"
        "uint64 deadline)");
    bytes32 private constant REGISTER_PRODUCT = keccak256(
        "RegisterProduct(bytes32 product,address owner,bytes32 keyCommitment,uint32 holders,uint64 deadline)");
    uint256 private constant HOLDERS_MAX = 16;

    mapping(bytes32 product => Product) private products; // proofs rely on these slots
    Holders private newest;
    mapping(uint32 number => mapping(address => uint8)) private places; // of holders, from 1
    mapping(bytes32 product => uint256) private tables;   // the first word of a SerialTable; the others stand behind it
    mapping(bytes32 thing => address) private receivers;  // of returns, by product and by lot
    mapping(bytes32 product => mapping(uint64 fragment => Admission)) private admissions;
    IDirectory private immutable directory;
    address private immutable medicines;

    constructor(IDirectory directory_, address medicines_) Eip712("xinglin products", directory_.genesis()) {
        (directory, medicines) = (directory_, medicines_);
    }

    function setTagHolders(TagHolders calldata t, bytes[] calldata registrarSignatures) external
        stated(abi.encodeCall(this.setTagHolders, (t, registrarSignatures))) {
        if (t.number != newest.number + 1 || t.previous != newest.statement) revert StaleHolders(newest.number);
        if (block.timestamp > t.deadline) revert Expired();
        bytes32 fact = keccak256(abi.encode(TAG_HOLDERS, t.number, t.previous,
            keccak256(abi.encodePacked(t.holders)), t.threshold, keccak256(abi.encodePacked(t.commitments)),
            t.deadline));
        (,, uint8 threshold,) = directory.registrarsOf();
        address[] memory signers = _signers(_digest(fact), registrarSignatures, threshold);
        for (uint256 i = 0; i < signers.length; i++) {
            if (!directory.isRegistrar(signers[i])) revert BadSignature();
        }
        bytes32 key = _keyOf(t);
        if (newest.number != 0 && key != newest.key) revert OtherKey();
        address last = address(0);
        for (uint256 i = 0; i < t.holders.length; i++) {
            if (t.holders[i] <= last) revert BadHolders();
            last = t.holders[i];
            if (!directory.isActive(last, Roles.REGULATOR)) revert NotListed();
            places[t.number][last] = uint8(i + 1);
        }
        newest = Holders(fact, key, t.number, t.threshold, uint40(block.number));
        emit TagHoldersChanged(t.number, fact);
    }

    function registerProduct(RegisterProduct calldata r, bytes[] calldata holderSignatures,
        bytes calldata ownerSignature) external
        stated(abi.encodeCall(this.registerProduct, (r, holderSignatures, ownerSignature))) {
        if (!directory.isActive(msg.sender, 0)) revert NotListed();
        if (r.product == 0 || r.keyCommitment == 0) revert BadProduct();
        Product storage p = products[r.product];
        if (p.owner != address(0)) revert AlreadyRegistered(p.owner);
        if (r.holders == 0 || r.holders != newest.number) revert StaleHolders(newest.number);
        if (block.timestamp > r.deadline) revert Expired();
        if (!directory.isActive(r.owner, Roles.MANUFACTURER)) revert NotListed();
        bytes32 fact = keccak256(abi.encode(REGISTER_PRODUCT, r));
        bytes32 digest = _digest(fact);
        address[] memory signers = _signers(digest, holderSignatures, newest.threshold);
        for (uint256 i = 0; i < signers.length; i++) {
            if (places[r.holders][signers[i]] == 0) revert BadSignature();
            if (!directory.isActive(signers[i], Roles.REGULATOR)) revert NotListed();
        }
        bool itself = msg.sender == r.owner && ownerSignature.length == 0;
        if (!itself && !_signedBy(r.owner, digest, ownerSignature)) revert BadSignature();
        products[r.product] = Product(r.owner, r.holders, 0, r.keyCommitment, fact, uint40(block.number));
        emit ProductRegistered(r.product, r.owner, r.keyCommitment);
    }

    function insert(bytes32 product, bytes calldata packs) external
        returns (Insertion result, bytes7 fragment) {
        if (msg.sender != medicines) revert NotMedicines();
        uint256 units = products[product].units;
        uint256 first = _tableOf(product);
        uint256 usual = SerialTable.guessOf(units);
        uint256 n = packs.length / 8;
        for (uint256 i = 0; i < n; i++) {
            (uint256 one, uint256 guess) = _packAt(packs, i, usual);
            SerialTable.Found found = SerialTable.insert(first, guess, one);
            if (found == SerialTable.Found.NEW) continue;
            if (found != SerialTable.Found.DUPLICATE || !_isAdmitted(product, one)) {
                return (Insertion(uint8(found)), bytes7(uint56(one)));
            }
            admissions[product][uint64(one)] = Admission.USED;
        }
        products[product].units = uint64(units + n);
        return (result, 0);
    }

    function admitSerial(bytes32 product, bytes7 fragment) external {
        if (!directory.isActive(msg.sender, Roles.REGULATOR)) revert NotListed();
        uint64 one = uint56(fragment);
        if (admissions[product][one] != Admission.NONE) revert AlreadyAdmitted();
        if (!_isIn(product, one)) revert NothingInTheWay();
        admissions[product][one] = Admission.ADMITTED;
        emit SerialAdmitted(product, msg.sender, fragment);
    }

    function nameReceiver(bytes32 thing, address to) external {
        if (!directory.isActive(msg.sender, Roles.REGULATOR)) revert NotListed();
        receivers[thing] = to;
        emit ReceiverNamed(thing, to, msg.sender);
    }

    function takesBack(bytes32 product, bytes32 batch, address to) external view returns (bool) {
        return to != address(0) && (products[product].owner == to || receivers[product] == to
            || receivers[batch] == to);
    }

    function factsOf(bytes32 product, address who) external view returns (uint256 facts) {
        if (products[product].owner == who) facts |= 2;
        if (directory.isActive(who, Roles.REGULATOR)) facts |= 4;
        if (directory.isActive(who, Roles.MANUFACTURER)) facts |= 8;
        if (directory.isActive(who, Roles.PHARMACY) || directory.isActive(who, Roles.HOSPITAL)) facts |= 16;
    }

    function productOf(bytes32 product) external view returns (Product memory) {
        return products[product];
    }

    function ownerOf(bytes32 product) external view returns (address) {
        return products[product].owner;
    }

    function tagHolders() external view returns (Holders memory) {
        return newest;
    }

    function placeOf(uint32 number, address holder) external view returns (uint8) {
        return places[number][holder];
    }

    function isCommissioned(bytes32 product, bytes7 fragment) external view returns (bool) {
        return _isIn(product, uint56(fragment)) && !_isAdmitted(product, uint56(fragment));
    }

    function lookUp(bytes32 product, bytes calldata packs) external view returns (bytes memory depths) {
        uint256 first = _tableOf(product);
        uint256 usual = SerialTable.guessOf(products[product].units);
        depths = new bytes(packs.length / 8);
        for (uint256 i = 0; i < depths.length; i++) {
            (uint256 one, uint256 guess) = _packAt(packs, i, usual);
            (bool found, uint256 depth) = SerialTable.look(first, guess, one);
            depths[i] = bytes1(found && !_isAdmitted(product, one) ? 0xff : uint8(depth));
        }
    }

    // Inside.

    /// The fragment, and the depth at which to look first.
    function _packAt(bytes calldata packs, uint256 i, uint256 usual) private pure
        returns (uint256 fragment, uint256 guess) {
        assembly ("memory-safe") {
            let pack := shr(192, calldataload(add(packs.offset, shl(3, i))))
            fragment := shr(8, pack)
            guess := and(pack, 0xff)
        }
        if (guess == 0) guess = usual;
    }

    function _isAdmitted(bytes32 product, uint256 fragment) private view returns (bool) {
        return admissions[product][uint64(fragment)] == Admission.ADMITTED;
    }

    /// Does the product's table have this fragment, or its like?
    function _isIn(bytes32 product, uint256 fragment) private view returns (bool found) {
        (found,) = SerialTable.look(_tableOf(product), 0, fragment);
    }

    function _tableOf(bytes32 product) private view returns (uint256 first) {
        mapping(bytes32 => uint256) storage all = tables;
        assembly ("memory-safe") {
            mstore(0, product)
            mstore(32, all.slot)
            first := keccak256(0, 64)
        }
    }

    /// The commitments are points, as many as the threshold. What they commit to, and that they fit the shares, is for
    /// the holders to check before the registrars sign.
    function _keyOf(TagHolders calldata t) private pure returns (bytes32) {
        uint256 n = t.holders.length;
        if (n > HOLDERS_MAX || t.threshold == 0 || t.threshold > n) revert BadHolders();
        if (t.commitments.length != 2 * uint256(t.threshold)) revert BadHolders();
        for (uint256 i = 0; i < t.commitments.length; i += 2) {
            if (!P256.isOnCurve(t.commitments[i], t.commitments[i + 1])) revert BadHolders();
        }
        return keccak256(abi.encode(t.commitments[0], t.commitments[1]));
    }

    /// Who signed, in ascending order of address; never account 0.
    function _signers(bytes32 digest, bytes[] calldata signatures, uint256 threshold) private pure
        returns (address[] memory signers) {
        if (signatures.length < threshold) revert NotEnoughSigners();
        signers = new address[](signatures.length);
        address last = address(0);
        for (uint256 i = 0; i < signatures.length; i++) {
            signers[i] = _signer(digest, signatures[i]);
            if (signers[i] <= last) revert BadSignature();
            last = signers[i];
        }
    }
}
