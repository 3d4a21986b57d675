/* xinglin gateway: an organisation's service, and the tokens of those who may ask it. */
#include <stdio.h>

#include "app/commands/commands.h"
#include "app/commands/service.h"
#include "app/serve/gateway_service.h"
#include "app/serve/lifecycle.h"
#include "app/system.h"
#include "base/files.h"
#include "base/http_uri.h"
#include "health/gateway/tokens.h"

#define PASSWORD_MAX 1024u

static enum status run(void *service, struct err *err) {
	return gateway_service_run(service, err);
}

static void stop(void *service) {
	gateway_service_stop(service);
}

static struct tls_files tls_files(const struct settings *settings) {
	struct tls_files files = service_tls_files(settings);
	files.client_optional = settings_is_on(settings, "tls-client-optional");
	return files;
}

static bool reload(void *service, struct settings *fresh) {
	const struct gateway_service_files files = {.tokens = settings_text(fresh, "tokens"),
	    .organisations = settings_text(fresh, "client-organisations"),
	    .tls = tls_files(fresh),
	    .min_free_bytes = settings_number(fresh, "min-free-mb") << 20};
	return gateway_service_reload(service, &files);
}

static bool is_alive(void *service) {
	return gateway_service_is_alive(service);
}

static void condition(void *service, char out[LIFECYCLE_CONDITION_BYTES]) {
	gateway_service_condition(service, out);
}

static struct issuer_service_options oauth_settings(const struct settings *settings) {
	const char *purpose = settings_text(settings, "oauth-purpose");
	return (struct issuer_service_options){
	    .issuer = {.issuer = settings_text(settings, "oauth-issuer"),
		.audience = settings_text(settings, "oauth-audience"),
		.authorize_url = settings_text(settings, "oauth-authorize"),
		.token_url = settings_text(settings, "oauth-token"),
		.subject_claims = settings_text(settings, "oauth-subject-claims"),
		.organisation_claims = settings_text(settings, "oauth-organisation-claims"),
		.purpose_claims = settings_text(settings, "oauth-purpose-claims"),
		.patient_claims = settings_text(settings, "oauth-patient-claims"),
		.purpose = strcmp(purpose, "none") == 0 ? NULL : purpose},
	    .keys = settings_text(settings, "oauth-jwks"),
	    .ca_file = settings_text(settings, "oauth-ca")};
}

static struct gateway_hooks hook_settings(const struct settings *settings) {
	const char *where = settings_text(settings, "hooks");
	return (struct gateway_hooks){.is_off = strcmp(where, "off") == 0,
	    .reach = strcmp(where, "any") == 0        ? HTTP_REACH_ANY
		     : strcmp(where, "loopback") == 0 ? HTTP_REACH_LOOPBACK
						      : HTTP_REACH_OUTSIDE,
	    .attempts = (uint32_t)settings_number(settings, "hooks-attempts"),
	    .ca_file = settings_text(settings, "hooks-ca")};
}

static void take_settings(struct gateway_service_options *out, struct settings *settings) {
	*out = (struct gateway_service_options){.home = settings_text(settings, "home"),
	    .nodes = settings_list(settings, "node"),
	    .node_token = settings_text(settings, "node-token"),
	    .tokens = settings_text(settings, "tokens"),
	    .organisations = settings_text(settings, "client-organisations"),
	    .oauth = oauth_settings(settings),
	    .hooks = hook_settings(settings),
	    .anchor_ms = (uint32_t)settings_number(settings, "anchor-ms"),
	    .profiles = settings_list(settings, "profiles"),
	    .fhir_url = settings_text(settings, "fhir-url"),
	    .epcis_url = settings_text(settings, "epcis-url"),
	    .http_address = settings_text(settings, "http-addr"),
	    .http_port = (uint16_t)settings_number(settings, "http-port"),
	    .tls = tls_files(settings),
	    .vhosts = settings_list(settings, "http-vhosts"),
	    .cors_origins = settings_list(settings, "http-corsdomain"),
	    .workers = (uint32_t)settings_number(settings, "workers"),
	    .request_ms = (uint32_t)settings_number(settings, "request-ms"),
	    .drain_ms = (uint32_t)settings_number(settings, "drain-ms"),
	    .metrics_address = settings_text(settings, "metrics-addr"),
	    .metrics_port = (uint16_t)settings_number(settings, "metrics-port"),
	    .min_free_bytes = settings_number(settings, "min-free-mb") << 20};
	if (settings_is_on(settings, "trustee"))
		out->trustee_every_ms = (uint32_t)settings_number(settings, "trustee-every-ms");
}

static enum status check_needed(const struct settings *settings, struct err *err) {
	static const char *const needed[] = {"home", "password-file", "tokens"};
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!settings_text(settings, needed[i]))
			return err_set(err, STATUS_INVALID, "--%s is needed; see: xinglin gateway --help", needed[i]);
	return STATUS_OK;
}

static enum status read_password(struct buf *out, const char *path, struct err *err) {
	TRY(files_read(out, path, err));
	const uint8_t *end = out->len ? memchr(out->data, '\n', out->len) : NULL;
	if (end) out->len = (size_t)(end - out->data);
	return STATUS_OK;
}

