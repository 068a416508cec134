/* report/pages/head_pages.h - a page for each attention head: what the tables of `ogpt heads` say
 * of it, and its circuits as boards. */
#ifndef OGPT_REPORT_PAGES_HEAD_PAGES_H
#define OGPT_REPORT_PAGES_HEAD_PAGES_H

#include "base/work.h"
#include "probes/activations/subject.h"
#include "probes/board/probe.h"
#include "report/pages/page_set.h"
#include "report/report.h"

/* The folder about->path. report: that heads_report filled; it is told what became of the folder.
 * probe: as in head_circuits_run, or NULL. work: tick("pages"). Returns 0, OGPT_EUSAGE
 * (page_set_check), OGPT_EIO, OGPT_EINTR, OGPT_ENOMEM. */
int head_pages_write(Report *report, const PageSetAbout *about, const Subject *subject,
                     const Probe *probe, const Work *work);

#endif
