"""Four members with a record behind their outer seal, a clinic that may read it, and wishes that are made here."""
import json
import urllib.error
import urllib.request

from eth_account import Account
from eth_utils import to_checksum_address

import outer
from groves import NOBODY, Grove
from hospitals import sign_request
from machine import PASSWORD

READER = 7  # the secret of a reader that is made here


def sealed_grove(folder):
    made = Grove(folder)
    made.actor("clinic", "hospital")
    share(made)
    made.run("clinic", "access", "ask", "--folder", made.folder_id, "--purpose", "TREAT")
    made.record = made.add()["record"]
    made.wait_everywhere(made.record)
    return made


def share(grove, *more):
    action = grove.path()
    grove.run("patient", "share", "--folder", grove.folder_id, "--with", grove.accounts["clinic"], "--rights", "read",
              "--purpose", "TREAT", "--days", 5, *more, "--out", action)
    grove.run("hospital", "relay", action)


def lead_of(grove, record=None):
    return outer.parts_of(grove.content(grove.members[0], record or grove.record))[0]


def read(grove, name, record=None, member=None):
    path = grove.path()
    grove.at(member or grove.members[0], name, "record", "read", record or grove.record, "--out", path)
    return json.loads(path.read_text())


def key_of(grove, name):
    keystore = (grove.home(name) / "wallet" / "account.json").read_text()
    return Account.decrypt(keystore, PASSWORD)


def release(grove, member, body, record=None, name="clinic", signed=None, here=True, header=None):
    """HTTP status, code of a refusal, and the answer."""
    gate = to_checksum_address(grove.described["records"]["address"])
    record = record or grove.record
    header = header or sign_request(key_of(grove, name), grove.described, gate, outer.action(signed or body), record,
                                    node=NOBODY)
    request = urllib.request.Request(f"{member.url}/blobs/{gate}/{record}/release{'/here' if here else ''}", body,
                                     headers={"Authorization": header})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, None, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["code"], b""


def wish(grove, lock=None, number=1, needed=2):
    return outer.wish(lock or lead_of(grove), number, needed, READER)
