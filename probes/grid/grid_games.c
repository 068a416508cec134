/* probes/grid/grid_games.c - the corpora of a grid; contract in probes/grid/grid.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/corpus.h"
#include "datasets/game_set.h"
#include "datasets/split.h"
#include "game/play.h"
#include "probes/grid/grid.h"

#define GENERATOR "grid-2"
#define TRIES 500 /* random games for one of a corpus; of ten one is held out */

const char *grid_check(const GridPlan *plan, const GridCell *cells, size_t n)
{
    if (n < 1 || n > GRID_CELLS_MAX) {
        return "1 to 256 cells: fewer layers, games or seeds";
    }
    if (plan->planted > 0 && plan->copies < 2) {
        return "planted games are in the corpus at least twice";
    }
    for (size_t i = 0; i < n; i++) {
        if (cells[i].games < GRID_GAMES_LEAST) {
            return "a corpus has at least 16 games";
        }
        if (2 * plan->planted * plan->copies > cells[i].games) {
            return "planted games and their copies are more than half of the smallest corpus; "
                   "plant fewer";
        }
    }
    return NULL;
}

int grid_games_path(char out[FILES_PATH_MAX], const char *folder, size_t games)
{
    char name[48] = "held-out.ogpc";
    if (games > 0) {
        snprintf(name, sizeof(name), "games-%zu.ogpc", games);
    }
    return path_join(out, folder, name);
}

int grid_run_path(char out[FILES_PATH_MAX], const char *folder, const GridCell *cell)
{
    char name[96];
    snprintf(name, sizeof(name), "layers-%d-games-%zu-seed-%" PRIu64, cell->layers, cell->games,
             cell->seed);
    return path_join(out, folder, name);
}

/* ---- training games ---- */

/* n different random games of a split, which is a property of the game alone. */
static int games_fill(uint8_t *moves, const GridPlan *plan, RngPurpose purpose, Split split,
                      size_t n)
{
    const GameVariant *variant = plan->variant;
    GameSet seen = {0};
    size_t n_found = 0;
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && n_found < n && i < TRIES * (uint64_t)n; i++) {
        uint8_t *game = moves + n_found * (size_t)variant->n_moves;
        play_random(game, variant, plan->seed, purpose, i);
        if (split_of_game(game, variant, SPLIT_BY_GAME) == split) {
            rc = game_set_add(&seen, game_hash(game, variant));
            n_found += rc == 0;
            rc = rc > 0 ? 0 : rc;
        }
    }
    game_set_release(&seen);
    return rc || n_found == n
               ? rc
               : err_set(OGPT_EUSAGE, "%zu different games of %zu were found: fewer %s", n_found, n,
                         split == SPLIT_TRAIN ? "--games" : "--score-games");
}

/* The corpus of n games: planted ones in the first places, round after round, then others. */
static int corpus_fill(uint8_t *moves, const GridPlan *plan, size_t n)
{
    size_t stride = (size_t)plan->variant->n_moves;
    size_t before = plan->planted > 0 ? plan->planted * (plan->copies - 1) : 0; /* the last round */
    int rc = games_fill(moves + before * stride, plan, RNG_GENERATE, SPLIT_TRAIN, n - before);
    for (size_t i = 0; rc == 0 && i < before; i++) {
        memcpy(moves + i * stride, moves + (before + i % plan->planted) * stride, stride);
    }
    return rc;
}

static int games_save(const char *folder, const GridPlan *plan, size_t games, size_t n,
                      const uint8_t *moves)
{
    char path[FILES_PATH_MAX];
    bool unchanged = false;
    CorpusInfo meta = {.variant = plan->variant, .n_games = n};
    snprintf(meta.source, sizeof(meta.source), "import"); /* some of them repeat */
    snprintf(meta.generator, sizeof(meta.generator), GENERATOR);
    int rc = grid_games_path(path, folder, games);
    rc = rc ? rc : corpus_check_goal(path, plan->variant, false);
    rc = rc ? rc : corpus_save(&unchanged, path, &meta, moves, false);
    return rc != OGPT_EUSAGE ? rc
                             : err_set(rc,
                                       "%s: holds other games than those of this grid; name "
                                       "another folder",
                                       path);
}

int grid_games_make(const char *folder, const GridPlan *plan, const GridCell *cells, size_t n,
                    const Work *work)
{
    size_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        largest = cells[i].games > largest ? cells[i].games : largest;
    }
    size_t most = plan->score_games > largest ? plan->score_games : largest;
    uint8_t *moves = mem_alloc(most, (size_t)plan->variant->n_moves, "games of a grid");
    int rc = moves ? dir_create(folder) : OGPT_ENOMEM;
    rc = rc ? rc : games_fill(moves, plan, RNG_HELDOUT, SPLIT_TEST, plan->score_games);
    rc = rc ? rc : games_save(folder, plan, 0, plan->score_games, moves);
    rc = rc ? rc : corpus_fill(moves, plan, largest);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        bool done = false; /* each number of games once */
        for (size_t before = 0; before < i; before++) {
            done = done || cells[before].games == cells[i].games;
        }
        rc = done ? 0 : games_save(folder, plan, cells[i].games, cells[i].games, moves);
        work_tick(work, "corpora", (double)(i + 1), (double)n);
    }
    mem_free(moves);
    return rc;
}
