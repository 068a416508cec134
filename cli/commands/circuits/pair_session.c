/* cli/commands/circuits/pair_session.c - contract in cli/commands/circuits/pair_session.h. */
#include "cli/commands/circuits/pair_session.h"

#include "probes/circuits/circuit_control.h"

int pair_session_load(PairSession *session, Context *context, const char *pairs,
                      const char *control)
{
    const Subject *subject = &session->subject;
    session->context = context;
    int rc = context_subject_open(context, &session->subject, context->args[0]);
    rc = rc ? rc : pairs_read(&session->pairs, subject->variant, pairs);
    rc = rc || !control ? rc
                        : pairs_read_transpositions(&session->control, subject->variant, control);
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

int pair_session_begin(Sha256 **hash, PairSession *session)
{
    Context *context = session->context;
    *hash = NULL;
    int rc = session->control.n > 0 ? 0
                                    : circuit_control_draw(&session->control, &session->pairs,
                                                           study_work(context, "drawing", "pairs"));
    rc = rc ? rc : kept_blocks_key(hash, context, session->subject.model.model_hash);
    if (rc == 0) {
        pairs_hash(*hash, &session->pairs);
        pairs_hash(*hash, &session->control);
    }
    return rc;
}
