"""Situations that public reports about other nodes showed, each with its smallest input. The reports are named beside
them; `pytest --collect-only -q` lists the situations."""
import http.client
import json
import random
import signal
import socket

import eth_account
import pytest
from eth_account.messages import encode_defunct, encode_typed_data

import strict_tx
from machine import DEV_KEYS, RpcError, wait_for
from test_websocket import Raw

A, B, CLOCK = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0x" + "11" * 20, "0x" + "77" * 20
GWEI = 10**9
TIME_CODE = "0x425f5260205ff3"


def number(text):
    return int(text, 16)


def block(node, which, full=False):
    return node.rpc("eth_getBlockByNumber", which, full)


def message_of(node, method, *params):
    with pytest.raises(RpcError) as caught:
        node.rpc(method, *params)
    return caught.value.message


def sent(node, **fields):
    return node.receipt(node.rpc("eth_sendTransaction", {"from": A, **fields}))


def signed(nonce, key=DEV_KEYS[3], **fields):
    tx = {"nonce": nonce, "to": B, "value": 1, "gas": 21000, "chainId": 31337, "maxFeePerGas": 100 * GWEI,
          "maxPriorityFeePerGas": GWEI, **fields}
    return "0x" + bytes(eth_account.Account.sign_transaction(tx, key).raw_transaction).hex()


# --- F1, F2, F3: time and what is ordered for the next block ---

ORDERS = {
    "ganache#2618": ("evm_increaseTime", 1000, "timestamp", lambda head: number(head["timestamp"]) + 1000),
    "hardhat#513": ("evm_setNextBlockTimestamp", 4102444800, "timestamp", lambda head: 4102444800),
    "foundry#2725": ("anvil_setBlockTimestampInterval", 60, "timestamp", lambda head: number(head["timestamp"]) + 60),
    "hardhat#1603": ("hardhat_setNextBlockBaseFeePerGas", hex(7 * GWEI), "baseFeePerGas", lambda head: 7 * GWEI),
    "coinbase": ("anvil_setCoinbase", "0x" + "c0" * 20, "miner", lambda head: int("c0" * 20, 16)),
    "gas limit": ("anvil_setBlockGasLimit", hex(50000000), "gasLimit", lambda head: 50000000),
}


@pytest.mark.parametrize("report", ORDERS)
def test_what_is_ordered_is_seen_at_pending_and_mined(start_node, report):
    node = start_node()
    node.rpc("evm_mine")
    method, value, member, expected_of = ORDERS[report]
    expected = expected_of(block(node, "latest"))
    node.rpc(method, value)
    later = 5 if method == "evm_increaseTime" else 0  # the clock goes on while the test runs
    assert expected <= number(block(node, "pending")[member]) <= expected + later
    overrides = {CLOCK: {"code": TIME_CODE}}
    seen = number(node.rpc("eth_call", {"to": CLOCK}, "pending", overrides))
    assert seen <= number(block(node, "pending")["timestamp"]) <= seen + 5
    if member == "baseFeePerGas":
        assert number(node.rpc("eth_gasPrice")) > expected
        assert number(node.rpc("eth_feeHistory", "0x1", "latest", [])["baseFeePerGas"][-1]) == expected
    node.rpc("evm_mine")
    assert expected <= number(block(node, "latest")[member]) <= expected + later


@pytest.mark.parametrize("gas", [{}, {"gas": "0x30d40"}], ids=["estimated", "named"])
def test_time_is_increased_and_then_a_withdrawal_is_sent(start_node, gas):  # ganache#1033, go-ethereum#28175
    node = start_node()
    node.rpc("evm_mine")
    after = number(block(node, "latest")["timestamp"]) + 5000
    node.rpc("anvil_setCode", CLOCK, f"0x63{after:08x}4210600b57005b60006000fd")
    node.rpc("evm_increaseTime", 10000)
    assert sent(node, to=CLOCK, **gas)["status"] == "0x1"


@pytest.mark.parametrize("seconds", [10, 86400])
def test_an_increase_holds_after_many_blocks(start_node, seconds):  # hardhat#3307, ganache-cli-archive#394
    node = start_node()
    for _ in range(60):
        node.rpc("evm_mine")
    before = number(block(node, "latest")["timestamp"])
    node.rpc("evm_increaseTime", seconds)
    node.rpc("evm_mine")
    assert number(block(node, "latest")["timestamp"]) >= before + seconds


# --- F4, F5, F6: strict clients, ids, signing ---

