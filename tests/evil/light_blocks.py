"""CometBFT's light blocks as members that lie make them: taken apart, changed, and signed with whose keys they have."""
import base64
import hashlib
import json

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

VARINT, BYTES = 0, 2
ABSENT, FOR_THE_BLOCK = 1, 2
# Of a header: where each stands in the message, and how it is wrapped in its leaf (None: as it is).
CHAIN, HEIGHT, TIME, LAST_BLOCK, VALIDATORS, NEXT, APP = 2, 3, 4, 5, 8, 9, 11
LEAVES = [1, CHAIN, HEIGHT, TIME, LAST_BLOCK, 6, 7, VALIDATORS, NEXT, 10, APP, 12, 13, 14]
AS_IT_IS = (1, TIME, LAST_BLOCK)
NO_TIME = (1, VARINT, (1 << 64) - 62135596800)  # year 1: of a vote that is absent


def uvarint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(*fields):
    """Fields are (number, type, value), in order; 0 and empty bytes are left out, but not empty messages (None)."""
    out = b""
    for number, kind, value in fields:
        if value or value is None:
            out += uvarint(number << 3 | kind)
            out += uvarint(value) if kind == VARINT else uvarint(len(value or b"")) + (value or b"")
    return out


def fields_of(text):
    """The fields of a message; fixed numbers do not occur in light blocks."""
    fields, at = [], 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = text[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(text):
        tag = number()
        value = number()
        if tag & 7 == BYTES:
            value, at = text[at:at + value], at + value
        fields.append((tag >> 3, tag & 7, value))
    return fields


def merkle(leaves):
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + merkle(leaves[:half]) + merkle(leaves[half:])).digest()


class Key:
    """A validator's."""

    def __init__(self, seed):
        self.pair = ECC.construct(curve="Ed25519", seed=seed)
        self.public = self.pair.public_key().export_key(format="raw")
        self.address = hashlib.sha256(self.public).digest()[:20]

    def sign(self, text):
        return eddsa.new(self.pair, "rfc8032").sign(text)


def key_of(member_folder):
    kept = json.loads((member_folder / "comet/config/priv_validator_key.json").read_text())
    return Key(base64.b64decode(kept["priv_key"]["value"])[:32])


class LightBlock:
    """One that a node showed; each change is made of `header` (number of a field: its value), or by `decide`."""

    def __init__(self, text):
        signed, validators = [value for _, _, value in fields_of(bytes.fromhex(text[2:]))]
        header, commit = [value for _, _, value in fields_of(signed)]
        self.header = {number: value for number, _, value in fields_of(header)}
        self.commit = fields_of(commit)
        self.set = [{number: value for number, _, value in fields_of(one)} for _, _, one in fields_of(validators)]

    @property
    def keys(self):
        """In order."""
        return [fields_of(one[2])[0][2] for one in self.set]

    def name_validators(self, keys, power=10):
        """These decide it, in the place of those who did."""
        ordered = sorted(keys, key=lambda key: key.address)
        self.set = [{2: message((1, BYTES, key.public)), 3: power} for key in ordered]
        leaves = [message((1, BYTES, one[2]), (2, VARINT, one[3])) for one in self.set]
        self.header[VALIDATORS] = self.header[NEXT] = merkle(leaves)

    def hash(self):
        leaves = []
        for number in LEAVES:
            value = self.header.get(number, b"")
            kind = VARINT if isinstance(value, int) else BYTES
            leaves.append(value if number in AS_IT_IS else message((1, kind, value)))
        return merkle(leaves)

    def decide(self, keys, chain=None, others="absent"):
        """Those whose keys are given vote for the header as it is, in the name of `chain`. `others`: "absent", or
        "forged", with a signature of something else."""
        by_key = {key.public: key for key in keys}
        block_id = message((1, BYTES, self.hash()), (2, BYTES, message((1, VARINT, 1), (2, BYTES, b"\7" * 32))))
        time = self.header[TIME]
        height, chain = self.header[HEIGHT], chain or self.header[CHAIN]
        # The height is a fixed number of 8 bytes.
        vote = (message((1, VARINT, 2)) + b"\x11" + height.to_bytes(8, "little")
                + message((4, BYTES, block_id), (5, BYTES, time), (6, BYTES, chain)))
        text = uvarint(len(vote)) + vote
        votes = []
        for public in self.keys:
            address = hashlib.sha256(public).digest()[:20]
            if public in by_key or others == "forged":
                signature = by_key[public].sign(text) if public in by_key else bytes(range(64))
                votes.append(message((1, VARINT, FOR_THE_BLOCK), (2, BYTES, address), (3, BYTES, time),
                                     (4, BYTES, signature)))
            else:
                votes.append(message((1, VARINT, ABSENT), (3, BYTES, message(NO_TIME))))
        self.commit = [(1, VARINT, height), (3, BYTES, block_id)] + [(4, BYTES, vote) for vote in votes]
        return self

    def text(self):
        header = message(*((number, VARINT if isinstance(value, int) else BYTES, value)
                           for number, value in sorted(self.header.items())))
        signed = message((1, BYTES, header), (2, BYTES, message(*self.commit)))
        validators = message(*((1, BYTES, message(*((number, VARINT if isinstance(value, int) else BYTES, value)
                                                    for number, value in sorted(one.items())))) for one in self.set))
        return "0x" + message((1, BYTES, signed), (2, BYTES, validators)).hex()
