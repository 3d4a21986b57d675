#include "health/statements/call.h"

#include "health/contracts/consent.h"
#include "health/contracts/folders.h"
#include "health/contracts/records.h"
#include "health/statements/private.h"

#include <stdio.h>
#include <time.h>

#define HASH_TEXT_BYTES 67
#define TIME_TEXT_BYTES 32

static const char *hash_text(struct arena *arena, const hash32 *hash) {
	char out[HASH_TEXT_BYTES] = "0x";
	for (size_t i = 0; i < sizeof hash->b; i++) snprintf(out + 2 + 2 * i, 3, "%02x", hash->b[i]);
	return arena_strdup(arena, bytes_text(out));
}

static const char *account_text(struct arena *arena, const addr20 *account) {
	char out[STATEMENT_ADDRESS_BYTES];
	statement_address_text(out, account);
	return arena_strdup(arena, bytes_text(out));
}

static const char *time_text(struct arena *arena, uint64_t at_s) {
	char out[TIME_TEXT_BYTES];
	time_t at = (time_t)at_s;
	struct tm utc;
	if (!gmtime_r(&at, &utc) || !strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &utc))
		return arena_printf(arena, "second %llu", (unsigned long long)at_s);
	return arena_strdup(arena, bytes_text(out));
}

/* What is being read: `args` of each function are its own. */
struct reading {
	struct statement_call *call;
	struct arena *arena;
	struct eip712_domain domain;
	struct bytes calldata;
};

static enum status check_signature(
    const struct reading *r, struct bytes signature, const hash32 *digest, struct err *err) {
	if (statement_is_signed_by(&r->call->by, signature, digest)) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the signature is not of the account %s that the action names",
	    account_text(r->arena, &r->call->by));
}

/* Statements that name no signer are of whoever signed them. */
static enum status take_signer(const struct reading *r, struct bytes signature, const hash32 *digest, struct err *err) {
	if (statement_signer(&r->call->by, signature, digest)) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the signature is of nobody");
}

/* --- one function each --- */

static const char *glass_text(struct arena *arena, const struct folders_glass *glass) {
	if (!glass->minutes || !glass->trustees_count) return "no emergency access";
	return arena_printf(arena, "emergency access for %u minutes by %u of %zu trustees", glass->minutes,
	    glass->threshold, glass->trustees_count);
}

static enum status read_open(const struct reading *r, struct err *err) {
	struct folders_open_args args;
	TRY(folders_open_call_read(&args, r->arena, r->calldata, err));
	const struct folders_open *said = &args.statement;
	hash32 digest = folders_open_typed_digest(said, &r->domain);
	*r->call = (struct statement_call){.by = said->controller,
	    .relay = said->relay,
	    .number = 1,
	    .deadline_s = said->deadline,
	    .blob = said->wraps,
	    .blob_bytes = said->wraps_size};
	r->call->summary = arena_printf(r->arena, "open a folder of %s; %s", account_text(r->arena, &said->controller),
	    glass_text(r->arena, &said->glass));
	return check_signature(r, args.signature, &digest, err);
}

static enum status read_rotate(const struct reading *r, struct err *err) {
	struct folders_rotate_args args;
	TRY(folders_rotate_call_read(&args, r->arena, r->calldata, err));
	const struct folders_rotate *said = &args.statement;
	hash32 digest = folders_rotate_typed_digest(said, &r->domain);
	*r->call = (struct statement_call){.by = said->by,
	    .relay = said->relay,
	    .number = said->number,
	    .deadline_s = said->deadline,
	    .blob = said->wraps,
	    .blob_bytes = said->wraps_size};
	r->call->summary =
	    arena_printf(r->arena, "give the folder %s its key number %u, which %zu other accounts get too; %s",
		hash_text(r->arena, &said->folder), said->epoch, said->recipients_count,
		glass_text(r->arena, &said->glass));
	return check_signature(r, args.signature, &digest, err);
}

/* Both sign it; who gives the folder away stands in no member. */
static enum status read_hand_over(const struct reading *r, struct err *err) {
	struct folders_hand_over_args args;
	TRY(folders_hand_over_call_read(&args, r->arena, r->calldata, err));
	const struct folders_hand_over *said = &args.statement;
	hash32 digest = folders_hand_over_typed_digest(said, &r->domain);
	*r->call = (struct statement_call){
	    .by = said->controller, .relay = said->relay, .number = said->number, .deadline_s = said->deadline};
	r->call->summary = arena_printf(r->arena, "hand the folder %s over to %s", hash_text(r->arena, &said->folder),
	    account_text(r->arena, &said->controller));
	TRY(check_signature(r, args.new_signature, &digest, err));
	return take_signer(r, args.old_signature, &digest, err);
}

static enum status read_forget(const struct reading *r, struct err *err) {
	struct folders_forget_args args;
	TRY(folders_forget_call_read(&args, r->arena, r->calldata, err));
	const struct folders_forget *said = &args.statement;
	hash32 digest = folders_forget_typed_digest(said, &r->domain);
	*r->call = (struct statement_call){.relay = said->relay, .number = said->number, .deadline_s = said->deadline};
	r->call->summary = arena_printf(
	    r->arena, "forget the folder %s for good: all that is in it is erased", hash_text(r->arena, &said->folder));
	return take_signer(r, args.signature, &digest, err);
}

