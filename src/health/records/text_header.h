/* Inside health/records: the members that bind a sealed text to its place, written and checked
 * (docs/wire-formats.md §2, §3). Threads: pure. */
#ifndef HEALTH_RECORDS_TEXT_HEADER_H
#define HEALTH_RECORDS_TEXT_HEADER_H

#include "envelope/jwe.h"
#include "health/records/seal.h"

struct text_header {
	const char *cty; /* NULL: not there, as all below */
	const char *typ; /* always */
	const char *at;  /* text_header_at of the record */
	const hash32 *gen;
	const hash32 *fld;
	const uint32_t *epo;
	const hash32 *rec;
	const uint32_t *idx;
	const uint32_t *ver;
	const uint64_t *rev;
	const uint64_t *exp;
};
/* The members as a JSON object, appended. */
void text_header_write(struct buf *out, const struct text_header *header);
/* Does an opened text's header say exactly this of each member that is given? */
bool text_header_matches(const struct jwe_header *opened, const struct text_header *header);

/* A record's place in few letters: base64url of the first 16 bytes of
 * SHA-256("xinglin/place/1" || folder || be32(epoch) || record). */
#define TEXT_HEADER_AT_BYTES 23 /* with the NUL */
void text_header_at(char out[TEXT_HEADER_AT_BYTES], const struct record_place *place);

#endif
