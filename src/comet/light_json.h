/*
 * A light block from the JSON of CometBFT's own RPC: the results of `commit` and of `validators` (all on one page) at
 * one height. Everything is checked as light_block.h says; who made the block is not. Views point into the arena.
 * Source: CometBFT v0.38, rpc/openapi/openapi.yaml. Threads: pure.
 */
#ifndef COMET_LIGHT_JSON_H
#define COMET_LIGHT_JSON_H

#include "codec/json.h"
#include "comet/light_block.h"

MUST_USE enum status comet_light_block_of_json(struct comet_light_block *out, struct arena *arena,
    const struct json *commit, const struct json *validators, struct err *err);
/* A time as CometBFT's JSON spells it: RFC 3339 in UTC, at most nine digits of a second. */
bool comet_time_parse(struct comet_time *out, struct bytes text);

#endif
