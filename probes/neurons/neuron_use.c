/* probes/neurons/neuron_use.c - see probes/neurons/neuron_use.h. */
#include "probes/neurons/neuron_use.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/ablation/ablation_summary.h"
#include "probes/attribution/attribution_run.h"

static const AttributionOptions by_neuron = {.grain = GRAIN_NEURON};

static int use_allocate(NeuronUse *out, const GptConfig *cfg)
{
    size_t n = (size_t)cfg->n_layers * (size_t)cfg->d_mlp;
    *out = (NeuronUse){.n = n, .correlation = NAN, .ablation_error = NAN};
    out->value = mem_calloc(n, sizeof(double), "attribution of neurons");
    out->magnitude = mem_calloc(n, sizeof(double), "attribution of neurons");
    out->random = mem_calloc(n, sizeof(double), "attribution of neurons");
    out->ablated = mem_calloc(n, 1, "ablation of neurons");
    out->loss = mem_calloc(n, sizeof(Interval), "ablation of neurons");
    out->largest_loss = out->drawn_loss = NAN;
    return out->value && out->magnitude && out->random && out->ablated && out->loss ? 0
                                                                                    : OGPT_ENOMEM;
}

void neuron_use_release(NeuronUse *use)
{
    mem_free(use->value);
    mem_free(use->magnitude);
    mem_free(use->random);
    mem_free(use->ablated);
    mem_free(use->loss);
    *use = (NeuronUse){0};
}

/* ---- attribution ---- */

static int attribute(NeuronUse *out, const Gpt *gpt, GameSource *games,
                     const NeuronUseOptions *options, const Work *work)
{
    AttributionTarget target = {0};
    AttributionPositions positions = {0};
    Attribution found = {0};
    int rc = attribution_target_logits(&target, gpt, TARGET_DELTA, -1);
    if (rc == 0) {
        readout_draw_random(&target.readout, work->seed);
    }
    rc = rc ? rc
            : attribution_positions_draw(&positions, games, options->games, options->plies, work);
    rc = rc ? rc : attribution_aim(&positions, &target, work);
    rc = rc ? rc : attribution_run(&found, gpt, &target, &positions, &by_neuron, work);
    for (int layer = 0; layer < gpt->cfg.n_layers && rc == 0; layer++) {
        size_t M = (size_t)gpt->cfg.d_mlp;
        const AttributionRow *rows = found.rows + component_mlp(&found.list, layer);
        for (size_t k = 0; k < M; k++) {
            size_t at = (size_t)layer * M + k;
            out->value[at] = rows[k].value.value;
            out->magnitude[at] = rows[k].magnitude;
            out->random[at] = rows[k].random_magnitude;
        }
    }
    out->positions = found.n_positions;
    out->identity_error = found.identity_error;
    attribution_release(&found);
    attribution_positions_release(&positions);
    attribution_target_release(&target);
    return rc;
}

/* ---- which are ablated ---- */

static void choose(NeuronUse *use, const NeuronUseOptions *options, uint64_t seed)
{
    Rng rng = rng_at(seed, RNG_NEURONS, UINT64_C(4) << 40);
    size_t n = options->ablated < use->n / 2 ? options->ablated : use->n / 2;
    if (options->neuron >= 0) {
        use->ablated[options->neuron] = NEURON_LARGEST;
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        size_t best = use->n;
        for (size_t k = 0; k < use->n; k++) {
            if (!use->ablated[k] && (best == use->n || use->magnitude[k] > use->magnitude[best])) {
                best = k;
            }
        }
        use->ablated[best] = NEURON_LARGEST;
    }
    for (size_t i = 0; i < n;) {
        size_t k = rng_below(&rng, (uint32_t)use->n);
        if (!use->ablated[k]) {
            use->ablated[k] = NEURON_DRAWN_ANEW;
            i++;
        }
    }
    for (size_t k = 0; k < use->n; k++) {
        use->n_ablated += use->ablated[k] != NEURON_KEPT;
    }
}

/* ---- ablation ---- */

/* What ablations need, all owned. */
typedef struct AblatedNeurons {
    AblationUnit *units;
    AblationSet *sets;
    AblationRow *rows;
    double *attributed, *lost; /* for the rank correlation */
    AblationPositions positions;
    AblationMeans means;
    AblationDonors donors;
    AblationResult result;
} AblatedNeurons;

static int list_sets(AblatedNeurons *a, const NeuronUse *use, const NeuronUseOptions *options,
                     size_t M)
{
    size_t n = use->n_ablated, at = 0;
    a->units = mem_calloc(n, sizeof(*a->units), "neurons to be ablated");
    a->sets = mem_calloc(n, sizeof(*a->sets), "neurons to be ablated");
    a->rows = mem_calloc(n, sizeof(*a->rows), "ablated neurons");
    a->attributed = mem_calloc(n, sizeof(double), "ablated neurons");
    a->lost = mem_calloc(n, sizeof(double), "ablated neurons");
    if (!a->units || !a->sets || !a->rows || !a->attributed || !a->lost) {
        return OGPT_ENOMEM;
    }
    for (size_t k = 0; k < use->n; k++) {
        if (use->ablated[k]) {
            a->units[at] = (AblationUnit){ABLATE_NEURON, (int)(k / M), (int)(k % M)};
            a->sets[at] = (AblationSet){a->units + at, 1, options->kind, false};
            at++;
        }
    }
    return 0;
}

