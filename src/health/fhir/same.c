#include "health/fhir/same.h"

#include "health/fhir/decimal.h"

bool same_json(const struct json *a, const struct json *b) {
	struct fhir_decimal x, y;
	if (a->type != b->type || a->count != b->count) return false;
	if (a->type == JSON_NUMBER && fhir_decimal_read(&x, a->text) && fhir_decimal_read(&y, b->text))
		return fhir_decimal_compare(x, y) == 0;
	if (a->type != JSON_OBJECT && a->type != JSON_ARRAY) return bytes_equal(a->text, b->text);
	const struct json *other = b->first;
	json_foreach (child, a) {
		const struct json *twin = other;
		if (a->type == JSON_OBJECT && !bytes_equal(twin->name, child->name))
			for (twin = b->first; twin && !bytes_equal(twin->name, child->name);) twin = twin->next;
		if (!twin || !same_json(child, twin)) return false;
		other = other->next;
	}
	return true;
}
