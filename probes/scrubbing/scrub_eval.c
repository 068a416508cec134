/* probes/scrubbing/scrub_eval.c - the value of a part: what its senders write when their inputs are
 * exchanged, from the runs that lend. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/kernels.h"
#include "probes/graph/outputs.h"
#include "probes/scrubbing/scrub_internal.h"

/* Parts that read one another are at most as many as there are nodes, and the logits. */
enum { DEPTH = HYPOTHESIS_MAX_NODES + 1 };

struct ScrubRows {
    const Gpt *gpt;
    const Graph *graph;
    const Kernels *kernels;
    size_t C, M, V, T, HS; /* T: n_ctx */
    Arena arena;
    void *scratch;
    real *change[DEPTH]; /* (T, C) what the inputs of the part at this depth change, by position */
    real *value[DEPTH];  /* (C) of a child of the part at this depth */
    real *own, *x, *start; /* (C) */
    int ready_layer;       /* whose queries, keys and values are ready, for one group of a part */
    size_t ready_group;
    real *rows, *normed, *k, *v; /* (T, C) */
    real *q, *z;                 /* (C) */
    real *mean, *rstd;           /* (T) */
    real *hidden, *active;       /* (M) */
    real *logits;                /* (V) */
};

static const real *tensor_of(const ScrubRows *r, size_t field, int layer)
{
    return r->gpt->params + field + (size_t)layer * r->gpt->map.block_stride;
}

int scrub__rows_new(ScrubRows **out, const Gpt *gpt, const Graph *graph, const Vocab *vocab)
{
    ScrubRows *r = mem_calloc(1, sizeof(*r), "rows of scrubbing");
    const size_t C = (size_t)gpt->cfg.d_model, M = (size_t)gpt->cfg.d_mlp;
    const size_t V = (size_t)gpt->cfg.d_vocab, T = (size_t)vocab->n_ctx;
    size_t widest = M > V ? M : V, scratch, numbers, n_pieces = 2 * DEPTH + 17;
    int rc = 0;
    *out = r;
    if (!r) {
        return OGPT_ENOMEM;
    }
    r->gpt = gpt;
    r->graph = graph;
    r->kernels = kernels_fast();
    r->C = C;
    r->M = M;
    r->V = V;
    r->T = T;
    r->HS = (size_t)gpt->cfg.d_head;
    scratch = r->kernels->scratch_bytes(T, widest > C ? widest : C, widest > C ? widest : C);
    numbers = DEPTH * (T + 1) * C + 5 * C + 4 * T * C + 2 * T + 2 * M + V;
    rc = arena_init(&r->arena, numbers * sizeof(real) + n_pieces * 64 + scratch + 64,
                    "rows of scrubbing");
    if (rc != 0) {
        scrub__rows_free(r);
        *out = NULL;
        return rc;
    }
    r->scratch = arena_take(&r->arena, scratch, 1);
    for (int d = 0; d < DEPTH; d++) {
        r->change[d] = arena_take(&r->arena, T * C, sizeof(real));
        r->value[d] = arena_take(&r->arena, C, sizeof(real));
    }
    r->own = arena_take(&r->arena, C, sizeof(real));
    r->x = arena_take(&r->arena, C, sizeof(real));
    r->start = arena_take(&r->arena, C, sizeof(real));
    r->rows = arena_take(&r->arena, T * C, sizeof(real));
    r->normed = arena_take(&r->arena, T * C, sizeof(real));
    r->k = arena_take(&r->arena, T * C, sizeof(real));
    r->v = arena_take(&r->arena, T * C, sizeof(real));
    r->q = arena_take(&r->arena, C, sizeof(real));
    r->z = arena_take(&r->arena, C, sizeof(real));
    r->mean = arena_take(&r->arena, T, sizeof(real));
    r->rstd = arena_take(&r->arena, T, sizeof(real));
    r->hidden = arena_take(&r->arena, M, sizeof(real));
    r->active = arena_take(&r->arena, M, sizeof(real));
    r->logits = arena_take(&r->arena, V, sizeof(real));
    return 0;
}

void scrub__rows_free(ScrubRows *r)
{
    if (r) {
        arena_release(&r->arena);
        mem_free(r);
    }
}

/* ---- the network's own steps, on single rows ---- */

