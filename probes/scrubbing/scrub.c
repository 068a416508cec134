/* probes/scrubbing/scrub.c - all roots of a hypothesis and of its controls. */
#include "probes/scrubbing/scrub.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "probes/legality/answers.h"
#include "probes/scrubbing/scrub_internal.h"

enum { ROOTS_A_BLOCK = 32 };

/* What is kept of one root and row. The first two rows of a root are full and shuffled. */
typedef struct RootNumbers {
    double metric, strict, wrong; /* metric NaN: no match */
    double candidates, n_matched, draws;
} RootNumbers;
enum { NUMBERS = sizeof(RootNumbers) / sizeof(double) };

typedef struct ScrubWorker {
    ScrubPlan plan;
    ScrubRuns *runs;
    ScrubRows *rows;
} ScrubWorker;

typedef struct ScrubStudy {
    ScrubSetting setting;
    RunSites sites;
    Hypothesis hypotheses[SCRUB_MAX_ROWS]; /* of rows 2 and up; the rest borrows of the first */
    ScrubRowKind kinds[SCRUB_MAX_ROWS];
    int nodes[SCRUB_MAX_ROWS];
    size_t n_rows;
    ScrubRoot *roots;
    size_t n_roots, first; /* of the block under way */
    RootNumbers *numbers;  /* (n_roots, n_rows) */
    ScrubWorker **workers;
    size_t n_workers;
} ScrubStudy;

const char *scrub_row_name(ScrubRowKind kind)
{
    static const char *const names[] = {[SCRUB_FULL] = "full",
                                        [SCRUB_SHUFFLED] = "shuffled",
                                        [SCRUB_HYPOTHESIS] = "hypothesis",
                                        [SCRUB_ELSEWHERE] = "elsewhere",
                                        [SCRUB_UNBOUND] = "no features",
                                        [SCRUB_KEPT] = "node kept"};
    return names[kind];
}

/* ---- rows ---- */

static void row_add(ScrubStudy *study, ScrubRowKind kind, int node)
{
    study->kinds[study->n_rows] = kind;
    study->nodes[study->n_rows++] = node;
}

/* The hypothesis, and what it is compared with. */
static void rows_make(ScrubStudy *study, const ScrubQuestion *question, uint64_t seed)
{
    const Hypothesis *asked = question->hypothesis;
    Hypothesis *of = study->hypotheses;
    row_add(study, SCRUB_FULL, -1);
    row_add(study, SCRUB_SHUFFLED, -1);
    of[study->n_rows] = *asked;
    row_add(study, SCRUB_HYPOTHESIS, -1);
    if (hypothesis_elsewhere(&of[study->n_rows], asked, seed)) {
        row_add(study, SCRUB_ELSEWHERE, -1);
    }
    if (asked->n_nodes > 0) {
        of[study->n_rows] = *asked;
        for (size_t i = 0; i < asked->n_nodes; i++) {
            HypothesisNode *node = &of[study->n_rows].nodes[i];
            node->features[0] = (Feature){.kind = FEATURE_NOTHING, .sq = -1};
            node->n_features = 1;
        }
        row_add(study, SCRUB_UNBOUND, -1);
    }
    for (size_t i = 0; i < asked->n_nodes && question->by_node; i++) {
        if (!hypothesis_keeps(&asked->nodes[i])) {
            of[study->n_rows] = *asked;
            of[study->n_rows].nodes[i].features[0] =
                (Feature){.kind = FEATURE_EVERYTHING, .sq = -1};
            row_add(study, SCRUB_KEPT, (int)i);
        }
    }
}

/* ---- roots ---- */

/* +1 or -1 by what the root is of, 0: none of this metric. */
static int root_sign(const Hypothesis *hypothesis, const Board *board)
{
    const uint64_t bit = hypothesis->metric_sq >= 0 ? 1ULL << hypothesis->metric_sq : 0;
    bool empty = ((board->mine | board->theirs) & bit) == 0;
    switch (hypothesis->metric) {
    case SCRUB_LEGAL_SQUARE:
        return !empty ? 0 : board_moves(hypothesis->variant, board) & bit ? 1 : -1;
    case SCRUB_EMPTY_SQUARE: return empty ? 1 : -1;
    default: return 1;
    }
}

/* The first n_roots games with a root: its ply is uniform; of a metric about a square, half of the
 * roots are of each kind, in turns. */
