"""One gateway over several nodes: what it does when one dies, lags, lies about its height, or has dropped the past."""

import contextlib
import http.server
import json
import threading
import urllib.error
import urllib.request

import pytest

from exposition import families, value
from gateways import PATIENT, Gateway, ward
from machine import Refused, cli, wait_for


class Relay(http.server.ThreadingHTTPServer):
    """Another node, as the gateway sees it: passes every request on to a node, and changes or withholds an answer."""

    daemon_threads = True

    def __init__(self, node):
        super().__init__(("127.0.0.1", 0), RelayHandler)
        self.node, self.change, self.passed = node, lambda method, answer, is_watch: answer, []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()

    def methods(self):
        """What it was asked but for the watch's own questions."""
        return [method for method in self.passed if method not in ("eth_chainId", "eth_blockNumber")]


class RelayHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: text for name, text in self.headers.items() if name.lower() not in ("host", "connection")}
        request = urllib.request.Request(self.server.node.url + self.path, body or None, headers, method=self.command)
        try:
            with urllib.request.urlopen(request) as answer:
                status, kind, content = answer.status, answer.headers.get("Content-Type"), answer.read()
        except urllib.error.HTTPError as error:
            status, kind, content = error.code, error.headers.get("Content-Type"), error.read()
        if self.path == "/":
            content = self.change(json.loads(body), content)
        if content is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any

    def change(self, request, content):
        calls = request if isinstance(request, list) else [request]
        answer = json.loads(content)
        is_watch = len(calls) == 3 and calls[0]["method"] == "eth_chainId"  # it looks at every node each second
        for call in calls:
            self.server.passed.append(call["method"])
        for one in answer if isinstance(answer, list) else [answer]:
            method = next(call["method"] for call in calls if call["id"] == one["id"])
            if self.server.change(method, one, is_watch) is None:
                return None
        return json.dumps(answer, separators=(",", ":")).encode()

    def log_message(self, *_):
        pass


@pytest.fixture
def relays(consortium):
    made = [Relay(consortium.node) for _ in range(2)]
    yield made
    for relay in made:
        relay.close()


@contextlib.contextmanager
def gateway_over(consortium, name, nodes):
    folder = ward(consortium, name)
    gateway = Gateway(consortium.home(name), "--node", ",".join(node.url for node in nodes))
    try:
        yield gateway, folder
    finally:
        gateway.end()


def records(consortium, name, folder):
    return [record["record"] for record in consortium.run(name, "record", "list", "--folder", folder)["records"]]


def higher(method, answer, is_watch):
    if is_watch and method == "eth_blockNumber":
        answer["result"] = hex(int(answer["result"], 16) + 1000)
    return answer


def up(gateway, node):
    return value(families(gateway.call("/metrics")[2].decode()), "node_up", node=node.url)


def test_a_write_whose_answer_was_lost_is_handed_to_the_next_node_and_stands_once(consortium, relays):
    with gateway_over(consortium, "gn-lost", [relays[0], consortium.node]) as (gateway, folder):
        assert gateway.post(folder)[0] == 201

        def lose(method, answer, _):
            """The node takes it, and dies before it says so."""
            if method.startswith("eth_sendRawTransaction"):
                relays[0].change = lambda *_: None
                return None
            return answer

        relays[0].change = lose
        status, _, body = gateway.post(folder, {**PATIENT, "id": "q"}, Idempotency_Key="lost")
        assert status == 201, body
        wait_for(lambda: len(records(consortium, "gn-lost", folder)) == 2)
        assert gateway.call(f"/records/{json.loads(body)['records'][0]['record']}")[0] == 200  # reads go on
        assert gateway.post(folder, {**PATIENT, "id": "q"}, Idempotency_Key="lost")[0] == 201
        assert len(records(consortium, "gn-lost", folder)) == 2


def test_a_node_that_two_others_are_far_ahead_of_is_asked_last(consortium, relays):
    for relay in relays:
        relay.change = higher
    behind = consortium.node
    with gateway_over(consortium, "gn-behind", [behind, *relays]) as (gateway, folder):
        wait_for(lambda: up(gateway, behind) == 0)
        assert f"{behind.url} is behind the others" in gateway.readiness()[1]["node"]["detail"]
        before = len(relays[0].methods())
        assert gateway.post(folder)[0] == 201
        assert len(relays[0].methods()) > before
        for relay in relays:
            relay.change = lambda *_: None  # better an old node than none
        assert gateway.post(folder, {**PATIENT, "id": "q"})[0] == 201


def test_one_node_that_claims_to_be_far_ahead_makes_no_other_look_old(consortium, relays):
    relays[0].change = higher
    with gateway_over(consortium, "gn-liar", [consortium.node, *relays]) as (gateway, _):
        wait_for(lambda: value(families(gateway.call("/metrics")[2].decode()), "node_head_block",
                               node=relays[0].url) > 1000)
        assert [up(gateway, node) for node in (consortium.node, *relays)] == [1, 1, 1]


def test_what_one_node_has_dropped_is_asked_of_the_next(consortium, relays):
    def prune(method, answer, _):
        if method == "eth_getLogs":
            answer.pop("result", None)
            answer["error"] = {"code": 4444, "message": "pruned history unavailable: this node keeps blocks from 9 on"}
        return answer

    relays[0].change = prune
    with gateway_over(consortium, "gn-pruned", [relays[0], consortium.node]) as (gateway, folder):
        assert gateway.post(folder)[0] == 201
        wait_for(lambda: "eth_getLogs" in relays[0].passed)
        gateway.wait_ready()
    consortium.new_home("gn-asker")
    with pytest.raises(Refused, match="pruned history unavailable: this node keeps blocks from 9 on"):
        cli("record", "list", "--folder", folder, "--home", consortium.home("gn-asker"), "--rpc", relays[0].url)
