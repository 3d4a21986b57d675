/* Light blocks that are shown: read, asked for, and judged; one by one, or as the proof of a block in a file. */
#include "codec/hex.h"
#include "health/chain/validators_private.h"
#include "health/contracts/cause.h"

enum status validators_block_read(
    struct comet_light_block *out, struct arena *arena, struct bytes hex, struct err *err) {
	struct buf bytes;
	buf_init(&bytes, COMET_LIGHT_BLOCK_MAX);
	enum status status = hex_data(&bytes, hex);
	if (status == STATUS_OK && bytes.overflow) status = STATUS_LIMIT;
	if (status == STATUS_OK)
		status = comet_light_block_decode(out, arena_dup(arena, buf_view(&bytes)), err);
	else
		err_set(err, STATUS_INVALID, "a light block is not spelled in hexadecimal digits, or is too large");
	buf_fini(&bytes);
	return status == STATUS_OK ? status : STATUS_INVALID;
}

enum status validators_ask(void *context, struct comet_light_block *out, uint64_t height, struct err *err) {
	struct validators_asking *asking = context;
	const struct json *answer;
	const char *params = arena_printf(asking->arena, "[\"0x%llx\"]", (unsigned long long)height);
	TRY(client_rpc(asking->client, &answer, NULL, asking->arena, "xinglin_lightBlock", bytes_text(params), err));
	if (validators_block_read(out, asking->arena, json_string(answer), err) != STATUS_OK)
		return err_prefix(err, STATUS_DENIED, "height %llu", (unsigned long long)height);
	if (!asking->shown) return STATUS_OK;
	struct buf bytes;
	buf_init(&bytes, COMET_LIGHT_BLOCK_MAX);
	comet_light_block_encode(&bytes, out);
	asking->heights[asking->count] = out->header.height;
	asking->shown[asking->count++] = arena_dup(asking->arena, buf_view(&bytes));
	buf_fini(&bytes);
	return STATUS_OK;
}

/* --- judging --- */

static enum status check_age(const struct comet_trusted *trusted, const struct comet_rules *rules, struct err *err) {
	const uint64_t until_s = (trusted->time.s > 0 ? (uint64_t)trusted->time.s : 0) + rules->trust_s;
	const uint64_t now_s = rules->now.s > 0 ? (uint64_t)rules->now.s : 0;
	if (until_s > now_s) return STATUS_OK;
	err_set(err, STATUS_DENIED,
	    "the validators that are trusted were trusted until %llu seconds ago: a newer deployment is needed",
	    (unsigned long long)(now_s - until_s));
	return err_because(err, CAUSE_OLD_ANCHOR, STATUS_DENIED);
}

/* A block that is not higher than the trusted one: those who are trusted now voted for no block that was not decided,
 * at no height. So it is judged as if the trusted block were before it. */
static enum status check_earlier(const struct comet_trusted *trusted, const struct comet_light_block *block,
    const struct comet_rules *rules, struct err *err) {
	struct comet_trusted *before = mem_alloc(sizeof *before);
	struct comet_rules without_end = *rules;
	*before = *trusted;
	before->height = 0;
	before->next_validators = before->validators.hash;
	before->time.s = block->header.time.s - 1;
	without_end.trust_s = UINT64_MAX;
	const enum comet_verdict verdict = comet_light_verify(before, block, &without_end, err);
	mem_free(before);
	return verdict == COMET_BELIEVED ? STATUS_OK : STATUS_DENIED;
}

enum status validators_follow(struct comet_trusted *trusted, const struct comet_light_block *block,
    const struct comet_rules *rules, const struct comet_source *source, struct err *err) {
	TRY(check_age(trusted, rules, err));
	if (block->header.height <= trusted->height) return check_earlier(trusted, block, rules, err);
	return comet_light_follow(trusted, block, rules, source, err);
}

/* --- the proof of a block in a file --- */

