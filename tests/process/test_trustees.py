"""Trustees t of n: shares that are dealt, checked, released and combined, on a real node; and those who lie about
them."""
import base64
import json
import os
import re
import socket
import subprocess
import time
import urllib.request

import pytest

from dealing import Ward, garbage, open_sealed, public
from gateways import Gateway
from hospitals import container
from machine import PASSWORD, Refused, binary, free_port, wait_for

VSS_SHARE_BYTES = 33


@pytest.fixture(scope="module")
def ward(consortium):
    return Ward(consortium, "tr", 5)


def refused(ward, record):
    with pytest.raises(Refused) as caught:
        ward.read(record)
    assert caught.value.code == 3, caught.value
    return caught.value.report["error"]


def failed(ward, trustee):
    """Of a round that does not end well."""
    with pytest.raises(Refused) as caught:
        ward.serve(trustee)
    assert caught.value.code == 1, caught.value
    return caught.value


def rotate(ward, folder, *more):
    return ward.signed("folder", "rotate", folder, *more)


def test_three_of_five_open_it_together_and_two_do_not(ward):
    folder = ward.open(5)["folder"]
    oldest = ward.add(folder)
    assert rotate(ward, folder)["trusteeThreshold"] == 3  # the majority
    review = ward.broken(folder)
    for trustee in (4, 1):
        assert ward.gives(trustee, folder) == 1
        refused(ward, oldest)
    assert ward.gives(2, folder) == 1
    ward.read(oldest)  # of an epoch before: through the link
    ward.read(ward.add(folder))
    assert ward.gives(2, folder) == 0  # once
    assert ward.review(folder)["review"] == review and ward.review(folder)["releases"] == 3


def test_a_majority_is_the_default_and_another_threshold_can_be_named(ward):
    assert [ward.open(n)["trusteeThreshold"] for n in (2, 3, 4)] == [2, 2, 3]
    opened = ward.open(4, "--trustee-threshold", 4)
    assert opened["trusteeThreshold"] == 4 and not opened["trusteeHoldsKey"]
    assert rotate(ward, opened["folder"])["trusteeThreshold"] == 4  # as before
    assert rotate(ward, opened["folder"], "--trustee-threshold", 2)["trusteeThreshold"] == 2
    shown = ward.show(opened["folder"])
    assert shown["trusteeThreshold"] == 2 and len(shown["trustees"]) == 4


@pytest.mark.parametrize("threshold", [0, 4, 9])
def test_a_threshold_that_the_trustees_do_not_reach_is_refused(ward, threshold):
    with pytest.raises(Refused) as caught:
        ward.open(3, "--trustee-threshold", threshold)
    assert caught.value.code == 2, caught.value
    folder = ward.open(3)["folder"]
    with pytest.raises(Refused) as caught:
        rotate(ward, folder, "--trustee-threshold", threshold)
    assert caught.value.code == 2, caught.value


def test_the_wallet_says_plainly_that_the_only_trustee_holds_the_key(ward):
    command = [binary(), "folder", "open", "--label", "summary", "--glass-minutes", "30", "--trustee",
               ward.c.accounts[ward.trustees[0]], "--home", ward.c.home("tr-patient"), "--out", ward.path()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "XINGLIN_PASSWORD": PASSWORD})
    assert done.returncode == 0 and "the trustee holds this folder's key and could open it alone" in done.stdout
    assert ward.open(1)["trusteeHoldsKey"] is True


def test_one_of_one_serves_an_emergency(ward):
    folder = ward.open(1)["folder"]
    record = ward.add(folder)
    ward.broken(folder)
    refused(ward, record)
    ward.serve(0)
    ward.read(record)


def keys_of(ward, folder, epoch, trustee):
    """The folder's key as its controller opens it, and what this trustee's wrap holds, both past our client."""
    home = ward.trustees[trustee]
    parts = ward.wraps(folder, epoch, home)
    for i in range(64):  # which of the patient's controllers it is
        mine = ward.key("tr-patient", f"m/7697'/1'/{i}'")
        try:
            jwk = json.loads(open_sealed(parts[0], mine))
            break
        except AssertionError:
            continue
    else:
        pytest.fail("none of the patient's controllers opens the controller's wrap")
    key = base64.urlsafe_b64decode(jwk["d"] + "=")
    assert "0x" + public(key).hex() == ward.show(folder)["sealingKey"]
    return key, open_sealed(parts[1 + trustee], ward.key(home, "m/7697'/0'/1'"))


