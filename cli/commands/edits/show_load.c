/* cli/commands/edits/show_load.c - contract in cli/commands/edits/show_session.h. */
#include "cli/commands/edits/show_session.h"

#include <string.h>

#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "datasets/labels.h"
#include "game/notation.h"
#include "probes/edits/edit_methods.h"

static int read_layer(int *index, const ShowSession *session)
{
    const LayerList *layers = &session->given->layers;
    *index = -1;
    if (layers->word == LAYERS_UNSET) {
        return 0;
    }
    *index = probe_layer_index(&session->probe, layers->layers[0]);
    if (*index < 0 || !session->probe.fitted[*index]) {
        return err_set(OGPT_EUSAGE, "--layers %s: %s has no fitted probe there", layers->text,
                       session->probe_path);
    }
    return 0;
}

static int load_position(ShowSession *session)
{
    ShowFindings *found = &session->found;
    const Probe *probe = &session->probe;
    int rc = moves_parse(found->moves, &found->n_moves, found->variant, session->given->moves);
    if (rc) {
        return err_set(rc, "--moves: %s", err_message());
    }
    if (found->n_moves < 1) {
        return err_set(OGPT_EUSAGE,
                       "--moves: no move found; type at least one move, such as \"f5 d6\"");
    }
    game_replay(found->variant, found->moves, found->n_moves, found->after);
    LabelConvention convention;
    rc = convention_parse(&convention, probe->labels);
    const Task *task = task_find(probe->task);
    if (rc == 0 && !task) {
        rc = err_set(OGPT_EFORMAT, "%s: task \"%s\", expected one of %s", session->probe_path,
                     probe->task, TASK_NAMES);
    }
    if (rc) {
        return rc;
    }
    found->position =
        (TaskPosition){found->variant, found->moves, found->after, found->n_moves - 1, convention};
    found->viewer = task_viewer(&found->position);
    task->label(found->labels, &found->position);
    return decode_game(&found->before, session->subject.model.gpt, probe, found->moves,
                       found->n_moves, NULL);
}

/* "c4", or with a colour "c4=black": the square and what it is to become. */
static int read_square(CaseSquare *out, const ShowSession *session)
{
    const ShowOptions *given = session->given;
    const char *name = session->found.edit_name;
    const char *text = given->flip ? given->flip : given->erase ? given->erase : given->place;
    bool with_colour = text == given->place;
    const char *colour = strlen(text) > 2 ? text + 3 : "";
    bool black = strcmp(colour, "black") == 0, white = strcmp(colour, "white") == 0;
    bool formed =
        with_colour ? text[0] && text[1] && text[2] == '=' && (black || white) : strlen(text) == 2;
    int sq = formed ? square_parse(session->found.variant, text) : -1;
    const Board *board = show_true_board(&session->found);
    if (sq < 0) {
        return err_set(OGPT_EUSAGE, "--%s \"%s\": expected %s", name, text,
                       with_colour ? "a square and a colour, such as c4=black" : "a square");
    }
    if ((((board->mine | board->theirs) >> sq & 1) == 0) != with_colour) {
        return err_set(OGPT_EUSAGE, "--%s \"%s\": expected a square that %s", name, text,
                       with_colour ? "is empty" : "holds a disc");
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
static int derive_edit(ShowSession *session)
{
    ShowFindings *found = &session->found;
    EditCase *edit = &found->edit_case;
    CaseVerdict verdict = CASE_SOUND;
    memset(edit->moves, SQ_NONE, sizeof(edit->moves));
    memcpy(edit->moves, found->moves, (size_t)found->n_moves);
    edit->n_moves = found->n_moves;
    edit->n_squares = 1;
    int rc = read_square(&edit->squares[0], session);
    rc = rc ? rc : case_derive(edit, &verdict, found->variant);
    if (rc == 0 && verdict != CASE_SOUND) {
        context_warn(session->context, "this edit counts in no mean: %s",
                     case_verdict_text(verdict));
    }
    return rc;
}

static int check_probe(const ShowSession *session, int layer)
{
    const Probe *probe = &session->probe;
    const char *name = session->found.edit_name, *path = session->probe_path;
    if (strcmp(probe->task, "mine") != 0 && strcmp(probe->task, "colour") != 0) {
        return err_set(OGPT_EUSAGE, "--%s: %s reads task %s; a probe of mine or colour is required",
                       name, path, probe->task);
    }
    if (layer == LAYER_EMBED) {
        return err_set(OGPT_EUSAGE, "--%s edits a block's output; 'embed' is no such layer", name);
    }
    if (probe->n_hidden > 0) {
        return err_set(
            OGPT_EUSAGE,
            "--%s: %s has %d hidden units and so no direction to edit along; give "
            "--probe a linear probe (ogpt probe fit without --hidden), or edit with ogpt "
            "intervene --method gradient",
            name, path, probe->n_hidden);
    }
    return 0;
}

/* At the layer that was asked for, else in the middle block. */
static int load_edit(ShowSession *session)
{
    ShowFindings *found = &session->found;
    const Probe *probe = &session->probe;
    const Gpt *gpt = session->subject.model.gpt;
    int layer = found->only >= 0 ? probe->layers[found->only] : gpt->cfg.n_layers / 2;
    int rc = check_probe(session, layer);
    rc = rc ? rc : derive_edit(session);
    rc = rc ? rc : direction_board_of_probe(&session->directions, probe);
    if (rc) {
        return rc;
    }
    EditSquares squares = edit_squares(&session->directions.terms, &found->edit_case);
    found->edit = (DecodeEdit){.plan = EDIT_PLAN_DEFAULT,
                               .directions = &session->directions,
                               .square = squares.squares[0],
                               .from_class = squares.from[0],
                               .to_class = squares.to[0]};
    found->edit.plan.method = METHOD_PROJECT;
    found->edit.plan.site = probe->site;
    found->edit.plan.layers = UINT64_C(1) << layer;
    found->edit.plan.scale.value = session->given->scale;
    rc = edit_plan_check(&found->edit.plan, &session->directions, &gpt->cfg);
    if (rc) {
        return rc;
    }
    found->edited_layer = layer;
    memcpy(found->edited_labels, found->labels, sizeof(found->labels));
    found->edited_labels[squares.squares[0]] = (uint8_t)squares.to[0];
    return decode_game(&found->edited, gpt, probe, found->moves, found->n_moves, &found->edit);
}

int show_load(ShowSession *session)
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
    session->found = (ShowFindings){.model_hash = session->subject.model.model_hash,
                                    .probe = &session->probe,
                                    .variant = session->subject.variant,
                                    .vocab = session->subject.vocab,
                                    .top = (int)given->top,
                                    .probabilities = given->probabilities,
                                    .style = context->style,
                                    .edit_name = given->erase   ? "erase"
                                                 : given->flip  ? "flip"
                                                 : given->place ? "place"
                                                                : NULL,
                                    .scale = given->scale};
    rc = read_layer(&session->found.only, session);
    rc = rc ? rc : load_position(session);
    return rc || !session->found.edit_name ? rc : load_edit(session);
}

void show_release(ShowSession *session)
{
    direction_board_release(&session->directions);
    probe_release(&session->probe);
    subject_release(&session->subject);
}
