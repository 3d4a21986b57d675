/* A configuration file and a file of tokens: whatever is in them, each is read to its end, and a file without mistakes
 * gives values that the table allows. */
#include "app/settings/settings_internal.h"
#include "fuzz/target.h"
#include "health/gateway/tokens.h"

static const struct setting rows[] = {
    {.name = "port", .type = SETTING_PORT, .value = "N", .otherwise = "80", .help = "h"},
    {.name = "every-ms", .type = SETTING_NUMBER, .value = "MS", .min = 5, .max = 90, .otherwise = "10", .help = "h"},
    {.name = "names", .type = SETTING_LIST, .value = "NAME", .help = "h"},
    {.name = "nodes", .type = SETTING_URLS, .value = "URL", .help = "h"},
    {.name = "loud", .type = SETTING_SWITCH, .help = "h"},
    {.name = "format", .type = SETTING_CHOICE, .value = "WORD", .choices = "text|json", .help = "h"},
    {.name = "addr", .type = SETTING_ADDRESS, .value = "ADDRESS", .help = "h"},
};
static const struct settings_section section = {
    .name = "toy", .title = "t", .rows = rows, .count = sizeof rows / sizeof *rows};
static const struct settings_section *const sections[] = {&section, NULL};

static void check_entry(const struct file_entry *entry, struct problems *problems) {
	uint64_t number = 0;
	BUG_ON(entry->section != &section || entry->line == 0);
	if (!setting_check(entry->row, entry->text, &number, "here", problems)) return;
	if (entry->row->type == SETTING_NUMBER) BUG_ON(number < 5 || number > 90);
	if (entry->row->type == SETTING_PORT) BUG_ON(number > UINT16_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	struct problems problems;
	struct file_entries entries;
	struct token_table tokens;
	arena_init(&arena);
	problems_init(&problems);
	settings_read_text(&entries, &arena, bytes_make(data, size), "x.conf", sections, &problems);
	for (size_t i = 0; i < entries.count; i++) check_entry(&entries.list[i], &problems);
	if (tokens_parse(&tokens, &arena, bytes_make(data, size), NULL) == STATUS_OK)
		for (size_t i = 0; i < tokens.count; i++)
			BUG_ON(!token_name_is_valid(bytes_text(tokens.list[i].name)) || tokens.list[i].rights == 0);
	(void)tokens_find(&tokens, bytes_make(data, size));
	problems_fini(&problems);
	arena_fini(&arena);
	return 0;
}
