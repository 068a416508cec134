/* probes/edits/intervene.c - scoring cases before and after an edit, in fixed chunks. */
#include "probes/edits/intervene.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/edits/edit_chunks.h"
#include "probes/legality/answers.h"

double ideal_null_error(const EditCase *edit, int d_vocab, AnswerRule rule)
{
    double n_original = __builtin_popcountll(edit->legal_before);
    double n_edited = __builtin_popcountll(edit->legal_edited);
    double n_both = __builtin_popcountll(edit->legal_before & edit->legal_edited);
    double hits;
    if (rule == RULE_THRESHOLD) {
        /* p is 1 / n_original on the original's moves and 0 elsewhere. */
        return 1.0 / n_original > 1.0 / (2.0 * n_edited) ? n_original + n_edited - 2.0 * n_both
                                                         : n_edited;
    }
    if (n_edited <= n_original) {
        /* n_edited drawn without replacement from the original's moves. */
        hits = n_edited * n_both / n_original;
    } else {
        /* All of the original's moves, and the rest drawn from all other tokens. */
        hits = n_both + (n_edited - n_original) * (n_edited - n_both) / (d_vocab - n_original);
    }
    return 2.0 * (n_edited - hits);
}

/* ---- chunks ---- */

/* Numbers of one scored case, as they are kept in a journal. */
enum { N_SCORES = sizeof(CaseScore) / sizeof(double) };

typedef struct Work {
    EditChunks chunks;
    const EditPlan *plans; /* one to be scored, or those of a sweep */
    size_t n_plans;
    const CaseScore *known; /* of every case all but version repair; NULL: nothing */
} Work;

/* Enter one version's answer for one case into its score. */
static void enter(CaseScore *score, const Work *work, const EditCase *edit, EditVersion version,
                  const float *logits)
{
    AnswerRule rule = work->chunks.settings->rule;
    const Vocab *vocab = work->chunks.vocab;
    SetScore own =
        answer_score(logits, vocab->d_vocab, answer_tokens(vocab, edit->legal_before), rule);
    SetScore set =
        answer_score(logits, vocab->d_vocab, answer_tokens(vocab, edit->legal_edited), rule);

    switch (version) {
    case VERSION_NONE:
        score->null_error = set.error;
        score->self_error = own.error;
        score->ideal_null = ideal_null_error(edit, vocab->d_vocab, rule);
        score->repair_error = score->repair_self_error = NAN; /* until it is asked for */
        break;
    case VERSION_RANDOM: score->random_error = set.error; break;
    case VERSION_WRONG_SQUARE: score->wrong_square_error = set.error; break;
    case VERSION_REPAIR:
        score->repair_error = set.error;
        score->repair_self_error = own.error;
        break;
    case VERSION_EDIT:
        score->edit_error = set.error;
        score->drift = own.error;
        score->false_positives = set.false_positives;
        score->false_negatives = set.false_negatives;
        score->f1 = set.f1;
        score->kl = set.kl;
        break;
    }
}

/* Values of a chunk: the scores of its cases, in the order of the chunk. */
static int score_chunk(void *context, double *values, EditQuery *query, size_t worker)
{
    const Work *work = context;
    const EditPredictor *predictor = work->chunks.predictor;
    float logits[EDIT_CHUNK_CASES * EDIT_MAX_VOCAB];
    CaseScore scores[EDIT_CHUNK_CASES] = {0};
    size_t V = (size_t)predictor->d_vocab;
    int first = work->known ? VERSION_REPAIR : VERSION_NONE;
    int last = work->plans->method == METHOD_GRADIENT ? VERSION_REPAIR : VERSION_WRONG_SQUARE;
    int rc = 0;
    for (size_t i = 0; i < query->n && work->known; i++) {
        scores[i] = work->known[query->order[i]];
    }
    /* In the order of the enumeration: the edit leaves the lengths that the controls use. */
    for (int v = first; v <= last && rc == 0; v++) {
        rc = edit__ask(logits, predictor, query, (EditVersion)v, work->plans, worker);
        for (size_t i = 0; i < query->n && rc == 0; i++) {
            enter(&scores[i], work, &query->set->cases[query->order[i]], (EditVersion)v,
                  logits + i * V);
        }
    }
    memcpy(values, scores, sizeof(scores));
    return rc;
}

/* Sums over the cases of a chunk: null and self error, then of each plan error, F1 and KL. */
enum { SWEEP_HEAD = 2, SWEEP_SUMS = 3 };

