/* What the files of an anchor share. */
#ifndef HEALTH_CHAIN_DEPLOYMENT_PRIVATE_H
#define HEALTH_CHAIN_DEPLOYMENT_PRIVATE_H

#include "codec/json.h"
#include "health/chain/deployment.h"

/* deployment_validators.c: the member "validators". */
MUST_USE enum status deployment_read_validators(struct deployment *out, const struct json *validators, struct err *err);
void deployment_put_validators(struct json_writer *writer, const struct deployment *deployment);

#endif
