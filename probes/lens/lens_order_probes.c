/* probes/lens/lens_order_probes.c - the two probes that are compared with lenses, fitted alike. See
 * probes/lens/lens_order.h. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/lens/lens_order.h"

typedef struct ProbesRun {
    LensOrder *out;
    const LensOrderInputs *in;
    const Work *work;
    uint8_t *legal_train, *legal_test; /* (positions, squares) */
    uint8_t *predicted;
    float *scores; /* (test positions, squares, classes) */
    double *block; /* of the journal */
} ProbesRun;

/* Fit, or take from the journal, a probe of one layer. */
static int fit(Probe *probe, const ProbesRun *run, const uint8_t *labels, const char *stage,
               int layer)
{
    const Work *work = run->work;
    size_t C = (size_t)probe->d_model, K = (size_t)probe->n_classes, S = (size_t)probe->n_squares;
    size_t n_weights = C * S * K, numbers = n_weights + S * K;
    FitReport report;
    FitProblem problem = {.x = run->in->train_rows->x[lens_post(layer)],
                          .labels = labels,
                          .n = run->in->train->set.n_positions,
                          .width = C,
                          .n_squares = S,
                          .n_classes = K,
                          .l2 = FIT_L2};
    int rc = work_recall(run->block, work, numbers, stage, (size_t)(layer + 1));
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < numbers && rc == 1; i++) {
        float *to = i < n_weights ? probe->weight[0] + i : probe->bias[0] + (i - n_weights);
        *to = (float)run->block[i];
    }
    if (rc == 1) {
        return 0;
    }
    rc = fit_probe(&(FitWeights){.weight = probe->weight[0], .bias = probe->bias[0]}, &report,
                   "newton", &problem, work);
    for (size_t i = 0; i < numbers && rc == 0; i++) {
        run->block[i] =
            (double)(i < n_weights ? probe->weight[0][i] : probe->bias[0][i - n_weights]);
    }
    return rc ? rc : work_keep(work, run->block, numbers, stage, (size_t)(layer + 1));
}

static Probe probe_shape(const ProbesRun *run, int n_classes)
{
    return (Probe){.d_model = (int)run->in->train_rows->d_model,
                   .n_squares = (int)run->in->test->n_squares,
                   .size = run->in->test->set.vocab->variant->size,
                   .n_classes = n_classes,
                   .n_layers = 1};
}

/* Squares of a size x size board as bits 8*row + column. */
static uint64_t square_bit(const ProbesRun *run, size_t s)
{
    return UINT64_C(1) << task_square(run->in->test->set.vocab->variant, (int)s);
}

static uint64_t squares_of(const ProbesRun *run, const uint8_t *labels, uint8_t class)
{
    uint64_t squares = 0;
    for (size_t s = 0; s < run->in->test->n_squares; s++) {
        squares |= labels[s] == class ? square_bit(run, s) : 0;
    }
    return squares;
}

static uint8_t *holds_at(const ProbesRun *run, LensCriterion criterion, int layer)
{
    size_t row = (size_t)criterion * (size_t)run->out->n_layers + (size_t)(layer + 1);
    return run->out->holds + row * run->out->n;
}

static int read_board(ProbesRun *run, int layer)
{
    const LabelledSet *test = run->in->test;
    const GameVariant *variant = test->set.vocab->variant;
    size_t S = test->n_squares, n = test->set.n_positions;
    uint8_t *right = holds_at(run, LENS_BOARD_RIGHT, layer);
    uint8_t *moves = holds_at(run, LENS_BOARD_MOVES, layer);
    GameSums sums = {0};
    Probe probe = probe_shape(run, 3);
    int rc = probe_allocate(&probe);
    rc = rc ? rc : fit(&probe, run, run->in->train->labels, "lens board probe", layer);
    rc = rc ? rc
            : predict_probe(run->predicted, &probe, 0, run->in->test_rows->x[lens_post(layer)], n,
                            run->work);
    for (size_t i = 0; i < n && rc == 0; i++) {
        const uint8_t *read = run->predicted + i * S, *is = test->labels + i * S;
        /* Seen by the side to move, as the labels are. */
        Board board = {.mine = squares_of(run, read, LABEL_MINE),
                       .theirs = squares_of(run, read, LABEL_THEIRS)};
        uint64_t legal = squares_of(run, run->legal_test + i * S, 1);
        right[i] = memcmp(read, is, S) == 0;
        moves[i] = board_moves(variant, &board) == legal;
    }
    rc = rc ? rc : game_sums_count(&sums, test, run->predicted);
    if (rc == 0) {
        run->out->cells[layer + 1] =
            ablation_draws_ratio(run->in->draws, sums.right[SCORE_CELLS], sums.total[SCORE_CELLS]);
    }
    game_sums_release(&sums);
    probe_release(&probe);
    return rc;
}

