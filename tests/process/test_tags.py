"""The key of products' tags: founded by regulators, dealt again to others; one GTIN is registered once. On a real node."""
import json

import pytest

from machine import Consortium, Refused

GTIN, OTHER_GTIN = "09521234543213", "04150011164140"
HOLDERS = ("reg-1", "reg-2", "reg-3")


class Tags:
    def __init__(self, folder):
        self.c = Consortium(folder)
        for name in HOLDERS + ("reg-4",):
            self.c.actor(name, "regulator")
        for name in ("maker", "rival"):
            self.c.actor(name, "manufacturer")
        self.count = 0

    def run(self, name, *arguments):
        return self.c.run(name, *arguments)

    def path(self, word):
        self.count += 1
        return self.c.folder / f"{word}-{self.count}.json"

    def deal(self, by, holders, threshold):
        path = self.path("deal")
        addresses = ",".join(self.c.accounts[name] for name in holders)
        self.run(by, "tag", "deal", "--holders", addresses, "--threshold", threshold, "--out", path)
        return path

    def gather(self, by, dealings):
        path = self.path("holders")
        self.run(by, "tag", "gather", *dealings, "--out", path)
        return path

    def make_holders(self, dealers, holders, threshold):
        """The statement is on the chain, and each holder has its share."""
        dealings = [self.deal(name, holders, threshold) for name in dealers]
        statements = [self.gather(name, dealings) for name in holders]
        assert len({statement.read_text() for statement in statements}) == 1
        self.run("registrar-1", "registrars", "sign", statements[0])
        return self.run("registrar-2", "registrars", "send", statements[0])

    def request(self, by, gtin):
        path = self.path("product")
        self.run(by, "product", "new", "--gtin", gtin, "--regulator", self.c.accounts["reg-1"], "--out", path)
        return path


@pytest.fixture(scope="module")
def tags(tmp_path_factory):
    made = Tags(tmp_path_factory.mktemp("tags"))
    made.make_holders(HOLDERS, HOLDERS, 2)
    yield made
    assert made.c.node.stop() == 0


def refused(tags, name, *arguments):
    with pytest.raises(Refused) as caught:
        tags.run(name, *arguments)
    return caught.value


def register(tags, by, gtin, answering):
    path = tags.request(by, gtin)
    reports = [tags.run(name, "product", "answer", path) for name in answering]
    return path, reports, tags.run(by, "product", "register", path, "--gtin", gtin)


def test_holders_are_proved_and_each_has_a_share(tags):
    for name, has_share in [("reg-1", True), ("reg-3", True), ("reg-4", False), ("maker", False)]:
        report = tags.run(name, "tag", "holders")
        assert (report["number"], report["threshold"], report["thisHomeHoldsAShare"]) == (1, 2, has_share)
        assert len(report["holders"]) == 3


def test_two_of_three_register_a_gtin_once_whoever_asks_and_whoever_answers(tags):
    again = tags.request("rival", GTIN)
    for name in ("reg-2", "reg-3", "reg-2"):
        report = tags.run(name, "product", "answer", again)
    path, reports, first = register(tags, "maker", GTIN, ["reg-1", "reg-3", "reg-1"])
    assert report["product"] == first["product"]  # other holders, another key of the rival's, the same tag
    assert [report["signed"] for report in reports] == [False, True, True]
    assert {report["gtin"] for report in reports} == {GTIN}
    assert first["product"] == reports[-1]["product"]
    caught = refused(tags, "rival", "product", "register", again, "--gtin", GTIN)
    assert caught.code == 3 and "AlreadyRegistered" in caught.report["error"]
    assert "another owner or key" in refused(tags, "reg-3", "product", "answer", again).report["error"]
    assert "another owner or key" in refused(tags, "reg-3", "product", "keep", again).report["error"]


def test_every_regulator_keeps_the_key_of_a_registered_product_also_one_who_came_later(tags):
    gtin = "09521234720041"
    path = tags.request("maker", gtin)
    assert "0 of 2" in refused(tags, "reg-4", "product", "keep", path).report["error"]
    for name in ("reg-1", "reg-2", "reg-1"):
        tags.run(name, "product", "answer", path)
    assert "not registered yet" in refused(tags, "reg-4", "product", "keep", path).report["error"]
    registered = tags.run("maker", "product", "register", path, "--gtin", gtin)
    assert tags.run("reg-4", "product", "keep", path)["product"] == registered["product"]
    tags.run("reg-4", "product", "withdraw", "--gtin", gtin)
    tags.c.actor("reg-later", "regulator")
    assert "not sealed" in refused(tags, "reg-later", "product", "keep", path).report["error"]
    again = tags.request("maker", gtin)
    for name in ("reg-3", "reg-1"):
        tags.run(name, "product", "answer", again)
    tags.run("reg-later", "product", "keep", again)
    tags.run("reg-later", "product", "withdraw", "--gtin", gtin, "--readmit")


