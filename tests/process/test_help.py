"""The command line as a person meets it: what --help shows, and what a slip of the finger gets."""
import re
import subprocess

import pytest

from machine import binary

DONE, WRONG_USE = 0, 2


def say(*words):
    return subprocess.run([binary(), *words], capture_output=True, text=True, timeout=20)


def commands():
    return re.findall(r"^  (\S+(?: \S+)*?)  +\S", say("--help").stdout, re.M)


def test_help_lists_the_commands_by_the_people_who_need_them():
    page = say("--help")
    assert page.returncode == DONE and page.stderr == ""
    titles = re.findall(r"^for (\w+)", page.stdout, re.M)
    assert titles == ["everybody", "patients", "hospitals", "manufacturers", "regulators", "operators", "developers"]
    assert len(commands()) == len(set(commands())) > 60
    assert re.search(
        r"^exit codes: 0 done, 1 failed, 2 wrong use, 3 refused, 4 not found, 5 not proven$", page.stdout, re.M
    )
    assert say().stdout == say("help").stdout == say("-h").stdout == page.stdout


def test_every_command_has_a_page_that_fits_a_terminal():
    for name in commands():
        page = say(*name.split(), "--help")
        assert page.returncode == DONE and page.stdout.startswith(f"xinglin {name}"), name
        assert say("help", *name.split()).stdout == page.stdout
        teach = page.stdout.split("\n\n", 1)[1].split("\n\noptions:", 1)[0]
        assert max(map(len, teach.split("\n"))) <= 104, name


@pytest.mark.parametrize("word", ["pack", "record", "wallet", "gateway token"])
def test_a_word_that_begins_several_commands_shows_them(word):
    asked, bare = say(*word.split(), "--help"), say(*word.split())
    assert asked.returncode == DONE and bare.returncode == WRONG_USE
    for name in (name for name in commands() if name.startswith(word + " ")):
        assert f"  {name} " in asked.stdout and f"  {name} " in bare.stderr
    assert bare.stdout == ""


@pytest.mark.parametrize("typed, meant", [
    ("record ad x.json", "record add"), ("pak verify", "pack verify"), ("nod", "node"), ("reocrd list", "record list"),
    ("gateway tokn new", "gateway token new"), ("wallet shwo --home x", "wallet show")])
def test_a_wrong_command_is_answered_with_the_nearest(typed, meant):
    refused = say(*typed.split())
    assert refused.returncode == WRONG_USE and refused.stdout == ""
    assert refused.stderr.endswith(f"did you mean: xinglin {meant}\n")


def test_a_command_near_to_none_is_not_guessed():
    refused = say("frobnicate")
    assert refused.returncode == WRONG_USE
    assert refused.stderr == 'xinglin: there is no command "frobnicate"; see: xinglin --help\n'


@pytest.mark.parametrize("typed, meant", [
    ("record list --hoem x", "home"), ("node --http-prot 1", "http-port"), ("record add --fodler 0x", "folder")])
def test_a_wrong_option_is_answered_with_the_nearest(typed, meant):
    refused = say(*typed.split())
    assert refused.returncode == WRONG_USE and f"did you mean --{meant}?" in refused.stderr
    far = say("record", "list", "--frobnicate")
    assert far.returncode == WRONG_USE and "see: xinglin record list --help" in far.stderr


def test_the_version_is_one_line():
    assert re.fullmatch(r"xinglin \d+\.\d+\.\d+\n", say("--version").stdout)


def test_a_password_file_written_on_windows_opens_the_same_wallet(tmp_path):
    windows, plain = tmp_path / "windows", tmp_path / "plain"
    windows.write_bytes(b"\xef\xbb\xbfopen sesame\r\nsecond line\r\n")
    plain.write_bytes(b"open sesame\n")
    home = str(tmp_path / "home")
    assert say("wallet", "new", "--home", home, "--light-kdf", "--password-file", str(windows)).returncode == DONE
    assert say("wallet", "show", "--home", home, "--password-file", str(plain)).returncode == DONE
    assert say("wallet", "show", "--home", home, "--password-file", str(windows)).returncode == DONE