static void report_gateway(struct cli *cli, bool is_tls, const char *address, uint16_t port) {
	struct buf url;
	buf_init(&url, 256);
	http_origin_write(&url, is_tls, address, port);
	if (cli->json)
		printf("{\"gateway\":\"%s\"}\n", buf_cstr(&url));
	else
		printf("xinglin gateway is listening on %s\nCtrl-C stops it.\n", buf_cstr(&url));
	fflush(stdout);
	buf_fini(&url);
	cli->has_reported = true;
}

static enum status open_service(
    struct gateway_service **out, struct gateway_service_options *options, const char *password_file, struct err *err) {
	struct buf password;
	buf_init(&password, PASSWORD_MAX);
	enum status status = read_password(&password, password_file, err);
	options->password = buf_view(&password);
	if (status == STATUS_OK) status = gateway_service_open(out, options, err);
	buf_wipe(&password);
	return status;
}

static enum status run_with(
    struct cli *cli, struct settings *settings, const struct settings_source *source, struct err *err) {
	struct gateway_service *gateway = NULL;
	struct gateway_service_options options;
	TRY(check_needed(settings, err));
	take_settings(&options, settings);
	lifecycle_begin();
	TRY(open_service(&gateway, &options, settings_text(settings, "password-file"), err));
	report_gateway(cli, options.tls.cert != NULL, options.http_address, gateway_service_port(gateway));
	struct service service = {"gateway", gateway, run, stop, reload, is_alive, condition};
	enum status status = lifecycle_run(&service, &(struct lifecycle_options){source, options.drain_ms}, err);
	gateway_service_close(gateway);
	cli_say(cli, "stopped; what was accepted goes on at the next start");
	return status;
}

static enum status cmd_gateway(struct cli *cli, struct err *err) {
	struct settings settings;
	struct settings_source source = service_source(cli, &gateway_section);
	enum status status = service_settings(&settings, &source, err);
	if (status == STATUS_OK) status = run_with(cli, &settings, &source, err);
	settings_fini(&settings);
	return status;
}

const struct cli_command command_gateway = {
    .name = "gateway",
    .arguments = "",
    .summary = "run an organisation's gateway: its own systems add and read records over HTTP",
    .teach = "Opens the home once, and answers whoever shows a bearer token: POST /records?folder=0x… seals and\n"
	     "registers a FHIR document, GET /records/0x… opens a record. What was accepted survives kill -9.\n"
	     "Settings also come from a file (--config) and from the environment (XINGLIN_GATEWAY_HTTP_PORT).\n\n"
	     "  xinglin gateway token new ward-system --rights read,write --tokens tokens\n"
	     "  xinglin gateway --home hospital --password-file password --tokens tokens",
    .settings = &gateway_section,
    .run = cmd_gateway,
};

/* --- gateway token new --- */

static enum status read_tokens(struct cli *cli, struct buf *text, const char *path, struct err *err) {
	struct token_table table;
	if (!files_exists(path)) return STATUS_OK;
	TRY(files_read(text, path, err));
	if (text->len && text->data[text->len - 1] != '\n') buf_byte(text, '\n');
	enum status status = tokens_parse(&table, &cli->arena, buf_view(text), err);
	return status == STATUS_OK ? status : err_prefix(err, status, "%s", path);
}

/* The file is checked as a whole with the new line, so a name that is there already is refused. */
static enum status add_token(struct cli *cli, const char *path, const char *name, unsigned rights, struct err *err) {
	struct buf file;
	struct token_table table;
	char token[TOKEN_TEXT_MAX];
	buf_init(&file, TOKENS_FILE_MAX);
	enum status status = read_tokens(cli, &file, path, err);
	if (status == STATUS_OK) {
		token_make(token, &file, name, rights, &world_random);
		status = tokens_parse(&table, &cli->arena, buf_view(&file), err);
		if (status == STATUS_OK) status = files_write(path, buf_view(&file), err);
		if (status == STATUS_OK) cli_put_text(cli, "token", token);
		mem_wipe(token, sizeof token);
	}
	buf_fini(&file);
	return status;
}

static enum status cmd_token_new(struct cli *cli, struct err *err) {
	const char *path, *rights_text, *name = cli->arguments[0];
	unsigned rights;
	TRY(cli_need(cli, &path, "tokens", err));
	TRY(cli_need(cli, &rights_text, "rights", err));
	TRY(token_rights_parse(&rights, bytes_text(rights_text), err));
	if (!token_name_is_valid(bytes_text(name)))
		return err_set(
		    err, STATUS_INVALID, "NAME has 1 to %u letters, digits, '-', '_' or '.'", TOKEN_NAME_MAX);
	TRY(add_token(cli, path, name, rights, err));
	cli_put_text(cli, "name", name);
	cli_put_text(cli, "file", path);
	cli_say(cli, "the token is shown this once; a gateway that runs takes it after a reload (SIGHUP)");
	return STATUS_OK;
}

const struct cli_command command_gateway_token_new = {
    .name = "gateway token new",
    .arguments = "NAME",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "make a bearer token for a system that may ask the gateway",
    .teach = "The file keeps a name, rights and a hash, not the token. To withdraw a token, delete its line and\n"
	     "reload the gateway (SIGHUP).\n\n"
	     "  xinglin gateway token new ward-system --rights read,write --tokens /var/lib/xinglin-gateway/tokens",
    .options = {{"tokens", "FILE", "the gateway's file of tokens; it is made if there is none"},
	{"rights", "WORD,…", "read, write, metrics, or all"}},
    .run = cmd_token_new,
};
