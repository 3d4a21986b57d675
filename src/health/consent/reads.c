/* What every node served of a folder: each answer held to what that node anchored on the chain. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/merkle_map.h"
#include "envelope/jwe.h"
#include "health/consent/audit.h"
#include "health/consent/audit_nodes.h"
#include "health/consent/consent_private.h"
#include "health/contracts/cause.h"
#include "health/records/folder.h"

#define PAGE_MAX ((size_t)2 << 20)
#define PLAIN_MAX ((size_t)4096)
#define GATEWAY_LINE_MAX ((size_t)8 << 10)
#define ENTRIES_MAX 1000000u /* of one node */
#define HEADS_MAX 3u         /* that are taken while a node anchors anew */
#define CLOCKS_APART_S 60u   /* a node's clock and the chain's */

struct reading {
	struct actor_request *request;
	struct verified *verified;
	const struct audit_wish *wish;
	struct audit_log *out;
	size_t capacity; /* of out->entries */
	struct blob_asker asker;
	struct p256_secret audit_secret;
	uint64_t handed_over_s; /* the block's time; 0: the folder has its first controller */
};

/* A node serves a signed request once (docs/wire-formats.md §5). */
struct request_key {
	addr20 who;
	uint64_t expiry_s, nonce;
};

/* One node's answer while it is folded. */
struct folding {
	struct reading *reading;
	struct audit_node *node;
	size_t index;
	struct consent_stored_anchor anchor;
	struct list_state proved; /* of the folder, under the anchor */
	struct list_state seen;   /* by this home, at an earlier time */
	struct list_fold fold;    /* from what the node says it has */
	uint64_t shown;
	bool reached_seen;
	struct err wrong; /* of the first entry that is not what its reader signed; the others are shown all the same */
	bool has_wrong;
	struct request_key *requests; /* of the entries that were read */
	size_t request_count, request_capacity;
};

static enum status not_proved(struct err *err) {
	return err_because(err, CAUSE_NOT_PROVED, err_prefix(err, STATUS_DENIED, "not proved"));
}

/* --- what the node anchored --- */

static enum status read_anchor(struct folding *f, struct err *err) {
	struct verified *verified = f->reading->verified;
	const addr20 *consent = &heads_anchor(verified->heads)->consent;
	const hash32 slot = consent_anchors_slot(&f->node->node);
	hash32 words[CONSENT_STORED_ANCHOR_SLOTS];
	TRY(verified_struct(verified, words, consent, &slot, CONSENT_STORED_ANCHOR_SLOTS, err));
	TRY(consent_stored_anchor_load(&f->anchor, words, err));
	f->node->anchored_at_s = f->anchor.time;
	return STATUS_OK;
}

/* Whom requests to this node name: no node in particular if nobody alone seals the blocks (docs/wire-formats.md §5). */
static const addr20 *addressee(const struct folding *f) {
	const struct deployment *deployment = &f->reading->request->home->deployment;
	return addr20_is_zero(&deployment->sealer) && !f->node->is_gateway ? &deployment->sealer : &f->node->node;
}

static enum status get_page(
    struct folding *f, struct audit_page *page, struct blob_verdict *verdict, uint64_t before, struct err *err) {
	struct reading *r = f->reading;
	const bool has_root = f->anchor.count > 0;
	const struct blob_audit_wish wish = {.gate = &r->request->home->deployment.folders,
	    .folder = &r->wish->folder,
	    .root = has_root ? &f->anchor.root : NULL,
	    .before = (uint32_t)before};
	struct buf json;
	buf_init(&json, PAGE_MAX);
	r->asker.node = addressee(f);
	enum status status = blobs_get_audit(&r->asker, &json, verdict, &wish, err);
	if (status == STATUS_OK && verdict->ok)
		status = audit_page_parse(page, r->request->arena, arena_dup(r->request->arena, buf_view(&json)), err);
	buf_fini(&json);
	return status;
}

static enum status refused(const struct blob_verdict *verdict, struct err *err) {
	return err_set(err, STATUS_DENIED, "its entries were not served: %s (%s)", verdict->detail, verdict->code);
}

/* The first page, with the proof under the newest anchor: the node may have anchored anew since our head. */
static enum status first_page(struct folding *f, struct audit_page *page, struct err *err) {
	struct blob_verdict verdict;
	for (unsigned i = 0; i < HEADS_MAX; i++) {
		if (i > 0) TRY(verified_head(f->reading->verified, HEADS_FRESH, err));
		TRY(read_anchor(f, err));
		TRY(get_page(f, page, &verdict, 0, err));
		if (verdict.ok || strcmp(verdict.code, "unknown-root") != 0) break;
	}
	return verdict.ok ? STATUS_OK : refused(&verdict, err);
}

