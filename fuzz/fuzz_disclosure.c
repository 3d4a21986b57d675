/* No file proves anything against an anchor whose sealer never signed. */
#include "fuzz/target.h"
#include "health/records/disclosure.h"

#define ADDRESS(digit) "\"0x000000000000000000000000000000000000000" digit "\""
#define CONTRACT(name, digit) ",\"" name "\":{\"address\":" ADDRESS(digit) ",\"codeHash\":\"0x" ZEROS "\"}"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
static const char anchor[] =
    "{\"type\":\"xinglin-deployment\",\"v\":2,\"chainId\":1,\"genesis\":\"0x" ZEROS
    "\",\"sealer\":" ADDRESS("1") ",\"rpc\":\"http://127.0.0.1:8545\",\"registrars\":[" ADDRESS(
	"7") "],\"threshold\":1" CONTRACT("directory", "2") CONTRACT("folders", "3") CONTRACT("records", "4")
	CONTRACT("consent", "5") CONTRACT("medicines", "6") "}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct disclosure disclosure;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	enum status status =
	    disclosure_verify(&disclosure, &arena, bytes_make(data, size), BYTES_LITERAL(anchor), 0, &err);
	BUG_ON(status == STATUS_OK);
	arena_fini(&arena);
	return 0;
}
