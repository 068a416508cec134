/* report/world/states_result.c - contract in report/world/world_result.h. */
#include "report/world/world_columns.h"

static const Column compression_columns[] = {
    WORLD_PLAYER_COLUMNS,
    {"eps", "eps", .digits = 3, .meaning = "a token is accepted above it"},
    {"compression", "compression", .unit = "%", .digits = 1, .interval = true,
     .meaning = "states all of whose tokens are accepted"},
    {"tokens_accepted", "tokens", .unit = "%", .digits = 3, .interval = true},
    {"suffix_tokens", "drawn", .digits = 1, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "tokens a state"},
};
const TableSpec world_compression_table = {"players", "world_compression",
                                           "suffixes of one history, behind another of its state",
                                           TABLE_COLUMNS(compression_columns)};

void world_report_compression(Report *report, WorldFindings *findings,
                              const CompressionScore *scores)
{
    findings->test = "compression";
    findings->meaning = "tokens drawn behind one history of a state, at eps .01, that are accepted "
                        "behind the other";
    for (int kind = 0; kind < N_PLAYER_KINDS; kind++) {
        findings->score[kind] = scores[kind * N_WORLD_EPS + WORLD_EPS_SCORE].tokens;
    }
    world_report_score(report, findings);
    Table *table = report_table(report, &world_compression_table);
    for (int i = 0; i < N_PLAYER_KINDS * N_WORLD_EPS; i++) {
        world__player_row(table, findings, i / N_WORLD_EPS);
        table_num(table, "eps", scores[i].eps);
        table_interval(table, "compression", scores[i].strict);
        table_interval(table, "tokens_accepted", scores[i].tokens);
        table_interval(table, "suffix_tokens", scores[i].length);
    }
}

static const Column distinction_columns[] = {
    WORLD_PLAYER_COLUMNS,
    {"pair_kind", "pairs", .type = COLUMN_TEXT},
    {"eps", "eps", .digits = 3},
    {"precision", "precision", .unit = "%", .digits = 1, .interval = true},
    {"recall", "recall", .unit = "%", .digits = 1, .interval = true},
    {"recall_1", "of 1 token", .unit = "%", .digits = 1, .interval = true},
    {"recall_2", "of 2", .unit = "%", .digits = 1, .interval = true},
    {"recall_3", "of 3", .unit = "%", .digits = 1, .interval = true},
    {"strict_pairs", "no mistake", .unit = "%", .digits = 1, .interval = true},
    {"boundary", "boundary", .digits = 1, .interval = true},
};
const TableSpec world_distinction_table = {"players", "world_distinction",
                                           "boundaries of pairs of states, by player",
                                           TABLE_COLUMNS(distinction_columns)};
/* At the eps of the score alone. */
static const Column distinction_score_columns[] = {
    {"player", "player", .type = COLUMN_TEXT},
    {"pair_kind", "pairs", .type = COLUMN_TEXT},
    {"precision", "precision", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
    {"recall", "recall", .unit = "%", .digits = 1, .interval = true},
    {"strict_pairs", "no mistake", .unit = "%", .digits = 1, .flags = COLUMN_BRIEF},
    {"boundary", "boundary", .digits = 1, .meaning = "suffixes a pair"},
};
const TableSpec world_distinction_scores_table = {.name = "pairs",
                                                  .title = "boundaries of pairs of states, eps .01",
                                                  TABLE_COLUMNS(distinction_score_columns)};

static void distinction_row(Table *table, const WorldFindings *findings, int kind,
                            const DistinctionScore *score)
{
    world__player_row(table, findings, kind);
    table_text(table, "pair_kind", world_state_pairs_name(score->kind));
    table_num(table, "eps", score->eps);
    table_interval(table, "precision", score->precision);
    table_interval(table, "recall", score->recall);
    table_interval(table, "recall_1", score->recall_at[0]);
    table_interval(table, "recall_2", score->recall_at[1]);
    table_interval(table, "recall_3", score->recall_at[2]);
    table_interval(table, "strict_pairs", score->strict);
    table_interval(table, "boundary", score->boundary);
}

void world_report_distinction(Report *report, WorldFindings *findings,
                              const DistinctionScore *scores)
{
    enum { ROWS = N_STATE_PAIRS * N_WORLD_EPS };
    findings->test = "distinction";
    findings->meaning = "suffixes that tell two boards apart which differ in one owner, at eps .01";
    for (int kind = 0; kind < N_PLAYER_KINDS; kind++) {
        findings->score[kind] =
            scores[kind * ROWS + STATES_FLIP * N_WORLD_EPS + WORLD_EPS_SCORE].recall;
    }
    world_report_score(report, findings);
    Table *brief = report_table(report, &world_distinction_scores_table);
    Table *table = report_table(report, &world_distinction_table);
    brief->undocumented = true;
    table->hidden = true;
    for (int i = 0; i < N_PLAYER_KINDS * ROWS; i++) {
        distinction_row(table, findings, i / ROWS, &scores[i]);
        if (i % N_WORLD_EPS == WORLD_EPS_SCORE) {
            table_row(brief);
            table_text(brief, "player", player_name((PlayerKind)(i / ROWS)));
            table_text(brief, "pair_kind", world_state_pairs_name(scores[i].kind));
            table_interval(brief, "precision", scores[i].precision);
            table_interval(brief, "recall", scores[i].recall);
            table_num(brief, "strict_pairs", scores[i].strict.value);
            table_num(brief, "boundary", scores[i].boundary.value);
        }
    }
}
