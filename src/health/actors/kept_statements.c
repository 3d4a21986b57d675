#include "health/actors/kept_statements.h"

#include "codec/hex.h"

#define FILE_MAX ((size_t)64 << 10)

static const char *path_of(struct arena *arena, const hash32 *fact) {
	struct buf path;
	buf_init(&path, 128);
	buf_text(&path, "statements/");
	hex_put(&path, BYTES_OF(*fact), true);
	const char *text = arena_strdup(arena, buf_view(&path));
	buf_fini(&path);
	return text;
}

bool kept_statement_get(const struct home *home, struct bytes *input, struct arena *arena, const hash32 *fact) {
	struct buf text;
	buf_init(&text, FILE_MAX);
	const bool is_kept = home_read(home, &text, path_of(arena, fact), NULL) == STATUS_OK;
	if (is_kept) *input = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	return is_kept;
}

void kept_statement_put(const struct home *home, struct arena *arena, const hash32 *fact, struct bytes input) {
	char **names;
	size_t count;
	if (input.len > FILE_MAX) return;
	if (home_list(home, &names, &count, arena, "statements", NULL) != STATUS_OK) return;
	for (size_t i = 0; i + KEPT_STATEMENTS_MAX <= count; i++)
		home_remove(home, arena_printf(arena, "statements/%s", names[i]));
	(void)!home_write(home, path_of(arena, fact), input, NULL);
}

/* Notes which calldata it was. */
struct noted {
	const struct calldata_wish *wish;
	struct bytes input;
};

static enum status read_noted(void *context, struct bytes input, struct err *err) {
	struct noted *noted = context;
	TRY(noted->wish->read(noted->wish->context, input, err));
	noted->input = input;
	return STATUS_OK;
}

enum status kept_statement(
    struct actor_request *request, const hash32 *fact, const struct calldata_wish *wish, struct err *err) {
	struct bytes input;
	if (kept_statement_get(request->home, &input, request->arena, fact) &&
	    wish->read(wish->context, input, NULL) == STATUS_OK)
		return STATUS_OK;
	struct noted noted = {.wish = wish};
	struct calldata_wish asked = *wish;
	asked.read = read_noted;
	asked.context = &noted;
	TRY(verified_statement(&request->verified, &asked, err));
	kept_statement_put(request->home, request->arena, fact, noted.input);
	return STATUS_OK;
}
