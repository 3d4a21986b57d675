/* A consortium in the anchor: the validators who decide the height after this one, and how long they count. */
#include "codec/hex.h"
#include "health/chain/deployment_private.h"

#define MEMBERS 5u

bool deployment_is_sealed_by(const struct deployment *deployment, const addr20 *signer) {
	if (!addr20_is_zero(&deployment->sealer)) return addr20_equal(signer, &deployment->sealer);
	if (deployment_is_consortium(deployment) || deployment->witness_threshold != 1) return false;
	for (size_t i = 0; i < deployment->witness_count; i++)
		if (addr20_equal(signer, &deployment->witnesses[i].account)) return true;
	return false;
}

bool deployment_is_consortium(const struct deployment *deployment) {
	return deployment->validators.validators.count > 0;
}

struct comet_rules deployment_rules(
    const struct deployment *deployment, char chain_id[COMET_CHAIN_ID_SIZE], uint64_t now_ms, uint64_t ahead_s) {
	comet_chain_id(chain_id, &deployment->genesis);
	return (struct comet_rules){.chain_id = bytes_text(chain_id),
	    .now = comet_time_of_ms(now_ms),
	    .trust_s = (uint64_t)deployment->trust_days * 86400,
	    .ahead_s = ahead_s};
}

static enum status bad(struct err *err, const char *member, const char *what) {
	return err_set(err, STATUS_INVALID, "deployment: \"%s\" of the validators %s", member, what);
}

static enum status read_set(struct comet_validators *out, const struct json *set, struct err *err) {
	if (!json_is(set, JSON_ARRAY) || set->count == 0 || set->count > COMET_VALIDATORS_MAX)
		return err_set(err, STATUS_INVALID, "deployment: \"set\" is not a list of 1 to %u validators",
		    COMET_VALIDATORS_MAX);
	json_foreach (validator, set) {
		struct comet_validator *next = &out->list[out->count++];
		if (!json_is(validator, JSON_OBJECT) || validator->count != 2)
			return bad(err, "set", "holds what is not a key and a power");
		if (hex_fixed(next->key.b, sizeof next->key.b, json_string(json_get(validator, "key"))) != STATUS_OK)
			return bad(err, "key", "is missing or is not 0x and 64 digits");
		if (!json_u64(&next->power, json_get(validator, "power")))
			return bad(err, "power", "is missing or is not a number");
	}
	enum status status = comet_validators_make(out, err);
	return status == STATUS_OK ? status : err_prefix(err, status, "deployment");
}

enum status deployment_read_validators(struct deployment *out, const struct json *validators, struct err *err) {
	struct comet_trusted *trusted = &out->validators;
	uint64_t time_s, days;
	if (!json_is(validators, JSON_OBJECT) || validators->count != MEMBERS)
		return err_set(
		    err, STATUS_INVALID, "deployment: \"validators\" has members that are not known, or too few");
	if (!json_u64(&trusted->height, json_get(validators, "height")) || trusted->height >= COMET_HEIGHT_MAX)
		return bad(err, "height", "is missing or is not a height");
	if (hex_fixed(trusted->hash.b, sizeof trusted->hash.b, json_string(json_get(validators, "hash"))) != STATUS_OK)
		return bad(err, "hash", "is missing or is not 0x and 64 digits");
	if (!json_u64(&time_s, json_get(validators, "time")) || time_s > UINT32_MAX * UINT64_C(60))
		return bad(err, "time", "is missing or is not a number of seconds");
	if (!json_u64(&days, json_get(validators, "trustDays")) || days == 0 || days > DEPLOYMENT_TRUST_DAYS_MAX)
		return err_set(err, STATUS_INVALID, "deployment: \"trustDays\" is not a number from 1 to %u",
		    DEPLOYMENT_TRUST_DAYS_MAX);
	TRY(read_set(&trusted->validators, json_get(validators, "set"), err));
	trusted->time = (struct comet_time){(int64_t)time_s, 0};
	trusted->next_validators = trusted->validators.hash;
	out->trust_days = (uint32_t)days;
	return STATUS_OK;
}

void deployment_put_validators(struct json_writer *writer, const struct deployment *deployment) {
	const struct comet_trusted *trusted = &deployment->validators;
	const struct comet_validators *set = &trusted->validators;
	json_object_begin(writer, "validators");
	json_put_u64(writer, "height", trusted->height);
	json_put_hex(writer, "hash", BYTES_OF(trusted->hash));
	json_put_u64(writer, "time", comet_time_ms(&trusted->time) / 1000);
	json_put_u64(writer, "trustDays", deployment->trust_days);
	json_array_begin(writer, "set");
	for (size_t i = 0; i < set->count; i++) {
		json_object_begin(writer, NULL);
		json_put_hex(writer, "key", BYTES_OF(set->list[i].key));
		json_put_u64(writer, "power", set->list[i].power);
		json_object_end(writer);
	}
	json_array_end(writer);
	json_object_end(writer);
}
