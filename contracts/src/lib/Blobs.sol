// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Blobs' names in calldata that nobody has checked yet. Nothing here reverts: what is cut short names none.
library Blobs {
    /// The `index`-th word behind the selector as the only name; none if it is 0.
    function atWord(bytes calldata input, uint256 index) internal pure returns (bytes32[] memory blobs) {
        if (input.length < 4) return blobs;
        return _only(input[4:], index);
    }

    /// Of calldata whose first argument is a struct of dynamic size, which stands behind an offset: its `index`-th word.
    function inStruct(bytes calldata input, uint256 index) internal pure returns (bytes32[] memory blobs) {
        if (input.length < 4 + 32) return blobs;
        bytes calldata data = input[4:];
        uint256 offset = uint256(bytes32(data[0:32]));
        if (offset > data.length) return blobs;
        return _only(data[offset:], index);
    }

    function _only(bytes calldata words, uint256 index) private pure returns (bytes32[] memory blobs) {
        uint256 begin = 32 * index;
        if (words.length < begin + 32) return blobs;
        bytes32 blob = bytes32(words[begin:begin + 32]);
        if (blob == 0) return blobs;
        blobs = new bytes32[](1);
        blobs[0] = blob;
    }

    /// Of calldata whose one argument is an array of structs of `words` words each: word `index` of every element. None
    /// if there are more than `max`.
    function inArray(bytes calldata input, uint256 words, uint256 index, uint256 max) internal pure
        returns (bytes32[] memory blobs) {
        if (input.length < 4 + 2 * 32) return blobs;
        bytes calldata data = input[4:];
        uint256 offset = uint256(bytes32(data[0:32]));
        if (offset > data.length - 32) return blobs;
        uint256 count = uint256(bytes32(data[offset:offset + 32]));
        bytes calldata elements = data[offset + 32:];
        if (count > max || elements.length < count * words * 32) return blobs;
        blobs = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            uint256 begin = 32 * (i * words + index);
            blobs[i] = bytes32(elements[begin:begin + 32]);
        }
    }
}
