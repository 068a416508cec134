/* probes/dictionaries/vote.c - see probes/dictionaries/vote.h. */
#include "probes/dictionaries/vote.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"

enum { VOTE_CELLS = COVERAGE_THRESHOLDS * COVERAGE_CLASSES }; /* masks of a feature */

/* ---- who votes ---- */

static bool votes(uint32_t hits, uint32_t said)
{
    return hits >= VOTE_FIRINGS && hits >= VOTE_PRECISION * said;
}

int vote_table_make(VoteTable *out, const CoverageCounts *fit)
{
    *out = (VoteTable){.features = fit->features};
    out->pairs = mem_calloc(fit->features * VOTE_CELLS, sizeof(uint64_t), "votes of features");
    out->best = mem_calloc(fit->features * VOTE_CELLS, sizeof(uint64_t), "best votes of features");
    if (!out->pairs || !out->best) {
        vote_table_release(out);
        return OGPT_ENOMEM;
    }
    for (size_t t = 0; t < COVERAGE_THRESHOLDS; t++) {
        uint32_t most[COVERAGE_PAIRS] = {0};
        size_t best[COVERAGE_PAIRS] = {0};
        for (size_t f = 0; f < fit->features; f++) {
            const size_t at = f * COVERAGE_THRESHOLDS + t;
            const uint32_t *hits = fit->hits + at * COVERAGE_PAIRS;
            for (size_t p = 0; p < COVERAGE_PAIRS; p++) {
                if (votes(hits[p], fit->said[at])) {
                    out->pairs[at * COVERAGE_CLASSES + p / COVERAGE_SQUARES] |=
                        UINT64_C(1) << p % COVERAGE_SQUARES;
                    best[p] = hits[p] > most[p] ? f : best[p];
                    most[p] = hits[p] > most[p] ? hits[p] : most[p];
                }
            }
        }
        for (size_t p = 0; p < COVERAGE_PAIRS; p++) {
            if (most[p] > 0) {
                const size_t at = best[p] * COVERAGE_THRESHOLDS + t;
                out->best[at * COVERAGE_CLASSES + p / COVERAGE_SQUARES] |= UINT64_C(1)
                                                                           << p % COVERAGE_SQUARES;
            }
        }
    }
    return 0;
}

void vote_table_release(VoteTable *table)
{
    mem_free(table->pairs);
    mem_free(table->best);
    *table = (VoteTable){0};
}

VoteShape vote_shape(const VoteTable *table, size_t threshold)
{
    VoteShape out = {0};
    uint64_t any[COVERAGE_CLASSES] = {0};
    double votes = 0;
    for (size_t f = 0; f < table->features; f++) {
        const uint64_t *pairs =
            table->pairs + (f * COVERAGE_THRESHOLDS + threshold) * COVERAGE_CLASSES;
        for (size_t c = 0; c < COVERAGE_CLASSES; c++) {
            any[c] |= pairs[c];
            votes += __builtin_popcountll(pairs[c]);
        }
        out.features += (pairs[0] | pairs[1] | pairs[2]) != 0;
    }
    for (size_t c = 0; c < COVERAGE_CLASSES; c++) {
        out.pairs += __builtin_popcountll(any[c]);
    }
    out.voters = out.pairs > 0 ? votes / out.pairs : NAN;
    return out;
}

/* ---- counting ---- */

enum { VOTE_ROWS = 64 }; /* rows of a game that are looked at together */

typedef struct VoteRun {
    VoteSums *sums;
    const VoteTable *table;
    const uint8_t *levels;
    const CoverageRows *rows;
} VoteRun;

/* What is said of some rows, by threshold and class. */
typedef struct VoteSaid {
    uint64_t pairs[VOTE_ROWS][VOTE_CELLS], best[VOTE_ROWS][VOTE_CELLS];
} VoteSaid;

static void say(VoteSaid *said, const VoteRun *run, size_t first, size_t n)
{
    memset(said, 0, sizeof(*said));
    for (size_t f = 0; f < run->table->features; f++) {
        const uint8_t *levels = run->levels + f * run->rows->n + first;
        const uint64_t *pairs = run->table->pairs + f * VOTE_CELLS,
                       *best = run->table->best + f * VOTE_CELLS;
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < (size_t)levels[i] * COVERAGE_CLASSES; k++) {
                said->pairs[i][k] |= pairs[k];
                said->best[i][k] |= best[k];
            }
        }
    }
}