/* Presence or absence, under the proved root. */
static enum status read_proof(struct folding *f, const struct audit_page *page, struct err *err) {
	hash32 value = {{0}};
	if (f->anchor.count == 0) return STATUS_OK; /* it never anchored anything, which is proved */
	if (!page->has_proof || !merkle_map_verify(&value, &f->anchor.root, &f->reading->wish->folder, page->proof)) {
		err_set(err, STATUS_DENIED, "its answer does not follow from what it anchored on the chain");
		return not_proved(err);
	}
	f->proved = list_load(&value);
	f->node->proved = f->proved.count;
	return STATUS_OK;
}

/* --- its entries --- */

/* *of_former: it is from before the folder was handed over, and only who controlled it then can open it. */
static enum status open_line(
    struct folding *f, struct audit_line *line, bool *of_former, const struct audit_sealed *sealed, struct err *err) {
	struct reading *r = f->reading;
	struct arena *arena = r->request->arena;
	struct buf plain;
	buf_init(&plain, PLAIN_MAX);
	enum status status = jwe_ecdh_open(&plain, NULL, arena, sealed->jwe, &r->audit_secret, err);
	const struct bytes text = arena_dup(arena, buf_view(&plain));
	buf_wipe(&plain);
	*of_former =
	    status == STATUS_DENIED && r->handed_over_s && sealed->link.time_s <= r->handed_over_s + CLOCKS_APART_S;
	if (status == STATUS_DENIED) err_set(err, status, "it does not open with the controller's audit key");
	if (status == STATUS_OK) status = audit_line_parse(line, arena, text, err);
	if (status == STATUS_OK)
		status = audit_line_check(line, &r->request->home->deployment, addressee(f), sealed->link.time_s, err);
	if (status == STATUS_OK) return STATUS_OK;
	err_prefix(err, STATUS_DENIED, "entry %llu", (unsigned long long)sealed->link.n);
	return not_proved(err);
}

static void show(struct folding *f, const struct audit_entry *entry) {
	struct audit_log *out = f->reading->out;
	if (out->count == f->reading->capacity) {
		const size_t capacity = out->count ? 2 * out->count : 64;
		struct audit_entry *larger = arena_zalloc(f->reading->request->arena, capacity, sizeof *larger);
		if (out->count) memcpy(larger, out->entries, out->count * sizeof *larger);
		out->entries = larger;
		f->reading->capacity = capacity;
	}
	out->entries[out->count++] = *entry;
	f->shown++;
}

static void note_request(struct folding *f, const struct audit_line *line) {
	if (f->request_count == f->request_capacity) {
		f->request_capacity = f->request_capacity ? 2 * f->request_capacity : 64;
		struct request_key *larger =
		    arena_zalloc(f->reading->request->arena, f->request_capacity, sizeof *larger);
		if (f->request_count) memcpy(larger, f->requests, f->request_count * sizeof *larger);
		f->requests = larger;
	}
	f->requests[f->request_count++] = (struct request_key){line->entry.who, line->expiry_s, line->nonce};
}

static int compare_requests(const void *a, const void *b) {
	const struct request_key *one = a, *other = b;
	const int by_account = memcmp(one->who.b, other->who.b, sizeof one->who.b);
	if (by_account) return by_account;
	if (one->expiry_s != other->expiry_s) return one->expiry_s < other->expiry_s ? -1 : 1;
	return one->nonce == other->nonce ? 0 : one->nonce < other->nonce ? -1 : 1;
}

/* One request entered twice makes two reads of one. */
static enum status check_requests(struct folding *f, struct err *err) {
	if (f->request_count) qsort(f->requests, f->request_count, sizeof *f->requests, compare_requests);
	for (size_t i = 1; i < f->request_count; i++) {
		if (compare_requests(&f->requests[i - 1], &f->requests[i]) != 0) continue;
		err_set(err, STATUS_DENIED, "it entered one request of a reader twice");
		return not_proved(err);
	}
	return STATUS_OK;
}

static bool is_at(const struct folding *f, const struct list_state *state) {
	return memcmp(f->fold.at.head, state->head, LIST_HEAD_BYTES) == 0;
}

/* At the count that was anchored, and at the one that this home saw before, the fold's head must be that list's. */
static enum status check_marks(struct folding *f, struct err *err) {
	if (f->fold.at.count == f->proved.count && !is_at(f, &f->proved)) {
		err_set(err, STATUS_DENIED, "its entries are not those that it anchored on the chain");
		return not_proved(err);
	}
	if (f->fold.at.count == f->seen.count) {
		f->reached_seen = true;
		if (!is_at(f, &f->seen)) {
			err_set(err, STATUS_DENIED, "its entries are not those that this home was shown before");
			return not_proved(err);
		}
	}
	return STATUS_OK;
}

