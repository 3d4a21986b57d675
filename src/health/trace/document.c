/* The plaintext of a sealed document: building, writing, parsing, checking. Sealing is in document_seal.c. */
#include "health/trace/document.h"

#include <stdlib.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "health/gs1/epc.h"
#include "health/trace/medicines.h"
#include "health/trace/products.h"
#include "health/trace/tags.h"

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

uint32_t document_add_batch(struct document *document, struct arena *arena, const struct document_batch *batch) {
	for (uint32_t i = 0; i < document->batch_count; i++)
		if (hash32_equal(&document->batches[i].id, &batch->id)) return i;
	document->batches =
	    grown(arena, document->batches, document->batch_count, &document->batch_room, sizeof *document->batches);
	document->batches[document->batch_count] = *batch;
	return document->batch_count++;
}

uint32_t document_add_part(struct document *document, struct arena *arena, const struct document_part *part) {
	for (uint32_t i = 0; i < document->part_count; i++)
		if (document->parts[i].batch == part->batch && document->parts[i].number == part->number) return i;
	document->parts =
	    grown(arena, document->parts, document->part_count, &document->part_room, sizeof *document->parts);
	document->parts[document->part_count] = *part;
	return document->part_count++;
}

uint32_t document_add_container(struct document *document, struct arena *arena, const char *code, const hash32 *id) {
	for (uint32_t i = 0; i < document->container_count; i++)
		if (hash32_equal(&document->containers[i].id, id)) return i;
	document->containers = grown(arena, document->containers, document->container_count, &document->container_room,
	    sizeof *document->containers);
	document->containers[document->container_count] =
	    (struct document_container){.code = arena_strdup(arena, bytes_text(code)), .id = *id};
	return document->container_count++;
}

void document_add_unit(struct document *document, struct arena *arena, const struct document_unit *unit) {
	document->units =
	    grown(arena, document->units, document->unit_count, &document->unit_room, sizeof *document->units);
	document->units[document->unit_count++] = *unit;
}

/* --- parts --- */

static int compare_members(const void *a, const void *b) {
	const struct merkle_member *one = a, *other = b;
	return one->place < other->place ? -1 : one->place > other->place;
}

/* The part's units in the document, ascending; each has its unit's path, or room for one. */
static struct merkle_member *members_of(
    const struct document *document, size_t *count, uint32_t part, bool with_room, struct arena *arena) {
	const struct document_part *of = &document->parts[part];
	size_t n = 0, depth = merkle_depth(of->count);
	for (uint32_t i = 0; i < document->unit_count; i++) n += document->units[i].part == part;
	struct merkle_member *members = arena_zalloc(arena, n + 1, sizeof *members);
	*count = 0;
	for (uint32_t i = 0; i < document->unit_count; i++) {
		const struct document_unit *unit = &document->units[i];
		if (unit->part != part) continue;
		struct merkle_member *member = &members[(*count)++];
		*member = (struct merkle_member){.place = unit->index - of->first,
		    .leaf = merkle_leaf(BYTES_OF(unit->tag)),
		    .path = with_room ? arena_alloc(arena, (depth + 1) * sizeof *member->path) : (hash32 *)unit->path,
		    .path_len = unit->path_len};
	}
	qsort(members, n, sizeof *members, compare_members);
	return members;
}