static int replace_values(AblatedNeurons *a, AblationInputs *in, GameSource *training,
                          const NeuronUseOptions *options, const Work *work)
{
    int rc = 0;
    if (options->kind == ABLATION_MEAN) {
        in->means = &a->means;
        return ablation_means_fit(&a->means, in->gpt, training, options->mean_games, work);
    }
    in->donors = &a->donors;
    rc = ablation_donors_open(&a->donors, training, options->mean_games, work);
    return rc ? rc : ablation_donors_assign(&a->positions, &a->donors, NULL, work);
}

/* Mean |loss| of a group. */
static double group_loss(const NeuronUse *use, NeuronAblated group)
{
    double sum = 0;
    size_t n = 0;
    for (size_t k = 0; k < use->n; k++) {
        if (use->ablated[k] == (uint8_t)group) {
            sum += fabs(use->loss[k].value);
            n++;
        }
    }
    return n > 0 ? sum / (double)n : NAN;
}

static int ablate(NeuronUse *out, const Gpt *gpt, GameSource *games, GameSource *training,
                  const NeuronUseOptions *options, const Work *work)
{
    AblatedNeurons a = {0};
    AblationInputs in = {.gpt = gpt, .positions = &a.positions, .seed = work->seed};
    size_t n = out->n_ablated, at = 0;
    int rc = list_sets(&a, out, options, (size_t)gpt->cfg.d_mlp);
    rc = rc ? rc
            : ablation_positions_draw(&a.positions, games, options->games, options->plies, work);
    rc = rc ? rc : replace_values(&a, &in, training, options, work);
    rc = rc ? rc : ablation_run(&a.result, &in, a.sets, n, "neurons", work);
    rc = rc ? rc : ablation_rows(a.rows, &a.result, &a.positions, work);
    for (size_t k = 0; k < out->n && rc == 0; k++) {
        if (out->ablated[k]) {
            out->loss[k] = a.rows[at].total;
            a.attributed[at] = out->value[k];
            a.lost[at] = a.rows[at].total.value;
            at++;
        }
    }
    if (rc == 0) {
        out->ablation_error = a.result.identity_error;
        out->largest_loss = group_loss(out, NEURON_LARGEST);
        out->drawn_loss = group_loss(out, NEURON_DRAWN_ANEW);
        rc = n < 3 ? 0 : ablation_spearman(&out->correlation, a.attributed, a.lost, n);
    }
    ablation_release(&a.result);
    ablation_donors_release(&a.donors);
    ablation_means_release(&a.means);
    ablation_positions_release(&a.positions);
    mem_free(a.units);
    mem_free(a.sets);
    mem_free(a.rows);
    mem_free(a.attributed);
    mem_free(a.lost);
    return rc;
}

int neuron_use_run(NeuronUse *out, const Gpt *gpt, GameSource *games, GameSource *training,
                   const NeuronUseOptions *options, const Work *work)
{
    *out = (NeuronUse){0};
    if (options->games == 0) {
        return 0;
    }
    int rc = use_allocate(out, &gpt->cfg);
    rc = rc ? rc : attribute(out, gpt, games, options, work);
    if (rc == 0 && options->ablated > 0) {
        choose(out, options, work->seed);
        rc = ablate(out, gpt, games, training, options, work);
    }
    return rc;
}

size_t neuron_use_bytes(const Gpt *gpt, const Vocab *vocab, const NeuronUseOptions *options,
                        const Work *work)
{
    if (options->games == 0) {
        return 0;
    }
    size_t n = (size_t)gpt->cfg.n_layers * (size_t)gpt->cfg.d_mlp;
    size_t a_game = options->plies > 0 ? (size_t)options->plies : (size_t)vocab->n_ctx;
    size_t positions = options->games * a_game;
    uint32_t *first = mem_alloc(options->games + 1, sizeof(*first), "positions");
    if (!first) {
        return SIZE_MAX / 2; /* more than anybody allows */
    }
    for (size_t g = 0; g <= options->games; g++) {
        first[g] = (uint32_t)(g * a_game);
    }
    AttributionTarget target = {.readout = {.width = (size_t)gpt->cfg.d_model,
                                            .n_columns = (size_t)gpt->cfg.d_vocab - 1,
                                            .site = HOOK_RESID_POST,
                                            .layer = gpt->cfg.n_layers - 1}};
    AttributionPositions given = {
        .set = {.n_games = options->games, .n_positions = positions, .first = first}};
    size_t attributed = attribution_bytes(&gpt->cfg, &target, &given, &by_neuron, work);
    mem_free(first);
    AblationInputs in = {.gpt = gpt};
    size_t ablated = ablation_result_bytes(&in, positions, 2 * options->ablated) +
                     ablation_worker_bytes(&in, work) +
                     (options->kind == ABLATION_MEAN
                          ? ablation_means_bytes(&gpt->cfg, options->mean_games, work)
                          : ablation_donors_bytes(vocab->variant, options->mean_games));
    return n * (3 * sizeof(double) + sizeof(Interval) + 1) +
           (attributed > ablated ? attributed : ablated);
}
