/* cli/commands/circuits/patch_session.c - contract in cli/commands/circuits/patch_session.h. */
#include "cli/commands/circuits/patch_session.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

/* ---- what is asked ---- */

static int read_edges(PatchSession *session)
{
    static const char *const of_sites[] = {"sites", "layers", "back", "noise"};
    static const char *const of_edges[] = {"positions", "ln"};
    const char *text = session->given->edges;
    const Context *context = session->context;
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
    session->edges = mem_calloc(session->graph.n_edges, 1, "patched edges");
    session->asked.edges = session->edges;
    return session->edges ? patch_edges_parse(session->edges, &session->graph, text) : OGPT_ENOMEM;
}

int patch_session_load(PatchSession *session)
{
    const PatchGiven *given = session->given;
    LayerList layers = given->layers;
    PatchAsked *asked = &session->asked;
    int rc = context_subject_open(session->context, &session->subject, session->context->args[0]);
    rc = rc ? rc : pairs_read(&session->pairs, session->subject.variant, given->pairs);
    rc =
        rc ? rc : circuit_control_read(&session->control, session->subject.variant, given->control);
    if (rc != 0) {
        return rc;
    }
    const Gpt *gpt = session->subject.model.gpt;
    session->graph = graph_of(&gpt->cfg);
    *asked = (PatchAsked){.gpt = gpt,
                          .graph = &session->graph,
                          .vocab = session->subject.vocab,
                          .pairs = session->pairs.pairs,
                          .n_pairs = session->pairs.n,
                          .modes = given->direction == BOTH_DIRECTIONS ? 3 : 1U << given->direction,
                          .back = (int)given->back,
                          .scope = (PatchScope)given->scope,
                          .norm = (PatchNorm)given->norm};
    asked->modes |= given->noise ? 1U << MODE_NOISE : 0;
    rc = patch_sites_parse(&asked->sites, given->sites);
    rc = rc ? rc : layers_resolve(&layers, gpt->cfg.n_layers, false, session->subject.model.path);
    for (int i = 0; i < layers.n; i++) {
        asked->layers |= 1ULL << layers.layers[i];
    }
    rc = rc ? rc : read_edges(session);
    return rc ? rc : patch_check(gpt, asked->vocab, asked->pairs, asked->n_pairs);
}

/* ---- the work ---- */

int patch_session_begin(PatchSession *session)
{
    Context *context = session->context;
    char *given = NULL;
    Sha256 *hash = NULL;
    int rc = session->given->control
                 ? 0
                 : circuit_control_draw(&session->control, &session->pairs,
                                        study_work(context, "drawing", "pairs"));
    session->asked.control = session->control.pairs;
    session->asked.n_control = session->control.n;
    rc = rc ? rc : js_print(&given, context->options_json, 0);
    rc = rc ? rc : sha256_new(&hash);
    if (rc == 0) {
        sha256_add(hash, "patch " OGPT_VERSION, sizeof("patch " OGPT_VERSION));
        sha256_add(hash, given, strlen(given) + 1);
        sha256_add(hash, &context->seed, sizeof(context->seed));
        sha256_add(hash, session->subject.model.model_hash, HASH_HEX_SIZE - 1);
        circuit_hash_pairs(hash, &session->pairs);
        circuit_hash_pairs(hash, &session->control);
        sha256_finish(hash, session->journal.key);
    }
    session->journal.store = context->store;
    session->callbacks = store_journal_work(&session->journal);
    mem_free(given);
    return rc;
}
