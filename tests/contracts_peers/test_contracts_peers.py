"""The contracts' bindings beside eth_abi and eth_account: every call, answer, event, error, EIP-712 type and stored
value, with random arguments. What the bindings know comes from the artifacts by tools/make-contract-bindings. What is
expected here comes from the ABI by other people's code; the layout of storage is spelled out once more from Solidity's
documentation.
"""
import random
import re
import shutil
import subprocess

import pytest

pytest.importorskip("eth_abi")
from eth_abi import encode  # noqa: E402
from eth_account.messages import encode_typed_data  # noqa: E402
from eth_utils import keccak  # noqa: E402

from contracts_tool import ARTIFACTS, NAMES, ROOT, Tool, be, canonical, flat, flat_all  # noqa: E402

SAMPLES = 20
randomness = random.Random(20261130)


@pytest.fixture(scope="module")
def tool():
    made = Tool.start()
    if not made:
        pytest.skip("contracts_tool is not built")
    yield made
    made.end()


# --- values, at random ---

def members_of(internal):
    """How many members an enum has; None: not an enum."""
    if internal.startswith("enum "):
        return next(len(a["enums"][internal[5:]]) for a in ARTIFACTS.values() if internal[5:] in a["enums"])
    return None


def number(bits, below=None):
    """Often at an edge of the type."""
    top = below or 1 << bits
    return randomness.choice([0, 1, top - 1, randomness.randrange(top), randomness.randrange(top)])


def value_of(entry):
    kind, internal = entry["type"], entry.get("internalType", "")
    if kind.endswith("[]"):
        one = {**entry, "type": kind[:-2], "internalType": internal[:-2]}
        return [value_of(one) for _ in range(randomness.choice([0, 1, 2, 5, 33]))]
    if kind == "tuple":
        return tuple(value_of(one) for one in entry["components"])
    if kind == "bool":
        return randomness.random() < 0.5
    if kind == "address":
        return "0x" + randomness.randbytes(20).hex()
    if kind == "string":
        return "".join(randomness.choice("abcäß杏 ") for _ in range(randomness.choice([0, 1, 31, 32, 33, 90])))
    if kind == "bytes":
        return randomness.randbytes(randomness.choice([0, 1, 31, 32, 33, 65, 400]))
    if kind.startswith("bytes"):
        return randomness.randbytes(int(kind[5:]))
    return number(int(kind[4:]), members_of(internal))


def encoded(entries, values):
    return encode([canonical(entry) for entry in entries], values)


def signature(entry):
    return f"{entry['name']}({','.join(canonical(one) for one in entry['inputs'])})".encode()


def entries(kind):
    return [pytest.param(name, entry, id=f"{name}.{entry['name']}")
            for name in NAMES for entry in ARTIFACTS[name]["abi"] if entry["type"] == kind]


def damaged(data):
    """Encodings that a strict reader refuses: too short, too long."""
    return [data[:-1], data[:-32], data + bytes(32)]


# --- the tests ---

@pytest.mark.parametrize("contract, entry", entries("function"))
def test_a_call_is_encoded_as_eth_abi_encodes_it(tool, contract, entry):
    for _ in range(SAMPLES if entry["inputs"] else 1):
        values = [value_of(one) for one in entry["inputs"]]
        expected = keccak(signature(entry))[:4] + encoded(entry["inputs"], values)
        assert tool(f"{contract}.{entry['name']}.call", flat_all(entry["inputs"], values)) == expected


def changes_state(entry):
    return entry["inputs"] and entry["stateMutability"] not in ("view", "pure")


@pytest.mark.parametrize("contract, entry", [one for one in entries("function") if changes_state(one.values[1])])
def test_the_arguments_of_a_call_are_read_back(tool, contract, entry):
    name = f"{contract}.{entry['name']}.arguments"
    for _ in range(SAMPLES):
        values = [value_of(one) for one in entry["inputs"]]
        data = keccak(signature(entry))[:4] + encoded(entry["inputs"], values)
        assert tool(name, data) == flat_all(entry["inputs"], values)
        other = bytes([data[0] ^ 1]) + data[1:]
        assert [tool(name, bad) for bad in [*damaged(data), other, data[:3]]] == [None] * 5


@pytest.mark.parametrize("contract, entry", [one for one in entries("function") if one.values[1]["outputs"]])
def test_an_answer_is_read_as_eth_abi_encodes_it(tool, contract, entry):
    name = f"{contract}.{entry['name']}.read"
    for _ in range(SAMPLES):
        values = [value_of(one) for one in entry["outputs"]]
        data = encoded(entry["outputs"], values)
        assert tool(name, data) == flat_all(entry["outputs"], values)
        assert [tool(name, bad) for bad in damaged(data)] == [None] * 3


