/* cli/commands/edits/cmd_show.c - ogpt show: for a typed game, the true board beside the boards
 * that the probes read at every layer, and what changes when one square is edited inside the
 * network. */
#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "game/notation.h"
#include "report/dialogue/show_boards.h"

typedef struct ShowOptions {
    const char *probe, *moves, *flip, *erase, *place;
    LayerList layers;
    int64_t top;
    bool probabilities;
    double scale;
} ShowOptions;

#define AT(field) offsetof(ShowOptions, field)
static const OptionSpec options[] = {
    OPTION_PROBE(AT(probe), "what reads the boards"),
    OPTION_TEXT("moves", AT(moves), "MOVES", "the game so far, such as \"f5 d6 c3\"",
                .required = true),
    OPTION_ONE_LAYER(AT(layers),
                     "only this layer; with an edit, the layer that is edited (else the "
                     "middle one)"),
    OPTION_TEXT("flip", AT(flip), "SQUARE",
                "turn this disc over inside the network (method project)"),
    OPTION_TEXT("erase", AT(erase), "SQUARE", "take this disc away there"),
    OPTION_TEXT("place", AT(place), "SQUARE=COLOUR",
                "put a disc on this empty square there, such as c4=black"),
    OPTION_NUM("scale", AT(scale), "X", -100, 100,
               "scale of the edit: 1 mirrors the coordinate at the probe's boundary", .def = "1"),
    OPTION_INT("top", AT(top), "N", 1, 60, "how many of the network's moves to list", .def = "5"),
    OPTION_FLAG("probabilities", AT(probabilities),
                "also draw how sure each layer is of every square, and where the network would "
                "move"),
};

typedef struct ShowSession {
    Context *context;
    const ShowOptions *given;
    Subject subject;
    char probe_path[FILES_PATH_MAX];
    Probe probe;
    TypedGame game;
    ShowFindings found;
} ShowSession;

static int load_position(ShowSession *session)
{
    TypedGame *game = &session->game;
    uint8_t moves[GAME_MAX_MOVES];
    int n = 0, n_ctx = session->subject.model.gpt->cfg.n_ctx;
    int rc = moves_parse(moves, &n, game->variant, session->given->moves);
    if (rc) {
        return err_set(rc, "--moves: %s", err_message());
    }
    if (n < 1) {
        return err_set(OGPT_EUSAGE,
                       "--moves: no move found; type at least one move, such as \"f5 d6\"");
    }
    if (n > n_ctx) {
        return err_set(OGPT_EUSAGE,
                       "%d moves, expected 1 to %d: the network is asked for the move after them",
                       n, n_ctx);
    }
    return typed_game_read(game, moves, n);
}

/* At the layer that was asked for, else in the middle block. */
static int load_edit(ShowSession *session)
{
    const ShowOptions *given = session->given;
    const int only = session->found.only;
    TypedEdit asked = {.name = "flip",
                       .label = "--flip",
                       .text = given->flip,
                       .layer = only >= 0 ? session->probe.layers[only] : TYPED_LAYER_MIDDLE,
                       .scale = given->scale};
    if (!given->flip) {
        asked.label = given->erase ? "--erase" : "--place";
        asked.text = given->erase ? given->erase : given->place;
        asked.name = asked.label + 2;
    }
    int rc = typed_game_edit(&session->game, &asked);
    if (rc == 0 && session->game.verdict != CASE_SOUND) {
        context_warn(session->context, "this edit counts in no mean: %s",
                     case_verdict_text(session->game.verdict));
    }
    return rc;
}

static int show_load(ShowSession *session)
{
    const ShowOptions *given = session->given;
    Context *context = session->context;
    if (!!given->flip + !!given->erase + !!given->place > 1) {
        return err_set(OGPT_EUSAGE, "show: one of --flip, --erase and --place at a time");
    }
    int rc = context_subject_open(context, &session->subject, context->args[0]);
    rc = rc ? rc
            : context_probe_open(context, &session->probe, session->probe_path, &session->subject,
                                 given->probe);
    if (rc) {
        return rc;
    }
    session->found = (ShowFindings){.game = &session->game,
                                    .model_hash = session->subject.model.model_hash,
                                    .top = (int)given->top,
                                    .probabilities = given->probabilities,
                                    .style = context->style};
    rc = typed_game_init(&session->game, &session->subject, &session->probe, session->probe_path);
    session->found.only = -1;
    if (rc == 0 && given->layers.word != LAYERS_UNSET) {
        rc = typed_game_layer(&session->found.only, &session->game, given->layers.layers[0],
                              given->layers.text);
    }
    rc = rc ? rc : load_position(session);
    return rc || !(given->flip || given->erase || given->place) ? rc : load_edit(session);
}

static void show_release(ShowSession *session)
{
    typed_game_release(&session->game);
    probe_release(&session->probe);
    subject_release(&session->subject);
}

static int show_run(Context *context)
{
    ShowSession session = {.context = context, .given = context->options};
    int rc = study_begin(context, NULL, false);
    rc = rc ? rc : show_load(&session);
    if (rc == 0) {
        show_report(context->report, &session.found);
        show_boards_report(context->report, &session.found);
    }
    show_release(&session);
    return rc;
}

const Command cmd_show = {
    .name = "show",
    .arguments = "MODEL [--probe PROBE] --moves MOVES",
    .summary = "the boards a network holds at every layer of a typed game",
    .examples = "ogpt show tiny-8x8 --moves f5d6c3\n"
                "ogpt show runs/tiny --probe probe --moves 'f5 d6 c3'\n"
                "ogpt show runs/tiny --probe probe --moves 'f5 d6 c3 d3 c4' --flip d4 --layers 5\n"
                "ogpt show runs/tiny --probe probe --moves 'f5 d6 c3' --place c4=black",
    COMMAND_OPTIONS(options, ShowOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_BOARDS,
    COMMAND_TABLES(&show_layers_table, &show_moves_table, &show_boards_table),
    .run = show_run,
};
