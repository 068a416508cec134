/* probes/basis/basis_study.c - see probes/basis/basis_study.h. */
#include "probes/basis/basis_study.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "probes/activations/activations.h"
#include "probes/basis/basis_directions.h"

const char *basis_network_name(BasisNetwork network)
{
    static const char *const names[N_BASIS_NETWORKS] = {"this", "beside", "random"};
    return names[network];
}

typedef struct BasisStudyRun {
    BasisStudy *out;
    const BasisInputs *in;
    const Work *work;
    Work quiet;
    const Gpt *gpt[N_BASIS_NETWORKS];
    Gpt *random;
    size_t done, total; /* rotations of places */
} BasisStudyRun;

/* ---- kurtosis ---- */

static void tick(void *context, const char *stage, double done, double total)
{
    BasisStudyRun *run = context;
    work_tick(run->work, stage, (double)run->done + done / total * (double)run->in->rotations,
              (double)run->total);
}

/* A place as numbers, for the journal: these, then the replicates. */
enum { PLACE_NUMBERS = 17 + BOOTSTRAP_REPLICATES };

static void place_give(double *block, const BasisKurtosis *k)
{
    const double numbers[] = {
        (double)k->used,   k->mean.value,         k->mean.low,    k->mean.high,
        k->beyond.value,   k->beyond.low,         k->beyond.high, k->median,
        k->largest,        (double)k->largest_at, k->rotated,     k->rotated_deviation,
        k->rotated_median, k->median_deviation,   k->z,           k->p,
        k->z_median};
    memcpy(block, numbers, sizeof(numbers));
    memcpy(block + PLACE_NUMBERS - BOOTSTRAP_REPLICATES, k->replicates,
           BOOTSTRAP_REPLICATES * sizeof(double));
}

static int place_take(BasisKurtosis *out, const double *block)
{
    *out = (BasisKurtosis){.used = (size_t)block[0],
                           .mean = {block[1], block[2], block[3]},
                           .beyond = {block[4], block[5], block[6]},
                           .median = block[7],
                           .largest = block[8],
                           .largest_at = (size_t)block[9],
                           .rotated = block[10],
                           .rotated_deviation = block[11],
                           .rotated_median = block[12],
                           .median_deviation = block[13],
                           .z = block[14],
                           .p = block[15],
                           .z_median = block[16]};
    out->replicates = mem_alloc(BOOTSTRAP_REPLICATES, sizeof(double), "replicates");
    if (!out->replicates) {
        return OGPT_ENOMEM;
    }
    memcpy(out->replicates, block + PLACE_NUMBERS - BOOTSTRAP_REPLICATES,
           BOOTSTRAP_REPLICATES * sizeof(double));
    return 0;
}

/* A site of a network: its layers, and the places measured. */
typedef struct BasisSite {
    BasisNetwork network;
    HookSite site;
    size_t width;
    int layers[LAYERS_MAX], n;
    BasisKurtosis kurtosis[LAYERS_MAX];
} BasisSite;

/* Rows of all layers, and their kurtosis. */
static int site_compute(BasisSite *at, BasisStudyRun *run)
{
    const PositionSet *set = run->in->set;
    const SiteLayers where = {at->site, at->layers, at->n};
    float *x[LAYERS_MAX] = {0};
    BasisRows rows[LAYERS_MAX];
    int rc = 0;
    for (int i = 0; i < at->n && rc == 0; i++) {
        x[i] = mem_alloc(set->n_positions * at->width, sizeof(float), "rows of a network");
        rows[i] = (BasisRows){
            .x = x[i],
            .n = set->n_positions,
            .width = at->width,
            .first = set->first,
            .n_games = set->n_games,
            .stream = (uint32_t)((2 * at->network + (at->site == HOOK_POST)) * LAYERS_MAX + i)};
        rc = x[i] ? 0 : OGPT_ENOMEM;
    }
    rc = rc ? rc : activations_capture(x, set, run->gpt[at->network], &where, &run->quiet);
    if (rc == 0) {
        Work counted = *run->work;
        counted.tick = tick;
        counted.context = run;
        rc = basis_kurtosis_run(at->kurtosis, rows, (size_t)at->n, run->in->rotations, &counted);
    }
    for (int i = 0; i < at->n; i++) {
        mem_free(x[i]);
    }
    return rc;
}

/* The same, from the journal if an interrupted run left it there. */
static int site_kept(BasisSite *at, BasisStudyRun *run)
{
    const size_t block = (size_t)(2 * at->network + (at->site == HOOK_POST));
    const size_t n = (size_t)at->n * PLACE_NUMBERS;
    double *numbers = mem_alloc(n, sizeof(*numbers), "a kept site");
    int known = numbers ? work_recall(numbers, run->work, n, "basis kurtosis", block) : OGPT_ENOMEM;
    int rc = known < 0 ? known : 0;
    if (known == 1) {
        for (int i = 0; i < at->n && rc == 0; i++) {
            rc = place_take(&at->kurtosis[i], numbers + (size_t)i * PLACE_NUMBERS);
        }
    } else if (rc == 0) {
        rc = site_compute(at, run);
        for (int i = 0; i < at->n && rc == 0; i++) {
            place_give(numbers + (size_t)i * PLACE_NUMBERS, &at->kurtosis[i]);
        }
        rc = rc ? rc : work_keep(run->work, numbers, n, "basis kurtosis", block);
    }
    mem_free(numbers);
    return rc;
}

