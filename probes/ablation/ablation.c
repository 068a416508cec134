/* probes/ablation/ablation.c - sets times chunks of positions, as jobs. See
 * probes/ablation/ablation.h.
 *
 * A job is one chunk of positions and up to SLAB sets, so that a worker keeps a chunk for many
 * passes. Jobs run a few at a time (a window); what a window finished is kept in the journal before
 * the next begins. Sums over positions are added in the order of the chunks.
 */
#include "probes/ablation/ablation.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "probes/ablation/ablation_pass.h"
#include "probes/activations/passes.h"
#include "probes/graph/graph.h"

enum { SLAB = 128, JOBS_A_WORKER = 2 };

typedef struct AblationJobs {
    const AblationInputs *in;
    const AblationSet *sets;
    const char *name;
    const Work *work;
    AblationWorker *workers;
    AblationResult *out;
    size_t chunk, n_chunks, n_slabs, numbers; /* numbers: doubles of a job's block */
    size_t first, n;                          /* jobs of the window */
    double *blocks;                           /* (window, numbers) */
    bool *done;                               /* (window) recalled, or finished by this call */
    bool *recalled;
} AblationJobs;

/* ---- the block of a job: two numbers, parts and effects of sets, clean answers ---- */

enum { BLOCK_IDENTITY, BLOCK_RESCUE, BLOCK_HEAD };

static size_t block_numbers(size_t n_senders, size_t chunk)
{
    size_t effects =
        ((SLAB + 1) * chunk * sizeof(AblationEffect) + sizeof(double) - 1) / sizeof(double);
    return BLOCK_HEAD + SLAB * n_senders + effects;
}

static AblationEffect *block_effects(const AblationJobs *jobs, double *block)
{
    return (AblationEffect *)(void *)(block + BLOCK_HEAD + SLAB * jobs->out->n_senders);
}

typedef struct JobPlace {
    size_t position, n_positions, set, n_sets;
} JobPlace;

static JobPlace place_of(const AblationJobs *jobs, size_t job)
{
    JobPlace place = {.position = job / jobs->n_slabs * jobs->chunk,
                      .set = job % jobs->n_slabs * SLAB};
    size_t positions = jobs->out->n - place.position, sets = jobs->out->n_sets - place.set;
    place.n_positions = positions < jobs->chunk ? positions : jobs->chunk;
    place.n_sets = sets < SLAB ? sets : SLAB;
    return place;
}

static int job_run(void *context, size_t i, size_t worker_index)
{
    AblationJobs *jobs = context;
    AblationWorker *worker = &jobs->workers[worker_index];
    JobPlace place = place_of(jobs, jobs->first + i);
    double *block = jobs->blocks + i * jobs->numbers;
    AblationEffect *effects = block_effects(jobs, block);
    if (jobs->done[i]) {
        return 0;
    }
    memset(block, 0, jobs->numbers * sizeof(*block));
    int rc = ablation_worker__hold(worker, place.position, place.n_positions);
    if (rc == 0) {
        ablation_worker__clean(worker, effects + SLAB * jobs->chunk);
    }
    for (size_t s = 0; s < place.n_sets && rc == 0; s++) {
        const AblationSet *set = &jobs->sets[place.set + s];
        AblationEffect *here = effects + s * jobs->chunk;
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted; finished blocks are kept");
        }
        rc = ablation_worker__run(worker, here, block + BLOCK_HEAD + s * jobs->out->n_senders,
                                  &block[BLOCK_IDENTITY], set);
        for (size_t b = 0; set->rescue && b < place.n_positions && rc == 0; b++) {
            block[BLOCK_RESCUE] = fmax(block[BLOCK_RESCUE], (double)here[b].moved);
        }
    }
    jobs->done[i] = rc == 0;
    return rc;
}

