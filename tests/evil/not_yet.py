"""Lies that a program still believes: {program: {why: lies}}. Each is expected to fail, strictly: once the program has
learned to disbelieve it, its test says so, and the entry goes. Nothing that was beaten before is added here."""

OUTBOX = "nonces and receipts are the node's word still"

NOT_YET = {
    "access ask": {
        OUTBOX: ["a nonce too high", "a nonce too low"],
    },
    "record add": {
        OUTBOX: ["a nonce too high", "a nonce too low", "success of what was never sent"],
    },
    "relay": {
        OUTBOX: ["a nonce too high", "a nonce too low", "success of what was never sent"],
    },
}
