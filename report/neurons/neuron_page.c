/* report/neurons/neuron_page.c - contract in report/neurons/neuron_page.h. */
#include "report/neurons/neuron_page.h"

#include <math.h>
#include <stdio.h>

#include "game/notation.h"
#include "report/draw.h"
#include "report/heat.h"
#include "report/neurons/neurons_result.h"

/* ---- columns ---- */

static const Column look_columns[] = {
    {"name", "neuron", .type = COLUMN_TEXT},
    {"source", "games from", .type = COLUMN_TEXT},
    {"model_hash", NULL, .type = COLUMN_TEXT},
    {"probe", "probe", .type = COLUMN_TEXT},
    {"positions", "positions", .type = COLUMN_COUNT},
    {"rule", "is on where", .type = COLUMN_TEXT},
    {"rule_share", "that is", .unit = "%", .digits = 1, .meaning = "of the fit positions"},
    {"rule_mean", "mean there", .digits = 3},
    {"mean", "mean", .digits = 3},
    {"least", "least", .digits = 3},
    {"largest", "largest", .digits = 3},
    {"tree_r2", "R2 of the tree", .digits = 3, .meaning = "on held-out games"},
    {"linear_r2", "R2 of the linear twin", .digits = 3},
    {"active", "on", .unit = "%", .digits = 1, .meaning = "above 10 % of its largest activation"},
    {"kurtosis", "kurtosis", .digits = 2, .meaning = "excess; 0: normal"},
    {"read_norm", "reads with", .digits = 3, .meaning = "length of its input weights"},
    {"write_norm", "writes with", .digits = 3, .meaning = "length of its output weights"},
    {"flanks_99", "flanks detected at .99", .type = COLUMN_COUNT},
    {"flanks_95", "flanks detected at .95", .type = COLUMN_COUNT},
    {"flank_move", "of the move", .type = COLUMN_TEXT},
    {"flank_f1", "F1", .digits = 3},
    {"flank_f1_held", "F1 held out", .digits = 3},
    {"raises", "raises most", .type = COLUMN_TEXT},
    {"value_legal", "which is legal then", .unit = "%", .digits = 1,
     .meaning = "where it is above half of its largest activation"},
    {"value_legal_by_chance", "and by chance", .unit = "%", .digits = 1,
     .meaning = "in other games at the same ply"},
    {"attribution", "attribution to legal moves", .unit = "nats", .digits = 4},
    {"magnitude", "size of attribution", .unit = "nats", .digits = 4},
    {"magnitude_random", "to random directions", .unit = "nats", .digits = 4},
    {"loss", "lost without it", .unit = "nats", .digits = 4, .interval = true},
};
const TableSpec neuron_look_table = {.name = "neuron", TABLE_COLUMNS(look_columns), .record = true};

static const Column leaf_columns[] = {
    {"leaf_mean", "mean", .digits = 3},
    {"leaf_positions", "positions", .type = COLUMN_COUNT},
    {"leaf", "where", .type = COLUMN_TEXT},
};
const TableSpec neuron_leaves_table = {
    .name = "leaves", .title = "the tree, leaf by leaf", TABLE_COLUMNS(leaf_columns)};

static const Column sight_columns[] = {
    {"group", "group", .type = COLUMN_TEXT, .meaning = "top, or decile 1 (lowest) to 10"},
    {"rank", "rank", .type = COLUMN_COUNT},
    {"value", "activation", .digits = 3},
    {"quantile", "quantile", .digits = 4, .meaning = "share of positions with less"},
    {"held_out", NULL, .type = COLUMN_YES_NO},
    {"game", "game", .type = COLUMN_COUNT, .flags = COLUMN_MINOR},
    {"ply", "ply", .type = COLUMN_COUNT},
    {"last", "last move", .type = COLUMN_TEXT},
    {"turned", "turned", .type = COLUMN_TEXT},
    {"player", "to move", .type = COLUMN_TEXT},
    {"legal", NULL, .type = COLUMN_TEXT},
    {"board", NULL, .type = COLUMN_TEXT},
    {"moves", NULL, .type = COLUMN_TEXT},
};
const TableSpec neuron_sights_table = {.name = "sights",
                                       .title = "positions that move it most, and drawn ones",
                                       TABLE_COLUMNS(sight_columns)};

