/* What a home keeps of its chain's heads and lists (health/chain/heads.h), as files of the home. */
#ifndef HEALTH_ACTORS_HOME_HEADS_H
#define HEALTH_ACTORS_HOME_HEADS_H

#include "health/actors/home.h"
#include "health/chain/heads.h"

/* Borrows the home. */
struct head_store home_head_store(const struct home *home);

#endif
