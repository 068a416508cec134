/* probes/lens/lens_decode.c - see probes/lens/lens_decode.h. */
#include "probes/lens/lens_decode.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* Targets (n, 3 V): one-hot token, one-hot token before, centred logits. */
static float *targets_make(const LensDecodeSet *of)
{
    const PositionSet *set = of->set;
    size_t V = (size_t)set->vocab->d_vocab, stride = (size_t)set->vocab->variant->n_moves;
    float *out = mem_calloc(set->n_positions * 3 * V, sizeof(float), "what a reader guesses");
    for (size_t g = 0; g < set->n_games && out; g++) {
        const uint8_t *moves = set->moves + g * stride;
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            float *row = out + i * 3 * V, mean = 0;
            const float *final = of->finals + i * V;
            int t = set->t[i];
            row[set->vocab->tok_of_sq[moves[t]]] = 1;
            if (t > 0) {
                row[V + set->vocab->tok_of_sq[moves[t - 1]]] = 1;
            }
            for (size_t v = 1; v < V; v++) { /* without the pad */
                mean += final[v] / (float)(V - 1);
            }
            for (size_t v = 1; v < V; v++) {
                row[2 * V + v] = final[v] - mean;
            }
        }
    }
    return out;
}

enum { ALL_DECODED, TOKEN, LATER, PREVIOUS, IN_LEFT, IN_ALL, OUT_LEFT, OUT_ALL, N_SUMS_DECODED };

static size_t top_of(const float *row, size_t V)
{
    size_t best = 1;
    for (size_t v = 2; v < V; v++) {
        best = row[v] > row[best] ? v : best;
    }
    return best;
}

static void add_position(double *sums, size_t n_games, const float *is, const float *guess,
                         const double *mean, size_t V)
{
    bool later = false;
    for (size_t v = 0; v < V; v++) {
        later = later || is[V + v] > 0;
    }
    sums[ALL_DECODED * n_games] += 1;
    sums[TOKEN * n_games] += is[top_of(guess, V)] > 0;
    sums[LATER * n_games] += later;
    sums[PREVIOUS * n_games] += later && is[V + top_of(guess + V, V)] > 0;
    for (size_t v = 0; v < 3 * V; v++) {
        double left = (double)is[v] - (double)guess[v], all = (double)is[v] - mean[v];
        size_t at = v < V ? IN_ALL : OUT_ALL;
        if (v < V || v >= 2 * V) { /* explained = all - left */
            sums[(at - 1) * n_games] += all * all - left * left;
            sums[at * n_games] += all * all;
        }
    }
}

static void sums_to_scores(LensDecoded *out, const double *sums, size_t n_games,
                           const AblationDraws *draws)
{
    Interval *to[] = {&out->token, &out->previous, &out->input, &out->output};
    const int ratio[][2] = {
        {TOKEN, ALL_DECODED}, {PREVIOUS, LATER}, {IN_LEFT, IN_ALL}, {OUT_LEFT, OUT_ALL}};
    for (int k = 0; k < 4; k++) {
        *to[k] = ablation_draws_ratio(draws, sums + (size_t)ratio[k][0] * n_games,
                                      sums + (size_t)ratio[k][1] * n_games);
    }
}

int lens_decode(LensDecoded *out, const LensDecodeInputs *in, const Work *work)
{
    const PositionSet *set = in->test.set;
    size_t C = in->design->width, V = (size_t)set->vocab->d_vocab, D = 3 * V,
           n_games = set->n_games;
    float *train = targets_make(&in->train), *test = targets_make(&in->test);
    double *w = mem_alloc((C + 1) * D, sizeof(double), "a reader");
    float *raw = mem_alloc((C + 1) * D, sizeof(float), "a reader");
    float *guess = mem_alloc(set->n_positions * D, sizeof(float), "guesses");
    double *sums = mem_calloc(N_SUMS_DECODED * n_games, sizeof(double), "scores of games");
    int rc = train && test && w && raw && guess && sums
                 ? lens_ridge(w, w + C * D, in->design, train, D, work)
                 : OGPT_ENOMEM;
    if (rc == 0) {
        lens_fold(raw, raw + C * D, in->design, w, w + C * D, D);
        rc = lens_map_rows(guess, in->x, set->n_positions, raw, raw + C * D, (const size_t[]){C, D},
                           work);
    }
    for (size_t g = 0; g < n_games && rc == 0; g++) {
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            add_position(sums + g, n_games, test + i * D, guess + i * D, w + C * D, V);
        }
    }
    if (rc == 0) {
        sums_to_scores(out, sums, n_games, in->draws);
    }
    mem_free(train);
    mem_free(test);
    mem_free(w);
    mem_free(raw);
    mem_free(guess);
    mem_free(sums);
    return rc;
}
