"""An S3 store in memory, for tests: it checks every signature by the specification (Signature Version 4, written here
from its text) and does what an evil or a tired store does, when a test asks it to."""
import datetime
import hashlib
import hmac
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

ACCESS_KEY, SECRET_KEY, REGION, BUCKET = "AKIDEXAMPLE", "wJalr/XUtnFEMI+K7MDENG", "us-east-1", "sealed"
SKEW_S = 15 * 60


class Refusal(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def _sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _quoted(text, safe=""):
    return urllib.parse.quote(text, safe="-._~" + safe)


def _canonical_query(query):
    pairs = [part.partition("=")[::2] for part in query.split("&")] if query else []
    decoded = [(urllib.parse.unquote(name), urllib.parse.unquote(value)) for name, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted((_quoted(n), _quoted(v)) for n, v in decoded))


def check_signature(method, target, headers, body, secret, now):
    """Raises a Refusal unless the request's Authorization header is right."""
    lower = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    scheme, _, rest = lower.get("authorization", "").partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        raise Refusal(403, "AccessDenied", "no signature")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    access, date, region, service, end = fields["Credential"].split("/")
    if access != ACCESS_KEY:
        raise Refusal(403, "InvalidAccessKeyId")
    if (region, service, end) != (REGION, "s3", "aws4_request"):
        raise Refusal(400, "AuthorizationHeaderMalformed", "the region is wrong")
    stamp = lower["x-amz-date"]
    if not stamp.startswith(date):
        raise Refusal(403, "SignatureDoesNotMatch")
    sent = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
    if abs(sent - now) > SKEW_S:
        raise Refusal(403, "RequestTimeTooSkewed")
    said = lower.get("x-amz-content-sha256", "")
    if said != hashlib.sha256(body).hexdigest():
        raise Refusal(400, "XAmzContentSHA256Mismatch")
    signed = fields["SignedHeaders"].split(";")
    must = {"host"} | {name for name in lower if name.startswith("x-amz-")}
    if signed != sorted(signed) or not must <= set(signed):
        raise Refusal(403, "SignatureDoesNotMatch", "headers that are not signed")
    path, _, query = target.partition("?")
    canonical = "\n".join([method, _quoted(urllib.parse.unquote(path), "/"), _canonical_query(query)]
                          + [f"{name}:{lower[name]}" for name in signed] + ["", ";".join(signed), said])
    scope = f"{date}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = _sign(key, part)
    if not hmac.compare_digest(_sign(key, text).hex(), fields["Signature"]):
        raise Refusal(403, "SignatureDoesNotMatch")


class Store:
    """The bucket, and what is to go wrong. `fault(method, key)` is asked at each request and gives None or one of:
    "slow-down", "internal", "cut", "late", "change", "other", "lose", "denied", "skew", "garbage"."""

    def __init__(self, secret=SECRET_KEY):
        self.objects, self.lock, self.secret = {}, threading.Lock(), secret
        self.fault = lambda method, key: None
        self.versioning = None
        self.page = 1000
        self.requests = []
        self.late_s = 1
        self.server, self.is_down = None, False

    def start(self, port=0):
        store = self

        class Handler(_Handler):
            bucket = store

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self):
        """Connections that stand are cut at their next request."""
        self.is_down = True
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def again(self):
        """The same bucket on the same port."""
        self.is_down = False
        return self.start(self.port)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def contents(self, prefix=""):
        """What is in the bucket, but for the mark of its owner."""
        with self.lock:
            return {key: value for key, value in self.objects.items()
                    if key.startswith(prefix) and not key.endswith("owner")}

    def count(self, method, of=""):
        with self.lock:
            return sum(1 for asked, key in self.requests if asked == method and of in key)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket = None

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, code, message=""):
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>'
        self.answer(status, body.encode(), Content_Type="application/xml")

    def cut(self, status, body):
        """Half of the answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + 100))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2])
        self.wfile.flush()
        self.close_connection = True

    def handle_request(self):
        store = self.bucket
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        if store.is_down:
            self.close_connection = True
            return
        bucket, _, key = urllib.parse.unquote(path).lstrip("/").partition("/")
        asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        with store.lock:
            store.requests.append((self.command, key or ("?" + query)))
            fault = store.fault(self.command, key or ("?" + query))
        try:
            now = time.time() + (3600 if fault == "skew" else 0)
            check_signature(self.command, self.path, dict(self.headers.items()), body, store.secret, now)
            if bucket != BUCKET:
                raise Refusal(404, "NoSuchBucket")
            if self.go_wrong(fault):
                return
            self.serve(store, key, asked, body, fault)
        except Refusal as refusal:
            self.refuse(refusal.status, refusal.code, refusal.message)

    def go_wrong(self, fault):
        if fault == "late":
            time.sleep(self.bucket.late_s)
        elif fault == "slow-down":
            raise Refusal(503, "SlowDown")
        elif fault == "internal":
            raise Refusal(500, "InternalError")
        elif fault == "denied":
            raise Refusal(403, "AccessDenied")
        elif fault == "cut":
            self.cut(200, b"half of an answer")
            return True
        elif fault == "garbage":
            self.answer(200, b"<html>a portal asks for a password</html>")
            return True
        return False

    def serve(self, store, key, asked, body, fault):
        if not key:
            self.serve_bucket(store, asked)
        elif self.command == "PUT":
            with store.lock:
                if fault != "lose":
                    store.objects[key] = body
            self.answer(200, ETag='"' + hashlib.md5(body).hexdigest() + '"')
        elif self.command == "DELETE":
            with store.lock:
                store.objects.pop(key, None)
            self.answer(204)
        else:
            self.serve_object(store, key, fault)

    def serve_object(self, store, key, fault):
        with store.lock:
            content = store.objects.get(key)
            others = [value for name, value in store.objects.items() if name != key and not name.endswith("owner")]
        if content is None:
            raise Refusal(404, "NoSuchKey")
        if fault == "change":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if fault == "other" and others:
            content = others[0]
        ranged = self.headers.get("Range")
        if ranged:
            first, last = (int(part) for part in ranged.removeprefix("bytes=").split("-"))
            part = content[first:last + 1]
            self.answer(206, part, Content_Range=f"bytes {first}-{first + len(part) - 1}/{len(content)}")
        else:
            self.answer(200, content)

    def serve_bucket(self, store, asked):
        if "versioning" in asked:
            inner = f"<Status>{store.versioning}</Status>" if store.versioning else ""
            self.answer(200, f'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}'
                             "</VersioningConfiguration>".encode())
            return
        if asked.get("list-type") != "2":
            raise Refusal(501, "NotImplemented")
        most = min(int(asked.get("max-keys", 1000)), store.page)
        after = asked.get("continuation-token", "").removeprefix("after/+= ")
        with store.lock:
            keys = sorted(key for key in store.objects if key.startswith(asked.get("prefix", "")) and key > after)
            sizes = {key: len(store.objects[key]) for key in keys[:most]}
        token = ("<NextContinuationToken>" + escape("after/+= " + keys[most - 1]) + "</NextContinuationToken>"
                 if len(keys) > most else "")
        rows = "".join(f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size></Contents>"
                       for key, size in sizes.items())
        self.answer(200, ('<?xml version="1.0" encoding="UTF-8"?>\n'
                          '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                          f'<IsTruncated>{"true" if token else "false"}</IsTruncated>{token}{rows}'
                          "</ListBucketResult>").encode())

    do_GET = do_PUT = do_DELETE = do_HEAD = handle_request
