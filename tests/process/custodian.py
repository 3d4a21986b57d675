"""A custodian with a program of its own: it writes what it likes into the sealed documents that it passes on."""
import base64
import json
import os
import zlib

from Crypto.Cipher import AES
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic

from dealing import derive_key_pair, frame_of, open_sealed, parts_of


def decoded(text):
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Rewriter:
    """Opens and seals again what is sealed to this actor."""

    def __init__(self, trade, name):
        self.address = trade.address(name).lower()
        seed = seed_from_mnemonic(trade.run(name, "wallet", "phrase")["phrase"], "")
        self.secret = derive_key_pair(key_from_seed(seed, "m/7697'/0'/1'"))

    def content_key(self, parts):
        for part in parts[1:]:
            if json.loads(decoded(part.split(b".")[0]))["to"].lower() == self.address:
                return open_sealed(part, self.secret)
        raise AssertionError("the document is not sealed to this actor")

    def read(self, path):
        """The plaintext."""
        parts = parts_of(path.read_bytes())
        header, _, iv, text, tag = parts[0].split(b".")
        cipher = AES.new(self.content_key(parts), AES.MODE_GCM, nonce=decoded(iv)).update(header)
        return json.loads(zlib.decompress(cipher.decrypt_and_verify(decoded(text), decoded(tag)), wbits=-15))

    def rewrite(self, path, change):
        """A copy for the same readers, after `change` of the plaintext; its path."""
        plaintext, parts = self.read(path), parts_of(path.read_bytes())
        key, header = self.content_key(parts), parts[0].split(b".")[0]
        change(plaintext)
        iv, deflate = os.urandom(12), zlib.compressobj(wbits=-15)
        cipher = AES.new(key, AES.MODE_GCM, nonce=iv).update(header)
        text, tag = cipher.encrypt_and_digest(deflate.compress(json.dumps(plaintext).encode()) + deflate.flush())
        parts[0] = b".".join((header, b"", encoded(iv), encoded(text), encoded(tag)))
        copy = path.with_suffix(".rewritten")
        copy.write_bytes(frame_of(parts))
        return copy
