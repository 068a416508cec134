/* cli/cmd_show.c - ogpt show: for a typed game, the true board beside the boards that the probes
 * read at every layer, and what changes when one square is edited inside the network. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/show_view.h"
#include "game/notation.h"

static const OptionSpec options[] = {
    {"probe", OPT_TEXT, offsetof(ShowOptions, probe), .argument = "PROBE",
     .help = "what reads the boards; needed"},
    {"moves", OPT_TEXT, offsetof(ShowOptions, moves), .argument = "MOVES",
     .help = "the game so far, such as \"f5 d6 c3\"; needed"},
    {"layer", OPT_TEXT, offsetof(ShowOptions, layer), .argument = "L",
     .help = "only this layer (or 'embed'); with --flip, the layer that is edited (else the middle "
             "one)"},
    {"flip", OPT_TEXT, offsetof(ShowOptions, flip), .argument = "SQUARE",
     .help = "turn this disc over inside the network (method project)"},
    {"scale", OPT_NUM, offsetof(ShowOptions, scale), -100, 100, .def = "1", .argument = "X",
     .help = "of the edit: 1 mirrors the coordinate at the probe's boundary"},
    {"top", OPT_INT, offsetof(ShowOptions, top), 1, 60, .def = "5", .argument = "N",
     .help = "how many of the network's moves to list"},
};

static int parse_layer(int *index, const ShowView *view)
{
    const char *text = view->options->layer;
    char *end = NULL;
    long layer = LAYER_EMBED;
    *index = -1;
    if (!text) {
        return 0;
    }
    if (strcmp(text, "embed") != 0) {
        layer = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : -2;
        if (layer < 0 || layer > PROBE_MAX_LAYERS || *end != '\0') {
            return err_set(OGPT_EUSAGE, "--layer \"%s\": expected a layer number or 'embed'", text);
        }
    }
    *index = probe_layer_index(&view->probe, (int)layer);
    if (*index < 0 || !view->probe.fitted[*index]) {
        return err_set(OGPT_EUSAGE, "--layer %s: %s has no fitted probe there", text,
                       view->options->probe);
    }
    return 0;
}

static int gather_position(ShowView *view)
{
    int rc = moves_parse(view->moves, &view->n_moves, view->variant, view->options->moves);
    if (rc) {
        return err_set(rc, "--moves: %s", err_message());
    }
    if (view->n_moves < 1) {
        return err_set(OGPT_EUSAGE,
                       "--moves: no move found; type at least one move, such as \"f5 d6\"");
    }
    game_replay(view->variant, view->moves, view->n_moves, view->after);
    LabelConvention convention;
    rc = convention_parse(&convention, view->probe.labels);
    const Task *task = task_find(view->probe.task);
    if (rc == 0 && !task) {
        rc = err_set(OGPT_EFORMAT, "%s: task \"%s\", expected one of %s", view->options->probe,
                     view->probe.task, TASK_NAMES);
    }
    if (rc) {
        return rc;
    }
    view->position =
        (TaskPosition){view->variant, view->moves, view->after, view->n_moves - 1, convention};
    view->viewer = task_viewer(&view->position);
    task->label(view->labels, &view->position);
    return decode_game(&view->before, view->model.gpt, &view->probe, view->moves, view->n_moves,
                       NULL);
}

/* The fitted layer an edit is made at: the one asked for, else the middle block. */
static int edit_layer(const ShowView *view)
{
    int layer = view->model.gpt->cfg.n_layers / 2;
    return view->only >= 0 ? view->probe.layers[view->only] : layer;
}

