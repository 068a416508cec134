/* probes/edits/edit_sweep.h - many plans tried on the same cases: what tuning and the table of
 * single layers are made of. */
#ifndef OGPT_PROBES_EDITS_EDIT_SWEEP_H
#define OGPT_PROBES_EDITS_EDIT_SWEEP_H

#include "base/work.h"
#include "probes/edits/edit_predictor.h"

/* One tried plan: means over the cases. */
typedef struct SweepRow {
    EditPlan plan;
    double error, f1, kl;
    double closed; /* (null - edit) / (null - self) */
} SweepRow;

/* Edit each case by each plan. rows (n_plans) is the caller's. The same numbers for any number of
 * workers. Returns 0, OGPT_EFORMAT (a predictor of another board), OGPT_EINTR, OGPT_ENUM,
 * OGPT_ENOMEM, or what the journal returned. */
int edit_sweep(SweepRow *rows, const EditPredictor *predictor, const CaseSet *set,
               const EditPlan *plans, size_t n_plans, const EditScoring *scoring, const Work *work);
/* Index of the row of lowest error, ties to the first. */
size_t sweep_best(const SweepRow *rows, size_t n);

#endif
