#include "health/trace/tag_json.h"

#include "codec/hex.h"

void tag_json_put_head(
    struct json_writer *writer, const char *type, uint64_t version, const struct deployment *deployment) {
	json_put_text(writer, "type", type);
	json_put_u64(writer, "v", version);
	json_put_u64(writer, "chainId", deployment->chain_id);
	json_put_hex(writer, "products", BYTES_OF(deployment->products));
}

enum status tag_json_check_head(
    const struct json *root, const char *type, uint64_t version, const struct deployment *deployment, struct err *err) {
	uint64_t shown = 0, chain_id = 0;
	addr20 products;
	if (!json_string_is(json_get(root, "type"), type) || !json_u64(&shown, json_get(root, "v")) ||
	    shown != version || !json_u64(&chain_id, json_get(root, "chainId")) ||
	    !tag_json_fixed(products.b, sizeof products.b, json_get(root, "products")))
		return err_set(
		    err, STATUS_INVALID, "this is not a %s of version %llu", type, (unsigned long long)version);
	if (chain_id == deployment->chain_id && addr20_equal(&products, &deployment->products)) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "this %s is for another chain", type);
}

void tag_json_put_holders(struct json_writer *writer, const struct statement_tag_holders *holders) {
	json_put_u64(writer, "number", holders->number);
	json_array_begin(writer, "holders");
	for (size_t i = 0; i < holders->holder_count; i++) json_put_hex(writer, NULL, BYTES_OF(holders->holders[i]));
	json_array_end(writer);
	json_array_begin(writer, "commitments");
	for (uint8_t i = 0; i < holders->commitments.threshold; i++)
		json_put_hex(writer, NULL, bytes_make(holders->commitments.points[i].xy, VSS_POINT_BYTES));
	json_array_end(writer);
}

bool tag_json_fixed(uint8_t *out, size_t len, const struct json *value) {
	const struct bytes text = json_string(value);
	return text.data && hex_fixed(out, len, text) == STATUS_OK;
}

static bool is_list(const struct json *list) {
	return json_is(list, JSON_ARRAY) && list->count >= 1 && list->count <= STATEMENT_HOLDERS_MAX;
}

static bool read_accounts(struct statement_tag_holders *out, struct arena *arena, const struct json *list) {
	if (!is_list(list)) return false;
	addr20 *holders = arena_zalloc(arena, list->count, sizeof *holders);
	out->holders = holders;
	json_foreach (one, list) {
		addr20 *holder = &holders[out->holder_count];
		if (!tag_json_fixed(holder->b, sizeof holder->b, one)) return false;
		if (out->holder_count && memcmp(holder[-1].b, holder->b, sizeof holder->b) >= 0) return false;
		out->holder_count++;
	}
	return true;
}

static bool read_commitments(struct vss_commitments *out, const struct json *list) {
	struct p256_public points[STATEMENT_HOLDERS_MAX];
	size_t count = 0;
	if (!is_list(list)) return false;
	json_foreach (one, list)
		if (!tag_json_fixed(points[count++].xy, VSS_POINT_BYTES, one)) return false;
	const struct bytes rest = bytes_make((const uint8_t *)points + VSS_POINT_BYTES, (count - 1) * VSS_POINT_BYTES);
	return vss_commitments_read(out, (uint8_t)count, &points[0], rest) == STATUS_OK;
}

bool tag_json_read_holders(struct statement_tag_holders *out, struct arena *arena, const struct json *root) {
	uint64_t number = 0;
	*out = (struct statement_tag_holders){.number = 0};
	if (!json_u64(&number, json_get(root, "number")) || number < 1 || number > UINT32_MAX) return false;
	out->number = (uint32_t)number;
	return read_accounts(out, arena, json_get(root, "holders")) &&
	       read_commitments(&out->commitments, json_get(root, "commitments")) &&
	       out->holder_count >= out->commitments.threshold;
}
