/*
 * The contract of medicines (contracts/src/interfaces/IMedicines.sol): operations, captures, views, refusals.
 *
 * A refusal of the contract is STATUS_DENIED whose message begins with the refusal's stable name, "NOT_CUSTODIAN: …".
 * A dispense is different: it stands in a block even where units were refused, and its result says so.
 *
 * Ownership: operations and results live in the request's arena. Threads: as the request.
 */
#ifndef HEALTH_TRACE_MEDICINES_H
#define HEALTH_TRACE_MEDICINES_H

#include "health/actors/request.h"

/* IMedicines.Code, in its order: a test holds the two together. */
#define MEDICINES_CODES(X)                                                                                             \
	X(OK, "done")                                                                                                  \
	X(NOT_LISTED, "the sender is not active in the directory")                                                     \
	X(WRONG_ROLE, "this needs another role in the directory")                                                      \
	X(NOT_OWNER, "only the product's owner may do this")                                                           \
	X(NOT_CUSTODIAN, "the sender does not hold it")                                                                \
	X(NOT_RECEIVER, "it was sent to somebody else")                                                                \
	X(UNKNOWN_PRODUCT, "this product was never registered")                                                        \
	X(UNKNOWN_BATCH, "this batch was never commissioned")                                                          \
	X(UNKNOWN_UNIT, "the batch has no such unit")                                                                  \
	X(UNKNOWN_CONTAINER, "this container was never opened")                                                        \
	X(EXISTS, "it is there already")                                                                               \
	X(DUPLICATE_SERIAL, "this serial of the product was commissioned before, in this lot or another")              \
	X(NOT_LIVE, "the batch is not commissioned to its last unit yet")                                              \
	X(COMPLETE, "the batch holds all its units already")                                                           \
	X(TABLE_FULL, "the product takes no more units: its owner must grow it first")                                 \
	X(PENDING, "it is on its way: a transfer is pending")                                                          \
	X(NOT_PENDING, "no transfer of it is pending")                                                                 \
	X(HAS_PARENT, "it is inside another container and moves only with that")                                       \
	X(NOT_A_CHILD, "it is not in this container")                                                                  \
	X(CYCLE, "a container cannot be inside itself")                                                                \
	X(TOO_DEEP, "containers nest at most 8 deep")                                                                  \
	X(NOT_LOOSE, "it is packed: unpack it first")                                                                  \
	X(ALREADY_DISPENSED, "this pack was dispensed before: the code may be a copy")                                 \
	X(FINAL, "its state is final")                                                                                 \
	X(IS_HELD, "it is held: suspect, or locked by a regulator")                                                    \
	X(IS_RECALLED, "it is recalled")                                                                               \
	X(IS_WITHDRAWN, "the product is withdrawn from the market")                                                    \
	X(IS_EXPIRED, "it is expired")                                                                                 \
	X(NOT_ALLOWED, "its state does not allow this")                                                                \
	X(UNDO_OTHER, "only what this actor dispensed in that capture can be undone")                                  \
	X(UNDO_LATE, "a dispense can be undone for 10 days")                                                           \
	X(NOT_IN_CAPTURE, "this is an operation of a capture")                                                         \
	X(TOO_MANY, "too many at once")                                                                                \
	X(BAD_ARGUMENT, "an argument makes no sense")                                                                  \
	X(INACTIVE_PARTNER, "the other side is not active in the directory in a role of the trade")
#define MEDICINES_CODE_ENUM(name, text) MEDICINES_##name,
enum medicines_code { MEDICINES_CODES(MEDICINES_CODE_ENUM) MEDICINES_CODE_COUNT };
#undef MEDICINES_CODE_ENUM
const char *medicines_code_name(enum medicines_code code); /* "NOT_CUSTODIAN" */
const char *medicines_code_text(enum medicines_code code);

/* IMedicines.State. The names' table is indexed by the number. */
enum medicines_state {
	UNIT_NONE,
	UNIT_ACTIVE,
	UNIT_HELD,
	UNIT_DISPENSED,
	UNIT_PARTIAL,
	UNIT_DESTROYED,
	UNIT_STOLEN,
	UNIT_SAMPLED,
	UNIT_EXPORTED,
	UNIT_LOST,
	UNIT_CONSUMED,
	UNIT_RECALLED,
	UNIT_VOID,
	UNIT_LOCKED,
	UNIT_PACKED = 20,
	UNIT_IN_TRANSIT,
	UNIT_EXPIRED,
	UNIT_BATCH_RECALLED,
	UNIT_WITHDRAWN,
	UNIT_STATE_COUNT
};
const char *medicines_state_name(unsigned state); /* "ACTIVE"; "UNKNOWN" for others */

enum medicines_purpose {
	SHIPPING_TRADE,
	SHIPPING_RETURN,
	SHIPPING_QUARANTINE,
	SHIPPING_DESTRUCTION,
	SHIPPING_PURPOSE_COUNT
};
const char *medicines_purpose_name(unsigned purpose);

/* --- operations: calldata in the arena --- */

struct unit_ref {
	hash32 batch;
	uint32_t index;
};
struct bytes op_open_batch(struct arena *arena, const hash32 *product, const hash32 *tag, uint64_t expiry_s,
    const hash32 *root, uint32_t count);
/* The first 8 bytes of each tag. */
struct bytes op_commission(struct arena *arena, const hash32 *batch, const hash32 *tags, size_t count);
struct bytes op_open_container(struct arena *arena, const hash32 *tag);
struct bytes op_pack_units(
    struct arena *arena, const hash32 *container, const hash32 *batch, const uint32_t *indexes, size_t count);
