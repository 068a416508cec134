/* cli/cmd_show.c - ogpt show: for a typed game, the true board beside the boards that the probes
 * read at every layer, and what changes when one square is edited inside the network. */
#include "cli/command.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/draw.h"
#include "game/notation.h"
#include "model/checkpoint.h"
#include "probes/decode.h"
#include "probes/legality.h"

#define BOARDS_A_ROW 4

typedef struct ShowOptions {
    const char *probe, *moves, *layer, *flip;
    int64_t top;
    double scale;
} ShowOptions;

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

/* Everything that is shown, gathered before a line is printed. */
typedef struct View {
    Context *context;
    const ShowOptions *options;
    ModelFile model;
    Probe probe;
    const GameVariant *variant;
    const Vocab *vocab;
    uint8_t moves[GAME_MAX_MOVES];
    int n_moves;
    Board after[GAME_MAX_MOVES];
    TaskPosition position;
    Colour viewer;
    uint8_t labels[BOARD_SQUARES]; /* of the task, true */
    Decoded before;
    int only; /* layer index, or -1: all */
    /* Of an edit: */
    DecodeEdit edit;
    int edited_sq, edited_layer;
    uint8_t edited_labels[BOARD_SQUARES];
    Board edited_board;
    Decoded edited;
} View;

static const Board *true_board(const View *view)
{
    return &view->after[view->n_moves - 1];
}

/* ---- gathering ---- */

static int parse_layer(int *index, const View *view)
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

