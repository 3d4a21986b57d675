"""Fixtures of all process tests. See machine.py for what they give."""
import pytest

from machine import Consortium, Node


@pytest.fixture
def start_node(tmp_path):
    """start_node(data, mode, *options) gives a Node; all are ended after the test, by their own id."""
    nodes = []

    def start(data=None, mode="dev", *options, **more):
        nodes.append(Node(data or tmp_path / f"node-{len(nodes)}", mode, *options, **more))
        return nodes[-1]

    yield start
    for node in nodes:
        node.kill()


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    """One development chain for a whole module: accounts are funded, a block comes with each transaction."""
    node = Node(tmp_path_factory.mktemp("dev") / "node")
    yield node
    assert node.stop() == 0, node.log.read_text()


@pytest.fixture(scope="session")
def consortium(tmp_path_factory):
    """A deployed consortium that all tests of a session share: give your actors names of their own."""
    made = Consortium(tmp_path_factory.mktemp("consortium"))
    yield made
    assert made.node.stop() == 0, made.node.log.read_text()
