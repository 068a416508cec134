/* report/readers/look_result.h - where a head looks in one game, as a table and as arrows. */
#ifndef OGPT_REPORT_READERS_LOOK_RESULT_H
#define OGPT_REPORT_READERS_LOOK_RESULT_H

#include "game/board.h"
#include "probes/heads/head_look.h"
#include "report/report.h"

/* Not stored: it is of one game that was typed. */
extern const TableSpec heads_attention_table;

/* What there is to report; all borrowed. */
typedef struct LookFindings {
    const GameVariant *variant;
    const HeadLooked *game;
    const GptConfig *cfg;
    int head; /* the one that is shown, layer by layer; -1: all */
} LookFindings;

void heads_look_report(Report *report, const LookFindings *findings);

#endif
