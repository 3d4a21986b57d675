#include "app/cli/cli.h"
#include "app/front/handover.h"
#include "base/mem.h"

int main(int argc, char **argv) {
	const int code = handover_try(argc, argv);
	if (code != HANDOVER_NONE) return code;
	mem_bound_heap();
	return cli_main(argc, argv);
}
