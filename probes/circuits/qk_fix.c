/* probes/circuits/qk_fix.c - contract in probes/circuits/qk_fix.h. */
#include "probes/circuits/qk_fix.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "probes/circuits/circuit_nodes.h"

#define NODE SIZE_MAX /* in place of a sender: everything that the receiver reads */

/* Scratch of a layer; n kept rows. */
typedef struct QkRoom {
    real *x, *q, *k;        /* (n, C) the patched input, normalised in place; its q and k */
    real *scores, *pattern; /* (n, NH, T) of the base run */
    real *patched;          /* (T) one row of scores, then of the pattern */
    void *scratch;          /* of the products */
} QkRoom;

static size_t room_of(QkRoom *room, unsigned char *memory, const GptConfig *cfg, size_t rows)
{
    size_t C = (size_t)cfg->d_model, wide = (size_t)cfg->n_heads * (size_t)cfg->n_ctx, at = 0;
    size_t counts[] = {rows * C, rows * C, rows * C, rows * wide, rows * wide, (size_t)cfg->n_ctx};
    real **pieces[] = {&room->x, &room->q, &room->k, &room->scores, &room->pattern, &room->patched};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        *pieces[i] = (real *)(void *)(memory + at);
        at += (counts[i] * sizeof(real) + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    }
    room->scratch = memory + at;
    return at + kernels_fast()->scratch_bytes(rows, C, C);
}

size_t qk_fix_bytes(const GptConfig *cfg, size_t max_rows)
{
    static unsigned char nothing[1]; /* no piece is used */
    QkRoom room;
    return room_of(&room, nothing, cfg, max_rows);
}

/* The rows of x (n, C) through the first LayerNorm of a block; `base` are those of the base run. */
static void norm_rows(real *x, const QkFix *fix, const real *base, size_t layer)
{
    const Gpt *gpt = fix->question->gpt;
    size_t C = (size_t)gpt->cfg.d_model;
    const real *w = gpt->params + layer * gpt->map.block_stride + gpt->map.ln1_w;
    const real *b = gpt->params + layer * gpt->map.block_stride + gpt->map.ln1_b;
    for (size_t i = 0; i < fix->kept->n; i++) {
        real *row = x + i * C;
        const real *scaled = fix->question->norm == PATCH_FROZEN ? base + i * C : row;
        real mean = 0, centre = 0, variance = 0;
        for (size_t c = 0; c < C; c++) {
            mean += row[c];
            centre += scaled[c];
        }
        mean /= (real)C;
        centre /= (real)C;
        for (size_t c = 0; c < C; c++) {
            variance += (scaled[c] - centre) * (scaled[c] - centre);
        }
        real rstd = 1 / (real)sqrt((double)(variance / (real)C + (real)gpt->cfg.eps));
        for (size_t c = 0; c < C; c++) {
            row[c] = (row[c] - mean) * rstd * w[c] + b[c];
        }
    }
}

static real score_of(const real *q, const real *k, size_t HS)
{
    real sum = 0;
    for (size_t j = 0; j < HS; j++) {
        sum += q[j] * k[j];
    }
    return sum / (real)sqrt((double)HS);
}

/* In place: n scores become their softmax. */
static void softmax_of(real *x, size_t n)
{
    real most = x[0], sum = 0;
    for (size_t k = 1; k < n; k++) {
        most = x[k] > most ? x[k] : most;
    }
    for (size_t k = 0; k < n; k++) {
        x[k] = expf(x[k] - most);
        sum += x[k];
    }
    for (size_t k = 0; k < n; k++) {
        x[k] /= sum;
    }
}

static void base_pattern(QkRoom *room, const QkFix *fix, size_t layer)
{
    const KeptRows *kept = fix->kept;
    const GptConfig *cfg = &fix->question->gpt->cfg;
    size_t C = (size_t)cfg->d_model, HS = (size_t)cfg->d_head, NH = (size_t)cfg->n_heads;
    const real *q = fix->q + layer * kept->n_pairs * kept->T * C;
    const real *k = fix->k + layer * kept->n_pairs * kept->T * C;
    for (size_t i = 0; i < kept->n; i++) {
        size_t t = kept->row[i] % kept->T, begin = kept->row[i] - t;
        for (size_t h = 0; h < NH; h++) {
            real *scores = room->scores + (i * NH + h) * kept->T;
            for (size_t s = 0; s <= t; s++) {
                scores[s] =
                    score_of(q + kept->row[i] * C + h * HS, k + (begin + s) * C + h * HS, HS);
            }
            memcpy(room->pattern + (i * NH + h) * kept->T, scores, (t + 1) * sizeof(*scores));
            softmax_of(room->pattern + (i * NH + h) * kept->T, t + 1);
        }
    }
}

/* room->patched = the scores of kept row i of pair p and head h, with the query or the keys of the
 * kept rows patched. */
