/* report/readers/lens_result.c - contract in report/readers/lens_result.h. */
#include "report/readers/lens_result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "report/heat.h"

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"last_error", "max |lens(last) - logits|", .digits = -1,
     .meaning = "the logit lens behind the last block; 0: the same bits"},
    {"source", "games", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"probe", "probe of the board lens", .type = COLUMN_TEXT},
    {"other_lens", "other lens", .type = COLUMN_TEXT, .meaning = "whose tuned lens is the control"},
    {"training_positions", "training positions", .type = COLUMN_COUNT},
    {"games", "test games", .type = COLUMN_COUNT},
    {"positions", "test positions", .type = COLUMN_COUNT},
    {"places_worse", "places made worse", .type = COLUMN_COUNT,
     .meaning = "tuned KL above that of the logit lens on training rows: none can be"},
    {"turn", "output overtakes input", .type = COLUMN_TEXT,
     .meaning = "first place where the output is decoded better than the token just read"},
    {"majority_accuracy", "majority", .unit = "%", .digits = 2, .interval = true,
     .meaning = "cells right by square and ply alone, no network"},
};
const TableSpec lens_table = {"lens", "lens", TABLE_COLUMNS(whole_columns), .record = true};

#define PLACE_COLUMNS                                                                              \
    {"layer", "layer", .type = COLUMN_LAYER},                                                      \
    {                                                                                              \
        "site", "site", .type = COLUMN_TEXT                                                        \
    }
#define SCORE_COLUMNS                                                                              \
    {"kl", "KL", .digits = 4, .interval = true, .meaning = "nats from the network's own answer"},  \
        {"excess", "excess", .digits = 4, .interval = true, .meaning = "loss - floor, nats"},      \
        {"kl_legal", "KL of legal", .digits = 4, .interval = true,                                 \
         .meaning = "nats from uniform over the legal moves"},                                     \
        {"strict_error", "strict", .unit = "%", .digits = 2, .interval = true},                    \
    {                                                                                              \
        "set_f1", "set F1", .unit = "%", .digits = 2, .interval = true                             \
    }
static const Column place_columns[] = {
    {"reader", "lens", .type = COLUMN_TEXT}, PLACE_COLUMNS, SCORE_COLUMNS};
static const FigurePart kl_parts[] = {
    {.x = "layer", .y = {"kl"}, .series = "reader", .where = "site", .is = "resid_pre|resid_post"}};
static const FigurePart set_parts[] = {{.x = "layer",
                                        .y = {"set_f1"},
                                        .series = "reader",
                                        .where = "site",
                                        .is = "resid_pre|resid_post"}};
static const FigureSpec place_figures[] = {
    {.name = "lenses",
     .title = "KL from the network's own answer, by layer",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(kl_parts)},
    {.name = "sets",
     .title = "F1 of the top-N set, by layer",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(set_parts)},
};
const TableSpec lens_places_table = {"places", "lens_places", TABLE_COLUMNS(place_columns),
                                     TABLE_FIGURES(place_figures)};

