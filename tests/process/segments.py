"""Entries of append-only files, as docs/wire-formats.md §1 has them: a home's `records`, a node's `blobs/segments`."""
import hashlib

HEAD = 104


class Entry:
    def __init__(self, path, at, content, label):
        self.path, self.at, self.content, self.label = path, at, content, label

    def overwrite(self, content):
        assert len(content) == len(self.content)
        with open(self.path, "r+b") as file:
            file.seek(self.at + HEAD)
            file.write(content)

    def erase(self):
        self.overwrite(bytes(len(self.content)))


def entries(folder):
    """Those that were not erased, oldest first. Each must be whole."""
    found = []
    for path in sorted(folder.glob("*.seg")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            head = data[at:at + HEAD]
            assert head[:4] == b"XSEG" and hashlib.sha256(head[:96]).digest()[:8] == head[96:]
            content = data[at + HEAD:at + HEAD + int.from_bytes(head[4:8], "big")]
            if any(content):
                assert hashlib.sha256(content).digest()[:8] == head[88:96]
                found.append(Entry(path, at, content, head[8:88]))
            at += HEAD + len(content)
    return found


def copies(home):
    """The author's legal copies by their records' ids."""
    return {"0x" + entry.label[:32].hex(): entry for entry in entries(home / "records")}
