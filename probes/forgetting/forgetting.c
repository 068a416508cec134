/* probes/forgetting/forgetting.c - contract in probes/forgetting/forgetting.h. */
#include "probes/forgetting/forgetting.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/activations.h"
#include "probes/board/probe.h"
#include "probes/legality/legality.h"
#include "probes/solvers/solver.h"

#define TOLERANCE 1e-3 /* of fits: the accuracy changes by less than the noise of the games */

static const char *const names[N_FORGET_NETWORKS] = {FORGET_NETWORKS(ENUM_NAME)};

const char *forget_network_name(ForgetNetwork network)
{
    return names[network];
}

const char *forget_kind_name(ForgetKind kind)
{
    return kind == FORGET_OLD ? "old" : "new";
}

/* Games of one kind. */
typedef struct ForgetGames {
    GameSource *test; /* borrowed */
    LabelledSet fit, score;
} ForgetGames;

struct ForgetStudy {
    const Gpt *before;
    size_t n_games;
    int layer;
    ForgetGames kinds[N_FORGET_KINDS];
    Probe probe;        /* of before */
    float *rows;        /* (n_positions, d) of before, old games to score */
    uint8_t *predicted; /* scratch: (positions of the larger kind, n_squares) */
};

/* Rows of the middle block; *rows is owned. */
static int rows_capture(float **rows, const ForgetStudy *study, const LabelledSet *set,
                        const Gpt *gpt, const Work *work)
{
    const SiteLayers where = {HOOK_RESID_POST, &study->layer, 1};
    *rows = mem_alloc(set->set.n_positions * (size_t)gpt->cfg.d_model, sizeof(float), "rows");
    return *rows ? activations_capture(rows, &set->set, gpt, &where, work) : OGPT_ENOMEM;
}

/* Fit a probe; owned: probe_release, after an error too. */
static int probe_of(Probe *probe, const ForgetStudy *study, const ForgetGames *games,
                    const Gpt *gpt, const Work *work)
{
    FitReport report;
    float *rows = NULL;
    *probe = (Probe){.site = HOOK_RESID_POST,
                     .size = games->fit.set.vocab->variant->size,
                     .n_squares = (int)games->fit.n_squares,
                     .d_model = gpt->cfg.d_model,
                     .n_classes = (int)games->fit.n_classes,
                     .n_layers = 1,
                     .layers = {study->layer}};
    int rc = probe_allocate(probe);
    rc = rc ? rc : rows_capture(&rows, study, &games->fit, gpt, work);
    if (rc == 0) {
        const FitProblem problem = {.x = rows,
                                    .labels = games->fit.labels,
                                    .n = games->fit.set.n_positions,
                                    .width = (size_t)probe->d_model,
                                    .n_squares = games->fit.n_squares,
                                    .n_classes = games->fit.n_classes,
                                    .l2 = FIT_L2,
                                    .tolerance = TOLERANCE};
        const FitWeights weights = {.weight = probe->weight[0], .bias = probe->bias[0]};
        rc = fit_probe(&weights, &report, "newton", &problem, work);
        probe->fitted[0] = true;
    }
    mem_free(rows);
    return rc;
}

int forget_study_new(ForgetStudy **out, const Gpt *before, const ForgetSources *sources,
                     size_t fit_games, size_t test_games, int plies, const Work *work)
{
    const Work quiet = work_quiet(work);
    const Task *task = task_find("mine");
    size_t most = 0;
    ForgetStudy *study = mem_calloc(1, sizeof(*study), "a study of forgetting");
    *out = study;
    if (!study) {
        return OGPT_ENOMEM;
    }
    study->before = before;
    study->layer = before->cfg.n_layers / 2;
    int rc = 0, parts = 2 * N_FORGET_KINDS + 2;
    for (int k = 0; rc == 0 && k < N_FORGET_KINDS; k++) {
        ForgetGames *games = &study->kinds[k];
        games->test = sources[k].test;
        rc = labelled_draw(&games->fit, sources[k].fit, task, LABELS_MOVER, fit_games, plies,
                           &quiet);
        work_tick(work, "parts", 2 * k + 1, parts);
        rc = rc ? rc
                : labelled_draw(&games->score, sources[k].test, task, LABELS_MOVER, test_games,
                                plies, &quiet);
        work_tick(work, "parts", 2 * k + 2, parts);
        size_t cells = rc ? 0 : games->score.set.n_positions * games->score.n_squares;
        size_t n = games->score.set.n_games; /* a corpus may have fewer */
        study->n_games = k == 0 || n < study->n_games ? n : study->n_games;
        most = cells > most ? cells : most;
    }
    study->predicted = rc ? NULL : mem_alloc(most, 1, "predicted squares");
    rc = rc || study->predicted ? rc : OGPT_ENOMEM;
    rc = rc ? rc : probe_of(&study->probe, study, &study->kinds[FORGET_OLD], before, &quiet);
    work_tick(work, "parts", parts - 1, parts);
    rc = rc ? rc
            : rows_capture(&study->rows, study, &study->kinds[FORGET_OLD].score, before, &quiet);
    work_tick(work, "parts", parts, parts);
    return rc;
}

