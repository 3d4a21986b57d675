"""What is taken back: recalls, dispenses, goods that were sold; stock of custodians who are gone; a lot that lies."""
import collections
import http.client
import json
import re

import pytest
from eth_abi import decode, encode
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from eth_utils import keccak, to_checksum_address
from hexbytes import HexBytes

import trading
from machine import PASSWORD, Refused
from recorder import Recorder
from trading import TABLE_BITS, born, document, link, refused

GTIN = trading.check_digit("0401234567893")


class Trade(trading.Trade):
    prefix, gtin, count = "bk-", GTIN, 500000
    actors = {**trading.Trade.actors, "gone": "pharmacy"}

    def lot_of(self, lot):
        return "--gtin", GTIN, "--lot", lot

    def holders(self, lot):
        held = collections.Counter()
        for row in self.run("regulator", "pack", "holders", *self.lot_of(lot))["holders"]:
            held[row["holderName"]] += row["units"]
        return dict(held)

    def standing(self, name, status):
        path = self.path("json")
        self.c.run("registrar-1", "actor", "standing", "--address", self.address(name), "--status", status, "--out",
                   path)
        self.c.run("registrar-2", "registrars", "sign", path)
        self.c.run("registrar-1", "registrars", "send", path)


@pytest.fixture(scope="module")
def trade(consortium):
    return Trade(consortium)


def test_who_recalled_a_lot_takes_it_back_and_nobody_else(trade):
    lot = trade.lot()
    (pack,) = trade.commission(lot, 1)
    trade.deliver([pack], "pharmacy")
    trade.run("maker", "pack", "recall", *trade.lot_of(lot), "--reason", "glass")
    reverse = "pack", "recall", *trade.lot_of(lot), "--reverse", "--reason", "a false alarm"
    refused(3, "NOT_OWNER", trade.run, "regulator", *reverse)
    refused(3, "IS_RECALLED", trade.run, "pharmacy", "pack", "dispense", pack)
    report = trade.run("maker", *reverse)
    assert report["recalled"] is False and report["live"] == 1
    refused(3, "NOT_ALLOWED", trade.run, "maker", *reverse)
    assert trade.run("pharmacy", "pack", "dispense", pack)["code"] == "OK"
    history = [event["what"] for event in trade.run("maker", "pack", "trace", pack)["history"]]
    assert history.count("batch recalled") == 2  # both stay


def test_single_packs_are_recalled_and_a_regulator_takes_that_back(trade):
    sealed = trade.path()
    packs = trade.commission(trade.lot(), 3, "2030-06-30", "--out", sealed)
    trade.run("regulator", "pack", "receive", "--document", sealed, "--keep")
    trade.run("maker", "pack", "recall", *packs[:2], "--reason", "a torn label")
    refused(3, "RECALLED", trade.run, "maker", "pack", "verify", packs[0])
    refused(3, "WRONG_ROLE", trade.run, "maker", "pack", "recall", packs[0], "--reverse", "--reason", "it was another")
    trade.run("regulator", "pack", "recall", packs[0], "--reverse", "--reason", "it was another")
    assert trade.run("maker", "pack", "verify", packs[0])["saleable"] is True
    refused(3, "RECALLED", trade.run, "maker", "pack", "verify", packs[1])
    assert trade.run("maker", "pack", "verify", packs[2])["saleable"] is True


def test_an_undone_dispense_goes_to_the_same_patient_or_back_and_is_never_traded(trade):
    packs = trade.commission(trade.lot(), 4)
    trade.deliver(packs, "pharmacy")
    trade.run("pharmacy", "pack", "dispense", packs[1])
    refused(3, "ALREADY_DISPENSED", trade.run, "pharmacy", "pack", "dispense", *packs[:3])  # two of the three are
    refused(3, "NOT_ALLOWED", trade.run, "pharmacy", "pack", "dispense", "--undo", packs[3])
    refused(3, "UNDO_OTHER", trade.run, "maker", "pack", "dispense", "--undo", packs[0])
    trade.run("pharmacy", "pack", "dispense", "--undo", packs[2], packs[1])  # of two captures
    refused(3, "NOT_ALLOWED", trade.run, "pharmacy", "pack", "dispense", "--undo", packs[2])
    case = trade.case(packs[2:3], "pharmacy")
    refused(3, "IS_HELD", trade.ship, case, "pharmacy-2", "pharmacy")
    trade.run("maker", "pack", "receive", "--document",
              trade.ship(case, "maker", "pharmacy", "--purpose", "return"))
    assert trade.run("pharmacy", "pack", "dispense", packs[1])["code"] == "OK"
    refused(3, "offers a copy", trade.run, "pharmacy", "pack", "verify", packs[0])


