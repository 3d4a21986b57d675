"""Every program that could act on a lie, and how it is judged under one."""
import dataclasses
import re

from evil_node import EvilNode
from gateways import Gateway
from machine import Refused, cli
from told import FACTS, LIES
from world import BUNDLE, OTHER_SECRET, SECRET

import pytest

# What a person is told to do after cause.h's NOT_PROVED, OLD_HEAD and TWO_BLOCKS.
DISBELIEF = ("nothing was done; ask another node", "is this machine's clock right",
             "nothing from this chain can be believed")
# What services say of it in their log.
UNPROVED = re.compile("not proved|not believed|were not served|was not asked for")
REFUSED, FAILED = 3, 1


@dataclasses.dataclass
class Outcome:
    code: int
    report: dict
    text: str      # all that was shown
    written: list  # files that were made


class Under:
    """The world as seen through an evil node; `lie` is what it tells."""

    def __init__(self, world, node):
        self.world, self.node = world, node

    def run(self, name, *arguments, home=None):
        """A command of this actor, in a copy of its home. A file `out` among the arguments is where it may write."""
        out = self.world.path()
        arguments = [out if argument == "out" else argument for argument in arguments]
        try:
            report = cli(*arguments, "--home", home or self.world.home(name), "--rpc", self.node.url)
            code, text = 0, ""
        except Refused as refused:
            code, report, text = refused.code, refused.report, refused.stderr
        written = sorted(out.parent.glob(out.name + "*"))
        shown = [path.read_text() for path in written]
        return Outcome(code, report, f"{report}{text}{shown}", written)

    def gateway(self, request):
        """A hospital's gateway, and one request to it."""
        gateway = Gateway(self.world.home("hospital"), "--node", self.node.url, "--workers", 2)
        try:
            status, _, body = request(gateway)
        finally:
            assert gateway.end() == 0
        log, text = gateway.log.read_text(), body.decode()
        return Outcome(0 if status < 400 else REFUSED, {"error": text + log}, text + log, [])


def account(under, name):
    return under.world.c.accounts[name]


def read(who):
    return lambda under: under.run(who, "record", "read", under.world.record, "--out", "out")


def share(who, folder, with_whom, *more):
    """As whoever controls the folder, or may share it."""
    return lambda u: u.run(who, "share", "--folder", getattr(u.world, folder), "--with", account(u, with_whom),
                           "--purpose", "TREAT", "--days", 1, *(more or ("--out", "out")))


def revoke(who, *more):
    return lambda u: u.run(who, "revoke", "--folder", u.world.h, "--from", account(u, "doctor"),
                           *(more or ("--out", "out")))


def rotate(who, *more):
    return lambda u: u.run(who, "folder", "rotate", u.world.h, *(more or ("--out", "out")))


