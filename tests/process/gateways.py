"""A gateway that is a real process, and requests to it."""
import json
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

from machine import PASSWORD, binary, cli, wait_for

PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1970-01-01"}


def call(url, method="GET", body=None, timeout=60, **headers):
    """Status, headers in lower case, and the body's bytes; `body` is bytes or what becomes JSON."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, fields, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


def new_token(tokens, name, rights):
    return cli("gateway", "token", "new", name, "--rights", rights, "--tokens", tokens)["token"]


class Gateway:
    """`home` is an actor's; files for the password and the tokens are made beside it. A token "all" may do everything."""

    def __init__(self, home, *options, port=0, preexec=None, env=None):
        self.home = pathlib.Path(home)
        self.tokens = self.home.with_name(self.home.name + ".tokens")
        self.log = self.home.with_name(self.home.name + ".gateway.log")
        password = self.home.with_name(self.home.name + ".password")
        password.write_text(PASSWORD + "\n")
        password.chmod(0o600)
        self.tokens.unlink(missing_ok=True)
        self.token = new_token(self.tokens, "all", "all")
        self.command = [
            binary(),
            "gateway",
            "--home",
            str(home),
            "--password-file",
            str(password),
            "--tokens",
            str(self.tokens),
            "--json",
            *map(str, options),
        ]
        self.env = {**os.environ, **(env or {})}
        self.start(port, preexec)

    def start(self, port=0, preexec=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "--http-port", str(port)],
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.env,
                preexec_fn=preexec,
            )
        line = self.process.stdout.readline()
        if not line.startswith(b'{"gateway"'):
            code = self.process.wait()
            raise AssertionError(f"the gateway ended with {code}: {line}\n{self.log.read_text(errors='replace')}")
        self.url = json.loads(line)["gateway"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def call(self, path, method="GET", body=None, token=None, **headers):
        return call(self.url + path, method, body, Authorization=f"Bearer {token or self.token}", **headers)

    def post(self, folder, body=PATIENT, **headers):
        return self.call(
            f"/records?folder={folder}", "POST", body, **{"Content_Type": "application/fhir+json", **headers}
        )

    def readiness(self):
        status, _, body = call(self.url + "/readyz")
        return status, {check["name"]: check for check in json.loads(body)["checks"]}

    def is_ready(self):
        return self.readiness()[0] == 200

    def wait_ready(self, wanted=True):
        wait_for(lambda: self.is_ready() is wanted)

    def end(self, number=signal.SIGTERM, seconds=40):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(seconds)
        self.process.stdout.close()
        return code


def ward(consortium, name):
    """A listed hospital `name`, and the folder of a patient of its own into which it may write, and read."""
    consortium.actor(name, "hospital")
    patient = name + "-patient"
    consortium.new_home(patient)
    path = consortium.folder / f"{name}.json"
    folder = consortium.run(patient, "folder", "open", "--label", "general", "--out", path)["folder"]
    consortium.run(name, "relay", path)
    consortium.run(patient, "share", "--folder", folder, "--with", consortium.accounts[name], "--rights", "read,write",
                   "--purpose", "TREAT", "--days", 5, "--out", path)
    consortium.run(name, "relay", path)
    return folder
