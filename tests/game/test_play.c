/* tests/game/test_play.c - random games: a pure function of (seed, purpose, index), uniform over
 * the legal moves, with the statistics that were measured independently. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "game/notation.h"
#include "game/play.h"

#define SEED 1
#define N_GAMES 30000
#define N_GAMES_REFERENCE 300000 /* behind the published figures */

static void the_bit_of_a_rank_is_found(void **state)
{
    for (uint64_t i = 0; i < 2000; i++) {
        Rng rng = rng_at(SEED, RNG_TEST, i);
        uint64_t mask = rng_u64(&rng) & (i % 2 == 0 ? rng_u64(&rng) : UINT64_MAX);
        mask |= i % 3 == 0 ? 1ULL << 63 | 1 : 1;
        int r = 0;
        for (int bit = 0; bit < 64; bit++) {
            if (mask >> bit & 1) {
                assert_int_equal(mask_select(mask, r), bit);
                assert_int_equal(mask_select_ref(mask, r), bit);
                r++;
            }
        }
    }
}

/* The first games of seed 1 never change: if they do, GENERATOR_VERSION must change too. */
static void games_never_change(void **state)
{
    static const struct {
        int size;
        const char *text;
    } golden[] = {
        {8, "d3 c3 b3 e3 f5 a3 d2 e1 b2 d6 b4 e6 c2 g4 f6 c5 b5 f4 d1 c6 f2 g3 d7 c7 c8 f3 h4 b6 "
            "g6 b1 b7 g5 h6 h7 a6 a8 h8 e7 b8 a7 f8 f7 a1 e2 f1 h5 a5 a4 c4 g2 h1 c1 h2 h3 g8 g7 "
            "g1 d8 a2 e8"},
        {6, "c2 b2 a2 d2 e4 e3 e2 c1 b3 c5 b4 f4 b1 a4 d5 e5 b5 f2 d1 a6 f3 e1 e6 a5 f6 a3 b6 c6 "
            "d6 a1 f5 f1"},
        {4, "b1 a1 a2 c1 d2 d3 b4 a3 d4"},
    };
    for (size_t i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
        uint8_t moves[GAME_MAX_MOVES];
        char text[3 * GAME_MAX_MOVES];
        const int n = play_random(moves, game_variant(golden[i].size), 1, RNG_GENERATE, 0);
        moves_print(text, moves, n);
        assert_string_equal(text, golden[i].text);
    }
}

static void games_depend_on_seed_purpose_and_index_alone(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        const size_t stride = (size_t)variant->n_moves;
        int equal[3] = {0, 0, 0};
        for (uint64_t i = 0; i < 100; i++) {
            uint8_t first[GAME_MAX_MOVES];
            uint8_t again[GAME_MAX_MOVES];
            memset(again, 7, sizeof(again));
            const int n = play_random(first, variant, SEED, RNG_GENERATE, i);
            play_random(again, variant, SEED, RNG_GENERATE, 99 - i);
            assert_int_equal(play_random(again, variant, SEED, RNG_GENERATE, i), n);
            assert_memory_equal(first, again, stride);
            play_random(again, variant, SEED + 1, RNG_GENERATE, i);
            equal[0] += memcmp(first, again, stride) == 0;
            play_random(again, variant, SEED, RNG_FRESH, i);
            equal[1] += memcmp(first, again, stride) == 0;
            play_random(again, variant, SEED, RNG_GENERATE, i + 1);
            equal[2] += memcmp(first, again, stride) == 0;
        }
        for (int k = 0; k < 3; k++) {
            /* 4x4 has 60,060 games: two are the same by chance about once in a thousand. */
            assert_in_range(equal[k], 0, 2);
        }
    }
}

static void games_are_legal_and_complete(void **state)
{
    for (int v = 0; v < 3 * N_GAME_RULES; v++) {
        const GameVariant *variant = game_variant_with(4 + v % 3 * 2, (GameRules)(v / 3));
        for (uint64_t i = 0; i < 500; i++) {
            uint8_t moves[GAME_MAX_MOVES];
            Board after[GAME_MAX_MOVES];
            const int n = play_random(moves, variant, SEED, RNG_GENERATE, i);
            assert_int_equal(game_replay(variant, moves, n, after), n);
            assert_true(board_is_over(variant, &after[n - 1]));
            for (int t = n; t < variant->n_moves; t++) {
                assert_int_equal(moves[t], SQ_NONE);
            }
        }
    }
}

/* Iago plays the games of classic; no-mid-flip leaves them where a run of three is closed, and its
 * games are not legal in the classic game. */
