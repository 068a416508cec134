/* probes/edits/edit_experiment.c - one method from tuning to verdict. */
#include "probes/edits/edit_experiment.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* What every stage of one experiment works with. */
typedef struct Lab {
    EditExperiment *out;
    const EditPredictor *predictor;
    const ExperimentOptions *options;
    const Work *work;
} Lab;

static bool chooses(const ExperimentOptions *options)
{
    return options->any_layers || options->any_scale || edit_plan_lacks_features(&options->base);
}

static EditScoring stage(const Lab *lab, const char *what)
{
    EditScoring scoring = lab->options->measure.scoring;
    scoring.stage = what;
    return scoring;
}

/* Sweep layers and scales over the tuning cases, keep every row, take the best. */
static int tune(const Lab *lab, const CaseSet *tuning)
{
    const ExperimentOptions *options = lab->options;
    EditExperiment *out = lab->out;
    EditScoring scoring = stage(lab, "tuning");
    EditPlan *plans = NULL;
    size_t n = 0;
    int rc = edit_plans_to_try(&plans, &n, &options->base, options->any_layers, options->any_scale,
                               edit_layers_possible(options->directions, options->cfg));
    if (rc == 0 && n == 0) {
        rc = err_set(OGPT_EFORMAT, "the probe has no fitted layer that could be edited");
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = edit_plan_check(&plans[i], options->directions, options->cfg);
    }
    if (rc == 0) {
        out->sweep = mem_calloc(n, sizeof(*out->sweep), "sweep over layers and scales");
        rc = out->sweep ? 0 : OGPT_ENOMEM;
    }
    rc = rc ? rc : edit_sweep(out->sweep, lab->predictor, tuning, plans, n, &scoring, lab->work);
    if (rc == 0) {
        out->n_sweep = n;
        out->plan = out->sweep[sweep_best(out->sweep, n)].plan;
        out->tuned = true;
    }
    mem_free(plans);
    return rc;
}

static int measure_cases(const Lab *lab, const CaseSet *cases)
{
    EditMeasureOptions options = lab->options->measure;
    options.scoring = stage(lab, "metrics");
    return edit_measure(&lab->out->metrics, lab->predictor, cases, &lab->out->plan, &options,
                        lab->work);
}

/* The same edit in each single layer: where in the network the board can be changed. */
static int sweep_layers(const Lab *lab, const CaseSet *cases)
{
    uint64_t possible = edit_layers_possible(lab->options->directions, lab->options->cfg);
    EditScoring scoring = stage(lab, "by layer");
    EditPlan plans[EDIT_MAX_LAYERS];
    size_t n = 0;
    for (int l = 0; l < EDIT_MAX_LAYERS; l++) {
        if (possible >> l & 1) {
            plans[n] = lab->out->plan;
            plans[n++].layers = 1ULL << l;
        }
    }
    int rc = edit_sweep(lab->out->by_layer, lab->predictor, cases, plans, n, &scoring, lab->work);
    lab->out->n_by_layer = rc == 0 ? n : 0;
    return rc;
}

int experiment_run(EditExperiment *out, const EditPredictor *predictor, const CaseSet *cases,
                   const CaseSet *tuning, const ExperimentOptions *options, const Work *work)
{
    Lab lab = {.out = out, .predictor = predictor, .options = options, .work = work};
    int rc = 0;
    memset(out, 0, sizeof(*out));
    out->plan = options->base;
    if (chooses(options)) {
        rc = tune(&lab, tuning);
    }
    rc = rc ? rc : edit_plan_check(&out->plan, options->directions, options->cfg);
    rc = rc ? rc : measure_cases(&lab, cases);
    if (rc == 0 && options->by_layer) {
        rc = sweep_layers(&lab, cases);
    }
    if (rc != 0) {
        experiment_release(out);
    }
    return rc;
}

/* One stage: the moves of its cases, and for each case so many edits. */
static double stage_flops(const CaseSet *set, double token, double edits, double each)
{
    double flops = 0;
    for (size_t i = 0; i < set->n; i++) {
        flops += set->cases[i].n_moves * token + edits * each;
    }
    return flops;
}

double experiment_flops(const CaseSet *cases, const CaseSet *tuning,
                        const ExperimentOptions *options)
{
    EditPlan *plans = NULL;
    const EditPlan *base = &options->base;
    const GptConfig *cfg = options->cfg;
    size_t n_tried = 0;
    uint64_t possible = edit_layers_possible(options->directions, cfg);
    double n_layers = __builtin_popcountll(possible);
    double edited = base->layers ? __builtin_popcountll(base->layers & possible) : n_layers / 2;
    double token = gpt_config_flops(cfg) / 3; /* training: forward, and twice that back */
    /* A step of the descent: scores of the probe, and their gradient. */
    double step = 4.0 * cfg->d_model * cases->variant->size * cases->variant->size * 3;
    double descent = base->method == METHOD_GRADIENT ? base->steps * step : 0;
    double each = token + edited * descent, played = options->measure.play_on ? 2 * token : 0;
    double flops = stage_flops(cases, token, N_ARMS, each + played);
    if (tuning && chooses(options) &&
        edit_plans_to_try(&plans, &n_tried, base, options->any_layers, options->any_scale,
                          possible) == 0) {
        flops += stage_flops(tuning, token, (double)n_tried, each);
    }
    flops += options->by_layer ? stage_flops(cases, token, n_layers, token + descent) : 0;
    mem_free(plans);
    return flops;
}

void experiment_release(EditExperiment *experiment)
{
    mem_free(experiment->sweep);
    edit_metrics_release(&experiment->metrics);
    memset(experiment, 0, sizeof(*experiment));
}
