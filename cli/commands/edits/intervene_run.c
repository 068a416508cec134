/* cli/commands/edits/intervene_run.c - the work of ogpt intervene: means, networks, and every
 * method on every file of cases. */
#include <stdio.h>

#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/sae_input.h"
#include "cli/commands/edits/intervene_session.h"
#include "datasets/corpus.h"
#include "report/results/case_view.h"
#include "model/speed.h"

static EditOwner owner_of(const EditPlan *plan)
{
    return plan->method == METHOD_MEAN_DIFFERENCE ? OWNER_MEANS
           : plan->method == METHOD_SAE           ? OWNER_FEATURES
                                                  : OWNER_PROBE;
}

static EditPredictor predictor_of(const EditSession *session, const EditPlan *plan)
{
    return edit_network_predictor(session->networks[owner_of(plan)]);
}

static int make_means(EditSession *session, HookSite site, Corpus *corpus)
{
    EditMeansOptions options = EDIT_MEANS_OPTIONS_DEFAULT;
    const Work *work = study_work(session->context, "averaging", "games");
    options.site = site;
    options.labels = session->probe.labels;
    context_say(session->context, "averaging activations of %s: up to %zu MiB of memory",
                session->given->means_from,
                (edit_means_bytes(&session->subject.model.gpt->cfg, &options, work) >> 20) + 1);
    return edit_means_fit(&session->directions[OWNER_MEANS], &session->means,
                          session->subject.model.gpt, corpus, &options, work);
}

/* The probe goes as far as the features did: it needs directions where they are. */
static int make_features(EditSession *session, const EditPlan *plan, Corpus *corpus)
{
    const FeaturesGames games = {session->subject.model.gpt, session->subject.variant, corpus,
                                 (size_t)session->given->features_games};
    EditPlan rival = *plan;
    rival.method = METHOD_ADD;
    int rc = edit_plan_check(&rival, &session->directions[OWNER_PROBE], &games.gpt->cfg);
    rc = rc ? rc : context_sae_handles(&session->handles, session->context, session->sae, &games);
    if (rc == 0) {
        features_handles_directions(&session->directions[OWNER_FEATURES], &session->mover,
                                    &session->handles, games.variant);
    }
    return rc;
}

/* Directions of a plan that are not the probe's. */
static int make_directions(EditSession *session, const EditPlan *plan)
{
    const char *path = session->given->means_from;
    Corpus *corpus = NULL;
    int rc = path ? corpus_open(&corpus, path, false) : 0;
    rc = rc || !path ? rc : context_inputs_match(session->context, &session->subject, corpus, path);
    if (rc == 0 && path) {
        corpus_divide(corpus, session->probe.split_rules); /* it reads what the edits changed */
    }
    rc = rc                              ? rc
         : owner_of(plan) == OWNER_MEANS ? make_means(session, plan->site, corpus)
                                         : make_features(session, plan, corpus);
    corpus_close(corpus);
    return rc;
}

/* Edited along the directions of an owner, read by the probe. */
static int make_network(EditSession *session, EditOwner owner)
{
    EditNetwork **out = &session->networks[owner];
    int rc = edit_network_new(out, session->subject.model.gpt, &session->directions[owner],
                              pool_size(session->context->pool), session->context->seed);
    if (rc == 0) {
        edit_network_read_with(*out, &session->probe);
        edit_network_rival(*out, &session->directions[OWNER_PROBE]);
    }
    return rc;
}

static int make_networks(EditSession *session)
{
    int rc = direction_board_of_probe(&session->directions[OWNER_PROBE], &session->probe);
    rc = rc ? rc : make_network(session, OWNER_PROBE);
    for (size_t i = 0; i < session->n_plans && rc == 0; i++) {
        const EditOwner owner = owner_of(&session->plans[i]);
        if (owner != OWNER_PROBE) {
            rc = make_directions(session, &session->plans[i]);
            rc = rc ? rc : make_network(session, owner);
        }
    }
    return rc;
}

