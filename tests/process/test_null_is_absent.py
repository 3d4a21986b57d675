"""Null is absent: each optional parameter, and each optional member of a parameter, that is sent as null is as if it
were left out.

The requests are generated from the program's own table of methods and from the members that each kind of object may
have, so that a new method without an example here fails the test.
"""
import json
import re
import subprocess

import pytest

from machine import Node, binary

A, B = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0x" + "0b" * 20
HASH = "0x" + "11" * 32

CALL = ["from", "to", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "nonce", "data", "input",
        "chainId", "accessList", "maxFeePerBlobGas", "blobVersionedHashes", "authorizationList"]
BLOCK_ID = ["blockHash", "blockNumber", "requireCanonical"]
FILTER = ["fromBlock", "toBlock", "blockHash", "address", "topics"]
ACCOUNT = ["nonce", "code", "balance", "state", "stateDiff", "movePrecompileToAddress"]
BLOCK = ["number", "difficulty", "time", "gasLimit", "feeRecipient", "prevRandao", "baseFeePerGas", "blobBaseFee",
         "beaconRoot", "withdrawals"]
TRACER = ["tracer", "tracerConfig", "disableStack", "disableStorage", "enableMemory", "enableReturnData", "limit",
          "timeout", "reexec", "stateOverrides", "blockOverrides"]
TRACER_OWN = ["onlyTopCall", "withLog", "diffMode", "disableCode", "disableStorage", "includeEmpty"]


def node_of(kind, **members):
    """An object in an example: what it holds, and which members it may hold besides."""
    return {"?": kind, **members}


def call(**members):
    return node_of(CALL, **({"from": A, "to": B} | members))


def tracer():
    return node_of(TRACER, tracer="callTracer", tracerConfig=node_of(TRACER_OWN),
                   stateOverrides=overrides(), blockOverrides=node_of(BLOCK))


def overrides():
    return {B: node_of(ACCOUNT, balance="0x1"), A: node_of(ACCOUNT, stateDiff={HASH: HASH})}


def block_id():
    return node_of(BLOCK_ID, blockNumber="0x1")


LIST = node_of(["storageKeys"], address=B)
# method -> examples of parameters; all optional ones are given. The methods that are not here take no object and no
# optional parameter.
EXAMPLES = {
    "anvil_mine": [["0x1", "0x1"]],
    "anvil_reorg": [["0x1", []]],
    "anvil_rollback": [["0x1"]],
    "anvil_reset": [[node_of(["forking"])], [{"forking": node_of(["jsonRpcUrl", "blockNumber"])}]],
    "debug_getRawBlock": [[block_id()]],
    "debug_getRawHeader": [[block_id()]],
    "debug_getRawReceipts": [[block_id()]],
    "debug_traceBlockByHash": [["H1", tracer()]],
    "debug_traceBlockByNumber": [["0x1", tracer()]],
    "debug_traceCall": [[call(), "latest", tracer()], [call(), block_id(), tracer()]],
    "debug_traceTransaction": [["T1", tracer()]],
    "eth_call": [[call(), "latest", overrides(), node_of(BLOCK)], [call(), block_id()],
                 [call(accessList=[LIST]), node_of(BLOCK_ID, blockHash="H1")]],
    "eth_createAccessList": [[call(), "latest", overrides()]],
    "eth_estimateGas": [[call(), "latest", overrides(), node_of(BLOCK)]],
    "eth_feeHistory": [["0x1", "latest", [50]]],
    "eth_fillTransaction": [[call()]],
    "eth_getBalance": [[A, block_id()], [A, node_of(BLOCK_ID, blockHash="H1")]],
    "eth_getBlockByHash": [["H1", False]],
    "eth_getBlockByNumber": [["0x1", False]],
    "eth_getBlockReceipts": [[block_id()]],
    "eth_getCode": [[A, block_id()]],
    "eth_getLogs": [[node_of(FILTER, fromBlock="0x0", toBlock="latest")], [node_of(FILTER, blockHash="H1")]],
    "eth_getProof": [[A, [], block_id()]],
    "eth_getStorageAt": [[A, "0x0", block_id()]],
    "eth_getStorageValues": [[{A: ["0x0"]}, block_id()]],
    "eth_getTransactionCount": [[A, block_id()]],
    "eth_newFilter": [[node_of(FILTER, fromBlock="0x0")]],
    "eth_newPendingTransactionFilter": [[False]],
    "eth_resend": [[call(nonce="0x7", gas="0x5208"), "0x77359400", "0x5208"]],
    "eth_sendRawTransactionSync": [["0x00", "0x1"]],
    "eth_sendTransaction": [[call(value="0x1")]],
    "eth_sendUnsignedTransaction": [[call(value="0x1", **{"from": B})]],
    "eth_signTransaction": [[call(gas="0x5208", nonce="0x0", maxFeePerGas="0x77359400", maxPriorityFeePerGas="0x1")]],
    "eth_simulateV1": [[node_of(["traceTransfers", "validation", "returnFullTransactions"], blockStateCalls=[
        node_of(["blockOverrides", "stateOverrides", "calls"], blockOverrides=node_of(BLOCK, time="0xffffffff"),
                stateOverrides=overrides(), calls=[call()])]), block_id()]],
    "evm_mine": [["0xffffffff"], [node_of(["blocks", "timestamp"])]],
    "hardhat_mine": [["0x1", "0x1"]],
    "hardhat_reset": [[node_of(["forking"])]],
    "personal_sign": [["0x00", A, "password"]],
    "debug_traceBlock": [],      # test_trace's RLP; its config is debug_traceBlockByHash's
    "eth_subscribe": [],         # over WebSocket; its criteria are eth_newFilter's
}


