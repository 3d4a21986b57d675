"""eth_sendRawTransactionSync (EIP-7966): the receipt with one request, and no thread of the node waits for it."""
import json
import threading
import time

import pytest

pytest.importorskip("eth_account", reason="the Python packages are not installed: PyPI could not be reached")

from eth_account import Account
from eth_utils import keccak

from machine import RpcError, in_threads, post, rpc, wait_for

A, B = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0x" + "0b" * 20
SECRET = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


def signed(nonce, secret=SECRET):
    tx = {"to": bytes.fromhex(B[2:]), "value": 1, "gas": 21000, "gasPrice": 2 * 10**9, "nonce": nonce, "chainId": 31337}
    return "0x" + Account.sign_transaction(tx, secret).raw_transaction.hex().removeprefix("0x")


def hash_of(raw):
    return "0x" + keccak(bytes.fromhex(raw[2:])).hex()


def request(raw, *timeout, id=1):
    return {"jsonrpc": "2.0", "id": id, "method": "eth_sendRawTransactionSync", "params": [raw, *timeout]}


@pytest.fixture
def node(start_node):
    return start_node()


def test_the_answer_is_the_receipt(node):
    raw = signed(0)
    receipt = node.rpc("eth_sendRawTransactionSync", raw)
    assert receipt["transactionHash"] == hash_of(raw) and receipt["status"] == "0x1"
    assert receipt == node.rpc("eth_getTransactionReceipt", hash_of(raw))
    assert node.rpc("eth_sendRawTransactionSync", signed(1), 5000)["status"] == "0x1"
    assert node.rpc("eth_sendRawTransactionSync", signed(2), "0x1388")["status"] == "0x1"


def test_it_waits_for_the_block_and_not_longer(node):
    node.rpc("anvil_setAutomine", False)
    got = []
    waiter = threading.Thread(target=lambda: got.append(node.rpc("eth_sendRawTransactionSync", signed(0))))
    waiter.start()
    wait_for(lambda: int(node.rpc("txpool_status")["pending"], 16) == 1)
    assert not got
    node.rpc("evm_mine")
    waiter.join(20)
    assert got[0]["transactionHash"] == hash_of(signed(0))


def test_time_that_is_up_is_error_4_and_the_transaction_stays(node):
    node.rpc("anvil_setAutomine", False)
    raw = signed(0)
    with pytest.raises(RpcError) as caught:
        node.rpc("eth_sendRawTransactionSync", raw, 50)
    assert (caught.value.code, caught.value.data) == (4, hash_of(raw))
    assert caught.value.message == "The transaction was added to the transaction pool but wasn't processed in 50ms"
    assert node.rpc("eth_getTransactionByHash", hash_of(raw))["blockHash"] is None
    node.rpc("evm_mine")
    assert node.rpc("eth_getTransactionReceipt", hash_of(raw))["status"] == "0x1"


def test_a_gap_is_error_6_with_the_next_nonce_and_is_not_taken(node):
    with pytest.raises(RpcError) as caught:
        node.rpc("eth_sendRawTransactionSync", signed(5))
    assert (caught.value.code, caught.value.data) == (6, "0x0")
    assert node.rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}


@pytest.mark.parametrize("params, code", [
    (["0x"], -32000), (["0x00"], -32000), (["zz"], -32602), ([], -32602), (["0x00", "soon"], -32602),
    (["0x00", -1], -32602)])
def test_what_is_wrong_is_refused_at_once(node, params, code):
    with pytest.raises(RpcError) as caught:
        node.rpc("eth_sendRawTransactionSync", *params)
    assert caught.value.code == code


def test_in_a_batch_the_others_keep_their_places(node):
    batch = [{"jsonrpc": "2.0", "id": "a", "method": "eth_chainId"}, request(signed(0), id="b"),
             {"jsonrpc": "2.0", "id": "c", "method": "no_such"}, request(signed(1), id="d"), request(signed(2), id="e"),
             {key: value for key, value in request(signed(3)).items() if key != "id"}]
    answers = json.loads(node.post(batch))
    assert [answer["id"] for answer in answers] == list("abcde")
    assert answers[0]["result"] == "0x7a69" and answers[2]["error"]["code"] == -32601
    assert [answers[i]["result"]["transactionHash"] for i in (1, 3, 4)] == [hash_of(signed(n)) for n in range(3)]
    wait_for(lambda: node.rpc("eth_getTransactionReceipt", hash_of(signed(3))))  # a notification is carried out


