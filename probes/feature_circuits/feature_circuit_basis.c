/* probes/feature_circuits/feature_circuit_basis.c - see
 * probes/feature_circuits/feature_circuit_basis.h. */
#include "probes/feature_circuits/feature_circuit_basis.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "num/blas.h"
#include "num/matrices/general.h"
#include "probes/dictionaries/splice.h"

enum { DRAW_COLUMNS, DRAW_ROTATION }; /* indices of RNG_FEATURES; orders come behind */

const char *feature_circuit_basis_name(FeatureBasisKind kind)
{
    static const char *const names[N_FEATURE_BASES] = {FEATURE_BASES(ENUM_NAME)};
    return names[kind];
}

static bool has_neurons(const Sae *sae)
{
    return sae->cfg.site != HOOK_POST && splice_sees_neurons(sae->cfg.site, sae->cfg.layer);
}

size_t feature_circuit_basis_count(const Sae *sae)
{
    return has_neurons(sae) ? N_FEATURE_BASES : BASIS_NEURONS;
}

static size_t nodes_of(FeatureBasisKind kind, const Gpt *gpt, const Sae *sae)
{
    switch (kind) {
    case BASIS_FEATURES:
    case BASIS_SHUFFLED: return sae->cfg.features;
    case BASIS_NEURONS: return (size_t)gpt->cfg.d_mlp;
    default: return sae->cfg.d_in;
    }
}

static int fill_columns(FeatureBasis *basis, const Gpt *gpt, uint64_t seed)
{
    const size_t n = basis->n, width = basis->width;
    Rng rng = rng_at(seed, RNG_FEATURES, DRAW_ROTATION);
    double *scratch;
    switch (basis->kind) {
    case BASIS_FEATURES:
        memcpy(basis->columns, basis->sae->w_dec, n * width * sizeof(float));
        break;
    case BASIS_SHUFFLED:
        for (size_t i = 0; i < n; i++) {
            memcpy(basis->columns + i * width,
                   basis->sae->w_dec + rng_permute(seed, RNG_FEATURES, DRAW_COLUMNS, i, n) * width,
                   width * sizeof(float));
        }
        break;
    case BASIS_COORDINATES:
        for (size_t i = 0; i < n; i++) {
            basis->columns[i * width + i] = 1;
        }
        break;
    case BASIS_ROTATED:
        scratch = mem_alloc(n * n, sizeof(*scratch), "a random rotation");
        if (!scratch) {
            return OGPT_ENOMEM;
        }
        rotation_random(basis->columns, scratch, n, &rng);
        mem_free(scratch);
        break;
    default: {
        const TensorMap *map = &gpt->map;
        const real *W_out =
            gpt->params + map->W_out + (size_t)basis->sae->cfg.layer * map->block_stride;
        memcpy(basis->columns, W_out, n * width * sizeof(float));
        break;
    }
    }
    return 0;
}

int feature_circuit_basis_make(FeatureBasis *out, const Gpt *gpt, const Sae *sae, uint64_t seed)
{
    const size_t count = feature_circuit_basis_count(sae);
    int rc = 0;
    for (size_t b = 0; b < count && rc == 0; b++) {
        FeatureBasis *basis = &out[b];
        const FeatureBasisKind kind = (FeatureBasisKind)b;
        *basis = (FeatureBasis){.kind = kind,
                                .n = nodes_of(kind, gpt, sae),
                                .width = sae->cfg.d_in,
                                .has_error = kind != BASIS_COORDINATES && kind != BASIS_ROTATED,
                                .sae = sae};
        basis->columns =
            mem_calloc(basis->n * basis->width, sizeof(*basis->columns), "columns of a basis");
        rc = basis->columns ? fill_columns(basis, gpt, seed) : OGPT_ENOMEM;
    }
    return rc ? rc : (int)count;
}

void feature_circuit_basis_release(FeatureBasis *basis)
{
    mem_free(basis->columns);
    *basis = (FeatureBasis){0};
}

void feature_circuit_basis_split(const FeatureBasis *basis, const float *x, const float *neurons,
                                 size_t rows, float *a, float *error)
{
    const size_t n = basis->n, width = basis->width;
    switch (basis->kind) {
    case BASIS_FEATURES:
    case BASIS_SHUFFLED: sae_encode(basis->sae, x, rows, a); break;
    case BASIS_COORDINATES: memcpy(a, x, rows * n * sizeof(*a)); break;
    case BASIS_ROTATED:
        gemm(false, true, rows, n, width, 1, x, width, basis->columns, width, 0, a, n);
        break;
    default: memcpy(a, neurons, rows * n * sizeof(*a)); break;
    }
    if (!basis->has_error) {
        memset(error, 0, rows * width * sizeof(*error));
        return;
    }
    memcpy(error, x, rows * width * sizeof(*error));
    for (size_t r = 0; r < rows && basis->kind != BASIS_NEURONS; r++) {
        for (size_t c = 0; c < width; c++) {
            error[r * width + c] -= basis->sae->b_dec[c];
        }
    }
    gemm(false, false, rows, width, n, -1, a, n, basis->columns, width, 1, error, width);
}
