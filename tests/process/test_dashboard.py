"""The dashboard of deploy/grafana: a packaged Prometheus (Debian's, or PROMETHEUS) that scrapes a member answers each
of its queries, and with something."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from consortia import FUNDED, running
from machine import ROOT, free_port, wait_for

DASHBOARD = json.loads((ROOT / "deploy/grafana/consortium.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Asks Prometheus; None while it does not answer."""
    program = os.environ.get("PROMETHEUS") or shutil.which("prometheus") or pytest.skip("prometheus is not installed")
    folder, metrics, port = pathlib.Path(tmp_path_factory.mktemp("p")), free_port(), free_port()
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: xinglin, static_configs: [{{targets: ['127.0.0.1:{metrics}']}}]}}]\n")
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setenv("XINGLIN_NODE_METRICS_PORT", str(metrics))
        (member,) = stack.enter_context(running(folder / "n", 1))
        member.receipt(member.send(FUNDED[0], 0))
        server = subprocess.Popen([program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                   f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)

        def answer(query):
            url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
            try:
                with urllib.request.urlopen(url, timeout=20) as found:
                    return json.load(found)["data"]["result"]
            except urllib.error.HTTPError as refused:
                assert refused.code == 503, f"{query}: {refused.read().decode()}"
            except OSError:
                pass
            return None  # it starts

        yield answer
        server.kill()
        server.wait()


@pytest.mark.parametrize("query", QUERIES)
def test_prometheus_answers_it(ask, query):
    wait_for(lambda: ask(query), 60)


def test_every_panel_has_a_place_of_its_own():
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places) == len({panel["id"] for panel in DASHBOARD["panels"]})
    assert all(panel["title"] and panel["targets"] for panel in DASHBOARD["panels"])
