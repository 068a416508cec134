/* probes/edits/edit_experiment.c - one method from tuning to verdict. */
#include "probes/edits/edit_experiment.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

enum { STAGE_BYTES = 96 };

/* What every stage of one experiment is done with. */
typedef struct Lab {
    EditExperiment *out;
    const EditPredictor *predictor;
    const ExperimentOptions *options;
    EditSettings settings;
    char stage[STAGE_BYTES];
} Lab;

static void begin_stage(Lab *lab, const char *what)
{
    snprintf(lab->stage, sizeof(lab->stage), "%s: %s", lab->options->name, what);
    lab->settings.stage = lab->stage;
    if (lab->options->stage) {
        lab->options->stage(lab->settings.context, what);
    }
}

/* Sweep layers and scales over the tuning cases, keep every row, take the best. */
static int tune(Lab *lab, const CaseSet *tuning)
{
    const ExperimentOptions *options = lab->options;
    EditExperiment *out = lab->out;
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
    if (rc == 0) {
        begin_stage(lab, "tuning");
        rc = intervene_sweep(out->sweep, lab->predictor, tuning, plans, n, &lab->settings);
    }
    if (rc == 0) {
        out->n_sweep = n;
        out->plan = out->sweep[sweep_best(out->sweep, n)].plan;
        out->tuned = true;
    }
    mem_free(plans);
    return rc;
}

/* The verdict, from what was measured; the network is asked again for the control of a descent
 * only. */
static int score_cases(Lab *lab, const CaseSet *cases)
{
    EditExperiment *out = lab->out;
    CaseScore *known = mem_alloc(cases->n, sizeof(*known), "scores of the cases");
    int rc = known ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < cases->n && rc == 0; i++) {
        known[i] = edit_metrics_case_score(&out->metrics.cases[i]);
    }
    if (rc == 0 && out->plan.method == METHOD_GRADIENT) {
        begin_stage(lab, "cases");
    }
    rc = rc ? rc
            : intervene_complete(&out->report, lab->predictor, cases, &out->plan, known,
                                 &lab->settings);
    mem_free(known);
    return rc;
}

/* The same edit in each single layer: where in the network the board can be changed. */
static int score_layers(Lab *lab, const CaseSet *cases)
{
    uint64_t possible = edit_layers_possible(lab->options->directions, lab->options->cfg);
    EditPlan plans[EDIT_MAX_LAYERS];
    size_t n = 0;
    int rc;
    for (int l = 0; l < EDIT_MAX_LAYERS; l++) {
        if (possible >> l & 1) {
            plans[n] = lab->out->plan;
            plans[n++].layers = 1ULL << l;
        }
    }
    begin_stage(lab, "by layer");
    rc = intervene_sweep(lab->out->by_layer, lab->predictor, cases, plans, n, &lab->settings);
    lab->out->n_by_layer = rc == 0 ? n : 0;
    return rc;
}

int experiment_run(EditExperiment *out, const EditPredictor *predictor, const CaseSet *cases,
                   const CaseSet *tuning, const ExperimentOptions *options,
                   const EditSettings *settings)
{
    Lab lab = {.out = out, .predictor = predictor, .options = options, .settings = *settings};
    int rc = 0;
    memset(out, 0, sizeof(*out));
    out->plan = options->base;
    if (options->any_layers || options->any_scale) {
        rc = tune(&lab, tuning);
    }
    rc = rc ? rc : edit_plan_check(&out->plan, options->directions, options->cfg);
    if (rc == 0) {
        begin_stage(&lab, "metrics");
        rc = edit_metrics_score(&out->metrics, predictor, cases, &out->plan, &options->metrics,
                                &lab.settings);
    }
    rc = rc ? rc : score_cases(&lab, cases);
    if (rc == 0 && options->by_layer) {
        rc = score_layers(&lab, cases);
    }
    if (rc != 0) {
        experiment_release(out);
    }
    return rc;
}

void experiment_release(EditExperiment *experiment)
{
    mem_free(experiment->sweep);
    intervene_release(&experiment->report);
    edit_metrics_release(&experiment->metrics);
    memset(experiment, 0, sizeof(*experiment));
}
