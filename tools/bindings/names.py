"""Names: Solidity's camelCase as C's snake_case."""
import re

RESERVED = {"again", "arena", "args", "calldata", "err", "event", "found", "log", "out", "output", "call", "row", "reader", "words",
            "word", "i", "index"}
C_WORDS = {"default", "register", "switch", "case", "int", "long", "short", "static", "struct", "union", "void"}


def snake(name):
    """keyX -> key_x, EpochStarted -> epoch_started, minutes_ -> minutes."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).strip("_")
    return words.lower()


def member(name, otherwise="value"):
    """A name that C can have as a struct's member."""
    made = snake(name) or otherwise
    return made + "_" if made in C_WORDS else made


def parameter(name, otherwise="value"):
    """A name that C can have as a function's parameter beside those that the generated code itself uses."""
    made = member(name, otherwise)
    return "the_" + made if made in RESERVED else made
