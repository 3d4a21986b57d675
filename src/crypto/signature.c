#include "crypto/signature.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/mem.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define EXPONENT_BITS_MAX 33
#define PSS_SALT_BYTES 32
#define POINT_BYTES_MAX (1 + 2 * 48)
#define DER_BYTES_MAX 160

struct signature_key {
	EVP_PKEY *pkey;
	enum signature_algorithm curve; /* ES256 or ES384 */
	bool is_rsa;
};

static size_t curve_bytes(enum signature_algorithm algorithm) {
	return algorithm == SIGNATURE_ES384 ? 48 : 32;
}

/* NULL if OpenSSL does not take the parameters. */
static EVP_PKEY *make_pkey(const char *type, OSSL_PARAM_BLD *build) {
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	BUG_ON(!params || !context);
	if (EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return pkey;
}

static struct signature_key *make_key(EVP_PKEY *pkey, bool is_rsa, enum signature_algorithm curve) {
	struct signature_key *key = mem_zalloc(1, sizeof *key);
	*key = (struct signature_key){pkey, curve, is_rsa};
	return key;
}

enum status signature_key_of_point(
    struct signature_key **out, enum signature_algorithm algorithm, struct bytes x, struct bytes y, struct err *err) {
	uint8_t point[POINT_BYTES_MAX];
	BUG_ON(algorithm != SIGNATURE_ES256 && algorithm != SIGNATURE_ES384);
	const size_t width = curve_bytes(algorithm);
	const char *curve = algorithm == SIGNATURE_ES384 ? "P-384" : "P-256";
	if (x.len != width || y.len != width)
		return err_set(err, STATUS_INVALID, "a coordinate of %s has %zu bytes", curve, width);
	point[0] = 4; /* not compressed */
	memcpy(point + 1, x.data, width);
	memcpy(point + 1 + width, y.data, width);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BUG_ON(!build);
	BUG_ON(OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) != 1);
	BUG_ON(OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * width) != 1);
	EVP_PKEY *pkey = make_pkey("EC", build);
	OSSL_PARAM_BLD_free(build);
	if (!pkey) return err_set(err, STATUS_INVALID, "the key is no point of %s", curve);
	*out = make_key(pkey, false, algorithm);
	return STATUS_OK;
}

/* False: out of the bounds. */
static bool is_rsa_number(const BIGNUM *number, int bits_min, int bits_max) {
	return BN_num_bits(number) >= bits_min && BN_num_bits(number) <= bits_max && BN_is_odd(number);
}

enum status signature_key_of_rsa(
    struct signature_key **out, struct bytes modulus, struct bytes exponent, struct err *err) {
	if (modulus.len > RSA_BITS_MAX / 8 || exponent.len > RSA_BITS_MAX / 8)
		return err_set(err, STATUS_INVALID, "an RSA key has at most %d bits", RSA_BITS_MAX);
	BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
	BIGNUM *e = BN_bin2bn(exponent.data, (int)exponent.len, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	BUG_ON(!n || !e || !build);
	if (is_rsa_number(n, RSA_BITS_MIN, RSA_BITS_MAX) && is_rsa_number(e, 2, EXPONENT_BITS_MAX)) {
		BUG_ON(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1);
		BUG_ON(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1);
		pkey = make_pkey("RSA", build);
	}
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	if (!pkey)
		return err_set(err, STATUS_INVALID,
		    "an RSA key has an odd modulus of %d to %d bits, and a small odd exponent", RSA_BITS_MIN,
		    RSA_BITS_MAX);
	*out = make_key(pkey, true, SIGNATURE_RS256);
	return STATUS_OK;
}

void signature_key_free(struct signature_key *key) {
	if (!key) return;
	EVP_PKEY_free(key->pkey);
	mem_free(key);
}

bool signature_key_fits(const struct signature_key *key, enum signature_algorithm algorithm) {
	switch (algorithm) {
	case SIGNATURE_ES256:
	case SIGNATURE_ES384: return !key->is_rsa && key->curve == algorithm;
	case SIGNATURE_RS256:
	case SIGNATURE_PS256: return key->is_rsa;
	case SIGNATURE_COUNT: break;
	}
	return false;
}

/* OpenSSL wants r and s as DER has them. Returns its length, 0: not of the right width. */
static size_t der_of(uint8_t out[DER_BYTES_MAX], enum signature_algorithm algorithm, struct bytes signature) {
	const size_t width = curve_bytes(algorithm);
	uint8_t *at = out;
	if (signature.len != 2 * width) return 0;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature.data, (int)width, NULL),
	       *s = BN_bin2bn(signature.data + width, (int)width, NULL);
	BUG_ON(!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1);
	int len = i2d_ECDSA_SIG(pair, NULL);
	BUG_ON(len <= 0 || len > DER_BYTES_MAX || i2d_ECDSA_SIG(pair, &at) != len);
	ECDSA_SIG_free(pair);
	return (size_t)len;
}

static bool use_pss(EVP_PKEY_CTX *context) {
	return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, PSS_SALT_BYTES) == 1;
}

bool signature_verify(
    const struct signature_key *key, enum signature_algorithm algorithm, struct bytes message, struct bytes signature) {
	uint8_t der[DER_BYTES_MAX];
	if (!signature_key_fits(key, algorithm)) return false;
	if (!key->is_rsa) {
		signature = bytes_make(der, der_of(der, algorithm, signature));
		if (!signature.len) return false;
	}
	const EVP_MD *hash = algorithm == SIGNATURE_ES384 ? EVP_sha384() : EVP_sha256();
	EVP_PKEY_CTX *padding;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	BUG_ON(!context);
	const bool is_valid = EVP_DigestVerifyInit(context, &padding, hash, NULL, key->pkey) == 1 &&
			      (algorithm != SIGNATURE_PS256 || use_pss(padding)) &&
			      EVP_DigestVerify(context, signature.data, signature.len, message.data, message.len) == 1;
	EVP_MD_CTX_free(context);
	return is_valid;
}
