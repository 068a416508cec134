/* probes/edits/edit_chunks.h - a set of cases scored in fixed chunks. Private to probes/.
 *
 * What probes/edits/intervene.c and probes/edits/edit_metrics_run.c share: the order of the cases,
 * chunks over the pool, the journal, progress, and asking a predictor. A chunk comes to `width`
 * numbers. Chunks run a few at a time (a window), and what a window finished is kept before the
 * next one begins, also when another chunk of it failed: an interrupt costs unfinished chunks
 * alone. Neither the workers nor the window change a number.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_CHUNKS_H
#define OGPT_PROBES_EDITS_EDIT_CHUNKS_H

#include "datasets/vocab.h"
#include "probes/edits/intervene.h"

enum { EDIT_MAX_VOCAB = 64 };

typedef struct EditChunks {
    const EditPredictor *predictor;
    const CaseSet *set;
    const Vocab *vocab;
    const EditSettings *settings;
    size_t *order; /* (set->n) longest history first: a chunk is padded to its longest; owned */
    size_t n, width;
    double *values; /* (n, width) what each chunk came to, 0 before; owned */
} EditChunks;

/* Returns 0, OGPT_EFORMAT (the predictor answers for another board), OGPT_ENOMEM. */
int edit_chunks__init(EditChunks *out, const EditPredictor *predictor, const CaseSet *set,
                      const EditSettings *settings, size_t width);
void edit_chunks__release(EditChunks *chunks);

/* Fill the values (width) of one chunk. The query names its cases and has zero norms. */
typedef int (*EditChunkJob)(void *context, double *values, EditQuery *query, size_t worker);
/* Recall or fill every chunk. Returns 0, or the first error of a job or of the journal. */
int edit_chunks__run(const EditChunks *chunks, EditChunkJob job, void *context);

/* Ask for one version, `plan` NULL for VERSION_NONE. logits (query->n, d_vocab), all finite.
 * Returns 0, OGPT_EINTR, OGPT_ENUM, or what the predictor returned. */
int edit__ask(float *logits, const EditPredictor *predictor, EditQuery *query, EditVersion version,
              const EditPlan *plan, size_t worker);
/* OGPT_ENUM naming case and token when a logit is not finite. */
int edit__check_logits(const float *logits, int d_vocab, const EditQuery *query);

#endif
