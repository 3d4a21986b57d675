/* The plaintext of a sealed document: building, writing, parsing. Sealing is in document_seal.c,
 * what the chain says of it in document_check.c. */
#include "health/trace/document.h"

#include <stdlib.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "health/gs1/epc.h"
#include "health/trace/tags.h"

#define VERSION 2u
#define UNITS_MAX 100000u

static hash32 hash_of(const struct document *document) {
	struct bytes parts[] = {BYTES_LITERAL("xinglin/document/1"), BYTES_OF(document->salt), document->epcis};
	return sha256_parts(parts, 3);
}

static hash32 salt_of(struct actor_request *request, struct bytes epcis) {
	static const char domain[] = "xinglin document";
	uint8_t info[sizeof domain - 1 + 32];
	hash32 salt, text = sha256(epcis);
	memcpy(info, domain, sizeof domain - 1);
	memcpy(info + sizeof domain - 1, text.b, 32);
	if (epcis.len)
		hkdf_sha256(salt.b, 32, (struct bytes){NULL, 0},
		    bytes_make(request->home->entropy, sizeof request->home->entropy), bytes_make(info, sizeof info));
	else
		random_fill(request->random, salt.b, 32);
	return salt;
}

void document_init(struct document *out, struct actor_request *request, struct bytes epcis) {
	*out = (struct document){.salt = salt_of(request, epcis), .sender = request->home->account, .epcis = epcis};
	out->hash = hash_of(out);
}

/* Room for one more of `size` bytes. */
static void *grown(struct arena *arena, void *old, uint32_t count, uint32_t *room, size_t size) {
	if (count < *room) return old;
	*room = *room ? 2 * *room : 16;
	uint8_t *larger = arena_zalloc(arena, *room, size);
	if (count) memcpy(larger, old, count * size);
	return larger;
}

/* The place of what has this name; false: it is new, and has the place `next` from now on. */
static bool is_there(struct places *places, struct arena *arena, uint32_t *out, struct bytes name, uint32_t next) {
	const hash32 hash = sha256(name);
	const uint32_t *place = places_get(places, &hash);
	*out = place ? *place : next;
	if (!place) places_put(places, arena, &hash, next);
	return place != NULL;
}

uint32_t document_add_batch(struct document *document, struct arena *arena, const struct document_batch *batch) {
	uint32_t at;
	if (is_there(&document->batch_places, arena, &at, BYTES_OF(batch->id), document->batch_count)) return at;
	document->batches =
	    grown(arena, document->batches, document->batch_count, &document->batch_room, sizeof *document->batches);
	document->batches[document->batch_count] = *batch;
	return document->batch_count++;
}

uint32_t document_add_part(struct document *document, struct arena *arena, const struct document_part *part) {
	uint8_t name[8];
	uint32_t at;
	store_be32(name, part->batch);
	store_be32(name + 4, part->number);
	if (is_there(&document->part_places, arena, &at, bytes_make(name, sizeof name), document->part_count))
		return at;
	document->parts =
	    grown(arena, document->parts, document->part_count, &document->part_room, sizeof *document->parts);
	document->parts[document->part_count] = *part;
	return document->part_count++;
}

void document_name_container(struct document_container *container) {
	const hash32 tag = tag_container(&container->salt, container->code);
	container->id = tag_container_id(&container->opener, &tag);
}

uint32_t document_add_container(
    struct document *document, struct arena *arena, const struct document_container *container) {
	uint32_t at;
	if (is_there(&document->container_places, arena, &at, BYTES_OF(container->id), document->container_count))
		return at;
	document->containers = grown(arena, document->containers, document->container_count, &document->container_room,
	    sizeof *document->containers);
	document->containers[document->container_count] = *container;
	document->containers[document->container_count].code = arena_strdup(arena, bytes_text(container->code));
	return document->container_count++;
}

uint32_t document_container_at(const struct document *document, const hash32 *id) {
	uint32_t at = 0;
	while (at < document->container_count && !hash32_equal(&document->containers[at].id, id)) at++;
	BUG_ON(at == document->container_count);
	return at;
}