static void the_rules_decide_the_games(void **state)
{
    for (int size = 6; size <= 8; size += 2) {
        const GameVariant *classic = game_variant(size);
        const GameVariant *ends = game_variant_with(size, RULES_NO_MID_FLIP);
        const GameVariant *iago = game_variant_with(size, RULES_IAGO);
        int n_other = 0, n_illegal = 0;
        for (uint64_t i = 0; i < 200; i++) {
            uint8_t moves[GAME_MAX_MOVES];
            uint8_t others[GAME_MAX_MOVES];
            Board after[GAME_MAX_MOVES];
            const size_t stride = (size_t)classic->n_moves;
            play_random(moves, classic, SEED, RNG_TEST, i);
            play_random(others, iago, SEED, RNG_TEST, i);
            assert_memory_equal(moves, others, stride);
            const int n = play_random(others, ends, SEED, RNG_TEST, i);
            n_other += memcmp(moves, others, stride) != 0;
            n_illegal += game_replay(classic, others, n, after) < n;
        }
        /* Found in 200 games: 165 others and 122 illegal on 6x6, where long runs are rarer; 200 and
         * 189 on 8x8. Half of that shows that the rules differ. */
        assert_true(n_other > 80 && n_illegal > 60);
    }
}

/* A player of games for the statistics below. */
typedef int (*GamePlayer)(uint8_t *moves, const GameVariant *variant, uint64_t index);

static int uniform_player(uint8_t *moves, const GameVariant *variant, uint64_t index)
{
    return play_random(moves, variant, SEED, RNG_GENERATE, index);
}

/* The negative twin: of two draws the lower square is played. */
static int biased_player(uint8_t *moves, const GameVariant *variant, uint64_t index)
{
    Rng rng = rng_at(SEED, RNG_TEST, index);
    Board board = variant->start;
    PlayResult result = PLAY_ALTERNATES;
    int n = 0;
    while (result != PLAY_GAME_OVER) {
        const uint64_t legal = board_moves(variant, &board);
        const uint32_t count = (uint32_t)__builtin_popcountll(legal);
        const uint32_t one = rng_below(&rng, count);
        const uint32_t two = rng_below(&rng, count);
        moves[n] = (uint8_t)mask_select_ref(legal, (int)(one < two ? one : two));
        result = board_play(variant, &board, moves[n]);
        n++;
    }
    return n;
}

/* A ratio of two sums over games, sum(a) / sum(b), with what its standard error needs. */
typedef struct Ratio {
    double a, b, aa, ab, bb;
} Ratio;

static void ratio_add(Ratio *ratio, double a, double b)
{
    ratio->a += a;
    ratio->b += b;
    ratio->aa += a * a;
    ratio->ab += a * b;
    ratio->bb += b * b;
}

/* Standard error of the ratio when games (not positions) are independent: the linearised
 * variance sum (a_i - r b_i)^2 / (sum b)^2. */
static double ratio_error(const Ratio *ratio)
{
    const double r = ratio->a / ratio->b;
    return sqrt(ratio->aa - 2.0 * r * ratio->ab + r * r * ratio->bb) / ratio->b;
}

enum { FULL_LENGTH, WITH_PASS, PARITY_WRONG, LEGAL, LEGAL_EITHER, FLOOR, N_STATISTICS };

/* Positions are those a network predicts: before moves 2..n. */
static void add_game(Ratio *statistics, const GameVariant *variant, const uint8_t *moves, int n)
{
    Board board = variant->start;
    double parity_wrong = 0;
    double legal = 0;
    double either = 0;
    double floor_sum = 0;
    int passes = 0;
    for (int t = 0; t < n; t++) {
        if (t > 0) {
            const Board other = board_swapped(&board);
            const uint64_t mine = board_moves(variant, &board);
            const double count = __builtin_popcountll(mine);
            legal += count;
            either += __builtin_popcountll(mine | board_moves(variant, &other));
            floor_sum += log(count);
            parity_wrong += board.to_move != (t % 2 == 0 ? BLACK : WHITE);
        }
        passes += board_play(variant, &board, moves[t]) == PLAY_OPPONENT_PASSES;
    }
    const double positions = n - 1;
    ratio_add(&statistics[FULL_LENGTH], n == variant->n_moves, 1);
    ratio_add(&statistics[WITH_PASS], passes > 0, 1);
    ratio_add(&statistics[PARITY_WRONG], parity_wrong, positions);
    ratio_add(&statistics[LEGAL], legal, positions);
    ratio_add(&statistics[LEGAL_EITHER], either, positions);
    ratio_add(&statistics[FLOOR], floor_sum, positions);
}

