"""What a process holds: a search of its memory, and of its index without the encryption."""
import os
import pathlib
import subprocess

from machine import PASSWORD, binary


def memory_of(pid):
    """All that is mapped and can be read, map by map; what only mirrors a file's content is not the process's."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, rights, *_, = line.split()
            name = line.split()[5] if len(line.split()) > 5 else ""
            if not rights.startswith("r") or name in ("[vvar]", "[vsyscall]"):
                continue
            begin, end = (int(part, 16) for part in place.split("-"))
            try:
                memory.seek(begin)
                yield name, memory.read(end - begin)
            except OSError:
                continue  # a guard page


def found_in_memory(pid, words):
    """Those of the words that stand anywhere in the process, in UTF-8 or UTF-16."""
    wanted = {word: (word.encode(), word.encode("utf-16-le")) for word in words}
    return {word for _, data in memory_of(pid) for word, forms in wanted.items() if any(form in data for form in forms)}


def index_tool():
    return os.environ.get("INDEX_PAGES") or str(pathlib.Path(binary()).parents[1] / "health/index/index_pages")


def found_in_index(home, words):
    """Those that stand in a page of the index of resources, also a free one, without its encryption."""
    done = subprocess.run([index_tool(), str(home), PASSWORD], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"SQLite format 3")
    pages = done.stdout.lower()
    return {word for word in words if word.lower().encode() in pages}
