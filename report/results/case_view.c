/* report/results/case_view.c - intervention cases and predictions on them, as plain text. */
#include "report/results/case_view.h"

#include <string.h>

#include "report/draw.h"
#include "datasets/vocab.h"
#include "game/notation.h"
#include "probes/legality/answers.h"

static void add_squares(Text *text, uint64_t squares, const char *mark)
{
    for (uint64_t rest = squares; rest != 0; rest &= rest - 1) {
        char name[3];
        square_print(name, __builtin_ctzll(rest));
        text_add(text, " %s%s", name, mark);
    }
}

uint64_t squares_edited(const EditCase *edit)
{
    uint64_t mask = 0;
    for (int i = 0; i < edit->n_squares; i++) {
        mask |= 1ULL << edit->squares[i].sq;
    }
    return mask;
}

void draw_case(Text *text, const GameVariant *variant, const EditCase *edit, size_t index,
               TextStyle style)
{
    char moves[3 * GAME_MAX_MOVES + 1];
    DrawBoard boards[2] = {draw_of_board("the board", variant, &edit->before),
                           draw_of_board("edited to", variant, &edit->edited)};
    moves_print(moves, edit->moves, edit->n_moves);
    text_add(text, "case %zu: %s\n", index, moves);
    for (int i = 0; i < edit->n_squares; i++) {
        char name[3];
        square_print(name, edit->squares[i].sq);
        text_add(text, "  %s: %s becomes %s\n", name, case_state_name(edit->squares[i].from),
                 case_state_name(edit->squares[i].to));
    }
    if (edit->has_witness) {
        moves_print(moves, edit->witness, edit->n_moves);
        text_add(text, "  witness: %s\n", moves);
    }
    text_add(text, "\n");
    boards[0].edited = boards[1].edited = squares_edited(edit);
    draw_boards(text, variant, boards, 2, style);
    draw_legend(text, boards, 2, style);
    text_add(text, "\n%s to move%s\n", edit->before.to_move == BLACK ? "black" : "white",
             edit->edited.to_move == edit->before.to_move ? "" : ", on the edited board the other");
    text_add(text, "legal before  ");
    add_squares(text, edit->legal_before, "");
    text_add(text, "\nlegal edited  ");
    add_squares(text, edit->legal_edited, "");
    text_add(text, "\n");
}

void draw_prediction(Text *text, const GameVariant *variant, const char *title, uint64_t tokens,
                     uint64_t legal)
{
    const Vocab *vocab = vocab_of(variant);
    uint64_t legal_tokens = answer_tokens(vocab, legal), squares = answer_squares(vocab, tokens);
    text_add(text, "%s", title);
    add_squares(text, squares & legal, "");
    add_squares(text, squares & ~legal, "!");
    if (tokens >> TOK_PAD & 1) {
        text_add(text, " pad!");
    }
    if (legal_tokens & ~tokens) {
        text_add(text, "   missing:");
        add_squares(text, legal & ~squares, "");
    }
    text_add(text, "\n");
}

Js *squares_json(uint64_t squares)
{
    Js *names = js_array();
    for (uint64_t rest = squares; rest != 0; rest &= rest - 1) {
        char name[3];
        square_print(name, __builtin_ctzll(rest));
        js_push(names, js_str(name));
    }
    return names;
}

Js *squares_edited_json(const EditCase *edit)
{
    return squares_json(squares_edited(edit));
}

Js *case_json(const GameVariant *variant, const EditCase *edit, size_t index)
{
    char moves[3 * GAME_MAX_MOVES + 1], board[BOARD_SQUARES + 3];
    Js *out = js_object(), *from = js_array(), *to = js_array();
    js_set_int(out, "case_index", (int64_t)index);
    moves_print(moves, edit->moves, edit->n_moves);
    js_set_str(out, "moves", moves);
    for (int i = 0; i < edit->n_squares; i++) {
        js_push(from, js_str(case_state_name(edit->squares[i].from)));
        js_push(to, js_str(case_state_name(edit->squares[i].to)));
    }
    js_set(out, "squares", squares_edited_json(edit));
    js_set(out, "from", from);
    js_set(out, "to", to);
    if (edit->has_witness) {
        moves_print(moves, edit->witness, edit->n_moves);
        js_set_str(out, "witness", moves);
    }
    board_print(board, variant, &edit->before);
    js_set_str(out, "board", board);
    board_print(board, variant, &edit->edited);
    js_set_str(out, "edited_board", board);
    js_set(out, "legal_before", squares_json(edit->legal_before));
    js_set(out, "legal_edited", squares_json(edit->legal_edited));
    return out;
}

void draw_exclusions(Text *text, const CaseSet *set, const char *label)
{
    for (int v = CASE_SOUND + 1; v < N_CASE_VERDICTS; v++) {
        if (set->excluded_by[v] > 0) {
            text_add(text, "%s%llu: %s (first in line %zu)\n", label,
                     (unsigned long long)set->excluded_by[v], case_verdict_text((CaseVerdict)v),
                     set->excluded_line[v]);
        }
    }
}

Js *exclusions_json(const CaseSet *set)
{
    Js *list = js_array();
    for (int v = CASE_SOUND + 1; v < N_CASE_VERDICTS; v++) {
        if (set->excluded_by[v] > 0) {
            Js *row = js_object();
            js_set_str(row, "reason", case_verdict_text((CaseVerdict)v));
            js_set_int(row, "cases", (int64_t)set->excluded_by[v]);
            js_set_int(row, "first_line", (int64_t)set->excluded_line[v]);
            js_push(list, row);
        }
    }
    return list;
}

void cases_stats_set(Table *table, const CaseSet *set)
{
    CaseStats stats = cases_stats(set);
    table_int(table, "excluded", (int64_t)set->excluded);
    table_set(table, "excluded_by", exclusions_json(set));
    table_int(table, "shortest", stats.shortest);
    table_int(table, "longest", stats.longest);
    table_int(table, "with_pass", (int64_t)stats.n_passes);
    table_int(table, "with_witness", (int64_t)stats.n_witnesses);
    table_int(table, "unchanged", (int64_t)stats.n_unchanged);
    table_int(table, "mover_changed", (int64_t)stats.n_mover_changed);
    table_num(table, "mean_legal_before", stats.mean_legal_before);
    table_num(table, "mean_legal_edited", stats.mean_legal_edited);
    table_num(table, "mean_symmetric_difference", stats.mean_symmetric_difference);
}

const char *cases_kind(const CaseSet *set)
{
    return cases_stats(set).n_witnesses == set->n ? "natural" : "unnatural";
}
