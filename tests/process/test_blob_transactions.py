"""Blob transactions (EIP-4844, EIP-7594) against a development chain: random blobs, proved by Python's ckzg, sent by
web3.py's eth_account, by ethers, and by hand where they must be refused."""
import hashlib
import json
import secrets
import subprocess

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

import ckzg
import rlp
from eth_account import Account
from web3 import Web3

from machine import DEV_CHAIN_ID, DEV_KEYS, ROOT, RpcError, wait_for

SETUP = ROOT / "third_party/npm/node_modules/c-kzg/deps/c-kzg/trusted_setup.txt"
GWEI = 10**9
BLOB_GAS = 1 << 17
TO = "0x00000000000000000000000000000000000B10B5"


class Blob:
    """Random field elements, below the order, and what proves them."""

    def __init__(self, setup):
        self.data = b"".join(b"\0" + secrets.token_bytes(31) for _ in range(4096))
        self.commitment = ckzg.blob_to_kzg_commitment(self.data, setup)
        self.proof = ckzg.compute_blob_kzg_proof(self.data, self.commitment, setup)
        self.cell_proofs = ckzg.compute_cells_and_kzg_proofs(self.data, setup)[1]
        self.hash = b"\1" + hashlib.sha256(self.commitment).digest()[1:]


@pytest.fixture(scope="module")
def setup():
    return ckzg.load_trusted_setup(str(SETUP), 0)


@pytest.fixture(scope="module")
def blobs(setup):
    return [Blob(setup) for _ in range(2)]


def fields(node, key, hashes=None, **changes):
    address = Account.from_key(key).address
    nonce = int(node.rpc("eth_getTransactionCount", address, "pending"), 16)
    tx = {
        "type": 3,
        "chainId": DEV_CHAIN_ID,
        "nonce": nonce,
        "to": TO,
        "value": 1,
        "gas": 21000,
        "maxFeePerGas": 10 * GWEI,
        "maxPriorityFeePerGas": GWEI,
        "maxFeePerBlobGas": 10,
        **changes,
    }
    return tx if hashes is None else {**tx, "blobVersionedHashes": hashes}


def envelope(node, key, sidecar, hashes, **changes):
    """A signed transaction with these items of a sidecar behind it."""
    signed = Account.sign_transaction(fields(node, key, hashes, **changes), key)
    return "0x" + (b"\3" + rlp.encode([rlp.decode(bytes(signed.raw_transaction)[1:]), *sidecar])).hex()


def sidecar(blobs, commitments=None, proofs=None):
    proofs = [proof for blob in blobs for proof in blob.cell_proofs] if proofs is None else proofs
    return [b"\1", [blob.data for blob in blobs], commitments or [blob.commitment for blob in blobs], proofs]


def refusal(node, raw):
    with pytest.raises(RpcError) as refused:
        node.rpc("eth_sendRawTransaction", raw)
    assert refused.value.code == -32000
    return refused.value.message


def test_web3(dev, blobs, setup, monkeypatch):
    """From eth_account's own proofs to the receipt, the block, and the fee history."""
    # it loads one thrice a blob
    monkeypatch.setattr("eth_account.typed_transactions.base.load_trusted_setup", lambda *_: setup)
    w3 = Web3(Web3.HTTPProvider(dev.url))
    signed = Account.sign_transaction(fields(dev, DEV_KEYS[1]), DEV_KEYS[1], blobs=[blob.data for blob in blobs])
    tx_hash = w3.eth.send_raw_transaction(signed.raw_transaction)
    receipt = w3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.05)
    assert (receipt.status, receipt.type, receipt.blobGasUsed, receipt.blobGasPrice) == (1, 3, 2 * BLOB_GAS, 1)
    tx = w3.eth.get_transaction(tx_hash)
    assert [bytes(each) for each in tx.blobVersionedHashes] == [blob.hash for blob in blobs]
    assert tx.maxFeePerBlobGas == 10
    block = w3.eth.get_block(receipt.blockNumber)
    assert block.blobGasUsed == 2 * BLOB_GAS and block.excessBlobGas == 0
    assert w3.eth.blob_base_fee == 1
    history = dev.rpc("eth_feeHistory", "0x1", hex(receipt.blockNumber), [])
    assert history["baseFeePerBlobGas"] == ["0x1", "0x1"]
    assert history["blobGasUsedRatio"] == [pytest.approx(2 / 9)]
    raw = dev.rpc("eth_getRawTransactionByHash", tx_hash.to_0x_hex())
    assert len(raw) < 1000 and raw.startswith("0x03")  # a block holds no blobs