static void patched_scores(QkRoom *room, const QkFix *fix, size_t layer, size_t i, size_t p,
                           Receiver receiver)
{
    const KeptRows *kept = fix->kept;
    const GptConfig *cfg = &fix->question->gpt->cfg;
    size_t C = (size_t)cfg->d_model, HS = (size_t)cfg->d_head, NH = (size_t)cfg->n_heads;
    size_t h = (size_t)receiver.head, t = kept->row[i] % kept->T, begin = kept->row[i] - t;
    const real *k = fix->k + (layer * kept->n_pairs * kept->T + begin) * C + h * HS;
    const real *q = fix->q + (layer * kept->n_pairs * kept->T + kept->row[i]) * C + h * HS;
    memcpy(room->patched, room->scores + (i * NH + h) * kept->T, (t + 1) * sizeof(real));
    if (receiver.kind == RECEIVER_Q) {
        for (size_t s = 0; s <= t; s++) {
            room->patched[s] = score_of(room->q + i * C + h * HS, k + s * C, HS);
        }
    } else {
        for (size_t j = kept->first[p]; j <= i; j++) {
            size_t s = kept->row[j] % kept->T;
            room->patched[s] = score_of(q, room->k + j * C + h * HS, HS);
        }
    }
}

/* One edge of pair p, in every pass. */
static void fix_edge(QkRoom *room, const QkFix *fix, size_t p, Receiver receiver, size_t edge)
{
    const KeptRows *kept = fix->kept;
    const GptConfig *cfg = &fix->question->gpt->cfg;
    size_t NH = (size_t)cfg->n_heads, L = (size_t)cfg->n_layers, layer = (size_t)receiver.layer;
    size_t wide = NH * kept->T;
    for (size_t pass = 0; pass < fix->n_passes; pass++) {
        fix->out[pass * kept->n_pairs + p][edge] = 0;
    }
    for (size_t i = kept->first[p]; i < kept->first[p + 1]; i++) {
        size_t at = i * wide + (size_t)receiver.head * kept->T, n = kept->row[i] % kept->T + 1;
        patched_scores(room, fix, layer, i, p, receiver);
        softmax_of(room->patched, n);
        for (size_t s = 0; s < n; s++) {
            room->patched[s] -= room->pattern[at + s];
        }
        for (size_t pass = 0; pass < fix->n_passes; pass++) {
            const real *d = fix->dpattern + (pass * L + layer) * kept->n * wide + at;
            real sum = 0;
            for (size_t s = 0; s < n; s++) {
                sum += room->patched[s] * d[s];
            }
            fix->out[pass * kept->n_pairs + p][edge] += sum;
        }
    }
}

/* Every head of a layer whose patched q and k are in room->q and room->k. */
static void fix_heads(QkRoom *room, const QkFix *fix, size_t layer, size_t sender)
{
    const Graph *graph = fix->question->graph;
    for (int kind = RECEIVER_Q; kind <= RECEIVER_K; kind++) {
        for (int head = 0; head < graph->n_heads; head++) {
            Receiver receiver = {(ReceiverKind)kind, (int)layer, head};
            size_t r = graph_receiver_index(graph, receiver);
            size_t at = sender == NODE ? graph->n_edges + circuit_node_of(graph, receiver)
                                       : graph_first_edge(graph, r) + sender;
            for (size_t p = 0; p < fix->kept->n_pairs; p++) {
                fix_edge(room, fix, p, receiver, at);
            }
        }
    }
}

/* All edges from one sender into the queries and keys of one layer. */
static void fix_sender(QkRoom *room, const QkFix *fix, size_t layer, size_t sender)
{
    const EdgeQuestion *question = fix->question;
    const Gpt *gpt = question->gpt;
    const real *block = gpt->params + layer * gpt->map.block_stride;
    size_t C = (size_t)gpt->cfg.d_model, n = fix->kept->n;
    const real *pre = fix->pre + layer * n * C, *delta = fix->delta + sender * n * C;
    for (size_t i = 0; i < n * C; i++) {
        room->x[i] = pre[i] + delta[i];
    }
    norm_rows(room->x, fix, pre, layer);
    kernels_fast()->linear_fwd(room->q, room->x, block + gpt->map.W_Q, block + gpt->map.b_Q, n, C,
                               C, room->scratch);
    kernels_fast()->linear_fwd(room->k, room->x, block + gpt->map.W_K, block + gpt->map.b_K, n, C,
                               C, room->scratch);
    fix_heads(room, fix, layer, sender);
}

/* The q and k of one layer as nodes: those of the other run. */
static void fix_nodes(QkRoom *room, const QkFix *fix, size_t layer)
{
    const KeptRows *kept = fix->kept;
    size_t C = (size_t)fix->question->gpt->cfg.d_model;
    for (size_t i = 0; i < kept->n; i++) {
        size_t from = (layer * kept->n_pairs * kept->T + kept->row[i]) * C;
        for (size_t c = 0; c < C; c++) {
            room->q[i * C + c] = fix->q[from + c] + fix->change[0][(layer * kept->n + i) * C + c];
            room->k[i * C + c] = fix->k[from + c] + fix->change[1][(layer * kept->n + i) * C + c];
        }
    }
    fix_heads(room, fix, layer, NODE);
}

void qk_fix_run(const QkFix *fix)
{
    const Graph *graph = fix->question->graph;
    QkRoom room;
    room_of(&room, fix->memory, &fix->question->gpt->cfg, fix->kept->n);
    for (int layer = 0; layer < graph->n_layers; layer++) {
        size_t q = graph_receiver_index(graph, (Receiver){RECEIVER_Q, layer, 0});
        base_pattern(&room, fix, (size_t)layer);
        for (size_t sender = 0; sender < graph_sees(graph, q); sender++) {
            fix_sender(&room, fix, (size_t)layer, sender);
        }
        fix_nodes(&room, fix, (size_t)layer);
    }
}
