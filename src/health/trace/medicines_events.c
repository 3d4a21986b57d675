/* Lists of the contract of medicines, complete by their slots, and what is inside a container. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "eth/abi.h"
#include "health/trace/medicines.h"

/* A list that grows; `rows` in the request's arena. */
struct gathering {
	struct actor_request *request;
	const hash32 *batch;
	void *rows;
	size_t count, room;
};

/* Room for one more of `size` bytes, zeroed. */
static void *one_more(struct gathering *gathering, size_t size) {
	if (gathering->count == gathering->room) {
		size_t room = gathering->room ? 2 * gathering->room : 16;
		void *larger = arena_zalloc(gathering->request->arena, room, size);
		if (gathering->count) memcpy(larger, gathering->rows, gathering->count * size);
		gathering->rows = larger;
		gathering->room = room;
	}
	return (uint8_t *)gathering->rows + size * gathering->count++;
}

/* --- alerts --- */

static enum status alert_entry(
    void *context, struct list_entry *out, bool *is_entry, const struct client_log *log, struct err *err) {
	struct medicines_alert_event event;
	(void)context;
	TRY(medicines_alert_event_read(&event, &log->log, err));
	const hash32 words[4] = {abi_topic_of_u64(event.index), abi_topic_of_u64(event.code),
	    abi_topic_of_address(&event.by), abi_topic_of_address(&event.other)};
	out->n = event.n;
	memcpy(out->before, event.before, sizeof out->before);
	out->entry = keccak256(bytes_make(words, sizeof words));
	*is_entry = true;
	return STATUS_OK;
}

static enum status note_alert(
    void *context, const struct list_entry *entry, const struct client_log *log, struct err *err) {
	struct gathering *gathering = context;
	struct medicines_alert alert = {
	    .block_number = log->block_number, .timestamp = entry->time_s, .tx_hash = log->tx_hash};
	TRY(medicines_alert_event_read(&alert.event, &log->log, err));
	*(struct medicines_alert *)one_more(gathering, sizeof alert) = alert;
	return STATUS_OK;
}

static enum status alerts_of_lot(
    struct verified *verified, struct gathering *gathering, const hash32 *batch, struct err *err) {
	const addr20 *medicines = &gathering->request->home->deployment.medicines;
	const struct verified_list list = {.contract = medicines,
	    .slot = medicines_alert_lists_slot(batch),
	    .query = {.address = medicines, .topics = {{&medicines_alert_event_topic, 1}, {batch, 1}}},
	    .entry = alert_entry,
	    .visit = note_alert,
	    .context = gathering};
	return verified_list(verified, &list, NULL, err);
}

/* Words of any number, a question at a time. */
static enum status read_words(
    struct actor_request *request, hash32 *words, const struct verified_want *wants, size_t count, struct err *err) {
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	for (size_t at = 0; at < count; at += VERIFIED_WORDS_MAX) {
		const size_t n = count - at < VERIFIED_WORDS_MAX ? count - at : VERIFIED_WORDS_MAX;
		TRY(verified_words(verified, words + at, wants + at, n, err));
		progress_at(request->progress, "asking the chain about lots", at + n, count);
	}
	return STATUS_OK;
}

enum status medicines_lots(struct actor_request *request, hash32 **out, size_t *count, struct err *err) {
	const addr20 *medicines = &request->home->deployment.medicines;
	const struct verified_want want = {medicines, medicines_lots_count_slot()};
	uint32_t number;
	hash32 word;
	TRY(read_words(request, &word, &want, 1, err));
	TRY(medicines_lots_count_load(&number, &word, err));
	struct verified_want *wants = arena_zalloc(request->arena, (size_t)number + 1, sizeof *wants);
	for (uint32_t i = 0; i < number; i++) wants[i] = (struct verified_want){medicines, medicines_lots_slot(i + 1)};
	*out = arena_alloc(request->arena, ((size_t)number + 1) * sizeof **out);
	*count = number;
	return read_words(request, *out, wants, number, err);
}

static int compare_alerts(const void *a, const void *b) {
	const struct medicines_alert *one = a, *other = b;
	if (one->block_number != other->block_number) return one->block_number < other->block_number ? -1 : 1;
	return one->event.n < other->event.n ? -1 : one->event.n > other->event.n;
}

