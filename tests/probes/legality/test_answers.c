/* tests/probes/legality/test_answers.c - ranks, sets and scores by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probes/legality/answers.h"

/* Sums of at most 5 terms below 10 in double. */
#define TOL 1e-14

static void ties_go_to_the_lowest_token(void **state)
{
    const float tied[] = {0, 2, 1, 2, 1}, all_equal[] = {3, 3, 3};
    assert_int_equal(answer_top(tied, 5), 1);
    assert_int_equal(answer_top(all_equal, 3), 0);
    assert_int_equal(answer_top_set(tied, 5, 1), 1 << 1);
    assert_int_equal(answer_top_set(tied, 5, 2), 1 << 1 | 1 << 3);
    assert_int_equal(answer_top_set(tied, 5, 3), 1 << 1 | 1 << 3 | 1 << 2);
    assert_int_equal(answer_top_set(tied, 5, 0), 0);
    assert_int_equal(answer_top_set(tied, 5, 9), 31);
}

/* The top set of n tokens holds the ranks 1 to n. */
static void ranks_and_top_sets_agree(void **state)
{
    const float logits[] = {0, 2, 1, 2, 1};
    const int ranks[] = {5, 1, 3, 2, 4};
    for (int tok = 0; tok < 5; tok++) {
        assert_int_equal(answer_rank(logits, 5, tok), ranks[tok]);
        assert_true(answer_top_set(logits, 5, ranks[tok]) >> tok & 1);
        assert_false(answer_top_set(logits, 5, ranks[tok] - 1) >> tok & 1);
    }
}

static void probabilities_and_the_total_agree(void **state)
{
    const float logits[] = {1000, 998, -1000}; /* exp(1000) overflows */
    double p[3], total = answer_log_total(logits, 3);
    answer_probabilities(p, logits, 3);
    assert_true(fabs(p[0] - 1 / (1 + exp(-2))) < TOL);
    assert_true(fabs(p[0] + p[1] - 1) < TOL && p[2] == 0);
    assert_true(fabs(total - (1000 + log(1 + exp(-2)))) < 1e-12);
    assert_true(fabs(exp(logits[1] - total) - p[1]) < 1e-12);
    assert_true(fabs(p[0] - p[1]) > 0.5); /* negative twin: the two differ */
}

/* Between (1/2, 1/4, 1/4) and (1/4, 1/2, 1/4), each plus a constant. The way back is as long; to
 * (1/8, 1/8, 3/4) it is another. */
static void divergence_is_that_of_the_softmax(void **state)
{
    const float two = logf(2), six = logf(6);
    const float p[] = {5 + two, 5, 5}, q[] = {0, two, 0}, r[] = {0, 0, six};
    const double p_total = answer_log_total(p, 3), q_total = answer_log_total(q, 3);
    const double r_total = answer_log_total(r, 3), tolerance = 1e-6; /* logits have 24 bits */
    assert_true(fabs(answer_kl(p, p_total, q, q_total, 3) - log(2) / 4) < tolerance);
    assert_true(fabs(answer_kl(q, q_total, p, p_total, 3) - log(2) / 4) < tolerance);
    const double there = (log(4) / 2) + (log(2) / 4) - (log(3) / 4);
    const double back = (log(3) * 3 / 4) - (log(2) / 8) - (log(4) / 8);
    assert_true(fabs(answer_kl(p, p_total, r, r_total, 3) - there) < tolerance);
    assert_true(fabs(answer_kl(r, r_total, p, p_total, 3) - back) < tolerance);
    assert_true(fabs(there - back) > 1e4 * tolerance);
    assert_true(answer_kl(p, p_total, p, p_total, 3) == 0);
}

static void numbers_that_are_not_finite_are_found(void **state)
{
    float logits[] = {0, 1, NAN, INFINITY};
    assert_int_equal(answer_bad_token(logits, 4), 2);
    assert_int_equal(answer_bad_token(logits, 2), -1);
    logits[2] = 0;
    assert_int_equal(answer_bad_token(logits, 4), 3);
}

/* Four tokens with p = 1/2, 1/4, 1/8, 1/8. The second and the third are legal. */
static void scores_count_both_mistakes(void **state)
{
    const float logits[] = {3 * 0.6931471805599453f, 2 * 0.6931471805599453f, 0.6931471805599453f,
                            0.6931471805599453f};
    const uint64_t legal = 1 << 1 | 1 << 2;
    SetScore topn = answer_score(logits, 4, legal, RULE_TOPN);
    assert_true(topn.error == 2 && topn.false_positives == 1 && topn.false_negatives == 1);
    assert_true(topn.f1 == 0.5);
    /* KL = -ln 2 - (ln 1/4 + ln 1/8) / 2 = 3/2 ln 2; the logits are floats. */
    assert_true(fabs(topn.kl - 1.5 * log(2)) < 1e-6);
    /* Only the first is above 1/(2*2); the first two are above 1/(2*3). */
    assert_int_equal(answer_predicted(logits, 4, 3, RULE_THRESHOLD), 1 << 0 | 1 << 1);
    SetScore threshold = answer_score(logits, 4, legal | 1 << 0, RULE_THRESHOLD);
    assert_true(threshold.error == 1 && threshold.false_negatives == 1 && threshold.f1 == 0.8);
    /* Negative twin: the predicted set itself has no mistake. */
    SetScore right = answer_score(logits, 4, 1 << 0 | 1 << 1, RULE_TOPN);
    assert_true(right.error == 0 && right.f1 == 1 && right.kl < topn.kl);
}

static void squares_and_tokens_turn_into_each_other(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(8));
    const uint64_t centre = UINT64_C(0x0000001818000000);
    uint64_t tokens = answer_tokens(vocab, UINT64_MAX);
    assert_int_equal(__builtin_popcountll(tokens), 60);
    assert_false(tokens >> TOK_PAD & 1);
    assert_true(answer_squares(vocab, tokens) == ~centre);
    assert_true(answer_squares(vocab, tokens | 1) == ~centre);
    assert_true(answer_tokens(vocab, centre) == 0 && answer_squares(vocab, 1) == 0);
    assert_true(answer_tokens(vocab, 1) != answer_tokens(vocab, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_go_to_the_lowest_token),
        cmocka_unit_test(ranks_and_top_sets_agree),
        cmocka_unit_test(probabilities_and_the_total_agree),
        cmocka_unit_test(divergence_is_that_of_the_softmax),
        cmocka_unit_test(numbers_that_are_not_finite_are_found),
        cmocka_unit_test(scores_count_both_mistakes),
        cmocka_unit_test(squares_and_tokens_turn_into_each_other),
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
