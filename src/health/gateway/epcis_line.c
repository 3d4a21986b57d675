#include "health/gateway/epcis_line.h"

#include <stdio.h>

#include "base/log.h"
#include "health/contracts/cause.h"
#include "health/epcis/plan.h"
#include "health/gateway/epcis_intake.h"
#include "health/gateway/gateway_private.h"

#define LEFT_OUT_MAX 100u /* events of a document that proceeding leaves out; then the rest is refused */
#define YEAR_S 31556952u
#define LOOK_EVERY_MS 5000u /* at the home's documents */
#define WAIT_MS 20u         /* for a job that somebody carries out */

/* Somebody who waits for a job. */
struct waiting {
	const char *name;
	struct epcis_line_end *end;
	bool is_over;
	struct waiting *next;
};
struct epcis_line {
	struct epcis_server *server;
	struct index *index; /* its own connection: a stock has one owner */
	struct monitor *monitor;
	bool is_running; /* somebody carries jobs out */
	bool is_queued;  /* a worker will look whether somebody has to */
	bool is_stopping;
	/* of whoever runs */
	uint64_t looked_at_ms;
	bool is_stocked;       /* the index has what the home had at the last look */
	size_t document_count; /* of the home, all of which were taken in; SIZE_MAX: not looked at yet */
	struct waiting *waiting;
};

/* --- one document --- */

/* What capturing one document takes. */
struct capture_work {
	struct epcis_line *line;
	struct actor_request request;
	struct arena *arena;
	struct stock stock;
	size_t left_out;
	struct buf errors; /* problems, with commas between */
};

static void note_problem(struct capture_work *work, enum epcis_exception exception, const char *detail) {
	if (work->errors.len) buf_byte(&work->errors, ',');
	epcis_problem_write(&work->errors, exception, detail);
}

static enum epcis_exception exception_of(enum status status) {
	switch (status) {
	case STATUS_INVALID:
	case STATUS_NOTFOUND:
	case STATUS_DENIED:
	case STATUS_UNSUPPORTED: return EPCIS_VALIDATION;
	case STATUS_EXISTS: return EPCIS_RESOURCE_EXISTS;
	case STATUS_LIMIT: return EPCIS_CAPTURE_LIMIT;
	case STATUS_OK:
	case STATUS_PRUNED:
	case STATUS_BUSY:
	case STATUS_IO:
	case STATUS_TIMEOUT:
	case STATUS_CORRUPT:
	case STATUS_INTERNAL:
	case STATUS_COUNT: break;
	}
	return EPCIS_FAILURE;
}

/* It may succeed if it is tried again, so the job stays. */
static bool is_passing(enum status status) {
	return status == STATUS_IO || status == STATUS_BUSY || status == STATUS_TIMEOUT;
}

/* What the chain answered: an alert, as of a pack that was dispensed before. NULL: nothing bad. */
static const char *answer_of(struct capture_work *work, const struct plan_results *results) {
	for (size_t i = 0; i < results->count; i++) {
		const enum medicines_code code = results->parts[i].code;
		if (code != MEDICINES_CODE_OK)
			return arena_printf(
			    work->arena, "%s: %s", medicines_code_name(code), medicines_code_text(code));
	}
	return NULL;
}

static enum status record(
    struct capture_work *work, struct epcis_intake *intake, const struct plan *plan, size_t *at, struct err *err) {
	const struct home *home = work->request.home;
	int64_t recorded_ms = (int64_t)clock_now_ms(work->request.clock);
	bool is_new;
	epcis_intake_add_parties(intake, work->arena, home->deployment.chain_id, &home->account, 1);
	epcis_intake_add_parties(
	    intake, work->arena, home->deployment.chain_id, plan->recipients, plan->recipient_count);
	return events_record(work->line->server->events, &plan->document.hash, intake->entries, intake->document.count,
	    &recorded_ms, &is_new, at, err);
}

/* An event that did nothing is not recorded. If others of its document did, all are, and the answer is told. */
static enum status finish(struct capture_work *work, struct epcis_intake *intake, const struct plan *plan,
    const char *answer, size_t *at, struct err *err) {
	const bool did_nothing = answer && intake->document.count == 1 && plan->document.unit_count == 1;
	if (!did_nothing) TRY(record(work, intake, plan, at, err));
	if (!answer) return STATUS_OK;
	TRY(events_answer(work->line->server->events, &plan->document.hash, bytes_text(answer), err));
	return err_set(err, STATUS_DENIED, "%s", answer);
}

