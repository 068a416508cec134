/* model/train/trainer_ranks.c - the lanes of a step are dealt to ranks, and so is the update of the
 * weights; here the gradients of the lanes are summed, and a run that goes on is handed to all.
 *
 * The sum is a fixed tree over the lanes: first pairs (0,1) (2,3) ..., then the sums of pairs, and
 * so on. A node of the tree whose lanes are all of one rank is computed there. The others need
 * numbers of several ranks; they are shared out by chunks of the parameter vector, so that each
 * rank sends and adds up the same amount. Every addition has the same two numbers however many
 * ranks there are, so the sum has the same bits.
 */
#include <string.h>

#include "base/err.h"
#include "base/ranks/ranks.h"
#include "model/train/trainer.h"

#define LANES_MAX 256 /* train_options_check */

/* Whether all lanes below the node that adds lane + stride to lane are of one rank. */
static bool is_of_one_rank(size_t lane, size_t stride, size_t lanes)
{
    size_t last = lane + 2 * stride - 1;
    last = last < lanes ? last : lanes - 1;
    return ranks_owner(lane, lanes) == ranks_owner(last, lanes);
}

/* Add up one chunk of the parameter vector: the nodes of this rank's own lanes, or (crossing) those
 * of lanes of several ranks. */
static void add_nodes(Trainer *t, size_t chunk, bool crossing)
{
    size_t n = t->gpt->n_numbers, begin = chunk * TRAINER_CHUNK, first, end;
    size_t count = n - begin < TRAINER_CHUNK ? n - begin : TRAINER_CHUNK;
    size_t lanes = (size_t)t->options->lanes;
    ranks_share(&first, &end, lanes, ranks_own());
    for (size_t stride = 1; stride < lanes; stride *= 2) {
        for (size_t lane = 0; lane + stride < lanes; lane += 2 * stride) {
            bool inside = is_of_one_rank(lane, stride, lanes);
            if (crossing ? inside : !inside || lane < first || lane >= end) {
                continue;
            }
            float *into = t->lane_gradients + lane * n + begin;
            const float *from = t->lane_gradients + (lane + stride) * n + begin;
#pragma omp simd
            for (size_t i = 0; i < count; i++) {
                into[i] += from[i];
            }
        }
    }
}

static void add_squares(Trainer *t, size_t chunk)
{
    size_t n = t->gpt->n_numbers, begin = chunk * TRAINER_CHUNK;
    size_t count = n - begin < TRAINER_CHUNK ? n - begin : TRAINER_CHUNK;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double g = (double)t->lane_gradients[begin + i];
        sum += g * g;
    }
    t->chunk_norm[chunk] = sum;
}

/* Whether a chunk is of blocks alone that are not in use yet: all lanes have zeros there
 * (gpt_backward), so the sums are in place. */
static bool is_silent(const Trainer *t, size_t chunk)
{
    size_t begin = chunk * TRAINER_CHUNK, end = begin + TRAINER_CHUNK;
    for (size_t i = 0; i < t->gpt->n_specs; i++) {
        const TensorSpec *spec = &t->gpt->specs[i];
        if (spec->layer < t->gpt->in_use && spec->offset < end &&
            spec->offset + spec->count > begin) {
            return false;
        }
    }
    return true;
}

static int own_nodes_job(void *context, size_t chunk, size_t worker)
{
    Trainer *t = context;
    (void)worker;
    if (is_silent(t, chunk)) {
        t->chunk_norm[chunk] = 0;
        return 0;
    }
    add_nodes(t, chunk, false);
    if (ranks_count() == 1) {
        add_squares(t, chunk);
    }
    return 0;
}

typedef struct CrossingNodes {
    Trainer *trainer;
    size_t first; /* chunk of this rank */
} CrossingNodes;

static int crossing_nodes_job(void *context, size_t job, size_t worker)
{
    const CrossingNodes *nodes = context;
    (void)worker;
    add_nodes(nodes->trainer, nodes->first + job, true);
    add_squares(nodes->trainer, nodes->first + job);
    return 0;
}

/* Whether a lane holds a sum that its rank adds to nothing of its own: others need it. */
static bool is_top(size_t lane, size_t lanes)
{
    size_t stride = lane & -lane; /* of the node that adds this lane to another */
    return lane == 0 || !is_of_one_rank(lane - stride, stride, lanes);
}

/* The part of a lane that a rank adds up. */
static RanksPart part_of(const Trainer *t, size_t lane, int adder, int with)
{
    size_t n = t->gpt->n_numbers, first, end;
    ranks_share(&first, &end, t->n_chunks, adder);
    size_t begin = first * TRAINER_CHUNK, stop = end * TRAINER_CHUNK;
    begin = begin < n ? begin : n;
    stop = stop < n ? stop : n;
    return (RanksPart){.data = t->lane_gradients + lane * n + begin,
                       .n_bytes = (stop - begin) * sizeof(float),
                       .rank = with};
}

