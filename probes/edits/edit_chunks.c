/* probes/edits/edit_chunks.c - cases in fixed chunks. See probes/edits/edit_chunks.h. */
#include "probes/edits/edit_chunks.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"

/* A pool has at most 256 workers (base/pool.h). */
enum { WINDOW_A_WORKER = 2, WINDOW_MAX = WINDOW_A_WORKER * 256 };

/* ---- asking ---- */

int edit__check_logits(const float *logits, int d_vocab, const EditQuery *query)
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

int edit__ask(float *logits, const EditPredictor *predictor, EditQuery *query, EditVersion version,
              const EditPlan *plan, size_t worker)
{
    int rc;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted between chunks of cases; type the command again");
    }
    query->version = version;
    query->plan = version == VERSION_NONE ? NULL : plan;
    rc = predictor->predict(predictor->context, logits, query, worker);
    return rc ? rc : edit__check_logits(logits, predictor->d_vocab, query);
}

/* ---- chunks ---- */

int edit_chunks__init(EditChunks *out, const EditPredictor *predictor, const CaseSet *set,
                      const EditSettings *settings, size_t width)
{
    size_t at = 0;
    *out = (EditChunks){.predictor = predictor,
                        .set = set,
                        .vocab = vocab_of(set->variant),
                        .settings = settings,
                        .n = (set->n + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES,
                        .width = width};
    if (predictor->d_vocab != out->vocab->d_vocab) {
        return err_set(OGPT_EFORMAT,
                       "the model has d_vocab %d, cases on %dx%d need %d; use cases of the model's "
                       "board size",
                       predictor->d_vocab, set->variant->size, set->variant->size,
                       out->vocab->d_vocab);
    }
    out->order = mem_alloc(set->n, sizeof(*out->order), "order of the cases");
    out->values = mem_calloc(out->n * width, sizeof(*out->values), "scores of the cases");
    if (!out->order || !out->values) {
        edit_chunks__release(out);
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
    mem_free(chunks->values);
    chunks->order = NULL;
    chunks->values = NULL;
}

typedef enum ChunkState { CHUNK_OPEN, CHUNK_RECALLED, CHUNK_FINISHED } ChunkState;

typedef struct Window {
    const EditChunks *chunks;
    EditChunkJob job;
    void *context;
    size_t first, n;
    ChunkState states[WINDOW_MAX];
} Window;

static double *values_of(const Window *window, size_t i)
{
    return window->chunks->values + (window->first + i) * window->chunks->width;
}

static int recall_window(Window *window)
{
    const EditSettings *settings = window->chunks->settings;
    for (size_t i = 0; settings->journal && i < window->n; i++) {
        int found =
            settings->journal->recall(settings->journal->context, values_of(window, i),
                                      window->chunks->width, settings->stage, window->first + i);

        if (found < 0) {
            return found;
        }
        window->states[i] = found > 0 ? CHUNK_RECALLED : CHUNK_OPEN;
    }
    return 0;
}

static int keep_window(const Window *window)
{
    const EditSettings *settings = window->chunks->settings;
    int rc = 0;
    for (size_t i = 0; settings->journal && i < window->n && rc == 0; i++) {
        if (window->states[i] == CHUNK_FINISHED) {
            rc = settings->journal->keep(settings->journal->context, values_of(window, i),
                                         window->chunks->width, settings->stage, window->first + i);
        }
    }
    return rc;
}

static int window_job(void *context, size_t i, size_t worker)
{
    Window *window = context;
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

int edit_chunks__run(const EditChunks *chunks, EditChunkJob job, void *context)
{
    const EditSettings *settings = chunks->settings;
    size_t size = WINDOW_A_WORKER * (settings->pool ? pool_size(settings->pool) : 1);
    int rc = 0;
    for (size_t first = 0; first < chunks->n && rc == 0; first += size) {
        size_t left = chunks->n - first;
        Window window = {.chunks = chunks,
                         .job = job,
                         .context = context,
                         .first = first,
                         .n = left < size ? left : size};
        rc = recall_window(&window);
        if (rc == 0) {
            int kept;
            rc = pool_run(settings->pool, window.n, window_job, &window);
            kept = keep_window(&window);
            rc = rc ? rc : kept;
        }
        if (rc == 0 && settings->progress) {
            settings->progress(settings->context, first + window.n, chunks->n);
        }
    }
    return rc;
}
