/* TLS: certificates are made here, the client is net's own. */
#include "net/http_client.h"
#include "net/http_connection.h"
#include "net/test_server.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>

#define DAY 86400

/* A certificate and its key, in files of the test's folder. */
struct pair {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	char crt_path[96], key_path[96];
};

static char folder[] = "/tmp/xinglin-tls-XXXXXX";
static struct pair authority, other_authority, first, second, expired, hospital, stranger, server_only;

static void write_file(const char *path, const gnutls_datum_t *text) {
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text->data, 1, text->size, file), text->size);
	fclose(file);
}

static void store(struct pair *pair, const char *name) {
	gnutls_datum_t text;
	snprintf(pair->crt_path, sizeof pair->crt_path, "%s/%s.crt", folder, name);
	snprintf(pair->key_path, sizeof pair->key_path, "%s/%s.key", folder, name);
	assert_int_equal(gnutls_x509_crt_export2(pair->crt, GNUTLS_X509_FMT_PEM, &text), 0);
	write_file(pair->crt_path, &text);
	gnutls_free(text.data);
	assert_int_equal(gnutls_x509_privkey_export2(pair->key, GNUTLS_X509_FMT_PEM, &text), 0);
	write_file(pair->key_path, &text);
	gnutls_free(text.data);
}

