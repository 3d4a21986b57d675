/* The event hash: the reference generator's examples, and its answers for the documents of GS1 and OpenEPCIS. */
#include "health/epcis/event_hash.h"

#include "health/epcis/epcis_xml.h"
#include "tests/unit.h"
#include "tests/vectors.h"

static const struct json *events_of(const struct json *document) {
	const struct json *body = json_get(document, "epcisBody");
	const struct json *results = json_get(json_get(body, "queryResults"), "resultsBody");
	const struct json *list = json_get(results ? results : body, "eventList");
	return list ? list : json_get(body, "event");
}

static const struct json *event_at(const struct json *document, size_t index) {
	const struct json *events = events_of(document);
	if (!events) return index == 0 ? document : NULL; /* a single event with its own context */
	return json_is(events, JSON_ARRAY) ? json_at(events, index) : events;
}

static const struct json *document_at(struct arena *arena, const char *path, bool *is_xml) {
	const struct bytes text = vectors_read(arena, path);
	const struct json *document;
	struct err err;
	*is_xml = epcis_xml_is(text);
	if (!*is_xml) return vectors_parse(arena, path);
	if (epcis_xml_read(&document, arena, text, &err)) fail_msg("%s: %s", path, err.message);
	return document;
}

static void compare(struct vectors *vectors, struct arena *arena, const char *file, const struct json *document,
    bool is_xml, size_t index, struct bytes expected) {
	char hash[EVENT_HASH_TEXT_SIZE];
	const struct json *event = event_at(document, index);
	const struct bytes prehash = event ? event_hash_prehash(event_hash_names_of(arena, document, is_xml), event)
					   : BYTES_LITERAL("no such event");
	event_hash(hash, prehash);
	const bool is_right = bytes_equal(bytes_text(hash), expected);
	if (!is_right) printf("%s, event %zu: %.*s\n", file, index, (int)prehash.len, (const char *)prehash.data);
	vectors_count(vectors, is_right, file, expected);
}

static struct bytes next_line(struct bytes *rest) {
	const uint8_t *end = memchr(rest->data, '\n', rest->len);
	const struct bytes line = bytes_slice(*rest, 0, end ? (size_t)(end - rest->data) : rest->len);
	*rest = bytes_slice(*rest, line.len + 1, rest->len);
	return line.len && line.data[line.len - 1] == '\r' ? bytes_slice(line, 0, line.len - 1) : line;
}

/* Every X.jsonld and X.xml, whose events' hashes are the lines of X.hashes. */
static void folder(struct vectors *vectors, const char *relative) {
	struct arena arena;
	arena_init(&arena);
	const char *path = vectors_path(&arena, relative);
	DIR *open = opendir(path);
	assert_non_null(open);
	for (struct dirent *entry; (entry = readdir(open));) {
		const char *dot = strrchr(entry->d_name, '.');
		if (!dot || (strcmp(dot, ".jsonld") != 0 && strcmp(dot, ".xml") != 0)) continue;
		const char *base = arena_printf(&arena, "%s/%.*s", path, (int)(dot - entry->d_name), entry->d_name);
		struct stat info;
		bool is_xml;
		if (stat(arena_printf(&arena, "%s.hashes", base), &info)) {
			vectors->skipped++;
			continue;
		}
		const struct json *document = document_at(&arena, arena_printf(&arena, "%s%s", base, dot), &is_xml);
		struct bytes rest = vectors_read(&arena, arena_printf(&arena, "%s.hashes", base));
		for (size_t index = 0; rest.len;) {
			const struct bytes line = next_line(&rest);
			if (line.len) compare(vectors, &arena, entry->d_name, document, is_xml, index++, line);
		}
	}
	closedir(open);
	arena_fini(&arena);
}

static void the_reference_generators_examples(void **state) {
	(void)state;
	struct vectors vectors = {.name = "event hash, examples"};
	vectors_need("epcis/event-hash/examples");
	folder(&vectors, "epcis/event-hash/examples");
	vectors_report(&vectors);
}

/* A name that stands twice, which is no JSON for us; events of a draft, which had "isA"; words that are not CBV's, or
 * times that are none; Python's True in place of JSON's true; xsi:type and EPCIS's namespace as content, and extensions
 * inside EPCIS's own elements of namespaces without a "/" at their end, which it puts elsewhere. */
