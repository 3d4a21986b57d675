"""The gateway as an organisation's systems see it: records over HTTP, tokens, keys, failures."""
import gzip
import hashlib
import json
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from exposition import families, value
from gateways import PATIENT, Gateway, call, new_token, ward
from machine import Consortium, Refused, binary, cli, free_port, wait_for
from recorder import Recorder
from segments import copies
from test_index import Trade


@pytest.fixture(scope="module")
def scene(consortium):
    folder = ward(consortium, "gw-ward")
    gateway = Gateway(consortium.home("gw-ward"))
    yield gateway, folder
    assert gateway.end() == 0, gateway.log.read_text()


@pytest.fixture
def start_gateway():
    """start_gateway(home, *options) gives a Gateway; all are ended after the test, by their own id."""
    started = []

    def start(*arguments, **more):
        started.append(Gateway(*arguments, **more))
        return started[-1]

    yield start
    for gateway in started:
        gateway.end(signal.SIGKILL)


def code_of(answer):
    status, headers, body = answer
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert problem["status"] == status
    return status, problem["code"]


def test_a_record_is_added_and_its_bytes_come_back(scene):
    gateway, folder = scene
    raw = b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}'
    status, headers, body = gateway.post(folder, raw)
    report = json.loads(body)
    assert status == 201 and report["state"] == "registered" and report["block"] > 0
    record = report["records"][0]["record"]
    assert headers["location"] == f"/records/{record}"
    assert gateway.call(headers["location"] + "?part=1")[2] == raw
    status, headers, body = gateway.call(headers["location"])
    assert status == 200 and headers["content-type"] == "application/fhir+json" and raw in body


def test_a_record_that_the_client_has_is_not_sent_again(scene, consortium):
    gateway, folder = scene
    headers = gateway.post(folder, {**PATIENT, "name": [{"family": "Ångström" * 200}]})[1]
    path = headers["location"]
    status, headers, whole = gateway.call(path)
    etag = headers["etag"]
    assert status == 200 and etag.startswith('"') and headers["accept-ranges"] == "bytes"
    part = gateway.call(path + "?part=1")
    assert part[1]["etag"] != etag
    weak = gateway.call(path, Accept_Encoding="gzip")[1]["etag"]
    assert weak == "W/" + etag
    for tag in (etag, weak, f'"other", {etag}', "*"):
        status, headers, body = gateway.call(path, If_None_Match=tag)
        assert (status, headers["etag"], body) == (304, etag, b"")
    assert gateway.call(path, If_None_Match=part[1]["etag"])[2] == whole
    assert gateway.call(path, If_Match=etag)[2] == whole
    assert code_of(gateway.call(path, If_Match='"other"')) == (412, "precondition")

    assert gateway.call(path, "HEAD", If_None_Match=etag)[0] == 304
    status, headers, body = gateway.call(path, Range="bytes=10-19", If_Range=etag, Accept_Encoding="gzip")
    assert (status, headers["content-range"], body) == (206, f"bytes 10-19/{len(whole)}", whole[10:20])
    assert headers["etag"] == etag and "content-encoding" not in headers
    assert gateway.call(path, Range="bytes=-7")[2] == whole[-7:]
    assert gateway.call(path, Range="bytes=10-19", If_Range='"other"')[2] == whole
    assert code_of(gateway.call(path, Range="bytes=100000-")) == (416, "range")


def test_a_large_record_is_the_same_in_all_its_forms(scene):
    gateway, folder = scene
    entry = lambda i: {"resourceType": "Observation", "id": f"{i:08d}-0000-0000-0000-000000000000", "status": "final",
                       "code": {"text": hashlib.sha256(b"%d" % i).hexdigest() * (1 + i % 7 * 500)}}
    document = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": entry(i)} for i in range(40)]}).encode()
    assert len(document) > 3 << 20
    status, headers, body = gateway.post(folder, document)
    assert status == 201, body
    path = headers["location"]
    status, headers, whole = gateway.call(path)
    assert status == 200 and int(headers["content-length"]) == len(whole)
    bundle = json.loads(whole)
    assert [e["resource"] for e in bundle["entry"]] == [entry(i) for i in range(40)]
    assert bundle["entry"][3]["fullUrl"] == "urn:uuid:" + entry(3)["id"]
    assert gzip.decompress(gateway.call(path, Accept_Encoding="gzip")[2]) == whole
    head = gateway.call(path, "HEAD")
    assert head[1]["content-length"] == headers["content-length"] and head[2] == b""
    for first, last in ((0, len(whole) - 1), (1, 1 << 20), (len(whole) - 400000, len(whole) - 1), (70, 90),
                        (1 << 19, (1 << 19) + (1 << 18)), (len(whole) - 1, len(whole))):
        status, headers, part = gateway.call(path, Range=f"bytes={first}-{last}")
        assert status == 206 and part == whole[first:last + 1]
    assert gateway.call(path + "?part=7")[2] == json.dumps(entry(6)).encode()


