#include "crypto/threshold/voprf.h"

#include "tests/unit.h"

#include "base/mem.h"
#include "crypto/p256_hash.h"
#include "tests/hexbytes.h"
#include "tests/scripted_random.h"

/* RFC 9497, A.3.2: P256-SHA256, VOPRF mode, test vectors 1 and 2. */
static const char rfc_key[] = "ca5d94c8807817669a51b196c34c1b7f8442fde4334a7121ae4736364312fca6";
static const char rfc_public[] = "03e17e70604bcabe198882c0a1f27a92441e774224ed9c702e51dd17038b102462";
static const char rfc_blind[] = "3338fa65ec36e0290022b48eb562889d89dbfa691d1cde91517fa222ed7ad364";
static const char rfc_nonce[] = "f9db001266677f62c095021db018cd8cbb55941d4073698ce45c405d1348b7b1";

struct rfc_vector {
	const char *text, *blinded, *evaluated, *proof_c, *proof_s, *output;
};
static const struct rfc_vector rfc_vectors[] = {
    {"00", "02dd05901038bb31a6fae01828fd8d0e49e35a486b5c5d4b4994013648c01277da",
	"0209f33cab60cf8fe69239b0afbcfcd261af4c1c5632624f2e9ba29b90ae83e4a2",
	"e7c2b3c5c954c035949f1f74e6bce2ed539a3be267d1481e9ddb178533df4c26",
	"64f69d065c604a4fd953e100b856ad83804eb3845189babfa5a702090d6fc5fa",
	"0412e8f78b02c415ab3a288e228978376f99927767ff37c5718d420010a645a1"},
    {"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "03cd0f033e791c4d79dfa9c6ed750f2ac009ec46cd4195ca6fd3800d1e9b887dbd",
	"030d2985865c693bf7af47ba4d3a3813176576383d19aff003ef7b0784a0d83cf1",
	"2787d729c57e3d9512d3aa9e8708ad226bc48e0f1750b0767aaff73482c44b8d",
	"2873d74ec88aebd3504961acea16790a05c542d9fbff4fe269a77510db00abab",
	"771e10dcd6bcd3664e23b8f2a710cfaaa8357747c4a8cbba03133967b5c24f18"},
};

static void given_bytes_fill(void *context, uint8_t *out, size_t len) {
	hexbytes(out, len, context);
}

static void assert_element(const struct p256_public *element, const char *hex) {
	uint8_t bytes[VOPRF_ELEMENT_BYTES];
	struct p256_public read;
	voprf_element_write(bytes, element);
	assert_hex(bytes, sizeof bytes, hex);
	assert_int_equal(voprf_element_read(&read, bytes_make(bytes, sizeof bytes)), STATUS_OK);
	assert_memory_equal(read.xy, element->xy, 64);
}

static void the_vectors_of_rfc9497_hold(void **state) {
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct rfc_vector *vector = &rfc_vectors[i];
		uint8_t text_bytes[17];
		const struct bytes text = bytes_make(text_bytes, strlen(vector->text) / 2);
		const struct random_source nonces = {given_bytes_fill, (void *)(uintptr_t)rfc_nonce};
		struct vss_share share = {.index = 1};
		struct p256_public key, blinded;
		struct p256_secret blind;
		struct voprf_part part;
		hash32 output;
		hexbytes(text_bytes, text.len, vector->text);
		hexbytes(share.value.d, 32, rfc_key);
		hexbytes(blind.d, 32, rfc_blind);
		assert_int_equal(p256_public_of(&key, &share.value), STATUS_OK);
		assert_element(&key, rfc_public);
		assert_int_equal(voprf_blind(&blinded, &blind, text), STATUS_OK);
		assert_element(&blinded, vector->blinded);
		assert_int_equal(voprf_evaluate(&part, &share, &blinded, &nonces), STATUS_OK);
		assert_element(&part.evaluated, vector->evaluated);
		assert_hex(part.proof, 32, vector->proof_c);
		assert_hex(part.proof + 32, 32, vector->proof_s);
		assert_true(voprf_part_is_valid(&part, &key, &blinded));
		assert_int_equal(voprf_finalize(&output, text, &blind, &part.evaluated), STATUS_OK);
		assert_hex(output.b, 32, vector->output);
	}
}

