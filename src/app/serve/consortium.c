#include "app/serve/consortium.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "app/serve/comet_process.h"
#include "app/serve/comet_rpc.h"

enum {
	PATH_BYTES = 108,   /* of a unix socket's address */
	SENDING_MS = 10000, /* CometBFT may be busy with a large block */
	ASKING_MS = 2000    /* a thread of JSON-RPC waits meanwhile */
};

struct consortium {
	struct consortium_options options;
	char app_socket[PATH_BYTES], rpc_socket[PATH_BYTES];
	struct comet_rpc *sending; /* the bundling thread's own */
	pthread_mutex_t lock;      /* of what follows */
	struct comet_rpc *asking;
	struct comet_process *process; /* NULL: none was started, or it was ended */
	atomic_bool is_current;
	struct engine *engine; /* set before the process is there */
};

static enum status socket_path(char out[PATH_BYTES], const char *data, const char *name, struct err *err) {
	if (snprintf(out, PATH_BYTES, "%s/%s", data, name) < PATH_BYTES) return STATUS_OK;
	return err_set(err, STATUS_INVALID,
	    "%s/%s: a socket's path has at most %d bytes; take a data folder nearer to /", data, name, PATH_BYTES - 1);
}

enum status consortium_open(struct consortium **out, const struct consortium_options *options, struct err *err) {
	struct consortium *consortium = mem_zalloc(1, sizeof *consortium);
	consortium->options = *options;
	pthread_mutex_init(&consortium->lock, NULL);
	enum status status = socket_path(consortium->app_socket, options->data, "abci.sock", err);
	if (status == STATUS_OK) status = socket_path(consortium->rpc_socket, options->data, "comet.sock", err);
	if (status == STATUS_OK) status = comet_rpc_open(&consortium->sending, consortium->rpc_socket, SENDING_MS, err);
	if (status == STATUS_OK) status = comet_rpc_open(&consortium->asking, consortium->rpc_socket, ASKING_MS, err);
	if (status != STATUS_OK) {
		consortium_close(consortium);
		return status;
	}
	*out = consortium;
	return STATUS_OK;
}

void consortium_close(struct consortium *consortium) {
	if (consortium == NULL) return;
	consortium_stop(consortium);
	comet_rpc_close(consortium->sending);
	comet_rpc_close(consortium->asking);
	pthread_mutex_destroy(&consortium->lock);
	mem_free(consortium);
}

const char *consortium_socket(const struct consortium *consortium) {
	return consortium->app_socket;
}

static enum status send(void *context, const struct bytes *bundles, size_t count, struct err *err) {
	struct consortium *consortium = context;
	return comet_rpc_send(consortium->sending, bundles, count, err);
}

static enum status light_block(void *context, struct buf *out, uint64_t height, struct err *err) {
	struct consortium *consortium = context;
	pthread_mutex_lock(&consortium->lock);
	const enum status status = comet_rpc_light_block(consortium->asking, out, height, err);
	pthread_mutex_unlock(&consortium->lock);
	return status;
}

static void restart(struct consortium *consortium) {
	pthread_mutex_lock(&consortium->lock);
	if (consortium->process != NULL) comet_process_restart(consortium->process);
	pthread_mutex_unlock(&consortium->lock);
}

/* CometBFT asks who may be connected only when somebody connects. */
static void members_left(void *context) {
	restart(context);
}

struct comet_link consortium_link(struct consortium *consortium) {
	return (struct comet_link){send, light_block, members_left, consortium};
}

/* CometBFT's consensus has stopped. If the others decided what is wrong here, so does the node. Whatever else it was, a
 * full disk or an answer that did not come, CometBFT begins anew; its words are logged, and not the stack of its
 * goroutines. */
static void failed(void *context, const char *line) {
	struct consortium *consortium = context;
	char words[384];
	const char *stack = strstr(line, " stack=");
	snprintf(words, sizeof words, "%.*s", stack != NULL ? (int)(stack - line) : (int)sizeof words - 1, line);
	/* "+2/3 prevoted for an invalid block", "+2/3 committed …", "Failed to process committed block …" */
	if (strstr(words, "an invalid block") != NULL || strstr(words, "process committed block") != NULL)
		comet_fail(consortium->engine, words);
	else if (strncmp(words, "panic", 5) != 0) /* then it ends by itself */
		restart(consortium);
}

enum status consortium_start(struct consortium *consortium, struct engine *engine, uint64_t height, struct err *err) {
	const struct consortium_options *options = &consortium->options;
	const struct comet_process_options process = {.program = options->program,
	    .home = options->home,
	    .app_socket = consortium->app_socket,
	    .rpc_socket = consortium->rpc_socket,
	    .app_height = height,
	    .failed = failed,
	    .context = consortium};
	consortium->engine = engine;
	return options->home != NULL ? comet_process_open(&consortium->process, &process, err) : STATUS_OK;
}

bool consortium_is_current(const struct consortium *consortium) {
	return atomic_load(&consortium->is_current);
}

void consortium_look(struct consortium *consortium) {
	bool is_behind = true;
	if (atomic_load(&consortium->is_current)) return;
	pthread_mutex_lock(&consortium->lock);
	const enum status status = comet_rpc_is_behind(consortium->asking, &is_behind, NULL);
	pthread_mutex_unlock(&consortium->lock);
	if (status == STATUS_OK && !is_behind) atomic_store(&consortium->is_current, true);
}

void consortium_stop(struct consortium *consortium) {
	pthread_mutex_lock(&consortium->lock);
	struct comet_process *process = consortium->process;
	consortium->process = NULL;
	pthread_mutex_unlock(&consortium->lock);
	comet_process_close(process);
}
