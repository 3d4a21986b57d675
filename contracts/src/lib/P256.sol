// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// NIST P-256: signatures by the precompile of EIP-7951, and points.
library P256 {
    uint256 private constant P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff;
    uint256 private constant B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b;

    /// `signature` is r || s over `hash`.
    function verify(bytes32 hash, bytes calldata signature, bytes32 x, bytes32 y) internal view returns (bool) {
        if (signature.length != 64) return false;
        (bool done, bytes memory answer) = address(0x100).staticcall(abi.encodePacked(hash, signature, x, y));
        return done && answer.length == 32 && uint256(bytes32(answer)) == 1;
    }

    function isOnCurve(bytes32 keyX, bytes32 keyY) internal pure returns (bool) {
        uint256 x = uint256(keyX);
        uint256 y = uint256(keyY);
        if (x >= P || y >= P) return false;
        uint256 right = addmod(mulmod(mulmod(x, x, P), x, P), addmod(mulmod(P - 3, x, P), B, P), P);
        return mulmod(y, y, P) == right;
    }
}
