/* probes/steering/steer_bank.c - see probes/steering/steer_bank.h. */
#include "probes/steering/steer_bank.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "num/vectors.h"
#include "probes/activations/activations.h"
#include "probes/board/direction_set.h"

/* Draws of the permutation; groups and positions have others. */
#define PERMUTATION_STREAM (1ULL << 61)

const char *steer_origin_name(SteerOrigin origin)
{
    static const char *const names[N_STEER_ORIGINS] = {
#define STEER_NAME(id, name) [id] = name,
        STEER_ORIGINS(STEER_NAME)};
    return names[origin];
}

bool steer_in_stream(HookSite site)
{
    return hook_site_serves(site, HOOK_USE_STREAM) || site == HOOK_ATTN_OUT || site == HOOK_MLP_OUT;
}

/* ---- banks ---- */

int steer_bank_new(SteerBank *out, HookSite site, const GptConfig *cfg, size_t n_groups)
{
    *out = (SteerBank){.site = site,
                       .n_layers = (size_t)cfg->n_layers,
                       .n_groups = n_groups,
                       .width = hook_width(cfg, site, (size_t)cfg->n_ctx)};
    out->vectors =
        mem_calloc(out->n_layers * n_groups * out->width, sizeof(float), "steering vectors");
    return out->vectors ? 0 : OGPT_ENOMEM;
}

void steer_bank_release(SteerBank *bank)
{
    mem_free(bank->vectors);
    *bank = (SteerBank){0};
}

/* An empty bank of the same shape. */
static int bank_like(SteerBank *out, const SteerBank *like)
{
    *out = *like;
    out->vectors = mem_calloc(like->n_layers * like->n_groups * like->width, sizeof(float),
                              "steering vectors");
    return out->vectors ? 0 : OGPT_ENOMEM;
}

int steer_bank_copy(SteerBank *out, const SteerBank *of)
{
    int rc = bank_like(out, of);
    if (rc == 0) {
        memcpy(out->vectors, of->vectors, of->n_layers * of->n_groups * of->width * sizeof(float));
    }
    return rc;
}

float *steer_bank_at(const SteerBank *bank, int layer, size_t group)
{
    return bank->vectors + ((size_t)layer * bank->n_groups + group) * bank->width;
}

double steer_bank_norm(const SteerBank *bank, int layer, size_t group)
{
    return vector_length(steer_bank_at(bank, layer, group), bank->width);
}

void steer_bank_unit(float *out, const SteerBank *bank, int layer, size_t group)
{
    memcpy(out, steer_bank_at(bank, layer, group), bank->width * sizeof(*out));
    vector_unit(out, bank->width);
}

/* ---- labelled positions ---- */

static void visit_labels(void *context, const TaskPosition *position, size_t index)
{
    const SteerFit *fit = context;
    for (size_t g = 0; g < fit->n_groups; g++) {
        fit->labels[index * fit->n_groups + g] =
            (uint8_t)steer_class(fit->target, position->variant, g, &position->after[position->t]);
    }
}

/* Positions of one ply lend each other their labels, round a circle that is turned by a draw. A
 * game has one position at a ply, so the lender is another game. */
static int shuffle_labels(SteerFit *fit, uint64_t seed)
{
    const size_t n = fit->set.n_positions;
    uint32_t *alike = mem_alloc(n, sizeof(*alike), "positions of a ply");
    if (!alike) {
        return OGPT_ENOMEM;
    }
    for (int t = 0; t < GAME_MAX_MOVES; t++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if (fit->set.t[i] == t) {
                alike[m++] = (uint32_t)i;
            }
        }
        Rng rng = rng_at(seed, RNG_SHUFFLE, (uint64_t)t);
        const size_t turn = m > 1 ? 1 + rng_below(&rng, (uint32_t)m - 1) : 0;
        for (size_t i = 0; i < m; i++) {
            fit->shuffle[alike[i]] = alike[(i + turn) % m];
        }
    }
    mem_free(alike);
    return 0;
}

