/* probes/features/features_look.c - see probes/features/features_look.h. */
#include "probes/features/features_look.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/features/features_clamp.h"

/* Draws of positions; training has streams below it. */
#define FEATURES_STREAM (1ULL << 61)

typedef struct FeaturesLooker {
    const FeaturesLookInput *in;
    FeaturesSight *sights; /* (n_test) without a value */
} FeaturesLooker;

const char *features_clamp_where(FeaturesClampKind kind)
{
    static const char *const names[] = {
#define FEATURES_WHERE(id, where, value) [id] = where,
        FEATURES_CLAMPS(FEATURES_WHERE)};
    return names[kind];
}

const char *features_clamp_value(FeaturesClampKind kind)
{
    static const char *const names[] = {
#define FEATURES_VALUE(id, where, value) [id] = value,
        FEATURES_CLAMPS(FEATURES_VALUE)};
    return names[kind];
}

/* ---- positions ---- */

static void visit_sight(void *context, const TaskPosition *position, size_t index)
{
    const FeaturesLooker *looker = context;
    const int t = position->t;
    const Board before = task_board_before(position);
    FeaturesSight *sight = &looker->sights[index];
    sight->position = (uint32_t)index;
    sight->n_moves = t + 1;
    sight->last = position->moves[t];
    sight->board = position->after[t];
    sight->turned = board_flips(position->variant, &before, position->moves[t]);
}

static int looker_open(FeaturesLooker *looker, const Work *work)
{
    const PositionSet *test = looker->in->test;
    looker->sights = mem_calloc(test->n_positions, sizeof(*looker->sights), "positions to show");
    for (size_t g = 0; looker->sights && g < test->n_games; g++) {
        for (size_t i = test->first[g]; i < test->first[g + 1]; i++) {
            looker->sights[i].game = (uint32_t)g;
        }
    }
    return looker->sights ? positions_visit(test, LABELS_MOVER, visit_sight, looker, work)
                          : OGPT_ENOMEM;
}

/* ---- what is shown ---- */

/* The best position of each game competes for a place; of equal values the first stays ahead. */
static void fill_top(FeaturesLook *out, const FeaturesLooker *looker, const float *values)
{
    const PositionSet *test = looker->in->test;
    for (size_t g = 0; g < test->n_games; g++) {
        size_t best = test->first[g], at = out->n_top;
        for (size_t i = best; i < test->first[g + 1]; i++) {
            best = values[i] > values[best] ? i : best;
        }
        if (best >= test->first[g + 1] || !(values[best] > 0)) {
            continue;
        }
        while (at > 0 && (double)values[best] > out->top[at - 1].value) {
            at--;
        }
        if (at < FEATURES_SHOWN) {
            const size_t kept = out->n_top < FEATURES_SHOWN ? out->n_top : FEATURES_SHOWN - 1;
            memmove(out->top + at + 1, out->top + at, (kept - at) * sizeof(*out->top));
            out->top[at] = looker->sights[best];
            out->top[at].value = (double)values[best];
            out->n_top = kept + 1;
        }
    }
}

/* At most `most` different positions where the feature is on, or where it is off. */
static size_t draw(uint32_t *out, size_t most, const FeaturesLooker *looker, size_t feature,
                   bool on, uint64_t seed)
{
    const size_t n_test = looker->in->test->n_positions;
    const float *values = looker->in->table->values + feature * n_test;
    const uint64_t stream = FEATURES_STREAM | (2 * feature + on);
    size_t n = 0;
    for (size_t k = 0; k < n_test && n < most; k++) {
        const size_t i = (size_t)rng_permute(seed, RNG_SAE, stream, k, n_test);
        if ((values[i] > 0) == on) {
            out[n++] = (uint32_t)i;
        }
    }
    return n;
}

static void fill_drawn(FeaturesLook *out, const FeaturesLooker *looker, const float *values,
                       uint64_t seed)
{
    uint32_t drawn[FEATURES_SHOWN];
    out->n_drawn = draw(drawn, FEATURES_SHOWN, looker, out->feature, true, seed);
    for (size_t k = 0; k < out->n_drawn; k++) {
        out->drawn[k] = looker->sights[drawn[k]];
        out->drawn[k].value = (double)values[drawn[k]];
    }
}

/* ---- clamping ---- */

