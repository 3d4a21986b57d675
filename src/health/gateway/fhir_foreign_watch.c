/* Which grants there are by the chain, and what it says by now of all that is open. */
#include "base/log.h"
#include "health/consent/rights.h"
#include "health/contracts/folders.h"
#include "health/gateway/fhir_foreign_private.h"
#include "health/records/folder.h"

#define REQUEST_MS 20000u
#define ERASED_EVERY 4u /* rounds */

static bool holds_now(const struct consent_grant_state *grant, uint64_t now_s) {
	return grant->count > 0 && !grant->revoked && (grant->rights & RIGHT_READ) && grant->from <= now_s &&
	       now_s < grant->until;
}

/* --- grants --- */

struct granting {
	struct fhir_foreign *foreign;
	struct actor_request *request;
	struct fhir_foreign_grant *list;
	size_t count;
};

static bool is_listed(const struct granting *g, const struct consent_granted_event *event) {
	for (size_t i = g->count; i > 0; i--)
		if (hash32_equal(&g->list[i - 1].folder, &event->folder) &&
		    hash32_equal(&g->list[i - 1].record, &event->record))
			return true;
	return false;
}

static const uint64_t *window_of(const struct fhir_foreign_room *rooms, size_t count, const hash32 *id) {
	static const uint64_t none[PURPOSE_COUNT];
	for (size_t i = 0; i < count; i++)
		if (hash32_equal(&rooms[i].id, id) && rooms[i].is_ready) return rooms[i].until_s;
	return none;
}

/* The log names it; what counts is the proved state. */
static enum status note_grant(struct granting *g, const struct client_log *log, struct err *err) {
	struct consent_granted_event event;
	struct consent_grant_state state;
	struct own_folder own;
	bool closed;
	TRY(consent_granted_event_read(&event, &log->log, err));
	if (is_listed(g, &event) || own_folder_load(g->request, &own, &event.folder, NULL) == STATUS_OK)
		return STATUS_OK;
	TRY(folder_grant_find(g->request, &state, &event.folder, &event.record, &g->request->home->account, err));
	if (!holds_now(&state, verified_now_s(&g->request->verified))) return STATUS_OK;
	TRY(folder_is_closed(g->request, &closed, &event.folder, err));
	if (closed) return STATUS_OK;
	g->list[g->count++] = (struct fhir_foreign_grant){.folder = event.folder,
	    .record = event.record,
	    .purposes = state.purposes,
	    .from_s = state.from,
	    .until_s = state.until};
	return STATUS_OK;
}

enum status fhir_foreign_granted(struct fhir_foreign *foreign, struct actor_request *request,
    struct fhir_foreign_grant **out, size_t *count, const hash32 *folder, struct err *err) {
	struct granting g = {.foreign = foreign, .request = request};
	const addr20 *me = &request->home->account;
	const struct contract_topics topics = consent_granted_event_topics(folder, NULL, me);
	struct fhir_foreign_room *rooms;
	struct client_log *logs;
	size_t log_count;
	TRY(request_logs(request, &logs, &log_count, &request->home->deployment.consent, 0, &topics, err));
	g.list = arena_zalloc(request->arena, log_count + 1, sizeof *g.list);
	for (size_t i = 0; i < log_count; i++) TRY(note_grant(&g, &logs[i], err));
	const size_t room_count = fhir_foreign_rooms(foreign, request->arena, &rooms);
	for (size_t i = 0; i < g.count; i++) {
		const struct fhir_foreign_grant *grant = &g.list[i];
		const hash32 *id = hash32_is_zero(&grant->record) ? &grant->folder : &grant->record;
		memcpy(g.list[i].window_s, window_of(rooms, room_count, id), sizeof g.list[i].window_s);
	}
	*out = g.list;
	*count = g.count;
	return STATUS_OK;
}

/* --- what is open --- */

