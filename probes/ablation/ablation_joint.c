/* probes/ablation/ablation_joint.c - units taken out together: groups and pairs. See
 * probes/ablation/ablation_summary.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/ablation/ablation_draws.h"
#include "probes/ablation/ablation_internal.h"
#include "probes/ablation/ablation_summary.h"

/* ---- groups ---- */

static bool chooses(const AblationPositions *positions, size_t i)
{
    return positions->at[i].game % 2 == 0;
}

typedef enum EffectPart { PART_TOTAL, PART_DIRECT, PART_WRONG, PART_STRICT } EffectPart;

static double part_of(const AblationResult *result, size_t set, size_t i, EffectPart part)
{
    const AblationEffect *effect = &result->effects[set * result->n + i];
    switch (part) {
    case PART_TOTAL: return (double)effect->total;
    case PART_DIRECT: return (double)effect->direct;
    case PART_WRONG: return (double)effect->wrong - (double)result->clean[i].wrong;
    default: return (double)effect->strict - (double)result->clean[i].strict;
    }
}

/* Mean over the positions that do not choose, with its interval by game. */
static int scored(Interval *out, const AblationResult *result, const AblationPositions *positions,
                  size_t set, EffectPart part, uint64_t seed)
{
    size_t games = positions->n_games;
    double *sums = mem_calloc(2 * games, sizeof(*sums), "effects by game");
    for (size_t i = 0; sums && i < result->n; i++) {
        if (!chooses(positions, i)) {
            sums[positions->at[i].game] += part_of(result, set, i, part);
            sums[games + positions->at[i].game]++;
        }
    }
    *out = sums ? bootstrap_ratio(sums, sums + games, games, seed) : (Interval){NAN, NAN, NAN};
    mem_free(sums);
    return sums ? 0 : OGPT_ENOMEM;
}

/* Mean over sets 1 .. draws of their means where nothing is chosen; the range of 95 %. */
static int spread(Interval *out, const AblationResult *result, const AblationPositions *positions,
                  EffectPart part)
{
    size_t draws = result->n_sets - 1, n = 0;
    double *means = mem_calloc(draws + 1, sizeof(*means), "means of groups");
    if (!means) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < result->n; i++) {
        n += !chooses(positions, i);
        for (size_t set = 1; set <= draws && !chooses(positions, i); set++) {
            means[set] += part_of(result, set, i, part);
        }
    }
    double sum = 0.0;
    for (size_t set = 1; set <= draws; set++) {
        sum += means[set];
    }
    bootstrap_quantiles(out, means + 1, draws);
    out->value = sum / (double)(draws * n);
    out->low /= (double)n;
    out->high /= (double)n;
    mem_free(means);
    return 0;
}

/* out->chosen, the units of largest mean |TE| where units are chosen, and out->least. */
static int choose(AblationGroups *out, size_t *least, const AblationInputs *in,
                  const AblationSingles *singles)
{
    const AblationResult *result = singles->result;
    double *score = mem_calloc(2 * singles->n, sizeof(*score), "strength of units");
    out->chosen = mem_alloc(out->size, sizeof(*out->chosen), "a group of units");
    if (!score || !out->chosen) {
        mem_free(score);
        return OGPT_ENOMEM;
    }
    *least = 0;
    for (size_t u = 0; u < singles->n; u++) {
        size_t set = singles->first + u * singles->step;
        for (size_t i = 0; i < result->n; i++) {
            if (chooses(in->positions, i)) {
                score[u] += fabs(part_of(result, set, i, PART_TOTAL));
                score[singles->n + u] += part_of(result, set, i, PART_DIRECT);
            }
        }
        *least = fabs(score[singles->n + u]) < fabs(score[singles->n + *least]) ? u : *least;
    }
    for (size_t k = 0; k < out->size; k++) {
        size_t best = 0;
        for (size_t u = 1; u < singles->n; u++) {
            best = score[u] > score[best] ? u : best;
        }
        out->chosen[k] = singles->units[best];
        score[best] = -1.0;
    }
    out->least = singles->units[*least];
    mem_free(score);
    return 0;
}

