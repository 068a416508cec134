/* probes/edits/edit_metrics_run.c - measuring the cases of a set chunk by chunk
 * (probes/edits/edit_chunks.h): answers, crosstalk, play-on, and the intervals of it all. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/edits/edit_chunks.h"
#include "probes/edits/edit_methods.h"
#include "probes/edits/edit_metrics.h"
#include "probes/legality/answers.h"

typedef struct Work {
    EditChunks chunks;
    const EditPlan *plan;
    const EditMetricsOptions *options;
    int n_layers; /* of the reading probe, 0: none */
    /* Of `layers`, the indices in which METRIC_CROSSTALK and METRIC_CROSSTALK_FINAL count; -1:
     * none. */
    int at_edit, at_end;
    size_t case_numbers; /* what one case comes to, of a chunk's values: CaseMetrics, then crosstalk
                          * (n_layers, N_EDIT_ROWS, 2): others, turned */
} Work;

/* What one worker holds for one chunk. */
typedef struct Chunk {
    const Work *work;
    size_t worker;
    EditQuery *query;
    double *values; /* (query->n, case_numbers) */
    float logits[EDIT_CHUNK_CASES * EDIT_MAX_VOCAB];
    uint8_t *unedited, *classes; /* (n, n_layers, n_squares) each */
} Chunk;

static const EditVersion version_of_row[N_EDIT_ROWS] = {[ROW_NULL] = VERSION_NONE,
                                                        [ROW_SELF] = VERSION_NONE,
                                                        [ROW_EDIT] = VERSION_EDIT,
                                                        [ROW_RANDOM] = VERSION_RANDOM,
                                                        [ROW_WRONG_SQUARE] = VERSION_WRONG_SQUARE};

/* Metrics of case i of a chunk. */
static CaseMetrics *metrics_of(const Chunk *chunk, size_t i)
{
    return (CaseMetrics *)(void *)(chunk->values + i * chunk->work->case_numbers);
}

/* Crosstalk of one case in one layer and row: others, turned. `metrics` points at its values. */
static Share *crosstalk_of(const CaseMetrics *metrics, int layer, int row)
{
    return (Share *)(void *)(metrics + 1) + (layer * N_EDIT_ROWS + row) * 2;
}

/* Whether layer index l of the reading probe is read after the edit of a block. The sites are
 * numbered in the order in which a block computes them. */
static bool is_read_after(const Work *work, int l, int edited)
{
    const Probe *reader = work->options->reader;
    int block;
    HookSite site = probe_hook(&block, reader, reader->layers[l]);
    return reader->fitted[l] && (block > edited || (block == edited && site >= work->plan->site));
}

/* The first layer that is read after all edits, and the last. */
static void find_crosstalk_layers(Work *work)
{
    int last_edited = 63 - __builtin_clzll(work->plan->layers);
    work->at_edit = work->at_end = -1;
    for (int l = 0; l < work->n_layers; l++) {
        if (is_read_after(work, l, last_edited)) {
            work->at_edit = work->at_edit < 0 ? l : work->at_edit;
            work->at_end = l;
        }
    }
}

/* Squares of one case that the probe reads otherwise than without the edit, and edited squares
 * that it reads in their new state, layer by layer. */
static void measure_crosstalk(const Chunk *chunk, size_t i, MetricRow row)
{
    const Work *work = chunk->work;
    const EditQuery *query = chunk->query;
    size_t n_squares = (size_t)work->options->reader->n_squares;
    EditSquares edited = edit_squares(work->options->reader, &query->set->cases[query->order[i]]);
    CaseMetrics *metrics = metrics_of(chunk, i);
    Share *of = metrics->of[row];
    uint64_t own = 0;
    for (int s = 0; s < edited.n; s++) {
        own |= 1ULL << edited.squares[s];
    }
    for (int l = 0; l < work->n_layers; l++) {
        size_t from = (i * (size_t)work->n_layers + (size_t)l) * n_squares;
        const uint8_t *before = chunk->unedited + from;
        const uint8_t *after = (row == ROW_NULL ? chunk->unedited : chunk->classes) + from;
        Share *kept = crosstalk_of(metrics, l, row);
        kept[0] = (Share){0, 1};
        kept[1] = (Share){0, edited.n};
        for (size_t s = 0; s < n_squares; s++) {
            kept[0].part += (own >> s & 1) == 0 && before[s] != after[s];
        }
        for (int s = 0; s < edited.n; s++) {
            kept[1].part += after[edited.squares[s]] == edited.to[s];
        }
        if (l == work->at_edit) {
            of[METRIC_CROSSTALK] = kept[0];
            of[METRIC_TURNED] = kept[1];
        }
        if (l == work->at_end) {
            of[METRIC_CROSSTALK_FINAL] = kept[0];
            of[METRIC_TURNED_FINAL] = kept[1];
        }
    }
}

