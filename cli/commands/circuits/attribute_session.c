/* cli/commands/circuits/attribute_session.c - contract in attribute_session.h. */
#include "cli/commands/circuits/attribute_session.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands/common/probe_input.h"
#include "cli/study.h"
#include "game/notation.h"

enum { TO_BOARD, TO_LOGIT };

/* ---- what is asked ---- */

static int read_square(int *out, const AttributeSession *session, const char *option,
                       const char *text)
{
    const GameVariant *variant = session->inputs.subject.variant;
    *out = -1;
    if (text) {
        *out = strlen(text) == 2 ? square_parse(variant, text) : -1;
        if (*out < 0) {
            return err_set(OGPT_EUSAGE, "--%s \"%s\": expected a square of the %dx%d board", option,
                           text, variant->size, variant->size);
        }
    }
    return 0;
}

/* Options that belong to the other kind of number, or to no game that is given. */
static int check_options(AttributeSession *session)
{
    const AttributeOptions *given = session->given;
    Context *context = session->context;
    int sources = !!given->moves + !!given->corpus + !!given->cases + given->fresh;
    bool of_logit = given->move || context_given(context, "metric");
    bool of_board = given->square || given->contrast || given->layers.word != LAYERS_UNSET;
    session->board = context_given(context, "to") ? given->to == TO_BOARD : !of_logit;
    if (sources != 1) {
        return err_set(OGPT_EUSAGE,
                       "%s: expected one of --moves, --corpus, --cases and --fresh, found %d",
                       context->command->name, sources);
    }
    if (session->board && of_logit) {
        return err_set(OGPT_EUSAGE,
                       "--%s asks for a logit, and the number is a probe's score: add "
                       "--to logit",
                       given->move ? "move" : "metric");
    }
    if (!session->board && of_board) {
        return err_set(OGPT_EUSAGE,
                       "--%s asks for a probe's score, and the number is a logit: leave it out",
                       given->square     ? "square"
                       : given->contrast ? "contrast"
                                         : "layers");
    }
    if (session->board && context_given(context, "ln")) {
        return err_set(OGPT_EUSAGE, "--ln: no LayerNorm lies between the stream and a probe; leave "
                                    "it out, or add --to logit");
    }
    return 0;
}

static int open_board(AttributeSession *session)
{
    const AttributeOptions *given = session->given;
    const Subject *subject = &session->inputs.subject;
    int n_layers = subject->model.gpt->cfg.n_layers, sq = -1;
    LayerList layers = given->layers;
    int rc = read_square(&sq, session, "square", given->square);
    rc = rc ? rc : layers_resolve(&layers, n_layers, true, subject->model.path);
    rc = rc ? rc
            : context_probe_open(session->context, &session->probe, session->probe_path, subject,
                                 given->probe);
    if (rc != 0) {
        return rc;
    }
    const Probe *probe = &session->probe;
    int layer = layers.n > 0 ? layers.layers[0] : n_layers / 2;
    if (layers.n == 0 && probe_layer_index(probe, layer) < 0) {
        layer = probe->layers[probe->n_layers - 1];
    }
    rc = attribution_target_board(&session->target, probe, session->probe_path, layer, sq,
                                  given->contrast);
    session->target.as_is = given->moves && sq >= 0;
    return rc;
}

static int open_logits(AttributeSession *session)
{
    const AttributeOptions *given = session->given;
    TargetMetric metric = (TargetMetric)given->metric;
    int sq;
    int rc = read_square(&sq, session, "move", given->move);
    if (rc == 0 && sq >= 0 && vocab_of(session->inputs.subject.variant)->tok_of_sq[sq] == TOK_PAD) {
        rc = err_set(OGPT_EUSAGE, "--move %s: a centre square is never played", given->move);
    }
    if (sq >= 0 && !context_given(session->context, "metric")) {
        metric = TARGET_CENTRED;
    }
    if (rc == 0 && sq >= 0 && metric == TARGET_DELTA) {
        rc = err_set(OGPT_EUSAGE, "--move %s: metric delta is of all moves; take move or centred",
                     given->move);
    }
    if (rc == 0 && sq < 0 && metric != TARGET_DELTA && (given->moves || given->cases)) {
        rc = err_set(OGPT_EUSAGE, "--metric %s needs --move: which move is asked about",
                     metric == TARGET_MOVE ? "move" : "centred");
    }
    return rc ? rc
              : attribution_target_logits(&session->target, session->inputs.subject.model.gpt,
                                          metric, sq);
}

/* ---- where ---- */

static int open_game(AttributeSession *session)
{
    const Subject *subject = &session->inputs.subject;
    uint8_t moves[GAME_MAX_MOVES];
    Board after[GAME_MAX_MOVES];
    int n, n_ctx = subject->model.gpt->cfg.n_ctx, sq = session->target.sq;
    int rc = moves_parse(moves, &n, subject->variant, session->given->moves);
    if (rc != 0) {
        return err_set(rc, "--moves: %s", err_message());
    }
    if (n < 1 || n > n_ctx) {
        return err_set(OGPT_EUSAGE, "--moves: %d moves, expected 1 to %d", n, n_ctx);
    }
    game_replay(subject->variant, moves, n, after);
    if (!session->board && sq >= 0 && !(board_moves(subject->variant, &after[n - 1]) >> sq & 1)) {
        context_warn(session->context,
                     "--move %s is not legal there; its logit is attributed all "
                     "the same",
                     session->given->move);
    }
    session->source = session->given->moves;
    return attribution_positions_of_game(&session->positions, subject->vocab, moves, n);
}

int attribute_load(AttributeSession *session)
{
    Context *context = session->context;
    const AttributeOptions *given = session->given;
    int rc = check_options(session);
    rc = rc ? rc : context_inputs_open(context, &session->inputs, context->args[0], given->corpus);
    rc = rc ? rc : session->board ? open_board(session) : open_logits(session);
    if (rc == 0) {
        readout_draw_random(&session->target.readout, context->seed);
        session->options = (AttributionOptions){.grain = (AttributionGrain)given->grain,
                                                .recomputed = given->ln == 1,
                                                .back = !given->moves,
                                                .all = given->moves};
        rc = given->moves ? open_game(session) : 0;
    }
    if (rc == 0 && given->cases) {
        session->source = given->cases;
        rc = attribution_positions_read(&session->positions, session->inputs.subject.variant,
                                        given->cases, session->inputs.subject.model.gpt->cfg.n_ctx);
    }
    return rc;
}

int attribute_draw(AttributeSession *session)
{
    Context *context = session->context;
    const AttributeOptions *given = session->given;
    const Subject *subject = &session->inputs.subject;
    const Work *work = study_work(context, "games", "games");
    GameSource *source = NULL;
    int rc = 0;
    if (given->corpus || given->fresh) {
        context_games_words(session->words, context, given->corpus, "test");
        session->source = session->words;
        rc = source_of(&source, session->inputs.corpus, SPLIT_TEST, false, subject->variant,
                       context->seed, RNG_EVAL);
    }
    if (rc == 0 && source) {
        rc = attribution_positions_draw(&session->positions, source, (size_t)given->games,
                                        (int)given->plies, work);
    }
    source_free(source);
    return rc ? rc : attribution_aim(&session->positions, &session->target, work);
}

void attribute_free(AttributeSession *session)
{
    attribution_positions_release(&session->positions);
    attribution_target_release(&session->target);
    probe_release(&session->probe);
    context_inputs_release(&session->inputs);
}