static bool is_no_judge(const char *file) {
	static const char *const odd[] = {"AssociationEvent-h.jsonld", "eecc-sanitisation/", "/Invalid/",
	    "JSON/WithSensorData/SensorDataExample7.", "JSON/WithSensorData/SensorDataExample9.", "XML/WithExtension/",
	    "XML/WithEventHashID/event_with_identical_hash_id_6.", "XML/WithFullCombinationOfFields/",
	    "XML/WithSensorData/SensorDataExamples.xml", "Documents/Namespace_document.xml"};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		if (strstr(file, odd[i])) return true;
	return false;
}

/* A row says what the generator made of one event. Where it disagrees with itself about a document's twin in XML it
 * is no judge. */
static void its_answers_for_documents_of_others(void **state) {
	(void)state;
	struct vectors vectors = {.name = "event hash, documents of others"};
	struct arena arena;
	vectors_need("epcis/event-hash/reference-hashes.jsonl");
	arena_init(&arena);
	struct bytes rest = vectors_read(&arena, vectors_path(&arena, "epcis/event-hash/reference-hashes.jsonl"));
	while (rest.len) {
		const struct bytes line = next_line(&rest);
		const struct json *row;
		struct err err;
		uint64_t index = 0;
		bool is_xml;
		if (!line.len) continue;
		if (json_parse(&row, &arena, line, NULL, &err)) fail_msg("%s", err.message);
		const char *file = arena_strdup(&arena, json_string(json_get(row, "file")));
		const bool is_odd = is_no_judge(file);
		if (is_odd || json_string_is(json_get(row, "xml_json_twin"), "disagree")) {
			vectors.skipped++;
			continue;
		}
		assert_true(json_u64(&index, json_get(row, "event")));
		const struct json *document =
		    document_at(&arena, vectors_path(&arena, arena_printf(&arena, "epcis/%s", file)), &is_xml);
		compare(&vectors, &arena, file, document, is_xml, index, json_string(json_get(row, "hash")));
	}
	vectors_report(&vectors);
	arena_fini(&arena);
}

/* Each file of the folder has one event in several spellings. */
static void spellings_of_one_event_have_one_hash(void **state) {
	(void)state;
	struct vectors vectors = {.name = "event hash, equal ones"};
	struct arena arena;
	vectors_need("epcis/event-hash/expected_equal");
	arena_init(&arena);
	const char *path = vectors_path(&arena, "epcis/event-hash/expected_equal");
	DIR *open = opendir(path);
	assert_non_null(open);
	for (struct dirent *entry; (entry = readdir(open));) {
		bool is_xml;
		char first[EVENT_HASH_TEXT_SIZE];
		if (entry->d_name[0] == '.') continue;
		const struct json *document =
		    document_at(&arena, arena_printf(&arena, "%s/%s", path, entry->d_name), &is_xml);
		const struct event_hash_names *names = event_hash_names_of(&arena, document, is_xml);
		assert_non_null(event_at(document, 0));
		event_hash(first, event_hash_prehash(names, event_at(document, 0)));
		for (size_t i = 0; event_at(document, i); i++)
			compare(&vectors, &arena, entry->d_name, document, is_xml, i, bytes_text(first));
	}
	closedir(open);
	vectors_report(&vectors);
	arena_fini(&arena);
}

static void what_is_said_beside_an_attribute_is_hashed(void **state) {
	(void)state;
	static const char *const weights[] = {
	    "<x:w u='KGM'>3.5</x:w>", "<x:w u='KGM'>9.9</x:w>", "<x:w u='GRM'>3.5</x:w>"};
	struct arena arena;
	struct bytes said[3];
	arena_init(&arena);
	for (size_t i = 0; i < 3; i++) {
		const struct json *document;
		struct err err;
		const char *text = arena_printf(&arena,
		    "<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:2' xmlns:x='urn:x/' schemaVersion='2.0' "
		    "creationDate='2026-01-01T00:00:00Z'><EPCISBody><EventList><ObjectEvent>%s</ObjectEvent></EventList>"
		    "</EPCISBody></e:EPCISDocument>",
		    weights[i]);
		if (epcis_xml_read(&document, &arena, bytes_text(text), &err)) fail_msg("%s", err.message);
		said[i] = event_hash_prehash(event_hash_names_of(&arena, document, true), event_at(document, 0));
	}
	assert_true(bytes_equal(said[0], BYTES_LITERAL("eventType=ObjectEvent{urn:x/}w=3.5u=KGM")));
	assert_false(bytes_equal(said[0], said[1]));
	assert_false(bytes_equal(said[0], said[2]));
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_said_beside_an_attribute_is_hashed),
	    cmocka_unit_test(the_reference_generators_examples),
	    cmocka_unit_test(its_answers_for_documents_of_others),
	    cmocka_unit_test(spellings_of_one_event_have_one_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
