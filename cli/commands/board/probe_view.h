/* cli/commands/board/probe_view.h - what is told of a probe beside its table of layers: where it is
 * right, which differences between layers and controls are real, and how that looks. */
#ifndef OGPT_CLI_COMMANDS_BOARD_PROBE_VIEW_H
#define OGPT_CLI_COMMANDS_BOARD_PROBE_VIEW_H

#include "cli/command.h"
#include "probes/compare/paired.h"
#include "probes/board/sweep.h"

#define DIFFERS_BELOW 0.05 /* a corrected p-value below this is called a difference */

typedef struct ProbeView {
    Work work;
    Readings readings; /* of the test positions, as they are scored */
    const Probe *probe;
    const SweepResult *result;
    PairedTest layer[LAYERS_MAX];   /* layer index i less the best layer; NaN for itself */
    PairedTest control[N_CONTROLS]; /* the best layer less the control */
    PairedTest chance; /* shuffled less the majority on its labels: above 0 something leaks */
} ProbeView;

/* SweepObserver.scored with the view behind it. */
int probe_view_scored(ProbeView *view, int layer, int control, const LabelledSet *truth,
                      const uint8_t *predicted);
/* After the sweep: set probe and result, make the tests of cell accuracy. Layers against the best
 * are corrected together, and so are the controls
 * (shuffled less majority among them). Returns 0 or OGPT_E*. */
int probe_view_finish(ProbeView *view, const Probe *probe, const SweepResult *result);
void probe_view_release(ProbeView *view);

/* Behind a layer's name: '*' the best, '=' not told apart from the best, else blank. */
char probe_view_mark(const ProbeView *view, int index);
/* What the marks mean: one or two lines. */
void probe_view_legend(Text *text);
/* An estimate with its test: accuracy, interval and what controls it beats by. */
void probe_view_controls(Text *text, const ProbeView *view);
/* Accuracy by layer as bars, by square as a heat map of the best layer. */
void probe_view_heat(Text *text, const ProbeView *view, bool colour);

/* Rows for the store: kinds probe_breakdown (all readings) and probe_tests. */
Js *probe_view_rows(const ProbeView *view);
Js *probe_view_tests(const ProbeView *view);
/* Members by_class, by_square, by_ply, by_age, by_passes (of the best layer) and tests. */
void probe_view_json(Js *document, const ProbeView *view);

/* "embed" or "layer 5". */
void probe_layer_name(char out[16], int layer);
/* A test as members of an object: difference with its interval, p, p_holm, differs. */
void probe_test_json(Js *object, const PairedTest *test);
/* F1 with its interval, and a list of the classes' precision, recall and F1. */
void probe_class_json(Js *object, const ProbeScore *score, const Probe *probe);

#endif
