#include "net/tls_server.h"

#include "base/files.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <time.h>

#define FILE_MAX ((size_t)1 << 20)
#define SCANNED_NAMES_MAX 64u

struct tls_identity {
	atomic_uint references;
	gnutls_certificate_credentials_t credentials;
	bool asks_clients, needs_clients;
};

struct tls_server {
	pthread_mutex_t lock;
	struct tls_identity *current; /* under lock */
};

/* --- reading the files --- */

static gnutls_datum_t datum_of(const struct buf *buf) {
	return (gnutls_datum_t){buf->data, (unsigned)buf->len};
}

static enum status check_time(gnutls_certificate_credentials_t credentials, const char *path, struct err *err) {
	gnutls_x509_crt_t *chain = NULL;
	unsigned count = 0;
	if (gnutls_certificate_get_x509_crt(credentials, 0, &chain, &count) < 0 || count == 0)
		return err_set(err, STATUS_INVALID, "%s holds no certificate", path);
	const time_t now = time(NULL), from = gnutls_x509_crt_get_activation_time(chain[0]),
		     until = gnutls_x509_crt_get_expiration_time(chain[0]);
	for (unsigned i = 0; i < count; i++) gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	if (now < from) return err_set(err, STATUS_INVALID, "%s: the certificate is not valid yet", path);
	if (now > until) return err_set(err, STATUS_INVALID, "%s: the certificate has expired", path);
	return STATUS_OK;
}

static enum status take_pair(
    struct tls_identity *identity, const struct tls_files *files, struct buf *cert, struct buf *key, struct err *err) {
	TRY(files_read(cert, files->cert, err));
	TRY(files_read(key, files->key, err));
	const gnutls_datum_t cert_text = datum_of(cert), key_text = datum_of(key);
	const int code = gnutls_certificate_set_x509_key_mem2(
	    identity->credentials, &cert_text, &key_text, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return err_set(err, STATUS_INVALID, "the key in %s does not belong to the certificate in %s",
		    files->key, files->cert);
	if (code < 0)
		return err_set(
		    err, STATUS_INVALID, "%s or %s is not usable: %s", files->cert, files->key, gnutls_strerror(code));
	return check_time(identity->credentials, files->cert, err);
}

static enum status load_pair(struct tls_identity *identity, const struct tls_files *files, struct err *err) {
	struct buf cert, key;
	buf_init(&cert, FILE_MAX);
	buf_init(&key, FILE_MAX);
	const enum status status = take_pair(identity, files, &cert, &key, err);
	buf_fini(&cert);
	buf_wipe(&key);
	return status;
}

static enum status load_authorities(struct tls_identity *identity, const char *path, struct err *err) {
	struct buf text;
	buf_init(&text, FILE_MAX);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_OK) {
		const gnutls_datum_t pem = datum_of(&text);
		const int count =
		    gnutls_certificate_set_x509_trust_mem(identity->credentials, &pem, GNUTLS_X509_FMT_PEM);
		if (count <= 0) status = err_set(err, STATUS_INVALID, "%s holds no certificate of an authority", path);
	}
	buf_fini(&text);
	return status;
}

static enum status load(struct tls_identity **out, const struct tls_files *files, struct err *err) {
	if (!files->cert || !files->key)
		return err_set(err, STATUS_INVALID, "TLS needs a certificate and its key: tls-cert and tls-key");
	struct tls_identity *identity = mem_zalloc(1, sizeof *identity);
	identity->references = 1;
	identity->asks_clients = files->client_ca != NULL;
	identity->needs_clients = files->client_ca != NULL && !files->client_optional;
	BUG_ON(gnutls_certificate_allocate_credentials(&identity->credentials) < 0);
	enum status status = load_pair(identity, files, err);
	if (status == STATUS_OK && files->client_ca) status = load_authorities(identity, files->client_ca, err);
	if (status == STATUS_OK)
		*out = identity;
	else
		tls_identity_release(identity);
	return status;
}

void tls_identity_release(struct tls_identity *identity) {
	if (!identity || atomic_fetch_sub(&identity->references, 1) != 1) return;
	gnutls_certificate_free_credentials(identity->credentials);
	mem_free(identity);
}

/* --- the server's side --- */

