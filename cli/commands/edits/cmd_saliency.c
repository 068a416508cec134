/* cli/commands/edits/cmd_saliency.c - ogpt saliency: which squares of the board inside the network
 * a move rests on. */
#include "probes/edits/saliency.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/command.h"
#include "cli/commands/common/model_input.h"
#include "report/draw.h"
#include "datasets/labels.h"
#include "datasets/vocab.h"
#include "game/notation.h"
#include "model/checkpoint.h"
#include "probes/edits/edit_network.h"

typedef struct SaliencyOptions {
    const char *probe, *moves, *move, *method, *layers, *scale, *place;
} SaliencyOptions;

static const OptionSpec options[] = {
    {"probe", OPT_TEXT, offsetof(SaliencyOptions, probe), .argument = "PROBE",
     .help = "probe of task mine or colour, fitted on this model; needed"},
    {"moves", OPT_TEXT, offsetof(SaliencyOptions, moves), .argument = "MOVES",
     .help = "the game so far, such as \"f5 d6 c3\"; needed"},
    {"move", OPT_TEXT, offsetof(SaliencyOptions, move), .argument = "SQUARE",
     .help = "the move to be explained (default: the network's first choice)"},
    {"layers", OPT_TEXT, offsetof(SaliencyOptions, layers), .argument = "LAYERS",
     .help = "blocks whose output is edited: 3, 2-5 or 1,3,6 (default: the middle one)"},
    {"method", OPT_CHOICE, offsetof(SaliencyOptions, method), .def = "project",
     .choices = "add|project|set|gradient", .argument = "METHOD", .help = "as in ogpt intervene"},
    {"scale", OPT_TEXT, offsetof(SaliencyOptions, scale), .def = "1", .argument = "X",
     .help = "of the edit, as in ogpt intervene; project: 1 negates the coordinate"},
    {"place", OPT_CHOICE, offsetof(SaliencyOptions, place), .def = "mine",
     .choices = SALIENCY_PLACED_NAMES, .argument = "DISC",
     .help = "empty squares get a disc of the side to move, of the other, or are left out"},
};

typedef struct Session {
    Context *context;
    const SaliencyOptions *given;
    ModelFile model;
    Probe probe;
    BoardDirections directions;
    const GameVariant *variant;
    uint8_t moves[GAME_MAX_MOVES];
    int n_moves, move;
    EditPlan plan;
    EditNetwork *network;
    Saliency map;
} Session;

static const char *square_name(char out[3], int sq)
{
    square_print(out, sq);
    return out;
}

static SaliencyPlaced placed_of(const char *name)
{
    if (strcmp(name, "none") == 0) {
        return PLACED_NONE;
    }
    return strcmp(name, "theirs") == 0 ? PLACED_THEIRS : PLACED_MINE;
}

/* ---- input ---- */

static int parse_plan(Session *session)
{
    const SaliencyOptions *given = session->given;
    const GptConfig *cfg = &session->model.gpt->cfg;
    int rc;
    session->plan = EDIT_PLAN_DEFAULT;
    session->plan.site = session->probe.site;
    session->plan.layers = 1ULL << cfg->n_layers / 2;
    rc = edit_method_parse(&session->plan.method, given->method);
    if (rc == 0 && given->layers) {
        rc = edit_layers_parse(&session->plan.layers, given->layers, cfg->n_layers);
    }
    rc = rc ? rc : edit_scale_parse(&session->plan.scale, given->scale);
    rc = rc ? rc : direction_board_of_probe(&session->directions, &session->probe);
    return rc ? rc : edit_plan_check(&session->plan, &session->directions, cfg);
}

static int parse_position(Session *session)
{
    const SaliencyOptions *given = session->given;
    int rc = moves_parse(session->moves, &session->n_moves, session->variant, given->moves);
    if (rc != 0) {
        return err_set(rc, "--moves: %s", err_message());
    }
    if (session->n_moves < 1 || session->n_moves > session->model.gpt->cfg.n_ctx) {
        return err_set(OGPT_EUSAGE, "--moves: %d moves, expected 1 to %d", session->n_moves,
                       session->model.gpt->cfg.n_ctx);
    }
    session->move = -1;
    if (given->move) {
        session->move = strlen(given->move) == 2 ? square_parse(session->variant, given->move) : -1;
        if (session->move < 0) {
            return err_set(OGPT_EUSAGE, "--move \"%s\": expected a square of the %dx%d board",
                           given->move, session->variant->size, session->variant->size);
        }
    }
    return 0;
}

