/* A target's texts: what decodes is UTF-8 without control characters, and its encoding decodes to itself. */
#include "base/http_uri.h"
#include "base/utf8.h"
#include "fuzz/target.h"

static void check_text(struct bytes text) {
	for (size_t i = 0; i < text.len;) {
		const size_t width = utf8_width(text.data + i, text.len - i);
		BUG_ON(width == 0 || text.data[i] < 0x20 || text.data[i] == 0x7f);
		i += width;
	}
}

/* `plain` was decoded: encoded again, it comes back. */
static void check_encoding(struct bytes plain) {
	struct buf encoded, again;
	buf_init(&encoded, 0);
	buf_init(&again, 0);
	http_percent_encode(&encoded, plain);
	BUG_ON(!http_percent_decode(&again, buf_view(&encoded), true));
	BUG_ON(!bytes_equal(buf_view(&again), plain));
	buf_fini(&encoded);
	buf_fini(&again);
}

static void decode(struct bytes text, bool plus_is_space) {
	struct buf plain;
	buf_init(&plain, 0);
	if (http_percent_decode(&plain, text, plus_is_space)) {
		check_text(buf_view(&plain));
		check_encoding(buf_view(&plain));
	}
	buf_fini(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	struct http_query query;
	struct err err;
	decode(bytes_make(data, size), false);
	decode(bytes_make(data, size), true);
	arena_init(&arena);
	if (http_query_parse(&query, &arena, bytes_make(data, size), &err) == STATUS_OK) {
		BUG_ON(query.count > HTTP_QUERY_ITEMS_MAX);
		for (size_t i = 0; i < query.count; i++) {
			BUG_ON(query.items[i].name.len == 0);
			check_text(query.items[i].name);
			check_text(query.items[i].value);
		}
	}
	arena_fini(&arena);
	return 0;
}
