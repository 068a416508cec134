/* probes/heads/head_tally.c - see probes/heads/head_tally.h. */
#include "probes/heads/head_tally.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

const HeadDetector head_beyond[N_HEAD_BEYOND] = {HEAD_MINE, HEAD_RAY, HEAD_FLIPPED, HEAD_NEIGHBOUR};

int head_dispute_sign(const HeadKeys *keys, int t, int s)
{
    bool there = s >= 1 && s <= t - 2 && (keys->disputed >> s & 1) != 0;
    bool mine = (keys->sets[HEAD_MINE] >> s & 1) != 0;
    return !there ? 0 : mine ? 1 : -1;
}

/* ---- what the games alone say ---- */

static void count_game(HeadTally *tally, size_t g)
{
    const HeadKeys *keys = head_games_keys(tally->games, g);
    double *deciding = tally->deciding + g * N_HEAD_SETS,
           *uniform = tally->uniform + g * N_HEAD_SETS;
    for (size_t t = 0; t < tally->games->n_queries[g]; t++) {
        unsigned bits = head_deciding(&keys[t]);
        double *mean = tally->key_mean + head_triangle(t) * N_HEAD_BEYOND;
        tally->at[t] += 1;
        tally->ordinary_at[t] += keys[t].disputed == 0 ? 1 : 0;
        tally->counted[g] += t >= 1 ? 1 : 0;
        for (int d = 0; d < N_HEAD_SETS; d++) {
            if (bits >> d & 1) {
                deciding[d] += 1;
                uniform[d] += (double)__builtin_popcountll(keys[t].sets[d]) / (double)(t + 1);
            }
        }
        for (size_t s = 0; s <= t; s++) {
            for (int j = 0; j < N_HEAD_BEYOND; j++) {
                HeadDetector d = head_beyond[j];
                bool in = (bits >> d & 1) && (keys[t].sets[d] >> s & 1);
                mean[s * N_HEAD_BEYOND + (size_t)j] += in ? 1 : 0;
            }
        }
    }
}

static void count_games(HeadTally *tally)
{
    for (size_t g = 0; g < tally->games->n; g++) {
        count_game(tally, g);
    }
    for (size_t t = 0; t < tally->T; t++) {
        double *mean = tally->key_mean + head_triangle(t) * N_HEAD_BEYOND;
        for (size_t i = 0; i < (t + 1) * N_HEAD_BEYOND && tally->at[t] > 0; i++) {
            mean[i] /= tally->at[t];
        }
    }
}

/* ---- memory ---- */

typedef struct TallyArray {
    void **to;
    size_t count, size;
} TallyArray;

static size_t arrays_of(TallyArray arrays[12], HeadTally *tally, size_t n)
{
    size_t H = tally->H, T = tally->T, triangle = head_triangle(T), k = 0;
    arrays[k++] = (TallyArray){(void **)&tally->at, T, sizeof(double)};
    arrays[k++] = (TallyArray){(void **)&tally->ordinary_at, T, sizeof(double)};
    arrays[k++] = (TallyArray){(void **)&tally->key_mean, triangle * N_HEAD_BEYOND, sizeof(double)};
    arrays[k++] = (TallyArray){(void **)&tally->deciding, n * N_HEAD_SETS, sizeof(double)};
    arrays[k++] = (TallyArray){(void **)&tally->uniform, n * N_HEAD_SETS, sizeof(double)};
    arrays[k++] = (TallyArray){(void **)&tally->counted, n, sizeof(double)};
    arrays[k++] = (TallyArray){(void **)&tally->sums, n * H * N_HEAD_SUMS, sizeof(double)};
    arrays[k++] = (TallyArray){(void **)&tally->columns, n * H * T, sizeof(float)};
    arrays[k++] = (TallyArray){(void **)&tally->ordinary, H * triangle, sizeof(double)};
    arrays[k++] = (TallyArray){(void **)&tally->disputed, H * triangle, sizeof(double)};
    return k;
}

size_t head_tally_bytes(size_t n_games, size_t H, size_t T)
{
    TallyArray arrays[12];
    HeadTally shape = {.H = H, .T = T};
    size_t k = arrays_of(arrays, &shape, n_games), bytes = 0;
    for (size_t i = 0; i < k; i++) {
        bytes += arrays[i].count * arrays[i].size;
    }
    return bytes;
}

int head_tally_open(HeadTally *out, const HeadGames *games, const HeadGames *twins, size_t n_layers,
                    size_t n_heads)
{
    TallyArray arrays[12];
    int rc = 0;
    *out = (HeadTally){.games = games,
                       .twins = twins && twins->n > 0 ? twins : NULL,
                       .H = n_layers * n_heads,
                       .NH = n_heads,
                       .T = games->T,
                       .triangle = head_triangle(games->T)};
    size_t k = arrays_of(arrays, out, games->n);
    for (size_t i = 0; i < k && rc == 0; i++) {
        *arrays[i].to = mem_calloc(arrays[i].count, arrays[i].size, "sums of attention");
        rc = *arrays[i].to ? 0 : OGPT_ENOMEM;
    }
    if (rc == 0) {
        count_games(out);
    }
    return rc;
}