static int gather_position(View *view)
{
    int rc = moves_parse(view->moves, &view->n_moves, view->variant, view->options->moves);
    if (rc) {
        return rc;
    }
    if (view->n_moves < 1) {
        return err_set(OGPT_EUSAGE, "--moves is empty: type at least one move, such as \"f5 d6\"");
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
static int edit_layer(const View *view)
{
    int layer = view->model.gpt->cfg.n_layers / 2;
    return view->only >= 0 ? view->probe.layers[view->only] : layer;
}

static int gather_edit(View *view)
{
    const char *name = view->options->flip;
    Probe *probe = &view->probe;
    int sq = strlen(name) == 2 ? square_parse(view->variant, name) : -1;
    uint64_t bit = sq >= 0 ? UINT64_C(1) << sq : 0;
    Board board = *true_board(view);
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

static int gather(View *view)
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

/* ---- boards ---- */

static bool is_shown(const View *view, int i)
{
    return view->probe.fitted[i] && (view->only < 0 || view->only == i);
}

static uint64_t wrong_squares(const View *view, const uint8_t *classes, const uint8_t *truth)
{
    uint64_t wrong = 0;
    for (int i = 0; i < view->probe.n_squares; i++) {
        if (classes[i] != truth[i]) {
            wrong |= UINT64_C(1) << task_square(view->variant, i);
        }
    }
    return wrong;
}

static DrawBoard decoded_board(const View *view, const char *title, const uint8_t *classes,
                               const uint8_t *truth)
{
    DrawBoard board = {.title = title};
    if (!decode_discs(&board.black, &board.white, &view->probe, view->viewer, classes)) {
        board.moves = board.black; /* no colours to tell: the squares of the task, as marks */
        board.black = 0;
    }
    board.marked = wrong_squares(view, classes, truth);
    return board;
}

/* The true board and every shown layer, BOARDS_A_ROW side by side. */
static void print_boards(Text *text, const View *view, const Board *board, const Decoded *decoded,
                         const uint8_t *truth, const char *title)
{
    DrawBoard boards[PROBE_MAX_LAYERS + 1];
    char titles[PROBE_MAX_LAYERS][32];
    size_t n = 1;
    boards[0] = draw_of_board(title, view->variant, board);
    for (int i = 0; i < view->probe.n_layers; i++) {
        if (!is_shown(view, i)) {
            continue;
        }
        int layer = view->probe.layers[i];
        int wrong = __builtin_popcountll(wrong_squares(view, decoded->classes[i], truth));
        if (layer == LAYER_EMBED) {
            snprintf(titles[i], sizeof(titles[i]), "embed: %d wrong", wrong);
        } else {
            snprintf(titles[i], sizeof(titles[i]), "layer %d: %d wrong", layer, wrong);
        }
        boards[n++] = decoded_board(view, titles[i], decoded->classes[i], truth);
    }
    for (size_t first = 0; first < n; first += BOARDS_A_ROW) {
        draw_boards(text, view->variant, boards + first,
                    n - first < BOARDS_A_ROW ? n - first : BOARDS_A_ROW);
        text_add(text, "\n");
    }
}

static void print_squares(Text *text, const char *label, uint64_t squares)
{
    char name[3];
    text_add(text, "%-26s", label);
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        if (squares >> sq & 1) {
            square_print(name, sq);
            text_add(text, " %s", name);
        }
    }
    text_add(text, "\n");
}

/* ---- the network's moves ---- */

typedef struct TopMove {
    int sq; /* SQ_NONE: the pad */
    double p;
    bool legal;
} TopMove;

/* The n tokens of highest score, best first. */
static int top_moves(TopMove *out, const View *view, const float *logits, const Board *board, int n)
{
    int d_vocab = view->vocab->d_vocab;
    double sum = 0, largest = (double)logits[top_token(logits, d_vocab)];
    uint64_t legal = board_moves(view->variant, board), before = 0;
    for (int tok = 0; tok < d_vocab; tok++) {
        sum += exp((double)logits[tok] - largest);
    }
    int count = n < d_vocab ? n : d_vocab;
    for (int i = 0; i < count; i++) {
        uint64_t with_next = top_tokens(logits, d_vocab, i + 1);
        int tok = __builtin_ctzll(with_next & ~before);
        before = with_next;
        out[i].sq = view->vocab->sq_of_tok[tok];
        out[i].p = exp((double)logits[tok] - largest) / sum;
        out[i].legal = out[i].sq != SQ_NONE && (legal >> out[i].sq & 1);
    }
    return count;
}

static void print_moves(Text *text, const View *view, const char *label, const float *logits,
                        const Board *board)
{
    TopMove top[BOARD_SQUARES];
    char name[3] = "-";
    int n = top_moves(top, view, logits, board, (int)view->options->top);
    text_add(text, "%-26s", label);
    for (int i = 0; i < n; i++) {
        if (top[i].sq != SQ_NONE) {
            square_print(name, top[i].sq);
        }
        text_add(text, " %s %.1f %%%s", top[i].sq == SQ_NONE ? "pad" : name, 100 * top[i].p,
                 top[i].legal ? "" : " (illegal)");
        text_add(text, i + 1 < n ? "," : "\n");
    }
}

/* Top-N set, N = legal moves of a board: squares, and how many differ from the legal ones. */
static int top_set_error(uint64_t *squares, const View *view, const float *logits,
                         const Board *board)
{
    uint64_t legal = board_moves(view->variant, board), set = 0;
    uint64_t tokens = top_tokens(logits, view->vocab->d_vocab, __builtin_popcountll(legal));
    int error = tokens & 1; /* the pad is never legal */
    for (int tok = 1; tok < view->vocab->d_vocab; tok++) {
        if (tokens >> tok & 1) {
            set |= UINT64_C(1) << view->vocab->sq_of_tok[tok];
        }
    }
    *squares = set;
    return error + __builtin_popcountll(set ^ legal);
}

/* ---- text ---- */

static void print_edit(Text *text, const View *view)
{
    char name[3];
    uint64_t before, after;
    square_print(name, view->edited_sq);
    text_add(text,
             "%s turned over inside the network at layer %d (project, scale %g); '!' marks "
             "what differs from the edited board\n",
             name, view->edited_layer, view->options->scale);
    print_boards(text, view, &view->edited_board, &view->edited, view->edited_labels,
                 "edited board");
    int null_error = top_set_error(&before, view, view->before.logits, &view->edited_board);
    int edit_error = top_set_error(&after, view, view->edited.logits, &view->edited_board);
    print_squares(text, "legal before the edit", board_moves(view->variant, true_board(view)));
    print_squares(text, "legal on the edited board",
                  board_moves(view->variant, &view->edited_board));
    print_squares(text, "the network, unedited", before);
    print_squares(text, "the network, edited", after);
    text_add(text, "%-26s %d unedited, %d edited (false and missing moves)\n", "error", null_error,
             edit_error);
    print_moves(text, view, "its first choices, edited", view->edited.logits, &view->edited_board);
}

static void print_view(Text *text, const View *view)
{
    char moves[3 * GAME_MAX_MOVES + 1];
    const Board *board = true_board(view);
    bool over = board_is_over(view->variant, board);
    moves_print(moves, view->moves, view->n_moves);
    text_add(text, "%s: %s\n\n", moves,
             over                      ? "the game is over"
             : board->to_move == BLACK ? "black (X) to move"
                                       : "white (O) to move");
    print_boards(text, view, board, &view->before, view->labels, "true board");
    print_moves(text, view, "the network's next move", view->before.logits, board);
    draw_legend(text);
    if (view->options->flip) {
        text_add(text, "\n");
        print_edit(text, view);
    }
}

/* ---- JSON ---- */

static Js *squares_json(uint64_t squares)
{
    Js *list = js_array();
    char name[3];
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        if (squares >> sq & 1) {
            square_print(name, sq);
            js_push(list, js_str(name));
        }
    }
    return list;
}

static Js *board_json(const View *view, uint64_t black, uint64_t white)
{
    char out[72];
    Board board = board_from_discs(black, white, true_board(view)->to_move);
    board_print(out, view->variant, &board);
    return js_str(out);
}

static Js *layers_json(const View *view, const Decoded *decoded, const uint8_t *truth)
{
    Js *layers = js_array();
    for (int i = 0; i < view->probe.n_layers; i++) {
        if (!is_shown(view, i)) {
            continue;
        }
        DrawBoard board = decoded_board(view, "", decoded->classes[i], truth);
        Js *layer = js_object(), *classes = js_array();
        js_set_int(layer, "layer", view->probe.layers[i]);
        if (!board.moves) {
            js_set(layer, "board", board_json(view, board.black, board.white));
        }
        for (int s = 0; s < view->probe.n_squares; s++) {
            js_push(classes, js_str(view->probe.classes[decoded->classes[i][s]]));
        }
        js_set(layer, "classes", classes);
        js_set(layer, "wrong", squares_json(board.marked));
        js_set_int(layer, "n_wrong", __builtin_popcountll(board.marked));
        js_push(layers, layer);
    }
    return layers;
}

static Js *top_json(const View *view, const float *logits, const Board *board)
{
    TopMove top[BOARD_SQUARES];
    Js *list = js_array();
    char name[3];
    int n = top_moves(top, view, logits, board, (int)view->options->top);
    for (int i = 0; i < n; i++) {
        Js *move = js_object();
        if (top[i].sq != SQ_NONE) {
            square_print(name, top[i].sq);
        }
        js_set(move, "move", top[i].sq == SQ_NONE ? js_null() : js_str(name));
        js_set_num(move, "p", top[i].p);
        js_set_bool(move, "legal", top[i].legal);
        js_push(list, move);
    }
    return list;
}

static void board_members(Js *out, const View *view, const Board *board, const Decoded *decoded,
                          const uint8_t *truth)
{
    js_set(out, "board", board_json(view, board_discs(board, BLACK), board_discs(board, WHITE)));
    js_set(out, "legal", squares_json(board_moves(view->variant, board)));
    js_set(out, "layers", layers_json(view, decoded, truth));
    js_set(out, "top", top_json(view, decoded->logits, board));
}

static Js *edit_json(const View *view)
{
    Js *edit = js_object();
    char name[3];
    uint64_t before, after;
    square_print(name, view->edited_sq);
    js_set_str(edit, "square", name);
    js_set_int(edit, "layer", view->edited_layer);
    js_set_str(edit, "method", "project");
    js_set_num(edit, "scale", view->options->scale);
    board_members(edit, view, &view->edited_board, &view->edited, view->edited_labels);
    js_set_int(edit, "null_error",
               top_set_error(&before, view, view->before.logits, &view->edited_board));
    js_set_int(edit, "edit_error",
               top_set_error(&after, view, view->edited.logits, &view->edited_board));
    js_set(edit, "predicted_before", squares_json(before));
    js_set(edit, "predicted_after", squares_json(after));
    return edit;
}

static Js *view_document(const View *view)
{
    Js *document = js_object();
    char moves[3 * GAME_MAX_MOVES + 1];
    moves_print(moves, view->moves, view->n_moves);
    js_set_str(document, "moves", moves);
    js_set_str(document, "to_move", true_board(view)->to_move == BLACK ? "black" : "white");
    js_set_str(document, "task", view->probe.task);
    js_set_str(document, "model_hash", view->model.model_hash);
    board_members(document, view, true_board(view), &view->before, view->labels);
    if (view->options->flip) {
        js_set(document, "flip", edit_json(view));
    }
    return document;
}

static int show_run(Context *context)
{
    View *view = mem_calloc(1, sizeof(View), "the boards to be shown");
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
        print_view(&text, view);
        rc = context_result(context, view_document(view), text.data);
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