/* Signed by `signer`, or by itself as an authority; `purpose` may be NULL; valid for so many days from now. */
static void make_pair(struct pair *pair, const char *name, const struct pair *signer, const char *purpose, int days) {
	static uint8_t serial;
	const uint8_t loopback[] = {127, 0, 0, 1};
	serial++;
	gnutls_x509_crt_init(&pair->crt);
	gnutls_x509_privkey_init(&pair->key);
	assert_int_equal(gnutls_x509_privkey_generate(
			     pair->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
	    0);
	gnutls_x509_crt_set_version(pair->crt, 3);
	gnutls_x509_crt_set_serial(pair->crt, &serial, 1);
	gnutls_x509_crt_set_activation_time(pair->crt, time(NULL) - 30 * DAY);
	gnutls_x509_crt_set_expiration_time(pair->crt, time(NULL) + days * DAY);
	gnutls_x509_crt_set_dn_by_oid(pair->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
	gnutls_x509_crt_set_key(pair->crt, pair->key);
	gnutls_x509_crt_set_basic_constraints(pair->crt, signer == NULL, -1);
	if (!signer) gnutls_x509_crt_set_key_usage(pair->crt, GNUTLS_KEY_KEY_CERT_SIGN);
	if (purpose) gnutls_x509_crt_set_key_purpose_oid(pair->crt, purpose, 0);
	gnutls_x509_crt_set_subject_alt_name(
	    pair->crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_subject_alt_name(pair->crt, GNUTLS_SAN_URI, "urn:a\nDNS:b", 11, GNUTLS_FSAN_APPEND);
	gnutls_x509_crt_set_subject_alt_name(pair->crt, GNUTLS_SAN_IPADDRESS, loopback, 4, GNUTLS_FSAN_APPEND);
	const struct pair *by = signer ? signer : pair;
	assert_int_equal(gnutls_x509_crt_sign2(pair->crt, by->crt, by->key, GNUTLS_DIG_SHA256, 0), 0);
	store(pair, name);
}

static int make_all(void **state) {
	(void)state;
	if (!mkdtemp(folder)) return -1;
	http_client_global_init();
	make_pair(&authority, "authority", NULL, NULL, 30);
	make_pair(&other_authority, "other", NULL, NULL, 30);
	make_pair(&first, "first.example", &authority, GNUTLS_KP_TLS_WWW_SERVER, 30);
	make_pair(&second, "second.example", &authority, GNUTLS_KP_TLS_WWW_SERVER, 30);
	make_pair(&expired, "expired.example", &authority, GNUTLS_KP_TLS_WWW_SERVER, -1);
	make_pair(&hospital, "hospital.example", &authority, GNUTLS_KP_TLS_WWW_CLIENT, 30);
	make_pair(&stranger, "stranger.example", &other_authority, GNUTLS_KP_TLS_WWW_CLIENT, 30);
	make_pair(&server_only, "server.example", &authority, GNUTLS_KP_TLS_WWW_SERVER, 30);
	return 0;
}

static int remove_all(void **state) {
	struct pair *const pairs[] = {
	    &authority, &other_authority, &first, &second, &expired, &hospital, &stranger, &server_only};
	char command[64];
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		gnutls_x509_crt_deinit(pairs[i]->crt);
		gnutls_x509_privkey_deinit(pairs[i]->key);
	}
	snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
	return system(command);
}

/* Says who asks. */
static void tell_peer(void *context, struct http_exchange *exchange) {
	const struct http_peer *peer = exchange->request.peer;
	(*(atomic_uint *)context)++;
	buf_printf(&exchange->response.body, "%s tls=%d", peer->address, peer->is_tls);
	if (!peer->has_certificate) return;
	buf_printf(&exchange->response.body, " %s %02x", peer->subject, peer->certificate_sha256.b[0]);
	for (size_t i = 0; i < peer->name_count; i++)
		buf_printf(&exchange->response.body, " %.*s", (int)peer->names[i].len, peer->names[i].data);
}

static const struct http_service teller = {.handle = tell_peer};

/* One request over a new connection; the answer's body, or "" if there was none. */
static const char *fetch(uint16_t port, const struct pair *trust, const struct pair *shows) {
	static char text[1000];
	struct http_client client;
	struct http_response response;
	struct err err;
	char url[64];
	http_response_init(&response, sizeof text - 1);
	snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
	const struct http_client_options options = {.timeout_ms = 5000,
	    .ca_file = trust->crt_path,
	    .cert_file = shows ? shows->crt_path : NULL,
	    .key_file = shows ? shows->key_path : NULL};
	assert_int_equal(http_client_open(&client, &options, &err), STATUS_OK);
	const enum status status =
	    client.exchange(client.context, &response, HTTP_GET, url, NULL, (struct bytes){NULL, 0}, &err);
	snprintf(text, sizeof text, "%s", status == STATUS_OK ? buf_cstr(&response.body) : "");
	http_client_close(&client);
	http_response_fini(&response);
	return text;
}

static void serves_https(void **state) {
	(void)state;
	struct served served;
	const struct tls_files files = {.cert = first.crt_path, .key = first.key_path};
	start_service(&served, (struct http_server_options){.tls = &files, .threads = 2}, teller);
	assert_string_equal(fetch(served.port, &authority, NULL), "127.0.0.1 tls=1");
	assert_string_equal(fetch(served.port, &other_authority, NULL), ""); /* the client does not trust it */
	stop(&served);
}

static void a_client_shows_a_certificate_of_the_authority(void **state) {
	(void)state;
	struct served served;
	char wanted[200];
	uint8_t digest[32];
	size_t size = sizeof digest;
	const struct tls_files files = {first.crt_path, first.key_path, .client_ca = authority.crt_path};
	start_service(&served, (struct http_server_options){.tls = &files}, teller);
	gnutls_x509_crt_get_fingerprint(hospital.crt, GNUTLS_DIG_SHA256, digest, &size);
	snprintf(wanted, sizeof wanted, "127.0.0.1 tls=1 CN=hospital.example %02x DNS:hospital.example", digest[0]);
	assert_string_equal(fetch(served.port, &authority, &hospital), wanted);
	assert_string_equal(fetch(served.port, &authority, &stranger), "");
	assert_string_equal(fetch(served.port, &authority, &server_only), ""); /* not made for clients */
	assert_string_equal(fetch(served.port, &authority, NULL), "");
	assert_int_equal(served.calls, 1);
	stop(&served);
}

static void a_certificate_may_be_optional(void **state) {
	(void)state;
	struct served served;
	const struct tls_files files = {first.crt_path, first.key_path, authority.crt_path, .client_optional = true};
	start_service(&served, (struct http_server_options){.tls = &files}, teller);
	assert_string_equal(fetch(served.port, &authority, NULL), "127.0.0.1 tls=1");
	assert_non_null(strstr(fetch(served.port, &authority, &hospital), "CN=hospital.example"));
	assert_string_equal(fetch(served.port, &authority, &stranger), "");
	stop(&served);
}

static void copy(const char *from, const char *to) {
	char command[256];
	snprintf(command, sizeof command, "cp -- '%s' '%s'", from, to);
	assert_int_equal(system(command), 0);
}

/* The common name of what the server shows. */
static const char *shown_name(uint16_t port) {
	static char name[64];
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	gnutls_x509_crt_t crt;
	size_t size = sizeof name;
	unsigned count;
	const int fd = dial(port);
	gnutls_init(&session, GNUTLS_CLIENT);
	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, fd);
	assert_int_equal(gnutls_handshake(session), 0);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_import(crt, gnutls_certificate_get_peers(session, &count), GNUTLS_X509_FMT_DER);
	gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size);
	gnutls_x509_crt_deinit(crt);
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
	close(fd);
	return name;
}

static void a_reload_drops_nothing_and_bad_files_change_nothing(void **state) {
	(void)state;
	struct served served;
	struct err err;
	char crt[96], key[96];
	snprintf(crt, sizeof crt, "%s/live.crt", folder);
	snprintf(key, sizeof key, "%s/live.key", folder);
	copy(first.crt_path, crt);
	copy(first.key_path, key);
	const struct tls_files files = {crt, key, .client_ca = authority.crt_path, .client_optional = true};
	start_service(&served, (struct http_server_options){.tls = &files}, teller);
	assert_string_equal(shown_name(served.port), "first.example");
	copy(second.crt_path, crt); /* the key is still the first's */
	assert_int_equal(http_server_reload_tls(served.server, &files, &err), STATUS_INVALID);
	assert_non_null(strstr(err.message, "does not belong"));
	assert_string_equal(shown_name(served.port), "first.example");
	copy(expired.crt_path, crt);
	copy(expired.key_path, key);
	assert_int_equal(http_server_reload_tls(served.server, &files, &err), STATUS_INVALID);
	assert_non_null(strstr(err.message, "expired"));
	copy("/dev/null", crt);
	assert_int_equal(http_server_reload_tls(served.server, &files, &err), STATUS_INVALID);
	assert_int_equal(unlink(crt), 0);
	assert_int_equal(http_server_reload_tls(served.server, &files, &err), STATUS_NOTFOUND);
	assert_string_equal(shown_name(served.port), "first.example");
	copy(second.crt_path, crt);
	copy(second.key_path, key);
	assert_int_equal(http_server_reload_tls(served.server, &files, &err), STATUS_OK);
	assert_string_equal(shown_name(served.port), "second.example");
	stop(&served);
}

