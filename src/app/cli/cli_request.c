#include "app/cli/cli_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "app/bearer.h"
#include "app/system.h"
#include "base/files.h"
#include "net/http_client.h"

#define PASSWORD_MAX 1024u

/* Without the byte order mark and the carriage return that editors on Windows add. */
static void first_line(struct buf *out, FILE *from) {
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
	for (int c; (c = fgetc(from)) != EOF && c != '\n';) {
		buf_byte(out, (uint8_t)c);
		if (out->len == sizeof mark && memcmp(out->data, mark, sizeof mark) == 0) out->len = 0;
	}
	if (out->len && out->data[out->len - 1] == '\r') out->len--;
}

static enum status ask_terminal(struct buf *out, struct err *err) {
	struct termios before, silent;
	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0)
		return err_set(err, STATUS_INVALID,
		    "the wallet's password is needed: --password-file FILE, or XINGLIN_PASSWORD in the environment");
	fputs("password: ", stderr);
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	first_line(out, stdin);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return buf_status(out, err);
}

enum status cli_password(struct buf *out, const char *password_file, struct err *err) {
	const char *from_environment = getenv("XINGLIN_PASSWORD");
	if (password_file) {
		FILE *file = fopen(password_file, "re");
		if (!file) return err_set(err, STATUS_NOTFOUND, "cannot read %s: %s", password_file, strerror(errno));
		first_line(out, file);
		fclose(file);
		return buf_status(out, err);
	}
	if (from_environment) {
		buf_text(out, from_environment);
		return buf_status(out, err);
	}
	return ask_terminal(out, err);
}

/* A client that shows a token to the node of --rpc, and to nobody else. */
struct token_client {
	struct http_client inner;
	struct bearer *bearer;
	const char *url; /* the node's */
};

static enum status exchange(void *context, struct http_response *response, enum http_method method, const char *url,
    const char *const *headers, struct bytes body, struct err *err) {
	const struct token_client *client = context;
	const size_t len = strlen(client->url);
	const bool is_node = strncmp(url, client->url, len) == 0 && (!url[len] || url[len] == '/');
	struct arena arena;
	arena_init(&arena);
	if (is_node) headers = bearer_headers(client->bearer, &arena, headers);
	const enum status status =
	    client->inner.exchange(client->inner.context, response, method, url, headers, body, err);
	arena_fini(&arena);
	return status;
}

static void limit(void *context, uint32_t timeout_ms) {
	const struct token_client *client = context;
	client->inner.limit(client->inner.context, timeout_ms);
}

static void close_token_client(struct token_client *client) {
	http_client_close(&client->inner);
	bearer_close(client->bearer);
	mem_free(client);
}

/* XINGLIN_RPC_TOKEN_FILE is for the node that --rpc names: another that the chain leads to would learn it. */
static enum status make_client(void *context, struct http_client *out, struct err *err) {
	const struct cli *cli = context;
	const char *token = getenv("XINGLIN_RPC_TOKEN_FILE");
	struct token_client *client = mem_zalloc(1, sizeof *client);
	client->url = cli_value(cli, "rpc");
	enum status status = http_client_open(&client->inner, &(struct http_client_options){.timeout_ms = 60000}, err);
	if (!client->url) client->url = "";
	if (status == STATUS_OK && token && *client->url)
		status = bearer_open(&client->bearer, token, &world_clock, err);
	*out = (struct http_client){.exchange = exchange, .context = client, .limit = limit};
	if (status != STATUS_OK) close_token_client(client);
	return status;
}

static void close_client(void *context, struct http_client *client) {
	(void)context;
	if (client->context) close_token_client(client->context);
	client->context = NULL;
}

enum status cli_home_directory(const struct cli *cli, const char **out, struct err *err) {
	*out = cli_value(cli, "home");
	if (!*out) *out = getenv("XINGLIN_HOME");
	if (*out) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "--home DIR (or XINGLIN_HOME) says whose data folder to use");
}

