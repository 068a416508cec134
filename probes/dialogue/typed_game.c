/* probes/dialogue/typed_game.c - contract in probes/dialogue/typed_game.h. */
#include "probes/dialogue/typed_game.h"

#include <string.h>

#include "base/err.h"
#include "datasets/labels.h"
#include "game/notation.h"
#include "probes/edits/edit_methods.h"

int typed_game_init(TypedGame *out, const Subject *subject, const Probe *probe,
                    const char *probe_path)
{
    memset(out, 0, sizeof(*out));
    out->subject = subject;
    out->probe = probe;
    out->probe_path = probe_path;
    out->variant = subject->variant;
    out->vocab = subject->vocab;
    if (!task_find(probe->task)) {
        return err_set(OGPT_EFORMAT, "%s: task \"%s\", expected one of %s", probe_path, probe->task,
                       TASK_NAMES);
    }
    return 0;
}

void typed_game_release(TypedGame *game)
{
    direction_board_release(&game->directions);
}

const Board *typed_game_board(const TypedGame *game)
{
    return game->n_moves > 0 ? &game->after[game->n_moves - 1] : &game->variant->start;
}

int typed_game_layer(int *index, const TypedGame *game, int layer, const char *text)
{
    const Probe *probe = game->probe;
    bool middle = layer == TYPED_LAYER_MIDDLE;
    *index = probe_layer_index(probe, middle ? game->subject->model.gpt->cfg.n_layers / 2 : layer);
    for (int i = probe->n_layers - 1; i >= 0 && middle; i--) {
        bool fitted = *index >= 0 && probe->fitted[*index];
        *index = !fitted && probe->fitted[i] ? i : *index;
    }
    if (*index >= 0 && probe->fitted[*index]) {
        return 0;
    }
    return middle ? err_set(OGPT_EUSAGE, "%s: no layer is fitted yet; go on with ogpt probe fit",
                            game->probe_path)
                  : err_set(OGPT_EUSAGE, "--layers %s: %s has no fitted probe there", text,
                            game->probe_path);
}

int typed_game_read(TypedGame *game, const uint8_t *moves, int n)
{
    LabelConvention convention;
    Decoded decoded;
    uint8_t copy[GAME_MAX_MOVES];
    memcpy(copy, moves, (size_t)n); /* may be the game's own */
    int rc = convention_parse(&convention, game->probe->labels);
    bool is_read = n > 0 && n <= game->subject->model.gpt->cfg.n_ctx;
    if (rc == 0 && is_read) {
        rc = decode_game(&decoded, game->subject, game->probe, copy, n, NULL);
    }
    if (rc != 0) {
        return rc;
    }
    memset(game->moves, SQ_NONE, sizeof(game->moves));
    memcpy(game->moves, copy, (size_t)n);
    game->n_moves = n;
    game->edit_name = NULL;
    game->is_read = is_read;
    game_replay(game->variant, game->moves, n, game->after);
    if (is_read) {
        game->before = decoded;
        game->position = (TaskPosition){game->variant, game->moves, game->after, n - 1, convention};
        game->viewer = task_viewer(&game->position);
        task_find(game->probe->task)->label(game->labels, &game->position);
    }
    return 0;
}

/* "c4", or with a colour "c4=black": the square and what it is to become. */
static int read_square(CaseSquare *out, const TypedGame *game, const TypedEdit *asked)
{
    const char *text = asked->text;
    bool with_colour = strcmp(asked->name, "place") == 0,
         erased = strcmp(asked->name, "erase") == 0;
    const char *colour = strlen(text) > 2 ? text + 3 : "";
    bool black = strcmp(colour, "black") == 0, white = strcmp(colour, "white") == 0;
    bool formed =
        with_colour ? text[0] && text[1] && text[2] == '=' && (black || white) : strlen(text) == 2;
    int sq = formed ? square_parse(game->variant, text) : -1;
    const Board *board = typed_game_board(game);
    if (sq < 0) {
        return err_set(OGPT_EUSAGE, "%s \"%s\": expected %s", asked->label, text,
                       with_colour ? "a square and a colour, such as c4=black" : "a square");
    }
    if ((((board->mine | board->theirs) >> sq & 1) == 0) != with_colour) {
        return err_set(OGPT_EUSAGE, "%s \"%s\": expected a square that %s", asked->label, text,
                       with_colour ? "is empty" : "holds a disc");
    }
    out->sq = (uint8_t)sq;
    out->from = with_colour                           ? LABEL_EMPTY
                : board_discs(board, BLACK) >> sq & 1 ? LABEL_BLACK
                                                      : LABEL_WHITE;
    out->to = with_colour ? black ? LABEL_BLACK : LABEL_WHITE
              : erased    ? LABEL_EMPTY
                          : LABEL_WHITE + LABEL_BLACK - out->from;
    return 0;
}

