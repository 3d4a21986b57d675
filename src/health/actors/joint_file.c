/* The file of a statement that several sign. */
#include "codec/hex.h"
#include "health/actors/joint.h"

static const char *const kinds[JOINT_KINDS] = {[JOINT_REGISTRARS] = "registrars",
    [JOINT_STANDING] = "standing",
    [JOINT_KEY] = "key",
    [JOINT_TAG_HOLDERS] = "tag-holders"};

/* --- writing --- */

static void put_addresses(struct json_writer *writer, const char *name, const addr20 *all, size_t count) {
	json_array_begin(writer, name);
	for (size_t i = 0; i < count; i++) json_put_hex(writer, NULL, BYTES_OF(all[i]));
	json_array_end(writer);
}

static void put_registrars(struct json_writer *writer, const struct directory_registrars *said) {
	json_put_u64(writer, "number", said->number);
	json_put_hex(writer, "previous", BYTES_OF(said->previous));
	put_addresses(writer, "registrars", said->registrars, said->registrars_count);
	json_put_u64(writer, "threshold", said->threshold);
	json_put_bool(writer, "theft", said->theft);
	put_addresses(writer, "affirmed", said->affirmed, said->affirmed_count);
	json_put_u64(writer, "deadline", said->deadline);
}

static void put_standing(struct json_writer *writer, const struct directory_standing *said) {
	json_put_hex(writer, "actor", BYTES_OF(said->actor));
	json_put_u64(writer, "status", said->status);
	json_put_u64(writer, "emergenciesADay", said->emergencies_a_day);
	json_put_hex(writer, "reason", BYTES_OF(said->reason));
	json_put_u64(writer, "number", said->number);
	json_put_u64(writer, "deadline", said->deadline);
}

static void put_key(struct json_writer *writer, const struct directory_key_change *said) {
	json_put_hex(writer, "actor", BYTES_OF(said->actor));
	json_put_u64(writer, "version", said->version);
	json_put_hex(writer, "previous", BYTES_OF(said->previous));
	json_put_hex(writer, "keyX", BYTES_OF(said->key_x));
	json_put_hex(writer, "keyY", BYTES_OF(said->key_y));
	json_put_hex(writer, "factsKey", BYTES_OF(said->facts_key));
	json_put_bool(writer, "stolen", said->stolen);
	json_put_u64(writer, "deadline", said->deadline);
}

static void put_tag_holders(struct json_writer *writer, const struct products_tag_holders *said) {
	json_put_u64(writer, "number", said->number);
	json_put_hex(writer, "previous", BYTES_OF(said->previous));
	put_addresses(writer, "holders", said->holders, said->holders_count);
	json_put_u64(writer, "threshold", said->threshold);
	json_array_begin(writer, "commitments");
	for (size_t i = 0; i < said->commitments_count; i++) json_put_hex(writer, NULL, BYTES_OF(said->commitments[i]));
	json_array_end(writer);
	json_put_u64(writer, "deadline", said->deadline);
}

static void put_statement(struct json_writer *writer, const struct joint_statement *joint) {
	switch (joint->kind) {
	case JOINT_REGISTRARS: put_registrars(writer, &joint->registrars); break;
	case JOINT_STANDING: put_standing(writer, &joint->standing); break;
	case JOINT_KEY: put_key(writer, &joint->key); break;
	case JOINT_TAG_HOLDERS: put_tag_holders(writer, &joint->tag_holders); break;
	case JOINT_KINDS: BUG_ON(true);
	}
}

enum status joint_write(
    struct buf *out, const struct joint_statement *joint, const struct deployment *deployment, struct err *err) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "type", "xinglin-joint");
	json_put_u64(&writer, "v", 1);
	json_put_u64(&writer, "chainId", deployment->chain_id);
	json_put_hex(&writer, "directory", BYTES_OF(deployment->directory));
	json_put_text(&writer, "kind", kinds[joint->kind]);
	json_object_begin(&writer, "statement");
	put_statement(&writer, joint);
	json_object_end(&writer);
	if (joint->kind == JOINT_KEY)
		json_put_hex(&writer, "possession", bytes_make(joint->possession, sizeof joint->possession));
	json_array_begin(&writer, "signatures");
	for (size_t i = 0; i < joint->count; i++) json_put_hex(&writer, NULL, BYTES_OF(joint->signatures[i].signature));
	json_array_end(&writer);
	json_object_end(&writer);
	return buf_status(out, err);
}

