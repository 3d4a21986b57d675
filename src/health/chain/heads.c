/* The last head that was taken: kept, followed, and given out. How a head is asked for is in heads_ask.c. */
#include <stdio.h>

#include "health/chain/heads_private.h"
#include "health/chain/proved.h"
#include "health/chain/validators.h"
#include "health/contracts/cause.h"

#define HEAD_FILE "head.json"
#define EVIDENCE_FILE "evidence.json"
#define FILE_MAX ((size_t)128 << 10)
#define TRIES 16u /* another program or thread may take a newer head meanwhile */
/* A head is on the disk at the latest so long after it was taken: a sync costs more than the rest of a read, and a head
 * that answered a challenge cannot be followed by an older one that does. */
#define WRITE_EVERY_MS 1000u
#define SHARED_WAIT_MS 50u /* between two looks at the own deadline, while another request asks */

struct heads {
	struct heads_options options;
	struct validators *validators; /* NULL: the chain is none's */
	struct head_authority authority;
	hash32 domain;
	struct monitor *monitor; /* of what follows; NULL: one thread */
	bool has_last;
	struct head last;
	bool has_file; /* what this program read from the file or wrote there last, and when */
	hash32 file_hash;
	uint64_t written_ms;
	bool has_other; /* what another program wrote there, if it was not checked yet */
	struct head other;
	bool is_stopped;
	struct err why;
	/* Requests share a question: an answer serves all that began before the question was sent. */
	bool is_asking;
	uint64_t questions; /* begun so far */
	struct answered {
		uint64_t question; /* its number, from 1; 0: none ended yet */
		enum status status;
		struct head head;
		struct err err;
	} answered;            /* the last one */
	struct proved *proved; /* its own lock */
};

static void enter(struct heads *heads) {
	if (heads->monitor) heads->options.threads->lock(heads->monitor);
}

static void leave(struct heads *heads) {
	if (heads->monitor) heads->options.threads->unlock(heads->monitor);
}

/* --- what is kept --- */

static enum status get(const struct heads *heads, struct buf *out, const char *name, struct err *err) {
	const struct head_store *store = heads->options.store;
	return store->get(store->context, out, name, err);
}

