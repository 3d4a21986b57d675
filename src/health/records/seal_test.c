#include "health/records/seal.h"

#include "tests/unit.h"

#include "codec/hex.h"
#include "crypto/hash.h"
#include "envelope/jwe.h"
#include "health/records/segment.h"
#include "health/records/text_header.h"
#include "health/records/wrap.h"
#include "tests/scripted_random.h"

#define COUNT 3
static uint8_t large[200000];
static const struct record_resource resources[COUNT] = {
    {BYTES_LITERAL("Patient"), BYTES_LITERAL("p-1"), BYTES_LITERAL("{\"resourceType\":\"Patient\",\"id\":\"p-1\"}"),
	{.number = 2, .method = RECORD_PUT, .has_previous = true, .previous = {{7}}}},
    {BYTES_LITERAL("Observation"), BYTES_LITERAL(""),
	BYTES_LITERAL("{ \"resourceType\" : \"Observation\", \"valueDecimal\":1.00 }"), {0}},
    {BYTES_LITERAL("Binary"), BYTES_LITERAL("b"), {large, sizeof large}, {.number = 1, .method = RECORD_POST}},
};

struct scene {
	struct scripted_random script;
	struct random_source random;
	struct p256_secret secret;
	struct p256_public key;
	struct record_place place;
	struct deployment deployment;
	struct record_author author;
	hash32 author_secret;
	struct record_draft draft;
	struct record_sealed sealed;
	struct container container;
	struct record_lead lead;
	struct arena arena;
	struct err err;
};

static int scene_init(void **state) {
	struct scene *s = mem_zalloc(1, sizeof *s);
	s->random = scripted_random(&s->script);
	s->secret.d[31] = 9;
	s->place = (struct record_place){{{0xf0}}, 2, {{0x4e}}};
	arena_init(&s->arena);
	memset(large, 'x', sizeof large);
	assert_int_equal(p256_public_of(&s->key, &s->secret), STATUS_OK);
	s->deployment = (struct deployment){.chain_id = 7, .records = {{3}}, .genesis = {{4}}};
	s->author_secret.b[31] = 5;
	s->author = (struct record_author){&s->deployment, {{0}}, &s->author_secret};
	assert_int_equal(address_of_secret(&s->author.address, &s->author_secret), STATUS_OK);
	s->draft = (struct record_draft){&s->place, &s->key, &s->author, resources, COUNT, 1764528000123};
	assert_int_equal(record_seal(&s->sealed, &s->draft, &s->random, &s->err), STATUS_OK);
	assert_int_equal(container_decode(&s->container, buf_view(&s->sealed.container), &s->err), STATUS_OK);
	assert_int_equal(
	    record_lead_open(&s->lead, &s->arena, &s->place, &s->secret, container_part(&s->container, 0), &s->err),
	    STATUS_OK);
	*state = s;
	return 0;
}

static int scene_fini(void **state) {
	struct scene *s = *state;
	record_sealed_fini(&s->sealed);
	arena_fini(&s->arena);
	mem_free(s);
	return 0;
}

static enum status open_segment(struct scene *s, struct buf *out, uint32_t index, struct bytes part) {
	buf_init(out, 1 << 20);
	return segment_open(out, &s->arena, &s->place, &s->lead, index, part, &s->err);
}

static void refuses_segment(struct scene *s, uint32_t index, struct bytes part) {
	struct buf out;
	assert_int_not_equal(open_segment(s, &out, index, part), STATUS_OK);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

static void what_is_sealed_opens_exactly(void **state) {
	struct scene *s = *state;
	struct bytes opened[COUNT];
	assert_int_equal(s->container.count, COUNT + 1);
	hash32 name = container_name(&s->container);
	assert_true(hash32_equal(&name, &s->sealed.blob));
	assert_int_equal(s->lead.count, COUNT);
	assert_int_equal(s->lead.at_ms, s->draft.at_ms);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct buf out;
		assert_int_equal(open_segment(s, &out, i + 1, container_part(&s->container, i + 1)), STATUS_OK);
		assert_true(bytes_equal(buf_view(&out), resources[i].raw));
		assert_true(bytes_equal(s->lead.resources[i].type, resources[i].type));
		assert_true(bytes_equal(s->lead.resources[i].id, resources[i].id));
		assert_int_equal(s->lead.resources[i].size_bytes, resources[i].raw.len);
		const struct record_version *version = &s->lead.resources[i].version;
		assert_int_equal(version->number, resources[i].version.number);
		assert_int_equal(version->method, resources[i].version.method);
		assert_int_equal(version->has_previous, resources[i].version.has_previous);
		assert_true(hash32_equal(&version->previous, &resources[i].version.previous));
		opened[i] = arena_dup(&s->arena, buf_view(&out));
		buf_fini(&out);
	}
	assert_true(record_matches(&s->sealed.root, &s->lead, opened));
	opened[1] = BYTES_LITERAL("{ \"resourceType\" : \"Observation\", \"valueDecimal\":1.0 }");
	assert_false(record_matches(&s->sealed.root, &s->lead, opened));
}

