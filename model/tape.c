/* model/tape.c - sizing and carving a worker's activations from one arena. */
#include "model/tape.h"

#include "base/err.h"

void *tape__take(Carver *carver, size_t count, size_t size)
{
    carver->n_bytes += arena_piece_bytes(count, size);
    return carver->arena ? arena_take(carver->arena, count, size) : NULL;
}

static real *take(Carver *carver, size_t count)
{
    return tape__take(carver, count, sizeof(real));
}

static void take_all(Carver *carver, real **const *arrays, size_t n_arrays, size_t count)
{
    for (size_t i = 0; i < n_arrays; i++) {
        *arrays[i] = take(carver, count);
    }
}
#define TAKE_ALL(carver, arrays, count)                                                            \
    take_all(carver, arrays, sizeof(arrays) / sizeof(arrays[0]), count)

static void carve_block(Carver *carver, BlockTape *block, const Tape *tape)
{
    size_t C = (size_t)tape->cfg.d_model, M = (size_t)tape->cfg.d_mlp, N = tape->max_rows;
    size_t NH = (size_t)tape->cfg.n_heads;
    real **const rows_c[] = {&block->ln1, &block->q,   &block->k,   &block->v,
                             &block->z,   &block->mid, &block->ln2, &block->post};
    real **const rows_1[] = {&block->mean1, &block->rstd1, &block->mean2, &block->rstd2};
    TAKE_ALL(carver, rows_c, N * C);
    TAKE_ALL(carver, rows_1, N);
    block->lse = take(carver, N * NH);
    block->act = take(carver, N * M);
    block->slope = tape->mode != TAPE_FORWARD ? take(carver, N * M) : NULL;
    if (tape->mode == TAPE_GRADIENT) {
        real **const hook_c[] = {&block->attn_out, &block->mlp_out, &block->z_made};
        real **const hook_1[] = {&block->scale1, &block->scale2};
        real **const hook_k[] = {&block->scores, &block->pattern};
        TAKE_ALL(carver, hook_c, N * C);
        TAKE_ALL(carver, hook_1, N);
        TAKE_ALL(carver, hook_k, N * NH * tape->keys);
    }
}

/* A forward tape has one block's room: each block reads `pre` and writes `post`, and the next one
 * finds them swapped. What hooks look at in between has one array for all. */
static void share_block(Carver *carver, Tape *tape, BlockTape *first)
{
    size_t NC = tape->max_rows * (size_t)tape->cfg.d_model;
    first->attn_out = first->mlp_out = take(carver, NC);
    first->pattern = first->scores =
        take(carver, tape->max_rows * (size_t)tape->cfg.n_heads * tape->keys);
    /* Free while a LayerNorm is at work. */
    first->scale1 = first->scale2 = tape->scalef = first->attn_out;
    for (int l = 1; tape->blocks && l < tape->cfg.n_layers; l++) {
        tape->blocks[l] = tape->blocks[0];
        tape->blocks[l].pre = tape->blocks[l - 1].post;
        tape->blocks[l].post = tape->blocks[l - 1].pre;
    }
}

static void carve_gradients(Carver *carver, Tape *tape)
{
    size_t C = (size_t)tape->cfg.d_model, M = (size_t)tape->cfg.d_mlp, N = tape->max_rows;
    real **const rows[] = {&tape->dx, &tape->dh, &tape->dz, &tape->dq, &tape->dk, &tape->dv};
    TAKE_ALL(carver, rows, N * C);
    tape->dact = take(carver, N * M);
    if (tape->mode == TAPE_GRADIENT) {
        real **const rows_1[] = {&tape->scalef, &tape->dscale};
        TAKE_ALL(carver, rows_1, N);
        tape->dbranch = take(carver, N * C);
        tape->dpattern = take(carver, N * (size_t)tape->cfg.n_heads * tape->keys);
        tape->sink = take(carver, C > M ? C : M);
    }
}

static void carve(Carver *carver, Tape *tape)
{
    size_t N = tape->max_rows, L = (size_t)tape->cfg.n_layers;
    size_t C = (size_t)tape->cfg.d_model, M = (size_t)tape->cfg.d_mlp;
    size_t V = (size_t)tape->cfg.d_vocab;
    BlockTape counted = {0};
    real *first = take(carver, N * C);
    for (size_t l = 0; l < (tape->mode == TAPE_FORWARD ? 1 : L); l++) {
        BlockTape *block = tape->blocks ? &tape->blocks[l] : &counted;
        carve_block(carver, block, tape);
        if (tape->blocks) {
            block->pre = l == 0 ? first : block[-1].post;
        }
    }
    size_t widest = M > V ? M : V;
    widest = widest > C ? widest : C;
    tape->scratch =
        take(carver, (tape->kernels->scratch_bytes(N, widest, widest) + 15) / sizeof(real));
    tape->lnf = take(carver, N * C);
    tape->meanf = take(carver, N);
    tape->rstdf = take(carver, N);
    tape->logits = take(carver, N * V);
    if (tape->mode == TAPE_FORWARD) {
        share_block(carver, tape, tape->blocks ? tape->blocks : &counted);
    } else {
        carve_gradients(carver, tape);
    }
}

const Kernels *tape__kernels(const Kernels *kernels)
{
#ifdef OGPT_REAL_DOUBLE
    return kernels ? kernels : &kernels_ref;
#else
    return kernels ? kernels : kernels_fast();
#endif
}

size_t tape__bytes(const GptConfig *cfg, size_t max_rows, size_t keys, TapeMode mode,
                   const Kernels *kernels)
{
    Tape counted = {.cfg = *cfg,
                    .mode = mode,
                    .max_rows = max_rows,
                    .keys = keys,
                    .kernels = tape__kernels(kernels)};
    Carver carver = {0};
    carve(&carver, &counted);
    return carver.n_bytes;
}

int tape__new(Tape **out, const GptConfig *cfg, size_t max_rows, size_t keys, TapeMode mode,
              const Kernels *kernels)
{
    *out = NULL;
    int rc = OGPT_ENOMEM;
    Tape *tape = mem_calloc(1, sizeof(*tape), "a tape");
    if (!tape) {
        return rc;
    }
    tape->cfg = *cfg;
    tape->mode = mode;
    tape->max_rows = max_rows;
    tape->keys = keys;
    tape->kernels = tape__kernels(kernels);
    tape->blocks = mem_calloc((size_t)cfg->n_layers, sizeof(*tape->blocks), "a tape's blocks");
    if (!tape->blocks) {
        goto done;
    }
    rc = arena_init(&tape->arena, tape__bytes(cfg, max_rows, keys, mode, kernels), "activations");
    if (rc != 0) {
        goto done;
    }
    carve(&(Carver){.arena = &tape->arena}, tape);
    *out = tape;
    tape = NULL;
done:
    tape_free(tape);
    return rc;
}

size_t tape_bytes(const GptConfig *cfg, size_t max_games, TapeMode mode, const Kernels *kernels)
{
    return tape__bytes(cfg, max_games * (size_t)cfg->n_ctx, (size_t)cfg->n_ctx, mode, kernels);
}

int tape_new(Tape **out, const GptConfig *cfg, size_t max_games, TapeMode mode,
             const Kernels *kernels)
{
    return tape__new(out, cfg, max_games * (size_t)cfg->n_ctx, (size_t)cfg->n_ctx, mode, kernels);
}

void tape_free(Tape *tape)
{
    if (tape) {
        arena_release(&tape->arena);
        mem_free(tape->blocks);
        mem_free(tape);
    }
}
