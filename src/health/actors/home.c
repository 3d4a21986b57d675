#include "health/actors/home.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/files.h"
#include "crypto/secp256k1_keys.h"
#include "envelope/keystore.h"
#include "health/actors/home_lock.h"
#include "health/contracts/cause.h"

#define PATH_BYTES 4096

static enum status path_in(char out[PATH_BYTES], const char *directory, const char *relative, struct err *err) {
	if ((size_t)snprintf(out, PATH_BYTES, "%s/%s", directory, relative) < PATH_BYTES) return STATUS_OK;
	return err_set(err, STATUS_LIMIT, "the path of the home is too long");
}

/* --- keys of the wallet --- */

static enum status root_of(struct hd_key *root, const uint8_t entropy[32], struct err *err) {
	struct hd_entropy source = {.len = 32};
	struct hd_seed seed;
	struct buf phrase;
	memcpy(source.bytes, entropy, 32);
	buf_init(&phrase, 512);
	enum status status = hd_phrase(&phrase, &source, err);
	if (status == STATUS_OK) status = hd_seed_of(&seed, buf_view(&phrase), (struct bytes){NULL, 0}, err);
	if (status == STATUS_OK) status = hd_root(root, bytes_make(seed.bytes, sizeof seed.bytes), err);
	buf_wipe(&phrase);
	mem_wipe(&seed, sizeof seed);
	mem_wipe(&source, sizeof source);
	return status;
}

/* The secret at a path; `format` takes one index. */
static enum status secret_at(
    hash32 *secret, const struct hd_key *root, const char *format, uint32_t index, struct err *err) {
	char path[64];
	struct hd_key key;
	snprintf(path, sizeof path, format, index);
	enum status status = hd_derive(&key, root, path, err);
	if (status == STATUS_OK) *secret = key.secret;
	mem_wipe(&key, sizeof key);
	return status;
}

static enum status key_pair_at(struct p256_secret *secret, struct p256_public *key, const struct hd_key *root,
    const char *format, uint32_t index, struct err *err) {
	hash32 ikm;
	TRY(secret_at(&ikm, root, format, index, err));
	enum status status = p256_derive_key_pair(secret, key, BYTES_OF(ikm));
	mem_wipe(&ikm, sizeof ikm);
	return status == STATUS_OK ? status : err_set(err, status, "no encryption key follows from this index");
}

enum status home_encryption_key(
    const struct home *home, struct p256_secret *secret, struct p256_public *key, uint32_t version, struct err *err) {
	return key_pair_at(secret, key, &home->root, "m/7697'/0'/%u'", version, err);
}

enum status home_controller(const struct home *home, hash32 *secret, addr20 *address, uint32_t index, struct err *err) {
	TRY(secret_at(secret, &home->root, "m/44'/60'/0'/0/%u'", index, err));
	return address_of_secret(address, secret);
}

enum status home_controller_key(
    const struct home *home, struct p256_secret *secret, struct p256_public *key, uint32_t index, struct err *err) {
	return key_pair_at(secret, key, &home->root, "m/7697'/1'/%u'", index, err);
}

enum status home_audit_key(
    const struct home *home, struct p256_secret *secret, struct p256_public *key, uint32_t index, struct err *err) {
	return key_pair_at(secret, key, &home->root, "m/7697'/2'/%u'", index, err);
}

void home_phrase(char out[256], const struct home *home) {
	struct hd_entropy entropy = {.len = 32};
	struct buf phrase;
	memcpy(entropy.bytes, home->entropy, 32);
	buf_init(&phrase, 255);
	BUG_ON(hd_phrase(&phrase, &entropy, NULL) != STATUS_OK);
	snprintf(out, 256, "%s", buf_cstr(&phrase));
	buf_wipe(&phrase);
	mem_wipe(&entropy, sizeof entropy);
}

/* --- making one --- */

/* A key store holds a secp256k1 secret, which nearly all 32 bytes are. */
static enum status new_entropy(uint8_t entropy[32], const struct home_wallet_options *options,
    const struct random_source *random, struct err *err) {
	hash32 candidate;
	if (options->phrase.len) {
		struct hd_entropy given;
		TRY(hd_phrase_check(&given, options->phrase, err));
		if (given.len != 32) return err_set(err, STATUS_INVALID, "a phrase of 24 words is needed");
		memcpy(candidate.b, given.bytes, 32);
		mem_wipe(&given, sizeof given);
		if (!secp_secret_is_valid(&candidate))
			return err_set(err, STATUS_INVALID, "this phrase cannot be kept in a key store");
	} else {
		do random_fill(random, candidate.b, 32);
		while (!secp_secret_is_valid(&candidate));
	}
	memcpy(entropy, candidate.b, 32);
	mem_wipe(&candidate, sizeof candidate);
	return STATUS_OK;
}

