/* probes/attribution/attribution_run.c - games through the network, contributions added up. A pass
 * adds to its games and to its slot; slots are added in the order of the games, so the number of
 * workers changes no bit. Contract in probes/attribution/attribution_run.h. */
#include "probes/attribution/attribution_run.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/attribution/run_internal.h"

/* ---- memory ---- */

static size_t largest_pass(const PositionSet *set)
{
    size_t most = 0;
    for (size_t g = 0; g < set->n_games; g += PASS_GAMES) {
        size_t end = g + PASS_GAMES < set->n_games ? g + PASS_GAMES : set->n_games;
        size_t n = set->first[end] - set->first[g];
        most = n > most ? n : most;
    }
    return most;
}

static size_t n_groups(const ComponentList *list)
{
    bool divided = list->grain != GRAIN_LAYER && list->grain != GRAIN_PART;
    return divided ? 3 + 2 * (size_t)list->n_attention + (size_t)list->n_mlp : 0;
}

static size_t slots_of(const PositionSet *set, const Work *work)
{
    size_t window = passes_window(work), passes = (set->n_games + PASS_GAMES - 1) / PASS_GAMES;
    return passes < window ? passes : window;
}

size_t attribution_bytes(const GptConfig *cfg, const AttributionTarget *target,
                         const AttributionPositions *positions, const AttributionOptions *options,
                         const Work *work)
{
    const PositionSet *set = &positions->set;
    ComponentList list =
        components_of(cfg, options->grain, target->readout.site, target->readout.layer);
    size_t slot = list.n * (N_SLOT_FIELDS * sizeof(double) + sizeof(double)) +
                  list.n * attribution_erasers(&list) * sizeof(float);
    size_t game = (list.n + 3 * n_groups(&list) + 2) * sizeof(double);
    size_t worker = attributor_bytes(cfg, &list, target->readout.n_columns, options->all) +
                    writes_bytes(cfg, &list, largest_pass(set), PASS_GAMES);
    return passes_bytes(cfg, TAPE_FORWARD, PASS_GAMES, work) + work_workers(work) * worker +
           (slots_of(set, work) + 3) * slot + set->n_games * game +
           BOOTSTRAP_REPLICATES * set->n_games * sizeof(uint16_t);
}

/* ---- a pass ---- */

static void want_rows(AttributionRun *run, size_t worker, const PassBatch *pass)
{
    const PositionSet *set = &run->positions->set;
    RunWorker *w = &run->workers[worker];
    size_t n = 0, game = run->first_game + pass->game;
    for (size_t b = 0; b < pass->B; b++) {
        for (size_t i = set->first[game + b]; i < set->first[game + b + 1]; i++) {
            w->rows[n++] = b * pass->T + set->t[i];
        }
    }
    writes_begin(&w->writes, pass->tokens, pass->B, pass->T, w->rows, n);
    w->game = pass->game;
}

static int run_hook(void *context, const PassBatch *pass, const HookPoint *point)
{
    AttributionRun *run = context;
    RunWorker *w = &run->workers[pass->worker];
    if (w->game != pass->game) { /* the first site of this pass */
        want_rows(run, pass->worker, pass);
    }
    writes_take(&w->writes, point);
    return 0;
}

/* What the network or the probe says: columns (K) of the row i of a worker's pass. */
static void read_columns(double *columns, const AttributionRun *run, const RunWorker *w,
                         const PassBatch *pass, size_t i)
{
    const AttributionTarget *target = run->target;
    size_t K = target->readout.n_columns;
    if (!target->probe) {
        const real *logits = pass->logits + w->rows[i] * (K + 1);
        for (size_t k = 0; k < K; k++) {
            columns[k] = logits[k + 1];
        }
        return;
    }
    float scores[BOARD_SQUARES * TASK_MAX_CLASSES];
    size_t classes = (size_t)target->probe->n_classes;
    probe_scores(scores, target->probe, target->index,
                 w->writes.stream + i * (size_t)target->probe->d_model, 1);
    for (size_t k = 0; k < K; k++) {
        columns[k] = (double)scores[k * classes + (size_t)target->one] -
                     (double)scores[k * classes + (size_t)target->other];
    }
}

