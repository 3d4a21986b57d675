/* cmocka with what it expects to be included before it, in its order. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

#endif
