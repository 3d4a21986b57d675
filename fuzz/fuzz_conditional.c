/* Any value in each conditional field: a part lies inside the whole, and a tag that is listed strongly is listed. */
#include "base/http_conditional.h"
#include "fuzz/target.h"

#define SIZE 1000u

static struct http_request with(const char *name, struct bytes value) {
	struct http_request request = {.method = HTTP_GET, .header_count = 1};
	request.headers[0] = (struct http_header){bytes_text(name), value};
	return request;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct bytes text = bytes_make(data, size);
	const struct http_request range_request = with("range", text), coding = with("accept-encoding", text);
	const struct http_range range = http_range_of(&range_request, "\"1\"", SIZE);
	BUG_ON(range.size != SIZE || range.first > SIZE || range.len > SIZE - range.first);
	BUG_ON((range.kind == HTTP_RANGE_NONE) != (range.len == 0));
	BUG_ON(http_etag_listed(text, "\"1\"", true) && !http_etag_listed(text, "\"1\"", false));
	const struct http_request body = with("content-encoding", text);
	(void)http_codings_of(&coding);
	(void)http_body_coding_of(&body);
	return 0;
}
