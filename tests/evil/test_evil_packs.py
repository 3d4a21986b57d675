"""What a node can make a program believe of packs: nothing. The state of a pack, its holder, a recall, an alert."""
import json
import re
import shutil

import pytest
from eth_utils import keccak

from evil_node import EvilNode
from lies import Answer, LeaveOut, Past, Sent, Swap
from machine import Consortium, Refused, RpcError, cli
from trading import GTIN, Trade, born, capture, link

UNPROVED = re.compile("not proved|not believed|were not served|nothing was done; ask another node")
ALERT = "0x" + keccak(text="Alert(bytes32,uint32,uint8,address,address,uint64,bytes24)").hex()
NESTED = "0x" + keccak(text="ContainerPacked(bytes32,bytes32)").hex()
ACKNOWLEDGED = "0x" + keccak(text="RecallAcknowledged(bytes32,address,uint64,uint64,bytes24)").hex()


class Packs:
    """A lot of two packs at a pharmacy: one is dispensed and offered again, then the lot is recalled."""

    def __init__(self, folder):
        self.c = Consortium(folder)
        self.trade = Trade(self.c)
        self.lot = self.trade.lot()
        self.units = self.trade.commission(self.lot, 2)
        self.at_the_maker = self.head()
        self.trade.deliver(self.units, "pharmacy")
        self.before = self.head()
        self.trade.run("pharmacy", "pack", "dispense", self.units[0])
        with pytest.raises(Refused):
            self.trade.run("pharmacy", "pack", "dispense", self.units[0])
        self.trade.run("maker", "pack", "recall", *self.lot_options(), "--reason", "glass")
        self.trade.run("pharmacy", "pack", "acknowledge", *self.lot_options())
        self.medicines = json.loads(self.c.deployment.read_text())["medicines"]["address"]

    def lot_options(self):
        return "--gtin", GTIN, "--lot", self.lot

    def head(self):
        return int(self.c.rpc("eth_blockNumber"), 16)


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    made = Packs(tmp_path_factory.mktemp("packs") / "c")
    yield made
    made.c.node.stop()


LIES = {
    "the packs' state before": lambda p: Past(p.before, about=p.medicines),
    "their holders before": lambda p: Past(p.at_the_maker, about=p.medicines),
    "an old head": lambda p: Past(p.before, head="hidden"),
    "an alert hidden": lambda p: LeaveOut(ALERT),
    "an acknowledgement hidden": lambda p: LeaveOut(ACKNOWLEDGED),
}
PROGRAMS = {  # whose home, and what it asks
    "verify": ("maker", lambda p: ["verify", p.units[0]]),
    "holders": ("maker", lambda p: ["holders", *p.lot_options()]),
    "alerts": ("regulator", lambda p: ["alerts", "--all"]),
    "own alerts": ("pharmacy", lambda p: ["alerts"]),
}


@pytest.mark.parametrize("lie, program", [
    ("the packs' state before", "verify"), ("the packs' state before", "holders"),
    ("the packs' state before", "alerts"), ("the packs' state before", "own alerts"),
    ("their holders before", "verify"), ("their holders before", "holders"), ("an old head", "verify"),
    ("an old head", "holders"), ("an alert hidden", "alerts"), ("an alert hidden", "own alerts"),
    ("an acknowledgement hidden", "holders")])
def test_it_is_not_believed(packs, lie, program):
    told, (who, asks) = LIES[lie](packs), PROGRAMS[program]
    with EvilNode(packs.c.node.url, told) as node:
        with pytest.raises(Refused) as caught:
            cli("pack", *asks(packs), "--home", packs.c.home("md-" + who), "--rpc", node.url)
    assert told.told and caught.value.code != 0
    assert UNPROVED.search(json.dumps(caught.value.report) + caught.value.stderr), caught.value
    assert "saleable" not in caught.value.report and "holders" not in caught.value.report


def gas_of_all(gas):
    """A simulation in which each transaction uses as much."""
    return lambda _, honest: honest and [
        {**block, "calls": [{**call, "gasUsed": gas, "maxUsedGas": gas} for call in block["calls"]]} for block in honest]


