/* cli/commands/board/cmd_probe_compare.c - ogpt probe compare: which differences between layers,
 * sites, tasks and networks are real, by paired tests on the same test games. */
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/board/compare_match.h"
#include "cli/commands/board/probe_run.h"

typedef struct CompareGiven {
    const char *corpus;
    LayerList layers;
    int score; /* ScoreKind */
    int64_t test_games, plies, memory;
} CompareGiven;

#define AT(field) offsetof(CompareGiven, field)
static const OptionSpec options[] = {
    OPTION_CORPUS(AT(corpus), "games to read positions from"),
    OPTION_ROW("layers", OPT_LAYERS, AT(layers),
               "the layer of every probe; best: each probe's best on validation games", .max = 1,
               .def = "best", .choices = "best", .alias = "layer"),
    OPTION_ENUM("score", AT(score), "cells|boards|nonempty|flipped",
                "what is compared: accuracy, exact boards, accuracy over discs, over turned discs",
                .def = "cells"),
    OPTION_TEST_GAMES(AT(test_games)),
    OPTION_PLIES(AT(plies)),
    OPTION_CAPTURED(AT(memory)),
};

static const Column columns[] = {
    {.key = "probe", .heading = "probe", .type = COLUMN_TEXT},
    {.key = "model_hash", .heading = "model", .type = COLUMN_TEXT, .flags = COLUMN_WIDE},
    {.key = "task", .heading = "task", .type = COLUMN_TEXT},
    {.key = "site", .heading = "site", .type = COLUMN_TEXT},
    {.key = "solver", .heading = "solver", .type = COLUMN_TEXT, .flags = COLUMN_WIDE},
    {.key = "layer", .heading = "layer", .type = COLUMN_LAYER},
    {.key = "validation_accuracy",
     .heading = "validation",
     .unit = "%",
     .digits = 2,
     .meaning = "accuracy on validation games, which choose the best layer"},
    {.key = "value",
     .heading = "score",
     .unit = "%",
     .digits = 2,
     .interval = true,
     .meaning = "on test games"},
};
static const TableSpec probes_table = {.name = "probes", TABLE_COLUMNS(columns)};

static void probe_row(Table *table, const Match *match, const Contender *one, int index,
                      uint64_t seed)
{
    table_row(table);
    table_text(table, "probe", one->path);
    table_text(table, "model_hash", one->subject->model.model_hash);
    table_text(table, "task", one->probe->task);
    table_text(table, "site", hook_site_name(one->probe->site));
    table_text(table, "solver", one->probe->solver);
    table_int(table, "layer", one->probe->layers[index]);
    table_num(table, "validation_accuracy", one->validation[index]);
    table_interval(table, "value", compare_score(one, index, match->options.score, seed));
}

static void test_row(Table *table, const Contender *one, int index, const char *against,
                     const char *score, const PairedTest *test)
{
    table_row(table);
    table_text(table, "probe", one->path);
    table_text(table, "task", one->probe->task);
    table_int(table, "layer", one->probe->layers[index]);
    table_text(table, "against", against);
    table_text(table, "score", score);
    probe_tables_test(table, test);
}

/* One probe: every layer minus the best. */
static void layers_fill(Table *probes, Table *tests, const Match *match, const char *score,
                        uint64_t seed)
{
    const Contender *one = &match->contender[0];
    char best[16];
    probe_layer_name(best, one->probe->layers[one->best]);
    for (int i = 0; i < one->probe->n_layers; i++) {
        probe_row(probes, match, one, i, seed);
        if (i != one->best) {
            test_row(tests, one, i, best, score, &match->test[i]);
        }
    }
}

/* Several: every pair at the compared layers. */
static void pairs_fill(Table *probes, Table *tests, const Match *match, const char *score,
                       uint64_t seed)
{
    const PairedTest *test = match->test;
    for (size_t j = 0; j < match->n; j++) {
        const Contender *other = &match->contender[j];
        char name[16], against[FILES_PATH_MAX + 32];
        probe_layer_name(name, other->probe->layers[other->best]);
        snprintf(against, sizeof(against), "%s %s", other->path, name);
        probe_row(probes, match, other, other->best, seed);
        for (size_t i = 0; i < j; i++) {
            test_row(tests, &match->contender[i], match->contender[i].best, against, score, test++);
        }
    }
}

static void result_fill(Context *context, const Match *match)
{
    static const char *const names[N_SCORES] = {"accuracy", "exact boards", "accuracy over discs",
                                                "accuracy over turned discs"};
    const Contender *first = &match->contender[0];
    const Reading *reading = first->readings.list[0];
    size_t n_games = reading ? reading->sums.n_games : 0;
    char best[16];
    Js *score = context_option(context, "score");
    probe_layer_name(best, first->probe->layers[first->best]);
    study_json(context, "score", js_keep(score));
    study_json(context, "test_games", js_int((int64_t)n_games));
    text_add(study_text(context), "score: %s of %zu test games; percent\n",
             names[match->options.score], n_games);
    Table *probes = study_table(context, &probes_table);
    if (match->n == 1) {
        text_add(study_text(context), "the best layer on validation games: %s\n", best);
    }
    Table *tests = study_table(context, &probe_tests_table);
    if (match->n == 1) {
        layers_fill(probes, tests, match, js_str_of(score), context->seed);
    } else {
        pairs_fill(probes, tests, match, js_str_of(score), context->seed);
    }
    tests->hidden = table_rows(tests) == 0;
    js_free(score);
}

static int compare_run(Context *context)
{
    const CompareGiven *given = context->options;
    bool one = given->layers.word == LAYERS_LISTED;
    Match *match = mem_calloc(1, sizeof(Match), "the probes to be compared");
    if (!match) {
        return OGPT_ENOMEM;
    }
    match->options = (CompareOptions){.n_test_games = (size_t)given->test_games,
                                      .plies = (int)given->plies,
                                      .layer = one ? given->layers.layers[0] : COMPARE_BEST,
                                      .score = (ScoreKind)given->score};
    int rc = match_open(match, context, given->corpus);
    rc = rc ? rc : study_begin(context, match->contender[0].path, false);
    rc = rc ? rc : match_play(match, context, (size_t)given->memory << 20);
    if (rc == 0) {
        result_fill(context, match);
    }
    match_release(match);
    mem_free(match);
    return rc;
}

const Command cmd_probe_compare = {
    .name = "probe compare",
    .arguments = "MODEL [PROBE] [MODEL PROBE]... --corpus CORPUS",
    .summary = "paired tests between layers, sites, tasks and networks on the same games",
    .examples = "ogpt probe compare runs/tiny probe --corpus games.ogpc\n"
                "ogpt probe compare runs/tiny probe runs/mine probe-mine --corpus games.ogpc\n"
                "ogpt probe compare runs/tiny probe runs/tiny probe-2 --corpus games.ogpc",
    COMMAND_OPTIONS(options, CompareGiven),
    .min_args = 1,
    .max_args = 2 * COMPARE_MAX,
    .model_args = -1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&probes_table, &probe_tests_table),
    .run = compare_run,
};