enum status tls_server_open(struct tls_server **out, const struct tls_files *files, struct err *err) {
	*out = NULL;
	struct tls_identity *identity = NULL;
	TRY(load(&identity, files, err));
	struct tls_server *tls = mem_zalloc(1, sizeof *tls);
	tls->current = identity;
	BUG_ON(pthread_mutex_init(&tls->lock, NULL) != 0);
	*out = tls;
	return STATUS_OK;
}

enum status tls_server_reload(struct tls_server *tls, const struct tls_files *files, struct err *err) {
	struct tls_identity *fresh = NULL;
	TRY(load(&fresh, files, err));
	pthread_mutex_lock(&tls->lock);
	struct tls_identity *old = tls->current;
	tls->current = fresh;
	pthread_mutex_unlock(&tls->lock);
	tls_identity_release(old);
	return STATUS_OK;
}

void tls_server_close(struct tls_server *tls) {
	if (!tls) return;
	tls_identity_release(tls->current);
	pthread_mutex_destroy(&tls->lock);
	mem_free(tls);
}

/* In the handshake. Non-zero ends it. */
static int verify_client(gnutls_session_t session) {
	gnutls_typed_vdata_st purpose = {
	    .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
	unsigned problems = 0, count = 0;
	if (!gnutls_certificate_get_peers(session, &count) || count == 0) return 0; /* GNUTLS_CERT_REQUIRE refuses it */
	if (gnutls_certificate_verify_peers(session, &purpose, 1, &problems) < 0 || problems != 0)
		return GNUTLS_E_CERTIFICATE_ERROR;
	return 0;
}

struct tls_identity *tls_server_begin(struct tls_server *tls, gnutls_session_t session) {
	pthread_mutex_lock(&tls->lock);
	struct tls_identity *identity = tls->current;
	atomic_fetch_add(&identity->references, 1);
	pthread_mutex_unlock(&tls->lock);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, identity->credentials);
	if (identity->asks_clients) {
		gnutls_certificate_server_set_request(
		    session, identity->needs_clients ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
		gnutls_session_set_verify_function(session, verify_client);
	}
	return identity;
}

/* --- what a client's certificate says --- */

static struct bytes name_text(struct arena *arena, unsigned type, struct bytes value) {
	static const struct {
		unsigned type;
		const char *label;
	} labels[] = {{GNUTLS_SAN_DNSNAME, "DNS:"}, {GNUTLS_SAN_RFC822NAME, "email:"}, {GNUTLS_SAN_URI, "URI:"}};
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (labels[i].type == type)
			return bytes_text(
			    arena_printf(arena, "%s%.*s", labels[i].label, (int)value.len, (const char *)value.data));
	return (struct bytes){NULL, 0};
}

/* "hospital.example\0.elsewhere" must not look like hospital.example. */
static bool is_plain(struct bytes value) {
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] <= ' ' || value.data[i] >= 0x7f) return false;
	return value.len > 0;
}

static void take_names(struct http_peer *peer, struct arena *arena, gnutls_x509_crt_t certificate) {
	char value[512];
	for (unsigned i = 0; i < SCANNED_NAMES_MAX && peer->name_count < HTTP_PEER_NAMES_MAX; i++) {
		size_t size = sizeof value;
		const int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, value, &size, NULL);
		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) return;
		if (type < 0) continue; /* a name longer than any that is used */
		if (!is_plain(bytes_make(value, size))) continue;
		const struct bytes name = name_text(arena, (unsigned)type, bytes_make(value, size));
		if (name.len) peer->names[peer->name_count++] = name;
	}
}

void tls_describe_peer(struct http_peer *peer, struct arena *arena, gnutls_session_t session) {
	unsigned count = 0;
	size_t size = sizeof peer->certificate_sha256.b;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
	gnutls_x509_crt_t certificate;
	peer->is_tls = true;
	if (!chain || count == 0 || gnutls_x509_crt_init(&certificate) < 0) return;
	gnutls_datum_t subject = {NULL, 0};
	if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
	    gnutls_fingerprint(GNUTLS_DIG_SHA256, &chain[0], peer->certificate_sha256.b, &size) == 0 &&
	    gnutls_x509_crt_get_dn3(certificate, &subject, 0) == 0) {
		peer->has_certificate = true;
		peer->subject = arena_strdup(arena, bytes_make(subject.data, subject.size));
		take_names(peer, arena, certificate);
	}
	gnutls_free(subject.data);
	gnutls_x509_crt_deinit(certificate);
}