/* RFC 9380, J.1.1. */
static void the_empty_message_is_hashed_to_the_point_of_rfc9380(void **state) {
	struct p256_work work;
	uint8_t xy[64];
	(void)state;
	p256_work_init(&work);
	assert_true(p256_hash_to_point(
	    &work, work.result, bytes_text(""), bytes_text("QUUX-V01-CS02-with-P256_XMD:SHA-256_SSWU_RO_")));
	p256_store_point(&work, xy, work.result);
	p256_work_fini(&work);
	assert_hex(xy, 32, "2c15230b26dbc6fc9a37051158c95b79656e17a1a920b11394ca91c44247d3e4");
	assert_hex(xy + 32, 32, "8a7a74985cc5c776cdfe4b1f19884970453912e9d31528c060be9ab5c43e8415");
}

/* --- t of n --- */

struct asked {
	struct vss_commitments commitments;
	struct vss_share shares[VSS_SHARES_MAX];
	struct voprf_part parts[VSS_SHARES_MAX];
	struct p256_public blinded;
	struct p256_secret key, blind;
	struct bytes text;
	hash32 expected;
};

static void ask(struct asked *asked, uint8_t threshold, uint8_t count, uint64_t seed) {
	struct scripted_random script = {seed};
	const struct random_source random = scripted_random(&script);
	const struct vss_share *shares = asked->shares;
	struct voprf_part whole;
	asked->text = bytes_text("04012345678901");
	random_fill(&random, asked->key.d, sizeof asked->key.d);
	asked->key.d[0] &= 0x7f;
	assert_int_equal(
	    vss_deal(&asked->commitments, asked->shares, &asked->key, threshold, count, &random), STATUS_OK);
	random_fill(&random, asked->blind.d, sizeof asked->blind.d);
	asked->blind.d[0] &= 0x7f;
	assert_int_equal(voprf_blind(&asked->blinded, &asked->blind, asked->text), STATUS_OK);
	for (uint8_t i = 0; i < count; i++)
		assert_int_equal(voprf_evaluate(&asked->parts[i], &shares[i], &asked->blinded, &random), STATUS_OK);
	const struct vss_share undivided = {.index = 1, .value = asked->key};
	assert_int_equal(voprf_evaluate(&whole, &undivided, &asked->blinded, &random), STATUS_OK);
	assert_int_equal(voprf_finalize(&asked->expected, asked->text, &asked->blind, &whole.evaluated), STATUS_OK);
}

static enum status combine(
    const struct asked *asked, uint64_t *false_parts, const struct voprf_part *parts, size_t count) {
	struct p256_public evaluated;
	hash32 output;
	TRY(voprf_combine(&evaluated, false_parts, parts, count, &asked->commitments, &asked->blinded));
	assert_int_equal(voprf_finalize(&output, asked->text, &asked->blind, &evaluated), STATUS_OK);
	assert_memory_equal(output.b, asked->expected.b, 32);
	return STATUS_OK;
}

static void every_set_of_holders_that_is_large_enough_gives_the_whole_keys_output(void **state) {
	(void)state;
	for (uint8_t count = 1; count <= 5; count++) {
		for (uint8_t threshold = 1; threshold <= count; threshold++) {
			struct asked asked;
			ask(&asked, threshold, count, 100u * count + threshold);
			for (unsigned set = 1; set < 1u << count; set++) {
				struct voprf_part parts[VSS_SHARES_MAX];
				size_t chosen = 0;
				uint64_t false_parts;
				for (uint8_t i = count; i-- > 0;)
					if (set >> i & 1) parts[chosen++] = asked.parts[i];
				const enum status status = combine(&asked, &false_parts, parts, chosen);
				assert_int_equal(status, chosen < threshold ? STATUS_DENIED : STATUS_OK);
				assert_int_equal(false_parts, 0);
			}
		}
	}
}