static const Column weight_columns[] = {
    {"square", "square", .type = COLUMN_TEXT},
    {"state", NULL, .type = COLUMN_TEXT},
    {"reads_empty", "reads empty", .digits = 3},
    {"reads_theirs", "reads theirs", .digits = 3},
    {"reads_mine", "reads mine", .digits = 3},
    {"writes_empty", "writes empty", .digits = 3},
    {"writes_theirs", "writes theirs", .digits = 3},
    {"writes_mine", "writes mine", .digits = 3},
    {"logit", "adds to the logit", .unit = "nats", .digits = 3},
};
static const FigurePart weight_parts[] = {{.x = "square",
                                           .y = {"reads_empty", "reads_theirs", "reads_mine",
                                                 "writes_empty", "writes_theirs", "writes_mine"}}};
static const FigurePart logit_parts[] = {{.x = "square", .y = {"logit"}}};
static const FigureSpec weight_figures[] = {
    {.name = "logits",
     .title = "What the neuron adds to the logits",
     .kind = FIGURE_BOARD,
     FIGURE_PARTS(logit_parts),
     .signs = true},
    {.name = "weights",
     .title = "What the neuron reads and writes, as cosines with the probe",
     .kind = FIGURE_BOARD,
     FIGURE_PARTS(weight_parts),
     .signs = true,
     .apart = true},
};
const TableSpec neuron_weights_table = {.name = "weights",
                                        .title = "its weights as boards",
                                        TABLE_COLUMNS(weight_columns),
                                        TABLE_FIGURES(weight_figures)};

/* ---- rows ---- */

static void look_fill(Table *table, const NeuronPage *page)
{
    const NeuronLook *look = page->look;
    const NeuronDetection *last = &look->detections[N_NEURON_DEMANDS - 1];
    size_t k = (size_t)look->layer * page->n_neurons + (size_t)look->neuron;
    char name[NEURONS_NAME_MAX], square[3];
    neurons_name(name, look->layer, look->neuron);
    table_text(table, "name", name);
    table_text(table, "source", page->source);
    table_text(table, "model_hash", page->model_hash);
    table_text(table, "probe", page->probe);
    table_int(table, "positions", (int64_t)look->n_positions);
    table_text(table, "rule", look->rule.text);
    table_num(table, "rule_share", (double)look->rule.n / (double)look->n_fit);
    table_num(table, "rule_mean", look->rule.mean);
    table_num(table, "mean", look->shape.mean);
    table_num(table, "least", look->shape.least);
    table_num(table, "largest", look->shape.largest);
    table_num(table, "tree_r2", look->tree_r2);
    table_num(table, "linear_r2", look->linear_r2);
    table_num(table, "active", look->shape.on);
    table_num(table, "kurtosis", look->shape.kurtosis);
    table_num(table, "read_norm", look->weights.read_norm);
    table_num(table, "write_norm", look->weights.write_norm);
    table_int(table, "flanks_99", look->detections[0].n);
    table_int(table, "flanks_95", last->n);
    if (last->n > 0) {
        square_print(square, last->move);
        table_text(table, "flank_move", square);
        table_num(table, "flank_f1", last->f1);
        table_num(table, "flank_f1_held", last->test_f1);
    }
    square_print(square, look->weights.top);
    table_text(table, "raises", square);
    table_num(table, "value_legal", look->value_legal);
    table_num(table, "value_legal_by_chance", look->value_legal_by_chance);
    if (page->use->n > 0) {
        table_num(table, "attribution", page->use->value[k]);
        table_num(table, "magnitude", page->use->magnitude[k]);
        table_num(table, "magnitude_random", page->use->random[k]);
        if (page->use->ablated[k] != NEURON_KEPT) {
            table_estimate(table, "loss", page->use->loss[k]);
        }
    }
}

static void leaves_fill(Table *table, const NeuronTree *tree)
{
    int leaves[NEURON_NODES_MAX], n = neuron_rule_leaves(leaves, tree);
    for (int i = 0; i < n; i++) {
        NeuronRule rule;
        neuron_rule_of_node(&rule, tree, leaves[i]);
        table_row(table);
        table_num(table, "leaf_mean", rule.mean);
        table_int(table, "leaf_positions", rule.n);
        table_text(table, "leaf", rule.text);
    }
}

/* "c4 d5" of a set of squares. */
static void squares_text(char out[3 * BOARD_SQUARES + 1], uint64_t squares)
{
    uint8_t list[BOARD_SQUARES];
    int n = 0;
    for (; squares; squares &= squares - 1) {
        list[n++] = (uint8_t)__builtin_ctzll(squares);
    }
    moves_print(out, list, n);
}