/* Let the predictor play on from its last answer, case by case until its line ends. */
static int play_on(Chunk *chunk, MetricRow row)
{
    const Work *work = chunk->work;
    const EditPredictor *predictor = work->chunks.predictor;
    const Vocab *vocab = work->chunks.vocab;
    const EditQuery *query = chunk->query;
    const GameVariant *variant = query->set->variant;
    Board boards[EDIT_CHUNK_CASES];
    uint8_t tokens[EDIT_CHUNK_CASES];
    bool open[EDIT_CHUNK_CASES] = {false};
    size_t n_open = query->n;
    int rc = 0;
    for (size_t i = 0; i < query->n; i++) {
        const EditCase *edit = &query->set->cases[query->order[i]];
        boards[i] = row == ROW_SELF ? edit->before : edit->edited;
        open[i] = true;
    }
    for (int ply = 0; ply < EDIT_PLAY_ON_PLIES && n_open > 0 && rc == 0; ply++) {
        n_open = 0;
        for (size_t i = 0; i < query->n; i++) {
            const EditCase *edit = &query->set->cases[query->order[i]];
            Share *of = metrics_of(chunk, i)->of[row];
            const float *logits = chunk->logits + i * (size_t)predictor->d_vocab;
            int tok = answer_top(logits, predictor->d_vocab), sq = vocab->sq_of_tok[tok];
            bool legal = open[i] && sq != SQ_NONE && (board_moves(variant, &boards[i]) >> sq & 1);
            tokens[i] = TOK_PAD;
            of[METRIC_LEGAL_PLIES].whole = 1;
            if (!open[i]) {
                continue;
            }
            of[METRIC_ILLEGAL_SHARE].whole++;
            of[METRIC_ILLEGAL_SHARE].part += !legal;
            of[METRIC_LEGAL_PLIES].part += legal;
            open[i] = legal && board_play(variant, &boards[i], sq) != PLAY_GAME_OVER &&
                      edit->n_moves + ply + 1 <= work->options->n_ctx;
            tokens[i] = open[i] ? (uint8_t)tok : TOK_PAD;
            n_open += open[i];
        }
        if (n_open > 0 && ply + 1 < EDIT_PLAY_ON_PLIES) {
            rc = predictor->append(predictor->context, chunk->logits, query, tokens, chunk->worker);
            rc = rc ? rc : edit__check_logits(chunk->logits, predictor->d_vocab, query);
        }
    }
    return rc;
}

/* Ask for one row of the table and enter the answers of the chunk's cases. Row self is judged by
 * the answer to row null; only where that line was played on it must begin anew. */
static int measure_row(Chunk *chunk, MetricRow row)
{
    const Work *work = chunk->work;
    EditQuery *query = chunk->query;
    size_t V = (size_t)work->chunks.predictor->d_vocab;
    int rc = 0;
    query->classes = row == ROW_NULL ? chunk->unedited : row == ROW_SELF ? NULL : chunk->classes;
    if (row != ROW_SELF || work->options->play_on) {
        rc = edit__ask(chunk->logits, work->chunks.predictor, query, version_of_row[row],
                       work->plan, chunk->worker);
    }
    for (size_t i = 0; i < query->n && rc == 0; i++) {
        edit_measure_answer(metrics_of(chunk, i)->of[row], &query->set->cases[query->order[i]],
                            work->chunks.vocab, row, chunk->logits + i * V,
                            work->chunks.settings->rule);
        if (work->n_layers > 0 && row != ROW_SELF) {
            measure_crosstalk(chunk, i, row);
        }
    }
    return rc == 0 && work->options->play_on ? play_on(chunk, row) : rc;
}

static int measure_chunk(void *context, double *values, EditQuery *query, size_t worker)
{
    const Work *work = context;
    size_t n_classes = work->n_layers > 0 ? query->n * (size_t)work->n_layers *
                                                (size_t)work->options->reader->n_squares
                                          : 0;
    Chunk *chunk = mem_calloc(1, sizeof(*chunk) + 2 * n_classes, "a chunk of cases");
    int rc = 0;
    if (!chunk) {
        return OGPT_ENOMEM;
    }
    chunk->work = work;
    chunk->worker = worker;
    chunk->query = query;
    chunk->values = values;
    if (n_classes > 0) {
        chunk->unedited = (uint8_t *)(chunk + 1);
        chunk->classes = chunk->unedited + n_classes;
    }
    /* In the order of the enumeration: the edit leaves the lengths that the controls use. */
    for (int row = ROW_NULL; row < ROW_IDEAL_NULL && rc == 0; row++) {
        rc = measure_row(chunk, (MetricRow)row);
    }
    for (size_t i = 0; i < query->n; i++) {
        ideal_null_metrics(metrics_of(chunk, i)->of[ROW_IDEAL_NULL],
                           &query->set->cases[query->order[i]], work->chunks.predictor->d_vocab,
                           work->chunks.settings->rule);
    }
    mem_free(chunk);
    return rc;
}

/* ---- results ---- */

/* Columns of two rows of a ratio, for the bootstrap. */
typedef struct Columns {
    double *part, *whole, *other_part, *other_whole; /* (n) each */
} Columns;

