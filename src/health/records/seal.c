/* Sealing: the lead, the segments, the commitment. Opening is in open.c, wraps in wrap.c. */
#include "health/records/seal.h"

#include "codec/hex.h"
#include "crypto/hash.h"
#include "eth/sign.h"
#include "health/records/lead_lock.h"
#include "health/records/segment.h"
#include "health/records/text_header.h"

#define LEAD_MAX ((size_t)8 << 20)
#define BUCKET_SMALL 256u
#define BUCKET_MIDDLE 2048u
#define BUCKET_LARGE 16384u

void segment_key(uint8_t out[32], const uint8_t record_key[32], const struct record_place *place, uint32_t index) {
	static const char label[] = "xinglin/segment/1";
	uint8_t info[sizeof label - 1 + 32 + 4 + 32 + 4], *at = info;
	memcpy(at, label, sizeof label - 1);
	at += sizeof label - 1;
	memcpy(at, place->folder.b, 32);
	store_be32(at + 32, place->epoch);
	memcpy(at + 36, place->record.b, 32);
	store_be32(at + 68, index);
	hkdf_sha256(out, 32, (struct bytes){NULL, 0}, bytes_make(record_key, 32), bytes_make(info, sizeof info));
}

hash32 record_leaf(hash32 *salt, const uint8_t seed[32], uint32_t index, struct bytes resource) {
	static const char label[] = "xinglin/leaf/1";
	static const uint8_t leaf_domain = 0; /* RFC 6962 §2.1 */
	uint8_t info[sizeof label - 1 + 4];
	memcpy(info, label, sizeof label - 1);
	store_be32(info + sizeof label - 1, index);
	hkdf_sha256(salt->b, 32, (struct bytes){NULL, 0}, bytes_make(seed, 32), bytes_make(info, sizeof info));
	struct bytes parts[] = {bytes_make(&leaf_domain, 1), BYTES_OF(*salt), resource};
	return sha256_parts(parts, 3);
}

static size_t bucket_of(size_t resource_bytes) {
	if (resource_bytes < 8192) return BUCKET_SMALL;
	return resource_bytes < 131072 ? BUCKET_MIDDLE : BUCKET_LARGE;
}

static void put_secret(struct json_writer *writer, const char *name, const uint8_t secret[32]) {
	json_put_name(writer, name);
	buf_byte(writer->out, '"');
	base64url_put(writer->out, bytes_make(secret, 32));
	buf_byte(writer->out, '"');
}

/* What is sealed, for whom. */
struct sealing {
	const struct record_draft *draft;
	const struct random_source *random;
	struct segment_secrets secrets;
};

static void write_version(struct json_writer *writer, const struct record_version *version) {
	if (version->number == 0) return;
	json_put_u64(writer, "version", version->number);
	json_put_text(writer, "method", record_method_text(version->method));
	if (version->has_previous) json_put_hex(writer, "previous", BYTES_OF(version->previous));
}

