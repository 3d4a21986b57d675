#include "crypto/threshold/tdh2.h"

#include "tests/unit.h"

#include "base/mem.h"
#include "tests/hexbytes.h"
#include "tests/scripted_random.h"

/* As tests/vectors/tdh2.py makes them, with integers of its own. */
struct vector {
	const char *x, *r, *s, *label, *message, *lock, *shared;
};
static const struct vector vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000007",
	"000000000000000000000000000000000000000000000000000000000000000b",
	"000000000000000000000000000000000000000000000000000000000000000d", "", "",
	"023ed113b7883b4c590638379db0c21cda16742ed0255048bf433391d374bc21d103b589168f1c22f0e786c0c1bfdff48714"
	"f7b067307dff000191a93c4bd5f442d97f25b1b6cb5670519c6ed28a4c4738304be15557c8657c3f8b9950fef082f456769e"
	"a2dfbcb6d37cb8c30bf1470f6a14922bc56158e63e223cf5852567b0c52abf1872af147e29ca32136cb4b365df57",
	"035821b002dba277251a9d18eb72d5c720f4efe021b38029c017d871340893be7b"},
    {"8000000000000000000000000000000000000000000000000000000000000001",
	"0000000000000000000000005a4653ca673768565b41f775d6947d55cf3813d1",
	"0000003a855d450f3e5c89bd4b4275c68ca4ef60ce939d218eef073ce88094fd", "6c6162656c",
	"61206c656164206f662061207265636f7264",
	"03d0d9ee4e36c677d83c325453bf023bda5afc8d58e21d23c1054f1bfc64bb53c6031f1cfcf819f15d513d3253afd35268e3"
	"c87e95f04f2629960ded6216f68f92509577230c895549cda63ec13d70da01b8ba21cfa8f75a1cb76186a4484a1b8ba22ea3"
	"c7ed190faa8487c615863d73a836acfab7cc283f51bedce95519ecd3c57d6f5289eb91bd348c93bb9beaf688cc6bb8cda0a8"
	"d8a34d2c03ec4d5fc47d9a70a71e",
	"0295cd2a04bf1875a293e38c6f3777f3150f8a02ba8e5500d414e0dd396477e461"},
    {"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
	"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f",
	"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254e",
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031"
	"32333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f50515253",
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
	"027cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc476699780362068c9b86d5369184364a51afff562e"
	"79103674ed0ac5e7e45941d2d53ea85037ab1ed829ed029c9b3b7aaaa8e8727be631e1fb2374dd4fb793e6db1f1fe79090a9"
	"c24eac25fac7c9890aaaae2f1b07f08336b7602de3e58491fd0cbe23562e049c3b113c2e93db81ec2b0343f152bca90b17cb"
	"4a796756d7b4f85f4b41efae63ca2bd311fa7222a445f798dbb48880f4699fa2ccf7067965978212fc46d8110213aa4ed3b4"
	"96335c72ca0233625a57050ec8c697fa951cb132ef1d521eb12871cb4a8acb284a5bb74b3d7f70c9a06b48f803ba",
	"037cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"},
};

struct given {
	const char *draws[2];
	unsigned used;
};

static void given_fill(void *context, uint8_t *out, size_t len) {
	struct given *given = context;
	assert_true(given->used < 2);
	hexbytes(out, len, given->draws[given->used++]);
}

static struct bytes read_hex(uint8_t *out, const char *hex) {
	hexbytes(out, strlen(hex) / 2, hex);
	return bytes_make(out, strlen(hex) / 2);
}

