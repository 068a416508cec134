/* probes/intervene.c - scoring cases before and after an edit, in fixed chunks. */
#include "probes/intervene.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "datasets/vocab.h"
#include "probes/legality.h"

enum { MAX_VOCAB = 64 };

static uint64_t predicted_set(const float *logits, int d_vocab, int n_legal, EditRule rule)
{
    double total, least;
    uint64_t set = 0;

    if (rule == RULE_TOPN) {
        return top_tokens(logits, d_vocab, n_legal);
    }
    total = logits_total(logits, d_vocab);
    least = -log(2.0 * n_legal);
    for (int tok = 0; tok < d_vocab; tok++) {
        set |= logits[tok] - total > least ? 1ULL << tok : 0;
    }
    return set;
}

static double set_error(uint64_t predicted, uint64_t legal)
{
    return __builtin_popcountll(predicted ^ legal);
}

double ideal_null_error(const EditCase *edit, int d_vocab, EditRule rule)
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

typedef struct Work {
    const EditPredictor *predictor;
    const CaseSet *set;
    const Vocab *vocab;
    const EditPlan *plan;
    const EditSettings *settings;
    size_t *order;     /* (set->n) longest prefix first: a chunk is padded to its longest */
    CaseScore *cases;  /* (set->n) */
    unsigned versions; /* bit v: ask for version v */
    size_t first_chunk;
} Work;

#define VERSION_BIT(version) (1U << (version))

static int ask(float *logits, const Work *work, EditQuery *query, EditVersion version,
               size_t worker)
{
    size_t d_vocab = (size_t)work->predictor->d_vocab;
    int code;

    query->version = version;
    query->plan = version == VERSION_NONE ? NULL : work->plan;
    code = work->predictor->predict(work->predictor->context, logits, query, worker);
    for (size_t i = 0; code == 0 && i < query->n * d_vocab; i++) {
        if (!isfinite(logits[i])) {
            code = err_set(OGPT_ENUM,
                           "case %zu: the logit of token %zu is %g, expected a finite number; the "
                           "scale is too large or the model is damaged",
                           query->order[i / d_vocab], i % d_vocab, (double)logits[i]);
        }
    }
    return code;
}

/* Enter one version's answer for one case into its score. */
static void enter(CaseScore *score, const Work *work, const EditCase *edit, EditVersion version,
                  const float *logits)
{
    EditRule rule = work->settings->rule;
    int d_vocab = work->predictor->d_vocab;
    uint64_t original = token_mask(work->vocab, edit->legal_before);
    uint64_t edited = token_mask(work->vocab, edit->legal_edited);
    int n_edited = __builtin_popcountll(edited);
    uint64_t own = predicted_set(logits, d_vocab, __builtin_popcountll(original), rule);
    uint64_t set = predicted_set(logits, d_vocab, n_edited, rule);

    switch (version) {
    case VERSION_NONE:
        score->null_error = set_error(set, edited);
        score->self_error = set_error(own, original);
        score->ideal_null = ideal_null_error(edit, d_vocab, rule);
        break;
    case VERSION_RANDOM: score->random_error = set_error(set, edited); break;
    case VERSION_WRONG_SQUARE: score->wrong_square_error = set_error(set, edited); break;
    case VERSION_EDIT:
        score->edit_error = set_error(set, edited);
        score->drift = set_error(own, original);
        score->false_positives = __builtin_popcountll(set & ~edited);
        score->false_negatives = __builtin_popcountll(edited & ~set);
        score->f1 = 1.0 - score->edit_error / (__builtin_popcountll(set) + n_edited);
        score->kl = uniform_kl(logits, d_vocab, edited);
        break;
    }
}

static int score_chunk(void *context, size_t job, size_t worker)
{
    Work *work = context;
    float logits[EDIT_CHUNK_CASES * MAX_VOCAB];
    double norms[EDIT_CHUNK_CASES * EDIT_MAX_LAYERS] = {0};
    size_t first = (work->first_chunk + job) * EDIT_CHUNK_CASES, left = work->set->n - first;
    EditQuery query = {.set = work->set,
                       .order = work->order + first,
                       .n = left < EDIT_CHUNK_CASES ? left : EDIT_CHUNK_CASES,
                       .norms = norms};
    int code = 0;

    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted between chunks of cases; type the command again");
    }
    /* In the order of the enumeration: the edit leaves the lengths that the controls use. */
    for (int version = VERSION_NONE; version <= VERSION_WRONG_SQUARE && code == 0; version++) {
        if ((work->versions & VERSION_BIT(version)) == 0) {
            continue;
        }
        code = ask(logits, work, &query, (EditVersion)version, worker);
        for (size_t i = 0; code == 0 && i < query.n; i++) {
            size_t at = query.order[i];

            enter(&work->cases[at], work, &work->set->cases[at], (EditVersion)version,
                  logits + i * (size_t)work->predictor->d_vocab);
        }
    }
    return code;
}

static int work_init(Work *out, const EditPredictor *predictor, const CaseSet *set,
                     const EditSettings *settings)
{
    size_t at = 0;

    *out = (Work){
        .predictor = predictor, .set = set, .vocab = vocab_of(set->variant), .settings = settings};
    if (predictor->d_vocab != out->vocab->d_vocab) {
        return err_set(OGPT_EFORMAT,
                       "the model has d_vocab %d, cases on %dx%d need %d; use cases of the model's "
                       "board size",
                       predictor->d_vocab, set->variant->size, set->variant->size,
                       out->vocab->d_vocab);
    }
    out->order = mem_alloc(set->n, sizeof *out->order, "order of the cases");
    out->cases = mem_calloc(set->n, sizeof *out->cases, "scores of the cases");
    if (!out->order || !out->cases) {
        mem_free(out->order);
        mem_free(out->cases);
        return OGPT_ENOMEM;
    }
    for (int length = GAME_MAX_MOVES; length > 0; length--) {
        for (size_t i = 0; i < set->n; i++) {
            if (set->cases[i].n_moves == length) {
                out->order[at++] = i;
            }
        }
    }
    return 0;
}

