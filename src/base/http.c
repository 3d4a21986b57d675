#include "base/http.h"

#define HEADER_LINES_MAX ((size_t)16 << 10)

struct bytes http_header_get(const struct http_request *request, const char *name) {
	struct bytes wanted = bytes_text(name);
	for (size_t i = 0; i < request->header_count; i++)
		if (bytes_equal(request->headers[i].name, wanted)) return request->headers[i].value;
	return (struct bytes){NULL, 0};
}

void http_response_init(struct http_response *response, size_t body_max) {
	*response = (struct http_response){.status = 200};
	buf_init(&response->body, body_max);
	buf_init(&response->headers, HEADER_LINES_MAX);
}

void http_response_fini(struct http_response *response) {
	buf_fini(&response->body);
	buf_fini(&response->headers);
}