def test_a_304_is_as_hard_to_get_as_the_record(scene, consortium):
    gateway, folder = scene
    record = json.loads(gateway.post(folder)[2])["records"][0]["record"]
    etag = gateway.call(f"/records/{record}")[1]["etag"]
    writer = new_token(gateway.tokens, "etag-writer", "write")
    gateway.process.send_signal(signal.SIGHUP)
    refusal = lambda: gateway.call(f"/records/{record}", token=writer, If_None_Match=etag)
    wait_for(lambda: refusal()[0] != 401)
    assert code_of(refusal()) == (403, "rights")
    order = consortium.folder / "gw-erase.json"
    consortium.run("gw-ward-patient", "record", "erase", record, "--out", order)
    consortium.actor("gw-relay", "hospital")  # the gateway has the ward's home
    consortium.run("gw-relay", "relay", order)
    assert code_of(gateway.call(f"/records/{record}", If_None_Match=etag)) == (404, "not-found")


def test_a_document_of_two_patients_takes_two_folders(scene, consortium):
    gateway, folder = scene
    second = ward(consortium, "gw-second")
    path = consortium.folder / "gw-share.json"
    consortium.run(
        "gw-second-patient",
        "share",
        "--folder",
        second,
        "--with",
        consortium.accounts["gw-ward"],
        "--rights",
        "write",
        "--days",
        5,
        "--out",
        path,
    )
    consortium.run("gw-second", "relay", path)
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {**PATIENT, "id": name}} for name in "ab"],
    }
    assert code_of(gateway.post(folder, bundle)) == (422, "document")
    status, _, body = gateway.post(f"{folder},{second}", bundle)
    assert status == 201 and [r["folder"] for r in json.loads(body)["records"]] == [folder, second]


def test_without_a_token_there_is_no_data(scene):
    gateway, folder = scene
    for path, method in (
        ("/records/0x" + "11" * 32, "GET"),
        ("/records?folder=" + folder, "POST"),
        ("/metrics", "GET"),
        ("/nope", "GET"),
    ):
        for field in ({}, {"Authorization": "Bearer xinglin_wrong"}, {"Authorization": "Basic YTpi"}):
            body = b"{}" if method == "POST" else None
            answer = call(gateway.url + path, method, body, Content_Type="application/json", **field)
            assert code_of(answer) == (401, "token")
            assert answer[1]["www-authenticate"].startswith("Bearer")
    assert call(gateway.url + "/livez")[0] == 200


def test_a_token_may_do_what_its_rights_say_and_a_reload_changes_them(scene):
    gateway, folder = scene
    before, said = gateway.tokens.read_text(), len(gateway.log.read_text())
    reader = new_token(gateway.tokens, "reader", "read")
    writer = new_token(gateway.tokens, "writer", "write")
    assert reader not in gateway.tokens.read_text()
    assert gateway.call("/metrics", token=reader)[0] == 401  # not reloaded yet
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.call("/metrics", token=reader)[0] == 403)
    record = json.loads(gateway.post(folder)[2])["records"][0]["record"]
    answer = gateway.call(f"/records/{record}", token=reader)
    assert answer[0] == 200, gateway.log.read_text()
    assert code_of(gateway.call(f"/records/{record}", token=writer)) == (403, "rights")
    post = gateway.call(f"/records?folder={folder}", "POST", PATIENT, token=reader, Content_Type="application/json")
    assert code_of(post) == (403, "rights")
    log = lambda: gateway.log.read_text()[said:]
    count = len(gateway.tokens.read_text().splitlines())
    wait_for(lambda: f"tokens are taken tokens={count} " in log() and " reloaded\n" in log())
    gateway.tokens.write_text("broken line")
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "reloaded in part" in log())
    assert "the tokens stay as they were" in log() and log().count(" reloaded\n") == 1
    assert gateway.call(f"/records/{record}", token=reader)[0] == 200
    gateway.tokens.write_text("")
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.call(f"/records/{record}", token=reader)[0] == 401)
    wait_for(lambda: "the file of tokens holds none: nobody may ask" in log())
    gateway.tokens.write_text(before)
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.call("/metrics")[0] == 200)


