"""The wires between members' CometBFTs: a relay for each member and each of its peers, which can be slow, or cut."""
import contextlib
import queue
import socket
import threading
import time


class Wire:
    """Passes on to a port of this machine, each piece `delay_s` after it came."""

    def __init__(self, port):
        self.target, self.delay_s, self.is_cut, self.ends = port, 0.0, False, []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self.server.accept()
                try:
                    if self.is_cut:
                        raise OSError
                    far = socket.create_connection(("127.0.0.1", self.target), timeout=10)
                    far.settimeout(None)
                except OSError:
                    near.close()
                    continue
                self.ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    pieces = queue.Queue()
                    threading.Thread(target=self.read, args=(source, pieces), daemon=True).start()
                    threading.Thread(target=self.write, args=(sink, pieces), daemon=True).start()

    def read(self, source, pieces):
        piece = True
        while piece:
            try:
                piece = source.recv(65536)
            except OSError:
                piece = b""
            pieces.put((time.monotonic() + self.delay_s, piece))

    @staticmethod
    def write(sink, pieces):
        while True:
            due, piece = pieces.get()
            time.sleep(max(0, due - time.monotonic()))
            try:
                if not piece:
                    sink.shutdown(socket.SHUT_RDWR)
                    return
                sink.sendall(piece)
            except OSError:
                return

    def cut(self):
        self.is_cut = True
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.ends = []

    def mend(self):
        self.is_cut = False

    def close(self):
        self.server.close()
        self.cut()


class Wires:
    """Between each two members; laid before they start (consortia.running's `prepare`)."""

    def __init__(self):
        self.between = {}

    def lay(self, report, members):
        ports = [int(one["peer"].rsplit(":", 1)[1]) for one in report["members"]]
        for i, member in enumerate(members):
            config = member.folder / "comet/config/config.toml"
            text = config.read_text()
            for k, port in enumerate(ports):
                if k != i:
                    wire = self.between[i, k] = Wire(port)
                    text = text.replace(f"@127.0.0.1:{port}", f"@127.0.0.1:{wire.port}")
            config.write_text(text)

    def of(self, one_side):
        """All between these members, by index, and the others."""
        return [wire for (i, k), wire in self.between.items() if (i in one_side) != (k in one_side)]

    def all(self):
        return list(self.between.values())

    def close(self):
        for wire in self.all():
            wire.close()
