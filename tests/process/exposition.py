"""A strict reader of Prometheus' text format (version 0.0.4), as far as this program writes it."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        assert found and found[1] not in labels, f"bad labels: {text}"
        labels[found[1]] = found[2]
        at = found.end()
    return labels


def families(text):
    """{family: (type, [(name, labels, value)])}; every rule that is broken is an AssertionError."""
    assert text.endswith("\n")
    out, current, seen = {}, None, set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            assert current not in out, f"{current} comes twice"
            out[current] = (None, [])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current and out[name] == (None, []) and kind in ("counter", "gauge", "histogram")
            out[name] = (kind, [])
        else:
            found = SAMPLE.fullmatch(line)
            assert found, f"not a sample: {line}"
            name, labels, value = found[1], labels_of(found[2] or ""), float(found[3])
            kind = out[current][0]
            endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            assert name in {current + ending for ending in endings}, f"{name} stands below {current}"
            assert (name, *sorted(labels.items())) not in seen, f"twice: {line}"
            seen.add((name, *sorted(labels.items())))
            out[current][1].append((name, labels, value))
    for name, (kind, samples) in out.items():
        if kind == "histogram":
            check_histogram(name, samples)
    return out


def check_histogram(name, samples):
    rows = {}
    for sample, labels, value in samples:
        key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        row = rows.setdefault(key, {"buckets": []})
        if sample == name + "_bucket":
            row["buckets"].append((float(labels["le"]), value))
        else:
            row[sample[len(name):]] = value
    for row in rows.values():
        bounds = [bound for bound, _ in row["buckets"]]
        counts = [count for _, count in row["buckets"]]
        assert bounds == sorted(bounds) and bounds[-1] == float("inf") and counts == sorted(counts)
        assert counts[-1] == row["_count"] and row["_sum"] >= 0


def value(found, family, **labels):
    """The one value of a family with these labels among its own."""
    values = [v for _, have, v in found[family][1] if labels.items() <= have.items()]
    assert len(values) == 1, f"{family} {labels}: {values}"
    return values[0]
