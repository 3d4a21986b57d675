/*
 * What somebody at a command line can do about a failure, by its cause (health/contracts/cause.h). Each cause, each
 * error of the contracts and each code of the contract of medicines has a sentence. Threads: pure.
 */
#ifndef APP_CLI_REMEDIES_H
#define APP_CLI_REMEDIES_H

#include "health/contracts/errors.h"
#include "health/contracts/medicines.h"

/* Never NULL; "" if nothing is known, or nothing is to be done. */
const char *remedy_of_cause(unsigned cause);
const char *remedy_of_error(enum contract_error error);
const char *remedy_of_code(enum medicines_code code);

#endif
