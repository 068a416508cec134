/* probes/alignment/alignment.c - contract in probes/alignment/alignment.h. */
#include "probes/alignment/alignment.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/layouts/layouts.h"
#include "num/blas.h"
#include "num/matrices/general.h"
#include "num/matrices/procrustes.h"
#include "probes/activations/activations.h"
#include "probes/activations/passes.h"
#include "probes/legality/legality.h"

#define CHUNK_ROWS 256 /* of rows that are mapped at a time */

static const char *const names[N_ALIGNMENT_MAPS] = {ALIGNMENT_MAPS(ENUM_NAME)};
const char *alignment_map_name(AlignmentMap map)
{
    return names[map];
}

const char *alignment_fault(const AlignmentSide *from, const AlignmentSide *to)
{
    if (from->gpt->cfg.d_model != to->gpt->cfg.d_model) {
        return "their streams have different widths, and no rotation joins them";
    }
    if (from->gpt->cfg.n_layers != to->gpt->cfg.n_layers) {
        return "they have different numbers of layers";
    }
    if (game_variant_played(from->vocab->variant) != game_variant_played(to->vocab->variant)) {
        return "they play different games, so they never see the same positions";
    }
    return NULL;
}

int alignment_renamed(bool *renamed, const AlignmentSide *from, const AlignmentSide *to)
{
    uint8_t order[BOARD_SQUARES];
    Gpt *turned = NULL;
    *renamed = false;
    if (from->gpt->n_numbers != to->gpt->n_numbers) {
        return 0;
    }
    int rc = gpt_new(&turned, &from->gpt->cfg);
    if (rc == 0) {
        memcpy(turned->params, from->gpt->params, turned->n_numbers * sizeof(*turned->params));
        vocab_translate(order, to->vocab, from->vocab);
        rc = gpt_permute_tokens(turned, order);
    }
    *renamed = rc == 0 && memcmp(turned->params, to->gpt->params,
                                 turned->n_numbers * sizeof(*turned->params)) == 0;
    gpt_free(turned);
    return rc;
}

/* Positions of one part of the games, as each side writes them: the same but for the vocabulary. */
typedef struct AlignmentPart {
    GameSource *source;
    PositionSet set[2]; /* of from, of to; the second borrows from the first */
    float *rows[2];     /* (n_positions, d) of the layer at hand */
} AlignmentPart;

typedef struct Alignment {
    const AlignmentSide *side[2];
    size_t d, n_layers; /* width; places: the embedding and each block */
    AlignmentPart fit, test;
    double *products; /* (n_layers + 1, d, d) x^T y of each place, then their sum; then as many
                       * of unpaired rows */
    float *maps;      /* (2 n_layers + 2, d, d): own, unpaired, shared, random */
    double *mean;     /* (n_layers, d) of y in the fit games */
    double *ranks;    /* (n_layers) */
    const Work *work; /* quiet */
    const Work *listen;
    size_t done; /* parts of the work that are told */
} Alignment;

/* Rows of a place for the maps; all maps; answers of both networks; rows of a place for the scores;
 * a map of a place. */
static void part_told(Alignment *a)
{
    size_t parts = a->n_layers + 1 + 2 + a->n_layers * (1 + N_ALIGNMENT_MAPS);
    a->done++;
    work_tick(a->listen, "parts", (double)a->done, (double)parts);
}

static int part_open(AlignmentPart *part, const Alignment *a, RngPurpose purpose, size_t n)
{
    int rc = source_fresh(&part->source, a->side[0]->vocab->variant, a->work->seed, purpose);
    rc = rc ? rc : positions_draw(&part->set[0], part->source, n, 0, a->work);
    part->set[1] = part->set[0];
    part->set[1].vocab = a->side[1]->vocab;
    for (int s = 0; rc == 0 && s < 2; s++) {
        part->rows[s] = mem_alloc(part->set[0].n_positions * a->d, sizeof(float), "rows");
        rc = part->rows[s] ? 0 : OGPT_ENOMEM;
    }
    return rc;
}

static void part_close(AlignmentPart *part)
{
    mem_free(part->rows[0]);
    mem_free(part->rows[1]);
    positions_release(&part->set[0]);
    source_free(part->source);
}

static int part_capture(AlignmentPart *part, const Alignment *a, int layer)
{
    const SiteLayers where = {HOOK_RESID_POST, &layer, 1};
    int rc = 0;
    for (int s = 0; rc == 0 && s < 2; s++) {
        rc = activations_capture(&part->rows[s], &part->set[s], a->side[s]->gpt, &where, a->work);
    }
    return rc;
}

