/* probes/world/history_mlp.c - contract in probes/world/history_mlp.h.
 *
 * Training runs on the kernels of num/, games side by side; an answer is computed by plain loops,
 * one history at a time. A test holds the two equal.
 */
#include "probes/world/history_mlp.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "game/play.h"
#include "num/kernels.h"
#include "num/optimisers/optim.h"
#include "probes/legality/answers.h"
#include "probes/world/units.h"

#define RATE 3e-3F
#define WARMUP 0.05
#define GAMES_STREAM (1ULL << 32) /* behind the streams of the first weights */

enum { H = HISTORY_MLP_HIDDEN };

static size_t n_params(const HistoryMlp *mlp)
{
    size_t V = (size_t)mlp->vocab->d_vocab;
    return mlp->width * H + H + H * V + V;
}
static float *b_in(const HistoryMlp *mlp, float *base)
{
    return base + mlp->width * H;
}
static float *w_out(const HistoryMlp *mlp, float *base)
{
    return b_in(mlp, base) + H;
}
static float *b_out(const HistoryMlp *mlp, float *base)
{
    return w_out(mlp, base) + H * (size_t)mlp->vocab->d_vocab;
}

/* ---- the input ---- */

/* The squares that each side has played, and who is to move. */
typedef struct PlayedSets {
    Board board;
    uint64_t played[2]; /* by Colour */
} PlayedSets;

static void play(PlayedSets *sets, const GameVariant *variant, int sq)
{
    sets->played[sets->board.to_move] |= 1ULL << sq;
    board_play(variant, &sets->board, sq);
}

/* The places of the input that are 1, at most one for each move; returns how many. */
static size_t places_of(uint16_t *places, const PlayedSets *sets, const Vocab *vocab)
{
    size_t n = 0;
    for (int side = 0; side < 2; side++) {
        uint64_t squares = sets->played[side];
        for (; squares != 0; squares &= squares - 1) {
            int tok = vocab->tok_of_sq[__builtin_ctzll(squares)];
            places[n++] = (uint16_t)(2 * (tok - 1) + (side != (int)sets->board.to_move));
        }
    }
    return n;
}

void history_mlp_answer(float *p, const HistoryMlp *mlp, const uint8_t *moves, int n)
{
    size_t V = (size_t)mlp->vocab->d_vocab;
    PlayedSets sets = {.board = mlp->vocab->variant->start};
    uint16_t places[GAME_MAX_MOVES];
    float hidden[H], logits[BOARD_SQUARES];
    double probabilities[BOARD_SQUARES];
    for (int t = 0; t < n; t++) {
        play(&sets, mlp->vocab->variant, moves[t]);
    }
    size_t n_places = places_of(places, &sets, mlp->vocab);
    memcpy(hidden, b_in(mlp, mlp->params), sizeof(hidden));
    for (size_t i = 0; i < n_places; i++) {
        const float *row = mlp->params + places[i] * (size_t)H;
        for (size_t h = 0; h < H; h++) {
            hidden[h] += row[h];
        }
    }
    memcpy(logits, b_out(mlp, mlp->params), V * sizeof(float));
    for (size_t h = 0; h < H; h++) {
        float act = 0.5F * hidden[h] * (1 + erff(hidden[h] * (float)M_SQRT1_2));
        const float *row = w_out(mlp, mlp->params) + h * V;
        for (size_t v = 0; v < V; v++) {
            logits[v] += act * row[v];
        }
    }
    answer_probabilities(probabilities, logits, (int)V);
    for (size_t v = 0; v < V; v++) {
        p[v] = (float)probabilities[v];
    }
}

/* ---- training ---- */

/* What one lane needs. */
typedef struct HistoryLane {
    float *x;                        /* (rows, width) */
    float *act, *slope, *d, *logits; /* (rows, H or V) */
    float *grads;                    /* as params */
    uint8_t *targets;                /* (rows) */
    void *scratch;
} HistoryLane;

typedef struct HistoryTraining {
    HistoryMlp *mlp;
    const HistoryLesson *lesson;
    const Kernels *kernels;
    uint64_t seed;
    size_t step, rows; /* rows of a lane, at most */
    float *m, *v;
    HistoryLane lanes[HISTORY_LANES];
    Arena arena;
} HistoryTraining;

