/* report/runs/run_links.h - which runs of a results database belong together. */
#ifndef OGPT_REPORT_RUNS_RUN_LINKS_H
#define OGPT_REPORT_RUNS_RUN_LINKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/js.h"
#include "base/text.h"

/* Give a run as store_about returns it its "links", an array of texts: its subject, the hashes of
 * its rows, its arguments, and the options that name files. Takes over `file_options`, their names.
 */
void run_links_set(Js *run, Js *file_options);
/* The numbers of some of such runs (an array, newest first), as an owned array in the order in
 * which they were made: all, or those that are linked to the newest run with the text `about`, or,
 * with NULL, to the newest about an artefact (it has "hashes"), else to the newest. Runs with a
 * text in common are linked, also through others. A command line that was typed more than once
 * counts once, by its last run that came to its end, or the last. left_out: adds a sentence on the
 * others. */
int run_links_choose(Js **out, Text *left_out, const Js *runs, bool all, const char *about);
/* Whether a run came to its end, so that its rows are results. */
bool run_links_finished(const Js *run);

#endif
