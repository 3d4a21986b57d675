/* Who may sign for a folder; for its grants too. */
#ifndef HEALTH_STATEMENTS_FOLDER_STATEMENTS_PRIVATE_H
#define HEALTH_STATEMENTS_FOLDER_STATEMENTS_PRIVATE_H

#include "health/statements/folder_statements.h"

struct statement_authority {
	const addr20 *by;
	uint64_t number;
	uint8_t needed;                      /* the right that one needs who does not control the folder */
	const struct statement_grant *right; /* NULL: none is shown */
};
/* NULL: `by` may. Else why not. */
const char *statement_authority_fault(const struct statement_folder *folder, const struct statement_authority *said);
/* STATUS_DENIED. */
enum status statement_refuse_folder(
    const struct statement_folder *folder, const char *what, const char *fault, struct err *err);

#endif
