/* probes/edits/edit_predictor.c - asking a predictor. See probes/edits/edit_predictor.h. */
#include "probes/edits/edit_predictor.h"

#include "base/err.h"
#include "base/process.h"

int edit_check_logits(const float *logits, int d_vocab, const EditQuery *query)
{
    size_t V = (size_t)d_vocab;
    for (size_t i = 0; i < query->n; i++) {
        int bad = answer_bad_token(logits + i * V, d_vocab);
        if (bad >= 0) {
            return err_set(OGPT_ENUM,
                           "case %zu: the logit of token %d is %g, expected a finite number; the "
                           "scale is too large or the model is damaged",
                           query->order[i], bad, (double)logits[i * V + (size_t)bad]);
        }
    }
    return 0;
}

int edit_ask(float *logits, const EditPredictor *predictor, EditQuery *query, Arm arm,
             const EditPlan *plan, size_t worker)
{
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted between chunks of cases; type the command again");
    }
    query->arm = arm;
    query->plan = arm_is_plain(arm) ? NULL : plan;
    int rc = predictor->predict(predictor->context, logits, query, worker);
    return rc ? rc : edit_check_logits(logits, predictor->d_vocab, query);
}

int edit_predict(uint64_t *tokens, const EditPredictor *predictor, const CaseSet *set, size_t index,
                 Arm arm, const EditPlan *plan, AnswerRule rule)
{
    float logits[EDIT_MAX_VOCAB];
    double norms[EDIT_MAX_LAYERS] = {0};
    const EditCase *edit = &set->cases[index];
    EditQuery query = {.set = set, .order = &index, .n = 1, .norms = norms};
    uint64_t legal = arm_is_plain(arm) ? edit->legal_before : edit->legal_edited;
    int rc = edit_ask(logits, predictor, &query, arm, plan, 0);
    if (rc == 0) {
        *tokens = answer_predicted(logits, predictor->d_vocab, __builtin_popcountll(legal), rule);
    }
    return rc;
}
