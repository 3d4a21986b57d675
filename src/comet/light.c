#include "comet/light.h"

#include "codec/hex.h"
#include "crypto/ed25519.h"

#define SIGN_BYTES_MAX 256u

struct comet_trusted comet_trusted_of(const struct comet_light_block *block) {
	struct comet_trusted out = {.height = block->header.height,
	    .time = block->header.time,
	    .hash = block->header.hash,
	    .validators = block->validators};
	memcpy(out.next_validators.b, block->header.next_validators.data, sizeof out.next_validators.b);
	return out;
}

void comet_chain_id(char out[COMET_CHAIN_ID_SIZE], const hash32 *genesis) {
	static const char name[] = "xinglin-";
	struct buf text;
	buf_init(&text, COMET_CHAIN_ID_MAX);
	buf_text(&text, name);
	hex_put(&text, bytes_make(genesis->b, 20), false);
	memcpy(out, text.data, text.len);
	out[text.len] = 0;
	buf_fini(&text);
}

/* --- votes --- */

/* Which votes were checked, so that none is checked for both questions. */
struct counting {
	const struct comet_light_block *block;
	bool is_checked[COMET_VALIDATORS_MAX];
};

static bool is_signed(struct counting *counting, size_t index, const hash32 *key) {
	const struct comet_signature *vote = &counting->block->commit.signatures[index];
	struct buf text;
	if (counting->is_checked[index]) return true;
	buf_init(&text, SIGN_BYTES_MAX);
	comet_sign_bytes(&text, counting->block, index);
	BUG_ON(text.overflow);
	const bool is_valid = ed25519_verify(vote->signature, key, buf_view(&text));
	buf_fini(&text);
	counting->is_checked[index] = is_valid;
	return is_valid;
}

/* COMET_VALIDATORS_MAX: he is not among them. */
static size_t find(const struct comet_validators *set, const addr20 *address) {
	for (size_t i = 0; i < set->count; i++)
		if (addr20_equal(&set->list[i].address, address)) return i;
	return COMET_VALIDATORS_MAX;
}

static enum comet_verdict refuse(struct err *why, const char *what) {
	err_set(why, STATUS_DENIED, "%s", what);
	return COMET_REFUSED;
}

/*
 * Did more than `numerator` thirds of the set's power vote for the block? The set need not be the block's own. *power
 * is what was found; a vote that counts and is not signed refuses the block. Nobody's vote counts twice: a block has
 * each validator once, and one vote of each.
 */
static enum comet_verdict count(struct counting *counting, uint64_t *power, const struct comet_validators *set,
    unsigned numerator, struct err *why) {
	const struct comet_light_block *block = counting->block;
	const uint64_t needed = set->power * numerator / 3; /* at most 2 * (2^63 - 1) / 8 before the division */
	*power = 0;
	for (size_t i = 0; i < block->validators.count; i++) {
		const struct comet_signature *vote = &block->commit.signatures[i];
		if (vote->vote != COMET_VOTE_BLOCK) continue;
		const size_t at = find(set, &vote->address);
		if (at == COMET_VALIDATORS_MAX) continue;
		if (!is_signed(counting, i, &set->list[at].key))
			return refuse(why, "a vote's signature is not its validator's over this block of this chain");
		*power += set->list[at].power;
		if (*power > needed) return COMET_BELIEVED;
	}
	return COMET_TOO_FAR;
}

static enum comet_verdict check_votes(
    const struct comet_trusted *trusted, const struct comet_light_block *block, struct err *why) {
	struct counting counting = {.block = block};
	const bool is_next = block->header.height == trusted->height + 1;
	uint64_t power;
	if (is_next && !bytes_equal(block->header.validators, BYTES_OF(trusted->next_validators)))
		return refuse(why, "its validators are not the ones that the block before named");
	if (!is_next) {
		const enum comet_verdict verdict = count(&counting, &power, &trusted->validators, 1, why);
		if (verdict == COMET_TOO_FAR)
			err_set(why, STATUS_DENIED,
			    "validators with %llu of the trusted power %llu voted for it; more than a third is needed",
			    (unsigned long long)power, (unsigned long long)trusted->validators.power);
		if (verdict != COMET_BELIEVED) return verdict;
	}
	const enum comet_verdict verdict = count(&counting, &power, &block->validators, 2, why);
	if (verdict != COMET_TOO_FAR) return verdict;
	err_set(why, STATUS_DENIED,
	    "validators with %llu of the power %llu voted for it; more than two thirds are needed",
	    (unsigned long long)power, (unsigned long long)block->validators.power);
	return COMET_REFUSED;
}

