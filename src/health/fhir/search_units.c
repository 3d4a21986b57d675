#include "health/fhir/search_units.h"

enum {
	MASS,
	VOLUME,
	LENGTH,
	TIME,
	SUBSTANCE,
	SHARE,
	MASS_IN_VOLUME,
	SUBSTANCE_IN_VOLUME,
	PRESSURE,
	RATE,
	COUNT_IN_VOLUME,
	UNITS_IN_VOLUME,
	ENZYME_IN_VOLUME,
	AREA,
	SPEED,
	BODY_MASS,
	ENERGY,
	TENSION,
	FLOW
};

#define LITRES(name, dimension, digits, exponent)                                                                      \
	{name "/L", dimension, digits, exponent}, {name "/l", dimension, digits, exponent},                            \
	    {name "/dL", dimension, digits, (exponent) + 1}, {name "/dl", dimension, digits, (exponent) + 1},          \
	    {name "/mL", dimension, digits, (exponent) + 3}, {name "/ml", dimension, digits, (exponent) + 3},          \
	    {name "/uL", dimension, digits, (exponent) + 6}, {                                                         \
		name "/ul", dimension, digits, (exponent) + 6                                                          \
	}

static const struct fhir_unit units[] = {{"g", MASS, 1, 0}, {"kg", MASS, 1, 3}, {"mg", MASS, 1, -3},
    {"ug", MASS, 1, -6}, {"ng", MASS, 1, -9}, {"pg", MASS, 1, -12}, {"dg", MASS, 1, -1}, {"cg", MASS, 1, -2},
    {"t", MASS, 1, 6}, {"[lb_av]", MASS, 45359237, -5}, {"[oz_av]", MASS, 28349523125, -9}, {"L", VOLUME, 1, 0},
    {"l", VOLUME, 1, 0}, {"dL", VOLUME, 1, -1}, {"dl", VOLUME, 1, -1}, {"cL", VOLUME, 1, -2}, {"cl", VOLUME, 1, -2},
    {"mL", VOLUME, 1, -3}, {"ml", VOLUME, 1, -3}, {"uL", VOLUME, 1, -6}, {"ul", VOLUME, 1, -6}, {"nL", VOLUME, 1, -9},
    {"nl", VOLUME, 1, -9}, {"fL", VOLUME, 1, -15}, {"fl", VOLUME, 1, -15}, {"m3", VOLUME, 1, 3}, {"cm3", VOLUME, 1, -3},
    {"mm3", VOLUME, 1, -6}, {"m", LENGTH, 1, 0}, {"km", LENGTH, 1, 3}, {"dm", LENGTH, 1, -1}, {"cm", LENGTH, 1, -2},
    {"mm", LENGTH, 1, -3}, {"um", LENGTH, 1, -6}, {"nm", LENGTH, 1, -9}, {"[in_i]", LENGTH, 254, -4},
    {"[ft_i]", LENGTH, 3048, -4}, {"s", TIME, 1, 0}, {"ms", TIME, 1, -3}, {"us", TIME, 1, -6}, {"ns", TIME, 1, -9},
    {"min", TIME, 6, 1}, {"h", TIME, 36, 2}, {"d", TIME, 864, 2}, {"wk", TIME, 6048, 2}, {"a", TIME, 315576, 2},
    {"mo", TIME, 26298, 2}, {"mol", SUBSTANCE, 1, 0}, {"mmol", SUBSTANCE, 1, -3}, {"umol", SUBSTANCE, 1, -6},
    {"nmol", SUBSTANCE, 1, -9}, {"pmol", SUBSTANCE, 1, -12}, {"1", SHARE, 1, 0}, {"%", SHARE, 1, -2},
    {"[ppth]", SHARE, 1, -3}, {"[ppm]", SHARE, 1, -6}, {"[ppb]", SHARE, 1, -9}, {"mol/mol", SHARE, 1, 0},
    {"mmol/mol", SHARE, 1, -3}, {"umol/mol", SHARE, 1, -6}, {"g/g", SHARE, 1, 0}, {"mg/g", SHARE, 1, -3},
    {"ug/g", SHARE, 1, -6}, {"ug/mg", SHARE, 1, -3}, {"mg/mg", SHARE, 1, 0}, {"g/kg", SHARE, 1, -3},
    {"mg/kg", SHARE, 1, -6}, LITRES("kg", MASS_IN_VOLUME, 1, 3), LITRES("g", MASS_IN_VOLUME, 1, 0),
    LITRES("mg", MASS_IN_VOLUME, 1, -3), LITRES("ug", MASS_IN_VOLUME, 1, -6), LITRES("ng", MASS_IN_VOLUME, 1, -9),
    LITRES("pg", MASS_IN_VOLUME, 1, -12), LITRES("mol", SUBSTANCE_IN_VOLUME, 1, 0),
    LITRES("mmol", SUBSTANCE_IN_VOLUME, 1, -3), LITRES("umol", SUBSTANCE_IN_VOLUME, 1, -6),
    LITRES("nmol", SUBSTANCE_IN_VOLUME, 1, -9), LITRES("pmol", SUBSTANCE_IN_VOLUME, 1, -12), {"Pa", PRESSURE, 1, 0},
    {"hPa", PRESSURE, 1, 2}, {"kPa", PRESSURE, 1, 3}, {"bar", PRESSURE, 1, 5}, {"mbar", PRESSURE, 1, 2},
    {"mm[Hg]", PRESSURE, 133322387415, -9}, {"m[Hg]", PRESSURE, 133322387415, -6}, {"cm[H2O]", PRESSURE, 980665, -4},
    {"m[H2O]", PRESSURE, 980665, -2}, {"/s", RATE, 6, 1}, {"Hz", RATE, 6, 1}, {"/min", RATE, 1, 0},
    {"{beats}/min", RATE, 1, 0}, {"{Beats}/min", RATE, 1, 0}, {"{breaths}/min", RATE, 1, 0},
    {"{Breaths}/min", RATE, 1, 0}, {"/L", COUNT_IN_VOLUME, 1, 0}, {"/l", COUNT_IN_VOLUME, 1, 0},
    {"/mL", COUNT_IN_VOLUME, 1, 3}, {"/ml", COUNT_IN_VOLUME, 1, 3}, {"/uL", COUNT_IN_VOLUME, 1, 6},
    {"/ul", COUNT_IN_VOLUME, 1, 6}, {"10*3/uL", COUNT_IN_VOLUME, 1, 9}, {"10*6/uL", COUNT_IN_VOLUME, 1, 12},
    {"10*9/L", COUNT_IN_VOLUME, 1, 9}, {"10*12/L", COUNT_IN_VOLUME, 1, 12}, {"10*3/mL", COUNT_IN_VOLUME, 1, 6},
    {"10*6/mL", COUNT_IN_VOLUME, 1, 9}, LITRES("[iU]", UNITS_IN_VOLUME, 1, 0), LITRES("m[iU]", UNITS_IN_VOLUME, 1, -3),
    LITRES("k[iU]", UNITS_IN_VOLUME, 1, 3), LITRES("U", ENZYME_IN_VOLUME, 1, 0), LITRES("mU", ENZYME_IN_VOLUME, 1, -3),
    LITRES("kU", ENZYME_IN_VOLUME, 1, 3), {"m2", AREA, 1, 0}, {"cm2", AREA, 1, -4}, {"mm2", AREA, 1, -6},
    {"m/s", SPEED, 1, 0}, {"cm/s", SPEED, 1, -2}, {"mm/s", SPEED, 1, -3}, {"kg/m2", BODY_MASS, 1, 0},
    {"g/m2", BODY_MASS, 1, -3}, {"g/cm2", BODY_MASS, 1, 1}, {"J", ENERGY, 1, 0}, {"kJ", ENERGY, 1, 3},
    {"cal", ENERGY, 4184, -3}, {"kcal", ENERGY, 4184, 0}, {"V", TENSION, 1, 0}, {"mV", TENSION, 1, -3},
    {"uV", TENSION, 1, -6}, {"L/min", FLOW, 1, 0}, {"l/min", FLOW, 1, 0}, {"mL/min", FLOW, 1, -3},
    {"ml/min", FLOW, 1, -3}, {"L/s", FLOW, 6, 1}, {"mL/s", FLOW, 6, -2}};
