#include "health/epcis/epcis_xml.h"

#include "base/utf8.h"
#include "codec/xml.h"

#define CONTEXT "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
#define PREFIXES_MAX 200u
#define MEMBERS_MAX 4096u /* of an object, and of one name in it: both are walked for each (4096 in the messages) */

struct converter {
	struct arena *arena;
	struct json *prefixes; /* of the context: prefix to namespace */
	enum status status;    /* of the first fault; nothing is taken after it */
	struct err *err;
};

static void refuse(struct converter *c, enum status status, const char *why, struct bytes name) {
	if (c->status == STATUS_OK)
		c->status = err_set(c->err, status, why, (int)(name.len < 80 ? name.len : 80), (const char *)name.data);
}

/* --- building --- */

static struct json *node(struct converter *c, enum json_type type, struct bytes text) {
	struct json *out = arena_zalloc(c->arena, 1, sizeof *out);
	out->type = type;
	out->text = text;
	return out;
}

static struct json *last_of(struct json *parent) {
	struct json *last = parent->first;
	while (last && last->next) last = last->next;
	return last;
}

static void append(struct json *parent, struct json **last, struct json *child) {
	struct json *before = last ? *last : last_of(parent);
	if (before)
		before->next = child;
	else
		parent->first = child;
	if (last) *last = child;
	parent->count++;
}

/* A name that is there already has a list then, as in JSON. */
static void put(struct converter *c, struct json *object, struct bytes name, struct json *value) {
	struct json *before = NULL;
	if (c->status != STATUS_OK) return;
	for (struct json *member = object->first; member; before = member, member = member->next) {
		if (!bytes_equal(member->name, name)) continue;
		if (member->type == JSON_ARRAY && member->count >= MEMBERS_MAX)
			return refuse(c, STATUS_LIMIT, "an element has more than 4096 parts of its own, of %.*s", name);
		if (member->type != JSON_ARRAY) {
			struct json *list = node(c, JSON_ARRAY, (struct bytes){NULL, 0});
			list->name = name;
			list->next = member->next;
			if (before)
				before->next = list;
			else
				object->first = list;
			member->next = NULL;
			append(list, NULL, member);
			member = list;
		}
		append(member, NULL, value);
		return;
	}
	if (object->count >= MEMBERS_MAX)
		return refuse(c, STATUS_LIMIT, "an element has more than 4096 parts of its own, before %.*s", name);
	value->name = name;
	append(object, &before, value);
}

static void put_text(struct converter *c, struct json *object, const char *name, struct bytes text) {
	if (text.data) put(c, object, bytes_text(name), node(c, JSON_STRING, text));
}

/* --- names --- */

static bool is_own(const struct xml_name *name) {
	return !name->space.len || bytes_equal(bytes_slice(name->space, 0, 20), BYTES_LITERAL("urn:epcglobal:epcis:"));
}

/* The prefix that this namespace has in the whole tree: the first that the document gives it, unless that is another's
 * already. CBV's master data has always the one that epcis_parse knows. */
static struct bytes prefix_of(struct converter *c, const struct xml_name *name) {
	const bool is_cbv = bytes_equal(bytes_slice(name->space, 0, 21), BYTES_LITERAL("urn:epcglobal:cbv:mda"));
	struct bytes prefix = is_cbv ? BYTES_LITERAL("cbvmda") : name->prefix.len ? name->prefix : BYTES_LITERAL("ns");
	bool is_taken = !is_cbv && bytes_equal(prefix, BYTES_LITERAL("cbvmda"));
	for (const struct json *known = c->prefixes->first; known; known = known->next) {
		if (bytes_equal(known->text, name->space)) return known->name;
		is_taken |= bytes_equal(known->name, prefix);
	}
	if (is_taken) prefix = bytes_text(arena_printf(c->arena, "ns%u", c->prefixes->count));
	if (c->prefixes->count == PREFIXES_MAX)
		refuse(c, STATUS_LIMIT, "there are more than 200 namespaces, before %.*s", name->space);
	put(c, c->prefixes, prefix, node(c, JSON_STRING, name->space));
	return prefix;
}

