"""A proxy between the command line and a node that keeps every byte of both ways, and can change answers on the way."""
import http.client
import http.server
import threading

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade"}


class Recorder:
    """`traffic` holds requests and answers; `change`, where set, is asked (path, body) for another body of an answer, and `before`
    (request line, body) for a status that the node is spared the request for; None lets it through."""

    def __init__(self, node_port):
        self.node_port, self.traffic, self.change, self.before = node_port, [], None, None
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                recorder.traffic.append(f"{self.requestline}\r\n{self.headers}".encode() + body)
                spared = recorder.before and recorder.before(self.requestline, body)
                if spared:
                    self.send_response(spared)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                connection = http.client.HTTPConnection("127.0.0.1", recorder.node_port, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                recorder.traffic.append(f"{answer.status}\r\n{answer.headers}".encode() + content)
                if recorder.change and answer.status == 200:
                    content = recorder.change(self.path, content)
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = forward

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
