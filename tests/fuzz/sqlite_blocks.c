/* tests/fuzz/sqlite_blocks.c - SQLite's memory in the fuzz build.
 *
 * A database costs SQLite thousands of small blocks, and the sanitizer's own allocator took most of
 * the time of the targets that open one. So SQLite gets its blocks from lists of free ones, one a
 * size. The sanitizer still guards them: bytes behind a block, before it, and those of a freed one
 * are poisoned, and a block that is freed twice stops the program. Three things are weaker than
 * malloc: a freed block is soon used again, so a late use of it may go unseen; a block that is
 * never freed is no leak but only less memory; and where the arena ends, the head in front of a
 * block of malloc's is not poisoned. The replays of `./dev test` look for all three with malloc. */
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA_BYTES ((size_t)64 << 20) /* where it ends, malloc goes on */
#define HEAD 16                        /* bytes before a block: its size */
#define SMALLEST 5                     /* 2^5 bytes with head and guard */
#define LARGEST 18

typedef struct FreeBlock {
    struct FreeBlock *next;
} FreeBlock;

static uint8_t *arena;
static size_t n_used;
static FreeBlock *lists[LARGEST + 1];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The list whose blocks hold n bytes, the head and 8 poisoned bytes; LARGEST + 1: none. */
static int list_of(size_t n)
{
    int list = SMALLEST;
    while (list <= LARGEST && (size_t)1 << list < n + HEAD + 8) {
        list++;
    }
    return list;
}

static bool in_arena(const void *block)
{
    return (const uint8_t *)block >= arena && (const uint8_t *)block < arena + ARENA_BYTES;
}

/* A block's size, in the head that nobody else may read. */
static size_t *size_at(void *block)
{
    uint8_t *head = (uint8_t *)block - HEAD;
    return (size_t *)(void *)head;
}

static __attribute__((no_sanitize("address"))) size_t size_get(void *block)
{
    return *size_at(block);
}

static __attribute__((no_sanitize("address"))) void *block_take(int list, size_t n)
{
    uint8_t *block = NULL;
    pthread_mutex_lock(&lock);
    if (lists[list]) {
        block = (uint8_t *)lists[list];
        lists[list] = lists[list]->next;
    } else if (n_used + ((size_t)1 << list) <= ARENA_BYTES) {
        block = arena + n_used + HEAD;
        n_used += (size_t)1 << list;
    }
    pthread_mutex_unlock(&lock);
    if (block) {
        *size_at(block) = n;
        __asan_unpoison_memory_region(block, n);
    }
    return block;
}

static __attribute__((no_sanitize("address"))) void block_give(int list, void *block)
{
    FreeBlock *freed = block;
    if (__asan_address_is_poisoned(block)) {
        abort(); /* freed twice */
    }
    __asan_poison_memory_region(block, size_get(block));
    pthread_mutex_lock(&lock);
    freed->next = lists[list];
    lists[list] = freed;
    pthread_mutex_unlock(&lock);
}

static void *blocks_malloc(int n)
{
    const int list = list_of((size_t)n);
    void *block = list <= LARGEST ? block_take(list, (size_t)n) : NULL;
    if (!block) {
        uint8_t *made = malloc((size_t)n + HEAD);
        block = made ? made + HEAD : NULL;
        if (made) {
            *size_at(block) = (size_t)n;
        }
    }
    return block;
}

static void blocks_free(void *block)
{
    if (block && in_arena(block)) {
        block_give(list_of(size_get(block)), block);
    } else if (block) {
        free((uint8_t *)block - HEAD);
    }
}

static int blocks_size(void *block)
{
    return block ? (int)size_get(block) : 0;
}

static void *blocks_realloc(void *old, int n)
{
    void *block = blocks_malloc(n);
    if (block && old) {
        const size_t kept = size_get(old) < (size_t)n ? size_get(old) : (size_t)n;
        memcpy(block, old, kept);
        blocks_free(old);
    }
    return block;
}

static int blocks_round(int n)
{
    return (n + 7) & ~7;
}

static int blocks_begin(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void blocks_end(void *context)
{
    (void)context;
}

/* Before main, because SQLite can be told only before its first use. */
static __attribute__((constructor)) void blocks_install(void)
{
    static const sqlite3_mem_methods methods = {blocks_malloc, blocks_free,  blocks_realloc,
                                                blocks_size,   blocks_round, blocks_begin,
                                                blocks_end,    NULL};
    arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED || sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK) {
        abort();
    }
    __asan_poison_memory_region(arena, ARENA_BYTES);
    __lsan_register_root_region(arena, ARENA_BYTES); /* what a block here points to is no leak */
}