/* Until when each purpose is open by the chain; zeros: it is not. */
static enum status find_ends(struct actor_request *request, uint64_t until_s[PURPOSE_COUNT],
    const struct fhir_foreign_room *room, struct err *err) {
	struct consent_grant_state grant;
	struct directory_own own;
	bool closed;
	TRY(access_windows(request, until_s, &room->folder, &room->record, err));
	TRY(folder_grant_find(request, &grant, &room->folder, &room->record, &request->home->account, err));
	TRY(folder_is_closed(request, &closed, &room->folder, err));
	TRY(directory_own(request, &own, err));
	const bool is_good = !closed && own.is_active && holds_now(&grant, verified_now_s(&request->verified));
	for (size_t i = 0; i < PURPOSE_COUNT; i++) {
		if (!is_good || !(grant.purposes >> i & 1)) until_s[i] = 0;
		if (until_s[i] > grant.until) until_s[i] = grant.until;
	}
	return STATUS_OK;
}

static bool is_any_open(const uint64_t until_s[PURPOSE_COUNT], const struct actor_request *request) {
	for (size_t i = 0; i < PURPOSE_COUNT; i++)
		if (until_s[i] > verified_now_s(&request->verified)) return true;
	return false;
}

/* What the chain ended ends here, and what was added or erased meanwhile is seen. */
static enum status check_rooms(struct fhir_foreign *foreign, struct actor_request *request, struct err *err) {
	struct fhir_foreign_room *rooms;
	const size_t count = fhir_foreign_rooms(foreign, request->arena, &rooms);
	for (size_t i = 0; i < count; i++) {
		uint64_t until_s[PURPOSE_COUNT];
		hash32 list;
		if (!rooms[i].is_ready) continue; /* whoever takes it in sees to it */
		TRY(find_ends(request, until_s, &rooms[i], err));
		/* A purpose that nobody asked for here is not opened by what others do with this account. */
		for (size_t k = 0; k < PURPOSE_COUNT; k++)
			if (!rooms[i].until_s[k]) until_s[k] = 0;
		fhir_foreign_set_ends(foreign, &rooms[i], until_s, verified_now_s(&request->verified));
		TRY(fhir_foreign_list_word(request, &list, &rooms[i].folder, err));
		if (!hash32_equal(&list, &rooms[i].list) && is_any_open(until_s, request))
			TRY(fhir_foreign_show_again(foreign, request, &rooms[i], err));
	}
	return STATUS_OK;
}

/* After a start: windows that were asked for here before, and stand open still. */
static enum status restore(struct fhir_foreign *foreign, struct actor_request *request, struct err *err) {
	struct fhir_foreign_room *rooms;
	struct verified *verified;
	size_t count, taken;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(fhir_foreign_kept(verified->heads, request->arena, &rooms, &count, err));
	for (size_t i = 0; i < count; i++) {
		TRY(find_ends(request, rooms[i].until_s, &rooms[i], err));
		if (is_any_open(rooms[i].until_s, request))
			TRY(fhir_foreign_show(foreign, request, &rooms[i], &taken, err));
	}
	return STATUS_OK;
}

static enum status watch(struct fhir_foreign *foreign, struct actor_request *request, struct err *err) {
	if (!foreign->is_restored) TRY(restore(foreign, request, err));
	foreign->is_restored = true;
	TRY(check_rooms(foreign, request, err));
	if (foreign->rounds++ % ERASED_EVERY) return STATUS_OK;
	return fhir_erased_follow(&foreign->erased, request, err);
}

void fhir_foreign_watch(void *context) {
	struct fhir_foreign *foreign = context;
	struct actor_request request = {0};
	struct arena arena;
	struct err err = {0};
	arena_init(&arena);
	const struct clock_source *clock = foreign->options.clock;
	enum status status =
	    actor_request_begin(foreign->options.actor, &request, &arena, clock_now_ms(clock) + REQUEST_MS, &err);
	if (status == STATUS_OK) status = watch(foreign, &request, &err);
	actor_request_end(&request);
	arena_fini(&arena);
	if (status != STATUS_OK && !foreign->was_told)
		log_warn("gateway", "what the chain says of granted and erased folders is not known: %s", err.message);
	foreign->was_told = status != STATUS_OK;
	atomic_store(&foreign->is_asking, false);
}
