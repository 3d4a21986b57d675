#include "health/trace/tag_holders.h"

#include "health/actors/certified.h"
#include "health/chain/calldata.h"
#include "health/contracts/products.h"
#include "health/trace/home_seal.h"

struct reading {
	struct statement_tag_holders *out;
	const struct statement_registrars *registrars; /* NULL: whoever signed it */
	struct arena *arena;
	const hash32 *proved;
};

static enum status read_holders(void *context, struct bytes input, struct err *err) {
	const struct reading *r = context;
	if (r->registrars)
		TRY(statement_tag_holders_read(r->out, r->registrars, input, err));
	else
		TRY(statement_tag_holders_stated(r->out, r->arena, input, err));
	return statement_is_proved(&r->out->fact, r->proved, "the tag holders", err);
}

static enum status find(
    struct actor_request *request, struct statement_tag_holders *out, bool whoever_signed, struct err *err) {
	const addr20 *products = &request->home->deployment.products;
	const hash32 slot = products_newest_slot();
	struct verified *verified;
	struct statement_registrars *registrars = NULL;
	struct products_holders stored;
	hash32 words[PRODUCTS_STORED_HOLDERS_SLOTS];
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(verified_struct(verified, words, products, &slot, PRODUCTS_STORED_HOLDERS_SLOTS, err));
	TRY(products_stored_holders_load(&stored, words, err));
	if (stored.number == 0)
		return err_set(err, STATUS_NOTFOUND,
		    "nobody holds the key of products' tags yet: regulators found it first (xinglin tag)");
	if (!whoever_signed) TRY(certified_registrars(verified, request->home, &registrars, err));
	struct reading reading = {out, registrars, request->arena, &stored.statement};
	const struct contract_topics topics = products_tag_holders_changed_event_topics(&stored.number);
	const struct calldata_wish wish = {.query = calldata_query(products, &topics),
	    .block = stored.stated_at,
	    .what = "the holders of the tags' key",
	    .read = read_holders,
	    .context = &reading};
	return verified_statement(verified, &wish, err);
}

enum status tag_holders_find(struct actor_request *request, struct statement_tag_holders *out, struct err *err) {
	return find(request, out, false, err);
}

enum status tag_holders_find_stated(struct actor_request *request, struct statement_tag_holders *out, struct err *err) {
	return find(request, out, true, err);
}

hash32 tag_of_product(const struct deployment *deployment, const hash32 *output) {
	const struct bytes parts[] = {
	    BYTES_LITERAL("xinglin/product/2"), BYTES_OF(deployment->genesis), BYTES_OF(*output)};
	return sha256_parts(parts, 3);
}

/* --- this home's share --- */

static const char *share_path(struct actor_request *request, uint32_t number) {
	return arena_printf(request->arena, "tag-shares/%u.jwe", number);
}

enum status tag_share_load(struct actor_request *request, struct vss_share *out, uint32_t number, struct err *err) {
	struct bytes plaintext;
	enum status status = home_seal_read(request, &plaintext, share_path(request, number), err);
	if (status == STATUS_NOTFOUND)
		return err_set(err, status, "this home holds no share of the tags' key of holders %u", number);
	TRY(status);
	if (vss_share_read(out, plaintext) == STATUS_OK) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "%s is not a share", share_path(request, number));
}

enum status tag_share_save(
    struct actor_request *request, const struct vss_share *share, uint32_t number, struct err *err) {
	uint8_t bytes[VSS_SHARE_BYTES];
	TRY(home_seal_folder(request, "tag-shares", err));
	vss_share_write(bytes, share);
	enum status status = home_seal_write(
	    request, share_path(request, number), "xinglin-tag-share", bytes_make(bytes, sizeof bytes), err);
	mem_wipe(bytes, sizeof bytes);
	return status;
}
