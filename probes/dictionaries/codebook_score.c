/* probes/dictionaries/codebook_score.c - see probes/dictionaries/codebook_score.h. */
#include "probes/dictionaries/codebook_score.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "probes/dictionaries/absorption.h"
#include "probes/dictionaries/vote.h"

enum { CODED_ROWS = 256 }; /* rows that are coded together */

/* Sums over the rows of a chunk, a coordinate each: of x, of x^2, and of the same of x - x_hat. */
enum { SUM_X, SUM_XX, SUM_E, SUM_EE, N_ERROR_SUMS };

typedef struct RowCoding {
    const Codebook *codebook;
    const CodebookRows *rows; /* of the set that is coded now */
    size_t m, d;
    float *f;        /* (workers, CODED_ROWS, m) */
    float *x_hat;    /* (workers, CODED_ROWS, d) */
    float *f_max;    /* (workers, m): the first row becomes the largest of all */
    uint32_t *fires; /* (workers, m) */
    uint8_t *levels; /* (m, n) of this set; NULL: f_max is looked for */
    double *sums;    /* (chunks, N_ERROR_SUMS, d); NULL: rows are not rebuilt */
} RowCoding;

static int chunk_finite(const float *x, size_t n, const char *what, const char *name)
{
    float sum = 0; /* x - x is 0 for finite x and NaN otherwise */
    for (size_t i = 0; i < n; i++) {
        sum += x[i] - x[i];
    }
    return sum == 0 ? 0 : err_set(OGPT_ENUM, "%s: %s is not finite; is it damaged?", name, what);
}

static void add_errors(double *sums, const float *x, const float *x_hat, size_t n, size_t d)
{
    memset(sums, 0, N_ERROR_SUMS * d * sizeof(*sums));
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < d; c++) {
            const double value = x[i * d + c], error = value - x_hat[i * d + c];
            sums[SUM_X * d + c] += value;
            sums[SUM_XX * d + c] += value * value;
            sums[SUM_E * d + c] += error;
            sums[SUM_EE * d + c] += error * error;
        }
    }
}

static void set_levels(const RowCoding *coding, const float *f, size_t first, size_t n)
{
    for (size_t j = 0; j < coding->m; j++) {
        uint8_t *levels = coding->levels + j * coding->rows->board.n + first;
        for (size_t r = 0; r < n; r++) {
            levels[r] = coverage_level(f[r * coding->m + j], coding->f_max[j]);
        }
    }
}

static int code_chunk(void *context, size_t job, size_t worker)
{
    const RowCoding *coding = context;
    const CodebookRows *rows = coding->rows;
    const size_t m = coding->m, d = coding->d, first = job * CODED_ROWS;
    const size_t left = rows->board.n - first, n = left < CODED_ROWS ? left : CODED_ROWS;
    const float *inputs = coding->codebook->neurons ? rows->neurons : rows->x;
    float *f = coding->f + worker * CODED_ROWS * m;
    float *f_max = coding->f_max + worker * m;
    uint32_t *fires = coding->fires + worker * m;
    codebook_encode(coding->codebook, inputs + first * coding->codebook->inputs, n, f);
    int rc = chunk_finite(f, n * m, "a feature", coding->codebook->name);
    for (size_t r = 0; r < n; r++) {
        for (size_t j = 0; j < m; j++) {
            fires[j] += f[r * m + j] > 0;
        }
        for (size_t j = 0; j < m && !coding->levels; j++) {
            f_max[j] = f[r * m + j] > f_max[j] ? f[r * m + j] : f_max[j];
        }
    }
    if (coding->levels) {
        set_levels(coding, f, first, n);
    }
    if (coding->sums && rc == 0) {
        float *x_hat = coding->x_hat + worker * CODED_ROWS * d;
        codebook_decode(coding->codebook, f, n, x_hat);
        rc = chunk_finite(x_hat, n * d, "a rebuilt row", coding->codebook->name);
        add_errors(coding->sums + job * N_ERROR_SUMS * d, rows->x + first * d, x_hat, n, d);
    }
    return rc ? rc : interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while coding rows") : 0;
}

/* Code a set. Afterwards fires[0..m-1] are those of all workers, and f_max[0..m-1] if it was looked
 * for. */
static int code_set(RowCoding *coding, const CodebookRows *rows, uint8_t *levels, const Work *work)
{
    const size_t workers = work_workers(work), m = coding->m;
    coding->rows = rows;
    coding->levels = levels;
    memset(coding->fires, 0, workers * m * sizeof(*coding->fires));
    int rc =
        pool_run(work->pool, (rows->board.n + CODED_ROWS - 1) / CODED_ROWS, code_chunk, coding);
    for (size_t i = m; i < workers * m; i++) {
        coding->fires[i % m] += coding->fires[i];
        if (!levels && coding->f_max[i] > coding->f_max[i % m]) {
            coding->f_max[i % m] = coding->f_max[i];
        }
    }
    return rc;
}

