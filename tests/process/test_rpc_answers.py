"""Answers as clients expect them: ids, numbers, keys, prefixes and words."""
import pytest

import strict_tx
from machine import RpcError

A, B = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0x" + "0b" * 20


def refusal(node, method, *params):
    with pytest.raises(RpcError) as caught:
        node.rpc(method, *params)
    return caught.value


def test_a_filter_of_before_a_restart_is_nobody_elses(start_node, tmp_path):
    node = start_node(tmp_path / "chain")
    old = node.rpc("eth_newFilter", {})
    assert node.stop() == 0
    node = start_node(tmp_path / "chain")
    new = [node.rpc("eth_newBlockFilter") for _ in range(20)]
    assert old not in new and len(set(new)) == 20
    node.rpc("evm_mine")
    assert refusal(node, "eth_getFilterChanges", old).message == "filter not found"
    assert node.rpc("eth_uninstallFilter", old) is False
    assert len(node.rpc("eth_getFilterChanges", new[0])) == 1


# --- numbers, keys, prefixes ---

def test_a_count_of_fee_history_may_be_decimal_or_have_zeros_in_front(dev):
    expected = dev.rpc("eth_feeHistory", "0x2", "latest", [])
    for count in "2", "0x02", "02", 2, "0X2":
        assert dev.rpc("eth_feeHistory", count, "latest", []) == expected
    for count in "", "0x", "-1", "1.0", 1.5, "0xg", "2 ", "0x1" + "0" * 16, [], True:
        assert refusal(dev, "eth_feeHistory", count, "latest", []).code == -32602


def test_dev_numbers_may_be_decimal(dev):
    large = 10**21
    for spelled in "100", 100, "0x0064", str(large), large:
        wei = hex(large) if spelled in (str(large), large) else "0x64"
        dev.rpc("anvil_setBalance", B, spelled)
        assert dev.rpc("eth_getBalance", B) == wei
    dev.rpc("anvil_setNonce", B, "7")
    assert dev.rpc("eth_getTransactionCount", B) == "0x7"
    assert refusal(dev, "anvil_setBalance", B, str(1 << 256)).code == -32602


def test_a_storage_key_needs_no_prefix(dev):
    dev.rpc("anvil_setStorageAt", B, "0x1f", "0x" + "00" * 31 + "2a")
    word = "0x" + "00" * 31 + "2a"
    for key in "0x1f", "1f", "0X1F", "0x01f", "0" * 62 + "1f", "0x" + "0" * 62 + "1f":
        assert dev.rpc("eth_getStorageAt", B, key, "latest") == word, key
        assert dev.rpc("eth_getStorageValues", {B: [key]}) == {B: [word]}
        proof = dev.rpc("eth_getProof", B, [key], "latest")["storageProof"][0]
        assert proof["value"] == "0x2a" and int(proof["key"], 16) == 0x1F
        assert len(proof["key"]) == (66 if len(key) >= 64 else 4)  # as it was spelled
    assert dev.rpc("eth_getStorageAt", B, "", "latest") == "0x" + "00" * 32
    assert "storage key too long" in refusal(dev, "eth_getStorageAt", B, "0" * 65, "latest").message
    assert "invalid hex in storage key" in refusal(dev, "eth_getStorageAt", B, "xyz", "latest").message


def test_a_capital_x_is_a_prefix_too(dev):
    upper = "0X" + A[2:]
    head = dev.rpc("eth_getBlockByNumber", "latest", False)
    assert dev.rpc("eth_getBalance", upper, "latest") == dev.rpc("eth_getBalance", A, "latest")
    assert dev.rpc("eth_getBlockByNumber", "0X0", False) == dev.rpc("eth_getBlockByNumber", "0x0", False)
    assert dev.rpc("eth_getBlockByHash", "0X" + head["hash"][2:], False)["hash"] == head["hash"]
    assert dev.rpc("web3_sha3", "0X00") == dev.rpc("web3_sha3", "0x00")
    assert dev.rpc("eth_getLogs", {"address": upper, "topics": ["0X" + "11" * 32]}) == []
    answer = {"code": "0X5f545f5260205ff3", "balance": "0X1", "stateDiff": {"0X" + "00" * 32: "0X" + "00" * 31 + "2a"}}
    call = {"from": upper, "to": "0X" + B[2:], "gas": "0X186a0", "data": "0X00",
            "accessList": [{"address": upper, "storageKeys": ["0X" + "00" * 32]}]}
    assert int(dev.rpc("eth_call", call, "latest", {"0X" + B[2:]: answer}), 16) == 42
    for bad in "0y" + A[2:], A[2:], "0X" + A[3:]:
        assert refusal(dev, "eth_getBalance", bad, "latest").code == -32602


