// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What every contract asks of a call that carries a statement.
interface IStated {
    /// A call that makes a statement or names a blob comes from an account without code, as a transaction of its own.
    error NotTopLevel();
    /// The calldata is not the one encoding of its arguments.
    error NotCanonical();
}
