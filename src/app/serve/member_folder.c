#include "app/serve/member_folder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/serve/node_files.h"
#include "app/system.h"
#include "codec/hex.h"
#include "health/actors/home.h"

#define CONF_MAX ((size_t)32 << 10)
#define SOCKET_PATH_MAX 107u
#define PORTS_MAX 256u
#define PORT_FIRST 10000u
#define PORT_END 32768u /* where outgoing connections begin, unless the system says otherwise */

static enum status path_in(
    char out[FILES_PATH_BYTES], const struct member_folder *member, const char *name, struct err *err) {
	if ((size_t)snprintf(out, FILES_PATH_BYTES, "%s/%s", member->path, name) < FILES_PATH_BYTES) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the path of the member's folder is too long");
}

static enum status make_wallet(struct member_folder *member, const struct member_wallet *wallet,
    const struct random_source *random, struct err *err) {
	char path[FILES_PATH_BYTES];
	struct home *home;
	const struct home_wallet_options options = {.password = wallet->password, .light_kdf = wallet->light_kdf};
	TRY(path_in(path, member, "home", err));
	TRY(home_create(path, &options, random, err));
	TRY(home_open(&home, path, wallet->password, err));
	member->account = home->account;
	home_close(home);
	return STATUS_OK;
}

/* Its path is a whole one from then on, as CometBFT's sockets and a configuration want it. */
static enum status make_folder(struct member_folder *member, struct err *err) {
	char whole[PATH_MAX];
	if (mkdir(member->path, 0700) != 0)
		return err_set(err, errno == EEXIST ? STATUS_EXISTS : STATUS_IO, "cannot make %s: %s", member->path,
		    strerror(errno));
	if (!realpath(member->path, whole))
		return err_set(err, STATUS_IO, "%s has no whole path: %s", member->path, strerror(errno));
	if (strlen(whole) + sizeof "/comet.sock" - 1 > SOCKET_PATH_MAX)
		return err_set(err, STATUS_INVALID,
		    "%s is too long: the node's sockets are in it, and the path of a socket has at most %u bytes",
		    whole, SOCKET_PATH_MAX);
	snprintf(member->path, sizeof member->path, "%s", whole);
	return STATUS_OK;
}

enum status member_folder_make(struct member_folder *member, const struct member_wallet *wallet,
    const struct random_source *random, struct err *err) {
	hash32 secret;
	TRY(make_folder(member, err));
	if (!member->is_follower) TRY(make_wallet(member, wallet, random, err));
	TRY(node_key(&secret, member->path, random, err));
	mem_wipe(&secret, sizeof secret);
	TRY(comet_key_make(&member->validator, random, err));
	return comet_key_make(&member->node, random, err);
}

void member_folder_put_peer(struct buf *out, const struct member_folder *member) {
	char place[MEMBER_HOST_BYTES + 16];
	hex_put(out, BYTES_OF(member->node.address), false);
	snprintf(place, sizeof place, "@%s:%u", member->host, member->p2p_port);
	buf_text(out, place);
}

void member_folder_put_blob_peer(struct buf *out, const struct member_folder *member) {
	char place[MEMBER_HOST_BYTES + 24];
	hex_put(out, BYTES_OF(member->node.address), true);
	snprintf(place, sizeof place, "@http://%s:%u", member->host, member->http_port);
	buf_text(out, place);
}

/* --- joining --- */

static enum status write_text(
    const struct member_folder *member, const char *name, struct bytes content, struct err *err) {
	char path[FILES_PATH_BYTES];
	TRY(path_in(path, member, name, err));
	return files_write(path, content, err);
}

static enum status write_comet(
    const struct member_folder *member, const struct member_network *network, struct err *err) {
	char path[FILES_PATH_BYTES], listen[MEMBER_HOST_BYTES + 16];
	const bool is_local = member_host_is_loopback(member->host);
	snprintf(listen, sizeof listen, "%s:%u", is_local ? member->host : "0.0.0.0", member->p2p_port);
	const struct comet_home home = {.name = member->name,
	    .validator = &member->validator,
	    .node = &member->node,
	    .listen = listen,
	    .peers = network->peers,
	    .is_local = is_local,
	    .genesis = network->comet_genesis,
	    .state_sync = network->state_sync};
	TRY(path_in(path, member, "comet", err));
	return comet_home_write(path, &home, err);
}

