#include "app/cli/cli_action.h"

#include <stdio.h>
#include <unistd.h>

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

enum status cli_action_confirm(const struct cli *cli, const struct statement_call *call, struct err *err) {
	char answer[8] = "";
	if (cli_flag(cli, "yes") || !isatty(STDIN_FILENO)) return STATUS_OK;
	fprintf(stderr, "Somebody asks to %s.\nSend it as this home's account? yes/no: ", call->summary);
	if (fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "it was not sent: the answer was not \"yes\"");
}

enum status cli_action_send(struct cli *cli, const char *name, const struct action *action, struct err *err) {
	struct client_receipt receipt;
	TRY(action_send(&cli->request, &receipt, action, err));
	cli_put_receipt(cli, name, &receipt);
	return STATUS_OK;
}

enum status cli_action_finish(struct cli *cli, const char *name, const struct action *action, struct err *err) {
	const char *path = cli_value(cli, "out");
	if (path) return cli_action_write(cli, name, action, path, err);
	return cli_action_send(cli, name, action, err);
}
