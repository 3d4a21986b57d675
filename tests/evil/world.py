"""What there is to lie about: a small deployment with folders, grants, a revocation, records, looks, an emergency."""
import json
import shutil
import urllib.request

from eth_abi import encode
from eth_account import Account
from eth_utils import keccak, to_checksum_address

from hospitals import sign_request
from machine import PASSWORD, Consortium, Node, cli, wait_for

SECRET = "planted-diagnosis"  # in the record that is added, and in those that are read
OTHER_SECRET = "planted-elsewhere"
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [
    {"resource": {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": SECRET}}}]}
# What a home knows only because it asked before: a home that asks for the first time has none of these.
REMEMBERED = ("index.db*", "pins.json", "head.json", "statements*", "lists/*")


def topic(signature):
    return "0x" + keccak(text=signature).hex()


def selector(signature):
    return topic(signature)[:10]


def word(value):
    """A word of calldata, without 0x: of a number, or of an address or hash in hexadecimal."""
    return f"{value:064x}" if isinstance(value, int) else value.lower().removeprefix("0x").rjust(64, "0")


RECORD_ADDED = topic("RecordAdded(bytes32,bytes32,address,uint32,bytes32,bytes32,uint64,bytes32,uint64,bytes24)")
EPOCH_STARTED = topic("EpochStarted(bytes32,uint32,bytes32,bytes32,bytes32,address[],address[])")
GRANTED = topic("Granted(bytes32,bytes32,address,uint8,uint16,uint40,uint40,uint32,uint32,bytes32,uint64,bytes24)")
ACCESS = topic("Access(bytes32,bytes32,address,uint8,bool,uint8,uint40,uint64,uint64,bytes24)")
REVOKED = topic("Revoked(bytes32,bytes32,address,bytes32,uint64,bytes24)")
HANDED_OVER = topic("FolderHandedOver(bytes32,address,uint32,uint64,bytes24)")
GLASS_BROKEN = topic("GlassBroken(bytes32,address,uint64,bytes32,uint40)")
REVIEW_CLOSED = topic("ReviewClosed(uint64,address,bool)")


class World:
    """All tests share one, so a test changes no folder of it: it opens its own."""

    def __init__(self, folder):
        self.c = Consortium(folder, node_options=["--anchor-ms", "200"])
        self.folder, self.files = folder, 0
        self.deployment = json.loads(self.c.deployment.read_text())
        for name, roles in {"hospital": "hospital", "clinic": "professional", "nurse": "professional",
                            "doctor": "professional", "er": "hospital,emergency", "trustee": "trustee",
                            "late-trustee": "trustee", "third-trustee": "trustee", "regulator": "regulator",
                            "deputy": "professional", "former-deputy": "professional"}.items():
            self.c.actor(name, roles)
        for name in ("patient", "heir"):
            self.c.new_home(name)
        self.bundle = self.file("bundle.json", json.dumps(BUNDLE))
        self.write_history()
        self.write_reads()
        self.hand_over()
        self.forget()
        self.others = []

    def write_history(self):
        """Folder A: a record, a nurse whose grant was revoked (so there are two epochs), a newer record, a look, an
        emergency that is closed, and one whose key was released. Folder B: a record, two trustees who hold a share
        each, and an emergency that they did not look at yet."""
        self.a = self.open_folder("general", "trustee")
        self.b = self.open_folder("other", "late-trustee", "third-trustee")
        for folder in (self.a, self.b):
            self.share(folder, "hospital", "--rights", "read,write", "--purpose", "TREAT")
        for name in ("clinic", "nurse"):
            self.share(self.a, name, "--purpose", "TREAT")
        self.record = self.add(self.a)
        other = self.file("other.json", json.dumps(BUNDLE).replace(SECRET, OTHER_SECRET))
        self.other_record = self.add(self.b, other)
        self.before_revocation = self.c.node.head()
        path = self.path()
        self.c.run("patient", "revoke", "--folder", self.a, "--from", self.c.accounts["nurse"], "--out", path)
        self.relay(path)
        self.relay(f"{path}.rotate")
        self.newer_record = self.add(self.a)
        self.c.run("clinic", "access", "ask", "--folder", self.a, "--purpose", "TREAT")
        self.c.run("clinic", "record", "read", self.record, "--out", self.path())
        self.closed_review = self.c.run("er", "break-glass", "--folder", self.a, "--reason", "asleep")["review"]
        self.c.run("regulator", "review", "close", self.closed_review, "--unjustified", "--send")
        self.review = self.c.run("er", "break-glass", "--folder", self.a, "--reason", "unconscious")["review"]
        self.c.run("trustee", "trustee", "serve", "--once")
        self.late_review = self.c.run("er", "break-glass", "--folder", self.b, "--reason", "unconscious")["review"]
        self.action = self.path()
        self.c.run("patient", "share", "--folder", self.a, "--with", self.c.accounts["doctor"], "--purpose", "TREAT",
                   "--days", 5, "--out", self.action)

    def write_reads(self):
        """More reads of folder A; what the node said before the last ones, and a second node that has anchored."""
        from reads import honest_answer  # which needs a world
        for _ in range(3):
            self.c.run("hospital", "record", "read", self.record, "--out", self.path())
        self.anchored_reads()
        self.earlier_reads = honest_answer(self, self.a)
        self.c.run("hospital", "record", "read", self.record, "--out", self.path())
        self.anchored_reads()

    def anchored_reads(self):
        """Once all reads of both folders stand on the chain."""
        def all_anchored(folder):
            reads = self.c.run("patient", "access", "reads", "--folder", folder)["reads"]
            return reads and all(read["anchored"] for read in reads)
        for folder in (self.a, self.b):
            wait_for(lambda folder=folder: all_anchored(folder), seconds=120)

    def hand_over(self):
        """Folder H: handed over to the heir, who gave it a new key, and rights to a deputy; those of another one it
        took back. And an asking for folder A."""
        self.h = self.open_folder("handed over", "trustee")
        self.share(self.h, "hospital", "--rights", "read,write", "--purpose", "TREAT")
        self.h_record = self.add(self.h)
        self.before_hand_over = self.c.node.head()
        self.former_controller = self.controller(self.h)
        given = self.path()
        self.c.run("patient", "folder", "hand-over", self.asking(self.h), "--out", given)
        self.relay(given)
        self.signed("folder", "rotate", self.h, "--handed", given, by="heir")
        self.before_deputy = self.c.node.head()
        for name in ("deputy", "former-deputy"):
            self.share(self.h, name, "--rights", "read,share,rotate", "--purpose", "TREAT", by="heir")
        self.before_former = self.c.node.head()
        self.signed("revoke", "--folder", self.h, "--from", self.c.accounts["former-deputy"], "--keep-key", by="heir")
        self.c.run("deputy", "share", "--folder", self.h, "--with", self.c.accounts["doctor"], "--purpose", "TREAT",
                   "--days", 3, "--send")
        self.asked = self.asking(self.a)

    def forget(self):
        """Folder F: one record, and nothing is left of it."""
        self.f = self.open_folder("forgotten", "trustee")
        self.share(self.f, "hospital", "--rights", "read,write", "--purpose", "TREAT")
        self.f_record = self.add(self.f)
        self.signed("folder", "forget", self.f)

    # --- making it ---

    def path(self):
        self.files += 1
        return self.folder / f"file-{self.files}.json"

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def relay(self, path):
        self.c.run("hospital", "relay", path)

    def signed(self, *arguments, by="patient"):
        path = self.path()
        report = self.c.run(by, *arguments, "--out", path)
        self.relay(path)
        return report

    def asking(self, folder):
        path = self.path()
        self.c.run("heir", "folder", "take-over", folder, "--label", "theirs", "--out", path)
        return path

    def controller(self, folder):
        """Without 0x, in lower case."""
        return self.c.run("patient", "folder", "show", folder)["controller"][2:].lower()

    def open_folder(self, label, *trustees):
        return self.signed("folder", "open", "--label", label, "--glass-minutes", 60, "--trustee",
                           ",".join(self.c.accounts[one] for one in trustees))["folder"]

    def share(self, folder, name, *more, by="patient"):
        return self.signed("share", "--folder", folder, "--with", self.c.accounts[name], "--days", 5, *more, by=by)

    def add(self, folder, path=None):
        return self.c.run("hospital", "record", "add", path or self.bundle, "--folder", folder)["records"][0]["record"]

    def other_node(self, with_our_key):
        """A node of another chain that has our chain's id."""
        data = self.path().with_suffix("")
        other = cli("init", "--data", data, "--deployer", self.c.accounts["registrar-2"], "--chain-id",
                    self.deployment["chainId"])["sealer"]
        if with_our_key:
            genesis, ours = data / "genesis.json", self.deployment["sealer"]
            text = genesis.read_text()
            genesis.write_text(text.replace(other[2:].lower(), ours[2:].lower()).replace(other, ours))
            shutil.copy(self.c.data / "node.key", data / "node.key")
        self.others.append(Node(data, "node"))
        return self.others[-1]

    def close(self):
        for node in [*self.others, self.c.node]:
            assert node.stop() == 0, node.log.read_text()

    def container(self, record):
        """As the node gives it to its author, who asks past our client."""
        key = Account.decrypt((self.c.home("hospital") / "wallet" / "account.json").read_text(), PASSWORD)
        gate = to_checksum_address(self.address("records"))
        signed = sign_request(key, self.deployment, gate, "get", record)
        request = urllib.request.Request(f"{self.c.node.url}/blobs/{gate}/{record}", headers={"Authorization": signed})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    # --- what it is ---

    def address(self, contract):
        return self.deployment[contract]["address"].lower()

    def account(self, name):
        """Without 0x, in lower case: as it stands in answers."""
        return self.c.accounts[name][2:].lower()

    def words(self, contract, signature, *arguments):
        """The output of a call that reads, in words without 0x."""
        output = self.c.rpc(*self.call(contract, signature, *arguments))[2:]
        return [output[i:i + 64] for i in range(0, len(output), 64)]

    def call(self, contract, signature, *arguments):
        """The call itself: what a plain client asks."""
        data = selector(signature) + "".join(word(argument) for argument in arguments)
        return "eth_call", {"to": self.address(contract), "data": data}, "latest"

    def logs(self, contract, *topics):
        return "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": self.address(contract),
                               "topics": list(topics)}

    def log(self, contract, *topics):
        """The newest log of these topics."""
        return self.c.rpc(*self.logs(contract, *topics))[-1]

    def wraps_item(self, folder, epoch):
        """Without 0x, as release_item: keccak256(abi.encode("wraps", folder, epoch))."""
        return keccak(encode(["string", "bytes32", "uint32"], ["wraps", bytes.fromhex(folder[2:]), epoch])).hex()

    def release_item(self):
        """Of folder A's emergency, by its trustee, of epoch 2."""
        named = ["release", self.review, "0x" + self.account("trustee"), 2]
        return keccak(encode(["string", "uint64", "address", "uint32"], named)).hex()

    def transaction(self, log):
        """The question for the transaction that made it."""
        return "eth_getTransactionByHash", log["transactionHash"]

    def commitment(self, folder):
        """The words x and y of its opening's one commitment: the last two ones of the glass, before the label."""
        data = self.c.rpc(*self.transaction(self.log("folders", EPOCH_STARTED, folder)))["input"][10:]
        words = [data[i:i + 64] for i in range(0, len(data), 64)]
        at = next(i for i, one in enumerate(words) if one == word(self.account("third-trustee"))) + 2
        return words[at], words[at + 1]

    def registration_slots(self, record):
        """Where Records keeps it (docs/wire-formats.md §8), without 0x."""
        first = int.from_bytes(keccak(bytes.fromhex(record[2:]) + bytes(32)), "big")
        return [word((first + i) % 2**256) for i in range(5)]

    def folder_key(self, folder):
        """The words x and y of its newest epoch."""
        data = self.log("folders", EPOCH_STARTED, folder)["data"][2:]
        return data[:64], data[64:128]

    def actor_key(self, name):
        """The words x and y, the last ones of the directory's answer."""
        return self.words("directory", "actorOf(address)", self.account(name))[-2:]

    # --- homes ---

    def home(self, name):
        """A copy of a home as it would be before it asked its node anything."""
        copy = self.path().with_suffix("")
        shutil.copytree(self.c.home(name), copy)
        for pattern in REMEMBERED:
            for path in copy.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return copy
