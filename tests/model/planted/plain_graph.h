/* tests/model/planted/plain_graph.h - a network as a graph of components in double precision, apart
 * from model/: each reads the sum of what earlier ones wrote, and any edge can carry another run.
 *
 * Nodes: the input, four heads and an MLP of each block, the logits. Plain loops, no kernels. */
#ifndef OGPT_TESTS_PLAIN_GRAPH_H
#define OGPT_TESTS_PLAIN_GRAPH_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/planted/planted.h"

enum {
    PER_BLOCK = PLANTED_HEADS + 1,
    N_SENDERS = 1 + PLANTED_LAYERS * PER_BLOCK,
    PLAIN_LOGITS = N_SENDERS
};
enum { N_CHANNELS = 4, ALL_NEURONS = -1 };

/* Everything that was written in a run: outputs (n_tokens,C), neurons (n_tokens,M). */
typedef struct PlainRun {
    double *out[N_SENDERS], *neurons[PLANTED_LAYERS];
    double logits[256]; /* behind the last token */
} PlainRun;

/* What is done to a run. */
typedef struct PlainEdit {
    bool absent[N_SENDERS];   /* output zero */
    bool replaced[N_SENDERS]; /* output of the run `other` */
    bool carries[PLAIN_LOGITS + 1][N_CHANNELS]
                [N_SENDERS];                 /* receiver, channel, sender: of `other` */
    bool no_neuron[PLANTED_LAYERS][1024];    /* zero */
    bool other_neuron[PLANTED_LAYERS][1024]; /* of `other` */
    const PlainRun *other;
} PlainEdit;

__attribute__((unused)) static int node_of(const PlantedPart *part)
{
    switch (part->node) {
    case PLANTED_INPUT: return 0;
    case PLANTED_LOGITS: return PLAIN_LOGITS;
    case PLANTED_HEAD: return 1 + part->layer * PER_BLOCK + part->index;
    default: return 1 + part->layer * PER_BLOCK + PLANTED_HEADS;
    }
}

typedef struct PlainGraph {
    const Gpt *gpt;
    const uint8_t *tokens;
    size_t n, C, HS, M, V; /* n tokens */
    const PlainEdit *edit;
    PlainRun *run;
    double *x, *normed; /* (n,C) what a receiver reads, before and behind its LayerNorm */
} PlainGraph;

static const real *tensor_at(const PlainGraph *g, int layer, size_t offset)
{
    return g->gpt->params + (size_t)layer * g->gpt->map.block_stride + offset;
}

/* g->normed: the LayerNorm of what `receiver` reads for `channel`: senders 0..n_senders-1, and the
 * attention biases of the first n_blocks blocks. */
static void read_stream(const PlainGraph *g, int receiver, int channel, int n_senders, int n_blocks,
                        const real *w, const real *b)
{
    size_t C = g->C;
    memset(g->x, 0, g->n * C * sizeof(*g->x));
    for (int u = 0; u < n_senders; u++) {
        bool other = g->edit && g->edit->carries[receiver][channel][u];
        const double *out = other ? g->edit->other->out[u] : g->run->out[u];
        for (size_t i = 0; i < g->n * C; i++) {
            g->x[i] += out[i];
        }
    }
    for (size_t t = 0; t < g->n; t++) {
        double *row = g->x + t * C, mean = 0, square = 0;
        for (int l = 0; l < n_blocks; l++) {
            const real *bias = tensor_at(g, l, g->gpt->map.b_O);
            for (size_t c = 0; c < C; c++) {
                row[c] += (double)bias[c];
            }
        }
        for (size_t c = 0; c < C; c++) {
            mean += row[c] / (double)C;
        }
        for (size_t c = 0; c < C; c++) {
            square += (row[c] - mean) * (row[c] - mean) / (double)C;
        }
        double scale = sqrt(square + (double)g->gpt->cfg.eps);
        for (size_t c = 0; c < C; c++) {
            g->normed[t * C + c] = (row[c] - mean) / scale * (double)w[c] + (double)b[c];
        }
    }
}

