#include "app/bearer.h"

#include <sys/stat.h>

#include "base/files.h"
#include "codec/hex.h"
#include "envelope/jwt.h"

#define DIGITS 64u

struct bearer {
	const struct clock_source *clock;
	struct buf text;
	bool is_secret;
	hash32 secret;
};

static bool is_token(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f) return false;
	return text.len > 0;
}

static void trim(struct buf *text) {
	while (text->len && strchr(" \t\r\n", text->data[text->len - 1])) text->len--;
}

static enum status take(struct bearer *bearer, const char *path, struct err *err) {
	char digits[2 + DIGITS + 1] = "0x";
	struct stat info;
	TRY(files_read(&bearer->text, path, err));
	if (stat(path, &info) != 0 || (info.st_mode & 077) != 0)
		return err_set(err, STATUS_INVALID, "%s can be read by others than its owner: chmod 600 it", path);
	trim(&bearer->text);
	struct bytes text = buf_view(&bearer->text);
	if (!is_token(text)) return err_set(err, STATUS_INVALID, "%s holds no token and no secret", path);
	if (text.len == 2 + DIGITS && memcmp(text.data, "0x", 2) == 0) text = bytes_slice(text, 2, text.len);
	if (text.len != DIGITS) return STATUS_OK;
	memcpy(digits + 2, text.data, DIGITS);
	bearer->is_secret = hex_fixed(bearer->secret.b, sizeof bearer->secret.b, bytes_text(digits)) == STATUS_OK;
	mem_wipe(digits, sizeof digits);
	return STATUS_OK;
}

enum status bearer_open(struct bearer **out, const char *path, const struct clock_source *clock, struct err *err) {
	struct bearer *bearer = mem_zalloc(1, sizeof *bearer);
	bearer->clock = clock;
	buf_init(&bearer->text, JWT_BYTES_MAX + 2);
	const enum status status = take(bearer, path, err);
	*out = status == STATUS_OK ? bearer : NULL;
	if (status != STATUS_OK) bearer_close(bearer);
	return status;
}

void bearer_close(struct bearer *bearer) {
	if (!bearer) return;
	buf_wipe(&bearer->text);
	mem_wipe(bearer, sizeof *bearer);
	mem_free(bearer);
}

const char *const *bearer_headers(const struct bearer *bearer, struct arena *arena, const char *const *headers) {
	struct buf line;
	size_t count = 0;
	if (!bearer) return headers;
	while (headers && headers[count]) count++;
	const char **all = arena_zalloc(arena, count + 2, sizeof *all);
	for (size_t i = 0; i < count; i++) all[i] = headers[i];
	buf_init(&line, JWT_BYTES_MAX + 64);
	buf_text(&line, "Authorization: Bearer ");
	if (bearer->is_secret)
		jwt_shared_write(&line, &bearer->secret, clock_now_ms(bearer->clock) / 1000);
	else
		buf_append(&line, buf_view(&bearer->text));
	all[count] = arena_strdup(arena, buf_view(&line));
	buf_wipe(&line);
	return all;
}
