"""Slots that the bindings compute, on a chain after real actions: what eth_getStorageAt shows there, read by the
bindings, is what the contract's own views answer."""
import json
import sys

import pytest

pytest.importorskip("eth_abi")
from eth_abi import decode, encode  # noqa: E402
from eth_utils import keccak  # noqa: E402

from machine import ROOT  # noqa: E402
from trading import check_digit  # noqa: E402

sys.path.insert(0, str(ROOT / "tests" / "contracts_peers"))
from contracts_tool import ARTIFACTS, Tool, be, canonical, flat_all  # noqa: E402

GTIN = check_digit("0401234567895")
WHOLE_FOLDER = bytes(32)
BUNDLE = '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient"}}]}'


def raw(text):
    return bytes.fromhex(text[2:])


class Chain:
    """A folder with a trustee, a grant and a record; a product with a batch."""

    def __init__(self, consortium, tool, folder):
        self.c, self.tool = consortium, tool
        deployment = json.loads(consortium.deployment.read_text())
        self.contracts = {name: of["address"] for name, of in deployment.items() if isinstance(of, dict)}
        self.hospital = consortium.actor("slots-hospital", "hospital", "Slots Hospital")
        self.trustee = consortium.actor("slots-trustee", "trustee", "Slots Trustee")
        opened = consortium.run("slots-hospital", "folder", "open", "--label", "slots", "--glass-minutes", 30,
                                "--trustee", self.trustee, "--send")
        self.folder = opened["folder"]
        share = "share", "--folder", self.folder, "--days", 30, "--send"
        consortium.run("slots-hospital", *share, "--with", self.trustee, "--rights", "read", "--purpose", "TREAT")
        consortium.run("slots-hospital", *share, "--with", self.hospital, "--rights", "write")
        (folder / "bundle.json").write_text(BUNDLE)
        added = consortium.run("slots-hospital", "record", "add", folder / "bundle.json", "--folder", self.folder)
        self.record = added["records"][0]["record"]

    def words(self, contract, slot, count=1):
        """Of consecutive slots."""
        first = int.from_bytes(slot, "big")
        address = self.contracts[contract.lower()]
        at = [hex((first + i) % (1 << 256)) for i in range(count)]
        return b"".join(raw(self.c.rpc("eth_getStorageAt", address, one, "latest")) for one in at)

    def view(self, contract, name, *arguments):
        """(the outputs' entries, their values)."""
        entry = next(one for one in ARTIFACTS[contract]["abi"] if one["type"] == "function" and one["name"] == name)
        inputs, outputs = [[canonical(one) for one in entry[side]] for side in ("inputs", "outputs")]
        data = keccak(f"{name}({','.join(inputs)})".encode())[:4] + encode(inputs, arguments)
        call = {"to": self.contracts[contract.lower()], "data": "0x" + data.hex()}
        return entry["outputs"], decode(outputs, raw(self.c.rpc("eth_call", call, "latest")))

    def struct(self, contract, variable, label, key):
        """What the bindings read from where they say it is."""
        types = ARTIFACTS[contract]["storageLayout"]["types"]
        slots = next((kind["bytes"] + 31) // 32 for name, kind in types.items() if name.endswith(f".{label}"))
        return self.tool(f"{contract}.{label}.stored",
                         self.words(contract, self.tool(f"{contract}.{variable}.slot", key), slots))


@pytest.fixture(scope="module")
def chain(consortium, tmp_path_factory):
    tool = Tool.start()
    if not tool:
        pytest.skip("contracts_tool is not built")
    yield Chain(consortium, tool, tmp_path_factory.mktemp("slots"))
    tool.end()


def test_a_folder_is_stored_as_its_view_says(chain):
    outputs, (folder,) = chain.view("Folders", "folderOf", raw(chain.folder))
    assert folder[0] != "0x" + bytes(20).hex() and folder[1] == 1
    assert chain.struct("Folders", "heads", "Head", raw(chain.folder)) == flat_all(outputs, [folder])
    _, (fact,) = chain.view("Folders", "epochOf", raw(chain.folder), 1)
    assert fact != bytes(32)
    assert chain.words("Folders", chain.tool("Folders.epochs.slot", raw(chain.folder) + be(1))) == fact
    outputs, key = chain.view("Folders", "auditKeyOf", raw(chain.folder))
    assert chain.struct("Folders", "auditKeys", "Point", raw(chain.folder)) == flat_all(outputs, key)


def test_a_list_is_stored_as_its_view_says(chain):
    outputs, (trustees,) = chain.view("Folders", "trusteesOf", raw(chain.folder))
    assert [one.lower() for one in trustees] == [chain.trustee.lower()]
    slot = chain.tool("Folders.trustees.slot", raw(chain.folder))
    assert int.from_bytes(chain.words("Folders", slot), "big") == len(trustees)
    asked = raw(chain.folder) + be(0)
    first = chain.tool("Folders.trustees.element", asked + bytes(32))[:32]
    answer = chain.tool("Folders.trustees.element", asked + chain.words("Folders", first))
    assert answer == first + be(0) + be(20) + raw(chain.trustee)


def test_a_registration_is_stored_as_its_view_says(chain):
    outputs, values = chain.view("Records", "registrationOf", raw(chain.record))
    assert values[0][1] == raw(chain.folder)
    assert chain.struct("Records", "registrations", "Registration", raw(chain.record)) == flat_all(outputs, values)


def test_a_grant_is_stored_as_its_view_says(chain):
    arguments = raw(chain.folder), WHOLE_FOLDER, chain.trustee
    outputs, values = chain.view("Consent", "grantOf", *arguments)
    assert values[0][0] == 1
    key = keccak(encode(["bytes32", "bytes32", "address"], arguments))
    assert chain.struct("Consent", "grants", "GrantState", key) == flat_all(outputs, values)


def test_an_actor_is_stored_as_its_view_says(chain):
    outputs, values = chain.view("Directory", "actorOf", chain.hospital)
    assert values[0][1] == 1
    assert chain.struct("Directory", "actors", "Actor", raw(chain.hospital)) == flat_all(outputs, values)


def test_a_product_is_stored_as_its_view_says_and_a_batch_as_it_was_commissioned(chain, consortium):
    """The contract of medicines has no views: what it stores is compared with what was done."""
    consortium.actor("slots-regulator", "regulator")
    consortium.actor("slots-maker", "manufacturer")
    product = raw(consortium.product("slots-maker", GTIN, "slots-regulator")["product"])
    consortium.run("slots-maker", "pack", "commission", "--gtin", GTIN, "--lot", "SLOTS", "--expiry", "2030-06-30",
                   "--count", 3)
    outputs, values = chain.view("Products", "productOf", product)
    assert raw(values[0][0]) == raw(consortium.accounts["slots-maker"]) and values[0][2] == 3
    assert chain.struct("Products", "products", "Product", product) == flat_all(outputs, values)
    topic = keccak(b"BatchOpened(bytes32,bytes32,bytes32,uint40)")
    logs = consortium.rpc("eth_getLogs", {"fromBlock": "0x0", "address": chain.contracts["medicines"],
                                          "topics": ["0x" + topic.hex(), None, "0x" + product.hex()]})
    (batch,) = [raw(log["topics"][1]) for log in logs]
    stored = chain.struct("Medicines", "batches", "Batch", batch)
    expires = 1909008000 + 86400  # the end of 2030-06-30
    assert stored[:48] == product + be(expires) + be(3)
