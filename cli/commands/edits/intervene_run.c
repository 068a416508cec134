/* cli/commands/edits/intervene_run.c - the work of ogpt intervene: means, networks, and every
 * method on every file of cases. */
#include <stdio.h>

#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/edits/intervene_session.h"
#include "datasets/corpus.h"
#include "report/results/case_view.h"
#include "model/speed.h"

static int directions_of(const EditPlan *plan)
{
    return plan->method == METHOD_MEAN_DIFFERENCE;
}

static EditPredictor predictor_of(const EditSession *session, const EditPlan *plan)
{
    return edit_network_predictor(session->networks[directions_of(plan)]);
}

static int make_means(EditSession *session, const EditPlan *plan)
{
    EditMeansOptions options = EDIT_MEANS_OPTIONS_DEFAULT;
    const Work *work = study_work(session->context, "averaging", "games");
    const char *path = session->given->means_from;
    Corpus *corpus = NULL;
    int rc = corpus_open(&corpus, path, false);
    options.site = plan->site;
    options.labels = session->probe.labels;
    rc = rc ? rc : context_inputs_match(session->context, &session->subject, corpus, path);
    if (rc == 0) {
        corpus_divide(corpus, session->probe.split_rules); /* it reads what the edits changed */
        context_say(session->context, "averaging activations of %s: up to %zu MiB of memory", path,
                    (edit_means_bytes(&session->subject.model.gpt->cfg, &options, work) >> 20) + 1);
        rc = edit_means_fit(&session->directions[1], &session->means, session->subject.model.gpt,
                            corpus, &options, work);
    }
    corpus_close(corpus);
    return rc;
}

static int make_networks(EditSession *session)
{
    size_t n_workers = pool_size(session->context->pool);
    uint64_t seed = session->context->seed;
    const Gpt *gpt = session->subject.model.gpt;
    int rc = direction_board_of_probe(&session->directions[0], &session->probe);
    rc =
        rc ? rc
           : edit_network_new(&session->networks[0], gpt, &session->directions[0], n_workers, seed);
    for (size_t i = 0; i < session->n_plans && rc == 0; i++) {
        if (directions_of(&session->plans[i])) {
            rc = make_means(session, &session->plans[i]);
            rc = rc ? rc
                    : edit_network_new(&session->networks[1], gpt, &session->directions[1],
                                       n_workers, seed);
            if (rc == 0) {
                edit_network_read_with(session->networks[1], &session->probe);
            }
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
        .directions = &session->directions[directions_of(plan)],
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
        direction_board_hash(hash, &session->directions[1]);
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
    edit_network_free(session->networks[0]);
    edit_network_free(session->networks[1]);
    direction_board_release(&session->directions[0]);
    direction_board_release(&session->directions[1]);
    probe_release(&session->probe);
    subject_release(&session->subject);
}
