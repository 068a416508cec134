/* tests/probes/grid/test_grid.c - a network that was trained on few games for long knows them, and
 * those that were planted best; one that has seen none of its games does not; corpora hold what
 * they should. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/game_set.h"
#include "datasets/split.h"
#include "game/play.h"
#include "num/blas.h"
#include "probes/grid/grid.h"
#include "tests/folder.h"

enum { N_PLANTED = 4, N_COPIES = 8 };

static char folder[FOLDER_MAX];
static const Work alone = {.seed = 3};

static GridPlan small_plan(int64_t steps)
{
    GridPlan plan = {.variant = game_variant(4),
                     .train = TRAIN_OPTIONS_DEFAULT,
                     .planted = N_PLANTED,
                     .copies = N_COPIES,
                     .score_games = 64,
                     .seed = 1,
                     .command_line = "test"};
    const Vocab *vocab = vocab_of(plan.variant);
    plan.shape = (GptConfig){.d_model = 32,
                             .n_heads = 2,
                             .d_head = 16,
                             .d_mlp = 128,
                             .n_ctx = vocab->n_ctx,
                             .d_vocab = vocab->d_vocab,
                             .eps = 1e-5f};
    plan.train.steps = steps;
    plan.train.minutes = 0;
    plan.train.batch = 32;
    train_options_complete(&plan.train);
    return plan;
}

static GridScore score_of(const char *name, int64_t steps, size_t games)
{
    GridPlan plan = small_plan(steps);
    const GridCell cell = {1, games, 1};
    char path[FILES_PATH_MAX];
    GridScore score;
    Gpt *gpt = NULL;
    assert_int_equal(path_join(path, folder, name), 0);
    assert_null(grid_check(&plan, &cell, 1));
    assert_int_equal(grid_games_make(path, &plan, &cell, 1, &alone), 0);
    assert_int_equal(grid_train(&gpt, path, &plan, &cell, &alone), 0);
    assert_int_equal(grid_score(&score, gpt, path, &plan, &cell, &alone), 0);
    gpt_free(gpt);
    return score;
}

static void few_games_are_memorised(void **state)
{
    GridScore few = score_of("few", 400, 96), many = score_of("many", 400, 4000);
    assert_true(few.memorisation > 0.1 && few.train_excess.high < few.held_excess.low);
    assert_true(fabs(many.memorisation) < few.memorisation / 2);
    assert_true(few.exposure_planted.low > few.exposure_none.high);
    assert_true(few.exposure_once.low > few.exposure_none.high);
    /* What is in the corpus eight times is known where what is in it once is not. */
    assert_true(many.exposure_planted.low > many.exposure_once.high);
    assert_true(few.epochs == 400 * 32 / 96.0);
    assert_true(many.held_strict.value < few.held_strict.value);
}

/* One step: what was seen is as unknown as what was not. */
static void nothing_is_known_of_games_that_taught_nothing(void **state)
{
    GridScore none = score_of("none", 1, 200);
    assert_true(none.train_excess.low < none.held_excess.high &&
                none.held_excess.low < none.train_excess.high);
    assert_true(none.exposure_once.low < none.exposure_none.high &&
                none.exposure_none.low < none.exposure_once.high);
    /* Ranks among 32 games are even, so the mean of log2(33 / rank) is 1.33, with a deviation of
     * 0.33 by the two draws of 32 games: three of them. */
    assert_true(fabs(none.exposure_none.value - 1.33) < 1);
}

static void exposure_is_a_rank(void **state)
{
    const double others[] = {.1, .2, .3, .4, .5, .6, .7};
    assert_true(grid_exposure(.05, others, 7) == 3); /* before all: log2 of 8 */
    assert_true(grid_exposure(.15, others, 7) == 2);
    assert_true(grid_exposure(.9, others, 7) == 0);
}

/* A network that is worse at one ply, and games that end sooner: at equal ply nothing is left. */
static void memorisation_compares_equal_plies(void **state)
{
    static LegalityScore held, seen;
    for (int t = 0; t < 10; t++) {
        double excess = t < 5 ? .1 : .5;
        held.by_ply[t] = (LegalitySums){.positions = 100, .loss = 100 * (1 + excess), .floor = 100};
        seen.by_ply[t] = held.by_ply[t];
    }
    for (int t = 5; t < 10; t++) {
        seen.by_ply[t] = (LegalitySums){.positions = 10, .loss = 15, .floor = 10};
    }
    assert_true(fabs(grid_memorisation(&held, &seen)) < 1e-12);
    seen.by_ply[0].loss -= 100 * .1; /* known by heart at one of ten plies */
    assert_true(fabs(grid_memorisation(&held, &seen) - .01) < 1e-12);
}

static size_t read_games(uint8_t *moves, const char *path, size_t room)
{
    Corpus *corpus = NULL;
    assert_int_equal(corpus_open(&corpus, path, false), 0);
    size_t n = (size_t)corpus_info(corpus)->n_games;
    assert_true(n <= room);
    assert_int_equal(corpus_read(corpus, moves, 0, n), 0);
    corpus_close(corpus);
    return n;
}

