#include "token/token.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "token/token_module.h"

static const CK_MECHANISM_TYPE mechanisms[] = {[TOKEN_ED25519] = CKM_EDDSA, [TOKEN_SECP256K1] = CKM_ECDSA};

struct token {
	pthread_mutex_t lock; /* over all below */
	struct token_place place;
	struct token_session session;
	enum token_key kind;
	uint8_t public_key[64];
	char missing[TOKEN_DETAIL_BYTES]; /* why it is gone; empty: it is there */
};

bool token_is_uri(const char *text) {
	return strncmp(text, TOKEN_SCHEME, strlen(TOKEN_SCHEME)) == 0;
}

enum status token_open(struct token **out, const char *uri, enum token_key kind, struct err *err) {
	struct token *token = mem_zalloc(1, sizeof *token);
	token->kind = kind;
	pthread_mutex_init(&token->lock, NULL);
	enum status status = token_place_read(&token->place, uri, err);
	if (status == STATUS_OK) status = token_module_load(&token->session, &token->place, err);
	if (status == STATUS_OK) status = token_session_begin(&token->session, &token->place, kind, err);
	if (status == STATUS_OK)
		memcpy(token->public_key, token->session.public_key, sizeof token->public_key);
	else
		token_close(token);
	*out = status == STATUS_OK ? token : NULL;
	return status;
}

void token_close(struct token *token) {
	if (!token) return;
	token_module_unload(&token->session);
	token_place_fini(&token->place);
	pthread_mutex_destroy(&token->lock);
	mem_free(token);
}

/* --- gone, and back --- */

static void lose(struct token *token, const struct err *err) {
	token_session_end(&token->session);
	if (!token->missing[0]) log_error("token", "nothing is signed: %s", err->message);
	snprintf(token->missing, sizeof token->missing, "%s", err->message);
}

static enum status come_back(struct token *token, struct err *err) {
	struct err why = {0};
	if (token->session.is_pin_refused) return err_set(err, STATUS_DENIED, "%s", token->missing);
	enum status status = token_session_begin(&token->session, &token->place, token->kind, &why);
	if (status == STATUS_OK && memcmp(token->session.public_key, token->public_key, sizeof token->public_key) != 0)
		status = err_set(&why, STATUS_DENIED, "the token has another key now");
	if (status != STATUS_OK) {
		lose(token, &why);
		return err_set(err, status, "%s", why.message);
	}
	log_info("token", "the token is there again");
	token->missing[0] = 0;
	return STATUS_OK;
}

bool token_look(struct token *token, char detail[TOKEN_DETAIL_BYTES]) {
	struct err err = {0};
	pthread_mutex_lock(&token->lock);
	const CK_FUNCTION_LIST *module = token->session.module;
	CK_SESSION_INFO info;
	if (!token->missing[0]) {
		const CK_RV answer = module->C_GetSessionInfo(token->session.session, &info);
		if (answer != CKR_OK) {
			(void)token_failure(&err, answer, "looking for the token");
			lose(token, &err);
		}
	} else
		(void)come_back(token, &err);
	const bool is_there = !token->missing[0];
	snprintf(detail, TOKEN_DETAIL_BYTES, "%s", is_there ? "the token is there" : token->missing);
	pthread_mutex_unlock(&token->lock);
	return is_there;
}

/* --- signatures --- */

static enum status sign_once(struct token *token, uint8_t out[SIGNING_BYTES], struct bytes what, struct err *err) {
	CK_MECHANISM mechanism = {mechanisms[token->kind], NULL, 0};
	CK_ULONG len = SIGNING_BYTES;
	const CK_FUNCTION_LIST *module = token->session.module;
	uint8_t copy[1]; /* of nothing: a module may not take NULL */
	CK_RV answer = module->C_SignInit(token->session.session, &mechanism, token->session.key);
	if (answer == CKR_OK)
		answer =
		    module->C_Sign(token->session.session, what.len ? (CK_BYTE *)what.data : copy, what.len, out, &len);
	if (answer != CKR_OK) return token_failure(err, answer, "signing");
	return len == SIGNING_BYTES ? STATUS_OK : err_set(err, STATUS_IO, "the token's signature has %lu bytes", len);
}

/* A token that errs, or is not what it says, is not believed. */
static enum status check(
    const struct token *token, const uint8_t made[SIGNING_BYTES], struct bytes what, struct err *err) {
	struct secp_signature signature;
	hash32 key, digest;
	bool is_right;
	memcpy(key.b, token->public_key, sizeof key.b);
	if (token->kind == TOKEN_ED25519) {
		is_right = ed25519_verify(made, &key, what);
	} else {
		BUG_ON(what.len != sizeof digest.b);
		memcpy(digest.b, what.data, sizeof digest.b);
		is_right = secp_complete(&signature, made, token->public_key, &digest) == STATUS_OK;
	}
	return is_right ? STATUS_OK : err_set(err, STATUS_IO, "the token's signature is not one of its key");
}

static enum status sign(void *context, uint8_t out[SIGNING_BYTES], struct bytes what, struct err *err) {
	struct token *token = context;
	struct err why = {0};
	enum status status = STATUS_OK;
	pthread_mutex_lock(&token->lock);
	if (token->missing[0]) status = come_back(token, &why);
	if (status == STATUS_OK) {
		status = sign_once(token, out, what, &why);
		if (status == STATUS_OK) status = check(token, out, what, &why);
		if (status != STATUS_OK) lose(token, &why);
	}
	pthread_mutex_unlock(&token->lock);
	return status == STATUS_OK ? status : err_set(err, status, "%s", why.message);
}

struct signing_key token_signing_key(struct token *token) {
	struct signing_key key = {.sign = sign, .context = token};
	memcpy(key.public_key, token->public_key, sizeof key.public_key);
	return key;
}
