// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {Roles} from "../src/Roles.sol";
import {Health} from "./Health.t.sol";

/// docs/wire-formats.md §8: where proofs look. A member that moves makes an absent slot read as "not revoked".
contract LayoutTest is Health {
    function word(address target, bytes32 slot, uint256 i) private view returns (uint256) {
        return uint256(vm.load(target, bytes32(uint256(slot) + i)));
    }

    /// `bits` of a word from `offset` on.
    function cut(uint256 from, uint256 offset, uint256 bits) private pure returns (uint256) {
        return (from >> offset) & ((uint256(1) << bits) - 1);
    }

    function entry(bytes32 key, uint256 slot) private pure returns (bytes32) {
        return keccak256(abi.encode(key, slot));
    }

    function padded(address who) private pure returns (bytes32) {
        return bytes32(uint256(uint160(who)));
    }

    function ordinalOf(address who) private view returns (uint256 ordinal) {
        (, ordinal) = directory.standingOf(who);
        check(ordinal != 0 && directory.accountOf(uint24(ordinal)) == who, "7: accounts by ordinal");
        check(vm.load(address(directory), keccak256(abi.encode(ordinal, uint256(7)))) == padded(who), "7: accounts");
    }

    function test_an_actor() public {
        vm.roll(77);
        listActor(40, Roles.EMERGENCY);
        IDirectory.Standing memory s = standingOf(40, IDirectory.Status.ACTIVE, 99);
        anyone();
        directory.setStanding(s, byRegistrars(standingDigest(s)));
        bytes32 at = entry(padded(vm.addr(40)), 0);
        uint256 w = word(address(directory), at, 0);
        check(cut(w, 0, 32) == Roles.EMERGENCY && cut(w, 32, 8) == 1 && cut(w, 40, 32) == 1, "roles, status, version");
        check(cut(w, 72, 32) == 0 && cut(w, 104, 40) == START && cut(w, 144, 40) == START
            && cut(w, 184, 40) == START && w >> 224 == ordinalOf(vm.addr(40)), "set to keyFrom, ordinal");
        IDirectory.Actor memory a = directory.actorOf(vm.addr(40));
        check(word(address(directory), at, 1) == uint256(a.entry) && a.entry != 0, "+1 entry");
        check(word(address(directory), at, 2) == uint256(a.key), "+2 key");
        w = word(address(directory), at, 3);
        check(cut(w, 0, 40) == 77 && cut(w, 40, 40) == 77 && cut(w, 80, 64) == 1 && cut(w, 144, 16) == 99
            && w >> 160 == 0, "+3 entryAt, keyAt, number, emergenciesADay");
        (bytes32 x, bytes32 y) = p256(40);
        check(word(address(directory), at, 4) == uint256(x) && word(address(directory), at, 5) == uint256(y), "+4 key");
    }

    function test_the_registrars() public view {
        (, bytes32 statement,,) = directory.registrarsOf();
        check(word(address(directory), 0, 1) == uint256(statement), "1: the statement");
        uint256 w = word(address(directory), 0, 2);
        check(cut(w, 0, 32) == 0 && cut(w, 32, 8) == 2 && cut(w, 40, 32) == 0 && cut(w, 72, 40) != 0, "2: the rest");
    }

    function test_all_who_were_listed() public {
        uint256 before = word(address(directory), 0, 4);
        listActor(40, Roles.HOSPITAL);
        uint256 w = word(address(directory), 0, 4);
        check(w >> 192 == (before >> 192) + 1, "4: the list's count");
        bytes24 head = bytes24(keccak256(abi.encode(bytes24(bytes32(before << 64)), w >> 192, START,
            padded(vm.addr(40)))));
        check(bytes24(bytes32(w << 64)) == head, "4: its head");
    }

    function test_when_keys_came_in_force() public view {
        bytes32 at = entry(bytes32(uint256(1)), uint256(entry(padded(vm.addr(HOSPITAL)), 5)));
        check(word(address(directory), at, 0) == START, "5: by actor and version");
    }

    function test_a_folder() public {
        vm.roll(78);
        rotate(PATIENT, rotateOf(PATIENT, 1001));
        vm.roll(79);
        IFolders.HandOver memory h = handOverOf(STRANGER);
        handOver(PATIENT, STRANGER, h);
        bytes32 at = entry(folder, 0);
        uint256 w = word(address(folders), at, 0);
        check(cut(w, 0, 160) == uint160(vm.addr(STRANGER)) && cut(w, 160, 32) == 2 && cut(w, 192, 32) == 1
            && cut(w, 224, 16) == 60 && cut(w, 240, 8) == 0 && cut(w, 248, 8) == 1,
            "controller, epoch, handOver, minutes, closed, owed");
        w = word(address(folders), at, 1);
        check(cut(w, 0, 64) == h.number && cut(w, 64, 40) == 78 && cut(w, 104, 40) == 79 && cut(w, 144, 8) == 1
            && cut(w, 152, 8) == 1 && w >> 160 == 0, "+1 number, epochAt, handOverAt, threshold, trustees");
        as_(TRUSTEE);
        folders.refuseShare(folder);
        check(word(address(folders), at, 1) >> 160 == 1, "sharesRefused");
        check(word(address(folders), at, 2) == uint256(handOverFact(h)), "+2 hand-over");
        (bytes32 x,) = p256(1001);
        check(word(address(folders), at, 3) == uint256(x), "+3 keyX");
        bytes32 epoch = entry(bytes32(uint256(2)), uint256(entry(folder, 1)));
        check(word(address(folders), epoch, 0) == uint256(folders.epochOf(folder, 2)), "1: epochs");
        check(word(address(folders), entry(padded(vm.addr(PATIENT)), 2), 0) >> 192 == 1
            && word(address(folders), entry(padded(vm.addr(STRANGER)), 2), 0) >> 192 == 1, "2: lists of folders");
        check(word(address(folders), entry(folder, 3), 0) == uint256(h.auditX)
            && word(address(folders), entry(folder, 3), 1) == uint256(h.auditY), "3: audit keys");
    }

    function test_a_grant() public {
        vm.roll(80);
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, READ);
        grant(PATIENT, g);
        bytes32 key = keccak256(abi.encode(folder, bytes32(0), vm.addr(DOCTOR)));
        bytes32 at = entry(key, 0);
        uint256 w = word(address(consent), at, 0);
        check(cut(w, 0, 8) == READ && cut(w, 8, 16) == 1 && cut(w, 24, 40) == g.from && cut(w, 64, 40) == g.until,
            "rights, purposes, from, until");
        check(cut(w, 104, 8) == 0 && cut(w, 112, 32) == 1 && cut(w, 144, 32) == 1 && cut(w, 176, 40) == 80
            && w >> 216 == 0, "revoked, epoch, count, statedAt");
        check(word(address(consent), at, 1) == uint256(grantFact(g)), "+1 fact");
        check(word(address(consent), at, 2) == 0, "+2 delegate");
        IConsent.Revoke memory r = revokeOf(PATIENT, DOCTOR);
        revoke(PATIENT, r);
        check(cut(word(address(consent), at, 0), 104, 8) == 1, "revoked");
        check(word(address(consent), at, 1) == uint256(revokeFact(r)), "its fact");
        check(word(address(consent), entry(folder, 1), 0) >> 192 == 2, "1: the list of grants");
    }

    function test_a_delegate_in_a_grant() public {
        give(DOCTOR, READ | SHARE);
        grant(DOCTOR, grantOf(DOCTOR, NODE, 0, READ));
        bytes32 key = keccak256(abi.encode(folder, bytes32(0), vm.addr(NODE)));
        check(word(address(consent), entry(key, 0), 2) == uint160(vm.addr(DOCTOR)), "+2");
    }

    function test_looks_reviews_and_anchors() public {
        vm.roll(81);
        breakGlass(EMERGENCY);
        check(word(address(consent), entry(folder, 2), 0) >> 192 == 1, "2: the list of looks");
        bytes32 at = entry(bytes32(uint256(1)), 3);
        uint256 w = word(address(consent), at, 0);
        check(cut(w, 0, 160) == uint160(vm.addr(EMERGENCY)) && cut(w, 160, 40) == START + 60 minutes
            && cut(w, 200, 8) == 1 && cut(w, 208, 40) == 81 && w >> 248 == 0, "3: actor, until, open, statedAt");
        check(word(address(consent), at, 1) == uint256(folder), "+1 folder");
        check(word(address(consent), at, 2) == uint256(emergencyFact(emergencyOf(EMERGENCY))), "+2 fact");
        check(word(address(consent), at, 3) == 0, "+3 closedBy");
        as_(REGULATOR);
        consent.closeReview(IConsent.CloseReview(1, true, vm.addr(REGULATOR), address(0), 1, soon()), "");
        w = word(address(consent), at, 0);
        check(cut(w, 200, 8) == 0 && w >> 248 == 1, "closed, justified");
        check(word(address(consent), at, 3) == uint160(vm.addr(REGULATOR)), "+3 closedBy");
        as_(NODE);
        consent.anchorAudit("root", 3);
        at = entry(padded(vm.addr(NODE)), 4);
        check(vm.load(address(consent), at) == "root", "4: root");
        w = word(address(consent), at, 1);
        check(cut(w, 0, 64) == 3 && cut(w, 64, 40) == START && w >> 104 == 0, "+1 count, time");
    }

    function test_windows_items_and_the_newest_review() public {
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, READ);
        g.purposes = 5;
        grant(PATIENT, g);
        ask(DOCTOR, 0, 2);
        bytes32 key = keccak256(abi.encode(folder, bytes32(0), vm.addr(DOCTOR)));
        check(word(address(consent), entry(key, 5), 0) == (START + 30 minutes) << 64, "5: windows, by purpose");
        breakGlass(EMERGENCY);
        key = keccak256(abi.encode(folder, bytes32(0), vm.addr(EMERGENCY)));
        check(word(address(consent), entry(key, 6), 0) == 1, "6: the newest review");
        bytes32 at = entry(keccak256(abi.encode("reason", uint64(1))), 7);
        uint256 w = word(address(consent), at, 0);
        check(cut(w, 0, 8) == 2 && cut(w, 8, 8) == 0 && cut(w, 16, 64) == 1
            && cut(w, 80, 160) == uint160(vm.addr(EMERGENCY)) && w >> 240 == 0,
            "7: kind, erased, review, subject, refused");
        check(word(address(consent), at, 1) == uint256(folder), "+1 folder");
        check(word(address(consent), entry(grantItem(DOCTOR, 0, 1, 1), 7), 0) & 0xff == 1, "a grant's");
        as_(TRUSTEE);
        consent.release(1, 1, "share", 100);
        as_(EMERGENCY);
        consent.refuseRelease(1, 1, vm.addr(TRUSTEE));
        at = entry(keccak256(abi.encode("release", uint64(1), vm.addr(TRUSTEE), uint32(1))), 7);
        check(word(address(consent), at, 0) >> 240 == 1 && word(address(consent), at, 0) & 0xff == 3, "refused");
        check(word(address(consent), at, 2) == uint256(bytes32("share")), "+2 the blob");
        check(word(address(consent), 0, 12) == 1, "12: how many reviews there are");
    }

    function test_members_and_trustees() public view {
        bytes32 at = entry(padded(vm.addr(registrarKeys[1])), uint256(entry(0, 3)));
        check(word(address(directory), at, 0) == 1, "3: members of a set");
        at = entry(folder, 4);
        check(word(address(folders), at, 0) == 1
            && word(address(folders), keccak256(abi.encode(at)), 0) == uint160(vm.addr(TRUSTEE)), "4: trustees");
    }

    function test_records() public {
        addRecord(1);
        check(word(address(records), entry(folder, 1), 0) >> 192 == 1, "1: the list of records");
    }
}
