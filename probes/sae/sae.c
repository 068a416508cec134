/* probes/sae/sae.c - contract in probes/sae/sae.h: kinds, memory, encoding and decoding. */
#include "probes/sae/sae.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "probes/sae/sae_select.h"

#define ENCODE_ROWS 256 /* of one product: what it makes stays in the cache */

const char *sae_kind_name(SaeKind kind)
{
    static const char *const names[N_SAE_KINDS] = {SAE_KINDS(ENUM_NAME)};
    return names[kind];
}

int sae_kind_parse(const char *name)
{
    for (int kind = 0; kind < N_SAE_KINDS; kind++) {
        if (strcmp(name, sae_kind_name((SaeKind)kind)) == 0) {
            return kind;
        }
    }
    return -1;
}

bool sae_has_theta(SaeKind kind)
{
    return kind == SAE_JUMPRELU || (sae_has_k(kind) && kind != SAE_TOPK);
}

bool sae_has_k(SaeKind kind)
{
    return kind == SAE_TOPK || kind == SAE_BATCHTOPK || kind == SAE_MATRYOSHKA ||
           kind == SAE_TRANSCODER;
}

int sae_new(Sae **out, const SaeConfig *cfg)
{
    *out = NULL;
    if (cfg->d_in < 1 || cfg->d_in > SAE_WIDTH_MAX || cfg->d_out < 1 ||
        cfg->d_out > SAE_WIDTH_MAX || cfg->features < 1 || cfg->features > SAE_FEATURES_MAX ||
        cfg->d_in * cfg->features > SAE_NUMBERS_MAX ||
        cfg->d_out * cfg->features > SAE_NUMBERS_MAX ||
        (cfg->d_in != cfg->d_out && cfg->kind != SAE_TRANSCODER)) {
        return err_set(OGPT_EUSAGE,
                       "an autoencoder of %zu features for rows of %zu numbers, rebuilt as %zu: "
                       "rows have at most %d numbers, features are at most %d, a matrix has at "
                       "most %d numbers, and only a transcoder rebuilds another width",
                       cfg->features, cfg->d_in, cfg->d_out, SAE_WIDTH_MAX, SAE_FEATURES_MAX,
                       SAE_NUMBERS_MAX);
    }
    Sae *sae = mem_calloc(1, sizeof(*sae), "an autoencoder");
    if (!sae) {
        return OGPT_ENOMEM;
    }
    const size_t m = cfg->features;
    sae->cfg = *cfg;
    sae->w_enc = mem_calloc(m * cfg->d_in, sizeof(float), "weights of an encoder");
    sae->w_dec = mem_calloc(m * cfg->d_out, sizeof(float), "weights of a decoder");
    sae->b_enc = mem_calloc(m, sizeof(float), "an encoder's bias");
    sae->b_dec = mem_calloc(cfg->d_out, sizeof(float), "a decoder's bias");
    sae->b_pre = mem_calloc(m, sizeof(float), "an encoder's bias");
    bool complete = sae->w_enc && sae->w_dec && sae->b_enc && sae->b_dec && sae->b_pre;
    if (complete && cfg->kind == SAE_GATED) {
        sae->r_mag = mem_calloc(m, sizeof(float), "a gate's scales");
        sae->b_mag = mem_calloc(m, sizeof(float), "a gate's bias");
        complete = sae->r_mag && sae->b_mag;
    } else if (complete && sae_has_theta(cfg->kind)) {
        sae->theta = mem_calloc(m, sizeof(float), "thresholds");
        complete = sae->theta;
    }
    if (!complete) {
        sae_free(sae);
        return OGPT_ENOMEM;
    }
    *out = sae;
    return 0;
}

void sae_free(Sae *sae)
{
    if (sae) {
        float *const all[] = {sae->w_enc, sae->w_dec, sae->b_enc, sae->b_dec,
                              sae->b_pre, sae->r_mag, sae->b_mag, sae->theta};
        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
            mem_free(all[i]);
        }
        mem_free(sae);
    }
}

void sae_prepare(Sae *sae)
{
    const size_t d = sae->cfg.d_in;
    for (size_t j = 0; j < sae->cfg.features; j++) {
        double sum = sae->b_enc[j];
        if (sae->cfg.kind != SAE_TRANSCODER) {
            for (size_t c = 0; c < d; c++) {
                sum -= (double)sae->w_enc[j * d + c] * sae->b_dec[c];
            }
        }
        sae->b_pre[j] = (float)sum;
    }
}