def test_impersonated_transactions_and_their_block_decode(dev):  # foundry#14854, #3538
    nobody = "0xc0" + "00" * 18 + "01"
    dev.rpc("anvil_setBalance", nobody, hex(10**18))
    dev.rpc("anvil_impersonateAccount", nobody)
    receipt = dev.receipt(dev.rpc("eth_sendTransaction", {"from": nobody, "to": A, "gas": "0x5208"}))
    for tx in dev.rpc("eth_getBlockByHash", receipt["blockHash"], True)["transactions"]:
        strict_tx.check(tx)


def test_a_filter_of_before_a_restart_is_not_found(start_node, tmp_path):  # foundry#13415, viem#954
    node = start_node(tmp_path / "chain")
    old = node.rpc("eth_newFilter", {})
    assert node.stop() == 0
    node = start_node(tmp_path / "chain")
    new = node.rpc("eth_newBlockFilter")
    node.rpc("evm_mine")
    assert message_of(node, "eth_getFilterChanges", old) == "filter not found"
    assert node.rpc("eth_uninstallFilter", old) is False
    assert node.rpc("eth_getFilterChanges", new) == [block(node, "latest")["hash"]]


def test_a_nodes_account_signs_typed_data_and_transactions(dev):  # foundry#2458, hardhat#3059, ganache#976
    typed = {"types": {"EIP712Domain": [{"name": "name", "type": "string"}], "Note": [{"name": "n", "type": "uint8"}]},
             "primaryType": "Note", "domain": {"name": "d"}, "message": {"n": 1}}
    recover = eth_account.Account.recover_message
    assert recover(encode_typed_data(full_message=typed),
                   signature=dev.rpc("eth_signTypedData_v4", A, typed)).lower() == A
    assert recover(encode_defunct(text="hi"), signature=dev.rpc("eth_sign", A, "0x6869")).lower() == A
    fields = {"from": A, "to": B, "gas": "0x5208", "gasPrice": hex(100 * GWEI), "nonce": "0x0"}
    raw = dev.rpc("eth_signTransaction", fields)["raw"]
    assert eth_account.Account.recover_transaction(raw).lower() == A


# --- F7: null is absent ---

def test_null_is_absent_in_every_form_that_was_reported(dev):  # alloy#1341, erigon#2226, go-ethereum#31348
    call, head, balance = {"to": B}, block(dev, "latest")["hash"], dev.rpc("eth_getBalance", B, "latest")
    for overrides in {B: {"state": None, "stateDiff": {}}}, {B: {"state": None}}, {B: {"stateDiff": None}}, {B: None}:
        assert dev.rpc("eth_call", call, "latest", overrides) == "0x"
    for which in {"blockHash": head, "blockNumber": None}, {"blockHash": head, "requireCanonical": None}:
        assert dev.rpc("eth_getBalance", B, which) == balance
    assert dev.rpc("eth_getBalance", B, {"blockHash": None, "blockNumber": "0x0"}) == "0x0"
    assert dev.rpc("eth_getLogs", {"blockHash": head, "fromBlock": None, "toBlock": None}) == []
    for options in {"stateOverrides": None}, {"blockOverrides": None}:
        assert dev.rpc("debug_traceCall", call, "latest", options)["failed"] is False
    assert dev.rpc("eth_getProof", B, None, "latest")["storageProof"] == []


# --- F8: overrides of a block ---

@pytest.mark.parametrize("method", ["eth_simulateV1", "eth_call"])
@pytest.mark.parametrize("override", [{"blobBaseFee": "0x5"}, {"difficulty": "0x5"}, {"withdrawals": []},
                                      {"beaconRoot": "0x" + "11" * 32}], ids=lambda one: next(iter(one)))
def test_a_block_is_overridden_as_geth_lets_it(dev, method, override):  # nethermind#11715, erigon#17313
    if method == "eth_simulateV1":
        calls = {"blockStateCalls": [{"blockOverrides": override, "calls": [{"to": B}]}]}
        assert dev.rpc(method, calls, "latest")[0]["calls"][0]["status"] == "0x1"
    elif "withdrawals" in override or "beaconRoot" in override:
        assert "is not supported for this RPC method" in message_of(dev, method, {"to": B}, "latest", {}, override)
    else:
        assert dev.rpc(method, {"to": B}, "latest", {}, override) == "0x"


def test_a_simulation_says_why_and_counts_logs_over_its_calls(dev):  # execution-apis' own exchanges
    panic, logs = "0x634e487b715f5260116020526024601cfd", "0x5f5fa000"
    first = {"stateOverrides": {A: {"code": panic}, B: {"code": logs}}, "calls": [{"to": B}, {"to": A}, {"to": B}]}
    calls = dev.rpc("eth_simulateV1", {"blockStateCalls": [first]}, "latest")[0]["calls"]
    assert calls[1]["error"]["message"] == "execution reverted: arithmetic underflow or overflow"
    assert [log["logIndex"] for call in calls for log in call["logs"]] == ["0x0", "0x1"]


