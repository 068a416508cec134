/* probes/lens/lens_board.c - see probes/lens/lens_board.h. */
#include "probes/lens/lens_board.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "probes/board/controls.h"

enum { SUMS_PLAIN, SUMS_MOVED, SUMS_SHUFFLED, N_SUMS };

typedef struct BoardRun {
    LensBoard *out;
    const LensBoardInputs *in;
    const Work *work;
    GameSums *sums; /* (n, n, N_SUMS) */
    uint8_t *predicted, *exchanged;
    float *moved; /* (positions, C) */
} BoardRun;

/* goes[s]: another square, each once. */
static void exchange_squares(uint16_t *goes, size_t S, uint64_t seed)
{
    for (size_t i = 0; i < S; i++) {
        uint64_t from = rng_permute(seed, RNG_SHUFFLE, 1, i, S);
        goes[from] = (uint16_t)rng_permute(seed, RNG_SHUFFLE, 1, (i + 1) % S, S);
    }
}

/* Mean over squares of cos(w_mine - w_theirs) of two layers; with two classes: w_1 - w_0. */
static double mean_cosine(const Probe *probe, size_t a, size_t b)
{
    size_t S = (size_t)probe->n_squares, K = (size_t)probe->n_classes, one = K > 2 ? 2 : 1;
    size_t two = K > 2 ? 1 : 0;
    double sum = 0;
    for (size_t s = 0; s < S; s++) {
        double ab = 0, aa = 0, bb = 0;
        for (size_t c = 0; c < (size_t)probe->d_model; c++) {
            const float *x = probe->weight[a] + (c * S + s) * K;
            const float *y = probe->weight[b] + (c * S + s) * K;
            double u = (double)x[one] - (double)x[two], v = (double)y[one] - (double)y[two];
            ab += u * v;
            aa += u * u;
            bb += v * v;
        }
        sum += aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
    }
    return probe->n_hidden ? NAN : sum / (double)S;
}

static int read_rows(BoardRun *run, GameSums *sums, size_t k, const float *rows)
{
    const LabelledSet *test = run->in->test;
    int rc = predict_probe(run->predicted, run->in->probe, (int)k, rows, test->set.n_positions,
                           run->work);
    return rc ? rc : game_sums_count(sums, test, run->predicted);
}

static int read_cell(BoardRun *run, size_t k, size_t l, const uint16_t *goes)
{
    const LensBoardInputs *in = run->in;
    const Probe *probe = in->probe;
    size_t n = run->out->n, S = in->test->n_squares, C = (size_t)probe->d_model;
    size_t positions = in->test->set.n_positions;
    int from = lens_post(probe->layers[l]), to = lens_post(probe->layers[k]);
    GameSums *sums = run->sums + (k * n + l) * N_SUMS;
    LensBoardCell *cell = &run->out->cells[k * n + l];
    *cell = (LensBoardCell){.probe_layer = probe->layers[k],
                            .layer = probe->layers[l],
                            .cosine = mean_cosine(probe, k, l)};
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while probes read other layers");
    }
    int rc = read_rows(run, &sums[SUMS_PLAIN], k, in->test_rows->x[from]);
    for (size_t i = 0; i < positions * S && rc == 0; i++) {
        run->exchanged[i - i % S + goes[i % S]] = run->predicted[i];
    }
    rc = rc ? rc : game_sums_count(&sums[SUMS_SHUFFLED], in->test, run->exchanged);
    if (rc || k == l) { /* the map from a layer to itself is the identity */
        return rc ? rc : read_rows(run, &sums[SUMS_MOVED], k, in->test_rows->x[from]);
    }
    double *w = mem_alloc((C + 1) * C, sizeof(double), "a map between layers");
    float *raw = mem_alloc((C + 1) * C, sizeof(float), "a map between layers");
    rc = w && raw
             ? lens_ridge(w, w + C * C, &in->designs[from], in->train_rows->x[to], C, run->work)
             : OGPT_ENOMEM;
    if (rc == 0) {
        lens_fold(raw, raw + C * C, &in->designs[from], w, w + C * C, C);
        rc = lens_map_rows(run->moved, in->test_rows->x[from], positions, raw, raw + C * C,
                           (const size_t[]){C, C}, run->work);
    }
    rc = rc ? rc : read_rows(run, &sums[SUMS_MOVED], k, run->moved);
    mem_free(w);
    mem_free(raw);
    return rc;
}