struct bytes op_unpack_units(
    struct arena *arena, const hash32 *container, const hash32 *batch, const uint32_t *indexes, size_t count);
struct bytes op_pack_containers(struct arena *arena, const hash32 *parent, const hash32 *children, size_t count);
struct bytes op_unpack_containers(struct arena *arena, const hash32 *parent, const hash32 *children, size_t count);
struct bytes op_ship(struct arena *arena, const hash32 *container, const addr20 *to, enum medicines_purpose purpose);
struct bytes op_accept(struct arena *arena, const hash32 *container);
struct bytes op_end_shipping(struct arena *arena, const hash32 *container);
struct bytes op_dispense(struct arena *arena, const struct unit_ref *units, size_t count);
struct bytes op_change_units(
    struct arena *arena, const hash32 *batch, const uint32_t *indexes, size_t count, enum medicines_state to);
struct bytes op_recall_batch(struct arena *arena, const hash32 *batch, const hash32 *reason);

/* --- captures --- */

#define CAPTURE_OPERATIONS_MAX 64u
#define CAPTURE_NAMED_UNITS_MAX 256u /* indexes named in one operation */
#define CAPTURE_COMMISSION_MAX 600u  /* units of a part: each may take a fresh slot, 22,100 of 16,777,216 gas */

struct capture {
	hash32 document;
	hash32 events_root;
	uint32_t part;
	struct bytes operations[CAPTURE_OPERATIONS_MAX];
	size_t count;
};
/* STATUS_LIMIT: a document of more operations than one transaction takes. */
MUST_USE enum status capture_add(struct capture *capture, struct bytes operation, struct err *err);

struct medicines_alert {
	hash32 batch;
	uint32_t index;
	enum medicines_code code;
	addr20 by, other;
	uint64_t block_number, timestamp;
	hash32 tx_hash;
};
struct capture_result {
	struct client_receipt receipt;
	hash32 id;
	enum medicines_code code; /* OK, or what a dispense answered */
	bool repeated;            /* captured before: nothing changed */
	struct medicines_alert *alerts;
	size_t alert_count;
};
MUST_USE enum status capture_send(
    struct actor_request *request, struct capture_result *out, const struct capture *capture, struct err *err);
/* Any other transaction to the contract. */
MUST_USE enum status medicines_send(
    struct actor_request *request, struct client_receipt *receipt, struct bytes data, struct err *err);
MUST_USE enum status medicines_register(struct actor_request *request, struct client_receipt *receipt,
    const hash32 *product, const addr20 *owner, const hash32 *commitment, uint32_t capacity, struct err *err);
MUST_USE enum status medicines_withdraw(struct actor_request *request, struct client_receipt *receipt,
    const hash32 *product, bool withdrawn, struct err *err);
MUST_USE enum status medicines_acknowledge(
    struct actor_request *request, struct client_receipt *receipt, const hash32 *batch, struct err *err);

/* --- views (medicines_views.c) --- */

struct product_view {
	addr20 owner; /* zero: not registered */
	hash32 key_commitment;
	bool withdrawn;
	uint32_t generations;
	uint64_t units, room;
};
struct batch_view {
	hash32 product, root;
	uint64_t expiry_s; /* exclusive; 0: no such batch */
	uint32_t count, commissioned, ended;
	bool recalled;
};
struct container_view {
	hash32 parent;
	addr20 custodian, receiver;
	enum medicines_purpose purpose;
	bool held;
	uint32_t blemishes, contents;
};
struct unit_view {
	unsigned stored, effective;
	uint64_t expiry_s;
	bool recalled, withdrawn, expired, packed, in_transit;
};
struct holding {
	addr20 custodian, receiver;
	hash32 container;
	uint32_t count;
};
MUST_USE enum status medicines_product(
    struct actor_request *request, struct product_view *out, const hash32 *product, struct err *err);
MUST_USE enum status medicines_batch(
    struct actor_request *request, struct batch_view *out, const hash32 *batch, struct err *err);
/* `*found` false: it was never opened. */
MUST_USE enum status medicines_container(
    struct actor_request *request, struct container_view *out, bool *found, const hash32 *container, struct err *err);
MUST_USE enum status medicines_unit(
    struct actor_request *request, struct unit_view *out, const struct unit_ref *unit, struct err *err);
MUST_USE enum status medicines_holder(
    struct actor_request *request, struct holding *out, const struct unit_ref *unit, struct err *err);
/* Was this serial of the product ever commissioned? Its tag tells. */
MUST_USE enum status medicines_is_commissioned(
    struct actor_request *request, bool *out, const hash32 *product, const hash32 *unit_tag, struct err *err);
/* All present holders of a batch. */
MUST_USE enum status medicines_holders(
    struct actor_request *request, struct holding **rows, size_t *count, const hash32 *batch, struct err *err);
/* When was this document captured by this sender? 0: never. */
MUST_USE enum status medicines_captured_at(struct actor_request *request, uint64_t *seconds, const addr20 *sender,
    const hash32 *document, uint32_t part, struct err *err);
/* Alerts on the chain in which `actor` is one of the two; NULL: all. */
MUST_USE enum status medicines_alerts(struct actor_request *request, struct medicines_alert **alerts, size_t *count,
    const addr20 *actor, struct err *err);
/* Is this log an Alert of the contract? */
bool medicines_read_alert(struct medicines_alert *out, const struct log *log);

#endif
