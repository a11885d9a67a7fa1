#include "AllocationCounter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_uint_fast64_t total;
// Initial-exec: reaching it must not allocate.
static _Thread_local bool is_counted __attribute__((tls_model("initial-exec")));

uint64_t allocation_count(void) { return atomic_load_explicit(&total, memory_order_relaxed); }

void count_allocations_of_this_thread(bool counts) { is_counted = counts; }

#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)

bool allocation_counting_is_available(void) { return false; }

#else

bool allocation_counting_is_available(void) { return true; }

// glibc's own, which the definitions below replace for the whole process.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static void record(void) {
    if (is_counted) atomic_fetch_add_explicit(&total, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    record();
    return __libc_malloc(size);
}

void *calloc(size_t elements, size_t size) {
    record();
    return __libc_calloc(elements, size);
}

void *realloc(void *memory, size_t size) {
    record();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    record();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    record();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    record();
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

#endif
