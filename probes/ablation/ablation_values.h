/* probes/ablation/ablation_values.h - the mean of every unit's output by ply. */
#ifndef OGPT_PROBES_ABLATION_ABLATION_VALUES_H
#define OGPT_PROBES_ABLATION_ABLATION_VALUES_H

#include "base/work.h"
#include "datasets/batch.h"
#include "model/gpt.h"

typedef struct AblationMeans {
    real *rows;       /* (n_ctx, numbers of a row); owned */
    uint64_t *counts; /* (n_ctx) games that reach the ply; owned */
    size_t n_games;
} AblationMeans;

/* Average over games 0 .. n_games-1 of a source (fewer if a corpus holds fewer). The same bits for
 * any number of workers. work: tick("games"). Returns 0, OGPT_EFORMAT (board), OGPT_EINTR,
 * OGPT_ENOMEM. */
int ablation_means_fit(AblationMeans *out, const Gpt *gpt, GameSource *source, size_t n_games,
                       const Work *work);
/* Bytes that it needs, those of the result included. */
size_t ablation_means_bytes(const GptConfig *cfg, size_t n_games, const Work *work);
void ablation_means_release(AblationMeans *means);

#endif
