/* probes/heads/head_composition_ref.c - the plain version: whole matrices, multiplied. Contract in
 * probes/heads/head_composition.h. */
#include <math.h>

#include "base/arena.h"
#include "probes/heads/head_composition.h"
#include "probes/heads/head_weights.h"

enum { N_SQUARE = 3, N_THIN = 2 };

/* a (C, C) = b (C, HS) c (HS, C), or b c^T where both are (C, HS). */
static void whole_product(double *a, const double *b, const double *c, size_t C, size_t HS,
                          bool transposed)
{
    for (size_t i = 0; i < C; i++) {
        for (size_t j = 0; j < C; j++) {
            a[i * C + j] = 0;
            for (size_t k = 0; k < HS; k++) {
                a[i * C + j] += b[i * HS + k] * (transposed ? c[j * HS + k] : c[k * C + j]);
            }
        }
    }
}

double head_composition_ref(const Gpt *gpt, HeadChannel channel, size_t from, size_t to)
{
    size_t C = (size_t)gpt->cfg.d_model, HS = (size_t)gpt->cfg.d_head;
    size_t NH = (size_t)gpt->cfg.n_heads, square = C * C, thin = C * HS;
    double *memory = from / NH < to / NH ? mem_alloc(N_SQUARE * square + N_THIN * thin,
                                                     sizeof(double), "matrices of heads")
                                         : NULL;
    if (!memory) {
        return NAN;
    }
    double *written = memory, *reads = memory + square, *both = memory + 2 * square;
    double *left = memory + 3 * square, *right = left + thin;
    head_weights_read(left, gpt, HEAD_W_V, from);
    head_weights_read(right, gpt, HEAD_W_O, from);
    whole_product(written, left, right, C, HS, false);
    head_weights_read(left, gpt,
                      channel == HEAD_Q   ? HEAD_W_Q
                      : channel == HEAD_K ? HEAD_W_K
                                          : HEAD_W_V,
                      to);
    head_weights_read(right, gpt,
                      channel == HEAD_Q   ? HEAD_W_K
                      : channel == HEAD_K ? HEAD_W_Q
                                          : HEAD_W_O,
                      to);
    whole_product(reads, left, right, C, HS, channel != HEAD_V);
    head_weights_product(both, written, reads, C, C, C, false);
    double norm = head_weights_norm(written, square) * head_weights_norm(reads, square);
    double score = norm > 0 ? head_weights_norm(both, square) / norm : NAN;
    mem_free(memory);
    return score;
}
