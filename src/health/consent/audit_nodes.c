#include "health/consent/audit_nodes.h"

#include "health/actors/directory.h"
#include "health/consent/looks.h"
#include "health/records/record.h"

static const char *url_of(const struct actor_request *request, const struct audit_wish *wish, const addr20 *node) {
	for (size_t i = 0; i < wish->address_count; i++)
		if (addr20_equal(&wish->addresses[i].node, node)) return wish->addresses[i].url;
	const struct deployment *deployment = &request->home->deployment;
	if (addr20_equal(&deployment->sealer, node)) return client_url(request->client);
	for (size_t i = 0; i < deployment->node_count; i++)
		if (addr20_equal(&deployment->nodes[i].account, node)) return deployment->nodes[i].url;
	return NULL;
}

static struct audit_node *find(struct audit_log *out, const addr20 *account) {
	for (size_t i = 0; i < out->node_count; i++)
		if (addr20_equal(&out->nodes[i].node, account)) return &out->nodes[i];
	return NULL;
}

static void make_room(struct actor_request *request, struct audit_log *out) {
	const size_t capacity = out->node_count & (out->node_count + 1) ? 0 : 2 * (out->node_count + 1);
	if (!capacity) return; /* there is room up to the next power of two less one */
	struct audit_node *larger = arena_zalloc(request->arena, capacity, sizeof *larger);
	if (out->node_count) memcpy(larger, out->nodes, out->node_count * sizeof *larger);
	out->nodes = larger;
}

static struct audit_node *add(
    struct actor_request *request, struct audit_log *out, const struct audit_wish *wish, const addr20 *account) {
	struct audit_node *found = find(out, account);
	if (found) return found;
	make_room(request, out);
	found = &out->nodes[out->node_count++];
	*found = (struct audit_node){.node = *account, .url = url_of(request, wish, account)};
	return found;
}

/* --- gateways --- */

struct finding {
	struct actor_request *request;
	struct audit_log *out;
	const struct audit_wish *wish;
};

static void add_gateway(const struct finding *f, const addr20 *account, bool is_sure) {
	const size_t before = f->out->node_count;
	struct audit_node *node = add(f->request, f->out, f->wish, account);
	if (f->out->node_count > before) node->is_gateway = true;
	if (node->is_gateway && is_sure) node->is_sure = true;
}

static enum status see_look(void *context, const struct access_event *event, struct err *err) {
	const struct finding *f = context;
	(void)err;
	add_gateway(f, &event->actor, false);
	return STATUS_OK;
}

/* Who is named; who wrote into the folder, and so reads what it wrote; who asked to look. */
static enum status add_gateways(struct finding *f, struct verified *verified, struct err *err) {
	const struct deployment *deployment = &f->request->home->deployment;
	const struct looks looks = {.folder = f->wish->folder, .visit = see_look, .context = f};
	struct record_registration *records;
	size_t count;
	for (size_t i = 0; i < f->wish->address_count; i++) add_gateway(f, &f->wish->addresses[i].node, true);
	for (size_t i = 0; i < deployment->node_count; i++) add_gateway(f, &deployment->nodes[i].account, true);
	TRY(looks_read(verified, &looks, err));
	TRY(record_list(f->request, &records, &count, &f->wish->folder, err));
	for (size_t i = 0; i < count; i++) add_gateway(f, &records[i].author, false);
	return STATUS_OK;
}

enum status audit_nodes(
    struct actor_request *request, struct audit_log *out, const struct audit_wish *wish, struct err *err) {
	const addr20 *sealer = &request->home->deployment.sealer;
	struct finding finding = {request, out, wish};
	struct directory_listed *listed;
	struct verified *verified;
	size_t count;
	TRY(directory_find_all(request, &listed, &count, ROLE_NODE, err));
	if (!addr20_is_zero(sealer)) add(request, out, wish, sealer);
	for (size_t i = 0; i < count; i++) add(request, out, wish, &listed[i].address);
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	return add_gateways(&finding, verified, err);
}