static void sort(struct validators_asking *asking) {
	for (size_t i = 1; i < asking->count; i++)
		for (size_t n = i; n > 0 && asking->heights[n - 1] > asking->heights[n]; n--) {
			const uint64_t height = asking->heights[n];
			const struct bytes shown = asking->shown[n];
			asking->heights[n] = asking->heights[n - 1];
			asking->shown[n] = asking->shown[n - 1];
			asking->heights[n - 1] = height;
			asking->shown[n - 1] = shown;
		}
}

enum status validators_proof_make(struct client *client, struct validators_proof *out, struct arena *arena,
    const struct deployment *anchor, struct bytes commit, uint64_t now_ms, struct err *err) {
	struct comet_light_block *block = arena_alloc(arena, sizeof *block);
	struct comet_trusted *trusted = arena_alloc(arena, sizeof *trusted);
	struct validators_asking asking = {.client = client,
	    .arena = arena,
	    .shown = arena_alloc(arena, (COMET_STEPS_MAX + 1) * sizeof *asking.shown),
	    .heights = arena_alloc(arena, COMET_STEPS_MAX * sizeof *asking.heights)};
	const struct comet_source source = {validators_ask, &asking};
	char chain_id[COMET_CHAIN_ID_SIZE];
	const struct comet_rules rules = deployment_rules(anchor, chain_id, now_ms, HEADS_AHEAD_S);
	TRY(comet_light_block_decode(block, commit, err));
	*trusted = anchor->validators;
	/* From an anchor that is too old no way leads there; whoever checks the file needs a newer one anyway. */
	if (check_age(trusted, &rules, NULL) == STATUS_OK) TRY(validators_follow(trusted, block, &rules, &source, err));
	sort(&asking);
	size_t count = 0;
	for (size_t i = 0; i < asking.count; i++)
		if (i == 0 || asking.heights[i] != asking.heights[i - 1]) asking.shown[count++] = asking.shown[i];
	asking.shown[count] = commit;
	*out = (struct validators_proof){asking.shown, count + 1};
	return STATUS_OK;
}

/* Goes on to this block, if it is on the way and those who are trusted vouch for it. */
static enum status pass(struct comet_trusted *trusted, const struct comet_light_block *between,
    const struct comet_rules *rules, struct err *err) {
	if (between->header.height <= trusted->height) return STATUS_OK;
	switch (comet_light_verify(trusted, between, rules, err)) {
	case COMET_BELIEVED: *trusted = comet_trusted_of(between); return STATUS_OK;
	case COMET_TOO_FAR: return STATUS_OK;
	case COMET_REFUSED: return STATUS_DENIED;
	}
	return STATUS_DENIED;
}

enum status validators_proof_check(const struct validators_proof *proof, const hash32 *head,
    const struct deployment *anchor, uint64_t now_ms, struct err *err) {
	struct comet_light_block *block = mem_alloc(sizeof *block);
	struct comet_trusted *trusted = mem_alloc(sizeof *trusted);
	char chain_id[COMET_CHAIN_ID_SIZE];
	const struct comet_rules rules = deployment_rules(anchor, chain_id, now_ms, HEADS_AHEAD_S);
	*trusted = anchor->validators;
	enum status status = STATUS_OK;
	if (proof->count == 0 || proof->count > COMET_STEPS_MAX + 1)
		status = err_set(err, STATUS_DENIED, "there are no light blocks, or too many");
	for (size_t i = 0; i < proof->count && status == STATUS_OK; i++) {
		status = comet_light_block_decode(block, proof->blocks[i], err);
		if (status == STATUS_OK && i + 1 < proof->count) status = pass(trusted, block, &rules, err);
	}
	if (status == STATUS_OK) status = validators_follow(trusted, block, &rules, NULL, err);
	if (status == STATUS_OK && !bytes_equal(block->header.app, BYTES_OF(*head)))
		status = err_set(err, STATUS_DENIED, "the light block is of another block");
	mem_free(trusted);
	mem_free(block);
	return status == STATUS_OK ? status : STATUS_DENIED;
}
