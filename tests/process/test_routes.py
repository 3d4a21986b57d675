"""The list of routes is what nodes and gateways serve."""
from gateways import call
from machine import cli


def test_every_route_of_the_list_is_served(start_node, tmp_path):
    started = start_node(tmp_path / "dev", "dev", "--gateway").started
    routes = cli("routes")["routes"]
    assert {route["server"] for route in routes} == {"node", "gateway"}
    for route in routes:
        if route["path"] == "/epcis/nextPageToken/{token}":  # 501, as the standard allows
            continue
        url = started["rpc" if route["server"] == "node" else "gateway"].rstrip("/")
        path = route["path"].replace("{", "").replace("}", "")
        fields = {"Content_Type": route["accepts"].split(",")[0]} if route["accepts"] else {}
        status, _, body = call(url + path, route["method"], b"" if route["accepts"] else None,
                               Authorization=f"Bearer {started['token']}", **fields)
        assert status not in (405, 415, 501) and b"nothing is served at this path" not in body, (route, body)
        assert call(f"{url}/no-such{path}", route["method"])[0] in (401, 404)
