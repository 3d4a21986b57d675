#include "codec/json_input.h"

struct opening {
	const char *bytes;
	size_t len;
	const char *what;
};

/* UTF-32 stands before UTF-16, whose mark it begins with. */
static const struct opening openings[] = {
    {"\xff\xfe\0\0", 4, "UTF-32 text; JSON is read as UTF-8"},
    {"\0\0\xfe\xff", 4, "UTF-32 text; JSON is read as UTF-8"},
    {"\xff\xfe", 2, "UTF-16 text; JSON is read as UTF-8"},
    {"\xfe\xff", 2, "UTF-16 text; JSON is read as UTF-8"},
    {"{\0", 2, "UTF-16 text; JSON is read as UTF-8"},
    {"\0{", 2, "UTF-16 text; JSON is read as UTF-8"},
    {"\x1f\x8b", 2, "a gzip file; unpack it first"},
    {"PK\x03\x04", 4, "a zip file; unpack it first"},
    {"%PDF", 4, "a PDF file"},
    {"<", 1, "XML"},
};

enum status json_input(struct bytes *text, struct err *err) {
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
	struct bytes rest = *text;
	if (rest.len >= sizeof mark && memcmp(rest.data, mark, sizeof mark) == 0)
		rest = bytes_slice(rest, sizeof mark, rest.len);
	*text = rest;
	size_t space = 0;
	while (space < rest.len && strchr(" \t\r\n", rest.data[space]) && rest.data[space]) space++;
	rest = bytes_slice(rest, space, rest.len);
	for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
		const struct opening *opening = &openings[i];
		if (rest.len >= opening->len && memcmp(rest.data, opening->bytes, opening->len) == 0)
			return err_set(err, STATUS_INVALID, "this is not JSON but %s", opening->what);
	}
	return STATUS_OK;
}
