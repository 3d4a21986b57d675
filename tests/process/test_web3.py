"""web3.py and eth_account, unmodified, against a development chain."""
import json
import os

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from eth_account import Account
from eth_utils import keccak, to_canonical_address
from web3 import Web3
from web3.exceptions import ContractCustomError, ContractLogicError, TransactionNotFound, Web3RPCError

import mpt
import notebook
from machine import DEV_CHAIN_ID, DEV_KEYS, ROOT, RpcError

ETHER = 10**18
GWEI = 10**9
rich = Account.from_key(DEV_KEYS[0])


@pytest.fixture(scope="module")
def w3(dev):
    return Web3(Web3.HTTPProvider(dev.url))


def send(w3, account, **fields):
    """Signs with eth_account, sends raw, and gives the receipt."""
    tx = {
        "nonce": w3.eth.get_transaction_count(account.address, "pending"),
        "gas": 200000,
        "chainId": DEV_CHAIN_ID,
        **fields,
    }
    if tx["chainId"] is None:
        del tx["chainId"]
    if "gasPrice" not in tx:
        tx = {"maxFeePerGas": 10 * GWEI, "maxPriorityFeePerGas": GWEI, **tx}
    signed = account.sign_transaction(tx)
    sent = w3.eth.send_raw_transaction(signed.raw_transaction)
    assert sent == signed.hash
    return w3.eth.wait_for_transaction_receipt(sent, timeout=20, poll_latency=0.02)


def new_account(w3, ether=10):
    account = Account.create()
    assert send(w3, rich, to=account.address, value=ether * ETHER).status == 1
    return account


@pytest.fixture(scope="module")
def book(w3):
    receipt = send(w3, rich, data=notebook.CREATION)
    assert receipt.status == 1
    assert w3.eth.get_code(receipt.contractAddress) == notebook.RUNTIME
    return w3.eth.contract(receipt.contractAddress, abi=notebook.ABI)


def test_the_node_introduces_itself(w3):
    assert w3.is_connected()
    assert w3.client_version.startswith("xinglin/")
    assert w3.eth.chain_id == DEV_CHAIN_ID and w3.net.version == str(DEV_CHAIN_ID)
    assert w3.eth.syncing is False
    assert len(w3.eth.accounts) == 10 and w3.eth.accounts[0] == rich.address
    assert w3.eth.get_balance(w3.eth.accounts[9]) == 10000 * ETHER


TRANSFERS = {
    "legacy without EIP-155": (dict(gasPrice=10 * GWEI, chainId=None), 0, 21000),
    "legacy with EIP-155": (dict(gasPrice=10 * GWEI), 0, 21000),
    "EIP-2930": (
        dict(
            gasPrice=10 * GWEI,
            type=1,
            accessList=[{"address": "0x" + "11" * 20, "storageKeys": ["0x" + "00" * 32, "0x" + "01" * 32]}],
        ),
        1,
        21000 + 2400 + 2 * 1900,
    ),
    "EIP-1559": (dict(maxFeePerGas=10 * GWEI, maxPriorityFeePerGas=GWEI), 2, 21000),
}


@pytest.mark.parametrize("name", TRANSFERS)
def test_transfer(w3, dev, name):
    fields, kind, gas = TRANSFERS[name]
    sender, receiver = new_account(w3), Account.create().address
    receipt = send(w3, sender, to=receiver, value=ETHER, **fields)
    assert receipt.status == 1 and receipt.type == kind and receipt.gasUsed == gas
    assert w3.eth.get_balance(receiver) == ETHER
    assert w3.eth.get_balance(sender.address) == 9 * ETHER - gas * receipt.effectiveGasPrice
    base_fee = w3.eth.get_block(receipt.blockNumber).baseFeePerGas
    assert receipt.effectiveGasPrice == (base_fee + GWEI if kind == 2 else 10 * GWEI)
    tx = w3.eth.get_transaction(receipt.transactionHash)
    assert tx["from"] == sender.address and tx.type == kind and tx.value == ETHER
    if name == "legacy without EIP-155":
        assert tx.v in (27, 28) and "chainId" not in tx
    else:
        assert tx.chainId == DEV_CHAIN_ID
    # The bytes that the node gives back are those of a transaction that the same account signed.
    assert Account.recover_transaction(dev.rpc("debug_getRawTransaction", tx.hash.to_0x_hex())) == sender.address


