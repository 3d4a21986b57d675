// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBlobGate} from "../interfaces/IBlobGate.sol";

/// Calls that name blobs come from an account itself and not through code (EIP-7702's included): a node's pool reads the
/// names out of a transaction's own calldata and would not see an inner call's. Keeps no storage.
abstract contract TopLevel is IBlobGate {
    modifier topLevel() {
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotTopLevel();
        _;
    }
}
