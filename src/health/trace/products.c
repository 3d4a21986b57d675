/* Products: their keys, and the request by which a manufacturer has one registered. */
#include "health/trace/products.h"

#include <stdio.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "envelope/jwe.h"
#include "health/actors/directory.h"
#include "health/trace/home_seal.h"
#include "health/trace/stock.h"
#include "health/trace/tags.h"

static const char *path_of(struct actor_request *request, const char *gtin) {
	return arena_printf(request->arena, "products/%s.jwe", gtin);
}

/* {"v":1,"gtin":…,"key":…} and, in a home, whose it is. */
static void write_product(struct buf *out, const struct product *product, bool with_actors) {
	struct json_writer writer = json_writer(out);
	struct buf key;
	buf_init(&key, 64);
	base64url_put(&key, BYTES_OF(product->key));
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 1);
	json_put_text(&writer, "gtin", product->gtin);
	json_put_string(&writer, "key", buf_view(&key));
	if (with_actors) {
		json_put_hex(&writer, "owner", BYTES_OF(product->owner));
		json_put_hex(&writer, "regulator", BYTES_OF(product->regulator));
		json_put_hex(&writer, "tag", BYTES_OF(product->tag));
	}
	json_object_end(&writer);
	buf_wipe(&key);
}

static enum status read_product(struct product *out, struct arena *arena, struct bytes json, struct err *err) {
	const struct json *root;
	struct buf key;
	TRY(json_parse(&root, arena, json, NULL, err));
	buf_init(&key, sizeof out->key.b);
	struct bytes text = json_string(json_get(root, "key"));
	bool good = gs1_gtin14(out->gtin, json_string(json_get(root, "gtin"))) && text.data &&
		    base64url_data(&key, text) == STATUS_OK && key.len == sizeof out->key.b && !key.overflow;
	if (good) memcpy(out->key.b, key.data, sizeof out->key.b);
	buf_wipe(&key);
	if (!good) return err_set(err, STATUS_INVALID, "this is no product key");
	if (json_get(root, "owner") &&
	    (hex_fixed(out->owner.b, 20, json_string(json_get(root, "owner"))) != STATUS_OK ||
		hex_fixed(out->regulator.b, 20, json_string(json_get(root, "regulator"))) != STATUS_OK ||
		hex_fixed(out->tag.b, 32, json_string(json_get(root, "tag"))) != STATUS_OK))
		return err_set(err, STATUS_INVALID, "a product key without its actors");
	return STATUS_OK;
}

enum status product_load(struct actor_request *request, struct product *out, const char *gtin, struct err *err) {
	struct bytes plaintext;
	*out = (struct product){.gtin = ""};
	enum status status = home_seal_read(request, &plaintext, path_of(request, gtin), err);
	if (status == STATUS_NOTFOUND) return err_set(err, status, "this home holds no key of product %s", gtin);
	TRY(status);
	return read_product(out, request->arena, plaintext, err);
}

enum status product_save(struct actor_request *request, const struct product *product, struct err *err) {
	struct buf plaintext;
	buf_init(&plaintext, 4096);
	write_product(&plaintext, product, true);
	enum status status = home_seal_folder(request, "products", err);
	if (status == STATUS_OK)
		status = home_seal_write(
		    request, path_of(request, product->gtin), "xinglin-product-key", buf_view(&plaintext), err);
	buf_wipe(&plaintext);
	return status;
}

/* --- the request --- */

static enum status escrow(
    struct actor_request *request, struct buf *out, const struct product *product, struct err *err) {
	struct directory_listed regulator;
	struct buf plaintext;
	TRY(directory_find(request, &regulator, &product->regulator, err));
	if (!(regulator.roles & ROLE_REGULATOR))
		return err_set(
		    err, STATUS_DENIED, "%s is no regulator: keys are escrowed with regulators only", regulator.name);
	buf_init(&plaintext, 4096);
	write_product(&plaintext, product, false);
	const char *members =
	    arena_printf(request->arena, "{\"typ\":\"xinglin-product-key\",\"ver\":%u}", regulator.key_version);
	enum status status =
	    jwe_ecdh_seal(out, &regulator.key, bytes_text(members), buf_view(&plaintext), request->random, err);
	buf_wipe(&plaintext);
	return status;
}