def test_set_code_transaction(w3, book):
    """EIP-7702: an account takes a contract's code as its own, and gives it back."""
    owner = new_account(w3)

    def delegate(to):
        nonce = w3.eth.get_transaction_count(owner.address)
        # The sender pays and authorizes at once: its nonce has moved on when the authorization is looked at.
        authorization = owner.sign_authorization({"chainId": DEV_CHAIN_ID, "address": to, "nonce": nonce + 1})
        receipt = send(w3, owner, to=rich.address, value=0, authorizationList=[authorization])
        assert receipt.status == 1 and receipt.type == 4

    delegate(book.address)
    assert w3.eth.get_code(owner.address) == bytes.fromhex("ef0100") + to_canonical_address(book.address)
    as_book = w3.eth.contract(owner.address, abi=notebook.ABI)
    data = as_book.encode_abi("set", [77])
    assert len(send(w3, owner, to=owner.address, data=data).logs) == 1
    assert as_book.functions.get().call() == 77
    delegate("0x" + "00" * 20)
    assert w3.eth.get_code(owner.address) == b""
    assert w3.eth.get_storage_at(owner.address, 0) == (77).to_bytes(32, "big")


def test_contract_calls_and_events(w3, book):
    owner = new_account(w3)
    first = send(w3, owner, to=book.address, data=book.encode_abi("set", [41]))
    second = send(w3, owner, to=book.address, data=book.encode_abi("set", [42]))
    assert book.functions.get().call() == 42
    assert book.functions.get().call(block_identifier=first.blockNumber) == 41
    (event,) = book.events.Noted().process_receipt(second)
    assert event.args.who == owner.address and event.args.value == 42
    events = book.events.Noted().get_logs(from_block=0, argument_filters={"who": owner.address})
    assert [event.args.value for event in events] == [41, 42]
    assert [event.blockHash for event in events] == [first.blockHash, second.blockHash]
    by_hash = w3.eth.get_logs({"blockHash": second.blockHash, "address": book.address})
    assert len(by_hash) == 1 and by_hash[0].transactionHash == second.transactionHash
    other = "0x" + keccak(text="Other(address,uint256)").hex()
    noted = "0x" + notebook.NOTED.hex()
    span = {"fromBlock": first.blockNumber, "toBlock": second.blockNumber}
    assert w3.eth.get_logs({**span, "topics": [other]}) == []
    assert len(w3.eth.get_logs({**span, "topics": [[other, noted]]})) == 2
    assert len(w3.eth.get_logs({**span, "address": ["0x" + "12" * 20, book.address]})) == 2


def test_filters_tell_what_is_new(w3, book):
    owner = new_account(w3)
    logs = book.events.Noted.create_filter(from_block="latest")
    blocks = w3.eth.filter("latest")
    waiting = w3.eth.filter("pending")
    receipt = send(w3, owner, to=book.address, data=book.encode_abi("set", [7]))
    assert [event.args.value for event in logs.get_new_entries()] == [7]
    assert logs.get_new_entries() == []
    assert blocks.get_new_entries() == [receipt.blockHash]
    assert waiting.get_new_entries() == [receipt.transactionHash]
    assert w3.eth.uninstall_filter(blocks.filter_id)
    with pytest.raises(Web3RPCError, match="filter not found"):
        blocks.get_new_entries()


