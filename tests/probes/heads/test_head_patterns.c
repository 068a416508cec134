/* tests/probes/heads/test_head_patterns.c - heads made by hand score on their own detector, and on
 * others what a plain computation of the definition says. */
#include "base/arena.h"
#include "tests/probes/heads/head_fixture.h"

enum { N_GAMES = 120 };

static const int kinds[N_HEAD_DETECTORS + 1] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
static const void *contexts[N_HEAD_DETECTORS + 1];

/* ---- the definitions once more, by other means ---- */

static Colour owner_of(const GameVariant *variant, const Board *after, size_t s)
{
    return s == 0 ? variant->start.to_move : after[s - 1].to_move;
}

/* Steps from one square to another in a straight line, 0 if there is none: walked, not computed. */
static int walked(int from, int to, int size)
{
    for (int rows = -1; rows <= 1; rows++) {
        for (int columns = -1; columns <= 1; columns++) {
            int row = from / 8, column = from % 8;
            for (int n = 1; rows != 0 || columns != 0; n++) {
                row += rows;
                column += columns;
                if (row < 0 || row >= size || column < 0 || column >= size) {
                    break;
                }
                if (8 * row + column == to) {
                    return n;
                }
            }
        }
    }
    return 0;
}

static bool in_set(HeadDetector d, const GameVariant *variant, const uint8_t *moves,
                   const Board *after, size_t t, size_t s)
{
    const Board *before = t == 0 ? &variant->start : &after[t - 1];
    Colour opponent = before->to_move == BLACK ? WHITE : BLACK;
    int steps = walked(moves[t], moves[s], variant->size);
    bool mine = owner_of(variant, after, s) == after[t].to_move;
    switch (d) {
    case HEAD_SELF: return s == t;
    case HEAD_PREVIOUS: return s + 1 == t;
    case HEAD_FIRST: return s == 0;
    case HEAD_PARITY: return (t - s) % 2 == 1;
    case HEAD_MINE: return mine;
    case HEAD_THEIRS: return !mine;
    case HEAD_RAY: return steps > 0;
    case HEAD_NEIGHBOUR: return steps == 1;
    default: /* the opponent's disc changed its colour */
        return s != t && (board_discs(before, opponent) >> moves[s] & 1) != 0 &&
               (board_discs(&after[t], opponent) >> moves[s] & 1) == 0;
    }
}

static void keys_are_what_they_mean(void **state)
{
    HeadGames games;
    size_t n_disputed = 0;
    head_games_fresh(&games, 6, 60, 4);
    for (size_t g = 0; g < games.n; g++) {
        const GameVariant *variant = games.vocab->variant;
        const uint8_t *moves = games.moves + g * (size_t)variant->n_moves;
        Board after[GAME_MAX_MOVES];
        game_replay(variant, moves, game_length(moves, variant->n_moves), after);
        assert_int_equal(games.n_queries[g], game_length(moves, variant->n_moves) - 1);
        for (size_t t = 0; t < games.n_queries[g]; t++) {
            const HeadKeys *keys = head_games_keys(&games, g) + t;
            for (int d = 0; d < N_HEAD_SETS; d++) {
                for (size_t s = 0; s <= t; s++) {
                    assert_int_equal(keys->sets[d] >> s & 1,
                                     in_set((HeadDetector)d, variant, moves, after, t, s));
                }
                assert_int_equal(keys->sets[d] & ~keys->all, 0);
            }
            n_disputed += keys->disputed != 0;
        }
    }
    assert_true(n_disputed > 20); /* passes are seen */
    head_games_release(&games);
}

/* ---- scores ---- */

/* Mean share of a head on a detector and what a uniform head and the mean attention of the other
 * games give, straight from the definitions; the square detector is left to the caller. */
typedef struct Plain {
    double share, uniform, shuffled;
} Plain;

