/* report/world/adversary_result.c - contract in report/world/world_result.h. */
#include <math.h>

#include "report/world/world_columns.h"

static const Column adversary_columns[] = {
    WORLD_PLAYER_COLUMNS,
    {"opponent", "opponent plays for", .type = COLUMN_TEXT},
    {"success", "success", .unit = "%", .digits = 1, .interval = true,
     .meaning = "games in which the player makes an illegal move"},
    {"first_illegal", "first illegal", .unit = "ply", .digits = 1, .interval = true},
    {"shortest", "shortest", .type = COLUMN_COUNT},
    {"boards_found", "boards found", .type = COLUMN_COUNT},
    {"openings", "openings", .type = COLUMN_COUNT, .flags = COLUMN_WIDE,
     .meaning = "different ones: what intervals draw"},
    {"layer", "layer", .type = COLUMN_LAYER, .flags = COLUMN_BRIEF,
     .meaning = "where the probe reads"},
};
const TableSpec world_adversary_table = {"players", "world_adversaries",
                                         "games against an opponent, by player and opponent",
                                         TABLE_COLUMNS(adversary_columns)};

/* The same, a line a player. */
static const Column goal_columns[] = {
    {"player", "player", .type = COLUMN_TEXT},
    {"random", "random", .unit = "%", .digits = 1},
    {"friendly", "friendly", .unit = "%", .digits = 1},
    {"unlikely", "unlikely", .unit = "%", .digits = 1},
    {"illegal", "illegal", .unit = "%", .digits = 1},
    {"misread", "misread", .unit = "%", .digits = 1},
};
const TableSpec world_adversary_goals_table = {
    .name = "goals",
    .title = "games in which a player makes an illegal move, by what its opponent plays for",
    TABLE_COLUMNS(goal_columns)};

static void goals_fill(Table *table, const AdversaryRow *rows, size_t n)
{
    table->undocumented = true;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || rows[i].player != rows[i - 1].player) {
            table_row(table);
            table_text(table, "player", player_name(rows[i].player));
        }
        table_num(table, world_goal_name(rows[i].score.goal), rows[i].score.success.value);
    }
}

void world_report_adversary(Report *report, WorldFindings *findings, const AdversaryRow *rows,
                            size_t n)
{
    AdversaryGoal goal = n > 0 ? rows[0].score.goal : GOAL_ILLEGAL;
    findings->test = "adversary";
    findings->meaning = "games in which the network makes an illegal move";
    for (size_t i = 0; i < n; i++) {
        goal = rows[i].score.goal == GOAL_ILLEGAL ? GOAL_ILLEGAL : goal;
    }
    for (int kind = 0; kind < N_PLAYER_KINDS; kind++) {
        findings->score[kind] = (Interval){NAN, NAN, NAN};
    }
    for (size_t i = 0; i < n; i++) {
        if (rows[i].score.goal == goal) {
            findings->score[rows[i].player] = rows[i].score.success;
        }
    }
    world_report_score(report, findings);
    goals_fill(report_table(report, &world_adversary_goals_table), rows, n);
    Table *table = report_table(report, &world_adversary_table);
    for (size_t i = 0; i < n; i++) {
        const AdversaryScore *score = &rows[i].score;
        world__player_row(table, findings, rows[i].player);
        table_text(table, "opponent", world_goal_name(score->goal));
        table_interval(table, "success", score->success);
        table_interval(table, "first_illegal", score->first_illegal);
        if (score->shortest > 0) {
            table_int(table, "shortest", score->shortest);
        }
        table_int(table, "boards_found", (int64_t)score->distinct);
        table_int(table, "openings", (int64_t)score->openings);
        if (rows[i].layer) {
            table_int(table, "layer", *rows[i].layer);
        }
    }
}
