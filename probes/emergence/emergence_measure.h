/* probes/emergence/emergence_measure.h - what is measured of each checkpoint of a run, by game.
 *
 * The same random games for all of them: some to fit probes on, others for the scores. Probes are
 * linear, of the stream behind the middle block, fitted anew at each checkpoint; the score is the
 * share of right cells, of tasks with two classes the F1 of the second. `legal_cells` is the share
 * of right cells of the task legal: a curve may rise earlier by one score than by another.
 * `shuffled` is the control: the task "mine" with the labels of another position. A probe can learn
 * of these what the ply tells (how many squares are taken, and which usually are), and no more:
 * what "mine" gains beyond it is of this position. `lens`, `edit` and `transposition` ask what the
 * network does with what is read, `head` what its heads look at; `head_beyond` is the control of
 * that (emergence_parts.h).
 */
#ifndef OGPT_PROBES_EMERGENCE_EMERGENCE_MEASURE_H
#define OGPT_PROBES_EMERGENCE_EMERGENCE_MEASURE_H

#include "base/enums.h"
#include "base/work.h"
#include "datasets/vocab.h"
#include "model/gpt.h"
#include "probes/emergence/emergence.h"

#define EMERGENCE_MEASURES(X)                                                                      \
    X(EMERGENCE_EXCESS, "excess", true, NULL)                                                      \
    X(EMERGENCE_STRICT, "strict_error", true, NULL)                                                \
    X(EMERGENCE_EMPTY, "empty", false, "empty")                                                    \
    X(EMERGENCE_PREVIOUS, "previous", false, "previous")                                           \
    X(EMERGENCE_FLIPPED, "flipped", false, "flipped")                                              \
    X(EMERGENCE_MINE, "mine", false, "mine")                                                       \
    X(EMERGENCE_LEGAL, "legal", false, "legal")                                                    \
    X(EMERGENCE_LEGAL_CELLS, "legal_cells", false, NULL)                                           \
    X(EMERGENCE_SHUFFLED, "shuffled", false, "mine")                                               \
    X(EMERGENCE_LENS, "lens", false, NULL)                                                         \
    X(EMERGENCE_EDIT, "edit", false, NULL)                                                         \
    X(EMERGENCE_HEAD, "head", false, NULL)                                                         \
    X(EMERGENCE_HEAD_BEYOND, "head_beyond", false, NULL)                                           \
    X(EMERGENCE_WORLD, "transposition", true, NULL)
typedef enum EmergenceMeasure { EMERGENCE_MEASURES(ENUM_ID) N_EMERGENCE_MEASURES } EmergenceMeasure;
const char *emergence_name(EmergenceMeasure measure); /* static */
extern const bool emergence_falls[N_EMERGENCE_MEASURES];

typedef struct EmergenceGames EmergenceGames;
/* Draw the games and positions by work->seed: fit_games and test_games random games, `plies`
 * positions of each (0: all). Returns 0 or as labelled_draw; owned: emergence_games_free. */
int emergence_games_new(EmergenceGames **out, const Vocab *vocab, size_t fit_games,
                        size_t test_games, int plies, const Work *work);
void emergence_games_free(EmergenceGames *games);

/* values (N_EMERGENCE_MEASURES, test_games, 2) of one network. tick("measures"). Returns 0,
 * OGPT_EFORMAT, OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM. */
int emergence_measure(double *values, const EmergenceGames *games, const Gpt *gpt,
                      const Work *work);

#endif
