/* A plan on its way: kept in the home, sealed to itself, until its last part is captured. */
#include "codec/hex.h"
#include "health/epcis/planner.h"
#include "health/trace/home_seal.h"

#define PLAN_BYTES_MAX ((size_t)128 << 20)
#define CUTS_BYTES_MAX ((size_t)1 << 20)
#define CUT_NUMBERS 4u /* step and unit of its begin, and of its end */

static const char *path_of(struct actor_request *request, const struct plan *plan, const char *suffix) {
	struct buf name;
	buf_init(&name, 128);
	hex_put(&name, BYTES_OF(plan->document.hash), false);
	const char *path = arena_printf(request->arena, "plans/%s%s.jwe", buf_cstr(&name), suffix);
	buf_fini(&name);
	return path;
}

static enum status keep(
    struct actor_request *request, const char *path, const char *type, struct buf *plaintext, struct err *err) {
	enum status status = buf_status(plaintext, err);
	if (status == STATUS_OK) status = home_seal_folder(request, "plans", err);
	if (status == STATUS_OK) status = home_seal_write(request, path, type, buf_view(plaintext), err);
	buf_wipe(plaintext);
	return status;
}

/* --- the plan --- */

static void put_step(struct json_writer *writer, const struct plan_step *step) {
	json_object_begin(writer, NULL);
	json_put_u64(writer, "kind", step->kind);
	if (plan_step_is_call(step)) json_put_hex(writer, "call", step->call);
	if (step->kind == PLAN_PACK || step->kind == PLAN_UNPACK)
		json_put_hex(writer, "container", BYTES_OF(step->container));
	if (step->kind == PLAN_CHANGE) json_put_u64(writer, "state", step->state);
	json_array_begin(writer, "units");
	for (uint32_t i = 0; i < step->unit_count; i++) json_put_u64(writer, NULL, step->units[i]);
	json_array_end(writer);
	json_object_end(writer);
}

enum status plan_keep(struct actor_request *request, const struct plan *plan, struct err *err) {
	struct buf text, document;
	buf_init(&text, PLAN_BYTES_MAX);
	buf_init(&document, DOCUMENT_BYTES_MAX);
	document_write(&document, &plan->document, request);
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 1);
	json_put_string(&writer, "document", buf_view(&document));
	json_array_begin(&writer, "recipients");
	for (size_t i = 0; i < plan->recipient_count; i++) json_put_hex(&writer, NULL, BYTES_OF(plan->recipients[i]));
	json_array_end(&writer);
	json_array_begin(&writer, "steps");
	for (size_t i = 0; i < plan->step_count; i++) put_step(&writer, &plan->steps[i]);
	json_array_end(&writer);
	json_object_end(&writer);
	enum status status = buf_status(&document, err);
	buf_wipe(&document);
	if (status == STATUS_OK) return keep(request, path_of(request, plan, ""), "xinglin-plan", &text, err);
	buf_wipe(&text);
	return status;
}

static bool read_u32(uint32_t *out, const struct json *value, uint32_t below) {
	uint64_t number;
	if (!json_u64(&number, value) || number >= below) return false;
	*out = (uint32_t)number;
	return true;
}

static bool read_step(struct plan_step *out, const struct plan *plan, struct arena *arena, const struct json *json) {
	const struct json *units = json_get(json, "units"), *call = json_get(json, "call");
	uint32_t kind, state = 0, *list;
	struct buf bytes;
	if (!read_u32(&kind, json_get(json, "kind"), PLAN_KIND_COUNT) || !json_is(units, JSON_ARRAY)) return false;
	*out = (struct plan_step){.kind = (enum plan_kind)kind};
	if (json_get(json, "container") &&
	    hex_fixed(out->container.b, 32, json_string(json_get(json, "container"))) != STATUS_OK)
		return false;
	if (json_get(json, "state") && !read_u32(&state, json_get(json, "state"), MEDICINES_STATE_COUNT)) return false;
	out->state = (enum medicines_state)state;
	out->units = list = arena_alloc(arena, (units->count + 1) * sizeof *list);
	json_foreach (unit, units)
		if (!read_u32(&list[out->unit_count++], unit, plan->document.unit_count)) return false;
	if (!call != !plan_step_is_call(out)) return false;
	if (!call) return out->unit_count > 0;
	buf_init(&bytes, CAPTURE_BYTES_MAX);
	bool good = hex_data(&bytes, json_string(call)) == STATUS_OK && !bytes.overflow;
	if (good) out->call = arena_dup(arena, buf_view(&bytes));
	buf_fini(&bytes);
	return good;
}

