/* tests/probes/latent/test_latent_score.c - which square a direction reads best, and which squares
 * enough pairs keep to say so: pairs and directions by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "num/blas.h"
#include "probes/latent/latent_score.h"

/* Square 0 and 1 are kept by all pairs and read from columns 0 and 1; square 2 by `few` of them. */
enum { PAIRS = 80, SQUARES = 3, WIDTH = 3, GAMES = 8 };

typedef struct Made {
    LatentPairs pairs;
    LatentRows rows;
    uint32_t game[PAIRS];
    uint8_t ply[PAIRS];
    uint64_t kept[PAIRS], mine[PAIRS];
    size_t of_square[SQUARES];
    float first[PAIRS * WIDTH], second[PAIRS * WIDTH];
} Made;

/* wrong: pairs at which column 0 is not square 0. */
static void make(Made *out, size_t few, size_t wrong)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < PAIRS; i++) {
        bool mine[SQUARES] = {i % 2 == 0, i / 2 % 2 == 0, i % 2 == 0};
        out->game[i] = (uint32_t)(i * GAMES / PAIRS);
        out->ply[i] = (uint8_t)(1 + i / 4 % 2);
        for (size_t s = 0; s < SQUARES; s++) {
            bool keeps = s < 2 || i < few;
            out->kept[i] |= (uint64_t)keeps << s;
            out->mine[i] |= (uint64_t)(keeps && mine[s]) << s;
            out->of_square[s] += keeps;
        }
        for (size_t c = 0; c < WIDTH; c++) {
            out->first[i * WIDTH + c] = mine[c] != (c == 0 && i >= PAIRS - wrong) ? 1 : -1;
        }
    }
    out->pairs = (LatentPairs){.n = PAIRS,
                               .n_squares = SQUARES,
                               .n_games = GAMES,
                               .game = out->game,
                               .ply = out->ply,
                               .kept = out->kept,
                               .mine = out->mine,
                               .of_square = out->of_square};
    out->rows = (LatentRows){PAIRS, WIDTH, out->first, out->second};
}

static LatentScore scored(size_t few_valid, size_t few_test, size_t wrong)
{
    static Made valid, test;
    LatentScore score;
    float w[SQUARES * WIDTH] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    double numbers[3 * SQUARES] = {0};
    const LatentFit fit = {WIDTH, SQUARES, w, numbers, numbers + 3, numbers + 6};
    make(&valid, few_valid, wrong);
    make(&test, few_test, wrong);
    assert_int_equal(latent_score(&score, &fit, &(LatentSplit){&valid.pairs, &valid.rows},
                                  &(LatentSplit){&test.pairs, &test.rows}, WORK_ALONE),
                     0);
    return score;
}

/* Direction 0 reads square 0 right but for four pairs, and square 2 right wherever it is kept. */
static void few_pairs_judge_nothing(void **state)
{
    for (size_t few = 1; few <= LATENT_LEAST_PAIRS; few += LATENT_LEAST_PAIRS - 1) {
        LatentScore score = scored(few, PAIRS - 4, 4);
        bool enough = few == LATENT_LEAST_PAIRS;
        assert_int_equal(score.judged, enough ? 3 : 2);
        assert_int_equal(score.squares[2].judged, enough);
        assert_int_equal(score.squares[0].best, enough ? 2 : 0);
        assert_int_equal(score.own, 2); /* 1 and, without enough pairs, 0; else 1 and 2 */
        assert_int_equal(score.found, enough ? 3 : 2);
        assert_true(score.squares[2].accuracy.value == 1);
        latent_score_release(&score);
    }
    /* Test pairs are asked for, too. */
    LatentScore score = scored(PAIRS - 4, LATENT_LEAST_PAIRS - 1, 4);
    assert_int_equal(score.judged, 2);
    assert_int_equal(score.squares[0].best, 0);
    latent_score_release(&score);
}

/* Squares 0 and 2 are read right by both their directions: each is its own. */
static void a_tie_is_its_own(void **state)
{
    LatentScore score = scored(PAIRS, PAIRS, 0);
    for (size_t s = 0; s < SQUARES; s++) {
        assert_int_equal(score.squares[s].best, s);
        assert_true(score.squares[s].best_accuracy == 1);
    }
    assert_int_equal(score.own, 3);
    assert_int_equal(score.parity_found, 0);
    latent_score_release(&score);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(few_pairs_judge_nothing),
                                       cmocka_unit_test(a_tie_is_its_own)};
    return blas_init() || cmocka_run_group_tests(tests, NULL, NULL);
}
