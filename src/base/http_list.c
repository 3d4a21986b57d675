#include "base/http_list.h"

#include <string.h>
#include <strings.h>

struct bytes http_list_next(struct bytes *rest, char separator) {
	const uint8_t *end = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
	const size_t len = end ? (size_t)(end - rest->data) : rest->len;
	struct bytes piece = bytes_slice(*rest, 0, len);
	*rest = bytes_slice(*rest, len + 1, rest->len);
	while (piece.len && piece.data[0] == ' ') piece = bytes_slice(piece, 1, piece.len);
	while (piece.len && piece.data[piece.len - 1] == ' ') piece.len--;
	return piece;
}

bool http_list_word_is(struct bytes text, const char *word) {
	return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}