static enum status read_last(struct heads *heads, struct err *err) {
	struct buf text;
	buf_init(&text, FILE_MAX);
	enum status status = get(heads, &text, HEAD_FILE, err);
	if (status == STATUS_OK) status = head_parse(&heads->last, buf_view(&text), err);
	if (status == STATUS_CORRUPT) err_prefix(err, status, "%s", HEAD_FILE);
	buf_fini(&text);
	heads->has_last = heads->has_file = status == STATUS_OK;
	heads->file_hash = heads->last.hash;
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

static enum status stopped(struct err *err, const char *where) {
	err_set(err, STATUS_CORRUPT,
	    "the chain has two signed blocks of one height (%s): nothing that it shows is believed any more; both are "
	    "in this home's %s",
	    where, EVIDENCE_FILE);
	return err_because(err, CAUSE_TWO_BLOCKS, STATUS_CORRUPT);
}

/* A home that has evidence stays stopped, whoever found it. */
static enum status read_evidence(const struct heads *heads, struct err *err) {
	struct buf text;
	buf_init(&text, FILE_MAX);
	enum status status = get(heads, &text, EVIDENCE_FILE, err);
	buf_fini(&text);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	return status == STATUS_OK || status == STATUS_LIMIT ? stopped(err, "found earlier") : status;
}

/* Is the last head the file's? */
static bool is_written(const struct heads *heads) {
	return heads->has_file && hash32_equal(&heads->file_hash, &heads->last.hash);
}

struct writing {
	struct heads *heads;
	const struct head *head;
};

/* With the store's lock. What another program wrote has to be followed too, so it is not written over. */
static enum status replace(void *context, struct buf *text, bool *changed, struct err *err) {
	const struct writing *writing = context;
	struct heads *heads = writing->heads;
	struct head kept;
	if (text->len) {
		TRY(head_parse(&kept, buf_view(text), err));
		if (hash32_equal(&kept.hash, &writing->head->hash)) return STATUS_OK;
		if (!heads->has_file || !hash32_equal(&kept.hash, &heads->file_hash)) {
			heads->has_file = heads->has_other = true;
			heads->file_hash = kept.hash;
			heads->other = kept;
			return err_set(err, STATUS_BUSY, "other programs take heads faster than this one");
		}
	}
	buf_clear(text);
	head_write(text, writing->head);
	*changed = true;
	return buf_status(text, err);
}

/* STATUS_BUSY: another program has written one, which is heads->other now. */
static enum status write_head(struct heads *heads, const struct head *head, struct err *err) {
	const struct head_store *store = heads->options.store;
	struct writing writing = {heads, head};
	TRY(read_evidence(heads, err)); /* another program may have found some */
	TRY(store->update(store->context, HEAD_FILE, replace, &writing, err));
	heads->has_file = true;
	heads->file_hash = head->hash;
	heads->written_ms = clock_now_ms(heads->options.clock);
	return STATUS_OK;
}

static enum status open_validators(struct heads *heads, struct err *err) {
	if (heads->options.authority || !deployment_is_consortium(heads->options.anchor)) return STATUS_OK;
	TRY(validators_open(&heads->validators, &heads->options, err));
	heads->authority = validators_authority(heads->validators);
	heads->options.authority = &heads->authority;
	return STATUS_OK;
}

enum status heads_open(struct heads **out, const struct heads_options *options, struct err *err) {
	struct heads *heads = mem_zalloc(1, sizeof *heads);
	const u256 chain_id = u256_from(options->anchor->chain_id);
	heads->options = *options;
	heads->domain = seal_domain(&chain_id, &options->anchor->genesis);
	enum status status = read_evidence(heads, err);
	if (status == STATUS_OK) status = read_last(heads, err);
	if (status == STATUS_OK) status = open_validators(heads, err);
	if (status != STATUS_OK) {
		heads_close(heads);
		return status;
	}
	if (options->threads) heads->monitor = options->threads->monitor_new(options->threads->context);
	heads->proved = proved_new(options->threads);
	*out = heads;
	return STATUS_OK;
}

void heads_close(struct heads *heads) {
	if (!heads) return;
	if (heads->has_last && !is_written(heads)) (void)write_head(heads, &heads->last, NULL);
	if (heads->monitor) heads->options.threads->monitor_free(heads->monitor);
	validators_close(heads->validators);
	proved_free(heads->proved);
	mem_free(heads);
}

struct proved *heads_proved(const struct heads *heads) {
	return heads->proved;
}

const struct deployment *heads_anchor(const struct heads *heads) {
	return heads->options.anchor;
}

void heads_refresh_anchor(struct heads *heads, struct deployment *out) {
	if (heads->validators)
		validators_refresh(heads->validators, out);
	else
		*out = *heads->options.anchor;
}

const struct head_store *heads_store(const struct heads *heads) {
	return heads->options.store;
}

/* --- two blocks of one height --- */

struct evidence {
	const struct head *kept; /* NULL: the authority has both blocks */
	const struct head *shown;
	const struct head_authority *authority; /* NULL: the heads' own signatures are enough */
};

static enum status write_evidence(void *context, struct buf *text, bool *changed, struct err *err) {
	const struct evidence *evidence = context;
	struct json_writer writer = json_writer(text);
	if (text->len) return STATUS_OK; /* the first is kept */
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 1);
	json_put_u64(&writer, "height", (evidence->kept ? evidence->kept : evidence->shown)->number);
	if (evidence->kept) {
		json_put_name(&writer, "kept");
		head_write(text, evidence->kept);
	}
	json_put_name(&writer, "shown");
	head_write(text, evidence->shown);
	if (evidence->authority) evidence->authority->put_evidence(evidence->authority->context, &writer);
	json_object_end(&writer);
	*changed = true;
	return buf_status(text, err);
}

