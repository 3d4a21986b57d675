/*
 * For tests: the pages of a gateway's index of resources as they are without their encryption, free ones too, on
 * standard output. index_pages HOME PASSWORD.
 */
#include <stdio.h>

#include "crypto/hash.h"
#include "health/index/db.h"
#include "health/index/resources.h"

static enum status write_pages(struct db *db, struct err *err) {
	bool row = true;
	for (int64_t page = 1; row; page++) {
		sqlite3_stmt *statement;
		TRY(db_statement(db, &statement, "SELECT data FROM sqlite_dbpage WHERE pgno = ?", err));
		sqlite3_bind_int64(statement, 1, page);
		const enum status status = db_step(db, statement, &row, err);
		const struct bytes data =
		    status == STATUS_OK && row ? db_column(statement, 0) : (struct bytes){NULL, 0};
		if (data.len) fwrite(data.data, 1, data.len, stdout);
		db_end(statement);
		TRY(status);
	}
	return STATUS_OK;
}

int main(int argc, char **argv) {
	static const char purpose[] = "xinglin resources 1";
	struct home *home;
	struct db *db;
	struct err err = {0};
	uint8_t key[32];
	char path[4096];
	if (argc != 3) return 2;
	enum status status = home_open(&home, argv[1], bytes_text(argv[2]), &err);
	if (status == STATUS_OK) {
		snprintf(path, sizeof path, "%s/" RESOURCE_FILE, argv[1]);
		hkdf_sha256(key, sizeof key, (struct bytes){NULL, 0}, bytes_make(home->entropy, sizeof home->entropy),
		    bytes_make(purpose, sizeof purpose - 1));
		status = db_open(&db, path, key, &err);
		if (status == STATUS_OK) status = write_pages(db, &err);
		if (status == STATUS_OK) db_close(db);
		home_close(home);
	}
	if (status != STATUS_OK) fprintf(stderr, "%s\n", err.message);
	return status == STATUS_OK ? 0 : 1;
}
