/* cli/commands/world/cmd_world_detour.c - ogpt world detour: games of a player with itself in
 * which other moves are put in its way. */
#include "base/err.h"
#include "cli/commands/world/world_session.h"

typedef struct DetourCommandOptions {
    int64_t games, opening;
    WorldCommonOptions common;
} DetourCommandOptions;

#define AT(field) offsetof(DetourCommandOptions, field)
static const OptionSpec options[] = {
    OPTION_INT("games", AT(games), "N", 1, 1e6, "games for each kind and share of detours",
               .def = "300"),
    OPTION_OPENING(AT(opening)),
    OPTIONS_WORLD,
};

enum { DETOUR_SCORES = N_DETOUR_KINDS * N_DETOUR_SHARES };

typedef struct DetourTest {
    WorldSession session;
    DetourOptions options;
    DetourScore scores[N_PLAYER_KINDS * DETOUR_SCORES];
} DetourTest;

static int test_player(void *context, int kind, const Player *player, const Work *work)
{
    DetourTest *test = context;
    return world_detours(test->scores + kind * DETOUR_SCORES, player, &test->options, work);
}

static int detour_run(Context *context)
{
    const DetourCommandOptions *given = context->options;
    DetourTest test = {.options.games = (size_t)given->games};
    int rc = world_session_open(&test.session, context, &given->common);
    rc = rc ? rc : world_session_opening(&test.options.opening, &test.session, given->opening);
    rc = rc ? rc : world_session_begin(&test.session, NULL, NULL);
    rc = rc ? rc : world_session_each(&test.session, test_player, &test);
    if (rc == 0) {
        test.session.findings.units = test.options.games;
        world_report_detours(context->report, &test.session.findings, test.scores);
        rc = world_session_done(&test.session);
    }
    world_session_release(&test.session);
    return rc;
}

const Command cmd_world_detour = {
    .name = "world detour",
    .arguments = "MODEL [--games N]",
    .summary = "whether a game is finished legally when other moves are put in its way",
    .examples = "ogpt world detour tiny-6x6\n"
                "ogpt world detour runs/tiny --games 200",
    COMMAND_OPTIONS(options, DetourCommandOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&world_table, &world_detour_shares_table, &world_detour_table),
    .run = detour_run,
};
