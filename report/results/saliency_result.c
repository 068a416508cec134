/* report/results/saliency_result.c - contract in report/results/saliency_result.h. */
#include "report/results/saliency_result.h"

#include <math.h>
#include <string.h>

#include "game/notation.h"
#include "report/draw.h"
#include "report/specs/saliency_figures.h"
#include "report/heat.h"

static const Column saliency_columns[] = {
    {"moves", .type = COLUMN_TEXT},
    {"board", .type = COLUMN_TEXT},
    {"move", "move", .type = COLUMN_TEXT},
    {"method", "method", .type = COLUMN_TEXT},
    {"site", "site", .type = COLUMN_TEXT},
    {"layers", "layers", .type = COLUMN_TEXT},
    {"scale", "scale", .type = COLUMN_TEXT},
    {"place", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"legal", "legal", .type = COLUMN_YES_NO},
    {"p", "p", .digits = 4, .meaning = "of the move, without an edit"},
    {"log_odds", "log-odds", .unit = "nats", .digits = 2},
    {"n_deciding", "deciding squares", .type = COLUMN_COUNT,
     .meaning = "their edit changes whether the move is legal"},
    {"deciding_effect", "mean |change| there", .unit = "nats", .digits = 2},
    {"other_effect", "elsewhere", .unit = "nats", .digits = 2},
    {"separation", "separation", .digits = 3, .meaning = "1: clean, 0.5: none"},
};
const TableSpec saliency_table = {"saliency", TABLE_COLUMNS(saliency_columns), .record = true};

static const Column square_columns[] = {
    {"move", "move", .type = COLUMN_TEXT},
    {"square", "square", .type = COLUMN_TEXT},
    {"from_state", "from", .type = COLUMN_TEXT},
    {"to_state", "to", .type = COLUMN_TEXT},
    {"p_before", "p before", .digits = 4},
    {"p", "p", .digits = 4},
    {"effect", "change", .unit = "nats", .digits = 2, .meaning = "of the move's log-odds"},
    {"legal_before", "legal before", .type = COLUMN_YES_NO},
    {"legal", "legal", .type = COLUMN_YES_NO},
    {"deciding", "decides", .type = COLUMN_YES_NO,
     .meaning = "by the rules this edit changes whether the move is legal"},
};
const TableSpec saliency_squares_table = {"squares", "saliency", TABLE_COLUMNS(square_columns),
                                          TABLE_FIGURES(square_figures)};

static const char *square_name(char out[3], int sq)
{
    square_print(out, sq);
    return out;
}

/* ---- the map ---- */

/* The largest change by a square other than the move's own: a disc there makes every move illegal,
 * and this change would leave all others pale. */
static double largest_effect(const Saliency *map)
{
    double largest = 0.0;
    for (int i = 0; i < map->n; i++) {
        double effect = map->squares[i].sq == map->move ? 0.0 : map->squares[i].effect;
        largest = fmax(largest, fabs(effect));
    }
    return largest;
}

static void add_cell(Text *text, double effect, double largest, char mark, bool colour)
{
    if (colour) {
        int letters, background = draw_signed_colour(&letters, effect, largest);
        text_add(text, " \033[48;5;%d;%dm%+5.1f%c\033[0m", background, letters, effect, mark);
    } else {
        text_add(text, " %+5.1f%c", effect, mark);
    }
}

static void print_map(Text *text, const SaliencyFindings *found)
{
    const Saliency *map = found->map;
    int size = found->question->variant->size;
    double largest = largest_effect(map);
    text_add(text, "\n ");
    for (int column = 0; column < size; column++) {
        text_add(text, "%*c", column == 0 ? 5 : 7, 'a' + column);
    }
    text_add(text, "\n");
    for (int row = 0; row < size; row++) {
        text_add(text, "%d", row + 1);
        for (int column = 0; column < size; column++) {
            int sq = 8 * row + column, i = 0;
            while (i < map->n && map->squares[i].sq != sq) {
                i++;
            }
            if (sq == map->move) {
                text_add(text, "   own ");
            } else if (i == map->n) {
                text_add(text, "     - ");
            } else {
                bool decides = map->squares[i].legal != map->legal;
                add_cell(text, map->squares[i].effect, largest, decides ? '!' : ' ',
                         found->style.colour);
            }
        }
        text_add(text, "\n");
    }
}

