#ifndef CLIBFUZZER_H
#define CLIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

// What clang's fuzzer runtime offers to programs with a main of their own; no header of the toolchain declares it.
// https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test_one_input)(const uint8_t *data, size_t size));

// Changes data in one of libFuzzer's own ways; returns the new size, at most max_size.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#endif