/* --- reading --- */

/* The first fault stays; `fault` names the member. */
struct form {
	struct arena *arena;
	const struct json *from;
	const char *fault;
};

static void read_hex(struct form *form, uint8_t *out, size_t len, const char *name) {
	if (hex_fixed(out, len, json_string(json_get(form->from, name))) != STATUS_OK && !form->fault)
		form->fault = name;
}

static uint64_t read_number(struct form *form, const char *name, uint64_t max) {
	uint64_t value = 0;
	if ((!json_u64(&value, json_get(form->from, name)) || value > max) && !form->fault) form->fault = name;
	return value;
}

static bool read_bool(struct form *form, const char *name) {
	const struct json *value = json_get(form->from, name);
	if (!json_is(value, JSON_TRUE) && !json_is(value, JSON_FALSE) && !form->fault) form->fault = name;
	return json_is(value, JSON_TRUE);
}

static const addr20 *read_addresses(struct form *form, const char *name, size_t *count, size_t max) {
	const struct json *list = json_get(form->from, name);
	*count = 0;
	if (!json_is(list, JSON_ARRAY) || list->count > max) {
		if (!form->fault) form->fault = name;
		return NULL;
	}
	addr20 *all = arena_zalloc(form->arena, list->count + 1, sizeof *all);
	json_foreach (entry, list)
		if (hex_fixed(all[(*count)++].b, 20, json_string(entry)) != STATUS_OK && !form->fault)
			form->fault = name;
	return all;
}

static void read_registrars(struct form *form, struct directory_registrars *out) {
	out->number = (uint32_t)read_number(form, "number", UINT32_MAX);
	read_hex(form, out->previous.b, 32, "previous");
	out->registrars = read_addresses(form, "registrars", &out->registrars_count, STATEMENT_REGISTRARS_MAX);
	out->threshold = (uint8_t)read_number(form, "threshold", STATEMENT_REGISTRARS_MAX);
	out->theft = read_bool(form, "theft");
	out->affirmed = read_addresses(form, "affirmed", &out->affirmed_count, JOINT_AFFIRMED_MAX);
	out->deadline = read_number(form, "deadline", UINT64_MAX);
}

static void read_standing(struct form *form, struct directory_standing *out) {
	read_hex(form, out->actor.b, 20, "actor");
	out->status = (enum directory_status)read_number(form, "status", DIRECTORY_STATUS_WITHDRAWN);
	if (out->status == DIRECTORY_STATUS_NONE && !form->fault) form->fault = "status";
	out->emergencies_a_day = (uint16_t)read_number(form, "emergenciesADay", UINT16_MAX);
	read_hex(form, out->reason.b, 32, "reason");
	out->number = read_number(form, "number", UINT64_MAX);
	out->deadline = read_number(form, "deadline", UINT64_MAX);
}

static void read_key(struct form *form, struct directory_key_change *out) {
	read_hex(form, out->actor.b, 20, "actor");
	out->version = (uint32_t)read_number(form, "version", UINT32_MAX);
	read_hex(form, out->previous.b, 32, "previous");
	read_hex(form, out->key_x.b, 32, "keyX");
	read_hex(form, out->key_y.b, 32, "keyY");
	read_hex(form, out->facts_key.b, 32, "factsKey");
	out->stolen = read_bool(form, "stolen");
	out->deadline = read_number(form, "deadline", UINT64_MAX);
}

static const hash32 *read_words(struct form *form, const char *name, size_t *count, size_t max) {
	const struct json *list = json_get(form->from, name);
	*count = 0;
	if (!json_is(list, JSON_ARRAY) || list->count > max) {
		if (!form->fault) form->fault = name;
		return NULL;
	}
	hash32 *all = arena_zalloc(form->arena, list->count + 1, sizeof *all);
	json_foreach (entry, list)
		if (hex_fixed(all[(*count)++].b, 32, json_string(entry)) != STATUS_OK && !form->fault)
			form->fault = name;
	return all;
}

