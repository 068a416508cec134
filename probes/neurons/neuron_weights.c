/* probes/neurons/neuron_weights.c - see probes/neurons/neuron_weights.h. */
#include "probes/neurons/neuron_weights.h"

#include <math.h>

_Static_assert((int)LABEL_EMPTY == 0 && (int)LABEL_THEIRS == 1 && (int)LABEL_MINE == 2,
               "states are counted as facts are");

static const real *block_tensor(const Gpt *gpt, size_t offset, int layer)
{
    return gpt->params + offset + (size_t)layer * gpt->map.block_stride;
}

/* A direction of the stream, and its length. */
typedef struct Direction {
    double *x, norm;
    size_t C;
} Direction;

static void take_mean(Direction *direction)
{
    double mean = 0, square = 0;
    for (size_t c = 0; c < direction->C; c++) {
        mean += direction->x[c] / (double)direction->C;
    }
    for (size_t c = 0; c < direction->C; c++) {
        direction->x[c] -= mean;
        square += direction->x[c] * direction->x[c];
    }
    direction->norm = sqrt(square);
}

/* Cosines with the states of every square at a layer of the probe. */
static void compare(double out[NEURON_STATES][BOARD_SQUARES], const Direction *direction,
                    const GameVariant *variant, const Probe *probe, int layer)
{
    int index = probe ? probe_layer_index(probe, layer) : -1;
    for (int i = 0; i < NEURON_STATES * BOARD_SQUARES; i++) {
        out[i / BOARD_SQUARES][i % BOARD_SQUARES] = NAN;
    }
    if (index < 0) {
        return;
    }
    size_t squares = (size_t)probe->n_squares, row = squares * NEURON_STATES;
    for (size_t s = 0; s < squares; s++) {
        double product[NEURON_STATES] = {0}, square[NEURON_STATES] = {0};
        for (size_t c = 0; c < direction->C; c++) {
            const float *w = probe->weight[index] + c * row + s * NEURON_STATES;
            double mean = ((double)w[0] + (double)w[1] + (double)w[2]) / NEURON_STATES;
            for (int k = 0; k < NEURON_STATES; k++) {
                product[k] += direction->x[c] * ((double)w[k] - mean);
                square[k] += ((double)w[k] - mean) * ((double)w[k] - mean);
            }
        }
        for (int k = 0; k < NEURON_STATES; k++) {
            double length = sqrt(square[k]) * direction->norm;
            out[k][task_square(variant, (int)s)] = length > 0 ? product[k] / length : NAN;
        }
    }
}

static void add_logits(NeuronWeights *out, const Gpt *gpt, const Vocab *vocab,
                       const Direction *written)
{
    const real *unembed = gpt->params + gpt->map.W_U, *w = gpt->params + gpt->map.lnf_w;
    size_t V = (size_t)gpt->cfg.d_vocab;
    double mean = 0;
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        size_t tok = vocab->tok_of_sq[sq];
        out->logits[sq] = tok == TOK_PAD ? NAN : 0;
        for (size_t c = 0; c < written->C && tok != TOK_PAD; c++) {
            out->logits[sq] += written->x[c] * (double)w[c] * (double)unembed[c * V + tok];
        }
        mean += tok == TOK_PAD ? 0 : out->logits[sq] / (double)(V - 1);
    }
    out->top = -1;
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        out->logits[sq] -= mean;
        if (!isnan(out->logits[sq]) && (out->top < 0 || out->logits[sq] > out->logits[out->top])) {
            out->top = sq;
        }
    }
}

void neuron_weights_of(NeuronWeights *out, const Gpt *gpt, const Vocab *vocab, const Probe *probe,
                       int layer, size_t k, double *scratch)
{
    size_t M = (size_t)gpt->cfg.d_mlp;
    const real *W_in = block_tensor(gpt, gpt->map.W_in, layer);
    const real *W_out = block_tensor(gpt, gpt->map.W_out, layer) + k * (size_t)gpt->cfg.d_model;
    const real *w = block_tensor(gpt, gpt->map.ln2_w, layer);
    Direction direction = {.x = scratch, .C = (size_t)gpt->cfg.d_model};
    for (size_t c = 0; c < direction.C; c++) {
        direction.x[c] = (double)W_in[c * M + k] * (double)w[c];
    }
    take_mean(&direction);
    out->read_norm = direction.norm;
    compare(out->reads, &direction, vocab->variant, probe, layer - 1);
    double square = 0;
    for (size_t c = 0; c < direction.C; c++) {
        direction.x[c] = (double)W_out[c];
        square += direction.x[c] * direction.x[c];
    }
    direction.norm = sqrt(square);
    out->write_norm = direction.norm;
    compare(out->writes, &direction, vocab->variant, probe, layer);
    take_mean(&direction);
    add_logits(out, gpt, vocab, &direction);
}
