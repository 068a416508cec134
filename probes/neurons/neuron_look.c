/* probes/neurons/neuron_look.c - see probes/neurons/neuron_look.h. */
#include "probes/neurons/neuron_look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/neurons/neuron_fit.h"

struct NeuronLooker {
    const Gpt *gpt;
    const NeuronGames *games;
    const Probe *probe;
    NeuronLookOptions options;
    NeuronDesign design;
    NeuronLinear linear;
    NeuronFlanks flanks;
};

int neuron_looker_open(NeuronLooker **out, const Gpt *gpt, const NeuronGames *games,
                       const Probe *probe, const NeuronLookOptions *options)
{
    NeuronLooker *looker = mem_calloc(1, sizeof(*looker), "looks at neurons");
    *out = looker;
    if (!looker) {
        return OGPT_ENOMEM;
    }
    looker->gpt = gpt;
    looker->games = games;
    looker->probe = probe;
    looker->options = *options;
    int rc = neuron_design_make(&looker->design, games, options->legal, false);
    rc = rc ? rc : neuron_linear_open(&looker->linear, &looker->design);
    return rc ? rc : neuron_flanks_find(&looker->flanks, games, false);
}

void neuron_looker_free(NeuronLooker *looker)
{
    if (looker) {
        neuron_design_release(&looker->design);
        neuron_linear_release(&looker->linear);
        neuron_flanks_release(&looker->flanks);
        mem_free(looker);
    }
}

size_t neuron_looker_bytes(const GptConfig *cfg, size_t n_positions, size_t test_games,
                           const Work *work)
{
    size_t M = (size_t)cfg->d_mlp;
    return neuron_design_bytes(n_positions) + neuron_flanks_bytes(n_positions) +
           2 * M * n_positions * sizeof(float) + M * (sizeof(NeuronTree) + sizeof(NeuronLook)) +
           neuron_fit_bytes(M, test_games, n_positions, work);
}

/* ---- positions ---- */

/* Highest first; of equal ones the first position. */
static int compare_ranked(const void *left, const void *right)
{
    const NeuronRanked *a = left, *b = right;
    return a->value != b->value ? (a->value < b->value) - (a->value > b->value)
                                : (a->position > b->position) - (a->position < b->position);
}

static NeuronSight sight_of(const NeuronGames *games, uint32_t position, double value,
                            double quantile)
{
    size_t g = games->game[position];
    const uint8_t *moves = games->moves + g * (size_t)games->vocab->variant->n_moves;
    NeuronSight out = {.position = position,
                       .game = games->game[position],
                       .held_out = position >= games->n_fit,
                       .n_moves = (uint8_t)(games->t[position] + 1),
                       .board = games->board[position],
                       .turned = games->facts[position].squares[FACT_TURNED],
                       .legal = games->facts[position].squares[FACT_LEGAL],
                       .value = value,
                       .quantile = quantile};
    memset(out.moves, SQ_NONE, sizeof(out.moves));
    memcpy(out.moves, moves, out.n_moves);
    return out;
}

/* Share of n ranked values that are smaller than the one at `rank`. */
static double quantile_of(const NeuronRanked *ranked, size_t n, size_t rank)
{
    size_t low = rank, high = n; /* the first one behind it that is smaller */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranked[middle].value < ranked[rank].value) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return (double)(n - low) / (double)n;
}

static void fill_top(NeuronLook *look, const NeuronGames *games, const NeuronRanked *ranked)
{
    look->n_top = 0;
    for (size_t i = 0; i < games->n && look->n_top < NEURON_TOP; i++) {
        uint32_t position = ranked[i].position;
        bool other = true;
        for (size_t k = 0; k < look->n_top; k++) {
            other = other && look->top[k].game != games->game[position];
        }
        if (other) {
            look->top[look->n_top++] = sight_of(games, position, (double)ranked[i].value,
                                                quantile_of(ranked, games->n, i));
        }
    }
}

static void fill_decile(NeuronDecile *out, const NeuronGames *games, const NeuronRanked *ranked,
                        int d, Rng *rng)
{
    /* ranks are falling, deciles rise */
    size_t n = games->n, first = n * (size_t)(NEURON_DECILES - 1 - d) / NEURON_DECILES;
    size_t end = n * (size_t)(NEURON_DECILES - d) / NEURON_DECILES, drawn[NEURON_DRAWN];
    out->n = 0;
    if (first == end) {
        out->low = out->high = NAN;
        return;
    }
    out->low = (double)ranked[end - 1].value;
    out->high = (double)ranked[first].value;
    size_t wanted = end - first < NEURON_DRAWN ? end - first : NEURON_DRAWN;
    while (out->n < wanted) {
        size_t rank = first + rng_below(rng, (uint32_t)(end - first)), at = out->n;
        bool again = false;
        for (size_t k = 0; k < out->n; k++) {
            again = again || drawn[k] == rank;
        }
        for (; at > 0 && !again && drawn[at - 1] > rank; at--) {
            drawn[at] = drawn[at - 1];
        }
        if (!again) {
            drawn[at] = rank;
            out->n++;
        }
    }
    for (size_t k = 0; k < out->n; k++) {
        out->sights[k] = sight_of(games, ranked[drawn[k]].position, (double)ranked[drawn[k]].value,
                                  quantile_of(ranked, n, drawn[k]));
    }
}

