#include "health/actors/home_heads.h"

#define TEXT_MAX ((size_t)128 << 10) /* evidence of a consortium of 100 validators takes 64 KB */

static enum status get(void *context, struct buf *out, const char *name, struct err *err) {
	return home_read(context, out, name, err);
}

static enum status update(void *context, const char *name,
    enum status (*change)(void *change_context, struct buf *text, bool *changed, struct err *err), void *change_context,
    struct err *err) {
	const struct home *home = context;
	struct buf text;
	bool changed = false;
	int lock;
	TRY(home_change_begin(home, &lock, err));
	buf_init(&text, TEXT_MAX);
	enum status status = home_read(home, &text, name, err);
	if (status == STATUS_NOTFOUND) status = STATUS_OK;
	if (status == STATUS_OK) status = change(change_context, &text, &changed, err);
	if (status == STATUS_OK && changed) status = home_put(home, name, buf_view(&text), err);
	buf_fini(&text);
	home_change_end(lock);
	return status;
}

struct head_store home_head_store(const struct home *home) {
	return (struct head_store){.get = get, .update = update, .context = (void *)home};
}
