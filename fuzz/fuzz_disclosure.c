/* No file proves anything against an anchor whose sealer never signed. */
#include "fuzz/target.h"
#include "health/records/disclosure.h"

#define ADDRESS(digit) "\"0x000000000000000000000000000000000000000" digit "\""
static const char anchor[] =
    "{\"type\":\"xinglin-deployment\",\"v\":1,\"chainId\":1,"
    "\"genesis\":\"0x0000000000000000000000000000000000000000000000000000000000000000\","
    "\"sealer\":" ADDRESS("1") ",\"rpc\":\"http://127.0.0.1:8545\",\"directory\":" ADDRESS("2") ",\"folders\":" ADDRESS(
	"3") ",\"records\":" ADDRESS("4") ",\"consent\":" ADDRESS("5") ",\"medicines\""
								       ":" ADDRESS("6") "}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct disclosure disclosure;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	enum status status =
	    disclosure_verify(&disclosure, &arena, bytes_make(data, size), BYTES_LITERAL(anchor), &err);
	BUG_ON(status == STATUS_OK);
	arena_fini(&arena);
	return 0;
}