/* Send what others add up, get what this rank does. Sums stay in the places of their lanes. */
static int exchange_tops(const Trainer *t)
{
    RanksPart sent[2 * LANES_MAX], received[LANES_MAX];
    size_t n_sent = 0, n_received = 0, lanes = (size_t)t->options->lanes;
    for (size_t lane = 0; lane < lanes; lane++) {
        int owner = ranks_owner(lane, lanes);
        if (!is_top(lane, lanes)) {
            continue;
        }
        if (owner != ranks_own()) {
            received[n_received++] = part_of(t, lane, ranks_own(), owner);
            continue;
        }
        for (int rank = 0; rank < ranks_count(); rank++) {
            if (rank != owner) {
                sent[n_sent++] = part_of(t, lane, rank, rank);
            }
        }
    }
    return ranks_exchange(sent, n_sent, received, n_received);
}

int trainer_sum_own(Trainer *t)
{
    return pool_run(t->pool, t->n_chunks, own_nodes_job, t);
}

int trainer_sum_crossing(Trainer *t)
{
    size_t end, n = t->gpt->n_numbers;
    CrossingNodes nodes = {.trainer = t};
    if (ranks_count() == 1) {
        return 0;
    }
    ranks_share(&nodes.first, &end, t->n_chunks, ranks_own());
    int rc = exchange_tops(t);
    rc = rc ? rc : pool_run(t->pool, end - nodes.first, crossing_nodes_job, &nodes);
    rc = rc ? rc
            : ranks_gather(t->lane_gradients, t->n_chunks, TRAINER_CHUNK * sizeof(float),
                           n * sizeof(float));
    return rc ? rc : ranks_gather(t->chunk_norm, t->n_chunks, sizeof(t->chunk_norm[0]), 0);
}

int trainer_sum_lanes(Trainer *t)
{
    int rc = trainer_sum_own(t);
    return rc ? rc : trainer_sum_crossing(t);
}

/* Operations of an update, roughly: the four Newton-Schulz steps of a matrix (half of their
 * symmetric products), or a few for each number. */
static double update_cost(const UpdateJob *job)
{
    double rows = (double)job->spec->rows, cols = (double)job->spec->cols;
    double small = rows < cols ? rows : cols, large = rows < cols ? cols : rows;
    return job->muon ? 4 * small * small * (3 * large + small) : 20.0 * (double)job->count;
}

/* The job that begins first in the parameter vector at or behind `from`. */
static const UpdateJob *next_job(const Trainer *t, size_t from)
{
    const UpdateJob *next = NULL;
    for (size_t i = 0; i < t->n_jobs; i++) {
        if (t->jobs[i].begin >= from && (!next || t->jobs[i].begin < next->begin)) {
            next = &t->jobs[i];
        }
    }
    return next;
}

void trainer_cut_updates(Trainer *t)
{
    const UpdateJob *job = next_job(t, 0);
    int rank = 1, count = ranks_count();
    double total = 0, done = 0;
    for (size_t i = 0; i < t->n_jobs; i++) {
        total += update_cost(&t->jobs[i]);
    }
    t->cuts[0] = 0;
    for (; job; job = next_job(t, job->begin + 1)) {
        for (; rank < count && done * count >= total * rank; rank++) {
            t->cuts[rank] = job->begin * sizeof(float);
        }
        done += update_cost(job);
    }
    for (; rank <= count; rank++) {
        t->cuts[rank] = t->gpt->n_numbers * sizeof(float);
    }
}

bool trainer_updates_here(const Trainer *t, const UpdateJob *job)
{
    size_t at = job->begin * sizeof(float);
    return at >= t->cuts[ranks_own()] && at < t->cuts[ranks_own() + 1];
}

int trainer_collect(Trainer *t)
{
    int rc = ranks_gather_cut(t->momentum, t->cuts);
    rc = rc ? rc : ranks_gather_cut(t->second, t->cuts);
    return rc || !t->average ? rc : ranks_gather_cut(t->average, t->cuts);
}

int train_check_ranks(const TrainOptions *options)
{
    return ranks_count() <= options->lanes
               ? 0
               : err_set(
                     OGPT_EUSAGE,
                     "train: %d ranks for %lld lanes: each rank needs a lane of the batch; give "
                     "--lanes %d with a --batch that is a multiple of it, or start fewer ranks",
                     ranks_count(), (long long)options->lanes, ranks_count());
}

int trainer_share_state(Trainer *t, bool *found)
{
    size_t n_bytes = t->gpt->n_numbers * sizeof(float);
    int64_t keep = t->keep;
    const RanksPart parts[] = {{found, sizeof(*found), 0},
                               {&t->at, sizeof(t->at), 0},
                               {&keep, sizeof(keep), 0},
                               {t->gpt->params, n_bytes, 0},
                               {t->momentum, n_bytes, 0},
                               {t->second, n_bytes, 0},
                               {t->average, t->average ? n_bytes : 0, 0}};
    int rc = ranks_broadcast_parts(parts, sizeof(parts) / sizeof(parts[0]), 0);
    t->keep = keep;
    return rc;
}