PROGRAMS = {
    "record add": lambda u: u.run("hospital", "record", "add", u.world.bundle, "--folder", u.world.a),
    "record list": lambda u: u.run("clinic", "record", "list", "--folder", u.world.a),
    "record read (patient)": read("patient"),
    "record read (author)": read("hospital"),
    "record read (grantee)": read("clinic"),
    "record read (emergency)": read("er"),
    "record status": lambda u: u.run("patient", "record", "status", u.world.record),
    "proof": lambda u: u.run("patient", "proof", u.world.record, "--index", 1, "--out", "out"),
    "folder open": lambda u: u.run("patient", "folder", "open", "--label", "new", "--glass-minutes", 30, "--trustee",
                                   account(u, "trustee"), "--out", "out"),
    "folder show": lambda u: u.run("patient", "folder", "show", u.world.a),
    "folder list": lambda u: u.run("patient", "folder", "list"),
    "folder rotate": lambda u: u.run("patient", "folder", "rotate", u.world.a, "--out", "out"),
    "folder take-over": lambda u: u.run("heir", "folder", "take-over", u.world.a, "--label", "x", "--out", "out"),
    "folder hand-over": lambda u: u.run("patient", "folder", "hand-over", u.world.asked, "--out", "out"),
    "folder erase": lambda u: u.run("hospital", "folder", "erase", u.world.f),
    "folder show (handed over)": lambda u: u.run("heir", "folder", "show", u.world.h),
    "folder rotate (former controller)": rotate("patient"),
    "folder rotate (new controller)": rotate("heir"),
    "folder rotate (delegate)": rotate("deputy"),
    "folder rotate (former delegate)": rotate("former-deputy"),
    "share (former controller)": share("patient", "h", "clinic"),
    "share (delegate)": share("deputy", "h", "clinic"),
    "share (former delegate)": share("former-deputy", "h", "clinic"),
    "revoke (delegate)": revoke("deputy"),
    "record add (handed over)": lambda u: u.run("hospital", "record", "add", u.world.bundle, "--folder", u.world.h),
    "record read (own copy)": lambda u: u.run("hospital", "record", "read", u.world.record, "--own-copy", "--out",
                                              "out"),
    "folder open, sent": lambda u: u.run("deputy", "folder", "open", "--label", "new", "--send"),
    "folder rotate, sent": rotate("deputy", "--send"),
    "share, sent": share("deputy", "h", "clinic", "--send"),
    "revoke, sent": revoke("deputy", "--send"),
    "share": lambda u: u.run("patient", "share", "--folder", u.world.a, "--with", account(u, "doctor"), "--purpose",
                             "TREAT", "--days", 5, "--out", "out"),
    "revoke": lambda u: u.run("patient", "revoke", "--folder", u.world.a, "--from", account(u, "doctor"), "--out",
                              "out"),
    "access ask": lambda u: u.run("clinic", "access", "ask", "--folder", u.world.a, "--purpose", "HRESCH"),
    "access log": lambda u: u.run("patient", "access", "log", "--folder", u.world.a),
    "access reads": lambda u: u.run("patient", "access", "reads", "--record", u.world.record),
    "break-glass": lambda u: u.run("er", "break-glass", "--folder", u.world.a, "--reason", SECRET),
    "review list": lambda u: u.run("patient", "review", "list", "--folder", u.world.a),
    "trustee serve": lambda u: u.run("trustee", "trustee", "serve", "--once"),
    "trustee serve (owed)": lambda u: u.run("late-trustee", "trustee", "serve", "--once"),
    "relay": lambda u: u.run("hospital", "relay", u.world.action),
    "review close": lambda u: u.run("patient", "review", "close", u.world.late_review, "--justified", "--out", "out"),
    "record erase": lambda u: u.run("patient", "record", "erase", u.world.record, "--out", "out"),
    "folder forget": lambda u: u.run("patient", "folder", "forget", u.world.a, "--out", "out"),
    "gateway POST": lambda u: u.gateway(lambda gateway: gateway.post(u.world.a, BUNDLE)),
    "gateway GET": lambda u: u.gateway(lambda gateway: gateway.call(f"/records/{u.world.record}")),
    "publish-key": lambda u: u.run("er", "actor", "publish-key"),
    "actor show": lambda u: u.run("patient", "actor", "show", "--address", account(u, "doctor")),
}


def hearing(lies, programs):
    """For parametrize: every one of these programs hears every one of these lies."""
    return [pytest.param(program, lie, id=f"{program} hears {lie}") for program in programs for lie in lies]


def judge(world, program, name, disbelief=True):
    """The program hears the lie, and ends in an error that says what was not believed; nothing was sealed, wrapped,
    released or shown."""
    lie, outcome = heard(world, program, name)
    is_service = program.startswith(("gateway", "trustee"))  # whose answers hold no detail of the chain
    may_fail = is_service or not disbelief
    assert outcome.code == REFUSED or (may_fail and outcome.code == FAILED), f"it acted: {outcome.text}"
    assert lie.told, f"it was never told: {outcome.text}"
    error, remedy = outcome.report.get("error", outcome.text), outcome.report.get("remedy", "")
    assert not disbelief or remedy.startswith(DISBELIEF) or UNPROVED.search(error), outcome.text
    fact = FACTS.get(name, "the storage|the account|entry [0-9]+" if disbelief else "")
    assert is_service or re.search(fact, error), f"it does not say what it disbelieves: {outcome.text}"


def ignores(world, program, name):
    """The program asks for nothing that could be answered with this lie."""
    lie, outcome = heard(world, program, name)
    assert not lie.told and outcome.code == 0, outcome


def heard(world, program, name):
    """The lie and the outcome of a program that sealed, sent, wrote and showed nothing."""
    lie = LIES[name].make(world)
    with EvilNode(world.c.node.url, lie) as node:
        outcome = PROGRAMS[program](Under(world, node))
    assert not node.puts, f"it sealed: {outcome.text}"
    assert not node.sent, f"it sent: {outcome.text}"
    assert not outcome.written, f"it wrote: {outcome.text}"
    assert SECRET not in outcome.text and OTHER_SECRET not in outcome.text, f"it showed: {outcome.text}"
    return lie, outcome