/* q, k or v (n,HS) of a head. */
static void project(const PlainGraph *g, double *out, int layer, int head, size_t W, size_t bias)
{
    const real *w = tensor_at(g, layer, W) + (size_t)head * g->HS;
    const real *b = tensor_at(g, layer, bias) + (size_t)head * g->HS;
    for (size_t t = 0; t < g->n; t++) {
        double *row = out + t * g->HS;
        for (size_t j = 0; j < g->HS; j++) {
            row[j] = (double)b[j];
        }
        for (size_t c = 0; c < g->C; c++) {
            double x = g->normed[t * g->C + c];
            for (size_t j = 0; j < g->HS; j++) {
                row[j] += x * (double)w[c * g->C + j];
            }
        }
    }
}

static void run_head(const PlainGraph *g, int layer, int head)
{
    const TensorMap *map = &g->gpt->map;
    int receiver = 1 + layer * PER_BLOCK + head, n_senders = 1 + layer * PER_BLOCK;
    const size_t W[] = {map->W_Q, map->W_K, map->W_V}, bias[] = {map->b_Q, map->b_K, map->b_V};
    double *qkv[3], z[256], *out = g->run->out[receiver];
    const real *w = tensor_at(g, layer, map->W_O) + (size_t)head * g->HS * g->C;
    for (int i = 0; i < 3; i++) {
        qkv[i] = malloc(g->n * g->HS * sizeof(double));
        read_stream(g, receiver, PLANTED_Q + i, n_senders, layer, tensor_at(g, layer, map->ln1_w),
                    tensor_at(g, layer, map->ln1_b));
        project(g, qkv[i], layer, head, W[i], bias[i]);
    }
    memset(out, 0, g->n * g->C * sizeof(*out));
    for (size_t t = 0; t < g->n; t++) {
        double p[PLANTED_MAX_TOKENS], total = 0, most = -HUGE_VAL;
        memset(z, 0, sizeof(z));
        for (size_t s = 0; s <= t; s++) {
            double score = 0;
            for (size_t j = 0; j < g->HS; j++) {
                score += qkv[0][t * g->HS + j] * qkv[1][s * g->HS + j];
            }
            p[s] = score / sqrt((double)g->HS);
            most = fmax(most, p[s]);
        }
        for (size_t s = 0; s <= t; s++) {
            total += p[s] = exp(p[s] - most);
        }
        for (size_t s = 0; s <= t; s++) {
            for (size_t j = 0; j < g->HS; j++) {
                z[j] += p[s] / total * qkv[2][s * g->HS + j];
            }
        }
        for (size_t j = 0; j < g->HS; j++) {
            for (size_t c = 0; c < g->C; c++) {
                out[t * g->C + c] += z[j] * (double)w[j * g->C + c];
            }
        }
    }
    for (int i = 0; i < 3; i++) {
        free(qkv[i]);
    }
}

static void run_mlp(const PlainGraph *g, int layer)
{
    const TensorMap *map = &g->gpt->map;
    int receiver = 1 + layer * PER_BLOCK + PLANTED_HEADS;
    const real *in = tensor_at(g, layer, map->W_in), *b_in = tensor_at(g, layer, map->b_in);
    const real *w = tensor_at(g, layer, map->W_out), *b_out = tensor_at(g, layer, map->b_out);
    double *out = g->run->out[receiver], *neurons = g->run->neurons[layer];
    read_stream(g, receiver, PLANTED_WHOLE, receiver, layer + 1, tensor_at(g, layer, map->ln2_w),
                tensor_at(g, layer, map->ln2_b));
    for (size_t t = 0; t < g->n; t++) {
        for (size_t c = 0; c < g->C; c++) {
            out[t * g->C + c] = (double)b_out[c];
        }
        double *row = neurons + t * g->M;
        for (size_t k = 0; k < g->M; k++) {
            row[k] = (double)b_in[k];
        }
        for (size_t c = 0; c < g->C; c++) {
            double x = g->normed[t * g->C + c];
            for (size_t k = 0; k < g->M; k++) {
                row[k] += x * (double)in[c * g->M + k];
            }
        }
        for (size_t k = 0; k < g->M; k++) {
            double sum = row[k];
            sum *= 0.5 * erfc(-sum / sqrt(2.0));
            if (g->edit && g->edit->no_neuron[layer][k]) {
                sum = 0;
            } else if (g->edit && g->edit->other_neuron[layer][k]) {
                sum = g->edit->other->neurons[layer][t * g->M + k];
            }
            row[k] = sum;
            for (size_t c = 0; c < g->C; c++) {
                out[t * g->C + c] += sum * (double)w[k * g->C + c];
            }
        }
    }
}

