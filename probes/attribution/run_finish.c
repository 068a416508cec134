/* probes/attribution/run_finish.c - memory of a run, and from its sums to results. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/attribution/run_internal.h"

/* ---- memory ---- */

static int slot_allocate(RunSlot *slot, const ComponentList *list)
{
    size_t J = list->n, erasers = attribution_erasers(list);
    bool whole = true;
    for (int f = 0; f < N_SLOT_FIELDS; f++) {
        slot->field[f] = mem_calloc(J, sizeof(double), "sums of components");
        whole = whole && slot->field[f];
    }
    slot->erasure.n_erasers = erasers;
    slot->erasure.dot = mem_calloc(J * erasers, sizeof(float), "products of components");
    slot->erasure.self = mem_calloc(J, sizeof(double), "products of components");
    return whole && slot->erasure.dot && slot->erasure.self ? 0 : OGPT_ENOMEM;
}

static void slot_release(RunSlot *slot)
{
    for (int f = 0; f < N_SLOT_FIELDS; f++) {
        mem_free(slot->field[f]);
    }
    mem_free(slot->erasure.dot);
    mem_free(slot->erasure.self);
}

void attribution__slot_clear(RunSlot *slot, const ComponentList *list)
{
    for (int f = 0; f < N_SLOT_FIELDS; f++) {
        memset(slot->field[f], 0, list->n * sizeof(double));
    }
    memset(slot->erasure.dot, 0, list->n * slot->erasure.n_erasers * sizeof(float));
    memset(slot->erasure.self, 0, list->n * sizeof(double));
    memset(slot->moments, 0, sizeof(slot->moments));
    slot->identity_error = slot->largest = 0;
}

void attribution__slot_add(RunSlot *to, const RunSlot *slot, const ComponentList *list)
{
    for (size_t j = 0; j < list->n; j++) {
        for (int f = 0; f < N_SLOT_FIELDS; f++) {
            to->field[f][j] += slot->field[f][j];
        }
        to->erasure.self[j] += slot->erasure.self[j];
    }
    for (size_t i = 0; i < list->n * slot->erasure.n_erasers; i++) {
        to->erasure.dot[i] += slot->erasure.dot[i];
    }
    for (int m = 0; m < N_MOMENTS; m++) {
        to->moments[m] += slot->moments[m];
    }
    to->identity_error = fmax(to->identity_error, slot->identity_error);
    to->largest = fmax(to->largest, slot->largest);
}

/* Groups: tok, pos, bias, then of each layer heads, their bias, MLP. */
static size_t group_of(Component what)
{
    size_t layer = 3 + 3 * (size_t)(what.layer < 0 ? 0 : what.layer);
    switch (what.kind) {
    case COMPONENT_TOKEN: return 0;
    case COMPONENT_POSITION: return 1;
    case COMPONENT_BIAS: return 2;
    case COMPONENT_HEAD:
    case COMPONENT_SOURCE: return layer;
    case COMPONENT_ATTENTION_BIAS: return layer + 1;
    default: return layer + 2;
    }
}

static int worker_allocate(RunWorker *w, const AttributionRun *run, size_t most_rows)
{
    w->game = SIZE_MAX;
    w->rows = mem_alloc(most_rows, sizeof(*w->rows), "rows of a pass");
    int rc = w->rows ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : writes_init(&w->writes, run->gpt, &run->list, most_rows, PASS_GAMES);
    return rc ? rc
              : attributor_new(&w->attributor, run->gpt, &run->list, &run->target->readout,
                               kernels_fast(), run->options->all);
}

