/* model/planted/planted_space.c - directions of the residual stream and of the heads, and how a
 * planted head or neuron is written along them. */
#include <math.h>
#include <string.h>

#include "model/planted/planted_internal.h"

/* Rows `done` to n-1 (of n, each of n numbers) become random and orthonormal to all before them:
 * Gram-Schmidt, twice for accuracy (Golub & Van Loan 2013, 5.2.7). */
static void orthonormal_rows(double *rows, size_t done, size_t n, Rng *rng)
{
    for (size_t i = done; i < n; i++) {
        double *row = rows + i * n, square = 0;
        for (size_t c = 0; c < n; c++) {
            row[c] = rng_normal(rng);
        }
        for (size_t j = 0; j < 2 * i; j++) {
            const double *other = rows + j % i * n;
            double product = 0;
            for (size_t c = 0; c < n; c++) {
                product += row[c] * other[c];
            }
            for (size_t c = 0; c < n; c++) {
                row[c] -= product * other[c];
            }
        }
        for (size_t c = 0; c < n; c++) {
            square += row[c] * row[c];
        }
        for (size_t c = 0; c < n; c++) {
            row[c] /= sqrt(square);
        }
    }
}

/* Draws of the room: layers 0.. are the places (planted.c), tensors are planted_fill.c's. */
enum { DRAW_BASIS = 1 << 16, DRAW_TURN = 1 << 17 };

int planted__space(PlantedSpace *out, const Plant *plant, Gpt *gpt)
{
    PlantedSpace s = {.plant = plant,
                      .gpt = gpt,
                      .C = (size_t)gpt->cfg.d_model,
                      .V = (size_t)gpt->cfg.d_vocab,
                      .HS = (size_t)gpt->cfg.d_head,
                      .M = (size_t)gpt->cfg.d_mlp};
    size_t bytes = arena_piece_bytes(s.C * s.C, sizeof(double)) +
                   arena_piece_bytes(s.HS * s.HS, sizeof(double)) +
                   arena_piece_bytes(s.C, sizeof(double));
    int rc = arena_init(&s.arena, bytes, "directions of a planted network");
    if (rc == 0) {
        s.basis = arena_take(&s.arena, s.C * s.C, sizeof(double));
        s.turn = arena_take(&s.arena, s.HS * s.HS, sizeof(double));
        s.row = arena_take(&s.arena, s.C, sizeof(double));
        for (size_t c = 0; c < s.C; c++) {
            s.basis[c] = 1 / sqrt((double)s.C); /* the mean, which a LayerNorm takes away */
        }
        Rng rng = rng_at(plant->options.seed, RNG_PLANT, DRAW_BASIS);
        orthonormal_rows(s.basis, 1, s.C, &rng);
    }
    *out = s;
    return rc;
}

void planted__space_release(PlantedSpace *space)
{
    arena_release(&space->arena);
}

const double *planted__token(const PlantedSpace *space, uint8_t token)
{
    return space->basis + token * space->C; /* tokens begin at 1 */
}

const double *planted__logit(const PlantedSpace *space, uint8_t token)
{
    return space->basis + (space->V - 1 + token) * space->C;
}

const double *planted__aux(const PlantedSpace *space, int aux)
{
    return space->basis + (2 * space->V - 1 + (size_t)aux) * space->C;
}

/* ---- a head ---- */

static size_t block_at(const PlantedSpace *s, int layer)
{
    return (size_t)layer * s->gpt->map.block_stride;
}

/* The first number of the head's channels in a row of W_Q, W_K or W_V, and its first row of W_O. */
static size_t head_at(const PlantedSpace *s)
{
    return (size_t)s->head * s->HS;
}

/* The columns of the head in a (C,C) matrix, and its part of the bias. */
static void clear_reading(PlantedSpace *s, size_t W, size_t bias)
{
    real *w = s->gpt->params + block_at(s, s->layer) + W;
    for (size_t c = 0; c < s->C; c++) {
        memset(w + c * s->C + head_at(s), 0, s->HS * sizeof(*w));
    }
    memset(s->gpt->params + block_at(s, s->layer) + bias + head_at(s), 0, s->HS * sizeof(*w));
}

void planted__head_begin(PlantedSpace *s, int layer, int head, bool selects)
{
    const TensorMap *map = &s->gpt->map;
    s->layer = layer;
    s->head = head;
    clear_reading(s, map->W_Q, map->b_Q);
    clear_reading(s, map->W_V, map->b_V);
    if (selects) {
        clear_reading(s, map->W_K, map->b_K);
    }
    real *w = s->gpt->params + block_at(s, layer) + map->W_O + head_at(s) * s->C;
    memset(w, 0, s->HS * s->C * sizeof(*w));
    Rng rng = rng_at(s->plant->options.seed, RNG_PLANT,
                     DRAW_TURN + (uint64_t)(layer * PLANTED_HEADS + head));
    orthonormal_rows(s->turn, 0, s->HS, &rng);
}

void planted__head_reads(PlantedSpace *s, size_t W, size_t channel, const double *direction,
                         double gain)
{
    real *w = s->gpt->params + block_at(s, s->layer) + W + head_at(s);
    const double *turn = s->turn + channel * s->HS;
    for (size_t c = 0; c < s->C; c++) {
        for (size_t j = 0; j < s->HS; j++) {
            w[c * s->C + j] += (real)(gain * direction[c] * turn[j]);
        }
    }
}

void planted__head_asks(PlantedSpace *s, size_t channel, double gain)
{
    real *bias = s->gpt->params + block_at(s, s->layer) + s->gpt->map.b_Q + head_at(s);
    for (size_t j = 0; j < s->HS; j++) {
        bias[j] += (real)(gain * s->turn[channel * s->HS + j]);
    }
}

void planted__head_writes(PlantedSpace *s, size_t channel, const double *direction, double gain)
{
    real *w = s->gpt->params + block_at(s, s->layer) + s->gpt->map.W_O + head_at(s) * s->C;
    for (size_t j = 0; j < s->HS; j++) {
        double scaled = PLANTED_UNIT * gain * s->turn[channel * s->HS + j];
        for (size_t c = 0; c < s->C; c++) {
            w[j * s->C + c] += (real)(scaled * direction[c]);
        }
    }
}

/* ---- a neuron ---- */

void planted__neuron(PlantedSpace *s, int layer, int neuron, const PlantedNeuron *n)
{
    const TensorMap *map = &s->gpt->map;
    real *block = s->gpt->params + block_at(s, layer);
    real *in = block + map->W_in + neuron, *out = block + map->W_out + (size_t)neuron * s->C;
    block[map->b_in + (size_t)neuron] = (real)n->bias;
    for (size_t c = 0; c < s->C; c++) {
        in[c * s->M] = n->in ? (real)(n->gain * n->in[c]) : 0;
        out[c] = n->out ? (real)(PLANTED_UNIT * n->out_gain * n->out[c]) : 0;
    }
}

void planted__pair(PlantedSpace *s, int layer, int neuron, const PlantedNeuron *n)
{
    PlantedNeuron negative = *n;
    negative.gain = -n->gain;
    negative.out_gain = -n->out_gain;
    planted__neuron(s, layer, neuron, n);
    planted__neuron(s, layer, neuron + (int)(s->M / 2), &negative);
}
