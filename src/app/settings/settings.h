/*
 * The settings of a long-running command. One table of rows per command (its section) is the only place that knows a
 * setting's name, type, range, default and help. From it come the flags, the environment's variables, the keys of the
 * configuration file, --help, the man page, the table of docs/operations.md and the commented sample file.
 *
 * A setting `http-port` of the section `node` is the flag --http-port, the variable XINGLIN_NODE_HTTP_PORT and the key
 * http-port under [node]. A flag wins over the environment, the environment over the file, the file over the default.
 *
 * Secrets are never values: a setting of type SETTING_SECRET names a file that only its owner may read. If such a
 * setting is not given, a file of its name in $CREDENTIALS_DIRECTORY (systemd's LoadCredential) takes its place.
 *
 * Ownership: texts live in the settings' arena until settings_fini. Threads: one owner while loading; read-only after.
 */
#ifndef APP_SETTINGS_SETTINGS_H
#define APP_SETTINGS_SETTINGS_H

#include "app/settings/problems.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_NUMBER,  /* min to max */
	SETTING_PORT,    /* 0 to 65535; 0 is any free port, or no service: the help says which */
	SETTING_ADDRESS, /* numeric, IPv4 or IPv6 */
	SETTING_URLS,    /* http:// or https://, with commas between */
	SETTING_LIST,    /* texts with commas between */
	SETTING_SWITCH,  /* yes or no; as a flag it stands alone and means yes */
	SETTING_CHOICE,  /* one of `choices` */
	SETTING_FILE,    /* is there and can be read */
	SETTING_SECRET,  /* the same, and nobody but its owner can read it */
	SETTING_FOLDER,  /* a path; it may not exist yet */
};

enum setting_flags {
	SETTING_RELOADS = 1,   /* SIGHUP changes it; all others need a restart */
	SETTING_FLAG_ONLY = 2, /* belongs on the command line alone: --once */
};

struct setting {
	const char *name;
	enum setting_type type;
	const char *value;     /* what stands for the value in help: "MS"; NULL: a switch */
	const char *otherwise; /* the default, spelled as in the file; NULL: none */
	uint64_t min, max;     /* of SETTING_NUMBER */
	const char *choices;   /* of SETTING_CHOICE: "text|json" */
	unsigned flags;
	const char *help; /* one clause, without range and default: they are added */
};

struct settings;
struct settings_section {
	const char *name;  /* "node" */
	const char *title; /* for the sample file: what the process is */
	const struct setting *rows;
	size_t count;
	/* Contradictions between settings that are each right. NULL: none. */
	void (*check)(const struct settings *settings, struct problems *problems);
};

enum setting_origin { FROM_DEFAULT, FROM_CREDENTIAL, FROM_FILE, FROM_ENVIRONMENT, FROM_FLAG };

struct setting_value {
	const char *text; /* NULL: not given, and there is no default */
	uint64_t number;  /* of NUMBER, PORT and SWITCH */
	enum setting_origin origin;
	unsigned line; /* in the file */
};

#define SETTINGS_MAX 64u

struct settings {
	const struct settings_section *section;
	const char *file; /* NULL: none was read */
	struct arena arena;
	struct setting_value values[SETTINGS_MAX];
};

/* Where a process's settings come from, at its start and again at each reload. */
struct settings_source {
	const struct settings_section *section;
	const struct settings_section *const *sections; /* all that a file may hold, NULL-terminated */
	const char *file;                               /* NULL: no file */
	/* The text of a flag, "" for a switch that stands alone; NULL if it was not given. */
	const char *(*flag)(const void *context, const char *name);
	const void *context;
	/* "NAME=VALUE" each, NULL-terminated, as environ. A variable of this section that no setting has is a mistake.
	 * NULL: none. */
	char *const *environment;
};

/* Reads and checks all of it. Every mistake is added to `problems`; with one, the values must not be used. */
void settings_load(struct settings *out, const struct settings_source *source, struct problems *problems);
void settings_fini(struct settings *settings);
/* Checks all sections of a file, and what they must not both have (a port). The environment and flags do not count. */
void settings_check_file(const char *path, const struct settings_section *const *sections, struct problems *problems);

/* The three faces of a table. Help: a line for each flag; sample: a commented file that changes nothing; markdown: a
 * table. */
void settings_print_help(struct buf *out, const struct settings_section *section);
void settings_print_sample(struct buf *out, const struct settings_section *section);
void settings_print_markdown(struct buf *out, const struct settings_section *section);

/* A name that the section does not have is a bug. */
const char *settings_text(const struct settings *settings, const char *name); /* NULL: not given */
uint64_t settings_number(const struct settings *settings, const char *name);
bool settings_is_on(const struct settings *settings, const char *name);
bool settings_is_given(const struct settings *settings, const char *name); /* anything but the default */
/* The parts of a list, NULL-terminated, in the arena; NULL if it was not given. */
const char *const *settings_list(struct settings *settings, const char *name);
/* How messages name a value: "xinglin.conf:12", "--http-port", "XINGLIN_NODE_HTTP_PORT"; in a fixed text. */
struct setting_place {
	char text[512];
};
struct setting_place settings_place(const struct settings *settings, const char *name);
const struct setting *settings_row(const struct settings_section *section, const char *name); /* NULL: unknown */
size_t settings_index(const struct settings_section *section, const char *name);              /* unknown: a bug */

/* The variable of a setting: XINGLIN_NODE_HTTP_PORT. */
#define SETTING_VARIABLE_MAX 96u
void setting_variable(
    char out[SETTING_VARIABLE_MAX], const struct settings_section *section, const struct setting *row);
/* Checks one value and adds a problem at `where`; true if it is right. `number` may be NULL. */
bool setting_check(
    const struct setting *row, const char *text, uint64_t *number, const char *where, struct problems *problems);

#endif
