/* probes/sae/training/sae_net.h - one step of training: a batch in, a gradient out. Private to this
 * room.
 *
 * Parameters are one vector; gradients and Adam's moments are laid out like it. Rows are centred
 * and scaled. The phases of a step, each cut into fixed jobs:
 *   encode   pre (batch, features) by one product a chunk of rows, and which are kept
 *   rows     what is rebuilt, its error, and coefficients of the gradient, chunk by chunk
 *   columns  the gradient of W_enc and W_dec, feature by feature
 * "Plain" does rows and columns with whole matrices, "fast" touches kept features only.
 */
#ifndef OGPT_PROBES_SAE_TRAINING_SAE_NET_H
#define OGPT_PROBES_SAE_TRAINING_SAE_NET_H

#include "probes/sae/training/sae_train.h"

#define CHUNK_ROWS 256      /* of a job over rows */
#define BLOCK_FEATURES 64   /* of a job over features */
#define SAE_BANDWIDTH 0.05F /* of the straight-through rectangle */
#define SAE_GROUPS_MAX 5    /* prefixes of matryoshka: m/16 .. m */
#define SAE_AUX_WEIGHT (1.0 / 32)

/* Indices of draws by (seed, RNG_SAE). */
#define SAE_DRAW_WEIGHTS UINT64_C(0)
#define SAE_DRAW_SHUFFLE (UINT64_C(1) << 40)
#define SAE_DRAW_ROWS (UINT64_C(1) << 50)

typedef struct SaeNet {
    SaeKind kind;
    size_t d_in, d_out, m;
    /* First numbers in the vector of w_enc (m,d_in), w_dec (m,d_out), b_enc (m), b_dec (d_out); of
     * theta or r_mag (m) and of b_mag (m), where the kind has them. n: of all. */
    size_t w_enc, w_dec, b_enc, b_dec, extra, b_mag, n;
    float *params; /* (n) */
} SaeNet;

/* What a step is asked for. */
typedef struct SaeAsk {
    size_t rows; /* of the batch */
    size_t k;
    double l1;           /* weight of the penalty of standard and gated, now */
    double l0;           /* goal of jumprelu */
    double l0_weight;    /* weight of (L0 / l0 - 1)^2, now */
    const uint8_t *dead; /* (m) 1: silent for long; NULL: nobody is */
    SaePath path;
} SaeAsk;

typedef struct SaeSums {
    double error, power; /* sums over rows of |x_hat - y|^2 and |y|^2 */
    double active;       /* features kept, over all rows */
    double penalty, aux; /* what is added to the mean error */
    double
        extra_error; /* gated: sum of the second error; matryoshka: of those of shorter prefixes */
    float least;     /* the smallest value kept; 0 if none */
    bool fast;       /* which path was taken */
} SaeSums;

/* Lists of kept features, by rows and by features. */
typedef struct SaeList {
    size_t room;              /* entries */
    size_t *row_at, *row_end; /* (rows) entries row_at .. row_end - 1 of each row */
    uint32_t *index;          /* the feature of an entry, ascending in a row */
    float *f, *c;             /* its value, and d loss / d (W_enc u) */
    float *dmag;              /* gated: d loss / d size; jumprelu: d loss / d theta; else NULL */
    size_t *column_at;        /* (m + 1) first place of each feature in `entry` */
    uint32_t *entry, *row;    /* entries by feature, rows ascending; and the row of each */
    uint32_t *counts;         /* (chunks, m) */
} SaeList;

typedef struct SaeStep {
    const SaeNet *net;
    SaeAsk ask;
    const float *x, *y; /* (rows, d_in), (rows, d_out) */
    size_t max_rows, n_groups;
    size_t group_end[SAE_GROUPS_MAX]; /* features of each prefix */
    float *pre;                       /* (rows, m); the plain path leaves its coefficients c here */
    float *dense_f;                   /* (rows, m) of the plain path; NULL if it is never taken */
    float *dense_dmag;                /* (rows, m) the same, of gated and jumprelu */
    float *scratch;                   /* (workers, 2, CHUNK_ROWS, m) the same */
    float *b_pre;                     /* (m) b_enc - W_enc b_dec */
    float *least;    /* jumprelu (m): pre above which a feature is listed; topk (rows): the smallest
                      * value kept */
    uint32_t *equal; /* (rows) topk: how many of those with the smallest value are kept */
    float limit;     /* batchtopk: values above it are kept */
    float *g;        /* (groups, rows, d_out) d loss / d x_hat, summed over prefixes from each on */
    float *residual; /* (rows, d_out) x_hat - y of the whole code */
    float *g_aux;    /* (rows, d_out) of gated's second error, then of the dead */
    SaeList kept, revived;
    size_t aux_k;   /* dead features a row at most */
    uint32_t *dead; /* (n_dead) */
    size_t n_dead;
    float *dead_pre;  /* (workers, m) */
    uint32_t *bins;   /* (chunks, SELECT_BINS) */
    float *high;      /* (chunks, CHUNK_ROWS, m / 4 + 1) what is above `floor`: kinds with k */
    size_t *n_high;   /* (chunks) */
    float floor;      /* a guess from the step before: saves time, changes nothing */
    double *row_sums; /* (chunks, N_ROW_SUMS + 2 d_out) */
    double *column_c; /* (m) sums of c */
    uint8_t *fired;   /* (m) whether a feature is active in this batch */
    float *gradient;  /* (n) */
    double aux_scale; /* of the error of the dead: weight * d / variance; 0: nobody is dead */
    SaeSums sums;
    Arena arena;
} SaeStep;

