/* tests/probes/circuits/test_grades.c - grades of rankings, counted by hand on small sets. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "probes/circuits/grades.h"

enum { N = 10, PAIRS = 2 };

/* Two pairs whose effects add up to 9, -8, 7, ... 0 over a denominator of 10. */
static double effect[PAIRS * N];
static const double denominator[PAIRS] = {4, 6};

static GradeTruth truth_of(size_t top)
{
    for (size_t i = 0; i < N; i++) {
        double whole = (i % 2 ? -1.0 : 1.0) * (double)(N - 1 - i);
        effect[i] = 0.25 * whole;
        effect[N + i] = 0.75 * whole;
    }
    return (GradeTruth){PAIRS, N, effect, denominator, top};
}

static void given_scores(double *scores, const void *context, const double *weight)
{
    memcpy(scores, context, N * sizeof(*scores));
    (void)weight;
}

/* The same numbers as the truth, drawn as the truth is. */
static void true_scores(double *scores, const void *context, const double *weight)
{
    grade_truth_sizes(scores, context, weight);
}

static Grade grade_of(const double *scores, size_t top)
{
    GradeTruth truth = truth_of(top);
    GradeRanking ranking = {given_scores, scores};
    Grade grade;
    assert_int_equal(grade_rankings(&grade, &truth, &ranking, 1, WORK_ALONE), 0);
    return grade;
}

static void sizes_are_ratios_of_sums(void **state)
{
    double size[N], weight[PAIRS] = {2, 0};
    GradeTruth truth = truth_of(3);
    grade_truth_sizes(size, &truth, NULL);
    assert_true(fabs(size[0] - 0.9) < 1e-12 && fabs(size[1] - 0.8) < 1e-12 && size[9] == 0);
    grade_truth_sizes(size, &truth, weight); /* the first pair alone: 0.25 * 9 / 4 */
    assert_true(fabs(size[0] - 0.5625) < 1e-12);
    (void)state;
}

static void grades_are_counted_by_hand(void **state)
{
    /* Order 1 0 4 9 2 3 5 6 7 8; the truth's first three are 0 1 2. */
    const double scores[N] = {-9, 10, 6, 5, 8, 4, 3, 2, 1, -7};
    Grade grade = grade_of(scores, 3);
    assert_true(fabs(grade.number[GRADE_PRECISION].value - 2.0 / 3) < 1e-12);
    assert_true(grade.number[GRADE_COST_90].value == 5);  /* 90 % of 3, rounded up, are 3 */
    assert_true(grade.number[GRADE_COST_100].value == 5); /* 2 is the fifth */
    assert_int_equal(grade.missed, 2);
    assert_true(fabs(grade.number[GRADE_WORST_MISS].value - 0.7) < 1e-12);
    /* Differences of ranks: 1 1 2 2 2 1 1 1 1 6: 54; 1 - 6 * 54 / (10 * 99). */
    assert_true(fabs(grade.number[GRADE_SPEARMAN].value - (1 - 6.0 * 54 / 990)) < 1e-12);
    grade = grade_of(scores, 10); /* all are looked for: 9 and 10 verified */
    assert_true(grade.number[GRADE_COST_90].value == 9 && grade.number[GRADE_COST_100].value == 10);
    assert_true(grade.number[GRADE_PRECISION].value == 1);
    assert_int_equal(grade.missed, N);
    (void)state;
}

