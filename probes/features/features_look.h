/* probes/features/features_look.h - all that is shown of one feature: the positions that move it
 * most, positions drawn from those where it is on, and what clamping it does to the answer.
 *
 * Clamping: at the last position of a history the feature's value f becomes c, so that c - f times
 * its column is added to the row; the other features and what the dictionary does not rebuild stay.
 * c is 0 or the mean of its values where it is on. The rules judge the answer by the board as it
 * is. Two twins: the same change along a random direction as long as the column, and clamping to 0
 * at positions where the feature is off, which changes no bit.
 */
#ifndef OGPT_PROBES_FEATURES_FEATURES_LOOK_H
#define OGPT_PROBES_FEATURES_FEATURES_LOOK_H

#include "base/enums.h"
#include "probes/activations/positions.h"
#include "probes/features/features_table.h"

/* X(enumerator, where, value) */
#define FEATURES_CLAMPS(X)                                                                         \
    X(FEATURES_ON_ZERO, "on", "0")                                                                 \
    X(FEATURES_ON_RANDOM, "on", "0 along a random direction")                                      \
    X(FEATURES_ON_MEAN, "on", "mean when on")                                                      \
    X(FEATURES_OFF_MEAN, "off", "mean when on")                                                    \
    X(FEATURES_OFF_ZERO, "off", "0")
typedef enum FeaturesClampKind { FEATURES_CLAMPS(ENUM_ID) N_FEATURES_CLAMPS } FeaturesClampKind;
const char *features_clamp_where(FeaturesClampKind kind); /* static */
const char *features_clamp_value(FeaturesClampKind kind); /* static */

/* Means over n positions; NaN without any. With N legal moves, the answer's moves are the N tokens
 * of highest logit. */
typedef struct FeaturesClamp {
    size_t n;
    double wrong, wrong_clean;     /* moves of the answer that are not legal + legal ones missing */
    double strict, strict_clean;   /* share whose first move is not legal */
    double made_legal, made_wrong; /* moves that come into the answer: legal ones, others */
    double kl;                     /* nats from the answer of the unchanged network */
    double change[BOARD_SQUARES];  /* of ln p of each move; NaN: no move */
} FeaturesClamp;

/* A test position, and the feature's value there. */
typedef struct FeaturesSight {
    uint32_t position, game;
    int n_moves; /* that the network has seen */
    uint8_t last;
    Board board;     /* behind them */
    uint64_t turned; /* discs that the last move turned over */
    double value;
} FeaturesSight;

#define FEATURES_SHOWN 8
typedef struct FeaturesLook {
    size_t feature;
    size_t n_top, n_drawn;
    FeaturesSight top[FEATURES_SHOWN];   /* largest first, each of another game */
    FeaturesSight drawn[FEATURES_SHOWN]; /* of those where it is on, in the order of the draw */
    FeaturesClamp clamps[N_FEATURES_CLAMPS];
} FeaturesLook;

typedef struct FeaturesLookInput {
    const Gpt *gpt;
    HookSite site; /* of the dictionary */
    int layer;
    const float *columns;    /* (features, width) */
    const PositionSet *test; /* the positions of table->values */
    const FeaturesTable *table;
    size_t clamped; /* positions where it is on, and where it is off, at most; 0: no clamping */
} FeaturesLookInput;
/* Looks at n features. Positions are drawn by work->seed. The same bits for any number of workers.
 * work: pool, tick("looks"), journal: what clamping a feature does is a block, whose index is the
 * feature. Returns 0, OGPT_EFORMAT (a game breaks the rules), OGPT_EINTR,
 * OGPT_ENUM (logits that are not finite), OGPT_ENOMEM. */
int features_looks_make(FeaturesLook *out, const FeaturesLookInput *in, const size_t *features,
                        size_t n, const Work *work);

#endif
