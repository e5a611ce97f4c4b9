/*
 * fuzz: what libFuzzer and the replay program call. Each tests/fuzz/<stem>_fuzz.c defines it for one parser of outside bytes.
 *
 * Must take any bytes without a crash, a leak or undefined behaviour, and keep nothing between calls. Returns 0.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