def test_refusals_have_stable_codes(scene, consortium):
    gateway, folder = scene
    stranger = ward(consortium, "gw-stranger")
    record = "0x" + "22" * 32
    document = consortium.folder / "gw-stranger.json"
    document.write_text(json.dumps(PATIENT))
    foreign = consortium.run("gw-stranger", "record", "add", document, "--folder", stranger)["records"][0]["record"]
    cases = [
        (gateway.call(f"/records/{foreign}"), (403, "no-window")),
        (gateway.post("0x" + "11" * 32), (404, "not-found")),
        (gateway.post(stranger), (403, "not-allowed-to-write")),
        (gateway.post("0x12"), (422, "document")),
        (gateway.call("/records", "POST", PATIENT, Content_Type="application/json"), (422, "document")),
        (gateway.post(folder, b"{"), (422, "document")),
        (gateway.post(folder, {"resourceType": "Nope"}), (422, "document")),
        (gateway.post(folder, b"x", Content_Type="text/plain"), (415, "content-type")),
        (gateway.call("/records/12"), (400, "id")),
        (gateway.call(f"/records/{record}?part=0"), (400, "part")),
        (gateway.call(f"/records/{record}?part=x"), (400, "part")),
        (gateway.call(f"/records/{record}?part=1&part=2"), (400, "part")),
        (gateway.post(f"{folder}&folder={stranger}"), (422, "document")),
        (gateway.call(f"/records/{record}"), (404, "not-found")),
        (gateway.call("/nothing"), (404, "not-found")),
        (gateway.call("/records", "DELETE"), (405, "method")),
        (gateway.post(folder, Idempotency_Key="k" * 256), (400, "idempotency-key")),
    ]
    for i, (answer, wanted) in enumerate(cases):
        assert code_of(answer) == wanted, f"case {i}: {answer}"
        assert "xinglin " not in json.loads(answer[2])["detail"], "a remedy for the command line"


def test_a_request_with_a_key_is_carried_out_once(scene, consortium):
    gateway, folder = scene
    count = lambda: len(consortium.run("gw-ward", "record", "list", "--folder", folder)["records"])
    before = count()
    first = gateway.post(folder, Idempotency_Key="visit-1")
    again = gateway.post(folder, Idempotency_Key="visit-1")
    assert first[0] == again[0] == 201 and first[2] == again[2] and again[1]["idempotent-replayed"] == "true"
    assert code_of(gateway.post(folder, {**PATIENT, "id": "q"}, Idempotency_Key="visit-1")) == (422, "key-reused")
    gateway.end(signal.SIGKILL)
    gateway.start()
    assert gateway.post(folder, Idempotency_Key="visit-1")[2] == first[2]
    assert count() == before + 1
    # A refusal leaves the key free.
    assert gateway.post(folder, b"{", Idempotency_Key="visit-2")[0] == 422
    assert gateway.post(folder, Idempotency_Key="visit-2")[0] == 201


def test_a_file_of_a_key_that_is_damaged_is_no_fault_of_the_document(scene):
    gateway, folder = scene
    assert gateway.post(folder, Idempotency_Key="damaged")[0] == 201
    name = hashlib.sha256(b"all\ndamaged").hexdigest()
    (gateway.home / "requests" / f"{name}.json").write_text("{")
    assert code_of(gateway.post(folder, Idempotency_Key="damaged")) == (500, "internal")


