/* cli/commands/readers/sae_eval_session.c - contract in cli/commands/readers/sae_eval_session.h. */
#include "cli/commands/readers/sae_eval_session.h"

#include "cli/commands/common/game_input.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/study.h"

int sae_eval_session_open(SaeEvalSession *session, HookSite site, int layer)
{
    CodebookStudyInputs *study = &session->study;
    const Subject *subject = &session->inputs->subject;
    const SaePlace place = {site, layer, "twin of its directions"};
    study->gpt = subject->model.gpt;
    study->site = site;
    study->layer = layer;
    study->twin_activations = session->given.twin_activations;
    int rc = context_sae_probe(&session->probe, session->probe_path, session->context, subject,
                               &place, session->given.probe);
    study->probe = rc == 0 && session->probe_path[0] ? &session->probe : NULL;
    return rc;
}

int sae_eval_session_draw(SaeEvalSession *session, size_t n, size_t features)
{
    const SaeEvalOptions *given = &session->given;
    Context *context = session->context;
    const Work *work = study_work(context, "games", "games");
    const CodebookSample sample = {(size_t)given->fit_games, (size_t)given->validation_games,
                                   (size_t)given->test_games, (int)given->plies};
    int rc = codebook_inputs_draw(&session->sets, &session->study, session->inputs->subject.variant,
                                  session->inputs->corpus, &sample, work);
    const size_t bytes = rc ? 0 : codebook_study_bytes(&session->study, n, features, work);
    rc = rc ? rc : context_check_memory(bytes, given->memory, "fewer games or --plies");
    if (rc == 0) {
        context_say(context, "%zu positions to fit on, %zu to choose on, %zu to test on; %zu MiB",
                    session->sets.fit.set.n_positions, session->sets.valid.set.n_positions,
                    session->sets.test.set.n_positions, (bytes >> 20) + 1);
    }
    return rc;
}

/* Finished rows are kept until the tables are filled. */
static int compute(CodebookStudy *study, KeptWork *kept, const SaeEvalSession *session)
{
    Context *context = session->context;
    Work work = *study_work(context, "dictionaries", "dictionaries");
    Sha256 *hash;
    int rc = kept_blocks_key(&hash, context, session->inputs->subject.model.model_hash);
    if (rc == 0) {
        codebook_inputs_hash(hash, &session->study);
    }
    rc = kept_blocks_begin(kept, context, hash, rc);
    work.journal = &kept->callbacks;
    return rc ? rc : codebook_study_run(study, &session->study, &work);
}

int sae_eval_session_run(SaeEvalSession *session, const SaeSet *set)
{
    Context *context = session->context;
    CodebookStudy study = {0};
    CodebookMethods methods = {0};
    KeptWork kept = {0};
    char games[GAME_WORDS_MAX];
    context_games_words(games, context, session->given.corpus, "each");
    session->study.saes = (const Sae *const *)set->saes;
    session->study.names = set->names;
    session->study.n_saes = set->n;
    int rc = compute(&study, &kept, session);
    rc = rc ? rc : codebook_methods_make(&methods, &study, &session->study);
    if (rc == 0) {
        dictionaries_report(
            context->report,
            &(DictionariesFindings){.study = &study,
                                    .in = &session->study,
                                    .methods = &methods,
                                    .source = games,
                                    .model_hash = session->inputs->subject.model.model_hash,
                                    .probe = session->probe_path});
        rc = kept_blocks_end(&kept);
    }
    codebook_methods_release(&methods);
    codebook_study_release(&study);
    return rc;
}

void sae_eval_session_release(SaeEvalSession *session)
{
    codebook_sets_release(&session->sets);
    probe_release(&session->probe);
}
