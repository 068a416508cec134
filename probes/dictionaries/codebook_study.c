/* probes/dictionaries/codebook_study.c - see probes/dictionaries/codebook_study.h. */
#include "probes/dictionaries/codebook_study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/activations.h"
#include "probes/dictionaries/codebook_inputs.h"
#include "probes/dictionaries/trained_twins.h"
#include "probes/dictionaries/twins.h"

#define GROUP_WIDTH 0.2 /* of the goal */
enum { STUDY_FIT, STUDY_VALID, STUDY_TEST, STUDY_SETS };

/* A network and its rows: that of the study, or one with random weights. */
typedef struct StudyNetwork {
    const Gpt *gpt;
    float *x[STUDY_SETS], *neurons[STUDY_SETS];
    CodebookData data;
    SpliceScore clean, zero;
} StudyNetwork;

typedef struct CodebookRun {
    CodebookStudy *out;
    const CodebookStudyInputs *in;
    const Work *work;
    Work inner;       /* of what is called: its ticks are details of a row */
    const char *what; /* is under way: "the network", or the name of a row */
    const LabelledSet *sets[STUDY_SETS];
    uint8_t *labels[STUDY_SETS], *other[STUDY_SETS];
    StudyNetwork own, random;
    Gpt *random_gpt;
    Codebook probe;     /* all its directions: by them absorption is judged */
    size_t done, total; /* rows */
} CodebookRun;

/* What is called from here says how far it is: "pca: coverage, 50 %". */
static void tick_inner(void *context, const char *stage, double done, double total)
{
    const CodebookRun *run = context;
    char detail[CODEBOOK_NAME + 64];
    snprintf(detail, sizeof(detail), "%s: %s, %.0f %%", run->what, stage,
             total > 0 ? 100 * done / total : 0);
    work_tick(run->work, detail, (double)run->done, (double)run->total);
}

/* ---- rows ---- */

static int label_sets(CodebookRun *run)
{
    int rc = 0;
    for (int i = 0; i < STUDY_SETS && rc == 0; i++) {
        rc = codebook_inputs_labels(&run->labels[i], &run->other[i], run->sets[i], &run->inner);
    }
    return rc;
}

static void network_release(StudyNetwork *network)
{
    for (int i = 0; i < STUDY_SETS; i++) {
        mem_free(network->x[i]);
        mem_free(network->neurons[i]);
    }
    splice_release(&network->clean);
    splice_release(&network->zero);
    *network = (StudyNetwork){0};
}

static int capture(float **out, const CodebookRun *run, const StudyNetwork *network, int set,
                   HookSite site)
{
    const PositionSet *positions = &run->sets[set]->set;
    const SiteLayers where = {site, &run->in->layer, 1};
    const size_t width = hook_width(&network->gpt->cfg, site, 0);
    *out = mem_alloc(positions->n_positions * width, sizeof(float), "rows of a network");
    return *out ? activations_capture(out, positions, network->gpt, &where, &run->inner)
                : OGPT_ENOMEM;
}

static int network_open(StudyNetwork *network, CodebookRun *run, const Gpt *gpt, bool neurons)
{
    const CodebookStudyInputs *in = run->in;
    const SplicePlace place = {gpt, in->site, in->layer};
    CodebookRows *rows[] = {&network->data.fit, &network->data.valid, &network->data.test};
    int rc = 0;
    network->gpt = gpt;
    network->data.width = hook_width(&gpt->cfg, in->site, 0);
    network->data.n_neurons = neurons ? (size_t)gpt->cfg.d_mlp : 0;
    for (int i = 0; i < STUDY_SETS && rc == 0; i++) {
        rc = capture(&network->x[i], run, network, i, in->site);
        rc = rc || !neurons ? rc : capture(&network->neurons[i], run, network, i, HOOK_POST);
        *rows[i] = (CodebookRows){.x = network->x[i],
                                  .neurons = network->neurons[i],
                                  .board = {run->sets[i]->set.n_positions,
                                            run->sets[i]->set.n_games, run->labels[i],
                                            run->sets[i]->set.first, run->sets[i]->n_squares},
                                  .other = run->other[i]};
    }
    const PositionSet *test = &run->sets[STUDY_TEST]->set;
    rc = rc ? rc : splice_score(&network->clean, &place, SPLICE_NONE, NULL, test, &run->inner);
    return rc ? rc : splice_score(&network->zero, &place, SPLICE_ZERO, NULL, test, &run->inner);
}

