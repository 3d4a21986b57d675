#include "health/gateway/fhir_server.h"

#include "health/fhir/profiles.h"
#include "health/gateway/fhir_capability.h"
#include "health/gateway/fhir_export.h"
#include "health/gateway/fhir_hooks.h"
#include "health/gateway/gateway_private.h"

#define CLAIMS_MAX 16u /* profiles of one resource that are checked */
#define READERS 12u    /* more than workers, so that slow searches leave some to quick reads */

static enum status open_parts(struct fhir_server *server, struct err *err) {
	const struct gateway_options *options = &server->gateway->options;
	const struct home *home = actor_home(options->actor);
	const struct resource_settings settings = {.readers = READERS, .threads = options->threads};
	TRY(resources_open(&server->resources, home, &settings, err));
	const struct fhir_foreign_options foreign = {.actor = options->actor,
	    .resources = server->resources,
	    .threads = options->threads,
	    .workers = options->workers,
	    .clock = options->clock};
	TRY(fhir_foreign_open(&server->foreign, &foreign, err));
	server->catch_up = fhir_catch_up_new(options->actor, server->gateway->outbox, server->resources);
	return fhir_folders_open(&server->folders, home, options->threads, err);
}

enum status fhir_server_open(struct fhir_server **out, struct gateway *gateway, struct err *err) {
	const struct threads *threads = gateway->options.threads;
	struct fhir_server *server = mem_zalloc(1, sizeof *server);
	server->gateway = gateway;
	server->locks = fhir_locks_new(threads);
	server->exports = fhir_exports_new(threads);
	server->hooks = fhir_hooks_new(server);
	server->validators_lock = threads->monitor_new(threads->context);
	buf_init(&server->capability, BUF_MAX_DEFAULT);
	enum status status = open_parts(server, err);
	fhir_capability_write(&server->capability, server->gateway->options.profiles);
	if (status == STATUS_OK) fhir_catch_up_step(server->catch_up); /* which asks a node only after a kill */
	if (status == STATUS_OK)
		*out = server;
	else
		fhir_server_close(server);
	return status;
}

void fhir_server_close(struct fhir_server *server) {
	if (!server) return;
	while (server->validator_count) fhir_validator_free(server->validators[--server->validator_count]);
	server->gateway->options.threads->monitor_free(server->validators_lock);
	fhir_exports_free(server->exports);
	fhir_hooks_free(server->hooks);
	fhir_locks_free(server->locks);
	fhir_folders_close(server->folders);
	fhir_catch_up_free(server->catch_up);
	fhir_foreign_close(server->foreign);
	resources_close(server->resources);
	buf_fini(&server->capability);
	mem_free(server);
}

void fhir_server_tend(struct fhir_server *server) {
	fhir_foreign_step(server->foreign);
	fhir_catch_up_step(server->catch_up);
	fhir_hooks_step(server->hooks);
}

static bool is_claimed_before(const struct json *claims, const struct json *claim) {
	json_foreach (before, claims) {
		if (before == claim) return false;
		if (bytes_equal(before->text, claim->text)) return true;
	}
	return false;
}

bool fhir_server_validate(struct fhir_server *server, struct fhir_validator *validator, struct fhir_issues *issues,
    const struct json *resource) {
	const struct fhir_profiles *profiles = server->gateway->options.profiles;
	const struct json *claims = json_get(json_get(resource, "meta"), "profile");
	bool is_valid = fhir_validate(validator, issues, resource);
	uint64_t steps = fhir_profiles_steps(resource);
	size_t count = 0;
	if (!profiles || !json_is(claims, JSON_ARRAY)) return is_valid;
	json_foreach (claim, claims)
		if (json_is(claim, JSON_STRING) && count++ < CLAIMS_MAX && !is_claimed_before(claims, claim))
			is_valid &= fhir_profiles_check(profiles, issues, resource, claim->text, &steps);
	return is_valid;
}

struct fhir_validator *fhir_server_take_validator(struct fhir_server *server) {
	const struct threads *threads = server->gateway->options.threads;
	struct fhir_validator *validator = NULL;
	threads->lock(server->validators_lock);
	if (server->validator_count) validator = server->validators[--server->validator_count];
	threads->unlock(server->validators_lock);
	return validator ? validator : fhir_validator_new(&fhir_r4, FHIR_MARKDOWN_WARNS);
}

void fhir_server_give_validator(struct fhir_server *server, struct fhir_validator *validator) {
	const struct threads *threads = server->gateway->options.threads;
	threads->lock(server->validators_lock);
	if (server->validator_count < FHIR_SERVER_VALIDATORS_MAX) {
		server->validators[server->validator_count++] = validator;
		validator = NULL;
	}
	threads->unlock(server->validators_lock);
	fhir_validator_free(validator);
}

int64_t fhir_server_now_ms(struct fhir_server *server) {
	int64_t now = (int64_t)clock_now_ms(server->gateway->options.clock);
	int64_t last = atomic_load(&server->last_ms);
	do {
		if (now < last) now = last;
	} while (!atomic_compare_exchange_weak(&server->last_ms, &last, now));
	return now;
}
