/* probes/edits/edit_measure.c - measuring the cases of a set chunk by chunk
 * (probes/edits/edit_chunks.h): answers, crosstalk and play-on, then their intervals. */
#include "probes/edits/edit_measure.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/edits/edit_chunks.h"
#include "probes/edits/edit_methods.h"

typedef struct Measure {
    EditMetrics *out;
    EditChunks chunks;
    const EditPlan *plan;
    const EditMeasureOptions *options;
    BoardTerms reader_terms;
    int n_layers; /* of the reading probe, 0: none */
    /* Layer indices in which METRIC_CROSSTALK and METRIC_CROSSTALK_FINAL count; -1: none. */
    int at_edit, at_end;
    /* Numbers of one case in the values of a chunk: CaseMetrics, then BoardReading
     * (n_layers, N_ARMS). */
    size_t case_numbers;
} Measure;

/* The chunk that a worker is measuring. */
typedef struct MeasureChunk {
    const Measure *measure;
    size_t worker;
    EditQuery *query;
    double *values; /* (query->n, case_numbers) */
    float logits[EDIT_CHUNK_CASES * EDIT_MAX_VOCAB];
    Observed seen[EDIT_CHUNK_CASES]; /* under the arm that is being measured */
    uint8_t *unedited, *classes;     /* (n, n_layers, n_squares) each */
} MeasureChunk;

static const EditCase *case_of(const MeasureChunk *chunk, size_t i)
{
    return &chunk->query->set->cases[chunk->query->order[i]];
}

/* Metrics of case i of a chunk. */
static CaseMetrics *metrics_of(const MeasureChunk *chunk, size_t i)
{
    return (CaseMetrics *)(void *)(chunk->values + i * chunk->measure->case_numbers);
}

/* What the probe reads in one layer under one arm. `metrics` points at the values of the case. */
static BoardReading *reading_of(const CaseMetrics *metrics, int layer, Arm arm)
{
    return (BoardReading *)(void *)(metrics + 1) + layer * N_ARMS + arm;
}

/* Whether layer index l of the reading probe is read after the edit of a block. The sites are
 * numbered in the order in which a block computes them. */
static bool is_read_after(const Measure *measure, int l, int edited)
{
    const Probe *reader = measure->options->reader;
    int block;
    HookSite site = probe_hook(&block, reader, reader->layers[l]);
    return reader->fitted[l] &&
           (block > edited || (block == edited && site >= measure->plan->site));
}

/* The first layer that is read after all edits, and the last. */
static void find_crosstalk_layers(Measure *measure)
{
    int last_edited = 63 - __builtin_clzll(measure->plan->layers);
    measure->at_edit = measure->at_end = -1;
    for (int l = 0; l < measure->n_layers; l++) {
        if (is_read_after(measure, l, last_edited)) {
            measure->at_edit = measure->at_edit < 0 ? l : measure->at_edit;
            measure->at_end = l;
        }
    }
}

/* Compare the board that the probe reads under an arm with the board it reads without the edit. */
static void observe_board(MeasureChunk *chunk, size_t i, Arm arm)
{
    const Measure *measure = chunk->measure;
    size_t n_squares = (size_t)measure->options->reader->n_squares;
    EditSquares edited = edit_squares(&measure->reader_terms, case_of(chunk, i));
    uint64_t own = 0;
    for (int s = 0; s < edited.n; s++) {
        own |= 1ULL << edited.squares[s];
    }
    for (int l = 0; l < measure->n_layers; l++) {
        size_t from = (i * (size_t)measure->n_layers + (size_t)l) * n_squares;
        const uint8_t *before = chunk->unedited + from;
        const uint8_t *after = (arm_is_plain(arm) ? chunk->unedited : chunk->classes) + from;
        BoardReading *reading = reading_of(metrics_of(chunk, i), l, arm);
        *reading = (BoardReading){{0, 1}, {0, edited.n}};
        for (size_t s = 0; s < n_squares; s++) {
            reading->others.part += (own >> s & 1) == 0 && before[s] != after[s];
        }
        for (int s = 0; s < edited.n; s++) {
            reading->turned.part += after[edited.squares[s]] == edited.to[s];
        }
        if (l == measure->at_edit) {
            chunk->seen[i].at_edit = *reading;
        }
        if (l == measure->at_end) {
            chunk->seen[i].at_end = *reading;
        }
    }
}

