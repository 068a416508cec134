/* probes/edits/edit_measure.h - measuring an edit: every metric under every arm, over many cases.
 *
 * The network is asked once for each arm (probes/edits/arms.h), and every metric
 * (probes/edits/edit_metrics.h) is read from that answer. A metric is a ratio of sums over the
 * cases, with a bootstrap interval over cases; differences of two arms are paired. A metric that no
 * case contributes to is NaN. From the errors:
 *   closed, of an arm   (null - arm) / (null - self): 1 is a perfect edit for this predictor
 *   removed, of an arm  (null - arm) / null: what it takes off where null and self do not differ
 *   closed, repaired    (repair - edit) / (repair - drift of repair): the same where both boards
 *                       are descended to, so that mending counts for neither side
 */
#ifndef OGPT_PROBES_EDITS_EDIT_MEASURE_H
#define OGPT_PROBES_EDITS_EDIT_MEASURE_H

#include "base/spill/spill.h"
#include "base/work.h"
#include "num/statistics/stats.h"
#include "probes/edits/edit_metrics.h"

/* Crosstalk in one layer of the reading probe. */
typedef struct LayerCrosstalk {
    int layer;
    Interval others[N_ARMS]; /* squares a case */
    Interval turned[N_ARMS]; /* share of the edited squares */
} LayerCrosstalk;

typedef struct EditMetrics {
    size_t n;
    Spill *cases;      /* the metrics of each, in the order of the set: edit_metrics_case; owned */
    size_t case_bytes; /* of one: CaseMetrics, then what is read in each layer */
    Interval value[N_ARMS][N_EDIT_METRICS];
    /* Over the cases, of a metric that every case contributes to once; NaN if one does not. */
    double mean[N_ARMS][N_EDIT_METRICS];
    /* Paired: the arm edit minus null, minus random, minus probe. */
    Interval edit_less_null[N_EDIT_METRICS], edit_less_random[N_EDIT_METRICS];
    Interval edit_less_probe[N_EDIT_METRICS];
    Interval gain;                            /* error of null minus that of edit, paired */
    Interval closed[N_ARMS], removed[N_ARMS]; /* arms that change a pass; NaN for the others */
    Interval closed_repaired;
    int n_layers; /* layers that are read after the first edit */
    LayerCrosstalk layers[LAYERS_MAX];
} EditMetrics;

typedef struct EditMeasureOptions {
    EditScoring scoring;
    const Probe *reader; /* answers EditQuery.classes; NULL: no crosstalk */
    bool play_on;        /* needs predictor->append */
    int n_ctx;           /* most moves that the predictor reads; used by play-on */
} EditMeasureOptions;

/* Measure every case under every arm. The same numbers for any number of workers. The seed of the
 * work is that of the bootstrap. Memory: 8 bytes a case, and 144 while the intervals are made; what
 * is measured of a case lies in a spill (base/spill/spill.h), about 4 KB each. Returns 0,
 * OGPT_EUSAGE (play-on asked of a predictor that cannot), OGPT_EFORMAT (a predictor of another
 * board), OGPT_EINTR, OGPT_ENUM, OGPT_EIO, OGPT_ENOMEM, or what the journal returned. */
int edit_measure(EditMetrics *out, const EditPredictor *predictor, const CaseSet *set,
                 const EditPlan *plan, const EditMeasureOptions *options, const Work *work);
void edit_metrics_release(EditMetrics *metrics);

/* The metrics of case i. Returns 0 or OGPT_EIO. */
int edit_metrics_case(CaseMetrics *out, const EditMetrics *metrics, size_t i);
/* Whether neither the random direction nor the wrong square closes a share of null - self: both
 * intervals reach down to 0. */
bool edit_controls_close_nothing(const EditMetrics *metrics);

#endif
