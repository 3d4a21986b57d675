/* Words of the anchor's contracts, proved in the state of the head. Lists are in verified_list.c. */
#include "health/chain/verified.h"

#include "codec/hex.h"
#include "eth/proof.h"
#include "health/chain/heads_private.h"
#include "health/chain/proved.h"
#include "health/contracts/cause.h"

#define FORESEEN_MAX 8u

struct verified_account {
	struct verified_account *next;
	addr20 contract;
	hash32 storage_root;
};

struct verified_word {
	struct verified_word *next;
	addr20 contract;
	hash32 slot, word;
};

void verified_begin(struct verified *out, struct heads *heads, struct client *client, struct arena *arena) {
	*out = (struct verified){.heads = heads, .client = client, .arena = arena};
}

enum status verified_head(struct verified *verified, uint32_t max_age_s, struct err *err) {
	struct head head;
	TRY(heads_take(verified->heads, &head, verified->client, max_age_s, err));
	if (!verified->has_head || !hash32_equal(&verified->head.hash, &head.hash)) {
		verified->accounts = NULL;
		verified->words = NULL;
		verified->word_count = verified->word_rows = 0;
	}
	verified->head = head;
	verified->has_head = true;
	return STATUS_OK;
}

bool verified_memo_get(const struct verified *verified, void *out, size_t size, const hash32 *key) {
	return proved_memo_get(heads_proved(verified->heads), out, size, key);
}

void verified_memo_put(const struct verified *verified, const void *value, size_t size, const hash32 *key) {
	proved_memo_put(heads_proved(verified->heads), value, size, key);
}

uint64_t verified_now_s(const struct verified *verified) {
	return heads_now_s(verified->heads);
}

/* --- what is proved --- */

static const struct verified_account *find_account(const struct verified *verified, const addr20 *contract) {
	const struct verified_account *account = verified->accounts;
	while (account && !addr20_equal(&account->contract, contract)) account = account->next;
	return account;
}

/* Slots are hashes, or count on from one; there are a power of two of rows. */
static size_t row_of(const struct verified *verified, const hash32 *slot) {
	return (size_t)load_be64(slot->b + 24) & (verified->word_rows - 1);
}

static const hash32 *find_word(const struct verified *verified, const struct verified_want *want) {
	if (!verified->word_rows) return NULL;
	for (const struct verified_word *word = verified->words[row_of(verified, &want->slot)]; word; word = word->next)
		if (hash32_equal(&word->slot, &want->slot) && addr20_equal(&word->contract, want->contract))
			return &word->word;
	return NULL;
}

static void keep_account(struct verified *verified, const addr20 *contract, const hash32 *root) {
	struct verified_account *kept = arena_zalloc(verified->arena, 1, sizeof *kept);
	*kept = (struct verified_account){verified->accounts, *contract, *root};
	verified->accounts = kept;
}

static void add_word(struct verified *verified, struct verified_word *word) {
	struct verified_word **row = &verified->words[row_of(verified, &word->slot)];
	word->next = *row;
	*row = word;
}

/* As many rows as words, so that chains stay short however much is asked for. */
static void add_rows(struct verified *verified) {
	struct verified_word **before = verified->words;
	const size_t rows = verified->word_rows;
	verified->word_rows = rows ? 2 * rows : 64;
	verified->words = arena_zalloc(verified->arena, verified->word_rows, sizeof *verified->words);
	for (size_t i = 0; i < rows; i++)
		for (struct verified_word *word = before[i], *next; word; word = next) {
			next = word->next;
			add_word(verified, word);
		}
}

static void keep_word(struct verified *verified, const addr20 *contract, const hash32 *slot, const hash32 *value) {
	struct verified_word *word = arena_zalloc(verified->arena, 1, sizeof *word);
	word->contract = *contract;
	word->slot = *slot;
	word->word = *value;
	if (verified->word_count == verified->word_rows) add_rows(verified);
	verified->word_count++;
	add_word(verified, word);
}

/* `what` of a contract at the head does not hold. */
static enum status refuse(
    struct verified *verified, const addr20 *contract, const char *what, const char *why, struct err *err) {
	struct buf address;
	buf_init(&address, 64);
	hex_put(&address, BYTES_OF(*contract), true);
	err_set(err, STATUS_DENIED, "not proved: %s of the contract %s at block %llu%s%s", what, buf_cstr(&address),
	    (unsigned long long)verified->head.number, *why ? ": " : "", why);
	buf_fini(&address);
	return heads_not_proved(err);
}