def test_a_reader_cannot_fill_the_places_of_large_bodies(scene):
    gateway, folder = scene
    reader = new_token(gateway.tokens, "large-reader", "read")
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.call("/metrics", token=reader)[0] == 403)
    head = (f"POST /records?folder={folder} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {reader}\r\nContent-Length: 60000000\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as client:
        client.sendall(head)  # and no body
        assert client.recv(100).startswith(b"HTTP/1.1 403")


def test_slow_clients_do_not_keep_the_places_of_large_bodies(scene):
    gateway, folder = scene
    head = (f"POST /records?folder={folder} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {gateway.token}\r\nContent-Length: 60000000\r\n\r\n").encode()
    large = {**PATIENT, "text": {"status": "generated", "div": "<div>" + "x" * (6 << 20) + "</div>"}}
    clients = [socket.create_connection(("127.0.0.1", gateway.port), timeout=20) for _ in range(4)]
    for client in clients:
        client.sendall(head)  # and no body

    def is_taken():
        try:
            return gateway.post(folder, large)[0] == 201
        except OSError:  # refused and closed before it was all sent
            return False

    try:
        wait_for(is_taken, 40)
    finally:
        for client in clients:
            client.close()


def test_a_request_id_is_taken_over_or_given(scene):
    gateway, _ = scene
    assert call(gateway.url + "/livez", X_Request_Id="abc-1")[1]["x-request-id"] == "abc-1"
    given = call(gateway.url + "/livez", X_Request_Id="a b\x7f")[1]["x-request-id"]
    assert len(given) == 16 and int(given, 16) >= 0
    assert gateway.call("/metrics", X_Request_Id="find-me")[0] == 200
    assert "request=find-me" in gateway.log.read_text()


def test_metrics_are_in_prometheus_format(scene):
    gateway, folder = scene
    assert gateway.post(folder)[0] == 201
    for i in range(20):
        gateway.call(f"/nothing/{i}")
    found = families(gateway.call("/metrics")[2].decode())
    assert value(found, "http_requests_total", route="/records", method="POST", code="201") >= 1
    assert value(found, "http_requests_total", route="none", code="404") >= 20
    assert value(found, "outbox_done_total") >= 1 and value(found, "records_added_total") >= 1
    assert value(found, "node_up") == 1 and value(found, "node_head_block") > 0
    assert value(found, "process_resident_memory_bytes") > 1 << 20
    routes = {labels["route"] for _, labels, _ in found["http_requests_total"][1]}
    assert routes <= {"/records", "/records/{id}", "/livez", "/readyz", "/metrics", "none"}


def test_many_at_once_are_answered_and_merged(scene):
    gateway, folder = scene
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(gateway.post(folder))) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer[0] for answer in answers] == [201] * 32
    assert len({json.loads(answer[2])["records"][0]["record"] for answer in answers}) == 32


# --- what goes wrong around it ---


def test_killed_under_load_it_loses_and_doubles_nothing(consortium, start_gateway):
    folder = ward(consortium, "gw-killed")
    gateway = start_gateway(consortium.home("gw-killed"))
    wanted, done, lock = list(range(60)), {}, threading.Lock()

    def client():
        while True:
            with lock:
                if not wanted:
                    return
                key = wanted.pop()
            try:
                status, _, body = gateway.post(folder, {**PATIENT, "id": f"p{key}"}, Idempotency_Key=f"key-{key}")
            except OSError:
                status, body = 0, b""
            with lock:
                if status in (201, 202):
                    done[key] = json.loads(body)["records"][0]["record"]
                else:
                    wanted.append(key)

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for i in range(3):
        wait_for(lambda: len(done) >= 12 * (i + 1) or not wanted)
        gateway.end(signal.SIGKILL)
        gateway.start(gateway.port)
    for thread in threads:
        thread.join()
    listed = lambda: {r["record"] for r in consortium.run("gw-killed", "record", "list", "--folder", folder)["records"]}
    wait_for(lambda: set(done.values()) <= listed())
    assert len(set(done.values())) == len(done) == 60
    assert listed() == set(done.values())
    again = gateway.post(folder, {**PATIENT, "id": "p7"}, Idempotency_Key="key-7")
    assert again[0] == 201 and json.loads(again[2])["records"][0]["record"] == done[7]


@pytest.fixture
def own(tmp_path):
    """A consortium whose node a test may stop."""
    made = Consortium(tmp_path / "own")
    yield made
    made.node.kill()


def test_a_node_that_goes_away_and_comes_back(own, start_gateway):
    folder = ward(own, "hospital")
    gateway = start_gateway(own.home("hospital"), "--request-ms", 2000)
    assert gateway.post(folder)[0] == 201
    own.node.kill()
    gateway.wait_ready(False)
    assert not gateway.readiness()[1]["node"]["ok"]
    answer = gateway.post(folder, Idempotency_Key="later")
    assert code_of(answer) == (503, "node") and "retry-after" in answer[1]
    own.node.__init__(own.data, "node", port=own.node.port)
    gateway.wait_ready()
    assert gateway.post(folder, Idempotency_Key="later")[0] == 201