/* ---- the maps ---- */

/* x^T y of a place, row by row of the product. */
typedef struct ProductWork {
    const float *x, *y;
    double *product;
    size_t n, d, lag; /* y is taken so many rows later, from the start again behind the last */
} ProductWork;

static int product_row(void *context, size_t i, size_t worker)
{
    (void)worker;
    const ProductWork *w = context;
    double *out = w->product + i * w->d;
    memset(out, 0, w->d * sizeof(*out));
    for (size_t r = 0; r < w->n; r++) {
        const float *y = w->y + (r + w->lag) % w->n * w->d;
        double x = (double)w->x[r * w->d + i];
        for (size_t k = 0; k < w->d; k++) {
            out[k] += x * (double)y[k];
        }
    }
    return 0;
}

/* Add to the product of all places, divided by the size of the rows, so that each counts alike. */
static void add_to_shared(double *shared, const double *product, const ProductWork *w)
{
    double xx = 0, yy = 0;
    for (size_t i = 0; i < w->n * w->d; i++) {
        xx += (double)w->x[i] * (double)w->x[i];
        yy += (double)w->y[i] * (double)w->y[i];
    }
    for (size_t i = 0; i < w->d * w->d && xx > 0 && yy > 0; i++) {
        shared[i] += product[i] / sqrt(xx * yy);
    }
}

static void mean_of(double *mean, const float *y, size_t n, size_t d)
{
    for (size_t r = 0; r < n; r++) {
        for (size_t k = 0; k < d; k++) {
            mean[k] += (double)y[r * d + k] / (double)n;
        }
    }
}

static int products_fill(Alignment *a)
{
    size_t square = a->d * a->d, n = a->fit.set[0].n_positions;
    double *shared = a->products + a->n_layers * square;
    int rc = 0;
    for (size_t l = 0; rc == 0 && l < a->n_layers; l++) {
        double *own = a->products + l * square, *unpaired = shared + (l + 1) * square;
        rc = part_capture(&a->fit, a, (int)l - 1);
        ProductWork w = {a->fit.rows[0], a->fit.rows[1], own, n, a->d, 0};
        rc = rc ? rc : pool_run(a->work->pool, a->d, product_row, &w);
        if (rc == 0) {
            add_to_shared(shared, own, &w);
            mean_of(a->mean + l * a->d, w.y, n, a->d);
            w.product = unpaired;
            w.lag = n / 2;
            rc = pool_run(a->work->pool, a->d, product_row, &w);
            part_told(a);
        }
    }
    return rc;
}

/* Products lie as own, shared, unpaired; so do the maps, with the random one behind. */
static int map_fit(void *context, size_t i, size_t worker)
{
    (void)worker;
    Alignment *a = context;
    size_t square = a->d * a->d;
    double *rotation = mem_alloc(2 * square, sizeof(*rotation), "a rotation");
    if (!rotation) {
        return OGPT_ENOMEM;
    }
    size_t rank = rotation_nearest(rotation, a->products + i * square, rotation + square, a->d);
    if (i < a->n_layers) {
        a->ranks[i] = (double)rank;
    }
    for (size_t k = 0; k < square; k++) {
        a->maps[i * square + k] = (float)rotation[k];
    }
    mem_free(rotation);
    return 0;
}

static int maps_fit(Alignment *a)
{
    size_t square = a->d * a->d, n = 2 * a->n_layers + 1;
    Rng rng = rng_at(a->work->seed, RNG_WORLD, UINT64_MAX);
    double *scratch = mem_alloc(square, sizeof(*scratch), "a random rotation");
    int rc = scratch ? products_fill(a) : OGPT_ENOMEM;
    rc = rc ? rc : pool_run(a->work->pool, n, map_fit, a);
    if (rc == 0) {
        rotation_random(a->maps + n * square, scratch, a->d, &rng);
        part_told(a);
    }
    mem_free(scratch);
    return rc;
}

static const float *map_of(const Alignment *a, AlignmentMap map, size_t layer)
{
    const size_t at[N_ALIGNMENT_MAPS] = {[ALIGNMENT_OWN] = layer,
                                         [ALIGNMENT_SHARED] = a->n_layers,
                                         [ALIGNMENT_UNPAIRED] = a->n_layers + 1 + layer,
                                         [ALIGNMENT_RANDOM] = 2 * a->n_layers + 1};
    return a->maps + at[map] * a->d * a->d;
}