static TwinSource twin_source(const CodebookRun *run)
{
    const CodebookData *data = &run->own.data;
    return (TwinSource){.x = data->fit.x,
                        .n = data->fit.board.n,
                        .width = data->width,
                        .neurons = data->fit.neurons,
                        .n_neurons = data->n_neurons,
                        .probe = run->in->probe,
                        .probe_index =
                            run->in->probe ? probe_layer_index(run->in->probe, run->in->layer) : 0,
                        .seed = run->work->seed};
}

static int open_probe(CodebookRun *run)
{
    const TwinSource source = twin_source(run);
    int rc = source.probe ? twin_make(&run->probe, TWIN_PROBE, &source, 0, 0, &run->inner) : 0;
    run->own.data.probe = source.probe && rc == 0 ? &run->probe : NULL;
    return rc;
}

/* ---- one row ---- */

/* A row as the journal keeps it: its scores, then these. */
enum {
    KEPT_EXCESS,
    KEPT_STRICT = 3,
    KEPT_LOSS = 6,
    KEPT_RECOVERED,
    KEPT_FEATURES,
    KEPT_DRAWS,
    KEPT_MORE = KEPT_DRAWS + BOOTSTRAP_REPLICATES
};
_Static_assert(sizeof(CodebookScore) % sizeof(double) == 0, "all members are doubles");
enum { KEPT_SCORES = sizeof(CodebookScore) / sizeof(double) };

static int row_compute(CodebookStudyRow *row, const CodebookRun *run, const StudyNetwork *network,
                       const Codebook *codebook)
{
    const SplicePlace place = {network->gpt, run->in->site, run->in->layer};
    SpliceScore spliced = {0};
    int rc = codebook_measure(row->score, codebook, &network->data, &run->inner);
    rc = rc ? rc
            : splice_score(&spliced, &place, SPLICE_CODEBOOK, codebook, &run->sets[STUDY_TEST]->set,
                           &run->inner);
    rc = rc ? rc
            : splice_excess(&row->excess, &row->strict, row->excess_draws, &spliced,
                            &network->clean, run->work->seed);
    if (rc == 0) {
        const double n = spliced.total.positions;
        row->features = codebook->features;
        row->loss = spliced.total.loss / n;
        row->recovered = (network->zero.total.loss - spliced.total.loss) /
                         (network->zero.total.loss - network->clean.total.loss);
    }
    splice_release(&spliced);
    return rc;
}

static void row_give(double *numbers, const CodebookStudyRow *row)
{
    double *more = numbers + KEPT_SCORES;
    memcpy(numbers, row->score, sizeof(*row->score));
    memcpy(more + KEPT_EXCESS, &row->excess, sizeof(row->excess));
    memcpy(more + KEPT_STRICT, &row->strict, sizeof(row->strict));
    more[KEPT_LOSS] = row->loss;
    more[KEPT_RECOVERED] = row->recovered;
    more[KEPT_FEATURES] = (double)row->features;
    memcpy(more + KEPT_DRAWS, row->excess_draws, sizeof(row->excess_draws));
}

static void row_take(CodebookStudyRow *row, const double *numbers)
{
    const double *more = numbers + KEPT_SCORES;
    memcpy(row->score, numbers, sizeof(*row->score));
    memcpy(&row->excess, more + KEPT_EXCESS, sizeof(row->excess));
    memcpy(&row->strict, more + KEPT_STRICT, sizeof(row->strict));
    row->loss = more[KEPT_LOSS];
    row->recovered = more[KEPT_RECOVERED];
    row->features = (size_t)more[KEPT_FEATURES];
    memcpy(row->excess_draws, more + KEPT_DRAWS, sizeof(row->excess_draws));
}

/* How the codebook of a row is made; it may take a training. */
typedef int (*RowMaker)(Codebook *out, Sae **trained, const StudyNetwork **network,
                        CodebookRun *run, const CodebookStudyRow *row, size_t which);