static void ties_share_their_rank(void **state)
{
    /* All but the first alike: ranks 0, then eight and a half of 1..9 each, mean 5. */
    const double scores[N] = {5, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const double none[N] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    Grade grade = grade_of(scores, 3);
    /* Covariance 4.5 * 4.5 + sum of (i - 4.5) * 0.5 over 1..9 = 20.25 + 2.25. */
    assert_true(fabs(grade.number[GRADE_SPEARMAN].value - 22.5 / sqrt(82.5 * 22.5)) < 1e-12);
    grade = grade_of(none, 3);
    assert_true(isnan(grade.number[GRADE_SPEARMAN].value)); /* no order, no correlation */
    (void)state;
}

/* The truth itself is perfect in every resample; a fixed wrong order is worse, and the paired
 * difference says by how much. */
static void the_truth_is_perfect_and_others_are_compared_with_it(void **state)
{
    const double scores[N] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    GradeTruth truth = truth_of(3);
    GradeRanking rankings[] = {{true_scores, &truth}, {given_scores, scores}};
    Grade grades[2];
    assert_int_equal(grade_rankings(grades, &truth, rankings, 2, WORK_ALONE), 0);
    assert_true(fabs(grades[0].number[GRADE_SPEARMAN].low - 1) < 1e-12);
    assert_true(grades[0].number[GRADE_COST_100].high == 3);
    assert_true(fabs(grades[1].number[GRADE_SPEARMAN].value + 1) < 1e-12);
    assert_true(grades[1].number[GRADE_COST_100].value == 10);
    assert_true(fabs(grades[1].minus_first[GRADE_SPEARMAN].value + 2) < 1e-12);
    assert_true(grades[1].minus_first[GRADE_SPEARMAN].high < -1.9);
    assert_true(grades[0].minus_first[GRADE_COST_90].high == 0);
    (void)state;
}

/* Pairs that disagree make intervals: the first pair has another order. */
static void pairs_that_disagree_widen_the_interval(void **state)
{
    const double scores[N] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    GradeTruth truth = truth_of(3);
    GradeRanking ranking = {given_scores, scores};
    Grade grade;
    for (size_t i = 0; i < N; i++) {
        effect[i] = (double)i * 0.4;
    }
    assert_int_equal(grade_rankings(&grade, &truth, &ranking, 1, WORK_ALONE), 0);
    assert_true(grade.number[GRADE_SPEARMAN].low < -0.9); /* the first pair drawn twice */
    assert_true(grade.number[GRADE_SPEARMAN].high > 0.9);
    (void)state;
}

static void random_orders_find_nothing(void **state)
{
    GradeTruth truth = truth_of(3);
    Grade one, other;
    Pool *pool;
    assert_int_equal(pool_new(&pool, 3), 0);
    Work work = {.pool = pool};
    assert_int_equal(grade_random(&one, &truth, WORK_ALONE), 0);
    assert_int_equal(grade_random(&other, &truth, &work), 0);
    assert_memory_equal(one.number, other.number, sizeof(one.number));
    assert_true(fabs(one.number[GRADE_SPEARMAN].value) < 0.1);
    assert_true(fabs(one.number[GRADE_PRECISION].value - 0.3) < 0.06); /* 3 of 10 */
    /* All of three among ten: (10 + 1) * 3 / 4 = 8.25 are verified. */
    assert_true(fabs(one.number[GRADE_COST_100].value - 8.25) < 0.4);
    work.seed = 1;
    assert_int_equal(grade_random(&other, &truth, &work), 0);
    assert_memory_not_equal(one.number, other.number, sizeof(one.number));
    pool_free(pool);
    (void)state;
}

static void wrong_tops_are_refused(void **state)
{
    GradeTruth truth = truth_of(11);
    GradeRanking ranking = {true_scores, &truth};
    Grade grade;
    assert_int_equal(grade_rankings(&grade, &truth, &ranking, 1, WORK_ALONE), OGPT_EUSAGE);
    truth.top = 0;
    assert_int_equal(grade_random(&grade, &truth, WORK_ALONE), OGPT_EUSAGE);
    truth = truth_of(3);
    truth.n_pairs = 0;
    assert_int_equal(grade_random(&grade, &truth, WORK_ALONE), OGPT_EUSAGE);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_ratios_of_sums),
        cmocka_unit_test(grades_are_counted_by_hand),
        cmocka_unit_test(ties_share_their_rank),
        cmocka_unit_test(the_truth_is_perfect_and_others_are_compared_with_it),
        cmocka_unit_test(pairs_that_disagree_widen_the_interval),
        cmocka_unit_test(random_orders_find_nothing),
        cmocka_unit_test(wrong_tops_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