/* units (draws, size): group g is a function of (seed, g). */
static void draw_groups(AblationUnit *units, size_t *order, const AblationSingles *singles,
                        size_t size, size_t draws, uint64_t seed)
{
    for (size_t g = 0; g < draws; g++) {
        Rng rng = ablation__rng(seed, ABLATION_DRAW_GROUP, g);
        for (size_t u = 0; u < singles->n; u++) {
            order[u] = u;
        }
        for (size_t k = 0; k < size; k++) {
            size_t j = k + rng_below(&rng, (uint32_t)(singles->n - k)), swap = order[j];
            order[j] = order[k];
            order[k] = swap;
            units[g * size + k] = singles->units[swap];
        }
    }
}

static int score_groups(AblationGroups *out, const AblationResult *result, const AblationInputs *in,
                        uint64_t seed)
{
    const AblationPositions *positions = in->positions;
    int rc = scored(&out->total, result, positions, 0, PART_TOTAL, seed);
    rc = rc ? rc : scored(&out->wrong, result, positions, 0, PART_WRONG, seed);
    rc = rc ? rc : scored(&out->strict, result, positions, 0, PART_STRICT, seed);
    rc = rc ? rc : spread(&out->random_total, result, positions, PART_TOTAL);
    rc = rc ? rc : spread(&out->random_wrong, result, positions, PART_WRONG);
    return rc ? rc : spread(&out->random_strict, result, positions, PART_STRICT);
}

int ablation_groups(AblationGroups *out, const AblationInputs *in, const AblationSingles *singles,
                    size_t size, size_t draws, const Work *work)
{
    AblationResult result = {0};
    AblationUnit *units = NULL;
    AblationSet *sets = NULL;
    size_t *order = NULL, least = 0;
    *out = (AblationGroups){.size = size, .draws = draws};
    if (size == 0 || size >= singles->n || draws == 0) {
        return err_set(OGPT_EUSAGE, "a group of %zu units, expected 1 to %zu", size,
                       singles->n - 1);
    }
    units = mem_alloc(draws * size, sizeof(*units), "random groups");
    sets = mem_alloc(draws + 1, sizeof(*sets), "random groups");
    order = mem_alloc(singles->n, sizeof(*order), "random groups");
    int rc = units && sets && order ? choose(out, &least, in, singles) : OGPT_ENOMEM;
    if (rc == 0) {
        draw_groups(units, order, singles, size, draws, work->seed);
        sets[0] = (AblationSet){out->chosen, size, singles->kind, false};
        for (size_t g = 0; g < draws; g++) {
            sets[g + 1] = (AblationSet){units + g * size, size, singles->kind, false};
        }
        char name[48];
        snprintf(name, sizeof(name), "groups of %s",
                 ablation_unit_kind_name(singles->units[0].kind));
        rc = ablation_run(&result, in, sets, draws + 1, name, work);
    }
    rc = rc ? rc : score_groups(out, &result, in, work->seed);
    size_t set = singles->first + least * singles->step;
    rc = rc ? rc
            : scored(&out->least_direct, singles->result, in->positions, set, PART_DIRECT,
                     work->seed);
    rc =
        rc ? rc
           : scored(&out->least_total, singles->result, in->positions, set, PART_TOTAL, work->seed);
    ablation_release(&result);
    mem_free(units);
    mem_free(sets);
    mem_free(order);
    if (rc != 0) {
        ablation_groups_release(out);
    }
    return rc;
}

void ablation_groups_release(AblationGroups *groups)
{
    mem_free(groups->chosen);
    *groups = (AblationGroups){0};
}

/* ---- pairs ---- */

typedef struct PairSums {
    const AblationPositions *positions;
    const AblationResult *alone, *both;
    AblationDraws draws;
    double *counts, *sums; /* (n_games), (4, n_games) */
} PairSums;

