/* Words of the contract's storage, proved, and what they mean. Lists are in medicines_events.c. */
#include "health/trace/medicines_state.h"

#include "crypto/hash.h"
#include "eth/abi.h"
#include "health/contracts/directory.h"

#define UNITS 8u            /* a word */
#define BLOCK 1024u         /* units whose runs stand in a word */
#define RUNS 4u             /* in it */
#define OWNERS_PLACE 65535u /* row 0, whatever the runs say */
#define CASES 65536u        /* the first place of a container */
#define MOVES 5u            /* of a row, in a word */
#define LEVELS_MAX 9u       /* of containers around a unit: 8, by the contract, and one more to see that they end */

/* Marks above a state's four bits, a container's flags (contracts/src/interfaces/IMedicines.sol). */
enum { MARK_HELD = 16, MARK_LOCKED = 32, MARK_RECALLED = 64, MARK_BARRED = 128 };
enum { FLAGS_HELD = 3, /* by its custodian, by a regulator */ FLAG_PURPOSE_SHIFT = 2 };
enum row_kind { ROW_FREE, ROW_LOOSE, ROW_PACKED };

static const addr20 *medicines_of(const struct actor_request *request) {
	return &request->home->deployment.medicines;
}

static enum status word_at(
    struct actor_request *request, hash32 *out, const addr20 *contract, hash32 slot, struct err *err) {
	struct verified *verified;
	const struct verified_want want = {contract, slot};
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	return verified_words(verified, out, &want, 1, err);
}

/* Words of any number, a question at a time. */
static enum status expect(
    struct actor_request *request, const struct verified_want *wants, size_t count, struct err *err) {
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	hash32 *words = arena_zalloc(request->arena, VERIFIED_WORDS_MAX, sizeof *words);
	for (size_t at = 0; at < count; at += VERIFIED_WORDS_MAX) {
		size_t n = count - at < VERIFIED_WORDS_MAX ? count - at : VERIFIED_WORDS_MAX;
		TRY(verified_words(verified, words, wants + at, n, err));
	}
	return STATUS_OK;
}

static enum status no_sense(struct err *err) {
	return err_set(err, STATUS_CORRUPT, "what the contract of medicines holds makes no sense");
}

/* --- batches and parts --- */

enum status medicines_batch(
    struct actor_request *request, struct medicines_stored_batch *out, const hash32 *batch, struct err *err) {
	hash32 words[MEDICINES_STORED_BATCH_SLOTS], slot = medicines_batches_slot(batch);
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(verified_struct(verified, words, medicines_of(request), &slot, MEDICINES_STORED_BATCH_SLOTS, err));
	return medicines_stored_batch_load(out, words, err);
}

enum status medicines_lots_of(struct actor_request *request, uint64_t *out, const hash32 *product, struct err *err) {
	hash32 word;
	TRY(word_at(request, &word, medicines_of(request), medicines_lots_of_slot(product), err));
	*out = load_be64(word.b + 24);
	return STATUS_OK;
}

enum status medicines_part(struct actor_request *request, struct medicines_stored_part *out, const hash32 *batch,
    uint32_t part, struct err *err) {
	const u256 number = u256_from(part);
	hash32 word;
	TRY(word_at(request, &word, medicines_of(request), medicines_parts_slot(batch, &number), err));
	return medicines_stored_part_load(out, &word, err);
}

/* --- actors and containers --- */

enum status medicines_actor(struct actor_request *request, addr20 *out, uint32_t ordinal, struct err *err) {
	hash32 word;
	*out = (addr20){{0}};
	if (ordinal == 0) return STATUS_OK;
	TRY(word_at(request, &word, &request->home->deployment.directory, directory_accounts_slot(ordinal), err));
	return directory_accounts_load(out, &word, err);
}

static hash32 id_of(uint64_t key) {
	hash32 id = {{0}};
	store_be64(id.b, key);
	return id;
}

