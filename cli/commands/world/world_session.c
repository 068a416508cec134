/* cli/commands/world/world_session.c - contract in cli/commands/world/world_session.h. */
#include "cli/commands/world/world_session.h"

#include "base/err.h"

int world_session_open(WorldSession *session, Context *context, const WorldCommonOptions *given)
{
    *session = (WorldSession){.context = context, .given = given};
    int rc = context_subject_open(context, &session->subject, context->args[0]);
    session->findings.model_hash = session->subject.model.model_hash;
    return rc;
}

int world_session_opening(int *out, const WorldSession *session, int64_t given)
{
    const GameVariant *variant = session->subject.variant;
    int most = variant->n_moves / 2;
    *out = given > 0 ? (int)given : world_opening_moves(variant);
    if (*out > most) {
        return err_set(OGPT_EUSAGE, "--opening %d: at most %d moves on this board, half of a game",
                       *out, most);
    }
    return 0;
}

int world_session_begin(WorldSession *session, const Probe *probe, const PairSet *pairs)
{
    Context *context = session->context;
    Sha256 *hash = NULL;
    int rc = study_begin(context, session->subject.model.path, true);
    if (rc == 0) {
        rc = kept_blocks_key(&hash, context, session->subject.model.model_hash);
        rc = rc ? rc : kept_blocks_options(hash, context);
        if (rc == 0 && probe) {
            probe_hash(hash, probe);
        }
        if (rc == 0 && pairs) {
            pairs_hash(hash, pairs);
        }
        rc = kept_blocks_begin(&session->kept, context, hash, rc);
    }
    return rc ? rc
              : player_set_make(&session->set, session->subject.model.gpt, session->subject.vocab,
                                (size_t)session->given->mistake_games,
                                (size_t)session->given->history_steps,
                                study_work(context, "controls", "steps"));
}

int world_session_pairs(PairSet *out, const WorldSession *session, PairKind kind, size_t n)
{
    const GameVariant *variant = session->subject.variant;
    const PairMakeOptions wanted = {.n = n,
                                    .kind = kind,
                                    .min_moves = case_min_moves(variant),
                                    .before_end = case_before_end(variant)};
    return pairs_make(out, variant, &wanted, study_work(session->context, "pairs", "pairs"));
}

int world_session_each(WorldSession *session,
                       int (*test)(void *context, int kind, const Player *player, const Work *work),
                       void *context)
{
    int rc = 0;
    for (int kind = 0; kind < N_PLAYER_KINDS && rc == 0; kind++) {
        const Player *player = &session->set.players[kind];
        Work work = *study_work(session->context, player_name((PlayerKind)kind), "units");
        work.journal = &session->kept.callbacks;
        rc = world_strict_error(&session->findings.strict[kind], player,
                                (size_t)session->given->strict_games, &work);
        rc = rc ? rc : test(context, kind, player, &work);
    }
    return rc;
}

int world_session_done(const WorldSession *session)
{
    return kept_blocks_end(&session->kept);
}

void world_session_release(WorldSession *session)
{
    player_set_release(&session->set);
    subject_release(&session->subject);
}