/* ---- what is left, and how `to` plays on ---- */

/* mapped (n, d) = the rows x times a map. */
static void rows_map(float *mapped, const float *x, const float *map, size_t n, size_t d)
{
    for (size_t r = 0; r < n; r += CHUNK_ROWS) {
        size_t m = n - r < CHUNK_ROWS ? n - r : CHUNK_ROWS;
        gemm(false, false, m, d, d, 1, x + r * d, d, map, d, 0, mapped + r * d, d);
    }
}

typedef struct Continuation {
    const Alignment *a;
    int side;            /* whose answers: 1 for `to` */
    const float *mapped; /* NULL: the rows stay */
    LegalitySums *games; /* (test games) */
} Continuation;

static int rows_exchange(void *context, const PassBatch *pass, const HookPoint *point)
{
    const Continuation *c = context;
    const PositionSet *set = &c->a->test.set[1];
    for (size_t b = 0; b < pass->B; b++) {
        for (uint32_t i = set->first[pass->game + b]; i < set->first[pass->game + b + 1]; i++) {
            real *row = point->value + (b * pass->T + set->t[i]) * point->width;
            for (size_t k = 0; k < point->width; k++) {
                row[k] = (real)c->mapped[i * point->width + k];
            }
        }
    }
    return 0;
}

static int answers_judge(void *context, const PassBatch *pass)
{
    const Continuation *c = context;
    const Vocab *vocab = c->a->side[c->side]->vocab;
    LegalitySums by_ply[GAME_MAX_MOVES] = {{0}};
    int rc = 0;
    for (size_t b = 0; rc == 0 && b < pass->B; b++) {
        rc = legality_add_game(&c->games[pass->game + b], by_ply, vocab->variant,
                               pass->moves + b * (size_t)vocab->variant->n_moves,
                               pass->logits + b * pass->T * (size_t)vocab->d_vocab);
    }
    return rc;
}

/* games (test games): how a network answers, with its own rows or with mapped ones. */
static int answers_take(LegalitySums *games, const Alignment *a, int side, const float *mapped,
                        int layer)
{
    const PositionSet *set = &a->test.set[side];
    Continuation c = {a, side, mapped, games};
    PassGames of = {.vocab = set->vocab, .n = set->n_games, .moves = set->moves};
    PassCalls calls = {.context = &c, .visit = answers_judge};
    if (mapped) {
        calls.hook = rows_exchange;
        passes_hook_layer(&calls, HOOK_RESID_POST, layer);
    }
    return passes_run(a->side[side]->gpt, &of, &calls, a->work);
}

/* kl, whole (test games): KL from the legal moves to the answers, and to all tokens alike. */
static int play_on(double *kl, double *whole, const Alignment *a, const float *mapped, int layer)
{
    const PositionSet *set = &a->test.set[1];
    LegalitySums *games = mem_calloc(set->n_games, sizeof(*games), "sums of games");
    int rc = games ? answers_take(games, a, 1, mapped, layer) : OGPT_ENOMEM;
    for (size_t g = 0; rc == 0 && g < set->n_games; g++) {
        kl[g] = games[g].kl;
        whole[g] = games[g].positions * log(set->vocab->d_vocab) - games[g].floor;
    }
    mem_free(games);
    return rc;
}

/* 1 - a / b, with its interval. */
static Interval one_minus(Interval ratio)
{
    return (Interval){1 - ratio.value, 1 - ratio.high, 1 - ratio.low};
}

/* sums (2, test games). */
static int strict_measure(Interval *out, const Alignment *a, int side, double *sums)
{
    size_t n = a->test.set[0].n_games;
    LegalitySums *games = mem_calloc(n, sizeof(*games), "sums of games");
    int rc = games ? answers_take(games, a, side, NULL, LAYER_EMBED) : OGPT_ENOMEM;
    for (size_t g = 0; rc == 0 && g < n; g++) {
        sums[g] = games[g].strict_errors;
        sums[n + g] = games[g].positions;
    }
    *out = bootstrap_ratio(sums, sums + n, rc ? 0 : n, a->work->seed);
    mem_free(games);
    return rc;
}

/* rest, whole (test games): squares that a map leaves, and those around the mean. */
static void rest_of(double *rest, double *whole, const Alignment *a, const float *mapped,
                    size_t layer)
{
    const PositionSet *set = &a->test.set[0];
    const double *mean = a->mean + layer * a->d;
    for (size_t g = 0; g < set->n_games; g++) {
        rest[g] = whole[g] = 0;
        for (size_t i = set->first[g] * a->d; i < set->first[g + 1] * a->d; i++) {
            double y = (double)a->test.rows[1][i];
            double off = (double)mapped[i] - y, around = y - mean[i % a->d];
            rest[g] += off * off;
            whole[g] += around * around;
        }
    }
}

