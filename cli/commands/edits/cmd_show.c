/* cli/commands/edits/cmd_show.c - ogpt show: for a typed game, the true board beside the boards
 * that the probes read at every layer, and what changes when one square is edited inside the
 * network. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/commands/edits/show_session.h"
#include "cli/study.h"

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

static int show_run(Context *context)
{
    ShowSession *session = mem_calloc(1, sizeof(*session), "the boards to be shown");
    if (!session) {
        return OGPT_ENOMEM;
    }
    session->context = context;
    session->given = context->options;
    int rc = study_begin(context, NULL, false);
    rc = rc ? rc : show_load(session);
    if (rc == 0) {
        show_report(context->report, &session->found);
    }
    show_release(session);
    mem_free(session);
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
    COMMAND_TABLES(&show_layers_table, &show_moves_table),
    .run = show_run,
};
