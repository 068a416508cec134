/* report/results/show_result.c - contract in report/results/show_result.h. */
#include "report/results/show_result.h"

#include <stdio.h>
#include <string.h>

#include "game/notation.h"
#include "probes/legality/answers.h"
#include "report/draw.h"
#include "report/results/case_view.h"

static const Column layer_columns[] = {
    {"layer", "layer", .type = COLUMN_LAYER},
    {"board", "board", .type = COLUMN_TEXT},
    {"n_wrong", "wrong squares", .type = COLUMN_COUNT},
    {"wrong", .type = COLUMN_NESTED},
    {"classes", .type = COLUMN_NESTED},
    {"class_probabilities", .type = COLUMN_NESTED},
};
static const Column move_columns[] = {
    {"move", "move", .type = COLUMN_TEXT, .meaning = "- is the pad"},
    {"p", "p", .digits = 4},
    {"legal", "legal", .type = COLUMN_YES_NO},
};
const TableSpec show_layers_table = {"layers", TABLE_COLUMNS(layer_columns)};
const TableSpec show_moves_table = {"top", TABLE_COLUMNS(move_columns)};

/* ---- boards ---- */

bool show_has_layer(const ShowFindings *view, int i)
{
    return view->game->probe->fitted[i] && (view->only < 0 || view->only == i);
}

static uint64_t wrong_squares(const ShowFindings *view, const uint8_t *classes,
                              const uint8_t *truth)
{
    uint64_t wrong = 0;
    for (int i = 0; i < view->game->probe->n_squares; i++) {
        if (classes[i] != truth[i]) {
            wrong |= UINT64_C(1) << task_square(view->game->variant, i);
        }
    }
    return wrong;
}

DrawBoard show_decoded_board(const ShowFindings *view, const char *title, const uint8_t *classes,
                             const uint8_t *truth)
{
    DrawBoard board = {.title = title};
    if (!decode_discs(&board.black, &board.white, view->game->probe, view->game->viewer, classes)) {
        board.moves = board.black; /* no colours to tell: the squares of the task, as marks */
        board.black = 0;
    }
    board.wrong = wrong_squares(view, classes, truth);
    return board;
}

/* A board and the shown layers from `first_layer` on, and what their signs mean. */
static void print_boards(Text *text, const ShowFindings *view, const Board *board,
                         const Decoded *decoded, const uint8_t *truth, const char *title,
                         int first_layer)
{
    bool is_edited = board == &view->game->edit_case.edited;
    uint64_t edited = is_edited ? squares_edited(&view->game->edit_case) : 0;
    DrawBoard boards[LAYERS_MAX + 1];
    char titles[LAYERS_MAX][32];
    size_t n = 1;
    boards[0] = draw_of_board(title, view->game->variant, board);
    boards[0].edited = edited;
    for (int i = 0; i < view->game->probe->n_layers; i++) {
        int layer = view->game->probe->layers[i];
        if (!show_has_layer(view, i) || layer < first_layer) {
            continue;
        }
        int wrong = __builtin_popcountll(wrong_squares(view, decoded->classes[i], truth));
        if (layer == LAYER_EMBED) {
            snprintf(titles[i], sizeof(titles[i]), "embed: %d wrong", wrong);
        } else {
            snprintf(titles[i], sizeof(titles[i]), "layer %d: %d wrong", layer, wrong);
        }
        boards[n] = show_decoded_board(view, titles[i], decoded->classes[i], truth);
        boards[n++].edited = edited;
    }
    draw_boards(text, view->game->variant, boards, n, view->style);
    text_add(text, "\n");
    draw_legend(text, boards, n, view->style);
}

/* A list under a label of 26 columns: items that do not fit the width go on below the first. */
typedef struct ItemList {
    Text *text;
    int column, width; /* width 0: any */
} ItemList;

static ItemList list_begin(Text *text, const ShowFindings *view, const char *label)
{
    text_add(text, "%-26s", label);
    return (ItemList){text, 26, view->style.width};
}

static void list_add(ItemList *list, const char *item)
{
    int length = (int)strlen(item) + 1;
    if (list->width > 0 && list->column > 26 && list->column + length > list->width) {
        text_add(list->text, "\n%26s", "");
        list->column = 26;
    }
    text_add(list->text, " %s", item);
    list->column += length;
}

static void print_squares(Text *text, const ShowFindings *view, const char *label, uint64_t squares)
{
    ItemList list = list_begin(text, view, label);
    char name[3];
    for (uint64_t rest = squares; rest; rest &= rest - 1) {
        square_print(name, __builtin_ctzll(rest));
        list_add(&list, name);
    }
    text_add(text, "\n");
}

