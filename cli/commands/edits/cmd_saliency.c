/* cli/commands/edits/cmd_saliency.c - ogpt saliency: which squares of the board inside the network
 * a move rests on. */
#include <string.h>

#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/study.h"
#include "game/notation.h"
#include "probes/edits/edit_network.h"
#include "report/results/saliency_result.h"

typedef struct SaliencyOptions {
    const char *probe, *moves, *move, *scale;
    int method, place; /* EditMethod, SaliencyPlaced */
    LayerList layers;
} SaliencyOptions;

#define AT(field) offsetof(SaliencyOptions, field)
static const OptionSpec options[] = {
    OPTION_PROBE(AT(probe), "probe of task mine or colour, fitted on this model"),
    OPTION_TEXT("moves", AT(moves), "MOVES", "the game so far, such as \"f5 d6 c3\"",
                .required = true),
    OPTION_TEXT("move", AT(move), "SQUARE",
                "the move to be explained (default: the network's first choice)"),
    OPTION_ROW("layers", OPT_LAYERS, AT(layers),
               "blocks with an output that is edited (default: the middle one)", .choices = "all"),
    OPTION_ENUM("method", AT(method), "add|project|set|gradient", "as in ogpt intervene",
                .def = "project", .argument = "METHOD"),
    OPTION_TEXT("scale", AT(scale), "X",
                "scale of the edit, as in ogpt intervene; project: 1 negates the coordinate",
                .def = "1"),
    OPTION_ENUM("place", AT(place), SALIENCY_PLACED_NAMES,
                "empty squares get a disc of the side to move, of the other, or are left out",
                .def = "mine", .argument = "DISC"),
};

typedef struct SaliencySession {
    Context *context;
    const SaliencyOptions *given;
    Subject subject;
    Probe probe;
    BoardDirections directions;
    uint8_t moves[GAME_MAX_MOVES];
    SaliencyQuestion question;
    EditPlan plan;
    EditNetwork *network;
    Saliency map;
} SaliencySession;

static int read_plan(SaliencySession *session)
{
    const GptConfig *cfg = &session->subject.model.gpt->cfg;
    LayerList layers = session->given->layers;
    EditPlan *plan = &session->plan;
    *plan = EDIT_PLAN_DEFAULT;
    plan->site = session->probe.site;
    plan->method = (EditMethod)session->given->method;
    plan->layers = layers.word == LAYERS_UNSET ? 1ULL << cfg->n_layers / 2 : 0;
    int rc = layers_resolve(&layers, cfg->n_layers, false, session->subject.model.path);
    for (int i = 0; i < layers.n && rc == 0; i++) {
        plan->layers |= 1ULL << layers.layers[i];
    }
    rc = rc ? rc : edit_scale_parse(&plan->scale, session->given->scale);
    rc = rc ? rc : direction_board_of_probe(&session->directions, &session->probe);
    return rc ? rc : edit_plan_check(plan, &session->directions, cfg);
}

static int read_question(SaliencySession *session)
{
    const SaliencyOptions *given = session->given;
    const GameVariant *variant = session->subject.variant;
    SaliencyQuestion *question = &session->question;
    int n_ctx = session->subject.model.gpt->cfg.n_ctx;
    *question = (SaliencyQuestion){.variant = variant,
                                   .moves = session->moves,
                                   .move = -1,
                                   .placed = (SaliencyPlaced)given->place};
    int rc = moves_parse(session->moves, &question->n, variant, given->moves);
    if (rc != 0) {
        return err_set(rc, "--moves: %s", err_message());
    }
    if (question->n < 1 || question->n > n_ctx) {
        return err_set(OGPT_EUSAGE, "--moves: %d moves, expected 1 to %d", question->n, n_ctx);
    }
    if (given->move) {
        question->move = strlen(given->move) == 2 ? square_parse(variant, given->move) : -1;
        if (question->move < 0) {
            return err_set(OGPT_EUSAGE, "--move \"%s\": expected a square of the %dx%d board",
                           given->move, variant->size, variant->size);
        }
    }
    return 0;
}

static int load(SaliencySession *session)
{
    char path[FILES_PATH_MAX];
    int rc = context_subject_open(session->context, &session->subject, session->context->args[0]);
    rc = rc ? rc
            : context_probe_open(session->context, &session->probe, path, &session->subject,
                                 session->given->probe);
    rc = rc ? rc : read_question(session);
    return rc ? rc : read_plan(session);
}

static int run(SaliencySession *session)
{
    Context *context = session->context;
    int rc = load(session);
    rc = rc ? rc : study_begin(context, session->subject.model.path, false);
    rc = rc ? rc
            : edit_network_new(&session->network, session->subject.model.gpt, &session->directions,
                               1, context->seed);
    if (rc != 0) {
        return rc;
    }
    EditPredictor predictor = edit_network_predictor(session->network);
    rc = saliency_map(&session->map, &predictor, &session->question, &session->plan);
    if (rc == 0) {
        Js *place = context_option(context, "place");
        saliency_report(context->report,
                        &(SaliencyFindings){.map = &session->map,
                                            .question = &session->question,
                                            .plan = &session->plan,
                                            .model_hash = session->subject.model.model_hash,
                                            .place = js_str_of(place),
                                            .style = context->style});
        js_free(place);
    }
    return rc;
}

static int saliency_run(Context *context)
{
    SaliencySession session = {.context = context, .given = context->options};
    int rc = run(&session);
    edit_network_free(session.network);
    direction_board_release(&session.directions);
    probe_release(&session.probe);
    subject_release(&session.subject);
    return rc;
}

const Command cmd_saliency = {
    .name = "saliency",
    .arguments = "MODEL [--probe PROBE] --moves MOVES [--move SQUARE]",
    .summary = "which squares of the board inside the network a move rests on",
    .examples = "ogpt saliency tiny-8x8 --moves 'f5 d6 c3' --move c4\n"
                "ogpt saliency runs/tiny --probe probe --moves 'f5 d6 c3' --move c4\n"
                "ogpt saliency runs/tiny --probe probe --moves 'f5 d6 c3 d3' --layers 4",
    COMMAND_OPTIONS(options, SaliencyOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_STORE | USES_BOARDS,
    COMMAND_TABLES(&saliency_table, &saliency_squares_table),
    .run = saliency_run,
};
