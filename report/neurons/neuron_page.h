/* report/neurons/neuron_page.h - one neuron: its rule, its positions and its weights as tables and
 * boards. */
#ifndef OGPT_REPORT_NEURONS_NEURON_PAGE_H
#define OGPT_REPORT_NEURONS_NEURON_PAGE_H

#include "probes/neurons/neuron_look.h"
#include "probes/neurons/neuron_use.h"
#include "report/report.h"

/* Not stored: they are of one neuron that was named. */
extern const TableSpec neuron_look_table, neuron_leaves_table, neuron_sights_table,
    neuron_weights_table;

/* What there is to report; all borrowed. */
typedef struct NeuronPage {
    const NeuronLook *look;
    const GameVariant *variant;
    const NeuronUse *use;                    /* n = 0: not asked for */
    size_t n_neurons;                        /* of a layer */
    const char *source, *model_hash, *probe; /* probe: its path, or NULL */
    int top;                                 /* positions whose boards are drawn */
    TextStyle style;
} NeuronPage;

void neurons_page_report(Report *report, const NeuronPage *page);

#endif
