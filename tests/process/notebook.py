"""A contract of a few dozen bytes, assembled here: a number that anyone may set, except to zero, with an event each
time.

set(uint256 value)   emits Noted(msg.sender, value); reverts with Error("zero") for zero
get() returns (uint256)
"""
from eth_utils import keccak

ABI = [
    {
        "type": "function",
        "name": "set",
        "stateMutability": "nonpayable",
        "outputs": [],
        "inputs": [{"name": "value", "type": "uint256"}],
    },
    {
        "type": "function",
        "name": "get",
        "stateMutability": "view",
        "inputs": [],
        "outputs": [{"name": "", "type": "uint256"}],
    },
    {
        "type": "event",
        "name": "Noted",
        "anonymous": False,
        "inputs": [
            {"name": "who", "type": "address", "indexed": True},
            {"name": "value", "type": "uint256", "indexed": False},
        ],
    },
]
OPCODES = {"STOP": 0x00, "SUB": 0x03, "EQ": 0x14, "ISZERO": 0x15, "SHR": 0x1C, "CALLER": 0x33, "CALLDATALOAD": 0x35,
           "CODECOPY": 0x39, "MSTORE": 0x52, "SLOAD": 0x54, "SSTORE": 0x55, "JUMPI": 0x57, "JUMPDEST": 0x5B,
           "PUSH0": 0x5F, "DUP1": 0x80, "LOG2": 0xA2, "RETURN": 0xF3, "REVERT": 0xFD}


def assemble(source):
    """Words are opcodes, 0x… constants (pushed), :label (a JUMPDEST) and @label (pushed as one byte)."""
    out, places, uses = bytearray(), {}, []
    for word in source.split():
        if word.startswith(":"):
            places[word[1:]] = len(out)
            out.append(OPCODES["JUMPDEST"])
        elif word.startswith("@"):
            out += b"\x60\x00"
            uses.append((len(out) - 1, word[1:]))
        elif word.startswith("0x"):
            data = bytes.fromhex(word[2:])
            out += bytes([0x5F + len(data)]) + data
        else:
            out.append(OPCODES[word])
    for at, label in uses:
        out[at] = places[label]
    return bytes(out)


def selector(signature):
    return "0x" + keccak(text=signature)[:4].hex()


NOTED = keccak(text="Noted(address,uint256)")
ERROR_WORDS = (bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (4).to_bytes(32, "big") + b"zero").ljust(
    100, b"\0"
)
RUNTIME = assemble(f"""
    PUSH0 CALLDATALOAD 0xe0 SHR
    DUP1 {selector('get()')} EQ @get JUMPI
    {selector('set(uint256)')} EQ @set JUMPI
    PUSH0 PUSH0 REVERT
    :get PUSH0 SLOAD PUSH0 MSTORE 0x20 PUSH0 RETURN
    :set 0x04 CALLDATALOAD
    DUP1 ISZERO @zero JUMPI
    DUP1 PUSH0 SSTORE PUSH0 MSTORE
    CALLER 0x{NOTED.hex()} 0x20 PUSH0 LOG2 STOP
    :zero
    0x{ERROR_WORDS[0:32].hex()} PUSH0 MSTORE
    0x{ERROR_WORDS[32:64].hex()} 0x20 MSTORE
    0x{ERROR_WORDS[64:96].hex()} 0x40 MSTORE
    0x{ERROR_WORDS[96:].ljust(32, bytes(1)).hex()} 0x60 MSTORE
    0x64 PUSH0 REVERT
""")
# Copies what follows these ten bytes into memory, and returns it as the contract's code.
PROLOGUE = bytes([0x61]) + len(RUNTIME).to_bytes(2, "big") + bytes.fromhex("80600b5f395ff3")
CREATION = PROLOGUE + bytes([0]) + RUNTIME  # one STOP fills up to the eleven that the prologue skips