static int roots_draw(ScrubStudy *study)
{
    const ScrubQuestion *question = study->setting.question;
    const ScrubGames *games = question->roots;
    size_t n[2] = {0, 0}; /* of sign -1 and +1 */
    size_t most[2] = {question->n_roots / 2, question->n_roots - question->n_roots / 2};
    Board boards[GAME_MAX_MOVES];
    if (question->hypothesis->metric == SCRUB_LEGAL) {
        most[0] = 0;
        most[1] = question->n_roots;
    }
    for (size_t g = 0; g < games->n && study->n_roots < question->n_roots; g++) {
        Rng rng = rng_at(study->setting.seed, RNG_SCRUB, 1ULL << 62 | g);
        int first = question->min_moves - 1;
        int last = games->n_moves[g] - question->before_end - 1;
        int t, sign;
        if (last < first) {
            continue;
        }
        t = first + (int)rng_below(&rng, (uint32_t)(last - first + 1));
        game_replay(games->variant, scrub_game(games, g), t + 1, boards);
        sign = root_sign(question->hypothesis, &boards[t]);
        if (sign != 0 && n[sign > 0] < most[sign > 0]) {
            n[sign > 0]++;
            study->roots[study->n_roots++] = (ScrubRoot){g, t, (double)sign};
        }
    }
    if (study->n_roots == question->n_roots) {
        return 0;
    }
    return err_set(
        OGPT_EUSAGE,
        "scrub: %zu roots in %zu games, %zu asked for; ask for fewer, or give more games",
        study->n_roots, games->n, question->n_roots);
}

/* ---- one root ---- */

static double metric_of(const ScrubStudy *study, const ScrubRoot *root, const Board *board,
                        const real *logits)
{
    const Hypothesis *hypothesis = study->setting.question->hypothesis;
    const Vocab *vocab = study->setting.question->vocab;
    uint64_t set = hypothesis->metric == SCRUB_LEGAL ? board_moves(hypothesis->variant, board)
                                                     : 1ULL << hypothesis->metric_sq;
    uint64_t tokens = answer_tokens(vocab, set);
    double in = 0.0, out = 0.0;
    int n_in = 0, n_out = 0;
    for (int tok = TOK_PAD + 1; tok < vocab->d_vocab; tok++) {
        bool inside = tokens >> tok & 1;
        *(inside ? &in : &out) += (double)logits[tok];
        *(inside ? &n_in : &n_out) += 1;
    }
    return root->sign * (in / n_in - out / n_out);
}

static int judge(RootNumbers *out, const ScrubStudy *study, const ScrubRoot *root,
                 const real *logits)
{
    const ScrubQuestion *question = study->setting.question;
    const GameVariant *variant = question->vocab->variant;
    Board boards[GAME_MAX_MOVES];
    uint64_t legal;
    if (answer_bad_token(logits, question->vocab->d_vocab) >= 0) {
        return err_set(OGPT_ENUM, "scrub: a logit is not a finite number; check the network");
    }
    game_replay(variant, scrub_game(question->roots, root->game), root->t + 1, boards);
    legal = answer_tokens(question->vocab, board_moves(variant, &boards[root->t]));
    out->metric = metric_of(study, root, &boards[root->t], logits);
    out->strict = !(legal >> answer_top(logits, question->vocab->d_vocab) & 1);
    out->wrong = answer_score(logits, question->vocab->d_vocab, legal, RULE_TOPN).error;
    return 0;
}

/* One row of a root; the runs of the root and of its free draw are done. */
static int root_row(RootNumbers *out, const ScrubStudy *study, ScrubWorker *worker,
                    size_t root_number, size_t row)
{
    const ScrubRoot *root = &study->roots[root_number];
    ScrubPlan *plan = &worker->plan;
    const real *logits;
    int rc = 0;
    *out = (RootNumbers){.metric = NAN, .strict = NAN, .wrong = NAN};
    if (study->kinds[row] == SCRUB_FULL || study->kinds[row] == SCRUB_SHUFFLED) {
        int run = study->kinds[row] == SCRUB_FULL ? RUN_ROOT : RUN_FREE;
        out->draws = run == RUN_FREE;
        return judge(out, study, root, scrub__logits(worker->runs, run));
    }
    rc = scrub__plan(plan, &study->setting, &study->hypotheses[row], root, root_number);
    out->candidates = plan->candidates;
    out->n_matched = plan->n_matched;
    if (rc != 0 || plan->unmatched) {
        return rc;
    }
    out->draws = (double)(plan->n_runs - 2);
    rc = scrub__runs_do(worker->runs, plan, 2, &study->sites, (size_t)root->t + 1);
    if (rc == 0) {
        logits = scrub__logits_of(worker->rows, worker->runs, plan, &study->hypotheses[row]);
        rc = judge(out, study, root, logits);
    }
    return rc;
}

