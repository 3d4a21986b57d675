"""An independent verifier of eth_getProof (EIP-1186): Merkle Patricia proofs by the Yellow Paper's appendix D."""
import rlp
from eth_utils import keccak


def _nibbles(data):
    return [n for byte in data for n in (byte >> 4, byte & 15)]


def _compact(encoded):
    """(nibbles, is a leaf) of a hex-prefix encoded path."""
    nibbles = _nibbles(encoded)
    return nibbles[1 if nibbles[0] & 1 else 2:], bool(nibbles[0] & 2)


def get(root, key, proof):
    """The value under keccak(key), or None where the proof shows its absence; ValueError where it proves neither."""
    path, expected, nodes = _nibbles(keccak(key)), root, list(proof)
    if not nodes:
        if root == keccak(rlp.encode(b"")):
            return None
        raise ValueError("no proof")
    while True:
        if isinstance(expected, list):
            node = expected  # shorter than a hash: it stands in its parent
        elif expected == b"":
            node = None
        else:
            if not nodes or keccak(nodes[0]) != expected:
                raise ValueError("a node is not the one that its parent names")
            node = rlp.decode(nodes.pop(0))
        if node is None:
            if nodes:
                raise ValueError("more nodes than the path has")
            return None
        if len(node) == 17:
            if not path:
                raise ValueError("a key's path ends in a branch")
            expected, path = node[path[0]], path[1:]
            continue
        part, is_leaf = _compact(node[0])
        if is_leaf:
            if nodes:
                raise ValueError("more nodes than the path has")
            return node[1] if part == path else None
        if path[:len(part)] != part:
            if nodes:
                raise ValueError("more nodes than the path has")
            return None
        expected, path = node[1], path[len(part):]


def account(root, address, proof):
    """(nonce, balance, storage root, code hash), or None."""
    found = get(root, address, proof)
    if found is None:
        return None
    nonce, balance, storage, code = rlp.decode(found)
    return int.from_bytes(nonce, "big"), int.from_bytes(balance, "big"), storage, code


def slot(root, position, proof):
    found = get(root, position.to_bytes(32, "big"), proof)
    return 0 if found is None else int.from_bytes(rlp.decode(found), "big")


HEADER = [
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
]
NUMBERS = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}


def header_hash(block):
    """The hash of a block's header, from the JSON of eth_getBlockByNumber."""
    fields = []
    for name in HEADER:
        if name in NUMBERS:
            value = int(block[name], 16)
            fields.append(value.to_bytes((value.bit_length() + 7) // 8, "big"))
        else:
            fields.append(bytes.fromhex(block[name][2:]))
    return keccak(rlp.encode(fields))