static enum status write_keystore(const char *directory, const char *relative, const hash32 *secret,
    const struct home_wallet_options *options, const struct random_source *random, struct err *err) {
	char path[PATH_BYTES];
	struct buf json;
	buf_init(&json, 1 << 16);
	const struct keystore_cost *cost = options->light_kdf ? &keystore_cost_light : &keystore_cost_standard;
	enum status status = path_in(path, directory, relative, err);
	if (status == STATUS_OK) status = keystore_seal(&json, secret, options->password, cost, random, err);
	if (status == STATUS_OK) status = files_write(path, buf_view(&json), err);
	buf_fini(&json);
	return status;
}

enum status home_make_folders(const char *directory, struct err *err) {
	static const char *const folders[] = {"wallet", "folders", "records", "lists", "statements"};
	TRY(files_make_folder(directory, err));
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		char path[PATH_BYTES];
		TRY(path_in(path, directory, folders[i], err));
		TRY(files_make_folder(path, err));
	}
	return STATUS_OK;
}

/* With the files' lock held, so that of several that make a wallet at once one does, and the others find it. */
static enum status create_wallet(const char *directory, const struct home_wallet_options *options,
    const struct random_source *random, struct err *err) {
	char path[PATH_BYTES];
	hash32 entropy, account;
	struct hd_key root;
	TRY(path_in(path, directory, "wallet/phrase.json", err));
	if (files_exists(path)) return err_set(err, STATUS_EXISTS, "%s holds a wallet already", directory);
	TRY(new_entropy(entropy.b, options, random, err));
	enum status status = root_of(&root, entropy.b, err);
	if (status == STATUS_OK) status = secret_at(&account, &root, "m/44'/60'/0'/0/%u", 0, err);
	mem_wipe(&root, sizeof root);
	if (status == STATUS_OK)
		status = write_keystore(directory, "wallet/account.json", &account, options, random, err);
	/* Last: this file says that the wallet is whole. */
	if (status == STATUS_OK)
		status = write_keystore(directory, "wallet/phrase.json", &entropy, options, random, err);
	mem_wipe(&entropy, sizeof entropy);
	mem_wipe(&account, sizeof account);
	return status;
}

enum status home_create(const char *directory, const struct home_wallet_options *options,
    const struct random_source *random, struct err *err) {
	int lock;
	TRY(home_make_folders(directory, err));
	TRY(home_files_lock(&lock, directory, HOME_FILES_ALONE, err));
	enum status status = create_wallet(directory, options, random, err);
	home_unlock(lock);
	return status;
}

/* --- opening one --- */

static enum status open_wallet(struct home *home, struct bytes password, struct err *err) {
	struct buf json;
	hash32 entropy;
	buf_init(&json, 1 << 16);
	enum status status = home_read(home, &json, "wallet/phrase.json", err);
	if (status == STATUS_NOTFOUND)
		status = err_because(
		    err, CAUSE_NO_WALLET, err_set(err, STATUS_NOTFOUND, "%s holds no wallet", home->directory));
	if (status == STATUS_OK) status = keystore_open(&entropy, buf_view(&json), password, err);
	buf_fini(&json);
	TRY(status);
	memcpy(home->entropy, entropy.b, 32);
	mem_wipe(&entropy, sizeof entropy);
	TRY(root_of(&home->root, home->entropy, err));
	TRY(secret_at(&home->account_secret, &home->root, "m/44'/60'/0'/0/%u", 0, err));
	return address_of_secret(&home->account, &home->account_secret);
}

static enum status open_deployment(struct home *home, struct err *err) {
	struct buf json;
	buf_init(&json, 1 << 16);
	enum status status = home_read(home, &json, "deployment.json", err);
	if (status == STATUS_OK) {
		status = deployment_parse(&home->deployment, buf_view(&json), err);
		home->has_deployment = status == STATUS_OK;
	} else if (status == STATUS_NOTFOUND) {
		status = STATUS_OK;
	}
	buf_fini(&json);
	return status;
}

enum status home_open(struct home **out, const char *directory, struct bytes password, struct err *err) {
	struct home *home = mem_zalloc(1, sizeof *home);
	home->directory = mem_strdup(directory);
	enum status status = open_wallet(home, password, err);
	if (status == STATUS_OK) status = open_deployment(home, err);
	if (status != STATUS_OK) {
		home_close(home);
		return status;
	}
	*out = home;
	return STATUS_OK;
}

