#include "health/records/kept_statements.h"

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

static bool is_kept(struct actor_request *request, const char *path, const struct calldata_wish *wish) {
	struct buf text;
	buf_init(&text, FILE_MAX);
	bool found = home_read(request->home, &text, path, NULL) == STATUS_OK &&
		     wish->read(wish->context, arena_dup(request->arena, buf_view(&text)), NULL) == STATUS_OK;
	buf_fini(&text);
	return found;
}

/* Best effort: what cannot be kept is asked for again. */
static void keep(struct actor_request *request, const char *path, struct bytes input) {
	char **names;
	size_t count;
	if (input.len > FILE_MAX) return;
	if (home_list(request->home, &names, &count, request->arena, "statements", NULL) != STATUS_OK) return;
	for (size_t i = 0; i + KEPT_STATEMENTS_MAX <= count; i++)
		home_remove(request->home, arena_printf(request->arena, "statements/%s", names[i]));
	(void)!home_write(request->home, path, input, NULL);
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
	const char *path = path_of(request->arena, fact);
	if (is_kept(request, path, wish)) return STATUS_OK;
	struct noted noted = {.wish = wish};
	struct calldata_wish asked = *wish;
	asked.read = read_noted;
	asked.context = &noted;
	TRY(verified_statement(&request->verified, &asked, err));
	keep(request, path, noted.input);
	return STATUS_OK;
}
