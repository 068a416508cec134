/* probes/sae/sae.h - a sparse autoencoder, and a transcoder: what it is, what it computes, its
 * files.
 *
 * With x a row at a site as the network has it (d_in numbers) and u = x - b_dec (u = x in a
 * transcoder), pre = W_enc u + b_enc, and x_hat = b_dec + sum over features of f_j W_dec[j], the
 * rows of W_dec of length 1. The kinds differ in f:
 *   standard              f = max(pre, 0)                         (Bricken et al. 2023; Cunningham
 *                         et al., arXiv:2309.08600)
 *   gated                 f = [pre > 0] max(exp(r_mag) W_enc u + b_mag, 0); b_enc is the bias of
 *                         the gate (Rajamanoharan et al., arXiv:2404.16014)
 *   topk                  the k largest of max(pre, 0) of a row   (Gao et al., arXiv:2406.04093)
 *   batchtopk             f = pre [pre > theta], one theta for all features (Bussmann et al.,
 *                         arXiv:2412.06410: theta stands for the k a row of training batches)
 *   jumprelu              f = pre [pre > theta_j], theta learned  (Rajamanoharan et al.,
 *                         arXiv:2407.14435)
 *   matryoshka            as batchtopk; trained so that prefixes of the features rebuild too
 *                         (Bussmann et al., arXiv:2503.17547)
 *   transcoder            as batchtopk, from the input of an MLP to its output (Dunefsky et al.,
 *                         arXiv:2406.11944)
 * Training centres and scales the rows (probes/sae/training/sae_train.h); that is folded into the
 * biases and thresholds here, so that a Sae takes rows as they are. Read only once made:
 * thread-safe.
 */
#ifndef OGPT_PROBES_SAE_SAE_H
#define OGPT_PROBES_SAE_SAE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/enums.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "model/sites.h"

/* X(enumerator, name), in the order of the option's choices. */
#define SAE_KINDS(X)                                                                               \
    X(SAE_STANDARD, "standard")                                                                    \
    X(SAE_GATED, "gated")                                                                          \
    X(SAE_TOPK, "topk")                                                                            \
    X(SAE_BATCHTOPK, "batchtopk")                                                                  \
    X(SAE_JUMPRELU, "jumprelu")                                                                    \
    X(SAE_MATRYOSHKA, "matryoshka")                                                                \
    X(SAE_TRANSCODER, "transcoder")
typedef enum SaeKind { SAE_KINDS(ENUM_ID) N_SAE_KINDS } SaeKind;

#define SAE_FOLDER "sae"          /* the one that lies in a model's or a run's directory */
#define SAE_WIDTH_MAX 16384       /* numbers in a row */
#define SAE_FEATURES_MAX 262144   /* features */
#define SAE_NUMBERS_MAX (1 << 28) /* in W_enc or in W_dec: 1 GiB */
#define SAE_GAMES_MAX (HASH_HEX_SIZE + 32)

/* Everything about it but its numbers; all of it is in cfg.json. */
typedef struct SaeConfig {
    SaeKind kind;
    size_t d_in, d_out, features; /* d_out = d_in but in a transcoder */
    size_t k;                /* features a row of topk, batchtopk, matryoshka, transcoder; else 0 */
    double l1;               /* weight of the penalty of standard and gated, as it ended; else 0 */
    double l0;               /* goal: features a row; 0 where there is none */
    HookSite site, site_out; /* where rows are read, and what is rebuilt: the same site but in a
                              * transcoder */
    int layer;               /* LAYER_EMBED or a block */
    char model_hash[HASH_HEX_SIZE]; /* of the network whose rows it was trained on */
    char games[SAE_GAMES_MAX];      /* source_identity of the games it was trained on */
    /* In training x was (x - mean) * scale, so that the mean of |x|^2 was d. scale_out is of the
     * rows that are rebuilt: the same but in a transcoder. */
    double scale, scale_out;
    int64_t activations, batch; /* rows seen, rows a step */
    double lr;
    uint64_t seed;
    /* At the last batches of training: */
    double loss, mean_l0, explained, dead; /* explained and dead are shares of 1 */
} SaeConfig;

typedef struct Sae {
    SaeConfig cfg;
    float *w_enc; /* (features, d_in); owned, as all below */
    float *b_enc; /* (features) */
    float *w_dec; /* (features, d_out), rows of length 1 */
    float *b_dec; /* (d_out) */
    float *r_mag; /* (features) of gated, else NULL */
    float *b_mag; /* (features) of gated, else NULL */
    float *theta; /* (features) of the kinds with a threshold, else NULL */
    float *b_pre; /* (features) b_enc - W_enc b_dec (transcoder: b_enc): made by sae_prepare */
} Sae;

/* The name of a kind (static), and the kind of a name: -1 if unknown. */
const char *sae_kind_name(SaeKind kind);
int sae_kind_parse(const char *name);
/* Whether f of a kind is pre where it is above theta. */
bool sae_has_theta(SaeKind kind);
/* Whether training keeps so many features a row: the kinds that take k. */
bool sae_has_k(SaeKind kind);

/* All numbers zero. Owned: sae_free. OGPT_EUSAGE (sizes that no file may have), OGPT_ENOMEM. */
int sae_new(Sae **out, const SaeConfig *cfg);
void sae_free(Sae *sae);
/* Call after the numbers have changed, before sae_encode. */
void sae_prepare(Sae *sae);

/* Its kind and its numbers, into the key of a journal. */
void sae_hash(Sha256 *hash, const Sae *sae);

/* f (rows, features) of x (rows, d_in), as the network has them; 0 where a feature is silent. */
void sae_encode(const Sae *sae, const float *x, size_t rows, float *f);
/* x_hat (rows, d_out) of f (rows, features). */
void sae_decode(const Sae *sae, const float *f, size_t rows, float *x_hat);
/* Set all but the k largest positive numbers of f (n) to 0; of equal ones the first are kept. NaN
 * stays. */
void sae_keep_largest(float *f, size_t n, size_t k);
/* The plain version of both, in double precision; x_hat may be NULL. */
void sae_ref(const Sae *sae, const float *x, size_t rows, double *f, double *x_hat);

/* ---- files: a directory with sae_weights.safetensors, cfg.json and MANIFEST.json ---- */

/* Open and check a directory completely. OGPT_EIO (nothing there), OGPT_EFORMAT (damaged, or not
 * finite, or no autoencoder), OGPT_ENOMEM. Owned: sae_free. */
int sae_open(Sae **out, const char *path);
/* Refuse an autoencoder of another network, layer, site or width: OGPT_EFORMAT with both sides.
 * `path` is that of the autoencoder, `model` of the network. cfg NULL: the width is not asked;
 * model_hash NULL: nor the network; site -1: nor site and layer. */
int sae_check(const Sae *sae, const char *path, const GptConfig *cfg, const char *model_hash,
              const char *model, int site, int layer);
/* Whether something at `path` may be replaced by an autoencoder: OGPT_EUSAGE otherwise. */
int sae_check_goal(const char *path);
/* Publish; `about` (may be NULL) is stored in the manifest as "about". */
int sae_save(const Sae *sae, const char *path, const Js *about);

#endif