@pytest.mark.parametrize("contract, entry", entries("event"))
def test_an_event_is_read_from_its_log(tool, contract, entry):
    name = f"{contract}.{entry['name']}"
    indexed = [one for one in entry["inputs"] if one["indexed"]]
    plain = [one for one in entry["inputs"] if not one["indexed"]]
    for _ in range(SAMPLES):
        values = {one["name"]: value_of(one) for one in entry["inputs"]}
        topics = [keccak(signature(entry))] + [encoded([one], [values[one["name"]]]) for one in indexed]
        data = encoded(plain, [values[one["name"]] for one in plain])
        expected = flat_all(entry["inputs"], [values[one["name"]] for one in entry["inputs"]])
        log = be(len(topics)) + b"".join(topics)
        assert tool(f"{name}.event", log + data) == expected
        assert tool(f"{name}.event", log + data + bytes(32)) is None
        assert not data or tool(f"{name}.event", log + data[:-32]) is None
        fewer = be(len(topics) - 1) + b"".join(topics[:-1])
        assert tool(f"{name}.event", fewer + data) is None


@pytest.mark.parametrize("contract, entry", entries("event"))
def test_a_filter_asks_for_the_topics_of_its_arguments(tool, contract, entry):
    indexed = [one for one in entry["inputs"] if one["indexed"]]
    for _ in range(SAMPLES):
        asked = b""
        expected = be(1) + keccak(signature(entry))
        for one in indexed:
            value, wanted = value_of(one), randomness.random() < 0.5
            asked += be(int(wanted)) + flat(one, value)
            expected += be(int(wanted)) + (encoded([one], [value]) if wanted else bytes(32))
        expected += (3 - len(indexed)) * bytes(40)
        assert tool(f"{contract}.{entry['name']}.topics", asked) == expected


@pytest.mark.parametrize("contract, entry", entries("error"))
def test_an_error_is_read_with_its_arguments(tool, contract, entry):
    def named(name, rest=b""):
        return be(len(name)) + name.encode() + rest
    for _ in range(SAMPLES):
        values = [value_of(one) for one in entry["inputs"]]
        data = keccak(signature(entry))[:4] + encoded(entry["inputs"], values)
        assert tool("errors.read", data) == named(entry["name"], flat_all(entry["inputs"], values))
        assert tool("errors.read", data + bytes(32)) == named("an unknown error")


def test_reverts_of_solidity_itself_are_read(tool):
    text = "a text of a library"
    answer = tool("errors.read", keccak(b"Error(string)")[:4] + encode(["string"], [text]))
    assert answer == be(5) + b"Error" + be(len(text)) + text.encode()
    answer = tool("errors.read", keccak(b"Panic(uint256)")[:4] + encode(["uint256"], [0x32]))
    assert answer == be(5) + b"Panic" + be(0x32)


TYPED = [pytest.param(name, definition, id=f"{name}.{definition.split('(')[0]}")
         for name in NAMES for definition in (ARTIFACTS[name]["typedData"] or {"types": []})["types"]]


def types_of(definition):
    """Every struct of an EIP-712 type's text with its fields, as eth_account takes them; the type itself is the first."""
    return {name: [dict(zip(("type", "name"), one.split(" "))) for one in inside.split(",")]
            for name, inside in re.findall(r"(\w+)\(([^()]*)\)", definition)}


def as_tuples(types, name):
    """A struct's fields as an ABI would have them."""
    return [{**one, "type": "tuple", "components": as_tuples(types, one["type"])} if one["type"] in types else one
            for one in types[name]]


def as_message(fields, values):
    return {one["name"]: as_message(one["components"], value) if one["type"] == "tuple" else value
            for one, value in zip(fields, values)}


@pytest.mark.parametrize("contract, definition", TYPED)
def test_a_typed_message_has_the_digest_that_eth_account_signs(tool, contract, definition):
    types = types_of(definition)
    primary = next(iter(types))
    fields = as_tuples(types, primary)
    contained = any(f",{primary} " in text or f"({primary} " in text for _, text in (one.values for one in TYPED))
    for _ in range(SAMPLES):
        values = [value_of(one) for one in fields]
        chain_id, address, salt = number(64), randomness.randbytes(20), randomness.randbytes(32)
        domain = {"name": ARTIFACTS[contract]["typedData"]["domain"], "version": "1", "chainId": chain_id,
                  "verifyingContract": "0x" + address.hex(), "salt": salt}
        signable = encode_typed_data(domain, types, as_message(fields, values))
        asked, expected = flat_all(fields, values), signable.body
        if not contained:
            asked += be(chain_id) + address + salt
            expected = keccak(b"\x19" + signable.version + signable.header + signable.body) + expected
        assert tool(f"{contract}.{primary}.typed", asked) == expected


# --- storage: Solidity's "Layout of State Variables in Storage" ---

def abi_type(label):
    """What an ABI entry would say of a stored type of at most one word; None: it has more."""
    if label.startswith("enum "):
        return {"type": "uint8", "internalType": label}
    kind = "address" if label.startswith("contract ") else label
    return {"type": kind} if re.fullmatch(r"u?int\d+|bool|address|bytes\d+", kind) else None


