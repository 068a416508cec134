/* probes/features/features_directions.c - see probes/features/features_directions.h. */
#include "probes/features/features_directions.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/vectors.h"
#include "probes/board/direction_set.h"
#include "probes/steering/steer_bank.h"

enum { STATES = 3, CHANCE_DRAWS = 200 };

static int fill_probe(FeaturesDirections *out, const Probe *probe, int layer)
{
    const int at = probe_layer_index(probe, layer);
    const size_t d = out->width, squares = (size_t)probe->n_squares, step = squares * STATES;
    out->n_probe = step;
    out->probe = mem_alloc(step * d, sizeof(float), "directions of a probe");
    for (size_t i = 0; out->probe && i < step; i++) {
        double own = 0; /* 0: a class that never occurs, such as an empty centre; no direction */
        for (size_t c = 0; c < d; c++) {
            const float *w = probe->weight[at] + c * step + i / STATES * STATES;
            const double mean = ((double)w[0] + (double)w[1] + (double)w[2]) / STATES;
            out->probe[i * d + c] = (float)((double)w[i % STATES] - mean);
            own += fabs((double)w[i % STATES]);
        }
        if (own > 0) {
            vector_unit(out->probe + i * d, d);
        } else {
            memset(out->probe + i * d, 0, d * sizeof(float));
        }
    }
    return out->probe ? 0 : OGPT_ENOMEM;
}

static int fill_moves(FeaturesDirections *out, const Gpt *gpt)
{
    const size_t d = out->width, V = (size_t)gpt->cfg.d_vocab;
    const real *unembed = gpt->params + gpt->map.W_U, *weight = gpt->params + gpt->map.lnf_w;
    out->n_moves = V - 1;
    out->moves = mem_alloc((V - 1) * d, sizeof(float), "directions of moves");
    for (size_t tok = 1; out->moves && tok < V; tok++) {
        float *v = out->moves + (tok - 1) * d;
        double mean = 0;
        for (size_t c = 0; c < d; c++) {
            mean += (double)weight[c] * (double)unembed[c * V + tok] / (double)d;
        }
        for (size_t c = 0; c < d; c++) {
            v[c] = (float)((double)weight[c] * (double)unembed[c * V + tok] - mean);
        }
        vector_unit(v, d);
    }
    return out->moves ? 0 : OGPT_ENOMEM;
}

static double largest_cosine(size_t *at, const float *directions, size_t n, const float *column,
                             size_t d)
{
    double best = NAN;
    for (size_t i = 0; i < n; i++) {
        const double value = vector_cosine(directions + i * d, column, d);
        if (!isnan(value) && !(value <= best)) {
            best = value;
            *at = i;
        }
    }
    return best;
}

static int fill_chance(FeaturesDirections *out, uint64_t seed)
{
    size_t at = 0;
    double probe = 0, moves = 0;
    float *drawn = mem_alloc(out->width, sizeof(*drawn), "a random direction");
    for (uint64_t i = 0; drawn && i < CHANCE_DRAWS; i++) {
        direction_random(drawn, out->width, seed, i);
        probe += largest_cosine(&at, out->probe, out->n_probe, drawn, out->width) / CHANCE_DRAWS;
        moves += largest_cosine(&at, out->moves, out->n_moves, drawn, out->width) / CHANCE_DRAWS;
    }
    out->probe_chance = probe;
    out->moves_chance = moves;
    const int rc = drawn ? 0 : OGPT_ENOMEM;
    mem_free(drawn);
    return rc;
}

int features_directions_make(FeaturesDirections *out, const Gpt *gpt, const Vocab *vocab,
                             HookSite site, int layer, const Probe *probe, uint64_t seed)
{
    *out = (FeaturesDirections){.vocab = vocab, .width = hook_width(&gpt->cfg, site, 0)};
    int rc = probe ? fill_probe(out, probe, layer) : 0;
    rc = rc || !steer_in_stream(site) ? rc : fill_moves(out, gpt);
    return rc ? rc : fill_chance(out, seed);
}

void features_directions_release(FeaturesDirections *directions)
{
    mem_free(directions->probe);
    mem_free(directions->moves);
    *directions = (FeaturesDirections){0};
}

FeaturesNearest features_nearest_probe(const FeaturesDirections *directions, const float *column)
{
    size_t at = 0;
    FeaturesNearest out = {-1, -1, NAN};
    out.cosine =
        largest_cosine(&at, directions->probe, directions->n_probe, column, directions->width);
    if (!isnan(out.cosine)) {
        out.square = task_square(directions->vocab->variant, (int)(at / STATES));
        out.class = (int)(at % STATES);
    }
    return out;
}

FeaturesNearest features_nearest_move(const FeaturesDirections *directions, const float *column)
{
    size_t at = 0;
    FeaturesNearest out = {-1, -1, NAN};
    out.cosine =
        largest_cosine(&at, directions->moves, directions->n_moves, column, directions->width);
    if (!isnan(out.cosine)) {
        out.square = directions->vocab->sq_of_tok[at + 1];
    }
    return out;
}

void features_cosines(double out[BOARD_SQUARES], const FeaturesDirections *directions,
                      const float *column, int class)
{
    const size_t d = directions->width;
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        out[sq] = NAN;
    }
    for (size_t i = 0; class < 0 && i < directions->n_moves; i++) {
        out[directions->vocab->sq_of_tok[i + 1]] =
            vector_cosine(directions->moves + i * d, column, d);
    }
    for (size_t s = 0; class >= 0 && s < directions->n_probe / STATES; s++) {
        out[task_square(directions->vocab->variant, (int)s)] =
            vector_cosine(directions->probe + (s * STATES + (size_t) class) * d, column, d);
    }
}
