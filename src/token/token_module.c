#include "token/token_module.h"

#include <p11-kit/p11-kit.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define SLOTS_MAX 256u
#define ATTRIBUTES_MAX 8u
#define POINT_BYTES_MAX 256u

static const char *const kind_names[] = {[TOKEN_ED25519] = "Ed25519", [TOKEN_SECP256K1] = "secp256k1"};
static const CK_KEY_TYPE key_types[] = {[TOKEN_ED25519] = CKK_EC_EDWARDS, [TOKEN_SECP256K1] = CKK_EC};
static const CK_MECHANISM_TYPE mechanisms[] = {[TOKEN_ED25519] = CKM_EDDSA, [TOKEN_SECP256K1] = CKM_ECDSA};

enum status token_failure(struct err *err, CK_RV answer, const char *doing) {
	const bool is_gone = answer == CKR_DEVICE_REMOVED || answer == CKR_TOKEN_NOT_PRESENT;
	if (is_gone) return err_set(err, STATUS_IO, "%s: the token is not there", doing);
	const char *words = p11_kit_strerror(answer);
	return err_set(err, STATUS_IO, "%s: %s (PKCS #11 error 0x%lx)", doing, words, answer);
}

enum status token_module_load(struct token_session *out, const struct token_place *place, struct err *err) {
	out->module = p11_kit_module_load(place->module, 0);
	if (out->module) return STATUS_OK;
	const char *why = p11_kit_message();
	return err_set(
	    err, STATUS_NOTFOUND, "cannot load %s: %s", place->module, why ? why : "it is no PKCS #11 module");
}

void token_module_unload(struct token_session *session) {
	token_session_end(session);
	if (session->module) p11_kit_module_release(session->module);
	session->module = NULL;
}

void token_session_end(struct token_session *session) {
	if (session->is_begun) (void)p11_kit_module_finalize(session->module); /* and closes what is open */
	session->is_begun = false;
	session->session = CK_INVALID_HANDLE;
}

/* --- the slot --- */

static enum status find_slot(struct token_session *session, CK_SLOT_ID *slot, CK_TOKEN_INFO *info,
    const struct token_place *place, struct err *err) {
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	unsigned found = 0;
	const CK_RV answer = session->module->C_GetSlotList(CK_TRUE, slots, &count);
	if (answer != CKR_OK) return token_failure(err, answer, "listing the tokens");
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO candidate;
		if (session->module->C_GetTokenInfo(slots[i], &candidate) != CKR_OK) continue;
		if (!p11_kit_uri_match_token_info(place->uri, &candidate)) continue;
		*slot = slots[i];
		*info = candidate;
		found++;
	}
	if (found == 0)
		return err_set(err, STATUS_NOTFOUND, "none of the %lu tokens of %s is the one that the URI names",
		    count, place->module);
	if (found > 1)
		return err_set(err, STATUS_INVALID, "%u tokens of %s fit the URI: add serial=…", found, place->module);
	return STATUS_OK;
}

static enum status check_mechanism(
    struct token_session *session, CK_SLOT_ID slot, enum token_key kind, struct err *err) {
	CK_MECHANISM_INFO info;
	const CK_RV answer = session->module->C_GetMechanismInfo(slot, mechanisms[kind], &info);
	if (answer == CKR_OK && info.flags & CKF_SIGN) return STATUS_OK;
	if (answer != CKR_OK && answer != CKR_MECHANISM_INVALID)
		return token_failure(err, answer, "asking the token what it signs with");
	return err_set(err, STATUS_UNSUPPORTED, "the token does not sign with %s (it lacks %s)", kind_names[kind],
	    kind == TOKEN_ED25519 ? "CKM_EDDSA" : "CKM_ECDSA");
}

/* --- the PIN --- */