int attribution__allocate(AttributionRun *run, size_t most_rows)
{
    size_t J = run->list.n, n = run->positions->set.n_games, K = run->target->readout.n_columns;
    Attribution *out = run->out;
    run->workers = mem_calloc(run->n_workers, sizeof(*run->workers), "workers");
    run->slots = mem_calloc(run->n_slots, sizeof(*run->slots), "passes");
    run->group_of = mem_alloc(J, sizeof(*run->group_of), "groups of components");
    run->values = mem_calloc(n * J, sizeof(double), "values of components");
    run->groups = mem_calloc(n * 3 * run->n_groups, sizeof(double), "values of groups");
    run->numbers = mem_calloc(n, sizeof(double), "numbers of games");
    run->counts = mem_calloc(n, sizeof(double), "positions of games");
    out->rows = mem_calloc(J, sizeof(*out->rows), "components");
    out->shares = mem_calloc(out->n_shares, sizeof(*out->shares), "shares");
    if (run->options->all) {
        out->all = mem_calloc(J * K, sizeof(*out->all), "contributions");
        out->columns = mem_calloc(K, sizeof(*out->columns), "columns");
    }
    bool whole = run->workers && run->slots && run->group_of && run->values && run->groups &&
                 run->numbers && run->counts && out->rows && out->shares &&
                 (!run->options->all || (out->all && out->columns));
    int rc = whole ? slot_allocate(&run->sums, &run->list) : OGPT_ENOMEM;
    rc = rc ? rc : slot_allocate(&run->block, &run->list);
    for (size_t i = 0; i < run->n_slots && rc == 0; i++) {
        rc = slot_allocate(&run->slots[i], &run->list);
    }
    for (size_t i = 0; i < run->n_workers && rc == 0; i++) {
        rc = worker_allocate(&run->workers[i], run, most_rows);
    }
    for (size_t j = 0; j < J && rc == 0; j++) {
        run->group_of[j] = group_of(component_at(&run->list, j));
    }
    return rc;
}

void attribution__release(AttributionRun *run)
{
    for (size_t i = 0; run->workers && i < run->n_workers; i++) {
        attributor_free(run->workers[i].attributor);
        writes_release(&run->workers[i].writes);
        mem_free(run->workers[i].rows);
    }
    for (size_t i = 0; run->slots && i < run->n_slots; i++) {
        slot_release(&run->slots[i]);
    }
    slot_release(&run->sums);
    slot_release(&run->block);
    mem_free(run->workers);
    mem_free(run->slots);
    mem_free(run->group_of);
    mem_free(run->values);
    mem_free(run->groups);
    mem_free(run->numbers);
    mem_free(run->counts);
}

/* ---- results ---- */

/* The later component that takes back most. */
static void set_erased(AttributionRow *row, const RunSlot *sums, const ComponentList *list,
                       size_t j)
{
    size_t n = sums->erasure.n_erasers;
    for (size_t e = 0; e < n && sums->erasure.self[j] > 0; e++) {
        double share = -(double)sums->erasure.dot[j * n + e] / sums->erasure.self[j];
        if (share > row->erased && attribution_erases(list, e, j)) {
            row->erased = share;
            row->eraser = attribution_eraser(list, e);
        }
    }
}

static void set_rows(Attribution *out, const AttributionRun *run, const Interval *values)
{
    double n = (double)out->n_positions;
    for (size_t j = 0; j < run->list.n; j++) {
        AttributionRow *row = &out->rows[j];
        row->what = component_at(&run->list, j);
        row->value = values[j];
        row->other_ln = run->sums.field[SLOT_OTHER_LN][j] / n;
        row->random = run->sums.field[SLOT_RANDOM][j] / n;
        row->shuffled = run->positions->shuffled ? run->sums.field[SLOT_SHUFFLED][j] / n : NAN;
        row->magnitude = run->sums.field[SLOT_MAGNITUDE][j] / n;
        row->random_magnitude = run->sums.field[SLOT_RANDOM_MAGNITUDE][j] / n;
        set_erased(row, &run->sums, &run->list, j);
        out->n_erased += row->erased > ATTRIBUTION_ERASED;
    }
}

static void set_agreement(Attribution *out, const AttributionRun *run)
{
    const double *m = run->sums.moments;
    double xx = m[3] - m[1] * m[1] / m[0], xy = m[4] - m[1] * m[2] / m[0];
    double yy = m[5] - m[2] * m[2] / m[0];
    bool normed = run->target->readout.normed;
    out->ln_gap = normed ? m[6] / m[7] : NAN;
    out->correlation = normed ? xy / sqrt(xx * yy) : NAN;
    out->slope = normed ? xy / xx : NAN;
    out->identity_error = run->sums.identity_error;
    out->largest = run->sums.largest;
}

