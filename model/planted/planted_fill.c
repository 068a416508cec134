/* model/planted/planted_fill.c - the filling: random weights that write where nobody of the circuit
 * reads. Draws are those of planted tensors: (seed, RNG_PLANT, DRAW_FILL + tensor). */
#include <math.h>
#include <string.h>

#include "model/planted/planted_internal.h"

enum { DRAW_FILL = 1 << 18 };

/* Sizes of the filling, chosen so that scores, neurons and writes are of the order of one, as in a
 * trained network of these widths; nothing depends on them. */
static const double reads_std = 0.5; /* times a stream of norm 2 to 4 */
static const double bias_std = 0.3;
static const double background_std = 0.5; /* nats of logit, by position */
static const double embedding_norm = 1, write_norm = 1, bias_norm = 0.3;

static Rng draws_of(const PlantedSpace *s, size_t offset)
{
    return rng_at(s->plant->options.seed, RNG_PLANT, DRAW_FILL + offset / 16); /* aligned to 16 */
}

static void fill_normal(PlantedSpace *s, size_t offset, size_t n, double std)
{
    Rng rng = draws_of(s, offset);
    for (size_t i = 0; i < n; i++) {
        s->gpt->params[offset + i] = (real)(std * rng_normal(&rng));
    }
}

static void fill_constant(PlantedSpace *s, size_t offset, size_t n, double value)
{
    for (size_t i = 0; i < n; i++) {
        s->gpt->params[offset + i] = (real)value;
    }
}

/* s->row += gain * direction. */
static void row_add(PlantedSpace *s, const double *direction, double gain)
{
    for (size_t c = 0; c < s->C; c++) {
        s->row[c] += gain * direction[c];
    }
}

/* s->row = a random vector of the filling's directions, of about this norm. */
static void row_begin(PlantedSpace *s, Rng *rng, double norm)
{
    size_t first = 2 * s->V - 1 + N_AUX;
    double std = norm / sqrt((double)(s->C - first));
    memset(s->row, 0, s->C * sizeof(*s->row));
    for (size_t i = first; i < s->C; i++) {
        row_add(s, s->basis + i * s->C, std * rng_normal(rng));
    }
}

static void row_end(PlantedSpace *s, size_t offset, double unit)
{
    for (size_t c = 0; c < s->C; c++) {
        s->gpt->params[offset + c] = (real)(unit * s->row[c]);
    }
}

/* n rows that write into the stream. */
static void fill_writing(PlantedSpace *s, size_t offset, size_t n, double norm)
{
    Rng rng = draws_of(s, offset);
    for (size_t i = 0; i < n; i++) {
        row_begin(s, &rng, norm);
        row_end(s, offset + i * s->C, PLANTED_UNIT);
    }
}

/* Second half of the neurons: the opposite of the first, so that each pair is linear. */
static void fill_opposites(PlantedSpace *s, size_t at)
{
    const TensorMap *map = &s->gpt->map;
    real *in = s->gpt->params + at + map->W_in, *bias = s->gpt->params + at + map->b_in;
    real *out = s->gpt->params + at + map->W_out;
    size_t half = s->M / 2;
    for (size_t j = 0; j < half; j++) {
        bias[half + j] = -bias[j];
        for (size_t c = 0; c < s->C; c++) {
            in[c * s->M + half + j] = -in[c * s->M + j];
            out[(half + j) * s->C + c] = -out[j * s->C + c];
        }
    }
}

/* The weight undoes PLANTED_UNIT and sqrt(eps); the bias lies in the filling's directions. */
static void fill_norm(PlantedSpace *s, size_t w, size_t b)
{
    Rng rng = draws_of(s, b);
    fill_constant(s, w, s->C, sqrt((double)s->gpt->cfg.eps) / PLANTED_UNIT);
    row_begin(s, &rng, bias_norm);
    row_end(s, b, 1);
}

static void fill_block(PlantedSpace *s, int layer)
{
    const TensorMap *map = &s->gpt->map;
    const bool linear = s->plant->options.kind == PLANTED_LINEAR;
    size_t at = (size_t)layer * map->block_stride, C = s->C, M = s->M;
    const size_t reading[] = {map->W_Q, map->W_K, map->W_V},
                 bias[] = {map->b_Q, map->b_K, map->b_V};
    fill_norm(s, at + map->ln1_w, at + map->ln1_b);
    fill_norm(s, at + map->ln2_w, at + map->ln2_b);
    for (int i = 0; i < 3; i++) {
        bool used = i > 0 || !linear; /* no queries: attention is uniform */
        fill_normal(s, at + reading[i], C * C, used ? reads_std : 0);
        fill_normal(s, at + bias[i], C, used ? bias_std : 0);
    }
    fill_writing(s, at + map->W_O, C, write_norm / sqrt((double)C));
    fill_writing(s, at + map->b_O, 1, bias_norm);
    fill_normal(s, at + map->W_in, C * M, reads_std);
    fill_normal(s, at + map->b_in, M, bias_std);
    fill_writing(s, at + map->W_out, M, write_norm / sqrt((double)M));
    fill_writing(s, at + map->b_out, 1, bias_norm);
    if (linear) {
        fill_opposites(s, at);
    }
}

/* Each token its direction, each position a background of the logits; position 0 is marked. */
static void fill_embeddings(PlantedSpace *s)
{
    const TensorMap *map = &s->gpt->map;
    Rng rng = draws_of(s, map->W_E);
    for (size_t token = 0; token < s->V; token++) {
        row_begin(s, &rng, embedding_norm);
        if (token > 0) {
            row_add(s, planted__token(s, (uint8_t)token), 1);
        }
        row_end(s, map->W_E + token * s->C, PLANTED_UNIT);
    }
    rng = draws_of(s, map->W_pos);
    for (size_t t = 0; t < (size_t)s->gpt->cfg.n_ctx; t++) {
        row_begin(s, &rng, embedding_norm);
        for (size_t token = 1; token < s->V; token++) {
            row_add(s, planted__logit(s, (uint8_t)token), background_std * rng_normal(&rng));
        }
        row_add(s, planted__aux(s, AUX_FIRST), t == 0);
        row_end(s, map->W_pos + t * s->C, PLANTED_UNIT);
    }
}

static void fill_head(PlantedSpace *s)
{
    const TensorMap *map = &s->gpt->map;
    Rng rng = draws_of(s, map->lnf_b);
    fill_constant(s, map->lnf_w, s->C, sqrt((double)s->gpt->cfg.eps) / PLANTED_UNIT);
    row_begin(s, &rng, bias_norm);
    for (size_t token = 1; token < s->V; token++) {
        row_add(s, planted__logit(s, (uint8_t)token), bias_std * rng_normal(&rng));
    }
    row_end(s, map->lnf_b, 1);
    for (size_t c = 0; c < s->C; c++) {
        s->gpt->params[map->W_U + c * s->V] = 0; /* the pad */
        for (size_t token = 1; token < s->V; token++) {
            s->gpt->params[map->W_U + c * s->V + token] =
                (real)planted__logit(s, (uint8_t)token)[c];
        }
    }
    fill_normal(s, map->b_U, s->V, bias_std);
    s->gpt->params[map->b_U] = -10; /* the pad is no move */
}

void planted__fill(PlantedSpace *space)
{
    fill_embeddings(space);
    for (int layer = 0; layer < PLANTED_LAYERS; layer++) {
        fill_block(space, layer);
    }
    fill_head(space);
}
