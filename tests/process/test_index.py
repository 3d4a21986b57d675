"""A home's index: commands ask the chain only for what is new, the file shows nothing, and its loss costs nothing."""
import json
import os
import signal
import subprocess
import time

import pytest

import trading
from machine import PASSWORD, Refused, binary, cli
from recorder import Recorder

GTIN = trading.check_digit("0401234567891")


class Trade(trading.Trade):
    """Actors, a product and SSCCs of its own: the consortium is shared."""

    prefix, gtin, count = "ix-", GTIN, 900000
    actors = {"regulator": "regulator", "maker": "manufacturer", "wholesaler": "wholesaler"}


@pytest.fixture(scope="module")
def trade(consortium):
    return Trade(consortium)


@pytest.fixture(scope="module")
def pack(trade):
    """A pack that went from the maker to a wholesaler in a case on a pallet; its scan and the case's SSCC."""
    units = trade.commission(trade.lot(), 3)
    case = trade.case(units)
    pallet = trade.sscc()
    trade.run("maker", "pack", "aggregate", case, "--sscc", pallet)
    trade.run("wholesaler", "pack", "receive", "--document", trade.ship(pallet, "wholesaler"))
    return units[0], case


def index_of(consortium, name):
    return consortium.home(name) / "index.db"


def log_questions(recorder, consortium):
    """Without those for actors' statements, which are verified anew by each command."""
    asked = [part[part.index(b"\n\n") + 2:] for part in recorder.traffic if part.startswith(b"POST")]
    questions = [json.loads(body)["params"][0] for body in asked if b"eth_getLogs" in body]
    directory = json.loads(consortium.deployment.read_text())["directory"]["address"]
    return [question for question in questions if question["address"] != directory]


def words(report):
    return [(entry["what"], entry.get("sscc")) for entry in report["history"]]


def test_a_history_follows_containers_around_the_pack(trade, pack):
    scan, case = pack
    history = words(trade.run("maker", "pack", "trace", scan))
    assert [what for what, _ in history] == [
        "opened",
        "commissioned",
        "packed",
        "container packed",
        "shipped",
        "accepted",
    ]
    assert history[2] == ("packed", case)
    # The receiver knows the case from the sealed document, and finds the pallet by the chain's events.
    assert [what for what, _ in words(trade.run("wholesaler", "pack", "trace", scan))] == [what for what, _ in history]


def test_the_file_shows_nothing_of_what_is_in_it(consortium, trade, pack):
    scan, case = pack
    trade.run("maker", "pack", "trace", scan)
    serial = scan.split("/21/")[1].split("/")[0].split("?")[0] if "/21/" in scan else scan[-6:]
    shown = b"".join(path.read_bytes() for path in consortium.home("ix-maker").glob("index.db*"))
    assert len(shown) > 4096 and index_of(consortium, "ix-maker").stat().st_mode & 0o777 == 0o600
    for word in (
        b"SQLite",
        b"CREATE",
        GTIN.encode(),
        serial.encode(),
        case.encode(),
        bytes.fromhex(trade.address("wholesaler")[2:]),
    ):
        assert word not in shown, word


@pytest.mark.parametrize("harm", ["removed", "overwritten", "cut", "another home's"])
def test_an_index_that_is_lost_or_damaged_is_made_anew(consortium, trade, pack, harm):
    scan, _ = pack
    before = trade.run("maker", "pack", "trace", scan)
    path = index_of(consortium, "ix-maker")
    content = path.read_bytes()
    if harm == "removed":
        path.unlink()
    elif harm == "overwritten":
        path.write_bytes(content[:1000] + os.urandom(2000) + content[3000:])
    elif harm == "cut":
        path.write_bytes(content[:len(content) // 2 + 7])
    else:
        trade.run("wholesaler", "pack", "trace", scan)
        path.write_bytes(index_of(consortium, "ix-wholesaler").read_bytes())
    done = subprocess.run([binary(), "pack", "trace", scan, "--home", str(consortium.home("ix-maker")), "--json"],
                          capture_output=True, text=True, env={**os.environ, "XINGLIN_PASSWORD": PASSWORD})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == before
    assert ("made anew" in done.stderr) == (harm != "removed"), done.stderr


@pytest.mark.parametrize("other", ["folder", "link"])
def test_what_stands_in_the_place_of_the_index_is_named_and_not_removed(consortium, trade, pack, other):
    scan, _ = pack
    path = index_of(consortium, "ix-maker")
    path.unlink(missing_ok=True)
    path.mkdir() if other == "folder" else path.symlink_to("/dev/full")
    with pytest.raises(Refused) as refused:
        trade.run("maker", "pack", "trace", scan)
    assert refused.value.code == 1 and f"{path} is a folder, a link or a device" in refused.value.stderr
    assert path.is_dir() if other == "folder" else path.is_symlink()
    path.rmdir() if other == "folder" else path.unlink()
    assert trade.run("maker", "pack", "trace", scan)["history"]


def test_a_log_whose_data_is_cut_off_is_the_nodes_fault(consortium, trade, pack):
    scan, _ = pack
    recorder = Recorder(consortium.node.port)
    index_of(consortium, "ix-maker").unlink(missing_ok=True)

    def cut(_, body):
        answer = json.loads(body)
        result = answer.get("result") if isinstance(answer, dict) else None  # a list answers a batch
        for log in result if isinstance(result, list) else []:
            if "topics" in log:
                log["data"] = "0x"
        return json.dumps(answer).encode()

    recorder.change = cut
    with pytest.raises(Refused) as refused:
        cli("pack", "trace", scan, "--home", consortium.home("ix-maker"), "--rpc", recorder.url)
    assert refused.value.code == 3 and "the node is wrong" in refused.value.stderr
    recorder.close()
    index_of(consortium, "ix-maker").unlink()


def test_what_was_read_is_not_asked_again(consortium, trade, pack):
    scan, _ = pack
    recorder = Recorder(consortium.node.port)
    home = ("--home", consortium.home("ix-maker"), "--rpc", recorder.url)
    index_of(consortium, "ix-maker").unlink(missing_ok=True)
    first = cli("pack", "trace", scan, *home)
    asked = log_questions(recorder, consortium)
    assert asked and all(int(question["fromBlock"], 16) == 0 for question in asked)
    assert all(any(question["topics"][1:]) for question in asked), "nobody else's events are asked for"
    recorder.traffic.clear()
    assert cli("pack", "trace", scan, *home) == first
    assert log_questions(recorder, consortium) == [], "the chain stood still"
    trade.commission(trade.lot(), 1)
    recorder.traffic.clear()
    assert cli("pack", "trace", scan, *home) == first
    head = int(consortium.rpc("eth_blockNumber"), 16)
    assert all(int(question["fromBlock"], 16) > head - 10 for question in log_questions(recorder, consortium))
    recorder.close()


def test_killed_at_any_moment_a_command_leaves_an_index_that_goes_on(consortium, trade, pack):
    scan, _ = pack
    before = trade.run("maker", "pack", "trace", scan)
    command = [binary(), "pack", "trace", scan, "--home", str(consortium.home("ix-maker")), "--json"]
    index_of(consortium, "ix-maker").unlink()
    for round in range(12):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**os.environ, "XINGLIN_PASSWORD": PASSWORD})
        time.sleep(0.01 + 0.006 * round)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert trade.run("maker", "pack", "trace", scan) == before
