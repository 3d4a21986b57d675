"""FHIR clients from npm, PyPI and Maven, unmodified, against the FHIR server of a development gateway."""
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from machine import ROOT, Node

MODULES = ROOT / "tests/node/node_modules"
PEERS = ROOT / "tests/peers"
BUILT = Path(os.environ.get("BENCH_CACHE", Path.home() / ".cache/xinglin-bench")) / "clients"


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("fhir") / "dev", "dev", "--gateway")
    yield node.started
    assert node.stop() == 0, node.log.read_text()


def ends_well(command, started):
    done = subprocess.run([*command, started["fhir"], started["token"]], capture_output=True, text=True, timeout=120,
                          cwd=ROOT / "tests/node")
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout + done.stderr


@pytest.mark.parametrize(("package", "program"), [("fhir-kit-client", "fhir_kit_peer.mjs"), ("fhirclient", "fhir_smart_peer.mjs"),
                                                  ("@medplum/core", "fhir_medplum_peer.mjs")])
def test_a_client_of_npm_works(started, package, program):
    if not (MODULES / package).exists():
        pytest.skip(f"{package} is not installed: npm could not be reached")
    ends_well(["node", ROOT / "tests/node" / program], started)


def test_fhirpy_works(started):
    if not importlib.util.find_spec("fhirpy"):
        pytest.skip("fhirpy is not installed: PyPI could not be reached")
    ends_well([sys.executable, PEERS / "fhir_fhirpy.py"], started)


def test_the_client_of_hapi_works(started):
    if not (BUILT / "hapi/built-from").exists():
        pytest.skip("HAPI's client is not built: Java or Maven's packages could not be reached (tools/client-peers hapi)")
    ends_well(["java", "-cp", f"{BUILT}/hapi:{BUILT}/hapi/jars/*", "Hapi"], started)
