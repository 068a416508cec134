/* report/circuits/pair_view.h - pairs of histories as plain text and as JSON, and what a set of
 * them is like. */
#ifndef OGPT_REPORT_CIRCUITS_PAIR_VIEW_H
#define OGPT_REPORT_CIRCUITS_PAIR_VIEW_H

#include "probes/cases/pairs.h"
#include "report/table.h"

/* Both histories with the moves that differ, both boards with the square that differs marked, and
 * the moves that are legal on both or on one. */
void draw_pair(Text *text, const GameVariant *variant, const GamePair *pair, size_t index,
               TextStyle style);
/* The pair as JSON: histories, kind, boards, squares turned, legal moves. */
Js *pair_json(const GameVariant *variant, const GamePair *pair, size_t index);

/* Columns of PairStats; the last of a table of pairs. */
#define PAIR_STATS_COLUMNS                                                                         \
    {"flips", "flips", .type = COLUMN_COUNT, .meaning = "the boards differ in one square"},        \
        {"transpositions", "transpositions", .type = COLUMN_COUNT, .meaning = "the same board"},   \
        {"left_out", "left out", .type = COLUMN_COUNT,                                             \
         .meaning = "natural cases of the file that make no pair"},                                \
        {"shortest", "shortest history", .type = COLUMN_COUNT, .unit = "moves"},                   \
        {"longest", "longest history", .type = COLUMN_COUNT, .unit = "moves"},                     \
        {"mean_moves_that_differ", "moves that differ", .digits = 3,                               \
         .meaning = "mean number of places of the history"},                                       \
        {"mean_legal_clean", "legal moves, clean", .digits = 3, .meaning = "mean"},                \
        {"mean_legal_corrupt", "legal moves, corrupt", .digits = 3, .meaning = "mean"},            \
    {                                                                                              \
        "mean_symmetric_difference", "symmetric difference",                                       \
            .digits = 3, .meaning = "mean number of squares legal on exactly one board"            \
    }
/* Fill them. */
void pairs_stats_set(Table *table, const PairSet *set);

#endif
