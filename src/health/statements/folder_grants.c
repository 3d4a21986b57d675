/* Grants and revocations. */
#include "health/statements/folder_statements_private.h"
#include "health/statements/private.h"

#define RIGHTS_ALL 15u
#define PURPOSES_ALL 0x7fu

/* The contract's own rules of what makes sense. */
static const char *sense_fault(const struct consent_grant *said) {
	bool reads = said->rights & STATEMENT_RIGHT_READ;
	if (addr20_is_zero(&said->grantee) || addr20_equal(&said->grantee, &said->by))
		return "its grantee makes no sense";
	if (said->rights == 0 || said->rights & ~RIGHTS_ALL || said->purposes & ~PURPOSES_ALL)
		return "its rights or purposes are not known";
	if (!hash32_is_zero(&said->record) && said->rights & ~(STATEMENT_RIGHT_READ | STATEMENT_RIGHT_SHARE))
		return "one record can be shared for reading only";
	if (said->until <= said->from) return "it ends before it begins";
	if (reads == hash32_is_zero(&said->wrap)) return "it has a wrap without the right to read, or none with it";
	return NULL;
}

/* What a delegate gives is within what it has, and never passes on what lets others give. */
static bool is_within(const struct consent_grant *said, const struct statement_grant *right) {
	uint8_t may = right->rights & (uint8_t) ~(STATEMENT_RIGHT_SHARE | STATEMENT_RIGHT_ROTATE);
	return !(said->rights & ~may) && !(said->purposes & ~right->purposes) && said->until <= right->until;
}

static const char *grant_fault(const struct statement_folder *folder, const struct consent_grant_args *args,
    const struct statement_grant *right, const hash32 *digest) {
	const struct consent_grant *said = &args->statement;
	const struct statement_authority authority = {&said->by, said->number, STATEMENT_RIGHT_SHARE, right};
	const struct statement_authority alone = {&said->by, said->number, 0, NULL};
	if (!hash32_equal(&said->folder, &folder->id)) return "it is of another folder";
	const char *fault = sense_fault(said);
	if (fault) return fault;
	if (!statement_is_signed_by(&said->by, args->signature, digest))
		return "the account that it names did not sign it";
	if (!statement_authority_fault(folder, &alone)) return NULL;
	fault = statement_authority_fault(folder, &authority);
	if (!fault && !is_within(said, right)) fault = "it is wider or longer than its signer's own grant";
	return fault;
}

enum status statement_grant_read(const struct statement_folder *folder, struct statement_grant *out,
    const struct statement_grant *right, struct bytes calldata, struct err *err) {
	struct consent_grant_args args;
	const struct eip712_domain domain = deployment_domain(folder->anchor, &folder->anchor->consent);
	TRY(consent_grant_call_read(&args, folder->arena, calldata, err));
	const struct consent_grant *said = &args.statement;
	hash32 digest = consent_grant_typed_digest(said, &domain);
	const char *fault = grant_fault(folder, &args, right, &digest);
	if (fault) return statement_refuse_folder(folder, "a grant", fault, err);
	*out = (struct statement_grant){.folder = said->folder,
	    .record = said->record,
	    .grantee = said->grantee,
	    .key_version = said->key_version,
	    .rights = said->rights,
	    .purposes = said->purposes,
	    .from = said->from,
	    .until = said->until,
	    .epoch = said->epoch,
	    .wrap = said->wrap,
	    .wrap_bytes = said->wrap_size,
	    .by = said->by,
	    .number = said->number,
	    .fact = consent_grant_typed_hash(said)};
	return STATUS_OK;
}

enum status statement_revocation_read(const struct statement_folder *folder, struct statement_revocation *out,
    const struct statement_grant *right, struct bytes calldata, struct err *err) {
	struct consent_revoke_args args;
	const struct eip712_domain domain = deployment_domain(folder->anchor, &folder->anchor->consent);
	TRY(consent_revoke_call_read(&args, folder->arena, calldata, err));
	const struct consent_revoke *said = &args.statement;
	const struct statement_authority authority = {&said->by, said->number, STATEMENT_RIGHT_SHARE, right};
	hash32 digest = consent_revoke_typed_digest(said, &domain);
	const char *fault = NULL;
	if (!hash32_equal(&said->folder, &folder->id))
		fault = "it is of another folder";
	else if (!statement_is_signed_by(&said->by, args.signature, &digest))
		fault = "the account that it names did not sign it";
	else
		fault = statement_authority_fault(folder, &authority);
	if (fault) return statement_refuse_folder(folder, "a revocation", fault, err);
	*out = (struct statement_revocation){.record = said->record,
	    .grantee = said->grantee,
	    .by = said->by,
	    .number = said->number,
	    .fact = consent_revoke_typed_hash(said)};
	return STATUS_OK;
}
