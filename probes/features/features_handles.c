/* probes/features/features_handles.c - see probes/features/features_handles.h. */
#include "probes/features/features_handles.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/features/features_inputs.h"
#include "probes/features/features_values.h"

/* ---- which features ---- */

typedef struct FeaturesLevels {
    FeaturesHandles *out;
    const float *values; /* (features, n) */
    uint8_t *levels;     /* the same */
    size_t n;
} FeaturesLevels;

/* One feature: its levels, and its mean where it is on. */
static int set_levels(void *context, size_t j, size_t worker)
{
    const FeaturesLevels *making = context;
    const float *values = making->values + j * making->n;
    uint8_t *levels = making->levels + j * making->n;
    float largest = 0;
    double sum = 0;
    size_t on = 0;
    for (size_t i = 0; i < making->n; i++) {
        largest = values[i] > largest ? values[i] : largest;
        on += values[i] > 0;
        sum += values[i] > 0 ? (double)values[i] : 0;
    }
    for (size_t i = 0; i < making->n; i++) {
        levels[i] = coverage_level(values[i], largest);
    }
    making->out->mean_on[j] = on > 0 ? (float)(sum / (double)on) : 0;
    return 0;
}

static int rank_features(FeaturesHandles *out, const uint8_t *levels, const CodebookRows *rows,
                         const Work *work)
{
    CoverageCounts own = {0}, other = {0};
    CoverageRows others = rows->board;
    others.labels = rows->other;
    int rc = coverage_count(&own, levels, out->sae->cfg.features, &rows->board, work);
    rc = rc ? rc : coverage_count(&other, levels, out->sae->cfg.features, &others, work);
    rc = rc ? rc : coverage_rank(&out->rank, &own, &other, FEATURES_HANDLES_MOST);
    coverage_counts_release(&own);
    coverage_counts_release(&other);
    return rc;
}

int features_handles_make(FeaturesHandles *out, const Sae *sae, const CodebookRows *rows,
                          const Work *work)
{
    const size_t m = sae->cfg.features, n = rows->board.n;
    const Work quiet = work_quiet(work);
    Codebook codebook;
    *out = (FeaturesHandles){.sae = sae, .n_games = rows->board.n_games, .n_positions = n};
    codebook_of_sae(&codebook, sae, "the autoencoder", 0);
    float *values = mem_alloc(m * n, sizeof(*values), "values of features");
    uint8_t *levels = mem_alloc(m, n, "levels of features");
    FeaturesLevels making = {out, values, levels, n};
    out->mean_on = mem_alloc(m, sizeof(*out->mean_on), "means of features");
    int rc = values && levels && out->mean_on ? features_values(values, &codebook, rows, &quiet)
                                              : OGPT_ENOMEM;
    rc = rc ? rc : pool_run(work->pool, m, set_levels, &making);
    rc = rc ? rc : rank_features(out, levels, rows, &quiet);
    mem_free(values);
    mem_free(levels);
    return rc;
}

void features_handles_release(FeaturesHandles *handles)
{
    coverage_rank_release(&handles->rank);
    mem_free(handles->mean_on);
    *handles = (FeaturesHandles){0};
}

size_t features_handles_choose_bytes(const Sae *sae, const FeaturesGames *games)
{
    const size_t m = sae->cfg.features, n = games->n * (size_t)games->gpt->cfg.n_ctx;
    return features_set_bytes(n, sae->cfg.d_in) + m * n * (sizeof(float) + 1) +
           m * 2 * COVERAGE_THRESHOLDS * COVERAGE_PAIRS * sizeof(uint32_t);
}

int features_handles_choose(FeaturesHandles *out, const Sae *sae, const FeaturesGames *games,
                            const Work *work)
{
    FeaturesSet set = {0};
    int rc = codebook_inputs_draw_set(&set.set, games->variant, games->corpus, SPLIT_VALIDATION,
                                      games->n, 0, work);
    rc = rc ? rc : features_set_read(&set, games->gpt, sae->cfg.site, sae->cfg.layer, work);
    rc = rc ? rc : features_handles_make(out, sae, &set.rows, work);
    features_set_release(&set);
    return rc;
}

void features_handles_hash(Sha256 *hash, const FeaturesHandles *handles)
{
    const CoverageRank *rank = &handles->rank;
    if (!handles->sae) {
        return;
    }
    const SaeConfig *cfg = &handles->sae->cfg;
    sha256_add(hash, rank->n, sizeof(rank->n));
    sha256_add(hash, rank->features, COVERAGE_PAIRS * rank->most * sizeof(*rank->features));
    sha256_add(hash, handles->mean_on, cfg->features * sizeof(float));
    sae_hash(hash, handles->sae);
}

/* ---- clamping ---- */

enum { STATE_OLD = 1, STATE_NEW = 2, STATE_BOTH = STATE_OLD | STATE_NEW };

typedef struct FeaturesClamped {
    const FeaturesHandles *handles;
    size_t per_state;
    float *change;
    const float *f;
    float *states; /* (features) sums of STATE_OLD and STATE_NEW; zeros before and after */
} FeaturesClamped;