/* own (C) = what the MLP writes for the stream x (C). */
static void mlp_row(ScrubRows *r, int layer)
{
    const TensorMap *map = &r->gpt->map;
    const Kernels *k = r->kernels;
    k->layernorm_fwd(r->normed, r->mean, r->rstd, r->x, tensor_of(r, map->ln2_w, layer),
                     tensor_of(r, map->ln2_b, layer), 1, r->C, (real)r->gpt->cfg.eps);
    k->linear_fwd(r->hidden, r->normed, tensor_of(r, map->W_in, layer), NULL, 1, r->C, r->M,
                  r->scratch);
    k->gelu_fwd(r->active, NULL, r->hidden, tensor_of(r, map->b_in, layer), 1, r->M);
    k->linear_fwd(r->own, r->active, tensor_of(r, map->W_out, layer),
                  tensor_of(r, map->b_out, layer), 1, r->M, r->C, r->scratch);
}

/* q (C) of the stream x (C), and k, v (T,C) of n streams in rows (T,C), all heads. */
static void attention_inputs(ScrubRows *r, int layer, size_t n)
{
    const TensorMap *map = &r->gpt->map;
    const Kernels *k = r->kernels;
    const real *w = tensor_of(r, map->ln1_w, layer), *b = tensor_of(r, map->ln1_b, layer);
    real eps = (real)r->gpt->cfg.eps;
    k->layernorm_fwd(r->normed, r->mean, r->rstd, r->x, w, b, 1, r->C, eps);
    k->linear_fwd(r->q, r->normed, tensor_of(r, map->W_Q, layer), tensor_of(r, map->b_Q, layer), 1,
                  r->C, r->C, r->scratch);
    k->layernorm_fwd(r->normed, r->mean, r->rstd, r->rows, w, b, n, r->C, eps);
    k->linear_fwd(r->k, r->normed, tensor_of(r, map->W_K, layer), tensor_of(r, map->b_K, layer), n,
                  r->C, r->C, r->scratch);
    k->linear_fwd(r->v, r->normed, tensor_of(r, map->W_V, layer), tensor_of(r, map->b_V, layer), n,
                  r->C, r->C, r->scratch);
}

/* z (C), the slice of one head: attention of q over n keys, in double precision. */
static void head_attend(ScrubRows *r, int head, size_t n)
{
    size_t first = (size_t)head * r->HS;
    double scores[GAME_MAX_MOVES], most = -INFINITY, total = 0.0;
    for (size_t s = 0; s < n; s++) {
        double score = 0.0;
        for (size_t j = first; j < first + r->HS; j++) {
            score += (double)r->q[j] * (double)r->k[s * r->C + j];
        }
        scores[s] = score / sqrt((double)r->HS);
        most = scores[s] > most ? scores[s] : most;
    }
    for (size_t s = 0; s < n; s++) {
        scores[s] = exp(scores[s] - most);
        total += scores[s];
    }
    for (size_t j = first; j < first + r->HS; j++) {
        double sum = 0.0;
        for (size_t s = 0; s < n; s++) {
            sum += scores[s] * (double)r->v[s * r->C + j];
        }
        r->z[j] = (real)(sum / total);
    }
}

static void add(real *to, const real *what, real factor, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        to[c] += factor * what[c];
    }
}

/* ---- parts ---- */

typedef struct Evaluation {
    ScrubRows *rows;
    const ScrubRuns *runs;
    const ScrubPlan *plan;
    const Hypothesis *hypothesis;
} Evaluation;

static void part_value(real *out, const Evaluation *e, const ScrubPart *part, int depth);

/* change (T,C) of the depth: at every position the sum over the inputs of what they write minus
 * what they write in the base run. */
static void part_change(const Evaluation *e, const ScrubPart *part, int depth)
{
    ScrubRows *r = e->rows;
    real *change = r->change[depth];
    memset(change, 0, ((size_t)part->t + 1) * r->C * sizeof(*change));
    for (int i = 0; i < part->n_children; i++) {
        const ScrubPart *child = &e->plan->parts[e->plan->children[part->first_child + i]];
        const HypothesisNode *node = &e->hypothesis->nodes[child->node];
        real *at = change + (size_t)child->t * r->C;
        if (child->plain == part->base) {
            continue;
        }
        part_value(r->value[depth], e, child, depth + 1);
        add(at, r->value[depth], 1, r->C);
        for (size_t s = node->first; s <= node->last; s++) {
            if (node->senders[s]) {
                scrub__add_sender(at, e->runs, part->base, s, child->t, -1);
            }
        }
    }
}

/* The streams that the heads of a group and layer read: x at the last position, rows at all. The
 * change at the last position is in `start`: what came before the layer. */
