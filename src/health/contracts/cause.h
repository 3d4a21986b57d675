/*
 * Causes that a person can mend, as numbers: the library's messages say what is wrong, and whoever talks to a person
 * adds what to do in their own words (a command line its options, a server its documentation). Set by err_because.
 */
#ifndef HEALTH_CONTRACTS_CAUSE_H
#define HEALTH_CONTRACTS_CAUSE_H

#define CAUSES(X)                                                                                                      \
	X(NONE)                                                                                                        \
	X(NO_WALLET)         /* the home holds no wallet */                                                            \
	X(NO_DEPLOYMENT)     /* the home trusts no deployment yet */                                                   \
	X(NO_NODE)           /* no node's address is known */                                                          \
	X(NODE_SILENT)       /* the node does not answer */                                                            \
	X(KEY_CHANGED)       /* an actor's key is not the one that this home has seen */                               \
	X(NOT_CONTROLLER)    /* the folder is not this home's */                                                       \
	X(NO_WINDOW)         /* the node gives a record within an access window only */                                \
	X(NO_FOLDER_KEY)     /* nobody gave this home the folder's key */                                              \
	X(EPOCH_LOST)        /* a delegate left an epoch without a good key for this home */                           \
	X(NO_RELEASE)        /* no trustee has released the folder's key yet */                                        \
	X(NO_DESTINATION)    /* an event does not say to whom it goes */                                               \
	X(OTHER_DESTINATION) /* an event goes to another actor than the caller named */                                \
	X(NO_LOT)            /* an event names no lot */                                                               \
	X(OTHER_LOT)         /* an event names another lot than the caller */                                          \
	X(NO_EXPIRY)         /* an event names no last day */                                                          \
	X(OTHER_PRINT)       /* a lot or an expiry on a pack is not the registered one */                              \
	X(FUTURE_EVENT)      /* an event has not happened yet */                                                       \
	X(UNKNOWN_CONTENTS)  /* a container holds more than this home knows of */                                      \
	X(NOT_PROVED)        /* what the node shows is not proved, and so is not believed */                           \
	X(NOT_PROVED_SENT)   /* that, of a transaction that was handed over: it is kept, and goes on */                \
	X(OLD_HEAD)          /* the node shows no head that is new enough */                                           \
	X(OLD_ANCHOR)        /* the validators that this home trusts were trusted for a time that is over */           \
	X(TWO_BLOCKS)        /* those who decide blocks signed two of one height */                                    \
	X(BLOB_NOT_TAKEN)    /* the node does not take what is to be stored */                                         \
	X(TOO_FEW_HOLD)      /* too few members of a consortium hold what was put */                                   \
	X(TOO_FEW_RELEASE)   /* too few members of a consortium gave their part of the outer seal's key */             \
	X(CLOCKS_DIFFER)     /* the node takes a signed request for too old or too new */
#define CAUSE_ENUM(name) CAUSE_##name,
enum cause { CAUSES(CAUSE_ENUM) CAUSE_COUNT };
#undef CAUSE_ENUM
/* A contract's refusal: its `enum contract_error`, or its `enum medicines_code`, is added. */
#define CAUSE_CONTRACT 0x1000u
#define CAUSE_MEDICINES 0x2000u

#endif