enum status home_open_unlocked(struct home **out, const struct home *unlocked, struct err *err) {
	struct home *home = mem_zalloc(1, sizeof *home);
	*home = (struct home){.directory = mem_strdup(unlocked->directory),
	    .root = unlocked->root,
	    .account_secret = unlocked->account_secret,
	    .account = unlocked->account};
	memcpy(home->entropy, unlocked->entropy, sizeof home->entropy);
	const enum status status = open_deployment(home, err);
	if (status != STATUS_OK) {
		home_close(home);
		return status;
	}
	*out = home;
	return STATUS_OK;
}

void home_close(struct home *home) {
	if (!home) return;
	mem_free(home->directory);
	mem_wipe(home, sizeof *home);
	mem_free(home);
}

enum status home_trust(struct home *home, struct bytes deployment_json, struct err *err) {
	struct deployment deployment;
	TRY(deployment_parse(&deployment, deployment_json, err));
	if (home->has_deployment && !deployment_is_same(&deployment, &home->deployment))
		return err_set(err, STATUS_EXISTS, "this home trusts another deployment already; use another home");
	TRY(home_write(home, "deployment.json", deployment_json, err));
	home->deployment = deployment;
	home->has_deployment = true;
	return STATUS_OK;
}

/* --- files --- */

enum status home_read(const struct home *home, struct buf *out, const char *relative, struct err *err) {
	char path[PATH_BYTES];
	TRY(path_in(path, home->directory, relative, err));
	return files_read(out, path, err);
}

enum status home_change_begin(const struct home *home, int *lock, struct err *err) {
	return home_files_lock(lock, home->directory, HOME_FILES_ALONE, err);
}

void home_change_end(int lock) {
	home_unlock(lock);
}

enum status home_put(const struct home *home, const char *relative, struct bytes content, struct err *err) {
	char path[PATH_BYTES];
	TRY(path_in(path, home->directory, relative, err));
	return files_write(path, content, err);
}

enum status home_write(const struct home *home, const char *relative, struct bytes content, struct err *err) {
	int lock;
	TRY(home_files_lock(&lock, home->directory, HOME_FILES_WRITE, err));
	enum status status = home_put(home, relative, content, err);
	home_change_end(lock);
	return status;
}

void home_remove(const struct home *home, const char *relative) {
	char path[PATH_BYTES];
	if (path_in(path, home->directory, relative, NULL) == STATUS_OK) unlink(path);
}

/* --- records --- */

/* A backup, which has the files alone, sees either nothing of an entry or all of it. */
enum status home_records_append(const struct home *home, struct segments_place *out, const struct segments_label *label,
    struct bytes content, struct err *err) {
	int lock;
	BUG_ON(!home->records);
	TRY(home_files_lock(&lock, home->directory, HOME_FILES_WRITE, err));
	const enum status status = segments_append(home->records, out, label, content, err);
	home_unlock(lock);
	return status;
}

enum status home_records_sync(const struct home *home, struct err *err) {
	return segments_sync(home->records, err);
}

enum status home_records_open(
    const struct home *home, const struct segments **out, struct segments **opened, struct err *err) {
	char path[PATH_BYTES];
	*opened = NULL;
	*out = home->records;
	if (home->records) return STATUS_OK;
	TRY(path_in(path, home->directory, "records", err));
	TRY(segments_open(opened, &(struct segments_options){.directory = path, .only_reads = true}, err));
	*out = *opened;
	return STATUS_OK;
}

static int compare_names(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

enum status home_list(
    const struct home *home, char ***names, size_t *count, struct arena *arena, const char *relative, struct err *err) {
	char path[PATH_BYTES];
	TRY(path_in(path, home->directory, relative, err));
	DIR *directory = opendir(path);
	if (!directory) return err_set(err, STATUS_IO, "cannot list %s: %s", path, strerror(errno));
	size_t capacity = 16;
	char **found = arena_alloc(arena, capacity * sizeof *found);
	*count = 0;
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (entry->d_name[0] == '.') continue;
		if (*count == capacity) {
			char **larger = arena_alloc(arena, 2 * capacity * sizeof *larger);
			memcpy(larger, found, capacity * sizeof *larger);
			found = larger;
			capacity *= 2;
		}
		found[(*count)++] = arena_strdup(arena, bytes_text(entry->d_name));
	}
	closedir(directory);
	qsort(found, *count, sizeof *found, compare_names);
	*names = found;
	return STATUS_OK;
}

bool home_is_restored(const struct home *home) {
	char path[PATH_BYTES];
	return path_in(path, home->directory, HOME_RESTORED, NULL) == STATUS_OK && files_exists(path);
}

enum status home_restored_done(const struct home *home, struct err *err) {
	char path[PATH_BYTES];
	TRY(path_in(path, home->directory, HOME_RESTORED, err));
	if (unlink(path) == 0 || errno == ENOENT) return files_sync_parent(path, err);
	return err_set(err, STATUS_IO, "cannot remove %s: %s", path, strerror(errno));
}
