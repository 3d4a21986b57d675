"""The outer seal with integers of its own (tests/vectors/tdh2.py): locks, parts and shares as files and bytes."""
import hashlib
import importlib.util
import pathlib

_PATH = pathlib.Path(__file__).parents[1] / "vectors" / "tdh2.py"
_SPEC = importlib.util.spec_from_file_location("tdh2", _PATH)
tdh2 = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tdh2)

POINT = 33
PROOF = 2 * POINT + 64
OVERHEAD = PROOF + 16
PART = OVERHEAD + 1 + POINT + 64


def point(element):
    """Of 33 bytes."""
    x = int.from_bytes(element[1:], "big")
    y = pow((x**3 + tdh2.A * x + tdh2.B) % tdh2.P, (tdh2.P + 1) // 4, tdh2.P)
    return x, y if y % 2 == element[0] - 2 else tdh2.P - y


def parts_of(container):
    """A container's parts (docs/wire-formats.md §1)."""
    count = int.from_bytes(container[4:8], "big")
    at, parts = 8 + 4 * count, []
    for i in range(count):
        length = int.from_bytes(container[8 + 4 * i:12 + 4 * i], "big")
        parts.append(container[at:at + length])
        at += length
    return parts


def label(deployment, record):
    return b"".join(bytes.fromhex(text[2:]) for text in
                    (deployment["genesis"], deployment["records"]["address"], record))


def shares(folder, number=1):
    """The share in a member's folder: its index, and its value."""
    share = (folder / "seal" / f"{number}.share").read_bytes()
    return share[0], int.from_bytes(share[1:], "big")


def open_with(lock, said, held):
    """What the lock holds, or None: with these shares {index: value} alone."""
    u, opened = point(lock[:POINT]), None
    for i, value in held.items():
        weight = 1
        for j in held:
            if j != i:
                weight = weight * j * pow(j - i, -1, tdh2.N) % tdh2.N
        opened = tdh2.add(opened, tdh2.times(value * weight % tdh2.N, u))
    key = tdh2.hkdf(opened[0].to_bytes(32, "big"), b"xinglin/outer/1" + said)
    text = lock[OVERHEAD:]
    blocks = (len(text) + 15) // 16
    stream = b"".join(tdh2.aes(key, bytes(12) + (2 + i).to_bytes(4, "big")) for i in range(blocks))
    message = bytes(a ^ b for a, b in zip(text, stream))
    return message if tdh2.gcm(key, message) == lock[PROOF:] else None


def wish(lock, number, needed, reader, head=None):
    """What a reader asks members for; `reader` is its secret."""
    digest = hashlib.sha256(lock[PROOF:]).digest()
    return (number.to_bytes(8, "big") + bytes([needed]) + (head or lock[:PROOF] + digest) +
            tdh2.element(tdh2.times(reader, tdh2.G)))


def action(body):
    return "release 0x" + hashlib.sha256(body).hexdigest()