# --- F9, F11: HTTP ---

def test_a_preflight_allows_the_headers_that_it_asked_for(start_node):  # parity-ethereum#6616, nimbus-eth1#1141
    page = "http://page.example"
    node = start_node(None, "dev", "--http-corsdomain", page)
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)
    connection.request("OPTIONS", "/", headers={"Origin": page, "Access-Control-Request-Method": "POST",
                                                "Access-Control-Request-Headers": "content-type,x-api-key"})
    answer = connection.getresponse()
    assert answer.status == 204 and "x-api-key" in answer.headers["Access-Control-Allow-Headers"]
    connection.close()


def test_an_ipv6_address_is_told_as_a_url(start_node):  # llama.cpp#25135, monero#7966
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    node = start_node(None, "dev", "--http-addr", "::1")
    assert node.url.startswith("http://[::1]:") and node.rpc("eth_chainId") == "0x7a69"


# --- F14: what geth takes ---

def test_numbers_keys_and_prefixes_are_as_lenient_as_geths(dev):  # zksync-era#3077, EIPs#1186, besu#4504
    for count in "1", "0x01", "0x1", 1:
        assert len(dev.rpc("eth_feeHistory", count, "latest", [])["gasUsedRatio"]) == 1
    assert number(dev.rpc("eth_getStorageAt", A, "0", "latest")) == 0
    assert dev.rpc("eth_getProof", A, ["0"], "latest")["storageProof"][0]["value"] == "0x0"
    assert dev.rpc("eth_getBalance", "0X" + A[2:], "latest") == dev.rpc("eth_getBalance", A, "latest")
    echo = {B: {"code": "0x365f5f37365ff3"}}
    assert dev.rpc("eth_call", {"to": B, "data": "0x01", "input": "0x02"}, "latest", echo) == "0x02"


# --- F15: methods that clients' own functions call ---

SERVED = {"rpc_modules": [], "eth_getHeaderByNumber": ["latest"], "eth_getHeaderByHash": ["0x" + "00" * 32],
          "eth_pendingTransactions": [], "eth_resend": [{}], "eth_sendRawTransactionSync": ["0x"],
          "evm_setTime": ["0xffffffff"], "evm_setAccountNonce": [B, "0x1"], "anvil_rollback": ["0xffffff"],
          "anvil_reorg": ["0xffffff"], "anvil_addBalance": [B, "0x1"]}


@pytest.mark.parametrize("method", SERVED)
def test_a_method_that_clients_call_is_served(dev, method):  # nethermind#3972, pantheon#1036, foundry#4144
    try:
        dev.rpc(method, *SERVED[method])
    except RpcError as failure:
        assert failure.code != -32601, failure


# --- F16: words ---

FF = "ff" * 32
WORDS = {"fe": "invalid opcode: INVALID", "0c": "invalid opcode: opcode 0xc not defined",
         "01": "stack underflow (0 <=> 2)", "5b5f5f56": "stack limit reached 1024 (1023)",
         "7f" + FF + "51": "gas uint64 overflow"}


@pytest.mark.parametrize("code", WORDS)
def test_a_fault_is_told_in_geths_words(dev, code):
    assert message_of(dev, "eth_call", {"to": B}, "latest", {B: {"code": "0x" + code}}) == WORDS[code]


def test_sizes_and_a_precompiles_refusal_are_told_in_geths_words(dev):
    large = {"from": A, "data": "0x6160015ff3"}
    assert message_of(dev, "eth_call", large, "latest") == "max code size exceeded: code size 24577 limit 24576"
    assert "code size 49153 limit 49152" in message_of(dev, "eth_call", {"from": A, "data": "0x" + "00" * 49153})
    bad_point = {"to": "0x" + "00" * 19 + "06", "data": "0x" + ("00" * 31 + "01") * 2}
    assert message_of(dev, "eth_call", bad_point, "latest") == "point is not on curve"


# --- what was right before ---

def test_a_filter_tells_each_log_once_and_what_a_revert_took_back(dev):
    dev.rpc("anvil_setCode", CLOCK, "0x5f5fa000")
    filter_id, snapshot = dev.rpc("eth_newFilter", {"address": CLOCK}), dev.rpc("evm_snapshot")
    receipt = sent(dev, to=CLOCK)
    assert [log["transactionHash"] for log in dev.rpc("eth_getFilterChanges", filter_id)] == [receipt["transactionHash"]]
    assert dev.rpc("eth_getFilterChanges", filter_id) == []
    assert dev.rpc("evm_revert", snapshot) is True
    assert [log["removed"] for log in dev.rpc("eth_getFilterChanges", filter_id)] == [True]


