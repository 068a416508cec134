/* model/layouts/plain_net.c - a network computed straight from a file. See model/layouts/layouts.h.
 *
 * Row-major doubles. Legend: T time, C d_model, M d_mlp, V d_vocab, HS d_head. How each library
 * stores its matrices is stated here a second time, independently of layouts.def, as strides. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/formats/safetensors.h"
#include "model/layouts/layouts.h"
#include "model/layouts/layouts_internal.h"

/* y[o] = bias[o] + sum_i x[i] * w[i * in_step + o * out_step], where one of the steps is 1; bias
 * may be NULL. */
typedef struct Linear {
    const float *w, *bias;
    size_t n_in, n_out, in_step, out_step;
} Linear;

typedef struct Norm {
    const float *w, *b; /* NULL: ones, zeros */
} Norm;

typedef struct PlainBlock {
    Norm ln1, ln2;
    const float *w_qkv[3], *b_qkv[3]; /* of head 0, of query, key and value */
    Linear out, in_mlp, out_mlp;
} PlainBlock;

struct PlainNet {
    GptConfig cfg;
    Layout layout;
    PlainBlock *blocks;
    const float *embed, *position;
    Norm final;
    Linear head;
    float *numbers; /* the whole file, tensor after tensor */
};

/* ---- opening ---- */

typedef struct Finder {
    const PlainNet *net;
    const StFile *file;
    const size_t *start; /* where each tensor of the file begins in net->numbers */
    bool missing;        /* a needed tensor is absent or has another size */
} Finder;

/* The `count` numbers of a field's tensor; NULL if the file has none. */
static const float *find(Finder *finder, size_t field, int layer, size_t count)
{
    char name[LAYOUT_NAME_MAX];
    layout__name(name, finder->net->layout, field, layer);
    const char *bare = layout__bare(name);
    for (size_t i = 0; i < st_count(finder->file); i++) {
        const StTensor *tensor = st_tensor(finder->file, i);
        if (strcmp(tensor->name, bare) == 0 && st_is_float(tensor) && st_numbers(tensor) == count) {
            return finder->net->numbers + finder->start[i];
        }
    }
    return NULL;
}

static const float *need(Finder *finder, size_t field, int layer, size_t count)
{
    const float *found = find(finder, field, layer, count);
    finder->missing |= !found;
    return found;
}

static Norm norm_of(Finder *finder, size_t w, size_t b, int layer)
{
    const size_t C = (size_t)finder->net->cfg.d_model;
    return (Norm){find(finder, w, layer, C), find(finder, b, layer, C)};
}

/* torch.nn.Linear stores [out, in]; Conv1D and TransformerLens [in, out]. */
static Linear linear_of(Finder *finder, size_t w, size_t bias, int layer, size_t n_in, size_t n_out)
{
    bool turned = finder->net->layout == LAYOUT_MINGPT;
    return (Linear){.w = need(finder, w, layer, n_in * n_out),
                    .bias = need(finder, bias, layer, n_out),
                    .n_in = n_in,
                    .n_out = n_out,
                    .in_step = turned ? 1 : n_out,
                    .out_step = turned ? n_in : 1};
}

static void block_find(PlainBlock *out, Finder *finder, int layer)
{
    static const size_t fields[3][2] = {
        {FIELD(W_Q), FIELD(b_Q)}, {FIELD(W_K), FIELD(b_K)}, {FIELD(W_V), FIELD(b_V)}};
    const size_t C = (size_t)finder->net->cfg.d_model, M = (size_t)finder->net->cfg.d_mlp;
    const bool packed = finder->net->layout == LAYOUT_HF_GPT2;
    const size_t n_parts = packed ? 3 : 1; /* in one tensor */
    out->ln1 = norm_of(finder, FIELD(ln1_w), FIELD(ln1_b), layer);
    out->ln2 = norm_of(finder, FIELD(ln2_w), FIELD(ln2_b), layer);
    for (size_t part = 0; part < 3; part++) {
        const float *w = need(finder, fields[part][0], layer, n_parts * C * C);
        const float *b = need(finder, fields[part][1], layer, n_parts * C);
        out->w_qkv[part] = packed && w ? w + part * C : w;
        out->b_qkv[part] = packed && b ? b + part * C : b;
    }
    out->out = linear_of(finder, FIELD(W_O), FIELD(b_O), layer, C, C);
    out->in_mlp = linear_of(finder, FIELD(W_in), FIELD(b_in), layer, C, M);
    out->out_mlp = linear_of(finder, FIELD(W_out), FIELD(b_out), layer, M, C);
}

