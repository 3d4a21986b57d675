/* The standard's own example (Mail), by hand and as JSON; refusals; EIP-191 and signatures. */
#include "codec/hex.h"
#include "eth/eip712.h"
#include "eth/sign.h"
#include "eth/types.h"
#include "tests/unit.h"

#define DOMAIN                                                                                                         \
	"\"domain\":{\"name\":\"Ether "                                                                                \
	"Mail\",\"version\":\"1\",\"chainId\":1,\"verifyingContract\":\"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC\"}"
#define TYPES                                                                                                          \
	"\"types\":{\"Person\":[{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"wallet\",\"type\":\"address\"}],"  \
	"\"Mail\":[{\"name\":\"from\",\"type\":\"Person\"},{\"name\":\"to\",\"type\":\"Person\"},{\"name\":"           \
	"\"contents\",\"type\":\"string\"}]}"
#define FROM "{\"name\":\"Cow\",\"wallet\":\"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826\"}"
#define TO "{\"name\":\"Bob\",\"wallet\":\"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB\"}"
#define MAIL "\"message\":{\"from\":" FROM ",\"to\":" TO ",\"contents\":\"Hello, Bob!\"}"

static const char mail_digest[] = "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2";

static hash32 hash_of_hex(const char *text) {
	hash32 hash;
	assert_int_equal(hex_fixed(hash.b, 32, bytes_text(text)), STATUS_OK);
	return hash;
}

static addr20 address_of_hex(const char *text) {
	addr20 address;
	assert_int_equal(hex_fixed(address.b, 20, bytes_text(text)), STATUS_OK);
	return address;
}

static hash32 person(const char *name, const char *wallet) {
	struct eip712_struct s = eip712_begin("Person(string name,address wallet)");
	addr20 address = address_of_hex(wallet);
	eip712_put_bytes(&s, bytes_text(name));
	eip712_put_address(&s, &address);
	return eip712_end(&s);
}

