/* probes/ablation/ablation_pass.c - one worker: what it holds. See probes/ablation/ablation_pass.h;
 * the passes with units replaced are in ablation_replace.c. */
#include "probes/ablation/ablation_pass.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/graph/graph.h"
#include "probes/graph/pair_metric.h"

/* ---- memory ---- */

typedef struct WorkerArray {
    void **to;
    size_t count, size;
} WorkerArray;

static size_t arrays_of(WorkerArray arrays[16], AblationWorker *w, const GptConfig *cfg)
{
    size_t L = w->layout.L, C = w->layout.C, V = (size_t)cfg->d_vocab, n = 0;
    size_t values = w->room * w->plies * w->layout.row;
    Graph graph = graph_of(cfg);
    arrays[n++] = (WorkerArray){(void **)&w->clean, values, sizeof(real)};
    arrays[n++] = (WorkerArray){(void **)&w->lent[0], values, sizeof(real)};
    arrays[n++] = (WorkerArray){(void **)&w->lent[1], values, sizeof(real)};
    arrays[n++] =
        (WorkerArray){(void **)&w->streams, (2 * L + 1) * w->room * w->plies * C, sizeof(real)};
    arrays[n++] = (WorkerArray){(void **)&w->end, w->room * C, sizeof(real)};
    arrays[n++] = (WorkerArray){(void **)&w->gradient, w->room * C, sizeof(real)};
    arrays[n++] = (WorkerArray){(void **)&w->gradient_z, L * w->room * C, sizeof(real)};
    arrays[n++] = (WorkerArray){(void **)&w->clean_logits, w->room * V, sizeof(real)};
    arrays[n++] = (WorkerArray){(void **)&w->direction, C, sizeof(real)};
    arrays[n++] = (WorkerArray){(void **)&w->clean_metric, w->room, sizeof(double)};
    arrays[n++] = (WorkerArray){(void **)&w->clean_scale, w->room, sizeof(double)};
    arrays[n++] = (WorkerArray){(void **)&w->direct, w->room, sizeof(double)};
    arrays[n++] = (WorkerArray){(void **)&w->part, graph.n_senders * w->room, sizeof(double)};
    arrays[n++] = (WorkerArray){(void **)&w->skip, graph.n_senders, sizeof(uint8_t)};
    return n;
}

static AblationWorker shape_of(const GptConfig *cfg, bool all)
{
    return (AblationWorker){.layout = ablation__layout(cfg),
                            .room = all ? ABLATION_CHUNK_ALL : ABLATION_CHUNK_LAST,
                            .plies = all ? (size_t)cfg->n_ctx : 1};
}

size_t ablation_worker__bytes(const GptConfig *cfg, bool all)
{
    WorkerArray arrays[16];
    AblationWorker shape = shape_of(cfg, all);
    size_t n = arrays_of(arrays, &shape, cfg), bytes = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += arrays[i].count * arrays[i].size;
    }
    bytes += all ? 0 : prefix_bytes(cfg, ABLATION_CHUNK_LAST, TAPE_FORWARD);
    return bytes + tape_bytes(cfg, ABLATION_CHUNK_ALL, TAPE_FORWARD, NULL);
}

int ablation_worker__init(AblationWorker *out, const AblationInputs *in)
{
    WorkerArray arrays[16];
    const GptConfig *cfg = &in->gpt->cfg;
    *out = shape_of(cfg, in->all);
    out->in = in;
    size_t n = arrays_of(arrays, out, cfg);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        *arrays[i].to = mem_calloc(arrays[i].count, arrays[i].size, "values of an ablation");
        rc = *arrays[i].to ? 0 : OGPT_ENOMEM;
    }
    if (rc == 0 && !in->all) {
        rc = prefix_new(&out->prefix, cfg, ABLATION_CHUNK_LAST, TAPE_FORWARD, NULL);
    }
    rc = rc ? rc : tape_new(&out->tape, cfg, ABLATION_CHUNK_ALL, TAPE_FORWARD, NULL);
    if (rc != 0) {
        ablation_worker__release(out);
    }
    return rc;
}

void ablation_worker__release(AblationWorker *worker)
{
    WorkerArray arrays[16];
    if (worker->in) {
        size_t n = arrays_of(arrays, worker, &worker->in->gpt->cfg);
        for (size_t i = 0; i < n; i++) {
            mem_free(*arrays[i].to);
        }
    }
    prefix_free(worker->prefix);
    tape_free(worker->tape);
    *worker = (AblationWorker){0};
}

/* ---- recording ---- */

