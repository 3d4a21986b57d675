#include "health/trace/products.h"

#include "codec/hex.h"
#include "health/gs1/gs1.h"
#include "health/trace/home_seal.h"

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

enum status product_read_key(struct product *out, struct arena *arena, struct bytes json, struct err *err) {
	const struct json *root;
	struct buf key;
	TRY(json_parse(&root, arena, json, NULL, err));
	buf_init(&key, sizeof out->key.b);
	struct bytes text = json_string(json_get(root, "key"));
	bool good = gs1_gtin14(out->gtin, json_string(json_get(root, "gtin"))) && text.data &&
		    base64url_data(&key, text) == STATUS_OK && key.len == sizeof out->key.b && !key.overflow;
	if (good) memcpy(out->key.b, key.data, sizeof out->key.b);
	buf_wipe(&key);
	if (!good) return err_set(err, STATUS_INVALID, "this is not a product's key");
	if (json_get(root, "owner") &&
	    (hex_fixed(out->owner.b, 20, json_string(json_get(root, "owner"))) != STATUS_OK ||
		hex_fixed(out->regulator.b, 20, json_string(json_get(root, "regulator"))) != STATUS_OK ||
		hex_fixed(out->tag.b, 32, json_string(json_get(root, "tag"))) != STATUS_OK))
		return err_set(err, STATUS_INVALID, "a product key without its actors");
	return STATUS_OK;
}

void product_write_key(struct buf *out, const struct product *product) {
	write_product(out, product, false);
}

enum status product_load(struct actor_request *request, struct product *out, const char *gtin, struct err *err) {
	struct bytes plaintext;
	*out = (struct product){.gtin = ""};
	enum status status = home_seal_read(request, &plaintext, path_of(request, gtin), err);
	if (status == STATUS_NOTFOUND) return err_set(err, status, "this home holds no key of product %s", gtin);
	TRY(status);
	return product_read_key(out, request->arena, plaintext, err);
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