def test_input_wins_over_data_but_not_in_what_is_signed(dev):
    echo = {B: {"code": "0x5f355f5260205ff3"}}  # the first word of its input
    both = {"from": A, "to": B, "data": "0x" + "11" * 32, "input": "0x" + "22" * 32}
    assert dev.rpc("eth_call", both, "latest", echo) == "0x" + "22" * 32
    assert dev.rpc("eth_call", {**both, "input": None}, "latest", echo) == "0x" + "11" * 32
    assert dev.rpc("eth_estimateGas", both) == dev.rpc("eth_estimateGas", {**both, "data": None})
    for method in "eth_sendTransaction", "eth_fillTransaction":
        assert 'both "data" and "input" are set and not equal' in refusal(dev, method, both).message


# --- overrides of a block ---

WORD_OF = {"blobBaseFee": "4a", "difficulty": "44", "number": "43", "time": "42", "feeRecipient": "41",
           "gasLimit": "45", "baseFeePerGas": "48", "prevRandao": "44"}


def answering(opcode):
    """Code that gives the one word which an opcode without operands pushes."""
    return "0x" + opcode + "5f5260205ff3"


def seen(node, method, opcode, override):
    overrides = {B: {"code": answering(opcode)}}
    if method == "eth_call":  # whoever names no price sees a base fee of zero, as in geth
        price = {"gasPrice": override["baseFeePerGas"], "from": A} if "baseFeePerGas" in override else {}
        return int(node.rpc("eth_call", {"to": B, **price}, "latest", overrides, override), 16)
    block = {"calls": [{"to": B}], "stateOverrides": overrides, "blockOverrides": override}
    return int(node.rpc("eth_simulateV1", {"blockStateCalls": [block]}, "latest")[-1]["calls"][0]["returnData"], 16)


@pytest.mark.parametrize("method", ["eth_call", "eth_simulateV1"])
def test_every_override_of_a_block_is_seen(dev, method):
    values = {"blobBaseFee": "0x5", "number": "0x64", "time": "0xffffffff", "feeRecipient": "0x" + "c0" * 20,
              "gasLimit": "0x2faf080", "baseFeePerGas": "0x7", "prevRandao": "0x" + "ab" * 32}
    for name, value in values.items():
        assert seen(dev, method, WORD_OF[name], {name: value}) == int(value, 16), name
    # DIFFICULTY is PREVRANDAO since the merge: the override is taken and has no effect.
    assert seen(dev, method, WORD_OF["difficulty"], {"difficulty": "0x9", "prevRandao": "0x" + "00" * 31 + "01"}) == 1
    assert refusal(dev, "eth_call", {"to": B}, "latest", {}, {"baseFee": "0x1"}).code == -32602


def test_a_call_opens_no_block_of_its_own(dev):
    for name, value in ("beaconRoot", "0x" + "11" * 32), ("withdrawals", []):
        for method in "eth_call", "eth_estimateGas":
            failure = refusal(dev, method, {"to": B}, "latest", {}, {name: value})
            assert failure.code == -32000
            assert failure.message == f'block override "{name}" is not supported for this RPC method'


def test_a_simulated_block_pays_withdrawals_and_keeps_the_beacon_root(dev):
    withdrawal = {"index": "0x0", "validatorIndex": "0x1", "address": "0x" + "77" * 20, "amount": "0x3"}
    root, roots = "0x" + "5b" * 32, "0x000f3df6d732807ef1319fb7b8bb8522d0beac02"
    first = {"blockOverrides": {"withdrawals": [withdrawal], "beaconRoot": root, "time": "0xfffffff0"}}
    asks = {"calls": [{"to": roots, "input": "0x" + (0xFFFFFFF0).to_bytes(32, "big").hex()}, {"to": B}],
            "stateOverrides": {B: {"code": "0x73" + "77" * 20 + "315f5260205ff3"}}}  # BALANCE
    blocks = dev.rpc("eth_simulateV1", {"blockStateCalls": [first, asks]}, "latest")
    assert blocks[0]["withdrawals"] == [withdrawal] and blocks[0]["parentBeaconBlockRoot"] == root
    assert blocks[0]["withdrawalsRoot"] != blocks[1]["withdrawalsRoot"] and blocks[1]["withdrawals"] == []
    assert blocks[1]["calls"][0]["returnData"] == root
    assert int(blocks[1]["calls"][1]["returnData"], 16) == 3 * 10**9
    for bad in [{}], [withdrawal | {"amount": None}], {}, "0x":
        block = {"blockOverrides": {"withdrawals": bad}}
        assert refusal(dev, "eth_simulateV1", {"blockStateCalls": [block]}, "latest").code == -32602


