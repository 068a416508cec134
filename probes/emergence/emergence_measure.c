/* probes/emergence/emergence_measure.c - contract in probes/emergence/emergence_measure.h. */
#include "probes/emergence/emergence_measure.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/activations.h"
#include "probes/board/scores.h"
#include "probes/emergence/emergence_parts.h"
#include "probes/legality/legality.h"

#define TOLERANCE 1e-3 /* of fits: the accuracy changes by less than the noise of the games */

static const char *const names[N_EMERGENCE_MEASURES] = {EMERGENCE_MEASURES(ENUM_NAME)};
static const char *const tasks[N_EMERGENCE_MEASURES] = {
#define EMERGENCE_TASK(id, name, falls, task) task,
    EMERGENCE_MEASURES(EMERGENCE_TASK)
#undef EMERGENCE_TASK
};
const bool emergence_falls[N_EMERGENCE_MEASURES] = {
#define EMERGENCE_FALLS(id, name, falls, task) falls,
    EMERGENCE_MEASURES(EMERGENCE_FALLS)
#undef EMERGENCE_FALLS
};

const char *emergence_name(EmergenceMeasure measure)
{
    return names[measure];
}

/* Positions of one part, with the labels of each probed measure. */
typedef struct EmergencePart {
    PositionSet set;
    uint8_t *labels[N_EMERGENCE_MEASURES]; /* (n_positions, n_squares); NULL: no task */
} EmergencePart;

struct EmergenceGames {
    const Vocab *vocab;
    size_t n_squares, n_test;
    GameSource *source[2]; /* to fit on, to score */
    EmergencePart part[2];
    HeadGames heads[2]; /* the same games */
    EmergenceAnswers answers;
};

/* Labels of the position half of the set away: of another game. */
static void labels_lend(uint8_t *labels, const uint8_t *from, size_t n, size_t n_squares)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(labels + i * n_squares, from + (i + n / 2) % n * n_squares, n_squares);
    }
}

static int part_label(EmergencePart *part, size_t n_squares, const Work *work)
{
    size_t n = part->set.n_positions;
    int rc = 0;
    for (int m = 0; rc == 0 && m < N_EMERGENCE_MEASURES; m++) {
        if (!tasks[m]) {
            continue;
        }
        part->labels[m] = mem_alloc(n, n_squares, "labels of positions");
        if (!part->labels[m]) {
            return OGPT_ENOMEM;
        }
        if (m == EMERGENCE_SHUFFLED) {
            labels_lend(part->labels[m], part->labels[EMERGENCE_MINE], n, n_squares);
        } else {
            rc = positions_label(part->labels[m], &part->set, task_find(tasks[m]), LABELS_MOVER,
                                 work);
        }
    }
    return rc;
}

int emergence_games_new(EmergenceGames **out, const Vocab *vocab, size_t fit_games,
                        size_t test_games, int plies, const Work *work)
{
    static const RngPurpose purposes[2] = {RNG_PROBE_GAMES, RNG_EVAL};
    const Work quiet = work_quiet(work);
    EmergenceGames *games = mem_calloc(1, sizeof(*games), "games of all checkpoints");
    *out = games;
    if (!games) {
        return OGPT_ENOMEM;
    }
    games->vocab = vocab;
    games->n_test = test_games;
    games->n_squares = (size_t)vocab->variant->size * (size_t)vocab->variant->size;
    int rc = 0;
    for (int p = 0; rc == 0 && p < 2; p++) {
        rc = source_fresh(&games->source[p], vocab->variant, work->seed, purposes[p]);
        rc = rc ? rc
                : positions_draw(&games->part[p].set, games->source[p],
                                 p == 0 ? fit_games : test_games, plies, &quiet);
        rc = rc ? rc : part_label(&games->part[p], games->n_squares, &quiet);
        rc = rc ? rc
                : head_games_read(&games->heads[p], vocab, games->source[p],
                                  p == 0 ? fit_games : test_games, &quiet);
    }
    return rc ? rc
              : emergence_answers_new(&games->answers, &games->part[1].set, test_games, &quiet);
}

void emergence_games_free(EmergenceGames *games)
{
    for (int p = 0; games && p < 2; p++) {
        for (int m = 0; m < N_EMERGENCE_MEASURES; m++) {
            mem_free(games->part[p].labels[m]);
        }
        positions_release(&games->part[p].set);
        head_games_release(&games->heads[p]);
        source_free(games->source[p]);
    }
    if (games) {
        emergence_answers_release(&games->answers);
    }
    mem_free(games);
}

/* ---- one checkpoint ---- */

typedef struct CheckpointRun {
    const EmergenceGames *games;
    const Gpt *gpt;
    float *rows[2]; /* (n_positions, d_model) of both parts */
    uint8_t *predicted;
    double *values;
    const Work *work; /* quiet */
} CheckpointRun;

static int legality_run(const CheckpointRun *run)
{
    LegalityScore score = {0};
    size_t n = run->games->n_test;
    int rc = legality_score(&score, run->gpt, run->games->source[1], 0, n, run->work);
    for (size_t g = 0; rc == 0 && g < n; g++) {
        double *excess = run->values + (EMERGENCE_EXCESS * n + g) * 2;
        double *strict = run->values + (EMERGENCE_STRICT * n + g) * 2;
        excess[0] = score.games[g].loss - score.games[g].floor;
        strict[0] = score.games[g].strict_errors;
        excess[1] = strict[1] = score.games[g].positions;
    }
    legality_release(&score);
    return rc;
}