/* Predicted squares with their probability, those that are not legal with '!', then the legal ones
 * that are missing. */
static void print_judged(Text *text, const ShowFindings *view, const char *label,
                         const float *logits, uint64_t predicted, uint64_t legal)
{
    const Vocab *vocab = view->game->vocab;
    ItemList list = list_begin(text, view, label);
    double p[BOARD_SQUARES];
    char name[3], item[32];
    answer_probabilities(p, logits, vocab->d_vocab);
    for (uint64_t rest = predicted; rest; rest &= rest - 1) {
        int sq = __builtin_ctzll(rest);
        square_print(name, sq);
        snprintf(item, sizeof(item), "%s %.1f %%%s%s", name, 100 * p[vocab->tok_of_sq[sq]],
                 legal >> sq & 1 ? "" : "!", (rest & (rest - 1)) ? "," : "");
        list_add(&list, item);
    }
    for (uint64_t rest = legal & ~predicted; rest; rest &= rest - 1) {
        int sq = __builtin_ctzll(rest);
        square_print(name, sq);
        snprintf(item, sizeof(item), "%s%s %.1f %%%s",
                 rest == (legal & ~predicted) ? "  missing: " : "", name,
                 100 * p[vocab->tok_of_sq[sq]], (rest & (rest - 1)) ? "," : "");
        list_add(&list, item);
    }
    text_add(text, "\n");
}

/* ---- the network's moves ---- */

typedef struct TopMove {
    int sq; /* SQ_NONE: the pad */
    double p;
    bool legal;
} TopMove;

/* The n tokens of highest score, best first. */
static int top_moves(TopMove *out, const ShowFindings *view, const float *logits,
                     const Board *board, int n)
{
    int d_vocab = view->game->vocab->d_vocab;
    double p[BOARD_SQUARES];
    uint64_t legal = board_moves(view->game->variant, board), before = 0;
    answer_probabilities(p, logits, d_vocab);
    int count = n < d_vocab ? n : d_vocab;
    for (int i = 0; i < count; i++) {
        uint64_t with_next = answer_top_set(logits, d_vocab, i + 1);
        int tok = __builtin_ctzll(with_next & ~before);
        before = with_next;
        out[i].sq = view->game->vocab->sq_of_tok[tok];
        out[i].p = p[tok];
        out[i].legal = out[i].sq != SQ_NONE && (legal >> out[i].sq & 1);
    }
    return count;
}

static void print_moves(Text *text, const ShowFindings *view, const char *label,
                        const float *logits, const Board *board)
{
    ItemList list = list_begin(text, view, label);
    TopMove top[BOARD_SQUARES];
    char name[3] = "-", item[48];
    int n = top_moves(top, view, logits, board, view->top);
    for (int i = 0; i < n; i++) {
        if (top[i].sq != SQ_NONE) {
            square_print(name, top[i].sq);
        }
        snprintf(item, sizeof(item), "%s %.1f %%%s%s", top[i].sq == SQ_NONE ? "pad" : name,
                 100 * top[i].p, top[i].legal ? "" : " (illegal)", i + 1 < n ? "," : "");
        list_add(&list, item);
    }
    text_add(text, "\n");
}

/* Top-N set, N = legal moves of a board: squares, and how many differ from the legal ones. */
static int top_set_error(uint64_t *squares, const ShowFindings *view, const float *logits,
                         const Board *board)
{
    uint64_t legal = answer_tokens(view->game->vocab, board_moves(view->game->variant, board));
    uint64_t tokens =
        answer_top_set(logits, view->game->vocab->d_vocab, __builtin_popcountll(legal));
    *squares = answer_squares(view->game->vocab, tokens);
    return __builtin_popcountll(tokens ^ legal);
}

/* ---- text ---- */

void show_print_edit(Text *text, const ShowFindings *view)
{
    const EditCase *edit = &view->game->edit_case;
    char name[3];
    uint64_t before, after;
    square_print(name, edit->squares[0].sq);
    text_add(text,
             "%s, %s, becomes %s inside the network at layer %d (project, scale %g); '!' marks "
             "what differs from the edited board (earlier layers are as above)\n",
             name, case_state_name(edit->squares[0].from), case_state_name(edit->squares[0].to),
             view->game->edited_layer, view->game->scale);
    print_boards(text, view, &edit->edited, &view->game->edited, view->game->edited_labels,
                 "edited board", view->game->edited_layer);
    if (edit->edited.to_move != edit->before.to_move) {
        text_add(text, "the mover has no move there: the other side's moves count\n");
    }
    int null_error = top_set_error(&before, view, view->game->before.logits, &edit->edited);
    int edit_error = top_set_error(&after, view, view->game->edited.logits, &edit->edited);
    print_squares(text, view, "legal before the edit", edit->legal_before);
    print_squares(text, view, "legal on the edited board", edit->legal_edited);
    print_judged(text, view, "the network, unedited", view->game->before.logits, before,
                 edit->legal_edited);
    print_judged(text, view, "the network, edited", view->game->edited.logits, after,
                 edit->legal_edited);
    text_add(text, "%-26s topn: its top %d count, as many as are legal there\n", "rule",
             __builtin_popcountll(edit->legal_edited));
    text_add(text, "%-26s %d unedited, %d edited (false and missing moves)\n", "error", null_error,
             edit_error);
    print_moves(text, view, "its first choices, edited", view->game->edited.logits, &edit->edited);
    if (view->probabilities) {
        show_print_probabilities(text, view, &view->game->edited, view->game->edited_layer);
    }
}

