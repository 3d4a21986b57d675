/*
 * Inside health/index: facts, which are what searches find of a resource. A fact is a key: the number of a search
 * parameter in fhir_r4.searches (2 bytes), and a value whose bytes sort as the values do:
 *
 *	token      code 00 mark; the mark is 00 without a system, 01 and 5 bytes of the system's digest,
 *	           or 02 for an element whose definition implies its system
 *	string     folded text 00
 *	uri        text 00
 *	date       first moment, last moment: 7 bytes each, milliseconds since 1970 plus 2^55
 *	number     a decimal, exact: its bytes sort as it does, and none is the beginning of another
 *	quantity   decimal code 00 mark unit 00
 *	reference  'r' row of the resource, 4 bytes; 'u' text 00; 'i' token: by its identifier
 *	composite  its parts one behind the other, for each combination of one element's values
 *
 * A date that spans more than RESOURCE_FACT_SPAN_MS has another fact, with RESOURCE_FACT_LONG added to its parameter:
 * its last moment and its first one. So what lasts until some moment or longer is found by two ranges.
 *
 * A posting is the same key with its resource. What a row keeps of facts is each key behind its length.
 * Threads: pure.
 */
#ifndef HEALTH_INDEX_RESOURCE_FACTS_H
#define HEALTH_INDEX_RESOURCE_FACTS_H

#include "health/fhir/search_values.h"
#include "health/index/resources.h"

#define RESOURCE_FACT_COMPARTMENT 0xfffeu /* not a parameter: 'r' and a patient in whose compartment it is */
#define RESOURCE_FACT_TYPE 0xfffdu        /* not a parameter: the type, 2 bytes */
#define RESOURCE_FACT_LONG 0x4000u
#define RESOURCE_FACT_SPAN_MS 86400000
#define RESOURCE_FACT_TEXT_MAX 200u /* bytes of a value; of a longer one, the beginning and a digest */

/* --- values as bytes --- */

struct resource_digest_key {
	uint64_t halves[2];
};
void resource_fact_put_parameter(struct buf *out, unsigned parameter);
void resource_fact_put_text(struct buf *out, struct bytes text); /* with its 00 */
void resource_fact_put_digest(struct buf *out, const struct resource_digest_key *key, struct bytes system);
void resource_fact_put_moment(struct buf *out, int64_t ms);
void resource_fact_put_decimal(struct buf *out, struct fhir_decimal value);
void resource_fact_put_row(struct buf *out, uint32_t row); /* 4 bytes */
unsigned resource_fact_number(const struct fhir_search_def *search);
/* The part of a text that a fact keeps. */
struct bytes resource_fact_text(struct arena *arena, struct bytes text);

/* Reading: each takes its value off the front of `key`. False: there is none. */
enum resource_fact_mark { RESOURCE_FACT_NO_SYSTEM, RESOURCE_FACT_SYSTEM, RESOURCE_FACT_CODE_ELEMENT };
struct resource_fact_token {
	struct bytes code;
	enum resource_fact_mark mark;
	struct bytes digest; /* 5 bytes, of RESOURCE_FACT_SYSTEM */
};
bool resource_fact_take_text(struct bytes *out, struct bytes *key);
bool resource_fact_take_token(struct resource_fact_token *out, struct bytes *key);
bool resource_fact_take_decimal(struct bytes *out, struct bytes *key);
bool resource_fact_take(struct bytes *out, struct bytes *key, size_t len);

/* The next fact of a row's; false behind the last. */
bool resource_fact_next(struct bytes *out, struct bytes *facts);

/* --- facts of a resource --- */

/* A reference in a key, whose row is written at `at` when it is known. */
struct resource_fact_link {
	size_t at;
	struct resource_key target;
};
struct resource_fact {
	struct bytes key; /* in the arena; rows of links are zeros */
	struct resource_fact_link links[2];
	size_t link_count;
};
struct resource_facts {
	struct resource_fact *items;
	size_t count, capacity;
};
struct resource_facts_maker {
	struct fhir_searcher *searcher;
	struct arena *arena;
	const char *base; /* or NULL */
	const struct resource_digest_key *key;
};
MUST_USE enum status resource_facts_make(struct resource_facts *out, const struct resource_facts_maker *maker,
    const struct resource_key *key, const struct json *tree, struct err *err);
/* With every link written: sorted, each once, as a row keeps them. */
struct bytes resource_facts_pack(struct arena *arena, struct resource_facts *facts);

#endif
