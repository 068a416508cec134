/* cli/commands/circuits/pair_session.c - contract in cli/commands/circuits/pair_session.h. */
#include "cli/commands/circuits/pair_session.h"

#include "base/err.h"
#include "probes/circuits/circuit_control.h"

/* ---- inputs ---- */

static int read_control(PairSet *out, const GameVariant *variant, const char *path)
{
    int rc = path ? pairs_read(out, variant, path) : 0;
    size_t flips = out->n - out->n_of[PAIR_TRANSPOSITION];
    if (rc == 0 && flips > 0) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: %zu of %zu pairs differ in a square; expected transpositions alone "
                     "(ogpt cases pairs FILE --kind transposition)",
                     path, flips, out->n);
    }
    return rc;
}

int pair_session_load(PairSession *session, Context *context, const char *pairs,
                      const char *control)
{
    const Subject *subject = &session->subject;
    session->context = context;
    int rc = context_subject_open(context, &session->subject, context->args[0]);
    rc = rc ? rc : pairs_read(&session->pairs, subject->variant, pairs);
    rc = rc ? rc : read_control(&session->control, subject->variant, control);
    if (rc == 0) {
        session->graph = graph_of(&subject->model.gpt->cfg);
    }
    return rc;
}

void pair_session_release(PairSession *session)
{
    pairs_release(&session->pairs);
    pairs_release(&session->control);
    subject_release(&session->subject);
}

void pair_session_warn_same(const Context *context, const char *path, const GamePair *pairs,
                            size_t n)
{
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        same += !pairs[i].target && pairs[i].legal_clean == pairs[i].legal_corrupt;
    }
    if (same > 0) {
        context_warn(context,
                     "%s: %zu of %zu pairs have the same legal moves on both boards, as "
                     "transpositions do: there the metric is the mean logit of the legal moves "
                     "minus that of the other empty squares",
                     path, same, n);
    }
}

/* ---- journal ---- */

void pair_session_hash(Sha256 *hash, const PairSet *set)
{
    sha256_add(hash, &set->n, sizeof(set->n)); /* where this set ends and the next begins */
    for (size_t i = 0; i < set->n; i++) {
        const GamePair *pair = &set->pairs[i];
        sha256_add(hash, &pair->n_moves, sizeof(pair->n_moves));
        sha256_add(hash, pair->clean, (size_t)pair->n_moves);
        sha256_add(hash, pair->corrupt, (size_t)pair->n_moves);
        sha256_add(hash, &pair->target, sizeof(pair->target));
        sha256_add(hash, &pair->other, sizeof(pair->other));
    }
}

int pair_session_begin(Sha256 **hash, PairSession *session)
{
    Context *context = session->context;
    *hash = NULL;
    int rc = session->control.n > 0 ? 0
                                    : circuit_control_draw(&session->control, &session->pairs,
                                                           study_work(context, "drawing", "pairs"));
    rc = rc ? rc : kept_blocks_key(hash, context, session->subject.model.model_hash);
    if (rc == 0) {
        pair_session_hash(*hash, &session->pairs);
        pair_session_hash(*hash, &session->control);
    }
    return rc;
}
