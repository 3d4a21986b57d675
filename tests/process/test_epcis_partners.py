"""EPCIS between organisations: what a trading partner's token sees, what survives a kill, what was received."""
import signal

import pytest

import trading
from epcis import Epcis, document, event, next_of, problem, segment
from gateways import Gateway
from issuers import AUDIENCE, Issuer
from machine import wait_for

OURS, A, B = (f"urn:epc:id:pgln:40123{i}.000000" for i in range(3))


class Trade(trading.Trade):
    prefix, count = "ep-", 700000
    gtin = trading.check_digit("0401234567778")


@pytest.fixture(scope="module")
def trade(consortium):
    return Trade(consortium)


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    made.new_key("k")
    yield made
    made.close()


@pytest.fixture(scope="module")
def gateway(trade, issuer):
    started = Gateway(trade.c.home("ep-maker"), "--oauth-issuer", issuer.url, "--oauth-audience", AUDIENCE)
    started.wait_ready()
    yield started
    assert started.end() == 0, started.log.read_text()


@pytest.fixture(scope="module")
def own(gateway):
    return Epcis(gateway.url + "/epcis", gateway.token)


@pytest.fixture
def partner(gateway, issuer):
    """partner(party): what somebody of that organisation asks with."""
    return lambda party: Epcis(gateway.url + "/epcis", issuer.token("k", organization=party))


def sent(serial, to):
    return event(epcList=[f"urn:epc:id:sgtin:0614141.107346.{serial}"], disposition="in_transit" if to == A else "active",
                 sourceList=[{"type": "owning_party", "source": OURS}],
                 destinationList=[{"type": "possessing_party", "destination": to}])


def test_a_partner_sees_what_it_is_a_party_of_and_nothing_else(own, partner, issuer):
    own.captured(*[sent(f"a{i}", A) for i in range(3)], *[sent(f"b{i}", B) for i in range(2)],
                 event(epcList=["urn:epc:id:sgtin:0614141.107346.ours"]))
    for party, serials in ((A, {"a0", "a1", "a2"}), (B, {"b0", "b1"}), ("https://id.gs1.org/417/4012320000009", set()),
                           (OURS, {"a0", "a1", "a2", "b0", "b1"})):
        asking = partner(party)
        found, _ = asking.events("/events?perPage=2")
        assert {one["epcList"][0].rsplit("/", 1)[1] for one in found} == serials, party
        members = asking.get("/epcs?perPage=100").json["member"]
        assert {member.rsplit("/", 1)[1] for member in members} == serials
    # not by its id, nor by a resource, nor in a count
    theirs = own.events("/events?MATCH_epc=urn:epc:id:sgtin:0614141.107346.b0")[0][0]
    asking = partner(A)
    problem(asking.get(f"/events/{segment(theirs['eventID'])}"), 404, "NoSuchResourceException")
    problem(asking.get("/epcs/urn:epc:id:sgtin:0614141.107346.b0/events"), 404, "NoSuchResourceException")
    problem(asking.get("/dispositions/active/events"), 404, "NoSuchResourceException")
    assert asking.get("/dispositions").json["member"] == ["in_transit"]
    assert len(asking.events("/events?maxEventCount=3")[0]) == 3
    # nor by a page of somebody else's
    page = next_of(own.get("/events?perPage=1"))
    problem(asking.get(page), 400, "QueryParameterException")
    # and it captures nothing, and has queries of its own
    problem(asking.post("/capture", document(sent("forged", A))), 403, "SecurityException")
    problem(asking.post("/events", sent("forged", A)), 403, "SecurityException")
    assert own.post("/queries", {"name": "all", "query": {}}).status == 201
    problem(asking.get("/queries/all/events"), 404, "NoSuchNameException")


def test_rights_of_a_token_are_asked(gateway, issuer):
    reader = Epcis(gateway.url + "/epcis", issuer.token("k", scope="system/*.rs"))
    assert reader.get("/events").status == 200
    assert reader.post("/queries", {"name": "reader", "query": {}}).status == 201  # to name a query is to ask
    problem(reader.post("/capture", document(sent("x", A))), 403, "SecurityException")
    app = Epcis(gateway.url + "/epcis", issuer.token("k", scope="patient/*.rs", patient="1"))
    problem(app.get("/events"), 403, "SecurityException")


def test_a_job_that_was_accepted_survives_a_kill(gateway, own, trade):
    packs = [f"https://id.gs1.org/01/{trade.gtin}/21/K{i:05}" for i in range(3000)]
    lot = event("commissioning", action="ADD", epcList=packs,
                ilmd={"cbvmda:lotNumber": "KILL", "cbvmda:itemExpirationDate": "2030-06-30"})
    job = own.post("/capture", document(lot)).headers["location"]
    port = gateway.port
    gateway.end(signal.SIGKILL)
    gateway.start(port)
    gateway.wait_ready()
    ended = own.ended(job)
    assert ended["success"], ended
    assert len(own.events(f"/events?MATCH_epc={segment(packs[2999])}")[0]) == 1


def test_what_a_home_received_is_found_too(trade):
    gtin = trading.check_digit("0401234567785")
    trade.register(gtin, "other")
    packs = [f"https://id.gs1.org/01/{gtin}/21/R{i}" for i in range(3)]
    trading.capture(trade, "other", [trading.born(packs, "R")])
    trade.deliver(packs, "wholesaler", "other")
    started = Gateway(trade.c.home("ep-wholesaler"))
    asking = Epcis(started.url + "/epcis", started.token)
    wait_for(lambda: len(asking.events("/events")[0]) >= 3)
    steps = {one["bizStep"] for one in asking.events(f"/events?MATCH_anyEPC={segment(packs[0])}")[0]}
    assert "unpacking" in steps and "commissioning" not in steps, steps  # the maker's own events stay with it
    assert {one["bizStep"] for one in asking.events("/events")[0]} >= {"shipping", "receiving", "unpacking"}
    assert started.end() == 0