static void print_page(Text *text, const ShowFindings *view)
{
    char moves[3 * GAME_MAX_MOVES + 1];
    const Board *board = typed_game_board(view->game);
    bool over = board_is_over(view->game->variant, board);
    moves_print(moves, view->game->moves, view->game->n_moves);
    text_add(text, "%s: %s\n\n", moves,
             over                      ? "the game is over"
             : board->to_move == BLACK ? "black (X) to move"
                                       : "white (O) to move");
    print_boards(text, view, board, &view->game->before, view->game->labels, "true board",
                 LAYER_EMBED);
    print_moves(text, view, "the network's next move", view->game->before.logits, board);
    if (view->probabilities) {
        show_print_probabilities(text, view, &view->game->before, LAYER_EMBED);
    }
    if (view->game->edit_name) {
        text_add(text, "\n");
        show_print_edit(text, view);
    }
}

void show_print_position(Text *text, const ShowFindings *view)
{
    if (!view->game->is_read) {
        DrawBoard board =
            draw_of_board("true board", view->game->variant, typed_game_board(view->game));
        draw_boards(text, view->game->variant, &board, 1, view->style);
        text_add(text, "\n");
        return;
    }
    print_boards(text, view, typed_game_board(view->game), &view->game->before, view->game->labels,
                 "true board", LAYER_EMBED);
}

void show_print_hint(Text *text, const ShowFindings *view)
{
    const TypedGame *game = view->game;
    const Board *board = typed_game_board(game);
    uint64_t legal = board_moves(game->variant, board), predicted;
    print_squares(text, view, "legal by the rules", legal);
    if (game->is_read) {
        top_set_error(&predicted, view, game->before.logits, board);
        print_judged(text, view, "legal by the network", game->before.logits, predicted, legal);
        print_moves(text, view, "its first choices", game->before.logits, board);
    } else {
        text_add(text, "%-26s it reads moves, so it has nothing to say here\n",
                 "legal by the network");
    }
}

/* ---- JSON ---- */

static Js *board_json(const ShowFindings *view, uint64_t black, uint64_t white)
{
    char out[72];
    Board board = board_from_discs(black, white, typed_game_board(view->game)->to_move);
    board_print(out, view->game->variant, &board);
    return js_str(out);
}

static Js *numbers_json(const double *values, int n)
{
    Js *list = js_array();
    for (int i = 0; i < n; i++) {
        js_push(list, js_num(values[i]));
    }
    return list;
}

static Js *read_probabilities_json(const ShowFindings *view, const Decoded *decoded, int index)
{
    double values[BOARD_SQUARES];
    show_read_probabilities(values, view, decoded, index);
    return numbers_json(values, view->game->probe->n_squares);
}

static Js *layers_json(const ShowFindings *view, const Decoded *decoded, const uint8_t *truth,
                       int first_layer)
{
    Js *layers = js_array();
    for (int i = 0; i < view->game->probe->n_layers; i++) {
        if (!show_has_layer(view, i) || view->game->probe->layers[i] < first_layer) {
            continue;
        }
        DrawBoard board = show_decoded_board(view, "", decoded->classes[i], truth);
        Js *layer = js_object(), *classes = js_array();
        js_set_int(layer, "layer", view->game->probe->layers[i]);
        if (!board.moves) {
            js_set(layer, "board", board_json(view, board.black, board.white));
        }
        for (int s = 0; s < view->game->probe->n_squares; s++) {
            js_push(classes, js_str(view->game->probe->classes[decoded->classes[i][s]]));
        }
        js_set(layer, "classes", classes);
        js_set(layer, "class_probabilities", read_probabilities_json(view, decoded, i));
        js_set(layer, "wrong", squares_json(board.wrong));
        js_set_int(layer, "n_wrong", __builtin_popcountll(board.wrong));
        js_push(layers, layer);
    }
    return layers;
}

