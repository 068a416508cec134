/* tests/game/test_rules_equal.c - the fast rules and the reference agree at every ply. label: slow
 * Game i is played under symmetry i mod 8; 100,000 games a size, 2,000 under sanitizers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/pool.h"
#include "base/rng.h"
#include "game/play.h"
#include "game/rules_ref.h"

#define JOB_GAMES 250
#define SEED 11

/* Three sizes by the two rules of play; iago plays as classic. */
#define N_PLAYED 6
static const GameVariant *variant_played(int i)
{
    return game_variant_with(4 + i % 3 * 2, (GameRules)(i / 3));
}

/* The functions under test, so that broken twins can replace them. */
typedef struct Rules {
    uint64_t (*moves)(const GameVariant *variant, const Board *board);
    PlayResult (*play)(const GameVariant *variant, Board *board, int sq);
} Rules;

static const Rules FAST = {board_moves, board_play};

static Board board_under_symmetry(const GameVariant *variant, const Board *board, int s)
{
    return (Board){.mine = symmetry_mask(variant, s, board->mine),
                   .theirs = symmetry_mask(variant, s, board->theirs),
                   .to_move = board->to_move};
}

/* Play random game `index` under symmetry s by the rules under test and by the reference.
 * Returns NULL, or what differed first: discs and mover, legal moves, the legal moves of the
 * same game without the symmetry, or the end of the game. */
static const char *compare_game(const Rules *rules, const GameVariant *variant, uint64_t index,
                                int s)
{
    uint8_t moves[GAME_MAX_MOVES];
    const int n = play_random(moves, variant, SEED, RNG_TEST, index);
    Board plain = variant->start;
    Board fast = board_under_symmetry(variant, &plain, s);
    RefBoard ref;
    ref_from_board(&ref, variant, &fast);
    bool over = false;
    for (int t = 0; t < n; t++) {
        const uint64_t legal = rules->moves(variant, &fast);
        if (legal != ref_moves_mask(&ref, ref.to_move)) {
            return "legal moves";
        }
        if (legal != symmetry_mask(variant, s, rules->moves(variant, &plain))) {
            return "symmetry";
        }
        const int sq = symmetry_sq(variant, s, moves[t]);
        const PlayResult result = rules->play(variant, &fast, sq);
        rules->play(variant, &plain, moves[t]);
        over = !ref_play(&ref, sq / 8, sq % 8);
        const Board expected = ref_to_board(&ref);
        if (!board_same(&expected, &fast)) {
            return "discs or mover";
        }
        if (over != (result == PLAY_GAME_OVER) || over != board_is_over(variant, &fast)) {
            return "end of the game";
        }
    }
    return over ? NULL : "a game that stops before its end";
}

typedef struct Comparison {
    const GameVariant *variant;
} Comparison;

static int compare_job(void *context, size_t job, size_t worker)
{
    const Comparison *comparison = context;
    for (uint64_t i = job * JOB_GAMES; i < (job + 1) * JOB_GAMES; i++) {
        const char *difference = compare_game(&FAST, comparison->variant, i, (int)(i % 8));
        if (difference) {
            return err_set(OGPT_ENEGATIVE, "variant %d, game %llu: different %s",
                           comparison->variant->number, (unsigned long long)i, difference);
        }
    }
    return 0;
}

static bool is_sanitized(void)
{
    const char *value = getenv("OGPT_SANITIZED");
    return value && strcmp(value, "1") == 0;
}

static void every_ply_agrees(void **state)
{
    const size_t n_games = is_sanitized() ? 500 : getenv("OGPT_FAULTS_FULL") ? 100000 : 20000;
    Pool *pool = NULL;
    assert_int_equal(pool_new(&pool, pool_cores()), 0);
    for (int i = 0; i < N_PLAYED; i++) {
        Comparison comparison = {variant_played(i)};
        const int rc = pool_run(pool, n_games / JOB_GAMES, compare_job, &comparison);
        if (rc != 0) {
            print_error("%s\n", err_message());
        }
        assert_int_equal(rc, 0);
    }
    pool_free(pool);
}

/* Random discs anywhere: runs along every edge and into every corner, which games rarely make.
 * All empty squares are tried, legal or not. */
