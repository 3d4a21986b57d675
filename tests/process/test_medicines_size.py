"""Lots and documents of a factory's size: in several transactions, by several lines, killed and continued."""
import json
import os
import re
import shutil
import subprocess
import time

import pytest
from eth_utils import keccak

import trading
from custodian import Rewriter
from machine import PASSWORD, Refused, cli
from recorder import Recorder
from trading import (born, capture, check_digit, document, happened, kept_plans, link, moved, parts_of,
                     refused, run_at_once)

GTIN = check_digit("0401234567801")
LOOK_UP = keccak(b"lookUp(bytes32,bytes)")[:4].hex().encode()


class Trade(trading.Trade):
    prefix, gtin, count = "sz-", GTIN, 200000


@pytest.fixture(scope="module")
def trade(consortium):
    return Trade(consortium)


@pytest.mark.parametrize("count", [500, 557, 1000])
def test_a_lot_of_any_size_with_the_defaults(trade, count):
    lot, serials = trade.lot(), trade.path("txt")
    units = trade.commission(lot, count, "2031-01-31")
    assert len(set(units)) == count
    serials.write_text("\n".join(units))
    case = trade.sscc()
    trade.run("maker", "pack", "aggregate", f"@{serials}", "--sscc", case)
    trade.run("pharmacy", "pack", "receive", "--document", trade.ship(case, "pharmacy"))
    holders = trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)
    assert [h["units"] for h in holders["holders"]] == [count] and holders["live"] == count


def test_a_lot_grows_over_hours_and_each_document_has_its_part(trade):
    lot = trade.lot()
    first, second = trade.commission(lot, 3), trade.commission(lot, 2)
    both = capture(trade, "maker", [born([link(GTIN, f"{lot}-A")], lot), born([link(GTIN, f"{lot}-B")], lot)])
    assert both["code"] == "OK"
    trade.deliver([first[0], second[1], link(GTIN, f"{lot}-B")], "pharmacy")  # proofs of three parts
    holders = trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)
    assert sorted(h["units"] for h in holders["holders"]) == [3, 4] and holders["commissioned"] == 7
    refused(2, "another expiry", trade.commission, lot, 1, "2031-06-30")


def test_a_document_goes_on_from_where_it_was_killed(trade, consortium):
    """Killed after each of its parts; another document of the same lot goes in between."""
    lot = trade.lot()
    packs = [link(GTIN, serial) for serial in trade.sound(f"{lot}-", 3000)]
    case = "https://id.gs1.org/00/" + trade.sscc()
    path, command = parts_of(trade, "maker", [
        born(packs, lot), happened("AggregationEvent", action="ADD", bizStep="packing", parentID=case,
                                   childEPCs=[*packs[:100], *packs[2900:]])])
    kept, kills = trade.c.home("sz-maker") / "plans", 0
    while True:
        head = consortium.rpc("eth_blockNumber")
        run = subprocess.Popen(command, env={**os.environ, "XINGLIN_PASSWORD": PASSWORD}, stdout=subprocess.PIPE)
        while run.poll() is None and consortium.rpc("eth_blockNumber") == head:
            pass
        run.kill()
        run.wait()
        if not any(kept.glob("*")):
            break
        kills += 1
        if kills == 1:
            trade.commission(lot, 2)
        assert kills < 20  # each run brings it further
    assert kills >= 1
    done = trade.run("maker", "pack", "capture", path)
    assert done["code"] == "OK" and not any(kept.glob("*"))
    holders = trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)
    assert sorted(h["units"] for h in holders["holders"]) == [200, 2802]
    for at in (0, 1500, 2999):
        expected = "ACTIVE" if at == 1500 else "PACKED"
        assert trade.run("maker", "pack", "verify", packs[at])["state"] == expected


def test_a_document_of_several_waves_ends_however_often_it_is_killed_and_no_part_goes_twice(trade, consortium):
    """Killed later and later, while parts are tried, signed, on their way together, and settled."""
    lot, account = trade.lot(), trade.address("maker")
    packs = [link(GTIN, serial) for serial in trade.sound(f"{lot}-", 9000)]
    path, command = parts_of(trade, "maker", [born(packs, lot)])
    before = int(consortium.rpc("eth_getTransactionCount", account, "latest"), 16)
    for wait_s in (0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.25, 0.3):
        run = subprocess.Popen(command, env={**os.environ, "XINGLIN_PASSWORD": PASSWORD}, stdout=subprocess.PIPE)
        time.sleep(wait_s)
        run.kill()
        run.wait()
    done = trade.run("maker", "pack", "capture", path)
    assert done["code"] == "OK" and not kept_plans(trade)
    sent = int(consortium.rpc("eth_getTransactionCount", account, "latest"), 16) - before
    parts = {part["captureId"] for part in done["captures"]}
    assert sent == len(parts) == len(done["captures"]) > 3
    assert trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)["live"] == 9000
    assert trade.run("maker", "pack", "verify", packs[4321])["state"] == "ACTIVE"


