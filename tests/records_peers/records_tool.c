/*
 * A sealed record for other programs' tests: records_tool KEY.jwk, a FHIR document on standard input; on standard
 * output JSON with the container, the commitment, and a wrap of the same folder key sealed to itself. Folder 0x00…,
 * epoch 7, record 0x01…; the author's secret is 5, on chain 7 with Records 0x03… and genesis 0x04….
 */
#include <stdio.h>
#include <sys/random.h>

#include "codec/hex.h"
#include "health/records/seal.h"
#include "health/records/wrap.h"

#define INPUT_MAX ((size_t)64 << 20)

static void fill(void *context, uint8_t *out, size_t len) {
	(void)context;
	for (ssize_t got; len; out += got, len -= (size_t)got) {
		got = getrandom(out, len, 0);
		BUG_ON(got <= 0);
	}
}

static const struct random_source kernel = {fill, NULL};

static void read_all(struct buf *out, FILE *file) {
	uint8_t part[4096];
	BUG_ON(!file);
	for (size_t got; (got = fread(part, 1, sizeof part, file)) != 0;) buf_append(out, bytes_make(part, got));
	BUG_ON(ferror(file) || out->overflow);
}

static enum status read_secret(struct p256_secret *secret, struct arena *arena, const char *path, struct err *err) {
	const struct json *jwk;
	struct buf text, d;
	FILE *file = fopen(path, "rb");
	buf_init(&text, 1 << 16);
	buf_init(&d, 32);
	read_all(&text, file);
	fclose(file);
	enum status status = json_parse(&jwk, arena, buf_view(&text), NULL, err);
	if (status == STATUS_OK) status = base64url_data(&d, json_string(json_get(jwk, "d")));
	if (status == STATUS_OK && d.len == 32) memcpy(secret->d, d.data, 32);
	buf_fini(&text);
	buf_wipe(&d);
	return status;
}

static enum status run(struct buf *out, struct arena *arena, struct bytes text, const char *key_path, struct err *err) {
	const struct record_place place = {.epoch = 7, .record = {{1}}};
	struct fhir_document document;
	struct record_sealed sealed;
	struct p256_secret secret;
	struct p256_public key;
	struct buf wrap;
	TRY(read_secret(&secret, arena, key_path, err));
	TRY(p256_public_of(&key, &secret));
	struct fhir_issues issues;
	fhir_issues_init(&issues, arena);
	if (!fhir_document_read(&document, &issues, text)) return fhir_issues_status(&issues, err);
	struct record_resource *resources = arena_zalloc(arena, document.resource_count, sizeof *resources);
	for (size_t i = 0; i < document.resource_count; i++)
		resources[i] = (struct record_resource){.type = document.resources[i].type,
		    .id = document.resources[i].id,
		    .raw = document.resources[i].raw};
	const struct deployment deployment = {.chain_id = 7, .records = {{3}}, .genesis = {{4}}};
	const hash32 author_secret = {{[31] = 5}};
	struct record_author author = {&deployment, {{0}}, &author_secret};
	TRY(address_of_secret(&author.address, &author_secret));
	const struct record_draft draft = {&place, &key, &author, resources, document.resource_count, 0};
	TRY(record_seal(&sealed, &draft, &kernel, err));
	buf_init(&wrap, 1 << 16);
	TRY(wrap_seal(&wrap, WRAP_KEY, &key, &place.folder, place.epoch, &secret, &kernel, err));
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_hex(&writer, "container", buf_view(&sealed.container));
	json_put_hex(&writer, "blob", BYTES_OF(sealed.blob));
	json_put_hex(&writer, "root", BYTES_OF(sealed.root));
	json_put_string(&writer, "wrap", buf_view(&wrap));
	json_object_end(&writer);
	record_sealed_fini(&sealed);
	buf_fini(&wrap);
	return buf_status(out, err);
}

int main(int argc, char **argv) {
	struct arena arena;
	struct buf input, output;
	struct err err = {0};
	if (argc != 2) return fprintf(stderr, "usage: records_tool KEY.jwk\n"), 2;
	arena_init(&arena);
	buf_init(&input, INPUT_MAX);
	buf_init(&output, 4 * INPUT_MAX);
	read_all(&input, stdin);
	enum status status = run(&output, &arena, buf_view(&input), argv[1], &err);
	if (status == STATUS_OK)
		fwrite(output.data, 1, output.len, stdout);
	else
		fprintf(stderr, "records_tool: %s\n", err.message);
	buf_fini(&input);
	buf_fini(&output);
	arena_fini(&arena);
	return status == STATUS_OK ? 0 : 1;
}
