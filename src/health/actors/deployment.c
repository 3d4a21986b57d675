#include "health/actors/deployment.h"

#include <stdio.h>

#include "codec/hex.h"
#include "codec/json.h"

/* The contracts and where their addresses stand. */
struct member {
	const char *name;
	size_t offset;
};
static const struct member contracts[] = {
    {"directory", offsetof(struct deployment, directory)},
    {"folders", offsetof(struct deployment, folders)},
    {"records", offsetof(struct deployment, records)},
    {"consent", offsetof(struct deployment, consent)},
    {"medicines", offsetof(struct deployment, medicines)},
};
#define CONTRACT_COUNT (sizeof contracts / sizeof *contracts)

static enum status read_member(uint8_t *out, size_t len, const struct json *root, const char *name, struct err *err) {
	if (hex_fixed(out, len, json_string(json_get(root, name))) == STATUS_OK) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "deployment: \"%s\" is missing or is no 0x and %zu digits", name, 2 * len);
}

static enum status read_all(struct deployment *out, const struct json *root, struct err *err) {
	if (!json_string_is(json_get(root, "type"), "xinglin-deployment"))
		return err_set(err, STATUS_INVALID, "this is no deployment: its type is not \"xinglin-deployment\"");
	uint64_t version;
	if (!json_u64(&version, json_get(root, "v")) || version != 1)
		return err_set(err, STATUS_UNSUPPORTED, "deployment of another version than 1");
	if (!json_u64(&out->chain_id, json_get(root, "chainId")))
		return err_set(err, STATUS_INVALID, "deployment: \"chainId\" is missing or is no number");
	TRY(read_member(out->genesis.b, 32, root, "genesis", err));
	TRY(read_member(out->sealer.b, 20, root, "sealer", err));
	for (size_t i = 0; i < CONTRACT_COUNT; i++)
		TRY(read_member((uint8_t *)out + contracts[i].offset, 20, root, contracts[i].name, err));
	struct bytes url = json_string(json_get(root, "rpc"));
	if (!url.data || url.len >= sizeof out->rpc_url)
		return err_set(err, STATUS_INVALID, "deployment: \"rpc\" is missing or too long");
	snprintf(out->rpc_url, sizeof out->rpc_url, "%.*s", (int)url.len, (const char *)url.data);
	return STATUS_OK;
}

enum status deployment_parse(struct deployment *out, struct bytes json, struct err *err) {
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	*out = (struct deployment){0};
	enum status status = json_parse(&root, &arena, json, NULL, err);
	if (status == STATUS_OK) status = read_all(out, root, err);
	arena_fini(&arena);
	return status;
}

void deployment_write(struct buf *out, const struct deployment *deployment) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "type", "xinglin-deployment");
	json_put_u64(&writer, "v", 1);
	json_put_u64(&writer, "chainId", deployment->chain_id);
	json_put_hex(&writer, "genesis", BYTES_OF(deployment->genesis));
	json_put_hex(&writer, "sealer", BYTES_OF(deployment->sealer));
	json_put_text(&writer, "rpc", deployment->rpc_url);
	for (size_t i = 0; i < CONTRACT_COUNT; i++)
		json_put_hex(
		    &writer, contracts[i].name, bytes_make((const uint8_t *)deployment + contracts[i].offset, 20));
	json_object_end(&writer);
}