static int count_classes(SteerFit *fit)
{
    const GameVariant *variant = fit->set.vocab->variant;
    fit->least = fit->set.n_positions;
    for (size_t g = 0; g < fit->n_groups; g++) {
        size_t n[3] = {0};
        char name[STEER_GROUP_NAME];
        if (!steer_group_steered(fit->target, variant, g)) {
            continue;
        }
        for (size_t i = 0; i < fit->set.n_positions; i++) {
            n[fit->labels[i * fit->n_groups + g]]++;
        }
        const size_t rarer = n[STEER_FROM] < n[STEER_TO] ? n[STEER_FROM] : n[STEER_TO];
        fit->least = rarer < fit->least ? rarer : fit->least;
        steer_group_name(name, fit->target, variant, g);
        if (rarer == 0) {
            return err_set(OGPT_EFORMAT,
                           "%s: of %zu positions %zu have the property and %zu lack it; take more "
                           "games or positions to fit on",
                           name, fit->set.n_positions, n[STEER_TO], n[STEER_FROM]);
        }
    }
    return 0;
}

int steer_fit_draw(SteerFit *out, GameSource *source, SteerTarget target, size_t n_games, int plies,
                   const Work *work)
{
    *out = (SteerFit){.target = target, .n_groups = steer_groups(target, source_variant(source))};
    int rc = positions_draw(&out->set, source, n_games, plies, work);
    if (rc == 0) {
        out->labels = mem_calloc(out->set.n_positions * out->n_groups, 1, "labels");
        out->shuffle = mem_alloc(out->set.n_positions, sizeof(*out->shuffle), "lent labels");
        rc = out->labels && out->shuffle ? 0 : OGPT_ENOMEM;
    }
    rc = rc ? rc : positions_visit(&out->set, LABELS_MOVER, visit_labels, out, work);
    rc = rc ? rc : shuffle_labels(out, work->seed);
    rc = rc ? rc : count_classes(out);
    if (rc) {
        steer_fit_release(out);
    }
    return rc;
}

void steer_fit_release(SteerFit *fit)
{
    positions_release(&fit->set);
    mem_free(fit->labels);
    mem_free(fit->shuffle);
    *fit = (SteerFit){0};
}

/* ---- means ---- */

typedef struct Meaning {
    SteerBank *banks[2][3]; /* by own labels and by lent ones, by class; NULL: not wanted */
    const SteerFit *fit;
    int layer;
    const float *rows;
    double *sums; /* (n_groups, width) of the bank at work: */
    SteerClass class;
    bool lent;
    const Work *work;
} Meaning;

/* One group: its positions in their order, so that the sum is the same on any worker. */
static int mean_of_group(void *context, size_t group, size_t worker)
{
    const Meaning *meaning = context;
    const SteerFit *fit = meaning->fit;
    const SteerBank *bank = meaning->banks[meaning->lent][meaning->class];
    const size_t width = bank->width;
    double *sum = meaning->sums + group * width;
    size_t n = 0;
    memset(sum, 0, width * sizeof(*sum));
    for (size_t i = 0; i < fit->set.n_positions; i++) {
        const size_t from = meaning->lent ? fit->shuffle[i] : i;
        if (fit->labels[from * fit->n_groups + group] != meaning->class) {
            continue;
        }
        const float *row = meaning->rows + i * width;
        for (size_t c = 0; c < width; c++) {
            sum[c] += (double)row[c];
        }
        n++;
    }
    float *out = steer_bank_at(bank, meaning->layer, group);
    for (size_t c = 0; c < width && n > 0; c++) {
        out[c] = (float)(sum[c] / (double)n);
    }
    return 0;
}