/* The identity at one row; also the number that is attributed. */
static int check_row(double *number, RunSlot *slot, const AttributionRun *run,
                     const double *columns, const double *total, size_t position)
{
    size_t K = run->target->readout.n_columns;
    const float *weights = run->positions->weights + position * K;
    *number = 0;
    for (size_t k = 0; k < K; k++) {
        if (!isfinite(columns[k]) || !isfinite(total[k])) {
            return err_set(OGPT_ENUM,
                           "position %zu: column %zu is not finite; check the model (ogpt verify)",
                           position, k);
        }
        slot->identity_error = fmax(slot->identity_error, fabs(total[k] - columns[k]));
        slot->largest = fmax(slot->largest, fabs(columns[k]));
        *number += (double)weights[k] * columns[k];
    }
    return 0;
}

/* One row into the sums of its slot and of its game. */
static void add_values(AttributionRun *run, RunSlot *slot, size_t game, const AttributionValues *v,
                       size_t i)
{
    size_t J = run->list.n, at = i * J;
    double *values = run->values + game * J, *groups = run->groups + game * 3 * run->n_groups;
    const double *own = run->options->recomputed ? v->recomputed : v->frozen;
    const double *other = run->options->recomputed ? v->frozen : v->recomputed;
    for (size_t j = 0; j < J; j++, at++) {
        values[j] += own[at];
        slot->field[SLOT_OTHER_LN][j] += other[at];
        slot->field[SLOT_RANDOM][j] += v->random[at];
        slot->field[SLOT_SHUFFLED][j] += v->shuffled[at];
        slot->field[SLOT_MAGNITUDE][j] += v->magnitude[at];
        slot->field[SLOT_RANDOM_MAGNITUDE][j] += v->random_magnitude[at];
        if (run->n_groups > 0) {
            double *group = groups + run->group_of[j];
            group[0] += v->frozen[at];
            group[run->n_groups] += v->random[at];
            group[2 * run->n_groups] += v->shuffled[at];
        }
        if (j + 1 < J) { /* the constant cannot be removed */
            double x = v->frozen[at], y = v->recomputed[at];
            slot->moments[0] += 1;
            slot->moments[1] += x;
            slot->moments[2] += y;
            slot->moments[3] += x * x;
            slot->moments[4] += x * y;
            slot->moments[5] += y * y;
            slot->moments[6] += fabs(x - y);
            slot->moments[7] += fabs(x);
        }
    }
}

static int add_rows(AttributionRun *run, const PassBatch *pass, size_t first, size_t n,
                    size_t *game)
{
    const PositionSet *set = &run->positions->set;
    RunWorker *w = &run->workers[pass->worker];
    RunSlot *slot = &run->slots[pass->slot];
    size_t K = run->target->readout.n_columns;
    size_t position = set->first[run->first_game + pass->game] + first;
    const float *shuffled = run->positions->shuffled;
    const AttributionValues *v =
        attributor_rows(w->attributor, &w->writes, run->positions->weights + position * K,
                        shuffled ? shuffled + position * K : NULL, first, n);
    double columns[BOARD_SQUARES], number;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++, position++) {
        while (position >= set->first[*game + 1]) {
            ++*game;
        }
        read_columns(columns, run, w, pass, first + i);
        rc = check_row(&number, slot, run, columns, v->total + i * K, position);
        run->numbers[*game] += number;
        run->counts[*game] += 1;
        add_values(run, slot, *game, v, i);
        if (position == 0 && run->out->all) {
            memcpy(run->out->all, v->all, run->list.n * K * sizeof(real));
            memcpy(run->out->columns, columns, K * sizeof(double));
        }
    }
    if (rc == 0) {
        attributor_add_erasure(&slot->erasure, w->attributor, &w->writes);
    }
    return rc;
}

