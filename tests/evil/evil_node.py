"""The evil node: a proxy between a program and its node that can change, drop, replay and invent any answer.

What it answers is decided by a lie (lies.py). What a program sends for good (a blob, a transaction) is kept and never
reaches the node, so that a program that was fooled leaves the chain as it was."""
import http.client
import http.server
import json
import threading

from machine import RpcError, rpc

SENDS = "eth_sendRawTransaction"


class EvilNode:
    """Tells `lie` to whoever asks at `url`. `puts` holds the paths of blobs that were put, `sent` raw transactions,
    and `asked` the names of the methods that were called."""

    def __init__(self, node_url, lie):
        self.node_url, self.lie = node_url, lie
        self.host = node_url.split("//")[1]
        self.puts, self.sent, self.asked = [], [], []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    # --- JSON-RPC ---

    def ask(self, method, params):
        """The honest node's result; RpcError is its error."""
        return rpc(self.node_url, method, *params)

    def answer(self, request):
        method, params = request["method"], request.get("params", [])
        self.asked.append(method)
        reply = {"jsonrpc": "2.0", "id": request.get("id")}
        try:
            if method == SENDS:
                self.sent.append(params[0])
                return {**reply, "result": self.lie.taken(params[0], self.ask)}
            return {**reply, "result": self.lie.answer(method, params, self.ask)}
        except RpcError as error:
            return {**reply, "error": {"code": error.code, "message": error.message, "data": error.data}}

    def answer_all(self, body):
        """The answer to one call, or to a batch of them."""
        asked = json.loads(body)
        answers = [self.answer(one) for one in asked] if isinstance(asked, list) else self.answer(asked)
        return json.dumps(answers).encode()

    # --- blobs ---

    def get(self, path, headers):
        """Status and bytes of the honest node."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request("GET", path, headers={k: v for k, v in headers.items() if k == "Authorization"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def put(self, path, headers, body):
        """Status and bytes of the honest node."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request("PUT", path, body, {"Authorization": headers["Authorization"]})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def exchange(self, verb, path, headers, body):
        """Status and bytes for one request."""
        if verb == "POST":
            return 200, self.answer_all(body)
        if verb == "PUT":
            self.puts.append(path)
            return self.lie.put(path, lambda end: self.put(path + end, headers, body))
        return self.lie.blob(path, lambda other: self.get(other, headers))


def handler_of(node):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = node.exchange(self.command, self.path, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            node.lie.send(self, content)

        do_GET = do_POST = do_PUT = serve

        def log_message(self, *_):
            pass

    return Handler
