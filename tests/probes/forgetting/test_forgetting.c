/* tests/probes/forgetting/test_forgetting.c - nothing is forgotten where nothing was learned;
 * other weights forget; barriers and relearning of known curves. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "num/blas.h"
#include "probes/forgetting/forget_find.h"
#include "tests/probes/small_network.h"
#include "tests/probes/tick_log.h"

enum { SIZE = 4, GAMES = 40 };

typedef struct Fixture {
    Gpt *before, *other;
    GameSource *sources[4];
    ForgetStudy *study;
    double *values[3];
} Fixture;

static void open(Fixture *f, Pool *pool)
{
    const Work work = {.seed = 2, .pool = pool};
    *f = (Fixture){.before = noisy_network(SIZE, 32, 1), .other = noisy_network(SIZE, 32, 2)};
    for (int i = 0; i < 4; i++) {
        const GameVariant *variant = game_variant_with(SIZE, i < 2 ? RULES_CLASSIC : RULES_IAGO);
        assert_int_equal(
            source_fresh(&f->sources[i], variant, 5, i % 2 ? RNG_EVAL : RNG_PROBE_GAMES), 0);
    }
    const ForgetSources sources[2] = {{f->sources[0], f->sources[1]},
                                      {f->sources[2], f->sources[3]}};
    TickLog log;
    const Work heard = tick_log_work(&log, work);
    assert_int_equal(forget_study_new(&f->study, f->before, sources, GAMES, GAMES, 4, &heard), 0);
    assert_true(tick_log_ended(&log, "parts", 6) && log.n == 6);
    for (int i = 0; i < 3; i++) {
        f->values[i] = mem_calloc(forget_numbers(f->study), sizeof(double), "values");
    }
    const Work again = tick_log_work(&log, work);
    assert_int_equal(forget_measure(f->values[0], f->study, f->before, true, &again), 0);
    assert_true(tick_log_ended(&log, "parts", 4) && log.n == 4);
    assert_int_equal(forget_measure(f->values[1], f->study, f->other, true, &work), 0);
    assert_int_equal(forget_measure(f->values[2], f->study, f->before, false, &work), 0);
}

static void close(Fixture *f)
{
    for (int i = 0; i < 4; i++) {
        source_free(f->sources[i]);
    }
    for (int i = 0; i < 3; i++) {
        mem_free(f->values[i]);
    }
    forget_study_free(f->study);
    gpt_free(f->before);
    gpt_free(f->other);
}

static void nothing_learned_is_nothing_forgotten(void **state)
{
    Fixture f;
    ForgetScore same[N_FORGET_KINDS], other[N_FORGET_KINDS];
    open(&f, NULL);
    assert_int_equal(forget_find(same, f.values[0], f.values[0], GAMES, 1), 0);
    assert_int_equal(forget_find(other, f.values[1], f.values[0], GAMES, 1), 0);
    for (int k = 0; k < N_FORGET_KINDS; k++) {
        /* exactly: the same numbers are subtracted */
        assert_true(same[k].change.value == 0 && same[k].change.low == 0 &&
                    same[k].change.high == 0);
        assert_true(other[k].change.value != 0);
        assert_true(fabs(other[k].of[FORGET_LOSS].value - same[k].of[FORGET_LOSS].value -
                         other[k].change.value) < 1e-12);
    }
    /* On itself the three probes of the old games are one; carried to other weights they fail. */
    const Interval *probes = same[FORGET_OLD].of;
    assert_true(probes[FORGET_PROBE_OWN].value == probes[FORGET_PROBE_OLD].value);
    assert_true(probes[FORGET_PROBE_OWN].value == probes[FORGET_PROBE_BACK].value);
    assert_true(probes[FORGET_PROBE_OWN].value > 0.6);
    assert_true(other[FORGET_OLD].of[FORGET_PROBE_OWN].value > 0.6);
    assert_true(other[FORGET_OLD].of[FORGET_PROBE_OLD].value <
                other[FORGET_OLD].of[FORGET_PROBE_OWN].value - 0.1);
    assert_true(other[FORGET_OLD].of[FORGET_PROBE_BACK].value <
                probes[FORGET_PROBE_OWN].value - 0.1);
    /* Without probes the rest is the same, and those are unknown. */
    ForgetScore bare[N_FORGET_KINDS];
    assert_int_equal(forget_find(bare, f.values[2], f.values[0], GAMES, 1), 0);
    assert_true(bare[FORGET_NEW].of[FORGET_EXCESS].value ==
                same[FORGET_NEW].of[FORGET_EXCESS].value);
    assert_true(isnan(bare[FORGET_OLD].of[FORGET_PROBE_OWN].value));
    close(&f);
}