def test_a_node_that_comes_later_is_waited_for(own, start_gateway):
    folder = ward(own, "hospital")
    own.node.kill()
    gateway = start_gateway(own.home("hospital"))
    status, checks = gateway.readiness()
    assert status == 503 and not checks["node"]["ok"] and call(gateway.url + "/livez")[0] == 200
    assert code_of(gateway.post(folder)) == (503, "node")
    assert "--rpc" not in gateway.log.read_text()
    own.node.__init__(own.data, "node", port=own.node.port)
    gateway.wait_ready()
    assert gateway.post(folder)[0] == 201
    assert gateway.end() == 0


def test_without_a_node_it_stops_at_once(own, start_gateway):
    ward(own, "hospital")
    own.node.kill()
    gateway = start_gateway(own.home("hospital"))
    assert gateway.end() == 0


def test_the_next_node_is_asked_if_one_does_not_answer(own, start_gateway):
    folder = ward(own, "hospital")
    dead = f"http://127.0.0.1:{free_port()}"
    gateway = start_gateway(own.home("hospital"), "--node", f"{dead},{own.node.url}")
    assert gateway.post(folder)[0] == 201
    status, checks = gateway.readiness()
    assert status == 200 and checks["node"]["detail"] == f"1 of 2 answer; {dead} does not answer"
    found = families(gateway.call("/metrics")[2].decode())
    assert value(found, "node_up", node=dead) == 0 and value(found, "node_up", node=own.node.url) == 1


def test_a_node_of_another_chain_is_not_asked(own, start_node, start_gateway):
    other = start_node().url
    with pytest.raises(AssertionError, match="ended with 3"):
        ward(own, "hospital")
        start_gateway(own.home("hospital"), "--node", other)
    gateway = start_gateway(own.home("hospital"), "--node", f"{other},{own.node.url}")
    found = families(gateway.call("/metrics")[2].decode())
    assert value(found, "node_requests_total", node=other) == 0
    assert "is of another chain" in gateway.readiness()[1]["node"]["detail"]


def test_a_node_with_a_wrong_certificate_is_not_asked(own, start_gateway, tmp_path):
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-keyout",
            tmp_path / "key.pem",
            "-out",
            tmp_path / "cert.pem",
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    received = []

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
                with context.wrap_socket(plain, server_side=True) as secure:
                    received.append(secure.recv(4096))
            except ssl.SSLError:
                continue
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    ward(own, "hospital")
    gateway = start_gateway(own.home("hospital"), "--node", f"https://localhost:{listener.getsockname()[1]}")
    assert not gateway.readiness()[1]["node"]["ok"] and "certificate" in gateway.log.read_text()
    assert gateway.end() == 0
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    assert received == []


def test_a_disk_that_takes_nothing_refuses_and_does_not_lose(own, start_gateway):
    folder = ward(own, "hospital")
    gateway = start_gateway(own.home("hospital"))
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    for _ in range(3):
        status, _, body = gateway.post(folder, Idempotency_Key="full")
        assert status >= 500, body
    gateway.end(signal.SIGKILL)
    gateway.start()
    assert gateway.post(folder, Idempotency_Key="full-2")[0] == 201


def test_a_disk_without_room_is_not_ready(scene, consortium, start_gateway):
    ward(consortium, "gw-full")
    gateway = start_gateway(consortium.home("gw-full"), "--min-free-mb", 1048576)
    status, checks = gateway.readiness()
    assert status == 503 and not checks["disk"]["ok"] and checks["node"]["ok"]


def test_what_is_in_flight_is_answered_before_it_ends(tmp_path, start_gateway):
    slow = Consortium(tmp_path / "slow", node_options=["--block-ms", "700"])
    try:
        folder = ward(slow, "hospital")
        gateway = start_gateway(slow.home("hospital"))
        answers = []
        thread = threading.Thread(target=lambda: answers.append(gateway.post(folder)))
        thread.start()
        wait_for(lambda: value(families(gateway.call("/metrics")[2].decode()), "outbox_in_flight") or answers)
        gateway.process.send_signal(signal.SIGTERM)
        thread.join()
        assert gateway.process.wait(40) == 0, gateway.log.read_text()
        assert answers and answers[0][0] == 201
    finally:
        slow.node.kill()


