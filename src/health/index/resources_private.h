/* What the files of health/index that keep resources share. */
#ifndef HEALTH_INDEX_RESOURCES_PRIVATE_H
#define HEALTH_INDEX_RESOURCES_PRIVATE_H

#include <stdatomic.h>

#include "health/index/cursor.h"
#include "health/index/db.h"
#include "health/index/resource_facts.h"
#include "health/index/resources.h"

#define RESOURCE_CONTENT_MAX ((size_t)64 << 20) /* bytes of one version's content */

/* A connection that reads, with what it needs on the way. One owner at a time. */
struct resource_reader {
	struct db *db;
	struct resource_codec *codec;
	struct fhir_searcher *searcher; /* NULL until it is needed */
	struct resource_reader *next;   /* in the pool */
};
/* What preparing a write takes. One owner at a time. */
struct resource_bench {
	struct resource_codec *codec;
	struct fhir_searcher *searcher;
	struct resource_bench *next;
};
void resource_bench_free(struct resource_bench *bench);
/* An idle one, or a new one; it is given back, or freed. */
struct resource_bench *resources_take_bench(struct resources *resources);
void resources_give_bench(struct resources *resources, struct resource_bench *bench);

struct resource_ticket;

struct resources {
	const struct threads *threads;
	struct monitor *monitor; /* held around what follows; NULL: one thread */
	struct resource_reader *idle;
	struct resource_bench *benches; /* idle ones */
	struct resource_ticket *first_waiting, **last_waiting;
	bool is_writing;

	atomic_bool has_foreign; /* may a folder of others be in the file? Set before one is visible */

	/* of whoever writes */
	struct db *writer;
	int64_t next_sequence, next_resource;
	struct resource_postings *postings; /* of this transaction */

	/* constant */
	struct resource_reader *readers;
	unsigned reader_count;
	uint8_t cursor_key[32];
	struct resource_digest_key digest_key;
	char *path, *base;
};

void resources_lock(struct resources *resources);
void resources_unlock(struct resources *resources);
void resources_wait(struct resources *resources);
void resources_wake(struct resources *resources);

/* Sets has_foreign by the file. */
MUST_USE enum status resources_look_for_foreign(struct resources *resources, struct err *err);

/* Nobody else writes between them. */
void resources_begin_writing(struct resources *resources);
void resources_end_writing(struct resources *resources);
/* No reader is in use between them. */
void resources_stop_readers(struct resources *resources);
void resources_start_readers(struct resources *resources);

/* A reader whose questions see one state, until it is given back. */
MUST_USE enum status resources_borrow(struct resources *resources, struct resource_reader **out, struct err *err);
void resources_give_back(struct resources *resources, struct resource_reader *reader);

/* resource_codec.c: content deflated with a dictionary. One owner at a time. */
struct resource_codec;
struct resource_codec *resource_codec_new(void);
void resource_codec_free(struct resource_codec *codec); /* NULL is allowed; wipes */
struct bytes resource_pack(struct resource_codec *codec, struct arena *arena, struct bytes content);
MUST_USE enum status resource_unpack(
    struct resource_codec *codec, struct bytes *out, struct arena *arena, struct bytes packed, struct err *err);

/* What stands beside a version when a scope is asked of it. */
struct resource_seen {
	uint32_t row; /* of the resource */
	uint16_t type;
	int64_t foreign; /* the row of the folder, if it is others'; 0: it is our own */
	int64_t sequence;
	struct bytes facts;    /* of a current version; NULL data: they are made of the content if they are needed */
	struct bytes patients; /* in whose compartments it is: rows, 4 bytes each; only without facts */
};
struct resource_question;
/* resource_gate.c: a scope, made ready for one question. */
struct resource_gate {
	const struct resource_scope *scope;
	struct resource_gate_rule {
		uint32_t patient;                           /* row; 0: nobody's compartment */
		bool is_closed;                             /* its search is none */
		const struct resource_condition *condition; /* NULL: none */
	} * rules;
	uint16_t group; /* the type of Groups: they name all their members, so no rule of one patient admits them */
	int64_t *open;  /* rows of scope->open; 0: it is not in the file */
};
MUST_USE enum status resource_gate_open(
    struct resource_question *question, const struct resource_scope *scope, struct err *err);
MUST_USE enum status resource_gate_admits(
    struct resource_question *question, bool *out, const struct resource_seen *seen, struct err *err);

/* The row of a resource; 0: there is none. */
MUST_USE enum status resource_find(
    struct resource_reader *reader, int64_t *out, const struct resource_key *key, struct err *err);
/* The whole version. */
MUST_USE enum status resource_load(struct resource_reader *reader, struct resource_version *out, struct arena *arena,
    int64_t sequence, struct err *err);

/* An id as it is stored: a UUID is 16 bytes, any other a text. */
void resource_bind_id(sqlite3_stmt *statement, int place, struct bytes id);
struct bytes resource_column_id(struct arena *arena, sqlite3_stmt *statement, int place);

#endif
