// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "../src/interfaces/IBlobGate.sol";
import {IConsent} from "../src/interfaces/IConsent.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {IRecords} from "../src/interfaces/IRecords.sol";
import {Base} from "./Base.t.sol";
import {Vm} from "./Vm.sol";

/// A folder of PATIENT's with one trustee, relayed by the hospital, and what PATIENT signs. Statements are made by
/// `…Of`, hashed by `…Fact` as EIP-712 says, and sent by public functions, which a test calls through `this.` if it
/// expects them to revert.
abstract contract Health is Base {
    uint8 internal constant READ = 1;
    uint8 internal constant WRITE = 2;
    uint8 internal constant SHARE = 4;
    uint8 internal constant ROTATE = 8;
    uint8 internal constant TREAT = 0;
    uint8 internal constant ETREAT = 1;
    bytes32 internal constant SALT = "salt";
    bytes32 internal constant WRAP = "a wrap's blob";
    string private constant GLASS_TYPE =
        "Glass(uint16 minutes,uint8 threshold,address[] trustees,bytes32[] commitments)";

    bytes32 internal folder;

    function setUp() public virtual override {
        super.setUp();
        folder = openFolder(SALT, 60);
    }

    // What is signed.

    function inFolders(bytes32 fact) internal view returns (bytes32) {
        return digestOf("xinglin folders", address(folders), fact);
    }

    function inConsent(bytes32 fact) internal view returns (bytes32) {
        return digestOf("xinglin consent", address(consent), fact);
    }

    function inRecords(bytes32 fact) internal view returns (bytes32) {
        return digestOf("xinglin records", address(records), fact);
    }

    function next(uint256 by) internal view returns (uint64) {
        return folders.numberOf(folder, vm.addr(by)) + 1;
    }

    function trustees() internal pure returns (address[] memory t) {
        t = new address[](1);
        t[0] = vm.addr(TRUSTEE);
    }

    function glassOf(uint16 minutes_, address[] memory t) internal pure returns (IFolders.Glass memory) {
        return IFolders.Glass(minutes_, t.length == 0 ? 0 : 1, t, new bytes32[](0));
    }

    function glassHash(IFolders.Glass memory g) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(bytes(GLASS_TYPE)), g.minutes_, g.threshold,
            keccak256(abi.encodePacked(g.trustees)), keccak256(abi.encodePacked(g.commitments))));
    }

    // Folders.

    function openOf(bytes32 salt, uint16 minutes_) internal view returns (IFolders.Open memory o) {
        (o.controller, o.salt) = (vm.addr(PATIENT), salt);
        (o.keyX, o.keyY) = p256(1000);
        (o.auditX, o.auditY) = p256(1500);
        (o.wraps, o.wrapsSize, o.glass) = (WRAP, 900, glassOf(minutes_, trustees()));
        (o.label, o.deadline) = ("a sealed label", soon());
    }

    function openFact(IFolders.Open memory o) internal pure returns (bytes32) {
        bytes32 t = keccak256(abi.encodePacked(
            "Open(address controller,bytes32 salt,bytes32 keyX,bytes32 keyY,bytes32 auditX,bytes32 auditY,"
            "bytes32 wraps,uint32 wrapsSize,Glass glass,bytes label,address relay,uint64 deadline)",
            GLASS_TYPE));
        return keccak256(abi.encode(t, o.controller, o.salt, o.keyX, o.keyY, o.auditX, o.auditY, o.wraps, o.wrapsSize,
            glassHash(o.glass), keccak256(o.label), o.relay, o.deadline));
    }

    function open(uint256 by, IFolders.Open memory o) public returns (bytes32) {
        bytes memory s = signed(by, inFolders(openFact(o)));
        as_(HOSPITAL);
        return folders.open(o, s);
    }

    function openFolder(bytes32 salt, uint16 minutes_) internal returns (bytes32) {
        return open(PATIENT, openOf(salt, minutes_));
    }

    /// To the next epoch, with P-256 key number `p` and everything else as it was.
    function rotateOf(uint256 by, uint256 p) internal view returns (IFolders.Rotate memory r) {
        r.folder = folder;
        r.epoch = folders.folderOf(folder).epoch + 1;
        r.previous = folders.epochOf(folder, r.epoch - 1);
        (r.keyX, r.keyY) = p256(p);
        (r.wraps, r.wrapsSize, r.glass) = (WRAP, 900, glassOf(60, trustees()));
        (r.by, r.number, r.deadline) = (vm.addr(by), next(by), soon());
    }

    function rotateFact(IFolders.Rotate memory r) internal pure returns (bytes32) {
        bytes32 t = keccak256(abi.encodePacked(
            "Rotate(bytes32 folder,uint32 epoch,bytes32 previous,bytes32 keyX,bytes32 keyY,bytes32 wraps,"
            "uint32 wrapsSize,Glass glass,address[] recipients,address by,address relay,uint64 number,"
            "uint64 deadline)",
            GLASS_TYPE));
        return keccak256(abi.encode(t, r.folder, r.epoch, r.previous, r.keyX, r.keyY, r.wraps, r.wrapsSize,
            glassHash(r.glass), keccak256(abi.encodePacked(r.recipients)), r.by, r.relay, r.number, r.deadline));
    }

    function rotate(uint256 by, IFolders.Rotate memory r) public {
        bytes memory s = signed(by, inFolders(rotateFact(r)));
        as_(HOSPITAL);
        folders.rotate(r, s);
    }

    function handOverOf(uint256 to) internal view returns (IFolders.HandOver memory h) {
        IFolders.Head memory head = folders.folderOf(folder);
        (h.folder, h.handOver, h.previous) = (folder, head.handOver + 1, head.handOverFact);
        h.controller = vm.addr(to);
        (h.auditX, h.auditY) = p256(1600);
        (h.number, h.deadline) = (head.number + 1, soon());
    }

    function handOverFact(IFolders.HandOver memory h) internal pure returns (bytes32) {
        bytes32 t = keccak256(
            "HandOver(bytes32 folder,uint32 handOver,bytes32 previous,address controller,bytes32 auditX,"
            "bytes32 auditY,address relay,uint64 number,uint64 deadline)");
        return keccak256(abi.encode(t, h));
    }

    function handOver(uint256 from, uint256 to, IFolders.HandOver memory h) public {
        bytes32 d = inFolders(handOverFact(h));
        (bytes memory old, bytes memory fresh) = (signed(from, d), signed(to, d));
        as_(HOSPITAL);
        folders.handOver(h, old, fresh);
    }

    function forgetOf() internal view returns (IFolders.Forget memory) {
        return IFolders.Forget(folder, address(0), next(PATIENT), soon());
    }

    function forgetDigest(IFolders.Forget memory f) internal view returns (bytes32) {
        return inFolders(keccak256(abi.encode(
            keccak256("Forget(bytes32 folder,address relay,uint64 number,uint64 deadline)"), f)));
    }

    function forget() internal {
        IFolders.Forget memory f = forgetOf();
        bytes memory s = signed(PATIENT, forgetDigest(f));
        as_(HOSPITAL);
        folders.forget(f, s);
    }

    // Consent.

    function grantOf(uint256 by, uint256 grantee, bytes32 record, uint8 rights) internal view
        returns (IConsent.Grant memory g) {
        (g.folder, g.record, g.grantee, g.rights) = (folder, record, vm.addr(grantee), rights);
        (g.keyVersion, g.epoch) = (1, folders.folderOf(folder).epoch);
        (g.purposes, g.from, g.until) = (1, uint40(block.timestamp), uint40(block.timestamp + 1 days));
        if (rights & READ != 0) (g.wrap, g.wrapSize) = (WRAP, 700);
        (g.by, g.number, g.deadline) = (vm.addr(by), next(by), soon());
    }

    function grantFact(IConsent.Grant memory g) internal pure returns (bytes32) {
        bytes32 t = keccak256(
            "Grant(bytes32 folder,bytes32 record,address grantee,uint32 keyVersion,uint8 rights,"
            "uint16 purposes,uint40 from,uint40 until,uint32 epoch,bytes32 wrap,uint32 wrapSize,address by,"
            "address relay,uint64 number,uint64 deadline)");
        return keccak256(abi.encode(t, g));
    }

    function grant(uint256 by, IConsent.Grant memory g) public {
        bytes memory s = signed(by, inConsent(grantFact(g)));
        as_(HOSPITAL);
        consent.grant(g, s);
    }

    function give(uint256 grantee, uint8 rights) internal {
        grant(PATIENT, grantOf(PATIENT, grantee, 0, rights));
    }

    function revokeOf(uint256 by, uint256 grantee) internal view returns (IConsent.Revoke memory) {
        return IConsent.Revoke(folder, 0, vm.addr(grantee), vm.addr(by), address(0), next(by), soon());
    }

    function revokeFact(IConsent.Revoke memory r) internal pure returns (bytes32) {
        bytes32 t = keccak256(
            "Revoke(bytes32 folder,bytes32 record,address grantee,address by,address relay,uint64 number,"
            "uint64 deadline)");
        return keccak256(abi.encode(t, r));
    }

    function revoke(uint256 by, IConsent.Revoke memory r) public {
        bytes memory s = signed(by, inConsent(revokeFact(r)));
        as_(HOSPITAL);
        consent.revoke(r, s);
    }

    function take(uint256 grantee) internal {
        revoke(PATIENT, revokeOf(PATIENT, grantee));
    }

    function ask(uint256 actor, bytes32 record, uint8 purpose) internal returns (IConsent.Reason reason) {
        as_(actor);
        (, reason,) = consent.access(folder, record, purpose);
    }

    function emergencyOf(uint256 actor) internal view returns (IConsent.Emergency memory) {
        return IConsent.Emergency(folder, vm.addr(actor), "hash", "reason", 300, soon());
    }

    function emergencyFact(IConsent.Emergency memory e) internal pure returns (bytes32) {
        bytes32 t = keccak256(
            "Emergency(bytes32 folder,address actor,bytes32 reasonHash,bytes32 reason,uint32 reasonSize,"
            "uint64 deadline)");
        return keccak256(abi.encode(t, e));
    }

    function breakGlass(uint256 actor) public returns (bool permitted, uint64 review) {
        IConsent.Emergency memory e = emergencyOf(actor);
        bytes memory s = signed(actor, inConsent(emergencyFact(e)));
        as_(actor);
        return consent.breakGlass(e, s);
    }

    // Records.

    function additionOf(uint64 n) internal view returns (IRecords.Addition memory) {
        return IRecords.Addition(folder, folders.folderOf(folder).epoch, n, "root", "blob", 0, 5000);
    }

    /// By the hospital, which is given the write right if it lacks it.
    function addRecord(uint64 n) internal returns (bytes32) {
        if (!consent.hasRight(vm.addr(HOSPITAL), folder, 0, WRITE)) give(HOSPITAL, WRITE);
        IRecords.Addition memory a = additionOf(n);
        as_(HOSPITAL);
        return records.add(a);
    }

    function erase(uint256 by, bytes32 record) public {
        IRecords.Erase memory e = IRecords.Erase(record, address(0), next(PATIENT), soon());
        bytes32 t = keccak256("Erase(bytes32 record,address relay,uint64 number,uint64 deadline)");
        bytes memory s = signed(by, inRecords(keccak256(abi.encode(t, e))));
        as_(HOSPITAL);
        records.erase(e, s);
    }

    // Gates.

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

    function grantItem(uint256 grantee, bytes32 record, uint32 epoch, uint32 count) internal view returns (bytes32) {
        return keccak256(abi.encode("grant", folder, record, vm.addr(grantee), epoch, count));
    }

    function only(bytes32 item) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = item;
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
