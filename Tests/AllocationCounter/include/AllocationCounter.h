// Counts heap allocations on chosen threads, by standing in for malloc and its kin (glibc).
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/// False in builds with a sanitizer, whose malloc stays in place.
bool allocation_counting_is_available(void);

/// Whether allocations of the calling thread count from now on; no thread's do at first.
void count_allocations_of_this_thread(bool counts);

/// Allocations of all threads that count, since the process started; a reallocation is one.
uint64_t allocation_count(void);

#endif