static void locks_are_those_of_the_vectors(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		const struct vector *vector = &vectors[i];
		struct given given = {.draws = {vector->r, vector->s}};
		const struct random_source random = {given_fill, &given};
		uint8_t label[256], message[256], wanted[512];
		struct p256_secret secret;
		struct p256_public key, shared;
		struct tdh2_head head;
		struct buf lock, opened;
		hexbytes(secret.d, 32, vector->x);
		assert_int_equal(p256_public_of(&key, &secret), STATUS_OK);
		buf_init(&lock, 4096);
		buf_init(&opened, 4096);
		const struct bytes said = read_hex(label, vector->label), text = read_hex(message, vector->message);
		assert_int_equal(tdh2_lock(&lock, &key, said, text, &random), STATUS_OK);
		assert_true(bytes_equal(buf_view(&lock), read_hex(wanted, vector->lock)));
		assert_int_equal(tdh2_head_of(&head, buf_view(&lock)), STATUS_OK);
		assert_true(tdh2_is_for(&head, said));
		uint8_t element[VOPRF_ELEMENT_BYTES];
		assert_int_equal(voprf_element_read(&shared, read_hex(element, vector->shared)), STATUS_OK);
		assert_int_equal(tdh2_open(&opened, buf_view(&lock), said, &shared), STATUS_OK);
		assert_true(bytes_equal(buf_view(&opened), text));
		buf_fini(&opened);
		buf_fini(&lock);
	}
}

/* --- holders --- */

#define HOLDERS 4u
#define THRESHOLD 2u
static const struct bytes record = BYTES_LITERAL("of this record");

struct locked {
	struct vss_commitments commitments;
	struct vss_share shares[HOLDERS];
	struct buf lock;
	struct tdh2_head head;
};

static void make(struct locked *locked) {
	struct scripted_random script = {7};
	const struct random_source random = scripted_random(&script);
	static const struct p256_secret secret = {{9}};
	assert_int_equal(
	    vss_deal(&locked->commitments, locked->shares, &secret, THRESHOLD, HOLDERS, &random), STATUS_OK);
	buf_init(&locked->lock, 4096);
	assert_int_equal(
	    tdh2_lock(&locked->lock, &locked->commitments.points[0], record, bytes_text("what is locked"), &random),
	    STATUS_OK);
	assert_int_equal(tdh2_head_of(&locked->head, buf_view(&locked->lock)), STATUS_OK);
}

static enum status open_with(struct locked *locked, struct buf *out, const uint8_t *holders, size_t count) {
	struct scripted_random script = {70};
	const struct random_source random = scripted_random(&script);
	struct voprf_part parts[HOLDERS];
	struct p256_public opened;
	uint64_t false_parts;
	for (size_t i = 0; i < count; i++)
		TRY(voprf_evaluate(&parts[i], &locked->shares[holders[i] - 1], &locked->head.u, &random));
	TRY(voprf_combine(&opened, &false_parts, parts, count, &locked->commitments, &locked->head.u));
	return tdh2_open(out, buf_view(&locked->lock), record, &opened);
}

static void every_two_of_four_open_it_and_none_alone(void **state) {
	struct locked locked;
	(void)state;
	make(&locked);
	for (uint8_t i = 1; i <= HOLDERS; i++) {
		for (uint8_t j = 1; j <= HOLDERS; j++) {
			struct buf out;
			buf_init(&out, 4096);
			const uint8_t holders[] = {i, j};
			assert_int_equal(open_with(&locked, &out, holders, 2), i == j ? STATUS_DENIED : STATUS_OK);
			if (i != j) assert_true(bytes_equal(buf_view(&out), bytes_text("what is locked")));
			buf_fini(&out);
		}
	}
	buf_fini(&locked.lock);
}

static void a_lock_is_for_its_label_alone(void **state) {
	struct locked locked;
	(void)state;
	make(&locked);
	assert_true(tdh2_is_for(&locked.head, record));
	assert_false(tdh2_is_for(&locked.head, BYTES_LITERAL("of that record")));
	assert_false(tdh2_is_for(&locked.head, bytes_slice(record, 1, record.len)));
	assert_false(tdh2_is_for(&locked.head, (struct bytes){NULL, 0}));
	buf_fini(&locked.lock);
}