static int measure_site(BasisStudyRun *run, BasisNetwork network, HookSite site)
{
    const GptConfig *cfg = &run->gpt[network]->cfg;
    bool stream = site == HOOK_RESID_POST;
    BasisSite at = {.network = network,
                    .site = site,
                    .width = hook_width(cfg, site, 0),
                    .n = cfg->n_layers + (stream ? 1 : 0)};
    for (int i = 0; i < at.n; i++) {
        at.layers[i] = stream ? i - 1 : i;
    }
    int rc = site_kept(&at, run);
    run->done += run->in->rotations;
    for (int i = 0; i < at.n; i++) {
        if (rc == 0) {
            run->out->places[run->out->n_places++] =
                (BasisPlace){network, site, at.layers[i], at.width, at.kurtosis[i]};
        } else {
            basis_kurtosis_release(&at.kurtosis[i]);
        }
    }
    return rc;
}

static int difference_of(BasisDifference *out, const BasisPlace *a, const BasisPlace *b)
{
    double *change = mem_alloc(BOOTSTRAP_REPLICATES, sizeof(*change), "replicates");
    *out = (BasisDifference){.site = a->site, .layer = a->layer};
    if (!change) {
        return OGPT_ENOMEM;
    }
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        change[r] = a->kurtosis.replicates[r] - b->kurtosis.replicates[r];
    }
    out->beyond.value = a->kurtosis.beyond.value - b->kurtosis.beyond.value;
    bootstrap_quantiles(&out->beyond, change, BOOTSTRAP_REPLICATES);
    mem_free(change);
    return 0;
}

static int compare(BasisStudyRun *run)
{
    BasisStudy *out = run->out;
    int rc = 0;
    for (size_t i = 0; i < out->n_places && rc == 0; i++) {
        for (size_t j = 0; j < out->n_places && rc == 0; j++) {
            const BasisPlace *a = &out->places[i], *b = &out->places[j];
            if (a->network == BASIS_OWN && b->network == BASIS_BESIDE && a->site == b->site &&
                a->layer == b->layer && a->width == b->width) {
                rc = difference_of(&out->differences[out->n_differences++], a, b);
            }
        }
    }
    return rc;
}

/* ---- angles ---- */

/* Chance of this shape, from an earlier set if one has it. */
static int chance_of(BasisChance *out, const BasisStudy *study, size_t n, size_t d,
                     const Work *work)
{
    for (size_t i = 0; i < study->n_sets; i++) {
        if (study->sets[i].chance.n == n && study->sets[i].chance.d == d) {
            *out = study->sets[i].chance;
            return 0;
        }
    }
    return basis_chance(out, n, d, work);
}

static int add_set(BasisStudyRun *run, BasisNetwork network, BasisKind kind, int layer,
                   BasisDirections *directions)
{
    BasisSet *set = &run->out->sets[run->out->n_sets];
    int rc = 0;
    if (directions->n >= 2) {
        *set = (BasisSet){.network = network, .name = basis_kind_name(kind), .layer = layer};
        rc = chance_of(&set->chance, run->out, directions->n, directions->d, &run->quiet);
        rc = rc ? rc
                : basis_angles(&set->angles, directions->unit, directions->group,
                               directions->n_groups, &set->chance, &run->quiet);
        run->out->n_sets += rc == 0;
    }
    basis_directions_release(directions);
    return rc;
}

static int sets_of_network(BasisStudyRun *run, BasisNetwork network)
{
    const Gpt *gpt = run->gpt[network];
    const Probe *probe = network == BASIS_OWN ? run->in->probe : NULL;
    BasisDirections directions;
    int rc = 0;
    for (int i = 0; probe && i < probe->n_layers; i++) {
        for (BasisKind kind = BASIS_TURN; kind <= BASIS_BOARD && rc == 0; kind++) {
            rc = interrupt_pending()
                     ? err_set(OGPT_EINTR, "interrupted before the angles of a probe")
                     : basis_directions_of_probe(&directions, probe, i, kind);
            rc = rc ? rc : add_set(run, network, kind, probe->layers[i], &directions);
        }
    }
    for (BasisKind kind = BASIS_NEURONS_IN; kind < N_BASIS_KINDS; kind++) {
        bool neurons = kind <= BASIS_NEURONS_OUT;
        int end = kind == BASIS_EMBED ? LAYER_EMBED : gpt->cfg.n_layers - 1;
        for (int layer = 0; layer < (neurons ? gpt->cfg.n_layers : 1) && rc == 0; layer++) {
            rc = interrupt_pending()
                     ? err_set(OGPT_EINTR, "interrupted before the angles of weights")
                     : basis_directions_of_weights(&directions, gpt, kind, layer);
            rc = rc ? rc : add_set(run, network, kind, neurons ? layer : end, &directions);
        }
    }
    return rc;
}