static int gather_edit(ShowView *view)
{
    const char *name = view->options->flip;
    Probe *probe = &view->probe;
    int sq = strlen(name) == 2 ? square_parse(view->variant, name) : -1;
    uint64_t bit = sq >= 0 ? UINT64_C(1) << sq : 0;
    Board board = *show_true_board(view);
    if (sq < 0 || !((board.mine | board.theirs) & bit)) {
        return err_set(OGPT_EUSAGE, "--flip \"%s\": expected a square that holds a disc", name);
    }
    if (strcmp(probe->task, "mine") != 0 && strcmp(probe->task, "colour") != 0) {
        return err_set(OGPT_EUSAGE, "--flip: %s reads task %s; a probe of mine or colour is needed",
                       view->options->probe, probe->task);
    }
    int layer = edit_layer(view);
    int i = sq / 8 * view->variant->size + sq % 8;
    view->edit = (DecodeEdit){.square = i, .from_class = view->labels[i]};
    view->edit.to_class = LABEL_THEIRS + LABEL_MINE - view->labels[i];
    view->edit.plan = (EditPlan){.method = METHOD_PROJECT,
                                 .site = probe->site,
                                 .layers = layer >= 0 ? UINT64_C(1) << layer : 0,
                                 .scale = {view->options->scale, false},
                                 .probe_layer = PROBE_LAYER_OWN};
    if (layer == LAYER_EMBED) {
        return err_set(OGPT_EUSAGE, "--flip edits a block's output; 'embed' is no such layer");
    }
    int rc = edit_plan_check(&view->edit.plan, probe, &view->model.gpt->cfg);
    if (rc) {
        return rc;
    }
    view->edited_sq = sq;
    view->edited_layer = layer;
    memcpy(view->edited_labels, view->labels, sizeof(view->labels));
    view->edited_labels[i] = (uint8_t)view->edit.to_class;
    view->edited_board = board;
    view->edited_board.mine ^= bit;
    view->edited_board.theirs ^= bit;
    return decode_game(&view->edited, view->model.gpt, probe, view->moves, view->n_moves,
                       &view->edit);
}

static int gather(ShowView *view)
{
    char *warning = NULL;
    int rc = model_load(&view->model, view->context->args[0], &warning);
    if (warning) {
        context_warn(view->context, "%s", warning);
        mem_free(warning);
    }
    rc = rc ? rc : probe_load(&view->probe, view->options->probe);
    rc = rc ? rc
            : probe_check_model(&view->probe, view->options->probe, view->model.model_hash,
                                &view->model.gpt->cfg);
    if (rc) {
        return rc;
    }
    view->variant = game_variant(view->probe.size);
    view->vocab = vocab_of(view->variant);
    rc = parse_layer(&view->only, view);
    rc = rc ? rc : gather_position(view);
    return rc || !view->options->flip ? rc : gather_edit(view);
}

static int show_run(Context *context)
{
    ShowView *view = mem_calloc(1, sizeof(ShowView), "the boards to be shown");
    Text text = {0};
    if (!view) {
        return OGPT_ENOMEM;
    }
    view->context = context;
    view->options = context->options;
    int rc = 0;
    if (!view->options->probe || !view->options->moves) {
        rc = err_set(OGPT_EUSAGE, "show: --%s is needed; see 'ogpt show --help'",
                     view->options->probe ? "moves" : "probe");
    }
    rc = rc ? rc : gather(view);
    if (rc == 0) {
        show_print(&text, view);
        rc = context_result(context, show_document(view), text.data);
    }
    text_release(&text);
    probe_release(&view->probe);
    model_release(&view->model);
    mem_free(view);
    return rc;
}

const Command cmd_show = {
    .name = "show",
    .arguments = "MODEL --probe PROBE --moves MOVES",
    .summary = "the boards a network holds at every layer of a typed game",
    .examples = "ogpt show runs/tiny --probe probes/mine --moves \"f5 d6 c3\"\n"
                "ogpt show runs/tiny --probe probes/mine --moves \"f5 d6 c3 d3 c4\" --flip d4 "
                "--layer 5",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .options_bytes = sizeof(ShowOptions),
    .min_args = 1,
    .max_args = 1,
    .run = show_run,
};
