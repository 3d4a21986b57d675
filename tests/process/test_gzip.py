"""gzip as clients see it: answers of a node and a gateway that are compressed if they ask, and bodies that come so."""
import gzip
import json
import random
import zlib

import pytest

from exposition import families, value
from gateways import PATIENT, Gateway, call, ward


@pytest.fixture(scope="module")
def scene(consortium):
    folder = ward(consortium, "gz-ward")
    gateway = Gateway(consortium.home("gz-ward"))
    yield gateway, folder
    assert gateway.end() == 0, gateway.log.read_text()


def bundle(count, noise=0):
    """A document of `count` observations, each with so many bytes that do not compress."""
    made = random.Random(count)
    text = lambda: "x" + made.randbytes(noise // 2).hex()
    entry = lambda i: {"resourceType": "Observation", "id": f"o{i}", "status": "final", "code": {"text": text()}}
    whole = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": entry(i)} for i in range(count)]}
    return json.dumps(whole).encode()


def test_json_rpc_is_compressed_for_those_who_ask(start_node):
    node = start_node()
    batch = [{"jsonrpc": "2.0", "id": i, "method": "eth_getBlockByNumber", "params": ["0x0", False]} for i in range(20)]
    ask = lambda what, **fields: call(node.url, "POST", what, Content_Type="application/json", **fields)
    status, headers, plain = ask(batch)
    assert status == 200 and "content-encoding" not in headers
    status, headers, coded = ask(batch, Accept_Encoding="gzip, deflate")
    assert status == 200 and headers["content-encoding"] == "gzip" and headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(coded) == plain and len(coded) < len(plain) / 3
    assert "content-encoding" not in ask(batch, Accept_Encoding="gzip;q=0")[1]
    assert "content-encoding" not in ask(batch[0] | {"method": "eth_chainId", "params": []}, Accept_Encoding="gzip")[1]
    status, headers, body = ask(gzip.compress(json.dumps(batch).encode()), Content_Encoding="gzip")
    assert status == 415 and json.loads(body)["code"] == "content-encoding" and headers["accept-encoding"] == "identity"


def test_a_record_goes_in_and_comes_out_compressed(scene):
    gateway, folder = scene
    document = bundle(300)
    status, headers, body = gateway.post(folder, gzip.compress(document), Content_Encoding="gzip", Idempotency_Key="z")
    assert status == 201, body
    path = headers["location"]
    # It is the same request as the plain one.
    again = gateway.post(folder, document, Idempotency_Key="z")
    assert again[1]["idempotent-replayed"] == "true" and again[2] == body
    plain = gateway.call(path)
    coded = gateway.call(path, Accept_Encoding="gzip")
    assert "content-encoding" not in plain[1] and coded[1]["content-encoding"] == "gzip"
    assert gzip.decompress(coded[2]) == plain[2] and len(plain[2]) > 10 * len(coded[2])
    assert plain[1]["vary"] == coded[1]["vary"] == "Accept-Encoding"
    assert gateway.call(path, "HEAD", Accept_Encoding="gzip")[1]["content-encoding"] == "gzip"
    status, headers, text = gateway.call("/metrics", Accept_Encoding="gzip")
    assert value(families(gzip.decompress(text).decode()), "records_added_total") >= 1


def test_large_compressed_documents_have_their_limits(scene):
    gateway, folder = scene
    post = lambda body, coding="gzip": gateway.post(folder, body, Content_Encoding=coding)
    code = lambda answer: (answer[0], json.loads(answer[2])["code"])
    large = bundle(40, 300_000)  # over the usual limit of a body, so that it takes one of the places of large ones
    assert len(large) > 6 << 20 and post(gzip.compress(large))[0] == 201
    assert code(post(gzip.compress(b" " * (80 << 20)))) == (413, "too-large")  # by its ratio
    assert code(post(gzip.compress(random.Random(1).randbytes(1 << 14) * (70 << 6)))) == (413, "too-large")  # and its size
    whole = gzip.compress(json.dumps(PATIENT).encode())
    assert code(post(whole[:-1])) == (400, "malformed")
    assert code(post(whole[:-8] + bytes(8))) == (400, "malformed")
    assert code(post(b"no gzip")) == (400, "malformed")
    assert code(post(zlib.compress(whole), "deflate")) == (415, "content-encoding")
    assert code(post(whole, "gzip, gzip")) == (415, "content-encoding")
    assert gateway.call("/metrics", Accept_Encoding="gzip, identity;q=0")[1]["content-encoding"] == "gzip"
    assert code(gateway.call("/livez", Accept_Encoding="identity;q=0")) == (406, "accept-encoding")
    assert post(whole)[0] == 201
