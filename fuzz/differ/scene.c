/* The block and the accounts of a case. */
#include "fuzz/differ/scene.h"

#include "crypto/hash.h"
#include "fuzz/differ/program.h"

enum { SLOTS_MAX = 5 };

void scene_init(struct scene *scene) {
	*scene = (struct scene){.inputs = inputs_new()};
	arena_init(&scene->arena);
	buf_init(&scene->scratch, BUF_MAX_DEFAULT);
	for (uint8_t i = 0; i < SCENE_KEYS; i++) {
		scene->secrets[i] = keccak256(bytes_make(&i, 1));
		BUG_ON(address_of_secret(&scene->signers[i], &scene->secrets[i]) != STATUS_OK);
	}
	for (uint8_t i = 0; i < SCENE_CONTRACTS; i++) scene->contracts[i] = (addr20){{[0] = 0xc0, [19] = i}};
	size_t count = 0;
	for (; count < SCENE_KEYS; count++) scene->others[count] = scene->signers[count];
	scene->others[count++] = (addr20){{0xee, [19] = 0xee}};              /* nobody */
	scene->others[count++] = (addr20){{0xcb}};                           /* coinbase, often */
	scene->others[count++] = (addr20){{0xe0}};                           /* empty, where it is */
	scene->others[count++] = address_of_create(&scene->contracts[0], 1); /* taken when 0 makes its first */
	scene->others[count++] = address_of_create(&scene->contracts[1], 1);
	scene->others[count++] = address_of_create(&scene->signers[0], 1);
	BUG_ON(count != SCENE_OTHERS);
}

void scene_fini(struct scene *scene) {
	inputs_free(scene->inputs);
	arena_fini(&scene->arena);
	buf_fini(&scene->scratch);
}

struct bytes scene_keep(struct scene *scene) {
	const struct bytes kept = arena_dup(&scene->arena, buf_view(&scene->scratch));
	buf_clear(&scene->scratch);
	return kept;
}

struct program_world scene_world(const struct scene *scene) {
	return (struct program_world){
	    .fork = scene->one->fork,
	    .inputs = scene->inputs,
	    .contracts = scene->contracts,
	    .contract_count = SCENE_CONTRACTS,
	    .others = scene->others,
	    .other_count = SCENE_OTHERS,
	};
}

addr20 scene_any_address(struct scene *scene) {
	const uint64_t i = random_below(&scene->random, SCENE_CONTRACTS + SCENE_OTHERS);
	return i < SCENE_CONTRACTS ? scene->contracts[i] : scene->others[i - SCENE_CONTRACTS];
}

/* Not Constantinople, which the peer does not have and no chain ran for a block. */
static enum fork pick_fork(struct random *random) {
	static const uint16_t weights[FORK_COUNT] = {[FORK_FRONTIER] = 40,
	    [FORK_HOMESTEAD] = 40,
	    [FORK_TANGERINE] = 40,
	    [FORK_SPURIOUS] = 40,
	    [FORK_BYZANTIUM] = 50,
	    [FORK_PETERSBURG] = 40,
	    [FORK_ISTANBUL] = 50,
	    [FORK_BERLIN] = 50,
	    [FORK_LONDON] = 60,
	    [FORK_PARIS] = 30,
	    [FORK_SHANGHAI] = 60,
	    [FORK_CANCUN] = 120,
	    [FORK_PRAGUE] = 160,
	    [FORK_OSAKA] = 220};
	return (enum fork)random_weighted(random, weights, FORK_COUNT);
}

static void make_block(struct scene *scene) {
	static const uint32_t fees[] = {0, 1, 7, 1000, 1000000000};
	struct random *random = &scene->random;
	struct header *block = &scene->one->block;
	*block = (struct header){
	    .number = random_chance(random, 100) ? random_below(random, 300) : 1000 + random_below(random, 20000000),
	    .timestamp = random_below(random, 1u << 31),
	    .gas_limit = random_chance(random, 50) ? random_below(random, 3000000) : 30000000,
	    .difficulty = random_word(random)};
	block->beneficiary = random_chance(random, 700) ? scene->others[SCENE_KEYS + 1] : scene_any_address(scene);
	if (random_chance(random, 20)) block->beneficiary = (addr20){{[19] = (uint8_t)random_below(random, 18)}};
	random_fill(random, block->mix_hash.b, sizeof block->mix_hash.b);
	if (scene->one->fork >= FORK_LONDON)
		block->base_fee_wei = u256_from(fees[random_below(random, sizeof fees / sizeof *fees)]);
	if (scene->one->fork >= FORK_CANCUN && random_chance(random, 300))
		block->excess_blob_gas = random_below(random, 40000000);
	if (scene->is_recursion) block->gas_limit = (uint64_t)1 << 50;
}

static void add_slots(struct scene *scene, struct case_account *account) {
	struct case_slot *slots = arena_alloc(&scene->arena, SLOTS_MAX * sizeof *slots);
	for (uint64_t i = 0; i < SLOTS_MAX; i++) {
		if (random_chance(&scene->random, 500)) continue;
		const u256 any = random_word(&scene->random);
		const u256 value =
		    random_chance(&scene->random, 600) ? u256_from(1 + random_below(&scene->random, 2)) : any;
		if (!u256_is_zero(&value)) slots[account->slot_count++] = (struct case_slot){u256_from(i), value};
	}
	account->slots = slots;
}