static Plain plain_score(const HeadGames *games, int head, HeadDetector d)
{
    size_t T = games->T, queries = 0;
    float *rows = calloc(games->n * T * T, sizeof(float));
    double *mean = calloc(T * T, sizeof(double)), *at = calloc(T, sizeof(double));
    Plain out = {0};
    for (size_t g = 0; g < games->n; g++) {
        head_look_at(rows + g * T * T, games, g, &head);
        head_normalise(rows + g * T * T, T);
        for (size_t t = 0; t < games->n_queries[g]; t++) {
            at[t] += 1;
            for (size_t s = 0; s <= t; s++) {
                mean[t * T + s] += (double)rows[(g * T + t) * T + s];
            }
        }
    }
    for (size_t g = 0; g < games->n; g++) {
        for (size_t t = 1; t < games->n_queries[g]; t++) {
            const HeadKeys *keys = head_games_keys(games, g) + t;
            if (keys->sets[d] == 0 || keys->sets[d] == keys->all) {
                continue;
            }
            queries++;
            for (size_t s = 0; s <= t; s++) {
                double own = (double)rows[(g * T + t) * T + s];
                double in = (double)(keys->sets[d] >> s & 1);
                out.share += own * in;
                out.uniform += in / (double)(t + 1);
                out.shuffled += in * (at[t] > 1 ? (mean[t * T + s] - own) / (at[t] - 1) : own);
            }
        }
    }
    free(rows);
    free(mean);
    free(at);
    return (Plain){out.share / (double)queries, out.uniform / (double)queries,
                   out.shuffled / (double)queries};
}

static double score_on(const HeadPatterns *found, size_t head, int d)
{
    return head_score_of(&found->heads[head].scores[d], (HeadDetector)d)->difference.value;
}

/* A head made for a detector scores 1 - chance on it. On the others it scores what the definition
 * says, which is 0 wherever the detector depends on the board and the head looks by age; and no
 * more than 0.02 where neither set is part of the other and the game does not tie them. */
static void own_detector_and_no_other(void **state)
{
    HeadGames games;
    HeadPatterns found;
    head_games_fresh(&games, 6, N_GAMES, 3);
    head_score_handmade(&found, &games, N_HEAD_DETECTORS + 1, head_look_at, contexts);
    for (size_t h = 0; h < N_HEAD_DETECTORS; h++) {
        for (int d = 0; d < N_HEAD_SETS; d++) {
            const HeadScore *score = &found.heads[h].scores[d];
            Plain plain = plain_score(&games, (int)h, (HeadDetector)d);
            bool aged = head_detector_kind((HeadDetector)d) == HEAD_AGE;
            double chance = aged ? plain.uniform : plain.shuffled;
            assert_true(fabs(score->share - plain.share) < 1e-5);
            assert_true(fabs(score->uniform - plain.uniform) < 1e-9);
            assert_true(fabs(score_on(&found, h, d) - (plain.share - chance)) < 2e-5);
            if ((size_t)d == h) {
                assert_true(fabs(score->share - 1) < 1e-5);
                assert_true(fabs(score_on(&found, h, d) - (1 - chance)) < 2e-5);
            } else if (!aged && h <= HEAD_PARITY) {
                assert_true(fabs(score_on(&found, h, d)) < 2e-5);
            }
        }
    }
    const int apart[][2] = {{HEAD_RAY, HEAD_MINE},       {HEAD_FLIPPED, HEAD_MINE},
                            {HEAD_NEIGHBOUR, HEAD_MINE}, {HEAD_SQUARE, HEAD_MINE},
                            {HEAD_MINE, HEAD_RAY},       {HEAD_MINE, HEAD_FLIPPED},
                            {HEAD_MINE, HEAD_NEIGHBOUR}, {HEAD_MINE, HEAD_SQUARE},
                            {HEAD_RAY, HEAD_SQUARE},     {HEAD_SQUARE, HEAD_PARITY}};
    for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
        assert_true(fabs(score_on(&found, (size_t)apart[i][0], apart[i][1])) < 0.02);
    }
    for (size_t h = 0; h < N_HEAD_DETECTORS; h++) { /* what games add is the score */
        const HeadScore *mine = &found.heads[h].scores[HEAD_MINE];
        double sums[3] = {0};
        for (size_t g = 0; g < games.n; g++) {
            sums[0] += found.mine[(h * games.n + g) * 2];
            sums[1] += found.mine[(h * games.n + g) * 2 + 1];
            sums[2] += found.mine_queries[g];
        }
        assert_true(fabs(sums[0] / sums[2] - mine->excess.difference.value) < 1e-9);
        assert_true(fabs(sums[1] / sums[2] - mine->beyond.difference.value) < 1e-9);
        assert_true(h != HEAD_MINE || (sums[0] / sums[2] > .4 && sums[1] / sums[2] > 1e-3));
        assert_true(h != HEAD_PARITY || (sums[0] / sums[2] > .4 && fabs(sums[1]) < 1e-3));
    }
    assert_int_equal(found.heads[HEAD_SQUARE].square, FIXED_SQUARE);
    assert_true(fabs(found.heads[HEAD_SQUARE].scores[HEAD_SQUARE].share - 1) < 1e-5);
    assert_true(score_on(&found, HEAD_SQUARE, HEAD_SQUARE) > 0.8);
    assert_int_equal(found.heads[HEAD_RAY].kind, HEAD_RAY);
    assert_int_equal(found.heads[HEAD_PREVIOUS].kind, HEAD_PREVIOUS);
    assert_true(fabs(found.heads[HEAD_PREVIOUS].age.value - 1) < 1e-6);
    assert_true(fabs(found.heads[HEAD_SELF].largest.value - 1) < 1e-6);
    head_patterns_release(&found);
    head_games_release(&games);
}

