/* tests/probes/legality/test_legality_compare.c - two scores of the same games: which differs, and
 * for whom; a score against itself differs by exactly nothing. */
#include "tests/base/base_test.h"

#include <math.h>

#include "base/arena.h"
#include "probes/legality/legality_compare.h"
#include "probes/legality/seen_games.h"

enum { GAMES = 60, POSITIONS = 30 };

static Work work = {.seed = 3};

static int pool_begin(void **state)
{
    return work_create(state) || pool_new(&work.pool, 2);
}

static int pool_end(void **state)
{
    pool_free(work.pool);
    return work_remove(state);
}

/* Games with some spread: game g has 2 + g % 5 strict errors and so on, each plus its `more`. */
static LegalityScore score_made(LegalitySums more)
{
    LegalityScore score = {.n_games = GAMES};
    score.games = mem_calloc(GAMES, sizeof(score.games[0]), "games");
    assert_non_null(score.games);
    for (int g = 0; g < GAMES; g++) {
        score.games[g] = (LegalitySums){.positions = POSITIONS,
                                        .floor = 40 + g,
                                        .loss = 50 + g % 7 + more.loss,
                                        .strict_errors = 2 + g % 5 + more.strict_errors,
                                        .lenient_errors = 1 + g % 3 + more.lenient_errors,
                                        .legal_mass = 20 + g % 4 + more.legal_mass,
                                        .set_f1 = 15 + g % 6 + more.set_f1};
        legality_add(&score.total, &score.games[g]);
    }
    return score;
}

static void itself_differs_by_exactly_nothing(void **state)
{
    LegalityScore a = score_made((LegalitySums){0}), b = score_made((LegalitySums){0});
    LegalityDifference found[LEGALITY_MEASURES];
    assert_int_equal(legality_compare(found, &a, &b, &work), 0);
    for (int i = 0; i < LEGALITY_MEASURES; i++) {
        assert_true(found[i].a == found[i].b);
        assert_true(found[i].test.difference.value == 0);
        assert_true(found[i].test.difference.low == 0 && found[i].test.difference.high == 0);
        assert_true(found[i].test.p == 1 && found[i].test.p_holm == 1);
        assert_int_equal(legality_side(&found[i]), LEGALITY_NONE);
    }
    legality_release(&a);
    legality_release(&b);
}

/* A constant difference in each game has an interval of no width, although the games differ much:
 * pairs are compared, not sums. */
static void each_measure_speaks_for_its_side(void **state)
{
    static const char *const names[] = {"strict_error", "lenient_error", "loss", "set_f1",
                                        "legal_mass"};
    static const double differences[] = {1, -0.5, 0.25, 3, -2};
    static const LegalitySide sides[] = {LEGALITY_B, LEGALITY_A, LEGALITY_B, LEGALITY_A,
                                         LEGALITY_B};
    LegalityScore a = score_made((LegalitySums){
        .strict_errors = 1, .lenient_errors = -0.5, .loss = 0.25, .set_f1 = 3, .legal_mass = -2});
    LegalityScore b = score_made((LegalitySums){0});
    LegalityDifference found[LEGALITY_MEASURES], back[LEGALITY_MEASURES];
    assert_int_equal(legality_compare(found, &a, &b, &work), 0);
    assert_int_equal(legality_compare(back, &b, &a, &work), 0);
    for (int i = 0; i < LEGALITY_MEASURES; i++) {
        const Interval *d = &found[i].test.difference;
        assert_string_equal(found[i].measure, names[i]);
        assert_true(fabs(d->value - differences[i] / POSITIONS) < 1e-12);
        assert_true(fabs(found[i].a - found[i].b - d->value) < 1e-12);
        assert_true(fabs(d->high - d->low) < 1e-12);
        assert_true(found[i].test.p == 2.0 / (PAIRED_REPLICATES + 1));
        assert_true(found[i].test.p_holm == 5 * found[i].test.p); /* five equal ones */
        assert_int_equal(legality_side(&found[i]), sides[i]);
        assert_int_equal(legality_side(&back[i]), sides[i] == LEGALITY_A ? LEGALITY_B : LEGALITY_A);
        assert_true(back[i].test.difference.value == -d->value);
    }
    legality_release(&a);
    legality_release(&b);
}

/* Differences that come and go between games, with mean 0, say nothing. */
static void noise_speaks_for_nobody(void **state)
{
    LegalityScore a = score_made((LegalitySums){0}), b = score_made((LegalitySums){0});
    LegalityDifference found[LEGALITY_MEASURES];
    for (int g = 0; g < GAMES; g++) {
        a.games[g].strict_errors += g % 2 == 0 ? 1 : -1;
    }
    assert_int_equal(legality_compare(found, &a, &b, &work), 0);
    assert_true(found[0].test.difference.low < 0 && found[0].test.difference.high > 0);
    assert_int_equal(legality_side(&found[0]), LEGALITY_NONE);
    legality_release(&a);
    legality_release(&b);
}

static void other_games_are_refused(void **state)
{
    LegalityScore a = score_made((LegalitySums){0}), b = score_made((LegalitySums){0});
    LegalityDifference found[LEGALITY_MEASURES];
    b.games[7].floor += 0.5;
    assert_refused(legality_compare(found, &a, &b, &work), OGPT_EFORMAT, "other games");
    b.games[7].floor -= 0.5;
    b.n_games--;
    assert_refused(legality_compare(found, &a, &b, &work), OGPT_EFORMAT, "60 and 59 games");
    legality_release(&a);
    legality_release(&b);
}

static void seen_games_are_united(void **state)
{
    uint64_t of_a[] = {1, 1, 3, 9}, of_b[] = {1, 2, 3, 3};
    static const uint64_t both[] = {1, 1, 2, 3, 3, 9};
    SeenGames a = {.hashes = of_a, .n = 4}, b = {.hashes = of_b, .n = 4}, none = {0}, found = {0};
    assert_int_equal(seen_games_union(&found, &a, &b), 0);
    assert_int_equal(found.n, 6);
    assert_memory_equal(found.hashes, both, sizeof(both));
    seen_games_release(&found);
    assert_int_equal(seen_games_union(&found, &none, &b), 0);
    assert_int_equal(found.n, 4);
    assert_memory_equal(found.hashes, of_b, sizeof(of_b));
    seen_games_release(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(itself_differs_by_exactly_nothing),
        cmocka_unit_test(each_measure_speaks_for_its_side),
        cmocka_unit_test(noise_speaks_for_nobody),
        cmocka_unit_test(other_games_are_refused),
        cmocka_unit_test(seen_games_are_united),
    };
    return cmocka_run_group_tests(tests, pool_begin, pool_end);
}