static void write_lead(struct buf *out, const struct sealing *sealing, const struct eth_signature *signature) {
	const struct record_resource *resources = sealing->draft->resources;
	const uint64_t at_ms = sealing->draft->at_ms;
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", at_ms ? SEGMENT_LEAD_VERSIONED : SEGMENT_LEAD_PLAIN);
	put_secret(&writer, "key", sealing->secrets.key);
	put_secret(&writer, "seed", sealing->secrets.seed);
	json_put_hex(&writer, "author", BYTES_OF(sealing->draft->author->address));
	json_put_hex(&writer, "signature", BYTES_OF(*signature));
	if (at_ms) json_put_u64(&writer, "at", at_ms);
	json_array_begin(&writer, "resources");
	for (size_t i = 0; i < sealing->draft->count; i++) {
		json_object_begin(&writer, NULL);
		json_put_string(&writer, "type", resources[i].type);
		json_put_string(&writer, "id", resources[i].id);
		json_put_u64(&writer, "size", resources[i].raw.len);
		if (at_ms) write_version(&writer, &resources[i].version);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
}

static enum status seal_lead(struct buf *out, const struct sealing *sealing, struct bytes plaintext, struct err *err) {
	const struct record_place *place = sealing->draft->place;
	struct buf members, lead;
	char at[TEXT_HEADER_AT_BYTES];
	buf_init(&members, 1024);
	buf_init(&lead, CONTAINER_PART_MAX);
	text_header_at(at, place);
	text_header_write(
	    &members, &(struct text_header){.cty = "application/json", .typ = "xinglin-record", .at = at});
	enum status status = buf_status(&members, err);
	if (status == STATUS_OK)
		status = jwe_ecdh_seal(
		    &lead, sealing->draft->folder_key, buf_view(&members), plaintext, sealing->random, err);
	if (status == STATUS_OK)
		status = lead_lock_put(
		    out, sealing->draft->author->deployment, &place->record, buf_view(&lead), sealing->random, err);
	buf_fini(&members);
	buf_fini(&lead);
	return status;
}

static enum status seal_segment(struct buf *out, const struct sealing *sealing, size_t at, struct err *err) {
	uint8_t key[32];
	const uint32_t index = (uint32_t)at + 1;
	const struct bytes resource = sealing->draft->resources[at].raw;
	struct buf members;
	buf_init(&members, 1024);
	/* Its place is in its key, and what it holds is in the lead: a header is repeated with each resource. */
	text_header_write(&members, &(struct text_header){.typ = "xinglin-segment"});
	segment_key(key, sealing->secrets.key, sealing->draft->place, index);
	enum status status = buf_status(&members, err);
	if (status == STATUS_OK)
		status =
		    jwe_dir_seal(out, key, buf_view(&members), resource, bucket_of(resource.len), sealing->random, err);
	mem_wipe(key, sizeof key);
	buf_fini(&members);
	return status;
}

/* Sealing compresses: how large a resource may be depends on its content. An attachment hardly shrinks. */
static enum status check_size(const struct sealing *sealing, size_t at, size_t part_bytes, struct err *err) {
	const struct record_resource *resource = &sealing->draft->resources[at];
	if (part_bytes <= CONTAINER_PART_MAX) return STATUS_OK;
	return err_set(err, STATUS_LIMIT,
	    "resource %zu (%.*s%s%.*s) has %zu bytes, and sealed %zu; at most %zu are allowed, which is an attachment of "
	    "about 12 MB: divide it, or keep it elsewhere and refer to it",
	    at + 1, (int)resource->type.len, (const char *)resource->type.data, resource->id.len ? "/" : "",
	    (int)resource->id.len, (const char *)resource->id.data, resource->raw.len, part_bytes, CONTAINER_PART_MAX);
}

/* All parts one after another in one buffer; `ends` says where each stops. */
static enum status seal_parts(
    struct buf *parts, size_t *ends, const struct sealing *sealing, struct bytes lead, struct err *err) {
	TRY(seal_lead(parts, sealing, lead, err));
	ends[0] = parts->len;
	for (size_t i = 0; i < sealing->draft->count; i++) {
		enum status status = seal_segment(parts, sealing, i, err);
		if (status == STATUS_LIMIT)
			return err_set(err, status,
			    "sealed, the first %zu of %zu resources have more than %zu MB together: divide the document",
			    i + 1, sealing->draft->count, CONTAINER_BYTES_MAX >> 20);
		if (status != STATUS_OK) return err_prefix(err, status, "resource %zu", i + 1);
		TRY(check_size(sealing, i, parts->len - ends[i], err));
		ends[i + 1] = parts->len;
	}
	return STATUS_OK;
}

static enum status frame_parts(struct record_sealed *out, const struct buf *parts, const size_t *ends, size_t count,
    struct bytes *views, struct err *err) {
	struct container container;
	for (size_t i = 0; i < count; i++) {
		size_t begin = i ? ends[i - 1] : 0;
		views[i] = bytes_make(parts->data + begin, ends[i] - begin);
	}
	TRY(container_encode(&out->container, views, count, err));
	TRY(buf_status(&out->container, err));
	TRY(container_decode(&container, buf_view(&out->container), err));
	out->blob = container_name(&container);
	return STATUS_OK;
}

static hash32 commit(const uint8_t seed[32], const struct record_resource *resources, size_t count, hash32 *leaves) {
	for (size_t i = 0; i < count; i++) {
		hash32 salt;
		leaves[i] = record_leaf(&salt, seed, (uint32_t)i + 1, resources[i].raw);
	}
	return merkle_root(leaves, count);
}

static enum status sign(
    struct eth_signature *out, const struct record_draft *draft, const hash32 *root, struct err *err) {
	const struct statement_record said = {.record = draft->place->record,
	    .folder = draft->place->folder,
	    .epoch = draft->place->epoch,
	    .root = *root};
	const hash32 digest = statement_record_digest(draft->author->deployment, &said);
	enum status status = eth_sign_digest(out, draft->author->secret, &digest);
	return status == STATUS_OK ? status : err_set(err, status, "the author's key does not sign the record");
}

static enum status seal(
    struct record_sealed *out, const struct sealing *sealing, struct arena *arena, struct buf *parts, struct err *err) {
	const struct record_draft *draft = sealing->draft;
	struct eth_signature signature;
	size_t *ends = arena_zalloc(arena, draft->count + 1, sizeof *ends);
	struct bytes *views = arena_zalloc(arena, draft->count + 1, sizeof *views);
	hash32 *leaves = arena_zalloc(arena, draft->count, sizeof *leaves);
	out->root = commit(sealing->secrets.seed, draft->resources, draft->count, leaves);
	TRY(sign(&signature, draft, &out->root, err));
	write_lead(&out->lead, sealing, &signature);
	TRY(buf_status(&out->lead, err));
	TRY(seal_parts(parts, ends, sealing, buf_view(&out->lead), err));
	return frame_parts(out, parts, ends, draft->count + 1, views, err);
}

enum status record_seal(
    struct record_sealed *out, const struct record_draft *draft, const struct random_source *random, struct err *err) {
	struct sealing sealing = {.draft = draft, .random = random};
	struct arena arena;
	struct buf parts;
	buf_init(&out->container, CONTAINER_BYTES_MAX);
	buf_init(&out->lead, LEAD_MAX);
	if (draft->count < 1) return err_set(err, STATUS_INVALID, "a record holds at least one resource");
	if (draft->count > RECORD_RESOURCES_MAX)
		return err_set(err, STATUS_LIMIT,
		    "a record holds at most %u resources, the document has %zu: divide it", RECORD_RESOURCES_MAX,
		    draft->count);
	arena_init(&arena);
	buf_init(&parts, CONTAINER_BYTES_MAX);
	random_fill(random, sealing.secrets.key, sizeof sealing.secrets.key);
	random_fill(random, sealing.secrets.seed, sizeof sealing.secrets.seed);
	enum status status = seal(out, &sealing, &arena, &parts, err);
	mem_wipe(&sealing.secrets, sizeof sealing.secrets);
	buf_fini(&parts);
	arena_fini(&arena);
	if (status != STATUS_OK) record_sealed_fini(out);
	return status;
}

void record_sealed_fini(struct record_sealed *sealed) {
	buf_fini(&sealed->container);
	buf_wipe(&sealed->lead);
}
