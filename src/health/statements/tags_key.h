/*
 * Statements of products: who holds the key of GTIN tags, and whose product a tag is (health/statements/statement.h).
 *
 *	TagHolders        m registrars                                      Products.newest.statement
 *	RegisterProduct   as many holders as the threshold says             Products.products[].statement
 *
 * Ownership and threads: statement.h. Source: docs/wire-formats.md §9.
 */
#ifndef HEALTH_STATEMENTS_TAGS_KEY_H
#define HEALTH_STATEMENTS_TAGS_KEY_H

#include "crypto/threshold/vss.h"
#include "health/statements/registrars.h"

#define STATEMENT_HOLDERS_MAX 8u /* as Products has it */

struct statement_tag_holders {
	uint32_t number;       /* from 1 */
	hash32 previous, fact; /* `previous`: fact of the one before, or zeros */
	const addr20 *holders; /* ascending; holder i, from 0, has share i + 1 */
	size_t holder_count;
	struct vss_commitments commitments; /* of the key, and how many holders it takes */
};
/* Of calldata of Products.setTagHolders. STATUS_DENIED: too few registrars signed it. */
MUST_USE enum status statement_tag_holders_read(struct statement_tag_holders *out,
    const struct statement_registrars *registrars, struct bytes calldata, struct err *err);
/* The same without a look at signatures: what the chain took once, if `fact` is the proved one. After a theft nobody's
 * word about a tag is believed because of it; the key is dealt again from it. */
MUST_USE enum status statement_tag_holders_stated(
    struct statement_tag_holders *out, struct arena *arena, struct bytes calldata, struct err *err);
/* The place of a holder's share, from 1; 0: the account is none of them. */
uint8_t statement_tag_holder_index(const struct statement_tag_holders *holders, const addr20 *account);

struct statement_product {
	hash32 product, key_commitment, fact;
	addr20 owner;
	uint32_t holders; /* number of the TagHolders whose signatures these are */
};
/* Of calldata of Products.registerProduct. STATUS_DENIED: it was registered by other holders, or too few signed it. */
MUST_USE enum status statement_product_read(struct statement_product *out, struct arena *arena,
    const struct deployment *anchor, const struct statement_tag_holders *holders, struct bytes calldata,
    struct err *err);

#endif