@pytest.mark.parametrize("answer", [
    gas_of_all("0x0"), gas_of_all(hex(2**63)), gas_of_all("a lot"), lambda *_: [], lambda *_: [{"calls": []}],
    lambda _, honest: [{"calls": [{**honest[0]["calls"][0], "status": "0x7"}]}]])
def test_a_simulation_that_makes_no_sense_sends_nothing(packs, answer):
    before = packs.head()
    with EvilNode(packs.c.node.url, Answer(eth_simulateV1=answer)) as node:
        with pytest.raises(Refused) as caught:
            packs.trade.run("maker", "pack", "commission", "--gtin", GTIN, "--lot", "none", "--expiry", "2030-06-30",
                            "--count", 2, "--rpc", node.url)
    assert caught.value.code in (1, 3) and packs.head() == before


def test_a_node_that_does_not_simulate_is_asked_for_an_estimate(packs):
    def unknown(*_):
        raise RpcError({"code": -32601, "message": "the method eth_simulateV1 does not exist/is not available"})

    lie = Sent(eth_simulateV1=unknown)
    trade = packs.trade
    events = [born([link(GTIN, serial) for serial in trade.sound("estimated", 2500)], trade.lot().replace("-", ""))]
    with EvilNode(packs.c.node.url, lie) as node:
        done = capture(trade, "maker", events, "--rpc", node.url)
    assert done["code"] == "OK" and len(done["captures"]) > 1


def test_too_little_gas_fails_in_a_block_and_the_document_goes_on_at_an_honest_node(packs):
    packs_born = [link(GTIN, serial) for serial in packs.trade.sound("short", 2500)]
    events = [born(packs_born, packs.trade.lot().replace("-", ""))]
    with EvilNode(packs.c.node.url, Sent(eth_simulateV1=gas_of_all("0x10000"))) as node:
        with pytest.raises(Refused, match="the same document again goes on|refused"):
            capture(packs.trade, "maker", events, "--rpc", node.url)
    packs.trade.count -= 1  # the same path, and so the same document
    done = capture(packs.trade, "maker", events)
    assert done["code"] == "OK" and sum(part["repeated"] for part in done["captures"]) == 0


def test_a_part_that_a_lie_made_too_large_is_divided_when_the_document_is_given_again(packs):
    """The node says that a pack takes little gas, and that the parts made so go well."""
    serials = packs.trade.sound("large", 12000)
    events = [born([link(GTIN, serial) for serial in serials], packs.trade.lot().replace("-", ""))]
    little = lambda _, honest: honest and [
        {**block, "calls": [{"status": "0x1", "gasUsed": hex(2_000_000), "maxUsedGas": "0x1000000"}
                            for call in block["calls"]]} for block in honest]
    with EvilNode(packs.c.node.url, Sent(eth_simulateV1=little)) as node:
        with pytest.raises(Refused, match="the same document again goes on"):
            capture(packs.trade, "maker", events, "--rpc", node.url)
    packs.trade.count -= 1  # the same path, and so the same document
    account = packs.trade.address("maker")
    sent = int(packs.c.rpc("eth_getTransactionCount", account, "latest"), 16)
    done = capture(packs.trade, "maker", events)
    assert done["code"] == "OK" and sum(part["repeated"] for part in done["captures"]) == 3
    sent = int(packs.c.rpc("eth_getTransactionCount", account, "latest"), 16) - sent
    assert sent == len(done["captures"]) - 3 >= 2 and len({part["captureId"] for part in done["captures"]}) == sent + 3
    for pack in (0, 3749, 3750, 11999):
        assert packs.trade.run("maker", "pack", "verify", link(GTIN, serials[pack]))["state"] == "ACTIVE"


def test_the_truth_is(packs):
    with pytest.raises(Refused) as caught:
        packs.trade.run("maker", "pack", "verify", packs.units[0])
    assert caught.value.report["state"] == "DISPENSED"
    held = packs.trade.run("maker", "pack", "holders", *packs.lot_options())
    assert held["recalled"] and held["live"] == 1 and held["acknowledged"][0]["byName"] == "md-pharmacy"
    alerts = packs.trade.run("regulator", "pack", "alerts", "--all")["alerts"]
    assert len(alerts) == 1 and packs.trade.run("pharmacy", "pack", "alerts")["alerts"][0]["code"] == alerts[0]["code"]
    assert packs.trade.run("wholesaler", "pack", "alerts")["alerts"] == []


