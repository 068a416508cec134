/* probes/grid/grid_games.c - the corpora of a grid; contract in probes/grid/grid.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/corpus.h"
#include "game/play.h"
#include "probes/grid/grid.h"

#define GENERATOR "grid-1"
#define TRIES 50 /* random games for one held-out game; the 4x4 board has 60,060 in all */

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

/* The corpus of n games: planted ones in the first places, round after round, then others. */
static void corpus_fill(uint8_t *moves, const GridPlan *plan, size_t n)
{
    size_t stride = (size_t)plan->variant->n_moves, repeated = plan->planted * plan->copies;
    play_random_games(moves, plan->variant, plan->seed, RNG_GENERATE, 0, plan->planted);
    for (size_t i = plan->planted; i < repeated; i++) {
        memcpy(moves + i * stride, moves + (i - plan->planted) * stride, stride);
    }
    play_random_games(moves + repeated * stride, plan->variant, plan->seed, RNG_GENERATE,
                      plan->planted, n - repeated);
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
    return rc ? rc : corpus_save(&unchanged, path, &meta, moves, false);
}

/* ---- held-out games ---- */

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Random games that are none of the n, whose hashes are given, and all different. */
static int held_out_fill(uint8_t *moves, const GridPlan *plan, uint64_t *hashes, size_t n)
{
    const GameVariant *variant = plan->variant;
    size_t stride = (size_t)variant->n_moves, n_held = 0;
    uint64_t most = TRIES * (uint64_t)plan->score_games;
    for (uint64_t i = 0; i < most && n_held < plan->score_games; i++) {
        uint8_t *game = moves + n_held * stride;
        play_random(game, variant, plan->seed, RNG_HELDOUT, i);
        uint64_t hash = game_hash(game, variant);
        bool known = bsearch(&hash, hashes, n, sizeof(hash), by_hash);
        for (size_t other = 0; other < n_held && !known; other++) {
            known = hashes[n + other] == hash;
        }
        if (!known) {
            hashes[n + n_held++] = hash;
        }
    }
    return n_held == plan->score_games
               ? 0
               : err_set(OGPT_EUSAGE, "%zu held-out games of %zu were found: fewer --games", n_held,
                         plan->score_games);
}

static int held_out_make(const char *folder, const GridPlan *plan, const uint8_t *seen, size_t n)
{
    size_t stride = (size_t)plan->variant->n_moves;
    uint64_t *hashes = mem_alloc(n + plan->score_games, sizeof(*hashes), "hashes of games");
    uint8_t *moves = mem_alloc(plan->score_games, stride, "held-out games");
    int rc = hashes && moves ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        hashes[i] = game_hash(seen + i * stride, plan->variant);
    }
    if (rc == 0) {
        qsort(hashes, n, sizeof(*hashes), by_hash);
        rc = held_out_fill(moves, plan, hashes, n);
    }
    rc = rc ? rc : games_save(folder, plan, 0, plan->score_games, moves);
    mem_free(hashes);
    mem_free(moves);
    return rc;
}

int grid_games_make(const char *folder, const GridPlan *plan, const GridCell *cells, size_t n,
                    const Work *work)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++) {
        most = cells[i].games > most ? cells[i].games : most;
    }
    uint8_t *moves = mem_alloc(most, (size_t)plan->variant->n_moves, "games of a grid");
    int rc = moves ? dir_create(folder) : OGPT_ENOMEM;
    if (rc == 0) {
        corpus_fill(moves, plan, most);
        rc = held_out_make(folder, plan, moves, most);
    }
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
