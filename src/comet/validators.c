/* A set of validators: its order, its power and its hash. */
#include "codec/protobuf.h"
#include "comet/light_block.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"

/* SimpleValidator: key and power. */
static hash32 leaf_of(const struct comet_validator *validator) {
	struct buf text;
	buf_init(&text, 64);
	const size_t key = protobuf_begin(&text, 1);
	protobuf_put_bytes(&text, 1, BYTES_OF(validator->key));
	protobuf_end(&text, key);
	protobuf_put_u64(&text, 2, validator->power);
	const hash32 leaf = merkle_leaf(buf_view(&text));
	buf_fini(&text);
	return leaf;
}

static bool is_before(const struct comet_validator *a, const struct comet_validator *b) {
	if (a->power != b->power) return a->power > b->power;
	return memcmp(a->address.b, b->address.b, sizeof a->address.b) < 0;
}

/* With the order, each one stands once for its power; this is for two powers. */
static bool occurs_before(const struct comet_validators *set, size_t index) {
	for (size_t i = 0; i < index; i++)
		if (addr20_equal(&set->list[i].address, &set->list[index].address)) return true;
	return false;
}

enum status comet_validators_make(struct comet_validators *set, struct err *err) {
	hash32 leaves[COMET_VALIDATORS_MAX];
	if (set->count == 0 || set->count > COMET_VALIDATORS_MAX)
		return err_set(err, STATUS_INVALID, "there are %zu validators; 1 to %u are allowed", set->count,
		    COMET_VALIDATORS_MAX);
	set->power = 0;
	for (size_t i = 0; i < set->count; i++) {
		struct comet_validator *validator = &set->list[i];
		const hash32 digest = sha256(BYTES_OF(validator->key));
		memcpy(validator->address.b, digest.b, sizeof validator->address.b);
		if (validator->power == 0 || validator->power > COMET_POWER_MAX - set->power)
			return err_set(
			    err, STATUS_INVALID, "the power of validator %zu is 0, or the powers are too large", i);
		if (i > 0 && !is_before(&set->list[i - 1], validator))
			return err_set(err, STATUS_INVALID,
			    "validator %zu is not in its place: they stand by power, then by address, each once", i);
		if (occurs_before(set, i)) return err_set(err, STATUS_INVALID, "validator %zu occurs twice", i);
		set->power += validator->power;
		leaves[i] = leaf_of(validator);
	}
	set->hash = merkle_root(leaves, set->count);
	return STATUS_OK;
}
