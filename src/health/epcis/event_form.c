#include "health/epcis/event_form.h"

#include "health/epcis/epcis_xml.h"
#include "health/epcis/times.h"
#include "health/gs1/epc_uri.h"

#define CONTEXT "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

static bool is_one_of(struct bytes name, const char *const *names) {
	for (; *names; names++)
		if (bytes_equal(name, bytes_text(*names))) return true;
	return false;
}

/* A name that is no literal; its value is appended next. */
static void put_name(struct json_writer *writer, struct bytes name) {
	struct json_writer alone = json_writer(writer->out);
	json_put_name(writer, NULL);
	json_put_string(&alone, NULL, name);
	buf_byte(writer->out, ':');
}

/* --- keeping --- */

void event_form_keep(struct buf *out, const struct json *event, bool is_xml, struct bytes event_id) {
	static const char *const left_out[] = {"@context", "recordTime", "eventID", NULL};
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_string(&writer, "eventID", event_id);
	json_foreach (member, event) {
		if (is_one_of(member->name, left_out)) continue;
		put_name(&writer, member->name);
		if (is_xml)
			epcis_xml_write(out, member);
		else
			buf_append(out, member->raw);
	}
	json_object_end(&writer);
}

/* --- answering --- */

void event_form_put_epc(struct buf *out, enum event_form form, struct bytes epc) {
	if (form == EVENT_FORM_AS_CAPTURED || !epc_uri_canonical(out, epc)) buf_append(out, epc);
}

/* A value in which identifiers may stand: itself, in a list, or as these members of objects. */
static void put_value(struct buf *out, const struct json *value, enum event_form form, const char *const *members) {
	if (json_is(value, JSON_STRING) && !members) {
		struct buf text;
		struct json_writer writer = json_writer(out);
		buf_init(&text, BUF_MAX_DEFAULT);
		event_form_put_epc(&text, form, value->text);
		json_put_string(&writer, NULL, buf_view(&text));
		buf_fini(&text);
	} else if (json_is(value, JSON_ARRAY)) {
		buf_byte(out, '[');
		for (const struct json *item = value->first; item; item = item->next) {
			put_value(out, item, form, members);
			if (item->next) buf_byte(out, ',');
		}
		buf_byte(out, ']');
	} else if (json_is(value, JSON_OBJECT) && members) {
		struct json_writer writer = json_writer(out);
		json_object_begin(&writer, NULL);
		json_foreach (member, value) {
			put_name(&writer, member->name);
			if (is_one_of(member->name, members))
				put_value(out, member, form, NULL);
			else
				buf_append(out, member->raw);
		}
		json_object_end(&writer);
	} else {
		buf_append(out, value->raw);
	}
}

static void put_member(struct buf *out, const struct json *member, enum event_form form) {
	static const char *const epcs[] = {"parentID", "epcList", "childEPCs", "inputEPCList", "outputEPCList", NULL};
	static const char *const objects[] = {"quantityList", "childQuantityList", "inputQuantityList",
	    "outputQuantityList", "readPoint", "bizLocation", "sourceList", "destinationList", NULL};
	static const char *const inside[] = {"epcClass", "id", "source", "destination", NULL};
	if (form != EVENT_FORM_AS_CAPTURED && is_one_of(member->name, epcs))
		put_value(out, member, form, NULL);
	else if (form != EVENT_FORM_AS_CAPTURED && is_one_of(member->name, objects))
		put_value(out, member, form, inside);
	else
		buf_append(out, member->raw);
}

void event_form_answer(
    struct buf *out, const struct json *event, enum event_form form, int64_t recorded_ms, struct bytes context) {
	struct json_writer writer = json_writer(out);
	char recorded[EPCIS_TIME_SIZE];
	epcis_time_write(recorded, recorded_ms);
	json_object_begin(&writer, NULL);
	if (context.len) event_form_put_context(&writer, context);
	json_foreach (member, event) {
		put_name(&writer, member->name);
		put_member(out, member, form);
		if (bytes_equal(member->name, BYTES_LITERAL("eventID"))) json_put_text(&writer, "recordTime", recorded);
	}
	json_object_end(&writer);
}

/* --- contexts --- */

static bool is_own(const struct json *item) {
	const struct bytes text = json_string(item);
	static const char head[] = "https://ref.gs1.org/standards/epcis/";
	return bytes_equal(bytes_slice(text, 0, sizeof head - 1), bytes_text(head));
}

struct bytes event_form_context(struct arena *arena, const struct json *context) {
	struct buf out;
	size_t count = 0;
	if (!context || json_is(context, JSON_NULL) || is_own(context)) return (struct bytes){NULL, 0};
	buf_init(&out, BUF_MAX_DEFAULT);
	if (!json_is(context, JSON_ARRAY)) {
		epcis_xml_write(&out, context);
	} else {
		json_foreach (item, context) {
			if (is_own(item) || json_is(item, JSON_NULL)) continue;
			if (count++) buf_byte(&out, ',');
			epcis_xml_write(&out, item);
		}
	}
	const struct bytes text = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return text;
}

void event_form_put_context(struct json_writer *writer, struct bytes context) {
	json_array_begin(writer, "@context");
	json_put_text(writer, NULL, CONTEXT);
	if (context.len) json_put_raw(writer, NULL, context);
	json_array_end(writer);
}
