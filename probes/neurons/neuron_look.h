/* probes/neurons/neuron_look.h - all that is shown of one neuron: what a page or `ogpt neurons
 * --neuron` prints, and nothing that has to be computed again to print it.
 *
 * How to make looks of many neurons, one layer at a time:
 *
 *     NeuronGames games;    neuron_games_draw(&games, vocab, source, &sample, work);
 *     NeuronLooker *looker; neuron_looker_open(&looker, gpt, &games, probe, &options);
 *     for each layer        neuron_looks_make(looks, looker, layer, neurons, n, work);
 *     neuron_looker_free(looker); neuron_games_release(&games);
 *
 * A NeuronLook is plain data of some 32 KB: no member points anywhere, so it may be copied and
 * freed at will. Squares are bits, a1 = 0 (game/board.h); arrays over BOARD_SQUARES hold NaN where
 * the board has no such square.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_LOOK_H
#define OGPT_PROBES_NEURONS_NEURON_LOOK_H

#include "probes/neurons/neuron_flanks.h"
#include "probes/neurons/neuron_rule.h"
#include "probes/neurons/neuron_values.h"
#include "probes/neurons/neuron_weights.h"

#define NEURON_TOP 20 /* positions that move it most, each of another game */
#define NEURON_DECILES 10
#define NEURON_DRAWN 10 /* positions that are drawn of each decile */

/* A position, and where its activation stands among all of them. */
typedef struct NeuronSight {
    uint32_t position;             /* of NeuronGames */
    uint32_t game;                 /* of NeuronGames */
    bool held_out;                 /* not a position that the rule was fitted on */
    uint8_t n_moves;               /* that the network has seen */
    uint8_t moves[GAME_MAX_MOVES]; /* the last of them is moves[n_moves - 1]; SQ_NONE behind it */
    Board board;                   /* behind them, seen by the side to move */
    uint64_t turned;               /* discs that the last move turned over */
    uint64_t legal;                /* moves */
    double value;                  /* activation */
    double quantile;               /* share of the positions with a smaller activation */
} NeuronSight;

typedef struct NeuronDecile {
    double low, high; /* activations, both included */
    size_t n;
    NeuronSight sights[NEURON_DRAWN]; /* drawn without replacement, highest first */
} NeuronDecile;

typedef struct NeuronLook {
    int layer, neuron;
    size_t n_positions, n_fit;
    NeuronShape shape;     /* over all positions */
    NeuronWeights weights; /* weight boards: key and value */
    size_t n_top;
    NeuronSight top[NEURON_TOP];          /* highest first */
    NeuronDecile deciles[NEURON_DECILES]; /* lowest first */
    NeuronTree tree;
    NeuronRule rule;           /* its best node, in words */
    double tree_r2, linear_r2; /* held out, as probes/neurons/neuron_fit.h says */
    NeuronDetection detections[N_NEURON_DEMANDS]; /* flanks, at 0.99 and at 0.95 */
    /* Key and value: the share of the positions where it is above half of its largest activation
     * at which the move that it raises most is legal; and the same of their twins. NaN: never. */
    double value_legal, value_legal_by_chance;
} NeuronLook;

typedef struct NeuronLookOptions {
    int depth;  /* of the tree: 1 to NEURON_DEPTH_MAX */
    bool legal; /* the tree may ask for legal moves */
} NeuronLookOptions;

/* What all neurons share. */
typedef struct NeuronLooker NeuronLooker;

/* gpt, games and probe (or NULL; probe_check_mine) are borrowed. Returns 0, OGPT_ENUM,
 * OGPT_ENOMEM. */
int neuron_looker_open(NeuronLooker **out, const Gpt *gpt, const NeuronGames *games,
                       const Probe *probe, const NeuronLookOptions *options);
void neuron_looker_free(NeuronLooker *looker);
size_t neuron_looker_bytes(const GptConfig *cfg, size_t n_positions, size_t test_games,
                           const Work *work);
/* looks (n) of these neurons of a layer. Decile positions are drawn by work->seed. The same bits
 * for any number of workers; another choice of neurons changes only last digits of linear_r2.
 * Returns as neuron_values_read. */
int neuron_looks_make(NeuronLook *looks, const NeuronLooker *looker, int layer, const int *neurons,
                      size_t n, const Work *work);

/* The parts, for values (n) of one neuron that are at hand. `top` and `deciles` of a look whose
 * layer and neuron are set; ranked: (n), scratch. */
typedef struct NeuronRanked {
    float value;
    uint32_t position;
} NeuronRanked;
void neuron_look_sights(NeuronLook *look, const NeuronGames *games, const float *values,
                        NeuronRanked *ranked, uint64_t seed);
/* As NeuronLook.value_legal; top: the move. */
void neuron_look_value(double *legal, double *by_chance, const NeuronGames *games,
                       const float *values, double largest, int top);

#endif