/* The run of the root and of its free draw, for all rows. */
static int root_begin(const ScrubStudy *study, ScrubWorker *worker, size_t root_number)
{
    const Hypothesis empty = {.variant = study->setting.question->hypothesis->variant};
    const ScrubRoot *root = &study->roots[root_number];
    int rc = scrub__plan(&worker->plan, &study->setting, &empty, root, root_number);
    if (rc == 0 && worker->plan.unmatched) {
        return err_set(OGPT_EUSAGE, "scrub: no game of those that lend reaches ply %d; give more",
                       root->t + 1);
    }
    return rc ? rc
              : scrub__runs_do(worker->runs, &worker->plan, 0, &study->sites, (size_t)root->t + 1);
}

static int root_job(void *context, size_t job, size_t worker)
{
    ScrubStudy *study = context;
    size_t root = study->first + job;
    int rc;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while scrubbing; the finished roots are kept");
    }
    rc = root_begin(study, study->workers[worker], root);
    for (size_t row = 0; row < study->n_rows && rc == 0; row++) {
        rc = root_row(&study->numbers[root * study->n_rows + row], study, study->workers[worker],
                      root, row);
    }
    return rc;
}

static int roots_run(ScrubStudy *study, const Work *work)
{
    size_t n_blocks = (study->n_roots + ROOTS_A_BLOCK - 1) / ROOTS_A_BLOCK;
    int rc = 0;
    for (size_t block = 0; block < n_blocks && rc == 0; block++) {
        size_t first = block * ROOTS_A_BLOCK, left = study->n_roots - first;
        size_t n = left < ROOTS_A_BLOCK ? left : ROOTS_A_BLOCK;
        double *numbers = (double *)&study->numbers[first * study->n_rows];
        size_t n_numbers = n * study->n_rows * NUMBERS;
        int known = work_recall(numbers, work, n_numbers, "roots", block);
        rc = known < 0 ? known : 0;
        if (known == 0) {
            study->first = first;
            rc = pool_run(work->pool, n, root_job, study);
            rc = rc ? rc : work_keep(work, numbers, n_numbers, "roots", block);
        }
        work_tick(work, "roots", (double)(first + n), (double)study->n_roots);
    }
    return rc;
}

/* ---- results ---- */

/* One member of the numbers of a row, for the roots that count in it. */
static size_t column(double *out, const ScrubStudy *study, size_t of, size_t row, size_t member)
{
    size_t n = 0;
    for (size_t i = 0; i < study->n_roots; i++) {
        const RootNumbers *counts = &study->numbers[i * study->n_rows + of];
        const double *from = (const double *)&study->numbers[i * study->n_rows + row];
        if (!isnan(counts->metric)) {
            out[n++] = from[member];
        }
    }
    return n;
}

static double sum(const double *values, size_t n)
{
    double total = 0.0;
    for (size_t i = 0; i < n; i++) {
        total += values[i];
    }
    return total;
}

static void row_fill(ScrubRow *out, const ScrubStudy *study, size_t row, double *room)
{
    double *full = room, *shuffled = room + study->n_roots, *own = room + 2 * study->n_roots;
    const size_t metric = offsetof(RootNumbers, metric) / sizeof(double);
    uint64_t seed = study->setting.seed;
    double candidates, matched;
    size_t n = column(full, study, row, 0, metric);
    column(shuffled, study, row, 1, metric);
    column(own, study, row, row, metric);
    *out = (ScrubRow){.kind = study->kinds[row],
                      .node = study->nodes[row],
                      .n = n,
                      .unmatched = study->n_roots - n,
                      .metric = bootstrap_ratio(own, NULL, n, seed),
                      .score = bootstrap_closed(shuffled, full, own, n, seed)};
    if (out->kind == SCRUB_SHUFFLED) {
        out->score.value = fabs(out->score.value); /* 0, not -0 */
    }
    column(own, study, row, row, offsetof(RootNumbers, strict) / sizeof(double));
    out->strict = bootstrap_ratio(own, NULL, n, seed);
    column(own, study, row, row, offsetof(RootNumbers, wrong) / sizeof(double));
    out->wrong = bootstrap_ratio(own, NULL, n, seed);
    column(own, study, row, row, offsetof(RootNumbers, candidates) / sizeof(double));
    candidates = sum(own, n);
    column(own, study, row, row, offsetof(RootNumbers, n_matched) / sizeof(double));
    matched = sum(own, n);
    out->candidates = matched > 0.0 ? candidates / matched : NAN;
    column(own, study, row, row, offsetof(RootNumbers, draws) / sizeof(double));
    out->draws = n > 0 ? sum(own, n) / (double)n : NAN;
}