static enum status container_of(
    struct actor_request *request, struct medicines_stored_container *out, uint64_t key, struct err *err) {
	hash32 word;
	TRY(word_at(request, &word, medicines_of(request), medicines_containers_slot(key), err));
	return medicines_stored_container_load(out, &word, err);
}

/* From the container outwards. */
static enum status read_container(
    struct actor_request *request, struct medicines_container_view *out, uint64_t key, struct err *err) {
	struct medicines_stored_container at;
	TRY(container_of(request, &at, key, err));
	*out = (struct medicines_container_view){.contents = at.contents, .held = at.flags & FLAGS_HELD};
	if (at.parent) out->parent = id_of(at.parent);
	for (unsigned level = 0; at.parent; level++) {
		if (level == LEVELS_MAX) return no_sense(err);
		TRY(container_of(request, &at, at.parent, err));
		out->held = out->held || at.flags & FLAGS_HELD;
	}
	out->purpose = (enum medicines_purpose)(at.flags >> FLAG_PURPOSE_SHIFT & 3);
	TRY(medicines_actor(request, &out->custodian, at.custodian, err));
	return medicines_actor(request, &out->receiver, at.receiver, err);
}

enum status medicines_container(struct actor_request *request, struct medicines_container_view *out, bool *found,
    const hash32 *container, struct err *err) {
	TRY(read_container(request, out, load_be64(container->b), err));
	*found = !addr20_is_zero(&out->custodian);
	return STATUS_OK;
}

/* --- units --- */

struct row {
	uint64_t key;
	uint32_t count;
	enum row_kind kind;
	bool moved;        /* ROW_LOOSE: a regulator gave it to who has it now */
	uint64_t document; /* ROW_LOOSE: mark_of the last document of one unit that dispensed from it */
};
struct unit {
	uint8_t state;  /* of a dispensed one without the day's bits */
	uint32_t place; /* its row's */
	uint64_t day;   /* of a dispensed one: since 1970 */
};

static uint64_t mark_of(const hash32 *document, uint32_t index) {
	return load_be64(document->b) >> 24 ^ index;
}

static hash32 units_slot(const struct medicines_unit *unit) {
	const u256 word = u256_from(unit->index / UNITS);
	return medicines_units_slot(&unit->batch, &word);
}

static hash32 runs_slot(const struct medicines_unit *unit) {
	const u256 block = u256_from(unit->index / BLOCK);
	return medicines_runs_slot(&unit->batch, &block);
}

enum status medicines_expect_units(
    struct actor_request *request, const struct medicines_unit *units, size_t count, struct err *err) {
	struct verified_want *wants = arena_zalloc(request->arena, 2 * count + 1, sizeof *wants);
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		bool is_beside = i && hash32_equal(&units[i].batch, &units[i - 1].batch);
		if (!is_beside || units[i].index / UNITS != units[i - 1].index / UNITS)
			wants[n++] = (struct verified_want){medicines_of(request), units_slot(&units[i])};
		if (!is_beside || units[i].index / BLOCK != units[i - 1].index / BLOCK)
			wants[n++] = (struct verified_want){medicines_of(request), runs_slot(&units[i])};
	}
	return expect(request, wants, n, err);
}

static enum status row_at(
    struct actor_request *request, struct row *out, const hash32 *batch, uint32_t place, struct err *err) {
	const u256 pair = u256_from(place / 2);
	hash32 word;
	TRY(word_at(request, &word, medicines_of(request), medicines_rows_slot(batch, &pair), err));
	const uint8_t *row = word.b + (place % 2 ? 0 : 16); /* 128 bits, the even one in the low end */
	*out = (struct row){.key = load_be64(row + 8), .count = load_be32(row + 4), .kind = row[0] & 3};
	if (out->kind != ROW_LOOSE) return STATUS_OK;
	out->moved = row[0] & 4;
	out->document = out->key >> 24;
	out->key &= 0xffffff;
	return STATUS_OK;
}