static const Column side_columns[] = {
    PLACE_COLUMNS,
    {"kl_logit", "logit", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
    {"kl_ridge", "ridge", .digits = 4},
    {"kl_tuned", "tuned", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
    {"excess_tuned", "excess, tuned", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
    {"kl_other", "other lens", .digits = 3, .meaning = "control: see \"other lens\" above"},
    {"kl_random", "random", .digits = 3, .meaning = "control: random weights, tuned"},
};
const TableSpec lens_side_table = {.name = "side_by_side",
                                   .title = "KL from the network's own answer by place, nats",
                                   TABLE_COLUMNS(side_columns)};

static const Column set_columns[] = {
    PLACE_COLUMNS,
    {"strict_logit", "strict logit", .unit = "%", .digits = 2},
    {"strict_tuned", "strict tuned", .unit = "%", .digits = 2, .interval = true,
     .flags = COLUMN_BRIEF},
    {"strict_random", "strict random", .unit = "%", .digits = 1, .meaning = "control"},
    {"f1_logit", "F1 logit", .unit = "%", .digits = 1},
    {"f1_tuned", "F1 tuned", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
    {"f1_random", "F1 random", .unit = "%", .digits = 1,
     .meaning = "control: random weights, tuned"},
};
const TableSpec lens_sets_table = {.name = "sets",
                                   .title = "strict error, and F1 of the top-N set, by place",
                                   TABLE_COLUMNS(set_columns)};

static const Column fit_columns[] = {
    {"network", "rows of", .type = COLUMN_TEXT},
    PLACE_COLUMNS,
    {"fit_kl_logit", "KL logit", .digits = 5, .meaning = "training rows, nats"},
    {"fit_kl_ridge", "ridge", .digits = 5},
    {"fit_kl", "tuned", .digits = 5},
    {"tuned_change", "test: tuned - logit", .digits = 5, .interval = true, .meaning = "nats"},
    {"rounds", "rounds", .type = COLUMN_COUNT},
    {"gap", "gap", .digits = -1, .meaning = "local estimate of what is left to gain, nats"},
};
const TableSpec lens_fits_table = {"fits", "lens_fits", TABLE_COLUMNS(fit_columns)};

static const Column decoded_columns[] = {
    {"network", "rows of", .type = COLUMN_TEXT},
    PLACE_COLUMNS,
    {"input_r2", "input R2", .digits = 3, .interval = true, .meaning = "of the one-hot token"},
    {"output_r2", "output R2", .digits = 3, .interval = true,
     .meaning = "of the network's centred logits"},
    {"token_accuracy", "token", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "the move just read, decoded linearly"},
    {"previous_accuracy", "before", .unit = "%", .digits = 1, .interval = true,
     .flags = COLUMN_BRIEF, .meaning = "the move before it"},
};
const TableSpec lens_decoded_table = {"decoded", "lens_decoded",
                                      "between input tokens and output moves",
                                      TABLE_COLUMNS(decoded_columns)};

static const Column board_columns[] = {
    {"probe_layer", "probe of", .type = COLUMN_LAYER},
    {"layer", "read at", .type = COLUMN_LAYER},
    {"accuracy", "accuracy", .unit = "%", .digits = 2, .interval = true, .meaning = "M"},
    {"exact_boards", "exact boards", .unit = "%", .digits = 2, .interval = true},
    {"moved_accuracy", "carried", .unit = "%", .digits = 2, .interval = true, .meaning = "M'"},
    {"moved_boards", "exact carried", .unit = "%", .digits = 2, .interval = true},
    {"shuffled_accuracy", "exchanged", .unit = "%", .digits = 2, .interval = true,
     .meaning = "control: squares exchanged"},
    {"cosine", "cos", .digits = 3, .meaning = "of both layers' directions"},
};
static const FigurePart matrix_parts[] = {
    {.x = "layer", .y = {"accuracy"}, .series = "probe_layer"}};
static const FigurePart carried_parts[] = {
    {.x = "layer", .y = {"moved_accuracy"}, .series = "probe_layer"}};
static const FigureSpec board_figures[] = {
    {.name = "boards",
     .title = "Probe of a layer (row), read at another",
     .kind = FIGURE_MATRIX,
     FIGURE_PARTS(matrix_parts)},
    {.name = "carried",
     .title = "The same, rows carried over first",
     .kind = FIGURE_MATRIX,
     FIGURE_PARTS(carried_parts)},
};
const TableSpec lens_boards_table = {"boards", "lens_boards", TABLE_COLUMNS(board_columns),
                                     TABLE_FIGURES(board_figures)};

#define ORDER_COLUMNS                                                                              \
    {"board_criterion", "board", .type = COLUMN_TEXT},                                             \
        {"move_criterion", "move", .type = COLUMN_TEXT}, {"arrival_rule", .type = COLUMN_TEXT},    \
        {"ply_from", "plies", .type = COLUMN_COUNT}, {"ply_to", "to", .type = COLUMN_COUNT},       \
        {"positions", .type = COLUMN_COUNT},                                                       \
        {"lead", "move - board", .unit = "%", .digits = 1, .interval = true},                      \
        {"move_first", "move first",     .unit = "%",                                              \
         .digits = 1,  .interval = true, .flags = COLUMN_BRIEF},                                   \
        {"board_first", "board first",    .unit = "%",                                             \
         .digits = 1,   .interval = true, .flags = COLUMN_BRIEF},                                  \
        {"together", "both", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},   \
    {                                                                                              \
        "neither", "never", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF      \
    }
static const Column order_columns[] = {ORDER_COLUMNS};
static const FigurePart lead_parts[] = {{.x = "ply_from",
                                         .y = {"lead"},
                                         .series = "move_criterion",
                                         .facet = "board_criterion",
                                         .where = "arrival_rule",
                                         .is = "first"}};
static const FigureSpec order_figures[] = {
    {.name = "order",
     .title = "Move first minus board first",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(lead_parts),
     .x = {.label = "moves seen, from"}},
};
const TableSpec lens_order_table = {"order", "lens_order", TABLE_COLUMNS(order_columns),
                                    TABLE_FIGURES(order_figures)};
static const Column lead_columns[] = {ORDER_COLUMNS};
const TableSpec lens_leads_table = {
    .name = "leads",
    .title = "what comes first, by moves seen, % of positions: arrives where it first holds",
    TABLE_COLUMNS(lead_columns)};
const TableSpec lens_settled_table = {
    .name = "leads_settled",
    .title = "the same: arrives where it holds from there on to the end",
    TABLE_COLUMNS(lead_columns)};

#define ARRIVAL_COLUMNS                                                                              \
    {"layer", "layer", .type = COLUMN_LAYER}, {"ply_from", "plies", .type = COLUMN_COUNT},           \
        {"ply_to", "to", .type = COLUMN_COUNT},                                                      \
        {"positions", "n", .type = COLUMN_COUNT, .flags = COLUMN_WIDE},                              \
        {"holds_board",                                                                              \
         "board",                                                                                    \
         .unit = "%",                                                                                \
         .digits = 1,                                                                                \
         .interval = true,                                                                           \
         .flags = COLUMN_BRIEF,                                                                      \
         .meaning = "every square right"},                                                           \
        {"holds_board_moves",                                                                        \
         "its moves",                                                                                \
         .unit = "%",                                                                                \
         .digits = 1,                                                                                \
         .interval = true,                                                                           \
         .flags = COLUMN_BRIEF,                                                                      \
         .meaning = "moves allowed on the board that is read"},                                      \
        {"holds_logit",         "logit",          .unit = "%",                                       \
         .digits = 1,           .interval = true, .flags = COLUMN_BRIEF,                             \
         .meaning = "top-N set"},                                                                    \
        {"holds_tuned", "tuned", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF}, \
    {                                                                                                \
        "holds_legal", "legal probe", .unit = "%", .digits = 1, .interval = true,                    \
                                      .flags = COLUMN_BRIEF                                          \
    }
static const Column arrival_columns[] = {ARRIVAL_COLUMNS};
const TableSpec lens_arrivals_table = {"arrivals", "lens_arrivals", TABLE_COLUMNS(arrival_columns)};
static const Column whole_arrival_columns[] = {ARRIVAL_COLUMNS};
const TableSpec lens_whole_arrivals_table = {
    .name = "arrivals_of_all",
    .title = "share of positions with the board, and with the legal set, wholly right",
    TABLE_COLUMNS(whole_arrival_columns)};

static const Column block_columns[] = {{"change", "change", .type = COLUMN_TEXT},
                                       {"layer", "block", .type = COLUMN_LAYER},
                                       SCORE_COLUMNS};
const TableSpec lens_blocks_table = {"blocks", "lens_blocks",
                                     "blocks left out, and exchanged with the next",
                                     TABLE_COLUMNS(block_columns)};

/* ---- rows ---- */

static void place_begin(Table *table, int place)
{
    table_int(table, "layer", lens_layer(place));
    table_text(table, "site", hook_site_name(lens_site(place)));
}

static void scores_put(Table *table, const Interval *scores)
{
    table_estimate(table, "kl", scores[LENS_KL]);
    table_estimate(table, "excess", scores[LENS_EXCESS]);
    table_estimate(table, "kl_legal", scores[LENS_KL_LEGAL]);
    table_estimate(table, "strict_error", scores[LENS_STRICT]);
    table_estimate(table, "set_f1", scores[LENS_F1]);
}

static void whole_fill(Table *table, const LensFindings *findings)
{
    const LensStudy *study = findings->study;
    int worse = 0, turn = -1;
    char name[64] = "nowhere";
    for (int place = 0; place < study->n_places; place++) {
        const LensPlaceRow *row = &study->places[place];
        worse += row->fit.kl > row->fit.kl_logit;
        if (turn < 0 && row->decoded.output.value > row->decoded.input.value) {
            turn = place;
            snprintf(name, sizeof(name), "%s of layer %d", hook_site_name(lens_site(place)),
                     place == 0 ? 0 : lens_layer(place));
        }
    }
    table_num(table, "last_error", study->measured.last_error);
    table_text(table, "source", findings->source);
    table_text(table, "model_hash", findings->model_hash);
    table_text(table, "probe", findings->probe);
    table_text(table, "other_lens",
               findings->other ? findings->other
                               : "this one with its residual coordinates in another order");
    table_int(table, "training_positions", (int64_t)findings->in->train->set.n_positions);
    table_int(table, "games", (int64_t)study->measured.n_games);
    table_int(table, "positions", (int64_t)study->measured.n_positions);
    table_int(table, "places_worse", worse);
    table_text(table, "turn", name);
    if (study->board.n > 0) {
        table_estimate(table, "majority_accuracy", study->board.majority);
    }
}

static void places_fill(Report *report, const LensStudy *study)
{
    Table *all = report_table(report, &lens_places_table);
    for (int reader = 0; reader < N_LENS_READERS; reader++) {
        for (int place = 0; place < study->n_places; place++) {
            table_row(all);
            table_text(all, "reader", lens_reader_name((LensReader)reader));
            place_begin(all, place);
            scores_put(all, study->places[place].scores[reader]);
        }
    }
    all->hidden = true; /* shown side by side */
    Table *side = report_table(report, &lens_side_table);
    side->undocumented = true;
    for (int place = 0; place < study->n_places; place++) {
        const LensPlaceRow *row = &study->places[place];
        table_row(side);
        place_begin(side, place);
        table_estimate(side, "kl_logit", row->scores[LENS_LOGIT][LENS_KL]);
        table_num(side, "kl_ridge", row->scores[LENS_RIDGE_MAP][LENS_KL].value);
        table_estimate(side, "kl_tuned", row->scores[LENS_TUNED][LENS_KL]);
        table_estimate(side, "excess_tuned", row->scores[LENS_TUNED][LENS_EXCESS]);
        table_num(side, "kl_other", row->scores[LENS_OTHER][LENS_KL].value);
        table_num(side, "kl_random", row->scores[LENS_RANDOM_TUNED][LENS_KL].value);
    }
    Table *sets = report_table(report, &lens_sets_table);
    sets->undocumented = true;
    for (int place = 0; place < study->n_places; place++) {
        const LensPlaceRow *row = &study->places[place];
        table_row(sets);
        place_begin(sets, place);
        table_num(sets, "strict_logit", row->scores[LENS_LOGIT][LENS_STRICT].value);
        table_estimate(sets, "strict_tuned", row->scores[LENS_TUNED][LENS_STRICT]);
        table_num(sets, "strict_random", row->scores[LENS_RANDOM_TUNED][LENS_STRICT].value);
        table_num(sets, "f1_logit", row->scores[LENS_LOGIT][LENS_F1].value);
        table_estimate(sets, "f1_tuned", row->scores[LENS_TUNED][LENS_F1]);
        table_num(sets, "f1_random", row->scores[LENS_RANDOM_TUNED][LENS_F1].value);
    }
}

static void fit_row(Table *table, const char *network, int place, const LensFit *fit)
{
    table_row(table);
    table_text(table, "network", network);
    place_begin(table, place);
    table_num(table, "fit_kl_logit", fit->kl_logit);
    table_num(table, "fit_kl_ridge", fit->kl_ridge);
    table_num(table, "fit_kl", fit->kl);
    table_int(table, "rounds", fit->rounds);
    table_num(table, "gap", fit->gap);
}

static void fits_fill(Table *table, const LensStudy *study)
{
    for (int place = 0; place < study->n_places; place++) {
        fit_row(table, "this network", place, &study->places[place].fit);
        table_estimate(table, "tuned_change", study->places[place].tuned_change);
    }
    for (int place = 0; place < study->n_places; place++) {
        fit_row(table, "random weights", place, &study->places[place].random_fit);
    }
    table->hidden = true;
}

static void decoded_fill(Table *table, const LensStudy *study)
{
    for (int of = 0; of < 2; of++) {
        for (int place = 0; place < study->n_places; place++) {
            const LensPlaceRow *row = &study->places[place];
            const LensDecoded *decoded = of ? &row->random_decoded : &row->decoded;
            table_row(table);
            table_text(table, "network", of ? "random weights" : "this network");
            place_begin(table, place);
            table_estimate(table, "token_accuracy", decoded->token);
            table_estimate(table, "previous_accuracy", decoded->previous);
            table_estimate(table, "input_r2", decoded->input);
            table_estimate(table, "output_r2", decoded->output);
        }
    }
}

static void order_row(Table *table, const LensOrderRow *row)
{
    table_row(table);
    table_text(table, "board_criterion", lens_criterion_name(row->pair.board));
    table_text(table, "move_criterion", lens_criterion_name(row->pair.move));
    table_text(table, "arrival_rule", row->settled ? "settled" : "first");
    table_int(table, "ply_from", row->ply_from);
    table_int(table, "ply_to", row->ply_to);
    table_int(table, "positions", (int64_t)row->positions);
    table_estimate(table, "move_first", row->move_first);
    table_estimate(table, "board_first", row->board_first);
    table_estimate(table, "together", row->together);
    table_estimate(table, "neither", row->neither);
    table_estimate(table, "lead", row->lead);
}

static void arrival_row(Table *table, const LensArrival *row)
{
    static const char *const keys[N_LENS_CRITERIA] = {
#define CRITERION_KEY(id, name) "holds_" name,
        LENS_CRITERIA(CRITERION_KEY)
#undef CRITERION_KEY
    };
    table_row(table);
    table_int(table, "layer", row->layer);
    table_int(table, "ply_from", row->ply_from);
    table_int(table, "ply_to", row->ply_to);
    table_int(table, "positions", (int64_t)row->positions);
    for (int criterion = 0; criterion < N_LENS_CRITERIA; criterion++) {
        table_estimate(table, keys[criterion], row->holds[criterion]);
    }
}

static void order_fill(Report *report, const LensOrder *order)
{
    Table *all = report_table(report, &lens_order_table);
    for (size_t i = 0; i < order->n_rows; i++) {
        order_row(all, &order->rows[i]);
    }
    all->hidden = true;
    Table *arrivals = report_table(report, &lens_arrivals_table);
    for (size_t i = 0; i < order->n_arrivals; i++) {
        arrival_row(arrivals, &order->arrivals[i]);
    }
    arrivals->hidden = true;
    Table *whole = report_table(report, &lens_whole_arrivals_table);
    whole->undocumented = true;
    for (size_t i = LENS_BANDS; i < order->n_arrivals; i += LENS_BANDS + 1) {
        arrival_row(whole, &order->arrivals[i]);
    }
    for (int settled = 0; settled < 2; settled++) {
        Table *leads = report_table(report, settled ? &lens_settled_table : &lens_leads_table);
        leads->undocumented = true;
        for (size_t i = 0; i < order->n_rows; i++) {
            if (order->rows[i].settled == (settled == 1)) {
                order_row(leads, &order->rows[i]);
            }
        }
    }
}

/* ---- boards ---- */

static void boards_fill(Table *table, const LensBoard *board)
{
    for (size_t i = 0; i < board->n * board->n; i++) {
        const LensBoardCell *cell = &board->cells[i];
        table_row(table);
        table_int(table, "probe_layer", cell->probe_layer);
        table_int(table, "layer", cell->layer);
        table_estimate(table, "accuracy", cell->accuracy);
        table_estimate(table, "exact_boards", cell->board);
        table_estimate(table, "moved_accuracy", cell->moved_accuracy);
        table_estimate(table, "moved_boards", cell->moved_board);
        table_estimate(table, "shuffled_accuracy", cell->shuffled);
        table_num(table, "cosine", cell->cosine);
    }
    table->hidden = true; /* drawn as matrices */
}

static void matrix_draw(Text *text, const LensBoard *board, const char *title, int which,
                        bool colour)
{
    size_t n = board->n;
    double *values = mem_alloc(n * n, sizeof(double), "a matrix");
    char names[LAYERS_MAX][24];
    const char *rows[LAYERS_MAX], *columns[LAYERS_MAX];
    for (size_t i = 0; values && i < n * n; i++) {
        const LensBoardCell *cell = &board->cells[i];
        values[i] = which == 0   ? cell->accuracy.value
                    : which == 1 ? cell->moved_accuracy.value
                                 : cell->cosine;
    }
    for (size_t k = 0; k < n; k++) {
        int layer = board->cells[k * n].probe_layer;
        snprintf(names[k], sizeof(names[k]), layer < 0 ? "probe embed" : "probe %d", layer);
        rows[k] = names[k];
        columns[k] = names[k] + strlen("probe ");
    }
    if (values) {
        draw_grid(text, &(HeatGrid){title, rows, n, n, values, colour, columns});
    }
    mem_free(values);
}

void lens_report(Report *report, const LensFindings *findings)
{
    const LensStudy *study = findings->study;
    int overfit = 0;
    for (int place = 0; place < study->n_places; place++) {
        overfit += study->places[place].tuned_change.low > 0;
    }
    if (overfit > 0) {
        report_warn(report,
                    "at %d of %d places the tuned lens is worse than the logit lens on test games: "
                    "it was fitted on too few positions; take more --games",
                    overfit, study->n_places);
    }
    whole_fill(report_table(report, &lens_table), findings);
    places_fill(report, study);
    fits_fill(report_table(report, &lens_fits_table), study);
    if (study->board.n > 0) {
        boards_fill(report_table(report, &lens_boards_table), &study->board);
        Text *text = report_text(report);
        matrix_draw(
            text, &study->board,
            "cells right, %: the probe of a layer (row) read at each of these layers (column)", 0,
            findings->colour);
        matrix_draw(text, &study->board, "the same, rows carried to the probe's layer first", 1,
                    findings->colour);
        matrix_draw(text, &study->board, "cosine of the directions mine - theirs, times 100", 2,
                    findings->colour);
    }
    order_fill(report, &study->order);
    decoded_fill(report_table(report, &lens_decoded_table), study);
    Table *blocks = report_table(report, &lens_blocks_table);
    for (size_t i = 0; i < study->n_blocks; i++) {
        const LensBlockRow *row = &study->blocks[i];
        table_row(blocks);
        table_text(blocks, "change",
                   row->curve == CURVE_CLEAN     ? "none"
                   : row->curve == CURVE_REMOVED ? "left out"
                                                 : "exchanged");
        if (row->curve != CURVE_CLEAN) {
            table_int(blocks, "layer", row->layer);
        }
        scores_put(blocks, row->scores);
    }
}
