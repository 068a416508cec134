/* probes/board/sweep_internal.h - one sweep in flight, shared by its three files: sweep.c (layers),
 * sweep_controls.c (controls) and sweep_resume.c (what is on file already). */
#ifndef OGPT_PROBES_BOARD_SWEEP_INTERNAL_H
#define OGPT_PROBES_BOARD_SWEEP_INTERNAL_H

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
    const Work *work; /* as given: what it is told is of the sweep as a whole */
    Work quiet;       /* the same without its listener, for everything inside */
    LabelledSet sets[N_SPLITS];
    uint8_t *predicted; /* of the largest set */
    /* Activations of layer indices first .. first+n-1: rows[split][index - first]. */
    int group_size, first, n;
    float *rows[N_SPLITS][LAYERS_MAX];
} Sweep;

/* Activations of all splits for the group of layers that begins at index `first`, unless the
 * group in memory already holds that layer; and those of one split and layer index in it. */
int sweep__hold(Sweep *sweep, int first);
const float *sweep__rows(const Sweep *sweep, int split, int index);
/* Score layer `index` of a probe (the sweep's or a control's) on rows x of a split. */
int sweep__score(ProbeScore *out, Sweep *sweep, const Probe *probe, int index, int split,
                 const float *x);
/* Hand the observer what a control read of the test positions, in sweep->predicted, and the labels
 * that it was scored on. */
int sweep__show_scored(Sweep *sweep, int control, const LabelledSet *truth);
/* The fit of training rows x (width numbers each) with these labels, as the probe was asked for;
 * valid_x are the rows of the validation split. */
FitProblem sweep__problem(const Sweep *sweep, const float *x, const float *valid_x, size_t width,
                          const uint8_t *labels);
/* Bytes of the largest control, its rows and its fit. */
size_t sweep__controls_bytes(const Sweep *sweep);

int sweep__controls(Sweep *sweep);

/* The probe to be finished: the one on file when there is one (OGPT_EUSAGE naming the first
 * setting that differs), else an empty one. */
int sweep__take_probe(Sweep *sweep, Corpus *corpus);

#endif
