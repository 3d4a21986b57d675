#include "health/statements/statement.h"

#include "codec/hex.h"
#include "crypto/p256.h"
#include "eth/sign.h"
#include "health/contracts/cause.h"
#include "health/contracts/consent.h"
#include "health/contracts/records.h"
#include "health/statements/private.h"

#include <stdio.h>

void statement_address_text(char out[STATEMENT_ADDRESS_BYTES], const addr20 *address) {
	memcpy(out, "0x", 2);
	for (size_t i = 0; i < sizeof address->b; i++) snprintf(out + 2 + 2 * i, 3, "%02x", address->b[i]);
}

void statement_id_text(char out[STATEMENT_ID_BYTES], const hash32 *id) {
	snprintf(out, STATEMENT_ID_BYTES, "0x%02x%02x%02x%02x", id->b[0], id->b[1], id->b[2], id->b[3]);
}

bool statement_signer(addr20 *out, struct bytes signature, const hash32 *digest) {
	struct eth_signature copy;
	if (signature.len != sizeof copy.b) return false;
	memcpy(copy.b, signature.data, sizeof copy.b);
	if (copy.b[64] != 27 && copy.b[64] != 28) return false;
	return eth_signer(out, &copy, digest) == STATUS_OK;
}

bool statement_is_signed_by(const addr20 *account, struct bytes signature, const hash32 *digest) {
	addr20 signer;
	return !addr20_is_zero(account) && statement_signer(&signer, signature, digest) &&
	       addr20_equal(&signer, account);
}

bool statement_is_point(const hash32 *x, const hash32 *y) {
	struct p256_public key = p256_public_of_words(x, y);
	return p256_public_is_valid(&key);
}

bool statement_has_address(const addr20 *all, size_t count, const addr20 *who) {
	for (size_t i = 0; i < count; i++)
		if (addr20_equal(&all[i], who)) return true;
	return false;
}

enum status statement_is_proved(const hash32 *fact, const hash32 *proved, const char *what, struct err *err) {
	if (hash32_equal(fact, proved)) return STATUS_OK;
	err_set(err, STATUS_DENIED, "%s: the chain holds another statement than this one", what);
	return err_because(err, CAUSE_NOT_PROVED, STATUS_DENIED);
}

hash32 statement_record_digest(const struct deployment *anchor, const struct statement_record *record) {
	const struct records_record_typed message = {.record = record->record,
	    .folder = record->folder,
	    .epoch = record->epoch,
	    .root = record->root,
	    .facts = record->facts};
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->records);
	return records_record_typed_digest(&message, &domain);
}

enum status statement_record_check(const struct deployment *anchor, const struct statement_record *record,
    const addr20 *author, struct bytes signature, struct err *err) {
	char text[STATEMENT_ADDRESS_BYTES], id[STATEMENT_ID_BYTES];
	hash32 digest = statement_record_digest(anchor, record);
	if (statement_is_signed_by(author, signature, &digest)) return STATUS_OK;
	statement_address_text(text, author);
	statement_id_text(id, &record->record);
	return err_set(err, STATUS_DENIED, "record %s: the signature in it is not of its author %s", id, text);
}

enum status statement_emergency_read(struct statement_emergency *out, struct arena *arena,
    const struct deployment *anchor, struct bytes calldata, struct err *err) {
	struct consent_break_glass_args args;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->consent);
	TRY(consent_break_glass_call_read(&args, arena, calldata, err));
	const struct consent_emergency *said = &args.statement;
	hash32 digest = consent_emergency_typed_digest(said, &domain);
	*out = (struct statement_emergency){.folder = said->folder,
	    .actor = said->actor,
	    .reason_hash = said->reason_hash,
	    .reason = said->reason,
	    .reason_bytes = said->reason_size,
	    .fact = consent_emergency_typed_hash(said)};
	if (statement_is_signed_by(&said->actor, args.signature, &digest)) return STATUS_OK;
	char text[STATEMENT_ADDRESS_BYTES];
	statement_address_text(text, &said->actor);
	return err_set(err, STATUS_DENIED, "the emergency of %s: the signature is not of this actor", text);
}