/* Not before what this home saw earlier: that a list was rewritten shows there. */
static bool is_enough(const struct folding *f) {
	const uint64_t max = f->reading->wish->max;
	const bool is_as_seen = f->reached_seen || f->seen.count == 0;
	return list_fold_is_done(&f->fold) ||
	       (max && f->shown >= max && f->fold.at.count <= f->proved.count && is_as_seen);
}

/* A gateway seals its lines when it serves them, and its list is over what they say. */
static enum status take_line(struct folding *f, const struct audit_sealed *sealed, struct err *err) {
	struct reading *r = f->reading;
	struct list_entry link = sealed->link;
	struct audit_entry entry;
	struct buf plain;
	buf_init(&plain, GATEWAY_LINE_MAX);
	enum status status = jwe_ecdh_open(&plain, NULL, r->request->arena, sealed->jwe, &r->audit_secret, err);
	const struct bytes text = arena_dup(r->request->arena, buf_view(&plain));
	buf_wipe(&plain);
	if (status != STATUS_OK) return err_prefix(err, status, "line %llu", (unsigned long long)link.n);
	link.entry = keccak256(text);
	if (list_fold_step(&f->fold, &link, err) != STATUS_OK) return not_proved(err);
	TRY(check_marks(f, err));
	TRY(audit_gateway_line_parse(&entry, r->request->arena, text, err));
	if (entry.at_ms / 1000 != link.time_s)
		return err_set(err, STATUS_DENIED, "line %llu is of another time", (unsigned long long)link.n);
	entry.n = link.n;
	entry.node = f->index;
	entry.anchored = link.n <= f->proved.count;
	if (!r->wish->max || f->shown < r->wish->max) show(f, &entry);
	return STATUS_OK;
}

static enum status take(struct folding *f, const struct audit_sealed *sealed, struct err *err) {
	struct audit_line line;
	struct err wrong = {0};
	bool of_former;
	if (f->node->is_gateway) return take_line(f, sealed, err);
	if (list_fold_step(&f->fold, &sealed->link, err) != STATUS_OK) return not_proved(err);
	TRY(check_marks(f, err));
	if (open_line(f, &line, &of_former, sealed, &wrong) != STATUS_OK) {
		if (of_former) {
			f->node->of_former++;
			return STATUS_OK;
		}
		if (!f->has_wrong) f->wrong = wrong;
		f->has_wrong = true;
		return STATUS_OK;
	}
	note_request(f, &line);
	line.entry.n = sealed->link.n;
	line.entry.node = f->index;
	line.entry.anchored = sealed->link.n <= f->proved.count;
	if (!f->reading->wish->max || f->shown < f->reading->wish->max) show(f, &line.entry);
	return STATUS_OK;
}

static enum status begin_fold(struct folding *f, const struct list_state *state, struct err *err) {
	static const struct list_state nothing;
	if (state->count > ENTRIES_MAX)
		return err_set(err, STATUS_LIMIT, "it says that it has %llu entries; %u are read at most",
		    (unsigned long long)state->count, ENTRIES_MAX);
	if (state->count < f->proved.count) {
		err_set(err, STATUS_DENIED, "entries %llu to %llu of its list were not served",
		    (unsigned long long)state->count + 1, (unsigned long long)f->proved.count);
		return not_proved(err);
	}
	if (f->proved.count < f->seen.count) {
		err_set(err, STATUS_DENIED, "it has anchored %llu entries, and had anchored %llu before",
		    (unsigned long long)f->proved.count, (unsigned long long)f->seen.count);
		return not_proved(err);
	}
	if (list_fold_begin(&f->fold, state, &nothing, err) != STATUS_OK) return not_proved(err);
	return check_marks(f, err);
}

static enum status fold_pages(struct folding *f, struct audit_page *page, struct err *err) {
	struct blob_verdict verdict;
	TRY(begin_fold(f, &page->state, err));
	for (;;) {
		for (size_t i = 0; i < page->count && !is_enough(f); i++) TRY(take(f, &page->entries[i], err));
		if (is_enough(f)) break;
		if (page->count == 0) return list_fold_end(&f->fold, err) == STATUS_OK ? STATUS_OK : not_proved(err);
		TRY(get_page(f, page, &verdict, f->fold.at.count + 1, err));
		if (!verdict.ok) return refused(&verdict, err);
	}
	if (list_fold_is_done(&f->fold) && list_fold_end(&f->fold, err) != STATUS_OK) return not_proved(err);
	return STATUS_OK;
}