def test_a_blob_transaction_pays_the_overridden_price(dev):
    # 131,072 gas a blob, and the sender has 4 wei for each.
    call = {"from": B, "to": A, "maxFeePerBlobGas": "0x4", "maxFeePerGas": "0x0", "maxPriorityFeePerGas": "0x0",
            "blobVersionedHashes": ["0x01" + "00" * 31], "gas": "0x5208"}
    state = {B: {"balance": hex(4 * 131072)}}

    def run(price, **more):
        block = {"calls": [call | more], "stateOverrides": state,
                 "blockOverrides": {"blobBaseFee": hex(price), "baseFeePerGas": "0x0"}}
        return dev.rpc("eth_simulateV1", {"blockStateCalls": [block], "validation": True}, "latest")[0]

    assert run(4)["calls"][0]["status"] == "0x1" and run(4)["blobGasUsed"] == "0x20000"
    with pytest.raises(RpcError, match="max fee per blob gas less than block blob gas fee"):
        run(5)
    with pytest.raises(RpcError, match="insufficient funds"):
        run(3, maxFeePerBlobGas="0x5")


def test_a_simulated_blob_without_a_price_costs_nothing(dev):
    call = {"from": "0x" + "ee" * 20, "to": A, "blobVersionedHashes": ["0x01" + "00" * 31]}
    block = {"calls": [call], "blockOverrides": {"blobBaseFee": "0x5"}}
    for each in block, {"calls": [call]}:
        assert dev.rpc("eth_simulateV1", {"blockStateCalls": [each]}, "latest")[0]["calls"][0]["status"] == "0x1"
    assert dev.rpc("eth_call", call, "latest", {}, {"blobBaseFee": "0x5"}) == "0x"
    with pytest.raises(RpcError, match="max fee per blob gas less"):
        block["blockOverrides"]["baseFeePerGas"] = "0x0"
        dev.rpc("eth_simulateV1", {"blockStateCalls": [block], "validation": True}, "latest")


def test_a_simulated_revert_says_its_reason(dev):
    reason = "08c379a0" + (32).to_bytes(32, "big").hex() + (4).to_bytes(32, "big").hex() + b"why?".hex().ljust(64, "0")
    data = "0x" + reason
    code = "0x61" + f"{len(reason) // 2:04x}" + "80600a5f395ffd" + reason  # CODECOPY from byte 10, REVERT
    panic = "0x634e487b715f5260116020526024601cfd"  # Panic(0x11)
    blocks = dev.rpc("eth_simulateV1", {"blockStateCalls": [
        {"calls": [{"to": B}, {"to": A}], "stateOverrides": {B: {"code": code}, A: {"code": panic}}}]}, "latest")
    first, second = blocks[0]["calls"]
    assert first["error"] == {"message": "execution reverted: why?", "code": 3, "data": data}
    assert first["returnData"] == "0x"
    assert second["error"]["message"] == "execution reverted: arithmetic underflow or overflow"
    assert refusal(dev, "eth_call", {"to": B}, "latest", {B: {"code": code}}).message == "execution reverted: why?"


def test_log_indexes_count_over_the_calls_of_a_block_and_over_what_was_undone(dev):
    logs, undone = "0x5f5fa05f5fa000", "0x5f5fa05f5ffd"  # two logs; one that is undone
    blocks = dev.rpc("eth_simulateV1", {"blockStateCalls": [
        {"calls": [{"to": B}, {"to": A}, {"to": B}], "stateOverrides": {B: {"code": logs}, A: {"code": undone}}},
        {"calls": [{"to": B}]}]}, "latest")
    indexes = [[[log["logIndex"] for log in call["logs"]] for call in block["calls"]] for block in blocks]
    assert indexes == [[["0x0", "0x1"], [], ["0x3", "0x4"]], [["0x0", "0x1"]]]


