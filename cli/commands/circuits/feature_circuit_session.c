/* cli/commands/circuits/feature_circuit_session.c - ogpt circuit --nodes sae. Contract in
 * cli/commands/circuits/circuit_session.h. */
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "cli/commands/circuits/circuit_session.h"
#include "cli/commands/common/hint_words.h"
#include "cli/commands/common/sae_input.h"
#include "report/circuits/feature_circuit_result.h"

typedef struct FeatureCircuitSession {
    PairSession in;
    const CircuitGiven *given;
    Sae *sae;
    char sae_path[FILES_PATH_MAX];
    FeatureQuestion question;
} FeatureCircuitSession;

int feature_circuit_session_check(const Context *context)
{
    static const char *const of_edges[] = {"method",    "ln",  "tau", "distance",
                                           "no-curves", "out", "dot"};
    const CircuitGiven *given = context->options;
    if (given->nodes != CIRCUIT_NODES_SAE) {
        return given->sae ? err_set(OGPT_EUSAGE, "--sae is about features: leave it out, or add "
                                                 "--nodes sae")
                          : 0;
    }
    for (size_t i = 0; i < sizeof(of_edges) / sizeof(of_edges[0]); i++) {
        if (context_given(context, of_edges[i])) {
            return err_set(OGPT_EUSAGE,
                           "--%s is about edges: leave it out, or leave out --nodes sae",
                           of_edges[i]);
        }
    }
    return 0;
}

static int load(FeatureCircuitSession *session, Context *context)
{
    const CircuitGiven *given = context->options;
    PairSession *in = &session->in;
    session->given = given;
    int rc = pair_session_load(in, context, given->pairs, given->control);
    rc = rc ? rc
            : context_sae_open(&session->sae, session->sae_path, context, &in->subject, given->sae);
    if (rc == 0) {
        session->question = (FeatureQuestion){.gpt = in->subject.model.gpt,
                                              .vocab = in->subject.vocab,
                                              .pairs = in->pairs.pairs,
                                              .n_pairs = in->pairs.n,
                                              .direction = (PatchDirection)given->direction,
                                              .scope = (PatchScope)given->positions,
                                              .sae = session->sae,
                                              .points = (int)given->points};
    }
    return rc;
}

/* What blocks depend on: pairs, autoencoder, what is asked. */
static int begin(FeatureCircuitSession *session)
{
    const CircuitGiven *given = session->given;
    const int options[] = {given->direction, given->positions, (int)given->points};
    Sha256 *hash;
    int rc = pair_session_begin(&hash, &session->in);
    if (rc == 0) {
        sae_hash(hash, session->sae);
        sha256_add(hash, options, sizeof(options));
    }
    return kept_blocks_begin(&session->in.blocks, session->in.context, hash, rc);
}

static int compute(FeatureStudy *study, FeatureCircuitSession *session)
{
    Context *context = session->in.context;
    double began = clock_seconds();
    int rc = begin(session);
    if (rc == 0) {
        Work work = *study_work(context, "circuit", "pairs");
        work.journal = &session->in.blocks.callbacks;
        context_say(context, "%zu features, %zu pairs: up to %zu MiB of memory",
                    session->sae->cfg.features, session->in.pairs.n,
                    (feature_circuit_study_bytes(&session->question, &work) >> 20) + 1);
        rc = feature_circuit_study_run(study, &session->question, session->in.control.pairs,
                                       session->in.control.n, &work);
    }
    if (rc == 0) {
        feature_circuit_report(
            context->report,
            &(FeatureCircuitFindings){.study = study,
                                      .question = &session->question,
                                      .model_hash = session->in.subject.model.model_hash,
                                      .pairs_file = session->given->pairs,
                                      .autoencoder = session->sae_path,
                                      .top = (size_t)session->given->top,
                                      .seconds = clock_seconds() - began});
        rc = kept_blocks_end(&session->in.blocks);
        char name[FILES_PATH_MAX];
        context_name_free(name, "features", ".svg");
        study_next_again(context, "--figure features --svg", name);
    }
    return rc;
}

int feature_circuit_session_run(Context *context)
{
    FeatureCircuitSession session = {0};
    FeatureStudy study = {0};
    int rc = load(&session, context);
    rc = rc ? rc : study_begin(context, session.in.subject.model.path, true);
    rc = rc ? rc : compute(&study, &session);
    feature_circuit_study_release(&study);
    sae_free(session.sae);
    pair_session_release(&session.in);
    return rc;
}
