"""A PKCS #11 token of SoftHSM's in a folder of the test's, with keys, and a module that can be pulled out."""
import base64
import pathlib
import shutil
import subprocess

import pytest

from machine import binary

SOFTHSM = pathlib.Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "4711-and-more"
LABEL = "member"
# PKCS #8 of an Ed25519 seed (RFC 8410), and of a secp256k1 secret (RFC 5915).
ED25519_HEAD = bytes.fromhex("302e020100300506032b657004220420")
SECP_HEAD = bytes.fromhex("303e020100301006072a8648ce3d020106052b8104000a042730250201010420")


class Token:
    def __init__(self, folder, monkeypatch):
        if not SOFTHSM.exists() or not shutil.which("softhsm2-util"):
            pytest.skip("softhsm2 is not installed (tools/setup test)")
        self.folder, self.faults, self.pin_file = folder, folder / "faults", folder / "pin"
        (folder / "tokens").mkdir(parents=True)
        self.faults.mkdir()
        self.pin_file.write_text(PIN + "\n")
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
        monkeypatch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        monkeypatch.setenv("TOKEN_MODULE", str(SOFTHSM))
        monkeypatch.setenv("TOKEN_FAULTS", str(self.faults))
        self.module = pathlib.Path(binary()).resolve().parents[2] / "tests" / "token" / "unplugged.so"
        self.util("--init-token", "--free", "--label", LABEL, "--so-pin", "security", "--pin", PIN)

    @staticmethod
    def util(*arguments):
        subprocess.run(["softhsm2-util", *map(str, arguments)], check=True, capture_output=True)

    def take(self, head, secret, label, number):
        """Imports a secret of 32 bytes."""
        file = self.folder / "key.pem"
        text = base64.b64encode(head + secret).decode()
        file.write_text(f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
        self.util("--import", file, "--token", LABEL, "--pin", PIN, "--label", label, "--id", number)
        file.unlink()

    def make(self, kind, label, number):
        """The token makes a key that never leaves it."""
        subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", LABEL, "--login", "--pin", PIN,
                        "--keypairgen", "--key-type", kind, "--label", label, "--id", number],
                       check=True, capture_output=True)

    def uri(self, label="consensus", token=LABEL, pin=None, more=""):
        pin_source = f"&pin-source=file:{pin or self.pin_file}"
        return f"pkcs11:token={token};object={label}{more}?module-path={self.module}{pin_source}"

    def fault(self, name, on=True):
        (self.faults / name).touch() if on else (self.faults / name).unlink()

    def logins(self):
        file = self.faults / "logins"
        return len(file.read_bytes()) if file.exists() else 0


@pytest.fixture
def token(tmp_path, monkeypatch):
    return Token(tmp_path / "token", monkeypatch)
