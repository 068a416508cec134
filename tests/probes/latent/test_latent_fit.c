/* tests/probes/latent/test_latent_fit.c - pairs by the rules; gradients; planted parity, the
 * planted board behind it, noise. label: slow */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "game/board.h"
#include "num/blas.h"
#include "probes/latent/latent_score.h"

static Pool *pool;
static Work usual; /* two workers, seed 1 */
static LabelledSet sets[3];
static LatentPairs pairs[3];

static int setup(void **state)
{
    static const RngPurpose purposes[] = {RNG_FRESH, RNG_HELDOUT, RNG_EVAL};
    static const size_t games[] = {100, 30, 30};
    int rc = blas_init() || pool_new(&pool, 2);
    usual = (Work){.pool = pool, .seed = 1};
    for (int k = 0; k < 3 && rc == 0; k++) {
        GameSource *source = NULL;
        rc =
            source_fresh(&source, game_variant(6), 1, purposes[k]) ||
            labelled_draw(&sets[k], source, task_find("mine"), LABELS_MOVER, games[k], 0, &usual) ||
            latent_pairs_make(&pairs[k], &sets[k], &usual);
        source_free(source);
    }
    return rc;
}

static int teardown(void **state)
{
    for (int k = 0; k < 3; k++) {
        latent_pairs_release(&pairs[k]);
        labelled_release(&sets[k]);
    }
    pool_free(pool);
    return 0;
}

/* ---- pairs ---- */

/* The boards of a game once more: what the pair keeps are the discs that neither move nor turn. */
static void pairs_are_those_of_the_rules(void **state)
{
    const LabelledSet *set = &sets[0];
    const GameVariant *variant = game_variant(6);
    size_t pair = 0, passes = 0, turned = 0;
    for (size_t g = 0; g < set->set.n_games; g++) {
        const uint8_t *moves = set->set.moves + g * (size_t)variant->n_moves;
        Board board = variant->start;
        for (size_t i = set->set.first[g]; i + 1 < set->set.first[g + 1]; i++) {
            board_play(variant, &board, moves[set->set.t[i]]);
            Board next = board;
            uint64_t flips = board_flips(variant, &board, moves[set->set.t[i] + 1]);
            board_play(variant, &next, moves[set->set.t[i] + 1]);
            if (next.to_move == board.to_move) {
                passes++;
                continue;
            }
            assert_int_equal(pairs[0].first[pair], i);
            assert_int_equal(pairs[0].game[pair], g);
            turned += __builtin_popcountll(flips);
            for (size_t s = 0; s < 36; s++) {
                uint64_t bit = UINT64_C(1) << task_square(variant, (int)s);
                bool kept = ((board.mine | board.theirs) & ~flips & bit) != 0;
                assert_int_equal(latent_keeps(&pairs[0], pair, s), kept);
                if (kept) {
                    assert_int_equal(latent_mine(&pairs[0], pair, s), (board.mine & bit) != 0);
                    assert_true(((next.theirs & bit) != 0) == ((board.mine & bit) != 0));
                }
            }
            pair++;
        }
    }
    assert_int_equal(pair, pairs[0].n);
    assert_int_equal(passes, pairs[0].n_passes);
    assert_true(passes > 20 && turned > pair);
}

/* ---- gradients ---- */

enum { WIDTH = 72 };

static float *rows_of(int split, const LatentPlant *plant)
{
    LatentPlant own = *plant;
    float *x = malloc(sets[split].set.n_positions * WIDTH * sizeof(float));
    own.stream = (uint64_t)split;
    assert_int_equal(latent_planted_width(&sets[split]), WIDTH);
    assert_int_equal(latent_planted_rows(x, &sets[split], &own, 1), 0);
    return x;
}

static const LatentPlant board = {.board = true, .parity = true, .square = -1};
static const LatentPlant noise = {.square = -1};

