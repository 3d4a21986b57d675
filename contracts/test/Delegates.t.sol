// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {Health} from "./Health.t.sol";

/// The rights to share and to rotate, which the controller gives; DOCTOR is the delegate.
contract DelegatesTest is Health {
    function delegate(uint8 rights) private {
        IConsent.Grant memory g = grantOf(PATIENT, DOCTOR, 0, rights);
        g.purposes = 3;
        grant(PATIENT, g);
    }

    function refuse(IConsent.Grant memory g, bytes4 why) private {
        vm.expectRevert(why);
        this.grant(DOCTOR, g);
    }

    function test_who_may_share_grants_within_its_own_rights() public {
        delegate(READ | WRITE | SHARE | ROTATE);
        grant(DOCTOR, grantOf(DOCTOR, HOSPITAL, 0, READ | WRITE));
        check(consent.hasRight(vm.addr(HOSPITAL), folder, 0, READ | WRITE), "given");
        check(consent.grantOf(folder, 0, vm.addr(HOSPITAL)).delegate == vm.addr(DOCTOR), "by whom");
        check(consent.grantOf(folder, 0, vm.addr(DOCTOR)).delegate == address(0), "by the controller");
    }

    function test_never_wider_or_longer_than_its_own() public {
        delegate(READ | SHARE | ROTATE);
        refuse(grantOf(DOCTOR, HOSPITAL, 0, WRITE), IConsent.BeyondOwnRight.selector);
        refuse(grantOf(DOCTOR, HOSPITAL, 0, READ | SHARE), IConsent.BeyondOwnRight.selector);
        refuse(grantOf(DOCTOR, HOSPITAL, 0, READ | ROTATE), IConsent.BeyondOwnRight.selector);
        IConsent.Grant memory g = grantOf(DOCTOR, HOSPITAL, 0, READ);
        g.purposes = 4;
        refuse(g, IConsent.BeyondOwnRight.selector);
        g = grantOf(DOCTOR, HOSPITAL, 0, READ);
        g.until++;
        refuse(g, IConsent.BeyondOwnRight.selector);
        refuse(grantOf(DOCTOR, DOCTOR, 0, READ), IConsent.BeyondOwnRight.selector);
    }

    function test_without_the_right_or_after_its_end_nothing_is_shared() public {
        refuse(grantOf(DOCTOR, HOSPITAL, 0, READ), IConsent.NotController.selector);
        delegate(READ);
        refuse(grantOf(DOCTOR, HOSPITAL, 0, READ), IConsent.NotController.selector);
        delegate(READ | SHARE);
        setStatus(DOCTOR, IDirectory.Status.SUSPENDED);
        refuse(grantOf(DOCTOR, HOSPITAL, 0, READ), IConsent.NotController.selector);
        setStatus(DOCTOR, IDirectory.Status.ACTIVE);
        take(DOCTOR);
        refuse(grantOf(DOCTOR, HOSPITAL, 0, READ), IConsent.NotController.selector);
        delegate(READ | SHARE);
        vm.warp(block.timestamp + 1 days);
        refuse(grantOf(DOCTOR, HOSPITAL, 0, READ), IConsent.NotController.selector);
    }

    function test_a_delegate_neither_ends_nor_revives_what_the_controller_stated() public {
        delegate(READ | SHARE);
        give(HOSPITAL, READ);
        refuse(grantOf(DOCTOR, HOSPITAL, 0, READ), IConsent.BeyondOwnRight.selector);
        IConsent.Revoke memory r = revokeOf(DOCTOR, HOSPITAL);
        vm.expectRevert(IConsent.BeyondOwnRight.selector);
        this.revoke(DOCTOR, r);
        take(HOSPITAL);
        refuse(grantOf(DOCTOR, HOSPITAL, 0, READ), IConsent.BeyondOwnRight.selector);
    }

    function test_a_delegate_takes_back_what_it_gave_and_the_controller_takes_all() public {
        delegate(READ | SHARE);
        grant(DOCTOR, grantOf(DOCTOR, HOSPITAL, 0, READ));
        revoke(DOCTOR, revokeOf(DOCTOR, HOSPITAL));
        check(!consent.hasRight(vm.addr(HOSPITAL), folder, 0, READ), "taken back");
        grant(DOCTOR, grantOf(DOCTOR, HOSPITAL, 0, READ));
        take(HOSPITAL);
        check(!consent.hasRight(vm.addr(HOSPITAL), folder, 0, READ), "the controller");
        refuse(grantOf(DOCTOR, HOSPITAL, 0, READ), IConsent.BeyondOwnRight.selector);
    }

    /// A delegate's numbers are its own: it can neither use up the controller's nor run before them.
    function test_a_delegate_cannot_block_its_own_revocation() public {
        delegate(READ | SHARE);
        IConsent.Revoke memory r = revokeOf(PATIENT, DOCTOR);
        IConsent.Grant memory g = grantOf(DOCTOR, HOSPITAL, 0, READ);
        g.number = type(uint64).max;
        grant(DOCTOR, g);
        revoke(PATIENT, r);
        check(!consent.hasRight(vm.addr(DOCTOR), folder, 0, SHARE), "revoked");
    }

    /// What the new controller signed as a delegate is void too.
    function test_a_hand_over_takes_a_number_above_both_sides_last_ones() public {
        delegate(READ | SHARE);
        IConsent.Grant memory g = grantOf(DOCTOR, HOSPITAL, 0, READ);
        g.number = 70;
        grant(DOCTOR, g);
        IFolders.HandOver memory h = handOverOf(DOCTOR);
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleNumber.selector, uint64(70)));
        this.handOver(PATIENT, DOCTOR, h);
        h.number = 70;
        vm.expectRevert(abi.encodeWithSelector(IFolders.StaleNumber.selector, uint64(70)));
        this.handOver(PATIENT, DOCTOR, h);
        h.number = 71;
        handOver(PATIENT, DOCTOR, h);
        check(folders.numberOf(folder, vm.addr(DOCTOR)) == 71 && folders.numberOf(folder, vm.addr(PATIENT)) == 71,
            "for both");
    }

    function test_who_may_rotate_rotates_and_keeps_the_glass_policy() public {
        delegate(READ | ROTATE);
        rotate(DOCTOR, rotateOf(DOCTOR, 1001));
        check(folders.folderOf(folder).epoch == 2, "rotated");
        IFolders.Rotate memory r = rotateOf(DOCTOR, 1002);
        r.glass = glassOf(61, trustees());
        vm.expectRevert(IFolders.BadGlass.selector);
        this.rotate(DOCTOR, r);
        r.glass = glassOf(60, new address[](0));
        vm.expectRevert(IFolders.BadGlass.selector);
        this.rotate(DOCTOR, r);
        delegate(READ | SHARE);
        r = rotateOf(DOCTOR, 1002);
        vm.expectRevert(IFolders.NotController.selector);
        this.rotate(DOCTOR, r);
    }

    function test_a_delegate_forgets_erases_and_hands_over_nothing() public {
        delegate(READ | WRITE | SHARE | ROTATE);
        bytes32 record = addRecord(1);
        vm.expectRevert(IFolders.BadSignature.selector);
        this.erase(DOCTOR, record);
        IFolders.HandOver memory h = handOverOf(STRANGER);
        vm.expectRevert(IFolders.BadSignature.selector);
        this.handOver(DOCTOR, STRANGER, h);
    }
}