/* Each byte of it: the point, the proof, the text. */
static void a_changed_lock_is_no_lock(void **state) {
	struct locked locked;
	(void)state;
	make(&locked);
	for (size_t i = 0; i < locked.lock.len; i++) {
		struct tdh2_head head;
		locked.lock.data[i] ^= 1;
		if (tdh2_head_of(&head, buf_view(&locked.lock)) == STATUS_OK) assert_false(tdh2_is_for(&head, record));
		locked.lock.data[i] ^= 1;
	}
	buf_fini(&locked.lock);
}

static void the_order_is_no_scalar(void **state) {
	static const char order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
	struct locked locked;
	(void)state;
	make(&locked);
	struct tdh2_head head = locked.head;
	hexbytes(head.e, 32, order);
	assert_false(tdh2_is_for(&head, record));
	head = locked.head;
	hexbytes(head.f, 32, order);
	assert_false(tdh2_is_for(&head, record));
	buf_fini(&locked.lock);
}

static void what_is_cut_short_is_refused(void **state) {
	struct locked locked;
	struct tdh2_head head;
	struct buf out;
	(void)state;
	make(&locked);
	buf_init(&out, 4096);
	for (size_t len = 0; len < TDH2_OVERHEAD_BYTES; len++) {
		const struct bytes cut = bytes_make(locked.lock.data, len);
		assert_int_equal(tdh2_head_of(&head, cut), STATUS_INVALID);
		assert_int_equal(tdh2_open(&out, cut, record, &locked.head.u), STATUS_INVALID);
	}
	assert_int_equal(tdh2_open(&out, buf_view(&locked.lock), record, &locked.head.u), STATUS_DENIED);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
	buf_fini(&locked.lock);
}

static void a_head_travels(void **state) {
	struct locked locked;
	struct tdh2_head read;
	uint8_t bytes[TDH2_HEAD_BYTES + 1];
	(void)state;
	make(&locked);
	tdh2_head_write(bytes, &locked.head);
	assert_int_equal(tdh2_head_read(&read, bytes_make(bytes, TDH2_HEAD_BYTES)), STATUS_OK);
	assert_memory_equal(&read, &locked.head, sizeof read);
	assert_int_equal(tdh2_head_read(&read, bytes_make(bytes, TDH2_HEAD_BYTES + 1)), STATUS_INVALID);
	assert_int_equal(tdh2_head_read(&read, bytes_make(bytes, TDH2_HEAD_BYTES - 1)), STATUS_INVALID);
	buf_fini(&locked.lock);
}

static void a_label_has_a_limit(void **state) {
	static uint8_t label[TDH2_LABEL_MAX + 1];
	struct locked locked;
	struct scripted_random script = {7};
	const struct random_source random = scripted_random(&script);
	struct buf out;
	(void)state;
	make(&locked);
	buf_init(&out, 4096);
	const struct p256_public *key = &locked.commitments.points[0];
	assert_int_equal(tdh2_lock(&out, key, bytes_make(label, sizeof label), record, &random), STATUS_LIMIT);
	assert_int_equal(tdh2_lock(&out, key, bytes_make(label, TDH2_LABEL_MAX), record, &random), STATUS_OK);
	assert_false(tdh2_is_for(&locked.head, bytes_make(label, sizeof label)));
	buf_fini(&out);
	buf_fini(&locked.lock);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(locks_are_those_of_the_vectors),
	    cmocka_unit_test(every_two_of_four_open_it_and_none_alone),
	    cmocka_unit_test(a_lock_is_for_its_label_alone),
	    cmocka_unit_test(a_changed_lock_is_no_lock),
	    cmocka_unit_test(the_order_is_no_scalar),
	    cmocka_unit_test(what_is_cut_short_is_refused),
	    cmocka_unit_test(a_head_travels),
	    cmocka_unit_test(a_label_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
