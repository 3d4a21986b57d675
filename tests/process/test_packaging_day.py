"""A small day of a packaging line: bench/packaging_day.py, which measures a large one."""
import argparse
import importlib.util
import pathlib

import machine
import trading

PATH = pathlib.Path(__file__).parents[2] / "bench" / "packaging_day.py"
spec = importlib.util.spec_from_file_location("packaging_day", PATH)
packaging_day = importlib.util.module_from_spec(spec)
spec.loader.exec_module(packaging_day)


class Day(packaging_day.Day):
    """With serials that the product's table can tell from each other."""

    prefix, gtin = "", packaging_day.GTIN
    fragment = trading.Trade.fragment

    def __init__(self, *arguments):
        self.keys, self.low_bits = {}, set()
        super().__init__(*arguments)

    def serials(self, head, count):
        with self.lock:
            return trading.Trade.sound(self, head, count)


def test_a_day_of_two_lines_from_packs_to_the_recall_though_a_line_and_the_node_are_killed(tmp_path):
    options = argparse.Namespace(packs=1200, lines=2, a_document=300, a_case=20)
    day = Day(machine, tmp_path, options)
    try:
        measured = day.all()
    finally:
        day.c.node.stop()
    assert measured["packs"] == 1200