/* What one row of a metric came to; nothing where no case has a part in it. */
static Interval ratio(const Columns *columns, size_t n, uint64_t seed)
{
    return bootstrap_ratio(columns->part, columns->whole, n, seed);
}

static Interval paired(const Columns *columns, const EditMetrics *metrics, EditMetric metric,
                       MetricRow other, uint64_t seed)
{
    for (size_t i = 0; i < metrics->n; i++) {
        const CaseMetrics *one = &metrics->cases[i];
        columns->part[i] = one->of[ROW_EDIT][metric].part;
        columns->whole[i] = one->of[ROW_EDIT][metric].whole;
        columns->other_part[i] = one->of[other][metric].part;
        columns->other_whole[i] = one->of[other][metric].whole;
    }
    return bootstrap_difference(columns->part, columns->whole, columns->other_part,
                                columns->other_whole, metrics->n, seed);
}

static void metric_intervals(EditMetrics *out, const Columns *columns, uint64_t seed)
{
    for (int m = 0; m < N_EDIT_METRICS; m++) {
        for (int row = 0; row < N_EDIT_ROWS; row++) {
            for (size_t i = 0; i < out->n; i++) {
                columns->part[i] = out->cases[i].of[row][m].part;
                columns->whole[i] = out->cases[i].of[row][m].whole;
            }
            out->value[row][m] = ratio(columns, out->n, seed);
        }
        out->edit_less_null[m] = paired(columns, out, (EditMetric)m, ROW_NULL, seed);
        out->edit_less_random[m] = paired(columns, out, (EditMetric)m, ROW_RANDOM, seed);
    }
}

/* What place i of the order came to. Whole chunks lie one behind the other. */
static const CaseMetrics *values_of(const Work *work, size_t i)
{
    return (const CaseMetrics *)(const void *)(work->chunks.values + i * work->case_numbers);
}

static void layer_intervals(EditMetrics *out, const Work *work, const Columns *columns)
{
    int first_edited = __builtin_ctzll(work->plan->layers);
    for (int l = 0; l < work->n_layers; l++) {
        LayerCrosstalk *layer = &out->layers[out->n_layers];
        if (!is_read_after(work, l, first_edited)) {
            continue;
        }
        layer->layer = work->options->reader->layers[l];
        out->n_layers++;
        for (int row = 0; row < N_EDIT_ROWS; row++) {
            for (int what = 0; what < 2; what++) {
                for (size_t i = 0; i < out->n; i++) {
                    const Share *kept = crosstalk_of(values_of(work, i), l, row);
                    size_t at = work->chunks.order[i];
                    columns->part[at] = kept[what].part;
                    columns->whole[at] = kept[what].whole;
                }
                *(what == 0 ? &layer->others[row] : &layer->turned[row]) =
                    ratio(columns, out->n, work->chunks.settings->seed);
            }
        }
    }
}

static int metrics_report(EditMetrics *out, const Work *work)
{
    double *values = mem_alloc(4 * out->n, sizeof(*values), "metrics of the cases");
    if (!values) {
        return OGPT_ENOMEM;
    }
    Columns columns = {values, values + out->n, values + 2 * out->n, values + 3 * out->n};
    metric_intervals(out, &columns, work->chunks.settings->seed);
    layer_intervals(out, work, &columns);
    mem_free(values);
    return 0;
}

int edit_metrics_score(EditMetrics *out, const EditPredictor *predictor, const CaseSet *set,
                       const EditPlan *plan, const EditMetricsOptions *options,
                       const EditSettings *settings)
{
    Work work = {.plan = plan,
                 .options = options,
                 .n_layers = options->reader ? options->reader->n_layers : 0};
    int rc;
    memset(out, 0, sizeof(*out));
    if (options->play_on && !predictor->append) {
        return err_set(OGPT_EUSAGE, "this predictor cannot play on; leave play-on out");
    }
    find_crosstalk_layers(&work);
    work.case_numbers =
        (sizeof(CaseMetrics) + (size_t)work.n_layers * N_EDIT_ROWS * 2 * sizeof(Share)) /
        sizeof(double);
    rc = edit_chunks__init(&work.chunks, predictor, set, settings,
                           EDIT_CHUNK_CASES * work.case_numbers);
    if (rc != 0) {
        return rc;
    }
    out->n = set->n;
    out->cases = mem_alloc(set->n, sizeof(*out->cases), "metrics of the cases");
    rc = out->cases ? edit_chunks__run(&work.chunks, measure_chunk, &work) : OGPT_ENOMEM;
    for (size_t i = 0; i < set->n && rc == 0; i++) {
        out->cases[work.chunks.order[i]] = *values_of(&work, i);
    }
    rc = rc ? rc : metrics_report(out, &work);
    if (rc != 0) {
        edit_metrics_release(out);
    }
    edit_chunks__release(&work.chunks);
    return rc;
}

void edit_metrics_release(EditMetrics *metrics)
{
    mem_free(metrics->cases);
    memset(metrics, 0, sizeof(*metrics));
}
