#include "app/commands/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/system.h"

struct settings_source service_source(const struct cli *cli, const struct settings_section *section) {
	return (struct settings_source){.section = section,
	    .sections = service_sections,
	    .file = cli_value(cli, "config"),
	    .flag = cli_setting,
	    .context = cli,
	    .environment = environ};
}

static enum status report(const struct problems *problems, struct err *err) {
	const struct problem *first = &problems->list[0];
	if (problems->count == 1) return err_set(err, STATUS_INVALID, "%s: %s", first->where, first->what);
	for (size_t i = 0; i < problems_kept(problems); i++)
		fprintf(stderr, "xinglin: %s: %s\n", problems->list[i].where, problems->list[i].what);
	return err_set(err, STATUS_INVALID, "the settings have %zu mistakes", problems->count);
}

enum status service_settings(struct settings *out, const struct settings_source *source, struct err *err) {
	struct problems problems;
	problems_init(&problems);
	settings_load(out, source, &problems);
	enum status status = problems.count ? report(&problems, err) : STATUS_OK;
	problems_fini(&problems);
	if (status != STATUS_OK) return status;
	enum log_level level = log_level_of(settings_text(out, "log-level"));
	if (getenv("XINGLIN_DEBUG") && !settings_is_given(out, "log-level")) level = LOG_DEBUG;
	bool is_json = strcmp(settings_text(out, "log-format"), "json") == 0;
	world_log(is_json ? LOG_AS_JSON : LOG_AS_TEXT, level);
	return STATUS_OK;
}

struct tls_files service_tls_files(const struct settings *settings) {
	return (struct tls_files){.cert = settings_text(settings, "tls-cert"),
	    .key = settings_text(settings, "tls-key"),
	    .client_ca = settings_text(settings, "tls-client-ca")};
}
