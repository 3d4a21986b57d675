/* xinglin gateway trail: who asked a gateway for what. */
#include "app/commands/commands.h"
#include "codec/json.h"
#include "health/gateway/trail.h"

struct showing {
	struct cli *cli;
	uint64_t skip; /* entries that are older than what is wanted */
	const char *who, *what;
};

static bool count_entry(void *context, uint32_t file, uint64_t n, struct bytes entry) {
	(void)context, (void)file, (void)n, (void)entry;
	return true;
}

static bool has(const struct json *entry, const char *name, const char *text) {
	const struct bytes value = json_string(json_get(entry, name));
	return !text || (value.len && memmem(value.data, value.len, text, strlen(text)));
}

static void put_text(struct cli *cli, const struct json *entry, const char *name) {
	const struct json *value = json_get(entry, name);
	if (value) cli_put_bytes(cli, name, json_string(value));
}

/* What the answer showed, or would have shown, something of. */
static void put_folders(struct cli *cli, const struct json *folders) {
	if (!folders) return;
	json_array_begin(&cli->writer, "folders");
	json_foreach (folder, folders) json_put_string(&cli->writer, NULL, json_string(folder));
	json_array_end(&cli->writer);
}

static void put_entry(struct cli *cli, uint64_t n, const struct json *entry) {
	static const char *const texts[] = {
	    "who", "person", "organisation", "purpose", "patient", "request", "method", "what", "made"};
	uint64_t at_ms = 0, status = 0;
	(void)json_u64(&at_ms, json_get(entry, "at"));
	(void)json_u64(&status, json_get(entry, "status"));
	json_object_begin(&cli->writer, NULL);
	cli_put_u64(cli, "entry", n);
	cli_put_time(cli, "at", at_ms / 1000);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put_text(cli, entry, texts[i]);
	cli_put_u64(cli, "status", status);
	put_folders(cli, json_get(entry, "folders"));
	json_object_end(&cli->writer);
}

static bool show_entry(void *context, uint32_t file, uint64_t n, struct bytes text) {
	struct showing *showing = context;
	struct arena arena;
	const struct json *entry;
	(void)file;
	if (showing->skip) {
		showing->skip--;
		return true;
	}
	arena_init(&arena);
	bool is_wanted = json_parse(&entry, &arena, text, NULL, NULL) == STATUS_OK && has(entry, "who", showing->who) &&
			 has(entry, "what", showing->what);
	if (is_wanted) put_entry(showing->cli, n, entry);
	arena_fini(&arena);
	return true;
}

static enum status cmd_gateway_trail(struct cli *cli, struct err *err) {
	struct trail_found found;
	struct showing showing = {.cli = cli, .who = cli_value(cli, "who"), .what = cli_value(cli, "what")};
	uint64_t limit;
	TRY(cli_u64(cli, &limit, "limit", 0, err));
	if (limit) {
		TRY(trail_read(cli->request.home, &found, count_entry, NULL, err));
		showing.skip = found.count > limit ? found.count - limit : 0;
	}
	json_array_begin(&cli->writer, "entries");
	TRY(trail_read(cli->request.home, &found, show_entry, &showing, err));
	json_array_end(&cli->writer);
	cli_put_u64(cli, "count", found.count);
	if (found.count) cli_put_hex(cli, "head", BYTES_OF(found.head));
	cli_say(cli,
	    "the chain of entries holds; that none was cut off at its end is known from what was anchored on the chain");
	return STATUS_OK;
}

const struct cli_command command_gateway_trail = {
    .name = "gateway trail",
    .arguments = "",
    .summary = "who asked a gateway for what: caller, person, organisation, purpose, time and outcome",
    .teach =
	"Reads the sealed trail in the gateway's home, also while the gateway runs, and checks its chain. An\n"
	"entry has no content: of a search it names the parameters, not their values. Its head is anchored on the\n"
	"chain with the looks that patients find (access reads): a trail that was cut has fewer entries.\n\n"
	"  xinglin gateway trail --home hospital --limit 100",
    .options = {{"limit", "N", "look at the newest N (all)"}, {"who", "TEXT", "only callers whose name has this in it"},
	{"what", "TEXT", "only what has this in it: /fhir/Patient/1"}},
    .needs_home = true,
    .run = cmd_gateway_trail,
};