def test_what_is_not_answered_in_time_is_kept_and_its_key_says_so(tmp_path, start_gateway):
    slow = Consortium(tmp_path / "slow")
    try:
        folder = ward(slow, "hospital")
        slow.node.stop()
        slow.node.__init__(slow.data, "node", "--block-ms", "4000", port=slow.node.port)
        gateway = start_gateway(slow.home("hospital"), "--drain-ms", 0)
        key = lambda i: gateway.post(folder, Idempotency_Key=f"key-{i}")
        told = []
        threads = [threading.Thread(target=lambda i=i: told.append(key(i))) for i in range(8)]
        for thread in threads:
            thread.start()
        metric = lambda name: value(families(gateway.call("/metrics")[2].decode()), name)
        wait_for(lambda: metric("records_added_total") + metric("outbox_waiting") >= 8)
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(20) == 0, gateway.log.read_text()
        for thread in threads:
            thread.join()
        gateway.start()
        assert all(status == 202 for status, _, _ in told)
        answers = [key(i) for i in range(8)]
        assert all(status in (201, 202) and headers["idempotent-replayed"] == "true" for status, headers, _ in answers)
        wanted = {json.loads(body)["records"][0]["record"] for _, _, body in answers}
        assert len(wanted) == 8
        assert wanted == {json.loads(body)["records"][0]["record"] for _, _, body in told}
        assert {headers["location"] for _, headers, _ in told} == {f"/records/{record}" for record in wanted}
        listed = lambda: {r["record"] for r in slow.run("hospital", "record", "list", "--folder", folder)["records"]}
        wait_for(lambda: wanted == listed())
    finally:
        slow.node.kill()


@pytest.fixture
def slow(tmp_path):
    """slow(block_ms) gives a consortium whose node makes a block every so often, a folder, and its hospital's home."""
    made = Consortium(tmp_path / "slow")

    def start(block_ms):
        folder = ward(made, "hospital")
        made.node.stop()
        made.node.__init__(made.data, "node", "--block-ms", str(block_ms), port=made.node.port)
        return made, folder, made.home("hospital")

    yield start
    made.node.kill()


def test_a_record_that_is_in_no_block_yet_is_accepted_and_then_there(slow, start_gateway):
    _, folder, home = slow(4000)
    gateway = start_gateway(home, "--request-ms", 1000)
    status, headers, body = gateway.post(folder, Idempotency_Key="k")
    assert status == 202 and json.loads(body)["state"] == "accepted"
    record = json.loads(body)["records"][0]["record"]
    status, _, body = gateway.call(headers["location"])
    assert status == 202 and json.loads(body) == {"record": record, "state": "accepted"}
    gateway.end(signal.SIGKILL)
    gateway.start()
    again = gateway.post(folder, Idempotency_Key="k")
    assert again[0] == 202 and json.loads(again[2])["records"][0]["record"] == record
    wait_for(lambda: gateway.call(headers["location"])[0] == 200)
    again = gateway.post(folder, Idempotency_Key="k")
    assert again[0] == 201 and json.loads(again[2])["state"] == "registered"
    assert json.loads(again[2])["records"][0]["record"] == record
    assert gateway.post(folder, Idempotency_Key="k")[2] == again[2]


def test_what_the_chain_refuses_after_a_202_can_be_learnt(own, start_gateway):
    folder = ward(own, "hospital")
    own.actor("courier", "hospital")
    proxy = Recorder(own.node.port)
    gateway = start_gateway(own.home("hospital"), "--request-ms", 1000, "--node", proxy.url)
    proxy.before = lambda _, body: 500 if b"eth_sendRawTransaction" in body else None
    status, headers, _ = gateway.post(folder, Idempotency_Key="k")
    assert status == 202 and gateway.call(headers["location"])[0] == 202
    record = headers["location"].rsplit("/", 1)[1]
    assert record in copies(gateway.home)
    path = own.folder / "revoke.json"
    own.run("hospital-patient", "revoke", "--folder", folder, "--from", own.accounts["hospital"], "--out", path)
    own.run("courier", "relay", path)
    proxy.before = None
    refusal = (403, "not-allowed-to-write")
    wait_for(lambda: gateway.call(headers["location"])[0] != 202)
    assert code_of(gateway.call(headers["location"])) == refusal
    wait_for(lambda: record not in copies(gateway.home))
    gateway.end(signal.SIGKILL)
    gateway.start()
    assert code_of(gateway.call(headers["location"])) == refusal
    assert code_of(gateway.post(folder, Idempotency_Key="k")) == refusal
    proxy.close()


