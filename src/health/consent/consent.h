/*
 * A folder's readers: whoever may read after a rotation, by the grants that the contract holds
 * (contracts/src/interfaces/IConsent.sol). Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_CONSENT_H
#define HEALTH_CONSENT_CONSENT_H

#include "health/records/folder.h"

/* A new epoch for the trustees and for those whose grants over the whole folder still hold; it follows a revocation.
 * The readers of `rotation` are filled in; whose grant cannot be read is among those left out. `leaving` gets no wrap
 * although its grant still holds on the chain, since a revocation goes before; NULL: nobody. */
MUST_USE enum status consent_rotate_action(struct actor_request *request, struct action *action, const hash32 *id,
    struct folder_rotation *rotation, const addr20 *leaving, struct err *err);
/* A folder's key, of the shares that trustees released to this home in an emergency: for record_read. */
extern const struct folder_keys consent_released_keys;

#endif