/* ---- what does not look at boards ---- */

static double share_active(const RowCoding *coding)
{
    double sum = 0;
    for (size_t j = 0; j < coding->m; j++) {
        sum += coding->fires[j];
    }
    return sum / (double)coding->rows->board.n;
}

static void set_density(CodebookScore *out, const RowCoding *coding)
{
    for (size_t j = 0; j < coding->m; j++) {
        double share = (double)coding->fires[j] / (double)coding->rows->board.n;
        if (share > 0) {
            int bin = DENSITY_BINS - 1 + (int)floor(log10(share));
            bin = bin < 0 ? 0 : bin > DENSITY_BINS - 1 ? DENSITY_BINS - 1 : bin;
            out->density[bin]++;
            out->alive++;
        }
    }
}

static double explained(const RowCoding *coding)
{
    const size_t d = coding->d, chunks = (coding->rows->board.n + CODED_ROWS - 1) / CODED_ROWS;
    const double n = (double)coding->rows->board.n;
    double whole = 0, left = 0;
    for (size_t c = 0; c < d; c++) {
        double sums[N_ERROR_SUMS] = {0};
        for (size_t job = 0; job < chunks; job++) {
            for (size_t k = 0; k < N_ERROR_SUMS; k++) {
                sums[k] += coding->sums[(job * N_ERROR_SUMS + k) * d + c];
            }
        }
        whole += sums[SUM_XX] - sums[SUM_X] * sums[SUM_X] / n;
        left += sums[SUM_EE] - sums[SUM_E] * sums[SUM_E] / n;
    }
    return 1 - left / whole;
}

/* ---- boards ---- */

/* The levels of the three sets, and the labels by which they are judged. */
typedef struct BoardLevels {
    const uint8_t *levels[3]; /* fit, validation, test */
    CoverageRows rows[3];
    size_t m;
} BoardLevels;
enum { SET_FIT, SET_VALID, SET_TEST };

static BoardLevels boards_of(const CodebookData *data, uint8_t *const *levels, size_t m, bool other)
{
    const CodebookRows *sets[] = {&data->fit, &data->valid, &data->test};
    BoardLevels out = {.m = m};
    for (int i = 0; i < 3; i++) {
        out.levels[i] = levels[i];
        out.rows[i] = sets[i]->board;
        if (other) {
            out.rows[i].labels = sets[i]->other;
        }
    }
    return out;
}

static int measure_coverage(CodebookScore *out, const BoardLevels *boards, const Work *work)
{
    CoverageCounts counts = {0};
    CoverageChoice choice;
    CoverageScore *score = mem_alloc(1, sizeof(*score), "coverage");
    const CoverageRows *test = &boards->rows[SET_TEST];
    int rc = score ? coverage_count(&counts, boards->levels[SET_VALID], boards->m,
                                    &boards->rows[SET_VALID], work)
                   : OGPT_ENOMEM;
    if (rc == 0) {
        coverage_choose(&choice, &counts);
        coverage_counts_release(&counts);
        rc = coverage_score(score, &choice, boards->levels[SET_TEST], test, false, work);
    }
    if (rc == 0) {
        out->coverage[BOARD_ALL] = score->all;
        out->coverage[BOARD_MASKED] = score->masked;
        memcpy(out->coverage_draws, score->replicates, sizeof(out->coverage_draws));
        rc = coverage_count(&counts, boards->levels[SET_TEST], boards->m, test, work);
    }
    if (rc == 0) {
        coverage_choose(&choice, &counts);
        CoverageMean one = coverage_one_threshold(&counts);
        out->coverage_one[BOARD_ALL] = one.all;
        out->coverage_one[BOARD_MASKED] = one.masked;
        rc = coverage_score(score, &choice, boards->levels[SET_TEST], test, true, work);
        out->coverage_published[BOARD_ALL] = score->all;
        out->coverage_published[BOARD_MASKED] = score->masked;
    }
    coverage_counts_release(&counts);
    mem_free(score);
    return rc;
}

static double games_absorbed(const VoteSums *sums, size_t n)
{
    double best = 0, hits = 0;
    for (size_t g = 0; g < n; g++) {
        best += sums[g].best;
        hits += sums[g].hits[VOTE_ALL];
    }
    return 1 - best / hits;
}

/* The F1 of the vote on the test rows, at the thresholds that other sums (thresholds, n_games)
 * choose. */