static int load(Session *session)
{
    const SaliencyOptions *given = session->given;
    int rc = 0;
    if (!given->probe || !given->moves) {
        return err_set(OGPT_EUSAGE, "saliency: --%s is needed; see 'ogpt saliency --help'",
                       given->probe ? "moves" : "probe");
    }
    rc = context_model_load(session->context, &session->model, session->context->args[0]);
    rc = rc ? rc : probe_load(&session->probe, given->probe);
    rc = rc ? rc
            : probe_check_model(&session->probe, given->probe, session->model.model_hash,
                                &session->model.gpt->cfg);
    if (rc == 0) {
        session->variant = game_variant(session->probe.size);
        rc = parse_position(session);
    }
    return rc ? rc : parse_plan(session);
}

/* ---- output ---- */

static double largest_effect(const Saliency *map)
{
    double largest = 0.0;
    for (int i = 0; i < map->n; i++) {
        largest = fmax(largest, fabs(map->squares[i].effect));
    }
    return largest;
}

/* Background from the 6x6x6 cube of the 256 terminal colours: white at 0, red where the move
 * falls, blue where it rises. */
static void add_cell(Text *text, double effect, double largest, char mark, bool colour)
{
    int depth = largest > 0 ? (int)lround(5 * fabs(effect) / largest) : 0, pale = 5 - depth;
    int red = effect < 0 ? 5 : pale, blue = effect < 0 ? pale : 5;
    if (colour) {
        text_add(text, " \033[48;5;%d;%dm%+5.1f%c\033[0m", 16 + 36 * red + 6 * pale + blue,
                 depth > 3 ? 97 : 30, effect, mark);
    } else {
        text_add(text, " %+5.1f%c", effect, mark);
    }
}

static void print_map(Text *text, const Session *session)
{
    const Saliency *map = &session->map;
    int size = session->variant->size;
    double largest = largest_effect(map);
    text_add(text, "\n ");
    for (int column = 0; column < size; column++) {
        text_add(text, "%*c", column == 0 ? 5 : 7, 'a' + column);
    }
    text_add(text, "\n");
    for (int row = 0; row < size; row++) {
        text_add(text, "%d", row + 1);
        for (int column = 0; column < size; column++) {
            int sq = 8 * row + column, i = 0;
            while (i < map->n && map->squares[i].sq != sq) {
                i++;
            }
            if (i == map->n) {
                text_add(text, "     - ");
            } else {
                bool decides = map->squares[i].legal != map->legal;
                add_cell(text, map->squares[i].effect, largest, decides ? '!' : ' ',
                         session->context->colour);
            }
        }
        text_add(text, "\n");
    }
}

static void print_session(Text *text, const Session *session)
{
    const Saliency *map = &session->map;
    DrawBoard board = draw_of_board("", session->variant, &map->board);
    char name[3], layers[192], scale[32];
    edit_layers_print(layers, session->plan.layers);
    edit_scale_print(scale, session->plan.scale);
    board.marked = 1ULL << map->move;
    text_add(text, "%s for %s: %s by the rules, p = %.4f (log-odds %+.2f)\n\n",
             square_name(name, map->move), map->board.to_move == BLACK ? "black" : "white",
             map->legal ? "legal" : "illegal", map->p, map->log_odds);
    draw_boards(text, session->variant, &board, 1);
    draw_legend(text);
    text_add(text,
             "\nchange of the move's log-odds (nats) when one square is edited inside the network\n"
             "(%s at hook_%s of layers %s, scale %s; a disc is turned over, an empty square %s):\n",
             session->given->method, hook_site_name(session->plan.site), layers, scale,
             strcmp(session->given->place, "none") == 0     ? "is left alone"
             : strcmp(session->given->place, "theirs") == 0 ? "gets a disc of the other side"
                                                            : "gets a disc of the side to move");
    print_map(text, session);
    text_add(text,
             "\n'!': by the rules the same change of the board turns the move %s.\n"
             "mean |change|: %.2f on these %d squares, %.2f on the other %d; separation %.3f "
             "(1: clean, 0.5: none)\n",
             map->legal ? "illegal" : "legal", map->deciding_effect, map->n_deciding,
             map->other_effect, map->n - map->n_deciding, map->separation);
}

