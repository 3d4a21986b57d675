#!/usr/bin/env python3
"""A first program against xinglin, with nothing but web3.py and eth_account: make an account, send one ether with a few
bytes of data, read both back from the chain.

    xinglin dev                                # in another terminal: a development chain on http://localhost:8545
    pip install web3
    python3 examples/web3_quickstart.py

Any Ethereum node will do; so will any Ethereum library instead of web3.py.
"""
import argparse
import sys

from eth_account import Account
from web3 import Web3


def arguments():
    parser = argparse.ArgumentParser(description="Sends one ether with data, and reads it back.")
    parser.add_argument("--url", default="http://localhost:8545", help="the node's JSON-RPC (%(default)s)")
    parser.add_argument("--text", default="hello, xinglin", help="what to write into the transaction (%(default)s)")
    return parser.parse_args()


def fund(w3, address):
    """A new account owns nothing. A development node holds ten rich accounts and signs for them, so one of them can
    pay.

    On a real chain a node signs for nobody: ask someone who has ether. (On a consortium chain made by `xinglin init`
    the base fee is zero, so that gas costs nothing there; only the value below has to come from somewhere.)
    """
    if not w3.eth.accounts:
        sys.exit("This node signs for no accounts: it is not in development mode. Start one with: xinglin dev")
    rich = w3.eth.accounts[0]
    paid = w3.eth.send_transaction({"from": rich, "to": address, "value": w3.to_wei(2, "ether")})
    w3.eth.wait_for_transaction_receipt(paid)
    print(f"funded by   {rich} with {w3.from_wei(w3.eth.get_balance(address), 'ether')} ether")


def main():
    options = arguments()
    w3 = Web3(Web3.HTTPProvider(options.url))
    if not w3.is_connected():
        sys.exit(f"No node answers at {options.url}. Start one with: xinglin dev")
    print(f"connected   {options.url}, chain {w3.eth.chain_id}, block {w3.eth.block_number}")

    account = Account.create()  # the private key never leaves this program
    print(f"account     {account.address}")
    fund(w3, account.address)

    receiver = Account.create().address
    transaction = {
        "to": receiver,
        "value": w3.to_wei(1, "ether"),
        "gas": 200000,
        "data": Web3.to_hex(text=options.text),
        "gasPrice": w3.eth.gas_price,
        "nonce": w3.eth.get_transaction_count(account.address),
        "chainId": w3.eth.chain_id,  # a signature for this chain is worth nothing on another
    }
    signed = account.sign_transaction(transaction)
    tx_hash = w3.eth.send_raw_transaction(signed.raw_transaction)
    print(f"sent        {tx_hash.to_0x_hex()}")

    receipt = w3.eth.wait_for_transaction_receipt(tx_hash)
    print(f"receipt     {'success' if receipt.status == 1 else 'failure'} in block {receipt.blockNumber},",
          f"{receipt.gasUsed} gas used")

    found = w3.eth.get_transaction(tx_hash)
    print(f"data        \"{Web3.to_text(found.input)}\"")
    print(f"receiver    {receiver} now has {w3.from_wei(w3.eth.get_balance(receiver), 'ether')} ether")
    return 0 if receipt.status == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