/* Where the runs of a block put a unit that they have (contracts/src/medicines/MedicineUnits.sol); 0: none has it. */
static uint32_t place_by_runs(const hash32 *word, uint32_t index) {
	for (unsigned i = 0; i < RUNS; i++) {
		const uint64_t run = load_be64(word->b + 24 - 8 * i);
		const uint32_t from = run & 1023, units = (run >> 10 & 1023) + 1, each = (run >> 20 & 1023) + 1,
			       before = run >> 30 & 1023, at = index % BLOCK;
		if (run == 0 || at < from || at - from >= units) continue;
		return (uint32_t)(run >> 40) + (at - from + before) / each;
	}
	return 0;
}

static enum medicines_state base_of(uint8_t state) {
	return state & 15 ? (enum medicines_state)(state & 15) : MEDICINES_STATE_ACTIVE;
}

static bool is_dispensed(uint8_t state) {
	enum medicines_state base = base_of(state);
	return base == MEDICINES_STATE_DISPENSED || base == MEDICINES_STATE_OPENED_DISPENSED;
}

static bool is_ended(uint8_t state) {
	enum medicines_state base = base_of(state);
	return is_dispensed(state) || (base >= MEDICINES_STATE_DESTROYED && base <= MEDICINES_STATE_CONSUMED) ||
	       base == MEDICINES_STATE_VOID;
}

/* STATUS_NOTFOUND. Of a dispensed unit the low marks and the place's highest bits say the day instead. */
static enum status read_unit(struct actor_request *request, struct unit *out, const struct medicines_unit *unit,
    struct medicines_stored_batch *batch, struct err *err) {
	hash32 word, runs;
	TRY(medicines_batch(request, batch, &unit->batch, err));
	if (unit->index >= batch->commissioned)
		return err_set(err, STATUS_NOTFOUND, "UNKNOWN_UNIT: the batch has no such unit");
	TRY(word_at(request, &word, medicines_of(request), units_slot(unit), err));
	const uint32_t bits = load_be32(word.b + 28 - 4 * (unit->index % UNITS));
	*out = (struct unit){.state = (uint8_t)bits, .place = bits >> 8};
	if (is_dispensed(out->state)) {
		out->day = (uint64_t)batch->opened + (bits >> 24 | (bits >> 4 & 7) << 8);
		out->state &= 15 | MARK_BARRED;
		out->place &= 0xffff;
	}
	if (out->place == OWNERS_PLACE)
		out->place = 0;
	else if (out->place == 0 && unit->index < batch->touched) {
		TRY(word_at(request, &runs, medicines_of(request), runs_slot(unit), err));
		out->place = place_by_runs(&runs, unit->index);
	}
	return STATUS_OK;
}

/* The actor's ordinal for the row's: of a unit that was dispensed from a row that was moved later, who had it then. */
static enum status find_dispenser(
    struct actor_request *request, struct row *row, const hash32 *batch, const struct unit *unit, struct err *err) {
	const hash32 key[3] = {*batch, abi_topic_of_u64(ROW_LOOSE), abi_topic_of_u64(unit->place)};
	const hash32 id = keccak256(bytes_make(key, sizeof key)), slot = medicines_moves_slot(&id);
	hash32 word;
	if (!row->moved || !is_dispensed(unit->state)) return STATUS_OK;
	TRY(word_at(request, &word, medicines_of(request), slot, err));
	const uint64_t count = load_be64(word.b + 24);
	for (uint64_t i = 0; i < count; i++) {
		TRY(word_at(request, &word, medicines_of(request), contract_array_slot(&slot, i / MOVES), err));
		const uint64_t move =
		    load_be64(word.b + 24 - 6 * (i % MOVES)); /* the day 24, who had it until then 24 */
		if (unit->day > (move & 0xffffff)) continue;
		row->key = move >> 24 & 0xffffff;
		return STATUS_OK;
	}
	return STATUS_OK;
}

