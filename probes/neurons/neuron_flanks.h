/* probes/neurons/neuron_flanks.h - neurons that detect flanks, the patterns that make a move legal.
 *
 * A flank is a square, a direction and a length: the square is empty, the next `length` squares
 * hold discs of the opponent, and the one behind them a disc of the mover. A move is legal if one
 * of its flanks is there. 1,036 on 8x8 (960 of them begin at a square that can be played: the
 * others never occur), 360 (316) on 6x6, 68 (56) on 4x4.
 *
 * A neuron is on, at a threshold, where its activation is above that share of its largest one on
 * the fit games: 0, 0.1, ... 0.9. At a demand T it detects the flanks that it is on for in more
 * than T of the positions where they are (recall), if there are any, if all belong to one move, if
 * it is on for each at least NEURON_HITS times, and if one of them is there in more than T of the
 * positions where it is on (precision). The threshold with the largest F1 counts. (The definition
 * of "OthelloGPT learned a bag of heuristics", jylin04 et al. 2024; its text demands 0.99, its
 * notebook 0.95.) Both are measured again on the held-out games, at the same threshold.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_FLANKS_H
#define OGPT_PROBES_NEURONS_NEURON_FLANKS_H

#include "probes/neurons/neuron_games.h"

#define NEURON_FLANKS_MAX 1036
#define NEURON_HITS 10
#define NEURON_THRESHOLDS 10
#define N_NEURON_DEMANDS 2
extern const double neuron_demands[N_NEURON_DEMANDS]; /* 0.99, 0.95 */

typedef struct NeuronFlank {
    int sq, direction, length; /* directions: 0 to 7, from the one along the row, clockwise as the
                                * board is printed */
    uint64_t theirs;           /* squares between */
    int mine;                  /* the square at the end */
} NeuronFlank;

/* All flanks of a board into out (NEURON_FLANKS_MAX), square by square; returns how many. */
size_t neuron_flanks_list(NeuronFlank *out, const GameVariant *variant);
const char *neuron_direction_name(int direction); /* "right", "down right", ... static */

/* Which flanks are there, at every position. */
typedef struct NeuronFlanks {
    const NeuronGames *games; /* borrowed */
    size_t n_flanks, n_playable;
    NeuronFlank flanks[NEURON_FLANKS_MAX];
    uint32_t *first; /* (n + 1); owned */
    uint16_t *there; /* flanks of position i: there[first[i] .. first[i+1]-1]; owned */
    uint32_t seen[NEURON_FLANKS_MAX], seen_test[NEURON_FLANKS_MAX]; /* positions: fit, held out */
} NeuronFlanks;

/* shuffled: those of the twins. Returns 0 or OGPT_ENOMEM; neuron_flanks_release. */
int neuron_flanks_find(NeuronFlanks *out, const NeuronGames *games, bool shuffled);
void neuron_flanks_release(NeuronFlanks *flanks);
size_t neuron_flanks_bytes(size_t n);

#define NEURON_FLANK_WORDS ((NEURON_FLANKS_MAX + 63) / 64)

typedef struct NeuronDetection {
    int n;         /* flanks that are detected; 0: none, and nothing else is set */
    int move;      /* their square */
    int threshold; /* in tenths of the largest activation */
    uint64_t flanks[NEURON_FLANK_WORDS];
    double precision, recall, f1;                /* of their union; fit games */
    double test_precision, test_recall, test_f1; /* held out; NaN where there is nothing to count */
    uint64_t held[NEURON_FLANK_WORDS]; /* of `flanks`: seen on held-out games, with a recall of
                                        * their own above the demand */
} NeuronDetection;

/* values (n) of one neuron. */
void neuron_flanks_detect(NeuronDetection out[N_NEURON_DEMANDS], const NeuronFlanks *flanks,
                          const float *values);
/* Whether it detects a flank, and does so on held-out games too (precision and recall above the
 * demand). */
bool neuron_detection_holds(const NeuronDetection *detection, double demand);

#endif
