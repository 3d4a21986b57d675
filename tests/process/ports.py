"""Ports for processes that a test ends and starts again.

The system gives outgoing connections ports from `ip_local_port_range` on. One that was a test's own, and free for the
moment, may go to anybody's connection then, and is taken until a minute after its end. So a test's ports are below that
range, and no two test processes have the same: each holds blocks of ports, whose first one it listens on while it
lives.
"""
import contextlib
import pathlib
import socket

FIRST, BLOCK = 10000, 32


def first_outgoing():
    with contextlib.suppress(OSError):
        return int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return 32768


def hold(port):
    """A socket that listens there; None: somebody else does."""
    with contextlib.suppress(OSError):
        return socket.create_server(("127.0.0.1", port), reuse_port=False)


class Ports:
    def __init__(self):
        self.held, self.left = [], iter(())
        self.blocks = iter(range(FIRST, first_outgoing() - BLOCK, BLOCK))

    def take_block(self):
        first, held = next((first, held) for first in self.blocks if (held := hold(first)))
        self.held.append(held)
        self.left = iter(range(first + 1, first + BLOCK))

    def one(self):
        """A port that nobody listens on, and that this process was not given before."""
        while True:
            for port in self.left:
                if probe := hold(port):
                    probe.close()
                    return port
            self.take_block()

    def row(self, count):
        """The first of so many, one after the other."""
        ports = [self.one() for _ in range(count)]
        while ports[-1] - ports[0] != count - 1:
            ports = ports[1:] + [self.one()]
        return ports[0]


PORTS = Ports()
