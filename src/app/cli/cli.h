/*
 * The command line: one table of commands (commands.c), one file a command group (commands/). This header is what a
 * command has at hand: its options, its request, and its report.
 *
 * A report is built once, as JSON: `--json` prints it as it is, otherwise it is laid out for a person. Sentences for a
 * person (cli_say) are left out of JSON. Errors go to stderr, with what to do next.
 *
 * Exit codes: 0 done · 1 failed (disk, network, damaged data) · 2 wrong use · 3 refused (by a contract, a node, a
 * check) · 4 not found · 5 a proof or a verification did not hold.
 */
#ifndef APP_CLI_CLI_H
#define APP_CLI_CLI_H

#include "app/cli/progress.h"
#include "app/settings/settings.h"
#include "codec/json.h"
#include "health/actors/actor.h"
#include "health/index/index.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_REFUSED = 3, EXIT_NOT_FOUND = 4, EXIT_NOT_PROVEN = 5 };

struct cli_option {
	const char *name;  /* without "--" */
	const char *value; /* what stands for the value in help: "DIR"; NULL: a flag */
	const char *help;
};
#define CLI_OPTIONS_MAX 24

struct cli;
struct cli_command {
	const char *name;      /* "record add" */
	const char *arguments; /* positional ones, for help: "FILE", "FILE…", or "" */
	int arguments_min, arguments_max;
	const char *summary;                        /* one line */
	const char *teach;                          /* some lines: what happens, an example */
	struct cli_option options[CLI_OPTIONS_MAX]; /* ends with a NULL name; --json and --help are everyone's */
	const struct settings_section *settings;    /* of a long-running command: its rows are options too, or NULL */
	bool needs_home;                            /* adds --home, --password-file, --rpc, and opens the request */
	bool by_itself; /* even if the home is unlocked: it shows the wallet, or serves for long */
	MUST_USE enum status (*run)(struct cli *cli, struct err *err);
};

struct cli {
	const struct cli_command *command;
	const char *values[CLI_OPTIONS_MAX + SETTINGS_MAX];
	const char *const *arguments;
	int argument_count;
	bool json;
	struct arena arena;
	const struct home *unlocked;  /* its wallet is open already; NULL: the password opens it */
	struct client_maker clients;  /* of the actor; it points here */
	struct actor *actor;          /* where the command needs a home */
	struct actor_request request; /* of this actor */
	struct index *index;          /* of its home; NULL: no chain is known */
	struct progress_line progress;
	struct buf report;
	struct json_writer writer;
	int exit_code;     /* what a command sets beyond its status */
	bool has_reported; /* the command printed by itself what there is to say */
};

/* NULL if the option was not given. A name that the command does not have is a bug. */
const char *cli_value(const struct cli *cli, const char *name);
bool cli_flag(const struct cli *cli, const char *name);
/* As settings_source wants it: `cli` is a struct cli; NULL also for a name that the command does not have. */
const char *cli_setting(const void *cli, const char *name);
/* STATUS_INVALID if a needed option is missing or malformed, with its name in `err`. */
MUST_USE enum status cli_need(const struct cli *cli, const char **out, const char *name, struct err *err);
MUST_USE enum status cli_u64(
    const struct cli *cli, uint64_t *out, const char *name, uint64_t otherwise, struct err *err);
MUST_USE enum status cli_hash(const struct cli *cli, hash32 *out, const char *name, struct err *err);    /* needed */
MUST_USE enum status cli_address(const struct cli *cli, addr20 *out, const char *name, struct err *err); /* needed */
/* The next part of a list with commas between, which goes from `rest`; false at the end. */
bool cli_next_part(struct bytes *part, struct bytes *rest);
/* "0x…,0x…", in the arena; none without the option. STATUS_LIMIT: more than `max`. */
MUST_USE enum status cli_addresses(
    struct cli *cli, const addr20 **out, size_t *count, const char *name, size_t max, struct err *err);
/* A whole file, at most `max` bytes, in the arena; "-" is standard input. */
MUST_USE enum status cli_read_file(struct cli *cli, struct bytes *out, const char *path, size_t max, struct err *err);
/* Written whole: temporary name, fsync, rename. "-" is standard output. */
MUST_USE enum status cli_write_file(const char *path, struct bytes content, struct err *err);

/* The report: members of one object; `cli->writer` may be used directly for lists. */
void cli_put_text(struct cli *cli, const char *name, const char *text);
void cli_put_bytes(struct cli *cli, const char *name, struct bytes text);
void cli_put_hex(struct cli *cli, const char *name, struct bytes data);
void cli_put_address(struct cli *cli, const char *name, const addr20 *address); /* EIP-55 */
void cli_put_u64(struct cli *cli, const char *name, uint64_t value);
void cli_put_bool(struct cli *cli, const char *name, bool value);
/* Transaction, block and gas of what was sent, under `name`. */
void cli_put_receipt(struct cli *cli, const char *name, const struct client_receipt *receipt);
/* "2026-11-22T12:00:00Z". */
void cli_put_time(struct cli *cli, const char *name, uint64_t seconds);
/* A sentence for a person, at once. */
void cli_say(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);

/* The commands, in the order of help, by the people who need them most. A command stands in one group. */
struct cli_group {
	const char *title;                      /* "patients"; NULL ends the table */
	const struct cli_command *commands[32]; /* NULL-terminated */
};
extern const struct cli_group cli_groups[];

/* The whole run: parse, help, request, command, report. Returns the exit code. */
int cli_main(int argc, char **argv);
/* The same in a process that has the wallet (app/serve/unlocked.h). CLI_NOT_RUN: it is no command for it. */
#define CLI_NOT_RUN (-1)
int cli_run_unlocked(int argc, char **argv, const struct home *home);

#endif