/* Rows of a pass that are kept: of sequence b the last position, or with `whole` all. */
typedef struct Recording {
    AblationWorker *worker;
    real *rows;             /* (room, plies, row) */
    const uint8_t *lengths; /* of the sequences of the pass */
    size_t at;              /* the first of them in `rows` */
    bool streams;           /* keep the streams and the end, too */
} Recording;

/* The row of the last position of sequence b in what a hook sees: a pass over last positions has
 * T = 1. */
static const real *last_row(const HookPoint *point, size_t b, size_t length)
{
    size_t t = point->T == 1 ? 0 : length - 1;
    return point->value + (b * point->T + t) * point->width;
}

static void keep_streams(const Recording *r, const HookPoint *point)
{
    AblationWorker *w = r->worker;
    size_t C = w->layout.C, L = w->layout.L;
    size_t place = point->site == HOOK_RESID_PRE    ? (size_t)point->layer
                   : point->site == HOOK_RESID_POST ? (size_t)point->layer + 1
                                                    : L + 1 + (size_t)point->layer;
    for (size_t b = 0; b < point->B; b++) {
        const real *row = last_row(point, b, r->lengths[b]);
        real *to = w->streams + (place * w->room + b) * w->plies * C;
        if (w->plies == 1) {
            memcpy(to, row, C * sizeof(*row));
        } else {
            memcpy(to, point->value + b * point->T * C, r->lengths[b] * C * sizeof(*row));
        }
        if (point->site == HOOK_RESID_POST && point->layer == (int)L - 1) {
            memcpy(w->end + b * C, row, C * sizeof(*row));
        }
    }
}

static void record(void *context, const HookPoint *point)
{
    const Recording *r = context;
    const AblationWorker *w = r->worker;
    bool stream = point->site == HOOK_RESID_PRE || point->site == HOOK_RESID_MID ||
                  point->site == HOOK_RESID_POST;
    if (r->streams && stream) {
        keep_streams(r, point);
    }
    if (!ablation__holds(point->site, point->layer)) {
        return;
    }
    size_t place = ablation__place(&w->layout, point->site, point->layer);
    for (size_t b = 0; b < point->B; b++) {
        real *to = r->rows + (r->at + b) * w->plies * w->layout.row + place;
        if (w->plies == 1) {
            memcpy(to, last_row(point, b, r->lengths[b]), point->width * sizeof(*to));
            continue;
        }
        for (size_t t = 0; t < r->lengths[b]; t++) {
            memcpy(to + t * w->layout.row, point->value + (b * point->T + t) * point->width,
                   point->width * sizeof(*to));
        }
    }
}

/* ---- what is known of a position before anything is replaced ---- */

static double scale_of(const real *x, size_t C, double eps)
{
    double mean = 0.0, variance = 0.0;
    for (size_t c = 0; c < C; c++) {
        mean += (double)x[c] / (double)C;
    }
    for (size_t c = 0; c < C; c++) {
        variance += ((double)x[c] - mean) * ((double)x[c] - mean) / (double)C;
    }
    return sqrt(variance + eps);
}

double ablation_worker__scale(const AblationWorker *w, const real *x)
{
    return scale_of(x, w->layout.C, (double)w->in->gpt->cfg.eps);
}

/* gradient (C) of a metric with these weights: through W_U, the weight of the final LayerNorm, its
 * centring, and the scale s. */
static void gradient_of(real *gradient, const Gpt *gpt, const real *weights, double s)
{
    size_t C = (size_t)gpt->cfg.d_model, V = (size_t)gpt->cfg.d_vocab;
    const real *W_U = gpt->params + gpt->map.W_U, *w = gpt->params + gpt->map.lnf_w;
    double mean = 0.0;
    for (size_t c = 0; c < C; c++) {
        double sum = 0.0;
        for (size_t v = 0; v < V; v++) {
            sum += (double)W_U[c * V + v] * (double)weights[v];
        }
        gradient[c] = (real)(sum * (double)w[c] / s);
        mean += (double)gradient[c] / (double)C;
    }
    for (size_t c = 0; c < C; c++) {
        gradient[c] -= (real)mean;
    }
}

static void gradients_of_z(AblationWorker *w, size_t b)
{
    const Gpt *gpt = w->in->gpt;
    size_t C = w->layout.C;
    const real *g = w->gradient + b * C;
    for (size_t l = 0; l < w->layout.L; l++) {
        const real *W_O = gpt->params + gpt->map.W_O + l * gpt->map.block_stride;
        real *out = w->gradient_z + (l * w->room + b) * C;
        for (size_t j = 0; j < C; j++) {
            real sum = 0;
            for (size_t c = 0; c < C; c++) {
                sum += W_O[j * C + c] * g[c];
            }
            out[j] = sum;
        }
    }
}

