"""The usual actors over the nodes of four members, whose sealed content is kept by all of them."""
import contextlib
import http.server
import json
import signal
import threading
import urllib.error
import urllib.request

from eth_account import Account
from eth_utils import to_checksum_address

import members
from hospitals import BUNDLE, sign_request
from machine import PASSWORD, Consortium, wait_for

NOBODY = "0x" + "00" * 20  # requests for blobs name no node: any member's may answer


class Grove(Consortium):
    names_nodes = True  # the deployment says where all members' nodes are

    def __init__(self, folder, count=4):
        self.folder, self.accounts, self.rpc_url, self.files = folder, {}, None, 0
        for name in ("registrar-1", "registrar-2"):
            self.new_home(name, trust=False)
        self.network = members.running(folder / "grove", count, "--deployer", self.accounts["registrar-1"])
        self.members = self.network.__enter__()
        try:
            self.deploy()
        except BaseException:
            self.close()
            raise

    def deploy(self):
        self.deployment = self.folder / "deployment.json"
        registrars = f"{self.accounts['registrar-1']},{self.accounts['registrar-2']}"
        nodes = ",".join(f"{self.node_account(member)}={member.url}" for member in self.members)
        self.run("registrar-1", "deploy", "--registrars", registrars, "--threshold", 2, "--out", self.deployment,
                 *(("--nodes", nodes) if self.names_nodes else ()), "--rpc", self.members[0].url)
        self.run("registrar-2", "trust", self.deployment)
        self.described = json.loads(self.deployment.read_text())
        for number, member in enumerate(self.members, 1):
            self.list_actor("registrar-1", f"Node {number}", "node", "--node-key", member.folder / "node.key")
        self.actor("hospital", "hospital")
        self.new_home("patient")
        keystore = (self.home("hospital") / "wallet" / "account.json").read_text()
        self.hospital_key = Account.decrypt(keystore, PASSWORD)
        action = self.path()
        self.folder_id = self.run("patient", "folder", "open", "--label", "x", "--out", action)["folder"]
        self.run("hospital", "relay", action)
        self.run("patient", "share", "--folder", self.folder_id, "--with", self.accounts["hospital"], "--rights",
                 "read,write", "--purpose", "TREAT", "--days", 5, "--out", (action := self.path()))
        self.run("hospital", "relay", action)

    @staticmethod
    def node_account(member):
        return Account.from_key((member.folder / "node.key").read_text().strip()).address

    def path(self):
        self.files += 1
        return self.folder / f"file-{self.files}.json"

    def at(self, member, name, *arguments):
        """A command of this actor, to this member's node."""
        return self.run(name, *arguments, "--rpc", member.url)

    def add(self, member=None):
        """A record of the hospital's, registered by way of a member's node."""
        bundle = self.path()
        bundle.write_text(json.dumps(BUNDLE))
        return self.at(member or self.members[0], "hospital", "record", "add", bundle, "--folder",
                       self.folder_id)["records"][0]

    def erase(self, record):
        action = self.path()
        self.run("patient", "record", "erase", record, "--out", action)
        return self.run("hospital", "relay", action)

    def ask(self, member, action, target, body=None, contract="records", here=False):
        """A request of the hospital's that is signed here: HTTP status, and the answer's bytes."""
        gate = to_checksum_address(self.described[contract]["address"])
        authorization = sign_request(self.hospital_key, self.described, gate, action, target, node=NOBODY)
        request = urllib.request.Request(
            f"{member.url}/blobs/{gate}/{target}{'/here' if here else ''}", body,
            method="PUT" if action == "put" else "GET", headers={"Authorization": authorization})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def content(self, member, record):
        """The record's container as this member's node gives it; None: it does not."""
        try:
            status, body = self.ask(member, "get", record)
        except OSError:
            return None
        return body if status == 200 else None

    def is_everywhere(self, record):
        return all(self.content(member, record) for member in self.members if member.process)

    def wait_everywhere(self, record):
        wait_for(lambda: self.is_everywhere(record), 60)

    def close(self):
        self.network.__exit__(None, None, None)


def is_current(member):
    """It answers, and has caught up with the others."""
    return member.head() and member.comet("/status").get("sync_info", {}).get("catching_up") is False


@contextlib.contextmanager
def answered_by(member, handler):
    """The member is gone, and at its HTTP port this handler answers; afterwards it is back."""
    with gone(member):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", int(member.url.rsplit(":", 1)[1])), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


@contextlib.contextmanager
def gone(member):
    """The member is killed; afterwards it is back, and the others know it."""
    member.end(signal.SIGKILL)
    try:
        yield
    finally:
        if not member.process:
            member.start()
        wait_for(lambda: is_current(member), 90)
