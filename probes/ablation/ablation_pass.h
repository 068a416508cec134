/* probes/ablation/ablation_pass.h - one worker: a few positions held, and passes over them with
 * units replaced. Private to the room.
 *
 * Scope last: the last positions of up to 64 histories are the rows of one pass (model/prefix.h),
 * which begins at the first layer that a unit touches. Scope all: up to 16 whole histories.
 *
 * A pass that puts back what it replaced has the bits of the clean pass: both run the same kernels
 * on the same rows, because the clean pass is made in the same way (all rows from block 0, products
 * of attn_out and mlp_out apart), and a later start takes the clean stream from it.
 */
#ifndef OGPT_PROBES_ABLATION_ABLATION_PASS_H
#define OGPT_PROBES_ABLATION_ABLATION_PASS_H

#include "model/prefix.h"
#include "probes/ablation/ablation.h"
#include "probes/ablation/ablation_internal.h"

enum { ABLATION_CHUNK_LAST = 64, ABLATION_CHUNK_ALL = 16, ABLATION_CHUNK_MOST = 64 };

typedef struct AblationWorker {
    const AblationInputs *in;
    AblationLayout layout;
    size_t room, plies; /* positions of a chunk; rows kept of each: 1, or n_ctx in scope all */
    Prefix *prefix;     /* scope last */
    Tape *tape;         /* scope all, and games that lend */
    size_t first, n;    /* positions held; n = 0: none */
    size_t T;           /* longest history */
    bool lent_held[2];  /* whether `lent` holds values of these positions */
    uint8_t tokens[ABLATION_CHUNK_MOST * GAME_MAX_MOVES], lengths[ABLATION_CHUNK_MOST];
    /* Values of the clean pass, and of the games that lend: (room, plies, row). */
    real *clean, *lent[2];
    real *streams;         /* (2L+1, room, plies, C) clean: pre of each block and the end, then mid
                            * of each block */
    real *end;             /* (room, C) stream behind the last block in the pass under way */
    real *gradient;        /* (room, C) d metric / d that stream, the final scale held */
    real *gradient_z;      /* (L, room, C) the same for z of a layer */
    real *clean_logits;    /* (room, V) */
    real *direction;       /* (C) */
    double *clean_metric;  /* (room) */
    double *clean_scale;   /* (room) of the final LayerNorm */
    double *direct, *part; /* (room), (n_senders, room): of the pass under way */
    uint8_t *skip;         /* (n_senders) parts that the set itself replaces */
} AblationWorker;

int ablation_worker__init(AblationWorker *out, const AblationInputs *in);
void ablation_worker__release(AblationWorker *worker);
size_t ablation_worker__bytes(const GptConfig *cfg, bool all);
/* Hold positions first .. first+n-1: read their histories, and keep the clean pass. Nothing happens
 * if they are held already. */
int ablation_worker__hold(AblationWorker *worker, size_t first, size_t n);
/* Hold the values of the games that lend to them: 0 resample, 1 matched. Once for each chunk. */
void ablation_worker__hold_lent(AblationWorker *worker, int which);
/* sqrt(variance + eps) of a stream (C). */
double ablation_worker__scale(const AblationWorker *worker, const real *x);
/* Wrong moves and strict error of an answer (V) at a position. */
void ablation_worker__judge(AblationEffect *out, const AblationPositions *positions, size_t i,
                            const real *logits);
/* Clean metric and judgement of the positions held. */
void ablation_worker__clean(const AblationWorker *worker, AblationEffect *out);
/* Replace the units of a set in one pass. effects (n held) are filled; parts (n_senders) gets the
 * sums over the positions added; *identity is raised to the largest |TE - (DE - R)|. Returns 0 or
 * OGPT_ENUM (answers that are not finite). */
int ablation_worker__run(AblationWorker *worker, AblationEffect *effects, double *parts,
                         double *identity, const AblationSet *set);

#endif