/* Stops this program even if the evidence cannot be written. */
static enum status stop(struct heads *heads, const struct head *kept, const struct head *shown, struct err *err) {
	const struct head_store *store = heads->options.store;
	struct evidence evidence = {kept, shown, heads->options.authority};
	char where[80];
	snprintf(where, sizeof where, "block %llu, shown by block %llu",
	    (unsigned long long)(kept ? kept : shown)->number, (unsigned long long)shown->number);
	enum status status = store->update(store->context, EVIDENCE_FILE, write_evidence, &evidence, err);
	if (status != STATUS_OK) err_prefix(err, status, "%s could not be written", EVIDENCE_FILE);
	if (status == STATUS_OK) status = stopped(err, where);
	enter(heads);
	heads->is_stopped = true;
	(void)stopped(&heads->why, where);
	leave(heads);
	return status;
}

/* --- taking --- */

/* Is it that one, or does it follow it? */
static enum status check_follows(
    struct heads *heads, const struct head *head, const struct head *last, struct client *client, struct err *err) {
	bool forks = false;
	if (head->number < last->number) {
		err_set(err, STATUS_DENIED,
		    "the head is not believed: the node shows block %llu as its newest, and this home has seen block %llu",
		    (unsigned long long)head->number, (unsigned long long)last->number);
		return err_because(err, CAUSE_OLD_HEAD, STATUS_DENIED);
	}
	if (head->number == last->number) {
		forks = !hash32_equal(&head->hash, &last->hash);
	} else {
		struct arena arena;
		arena_init(&arena);
		enum status status = head_descends(&forks, head, last, client, &arena, err);
		arena_fini(&arena);
		TRY(status);
	}
	return forks ? stop(heads, last, head, err) : STATUS_OK;
}

/* What a head is checked against: the last one that was taken, and another program's. */
struct lasts {
	struct head heads[2];
	size_t count;
};

/* Those, or what stopped everything. */
static enum status look(struct heads *heads, struct lasts *out, struct err *err) {
	enter(heads);
	const bool is_stopped = heads->is_stopped;
	out->count = 0;
	if (is_stopped && err) *err = heads->why;
	if (heads->has_last) out->heads[out->count++] = heads->last;
	if (heads->has_other) out->heads[out->count++] = heads->other;
	leave(heads);
	return is_stopped ? STATUS_CORRUPT : STATUS_OK;
}

/* With the lock: are these still what a head has to follow? */
static bool is_checked_against(const struct heads *heads, const struct lasts *lasts) {
	size_t at = 0;
	if (lasts->count != (size_t)heads->has_last + heads->has_other) return false;
	if (heads->has_last && !hash32_equal(&heads->last.hash, &lasts->heads[at++].hash)) return false;
	return !heads->has_other || hash32_equal(&heads->other.hash, &lasts->heads[at].hash);
}

/* Keeps a head that follows all of these. STATUS_BUSY: there are others by now. */
static enum status keep(struct heads *heads, const struct head *head, const struct lasts *lasts, struct err *err) {
	enum status status = STATUS_OK;
	enter(heads);
	const bool is_known = heads->has_last && hash32_equal(&heads->last.hash, &head->hash);
	const bool is_checked = is_checked_against(heads, lasts);
	const uint64_t now_ms = clock_now_ms(heads->options.clock);
	const bool is_due = !heads->has_file || now_ms - heads->written_ms >= WRITE_EVERY_MS;
	if (!is_checked)
		status = err_set(err, STATUS_BUSY, "heads are taken faster by others than by this request");
	else if (!is_known && is_due)
		status = write_head(heads, head, err);
	if (status == STATUS_OK) {
		if (!is_known || head->known_ms > heads->last.known_ms) heads->last = *head;
		heads->has_last = true;
		heads->has_other = false;
	}
	leave(heads);
	return status;
}

