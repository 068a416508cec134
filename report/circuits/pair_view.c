/* report/circuits/pair_view.c - contract in report/circuits/pair_view.h. */
#include "report/circuits/pair_view.h"

#include "game/notation.h"
#include "report/draw.h"
#include "report/results/case_view.h"

static void line_of_squares(Text *text, const char *label, uint64_t squares)
{
    text_add(text, "%s", label);
    for (uint64_t rest = squares; rest != 0; rest &= rest - 1) {
        char name[3];
        square_print(name, __builtin_ctzll(rest));
        text_add(text, " %s", name);
    }
    text_add(text, "%s\n", squares ? "" : " none");
}

void draw_pair(Text *text, const GameVariant *variant, const GamePair *pair, size_t index,
               TextStyle style)
{
    DrawBoard boards[2] = {draw_of_board("clean", variant, &pair->clean_board),
                           draw_of_board("corrupt", variant, &pair->corrupt_board)};
    char clean[3 * GAME_MAX_MOVES + 1], corrupt[3 * GAME_MAX_MOVES + 1];
    moves_print(clean, pair->clean, pair->n_moves);
    moves_print(corrupt, pair->corrupt, pair->n_moves);
    text_add(text, "pair %zu, %s\n  clean    %s\n  corrupt  %s\n  differ   ", index,
             pair_kind_name(pair_kind(pair)), clean, corrupt);
    for (int t = 0; t < pair->n_moves; t++) {
        text_add(text, "%s", pair->clean[t] == pair->corrupt[t] ? "   " : "^^ ");
    }
    text_add(text, "\n\n");
    boards[0].edited = boards[1].edited = pair->turned;
    draw_boards(text, variant, boards, 2, style);
    draw_legend(text, boards, 2, style);
    text_add(text, "\n%s to move\n", pair->clean_board.to_move == BLACK ? "black" : "white");
    if (pair->target) {
        line_of_squares(text, "target             ", pair->target);
        line_of_squares(text, "other              ", pair->other);
    }
    line_of_squares(text, pair->target ? "boards differ in   " : "other owner        ",
                    pair->turned);
    line_of_squares(text, "legal on both      ", pair->legal_clean & pair->legal_corrupt);
    line_of_squares(text, "legal, clean only  ", pair->legal_clean & ~pair->legal_corrupt);
    line_of_squares(text, "legal, corrupt only", pair->legal_corrupt & ~pair->legal_clean);
}

Js *pair_json(const GameVariant *variant, const GamePair *pair, size_t index)
{
    char moves[3 * GAME_MAX_MOVES + 1], board[BOARD_SQUARES + 3];
    Js *out = js_object();
    js_set_int(out, "pair_index", (int64_t)index);
    js_set_str(out, "kind", pair_kind_name(pair_kind(pair)));
    moves_print(moves, pair->clean, pair->n_moves);
    js_set_str(out, "clean", moves);
    moves_print(moves, pair->corrupt, pair->n_moves);
    js_set_str(out, "corrupt", moves);
    js_set(out, "squares", squares_json(pair->turned));
    if (pair->target) {
        js_set(out, "target", squares_json(pair->target));
        js_set(out, "other", squares_json(pair->other));
    }
    board_print(board, variant, &pair->clean_board);
    js_set_str(out, "clean_board", board);
    board_print(board, variant, &pair->corrupt_board);
    js_set_str(out, "corrupt_board", board);
    js_set(out, "legal_clean", squares_json(pair->legal_clean));
    js_set(out, "legal_corrupt", squares_json(pair->legal_corrupt));
    return out;
}

void pairs_stats_set(Table *table, const PairSet *set)
{
    PairStats stats = pairs_stats(set);
    if (set->n_of[PAIR_CHOSEN] > 0) { /* then all are, and the boards differ in anything */
        table_null(table, "flips");
        table_null(table, "transpositions");
    } else {
        table_int(table, "flips", (int64_t)set->n_of[PAIR_FLIP]);
        table_int(table, "transpositions", (int64_t)set->n_of[PAIR_TRANSPOSITION]);
    }
    table_int(table, "left_out", (int64_t)set->left_out);
    table_int(table, "shortest", stats.shortest);
    table_int(table, "longest", stats.longest);
    table_num(table, "mean_moves_that_differ", stats.mean_moves_that_differ);
    table_num(table, "mean_legal_clean", stats.mean_legal_clean);
    table_num(table, "mean_legal_corrupt", stats.mean_legal_corrupt);
    table_num(table, "mean_symmetric_difference", stats.mean_symmetric_difference);
}
