/* probes/lens/lens_decode.h - where each place stands between input tokens and output moves.
 *
 * At every place one linear reader, fitted in closed form (lens_ridge.h) on training rows, guesses
 *
 * - the token just read, one-hot: `token` is the share of test positions with the right one on top,
 *   `input` the R2 of the one-hot numbers;
 *
 * - the token before it, one-hot: `previous` is the share that is right;
 *
 * - the network's own logits of all moves, their mean taken off: `output` is the R2.
 *
 * The same rows, the same method, the same measure for input and output, so the two curves can be
 * compared. R2 = 1 - sum |y - guess|^2 / sum |y - training mean|^2 over test positions.
 */
#ifndef OGPT_PROBES_LENS_LENS_DECODE_H
#define OGPT_PROBES_LENS_LENS_DECODE_H

#include "probes/ablation/ablation_draws.h"
#include "probes/lens/lens.h"
#include "probes/lens/lens_ridge.h"

typedef struct LensDecoded {
    Interval token, previous, input, output;
} LensDecoded;

/* Positions and what is to be guessed there; borrowed. finals (n, d_vocab): logits. */
typedef struct LensDecodeSet {
    const PositionSet *set;
    const float *finals;
} LensDecodeSet;

/* One place. design: of the training rows; x: the test rows there. work: the pool. Returns 0 or
 * OGPT_ENOMEM. */
typedef struct LensDecodeInputs {
    LensDecodeSet train, test;
    const LensDesign *design;
    const float *x;
    const AblationDraws *draws; /* over the test games */
} LensDecodeInputs;
int lens_decode(LensDecoded *out, const LensDecodeInputs *in, const Work *work);

#endif
