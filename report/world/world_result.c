/* report/world/world_result.c - contract in report/world/world_result.h. */
#include "report/world/world_result.h"

#include "report/world/world_columns.h"

static const Column score_columns[] = {
    {"test", "test", .type = COLUMN_TEXT},
    {"score", "score", .digits = 4, .interval = true},
    {"score_meaning", "what it is", .type = COLUMN_TEXT, .flags = COLUMN_UNSTORED},
    {"units", "games, pairs or states", .type = COLUMN_COUNT},
    {"model_hash", .type = COLUMN_TEXT},
    {"controls", .type = COLUMN_NESTED, .meaning = "the score of each control"},
};
const TableSpec world_table = {"world", "world", TABLE_COLUMNS(score_columns), .record = true};

void world_report_score(Report *report, const WorldFindings *findings)
{
    Table *table = report_table(report, &world_table);
    Js *controls = js_object();
    table_text(table, "test", findings->test);
    table_interval(table, "score", findings->score[PLAYER_NETWORK]);
    table_text(table, "score_meaning", findings->meaning);
    table_int(table, "units", (int64_t)findings->units);
    table_text(table, "model_hash", findings->model_hash);
    for (int kind = PLAYER_NETWORK + 1; kind < N_PLAYER_KINDS; kind++) {
        js_set_num(controls, player_name((PlayerKind)kind), findings->score[kind].value);
    }
    table_set(table, "controls", controls);
}

/* ---- transposition ---- */

static const Column transposition_columns[] = {
    WORLD_PLAYER_COLUMNS,
    {"effect", "effect", .digits = 4, .interval = true, .meaning = "KL / KL of other boards"},
    {"kl", "KL", .digits = 5, .interval = true, .flags = COLUMN_BRIEF, .unit = "nats"},
    {"null_kl", "other board", .digits = 2, .interval = true, .flags = COLUMN_BRIEF},
    {"distance", "distance", .digits = 4, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "total variation"},
    {"null_distance", "other board", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"jaccard", "Jaccard", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
    {"null_jaccard", "other board", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"same_set", "one set", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
    {"null_same_set", "other board", .unit = "%", .digits = 1, .interval = true,
     .flags = COLUMN_BRIEF},
    {"same_top", "one top", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
    {"null_same_top", "other board", .unit = "%", .digits = 1, .interval = true,
     .flags = COLUMN_BRIEF},
    {"both_legal", "both legal", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
};
const TableSpec world_transposition_table = {"players", "world_transposition",
                                             "two histories of one board, by player",
                                             TABLE_COLUMNS(transposition_columns)};

void world_report_transposition(Report *report, WorldFindings *findings,
                                const TranspositionScore *scores)
{
    findings->test = "transposition";
    findings->meaning = "KL between histories of one board, as a share of KL between boards";
    for (int kind = 0; kind < N_PLAYER_KINDS; kind++) {
        findings->score[kind] = scores[kind].effect;
    }
    world_report_score(report, findings);
    Table *table = report_table(report, &world_transposition_table);
    for (int kind = 0; kind < N_PLAYER_KINDS; kind++) {
        const TranspositionScore *score = &scores[kind];
        world__player_row(table, findings, kind);
        table_interval(table, "effect", score->effect);
        table_interval(table, "kl", score->kl);
        table_interval(table, "null_kl", score->null_kl);
        table_interval(table, "distance", score->distance);
        table_interval(table, "null_distance", score->null_distance);
        table_interval(table, "jaccard", score->jaccard);
        table_interval(table, "null_jaccard", score->null_jaccard);
        table_interval(table, "same_set", score->same_set);
        table_interval(table, "null_same_set", score->null_same_set);
        table_interval(table, "same_top", score->same_top);
        table_interval(table, "null_same_top", score->null_same_top);
        table_interval(table, "both_legal", score->both_legal);
    }
}

/* ---- detours ---- */

static const Column detour_columns[] = {
    WORLD_PLAYER_COLUMNS,
    {"detour", "detour", .type = COLUMN_TEXT},
    {"share", "share", .digits = 2, .meaning = "moves that are replaced"},
    {"finished", "finished", .unit = "%", .digits = 1, .interval = true},
    {"first_illegal", "first illegal", .unit = "ply", .digits = 1, .interval = true},
    {"own_moves", "own moves", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
    {"move_error", "illegal", .unit = "%", .digits = 3, .interval = true},
};
const TableSpec world_detour_table = {"players", "world_detours",
                                      "games of a player with itself, some of its moves replaced",
                                      TABLE_COLUMNS(detour_columns)};

/* The same, a line a player. */
static const Column share_columns[] = {
    {"player", "player", .type = COLUMN_TEXT},
    {"detour", "detour", .type = COLUMN_TEXT},
    {"q0", "q 0", .digits = 3},
    {"q001", "q .01", .digits = 3},
    {"q01", "q .1", .digits = 3},
    {"q025", "q .25", .digits = 3},
    {"q05", "q .5", .digits = 3},
    {"q075", "q .75", .digits = 3},
};
const TableSpec world_detour_shares_table = {
    .name = "shares",
    .title = "share of games that end legally, by the share q of moves that are replaced",
    TABLE_COLUMNS(share_columns)};

static void detour_shares(Table *table, const DetourScore *scores, int kind)
{
    enum { FIRST = 2, N_COLUMNS = sizeof(share_columns) / sizeof(share_columns[0]) };
    _Static_assert(N_COLUMNS == FIRST + N_DETOUR_SHARES, "a column a share, in their order");
    for (int detour = 0; detour < N_DETOUR_KINDS; detour++) {
        table_row(table);
        table_text(table, "player", player_name((PlayerKind)kind));
        table_text(table, "detour", world_detour_name((DetourKind)detour));
        for (int share = 0; share < N_DETOUR_SHARES; share++) {
            table_num(table, share_columns[FIRST + share].key,
                      scores[detour * N_DETOUR_SHARES + share].finished.value);
        }
    }
}

void world_report_detours(Report *report, WorldFindings *findings, const DetourScore *scores)
{
    enum { ROWS = N_DETOUR_KINDS * N_DETOUR_SHARES };
    findings->test = "detour";
    findings->meaning = "games finished legally with every fourth move replaced by the move that "
                        "the player finds least likely";
    for (int kind = 0; kind < N_PLAYER_KINDS; kind++) {
        findings->score[kind] =
            scores[kind * ROWS + DETOUR_LEAST_LIKELY * N_DETOUR_SHARES + DETOUR_SHARE_SCORE]
                .finished;
    }
    world_report_score(report, findings);
    Table *shares = report_table(report, &world_detour_shares_table);
    shares->undocumented = true;
    Table *table = report_table(report, &world_detour_table);
    for (int kind = 0; kind < N_PLAYER_KINDS; kind++) {
        detour_shares(shares, scores + kind * ROWS, kind);
        for (int i = 0; i < ROWS; i++) {
            const DetourScore *score = &scores[kind * ROWS + i];
            world__player_row(table, findings, kind);
            table_text(table, "detour", world_detour_name(score->kind));
            table_num(table, "share", score->share);
            table_interval(table, "finished", score->finished);
            table_interval(table, "first_illegal", score->first_illegal);
            table_interval(table, "own_moves", score->moves);
            table_interval(table, "move_error", score->error);
        }
    }
    table->hidden = true;
}
