/* report/neurons/neurons_result.h - what the neurons of a network stand for, as tables. */
#ifndef OGPT_REPORT_NEURONS_NEURONS_RESULT_H
#define OGPT_REPORT_NEURONS_NEURONS_RESULT_H

#include "probes/neurons/neuron_study.h"
#include "report/report.h"

extern const TableSpec neurons_table, neurons_layers_table, neurons_cover_table, neurons_list_table,
    neurons_top_table, neurons_flanks_table;

/* What there is to report; all borrowed. */
typedef struct NeuronsFindings {
    const NeuronStudy *study;
    const char *source, *model_hash;
    int top; /* rows of a list that text shows */
} NeuronsFindings;

void neurons_report(Report *report, const NeuronsFindings *findings);

#define NEURONS_NAME_MAX 32
/* "L5N123". */
void neurons_name(char out[NEURONS_NAME_MAX], int layer, int neuron);
/* The neuron of such a name. Returns 0 or OGPT_EUSAGE, naming `option`. */
int neurons_parse(int *layer, int *neuron, const GptConfig *cfg, const char *text,
                  const char *option);

#endif