/* Query, key or value of one head, from the normed stream. */
static Linear head_linear(const PlainNet *net, const PlainBlock *block, size_t part, size_t head)
{
    const size_t C = (size_t)net->cfg.d_model, HS = (size_t)net->cfg.d_head;
    Linear linear = {.bias = block->b_qkv[part] + head * HS, .n_in = C, .n_out = HS};
    switch (net->layout) {
    case LAYOUT_MINGPT: /* [out, in], heads one after another in the rows */
        linear.w = block->w_qkv[part] + head * HS * C;
        linear.in_step = 1;
        linear.out_step = C;
        break;
    case LAYOUT_HF_GPT2: /* [in, 3 * out], heads one after another in the columns */
        linear.w = block->w_qkv[part] + head * HS;
        linear.in_step = 3 * C;
        linear.out_step = 1;
        break;
    default: /* [head, in, out of the head] */
        linear.w = block->w_qkv[part] + head * C * HS;
        linear.in_step = HS;
        linear.out_step = 1;
        break;
    }
    return linear;
}

static void net_find(PlainNet *net, Finder *finder, bool tied)
{
    const size_t C = (size_t)net->cfg.d_model, V = (size_t)net->cfg.d_vocab;
    for (int l = 0; l < net->cfg.n_layers; l++) {
        block_find(&net->blocks[l], finder, l);
    }
    net->embed = need(finder, FIELD(W_E), 0, V * C);
    net->position = need(finder, FIELD(W_pos), 0, (size_t)net->cfg.n_ctx * C);
    net->final = norm_of(finder, FIELD(lnf_w), FIELD(lnf_b), 0);
    net->head = (Linear){.w = tied ? net->embed : need(finder, FIELD(W_U), 0, V * C),
                         .bias = find(finder, FIELD(b_U), 0, V),
                         .n_in = C,
                         .n_out = V,
                         .in_step = net->layout == LAYOUT_TL ? V : 1,
                         .out_step = net->layout == LAYOUT_TL ? 1 : C};
}

int plain_net_open(PlainNet **out, Layout layout, const char *tensors, const LayoutConfig *config)
{
    *out = NULL;
    StFile *file = NULL;
    size_t *start = NULL;
    PlainNet *net = mem_calloc(1, sizeof(*net), "a plain network");
    int rc = !net ? OGPT_ENOMEM : layout__open(&file, layout, tensors);
    if (rc != 0) {
        goto done;
    }
    net->cfg = config->gpt;
    net->layout = layout;
    net->blocks = mem_calloc((size_t)net->cfg.n_layers, sizeof(*net->blocks), "plain blocks");
    start = mem_alloc(st_count(file), sizeof(*start), "places of tensors");
    size_t n = 0;
    for (size_t i = 0; i < st_count(file) && start; i++) {
        start[i] = n;
        n += st_is_float(st_tensor(file, i)) ? st_numbers(st_tensor(file, i)) : 0;
    }
    net->numbers = mem_alloc(n, sizeof(*net->numbers), tensors);
    if (!net->blocks || !start || !net->numbers) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    for (size_t i = 0; rc == 0 && i < st_count(file); i++) {
        const StTensor *tensor = st_tensor(file, i);
        if (st_is_float(tensor)) { /* buffers may be of other types */
            rc = st_read_f32(net->numbers + start[i], file, tensor->name, tensor->rank,
                             tensor->shape, true);
        }
    }
    Finder finder = {net, file, start, false};
    net_find(net, &finder, config->tied);
    if (rc == 0 && finder.missing) {
        rc = err_set(OGPT_EFORMAT, "%s: its tensors are not those of layout %s; was it changed?",
                     tensors, layout_name(layout));
    }
done:
    mem_free(start);
    st_close(file);
    if (rc != 0) {
        plain_net_free(net);
        return rc;
    }
    *out = net;
    return 0;
}

void plain_net_free(PlainNet *net)
{
    if (net) {
        mem_free(net->numbers);
        mem_free(net->blocks);
        mem_free(net);
    }
}

/* ---- forward ---- */

static void norm_apply(double *out, const double *x, const Norm *norm, size_t C, double eps)
{
    double mean = 0, variance = 0;
    for (size_t c = 0; c < C; c++) {
        mean += x[c] / (double)C;
    }
    for (size_t c = 0; c < C; c++) {
        variance += (x[c] - mean) * (x[c] - mean) / (double)C;
    }
    for (size_t c = 0; c < C; c++) {
        double w = norm->w ? (double)norm->w[c] : 1;
        double b = norm->b ? (double)norm->b[c] : 0;
        out[c] = (x[c] - mean) / sqrt(variance + eps) * w + b;
    }
}

