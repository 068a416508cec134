/* probes/edits/edit_experiment.h - one method from tuning to verdict.
 *
 * Layers and scale that are not given are chosen on tuning cases (the row of lowest error of a
 * sweep), never on the reported ones; then the reported cases are scored with every control,
 * measured, and once more with the edit in each single layer, by which nothing is chosen.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_EXPERIMENT_H
#define OGPT_PROBES_EDITS_EDIT_EXPERIMENT_H

#include "probes/edits/edit_metrics.h"

typedef struct ExperimentOptions {
    EditPlan base;              /* layers and scale where they are not to be chosen */
    bool any_layers, any_scale; /* to be chosen; need tuning cases */
    bool by_layer;              /* also the edit in each single layer */
    const Probe *directions;    /* what the plan's directions come from: a probe, or means */
    const GptConfig *cfg;
    EditMetricsOptions metrics;
    const char *name; /* before the stages in the journal: "add of cases.csv"; below 64 bytes */
    /* Called before each stage ("tuning", "metrics", of a descent "cases", "by layer") with the
     * context of the settings; may be NULL. */
    void (*stage)(void *context, const char *what);
} ExperimentOptions;

typedef struct EditExperiment {
    EditPlan plan; /* as chosen */
    bool tuned;
    SweepRow *sweep; /* (n_sweep) every plan tried on the tuning cases; owned */
    size_t n_sweep;
    EditReport report;
    EditMetrics metrics;
    SweepRow by_layer[EDIT_MAX_LAYERS];
    size_t n_by_layer;
} EditExperiment;

/* Run it all. tuning NULL: nothing is to be chosen. Returns 0, OGPT_EUSAGE (a plan that cannot be
 * done), OGPT_EFORMAT (no layer to edit), OGPT_EINTR, OGPT_ENUM, OGPT_ENOMEM, or what the journal
 * returned. */
int experiment_run(EditExperiment *out, const EditPredictor *predictor, const CaseSet *cases,
                   const CaseSet *tuning, const ExperimentOptions *options,
                   const EditSettings *settings);
void experiment_release(EditExperiment *experiment);

#endif
