/*
 * Adding to the audit log. Whoever reads seals its entry by itself and then waits; one of those who wait writes for all
 * that do, with one sync.
 */
#include "codec/json.h"
#include "envelope/jwe.h"
#include "ledger/blob/blob_audit.h"

static void put_entry(struct buf *out, const struct blob_read *read, uint64_t now_ms) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 2);
	json_put_hex(&writer, "gate", BYTES_OF(read->gate));
	json_put_hex(&writer, "item", BYTES_OF(read->item));
	json_put_text(&writer, "action", read->action);
	json_put_u64(&writer, "part", read->part);
	json_put_hex(&writer, "who", BYTES_OF(read->who));
	json_put_u64(&writer, "expiry", read->expiry_s);
	json_put_u64(&writer, "nonce", read->nonce);
	json_put_hex(&writer, "signature", bytes_make(read->signature, sizeof read->signature));
	json_put_u64(&writer, "at", now_ms);
	json_put_text(&writer, "outcome", read->served ? "served" : "refused");
	json_object_end(&writer);
}

/* --- the queue, under its lock --- */

/* The first of those who wait, at most AUDIT_TOGETHER of them. */
static struct audit_addition *take_waiting(struct audit_queue *queue) {
	struct audit_addition *first = queue->first, *last = first;
	for (unsigned i = 1; i < AUDIT_TOGETHER && last->next; i++) last = last->next;
	queue->first = last->next;
	if (!queue->first) queue->end = &queue->first;
	last->next = NULL;
	return first;
}

static void finish(struct audit_addition *first, enum status status, const struct err *err) {
	for (struct audit_addition *next; first; first = next) {
		next = first->next; /* one that is done may be gone */
		first->status = status;
		first->err = *err;
		first->is_done = true;
	}
}

/* Gives the lock up while it writes. */
static void write_waiting(struct blob_room *room, struct audit_queue *queue) {
	struct audit_addition *first = take_waiting(queue);
	struct err err = {0};
	queue->is_writing = true;
	pthread_mutex_unlock(&queue->lock);
	pthread_mutex_lock(&room->audit_lock);
	const enum status status = blob_audit_append(room, first, &err);
	pthread_mutex_unlock(&room->audit_lock);
	pthread_mutex_lock(&queue->lock);
	finish(first, status, &err);
	queue->is_writing = false;
	pthread_cond_broadcast(&queue->written);
}

static enum status append_together(struct blob_room *room, struct audit_addition *entry, struct err *err) {
	struct audit_queue *queue = &room->audit_queue;
	pthread_mutex_lock(&queue->lock);
	*queue->end = entry;
	queue->end = &entry->next;
	while (!entry->is_done) {
		if (queue->is_writing)
			pthread_cond_wait(&queue->written, &queue->lock);
		else
			write_waiting(room, queue);
	}
	pthread_mutex_unlock(&queue->lock);
	if (entry->status != STATUS_OK && err) *err = entry->err;
	return entry->status;
}

void audit_queue_init(struct audit_queue *queue) {
	*queue = (struct audit_queue){.end = &queue->first};
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->written, NULL);
}

void audit_queue_fini(struct audit_queue *queue) {
	pthread_mutex_destroy(&queue->lock);
	pthread_cond_destroy(&queue->written);
}

enum status blob_audit_add(struct blob_room *room, const struct blob_read *read, struct err *err) {
	struct blob_gate_audit asked;
	TRY(blob_gate_audit_of(room, &asked, &read->gate, &read->item, err));
	if (!asked.is_wanted) return STATUS_OK;
	struct p256_public key;
	memcpy(key.xy, asked.xy, sizeof key.xy);
	const uint64_t now_ms = clock_now_ms(room->options.clock);
	struct buf plain, sealed;
	buf_init(&plain, 1024);
	buf_init(&sealed, AUDIT_JWE_MAX);
	put_entry(&plain, read, now_ms);
	enum status status = jwe_ecdh_seal(
	    &sealed, &key, BYTES_LITERAL("{\"typ\":\"xinglin-audit\"}"), buf_view(&plain), room->options.random, err);
	if (status == STATUS_OK) {
		struct audit_addition entry = {
		    .list = asked.list, .time_s = now_ms / 1000, .sealed = buf_view(&sealed)};
		status = append_together(room, &entry, err);
	}
	buf_fini(&plain);
	buf_fini(&sealed);
	return status;
}
