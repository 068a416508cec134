/* report/runs/run_page.h - runs of results databases as one page to read, print and keep: what was
 * asked, with which command, program, machine, network and corpus; every table that was stored,
 * with intervals and controls; what words and numbers mean; the commands that repeat it.
 *
 * A RunPage is filled from top to bottom and rendered once. Tables are those of the commands, from
 * the rows of the database, through report/html.h. Runs that did not come to their end are shown as
 * such, without rows.
 */
#ifndef OGPT_REPORT_RUNS_RUN_PAGE_H
#define OGPT_REPORT_RUNS_RUN_PAGE_H

#include "report/html.h"
#include "report/report.h"
#include "report/runs/run_words.h"

#define RUN_PAGE_ROWS 64 /* of one table, unless told: the squares of a board, or all plies */

/* A row for each run of a page. */
extern const TableSpec run_page_runs;

typedef struct RunPage {
    size_t rows_max;     /* of one table; 0: all */
    const char *store;   /* path of the database of the runs that are added now; borrowed */
    Text store_words;    /* what a command is told to find that database: " --store FILE", or "" */
    Text body, contents; /* sections so far, and the list of them */
    Text commands;       /* that repeat it, one a line */
    RunWords words;
    Table runs; /* a row for each run */
    int n_parts, n_runs, n_tables, n_figures;
    bool in_part;
    Text programs, machines; /* what runs were made with, once each, one a line */
} RunPage;

void run_page_init(RunPage *out, size_t rows_max);
void run_page_release(RunPage *page);

/* The runs that follow belong together under this heading; without parts each run is a section. */
void run_page_part(RunPage *page, const char *heading);
/* A paragraph, and a table, of the part. */
void run_page_table(RunPage *page, const char *place, const Table *table);

/* One run as store_show returns it. summary: what its command does; tables: those of its command,
 * NULL-terminated. Either may be NULL: the program no longer has the command. result: its main
 * number for people, or NULL. */
typedef struct RunPageRun {
    const Js *run;
    const char *summary, *result;
    const TableSpec *const *tables;
} RunPageRun;
void run_page_run(RunPage *page, const RunPageRun *run);

/* All of it as the content of a page (html_page_begin). left_out: what a reader may miss here, or
 * NULL. Failed when out of memory. */
void run_page_render(Text *out, RunPage *page, const char *heading, const char *command_line,
                     const char *left_out);

/* What the page at `path` holds, as the result of a command. */
void run_page_tell(Report *report, const RunPage *page, const char *path, size_t n_bytes,
                   const char *left_out);

#endif
