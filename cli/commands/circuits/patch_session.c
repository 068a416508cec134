/* cli/commands/circuits/patch_session.c - contract in cli/commands/circuits/patch_session.h. */
#include "cli/commands/circuits/patch_session.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* ---- what is asked ---- */

static int read_edges(PatchSession *session)
{
    static const char *const of_sites[] = {"sites", "layers", "back", "noise"};
    static const char *const of_edges[] = {"positions", "ln"};
    const char *text = session->given->edges;
    const Context *context = session->in.context;
    for (size_t i = 0; i < (text ? 4 : 2); i++) {
        const char *name = text ? of_sites[i] : of_edges[i];
        if (context_given(context, name)) {
            return err_set(OGPT_EUSAGE, "--%s is about %s: leave it out, or %s --edges", name,
                           text ? "sites" : "edges", text ? "leave out" : "add");
        }
    }
    session->asked.every_edge = text && strcmp(text, "each") == 0;
    if (!text || session->asked.every_edge) {
        return 0;
    }
    session->edges = mem_calloc(session->in.graph.n_edges, 1, "patched edges");
    session->asked.edges = session->edges;
    return session->edges ? patch_edges_parse(session->edges, &session->in.graph, text)
                          : OGPT_ENOMEM;
}

int patch_session_load(PatchSession *session, Context *context)
{
    const PatchGiven *given = context->options;
    LayerList layers = given->layers;
    PatchAsked *asked = &session->asked;
    PairSession *in = &session->in;
    session->given = given;
    int rc = pair_session_load(in, context, given->pairs, given->control);
    if (rc != 0) {
        return rc;
    }
    const Gpt *gpt = in->subject.model.gpt;
    *asked = (PatchAsked){.gpt = gpt,
                          .graph = &in->graph,
                          .vocab = in->subject.vocab,
                          .pairs = in->pairs.pairs,
                          .n_pairs = in->pairs.n,
                          .modes = given->direction == BOTH_DIRECTIONS ? 3 : 1U << given->direction,
                          .back = (int)given->back,
                          .scope = (PatchScope)given->scope,
                          .norm = (PatchNorm)given->norm};
    asked->modes |= given->noise ? 1U << MODE_NOISE : 0;
    rc = patch_sites_parse(&asked->sites, given->sites);
    rc = rc ? rc : layers_resolve(&layers, gpt->cfg.n_layers, false, in->subject.model.path);
    for (int i = 0; i < layers.n; i++) {
        asked->layers |= 1ULL << layers.layers[i];
    }
    rc = rc ? rc : read_edges(session);
    return rc ? rc : patch_check(gpt, asked->vocab, asked->pairs, asked->n_pairs);
}

int patch_session_begin(PatchSession *session)
{
    PairSession *in = &session->in;
    Sha256 *hash;
    int rc = pair_session_begin(&hash, in);
    session->asked.control = in->control.pairs;
    session->asked.n_control = in->control.n;
    rc = rc ? rc : kept_blocks_options(hash, in->context);
    return kept_blocks_begin(&in->blocks, in->context, hash, rc);
}

void patch_session_release(PatchSession *session)
{
    pair_session_release(&session->in);
    mem_free(session->edges);
}
