/* cli/commands/readers/cmd_steer.c - ogpt steer: a network is moved along a direction, and the
 * rules of the game say whether it followed. */
#include "cli/commands/common/sae_input.h"
#include "cli/commands/readers/steer_file.h"
#include "cli/study.h"
#include "report/directions/steer_result.h"

#define AT(field) offsetof(SteerCommand, field)
static const OptionSpec options[] = {
    OPTION_ENUM("target", AT(target), STEER_TARGET_NAMES, "the property to steer to",
                .def = "mine"),
    OPTION_ENUM("from", AT(origin), STEER_ORIGIN_NAMES, "where the vectors come from",
                .def = "means"),
    OPTION_TEXT("square", AT(square), "SQUARE", "only this square (default: all, drawn)"),
    OPTION_PROBE(AT(probe), "with --from probe: the probe; with --from sae: the one beside it"),
    OPTION_SAE(AT(sae), "with --from sae"),
    OPTION_TEXT("features", AT(features), "LIST",
                "with --from sae: only these features, such as 3,17,40-50, and only squares for "
                "which one of them is among --per-state"),
    OPTION_INT("per-state", AT(per_state), "N", 1, FEATURES_HANDLES_MOST,
               "with --from sae: features of each state of a square", .def = "2"),
    OPTION_FEATURES_GAMES(AT(features_games), "with --from sae"),
    OPTION_SITE(AT(site), HOOK_NAMES_VECTOR, "where the vectors are added"),
    OPTION_ROW("layers", OPT_LAYERS, AT(layers),
               "layers that are steered; auto tries each alone and takes the best on tuning games",
               .def = "auto", .choices = "all|auto"),
    OPTION_TEXT("alpha", AT(alpha), "LIST",
                "scales to try, separated by commas; the best on tuning games is taken",
                .def = "0.5,1,2,4"),
    OPTION_ENUM("positions", AT(positions), "last|all", "which positions are steered",
                .def = "last"),
    OPTION_INT("heads", AT(heads), "N", 1, 4096, "heads of a function vector", .def = "4"),
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games: vectors are fitted on its training split, layers and scale chosen on its "
                "validation split, results of its test split (default: fresh random games, by the "
                "seed)"),
    OPTION_INT("fit-games", AT(fit_games), "N", 2, 1e6, "games to fit vectors on", .def = "2000"),
    OPTION_INT("tuning-games", AT(tuning_games), "N", 1, 1e6, "games to choose layers and scale on",
               .def = "100"),
    OPTION_INT("games", AT(games), "N", 2, 1e6, "games of the result", .def = "250"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions drawn from each game; 0 takes all",
               .def = "8"),
    OPTION_MEMORY(AT(memory)),
    OPTION_OUT("out", AT(out), "MODEL",
               "write the network without the direction of --square: weights orthogonal to it"),
};

static int steer_command(Context *context)
{
    SteerSession session = {.context = context, .given = context->options};
    int rc = steering_load(&session);
    rc = rc || !session.given->out ? rc : steering_file_check(&session);
    rc = rc ? rc : study_begin(context, session.inputs.subject.model.path, true);
    rc = rc ? rc : steering_draw(&session);
    rc = rc ? rc : steering_compute(&session);
    rc = rc || !session.given->out ? rc : steering_file_write(&session);
    if (rc == 0) {
        steer_report(context->report,
                     &(SteerFindings){.study = &session.study,
                                      .in = &session.steer,
                                      .source = session.source,
                                      .model_hash = session.inputs.subject.model.model_hash,
                                      .probe = session.probe_path[0] ? session.probe_path : NULL,
                                      .square = session.given->square,
                                      .sae = session.sae_path,
                                      .features = session.given->features,
                                      .per_state = session.given->per_state,
                                      .features_positions = (int64_t)session.handles.n_positions,
                                      .out = session.given->out,
                                      .out_hash = session.out_hash});
        rc = kept_blocks_end(&session.kept);
    }
    steering_release(&session);
    return rc;
}

const Command cmd_steer = {
    .name = "steer",
    .arguments = "MODEL [--target TARGET] [--from ORIGIN] [--corpus CORPUS]",
    .summary = "move a network along a direction, or take it out, and let the rules judge",
    .examples = "ogpt steer tiny-6x6 --fit-games 500 --tuning-games 40 --games 100\n"
                "ogpt steer tiny-6x6 --target occupied --from function --layers 2 --games 100\n"
                "ogpt steer tiny-6x6 --from sae --games 100\n"
                "ogpt steer runs/tiny --corpus games.ogpc --games 100\n"
                "ogpt steer tiny-6x6 --square c2 --layers 4 --games 60 --out without-c2",
    COMMAND_OPTIONS(options, SteerCommand),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&steer_table, &steer_arms_table, &steer_ablation_table, &steer_heads_table,
                   &steer_trials_table),
    .run = steer_command,
};