/* Fill a row: from the journal if an interrupted run left it there. */
static int row_fill(CodebookStudyRow *row, CodebookRun *run, RowMaker make, size_t which)
{
    const WorkJournal *journal = run->work->journal;
    const size_t block = (size_t)(row - run->out->rows), n = KEPT_SCORES + KEPT_MORE;
    double *numbers = mem_alloc(n, sizeof(*numbers), "a row of dictionaries");
    run->what = row->name;
    row->score = mem_calloc(1, sizeof(*row->score), "scores of a dictionary");
    int known = numbers && row->score && journal
                    ? journal->recall(journal->context, numbers, n, "dictionary", block)
                    : 0;
    int rc = !numbers || !row->score ? OGPT_ENOMEM : known < 0 ? known : 0;
    if (rc == 0 && known == 1) {
        row_take(row, numbers);
    } else if (rc == 0) {
        Codebook codebook = {0};
        Sae *trained = NULL;
        const StudyNetwork *network = &run->own;
        rc = make(&codebook, &trained, &network, run, row, which);
        rc = rc ? rc : row_compute(row, run, network, &codebook);
        if (rc == 0 && journal) {
            row_give(numbers, row);
            rc = journal->keep(journal->context, numbers, n, "dictionary", block);
        }
        codebook_release(&codebook);
        sae_free(trained);
    }
    mem_free(numbers);
    work_tick(run->work, "dictionaries", (double)++run->done, (double)run->total);
    return rc;
}

static CodebookStudyRow *row_add(CodebookRun *run, StudyRole role, const char *name, size_t group,
                                 size_t group_features)
{
    CodebookStudyRow *row = &run->out->rows[run->out->n_rows++];
    *row = (CodebookStudyRow){.role = role, .group = group, .group_features = group_features};
    snprintf(row->name, sizeof(row->name), "%s", name);
    return row;
}

/* ---- makers ---- */

static int make_trained(Codebook *out, Sae **trained, const StudyNetwork **network,
                        CodebookRun *run, const CodebookStudyRow *row, size_t which)
{
    codebook_of_sae(out, run->in->saes[which], row->name, 0);
    return 0;
}

static int make_twin(Codebook *out, Sae **trained, const StudyNetwork **network, CodebookRun *run,
                     const CodebookStudyRow *row, size_t which)
{
    const TwinSource source = twin_source(run);
    return twin_make(out, (Twin)which, &source, row->group, row->features, &run->inner);
}

static TwinShape shape_of(const CodebookStudyRow *row, const CodebookRun *run)
{
    return (TwinShape){row->group, row->features, run->own.data.width};
}

static int make_random_weights(Codebook *out, Sae **trained, const StudyNetwork **network,
                               CodebookRun *run, const CodebookStudyRow *row, size_t which)
{
    const CodebookStudyInputs *in = run->in;
    int rc = 0;
    if (!run->random.gpt) {
        rc = twin_trained_network(&run->random_gpt, in->gpt, run->work->seed);
        rc = rc ? rc : network_open(&run->random, run, run->random_gpt, false);
    }
    rc =
        rc ? rc
           : twin_trained_on_network(trained, in, run->random_gpt, shape_of(row, run), &run->inner);
    if (rc == 0) {
        codebook_of_sae(out, *trained, row->name, row->group);
        *network = &run->random;
    }
    return rc;
}

static int make_gaussian(Codebook *out, Sae **trained, const StudyNetwork **network,
                         CodebookRun *run, const CodebookStudyRow *row, size_t which)
{
    int rc = twin_trained_on_gaussian(trained, run->in, &run->own.data.fit, shape_of(row, run),
                                      &run->inner);
    if (rc == 0) {
        codebook_of_sae(out, *trained, row->name, row->group);
    }
    return rc;
}

/* ---- groups ---- */

static bool has_twin(const CodebookRun *run, Twin twin, size_t group)
{
    const TwinSource source = twin_source(run);
    const bool whole = twin == TWIN_NEURONS || twin == TWIN_PROBE || twin == TWIN_MEAN;
    return twin_exists(twin, &source) && (group > 0 ? twin != TWIN_MEAN : whole);
}

/* With so many groups of equal L0, and the group 0. */
static size_t rows_of(const CodebookRun *run, size_t groups)
{
    size_t rows = run->in->n_saes + (run->in->twin_activations > 0 ? 2 * groups : 0);
    for (Twin twin = 0; twin < N_TWINS; twin++) {
        rows += (has_twin(run, twin, 1) ? groups : 0) + has_twin(run, twin, 0);
    }
    return rows;
}