/* A line each: lines of a configuration are short. */
static void put_blob_peers(struct buf *out, const char *peers) {
	buf_text(out, "blob-peers = ");
	for (const char *at = peers; *at; at++) {
		if (*at == ',')
			buf_text(out, "\n    ");
		else
			buf_byte(out, (uint8_t)*at);
	}
	buf_byte(out, '\n');
}

static enum status write_conf(
    const struct member_folder *member, const struct member_network *network, struct err *err) {
	struct buf text;
	buf_init(&text, CONF_MAX);
	buf_printf(&text,
	    "# Of a consortium: xinglin node --config %s/xinglin.conf\n"
	    "# All settings: xinglin config sample\n"
	    "# JSON-RPC asks for no token and limits nobody, which is for one machine. If others reach the port, set\n"
	    "# rpc-jwt-keys, rpc-caller-requests and rpc-caller-gas.\n"
	    "[node]\n"
	    "data = %s\n"
	    "http-port = %u\n"
	    "comet-home = %s/comet\n"
	    "%s%s%s",
	    member->path, member->path, member->http_port, member->path, network->program ? "comet-program = " : "",
	    network->program ? network->program : "", network->program ? "\n" : "");
	if (*network->blob_peers) put_blob_peers(&text, network->blob_peers);
	enum status status = buf_status(&text, err);
	if (status == STATUS_OK) status = write_text(member, "xinglin.conf", buf_view(&text), err);
	buf_fini(&text);
	return status;
}

enum status member_folder_join(
    const struct member_folder *member, const struct member_network *network, struct err *err) {
	TRY(write_text(member, "genesis.json", network->genesis, err));
	TRY(write_comet(member, network, err));
	return write_conf(member, network, err);
}

/* --- hosts and ports --- */

bool member_host_is_valid(const char *host) {
	static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-";
	const size_t len = strlen(host);
	return len > 0 && len < MEMBER_HOST_BYTES && strspn(host, allowed) == len;
}

bool member_host_is_loopback(const char *host) {
	return strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0;
}

/* The system gives outgoing connections ports from here on: it would take a member's while the member is down, and for
 * a minute more, and the member could not start. */
static uint16_t first_outgoing_port(void) {
	unsigned first = 0;
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	if (file != NULL && fscanf(file, "%u", &first) != 1) first = 0;
	if (file != NULL) fclose(file);
	return first > PORT_FIRST && first <= UINT16_MAX ? (uint16_t)first : PORT_END;
}

static bool hold_port(int *held, uint16_t port) {
	const struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	*held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*held >= 0 && bind(*held, (const struct sockaddr *)&address, sizeof address) == 0) return true;
	if (*held >= 0) close(*held);
	*held = -1;
	return false;
}

/* One socket stays bound until all are chosen. */
static enum status choose_port(int *held, uint16_t *out, struct err *err) {
	const uint16_t end = first_outgoing_port(), all = (uint16_t)(end - PORT_FIRST);
	uint16_t from;
	random_fill(&world_random, &from, sizeof from);
	for (uint16_t i = 0; i < all; i++) {
		*out = (uint16_t)(PORT_FIRST + ((uint32_t)from + i) % all);
		if (hold_port(held, *out)) return STATUS_OK;
	}
	return err_set(err, STATUS_IO, "no port from %u to %u is free", PORT_FIRST, end - 1u);
}

enum status member_free_ports(uint16_t *out, size_t count, struct err *err) {
	int held[PORTS_MAX];
	size_t opened = 0;
	enum status status = STATUS_OK;
	BUG_ON(count > PORTS_MAX);
	while (status == STATUS_OK && opened < count) {
		status = choose_port(&held[opened], &out[opened], err);
		opened++;
	}
	for (size_t i = 0; i < opened; i++)
		if (held[i] >= 0) close(held[i]);
	return status;
}
