#include "app/cli/cli.h"
#include "base/mem.h"

int main(int argc, char **argv) {
	mem_bound_heap();
	return cli_main(argc, argv);
}
