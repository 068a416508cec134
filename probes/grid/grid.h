/* probes/grid/grid.h - trainings by size of the corpus and number of layers: what does a network
 * know of games that it saw, and of others?
 *
 * Every cell (layers, games, seed) is a run of model/train for the same number of steps, in a
 * folder of its own below the grid's. Its corpus has `planted` games `copies` times each, in its
 * first places, and else games that are in it once; a larger corpus begins as a smaller one.
 * Held-out games are of the split for tests (datasets/split.h), by their hash, all others of that
 * for training: a grid may grow, and its held-out games stay. A score compares the same network on
 * the two:
 *
 *   excess         mean loss minus the floor, nats; of games that were seen once, and held-out ones
 *   memorisation   held-out excess minus that of seen games, at equal ply: the mean over plies,
 *                  each with the weight that it has in held-out games. 0 for a network that has not
 *                  seen its games, up to the draw of games
 *   exposure       log2((n + 1) / rank) of a game's excess among those of n held-out games, the
 *                  lowest first (Carlini et al. 2019); mean over games that were planted, seen
 *                  once, or held out too. The last has the value of chance, 1.44 for large n
 */
#ifndef OGPT_PROBES_GRID_GRID_H
#define OGPT_PROBES_GRID_GRID_H

#include "base/files.h"
#include "model/train/train.h"
#include "num/statistics/stats.h"
#include "probes/legality/legality.h"

enum { GRID_CELLS_MAX = 256, GRID_GAMES_LEAST = 16 };

typedef struct GridCell {
    int layers;
    size_t games;  /* of its corpus */
    uint64_t seed; /* of first weights and of the order of games */
} GridCell;

typedef struct GridPlan {
    const GameVariant *variant;
    GptConfig shape;        /* but for layers and seed */
    TrainOptions train;     /* but for the seed; complete */
    size_t planted, copies; /* planted 0: none */
    size_t score_games;     /* of each kind, at most */
    uint64_t seed;          /* of games */
    const char *command_line;
} GridPlan;

/* Doubles only: it is kept in a journal as they are. */
typedef struct GridScore {
    double parameters, epochs;
    Interval train_excess, held_excess, train_strict, held_strict;
    double memorisation;
    Interval exposure_planted, exposure_once, exposure_none; /* NaN: no such game */
    double probe, probe_boards; /* quick probe of the board: squares, whole boards */
} GridScore;
#define GRID_SCORE_NUMBERS (sizeof(GridScore) / sizeof(double))

/* NULL when sound, else a one-line reason (static). */
const char *grid_check(const GridPlan *plan, const GridCell *cells, size_t n);
/* Paths of the corpus of so many games (0: held-out ones), and of a cell's run. */
int grid_games_path(char out[FILES_PATH_MAX], const char *folder, size_t games);
int grid_run_path(char out[FILES_PATH_MAX], const char *folder, const GridCell *cell);

/* Make the corpora of all cells, and held-out games, in the folder. Those that are there stay, if
 * they are the same: else OGPT_EUSAGE. Returns too: OGPT_EUSAGE (a small board has too few games),
 * OGPT_EIO, OGPT_ENOMEM. */
int grid_games_make(const char *folder, const GridPlan *plan, const GridCell *cells, size_t n,
                    const Work *work);
/* Train one cell, or go on with it, or take it as it is finished. *gpt: owned by the caller. work:
 * pool, tick("steps"). Returns as train_run and model loading. */
int grid_train(Gpt **gpt, const char *folder, const GridPlan *plan, const GridCell *cell,
               const Work *work);
/* work: pool, seed. Returns 0 or OGPT_E*. */
int grid_score(GridScore *out, const Gpt *gpt, const char *folder, const GridPlan *plan,
               const GridCell *cell, const Work *work);

/* The two numbers alone. excess: of each game, nats a position. */
double grid_memorisation(const LegalityScore *held, const LegalityScore *seen);
double grid_exposure(double excess, const double *others, size_t n);

#endif
