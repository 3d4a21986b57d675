"""The demo over a consortium: four members' nodes with their CometBFTs, each actor at one of them, and what a member
that lies cannot do."""
import http.server
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

MEMBERS = 4
# Whose node each actor asks.
PLACES = {"registrar-1": 0, "registrar-2": 1, "hospital-a": 0, "hospital-b": 1, "patient": 2, "trustee": 3,
          "regulator": 3, "manufacturer": 1, "pharmacy": 2}
PATIENCE_S = 60


class Member:
    """One node, and its log."""

    def __init__(self, xinglin, report):
        self.xinglin, self.config, self.url = xinglin, pathlib.Path(report["config"]), report["rpc"]
        self.folder, self.account, self.node = self.config.parent, report["account"], report["node"]
        self.process = None

    def start(self):
        with open(self.folder / "node.log", "ab") as log:
            self.process = subprocess.Popen([self.xinglin, "node", "--config", self.config, "--json"],
                                            stdout=subprocess.PIPE, stderr=log, text=True)
        self.audits_as = json.loads(self.process.stdout.readline())["member"]

    def end(self, sign):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sign)
            self.process.wait(timeout=30)
        self.process = None

    def rpc(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def head(self):
        """The newest block's hash; None while the node does not answer."""
        try:
            return self.rpc("eth_getBlockByNumber", "latest", False)["result"]["hash"]
        except OSError:
            return None


class Network:
    """What the demo's World is for one node, for the nodes of a consortium."""

    def __init__(self, xinglin, folder, comet):
        self.xinglin, self.folder, self.comet = xinglin, folder, comet
        self.members = []
        self.password = "the demo's own"

    # --- their life ---

    def start(self, deployer, accounts):
        """The chain's id. `accounts` would need ether if it cost something."""
        made = subprocess.run(
            [self.xinglin, "consortium", "init", "--members", str(MEMBERS), "--out", "network", "--deployer", deployer,
             "--light-kdf", "--comet-program", self.comet, "--json"],
            cwd=self.folder, env={**os.environ, "XINGLIN_PASSWORD": self.password}, capture_output=True, text=True,
            check=True)
        report = json.loads(made.stdout)
        self.members = [Member(self.xinglin, one) for one in report["members"]]
        for member in self.members:
            member.start()
        self.settle()
        return report["chainId"]

    def stop(self):
        for member in self.members:
            member.end(signal.SIGINT)

    def running(self):
        return [member for member in self.members if member.process]

    def settle(self):
        """All nodes have the same newest block: what one actor did, the next one sees at its own node."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            heads = {member.head() for member in self.running()}
            if len(heads) <= 1 and None not in heads:
                return
            time.sleep(0.02)
        raise TimeoutError(f"the nodes did not come to the same block in {PATIENCE_S} s: see node.log in "
                           f"{self.folder / 'network'}")

    # --- asking them ---

    def deploying(self):
        """Options of `deploy`: whom the actors believe stands in the genesis; where the members' nodes are does not."""
        return ["--nodes", ",".join(f"{member.audits_as}={member.url}" for member in self.members)]

    def place(self, label, arguments):
        """Options of the actor's command that name its node."""
        if arguments[:2] == ("wallet", "new") or "--rpc" in arguments:
            return []
        return ["--rpc", self.members[PLACES[label]].url]

    @property
    def url(self):
        return self.members[0].url

    def rpc(self, method, *params):
        return self.members[0].rpc(method, *params)

    def audited(self):
        return ["--node", ",".join(f"{member.audits_as}={member.url}" for member in self.members)]

    def node_keys(self):
        return [(f"Node {i + 1}", f"network/member{i + 1}/node.key") for i in range(MEMBERS)]

    def describe(self):
        return "Four members", "start a node each, with its CometBFT; none of them trusts the others"

    def as_member(self, number, *arguments, node=None):
        """A command in the name of a member's own wallet: (exit code, report, what it said on standard error)."""
        member = self.members[number]
        done = subprocess.run(
            [self.xinglin, *arguments, "--home", str(member.folder / "home"), "--rpc", (node or member).url, "--json"],
            cwd=self.folder, env={**os.environ, "XINGLIN_PASSWORD": self.password}, capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}, done.stderr.strip()


class LyingNode:
    """Stands before a member's node, as that member could: it changes one answer and passes the others on."""

    def __init__(self, member, method, change):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = urllib.request.Request(member.url, body, {"Content-Type": "application/json"})
                with urllib.request.urlopen(request, timeout=30) as answer:
                    said = json.load(answer)
                asked = json.loads(body)
                pairs = zip(asked, said) if isinstance(asked, list) else [(asked, said)]
                for question, one in pairs:
                    if question["method"] == method and one.get("result"):
                        one["result"] = change(one["result"])
                text = json.dumps(said).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# --- what a member that lies cannot do ---


def one_digit_off(text, at):
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


STATE_ROOT = 2 + 2 * (3 + 33 + 33 + 21 + 1)  # of the header's text: after "0x", its length, three fields and a length


def a_false_head(head):
    """Another state than the one that the members signed."""
    return {**head, "header": one_digit_off(head["header"], STATE_ROOT)}


def a_false_commit(head):
    """A signature that no member made."""
    return {**head, "commit": one_digit_off(head["commit"], len(head["commit"]) // 2)}


def a_false_state(proof):
    """Another value in the state than the members agreed on."""
    changed = json.loads(json.dumps(proof))
    slot = changed["storageProof"][0] if changed.get("storageProof") else None
    if slot:
        slot["value"] = "0x1" if slot["value"] != "0x1" else "0x2"
        slot["proof"] = slot["proof"][:-1]
    else:
        changed["balance"] = "0x1234"
        changed["accountProof"] = changed["accountProof"][:-1]
    return changed


def liar(network, report, people, folder, bundle):
    """10. The fourth member lies, votes alone, and is gone."""
    report.step(10, "The fourth member lies, and the other three go on")
    b = people["hospital-b"]
    for method, change, what in (("xinglin_head", a_false_head, "another state in its newest block"),
                                 ("xinglin_head", a_false_commit, "a signature that no member made"),
                                 ("eth_getProof", a_false_state, "another value in a proof")):
        lying = LyingNode(network.members[3], method, change)
        try:
            answer = b.fails("access", "log", "--folder", folder, node=lying)
        finally:
            lying.close()
        report.refused(b.name, f"asks the fourth member's node, which shows {what}", answer)
    alone(network, report)
    gone(network, report, people, folder, bundle)


def alone(network, report):
    fourth = network.members[3]
    code, made, said = network.as_member(3, "consortium", "member", "propose", "--leaves", network.members[0].account)
    report.must(code == 0 and made["votes"] == 1, f"The proposal was not made: {said}")
    network.settle()
    code, _, said = network.as_member(3, "consortium", "member", "vote", "--proposer", fourth.account, "--number",
                                      str(made["number"]))
    report.must(code == 3, f"A second vote of the same member was taken: {said}")
    listed = network.as_member(1, "consortium", "member", "list")[1]["members"]
    report.must(len(listed) == MEMBERS, "One member alone has changed the list of members.")
    report.refused("The fourth member", "proposes that the first one leaves, and votes for it twice",
                   f"{said.split(': ', 1)[-1]} (1 of {MEMBERS} voted; more than two thirds are needed)")


def gone(network, report, people, folder, bundle):
    a, b, fourth = people["hospital-a"], people["hospital-b"], network.members[3]
    added = a.run("record", "add", bundle, "--folder", folder, "--rpc", fourth.url)["records"][0]
    fourth.end(signal.SIGKILL)
    a.run("record", "read", added["record"])
    report.did("The fourth member", f"takes a record of {a.name} and dies; {a.name} reads the record at its own node: "
                                    "members hold it before it is registered.")
    began = time.monotonic()
    b.run("access", "ask", "--folder", folder, "--purpose", "TREAT", expect=3)
    report.did("The other three", f"go on: {b.name}'s next request is in a block after "
                                  f"{time.monotonic() - began:.1f} s, at the other three.")
    network.members[3].start()
    network.settle()
    head = network.members[3].rpc("eth_getBlockByNumber", "latest", False)["result"]
    report.did("The fourth member", f"is back, and comes to the same block {int(head['number'], 16)}, "
                                    f"{head['hash'][:18]}….")