static enum status may_try_pin(const CK_TOKEN_INFO *info, struct err *err) {
	if (info->flags & CKF_USER_PIN_LOCKED)
		return err_set(
		    err, STATUS_DENIED, "the token is locked after wrong PINs: its security officer unlocks it");
	if (info->flags & CKF_USER_PIN_FINAL_TRY)
		return err_set(err, STATUS_DENIED,
		    "one more wrong PIN locks the token, and none is tried: log in by the vendor's program first");
	if (info->flags & CKF_USER_PIN_COUNT_LOW) log_warn("token", "the token has seen a wrong PIN lately");
	return STATUS_OK;
}

static enum status log_in(
    struct token_session *session, const CK_TOKEN_INFO *info, const struct token_place *place, struct err *err) {
	struct buf pin;
	if (!(info->flags & CKF_LOGIN_REQUIRED)) return STATUS_OK;
	if (!place->pin_file)
		return err_set(err, STATUS_INVALID, "the token wants a PIN: pin-source=file:… names a file with it");
	TRY(may_try_pin(info, err));
	buf_init(&pin, TOKEN_PIN_MAX);
	enum status status = token_place_pin(&pin, place, err);
	if (status == STATUS_OK) {
		const CK_RV answer = session->module->C_Login(session->session, CKU_USER, pin.data, pin.len);
		session->is_pin_refused = answer == CKR_PIN_INCORRECT || answer == CKR_PIN_LOCKED ||
					  answer == CKR_PIN_EXPIRED || answer == CKR_PIN_LEN_RANGE ||
					  answer == CKR_PIN_INVALID;
		if (session->is_pin_refused)
			status = err_set(err, STATUS_DENIED,
			    "the token refused the PIN in %s (%s). It is not tried again: a token locks itself after some "
			    "wrong ones. Correct the file before the next start",
			    place->pin_file, p11_kit_strerror(answer));
		else if (answer != CKR_OK && answer != CKR_USER_ALREADY_LOGGED_IN)
			status = token_failure(err, answer, "logging in");
	}
	buf_wipe(&pin);
	return status;
}

/* --- the key --- */

/* One object of this class that the URI names, or that has this attribute too. STATUS_NOTFOUND, or STATUS_INVALID: it
 * names several. */
static enum status find(struct token_session *session, CK_OBJECT_HANDLE *out, CK_OBJECT_CLASS kind,
    const CK_ATTRIBUTE *wanted, size_t count) {
	CK_ATTRIBUTE attributes[ATTRIBUTES_MAX] = {{CKA_CLASS, &kind, sizeof kind}};
	CK_OBJECT_HANDLE found[2];
	CK_ULONG filled = 1, number = 0;
	for (size_t i = 0; i < count && filled < ATTRIBUTES_MAX; i++)
		if (wanted[i].type != CKA_CLASS) attributes[filled++] = wanted[i];
	CK_RV answer = session->module->C_FindObjectsInit(session->session, attributes, filled);
	if (answer == CKR_OK) answer = session->module->C_FindObjects(session->session, found, 2, &number);
	(void)session->module->C_FindObjectsFinal(session->session);
	if (answer != CKR_OK) return STATUS_IO;
	if (number != 1) return number == 0 ? STATUS_NOTFOUND : STATUS_INVALID;
	*out = found[0];
	return STATUS_OK;
}

static bool read_attribute(
    struct token_session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *out, CK_ULONG *len) {
	CK_ATTRIBUTE attribute = {type, out, *len};
	const CK_RV answer = session->module->C_GetAttributeValue(session->session, object, &attribute, 1);
	*len = attribute.ulValueLen;
	return answer == CKR_OK && *len != CK_UNAVAILABLE_INFORMATION;
}

/* Is the value, or what is wrapped in an OCTET STRING (PKCS #11 says so; some tokens give it bare), of this length? */
static bool take_point(uint8_t *out, size_t wanted, const uint8_t *value, size_t len) {
	if (len == wanted + 2 && value[0] == 4 && value[1] == wanted) {
		value += 2;
		len -= 2;
	}
	if (len != wanted) return false;
	memcpy(out, value, wanted);
	return true;
}