/* Each formula of docs/wire-formats.md §2, spelled out once more from primitives. */
static void the_formulas_are_the_documents(void **state) {
	struct scene *s = *state;
	uint8_t info[17 + 32 + 4 + 32 + 4], leaf_info[14 + 4], key[32];
	memcpy(info, "xinglin/segment/1", 17);
	memcpy(info + 17, s->place.folder.b, 32);
	memcpy(info + 49, "\0\0\0\2", 4);
	memcpy(info + 53, s->place.record.b, 32);
	memcpy(info + 85, "\0\0\0\1", 4);
	hkdf_sha256(key, 32, BYTES_LITERAL(""), bytes_make(s->lead.key, 32), bytes_make(info, sizeof info));
	struct buf out;
	struct jwe_header header;
	buf_init(&out, 4096);
	assert_int_equal(
	    jwe_dir_open(&out, &header, &s->arena, container_part(&s->container, 1), key, NULL), STATUS_OK);
	assert_true(bytes_equal(buf_view(&out), resources[0].raw));
	assert_true(header.deflated);
	assert_true(json_string_is(json_get(header.members, "typ"), "xinglin-segment"));
	buf_fini(&out);

	hash32 leaves[COUNT];
	memcpy(leaf_info, "xinglin/leaf/1", 14);
	for (uint32_t i = 0; i < COUNT; i++) {
		uint8_t salted[32 + sizeof large];
		store_be32(leaf_info + 14, i + 1);
		hkdf_sha256(salted, 32, BYTES_LITERAL(""), bytes_make(s->lead.seed, 32), bytes_make(leaf_info, 18));
		memcpy(salted + 32, resources[i].raw.data, resources[i].raw.len);
		leaves[i] = merkle_leaf(bytes_make(salted, 32 + resources[i].raw.len));
	}
	hash32 root = merkle_root(leaves, COUNT);
	assert_true(hash32_equal(&root, &s->sealed.root));
}

/* Ciphertexts say a bucket and not a size. */
static void sizes_are_padded(void **state) {
	struct scene *s = *state;
	static const size_t buckets[COUNT] = {256, 256, 16384};
	for (uint32_t i = 0; i < COUNT; i++) {
		struct bytes part = container_part(&s->container, i + 1);
		const uint8_t *end = part.data + part.len, *tag = memrchr(part.data, '.', part.len);
		const uint8_t *text = memrchr(part.data, '.', (size_t)(tag - part.data));
		assert_int_equal(end - tag - 1, 22);
		size_t ciphertext_bytes = (size_t)(tag - text - 1) * 3 / 4;
		assert_int_equal(ciphertext_bytes % buckets[i], 0);
	}
}

static void any_flipped_bit_is_refused(void **state) {
	struct scene *s = *state;
	struct bytes part = container_part(&s->container, 2);
	uint8_t *changed = arena_alloc(&s->arena, part.len);
	for (size_t i = 0; i < part.len; i++) {
		memcpy(changed, part.data, part.len);
		changed[i] ^= (uint8_t)(1 << (i % 7));
		refuses_segment(s, 2, bytes_make(changed, part.len));
	}
	struct bytes lead = container_part(&s->container, 0);
	changed = arena_alloc(&s->arena, lead.len);
	for (size_t i = 0; i < lead.len; i++) {
		struct record_lead opened;
		memcpy(changed, lead.data, lead.len);
		changed[i] ^= (uint8_t)(1 << (i % 7));
		assert_int_not_equal(
		    record_lead_open(&opened, &s->arena, &s->place, &s->secret, bytes_make(changed, lead.len), NULL),
		    STATUS_OK);
	}
}

