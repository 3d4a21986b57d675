"""A search for words in bytes, however they are dressed: plain, UTF-16, JSON escapes, hex, Base64 (both alphabets, all
three alignments), and within anything that inflates (zlib, gzip, raw deflate) at any offset, or that hex or Base64
hide,
one inside the other."""
import base64
import ctypes
import ctypes.util
import itertools
import json
import re
import zlib

DEPTH = 3
MEMBERS = 1 << 20  # of what inflates, so much is looked at
HEX = re.compile(rb"[0-9a-fA-F]{32,}")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}")


def _base64_forms(word):
    """What every Base64 text that holds the word holds, for each of the three ways that it can lie."""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + word)
        inner = text[(0, 2, 3)[shift]:len(text.rstrip(b"=")) - (1 if (shift + len(word)) % 3 else 0)]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def forms(words):
    """Every way that a word can stand in bytes, as one expression."""
    found = set()
    for word in words:
        raw = word.encode()
        found |= {raw, word.encode("utf-16-le"), word.encode("utf-16-be"), json.dumps(word)[1:-1].encode()}
        found |= {raw.hex().encode(), raw.hex().upper().encode(), *_base64_forms(raw)}
    return re.compile(b"|".join(re.escape(form) for form in sorted(found, key=len, reverse=True)))


def _inflated(data):
    """Everything in the data that inflates to more than a few bytes, from wherever it begins."""
    for at in range(len(data) - 4):
        first = data[at]
        if first & 7 == 7 or first & 6 == 6 and first & 15 != 8 and first != 0x1F:
            continue  # block type 3 is none, and no header of zlib or gzip begins like this
        widths = [-15] if first & 6 != 6 else []
        if first & 15 == 8 and (first << 8 | data[at + 1]) % 31 == 0:
            widths.append(15)
        if first == 0x1F and data[at + 1] == 0x8B:
            widths.append(31)
        for width in widths:
            try:
                out = zlib.decompressobj(width).decompress(data[at:at + 512], 4096)
            except zlib.error:
                continue  # random bytes mostly fail within the first few
            if len(out) < 8:
                continue
            whole = zlib.decompressobj(width)
            out = b""
            try:
                for start in range(at, len(data), 4096):
                    out += whole.decompress(data[start:start + 4096], MEMBERS - len(out) + 1)
                    if whole.eof or len(out) > MEMBERS:
                        break
            except zlib.error:
                pass  # what came before the fault counts
            yield out


def _hidden(data):
    """What hex and Base64 texts in the data stand for, wherever within a run of such characters they begin."""
    for match in HEX.finditer(data):
        text = match[0].decode()
        for start in range(2):
            yield bytes.fromhex(text[start:len(text) - (len(text) - start) % 2])
    for match in BASE64.finditer(data):
        text = match[0].translate(bytes.maketrans(b"-_", b"+/"))
        for start in range(4):
            yield base64.b64decode(text[start:len(text) - (len(text) - start) % 4] + _rest(text[start:]))


def _rest(text):
    """The last, incomplete group of four, filled up; one character alone says nothing."""
    left = len(text) % 4
    return text[-left:] + b"=" * (4 - left) if left > 1 else b""


def search(data, pattern, depth=DEPTH):
    """The first form of a word that is found, or None."""
    found = pattern.search(data)
    if found:
        return found[0]
    if depth == 0:
        return None
    # Long runs of zeros (preallocated files) hide nothing.
    parts = [part for part in re.split(rb"\0{64,}", data) if part]
    hidden = itertools.chain.from_iterable(_hidden(part) for part in parts)
    inflated = itertools.chain.from_iterable(_inflated(part) for part in parts)
    # What inflates is looked at as it is and through its texts; random bytes that seem to inflate give too much for
    # more.
    for inner in inflated:
        found = pattern.search(inner)
        for text in [] if found else _hidden(inner):
            found = found or pattern.search(text)
        if found:
            return found[0]
    for inner in hidden:
        found = search(inner, pattern, depth - 1)
        if found:
            return found
    return None


def database_rows(path):
    """Every row of a RocksDB folder whose process has ended: the library undoes its own compression."""
    name = ctypes.util.find_library("rocksdb")
    assert name, "librocksdb is not installed"
    lib, pointer = ctypes.CDLL(name), ctypes.c_void_p
    for function in ("rocksdb_options_create", "rocksdb_list_column_families", "rocksdb_readoptions_create",
                     "rocksdb_open_for_read_only_column_families", "rocksdb_create_iterator_cf", "rocksdb_iter_key",
                     "rocksdb_iter_value"):
        getattr(lib, function).restype = pointer
    lib.rocksdb_iter_valid.restype = ctypes.c_ubyte
    error, count = ctypes.c_char_p(), ctypes.c_size_t()
    options = pointer(lib.rocksdb_options_create())
    names = lib.rocksdb_list_column_families(options, str(path).encode(), ctypes.byref(count), ctypes.byref(error))
    assert not error.value, error.value
    names = ctypes.cast(names, ctypes.POINTER(ctypes.c_char_p))
    handles, each = (pointer * count.value)(), (pointer * count.value)(*[options.value] * count.value)
    database = lib.rocksdb_open_for_read_only_column_families(
        options,
        str(path).encode(),
        ctypes.c_int(count.value),
        names,
        each,
        handles,
        ctypes.c_ubyte(0),
        ctypes.byref(error),
    )
    assert not error.value, error.value
    reading = pointer(lib.rocksdb_readoptions_create())
    for handle in handles:
        rows = pointer(lib.rocksdb_create_iterator_cf(pointer(database), reading, pointer(handle)))
        lib.rocksdb_iter_seek_to_first(rows)
        while lib.rocksdb_iter_valid(rows):
            size = ctypes.c_size_t()
            key = ctypes.string_at(lib.rocksdb_iter_key(rows, ctypes.byref(size)), size.value)
            yield key, ctypes.string_at(lib.rocksdb_iter_value(rows, ctypes.byref(size)), size.value)
            lib.rocksdb_iter_next(rows)
        lib.rocksdb_iter_destroy(rows)
        lib.rocksdb_column_family_handle_destroy(pointer(handle))
    lib.rocksdb_close(pointer(database))
