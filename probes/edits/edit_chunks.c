/* probes/edits/edit_chunks.c - cases in fixed chunks. See probes/edits/edit_chunks.h. */
#include "probes/edits/edit_chunks.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ranks/ranks.h"

/* A pool has at most 256 workers (base/pool.h). */
enum { WINDOW_A_WORKER = 2, WINDOW_MAX = WINDOW_A_WORKER * 256, STAGE_BYTES = 96 };

int edit_chunks__init(EditChunks *out)
{
    const CaseSet *set = out->set;
    int d_vocab = out->predictor->d_vocab;
    size_t at = 0;
    out->vocab = vocab_of(set->variant);
    out->n = (set->n + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES;
    if (d_vocab != out->vocab->d_vocab) {
        return err_set(OGPT_EFORMAT,
                       "the model has d_vocab %d, cases on %dx%d need %d; use cases of the model's "
                       "board size",
                       d_vocab, set->variant->size, set->variant->size, out->vocab->d_vocab);
    }
    out->order = mem_alloc(set->n, sizeof(*out->order), "order of the cases");
    if (!out->order) {
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

void edit_chunks__release(EditChunks *chunks)
{
    mem_free(chunks->order);
    chunks->order = NULL;
}

typedef enum ChunkState { CHUNK_OPEN, CHUNK_RECALLED, CHUNK_FINISHED } ChunkState;

typedef struct ChunkWindow {
    const EditChunks *chunks;
    EditChunkJob job;
    void *context;
    size_t first, n;
    double *values; /* (n, width) */
    ChunkState states[WINDOW_MAX];
} ChunkWindow;

static double *values_of(const ChunkWindow *window, size_t i)
{
    return window->values + i * window->chunks->width;
}

static void name_stage(char out[STAGE_BYTES], const EditScoring *scoring)
{
    const char *name = scoring->name ? scoring->name : "";
    snprintf(out, STAGE_BYTES, "%s%s%s", name, *name ? ": " : "", scoring->stage);
}

static int recall_window(ChunkWindow *window)
{
    const EditChunks *chunks = window->chunks;
    const WorkJournal *journal = chunks->work->journal;
    char stage[STAGE_BYTES];
    name_stage(stage, chunks->scoring);
    for (size_t i = 0; journal && i < window->n; i++) {
        int found = journal->recall(journal->context, values_of(window, i), chunks->width, stage,
                                    window->first + i);
        if (found < 0) {
            return found;
        }
        window->states[i] = found > 0 ? CHUNK_RECALLED : CHUNK_OPEN;
    }
    return 0;
}

static int keep_window(const ChunkWindow *window)
{
    const EditChunks *chunks = window->chunks;
    const WorkJournal *journal = chunks->work->journal;
    char stage[STAGE_BYTES];
    int rc = 0;
    name_stage(stage, chunks->scoring);
    for (size_t i = 0; journal && i < window->n && rc == 0; i++) {
        if (window->states[i] == CHUNK_FINISHED) {
            rc = journal->keep(journal->context, values_of(window, i), chunks->width, stage,
                               window->first + i);
        }
    }
    return rc;
}

static int window_job(void *context, size_t i, size_t worker)
{
    ChunkWindow *window = context;
    const EditChunks *chunks = window->chunks;
    double norms[EDIT_CHUNK_CASES * EDIT_MAX_LAYERS] = {0};
    size_t first = (window->first + i) * EDIT_CHUNK_CASES, left = chunks->set->n - first;
    EditQuery query = {.set = chunks->set,
                       .order = chunks->order + first,
                       .n = left < EDIT_CHUNK_CASES ? left : EDIT_CHUNK_CASES,
                       .norms = norms};
    int rc = 0;
    if (window->states[i] == CHUNK_OPEN) {
        rc = window->job(window->context, values_of(window, i), &query, worker);
        window->states[i] = rc == 0 ? CHUNK_FINISHED : CHUNK_OPEN;
    }
    return rc;
}

/* Recall or fill the chunks of a window, and keep what is new. */
static int run_window(ChunkWindow *window)
{
    const EditChunks *chunks = window->chunks;
    memset(window->values, 0, window->n * chunks->width * sizeof(*window->values));
    int rc = recall_window(window);
    if (rc != 0) {
        return rc;
    }
    const RanksSlots slots = {window->values, chunks->width * sizeof(double), 0};
    rc = ranks_run(chunks->work->pool, window->n, window_job, window, &slots, 1);
    for (size_t i = 0; i < window->n && rc == 0; i++) { /* by whichever rank */
        window->states[i] = window->states[i] == CHUNK_OPEN ? CHUNK_FINISHED : window->states[i];
    }
    const int kept = keep_window(window);
    return rc ? rc : kept;
}

int edit_chunks__run(const EditChunks *chunks, EditChunkJob job, EditChunkTake take, void *context)
{
    const Work *work = chunks->work;
    size_t size = WINDOW_A_WORKER * work_workers(work) * (size_t)ranks_count();
    size = size < WINDOW_MAX ? size : WINDOW_MAX;
    double *values = mem_alloc(size * chunks->width, sizeof(*values), "scores of the cases");
    int rc = values ? 0 : OGPT_ENOMEM;
    work_tick(work, chunks->scoring->stage, 0, (double)chunks->n);
    for (size_t first = 0; first < chunks->n && rc == 0; first += size) {
        size_t left = chunks->n - first;
        ChunkWindow window = {.chunks = chunks,
                              .job = job,
                              .context = context,
                              .first = first,
                              .n = left < size ? left : size,
                              .values = values};
        rc = run_window(&window);
        for (size_t i = 0; i < window.n && rc == 0; i++) {
            rc = take(context, values_of(&window, i), first + i);
        }
        if (rc == 0) {
            work_tick(work, "chunks", (double)(first + window.n), (double)chunks->n);
        }
    }
    mem_free(values);
    return rc;
}