static void a_segment_opens_in_its_place_only(void **state) {
	struct scene *s = *state;
	struct bytes first = container_part(&s->container, 1), second = container_part(&s->container, 2);
	refuses_segment(s, 2, first);
	refuses_segment(s, 1, second);
	refuses_segment(s, 0, first);
	refuses_segment(s, COUNT + 1, first);
	const struct record_place mine = s->place;
	s->place.folder.b[31] ^= 1;
	refuses_segment(s, 1, first);
	s->place = mine;
	s->place.epoch++;
	refuses_segment(s, 1, first);
	s->place = mine;
	s->place.record.b[0] ^= 1;
	refuses_segment(s, 1, first);
}

static void a_lead_opens_in_its_place_only(void **state) {
	struct scene *s = *state;
	struct bytes part = container_part(&s->container, 0);
	struct record_lead lead;
	struct record_place places[3] = {s->place, s->place, s->place};
	places[0].folder.b[0]++;
	places[1].epoch++;
	places[2].record.b[0]++;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
		    record_lead_open(&lead, &s->arena, &places[i], &s->secret, part, NULL), STATUS_INVALID);
	struct p256_secret other = {{1}};
	assert_int_equal(record_lead_open(&lead, &s->arena, &s->place, &other, part, NULL), STATUS_DENIED);
}

/* Headers had the whole place in them before. */
static void what_named_its_place_in_full_opens_still(void **state) {
	struct scene *s = *state;
	const struct text_header old_lead = {.cty = "application/json",
	    .typ = "xinglin-record",
	    .fld = &s->place.folder,
	    .epo = &s->place.epoch,
	    .rec = &s->place.record};
	const uint32_t index = 1;
	const struct text_header old_segment = {
	    .cty = "application/fhir+json", .typ = "xinglin-segment", .rec = &s->place.record, .idx = &index};
	struct record_place other = s->place;
	struct record_lead lead;
	struct jwe_header header;
	struct buf members, plain, sealed, opened;
	uint8_t segment[32];
	other.epoch++;
	buf_init(&members, 1024);
	buf_init(&plain, 4096);
	buf_init(&sealed, 8192);
	text_header_write(&members, &old_lead);
	const struct bytes part = container_part(&s->container, 0);
	assert_int_equal(jwe_ecdh_open(&plain, &header, &s->arena, part, &s->secret, NULL), STATUS_OK);
	assert_int_equal(
	    jwe_ecdh_seal(&sealed, &s->key, buf_view(&members), buf_view(&plain), &s->random, NULL), STATUS_OK);
	assert_int_equal(record_lead_open(&lead, &s->arena, &s->place, &s->secret, buf_view(&sealed), NULL), STATUS_OK);
	assert_int_equal(
	    record_lead_open(&lead, &s->arena, &other, &s->secret, buf_view(&sealed), NULL), STATUS_INVALID);
	buf_clear(&members);
	buf_clear(&sealed);
	text_header_write(&members, &old_segment);
	segment_key(segment, s->lead.key, &s->place, index);
	assert_int_equal(
	    jwe_dir_seal(&sealed, segment, buf_view(&members), resources[0].raw, 256, &s->random, NULL), STATUS_OK);
	assert_int_equal(open_segment(s, &opened, index, buf_view(&sealed)), STATUS_OK);
	assert_true(bytes_equal(buf_view(&opened), resources[0].raw));
	buf_fini(&opened);
	buf_fini(&members);
	buf_fini(&plain);
	buf_fini(&sealed);
}

