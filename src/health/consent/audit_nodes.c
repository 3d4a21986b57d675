#include "health/consent/audit_nodes.h"

#include "health/actors/roles.h"
#include "health/contracts/directory.h"

static const char *url_of(const struct actor_request *request, const struct audit_wish *wish, const addr20 *node) {
	for (size_t i = 0; i < wish->address_count; i++)
		if (addr20_equal(&wish->addresses[i].node, node)) return wish->addresses[i].url;
	return addr20_equal(&request->home->deployment.sealer, node) ? client_url(request->client) : NULL;
}

static void add(
    struct actor_request *request, struct audit_log *out, const struct audit_wish *wish, const addr20 *node) {
	for (size_t i = 0; i < out->node_count; i++)
		if (addr20_equal(&out->nodes[i].node, node)) return;
	out->nodes[out->node_count++] = (struct audit_node){.node = *node, .url = url_of(request, wish, node)};
}

enum status audit_nodes(struct actor_request *request, struct verified *verified, struct audit_log *out,
    const struct audit_wish *wish, struct err *err) {
	const struct deployment *deployment = heads_anchor(verified->heads);
	struct contract_topics topics = directory_actor_listed_event_topics(NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(request, &logs, &count, &deployment->directory, 0, &topics, err));
	out->nodes = arena_zalloc(request->arena, count + 1, sizeof *out->nodes);
	if (!addr20_is_zero(&deployment->sealer)) add(request, out, wish, &deployment->sealer);
	for (size_t i = 0; i < count; i++) {
		struct directory_actor_listed_event listed;
		TRY(directory_actor_listed_event_read(&listed, &logs[i].log, err));
		if (listed.roles & ROLE_NODE) add(request, out, wish, &listed.actor);
	}
	return STATUS_OK;
}
