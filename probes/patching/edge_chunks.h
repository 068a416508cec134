/* probes/patching/edge_chunks.h - the edges into one layer, for one block of pairs. Private to the
 * room.
 *
 * Senders are taken a few at a time: a chunk is as many of them, times the pairs of the block, as
 * fill the rows of a pass. What the heads of a layer would read is the same for all of them, so
 * queries, keys and values are computed once a chunk; then each channel of each head is a pass of
 * its own, from this layer on.
 *   scope last  prefix_rows, in which a hook rewrites the slice of that head
 *   scope all   the attention of that head alone is done again; a pass begins behind it with what
 *               its change adds to the stream, and does the last positions alone of the last block
 */
#ifndef OGPT_PROBES_PATCHING_EDGE_CHUNKS_H
#define OGPT_PROBES_PATCHING_EDGE_CHUNKS_H

#include "probes/patching/edges_internal.h"

typedef struct EdgeChunk {
    const EdgeRuns *runs;
    const EdgeBlock *block;
    EdgeWorker *worker;
    int layer;                  /* of the receivers; n_layers: the logits */
    double *values;             /* (block->n, n_edges) numerators */
    size_t first_edge, n_edges; /* of the layer */
    /* Private: the senders of the chunk, and where they are read. */
    size_t sender, n;
    Receiver receiver;
    size_t T; /* the last so many positions of each pair are rows of the chunk */
} EdgeChunk;

/* All edges into the receivers of chunk->layer. */
void edges__into_layer(EdgeChunk *chunk);

#endif