static void gradients_agree(void **state)
{
    enum { STARTS = 2, SQUARES = 36 };
    size_t Q = STARTS * SQUARES, numbers = (WIDTH + 1) * Q;
    float *x = rows_of(0, &board);
    float *w = malloc(numbers * sizeof(*w)), *fast = malloc(numbers * sizeof(*fast));
    double loss[STARTS * SQUARES], one[WIDTH + 1], plain[WIDTH + 1], scratch[WIDTH + 1];
    LatentScale scale;
    LatentRows rows;
    assert_int_equal(latent_scale_fit(&scale, &pairs[0], &sets[0], x, WIDTH, true), 0);
    assert_int_equal(latent_rows_make(&rows, &scale, &pairs[0], &sets[0], x), 0);
    Rng rng = rng_at(1, RNG_TEST, 0);
    for (size_t i = 0; i < numbers; i++) {
        w[i] = (float)(0.2 * rng_normal(&rng));
    }
    assert_int_equal(latent_ccs_gradient(fast, loss, w, STARTS, &rows, &pairs[0], &usual), 0);
    for (size_t column = 5; column < Q; column += 23) {
        double largest = 0;
        for (size_t c = 0; c <= WIDTH; c++) {
            one[c] = (double)w[c * Q + column];
        }
        double value = latent_ccs_ref(plain, one, column / STARTS, &rows, &pairs[0]);
        assert_true(fabs(value - loss[column]) < 1e-5);
        for (size_t c = 0; c <= WIDTH; c++) {
            assert_true(fabs(plain[c] - (double)fast[c * Q + column]) < 1e-5);
            largest = fmax(largest, fabs(plain[c]));
        }
        assert_true(largest > 1e-3);
        /* Central differences of the plain loss; its kinks at p = q have no jump in the value. */
        for (size_t c = 0; c <= WIDTH; c += 9) {
            double kept = one[c], h = 1e-5;
            one[c] = kept + h;
            double above = latent_ccs_ref(scratch, one, column / STARTS, &rows, &pairs[0]);
            one[c] = kept - h;
            double below = latent_ccs_ref(scratch, one, column / STARTS, &rows, &pairs[0]);
            one[c] = kept;
            assert_true(fabs((above - below) / (2 * h) - plain[c]) < 1e-5);
        }
    }
    latent_rows_release(&rows);
    latent_scale_release(&scale);
    free(x);
    free(w);
    free(fast);
}

/* ---- what is found ---- */

typedef int (*LatentFinder)(LatentFit *out, const LatentRows *rows, const LatentPairs *of,
                            const Work *work);

static int find_ccs(LatentFit *out, const LatentRows *rows, const LatentPairs *of, const Work *work)
{
    return latent_ccs(out, rows, of, &(LatentOptions){2, 100, 0}, work);
}

static int find_labels(LatentFit *out, const LatentRows *rows, const LatentPairs *of,
                       const Work *work)
{
    return latent_supervised(out, rows, of, &(LatentOptions){0, 0, 0}, work);
}

static void find(LatentScore *out, LatentFinder finder, const LatentPlant *plant, bool by_ply)
{
    LatentScale scale;
    LatentRows rows[3];
    LatentFit fit;
    for (int k = 0; k < 3; k++) {
        float *x = rows_of(k, plant);
        if (k == 0) {
            assert_int_equal(latent_scale_fit(&scale, &pairs[0], &sets[0], x, WIDTH, by_ply), 0);
        }
        assert_int_equal(latent_rows_make(&rows[k], &scale, &pairs[k], &sets[k], x), 0);
        free(x);
    }
    assert_int_equal(finder(&fit, &rows[0], &pairs[0], &usual), 0);
    const LatentSplit valid = {&pairs[1], &rows[1]}, test = {&pairs[2], &rows[2]};
    assert_int_equal(latent_score(out, &fit, &valid, &test, &usual), 0);
    latent_fit_release(&fit);
    latent_scale_release(&scale);
    for (int k = 0; k < 3; k++) {
        latent_rows_release(&rows[k]);
    }
}

static void parity_is_found_raw(void **state)
{
    static const LatentFinder finders[] = {find_ccs, latent_crc};
    for (int i = 0; i < 2; i++) {
        LatentScore score;
        find(&score, finders[i], &board, false);
        assert_true(score.parity.low > 0.99);
        assert_int_equal(score.judged, 36);
        assert_int_equal(score.parity_found, 36);
        assert_true(score.accuracy.value < 0.6); /* owners and parity go together a little */
        assert_int_equal(score.found, 0);
        latent_score_release(&score);
    }
}