/* The worst comes first. */
static enum medicines_state effective_of(const struct medicines_unit_view *view, uint8_t state, bool batch_recalled) {
	if (view->stored == MEDICINES_STATE_OPENED_DISPENSED) return MEDICINES_STATE_DISPENSED;
	if (is_ended(state)) return view->stored;
	const struct {
		bool is;
		enum medicines_state state;
	} rows[] = {{view->withdrawn, MEDICINES_STATE_WITHDRAWN}, {batch_recalled, MEDICINES_STATE_BATCH_RECALLED},
	    {state & MARK_LOCKED, MEDICINES_STATE_LOCKED}, {state & MARK_RECALLED, MEDICINES_STATE_RECALLED},
	    {view->held, MEDICINES_STATE_HELD}, {view->stored != MEDICINES_STATE_ACTIVE, view->stored},
	    {view->expired, MEDICINES_STATE_EXPIRED}, {view->in_transit, MEDICINES_STATE_IN_TRANSIT},
	    {view->packed, MEDICINES_STATE_PACKED}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].is) return rows[i].state;
	return view->stored;
}

enum status medicines_unit(struct actor_request *request, struct medicines_unit_view *out,
    const struct medicines_unit *unit, struct err *err) {
	struct medicines_stored_batch batch;
	struct row row;
	struct unit held = {.state = 0};
	uint64_t now_s;
	*out = (struct medicines_unit_view){.stored = MEDICINES_STATE_NONE};
	TRY(read_unit(request, &held, unit, &batch, err));
	TRY(row_at(request, &row, &unit->batch, held.place, err));
	const uint8_t state = held.state;
	const bool is_batch_recalled = batch.flags & MEDICINES_LOT_RECALLED;
	now_s = verified_now_s(&request->verified);
	out->stored = base_of(state);
	out->expiry = batch.expiry;
	out->withdrawn = batch.flags & MEDICINES_LOT_WITHDRAWN;
	out->recalled = is_batch_recalled || state & MARK_RECALLED;
	out->barred =
	    out->stored == MEDICINES_STATE_PARTIAL || out->stored == MEDICINES_STATE_BACK || state & MARK_BARRED;
	out->expired = now_s >= batch.expiry;
	out->held = state & (MARK_HELD | MARK_LOCKED);
	if (row.kind == ROW_PACKED) {
		struct medicines_container_view container;
		TRY(read_container(request, &container, row.key, err));
		out->packed = true;
		out->held = out->held || container.held;
		out->in_transit = !addr20_is_zero(&container.receiver);
	}
	out->effective = effective_of(out, state, is_batch_recalled);
	return STATUS_OK;
}

static enum status holding_of(struct actor_request *request, struct medicines_holding *out, const struct row *row,
    uint32_t place, struct err *err) {
	struct medicines_container_view container;
	*out = (struct medicines_holding){.count = row->count, .place = place};
	if (row->kind == ROW_LOOSE) return medicines_actor(request, &out->custodian, (uint32_t)row->key, err);
	if (row->kind != ROW_PACKED) return no_sense(err);
	TRY(read_container(request, &container, row->key, err));
	out->custodian = container.custodian;
	out->receiver = container.receiver;
	out->container = id_of(row->key);
	return STATUS_OK;
}

enum status medicines_holder(
    struct actor_request *request, struct medicines_holding *out, const struct medicines_unit *unit, struct err *err) {
	struct medicines_stored_batch batch;
	struct row row;
	struct unit held = {.state = 0};
	TRY(read_unit(request, &held, unit, &batch, err));
	TRY(row_at(request, &row, &unit->batch, held.place, err));
	TRY(find_dispenser(request, &row, &unit->batch, &held, err));
	row.count = is_ended(held.state) ? 0 : 1;
	return holding_of(request, out, &row, held.place, err);
}

/* `count` rows from `first` on, and the containers that they name, in few questions. `first` is even. */
static enum status expect_rows(
    struct actor_request *request, const hash32 *batch, uint32_t first, uint32_t count, struct err *err) {
	struct verified_want *wants = arena_zalloc(request->arena, (size_t)count + 1, sizeof *wants);
	size_t n = 0;
	for (uint32_t pair = first / 2; pair < (first + count + 1) / 2; pair++) {
		const u256 number = u256_from(pair);
		wants[n++] = (struct verified_want){medicines_of(request), medicines_rows_slot(batch, &number)};
	}
	TRY(expect(request, wants, n, err));
	n = 0;
	for (uint32_t place = first; place < first + count; place++) {
		struct row row;
		TRY(row_at(request, &row, batch, place, err));
		if (row.kind == ROW_PACKED && row.count)
			wants[n++] = (struct verified_want){medicines_of(request), medicines_containers_slot(row.key)};
	}
	return expect(request, wants, n, err);
}