/* The square that the move would be played on; nothing if empty squares are left alone. */
static void print_own_square(Text *text, const Saliency *map)
{
    char name[3];
    for (int i = 0; i < map->n; i++) {
        if (map->squares[i].sq == map->move) {
            text_add(text, "\nits own square, %s, with a disc on it: %+.2f nats, p = %.4f\n",
                     square_name(name, map->move), map->squares[i].effect, map->squares[i].p);
        }
    }
}

static void print_page(Text *text, const SaliencyFindings *found)
{
    const Saliency *map = found->map;
    DrawBoard board = draw_of_board("", found->question->variant, &map->board);
    char name[3], layers[192], scale[32];
    edit_layers_print(layers, found->plan->layers);
    edit_scale_print(scale, found->plan->scale);
    board.chosen = 1ULL << map->move;
    text_add(text, "%s for %s: %s by the rules, p = %.4f (log-odds %+.2f)\n\n",
             square_name(name, map->move), map->board.to_move == BLACK ? "black" : "white",
             map->legal ? "legal" : "illegal", map->p, map->log_odds);
    draw_boards(text, found->question->variant, &board, 1, found->style);
    draw_legend(text, &board, 1, found->style);
    text_add(text,
             "\nchange of the move's log-odds (nats) when one square is edited inside the network\n"
             "(%s at hook_%s of layers %s, scale %s; a disc is turned over, an empty square %s):\n",
             edit_method_name(found->plan->method), hook_site_name(found->plan->site), layers,
             scale,
             found->question->placed == PLACED_NONE     ? "is left alone"
             : found->question->placed == PLACED_THEIRS ? "gets a disc of the other side"
                                                        : "gets a disc of the side to move");
    print_map(text, found);
    print_own_square(text, map);
    text_add(text,
             "\n'!': by the rules the same change of the board turns the move %s.\n"
             "mean |change|: %.2f on these %d squares, %.2f on the other %d; separation %.3f "
             "(1: clean, 0.5: none)\n",
             map->legal ? "illegal" : "legal", map->deciding_effect, map->n_deciding,
             map->other_effect, map->n - map->n_deciding, map->separation);
}

/* ---- tables ---- */

static void whole_fill(Table *table, const SaliencyFindings *found)
{
    const Saliency *map = found->map;
    const SaliencyQuestion *question = found->question;
    char name[3], moves[3 * GAME_MAX_MOVES + 1], board[BOARD_SQUARES + 3], layers[192];
    char scale[32];
    moves_print(moves, question->moves, question->n);
    board_print(board, question->variant, &map->board);
    edit_layers_print(layers, found->plan->layers);
    edit_scale_print(scale, found->plan->scale);
    table_text(table, "moves", moves);
    table_text(table, "board", board);
    table_text(table, "move", square_name(name, map->move));
    table_text(table, "method", edit_method_name(found->plan->method));
    table_text(table, "site", hook_site_name(found->plan->site));
    table_text(table, "layers", layers);
    table_text(table, "scale", scale);
    table_text(table, "place", found->place);
    table_text(table, "model_hash", found->model_hash);
    table_bool(table, "legal", map->legal);
    table_num(table, "p", map->p);
    table_num(table, "log_odds", map->log_odds);
    table_int(table, "n_deciding", map->n_deciding);
    table_num(table, "deciding_effect", map->deciding_effect);
    table_num(table, "other_effect", map->other_effect);
    table_num(table, "separation", map->separation);
}

static void squares_fill(Table *table, const Saliency *map)
{
    char name[3];
    for (int i = 0; i < map->n; i++) {
        const SaliencySquare *square = &map->squares[i];
        table_row(table);
        table_text(table, "move", square_name(name, map->move));
        table_text(table, "square", square_name(name, square->sq));
        table_text(table, "from_state", case_state_name(square->from));
        table_text(table, "to_state", case_state_name(square->to));
        table_num(table, "p_before", map->p);
        table_num(table, "p", square->p);
        table_num(table, "effect", square->effect);
        table_bool(table, "legal_before", map->legal);
        table_bool(table, "legal", square->legal);
        table_bool(table, "deciding", square->legal != map->legal);
    }
}

void saliency_report(Report *report, const SaliencyFindings *found)
{
    Table *whole = report_table(report, &saliency_table);
    Table *squares = report_table(report, &saliency_squares_table);
    whole->hidden = squares->hidden = true; /* the page shows both */
    print_page(report_text(report), found);
    whole_fill(whole, found);
    squares_fill(squares, found->map);
}
