/* report/world/world_result.h - tests of a world model by behaviour, as tables: a row a player. */
#ifndef OGPT_REPORT_WORLD_WORLD_RESULT_H
#define OGPT_REPORT_WORLD_WORLD_RESULT_H

#include "probes/world/adversary.h"
#include "probes/world/bias.h"
#include "probes/world/detour.h"
#include "probes/world/states.h"
#include "probes/world/transposition.h"
#include "report/report.h"

extern const TableSpec world_table, world_transposition_table, world_detour_table,
    world_detour_shares_table, world_adversary_table, world_adversary_goals_table,
    world_compression_table, world_distinction_table, world_distinction_scores_table,
    world_bias_table;

/* What every test reports first; all borrowed. */
typedef struct WorldFindings {
    const char *test;    /* "transposition" */
    const char *meaning; /* of its score, in a line */
    size_t units;        /* games, pairs or states */
    const char *model_hash;
    Interval score[N_PLAYER_KINDS];  /* of the test */
    Interval strict[N_PLAYER_KINDS]; /* strict error on random games */
} WorldFindings;

/* The score of the network, and those of its controls. Each test's report begins with it. */
void world_report_score(Report *report, const WorldFindings *findings);
/* scores (N_PLAYER_KINDS); sets findings->score, as all that follow. */
void world_report_transposition(Report *report, WorldFindings *findings,
                                const TranspositionScore *scores);
/* scores (N_PLAYER_KINDS, N_DETOUR_KINDS * N_DETOUR_SHARES) */
void world_report_detours(Report *report, WorldFindings *findings, const DetourScore *scores);

/* One opponent of one player. */
typedef struct AdversaryRow {
    PlayerKind player;
    const int *layer; /* where the probe reads that GOAL_MISREAD plays for; else NULL */
    AdversaryScore score;
} AdversaryRow;
void world_report_adversary(Report *report, WorldFindings *findings, const AdversaryRow *rows,
                            size_t n);

/* scores (N_PLAYER_KINDS, N_WORLD_EPS) */
void world_report_compression(Report *report, WorldFindings *findings,
                              const CompressionScore *scores);
/* scores (N_PLAYER_KINDS, N_STATE_PAIRS, N_WORLD_EPS) */
void world_report_distinction(Report *report, WorldFindings *findings,
                              const DistinctionScore *scores);
/* scores (N_BIAS_LEARNERS); sets findings->score, of the network and of random weights. */
void world_report_bias(Report *report, WorldFindings *findings, const BiasScore *scores);

#endif
