"""A client as articles of 2018 to 2022 write it, by web3.py 5: an account, one ether with data, signed and sent.
Arguments: the URL, a
rich account's key. Prints what a test compares."""
import inspect
import json
import sys

inspect.getargspec = inspect.getfullargspec  # Python 3.11 has it no more; a library of web3.py 5 asks for it
from web3 import Web3

url, rich_key = sys.argv[1:]
w3 = Web3(Web3.HTTPProvider(url))
assert w3.isConnected()
account = w3.eth.account.create()


def send(key, nonce, to, value, data):
    signed = w3.eth.account.signTransaction({
        "nonce": nonce, "to": to, "value": value, "gas": 200000, "gasPrice": w3.toWei("10", "gwei"), "data": data,
        "chainId": w3.eth.chainId}, key)
    sent = w3.eth.sendRawTransaction(signed.rawTransaction)
    return w3.eth.waitForTransactionReceipt(sent, timeout=20, poll_latency=0.05)


rich = w3.eth.account.privateKeyToAccount(rich_key)
send(rich_key, w3.eth.getTransactionCount(rich.address), account.address, w3.toWei(3, "ether"), b"")
receipt = send(account.privateKey, 0, rich.address, w3.toWei(1, "ether"), w3.toHex(text="杏林"))
transaction = w3.eth.getTransaction(receipt.transactionHash)
assert transaction["from"] == account.address and w3.toText(transaction["input"]) == "杏林"
print(
    json.dumps(
        {
            "version": w3.api,
            "status": receipt.status,
            "gas": transaction.gas,
            "value": transaction.value,
            "hash": w3.toHex(receipt.transactionHash),
            "left": w3.eth.getBalance(account.address),
            "paid": receipt.gasUsed * w3.toWei(10, "gwei"),
            "block": w3.eth.blockNumber,
        }
    )
)
