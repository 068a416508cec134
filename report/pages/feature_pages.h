/* report/pages/feature_pages.h - a page for each feature of a dictionary: what it stands for, the
 * positions that move it, its column as boards, and what clamping it does. */
#ifndef OGPT_REPORT_PAGES_FEATURE_PAGES_H
#define OGPT_REPORT_PAGES_FEATURE_PAGES_H

#include "base/work.h"
#include "report/dictionaries/features_result.h"
#include "report/pages/page_set.h"

/* The folder about->path: a page for each of findings->looks. report: that
 * dictionaries_features_report filled; it is told what became of the folder. work: tick("pages").
 * Returns 0, OGPT_EUSAGE (page_set_check), OGPT_EIO, OGPT_EINTR, OGPT_ENOMEM. */
int feature_pages_write(Report *report, const PageSetAbout *about, const FeaturesFindings *findings,
                        const Work *work);

#endif