void document_add_unit(struct document *document, struct arena *arena, const struct document_unit *unit) {
	document->units =
	    grown(arena, document->units, document->unit_count, &document->unit_room, sizeof *document->units);
	document->units[document->unit_count++] = *unit;
}

/* --- parts --- */

#define GTIN_DIGITS 14u
#define LOT_MAX 20u
#define SERIAL_MAX 20u
#define LEAF_DOMAIN "xinglin/pack/1"

/* With its length before it, so that no other division of lot, expiry and serial gives the same bytes. */
static size_t put_text(uint8_t *out, const char *text, size_t most) {
	size_t len = strlen(text);
	BUG_ON(len > most);
	out[0] = (uint8_t)len;
	memcpy(out + 1, text, len);
	return len + 1;
}

hash32 document_leaf(const struct document_batch *batch, const struct document_unit *unit) {
	uint8_t text[sizeof LEAF_DOMAIN - 1 + GTIN_DIGITS + 1 + LOT_MAX + 8 + 1 + SERIAL_MAX + 32];
	size_t len = sizeof LEAF_DOMAIN - 1;
	BUG_ON(strlen(batch->gtin) != GTIN_DIGITS);
	memcpy(text, LEAF_DOMAIN, len);
	memcpy(text + len, batch->gtin, GTIN_DIGITS);
	len += GTIN_DIGITS;
	len += put_text(text + len, batch->lot, LOT_MAX);
	store_be64(text + len, batch->expiry_s);
	len += 8;
	len += put_text(text + len, unit->serial, SERIAL_MAX);
	memcpy(text + len, unit->tag.b, sizeof unit->tag.b);
	return merkle_leaf(bytes_make(text, len + sizeof unit->tag.b));
}

static int compare_members(const void *a, const void *b) {
	const struct merkle_member *one = a, *other = b;
	return one->place < other->place ? -1 : one->place > other->place;
}

/* The units of each part: those of part p are units[starts[p]] to units[starts[p + 1] - 1]. */
struct unit_groups {
	uint32_t *starts, *units;
};

static struct unit_groups group_units(const struct document *document, struct arena *arena) {
	struct unit_groups out = {.starts = arena_zalloc(arena, (size_t)document->part_count + 2, sizeof *out.starts),
	    .units = arena_alloc(arena, ((size_t)document->unit_count + 1) * sizeof *out.units)};
	for (uint32_t i = 0; i < document->unit_count; i++)
		if (document->units[i].part != DOCUMENT_NO_PART) out.starts[document->units[i].part + 2]++;
	for (uint32_t p = 0; p < document->part_count; p++) out.starts[p + 2] += out.starts[p + 1];
	for (uint32_t i = 0; i < document->unit_count; i++)
		if (document->units[i].part != DOCUMENT_NO_PART)
			out.units[out.starts[document->units[i].part + 1]++] = i;
	return out;
}

/* A part's units in the document, ascending; each has its unit's path, or room for one. */
static struct merkle_member *members_of(const struct document *document, size_t *count, uint32_t part,
    const struct unit_groups *groups, bool with_room, struct arena *arena) {
	const struct document_part *of = &document->parts[part];
	const size_t depth = merkle_depth(of->count);
	const uint32_t *units = groups->units + groups->starts[part];
	*count = groups->starts[part + 1] - groups->starts[part];
	struct merkle_member *members = arena_zalloc(arena, *count + 1, sizeof *members);
	for (size_t i = 0; i < *count; i++) {
		const struct document_unit *unit = &document->units[units[i]];
		members[i] = (struct merkle_member){.place = unit->index - of->first,
		    .leaf = document_leaf(&document->batches[unit->batch], unit),
		    .path = with_room ? arena_alloc(arena, (depth + 1) * sizeof *members->path) : (hash32 *)unit->path,
		    .path_len = unit->path_len};
	}
	qsort(members, *count, sizeof *members, compare_members);
	return members;
}

