/* base/arena.c - see arena.h. */
#include "base/arena.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

/* Workers allocate too, so the count is atomic; relaxed, because nothing is ordered by it. */
static _Atomic uint64_t n_asked;
static _Atomic uint64_t fault_at; /* 0: no fault */
static _Atomic bool fault_sticky;

void mem_fail_at(uint64_t n, int sticky)
{
    atomic_store(&n_asked, 0);
    atomic_store(&fault_sticky, sticky != 0);
    atomic_store(&fault_at, n);
}

uint64_t mem_count(void)
{
    return atomic_load(&n_asked);
}

static bool fault_is_due(void)
{
    uint64_t number = atomic_fetch_add_explicit(&n_asked, 1, memory_order_relaxed) + 1;
    uint64_t at = atomic_load_explicit(&fault_at, memory_order_relaxed);
    return at != 0 && (number == at || (number > at && atomic_load(&fault_sticky)));
}

/* The size of the block in *n_bytes, at least 1, because allocators may return NULL for 0.
 * False, with the message set, when the product overflows or a fault is due. */
static bool size_check(size_t *n_bytes, size_t count, size_t size, const char *what)
{
    bool fault = fault_is_due();
    if (__builtin_mul_overflow(count, size, n_bytes)) {
        err_set(OGPT_ENOMEM, "out of memory: wanted %zu x %zu bytes for %s", count, size, what);
        return false;
    }
    if (fault) {
        err_set(OGPT_ENOMEM, "out of memory: wanted %zu bytes for %s", *n_bytes, what);
        return false;
    }
    *n_bytes += *n_bytes == 0;
    return true;
}

static void *block_check(void *block, size_t n_bytes, const char *what)
{
    if (!block) {
        err_set(OGPT_ENOMEM, "out of memory: wanted %zu bytes for %s", n_bytes, what);
    }
    return block;
}

void *mem_alloc(size_t count, size_t size, const char *what)
{
    size_t n_bytes;
    return size_check(&n_bytes, count, size, what) ? block_check(malloc(n_bytes), n_bytes, what)
                                                   : NULL;
}

void *mem_calloc(size_t count, size_t size, const char *what)
{
    size_t n_bytes;
    return size_check(&n_bytes, count, size, what) ? block_check(calloc(1, n_bytes), n_bytes, what)
                                                   : NULL;
}

void *mem_realloc(void *old, size_t count, size_t size, const char *what)
{
    size_t n_bytes;
    return size_check(&n_bytes, count, size, what)
               ? block_check(realloc(old, n_bytes), n_bytes, what)
               : NULL;
}

char *mem_strdup(const char *text, const char *what)
{
    size_t n_bytes = strlen(text) + 1;
    char *copy = mem_alloc(n_bytes, 1, what);
    if (copy) {
        memcpy(copy, text, n_bytes);
    }
    return copy;
}

void mem_free(void *block)
{
    free(block);
}

/* The red zone is there in every build, so that sizes do not depend on the sanitizer. */
size_t arena_piece_bytes(size_t count, size_t size)
{
    size_t n_bytes;
    if (__builtin_mul_overflow(count, size, &n_bytes) || n_bytes > SIZE_MAX - 2 * ARENA_ALIGN) {
        return SIZE_MAX; /* arena_init will refuse it */
    }
    return (n_bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN + ARENA_ALIGN;
}

/* Alignment of a large arena: one huge page. With huge pages the processor looks up far fewer
 * addresses. */
#define HUGE_PAGE ((size_t)2 << 20)

int arena_init(Arena *arena, size_t bytes, const char *what)
{
    *arena = (Arena){0};
    size_t align = bytes >= 4 * HUGE_PAGE ? HUGE_PAGE : ARENA_ALIGN;
    if (bytes > SIZE_MAX - align) {
        return err_set(OGPT_ENOMEM, "out of memory: wanted %zu bytes for %s", bytes, what);
    }
    /* calloc and not aligned_alloc: large zeroed blocks come from the system untouched, and
     * `align` bytes more leave room to align by hand. */
    arena->base = mem_calloc(bytes + align, 1, what);
    if (!arena->base) {
        return OGPT_ENOMEM;
    }
    arena->first = (align - (uintptr_t)arena->base % align) % align;
    arena->size_bytes = arena->first + bytes;
    if (align == HUGE_PAGE) {
        /* A hint: without huge pages the system uses small ones. */
        madvise(arena->base + arena->first, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    }
    arena_reset(arena);
    return 0;
}

void *arena_take(Arena *arena, size_t count, size_t size)
{
    size_t n_bytes = arena_piece_bytes(count, size);
    assert(n_bytes <= arena->size_bytes - arena->used_bytes);
    unsigned char *piece = arena->base + arena->used_bytes;
    arena->used_bytes += n_bytes;
    ASAN_UNPOISON_MEMORY_REGION(piece, count * size);
    return piece;
}

void arena_reset(Arena *arena)
{
    arena->used_bytes = arena->first;
    ASAN_POISON_MEMORY_REGION(arena->base, arena->size_bytes);
}

void arena_release(Arena *arena)
{
    if (arena->base) {
        ASAN_UNPOISON_MEMORY_REGION(arena->base, arena->size_bytes);
        mem_free(arena->base);
    }
    *arena = (Arena){0};
}