/* The positions of a game from row n on; returns the next row. */
static size_t add_game(HistoryLane *lane, const HistoryTraining *training, const uint8_t *moves,
                       size_t n)
{
    const Vocab *vocab = training->mlp->vocab;
    const HistoryLesson *lesson = training->lesson;
    PlayedSets sets = {.board = vocab->variant->start};
    int length = game_length(moves, vocab->variant->n_moves);
    for (int t = 0; t + 1 < length; t++, n++) {
        uint16_t places[GAME_MAX_MOVES];
        float *row = lane->x + n * training->mlp->width;
        play(&sets, vocab->variant, moves[t]);
        memset(row, 0, training->mlp->width * sizeof(*row));
        for (size_t i = places_of(places, &sets, vocab); i > 0; i--) {
            row[places[i - 1]] = 1;
        }
        lane->targets[n] =
            (uint8_t)(lesson->teacher ? lesson->teacher(lesson->context, moves, t + 1)
                                      : vocab->tok_of_sq[moves[t + 1]]);
    }
    return n;
}

/* The gradient of one lane. */
static int train_lane(void *context, size_t job, size_t worker)
{
    const HistoryTraining *training = context;
    const HistoryMlp *mlp = training->mlp;
    const GameVariant *variant = mlp->vocab->variant;
    const Kernels *k = training->kernels;
    HistoryLane lane = training->lanes[job];
    uint8_t moves[HISTORY_LANE_GAMES * GAME_MAX_MOVES];
    float *params = mlp->params, *grads = lane.grads;
    size_t n = 0, V = (size_t)mlp->vocab->d_vocab, W = mlp->width;
    play_random_games(moves, variant, training->seed, RNG_WORLD,
                      (uint64_t)WORLD_HISTORY << 48 | GAMES_STREAM |
                          (training->step * HISTORY_STEP_GAMES + job * HISTORY_LANE_GAMES),
                      HISTORY_LANE_GAMES);
    for (size_t g = 0; g < HISTORY_LANE_GAMES; g++) {
        n = add_game(&lane, training, moves + g * (size_t)variant->n_moves, n);
    }
    memset(grads, 0, n_params(mlp) * sizeof(*grads));
    k->linear_fwd(lane.act, lane.x, params, NULL, n, W, H, lane.scratch);
    k->gelu_fwd(lane.act, lane.slope, lane.act, b_in(mlp, params), n, H);
    k->linear_fwd(lane.logits, lane.act, w_out(mlp, params), b_out(mlp, params), n, H, V,
                  lane.scratch);
    k->cross_entropy(lane.logits, lane.targets, 1.0F / (float)(training->rows * HISTORY_LANES), n,
                     V);
    k->linear_bwd_w(w_out(mlp, grads), b_out(mlp, grads), lane.act, lane.logits, 1, n, H, V,
                    lane.scratch);
    k->linear_bwd_inp(lane.d, lane.logits, w_out(mlp, params), 0, n, H, V, lane.scratch);
    k->gelu_bwd(lane.d, b_in(mlp, grads), lane.slope, n, H);
    k->linear_bwd_w(grads, NULL, lane.x, lane.d, 1, n, W, H, lane.scratch);
    return 0;
}

static int train_step(HistoryTraining *training, const Work *work)
{
    const HistoryLesson *lesson = training->lesson;
    float *sum = training->lanes[0].grads;
    size_t n = n_params(training->mlp);
    int rc = pool_run(work->pool, HISTORY_LANES, train_lane, training);
    for (size_t lane = 1; rc == 0 && lane < HISTORY_LANES; lane++) {
        const float *grads = training->lanes[lane].grads;
        for (size_t i = 0; i < n; i++) {
            sum[i] += grads[i];
        }
    }
    if (rc == 0) {
        double factor = schedule_factor(SCHEDULE_TRAPEZOID, (int64_t)training->step,
                                        (int64_t)lesson->steps, WARMUP, 0.5);
        const AdamWStep how = {.lr = RATE * (float)factor,
                               .beta1 = 0.9F,
                               .beta2 = 0.99F,
                               .eps = 1e-8F,
                               .step = (int64_t)training->step + 1};
        adamw_step(training->mlp->params, training->m, training->v, sum, n, 1, &how);
        training->step++;
    }
    return rc;
}

