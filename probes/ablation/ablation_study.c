/* probes/ablation/ablation_study.c - see probes/ablation/ablation_study.h. */
#include "probes/ablation/ablation_study.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/prefix.h"
#include "probes/ablation/ablation_pass.h"

enum { RESCUE_EVERY = 32 };

/* ---- units and kinds ---- */

static int list_units(AblationStudy *out, const GptConfig *cfg, const AblationStudyOptions *options)
{
    out->n_units = ablation_units_count(cfg, options->units);
    out->units = mem_alloc(out->n_units, sizeof(*out->units), "units to be ablated");
    if (!out->units) {
        return OGPT_ENOMEM;
    }
    ablation_units_list(out->units, cfg, options->units);
    for (size_t u = out->n_units; u-- > 0;) {
        out->first[out->units[u].kind] = u;
        out->count[out->units[u].kind]++;
    }
    for (int kind = 0; kind < N_ABLATION_KINDS; kind++) {
        if (options->kinds >> kind & 1) {
            out->kinds[out->n_kinds++] = (AblationKind)kind;
        }
    }
    /* Groups and pairs: the mean if it is there, else the first. */
    out->joint_kind = options->kinds >> ABLATION_MEAN & 1 ? ABLATION_MEAN : out->kinds[0];
    return 0;
}

static int run_singles(AblationStudy *out, const AblationInputs *in, const Work *work)
{
    size_t n = out->n_units * out->n_kinds;
    AblationSet *sets = mem_alloc(n, sizeof(*sets), "units to be ablated");
    out->rows = mem_alloc(n, sizeof(*out->rows), "rows of units");
    int rc = sets && out->rows ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < n && rc == 0; i++) {
        sets[i] =
            (AblationSet){&out->units[i / out->n_kinds], 1, out->kinds[i % out->n_kinds], false};
    }
    rc = rc ? rc : ablation_run(&out->result, in, sets, n, "units", work);
    rc = rc ? rc : ablation_rows(out->rows, &out->result, in->positions, work);
    out->identity_error = out->result.identity_error;
    mem_free(sets);
    return rc;
}

static bool is_rescued(AblationUnit unit)
{
    return unit.kind != ABLATE_NEURON || unit.index % RESCUE_EVERY == 0;
}

static int run_rescue(AblationStudy *out, const AblationInputs *in, const Work *work)
{
    AblationSet *sets = mem_alloc(out->n_units, sizeof(*sets), "units that are put back");
    AblationResult result = {0};
    if (!sets) {
        return OGPT_ENOMEM;
    }
    for (size_t u = 0; u < out->n_units; u++) {
        if (is_rescued(out->units[u])) {
            sets[out->n_rescued++] = (AblationSet){&out->units[u], 1, ABLATION_ZERO, true};
        }
    }
    int rc = ablation_run(&result, in, sets, out->n_rescued, "rescue", work);
    out->rescue_error = result.rescue_error;
    ablation_release(&result);
    mem_free(sets);
    return rc;
}

/* The network as it is. */
static int add_clean(AblationStudy *out, const AblationPositions *positions, uint64_t seed)
{
    size_t games = positions->n_games;
    double *sums = mem_calloc(4 * games, sizeof(*sums), "clean answers by game");
    if (!sums) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < positions->n; i++) {
        double *game = sums + positions->at[i].game;
        game[0] += (double)out->result.clean[i].total;
        game[games] += out->result.clean[i].wrong;
        game[2 * games] += out->result.clean[i].strict;
        game[3 * games]++;
    }
    out->clean = bootstrap_ratio(sums, sums + 3 * games, games, seed);
    out->clean_wrong = bootstrap_ratio(sums + games, sums + 3 * games, games, seed);
    out->clean_strict = bootstrap_ratio(sums + 2 * games, sums + 3 * games, games, seed);
    mem_free(sums);
    return 0;
}

/* ---- over the units of one kind ---- */

static int add_shares(AblationStudy *out, const AblationInputs *in, AblationUnitKind unit,
                      const Work *work)
{
    int rc = 0;
    for (size_t k = 0; k < out->n_kinds && rc == 0; k++) {
        AblationStudyShare *share = &out->shares[out->n_shares++];
        *share = (AblationStudyShare){.unit = unit, .kind = out->kinds[k]};
        rc = ablation_share(&share->share, &out->result, in->positions,
                            out->first[unit] * out->n_kinds + k, out->n_kinds, out->count[unit],
                            work);
    }
    return rc;
}

/* column (n): mean TE, or with `direct` mean DE, of the units of a kind by kinds[k]. */
static void take_column(double *column, const AblationStudy *study, AblationUnitKind unit, size_t k,
                        bool direct)
{
    for (size_t i = 0; i < study->count[unit]; i++) {
        const AblationRow *row = &study->rows[(study->first[unit] + i) * study->n_kinds + k];
        column[i] = direct ? row->direct.value : row->total.value;
    }
}