/* By test game: right cells and cells; where there are two classes, 2 hits and what is said or
 * true, whose ratio is the F1 of class 1: a rare one would hardly change the share of right cells.
 */
static void cells_count(const CheckpointRun *run, EmergenceMeasure measure)
{
    const EmergencePart *part = &run->games->part[1];
    const bool two = task_find(tasks[measure])->n_classes == 2;
    size_t S = run->games->n_squares, n = run->games->n_test;
    for (size_t g = 0; g < n; g++) {
        double *value = run->values + ((size_t)measure * n + g) * 2;
        double right = 0;
        value[0] = value[1] = 0;
        for (size_t i = part->set.first[g] * S; i < part->set.first[g + 1] * S; i++) {
            int said = run->predicted[i], truth = part->labels[measure][i];
            value[0] += two ? 2 * (said == 1 && truth == 1) : said == truth;
            value[1] += two ? (said == 1) + (truth == 1) : 1;
            right += said == truth;
        }
        if (measure == EMERGENCE_LEGAL) {
            double *cells = run->values + (EMERGENCE_LEGAL_CELLS * n + g) * 2;
            cells[0] = right;
            cells[1] = (double)((part->set.first[g + 1] - part->set.first[g]) * S);
        }
    }
}

/* The names by which a probe is read. */
static void task_name_into(Probe *probe, const char *name)
{
    const Task *task = task_find(name);
    snprintf(probe->task, sizeof(probe->task), "%s", name);
    for (int k = 0; k < task->n_classes; k++) {
        snprintf(probe->classes[k], sizeof(probe->classes[k]), "%s", task->classes[k]);
    }
}

static int probe_measure(const CheckpointRun *run, EmergenceMeasure measure, int layer)
{
    const EmergencePart *fit = &run->games->part[0], *test = &run->games->part[1];
    FitReport report;
    Probe probe = {.site = HOOK_RESID_POST,
                   .labels = "mover",
                   .size = run->games->vocab->variant->size,
                   .n_squares = (int)run->games->n_squares,
                   .d_model = run->gpt->cfg.d_model,
                   .n_classes = task_find(tasks[measure])->n_classes,
                   .n_layers = 1,
                   .layers = {layer}};
    task_name_into(&probe, tasks[measure]);
    int rc = probe_allocate(&probe);
    if (rc == 0) {
        const FitProblem problem = {.x = run->rows[0],
                                    .labels = fit->labels[measure],
                                    .n = fit->set.n_positions,
                                    .width = (size_t)probe.d_model,
                                    .n_squares = run->games->n_squares,
                                    .n_classes = (size_t)probe.n_classes,
                                    .l2 = FIT_L2,
                                    .tolerance = TOLERANCE};
        const FitWeights weights = {.weight = probe.weight[0], .bias = probe.bias[0]};
        rc = fit_probe(&weights, &report, "newton", &problem, run->work);
        probe.fitted[0] = true;
        rc = rc ? rc
                : predict_probe(run->predicted, &probe, 0, run->rows[1], test->set.n_positions,
                                run->work);
    }
    if (rc == 0) {
        cells_count(run, measure);
    }
    if (rc == 0 && measure == EMERGENCE_MINE) {
        rc = emergence_edits(run->values + EMERGENCE_EDIT * run->games->n_test * 2,
                             &run->games->answers, run->gpt, &probe, run->work);
    }
    probe_release(&probe);
    return rc;
}

int emergence_measure(double *values, const EmergenceGames *games, const Gpt *gpt, const Work *work)
{
    const Work quiet = work_quiet(work);
    CheckpointRun run = {.games = games, .gpt = gpt, .values = values, .work = &quiet};
    int layer = gpt->cfg.n_layers / 2;
    const SiteLayers where = {HOOK_RESID_POST, &layer, 1};
    size_t width = (size_t)gpt->cfg.d_model;
    int rc = 0;
    run.predicted =
        mem_alloc(games->part[1].set.n_positions, games->n_squares, "predicted squares");
    rc = run.predicted ? legality_run(&run) : OGPT_ENOMEM;
    for (int p = 0; rc == 0 && p < 2; p++) {
        run.rows[p] =
            mem_alloc(games->part[p].set.n_positions * width, sizeof(float), "activations");
        rc = run.rows[p]
                 ? activations_capture(&run.rows[p], &games->part[p].set, gpt, &where, &quiet)
                 : OGPT_ENOMEM;
    }
    if (rc == 0) {
        rc = emergence_lens(values + EMERGENCE_LENS * games->n_test * 2, &games->answers,
                            &games->part[1].set, gpt, run.rows[1]);
    }
    rc = rc ? rc
            : emergence_transposition(values + EMERGENCE_WORLD * games->n_test * 2, &games->answers,
                                      gpt, &quiet);
    rc = rc ? rc
            : emergence_heads(values + EMERGENCE_HEAD * games->n_test * 2,
                              values + EMERGENCE_HEAD_BEYOND * games->n_test * 2, &games->heads[0],
                              &games->heads[1], gpt, &quiet);
    for (int m = 0; rc == 0 && m < N_EMERGENCE_MEASURES; m++) {
        rc = tasks[m] ? probe_measure(&run, (EmergenceMeasure)m, layer) : 0;
        work_tick(work, "measures", m + 1, N_EMERGENCE_MEASURES);
    }
    mem_free(run.rows[0]);
    mem_free(run.rows[1]);
    mem_free(run.predicted);
    return rc;
}