/* First weights: the sum of the inputs that are 1, about half of a game, has a spread of 1. */
static void weights_draw(HistoryMlp *mlp, uint64_t seed)
{
    size_t V = (size_t)mlp->vocab->d_vocab;
    Rng rng = world_rng(seed, WORLD_HISTORY, 0);
    double in = sqrt(2.0 / mlp->vocab->variant->n_moves), out = sqrt(1.0 / H);
    for (size_t i = 0; i < mlp->width * H; i++) {
        mlp->params[i] = (float)(in * rng_normal(&rng));
    }
    for (size_t i = 0; i < H * V; i++) {
        w_out(mlp, mlp->params)[i] = (float)(out * rng_normal(&rng));
    }
}

static int training_new(HistoryTraining *training)
{
    const HistoryMlp *mlp = training->mlp;
    size_t V = (size_t)mlp->vocab->d_vocab, W = mlp->width, n = n_params(mlp);
    size_t rows = training->rows = HISTORY_LANE_GAMES * (size_t)mlp->vocab->n_ctx;
    size_t scratch = training->kernels->scratch_bytes(rows, W > H ? W : H, H);
    size_t lane = arena_piece_bytes(rows * W, sizeof(float)) +
                  3 * arena_piece_bytes(rows * H, sizeof(float)) +
                  arena_piece_bytes(rows * V, sizeof(float)) + arena_piece_bytes(n, sizeof(float)) +
                  arena_piece_bytes(rows, 1) + arena_piece_bytes(scratch, 1);
    size_t bytes = HISTORY_LANES * lane + 2 * arena_piece_bytes(n, sizeof(float));
    int rc = arena_init(&training->arena, bytes, "training of a control");
    if (rc) {
        return rc;
    }
    training->m = arena_take(&training->arena, n, sizeof(float));
    training->v = arena_take(&training->arena, n, sizeof(float));
    for (size_t i = 0; i < HISTORY_LANES; i++) {
        HistoryLane *at = &training->lanes[i];
        at->x = arena_take(&training->arena, rows * W, sizeof(float));
        at->act = arena_take(&training->arena, rows * H, sizeof(float));
        at->slope = arena_take(&training->arena, rows * H, sizeof(float));
        at->d = arena_take(&training->arena, rows * H, sizeof(float));
        at->logits = arena_take(&training->arena, rows * V, sizeof(float));
        at->grads = arena_take(&training->arena, n, sizeof(float));
        at->targets = arena_take(&training->arena, rows, 1);
        at->scratch = arena_take(&training->arena, scratch, 1);
    }
    return 0;
}

int history_mlp_learn(HistoryMlp *out, const Vocab *vocab, const HistoryLesson *lesson,
                      const Work *work)
{
    HistoryTraining training = {
        .mlp = out, .lesson = lesson, .kernels = kernels_fast(), .seed = work->seed};
    *out = (HistoryMlp){.vocab = vocab, .width = 2 * (size_t)vocab->variant->n_moves};
    out->params = mem_calloc(n_params(out), sizeof(float), "weights of a control");
    int rc = out->params ? training_new(&training) : OGPT_ENOMEM;
    if (rc == 0) {
        weights_draw(out, work->seed);
    }
    while (rc == 0 && training.step < lesson->steps) {
        rc = interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while training a control")
                                 : train_step(&training, work);
        work_tick(work, "steps", (double)training.step, (double)lesson->steps);
    }
    for (size_t i = 0; rc == 0 && i < n_params(out); i++) {
        if (!isfinite(out->params[i])) {
            rc = err_set(OGPT_ENUM, "the control history_mlp diverged");
        }
    }
    arena_release(&training.arena);
    return rc;
}

void history_mlp_release(HistoryMlp *mlp)
{
    mem_free(mlp->params);
    *mlp = (HistoryMlp){0};
}
