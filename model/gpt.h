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
#include "model/sites.h"
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
    int in_use;  /* blocks that a pass runs, the first so many: n_layers, but for a network that
                  * grows while it is trained (TrainOptions.layers_from) */
    Arena arena; /* holds params */
} Gpt;

/* A network with all parameters zero. Owned: gpt_free. Returns 0, OGPT_EFORMAT (configuration),
 * OGPT_ENOMEM. */
int gpt_new(Gpt **out, const GptConfig *cfg);
void gpt_free(Gpt *gpt);
/* Draw initial weights: tensor t is a pure function of (seed, purpose, t). `purpose` is RNG_INIT,
 * or another RngPurpose for an independent network. */
void gpt_init(Gpt *gpt, uint64_t seed, int purpose);
/* Blocks `first` to the last write zeros into the stream: a pass has the same logits with and
 * without them. Their other weights stay, so that a gradient reaches their outputs. */
void gpt_silence(Gpt *gpt, int first);
/* Index of a tensor by name, or -1. */
int gpt_tensor_index(const Gpt *gpt, const char *name);
real *gpt_tensor(const Gpt *gpt, int index);

/* One worker's activations for up to max_games games of n_ctx tokens.
 *   TAPE_FORWARD   one layer at a time: forward passes only, with hooks
 *   TAPE_TRAIN     what the gradient of the parameters needs: no hooks
 *   TAPE_GRADIENT  what every gradient needs, of parameters and at every hook site, with hooks in
 *                  both directions */
typedef enum TapeMode { TAPE_FORWARD, TAPE_TRAIN, TAPE_GRADIENT } TapeMode;
typedef struct Tape Tape;
/* Kernels NULL: the fast set. kernels_bf16 on a TAPE_TRAIN tape alone: what its products read are
 * no numbers that a hook could look at. */
size_t tape_bytes(const GptConfig *cfg, size_t max_games, TapeMode mode, const Kernels *kernels);
/* Returns 0 or OGPT_ENOMEM. */
int tape_new(Tape **out, const GptConfig *cfg, size_t max_games, TapeMode mode,
             const Kernels *kernels);
void tape_free(Tape *tape);

/* Logits (B,T,V) of tokens (B,T), 1 <= T <= n_ctx, B <= max_games; borrowed from the tape
 * until its next use. hooks may be NULL; they may read and change every site. Not on a TAPE_TRAIN
 * tape: there hooks must be NULL. A pass in which nobody looks has the same bits on every kind of
 * tape. */
const real *gpt_forward(const Gpt *gpt, Tape *tape, const uint8_t *tokens, size_t B, size_t T,
                        const Hooks *hooks);
/* A part of the pass, from some place in it to the logits.
 *   first   the block in front of which it begins; n_layers: behind the last one
 *   middle  it begins between the attention and the MLP of that block instead
 *   last    only the answer at the last position of each sequence is wanted: in the last block, and
 *           behind it, the rows of other positions are left out once there are keys and values.
 *           Hooks see T = 1 there. With nothing but such rows to begin with (in the middle of the
 *           last block, or behind it) they are all there are: T must be 1 */
typedef struct PassPart {
    int first;
    bool middle, last;
} PassPart;
/* stream (B,T,C) is the residual stream at the beginning. Returns logits (B,T,V), (B,V) if
 * part.last; borrowed as those of gpt_forward. On a TAPE_FORWARD tape only. Where the stream is
 * what gpt_forward had there, the logits are its logits: bit for bit, unless part.last, which does
 * the same sums in other shapes. */
const real *gpt_forward_part(const Gpt *gpt, Tape *tape, const PassPart *part, const real *stream,
                             size_t B, size_t T, const Hooks *hooks);
/* Sum of the cross-entropies (nats) of the last forward pass, over positions with a target other
 * than the pad; leaves d loss / d logits, times `scale`, on the tape in place of the logits: the
 * logits that gpt_forward returned are gone. */
double gpt_loss(Tape *tape, const uint8_t *targets, real scale);
/* grads (n_numbers) = keep * grads + the gradient of the last gpt_loss, keep 0 or 1 (0: grads is
 * not read). tokens as in gpt_forward. Not on a TAPE_FORWARD tape. */
void gpt_backward(const Gpt *gpt, Tape *tape, const uint8_t *tokens, int keep, real *grads);
/* The gradient of any metric of the last gpt_forward at every hook site and position, on a
 * TAPE_GRADIENT tape; may be called again for another metric.
 *
 * tokens   as in gpt_forward; read only when grads is given
 * dlogits  (B,T,V) d metric / d logits, not changed; NULL: the metric does not read the logits
 * hooks    called on the way back, from the last site to the first, with HookPoint.gradient. What
 *          they leave in it is passed on: a metric that reads a site, such as the scores of a
 *          probe, adds its gradient there. A hook that only reads leaves it as it is.
 *          With dlogits NULL hooks see zeros until one of them has added a gradient
 * grads    (n_numbers) the gradient of the parameters is added here; NULL: it is not computed
 *
 * The rule for edited passes: a value that a hook of gpt_forward has changed counts as the
 * computed value plus a constant. The gradient behind it is taken at the changed value, and passes
 * through the change unchanged (d out / d in = identity).
 * The output of block l and the input of block l+1 are one array: at resid_post, a change that was
 * made at resid_pre of the next block shows in HookPoint.value. */
void gpt_gradient(const Gpt *gpt, Tape *tape, const uint8_t *tokens, const real *dlogits,
                  const Hooks *hooks, real *grads);

#endif
