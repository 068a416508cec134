/* cli/commands/games/cmd_corpus_info.c - ogpt corpus info: what a corpus holds. */
#include "cli/study.h"
#include "datasets/corpus.h"

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
static const TableSpec info_table = {"corpus", TABLE_COLUMNS(info_columns), .record = true};

static int info_run(Context *context)
{
    Corpus *corpus = NULL;
    CorpusCounts counts = {0};
    int rc = corpus_open(&corpus, context->args[0], true);
    rc = rc ? rc : corpus_count(&counts, corpus);
    if (rc != 0) {
        corpus_close(corpus);
        return rc;
    }
    const CorpusInfo *info = corpus_info(corpus);
    Table *table = study_table(context, &info_table); /* null: unknown, because it is unfinished */
    table_text(table, "path", context->args[0]);
    table_int(table, "size", info->variant->size);
    table_text(table, "rules", game_rules_name(info->variant->rules));
    table_text(table, "source", info->source);
    table_int(table, "corpus_seed", (int64_t)info->seed);
    table_text(table, "generator", info->generator);
    table_int(table, "games_present", (int64_t)info->n_games_present);
    table_bool(table, "complete", info->complete);
    table_int(table, "games", (int64_t)info->n_games);
    table_set(table, "plies", info->complete ? js_int((int64_t)info->plies) : js_null());
    table_int(table, "duplicates", (int64_t)counts.duplicates);
    table_int(table, "duplicates_symmetric", (int64_t)counts.duplicates_symmetric);
    table_text(table, "content_hash", info->complete ? info->content_hash : NULL);
    table_int(table, "version", info->version);
    table_text(table, "split_rule", split_rules_name(info->split_rules));
    table_int(table, "training_games", (int64_t)counts.splits[SPLIT_TRAIN]);
    table_int(table, "validation_games", (int64_t)counts.splits[SPLIT_VALIDATION]);
    table_int(table, "test_games", (int64_t)counts.splits[SPLIT_TEST]);
    if (!info->complete) {
        text_add(study_text(context),
                 "unfinished: %llu games are there; type the same generate command again\n",
                 (unsigned long long)info->n_games_present);
    }
    corpus_close(corpus);
    return 0;
}

const Command cmd_corpus_info = {
    .name = "corpus info",
    .arguments = "CORPUS",
    .summary = "what a corpus holds",
    .examples = "ogpt corpus info games.ogpc",
    .min_args = 1,
    .max_args = 1,
    COMMAND_TABLES(&info_table),
    .run = info_run,
};