def test_fee_history_has_one_base_fee_more_than_blocks(dev):
    dev.rpc("anvil_mine", 3)
    history = dev.rpc("eth_feeHistory", "0x3", "latest", [10, 90])
    assert [len(history[name]) for name in ("baseFeePerGas", "gasUsedRatio", "reward")] == [4, 3, 3]
    assert history["baseFeePerGas"][2] == block(dev, "latest")["baseFeePerGas"]


def test_a_revert_carries_its_data(dev):
    with pytest.raises(RpcError) as caught:
        dev.rpc("eth_call", {"to": B}, "latest", {B: {"code": "0x602a5f5260205ffd"}})
    assert (caught.value.code, number(caught.value.data)) == (3, 42)


def test_an_absent_account_is_proved_absent(dev):
    proof = dev.rpc("eth_getProof", "0x" + "de" * 20, ["0x0"], "latest")
    assert (proof["balance"], proof["nonce"], proof["storageProof"][0]["proof"]) == ("0x0", "0x0", [])
    assert len(proof["accountProof"]) > 0


def test_an_account_takes_code_by_eip_7702(dev):
    owner = eth_account.Account.create()
    authorization = owner.sign_authorization({"chainId": 31337, "address": CLOCK, "nonce": 0})
    nonce = number(dev.rpc("eth_getTransactionCount", eth_account.Account.from_key(DEV_KEYS[3]).address))
    raw = signed(nonce, gas=100000, authorizationList=[authorization])
    assert dev.receipt(dev.rpc("eth_sendRawTransaction", raw))["type"] == "0x4"
    assert dev.rpc("eth_getCode", owner.address, "latest") == "0xef0100" + CLOCK[2:]


def test_shuffled_nonces_are_all_mined(dev):
    sender = eth_account.Account.from_key(DEV_KEYS[4]).address
    first = number(dev.rpc("eth_getTransactionCount", sender))
    nonces = list(range(first, first + 20))
    random.Random(7).shuffle(nonces)
    hashes = [dev.rpc("eth_sendRawTransaction", signed(nonce, DEV_KEYS[4])) for nonce in nonces]
    assert all(dev.receipt(one)["status"] == "0x1" for one in hashes)


def test_a_subscription_loses_no_block(dev):
    with Raw(dev.url) as socket_:
        socket_.call("eth_subscribe", "newHeads")
        first = dev.head()
        for _ in range(50):
            dev.rpc("evm_mine")
        heads = [number(socket_.answer()["params"]["result"]["number"]) for _ in range(50)]
    assert heads == list(range(first + 1, first + 51))


@pytest.mark.parametrize("given", [1, "text", None, 2**53, 1.5], ids=str)
def test_an_id_comes_back_as_it_was(dev, given):
    answer = json.loads(dev.post({"jsonrpc": "2.0", "id": given, "method": "eth_chainId", "params": []}))
    assert answer["id"] == given


def spoken(node, text):
    """What comes until the server closes, or until as many answers are there as requests were sent."""
    with socket.create_connection(("127.0.0.1", node.port), timeout=20) as connection:
        connection.sendall(text)
        answer = b""
        while answer.count(b'"result"') < text.count(b"POST"):
            part = connection.recv(65536)
            if not part:
                break
            answer += part
    return answer


def http_request(version, number_):
    body = json.dumps({"jsonrpc": "2.0", "id": number_, "method": "eth_chainId", "params": []}).encode()
    head = f"POST / {version}\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_http_1_0_is_answered(dev):
    assert b'"result":"0x7a69"' in spoken(dev, http_request("HTTP/1.0", 1))


def test_pipelined_requests_are_answered_in_order(dev):
    text = spoken(dev, b"".join(http_request("HTTP/1.1", number_) for number_ in range(5)))
    assert [text.index(b'"id":%d' % number_) for number_ in range(5)] == sorted(
        text.index(b'"id":%d' % number_) for number_ in range(5))


def test_a_waiting_transaction_survives_kill_9(start_node, tmp_path):
    node = start_node(tmp_path / "chain")
    node.rpc("evm_setAutomine", False)
    waiting = node.rpc("eth_sendRawTransaction", signed(0))
    node.end(signal.SIGKILL)
    node = start_node(tmp_path / "chain")
    assert wait_for(lambda: node.rpc("eth_getTransactionByHash", waiting)) is not None
    assert node.receipt(waiting)["status"] == "0x1"