static enum status ask(
    struct heads *heads, struct head *out, struct client *client, uint32_t max_age_s, struct err *err) {
	struct arena arena;
	arena_init(&arena);
	const struct head_question question = {.options = &heads->options,
	    .domain = &heads->domain,
	    .client = client,
	    .arena = &arena,
	    .max_age_s = max_age_s,
	    .asked_ms = clock_now_ms(heads->options.clock)};
	struct err why = {0};
	enum status status = head_ask(out, &question, &why);
	arena_fini(&arena);
	if (status == STATUS_CORRUPT && why.cause == CAUSE_TWO_BLOCKS) return stop(heads, NULL, out, err);
	if (err) *err = why;
	return status;
}

static enum status take_alone(
    struct heads *heads, struct head *out, struct client *client, uint32_t max_age_s, struct err *err) {
	const uint64_t begun_ms = clock_now_ms(heads->options.clock);
	enum status status = STATUS_BUSY;
	for (unsigned i = 0; i < TRIES && status == STATUS_BUSY; i++) {
		struct lasts lasts;
		TRY(look(heads, &lasts, err));
		if (lasts.count == 1 &&
		    lasts.heads[0].known_ms > begun_ms) { /* another thread asked after this began */
			*out = lasts.heads[0];
			return STATUS_OK;
		}
		TRY(ask(heads, out, client, max_age_s, err));
		for (size_t n = 0; n < lasts.count; n++) TRY(check_follows(heads, out, &lasts.heads[n], client, err));
		status = keep(heads, out, &lasts, err);
	}
	return status;
}

/* --- taking one together --- */

/* Asks with a challenge of its own, for all that come before it is sent. */
static enum status ask_for_all(
    struct heads *heads, struct head *out, struct client *client, uint32_t max_age_s, struct err *err) {
	struct err why = {0};
	heads->is_asking = true;
	const uint64_t question = ++heads->questions;
	leave(heads);
	const enum status status = take_alone(heads, out, client, max_age_s, &why);
	enter(heads);
	heads->is_asking = false;
	heads->answered = (struct answered){question, status, *out, why};
	heads->options.threads->wake_all(heads->monitor);
	if (err && status != STATUS_OK) *err = why;
	return status;
}

/* Can a request that began at `begun_ms` use the answer? What a node says of blocks is said to all; that it was silent,
 * or slow, is the one request's. */
static bool serves(const struct heads *heads, uint64_t begun_ms, uint32_t max_age_s) {
	const struct answered *answered = &heads->answered;
	const bool is_quiet = max_age_s == HEADS_FRESH && heads->options.authority;
	if (answered->status == STATUS_OK)
		return head_is_young(&answered->head, begun_ms, is_quiet ? HEADS_QUIET_S : max_age_s);
	return answered->status == STATUS_CORRUPT;
}

/* With the lock. *done false: this request has to ask alone. */
static enum status take_together(
    struct heads *heads, bool *done, struct head *out, struct client *client, uint32_t max_age_s, struct err *err) {
	const uint64_t begun = heads->questions, begun_ms = clock_now_ms(heads->options.clock);
	*done = true;
	while (heads->is_asking && heads->answered.question <= begun) {
		TRY(client_begin_exchange(client, err)); /* its time is over? */
		heads->options.threads->wait(heads->monitor, SHARED_WAIT_MS);
	}
	if (heads->answered.question <= begun) return ask_for_all(heads, out, client, max_age_s, err);
	*done = serves(heads, begun_ms, max_age_s);
	*out = heads->answered.head;
	if (err && heads->answered.status != STATUS_OK) *err = heads->answered.err;
	return heads->answered.status;
}

enum status heads_take(
    struct heads *heads, struct head *out, struct client *client, uint32_t max_age_s, struct err *err) {
	bool done = false;
	if (!heads->monitor) return take_alone(heads, out, client, max_age_s, err);
	enter(heads);
	const enum status status = take_together(heads, &done, out, client, max_age_s, err);
	leave(heads);
	return done ? status : take_alone(heads, out, client, max_age_s, err);
}

uint64_t heads_now_s(struct heads *heads) {
	const uint64_t here = clock_now_ms(heads->options.clock) / 1000;
	enter(heads);
	const uint64_t there = heads->has_last ? heads->last.time_s : 0;
	leave(heads);
	return here > there ? here : there;
}
