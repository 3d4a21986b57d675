#include "token/token_place.h"

#include <string.h>

#include "base/files.h"

#define FILE_SCHEME "file:"

static enum status read_pin_file(struct token_place *out, struct err *err) {
	const char *source = p11_kit_uri_get_pin_source(out->uri);
	if (!source) return STATUS_OK;
	if (strncmp(source, FILE_SCHEME, strlen(FILE_SCHEME)) == 0) source += strlen(FILE_SCHEME);
	if (strncmp(source, "///", 3) == 0) source += 2;
	if (source[0] != '/' || source[1] == '/')
		return err_set(err, STATUS_INVALID, "pin-source is file: and an absolute path");
	out->pin_file = source;
	return STATUS_OK;
}

static bool names_token(P11KitUri *uri) {
	static const CK_TOKEN_INFO any;
	const CK_TOKEN_INFO *info = p11_kit_uri_get_token_info(uri);
	/* An empty template names nothing; p11-kit fills what the URI leaves open with zeros. */
	return memcmp(info->label, any.label, sizeof any.label) != 0 ||
	       memcmp(info->serialNumber, any.serialNumber, sizeof any.serialNumber) != 0 ||
	       memcmp(info->manufacturerID, any.manufacturerID, sizeof any.manufacturerID) != 0 ||
	       memcmp(info->model, any.model, sizeof any.model) != 0;
}

static enum status check(struct token_place *out, struct err *err) {
	P11KitUri *uri = out->uri;
	const CK_ATTRIBUTE *kind = p11_kit_uri_get_attribute(uri, CKA_CLASS);
	const CK_OBJECT_CLASS secret = CKO_PRIVATE_KEY;
	out->module = p11_kit_uri_get_module_path(uri);
	if (p11_kit_uri_get_pin_value(uri))
		return err_set(err, STATUS_INVALID, "a PIN stands in a file (pin-source=file:…), and never in a URI");
	if (p11_kit_uri_any_unrecognized(uri))
		return err_set(err, STATUS_INVALID, "the PKCS #11 URI has an attribute that is not known");
	if (!out->module || out->module[0] != '/')
		return err_set(err, STATUS_INVALID, "the PKCS #11 URI names no module: module-path=/…");
	if (!names_token(uri)) return err_set(err, STATUS_INVALID, "the PKCS #11 URI names no token: token=…");
	if (!p11_kit_uri_get_attribute(uri, CKA_LABEL) && !p11_kit_uri_get_attribute(uri, CKA_ID))
		return err_set(err, STATUS_INVALID, "the PKCS #11 URI names no key: object=… or id=…");
	if (kind && (kind->ulValueLen != sizeof secret || memcmp(kind->pValue, &secret, sizeof secret) != 0))
		return err_set(err, STATUS_INVALID, "the PKCS #11 URI names no private key: type=private");
	return read_pin_file(out, err);
}

enum status token_place_read(struct token_place *out, const char *text, struct err *err) {
	*out = (struct token_place){.uri = NULL};
	if (strlen(text) > TOKEN_URI_MAX)
		return err_set(err, STATUS_INVALID, "a PKCS #11 URI has at most %u bytes", TOKEN_URI_MAX);
	out->uri = p11_kit_uri_new();
	BUG_ON(!out->uri);
	const int result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_OBJECT_ON_TOKEN_AND_MODULE, out->uri);
	enum status status =
	    result == P11_KIT_URI_OK
		? check(out, err)
		: err_set(err, STATUS_INVALID, "the PKCS #11 URI is malformed: %s", p11_kit_uri_message(result));
	if (status != STATUS_OK) token_place_fini(out);
	return status;
}

void token_place_fini(struct token_place *place) {
	if (place->uri) p11_kit_uri_free(place->uri);
	place->uri = NULL;
}

enum status token_place_pin(struct buf *pin, const struct token_place *place, struct err *err) {
	enum status status = files_read(pin, place->pin_file, err);
	if (status != STATUS_OK) return err_prefix(err, status, "the token's PIN");
	for (size_t i = 0; i < pin->len; i++)
		if (pin->data[i] == '\n' || pin->data[i] == '\r') pin->len = i;
	return pin->len ? STATUS_OK : err_set(err, STATUS_INVALID, "%s holds no PIN", place->pin_file);
}
