/* tests/base/test_arena.c - checked allocation, its faults, and the carved arena. */
#include "tests/base/base_test.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

static void test_blocks(void **state)
{
    unsigned char *zero = mem_calloc(100, 3, "zeros");
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal(zero[i], 0);
    }
    memset(zero, 7, 300);
    zero = mem_realloc(zero, 1000, 1, "zeros");
    assert_int_equal(zero[299], 7);
    mem_free(zero);
    void *none = mem_alloc(0, 8, "nothing");
    assert_non_null(none);
    mem_free(none);
    none = mem_calloc(8, 0, "nothing");
    assert_non_null(none);
    mem_free(none);
    char *text = mem_strdup("f5d6", "a game");
    assert_string_equal(text, "f5d6");
    mem_free(text);
    mem_free(NULL);
}

static void test_overflow_is_refused(void **state)
{
    assert_null(mem_alloc(SIZE_MAX / 2, 3, "too much"));
    assert_refused(OGPT_ENOMEM, OGPT_ENOMEM, "x 3 bytes for too much");
    assert_null(mem_calloc(SIZE_MAX, SIZE_MAX, "too much"));
    int *block = mem_alloc(4, sizeof(*block), "a block");
    assert_null(mem_realloc(block, SIZE_MAX / 2, sizeof(*block), "more"));
    block[3] = 1; /* the old block is still ours */
    mem_free(block);
}

/* One sequence of requests: fault n must hit allocation n and no other. */
static void ask(void *blocks[5])
{
    blocks[0] = mem_alloc(1, 16, "first");
    blocks[1] = mem_calloc(1, 16, "second");
    blocks[2] = mem_strdup("x", "third");
    blocks[3] = mem_realloc(NULL, 1, 16, "fourth");
    blocks[4] = mem_alloc(1, 16, "fifth");
}

static void test_faults_hit_the_nth(void **state)
{
    static const char *const messages[] = {
        "out of memory: wanted 16 bytes for first", "out of memory: wanted 16 bytes for second",
        "out of memory: wanted 2 bytes for third", "out of memory: wanted 16 bytes for fourth",
        "out of memory: wanted 16 bytes for fifth"};
    for (uint64_t n = 1; n <= 6; n++) {
        for (int sticky = 0; sticky < 2; sticky++) {
            void *blocks[5];
            err_set(OGPT_EIO, "none");
            mem_fail_at(n, sticky);
            ask(blocks);
            assert_int_equal(mem_count(), 5);
            for (uint64_t i = 1; i <= 5; i++) {
                int fails = i == n || (sticky && i > n);
                assert_int_equal(!blocks[i - 1], fails);
                mem_free(blocks[i - 1]);
            }
            const char *last = n > 5 ? "none" : messages[sticky ? 4 : n - 1];
            assert_string_equal(err_message(), last);
        }
    }
    mem_fail_at(0, 0);
    assert_int_equal(mem_count(), 0);
}

static void test_arena_carves_aligned_pieces(void **state)
{
    static const size_t counts[] = {1, 63, 64, 65, 1000};
    size_t bytes = 0;
    for (size_t i = 0; i < 5; i++) {
        assert_true(arena_piece_bytes(counts[i], 4) >= counts[i] * 4 + ARENA_ALIGN);
        bytes += arena_piece_bytes(counts[i], 4);
    }
    Arena arena;
    assert_int_equal(arena_init(&arena, bytes, "pieces"), 0);
    for (int turn = 0; turn < 2; turn++) {
        unsigned char *end = NULL;
        for (size_t i = 0; i < 5; i++) {
            unsigned char *piece = arena_take(&arena, counts[i], 4);
            assert_int_equal((uintptr_t)piece % ARENA_ALIGN, 0);
            assert_true(!end || piece >= end + ARENA_ALIGN);
            for (size_t b = 0; turn == 0 && b < counts[i] * 4; b++) {
                assert_int_equal(piece[b], 0);
            }
            memset(piece, 0xff, counts[i] * 4);
            end = piece + counts[i] * 4;
        }
        assert_true(arena.used_bytes <= arena.size_bytes);
        arena_reset(&arena);
    }
    arena_release(&arena);
    assert_null(arena.base);
    arena_release(&arena);
}

/* From 8 MiB on the first piece begins at a page of 2 MiB; nothing is lost at the end. */
static void test_large_arena_begins_at_a_large_page(void **state)
{
    static const size_t counts[] = {(8 << 20) - 2 * ARENA_ALIGN - 1, (8 << 20) - ARENA_ALIGN,
                                    9 << 20};
    for (size_t i = 0; i < 3; i++) {
        size_t bytes = arena_piece_bytes(counts[i], 1);
        Arena arena;
        assert_int_equal(arena_init(&arena, bytes, "a large arena"), 0);
        unsigned char *piece = arena_take(&arena, counts[i], 1);
        assert_int_equal((uintptr_t)piece % ARENA_ALIGN, 0);
        assert_true(bytes < 8 << 20 || (uintptr_t)piece % (2 << 20) == 0);
        assert_true(piece + counts[i] <= arena.base + arena.size_bytes);
        assert_true(piece[0] == 0 && memcmp(piece, piece + 1, counts[i] - 1) == 0);
        memset(piece, 0xff, counts[i]);
        arena_release(&arena);
    }
}

static void test_arena_refuses_overflow(void **state)
{
    assert_int_equal(arena_piece_bytes(SIZE_MAX / 2, 4), SIZE_MAX);
    assert_int_equal(arena_piece_bytes(SIZE_MAX - 10, 1), SIZE_MAX);
    Arena arena;
    assert_refused(arena_init(&arena, arena_piece_bytes(SIZE_MAX / 2, 4), "a model"), OGPT_ENOMEM,
                   "for a model");
    assert_null(arena.base);
    mem_fail_at(1, 0);
    assert_refused(arena_init(&arena, 64, "a model"), OGPT_ENOMEM, "for a model");
    mem_fail_at(0, 0);
    arena_release(&arena);
}

/* The gaps are poisoned, the pieces are not. */
static void test_arena_red_zones(void **state)
{
#if defined(__SANITIZE_ADDRESS__)
    Arena arena;
    assert_int_equal(arena_init(&arena, arena_piece_bytes(10, 4) + arena_piece_bytes(8, 8), "a"),
                     0);
    unsigned char *first = arena_take(&arena, 10, 4);
    assert_false(__asan_address_is_poisoned(first + 39));
    assert_true(__asan_address_is_poisoned(first + 40));
    double *second = arena_take(&arena, 8, 8);
    assert_true(__asan_address_is_poisoned((char *)second - 1));
    assert_true(__asan_address_is_poisoned(second + 8));
    arena_reset(&arena);
    assert_true(__asan_address_is_poisoned(first));
    arena_release(&arena);
#else
    skip(); /* poison exists under AddressSanitizer only */
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_overflow_is_refused),
        cmocka_unit_test(test_faults_hit_the_nth),
        cmocka_unit_test(test_arena_carves_aligned_pieces),
        cmocka_unit_test(test_large_arena_begins_at_a_large_page),
        cmocka_unit_test(test_arena_refuses_overflow),
        cmocka_unit_test(test_arena_red_zones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
