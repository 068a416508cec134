/* probes/heads/head_circuits.c - see probes/heads/head_circuits.h. */
#include "probes/heads/head_circuits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/matrices/general.h"
#include "probes/heads/head_weights.h"

const char *head_circuit_name(HeadCircuitKind kind)
{
    static const char *const names[] = {HEAD_CIRCUITS(ENUM_NAME)};
    return names[kind];
}

/* ---- what is common to all heads ---- */

typedef struct Space {
    const Gpt *gpt;
    const Vocab *vocab;
    const Probe *probe;
    size_t n, T, C, HS, NH;
    double *moves, *places; /* (n, C), (T, C) */
    double *unembed;        /* (C, n) */
    HeadCircuit *out;
} Space;

/* Row of an embedding, normalised. */
static void normalise(double *out, const real *row, size_t C, double eps)
{
    double mean = 0, square = 0;
    for (size_t c = 0; c < C; c++) {
        mean += (double)row[c] / (double)C;
    }
    for (size_t c = 0; c < C; c++) {
        out[c] = (double)row[c] - mean;
        square += out[c] * out[c];
    }
    double scale = sqrt(square / (double)C + eps);
    for (size_t c = 0; c < C; c++) {
        out[c] /= scale;
    }
}

static int space_open(Space *out, const Gpt *gpt, const Vocab *vocab, const Probe *probe)
{
    *out = (Space){.gpt = gpt,
                   .vocab = vocab,
                   .probe = probe,
                   .n = (size_t)vocab->d_vocab - 1,
                   .T = (size_t)vocab->n_ctx,
                   .C = (size_t)gpt->cfg.d_model,
                   .HS = (size_t)gpt->cfg.d_head,
                   .NH = (size_t)gpt->cfg.n_heads};
    size_t C = out->C, n = out->n, V = n + 1;
    const real *w = gpt->params + gpt->map.lnf_w, *unembed = gpt->params + gpt->map.W_U;
    out->moves = mem_alloc(n * C, sizeof(double), "embeddings");
    out->places = mem_alloc(out->T * C, sizeof(double), "embeddings");
    out->unembed = mem_alloc(n * C, sizeof(double), "embeddings");
    if (!out->moves || !out->places || !out->unembed) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        normalise(out->moves + i * C, gpt->params + gpt->map.W_E + (i + 1) * C, C,
                  (double)gpt->cfg.eps);
    }
    for (size_t t = 0; t < out->T; t++) {
        normalise(out->places + t * C, gpt->params + gpt->map.W_pos + t * C, C,
                  (double)gpt->cfg.eps);
    }
    for (size_t c = 0; c < C; c++) {
        double mean = 0;
        for (size_t j = 0; j < n; j++) {
            out->unembed[c * n + j] = (double)w[c] * (double)unembed[c * V + j + 1];
            mean += out->unembed[c * n + j] / (double)n;
        }
        for (size_t j = 0; j < n; j++) {
            out->unembed[c * n + j] -= mean;
        }
    }
    return 0;
}

static void space_release(Space *space)
{
    mem_free(space->moves);
    mem_free(space->places);
    mem_free(space->unembed);
}

/* directions (C, n) of the playable squares at a layer of the probe: empty minus the mean of the
 * others, or mine minus theirs. False if it has no such layer. */
static bool probe_directions(double *directions, const Space *space, int layer, bool mine)
{
    const Probe *probe = space->probe;
    int index = probe ? probe_layer_index(probe, layer) : -1;
    if (index < 0) {
        return false;
    }
    for (size_t c = 0; c < space->C; c++) {
        for (size_t j = 0; j < space->n; j++) {
            int sq = space->vocab->sq_of_tok[j + 1];
            size_t square = (size_t)(sq / 8 * probe->size + sq % 8);
            const float *w = probe->weight[index] + (c * (size_t)probe->n_squares + square) * 3;
            double empty = (double)w[LABEL_EMPTY], own = (double)w[LABEL_MINE];
            double other = (double)w[LABEL_THEIRS];
            directions[c * space->n + j] = mine ? own - other : empty - 0.5 * (own + other);
        }
    }
    return true;
}

/* ---- one head ---- */

/* Memory of a head at work. */
typedef struct HeadWork {
    double *q, *k, *v, *o;  /* (C, HS) three times, (HS, C) */
    double *moved, *reader; /* (n or T, HS), (HS, n) */
    double *keys;           /* (n or T, HS) */
    double *written;        /* (n, C) */
    double *directions;     /* (C, n) */
    double *matrix;         /* (n, n) */
    double *constant;       /* (HS) of the query */
    double *memory;
} HeadWork;

