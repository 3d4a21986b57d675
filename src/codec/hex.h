/*
 * Hexadecimal, as Ethereum's JSON-RPC spells it: "0x…" for data (even digits) and quantities (no leading zeros, "0x0").
 * Also base64url without padding (RFC 4648 §5) for the envelope. Strict: what is not exactly that is refused.
 * Threads: pure.
 */
#ifndef CODEC_HEX_H
#define CODEC_HEX_H

#include "base/mem.h"

/* Lower-case digits, with "0x" in front where `prefix`. */
void hex_put(struct buf *out, struct bytes data, bool prefix);
void hex_put_quantity(struct buf *out, uint64_t value);
/* Big-endian number of any size, leading zeros dropped. */
void hex_put_quantity_be(struct buf *out, struct bytes big_endian);

/* "0x" + an even count of digits into `out` (appended). STATUS_INVALID otherwise. */
MUST_USE enum status hex_data(struct buf *out, struct bytes text);
/* Exactly `len` bytes. */
MUST_USE enum status hex_fixed(uint8_t *out, size_t len, struct bytes text);
/* A quantity of at most 64 / 256 bits; big-endian in out[32]. Leading zeros are refused. */
MUST_USE enum status hex_quantity(uint64_t *out, struct bytes text);
MUST_USE enum status hex_quantity256(uint8_t out[32], struct bytes text);

void base64url_put(struct buf *out, struct bytes data);
/* With "+", "/" and padding (RFC 4648 §4), as others' interfaces want it. */
void base64_put(struct buf *out, struct bytes data);
/* The same form, with its padding, appended; strict. */
MUST_USE enum status base64_data(struct buf *out, struct bytes text);
/* Refuses padding, other alphabets, and set bits behind the last byte. */
MUST_USE enum status base64url_data(struct buf *out, struct bytes text);

#endif
