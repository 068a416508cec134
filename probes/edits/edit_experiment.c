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
    if (options->any_layers || options->any_scale) {
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

void experiment_release(EditExperiment *experiment)
{
    mem_free(experiment->sweep);
    edit_metrics_release(&experiment->metrics);
    memset(experiment, 0, sizeof(*experiment));
}