void head_tally_release(HeadTally *tally)
{
    TallyArray arrays[12];
    size_t k = arrays_of(arrays, tally, 0);
    for (size_t i = 0; i < k; i++) {
        mem_free(*arrays[i].to);
    }
    *tally = (HeadTally){0};
}

/* ---- attention ---- */

/* The lane of the twin: keys that the game of the same place among `twins` disputes at t. */
static void twin_row(float *row, const HeadTally *tally, size_t g, int t)
{
    const HeadGames *twins = tally->twins;
    size_t twin = twins ? g % twins->n : 0;
    if (!twins || (size_t)t >= twins->n_queries[twin] ||
        head_games_keys(tally->games, g)[t].disputed != 0) {
        return;
    }
    const HeadKeys *keys = head_games_keys(twins, twin) + t;
    for (int s = 0; s <= t; s++) {
        row[(size_t)s * HEAD_LANES + LANE_TWIN] = (float)head_dispute_sign(keys, t, s);
    }
}

void head_tally_weights(float *weights, const HeadTally *tally, size_t g)
{
    const HeadKeys *keys = head_games_keys(tally->games, g);
    memset(weights, 0, tally->triangle * HEAD_LANES * sizeof(*weights));
    for (size_t t = 1; t < tally->games->n_queries[g]; t++) {
        unsigned bits = head_deciding(&keys[t]);
        double others = tally->at[t] - 1, scale = others > 0 ? tally->at[t] / others : 0;
        const double *mean = tally->key_mean + head_triangle(t) * N_HEAD_BEYOND;
        float *row = weights + head_triangle(t) * HEAD_LANES;
        for (size_t s = 0; s <= t; s++) {
            float *w = row + s * HEAD_LANES;
            for (size_t d = 0; d < N_HEAD_SETS; d++) {
                w[LANE_SHARE + d] = (float)(bits >> d & 1 & (unsigned)(keys[t].sets[d] >> s));
            }
            for (size_t j = 0; j < N_HEAD_BEYOND; j++) {
                double in = (double)w[LANE_SHARE + head_beyond[j]];
                w[LANE_BEYOND + j] = (float)(scale * (in - mean[s * N_HEAD_BEYOND + j]));
            }
            w[LANE_AGE] = (float)(t - s);
        }
        twin_row(row, tally, g, (int)t);
    }
}

static void add_row(HeadTally *tally, float *mean, size_t g, size_t head, size_t t,
                    const float *attention)
{
    double *sums = tally->sums + (g * tally->H + head) * N_HEAD_SUMS;
    float *columns = tally->columns + (g * tally->H + head) * tally->T;
    float *to = mean + head * tally->triangle + head_triangle(t);
    HeadShape shape = head_shape(attention, t + 1);
    for (size_t s = 0; s <= t; s++) {
        to[s] += attention[s];
        columns[s] += attention[s];
    }
    sums[SUM_ENTROPY] += shape.entropy;
    sums[SUM_LARGEST] += shape.largest;
}

void head_tally_add(HeadTally *tally, float *ordinary, float *disputed, size_t g, size_t layer,
                    const float *attention, const float *weights)
{
    const HeadKeys *keys = head_games_keys(tally->games, g);
    size_t NH = tally->NH, T = tally->T;
    float lanes[64 * HEAD_LANES];
    for (size_t t = 1; t < tally->games->n_queries[g]; t++) {
        const float *rows = attention + t * NH * T;
        float *mean = keys[t].disputed ? disputed : ordinary;
        for (size_t first = 0; first < NH; first += 64) {
            size_t n = NH - first < 64 ? NH - first : 64;
            head_project(lanes, rows + first * T, weights + head_triangle(t) * HEAD_LANES, n, T,
                         t + 1);
            for (size_t h = 0; h < n; h++) {
                size_t head = layer * NH + first + h;
                double *sums = tally->sums + (g * tally->H + head) * N_HEAD_SUMS;
                for (size_t lane = 0; lane < HEAD_LANES; lane++) {
                    sums[lane] += (double)lanes[h * HEAD_LANES + lane];
                }
                add_row(tally, mean, g, head, t, rows + (first + h) * T);
            }
        }
    }
}

void head_tally_gather(HeadTally *tally, const float *ordinary, const float *disputed)
{
    for (size_t i = 0; i < tally->H * tally->triangle; i++) {
        tally->ordinary[i] += (double)ordinary[i];
        tally->disputed[i] += (double)disputed[i];
    }
}
