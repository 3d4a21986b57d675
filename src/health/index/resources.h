/*
 * What a FHIR gateway can find: the versions of resources and what search parameters say of them. One SQLite file in
 * the home, `resources.db`, whose pages are encrypted under a key that follows from the home's secret
 * (docs/decisions/0061-tables-of-resources.md). Nothing stands in it that sealed records do not hold: a file that is
 * lost, damaged, or of another home or schema is made anew and says so in the log, and the gateway fills it again.
 *
 * A resource is a type and an id; each of its versions stands in one folder and one record, and has a content that is
 * given back byte for byte. The version of the highest number is the current one; if its method is RESOURCE_DELETE the
 * resource is gone. Searches find current versions.
 *
 * Writes: one transaction at a time; calls that wait for it meanwhile share the next one. Reads run beside them, each
 * on a state that stands still. A scope goes into every question (resource_scope.h).
 * Ownership: what is returned lives in the caller's arena. Threads: any, with `threads`; one without.
 */
#ifndef HEALTH_INDEX_RESOURCES_H
#define HEALTH_INDEX_RESOURCES_H

#include "base/threads.h"
#include "codec/json.h"
#include "health/actors/home.h"
#include "health/fhir/search_query.h"
#include "health/index/resource_scope.h"

#define RESOURCE_FILE "resources.db"
#define RESOURCE_ID_MAX 64u

struct resources;

struct resource_settings {
	/* Absolute URLs below it are references to our own resources: "https://host/fhir" [NULL: none]. */
	const char *base;
	unsigned readers; /* connections that read at once; 0: 4 */
	const struct threads *threads;
};

/* `home` is borrowed. Opens the file, or makes it. */
MUST_USE enum status resources_open(
    struct resources **out, const struct home *home, const struct resource_settings *settings, struct err *err);
/* NULL is allowed. Nobody uses it any more. */
void resources_close(struct resources *resources);

struct resource_key {
	uint16_t type; /* of fhir_r4 */
	struct bytes id;
};
enum resource_method { RESOURCE_POST, RESOURCE_PUT, RESOURCE_PATCH, RESOURCE_DELETE };

/* One new version. */
struct resource_write {
	struct resource_key key;
	uint32_t version; /* from 1 */
	enum resource_method method;
	int64_t at_ms;           /* meta.lastUpdated, since 1970 in UTC */
	hash32 folder, record;   /* a record stands in one folder */
	uint32_t part;           /* of the record, from 1 */
	bool is_foreign;         /* the folder is others' (RESOURCE_SCOPE_OPEN); said by the first write of a folder */
	struct bytes content;    /* the stored JSON; a tombstone for RESOURCE_DELETE */
	const struct json *tree; /* the parsed content; NULL: it is parsed here */
};
/* All of them become visible, or none. A version that is there already with the same record is passed over.
 * STATUS_EXISTS: it is there with another record. STATUS_INVALID: the content is no JSON. */
MUST_USE enum status resources_put(
    struct resources *resources, const struct resource_write *writes, size_t count, struct err *err);

struct resource_version {
	struct resource_key key;
	uint32_t version;
	enum resource_method method;
	int64_t at_ms;
	hash32 folder, record; /* a record stands in one folder */
	uint32_t part;
	struct bytes content;
};
/* `version` 0: the current one. STATUS_NOTFOUND: there is none in this scope. A deleted one is found, with method
 * RESOURCE_DELETE. */
MUST_USE enum status resources_get(struct resources *resources, struct resource_version *out, struct arena *arena,
    const struct resource_scope *scope, const struct resource_key *key, uint32_t version, struct err *err);

/* The versions of one resource, of a type (`id` empty), or of all (type FHIR_NONE), the newest first. */
struct resource_history {
	struct resource_key key;
	int64_t since_ms;    /* versions of this moment or later; INT64_MIN: all */
	int64_t at_first_ms; /* _at: versions that were current at some moment from here [INT64_MIN] */
	int64_t at_last_ms;  /* to here [INT64_MAX] */
	uint32_t count;      /* on a page */
	struct bytes cursor; /* of the page before [empty] */
	struct bytes asker;  /* to whom cursors are bound */
};

