"""Products registered past the command line: the regulators' statements, signed here from the homes' phrases."""
import json

from eth_account import Account
from eth_account.messages import encode_typed_data
from machine import ROOT, cli
from web3 import Web3

Account.enable_unaudited_hdwallet_features()
ABI = json.loads((ROOT / "contracts" / "artifacts" / "Products.json").read_text())["abi"]
NEVER = 2**63
GENERATOR = [bytes.fromhex(word) for word in (
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")]  # of P-256


def signer(consortium, name):
    return Account.from_mnemonic(cli("wallet", "phrase", "--home", consortium.home(name))["phrase"])


class Registering:
    """One regulator holds the key of tags alone."""

    def __init__(self, consortium, regulator):
        deployment = json.loads(consortium.deployment.read_text())
        self.web3 = Web3(Web3.HTTPProvider(consortium.node.url))
        self.contract = self.web3.eth.contract(Web3.to_checksum_address(deployment["products"]["address"]), abi=ABI)
        self.domain = {"name": "xinglin products", "version": "1", "chainId": deployment["chainId"],
                       "verifyingContract": deployment["products"]["address"], "salt": deployment["genesis"]}
        self.regulator = signer(consortium, regulator)
        registrars = sorted((signer(consortium, f"registrar-{i}") for i in (1, 2)), key=lambda a: int(a.address, 16))
        holders = {"number": 1, "previous": bytes(32), "holders": [self.regulator.address], "threshold": 1,
                   "commitments": GENERATOR, "deadline": NEVER}
        types = {"TagHolders": [("number", "uint32"), ("previous", "bytes32"), ("holders", "address[]"),
                                ("threshold", "uint8"), ("commitments", "bytes32[]"), ("deadline", "uint64")]}
        signed = [self.sign(registrar, types, "TagHolders", holders) for registrar in registrars]
        self.send(self.contract.functions.setTagHolders(tuple(holders.values()), signed))

    def sign(self, account, types, primary, message):
        fields = {name: [{"name": n, "type": t} for n, t in members] for name, members in types.items()}
        domain = [{"name": n, "type": t} for n, t in (("name", "string"), ("version", "string"), ("chainId", "uint256"),
                                                      ("verifyingContract", "address"), ("salt", "bytes32"))]
        full = {"types": {"EIP712Domain": domain, **fields}, "primaryType": primary, "domain": self.domain,
                "message": message}
        return account.sign_message(encode_typed_data(full_message=full)).signature

    def send(self, call):
        tx = call.build_transaction({"from": self.regulator.address, "gasPrice": self.web3.eth.gas_price,
                                     "nonce": self.web3.eth.get_transaction_count(self.regulator.address)})
        raw = self.regulator.sign_transaction(tx).raw_transaction
        receipt = self.web3.eth.wait_for_transaction_receipt(self.web3.eth.send_raw_transaction(raw))
        assert receipt.status == 1

    def product(self, tag, owner, commitment):
        message = {"product": bytes.fromhex(tag[2:]), "owner": owner.address,
                   "keyCommitment": bytes.fromhex(commitment[2:]), "holders": 1, "deadline": NEVER}
        types = {"RegisterProduct": [("product", "bytes32"), ("owner", "address"), ("keyCommitment", "bytes32"),
                                     ("holders", "uint32"), ("deadline", "uint64")]}
        signed = [self.sign(account, types, "RegisterProduct", message) for account in (self.regulator, owner)]
        self.send(self.contract.functions.registerProduct(tuple(message.values()), signed[:1], signed[1]))
