/* cli/commands/edits/show_load.c - contract in cli/commands/edits/show_session.h. */
#include "cli/commands/edits/show_session.h"

#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "game/notation.h"

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
    const TypedEdit asked = {.name = given->flip    ? "flip"
                                     : given->erase ? "erase"
                                                    : "place",
                             .label = given->flip    ? "--flip"
                                      : given->erase ? "--erase"
                                                     : "--place",
                             .text = given->flip    ? given->flip
                                     : given->erase ? given->erase
                                                    : given->place,
                             .layer = only >= 0 ? session->probe.layers[only] : TYPED_LAYER_MIDDLE,
                             .scale = given->scale};
    int rc = typed_game_edit(&session->game, &asked);
    if (rc == 0 && session->game.verdict != CASE_SOUND) {
        context_warn(session->context, "this edit counts in no mean: %s",
                     case_verdict_text(session->game.verdict));
    }
    return rc;
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
    session->found = (ShowFindings){.game = &session->game,
                                    .model_hash = session->subject.model.model_hash,
                                    .top = (int)given->top,
                                    .probabilities = given->probabilities,
                                    .style = context->style};
    rc = typed_game_init(&session->game, &session->subject, &session->probe, session->probe_path);
    rc = rc ? rc : read_layer(&session->found.only, session);
    rc = rc ? rc : load_position(session);
    return rc || !(given->flip || given->erase || given->place) ? rc : load_edit(session);
}

void show_release(ShowSession *session)
{
    typed_game_release(&session->game);
    probe_release(&session->probe);
    subject_release(&session->subject);
}
