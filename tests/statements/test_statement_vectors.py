"""The vectors of statements are what the independent script makes of the types: nobody mends one by hand."""
import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("eth_account")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_vectors_are_what_the_script_makes(tmp_path):
    subprocess.run([sys.executable, ROOT / "tests" / "statements" / "make-vectors", tmp_path / "made.json"], check=True)
    made = (tmp_path / "made.json").read_text(encoding="utf-8")
    assert made == (ROOT / "tests" / "vectors" / "statements.json").read_text(encoding="utf-8")
