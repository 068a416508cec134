/* probes/edits/edit_sweep.c - sums of error, F1 and KL of each plan, chunk by chunk. */
#include "probes/edits/edit_sweep.h"

#include "base/arena.h"
#include "base/err.h"
#include "probes/edits/edit_chunks.h"

/* Sums over the cases of a chunk: null and self error, then error, F1 and KL of each plan. */
enum { SWEEP_HEAD = 2, SWEEP_SUMS = 3 };

typedef struct PlanSweep {
    EditChunks chunks;
    const EditPlan *plans;
    size_t n_plans;
    double *all; /* (width) sums over the chunks so far */
} PlanSweep;

/* Sums of the errors of an unedited answer by both boards. */
static void add_unedited(double *sums, const PlanSweep *sweep, const EditCase *edit,
                         const float *logits)
{
    const Vocab *vocab = sweep->chunks.vocab;
    AnswerRule rule = sweep->chunks.scoring->rule;
    uint64_t before = answer_tokens(vocab, edit->legal_before);
    uint64_t edited = answer_tokens(vocab, edit->legal_edited);
    sums[0] += answer_score(logits, vocab->d_vocab, edited, rule).error;
    sums[1] += answer_score(logits, vocab->d_vocab, before, rule).error;
}

static void add_edited(double *sums, const PlanSweep *sweep, const EditCase *edit,
                       const float *logits)
{
    const Vocab *vocab = sweep->chunks.vocab;
    SetScore score = answer_score(logits, vocab->d_vocab, answer_tokens(vocab, edit->legal_edited),
                                  sweep->chunks.scoring->rule);
    sums[0] += score.error;
    sums[1] += score.f1;
    sums[2] += score.kl;
}

static int sweep_chunk(void *context, double *sums, EditQuery *query, size_t worker)
{
    const PlanSweep *sweep = context;
    const EditPredictor *predictor = sweep->chunks.predictor;
    float logits[EDIT_CHUNK_CASES * EDIT_MAX_VOCAB];
    size_t V = (size_t)predictor->d_vocab;
    int rc = edit_ask(logits, predictor, query, ARM_NULL, NULL, worker);
    for (size_t i = 0; i < query->n && rc == 0; i++) {
        add_unedited(sums, sweep, &query->set->cases[query->order[i]], logits + i * V);
    }
    for (size_t p = 0; p < sweep->n_plans && rc == 0; p++) {
        rc = edit_ask(logits, predictor, query, ARM_EDIT, &sweep->plans[p], worker);
        for (size_t i = 0; i < query->n && rc == 0; i++) {
            add_edited(sums + SWEEP_HEAD + p * SWEEP_SUMS, sweep,
                       &query->set->cases[query->order[i]], logits + i * V);
        }
    }
    return rc;
}

static int add_chunk(void *context, const double *sums, size_t chunk)
{
    const PlanSweep *sweep = context;
    for (size_t i = 0; i < sweep->chunks.width; i++) {
        sweep->all[i] += sums[i];
    }
    return 0;
}

int edit_sweep(SweepRow *rows, const EditPredictor *predictor, const CaseSet *set,
               const EditPlan *plans, size_t n_plans, const EditScoring *scoring, const Work *work)
{
    size_t width = SWEEP_HEAD + n_plans * SWEEP_SUMS;
    PlanSweep sweep = {.chunks = {.predictor = predictor,
                                  .set = set,
                                  .scoring = scoring,
                                  .work = work,
                                  .width = width},
                       .plans = plans,
                       .n_plans = n_plans};
    int rc = edit_chunks__init(&sweep.chunks);
    if (rc == 0) {
        sweep.all = mem_calloc(width, sizeof(*sweep.all), "sums over the cases");
        rc = sweep.all ? edit_chunks__run(&sweep.chunks, sweep_chunk, add_chunk, &sweep)
                       : OGPT_ENOMEM;
    }
    for (size_t p = 0; p < n_plans && rc == 0; p++) {
        const double *sums = sweep.all + SWEEP_HEAD + p * SWEEP_SUMS;
        double null = sweep.all[0], self = sweep.all[1], share = 1.0 / (double)set->n;
        rows[p] = (SweepRow){.plan = plans[p],
                             .error = share * sums[0],
                             .f1 = share * sums[1],
                             .kl = share * sums[2],
                             .closed = (null - sums[0]) / (null - self)};
    }
    mem_free(sweep.all);
    edit_chunks__release(&sweep.chunks);
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
