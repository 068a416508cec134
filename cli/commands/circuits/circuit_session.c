/* cli/commands/circuits/circuit_session.c - contract in cli/commands/circuits/circuit_session.h. */
#include "cli/commands/circuits/circuit_session.h"

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

int circuit_session_load(CircuitSession *session, Context *context)
{
    const CircuitGiven *given = context->options;
    PairSession *in = &session->in;
    session->given = given;
    int rc = read_options(session);
    rc = rc ? rc : pair_session_load(in, context, given->pairs, given->control);
    if (rc == 0) {
        session->question = (EdgeQuestion){.gpt = in->subject.model.gpt,
                                           .graph = &in->graph,
                                           .vocab = in->subject.vocab,
                                           .pairs = in->pairs.pairs,
                                           .n_pairs = in->pairs.n,
                                           .direction = (PatchDirection)given->direction,
                                           .scope = (PatchScope)given->positions,
                                           .norm = (PatchNorm)given->norm};
    }
    return rc;
}

int circuit_session_begin(CircuitSession *session)
{
    const CircuitGiven *given = session->given;
    /* What blocks depend on. Their stages name the rest: tau, order and distance of pruning. */
    const int options[] = {given->direction, given->positions, given->norm, (int)given->points};
    Sha256 *hash;
    int rc = pair_session_begin(&hash, &session->in);
    session->options.transpositions = session->in.control.pairs;
    session->options.n_transpositions = session->in.control.n;
    if (rc == 0) {
        sha256_add(hash, options, sizeof(options));
    }
    return kept_blocks_begin(&session->in.blocks, session->in.context, hash, rc);
}
