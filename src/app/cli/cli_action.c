#include "app/cli/cli_action.h"

#include <stdio.h>

#define ACTION_FILE_MAX ((size_t)192 << 20)

enum status cli_action_options(const struct cli *cli, struct err *err) {
	if (!cli_value(cli, "out") == !cli_flag(cli, "send"))
		return err_set(err, STATUS_INVALID,
		    "either --out FILE (any listed actor relays it) or --send (as this home's account) is needed");
	return STATUS_OK;
}

enum status cli_action_write(
    struct cli *cli, const char *name, const struct action *action, const char *path, struct err *err) {
	struct buf json;
	buf_init(&json, ACTION_FILE_MAX);
	enum status status = action_write(&json, action, cli->request.home->deployment.chain_id, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&json), err);
	buf_fini(&json);
	if (status == STATUS_OK) cli_put_text(cli, name, path);
	return status;
}

/* What to do about a refusal; NULL: nothing is known. */
static const char *remedy(const struct actor_request *request) {
	static const char be_listed[] =
	    "the directory does not list this home's account as active. Be listed first (xinglin actor request), or, "
	    "for an action of yours as a patient, use --out FILE and give it to a listed actor";
	if (request->blob_refused || request->refused_with == CONTRACT_ERROR_NOT_LISTED) return be_listed;
	if (request->refused_with == CONTRACT_ERROR_NOT_ALLOWED_TO_WRITE)
		return "the folder's controller allows it with: xinglin share --rights write";
	if (request->refused_with == CONTRACT_ERROR_NOT_CONTROLLER)
		return "the signature is not over the folder's present state. Another action came first: make it again";
	if (request->refused_with == CONTRACT_ERROR_OVER_QUOTA) return "try again tomorrow";
	if (request->refused_with == CONTRACT_ERROR_EXPIRED) return "the signature was for one day only: make it again";
	return NULL;
}

enum status cli_explain(const struct cli *cli, enum status status, struct err *err) {
	char reason[sizeof err->message];
	const char *what_to_do = remedy(&cli->request);
	if (status != STATUS_DENIED || !err || !what_to_do) return status;
	snprintf(reason, sizeof reason, "%s", err->message);
	return err_set(err, status, "%s: %s", reason, what_to_do);
}

enum status cli_action_send(struct cli *cli, const char *name, const struct action *action, struct err *err) {
	struct client_receipt receipt;
	TRY(cli_explain(cli, action_relay(&cli->request, &receipt, action, err), err));
	cli_put_receipt(cli, name, &receipt);
	return STATUS_OK;
}

enum status cli_action_finish(struct cli *cli, const char *name, const struct action *action, struct err *err) {
	const char *path = cli_value(cli, "out");
	if (path) return cli_action_write(cli, name, action, path, err);
	return cli_action_send(cli, name, action, err);
}