static void corpora_hold_what_they_should(void **state)
{
    enum { STRIDE = 12, SMALL = 64, LARGE = 200, ROOM = 256, REPEATED = N_PLANTED * N_COPIES };
    static uint8_t small[ROOM * STRIDE], large[ROOM * STRIDE], held[ROOM * STRIDE];
    GridPlan plan = small_plan(1);
    const GridCell cells[] = {{1, LARGE, 1}, {1, SMALL, 1}, {2, SMALL, 1}};
    char path[FILES_PATH_MAX], games[FILES_PATH_MAX];
    assert_int_equal(path_join(path, folder, "corpora"), 0);
    assert_int_equal(grid_games_make(path, &plan, cells, 3, &alone), 0);
    assert_int_equal(grid_games_make(path, &plan, cells, 3, &alone), 0); /* they are there */
    grid_games_path(games, path, SMALL);
    assert_int_equal(read_games(small, games, ROOM), SMALL);
    grid_games_path(games, path, LARGE);
    assert_int_equal(read_games(large, games, ROOM), LARGE);
    grid_games_path(games, path, 0);
    assert_int_equal(read_games(held, games, ROOM), plan.score_games);
    assert_memory_equal(small, large, SMALL * STRIDE);
    for (size_t i = N_PLANTED; i < REPEATED; i++) {
        assert_memory_equal(small + i * STRIDE, small + i % N_PLANTED * STRIDE, STRIDE);
    }
    assert_memory_not_equal(small + (size_t)REPEATED * STRIDE, small, STRIDE);
    for (size_t h = 0; h < plan.score_games; h++) {
        for (size_t i = 0; i < LARGE; i++) {
            assert_memory_not_equal(held + h * STRIDE, large + i * STRIDE, STRIDE);
        }
    }
    for (size_t i = 0; i < LARGE; i++) { /* behind the planted ones every game is there once */
        for (size_t j = i < REPEATED ? REPEATED : i + 1; j < LARGE; j++) {
            assert_memory_not_equal(large + i * STRIDE, large + j * STRIDE, STRIDE);
        }
    }
    plan.seed = 2; /* other games are refused, and nothing is lost */
    assert_int_equal(grid_games_make(path, &plan, cells, 3, &alone), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "holds other games"));
    assert_null(strstr(err_message(), "--force")); /* which the command does not have */
    assert_int_equal(read_games(held, games, ROOM), plan.score_games);
}

/* On 4x4 a larger corpus would meet held-out games, were they not kept from it by a rule: the grid
 * grows, and they stay. Among so many random games some repeat, and none is taken twice. */
static void a_grid_grows(void **state)
{
    enum { STRIDE = 12, FEW = 64, MANY = 6000 };
    static uint8_t held[FEW * STRIDE], many[MANY * STRIDE], drawn[MANY * STRIDE];
    GridPlan plan = small_plan(1);
    const GridCell few = {1, FEW, 1}, more = {1, MANY, 1};
    char path[FILES_PATH_MAX], games[FILES_PATH_MAX];
    GameSet seen = {0};
    size_t n_repeated = 0;
    assert_int_equal(path_join(path, folder, "grows"), 0);
    assert_int_equal(grid_games_make(path, &plan, &few, 1, &alone), 0);
    assert_int_equal(grid_games_make(path, &plan, &more, 1, &alone), 0);
    grid_games_path(games, path, 0);
    assert_int_equal(read_games(held, games, FEW), plan.score_games);
    grid_games_path(games, path, MANY);
    assert_int_equal(read_games(many, games, MANY), MANY);
    for (size_t i = N_PLANTED * (N_COPIES - 1); i < MANY; i++) {
        assert_int_equal(game_set_add(&seen, game_hash(many + i * STRIDE, plan.variant)), 0);
    }
    for (size_t h = 0; h < FEW; h++) {
        assert_int_equal(game_set_add(&seen, game_hash(held + h * STRIDE, plan.variant)), 0);
    }
    game_set_release(&seen);
    /* The negative twin: games as they are drawn repeat, and hold games that are held out. */
    play_random_games(drawn, plan.variant, plan.seed, RNG_GENERATE, 0, MANY);
    for (size_t h = 0; h < FEW; h++) {
        assert_int_equal(game_set_add(&seen, game_hash(held + h * STRIDE, plan.variant)), 0);
    }
    for (size_t i = 0; i < MANY; i++) {
        n_repeated += game_set_add(&seen, game_hash(drawn + i * STRIDE, plan.variant)) == 1;
    }
    assert_true(n_repeated > 10);
    game_set_release(&seen);
}

static void impossible_grids_are_refused(void **state)
{
    GridPlan plan = small_plan(1);
    GridCell cell = {1, 64, 1};
    assert_null(grid_check(&plan, &cell, 1));
    cell.games = 63; /* 32 places are more than half */
    assert_non_null(grid_check(&plan, &cell, 1));
    plan.planted = 0;
    assert_null(grid_check(&plan, &cell, 1));
    cell.games = 15;
    assert_non_null(grid_check(&plan, &cell, 1));
    assert_non_null(grid_check(&plan, &cell, 0));
}

static int setup(void **state)
{
    return blas_init() == 0 && folder_make(folder) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    return dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_games_are_memorised),
        cmocka_unit_test(nothing_is_known_of_games_that_taught_nothing),
        cmocka_unit_test(exposure_is_a_rank),
        cmocka_unit_test(memorisation_compares_equal_plies),
        cmocka_unit_test(corpora_hold_what_they_should),
        cmocka_unit_test(a_grid_grows),
        cmocka_unit_test(impossible_grids_are_refused),
    };
    return cmocka_run_group_tests_name("grid", tests, setup, teardown);
}
