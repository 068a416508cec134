/* report/world/forget_result.h - what a network forgot, as tables. */
#ifndef OGPT_REPORT_WORLD_FORGET_RESULT_H
#define OGPT_REPORT_WORLD_FORGET_RESULT_H

#include "probes/forgetting/forget_find.h"
#include "report/report.h"

extern const TableSpec forget_table, forget_networks_table, forget_points_table, forget_line_table;

/* All borrowed. */
typedef struct ForgetReport {
    const char *source, *model_hash, *rules;
    const char *other;  /* rules of the new games */
    const char *corpus; /* they are from, or NULL: random */
    bool random;        /* the new games: without it they have no floor */
    size_t games, test_games, fit_games;
    double within;
    ForgetScore scores[N_FORGET_NETWORKS][N_FORGET_KINDS];
    double lines[N_FORGET_NETWORKS][FORGET_LINE];
    size_t n_points;
    const int64_t *point_games;            /* (n_points) */
    ForgetScore (*points)[N_FORGET_KINDS]; /* (n_points) of `back` */
} ForgetReport;
void world_report_forget(Report *report, const ForgetReport *what);

#endif
