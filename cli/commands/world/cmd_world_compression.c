/* cli/commands/world/cmd_world_compression.c - ogpt world compression: is what may follow one
 * history of a state accepted after another? */
#include "base/err.h"
#include "cli/commands/world/world_session.h"

typedef struct CompressionOptions {
    int64_t states, suffixes;
    WorldCommonOptions common;
} CompressionOptions;

#define AT(field) offsetof(CompressionOptions, field)
static const OptionSpec options[] = {
    OPTION_INT("states", AT(states), "N", 1, CASES_MAX, "states, with two histories each",
               .def = "100"),
    OPTION_INT("suffixes", AT(suffixes), "N", 1, COMPRESSION_SUFFIXES_MAX,
               "suffixes drawn for each state", .def = "10"),
    OPTIONS_WORLD,
};

typedef struct CompressionTest {
    WorldSession session;
    PairSet pairs;
    int suffixes;
    CompressionScore scores[N_PLAYER_KINDS * N_WORLD_EPS];
} CompressionTest;

static int test_player(void *context, int kind, const Player *player, const Work *work)
{
    CompressionTest *test = context;
    return world_compression(test->scores + kind * N_WORLD_EPS, player, &test->pairs,
                             test->suffixes, work);
}

static int compression_run(Context *context)
{
    const CompressionOptions *given = context->options;
    CompressionTest test = {.suffixes = (int)given->suffixes};
    int rc = world_session_open(&test.session, context, &given->common);
    rc = rc ? rc : world_session_begin(&test.session, NULL, NULL);
    rc = rc ? rc
            : world_session_pairs(&test.pairs, &test.session, PAIR_TRANSPOSITION,
                                  (size_t)given->states);
    rc = rc ? rc : world_session_each(&test.session, test_player, &test);
    if (rc == 0) {
        test.session.findings.units = test.pairs.n;
        world_report_compression(context->report, &test.session.findings, test.scores);
        rc = world_session_done(&test.session);
    }
    pairs_release(&test.pairs);
    world_session_release(&test.session);
    return rc;
}

const Command cmd_world_compression = {
    .name = "world compression",
    .arguments = "MODEL [--states N] [--suffixes N]",
    .summary = "whether all histories of a state may be followed by the same",
    .examples = "ogpt world compression tiny-6x6 --states 50\n"
                "ogpt world compression runs/tiny --states 50 --suffixes 5",
    COMMAND_OPTIONS(options, CompressionOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&world_table, &world_compression_table),
    .run = compression_run,
};
