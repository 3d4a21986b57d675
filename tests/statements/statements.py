"""Statements made by other people's code (eth_account, eth_abi, pycryptodome) out of their EIP-712 types: calldata with
signatures, and struct hashes. Nothing here comes from the artifacts or from our own sources."""
import re

from Crypto.PublicKey import ECC
from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

GLASS = "Glass(uint16 minutes,uint8 threshold,address[] trustees,bytes32[] commitments)"
TYPES = {
    "Registrars": "uint32 number,bytes32 previous,address[] registrars,uint8 threshold,bool theft,address[] affirmed,"
                  "uint64 deadline",
    "Entry": "address actor,uint32 roles,string name,bytes32 keyX,bytes32 keyY,bytes32 factsKey,uint32 registrarSet,"
             "uint64 deadline",
    "KeyChange": "address actor,uint32 version,bytes32 previous,bytes32 keyX,bytes32 keyY,bytes32 factsKey,bool stolen,"
                 "uint64 deadline",
    "Standing": "address actor,uint8 status,uint16 emergenciesADay,bytes32 reason,uint64 number,uint64 deadline",
    "Open": "address controller,bytes32 salt,bytes32 keyX,bytes32 keyY,bytes32 auditX,bytes32 auditY,bytes32 wraps,"
            "uint32 wrapsSize,Glass glass,bytes label,address relay,uint64 deadline",
    "Rotate": "bytes32 folder,uint32 epoch,bytes32 previous,bytes32 keyX,bytes32 keyY,bytes32 wraps,uint32 wrapsSize,"
              "Glass glass,address[] recipients,address by,address relay,uint64 number,uint64 deadline",
    "HandOver": "bytes32 folder,uint32 handOver,bytes32 previous,address controller,bytes32 auditX,bytes32 auditY,"
                "address relay,uint64 number,uint64 deadline",
    "Forget": "bytes32 folder,address relay,uint64 number,uint64 deadline",
    "Grant": "bytes32 folder,bytes32 record,address grantee,uint32 keyVersion,uint8 rights,uint16 purposes,uint40 from,"
             "uint40 until,uint32 epoch,bytes32 wrap,uint32 wrapSize,address by,address relay,uint64 number,"
             "uint64 deadline",
    "Revoke": "bytes32 folder,bytes32 record,address grantee,address by,address relay,uint64 number,uint64 deadline",
    "Emergency": "bytes32 folder,address actor,bytes32 reasonHash,bytes32 reason,uint32 reasonSize,uint64 deadline",
    "CloseReview": "uint64 review,bool justified,address by,address relay,uint64 number,uint64 deadline",
    "Record": "bytes32 record,bytes32 folder,uint32 epoch,bytes32 root,bytes32 facts",
    "Erase": "bytes32 record,address relay,uint64 number,uint64 deadline",
    "TagHolders": "uint32 number,bytes32 previous,address[] holders,uint8 threshold,bytes32[] commitments,"
                  "uint64 deadline",
    "RegisterProduct": "bytes32 product,address owner,bytes32 keyCommitment,uint32 holders,uint64 deadline",
    "Glass": re.fullmatch(r"Glass\((.*)\)", GLASS)[1],
}
# The calls that carry them: the function, its contract, and the types of the signatures behind the statement.
CALLS = {
    "Registrars": ("changeRegistrars", "directory", ["bytes[]", "bytes[]"]),
    "Entry": ("list", "directory", ["bytes", "bytes", "bytes[]"]),
    "KeyChange": ("changeKey", "directory", ["bytes", "bytes", "bytes", "bytes[]"]),
    "Standing": ("setStanding", "directory", ["bytes[]"]),
    "Open": ("open", "folders", ["bytes"]),
    "Rotate": ("rotate", "folders", ["bytes"]),
    "HandOver": ("handOver", "folders", ["bytes", "bytes"]),
    "Forget": ("forget", "folders", ["bytes"]),
    "Grant": ("grant", "consent", ["bytes"]),
    "Revoke": ("revoke", "consent", ["bytes"]),
    "Emergency": ("breakGlass", "consent", ["bytes"]),
    "CloseReview": ("closeReview", "consent", ["bytes"]),
    "Erase": ("erase", "records", ["bytes"]),
    "TagHolders": ("setTagHolders", "products", ["bytes[]"]),
    "RegisterProduct": ("registerProduct", "products", ["bytes[]", "bytes"]),
    "Record": (None, "records", []),
}
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def named(text):
    """32 bytes that a test knows by a name."""
    return keccak(text.encode())


def account(text):
    return Account.from_key(named(text))


def address(text):
    return account(text).address


class Key:
    """A P-256 key."""

    def __init__(self, text):
        self.d = int.from_bytes(named(text), "big") % P256_ORDER
        point = ECC.construct(curve="P-256", d=self.d).pointQ
        self.x, self.y = (int(one).to_bytes(32, "big") for one in (point.x, point.y))

    def sign(self, digest):
        """r || s over 32 bytes. The nonce is a hash of key and digest: the same signature each time."""
        k = int.from_bytes(keccak(self.d.to_bytes(32, "big") + digest), "big") % P256_ORDER
        r = int(ECC.construct(curve="P-256", d=k).pointQ.x) % P256_ORDER
        s = pow(k, -1, P256_ORDER) * (int.from_bytes(digest, "big") + r * self.d) % P256_ORDER
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def fields(name):
    return [dict(zip(("type", "name"), one.split(" "))) for one in TYPES[name].split(",")]


def abi_type(kind):
    return "(" + ",".join(abi_type(one["type"]) for one in fields(kind)) + ")" if kind in TYPES else kind


def abi_value(kind, value):
    return tuple(abi_value(one["type"], value[one["name"]]) for one in fields(kind)) if kind in TYPES else value


class Deployment:
    """Where signatures count."""

    def __init__(self, chain_id=7697, genesis="genesis", **contracts):
        self.chain_id, self.genesis = chain_id, named(genesis)
        self.contracts = {one: address("contract " + one)
                          for one in ("directory", "folders", "records", "consent", "products")}
        self.contracts.update(contracts)

    def signable(self, kind, message):
        contract = CALLS[kind][1]
        domain = {"name": f"xinglin {contract}", "version": "1", "chainId": self.chain_id,
                  "verifyingContract": self.contracts[contract], "salt": self.genesis}
        types = {kind: fields(kind)}
        if any(one["type"] == "Glass" for one in fields(kind)):
            types["Glass"] = fields("Glass")
        return encode_typed_data(domain, types, message)

    def fact(self, kind, message):
        return self.signable(kind, message).body

    def digest(self, kind, message):
        made = self.signable(kind, message)
        return keccak(b"\x19" + made.version + made.header + made.body)

    def sign(self, kind, message, who):
        return bytes(account(who).sign_message(self.signable(kind, message)).signature)

    def signatures(self, kind, message, everyone):
        """Of many, in ascending order of their addresses."""
        ordered = sorted(everyone, key=lambda who: int(address(who), 16))
        return [self.sign(kind, message, who) for who in ordered]

    def folder_id(self, controller, salt):
        return keccak(encode(["uint256", "address", "address", "bytes32"],
                             [self.chain_id, self.contracts["folders"], controller, salt]))


def calldata(kind, message, *signatures):
    function, _, kinds = CALLS[kind]
    types = [abi_type(kind), *kinds]
    selector = keccak(f"{function}({','.join(types)})".encode())[:4]
    return selector + encode(types, [abi_value(kind, message), *signatures])
