/* report/results/case_view.h - cases and predictions on them as plain text and as JSON, and what
 * a set of cases is like. */
#ifndef OGPT_REPORT_RESULTS_CASE_VIEW_H
#define OGPT_REPORT_RESULTS_CASE_VIEW_H

#include "probes/cases/cases.h"
#include "report/table.h"

/* Moves, edit, both boards with their legal moves, and the witness. */
void draw_case(Text *text, const GameVariant *variant, const EditCase *edit, size_t index,
               TextStyle style);
/* One line: the predicted tokens, legal ones first, each illegal one with '!', then the legal
 * moves that are missing. */
void draw_prediction(Text *text, const GameVariant *variant, const char *title, uint64_t tokens,
                     uint64_t legal);
/* The case as JSON: moves, squares, from, to, witness, both boards and legal moves. */
Js *case_json(const GameVariant *variant, const EditCase *edit, size_t index);
/* One line a verdict: how many cases count in no mean, and why. Nothing when there are none. As
 * JSON: a list of reason, cases, first_line. */
void draw_exclusions(Text *text, const CaseSet *set, const char *label);
Js *exclusions_json(const CaseSet *set);
/* The squares that a case edits. */
uint64_t squares_edited(const EditCase *edit);
/* Squares of a mask as an array of names; those that a case edits. */
Js *squares_json(uint64_t squares);
Js *squares_edited_json(const EditCase *edit);

/* Columns of CaseStats and of the cases that count in no mean; the last of a table of cases. */
#define CASE_STATS_COLUMNS                                                                         \
    {"excluded", "left out of means", .type = COLUMN_COUNT, .meaning = "no game can go on there"}, \
        {"excluded_by", .type = COLUMN_NESTED},                                                    \
        {"shortest", "shortest history", .type = COLUMN_COUNT, .unit = "moves"},                   \
        {"longest", "longest history", .type = COLUMN_COUNT, .unit = "moves"},                     \
        {"with_pass", "with a pass", .type = COLUMN_COUNT, .meaning = "histories"},                \
        {"with_witness", "with a witness", .type = COLUMN_COUNT,                                   \
         .meaning = "another legal history reaches the edited board"},                             \
        {"unchanged", "without effect", .type = COLUMN_COUNT,                                      \
         .meaning = "edits that leave the legal moves as they were"},                              \
        {"mover_changed", "other mover", .type = COLUMN_COUNT,                                     \
         .meaning = "edits after which the other side moves"},                                     \
        {"mean_legal_before", "legal moves", .digits = 3, .meaning = "mean, before the edit"},     \
        {"mean_legal_edited", "legal moves, edited", .digits = 3,                                  \
         .meaning = "mean, on the edited board"},                                                  \
    {                                                                                              \
        "mean_symmetric_difference", "symmetric difference",                                       \
            .digits = 3, .meaning = "mean number of squares legal on exactly one board"            \
    }
/* Fill them. */
void cases_stats_set(Table *table, const CaseSet *set);
/* "natural" if every case has a witness, else "unnatural". */
const char *cases_kind(const CaseSet *set);

#endif