static void false_parts_are_named_and_do_not_count(void **state) {
	struct asked asked, other;
	uint64_t false_parts;
	(void)state;
	ask(&asked, 2, 3, 7);
	ask(&other, 2, 3, 8);
	const struct voprf_part good = asked.parts[0], third = asked.parts[2];
	struct voprf_part lies[6] = {good, good, good, good, other.parts[0], third};
	lies[0].evaluated = asked.parts[1].evaluated;
	lies[1].proof[10] ^= 1;
	lies[2].index = 2;                    /* another holder's place */
	memset(lies[3].proof + 32, 0xff, 32); /* s over the order */
	assert_int_equal(combine(&asked, &false_parts, lies, 6), STATUS_DENIED);
	assert_int_equal(false_parts, 0x1f);
	const struct voprf_part mixed[4] = {lies[0], good, good, third};
	assert_int_equal(combine(&asked, &false_parts, mixed, 4), STATUS_OK);
	assert_int_equal(false_parts, 0x5); /* the lie, and the part that came twice */
	lies[0] = good;
	lies[0].index = 9;
	assert_int_equal(combine(&asked, &false_parts, lies, 1), STATUS_DENIED);
	assert_int_equal(false_parts, 1);
}

static void what_is_not_on_the_curve_is_refused(void **state) {
	struct asked asked;
	struct voprf_part part;
	struct p256_public off = {{1}}, key;
	hash32 output;
	uint64_t false_parts;
	struct scripted_random script = {1};
	const struct random_source random = scripted_random(&script);
	(void)state;
	ask(&asked, 1, 1, 3);
	assert_int_equal(voprf_evaluate(&part, &asked.shares[0], &off, &random), STATUS_INVALID);
	assert_int_equal(voprf_finalize(&output, asked.text, &asked.blind, &off), STATUS_INVALID);
	part = asked.parts[0];
	part.evaluated = off;
	assert_int_equal(vss_public_share(&key, &asked.commitments, 1), STATUS_OK);
	assert_false(voprf_part_is_valid(&part, &key, &asked.blinded));
	assert_int_equal(combine(&asked, &false_parts, &part, 1), STATUS_DENIED);
	const struct p256_secret no_blind = {{0}};
	assert_int_equal(voprf_blind(&key, &no_blind, asked.text), STATUS_INVALID);
	struct vss_share zero = {.index = 1};
	assert_int_equal(voprf_evaluate(&part, &zero, &asked.blinded, &random), STATUS_INVALID);
}

static void a_part_is_read_as_it_was_written_or_refused(void **state) {
	struct asked asked;
	struct voprf_part read;
	uint8_t bytes[VOPRF_PART_BYTES];
	(void)state;
	ask(&asked, 2, 2, 4);
	voprf_part_write(bytes, &asked.parts[1]);
	assert_int_equal(voprf_part_read(&read, bytes_make(bytes, sizeof bytes)), STATUS_OK);
	assert_int_equal(read.index, 2);
	assert_memory_equal(read.evaluated.xy, asked.parts[1].evaluated.xy, 64);
	assert_memory_equal(read.proof, asked.parts[1].proof, VOPRF_PROOF_BYTES);
	assert_int_equal(voprf_part_read(&read, bytes_make(bytes, sizeof bytes - 1)), STATUS_INVALID);
	bytes[1] = 4;
	assert_int_equal(voprf_part_read(&read, bytes_make(bytes, sizeof bytes)), STATUS_INVALID);
	bytes[1] = 2;
	bytes[0] = VSS_SHARES_MAX + 1;
	assert_int_equal(voprf_part_read(&read, bytes_make(bytes, sizeof bytes)), STATUS_INVALID);
	bytes[0] = 0;
	assert_int_equal(voprf_part_read(&read, bytes_make(bytes, sizeof bytes)), STATUS_INVALID);
	memset(bytes, 0xff, sizeof bytes); /* an x that is over the field's prime */
	bytes[0] = 1;
	bytes[1] = 3;
	assert_int_equal(voprf_part_read(&read, bytes_make(bytes, sizeof bytes)), STATUS_INVALID);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_vectors_of_rfc9497_hold),
	    cmocka_unit_test(the_empty_message_is_hashed_to_the_point_of_rfc9380),
	    cmocka_unit_test(every_set_of_holders_that_is_large_enough_gives_the_whole_keys_output),
	    cmocka_unit_test(false_parts_are_named_and_do_not_count),
	    cmocka_unit_test(what_is_not_on_the_curve_is_refused),
	    cmocka_unit_test(a_part_is_read_as_it_was_written_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
