"""tests/vectors/comet.json is what CometBFT's own light client says, today too."""
import json
import os
import shutil
import subprocess

import pytest

from machine import ROOT

JUDGE = sorted((ROOT / "tests/comet/judge").glob("*.go"))
MODULES = ROOT / "third_party/cometbft"


def judged(version):
    module = MODULES / version
    if not shutil.which("go") or not (module / "go.mod").exists():
        pytest.skip("there is no Go, or no module of CometBFT " + version)
    # Nothing is downloaded: tools/cometbft does that, when the program is built.
    env = {**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=readonly"}
    command = ["go", "run", *map(str, JUDGE)]
    run = subprocess.run(command, cwd=module, env=env, capture_output=True, text=True, timeout=900)
    if run.returncode and "module lookup disabled" in run.stderr:
        pytest.skip(f"CometBFT {version} is not on this machine")
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_vectors_are_what_cometbft_says():
    assert judged("0.38") == (ROOT / "tests/vectors/comet.json").read_text()


def test_the_next_version_of_cometbft_says_the_same():
    """Its reasons may be worded in another way."""

    def verdicts(text):
        root = json.loads(text)
        return [[{**case, "why": ""} for case in root[kind]] for kind in ("vectors", "walks")], root["blocks"]

    assert verdicts(judged("0.40")) == verdicts((ROOT / "tests/vectors/comet.json").read_text())