static bool prove_part(struct document *document, struct arena *arena, uint32_t part, const struct unit_groups *groups,
    const hash32 *proof, size_t proof_len) {
	struct document_part *of = &document->parts[part];
	size_t count;
	struct merkle_member *members = members_of(document, &count, part, groups, true, arena);
	if (!merkle_set_root(&of->root, members, count, of->count, proof, proof_len)) return false;
	/* back to the units: by their place, which is unique now */
	struct merkle_member wanted;
	for (uint32_t i = groups->starts[part]; i < groups->starts[part + 1]; i++) {
		struct document_unit *unit = &document->units[groups->units[i]];
		wanted.place = unit->index - of->first;
		const struct merkle_member *member = bsearch(&wanted, members, count, sizeof *members, compare_members);
		unit->path = member->path;
		unit->path_len = member->path_len;
	}
	return true;
}

bool document_prove_part(
    struct document *document, struct arena *arena, uint32_t part, const hash32 *proof, size_t proof_len) {
	const struct unit_groups groups = group_units(document, arena);
	return prove_part(document, arena, part, &groups, proof, proof_len);
}

/* --- writing --- */

static void write_batches(struct json_writer *writer, const struct document *document) {
	json_array_begin(writer, "batches");
	for (uint32_t i = 0; i < document->batch_count; i++) {
		const struct document_batch *batch = &document->batches[i];
		json_object_begin(writer, NULL);
		json_put_text(writer, "gtin", batch->gtin);
		json_put_text(writer, "lot", batch->lot);
		json_put_u64(writer, "expiry", batch->expiry_s);
		json_put_hex(writer, "owner", BYTES_OF(batch->owner));
		json_put_hex(writer, "regulator", BYTES_OF(batch->regulator));
		json_put_hex(writer, "id", BYTES_OF(batch->id));
		json_object_end(writer);
	}
	json_array_end(writer);
}

static void write_part(struct json_writer *writer, const struct document *document, uint32_t at,
    const struct unit_groups *groups, struct arena *arena) {
	const struct document_part *part = &document->parts[at];
	struct arena_mark mark = arena_mark(arena);
	size_t count;
	struct merkle_member *members = members_of(document, &count, at, groups, false, arena);
	size_t len = count ? merkle_set_proof(NULL, 0, members, count, part->count) : 0;
	hash32 *proof = arena_alloc(arena, (len + 1) * sizeof *proof);
	if (count) merkle_set_proof(proof, len, members, count, part->count);
	json_object_begin(writer, NULL);
	json_put_u64(writer, "batch", part->batch);
	json_put_u64(writer, "number", part->number);
	json_put_u64(writer, "first", part->first);
	json_put_u64(writer, "count", part->count);
	json_array_begin(writer, "proof");
	for (size_t i = 0; i < len; i++) json_put_hex(writer, NULL, BYTES_OF(proof[i]));
	json_array_end(writer);
	json_object_end(writer);
	arena_rewind(arena, mark);
}

static void write_unit(struct json_writer *writer, const struct document_unit *unit) {
	json_object_begin(writer, NULL);
	json_put_text(writer, "serial", unit->serial);
	if (unit->part == DOCUMENT_NO_PART) {
		json_put_u64(writer, "batch", unit->batch);
	} else {
		json_put_u64(writer, "part", unit->part);
		json_put_u64(writer, "index", unit->index);
	}
	json_put_hex(writer, "tag", BYTES_OF(unit->tag));
	if (unit->container != DOCUMENT_NO_CONTAINER) json_put_u64(writer, "container", unit->container);
	json_object_end(writer);
}

