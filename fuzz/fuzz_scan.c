/* Whatever a scanner gives: a diagnosis or codes that fit their GS1 lengths, and never both. */
#include "fuzz/target.h"
#include "health/gs1/gs1.h"
#include "health/gs1/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct scan scan;
	scan_read(&scan, bytes_make(data, size));
	if (scan.fault != SCAN_FAULT_NONE) return 0;
	BUG_ON(scan.gtin[0] && strlen(scan.gtin) != 14);
	BUG_ON(scan.sscc[0] && strlen(scan.sscc) != 18);
	BUG_ON(strlen(scan.serial) > 20 || strlen(scan.lot) > 20);
	return 0;
}