static int interval_job(void *context, size_t job, size_t worker)
{
    const BoardRun *run = context;
    LensBoardCell *cell = &run->out->cells[job];
    const GameSums *sums = run->sums + job * N_SUMS;
    struct {
        Interval *out;
        int sums, score;
    } all[] = {{&cell->accuracy, SUMS_PLAIN, SCORE_CELLS},
               {&cell->board, SUMS_PLAIN, SCORE_BOARDS},
               {&cell->moved_accuracy, SUMS_MOVED, SCORE_CELLS},
               {&cell->moved_board, SUMS_MOVED, SCORE_BOARDS},
               {&cell->shuffled, SUMS_SHUFFLED, SCORE_CELLS}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const GameSums *of = &sums[all[i].sums];
        *all[i].out = bootstrap_ratio(of->right[all[i].score], of->total[all[i].score], of->n_games,
                                      run->work->seed);
    }
    return 0;
}

static int read_majority(BoardRun *run)
{
    GameSums sums = {0};
    const LensBoardInputs *in = run->in;
    int rc = majority_predict(run->predicted, in->train, in->test, in->test->n_classes);
    rc = rc ? rc : game_sums_count(&sums, in->test, run->predicted);
    if (rc == 0) {
        run->out->majority = bootstrap_ratio(sums.right[SCORE_CELLS], sums.total[SCORE_CELLS],
                                             sums.n_games, run->work->seed);
    }
    game_sums_release(&sums);
    return rc;
}

int lens_board_read(LensBoard *out, const LensBoardInputs *in, const Work *work)
{
    size_t n = (size_t)in->probe->n_layers, positions = in->test->set.n_positions;
    size_t S = in->test->n_squares;
    const Work quiet = work_quiet(work);
    BoardRun run = {.out = out, .in = in, .work = &quiet};
    uint16_t goes[BOARD_SQUARES];
    *out = (LensBoard){.n = n};
    out->cells = mem_calloc(n * n, sizeof(*out->cells), "probes at other layers");
    run.sums = mem_calloc(n * n * N_SUMS, sizeof(*run.sums), "probes at other layers");
    run.predicted = mem_alloc(positions, S, "predicted labels");
    run.exchanged = mem_alloc(positions, S, "predicted labels");
    run.moved = mem_alloc(positions * (size_t)in->probe->d_model, sizeof(float), "carried rows");
    int rc =
        out->cells && run.sums && run.predicted && run.exchanged && run.moved ? 0 : OGPT_ENOMEM;
    exchange_squares(goes, S, work->seed);
    for (size_t k = 0; k < n && rc == 0; k++) {
        for (size_t l = 0; l < n && rc == 0; l++) {
            rc = read_cell(&run, k, l, goes);
        }
        work_tick(work, "layers", (double)k + 1, (double)n);
    }
    rc = rc ? rc : pool_run(work->pool, n * n, interval_job, &run);
    rc = rc ? rc : read_majority(&run);
    for (size_t i = 0; run.sums && i < n * n * N_SUMS; i++) {
        game_sums_release(&run.sums[i]);
    }
    mem_free(run.sums);
    mem_free(run.predicted);
    mem_free(run.exchanged);
    mem_free(run.moved);
    if (rc) {
        lens_board_release(out);
    }
    return rc;
}

void lens_board_release(LensBoard *board)
{
    mem_free(board->cells);
    *board = (LensBoard){0};
}
