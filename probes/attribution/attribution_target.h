/* probes/attribution/attribution_target.h - at which positions of which games which number is
 * attributed.
 *
 * Every position asks for a weighted sum of the columns of a Readout:
 *   delta    mean logit of the legal moves minus mean logit of the other empty squares; of a case
 *            or a pair, of the moves that are legal on one of its two boards only
 *            (probes/graph/pair_metric.h)
 *   move     the logit of a move
 *   centred  the same minus the mean of all moves, which softmax does not see
 *   board    the probe's score of the true class of a square minus that of the other: the mean over
 *            the squares that hold one of the two classes (of a case or a pair: over its edited
 *            squares)
 */
#ifndef OGPT_PROBES_ATTRIBUTION_ATTRIBUTION_TARGET_H
#define OGPT_PROBES_ATTRIBUTION_ATTRIBUTION_TARGET_H

#include "probes/activations/positions.h"
#include "probes/attribution/readout.h"
#include "probes/board/probe.h"
#include "probes/cases/pairs.h"

typedef enum TargetMetric { TARGET_DELTA, TARGET_MOVE, TARGET_CENTRED, TARGET_BOARD } TargetMetric;

/* The number, and how it is read. */
typedef struct AttributionTarget {
    TargetMetric metric;
    int sq;          /* the move (-1: the one played next), or the square (-1: all) */
    bool as_is;      /* board: score of class `one` minus `other`, whatever the square holds */
    Readout readout; /* owned */
    /* board: the probe (borrowed), the index of its layer, and two of its classes. */
    const Probe *probe;
    int index, one, other;
} AttributionTarget;

/* The logits of a network. sq: as above. Returns 0 or OGPT_ENOMEM. */
int attribution_target_logits(AttributionTarget *out, const Gpt *gpt, TargetMetric metric, int sq);
/* The score of a probe at a layer. contrast: "mine-theirs"; NULL: the last class minus the one
 * before it. Returns 0, OGPT_ENOMEM, or OGPT_EUSAGE: a layer that the probe does not hold, a site
 * that is no sum of writes, a hidden layer, classes that it does not know. path: for messages. */
int attribution_target_board(AttributionTarget *out, const Probe *probe, const char *path,
                             int layer, int sq, const char *contrast);
void attribution_target_release(AttributionTarget *target);

/* Positions, and what each asks for. */
typedef struct AttributionPositions {
    PositionSet set; /* owned */
    uint8_t *read;   /* (n_games) moves that the network reads; NULL: all but the last */
    GamePair *pairs; /* (n_games) the two boards of a case or a pair; NULL: a game has one */
    float *weights;  /* (n_positions, K) */
    float *shuffled; /* (n_positions, K) what a position of another game at the same ply asks
                      * for: a control; NULL: there is no other game */
    size_t left_out; /* positions that ask for nothing: no other empty square, no such disc */
} AttributionPositions;

/* As positions_draw. */
int attribution_positions_draw(AttributionPositions *out, GameSource *source, size_t n_games,
                               int plies, const Work *work);
/* The last position of one history of n >= 1 moves, at most n_ctx. */
int attribution_positions_of_game(AttributionPositions *out, const Vocab *vocab,
                                  const uint8_t *moves, int n);
/* The last position of every history of cases, or of every clean history of pairs. */
int attribution_positions_of_cases(AttributionPositions *out, const CaseSet *cases);
int attribution_positions_of_pairs(AttributionPositions *out, const PairSet *pairs);
/* A file of either kind; a file of pairs is known by its header. Errors as cases_read and
 * pairs_read; also OGPT_EFORMAT for a history of more than n_ctx moves. */
int attribution_positions_read(AttributionPositions *out, const GameVariant *variant,
                               const char *path, int n_ctx);
void attribution_positions_release(AttributionPositions *positions);

/* Fill weights and shuffled, and leave out the positions that ask for nothing. Returns 0,
 * OGPT_EUSAGE (nothing is left), OGPT_EFORMAT (a game breaks the rules), OGPT_EINTR, OGPT_ENOMEM.
 */
int attribution_aim(AttributionPositions *positions, const AttributionTarget *target,
                    const Work *work);

#endif
