/* cli/commands/edits/cmd_intervene.c - ogpt intervene: edit the board inside the network, and let
 * the rules of the game say whether it now plays on the edited board. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/sae_input.h"
#include "cli/commands/edits/intervene_session.h"

#define AT(field) offsetof(InterveneOptions, field)
static const OptionSpec intervene_options[] = {
    OPTION_PROBE(AT(probe), "probe of task mine or colour, fitted on this model"),
    OPTION_TEXT("cases", AT(cases), "FILE[,FILE]",
                "cases to be reported (ogpt cases make); several with --method all",
                .required = true),
    OPTION_TEXT("tune", AT(tune), "FILE[,FILE]",
                "other cases, on which auto layers and scale are chosen: one file for all, or one "
                "for each of --cases"),
    OPTION_ENUM("method", AT(method), &(EDIT_METHODS(EDIT_METHOD_BAR) "|all")[1],
                "add a direction, negate (project) or set the coordinate along it, gradient "
                "through the probe, the difference of class means, clamp features of an "
                "autoencoder, or all of them as a table (default: add)",
                .argument = "METHOD"),
    OPTION_CHOICE("preset", AT(preset), EDIT_PRESET_NAMES,
                  "a published edit: method, site, layers, scale, direction and the rest",
                  .argument = "NAME"),
    OPTION_ENUM("direction", AT(direction), EDIT_DIRECTION_NAMES,
                "of method add: from the old state to the new, or the new state's own column",
                .def = "difference", .argument = "DIRECTION"),
    OPTION_ENUM("positions", AT(positions), EDIT_POSITION_NAMES,
                "edit the last position, or add the same change at all", .def = "last",
                .argument = "WHERE"),
    OPTION_ROW("site", OPT_SITE, AT(site), "where in each block (default: resid_post)",
               .choices = HOOK_NAMES_VECTOR, .parse = hook_site_parse),
    OPTION_ROW("layers", OPT_LAYERS, AT(layers),
               "blocks that are edited; auto: chosen on the cases of --tune (default: auto with "
               "--tune)",
               .choices = "all|auto"),
    OPTION_TEXT("scale", AT(scale), "X",
                "add, set: a length, or share of the residual's norm as in 0.5r; project: 1 "
                "negates; gradient, mean-difference: share of the change; or auto (default: auto "
                "with --tune, else 1 where the method needs no length)"),
    OPTION_INT("steps", AT(steps), "N", 1, EDIT_MAX_STEPS, "of method gradient: steps of Adam",
               .def = "100"),
    OPTION_TEXT("rate", AT(rate), "X",
                "of method gradient: Adam's rate, or with r a share of the row's root mean square",
                .def = EDIT_RATE),
    OPTION_TEXT(
        "means-from", AT(means_from), "CORPUS",
        "of method mean-difference: training games whose activations are averaged; of method sae: "
        "validation games that choose features (default: fresh ones, by the seed)"),
    OPTION_SAE(AT(sae), "of method sae"),
    OPTION_INT("per-state", AT(per_state), "N", 0, FEATURES_HANDLES_MOST,
               "of method sae: features of each state of a square; 0: chosen on the cases of "
               "--tune, 2 without them",
               .def = "0"),
    OPTION_FEATURES_GAMES(AT(features_games), "of method sae"),
    OPTION_ENUM("rule", AT(rule), "topn|threshold",
                "predicted set: the top N tokens, or those above 1/(2N)", .def = "topn",
                .argument = "RULE"),
    OPTION_INT("probe-layer", AT(probe_layer), "L", -1, 63,
               "layer whose directions every edited layer uses; -1: each its own", .def = "-1"),
    OPTION_FLAG("ignore-bias", AT(ignore_bias),
                "project about the origin, as published for probes without bias, not about the "
                "probe's boundary"),
    OPTION_FLAG("no-by-layer", AT(no_by_layer), "leave out the table of single layers"),
    OPTION_FLAG("no-play-on", AT(no_play_on),
                "leave out the ten plies that the network plays on after each edit"),
    OPTION_INT("show", AT(show), "N", -1, CASES_MAX,
               "also print case N (from 0) with the predictions; -1: none", .def = "-1"),
};

static void result_report(const EditSession *session)
{
    Context *context = session->context;
    Js *rule = context_option(context, "rule");
    const EditFindings found = {.results = session->results,
                                .n = session->n_results,
                                .all = session_is_all(session),
                                .model_hash = session->subject.model.model_hash,
                                .probe = session->probe_path,
                                .preset = session->given->preset ? session->given->preset : "",
                                .rule = js_str_of(rule),
                                .means = &session->means,
                                .features = {session->sae_path, (int64_t)session->handles.n_games,
                                             (int64_t)session->handles.n_positions}};
    edit_result_report(context->report, &found);
    js_free(rule);
    if (!context_given(context, "show") && !found.all) {
        study_next_again(context, "--show", "0");
    }
}

static int intervene_run(Context *context)
{
    EditSession *session = mem_calloc(1, sizeof(*session), "intervention");
    if (!session) {
        return OGPT_ENOMEM;
    }
    session->context = context;
    session->given = context->options;
    int rc = session_load(session);
    rc = rc ? rc : study_begin(context, session->subject.model.path, false);
    rc = rc ? rc : session_run(session);
    rc = rc || session->given->show < 0 ? rc : session_show_case(session);
    if (rc == 0) {
        result_report(session);
    }
    session_release(session);
    mem_free(session);
    return rc;
}

const Command cmd_intervene = {
    .name = "intervene",
    .arguments = "MODEL [--probe PROBE] --cases FILE [--tune FILE]",
    .summary = "edit the board inside the network and judge its moves by the rules",
    .examples =
        "ogpt intervene runs/tiny --probe probe --cases cases.csv --tune tune.csv\n"
        "ogpt intervene runs/tiny --probe probe --cases cases.csv --layers 3-6 --scale 0.1r\n"
        "ogpt intervene runs/tiny --probe probe --cases cases.csv --method project --layers "
        "4 --show 0\n"
        "ogpt intervene tiny-8x8 --method sae --cases cases.csv --tune tune.csv\n"
        "ogpt intervene runs/tiny --probe probe --method all --means-from games.ogpc --cases "
        "cases.csv,unnatural.csv --tune tune.csv",
    COMMAND_OPTIONS(intervene_options, InterveneOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_BOARDS | USES_RANKS,
    COMMAND_TABLES(&edit_result_table, &edit_methods_table, &edit_published_table,
                   &edit_sweep_table, &edit_cases_table, &edit_metrics_table, &edit_arms_table,
                   &edit_crosstalk_table, &edit_layers_table),
    .run = intervene_run,
};