void sae_hash(Sha256 *hash, const Sae *sae)
{
    const size_t n = sae->cfg.features;
    const uint64_t shape[] = {sae->cfg.kind, sae->cfg.k, sae->cfg.d_in, sae->cfg.d_out, n};
    sha256_add(hash, shape, sizeof(shape));
    sha256_add(hash, sae->w_enc, n * sae->cfg.d_in * sizeof(float));
    sha256_add(hash, sae->b_enc, n * sizeof(float));
    sha256_add(hash, sae->w_dec, n * sae->cfg.d_out * sizeof(float));
    sha256_add(hash, sae->b_dec, sae->cfg.d_out * sizeof(float));
    const float *more[] = {sae->theta, sae->r_mag, sae->b_mag};
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        if (more[i]) {
            sha256_add(hash, more[i], n * sizeof(float));
        }
    }
}

/* f (features) of one row of products W_enc x, in place. */
static void activate(const Sae *sae, float *f)
{
    const size_t m = sae->cfg.features;
    if (sae->cfg.kind == SAE_GATED) {
        for (size_t j = 0; j < m; j++) {
            float gate = f[j] + sae->b_pre[j];
            /* W_enc u is the gate without its bias. */
            float size = expf(sae->r_mag[j]) * (gate - sae->b_enc[j]) + sae->b_mag[j];
            f[j] = gate > 0 && size > 0 ? size : 0;
        }
        return;
    }
    for (size_t j = 0; j < m; j++) {
        float pre = f[j] + sae->b_pre[j], least = sae->theta ? sae->theta[j] : 0;
        f[j] = pre > least && pre > 0 ? pre : 0;
    }
    if (sae->cfg.kind == SAE_TOPK) {
        sae_keep_largest(f, m, sae->cfg.k);
    }
}

void sae_encode(const Sae *sae, const float *x, size_t rows, float *f)
{
    const size_t d = sae->cfg.d_in, m = sae->cfg.features;
    for (size_t first = 0; first < rows; first += ENCODE_ROWS) {
        const size_t n = rows - first < ENCODE_ROWS ? rows - first : ENCODE_ROWS;
        gemm(false, true, n, m, d, 1, x + first * d, d, sae->w_enc, d, 0, f + first * m, m);
        for (size_t r = first; r < first + n; r++) {
            activate(sae, f + r * m);
        }
    }
}

void sae_decode(const Sae *sae, const float *f, size_t rows, float *x_hat)
{
    const size_t d = sae->cfg.d_out, m = sae->cfg.features;
    for (size_t r = 0; r < rows; r++) {
        memcpy(x_hat + r * d, sae->b_dec, d * sizeof(float));
    }
    gemm(false, false, rows, d, m, 1, f, m, sae->w_dec, d, 1, x_hat, d);
}

/* ---- the plain version ---- */

static double ref_activation(const Sae *sae, double product, size_t j)
{
    const double pre = product + sae->b_enc[j];
    if (sae->cfg.kind == SAE_GATED) {
        const double size = exp(sae->r_mag[j]) * product + sae->b_mag[j];
        return pre > 0 && size > 0 ? size : 0;
    }
    return pre > 0 && (!sae->theta || pre > sae->theta[j]) ? pre : 0;
}

/* How many of f (m) come before f[j] when the largest and, of equal ones, the first come first. */
static size_t rank_of(const double *f, size_t m, size_t j)
{
    size_t rank = 0;
    for (size_t i = 0; i < m; i++) {
        rank += f[i] > f[j] || (i < j && f[i] == f[j]);
    }
    return rank;
}

void sae_ref(const Sae *sae, const float *x, size_t rows, double *f, double *x_hat)
{
    const SaeConfig *cfg = &sae->cfg;
    const size_t m = cfg->features;
    for (size_t r = 0; r < rows; r++) {
        double *row = f + r * m;
        for (size_t j = 0; j < m; j++) {
            double product = 0;
            for (size_t c = 0; c < cfg->d_in; c++) {
                double b = cfg->kind == SAE_TRANSCODER ? 0 : sae->b_dec[c];
                product += sae->w_enc[j * cfg->d_in + c] * ((double)x[r * cfg->d_in + c] - b);
            }
            row[j] = ref_activation(sae, product, j);
        }
        for (size_t j = 0; j < m && cfg->kind == SAE_TOPK; j++) {
            row[j] = rank_of(row, m, j) < cfg->k ? row[j] : -row[j]; /* negative: to be silenced */
        }
        for (size_t j = 0; j < m; j++) {
            row[j] = row[j] > 0 ? row[j] : 0;
        }
        for (size_t c = 0; x_hat && c < cfg->d_out; c++) {
            double sum = sae->b_dec[c];
            for (size_t j = 0; j < m; j++) {
                sum += row[j] * sae->w_dec[j * cfg->d_out + c];
            }
            x_hat[r * cfg->d_out + c] = sum;
        }
    }
}