def test_a_shuffled_document_of_cases_that_is_killed_at_every_stage_has_one_order_and_nothing_twice(trade, consortium):
    """While its plan is made, once it is kept, while it is sent, and twice in between: each time the same again."""
    lot, account = trade.lot(), trade.address("maker")
    packs = [link(GTIN, serial) for serial in trade.sound(f"{lot}-", 10000)]
    cases = [packs[at:at + 50] for at in range(0, 9950, 50)]
    path, command = parts_of(trade, "maker", [born(packs, lot), *(
        happened("AggregationEvent", action="ADD", bizStep="packing", childEPCs=case,
                 parentID="https://id.gs1.org/00/" + trade.sscc()) for case in cases)])
    sent = lambda: int(consortium.rpc("eth_getTransactionCount", account, "latest"), 16)
    before = sent()
    for moment in (lambda _: True, lambda _: kept_plans(trade), lambda _: kept_plans(trade),
                   lambda start: sent() > start, lambda _: True, lambda start: sent() > start):
        start = sent()
        run = subprocess.Popen(command, env={**os.environ, "XINGLIN_PASSWORD": PASSWORD}, stdout=subprocess.PIPE)
        while run.poll() is None and not moment(start):
            pass
        run.kill()
        run.wait()
    done = trade.run("maker", "pack", "capture", path)
    assert done["code"] == "OK" and not kept_plans(trade)
    assert sent() - before == len({part["captureId"] for part in done["captures"]}) == len(done["captures"]) > 3
    holders = trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)
    assert sorted(h["units"] for h in holders["holders"]) == [50] * 200 and holders["live"] == 10000
    places = indexes(trade, [*cases[0], *cases[-1], *packs[9950:]])
    for at in (0, 50):
        assert sorted(places[at:at + 50]) == list(range(min(places[at:at + 50]), min(places[at:at + 50]) + 50))
    assert places[:50] != sorted(places[:50]) and sorted(places[100:]) == list(range(9950, 10000))


def test_what_a_kill_left_half_written_goes_with_the_next_large_document(trade):
    lot, home = trade.lot(), trade.c.home(trade.prefix + "maker")
    left = [home / "plans" / "x.jwe.a1B2c3.part", home / "documents" / "y.jwe.ZZZZZZ.part", home / "pins.json.abcdef.part"]
    kept = home / "documents" / "a.part"
    for path in [*left, kept]:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    assert capture(trade, "maker", [born([link(GTIN, serial) for serial in trade.sound(f"{lot}-", 3000)], lot)])["code"] == "OK"
    assert kept.exists() and not any(path.exists() for path in left)
    kept.unlink()


@pytest.mark.parametrize("lines", ["AB", "ABCD"])
def test_lines_commission_into_one_lot_at_once(trade, lines):
    """Each with a document of several parts, of which the last one counts on the places of its packs."""
    lot, home = trade.lot(), trade.c.home("sz-maker")
    packs = {line: [link(GTIN, serial) for serial in trade.sound(f"{lot}-{line}-", 1500)] for line in lines}
    documents = [document(trade, [born(packs[line], lot), moved("holding", [packs[line][7]])]) for line in lines]
    for done in run_at_once(["pack", "capture", path, "--home", home] for path in documents):
        assert done["code"] == "OK"
    assert trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)["live"] == 1500 * len(lines)
    for line in lines:
        refused(3, "HELD", trade.run, "maker", "pack", "verify", packs[line][7])
        assert trade.run("maker", "pack", "verify", packs[line][8])["state"] == "ACTIVE"


def test_nothing_of_a_large_document_is_sent_if_its_last_part_would_be_refused(trade, consortium):
    """Each takes several transactions, and what is wrong with it stands at its end."""
    lot, other, sold = trade.lot(), trade.lot(), trade.commission(trade.lot(), 2)
    trade.deliver(sold[:1], "pharmacy")
    packs = [link(GTIN, serial) for serial in trade.sound(f"{lot}-", 3000)]
    case = "https://id.gs1.org/00/" + trade.sscc()
    packing = lambda children: happened("AggregationEvent", action="ADD", bizStep="packing", parentID=case,
                                        childEPCs=children)
    stranger = f"did:pkh:eip155:{int(consortium.rpc('eth_chainId'), 16)}:0x" + "77" * 20
    wrong = {
        "DUPLICATE_SERIAL": [born([*packs, sold[1]], lot)],
        "NOT_CUSTODIAN": [born(packs, lot), packing([*packs[:9], sold[0]])],
        "UNKNOWN_PRODUCT|holds no key": [born(packs, lot), born([link(check_digit("0401234599999"), "1")], other)],
        "is commissioned twice": [born([*packs, packs[7]], lot)],
        "is not in the directory": [born(packs, lot), packing(packs), moved("shipping", [case], destinationList=[
            {"type": "possessing_party", "destination": stranger}])],
    }
    for why, events in wrong.items():
        path, head = document(trade, events), consortium.rpc("eth_blockNumber")
        with pytest.raises(Refused) as caught:
            trade.run("maker", "pack", "capture", path)
        assert re.search(why, json.dumps(caught.value.report)), (why, caught.value)
        assert consortium.rpc("eth_blockNumber") == head, why
        assert not kept_plans(trade), why
    assert capture(trade, "maker", [born(packs, lot)])["code"] == "OK"