void neuron_look_sights(NeuronLook *look, const NeuronGames *games, const float *values,
                        NeuronRanked *ranked, uint64_t seed)
{
    uint64_t name = ((uint64_t)look->layer << 32) + (uint64_t)look->neuron;
    for (size_t i = 0; i < games->n; i++) {
        ranked[i] = (NeuronRanked){values[i], (uint32_t)i};
    }
    qsort(ranked, games->n, sizeof(*ranked), compare_ranked);
    fill_top(look, games, ranked);
    for (int d = 0; d < NEURON_DECILES; d++) {
        Rng rng =
            rng_at(seed, RNG_NEURONS, (UINT64_C(3) << 40) + name * NEURON_DECILES + (uint64_t)d);
        fill_decile(&look->deciles[d], games, ranked, d, &rng);
    }
}

void neuron_look_value(double *legal, double *by_chance, const NeuronGames *games,
                       const float *values, double largest, int top)
{
    size_t n = 0, n_legal = 0, n_chance = 0;
    for (size_t i = 0; i < games->n && largest > 0; i++) {
        if ((double)values[i] > largest / 2) {
            n++;
            n_legal += games->facts[i].squares[FACT_LEGAL] >> top & 1;
            n_chance += games->facts[games->twin[i]].squares[FACT_LEGAL] >> top & 1;
        }
    }
    *legal = n > 0 ? (double)n_legal / (double)n : NAN;
    *by_chance = n > 0 ? (double)n_chance / (double)n : NAN;
}

/* ---- neurons ---- */

typedef struct Looking {
    NeuronLook *looks;
    const NeuronLooker *looker;
    const float *values; /* (n_neurons, n) */
    const NeuronFit *fit;
    NeuronRanked **ranked; /* a worker */
    double **scratch;      /* a worker */
    uint64_t seed;
} Looking;

static int look_job(void *context, size_t job, size_t worker)
{
    const Looking *looking = context;
    const NeuronLooker *looker = looking->looker;
    const NeuronGames *games = looker->games;
    const float *values = looking->values + job * games->n;
    NeuronLook *look = looking->looks + job;
    look->n_positions = games->n;
    look->n_fit = games->n_fit;
    look->shape = neuron_shape_of(values, games->n);
    neuron_weights_of(&look->weights, looker->gpt, games->vocab, looker->probe, look->layer,
                      (size_t)look->neuron, looking->scratch[worker]);
    neuron_look_sights(look, games, values, looking->ranked[worker], looking->seed);
    look->tree = looking->fit->trees[job];
    look->rule = looking->fit->rules[job];
    look->tree_r2 = looking->fit->r2[NEURON_BY_TREE][job];
    look->linear_r2 = looking->fit->r2[NEURON_BY_LINEAR][job];
    neuron_flanks_detect(look->detections, &looker->flanks, values);
    neuron_look_value(&look->value_legal, &look->value_legal_by_chance, games, values,
                      look->shape.largest, look->weights.top);
    return 0;
}

static int look_at_all(Looking *looking, size_t n, const Work *work)
{
    size_t n_workers = work_workers(work), C = (size_t)looking->looker->gpt->cfg.d_model;
    looking->ranked = mem_calloc(n_workers, sizeof(*looking->ranked), "workers");
    looking->scratch = mem_calloc(n_workers, sizeof(*looking->scratch), "workers");
    int rc = looking->ranked && looking->scratch ? 0 : OGPT_ENOMEM;
    for (size_t w = 0; w < n_workers && rc == 0; w++) {
        looking->ranked[w] =
            mem_alloc(looking->looker->games->n, sizeof(NeuronRanked), "order of positions");
        looking->scratch[w] = mem_alloc(C, sizeof(double), "a direction");
        rc = looking->ranked[w] && looking->scratch[w] ? 0 : OGPT_ENOMEM;
    }
    rc = rc ? rc : pool_run(work->pool, n, look_job, looking);
    for (size_t w = 0; w < n_workers; w++) {
        mem_free(looking->ranked ? looking->ranked[w] : NULL);
        mem_free(looking->scratch ? looking->scratch[w] : NULL);
    }
    mem_free(looking->ranked);
    mem_free(looking->scratch);
    return rc;
}

int neuron_looks_make(NeuronLook *looks, const NeuronLooker *looker, int layer, const int *neurons,
                      size_t n, const Work *work)
{
    size_t M = (size_t)looker->gpt->cfg.d_mlp, N = looker->games->n;
    float *all = mem_alloc(M * N, sizeof(*all), "activations");
    float *values = mem_alloc(n * N, sizeof(*values), "activations");
    NeuronFit fit = {0};
    NeuronFitInputs in = {looker->games, &looker->design, &looker->linear, looker->options.depth,
                          true};
    Looking looking = {looks, looker, values, &fit, NULL, NULL, work->seed};
    int rc = all && values ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : neuron_values_read(all, looker->gpt, looker->games, layer, work);
    for (size_t i = 0; i < n && rc == 0; i++) {
        looks[i].layer = layer;
        looks[i].neuron = neurons[i];
        memcpy(values + i * N, all + (size_t)neurons[i] * N, N * sizeof(*values));
    }
    rc = rc ? rc : neuron_fit_run(&fit, &in, values, n, work);
    rc = rc ? rc : look_at_all(&looking, n, work);
    neuron_fit_release(&fit);
    mem_free(all);
    mem_free(values);
    return rc;
}