static struct case_account *add_account(struct scene *scene, const addr20 *address) {
	struct differ_case *one = scene->one;
	for (size_t i = 0; i < one->account_count; i++)
		if (addr20_equal(&one->accounts[i].address, address)) return &one->accounts[i];
	BUG_ON(one->account_count == CASE_ACCOUNTS_MAX);
	struct case_account *account = &one->accounts[one->account_count++];
	*account = (struct case_account){.address = *address};
	return account;
}

static void set_delegation(struct scene *scene, struct case_account *account) {
	const addr20 target =
	    random_chance(&scene->random, 800)   ? scene->contracts[random_below(&scene->random, SCENE_CONTRACTS)]
	    : random_chance(&scene->random, 500) ? scene_any_address(scene)
						 : (addr20){{[19] = (uint8_t)random_below(&scene->random, 20)}};
	buf_append(&scene->scratch, bytes_make("\xef\x01\x00", 3));
	buf_append(&scene->scratch, BYTES_OF(target));
	account->code = scene_keep(scene);
}

/* Rich and poor ones; some are not there at all. */
static void add_signers(struct scene *scene) {
	struct random *random = &scene->random;
	const u256 one = u256_from(1), rich = u256_shl(&one, 90);
	for (size_t i = 0; i < SCENE_KEYS; i++) {
		if (i >= 3 && random_chance(random, 400)) continue;
		struct case_account *account = add_account(scene, &scene->signers[i]);
		account->nonce = random_chance(random, 700) ? random_below(random, 3) : random_below(random, 1u << 20);
		account->balance_wei =
		    i < 3 || random_chance(random, 600) ? rich : u256_from(1 + random_below(random, 1u << 20));
		if (i == 2 && random_chance(random, 300))
			account->balance_wei = u256_from(random_below(random, (uint64_t)1 << 50));
		if (random_chance(random, 5)) account->nonce = UINT64_MAX - random_below(random, 2);
		if (scene->one->fork >= FORK_PRAGUE && random_chance(random, 250)) {
			account->nonce += account->nonce == 0;
			set_delegation(scene, account);
			add_slots(scene, account);
		}
	}
}

static void add_contracts(struct scene *scene) {
	struct random *random = &scene->random;
	const struct program_world world = scene_world(scene);
	for (size_t i = 0; i < SCENE_CONTRACTS; i++) {
		struct case_account *account = add_account(scene, &scene->contracts[i]);
		account->nonce = random_chance(random, 950) ? 1 : random_below(random, 3);
		if (random_chance(random, 10)) account->nonce = UINT64_MAX - random_below(random, 2);
		account->balance_wei = u256_from(random_below(random, 3000));
		if (scene->is_recursion && i < 2)
			program_put_recursion(&scene->scratch, random, world.fork);
		else
			program_put(&scene->scratch, random, &world);
		account->code = scene_keep(scene);
		if (account->code.len == 0) account->nonce = 1; /* what was made has a nonce */
		add_slots(scene, account);
	}
}

/* Where contracts would be made; an empty account, which since EIP-161 goes when it is touched; funds on a precompile.
 */
static void add_others(struct scene *scene) {
	struct random *random = &scene->random;
	if (random_chance(random, 150)) {
		struct case_account *account =
		    add_account(scene, &scene->others[SCENE_KEYS + 3 + random_below(random, 3)]);
		const uint64_t kind = random_below(random, 3);
		if (kind == 0) account->nonce = 1;
		if (kind == 1) account->code = BYTES_LITERAL("\x60\x01\x60\x00\x55");
		account->balance_wei = u256_from(1 + random_below(random, 100));
	}
	if (random_chance(random, 500)) add_account(scene, &scene->others[SCENE_KEYS + 2]);
	if (random_chance(random, 150)) { /* the third keeps its touch (EIP-716) */
		const uint64_t last = random_chance(random, 500) ? 3 : 1 + random_below(random, 10);
		const addr20 address = {{[19] = (uint8_t)last}};
		add_account(scene, &address)->balance_wei = u256_from(random_below(random, 2));
	}
	if (random_chance(random, 500))
		add_account(scene, &scene->others[SCENE_KEYS + 1])->balance_wei = u256_from(random_below(random, 100));
}

void scene_begin(struct scene *scene, struct differ_case *one, uint64_t seed) {
	*one = (struct differ_case){.seed = seed};
	scene->one = one;
	scene->random.state = seed;
	arena_reset(&scene->arena);
	one->fork = pick_fork(&scene->random);
	one->chain_id = random_chance(&scene->random, 800) ? 1 : 1 + random_below(&scene->random, (uint64_t)1 << 40);
	scene->is_recursion = random_chance(&scene->random, 4);
	make_block(scene);
	add_signers(scene);
	add_contracts(scene);
	add_others(scene);
}

size_t scene_transactions(struct scene *scene) {
	return scene->is_recursion ? 1 : 2 + random_below(&scene->random, CASE_TRANSACTIONS_MAX - 1);
}
