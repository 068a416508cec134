/* report/world/bias_result.c - inductive bias, a row for each learner; contract in
 * report/world/world_result.h. */
#include <math.h>

#include "report/world/world_result.h"

#define SHARE .digits = 3, .interval = true
static const Column bias_columns[] = {
    {"learner", "learner", .type = COLUMN_TEXT},
    {"same", "R-IB", SHARE, .meaning = "1 - 2 disagreement of two histories of one state"},
    {"apart", "D-IB", SHARE, .meaning = "2 disagreement of two states"},
    {"apart_equal", "D equal moves", SHARE, .meaning = "of states with the same legal moves"},
    {"apart_unequal", "D other moves", SHARE,
     .meaning = "of as many squares, different legal moves"},
    {"legal_gap", "gap", SHARE, .meaning = "D of other moves minus D of equal moves"},
    {"learned", "learned", SHARE, .flags = COLUMN_BRIEF,
     .meaning = "bits that were learned, share said right"},
    {"carried", "carried", SHARE, .flags = COLUMN_BRIEF,
     .meaning = "the same after another history of these states"},
    {"triples", "triples", .type = COLUMN_COUNT, .flags = COLUMN_WIDE,
     .meaning = "states a, b with the same legal moves, c as far from a with others"},
};
const TableSpec world_bias_table = {"learners", "world_bias",
                                    "random bits of states: what is said of states that were not "
                                    "learned",
                                    TABLE_COLUMNS(bias_columns)};

void world_report_bias(Report *report, WorldFindings *findings, const BiasScore *scores)
{
    findings->test = "inductive-bias";
    findings->meaning =
        "R-IB: 1 - 2 (share of pairs of histories of one state with different bits)";
    for (int kind = 0; kind < N_PLAYER_KINDS; kind++) {
        findings->score[kind] = (Interval){NAN, NAN, NAN};
    }
    findings->score[PLAYER_NETWORK] = scores[BIAS_NETWORK].same;
    findings->score[PLAYER_RANDOM_MODEL] = scores[BIAS_RANDOM_MODEL].same;
    world_report_score(report, findings);
    Table *table = report_table(report, &world_bias_table);
    for (int learner = 0; learner < N_BIAS_LEARNERS; learner++) {
        const BiasScore *score = &scores[learner];
        table_row(table);
        table_text(table, "learner", world_bias_learner_name((BiasLearner)learner));
        table_interval(table, "same", score->same);
        table_interval(table, "apart", score->apart);
        table_interval(table, "apart_equal", score->apart_equal);
        table_interval(table, "apart_unequal", score->apart_unequal);
        table_interval(table, "legal_gap", score->legal_gap);
        table_interval(table, "learned", score->learned);
        table_interval(table, "carried", score->carried);
        table_int(table, "triples", (int64_t)score->triples);
    }
}