/* --- the rest --- */

static struct comet_time later(const struct comet_time *time, uint64_t s) {
	const uint64_t room = (uint64_t)INT64_MAX / 2;
	return (struct comet_time){time->s + (int64_t)(s < room ? s : room), time->ns};
}

enum comet_verdict comet_light_verify(const struct comet_trusted *trusted, const struct comet_light_block *block,
    const struct comet_rules *rules, struct err *why) {
	const struct comet_header *header = &block->header;
	const struct comet_time expires = later(&trusted->time, rules->trust_s);
	const struct comet_time ahead = later(&rules->now, rules->ahead_s);
	if (comet_time_compare(&expires, &rules->now) <= 0)
		return refuse(why, "the validators that are trusted were trusted for a time that is over");
	if (!bytes_equal(header->chain_id, rules->chain_id)) return refuse(why, "it is a block of another chain");
	if (header->height <= trusted->height) return refuse(why, "it is not higher than the block that is trusted");
	if (comet_time_compare(&header->time, &trusted->time) <= 0)
		return refuse(why, "it is not later than the block that is trusted");
	if (comet_time_compare(&header->time, &ahead) >= 0) return refuse(why, "its time is in front of the clock");
	return check_votes(trusted, block, why);
}

/* --- in steps --- */

/* One step towards `block`: to the highest block, halving the way each time, that the trusted validators vouch for. */
static enum status step(struct comet_trusted *trusted, uint64_t height, unsigned *steps,
    struct comet_light_block *between, const struct comet_rules *rules, const struct comet_source *source,
    struct err *err) {
	enum comet_verdict verdict = COMET_TOO_FAR;
	while (verdict == COMET_TOO_FAR) {
		struct err why = {0};
		height = trusted->height + (height - trusted->height) / 2;
		if (height == trusted->height)
			return err_set(err, STATUS_DENIED, "no block leads there from the validators that are trusted");
		if (++*steps > COMET_STEPS_MAX)
			return err_set(err, STATUS_DENIED,
			    "more than %u blocks lie on the way from the validators that are trusted", COMET_STEPS_MAX);
		TRY(source->get(source->context, between, height, err));
		if (between->header.height != height)
			return err_set(err, STATUS_DENIED, "a block of another height was shown than was asked for");
		verdict = comet_light_verify(trusted, between, rules, &why);
		if (verdict == COMET_REFUSED)
			return err_set(err, STATUS_DENIED, "height %llu: %s", (unsigned long long)height, why.message);
	}
	*trusted = comet_trusted_of(between);
	return STATUS_OK;
}

enum status comet_light_follow(struct comet_trusted *trusted, const struct comet_light_block *block,
    const struct comet_rules *rules, const struct comet_source *source, struct err *err) {
	struct comet_trusted reached = *trusted;
	struct comet_light_block *between = mem_alloc(sizeof *between);
	enum status status = STATUS_OK;
	unsigned steps = 0;
	for (;;) {
		const enum comet_verdict verdict = comet_light_verify(&reached, block, rules, err);
		if (verdict == COMET_BELIEVED) break;
		if (verdict == COMET_REFUSED || !source) {
			status = STATUS_DENIED;
			break;
		}
		status = step(&reached, block->header.height, &steps, between, rules, source, err);
		if (status != STATUS_OK) break;
	}
	if (status == STATUS_OK) *trusted = reached;
	mem_free(between);
	return status;
}