/* Ask for work->versions of every case; `done` of `total` chunks were reported before. */
static int work_run(Work *work, size_t done, size_t total)
{
    const EditSettings *settings = work->settings;
    size_t n_chunks = (work->set->n + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES;
    /* The window only decides how often progress is told; results do not depend on it. */
    size_t window = 8 * (settings->pool ? pool_size(settings->pool) : 1);
    int code = 0;

    for (work->first_chunk = 0; work->first_chunk < n_chunks && code == 0;
         work->first_chunk += window) {
        size_t left = n_chunks - work->first_chunk;
        size_t n = left < window ? left : window;

        code = pool_run(settings->pool, n, score_chunk, work);
        if (code == 0 && settings->progress) {
            settings->progress(settings->context, done + work->first_chunk + n, total);
        }
    }
    return code;
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
    size_t n = out->n;
    double *columns = mem_alloc(5 * n, sizeof *columns, "errors of the cases");

    if (!columns) {
        return OGPT_ENOMEM;
    }
    double *null = columns, *self = columns + n, *edit = columns + 2 * n;
    double *random = columns + 3 * n, *wrong = columns + 4 * n;

    for (size_t i = 0; i < n; i++) {
        null[i] = out->cases[i].null_error;
        self[i] = out->cases[i].self_error;
        edit[i] = out->cases[i].edit_error;
        random[i] = out->cases[i].random_error;
        wrong[i] = out->cases[i].wrong_square_error;
    }
    out->edit_error = bootstrap_ratio(edit, NULL, n, seed);
    out->random_error = bootstrap_ratio(random, NULL, n, seed);
    out->gain = bootstrap_difference(null, NULL, edit, NULL, n, seed);
    out->closed = bootstrap_closed(null, self, edit, n, seed);
    out->random_closed = bootstrap_closed(null, self, random, n, seed);
    out->wrong_square_closed = bootstrap_closed(null, self, wrong, n, seed);
    mem_free(columns);
    return 0;
}

int intervene_score(EditReport *out, const EditPredictor *predictor, const CaseSet *set,
                    const EditPlan *plan, const EditSettings *settings)
{
    Work work;
    int code = work_init(&work, predictor, set, settings);

    memset(out, 0, sizeof *out);
    if (code != 0) {
        return code;
    }
    work.plan = plan;
    work.versions = VERSION_BIT(VERSION_NONE) | VERSION_BIT(VERSION_EDIT) |
                    VERSION_BIT(VERSION_RANDOM) | VERSION_BIT(VERSION_WRONG_SQUARE);
    code = work_run(&work, 0, (set->n + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES);
    out->n = set->n;
    out->cases = work.cases;
    if (code == 0) {
        out->mean = mean_score(out->cases, out->n);
        code = report_intervals(out, settings->seed);
    }
    if (code != 0) {
        intervene_release(out);
    }
    mem_free(work.order);
    return code;
}

void intervene_release(EditReport *report)
{
    mem_free(report->cases);
    memset(report, 0, sizeof *report);
}

int intervene_sweep(SweepRow *rows, const EditPredictor *predictor, const CaseSet *set,
                    const EditPlan *plans, size_t n_plans, const EditSettings *settings)
{
    size_t n_chunks = (set->n + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES;
    size_t total = (n_plans + 1) * n_chunks;
    Work work;
    int code = work_init(&work, predictor, set, settings);

    if (code != 0) {
        return code;
    }
    work.versions = VERSION_BIT(VERSION_NONE);
    code = work_run(&work, 0, total);
    work.versions = VERSION_BIT(VERSION_EDIT);
    for (size_t p = 0; p < n_plans && code == 0; p++) {
        CaseScore mean;

        work.plan = &plans[p];
        code = work_run(&work, (p + 1) * n_chunks, total);
        mean = mean_score(work.cases, set->n);
        rows[p] = (SweepRow){.plan = plans[p],
                             .error = mean.edit_error,
                             .f1 = mean.f1,
                             .kl = mean.kl,
                             .closed = (mean.null_error - mean.edit_error) /
                                       (mean.null_error - mean.self_error)};
    }
    mem_free(work.order);
    mem_free(work.cases);
    return code;
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
                      size_t index, EditVersion version, const EditPlan *plan, EditRule rule)
{
    float logits[MAX_VOCAB];
    double norms[EDIT_MAX_LAYERS] = {0};
    const EditCase *edit = &set->cases[index];
    const EditSettings settings = {.rule = rule};
    Work work = {.predictor = predictor, .set = set, .plan = plan, .settings = &settings};
    EditQuery query = {.set = set, .order = &index, .n = 1, .norms = norms};
    uint64_t legal = version == VERSION_NONE ? edit->legal_before : edit->legal_edited;
    int code = ask(logits, &work, &query, version, 0);

    if (code == 0) {
        *tokens = predicted_set(logits, predictor->d_vocab, __builtin_popcountll(legal), rule);
    }
    return code;
}
