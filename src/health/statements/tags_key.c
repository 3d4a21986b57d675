#include "health/statements/tags_key.h"

#include "health/contracts/products.h"
#include "health/statements/private.h"
#include "health/statements/registrars_private.h"

/* Words x, y of each point, the key first. */
static enum status read_commitments(
    struct vss_commitments *out, const struct products_tag_holders *said, struct err *err) {
	uint8_t rest[(STATEMENT_HOLDERS_MAX - 1) * VSS_POINT_BYTES];
	const size_t words = said->commitments_count;
	if (words < 2 || words > 2 * STATEMENT_HOLDERS_MAX || words != 2u * said->threshold)
		return err_set(
		    err, STATUS_INVALID, "tag holders: the commitments are not as many as the threshold says");
	const struct p256_public key = p256_public_of_words(&said->commitments[0], &said->commitments[1]);
	for (size_t i = 2; i < words; i++) memcpy(rest + 32 * (i - 2), said->commitments[i].b, 32);
	if (vss_commitments_read(out, said->threshold, &key, bytes_make(rest, 32 * (words - 2))) == STATUS_OK)
		return STATUS_OK;
	return err_set(err, STATUS_INVALID, "tag holders: a commitment is not a point of P-256");
}

static enum status read_holders(struct statement_tag_holders *out, struct products_set_tag_holders_args *args,
    struct arena *arena, struct bytes calldata, struct err *err) {
	TRY(products_set_tag_holders_call_read(args, arena, calldata, err));
	const struct products_tag_holders *said = &args->statement;
	*out = (struct statement_tag_holders){.number = said->number,
	    .previous = said->previous,
	    .fact = products_tag_holders_typed_hash(said),
	    .holders = said->holders,
	    .holder_count = said->holders_count};
	TRY(read_commitments(&out->commitments, said, err));
	if (said->holders_count >= said->threshold && said->holders_count <= STATEMENT_HOLDERS_MAX) return STATUS_OK;
	return err_set(
	    err, STATUS_INVALID, "tag holders: 1 to %u, and no fewer than the threshold", STATEMENT_HOLDERS_MAX);
}

enum status statement_tag_holders_stated(
    struct statement_tag_holders *out, struct arena *arena, struct bytes calldata, struct err *err) {
	struct products_set_tag_holders_args args;
	return read_holders(out, &args, arena, calldata, err);
}

enum status statement_tag_holders_read(struct statement_tag_holders *out, const struct statement_registrars *registrars,
    struct bytes calldata, struct err *err) {
	static const addr20 nobody;
	struct products_set_tag_holders_args args;
	const struct eip712_domain domain = deployment_domain(registrars->anchor, &registrars->anchor->products);
	TRY(read_holders(out, &args, registrars->arena, calldata, err));
	const hash32 digest = products_tag_holders_typed_digest(&args.statement, &domain);
	/* What registrars signed before a theft was found counts for nobody who is not affirmed: so for no holders. */
	if (registrars_signed_for(
		registrars, &nobody, args.registrar_signatures, args.registrar_signatures_count, &digest))
		return STATUS_OK;
	return err_set(err, STATUS_DENIED, "tag holders: too few registrars signed them, or somebody else did");
}

uint8_t statement_tag_holder_index(const struct statement_tag_holders *holders, const addr20 *account) {
	for (size_t i = 0; i < holders->holder_count; i++)
		if (addr20_equal(&holders->holders[i], account)) return (uint8_t)(i + 1);
	return 0;
}

enum status statement_product_read(struct statement_product *out, struct arena *arena, const struct deployment *anchor,
    const struct statement_tag_holders *holders, struct bytes calldata, struct err *err) {
	struct products_register_product_args args;
	struct registrar_signers signers;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->products);
	TRY(products_register_product_call_read(&args, arena, calldata, err));
	const struct products_register_product *said = &args.statement;
	const hash32 digest = products_register_product_typed_digest(said, &domain);
	*out = (struct statement_product){.product = said->product,
	    .key_commitment = said->key_commitment,
	    .fact = products_register_product_typed_hash(said),
	    .owner = said->owner,
	    .holders = said->holders};
	if (said->holders != holders->number)
		return err_set(err, STATUS_DENIED, "the product: other holders registered it");
	bool signed_by_holders =
	    registrar_signers_of(&signers, args.holder_signatures, args.holder_signatures_count, &digest) &&
	    signers.count >= holders->commitments.threshold;
	for (size_t i = 0; i < signers.count && signed_by_holders; i++)
		signed_by_holders = statement_tag_holder_index(holders, &signers.all[i]) != 0;
	if (signed_by_holders) return STATUS_OK;
	return err_set(
	    err, STATUS_DENIED, "the product: too few holders of the tags' key signed it, or somebody else did");
}
