#include "health/contracts/contract.h"

#include "health/contracts/cause.h"
#include "health/contracts/contract_codec.h"

struct buf contract_call_begin(uint32_t selector) {
	uint8_t be[4];
	struct buf call;
	store_be32(be, selector);
	buf_init(&call, BUF_MAX_DEFAULT);
	buf_append(&call, bytes_make(be, sizeof be));
	return call;
}

struct bytes contract_call_end(struct arena *arena, struct buf *call) {
	BUG_ON(call->overflow);
	struct bytes data = arena_dup(arena, buf_view(call));
	buf_fini(call);
	return data;
}

struct abi_reader contract_call_reader(struct bytes calldata, uint32_t selector) {
	struct abi_reader reader = abi_reader(bytes_slice(calldata, 4, calldata.len));
	if (calldata.len > CONTRACT_CALL_MAX) reader.fault = "calldata is too long";
	if (calldata.len < 4 || load_be32(calldata.data) != selector) reader.fault = "calldata is of another function";
	return reader;
}

enum status contract_call_whole(const struct abi_reader *reader, const char *what, struct err *err) {
	enum status status = abi_finish_whole(reader, err);
	return status == STATUS_OK ? STATUS_OK : err_prefix(err, status, "the calldata of %s", what);
}

enum status contract_call_same(struct bytes calldata, struct bytes again, const char *what, struct err *err) {
	if (bytes_equal(calldata, again)) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the calldata of %s: ABI: its values do not stand in their order", what);
}

/* No contract writes that, so it is no fault of whoever asked. */
static enum status name_fault(enum status status, const char *what, struct err *err) {
	if (status == STATUS_OK) return STATUS_OK;
	return err_because(
	    err, CAUSE_NOT_PROVED, err_prefix(err, STATUS_INTERNAL, "the node is wrong: its answer for %s", what));
}

enum status contract_result_end(const struct abi_reader *reader, const char *what, struct err *err) {
	return name_fault(abi_finish_whole(reader, err), what, err);
}

struct contract_log_reader contract_log_reader(const struct log *log, const hash32 *topic, size_t indexed) {
	struct contract_log_reader reader = {.data = abi_reader(log->data)};
	if (log->topic_count != indexed + 1 || !hash32_equal(&log->topics[0], topic))
		reader.data.fault = "a log of another event";
	else
		reader.topics = abi_reader(bytes_make(log->topics[1].b, indexed * sizeof(hash32)));
	return reader;
}

enum status contract_log_end(const struct contract_log_reader *reader, const char *what, struct err *err) {
	TRY(name_fault(abi_finish_whole(&reader->data, err), what, err));
	return name_fault(abi_finish_whole(&reader->topics, err), what, err);
}

size_t contract_topic_find(const struct log *log, const hash32 *const *topics, size_t count) {
	size_t i = log->topic_count ? 0 : count;
	while (i < count && !hash32_equal(&log->topics[0], topics[i])) i++;
	return i;
}

void contract_topic_set(struct contract_topics *topics, size_t index, hash32 topic) {
	topics->topics[index] = topic;
	topics->has_topic[index] = true;
}

hash32 contract_digest(const char *domain_name, const struct eip712_domain *domain, const hash32 *message_hash) {
	struct eip712_domain own = *domain;
	own.name = domain_name;
	own.version = "1";
	hash32 domain_hash = eip712_domain_hash(&own);
	return eip712_digest(&domain_hash, message_hash);
}

/* --- where values are stored --- */

hash32 contract_slot(uint64_t number) {
	return abi_topic_of_u64(number);
}

hash32 contract_slot_of_key(const hash32 *mapping, hash32 key) {
	hash32 words[2] = {key, *mapping};
	return keccak256(bytes_make(words, sizeof words));
}

hash32 contract_key_of_u256(const u256 *key) {
	hash32 word;
	u256_store_be(word.b, key);
	return word;
}

hash32 contract_slot_after(const hash32 *slot, uint64_t count) {
	u256 from = u256_load_be(slot->b), more = u256_from(count), sum;
	u256_add_overflow(&sum, &from, &more);
	return contract_key_of_u256(&sum);
}

hash32 contract_array_slot(const hash32 *slot, uint64_t index) {
	hash32 first = keccak256(BYTES_OF(*slot));
	return contract_slot_after(&first, index);
}

struct contract_place contract_element(const hash32 *slot, uint64_t index, uint8_t element_bytes) {
	uint64_t in_a_slot = 32u / element_bytes;
	return (struct contract_place){.slot = contract_array_slot(slot, index / in_a_slot),
	    .offset = (uint8_t)(index % in_a_slot * element_bytes),
	    .bytes = element_bytes};
}

/* Proved or not, the contracts never write it. */
static enum status senseless(struct err *err, const char *what) {
	return err_because(err, CAUSE_NOT_PROVED,
	    err_set(err, STATUS_DENIED, "what is stored of %s is out of its type's range", what));
}

/* The lowest bit says which form it is: 0 and twice the length in the last byte, or 1 and twice the length plus one in
 * the whole word. */
enum status contract_stored_length(uint64_t *length, const hash32 *word, struct err *err) {
	u256 value = u256_load_be(word->b);
	bool is_long = word->b[31] & 1;
	*length = is_long ? value.w[0] / 2 : word->b[31] / 2;
	bool is_sound = is_long ? u256_fits_u64(&value) && *length > 31 : *length <= 31;
	for (size_t i = *length; is_sound && !is_long && i < 31; i++) is_sound = word->b[i] == 0;
	if (is_sound) return STATUS_OK;
	return senseless(err, "a string");
}

/* --- values out of stored words --- */

static const uint8_t *member(const struct contract_loader *loader, size_t word, size_t offset, size_t bytes) {
	BUG_ON(offset + bytes > 32);
	return loader->words[word].b + 32 - offset - bytes;
}

u256 contract_load_u256(const struct contract_loader *loader, size_t word, size_t offset, size_t bytes) {
	uint8_t be[32] = {0};
	memcpy(be + 32 - bytes, member(loader, word, offset, bytes), bytes);
	return u256_load_be(be);
}

uint64_t contract_load_uint(const struct contract_loader *loader, size_t word, size_t offset, size_t bytes) {
	BUG_ON(bytes > 8);
	return contract_load_u256(loader, word, offset, bytes).w[0];
}

unsigned contract_load_enum(struct contract_loader *loader, size_t word, size_t offset, unsigned count) {
	unsigned value = *member(loader, word, offset, 1);
	if (value < count) return value;
	loader->failed = true;
	return 0;
}

bool contract_load_bool(struct contract_loader *loader, size_t word, size_t offset) {
	return contract_load_enum(loader, word, offset, 2) == 1;
}

addr20 contract_load_address(const struct contract_loader *loader, size_t word, size_t offset) {
	addr20 address;
	memcpy(address.b, member(loader, word, offset, sizeof address.b), sizeof address.b);
	return address;
}

void contract_load_fixed(const struct contract_loader *loader, uint8_t *out, size_t word, size_t offset, size_t bytes) {
	memcpy(out, member(loader, word, offset, bytes), bytes);
}

enum status contract_load_end(const struct contract_loader *loader, const char *what, struct err *err) {
	if (!loader->failed) return STATUS_OK;
	return senseless(err, what);
}