/* Moves what the document moves, and keeps it; then its events are found. *at: the event to blame, or SIZE_MAX. */
static enum status capture_text(
    struct capture_work *work, struct bytes text, struct epcis_intake *intake, size_t *at, struct err *err) {
	struct events *events = work->line->server->events;
	const struct plan_wish wish = {
	    .this_year = (unsigned)(1970 + clock_now_ms(work->request.clock) / 1000 / YEAR_S), .keeps_all = true};
	struct plan *plan = arena_zalloc(work->arena, 1, sizeof *plan);
	struct plan_results results;
	struct bytes problem;
	struct document named;
	bool is_there;
	TRY(epcis_intake_read(intake, at, work->arena, text, err));
	document_init(&named, &work->request, intake->document.text);
	TRY(events_has_document(events, &is_there, &problem, work->arena, &named.hash, err));
	if (problem.len) return err_set(err, STATUS_DENIED, "%.*s", (int)problem.len, (const char *)problem.data);
	if (is_there) return STATUS_OK;
	TRY(events_check(events, intake->entries, intake->document.count, at, err));
	*at = SIZE_MAX;
	const enum status planned = plan_make(plan, &work->request, &work->stock, &intake->document, &wish, err);
	if (planned != STATUS_OK && plan->failed_event) *at = plan->failed_event - 1;
	TRY(planned);
	TRY(plan_run(&work->request, &work->stock, plan, &results, err));
	return finish(work, intake, plan, answer_of(work, &results), at, err);
}

/* The next try leaves out the event that is to blame. False: there is no next try. */
static bool leave_out(struct capture_work *work, const struct epcis_intake *intake, size_t at, struct bytes *text) {
	if (at == SIZE_MAX || at >= intake->document.count || work->left_out == LEFT_OUT_MAX) return false;
	bool *leave = arena_zalloc(work->arena, intake->document.count, sizeof *leave);
	leave[at] = true;
	work->left_out++;
	*text = epcis_intake_without(intake, work->arena, leave);
	return intake->document.count > 1;
}

static enum status capture_all(
    struct capture_work *work, const struct event_job *job, struct epcis_line_end *end, struct err *err) {
	struct bytes text = job->body;
	for (;;) {
		struct epcis_intake intake;
		size_t at = SIZE_MAX;
		const enum status status = capture_text(work, text, &intake, &at, err);
		if (status == STATUS_OK) {
			end->success = work->left_out == 0;
			return STATUS_OK;
		}
		if (is_passing(status)) return status;
		end->success = false;
		end->exception = exception_of(status);
		snprintf(end->detail, sizeof end->detail, "%s",
		    end->exception == EPCIS_FAILURE ? "this server failed; its operator finds the cause in its log"
						    : err->message);
		if (end->exception == EPCIS_FAILURE) log_warn("gateway", "a capture: %s", err->message);
		note_problem(work, end->exception, end->detail);
		if (!job->proceeds || !leave_out(work, &intake, at, &text)) return STATUS_OK;
	}
}

/* --- documents that came by other ways --- */

static enum status take_in(struct capture_work *work, const char *name, struct err *err) {
	struct events *events = work->line->server->events;
	const uint64_t chain_id = work->request.home->deployment.chain_id;
	struct epcis_intake intake = {0};
	struct document document;
	int64_t recorded_ms = (int64_t)clock_now_ms(work->request.clock);
	struct bytes problem;
	bool is_there;
	size_t at;
	TRY(stock_read(&work->request, &document, name, err));
	TRY(events_has_document(events, &is_there, &problem, work->arena, &document.hash, err));
	if (is_there) return STATUS_OK;
	enum status status = STATUS_OK; /* a reference to packs has no text */
	if (document.epcis.len) status = epcis_intake_reread(&intake, work->arena, document.epcis, err);
	const addr20 parties[] = {document.sender, work->request.home->account};
	epcis_intake_add_parties(&intake, work->arena, chain_id, parties, 2);
	if (status == STATUS_OK)
		status = events_record(
		    events, &document.hash, intake.entries, intake.document.count, &recorded_ms, &is_there, &at, err);
	if (status != STATUS_EXISTS && status != STATUS_INVALID) return status;
	log_warn("gateway", "the events of document %s are not found by queries: %s", name, err->message);
	return events_answer(events, &document.hash, bytes_text(err->message), err);
}