/* The inner loop runs along the tensor's last dimension. */
static void linear_apply(double *out, const double *x, const Linear *linear)
{
    const size_t n_in = linear->n_in, n_out = linear->n_out;
    for (size_t o = 0; o < n_out; o++) {
        out[o] = linear->bias ? (double)linear->bias[o] : 0;
    }
    if (linear->out_step == 1) {
        for (size_t i = 0; i < n_in; i++) {
            const float *w = linear->w + i * linear->in_step;
            for (size_t o = 0; o < n_out; o++) {
                out[o] += x[i] * (double)w[o];
            }
        }
        return;
    }
    for (size_t o = 0; o < n_out; o++) {
        const float *w = linear->w + o * linear->out_step;
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = 0; i < n_in; i++) {
            sum += x[i] * (double)w[i];
        }
        out[o] += sum;
    }
}

/* z (T, C): the heads' values side by side. normed (T, C); qkv has room for 3 * T * HS. */
static void attend(double *z, const double *normed, const PlainNet *net, const PlainBlock *block,
                   size_t T, double *qkv, double *pattern)
{
    const size_t C = (size_t)net->cfg.d_model, HS = (size_t)net->cfg.d_head;
    double *part[3] = {qkv, qkv + T * HS, qkv + 2 * T * HS};
    for (size_t head = 0; head < (size_t)net->cfg.n_heads; head++) {
        for (size_t p = 0; p < 3; p++) {
            Linear linear = head_linear(net, block, p, head);
            for (size_t t = 0; t < T; t++) {
                linear_apply(part[p] + t * HS, normed + t * C, &linear);
            }
        }
        for (size_t t = 0; t < T; t++) {
            double *out = z + t * C + head * HS, highest = -INFINITY, sum = 0;
            for (size_t s = 0; s <= t; s++) {
                pattern[s] = 0;
                for (size_t e = 0; e < HS; e++) {
                    pattern[s] += part[0][t * HS + e] * part[1][s * HS + e];
                }
                pattern[s] /= sqrt((double)HS);
                highest = fmax(highest, pattern[s]);
            }
            memset(out, 0, HS * sizeof(*out));
            for (size_t s = 0; s <= t; s++) {
                double weight = exp(pattern[s] - highest);
                sum += weight;
                for (size_t e = 0; e < HS; e++) {
                    out[e] += weight * part[2][s * HS + e];
                }
            }
            for (size_t e = 0; e < HS; e++) {
                out[e] /= sum;
            }
        }
    }
}

int plain_net_logits(double *logits, const PlainNet *net, const uint8_t *tokens, size_t T)
{
    const size_t C = (size_t)net->cfg.d_model, M = (size_t)net->cfg.d_mlp;
    const size_t HS = (size_t)net->cfg.d_head;
    const double eps = (double)net->cfg.eps;
    double *room = mem_calloc(3 * T * C + 3 * T * HS + T + C + M, sizeof(*room), "activations");
    if (!room) {
        return OGPT_ENOMEM;
    }
    double *x = room, *normed = x + T * C, *z = normed + T * C, *qkv = z + T * C;
    double *pattern = qkv + 3 * T * HS, *added = pattern + T, *inner = added + C;
    for (size_t t = 0; t < T; t++) {
        for (size_t c = 0; c < C; c++) {
            x[t * C + c] = (double)net->embed[tokens[t] * C + c] + (double)net->position[t * C + c];
        }
    }
    for (int l = 0; l < net->cfg.n_layers; l++) {
        const PlainBlock *block = &net->blocks[l];
        for (size_t t = 0; t < T; t++) {
            norm_apply(normed + t * C, x + t * C, &block->ln1, C, eps);
        }
        attend(z, normed, net, block, T, qkv, pattern);
        for (size_t t = 0; t < T; t++) {
            linear_apply(added, z + t * C, &block->out);
            for (size_t c = 0; c < C; c++) {
                x[t * C + c] += added[c];
            }
            norm_apply(normed, x + t * C, &block->ln2, C, eps);
            linear_apply(inner, normed, &block->in_mlp);
            for (size_t m = 0; m < M; m++) {
                inner[m] *= 0.5 * (1 + erf(inner[m] / sqrt(2.0)));
            }
            linear_apply(added, inner, &block->out_mlp);
            for (size_t c = 0; c < C; c++) {
                x[t * C + c] += added[c];
            }
        }
    }
    for (size_t t = 0; t < T; t++) {
        norm_apply(normed, x + t * C, &net->final, C, eps);
        linear_apply(logits + t * (size_t)net->cfg.d_vocab, normed, &net->head);
    }
    mem_free(room);
    return 0;
}
