"""The same client as article_old.py in today's spelling of web3.py."""
import json
import sys

from web3 import Web3

url, rich_key = sys.argv[1:]
w3 = Web3(Web3.HTTPProvider(url))
assert w3.is_connected()
account = w3.eth.account.create()


def send(key, nonce, to, value, data):
    signed = w3.eth.account.sign_transaction({
        "nonce": nonce, "to": to, "value": value, "gas": 200000, "gasPrice": w3.to_wei("10", "gwei"), "data": data,
        "chainId": w3.eth.chain_id}, key)
    sent = w3.eth.send_raw_transaction(signed.raw_transaction)
    return w3.eth.wait_for_transaction_receipt(sent, timeout=20, poll_latency=0.05)


rich = w3.eth.account.from_key(rich_key)
send(rich_key, w3.eth.get_transaction_count(rich.address), account.address, w3.to_wei(3, "ether"), b"")
receipt = send(account.key, 0, rich.address, w3.to_wei(1, "ether"), w3.to_hex(text="杏林"))
transaction = w3.eth.get_transaction(receipt.transactionHash)
assert transaction["from"] == account.address and w3.to_text(transaction["input"]) == "杏林"
print(
    json.dumps(
        {
            "version": w3.api,
            "status": receipt.status,
            "gas": transaction.gas,
            "value": transaction.value,
            "hash": receipt.transactionHash.to_0x_hex(),
            "left": w3.eth.get_balance(account.address),
            "paid": receipt.gasUsed * w3.to_wei(10, "gwei"),
            "block": w3.eth.block_number,
        }
    )
)