enum status product_request_write(
    struct actor_request *request, struct buf *out, const struct product *product, uint32_t capacity, struct err *err) {
	hash32 tag = tag_product(&product->key, product->gtin), commitment = tag_key_commitment(&product->key);
	struct buf sealed;
	buf_init(&sealed, 8192);
	enum status status = escrow(request, &sealed, product, err);
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "type", "xinglin-product");
	json_put_u64(&writer, "v", 1);
	json_put_u64(&writer, "chainId", request->home->deployment.chain_id);
	json_put_hex(&writer, "medicines", BYTES_OF(request->home->deployment.medicines));
	json_put_hex(&writer, "owner", BYTES_OF(product->owner));
	json_put_u64(&writer, "capacity", capacity);
	json_put_hex(&writer, "product", BYTES_OF(tag));
	json_put_hex(&writer, "commitment", BYTES_OF(commitment));
	json_put_string(&writer, "escrow", buf_view(&sealed));
	json_object_end(&writer);
	buf_fini(&sealed);
	TRY(status);
	return buf_status(out, err);
}

static enum status open_escrow(struct actor_request *request, struct product *out, struct bytes jwe, struct err *err) {
	struct jwe_header header;
	struct p256_secret secret;
	struct p256_public key;
	struct buf plaintext;
	uint64_t version = 0;
	TRY(jwe_read_header(&header, request->arena, jwe, err));
	if (!json_u64(&version, json_get(header.members, "ver")) || version == 0 || version > UINT32_MAX)
		return err_set(err, STATUS_INVALID, "the escrow does not say to which key it is sealed");
	TRY(home_encryption_key(request->home, &secret, &key, (uint32_t)version, err));
	buf_init(&plaintext, 4096);
	enum status status = jwe_ecdh_open(&plaintext, NULL, request->arena, jwe, &secret, err);
	mem_wipe(&secret, sizeof secret);
	if (status != STATUS_OK)
		status = err_prefix(err, status, "the escrow does not open with this regulator's key");
	else
		status = read_product(out, request->arena, buf_view(&plaintext), err);
	buf_wipe(&plaintext);
	return status;
}

static bool reads(uint8_t *out, size_t len, const struct json *root, const char *name) {
	struct bytes text = json_string(json_get(root, name));
	return text.data && hex_fixed(out, len, text) == STATUS_OK;
}

enum status product_request_open(
    struct actor_request *request, struct product_request *out, struct bytes json, struct err *err) {
	const struct json *root;
	uint64_t version = 0, chain_id = 0, capacity = 0;
	addr20 medicines;
	*out = (struct product_request){.capacity = 0};
	TRY(json_parse(&root, request->arena, json, NULL, err));
	if (!json_string_is(json_get(root, "type"), "xinglin-product") || !json_u64(&version, json_get(root, "v")) ||
	    version != 1 || !json_u64(&chain_id, json_get(root, "chainId")) ||
	    !json_u64(&capacity, json_get(root, "capacity")) || capacity == 0 || capacity > UINT32_MAX ||
	    !reads(medicines.b, 20, root, "medicines") || !reads(out->owner.b, 20, root, "owner") ||
	    !reads(out->product.b, 32, root, "product") || !reads(out->commitment.b, 32, root, "commitment") ||
	    !json_string(json_get(root, "escrow")).data)
		return err_set(err, STATUS_INVALID, "this is no product request");
	if (chain_id != request->home->deployment.chain_id ||
	    !addr20_equal(&medicines, &request->home->deployment.medicines))
		return err_set(err, STATUS_DENIED, "this request is for another chain");
	out->capacity = (uint32_t)capacity;
	TRY(open_escrow(request, &out->secret, json_string(json_get(root, "escrow")), err));
	out->secret.owner = out->owner;
	out->secret.regulator = request->home->account;
	hash32 tag = tag_product(&out->secret.key, out->secret.gtin);
	hash32 commitment = tag_key_commitment(&out->secret.key);
	if (!hash32_equal(&tag, &out->product) || !hash32_equal(&commitment, &out->commitment))
		return err_set(err, STATUS_DENIED, "the escrowed key does not give the request's tag and commitment");
	return STATUS_OK;
}