static double goal_of(const SaeConfig *cfg)
{
    return cfg->k > 0 ? (double)cfg->k : cfg->l0;
}

/* If each has the L0 that it was made for. */
static size_t expected_groups(const CodebookStudyInputs *in)
{
    size_t groups = 0;
    for (size_t i = 0; i < in->n_saes; i++) {
        const SaeConfig *own = &in->saes[i]->cfg;
        bool first = true;
        for (size_t j = 0; j < i; j++) {
            const SaeConfig *other = &in->saes[j]->cfg;
            first = first && !(goal_of(own) == goal_of(other) && own->features == other->features);
        }
        groups += first;
    }
    return groups;
}

/* Twins of an L0; `features` of those that have as many as an autoencoder. */
static int add_group(CodebookRun *run, size_t group, size_t features)
{
    const bool trained = group > 0 && run->in->twin_activations > 0;
    int rc = 0;
    for (Twin twin = 0; twin < N_TWINS && rc == 0; twin++) {
        if (has_twin(run, twin, group)) {
            CodebookStudyRow *row = row_add(run, STUDY_TWIN, twin_name(twin), group, features);
            row->features = features;
            rc = row_fill(row, run, make_twin, twin);
        }
    }
    if (trained && rc == 0) {
        CodebookStudyRow *row =
            row_add(run, STUDY_RANDOM_WEIGHTS, "random_weights", group, features);
        row->features = features;
        rc = row_fill(row, run, make_random_weights, 0);
    }
    if (trained && rc == 0) {
        CodebookStudyRow *row = row_add(run, STUDY_GAUSSIAN, "gaussian", group, features);
        row->features = features;
        rc = row_fill(row, run, make_gaussian, 0);
    }
    return rc;
}

/* The goal of its training where it is near that: then kinds that keep k of a row and kinds that
 * only aim at it stand beside the same twins. */
static size_t group_of(const CodebookStudyRow *row, const SaeConfig *cfg)
{
    const double goal = goal_of(cfg);
    if (fabs(row->score->l0_valid - goal) <= GROUP_WIDTH * goal) {
        return (size_t)lround(goal);
    }
    return row->score->l0_valid < 1 ? 1 : (size_t)lround(row->score->l0_valid);
}

bool codebook_study_grouped(const CodebookStudyRow *a, const CodebookStudyRow *b)
{
    return a->group == b->group && a->group_features == b->group_features;
}

static bool begins_group(const CodebookStudy *study, size_t i)
{
    bool first = true;
    for (size_t j = 0; j < i; j++) {
        first = first && !codebook_study_grouped(&study->rows[j], &study->rows[i]);
    }
    return first;
}

/* The trained ones are measured first, because they say which groups there are; then rows are put
 * in order of their groups. */
static int run_groups(CodebookRun *run)
{
    CodebookStudy *out = run->out;
    const size_t n = run->in->n_saes;
    size_t groups = 0;
    int rc = 0;
    run->total = rows_of(run, expected_groups(run->in));
    for (size_t i = 0; i < n && rc == 0; i++) {
        CodebookStudyRow *row =
            row_add(run, STUDY_TRAINED, run->in->names[i], 0, run->in->saes[i]->cfg.features);
        row->sae = i;
        rc = row_fill(row, run, make_trained, i);
        row->group = rc ? 0 : group_of(row, &run->in->saes[i]->cfg);
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        groups += begins_group(out, i);
    }
    run->total = rows_of(run, groups);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = begins_group(out, i) ? add_group(run, out->rows[i].group, out->rows[i].features) : 0;
    }
    return rc ? rc : add_group(run, 0, 0);
}

static bool comes_later(const CodebookStudyRow *a, const CodebookStudyRow *b)
{
    return a->group == b->group ? a->group_features > b->group_features
                                : a->group - 1 > b->group - 1; /* 0 - 1 is the largest */
}

/* Stable: by group, group 0 last; the trained ones were added first. */
static void sort_rows(CodebookStudy *out)
{
    for (size_t i = 1; i < out->n_rows; i++) {
        CodebookStudyRow row = out->rows[i];
        size_t at = i;
        while (at > 0 && comes_later(&out->rows[at - 1], &row)) {
            out->rows[at] = out->rows[at - 1];
            at--;
        }
        out->rows[at] = row;
    }
}