/* The n squares with the largest score of "legal" over "illegal". */
static uint64_t top_squares(const ProbesRun *run, const float *scores, int n)
{
    size_t S = run->in->test->n_squares;
    uint64_t chosen = 0;
    for (int k = 0; k < n; k++) {
        size_t best = S;
        for (size_t s = 0; s < S; s++) {
            float of = scores[2 * s + 1] - scores[2 * s];
            if (!(chosen & square_bit(run, s)) &&
                (best == S || of > scores[2 * best + 1] - scores[2 * best])) {
                best = s;
            }
        }
        chosen |= best < S ? square_bit(run, best) : 0;
    }
    return chosen;
}

static int read_legal(ProbesRun *run, int layer)
{
    const LabelledSet *test = run->in->test;
    const PositionSet *set = &test->set;
    size_t S = test->n_squares, n = set->n_positions;
    uint8_t *holds = holds_at(run, LENS_MOVE_LEGAL, layer);
    double *f1 = mem_calloc(2 * set->n_games, sizeof(double), "F1 of games");
    Probe probe = probe_shape(run, 2);
    int rc = f1 ? probe_allocate(&probe) : OGPT_ENOMEM;
    rc = rc ? rc : fit(&probe, run, run->legal_train, "lens legal probe", layer);
    if (rc == 0) {
        probe_scores(run->scores, &probe, 0, run->in->test_rows->x[lens_post(layer)], n);
    }
    for (size_t g = 0; g < set->n_games && rc == 0; g++) {
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            uint64_t legal = squares_of(run, run->legal_test + i * S, 1);
            int n_legal = __builtin_popcountll(legal);
            uint64_t top = top_squares(run, run->scores + i * S * 2, n_legal);
            holds[i] = top == legal;
            f1[g] += (double)__builtin_popcountll(top & legal) / n_legal;
            f1[set->n_games + g] += 1;
        }
    }
    if (rc == 0) {
        run->out->legal_f1[layer + 1] = ablation_draws_ratio(run->in->draws, f1, f1 + set->n_games);
    }
    mem_free(f1);
    probe_release(&probe);
    return rc;
}

static void take_lenses(const ProbesRun *run, int layer)
{
    const LensMeasured *measured = run->in->measured;
    const int readers[2] = {LENS_LOGIT, LENS_TUNED};
    for (int k = 0; k < 2; k++) {
        size_t row = (size_t)readers[k] * (size_t)measured->n_places + (size_t)lens_post(layer);
        memcpy(holds_at(run, k ? LENS_MOVE_TUNED : LENS_MOVE_LOGIT, layer),
               measured->exact + row * measured->n_positions, measured->n_positions);
    }
}

static int runs_make(ProbesRun *run)
{
    const LensOrderInputs *in = run->in;
    size_t S = in->test->n_squares, train = in->train->set.n_positions,
           n = in->test->set.n_positions, C = in->train_rows->d_model;
    const Task *task = task_find("legal");
    run->legal_train = mem_alloc(train, S, "legal squares");
    run->legal_test = mem_alloc(n, S, "legal squares");
    run->predicted = mem_alloc(n, S, "predicted labels");
    run->scores = mem_alloc(n * S * 2, sizeof(float), "probe scores");
    run->block = mem_alloc((C + 1) * S * 3, sizeof(double), "a probe");
    int rc = run->legal_train && run->legal_test && run->predicted && run->scores && run->block
                 ? 0
                 : OGPT_ENOMEM;
    rc =
        rc ? rc : positions_label(run->legal_train, &in->train->set, task, LABELS_MOVER, run->work);
    return rc ? rc
              : positions_label(run->legal_test, &in->test->set, task, LABELS_MOVER, run->work);
}

int lens_order_read(LensOrder *out, const LensOrderInputs *in, const Work *work)
{
    const Work quiet = work_quiet(work);
    ProbesRun run = {.out = out, .in = in, .work = &quiet};
    int n_layers = (in->measured->n_places - 1) / 2 + 1;
    int rc = lens_order_make(out, n_layers, in->test->set.n_positions);
    rc = rc ? rc : runs_make(&run);
    for (int layer = LAYER_EMBED; layer < n_layers - 1 && rc == 0; layer++) {
        rc = read_board(&run, layer);
        rc = rc ? rc : read_legal(&run, layer);
        if (rc == 0) {
            take_lenses(&run, layer);
        }
        work_tick(work, "layers", layer + 2.0, n_layers);
    }
    rc = rc ? rc : lens_order_finish(out, &in->test->set, in->draws);
    mem_free(run.legal_train);
    mem_free(run.legal_test);
    mem_free(run.predicted);
    mem_free(run.scores);
    mem_free(run.block);
    if (rc) {
        lens_order_release(out);
    }
    return rc;
}
