/* probes/lens/lens_order.h - which comes first, the board or the move?
 *
 * Criteria, each a yes or no for a position and a layer (the embedding, then resid_post of every
 * block):
 *   board        the probe of the layer reads every square right
 *   board_moves  the moves that the rules allow on the board it reads are the legal moves
 *   logit, tuned the lens' top-N tokens are the N legal moves
 *   legal        a probe of the task "legal" puts the N legal squares on top
 * Board and legal are tuned alike: the same rows, solver and strength of L2, one fit a layer. Two
 * of them (board_moves, and each move criterion) ask the same thing: the set of legal moves.
 *
 * A criterion arrives at the first layer where it holds (rule "first"), or at the first from which
 * on it holds to the end (rule "settled"; a lucky hit does not count). Where it never holds it
 * arrives behind every layer.
 */
#ifndef OGPT_PROBES_LENS_LENS_ORDER_H
#define OGPT_PROBES_LENS_LENS_ORDER_H

#include "base/enums.h"
#include "probes/lens/lens_measure.h"
#include "probes/lens/lens_ridge.h"
#include "probes/board/scores.h"

#define LENS_CRITERIA(X)                                                                           \
    X(LENS_BOARD_RIGHT, "board")                                                                   \
    X(LENS_BOARD_MOVES, "board_moves")                                                             \
    X(LENS_MOVE_LOGIT, "logit")                                                                    \
    X(LENS_MOVE_TUNED, "tuned")                                                                    \
    X(LENS_MOVE_LEGAL, "legal")
typedef enum LensCriterion { LENS_CRITERIA(ENUM_ID) N_LENS_CRITERIA } LensCriterion;
const char *lens_criterion_name(LensCriterion criterion);

#define LENS_BANDS 6 /* of plies; band LENS_BANDS is all of them */

/* The board and the move that are compared. */
typedef struct LensPair {
    LensCriterion board, move;
} LensPair;
enum { N_LENS_PAIRS = 5 };

/* One pair, rule and band: shares of positions. */
typedef struct LensOrderRow {
    LensPair pair;
    bool settled;
    int ply_from, ply_to; /* moves seen */
    size_t positions;
    Interval move_first, board_first, together, neither;
    Interval lead; /* move_first - board_first */
} LensOrderRow;

/* At one layer and band: share of positions where each criterion holds. */
typedef struct LensArrival {
    int layer, ply_from, ply_to;
    size_t positions;
    Interval holds[N_LENS_CRITERIA];
} LensArrival;

typedef struct LensOrder {
    int n_layers;   /* with the embedding */
    size_t n;       /* positions */
    uint8_t *holds; /* (N_LENS_CRITERIA, n_layers, n); owned */
    size_t n_rows, n_arrivals;
    LensOrderRow *rows;                               /* (pairs, rules, bands + 1); owned */
    LensArrival *arrivals;                            /* (n_layers, bands + 1); owned */
    Interval legal_f1[LAYERS_MAX], cells[LAYERS_MAX]; /* of the two probes that were fitted */
} LensOrder;

/* From holds to rows and arrivals. set: the positions; draws: over its games. */
int lens_order_finish(LensOrder *order, const PositionSet *set, const AblationDraws *draws);
int lens_order_make(LensOrder *out, int n_layers, size_t n_positions);
void lens_order_release(LensOrder *order);

/* Everything: probes of the board and of legal moves, fitted on the training rows and read on the
 * test rows; the lenses as they were measured. work: pool, journal, tick("layers"). */
typedef struct LensOrderInputs {
    const LabelledSet *train, *test; /* of the task "mine", labels "mover" */
    const LensRows *train_rows, *test_rows;
    const LensMeasured *measured; /* readers LENS_LOGIT and LENS_TUNED */
    const AblationDraws *draws;
} LensOrderInputs;
int lens_order_read(LensOrder *out, const LensOrderInputs *in, const Work *work);

#endif