/* sums (4 + N_ALIGNMENT_MAPS, test games) for one place; mapped (n_positions, d). */
static int row_measure(AlignmentRow *row, Alignment *a, size_t l, double *sums, float *mapped)
{
    size_t n = a->test.set[0].n_games;
    uint64_t seed = a->work->seed;
    double *whole = sums, *rest = sums + n, *around = sums + 2 * n, *kl = sums + 3 * n;
    *row = (AlignmentRow){.layer = (int)l - 1, .rank = a->ranks[l]};
    int rc = part_capture(&a->test, a, row->layer);
    rc = rc ? rc : play_on(kl, whole, a, NULL, row->layer);
    row->unchanged = one_minus(bootstrap_ratio(kl, whole, n, seed));
    part_told(a);
    for (int m = 0; rc == 0 && m < N_ALIGNMENT_MAPS; m++) {
        double *of_map = kl + (size_t)(m + 1) * n;
        rows_map(mapped, a->test.rows[0], map_of(a, (AlignmentMap)m, l), a->test.set[0].n_positions,
                 a->d);
        rest_of(rest, around, a, mapped, l);
        row->rest[m] = bootstrap_ratio(rest, around, n, seed);
        rc = play_on(of_map, whole, a, mapped, row->layer);
        row->alpha[m] = one_minus(bootstrap_ratio(of_map, whole, n, seed));
        part_told(a);
    }
    if (rc == 0) {
        row->lead = bootstrap_difference(kl + (ALIGNMENT_SHARED + 1) * n, whole,
                                         kl + (ALIGNMENT_OWN + 1) * n, whole, n, seed);
    }
    return rc;
}

static int alignment_allocate(Alignment *a)
{
    size_t square = a->d * a->d;
    a->products = mem_calloc((2 * a->n_layers + 1) * square, sizeof(double), "products of rows");
    a->maps = mem_alloc((2 * a->n_layers + 2) * square, sizeof(float), "rotations");
    a->mean = mem_calloc(a->n_layers * a->d, sizeof(double), "mean rows");
    a->ranks = mem_calloc(a->n_layers, sizeof(double), "ranks");
    return a->products && a->maps && a->mean && a->ranks ? 0 : OGPT_ENOMEM;
}

int alignment_measure(AlignmentRow *rows, Interval strict[2], const AlignmentSide *from,
                      const AlignmentSide *to, size_t fit_games, size_t test_games,
                      const Work *work)
{
    const Work quiet = work_quiet(work);
    Alignment a = {.side = {from, to},
                   .d = (size_t)to->gpt->cfg.d_model,
                   .n_layers = (size_t)to->gpt->cfg.n_layers + 1,
                   .work = &quiet,
                   .listen = work};
    double *sums = NULL;
    float *mapped = NULL;
    const char *fault = alignment_fault(from, to);
    if (fault) {
        return err_set(OGPT_EUSAGE, "two networks: %s", fault);
    }
    int rc = part_open(&a.fit, &a, RNG_PROBE_GAMES, fit_games);
    rc = rc ? rc : part_open(&a.test, &a, RNG_EVAL, test_games);
    rc = rc ? rc : alignment_allocate(&a);
    rc = rc ? rc : maps_fit(&a);
    if (rc == 0) {
        sums = mem_alloc((4 + N_ALIGNMENT_MAPS) * a.test.set[0].n_games, sizeof(*sums), "sums");
        mapped = mem_alloc(a.test.set[0].n_positions * a.d, sizeof(*mapped), "mapped rows");
        rc = sums && mapped ? 0 : OGPT_ENOMEM;
    }
    for (int side = 0; rc == 0 && side < 2; side++) {
        rc = strict_measure(&strict[side], &a, side, sums);
        part_told(&a);
    }
    for (size_t l = 0; rc == 0 && l < a.n_layers; l++) {
        rc = row_measure(&rows[l], &a, l, sums, mapped);
    }
    mem_free(sums);
    mem_free(mapped);
    mem_free(a.products);
    mem_free(a.maps);
    mem_free(a.mean);
    mem_free(a.ranks);
    part_close(&a.fit);
    part_close(&a.test);
    return rc;
}
