// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {IRecords} from "../src/interfaces/IRecords.sol";
import {Roles} from "../src/Roles.sol";
import {Health} from "./Health.t.sol";
import {Vm} from "./Vm.sol";

/// Lists fold from the proved slot back to their beginning, out of events alone.
contract ListsTest is Health {
    struct Entry {
        bytes32 entry;
        uint64 n;
        bytes24 before;
        uint256 time;
    }

    Entry[] private entries;
    Vm.Log[] private logs;

    function setUp() public override {
        super.setUp();
        vm.recordLogs();
    }

    function slotOf(address target, bytes32 key, uint256 slot) private view returns (bytes24 head, uint64 count) {
        uint256 word = uint256(vm.load(target, keccak256(abi.encode(key, slot))));
        return (bytes24(bytes32(word << 64)), uint64(word >> 192));
    }

    /// From the newest to the oldest; false at the first that does not fit.
    function folds(bytes24 head, uint64 count) private view returns (bool) {
        if (entries.length != count) return false;
        for (uint256 i = count; i > 0; i--) {
            Entry storage e = entries[i - 1];
            if (e.n != i || bytes24(keccak256(abi.encode(e.before, e.n, e.time, e.entry))) != head) return false;
            head = e.before;
        }
        return head == 0;
    }

    function take(address emitter, bytes32 topic) private {
        Vm.Log[] memory all = vm.getRecordedLogs();
        for (uint256 i = 0; i < all.length; i++) {
            if (all[i].emitter == emitter && all[i].topics[0] == topic) logs.push(all[i]);
        }
    }

    function test_looks() public {
        bytes32 record = addRecord(1);
        give(DOCTOR, READ);
        vm.recordLogs();
        ask(TRUSTEE, record, TREAT);
        ask(DOCTOR, record, TREAT);
        breakGlass(EMERGENCY);
        take(address(consent), IConsent.Access.selector);
        for (uint256 i = 0; i < logs.length; i++) {
            (uint8 purpose, bool permitted, uint8 reason, uint40 until, uint64 review, uint64 n, bytes24 before) =
                abi.decode(logs[i].data, (uint8, bool, uint8, uint40, uint64, uint64, bytes24));
            address actor = address(uint160(uint256(logs[i].topics[3])));
            entries.push(Entry(keccak256(abi.encode(logs[i].topics[2], actor, purpose, permitted, reason, until,
                review)), n, before, START));
        }
        (bytes24 head, uint64 count) = slotOf(address(consent), folder, 2);
        check(count == 3 && folds(head, count), "folds");
        entries[1].entry = "another look";
        check(!folds(head, count), "a changed entry does not");
        (entries[1], entries[2]) = (entries[2], entries[1]);
        entries.pop();
        check(!folds(head, count) && !folds(head, count - 1), "one left out does not");
    }

    function test_grants() public {
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, READ);
        grant(PATIENT, g);
        vm.warp(START + 100);
        IConsent.Revoke memory r = revokeOf(PATIENT, DOCTOR);
        revoke(PATIENT, r);
        Vm.Log[] memory all = vm.getRecordedLogs();
        for (uint256 i = 0; i < all.length; i++) {
            if (all[i].topics[0] == IConsent.Granted.selector) {
                (bytes32 fact, uint64 n, bytes24 before) = tail(all[i].data);
                check(fact == grantFact(g), "the statement's fact");
                entries.push(Entry(fact, n, before, START));
            } else if (all[i].topics[0] == IConsent.Revoked.selector) {
                (bytes32 fact, uint64 n, bytes24 before) = tail(all[i].data);
                check(fact == revokeFact(r), "the statement's fact");
                entries.push(Entry(fact, n, before, START + 100));
            }
        }
        (bytes24 head, uint64 count) = slotOf(address(consent), folder, 1);
        check(count == 2 && folds(head, count), "folds");
        entries[1].time--;
        check(!folds(head, count), "the time is part of it");
    }

    /// An event's last three words.
    function tail(bytes memory data) private pure returns (bytes32 a, uint64 b, bytes24 c) {
        assembly ("memory-safe") {
            let end := add(add(data, 32), mload(data))
            a := mload(sub(end, 96))
            b := mload(sub(end, 64))
            c := mload(sub(end, 32))
        }
    }

    function test_records() public {
        bytes32 record = addRecord(1);
        addRecord(2);
        erase(PATIENT, record);
        Vm.Log[] memory all = vm.getRecordedLogs();
        for (uint256 i = 0; i < all.length; i++) {
            if (all[i].topics[0] == IRecords.RecordAdded.selector) {
                (uint32 epoch, bytes32 root, bytes32 blob, uint64 size, bytes32 facts, uint64 n, bytes24 before) =
                    abi.decode(all[i].data, (uint32, bytes32, bytes32, uint64, bytes32, uint64, bytes24));
                entries.push(Entry(keccak256(abi.encode(1, all[i].topics[2], vm.addr(HOSPITAL), epoch, root, blob, size,
                    facts)), n, before, START));
            } else if (all[i].topics[0] == IRecords.RecordErased.selector) {
                (uint64 n, bytes24 before) = abi.decode(all[i].data, (uint64, bytes24));
                entries.push(Entry(keccak256(abi.encode(2, all[i].topics[2], 0, 0, 0, 0, 0, 0)), n, before, START));
            }
        }
        (bytes24 head, uint64 count) = slotOf(address(records), folder, 1);
        check(count == 3 && folds(head, count), "folds");
    }

    function test_a_controllers_folders() public {
        openFolder("second", 60);
        (bytes24 head, uint64 count) = slotOf(address(folders), bytes32(uint256(uint160(vm.addr(PATIENT)))), 2);
        entries.push(Entry(folder, 1, 0, START));
        bytes24 first = bytes24(keccak256(abi.encode(bytes24(0), uint64(1), START, folder)));
        entries.push(Entry(folders.folderId(vm.addr(PATIENT), "second"), 2, first, START));
        check(folds(head, count), "folds");
    }

    function test_all_who_were_listed() public {
        for (uint256 key = 40; key < 43; key++) listActor(key, Roles.HOSPITAL);
        uint256 word = uint256(vm.load(address(directory), bytes32(uint256(4))));
        uint64 count = uint64(word >> 192);
        Vm.Log[] memory all = vm.getRecordedLogs();
        for (uint256 i = 0; i < all.length; i++) {
            if (all[i].topics[0] != IDirectory.ActorListed.selector) continue;
            (,, uint64 n, bytes24 before) = abi.decode(all[i].data, (uint32, string, uint64, bytes24));
            check(n == count - 2 + entries.length, "numbered from 1");
            entries.push(Entry(all[i].topics[1], n, before, START));
        }
        bytes24 head = entries[0].before;
        for (uint256 i = 0; i < 3; i++) {
            check(entries[i].before == head, "appended to the head before");
            head = bytes24(keccak256(abi.encode(head, entries[i].n, START, entries[i].entry)));
        }
        check(head == bytes24(bytes32(word << 64)) && entries[2].entry == bytes32(uint256(uint160(vm.addr(42)))),
            "folds");
    }
}
