// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

contract Counter {
    event Counted(address indexed who, uint256 value);
    error TooMany(uint256 value);
    uint256 public value;
    uint256 public immutable opens;

    constructor(uint256 seconds_) {
        opens = block.timestamp + seconds_;
    }

    function add(uint256 more) external {
        if (more > 100) revert TooMany(more);
        value += more;
        emit Counted(msg.sender, value);
    }

    function open() external view returns (uint256) {
        require(block.timestamp >= opens, "too soon");
        return block.prevrandao;
    }
}
