"""Fixtures of the evil node's tests: one chain for all of them, and copies of its homes."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "process"))  # machine.py, gateways.py

import pytest

from world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("evil"))
    yield made
    made.close()
