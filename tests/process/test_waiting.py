"""A thousand requests that wait for a block: they cost no threads, hold up nobody, and each gets its answer."""
import json
import os
import select
import socket

from exposition import families, value
from gateways import PATIENT, call
from machine import rpc, wait_for

COUNT = 1000  # of the gateway's 1,024 places


def send_waiting(started, count):
    """Connections that each sent a record and have read nothing."""
    body = json.dumps(PATIENT).encode()
    request = (f"POST /records?folder={started['folder']} HTTP/1.1\r\nHost: localhost\r\n"
               f"Authorization: Bearer {started['token']}\r\nContent-Type: application/fhir+json\r\n"
               f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode() + body
    port = int(started["gateway"].rsplit(":", 1)[1])
    connections = []
    for _ in range(count):
        connections.append(socket.create_connection(("127.0.0.1", port), timeout=60))
        connections[-1].sendall(request)
    return connections


def answered(connections):
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLIN)
    return len(poll.poll(0))


def read_all(connection):
    with connection:
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    head, body = b"".join(pieces).split(b"\r\n\r\n", 1)
    return int(head.split()[1]), json.loads(body)


def metric(started, name):
    text = call(started["gateway"] + "/metrics", Authorization=f"Bearer {started['token']}")[2].decode()
    return value(families(text), name)


def thread_count(node):
    return len(os.listdir(f"/proc/{node.process.pid}/task"))


def test_a_thousand_wait_without_threads_and_json_rpc_answers_meanwhile(start_node, tmp_path):
    node = start_node(tmp_path / "dev", "dev", "--gateway")
    started, threads = node.started, thread_count(node)
    node.rpc("anvil_setAutomine", False)
    connections = send_waiting(started, COUNT)
    wait_for(lambda: metric(started, "outbox_waiting") == COUNT, 30)
    assert answered(connections) == 0
    assert thread_count(node) < threads + COUNT / 10  # none for a request that waits
    for _ in range(200):
        assert rpc(started["rpc"], "eth_chainId") == "0x7a69"
    assert answered(connections) == 0
    node.rpc("anvil_setAutomine", True)
    node.rpc("evm_mine")
    answers = [read_all(connection) for connection in connections]
    assert {status for status, _ in answers} <= {201, 202}  # 202: the machine took 30 s for the rest
    assert len({body["records"][0]["record"] for _, body in answers}) == COUNT
    wait_for(lambda: metric(started, "outbox_done_total") == COUNT)