static void sight_row(Table *table, const NeuronPage *page, const char *group, size_t rank,
                      const NeuronSight *sight)
{
    char text[3 * BOARD_SQUARES + 1], board[80];
    table_row(table);
    table_text(table, "group", group);
    table_int(table, "rank", (int64_t)rank);
    table_num(table, "value", sight->value);
    table_num(table, "quantile", sight->quantile);
    table_bool(table, "held_out", sight->held_out);
    table_int(table, "game", sight->game);
    table_int(table, "ply", sight->n_moves);
    square_print(text, sight->moves[sight->n_moves - 1]);
    table_text(table, "last", text);
    squares_text(text, sight->turned);
    table_text(table, "turned", text);
    table_text(table, "player", sight->board.to_move == BLACK ? "black" : "white");
    squares_text(text, sight->legal);
    table_text(table, "legal", text);
    board_print(board, page->variant, &sight->board);
    table_text(table, "board", board);
    moves_print(text, sight->moves, sight->n_moves);
    table_text(table, "moves", text);
}

static void sights_fill(Table *table, const NeuronPage *page)
{
    char group[16];
    for (size_t i = 0; i < page->look->n_top; i++) {
        sight_row(table, page, "top", i + 1, &page->look->top[i]);
    }
    for (int d = NEURON_DECILES - 1; d >= 0; d--) {
        const NeuronDecile *decile = &page->look->deciles[d];
        snprintf(group, sizeof(group), "decile %d", d + 1);
        for (size_t i = 0; i < decile->n; i++) {
            sight_row(table, page, group, i + 1, &decile->sights[i]);
        }
    }
}

static void weights_fill(Table *table, const NeuronPage *page)
{
    static const char *const keys[2][NEURON_STATES] = {
        {"reads_empty", "reads_theirs", "reads_mine"},
        {"writes_empty", "writes_theirs", "writes_mine"}};
    const NeuronWeights *weights = &page->look->weights;
    char square[3];
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        if ((page->variant->squares >> sq & 1) == 0) {
            continue;
        }
        square_print(square, sq);
        table_row(table);
        table_text(table, "square", square);
        table_null(table, "state");
        for (int k = 0; k < NEURON_STATES; k++) {
            table_num(table, keys[0][k], weights->reads[k][sq]);
            table_num(table, keys[1][k], weights->writes[k][sq]);
        }
        table_num(table, "logit", weights->logits[sq]);
    }
    table->hidden = true;
}

/* ---- boards ---- */

static void draw_map(Text *text, const NeuronPage *page, const char *title,
                     const double values[BOARD_SQUARES])
{
    double rows[BOARD_SQUARES];
    int size = page->variant->size;
    bool there = false;
    for (int i = 0; i < size * size; i++) {
        rows[i] = values[8 * (i / size) + i % size];
        there = there || !isnan(rows[i]);
    }
    if (there) {
        text_add(text, "\n");
        draw_signed(text, page->variant, title, rows, page->style.colour);
    }
}

static void boards_print(Text *text, const NeuronPage *page)
{
    const NeuronLook *look = page->look;
    DrawBoard boards[NEURON_TOP];
    char titles[NEURON_TOP][32];
    size_t n = look->n_top < (size_t)page->top ? look->n_top : (size_t)page->top;
    for (size_t i = 0; i < n; i++) {
        snprintf(titles[i], sizeof(titles[i]), "%.2f, ply %d", look->top[i].value,
                 look->top[i].n_moves);
        boards[i] = draw_of_board(titles[i], page->variant, &look->top[i].board);
        boards[i].chosen = UINT64_C(1) << look->top[i].moves[look->top[i].n_moves - 1];
    }
    text_add(text, "positions that move it most, each of another game:\n\n");
    draw_boards(text, page->variant, boards, n, page->style);
    draw_legend(text, boards, n, page->style);
    draw_map(text, page, "adds to the logit of a move (nats, LayerNorm's scale 1)",
             look->weights.logits);
    draw_map(text, page, "reads: mine (cosine with the probe)", look->weights.reads[LABEL_MINE]);
    draw_map(text, page, "reads: theirs", look->weights.reads[LABEL_THEIRS]);
    draw_map(text, page, "reads: empty", look->weights.reads[LABEL_EMPTY]);
}

void neurons_page_report(Report *report, const NeuronPage *page)
{
    look_fill(report_table(report, &neuron_look_table), page);
    leaves_fill(report_table(report, &neuron_leaves_table), &page->look->tree);
    boards_print(report_text(report), page);
    Table *sights = report_table(report, &neuron_sights_table);
    sights_fill(sights, page);
    sights->hidden = true;
    weights_fill(report_table(report, &neuron_weights_table), page);
}