static struct bytes curie_of(struct converter *c, const struct xml_name *name) {
	if (is_own(name)) return name->local;
	const struct bytes prefix = prefix_of(c, name);
	return bytes_text(arena_printf(c->arena, "%.*s:%.*s", (int)prefix.len, (const char *)prefix.data,
	    (int)name->local.len, (const char *)name->local.data));
}

/* --- values --- */

static bool is_schema_instance(const struct xml_name *name) {
	return bytes_equal(name->space, BYTES_LITERAL("http://www.w3.org/2001/XMLSchema-instance"));
}

static struct json *strings_of(struct converter *c, const struct xml *element) {
	struct json *list = node(c, JSON_ARRAY, (struct bytes){NULL, 0}), *last = NULL;
	xml_foreach(child, element) append(list, &last, node(c, JSON_STRING, child->text));
	return list;
}

/* Text; or an object of attributes and children, whose "@value" is the text, as JSON-LD writes a literal that has more
 * to it. The type that xsi:type says is not kept. */
static struct json *value_of(struct converter *c, const struct xml *element) {
	struct json *object = node(c, JSON_OBJECT, (struct bytes){NULL, 0});
	for (size_t i = 0; i < element->attribute_count; i++) {
		const struct xml_attribute *attribute = &element->attributes[i];
		if (is_schema_instance(&attribute->name)) continue;
		put(c, object, curie_of(c, &attribute->name), node(c, JSON_STRING, attribute->value));
	}
	if (!element->first && !object->count) return node(c, JSON_STRING, element->text);
	xml_foreach(child, element) {
		const bool is_list = xml_is(child, "correctiveEventIDs") && is_own(&child->name);
		put(c, object, curie_of(c, &child->name), is_list ? strings_of(c, child) : value_of(c, child));
	}
	if (element->text.len) put(c, object, BYTES_LITERAL("@value"), node(c, JSON_STRING, element->text));
	return object;
}

static struct json *quantities_of(struct converter *c, const struct xml *element) {
	struct json *list = node(c, JSON_ARRAY, (struct bytes){NULL, 0}), *last = NULL;
	xml_foreach(child, element) {
		struct json *one = value_of(c, child);
		for (struct json *member = one->first; member; member = member->next)
			if (bytes_equal(member->name, BYTES_LITERAL("quantity")) && json_is_number(member->text))
				member->type = JSON_NUMBER;
		append(list, &last, one);
	}
	return list;
}

/* <source type="…">…</source>: the text is the member that is named as the element. */
static struct json *typed_of(struct converter *c, const struct xml *element) {
	struct json *list = node(c, JSON_ARRAY, (struct bytes){NULL, 0}), *last = NULL;
	xml_foreach(child, element) {
		struct json *one = node(c, JSON_OBJECT, (struct bytes){NULL, 0});
		put_text(c, one, "type", xml_attribute(child, "type"));
		put(c, one, child->name.local, node(c, JSON_STRING, child->text));
		append(list, &last, one);
	}
	return list;
}

/* An object of which some members are lists in JSON-LD, even of one: `lists` names them. */
static struct json *with_lists(struct converter *c, const struct xml *element, const char *const *lists) {
	struct json *object = value_of(c, element), *out = node(c, JSON_OBJECT, (struct bytes){NULL, 0});
	for (struct json *member = object->first, *next; member; member = next) {
		const struct bytes name = member->name;
		struct json *list = node(c, JSON_ARRAY, (struct bytes){NULL, 0});
		bool is_list = false;
		next = member->next;
		member->next = NULL;
		for (size_t i = 0; lists[i]; i++) is_list |= bytes_equal(name, bytes_text(lists[i]));
		if (is_list && member->type != JSON_ARRAY) {
			append(list, NULL, member);
			member = list;
		}
		put(c, out, name, member);
	}
	return out;
}

