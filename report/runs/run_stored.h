/* report/runs/run_stored.h - the tables of a stored run again, from the rows of the database. */
#ifndef OGPT_REPORT_RUNS_RUN_STORED_H
#define OGPT_REPORT_RUNS_RUN_STORED_H

#include "report/table.h"

#define RUN_STORED_MAX 32

/* A table for each spec (NULL-terminated, those of the run's command) of whose kind the run has
 * rows. `results`: of store_show, borrowed. Columns that are not stored are absent. Returns their
 * number; each is the caller's (table_release). */
size_t run_stored_tables(Table out[RUN_STORED_MAX], const TableSpec *const *specs,
                         const Js *results);

#endif
