/* tests/game/test_canonical.c - the canonical form of a game: the fast one equals the plain one,
 * all images of a game have the same, and it is a legal game. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "game/canonical.h"
#include "game/notation.h"
#include "game/play.h"

#define SEED 1
#define N_GAMES 2000

static void image_of(uint8_t *out, const uint8_t *moves, const GameVariant *variant, int s)
{
    for (int t = 0; t < variant->n_moves; t++) {
        out[t] = moves[t] == SQ_NONE ? SQ_NONE : (uint8_t)symmetry_sq(variant, s, moves[t]);
    }
}

static void four_symmetries_keep_the_start(void **state)
{
    static const int sizes[] = {4, 6, 8};
    for (size_t i = 0; i < 3; i++) {
        int symmetries[4];
        game_symmetries(symmetries, game_variant(sizes[i]));
        assert_int_equal(symmetries[0], 0);
        assert_int_equal(symmetries[1], 3); /* half turn */
        assert_int_equal(symmetries[2], SYMMETRY_TRANSPOSE);
        assert_int_equal(symmetries[3], SYMMETRY_TRANSPOSE | 3);
    }
}

/* Both forms of a game, which must agree; returns the symmetry. */
static int canonical(uint8_t *out, const uint8_t *moves, const GameVariant *variant)
{
    uint8_t plain[GAME_MAX_MOVES];
    const size_t n = (size_t)variant->n_moves;
    memset(out, 77, n);
    const int fast = game_canonical(out, moves, variant);
    assert_int_equal(fast, game_canonical_ref(plain, moves, variant));
    assert_memory_equal(out, plain, n);
    image_of(plain, moves, variant, fast);
    assert_memory_equal(out, plain, n);
    return fast;
}

static void all_images_have_one_form(void **state)
{
    static const int sizes[] = {4, 6, 8};
    for (size_t i = 0; i < 3; i++) {
        const GameVariant *variant = game_variant(sizes[i]);
        const size_t n = (size_t)variant->n_moves;
        int symmetries[4], used[8] = {0};
        game_symmetries(symmetries, variant);
        for (uint64_t game = 0; game < N_GAMES; game++) {
            uint8_t moves[GAME_MAX_MOVES], form[GAME_MAX_MOVES];
            Board after[GAME_MAX_MOVES];
            const int length = play_random(moves, variant, SEED, RNG_TEST, game);
            used[canonical(form, moves, variant)]++;
            assert_int_equal(game_length(form, variant->n_moves), length);
            assert_int_equal(game_replay(variant, form, length, after), length);
            for (int k = 1; k < 4; k++) {
                uint8_t image[GAME_MAX_MOVES], other[GAME_MAX_MOVES];
                image_of(image, moves, variant, symmetries[k]);
                canonical(other, image, variant);
                assert_memory_equal(other, form, n);
            }
            /* Negative twin: a mirror that exchanges the colours gives no image of the game. */
            uint8_t image[GAME_MAX_MOVES];
            image_of(image, moves, variant, 1);
            assert_int_equal(game_replay(variant, image, length, after), 0);
        }
        for (int k = 0; k < 4; k++) { /* each symmetry leads a quarter of the games home */
            assert_true(used[symmetries[k]] > N_GAMES / 5);
            assert_true(used[symmetries[k]] < N_GAMES * 3 / 10);
        }
    }
}

static void known_games_have_their_form(void **state)
{
    static const char *const openings[] = {"d3 c3", "c4 c3", "f5 f6", "e6 f6"};
    const GameVariant *variant = game_variant(8);
    for (size_t i = 0; i < 4; i++) {
        uint8_t moves[GAME_MAX_MOVES], form[GAME_MAX_MOVES];
        char text[3 * GAME_MAX_MOVES], found[3 * GAME_MAX_MOVES];
        memset(moves, SQ_NONE, sizeof(moves));
        for (int t = 0; t < 2; t++) {
            const char name[3] = {openings[i][3 * t], openings[i][3 * t + 1], '\0'};
            moves[t] = (uint8_t)square_parse(variant, name);
        }
        canonical(form, moves, variant);
        moves_print(text, moves, 2);
        moves_print(found, form, 2);
        assert_string_equal(text, openings[i]);
        assert_string_equal(found, "d3 c3");
        assert_int_equal(form[2], SQ_NONE);
    }
}

/* A file may hold any squares: also games that no rule allows have one form. */
static void moves_need_not_be_legal(void **state)
{
    static const int sizes[] = {4, 6, 8};
    for (size_t i = 0; i < 3; i++) {
        const GameVariant *variant = game_variant(sizes[i]);
        uint8_t moves[GAME_MAX_MOVES], form[GAME_MAX_MOVES];
        memset(moves, SQ_NONE, sizeof(moves));
        assert_int_equal(canonical(form, moves, variant), 0); /* no move at all */
        assert_int_equal(form[0], SQ_NONE);
        for (uint64_t game = 0; game < N_GAMES; game++) {
            Rng rng = rng_at(SEED, RNG_TEST, game);
            const uint32_t kinds = game % 2 == 0 ? 3 : (uint32_t)variant->size;
            for (int t = 0; t < variant->n_moves; t++) { /* few squares: many ties */
                const uint32_t row = rng_below(&rng, kinds), column = rng_below(&rng, kinds);
                moves[t] = rng_below(&rng, 8) == 0 ? SQ_NONE : (uint8_t)(8 * row + column);
            }
            canonical(form, moves, variant);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_symmetries_keep_the_start),
        cmocka_unit_test(all_images_have_one_form),
        cmocka_unit_test(known_games_have_their_form),
        cmocka_unit_test(moves_need_not_be_legal),
    };
    return cmocka_run_group_tests_name("canonical", tests, NULL, NULL);
}