static enum status take_in_all(struct capture_work *work, struct err *err) {
	char **names;
	size_t count;
	TRY(stock_names(&work->request, &names, &count, err));
	if (count == work->line->document_count) return STATUS_OK;
	for (size_t i = 0; i < count; i++) {
		const struct arena_mark mark = arena_mark(work->arena);
		TRY(take_in(work, names[i], err));
		arena_rewind(work->arena, mark);
	}
	work->line->document_count = count;
	return STATUS_OK;
}

/* A damaged document stops nobody: it is said, and tried again. */
static void look_at_home(struct epcis_line *line, struct arena *arena) {
	struct gateway *gateway = line->server->gateway;
	struct capture_work work = {.line = line, .arena = arena};
	const uint64_t now_ms = clock_now_ms(gateway->options.clock);
	struct err err;
	if (line->is_stocked && now_ms < line->looked_at_ms + LOOK_EVERY_MS) return;
	line->looked_at_ms = now_ms;
	enum status status = actor_request_begin(gateway->options.actor, &work.request, arena, 0, &err);
	if (status == STATUS_OK) {
		status = index_stock(line->index, &work.stock, &work.request, &err);
		line->is_stocked |= status == STATUS_OK;
		if (status == STATUS_OK) status = take_in_all(&work, &err);
		actor_request_end(&work.request);
	}
	if (status != STATUS_OK) log_warn("gateway", "the home's documents: %s", err.message);
}

/* --- the line --- */

static void wake_waiting(struct epcis_line *line, const char *name, const struct epcis_line_end *end) {
	const struct threads *threads = line->server->gateway->options.threads;
	threads->lock(line->monitor);
	for (struct waiting *waiting = line->waiting; waiting; waiting = waiting->next)
		if (strcmp(waiting->name, name) == 0) {
			*waiting->end = *end;
			waiting->is_over = true;
		}
	threads->wake_all(line->monitor);
	threads->unlock(line->monitor);
}

/* STATUS_IO and the like: it is tried again later. */
static enum status carry_out(struct epcis_line *line, struct event_job *job, struct arena *arena, struct err *err) {
	struct gateway *gateway = line->server->gateway;
	struct capture_work work = {.line = line, .arena = arena};
	struct epcis_line_end end = {.success = true};
	buf_init(&work.errors, BUF_MAX_DEFAULT);
	enum status status = actor_request_begin(gateway->options.actor, &work.request, arena, 0, err);
	if (status == STATUS_OK) {
		status = request_check_chain(&work.request, err);
		index_stock_as_it_is(line->index, &work.stock, &work.request);
		if (status == STATUS_OK) status = capture_all(&work, job, &end, err);
		actor_request_end(&work.request);
	}
	if (status == STATUS_OK) {
		job->success = end.success;
		job->finished_ms = (int64_t)clock_now_ms(gateway->options.clock);
		job->errors = buf_view(&work.errors);
		status = event_jobs_end(line->server->events, job, err);
	}
	if (status == STATUS_OK) wake_waiting(line, job->name, &end);
	buf_fini(&work.errors);
	return status;
}

/* False: somebody does already. */
static bool begin(struct epcis_line *line) {
	const struct threads *threads = line->server->gateway->options.threads;
	threads->lock(line->monitor);
	const bool is_mine = !line->is_running;
	line->is_running = true;
	threads->unlock(line->monitor);
	return is_mine;
}

/* Carries out what waits, or until the job of whoever runs it is over [NULL], and then nobody is running. Whoever adds
 * a job before that sees it carried out, or sees that nobody is. */
static void run(struct epcis_line *line, const struct waiting *mine) {
	const struct threads *threads = line->server->gateway->options.threads;
	struct arena arena;
	struct err err;
	enum status status = STATUS_OK;
	bool goes_on = true;
	arena_init(&arena);
	look_at_home(line, &arena);
	while (goes_on) {
		struct event_job job;
		bool found = false;
		arena_reset(&arena);
		threads->lock(line->monitor);
		if (status == STATUS_OK && line->is_stocked && !line->is_stopping && !(mine && mine->is_over))
			status = event_jobs_next(line->server->events, &job, &found, &arena, &err);
		goes_on = line->is_running = found;
		threads->unlock(line->monitor);
		if (goes_on) status = carry_out(line, &job, &arena, &err);
	}
	arena_fini(&arena);
	if (status != STATUS_OK) log_warn("gateway", "a capture waits: %s", err.message);
}

