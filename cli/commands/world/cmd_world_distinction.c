/* cli/commands/world/cmd_world_distinction.c - ogpt world distinction: is what may follow one
 * state and not another told apart? */
#include "base/err.h"
#include "cli/commands/world/world_session.h"

typedef struct DistinctionOptions {
    int64_t states;
    WorldCommonOptions common;
} DistinctionOptions;

#define AT(field) offsetof(DistinctionOptions, field)
static const OptionSpec options[] = {
    OPTION_INT("states", AT(states), "N", 1, CASES_MAX, "pairs of states of each kind",
               .def = "100"),
    OPTIONS_WORLD,
};

enum { BOUNDARY_SCORES = N_STATE_PAIRS * N_WORLD_EPS };

typedef struct DistinctionTest {
    WorldSession session;
    PairSet flips;
    DistinctionScore scores[N_PLAYER_KINDS * BOUNDARY_SCORES];
} DistinctionTest;

static int test_player(void *context, int kind, const Player *player, const Work *work)
{
    DistinctionTest *test = context;
    DistinctionScore *scores = test->scores + kind * BOUNDARY_SCORES;
    int rc = world_distinction(scores, player, STATES_ANY, &test->flips, work);
    return rc ? rc
              : world_distinction(scores + N_WORLD_EPS, player, STATES_FLIP, &test->flips, work);
}

static int distinction_run(Context *context)
{
    const DistinctionOptions *given = context->options;
    DistinctionTest test = {0};
    int rc = world_session_open(&test.session, context, &given->common);
    rc = rc ? rc : world_session_begin(&test.session, NULL, NULL);
    rc =
        rc ? rc : world_session_pairs(&test.flips, &test.session, PAIR_FLIP, (size_t)given->states);
    rc = rc ? rc : world_session_each(&test.session, test_player, &test);
    if (rc == 0) {
        test.session.findings.units = test.flips.n;
        world_report_distinction(context->report, &test.session.findings, test.scores);
        rc = world_session_done(&test.session);
    }
    pairs_release(&test.flips);
    world_session_release(&test.session);
    return rc;
}

const Command cmd_world_distinction = {
    .name = "world distinction",
    .arguments = "MODEL [--states N]",
    .summary = "whether states are told apart by what may follow them",
    .examples = "ogpt world distinction tiny-6x6 --states 50\n"
                "ogpt world distinction runs/tiny --states 30",
    COMMAND_OPTIONS(options, DistinctionOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&world_table, &world_distinction_scores_table, &world_distinction_table),
    .run = distinction_run,
};
