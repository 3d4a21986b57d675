#include "health/trace/stranded.h"

static bool has(const hash32 *ids, size_t count, const hash32 *id) {
	for (size_t i = 0; i < count; i++)
		if (hash32_equal(&ids[i], id)) return true;
	return false;
}

/* Its outermost container, which may be itself. */
static enum status outermost(struct actor_request *request, hash32 *out, const hash32 *container, struct err *err) {
	*out = *container;
	for (;;) {
		struct medicines_container_view view;
		bool found;
		TRY(medicines_container(request, &view, &found, out, err));
		if (!found) return err_set(err, STATUS_CORRUPT, "packs stand in a container that was never opened");
		if (hash32_is_zero(&view.parent)) return STATUS_OK;
		*out = view.parent;
	}
}

enum status stranded_find(
    struct actor_request *request, struct stranded *out, const hash32 *batch, const addr20 *from, struct err *err) {
	const struct medicines_holding *holdings;
	size_t count;
	*out = (struct stranded){.units = 0};
	TRY(medicines_holders(request, &holdings, &count, batch, err));
	uint32_t *rows = arena_alloc(request->arena, (count + 1) * sizeof *rows);
	hash32 *containers = arena_alloc(request->arena, (count + 1) * sizeof *containers);
	for (size_t i = 0; i < count; i++) {
		hash32 id;
		if (!addr20_equal(&holdings[i].custodian, from)) continue;
		out->units += holdings[i].count;
		if (hash32_is_zero(&holdings[i].container)) {
			rows[out->row_count++] = holdings[i].place;
			continue;
		}
		TRY(outermost(request, &id, &holdings[i].container, err));
		if (!has(containers, out->container_count, &id)) containers[out->container_count++] = id;
	}
	out->rows = rows;
	out->containers = containers;
	return STATUS_OK;
}

enum status stranded_move(struct actor_request *request, size_t *sent, const struct stranded *stranded,
    const hash32 *batch, const addr20 *to, struct err *err) {
	struct client_receipt receipt;
	*sent = 0;
	for (size_t i = 0; i < stranded->row_count; i++, ++*sent)
		TRY(medicines_send(
		    request, &receipt, medicines_move_stock_call(request->arena, batch, stranded->rows[i], to), err));
	for (size_t at = 0; at < stranded->container_count; at += STRANDED_CONTAINERS_MAX, ++*sent) {
		const size_t left = stranded->container_count - at;
		const struct bytes call = medicines_move_containers_call(request->arena, stranded->containers + at,
		    left < STRANDED_CONTAINERS_MAX ? left : STRANDED_CONTAINERS_MAX, to);
		TRY(medicines_send(request, &receipt, call, err));
	}
	return STATUS_OK;
}