/* Intervals only where there is more than one game. */
static Interval interval_of(const double *above, const double *below, size_t n, const Work *work)
{
    Interval out = bootstrap_ratio(above, below, n, work->seed);
    if (n < 2) {
        out.low = out.high = NAN;
    }
    return out;
}

/* The kind of a group, and its layer. */
static void name_shares(Attribution *out, const AttributionRun *run)
{
    for (size_t j = 0; j < run->list.n; j++) {
        AttributionShare *share = &out->shares[run->group_of[j]];
        Component what = component_at(&run->list, j);
        share->layer = what.layer;
        share->kind = what.kind == COMPONENT_SOURCE ? COMPONENT_HEAD
                      : what.kind == COMPONENT_NEURON || what.kind == COMPONENT_MLP_BIAS
                          ? COMPONENT_MLP
                          : what.kind;
    }
    for (size_t i = 0; i < ATTRIBUTION_ALL; i++) {
        out->shares[run->n_groups + i] = (AttributionShare){
            .kind = i == 0 ? COMPONENT_HEAD : COMPONENT_MLP, .layer = -1, .all = true};
    }
}

/* column (n games) = field f of a share: of one group, or of all groups of its kind. */
static void share_column(double *column, const AttributionRun *run, size_t share, size_t f,
                         size_t n)
{
    const AttributionShare *shares = run->out->shares;
    size_t G = run->n_groups;
    for (size_t i = 0; i < n; i++) {
        const double *groups = run->groups + (i * 3 + f) * G;
        column[i] = share < G ? groups[share] : 0;
        for (size_t g = 0; g < G && share >= G; g++) {
            column[i] += shares[g].kind == shares[share].kind ? groups[g] : 0;
        }
    }
}

static int set_shares(Attribution *out, const AttributionRun *run, size_t n, const Work *work)
{
    double *column = mem_alloc(n, sizeof(*column), "values of games");
    if (!column) {
        return OGPT_ENOMEM;
    }
    if (out->n_shares > 0) {
        name_shares(out, run);
    }
    for (size_t g = 0; g < out->n_shares; g++) {
        AttributionShare *share = &out->shares[g];
        Interval *to[] = {&share->share, &share->random, &share->shuffled};
        for (size_t f = 0; f < 3; f++) {
            share_column(column, run, g, f, n);
            *to[f] = interval_of(column, run->numbers, n, work);
        }
        if (!run->positions->shuffled) {
            share->shuffled = (Interval){NAN, NAN, NAN};
        }
    }
    mem_free(column);
    return 0;
}

/* Games without a position count in nothing: take them out. Returns how many are left. */
static size_t keep_games(AttributionRun *run)
{
    size_t J = run->list.n, G = 3 * run->n_groups, kept = 0;
    for (size_t g = 0; g < run->positions->set.n_games; g++) {
        if (run->counts[g] > 0) {
            memmove(run->values + kept * J, run->values + g * J, J * sizeof(double));
            memmove(run->groups + kept * G, run->groups + g * G, G * sizeof(double));
            run->numbers[kept] = run->numbers[g];
            run->counts[kept++] = run->counts[g];
        }
    }
    return kept;
}

int attribution__finish(AttributionRun *run, const Work *work)
{
    Attribution *out = run->out;
    size_t J = run->list.n, n = keep_games(run);
    Interval *values = mem_alloc(J, sizeof(*values), "intervals");
    if (!values) {
        return OGPT_ENOMEM;
    }
    out->n_games = n;
    out->n_positions = run->positions->set.n_positions;
    int rc = n < 2 ? 0 : attribution_intervals(values, run->values, run->counts, n, J, work);
    for (size_t j = 0; j < J && n == 1; j++) {
        values[j] = (Interval){run->values[j] / run->counts[0], NAN, NAN};
    }
    if (rc == 0) {
        out->number = interval_of(run->numbers, run->counts, n, work);
        set_rows(out, run, values);
        set_agreement(out, run);
        rc = set_shares(out, run, n, work);
    }
    mem_free(values);
    return rc;
}