void forget_study_free(ForgetStudy *study)
{
    for (int k = 0; study && k < N_FORGET_KINDS; k++) {
        labelled_release(&study->kinds[k].fit);
        labelled_release(&study->kinds[k].score);
    }
    if (study) {
        probe_release(&study->probe);
        mem_free(study->rows);
        mem_free(study->predicted);
        mem_free(study);
    }
}

size_t forget_numbers(const ForgetStudy *study)
{
    return (size_t)N_FORGET_KINDS * N_FORGET_MEASURES * study->n_games * 2;
}

/* (test games, 2) of one measure. */
static double *values_of(double *values, const ForgetStudy *study, int kind, int measure)
{
    return values + ((size_t)kind * N_FORGET_MEASURES + (size_t)measure) * study->n_games * 2;
}

static int play_measure(double *values, const ForgetStudy *study, int kind, const Gpt *gpt,
                        const Work *work)
{
    LegalityScore score = {0};
    int rc = legality_score(&score, gpt, study->kinds[kind].test, 0, study->n_games, work);
    for (size_t g = 0; rc == 0 && g < study->n_games; g++) {
        const LegalitySums *sums = &score.games[g];
        const double of[N_FORGET_PLAYED] = {[FORGET_LOSS] = sums->loss,
                                            [FORGET_EXCESS] = sums->loss - sums->floor,
                                            [FORGET_STRICT] = sums->strict_errors};
        for (int m = 0; m < N_FORGET_PLAYED; m++) {
            double *value = values_of(values, study, kind, m) + 2 * g;
            value[0] = of[m];
            value[1] = sums->positions;
        }
    }
    legality_release(&score);
    return rc;
}

/* Right cells and cells by game of a probe on rows of a kind. */
static int probe_score(double *values, const ForgetStudy *study, int kind, const Probe *probe,
                       const float *rows, const Work *work)
{
    const LabelledSet *set = &study->kinds[kind].score;
    GameSums sums = {0};
    int rc = predict_probe(study->predicted, probe, 0, rows, set->set.n_positions, work);
    rc = rc ? rc : game_sums_count(&sums, set, study->predicted);
    for (size_t g = 0; rc == 0 && g < study->n_games; g++) {
        values[2 * g] = sums.right[SCORE_CELLS][g];
        values[2 * g + 1] = sums.total[SCORE_CELLS][g];
    }
    game_sums_release(&sums);
    return rc;
}

static int probes_measure(double *values, const ForgetStudy *study, int kind, const Gpt *gpt,
                          const Work *work)
{
    const ForgetGames *games = &study->kinds[kind];
    Probe own;
    float *rows = NULL;
    int rc = probe_of(&own, study, games, gpt, work);
    rc = rc ? rc : rows_capture(&rows, study, &games->score, gpt, work);
    rc = rc ? rc
            : probe_score(values_of(values, study, kind, FORGET_PROBE_OWN), study, kind, &own, rows,
                          work);
    rc = rc ? rc
            : probe_score(values_of(values, study, kind, FORGET_PROBE_OLD), study, kind,
                          &study->probe, rows, work);
    rc = rc ? rc
            : probe_score(values_of(values, study, kind, FORGET_PROBE_BACK), study, FORGET_OLD,
                          &own, study->rows, work);
    mem_free(rows);
    probe_release(&own);
    return rc;
}

int forget_measure(double *values, const ForgetStudy *study, const Gpt *gpt, bool probes,
                   const Work *work)
{
    const Work quiet = work_quiet(work);
    int rc = 0;
    memset(values, 0, forget_numbers(study) * sizeof(*values));
    for (int k = 0; rc == 0 && k < N_FORGET_KINDS; k++) {
        rc = play_measure(values, study, k, gpt, &quiet);
        work_tick(work, "parts", 2 * k + 1, 2 * N_FORGET_KINDS);
        rc = rc || !probes ? rc : probes_measure(values, study, k, gpt, &quiet);
        work_tick(work, "parts", 2 * k + 2, 2 * N_FORGET_KINDS);
    }
    return rc;
}

int forget_line(double *loss, const ForgetStudy *study, const Gpt *gpt, const Work *work)
{
    const Work quiet = work_quiet(work);
    Gpt *between = NULL;
    int rc = gpt_new(&between, &study->before->cfg);
    for (int i = 0; rc == 0 && i < FORGET_LINE; i++) {
        LegalityScore score = {0};
        const double share = (double)i / (FORGET_LINE - 1);
        for (size_t p = 0; p < between->n_numbers; p++) {
            between->params[p] = (real)((1 - share) * (double)study->before->params[p] +
                                        share * (double)gpt->params[p]);
        }
        rc = legality_score(&score, between, study->kinds[FORGET_OLD].test, 0, study->n_games,
                            &quiet);
        loss[i] = rc ? 0 : score.total.loss / score.total.positions;
        legality_release(&score);
        work_tick(work, "networks", i + 1, FORGET_LINE);
    }
    gpt_free(between);
    return rc;
}