static void board_is_found_behind_it(void **state)
{
    LatentScore score;
    find(&score, find_ccs, &board, true);
    /* 100 games and 2 starts of 100 steps; with twice the games and 3 of 200 it is all 36. */
    assert_true(score.accuracy.low > LATENT_FOUND);
    assert_true(score.own >= 32 && score.found >= 32);
    for (size_t s = 0; s < 36; s++) { /* read with the sign of the square that is read best */
        assert_true(score.squares[s].best_accuracy > 0.7);
    }
    assert_true(score.parity.value < 0.6);
    latent_score_release(&score);
    find(&score, find_labels, &board, true);
    assert_true(score.accuracy.low > 0.98);
    latent_score_release(&score);
    /* The first component of a whole board mixes squares whose owners go together. */
    find(&score, latent_crc, &board, true);
    assert_true(score.accuracy.value > 0.65);
    latent_score_release(&score);
}

/* One square alone: both find it, and read no other. */
static void one_square_is_found(void **state)
{
    static const LatentFinder finders[] = {find_ccs, latent_crc};
    const LatentPlant one = {.board = true, .parity = true, .square = 14};
    for (int i = 0; i < 2; i++) {
        LatentScore score;
        find(&score, finders[i], &one, true);
        assert_true(score.squares[14].accuracy.low > LATENT_FOUND);
        assert_int_equal(score.squares[14].best, 14);
        assert_true(score.squares[0].accuracy.value < 0.75);
        latent_score_release(&score);
        find(&score, finders[i], &one, false);
        assert_true(score.squares[14].parity > LATENT_FOUND);
        assert_true(score.squares[14].accuracy.value < 0.65);
        latent_score_release(&score);
    }
}

/* The component is read about the mean that it was taken about: scores of the kept pairs add up to
 * 0. Where nothing varies there is no direction. */
static void component_is_centred(void **state)
{
    LatentScale scale;
    LatentRows rows;
    LatentFit fit;
    double away = 0;
    float *x = rows_of(0, &board);
    assert_int_equal(latent_scale_fit(&scale, &pairs[0], &sets[0], x, WIDTH, true), 0);
    assert_int_equal(latent_rows_make(&rows, &scale, &pairs[0], &sets[0], x), 0);
    assert_int_equal(latent_crc(&fit, &rows, &pairs[0], &usual), 0);
    for (size_t s = 0; s < 36; s++) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < rows.n; i++) {
            for (size_t c = 0; c < WIDTH && latent_keeps(&pairs[0], i, s); c++) {
                sum += (double)fit.w[s * WIDTH + c] *
                       (double)(rows.first[i * WIDTH + c] - rows.second[i * WIDTH + c]);
            }
            n += latent_keeps(&pairs[0], i, s);
        }
        assert_true(fabs(sum / n + fit.bias[s]) < 1e-4); /* single precision */
        away = fmax(away, fabs(fit.bias[s]));
    }
    assert_true(away > 0.05);
    latent_fit_release(&fit);
    memset(rows.first, 0, rows.n * WIDTH * sizeof(float));
    memset(rows.second, 0, rows.n * WIDTH * sizeof(float));
    assert_int_equal(latent_crc(&fit, &rows, &pairs[0], &usual), 0);
    for (size_t i = 0; i < 36 * WIDTH; i++) {
        assert_true(fit.w[i] == 0);
    }
    assert_true(isnan(fit.loss[0]) && fit.bias[0] == 0);
    latent_fit_release(&fit);
    latent_rows_release(&rows);
    latent_scale_release(&scale);
    free(x);
}

/* ---- rows by hand: one square, which all pairs keep ---- */

typedef struct Hand {
    LatentPairs pairs;
    LatentRows rows;
} Hand;

/* The difference has a length of 1 along column 0 at every second pair, of `second` along column 1
 * at the others. */
static Hand hand_made(size_t n, float second)
{
    Hand hand = {{.n = n, .n_squares = 1, .n_games = n}, {n, 2, NULL, NULL}};
    hand.pairs.kept = calloc(n, sizeof(uint64_t));
    hand.pairs.mine = calloc(n, sizeof(uint64_t));
    hand.pairs.of_square = calloc(1, sizeof(size_t));
    hand.rows.first = calloc(2 * n, sizeof(float));
    hand.rows.second = calloc(2 * n, sizeof(float));
    hand.pairs.of_square[0] = n;
    for (size_t i = 0; i < n; i++) {
        float sign = i / 2 % 2 ? -1 : 1;
        hand.pairs.kept[i] = 1;
        hand.pairs.mine[i] = i / 2 % 2;
        hand.rows.first[2 * i + i % 2] = sign * (i % 2 ? second : 1);
    }
    return hand;
}

static void hand_free(Hand *hand)
{
    free(hand->pairs.kept);
    free(hand->pairs.mine);
    free(hand->pairs.of_square);
    free(hand->rows.first);
    free(hand->rows.second);
}

