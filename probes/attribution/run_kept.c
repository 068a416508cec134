/* probes/attribution/run_kept.c - finished blocks of games, packed into numbers and back. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/attribution/run_internal.h"

#define STAGE "attribution"

size_t attribution__block_games(const AttributionRun *run)
{
    size_t usual = run->list.n <= 1024 ? 64 * PASS_GAMES : 16 * PASS_GAMES;
    return run->options->block_games > 0 ? run->options->block_games : usual;
}

/* Numbers on their way into a block or out of it. */
typedef struct Packing {
    double *numbers; /* NULL: they are only counted */
    size_t n;
    bool unpack;
} Packing;

static void pack(Packing *to, double *values, size_t n)
{
    if (to->numbers && to->unpack) {
        memcpy(values, to->numbers + to->n, n * sizeof(*values));
    } else if (to->numbers) {
        memcpy(to->numbers + to->n, values, n * sizeof(*values));
    }
    to->n += n;
}

static void pack_floats(Packing *to, float *values, size_t n)
{
    for (size_t i = 0; i < n && to->numbers; i++) {
        if (to->unpack) {
            values[i] = (float)to->numbers[to->n + i];
        } else {
            to->numbers[to->n + i] = (double)values[i];
        }
    }
    to->n += n;
}

/* Everything that a block of games leaves behind, in one order. */
static void pack_block(Packing *to, AttributionRun *run, size_t first, size_t n)
{
    size_t J = run->list.n, G = 3 * run->n_groups;
    RunSlot *block = &run->block;
    pack(to, run->values + first * J, n * J);
    pack(to, run->groups + first * G, n * G);
    pack(to, run->numbers + first, n);
    pack(to, run->counts + first, n);
    for (int f = 0; f < N_SLOT_FIELDS; f++) {
        pack(to, block->field[f], J);
    }
    pack(to, block->moments, N_MOMENTS);
    pack(to, block->erasure.self, J);
    pack_floats(to, block->erasure.dot, J * block->erasure.n_erasers);
    pack(to, &block->identity_error, 1);
    pack(to, &block->largest, 1);
}

static int packing_open(Packing *out, AttributionRun *run, size_t first, size_t n)
{
    *out = (Packing){0};
    pack_block(out, run, first, n);
    out->numbers = mem_alloc(out->n, sizeof(double), "a block of games");
    return out->numbers ? 0 : OGPT_ENOMEM;
}

int attribution__recall(AttributionRun *run, const WorkJournal *journal, size_t block, size_t first,
                        size_t n)
{
    Packing from;
    int rc = packing_open(&from, run, first, n);
    rc = rc ? rc : journal->recall(journal->context, from.numbers, from.n, STAGE, block);
    if (rc == 1) {
        from.n = 0;
        from.unpack = true;
        pack_block(&from, run, first, n);
    }
    mem_free(from.numbers);
    return rc;
}

int attribution__keep(AttributionRun *run, const WorkJournal *journal, size_t block, size_t first,
                      size_t n)
{
    Packing to;
    int rc = packing_open(&to, run, first, n);
    if (rc == 0) {
        size_t n_numbers = to.n;
        to.n = 0;
        pack_block(&to, run, first, n);
        rc = journal->keep(journal->context, to.numbers, n_numbers, STAGE, block);
    }
    mem_free(to.numbers);
    return rc;
}

static void add_floats(Sha256 *hash, const float *values, size_t n)
{
    sha256_add(hash, &n, sizeof(n));
    if (values) {
        sha256_add(hash, values, n * sizeof(*values));
    }
}

void attribution_hash(Sha256 *hash, const AttributionTarget *target,
                      const AttributionPositions *positions, const AttributionOptions *options)
{
    const Readout *readout = &target->readout;
    const PositionSet *set = &positions->set;
    const int words[] = {(int)options->grain, options->recomputed, options->back,
                         readout->normed,     (int)readout->site,  readout->layer};
    size_t K = readout->n_columns, cells = set->n_positions * K;
    sha256_add(hash, words, sizeof(words));
    add_floats(hash, readout->direction, readout->width * K);
    add_floats(hash, readout->random, readout->width * K);
    add_floats(hash, readout->constant, K);
    positions_hash(hash, set);
    add_floats(hash, positions->weights, cells);
    add_floats(hash, positions->shuffled, positions->shuffled ? cells : 0);
}
