/* report/dialogue/show_boards.c - contract in report/dialogue/show_boards.h. */
#include "report/dialogue/show_boards.h"

#include <math.h>
#include <stdio.h>

#include "game/notation.h"
#include "report/draw.h"
#include "report/results/case_view.h"

static const Column columns[] = {
    {"board", "board", .type = COLUMN_TEXT},
    {"square", "square", .type = COLUMN_TEXT},
    {"state", "state", .type = COLUMN_TEXT,
     .meaning = "black, white, empty; legal: empty, and the mover may play there"},
    {"wrong", "wrong", .type = COLUMN_YES_NO, .meaning = "what is read there is not so"},
    {"edited", "edited", .type = COLUMN_YES_NO},
    {"p", "p", .unit = "%", .digits = 0, .meaning = "of the network's next move"},
};
static const FigurePart boards_parts[] = {
    {.x = "square", .state = "state", .mark = "wrong", .note = "edited", .facet = "board"},
};
static const FigurePart moves_parts[] = {
    {.x = "square",
     .y = {"p"},
     .state = "state",
     .note = "edited",
     .facet = "board",
     .where = "board",
     .is = "true board|edited board"},
};
static const FigureSpec figures[] = {
    {"boards", "The board, and what a probe reads at each layer", FIGURE_BOARD,
     FIGURE_PARTS(boards_parts)},
    {"moves", "Where the network plays next", FIGURE_BOARD, FIGURE_PARTS(moves_parts),
     .y = {"probability (%)", .zero = true}},
};
const TableSpec show_boards_table = {"boards", TABLE_COLUMNS(columns), TABLE_FIGURES(figures)};

/* Rows of one board. moves: probabilities by square, row-major, NULL: of a board that is read. */
static void board_add(Table *table, const ShowFindings *view, const DrawBoard *board,
                      uint64_t edited, const double *moves)
{
    const int size = view->game->variant->size;
    char name[3];
    for (int i = 0; i < size * size; i++) {
        const int sq = 8 * (i / size) + i % size;
        const char *state = board->black >> sq & 1   ? "black"
                            : board->white >> sq & 1 ? "white"
                            : board->moves >> sq & 1 ? "legal"
                                                     : "empty";
        square_print(name, sq);
        table_row(table);
        table_text(table, "board", board->title);
        table_text(table, "square", name);
        table_text(table, "state", state);
        table_bool(table, "wrong", board->wrong >> sq & 1);
        table_bool(table, "edited", edited >> sq & 1);
        const bool disc = (board->black | board->white) >> sq & 1;
        table_num(table, "p", moves && !disc ? moves[i] : NAN);
    }
}

/* A board, and what is read of it from `first_layer` on. */
static void boards_add(Table *table, const ShowFindings *view, const Board *board,
                       const Decoded *decoded, const uint8_t *truth, int first_layer)
{
    const bool is_edited = board == &view->game->edit_case.edited;
    const uint64_t edited = is_edited ? squares_edited(&view->game->edit_case) : 0;
    const char *after = is_edited ? ", edited" : "";
    double moves[BOARD_SQUARES];
    char title[48];
    DrawBoard drawn =
        draw_of_board(is_edited ? "edited board" : "true board", view->game->variant, board);
    show_move_probabilities(moves, view, decoded->logits);
    board_add(table, view, &drawn, edited, moves);
    for (int i = 0; i < view->game->probe->n_layers; i++) {
        const int layer = view->game->probe->layers[i];
        if (show_has_layer(view, i) && layer >= first_layer) {
            if (layer < 0) {
                snprintf(title, sizeof(title), "embed%s", after);
            } else {
                snprintf(title, sizeof(title), "layer %d%s", layer, after);
            }
            drawn = show_decoded_board(view, title, decoded->classes[i], truth);
            board_add(table, view, &drawn, edited, NULL);
        }
    }
}

void show_boards_report(Report *report, const ShowFindings *view)
{
    const TypedGame *game = view->game;
    Table *table = report_table(report, &show_boards_table);
    table->hidden = table->undocumented = true; /* the document has them as boards */
    boards_add(table, view, typed_game_board(game), &game->before, game->labels, -1);
    if (game->edit_name) {
        boards_add(table, view, &game->edit_case.edited, &game->edited, game->edited_labels,
                   game->edited_layer);
    }
}