def holds(home, output, secret):
    """Is the secret in a file of the home, or in what its program wrote?"""
    texts = [path.read_bytes() for path in home.rglob("*") if path.is_file()] + [output]
    forms = [secret, secret.hex().encode(), base64.urlsafe_b64encode(secret).rstrip(b"="),
             base64.b64encode(secret).rstrip(b"=")]
    return any(form in text for form in forms for text in texts)


def test_no_trustee_ever_holds_the_key(ward):
    folder = ward.open(3)["folder"]
    ward.add(folder)
    ward.broken(folder)
    shares = []
    for trustee in range(3):
        home = ward.c.home(ward.trustees[trustee])
        key, share = keys_of(ward, folder, 1, trustee)
        assert len(share) == VSS_SHARE_BYTES and share[0] == trustee + 1 and share[1:] != key
        shares.append(share)
        command = [binary(), "trustee", "serve", "--once", "--home", home]
        done = subprocess.run(command, capture_output=True, timeout=120,
                              env={**os.environ, "XINGLIN_PASSWORD": PASSWORD})
        assert done.returncode == 0, done.stderr
        assert not holds(home, done.stdout + done.stderr, key)
        assert not holds(home, done.stdout + done.stderr, share[1:])  # and its share is kept nowhere open
    assert len({share[1:] for share in shares}) == 3
    alone, one = keys_of(ward, ward.open(1)["folder"], 1, 0)
    assert one[1:] == alone  # one of one: it does hold it, as the wallet says


def test_a_false_share_is_told_and_shown_and_stops_nobody(ward):
    folder = ward.open(3)["folder"]
    record = ward.add(folder)
    ward.deal_false(folder, 1, 2)
    assert failed(ward, 1).report["refused"] == 1
    assert ward.serve(1)["refused"] == 0  # it is told once
    for trustee in (0, 2):
        assert ward.serve(trustee)["refused"] == 0
    assert [one["shareRefused"] for one in ward.show(folder)["trustees"]] == [False, True, False]
    ward.broken(folder)
    assert failed(ward, 1).report["released"] == 0  # it has nothing to release
    ward.serve(0)
    refused(ward, record)
    ward.serve(2)
    ward.read(record)
    rotate(ward, folder)
    assert not any(one["shareRefused"] for one in ward.show(folder)["trustees"])
    assert ward.gives(1, folder) == 1  # its new share is right, and the window is open still


def test_a_false_release_among_enough_right_ones_is_named_and_stops_nobody(ward):
    folder = ward.open(3)["folder"]
    record = ward.add(folder)
    review = ward.broken(folder)
    ward.serve(0)
    ward.release(1, review, 1, *garbage())
    refused(ward, record)
    assert ward.review(folder)["falseReleases"] == 1
    ward.serve(2)
    ward.read(record)
    assert ward.review(folder)["falseReleases"] == 1 and ward.review(folder)["releases"] == 3


@pytest.mark.parametrize("which", ["review", "epoch", "folder"])
def test_a_release_that_is_played_again_opens_nothing(ward, which):
    folder = ward.open(2, label=which)["folder"]
    record = ward.add(folder)
    before = ward.broken(folder)
    ward.serve(0)
    kept = ward.released(0, before, 1)
    epoch = 1
    if which == "review":
        review = ward.broken(folder)
    elif which == "epoch":
        rotate(ward, folder)
        review, epoch = before, 2
    else:
        folder = ward.open(2)["folder"]
        record = ward.add(folder)
        review = ward.broken(folder)
    part = kept[12:]
    ward.release(0, review, epoch, *container(part))
    assert ward.gives(1, folder) >= 1
    assert "1 of the 2 shares" in (error := refused(ward, record)) and "others are false" in error
    assert ward.review(folder)["falseReleases"] == 1


def test_after_a_rotation_trustees_release_anew_in_the_same_window(ward):
    folder = ward.open(2)["folder"]
    ward.broken(folder)
    ward.serve(0)
    rotate(ward, folder)  # trustee 1 has not released yet: its old share helps no more
    later = ward.add(folder)
    assert ward.gives(1, folder) == 1
    assert "1 of the 2 shares that open the folder's epoch 2 were released" in refused(ward, later)
    assert ward.gives(0, folder) == 1
    ward.read(later)


def test_waiting_ends_once_enough_have_released(ward):
    folder = ward.open(2)["folder"]
    ward.broken(folder)
    ward.serve(0)
    with pytest.raises(Refused) as caught:  # another emergency: nobody has released for it
        ward.run("er", "break-glass", "--folder", folder, "--reason", "again", "--wait", 1)
    assert caught.value.code == 1 and caught.value.report["keyReleased"] is False