# --- strict clients ---

SENDER = "0xc0ffee0000000000000000000000000000000001"


@pytest.mark.parametrize("fields", [
    {}, {"gasPrice": "0x77359400"}, {"gasPrice": "0x77359400", "accessList": []}, {"gas": "0x5208"},
    {"maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x0"}])
def test_an_impersonated_transaction_and_its_block_can_be_read_strictly(dev, fields):
    dev.rpc("anvil_setBalance", SENDER, hex(10**18))
    dev.rpc("anvil_impersonateAccount", SENDER)
    sent = dev.rpc("eth_sendTransaction", {"from": SENDER, "to": A, **fields})
    block = dev.receipt(sent)["blockHash"]
    tx = dev.rpc("eth_getTransactionByHash", sent)
    assert tx["from"] == SENDER
    strict_tx.check(tx)
    for each in dev.rpc("eth_getBlockByHash", block, True)["transactions"]:
        strict_tx.check(each)
    raw = dev.rpc("eth_getRawTransactionByHash", sent)
    assert refusal(dev, "eth_sendRawTransaction", raw).message == "invalid sender"  # nobody else can send it
    dev.rpc("anvil_stopImpersonatingAccount", SENDER)


def test_two_impersonated_senders_of_the_same_have_two_hashes(dev):
    other = SENDER[:-1] + "2"
    hashes = set()
    for sender in SENDER, other:
        dev.rpc("anvil_setBalance", sender, hex(10**18))
        nonce = dev.rpc("eth_getTransactionCount", sender)
        dev.rpc("anvil_setNonce", sender, "0x63" if int(nonce, 16) < 0x63 else nonce)
        tx = {"from": sender, "to": A, "gas": "0x5208", "gasPrice": "0x77359400", "nonce": "0x63"}
        hashes.add(dev.rpc("eth_sendUnsignedTransaction", tx))
    assert len(hashes) == 2
    assert {dev.receipt(each)["from"] for each in hashes} == {SENDER, other}


# --- words for what code does wrong ---

def failing(code):
    return {"to": B}, {B: {"code": "0x" + code}}


WORDS = {
    "fe": "invalid opcode: INVALID",
    "0c": "invalid opcode: opcode 0xc not defined",
    "60016002035f0c": "invalid opcode: opcode 0xc not defined",
    "01": "stack underflow (0 <=> 2)",
    "6001600160010303f150": "stack underflow (1 <=> 7)",
    "5b5f600056": "stack limit reached 1024 (1023)",
    "7f" + "ff" * 32 + "51": "gas uint64 overflow",           # MLOAD
    "600167" + "ff" * 8 + "52": "gas uint64 overflow",         # MSTORE, whose offset alone fits
    "602067" + "ff" * 8 + "f3": "gas uint64 overflow",         # RETURN, the same
    "641fffffffc051": "out of gas",                            # MLOAD of the most memory that has a price
    "641fffffffc151": "out of gas: gas uint64 overflow",       # and of more
    "61c0015f5ff0": "out of gas: max initcode size exceeded: code size 49153 limit 49152",
    "60017f7f" + "ff" * 31 + "52": "gas uint64 overflow",      # MSTORE
    "7f" + "ff" * 32 + "5ff3": "gas uint64 overflow",          # RETURN
    "7f" + "ff" * 32 + "5f5f37": "gas uint64 overflow",        # CALLDATACOPY
    "5b600056": "out of gas",
    "60ff56": "invalid jump destination",
    "60015f5f3e": "return data out of bounds",
}


@pytest.mark.parametrize("code", WORDS)
def test_code_that_fails_is_told_in_geths_words(dev, code):
    call, overrides = failing(code)
    assert refusal(dev, "eth_call", call, "latest", overrides).message == WORDS[code]
    block = {"calls": [call], "stateOverrides": overrides}
    error = dev.rpc("eth_simulateV1", {"blockStateCalls": [block]}, "latest")[0]["calls"][0]["error"]
    assert error == {"message": WORDS[code], "code": -32015}
    assert dev.rpc("eth_createAccessList", call, "latest", overrides)["error"] == WORDS[code]
    if not WORDS[code].startswith("out of gas"):
        assert refusal(dev, "eth_estimateGas", call, "latest", overrides).message == WORDS[code]


