/* Inside app/: what the commands about packs share. */
#ifndef APP_COMMANDS_PACK_H
#define APP_COMMANDS_PACK_H

#include "app/cli/cli.h"
#include "health/epcis/plan.h"
#include "health/trace/judge.h"

#define PACK_FILE_MAX ((size_t)32 << 20)
#define PACK_SCANS_MAX 100000u /* that one command takes */

/* Checks the chain and opens what this home knows. */
MUST_USE enum status pack_open(struct cli *cli, struct stock *stock, struct err *err);
/* Adds the document of --document to the stock for this command: checked, not kept. */
MUST_USE enum status pack_beside(struct cli *cli, struct stock *stock, struct err *err);
/* Captures the document, keeps it, writes it sealed where --out says, and reports: documentHash, captures, code,
 * alerts, skipped. A refused pack among dispensed ones sets exit code 3. */
MUST_USE enum status pack_capture(
    struct cli *cli, struct stock *stock, struct bytes epcis, const struct plan_wish *wish, struct err *err);
/* The same for one step of our own. */
MUST_USE enum status pack_step(struct cli *cli, struct stock *stock, const struct epcis_draft *draft,
    const struct plan_wish *wish, struct err *err);
/* A scan that must be good: STATUS_DENIED with the fault's name and advice. */
MUST_USE enum status pack_scan(struct scan *out, const char *text, struct err *err);
/* The command's arguments as Digital Links: each is a scan, or "@FILE" with a scan a line. What else is printed goes to
 * the wish, and is held against what is registered. */
MUST_USE enum status pack_scans(
    struct cli *cli, const char ***out, size_t *count, struct plan_prints *prints, struct err *err);
/* The scan's canonical Digital Link, in the arena. */
const char *pack_epc(struct cli *cli, const struct scan *scan);
unsigned pack_year(void);
/* "sscc", or "case" with the Digital Link of a case that has a GTIN and a serial. NULL and "": nothing. */
void pack_put_container(struct cli *cli, const char *code);
/* Of --gtin, with 14 digits. */
MUST_USE enum status pack_gtin(const struct cli *cli, char out[15], struct err *err);
/* The tag of --gtin's product, whose key this home holds. */
MUST_USE enum status pack_product(struct cli *cli, hash32 *out, struct err *err);
/* The lot of --gtin and --lot: its batch, and what was named. */
MUST_USE enum status pack_lot(
    struct cli *cli, const struct stock *stock, hash32 *out, const char **gtin14, const char **lot, struct err *err);
/* An optional address option. */
MUST_USE enum status pack_address(const struct cli *cli, addr20 *out, const char *name, struct err *err);
#define PACK_LOT_OPTIONS                                                                                               \
	{"gtin", "DIGITS", "the product's GTIN"}, {                                                                    \
		"lot", "TEXT", "the lot"                                                                               \
	}
/* "0x…" under `name`, and the directory's name under `name`Name. */
void pack_put_actor(struct cli *cli, const char *name, const addr20 *actor);
void pack_put_alert(struct cli *cli, const struct stock *stock, const struct medicines_alert *alert);

#endif
