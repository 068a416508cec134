/* probes/edits/edit_chunks.h - a set of cases worked through in fixed chunks. Private to the room.
 *
 * A chunk gives `width` numbers. Chunks run a few at a time (a window), and what a window finished
 * is kept before the next one begins, also when another chunk of it failed: an interrupt costs
 * unfinished chunks alone. Then the numbers are handed over, in the order of the chunks, and
 * forgotten. Neither the workers nor the window change a number. A chunk is asked
 * about every plan before the next chunk, so that a network computes what its plans share once.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_CHUNKS_H
#define OGPT_PROBES_EDITS_EDIT_CHUNKS_H

#include "base/work.h"
#include "datasets/vocab.h"
#include "probes/edits/edit_predictor.h"

typedef struct EditChunks {
    const EditPredictor *predictor;
    const CaseSet *set;
    const Vocab *vocab;
    const EditScoring *scoring;
    const Work *work;
    size_t *order; /* (set->n) longest history first: a chunk is padded to its longest; owned */
    size_t n, width;
} EditChunks;

/* *out holds predictor, set, scoring, work and width; the rest is filled in. Returns 0,
 * OGPT_EFORMAT (the predictor answers for another board), OGPT_ENOMEM. */
int edit_chunks__init(EditChunks *out);
void edit_chunks__release(EditChunks *chunks);

/* Fill the values (width) of one chunk, 0 before. The query names its cases and has zero norms. */
typedef int (*EditChunkJob)(void *context, double *values, EditQuery *query, size_t worker);
/* Take over the values of one chunk, on the calling thread. Returns 0 or OGPT_E*. */
typedef int (*EditChunkTake)(void *context, const double *values, size_t chunk);
/* Recall or fill every chunk. Ticks: the stage of the scoring at the beginning, then "chunks".
 * Returns 0, OGPT_ENOMEM, or the first error of a job, of `take` or of the journal. */
int edit_chunks__run(const EditChunks *chunks, EditChunkJob job, EditChunkTake take, void *context);

#endif
