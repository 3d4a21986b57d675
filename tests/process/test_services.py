"""What every service has: settings, signals, the service manager, health, metrics, units and the package."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from exposition import families, value
from gateways import call
from machine import ROOT, binary, cli, free_port, wait_for


def check(path):
    done = subprocess.run([binary(), "config", "check", str(path)], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_the_sample_file_has_no_mistake_and_changes_nothing(tmp_path):
    path = tmp_path / "x.conf"
    path.write_text(subprocess.run([binary(), "config", "sample"], capture_output=True, text=True, check=True).stdout)
    assert check(path) == (0, "the configuration has no mistakes\n")
    assert all(line.startswith(("#", "[")) or not line for line in path.read_text().splitlines())


def test_ten_mistakes_are_reported_at_once(tmp_path):
    secret = tmp_path / "tokens"
    secret.write_text("")
    secret.chmod(0o644)
    path = tmp_path / "x.conf"
    path.write_text(f"""\
[node]
http_port = 8545
metrics-addr = localhost
memory-mb = 4
block-ms = soon
log-level = loud
http-port = 8600
http-port = 8601
[gatway]
[gateway]
password-file = /nowhere/password
tokens = {secret}
node = ftp://node:1
just words
""")
    code, out = check(path)
    assert code == 2
    wanted = [
        (2, "no setting http_port; did you mean http-port?"),
        (3, "numeric address"),
        (4, "takes 16 to 1048576"),
        (5, "whole number"),
        (6, "one of debug"),
        (8, "given twice, first in line 7"),
        (9, "no section [gatway]; did you mean"),
        (11, "cannot be read"),
        (12, "read by others than its owner (mode 644)"),
        (13, "http://"),
        (14, "not a comment"),
        ("", "http-port of [gateway] is 8600, and so is http-port of [node]"),
    ]
    for line, text in wanted:
        assert any(
            text in row and row.startswith(f"{path}:{line}" if line else f"{path}") for row in out.splitlines()
        ), text
    assert out.endswith(f"{len(wanted)} mistakes\n")


def test_a_flag_wins_over_the_environment_over_the_file(tmp_path, start_node, monkeypatch):
    path = tmp_path / "x.conf"
    path.write_text("[node]\nrpc-gascap = 30000\nlog-level = debug\nlog-format = json\n")
    monkeypatch.setenv("XINGLIN_NODE_RPC_GASCAP", "40000")
    monkeypatch.setenv("XINGLIN_NODE_MEMORY_MB", "17")
    node = start_node(None, "dev", "--config", str(path), "--memory-mb", "18")
    assert int(node.rpc("eth_estimateGas", {"to": "0x" + "11" * 20, "gas": "0x100000"}), 16) == 21000
    assert node.stop() == 0
    assert all(json.loads(line)["level"] for line in node.log.read_text().splitlines())
    monkeypatch.setenv("XINGLIN_NODE_MEMORY_MB", "x")
    done = subprocess.run(
        [binary(), "node", "--config", str(path), "--data", str(tmp_path / "no")], capture_output=True, text=True
    )
    assert done.returncode == 2 and "XINGLIN_NODE_MEMORY_MB: memory-mb takes a whole number" in done.stderr


def test_a_mistyped_variable_is_a_mistake_with_a_proposal(tmp_path, monkeypatch):
    monkeypatch.setenv("XINGLIN_NODE_HTTP_PORTS", "sesame")
    monkeypatch.setenv("XINGLIN_GATEWAY_HTTP_PORTS", "1")  # of another service
    done = subprocess.run([binary(), "node", "--data", str(tmp_path / "no")], capture_output=True, text=True)
    assert done.returncode == 2 and "sesame" not in done.stderr and "GATEWAY" not in done.stderr
    assert "XINGLIN_NODE_HTTP_PORTS: [node] has no such setting; did you mean XINGLIN_NODE_HTTP_PORT?" in done.stderr


def test_a_pipe_is_no_configuration_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    code, out = check(tmp_path / "pipe")
    assert code == 2 and "it is not a file" in out


def test_a_reload_changes_what_may_and_names_what_may_not(tmp_path, start_node):
    path = tmp_path / "x.conf"
    path.write_text("[node]\nmin-free-mb = 1\n")
    node = start_node(None, "dev", "--config", str(path))
    assert call(node.url + "/readyz")[0] == 200
    path.write_text("[node]\nmin-free-mb = 1048576\nmemory-mb = 300\n")
    node.process.send_signal(signal.SIGHUP)
    wait_for(lambda: call(node.url + "/readyz")[0] == 503)
    assert "memory-mb changed, and that needs a restart" in node.log.read_text()
    path.write_text("[node]\nmin-free-mb = x\nbogus = 1\n")
    node.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "nothing was changed, because of 2 mistakes" in node.log.read_text())
    assert f"{path}:2: min-free-mb takes a whole number" in node.log.read_text()
    assert call(node.url + "/readyz")[0] == 503
    assert node.log.read_text().count(" reloaded") == 1
    assert node.stop() == 0


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path, monkeypatch):
    """A socket as the service manager's; what was said is in `heard`."""
    name = str(tmp_path / "notify") if request.param == "path" else f"\0xinglin-test-{os.getpid()}-{tmp_path.name}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(name)
    listener.settimeout(20)
    monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
    yield listener
    listener.close()


def hear(listener, wanted):
    for _ in range(50):
        said = listener.recv(4096).decode()
        if said.startswith(wanted):
            return said
    raise AssertionError(f"never heard {wanted}")


