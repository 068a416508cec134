/* cli/commands/board/cmd_probe_geometry.c - ogpt probe geometry: angles between a probe's
 * directions, how stable they are, and how much of a layer the board explains. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/board/board_options.h"
#include "cli/study.h"
#include "report/results/geometry_tables.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"

typedef struct GeometryGiven {
    const char *corpus;
    int64_t games, test_games, plies, memory;
    bool no_halves;
} GeometryGiven;

#define AT(field) offsetof(GeometryGiven, field)
static const OptionSpec options[] = {
    OPTION_CORPUS(AT(corpus), "games for the explained variance and the fits on halves"),
    OPTION_INT("games", AT(games), "N", 2, GAMES_MOST, "training games", .def = "1250"),
    OPTION_INT("test-games", AT(test_games), "N", 2, GAMES_MOST,
               "test games, for the explained variance", .def = "1000"),
    OPTION_PLIES(AT(plies)),
    OPTION_CAPTURED(AT(memory)),
    OPTION_FLAG("no-halves", AT(no_halves), "leave out the fits on halves of the training games"),
};

static int geometry_run(Context *context)
{
    const GeometryGiven *given = context->options;
    ExplainedOptions asked = {.n_games = (size_t)given->games,
                              .n_test_games = (size_t)given->test_games,
                              .plies = (int)given->plies};
    char own[FILES_PATH_MAX] = "";
    Corpus *corpus = NULL;
    Geometry *geometry = mem_calloc(1, sizeof(Geometry), "the probes to be measured");
    if (!geometry) {
        return OGPT_ENOMEM;
    }
    int rc = context_subject_open(context, &geometry->subject, context->args[0]);
    rc = rc || context->n_args > 1 ? rc : context_probe_find(context, own, NULL);
    for (int i = 1; i < context->n_args && rc == 0; i++) {
        rc = geometry_load(geometry, context->args[i]);
    }
    rc = rc || context->n_args > 1 ? rc : geometry_load(geometry, own);
    rc = rc ? rc : corpus_open(&corpus, given->corpus, false);
    rc = rc ? rc : context_inputs_match(context, &geometry->subject, corpus, given->corpus);
    for (size_t i = 0; i < geometry->n && rc == 0; i++) {
        corpus_divide(corpus, geometry->probe[i].probe.split_rules);
    }
    rc = rc ? rc : study_begin(context, geometry->probe[0].path, false);
    if (rc == 0) {
        Work work = *study_work(context, "measuring", "layers");
        work.memory_bytes = (size_t)given->memory << 20;
        context_say(context, "up to %lld MiB of memory for activations", (long long)given->memory);
        rc = geometry_measure(geometry, corpus, &asked, !given->no_halves, &work);
    }
    if (rc == 0) {
        probe_geometry_fill(context->report, geometry);
    }
    geometry_release(geometry);
    corpus_close(corpus);
    mem_free(geometry);
    return rc;
}

const Command cmd_probe_geometry = {
    .name = "probe geometry",
    .arguments = "MODEL [PROBE]... --corpus CORPUS",
    .summary = "angles between a probe's directions (default: MODEL/" PROBE_FOLDER
               "), their stability, and what the board explains",
    .examples = "ogpt probe geometry runs/tiny probe --corpus games.ogpc\n"
                "ogpt probe geometry runs/tiny probe empty --corpus games.ogpc\n"
                "ogpt probe geometry runs/tiny probe probe-2 --corpus games.ogpc --no-halves",
    COMMAND_OPTIONS(options, GeometryGiven),
    .min_args = 1,
    .max_args = 1 + GEOMETRY_MAX,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&geometry_table, &geometry_layers_table, &geometry_pairs_table),
    .run = geometry_run,
};