def test_a_revert_says_why(w3, book):
    with pytest.raises(ContractLogicError, match="execution reverted: zero"):
        book.functions.set(0).call()
    with pytest.raises(ContractLogicError, match="execution reverted: zero") as caught:
        book.functions.set(0).estimate_gas({"from": rich.address})
    assert caught.value.data == "0x" + notebook.ERROR_WORDS.hex()
    receipt = send(w3, rich, to=book.address, data=book.encode_abi("set", [0]))
    assert receipt.status == 0 and not receipt.logs and receipt.gasUsed < 200000


def test_estimates_are_enough_and_close(w3, book):
    owner = new_account(w3)
    assert w3.eth.estimate_gas({"from": owner.address, "to": rich.address, "value": 1}) == 21000
    estimate = book.functions.set(99).estimate_gas({"from": owner.address})
    receipt = send(w3, owner, to=book.address, data=book.encode_abi("set", [99]), gas=estimate)
    assert receipt.status == 1 and receipt.gasUsed <= estimate <= receipt.gasUsed * 1.015 + 1
    with pytest.raises(Web3RPCError, match="insufficient funds"):
        w3.eth.estimate_gas(
            {"from": Account.create().address, "to": rich.address, "value": ETHER, "gasPrice": 10 * GWEI}
        )


def test_our_own_contract(w3):
    """The directory, from the artifact that the program carries."""
    artifact = json.loads((ROOT / "contracts/artifacts/Directory.json").read_text())
    factory = w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    registrars = sorted((Account.create() for _ in range(3)), key=lambda account: int(account.address, 16))
    genesis = w3.eth.get_block(0).hash
    data = factory.constructor(genesis, rich.address, [r.address for r in registrars], 2, 3600).data_in_transaction
    receipt = send(w3, rich, data=data, gas=5_000_000)
    assert receipt.status == 1
    directory = w3.eth.contract(receipt.contractAddress, abi=artifact["abi"])
    assert directory.functions.genesis().call() == genesis
    number, _, threshold, _ = directory.functions.registrarsOf().call()
    assert (number, threshold) == (0, 2)
    assert directory.functions.isRegistrar(registrars[2].address).call() is True
    assert directory.functions.isRegistrar(rich.address).call() is False
    assert directory.functions.admits(rich.address).call() is True  # it deployed
    with pytest.raises(ContractCustomError):
        directory.functions.setStanding((rich.address, 1, 0, b"\0" * 32, 1, 0), []).call()


def test_proofs_hold_against_the_header(w3, dev, book):
    receipt = send(w3, rich, to=book.address, data=book.encode_abi("set", [2**255 + 5]))
    for number in (receipt.blockNumber, receipt.blockNumber - 1):
        block = dev.rpc("eth_getBlockByNumber", hex(number), False)
        assert mpt.header_hash(block) == bytes.fromhex(block["hash"][2:])
        root = bytes.fromhex(block["stateRoot"][2:])
        proof = w3.eth.get_proof(book.address, [0, 1], number)
        nonce, balance, storage, code = mpt.account(root, to_canonical_address(book.address), proof.accountProof)
        assert (nonce, balance, code) == (1, 0, keccak(notebook.RUNTIME))
        assert storage == proof.storageHash
        value = mpt.slot(storage, 0, proof.storageProof[0].proof)
        assert value == int.from_bytes(proof.storageProof[0].value, "big")
        assert (value == 2**255 + 5) == (number == receipt.blockNumber)
        assert mpt.slot(storage, 1, proof.storageProof[1].proof) == 0
        nobody = Account.create().address
        absent = w3.eth.get_proof(nobody, [], number)
        assert mpt.account(root, to_canonical_address(nobody), absent.accountProof) is None
        with pytest.raises(ValueError):
            mpt.account(keccak(root), to_canonical_address(book.address), proof.accountProof)


