/* report/readers/look_result.c - contract in look_result.h. */
#include "report/readers/look_result.h"

#include "game/notation.h"
#include "report/readers/heads_result.h"

static const Column attention_columns[] = {
    {"head", "head", .type = COLUMN_TEXT},
    {"move", "move", .type = COLUMN_COUNT, .meaning = "its number; none: a disc of the start"},
    {"square", "square", .type = COLUMN_TEXT},
    {"player", "played by", .type = COLUMN_TEXT},
    {"state", "now", .type = COLUMN_TEXT, .meaning = "the disc on the square after the last move"},
    {"from", NULL, .type = COLUMN_TEXT},
    {"share", "attention", .unit = "%", .digits = 1,
     .meaning = "of the position behind the last move"},
};
static const FigurePart attention_parts[] = {
    {.x = "square", .state = "state", .facet = "head"},
    {.x = "from", .y = {"share"}, .facet = "head", .to = "square"},
};
static const FigureSpec attention_figures[] = {
    {"attention", "Where a head looks from the last move", FIGURE_BOARD,
     FIGURE_PARTS(attention_parts), .y.label = "attention"},
};
const TableSpec heads_attention_table = {.name = "attention",
                                         .title = "where heads look behind the last move",
                                         TABLE_COLUMNS(attention_columns),
                                         TABLE_FIGURES(attention_figures)};

static const char *colour_of(const Board *board, int square)
{
    uint64_t bit = 1ULL << square;
    return board_discs(board, BLACK) & bit   ? "black"
           : board_discs(board, WHITE) & bit ? "white"
                                             : NULL;
}

/* The rows of one head: the discs of the start, then the moves. */
static void head_fill(Table *table, const LookFindings *found, size_t head, const Board *start,
                      const Board *end, const Colour *players)
{
    char name[HEADS_NAME_MAX], square[3], last[3];
    const double *shares = found->game->shares + head * (size_t)found->game->n;
    heads_name(name, (size_t)found->cfg->n_heads, head);
    square_print(last, found->game->moves[found->game->n - 1]);
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        if (colour_of(start, sq)) {
            square_print(square, sq);
            table_row(table);
            table_text(table, "head", name);
            table_null(table, "move");
            table_text(table, "square", square);
            table_null(table, "player");
            table_text(table, "state", colour_of(end, sq));
            table_null(table, "from");
            table_null(table, "share");
        }
    }
    for (int i = 0; i < found->game->n; i++) {
        square_print(square, found->game->moves[i]);
        table_row(table);
        table_text(table, "head", name);
        table_int(table, "move", i + 1);
        table_text(table, "square", square);
        table_text(table, "player", players[i] == BLACK ? "black" : "white");
        table_text(table, "state", colour_of(end, found->game->moves[i]));
        table_text(table, "from", last);
        table_num(table, "share", shares[i]);
    }
}

void heads_look_report(Report *report, const LookFindings *found)
{
    Table *table = report_table(report, &heads_attention_table);
    Board board = found->variant->start;
    Colour players[GAME_MAX_MOVES];
    for (int i = 0; i < found->game->n; i++) {
        players[i] = board.to_move;
        board_play(found->variant, &board, found->game->moves[i]);
    }
    for (size_t head = 0; head < (size_t)found->cfg->n_layers * (size_t)found->cfg->n_heads;
         head++) {
        if (found->head < 0 || (size_t)found->head == head) {
            head_fill(table, found, head, &found->variant->start, &board, players);
        }
    }
}
