/* probes/sae/sae_select.c - contract in probes/sae/sae_select.h. */
#include "probes/sae/sae_select.h"

#include <string.h>

#include "probes/sae/sae.h"

#define FEW 2048 /* numbers */

/* Bits 30..20, 19..9 and 8..0: the sign bit of a positive number is 0. */
static const int shift_of[SELECT_ROUNDS] = {20, 9, 0};
static const uint32_t mask_of[SELECT_ROUNDS] = {0x7ff, 0x7ff, 0x1ff};

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

void sae__select_count(uint32_t bins[SELECT_BINS], const Selection *selection, const float *x,
                       size_t n)
{
    const int shift = shift_of[selection->round];
    const uint32_t mask = mask_of[selection->round];
    const int above = shift + (selection->round == SELECT_ROUNDS - 1 ? 9 : 11);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = bits_of(x[i]);
        if (x[i] > 0 && (selection->round == 0 || bits >> above == selection->prefix)) {
            bins[bits >> shift & mask]++;
        }
    }
}

int sae__select_round(Selection *selection, const uint64_t bins[SELECT_BINS])
{
    uint64_t above = 0;
    for (int b = SELECT_BINS - 1; b >= 0; b--) {
        if (above + bins[b] >= selection->k) {
            selection->k -= above;
            int width = selection->round == SELECT_ROUNDS - 1 ? 9 : 11;
            selection->prefix = selection->prefix << width | (uint32_t)b;
            selection->round++;
            return 1;
        }
        above += bins[b];
    }
    return 0;
}

float sae__select_value(const Selection *selection)
{
    float value;
    memcpy(&value, &selection->prefix, sizeof(value));
    return value;
}

size_t sae__select_above(float *out, const float *x, size_t n, float floor)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) { /* without a branch: which are above cannot be guessed */
        out[kept] = x[i];
        kept += x[i] > floor;
    }
    return kept;
}

/* The same bit by bit: of few numbers the fastest. */
static float kth_of_few(const float *x, size_t n, size_t k)
{
    uint32_t found = 0;
    for (int bit = 30; bit >= 0; bit--) {
        const uint32_t tried = found | UINT32_C(1) << bit;
        float limit;
        memcpy(&limit, &tried, sizeof(limit)); /* not a number above infinity: then none is above */
        uint32_t above = 0;
        for (size_t i = 0; i < n; i++) {
            above += x[i] >= limit;
        }
        found = above >= k ? tried : found;
    }
    float value;
    memcpy(&value, &found, sizeof(value));
    return value;
}

float sae__kth_largest(const float *x, size_t n, size_t k)
{
    Selection selection = {.k = k};
    if (n <= FEW) {
        return kth_of_few(x, n, k);
    }
    while (selection.round < SELECT_ROUNDS) {
        uint32_t bins[SELECT_BINS] = {0};
        uint64_t wide[SELECT_BINS];
        sae__select_count(bins, &selection, x, n);
        for (size_t b = 0; b < SELECT_BINS; b++) {
            wide[b] = bins[b];
        }
        if (!sae__select_round(&selection, wide)) {
            return 0;
        }
    }
    return sae__select_value(&selection);
}

void sae_keep_largest(float *x, size_t n, size_t k)
{
    const float least = sae__kth_largest(x, n, k);
    size_t above = 0;
    for (size_t i = 0; i < n; i++) {
        above += x[i] > least;
    }
    size_t equal = k > above ? k - above : 0; /* of those at the limit */
    for (size_t i = 0; i < n; i++) {
        if (x[i] == least && least > 0 && equal > 0) {
            equal--;
        } else if (x[i] <= least || x[i] <= 0) { /* NaN stays, to be found */
            x[i] = 0;
        }
    }
}