/* --- one contract --- */

struct question {
	addr20 contract;
	hash32 *slots;
	size_t count;
};

static enum status prove_account(
    struct verified *verified, const struct question *question, const struct heads_proof *proof, struct err *err) {
	const struct deployment *anchor = heads_anchor(verified->heads);
	const hash32 *code = deployment_code_of(anchor, &question->contract);
	const bool is_of_genesis =
	    deployment_is_consortium(anchor) && addr20_equal(&question->contract, &deployment_members);
	struct proof_account account;
	struct err why = {0};
	bool exists;
	if (proof_account(&exists, &account, &verified->head.state_root, &question->contract, proof->account_nodes,
		proof->account_node_count, &why) != STATUS_OK)
		return refuse(verified, &question->contract, "the account", why.message, err);
	if (!exists) return refuse(verified, &question->contract, "the account", "it does not exist", err);
	if (!is_of_genesis && (!code || !hash32_equal(&account.code_hash, code)))
		return refuse(verified, &question->contract, "the code",
		    "it is not the code that this home's deployment names", err);
	keep_account(verified, &question->contract, &account.storage_root);
	proved_root_put(
	    heads_proved(verified->heads), &verified->head.hash, &question->contract, &account.storage_root);
	return STATUS_OK;
}

static enum status prove(
    struct verified *verified, const struct question *question, const struct json *answer, struct err *err) {
	struct heads_proof proof;
	struct err why = {0};
	TRY(heads_proof_read(&proof, verified->arena, answer, question->count, err));
	if (!find_account(verified, &question->contract)) TRY(prove_account(verified, question, &proof, err));
	const hash32 root = find_account(verified, &question->contract)->storage_root;
	for (size_t i = 0; i < question->count; i++) {
		u256 value;
		hash32 word;
		const struct heads_proof_slot *slot = &proof.slots[i];
		if (proof_storage(&value, &root, &question->slots[i], slot->nodes, slot->node_count, &why) != STATUS_OK)
			return refuse(verified, &question->contract, "the storage", why.message, err);
		u256_store_be(word.b, &value);
		keep_word(verified, &question->contract, &question->slots[i], &word);
		proved_word_put(heads_proved(verified->heads), &question->contract, &question->slots[i], &root, &word);
	}
	return STATUS_OK;
}

/* --- many --- */

static struct question *question_of(struct question *questions, size_t *count, const addr20 *contract) {
	for (size_t i = 0; i < *count; i++)
		if (addr20_equal(&questions[i].contract, contract)) return &questions[i];
	questions[*count].contract = *contract;
	return &questions[(*count)++];
}

/* The contract's storage root at the head, if it is proved. */
static bool find_root(struct verified *verified, hash32 *root, const addr20 *contract) {
	const struct verified_account *account = find_account(verified, contract);
	if (account) {
		*root = account->storage_root;
		return true;
	}
	if (!proved_root_get(heads_proved(verified->heads), root, &verified->head.hash, contract)) return false;
	keep_account(verified, contract, root);
	return true;
}

enum need { NEED_NOTHING, NEED_ROOT, NEED_WORD };

/* A word that was proved under a root stands as long as the contract has that root. */
static enum need need_of(struct verified *verified, const struct verified_want *want) {
	hash32 word, under, root;
	if (find_word(verified, want)) return NEED_NOTHING;
	const bool is_known =
	    proved_word_get(heads_proved(verified->heads), &word, &under, want->contract, &want->slot);
	if (!find_root(verified, &root, want->contract)) return is_known ? NEED_ROOT : NEED_WORD;
	if (!is_known || !hash32_equal(&under, &root)) return NEED_WORD;
	keep_word(verified, want->contract, &want->slot, &word);
	return NEED_NOTHING;
}

static bool are_proved(struct verified *verified, const struct verified_want *wants, size_t count) {
	for (size_t i = 0; i < count; i++)
		if (need_of(verified, &wants[i]) != NEED_NOTHING) return false;
	return true;
}