static void run_if_nobody_does(void *argument) {
	struct epcis_line *line = argument;
	const struct threads *threads = line->server->gateway->options.threads;
	threads->lock(line->monitor);
	line->is_queued = false;
	threads->unlock(line->monitor);
	if (begin(line)) run(line, NULL);
}

void epcis_line_wake(struct epcis_line *line) {
	const struct gateway_options *options = &line->server->gateway->options;
	options->threads->lock(line->monitor);
	const bool is_needed = !line->is_running && !line->is_queued;
	line->is_queued |= is_needed;
	options->threads->unlock(line->monitor);
	if (!is_needed || workers_give(options->workers, run_if_nobody_does, line)) return;
	options->threads->lock(line->monitor);
	line->is_queued = false;
	options->threads->unlock(line->monitor);
}

void epcis_line_stop(struct epcis_line *line) {
	const struct threads *threads = line->server->gateway->options.threads;
	threads->lock(line->monitor);
	line->is_stopping = true;
	threads->wake_all(line->monitor);
	threads->unlock(line->monitor);
}

struct epcis_line *epcis_line_new(struct epcis_server *server) {
	const struct gateway_options *options = &server->gateway->options;
	struct epcis_line *line = mem_zalloc(1, sizeof *line);
	line->server = server;
	line->document_count = SIZE_MAX;
	line->index = index_new(actor_home(options->actor), NULL);
	line->monitor = options->threads->monitor_new(options->threads->context);
	return line;
}

void epcis_line_free(struct epcis_line *line) {
	if (!line) return;
	index_free(line->index);
	line->server->gateway->options.threads->monitor_free(line->monitor);
	mem_free(line);
}

/* A UUID of random bits (RFC 9562 §5.4). */
static void make_name(char out[EVENT_JOB_NAME_SIZE], const struct random_source *random) {
	uint8_t b[16];
	random_fill(random, b, sizeof b);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(out, EVENT_JOB_NAME_SIZE, "%08x-%04x-%04x-%04x-%04x%08x", load_be32(b), (unsigned)(b[4] << 8 | b[5]),
	    (unsigned)(b[6] << 8 | b[7]), (unsigned)(b[8] << 8 | b[9]), (unsigned)(b[10] << 8 | b[11]),
	    load_be32(b + 12));
}

enum status epcis_line_take(struct epcis_line *line, struct event_job *job, struct err *err) {
	const struct gateway_options *options = &line->server->gateway->options;
	make_name(job->name, options->random);
	job->created_ms = (int64_t)clock_now_ms(options->clock);
	TRY(event_jobs_add(line->server->events, job, err));
	epcis_line_wake(line);
	return STATUS_OK;
}

static void leave(struct epcis_line *line, struct waiting *waiting) {
	for (struct waiting **at = &line->waiting; *at; at = &(*at)->next)
		if (*at == waiting) {
			*at = waiting->next;
			return;
		}
}

/* Whoever waits carries the jobs out if nobody does: all workers may be such. */
static void await(struct epcis_line *line, struct waiting *waiting, uint64_t until_ms) {
	const struct gateway_options *options = &line->server->gateway->options;
	bool is_over = false;
	while (!is_over && clock_now_ms(options->clock) < until_ms) {
		if (begin(line)) run(line, waiting);
		options->threads->lock(line->monitor);
		if (!waiting->is_over) options->threads->wait(line->monitor, WAIT_MS);
		is_over = waiting->is_over || line->is_stopping;
		options->threads->unlock(line->monitor);
	}
}

enum status epcis_line_take_and_wait(
    struct epcis_line *line, struct event_job *job, struct epcis_line_end *end, struct err *err) {
	const struct gateway_options *options = &line->server->gateway->options;
	const uint64_t until_ms = clock_now_ms(options->clock) + options->request_ms;
	struct waiting waiting = {.end = end};
	make_name(job->name, options->random);
	job->created_ms = (int64_t)clock_now_ms(options->clock);
	waiting.name = job->name;
	options->threads->lock(line->monitor);
	waiting.next = line->waiting;
	line->waiting = &waiting;
	options->threads->unlock(line->monitor);
	enum status status = event_jobs_add(line->server->events, job, err);
	if (status == STATUS_OK) await(line, &waiting, until_ms);
	epcis_line_wake(line); /* for those that do not wait */
	options->threads->lock(line->monitor);
	leave(line, &waiting);
	options->threads->unlock(line->monitor);
	if (status == STATUS_OK && !waiting.is_over)
		status = err_set(err, STATUS_TIMEOUT, "the event is taken, and not captured yet");
	return status;
}