static int result_fill(ScrubResult *out, const ScrubStudy *study)
{
    double *room = mem_alloc(3 * study->n_roots, sizeof(*room), "scores of roots");
    if (!room) {
        return OGPT_ENOMEM;
    }
    *out = (ScrubResult){.n_rows = study->n_rows, .n_roots = study->n_roots};
    for (size_t row = 0; row < study->n_rows; row++) {
        row_fill(&out->rows[row], study, row, room);
    }
    out->full = out->rows[0].metric.value;
    out->shuffled = out->rows[1].metric.value;
    mem_free(room);
    return 0;
}

/* ---- the study ---- */

static int workers_new(ScrubStudy *study, size_t n)
{
    const ScrubQuestion *q = study->setting.question;
    int rc = 0;
    study->workers = mem_calloc(n, sizeof(*study->workers), "workers");
    study->n_workers = study->workers ? n : 0;
    for (size_t i = 0; i < study->n_workers && rc == 0; i++) {
        ScrubWorker *worker = mem_calloc(1, sizeof(*worker), "workers");
        study->workers[i] = worker;
        rc = worker ? scrub__runs_new(&worker->runs, q->gpt, q->graph, q->vocab) : OGPT_ENOMEM;
        rc = rc ? rc : scrub__rows_new(&worker->rows, q->gpt, q->graph, q->vocab);
    }
    return study->workers ? rc : OGPT_ENOMEM;
}

static void study_release(ScrubStudy *study)
{
    for (size_t i = 0; i < study->n_workers; i++) {
        if (study->workers[i]) {
            scrub__runs_free(study->workers[i]->runs);
            scrub__rows_free(study->workers[i]->rows);
            mem_free(study->workers[i]);
        }
    }
    mem_free(study->workers);
    mem_free(study->numbers);
    mem_free(study->roots);
    mem_free(study);
}

/* The nodes of all rows, whose features the lending games are indexed by. */
static int pool_index(SamplePool *out, const ScrubStudy *study, const Work *work)
{
    const HypothesisNode **nodes =
        mem_alloc(SCRUB_MAX_ROWS * HYPOTHESIS_MAX_NODES, sizeof(*nodes), "nodes");
    size_t n = 0;
    int rc;
    if (!nodes) {
        return OGPT_ENOMEM;
    }
    for (size_t row = 2; row < study->n_rows; row++) {
        for (size_t i = 0; i < study->hypotheses[row].n_nodes; i++) {
            nodes[n++] = &study->hypotheses[row].nodes[i];
        }
    }
    rc = samples_index(out, study->setting.question->pool, nodes, n, work);
    mem_free(nodes);
    return rc;
}

int scrub_run(ScrubResult *out, const ScrubQuestion *question, const Work *work)
{
    ScrubStudy *study = mem_calloc(1, sizeof(*study), "scrubbing");
    SamplePool pool = {0};
    int rc = 0;
    memset(out, 0, sizeof(*out));
    if (!study) {
        return OGPT_ENOMEM;
    }
    study->setting = (ScrubSetting){.question = question, .pool = &pool, .seed = work->seed};
    study->sites = scrub__sites(question->hypothesis, question->graph);
    rows_make(study, question, work->seed);
    study->roots = mem_alloc(question->n_roots, sizeof(*study->roots), "roots");
    study->numbers =
        mem_calloc(question->n_roots * study->n_rows, sizeof(*study->numbers), "scores of roots");
    rc = study->roots && study->numbers ? roots_draw(study) : OGPT_ENOMEM;
    rc = rc ? rc : pool_index(&pool, study, work);
    rc = rc ? rc : workers_new(study, work_workers(work));
    rc = rc ? rc : roots_run(study, work);
    rc = rc ? rc : result_fill(out, study);
    samples_release(&pool);
    study_release(study);
    return rc;
}