#define UNITS (sizeof units / sizeof *units)

bool fhir_units_of(const struct fhir_unit **first, size_t *count, const struct fhir_unit **itself, struct bytes code) {
	size_t at = 0;
	while (at < UNITS && !bytes_equal(code, bytes_text(units[at].code))) at++;
	if (at == UNITS) return false;
	size_t from = at, to = at;
	while (from > 0 && units[from - 1].dimension == units[at].dimension) from--;
	while (to < UNITS && units[to].dimension == units[at].dimension) to++;
	*first = &units[from];
	*count = to - from;
	*itself = &units[at];
	return true;
}

static bool shift(struct fhir_decimal *value, int exponent) {
	struct fhir_decimal ten = {.digits = exponent < 0 ? 1 : 10, .scale = exponent < 0};
	for (int i = exponent < 0 ? -exponent : exponent; i > 0; i--)
		if (!fhir_decimal_multiply(value, fhir_decimal_trim(*value), ten)) return false;
	return true;
}

bool fhir_unit_convert(
    struct fhir_decimal *out, struct fhir_decimal value, const struct fhir_unit *from, const struct fhir_unit *to) {
	*out = value;
	if (from->digits != to->digits && (!fhir_decimal_multiply(out, *out, fhir_decimal_of(from->digits)) ||
					      !fhir_decimal_divide(out, *out, fhir_decimal_of(to->digits))))
		return false;
	return shift(out, from->exponent - to->exponent);
}