enum status plan_parse(struct actor_request *request, struct plan *plan, struct bytes text, struct err *err) {
	const struct json *root;
	TRY(json_parse(&root, request->arena, text, NULL, err));
	const struct json *steps = json_get(root, "steps"), *recipients = json_get(root, "recipients");
	struct err why = {0};
	struct bytes document = arena_dup(request->arena, json_string(json_get(root, "document")));
	if (!json_is(steps, JSON_ARRAY) || !json_is(recipients, JSON_ARRAY) ||
	    recipients->count > DOCUMENT_RECIPIENTS_MAX ||
	    document_parse_unfinished(&plan->document, request, document, &why) != STATUS_OK)
		return err_set(err, STATUS_CORRUPT, "the plan that this home keeps of the document makes no sense");
	json_foreach (recipient, recipients)
		if (hex_fixed(plan->recipients[plan->recipient_count++].b, 20, json_string(recipient)) != STATUS_OK)
			return err_set(err, STATUS_CORRUPT, "the kept plan names a recipient that is no account");
	plan->steps = arena_zalloc(request->arena, steps->count + 1, sizeof *plan->steps);
	json_foreach (step, steps)
		if (!read_step(&plan->steps[plan->step_count++], plan, request->arena, step))
			return err_set(err, STATUS_CORRUPT, "the kept plan has a step that makes no sense");
	return STATUS_OK;
}

enum status plan_find(struct actor_request *request, struct plan *plan, struct err *err) {
	const hash32 hash = plan->document.hash;
	struct bytes text;
	TRY(home_seal_read(request, &text, path_of(request, plan, ""), err));
	TRY(plan_parse(request, plan, text, err));
	if (hash32_equal(&hash, &plan->document.hash)) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "the plan that this home keeps of the document is of another one");
}

/* --- cuts --- */

static void put_position(struct json_writer *writer, const struct plan_position *position) {
	json_put_u64(writer, NULL, position->step);
	json_put_u64(writer, NULL, position->unit);
}

enum status plan_keep_cuts(
    struct actor_request *request, const struct plan *plan, const struct plan_cuts *cuts, struct err *err) {
	struct buf text;
	buf_init(&text, CUTS_BYTES_MAX);
	struct json_writer writer = json_writer(&text);
	json_array_begin(&writer, NULL);
	for (size_t i = 0; i < cuts->count; i++) {
		put_position(&writer, &cuts->list[i].begin);
		put_position(&writer, &cuts->list[i].end);
	}
	json_array_end(&writer);
	return keep(request, path_of(request, plan, "-cuts"), "xinglin-plan-cuts", &text, err);
}

enum status plan_find_cuts(
    struct actor_request *request, const struct plan *plan, struct plan_cuts *cuts, struct err *err) {
	struct bytes text;
	TRY(home_seal_read(request, &text, path_of(request, plan, "-cuts"), err));
	return plan_parse_cuts(cuts, request->arena, text, err);
}

enum status plan_parse_cuts(struct plan_cuts *cuts, struct arena *arena, struct bytes text, struct err *err) {
	const struct json *list;
	size_t n = 0;
	TRY(json_parse(&list, arena, text, NULL, err));
	if (!json_is(list, JSON_ARRAY) || list->count % CUT_NUMBERS)
		return err_set(err, STATUS_CORRUPT, "the kept plan's cuts make no sense");
	*cuts = (struct plan_cuts){.count = list->count / CUT_NUMBERS, .room = list->count / CUT_NUMBERS};
	cuts->list = arena_zalloc(arena, cuts->count + 1, sizeof *cuts->list);
	json_foreach (number, list) {
		struct plan_cut *cut = &cuts->list[n / CUT_NUMBERS];
		uint32_t *numbers[CUT_NUMBERS] = {&cut->begin.step, &cut->begin.unit, &cut->end.step, &cut->end.unit};
		if (!read_u32(numbers[n++ % CUT_NUMBERS], number, UINT32_MAX))
			return err_set(err, STATUS_CORRUPT, "the kept plan's cuts make no sense");
	}
	return STATUS_OK;
}

void plan_forget(struct actor_request *request, const struct plan *plan) {
	home_remove(request->home, path_of(request, plan, ""));
	home_remove(request->home, path_of(request, plan, "-cuts"));
}