def test_an_opened_pack_is_dispensed_where_it_is_and_never_traded(trade):
    packs = trade.commission(trade.lot(), 2)
    trade.deliver(packs, "pharmacy")
    trade.run("pharmacy", "pack", "dispense", "--partial", packs[0])
    report = refused(3, "PARTIAL", trade.run, "pharmacy", "pack", "verify", packs[0])
    assert report["saleable"] is False
    refused(3, "IS_HELD", trade.ship, trade.case(packs, "pharmacy"), "pharmacy-2", "pharmacy")
    with pytest.raises(Refused) as caught:
        trade.run("pharmacy", "pack", "dispense", "--undo", "--partial", packs[0])
    assert caught.value.code == 2


def test_goods_go_back_to_whom_a_regulator_names(trade):
    lot = trade.lot()
    packs = trade.commission(lot, 2)
    trade.deliver(packs[:1], "pharmacy")
    trade.deliver(packs[1:], "pharmacy")
    first, second = (trade.case([pack], "pharmacy") for pack in packs)
    back = "pharmacy", "--purpose", "return"
    refused(3, "NOT_ITS_ORIGIN", trade.ship, first, "wholesaler", *back)
    named = "product", "receiver", *trade.lot_of(lot)
    refused(3, "NotListed", trade.run, "maker", *named, "--to", trade.address("wholesaler"))
    trade.run("regulator", *named, "--to", trade.address("wholesaler"))
    trade.run("wholesaler", "pack", "receive", "--document", trade.ship(first, "wholesaler", *back))
    trade.run("regulator", *named, "--nobody")
    refused(3, "NOT_ITS_ORIGIN", trade.ship, second, "wholesaler", *back)


def test_stock_of_a_suspended_custodian_is_moved_by_a_regulator_alone(trade):
    lot = trade.lot()
    packs = trade.commission(lot, 6)
    trade.deliver(packs[:2], "gone")
    case, pallet = trade.case(packs[2:5]), trade.sscc()
    trade.run("maker", "pack", "aggregate", case, "--sscc", pallet)
    trade.run("gone", "pack", "receive", "--document", trade.ship(pallet, "gone"))
    move = "pack", "move", *trade.lot_of(lot), "--from", trade.address("gone"), "--to", trade.address("wholesaler")
    refused(3, "IS_ACTIVE", trade.run, "regulator", *move)
    trade.standing("gone", "suspended")
    refused(3, "WRONG_ROLE", trade.run, "maker", *move)
    report = trade.run("regulator", *move)
    assert (report["units"], report["containers"], report["transactions"]) == (5, 1, 2)
    assert trade.holders(lot) == {"bk-wholesaler": 5, "bk-maker": 1}
    refused(4, "holds no packs", trade.run, "regulator", *move)
    trade.standing("gone", "active")
    refused(3, "NOT_CUSTODIAN", trade.run, "gone", "pack", "dispense", packs[0])


COMMISSION = keccak(b"commission(bytes32,bytes32,bytes)")[:4]
CAPTURE = ["bytes32", "bytes32", "uint32", "bytes[]"]


def with_other_fragments(calldata, fragment):
    """The last pack that it commissions has another fragment: this one, or a bit of its own is not."""
    document, events, part, operations = decode(CAPTURE, calldata[4:])
    changed = []
    for operation in operations:
        if operation[:4] == COMMISSION:
            batch, root, fragments = decode(["bytes32", "bytes32", "bytes"], operation[4:])
            other = int.from_bytes(fragments[-8:-1], "big") ^ 1 if fragment is None else fragment
            fragments = fragments[:-8] + other.to_bytes(7, "big") + b"\0"
            operation = COMMISSION + encode(["bytes32", "bytes32", "bytes"], [batch, root, fragments])
        changed.append(operation)
    assert changed != list(operations)
    return calldata[:4] + encode(CAPTURE, [document, events, part, changed])


def lying_lot(trade, lot, sealed, fragment=None):
    """The maker's own transaction, but with a fragment that is not of its serials; then its program goes on."""
    plain, kept = trade.path("jsonld"), []
    recorder = Recorder(trade.c.node.port)

    def keep(_, body):
        if b"eth_sendRawTransaction" not in body:
            return None
        kept.append(json.loads(body)["params"][0])
        return http.client.SERVICE_UNAVAILABLE

    recorder.before = keep
    with pytest.raises(Refused):
        trade.run("maker", "pack", "commission", "--gtin", GTIN, "--lot", lot, "--expiry", "2030-06-30", "--count", 3,
                  "--epcis-out", plain, "--rpc", recorder.url)
    recorder.close()
    key = Account.decrypt((trade.c.home("bk-maker") / "wallet" / "account.json").read_text(), PASSWORD)
    fields = TypedTransaction.from_bytes(HexBytes(kept[0])).as_dict()
    lie = {name: fields[name] for name in ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "value")}
    lie["gas"] += 100_000  # another fragment may have to split a bucket of the table
    lie |= {"type": 2, "to": to_checksum_address(fields["to"]), "data": with_other_fragments(bytes(fields["data"]), fragment)}
    sent = trade.c.rpc("eth_sendRawTransaction", Account.sign_transaction(lie, key).raw_transaction.to_0x_hex())
    assert trade.c.node.receipt(sent)["status"] == "0x1"
    try:
        trade.run("maker", "pack", "commission", "--epcis", plain, "--out", sealed)
    except Refused:  # once for its own transaction, whose nonce is used
        trade.run("maker", "pack", "commission", "--epcis", plain, "--out", sealed)
    return [epc for event in json.loads(plain.read_text())["epcisBody"]["eventList"] for epc in event["epcList"]]


