"""web3.py 5, unmodified, against a development chain: a notebook contract as JSON on standard input (abi, creation). Prints ok."""
import inspect
import json
import sys

inspect.getargspec = inspect.getfullargspec  # Python 3.11 has it no more; a library of web3.py 5 asks for it
from web3 import Web3
from web3.exceptions import ContractLogicError

url = sys.argv[1]
notebook = json.load(sys.stdin)
w3 = Web3(Web3.HTTPProvider(url))
owner = w3.eth.accounts[7]
w3.eth.defaultAccount = owner


def wait(hash):
    return w3.eth.waitForTransactionReceipt(hash, timeout=20, poll_latency=0.02)


deployed = wait(w3.eth.contract(abi=notebook["abi"], bytecode=notebook["creation"]).constructor().transact())
book = w3.eth.contract(address=deployed.contractAddress, abi=notebook["abi"])
events, blocks = book.events.Noted.createFilter(fromBlock="latest"), w3.eth.filter("latest")
receipt = wait(book.functions.set(42).transact())
assert book.functions.get().call() == 42
assert [event.args.value for event in events.get_new_entries()] == [42]
assert blocks.get_new_entries() == [receipt.blockHash]
assert book.events.Noted().processReceipt(receipt)[0].args.who == owner
assert len(w3.eth.getLogs({"address": book.address, "fromBlock": receipt.blockNumber})) == 1
try:
    book.functions.set(0).call()
    raise AssertionError("no revert")
except ContractLogicError as error:
    assert "zero" in str(error)
built = book.functions.set(7).buildTransaction({"from": owner, "nonce": w3.eth.getTransactionCount(owner)})
assert built["gas"] == w3.eth.estimateGas({"from": owner, "to": book.address, "data": built["data"]})
assert wait(w3.eth.sendTransaction(built)).status == 1
assert w3.toInt(w3.eth.getStorageAt(book.address, 0)) == 7
assert w3.eth.getProof(book.address, [0], w3.eth.blockNumber).storageProof[0].value in ("0x7", 7, b"\x07")
assert w3.eth.getCode(book.address) and w3.eth.gasPrice > 0 and w3.eth.chainId == 31337
assert w3.eth.fee_history(1, "latest", [50]).gasUsedRatio
assert w3.geth.txpool.status().pending == "0x0"
assert w3.eth.getBlock("latest", full_transactions=True).transactions[0]["from"] == owner
live = Web3(Web3.WebsocketProvider(url.replace("http", "ws")))
assert live.isConnected() and live.eth.blockNumber == w3.eth.blockNumber
print("ok")