static void read_tag_holders(struct form *form, struct products_tag_holders *out) {
	out->number = (uint32_t)read_number(form, "number", UINT32_MAX);
	read_hex(form, out->previous.b, 32, "previous");
	out->holders = read_addresses(form, "holders", &out->holders_count, JOINT_HOLDERS_MAX);
	out->threshold = (uint8_t)read_number(form, "threshold", JOINT_HOLDERS_MAX);
	out->commitments = read_words(form, "commitments", &out->commitments_count, 2 * JOINT_HOLDERS_MAX);
	out->deadline = read_number(form, "deadline", UINT64_MAX);
}

static enum status bad(struct err *err, const char *member) {
	return err_set(err, STATUS_INVALID, "statement: \"%s\" is missing or malformed", member);
}

static enum status read_statement(struct joint_statement *out, struct form *form, const struct deployment *deployment,
    const struct json *root, struct err *err) {
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->directory);
	form->from = json_get(root, "statement");
	if (!json_is(form->from, JSON_OBJECT)) return bad(err, "statement");
	if (json_string_is(json_get(root, "kind"), kinds[JOINT_REGISTRARS])) {
		out->kind = JOINT_REGISTRARS;
		read_registrars(form, &out->registrars);
		out->digest = directory_registrars_typed_digest(&out->registrars, &domain);
	} else if (json_string_is(json_get(root, "kind"), kinds[JOINT_STANDING])) {
		out->kind = JOINT_STANDING;
		read_standing(form, &out->standing);
		out->digest = directory_standing_typed_digest(&out->standing, &domain);
	} else if (json_string_is(json_get(root, "kind"), kinds[JOINT_KEY])) {
		out->kind = JOINT_KEY;
		read_key(form, &out->key);
		out->digest = directory_key_change_typed_digest(&out->key, &domain);
		form->from = root;
		read_hex(form, out->possession, sizeof out->possession, "possession");
	} else if (json_string_is(json_get(root, "kind"), kinds[JOINT_TAG_HOLDERS])) {
		const struct eip712_domain products = deployment_domain(deployment, &deployment->products);
		out->kind = JOINT_TAG_HOLDERS;
		read_tag_holders(form, &out->tag_holders);
		out->digest = products_tag_holders_typed_digest(&out->tag_holders, &products);
	} else {
		return bad(err, "kind");
	}
	return form->fault ? bad(err, form->fault) : STATUS_OK;
}

static enum status read_signatures(struct joint_statement *out, const struct json *list, struct err *err) {
	if (!json_is(list, JSON_ARRAY) || list->count > JOINT_SIGNATURES_MAX) return bad(err, "signatures");
	json_foreach (entry, list) {
		struct joint_signature *one = &out->signatures[out->count];
		if (hex_fixed(one->signature.b, 65, json_string(entry)) != STATUS_OK ||
		    eth_signer(&one->signer, &one->signature, &out->digest) != STATUS_OK)
			return bad(err, "signatures");
		if (out->count && memcmp(one[-1].signer.b, one->signer.b, 20) >= 0)
			return err_set(err, STATUS_INVALID,
			    "statement: a signature is of another statement, or they are not in the signers' order");
		out->count++;
	}
	return STATUS_OK;
}

enum status joint_parse(struct joint_statement *out, struct arena *arena, const struct deployment *deployment,
    struct bytes json, struct err *err) {
	const struct json *root;
	struct form form = {.arena = arena};
	uint64_t version, chain_id;
	addr20 directory;
	*out = (struct joint_statement){0};
	TRY(json_parse(&root, arena, json, NULL, err));
	if (!json_string_is(json_get(root, "type"), "xinglin-joint"))
		return err_set(err, STATUS_INVALID, "this is no statement to sign: its type is not \"xinglin-joint\"");
	if (!json_u64(&version, json_get(root, "v"))) return bad(err, "v");
	if (version != 1) return err_set(err, STATUS_UNSUPPORTED, "statement of another version than 1");
	if (!json_u64(&chain_id, json_get(root, "chainId")) || chain_id != deployment->chain_id)
		return err_set(err, STATUS_INVALID, "the statement is for another chain");
	if (hex_fixed(directory.b, 20, json_string(json_get(root, "directory"))) != STATUS_OK ||
	    !addr20_equal(&directory, &deployment->directory))
		return err_set(err, STATUS_INVALID, "the statement is for another directory");
	TRY(read_statement(out, &form, deployment, root, err));
	return read_signatures(out, json_get(root, "signatures"), err);
}
