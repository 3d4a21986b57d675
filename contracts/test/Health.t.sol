// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "../src/interfaces/IBlobGate.sol";
import {IConsent} from "../src/interfaces/IConsent.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {IRecords} from "../src/interfaces/IRecords.sol";
import {Base} from "./Base.t.sol";
import {Vm} from "./Vm.sol";

/// A folder of PATIENT's with one trustee, relayed by the hospital, and what PATIENT signs.
abstract contract Health is Base {
    uint8 internal constant READ = 1;
    uint8 internal constant WRITE = 2;
    uint8 internal constant TREAT = 0;
    uint8 internal constant ETREAT = 1;
    bytes32 internal constant SALT = "salt";
    bytes32 internal constant WRAP = "a wrap's blob";

    bytes32 internal folder;

    function setUp() public virtual override {
        super.setUp();
        folder = openFolder(SALT, 60);
    }

    function as_(uint256 key) internal {
        vm.prank(vm.addr(key));
    }

    function trustees() internal pure returns (address[] memory t) {
        t = new address[](1);
        t[0] = vm.addr(TRUSTEE);
    }

    function nonce() internal view returns (uint64) {
        return folders.folderOf(folder).nonce;
    }

    function openSignature(bytes32 salt, uint256 p, uint16 glass, address[] memory t) internal view
        returns (bytes memory) {
        (bytes32 x, bytes32 y) = p256(p);
        bytes32 h = keccak256(
            "Open(address controller,bytes32 salt,bytes32 keyX,bytes32 keyY,bytes32 wraps,uint32 wrapsSize,uint16 glassMinutes,address[] trustees,uint64 deadline)");
        bytes32 list = keccak256(abi.encodePacked(t));
        return signed(PATIENT, digestOf("xinglin folders", address(folders), keccak256(abi.encode(h, vm.addr(PATIENT),
            salt, x, y, WRAP, uint32(900), glass, list, soon()))));
    }

    function openFolder(bytes32 salt, uint16 glass) internal returns (bytes32) {
        (bytes32 x, bytes32 y) = p256(1000);
        bytes memory s = openSignature(salt, 1000, glass, trustees());
        as_(HOSPITAL);
        return folders.open(vm.addr(PATIENT), salt, x, y, WRAP, 900, glass, trustees(), soon(), s);
    }

    function rotateSignature(uint256 by, uint32 epoch, uint256 p, address[] memory to) internal view
        returns (bytes memory) {
        (bytes32 x, bytes32 y) = p256(p);
        bytes32 h = keccak256(
            "Rotate(bytes32 folder,uint32 expectedEpoch,bytes32 keyX,bytes32 keyY,bytes32 wraps,uint32 wrapsSize,address[] recipients,uint64 nonce,uint64 deadline)");
        bytes32 list = keccak256(abi.encodePacked(to));
        return signed(by, digestOf("xinglin folders", address(folders), keccak256(abi.encode(h, folder, epoch, x, y,
            WRAP, uint32(900), list, nonce(), soon()))));
    }

    /// Through `this.`, so that a test can expect it to revert.
    function rotate(uint256 by, uint32 epoch, uint256 p, address[] memory to) public {
        (bytes32 x, bytes32 y) = p256(p);
        bytes memory s = rotateSignature(by, epoch, p, to);
        as_(HOSPITAL);
        folders.rotate(folder, epoch, x, y, WRAP, 900, to, soon(), s);
    }

    function forgetSignature(uint256 by) internal view returns (bytes memory) {
        bytes32 h = keccak256("Forget(bytes32 folder,uint64 nonce,uint64 deadline)");
        return signed(by, digestOf("xinglin folders", address(folders), keccak256(abi.encode(h, folder, nonce(),
            soon()))));
    }

    function forget() internal {
        bytes memory s = forgetSignature(PATIENT);
        as_(HOSPITAL);
        folders.forget(folder, soon(), s);
    }

    function actionOf(uint256 grantee, bytes32 record, uint8 rights, uint40 from, uint40 until) internal view
        returns (IConsent.GrantAction memory) {
        bool reads = rights & READ != 0;
        return IConsent.GrantAction(folder, record, vm.addr(grantee), rights, 1, from, until, reads ? WRAP
            : bytes32(0), reads ? 700 : 0);
    }

    function grantSignature(uint256 by, IConsent.GrantAction memory a) internal view returns (bytes memory) {
        bytes32 h = keccak256(
            "Grant(bytes32 folder,bytes32 record,address grantee,uint8 rights,uint16 purposes,uint40 from,uint40 until,bytes32 wrap,uint32 wrapSize,uint64 nonce,uint64 deadline)");
        return signed(by, digestOf("xinglin consent", address(consent), keccak256(abi.encode(
            h, a.folder, a.record, a.grantee, a.rights, a.purposes, a.from, a.until, a.wrap, a.wrapSize, nonce(),
                soon()))));
    }

    function grant(uint256 by, IConsent.GrantAction memory a) public {
        bytes memory s = grantSignature(by, a);
        as_(HOSPITAL);
        consent.grant(a, soon(), s);
    }

    function give(uint256 grantee, uint8 rights) internal {
        grant(PATIENT, actionOf(grantee, 0, rights, uint40(block.timestamp), uint40(block.timestamp + 1 days)));
    }

    function revokeSignature(uint256 by, uint256 grantee) internal view returns (bytes memory) {
        bytes32 h = keccak256("Revoke(bytes32 folder,bytes32 record,address grantee,uint64 nonce,uint64 deadline)");
        return signed(by, digestOf("xinglin consent", address(consent), keccak256(abi.encode(h, folder, bytes32(0),
            vm.addr(grantee), nonce(), soon()))));
    }

    function revoke(uint256 by, uint256 grantee) public {
        bytes memory s = revokeSignature(by, grantee);
        as_(HOSPITAL);
        consent.revoke(folder, 0, vm.addr(grantee), soon(), s);
    }

    function additionOf(uint64 n) internal view returns (IRecords.Addition memory) {
        return IRecords.Addition(folder, folders.folderOf(folder).epoch, n, "root", "blob", 0, 5000);
    }

    /// By the hospital, which is given the write right where it lacks it.
    function addRecord(uint64 n) internal returns (bytes32) {
        if (!consent.hasRight(vm.addr(HOSPITAL), folder, 0, WRITE)) give(HOSPITAL, WRITE);
        IRecords.Addition memory a = additionOf(n);
        as_(HOSPITAL);
        return records.add(a);
    }

    function erase(uint256 by, bytes32 record) public {
        bytes32 h = keccak256("Erase(bytes32 record,uint64 nonce,uint64 deadline)");
        bytes memory s = signed(by, digestOf("xinglin records", address(records), keccak256(abi.encode(h, record,
            nonce(), soon()))));
        as_(HOSPITAL);
        records.erase(record, soon(), s);
    }

    function ask(uint256 actor, bytes32 record, uint8 purpose) internal returns (IConsent.Reason reason) {
        as_(actor);
        (, reason) = consent.access(folder, record, purpose);
    }

    function breakGlass(uint256 actor) internal returns (bool permitted, uint64 review) {
        as_(actor);
        return consent.breakGlass(folder, "hash", "reason", 300);
    }

    function checkNames(IBlobGate gate, bytes memory input, bytes32 blob) internal pure {
        bytes32[] memory named = gate.blobsOf(input);
        check(named.length == 1 && named[0] == blob, "names one blob");
    }

    /// Calldata of which nothing before `size` may be missing.
    function checkNamesNoneCutShort(IBlobGate gate, bytes memory input, uint256 size) internal pure {
        check(gate.blobsOf(input).length != 0, "whole");
        for (uint256 cut = 0; cut < size; cut++) {
            bytes memory part = new bytes(cut);
            for (uint256 i = 0; i < cut; i++) part[i] = input[i];
            check(gate.blobsOf(part).length == 0, "cut short");
        }
    }

    function wrapsItem(uint32 epoch) internal view returns (bytes32) {
        return keccak256(abi.encode("wraps", folder, epoch));
    }

    function grantItem(uint256 grantee, uint32 epoch) internal view returns (bytes32) {
        return keccak256(abi.encode("grant", folder, bytes32(0), vm.addr(grantee), epoch));
    }

    /// Of the BlobErased events since vm.recordLogs.
    function erasedItems() internal returns (bytes32[] memory items) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        items = new bytes32[](logs.length);
        uint256 n = 0;
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] == IBlobGate.BlobErased.selector) items[n++] = logs[i].topics[1];
        }
        assembly ("memory-safe") {
            mstore(items, n)
        }
    }
}