def test_a_lot_whose_fragments_are_not_those_of_its_serials_is_reported_and_refused(trade):
    honest, lying = trade.path(), trade.path()
    trade.commission(trade.lot(), 3, "2030-06-30", "--out", honest)
    (document,) = trade.run("regulator", "pack", "check", honest)["documents"]
    assert document["agrees"] is True and document["lots"][0]["packs"] == 3
    assert document["senderName"] == "bk-maker"
    lot = trade.lot()
    packs = lying_lot(trade, lot, lying)
    report = refused(3, "not commissioned as this serial", trade.run, "regulator", "pack", "check", honest, lying)
    assert [(d["agrees"], d["lots"][0]["lot"] == lot) for d in report["documents"]] == [(True, False), (False, True)]
    shipment = trade.ship(trade.case(packs), "pharmacy")
    refused(3, "not commissioned as this serial", trade.run, "pharmacy", "pack", "receive", "--document", shipment)


def test_a_sound_serial_that_the_table_takes_for_another_is_sold_once_a_regulator_admits_it(trade):
    lot = trade.lot()
    serial, others = f"{lot}-sound", [link(GTIN, f"{lot}-{i}") for i in range(1100)]
    pack, taken_for = link(GTIN, serial), trade.fragment(serial) ^ 1 << TABLE_BITS
    lying_lot(trade, trade.lot(), trade.path(), taken_for)
    alone, many = document(trade, [born([pack], lot)]), document(trade, [born([*others, pack], lot)])
    head = trade.c.rpc("eth_blockNumber")
    refused(3, f"serial {serial} of GTIN {GTIN} cannot be told from another one", trade.run, "maker", "pack", "capture",
            many)
    report = refused(3, f"serial {serial} of GTIN {GTIN} was commissioned before, or looks like one that was", trade.run,
                     "maker", "pack", "capture", alone)
    assert trade.c.rpc("eth_blockNumber") == head
    admit = "product", "admit", re.search(r'product admit \\"([^"\\]+)', json.dumps(report))[1]
    assert admit[-1] == pack
    refused(3, "NotListed", trade.run, "maker", *admit)
    refused(3, "for no other one", trade.run, "regulator", "product", "admit", others[0])
    admitted = trade.run("regulator", *admit)
    assert admitted["serial"] == serial and "does not have" in admitted["notChecked"]
    refused(3, "AlreadyAdmitted", trade.run, "regulator", *admit)
    assert trade.run("maker", "pack", "capture", many)["code"] == "OK"
    refused(3, f"serial {serial} of GTIN {GTIN} was commissioned before", trade.run, "maker", "pack", "capture",
            document(trade, [born([pack], trade.lot())]))
    refused(3, "AlreadyAdmitted", trade.run, "regulator", *admit)
    trade.deliver([pack], "pharmacy")
    assert trade.run("pharmacy", "pack", "dispense", pack)["code"] == "OK"


def test_a_history_says_whether_it_leads_to_where_the_pack_is(trade):
    """The maker has no document of what the wholesaler packs; that the pack is in its case, the chain proves."""
    packs = trade.commission(trade.lot(), 2)
    trade.deliver(packs, "wholesaler")
    case = trade.case(packs, "wholesaler")
    sealed = trade.ship(case, "pharmacy", "wholesaler")
    in_the_case = trade.run("maker", "pack", "trace", packs[0])
    assert in_the_case["complete"] is True and in_the_case["history"][-1]["what"] == "shipped"
    trade.run("pharmacy", "pack", "receive", "--document", sealed)
    trade.run("pharmacy", "pack", "aggregate", *packs, "--sscc", case, "--unpack")
    gone = trade.run("maker", "pack", "trace", packs[0])
    assert gone["complete"] is False and gone["missing"] == "how it came to its present holder"
    for name in ("wholesaler", "pharmacy"):
        assert trade.run(name, "pack", "trace", packs[0])["complete"] is True, name
