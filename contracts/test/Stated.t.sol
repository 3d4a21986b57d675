// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsent} from "../src/interfaces/IConsent.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {IFolders} from "../src/interfaces/IFolders.sol";
import {IProducts} from "../src/interfaces/IProducts.sol";
import {IRecords} from "../src/interfaces/IRecords.sol";
import {IStated} from "../src/interfaces/IStated.sol";
import {Base} from "./Base.t.sol";

/// Whoever sends a statement first must not be able to send it in a form that counts and that no reader takes.
contract StatedTest is Base {
    bytes[] private none;

    /// Every call that carries a statement, with statements that say nothing.
    function calls() private view returns (address[14] memory to, bytes[14] memory data) {
        IDirectory.Registrars memory set;
        IDirectory.Entry memory entry;
        IDirectory.KeyChange memory key;
        IDirectory.Standing memory standing;
        (to[0], data[0]) = (address(directory), abi.encodeCall(IDirectory.changeRegistrars, (set, none, none)));
        (to[1], data[1]) = (address(directory), abi.encodeCall(IDirectory.list, (entry, "", "", none)));
        (to[2], data[2]) = (address(directory), abi.encodeCall(IDirectory.changeKey, (key, "", "", "", none)));
        (to[3], data[3]) = (address(directory), abi.encodeCall(IDirectory.setStanding, (standing, none)));
        IFolders.Open memory open;
        IFolders.Rotate memory rotate;
        IFolders.HandOver memory handOver;
        IFolders.Forget memory forget;
        (to[4], data[4]) = (address(folders), abi.encodeCall(IFolders.open, (open, "")));
        (to[5], data[5]) = (address(folders), abi.encodeCall(IFolders.rotate, (rotate, "")));
        (to[6], data[6]) = (address(folders), abi.encodeCall(IFolders.handOver, (handOver, "", "")));
        (to[7], data[7]) = (address(folders), abi.encodeCall(IFolders.forget, (forget, "")));
        IConsent.Grant memory grant;
        IConsent.Revoke memory revoke;
        IConsent.Emergency memory emergency;
        (to[8], data[8]) = (address(consent), abi.encodeCall(IConsent.grant, (grant, "")));
        (to[9], data[9]) = (address(consent), abi.encodeCall(IConsent.revoke, (revoke, "")));
        (to[10], data[10]) = (address(consent), abi.encodeCall(IConsent.breakGlass, (emergency, "")));
        IRecords.Erase memory erase;
        (to[11], data[11]) = (address(records), abi.encodeCall(IRecords.erase, (erase, "")));
        IProducts.TagHolders memory holders;
        IProducts.RegisterProduct memory product;
        (to[12], data[12]) = (address(products), abi.encodeCall(IProducts.setTagHolders, (holders, none)));
        (to[13], data[13]) = (address(products), abi.encodeCall(IProducts.registerProduct, (product, none, "")));
    }

    function refusal(address to, bytes memory data) private returns (bytes4) {
        (bool done, bytes memory why) = to.call(data);
        check(!done, "a statement that says nothing");
        return bytes4(why);
    }

    function test_a_statement_stands_in_its_one_encoding() public {
        (address[14] memory to, bytes[14] memory data) = calls();
        for (uint256 i = 0; i < to.length; i++) {
            anyone();
            check(refusal(to[i], data[i]) != IStated.NotCanonical.selector, "as it should be");
            anyone();
            check(refusal(to[i], abi.encodePacked(data[i], bytes32(0))) == IStated.NotCanonical.selector, "a word more");
            anyone();
            check(refusal(to[i], abi.encodePacked(data[i], hex"00")) == IStated.NotCanonical.selector, "a byte more");
        }
    }

    function test_a_statement_comes_from_an_account_itself() public {
        (address[14] memory to, bytes[14] memory data) = calls();
        for (uint256 i = 0; i < to.length; i++) {
            check(refusal(to[i], data[i]) == IStated.NotTopLevel.selector, "through a contract");
        }
    }

    function test_the_closing_of_a_review_too() public {
        IConsent.CloseReview memory close;
        bytes memory data = abi.encodeCall(IConsent.closeReview, (close, ""));
        check(refusal(address(consent), data) == IStated.NotTopLevel.selector, "through a contract");
        anyone();
        check(refusal(address(consent), abi.encodePacked(data, bytes32(0))) == IStated.NotCanonical.selector, "more");
    }
}