def stored(label, value):
    """The bytes of a value in its slot, from the high end to the low one."""
    kind = abi_type(label)["type"]
    if kind == "address":
        return bytes.fromhex(value[2:])
    if kind.startswith("bytes"):
        return value
    return be(int(value), 1 if kind == "bool" else int(kind[4:]) // 8)


def place(words, slot, offset, data):
    word = bytearray(words[slot])
    word[32 - offset - len(data):32 - offset] = data
    words[slot] = bytes(word)


def slot_of(artifact, variable, keys):
    slot, label = be(variable["slot"], 32), variable["type"]
    types = artifact["storageLayout"]["types"]
    for key in keys:
        slot = keccak(encoded([abi_type(types[label]["key"])], [key]) + slot)
        label = types[label]["value"]
    return slot


def key_types(artifact, variable):
    types, label, found = artifact["storageLayout"]["types"], variable["type"], []
    while types[label]["encoding"] == "mapping":
        found.append(abi_type(types[label]["key"]))
        label = types[label]["value"]
    return found, label


VARIABLES = [pytest.param(name, one, id=f"{name}.{one['label']}")
             for name in NAMES for one in ARTIFACTS[name]["storageLayout"]["storage"]]


@pytest.mark.parametrize("contract, variable", VARIABLES)
def test_a_variable_is_stored_where_solidity_says(tool, contract, variable):
    artifact = ARTIFACTS[contract]
    kinds, label = key_types(artifact, variable)
    described = artifact["storageLayout"]["types"][label]
    name = f"{contract}.{variable['label']}"
    for _ in range(SAMPLES):
        keys = [value_of(kind) for kind in kinds]
        slot = slot_of(artifact, variable, keys)
        assert tool(f"{name}.slot", flat_all(kinds, keys)) == slot
        words, kind = [randomness.randbytes(32)], abi_type(label)
        if kind:
            value = value_of(kind)
            place(words, 0, variable["offset"], stored(label, value))
            assert tool(f"{name}.load", words[0]) == flat(kind, value)
        element = described.get("base") and abi_type(described["base"])
        if element:
            index, value = randomness.randrange(1 << 20), value_of(element)
            size = artifact["storageLayout"]["types"][described["base"]]["bytes"]
            in_a_slot = 32 // size
            place(words, 0, index % in_a_slot * size, stored(described["base"], value))
            where = be((int.from_bytes(keccak(slot), "big") + index // in_a_slot) % (1 << 256), 32)
            expected = where + be(index % in_a_slot * size) + be(size) + flat(element, value)
            assert tool(f"{name}.element", flat_all(kinds, keys) + be(index) + words[0]) == expected


def structs():
    for name in NAMES:
        artifact = ARTIFACTS[name]
        for label in dict.fromkeys(key_types(artifact, one)[1] for one in artifact["storageLayout"]["storage"]):
            if "members" in artifact["storageLayout"]["types"][label]:
                yield pytest.param(name, label, id=f"{name}.{label.split('.')[-1]}")


def leaves(types, label, slot=0):
    for one in types[label]["members"]:
        if "members" in types[one["type"]]:
            yield from leaves(types, one["type"], slot + one["slot"])
        else:
            yield one["type"], slot + one["slot"], one["offset"]


@pytest.mark.parametrize("contract, label", list(structs()))
def test_a_struct_is_read_from_its_slots(tool, contract, label):
    types = ARTIFACTS[contract]["storageLayout"]["types"]
    for _ in range(SAMPLES):
        words = [randomness.randbytes(32) for _ in range((types[label]["bytes"] + 31) // 32)]
        expected = b""
        for kind, slot, offset in leaves(types, label):
            if abi_type(kind):
                value = value_of(abi_type(kind))
                place(words, slot, offset, stored(kind, value))
                expected += flat(abi_type(kind), value)
            elif types[kind]["encoding"] == "bytes":
                expected += words[slot]
            elif types[kind]["encoding"] == "dynamic_array":
                words[slot] = be(randomness.randrange(1 << 32), 32)
                expected += words[slot][24:]
        assert tool(f"{contract}.{label.split('.')[-1]}.stored", b"".join(words)) == expected


def test_the_made_sources_are_laid_out_as_all_others(tmp_path):
    formatter = shutil.which("clang-format-14")
    if not formatter:
        pytest.skip("clang-format-14 is not installed")
    (tmp_path / ".clang-format").write_text((ROOT / ".clang-format").read_text())
    artifacts = [ROOT / "contracts" / "artifacts" / f"{name}.json" for name in NAMES]
    subprocess.run(["python3", "-B", ROOT / "tools" / "make-contract-bindings", tmp_path, *artifacts], check=True)
    made = sorted(tmp_path.glob("*.[ch]"))
    assert len(made) == 2 * len(NAMES) + 2
    subprocess.run([formatter, "--dry-run", "--Werror", *made], check=True)
