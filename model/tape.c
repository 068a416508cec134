/* model/tape.c - sizing and carving a worker's activations from one arena. */
#include "model/tape.h"

#include "base/err.h"

/* Either counts bytes (arena NULL) or carves: one function describes the layout for both. */
typedef struct Carver {
    Arena *arena;
    size_t n_bytes;
} Carver;

static real *take(Carver *carver, size_t count)
{
    carver->n_bytes += arena_piece_bytes(count, sizeof(real));
    return carver->arena ? arena_take(carver->arena, count, sizeof(real)) : NULL;
}

static void carve_block(Carver *carver, BlockTape *block, const Tape *tape, size_t N)
{
    size_t C = (size_t)tape->cfg.d_model, M = (size_t)tape->cfg.d_mlp;
    size_t NH = (size_t)tape->cfg.n_heads;
    real **rows_c[] = {&block->ln1, &block->q,   &block->k,   &block->v,
                       &block->z,   &block->mid, &block->ln2, &block->post};
    real **rows_1[] = {&block->mean1, &block->rstd1, &block->mean2, &block->rstd2};
    for (size_t i = 0; i < sizeof(rows_c) / sizeof(rows_c[0]); i++) {
        *rows_c[i] = take(carver, N * C);
    }
    for (size_t i = 0; i < sizeof(rows_1) / sizeof(rows_1[0]); i++) {
        *rows_1[i] = take(carver, N);
    }
    block->lse = take(carver, N * NH);
    block->act = take(carver, N * M);
    block->slope = tape->mode == TAPE_TRAIN ? take(carver, N * M) : NULL;
}

static void carve(Carver *carver, Tape *tape)
{
    size_t N = tape->max_games * (size_t)tape->cfg.n_ctx, L = (size_t)tape->cfg.n_layers;
    size_t C = (size_t)tape->cfg.d_model, M = (size_t)tape->cfg.d_mlp;
    size_t V = (size_t)tape->cfg.d_vocab;
    BlockTape counted = {0};
    real *first = take(carver, N * C);
    for (size_t l = 0; l < (tape->mode == TAPE_TRAIN ? L : 1); l++) {
        BlockTape *block = tape->blocks ? &tape->blocks[l] : &counted;
        carve_block(carver, block, tape, N);
        if (tape->blocks) {
            block->pre = l == 0 ? first : block[-1].post;
        }
    }
    /* A forward tape has one block's room: each block reads `pre` and writes `post`, and the
     * next one finds them swapped. */
    for (size_t l = 1; tape->mode == TAPE_FORWARD && tape->blocks && l < L; l++) {
        tape->blocks[l] = tape->blocks[0];
        tape->blocks[l].pre = tape->blocks[l - 1].post;
        tape->blocks[l].post = tape->blocks[l - 1].pre;
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
        tape->out = take(carver, N * C);
        tape->pattern = take(carver, N * (size_t)tape->cfg.n_heads * (size_t)tape->cfg.n_ctx);
    } else {
        real **rows[] = {&tape->dx, &tape->dh, &tape->dz, &tape->dq, &tape->dk, &tape->dv};
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            *rows[i] = take(carver, N * C);
        }
        tape->dact = take(carver, N * M);
    }
}

static const Kernels *kernels_or_default(const Kernels *kernels)
{
#ifdef OGPT_REAL_DOUBLE
    return kernels ? kernels : &kernels_ref;
#else
    return kernels ? kernels : &kernels_fast;
#endif
}

size_t tape_bytes(const GptConfig *cfg, size_t max_games, TapeMode mode, const Kernels *kernels)
{
    Tape counted = {
        .cfg = *cfg, .mode = mode, .max_games = max_games, .kernels = kernels_or_default(kernels)};
    Carver carver = {0};
    carve(&carver, &counted);
    return carver.n_bytes;
}

int tape_new(Tape **out, const GptConfig *cfg, size_t max_games, TapeMode mode,
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
    tape->max_games = max_games;
    tape->kernels = kernels_or_default(kernels);
    tape->blocks = mem_calloc((size_t)cfg->n_layers, sizeof(*tape->blocks), "a tape's blocks");
    if (!tape->blocks) {
        goto done;
    }
    rc = arena_init(&tape->arena, tape_bytes(cfg, max_games, mode, kernels), "activations");
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

void tape_free(Tape *tape)
{
    if (tape) {
        arena_release(&tape->arena);
        mem_free(tape->blocks);
        mem_free(tape);
    }
}
