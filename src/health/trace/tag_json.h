/* Inside trace: what the files about the tags' key have in common: whose chain, which holders, which commitments. */
#ifndef HEALTH_TRACE_TAG_JSON_H
#define HEALTH_TRACE_TAG_JSON_H

#include "codec/json.h"
#include "health/chain/deployment.h"
#include "health/statements/tags_key.h"

/* "type", "v", "chainId", "products". */
void tag_json_put_head(
    struct json_writer *writer, const char *type, uint64_t version, const struct deployment *deployment);
/* STATUS_INVALID: it is of another type or version. STATUS_DENIED: of another chain. */
MUST_USE enum status tag_json_check_head(
    const struct json *root, const char *type, uint64_t version, const struct deployment *deployment, struct err *err);

/* "number", "holders", "commitments". */
void tag_json_put_holders(struct json_writer *writer, const struct statement_tag_holders *holders);
/* False: a member is missing or makes no sense: 1 to STATEMENT_HOLDERS_MAX holders, ascending, no fewer than
 * commitments. */
bool tag_json_read_holders(struct statement_tag_holders *out, struct arena *arena, const struct json *root);

/* "0x…" of exactly this length. */
bool tag_json_fixed(uint8_t *out, size_t len, const struct json *value);

#endif