def test_a_node_that_hangs_does_not_keep_a_client_from_its_202(slow, start_gateway):
    made, folder, home = slow(5000)
    gateway = start_gateway(home, "--request-ms", 2000)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(gateway.post(folder)))
    thread.start()
    wait_for(lambda: value(families(gateway.call("/metrics")[2].decode()), "outbox_in_flight") or answers)
    made.node.process.send_signal(signal.SIGSTOP)
    thread.join()
    made.node.process.send_signal(signal.SIGCONT)
    assert answers[0][0] == 202


def test_the_chain_is_followed_in_the_background(own, start_gateway):
    trade = Trade(own)
    (scan,) = trade.commission(trade.lot(), 1)
    trade.run("maker", "pack", "trace", scan)  # what the index follows from now on
    proxy = Recorder(own.node.port)
    gateway = start_gateway(own.home("ix-maker"), "--node", proxy.url)
    behind = lambda: value(families(gateway.call("/metrics")[2].decode()), "index_behind_blocks")
    assert gateway.readiness()[1]["index"]["ok"]
    proxy.before = lambda _, body: 500 if b"eth_getLogs" in body else None
    for i in range(3):
        own.actor(f"behind-{i}", "professional")  # a block each; the gateway's own writes prove what they stand on
    wait_for(lambda: behind() >= 3)
    assert gateway.readiness()[1]["index"]["ok"]

    def far_ahead(_, body):
        answer = json.loads(body)
        for part in answer if isinstance(answer, list) else []:
            if part["id"] == 3:  # eth_blockNumber, of the question whether the node answers
                part["result"] = "0x2000"
        return json.dumps(answer).encode()

    proxy.change = far_ahead
    wait_for(lambda: not gateway.readiness()[1]["index"]["ok"])
    assert gateway.readiness()[0] == 503
    proxy.before = proxy.change = None
    wait_for(lambda: behind() == 0)
    gateway.wait_ready()
    proxy.close()


def test_what_is_abandoned_is_logged_as_the_request_that_it_was(tmp_path, start_gateway):
    stuck = Consortium(tmp_path / "stuck")
    try:
        folder = ward(stuck, "hospital")
        gateway = start_gateway(stuck.home("hospital"), "--drain-ms", 0)
        record = json.loads(gateway.post(folder)[2])["records"][0]["record"]
        answers = []
        ask = lambda: answers.append(gateway.call(f"/records/{record}", X_Request_Id="lost-1"))
        running = lambda: value(families(gateway.call("/metrics")[2].decode()), "workers_running")
        stuck.node.process.send_signal(signal.SIGSTOP)
        thread = threading.Thread(target=ask)
        thread.start()
        wait_for(running)
        gateway.process.send_signal(signal.SIGTERM)
        thread.join()
        assert code_of(answers[0]) == (503, "busy") and answers[0][1]["x-request-id"] == "lost-1"
        assert re.search(r"request=lost-1 method=GET route=/records/\{id\} status=503 .*token=all", gateway.log.read_text())
    finally:
        stuck.node.kill()


def test_a_second_program_cannot_use_the_home(scene, consortium):
    gateway, folder = scene
    document = consortium.folder / "gw-second-program.json"
    document.write_text(json.dumps(PATIENT))
    with pytest.raises(Refused) as refused:
        consortium.run("gw-ward", "record", "add", document, "--folder", folder)
    assert refused.value.code == 1 and str(gateway.process.pid) in refused.value.stderr


def test_a_gateway_serves_as_trustee(own, start_gateway):
    for name, roles in (("hospital", "hospital"), ("trustee", "trustee"), ("er", "hospital,emergency")):
        own.actor(name, roles)
    own.new_home("patient")
    path = own.folder / "open.json"
    folder = own.run("patient", "folder", "open", "--label", "general", "--glass-minutes", 60, "--trustee",
                     own.accounts["trustee"], "--out", path)["folder"]
    own.run("hospital", "relay", path)
    gateway = start_gateway(own.home("trustee"), "--trustee", "--trustee-every-ms", 100)
    report = own.run("er", "break-glass", "--folder", folder, "--reason", "unconscious", "--wait", 30)
    assert report["keyReleased"]
    assert gateway.end() == 0