/* --- one node --- */

static enum status check_age(const struct folding *f, struct err *err) {
	if (!f->anchor.count || !audit_is_stale(f->node, verified_now_s(f->reading->verified))) return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "it has anchored nothing for more than %u hours: of looks since then there is its word alone",
	    AUDIT_STALE_S / 3600);
}

static enum status read_node(struct folding *f, struct err *err) {
	struct heads *heads = f->reading->verified->heads;
	const hash32 *folder = &f->reading->wish->folder;
	struct audit_page page;
	TRY(read_anchor(f, err));
	TRY(verified_remembered(heads, &f->seen, &f->node->node, folder, err));
	if (!f->node->url && f->anchor.count == 0) return STATUS_OK; /* it has anchored no read at all */
	if (!f->node->url)
		return err_set(err, STATUS_DENIED, "it has anchored reads, and was not asked: nobody says where it is");
	TRY(first_page(f, &page, err));
	/* One that is listed as a node and has a gateway: what its account anchored are lines of looks. */
	f->node->is_gateway |= page.is_gateways;
	TRY(read_proof(f, &page, err));
	TRY(fold_pages(f, &page, err));
	TRY(check_requests(f, err));
	if (f->has_wrong) {
		*err = f->wrong;
		return STATUS_DENIED;
	}
	TRY(check_age(f, err));
	return f->reached_seen ? verified_remember(heads, &f->proved, &f->node->node, folder, err) : STATUS_OK;
}

/* Another node than the deployment's is asked through a client of its own. */
static enum status with_client(struct folding *f, struct err *err) {
	struct reading *r = f->reading;
	struct client *own = r->request->client, *other = NULL;
	if (!f->node->url || strcmp(f->node->url, client_url(own)) == 0) return read_node(f, err);
	struct client_options options = *client_options_of(own);
	options.url = f->node->url;
	options.chain_id = client_chain_id(own);
	TRY(client_open(&other, &options, err));
	r->asker.client = other;
	const enum status status = read_node(f, err);
	r->asker.client = own;
	client_close(other);
	return status;
}

/* What goes wrong with one node is its fault, and the others are asked all the same. */
static void ask_node(struct reading *r, size_t index) {
	struct folding folding = {.reading = r, .node = &r->out->nodes[index], .index = index};
	struct err err = {0};
	struct audit_node *node = folding.node;
	node->is_proved = with_client(&folding, &err) == STATUS_OK;
	if (!node->is_proved) node->fault = arena_strdup(r->request->arena, bytes_text(err.message));
	r->out->is_complete = r->out->is_complete && node->is_proved;
}

/* Organisations that nobody named have a gateway that has to be asked if they have anchored anything. */
static enum status drop_without_gateway(struct reading *r, struct err *err) {
	struct audit_log *out = r->out;
	size_t kept = 0;
	for (size_t i = 0; i < out->node_count; i++) {
		struct folding folding = {.reading = r, .node = &out->nodes[i], .index = i};
		const bool is_named = !out->nodes[i].is_gateway || out->nodes[i].is_sure;
		if (!is_named) TRY(read_anchor(&folding, err));
		if (is_named || folding.anchor.count) out->nodes[kept++] = out->nodes[i];
	}
	out->node_count = kept;
	return STATUS_OK;
}

enum status audit_reads(
    struct actor_request *request, struct audit_log *out, const struct audit_wish *wish, struct err *err) {
	struct reading reading = {.request = request, .wish = wish, .out = out};
	struct own_folder own;
	struct folder folder;
	struct p256_public key;
	hash32 account;
	*out = (struct audit_log){.is_complete = true};
	TRY(own_folder_load(request, &own, &wish->folder, err));
	TRY(folder_find(request, &folder, &wish->folder, err));
	TRY(folder_handed_over_at(request, &folder, &reading.handed_over_s, err));
	TRY(request_verified(request, &reading.verified, HEADS_FRESH, err));
	TRY(audit_nodes(request, out, wish, err));
	TRY(drop_without_gateway(&reading, err));
	TRY(home_audit_key(request->home, &reading.audit_secret, &key, own.controller_index, err));
	enum status status = consent_asker(request, &reading.asker, &account, &own, err);
	for (size_t i = 0; i < out->node_count && status == STATUS_OK; i++) ask_node(&reading, i);
	mem_wipe(&account, sizeof account);
	mem_wipe(&reading.audit_secret, sizeof reading.audit_secret);
	return status;
}