/* The edit as the rules see it: the other side moves where the mover cannot. */
static int derive_edit(EditCase *edit, CaseVerdict *verdict, const TypedGame *game,
                       const TypedEdit *asked)
{
    *edit = (EditCase){.n_moves = game->n_moves, .n_squares = 1};
    memcpy(edit->moves, game->moves, sizeof(edit->moves));
    *verdict = CASE_SOUND;
    int rc = read_square(&edit->squares[0], game, asked);
    return rc ? rc : case_derive(edit, verdict, game->variant);
}

static int check_probe(const TypedGame *game, const TypedEdit *asked)
{
    const Probe *probe = game->probe;
    const char *label = asked->label, *path = game->probe_path;
    if (strcmp(probe->task, "mine") != 0 && strcmp(probe->task, "colour") != 0) {
        return err_set(OGPT_EUSAGE, "%s: %s reads task %s; a probe of mine or colour is required",
                       label, path, probe->task);
    }
    if (asked->layer == LAYER_EMBED) {
        return err_set(OGPT_EUSAGE, "%s edits a block's output; 'embed' is no such layer", label);
    }
    if (probe->n_hidden > 0) {
        return err_set(
            OGPT_EUSAGE,
            "%s: %s has %d hidden units and so no direction to edit along; give "
            "--probe a linear probe (ogpt probe fit without --hidden), or edit with ogpt "
            "intervene --method gradient",
            label, path, probe->n_hidden);
    }
    if (!game->is_read) {
        return err_set(OGPT_EUSAGE,
                       "%s: expected 1 to %d moves before it, found %d: the network holds no board "
                       "before the first move, and reads no more of them",
                       label, game->subject->model.gpt->cfg.n_ctx, game->n_moves);
    }
    return 0;
}

int typed_game_edit(TypedGame *game, const TypedEdit *asked)
{
    const Probe *probe = game->probe;
    const Gpt *gpt = game->subject->model.gpt;
    EditCase edit_case;
    CaseVerdict verdict;
    Decoded edited;
    int layer = asked->layer == TYPED_LAYER_MIDDLE ? gpt->cfg.n_layers / 2 : asked->layer;
    int rc = check_probe(game, asked);
    rc = rc ? rc : derive_edit(&edit_case, &verdict, game, asked);
    if (rc == 0 && game->directions.n_layers == 0) {
        rc = direction_board_of_probe(&game->directions, probe);
    }
    if (rc != 0) {
        return rc;
    }
    EditSquares squares = edit_squares(&game->directions.terms, &edit_case);
    DecodeEdit edit = {.plan = EDIT_PLAN_DEFAULT,
                       .directions = &game->directions,
                       .square = squares.squares[0],
                       .from_class = squares.from[0],
                       .to_class = squares.to[0]};
    edit.plan.method = METHOD_PROJECT;
    edit.plan.site = probe->site;
    edit.plan.layers = UINT64_C(1) << layer;
    edit.plan.scale.value = asked->scale;
    rc = edit_plan_check(&edit.plan, &game->directions, &gpt->cfg);
    rc = rc ? rc : decode_game(&edited, game->subject, probe, game->moves, game->n_moves, &edit);
    if (rc != 0) {
        return rc;
    }
    game->edit_name = asked->name;
    game->scale = asked->scale;
    game->edit = edit;
    game->edit_case = edit_case;
    game->verdict = verdict;
    game->edited_layer = layer;
    memcpy(game->edited_labels, game->labels, sizeof(game->labels));
    game->edited_labels[squares.squares[0]] = (uint8_t)squares.to[0];
    game->edited = edited;
    return 0;
}