bool document_prove_part(
    struct document *document, struct arena *arena, uint32_t part, const hash32 *proof, size_t proof_len) {
	struct document_part *of = &document->parts[part];
	size_t count;
	struct merkle_member *members = members_of(document, &count, part, true, arena);
	if (!merkle_set_root(&of->root, members, count, of->count, proof, proof_len)) return false;
	/* back to the units: by their place, which is unique now */
	struct merkle_member wanted;
	for (uint32_t i = 0; i < document->unit_count; i++) {
		struct document_unit *unit = &document->units[i];
		if (unit->part != part) continue;
		wanted.place = unit->index - of->first;
		const struct merkle_member *member = bsearch(&wanted, members, count, sizeof *members, compare_members);
		unit->path = member->path;
		unit->path_len = member->path_len;
	}
	return true;
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

static void write_part(struct json_writer *writer, const struct document *document, uint32_t at, struct arena *arena) {
	const struct document_part *part = &document->parts[at];
	struct arena_mark mark = arena_mark(arena);
	size_t count;
	struct merkle_member *members = members_of(document, &count, at, false, arena);
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
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 1);
	json_put_u64(&writer, "chainId", request->home->deployment.chain_id);
	json_put_hex(&writer, "medicines", BYTES_OF(request->home->deployment.medicines));
	json_put_hex(&writer, "sender", BYTES_OF(document->sender));
	json_put_hex(&writer, "salt", BYTES_OF(document->salt));
	json_put_string(&writer, "epcis", document->epcis);
	write_batches(&writer, document);
	json_array_begin(&writer, "parts");
	for (uint32_t i = 0; i < document->part_count; i++) write_part(&writer, document, i, request->arena);
	json_array_end(&writer);
	json_array_begin(&writer, "containers");
	for (uint32_t i = 0; i < document->container_count; i++) {
		json_object_begin(&writer, NULL);
		json_put_text(&writer, "code", document->containers[i].code);
		json_put_hex(&writer, "id", BYTES_OF(document->containers[i].id));
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
	const char *code = read_text(arena, json_get(json, "code"));
	uint32_t before = document->container_count;
	hash32 id;
	return is_code_or_none(code) && read_hex(id.b, 32, json_get(json, "id")) &&
	       document_add_container(document, arena, code, &id) == before;
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
	uint32_t at = 0;
	json_foreach (json, parts) {
		const struct json *list = json_get(json, "proof");
		size_t len = 0;
		if (!json_is(list, JSON_ARRAY)) return err_set(err, STATUS_INVALID, "a part without its proof");
		hash32 *proof = arena_alloc(arena, (list->count + 1) * sizeof *proof);
		json_foreach (node, list)
			if (!read_hex(proof[len++].b, 32, node))
				return err_set(err, STATUS_INVALID, "a part with a malformed proof");
		if (!document_prove_part(document, arena, at++, proof, len))
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
	if (!json_u64(&version, json_get(root, "v")) || version != 1 ||
	    !json_u64(&chain_id, json_get(root, "chainId")) ||
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

/* --- checking against the chain --- */

static enum status check_part(
    struct actor_request *request, const struct document *document, const struct document_part *part, struct err *err) {
	const struct document_batch *batch = &document->batches[part->batch];
	struct medicines_stored_part held;
	TRY(medicines_part(request, &held, &batch->id, part->number, err));
	if (part->first == held.first && part->count == held.count &&
	    memcmp(part->root.b, held.root, sizeof held.root) == 0)
		return STATUS_OK;
	return err_set(err, STATUS_DENIED, "lot %s: what the chain holds has not this document's serials", batch->lot);
}

/* Tags that the product's table of serials does not hold are a lot whose serials are not those that were commissioned:
 * they could be commissioned a second time. Whoever holds the product's key sees beyond it that tags are of serials. */
static enum status check_serials(struct actor_request *request, const struct document *document, uint32_t batch,
    const hash32 *tag, struct err *err) {
	const struct document_batch *of = &document->batches[batch];
	hash32 *tags = arena_alloc(request->arena, ((size_t)document->unit_count + 1) * sizeof *tags);
	const char **serials = arena_alloc(request->arena, ((size_t)document->unit_count + 1) * sizeof *serials);
	struct product product;
	size_t count = 0, missing;
	for (uint32_t i = 0; i < document->unit_count; i++) {
		if (document->units[i].batch != batch) continue;
		serials[count] = document->units[i].serial;
		tags[count++] = document->units[i].tag;
	}
	TRY(medicines_find_serials(request, &missing, tag, tags, count, err));
	if (missing < count)
		return err_set(err, STATUS_DENIED, "lot %s, serial %s: it was not commissioned as this serial", of->lot,
		    serials[missing]);
	enum status status = product_load(request, &product, of->gtin, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	TRY(status);
	for (missing = 0; missing < count; missing++) {
		hash32 right = tag_unit(&product.key, of->gtin, serials[missing]);
		if (!hash32_equal(&right, &tags[missing])) break;
	}
	mem_wipe(&product, sizeof product);
	if (missing == count) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "lot %s, serial %s: its tag is another serial's", of->lot, serials[missing]);
}

/* The unit's event, for a document that dispensed one and of which the row has forgotten by now. The node tells it. */
static enum status has_dispensed(struct actor_request *request, bool *out, const struct document *document,
    const struct medicines_unit *unit, struct err *err) {
	const struct contract_topics topics = medicines_dispensed_event_topics(&unit->batch, &unit->index);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(request, &logs, &count, &request->home->deployment.medicines, 0, &topics, err));
	for (size_t i = 0; i < count && !*out; i++) {
		struct medicines_dispensed_event event;
		addr20 dispenser;
		TRY(medicines_dispensed_event_read(&event, &logs[i].log, err));
		if (memcmp(event.document.b, document->hash.b, MEDICINES_DOCUMENT_BYTES) != 0) continue;
		TRY(medicines_actor(request, &dispenser, medicines_dispenser(&event), err));
		*out = addr20_equal(&dispenser, &document->sender);
	}
	return STATUS_OK;
}

enum status document_is_captured(
    struct actor_request *request, bool *out, const struct document *document, struct err *err) {
	uint64_t at = 0;
	TRY(medicines_captured_at(request, &at, &document->sender, &document->hash, 0, err));
	*out = at != 0;
	if (*out || document->unit_count != 1) return STATUS_OK;
	const struct document_unit *of = &document->units[0];
	const struct medicines_unit unit = {document->batches[of->batch].id, of->index};
	if (of->part == DOCUMENT_NO_PART) return STATUS_OK;
	TRY(medicines_is_last_dispense(request, out, &document->sender, &document->hash, &unit, err));
	return *out ? STATUS_OK : has_dispensed(request, out, document, &unit, err);
}

enum status document_check(struct actor_request *request, const struct document *document, struct err *err) {
	bool is_captured = document->epcis.len == 0; /* a reference has no EPCIS text: its parts' proofs speak for it */
	if (!is_captured) TRY(document_is_captured(request, &is_captured, document, err));
	if (!is_captured)
		return err_set(err, STATUS_DENIED, "the chain holds no capture of this document by its sender");
	for (uint32_t i = 0; i < document->batch_count; i++) {
		struct medicines_stored_batch held;
		TRY(medicines_batch(request, &held, &document->batches[i].id, err));
		if (held.number == 0 || held.expiry != document->batches[i].expiry_s)
			return err_set(err, STATUS_DENIED,
			    "lot %s: the chain holds another batch than the document says", document->batches[i].lot);
		TRY(check_serials(request, document, i, &held.product, err));
	}
	for (uint32_t i = 0; i < document->part_count; i++)
		TRY(check_part(request, document, &document->parts[i], err));
	return STATUS_OK;
}