static int head_work_open(HeadWork *out, const Space *space)
{
    size_t thin = space->C * space->HS, n = space->n > space->T ? space->n : space->T;
    size_t count = 4 * thin + 3 * n * space->HS + 2 * n * space->C + n * n + space->HS;
    double *at = mem_alloc(count, sizeof(double), "circuits of a head");
    *out = (HeadWork){.memory = at};
    if (!at) {
        return OGPT_ENOMEM;
    }
    out->q = at;
    out->k = out->q + thin;
    out->v = out->k + thin;
    out->o = out->v + thin;
    out->moved = out->o + thin;
    out->reader = out->moved + n * space->HS;
    out->keys = out->reader + n * space->HS;
    out->written = out->keys + n * space->HS;
    out->directions = out->written + n * space->C;
    out->matrix = out->directions + n * space->C;
    out->constant = out->matrix + n * n;
    return 0;
}

static void read_head(HeadWork *w, const Space *space, size_t head)
{
    const Gpt *gpt = space->gpt;
    const real *block = gpt->params + head / space->NH * gpt->map.block_stride;
    size_t h = head % space->NH, stride = space->NH * space->HS;
    head_weights_read(w->q, gpt, HEAD_W_Q, head);
    head_weights_read(w->k, gpt, HEAD_W_K, head);
    head_weights_read(w->v, gpt, HEAD_W_V, head);
    head_weights_read(w->o, gpt, HEAD_W_O, head);
    for (size_t i = 0; i < space->HS; i++) {
        w->constant[i] = (double)block[gpt->map.b_Q + h * space->HS + i];
        for (size_t c = 0; c < space->C; c++) {
            w->constant[i] += (double)block[gpt->map.ln1_b + c] *
                              (double)block[gpt->map.W_Q + c * stride + h * space->HS + i];
        }
    }
}

/* w->moved (n, HS) = moves W_V; w->reader (HS, n) = W_O columns. */
static void ov_factors(HeadWork *w, const Space *space, const double *columns)
{
    head_weights_product(w->moved, space->moves, w->v, space->n, space->C, space->HS, false);
    head_weights_product(w->reader, w->o, columns, space->HS, space->C, space->n, false);
}

/* w->matrix (n, n) of the scores of rows (n, C) against themselves. */
static void qk_scores(HeadWork *w, const Space *space, const double *rows, size_t n, bool constant)
{
    head_weights_product(w->moved, rows, w->q, n, space->C, space->HS, false);
    head_weights_product(w->keys, rows, w->k, n, space->C, space->HS, false);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t c = 0; c < space->HS; c++) {
                double query = w->moved[i * space->HS + c] + (constant ? w->constant[c] : 0);
                sum += query * w->keys[j * space->HS + c];
            }
            w->matrix[i * n + j] = sum / sqrt((double)space->HS);
        }
    }
}

/* Fill w->matrix; false where the probe is missing. */
static bool fill_matrix(HeadWork *w, const Space *space, size_t head, HeadCircuitKind kind)
{
    int layer = (int)(head / space->NH);
    size_t n = space->n;
    bool there = true;
    if (kind == HEAD_QK_MOVES) {
        qk_scores(w, space, space->moves, n, true);
    } else if (kind == HEAD_QK_PLACES) {
        qk_scores(w, space, space->places, space->T, true);
    } else if (kind == HEAD_QK_PROBE) {
        there = probe_directions(w->directions, space, layer - 1, true);
        for (size_t j = 0; j < n && there; j++) {
            for (size_t c = 0; c < space->C; c++) {
                w->written[j * space->C + c] = w->directions[c * n + j];
            }
        }
        if (there) {
            qk_scores(w, space, w->written, n, false);
        }
    } else {
        const double *columns = space->unembed;
        if (kind != HEAD_OV_LOGITS) {
            there = probe_directions(w->directions, space, layer, kind == HEAD_OV_MINE);
            columns = w->directions;
        }
        if (there) {
            ov_factors(w, space, columns);
            head_weights_product(w->matrix, w->moved, w->reader, n, space->HS, n, false);
        }
    }
    return there;
}

int head_copying(double *out, const double *left, const double *right, size_t n, size_t r)
{
    double *memory = mem_alloc(r * r + 2 * r, sizeof(double), "eigenvalues");
    double re = 0, size = 0;
    if (!memory) {
        return OGPT_ENOMEM;
    }
    double *real_part = memory + r * r, *imaginary = real_part + r;
    head_weights_product(memory, right, left, r, n, r, false);
    int rc = general_eigenvalues(real_part, imaginary, memory, r);
    for (size_t i = 0; i < r && rc == 0; i++) {
        re += real_part[i];
        size += hypot(real_part[i], imaginary[i]);
    }
    *out = size > 0 ? re / size : NAN;
    mem_free(memory);
    return rc;
}