static int score_votes(Interval *out, double (*draws)[BOOTSTRAP_REPLICATES], const VoteSums *test,
                       size_t n_test, const size_t *thresholds, uint64_t seed)
{
    int rc = 0;
    for (int mask = 0; mask < BOARD_MASKS && rc == 0; mask++) {
        rc = vote_score(&out[mask], draws ? draws[mask] : NULL, test + thresholds[mask] * n_test,
                        n_test, mask, seed);
    }
    return rc;
}

static int measure_votes(CodebookScore *out, const BoardLevels *boards, const Work *work)
{
    CoverageCounts counts = {0};
    VoteTable table = {0};
    const size_t n_valid = boards->rows[SET_VALID].n_games, n_test = boards->rows[SET_TEST].n_games;
    VoteSums *valid = mem_alloc(COVERAGE_THRESHOLDS * n_valid, sizeof(*valid), "votes by game");
    VoteSums *test = mem_alloc(COVERAGE_THRESHOLDS * n_test, sizeof(*test), "votes by game");
    int rc = valid && test ? coverage_count(&counts, boards->levels[SET_FIT], boards->m,
                                            &boards->rows[SET_FIT], work)
                           : OGPT_ENOMEM;
    rc = rc ? rc : vote_table_make(&table, &counts);
    coverage_counts_release(&counts);
    rc = rc ? rc
            : vote_count(valid, &table, boards->levels[SET_VALID], &boards->rows[SET_VALID], work);
    rc =
        rc ? rc : vote_count(test, &table, boards->levels[SET_TEST], &boards->rows[SET_TEST], work);
    if (rc == 0) {
        size_t ours[BOARD_MASKS], published[BOARD_MASKS];
        for (int mask = 0; mask < BOARD_MASKS; mask++) {
            ours[mask] = vote_threshold(valid, n_valid, mask);
            published[mask] = vote_threshold(test, n_test, mask);
        }
        VoteShape shape = vote_shape(&table, ours[BOARD_ALL]);
        out->voters = shape.features;
        out->pairs = shape.pairs;
        out->splitting = shape.voters;
        out->absorbed = games_absorbed(test + ours[BOARD_ALL] * n_test, n_test);
        rc = score_votes(out->board, out->board_draws, test, n_test, ours, work->seed);
        rc = rc ? rc : score_votes(out->board_published, NULL, test, n_test, published, work->seed);
    }
    vote_table_release(&table);
    mem_free(valid);
    mem_free(test);
    return rc;
}

static int measure_boards(CodebookScore *out, const CodebookData *data, uint8_t *const *levels,
                          size_t m, const Work *work)
{
    const BoardLevels own = boards_of(data, levels, m, false),
                      other = boards_of(data, levels, m, true);
    CodebookScore *floor = mem_calloc(1, sizeof(*floor), "scores on boards of other games");
    work_tick(work, "coverage", 0, 2);
    int rc = floor ? measure_coverage(out, &own, work) : OGPT_ENOMEM;
    work_tick(work, "boards", 0, 2);
    rc = rc ? rc : measure_votes(out, &own, work);
    work_tick(work, "coverage", 1, 2);
    rc = rc ? rc : measure_coverage(floor, &other, work);
    work_tick(work, "boards", 1, 2);
    rc = rc ? rc : measure_votes(floor, &other, work);
    for (int mask = 0; mask < BOARD_MASKS && rc == 0; mask++) {
        out->coverage_shuffled[mask] = floor->coverage[mask].value;
        out->board_shuffled[mask] = floor->board[mask].value;
    }
    mem_free(floor);
    return rc;
}

static int measure_absorption(CodebookScore *out, const Codebook *codebook,
                              const CodebookData *data, uint8_t *const *levels, const Work *work)
{
    const BoardLevels own = boards_of(data, levels, codebook->features, false),
                      other = boards_of(data, levels, codebook->features, true);
    AbsorptionInput in = {.codebook = codebook,
                          .columns = codebook_columns(codebook),
                          .probe = data->probe,
                          .choose = {levels[SET_VALID], own.rows[SET_VALID]},
                          .test = {levels[SET_TEST], own.rows[SET_TEST]},
                          .x = data->test.x,
                          .inputs = codebook->neurons ? data->test.neurons : data->test.x};
    AbsorptionScore score = {NAN, NAN, NAN}, shuffled = score;
    int rc = 0;
    if (in.probe && in.columns && codebook->features > 0) {
        rc = absorption_measure(&score, &in, work);
        in.choose.board = other.rows[SET_VALID];
        rc = rc ? rc : absorption_measure(&shuffled, &in, work);
    }
    out->absorption = score.absorbed;
    out->absorption_shuffled = shuffled.absorbed;
    out->split_pairs = score.split;
    out->main_features = score.mains;
    return rc;
}

