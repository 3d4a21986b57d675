// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IStated} from "../interfaces/IStated.sol";

/// Statements are read back from the calldata of transactions, and names of blobs by a node's pool. So such calls come
/// from an account itself, and a statement stands in the one encoding that readers take. Otherwise anybody could send
/// it first, in a form that counts and that nobody can read. Keeps no storage.
abstract contract Stated is IStated {
    modifier topLevel() {
        _requireTopLevel();
        _;
    }

    /// `canonical`: the call as abi.encodeCall gives it.
    modifier stated(bytes memory canonical) {
        _requireTopLevel();
        if (keccak256(canonical) != keccak256(msg.data)) revert NotCanonical();
        _;
    }

    function _requireTopLevel() private view {
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotTopLevel();
    }
}