static int add_ranks(AblationStudy *out, AblationUnitKind unit)
{
    size_t n = out->count[unit];
    double *columns = mem_alloc(2 * n, sizeof(*columns), "ranks of units");
    int rc = columns ? 0 : OGPT_ENOMEM;
    for (size_t k = 0; k < out->n_kinds && rc == 0; k++) {
        take_column(columns, out, unit, k, false);
        for (size_t other = k; other < out->n_kinds && rc == 0; other++) {
            AblationStudyRank *rank = &out->ranks[out->n_ranks++];
            *rank = (AblationStudyRank){unit, out->kinds[k], out->kinds[other], n, NAN};
            take_column(columns + n, out, unit, other, other == k);
            rc = ablation_spearman(&rank->spearman, columns, columns + n, n);
        }
    }
    mem_free(columns);
    return rc;
}

static int add_groups(AblationStudy *out, const AblationInputs *in, AblationUnitKind unit,
                      const AblationStudyOptions *options, const Work *work)
{
    size_t size = unit == ABLATE_HEAD ? options->heads : options->neurons, k = 0;
    size_t n = out->count[unit];
    AblationStudyGroups *groups = &out->groups[out->n_groups];
    while (out->kinds[k] != out->joint_kind) {
        k++;
    }
    AblationSingles singles = {.result = &out->result,
                               .first = out->first[unit] * out->n_kinds + k,
                               .step = out->n_kinds,
                               .units = out->units + out->first[unit],
                               .n = n,
                               .kind = out->joint_kind};
    size = size < n / 2 ? size : n / 2;
    if (size == 0 || options->draws == 0 || out->joint_kind == ABLATION_RANDOM) {
        return 0;
    }
    groups->unit = unit;
    groups->kind = out->joint_kind;
    int rc = ablation_groups(&groups->groups, in, &singles, size, options->draws, work);
    out->n_groups += rc == 0;
    return rc;
}

/* ---- pairs and curves ---- */

static int run_pairs(AblationStudy *out, const AblationInputs *in, size_t n, const Work *work)
{
    const GptConfig *cfg = &in->gpt->cfg;
    size_t heads = ablation_units_count(cfg, 1U << ABLATE_HEAD);
    AblationUnit *units = mem_alloc(heads, sizeof(*units), "heads");
    AblationPositions part = {0};
    AblationInputs few = *in;
    int rc = units ? ablation_positions_part(&part, in->positions, n) : OGPT_ENOMEM;
    few.positions = &part;
    if (rc == 0) {
        ablation_units_list(units, cfg, 1U << ABLATE_HEAD);
        rc = ablation_pairs(&out->pairs, &few, units, heads, out->joint_kind, work);
        out->identity_error = fmax(out->identity_error, out->pairs.identity_error);
    }
    ablation_positions_release(&part);
    mem_free(units);
    return rc;
}

static int run_curves(AblationStudy *out, const AblationInputs *in, const Work *work)
{
    int rc = ablation_curves(&out->curves, in, work);
    AblationCurves *curves = &out->curves;
    if (rc != 0) {
        return rc;
    }
    AblationResult all = {
        .n_sets = curves->n_points, .n = curves->n, .clean = curves->points[0].effects};
    all.effects = mem_alloc(all.n_sets * all.n, sizeof(*all.effects), "curves of blocks");
    out->curve_rows = mem_alloc(all.n_sets, sizeof(*out->curve_rows), "curves of blocks");
    rc = all.effects && out->curve_rows ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < all.n_sets && rc == 0; i++) {
        memcpy(all.effects + i * all.n, curves->points[i].effects, all.n * sizeof(*all.effects));
    }
    rc = rc ? rc : ablation_rows(out->curve_rows, &all, in->positions, work);
    mem_free(all.effects);
    return rc;
}

/* ---- how much it is ---- */

/* Groups and pairs are not taken out by a random direction. */
static bool asks_joint(const AblationStudyOptions *options)
{
    return options->kinds != 1U << ABLATION_RANDOM;
}

/* Groups of heads and of neurons, each with its random ones. */
static size_t group_sets(const AblationStudyOptions *options)
{
    size_t groups = (options->units >> ABLATE_HEAD & 1 && options->heads > 0) +
                    (options->units >> ABLATE_NEURON & 1 && options->neurons > 0);
    return asks_joint(options) && options->draws > 0 ? groups * (options->draws + 1) : 0;
}

/* All heads alone, and all pairs of them; at how many positions. */
static size_t pair_sets(const AblationInputs *in)
{
    size_t heads = ablation_units_count(&in->gpt->cfg, 1U << ABLATE_HEAD);
    return heads * (heads + 1) / 2;
}

static size_t pair_positions(const AblationInputs *in, const AblationStudyOptions *options)
{
    size_t n = in->positions->n;
    return !asks_joint(options) ? 0 : options->pair_positions < n ? options->pair_positions : n;
}

/* ---- the whole ---- */

/* Passes of all parts as one count, so that the time left is that of the whole. */
typedef struct StudyTicks {
    const Work *work;
    double before, total; /* passes of the parts that are done, and of all */
} StudyTicks;

static void study_tick(void *context, const char *stage, double done, double total)
{
    StudyTicks *ticks = context;
    if (strcmp(stage, "passes") == 0) {
        work_tick(ticks->work, "passes", ticks->before + done, ticks->total);
        ticks->before += done >= total ? total : 0;
    } else {
        work_tick(ticks->work, stage, ticks->before, ticks->total);
    }
}

