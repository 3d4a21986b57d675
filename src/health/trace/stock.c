/* Packs that a home knows. Products are in products.c. */
#include "health/trace/stock.h"

#include <stdio.h>

#include "codec/hex.h"
#include "health/trace/home_seal.h"

enum status stock_load(struct actor_request *request, struct stock *out, struct err *err) {
	char **names;
	size_t count;
	*out = (struct stock){NULL, 0};
	TRY(home_sealed_folder(request, "documents", err));
	TRY(home_list(request->home, &names, &count, request->arena, "documents", err));
	out->documents = arena_zalloc(request->arena, count + 1, sizeof *out->documents);
	for (size_t i = 0; i < count; i++) {
		struct bytes plaintext;
		const char *relative = arena_printf(request->arena, "documents/%s", names[i]);
		if (!strstr(names[i], ".jwe") || strstr(names[i], ".part")) continue;
		TRY(home_sealed_read(request, &plaintext, relative, err));
		enum status status = document_parse(&out->documents[out->count], request, plaintext, err);
		if (status != STATUS_OK) return err_prefix(err, status, "%s", relative);
		out->count++;
	}
	return STATUS_OK;
}

enum status stock_save(
    struct actor_request *request, struct stock *stock, const struct document *document, struct err *err) {
	struct buf plaintext, name;
	buf_init(&plaintext, DOCUMENT_BYTES_MAX);
	buf_init(&name, 128);
	hex_put(&name, BYTES_OF(document->hash), false);
	document_write(&plaintext, document, request);
	const char *relative = arena_printf(request->arena, "documents/%s.jwe", buf_cstr(&name));
	enum status status = buf_status(&plaintext, err);
	if (status == STATUS_OK) status = home_sealed_folder(request, "documents", err);
	if (status == STATUS_OK)
		status = home_sealed_write(request, relative, "xinglin-document", buf_view(&plaintext), err);
	buf_wipe(&plaintext);
	buf_fini(&name);
	TRY(status);
	if (!stock) return STATUS_OK;
	struct document *larger = arena_zalloc(request->arena, stock->count + 1, sizeof *larger);
	if (stock->count) memcpy(larger, stock->documents, stock->count * sizeof *larger);
	larger[stock->count] = *document;
	*stock = (struct stock){larger, stock->count + 1};
	return STATUS_OK;
}

bool stock_find_unit(struct stock_unit *out, const struct stock *stock, const char *gtin, const char *serial) {
	for (size_t d = 0; d < stock->count; d++) {
		const struct document *document = &stock->documents[d];
		for (uint32_t i = 0; i < document->unit_count; i++) {
			const struct known_unit *unit = &document->units[i];
			const struct known_batch *batch = &document->batches[unit->batch];
			if (strcmp(unit->serial, serial) != 0 || strcmp(batch->gtin, gtin) != 0) continue;
			*out = (struct stock_unit){document, unit, batch};
			return true;
		}
	}
	return false;
}

bool stock_find_batch(const struct known_batch **out, const struct stock *stock, const char *gtin, const char *lot) {
	for (size_t d = 0; d < stock->count; d++)
		for (uint32_t i = 0; i < stock->documents[d].batch_count; i++) {
			*out = &stock->documents[d].batches[i];
			if (strcmp((*out)->gtin, gtin) == 0 && strcmp((*out)->lot, lot) == 0) return true;
		}
	return false;
}

const struct known_batch *stock_batch_by_id(const struct stock *stock, const hash32 *id) {
	for (size_t d = 0; d < stock->count; d++)
		for (uint32_t i = 0; i < stock->documents[d].batch_count; i++)
			if (hash32_equal(&stock->documents[d].batches[i].id, id))
				return &stock->documents[d].batches[i];
	return NULL;
}

bool stock_find_container(hash32 *out, const struct stock *stock, const char *sscc) {
	for (size_t d = 0; d < stock->count; d++)
		for (uint32_t i = 0; i < stock->documents[d].container_count; i++) {
			if (strcmp(stock->documents[d].containers[i].sscc, sscc) != 0) continue;
			*out = stock->documents[d].containers[i].id;
			return true;
		}
	return false;
}

const char *stock_sscc_of(const struct stock *stock, const hash32 *container) {
	for (size_t d = 0; d < stock->count; d++)
		for (uint32_t i = 0; i < stock->documents[d].container_count; i++)
			if (hash32_equal(&stock->documents[d].containers[i].id, container))
				return stock->documents[d].containers[i].sscc;
	return NULL;
}

void stock_diagnose(char out[256], const struct stock *stock, const struct scan *scan) {
	struct stock_unit found;
	char serial[sizeof scan->serial];
	out[0] = 0;
	memcpy(serial, scan->serial, sizeof serial);
	scan_swap_case(serial);
	if (stock_find_unit(&found, stock, scan->gtin, serial)) {
		snprintf(out, 256, "serial %s is known, %s is not: is caps lock on?", serial, scan->serial);
		return;
	}
	memcpy(serial, scan->serial, sizeof serial);
	scan_swap_yz(serial);
	if (stock_find_unit(&found, stock, scan->gtin, serial)) {
		snprintf(out, 256,
		    "serial %s is known, %s is not: Y and Z are swapped, the keyboard has another layout", serial,
		    scan->serial);
		return;
	}
	for (size_t i = 1; i < sizeof serial && scan->serial[i]; i++) {
		memcpy(serial, scan->serial, sizeof serial);
		serial[i] = 0;
		if (!stock_find_unit(&found, stock, scan->gtin, serial)) continue;
		snprintf(out, 256,
		    "serial %s is known, %s is not: the scanner drops the separator (FNC1, GS, 0x1d) behind the serial",
		    serial, scan->serial);
		return;
	}
}
