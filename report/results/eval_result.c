/* report/results/eval_result.c - contract in report/results/eval_result.h. */
#include "report/results/eval_result.h"

#include <string.h>

#include "report/specs/eval_figures.h"
/* Floor and excess mean something only where every legal move was equally likely: else they are
 * left out. The error rates of a whole corpus have intervals, those of a ply have none. */
#define MEAN_COLUMNS(errors_have_intervals)                                                        \
    {"positions", "positions", .type = COLUMN_COUNT},                                              \
        {"loss", "loss", .unit = "nats", .digits = 4, .meaning = "mean over the tokens"},          \
        {"floor", "floor", .unit = "nats", .digits = 4,                                            \
         .meaning = "lowest loss any predictor can reach"},                                        \
        {"excess", "excess", .unit = "nats", .digits = 4, .meaning = "loss - floor"},              \
        {"kl", "kl", .unit = "nats", .digits = 4,                                                  \
         .meaning = "uniform over legal moves to network"},                                        \
        {"strict_error",                                                                           \
         "strict error",                                                                           \
         .unit = "%",                                                                              \
         .digits = 3,                                                                              \
         .interval = errors_have_intervals,                                                        \
         .meaning = "top-1 is no legal move of the mover"},                                        \
        {"lenient_error",                                                                          \
         "lenient error",                                                                          \
         .unit = "%",                                                                              \
         .digits = 3,                                                                              \
         .interval = errors_have_intervals,                                                        \
         .meaning = "published rule: a legal move of either side counts as right"},                \
        {"legal_mass", "legal mass", .digits = 4, .meaning = "mean probability on legal moves"},   \
    {                                                                                              \
        "set_f1", "set F1", .digits = 4, .meaning = "top-N tokens against the N legal moves"       \
    }

static const Column eval_columns[] = {
    {"model_hash", .type = COLUMN_TEXT},
    {"corpus_hash", .type = COLUMN_TEXT},
    {"games", "games", .type = COLUMN_COUNT},
    {"split", "split", .type = COLUMN_TEXT},
    MEAN_COLUMNS(true),
    {"seen_games", .type = COLUMN_COUNT},
    {"remade_games", .type = COLUMN_COUNT},
};
static const Column ply_columns[] = {
    {"ply", "ply", .type = COLUMN_COUNT, .meaning = "moves that the network has seen"},
    MEAN_COLUMNS(false),
};
const TableSpec eval_table = {"eval", "eval", TABLE_COLUMNS(eval_columns), .record = true};
const TableSpec eval_ply_table = {"by_ply", "eval_by_ply", TABLE_COLUMNS(ply_columns),
                                  TABLE_FIGURES(ply_figures)};

static void means_set(Table *table, const LegalitySums *sums, bool generated)
{
    double n = sums->positions;
    table_int(table, "positions", (int64_t)n);
    table_num(table, "loss", sums->loss / n);
    if (generated) {
        table_num(table, "floor", sums->floor / n);
        table_num(table, "excess", (sums->loss - sums->floor) / n);
    }
    table_num(table, "kl", sums->kl / n);
    table_num(table, "strict_error", sums->strict_errors / n);
    table_num(table, "lenient_error", sums->lenient_errors / n);
    table_num(table, "legal_mass", sums->legal_mass / n);
    table_num(table, "set_f1", sums->set_f1 / n);
}

static void plies_report(Report *report, const EvalFindings *found)
{
    Table *table = report_table(report, &eval_ply_table);
    table->hidden = !found->by_ply;
    for (int t = 0; t < GAME_MAX_MOVES; t++) {
        if (found->score->by_ply[t].positions > 0) {
            table_row(table);
            table_int(table, "ply", t + 1);
            means_set(table, &found->score->by_ply[t], found->generated);
        }
    }
}

static void print_seen(Text *text, const EvalSeen *seen)
{
    if (seen->of.unknown) {
        text_add(text, "seen games     not known: %s\n", seen->of.unknown);
        return;
    }
    text_add(text, "seen games     %llu%s ", (unsigned long long)seen->left_out,
             seen->left_out > 0 ? ", left out" : "");
    if (seen->of.fresh > 0) {
        text_add(text, "  %llu fresh training games were made again",
                 (unsigned long long)seen->of.fresh);
    }
    if (seen->of.corpus) {
        text_add(text, "  training games of a corpus come from another split");
    }
    if (seen->recalled) {
        text_add(text, "  (found by an earlier look, which the database keeps)");
    }
    text_add(text, "\n");
}

int eval_report(Report *report, const EvalFindings *found)
{
    const EvalSeen *seen = found->seen;
    LegalityErrors errors;
    int rc = legality_errors(&errors, found->score, found->seed);
    if (rc != 0) {
        return rc;
    }
    Table *table = report_table(report, &eval_table);
    table_text(table, "model_hash", found->model_hash);
    table_text(table, "corpus_hash", found->corpus_hash);
    table_text(table, "split", found->split);
    table_int(table, "games", (int64_t)found->score->n_games);
    means_set(table, &found->score->total, found->generated);
    table_interval(table, "strict_error", errors.strict);
    table_interval(table, "lenient_error", errors.lenient);
    if (!seen->of.unknown) {
        table_int(table, "seen_games", (int64_t)seen->left_out);
        table_int(table, "remade_games", (int64_t)seen->of.fresh);
    }
    Text *text = report_text(report);
    text_add(text, "scored         %s: %s\n",
             strcmp(found->split, "all") == 0 ? "all splits" : "the test split", found->reason);
    print_seen(text, seen);
    plies_report(report, found);
    return 0;
}
