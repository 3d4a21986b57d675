/*
 * A trustee's service: checking the shares of folders' keys that are dealt to it, and releasing them to emergency
 * accounts. It never holds a key, unless it alone is enough (threshold 1). Nothing is released on a node's word: the
 * review is proved and open by this machine's clock, the emergency is signed by its actor, the actor's entry and key
 * are certified, and the folder and its trustees are proved, all at one head that answered a challenge.
 *
 * Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_TRUSTEE_H
#define HEALTH_CONSENT_TRUSTEE_H

#include "health/actors/request.h"

struct trustee_round {
	uint64_t alarmed; /* kept between rounds: emergencies up to this one had their alarm */
	size_t released;
	size_t failed;  /* each is in the log, and is tried again next time */
	size_t limited; /* of them: the actor had its number of releases today, which a person should look at */
	size_t refused; /* shares that were dealt to this home and are false: it complained on the chain */
};
/* Checks what was dealt since it last looked. Releases the home's share for every open window of folders that this home
 * is trustee of, unless it has done so. The home remembers where to go on. What the request has proved before, it
 * forgets. */
MUST_USE enum status trustee_serve_once(struct actor_request *request, struct trustee_round *round, struct err *err);

#endif
