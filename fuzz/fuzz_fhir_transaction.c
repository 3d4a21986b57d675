/* Whatever a bundle says, each entry of its plan is either refused with an issue or fit to be carried out, the order
 * names each entry once, and rewriting gives JSON again. */
#include "fuzz/target.h"
#include "health/fhir/transaction.h"

static struct bytes resolve(void *context, struct bytes text, bool several) {
	(void)context;
	return several ? (struct bytes){NULL, 0} : text;
}

static void check_order(const struct fhir_transaction *plan, struct arena *arena) {
	bool *seen = arena_zalloc(arena, plan->count + 1, sizeof *seen);
	for (size_t i = 0; i < plan->count; i++) {
		BUG_ON(plan->order[i] >= plan->count || seen[plan->order[i]]);
		seen[plan->order[i]] = true;
		BUG_ON(i > 0 && plan->entries[plan->order[i - 1]].method > plan->entries[plan->order[i]].method);
	}
}

static void check_entry(struct fhir_transaction *plan, size_t index) {
	struct fhir_entry *entry = &plan->entries[index];
	const struct fhir_reference_resolver resolver = {resolve, NULL};
	const struct json *again;
	struct json_edit edit;
	struct buf out;
	BUG_ON(entry->issues && entry->status < 400);
	if (entry->issues || !entry->resource) return;
	BUG_ON(entry->method != FHIR_ENTRY_GET && entry->target.type == FHIR_NONE &&
	       entry->target.kind != FHIR_TARGET_OPERATION);
	json_edit_init(&edit, plan->arena, entry->resource);
	if (!fhir_transaction_rewrite(plan, &edit, entry->resource, entry->full_url, &resolver)) return;
	buf_init(&out, BUF_MAX_DEFAULT);
	BUG_ON(json_edit_write(&edit, &out, NULL) != STATUS_OK);
	BUG_ON(json_parse(&again, plan->arena, buf_view(&out), NULL, NULL) != STATUS_OK);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	struct fhir_issues issues;
	struct fhir_transaction plan;
	const struct json *bundle;
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	if (json_parse(&bundle, &arena, bytes_make(data, size), NULL, NULL) == STATUS_OK &&
	    fhir_transaction_read(&plan, &issues, &fhir_r4, bundle, BYTES_LITERAL("http://h/fhir"))) {
		check_order(&plan, &arena);
		for (size_t i = 0; i < plan.count; i++)
			if (!plan.entries[i].issues) plan.entries[i].reference = BYTES_LITERAL("Patient/1");
		for (size_t i = 0; i < plan.count; i++) check_entry(&plan, i);
		(void)fhir_transaction_check_overlap(&plan);
	}
	arena_fini(&arena);
	return 0;
}
