"""An OAuth 2 issuer for tests: npm's jose makes its keys and tokens, and a small server publishes what it says."""
import base64
import http.server
import json
import pathlib
import subprocess
import threading
import time

NODE = pathlib.Path(__file__).resolve().parent.parent / "node"
AUDIENCE = "https://gateway.example/fhir"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """`publishes`: the kids that its JWKS shows. `asked` counts the requests by path."""

    def __init__(self):
        self.peer = subprocess.Popen(
            ["node", NODE / "jwt_peer.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.keys, self.publishes, self.asked, self.is_broken = {}, [], {}, False
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked[self.path] = issuer.asked.get(self.path, 0) + 1
                body = issuer.answers().get(self.path)
                self.send_response(503 if issuer.is_broken else 200 if body else 404)
                self.end_headers()
                self.wfile.write(json.dumps(body or {}).encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/realms/ward"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answers(self):
        return {
            "/realms/ward/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": self.url + "/keys",
                "authorization_endpoint": self.url + "/authorize",
                "token_endpoint": self.url + "/token",
            },
            "/realms/ward/keys": self.jwks(),
        }

    def jwks(self):
        return {"keys": [self.keys[kid] for kid in self.publishes]}

    def ask(self, **request):
        self.peer.stdin.write(json.dumps(request) + "\n")
        self.peer.stdin.flush()
        return json.loads(self.peer.stdout.readline())

    def new_key(self, kid, alg="ES256", publish=True):
        self.keys[kid] = self.ask(make=kid, alg=alg)
        if publish:
            self.publishes.append(kid)
        return self.keys[kid]

    def claims(self, **more):
        now = int(time.time())
        base = {"iss": self.url, "aud": AUDIENCE, "iat": now, "exp": now + 300, "client_id": "app", "sub": "u1",
                "scope": "system/*.cruds", **more}
        return {name: value for name, value in base.items() if value is not None}

    def token(self, kid, header=None, **claims):
        return self.ask(sign=kid, header={"kid": kid, "typ": "at+jwt", **(header or {})}, claims=self.claims(**claims))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.peer.stdin.close()
        self.peer.wait(20)
        self.peer.stdout.close()
