/* cli/commands/circuits/circuit_session.c - contract in cli/commands/circuits/circuit_session.h. */
#include "cli/commands/circuits/circuit_session.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"

static int read_options(CircuitSession *session)
{
    const CircuitGiven *given = session->given;
    session->options = (CircuitOptions){.estimates = {.points = (int)given->points},
                                        .scores_only = given->no_curves,
                                        .top = (size_t)given->top,
                                        .tau = given->tau,
                                        .distance = (AcdcDistance)given->distance};
    return circuit_methods_parse(&session->options, given->methods);
}

/* ---- inputs ---- */

int circuit_control_read(PairSet *out, const GameVariant *variant, const char *path)
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

void circuit_same_moves_warn(const Context *context, const char *path, const GamePair *pairs,
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

int circuit_session_load(CircuitSession *session, Context *context)
{
    const CircuitGiven *given = context->options;
    session->context = context;
    session->given = given;
    int rc = read_options(session);
    rc = rc ? rc : context_subject_open(context, &session->subject, context->args[0]);
    rc = rc ? rc : pairs_read(&session->pairs, session->subject.variant, given->pairs);
    rc =
        rc ? rc : circuit_control_read(&session->control, session->subject.variant, given->control);
    if (rc == 0) {
        const Gpt *gpt = session->subject.model.gpt;
        session->graph = graph_of(&gpt->cfg);
        session->question = (EdgeQuestion){.gpt = gpt,
                                           .graph = &session->graph,
                                           .vocab = vocab_of(session->subject.variant),
                                           .pairs = session->pairs.pairs,
                                           .n_pairs = session->pairs.n,
                                           .direction = (PatchDirection)given->direction,
                                           .scope = (PatchScope)given->positions,
                                           .norm = (PatchNorm)given->norm};
    }
    return rc;
}

/* ---- journal ---- */

void circuit_hash_pairs(Sha256 *hash, const PairSet *set)
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

/* What blocks depend on. Their stages name the rest: tau, order and distance of pruning. */
static int begin_journal(CircuitSession *session)
{
    const Context *context = session->context;
    const CircuitGiven *given = session->given;
    const int options[] = {given->direction, given->positions, given->norm, (int)given->points};
    Sha256 *hash = NULL;
    int rc = sha256_new(&hash);
    if (rc == 0) {
        sha256_add(hash, "circuit " OGPT_VERSION, sizeof("circuit " OGPT_VERSION));
        sha256_add(hash, options, sizeof(options));
        sha256_add(hash, &context->seed, sizeof(context->seed));
        sha256_add(hash, session->subject.model.model_hash,
                   strlen(session->subject.model.model_hash) + 1);
        circuit_hash_pairs(hash, &session->pairs);
        sha256_finish(hash, session->journal.key);
    }
    session->journal.store = context->store;
    session->callbacks = store_journal_work(&session->journal);
    return rc;
}

int circuit_session_begin(CircuitSession *session)
{
    int rc = session->given->control
                 ? 0
                 : circuit_control_draw(&session->control, &session->pairs,
                                        study_work(session->context, "drawing", "pairs"));
    session->options.transpositions = session->control.pairs;
    session->options.n_transpositions = session->control.n;
    return rc ? rc : begin_journal(session);
}

void circuit_session_release(CircuitSession *session)
{
    pairs_release(&session->pairs);
    pairs_release(&session->control);
    subject_release(&session->subject);
}
