#include "app/serve/dev_world.h"

#include <stdio.h>

#include "app/serve/deploying.h"
#include "app/serve/dev_product.h"
#include "app/system.h"
#include "base/files.h"
#include "codec/hex.h"
#include "health/actors/actor.h"
#include "health/actors/directory.h"
#include "health/consent/grants.h"
#include "health/records/folder.h"
#include "net/http_client.h"

#define SMALL_MAX ((size_t)64 << 10)
#define FOUNDING_SECONDS 3600u
#define ORGANISATION "Development organisation"

/* --- files --- */

static enum status make_password(struct dev_world *world, struct err *err) {
	buf_init(&world->password, 256);
	if (files_exists(world->password_file)) return files_read(&world->password, world->password_file, err);
	uint8_t random[16];
	random_fill(&world_random, random, sizeof random);
	hex_put(&world->password, bytes_make(random, sizeof random), false);
	return files_write(world->password_file, buf_view(&world->password), err);
}

static enum status make_home(struct dev_world *world, struct err *err) {
	struct home *home = NULL;
	const struct home_wallet_options options = {.password = buf_view(&world->password), .light_kdf = true};
	char wallet[512];
	snprintf(wallet, sizeof wallet, "%s/wallet/account.json", world->home);
	if (!files_exists(wallet)) TRY(home_create(world->home, &options, &world_random, err));
	TRY(home_open(&home, world->home, buf_view(&world->password), err));
	world->account = home->account;
	home_close(home);
	return STATUS_OK;
}

static enum status make_token(struct dev_world *world, struct err *err) {
	struct buf line;
	buf_init(&line, SMALL_MAX);
	token_make(world->token, &line, "dev", TOKEN_ALL, &world_random);
	enum status status = files_write(world->tokens, buf_view(&line), err);
	buf_fini(&line);
	return status;
}

enum status dev_world_begin(struct dev_world *out, const char *data, struct err *err) {
	char folder[200];
	*out = (struct dev_world){0};
	if ((size_t)snprintf(folder, sizeof folder, "%s/gateway", data) >= sizeof folder)
		return err_set(err, STATUS_INVALID, "the path of the data folder is too long");
	snprintf(out->home, sizeof out->home, "%s/home", folder);
	snprintf(out->password_file, sizeof out->password_file, "%s/password", folder);
	snprintf(out->tokens, sizeof out->tokens, "%s/tokens", folder);
	snprintf(out->folder_file, sizeof out->folder_file, "%s/folder", folder);
	snprintf(out->cert, sizeof out->cert, "%s/cert.pem", folder);
	snprintf(out->cert_key, sizeof out->cert_key, "%s/key.pem", folder);
	TRY(files_make_folder(folder, err));
	TRY(make_password(out, err));
	TRY(make_home(out, err));
	return make_token(out, err);
}

void dev_world_end(struct dev_world *world) {
	buf_wipe(&world->password);
	mem_wipe(world->token, sizeof world->token);
}

/* --- on the chain --- */

static enum status deploy(struct actor_request *request, struct err *err) {
	struct deployment deployment;
	struct buf json;
	struct deploy_plan plan = {.registrar_count = 1, .threshold = 1, .founding_s = FOUNDING_SECONDS};
	plan.registrars[0] = request->home->account;
	TRY(deploy_contracts(request, &deployment, &plan, err));
	buf_init(&json, SMALL_MAX);
	deployment_write(&json, &deployment);
	enum status status = home_trust(request->home, buf_view(&json), err);
	buf_fini(&json);
	return status;
}

static enum status list_self(struct actor_request *request, struct err *err) {
	struct directory_applicant self;
	struct buf listing;
	struct client_receipt receipt;
	uint32_t roles = 0;
#define ADD_ROLE(name, text, bit) roles |= bit;
	ROLES(ADD_ROLE)
#undef ADD_ROLE
	TRY(directory_applicant_of_home(&self, request->home, err));
	buf_init(&listing, SMALL_MAX);
	enum status status = directory_request(request, &listing, &self, BYTES_LITERAL(ORGANISATION), roles, err);
	if (status == STATUS_OK) status = directory_list(request, &receipt, buf_view(&listing), err);
	buf_fini(&listing);
	directory_applicant_wipe(&self);
	return status;
}

static enum status found(struct dev_world *world, struct actor *actor, struct err *err) {
	struct arena arena;
	struct actor_request request = {0};
	struct buf text;
	arena_init(&arena);
	buf_init(&text, SMALL_MAX);
	enum status status = actor_request_begin(actor, &request, &arena, 0, err);
	if (status == STATUS_OK) status = deploy(&request, err);
	if (status == STATUS_OK) status = list_self(&request, err);
	if (status == STATUS_OK) status = dev_product_register(&request, err);
	if (status == STATUS_OK) status = grant_folder_to_self(&request, &world->folder, "development", err);
	hex_put(&text, BYTES_OF(world->folder), true);
	if (status == STATUS_OK) status = files_write(world->folder_file, buf_view(&text), err);
	buf_fini(&text);
	actor_request_end(&request);
	arena_fini(&arena);
	return status;
}

static enum status make_client(void *context, struct http_client *out, struct err *err) {
	(void)context;
	return http_client_open(out, &(struct http_client_options){.timeout_ms = 60000}, err);
}

static void close_client(void *context, struct http_client *client) {
	(void)context;
	http_client_close(client);
}

static enum status read_folder(struct dev_world *world, struct err *err) {
	struct buf text;
	buf_init(&text, SMALL_MAX);
	enum status status = files_read(&text, world->folder_file, err);
	if (status == STATUS_OK && hex_fixed(world->folder.b, 32, buf_view(&text)) != STATUS_OK)
		status = err_set(err, STATUS_CORRUPT, "%s is damaged", world->folder_file);
	buf_fini(&text);
	return status;
}

enum status dev_world_populate(struct dev_world *world, const char *url, struct err *err) {
	static const struct client_maker clients = {make_client, close_client, NULL};
	struct actor *actor = NULL;
	char product[320];
	snprintf(product, sizeof product, "%s/products/" DEV_PRODUCT_GTIN ".jwe", world->home);
	world->gtin = DEV_PRODUCT_GTIN;
	if (files_exists(world->folder_file)) {
		if (!files_exists(product)) world->gtin = NULL; /* an older program made this chain */
		return read_folder(world, err);
	}
	http_client_global_init();
	struct actor_options options = {.directory = world->home,
	    .password = buf_view(&world->password),
	    .rpc_url = url,
	    .clients = &clients,
	    .clock = &world_clock,
	    .random = &world_random,
	    .sleep_ms = world_sleep_ms};
	TRY(actor_open(&actor, &options, err));
	enum status status = found(world, actor, err);
	actor_close(actor);
	return status;
}