static Js *top_json(const ShowFindings *view, const float *logits, const Board *board)
{
    TopMove top[BOARD_SQUARES];
    Js *list = js_array();
    char name[3];
    int n = top_moves(top, view, logits, board, view->top);
    for (int i = 0; i < n; i++) {
        Js *move = js_object();
        if (top[i].sq != SQ_NONE) {
            square_print(name, top[i].sq);
        }
        js_set(move, "move", top[i].sq == SQ_NONE ? js_null() : js_str(name));
        js_set_num(move, "p", top[i].p);
        js_set_bool(move, "legal", top[i].legal);
        js_push(list, move);
    }
    return list;
}

/* What is told of the true board and of the edited one: all but the lists of layers and moves. */
static void board_members(Js *out, const ShowFindings *view, const Board *board,
                          const Decoded *decoded)
{
    double moves[BOARD_SQUARES];
    js_set(out, "board", board_json(view, board_discs(board, BLACK), board_discs(board, WHITE)));
    js_set(out, "legal", squares_json(board_moves(view->game->variant, board)));
    show_move_probabilities(moves, view, decoded->logits);
    js_set(out, "move_probabilities", numbers_json(moves, view->game->probe->n_squares));
}

Js *show_edit_json(const ShowFindings *view)
{
    Js *edit = js_object();
    char name[3];
    uint64_t before, after;
    const EditCase *edited = &view->game->edit_case;
    square_print(name, edited->squares[0].sq);
    js_set_str(edit, "square", name);
    js_set_str(edit, "from", case_state_name(edited->squares[0].from));
    js_set_str(edit, "to", case_state_name(edited->squares[0].to));
    js_set_int(edit, "layer", view->game->edited_layer);
    js_set_str(edit, "method", "project");
    js_set_num(edit, "scale", view->game->scale);
    js_set_str(edit, "rule", "topn");
    board_members(edit, view, &edited->edited, &view->game->edited);
    js_set(edit, "layers",
           layers_json(view, &view->game->edited, view->game->edited_labels,
                       view->game->edited_layer));
    js_set(edit, "top", top_json(view, view->game->edited.logits, &edited->edited));
    js_set_int(edit, "null_error",
               top_set_error(&before, view, view->game->before.logits, &edited->edited));
    js_set_int(edit, "edit_error",
               top_set_error(&after, view, view->game->edited.logits, &edited->edited));
    js_set(edit, "predicted_before", squares_json(before));
    js_set(edit, "predicted_after", squares_json(after));
    return edit;
}

Js *show_position_json(const ShowFindings *view)
{
    const TypedGame *game = view->game;
    const Board *board = typed_game_board(game);
    char moves[3 * GAME_MAX_MOVES + 1];
    Js *document = js_object();
    moves_print(moves, game->moves, game->n_moves);
    js_set_str(document, "moves", moves);
    js_set_str(document, "to_move", board->to_move == BLACK ? "black" : "white");
    js_set(document, "board",
           board_json(view, board_discs(board, BLACK), board_discs(board, WHITE)));
    js_set(document, "legal", squares_json(board_moves(game->variant, board)));
    js_set(document, "layers",
           game->is_read ? layers_json(view, &game->before, game->labels, LAYER_EMBED)
                         : js_array());
    js_set(document, "top",
           game->is_read ? top_json(view, game->before.logits, board) : js_array());
    return document;
}

/* Take over a list of rows. */
static void rows_add(Table *table, Js *rows)
{
    for (size_t i = 0; i < js_length(rows); i++) {
        table_add(table, js_keep((Js *)js_at(rows, i)));
    }
    js_free(rows);
}

void show_report(Report *report, const ShowFindings *view)
{
    const Board *board = typed_game_board(view->game);
    char moves[3 * GAME_MAX_MOVES + 1];
    Table *layers = report_table(report, &show_layers_table);
    Table *top = report_table(report, &show_moves_table);
    Js *document = js_object();
    layers->hidden = top->hidden = true; /* the page shows both */
    rows_add(layers, layers_json(view, &view->game->before, view->game->labels, LAYER_EMBED));
    rows_add(top, top_json(view, view->game->before.logits, board));
    moves_print(moves, view->game->moves, view->game->n_moves);
    js_set_str(document, "moves", moves);
    js_set_str(document, "to_move", board->to_move == BLACK ? "black" : "white");
    js_set_str(document, "task", view->game->probe->task);
    js_set_str(document, "model_hash", view->model_hash);
    board_members(document, view, board, &view->game->before);
    if (view->game->edit_name) {
        js_set(document, view->game->edit_name, show_edit_json(view));
    }
    report_json_all(report, document);
    print_page(report_text(report), view);
}