ONE, HUGE, ZERO = "00" * 31 + "01", "ff" * 32, "00" * 32
FP_HIGH = "10" + "00" * 63  # no field element of EIP-2537
REFUSALS = [
    (0x06, ONE + ONE, "point is not on curve"),
    (0x07, HUGE + ONE, "invalid fp.Element encoding"),
    (0x08, "00", "bad elliptic curve pairing size"),
    (0x09, "", "invalid input length"),
    (0x0a, "00" * 192, "mismatched versioned hash"),
    (0x0b, FP_HIGH + "00" * 192, "invalid field element top bytes"),
    (0x0c, ZERO * 3 + "00" * 31 + "02" + ONE, "g1 point is not on correct subgroup"),
]


@pytest.mark.parametrize("number, data, words", REFUSALS)
def test_a_precompile_refuses_in_geths_words_wherever_it_is_called(dev, number, data, words):
    call = {"to": f"0x{number:040x}", "data": "0x" + data}
    for method in "eth_call", "eth_estimateGas":
        assert refusal(dev, method, call, "latest").message == words
    assert dev.rpc("eth_createAccessList", call, "latest")["error"] == words
    asks = f"365f5f375f5f365f5f61{number:04x}62fffffff100"  # hands its call data over, and goes on
    options = {"tracer": "callTracer", "stateOverrides": {B: {"code": "0x" + asks}}}
    frame = dev.rpc("debug_traceCall", {"to": B, "data": "0x" + data, "gas": "0xf42400"}, "latest", options)
    assert "error" not in frame and frame["calls"][0]["error"] == words


STATIC = {"5f5f55": "out of gas: write protection", "5f5f5ff0": "out of gas: write protection",
          "5f5fa0": "write protection", "5f5f5d": "write protection"}


@pytest.mark.parametrize("code", STATIC)
def test_a_write_that_is_not_allowed_is_told_as_geth_finds_it(dev, code):
    called = "0x" + "0c" * 20
    options = {"stateOverrides": {B: {"code": f"0x5f5f5f5f73{'0c' * 20}61fffffa00"}, called: {"code": "0x" + code}}}
    call = {"to": B, "gas": "0x30d40"}
    frame = dev.rpc("debug_traceCall", call, "latest", options | {"tracer": "callTracer"})
    assert frame["calls"][0]["error"] == STATIC[code]
    errors = [step.get("error") for step in dev.rpc("debug_traceCall", call, "latest", options)["structLogs"]]
    found_by_price = STATIC[code].startswith("out of gas")
    assert [error for error in errors if error] == ([STATIC[code]] if found_by_price else [])


def test_code_that_is_too_large_is_told_with_its_size(dev):
    creates = {"from": A, "data": "0x6160015ff3"}  # RETURN of 24,577 zeros
    assert refusal(dev, "eth_call", creates, "latest").message == "max code size exceeded: code size 24577 limit 24576"
    large = {"from": A, "data": "0x" + "00" * 49153}
    message = refusal(dev, "eth_call", large, "latest").message
    assert "max initcode size exceeded: code size 49153 limit 49152" in message
    assert refusal(dev, "eth_estimateGas", large, "latest").message.startswith("failed with ")


def test_a_verdict_of_an_estimate_says_at_what_gas(dev):
    poor = {"from": B, "to": A, "value": hex(10**24)}
    message = refusal(dev, "eth_estimateGas", poor, "latest").message
    words = "insufficient funds for gas * price + value: address 0x"
    assert message.startswith("failed with 16777216 gas: " + words), message
    assert refusal(dev, "eth_call", poor, "latest").message.startswith("err: " + words)


@pytest.mark.parametrize("code, cost, error", [
    ("01", 3, "stack underflow (0 <=> 2)"),     # what ADD asks for, though nothing was charged
    ("fe", 0, None), ("60ff56", 8, None),       # geth finds these after the step is written
    ("60015f5f3e", 9, None),
    ("62ffffff62ffffff5f37", None, "out of gas")])
def test_the_step_that_fails_has_the_cost_that_it_asked_for(dev, code, cost, error):
    call, overrides = failing(code)
    steps = dev.rpc("debug_traceCall", call | {"gas": "0x186a0"}, "latest", {"stateOverrides": overrides})["structLogs"]
    last = steps[-1]
    assert last.get("error") == error
    if cost is not None:
        assert last["gasCost"] == cost, last
    else:
        assert last["gasCost"] > last["gas"]