static int run_method(EditSession *session, const CaseFile *file, const EditPlan *plan,
                      const WorkJournal *journal)
{
    EditResult *result = &session->results[session->n_results];
    const InterveneOptions *given = session->given;
    EditPredictor predictor = predictor_of(session, plan);
    Work work = *study_work(session->context, edit_method_name(plan->method), "chunks");
    char name[64];
    ExperimentOptions options = {
        .base = *plan,
        .any_layers = session->any_layers,
        .any_scale = session->any_scale,
        .by_layer = !given->no_by_layer && !session_is_all(session),
        .directions = &session->directions[owner_of(plan)],
        .cfg = &session->subject.model.gpt->cfg,
        .measure = {.scoring = {.rule = (AnswerRule)given->rule, .name = name},
                    .reader = &session->probe,
                    .play_on = !given->no_play_on,
                    .n_ctx = session->subject.model.gpt->cfg.n_ctx}};
    work.journal = journal;
    snprintf(name, sizeof(name), "%s of file %zu", edit_method_name(plan->method),
             (size_t)(file - session->files));
    result->cases = &file->cases;
    result->cases_file = file->path;
    result->tuned_file = file->tune_path;
    result->tuning_left_out = file->tuning.left_out;
    const CaseSet *tuning = file->tuning.n > 0 ? &file->tuning : NULL;
    char time[SPEED_TEXT];
    speed_estimate(time, experiment_flops(&file->cases, tuning, &options),
                   EXPERIMENT_SHARE_OF_SPEED, session->context->pool);
    context_say(session->context, "%s on %s: %s (estimated)", edit_method_name(plan->method),
                file->path, time);
    int rc = experiment_run(&result->experiment, &predictor, &file->cases, tuning, &options, &work);
    session->n_results += rc == 0;
    return rc;
}

static int begin_journal(KeptWork *blocks, const EditSession *session)
{
    const Context *context = session->context;
    Sha256 *hash;
    int rc = kept_blocks_key(&hash, context, session->subject.model.model_hash);
    rc = rc ? rc : kept_blocks_options(hash, context);
    if (rc == 0) {
        probe_hash(hash, &session->probe);
        direction_board_hash(hash, &session->directions[OWNER_MEANS]);
        features_handles_hash(hash, &session->handles);
    }
    for (size_t f = 0; f < session->n_files && rc == 0; f++) {
        rc = cases_hash(hash, &session->files[f].cases);
        rc = rc ? rc : cases_hash(hash, &session->files[f].tuning);
    }
    return kept_blocks_begin(blocks, context, hash, rc);
}

int session_run(EditSession *session)
{
    KeptWork blocks;
    int rc = make_networks(session);
    rc = rc ? rc : begin_journal(&blocks, session);
    for (size_t f = 0; f < session->n_files && rc == 0; f++) {
        for (size_t p = 0; p < session->n_plans && rc == 0; p++) {
            rc = run_method(session, &session->files[f], &session->plans[p], &blocks.callbacks);
        }
    }
    return rc ? rc : kept_blocks_end(&blocks);
}

int session_show_case(EditSession *session)
{
    const EditResult *result = &session->results[0];
    const EditPlan *plan = &result->experiment.plan;
    EditPredictor predictor = predictor_of(session, plan);
    AnswerRule rule = (AnswerRule)session->given->rule;
    size_t index = (size_t)session->given->show;
    const CaseSet *set = result->cases;
    const EditCase *edit = &set->cases[index];
    const Vocab *vocab = vocab_of(set->variant);
    uint64_t before = 0, after = 0;
    int rc = edit_predict(&before, &predictor, set, index, ARM_NULL, plan, rule);
    rc = rc ? rc : edit_predict(&after, &predictor, set, index, ARM_EDIT, plan, rule);
    if (rc != 0) {
        return rc;
    }
    Js *shown = case_json(set->variant, edit, index);
    Text *text = study_text(session->context);
    js_set(shown, "predicted_before", squares_json(answer_squares(vocab, before)));
    js_set(shown, "predicted_after", squares_json(answer_squares(vocab, after)));
    study_json(session->context, "case", shown);
    draw_case(text, set->variant, edit, index, session->context->style);
    draw_prediction(text, set->variant, "plays before  ", before, edit->legal_before);
    draw_prediction(text, set->variant, "plays after   ", after, edit->legal_edited);
    text_add(text, "(! is illegal on that board)\n\n");
    return 0;
}

void session_release(EditSession *session)
{
    for (size_t i = 0; i < session->n_results; i++) {
        experiment_release(&session->results[i].experiment);
    }
    for (size_t i = 0; i < session->n_files; i++) {
        cases_release(&session->files[i].tuning);
        cases_release(&session->files[i].cases);
    }
    for (int i = 0; i < N_EDIT_OWNERS; i++) {
        edit_network_free(session->networks[i]);
        direction_board_release(&session->directions[i]);
    }
    features_handles_release(&session->handles);
    sae_free(session->sae);
    probe_release(&session->probe);
    subject_release(&session->subject);
}
