/* probes/sae/training/sae_kept_rows.c - contract in probes/sae/training/sae_kept_rows.h. */
#include "probes/sae/training/sae_kept_rows.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

static int keep(float **out, const float *rows, size_t n)
{
    *out = mem_alloc(n, sizeof(float), "rows that are kept for the next autoencoder");
    if (*out) {
        memcpy(*out, rows, n * sizeof(float));
    }
    return *out ? 0 : OGPT_ENOMEM;
}

static int fill_kept(void *context, float *x, float *y, size_t *rows, uint64_t block,
                     const Work *work)
{
    SaeKeptRows *kept = context;
    const SaeStream *from = &kept->from;
    if (!kept->blocks) {
        kept->blocks = mem_calloc(kept->n, sizeof(*kept->blocks), "blocks of rows");
    }
    if (!kept->blocks) {
        return OGPT_ENOMEM;
    }
    SaeKeptBlock *own = block < kept->n ? &kept->blocks[block] : NULL;
    if (own && own->rows > 0) {
        *rows = own->rows;
        memcpy(x, own->x, own->rows * from->d_in * sizeof(float));
        if (y) {
            memcpy(y, own->y, own->rows * from->d_out * sizeof(float));
        }
        return 0;
    }
    int rc = from->fill(from->context, x, y, rows, block, work);
    if (own && rc == 0) {
        rc = keep(&own->x, x, *rows * from->d_in);
        rc = rc || !y ? rc : keep(&own->y, y, *rows * from->d_out);
        own->rows = rc ? 0 : *rows;
    }
    return rc;
}

SaeStream sae_stream_kept(SaeKeptRows *kept)
{
    SaeStream out = kept->from;
    out.context = kept;
    out.fill = fill_kept;
    return out;
}

void sae_kept_release(SaeKeptRows *kept)
{
    for (size_t i = 0; kept->blocks && i < kept->n; i++) {
        mem_free(kept->blocks[i].x);
        mem_free(kept->blocks[i].y);
    }
    mem_free(kept->blocks);
    kept->blocks = NULL;
}