/* A FeaturesClamp as numbers, for the journal. */
enum { CLAMP_NUMBERS = 8 + BOARD_SQUARES };
typedef double ClampBlock[N_FEATURES_CLAMPS][CLAMP_NUMBERS];

static void block_fill(ClampBlock block, const FeaturesClamp *clamps)
{
    for (int k = 0; k < N_FEATURES_CLAMPS; k++) {
        const FeaturesClamp *one = &clamps[k];
        const double numbers[8] = {
            (double)one->n,    one->wrong,      one->wrong_clean, one->strict,
            one->strict_clean, one->made_legal, one->made_wrong,  one->kl};
        memcpy(block[k], numbers, sizeof(numbers));
        memcpy(block[k] + 8, one->change, sizeof(one->change));
    }
}

static void block_read(FeaturesClamp *clamps, ClampBlock block)
{
    for (int k = 0; k < N_FEATURES_CLAMPS; k++) {
        const double *numbers = block[k];
        FeaturesClamp *one = &clamps[k];
        *one = (FeaturesClamp){.n = (size_t)numbers[0],
                               .wrong = numbers[1],
                               .wrong_clean = numbers[2],
                               .strict = numbers[3],
                               .strict_clean = numbers[4],
                               .made_legal = numbers[5],
                               .made_wrong = numbers[6],
                               .kl = numbers[7]};
        memcpy(one->change, numbers + 8, sizeof(one->change));
    }
}

static int fill_clamps(FeaturesLook *out, const FeaturesLooker *looker, const float *values,
                       const Work *work)
{
    const FeaturesLookInput *in = looker->in;
    const size_t width = hook_width(&in->gpt->cfg, in->site, 0);
    const double mean = in->table->rows[out->feature].mean_on;
    uint32_t *chosen = mem_alloc(2 * in->clamped, sizeof(*chosen), "positions to clamp at");
    FeaturesSight *sights = mem_alloc(2 * in->clamped, sizeof(*sights), "positions to clamp at");
    FeaturesClamping clamping = {.gpt = in->gpt,
                                 .site = in->site,
                                 .layer = in->layer,
                                 .feature = out->feature,
                                 .column = in->columns + out->feature * width,
                                 .mean = isnan(mean) ? 0 : mean,
                                 .set = in->test,
                                 .sights = sights};
    int rc = chosen && sights ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        const size_t on = draw(chosen, in->clamped, looker, out->feature, true, work->seed);
        clamping.n = on + draw(chosen + on, in->clamped, looker, out->feature, false, work->seed);
        for (size_t k = 0; k < clamping.n; k++) {
            sights[k] = looker->sights[chosen[k]];
            sights[k].value = (double)values[chosen[k]];
        }
        rc = features_clamp(out->clamps, &clamping, work);
    }
    mem_free(chosen);
    mem_free(sights);
    return rc;
}

/* The same, as the journal kept it, or computed now and kept. */
static int take_clamps(FeaturesLook *out, const FeaturesLooker *looker, const float *values,
                       const Work *work)
{
    ClampBlock block;
    const size_t n = sizeof(block) / sizeof(double);
    const int kept = work_recall(block[0], work, n, "clamps", out->feature);
    if (kept == 1) {
        block_read(out->clamps, block);
        return 0;
    }
    int rc = kept ? kept : fill_clamps(out, looker, values, work);
    if (rc == 0) {
        block_fill(block, out->clamps);
        rc = work_keep(work, block[0], n, "clamps", out->feature);
    }
    return rc;
}

static int look_make(FeaturesLook *out, const FeaturesLooker *looker, size_t feature,
                     const Work *work)
{
    const float *values = looker->in->table->values + feature * looker->in->test->n_positions;
    *out = (FeaturesLook){.feature = feature};
    fill_top(out, looker, values);
    fill_drawn(out, looker, values, work->seed);
    return looker->in->clamped > 0 ? take_clamps(out, looker, values, work) : 0;
}

int features_looks_make(FeaturesLook *out, const FeaturesLookInput *in, const size_t *features,
                        size_t n, const Work *work)
{
    const Work quiet = work_quiet(work);
    FeaturesLooker looker = {.in = in};
    int rc = looker_open(&looker, &quiet);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = look_make(&out[i], &looker, features[i], &quiet);
        work_tick(work, "looks", (double)(i + 1), (double)n);
    }
    mem_free(looker.sights);
    return rc;
}