static double count_passes(const AblationStudy *study, const AblationInputs *in,
                           const AblationStudyOptions *options)
{
    double rescued = 0.0;
    for (size_t u = 0; u < study->n_units; u++) {
        rescued += is_rescued(study->units[u]);
    }
    return ablation_passes(in, in->positions->n) *
               ((double)(study->n_units * study->n_kinds + group_sets(options)) + rescued) +
           ablation_passes(in, pair_positions(in, options)) * (double)pair_sets(in);
}

static int run_parts(AblationStudy *out, const AblationInputs *in,
                     const AblationStudyOptions *options, const Work *work)
{
    int rc = run_singles(out, in, work);
    rc = rc ? rc : add_clean(out, in->positions, work->seed);
    rc = rc ? rc : run_rescue(out, in, work);
    for (int unit = 0; unit < N_ABLATION_UNITS && rc == 0; unit++) {
        AblationUnitKind kind = (AblationUnitKind)unit;
        if (out->count[unit] > 0) {
            rc = add_shares(out, in, kind, work);
            rc = rc || out->count[unit] < 3 ? rc : add_ranks(out, kind);
        }
        if (rc == 0 && (kind == ABLATE_HEAD || kind == ABLATE_NEURON)) {
            rc = add_groups(out, in, kind, options, work);
        }
    }
    size_t few = pair_positions(in, options);
    rc = rc || few == 0 ? rc : run_pairs(out, in, few, work);
    return rc || !options->curves ? rc : run_curves(out, in, work);
}

int ablation_study_run(AblationStudy *out, const AblationInputs *in,
                       const AblationStudyOptions *options, const Work *work)
{
    StudyTicks ticks = {.work = work};
    Work counted = *work;
    *out = (AblationStudy){0};
    counted.tick = study_tick;
    counted.context = &ticks;
    int rc = list_units(out, &in->gpt->cfg, options);
    if (rc == 0) {
        ticks.total = count_passes(out, in, options);
        rc = run_parts(out, in, options, &counted);
    }
    if (rc != 0) {
        ablation_study_release(out);
    }
    return rc;
}

void ablation_study_release(AblationStudy *study)
{
    for (size_t i = 0; i < study->n_groups; i++) {
        ablation_groups_release(&study->groups[i].groups);
    }
    ablation_pairs_release(&study->pairs);
    ablation_curves_release(&study->curves);
    ablation_release(&study->result);
    mem_free(study->units);
    mem_free(study->rows);
    mem_free(study->curve_rows);
    *study = (AblationStudy){0};
}

size_t ablation_study_bytes(const AblationInputs *in, const AblationStudyOptions *options,
                            const Work *work)
{
    size_t units = ablation_units_count(&in->gpt->cfg, options->units), n = in->positions->n;
    size_t sets = units * (size_t)__builtin_popcount(options->kinds);
    /* Units by themselves stay; beside them there is one other result at a time. */
    const GptConfig *cfg = &in->gpt->cfg;
    const size_t points =
        2 * (size_t)cfg->n_layers; /* of the curves, whose effects are copied once */
    const size_t curves = 2 * points * n * sizeof(AblationEffect) +
                          in->gpt->n_numbers * sizeof(real) +
                          work_workers(work) * prefix_bytes(cfg, ABLATION_CHUNK_LAST, TAPE_FORWARD);
    const size_t others[] = {ablation_result_bytes(in, n, units), options->curves ? curves : 0,
                             ablation_result_bytes(in, n, group_sets(options)),
                             ablation_result_bytes(in, pair_positions(in, options), pair_sets(in)) +
                                 pair_sets(in) * sizeof(AblationPair)};
    size_t most = 0;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        most = others[i] > most ? others[i] : most;
    }
    return ablation_result_bytes(in, n, sets) + sets * sizeof(AblationRow) + most +
           BOOTSTRAP_REPLICATES * in->positions->n_games + ablation_worker_bytes(in, work);
}

double ablation_study_flops(const AblationInputs *in, const AblationStudyOptions *options)
{
    const GptConfig *cfg = &in->gpt->cfg;
    double all = 0.0, joint_sets = (double)group_sets(options);
    joint_sets +=
        (double)pair_sets(in) * (double)pair_positions(in, options) / (double)in->positions->n;
    for (int layer = 0; layer < cfg->n_layers; layer++) {
        AblationUnit unit = {ABLATE_HEAD, layer, 0};
        AblationSet set = {&unit, 1, ABLATION_ZERO, false};
        double one = ablation_flops(in, &set, 1);
        for (int kind = 0; kind < N_ABLATION_UNITS; kind++) {
            double units = (double)ablation_units_count(cfg, options->units & 1U << kind);
            double passes = __builtin_popcount(options->kinds) + (kind == ABLATE_NEURON ? 0 : 1);
            all += kind == ABLATE_INPUT && layer > 0 ? 0 : one * passes * units / cfg->n_layers;
        }
        all += one * joint_sets / cfg->n_layers;
    }
    return all;
}
