/* probes/feature_circuits/feature_circuit_study.c - see
 * probes/feature_circuits/feature_circuit_study.h. */
#include "probes/feature_circuits/feature_circuit_study.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/circuits/grades.h"
#include "probes/feature_circuits/feature_circuit_agree.h"
#include "probes/patching/patch_jobs.h"

typedef struct FeatureCall {
    const FeatureQuestion *question;
    const Work *work;
    FeatureBasis *bases;
    size_t n_bases;
    bool brief;
    FeaturePair **rooms; /* (workers) */
    FeatureNumbers numbers;
} FeatureCall;

/* ---- all pairs ---- */

static size_t pair_numbers(void *context, size_t job)
{
    const FeatureCall *call = context;
    (void)job;
    return call->numbers.layout.n;
}

static int pair_run(void *context, double *values, size_t job, size_t worker)
{
    const FeatureCall *call = context;
    return feature_circuit_pair_measure(values, call->rooms[worker], job, call->work->seed,
                                        call->brief);
}

static void pair_take(void *context, const double *values, size_t job)
{
    FeatureCall *call = context;
    FeatureNumbers *numbers = &call->numbers;
    memcpy(numbers->values + job * numbers->layout.n, values, numbers->layout.n * sizeof(*values));
    numbers->whole[job] = values[FEATURE_HEAD_WHOLE] - values[FEATURE_HEAD_BASE];
}

/* numbers->values and whole become owned by the caller. */
static int measure_pairs(FeatureCall *call, const char *stage)
{
    const size_t workers = work_workers(call->work), n = call->question->n_pairs;
    FeatureNumbers *numbers = &call->numbers;
    int rc = patch_check(call->question->gpt, call->question->vocab, call->question->pairs, n);
    if (rc != 0) {
        return rc;
    }
    numbers->layout = feature_circuit_pair_layout(call->bases, call->n_bases);
    numbers->n_pairs = n;
    numbers->values = mem_calloc(n * numbers->layout.n, sizeof(double), "effects of nodes");
    numbers->whole = mem_calloc(n, sizeof(double), "effects of pairs");
    call->rooms = mem_calloc(workers, sizeof(FeaturePair *), "workers");
    rc = numbers->values && numbers->whole && call->rooms ? 0 : OGPT_ENOMEM;
    for (size_t w = 0; w < workers && rc == 0; w++) {
        rc = feature_circuit_pair_new(&call->rooms[w], call->question, call->bases, call->n_bases);
    }
    const PatchJobs jobs = {.work = call->work,
                            .stage = stage,
                            .unit = "pairs",
                            .n_units = (double)n,
                            .n_jobs = n,
                            .context = call,
                            .numbers = pair_numbers,
                            .run = pair_run,
                            .take = pair_take};
    rc = rc ? rc : patch_jobs_run(&jobs);
    for (size_t w = 0; call->rooms && w < workers; w++) {
        feature_circuit_pair_free(call->rooms[w]);
    }
    mem_free(call->rooms);
    call->rooms = NULL;
    return rc;
}

static void numbers_release(FeatureNumbers *numbers)
{
    mem_free(numbers->values);
    mem_free(numbers->whole);
    *numbers = (FeatureNumbers){0};
}

/* ---- bases ---- */

static size_t first_above(const Interval *curve, double share)
{
    for (size_t k = 0; k < N_FEATURE_COUNTS; k++) {
        if (curve[k].value >= share) {
            return feature_circuit_counts[k];
        }
    }
    return 0;
}

static int add_up_basis(FeatureBasisResult *out, const FeatureCall *call, size_t b)
{
    const FeatureNumbers *numbers = &call->numbers;
    const FeatureLayout *layout = &numbers->layout;
    const FeatureBasis *basis = &call->bases[b];
    const uint64_t seed = call->work->seed;
    const size_t exact = feature_circuit_pair_plane(layout, b, FEATURE_EXACT);
    const size_t change = feature_circuit_pair_plane(layout, b, FEATURE_CHANGE);
    *out = (FeatureBasisResult){.name = feature_circuit_basis_name(basis->kind),
                                .n = basis->n,
                                .has_error = basis->has_error};
    for (size_t p = 0; p < numbers->n_pairs; p++) {
        for (size_t i = 0; i < basis->n; i++) {
            out->differ += numbers->values[p * layout->n + change + i] > 0;
        }
    }
    out->differ /= (double)numbers->n_pairs;
    int rc =
        feature_circuit__share(&out->all, numbers, feature_circuit_pair_all(layout, b), 1, seed);
    rc = rc ? rc : feature_circuit__share(&out->error, numbers, exact + basis->n, 1, seed);
    rc = rc ? rc : feature_circuit__share(&out->single, numbers, exact, basis->n + 1, seed);
    for (int order = 0; order < N_FEATURE_ORDERS; order++) {
        const size_t first = feature_circuit_pair_curve(layout, b, (FeatureOrder)order);
        for (size_t k = 0; k < N_FEATURE_COUNTS && rc == 0; k++) {
            rc = feature_circuit__share(&out->curve[order][k], numbers, first + k, 1, seed);
        }
    }
    out->half = first_above(out->curve[FEATURE_EXACT], 0.5);
    out->most = first_above(out->curve[FEATURE_EXACT], 0.8);
    return rc ? rc : feature_circuit__agree(out, numbers, b, seed);
}

