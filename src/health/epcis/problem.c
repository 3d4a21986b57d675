#include "health/epcis/problem.h"

#include "codec/json.h"

static const struct {
	int status;
	const char *name, *title;
} exceptions[] = {
    [EPCIS_VALIDATION] = {400, "ValidationException", "what is to be captured is not valid"},
    [EPCIS_QUERY_VALIDATION] = {400, "QueryValidationException", "the query is not valid"},
    [EPCIS_QUERY_PARAMETER] = {400, "QueryParameterException", "a parameter of the query is not valid"},
    [EPCIS_SUBSCRIPTION_CONTROLS] = {400, "SubscriptionControlsException", "the subscription is not valid"},
    [EPCIS_UNAUTHENTICATED] = {401, "SecurityException", "nobody who is known asks"},
    [EPCIS_SECURITY] = {403, "SecurityException", "it is not allowed"},
    [EPCIS_NO_SUCH_NAME] = {404, "NoSuchNameException", "there is no query of this name"},
    [EPCIS_NO_SUCH_RESOURCE] = {404, "NoSuchResourceException", "there is no such resource"},
    [EPCIS_METHOD] = {405, "ImplementationException", "this path has no such method"},
    [EPCIS_NOT_ACCEPTABLE] = {406, "NotAcceptableException", "no form of answer that is wanted is there"},
    [EPCIS_RESOURCE_EXISTS] = {409, "ResourceAlreadyExistsException", "it is there already"},
    [EPCIS_CAPTURE_LIMIT] = {413, "CaptureLimitExceededException", "it is too large to be captured at once"},
    [EPCIS_QUERY_TOO_LARGE] = {413, "QueryTooLargeException", "more events match than are wanted"},
    [EPCIS_QUERY_TOO_COMPLEX] = {413, "QueryTooComplexException", "the query takes too much work"},
    [EPCIS_URI_TOO_LONG] = {414, "URITooLongException", "the address is too long"},
    [EPCIS_UNSUPPORTED_MEDIA_TYPE] = {415, "UnsupportedMediaTypeException", "the body is of a form that is not read"},
    [EPCIS_FAILURE] = {500, "ImplementationException", "this server failed"},
    [EPCIS_NOT_IMPLEMENTED] = {501, "ImplementationException", "this server does not do that"},
    [EPCIS_BUSY] = {503, "ImplementationException", "not now"},
};

int epcis_exception_status(enum epcis_exception exception) {
	return exceptions[exception].status;
}

const char *epcis_exception_name(enum epcis_exception exception) {
	return exceptions[exception].name;
}

void epcis_problem_write(struct buf *out, enum epcis_exception exception, const char *detail) {
	epcis_problem_write_as(out, exception, exceptions[exception].status, detail);
}

void epcis_problem_write_as(struct buf *out, enum epcis_exception exception, int status, const char *detail) {
	char type[64] = "epcisException:";
	struct json_writer writer = json_writer(out);
	strncat(type, exceptions[exception].name, sizeof type - sizeof "epcisException:");
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "type", type);
	json_put_text(&writer, "title", exceptions[exception].title);
	json_put_u64(&writer, "status", (uint64_t)status);
	json_put_text(&writer, "detail", detail);
	json_object_end(&writer);
}