static void workers_change_no_number(void **state)
{
    Fixture alone, many;
    Pool *pool = NULL;
    assert_int_equal(pool_new(&pool, 3), 0);
    open(&alone, NULL);
    open(&many, pool);
    for (int i = 0; i < 3; i++) {
        assert_memory_equal(alone.values[i], many.values[i],
                            forget_numbers(alone.study) * sizeof(double));
    }
    close(&alone);
    close(&many);
    pool_free(pool);
}

static void lines_have_the_losses_of_their_ends(void **state)
{
    Fixture f;
    ForgetScore scores[2][N_FORGET_KINDS];
    double flat[FORGET_LINE], line[FORGET_LINE];
    open(&f, NULL);
    assert_int_equal(forget_line(flat, f.study, f.before, WORK_ALONE), 0);
    assert_int_equal(forget_line(line, f.study, f.other, WORK_ALONE), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(forget_find(scores[i], f.values[i], f.values[0], GAMES, 1), 0);
    }
    for (int i = 1; i < FORGET_LINE; i++) {
        /* weights between equal ones are these but for rounding to floats */
        assert_true(fabs(flat[i] - flat[0]) < 1e-5);
    }
    assert_true(fabs(line[0] - scores[0][FORGET_OLD].of[FORGET_LOSS].value) < 1e-9);
    assert_true(fabs(line[FORGET_LINE - 1] - scores[1][FORGET_OLD].of[FORGET_LOSS].value) < 1e-9);
    assert_true(forget_barrier(flat) < 1e-5);
    close(&f);
}

static void barriers_and_crossings_are_found(void **state)
{
    double line[FORGET_LINE];
    ForgetScore scores[5][N_FORGET_KINDS] = {{{.of = {{0}}}}};
    const double changes[5] = {0.9, 0.4, 0.011, 0.009, -0.2};
    for (int i = 0; i < FORGET_LINE; i++) {
        line[i] = 2 - 0.1 * i + (i == 3 ? 0.7 : 0); /* a straight line with one hump */
    }
    assert_true(fabs(forget_barrier(line) - 0.7) < 1e-12);
    line[3] -= 1.5;
    assert_true(fabs(forget_barrier(line)) < 1e-12); /* a dip is no barrier */
    for (int i = 0; i < 5; i++) {
        scores[i][FORGET_OLD].change.value = changes[i];
        scores[i][FORGET_NEW].change.value = -1; /* not looked at */
    }
    assert_int_equal(forget_relearned(scores, 5, 0.01), 3);
    assert_int_equal(forget_relearned(scores, 5, 0.02), 2);
    assert_int_equal(forget_relearned(scores, 3, 0.01), 3); /* not within these */
    scores[1][FORGET_OLD].change.value = NAN;
    assert_int_equal(forget_relearned(scores, 2, 1), 0);
    assert_int_equal(forget_relearned(scores + 1, 1, 1), 1); /* what is unknown is not relearned */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_learned_is_nothing_forgotten),
        cmocka_unit_test(workers_change_no_number),
        cmocka_unit_test(lines_have_the_losses_of_their_ends),
        cmocka_unit_test(barriers_and_crossings_are_found),
    };
    blas_reserve(3);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
