#include "base/bytes.h"

int bytes_compare(struct bytes a, struct bytes b) {
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.data, b.data, common) : 0;
	if (order) return order;
	return (a.len > b.len) - (a.len < b.len);
}

struct bytes bytes_slice(struct bytes view, size_t from, size_t len) {
	if (from > view.len) from = view.len;
	if (len > view.len - from) len = view.len - from;
	return (struct bytes){view.data ? view.data + from : NULL, len};
}
