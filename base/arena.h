/* base/arena.h - every allocation of the program: checked wrappers and a carved arena.
 *
 * Wrappers exist so that tests can make the n-th allocation fail, and so that the message
 * names what was wanted. An arena is one block carved into aligned pieces; under
 * AddressSanitizer the gaps between pieces are poisoned.
 */
#ifndef OGPT_BASE_ARENA_H
#define OGPT_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Each returns an owned block (mem_free), or NULL with OGPT_ENOMEM's message
 * "out of memory: wanted N bytes for WHAT". `count * size` is checked for overflow.
 * mem_alloc leaves the block unset, mem_calloc zeroes it. A count of 0 gives a valid block. */
void *mem_alloc(size_t count, size_t size, const char *what);
void *mem_calloc(size_t count, size_t size, const char *what);
void *mem_realloc(void *old, size_t count, size_t size, const char *what);
char *mem_strdup(const char *text, const char *what);
void mem_free(void *block);

/* Tests: let allocation number n (1-based, from now) fail; once, or that one and all later
 * ones. n = 0 switches the fault off. Not for concurrent use. */
void mem_fail_at(uint64_t n, int sticky);
/* Number of allocations asked for since the last mem_fail_at. */
uint64_t mem_count(void);

typedef struct Arena {
    unsigned char *base;
    size_t size_bytes;
    size_t first; /* bytes from base to the first aligned address */
    size_t used_bytes;
} Arena;

#define ARENA_ALIGN 64 /* bytes: one cache line, one AVX-512 register */

/* Bytes that one piece of count*size takes in an arena, alignment and red zone included. */
size_t arena_piece_bytes(size_t count, size_t size);

/* Allocate (zeroed) `bytes` for the arena; from 8 MiB on it asks for pages of 2 MiB. Returns 0 or
 * OGPT_ENOMEM. */
int arena_init(Arena *arena, size_t bytes, const char *what);
/* Carve count*size bytes aligned to ARENA_ALIGN. The arena must have been sized by
 * arena_piece_bytes: running over is a programming error (assert). Borrowed. */
void *arena_take(Arena *arena, size_t count, size_t size);
/* Forget all pieces and keep the block. */
void arena_reset(Arena *arena);
void arena_release(Arena *arena);

#endif
