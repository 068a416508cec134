/* probes/edits/edit_experiment.h - one method from tuning to verdict.
 *
 * Layers and scale that are not given are chosen on tuning cases (the row of lowest error of a
 * sweep), never on the reported ones. Then the reported cases are measured under every arm, and
 * once more with the edit in each single layer, by which nothing is chosen.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_EXPERIMENT_H
#define OGPT_PROBES_EDITS_EDIT_EXPERIMENT_H

#include "probes/edits/edit_measure.h"
#include "probes/edits/edit_sweep.h"

typedef struct ExperimentOptions {
    EditPlan base;                     /* layers and scale where they are not to be chosen */
    bool any_layers, any_scale;        /* to be chosen, and the features of method sae where the
                                        * base has none; tuning cases are then required */
    bool by_layer;                     /* also the edit in each single layer */
    const BoardDirections *directions; /* used by the plan: of a probe, class means, features */
    const GptConfig *cfg;
    /* Only the rule and the name ("add of file 0") of its scoring are used. The stages are
     * "tuning", "metrics" and "by layer". */
    EditMeasureOptions measure;
} ExperimentOptions;

typedef struct EditExperiment {
    EditPlan plan; /* as chosen */
    bool tuned;
    SweepRow *sweep; /* (n_sweep) every plan tried on the tuning cases; owned */
    size_t n_sweep;
    EditMetrics metrics;
    SweepRow by_layer[EDIT_MAX_LAYERS];
    size_t n_by_layer;
} EditExperiment;

/* Run it all. tuning NULL: nothing is to be chosen. Returns 0, OGPT_EUSAGE (a plan that cannot be
 * done), OGPT_EFORMAT (no layer to edit), OGPT_EINTR, OGPT_ENUM, OGPT_ENOMEM, or what the journal
 * returned. */
int experiment_run(EditExperiment *out, const EditPredictor *predictor, const CaseSet *cases,
                   const CaseSet *tuning, const ExperimentOptions *options, const Work *work);
void experiment_release(EditExperiment *experiment);

/* Floating-point operations of experiment_run, roughly: the moves of every case once a stage, then
 * a token for each plan and arm, and for the gradient method a descent at each. They reach
 * EXPERIMENT_SHARE_OF_SPEED of the speed of products, because few rows are multiplied at once. */
#define EXPERIMENT_SHARE_OF_SPEED 0.15
double experiment_flops(const CaseSet *cases, const CaseSet *tuning,
                        const ExperimentOptions *options);

#endif
