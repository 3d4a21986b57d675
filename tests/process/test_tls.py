"""HTTPS and WebSocket over TLS by nodes and gateways, with clients that are not ours. openssl makes the certificates."""
import asyncio
import json
import shutil
import signal
import ssl
import subprocess
import urllib.request

import pytest

from gateways import Gateway
from machine import Node, Refused, cli, post, wait_for

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)


def make_certificates(folder):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3"]
    for authority in ("ca", "other"):
        openssl("req", "-x509", *key, "-keyout", f"{authority}.key", "-out", f"{authority}.crt", "-subj",
                f"/CN={authority}", folder=folder)
    for name, authority in (("server", "ca"), ("client", "ca"), ("stranger", "other")):
        (folder / f"{name}.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n")
        openssl(
            "req", *key[:-2], "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}", folder=folder
        )
        openssl(
            "x509",
            "-req",
            "-in",
            f"{name}.csr",
            "-CA",
            f"{authority}.crt",
            "-CAkey",
            f"{authority}.key",
            "-days",
            "3",
            "-CAcreateserial",
            "-extfile",
            f"{name}.ext",
            "-out",
            f"{name}.crt",
            folder=folder,
        )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    make_certificates(folder)
    return folder


def context(certificates, client=None):
    made = ssl.create_default_context(cafile=certificates / "ca.crt")
    if client:
        made.load_cert_chain(certificates / f"{client}.crt", certificates / f"{client}.key")
    return made


def chain_id(url, tls):
    request = urllib.request.Request(url, json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20, context=tls) as answer:
        return json.loads(answer.read())["result"]


def serving(tmp_path, certificates, *options):
    return Node(tmp_path / "node", "dev", "--tls-cert", str(certificates / "server.crt"), "--tls-key",
                str(certificates / "server.key"), *options)


def test_a_node_serves_https_and_nothing_else(tmp_path, certificates):
    node = serving(tmp_path, certificates)
    try:
        assert node.url.startswith("https://127.0.0.1:")
        assert chain_id(node.url, context(certificates)) == "0x7a69"
        assert chain_id(node.url.replace("127.0.0.1", "localhost"), context(certificates)) == "0x7a69"
        with pytest.raises(OSError):
            chain_id(node.url, ssl.create_default_context())  # nobody vouches for it
        with pytest.raises(OSError):
            post(node.url.replace("https", "http"), {})
    finally:
        assert node.stop() == 0


def test_an_ipv6_address_stands_in_brackets(tmp_path, certificates):
    node = serving(tmp_path, certificates, "--http-addr", "::1")
    try:
        assert node.url.startswith("https://[::1]:")
        assert chain_id(node.url, context(certificates)) == "0x7a69"
    finally:
        assert node.stop() == 0


def test_clients_without_a_certificate_of_the_authority_are_refused(tmp_path, certificates):
    node = serving(tmp_path, certificates, "--tls-client-ca", str(certificates / "ca.crt"))
    try:
        assert chain_id(node.url, context(certificates, "client")) == "0x7a69"
        for client in (None, "stranger"):
            with pytest.raises(OSError):
                chain_id(node.url, context(certificates, client))
    finally:
        assert node.stop() == 0


def shown(node):
    return ssl.get_server_certificate(("127.0.0.1", node.port))


def test_sighup_takes_new_certificates_and_bad_ones_change_nothing(tmp_path, certificates):
    files = {name: tmp_path / name for name in ("live.crt", "live.key")}

    def lay(name):
        for file, kind in zip(files.values(), ("crt", "key")):
            shutil.copy(certificates / f"{name}.{kind}", file)
            file.chmod(0o600)

    lay("server")
    node = Node(tmp_path / "node", "dev", "--tls-cert", str(files["live.crt"]), "--tls-key", str(files["live.key"]))
    try:
        before = shown(node)
        shutil.copy(certificates / "client.crt", files["live.crt"])  # with the old key
        node.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "does not belong" in node.log.read_text())
        assert shown(node) == before
        lay("client")
        node.process.send_signal(signal.SIGHUP)
        wait_for(lambda: shown(node) != before)
        assert chain_id(node.url, context(certificates)) == "0x7a69"
    finally:
        assert node.stop() == 0


def test_websockets_go_over_tls(tmp_path, certificates):
    websockets = pytest.importorskip("websockets")
    node = serving(tmp_path, certificates)

    async def talk():
        async with websockets.connect(
            node.url.replace("https", "wss"), ssl=context(certificates), max_size=None
        ) as peer:
            async def ask(method, *params):
                await peer.send(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}))
                while True:
                    answer = json.loads(await asyncio.wait_for(peer.recv(), 20))
                    if answer.get("id") == 7:
                        return answer["result"]
                    heads.append(answer)
            heads = []
            await ask("eth_subscribe", "newHeads")
            await ask("anvil_mine", "0x3")
            large = "0x" + "ab" * 500_000  # more than TLS's and the kernel's buffers hold
            assert await ask("web3_sha3", large) == await ask("web3_sha3", large)
            while len(heads) < 3:
                heads.append(json.loads(await asyncio.wait_for(peer.recv(), 20)))
            assert [head["params"]["result"]["number"] for head in heads] == ["0x1", "0x2", "0x3"]

    try:
        asyncio.run(talk())
    finally:
        assert node.stop() == 0


@pytest.mark.parametrize("options, reported", [
    (["--tls-cert", "server.crt"], "needs a certificate and its key"),
    (["--tls-client-ca", "ca.crt"], "needs a certificate and its key"),
    (["--tls-cert", "server.crt", "--tls-key", "client.key"], "does not belong"),
    (["--tls-cert", "server.key", "--tls-key", "server.key"], "not usable"),
    (["--tls-cert", "none.crt", "--tls-key", "server.key"], "none.crt"),
])
def test_files_that_do_not_fit_are_named(tmp_path, certificates, options, reported):
    options = [option if option.startswith("--") else certificates / option for option in options]
    with pytest.raises(Refused) as caught:
        cli("dev", "--data", tmp_path / "node", "--http-port", 0, *options)
    assert reported in str(caught.value)


def test_a_gateway_serves_https_and_reloads(consortium, certificates, tmp_path):
    def use(name):
        for end in ("crt", "key"):
            shutil.copy(certificates / f"{name}.{end}", tmp_path / f"own.{end}")

    use("server")
    consortium.actor("tls-ward", "hospital")
    files = ("--tls-cert", tmp_path / "own.crt", "--tls-key", tmp_path / "own.key")
    gateway = Gateway(consortium.home("tls-ward"), *files)
    shown = lambda: ssl.get_server_certificate(("127.0.0.1", gateway.port)).strip()
    try:
        with urllib.request.urlopen(gateway.url + "/livez", timeout=20, context=context(certificates)) as answer:
            assert gateway.url.startswith("https://") and answer.status == 200
        with pytest.raises(OSError):
            urllib.request.urlopen(gateway.url.replace("https", "http") + "/livez", timeout=20)
        use("client")
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: shown() == (certificates / "client.crt").read_text().strip())
        (tmp_path / "own.key").write_text("none")
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the certificates stay as they were" in gateway.log.read_text())
        assert shown() == (certificates / "client.crt").read_text().strip()
    finally:
        assert gateway.end() == 0, gateway.log.read_text()