def test_a_batch_of_which_one_is_late_says_so_for_that_one(node):
    node.rpc("anvil_setAutomine", False)
    other = {"jsonrpc": "2.0", "id": 2, "method": "net_version"}
    answers = json.loads(node.post([request(signed(0), 50, id=1), other]))
    assert answers[0]["error"]["code"] == 4 and answers[1]["result"] == "31337"


def test_those_that_wait_hold_up_nobody(node):
    node.rpc("anvil_setAutomine", False)
    count, receipts = 64, []
    jobs = [lambda n=n: receipts.append(node.rpc("eth_sendRawTransactionSync", signed(n), 30000)) for n in range(count)]

    def ask_meanwhile():
        wait_for(lambda: int(node.rpc("txpool_status")["pending"], 16) > 0)
        for _ in range(50):
            assert node.rpc("eth_chainId") == "0x7a69"
        node.rpc("anvil_setIntervalMining", 1)

    def in_order():
        """The nonces come one after the other, as none may have a gap."""
        threads = []
        for n, job in enumerate(jobs):
            threads.append(threading.Thread(target=job))
            threads[-1].start()
            wait_for(lambda n=n: int(node.rpc("eth_getTransactionCount", A, "pending"), 16) == n + 1)
        for thread in threads:
            thread.join(30)

    in_threads([in_order, ask_meanwhile])
    got = sorted(receipt["transactionHash"] for receipt in receipts)
    assert got == sorted(hash_of(signed(n)) for n in range(count))


def test_so_many_wait_and_no_more(node):
    node.rpc("anvil_setAutomine", False)
    secrets = [n.to_bytes(32, "big") for n in range(1000, 1065)]
    for secret in secrets:
        node.rpc("anvil_setBalance", Account.from_key(secret).address.lower(), hex(10**18))

    raws = [signed(index // len(secrets), secrets[index % len(secrets)]) for index in range(4096 + 10)]
    answers = {}

    def send(begin, end):
        batch = [request(raws[index], 60000, id=index) for index in range(begin, end)]
        for answer in json.loads(post(node.url, batch, timeout=90)):
            answers[answer["id"]] = answer

    threads = []
    for begin in range(0, len(raws), 1000):
        threads.append(threading.Thread(target=send, args=(begin, min(begin + 1000, len(raws)))))
        threads[-1].start()
        sent = min(begin + 1000, 4096)
        wait_for(lambda: int(node.rpc("txpool_status")["pending"], 16) >= sent)
    node.rpc("anvil_setIntervalMining", 1)
    for thread in threads:
        thread.join(90)
    refused = [id for id, answer in answers.items() if "error" in answer]
    assert len(answers) == 4106 and len(refused) == 10
    assert {answers[id]["error"]["code"] for id in refused} == {5}
    assert node.rpc("eth_sendRawTransactionSync", signed(0))["status"] == "0x1"  # their places are free again


def test_a_node_that_stops_answers_or_closes(node):
    node.rpc("anvil_setAutomine", False)
    ended = []

    def send():
        try:
            node.rpc("eth_sendRawTransactionSync", signed(0), 60000)
        except Exception as failure:
            ended.append(failure)

    waiter = threading.Thread(target=send)
    waiter.start()
    wait_for(lambda: int(node.rpc("txpool_status")["pending"], 16) == 1)
    began = time.monotonic()
    assert node.stop() == 0
    waiter.join(20)
    assert ended and time.monotonic() - began < 20


def test_over_websocket_later_requests_are_answered_meanwhile(node):
    from websockets.sync.client import connect
    node.rpc("anvil_setAutomine", False)
    with connect(node.url.replace("http", "ws")) as socket:
        socket.send(json.dumps(request(signed(0), id="late")))
        socket.send(json.dumps({"jsonrpc": "2.0", "id": "soon", "method": "eth_chainId"}))
        assert json.loads(socket.recv(10))["id"] == "soon"
        node.rpc("evm_mine")
        answer = json.loads(socket.recv(10))
        assert answer["id"] == "late" and answer["result"]["transactionHash"] == hash_of(signed(0))
        socket.send(json.dumps(request(signed(1), 50, id="never")))
        assert json.loads(socket.recv(10))["error"]["code"] == 4
        socket.send(json.dumps(request(signed(2), id="left")))
    node.rpc("evm_mine")  # the session is gone: its answer goes nowhere, and nothing breaks
    assert rpc(node.url, "eth_chainId") == "0x7a69"