static void leads_are_read_strictly(void **state) {
	struct scene *s = *state;
	struct record_lead lead;
#define KEY "\"key\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
#define SEED "\"seed\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
#define AUTHOR "\"author\":\"0x" TWENTY "\""
#define SIGNATURE "\"signature\":\"0x" TWENTY TWENTY TWENTY "0000000000\""
#define TWENTY "0000000000000000000000000000000000000000"
#define NAMED(members, resources) "{" members ",\"resources\":[" resources "]}"
#define ONE "{\"type\":\"A\",\"id\":\"\",\"size\":1}"
	static const char *const bad[] = {
	    "[]",
	    NAMED("\"v\":1," KEY "," SEED "," AUTHOR "," SIGNATURE, ONE),
	    NAMED("\"v\":3," KEY "," SEED "," AUTHOR "," SIGNATURE, ONE),
	    NAMED("\"v\":2," SEED "," AUTHOR "," SIGNATURE, ONE),
	    NAMED("\"v\":2,\"key\":\"AAAA\"," SEED "," AUTHOR "," SIGNATURE, ONE),
	    NAMED("\"v\":2," KEY "," AUTHOR "," SIGNATURE, ONE),
	    NAMED("\"v\":2," KEY "," SEED "," SIGNATURE, ONE),
	    NAMED("\"v\":2," KEY "," SEED "," AUTHOR, ONE),
	    NAMED("\"v\":2," KEY "," SEED "," AUTHOR ",\"signature\":\"0x00\"", ONE),
	    NAMED("\"v\":2," KEY "," SEED "," AUTHOR "," SIGNATURE, ""),
	    NAMED("\"v\":2," KEY "," SEED "," AUTHOR "," SIGNATURE, "{\"type\":\"A\",\"id\":\"\",\"size\":-1}"),
	    NAMED(
		"\"v\":2," KEY "," SEED "," AUTHOR "," SIGNATURE, "{\"type\":\"A\",\"id\":\"\",\"size\":99999999999}"),
	    NAMED("\"v\":2," KEY "," SEED "," AUTHOR "," SIGNATURE, "{\"id\":\"\",\"size\":1}"),
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(record_lead_parse(&lead, &s->arena, bytes_text(bad[i]), NULL), STATUS_INVALID);
	assert_int_equal(record_lead_parse(&lead, &s->arena,
			     BYTES_LITERAL(NAMED("\"v\":2," KEY "," SEED "," AUTHOR "," SIGNATURE, ONE)), NULL),
	    STATUS_OK);
}

static void only_the_author_can_have_made_the_record(void **state) {
	struct scene *s = *state;
	const struct record_commitment said = {s->author.address, s->sealed.root, {{0}}};
	struct record_commitment other = said;
	struct record_place place = s->place;
	struct record_lead lead = s->lead;
	struct deployment deployment = s->deployment;
	assert_int_equal(record_lead_check(&lead, &deployment, &place, &said, &s->err), STATUS_OK);
	other.author.b[0] ^= 1;
	assert_int_equal(record_lead_check(&lead, &deployment, &place, &other, NULL), STATUS_DENIED);
	lead.author = other.author;
	assert_int_equal(record_lead_check(&lead, &deployment, &place, &other, NULL), STATUS_DENIED);
	lead = s->lead;
	other = said;
	other.root.b[0] ^= 1;
	assert_int_equal(record_lead_check(&lead, &deployment, &place, &other, NULL), STATUS_DENIED);
	other = said;
	other.facts.b[0] ^= 1;
	assert_int_equal(record_lead_check(&lead, &deployment, &place, &other, NULL), STATUS_DENIED);
	lead.signature[40] ^= 1;
	assert_int_equal(record_lead_check(&lead, &deployment, &place, &said, NULL), STATUS_DENIED);
	lead = s->lead;
	place.record.b[0] ^= 1;
	assert_int_equal(record_lead_check(&lead, &deployment, &place, &said, NULL), STATUS_DENIED);
	place = s->place;
	place.epoch++;
	assert_int_equal(record_lead_check(&lead, &deployment, &place, &said, NULL), STATUS_DENIED);
	place = s->place;
	place.folder.b[0] ^= 1;
	assert_int_equal(record_lead_check(&lead, &deployment, &place, &said, NULL), STATUS_DENIED);
	place = s->place;
	deployment.genesis.b[0] ^= 1;
	assert_int_equal(record_lead_check(&lead, &deployment, &place, &said, NULL), STATUS_DENIED);
}

static void counts_are_limited(void **state) {
	struct scene *s = *state;
	struct record_sealed sealed;
	s->draft.count = 0;
	assert_int_equal(record_seal(&sealed, &s->draft, &s->random, NULL), STATUS_INVALID);
	s->draft.count = RECORD_RESOURCES_MAX + 1;
	assert_int_equal(record_seal(&sealed, &s->draft, &s->random, NULL), STATUS_LIMIT);
}

static void wraps_give_a_key_to_one_recipient(void **state) {
	struct scene *s = *state;
	struct p256_secret folder_secret = {{5}}, other = {{6}}, opened;
	hash32 folder = s->place.folder, another = {{1}};
	uint32_t epoch;
	struct buf wrap;
	buf_init(&wrap, 8192);
	assert_int_equal(
	    wrap_seal(&wrap, WRAP_KEY, &s->key, &folder, 3, &folder_secret, &s->random, &s->err), STATUS_OK);
	struct bytes text = buf_view(&wrap);
	assert_int_equal(wrap_open(&opened, WRAP_KEY, &s->secret, &folder, 3, text, &s->err), STATUS_OK);
	assert_memory_equal(opened.d, folder_secret.d, 32);
	assert_int_equal(wrap_open(&opened, WRAP_KEY, &other, &folder, 3, text, NULL), STATUS_DENIED);
	assert_int_equal(wrap_open(&opened, WRAP_LINK, &s->secret, &folder, 3, text, NULL), STATUS_INVALID);
	assert_int_equal(wrap_open(&opened, WRAP_KEY, &s->secret, &another, 3, text, NULL), STATUS_INVALID);
	assert_int_equal(wrap_open(&opened, WRAP_KEY, &s->secret, &folder, 4, text, NULL), STATUS_INVALID);
	assert_int_equal(wrap_open_any(&opened, &epoch, WRAP_KEY, &s->secret, &folder, text, &s->err), STATUS_OK);
	assert_int_equal(epoch, 3); /* the one that it names */
	assert_memory_equal(opened.d, folder_secret.d, 32);
	assert_int_equal(wrap_open_any(&opened, &epoch, WRAP_KEY, &s->secret, &another, text, NULL), STATUS_INVALID);
	assert_int_equal(wrap_open_any(&opened, &epoch, WRAP_LINK, &s->secret, &folder, text, NULL), STATUS_INVALID);
	for (size_t i = 0; i < wrap.len; i++) {
		wrap.data[i] ^= (uint8_t)(1 << (i % 7));
		assert_int_not_equal(wrap_open(&opened, WRAP_KEY, &s->secret, &folder, 3, text, NULL), STATUS_OK);
		wrap.data[i] ^= (uint8_t)(1 << (i % 7));
	}
	buf_fini(&wrap);
}

/* Well sealed, but what is inside is no key pair. */
static void a_wrap_with_another_content_is_refused(void **state) {
	struct scene *s = *state;
	struct p256_secret opened;
	struct bytes members =
	    BYTES_LITERAL("{\"cty\":\"jwk+json\",\"typ\":\"xinglin-wrap\",\"fld\":"
			  "\"0xf000000000000000000000000000000000000000000000000000000000000000\",\"epo\":3}");
	static const char *const contents[] = {"{}", "no JSON",
	    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\",\"d\":\"AAAA\"}",
	    ("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":"
	     "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}")};
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		struct buf wrap;
		buf_init(&wrap, 8192);
		assert_int_equal(
		    jwe_ecdh_seal(&wrap, &s->key, members, bytes_text(contents[i]), &s->random, &s->err), STATUS_OK);
		assert_int_equal(wrap_open(&opened, WRAP_KEY, &s->secret, &s->place.folder, 3, buf_view(&wrap), NULL),
		    STATUS_INVALID);
		buf_fini(&wrap);
	}
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_init, scene_fini)

int main(void) {
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(what_is_sealed_opens_exactly),
	    SCENE_TEST(the_formulas_are_the_documents),
	    SCENE_TEST(sizes_are_padded),
	    SCENE_TEST(any_flipped_bit_is_refused),
	    SCENE_TEST(a_segment_opens_in_its_place_only),
	    SCENE_TEST(a_lead_opens_in_its_place_only),
	    SCENE_TEST(what_named_its_place_in_full_opens_still),
	    SCENE_TEST(leads_are_read_strictly),
	    SCENE_TEST(only_the_author_can_have_made_the_record),
	    SCENE_TEST(counts_are_limited),
	    SCENE_TEST(wraps_give_a_key_to_one_recipient),
	    SCENE_TEST(a_wrap_with_another_content_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