/* ---- features ---- */

static int score_feature(FeatureScore *out, const FeatureCall *call, size_t node)
{
    const FeatureNumbers *numbers = &call->numbers;
    const FeatureLayout *layout = &numbers->layout;
    int rc = 0;
    *out = (FeatureScore){.node = node};
    for (size_t p = 0; p < numbers->n_pairs; p++) {
        const double *values = numbers->values + p * layout->n;
        if (values[feature_circuit_pair_plane(layout, 0, FEATURE_CHANGE) + node] > 0) {
            out->pairs++;
            out->size += fabs(values[feature_circuit_pair_plane(layout, 0, FEATURE_EXACT) + node]);
        }
    }
    out->size /= (double)out->pairs;
    for (size_t score = 0; score < N_FEATURE_SCORES && rc == 0; score++) {
        rc = feature_circuit__share(&out->share[score], numbers,
                                    feature_circuit_pair_plane(layout, 0, score) + node, 1,
                                    call->work->seed);
    }
    return rc;
}

/* Features by falling |share| of their exact effect. */
static int list_features(FeatureStudy *study, const FeatureCall *call)
{
    const size_t nodes = call->numbers.layout.nodes[0];
    uint32_t *used = mem_alloc(nodes, sizeof(*used), "features that differ");
    uint32_t *order = mem_alloc(nodes, sizeof(*order), "order of features");
    double *size = mem_alloc(nodes, sizeof(*size), "effects of features");
    FeatureScore *found = mem_calloc(nodes, sizeof(*found), "features that differ");
    study->scores = mem_calloc(nodes, sizeof(*study->scores), "features that differ");
    int rc = used && order && size && found && study->scores ? 0 : OGPT_ENOMEM;
    const size_t n = rc ? 0 : feature_circuit__used(used, &call->numbers, 0);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = score_feature(&found[i], call, used[i]);
        size[i] = found[i].share[FEATURE_EXACT].value;
    }
    rc = rc ? rc : grade_order(order, size, n);
    for (size_t i = 0; i < n && rc == 0; i++) {
        study->scores[i] = found[order[i]];
    }
    study->n_scores = n;
    mem_free(used);
    mem_free(order);
    mem_free(size);
    mem_free(found);
    return rc;
}

/* ---- what holds for every pair ---- */

static void find_checks(FeatureStudy *study, const FeatureNumbers *numbers)
{
    const FeatureLayout *layout = &numbers->layout;
    double off = 0, size = 0;
    for (size_t p = 0; p < numbers->n_pairs; p++) {
        const double *values = numbers->values + p * layout->n;
        const double *ig = values + feature_circuit_pair_plane(layout, 0, FEATURE_IG);
        double sum = 0;
        for (size_t i = 0; i < layout->nodes[0]; i++) {
            sum += ig[i];
        }
        off += fabs(sum - numbers->whole[p]);
        size += fabs(numbers->whole[p]);
        study->identity = fmax(study->identity, values[FEATURE_HEAD_IDENTITY]);
        study->split = fmax(study->split, values[FEATURE_HEAD_SPLIT]);
        study->other_error =
            fmax(study->other_error,
                 fabs(values[FEATURE_HEAD_WHOLE] - values[FEATURE_HEAD_RUNS + FEATURE_RUN_OTHER]));
    }
    study->ig_error = size > 0 ? off / size : NAN;
}

/* Nats that Delta falls by, with features as basis 0. */
static int find_control(FeatureControl *out, const FeatureNumbers *numbers, uint64_t seed)
{
    const FeatureLayout *layout = &numbers->layout;
    const size_t n = numbers->n_pairs;
    double *fall = mem_alloc(4 * n, sizeof(*fall), "effects of pairs");
    if (!fall) {
        return OGPT_ENOMEM;
    }
    for (size_t p = 0; p < n; p++) {
        const double *values = numbers->values + p * layout->n;
        fall[p] = values[FEATURE_HEAD_RUNS] - values[FEATURE_HEAD_RUNS + 1];
        fall[n + p] = -numbers->whole[p];
        fall[2 * n + p] = -values[feature_circuit_pair_all(layout, 0)];
        fall[3 * n + p] =
            -values[feature_circuit_pair_plane(layout, 0, FEATURE_EXACT) + layout->nodes[0] - 1];
    }
    *out = (FeatureControl){.n_pairs = n,
                            .runs = bootstrap_ratio(fall, NULL, n, seed),
                            .whole = bootstrap_ratio(fall + n, NULL, n, seed),
                            .all = bootstrap_ratio(fall + 2 * n, NULL, n, seed),
                            .error = bootstrap_ratio(fall + 3 * n, NULL, n, seed)};
    mem_free(fall);
    return 0;
}