/* A head that is uniform but for a wobble that has nothing to do with the game scores 0 within its
 * error on every detector: z < 3. So does a head made for a detector that is given the attention of
 * another game (same ages, other squares), on those that depend on the board. */
static void wobble(float *rows, const HeadGames *games, size_t g, const void *context)
{
    Rng rng = rng_at(11, RNG_TEST, g);
    for (size_t i = 0; i < games->T * games->T; i++) {
        rows[i] = (float)(0.5 + rng_uniform(&rng));
    }
}

static HeadGames others; /* drawn apart: a game of the same sample is never the game itself, which
                          * would make the scores -1/n of the true ones */

static void of_another_game(float *rows, const HeadGames *games, size_t g, const void *context)
{
    head_look_at(rows, &others, g, context);
}

static double z_of(const PairedTest *test)
{
    double error = (test->difference.high - test->difference.low) / 3.92;
    assert_true(error > 0);
    return test->difference.value / error;
}

static void chance_scores_nothing(void **state)
{
    HeadGames games;
    HeadPatterns uniform, other, own;
    const void *rays[] = {&kinds[HEAD_RAY], &kinds[HEAD_FLIPPED], &kinds[HEAD_NEIGHBOUR]};
    head_games_fresh(&games, 6, N_GAMES, 5);
    head_games_fresh(&others, 6, N_GAMES, 6);
    head_score_handmade(&uniform, &games, 1, wobble, contexts);
    head_score_handmade(&other, &games, 3, of_another_game, rays);
    head_score_handmade(&own, &games, 3, head_look_at, rays);
    for (int d = 0; d < N_HEAD_SETS; d++) {
        assert_true(fabs(z_of(head_score_of(&uniform.heads[0].scores[d], (HeadDetector)d))) < 3);
    }
    /* Keys that are the same in most games are centred: they add nothing to the error. */
    const HeadScore *mine = &uniform.heads[0].scores[HEAD_MINE];
    assert_true(mine->beyond.difference.high - mine->beyond.difference.low <
                0.5 * (mine->excess.difference.high - mine->excess.difference.low));
    for (int d = HEAD_RAY; d <= HEAD_NEIGHBOUR; d++) {
        const PairedTest *shuffled = &other.heads[d - HEAD_RAY].scores[d].beyond;
        assert_true(fabs(z_of(shuffled)) < 3 && fabs(shuffled->difference.value) < 0.02);
        assert_true(shuffled->p_holm > 0.05);
        assert_true(own.heads[d - HEAD_RAY].scores[d].beyond.difference.value > 0.4);
        assert_true(own.heads[d - HEAD_RAY].scores[d].beyond.p_holm < 0.01);
    }
    head_patterns_release(&uniform);
    head_patterns_release(&other);
    head_patterns_release(&own);
    head_games_release(&others);
    head_games_release(&games);
}

