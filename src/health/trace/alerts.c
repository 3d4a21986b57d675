#include "health/trace/alerts.h"

#include <stdlib.h>

static int compare(const void *a, const void *b) {
	return memcmp(a, b, sizeof(hash32));
}

static void sort_once_each(hash32 *lots, size_t *count) {
	size_t left = 0;
	if (*count) qsort(lots, *count, sizeof *lots, compare);
	for (size_t i = 0; i < *count; i++)
		if (left == 0 || !hash32_equal(&lots[left - 1], &lots[i])) lots[left++] = lots[i];
	*count = left;
}

/* Lots of which the node shows an alert that names the account. */
static enum status shown_lots(
    struct actor_request *request, hash32 **out, size_t *count, bool as_other, struct err *err) {
	const addr20 *account = &request->home->account;
	const struct contract_topics topics =
	    medicines_alert_event_topics(NULL, as_other ? NULL : account, as_other ? account : NULL);
	struct client_log *logs;
	TRY(request_logs(request, &logs, count, &request->home->deployment.medicines, 0, &topics, err));
	*out = arena_alloc(request->arena, (*count + 1) * sizeof **out);
	for (size_t i = 0; i < *count; i++) {
		struct medicines_alert_event event;
		TRY(medicines_alert_event_read(&event, &logs[i].log, err));
		(*out)[i] = event.batch;
	}
	return STATUS_OK;
}

enum status alerts_own(struct actor_request *request, struct medicines_alert **out, size_t *count,
    const struct stock *stock, struct err *err) {
	hash32 *lists[3];
	size_t counts[3], all = 0;
	TRY(stock_lots(stock, &lists[0], &counts[0], err));
	TRY(shown_lots(request, &lists[1], &counts[1], false, err));
	TRY(shown_lots(request, &lists[2], &counts[2], true, err));
	hash32 *lots = arena_alloc(request->arena, (counts[0] + counts[1] + counts[2] + 1) * sizeof *lots);
	for (unsigned i = 0; i < 3; i++) {
		if (counts[i]) memcpy(lots + all, lists[i], counts[i] * sizeof *lots);
		all += counts[i];
	}
	sort_once_each(lots, &all);
	return medicines_alerts(request, out, count, lots, all, &request->home->account, err);
}

enum status alerts_all(struct actor_request *request, struct medicines_alert **out, size_t *count, struct err *err) {
	hash32 *lots;
	size_t lot_count;
	TRY(medicines_lots(request, &lots, &lot_count, err));
	return medicines_alerts(request, out, count, lots, lot_count, NULL, err);
}