TRACED = {
    "alert": ("Alert(bytes32,uint32,uint8,address,address,uint64,bytes24)", "alerts|not proved|not served"),
    "recall": ("BatchRecalled(bytes32,address,bool,bytes32,uint32,uint64,bytes24)", "recall"),
    "dispense": ("Dispensed(bytes32,uint32,bytes32)", "state"),
    "acceptance": ("Accepted(bytes32,address,address)", "holder"),
}


@pytest.mark.parametrize("what", TRACED)
def test_a_history_from_which_a_node_leaves_something_out_is_not_complete(packs, what):
    event, missing = TRACED[what]
    told = LeaveOut("0x" + keccak(text=event).hex())
    home = packs.c.folder / ("traced-" + what)
    shutil.copytree(packs.c.home("md-maker"), home)
    whole = cli("pack", "trace", packs.units[0], "--home", home)
    assert whole["complete"] is True, whole.get("missing")
    for path in home.glob("index.db*"):
        path.unlink()
    with EvilNode(packs.c.node.url, told) as node:
        try:
            report = cli("pack", "trace", packs.units[0], "--home", home, "--rpc", node.url)
            assert report["complete"] is False and re.search(missing, report["missing"]), report
        except Refused as refused:
            assert re.search(missing, json.dumps(refused.report)), refused
    assert told.told
    assert cli("pack", "trace", packs.units[0], "--home", home)["complete"] is True, "what was hidden is asked anew"


def test_a_history_with_an_event_that_the_chain_does_not_hold_is_refused(packs):
    """The node shows that the wholesaler accepted the packs, which the pharmacy did."""
    pharmacy, wholesaler = (packs.trade.address(name)[2:].lower() for name in ("pharmacy", "wholesaler"))
    told, home = Swap({pharmacy: wholesaler}, about=packs.medicines), packs.c.folder / "invented"
    shutil.copytree(packs.c.home("md-maker"), home)
    for path in home.glob("index.db*"):
        path.unlink()
    with EvilNode(packs.c.node.url, told) as node:
        with pytest.raises(Refused) as caught:
            cli("pack", "trace", packs.units[0], "--home", home, "--rpc", node.url)
    assert told.told and UNPROVED.search(json.dumps(caught.value.report)) and "history" not in caught.value.report


def test_a_home_that_lost_its_documents_still_hears_of_its_alerts(packs):
    lost = packs.c.folder / "lost"
    shutil.copytree(packs.c.home("md-pharmacy"), lost)
    shutil.rmtree(lost / "documents")
    for path in lost.glob("index.db*"):
        path.unlink()
    assert [alert["code"] for alert in cli("pack", "alerts", "--home", lost)["alerts"]] == ["ALREADY_DISPENSED"]


def test_a_case_that_a_node_leaves_out_of_a_pallet_is_missed(packs):
    """The shipment's document would not name the packs in it, and the receiver could not hand them out."""
    trade, pallet = packs.trade, packs.trade.sscc()
    units = trade.commission(trade.lot(), 2)
    trade.run("maker", "pack", "aggregate", "https://id.gs1.org/00/" + trade.case(units), "--sscc", pallet)
    ship = ["pack", "ship", "--sscc", pallet, "--to", trade.address("pharmacy"), "--out", trade.path(), "--home",
            packs.c.home("md-maker")]
    told = LeaveOut(NESTED)
    with EvilNode(packs.c.node.url, told) as node:
        with pytest.raises(Refused) as caught:
            cli(*ship, "--rpc", node.url)
    assert told.told and "holds 1 packs and cases" in json.dumps(caught.value.report), caught.value
    assert trade.run("maker", "pack", "verify", units[0])["state"] == "PACKED", "nothing was shipped"
    cli(*ship)
    assert trade.run("maker", "pack", "verify", units[0])["state"] == "IN_TRANSIT"