void document_write(struct buf *out, const struct document *document, const struct actor_request *request) {
	const struct unit_groups groups = group_units(document, request->arena);
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", VERSION);
	json_put_u64(&writer, "chainId", request->home->deployment.chain_id);
	json_put_hex(&writer, "medicines", BYTES_OF(request->home->deployment.medicines));
	json_put_hex(&writer, "sender", BYTES_OF(document->sender));
	json_put_hex(&writer, "salt", BYTES_OF(document->salt));
	json_put_string(&writer, "epcis", document->epcis);
	write_batches(&writer, document);
	json_array_begin(&writer, "parts");
	for (uint32_t i = 0; i < document->part_count; i++) write_part(&writer, document, i, &groups, request->arena);
	json_array_end(&writer);
	json_array_begin(&writer, "containers");
	for (uint32_t i = 0; i < document->container_count; i++) {
		json_object_begin(&writer, NULL);
		json_put_text(&writer, "code", document->containers[i].code);
		json_put_hex(&writer, "opener", BYTES_OF(document->containers[i].opener));
		json_put_hex(&writer, "salt", BYTES_OF(document->containers[i].salt));
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_array_begin(&writer, "units");
	for (uint32_t i = 0; i < document->unit_count; i++) write_unit(&writer, &document->units[i]);
	json_array_end(&writer);
	json_object_end(&writer);
}

/* --- parsing --- */

static bool read_u32(uint32_t *out, const struct json *value, uint32_t below) {
	uint64_t number;
	if (!json_u64(&number, value) || number >= below) return false;
	*out = (uint32_t)number;
	return true;
}

static bool read_hex(uint8_t *out, size_t len, const struct json *value) {
	return json_string(value).data && hex_fixed(out, len, json_string(value)) == STATUS_OK;
}

static const char *read_text(struct arena *arena, const struct json *value) {
	struct bytes text = json_string(value);
	return text.data && !memchr(text.data, 0, text.len) ? arena_strdup(arena, text) : NULL;
}

/* What a sender writes is not believed: identifiers have GS1's form, so that they fit wherever they are used. */
static bool is_lot_or_serial(const char *text) {
	return text && strlen(text) <= 20 && gs1_is_cset82(bytes_text(text));
}

static bool is_gtin(const char *text) {
	return text && strlen(text) == 14 && gs1_check_digit_holds(bytes_text(text));
}

static bool is_code_or_none(const char *text) {
	char code[EPC_CODE_MAX];
	struct scan scan;
	if (!text || !text[0]) return text != NULL;
	scan_read(&scan, bytes_text(text));
	return scan.fault == SCAN_FAULT_NONE && epc_container_code(code, &scan) && strcmp(code, text) == 0;
}

static bool read_batch(struct document *document, struct arena *arena, const struct json *json) {
	struct document_batch batch = {
	    .gtin = read_text(arena, json_get(json, "gtin")), .lot = read_text(arena, json_get(json, "lot"))};
	uint32_t before = document->batch_count;
	return is_gtin(batch.gtin) && is_lot_or_serial(batch.lot) &&
	       json_u64(&batch.expiry_s, json_get(json, "expiry")) &&
	       read_hex(batch.owner.b, 20, json_get(json, "owner")) &&
	       read_hex(batch.regulator.b, 20, json_get(json, "regulator")) &&
	       read_hex(batch.id.b, 32, json_get(json, "id")) && document_add_batch(document, arena, &batch) == before;
}

static bool read_part(struct document *document, struct arena *arena, const struct json *json) {
	struct document_part part = {.count = 0};
	uint32_t before = document->part_count;
	return read_u32(&part.batch, json_get(json, "batch"), document->batch_count) &&
	       read_u32(&part.number, json_get(json, "number"), UINT32_MAX) &&
	       read_u32(&part.first, json_get(json, "first"), UINT32_MAX) &&
	       read_u32(&part.count, json_get(json, "count"), UINT32_MAX) && part.count > 0 &&
	       part.count <= UINT32_MAX - part.first && document_add_part(document, arena, &part) == before;
}

static bool read_container(struct document *document, struct arena *arena, const struct json *json) {
	struct document_container container = {.code = read_text(arena, json_get(json, "code"))};
	uint32_t before = document->container_count;
	if (!is_code_or_none(container.code) || !read_hex(container.opener.b, 20, json_get(json, "opener")) ||
	    !read_hex(container.salt.b, 32, json_get(json, "salt")))
		return false;
	document_name_container(&container);
	return document_add_container(document, arena, &container) == before;
}

static bool read_unit(struct document *document, struct arena *arena, const struct json *json) {
	struct document_unit unit = {
	    .serial = read_text(arena, json_get(json, "serial")), .container = DOCUMENT_NO_CONTAINER};
	const struct json *container = json_get(json, "container");
	if (!is_lot_or_serial(unit.serial)) return false;
	if (!read_hex(unit.tag.b, 32, json_get(json, "tag"))) return false;
	if (container && !read_u32(&unit.container, container, document->container_count)) return false;
	unit.part = DOCUMENT_NO_PART;
	if (read_u32(&unit.batch, json_get(json, "batch"), document->batch_count)) {
		document_add_unit(document, arena, &unit);
		return true;
	}
	if (!read_u32(&unit.part, json_get(json, "part"), document->part_count)) return false;
	const struct document_part *part = &document->parts[unit.part];
	if (!read_u32(&unit.index, json_get(json, "index"), part->first + part->count) || unit.index < part->first)
		return false;
	unit.batch = part->batch;
	document_add_unit(document, arena, &unit);
	return true;
}

/* Roots and paths, once the units are read. */
static enum status read_proofs(
    struct document *document, struct arena *arena, const struct json *parts, struct err *err) {
	const struct unit_groups groups = group_units(document, arena);
	uint32_t at = 0;
	json_foreach (json, parts) {
		const struct json *list = json_get(json, "proof");
		size_t len = 0;
		if (!json_is(list, JSON_ARRAY)) return err_set(err, STATUS_INVALID, "a part without its proof");
		hash32 *proof = arena_alloc(arena, (list->count + 1) * sizeof *proof);
		json_foreach (node, list)
			if (!read_hex(proof[len++].b, 32, node))
				return err_set(err, STATUS_INVALID, "a part with a malformed proof");
		if (!prove_part(document, arena, at++, &groups, proof, len))
			return err_set(err, STATUS_INVALID, "a part whose proof does not fit its units");
	}
	return STATUS_OK;
}

typedef bool read_entry(struct document *document, struct arena *arena, const struct json *json);

static enum status read_list(struct document *document, struct arena *arena, const struct json *root, const char *name,
    read_entry *read, struct err *err) {
	const struct json *list = json_get(root, name);
	if (!json_is(list, JSON_ARRAY) || list->count > UNITS_MAX)
		return err_set(err, STATUS_INVALID, "a sealed document without %s", name);
	json_foreach (entry, list)
		if (!read(document, arena, entry))
			return err_set(err, STATUS_INVALID, "a sealed document with a malformed entry in %s", name);
	return STATUS_OK;
}

enum status document_parse(struct document *out, struct actor_request *request, struct bytes json, struct err *err) {
	TRY(document_parse_unfinished(out, request, json, err));
	for (uint32_t i = 0; i < out->unit_count; i++)
		if (out->units[i].part == DOCUMENT_NO_PART)
			return err_set(err, STATUS_INVALID, "a sealed document with a pack that is in no part");
	return STATUS_OK;
}

enum status document_parse_unfinished(
    struct document *out, struct actor_request *request, struct bytes json, struct err *err) {
	struct arena *arena = request->arena;
	const struct json *root;
	uint64_t version = 0, chain_id = 0;
	addr20 medicines;
	*out = (struct document){.unit_count = 0};
	TRY(json_parse(&root, arena, json, NULL, err));
	if (json_u64(&version, json_get(root, "v")) && version != VERSION)
		return err_set(err, STATUS_INVALID,
		    "this is a sealed document of version %llu, and this program reads version %u",
		    (unsigned long long)version, VERSION);
	if (version != VERSION || !json_u64(&chain_id, json_get(root, "chainId")) ||
	    !read_hex(medicines.b, 20, json_get(root, "medicines")) ||
	    !read_hex(out->sender.b, 20, json_get(root, "sender")) ||
	    !read_hex(out->salt.b, 32, json_get(root, "salt")) || !json_string(json_get(root, "epcis")).data)
		return err_set(err, STATUS_INVALID, "this is no sealed document of medicines");
	if (chain_id != request->home->deployment.chain_id ||
	    !addr20_equal(&medicines, &request->home->deployment.medicines))
		return err_set(err, STATUS_DENIED, "this document is of another chain");
	out->epcis = arena_dup(arena, json_string(json_get(root, "epcis")));
	out->hash = hash_of(out);
	TRY(read_list(out, arena, root, "batches", read_batch, err));
	TRY(read_list(out, arena, root, "parts", read_part, err));
	TRY(read_list(out, arena, root, "containers", read_container, err));
	TRY(read_list(out, arena, root, "units", read_unit, err));
	return read_proofs(out, arena, json_get(root, "parts"), err);
}
