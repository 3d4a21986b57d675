/* Packs that a home knows: asking a stock, and keeping documents. Products are in products.c. */
#include "health/trace/stock.h"

#include <stdio.h>

#include "codec/hex.h"
#include "health/trace/home_seal.h"

/* --- two packs of one code --- */

static bool is_same_pack(const struct stock_unit *a, const struct stock_unit *b) {
	return a->unit.index == b->unit.index && hash32_equal(&a->batch.id, &b->batch.id);
}

void stock_note_rival(struct stock_unit *first, const struct stock_unit *other, struct arena *arena) {
	if (first->rival || is_same_pack(first, other)) return;
	struct document_batch *rival = arena_alloc(arena, sizeof *rival);
	*rival = other->batch;
	first->rival = rival;
}

/* --- asking: the document beside first, then the source --- */

static struct stock_documents beside_of(const struct stock *stock) {
	return (struct stock_documents){stock->beside, stock->beside ? 1 : 0};
}

enum status stock_unit(const struct stock *stock, struct stock_unit *out, bool *found, const char *gtin,
    const char *serial, struct err *err) {
	struct stock_documents beside = beside_of(stock);
	struct stock_unit shown;
	bool is_shown;
	TRY(stock_documents_source.unit(&beside, &shown, &is_shown, stock->arena, gtin, serial, err));
	TRY(stock->source->unit(stock->context, out, found, stock->arena, gtin, serial, err));
	if (!is_shown) return STATUS_OK;
	if (*found) {
		if (out->rival && !shown.rival) shown.rival = out->rival;
		stock_note_rival(&shown, out, stock->arena);
	}
	*out = shown;
	*found = true;
	return STATUS_OK;
}

enum status stock_unit_at(
    const struct stock *stock, struct stock_unit *out, bool *found, const struct medicines_unit *ref, struct err *err) {
	struct stock_documents beside = beside_of(stock);
	TRY(stock_documents_source.unit_at(&beside, out, found, stock->arena, ref, err));
	if (*found) return STATUS_OK;
	return stock->source->unit_at(stock->context, out, found, stock->arena, ref, err);
}

enum status stock_lot(const struct stock *stock, struct document_batch *out, bool *found, const char *gtin,
    const char *lot, struct err *err) {
	struct stock_documents beside = beside_of(stock);
	TRY(stock_documents_source.lot(&beside, out, found, stock->arena, gtin, lot, err));
	if (*found) return STATUS_OK;
	return stock->source->lot(stock->context, out, found, stock->arena, gtin, lot, err);
}

enum status stock_containers(const struct stock *stock, struct document_container out[STOCK_CONTAINERS_MAX],
    size_t *count, const char *code, struct err *err) {
	struct stock_documents beside = beside_of(stock);
	struct document_container kept[STOCK_CONTAINERS_MAX];
	size_t kept_count;
	TRY(stock_documents_source.containers(&beside, out, count, stock->arena, code, err));
	TRY(stock->source->containers(stock->context, kept, &kept_count, stock->arena, code, err));
	for (size_t i = 0; i < kept_count && *count < STOCK_CONTAINERS_MAX; i++) out[(*count)++] = kept[i];
	return STATUS_OK;
}

enum status stock_container_at(
    const struct stock *stock, struct document_container *out, bool *found, const hash32 *id, struct err *err) {
	struct stock_documents beside = beside_of(stock);
	TRY(stock_documents_source.container_at(&beside, out, found, stock->arena, id, err));
	if (*found) return STATUS_OK;
	return stock->source->container_at(stock->context, out, found, stock->arena, id, err);
}

enum status stock_code(const struct stock *stock, const char **out, const hash32 *container, struct err *err) {
	struct document_container known;
	bool found;
	TRY(stock_container_at(stock, &known, &found, container, err));
	*out = found ? known.code : NULL;
	return STATUS_OK;
}

enum status stock_units_in(
    const struct stock *stock, struct stock_unit **out, size_t *count, const hash32 *container, struct err *err) {
	return stock->source->units_in(stock->context, out, count, stock->arena, container, err);
}

