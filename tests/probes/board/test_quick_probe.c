/* tests/probes/board/test_quick_probe.c - the quick probe gives the same score each time and at any
 * number of workers, another one for another network, and finds no board where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/probes/probe_fixture.h"
#include "probes/board/quick_probe.h"

static ProbeFixture fixture;
static GameSource *fit_games, *test_games;

static QuickScore score_of(const Gpt *gpt, size_t n_workers)
{
    QuickProbe *probe = NULL;
    QuickScore score;
    Pool *pool = NULL;
    assert_int_equal(pool_new(&pool, n_workers), 0);
    const Work work = {.pool = pool, .seed = 3};
    assert_int_equal(quick_probe_new(&probe, fit_games, test_games, &work), 0);
    assert_int_equal(quick_probe_score(&score, probe, gpt, &work), 0);
    quick_probe_free(probe);
    pool_free(pool);
    return score;
}

static void the_score_is_a_pure_function(void **state)
{
    QuickScore one = score_of(fixture.model.gpt, 1), three = score_of(fixture.model.gpt, 3);
    assert_int_equal(one.layer, 2); /* three quarters of three layers */
    assert_true(one.accuracy > 0 && one.accuracy < 1);
    assert_true(one.board >= 0 && one.board <= one.accuracy);
    assert_true(one.accuracy == three.accuracy && one.board == three.board);
    Gpt *other = fixture_network(6, 2);
    assert_non_null(other);
    assert_true(score_of(other, 1).accuracy != one.accuracy);
    gpt_free(other);
}

/* If all rows of a network are zero, a probe can learn only the commonest class of each square. A
 * network that remembers its moves must do better. */
static void rows_without_a_board_score_lower(void **state)
{
    const char *sanitized = getenv("OGPT_SANITIZED");
    if (sanitized && strcmp(sanitized, "1") == 0) {
        skip(); /* the same code again, for numbers that the build as shipped compares */
    }
    Gpt *blank = fixture_network(6, 1);
    assert_non_null(blank);
    for (size_t i = 0; i < blank->n_numbers; i++) {
        blank->params[i] = 0;
    }
    QuickScore nothing = score_of(blank, 2), something = score_of(fixture.model.gpt, 2);
    assert_true(nothing.accuracy < something.accuracy);
    gpt_free(blank);
}

static int setup(void **state)
{
    if (fixture_open(&fixture, 500) != 0) {
        return -1;
    }
    return source_corpus(&fit_games, fixture.corpus, 1U << SPLIT_TRAIN, false, 1) != 0 ||
                   source_corpus(&test_games, fixture.corpus, 1U << SPLIT_TEST, false, 1) != 0
               ? -1
               : 0;
}

static int teardown(void **state)
{
    source_free(test_games);
    source_free(fit_games);
    fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_score_is_a_pure_function),
        cmocka_unit_test(rows_without_a_board_score_lower),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