static int sweep_chunk(void *context, double *sums, EditQuery *query, size_t worker)
{
    const Work *work = context;
    const EditPredictor *predictor = work->chunks.predictor;
    float logits[EDIT_CHUNK_CASES * EDIT_MAX_VOCAB];
    size_t V = (size_t)predictor->d_vocab;

    /* Number 0 is the predictor as it stands. */
    for (size_t p = 0; p <= work->n_plans; p++) {
        EditVersion version = p == 0 ? VERSION_NONE : VERSION_EDIT;
        const EditPlan *plan = p == 0 ? NULL : &work->plans[p - 1];
        int rc = edit__ask(logits, predictor, query, version, plan, worker);
        if (rc != 0) {
            return rc;
        }
        for (size_t i = 0; i < query->n; i++) {
            CaseScore score = {0};
            double *of_plan = sums + SWEEP_HEAD + (p - 1) * SWEEP_SUMS;
            enter(&score, work, &query->set->cases[query->order[i]], version, logits + i * V);
            if (p == 0) {
                sums[0] += score.null_error;
                sums[1] += score.self_error;
            } else {
                of_plan[0] += score.edit_error;
                of_plan[1] += score.f1;
                of_plan[2] += score.kl;
            }
        }
    }
    return 0;
}

/* ---- results ---- */

static void add_score(CaseScore *sum, const CaseScore *score, double weight)
{
    sum->self_error += weight * score->self_error;
    sum->null_error += weight * score->null_error;
    sum->edit_error += weight * score->edit_error;
    sum->drift += weight * score->drift;
    sum->random_error += weight * score->random_error;
    sum->wrong_square_error += weight * score->wrong_square_error;
    sum->repair_error += weight * score->repair_error;
    sum->repair_self_error += weight * score->repair_self_error;
    sum->ideal_null += weight * score->ideal_null;
    sum->false_positives += weight * score->false_positives;
    sum->false_negatives += weight * score->false_negatives;
    sum->f1 += weight * score->f1;
    sum->kl += weight * score->kl;
}

static CaseScore mean_score(const CaseScore *cases, size_t n)
{
    CaseScore sum = {0}, mean = {0};
    for (size_t i = 0; i < n; i++) {
        add_score(&sum, &cases[i], 1.0);
    }
    add_score(&mean, &sum, 1.0 / (double)n);
    return mean;
}

static int report_intervals(EditReport *out, uint64_t seed)
{
    const Interval none = {NAN, NAN, NAN};
    size_t n = out->n;
    double *columns = mem_alloc(7 * n, sizeof(*columns), "errors of the cases");
    if (!columns) {
        return OGPT_ENOMEM;
    }
    double *null = columns, *self = columns + n, *edit = columns + 2 * n;
    double *random = columns + 3 * n, *wrong = columns + 4 * n;
    double *repair = columns + 5 * n, *repair_self = columns + 6 * n;

    for (size_t i = 0; i < n; i++) {
        null[i] = out->cases[i].null_error;
        self[i] = out->cases[i].self_error;
        edit[i] = out->cases[i].edit_error;
        random[i] = out->cases[i].random_error;
        wrong[i] = out->cases[i].wrong_square_error;
        repair[i] = out->cases[i].repair_error;
        repair_self[i] = out->cases[i].repair_self_error;
    }
    out->edit_error = bootstrap_ratio(edit, NULL, n, seed);
    out->random_error = bootstrap_ratio(random, NULL, n, seed);
    out->wrong_square_error = bootstrap_ratio(wrong, NULL, n, seed);
    out->gain = bootstrap_difference(null, NULL, edit, NULL, n, seed);
    out->closed = bootstrap_closed(null, self, edit, n, seed);
    out->random_closed = bootstrap_closed(null, self, random, n, seed);
    out->wrong_square_closed = bootstrap_closed(null, self, wrong, n, seed);
    out->repair_error = out->repair_self_error = out->repair_closed = out->closed_repaired = none;
    if (!isnan(out->mean.repair_error)) {
        out->repair_error = bootstrap_ratio(repair, NULL, n, seed);
        out->repair_self_error = bootstrap_ratio(repair_self, NULL, n, seed);
        out->repair_closed = bootstrap_closed(null, self, repair, n, seed);
        out->closed_repaired = bootstrap_closed(repair, repair_self, edit, n, seed);
    }
    mem_free(columns);
    return 0;
}

