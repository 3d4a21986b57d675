/* The words of roles. */
#include "health/actors/roles.h"

#include <stdio.h>

static const struct {
	const char *text;
	uint32_t bit;
} role_names[] = {
#define ROLE_ROW(name, text, bit) {text, bit},
    ROLES(ROLE_ROW)
#undef ROLE_ROW
};
#define ROLE_COUNT (sizeof role_names / sizeof *role_names)

enum status roles_parse(uint32_t *roles, struct bytes text, struct err *err) {
	*roles = 0;
	for (struct bytes rest = text; rest.len;) {
		size_t len = 0, i = 0;
		while (len < rest.len && rest.data[len] != ',') len++;
		struct bytes word = bytes_slice(rest, 0, len);
		while (i < ROLE_COUNT && !bytes_equal(word, bytes_text(role_names[i].text))) i++;
		if (i == ROLE_COUNT)
			return err_set(err, STATUS_INVALID,
			    "\"%.*s\" is no role; there are hospital, professional, manufacturer, "
			    "wholesaler, pharmacy, regulator, trustee, emergency, node, payer, verifier",
			    (int)word.len, (const char *)word.data);
		*roles |= role_names[i].bit;
		rest = bytes_slice(rest, len + 1, rest.len);
	}
	return *roles ? STATUS_OK : err_set(err, STATUS_INVALID, "at least one role is needed");
}

void roles_text(char out[160], uint32_t roles) {
	size_t used = 0;
	out[0] = 0;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		if (roles & role_names[i].bit && used < 160)
			used += (size_t)snprintf(out + used, 160 - used, "%s%s", used ? "," : "", role_names[i].text);
}
