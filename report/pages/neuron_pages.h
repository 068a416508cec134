/* report/pages/neuron_pages.h - a page for each neuron of the MLPs: what it stands for, the
 * positions that move it, and its weights as boards. */
#ifndef OGPT_REPORT_PAGES_NEURON_PAGES_H
#define OGPT_REPORT_PAGES_NEURON_PAGES_H

#include "probes/neurons/neuron_study.h"
#include "report/pages/page_set.h"

/* The folder about->path. report: that neurons_report filled; it is told what became of the folder.
 * study: that neuron_study_run has filled; its neurons are looked at layer by layer, in
 * neuron_looker_bytes of memory beyond it. probe: as in neuron_looker_open. work: pool, seed,
 * tick("pages"). Any number of workers gives the same bytes. Returns 0, OGPT_EUSAGE
 * (page_set_check), OGPT_EIO, or as neuron_looks_make. */
int neuron_pages_write(Report *report, const PageSetAbout *about, const NeuronStudy *study,
                       const Gpt *gpt, const Probe *probe, const Work *work);

#endif