def test_what_is_missing_or_false_in_a_request_is_named(tags):
    path = tags.request("maker", OTHER_GTIN)
    assert "not sealed" in refused(tags, "rival", "product", "answer", path).report["error"]
    assert "share" in refused(tags, "reg-4", "product", "answer", path).report["error"]
    tags.run("reg-1", "product", "answer", path)
    assert "1 of 2" in refused(tags, "maker", "product", "register", path, "--gtin", OTHER_GTIN).report["error"]
    honest = json.loads(path.read_text())
    lie = dict(honest, parts=[honest["parts"][0][:-2] + ("00" if honest["parts"][0][-2:] != "00" else "01")])
    forged = tags.path("forged")
    forged.write_text(json.dumps(lie))
    caught = refused(tags, "reg-2", "product", "answer", forged)
    assert caught.code == 3 and "part of holder" in caught.report["error"]
    tags.run("reg-2", "product", "answer", path)
    assert "1 of 2" in refused(tags, "maker", "product", "register", path, "--gtin", OTHER_GTIN).report["error"]
    foreign = tags.path("foreign")
    foreign.write_text(json.dumps(dict(honest, owner=tags.c.accounts["rival"])))
    tags.run("reg-1", "product", "answer", path)
    tags.run("maker", "product", "register", path, "--gtin", OTHER_GTIN)
    assert refused(tags, "maker", "product", "register", foreign, "--gtin", OTHER_GTIN).code == 3


def test_a_dealer_who_deals_falsely_is_named(tags):
    dealings = [tags.deal(name, HOLDERS, 2) for name in ("reg-1", "reg-2")]
    changed = json.loads(dealings[1].read_text())
    changed["shares"].reverse()
    dealings[1].write_text(json.dumps(changed))
    caught = refused(tags, "reg-3", "tag", "gather", *dealings, "--out", tags.path("never"))
    assert caught.code == 3 and "signature" in caught.report["error"]
    outsider = refused(tags, "reg-4", "tag", "deal", "--holders", tags.c.accounts["reg-4"], "--threshold", 1, "--out",
                       tags.path("never"))
    assert "share" in outsider.report["error"]
    alone = [tags.deal("reg-1", HOLDERS, 2)]
    assert refused(tags, "reg-3", "tag", "gather", *alone, "--out", tags.path("never")).code == 2


def test_the_key_is_dealt_again_to_others_and_tags_stay(tags):
    _, _, before = register(tags, "maker", "09521234720034", ["reg-1", "reg-2", "reg-1"])
    key = tags.run("maker", "tag", "holders")["key"]
    tags.make_holders(("reg-1", "reg-3"), ("reg-2", "reg-4"), 2)
    report = tags.run("maker", "tag", "holders")
    assert (report["number"], report["key"], len(report["holders"])) == (2, key, 2)
    again = tags.request("rival", "09521234720034")
    assert refused(tags, "reg-1", "product", "answer", again).code == 3  # it holds a share of the old holders' only
    tags.run("reg-4", "product", "answer", again)
    late = refused(tags, "reg-2", "product", "answer", again)  # both shares give the tag that there was before
    assert late.code == 3 and "another owner or key" in late.report["error"]
    again = tags.request("maker", "09521234720034")
    for name in ("reg-4", "reg-2"):
        answered = tags.run(name, "product", "answer", again)
    assert answered["product"] == before["product"]


def test_after_a_theft_of_registrars_the_key_is_stated_anew(tmp_path):
    c = Consortium(tmp_path / "consortium")
    c.found_tags()
    holder = c.accounts["tags-regulator"]
    c.actor("maker", "manufacturer")
    c.new_home("registrar-3")
    change, paths = c.folder / "set.json", [c.folder / name for name in ("deal.json", "again.json", "product.json")]
    members = f"{c.accounts['registrar-1']},{c.accounts['registrar-3']}"
    c.run("registrar-1", "registrars", "change", "--to", members, "--theft", "--affirm",
          f"{holder},{c.accounts['maker']}", "--out", change)
    c.run("registrar-3", "registrars", "sign", change)
    c.run("registrar-2", "registrars", "send", change)
    new = "product", "new", "--gtin", GTIN, "--regulator", holder, "--out", paths[2]
    with pytest.raises(Refused) as caught:  # what registrars said before counts no more
        c.run("maker", *new)
    assert "registrars" in caught.value.report["error"]
    c.run("tags-regulator", "tag", "deal", "--holders", holder, "--threshold", 1, "--out", paths[0])
    c.run("tags-regulator", "tag", "gather", paths[0], "--out", paths[1])
    c.run("registrar-1", "registrars", "sign", paths[1])
    c.run("registrar-3", "registrars", "send", paths[1])
    c.run("maker", *new)
    assert c.run("tags-regulator", "product", "answer", paths[2])["signed"] is True
    c.run("maker", "product", "register", paths[2], "--gtin", GTIN)
    assert c.node.stop() == 0