/* ---- all of it ---- */

static int allocate(RowCoding *coding, uint8_t **levels, const CodebookData *data, const Work *work)
{
    const size_t workers = work_workers(work), m = coding->m, d = coding->d;
    const size_t chunks = (data->test.board.n + CODED_ROWS - 1) / CODED_ROWS;
    const size_t rows[] = {data->fit.board.n, data->valid.board.n, data->test.board.n};
    bool all = true;
    for (int i = 0; i < 3; i++) {
        levels[i] = mem_alloc(m * rows[i], 1, "levels of features");
        all = all && levels[i];
    }
    coding->f = mem_alloc(workers * CODED_ROWS * m, sizeof(float), "features of rows");
    coding->x_hat = mem_alloc(workers * CODED_ROWS * d, sizeof(float), "rebuilt rows");
    coding->f_max = mem_calloc(workers * m, sizeof(float), "largest values of features");
    coding->fires = mem_alloc(workers * m, sizeof(uint32_t), "firings of features");
    coding->sums = mem_alloc(chunks * N_ERROR_SUMS * d, sizeof(double), "errors of rebuilt rows");
    return all && coding->f && coding->x_hat && coding->f_max && coding->fires && coding->sums
               ? 0
               : OGPT_ENOMEM;
}

size_t codebook_measure_bytes(size_t features, const CodebookData *data, const Work *work)
{
    const size_t rows = data->fit.board.n + data->valid.board.n + data->test.board.n;
    const size_t fit_rows =
        data->fit.board.n < CODEBOOK_FIT_ROWS ? data->fit.board.n : CODEBOOK_FIT_ROWS;
    const size_t counts = features * COVERAGE_THRESHOLDS * COVERAGE_PAIRS * sizeof(uint32_t);
    const size_t decoder = 2 * features * (features + data->width) * sizeof(double) +
                           fit_rows * (features + data->width) * sizeof(float);
    const size_t measure =
        features * rows + counts + features * (rows / 8 + COVERAGE_PAIRS * sizeof(float)) +
        2 * work_workers(work) * CODED_ROWS * (features + data->width) * sizeof(float);
    return measure > decoder ? measure : decoder;
}

int codebook_measure(CodebookScore *out, const Codebook *codebook, const CodebookData *data,
                     const Work *work)
{
    uint8_t *levels[3] = {NULL};
    RowCoding coding = {.codebook = codebook, .m = codebook->features, .d = codebook->width};
    memset(out, 0, sizeof(*out));
    int rc = allocate(&coding, levels, data, work);
    double *sums = coding.sums;
    coding.sums = NULL;
    work_tick(work, "features of rows", 0, 4);
    rc = rc ? rc : code_set(&coding, &data->fit, NULL, work);
    work_tick(work, "features of rows", 1, 4);
    rc = rc ? rc : code_set(&coding, &data->fit, levels[SET_FIT], work);
    work_tick(work, "features of rows", 2, 4);
    rc = rc ? rc : code_set(&coding, &data->valid, levels[SET_VALID], work);
    out->l0_valid = rc ? 0 : share_active(&coding);
    coding.sums = sums;
    work_tick(work, "features of rows", 3, 4);
    rc = rc ? rc : code_set(&coding, &data->test, levels[SET_TEST], work);
    if (rc == 0) {
        out->l0 = share_active(&coding);
        out->explained = explained(&coding);
        set_density(out, &coding);
        rc = measure_boards(out, data, levels, coding.m, work);
        work_tick(work, "absorption", 0, 1);
        rc = rc ? rc : measure_absorption(out, codebook, data, levels, work);
    }
    for (int i = 0; i < 3; i++) {
        mem_free(levels[i]);
    }
    mem_free(coding.f);
    mem_free(coding.x_hat);
    mem_free(coding.f_max);
    mem_free(coding.fires);
    mem_free(sums);
    return rc;
}

Interval codebook_difference(const CodebookScore *a, const CodebookScore *b, bool board, int mask)
{
    const double *left = board ? a->board_draws[mask] : a->coverage_draws[mask];
    const double *right = board ? b->board_draws[mask] : b->coverage_draws[mask];
    Interval out = {board ? a->board[mask].value - b->board[mask].value
                          : a->coverage[mask].value - b->coverage[mask].value,
                    NAN, NAN};
    double draws[BOOTSTRAP_REPLICATES];
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        draws[r] = left[r] - right[r];
    }
    bootstrap_quantiles(&out, draws, BOOTSTRAP_REPLICATES);
    return out;
}