static void streams_of_group(const Evaluation *e, const ScrubPart *part, const real *change,
                             size_t group, int layer)
{
    ScrubRows *r = e->rows;
    for (int s = 0; s <= part->t; s++) {
        real *row = r->rows + (size_t)s * r->C;
        bool inside = part->positions[group] >> s & 1;
        int run = inside ? part->base : part->outside;
        memcpy(row, scrub__pre(e->runs, run, layer, s), r->C * sizeof(*row));
        if (inside) {
            add(row, s < part->t ? change + (size_t)s * r->C : r->start, 1, r->C);
        }
    }
    memcpy(r->x, scrub__pre(e->runs, part->base, layer, part->t), r->C * sizeof(*r->x));
    add(r->x, r->start, 1, r->C);
}

/* own (C) = what a sender writes that reads `change` (T, C). */
static void sender_value(const Evaluation *e, const ScrubPart *part, const real *change,
                         Sender sender, size_t group)
{
    ScrubRows *r = e->rows;
    const real *last = change + (size_t)part->t * r->C;
    if (sender.kind == SENDER_MLP) {
        memcpy(r->x, scrub__mid(e->runs, part->base, sender.layer, part->t), r->C * sizeof(*r->x));
        add(r->x, last, 1, r->C);
        mlp_row(r, sender.layer);
    } else if (sender.kind == SENDER_HEAD) {
        if (sender.layer != r->ready_layer) { /* heads of one layer do not read one another */
            memcpy(r->start, last, r->C * sizeof(*r->start));
        }
        if (sender.layer != r->ready_layer || group != r->ready_group) {
            streams_of_group(e, part, change, group, sender.layer);
            attention_inputs(r, sender.layer, (size_t)part->t + 1);
            r->ready_layer = sender.layer;
            r->ready_group = group;
        }
        head_attend(r, sender.head, (size_t)part->t + 1);
        outputs_of_head(r->own, r->gpt, sender.layer, sender.head, r->z, 1);
    } else { /* the input reads nothing: it is that of the run that the part sees */
        memset(r->own, 0, r->C * sizeof(*r->own));
        scrub__add_sender(r->own, e->runs, part->source, 0, part->t, 1);
    }
}

/* The senders of a part, in the order in which they write. What one changes, later ones read. */
static void part_senders(real *out, const Evaluation *e, const ScrubPart *part, real *change)
{
    ScrubRows *r = e->rows;
    const HypothesisNode *node = &e->hypothesis->nodes[part->node];
    real *last = change + (size_t)part->t * r->C;
    r->ready_layer = -1;
    memset(out, 0, r->C * sizeof(*out));
    for (size_t s = node->first; s <= node->last; s++) {
        if (node->senders[s]) {
            sender_value(e, part, change, graph_sender(r->graph, s), node->senders[s] - 1U);
            add(out, r->own, 1, r->C);
            add(last, r->own, 1, r->C);
            scrub__add_sender(last, e->runs, part->base, s, part->t, -1);
        }
    }
}

/* out (C): the sum of what the senders of a part write. */
static void part_value(real *out, const Evaluation *e, const ScrubPart *part, int depth)
{
    const HypothesisNode *node = &e->hypothesis->nodes[part->node];
    if (part->plain < 0) {
        part_change(e, part, depth);
        part_senders(out, e, part, e->rows->change[depth]);
        return;
    }
    memset(out, 0, e->rows->C * sizeof(*out));
    for (size_t s = node->first; s <= node->last; s++) {
        if (node->senders[s]) {
            scrub__add_sender(out, e->runs, part->plain, s, part->t, 1);
        }
    }
}

const real *scrub__logits_of(ScrubRows *rows, const ScrubRuns *runs, const ScrubPlan *plan,
                             const Hypothesis *hypothesis)
{
    const Evaluation e = {rows, runs, plan, hypothesis};
    const ScrubPart *logits = &plan->parts[plan->n_parts - 1];
    const Gpt *gpt = rows->gpt;
    const real *params = gpt->params;
    if (logits->plain >= 0) {
        return scrub__logits(runs, logits->plain);
    }
    part_change(&e, logits, 0);
    memcpy(rows->x, scrub__post(runs, logits->base, logits->t), rows->C * sizeof(*rows->x));
    add(rows->x, rows->change[0] + (size_t)logits->t * rows->C, 1, rows->C);
    rows->kernels->layernorm_fwd(rows->normed, rows->mean, rows->rstd, rows->x,
                                 params + gpt->map.lnf_w, params + gpt->map.lnf_b, 1, rows->C,
                                 (real)gpt->cfg.eps);
    rows->kernels->linear_fwd(rows->logits, rows->normed, params + gpt->map.W_U,
                              params + gpt->map.b_U, 1, rows->C, rows->V, rows->scratch);
    return rows->logits;
}
