/* probes/feature_circuits/feature_circuit_agree.c - see
 * probes/feature_circuits/feature_circuit_agree.h. */
#include "probes/feature_circuits/feature_circuit_agree.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/circuits/grades.h"

/* Sums over the numbers (exact, estimate) of one pair of runs. */
typedef struct PairMoments {
    double n, x, y, xx, yy, xy;
} PairMoments;

static const double *plane_of(const FeatureNumbers *numbers, size_t pair, size_t basis,
                              size_t plane)
{
    return numbers->values + pair * numbers->layout.n +
           feature_circuit_pair_plane(&numbers->layout, basis, plane);
}

size_t feature_circuit__used(uint32_t *used, const FeatureNumbers *numbers, size_t basis)
{
    size_t n = 0;
    for (size_t node = 0; node < numbers->layout.nodes[basis]; node++) {
        bool differs = false;
        for (size_t p = 0; p < numbers->n_pairs && !differs; p++) {
            differs = plane_of(numbers, p, basis, FEATURE_CHANGE)[node] > 0;
        }
        if (differs) {
            used[n++] = (uint32_t)node;
        }
    }
    return n;
}

int feature_circuit__share(Interval *out, const FeatureNumbers *numbers, size_t place, size_t n,
                           uint64_t seed)
{
    double *sums = mem_calloc(numbers->n_pairs, sizeof(*sums), "effects of pairs");
    if (!sums) {
        return OGPT_ENOMEM;
    }
    for (size_t p = 0; p < numbers->n_pairs; p++) {
        for (size_t i = 0; i < n; i++) {
            sums[p] += numbers->values[p * numbers->layout.n + place + i];
        }
    }
    *out = bootstrap_ratio(sums, numbers->whole, numbers->n_pairs, seed);
    mem_free(sums);
    return 0;
}

/* ---- Pearson ---- */

static PairMoments moments_of(const FeatureNumbers *numbers, size_t pair, size_t basis,
                              size_t score)
{
    const double *change = plane_of(numbers, pair, basis, FEATURE_CHANGE);
    const double *x = plane_of(numbers, pair, basis, FEATURE_EXACT);
    const double *y = plane_of(numbers, pair, basis, score);
    PairMoments sum = {0};
    for (size_t i = 0; i < numbers->layout.nodes[basis]; i++) {
        if (change[i] > 0) {
            sum.n += 1;
            sum.x += x[i];
            sum.y += y[i];
            sum.xx += x[i] * x[i];
            sum.yy += y[i] * y[i];
            sum.xy += x[i] * y[i];
        }
    }
    return sum;
}

static void add_moments(PairMoments *sum, const PairMoments *more)
{
    sum->n += more->n;
    sum->x += more->x;
    sum->y += more->y;
    sum->xx += more->xx;
    sum->yy += more->yy;
    sum->xy += more->xy;
}

static double correlation(const PairMoments *sum)
{
    const double xx = sum->xx - sum->x * sum->x / sum->n, yy = sum->yy - sum->y * sum->y / sum->n;
    return sum->n > 1 && xx > 0 && yy > 0 ? (sum->xy - sum->x * sum->y / sum->n) / sqrt(xx * yy)
                                          : NAN;
}

static int find_pearson(Interval *out, const FeatureNumbers *numbers, size_t basis, size_t score,
                        uint64_t seed)
{
    double drawn[BOOTSTRAP_REPLICATES];
    const size_t n = numbers->n_pairs;
    PairMoments *pairs = mem_alloc(n, sizeof(*pairs), "moments of pairs"), all = {0};
    if (!pairs) {
        return OGPT_ENOMEM;
    }
    for (size_t p = 0; p < n; p++) {
        pairs[p] = moments_of(numbers, p, basis, score);
        add_moments(&all, &pairs[p]);
    }
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        Rng rng = rng_at(seed, RNG_BOOTSTRAP, r);
        PairMoments sum = {0};
        for (size_t p = 0; p < n; p++) {
            add_moments(&sum, &pairs[rng_below(&rng, (uint32_t)n)]);
        }
        drawn[r] = correlation(&sum);
    }
    grade_percentiles(out, drawn, BOOTSTRAP_REPLICATES);
    out->value = correlation(&all);
    mem_free(pairs);
    return 0;
}

/* ---- ranks within a pair ---- */

enum { RANK_SPEARMAN, RANK_RECALL, RANK_COST, N_RANK_NUMBERS };

/* Memory for one pair, (nodes) each. */
typedef struct RankRoom {
    double *exact, *score;     /* of the nodes that differ */
    uint32_t *truth, *ranking; /* their order, largest first */
    uint32_t *place;           /* in `truth` */
} RankRoom;

/* numbers of two orders of n things. */
static void compare_orders(double numbers[N_RANK_NUMBERS], RankRoom *room, size_t n)
{
    const size_t wanted = n < FEATURE_WANTED ? n : FEATURE_WANTED;
    double squares = 0;
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        room->place[room->truth[i]] = (uint32_t)i;
    }
    for (size_t i = 0; i < n; i++) {
        const double apart = (double)room->place[room->ranking[i]] - (double)i;
        squares += apart * apart;
        if (i == wanted) {
            numbers[RANK_RECALL] = (double)found / (double)wanted;
        }
        if (room->place[room->ranking[i]] < wanted) {
            found++;
            numbers[RANK_COST] = (double)i + 1;
        }
    }
    if (wanted == n) {
        numbers[RANK_RECALL] = 1;
    }
    numbers[RANK_SPEARMAN] = 1 - 6 * squares / ((double)n * ((double)n * (double)n - 1));
}