/* Put the block of a job where it belongs in the result. */
static void take_block(const AblationJobs *jobs, size_t i)
{
    AblationResult *out = jobs->out;
    JobPlace place = place_of(jobs, jobs->first + i);
    double *block = jobs->blocks + i * jobs->numbers;
    const AblationEffect *effects = block_effects(jobs, block);
    out->identity_error = fmax(out->identity_error, block[BLOCK_IDENTITY]);
    out->rescue_error = fmax(out->rescue_error, block[BLOCK_RESCUE]);
    memcpy(out->clean + place.position, effects + SLAB * jobs->chunk,
           place.n_positions * sizeof(*effects));
    for (size_t s = 0; s < place.n_sets; s++) {
        double *parts = out->parts + (place.set + s) * out->n_senders;
        for (size_t j = 0; j < out->n_senders; j++) {
            parts[j] += block[BLOCK_HEAD + s * out->n_senders + j];
        }
        memcpy(out->effects + (place.set + s) * out->n + place.position, effects + s * jobs->chunk,
               place.n_positions * sizeof(*effects));
    }
}

static int recall_window(AblationJobs *jobs)
{
    const WorkJournal *journal = jobs->work->journal;
    for (size_t i = 0; i < jobs->n; i++) {
        int found = journal ? journal->recall(journal->context, jobs->blocks + i * jobs->numbers,
                                              jobs->numbers, jobs->name, jobs->first + i)
                            : 0;
        if (found < 0) {
            return found;
        }
        jobs->done[i] = jobs->recalled[i] = found > 0;
    }
    return 0;
}

static int keep_window(const AblationJobs *jobs)
{
    const WorkJournal *journal = jobs->work->journal;
    int rc = 0;
    for (size_t i = 0; journal && i < jobs->n && rc == 0; i++) {
        if (jobs->done[i] && !jobs->recalled[i]) {
            rc = journal->keep(journal->context, jobs->blocks + i * jobs->numbers, jobs->numbers,
                               jobs->name, jobs->first + i);
        }
    }
    return rc;
}

static int run_windows(AblationJobs *jobs)
{
    size_t window = JOBS_A_WORKER * work_workers(jobs->work),
           total = jobs->n_chunks * jobs->n_slabs;
    double passes = (double)jobs->n_chunks * (double)jobs->out->n_sets, done = 0.0;
    int rc = 0;
    work_tick(jobs->work, jobs->name, 0, passes);
    for (jobs->first = 0; jobs->first < total && rc == 0; jobs->first += jobs->n) {
        size_t left = total - jobs->first;
        jobs->n = left < window ? left : window;
        rc = recall_window(jobs);
        if (rc == 0) {
            rc = pool_run(jobs->work->pool, jobs->n, job_run, jobs);
            int kept = keep_window(jobs);
            rc = rc ? rc : kept;
        }
        for (size_t i = 0; i < jobs->n && rc == 0; i++) {
            take_block(jobs, i);
            done += (double)place_of(jobs, jobs->first + i).n_sets;
        }
        if (rc == 0) {
            work_tick(jobs->work, "passes", done, passes);
        }
    }
    return rc;
}

/* ---- checks, memory, clean answers ---- */

static int check(const AblationInputs *in, const AblationSet *sets, size_t n_sets)
{
    int rc = passes_check_board(&in->gpt->cfg, in->positions->vocab);
    for (size_t s = 0; s < n_sets && rc == 0; s++) {
        AblationKind kind = sets[s].kind;
        if ((ABLATION_NEED_MEANS >> kind & 1 && !in->means) ||
            (ABLATION_NEED_DONORS >> kind & 1 && !in->donors)) {
            rc = err_set(OGPT_EUSAGE, "ablation by %s needs training games",
                         ablation_kind_name(kind));
        } else if (sets[s].n == 0 || (kind == ABLATION_RANDOM && sets[s].n > 1)) {
            rc = err_set(OGPT_EUSAGE, "a set of %zu units cannot be ablated by %s", sets[s].n,
                         ablation_kind_name(kind));
        }
        for (size_t u = 0; u < sets[s].n && rc == 0; u++) {
            if (sets[s].units[u].layer < 0 || sets[s].units[u].layer >= in->gpt->cfg.n_layers) {
                rc = err_set(OGPT_EUSAGE, "the network has %d layers, no layer %d",
                             in->gpt->cfg.n_layers, sets[s].units[u].layer);
            }
        }
    }
    return rc;
}

static size_t chunk_of(const AblationInputs *in)
{
    return in->all ? ABLATION_CHUNK_ALL : ABLATION_CHUNK_LAST;
}

double ablation_passes(const AblationInputs *in, size_t n)
{
    return (double)((n + chunk_of(in) - 1) / chunk_of(in));
}