/* What is not proved yet, by contract; each slot once. */
static size_t gather(
    struct verified *verified, struct question *questions, const struct verified_want *wants, size_t count) {
	size_t question_count = 0;
	for (size_t i = 0; i < count; i++) {
		const enum need need = need_of(verified, &wants[i]);
		if (need == NEED_NOTHING) continue;
		struct question *question = question_of(questions, &question_count, wants[i].contract);
		if (need == NEED_ROOT) continue;
		if (!question->slots) question->slots = arena_alloc(verified->arena, count * sizeof(hash32));
		bool is_there = false;
		for (size_t n = 0; n < question->count && !is_there; n++)
			is_there = hash32_equal(&question->slots[n], &wants[i].slot);
		if (!is_there) question->slots[question->count++] = wants[i].slot;
	}
	return question_count;
}

/* Beside what is asked anyway: the roots of the contracts that were asked for at heads before. */
static size_t add_foreseen(struct verified *verified, struct question *questions, size_t asked) {
	addr20 behind[FORESEEN_MAX];
	size_t count = asked;
	const size_t behind_count =
	    proved_contracts_behind(heads_proved(verified->heads), behind, FORESEEN_MAX, &verified->head.hash);
	for (size_t i = 0; i < behind_count; i++) (void)question_of(questions, &count, &behind[i]);
	return count - asked;
}

/* What was only foreseen and is not proved is not used: whoever needs it asks again, and hears why. */
static enum status ask(
    struct verified *verified, const struct question *questions, size_t count, size_t foreseen, struct err *err) {
	struct client_question *calls = arena_zalloc(verified->arena, count + foreseen, sizeof *calls);
	struct err unheard;
	for (size_t i = 0; i < count + foreseen; i++) {
		calls[i].method = "eth_getProof";
		calls[i].params = heads_proof_params(verified->arena, &questions[i].contract, questions[i].slots,
		    questions[i].count, &verified->head.hash);
	}
	TRY(client_batch(verified->client, calls, count + foreseen, verified->arena, err));
	for (size_t i = count; i < count + foreseen; i++)
		if (calls[i].status == STATUS_OK) (void)!prove(verified, &questions[i], calls[i].result, &unheard);
	for (size_t i = 0; i < count; i++) {
		if (calls[i].status != STATUS_OK)
			return refuse(verified, &questions[i].contract, "the storage", calls[i].error.message, err);
		TRY(prove(verified, &questions[i], calls[i].result, err));
	}
	return STATUS_OK;
}

static enum status ask_what_is_missing(
    struct verified *verified, const struct verified_want *wants, size_t count, struct err *err) {
	struct proved *proved = heads_proved(verified->heads);
	if (are_proved(verified, wants, count)) return STATUS_OK;
	struct question *questions = arena_zalloc(verified->arena, count + FORESEEN_MAX, sizeof *questions);
	const bool may_ask = proved_may_ask(proved, &verified->head.hash);
	const size_t left = gather(verified, questions, wants, count);
	const size_t foreseen = left && may_ask ? add_foreseen(verified, questions, left) : 0;
	const enum status status = left ? ask(verified, questions, left, foreseen, err) : STATUS_OK;
	if (may_ask) proved_asked(proved);
	return status;
}

enum status verified_words(
    struct verified *verified, hash32 *words, const struct verified_want *wants, size_t count, struct err *err) {
	BUG_ON(!verified->has_head);
	if (count == 0) return STATUS_OK;
	if (count > VERIFIED_WORDS_MAX)
		return err_set(err, STATUS_LIMIT, "more than %u words at once", VERIFIED_WORDS_MAX);
	/* Roots first if that may be all, then the words whose root is another one than before. */
	TRY(ask_what_is_missing(verified, wants, count, err));
	TRY(ask_what_is_missing(verified, wants, count, err));
	for (size_t i = 0; i < count; i++) words[i] = *find_word(verified, &wants[i]);
	return STATUS_OK;
}

enum status verified_struct(struct verified *verified, hash32 *words, const addr20 *contract, const hash32 *slot,
    size_t count, struct err *err) {
	struct verified_want *wants = arena_alloc(verified->arena, (count + 1) * sizeof *wants);
	for (size_t i = 0; i < count; i++) wants[i] = (struct verified_want){contract, contract_slot_after(slot, i)};
	return verified_words(verified, words, wants, count, err);
}
