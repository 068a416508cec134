/* model/gpt.h - the network: parameters, forward, backward, hook sites.
 *
 * Legend (num/kernels.h): B batch (games), T time, C channels = d_model, V vocabulary.
 * Tokens are (B,T) bytes, row-major, 0 pads. A Gpt holds parameters only and may be shared by
 * threads that read it; a Tape holds one worker's activations.
 */
#ifndef OGPT_MODEL_GPT_H
#define OGPT_MODEL_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/config.h"
#include "num/kernels.h"

/* One named tensor, as on file (TransformerLens's names and shapes). The list is generated
 * from model/tensors.def. */
typedef struct TensorSpec {
    char name[48];
    size_t rank;
    uint64_t shape[4];
    size_t count;      /* numbers */
    size_t offset;     /* of the first number in a parameter vector */
    int layer;         /* -1 outside blocks */
    float init_std;    /* > 0 normal; 0 zeros; -1 ones */
    bool decays;       /* weight decay applies */
    int group;         /* GROUP_*: which optimiser settings apply; GROUP_FROZEN: written and
                        * read, never trained, not counted (unembed.b_U) */
    size_t rows, cols; /* of a matrix as the optimiser sees it; 0 for vectors */
} TensorSpec;
enum { GROUP_MATRIX, GROUP_EMBED, GROUP_POSITION, GROUP_HEAD, GROUP_VECTOR, GROUP_FROZEN };

/* Where each tensor starts in a parameter (or gradient) vector. Fields of a block are those of
 * block 0; block l begins l * block_stride numbers later. */
typedef struct TensorMap {
#define TENSOR_BLOCK(field, ...) size_t field;
#define TENSOR_ONCE(field, ...) size_t field;
#include "model/tensors.def"
    size_t block_stride;
} TensorMap;

typedef struct Gpt {
    GptConfig cfg;
    TensorMap map;
    TensorSpec *specs;
    size_t n_specs;
    size_t n_numbers; /* length of a parameter vector, frozen ones included */
    real *params;     /* (n_numbers), specs[i].offset ... */
    Arena arena;      /* holds params */
} Gpt;

/* A network with all parameters zero. Returns 0, OGPT_EFORMAT (configuration), OGPT_ENOMEM. */
int gpt_new(Gpt **out, const GptConfig *cfg);
void gpt_free(Gpt *gpt);
/* Initial weights: tensor t is a pure function of (seed, RNG_INIT or `purpose`, t). */
void gpt_init(Gpt *gpt, uint64_t seed, int purpose);
/* Index of a tensor by name, or -1. */
int gpt_tensor_index(const Gpt *gpt, const char *name);
real *gpt_tensor(const Gpt *gpt, int index);

/* Where the residual stream can be read and written; TransformerLens's names. Values are
 * (B,T,width): width = C, except HOOK_Z (C, heads side by side), HOOK_POST (d_mlp) and
 * HOOK_PATTERN (n_heads*T: for each query the weights of every head over all keys). */
typedef enum HookSite {
    HOOK_RESID_PRE,
    HOOK_Z,
    HOOK_PATTERN,
    HOOK_ATTN_OUT,
    HOOK_RESID_MID,
    HOOK_POST,
    HOOK_MLP_OUT,
    HOOK_RESID_POST,
    N_HOOK_SITES
} HookSite;

/* Layers are counted from 0; LAYER_EMBED is the input of block 0, blocks.0.hook_resid_pre. */
#define LAYER_EMBED (-1)
#define LAYERS_MAX 65 /* embed and at most 64 blocks */

typedef struct HookPoint {
    HookSite site;
    int layer;
    real *value; /* may be changed in place: the pass goes on with what is left there */
    size_t B, T, width;
    size_t first; /* sequences of the caller's batch before these: 0, but in prefix_fill */
} HookPoint;

/* `fn` is called at each site whose layer bit is set in sites[site] (bit l = layer l). Hooks
 * need a TAPE_FORWARD tape: an edited pass has no backward. */
typedef struct Hooks {
    void (*fn)(void *context, const HookPoint *point);
    void *context;
    uint64_t sites[N_HOOK_SITES];
} Hooks;

/* "resid_post" <-> site; full name "blocks.3.hook_resid_post". -1 when unknown. */
int hook_site_parse(const char *name);
const char *hook_site_name(HookSite site);
void hook_full_name(char out[64], HookSite site, int layer);
/* Width of a site's rows for this configuration (T needed for HOOK_PATTERN). */
size_t hook_width(const GptConfig *cfg, HookSite site, size_t T);

/* One worker's activations for up to max_games games of n_ctx tokens. TAPE_FORWARD keeps one
 * layer at a time; TAPE_TRAIN keeps what the backward pass needs. */
typedef enum TapeMode { TAPE_FORWARD, TAPE_TRAIN } TapeMode;
typedef struct Tape Tape;
/* Kernels NULL: the fast set. */
size_t tape_bytes(const GptConfig *cfg, size_t max_games, TapeMode mode, const Kernels *kernels);
/* Returns 0 or OGPT_ENOMEM. */
int tape_new(Tape **out, const GptConfig *cfg, size_t max_games, TapeMode mode,
             const Kernels *kernels);
void tape_free(Tape *tape);

/* Logits (B,T,V) of tokens (B,T), 1 <= T <= n_ctx, B <= max_games; borrowed from the tape
 * until its next use. hooks may be NULL. */
const real *gpt_forward(const Gpt *gpt, Tape *tape, const uint8_t *tokens, size_t B, size_t T,
                        const Hooks *hooks);
/* Sum of the cross-entropies (nats) of the last forward at positions whose target is not the
 * pad; leaves d loss / d logits, times `scale`, on a TAPE_TRAIN tape. */
double gpt_loss(Tape *tape, const uint8_t *targets, real scale);
/* Adds the gradient of the last gpt_loss to grads (n_numbers). tokens as in gpt_forward. */
void gpt_backward(const Gpt *gpt, Tape *tape, const uint8_t *tokens, real *grads);

#endif