static int run_visit(void *context, const PassBatch *pass)
{
    AttributionRun *run = context;
    RunWorker *w = &run->workers[pass->worker];
    size_t game = run->first_game + pass->game;
    int rc = 0;
    if (w->game != pass->game) { /* no site was asked for */
        want_rows(run, pass->worker, pass);
    }
    attribution__slot_clear(&run->slots[pass->slot], &run->list);
    for (size_t first = 0; first < w->writes.n && rc == 0; first += ATTRIBUTION_ROWS) {
        size_t left = w->writes.n - first;
        rc = add_rows(run, pass, first, left < ATTRIBUTION_ROWS ? left : ATTRIBUTION_ROWS, &game);
    }
    w->game = SIZE_MAX; /* the next block counts from 0 again */
    return rc;
}

static int run_gather(void *context, size_t first, size_t n)
{
    AttributionRun *run = context;
    for (size_t slot = 0; slot * PASS_GAMES < n; slot++) {
        attribution__slot_add(&run->block, &run->slots[slot], &run->list);
    }
    return 0;
}

/* ---- the whole ---- */

/* Games first .. first+n-1: their values, and run->block. */
static int run_block(AttributionRun *run, size_t first, size_t n, const Work *work)
{
    const PositionSet *set = &run->positions->set;
    PassGames games = {.vocab = set->vocab,
                       .n = n,
                       .moves = set->moves + first * (size_t)set->vocab->variant->n_moves,
                       .read = run->positions->read ? run->positions->read + first : NULL};
    PassCalls calls = {.context = run, .hook = run_hook, .visit = run_visit, .gather = run_gather};
    run->first_game = first;
    writes_want(calls.sites, &run->list);
    return passes_run(run->gpt, &games, &calls, work);
}

/* A block of games after the other; those of long runs are kept. */
static int run_blocks(AttributionRun *run, const Work *work)
{
    size_t n_games = run->positions->set.n_games, each = attribution__block_games(run);
    bool one = n_games <= each;
    bool kept = run->options->block_games > 0 ||
                run->positions->set.n_positions > ATTRIBUTION_KEPT_POSITIONS;
    const WorkJournal *journal = kept && !one ? work->journal : NULL;
    const Work quiet = work_quiet(work);
    int rc = 0;
    for (size_t first = 0, block = 0; first < n_games && rc == 0; first += each, block++) {
        size_t n = n_games - first < each ? n_games - first : each;
        int found = 0;
        attribution__slot_clear(&run->block, &run->list);
        if (journal) {
            found = attribution__recall(run, journal, block, first, n);
            rc = found < 0 ? found : 0;
        }
        if (!found) {
            rc = run_block(run, first, n, one ? work : &quiet);
            rc = rc || !journal ? rc : attribution__keep(run, journal, block, first, n);
        }
        if (rc == 0) {
            attribution__slot_add(&run->sums, &run->block, &run->list);
        }
        if (!one) {
            work_tick(work, "games", (double)(first + n), (double)n_games);
        }
    }
    return rc;
}

int attribution_run(Attribution *out, const Gpt *gpt, const AttributionTarget *target,
                    const AttributionPositions *positions, const AttributionOptions *options,
                    const Work *work)
{
    const PositionSet *set = &positions->set;
    AttributionRun run = {.out = out,
                          .gpt = gpt,
                          .target = target,
                          .positions = positions,
                          .options = options,
                          .n_workers = work_workers(work),
                          .n_slots = slots_of(set, work)};
    run.list =
        components_of(&gpt->cfg, options->grain, target->readout.site, target->readout.layer);
    run.list.back = options->back;
    run.n_groups = n_groups(&run.list);
    *out = (Attribution){.list = run.list,
                         .n_shares = run.n_groups > 0 ? run.n_groups + ATTRIBUTION_ALL : 0};
    int rc = attribution__allocate(&run, largest_pass(set));
    rc = rc ? rc : run_blocks(&run, work);
    rc = rc ? rc : attribution__finish(&run, work);
    attribution__release(&run);
    if (rc != 0) {
        attribution_release(out);
    }
    return rc;
}

void attribution_release(Attribution *attribution)
{
    mem_free(attribution->rows);
    mem_free(attribution->shares);
    mem_free(attribution->all);
    mem_free(attribution->columns);
    *attribution = (Attribution){0};
}