enum resource_role { RESOURCE_MATCH, RESOURCE_INCLUDED };
struct resource_hit {
	struct resource_version version;
	enum resource_role role;
};
struct resource_page {
	struct resource_hit *hits;
	size_t count;
	bool has_total;
	uint64_t total;
	struct bytes cursor; /* of the next page, letters of base64url; empty: this is the last */
};
/* STATUS_INVALID: the cursor is damaged, or of another asker or question. */
MUST_USE enum status resources_history(struct resources *resources, struct resource_page *out, struct arena *arena,
    const struct resource_scope *scope, const struct resource_history *query, struct err *err);

/*
 * The resources that a search finds (health/fhir/search_query.h): matches, then what they include. Without _sort they
 * come in the order in which this file first heard of them. `asker`: to whom cursors are bound.
 *
 * Pages are stable: each match of the first page's moment that does not change comes once. What is created later does
 * not come; what changes meanwhile keeps its place as long as it matches. A total is counted if the search asks for it,
 * or if there is one page. STATUS_LIMIT: it would look at too much (400, too-costly). STATUS_INVALID: the cursor.
 * STATUS_UNSUPPORTED: it asks for what this file cannot find.
 */
MUST_USE enum status resources_search(struct resources *resources, struct resource_page *out, struct arena *arena,
    const struct resource_scope *scope, struct bytes asker, const struct fhir_search *search, struct err *err);
/* For conditional interactions: up to two matches, whatever the search says of pages and includes. */
MUST_USE enum status resources_match(struct resources *resources, struct resource_version matches[2], size_t *count,
    struct arena *arena, const struct resource_scope *scope, const struct fhir_search *search, struct err *err);

/*
 * New versions of a type in this organisation's own folders, but for deletions, in the order in which this file took
 * them in: at most `max`, behind the place `after`. A place is a number that grows; of a file that was made anew,
 * places begin again.
 */
struct resource_change {
	int64_t sequence; /* its place */
	struct resource_version version;
};
struct resource_changes {
	struct resource_change *list;
	size_t count;
	int64_t newest; /* the place up to which `list` holds all that there is */
};
struct resource_changes_query {
	uint16_t type;
	int64_t after;
	size_t max; /* 0: the newest place alone */
};
MUST_USE enum status resources_changes(struct resources *resources, struct resource_changes *out, struct arena *arena,
    const struct resource_changes_query *query, struct err *err);

/*
 * Would the search of a scope's rule find this resource, if it were written as it is? It need not have an id; of one
 * that is not there yet, what only the index knows (_id, _has, _list, _text, _content) is not found. A search that is
 * refused, or pages and sorts, finds nothing. Other resources, to which its chains and _has lead, are seen as `scope`
 * admits them; NULL: all are, for a rule that the issuer of a token made.
 */
MUST_USE enum status resources_would_find(struct resources *resources, bool *out, struct arena *arena,
    const struct resource_scope_rule *rule, const struct resource_scope *scope, const struct json *resource,
    struct err *err);

/*
 * A window closes: all versions that stand in the folder, and what was known by them alone, leave the file, its log of
 * writes and the caches. A resource of which a version in another folder is left shows that one. Waits for reads that
 * are under way. STATUS_OK too if the folder is not known. STATUS_BUSY: another program reads the file; do it again.
 */
MUST_USE enum status resources_drop_folder(struct resources *resources, const hash32 *folder, struct err *err);

/* A record was erased: the same of what it brought alone. */
MUST_USE enum status resources_drop_record(struct resources *resources, const hash32 *record, struct err *err);
/* The folders of others that are in the file, in the arena. */
MUST_USE enum status resources_foreign_folders(
    struct resources *resources, struct arena *arena, hash32 **out, size_t *count, struct err *err);

/* Does any version stand in the folder? */
MUST_USE enum status resources_has_folder(
    struct resources *resources, bool *out, const hash32 *folder, struct err *err);
/* Is the record taken in? What the gateway asks to fill the index again. */
MUST_USE enum status resources_has_record(
    struct resources *resources, bool *out, const hash32 *record, struct err *err);

struct resource_counts {
	uint64_t resources, versions, records, folders;
	uint64_t bytes; /* of the file */
};
MUST_USE enum status resources_count(struct resources *resources, struct resource_counts *out, struct err *err);

#endif
