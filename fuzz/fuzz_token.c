/* A PKCS #11 URI: it is refused, or it names a module and keeps its PIN in a file. */
#include <string.h>

#include "fuzz/target.h"
#include "token/token_place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct token_place place;
	char text[TOKEN_URI_MAX + 2];
	const size_t len = size < sizeof text - 1 ? size : sizeof text - 1;
	memcpy(text, data, len);
	text[len] = 0;
	if (token_place_read(&place, text, NULL) != STATUS_OK) return 0;
	BUG_ON(place.module[0] != '/' || (place.pin_file && place.pin_file[0] != '/'));
	BUG_ON(strlen(text) > TOKEN_URI_MAX || p11_kit_uri_get_pin_value(place.uri));
	token_place_fini(&place);
	return 0;
}