enum status medicines_holders(struct actor_request *request, const struct medicines_holding **rows, size_t *count,
    const hash32 *batch, struct err *err) {
	struct medicines_stored_batch of;
	*count = 0;
	*rows = NULL;
	TRY(medicines_batch(request, &of, batch, err));
	TRY(expect_rows(request, batch, 0, of.places, err));
	TRY(expect_rows(request, batch, CASES, of.cases, err));
	struct medicines_holding *all = arena_zalloc(request->arena, (size_t)of.places + of.cases + 1, sizeof *all);
	for (uint32_t i = 0; i < of.places + of.cases; i++) {
		struct row row;
		const uint32_t place = i < of.places ? i : CASES + i - of.places;
		TRY(row_at(request, &row, batch, place, err));
		if (row.kind == ROW_FREE || row.count == 0) continue;
		TRY(holding_of(request, &all[(*count)++], &row, place, err));
	}
	*rows = all;
	return STATUS_OK;
}

enum status medicines_captured_at(struct actor_request *request, uint64_t *seconds, const addr20 *sender,
    const hash32 *document, uint32_t part, struct err *err) {
	struct medicines_stored_captured captured;
	hash32 words[3] = {abi_topic_of_address(sender), *document, abi_topic_of_u64(part)}, word;
	hash32 id = keccak256(bytes_make(words, sizeof words));
	TRY(word_at(request, &word, medicines_of(request), medicines_captures_slot(&id), err));
	TRY(medicines_stored_captured_load(&captured, &word, err));
	*seconds = captured.captured_at;
	return STATUS_OK;
}

enum status medicines_is_last_dispense(struct actor_request *request, bool *out, const addr20 *sender,
    const hash32 *document, const struct medicines_unit *unit, struct err *err) {
	struct medicines_stored_batch batch;
	struct row row;
	addr20 dispenser;
	struct unit held = {.state = 0};
	*out = false;
	TRY(read_unit(request, &held, unit, &batch, err));
	TRY(row_at(request, &row, &unit->batch, held.place, err));
	if (!is_ended(held.state) || row.kind != ROW_LOOSE) return STATUS_OK;
	TRY(medicines_actor(request, &dispenser, (uint32_t)row.key, err));
	*out = addr20_equal(&dispenser, sender) && row.document == mark_of(document, unit->index);
	return STATUS_OK;
}

/* --- the table of serials (contracts/src/lib/SerialTable.sol) --- */

static enum status bucket_at(
    struct actor_request *request, struct serial_bucket *out, const hash32 *first, uint64_t place, struct err *err) {
	hash32 word;
	TRY(word_at(request, &word, &request->home->deployment.products, contract_slot_after(first, place), err));
	*out = serial_bucket(&word);
	return STATUS_OK;
}

/* From place 0 downwards in the tree of splits: a bucket of depth d has the fragments of its low d bits. */
static enum status find_bucket(struct actor_request *request, struct serial_bucket *bucket, const hash32 *first,
    uint64_t fragment, struct err *err) {
	uint64_t place = 0;
	TRY(bucket_at(request, bucket, first, place, err));
	for (unsigned depth = 0; depth <= SERIAL_DEPTH_MAX; depth++) {
		uint64_t right = serial_bucket_place(bucket, fragment);
		if (right == place) return STATUS_OK;
		/* The lowest bit in which they differ is the split at which the fragment went the other way. */
		uint64_t unlike = right ^ place;
		place |= unlike & (0 - unlike);
		TRY(bucket_at(request, bucket, first, place, err));
	}
	return no_sense(err);
}

