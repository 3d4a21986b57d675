/*
 * The forks of Ethereum's execution rules that the machine knows, in the order in which they came. A fork has all rules
 * of those before it; `fork >= FORK_X` is how code asks. (Constantinople alone has the rules of EIP-1283.)
 *
 * Threads: pure.
 */
#ifndef LEDGER_EVM_FORK_H
#define LEDGER_EVM_FORK_H

#define FORK_LIST(X)                                                                                                   \
	X(FRONTIER, "Frontier")                                                                                        \
	X(HOMESTEAD, "Homestead")                                                                                      \
	X(TANGERINE, "Tangerine Whistle")                                                                              \
	X(SPURIOUS, "Spurious Dragon")                                                                                 \
	X(BYZANTIUM, "Byzantium")                                                                                      \
	X(CONSTANTINOPLE, "Constantinople")                                                                            \
	X(PETERSBURG, "Petersburg")                                                                                    \
	X(ISTANBUL, "Istanbul")                                                                                        \
	X(BERLIN, "Berlin")                                                                                            \
	X(LONDON, "London")                                                                                            \
	X(PARIS, "Paris")                                                                                              \
	X(SHANGHAI, "Shanghai")                                                                                        \
	X(CANCUN, "Cancun")                                                                                            \
	X(PRAGUE, "Prague")                                                                                            \
	X(OSAKA, "Osaka")

#define FORK_ENUM(name, text) FORK_##name,
enum fork { FORK_LIST(FORK_ENUM) FORK_COUNT };
#undef FORK_ENUM

/* Its name for people, never NULL. */
static inline const char *fork_name(enum fork fork) {
#define FORK_TEXT(name, text) text,
	static const char *const names[] = {FORK_LIST(FORK_TEXT)};
#undef FORK_TEXT
	return (unsigned)fork < FORK_COUNT ? names[fork] : "unknown";
}

#endif
