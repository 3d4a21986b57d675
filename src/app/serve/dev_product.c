#include "app/serve/dev_product.h"

#include <stdio.h>

#include "health/actors/joint.h"
#include "health/trace/product_request.h"
#include "health/trace/tag_dealing.h"

/* --- the key of tags --- */

static enum status found_tags(struct actor_request *request, struct err *err) {
	struct tag_dealing *dealing = arena_zalloc(request->arena, 1, sizeof *dealing);
	struct joint_statement *joint = arena_zalloc(request->arena, 1, sizeof *joint);
	struct products_tag_holders said;
	struct client_receipt receipt;
	struct buf text;
	buf_init(&text, TAG_DEALING_MAX);
	enum status status = tag_dealing_write(request, &text, &request->home->account, 1, 1, err);
	if (status == STATUS_OK)
		status = tag_dealing_read(request, dealing, arena_dup(request->arena, buf_view(&text)), err);
	if (status == STATUS_OK) status = tag_dealings_gather(request, &said, dealing, 1, err);
	if (status == STATUS_OK) status = joint_of_tag_holders(request, joint, &said, err);
	if (status == STATUS_OK) status = joint_send(request, &receipt, joint, err);
	buf_fini(&text);
	return status;
}

/* --- the product --- */

/* Asked, answered and registered by the same organisation. */
static enum status register_product(struct actor_request *request, struct product *product, struct err *err) {
	struct product_request *asked = arena_zalloc(request->arena, 1, sizeof *asked);
	struct client_receipt receipt;
	struct bytes calldata;
	bool is_signed = false;
	TRY(product_request_make(request, asked, product, err));
	TRY(product_save(request, product, err));
	TRY(product_request_answer(request, asked, product, &is_signed, err));
	TRY(product_request_finish(request, &calldata, asked, product, err));
	TRY(request_transact(request, &receipt, &request->home->deployment.products, calldata, err));
	return product_save(request, product, err);
}

enum status dev_product_register(struct actor_request *request, struct err *err) {
	struct product product = {
	    .gtin = DEV_PRODUCT_GTIN, .owner = request->home->account, .regulator = request->home->account};
	TRY(found_tags(request, err));
	random_fill(request->random, product.key.b, sizeof product.key.b);
	enum status status = register_product(request, &product, err);
	mem_wipe(&product, sizeof product);
	return status;
}