def plain(value):
    """The example without its notes."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if name != "?"}
    return [plain(item) for item in value] if isinstance(value, list) else value


def variants(value):
    """Each pair of the same value with one optional member null and with it left out."""
    if isinstance(value, list):
        for i, item in enumerate(value):
            for with_null, without in variants(item):
                before, after = plain(value[:i]), plain(value[i + 1:])
                yield before + [with_null] + after, before + [without] + after
    if not isinstance(value, dict):
        return
    for name in value.get("?", []):
        left = {other: item for other, item in plain(value).items() if other != name}
        yield {**left, name: None}, left
    for name, item in value.items():
        if name != "?":
            for with_null, without in variants(item):
                yield {**plain(value), name: with_null}, {**plain(value), name: without}
    if not value.get("?"):  # a map: an entry that is null is none
        for name in value:
            left = {other: item for other, item in plain(value).items() if other != name}
            yield {**left, name: None}, left


def pairs(params, needed):
    """Of all parameters: the optional ones from the end on, then the members."""
    for count in range(len(params), needed, -1):
        yield plain(params[:count - 1]) + [None], plain(params[:count - 1])
    for i in range(needed, len(params) - 1):
        yield plain(params[:i]) + [None] + plain(params[i + 1:]), None
    yield from variants(params)


def settle(node):
    """The chain that the examples speak of."""
    node.tx = node.rpc("eth_sendTransaction", {"from": A, "to": B, "value": hex(10**18)})
    node.block = node.receipt(node.tx)["blockHash"]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("null") / "node")
    settle(node)
    yield node
    assert node.stop() == 0, node.log.read_text()


@pytest.fixture(scope="module")
def methods():
    text = subprocess.run([binary(), "rpc-methods", "--json"], capture_output=True, check=True).stdout
    return {row["name"]: row["params"] for row in json.loads(text)["methods"] if not row["testOnly"]}


def parts(params):
    """The parameters of a row, which stand between commas; those within brackets are one with them."""
    depth, found = 0, [""]
    for letter in params:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found if part.strip()]


def answer(node, method, params):
    """What it gives; of what makes something, whether it does. What it did is undone."""
    snapshot = node.rpc("evm_snapshot")
    text = json.dumps(params).replace('"H1"', f'"{node.block}"').replace('"T1"', f'"{node.tx}"')
    got = json.loads(node.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": json.loads(text)}))
    if method.startswith(("eth_send", "eth_resend", "anvil_", "hardhat_", "evm_", "eth_new")) and "result" in got:
        got = {"result": "done"}
    node.rpc("evm_revert", snapshot)
    node.rpc("anvil_dropAllTransactions")
    if method.endswith(("_reset", "_reorg", "_rollback")):
        settle(node)
    return got


# These take no object beside a block's id, which others try.
PLAIN = {"eth_getBlockTransactionCountByNumber", "eth_getHeaderByNumber", "eth_getRawTransactionByBlockNumberAndIndex",
         "eth_getTransactionByBlockNumberAndIndex", "eth_getUncleByBlockNumberAndIndex",
         "eth_getUncleCountByBlockNumber", "xinglin_head", "xinglin_receiptProofs"}


def test_every_method_with_an_optional_part_has_an_example(methods):
    optional = {name for name, params in methods.items()
                if any(re.match(r"\[|\{|call|transaction$|block$", part) for part in parts(params))}
    assert optional - PLAIN - set(EXAMPLES) == set()
    assert set(EXAMPLES) - set(methods) == set()


REFUSED = {"eth_resend", "eth_sendRawTransactionSync"}  # as their examples are nothing that can be sent, both times


@pytest.mark.parametrize("method", sorted(EXAMPLES))
def test_null_is_absent(node, methods, method):
    needed = len([part for part in parts(methods[method]) if part[0] != "["])
    for params in EXAMPLES[method]:
        first = answer(node, method, plain(params))
        assert "result" in first or method in REFUSED, first
        for with_null, without in pairs(params, needed):
            expected = answer(node, method, without) if without is not None else {"result"}
            got = answer(node, method, with_null)
            fits = got == expected if without is not None else "result" in got or method in REFUSED
            assert fits, (with_null, without, got, expected)


def test_the_block_of_a_signed_head_may_be_null(node):
    challenge = "0x" + "11" * 32
    assert node.rpc("xinglin_head", challenge, None) == node.rpc("xinglin_head", challenge)
