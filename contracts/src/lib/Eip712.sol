// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Typed signatures (EIP-712) of accounts, in a domain of the contract's own. The domain's salt is the genesis hash: two
/// deployments with equal chain ids and addresses share no signature. Keeps no storage.
abstract contract Eip712 {
    bytes32 private constant DOMAIN = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)");
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    bytes32 private immutable nameHash;
    bytes32 private immutable salt;

    constructor(string memory name, bytes32 genesis) {
        (nameHash, salt) = (keccak256(bytes(name)), genesis);
    }

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN, nameHash, keccak256("1"), block.chainid, address(this), salt));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    /// The account that signed; 0 for anything but 65 bytes r || s || v with a low s and v 27 or 28.
    function _signer(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        if (signature.length != 65) return address(0);
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        uint8 v = uint8(signature[64]);
        if (uint256(s) > HALF_ORDER || (v != 27 && v != 28)) return address(0);
        return ecrecover(digest, v, r, s);
    }

    /// Never true of account 0, which is what a bad signature recovers to.
    function _signedBy(address account, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        return account != address(0) && _signer(digest, signature) == account;
    }
}
