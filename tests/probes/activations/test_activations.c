/* tests/probes/activations/test_activations.c - drawn positions; captured rows compared with a
 * direct forward pass; the same rows at any number of workers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/process.h"
#include "tests/probes/probe_fixture.h"
#include "probes/activations/activations.h"

enum { N_GAMES = 40, PLIES = 5, WIDTH = 24, N_LAYERS = 4 };
static const int layers[N_LAYERS] = {LAYER_EMBED, 0, 1, 2};

static ProbeFixture fixture;

static void draw(PositionSet *out, unsigned split_mask, size_t n_games, int plies, uint64_t seed)
{
    GameSource *source = NULL;
    assert_int_equal(source_corpus(&source, fixture.corpus, split_mask, false, seed), 0);
    assert_int_equal(positions_draw(out, source, n_games, plies, &(Work){.seed = seed}), 0);
    source_free(source);
}

static void positions_are_drawn_by_game(void **state)
{
    PositionSet set, all, again;
    draw(&set, 1U << SPLIT_TRAIN, N_GAMES, PLIES, 3);
    assert_int_equal(set.n_games, N_GAMES);
    bool differs = false;
    for (size_t g = 0; g < set.n_games; g++) {
        const uint8_t *moves = set.moves + g * 32;
        int scored = game_length(moves, 32) - 1;
        assert_int_equal(split_of_game(moves, set.vocab->variant, SPLIT_BY_CANONICAL), SPLIT_TRAIN);
        assert_int_equal(set.first[g + 1] - set.first[g], PLIES);
        for (size_t i = set.first[g]; i < set.first[g + 1]; i++) {
            assert_true(set.t[i] < scored); /* never the final board */
            assert_true(i == set.first[g] || set.t[i] > set.t[i - 1]);
            differs |= g > 0 && set.t[i] != set.t[i - PLIES];
        }
    }
    assert_true(differs); /* each game has its own plies */
    draw(&all, 1U << SPLIT_TRAIN, N_GAMES, 0, 3);
    assert_int_equal(all.first[1], game_length(all.moves, 32) - 1);
    assert_int_equal(all.t[7], 7);
    draw(&again, 1U << SPLIT_TRAIN, 1, PLIES, 4);
    assert_memory_not_equal(again.t, set.t, PLIES); /* another seed, other plies */
    positions_release(&again);
    /* A game has the same plies in any place, also among games of all splits. */
    draw(&again, SPLIT_ALL, 2 * N_GAMES, PLIES, 3);
    size_t place = 0;
    while (memcmp(again.moves + place * 32, set.moves + (N_GAMES - 1) * 32, 32) != 0) {
        place++;
        assert_true(place < again.n_games);
    }
    assert_true(place > N_GAMES - 1);
    assert_memory_equal(again.t + again.first[place], set.t + set.first[N_GAMES - 1], PLIES);
    positions_release(&set);
    positions_release(&all);
    positions_release(&again);
}

/* Captured rows of one site for all layers, on `threads` workers. */
static void capture(float *rows[N_LAYERS], const PositionSet *set, HookSite site, size_t width,
                    size_t threads)
{
    Pool *pool = NULL;
    const SiteLayers where = {site, layers, N_LAYERS};
    assert_int_equal(pool_new(&pool, threads), 0);
    for (int i = 0; i < N_LAYERS; i++) {
        rows[i] = test_malloc(activations_bytes(set->n_positions, width));
        memset(rows[i], 0, activations_bytes(set->n_positions, width));
    }
    assert_int_equal(
        activations_capture(rows, set, fixture.model.gpt, &where, &(Work){.pool = pool}), 0);
    pool_free(pool);
}

static void rows_free(float *rows[N_LAYERS])
{
    for (int i = 0; i < N_LAYERS; i++) {
        test_free(rows[i]);
    }
}

/* Copies the whole value of a site at one layer. */
typedef struct Copy {
    int layer;
    HookSite site;
    float values[32 * WIDTH];
} Copy;

static void copy_hook(void *context, const HookPoint *point)
{
    Copy *copy = context;
    if (point->layer == copy->layer && point->site == copy->site) {
        memcpy(copy->values, point->value, point->T * point->width * sizeof(float));
    }
}

/* Compare with the same game alone, cut off after move t: the row of its last position. Batches of
 * different shapes round differently: 1e-4 for numbers of order 1 to 10. */