/* Copying score, and mean cosines with the direction of the own and of another square. */
static int read_probe(double *copying, double *own, double *other, HeadWork *w, const Space *space,
                      size_t head, bool mine)
{
    size_t n = space->n, C = space->C;
    *copying = *own = *other = NAN;
    if (!probe_directions(w->directions, space, (int)(head / space->NH), mine)) {
        return 0;
    }
    ov_factors(w, space, w->directions);
    int rc = head_copying(copying, w->moved, w->reader, n, space->HS);
    head_weights_product(w->written, w->moved, w->o, n, space->HS, C, false);
    *own = *other = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            double product = 0, size = 0;
            for (size_t c = 0; c < C; c++) {
                product += w->written[i * C + c] * w->directions[c * n + j];
                size += w->directions[c * n + j] * w->directions[c * n + j];
            }
            double norm = head_weights_norm(w->written + i * C, C) * sqrt(size);
            *(i == j ? own : other) += product / norm / (double)(i == j ? n : n * (n - 1));
        }
    }
    return rc;
}

static void spreads(HeadCircuit *out, HeadWork *w, const Space *space, size_t head)
{
    size_t n = space->n, T = space->T, counted = 0;
    double moves = 0, places = 0;
    fill_matrix(w, space, head, HEAD_QK_MOVES);
    for (size_t i = 0; i < n; i++) {
        double sum = 0, squares = 0, line = 0, apart = 0, n_line = 0;
        int a = space->vocab->sq_of_tok[i + 1];
        for (size_t j = 0; j < n; j++) {
            double score = w->matrix[i * n + j];
            int b = space->vocab->sq_of_tok[j + 1];
            int rows = abs(a / 8 - b / 8), columns = abs(a % 8 - b % 8);
            bool in_line = rows == 0 || columns == 0 || rows == columns;
            sum += score;
            squares += score * score;
            if (i != j) { /* a move is never its own earlier key */
                *(in_line ? &line : &apart) += score;
                n_line += in_line ? 1 : 0;
            }
        }
        moves += squares / (double)n - sum * sum / (double)(n * n);
        out->line += (line / n_line - apart / ((double)n - 1 - n_line)) / (double)n;
    }
    fill_matrix(w, space, head, HEAD_QK_PLACES);
    for (size_t t = 2; t < T; t++) {
        double sum = 0, squares = 0, by_age[2] = {0}, count[2] = {0}, keys = (double)(t + 1);
        for (size_t s = 0; s <= t; s++) {
            double score = w->matrix[t * T + s];
            sum += score;
            squares += score * score;
            by_age[(t - s) % 2] += score;
            count[(t - s) % 2] += 1;
        }
        places += squares / keys - sum * sum / (keys * keys);
        out->parity += by_age[1] / count[1] - by_age[0] / count[0];
        counted++;
    }
    out->moves_spread = sqrt(fmax(0, moves / (double)n));
    out->places_spread = sqrt(fmax(0, places / (double)counted));
    out->parity /= (double)counted;
}

static int circuit_of(void *context, size_t head, size_t worker)
{
    const Space *space = context;
    HeadCircuit *out = &space->out[head];
    HeadWork w;
    int rc = head_work_open(&w, space);
    *out = (HeadCircuit){0};
    if (rc == 0) {
        read_head(&w, space, head);
        ov_factors(&w, space, space->unembed);
        rc = head_copying(&out->copying, w.moved, w.reader, space->n, space->HS);
        rc = rc ? rc
                : read_probe(&out->copying_empty, &out->own_empty, &out->other_empty, &w, space,
                             head, false);
        rc = rc ? rc
                : read_probe(&out->copying_mine, &out->own_mine, &out->other_mine, &w, space, head,
                             true);
        spreads(out, &w, space, head);
    }
    mem_free(w.memory);
    return rc;
}

int head_circuits_run(HeadCircuit *circuits, const Gpt *gpt, const Vocab *vocab, const Probe *probe,
                      const Work *work)
{
    Space space = {0};
    int rc = space_open(&space, gpt, vocab, probe);
    space.out = circuits;
    rc = rc ? rc
            : pool_run(work->pool, (size_t)gpt->cfg.n_layers * (size_t)gpt->cfg.n_heads, circuit_of,
                       &space);
    space_release(&space);
    return rc;
}

size_t head_circuit_size(const Vocab *vocab, HeadCircuitKind kind)
{
    return kind == HEAD_QK_PLACES ? (size_t)vocab->n_ctx : (size_t)vocab->d_vocab - 1;
}

int head_circuit_matrix(double *out, const Gpt *gpt, const Vocab *vocab, const Probe *probe,
                        size_t head, HeadCircuitKind kind)
{
    Space space = {0};
    HeadWork w = {0};
    size_t n = head_circuit_size(vocab, kind);
    int rc = space_open(&space, gpt, vocab, probe);
    rc = rc ? rc : head_work_open(&w, &space);
    if (rc == 0) {
        read_head(&w, &space, head);
        bool there = fill_matrix(&w, &space, head, kind);
        for (size_t i = 0; i < n * n; i++) {
            bool hidden = kind == HEAD_QK_PLACES && i % n > i / n;
            out[i] = there && !hidden ? w.matrix[i] : NAN;
        }
    }
    mem_free(w.memory);
    space_release(&space);
    return rc;
}