static void an_open_connection_outlives_a_reload(void **state) {
	(void)state;
	struct served served;
	struct http_client client;
	struct http_response response;
	struct err err;
	char url[64];
	const struct tls_files files = {.cert = first.crt_path, .key = first.key_path};
	const struct http_client_options options = {.ca_file = authority.crt_path};
	start_service(&served, (struct http_server_options){.tls = &files}, teller);
	http_response_init(&response, 1000);
	snprintf(url, sizeof url, "https://127.0.0.1:%u/", served.port);
	assert_int_equal(http_client_open(&client, &options, &err), STATUS_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    client.exchange(client.context, &response, HTTP_GET, url, NULL, (struct bytes){NULL, 0}, &err),
		    STATUS_OK);
		assert_int_equal(http_server_reload_tls(served.server, &files, &err), STATUS_OK);
	}
	http_client_close(&client);
	http_response_fini(&response);
	stop(&served);
}

/* The handshake with these priorities of the client; 0 if it succeeds. */
static int handshake(uint16_t port, const char *priorities) {
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	const int fd = dial(port);
	gnutls_init(&session, GNUTLS_CLIENT);
	gnutls_certificate_allocate_credentials(&credentials);
	assert_int_equal(gnutls_priority_set_direct(session, priorities, NULL), 0);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, fd);
	const int code = gnutls_handshake(session);
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
	close(fd);
	return code;
}

static void old_versions_and_ciphers_are_refused(void **state) {
	(void)state;
	struct served served;
	const struct tls_files files = {.cert = first.crt_path, .key = first.key_path};
	start_service(&served, (struct http_server_options){.tls = &files}, teller);
	assert_int_equal(handshake(served.port, "NORMAL:-VERS-ALL:+VERS-TLS1.3"), 0);
	assert_int_equal(handshake(served.port, "NORMAL:-VERS-ALL:+VERS-TLS1.2"), 0);
	assert_int_not_equal(handshake(served.port, "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0"), 0);
	assert_int_not_equal(
	    handshake(served.port, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC"), 0);
	static char answer[ANSWER_BYTES]; /* and plain HTTP */
	assert_true(ask(served.port, answer, HEAD_OF("GET", "/") "\r\n", NULL));
	assert_null(strstr(answer, "HTTP/1.1 200"));
	assert_int_equal(served.calls, 0);
	stop(&served);
}

static clock_t busy_during_a_pause(void) {
	const clock_t before = clock();
	nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
	return clock() - before;
}

/* The server sleeps while a client keeps it waiting in the middle of a handshake. */
static void a_stalled_handshake_costs_nothing(void **state) {
	(void)state;
	struct served served;
	const struct tls_files files = {.cert = first.crt_path, .key = first.key_path};
	start_service(&served, (struct http_server_options){.tls = &files}, teller);
	const int fd = dial(served.port);
	put(fd, "\x16\x03\x01\x02\x00\x01", 6); /* the beginning of a ClientHello */
	assert_true(busy_during_a_pause() < CLOCKS_PER_SEC / 20);
	assert_string_equal(fetch(served.port, &authority, NULL), "127.0.0.1 tls=1");
	close(fd);
	stop(&served);
}

static void files_that_do_not_fit_are_named(void **state) {
	(void)state;
	struct http_server *server;
	struct err err;
	const struct tls_files cases[] = {{.cert = first.crt_path}, {.cert = first.crt_path, .key = second.key_path},
	    {.cert = "/nowhere", .key = first.key_path}, {first.crt_path, first.key_path, .client_ca = first.key_path},
	    {.cert = expired.crt_path, .key = expired.key_path}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct http_server_options options = {.tls = &cases[i]};
		assert_int_not_equal(http_server_open(&server, &options, &teller, &err), STATUS_OK);
		assert_true(strlen(err.message) > 10);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(serves_https),
	    cmocka_unit_test(a_client_shows_a_certificate_of_the_authority),
	    cmocka_unit_test(a_certificate_may_be_optional),
	    cmocka_unit_test(a_reload_drops_nothing_and_bad_files_change_nothing),
	    cmocka_unit_test(an_open_connection_outlives_a_reload),
	    cmocka_unit_test(old_versions_and_ciphers_are_refused),
	    cmocka_unit_test(a_stalled_handshake_costs_nothing),
	    cmocka_unit_test(files_that_do_not_fit_are_named),
	};
	return cmocka_run_group_tests_name("tls_server", tests, make_all, remove_all);
}
