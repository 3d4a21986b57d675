/*
 * Is this pack good? What the home's documents and the chain say of a scan, as values that any caller prints.
 * Ownership: the request's arena. Threads: as the request.
 */
#ifndef HEALTH_TRACE_JUDGE_H
#define HEALTH_TRACE_JUDGE_H

#include "health/trace/stock.h"

enum judge_verdict {
	JUDGE_GOOD,    /* it is what it says, and nothing speaks against it */
	JUDGE_BAD,     /* its state or what is printed on it speaks against it */
	JUDGE_UNKNOWN, /* no document of this home names it, and the home holds no key of the product */
	JUDGE_FOREIGN, /* no document names it, but the home holds the product's key: it should be known */
};
enum judge_print { JUDGE_PRINT_AGREES, JUDGE_PRINT_LOT, JUDGE_PRINT_EXPIRY }; /* what on the pack is another's */

/* The lot and the expiry (YYMMDD) of a scan, each empty if it has none, against what the manufacturer said. */
enum judge_print judge_print(
    const char *lot, const char *expiry, const struct document_batch *batch, unsigned this_year);
/* What is said of one that does not agree, with the field's own word first: "wrong-lot: …". In the arena. */
const char *judge_print_text(struct arena *arena, enum judge_print print, const char *lot);
/* Why a pack with a rival is not sold, both makers and lots with it. In the arena. */
const char *judge_rival_text(struct arena *arena, const struct stock_unit *unit);

struct judge_result {
	enum judge_verdict verdict;
	/* GOOD and BAD */
	struct stock_unit unit;
	struct medicines_unit_view state;
	enum judge_print print;
	bool
	    is_saleable; /* never if anything printed is another's, or if another pack has the same code (unit.rival) */
	/* UNKNOWN and FOREIGN */
	char advice[256];     /* a serial that is almost this one; or empty */
	bool is_commissioned; /* FOREIGN: the chain knows the serial */
};
/* The scan has no fault, a GTIN and a serial. `this_year` reads expiries of two digits. A verdict is STATUS_OK. */
MUST_USE enum status judge_pack(struct actor_request *request, struct judge_result *out, const struct stock *stock,
    const struct scan *scan, unsigned this_year, struct err *err);

/* A lot's batch on the chain: from a document, or from the product's key. STATUS_NOTFOUND: the home knows neither. */
MUST_USE enum status judge_lot(struct actor_request *request, hash32 *batch, const struct stock *stock,
    const char *gtin, const char *lot, struct err *err);

/* Everybody who holds units of a batch. STATUS_NOTFOUND: never commissioned. STATUS_CORRUPT: they do not add up. */
struct judge_holders {
	struct medicines_stored_batch batch;
	const struct medicines_holding *rows;
	size_t count;
	uint64_t live; /* units over all rows */
};
MUST_USE enum status judge_holders(
    struct actor_request *request, struct judge_holders *out, const hash32 *batch, struct err *err);

#endif