def test_neither_secrets_nor_content_reach_the_log(consortium, start_gateway):
    folder = ward(consortium, "gw-quiet")
    gateway = start_gateway(consortium.home("gw-quiet"), "--log-level", "debug", "--log-format", "json")
    planted = {**PATIENT, "name": [{"family": "Zebediahquux"}], "birthDate": "1902-03-04"}
    assert gateway.post(folder, planted, Idempotency_Key="keyword-xyzzy")[0] == 201
    record = json.loads(gateway.post(folder, planted)[2])["records"][0]["record"]
    assert gateway.call(f"/records/{record}")[0] == 200
    assert gateway.post(folder, b'{"resourceType":"Zebediahquux"}')[0] == 422
    assert gateway.call("/records/Zebediahquux?x=Zebediahquux")[0] == 400
    assert call(gateway.url + "/records/x", Authorization="Bearer planted-token")[0] == 401
    assert gateway.end() == 0
    log = gateway.log.read_text()
    for word in ("Zebediahquux", "1902-03-04", "keyword-xyzzy", "open sesame", gateway.token, "planted-token"):
        assert word not in log
    lines = [json.loads(line) for line in log.splitlines()]
    assert all({"time", "level", "module", "message"} <= line.keys() for line in lines)
    assert any(
        line["message"] == "request" and line["route"] == "/records" and line["token"] == "all" for line in lines
    )


def test_dev_with_a_gateway_serves_https_if_it_is_asked_to(start_node, tmp_path):
    node = start_node(tmp_path / "dev", "dev", "--gateway", "--gateway-tls")
    started = node.started
    assert started["gateway"].startswith("https://127.0.0.1:") and started["rpc"].startswith("http://")
    port = int(started["gateway"].rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=started["certificate"])
    for name in ("localhost", "127.0.0.1", "::1"):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
            with context.wrap_socket(plain, server_hostname=name) as secure:
                request = f"GET /livez HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
                secure.sendall(request.encode())
                assert secure.recv(100).startswith(b"HTTP/1.1 200")
    with pytest.raises(ssl.SSLError):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    shown = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", started["certificate"],
                            started["certificate"]], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    with pytest.raises(Refused) as refused:
        cli("dev", "--bare", "--gateway-tls", "--http-port", 0)
    assert refused.value.code == 2


def test_dev_has_a_gateway_unless_it_is_told_otherwise(tmp_path):
    def started(*options):
        process = subprocess.Popen([binary(), "dev", "--http-port", "0", "--json", *options], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        report = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        process.stdout.close()
        return report

    full = started("--data", str(tmp_path / "full"))
    assert full["fhir"] == full["gateway"] + "/fhir" and full["token"] and full["folder"] and full["rpc"]
    assert started("--data", str(tmp_path / "full"))["gtin"] == full["gtin"] == "09506000134352"
    bare = started("--data", str(tmp_path / "bare"), "--bare")
    assert set(bare) == {"rpc", "sealer", "head"} and bare["head"] == 0
    assert "fhir" not in started("--data", str(tmp_path / "bare")), "a chain that began without a gateway has none"


def test_packs_of_the_product_of_dev_are_commissioned(start_node, tmp_path):
    node = start_node(tmp_path / "dev", "dev", "--gateway")
    home = shutil.copytree(tmp_path / "dev/gateway/home", tmp_path / "home")  # the gateway holds its own
    born = cli("pack", "commission", "--gtin", node.started["gtin"], "--lot", "L1", "--expiry", "2030-06-30", "--count", 2,
               "--home", home, "--rpc", node.started["rpc"],
               env={"XINGLIN_PASSWORD": (tmp_path / "dev/gateway/password").read_text()})
    assert len(born["units"]) == 2


def test_dev_with_a_gateway_is_ready_for_a_client(start_node, tmp_path):
    node = start_node(tmp_path / "dev", "dev", "--gateway")
    started = node.started
    post = lambda: call(f"{started['gateway']}/records?folder={started['folder']}", "POST", PATIENT,
                        Authorization=f"Bearer {started['token']}", Content_Type="application/fhir+json")
    assert post()[0] == 201 and node.head() > 0
    block = node.rpc("eth_getBlockByNumber", "latest", False)
    assert node.stop() == 0
    node = start_node(tmp_path / "dev", "dev", "--gateway")
    started = node.started
    assert int(node.rpc("eth_getBlockByNumber", "latest", False)["number"], 16) == int(block["number"], 16)
    assert post()[0] == 201
    with pytest.raises(Refused):
        cli("gateway", "token", "new", "dev", "--rights", "fly", "--tokens", tmp_path / "t")
