/* report/world/forget_result.c - contract in report/world/forget_result.h. */
#include "report/world/forget_result.h"

static const Column whole_columns[] = {
    {"source", "network", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"rules", "old games by", .type = COLUMN_TEXT},
    {"other", "new games by", .type = COLUMN_TEXT},
    {"corpus", "new games from", .type = COLUMN_TEXT, .meaning = "nothing: random games"},
    {"games", "games learned", .type = COLUMN_COUNT, .meaning = "by each network"},
    {"forgetting", "forgetting", .digits = 4, .unit = "nats", .interval = true,
     .meaning = "excess on old games, after the new ones minus before"},
    {"same_forgetting", "control", .digits = 4, .unit = "nats", .interval = true,
     .meaning = "the same after as many more of the old games"},
    {"relearned", "relearned after", .type = COLUMN_COUNT,
     .meaning = "old games, at the first checkpoint within the limit"},
    {"not_relearned", "but not after", .type = COLUMN_COUNT, .meaning = "at the one before it"},
    {"within", "limit", .digits = 3, .unit = "nats", .flags = COLUMN_UNSTORED},
    {"barrier", "barrier", .digits = 4, .unit = "nats",
     .meaning = "on the line from before to there, old games"},
    {"same_barrier", "control's barrier", .digits = 4, .unit = "nats"},
    {"test_games", "test games", .type = COLUMN_COUNT},
    {"fit_games", "games to fit probes", .type = COLUMN_COUNT},
};
const TableSpec forget_table = {"forget", "forget", TABLE_COLUMNS(whole_columns), .record = true};

static const Column network_columns[] = {
    {"network", "network", .type = COLUMN_TEXT},
    {"games_of", "games", .type = COLUMN_TEXT},
    {"loss", "loss", .digits = 4, .unit = "nats", .interval = true, .flags = COLUMN_MINOR},
    {"excess", "excess", .digits = 4, .unit = "nats", .interval = true, .flags = COLUMN_BRIEF},
    {"change", "change", .digits = 4, .unit = "nats", .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "loss minus that of before, same games"},
    {"strict_error", "strict error", .unit = "%", .digits = 2, .interval = true,
     .flags = COLUMN_BRIEF},
    {"probe_own", "its probe", .unit = "%", .digits = 2, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "right squares: fitted on it and these games"},
    {"probe_old", "old probe", .unit = "%", .digits = 2, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "fitted on before and old games, read on it"},
    {"probe_back", "its probe on before", .unit = "%", .digits = 2, .interval = true,
     .flags = COLUMN_BRIEF, .meaning = "read on before and old games"},
};
const TableSpec forget_networks_table = {"networks", "forget_networks",
                                         "each network on both kinds of games",
                                         TABLE_COLUMNS(network_columns)};

static const Column point_columns[] = {
    {"games", "games", .type = COLUMN_COUNT, .meaning = "old ones, learned again"},
    {"excess", "excess, old", .digits = 4, .unit = "nats", .interval = true, .flags = COLUMN_BRIEF},
    {"change", "over before", .digits = 4, .unit = "nats", .interval = true, .flags = COLUMN_BRIEF},
    {"new_loss", "loss, new", .digits = 4, .unit = "nats", .interval = true, .flags = COLUMN_BRIEF},
};
static const FigurePart point_parts[] = {{.x = "games", .y = {"excess"}}};
static const FigureSpec point_figures[] = {{.name = "relearning",
                                            .title = "excess on the old games while they are "
                                                     "learned again",
                                            .kind = FIGURE_LINES,
                                            FIGURE_PARTS(point_parts),
                                            .x = {.log = true},
                                            .main = true}};
const TableSpec forget_points_table = {"relearning", "forget_points", "relearning the old games",
                                       TABLE_COLUMNS(point_columns), TABLE_FIGURES(point_figures)};

