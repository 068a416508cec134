/* cli/commands/edits/cmd_show.c - ogpt show: for a typed game, the true board beside the boards
 * that the probes read at every layer, and what changes when one square is edited inside the
 * network. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/edits/show_view.h"
#include "cli/commands/common/model_input.h"
#include "datasets/labels.h"
#include "game/notation.h"
#include "probes/edits/edit_methods.h"

static const OptionSpec options[] = {
    {"probe", OPT_TEXT, offsetof(ShowOptions, probe), .argument = "PROBE",
     .help = "what reads the boards; needed"},
    {"moves", OPT_TEXT, offsetof(ShowOptions, moves), .argument = "MOVES",
     .help = "the game so far, such as \"f5 d6 c3\"; needed"},
    {"layer", OPT_TEXT, offsetof(ShowOptions, layer), .argument = "L",
     .help = "only this layer (or 'embed'); with an edit, the layer that is edited (else the "
             "middle one)"},
    {"flip", OPT_TEXT, offsetof(ShowOptions, flip), .argument = "SQUARE",
     .help = "turn this disc over inside the network (method project)"},
    {"erase", OPT_TEXT, offsetof(ShowOptions, erase), .argument = "SQUARE",
     .help = "take this disc away there"},
    {"place", OPT_TEXT, offsetof(ShowOptions, place), .argument = "SQUARE=COLOUR",
     .help = "put a disc on this empty square there, such as c4=black"},
    {"scale", OPT_NUM, offsetof(ShowOptions, scale), -100, 100, .def = "1", .argument = "X",
     .help = "of the edit: 1 mirrors the coordinate at the probe's boundary"},
    {"top", OPT_INT, offsetof(ShowOptions, top), 1, 60, .def = "5", .argument = "N",
     .help = "how many of the network's moves to list"},
    {"probabilities", OPT_FLAG, offsetof(ShowOptions, probabilities),
     .help = "also draw how sure each layer is of every square, and where the network would move"},
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
        if (layer < 0 || layer > LAYERS_MAX || *end != '\0') {
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

/* "c4", or with a colour "c4=black": the square and what it is to become. */
static int parse_edit(CaseSquare *out, const ShowView *view)
{
    const ShowOptions *given = view->options;
    const char *text = given->flip ? given->flip : given->erase ? given->erase : given->place;
    bool with_colour = text == given->place;
    const char *colour = strlen(text) > 2 ? text + 3 : "";
    bool black = strcmp(colour, "black") == 0, white = strcmp(colour, "white") == 0;
    bool formed =
        with_colour ? text[0] && text[1] && text[2] == '=' && (black || white) : strlen(text) == 2;
    int sq = formed ? square_parse(view->variant, text) : -1;
    const Board *board = show_true_board(view);

    if (sq < 0) {
        return err_set(OGPT_EUSAGE, "--%s \"%s\": expected %s", show_edit_name(given), text,
                       with_colour ? "a square and a colour, such as c4=black" : "a square");
    }
    if ((((board->mine | board->theirs) >> sq & 1) == 0) != with_colour) {
        return err_set(OGPT_EUSAGE, "--%s \"%s\": expected a square that %s", show_edit_name(given),
                       text, with_colour ? "is empty" : "holds a disc");
    }
    out->sq = (uint8_t)sq;
    out->from = with_colour                           ? LABEL_EMPTY
                : board_discs(board, BLACK) >> sq & 1 ? LABEL_BLACK
                                                      : LABEL_WHITE;
    out->to = with_colour    ? black ? LABEL_BLACK : LABEL_WHITE
              : given->erase ? LABEL_EMPTY
                             : LABEL_WHITE + LABEL_BLACK - out->from;
    return 0;
}

/* The edit as the rules see it: the other side moves where the mover cannot. */
static int derive_edit(ShowView *view)
{
    EditCase *edit = &view->edit_case;
    CaseVerdict verdict = CASE_SOUND;
    int rc;
    memset(edit->moves, SQ_NONE, sizeof(edit->moves));
    memcpy(edit->moves, view->moves, (size_t)view->n_moves);
    edit->n_moves = view->n_moves;
    edit->n_squares = 1;
    rc = parse_edit(&edit->squares[0], view);
    rc = rc ? rc : case_derive(edit, &verdict, view->variant);
    if (rc == 0 && verdict != CASE_SOUND) {
        context_warn(view->context, "this edit is no part of any mean: %s",
                     case_verdict_text(verdict));
    }
    return rc;
}

static int gather_edit(ShowView *view)
{
    Probe *probe = &view->probe;
    int layer = edit_layer(view), rc;
    EditSquares squares;
    if (strcmp(probe->task, "mine") != 0 && strcmp(probe->task, "colour") != 0) {
        return err_set(OGPT_EUSAGE, "--%s: %s reads task %s; a probe of mine or colour is needed",
                       show_edit_name(view->options), view->options->probe, probe->task);
    }
    if (layer == LAYER_EMBED) {
        return err_set(OGPT_EUSAGE, "--%s edits a block's output; 'embed' is no such layer",
                       show_edit_name(view->options));
    }
    if (probe->n_hidden > 0) {
        return err_set(
            OGPT_EUSAGE,
            "--%s: %s has %d hidden units and so no direction to edit along; give --probe "
            "a linear probe (ogpt probe fit without --hidden), or edit with ogpt "
            "intervene --method gradient",
            show_edit_name(view->options), view->options->probe, probe->n_hidden);
    }
    rc = derive_edit(view);
    rc = rc ? rc : direction_board_of_probe(&view->directions, probe);
    if (rc) {
        return rc;
    }
    squares = edit_squares(&view->directions.terms, &view->edit_case);
    view->edit = (DecodeEdit){.plan = EDIT_PLAN_DEFAULT,
                              .directions = &view->directions,
                              .square = squares.squares[0],
                              .from_class = squares.from[0],
                              .to_class = squares.to[0]};
    view->edit.plan.method = METHOD_PROJECT;
    view->edit.plan.site = probe->site;
    view->edit.plan.layers = UINT64_C(1) << layer;
    view->edit.plan.scale.value = view->options->scale;
    rc = edit_plan_check(&view->edit.plan, &view->directions, &view->model.gpt->cfg);
    if (rc) {
        return rc;
    }
    view->edited_layer = layer;
    memcpy(view->edited_labels, view->labels, sizeof(view->labels));
    view->edited_labels[squares.squares[0]] = (uint8_t)squares.to[0];
    return decode_game(&view->edited, view->model.gpt, probe, view->moves, view->n_moves,
                       &view->edit);
}

static int gather(ShowView *view)
{
    int rc = context_model_load(view->context, &view->model, view->context->args[0]);
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
    return rc || !show_edit_name(view->options) ? rc : gather_edit(view);
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
    if (rc == 0 && !!view->options->flip + !!view->options->erase + !!view->options->place > 1) {
        rc = err_set(OGPT_EUSAGE, "show: one of --flip, --erase and --place at a time");
    }
    rc = rc ? rc : gather(view);
    if (rc == 0) {
        show_print(&text, view);
        rc = context_result(context, show_document(view), text.data);
    }
    text_release(&text);
    direction_board_release(&view->directions);
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
                "--layer 5\n"
                "ogpt show runs/tiny --probe probes/mine --moves \"f5 d6 c3\" --place c4=black",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(ShowOptions),
    .min_args = 1,
    .max_args = 1,
    .run = show_run,
};
