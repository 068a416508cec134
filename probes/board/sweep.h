/* probes/board/sweep.h - a probe at every layer, its scores, and its controls.
 *
 * Positions are drawn from three splits of one corpus: probes are fitted on training games, the
 * best layer (for controls that need one) is chosen on validation games, and every reported
 * score is of test games. A layer's probe depends on its own activations alone, whichever other
 * layers are asked for. The probe is published after each layer: the same call goes on after a
 * kill, fits no finished layer and reads no finished control again, and ends with the same bytes.
 */
#ifndef OGPT_PROBES_BOARD_SWEEP_H
#define OGPT_PROBES_BOARD_SWEEP_H

#include "datasets/corpus.h"
#include "probes/activations/subject.h"
#include "probes/board/controls.h"

struct SweepObserver;
#define SWEEP_MEMORY ((size_t)1 << 30)

typedef struct SweepOptions {
    const char *task;   /* TASK_NAMES */
    const char *labels; /* "mover" or "parity" */
    const char *solver; /* SOLVER_NAMES */
    HookSite site;
    int n_layers;           /* 0: LAYER_EMBED (site resid_post only) and all layers of the model */
    int layers[LAYERS_MAX]; /* ascending */
    size_t n_games;         /* for fitting */
    size_t n_test_games;    /* for the scores; half as many for validation */
    int plies;              /* drawn from each game; 0: all */
    const uint8_t *ends;    /* (n_ends, n_moves) NULL, or games whose last positions are scored in
                             * place of test games; borrowed */
    size_t n_ends;
    double l2;    /* FIT_L2_AUTO: chosen for each layer on validation games */
    int n_hidden; /* adamw: units of a hidden layer; 0: linear */
    int epochs;   /* adamw; 0: the recipe's own */
    bool check;   /* also run fit_check on every layer: newton against liblinear */
    bool controls;
    bool replace;                         /* sweep_fit: begin again, whatever probe is there */
    const struct SweepObserver *observer; /* NULL, or called with results on the way */
} SweepOptions;

/* 10,000 positions: enough for rows of 128 numbers, and as many as liblinear can hold. */
#define SWEEP_OPTIONS_DEFAULT                                                                      \
    ((SweepOptions){.task = "mine",                                                                \
                    .labels = "mover",                                                             \
                    .solver = "newton",                                                            \
                    .site = HOOK_RESID_POST,                                                       \
                    .n_games = 1250,                                                               \
                    .n_test_games = 1000,                                                          \
                    .plies = 8,                                                                    \
                    .l2 = FIT_L2,                                                                  \
                    .controls = true})
/* NULL if the options fit this model, else a one-line reason (static). */
const char *sweep_options_check(const SweepOptions *options, const GptConfig *cfg);

typedef struct LayerScore {
    int layer;
    ProbeScore test;
    double validation; /* cell accuracy */
    FitReport fit;     /* of the call that fitted the layer, perhaps an earlier one */
    double seconds;    /* of that fit; NaN if the file does not hold it (nor the counts) */
    bool has_check;
    FitCheck check;
} LayerScore;

typedef struct SweepResult {
    size_t n_train, n_validation, n_test;                   /* positions */
    size_t n_train_games, n_validation_games, n_test_games; /* perhaps fewer than asked */
    double flops; /* of everything that is still to be computed, roughly (fit_flops) */
    size_t bytes; /* most memory needed for activations, solver and tapes */
    int n_layers;
    LayerScore layers[LAYERS_MAX];
    int best; /* index of the layer with the highest validation accuracy, ties to the lowest */
    bool has_control[N_CONTROLS];
    ProbeScore control[N_CONTROLS];    /* random_model and shuffled: of layers[best].layer */
    FitReport control_fit[N_CONTROLS]; /* of all but majority */
    double control_seconds[N_CONTROLS];
} SweepResult;

typedef struct SweepObserver {
    void *context;
    /* Once, before anything large is allocated. */
    void (*start)(void *context, const SweepResult *so_far);
    /* After each layer (already on file), in order. */
    void (*layer)(void *context, const LayerScore *layer);
    /* Called with every reading of the test positions (n_positions, n_squares): by the probe of a
     * layer (control is -1), by a control, or by CONTROL_CHANCE. CONTROL_PLANTED has no positions
     * and is left out. `truth` holds the labels for which the reading was scored. Returns 0, or
     * OGPT_E*, which ends the sweep. */
    int (*scored)(void *context, int layer, int control, const LabelledSet *truth,
                  const uint8_t *predicted);
} SweepObserver;

/* Fit what is missing of the probe at `path` and score it. *probe is filled and owned by the
 * caller. The lock file PATH.lock is held during the sweep, and PATH.controls holds finished
 * controls until it ends. work: the pool, the
 * seed, memory_bytes for activations (0: SWEEP_MEMORY; layers are captured in groups that fit;
 * where one does not fit and newton fits it without controls, its rows lie in a spill,
 * base/spill/spill.h), tick("layers"), for each control tick("control NAME", controls done, all),
 * and tick("parts", share of the arithmetic of layers and controls that is done, in percent, 100).
 * Returns 0, OGPT_EUSAGE (bad options; `path` holds something else, or a probe with other options:
 * the difference is named), OGPT_ELOCKED (another process fits it), OGPT_EFORMAT, OGPT_EIO,
 * OGPT_ENUM, OGPT_EINTR (finished layers are on file), OGPT_ENOMEM. */
int sweep_fit(SweepResult *out, Probe *probe, const char *path, const Subject *subject,
              Corpus *corpus, const SweepOptions *options, const Work *work);
/* Score the finished probe that was read from `path`. Task, labels, site, layers, solver and l2
 * are the probe's own; games and plies those of the options. Errors as above; OGPT_EFORMAT for a
 * probe of another model. */
int sweep_score(SweepResult *out, const Probe *probe, const char *path, const Subject *subject,
                Corpus *corpus, const SweepOptions *options, const Work *work);

#endif
