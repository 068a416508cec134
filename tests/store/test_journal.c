/* tests/store/test_journal.c - blocks kept by key, stage and number: what goes in comes out, byte
 * for byte, also from another connection, and nothing else does. */
#include "tests/base/base_test.h"

#include <math.h>
#include <string.h>

#include "store/journal.h"

static void blocks_come_back_and_are_dropped(void **state)
{
    const double first[] = {0.1, NAN, -3}, second[] = {7, 8, 9};
    double values[4] = {0};
    Store *store = NULL;
    assert_int_equal(store_open(&store, at("journal.db")), 0);
    assert_int_equal(store_journal_get(values, 3, store, "key", "cases", 0), 0);
    assert_int_equal(store_journal_put(store, "key", "cases", 0, first, 3), 0);
    assert_int_equal(store_journal_put(store, "key", "cases", 5, second, 3), 0);
    assert_int_equal(store_journal_put(store, "other", "cases", 0, second, 3), 0);
    store_close(store);

    assert_int_equal(store_open(&store, at("journal.db")), 0);
    assert_int_equal(store_check(store), 0);
    assert_int_equal(store_journal_get(values, 3, store, "key", "cases", 0), 1);
    assert_memory_equal(values, first, sizeof(first));
    /* Another key, stage, block or number of values is another block. */
    assert_int_equal(store_journal_get(values, 3, store, "other", "cases", 0), 1);
    assert_memory_equal(values, second, sizeof(second));
    assert_int_equal(store_journal_get(values, 3, store, "key", "tuning", 0), 0);
    assert_int_equal(store_journal_get(values, 3, store, "key", "cases", 1), 0);
    assert_int_equal(store_journal_get(values, 4, store, "key", "cases", 0), 0);

    /* Kept again: the newer one. Dropped: its own blocks alone. */
    assert_int_equal(store_journal_put(store, "key", "cases", 0, second, 3), 0);
    assert_int_equal(store_journal_get(values, 3, store, "key", "cases", 0), 1);
    assert_memory_equal(values, second, sizeof(second));
    assert_int_equal(store_journal_drop(store, "key"), 0);
    assert_int_equal(store_journal_get(values, 3, store, "key", "cases", 0), 0);
    assert_int_equal(store_journal_get(values, 3, store, "key", "cases", 5), 0);
    assert_int_equal(store_journal_get(values, 3, store, "other", "cases", 0), 1);
    store_close(store);
}

#define BLOCK_NUMBERS 4096 /* two pages */
#define N_BLOCKS 300       /* more than the empty tables take: only then is the file made anew */

/* The pages of a dropped journal go back to the disk; those of a journal in use stay. */
static void the_file_does_not_keep_what_was_dropped(void **state)
{
    static double numbers[BLOCK_NUMBERS];
    Store *store = NULL;
    uint64_t size[3];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(store_open(&store, at("grown.db")), 0);
        for (size_t block = 0; i == 1 && block < N_BLOCKS; block++) {
            assert_int_equal(
                store_journal_put(store, "key", "cases", block, numbers, BLOCK_NUMBERS), 0);
        }
        assert_int_equal(store_journal_drop(store, i == 2 ? "key" : "none"), 0);
        store_close(store);
        assert_int_equal(file_size(&size[i], at("grown.db")), 0);
    }
    assert_true(size[1] > size[0] + N_BLOCKS * sizeof(numbers));
    assert_true(size[2] <= size[0] + 4 * sizeof(numbers));
    assert_int_equal(store_open(&store, at("grown.db")), 0);
    assert_int_equal(store_check(store), 0);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_back_and_are_dropped),
        cmocka_unit_test(the_file_does_not_keep_what_was_dropped),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