static void mark(const FeaturesClamped *clamped, int square, int class, int state)
{
    size_t n;
    const uint32_t *ranked =
        coverage_ranked(&n, &clamped->handles->rank, square, class, clamped->per_state);
    for (size_t i = 0; i < n; i++) {
        float *states = &clamped->states[ranked[i]];
        *states = (float)((int)*states | state);
    }
}

/* Every feature of a state once: its mark is taken away. */
static void clamp(const FeaturesClamped *clamped, int square, int class)
{
    const Sae *sae = clamped->handles->sae;
    const size_t width = sae->cfg.d_out;
    size_t n;
    const uint32_t *ranked =
        coverage_ranked(&n, &clamped->handles->rank, square, class, clamped->per_state);
    for (size_t i = 0; i < n; i++) {
        const size_t j = ranked[i];
        const int state = (int)clamped->states[j];
        const float *column = sae->w_dec + j * width;
        const float goal = state == STATE_NEW ? clamped->handles->mean_on[j] : 0;
        const float amount = state == 0 || state == STATE_BOTH ? 0 : goal - clamped->f[j];
        for (size_t c = 0; c < width && amount != 0; c++) {
            clamped->change[c] += amount * column[c];
        }
        clamped->states[j] = 0;
    }
}

/* scratch (2, features) */
static void move(const void *self, float *change, float *scratch, const float *x,
                 const BoardMoves *moves, int features)
{
    const FeaturesHandles *handles = self;
    const SaeConfig *cfg = &handles->sae->cfg;
    const FeaturesClamped clamped = {handles, (size_t)features, change, scratch,
                                     scratch + cfg->features};
    sae_encode(handles->sae, x, 1, scratch);
    memset(clamped.states, 0, cfg->features * sizeof(float));
    memset(change, 0, cfg->d_out * sizeof(float));
    for (int i = 0; i < moves->n; i++) {
        mark(&clamped, moves->squares[i], moves->from[i], STATE_OLD);
        mark(&clamped, moves->squares[i], moves->to[i], STATE_NEW);
    }
    for (int i = 0; i < moves->n; i++) {
        clamp(&clamped, moves->squares[i], moves->from[i]);
        clamp(&clamped, moves->squares[i], moves->to[i]);
    }
}

void features_handles_directions(BoardDirections *out, BoardMover *mover,
                                 const FeaturesHandles *handles, const GameVariant *variant)
{
    const SaeConfig *cfg = &handles->sae->cfg;
    *mover = (BoardMover){
        .self = handles, .scratch = 2 * cfg->features, .most = FEATURES_HANDLES_MOST, .move = move};
    *out = (BoardDirections){.mover = mover,
                             .terms = direction_terms_mine(variant, "mover"),
                             .site = cfg->site,
                             .width = cfg->d_in,
                             .n_layers = 1,
                             .layers = {cfg->layer},
                             .fitted = {true}};
}

/* ---- vectors ---- */

/* Adds the features of a state; returns how many. */
static size_t add_state(float *out, const FeaturesHandles *handles,
                        const FeaturesSteering *steering, int square, int class)
{
    const size_t width = handles->sae->cfg.d_out;
    const double share = steer_shares(steering->target)[class];
    size_t n, used = 0;
    const uint32_t *ranked =
        coverage_ranked(&n, &handles->rank, square, class, steering->per_state);
    for (size_t i = 0; i < n && share != 0; i++) {
        const size_t j = ranked[i];
        const double amount = share * handles->mean_on[j];
        if (steering->chosen && !steering->chosen[j]) {
            continue;
        }
        for (size_t c = 0; c < width; c++) {
            out[c] += (float)(amount * handles->sae->w_dec[j * width + c]);
        }
        used++;
    }
    return used;
}

int features_handles_bank(SteerBank *out, uint64_t *groups, const FeaturesHandles *handles,
                          const GptConfig *cfg, const FeaturesSteering *steering)
{
    const GameVariant *variant = steering->variant;
    const size_t n_groups = steer_groups(steering->target, variant);
    int rc = steer_bank_new(out, handles->sae->cfg.site, cfg, n_groups);
    *groups = 0;
    for (size_t g = 0; g < n_groups && rc == 0; g++) {
        float *vector = steer_bank_at(out, handles->sae->cfg.layer, g);
        size_t used = 0;
        for (uint64_t rest = steer_group(steering->target, variant, g); rest; rest &= rest - 1) {
            const int square = (int)steer_group_of_square(variant, __builtin_ctzll(rest));
            for (int class = 0; class < COVERAGE_CLASSES; class ++) {
                used += add_state(vector, handles, steering, square, class);
            }
        }
        *groups |= (uint64_t)(used > 0) << g;
    }
    if (rc == 0 && (*groups & steering->groups) == 0) {
        rc = err_set(OGPT_EUSAGE, "none of the features tells a square that is steered; take other "
                                  "--features, or more --per-state");
    }
    return rc;
}