static const Column line_columns[] = {
    {"network", "network", .type = COLUMN_TEXT},
    {"share", "share", .digits = 1, .meaning = "of the way from before to it"},
    {"loss", "loss", .digits = 4, .unit = "nats", .meaning = "old games"},
};
static const FigurePart line_parts[] = {{.x = "share", .y = {"loss"}, .series = "network"}};
static const FigureSpec line_figures[] = {{.name = "line",
                                           .title = "loss of the old games on the line between "
                                                    "two networks",
                                           .kind = FIGURE_LINES,
                                           FIGURE_PARTS(line_parts),
                                           .main = true}};
const TableSpec forget_line_table = {"line", "forget_line", "weights between two networks",
                                     TABLE_COLUMNS(line_columns), TABLE_FIGURES(line_figures)};

static void network_rows(Table *table, const ForgetReport *what, int network)
{
    for (int k = 0; k < N_FORGET_KINDS; k++) {
        const ForgetScore *score = &what->scores[network][k];
        const Interval *of = score->of;
        table_row(table);
        table_text(table, "network", forget_network_name((ForgetNetwork)network));
        table_text(table, "games_of", forget_kind_name((ForgetKind)k));
        table_interval(table, "loss", of[FORGET_LOSS]);
        if (k == FORGET_OLD || what->random) {
            table_interval(table, "excess", of[FORGET_EXCESS]);
        }
        table_interval(table, "change", score->change);
        table_interval(table, "strict_error", of[FORGET_STRICT]);
        table_interval(table, "probe_own", of[FORGET_PROBE_OWN]);
        table_interval(table, "probe_old", of[FORGET_PROBE_OLD]);
        table_interval(table, "probe_back", of[FORGET_PROBE_BACK]);
    }
}

static void relearning_set(Table *whole, const ForgetReport *what)
{
    size_t i = forget_relearned(what->points, what->n_points, what->within);
    if (i < what->n_points) {
        table_int(whole, "relearned", what->point_games[i]);
    }
    if (i > 0) {
        table_int(whole, "not_relearned", what->point_games[i - 1]);
    }
}

void world_report_forget(Report *report, const ForgetReport *what)
{
    Table *whole = report_table(report, &forget_table);
    Table *networks = report_table(report, &forget_networks_table);
    Table *points = report_table(report, &forget_points_table);
    Table *line = report_table(report, &forget_line_table);
    line->hidden = true;                  /* the figure shows it */
    points->hidden = what->n_points == 0; /* nothing was learned */
    for (int i = 0; i < N_FORGET_NETWORKS; i++) {
        network_rows(networks, what, i);
        for (int p = 0; i != FORGET_BEFORE && p < FORGET_LINE; p++) {
            table_row(line);
            table_text(line, "network", forget_network_name((ForgetNetwork)i));
            table_num(line, "share", (double)p / (FORGET_LINE - 1));
            table_num(line, "loss", what->lines[i][p]);
        }
    }
    for (size_t i = 0; i < what->n_points; i++) {
        table_row(points);
        table_int(points, "games", what->point_games[i]);
        table_interval(points, "excess", what->points[i][FORGET_OLD].of[FORGET_EXCESS]);
        table_interval(points, "change", what->points[i][FORGET_OLD].change);
        table_interval(points, "new_loss", what->points[i][FORGET_NEW].of[FORGET_LOSS]);
    }
    table_text(whole, "source", what->source);
    table_text(whole, "model_hash", what->model_hash);
    table_text(whole, "rules", what->rules);
    table_text(whole, "other", what->other);
    table_text(whole, "corpus", what->corpus);
    table_int(whole, "games", (int64_t)what->games);
    table_interval(whole, "forgetting", what->scores[FORGET_THERE][FORGET_OLD].change);
    table_interval(whole, "same_forgetting", what->scores[FORGET_SAME][FORGET_OLD].change);
    relearning_set(whole, what);
    table_num(whole, "within", what->within);
    table_num(whole, "barrier", forget_barrier(what->lines[FORGET_THERE]));
    table_num(whole, "same_barrier", forget_barrier(what->lines[FORGET_SAME]));
    table_int(whole, "test_games", (int64_t)what->test_games);
    table_int(whole, "fit_games", (int64_t)what->fit_games);
}