def test_ethers(dev, blobs):
    if not (ROOT / "tests/node/node_modules/ethers").exists():
        pytest.skip("npm ci was not run in tests/node")
    given = [
        {
            "data": "0x" + b.data.hex(),
            "commitment": "0x" + b.commitment.hex(),
            "proof": "0x" + b"".join(b.cell_proofs).hex(),
        }
        for b in blobs
    ]
    done = subprocess.run(
        ["node", ROOT / "tests/peers/ethers_blobs.mjs", dev.url],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_what_does_not_hold_is_refused(dev, blobs):
    key, both = DEV_KEYS[2], [blob.hash for blob in blobs]
    first, second = blobs
    send = lambda items, hashes=both, **changes: refusal(dev, envelope(dev, key, items, hashes, **changes))
    swapped = sidecar(blobs, [second.commitment, first.commitment])
    assert "mismatches transaction one" in send(swapped)
    assert send(swapped, both[::-1]) == "invalid blob proof"  # hashes and commitments agree; the blobs do not
    assert send(sidecar(blobs, proofs=second.cell_proofs + first.cell_proofs)) == "invalid blob proof"
    wrong = [first.cell_proofs[1], *first.cell_proofs[1:], *second.cell_proofs]
    assert send(sidecar(blobs, proofs=wrong)) == "invalid blob proof"
    assert send(sidecar(blobs, proofs=[b"\xff" * 48] * 256)) == "invalid blob proof"
    assert send(sidecar(blobs, proofs=first.cell_proofs)) == "invalid number of 128 blob proofs expected 256"
    assert send(sidecar([first])) == "invalid number of 1 blobs compared to 2 blob hashes"
    version_0 = [[first.data], [first.commitment], [first.proof]]
    assert send(version_0, [first.hash]) == "unexpected sidecar version, want: 1, got: 0"
    assert send([b"\2", *sidecar(blobs)[1:]]) == "unsupported sidecar version"
    assert send(sidecar([first] * 7), [first.hash] * 7) == "blob transaction has too many blobs"
    assert send(sidecar([first]), [first.hash], maxFeePerBlobGas=10**30) == "insufficient funds for gas * price + value"
    assert send(sidecar([first]), [first.hash], nonce=77) == "nonce too high"
    alone = Account.sign_transaction(fields(dev, key, both), key).raw_transaction
    assert refusal(dev, alone.to_0x_hex()) == "missing sidecar in blob transaction"
    with pytest.raises(RpcError, match="blob transactions are sent raw"):
        dev.rpc(
            "eth_sendTransaction",
            {
                "from": Account.from_key(key).address,
                "to": TO,
                "blobVersionedHashes": ["0x" + first.hash.hex()],
                "maxFeePerBlobGas": "0xa",
            },
        )


def test_filled_in(dev, blobs):
    """eth_fillTransaction gives what lacks; signed, with a sidecar, it is taken."""
    account = Account.from_key(DEV_KEYS[3])
    filled = dev.rpc(
        "eth_fillTransaction",
        {"from": account.address, "to": TO, "value": "0x1", "blobVersionedHashes": ["0x" + blobs[1].hash.hex()]},
    )
    tx = filled["tx"]
    assert (
        tx["type"] == "0x3"
        and tx["gas"] == "0x5208"
        and tx["maxFeePerBlobGas"] == "0x2"
        and tx["v"] == tx["r"] == tx["s"] == "0x0"
    )
    assert filled["raw"].startswith("0x03") and tx["nonce"] == dev.rpc(
        "eth_getTransactionCount", account.address, "pending"
    )
    whole = {
        name: int(tx[name], 16)
        for name in ("gas", "maxFeePerGas", "maxPriorityFeePerGas", "maxFeePerBlobGas", "nonce", "value")
    }
    raw = envelope(dev, DEV_KEYS[3], sidecar(blobs[1:]), [blobs[1].hash], **whole)
    assert dev.receipt(dev.rpc("eth_sendRawTransaction", raw))["status"] == "0x1"
    plain = dev.rpc("eth_fillTransaction", {"from": account.address, "to": TO, "gasPrice": hex(10 * GWEI)})["tx"]
    assert plain["type"] == "0x0" and plain["gas"] == "0x5208"
    with pytest.raises(RpcError, match="contract creation without any data"):
        dev.rpc("eth_fillTransaction", {"from": account.address})


def test_a_returned_hash_survives(start_node, blobs):
    """kill -9 while it waits: the next start seals it, sidecar and all."""
    node = start_node()
    node.rpc("evm_setAutomine", False)
    tx_hash = node.rpc(
        "eth_sendRawTransaction", envelope(node, DEV_KEYS[0], sidecar(blobs), [blob.hash for blob in blobs])
    )
    kept = node.data / "pool.sidecars" / tx_hash
    assert kept.stat().st_size > 2 * BLOB_GAS
    assert node.rpc("txpool_status") == {"pending": "0x1", "queued": "0x0"}
    node.kill()
    again = start_node(node.data)
    receipt = wait_for(lambda: again.rpc("eth_getTransactionReceipt", tx_hash))
    assert receipt["blobGasUsed"] == hex(2 * BLOB_GAS)
    assert kept.exists()
    again.rpc("hardhat_mine", hex(64))
    assert not kept.exists()
