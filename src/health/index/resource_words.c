/* _text and _content. */
#include "health/index/resource_condition.h"

enum status resource_words_find(struct resource_question *question, struct resource_rows *out,
    const struct fhir_criterion *criterion, struct err *err) {
	(void)question;
	(void)out;
	(void)criterion;
	return err_set(err, STATUS_UNSUPPORTED, "this server does not search by words");
}