static void finish_node(const PlainGraph *g, int node)
{
    size_t bytes = g->n * g->C * sizeof(double);
    if (g->edit && g->edit->absent[node]) {
        memset(g->run->out[node], 0, bytes);
    } else if (g->edit && g->edit->replaced[node]) {
        memcpy(g->run->out[node], g->edit->other->out[node], bytes);
    }
}

/* Owned: plain_free. edit NULL: none. */
static PlainRun *plain_run(const Gpt *gpt, const uint8_t *tokens, size_t n, const PlainEdit *edit)
{
    PlainGraph g = {.gpt = gpt,
                    .tokens = tokens,
                    .n = n,
                    .C = (size_t)gpt->cfg.d_model,
                    .HS = (size_t)gpt->cfg.d_head,
                    .M = (size_t)gpt->cfg.d_mlp,
                    .V = (size_t)gpt->cfg.d_vocab,
                    .edit = edit};
    const TensorMap *map = &gpt->map;
    g.run = calloc(1, sizeof(*g.run));
    g.x = malloc(n * g.C * sizeof(double));
    g.normed = malloc(n * g.C * sizeof(double));
    for (int u = 0; u < N_SENDERS; u++) {
        g.run->out[u] = malloc(n * g.C * sizeof(double));
    }
    for (size_t t = 0; t < n; t++) {
        for (size_t c = 0; c < g.C; c++) {
            g.run->out[0][t * g.C + c] = (double)gpt->params[map->W_E + tokens[t] * g.C + c] +
                                         (double)gpt->params[map->W_pos + t * g.C + c];
        }
    }
    finish_node(&g, 0);
    for (int layer = 0; layer < PLANTED_LAYERS; layer++) {
        g.run->neurons[layer] = malloc(n * g.M * sizeof(double));
        for (int head = 0; head < PLANTED_HEADS; head++) {
            run_head(&g, layer, head);
            finish_node(&g, 1 + layer * PER_BLOCK + head);
        }
        run_mlp(&g, layer);
        finish_node(&g, 1 + layer * PER_BLOCK + PLANTED_HEADS);
    }
    read_stream(&g, PLAIN_LOGITS, PLANTED_WHOLE, N_SENDERS, PLANTED_LAYERS,
                gpt->params + map->lnf_w, gpt->params + map->lnf_b);
    for (size_t v = 0; v < g.V; v++) {
        g.run->logits[v] = (double)gpt->params[map->b_U + v];
        for (size_t c = 0; c < g.C; c++) {
            g.run->logits[v] +=
                g.normed[(n - 1) * g.C + c] * (double)gpt->params[map->W_U + c * g.V + v];
        }
    }
    free(g.x);
    free(g.normed);
    return g.run;
}

static void plain_free(PlainRun *run)
{
    for (int u = 0; u < N_SENDERS; u++) {
        free(run->out[u]);
    }
    for (int layer = 0; layer < PLANTED_LAYERS; layer++) {
        free(run->neurons[layer]);
    }
    free(run);
}

#endif