def test_access_lists_overrides_and_simulations(w3, book):
    owner = new_account(w3)
    call = {"from": owner.address, "to": book.address, "data": book.encode_abi("set", [5])}
    made = w3.eth.create_access_list(call)
    assert [(entry.address, len(entry.storageKeys)) for entry in made.accessList] == [(book.address, 1)]
    listed = [{"address": entry.address, "storageKeys": list(entry.storageKeys)} for entry in made.accessList]
    receipt = send(w3, owner, to=book.address, data=call["data"], accessList=listed)
    assert receipt.status == 1 and receipt.type == 2
    slot = {"0x" + "00" * 32: "0x" + (42).to_bytes(32, "big").hex()}
    assert book.functions.get().call(state_override={book.address: {"stateDiff": slot}}) == 42
    get = {"to": book.address, "data": book.encode_abi("get")}
    (block,) = w3.eth.simulate_v1(
        {"blockStateCalls": [{"calls": [{**call, "data": book.encode_abi("set", [6])}, get]}]}, "latest"
    )
    assert int.from_bytes(block.calls[1].returnData, "big") == 6 and block.number == w3.eth.block_number + 1
    assert book.functions.get().call() == 5


def test_traces(w3, dev, book):
    owner = new_account(w3)
    receipt = send(w3, owner, to=book.address, data=book.encode_abi("set", [8]))
    hash, block = receipt.transactionHash.to_0x_hex(), receipt.blockHash.to_0x_hex()
    steps = w3.geth.debug.trace_transaction(hash, {})
    assert steps["gas"] == receipt.gasUsed and "SSTORE" in [step["op"] for step in steps["structLogs"]]
    call = w3.geth.debug.trace_transaction(hash, {"tracer": "callTracer"})
    assert call["type"] == "CALL" and call["from"] == owner.address
    diff = w3.geth.debug.trace_transaction(hash, {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}})
    assert book.address in diff["post"] and owner.address in diff["pre"]
    assert len(w3.geth.debug.trace_transaction(hash, {"tracer": "4byteTracer"})) == 1
    assert dev.rpc("debug_traceBlockByHash", block, {"tracer": "4byteTracer"})[0]["txHash"] == hash
    assert keccak(w3.eth.get_raw_transaction(receipt.transactionHash)) == receipt.transactionHash


def test_the_pool_and_the_pending_block(w3, dev):
    dev.rpc("anvil_dropAllTransactions")
    dev.rpc("evm_setAutomine", False)
    owner, friend = w3.eth.accounts[6], Account.create().address
    sent = [w3.eth.send_transaction({"from": owner, "to": friend, "value": value}) for value in (1, 2)]
    status = w3.geth.txpool.status()
    assert (int(status["pending"], 16), int(status["queued"], 16)) == (2, 0)
    assert len(w3.geth.txpool.content()["pending"][owner]) == len(w3.geth.txpool.inspect()["pending"][owner]) == 2
    block = w3.eth.get_block("pending")
    assert block.number == w3.eth.block_number + 1 and block.transactions == sent and block.hash is None
    assert (w3.eth.get_balance(friend, "pending"), w3.eth.get_balance(friend)) == (3, 0)
    dev.rpc("evm_setAutomine", True)
    assert all(w3.eth.wait_for_transaction_receipt(hash, poll_latency=0.02).status == 1 for hash in sent)


def test_fee_history_is_what_the_blocks_say(w3):
    sender = new_account(w3)
    last = send(w3, sender, to=rich.address, value=1, maxPriorityFeePerGas=3 * GWEI).blockNumber
    history = w3.eth.fee_history(4, last, [0, 50, 100])
    blocks = [w3.eth.get_block(number) for number in range(last - 3, last + 1)]
    assert history.oldestBlock == last - 3
    assert history.baseFeePerGas[:4] == [block.baseFeePerGas for block in blocks]
    assert history.gasUsedRatio == pytest.approx([block.gasUsed / block.gasLimit for block in blocks], rel=1e-9)
    assert history.reward[3] == [3 * GWEI] * 3
    parent, following = blocks[3], history.baseFeePerGas[4]
    target = parent.gasLimit // 2  # EIP-1559's formula, below the target
    assert following == parent.baseFeePerGas - parent.baseFeePerGas * (target - parent.gasUsed) // target // 8
    assert w3.eth.max_priority_fee > 0 and w3.eth.gas_price >= following


