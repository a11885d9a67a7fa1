#include "CMachinePeaks.h"

#include <time.h>

uint64_t mp_thread_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

__attribute__((noinline)) void mp_counted_region(void (*body)(void *), void *context) {
    body(context);
    __asm__ volatile("" ::: "memory");  // no tail call: the region ends after the body
}
