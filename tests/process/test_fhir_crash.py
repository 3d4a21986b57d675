"""A gateway that is killed between a block and its index has everything again, and counts versions on."""
import concurrent.futures
import pathlib

import pytest

from fhirs import Fhir, patient
from machine import Node, wait_for


@pytest.fixture
def start(tmp_path):
    nodes = []

    def begin(*options):
        nodes.append(Node(tmp_path / "dev", "dev", "--gateway", *options))
        return nodes[-1], Fhir(nodes[-1].started["fhir"], nodes[-1].started["token"])

    yield begin
    for node in nodes:
        node.kill()


def test_a_lost_index_is_filled_again(start, tmp_path):
    node, fhir = start()
    fhir.put("Patient/a", patient("One", id="a"))
    kept = fhir.put("Patient/a", patient("Two", id="a")).body
    fhir.put("Patient/b", patient(id="b"))
    fhir.call("DELETE", "Patient/b")
    assert node.stop() == 0
    for file in pathlib.Path(tmp_path / "dev/gateway/home").glob("resources.db*"):
        file.unlink()
    node, fhir = start()
    wait_for(lambda: fhir.get("Patient/a").status == 200)
    assert fhir.get("Patient/a").body == kept and fhir.get("Patient/b").status == 410
    assert fhir.get("Patient/a/_history/1").json["name"][0]["family"] == "One"
    again = wait_for(lambda: (answer := fhir.put("Patient/a", patient("Three", id="a"))).status == 200 and answer)
    assert again.headers["etag"] == 'W/"3"'


def test_after_a_kill_versions_have_no_gap_and_no_twin(start):
    """Writers go on until the process is killed; whatever was acknowledged is there, and the next version follows."""
    node, fhir = start()
    acknowledged = {}

    def write(name):
        for number in range(1000):
            try:
                answer = fhir.put(f"Patient/{name}", patient(str(number), id=name))
            except OSError:
                return
            if answer.status in (200, 201):
                acknowledged[name] = int(answer.headers["etag"][3:-1])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, name) for name in "wxyz"]
        wait_for(lambda: len(acknowledged) == 4 and min(acknowledged.values()) > 2)
        node.kill()
        for writer in writers:
            writer.exception()
    node, fhir = start()
    for name, version in acknowledged.items():
        after = wait_for(lambda: (answer := fhir.put(f"Patient/{name}", patient(id=name))).status == 200 and answer)
        last = int(after.headers["etag"][3:-1])
        assert last in (version + 1, version + 2)  # one may have been on its way
        history = fhir.get(f"Patient/{name}/_history?_count=1000").json["entry"]
        assert [item["response"]["etag"] for item in history] == [f'W/"{n}"' for n in range(last, 0, -1)]
