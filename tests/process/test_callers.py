"""Who may ask a node's JSON-RPC, and how much: tokens, lists of methods, requests and gas of one caller."""
import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import signal
import time
import urllib.error
import urllib.request

import pytest

from machine import Node, Refused, cli, free_port, wait_for

SECRET = "ab" * 32
HOUR = 3600
# LOOP: JUMPDEST PUSH1 0 JUMP, until its gas is gone.
LOOP = {"to": "0x" + "0c" * 20, "gas": "0x989680"}
LOOPING = {LOOP["to"]: {"code": "0x5b600056"}}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(secret=SECRET, alg="HS256", **claims):
    head = base64url(json.dumps({"alg": alg, "typ": "JWT"}).encode())
    body = base64url(json.dumps({"iat": int(time.time()), **claims}).encode())
    signature = hmac.new(bytes.fromhex(secret), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64url(signature)}"


def call(method, *params, number=1):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def ask(node, body, bearer=None):
    """Status, headers and the answer, of JSON or else text."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    request = urllib.request.Request(node.url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        text = refused.read()
        is_json = refused.headers["Content-Type"] == "application/json"
        return refused.code, dict(refused.headers), json.loads(text) if is_json else text.decode()


def keys_file(folder, text=SECRET):
    path = folder / "jwt.hex"
    path.write_text(text)
    path.chmod(0o600)
    return path


def metrics(node, port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in lines if line.startswith("rpc_")}


@pytest.fixture
def guarded(tmp_path):
    port = free_port()
    node = Node(tmp_path / "node", "dev", "--rpc-jwt-keys", keys_file(tmp_path), "--metrics-port", str(port))
    node.metrics_port, node.folder = port, tmp_path
    yield node
    assert node.stop() == 0
    assert SECRET not in node.log.read_text()


def test_only_a_token_opens_json_rpc(guarded):
    status, headers, answer = ask(guarded, call("eth_chainId"))
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer") and "token" in answer
    for wrong in (token("cd" * 32), token(iat=1), token(alg="none"), token(exp=1), "x", "a.b.c"):
        assert ask(guarded, call("eth_chainId"), wrong)[0] == 401
    assert ask(guarded, call("eth_chainId"), token())[2]["result"] == "0x7a69"
    assert ask(guarded, call("eth_chainId"), token(exp=int(time.time()) + HOUR, sub="a"))[0] == 200
    assert metrics(guarded, guarded.metrics_port)["rpc_unknown_callers_total"] >= 7


def test_what_is_not_json_rpc_asks_for_no_token(guarded):
    with urllib.request.urlopen(guarded.url + "/livez", timeout=30) as answer:
        assert answer.status == 200


def test_a_token_may_name_the_methods_that_its_caller_may_ask(guarded):
    narrow = token(methods=["eth_chainId", "net_*"])
    assert ask(guarded, call("eth_chainId"), narrow)[2]["result"] == "0x7a69"
    assert ask(guarded, call("net_version"), narrow)[2]["result"] == "31337"
    assert ask(guarded, call("eth_blockNumber"), narrow)[2]["error"]["code"] == -32601
    batch = ask(guarded, [call("eth_blockNumber"), call("eth_chainId", number=2)], narrow)[2]
    assert batch[0]["error"]["code"] == -32601 and batch[1]["result"] == "0x7a69"


def test_a_reload_takes_other_keys_and_keeps_the_old_ones_if_they_are_wrong(guarded):
    other = "cd" * 32
    keys_file(guarded.folder, other)
    guarded.process.send_signal(signal.SIGHUP)
    wait_for(lambda: ask(guarded, call("eth_chainId"), token(other))[0] == 200, 60)
    assert ask(guarded, call("eth_chainId"), token())[0] == 401
    keys_file(guarded.folder, "not a key")
    guarded.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the keys of JSON-RPC are not taken" in guarded.log.read_text(), 60)
    assert ask(guarded, call("eth_chainId"), token(other))[0] == 200


def test_a_websocket_opens_with_a_token(guarded):
    websockets = pytest.importorskip("websockets")
    url = guarded.url.replace("http", "ws")

    async def talk():
        with pytest.raises(Exception) as refused:
            await websockets.connect(url)
        assert "401" in str(refused.value)
        headers = {"Authorization": f"Bearer {token(methods=['eth_chainId'])}"}
        async with websockets.connect(url, additional_headers=headers) as socket:
            await socket.send(json.dumps(call("eth_chainId")))
            assert json.loads(await socket.recv())["result"] == "0x7a69"
            await socket.send(json.dumps(call("eth_blockNumber")))
            assert json.loads(await socket.recv())["error"]["code"] == -32601

    asyncio.run(talk())


def test_a_websocket_ends_with_its_token_and_another_stays(guarded):
    websockets = pytest.importorskip("websockets")
    url = guarded.url.replace("http", "ws")

    async def connect(**claims):
        headers = {"Authorization": f"Bearer {token(**claims)}"}
        return await websockets.connect(url, additional_headers=headers)

    async def talk():
        stays, later = await connect(), await connect(exp=int(time.time()) + 3600)
        brief = None
        while brief is None:  # a slow machine may come too late with such a token
            with contextlib.suppress(websockets.exceptions.InvalidStatus):
                brief = await connect(exp=int(time.time()) + 2)
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            await asyncio.wait_for(brief.recv(), 60)
        assert closed.value.rcvd.code == 1008
        for socket in (stays, later):
            await socket.send(json.dumps(call("eth_chainId")))
            assert json.loads(await socket.recv())["result"] == "0x7a69"
            await socket.close()

    asyncio.run(talk())


def test_a_home_shows_its_token_to_the_node_that_it_names(tmp_path):
    home, data, token_file = tmp_path / "home", tmp_path / "node", tmp_path / "token"
    deployer = cli("wallet", "new", "--home", home)["account"]
    cli("init", "--data", data, "--deployer", deployer, "--chain-id", "7697")
    node = Node(data, "node", "--rpc-jwt-keys", keys_file(tmp_path))
    deploy = ["deploy", "--home", home, "--rpc", node.url, "--registrars", deployer, "--threshold", "1",
              "--out", tmp_path / "deployment.json"]
    with pytest.raises(Refused, match="401"):
        cli(*deploy)
    token_file.write_text(token(exp=int(time.time()) + 30, sub="deployer"))
    with pytest.raises(Refused, match="can be read by others"):
        cli(*deploy, env={"XINGLIN_RPC_TOKEN_FILE": str(token_file)})
    token_file.chmod(0o600)
    token_file.write_text(SECRET)
    assert cli(*deploy, env={"XINGLIN_RPC_TOKEN_FILE": str(token_file)})
    assert node.stop() == 0


def test_a_batch_counts_its_members(tmp_path):
    port = free_port()
    node = Node(tmp_path / "node", "dev", "--rpc-caller-requests", "1", "--metrics-port", str(port))
    assert len(ask(node, [call("eth_chainId", number=i) for i in range(1000)])[2]) == 1000
    for later in (call("eth_chainId"), [call("eth_chainId", number=7)]):
        status, headers, answer = ask(node, later)
        assert status == 429 and 500 < int(headers["Retry-After"]) <= 991
        assert answer["error"]["code"] == -32005
    assert metrics(node, port)["rpc_limited_messages_total"] == 2
    assert node.stop() == 0


def test_limits_hold_over_websocket_too(tmp_path):
    websockets = pytest.importorskip("websockets")
    node = Node(tmp_path / "node", "dev", "--rpc-caller-requests", "1")

    async def talk():
        async with websockets.connect(node.url.replace("http", "ws")) as socket:
            await socket.send(json.dumps([call("eth_chainId", number=i) for i in range(1000)]))
            assert len(json.loads(await socket.recv())) == 1000
            await socket.send(json.dumps(call("eth_chainId", number=7)))
            answer = json.loads(await socket.recv())
            assert (answer["id"], answer["error"]["code"]) == (7, -32005)

    asyncio.run(talk())
    assert node.stop() == 0


def test_gas_of_calls_is_limited(tmp_path):
    node = Node(tmp_path / "node", "dev", "--rpc-caller-gas", "100000")
    batch = [call("eth_call", LOOP, "latest", LOOPING, number=i) for i in range(2)]
    first, second = ask(node, batch)[2]
    assert first["error"]["code"] == -32000 and second["error"]["code"] == -32005
    assert ask(node, call("eth_chainId"))[0] == 429
    assert node.stop() == 0


def test_subjects_have_their_own_limits(tmp_path):
    node = Node(tmp_path / "node", "dev", "--rpc-jwt-keys", keys_file(tmp_path), "--rpc-caller-requests", "1")
    many = [call("eth_chainId")] * 1000
    assert ask(node, many, token(sub="a"))[0] == 200
    assert ask(node, many, token(sub="a"))[0] == 429
    assert ask(node, many, token(sub="b"))[0] == 200
    assert node.stop() == 0


@pytest.mark.parametrize("options, says", [
    (["--rpc-jwt-issuer", "x"], "belong together"),
    (["--rpc-jwt-issuer", "x", "--rpc-jwt-audience", "y"], "needs rpc-jwt-keys"),
    (["--rpc-jwt-keys", "{short}"], "64 hexadecimal digits"),
    (["--rpc-jwt-keys", "{open}"], "chmod 600"),
    (["--rpc-jwt-keys", "{set}"], "issuer"),
])
def test_wrong_settings_are_refused(tmp_path, options, says):
    files = {name: keys_file(tmp_path, text).rename(tmp_path / name)
             for name, text in (("short", "ab"), ("open", SECRET), ("set", '{"keys":[]}'))}
    files["open"].chmod(0o644)
    options = [option.format(**files) for option in options]
    with pytest.raises(AssertionError, match=says):
        Node(tmp_path / "node", "dev", *options)