enum status medicines_serial_is_in(
    struct actor_request *request, bool *out, const hash32 *product, uint64_t fragment, struct err *err) {
	const hash32 first = products_tables_slot(product);
	struct serial_bucket bucket;
	TRY(find_bucket(request, &bucket, &first, fragment, err));
	*out = serial_bucket_has(&bucket, fragment);
	return STATUS_OK;
}

static enum status is_admitted(
    struct actor_request *request, bool *out, const hash32 *product, uint64_t fragment, struct err *err) {
	enum products_admission admission;
	hash32 word;
	TRY(word_at(
	    request, &word, &request->home->deployment.products, products_admissions_slot(product, fragment), err));
	TRY(products_admissions_load(&admission, &word, err));
	*out = admission == PRODUCTS_ADMISSION_ADMITTED;
	return STATUS_OK;
}

enum status medicines_product(
    struct actor_request *request, struct products_product *out, const hash32 *product, struct err *err) {
	hash32 words[PRODUCTS_STORED_PRODUCT_SLOTS], slot = products_products_slot(product);
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(verified_struct(
	    verified, words, &request->home->deployment.products, &slot, PRODUCTS_STORED_PRODUCT_SLOTS, err));
	return products_stored_product_load(out, words, err);
}

/* The depth that most buckets have: where to look first, as the contract does. */
static enum status guess_depth(struct actor_request *request, unsigned *out, const hash32 *product, struct err *err) {
	struct products_product held;
	*out = 0;
	TRY(medicines_product(request, &held, product, err));
	for (uint64_t units = held.units * 7 / 32; units > 1; units >>= 1) ++*out;
	return STATUS_OK;
}

/* The place of the first tag that is in the table (`wanted`), or that is not. One that a regulator admitted is not, as
 * long as it is not commissioned; that is looked at for one that is not to be there only. */
static enum status find_serial(struct actor_request *request, size_t *at, const hash32 *product, const hash32 *tags,
    size_t count, bool wanted, struct err *err) {
	const hash32 first = products_tables_slot(product);
	struct verified_want *wants = arena_zalloc(request->arena, count + 1, sizeof *wants);
	unsigned depth;
	TRY(guess_depth(request, &depth, product, err));
	for (size_t i = 0; i < count; i++)
		wants[i] = (struct verified_want){&request->home->deployment.products,
		    contract_slot_after(&first, serial_fragment(&tags[i]) & (((uint64_t)1 << depth) - 1))};
	TRY(expect(request, wants, count, err));
	for (*at = 0; *at < count; ++*at) {
		uint64_t fragment = serial_fragment(&tags[*at]), place = fragment & (((uint64_t)1 << depth) - 1);
		struct serial_bucket bucket;
		TRY(bucket_at(request, &bucket, &first, place, err));
		if (serial_bucket_is_unmade(&bucket) || serial_bucket_place(&bucket, fragment) != place)
			TRY(find_bucket(request, &bucket, &first, fragment, err));
		bool is_in = serial_bucket_has(&bucket, fragment), admitted = false;
		if (is_in && wanted) TRY(is_admitted(request, &admitted, product, fragment, err));
		if ((is_in && !admitted) == wanted) return STATUS_OK;
	}
	return STATUS_OK;
}

enum status medicines_find_serials(struct actor_request *request, size_t *missing, const hash32 *product,
    const hash32 *tags, size_t count, struct err *err) {
	return find_serial(request, missing, product, tags, count, false, err);
}

enum status medicines_find_commissioned(struct actor_request *request, size_t *at, const hash32 *product,
    const hash32 *tags, size_t count, struct err *err) {
	return find_serial(request, at, product, tags, count, true, err);
}

enum status medicines_is_commissioned(
    struct actor_request *request, bool *out, const hash32 *product, const hash32 *unit_tag, struct err *err) {
	size_t at;
	TRY(medicines_find_commissioned(request, &at, product, unit_tag, 1, err));
	*out = at == 0;
	return STATUS_OK;
}