/* One ply of every line that is still open: the network's first choice, judged by the rules. Leaves
 * the moves in tokens, TOK_PAD where a line ends. Returns the number of lines that go on. */
static size_t play_ply(MeasureChunk *chunk, Board *boards, uint8_t *tokens, int ply)
{
    const Measure *measure = chunk->measure;
    const Vocab *vocab = measure->chunks.vocab;
    const GameVariant *variant = chunk->query->set->variant;
    size_t n_open = 0;
    for (size_t i = 0; i < chunk->query->n; i++) {
        Observed *seen = &chunk->seen[i];
        bool open = ply == 0 || tokens[i] != TOK_PAD;
        seen->played = true;
        tokens[i] = TOK_PAD;
        if (open) {
            int tok = answer_top(chunk->logits + i * (size_t)vocab->d_vocab, vocab->d_vocab);
            int sq = vocab->sq_of_tok[tok];
            bool legal = sq != SQ_NONE && (board_moves(variant, &boards[i]) >> sq & 1);
            seen->tried++;
            seen->played_legal += legal;
            seen->played_illegal += !legal;
            open = legal && board_play(variant, &boards[i], sq) != PLAY_GAME_OVER &&
                   case_of(chunk, i)->n_moves + ply + 1 <= measure->options->n_ctx;
            tokens[i] = open ? (uint8_t)tok : TOK_PAD;
            n_open += open;
        }
    }
    return n_open;
}

/* Let the predictor play on from its last answer, until the lines of all cases have ended. */
static int play_on(MeasureChunk *chunk, Arm arm)
{
    const EditPredictor *predictor = chunk->measure->chunks.predictor;
    Board boards[EDIT_CHUNK_CASES];
    uint8_t tokens[EDIT_CHUNK_CASES];
    size_t n_open = chunk->query->n;
    int rc = 0;
    for (size_t i = 0; i < chunk->query->n; i++) {
        boards[i] = arm_is_own(arm) ? case_of(chunk, i)->before : case_of(chunk, i)->edited;
    }
    for (int ply = 0; ply < EDIT_PLAY_ON_PLIES && n_open > 0 && rc == 0; ply++) {
        n_open = play_ply(chunk, boards, tokens, ply);
        if (n_open > 0 && ply + 1 < EDIT_PLAY_ON_PLIES) {
            rc = predictor->append(predictor->context, chunk->logits, chunk->query, tokens,
                                   chunk->worker);
            rc = rc ? rc : edit_check_logits(chunk->logits, predictor->d_vocab, chunk->query);
        }
    }
    return rc;
}

/* Ask for one arm and measure the answers for the chunk's cases. The answer to arm null serves
 * every plain arm; it must be asked for again only if the predictor has played on from it. */
static int measure_arm(MeasureChunk *chunk, Arm arm)
{
    const Measure *measure = chunk->measure;
    EditQuery *query = chunk->query;
    size_t V = (size_t)measure->chunks.predictor->d_vocab;
    bool reads = measure->n_layers > 0 && arm_is_listed(arm) && !arm_is_own(arm);
    bool plays = measure->options->play_on && arm_is_listed(arm);
    int rc = 0;
    query->classes = !reads ? NULL : arm_is_plain(arm) ? chunk->unedited : chunk->classes;
    if (arm == ARM_NULL || !arm_is_plain(arm) || plays) {
        rc = edit_ask(chunk->logits, measure->chunks.predictor, query, arm, measure->plan,
                      chunk->worker);
    }
    for (size_t i = 0; i < query->n && rc == 0; i++) {
        edit_observe(&chunk->seen[i], case_of(chunk, i), measure->chunks.vocab, arm,
                     chunk->logits + i * V, measure->options->scoring.rule);
        if (reads) {
            observe_board(chunk, i, arm);
        }
    }
    if (rc == 0 && plays) {
        rc = play_on(chunk, arm);
    }
    for (size_t i = 0; i < query->n && rc == 0; i++) {
        edit_metrics_of(metrics_of(chunk, i)->of[arm], &chunk->seen[i]);
    }
    return rc;
}

