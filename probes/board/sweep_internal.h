/* probes/board/sweep_internal.h - a running sweep, shared by its files: sweep.c (layers),
 * sweep_controls.c (controls) and sweep_resume.c (the probe that is on file already). */
#ifndef OGPT_PROBES_BOARD_SWEEP_INTERNAL_H
#define OGPT_PROBES_BOARD_SWEEP_INTERNAL_H

#include "base/spill/spill.h"
#include "probes/board/sweep.h"

enum { TRAIN, VALIDATION, TEST, N_SPLITS };

typedef struct Sweep {
    SweepResult *out;
    Probe *probe;
    const char *path; /* NULL: score only, publish nothing */
    const Subject *subject;
    const SweepOptions *options;
    const Task *task;
    LabelConvention convention;
    const Work *work; /* as given: ticks count layers and controls of the whole sweep */
    Work quiet;       /* without the listener, for everything inside */
    LabelledSet sets[N_SPLITS];
    uint8_t *predicted;   /* of the larger set of validation and test */
    double control_start; /* on the clock */
    /* Arithmetic: of one capture of all games, one layer's fit, each control; done and in all. */
    double capture_flops, layer_flops, control_flops[N_CONTROLS], done_flops, total_flops;
    bool recalled; /* `predicted` is what this control read before an interruption */
    bool dealing;  /* a control is only fitted and read: all ranks score and show it later */
    uint8_t *dealt[N_CONTROLS]; /* what the ranks' controls read; NULL: not dealt */
    /* Activations of the layer indices first .. first+n-1 are in rows[split][index - first]. */
    int group_size, first, n;
    float *rows[N_SPLITS][LAYERS_MAX];
    Spill *spilled; /* the training rows, if they do not fit: then the group is one layer */
} Sweep;

/* Capture the group of layers that begins at index `first`, for all splits, unless the group in
 * memory already holds that layer. sweep__rows: the rows of one split and layer index of the group.
 */
int sweep__hold(Sweep *sweep, int first);
const float *sweep__rows(const Sweep *sweep, int split, int index);
/* Score layer `index` of a probe (the sweep's or a control's) on rows x of a split. */
int sweep__score(ProbeScore *out, Sweep *sweep, const Probe *probe, int index, int split,
                 const float *x);
/* Hand the observer the reading of a control (sweep->predicted) and the labels for which it was
 * scored. */
int sweep__show_scored(Sweep *sweep, int control, const LabelledSet *truth);
/* The problem of fitting the probe's settings to training rows x (width numbers each) with these
 * labels. valid_x holds the rows of the validation split. */
FitProblem sweep__problem(const Sweep *sweep, const float *x, const float *valid_x, size_t width,
                          const uint8_t *labels);
/* Bytes of the rows and the fit of the largest control; fills control_flops. */
size_t sweep__controls_bytes(Sweep *sweep);
/* Count arithmetic as done, and tell the listener. */
void sweep__advance(Sweep *sweep, double flops);

int sweep__controls(Sweep *sweep);

/* Ranks (sweep_ranks.c): the layers that the first has on file, to all; then each rank fits one of
 * the next missing layers of the group in memory, from `index` on, and all have all of them; then
 * each rank fits some of the controls, whose functions these are. */
typedef int (*SweepControl)(Sweep *sweep);
int sweep__share_probe(Probe *probe);
int sweep__fit_round(Sweep *sweep, int index);
int sweep__deal_controls(Sweep *sweep, const SweepControl controls[N_CONTROLS]);
/* Fit a layer, and publish nothing. */
int sweep__fit_layer(Sweep *sweep, int index);

/* Finished controls, kept in PATH.controls until the sweep ends. Nothing is kept without a path.
 * recall: sweep->predicted, control_fit and control_seconds as they were, if the same control was
 * kept with the same settings; keep: the opposite; forget: remove all of them. Errors: OGPT_EIO,
 * OGPT_ENOMEM, OGPT_EFORMAT. */
int sweep__recall(bool *found, Sweep *sweep, Control control);
int sweep__recall_file(bool *found, Sweep *sweep, Control control); /* on the first rank alone */
int sweep__keep(const Sweep *sweep, Control control);
int sweep__forget(const Sweep *sweep);

/* Take the probe that is on file, or an empty one. Returns OGPT_EUSAGE, naming the first setting
 * that differs, if the probe on file was made with others. */
int sweep__take_probe(Sweep *sweep, Corpus *corpus);

#endif
