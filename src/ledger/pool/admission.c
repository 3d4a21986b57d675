#include "ledger/pool/admission.h"

#include <pthread.h>

#include "eth/abi.h"
#include "ledger/chain/ask.h"

#define ASK_GAS 1000000u
#define KNOWN_MAX 4096u /* senders whose answer is kept; a power of two */

struct known {
	addr20 sender;
	bool is_set, admits;
};

struct admission {
	struct chain *chain;
	addr20 contract;
	pthread_mutex_t lock; /* of what follows */
	struct chain_asker *asker;
	hash32 head;                   /* of the answers */
	struct known known[KNOWN_MAX]; /* each sender has one place; the last to come keeps it */
};

struct admission *admission_new(struct chain *chain) {
	addr20 contract;
	if (!genesis_admission(chain_genesis(chain), &contract)) return NULL;
	struct admission *admission = mem_zalloc(1, sizeof *admission);
	admission->chain = chain;
	admission->contract = contract;
	admission->asker = chain_asker_new(chain);
	pthread_mutex_init(&admission->lock, NULL);
	return admission;
}

void admission_free(struct admission *admission) {
	if (admission == NULL) return;
	chain_asker_free(admission->asker);
	pthread_mutex_destroy(&admission->lock);
	mem_free(admission);
}

static enum status has_code(
    const struct admission *admission, bool *has, const struct chain_head *head, struct err *err) {
	struct account account;
	bool exists;
	TRY(state_view_account(head->view, &account, &exists, &admission->contract, err));
	*has = exists && !hash32_equal(&account.code_hash, &empty_code_hash);
	return STATUS_OK;
}

static enum status ask(struct admission *admission, bool *admits, const addr20 *sender, struct err *err) {
	struct buf input, output;
	bool succeeded;
	buf_init(&input, 64);
	buf_init(&output, 4096);
	abi_put_selector(&input, "admits(address)");
	abi_put_address(&input, sender);
	const struct chain_question question = {.to = admission->contract, .input = buf_view(&input), .gas = ASK_GAS};
	const enum status status = chain_ask(admission->asker, &succeeded, &output, &question, err);
	struct abi_reader reader = abi_reader(buf_view(&output));
	const bool said = abi_bool(&reader);
	*admits = status == STATUS_OK && succeeded && abi_finish(&reader, NULL) == STATUS_OK && said;
	buf_fini(&input);
	buf_fini(&output);
	return status;
}

static enum status judge(
    struct admission *admission, bool *admits, const struct chain_head *head, const addr20 *sender, struct err *err) {
	bool is_there;
	TRY(has_code(admission, &is_there, head, err));
	if (is_there) return ask(admission, admits, sender, err);
	const addr20 first = address_of_create(sender, 0);
	*admits = addr20_equal(&first, &admission->contract);
	return STATUS_OK;
}

static enum status look_up(
    struct admission *admission, bool *admits, const struct chain_head *head, const addr20 *sender, struct err *err) {
	if (!hash32_equal(&admission->head, &head->hash)) memset(admission->known, 0, sizeof admission->known);
	admission->head = head->hash;
	struct known *known = &admission->known[load_be64(sender->b) & (KNOWN_MAX - 1)];
	if (!known->is_set || !addr20_equal(&known->sender, sender)) {
		known->is_set = false;
		TRY(judge(admission, &known->admits, head, sender, err));
		known->sender = *sender;
		known->is_set = true;
	}
	*admits = known->admits;
	return STATUS_OK;
}

enum status admission_admits(struct admission *admission, bool *admits, const addr20 *sender, struct err *err) {
	*admits = admission == NULL;
	if (admission == NULL) return STATUS_OK;
	struct chain_head *head = chain_head(admission->chain);
	pthread_mutex_lock(&admission->lock);
	const enum status status = look_up(admission, admits, head, sender, err);
	pthread_mutex_unlock(&admission->lock);
	chain_head_release(head);
	return status;
}