static int find_of_run(FeatureStudy *study, const FeatureNumbers *numbers, uint64_t seed)
{
    double *runs = mem_alloc(numbers->n_pairs, sizeof(*runs), "effects of pairs");
    for (size_t p = 0; runs && p < numbers->n_pairs; p++) {
        const double *values = numbers->values + p * numbers->layout.n;
        runs[p] = values[FEATURE_HEAD_RUNS + 1] - values[FEATURE_HEAD_RUNS];
    }
    if (runs) {
        study->of_run = bootstrap_ratio(numbers->whole, runs, numbers->n_pairs, seed);
    }
    mem_free(runs);
    return runs ? 0 : OGPT_ENOMEM;
}

/* ---- the study ---- */

size_t feature_circuit_study_bytes(const FeatureQuestion *question, const Work *work)
{
    const GptConfig *cfg = &question->gpt->cfg;
    const SaeConfig *sae = &question->sae->cfg;
    const size_t sizes[N_FEATURE_BASES] = {sae->features, sae->features, sae->d_in, sae->d_in,
                                           (size_t)cfg->d_mlp};
    FeatureBasis bases[N_FEATURE_BASES] = {{0}};
    const size_t n_bases = feature_circuit_basis_count(question->sae);
    size_t columns = 0;
    for (size_t b = 0; b < n_bases; b++) {
        bases[b] = (FeatureBasis){.n = sizes[b], .width = sae->d_in};
        columns += sizes[b] * sae->d_in * sizeof(float);
    }
    const FeatureLayout layout = feature_circuit_pair_layout(bases, n_bases);
    return columns + question->n_pairs * layout.n * sizeof(double) +
           work_workers(work) * (feature_circuit_pair_bytes(question, bases, n_bases) +
                                 2 * layout.n * sizeof(double));
}

static int run_flips(FeatureStudy *out, FeatureCall *call)
{
    int rc = measure_pairs(call, "feature pairs");
    for (size_t b = 0; b < call->n_bases && rc == 0; b++) {
        rc = add_up_basis(&out->bases[b], call, b);
    }
    rc = rc ? rc : list_features(out, call);
    rc = rc ? rc : find_of_run(out, &call->numbers, call->work->seed);
    rc = rc ? rc : find_control(&out->flips, &call->numbers, call->work->seed);
    if (rc == 0) {
        find_checks(out, &call->numbers);
    }
    return rc;
}

static int run_transpositions(FeatureStudy *out, const FeatureCall *call, const GamePair *pairs,
                              size_t n)
{
    FeatureQuestion question = *call->question;
    FeatureCall control = {.question = &question,
                           .work = call->work,
                           .bases = call->bases,
                           .n_bases = 1,
                           .brief = true};
    question.pairs = pairs;
    question.n_pairs = n;
    int rc = measure_pairs(&control, "feature transpositions");
    rc = rc ? rc : find_control(&out->transpositions, &control.numbers, call->work->seed);
    numbers_release(&control.numbers);
    return rc;
}

int feature_circuit_study_run(FeatureStudy *out, const FeatureQuestion *question,
                              const GamePair *transpositions, size_t n, const Work *work)
{
    FeatureBasis bases[N_FEATURE_BASES] = {{0}};
    FeatureCall call = {.question = question, .work = work, .bases = bases};
    int made = feature_circuit_basis_make(bases, question->gpt, question->sae, work->seed);
    int rc = made < 0 ? made : 0;
    *out = (FeatureStudy){.n_pairs = question->n_pairs};
    if (rc == 0) {
        out->n_bases = call.n_bases = (size_t)made;
        rc = run_flips(out, &call);
    }
    if (rc == 0 && n > 0) {
        rc = run_transpositions(out, &call, transpositions, n);
    }
    numbers_release(&call.numbers);
    for (size_t b = 0; b < N_FEATURE_BASES; b++) {
        feature_circuit_basis_release(&bases[b]);
    }
    if (rc != 0) {
        feature_circuit_study_release(out);
    }
    return rc;
}

void feature_circuit_study_release(FeatureStudy *study)
{
    mem_free(study->scores);
    *study = (FeatureStudy){0};
}