/* Offsets and n of a kind and its sizes; params stays NULL. */
SaeNet sae__net_layout(SaeKind kind, size_t d_in, size_t d_out, size_t features);
/* The first weights. */
void sae__net_draw(SaeNet *net, uint64_t seed);
/* The name of the tensor that holds number i. */
const char *sae__net_tensor(const SaeNet *net, size_t i);

size_t sae__step_bytes(const SaeNet *net, const SaeTrainOptions *options, size_t workers);
int sae__step_init(SaeStep *step, const SaeNet *net, const SaeTrainOptions *options,
                   size_t workers);
void sae__step_release(SaeStep *step);
/* gradient, fired and sums of one batch. Returns 0 or OGPT_E* of the pool. */
int sae__step_run(SaeStep *step, const float *x, const float *y, const SaeAsk *ask,
                  const Work *work);

/* ---- the parts of a step ---- */

/* pre, limits, rows of the list, and how many entries it has; jumprelu lists its window too. */
int sae__encode(SaeStep *step, size_t *entries, const Work *work);
/* Whether pre of feature j in row r is listed; to be asked in the order of j. *equal is equal[r] at
 * first, and counts down (topk). */
static inline bool sae__keeps(const SaeStep *step, float pre, size_t r, size_t j, uint32_t *equal)
{
    switch (step->net->kind) {
    case SAE_TOPK:
        if (pre == step->least[r] && pre > 0 && *equal > 0) {
            (*equal)--;
            return true;
        }
        return pre > step->least[r] && pre > 0;
    case SAE_JUMPRELU: return pre > step->least[j];
    default: /* limit is 0 in standard and gated */ return pre > step->limit;
    }
}
/* f of a listed feature. */
float sae__value(const SaeNet *net, float pre, size_t j);
/* c of a listed feature, and in *dmag what SaeList says. df = d loss / d f; dgate = d second error
 * / d pre of gated, else 0. */
float sae__coefficient(const SaeStep *step, float *dmag, float pre, float f, float df, float dgate,
                       size_t j);
int sae__rows_plain(SaeStep *step, const Work *work);
int sae__columns_plain(SaeStep *step, const Work *work);
int sae__rows_fast(SaeStep *step, const Work *work);
/* The kept (g, groups as the step has them) or the revived (g_aux); added to the gradient. */
int sae__columns_fast(SaeStep *step, bool revived, const Work *work);
/* List the dead features to be revived: before the rows, which may destroy pre. */
int sae__revive_list(SaeStep *step, const Work *work);
/* Their error and its gradient, added to `gradient`. */
int sae__revive(SaeStep *step, const Work *work);
/* Entries by rows become entries by features. */
int sae__list_turn(SaeStep *step, SaeList *list, const Work *work);

/* What a chunk of rows adds up, in this order; then d_out sums of d loss / d x_hat and d_out of the
 * residual. Chunks are added in their order. */
enum {
    SUM_ERROR,
    SUM_POWER,
    SUM_ACTIVE,
    SUM_F,     /* of f (standard), or of pre where it is positive (gated) */
    SUM_EXTRA, /* gated: the second error; matryoshka: errors of shorter prefixes */
    SUM_AUX,
    SUM_LEAST, /* the smallest f of the chunk: no sum */
    N_ROW_SUMS
};
static inline double *sae__row_sums(const SaeStep *step, size_t chunk)
{
    return step->row_sums + chunk * (N_ROW_SUMS + 2 * step->net->d_out);
}
static inline size_t sae__chunks(const SaeStep *step)
{
    return (step->ask.rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
}
/* Rows first .. end - 1 are those of a chunk; returns first. */
static inline size_t sae__chunk(size_t *end, const SaeStep *step, size_t chunk)
{
    const size_t last = (chunk + 1) * CHUNK_ROWS;
    *end = last < step->ask.rows ? last : step->ask.rows;
    return chunk * CHUNK_ROWS;
}
/* Feature j is done: add sums over its rows of c, of dmag and of dmag f (gated) to its biases, and
 * take b_dec out of its gradient of W_enc, which was made with x in place of u = x - b_dec. */
void sae__column_done(SaeStep *step, size_t j, double c, double dmag, double dmag_f);
/* Note the error of a row in the sums of its chunk: residual = x_hat - y, g0 = d loss / d x_hat. */
void sae__row_done(const SaeStep *step, double *sums, const float *residual, const float *g0,
                   size_t r);

#endif