size_t ablation_result_bytes(const AblationInputs *in, size_t n, size_t n_sets)
{
    return n_sets *
           (n * sizeof(AblationEffect) + graph_of(&in->gpt->cfg).n_senders * sizeof(double));
}

size_t ablation_worker_bytes(const AblationInputs *in, const Work *work)
{
    size_t numbers = block_numbers(graph_of(&in->gpt->cfg).n_senders, chunk_of(in));
    return work_workers(work) * (ablation_worker__bytes(&in->gpt->cfg, in->all) +
                                 JOBS_A_WORKER * numbers * sizeof(double));
}

double ablation_flops(const AblationInputs *in, const AblationSet *sets, size_t n_sets)
{
    const GptConfig *cfg = &in->gpt->cfg;
    double C = cfg->d_model, block = 24.0 * C * C, rows = 0.0, layers = 0.0;
    for (size_t i = 0; i < in->positions->n; i++) {
        rows += in->all ? in->positions->at[i].n_moves : 1;
    }
    for (size_t s = 0; s < n_sets; s++) {
        int first = cfg->n_layers;
        for (size_t u = 0; u < sets[s].n; u++) {
            first = sets[s].units[u].layer < first ? sets[s].units[u].layer : first;
        }
        layers += in->all ? cfg->n_layers : cfg->n_layers - first;
    }
    return rows * (layers * block + (double)n_sets * 2.0 * C * cfg->d_vocab);
}

static int workers_new(AblationWorker **out, const AblationInputs *in, const Work *work)
{
    size_t n = work_workers(work);
    AblationWorker *workers = mem_calloc(n, sizeof(*workers), "workers of an ablation");
    int rc = workers ? 0 : OGPT_ENOMEM;
    *out = workers;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = ablation_worker__init(&workers[i], in);
    }
    return rc;
}

static void workers_free(AblationWorker *workers, const Work *work)
{
    for (size_t i = 0; workers && i < work_workers(work); i++) {
        ablation_worker__release(&workers[i]);
    }
    mem_free(workers);
}

int ablation_run(AblationResult *out, const AblationInputs *in, const AblationSet *sets,
                 size_t n_sets, const char *name, const Work *work)
{
    size_t n = in->positions->n, window = JOBS_A_WORKER * work_workers(work);
    AblationJobs jobs = {.in = in, .sets = sets, .name = name, .work = work, .out = out};
    *out =
        (AblationResult){.n_sets = n_sets, .n = n, .n_senders = graph_of(&in->gpt->cfg).n_senders};
    jobs.chunk = chunk_of(in);
    jobs.n_chunks = (n + jobs.chunk - 1) / jobs.chunk;
    jobs.n_slabs = (n_sets + SLAB - 1) / SLAB;
    jobs.numbers = block_numbers(out->n_senders, jobs.chunk);
    int rc = check(in, sets, n_sets);
    if (rc != 0) {
        return rc;
    }
    out->effects = mem_calloc(n_sets * n, sizeof(*out->effects), "effects of ablations");
    out->parts = mem_calloc(n_sets * out->n_senders, sizeof(*out->parts), "parts of repairs");
    out->clean = mem_calloc(n, sizeof(*out->clean), "clean answers");
    jobs.blocks = mem_calloc(window * jobs.numbers, sizeof(double), "blocks of an ablation");
    jobs.done = mem_calloc(window, sizeof(bool), "blocks of an ablation");
    jobs.recalled = mem_calloc(window, sizeof(bool), "blocks of an ablation");
    bool room =
        out->effects && out->parts && out->clean && jobs.blocks && jobs.done && jobs.recalled;
    rc = room ? workers_new(&jobs.workers, in, work) : OGPT_ENOMEM;
    rc = rc ? rc : run_windows(&jobs);
    workers_free(jobs.workers, work);
    mem_free(jobs.blocks);
    mem_free(jobs.done);
    mem_free(jobs.recalled);
    if (rc != 0) {
        ablation_release(out);
    }
    return rc;
}

void ablation_release(AblationResult *result)
{
    mem_free(result->effects);
    mem_free(result->parts);
    mem_free(result->clean);
    *result = (AblationResult){0};
}
