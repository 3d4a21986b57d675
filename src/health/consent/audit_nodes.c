#include "health/consent/audit_nodes.h"

#include "health/actors/directory.h"

static const char *url_of(const struct actor_request *request, const struct audit_wish *wish, const addr20 *node) {
	for (size_t i = 0; i < wish->address_count; i++)
		if (addr20_equal(&wish->addresses[i].node, node)) return wish->addresses[i].url;
	const struct deployment *deployment = &request->home->deployment;
	if (addr20_equal(&deployment->sealer, node)) return client_url(request->client);
	for (size_t i = 0; i < deployment->node_count; i++)
		if (addr20_equal(&deployment->nodes[i].account, node)) return deployment->nodes[i].url;
	return NULL;
}

static void add(
    struct actor_request *request, struct audit_log *out, const struct audit_wish *wish, const addr20 *node) {
	for (size_t i = 0; i < out->node_count; i++)
		if (addr20_equal(&out->nodes[i].node, node)) return;
	out->nodes[out->node_count++] = (struct audit_node){.node = *node, .url = url_of(request, wish, node)};
}

enum status audit_nodes(
    struct actor_request *request, struct audit_log *out, const struct audit_wish *wish, struct err *err) {
	const addr20 *sealer = &request->home->deployment.sealer;
	struct directory_listed *listed;
	size_t count;
	TRY(directory_find_all(request, &listed, &count, ROLE_NODE, err));
	out->nodes = arena_zalloc(request->arena, count + 1, sizeof *out->nodes);
	if (!addr20_is_zero(sealer)) add(request, out, wish, sealer);
	for (size_t i = 0; i < count; i++) add(request, out, wish, &listed[i].address);
	return STATUS_OK;
}
