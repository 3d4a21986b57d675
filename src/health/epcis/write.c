/* Our own steps as EPCIS documents: one event each, with CBV's bare words. */
#include <stdio.h>

#include "health/epcis/epcis.h"

#define EPCIS_CONTEXT "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

/* Unix milliseconds as an xsd:dateTimeStamp in UTC. */
static void time_text(char out[32], uint64_t ms) {
	uint64_t days = ms / 86400000, rest = ms % 86400000;
	uint64_t shifted = days + 719468;
	unsigned era = (unsigned)(shifted / 146097), in_era = (unsigned)(shifted % 146097);
	unsigned year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned m = (5 * in_year + 2) / 153, month = m < 10 ? m + 3 : m - 9;
	snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (era * 400 + year_of_era + (month <= 2)) % 10000,
	    month, in_year - (153 * m + 2) / 5 + 1, (unsigned)(rest / 3600000), (unsigned)(rest / 60000 % 60),
	    (unsigned)(rest / 1000 % 60), (unsigned)(rest % 1000));
}

static void put_list(struct json_writer *writer, const char *name, const char *const *items, size_t count) {
	json_array_begin(writer, name);
	for (size_t i = 0; i < count; i++) json_put_text(writer, NULL, items[i]);
	json_array_end(writer);
}

static void put_party(struct json_writer *writer, const char *list, const char *member, const char *id) {
	if (!id) return;
	json_array_begin(writer, list);
	json_object_begin(writer, NULL);
	json_put_text(writer, "type", "possessing_party");
	json_put_text(writer, member, id);
	json_object_end(writer);
	json_array_end(writer);
}

static void put_what(struct json_writer *writer, const struct epcis_draft *draft) {
	bool aggregates = draft->kind == EPCIS_AGGREGATION;
	if (draft->parent) json_put_text(writer, "parentID", draft->parent);
	if (draft->epc_count) put_list(writer, aggregates ? "childEPCs" : "epcList", draft->epcs, draft->epc_count);
	if (!draft->class_count) return;
	json_array_begin(writer, aggregates ? "childQuantityList" : "quantityList");
	for (size_t i = 0; i < draft->class_count; i++) {
		json_object_begin(writer, NULL);
		json_put_text(writer, "epcClass", draft->classes[i]);
		json_object_end(writer);
	}
	json_array_end(writer);
}

static void put_event(struct json_writer *writer, const struct epcis_draft *draft, const char *time) {
	static const char *const actions[] = {"", "ADD", "OBSERVE", "DELETE"};
	json_object_begin(writer, NULL);
	json_put_text(writer, "type", epcis_kind_name(draft->kind));
	json_put_text(writer, "eventTime", time);
	json_put_text(writer, "eventTimeZoneOffset", "+00:00");
	put_what(writer, draft);
	json_put_text(writer, "action", actions[draft->action]);
	if (draft->step) json_put_text(writer, "bizStep", draft->step);
	if (draft->disposition) json_put_text(writer, "disposition", draft->disposition);
	if (draft->corrects) {
		json_object_begin(writer, "errorDeclaration");
		json_put_text(writer, "declarationTime", time);
		json_put_text(writer, "reason", "did_not_occur");
		json_object_end(writer);
	}
	if (draft->sets_recalled || draft->unsets_recalled) {
		json_object_begin(writer, "persistentDisposition");
		json_array_begin(writer, draft->sets_recalled ? "set" : "unset");
		json_put_text(writer, NULL, "recalled");
		json_array_end(writer);
		json_object_end(writer);
	}
	put_party(writer, "sourceList", "source", draft->source);
	put_party(writer, "destinationList", "destination", draft->destination);
	if (draft->lot) {
		json_object_begin(writer, "ilmd");
		json_put_text(writer, "cbvmda:lotNumber", draft->lot);
		if (draft->expiry) json_put_text(writer, "cbvmda:itemExpirationDate", draft->expiry);
		json_object_end(writer);
	}
	json_object_end(writer);
}

void epcis_write(struct buf *out, const struct epcis_draft *draft) {
	char time[32];
	time_text(time, draft->time_ms);
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_array_begin(&writer, "@context");
	json_put_text(&writer, NULL, EPCIS_CONTEXT);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "cbvmda", "urn:epcglobal:cbv:mda:");
	json_object_end(&writer);
	json_array_end(&writer);
	json_put_text(&writer, "type", "EPCISDocument");
	json_put_text(&writer, "schemaVersion", "2.0");
	json_put_text(&writer, "creationDate", time);
	json_object_begin(&writer, "epcisBody");
	json_array_begin(&writer, "eventList");
	put_event(&writer, draft, time);
	json_array_end(&writer);
	json_object_end(&writer);
	json_object_end(&writer);
}