static void know_positions(AblationWorker *w, const real *logits, size_t logit_stride)
{
    const Gpt *gpt = w->in->gpt;
    const AblationPositions *positions = w->in->positions;
    size_t C = w->layout.C, V = (size_t)gpt->cfg.d_vocab;
    for (size_t b = 0; b < w->n; b++) {
        const real *weights = positions->weights + (w->first + b) * V;
        size_t row = logit_stride == 1 ? b : b * logit_stride + w->lengths[b] - 1;
        memcpy(w->clean_logits + b * V, logits + row * V, V * sizeof(*logits));
        w->clean_metric[b] = pair_delta(weights, w->clean_logits + b * V, (int)V);
        w->clean_scale[b] = ablation_worker__scale(w, w->end + b * C);
        gradient_of(w->gradient + b * C, gpt, weights, w->clean_scale[b]);
        gradients_of_z(w, b);
    }
}

/* ---- holding positions ---- */

static void put_tokens(uint8_t *tokens, size_t stride, const Vocab *vocab, const uint8_t *moves,
                       size_t n)
{
    memset(tokens, TOK_PAD, stride);
    for (size_t t = 0; t < n; t++) {
        tokens[t] = vocab->tok_of_sq[moves[t]];
    }
}

/* The values of the games that lend, in passes of ABLATION_CHUNK_ALL. */
void ablation_worker__hold_lent(AblationWorker *w, int which)
{
    const AblationPositions *positions = w->in->positions;
    const AblationDonors *donors = w->in->donors;
    size_t stride = (size_t)donors->variant->n_moves;
    uint8_t tokens[ABLATION_CHUNK_ALL * GAME_MAX_MOVES];
    if (w->lent_held[which]) {
        return;
    }
    w->lent_held[which] = true;
    for (size_t at = 0; at < w->n; at += ABLATION_CHUNK_ALL) {
        size_t n = w->n - at < ABLATION_CHUNK_ALL ? w->n - at : ABLATION_CHUNK_ALL, T = 1;
        Recording r = {.worker = w, .rows = w->lent[which], .lengths = w->lengths + at, .at = at};
        Hooks hooks = {.fn = record, .context = &r};
        for (size_t b = 0; b < n; b++) {
            T = w->lengths[at + b] > T ? w->lengths[at + b] : T;
        }
        for (size_t b = 0; b < n; b++) {
            const AblationPosition *position = &positions->at[w->first + at + b];
            put_tokens(tokens + b * T, T, positions->vocab,
                       donors->moves + position->donor[which] * stride, w->lengths[at + b]);
        }
        ablation__want(hooks.sites, &w->layout);
        gpt_forward(w->in->gpt, w->tape, tokens, n, T, &hooks);
    }
}

int ablation_worker__hold(AblationWorker *w, size_t first, size_t n)
{
    const AblationPositions *positions = w->in->positions;
    const Gpt *gpt = w->in->gpt;
    Recording r = {.worker = w, .rows = w->clean, .lengths = w->lengths, .streams = true};
    Hooks hooks = {.fn = record, .context = &r};
    if (w->n == n && w->first == first) {
        return 0;
    }
    w->first = first;
    w->n = n;
    w->T = 1;
    w->lent_held[0] = w->lent_held[1] = false;
    for (size_t b = 0; b < n; b++) {
        const AblationPosition *at = &positions->at[first + b];
        w->lengths[b] = (uint8_t)at->n_moves;
        w->T = w->lengths[b] > w->T ? w->lengths[b] : w->T;
        if (w->in->means && w->in->means->counts[at->n_moves - 1] == 0) {
            w->n = 0;
            return err_set(OGPT_EFORMAT,
                           "no training game reaches move %d: no mean there; average over more of "
                           "them",
                           at->n_moves);
        }
    }
    for (size_t b = 0; b < n; b++) {
        put_tokens(w->tokens + b * w->T, w->T, positions->vocab, positions->at[first + b].moves,
                   w->lengths[b]);
    }
    uint64_t layers = w->layout.L >= 64 ? ~0ULL : (1ULL << w->layout.L) - 1;
    ablation__want(hooks.sites, &w->layout);
    hooks.sites[HOOK_RESID_PRE] = hooks.sites[HOOK_RESID_MID] = layers;
    hooks.sites[HOOK_RESID_POST] = layers;
    if (w->in->all) {
        know_positions(w, gpt_forward(gpt, w->tape, w->tokens, n, w->T, &hooks), w->T);
    } else {
        prefix_fill(w->prefix, gpt, w->tokens, w->T, w->lengths, n, NULL);
        know_positions(w, prefix_last(w->prefix, gpt, &hooks), 1);
    }
    return 0;
}
