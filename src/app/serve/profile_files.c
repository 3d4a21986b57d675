#include "app/serve/profile_files.h"

#include "base/files.h"
#include "net/http_gzip.h"

#define FILE_MAX ((size_t)64 << 20)
#define TAR_MAX ((size_t)1 << 30)

static bool take(void *context, struct bytes plain) {
	struct buf *tar = context;
	buf_append(tar, plain);
	return !tar->overflow;
}

static enum status unpack(struct buf *tar, struct bytes packed, struct err *err) {
	struct gunzip *gunzip = gunzip_new();
	const enum gunzip_result result = gunzip_put(gunzip, packed, take, tar);
	const bool is_whole = result == GUNZIP_OK && gunzip_is_whole(gunzip);
	gunzip_free(gunzip);
	return is_whole ? STATUS_OK : err_set(err, STATUS_INVALID, "it is no gzip file, or is cut short");
}

static enum status read_one(struct fhir_profiles *profiles, const char *path, struct err *err) {
	struct buf packed, tar;
	buf_init(&packed, FILE_MAX);
	buf_init(&tar, TAR_MAX);
	enum status status = files_read(&packed, path, err);
	if (status == STATUS_OK) status = unpack(&tar, buf_view(&packed), err);
	if (status == STATUS_OK) status = fhir_profiles_take_package(profiles, buf_view(&tar), err);
	buf_fini(&packed);
	buf_fini(&tar);
	return status == STATUS_OK ? STATUS_OK : err_prefix(err, status, "%s", path);
}

enum status profile_files_read(struct fhir_profiles **out, const char *const *files, struct err *err) {
	*out = NULL;
	if (!files || !*files) return STATUS_OK;
	struct fhir_profiles *profiles = fhir_profiles_new(&fhir_r4);
	enum status status = STATUS_OK;
	for (; *files && status == STATUS_OK; files++) status = read_one(profiles, *files, err);
	if (status == STATUS_OK)
		*out = profiles;
	else
		fhir_profiles_free(profiles);
	return status;
}
