/* cli/commands/world/cmd_world_adversary.c - ogpt world adversary: an opponent that plays legal
 * moves to make a network err. */
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/commands/world/found_files.h"
#include "cli/commands/world/world_session.h"

typedef struct AdversaryCommandOptions {
    int64_t games, opening, beam;
    WorldCommonOptions common;
    int goal; /* an AdversaryGoal, or N_ADVERSARY_GOALS: all */
    const char *probe, *out, *found;
    LayerList layer;
} AdversaryCommandOptions;

#define AT(field) offsetof(AdversaryCommandOptions, field)
static const OptionSpec options[] = {
    OPTION_INT("games", AT(games), "N", 1, 1e6, "games for each player and opponent",
               .def = "1000"),
    OPTION_INT("beam", AT(beam), "N", 1, ADVERSARY_BEAM_MAX,
               "lines of a game that the opponent keeps in mind; 1 looks one move ahead",
               .def = "1"),
    OPTION_ENUM("goal", AT(goal), "random|friendly|unlikely|illegal|misread|all",
                "what the opponent plays for", .def = "all"),
    OPTION_PROBE(AT(probe), "the probe whose errors `misread` plays for"),
    OPTION_ONE_LAYER(AT(layer), "the layer where the probe reads (default: three quarters up)"),
    OPTION_OUT("out", AT(out), "CORPUS",
               "save the games up to each illegal move of the network that was found",
               .kept = true),
    OPTION_OUT("found", AT(found), "DIR",
               "save these games there, edits of the positions where it erred (cases.csv), and of "
               "positions of random games, as long (random.csv)"),
    OPTION_OPENING(AT(opening)),
    OPTIONS_WORLD,
};

typedef struct AdversaryTest {
    WorldSession session;
    AdversaryOptions options;
    Probe probe;
    char probe_path[FILES_PATH_MAX];
    bool probed;          /* somebody plays to misread it */
    int probe_layer;      /* index in its layers */
    int goal;             /* as in the options */
    AdversaryGame *games; /* (goals, games) of the network, to be saved; else NULL */
    AdversaryRow rows[N_PLAYER_KINDS * N_ADVERSARY_GOALS];
    size_t n_rows;
} AdversaryTest;

static int find_layer(AdversaryTest *test, const LayerList *given)
{
    test->probe_layer = given->n > 0 ? probe_layer_index(&test->probe, given->layers[0])
                                     : test->probe.n_layers * 3 / 4;
    return test->probe_layer >= 0
               ? 0
               : err_set(OGPT_EUSAGE, "--layers %s: the probe at %s has no such layer", given->text,
                         test->probe_path);
}

/* The probe that is named, or the one beside the network: `misread` alone must have one. */
static int open_probe(AdversaryTest *test, Context *context)
{
    const AdversaryCommandOptions *given = context->options;
    const Subject *subject = &test->session.subject;
    bool asked = given->probe || given->layer.n > 0;
    int rc = 0;
    if (given->goal == GOAL_MISREAD) {
        rc = context_probe_open(context, &test->probe, test->probe_path, subject, given->probe);
        rc = rc ? rc : world_check_probe(&test->probe, test->probe_path);
    } else if (given->goal == N_ADVERSARY_GOALS) {
        rc = context_probe_fitting(context, &test->probe, test->probe_path, subject, given->probe,
                                   world_check_probe, asked ? NULL : "opponent plays to misread");
    }
    test->probed = rc == 0 && test->probe_path[0] != '\0';
    if (rc == 0 && !test->probed && asked) {
        return err_set(OGPT_EUSAGE, "--%s: no probe is read%s%s: leave it out",
                       given->probe ? "probe" : "layers",
                       given->goal < N_ADVERSARY_GOALS ? " with --goal " : "",
                       given->goal < N_ADVERSARY_GOALS ? world_goal_name(given->goal) : "");
    }
    return rc || !test->probed ? rc : find_layer(test, &given->layer);
}

static int test_player(void *context, int kind, const Player *player, const Work *work)
{
    AdversaryTest *test = context;
    int rc = 0;
    for (int goal = 0; goal < N_ADVERSARY_GOALS && rc == 0; goal++) {
        bool wanted = test->goal == N_ADVERSARY_GOALS || test->goal == goal;
        if (wanted && (goal != GOAL_MISREAD || player->probe)) {
            AdversaryRow *row = &test->rows[test->n_rows++];
            bool saved = test->games && kind == PLAYER_NETWORK;
            row->player = (PlayerKind)kind;
            row->layer = goal == GOAL_MISREAD ? &test->probe.layers[test->probe_layer] : NULL;
            rc = world_adversary(&row->score,
                                 saved ? test->games + (size_t)goal * test->options.games : NULL,
                                 player, (AdversaryGoal)goal, &test->options, work);
        }
    }
    return rc;
}

static int adversary_run(Context *context)
{
    const AdversaryCommandOptions *given = context->options;
    AdversaryTest test = {.goal = given->goal,
                          .options = {.games = (size_t)given->games, .beam = (int)given->beam}};
    size_t n_games = N_ADVERSARY_GOALS * test.options.games;
    int rc = world_session_open(&test.session, context, &given->common);
    rc = rc ? rc : world_session_opening(&test.options.opening, &test.session, given->opening);
    rc = rc ? rc : open_probe(&test, context);
    FoundFiles files = {.corpus = given->out, .folder = given->found};
    rc = rc ? rc : found_files_check(&files, context, test.session.subject.variant);
    if (rc == 0 && (given->out || given->found)) {
        test.games = mem_calloc(n_games, sizeof(*test.games), "games against the network");
        rc = test.games ? 0 : OGPT_ENOMEM;
    }
    rc = rc ? rc : world_session_begin(&test.session, test.probed ? &test.probe : NULL, NULL);
    if (rc == 0 && test.probed) {
        test.session.set.players[PLAYER_NETWORK].probe = &test.probe;
        test.session.set.players[PLAYER_NETWORK].probe_layer = test.probe_layer;
    }
    rc = rc ? rc : world_session_each(&test.session, test_player, &test);
    if (rc == 0 && test.games) {
        rc = found_files_save(&files, context, test.session.subject.variant, test.games, n_games);
    }
    if (rc == 0) {
        test.session.findings.units = test.options.games;
        world_report_adversary(context->report, &test.session.findings, test.rows, test.n_rows);
        rc = world_session_done(&test.session);
    }
    if (rc == 0) {
        found_files_next(&files, context);
    }
    mem_free(test.games);
    probe_release(&test.probe);
    world_session_release(&test.session);
    return rc;
}

const Command cmd_world_adversary = {
    .name = "world adversary",
    .arguments = "MODEL [--games N] [--beam N] [--found DIR]",
    .summary = "an opponent that plays legal moves to make a network err",
    .examples = "ogpt world adversary tiny-6x6 --games 300\n"
                "ogpt world adversary runs/tiny --games 100 --goal illegal --beam 4 --found found",
    COMMAND_OPTIONS(options, AdversaryCommandOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&world_table, &world_adversary_table, &world_adversary_goals_table),
    .run = adversary_run,
};