static int compare_pairs(CodebookRun *run)
{
    CodebookStudy *out = run->out;
    const CodebookStudyInputs *in = run->in;
    const size_t n = in->n_saes;
    run->what = "directions of two";
    out->pairs = mem_calloc(n * n, sizeof(*out->pairs), "pairs of dictionaries");
    int rc = out->pairs ? 0 : OGPT_ENOMEM;
    for (size_t a = 0; a < n; a++) {
        work_tick(&run->inner, "cosines", (double)a, (double)n);
        for (size_t b = 0; b < n && rc == 0; b++) {
            if (a != b && in->saes[a]->cfg.kind == in->saes[b]->cfg.kind) {
                CodebookPair *pair = &out->pairs[out->n_pairs++];
                *pair = (CodebookPair){.from = a, .to = b};
                const MmcsSet from = {in->saes[a]->w_dec, in->saes[a]->cfg.features};
                const MmcsSet to = {in->saes[b]->w_dec, in->saes[b]->cfg.features};
                rc = mmcs_of(&pair->mmcs, NULL, &from, &to, in->saes[a]->cfg.d_out, &run->inner);
            }
        }
    }
    return rc;
}

int codebook_study_run(CodebookStudy *out, const CodebookStudyInputs *in, const Work *work)
{
    CodebookRun run = {.out = out,
                       .in = in,
                       .work = work,
                       .inner = *work,
                       .what = "the network",
                       .sets = {in->fit, in->valid, in->test}};
    run.inner.journal = NULL;
    run.inner.context = &run;
    run.inner.tick = work->tick ? tick_inner : NULL;
    const size_t most = in->n_saes * (1 + N_TWINS + 1) + 3;
    run.total = rows_of(&run, expected_groups(in));
    *out = (CodebookStudy){0};
    out->rows = mem_calloc(most, sizeof(*out->rows), "rows of dictionaries");
    int rc = out->rows ? label_sets(&run) : OGPT_ENOMEM;
    rc = rc ? rc : network_open(&run.own, &run, in->gpt, splice_sees_neurons(in->site, in->layer));
    rc = rc ? rc : open_probe(&run);
    rc = rc ? rc : run_groups(&run);
    rc = rc ? rc : compare_pairs(&run);
    if (rc == 0) {
        const LegalitySums *clean = &run.own.clean.total;
        sort_rows(out);
        out->clean_loss = clean->loss / clean->positions;
        out->floor = clean->floor / clean->positions;
        out->clean_strict = clean->strict_errors / clean->positions;
        out->zero_loss = run.own.zero.total.loss / clean->positions;
    }
    network_release(&run.own);
    network_release(&run.random);
    gpt_free(run.random_gpt);
    codebook_release(&run.probe);
    for (int i = 0; i < STUDY_SETS; i++) {
        mem_free(run.labels[i]);
        mem_free(run.other[i]);
    }
    return rc;
}

void codebook_study_release(CodebookStudy *study)
{
    for (size_t i = 0; i < study->n_rows; i++) {
        mem_free(study->rows[i].score);
    }
    mem_free(study->rows);
    mem_free(study->pairs);
    *study = (CodebookStudy){0};
}

size_t codebook_study_bytes(const CodebookStudyInputs *in, size_t n, size_t features,
                            const Work *work)
{
    const GptConfig *cfg = &in->gpt->cfg;
    const size_t width = hook_width(cfg, in->site, 0);
    const size_t rows =
        in->fit->set.n_positions + in->valid->set.n_positions + in->test->set.n_positions;
    const bool neurons = splice_sees_neurons(in->site, in->layer);
    const bool random = in->twin_activations > 0;
    CodebookData data = {.width = width};
    const size_t own = 2 * n * features * width * sizeof(float); /* of the autoencoders */
    const size_t twins = neurons && (size_t)cfg->d_mlp > 2 * width ? (size_t)cfg->d_mlp : 2 * width;
    data.fit.board.n = in->fit->set.n_positions;
    data.valid.board.n = rows - in->fit->set.n_positions;
    return own +
           rows * ((width * (random ? 2 : 1) + (neurons ? (size_t)cfg->d_mlp : 0)) * sizeof(float) +
                   2 * COVERAGE_SQUARES) +
           codebook_measure_bytes(features > twins ? features : twins, &data, work) +
           activations_scratch_bytes(cfg, work);
}