static struct json *sensors_of(struct converter *c, const struct xml *element) {
	static const char *const lists[] = {"sensorReport", NULL};
	struct json *list = node(c, JSON_ARRAY, (struct bytes){NULL, 0}), *last = NULL;
	xml_foreach(child, element) append(list, &last, with_lists(c, child, lists));
	return list;
}

/* --- events --- */

static bool is_one_of(const struct xml *element, const char *const *names) {
	for (; *names; names++)
		if (xml_is(element, *names)) return true;
	return false;
}

static struct json *field_of(struct converter *c, const struct xml *element) {
	static const char *const epcs[] = {"epcList", "childEPCs", "inputEPCList", "outputEPCList", NULL};
	static const char *const quantities[] = {
	    "quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList", NULL};
	static const char *const dispositions[] = {"set", "unset", NULL};
	static const char *const typed[] = {"bizTransactionList", "sourceList", "destinationList", NULL};
	if (is_one_of(element, epcs)) return strings_of(c, element);
	if (is_one_of(element, quantities)) return quantities_of(c, element);
	if (is_one_of(element, typed)) return typed_of(c, element);
	if (xml_is(element, "sensorElementList")) return sensors_of(c, element);
	if (xml_is(element, "persistentDisposition")) return with_lists(c, element, dispositions);
	return element->first ? value_of(c, element) : node(c, JSON_STRING, element->text);
}

/* In JSON a name that stands twice is refused as well. */
static void put_field(struct converter *c, struct json *event, const struct xml *element) {
	const struct bytes name = element->name.local;
	if (!xml_is(element, "certificationInfo"))
		json_foreach (member, event)
			if (bytes_equal(member->name, name)) refuse(c, STATUS_INVALID, "an event has %.*s twice", name);
	put(c, event, name, field_of(c, element));
}

static bool is_wrapper(const struct xml *element) {
	return is_own(&element->name) && (xml_is(element, "extension") || xml_is(element, "baseExtension"));
}

static void put_fields(struct converter *c, struct json *event, const struct xml *element) {
	xml_foreach(child, element) {
		if (is_wrapper(child))
			put_fields(c, event, child);
		else if (is_own(&child->name))
			put_field(c, event, child);
		else
			put(c, event, curie_of(c, &child->name), value_of(c, child));
	}
}

static void put_events(struct converter *c, struct json *list, struct json **last, const struct xml *element) {
	xml_foreach(child, element) {
		if (is_wrapper(child)) {
			put_events(c, list, last, child);
			continue;
		}
		struct json *event = node(c, JSON_OBJECT, (struct bytes){NULL, 0});
		event->raw = child->raw;
		put(c, event, BYTES_LITERAL("type"), node(c, JSON_STRING, curie_of(c, &child->name)));
		put_fields(c, event, child);
		append(list, last, event);
	}
}

/* --- documents --- */

bool epcis_xml_is(struct bytes text) {
	if (bytes_equal(bytes_slice(text, 0, 3), BYTES_LITERAL("\xef\xbb\xbf"))) text = bytes_slice(text, 3, text.len);
	size_t i = 0;
	while (i < text.len && strchr(" \t\r\n", text.data[i]) && text.data[i]) i++;
	return i < text.len && text.data[i] == '<';
}

/* "x:ignoreFields" lists the names of what a repository added (event_hash.h). */
static void put_ignored(struct converter *c, struct json *object, const struct xml *element) {
	xml_foreach(child, element) {
		struct json *list, *last = NULL;
		if (is_own(&child->name) || !xml_is(child, "ignoreFields")) continue;
		list = node(c, JSON_ARRAY, (struct bytes){NULL, 0});
		xml_foreach(field, child) append(list, &last, node(c, JSON_STRING, curie_of(c, &field->name)));
		put(c, object, curie_of(c, &child->name), list);
	}
}