static void add_pair(AblationPair *out, const PairSums *s, size_t a, size_t b, size_t pair)
{
    size_t games = s->positions->n_games, n = s->both->n;
    memset(s->sums, 0, 4 * games * sizeof(*s->sums));
    for (size_t i = 0; i < n; i++) {
        double *game = s->sums + s->positions->at[i].game;
        double first = part_of(s->alone, a, i, PART_TOTAL);
        double second = part_of(s->alone, b, i, PART_TOTAL);
        double total = part_of(s->both, pair, i, PART_TOTAL);
        game[0] += total;
        game[games] += total - first - second;
        game[2 * games] += fabs(total - first) - fabs(second);
        game[3 * games] += fabs(total - second) - fabs(first);
    }
    out->total = ablation_draws_ratio(&s->draws, s->sums, s->counts);
    out->extra = ablation_draws_ratio(&s->draws, s->sums + games, s->counts);
    out->b_after_a = ablation_draws_ratio(&s->draws, s->sums + 2 * games, s->counts);
    out->a_after_b = ablation_draws_ratio(&s->draws, s->sums + 3 * games, s->counts);
}

static int add_pairs(AblationPairs *out, const AblationResult *alone, const AblationResult *both,
                     const AblationPositions *positions, size_t n, uint64_t seed)
{
    PairSums s = {.positions = positions, .alone = alone, .both = both};
    int rc = ablation_draws_init(&s.draws, positions->n_games, seed);
    s.counts = mem_calloc(positions->n_games, sizeof(double), "positions by game");
    s.sums = mem_alloc(4 * positions->n_games, sizeof(double), "effects by game");
    rc = rc ? rc : s.counts && s.sums ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < positions->n && rc == 0; i++) {
        s.counts[positions->at[i].game]++;
    }
    size_t pair = 0;
    for (size_t a = 0; a < n && rc == 0; a++) {
        for (size_t b = a + 1; b < n; b++) {
            add_pair(&out->pairs[pair], &s, a, b, pair);
            pair++;
        }
    }
    ablation_draws_release(&s.draws);
    mem_free(s.counts);
    mem_free(s.sums);
    return rc;
}

int ablation_pairs(AblationPairs *out, const AblationInputs *in, const AblationUnit *units,
                   size_t n, AblationKind kind, const Work *work)
{
    AblationResult alone = {0}, both = {0};
    size_t n_pairs = n * (n - 1) / 2, at = 0;
    AblationUnit *members = mem_alloc(2 * n_pairs, sizeof(*members), "pairs of units");
    AblationSet *sets = mem_alloc(n_pairs + n, sizeof(*sets), "pairs of units");
    *out = (AblationPairs){.n = n_pairs, .n_positions = in->positions->n};
    out->pairs = mem_calloc(n_pairs, sizeof(*out->pairs), "pairs of units");
    int rc = members && sets && out->pairs ? 0 : OGPT_ENOMEM;
    for (size_t a = 0; a < n && rc == 0; a++) {
        sets[n_pairs + a] = (AblationSet){&units[a], 1, kind, false};
        for (size_t b = a + 1; b < n; b++) {
            members[2 * at] = out->pairs[at].a = units[a];
            members[2 * at + 1] = out->pairs[at].b = units[b];
            sets[at] = (AblationSet){members + 2 * at, 2, kind, false};
            at++;
        }
    }
    rc = rc ? rc : ablation_run(&alone, in, sets + n_pairs, n, "heads of pairs", work);
    rc = rc ? rc : ablation_run(&both, in, sets, n_pairs, "pairs", work);
    rc = rc ? rc : add_pairs(out, &alone, &both, in->positions, n, work->seed);
    out->identity_error = fmax(alone.identity_error, both.identity_error);
    ablation_release(&alone);
    ablation_release(&both);
    mem_free(members);
    mem_free(sets);
    if (rc != 0) {
        ablation_pairs_release(out);
    }
    return rc;
}

void ablation_pairs_release(AblationPairs *pairs)
{
    mem_free(pairs->pairs);
    *pairs = (AblationPairs){0};
}