def test_the_service_manager_hears_how_it_is(manager, start_node, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    node = start_node()
    hear(manager, "READY=1")
    hear(manager, "WATCHDOG=1")
    node.process.send_signal(signal.SIGHUP)
    assert re.search(r"MONOTONIC_USEC=\d+", hear(manager, "RELOADING=1"))
    hear(manager, "READY=1")
    node.process.send_signal(signal.SIGTERM)
    hear(manager, "STOPPING=1")
    assert node.process.wait(30) == 0


def test_a_node_counts_in_prometheus_format(start_node):
    port = free_port()
    node = start_node(None, "dev", "--metrics-port", str(port))
    accounts = node.rpc("eth_accounts")
    node.receipt(node.rpc("eth_sendTransaction", {"from": accounts[0], "to": accounts[1], "value": "0x1"}))
    for i in range(30):
        call(f"{node.url}/{i}")
    status, headers, body = call(f"http://127.0.0.1:{port}/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    found = families(body.decode())
    assert value(found, "chain_head_block") == 1 and value(found, "txpool_pending") == 0
    assert value(found, "http_requests_total", route="/", method="POST", code="200") >= 3
    assert value(found, "http_requests_total", route="none", code="404") == 30
    assert len(found["http_requests_total"][1]) < 10
    assert call(f"{node.url}/metrics")[0] == 404
    assert call(f"http://127.0.0.1:{port}/livez")[2] == b"ok\n"


# --- units and the package ---

UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_valid_and_hardened(unit, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/usr/bin/xinglin", binary()))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert complaints == []
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", str(unit)], capture_output=True, text=True, check=True
    )
    level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)[1])
    assert level <= 2.0


def sections_of(unit):
    rows = [line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return {key: value for key, value in rows}


def test_the_package_installs_upgrades_and_goes(tmp_path):
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "systemd-sysusers"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    if os.geteuid() != 0:
        pytest.skip("dpkg installs as root only")
    make = lambda: subprocess.run([str(ROOT / "tools/make-package")], capture_output=True, text=True, check=True,
                                  env={**os.environ, "XINGLIN": binary(), "OUT": str(tmp_path)}).stdout.strip()
    package = make()
    fields = subprocess.run(["dpkg-deb", "-f", package], capture_output=True, text=True, check=True).stdout
    assert "librocksdb" in fields and "libinih1" in fields
    root = tmp_path / "root"
    for folder in ("var/lib/dpkg/updates", "var/lib/dpkg/info", "etc"):
        (root / folder).mkdir(parents=True)
    for file in ("var/lib/dpkg/status", "var/lib/dpkg/available", "etc/passwd", "etc/group"):
        (root / file).touch()
    dpkg = lambda *more: subprocess.run(
        ["dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends", "--log=/dev/null", *more],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "DPKG_FRONTEND_LOCKED": ""},
    )
    dpkg("-i", package)
    assert (
        "xinglin-node" in (root / "etc/passwd").read_text() and "xinglin-gateway" in (root / "etc/passwd").read_text()
    )
    conf = root / "etc/xinglin/xinglin.conf"
    assert "data = /var/lib/xinglin-node" in conf.read_text()
    assert "data = /var/lib/xinglin-witness" in conf.read_text().split("[witness]")[1]
    assert os.access(root / "usr/bin/xinglin", os.X_OK)
    for unit in UNITS:
        assert (root / "lib/systemd/system" / unit.name).exists()
    # An upgrade keeps what the operator wrote.
    conf.write_text(conf.read_text() + "# mine\n")
    (root / "var/lib/xinglin-node").mkdir()
    dpkg("-i", "--force-confold", package)
    assert conf.read_text().endswith("# mine\n")
    dpkg("-r", "xinglin")
    assert not (root / "usr/bin/xinglin").exists() and conf.exists()
    dpkg("-P", "xinglin")
    left = [path for path in root.rglob("*xinglin*") if "var/lib/dpkg" not in str(path)]
    assert left == [root / "var/lib/xinglin-node"]


def test_a_unit_starts_as_a_runner_reads_it(tmp_path, consortium, request, manager, monkeypatch):
    """ExecStart, credentials and the notify socket as the units say, without a service manager."""
    unit = sections_of(ROOT / "deploy/systemd/xinglin-node.service")
    assert unit["Type"] == "notify" and unit["ExecReload"] == "/bin/kill -HUP $MAINPID"
    conf = tmp_path / "xinglin.conf"
    conf.write_text(f"[node]\ndata = {tmp_path / 'data'}\nhttp-port = 0\n")
    cli("init", "--data", tmp_path / "data", "--deployer", "0x" + "11" * 20)
    command = (
        unit["ExecStart"].replace("/usr/bin/xinglin", binary()).replace("/etc/xinglin/xinglin.conf", str(conf)).split()
    )
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    hear(manager, "READY=1")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    gateway = sections_of(ROOT / "deploy/systemd/xinglin-gateway.service")
    name, source = gateway["LoadCredential"].split(":")
    assert source == gateway["ConditionPathExists"] == "/etc/xinglin/gateway.password"
    actor = "unit-gateway-" + request.node.callspec.params["manager"]
    consortium.actor(actor, "hospital")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / name).write_text("open sesame\n")
    (credentials / name).chmod(0o440)
    cli("gateway", "token", "new", "all", "--rights", "all", "--tokens", tmp_path / "tokens")
    conf.write_text(f"[gateway]\nhome = {consortium.home(actor)}\ntokens = {tmp_path / 'tokens'}\nhttp-port = 0\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    command = (
        gateway["ExecStart"]
        .replace("/usr/bin/xinglin", binary())
        .replace("/etc/xinglin/xinglin.conf", str(conf))
        .split()
    )
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    hear(manager, "READY=1")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