static Js *square_rows(const Session *session)
{
    const Saliency *map = &session->map;
    Js *rows = js_array();
    char name[3];
    for (int i = 0; i < map->n; i++) {
        const SaliencySquare *square = &map->squares[i];
        Js *row = js_object();
        js_set_str(row, "move", square_name(name, map->move));
        js_set_str(row, "square", square_name(name, square->sq));
        js_set_str(row, "from_state", case_state_name(square->from));
        js_set_str(row, "to_state", case_state_name(square->to));
        js_set_num(row, "p_before", map->p);
        js_set_num(row, "p", square->p);
        js_set_num(row, "effect", square->effect);
        js_set_bool(row, "legal_before", map->legal);
        js_set_bool(row, "legal", square->legal);
        js_push(rows, row);
    }
    return rows;
}

static Js *document_of(const Session *session)
{
    const Saliency *map = &session->map;
    char name[3], moves[3 * GAME_MAX_MOVES + 1], board[BOARD_SQUARES + 3], layers[192];
    char scale[32];
    Js *document = js_object();
    moves_print(moves, session->moves, session->n_moves);
    board_print(board, session->variant, &map->board);
    edit_layers_print(layers, session->plan.layers);
    edit_scale_print(scale, session->plan.scale);
    js_set_str(document, "moves", moves);
    js_set_str(document, "board", board);
    js_set_str(document, "move", square_name(name, map->move));
    js_set_str(document, "method", session->given->method);
    js_set_str(document, "site", hook_site_name(session->plan.site));
    js_set_str(document, "layers", layers);
    js_set_str(document, "scale", scale);
    js_set_str(document, "place", session->given->place);
    js_set_str(document, "model_hash", session->model.model_hash);
    js_set_bool(document, "legal", map->legal);
    js_set_num(document, "p", map->p);
    js_set_num(document, "log_odds", map->log_odds);
    js_set_int(document, "n_deciding", map->n_deciding);
    js_set_num(document, "deciding_effect", map->deciding_effect);
    js_set_num(document, "other_effect", map->other_effect);
    js_set_num(document, "separation", map->separation);
    js_set(document, "squares", square_rows(session));
    return document;
}

static int session_run(Session *session)
{
    Context *context = session->context;
    EditPredictor predictor;
    Text text = {0};
    int rc = load(session);
    rc = rc ? rc : context_run_begin(context, session->model.path, false);
    rc = rc ? rc
            : edit_network_new(&session->network, session->model.gpt, &session->directions, 1,
                               context->seed);
    if (rc != 0) {
        return rc;
    }
    predictor = edit_network_predictor(session->network);
    SaliencyQuestion question = {.variant = session->variant,
                                 .moves = session->moves,
                                 .n = session->n_moves,
                                 .move = session->move,
                                 .placed = placed_of(session->given->place)};
    rc = saliency_map(&session->map, &predictor, &question, &session->plan);
    rc = rc ? rc : context_add_all(context, "saliency", square_rows(session));
    if (rc == 0) {
        print_session(&text, session);
        rc = context_result(context, document_of(session), text.data);
    }
    text_release(&text);
    return rc;
}

static int saliency_run(Context *context)
{
    Session *session = mem_calloc(1, sizeof(*session), "saliency");
    int rc;
    if (!session) {
        return OGPT_ENOMEM;
    }
    session->context = context;
    session->given = context->options;
    rc = session_run(session);
    edit_network_free(session->network);
    direction_board_release(&session->directions);
    probe_release(&session->probe);
    model_release(&session->model);
    mem_free(session);
    return rc;
}

const Command cmd_saliency = {
    .name = "saliency",
    .arguments = "MODEL --probe PROBE --moves MOVES [--move SQUARE]",
    .summary = "which squares of the board inside the network a move rests on",
    .examples = "ogpt saliency runs/tiny --probe probes/mine --moves \"f5 d6 c3\" --move c4\n"
                "ogpt saliency runs/tiny --probe probes/mine --moves \"f5 d6 c3 d3\" --layers 4 "
                "--color always",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(SaliencyOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_STORE,
    .run = saliency_run,
};