/* The tree is of 2.0, whichever the document is. */
static enum status check_version(const struct xml *root, struct err *err) {
	static const char *const versions[] = {"1", "1.0", "1.1", "1.2", "2", "2.0", "2.1"};
	const struct bytes version = xml_attribute(root, "schemaVersion");
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (bytes_equal(version, bytes_text(versions[i]))) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "schemaVersion must be 1.0, 1.1, 1.2 or 2.0");
}

static struct json *wrapped(struct converter *c, const char *name, struct json *value) {
	struct json *object = node(c, JSON_OBJECT, (struct bytes){NULL, 0});
	put(c, object, bytes_text(name), value);
	return object;
}

enum status epcis_xml_read(const struct json **out, struct arena *arena, struct bytes text, struct err *err) {
	struct converter c = {.arena = arena, .err = err};
	const struct xml *root;
	struct json *last = NULL;
	/* UTF-16 of ASCII alone is UTF-8 too, with zeros between. */
	if (!utf8_is_valid(text) || (text.len && memchr(text.data, 0, text.len)))
		return err_set(err, STATUS_INVALID, "the document is not in UTF-8: convert it first");
	TRY(xml_parse(&root, arena, text, err));
	TRY(check_version(root, err));
	struct json *document = node(&c, JSON_OBJECT, (struct bytes){NULL, 0});
	struct json *context = node(&c, JSON_ARRAY, (struct bytes){NULL, 0});
	struct json *events = node(&c, JSON_ARRAY, (struct bytes){NULL, 0});
	c.prefixes = node(&c, JSON_OBJECT, (struct bytes){NULL, 0});
	append(context, NULL, node(&c, JSON_STRING, BYTES_LITERAL(CONTEXT)));
	append(context, NULL, c.prefixes);
	put(&c, document, BYTES_LITERAL("@context"), context);
	put(&c, document, BYTES_LITERAL("type"), node(&c, JSON_STRING, root->name.local));
	put_text(&c, document, "schemaVersion", BYTES_LITERAL("2.0"));
	put_text(&c, document, "creationDate", xml_attribute(root, "creationDate"));
	const struct xml *body = xml_child(root, "EPCISBody"), *results = xml_child(body, "QueryResults");
	if (!body)
		results = xml_child(root, "resultsBody") ? root : NULL; /* what a query answers, without its envelope */
	const struct xml *list = xml_child(results ? xml_child(results, "resultsBody") : body, "EventList");
	if (!list) return err_set(err, STATUS_INVALID, "there is no EventList in an EPCISBody");
	put_events(&c, events, &last, list);
	struct json *inside = wrapped(&c, "eventList", events);
	if (results) {
		inside = wrapped(&c, "resultsBody", inside);
		put_ignored(&c, inside, results);
		inside = wrapped(&c, "queryResults", inside);
	}
	put_ignored(&c, document, root);
	put(&c, document, BYTES_LITERAL("epcisBody"), inside);
	*out = document;
	return c.status;
}

/* --- writing --- */

static void write_value(struct json_writer *writer, const char *name, const struct json *value) {
	const bool is_object = json_is(value, JSON_OBJECT);
	if (!is_object && !json_is(value, JSON_ARRAY)) {
		if (json_is(value, JSON_NUMBER))
			json_put_number(writer, name, value->text);
		else
			json_put_string(writer, name, value->text);
		return;
	}
	if (is_object)
		json_object_begin(writer, name);
	else
		json_array_begin(writer, name);
	json_foreach (child, value) {
		struct arena scratch;
		arena_init(&scratch);
		write_value(writer, is_object ? arena_strdup(&scratch, child->name) : NULL, child);
		arena_fini(&scratch);
	}
	if (is_object)
		json_object_end(writer);
	else
		json_array_end(writer);
}

void epcis_xml_write(struct buf *out, const struct json *tree) {
	struct json_writer writer = json_writer(out);
	write_value(&writer, NULL, tree);
}