/* The process that has a wallet acts for the home of that wallet alone, whatever a caller names. */
static enum status check_unlocked(const struct cli *cli, const char *directory, struct err *err) {
	struct stat named, own;
	if (!cli->unlocked || (stat(directory, &named) == 0 && stat(cli->unlocked->directory, &own) == 0 &&
				  named.st_dev == own.st_dev && named.st_ino == own.st_ino))
		return STATUS_OK;
	return err_set(
	    err, STATUS_DENIED, "this process has unlocked %s, and not %s", cli->unlocked->directory, directory);
}

static enum status open_actor(struct cli *cli, struct err *err) {
	const char *directory;
	struct buf password;
	TRY(cli_home_directory(cli, &directory, err));
	TRY(check_unlocked(cli, directory, err));
	buf_init(&password, PASSWORD_MAX);
	cli->clients = (struct client_maker){make_client, close_client, cli};
	enum status status = cli->unlocked ? STATUS_OK : cli_password(&password, cli_value(cli, "password-file"), err);
	struct actor_options options = {.directory = directory,
	    .password = buf_view(&password),
	    .unlocked = cli->unlocked,
	    .rpc_url = cli_value(cli, "rpc"),
	    .clients = &cli->clients,
	    .clock = &world_clock,
	    .random = &world_random,
	    .sleep_ms = world_sleep_ms,
	    .progress = cli->progress.out ? &cli->progress.progress : NULL};
	if (status == STATUS_OK) status = actor_open(&cli->actor, &options, err);
	buf_wipe(&password);
	return status;
}

enum status cli_request_open(struct cli *cli, struct err *err) {
	http_client_global_init();
	if (progress_line_is_wanted(stderr)) progress_line_init(&cli->progress, stderr, &world_clock);
	TRY(open_actor(cli, err));
	struct home *home = actor_home(cli->actor);
	if (home->has_deployment) {
		cli->index = index_new(home, NULL);
		actor_keep_logs(cli->actor, index_keeper(cli->index));
	}
	TRY(actor_request_begin(cli->actor, &cli->request, &cli->arena, 0, err));
	if (!cli->progress.out) return STATUS_OK;
	cli->request.progress = &cli->progress.progress;
	if (cli->index) index_show_progress(cli->index, cli->request.progress);
	return STATUS_OK;
}

void cli_request_close(struct cli *cli) {
	if (!cli->actor) home_close(cli->request.home); /* opened by a command that needs no chain */
	actor_request_end(&cli->request);
	index_free(cli->index);
	actor_close(cli->actor);
}

/* --- files --- */

static enum status read_stream(struct buf *content, FILE *file, const char *path, struct err *err) {
	uint8_t chunk[1 << 16];
	size_t got;
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0 && !content->overflow)
		buf_append(content, bytes_make(chunk, got));
	if (ferror(file)) return err_set(err, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
	if (content->overflow) return err_set(err, STATUS_LIMIT, "%s is larger than %zu bytes", path, content->max);
	return STATUS_OK;
}

enum status cli_read_file(struct cli *cli, struct bytes *out, const char *path, size_t max, struct err *err) {
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (!file) return err_set(err, STATUS_NOTFOUND, "cannot read %s: %s", path, strerror(errno));
	struct buf content;
	buf_init(&content, max);
	enum status status = read_stream(&content, file, path, err);
	if (file != stdin) fclose(file);
	if (status == STATUS_OK) *out = arena_dup(&cli->arena, buf_view(&content));
	buf_wipe(&content);
	return status;
}

enum status cli_write_file(const char *path, struct bytes content, struct err *err) {
	if (strcmp(path, "-") == 0) {
		bool whole = fwrite(content.data, 1, content.len, stdout) == content.len && fflush(stdout) == 0;
		return whole ? STATUS_OK : err_set(err, STATUS_IO, "cannot write: %s", strerror(errno));
	}
	return files_write(path, content, err);
}