static void random_boards_agree(void **state)
{
    const int n_boards = is_sanitized() ? 100 : getenv("OGPT_FAULTS_FULL") ? 5000 : 1500;
    for (int v = 0; v < N_PLAYED; v++) {
        const GameVariant *variant = variant_played(v);
        for (int i = 0; i < n_boards; i++) {
            Rng rng = rng_at(SEED, RNG_TEST, (uint64_t)i);
            const uint64_t empty = rng_u64(&rng) & (i % 2 == 0 ? rng_u64(&rng) : UINT64_MAX);
            const uint64_t owner = rng_u64(&rng) | (i % 3 == 0 ? rng_u64(&rng) : 0);
            const uint64_t discs = variant->squares & ~empty;
            const Board board =
                board_from_discs(discs & owner, discs & ~owner, i % 4 < 2 ? BLACK : WHITE);
            RefBoard ref;
            ref_from_board(&ref, variant, &board);
            assert_int_equal(board_moves(variant, &board), ref_moves_mask(&ref, ref.to_move));
            for (uint64_t rest = variant->squares & empty; rest != 0; rest &= rest - 1) {
                const int sq = __builtin_ctzll(rest);
                const uint64_t flips = board_flips(variant, &board, sq);
                const bool legal = ref_is_legal(&ref, ref.to_move, sq / 8, sq % 8);
                assert_int_equal(flips != 0, legal);
                if (legal) {
                    RefBoard next = ref;
                    ref_play(&next, sq / 8, sq % 8);
                    const Board after = ref_to_board(&next);
                    const uint64_t mine = board_discs(&after, board.to_move);
                    assert_int_equal(mine & ~board.mine & ~(1ULL << sq), flips);
                }
            }
        }
    }
}

/* Negative twins: each replaces the fast rules and must be caught. */

/* Nothing is outflanked towards the lower left. */
static uint64_t moves_seven_directions(const GameVariant *variant, const Board *board)
{
    uint64_t legal = 0;
    for (uint64_t rest = board_moves(variant, board); rest != 0; rest &= rest - 1) {
        const int sq = __builtin_ctzll(rest);
        uint64_t line = 0; /* squares below and to the left of sq */
        for (int row = sq / 8 - 1, column = sq % 8 - 1; row >= 0 && column >= 0; row--, column--) {
            line |= 1ULL << (8 * row + column);
        }
        if (board_flips(variant, board, sq) & ~line) {
            legal |= 1ULL << sq;
        }
    }
    return legal;
}

/* One disc changes its colour after the eighth move. */
static PlayResult play_one_bit_wrong(const GameVariant *variant, Board *board, int sq)
{
    const PlayResult result = board_play(variant, board, sq);
    if (__builtin_popcountll(board->mine | board->theirs) == 12) {
        const uint64_t disc = board->theirs & -board->theirs;
        board->theirs ^= disc;
        board->mine ^= disc;
    }
    return result;
}

/* All discs of a run turn, though by RULES_NO_MID_FLIP only its ends do; on the other rules it is
 * the ends alone that turn, though all should. */
static PlayResult play_other_flips(const GameVariant *variant, Board *board, int sq)
{
    const GameRules other = variant->rules == RULES_NO_MID_FLIP ? RULES_CLASSIC : RULES_NO_MID_FLIP;
    return board_play(game_variant_with(variant->size, other), board, sq);
}

static PlayResult play_without_passes(const GameVariant *variant, Board *board, int sq)
{
    const PlayResult result = board_play(variant, board, sq);
    if (result == PLAY_OPPONENT_PASSES) {
        *board = board_swapped(board);
    }
    return result;
}

static PlayResult play_never_over(const GameVariant *variant, Board *board, int sq)
{
    const PlayResult result = board_play(variant, board, sq);
    return result == PLAY_GAME_OVER ? PLAY_ALTERNATES : result;
}

static void broken_rules_are_caught(void **state)
{
    static const struct {
        Rules rules;
        const char *difference;
    } twins[] = {
        {{moves_seven_directions, board_play}, "legal moves"},
        {{board_moves, play_one_bit_wrong}, "discs or mover"},
        {{board_moves, play_without_passes}, "discs or mover"},
        {{board_moves, play_never_over}, "end of the game"},
    };
    for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++) {
        for (int size = 4; size <= 8; size += 2) {
            const char *difference = NULL;
            for (uint64_t game = 0; game < 200 && !difference; game++) {
                difference = compare_game(&twins[i].rules, game_variant(size), game, 0);
            }
            assert_non_null(difference);
            assert_string_equal(difference, twins[i].difference);
        }
    }
}

/* On 4x4 a closed run has two discs at most, so there both rules are one. */
static void the_other_rules_are_caught(void **state)
{
    const Rules swapped = {board_moves, play_other_flips};
    for (int v = 0; v < N_PLAYED; v++) {
        const char *difference = NULL;
        for (uint64_t game = 0; game < 200 && !difference; game++) {
            difference = compare_game(&swapped, variant_played(v), game, 0);
        }
        if (variant_played(v)->size == 4) {
            assert_null(difference);
        } else {
            assert_string_equal(difference, "discs or mover");
        }
    }
}