/* Powers of a matrix whose two largest eigenvalues differ by 1e-4 of them are not done after 1,000
 * steps; a fit of one round is not either. CCS has no tolerance to meet. */
static void who_stops_early_says_so(void **state)
{
    for (int close = 0; close < 2; close++) {
        LatentFit fit;
        Hand hand = hand_made(400, close ? 0.99995F : 0.5F);
        assert_int_equal(latent_crc(&fit, &hand.rows, &hand.pairs, &usual), 0);
        assert_true(latent_unconverged(&fit) == close);
        latent_fit_release(&fit);
        const LatentOptions options = {1, 3, close};
        assert_int_equal(latent_supervised(&fit, &hand.rows, &hand.pairs, &options, &usual), 0);
        assert_true(latent_unconverged(&fit) == close);
        latent_fit_release(&fit);
        assert_int_equal(latent_ccs(&fit, &hand.rows, &hand.pairs, &options, &usual), 0);
        assert_true(isnan(latent_unconverged(&fit)));
        latent_fit_release(&fit);
        hand_free(&hand);
    }
}

/* Beyond 64 chunks of 512 pairs a chunk has several pieces, none of which may be lost; and its sums
 * take no more memory. */
static void many_pairs_have_few_chunks(void **state)
{
    const size_t n = 3 * 64 * 512 - 700;
    Hand hand = hand_made(n, 2);
    float w[3] = {0.3F, -0.2F, 0.1F}, fast[3];
    double plain[3], exact[3] = {w[0], w[1], w[2]}, loss;
    assert_int_equal(latent_ccs_gradient(fast, &loss, w, 1, &hand.rows, &hand.pairs, &usual), 0);
    assert_true(fabs(latent_ccs_ref(plain, exact, 0, &hand.rows, &hand.pairs) - loss) < 1e-5);
    for (int c = 0; c < 3; c++) {
        assert_true(fabs(plain[c] - (double)fast[c]) < 1e-5); /* single precision */
        assert_true(fabs(plain[c]) > 1e-3);
    }
    hand_free(&hand);
    size_t few = latent_ccs_bytes(1000, 128, 64, 5, WORK_ALONE);
    size_t most = latent_ccs_bytes(64 * 512, 128, 64, 5, WORK_ALONE);
    assert_true(most > few + 60 * 129 * 64 * 5 * sizeof(float));
    assert_int_equal(latent_ccs_bytes(1000 * 64 * 512, 128, 64, 5, WORK_ALONE), most);
}

static void noise_is_one_half(void **state)
{
    static const LatentFinder finders[] = {find_ccs, latent_crc};
    for (int i = 0; i < 2; i++) {
        LatentScore score;
        find(&score, finders[i], &noise, i == 1);
        assert_true(fabs(score.accuracy.value - 0.5) < 0.03);
        assert_true(fabs(score.parity.value - 0.5) < 0.03);
        assert_int_equal(score.found, 0);
        latent_score_release(&score);
    }
}

static void majority_and_workers(void **state)
{
    Interval majority;
    LatentScore one, two;
    assert_int_equal(latent_majority(&majority, &pairs[0], &pairs[2], &usual), 0);
    assert_true(majority.low > 0.49 && majority.high < 0.6);
    find(&one, find_ccs, &board, true);
    Work kept = usual;
    usual.pool = NULL;
    find(&two, find_ccs, &board, true);
    usual = kept;
    for (size_t s = 0; s < 36; s++) {
        assert_memory_equal(&one.squares[s].loss, &two.squares[s].loss, sizeof(double));
        assert_memory_equal(&one.squares[s].accuracy, &two.squares[s].accuracy, sizeof(Interval));
        assert_true(one.squares[s].loss > 0 && one.squares[s].loss < 0.1);
    }
    latent_score_release(&one);
    latent_score_release(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_those_of_the_rules),
        cmocka_unit_test(gradients_agree),
        cmocka_unit_test(parity_is_found_raw),
        cmocka_unit_test(board_is_found_behind_it),
        cmocka_unit_test(one_square_is_found),
        cmocka_unit_test(noise_is_one_half),
        cmocka_unit_test(component_is_centred),
        cmocka_unit_test(majority_and_workers),
        cmocka_unit_test(who_stops_early_says_so),
        cmocka_unit_test(many_pairs_have_few_chunks),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