def test_nonces(w3, dev):
    sender = new_account(w3)

    def raw(nonce, value, fee=10 * GWEI):
        tx = {"nonce": nonce, "to": rich.address, "value": value, "gas": 21000, "chainId": DEV_CHAIN_ID,
              "maxFeePerGas": fee, "maxPriorityFeePerGas": fee // 10}
        return sender.sign_transaction(tx)

    late = raw(1, 1)
    w3.eth.send_raw_transaction(late.raw_transaction)
    assert w3.eth.get_transaction_count(sender.address, "pending") == 0
    assert w3.eth.get_transaction(late.hash).blockNumber is None
    with pytest.raises(TransactionNotFound):
        w3.eth.get_transaction_receipt(late.hash)
    with pytest.raises(Web3RPCError, match="already known"):
        w3.eth.send_raw_transaction(late.raw_transaction)
    with pytest.raises(Web3RPCError, match="replacement transaction underpriced"):
        w3.eth.send_raw_transaction(raw(1, 2).raw_transaction)
    better = raw(1, 3, 12 * GWEI)
    w3.eth.send_raw_transaction(better.raw_transaction)
    assert dev.rpc("eth_getTransactionByHash", late.hash.to_0x_hex()) is None
    w3.eth.send_raw_transaction(raw(0, 4).raw_transaction)
    assert dev.receipt(better.hash.to_0x_hex())["status"] == "0x1"
    assert w3.eth.get_transaction_count(sender.address) == 2
    with pytest.raises(Web3RPCError, match="nonce too low"):
        w3.eth.send_raw_transaction(raw(0, 5).raw_transaction)


def test_batches(w3):
    with w3.batch_requests() as batch:
        batch.add(w3.eth.get_block(0))
        batch.add(w3.eth.get_balance(rich.address))
        batch.add(w3.eth.get_transaction_count(rich.address))
        block, balance, nonce = batch.execute()
    assert block.number == 0 and balance > 0 and nonce > 0


def test_blocks_hold_their_transactions(w3):
    receipt = send(w3, rich, to=rich.address, value=0)
    block = w3.eth.get_block(receipt.blockNumber, full_transactions=True)
    assert [tx.hash for tx in block.transactions] == [receipt.transactionHash]
    assert w3.eth.get_block(block.hash).transactions == [receipt.transactionHash]
    assert w3.eth.get_block_transaction_count(block.number) == 1
    assert w3.eth.get_transaction_by_block(block.number, 0) == block.transactions[0]
    assert w3.eth.get_block_receipts(block.number) == [receipt]
    assert w3.eth.get_block(block.number - 1).hash == block.parentHash


ERRORS = {
    "no such method": ("eth_noSuchThing", [], -32601),
    "a parameter is missing": ("eth_getBalance", [], -32602),
    "an address that is none": ("eth_getBalance", ["0x12", "latest"], -32602),
    "a block tag that is none": ("eth_getBalance", ["0x" + "11" * 20, "newest"], -32602),
    "leading zeros in a quantity": ("eth_getBlockByNumber", ["0x01", False], -32602),
    "too many parameters": ("eth_chainId", [1], -32602),
    "a block that is not there": ("eth_getBalance", ["0x" + "11" * 20, "0xffffffff"], -32000),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error_codes(dev, name):
    method, params, code = ERRORS[name]
    with pytest.raises(RpcError) as caught:
        dev.rpc(method, *params)
    assert caught.value.code == code, caught.value


def test_what_the_node_does_not_know(w3):
    nothing = "0x" + os.urandom(32).hex()
    with pytest.raises(TransactionNotFound):
        w3.eth.get_transaction(nothing)
    assert w3.manager.request_blocking("eth_getBlockByHash", [nothing, False]) is None