enum status stock_containers_of(
    const struct stock *stock, hash32 **out, size_t *count, const struct medicines_unit *ref, struct err *err) {
	return stock->source->containers_of(stock->context, out, count, stock->arena, ref, err);
}

enum status stock_lots(const struct stock *stock, hash32 **out, size_t *count, struct err *err) {
	return stock->source->lots(stock->context, out, count, stock->arena, err);
}

enum status stock_count(const struct stock *stock, size_t *out, const char *gtin, struct err *err) {
	return stock->source->count(stock->context, out, gtin, err);
}

/* --- almost the same serial --- */

static enum status known(
    const struct stock *stock, bool *found, const struct scan *scan, const char *serial, struct err *err) {
	struct stock_unit unit;
	return stock_unit(stock, &unit, found, scan->gtin, serial, err);
}

enum status stock_diagnose(const struct stock *stock, char out[256], const struct scan *scan, struct err *err) {
	char serial[sizeof scan->serial];
	bool found;
	out[0] = 0;
	memcpy(serial, scan->serial, sizeof serial);
	scan_swap_case(serial);
	TRY(known(stock, &found, scan, serial, err));
	if (found) {
		snprintf(out, 256, "serial %s is known, %s is not: is caps lock on?", serial, scan->serial);
		return STATUS_OK;
	}
	memcpy(serial, scan->serial, sizeof serial);
	scan_swap_yz(serial);
	TRY(known(stock, &found, scan, serial, err));
	if (found) {
		snprintf(out, 256,
		    "serial %s is known, %s is not: Y and Z are swapped, the keyboard has another layout", serial,
		    scan->serial);
		return STATUS_OK;
	}
	for (size_t i = 1; i < sizeof serial && scan->serial[i] && !found; i++) {
		memcpy(serial, scan->serial, sizeof serial);
		serial[i] = 0;
		TRY(known(stock, &found, scan, serial, err));
	}
	if (found)
		snprintf(out, 256,
		    "serial %s is known, %s is not: the scanner drops the separator (FNC1, GS, 0x1d) behind the serial",
		    serial, scan->serial);
	return STATUS_OK;
}

/* --- the home's documents --- */

enum status stock_names(struct actor_request *request, char ***names, size_t *count, struct err *err) {
	size_t kept = 0;
	TRY(home_seal_folder(request, "documents", err));
	TRY(home_list(request->home, names, count, request->arena, "documents", err));
	for (size_t i = 0; i < *count; i++)
		if (strlen((*names)[i]) == 64 + 4 && strcmp((*names)[i] + 64, ".jwe") == 0)
			(*names)[kept++] = (*names)[i];
	*count = kept;
	return STATUS_OK;
}

enum status stock_read(struct actor_request *request, struct document *out, const char *name, struct err *err) {
	const char *relative = arena_printf(request->arena, "documents/%s", name);
	struct bytes plaintext;
	TRY(home_seal_read(request, &plaintext, relative, err));
	enum status status = document_parse(out, request, plaintext, err);
	return status == STATUS_OK ? status : err_prefix(err, status, "%s", relative);
}

static const char *name_of(struct actor_request *request, const hash32 *hash) {
	struct buf name;
	buf_init(&name, 128);
	hex_put(&name, BYTES_OF(*hash), false);
	const char *copy = arena_printf(request->arena, "%s.jwe", buf_cstr(&name));
	buf_fini(&name);
	return copy;
}

enum status stock_find_document(
    struct actor_request *request, struct document *out, const hash32 *hash, struct err *err) {
	return stock_read(request, out, name_of(request, hash), err);
}

enum status stock_save(
    struct actor_request *request, const struct stock *stock, const struct document *document, struct err *err) {
	struct buf plaintext;
	buf_init(&plaintext, DOCUMENT_BYTES_MAX);
	document_write(&plaintext, document, request);
	const char *relative = arena_printf(request->arena, "documents/%s", name_of(request, &document->hash));
	enum status status = buf_status(&plaintext, err);
	if (status == STATUS_OK) status = home_seal_folder(request, "documents", err);
	if (status == STATUS_OK)
		status = home_seal_write(request, relative, "xinglin-document", buf_view(&plaintext), err);
	buf_wipe(&plaintext);
	TRY(status);
	return stock->source->take(stock->context, document, err);
}