static int visit_layer(void *context, int index, const float *rows)
{
    Meaning *meaning = context;
    int rc = 0;
    meaning->layer = index;
    meaning->rows = rows;
    for (int i = 0; i < 4 && rc == 0; i++) {
        meaning->lent = i / 2 == 1;
        meaning->class = i % 2 ? STEER_TO : STEER_FROM;
        if (meaning->banks[meaning->lent][meaning->class]) {
            rc = pool_run(meaning->work->pool, meaning->fit->n_groups, mean_of_group, meaning);
        }
    }
    return rc;
}

/* The games go through the network once for all banks. */
static int fill_means(Meaning *meaning, const Gpt *gpt, HookSite site)
{
    int layers[LAYERS_MAX], rc = 0;
    const SiteLayers where = {site, layers, gpt->cfg.n_layers};
    const SteerFit *fit = meaning->fit;
    const size_t width = hook_width(&gpt->cfg, site, (size_t)gpt->cfg.n_ctx);
    for (int l = 0; l < gpt->cfg.n_layers; l++) {
        layers[l] = l;
    }
    for (int i = 0; i < 4 && rc == 0; i++) {
        SteerBank *bank = meaning->banks[i / 2][i % 2 ? STEER_TO : STEER_FROM];
        rc = bank ? steer_bank_new(bank, site, &gpt->cfg, fit->n_groups) : 0;
    }
    if (rc == 0) {
        meaning->sums = mem_alloc(fit->n_groups * width, sizeof(double), "sums of rows");
        rc = meaning->sums
                 ? activations_visit(&fit->set, gpt, &where, visit_layer, meaning, meaning->work)
                 : OGPT_ENOMEM;
    }
    mem_free(meaning->sums);
    return rc;
}

int steer_bank_means(SteerBank *from, SteerBank *to, const Gpt *gpt, const SteerFit *fit,
                     HookSite site, const Work *work)
{
    Meaning meaning = {.banks = {{NULL, from, to}}, .fit = fit, .work = work};
    return fill_means(&meaning, gpt, site);
}

int steer_bank_differences(SteerBank *own, SteerBank *lent, const Gpt *gpt, const SteerFit *fit,
                           HookSite site, const Work *work)
{
    SteerBank from = {0}, to = {0}, lent_from = {0}, lent_to = {0};
    Meaning meaning = {
        .banks = {{NULL, &from, &to}, {NULL, &lent_from, &lent_to}}, .fit = fit, .work = work};
    int rc = fill_means(&meaning, gpt, site);
    rc = rc ? rc : steer_bank_difference(own, &to, &from);
    rc = rc ? rc : steer_bank_difference(lent, &lent_to, &lent_from);
    steer_bank_release(&from);
    steer_bank_release(&to);
    steer_bank_release(&lent_from);
    steer_bank_release(&lent_to);
    return rc;
}

int steer_bank_difference(SteerBank *out, const SteerBank *to, const SteerBank *from)
{
    int rc = bank_like(out, to);
    for (size_t i = 0; i < to->n_layers * to->n_groups * to->width && rc == 0; i++) {
        out->vectors[i] = to->vectors[i] - from->vectors[i];
    }
    return rc;
}

/* ---- of a probe ---- */

/* out += weight of TO minus weight of FROM on a square, at length 1, in the classes empty, theirs,
 * mine. one (d_model): scratch. */
static void add_square(double *out, double *one, const Probe *probe, int at, int square,
                       SteerTarget target)
{
    const double *shares = steer_shares(target);
    const size_t step = (size_t)(probe->n_squares * probe->n_classes);
    double length = 0;
    memset(one, 0, (size_t)probe->d_model * sizeof(*one));
    for (int k = 0; k < 3; k++) {
        const int class = probe_class(probe, k == 0 ? "empty" : k == 1 ? "theirs" : "mine");
        const float *weight = probe->weight[at] + square * probe->n_classes + class;
        for (int c = 0; c < probe->d_model; c++) {
            one[c] += shares[k] * (double)weight[(size_t)c * step];
        }
    }
    for (int c = 0; c < probe->d_model; c++) {
        length += one[c] * one[c];
    }
    for (int c = 0; c < probe->d_model && length > 0; c++) {
        out[c] += one[c] / sqrt(length);
    }
}