static int measure_chunk(void *context, double *values, EditQuery *query, size_t worker)
{
    const Measure *measure = context;
    const Probe *reader = measure->options->reader;
    size_t n_classes = reader ? query->n * (size_t)reader->n_layers * (size_t)reader->n_squares : 0;
    MeasureChunk *chunk = mem_calloc(1, sizeof(*chunk) + 2 * n_classes, "a chunk of cases");
    int rc = 0;
    if (!chunk) {
        return OGPT_ENOMEM;
    }
    chunk->measure = measure;
    chunk->worker = worker;
    chunk->query = query;
    chunk->values = values;
    chunk->unedited = (uint8_t *)(chunk + 1);
    chunk->classes = chunk->unedited + n_classes;
    for (int arm = 0; arm < N_ARMS && rc == 0; arm++) {
        if (arm_is_asked((Arm)arm, measure->plan)) {
            rc = measure_arm(chunk, (Arm)arm);
        }
    }
    for (size_t i = 0; i < query->n; i++) {
        ideal_null_metrics(metrics_of(chunk, i)->of[ARM_IDEAL_NULL], case_of(chunk, i),
                           measure->chunks.vocab->d_vocab, measure->options->scoring.rule);
    }
    mem_free(chunk);
    return rc;
}

/* ---- results ---- */

/* One share under every arm, of all cases, for the bootstrap. */
typedef struct Columns {
    double *part[N_ARMS], *whole[N_ARMS]; /* (n) each */
    bool any[N_ARMS];                     /* a case contributes */
    double *other, *drift;                /* (n) a difference; that of arm repair */
    uint64_t seed;
    size_t n;
} Columns;

static const Interval no_interval = {NAN, NAN, NAN};

/* What a case contributes: to a metric (layer -1), or to what is read in a layer: edited squares in
 * their new state (m 1), other squares (m 0). */
static Share share_of(const CaseMetrics *one, Arm arm, int layer, int m)
{
    const BoardReading *reading = layer < 0 ? NULL : reading_of(one, layer, arm);
    return !reading ? one->of[arm][m] : m == 1 ? reading->turned : reading->others;
}

/* Read a share of all cases, a chunk at a time. */
static int take_share(Columns *columns, const EditMetrics *metrics, int layer, int m)
{
    char *cases = mem_alloc(EDIT_CHUNK_CASES, metrics->case_bytes, "metrics of some cases");
    int rc = cases ? 0 : OGPT_ENOMEM;
    memset(columns->any, 0, sizeof(columns->any));
    for (size_t first = 0; first < columns->n && rc == 0; first += EDIT_CHUNK_CASES) {
        size_t left = columns->n - first, n = left < EDIT_CHUNK_CASES ? left : EDIT_CHUNK_CASES;
        rc =
            spill_read(metrics->cases, cases, n * metrics->case_bytes, first * metrics->case_bytes);
        for (size_t i = 0; i < n && rc == 0; i++) {
            const CaseMetrics *one = (const void *)(cases + i * metrics->case_bytes);
            for (int arm = 0; arm < N_ARMS; arm++) {
                const Share share = share_of(one, (Arm)arm, layer, m);
                columns->part[arm][first + i] = share.part;
                columns->whole[arm][first + i] = share.whole;
                columns->any[arm] = columns->any[arm] || share.whole != 0;
            }
        }
    }
    mem_free(cases);
    return rc;
}