/* One pair; NaN where fewer than two nodes differ. Random: the mean of FEATURE_DRAWS orders. */
static int rank_pair(double numbers[N_RANK_NUMBERS], RankRoom *room, const FeatureNumbers *all,
                     const size_t at[3], uint64_t seed)
{
    const size_t pair = at[0], basis = at[1], order = at[2];
    const bool random = order == FEATURE_RANDOM;
    const double *change = plane_of(all, pair, basis, FEATURE_CHANGE);
    const double *exact = plane_of(all, pair, basis, FEATURE_EXACT);
    const double *score = plane_of(all, pair, basis, random ? FEATURE_EXACT : order);
    const size_t draws = random ? FEATURE_DRAWS : 1;
    size_t n = 0;
    for (size_t i = 0; i < all->layout.nodes[basis]; i++) {
        if (change[i] > 0) {
            room->exact[n] = exact[i];
            room->score[n++] = score[i];
        }
    }
    for (size_t i = 0; i < N_RANK_NUMBERS; i++) {
        numbers[i] = n < 2 ? NAN : 0;
    }
    int rc = n < 2 ? 0 : grade_order(room->truth, room->exact, n);
    for (size_t draw = 0; draw < draws && n >= 2 && rc == 0; draw++) {
        double drawn[N_RANK_NUMBERS] = {0};
        rc = random ? 0 : grade_order(room->ranking, room->score, n);
        for (size_t i = 0; random && i < n; i++) {
            const uint64_t index = pair * FEATURE_DRAWS + draw;
            room->ranking[i] = (uint32_t)rng_permute(seed, RNG_CONTROL, index, i, n);
        }
        if (rc == 0) {
            compare_orders(drawn, room, n);
        }
        for (size_t i = 0; i < N_RANK_NUMBERS; i++) {
            numbers[i] += drawn[i] / (double)draws;
        }
    }
    return rc;
}

static int rank_pairs(FeatureAgreement *out, RankRoom *room, const FeatureNumbers *all,
                      size_t basis, size_t order, uint64_t seed)
{
    Interval *const to[N_RANK_NUMBERS] = {&out->spearman, &out->recall, &out->cost};
    double *values = mem_alloc(N_RANK_NUMBERS * all->n_pairs, sizeof(*values), "ranks of pairs");
    size_t n = 0;
    int rc = values ? 0 : OGPT_ENOMEM;
    for (size_t p = 0; p < all->n_pairs && rc == 0; p++) {
        double numbers[N_RANK_NUMBERS];
        rc = rank_pair(numbers, room, all, (const size_t[3]){p, basis, order}, seed);
        for (size_t i = 0; i < N_RANK_NUMBERS; i++) {
            values[i * all->n_pairs + n] = numbers[i];
        }
        n += !isnan(numbers[0]);
    }
    for (size_t i = 0; i < N_RANK_NUMBERS && rc == 0; i++) {
        *to[i] = bootstrap_ratio(values + i * all->n_pairs, NULL, n, seed);
    }
    mem_free(values);
    return rc;
}

static int rank_orders(FeatureBasisResult *out, const FeatureNumbers *all, size_t basis,
                       uint64_t seed)
{
    const size_t n = all->layout.nodes[basis];
    RankRoom room = {.exact = mem_alloc(2 * n, sizeof(double), "scores of a pair"),
                     .truth = mem_alloc(3 * n, sizeof(uint32_t), "ranks of a pair")};
    int rc = room.exact && room.truth ? 0 : OGPT_ENOMEM;
    for (size_t order = FEATURE_ATP; order < N_FEATURE_ORDERS && rc == 0; order++) {
        room.score = room.exact + n;
        room.ranking = room.truth + n;
        room.place = room.truth + 2 * n;
        rc = rank_pairs(&out->agree[order], &room, all, basis, order, seed);
    }
    mem_free(room.exact);
    mem_free(room.truth);
    return rc;
}

int feature_circuit__agree(FeatureBasisResult *out, const FeatureNumbers *numbers, size_t basis,
                           uint64_t seed)
{
    const FeatureLayout *layout = &numbers->layout;
    int rc = rank_orders(out, numbers, basis, seed);
    out->agree[FEATURE_RANDOM].pearson = out->agree[FEATURE_RANDOM].sum = (Interval){NAN, NAN, NAN};
    for (size_t score = FEATURE_ATP; score < N_FEATURE_SCORES && rc == 0; score++) {
        rc = find_pearson(&out->agree[score].pearson, numbers, basis, score, seed);
        rc = rc ? rc
                : feature_circuit__share(&out->agree[score].sum, numbers,
                                         feature_circuit_pair_plane(layout, basis, score),
                                         layout->nodes[basis], seed);
    }
    return rc;
}