static void test_mail_by_hand(void **state) {
	(void)state;
	addr20 contract = address_of_hex("0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC");
	const struct eip712_domain mails = {"Ether Mail", "1", u256_from(1), &contract, NULL};
	hash32 domain = eip712_domain_hash(&mails);
	hash32 expected = hash_of_hex("0xf2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
	assert_true(hash32_equal(&domain, &expected));
	hash32 from = person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826");
	hash32 to = person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB");
	struct eip712_struct mail =
	    eip712_begin("Mail(Person from,Person to,string contents)Person(string name,address wallet)");
	eip712_put_hash32(&mail, &from);
	eip712_put_hash32(&mail, &to);
	eip712_put_bytes(&mail, bytes_text("Hello, Bob!"));
	hash32 struct_hash = eip712_end(&mail), digest = eip712_digest(&domain, &struct_hash);
	expected = hash_of_hex(mail_digest);
	assert_true(hash32_equal(&digest, &expected));
}

static void test_words(void **state) {
	(void)state;
	const u256 seven = u256_from(7);
	struct eip712_struct a = eip712_begin("T(uint64 a,bool b)"), b = eip712_begin("T(uint64 a,bool b)");
	eip712_put_u64(&a, 7);
	eip712_put_bool(&a, true);
	eip712_put_u256(&b, &seven);
	eip712_put_u64(&b, 1);
	hash32 left = eip712_end(&a), right = eip712_end(&b);
	assert_true(hash32_equal(&left, &right));
}

static enum status digest_of(hash32 *digest, const char *text) {
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	assert_int_equal(json_parse(&root, &arena, bytes_text(text), &json_limits_default, NULL), STATUS_OK);
	enum status status = eip712_typed_data(digest, &arena, root, NULL);
	arena_fini(&arena);
	return status;
}

static void test_a_salt_is_the_last_member_of_the_domain(void **state) {
	(void)state;
	hash32 digest, salt;
	memset(salt.b, 0x11, sizeof salt.b);
	struct eip712_domain domain = {"a", "1", u256_from(7), NULL, &salt};
	struct eip712_struct s = eip712_begin("T(bool b)");
	eip712_put_bool(&s, true);
	hash32 domain_hash = eip712_domain_hash(&domain), hash = eip712_end(&s);
	hash32 by_hand = eip712_digest(&domain_hash, &hash);
	assert_int_equal(
	    digest_of(&digest, "{\"types\":{\"T\":[{\"name\":\"b\",\"type\":\"bool\"}]},\"primaryType\":\"T\","
			       "\"domain\":{\"name\":\"a\",\"version\":\"1\",\"chainId\":7,"
			       "\"salt\":\"0x1111111111111111111111111111111111111111111111111111111111111111\"},"
			       "\"message\":{\"b\":true}}"),
	    STATUS_OK);
	assert_true(hash32_equal(&digest, &by_hand));
	domain.salt = NULL;
	domain_hash = eip712_domain_hash(&domain);
	by_hand = eip712_digest(&domain_hash, &hash);
	assert_false(hash32_equal(&digest, &by_hand));
}

static void test_mail_as_json(void **state) {
	(void)state;
	hash32 digest, expected = hash_of_hex(mail_digest);
	assert_int_equal(digest_of(&digest, "{" TYPES ",\"primaryType\":\"Mail\"," DOMAIN "," MAIL "}"), STATUS_OK);
	assert_true(hash32_equal(&digest, &expected));
}

static void test_refused(void **state) {
	(void)state;
	static const char *const bad[] = {
	    "{}",
	    "[]",
	    "{" TYPES ",\"primaryType\":\"Letter\"," DOMAIN "," MAIL "}",
	    "{" TYPES ",\"primaryType\":\"Mail\"," DOMAIN ",\"message\":{\"from\":" FROM ",\"to\":" TO "}}",
	    "{" TYPES ",\"primaryType\":\"Mail\"," DOMAIN ",\"message\":{\"from\":" FROM ",\"to\":" TO
	    ",\"contents\":1}}",
	    "{" TYPES ",\"primaryType\":\"Mail\"," DOMAIN ",\"message\":{\"from\":" FROM ",\"to\":" TO
	    ",\"contents\":\"\",\"more\":1}}",
	    "{" TYPES ",\"primaryType\":\"Mail\",\"domain\":{\"nickname\":\"x\"}," MAIL "}",
	    "{\"types\":{\"T\":[{\"name\":\"a\",\"type\":\"bool\"},{\"name\":\"a\",\"type\":\"bool\"}]},"
	    "\"primaryType\":\"T\","
	    "\"domain\":{},\"message\":{\"a\":true,\"b\":true}}",
	};
	hash32 digest;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(digest_of(&digest, bad[i]), STATUS_INVALID);
}

/* One member of a type with a value: is it accepted? */
static void test_atoms(void **state) {
	(void)state;
	static const struct {
		const char *type, *value;
		bool is_valid;
	} cases[] = {{"uint8", "255", true}, {"uint8", "256", false}, {"uint8", "-1", false},
	    {"uint8", "\"0xff\"", true}, {"uint8", "\"0x0ff\"", false}, {"int8", "127", true}, {"int8", "128", false},
	    {"int8", "-128", true}, {"int8", "-129", false}, {"int8", "\"-128\"", true}, {"uint7", "1", false},
	    {"uint264", "1", false}, {"uint", "1", false}, {"uint08", "1", false}, {"uint8", "1.0", false},
	    {"uint8", "1e1", false}, {"uint8", "true", false},
	    {"uint256", "\"115792089237316195423570985008687907853269984665640564039457584007913129639935\"", true},
	    {"uint256", "\"115792089237316195423570985008687907853269984665640564039457584007913129639936\"", false},
	    {"bytes4", "\"0x01020304\"", true}, {"bytes4", "\"0x010203\"", false}, {"bytes33", "\"0x01\"", false},
	    {"bytes", "\"0x\"", true}, {"bytes", "\"00\"", false}, {"bool", "true", true}, {"bool", "1", false},
	    {"address", "\"0x0000000000000000000000000000000000000001\"", true}, {"address", "\"0x01\"", false},
	    {"string", "null", false}, {"uint8[]", "[]", true}, {"uint8[2]", "[1,2]", true}, {"uint8[2]", "[1]", false},
	    {"uint8[2]", "{}", false}, {"uint8[2][]", "[[1,2],[3,4]]", true}, {"uint8[x]", "[1]", false},
	    {"[]", "[1]", false}, {"]", "[]", false}, {"Unknown", "{}", false}, {"Unknown[]", "[]", false},
	    {"uint7[]", "[]", false}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf text;
		hash32 digest;
		buf_init(&text, 1024);
		buf_printf(&text,
		    "{\"types\":{\"T\":[{\"name\":\"a\",\"type\":\"%s\"}]},\"primaryType\":\"T\",\"domain\":{},"
		    "\"message\":{\"a\":%s}}",
		    cases[i].type, cases[i].value);
		enum status status = digest_of(&digest, buf_cstr(&text));
		if ((status == STATUS_OK) != cases[i].is_valid) fail_msg("%s = %s", cases[i].type, cases[i].value);
		buf_fini(&text);
	}
}

static void test_sign(void **state) {
	(void)state;
	/* keccak("cow") is the secret of the standard's example; the signature is the one printed there. */
	hash32 secret = keccak256(bytes_text("cow")), digest = hash_of_hex(mail_digest);
	struct eth_signature signature;
	assert_int_equal(eth_sign_digest(&signature, &secret, &digest), STATUS_OK);
	hash32 r = hash_of_hex("0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d");
	hash32 s = hash_of_hex("0x07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562");
	assert_memory_equal(signature.b, r.b, 32);
	assert_memory_equal(signature.b + 32, s.b, 32);
	assert_int_equal(signature.b[64], 28);
	addr20 signer, expected;
	assert_int_equal(address_of_secret(&expected, &secret), STATUS_OK);
	assert_int_equal(eth_signer(&signer, &signature, &digest), STATUS_OK);
	assert_true(addr20_equal(&signer, &expected));
	for (unsigned v = 0; v < 256; v++) {
		struct eth_signature other = signature;
		other.b[64] = (uint8_t)v;
		bool is_this = v == 1 || v == 28, is_other = v == 0 || v == 27;
		enum status status = eth_signer(&signer, &other, &digest);
		if (is_this) assert_true(status == STATUS_OK && addr20_equal(&signer, &expected));
		if (is_other) assert_true(status != STATUS_OK || !addr20_equal(&signer, &expected));
		if (!is_this && !is_other) assert_int_equal(status, STATUS_INVALID);
	}
	assert_int_equal(eth_sign_digest(&signature, &(hash32){{0}}, &digest), STATUS_INVALID);
}

static void test_personal(void **state) {
	(void)state;
	hash32 digest = personal_message_hash(BYTES_LITERAL("Hello World"));
	hash32 expected = hash_of_hex("0xa1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2");
	assert_true(hash32_equal(&digest, &expected));
	hash32 secret = keccak256(bytes_text("cow"));
	struct eth_signature signature;
	addr20 signer, owner;
	assert_int_equal(eth_sign_personal(&signature, &secret, BYTES_LITERAL("Hello World")), STATUS_OK);
	assert_int_equal(eth_signer(&signer, &signature, &digest), STATUS_OK);
	assert_int_equal(address_of_secret(&owner, &secret), STATUS_OK);
	assert_true(addr20_equal(&signer, &owner));
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_mail_by_hand), cmocka_unit_test(test_words),
	    cmocka_unit_test(test_a_salt_is_the_last_member_of_the_domain), cmocka_unit_test(test_mail_as_json),
	    cmocka_unit_test(test_refused), cmocka_unit_test(test_atoms), cmocka_unit_test(test_sign),
	    cmocka_unit_test(test_personal)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
