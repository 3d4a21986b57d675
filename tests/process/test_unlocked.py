"""A home that is unlocked: its commands need no password, and nobody else gets anything from it."""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess

import pytest

from machine import PASSWORD, Refused, binary, cli, wait_for

NOBODY = 65534


@pytest.fixture(scope="module")
def home(consortium):
    consortium.actor("unlocked-one", "pharmacy")
    return consortium.home("unlocked-one")


@pytest.fixture
def unlocked(home):
    cli("home", "unlock", "--home", home)
    yield home
    if subprocess.run([binary(), "home", "lock", "--home", home], capture_output=True).returncode != 0:
        assert not answers(home)


def run(home, *arguments, **options):
    """Without a password."""
    environment = {name: value for name, value in os.environ.items() if name != "XINGLIN_PASSWORD"}
    return subprocess.run([pathlib.Path(binary()).resolve(), *map(str, arguments), "--home", str(home)],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment, **options)


def dial(home):
    line = socket.socket(socket.AF_UNIX)
    folder = os.open(home, os.O_PATH)
    try:
        line.connect(f"/proc/self/fd/{folder}/.unlocked")
    finally:
        os.close(folder)
    return line


def answers(home):
    try:
        dial(home).close()
    except OSError:
        return False
    return True


def holder(home):
    """The process that has the wallet."""
    with dial(home) as line:
        return struct.unpack("iII", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


def test_commands_need_no_password_until_it_is_locked(home, consortium):
    assert "password is needed" in run(home, "wallet", "show").stderr
    done = cli("home", "unlock", "--home", home)
    assert done["account"] == consortium.accounts["unlocked-one"]
    assert consortium.accounts["unlocked-one"] in run(home, "wallet", "show").stdout
    assert run(home, "actor", "show", "--address", consortium.accounts["unlocked-one"]).returncode == 0
    cli("home", "lock", "--home", home)
    assert "password is needed" in run(home, "wallet", "show").stderr
    with pytest.raises(Refused) as caught:
        cli("home", "lock", "--home", home)
    assert caught.value.code == 4


def test_it_is_unlocked_by_the_password_alone_and_once(home):
    with pytest.raises(Refused) as caught:
        cli("home", "unlock", "--home", home, env={"XINGLIN_PASSWORD": "guess"})
    assert caught.value.code == 3 and not answers(home)
    for minutes in ("0", "10081"):
        with pytest.raises(Refused) as caught:
            cli("home", "unlock", "--home", home, "--minutes", minutes)
        assert caught.value.code == 2 and not answers(home)
    cli("home", "unlock", "--home", home)
    with pytest.raises(Refused, match="unlocked already") as caught:
        cli("home", "unlock", "--home", home)
    assert caught.value.code == 3
    cli("home", "lock", "--home", home)


def test_what_shows_the_wallet_asks_for_the_password(unlocked, tmp_path):
    for command in (["wallet", "phrase"], ["home", "backup", tmp_path / "b"]):
        done = run(unlocked, *command)
        assert done.returncode == 2 and "password is needed" in done.stderr
    assert cli("home", "backup", tmp_path / "b", "--home", unlocked, "--light-kdf")["files"] > 3
    wrong = tmp_path / "wrong"
    wrong.write_text("guess\n")
    assert run(unlocked, "wallet", "show", "--password-file", wrong).returncode == 3  # a named password is tried


def test_a_command_has_its_callers_streams_folder_environment_and_exit_code(unlocked, tmp_path):
    visit = json.dumps({"resourceType": "Observation", "status": "final", "code": {"text": "glucose"}})
    (tmp_path / "scans.txt").write_text("no scan\n")
    relative = os.path.relpath(unlocked, tmp_path)
    done = run(relative, "pack", "dispense", "@scans.txt", cwd=tmp_path)
    assert done.returncode == 3 and "no scan" in done.stderr
    done = run(relative, "pack", "dispense", "@absent.txt", cwd=tmp_path)
    assert done.returncode == 4 and "absent.txt" in done.stderr
    environment = {**os.environ, "XINGLIN_HOME": str(unlocked), "XINGLIN_PASSWORD": "not looked at"}
    assert cli("wallet", "show", env=environment)["account"]
    done = subprocess.run([binary(), "relay", "-", "--home", unlocked], input=visit, capture_output=True, text=True)
    assert done.returncode == 2 and "type is not" in done.stderr


def test_a_deployment_that_is_trusted_later_is_known(consortium, tmp_path):
    late = tmp_path / "late"
    cli("wallet", "new", "--home", late, "--light-kdf")
    cli("home", "unlock", "--home", late)
    try:
        run(late, "trust", consortium.deployment)
        assert run(late, "actor", "show", "--address", consortium.accounts["registrar-1"]).returncode in (0, 4)
    finally:
        cli("home", "lock", "--home", late)


def test_a_command_ends_with_whoever_began_it(unlocked):
    """Its caller is killed, while a node keeps it waiting."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        caller = subprocess.Popen([binary(), "folder", "list", "--home", str(unlocked), "--rpc", url],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        asked, _ = silent.accept()
        caller.kill()
        caller.wait()
        while asked.recv(4096):  # until the command's process has ended
            pass
    assert run(unlocked, "wallet", "show").returncode == 0


def test_what_is_no_command_gets_nothing(unlocked):
    pid = holder(unlocked)
    fds = struct.pack("4i", 0, 1, 2, 0)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]
    text = struct.pack("I", 2) + b"xinglin\0wallet\0"
    head = lambda size, magic=b"xl2\0": magic + struct.pack("I", size)
    for first, control, rest in [
            (b"", [], b""), (b"GET / HTTP/1.1\r\n\r\n", [], b""), (head(len(text)), [], text),
            (head(len(text), b"xl1\0"), rights, text), (head(1 << 31), rights, text), (head(2), rights, b"ab"),
            (head(4), rights, struct.pack("I", 0)), (head(len(text)), rights, struct.pack("I", 3) + text[4:]),
            (head(len(text)), rights, struct.pack("I", 1 << 31) + text[4:]),
            (head(len(text) - 1), rights, text[:-1]), (head(len(text)), rights, text[:9]),
            (head(len(text)), [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds[:8])], text)]:
        with dial(unlocked) as line:
            if first:
                line.sendmsg([first], control)
            try:
                line.sendall(rest)
                line.shutdown(socket.SHUT_WR)
                assert line.recv(16) == b""
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert holder(unlocked) == pid and run(unlocked, "wallet", "show").returncode == 0


def test_no_environment_brings_code_into_the_process_that_has_the_wallet(unlocked, tmp_path):
    """libidn2 converts a node's name by iconv, and the C library loads what GCONV_PATH says for that."""
    compiler = shutil.which("cc") or pytest.skip("there is no C compiler")
    mark = tmp_path / "loaded"
    (tmp_path / "guest.c").write_text(f'''
        #include <fcntl.h>
        #include <unistd.h>
        __attribute__((constructor)) static void begin(void) {{ open("{mark}", O_CREAT, 0600); _exit(0); }}''')
    subprocess.run([compiler, "-shared", "-fPIC", "-o", tmp_path / "GUEST.so", tmp_path / "guest.c"], check=True)
    (tmp_path / "gconv-modules").write_text("module ANSI_X3.4-1968// INTERNAL GUEST 1\nmodule GUEST// INTERNAL GUEST 1\n")
    environment = {**os.environ, "GCONV_PATH": str(tmp_path), "CHARSET": "GUEST", "LC_ALL": "C"}
    environment.pop("XINGLIN_PASSWORD", None)
    subprocess.run([binary(), "folder", "list", "--home", unlocked, "--rpc", "http://n\u00f6de.invalid:1"],
                   env=environment, capture_output=True)
    assert not mark.exists()


def handed_over(home, *arguments):
    """What the process that unlocked the home says to a command that its caller chose freely."""
    text = struct.pack("I", len(arguments) + 1) + b"".join(os.fsencode(word) + b"\0" for word in ("xinglin", *arguments))
    reading, writing = os.pipe()
    folder = os.open("/", os.O_PATH)
    with dial(home) as line, open(reading, errors="replace") as said:
        rights = struct.pack("4i", reading, writing, writing, folder)
        line.sendmsg([b"xl2\0" + struct.pack("I", len(text))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        line.sendall(text)
        answer = b""
        while len(answer) < 3 and (some := line.recv(3)):
            answer += some
        os.close(writing)
        os.close(folder)
        return answer, said.read()


def test_it_acts_for_its_own_home_alone(consortium, unlocked):
    consortium.actor("unlocked-two", "pharmacy")
    answer, said = handed_over(unlocked, "wallet", "show", "--home", str(pathlib.Path(unlocked).resolve()))
    assert answer == b"td\0" and consortium.accounts["unlocked-one"] in said
    answer, said = handed_over(unlocked, "wallet", "show", "--home", str(consortium.home("unlocked-two").resolve()))
    assert answer == b"td\3" and "has unlocked" in said and consortium.accounts["unlocked-one"] not in said


def test_what_listens_in_a_locked_home_and_does_not_answer_keeps_nobody(home, tmp_path):
    """Something of the same user took the socket's place. It has the caller's streams by then: so they are a file."""
    folder = os.open(home, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as squatter:
        squatter.bind(f"/proc/self/fd/{folder}/.unlocked")
        os.close(folder)
        squatter.listen(1)
        with open(tmp_path / "said", "w") as said:
            done = subprocess.run([binary(), "wallet", "show", "--home", str(home)], stdin=subprocess.DEVNULL,
                                  stdout=said, stderr=said, timeout=120)
        assert done.returncode == 1 and "does not answer" in (tmp_path / "said").read_text()
    (pathlib.Path(home) / ".unlocked").unlink()
    assert "password is needed" in run(home, "wallet", "show").stderr


def test_nobody_else_may_use_it(unlocked):
    if os.geteuid() != 0:
        pytest.skip("only root can act as another user")
    sock = pathlib.Path(unlocked) / ".unlocked"
    assert sock.stat().st_mode & 0o777 == 0o600
    pid, text = holder(unlocked), struct.pack("I", 3) + b"xinglin\0wallet\0show\0"
    child = os.fork()
    if child == 0:  # reaches the socket before it becomes another user, which no other user can
        code = 1
        try:
            folder = os.open(unlocked, os.O_PATH)
            os.chmod(sock, 0o666)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            line = socket.socket(socket.AF_UNIX)
            line.connect(f"/proc/self/fd/{folder}/.unlocked")
            descriptors = struct.pack("4i", 0, 1, 2, folder)
            line.sendmsg([b"xl2\0" + struct.pack("I", len(text))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
            line.sendall(text)
            code = 0 if line.recv(16) == b"" else 2
        except (BrokenPipeError, ConnectionResetError, PermissionError):
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.chmod(sock, 0o600)
    assert holder(unlocked) == pid


def test_after_a_kill_the_password_is_asked_for_and_it_can_be_unlocked_again(home):
    cli("home", "unlock", "--home", home)
    os.kill(holder(home), signal.SIGKILL)
    wait_for(lambda: not answers(home))
    assert "password is needed" in run(home, "wallet", "show").stderr
    assert cli("wallet", "show", "--home", home)["account"]
    cli("home", "unlock", "--home", home)
    assert run(home, "wallet", "show").returncode == 0
    cli("home", "lock", "--home", home)
    assert not (home / ".unlocked").exists()


def test_in_the_foreground_it_ends_as_a_service_does(home):
    process = subprocess.Popen([binary(), "home", "unlock", "--home", str(home), "--foreground"],
                               env={**os.environ, "XINGLIN_PASSWORD": PASSWORD}, stdout=subprocess.PIPE)
    wait_for(lambda: answers(home))
    assert holder(home) == process.pid
    process.terminate()
    assert process.wait(20) == 0 and not (home / ".unlocked").exists()
    process.stdout.close()


def test_the_quick_program_runs_commands_of_a_home_that_is_unlocked_or_not(home, unlocked):
    quick = pathlib.Path(f"{binary()}-quick").resolve()
    show = lambda **environment: subprocess.run([quick, "wallet", "show", "--home", str(home), "--json"], text=True,
                                                capture_output=True, env={**os.environ, **environment})
    password = os.environ.pop("XINGLIN_PASSWORD", None)
    try:
        assert json.loads(show().stdout)["account"] == json.loads(run(home, "wallet", "show", "--json").stdout)["account"]
        cli("home", "lock", "--home", home)
        assert show().returncode != 0
        assert show(XINGLIN_PASSWORD=PASSWORD).returncode == 0
    finally:
        if password is not None:
            os.environ["XINGLIN_PASSWORD"] = password


def test_the_quick_program_alone_says_what_it_lacks(tmp_path):
    shutil.copy(f"{binary()}-quick", tmp_path / "xinglin-quick")
    done = subprocess.run([tmp_path / "xinglin-quick", "--version"], capture_output=True, text=True)
    if done.returncode == 0:
        pytest.skip("xinglin is installed on this machine")
    assert "xinglin is neither beside this program nor in" in done.stderr