/* Number of statistics of the player's games that lie outside their tolerance. */
static int count_differences(GamePlayer player, bool report)
{
    static const struct {
        const char *name;
        double published;
        double rounding; /* half of the last digit printed */
    } expected[N_STATISTICS] = {
        [FULL_LENGTH] = {"games of full length", 0.990, 0.0005},
        [WITH_PASS] = {"games with a pass", 0.344, 0.0005},
        [PARITY_WRONG] = {"positions where ply parity is not the mover", 0.0117, 0.00005},
        [LEGAL] = {"mean legal moves", 8.61, 0.005},
        [LEGAL_EITHER] = {"mean moves legal for either side", 14.28, 0.005},
        [FLOOR] = {"mean ln(legal moves)", 2.010, 0.0005},
    };
    Ratio statistics[N_STATISTICS] = {{0}};
    const GameVariant *variant = game_variant(8);
    for (uint64_t i = 0; i < N_GAMES; i++) {
        uint8_t moves[GAME_MAX_MOVES];
        const int n = player(moves, variant, i);
        add_game(statistics, variant, moves, n);
    }
    int differences = 0;
    for (int k = 0; k < N_STATISTICS; k++) {
        const double found = statistics[k].a / statistics[k].b;
        /* Four standard errors of the difference between our games and the ten times as many
         * behind the published figure (one false alarm in 15,000), and its rounding. */
        const double error = ratio_error(&statistics[k]);
        const double both = error * sqrt(1.0 + (double)N_GAMES / N_GAMES_REFERENCE);
        const double tolerance = 4.0 * both + expected[k].rounding;
        if (fabs(found - expected[k].published) > tolerance) {
            differences++;
            if (report) {
                print_error("%s: expected %g +- %g, found %g\n", expected[k].name,
                            expected[k].published, tolerance, found);
            }
        }
    }
    return differences;
}

static void statistics_match_independent_measurements(void **state)
{
    assert_int_equal(count_differences(uniform_player, true), 0);
}

static void a_biased_player_is_seen(void **state)
{
    assert_in_range(count_differences(biased_player, false), 1, N_STATISTICS);
}

/* Chi-square of the choice among the four first moves: with 3 degrees of freedom it is above
 * 21.1 once in 10,000. */
static double first_move_chi_square(GamePlayer player)
{
    double count[BOARD_SQUARES] = {0};
    const GameVariant *variant = game_variant(8);
    const int n = 4000;
    for (int i = 0; i < n; i++) {
        uint8_t moves[GAME_MAX_MOVES];
        player(moves, variant, (uint64_t)i);
        count[moves[0]]++;
    }
    double chi_square = 0;
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        if (board_moves(variant, &variant->start) >> sq & 1) {
            const double expected = n / 4.0;
            chi_square += (count[sq] - expected) * (count[sq] - expected) / expected;
        }
    }
    return chi_square;
}

static void the_first_move_is_uniform(void **state)
{
    assert_true(first_move_chi_square(uniform_player) < 21.1);
    assert_true(first_move_chi_square(biased_player) > 21.1);
}

/* Sixteen games side by side are the games one by one: every size, fewer games than lanes, and as
 * many that each lane plays several. */
static void games_side_by_side_are_the_same(void **state)
{
    static const size_t counts[] = {0, 1, 7, 8, 9, 15, 16, 17, 1000};
    static uint8_t moves[1001 * GAME_MAX_MOVES];
    for (int v = 0; v < 3 * N_GAME_RULES; v++) {
        const GameVariant *variant = game_variant_with(4 + v % 3 * 2, (GameRules)(v / 3));
        const size_t stride = (size_t)variant->n_moves;
        for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
            const uint64_t first = UINT32_MAX - 3; /* indices on both sides of 2^32 */
            memset(moves, 7, sizeof(moves));
            play_random_games(moves, variant, SEED, RNG_TEST, first, counts[c]);
            for (size_t i = 0; i < counts[c]; i++) {
                uint8_t alone[GAME_MAX_MOVES];
                play_random(alone, variant, SEED, RNG_TEST, first + i);
                assert_memory_equal(moves + i * stride, alone, stride);
            }
            assert_int_equal(moves[counts[c] * stride], 7); /* nothing is written behind them */
        }
    }
}

/* The negative twin of the above: another purpose gives other games. */
static void games_side_by_side_depend_on_the_purpose(void **state)
{
    uint8_t moves[8 * GAME_MAX_MOVES];
    uint8_t others[8 * GAME_MAX_MOVES];
    play_random_games(moves, game_variant(8), SEED, RNG_GENERATE, 0, 8);
    play_random_games(others, game_variant(8), SEED, RNG_FRESH, 0, 8);
    for (int i = 0; i < 8; i++) {
        assert_memory_not_equal(moves + (size_t)i * 60, others + (size_t)i * 60, 60);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bit_of_a_rank_is_found),
        cmocka_unit_test(games_never_change),
        cmocka_unit_test(games_depend_on_seed_purpose_and_index_alone),
        cmocka_unit_test(games_are_legal_and_complete),
        cmocka_unit_test(the_rules_decide_the_games),
        cmocka_unit_test(statistics_match_independent_measurements),
        cmocka_unit_test(a_biased_player_is_seen),
        cmocka_unit_test(the_first_move_is_uniform),
        cmocka_unit_test(games_side_by_side_are_the_same),
        cmocka_unit_test(games_side_by_side_depend_on_the_purpose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
