/* report/corpora/corpus_result.c - contract in report/corpora/corpus_result.h. */
#include "report/corpora/corpus_result.h"

#include "game/notation.h"

static const Column info_columns[] = {
    {"path", "corpus", .type = COLUMN_TEXT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    {"rules", "rules", .type = COLUMN_TEXT},
    {"source", "source", .type = COLUMN_TEXT},
    {"generator", "made by", .type = COLUMN_TEXT},
    {"corpus_seed", "seed", .type = COLUMN_COUNT},
    {"games_present", .type = COLUMN_COUNT},
    {"complete", .type = COLUMN_YES_NO},
    {"games", "games", .type = COLUMN_COUNT},
    {"plies", "plies", .type = COLUMN_COUNT},
    {"duplicates", "duplicates", .type = COLUMN_COUNT, .meaning = "equal to an earlier game"},
    {"duplicates_symmetric", "or mirrored", .type = COLUMN_COUNT,
     .meaning = "equal to an earlier game or a mirror image of it"},
    {"version", "file version", .type = COLUMN_COUNT},
    {"split_rule", "split by", .type = COLUMN_TEXT,
     .meaning = "canonical: a game and its mirror images together; game: each by itself"},
    {"training_games", "training", .type = COLUMN_COUNT, .meaning = "games of that split"},
    {"validation_games", "validation", .type = COLUMN_COUNT},
    {"test_games", "test", .type = COLUMN_COUNT},
    {"content_hash", "content hash", .type = COLUMN_TEXT, .flags = COLUMN_HASH},
};
const TableSpec corpus_table = {"corpus", TABLE_COLUMNS(info_columns), .record = true};

static const Column generate_columns[] = {
    {"path", "corpus", .type = COLUMN_TEXT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side", .flags = COLUMN_UNSTORED},
    {"rules", "rules", .type = COLUMN_TEXT, .flags = COLUMN_UNSTORED},
    {"seed", "seed", .type = COLUMN_COUNT, .flags = COLUMN_UNSTORED},
    {"games", "games", .type = COLUMN_COUNT},
    {"games_made_now", "made now", .type = COLUMN_COUNT, .flags = COLUMN_UNSTORED | COLUMN_TIME},
    {"plies", "plies", .type = COLUMN_COUNT},
    {"content_hash", "content hash", .type = COLUMN_TEXT, .flags = COLUMN_HASH},
    {"seconds", "time", .unit = "s", .digits = 2, .flags = COLUMN_TIME},
    {"games_per_second", "speed", .unit = "games/s", .flags = COLUMN_TIME},
};
const TableSpec generate_table = {"corpus", "corpora", TABLE_COLUMNS(generate_columns),
                                  .record = true};

/* Counts of one file, and of all. */
#define COUNT_COLUMNS                                                                              \
    {"read", "read", .type = COLUMN_COUNT},                                                        \
        {"games", "kept", .type = COLUMN_COUNT, .meaning = "games of the corpus"},                 \
        {"rejected", "rejected", .type = COLUMN_COUNT},                                            \
        {"duplicates", "duplicates", .type = COLUMN_COUNT, .meaning = "equal to an earlier game"}, \
        {"duplicates_symmetric", "or mirrored", .type = COLUMN_COUNT,                              \
         .meaning = "equal to an earlier game or a mirror image of it"},                           \
        {"no_moves", "without moves", .type = COLUMN_COUNT, .meaning = "left out"},                \
        {"unfinished", "unfinished", .type = COLUMN_COUNT,                                         \
         .meaning = "the side to move could still play"},                                          \
        {"score_mismatches", "score mismatches", .type = COLUMN_COUNT,                             \
         .meaning = "stated result is neither count of the last board"},                           \
        {"unknown_results", "unknown results", .type = COLUMN_COUNT,                               \
         .meaning = "none stated where the format has a place for one"},                           \
        {"turned", "turned", .type = COLUMN_COUNT,                                                 \
         .meaning = "began from the mirrored start position; ranks turned over"},                  \
        {"renamed", "renamed", .type = COLUMN_COUNT,                                               \
         .meaning = "named their squares as the middle of a larger board"},                        \
    {                                                                                              \
        "found", "found", .type = COLUMN_COUNT, .meaning = "games found inside prose"              \
    }

static const Column import_columns[] = {
    {"path", "corpus", .type = COLUMN_TEXT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    COUNT_COLUMNS,
    {"plies", "plies", .type = COLUMN_COUNT},
    {"content_hash", "content hash", .type = COLUMN_TEXT, .flags = COLUMN_HASH},
    {"unchanged", .type = COLUMN_YES_NO, .flags = COLUMN_UNSTORED | COLUMN_TIME},
    {"seconds", "time", .unit = "s", .digits = 2, .flags = COLUMN_TIME},
    {"games_per_second", "speed", .unit = "games/s", .flags = COLUMN_TIME},
};
static const Column file_columns[] = {{"path", "file", .type = COLUMN_TEXT},
                                      {"format", "format", .type = COLUMN_TEXT},
                                      COUNT_COLUMNS};
static const Column reject_columns[] = {
    {"path", "file", .type = COLUMN_TEXT},   {"line", "line", .type = COLUMN_COUNT},
    {"game", "game", .type = COLUMN_COUNT},  {"row", "row", .type = COLUMN_COUNT},
    {"ply", "ply", .type = COLUMN_COUNT},    {"reason", "reason", .type = COLUMN_TEXT},
    {"board", "board", .type = COLUMN_TEXT},
};
const TableSpec import_table = {"import", "imports", TABLE_COLUMNS(import_columns), .record = true};
const TableSpec import_files_table = {"files", TABLE_COLUMNS(file_columns)};
const TableSpec import_rejects_table = {"rejects", TABLE_COLUMNS(reject_columns)};

static void counts_set(Table *table, const ImportCounts *counts)
{
    table_int(table, "read", (int64_t)counts->read);
    table_int(table, "games", (int64_t)counts->games);
    table_int(table, "rejected", (int64_t)counts->rejected);
    table_int(table, "duplicates", (int64_t)counts->duplicates);
    table_int(table, "duplicates_symmetric", (int64_t)counts->duplicates_symmetric);
    table_int(table, "no_moves", (int64_t)counts->no_moves);
    table_int(table, "unfinished", (int64_t)counts->unfinished);
    table_int(table, "score_mismatches", (int64_t)counts->score_mismatches);
    table_int(table, "unknown_results", (int64_t)counts->unknown_results);
    table_int(table, "turned", (int64_t)counts->turned);
    table_int(table, "renamed", (int64_t)counts->renamed);
    table_int(table, "found", (int64_t)counts->found);
}

void import_report_file(Table *table, const ImportFile *file)
{
    table_row(table);
    table_text(table, "path", file->path);
    table_text(table, "format", file->format);
    counts_set(table, &file->counts);
}

void import_report_reject(Table *table, const GameVariant *variant, const ImportReject *reject)
{
    char board[BOARD_SQUARES + 3];
    board_print(board, variant, reject->board);
    table_row(table);
    table_text(table, "path", reject->path);
    table_int(table, reject->counts, (int64_t)reject->place);
    table_int(table, "ply", reject->ply);
    table_text(table, "reason", reject->reason);
    table_text(table, "board", board);
}

void import_report_total(Table *table, const char *path, const GameVariant *variant,
                         const ImportResult *result)
{
    double rate = result->seconds > 0 ? (double)result->counts.read / result->seconds : 0;
    table_text(table, "path", path);
    table_int(table, "size", variant->size);
    counts_set(table, &result->counts);
    table_int(table, "plies", (int64_t)result->plies);
    table_text(table, "content_hash", result->refused ? NULL : result->content_hash);
    table_bool(table, "unchanged", result->unchanged);
    table_num(table, "seconds", result->seconds);
    table_num(table, "games_per_second", rate);
}

void corpus_report(Table *table, const char *path, const CorpusInfo *info,
                   const CorpusCounts *counts)
{
    table_text(table, "path", path);
    table_int(table, "size", info->variant->size);
    table_text(table, "rules", game_rules_name(info->variant->rules));
    table_text(table, "source", info->source);
    table_int(table, "corpus_seed", (int64_t)info->seed);
    table_text(table, "generator", info->generator);
    table_int(table, "games_present", (int64_t)info->n_games_present);
    table_bool(table, "complete", info->complete);
    table_int(table, "games", (int64_t)info->n_games);
    table_set(table, "plies", info->complete ? js_int((int64_t)info->plies) : js_null());
    table_int(table, "duplicates", (int64_t)counts->duplicates);
    table_int(table, "duplicates_symmetric", (int64_t)counts->duplicates_symmetric);
    table_text(table, "content_hash", info->complete ? info->content_hash : NULL);
    table_int(table, "version", info->version);
    table_text(table, "split_rule", split_rules_name(info->split_rules));
    table_int(table, "training_games", (int64_t)counts->splits[SPLIT_TRAIN]);
    table_int(table, "validation_games", (int64_t)counts->splits[SPLIT_VALIDATION]);
    table_int(table, "test_games", (int64_t)counts->splits[SPLIT_TEST]);
}

void generate_report(Table *table, const char *path, const GameVariant *variant, uint64_t seed,
                     const GenerateResult *result)
{
    double rate = result->seconds > 0 ? (double)result->games_made_now / result->seconds : 0;
    table_text(table, "path", path);
    table_int(table, "size", variant->size);
    table_text(table, "rules", game_rules_name(variant->rules));
    table_int(table, "seed", (int64_t)seed);
    table_int(table, "games", (int64_t)result->games);
    table_int(table, "games_made_now", (int64_t)result->games_made_now);
    table_int(table, "plies", (int64_t)result->plies);
    table_text(table, "content_hash", result->content_hash);
    table_num(table, "seconds", result->seconds);
    table_num(table, "games_per_second", rate);
}