/* ---- kernels ---- */

static void fast_is_plain(void **state)
{
    float pattern[5 * 60], weights[60 * HEAD_LANES], fast[5 * HEAD_LANES];
    double plain[5 * HEAD_LANES];
    Rng rng = rng_at(2, RNG_TEST, 0);
    for (size_t n = 1; n <= 60; n++) {
        for (size_t h = 0; h < 5; h++) {
            double sum = 0;
            for (size_t s = 0; s < 60; s++) {
                pattern[h * 60 + s] = (float)exp(4 * rng_normal(&rng));
                sum += s < n ? (double)pattern[h * 60 + s] : 0;
            }
            for (size_t s = 0; s < 60; s++) {
                pattern[h * 60 + s] /= (float)sum;
            }
            pattern[h * 60] = n % 7 == 0 && h == 0 ? 0 : pattern[h * 60];
        }
        for (size_t i = 0; i < 60 * HEAD_LANES; i++) {
            weights[i] = (float)rng_normal(&rng);
        }
        head_project(fast, pattern, weights, 5, 60, n);
        head_project_ref(plain, pattern, weights, 5, 60, n);
        for (size_t i = 0; i < 5 * HEAD_LANES; i++) {
            assert_true(fabs((double)fast[i] - plain[i]) < 1e-6 * 4);
        }
        for (size_t h = 0; h < 5; h++) {
            HeadShape a = head_shape(pattern + h * 60, n), b = head_shape_ref(pattern + h * 60, n);
            assert_true(fabs(a.entropy - b.entropy) < 1e-5 && a.largest == b.largest);
        }
    }
}

/* Draws that are made once give the test of num/statistics/stats.h. */
static void draws_are_those_of_one_test(void **state)
{
    enum { N = 50 };
    static double values[N * HEAD_COLUMNS], below[N * HEAD_COLUMNS], scratch[3 * PAIRED_REPLICATES];
    double numerator[N], denominator[N], *sums;
    const int at[3] = {2, -1 - 5, 0};
    HeadDraws draws;
    PairedTest tests[3];
    Rng rng = rng_at(8, RNG_TEST, 0);
    for (size_t i = 0; i < N * HEAD_COLUMNS; i++) {
        values[i] = 0.2 + rng_normal(&rng);
        below[i] = 1 + rng_uniform(&rng);
    }
    for (size_t i = 0; i < N; i++) {
        values[i * HEAD_COLUMNS + 5] = 2 + rng_uniform(&rng);
    }
    assert_int_equal(head_draws_make(&draws, N, &(Work){.seed = 9}), 0);
    assert_int_equal(head_draws_below(&sums, &draws, below), 0);
    const HeadRatios ratios = {values, below, sums, at, 3};
    head_draws_test(tests, &draws, &ratios, scratch);
    for (int i = 0; i < 3; i++) {
        for (size_t g = 0; g < N; g++) {
            numerator[g] = values[g * HEAD_COLUMNS + (size_t)i];
            denominator[g] =
                i == 1 ? values[g * HEAD_COLUMNS + 5] : below[g * HEAD_COLUMNS + (size_t)at[i]];
        }
        PairedTest one = bootstrap_paired(numerator, denominator, N, 9);
        assert_true(one.p == tests[i].p && one.p > 0);
        assert_true(fabs(one.difference.value - tests[i].difference.value) < 1e-12);
        assert_true(fabs(one.difference.low - tests[i].difference.low) < 1e-12);
        assert_true(fabs(one.difference.high - tests[i].difference.high) < 1e-12);
    }
    mem_free(sums);
    head_draws_release(&draws);
}

int main(void)
{
    for (size_t i = 0; i <= N_HEAD_DETECTORS; i++) {
        contexts[i] = &kinds[i];
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_what_they_mean),     cmocka_unit_test(own_detector_and_no_other),
        cmocka_unit_test(chance_scores_nothing),       cmocka_unit_test(fast_is_plain),
        cmocka_unit_test(draws_are_those_of_one_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