/* scratch (2 * d_model) */
static void probe_vector(float *out, double *scratch, const Probe *probe, int at,
                         const float *means, uint64_t squares, SteerTarget target)
{
    const GameVariant *variant = game_variant(probe->size);
    double *sum = scratch, length = 0, along = 0;
    memset(sum, 0, (size_t)probe->d_model * sizeof(*sum));
    for (uint64_t rest = squares; rest != 0; rest &= rest - 1) {
        const size_t square = steer_group_of_square(variant, __builtin_ctzll(rest));
        add_square(sum, scratch + probe->d_model, probe, at, (int)square, target);
    }
    for (int c = 0; c < probe->d_model; c++) {
        length += sum[c] * sum[c];
        along += sum[c] * (double)means[c];
    }
    for (int c = 0; c < probe->d_model && length > 0; c++) {
        out[c] = (float)(sum[c] / length * fabs(along));
    }
}

int steer_bank_check_probe(const Probe *probe, const char *path, HookSite site)
{
    int rc = probe_check_mine_at(probe, path, site, true);
    if (rc == 0 && (probe->n_layers == 0 || probe->layers[probe->n_layers - 1] < 0)) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: the probe has no direction in any block, only of the embedding; fit one "
                     "with --layers all",
                     path);
    }
    return rc;
}

int steer_bank_probe(SteerBank *out, const Probe *probe, const SteerBank *means, SteerTarget target,
                     const GameVariant *variant)
{
    double *sum = mem_alloc(2 * means->width, sizeof(*sum), "a direction");
    int rc = sum ? bank_like(out, means) : OGPT_ENOMEM;
    for (size_t l = 0; l < means->n_layers && rc == 0; l++) {
        const int at = probe_layer_index(probe, (int)l);
        for (size_t g = 0; g < means->n_groups && at >= 0 && probe->fitted[at]; g++) {
            probe_vector(steer_bank_at(out, (int)l, g), sum, probe, at,
                         steer_bank_at(means, (int)l, g), steer_group(target, variant, g), target);
        }
    }
    mem_free(sum);
    return rc;
}

/* ---- controls ---- */

void steer_bank_scale(SteerBank *bank, const SteerBank *as_long)
{
    for (size_t i = 0; i < bank->n_layers * bank->n_groups; i++) {
        float *v = bank->vectors + i * bank->width;
        const double length = vector_length(v, bank->width);
        const double wanted = vector_length(as_long->vectors + i * bank->width, bank->width);
        for (size_t c = 0; c < bank->width; c++) {
            v[c] = length > 0 ? (float)(v[c] * (wanted / length)) : 0;
        }
    }
}

int steer_bank_random(SteerBank *out, const SteerBank *as_long, uint64_t seed)
{
    int rc = bank_like(out, as_long);
    for (size_t l = 0; l < out->n_layers && rc == 0; l++) {
        for (size_t g = 0; g < out->n_groups; g++) {
            direction_random(steer_bank_at(out, (int)l, g), out->width, seed, g);
        }
    }
    if (rc == 0) {
        steer_bank_scale(out, as_long);
    }
    return rc;
}

int steer_bank_permuted(SteerBank *out, const SteerBank *of, uint64_t seed)
{
    const size_t width = of->width;
    int rc = bank_like(out, of);
    for (size_t c = 0; c < width && rc == 0; c++) {
        Rng rng = rng_at(seed, RNG_STEER, PERMUTATION_STREAM | c);
        const float sign = rng_below(&rng, 2) ? 1.0F : -1.0F;
        const size_t from = (size_t)rng_permute(seed, RNG_STEER, PERMUTATION_STREAM, c, width);
        for (size_t i = 0; i < of->n_layers * of->n_groups; i++) {
            out->vectors[i * width + c] = sign * of->vectors[i * width + from];
        }
    }
    return rc;
}