def test_a_suspended_trustee_blocks_no_rotation(consortium):
    ward = Ward(consortium, "ts", 3)
    folder = ward.open(3)["folder"]
    record = ward.add(folder)
    ward.suspend(ward.trustees[1])
    owed = ward.show(folder)["owes"]
    assert {"why": "licence-ended", "who": ward.c.accounts[ward.trustees[1]]} in owed
    report = rotate(ward, folder)
    assert (len(report["trustees"]), report["trusteeThreshold"]) == (2, 2)
    assert ward.show(folder)["owes"] == []
    ward.broken(folder)
    for trustee in (0, 2):
        ward.serve(trustee)
    ward.read(record)
    ward.suspend(ward.trustees[0])
    report = rotate(ward, folder)  # one is left of two that it takes: none, and never one that holds the key
    assert (report["trustees"], report["trusteeThreshold"], report["trusteeHoldsKey"]) == ([], 0, False)
    assert {one["account"] for one in report["leftOut"]} == {ward.c.accounts[ward.trustees[i]] for i in (0, 2)}


def test_what_owes_a_rotation_is_listed(ward):
    folder = ward.open(2)["folder"]
    assert ward.show(folder)["owes"] == []
    clinic = ward.c.actor("tr-clinic", "professional")
    ward.signed("share", "--folder", folder, "--with", clinic, "--purpose", "TREAT", "--days", 1)
    path = ward.path()
    ward.run("patient", "revoke", "--folder", folder, "--from", clinic, "--keep-key", "--out", path)
    ward.relay(path)
    review = ward.broken(folder)
    owes = ward.show(folder)["owes"]
    assert {"why": "grant-revoked", "who": clinic} in owes
    assert {"why": "emergency", "who": ward.c.accounts["tr-er"], "review": review} in owes and len(owes) == 2
    rotate(ward, folder)
    assert ward.show(folder)["owes"] == []


@pytest.fixture(scope="module")
def emergency(ward):
    """One that no trustee has looked at: an actor may declare 16 a day."""
    ward.broken(ward.open(2)["folder"])


@pytest.fixture
def used_up(ward, emergency):
    """A trustee of whom the emergency actor had its number of shares today, and an emergency more."""
    path = ward.c.home(ward.trustees[0]) / "trustee.json"
    kept = path.read_text() if path.exists() else None
    state = json.loads(kept) if kept else {"v": 2, "next": 1, "block": 0}
    full = [{"review": 10**6 + i, "actor": ward.c.accounts["tr-er"].lower()} for i in range(16)]
    path.write_text(json.dumps({**state, "day": int(time.time()) // 86400, "released": full}))
    yield ward.trustees[0]
    if kept:
        path.write_text(kept)
    else:
        path.unlink()


NUMBER_REACHED = r"error.*trustee.*asks for more keys than 16 a day"
CONDITION = "their actor has had as many today as registrars allow"


def test_an_actor_that_had_its_number_of_a_day_wakes_a_person(ward, used_up):
    caught = failed(ward, 0)
    assert caught.report["limited"] >= 1 and caught.report["released"] == 0
    assert re.search(NUMBER_REACHED, caught.stderr, re.I), caught.stderr


def test_the_service_manager_hears_that_a_person_must_look(ward, used_up, tmp_path):
    listener, log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), tmp_path / "log"
    listener.bind(str(tmp_path / "notify"))
    listener.settimeout(60)
    command = [binary(), "trustee", "serve", "--every", "100", "--home", ward.c.home(used_up)]
    with log.open("wb") as err:
        serving = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=err, env={
            **os.environ, "XINGLIN_PASSWORD": PASSWORD, "NOTIFY_SOCKET": str(tmp_path / "notify")})
    try:
        while CONDITION not in (said := listener.recv(4096).decode()):
            assert said.startswith(("READY=1", "STATUS=")), said
    finally:
        serving.terminate()
        assert serving.wait(60) == 0
        listener.close()
    assert len(re.findall(NUMBER_REACHED, log.read_text(), re.I)) == 1  # once, and not at each round


def test_a_gateway_counts_what_a_person_must_look_at(ward, used_up):
    port = free_port()
    gateway = Gateway(ward.c.home(used_up), "--trustee", "--trustee-every-ms", "100", "--metrics-port", str(port))
    try:
        def limited():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
                return re.search(r"^trustee_limited ([1-9])", answer.read().decode(), re.M)

        wait_for(limited, seconds=120, every=0.2)
    finally:
        gateway.end()