static void add_row(VoteSums *sums, const uint64_t *pairs, const uint64_t *best,
                    const uint64_t *truth)
{
    for (size_t c = 0; c < COVERAGE_CLASSES; c++) {
        double hits = __builtin_popcountll(pairs[c] & truth[c]);
        double said = __builtin_popcountll(pairs[c]), there = __builtin_popcountll(truth[c]);
        for (int mask = 0; mask < (c == 0 ? VOTE_MASKED : VOTE_MASKS); mask++) {
            sums->hits[mask] += hits;
            sums->said[mask] += said;
            sums->there[mask] += there;
        }
        sums->best += __builtin_popcountll(best[c] & truth[c]);
    }
}

static int count_game(void *context, size_t g, size_t worker)
{
    const VoteRun *run = context;
    const CoverageRows *rows = run->rows;
    VoteSaid said;
    for (size_t first = rows->first[g]; first < rows->first[g + 1]; first += VOTE_ROWS) {
        size_t left = rows->first[g + 1] - first, n = left < VOTE_ROWS ? left : VOTE_ROWS;
        say(&said, run, first, n);
        for (size_t i = 0; i < n; i++) {
            const uint8_t *labels = rows->labels + (first + i) * COVERAGE_SQUARES;
            uint64_t truth[COVERAGE_CLASSES] = {0};
            for (size_t s = 0; s < rows->n_squares; s++) {
                truth[labels[s]] |= UINT64_C(1) << s;
            }
            for (size_t t = 0; t < COVERAGE_THRESHOLDS; t++) {
                add_row(&run->sums[t * rows->n_games + g], said.pairs[i] + t * COVERAGE_CLASSES,
                        said.best[i] + t * COVERAGE_CLASSES, truth);
            }
        }
    }
    return interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while boards are rebuilt") : 0;
}

int vote_count(VoteSums *sums, const VoteTable *table, const uint8_t *levels,
               const CoverageRows *rows, const Work *work)
{
    VoteRun run = {sums, table, levels, rows};
    memset(sums, 0, COVERAGE_THRESHOLDS * rows->n_games * sizeof(*sums));
    return pool_run(work->pool, rows->n_games, count_game, &run);
}

/* ---- F1 ---- */

double vote_f1(const VoteSums *sums, size_t n_games, int mask)
{
    double hits = 0, both = 0;
    for (size_t g = 0; g < n_games; g++) {
        hits += sums[g].hits[mask];
        both += sums[g].said[mask] + sums[g].there[mask];
    }
    return 2 * hits / both;
}

size_t vote_threshold(const VoteSums *sums, size_t n_games, int mask)
{
    size_t best = 0;
    double largest = -1;
    for (size_t t = 0; t < COVERAGE_THRESHOLDS; t++) {
        double value = vote_f1(sums + t * n_games, n_games, mask);
        best = value > largest ? t : best;
        largest = value > largest ? value : largest;
    }
    return best;
}

int vote_score(Interval *out, double *replicates, const VoteSums *sums, size_t n_games, int mask,
               uint64_t seed)
{
    float *weights = mem_alloc(BOOTSTRAP_REPLICATES * n_games, sizeof(float), "draws of games");
    double sorted[BOOTSTRAP_REPLICATES];
    if (!weights) {
        return OGPT_ENOMEM;
    }
    coverage_draws(weights, n_games, seed);
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        double hits = 0, both = 0;
        for (size_t g = 0; g < n_games; g++) {
            double w = weights[r * n_games + g];
            hits += w * sums[g].hits[mask];
            both += w * (sums[g].said[mask] + sums[g].there[mask]);
        }
        sorted[r] = 2 * hits / both;
    }
    if (replicates) {
        memcpy(replicates, sorted, sizeof(sorted));
    }
    out->value = vote_f1(sums, n_games, mask);
    bootstrap_quantiles(out, sorted, BOOTSTRAP_REPLICATES);
    mem_free(weights);
    return 0;
}
