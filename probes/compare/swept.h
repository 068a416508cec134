/* probes/compare/swept.h - what a sweep found about a probe: scores, where each layer and control
 * is right, and which of their differences are real. */
#ifndef OGPT_PROBES_COMPARE_SWEPT_H
#define OGPT_PROBES_COMPARE_SWEPT_H

#include "probes/board/sweep.h"
#include "probes/compare/paired.h"

#define DIFFERS_BELOW 0.05 /* a corrected p-value below this is called a difference */

/* Start from {0} with `work` set; swept_release frees it. */
typedef struct Swept {
    const Work *work;   /* borrowed: of the tests and breakdowns */
    SweepResult result; /* filled by the sweep */
    Readings readings;  /* of the test positions, kept by swept_scored */
    /* Made by swept_test. */
    PairedTest layer[LAYERS_MAX];   /* layer index i minus the best layer; NaN for the best */
    PairedTest control[N_CONTROLS]; /* the best layer minus the control; NaN without it, and for
                                     * one that did not train */
    PairedTest chance; /* shuffled minus the majority on its labels: above 0, something leaks */
} Swept;

/* What SweepObserver.scored has to do. */
int swept_scored(Swept *swept, int layer, int control, const LabelledSet *truth,
                 const uint8_t *predicted);
/* After the sweep: test accuracy. The layers against the best are corrected together, and so are
 * the controls (with shuffled minus majority). Returns 0 or OGPT_E*. */
int swept_test(Swept *swept);
void swept_release(Swept *swept);

/* The reading of the best layer; NULL before the sweep. */
const Reading *swept_best(const Swept *swept);
/* Whether the history MLP learned nothing: it reads less than the linear history, as which it
 * began, or less than the majority. To read more than such a control proves nothing. *than: the
 * control that it should have reached. False for every other control, and without the simpler one.
 */
bool swept_untrained(Control *than, const Swept *swept, Control control);
/* Whether the planted board was read as well as it can be, also at the low end of the interval. */
bool swept_planted(const Swept *swept);

#endif
