/* probes/latent/latent_rows.c - see probes/latent/latent_rows.h. */
#include "probes/latent/latent_rows.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "num/matrices/general.h"

#define LATENT_SPREAD 1e-9 /* of a column that is no constant */

/* ---- scale ---- */

/* The mean row of every ply. */
static void ply_means(double *ply, const LabelledSet *set, const float *x, size_t width)
{
    double count[GAME_MAX_MOVES] = {0};
    for (size_t i = 0; i < set->set.n_positions; i++) {
        double *to = ply + set->set.t[i] * width;
        for (size_t c = 0; c < width; c++) {
            to[c] += (double)x[i * width + c];
        }
        count[set->set.t[i]] += 1;
    }
    for (size_t t = 0; t < GAME_MAX_MOVES; t++) {
        for (size_t c = 0; c < width && count[t] > 0; c++) {
            ply[t * width + c] /= count[t];
        }
    }
}

int latent_scale_fit(LatentScale *out, const LatentPairs *pairs, const LabelledSet *set,
                     const float *x, size_t width, bool by_ply)
{
    double *memory = mem_calloc((GAME_MAX_MOVES + 4) * width, sizeof(*memory), "scale of rows");
    *out = (LatentScale){.width = width, .by_ply = by_ply, .ply = memory};
    if (!memory) {
        return OGPT_ENOMEM;
    }
    out->mean = memory + GAME_MAX_MOVES * width;
    out->scale = out->mean + 2 * width;
    if (by_ply) {
        ply_means(out->ply, set, x, width);
    }
    for (size_t member = 0; member < 2; member++) {
        double *mean = out->mean + member * width, *scale = out->scale + member * width;
        for (size_t pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i < pairs->n; i++) {
                size_t at = pairs->first[i] + member;
                const float *row = x + at * width;
                const double *off = out->ply + set->set.t[at] * width;
                for (size_t c = 0; c < width; c++) {
                    double value = (double)row[c] - off[c];
                    if (pass == 0) {
                        mean[c] += value / (double)pairs->n;
                    } else {
                        scale[c] += (value - mean[c]) * (value - mean[c]) / (double)pairs->n;
                    }
                }
            }
        }
        for (size_t c = 0; c < width; c++) {
            double spread = sqrt(scale[c]);
            scale[c] = spread > LATENT_SPREAD * (1 + fabs(mean[c])) ? 1 / spread : 0;
        }
    }
    return 0;
}

void latent_scale_release(LatentScale *scale)
{
    mem_free(scale->ply);
    *scale = (LatentScale){0};
}

/* ---- rows ---- */

int latent_rows_make(LatentRows *out, const LatentScale *scale, const LatentPairs *pairs,
                     const LabelledSet *set, const float *x)
{
    size_t width = scale->width;
    *out = (LatentRows){.n = pairs->n, .width = width};
    out->first = mem_alloc(pairs->n * width, sizeof(float), "rows of pairs");
    out->second = mem_alloc(pairs->n * width, sizeof(float), "rows of pairs");
    if (!out->first || !out->second) {
        latent_rows_release(out);
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < pairs->n; i++) {
        for (size_t member = 0; member < 2; member++) {
            size_t at = pairs->first[i] + member;
            float *to = (member ? out->second : out->first) + i * width;
            const double *off = scale->ply + set->set.t[at] * width;
            for (size_t c = 0; c < width; c++) {
                double value = (double)x[at * width + c] - off[c] - scale->mean[member * width + c];
                to[c] = (float)(value * scale->scale[member * width + c]);
            }
        }
    }
    return 0;
}

void latent_rows_release(LatentRows *rows)
{
    mem_free(rows->first);
    mem_free(rows->second);
    *rows = (LatentRows){0};
}

/* ---- the planted twin ---- */

size_t latent_planted_width(const LabelledSet *set)
{
    return 2 * set->n_squares;
}

int latent_planted_rows(float *x, const LabelledSet *set, const LatentPlant *plant, uint64_t seed)
{
    size_t width = latent_planted_width(set), S = set->n_squares;
    float *direction = mem_alloc(width * width, sizeof(*direction), "planted directions");
    double *scratch = mem_alloc(width * width, sizeof(*scratch), "planted directions");
    int rc = direction && scratch ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        Rng rng = rng_at(seed, RNG_LATENT, 0);
        rotation_random(direction, scratch, width, &rng);
    }
    for (size_t i = 0; i < set->set.n_positions && rc == 0; i++) {
        Rng rng = rng_at(seed, RNG_LATENT, (plant->stream + 1) << 32 | i);
        float *row = x + i * width;
        for (size_t c = 0; c < width; c++) {
            row[c] = (float)(LATENT_NOISE * rng_normal(&rng));
        }
        for (size_t s = 0; s <= S; s++) {
            uint8_t label = s < S ? set->labels[i * S + s] : LABEL_EMPTY;
            float y = label == LABEL_MINE ? 1 : label == LABEL_THEIRS ? -1 : 0;
            y = plant->board && (plant->square < 0 || (size_t)plant->square == s) ? y : 0;
            if (s == S && plant->parity) {
                y = (float)(set->set.t[i] % 2 ? LATENT_PARITY : -LATENT_PARITY);
            }
            for (size_t c = 0; c < width && y != 0; c++) {
                row[c] += y * direction[s * width + c];
            }
        }
    }
    mem_free(direction);
    mem_free(scratch);
    return rc;
}