/* Score the cases (set->n) by asking for what is not known of them. */
static int ask_cases(CaseScore *cases, Work *work, const EditPredictor *predictor,
                     const CaseSet *set, const EditSettings *settings)
{
    int rc = edit_chunks__init(&work->chunks, predictor, set, settings,
                               EDIT_CHUNK_CASES * (size_t)N_SCORES);
    if (rc != 0) {
        return rc;
    }
    rc = edit_chunks__run(&work->chunks, score_chunk, work);
    for (size_t i = 0; i < set->n && rc == 0; i++) {
        /* Whole chunks lie one behind the other. */
        memcpy(&cases[work->chunks.order[i]], work->chunks.values + i * N_SCORES, sizeof(*cases));
    }
    edit_chunks__release(&work->chunks);
    return rc;
}

int intervene_score(EditReport *out, const EditPredictor *predictor, const CaseSet *set,
                    const EditPlan *plan, const EditSettings *settings)
{
    return intervene_complete(out, predictor, set, plan, NULL, settings);
}

int intervene_complete(EditReport *out, const EditPredictor *predictor, const CaseSet *set,
                       const EditPlan *plan, const CaseScore *known, const EditSettings *settings)
{
    memset(out, 0, sizeof(*out));
    out->cases = mem_alloc(set->n, sizeof(*out->cases), "scores of the cases");
    int rc = out->cases ? 0 : OGPT_ENOMEM;
    if (rc == 0 && known && plan->method != METHOD_GRADIENT) {
        memcpy(out->cases, known, set->n * sizeof(*known));
    } else if (rc == 0) {
        Work work = {.plans = plan, .n_plans = 1, .known = known};
        rc = ask_cases(out->cases, &work, predictor, set, settings);
    }
    if (rc == 0) {
        out->n = set->n;
        out->mean = mean_score(out->cases, out->n);
        rc = report_intervals(out, settings->seed);
    }
    if (rc != 0) {
        intervene_release(out);
    }
    return rc;
}

void intervene_release(EditReport *report)
{
    mem_free(report->cases);
    memset(report, 0, sizeof(*report));
}

int intervene_sweep(SweepRow *rows, const EditPredictor *predictor, const CaseSet *set,
                    const EditPlan *plans, size_t n_plans, const EditSettings *settings)
{
    size_t width = SWEEP_HEAD + n_plans * SWEEP_SUMS;
    Work work = {.plans = plans, .n_plans = n_plans};
    int rc = edit_chunks__init(&work.chunks, predictor, set, settings, width);
    double *all = work.chunks.values;
    if (rc != 0) {
        return rc;
    }
    rc = edit_chunks__run(&work.chunks, sweep_chunk, &work);
    for (size_t c = 1; c < work.chunks.n && rc == 0; c++) {
        for (size_t i = 0; i < width; i++) {
            all[i] += all[c * width + i];
        }
    }
    for (size_t p = 0; p < n_plans && rc == 0; p++) {
        const double *sums = all + SWEEP_HEAD + p * SWEEP_SUMS;
        double null = all[0], self = all[1], share = 1.0 / (double)set->n;
        rows[p] = (SweepRow){.plan = plans[p],
                             .error = share * sums[0],
                             .f1 = share * sums[1],
                             .kl = share * sums[2],
                             .closed = (null - sums[0]) / (null - self)};
    }
    edit_chunks__release(&work.chunks);
    return rc;
}

size_t sweep_best(const SweepRow *rows, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        if (rows[i].error < rows[best].error) {
            best = i;
        }
    }
    return best;
}

int intervene_predict(uint64_t *tokens, const EditPredictor *predictor, const CaseSet *set,
                      size_t index, EditVersion version, const EditPlan *plan, AnswerRule rule)
{
    float logits[EDIT_MAX_VOCAB];
    double norms[EDIT_MAX_LAYERS] = {0};
    const EditCase *edit = &set->cases[index];
    EditQuery query = {.set = set, .order = &index, .n = 1, .norms = norms};
    uint64_t legal = version == VERSION_NONE ? edit->legal_before : edit->legal_edited;
    int rc = edit__ask(logits, predictor, &query, version, plan, 0);
    if (rc == 0) {
        *tokens = answer_predicted(logits, predictor->d_vocab, __builtin_popcountll(legal), rule);
    }
    return rc;
}