static void symmetries_are_eight_and_invert(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        uint64_t images[8];
        for (int s = 0; s < 8; s++) {
            /* b1 and c2 together look different under each symmetry. */
            images[s] = symmetry_mask(variant, s, 1ULL << 1 | 1ULL << 10);
            for (int other = 0; other < s; other++) {
                assert_int_not_equal(images[s], images[other]);
            }
            assert_int_equal(symmetry_mask(variant, s, variant->squares), variant->squares);
            for (uint64_t rest = variant->squares; rest != 0; rest &= rest - 1) {
                const int sq = __builtin_ctzll(rest);
                const int there = symmetry_sq(variant, s, sq);
                assert_int_equal(symmetry_sq(variant, symmetry_inverse(s), there), sq);
            }
        }
        assert_int_equal(symmetry_sq(variant, 1, 0), size - 1);       /* a1 mirrors to h1 */
        assert_int_equal(symmetry_sq(variant, 2, 0), 8 * (size - 1)); /* to a8 */
        assert_int_equal(symmetry_sq(variant, 4, 1), 8);              /* b1 transposes to a2 */
        assert_int_equal(symmetry_sq(variant, 5, 1), 8 + size - 1);   /* then mirrors to h2 */
    }
}

static void variants_are_as_announced(void **state)
{
    for (int size = -1; size <= 10; size++) {
        const GameVariant *variant = game_variant(size);
        if (size != 4 && size != 6 && size != 8) {
            assert_null(variant);
            continue;
        }
        assert_int_equal(variant->size, size);
        assert_int_equal(variant->n_moves, size * size - 4);
        assert_int_equal(__builtin_popcountll(variant->squares), size * size);
        assert_int_equal(variant->centre, variant->start.mine | variant->start.theirs);
        RefBoard ref;
        ref_start(&ref, size);
        const Board start = ref_to_board(&ref);
        assert_true(board_same(&start, &variant->start));
    }
}

static void rules_have_names_and_numbers(void **state)
{
    static const char *const names[N_GAME_RULES] = {"classic", "no-mid-flip", "iago"};
    GameRules found = RULES_CLASSIC;
    for (int rules = 0; rules < N_GAME_RULES; rules++) {
        assert_string_equal(game_rules_name((GameRules)rules), names[rules]);
        assert_true(game_rules_parse(&found, names[rules]));
        assert_int_equal(found, rules);
        for (int size = 4; size <= 8; size += 2) {
            const GameVariant *variant = game_variant_with(size, (GameRules)rules);
            assert_int_equal(variant->rules, rules);
            assert_int_equal(variant->number, size + 100 * rules);
            assert_ptr_equal(game_variant_numbered(variant->number), variant);
            assert_ptr_equal(game_variant_played(variant),
                             rules == RULES_IAGO ? game_variant(size) : variant);
        }
        assert_null(game_variant_with(5, (GameRules)rules));
    }
    assert_false(game_rules_parse(&found, "Classic"));
    static const int none[] = {-96, -1, 0, 10, 100, 102, 110, 304, 1008};
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        assert_null(game_variant_numbered(none[i]));
    }
    for (int size = 4; size <= 8; size += 2) {
        assert_ptr_equal(game_variant(size), game_variant_with(size, RULES_CLASSIC));
    }
}

static void replay_stops_at_the_first_illegal_move(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        uint8_t moves[GAME_MAX_MOVES];
        Board after[GAME_MAX_MOVES];
        const int n = play_random(moves, variant, SEED, RNG_TEST, 5);
        assert_int_equal(game_length(moves, variant->n_moves), n);
        assert_int_equal(game_replay(variant, moves, n, after), n);
        assert_true(board_is_over(variant, &after[n - 1]));
        assert_int_equal(game_replay(variant, moves, 5, after), 5);
        const uint8_t bad[] = {moves[0], __builtin_ctzll(variant->centre), 64, 200, SQ_NONE};
        for (size_t i = 0; i < sizeof(bad); i++) {
            const uint8_t kept = moves[4];
            moves[4] = bad[i];
            assert_int_equal(game_replay(variant, moves, n, after), 4);
            moves[4] = kept;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ply_agrees),
        cmocka_unit_test(random_boards_agree),
        cmocka_unit_test(broken_rules_are_caught),
        cmocka_unit_test(the_other_rules_are_caught),
        cmocka_unit_test(rules_have_names_and_numbers),
        cmocka_unit_test(symmetries_are_eight_and_invert),
        cmocka_unit_test(variants_are_as_announced),
        cmocka_unit_test(replay_stops_at_the_first_illegal_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