static Interval ratio(const Columns *columns, int arm)
{
    return columns->any[arm]
               ? bootstrap_ratio(columns->part[arm], columns->whole[arm], columns->n, columns->seed)
               : no_interval;
}

/* Arm edit minus another. */
static Interval paired(const Columns *columns, Arm other)
{
    return columns->any[ARM_EDIT] && columns->any[other]
               ? bootstrap_difference(columns->part[ARM_EDIT], columns->whole[ARM_EDIT],
                                      columns->part[other], columns->whole[other], columns->n,
                                      columns->seed)
               : no_interval;
}

static double mean_of_column(const Columns *columns, int arm)
{
    double sum = 0;
    for (size_t i = 0; i < columns->n; i++) {
        sum += metric_value((Share){columns->part[arm][i], columns->whole[arm][i]});
    }
    return 1.0 / (double)columns->n * sum;
}

/* The shares of the gap between null and self that the arms close; with a repair, also of that
 * between its two errors. Columns: the errors, and drift. */
static void closed_shares(EditMetrics *out, const Columns *columns, const EditPlan *plan)
{
    const double *null = columns->part[ARM_NULL], *self = columns->part[ARM_SELF];
    for (int arm = 0; arm < N_ARMS; arm++) {
        const double *error = columns->part[arm];
        bool changes = !arm_is_plain((Arm)arm) && arm_is_asked((Arm)arm, plan);
        out->closed[arm] = out->removed[arm] = no_interval;
        if (changes) {
            out->closed[arm] = bootstrap_closed(null, self, error, columns->n, columns->seed);
            for (size_t i = 0; i < columns->n; i++) {
                columns->other[i] = null[i] - error[i];
            }
            out->removed[arm] = bootstrap_ratio(columns->other, null, columns->n, columns->seed);
        }
    }
    out->closed_repaired =
        arm_is_asked(ARM_REPAIR, plan)
            ? bootstrap_closed(columns->part[ARM_REPAIR], columns->drift, columns->part[ARM_EDIT],
                               columns->n, columns->seed)
            : no_interval;
    out->gain =
        bootstrap_difference(null, NULL, columns->part[ARM_EDIT], NULL, columns->n, columns->seed);
}

static int metric_intervals(EditMetrics *out, Columns *columns, const EditPlan *plan)
{
    int rc = 0;
    for (int m = N_EDIT_METRICS - 1; m >= 0 && rc == 0; m--) { /* drift goes before error */
        rc = take_share(columns, out, -1, m);
        for (int arm = 0; arm < N_ARMS && rc == 0; arm++) {
            out->value[arm][m] = ratio(columns, arm);
            out->mean[arm][m] = mean_of_column(columns, arm);
        }
        if (rc == 0) {
            out->edit_less_null[m] = paired(columns, ARM_NULL);
            out->edit_less_random[m] = paired(columns, ARM_RANDOM);
            out->edit_less_probe[m] = paired(columns, ARM_PROBE);
        }
        if (rc == 0 && m == METRIC_DRIFT) {
            memcpy(columns->drift, columns->part[ARM_REPAIR], columns->n * sizeof(double));
        } else if (rc == 0 && m == METRIC_ERROR) {
            closed_shares(out, columns, plan);
        }
    }
    return rc;
}

static int layer_intervals(EditMetrics *out, const Measure *measure, Columns *columns)
{
    int first_edited = __builtin_ctzll(measure->plan->layers), rc = 0;
    for (int l = 0; l < measure->n_layers && rc == 0; l++) {
        LayerCrosstalk *layer = &out->layers[out->n_layers];
        if (!is_read_after(measure, l, first_edited)) {
            continue;
        }
        layer->layer = measure->options->reader->layers[l];
        out->n_layers++;
        for (int turned = 0; turned < 2 && rc == 0; turned++) {
            Interval *into = turned ? layer->turned : layer->others;
            rc = take_share(columns, out, l, turned);
            for (int arm = 0; arm < N_ARMS && rc == 0; arm++) {
                into[arm] = ratio(columns, arm);
            }
        }
    }
    return rc;
}

