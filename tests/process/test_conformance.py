"""`xinglin statetest`, `blocktest`, `txtest`: official files pass, and a changed one is reported with what differs and exit code 1."""
import json
import os
import pathlib
import subprocess

import pytest

from machine import ROOT, Refused, binary, cli

TESTS = pathlib.Path(os.environ.get("DATA") or ROOT.parent / "shared/data").resolve() / "ethereum"
needs_data = pytest.mark.skipif(not TESTS.is_dir(), reason="the official tests are not here")


def reported(*arguments):
    """Exit code and lines, as a person sees them."""
    done = subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout.splitlines()


@needs_data
def test_a_changed_transaction_test(tmp_path):
    path = TESTS / "transactions/ttNonce/TransactionWithHighNonce32.json"
    assert cli("txtest", path) == {"passed": 13, "failed": 0, "skipped": 0}
    tests = json.loads(path.read_text())
    results = tests["TransactionWithHighNonce32"]["result"]
    results["Berlin"]["sender"] = "0x" + "11" * 20
    results["London"]["intrinsicGas"] = "0x5209"
    results["Tomorrow"] = results.pop("Paris")
    (tmp_path / "changed.json").write_text(json.dumps(tests))
    code, lines = reported("txtest", tmp_path)
    assert code == 1 and lines[-1] == "10 passed, 2 failed, 1 skipped"
    assert "  TransactionWithHighNonce32 Berlin has another sender" in lines
    assert "  TransactionWithHighNonce32 London has another intrinsic gas" in lines


@needs_data
def test_a_changed_state_test(tmp_path):
    path = next((TESTS / "state/eest-v5.4.0").rglob("test_access_list.json"), None) or next(
        (TESTS / "state/eest-v5.4.0").rglob("*.json")
    )
    tests = json.loads(path.read_text())
    name = next(iter(tests))
    post = next(iter(tests[name]["post"].values()))[0]
    address = next(iter(post["state"]))
    post["state"][address]["balance"] = "0x123456789"
    post["hash"] = "0x" + "22" * 32
    (tmp_path / "changed.json").write_text(json.dumps({name: tests[name]}))
    code, lines = reported("statetest", tmp_path)
    assert code == 1 and " 1 failed" in lines[-1]
    assert any("has another state root" in line for line in lines)
    assert any(address in line and "expected 0x123456789" in line for line in lines)


@needs_data
def test_a_changed_blockchain_test(tmp_path):
    path = min(
        (TESTS / "blockchain/ethereum-tests-v14.1/ValidBlocks").rglob("*.json"), key=lambda path: path.stat().st_size
    )
    assert cli("blocktest", path)["failed"] == 0
    tests = json.loads(path.read_text())
    name = next(iter(tests))
    tests[name]["blocks"][0]["expectException"] = "BlockException.SOMETHING"
    (tmp_path / "changed.json").write_text(json.dumps({name: tests[name]}))
    code, lines = reported("blocktest", tmp_path)
    assert code == 1 and lines[-1] == "0 passed, 1 failed, 0 skipped"
    assert any("an invalid block was accepted" in line for line in lines)


def test_what_is_no_test(tmp_path):
    with pytest.raises(Refused) as absent:
        cli("statetest", tmp_path / "absent")
    assert absent.value.code == 4
    with pytest.raises(Refused) as empty:
        cli("blocktest", tmp_path)
    assert empty.value.code == 4
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(Refused) as broken:
        cli("txtest", tmp_path)
    assert broken.value.code == 1 and broken.value.report["failed"] == 1
    (tmp_path / "broken.json").write_text('{"a": {}}')
    assert cli("txtest", tmp_path) == {"passed": 0, "failed": 0, "skipped": 1}
