/* probes/features/features_handles.h - features as handles of the board: which features say that a
 * square is in a state, and how a row moves when they are clamped.
 *
 * The features of a state of a square are the first of its pair by coverage_rank.h, on games that
 * are not reported. Turning a square from one state to another clamps the features of the old state
 * to 0 and those of the new state to their mean where they are on. A feature of both (of two
 * squares that are edited together) stays as it is. With f and f' the code before and after,
 *   x += sum over the clamped features of (f'_j - f_j) W_dec[j]
 * so x moves as its reconstruction does, and what the autoencoder leaves out of x stays in it.
 *
 * As vectors of a square, which do not ask what is on: the sum of mean W_dec over the features of
 * the new state, minus that over those of the old one.
 */
#ifndef OGPT_PROBES_FEATURES_FEATURES_HANDLES_H
#define OGPT_PROBES_FEATURES_FEATURES_HANDLES_H

#include "base/hash.h"
#include "datasets/corpus.h"
#include "model/gpt.h"
#include "probes/board/direction_set.h"
#include "probes/dictionaries/codebook_score.h"
#include "probes/dictionaries/coverage_rank.h"
#include "probes/sae/sae.h"
#include "probes/steering/steer_bank.h"

enum { FEATURES_HANDLES_MOST = 64 }; /* features of a state that are ranked */

typedef struct FeaturesHandles {
    const Sae *sae; /* borrowed */
    CoverageRank rank;
    float *mean_on; /* (features) where it is on; 0: never; owned */
    size_t n_games, n_positions;
} FeaturesHandles;

/* The games that choose: the validation split of a corpus, or fresh ones by the work's seed. */
typedef struct FeaturesGames {
    const Gpt *gpt;
    const GameVariant *variant;
    Corpus *corpus; /* borrowed; NULL: fresh games */
    size_t n;
} FeaturesGames;
/* What features_handles_make does, on all positions of these games. Returns as that,
 * codebook_inputs_draw_set and activations_capture. */
int features_handles_choose(FeaturesHandles *out, const Sae *sae, const FeaturesGames *games,
                            const Work *work);
/* Bytes that it takes, at most. */
size_t features_handles_choose_bytes(const Sae *sae, const FeaturesGames *games);
/* rows: of games that choose. Any number of workers gives the same bits. work: pool. Returns 0,
 * OGPT_EINTR, OGPT_ENUM (a feature is not finite), OGPT_ENOMEM; features_handles_release in each
 * case. */
int features_handles_make(FeaturesHandles *out, const Sae *sae, const CodebookRows *rows,
                          const Work *work);
void features_handles_release(FeaturesHandles *handles);
/* What they say and change, into the key of a journal; nothing of handles that were not made. */
void features_handles_hash(Sha256 *hash, const FeaturesHandles *handles);

/* The definition above as a mover of rows, for the method sae of probes/edits/edit_plan.h: an owner
 * of directions with one layer. out borrows the mover, and the mover the handles. */
void features_handles_directions(BoardDirections *out, BoardMover *mover,
                                 const FeaturesHandles *handles, const GameVariant *variant);

typedef struct FeaturesSteering {
    SteerTarget target;
    const GameVariant *variant;
    uint64_t groups;    /* that are steered, as bits */
    size_t per_state;   /* features of a state */
    const bool *chosen; /* (features) that may be used of them; NULL: all */
} FeaturesSteering;
/* The vectors of each group of a target at the layer of the autoencoder; all other layers are zero.
 * A side of several classes takes the mean of theirs, a group of several squares the sum. groups:
 * those with a vector, as bits. Returns 0, OGPT_ENOMEM, OGPT_EUSAGE (no group that is steered has
 * one). */
int features_handles_bank(SteerBank *out, uint64_t *groups, const FeaturesHandles *handles,
                          const GptConfig *cfg, const FeaturesSteering *steering);

#endif