static int report(EditMetrics *out, const Measure *measure)
{
    const size_t n = out->n;
    Columns columns = {.n = n, .seed = measure->chunks.work->seed};
    double *values = mem_alloc((2 * N_ARMS + 2) * n, sizeof(double), "metrics of the cases");
    if (!values) {
        return OGPT_ENOMEM;
    }
    for (int arm = 0; arm < N_ARMS; arm++) {
        columns.part[arm] = values + (size_t)arm * 2 * n;
        columns.whole[arm] = columns.part[arm] + n;
    }
    columns.drift = (columns.other = values + (size_t)N_ARMS * 2 * n) + n;
    int rc = metric_intervals(out, &columns, measure->plan);
    rc = rc ? rc : layer_intervals(out, measure, &columns);
    mem_free(values);
    return rc;
}

/* The cases of a chunk into the spill, each at its place in the set. */
static int take_chunk(void *context, const double *values, size_t chunk)
{
    const Measure *measure = context;
    size_t first = chunk * EDIT_CHUNK_CASES, left = measure->out->n - first;
    size_t bytes = measure->out->case_bytes;
    int rc = 0;
    for (size_t i = 0; i < EDIT_CHUNK_CASES && i < left && rc == 0; i++) {
        rc = spill_write(measure->out->cases, values + i * measure->case_numbers, bytes,
                         measure->chunks.order[first + i] * bytes);
    }
    return rc;
}

int edit_measure(EditMetrics *out, const EditPredictor *predictor, const CaseSet *set,
                 const EditPlan *plan, const EditMeasureOptions *options, const Work *work)
{
    Measure measure = {
        .out = out,
        .chunks = {.predictor = predictor, .set = set, .scoring = &options->scoring, .work = work},
        .plan = plan,
        .options = options,
        .n_layers = options->reader ? options->reader->n_layers : 0};
    memset(out, 0, sizeof(*out));
    if (options->play_on && !predictor->append) {
        return err_set(OGPT_EUSAGE, "this predictor cannot play on; leave play-on out");
    }
    if (options->reader) {
        measure.reader_terms = direction_terms(options->reader);
    }
    find_crosstalk_layers(&measure);
    measure.case_numbers =
        (sizeof(CaseMetrics) + (size_t)measure.n_layers * N_ARMS * sizeof(BoardReading)) /
        sizeof(double);
    measure.chunks.width = EDIT_CHUNK_CASES * measure.case_numbers;
    int rc = edit_chunks__init(&measure.chunks);
    if (rc != 0) {
        return rc;
    }
    out->n = set->n;
    out->case_bytes = measure.case_numbers * sizeof(double);
    rc = spill_new(&out->cases, NULL, "metrics of the cases");
    rc = rc ? rc : edit_chunks__run(&measure.chunks, measure_chunk, take_chunk, &measure);
    rc = rc ? rc : report(out, &measure);
    if (rc != 0) {
        edit_metrics_release(out);
    }
    edit_chunks__release(&measure.chunks);
    return rc;
}

void edit_metrics_release(EditMetrics *metrics)
{
    spill_free(metrics->cases);
    memset(metrics, 0, sizeof(*metrics));
}

int edit_metrics_case(CaseMetrics *out, const EditMetrics *metrics, size_t i)
{
    return spill_read(metrics->cases, out, sizeof(*out), i * metrics->case_bytes);
}

bool edit_controls_close_nothing(const EditMetrics *metrics)
{
    return metrics->closed[ARM_RANDOM].low <= 0 && metrics->closed[ARM_WRONG_SQUARE].low <= 0;
}