/* The angle of two directions of one square: that in which it turns, that in which it is empty. */
static int turn_empty(BasisStudyRun *run)
{
    const Probe *probe = run->in->probe;
    BasisDirections turn = {0}, empty = {0};
    int middle = probe ? probe->n_layers / 2 : 0;
    int rc = probe ? basis_directions_of_probe(&turn, probe, middle, BASIS_TURN) : 0;
    rc = rc || !probe ? rc : basis_directions_of_probe(&empty, probe, middle, BASIS_EMPTY);
    double *cosines = mem_calloc(probe ? (size_t)probe->n_squares : 1, sizeof(double), "angles");
    size_t n = 0;
    run->out->turn_empty = (Interval){NAN, NAN, NAN};
    for (size_t i = 0; i < turn.n && cosines && rc == 0; i++) {
        for (size_t k = 0; k < empty.n; k++) {
            double dot = 0;
            for (size_t c = 0; c < turn.d && turn.group[i] == empty.group[k]; c++) {
                dot += (double)turn.unit[i * turn.d + c] * (double)empty.unit[k * turn.d + c];
            }
            if (turn.group[i] == empty.group[k]) {
                cosines[n++] = fabs(dot);
            }
        }
    }
    if (n > 0) {
        run->out->turn_empty = bootstrap_ratio(cosines, NULL, n, run->work->seed);
    }
    rc = rc || cosines ? rc : OGPT_ENOMEM;
    mem_free(cosines);
    basis_directions_release(&turn);
    basis_directions_release(&empty);
    return rc;
}

/* ---- the study ---- */

static int allocate(BasisStudyRun *run)
{
    size_t layers = 0, places = 0;
    for (int network = 0; network < N_BASIS_NETWORKS; network++) {
        const Probe *probe = network == BASIS_OWN ? run->in->probe : NULL;
        if (run->gpt[network]) {
            layers += (size_t)run->gpt[network]->cfg.n_layers + 1;
            places += 3 * (probe ? (size_t)probe->n_layers : 0);
        }
    }
    run->out->places = mem_calloc(2 * layers, sizeof(BasisPlace), "kurtosis of places");
    run->out->differences = mem_calloc(2 * layers, sizeof(BasisDifference), "differences");
    run->out->sets = mem_calloc(places + 4 * layers, sizeof(BasisSet), "angles of sets");
    return run->out->places && run->out->differences && run->out->sets ? 0 : OGPT_ENOMEM;
}

int basis_study_run(BasisStudy *out, const BasisInputs *in, const Work *work)
{
    BasisStudyRun run = {.out = out,
                         .in = in,
                         .work = work,
                         .quiet = work_quiet(work),
                         .gpt = {in->gpt[0], in->gpt[1]}};
    *out = (BasisStudy){0};
    int rc = gpt_new(&run.random, &in->gpt[BASIS_OWN]->cfg);
    if (rc == 0) {
        gpt_init(run.random, work->seed, RNG_CONTROL);
        run.gpt[BASIS_RANDOM] = run.random;
        run.total = (run.gpt[BASIS_BESIDE] ? 6 : 4) * in->rotations;
        rc = allocate(&run);
    }
    for (BasisNetwork network = BASIS_OWN; network < N_BASIS_NETWORKS && rc == 0; network++) {
        if (run.gpt[network]) {
            rc = measure_site(&run, network, HOOK_RESID_POST);
            rc = rc ? rc : measure_site(&run, network, HOOK_POST);
            rc = rc ? rc : sets_of_network(&run, network);
        }
    }
    rc = rc ? rc : compare(&run);
    rc = rc ? rc : turn_empty(&run);
    gpt_free(run.random);
    return rc;
}

void basis_study_release(BasisStudy *study)
{
    for (size_t i = 0; i < study->n_places && study->places; i++) {
        basis_kurtosis_release(&study->places[i].kurtosis);
    }
    mem_free(study->places);
    mem_free(study->differences);
    mem_free(study->sets);
    *study = (BasisStudy){0};
}

size_t basis_study_bytes(const BasisInputs *in, const Work *work)
{
    size_t most = 0;
    for (int network = 0; network < BASIS_RANDOM; network++) {
        if (in->gpt[network]) {
            const GptConfig *cfg = &in->gpt[network]->cfg;
            size_t width = (size_t)cfg->d_mlp, layers = (size_t)cfg->n_layers;
            BasisRows rows[LAYERS_MAX];
            for (size_t i = 0; i < layers; i++) {
                rows[i] = (BasisRows){
                    .n = in->set->n_positions, .width = width, .n_games = in->set->n_games};
            }
            size_t bytes = basis_kurtosis_bytes(rows, layers, work) +
                           layers * activations_bytes(in->set->n_positions, width) +
                           activations_scratch_bytes(cfg, work);
            most = bytes > most ? bytes : most;
        }
    }
    return most;
}

void basis_study_hash(Sha256 *hash, const BasisInputs *in)
{
    sha256_add(hash, &in->rotations, sizeof(in->rotations));
    positions_hash(hash, in->set);
}