static double direct_difference(const PositionSet *set, size_t game, size_t i, const float *row,
                                HookSite site, int layer)
{
    uint8_t input[64], target[64];
    static Copy copy;
    Tape *tape = NULL;
    double worst = 0;
    size_t T = (size_t)set->t[i] + 1;
    bool embed = layer == LAYER_EMBED;
    copy.layer = embed ? 0 : layer;
    copy.site = embed ? HOOK_RESID_PRE : site;
    Hooks hooks = {.fn = copy_hook, .context = &copy};
    hooks.sites[copy.site] = UINT64_C(1) << copy.layer;
    batch_encode(input, target, set->vocab, set->moves + game * 32, 1);
    assert_int_equal(tape_new(&tape, &fixture.model.gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    gpt_forward(fixture.model.gpt, tape, input, 1, T, &hooks);
    tape_free(tape);
    for (size_t c = 0; c < WIDTH; c++) {
        worst = fmax(worst, fabs((double)row[c] - (double)copy.values[(T - 1) * WIDTH + c]));
    }
    return worst;
}

static void rows_equal_a_direct_forward(void **state)
{
    static const HookSite sites[] = {HOOK_RESID_POST, HOOK_ATTN_OUT};
    PositionSet set;
    float *rows[N_LAYERS];
    draw(&set, 1U << SPLIT_TEST, N_GAMES, PLIES, 3);
    for (size_t s = 0; s < 2; s++) {
        capture(rows, &set, sites[s], WIDTH, 2);
        for (int layer = 0; layer < N_LAYERS; layer++) {
            size_t game = 0;
            for (size_t i = 0; i < set.n_positions; i += 3) {
                while (set.first[game + 1] <= i) {
                    game++;
                }
                const float *row = rows[layer] + i * WIDTH;
                assert_true(direct_difference(&set, game, i, row, sites[s], layers[layer]) < 1e-4);
                /* Negative twin: the row of another position differs. */
                const float *other = rows[layer] + (i == 0 ? 1 : i - 1) * WIDTH;
                assert_true(direct_difference(&set, game, i, other, sites[s], layers[layer]) >
                            1e-3);
            }
        }
        rows_free(rows);
    }
    positions_release(&set);
}

static void threads_change_no_row(void **state)
{
    PositionSet set;
    float *one[N_LAYERS], *other[N_LAYERS];
    draw(&set, 1U << SPLIT_TRAIN | 1U << SPLIT_TEST, 70, PLIES, 3); /* five passes, one partial */
    capture(one, &set, HOOK_RESID_POST, WIDTH, 1);
    for (size_t threads = 2; threads <= 3; threads++) {
        capture(other, &set, HOOK_RESID_POST, WIDTH, threads);
        for (int i = 0; i < N_LAYERS; i++) {
            assert_memory_equal(one[i], other[i], activations_bytes(set.n_positions, WIDTH));
        }
        assert_memory_not_equal(one[0], other[1], activations_bytes(set.n_positions, WIDTH));
        rows_free(other);
    }
    rows_free(one);
    positions_release(&set);
}

static void faults_are_reported(void **state)
{
    PositionSet set;
    float *rows[1];
    const int layer = 1;
    const SiteLayers where = {HOOK_RESID_POST, &layer, 1};
    draw(&set, 1U << SPLIT_TRAIN, 3, PLIES, 3);
    rows[0] = test_malloc(activations_bytes(set.n_positions, WIDTH));
    Gpt *eight = fixture_network(8, 1);
    assert_int_equal(activations_capture(rows, &set, eight, &where, WORK_ALONE), OGPT_EFORMAT);
    gpt_free(eight);
    Gpt *broken = fixture_network(6, 1);
    gpt_tensor(broken, gpt_tensor_index(broken, "blocks.1.mlp.b_out"))[3] = (real)NAN;
    assert_int_equal(activations_capture(rows, &set, broken, &where, WORK_ALONE), OGPT_ENUM);
    assert_non_null(strstr(err_message(), "layer 1"));
    gpt_free(broken);
    interrupt_set(15);
    assert_int_equal(activations_capture(rows, &set, fixture.model.gpt, &where, WORK_ALONE),
                     OGPT_EINTR);
    interrupt_set(0);
    test_free(rows[0]);
    positions_release(&set);
}

/* Rows that are captured piece by piece are those of one call, and a row that is not finite is
 * that of the same game. */
static void pieces_count_games_from_the_first(void **state)
{
    enum { BROKEN = 35, LATE = 20 };
    const int layer = 1;
    const SiteLayers where = {HOOK_RESID_POST, &layer, 1};
    PositionSet set;
    Spill *spill = NULL;
    draw(&set, 1U << SPLIT_TRAIN, N_GAMES, 1, 3);
    for (size_t g = 0; g < N_GAMES; g++) { /* one game has more moves than the first */
        set.t[g] = g == BROKEN ? LATE : 0;
    }
    const size_t n_bytes = activations_bytes(set.n_positions, WIDTH);
    float *rows[1] = {test_malloc(n_bytes)}, *spilled = test_malloc(n_bytes);
    assert_int_equal(activations_capture(rows, &set, fixture.model.gpt, &where, WORK_ALONE), 0);
    assert_int_equal(spill_new(&spill, NULL, "rows"), 0);
    assert_int_equal(activations_spill(spill, &set, fixture.model.gpt, &where, 1, WORK_ALONE), 0);
    assert_int_equal(spill_read(spill, spilled, n_bytes, 0), 0);
    assert_memory_equal(spilled, rows[0], n_bytes);
    Gpt *broken = fixture_network(6, 1);
    gpt_tensor(broken, gpt_tensor_index(broken, "pos_embed.W_pos"))[LATE * WIDTH] = (real)NAN;
    for (int piecewise = 0; piecewise < 2; piecewise++) {
        int rc = piecewise ? activations_spill(spill, &set, broken, &where, 1, WORK_ALONE)
                           : activations_capture(rows, &set, broken, &where, WORK_ALONE);
        assert_int_equal(rc, OGPT_ENUM);
        assert_non_null(strstr(err_message(), "layer 1, game 35 of the sample"));
    }
    gpt_free(broken);
    spill_free(spill);
    test_free(spilled);
    test_free(rows[0]);
    positions_release(&set);
}

static int setup(void **state)
{
    return fixture_open(&fixture, 600);
}

static int teardown(void **state)
{
    fixture_close(&fixture);
    return 0;
}

/* The ends of games that were cut off: the rows that the whole games have there, and not one ply
 * earlier. */
static void the_end_of_a_game_is_a_position(void **state)
{
    enum { CUT = 9 };
    const GameVariant *variant = game_variant(6);
    PositionSet all, ends;
    float *whole[N_LAYERS], *cut[N_LAYERS];
    draw(&all, 1U << SPLIT_TRAIN, N_GAMES, 0, 3);
    uint8_t *moves = test_malloc(all.n_games * 32);
    memcpy(moves, all.moves, all.n_games * 32);
    for (size_t g = 0; g < all.n_games; g++) {
        memset(moves + g * 32 + CUT + g % 3, SQ_NONE, 32 - CUT - g % 3);
    }
    assert_int_equal(positions_ends(&ends, variant, moves, all.n_games), 0);
    capture(whole, &all, HOOK_RESID_POST, WIDTH, 2);
    capture(cut, &ends, HOOK_RESID_POST, WIDTH, 2);
    for (size_t g = 0; g < ends.n_games; g++) {
        size_t t = CUT + g % 3 - 1;
        assert_int_equal(ends.t[g], t);
        for (int i = 1; i < N_LAYERS; i++) {
            double there = 0, before = 0;
            for (size_t c = 0; c < WIDTH; c++) {
                const float *row = whole[i] + (all.first[g] + t) * WIDTH + c;
                there = fmax(there, fabs(cut[i][g * WIDTH + c] - row[0]));
                before = fmax(before, fabs(cut[i][g * WIDTH + c] - row[-WIDTH]));
            }
            assert_true(there < 1e-4); /* as above: batches of different shapes */
            assert_true(before > 1e-2);
        }
    }
    rows_free(whole);
    rows_free(cut);
    test_free(moves);
    positions_release(&all);
    positions_release(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_are_drawn_by_game),
        cmocka_unit_test(rows_equal_a_direct_forward),
        cmocka_unit_test(threads_change_no_row),
        cmocka_unit_test(faults_are_reported),
        cmocka_unit_test(pieces_count_games_from_the_first),
        cmocka_unit_test(the_end_of_a_game_is_a_position),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
