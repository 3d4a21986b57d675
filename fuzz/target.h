/*
 * What every fuzz target defines: libFuzzer's interface. fuzz/replay.c runs the same targets over files without an
 * engine. A target stops (BUG_ON) where a property does not hold.
 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