/* "the folder 0x…", or "the record 0x… of the folder 0x…". */
static const char *part_text(struct arena *arena, const hash32 *folder, const hash32 *record) {
	const char *whole = arena_printf(arena, "the folder %s", hash_text(arena, folder));
	if (hash32_is_zero(record)) return whole;
	return arena_printf(arena, "the record %s of %s", hash_text(arena, record), whole);
}

static const char *rights_text(struct arena *arena, uint8_t rights) {
	static const char *const words[] = {"read", "write", "share", "rotate"};
	const char *text = "";
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (rights >> i & 1) text = arena_printf(arena, "%s%s%s", text, *text ? ", " : "", words[i]);
	return text;
}

static enum status read_grant(const struct reading *r, struct err *err) {
	struct consent_grant_args args;
	TRY(consent_grant_call_read(&args, r->arena, r->calldata, err));
	const struct consent_grant *said = &args.statement;
	hash32 digest = consent_grant_typed_digest(said, &r->domain);
	*r->call = (struct statement_call){.by = said->by,
	    .relay = said->relay,
	    .number = said->number,
	    .deadline_s = said->deadline,
	    .blob = said->wrap,
	    .blob_bytes = said->wrap_size};
	r->call->summary = arena_printf(r->arena, "share %s with %s until %s; rights: %s",
	    part_text(r->arena, &said->folder, &said->record), account_text(r->arena, &said->grantee),
	    time_text(r->arena, said->until), rights_text(r->arena, said->rights));
	return check_signature(r, args.signature, &digest, err);
}

static enum status read_revoke(const struct reading *r, struct err *err) {
	struct consent_revoke_args args;
	TRY(consent_revoke_call_read(&args, r->arena, r->calldata, err));
	const struct consent_revoke *said = &args.statement;
	hash32 digest = consent_revoke_typed_digest(said, &r->domain);
	*r->call = (struct statement_call){
	    .by = said->by, .relay = said->relay, .number = said->number, .deadline_s = said->deadline};
	r->call->summary = arena_printf(r->arena, "take %s back from %s",
	    part_text(r->arena, &said->folder, &said->record), account_text(r->arena, &said->grantee));
	return check_signature(r, args.signature, &digest, err);
}

static enum status read_close_review(const struct reading *r, struct err *err) {
	struct consent_close_review_args args;
	TRY(consent_close_review_call_read(&args, r->arena, r->calldata, err));
	const struct consent_close_review *said = &args.statement;
	hash32 digest = consent_close_review_typed_digest(said, &r->domain);
	*r->call = (struct statement_call){
	    .by = said->by, .relay = said->relay, .number = said->number, .deadline_s = said->deadline};
	r->call->summary = arena_printf(r->arena, "close the review %llu of an emergency as %s",
	    (unsigned long long)said->review, said->justified ? "justified" : "not justified");
	return check_signature(r, args.signature, &digest, err);
}

static enum status read_erase(const struct reading *r, struct err *err) {
	struct records_erase_args args;
	TRY(records_erase_call_read(&args, r->arena, r->calldata, err));
	const struct records_erase *said = &args.statement;
	hash32 digest = records_erase_typed_digest(said, &r->domain);
	*r->call = (struct statement_call){.relay = said->relay, .number = said->number, .deadline_s = said->deadline};
	r->call->summary = arena_printf(
	    r->arena, "erase the record %s: nodes delete what is in it", hash_text(r->arena, &said->record));
	return take_signer(r, args.signature, &digest, err);
}

/* --- the list --- */

static const struct {
	size_t contract; /* where the anchor has its address */
	uint32_t selector;
	enum status (*read)(const struct reading *r, struct err *err);
} carried[] = {
    {offsetof(struct deployment, folders), FOLDERS_OPEN_SELECTOR, read_open},
    {offsetof(struct deployment, folders), FOLDERS_ROTATE_SELECTOR, read_rotate},
    {offsetof(struct deployment, folders), FOLDERS_HAND_OVER_SELECTOR, read_hand_over},
    {offsetof(struct deployment, folders), FOLDERS_FORGET_SELECTOR, read_forget},
    {offsetof(struct deployment, consent), CONSENT_GRANT_SELECTOR, read_grant},
    {offsetof(struct deployment, consent), CONSENT_REVOKE_SELECTOR, read_revoke},
    {offsetof(struct deployment, consent), CONSENT_CLOSE_REVIEW_SELECTOR, read_close_review},
    {offsetof(struct deployment, records), RECORDS_ERASE_SELECTOR, read_erase},
};

enum status statement_call_read(struct statement_call *out, struct arena *arena, const struct deployment *anchor,
    const addr20 *to, struct bytes calldata, struct err *err) {
	uint32_t selector = calldata.len < 4 ? 0 : load_be32(calldata.data);
	for (size_t i = 0; i < sizeof carried / sizeof *carried; i++) {
		const addr20 *contract = (const addr20 *)((const uint8_t *)anchor + carried[i].contract);
		if (selector != carried[i].selector || !addr20_equal(contract, to)) continue;
		const struct reading reading = {out, arena, deployment_domain(anchor, to), calldata};
		TRY(carried[i].read(&reading, err));
		BUG_ON(addr20_is_zero(&out->by));
		return STATUS_OK;
	}
	return err_set(err, STATUS_DENIED,
	    "a relay carries what a folder's controller has signed, and this call is none of those");
}