static bool read_point(struct token_session *session, CK_OBJECT_HANDLE object, enum token_key kind) {
	static const uint8_t secp256k1[] = {6, 5, 0x2b, 0x81, 4, 0, 10}; /* 1.3.132.0.10 */
	uint8_t value[POINT_BYTES_MAX], point[65], curve[POINT_BYTES_MAX];
	CK_ULONG len = sizeof value, curve_len = sizeof curve;
	if (!read_attribute(session, object, CKA_EC_POINT, value, &len)) return false;
	if (kind == TOKEN_ED25519) return take_point(session->public_key, 32, value, len);
	if (!read_attribute(session, object, CKA_EC_PARAMS, curve, &curve_len) || curve_len != sizeof secp256k1 ||
	    memcmp(curve, secp256k1, curve_len) != 0 || !take_point(point, sizeof point, value, len) || point[0] != 4)
		return false;
	memcpy(session->public_key, point + 1, sizeof session->public_key);
	return true;
}

/* The public half: an object with the same id. */
static enum status read_public_key(struct token_session *session, enum token_key kind, struct err *err) {
	CK_OBJECT_HANDLE public_half = CK_INVALID_HANDLE;
	uint8_t id[POINT_BYTES_MAX];
	CK_ATTRIBUTE wanted = {CKA_ID, id, sizeof id};
	if (!read_attribute(session, session->key, CKA_ID, id, &wanted.ulValueLen) || !wanted.ulValueLen)
		return err_set(err, STATUS_INVALID, "the key in the token has no id: its public half cannot be found");
	const enum status status = find(session, &public_half, CKO_PUBLIC_KEY, &wanted, 1);
	if (status == STATUS_NOTFOUND)
		return err_set(err, STATUS_NOTFOUND, "the token has the key, but not its public half (same id)");
	if (status != STATUS_OK) return err_set(err, status, "the token has several public keys of the same id");
	if (read_point(session, public_half, kind)) return STATUS_OK;
	return err_set(err, STATUS_UNSUPPORTED, "the key in the token is not of %s", kind_names[kind]);
}

static enum status find_key(
    struct token_session *session, const struct token_place *place, enum token_key kind, struct err *err) {
	CK_ULONG count = 0, len = sizeof(CK_KEY_TYPE);
	CK_KEY_TYPE type = 0;
	const CK_ATTRIBUTE *wanted = p11_kit_uri_get_attributes(place->uri, &count);
	const enum status status = find(session, &session->key, CKO_PRIVATE_KEY, wanted, count);
	if (status == STATUS_NOTFOUND) return err_set(err, status, "the token has no private key that the URI names");
	if (status == STATUS_INVALID)
		return err_set(err, status, "the token has several private keys that the URI names: add id=…");
	if (status != STATUS_OK) return err_set(err, status, "the token cannot be searched for the key");
	if (!read_attribute(session, session->key, CKA_KEY_TYPE, &type, &len) || type != key_types[kind])
		return err_set(err, STATUS_UNSUPPORTED, "the key in the token is not of %s", kind_names[kind]);
	return read_public_key(session, kind, err);
}

static enum status begin(
    struct token_session *session, const struct token_place *place, enum token_key kind, struct err *err) {
	CK_SLOT_ID slot = 0;
	CK_TOKEN_INFO info = {0};
	CK_RV answer = p11_kit_module_initialize(session->module);
	if (answer != CKR_OK) return token_failure(err, answer, "starting the module");
	session->is_begun = true;
	TRY(find_slot(session, &slot, &info, place, err));
	TRY(check_mechanism(session, slot, kind, err));
	answer = session->module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session->session);
	if (answer != CKR_OK) return token_failure(err, answer, "opening a session");
	TRY(log_in(session, &info, place, err));
	return find_key(session, place, kind, err);
}

enum status token_session_begin(
    struct token_session *session, const struct token_place *place, enum token_key kind, struct err *err) {
	const enum status status = begin(session, place, kind, err);
	if (status != STATUS_OK) token_session_end(session);
	return status;
}