/* A word for each lot says how many it has: only those that have any are read. */
enum status medicines_alerts(struct actor_request *request, struct medicines_alert **alerts, size_t *count,
    const hash32 *lots, size_t lot_count, const addr20 *actor, struct err *err) {
	struct gathering gathering = {.request = request};
	struct verified_want *wants = arena_zalloc(request->arena, lot_count + 1, sizeof *wants);
	hash32 *words = arena_alloc(request->arena, (lot_count + 1) * sizeof *words);
	for (size_t i = 0; i < lot_count; i++)
		wants[i] =
		    (struct verified_want){&request->home->deployment.medicines, medicines_alert_lists_slot(&lots[i])};
	TRY(read_words(request, words, wants, lot_count, err));
	for (size_t i = 0; i < lot_count; i++)
		if (!hash32_is_zero(&words[i])) TRY(alerts_of_lot(&request->verified, &gathering, &lots[i], err));
	struct medicines_alert *rows = gathering.rows;
	*count = 0;
	for (size_t i = 0; i < gathering.count; i++)
		if (!actor || addr20_equal(&rows[i].event.by, actor) || addr20_equal(&rows[i].event.other, actor))
			rows[(*count)++] = rows[i];
	if (*count) qsort(rows, *count, sizeof *rows, compare_alerts);
	*alerts = rows;
	return STATUS_OK;
}

/* --- acknowledgements --- */

static enum status acknowledgement_entry(
    void *context, struct list_entry *out, bool *is_entry, const struct client_log *log, struct err *err) {
	struct medicines_recall_acknowledged_event event;
	(void)context;
	TRY(medicines_recall_acknowledged_event_read(&event, &log->log, err));
	const hash32 words[2] = {abi_topic_of_address(&event.by), abi_topic_of_u64(event.recall)};
	out->n = event.n;
	memcpy(out->before, event.before, sizeof out->before);
	out->entry = keccak256(bytes_make(words, sizeof words));
	*is_entry = true;
	return STATUS_OK;
}

static enum status note_acknowledgement(
    void *context, const struct list_entry *entry, const struct client_log *log, struct err *err) {
	struct gathering *gathering = context;
	struct medicines_recall_acknowledged_event event;
	(void)entry;
	TRY(medicines_recall_acknowledged_event_read(&event, &log->log, err));
	*(struct medicines_acknowledgement *)one_more(gathering, sizeof(struct medicines_acknowledgement)) =
	    (struct medicines_acknowledgement){event.by, log->block_number};
	return STATUS_OK;
}

enum status medicines_acknowledgements(struct actor_request *request, struct medicines_acknowledgement **out,
    size_t *count, const hash32 *batch, struct err *err) {
	const addr20 *medicines = &request->home->deployment.medicines;
	struct gathering gathering = {.request = request, .batch = batch};
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	const struct verified_list list = {.contract = medicines,
	    .slot = medicines_acknowledgement_lists_slot(batch),
	    .query = {.address = medicines, .topics = {{&medicines_recall_acknowledged_event_topic, 1}, {batch, 1}}},
	    .entry = acknowledgement_entry,
	    .visit = note_acknowledgement,
	    .context = &gathering};
	TRY(verified_list(verified, &list, NULL, err));
	*out = gathering.rows;
	*count = gathering.count;
	return STATUS_OK;
}

/* --- containers --- */

/* The node says which containers were ever packed into this one; whether they are in it, their own words prove. That
 * none is left out, the caller sees by the container's contents. */
enum status medicines_children(
    struct actor_request *request, hash32 **out, size_t *count, const hash32 *container, struct err *err) {
	struct contract_topics topics = medicines_container_packed_event_topics(container, NULL);
	struct client_log *logs;
	size_t log_count;
	TRY(request_logs(request, &logs, &log_count, &request->home->deployment.medicines, 0, &topics, err));
	*out = arena_alloc(request->arena, (log_count + 1) * sizeof **out);
	*count = 0;
	for (size_t i = 0; i < log_count; i++) {
		struct medicines_container_packed_event event;
		struct medicines_container_view view;
		bool found, is_there = false;
		TRY(medicines_container_packed_event_read(&event, &logs[i].log, err));
		for (size_t n = 0; n < *count && !is_there; n++) is_there = hash32_equal(&(*out)[n], &event.child);
		if (is_there) continue;
		TRY(medicines_container(request, &view, &found, &event.child, err));
		if (found && hash32_equal(&view.parent, container)) (*out)[(*count)++] = event.child;
	}
	return STATUS_OK;
}
