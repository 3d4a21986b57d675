#include "health/trace/tag_statement.h"

#include <stdlib.h>

#include "health/contracts/products.h"
#include "health/trace/tag_json.h"

static struct products_tag_holders typed(const struct tag_statement *statement, hash32 words[2 * VSS_SHARES_MAX]) {
	const struct vss_commitments *commitments = &statement->said.commitments;
	for (uint8_t i = 0; i < commitments->threshold; i++) {
		words[2 * i] = p256_public_x(&commitments->points[i]);
		words[2 * i + 1] = p256_public_y(&commitments->points[i]);
	}
	return (struct products_tag_holders){.number = statement->said.number,
	    .previous = statement->said.previous,
	    .holders = statement->said.holders,
	    .holders_count = statement->said.holder_count,
	    .threshold = commitments->threshold,
	    .commitments = words,
	    .commitments_count = 2u * commitments->threshold,
	    .deadline = statement->deadline_s};
}

static hash32 digest_of(const struct deployment *deployment, const struct tag_statement *statement) {
	hash32 words[2 * VSS_SHARES_MAX];
	const struct products_tag_holders said = typed(statement, words);
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->products);
	return products_tag_holders_typed_digest(&said, &domain);
}

void tag_statement_write(struct buf *out, const struct deployment *deployment, const struct tag_statement *statement) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	tag_json_put_head(&writer, "xinglin-tag-holders", 1, deployment);
	json_put_hex(&writer, "previous", BYTES_OF(statement->said.previous));
	tag_json_put_holders(&writer, &statement->said);
	json_put_u64(&writer, "deadline", statement->deadline_s);
	json_array_begin(&writer, "signatures");
	for (size_t i = 0; i < statement->signature_count; i++) {
		json_object_begin(&writer, NULL);
		json_put_hex(&writer, "registrar", BYTES_OF(statement->signatures[i].registrar));
		json_put_hex(&writer, "signature", BYTES_OF(statement->signatures[i].signature));
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
}

static bool read_signatures(struct tag_statement *out, const struct json *list) {
	if (!json_is(list, JSON_ARRAY) || list->count > STATEMENT_REGISTRARS_MAX) return false;
	json_foreach (one, list) {
		struct tag_signature *signature = &out->signatures[out->signature_count++];
		if (!tag_json_fixed(signature->registrar.b, 20, json_get(one, "registrar")) ||
		    !tag_json_fixed(signature->signature.b, sizeof signature->signature.b, json_get(one, "signature")))
			return false;
	}
	return true;
}

enum status tag_statement_read(
    struct actor_request *request, struct tag_statement *out, struct bytes json, struct err *err) {
	const struct json *root;
	*out = (struct tag_statement){.deadline_s = 0};
	TRY(json_parse(&root, request->arena, json, NULL, err));
	TRY(tag_json_check_head(root, "xinglin-tag-holders", 1, &request->home->deployment, err));
	if (tag_json_read_holders(&out->said, request->arena, root) &&
	    tag_json_fixed(out->said.previous.b, 32, json_get(root, "previous")) &&
	    json_u64(&out->deadline_s, json_get(root, "deadline")) &&
	    read_signatures(out, json_get(root, "signatures")))
		return STATUS_OK;
	return err_set(err, STATUS_INVALID, "this is not a statement of the holders of the tags' key");
}

enum status tag_statement_sign(struct actor_request *request, struct tag_statement *statement, struct err *err) {
	const hash32 digest = digest_of(&request->home->deployment, statement);
	struct tag_signature own = {.registrar = request->home->account};
	size_t at = statement->signature_count;
	for (size_t i = 0; i < statement->signature_count; i++)
		if (addr20_equal(&statement->signatures[i].registrar, &own.registrar)) at = i;
	if (at == STATEMENT_REGISTRARS_MAX) return err_set(err, STATUS_LIMIT, "the statement has too many signatures");
	TRY(eth_sign_digest(&own.signature, &request->home->account_secret, &digest));
	statement->signatures[at] = own;
	statement->signature_count += at == statement->signature_count;
	return STATUS_OK;
}

static int by_registrar(const void *a, const void *b) {
	const struct tag_signature *first = a, *second = b;
	return memcmp(first->registrar.b, second->registrar.b, sizeof first->registrar.b);
}

enum status tag_statement_call(
    struct actor_request *request, struct bytes *calldata, const struct tag_statement *statement, struct err *err) {
	const size_t count = statement->signature_count;
	struct tag_signature *sorted = arena_zalloc(request->arena, count + 1, sizeof *sorted);
	struct bytes *signatures = arena_zalloc(request->arena, count + 1, sizeof *signatures);
	const hash32 digest = digest_of(&request->home->deployment, statement);
	hash32 words[2 * VSS_SHARES_MAX];
	const struct products_tag_holders said = typed(statement, words);
	memcpy(sorted, statement->signatures, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, by_registrar);
	for (size_t i = 0; i < count; i++) {
		addr20 signer;
		if (eth_signer(&signer, &sorted[i].signature, &digest) != STATUS_OK ||
		    !addr20_equal(&signer, &sorted[i].registrar))
			return err_set(
			    err, STATUS_DENIED, "a signature of the statement is not of the account beside it");
		signatures[i] = bytes_make(sorted[i].signature.b, sizeof sorted[i].signature.b);
	}
	*calldata = products_set_tag_holders_call(request->arena, &said, signatures, count);
	return STATUS_OK;
}
