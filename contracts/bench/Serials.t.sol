// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SerialTable} from "../src/lib/SerialTable.sol";
import {Vm} from "../test/Vm.sol";
import {LinearHashing} from "./LinearHashing.sol";
import {Segments} from "./Segments.sol";

/// One table of a kind, and how many words of it are not 0.
abstract contract Table {
    uint256 internal units;
    uint256 internal root;
    mapping(uint256 => uint256) internal words;
    uint256 public refusals;

    function put(bytes calldata fragments) external {
        uint256 n = fragments.length / 8;
        uint256 u = units;
        for (uint256 i = 0; i < n; i++) {
            if (one(u, uint64(bytes8(fragments[8 * i:8 * i + 8])))) u++;
            else refusals++;
        }
        units = u;
    }

    function first() internal pure returns (uint256 slot) {
        slot = uint256(keccak256("the table"));
    }

    function one(uint256 u, uint64 fragment) internal virtual returns (bool);
    function size(uint256 u) external view virtual returns (uint256);

    function used(uint256 slot) internal view returns (bool is_) {
        assembly ("memory-safe") {
            is_ := gt(sload(slot), 0)
        }
    }
}

contract SegmentsTable is Table {
    function one(uint256 u, uint64 fragment) internal override returns (bool) {
        return Segments.insert(words, u, fragment);
    }

    function size(uint256 u) external view override returns (uint256 n) {
        uint256 capacity = 256;
        for (uint256 g = 0; u != 0; g++) {
            for (uint256 i = 0; i < capacity * 5 / 18 + 1; i++) {
                if (words[(g << 40) + i] != 0) n++;
            }
            u = u > capacity ? u - capacity : 0;
            capacity *= 4;
        }
    }
}

contract LinearTable is Table {
    function one(uint256 u, uint64 fragment) internal override returns (bool) {
        return LinearHashing.insert(first(), u, fragment);
    }

    function size(uint256 u) external view override returns (uint256 n) {
        for (uint256 i = 0; i <= u / 4; i++) {
            for (uint256 slot = first() + i; used(slot); slot += 1 << 40) n++;
        }
    }
}

contract SplittingTable is Table {
    function one(uint256 u, uint64 fragment) internal override returns (bool) {
        return SerialTable.insert(first(), SerialTable.guessOf(u), fragment) == SerialTable.Found.NEW;
    }

    function size(uint256 u) external view override returns (uint256 n) {
        for (uint256 i = 0; i < 2 * u + 16; i++) {
            if (used(first() + i)) n++;
        }
    }
}

/// docs/decisions: gas a fragment, and fragments a word, at several sizes. Not a part of the suite:
/// FOUNDRY_TEST=bench forge test --offline --use ./solc.mjs -vv
contract SerialsBench {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant CALL = 1000;

    event Figure(string what, uint256 units, uint256 value);

    function fragments(uint256 from, uint256 n) private pure returns (bytes memory out) {
        out = new bytes(8 * n);
        for (uint256 i = 0; i < n; i++) {
            bytes32 h = keccak256(abi.encode("serial", from + i));
            assembly ("memory-safe") {
                mstore(add(add(out, 32), mul(8, i)), h)
            }
        }
        assembly ("memory-safe") {
            mstore(out, mul(8, n))
        }
    }

    function run(Table table) private {
        uint256[6] memory sizes = [uint256(0), 10_000, 100_000, 300_000, 600_000, 1_000_000];
        uint256 units = 0;
        uint256 total = 0;
        for (uint256 s = 0; s < 6; s++) {
            while (units < sizes[s]) {
                table.put(fragments(units, CALL));
                units += CALL;
            }
            if (units != 0) emit Figure("thousandths of a slot a fragment", units, table.size(units) * 1000 / units);
            total = 0;
            for (uint256 i = 0; i < 5; i++) {
                table.put(fragments(units, CALL));
                total += vm.snapshotGasLastCall("serials");
                units += CALL;
                if (i == 0) emit Figure("gas a fragment, first call", units, total / CALL);
            }
            emit Figure("gas a fragment, five calls", units, total / CALL / 5);
        }
        emit Figure("refused", units, table.refusals());
    }

    function test_segments() public {
        run(new SegmentsTable());
    }

    function test_linear_hashing() public {
        run(new LinearTable());
    }

    function test_splitting() public {
        run(new SplittingTable());
    }
}