def test_a_serial_that_the_products_table_takes_for_another_is_refused_before_anything_is_sent(trade, consortium):
    """Few sound serials ever are: here the node says so of the 5,200th, when it looks them up."""
    lot, asked = trade.lot(), []
    assert capture(trade, "maker", [born([link(GTIN, f"{lot}-first")], lot)])["code"] == "OK"
    recorder = Recorder(consortium.node.port)

    def remember(_, body):
        asked.append(json.loads(body)["params"] if LOOK_UP in body and b"eth_call" in body else None)

    def collide(_, content):
        if not asked or not asked[-1] or len([one for one in asked if one]) != 2:
            return content
        answer = json.loads(content)
        depths = bytearray.fromhex(answer["result"][2:])
        depths[2 * 32 + 199] = 0xff
        return json.dumps({**answer, "result": "0x" + depths.hex()}).encode()

    recorder.before, recorder.change = remember, collide
    head = consortium.rpc("eth_blockNumber")
    path = document(trade, [born([link(GTIN, serial) for serial in trade.sound(f"{lot}-", 5500)], lot)])
    try:
        with pytest.raises(Refused) as caught:
            trade.run("maker", "pack", "capture", path, "--rpc", recorder.url)
    finally:
        recorder.close()
    said = json.dumps(caught.value.report)
    assert "DUPLICATE_SERIAL" in said and "cannot be told from another one" in said and f"{lot}-" in said
    assert consortium.rpc("eth_blockNumber") == head and not kept_plans(trade)
    assert trade.run("maker", "pack", "capture", path)["code"] == "OK"


def indexes(trade, units, reader="maker"):
    """Where packs stand in their lot, as a reference of each says."""
    path = trade.path()
    trade.run("maker", "pack", "reference", *units, "--for", trade.address(reader), "--out", path)
    plaintext = Rewriter(trade, reader).read(path)
    places = {unit["serial"]: unit["index"] for unit in plaintext["units"]}
    return [places[unit.rsplit("/", 1)[1]] for unit in units]


def test_packs_go_onto_the_chain_in_an_order_that_tells_no_neighbours(trade):
    """A case is one range of places, and neither cases nor the packs in them stand as the document names them."""
    lot = trade.lot()
    packs = [link(GTIN, serial) for serial in trade.sound(f"{lot}-", 240)]
    cases = [packs[at:at + 20] for at in range(0, 200, 20)]
    path = document(trade, [born(packs, lot), *(
        happened("AggregationEvent", action="ADD", bizStep="packing", childEPCs=case,
                 parentID="https://id.gs1.org/00/" + trade.sscc()) for case in cases)])
    report = trade.run("maker", "pack", "capture", path)
    assert report["code"] == "OK" and len(report["captures"]) == 1
    places = indexes(trade, packs)
    assert sorted(places) == list(range(240)) and sorted(places[200:]) == list(range(200, 240))
    firsts = []
    for at in range(0, 200, 20):
        inside = places[at:at + 20]
        assert sorted(inside) == list(range(min(inside), min(inside) + 20)) and inside != sorted(inside)
        firsts.append(min(inside))
    assert firsts != sorted(firsts) and places[200:] != sorted(places[200:])


def test_a_home_that_lost_its_documents_asks_the_chain_for_serials(trade):
    lot, lost = trade.lot(), trade.path("home")
    packs = [link(GTIN, serial) for serial in trade.sound(f"{lot}-", 1500)]
    assert capture(trade, "maker", [born(packs[:20], lot)])["code"] == "OK"
    shutil.copytree(trade.c.home("sz-maker"), lost)
    shutil.rmtree(lost / "documents")
    for path in lost.glob("index.db*"):
        path.unlink()
    head = trade.c.rpc("eth_blockNumber")
    with pytest.raises(Refused) as caught:
        cli("pack", "capture", document(trade, [born([*packs[20:], packs[19]], lot)]), "--home", lost)
    assert "DUPLICATE_SERIAL" in json.dumps(caught.value.report) and trade.c.rpc("eth_blockNumber") == head


def test_lines_of_several_lots_pack_and_ship_at_once(trade):
    """As in a plant: each line commissions, packs and ships its own lot, and none is turned away."""
    home, lots = trade.c.home("sz-maker"), [trade.lot() for _ in range(4)]
    cases = ["https://id.gs1.org/00/" + trade.sscc() for _ in lots]
    serials = [[link(GTIN, serial) for serial in trade.sound(f"{lot}-", 50)] for lot in lots]
    whole = [[born(packs, lot), happened("AggregationEvent", action="ADD", bizStep="packing", parentID=case,
                                         childEPCs=packs), moved("shipping", [case])]
             for lot, case, packs in zip(lots, cases, serials)]
    to = trade.address("wholesaler")
    for done in run_at_once(["pack", "capture", document(trade, events), "--to", to, "--home", home]
                            for events in whole):
        assert done["code"] == "OK" and done["notCaptured"] == []
    for packs in serials:
        assert trade.run("maker", "pack", "verify", packs[0])["state"] == "IN_TRANSIT"
