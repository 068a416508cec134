/* tests/probes/ablation/test_ablation.c - effects of ablations against plain computations, the
 * identity TE = DE - R, rescue, biases alone, blocks left out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/graph/pair_metric.h"
#include "tests/probes/ablation/ablation_bench.h"

enum { GAMES = 16, FEWER = 4 };
static const unsigned every_unit = (1U << N_ABLATION_UNITS) - 1;

/* Sets of one unit: all units of these kinds (bits), but of neurons only some, by each kind of
 * ablation. */
static size_t singles(AblationSet **sets, AblationUnit **units, const GptConfig *cfg,
                      unsigned unit_kinds, unsigned kinds, bool rescue)
{
    size_t n = ablation_units_count(cfg, unit_kinds), at = 0;
    *units = calloc(n, sizeof(**units));
    *sets = calloc(n * N_ABLATION_KINDS, sizeof(**sets));
    assert_non_null(*units);
    assert_non_null(*sets);
    ablation_units_list(*units, cfg, unit_kinds);
    for (size_t u = 0; u < n; u++) {
        for (int kind = 0; kind < N_ABLATION_KINDS; kind++) {
            bool some = (*units)[u].kind != ABLATE_NEURON || (*units)[u].index % 24 == 5;
            if (some && kinds >> kind & 1) {
                (*sets)[at++] = (AblationSet){*units + u, 1, (AblationKind)kind, rescue};
            }
        }
    }
    return at;
}

/* ---- identities ---- */

static void total_is_direct_minus_repair(void **state)
{
    for (int all = 0; all < 2; all++) {
        AblationBench bench;
        AblationSet *sets;
        AblationUnit *units;
        AblationResult result;
        double repair = 0.0, norm = 0.0, parts = 0.0;
        bench_open(&bench, 6, all ? FEWER : GAMES, all);
        size_t n = singles(&sets, &units, &bench.gpt->cfg, every_unit, ~0U, false);
        assert_int_equal(ablation_run(&result, &bench.in, sets, n, "singles", WORK_ALONE), 0);
        /* Metrics are about 0.3 in size, and a pass adds some 100 float sums of that size: 6e-8 *
         * 0.3 * 100 = 2e-6. */
        assert_true(result.identity_error < 2e-6);
        for (size_t i = 0; i < n * result.n; i++) {
            repair = fmax(repair, fabs(result.effects[i].direct - result.effects[i].total));
            norm = fmax(norm, fabs((double)result.effects[i].norm));
        }
        for (size_t i = 0; i < n * result.n_senders; i++) {
            parts = fmax(parts, fabs(result.parts[i]));
        }
        /* Twin: no side of the identity is zero, so without its parts it would not hold. */
        assert_true(repair > 0.01 && norm > 0.01 && parts > 0.01);
        ablation_release(&result);
        free(sets);
        free(units);
        bench_close(&bench);
    }
    (void)state;
}

static void what_is_put_back_has_the_bits_of_the_clean_pass(void **state)
{
    for (int all = 0; all < 2; all++) {
        AblationBench bench;
        AblationSet *sets;
        AblationUnit *units;
        AblationResult result;
        bench_open(&bench, 6, all ? FEWER : GAMES, all);
        size_t n = singles(&sets, &units, &bench.gpt->cfg, every_unit, 1U << ABLATION_ZERO, true);
        assert_int_equal(ablation_run(&result, &bench.in, sets, n, "rescue", WORK_ALONE), 0);
        assert_true(result.rescue_error == 0.0);
        for (size_t i = 0; i < n * result.n; i++) {
            assert_true(result.effects[i].total == 0 && result.effects[i].moved == 0);
        }
        ablation_release(&result);
        for (size_t s = 0; s < n; s++) { /* twin: not put back, every unit moves some logit */
            sets[s].rescue = false;
        }
        assert_int_equal(ablation_run(&result, &bench.in, sets, n, "twin", WORK_ALONE), 0);
        for (size_t s = 0; s < n; s++) {
            float moved = 0;
            for (size_t i = 0; i < result.n; i++) {
                moved = fmaxf(moved, result.effects[s * result.n + i].moved);
            }
            assert_true(moved > 1e-4F);
        }
        ablation_release(&result);
        free(sets);
        free(units);
        bench_close(&bench);
    }
    (void)state;
}

/* ---- a plain computation of everything ---- */

/* One unit replaced by hand: values of the site at the last position, or at all. */
typedef struct Plain {
    const AblationBench *bench;
    AblationUnit unit;
    AblationKind kind;
    size_t position;
    int n;
    const Gpt *gpt;
    real *z;    /* (n_ctx, C) of the lending game, of the unit's layer; NULL: not read */
    real *post; /* (n_ctx, M) */
    bool reading;
} Plain;

static void plain_hook(void *context, const HookPoint *point)
{
    Plain *plain = context;
    real *kept = point->site == HOOK_Z ? plain->z : plain->post;
    const GptConfig *cfg = &plain->gpt->cfg;
    size_t from = point->site == HOOK_Z ? (size_t)(plain->unit.index * cfg->d_head)
                                        : (size_t)plain->unit.index;
    size_t count = point->site == HOOK_Z ? (size_t)cfg->d_head : 1;
    if (plain->reading) {
        memcpy(kept, point->value, point->T * point->width * sizeof(real));
        return;
    }
    for (size_t t = plain->bench->in.all ? 0 : point->T - 1; t < point->T; t++) {
        for (size_t i = from; i < from + count; i++) {
            point->value[t * point->width + i] =
                plain->kind == ABLATION_ZERO ? 0 : kept[t * point->width + i];
        }
    }
}

static double plain_metric(Plain *plain, Tape *tape, const uint8_t *moves, bool hooked)
{
    const AblationPositions *positions = &plain->bench->positions;
    const Vocab *vocab = positions->vocab;
    uint8_t tokens[GAME_MAX_MOVES];
    Hooks hooks = {.fn = plain_hook, .context = plain};
    size_t V = (size_t)vocab->d_vocab;
    hooks.sites[plain->unit.kind == ABLATE_HEAD ? HOOK_Z : HOOK_POST] = 1ULL << plain->unit.layer;
    for (int t = 0; t < plain->n; t++) {
        tokens[t] = vocab->tok_of_sq[moves[t]];
    }
    const real *logits =
        gpt_forward(plain->gpt, tape, tokens, 1, (size_t)plain->n, hooked ? &hooks : NULL);
    return pair_delta(positions->weights + plain->position * V, logits + (size_t)(plain->n - 1) * V,
                      vocab->d_vocab);
}

/* Means by ply of one site, one game at a time. */
static void plain_means(Plain *plain, Tape *tape, real *out, size_t width)
{
    const AblationBench *bench = plain->bench;
    size_t n_ctx = (size_t)plain->gpt->cfg.n_ctx;
    double *sums = calloc(n_ctx * width, sizeof(double));
    double counts[GAME_MAX_MOVES] = {0};
    uint8_t moves[GAME_MAX_MOVES];
    assert_non_null(sums);
    for (size_t g = 0; g < bench->means.n_games; g++) {
        assert_int_equal(source_fetch(bench->training, moves, g, 1, NULL), 0);
        plain->n = game_length(moves, 32) - 1;
        plain_metric(plain, tape, moves, true);
        const real *kept = plain->unit.kind == ABLATE_HEAD ? plain->z : plain->post;
        for (size_t t = 0; t < (size_t)plain->n; t++) {
            counts[t]++;
            for (size_t i = 0; i < width; i++) {
                sums[t * width + i] += (double)kept[t * width + i];
            }
        }
    }
    for (size_t i = 0; i < n_ctx * width; i++) {
        out[i] = (real)(counts[i / width] > 0 ? sums[i] / counts[i / width] : 0);
    }
    free(sums);
}

static void totals_are_those_of_a_plain_pass(void **state)
{
    static const AblationUnit units[] = {{ABLATE_HEAD, 1, 2}, {ABLATE_NEURON, 1, 17}};
    for (int all = 0; all < 2; all++) {
        AblationBench bench;
        Tape *tape;
        bench_open(&bench, 6, 10, all);
        assert_int_equal(tape_new(&tape, &bench.gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
        size_t n_ctx = (size_t)bench.gpt->cfg.n_ctx;
        for (int u = 0; u < 2; u++) {
            size_t width = u == 0 ? 24 : 96;
            real *means = calloc(n_ctx * width, sizeof(real));
            Plain plain = {.bench = &bench, .unit = units[u], .gpt = bench.gpt};
            plain.z = calloc(n_ctx * 24, sizeof(real));
            plain.post = calloc(n_ctx * 96, sizeof(real));
            plain.reading = true;
            plain_means(&plain, tape, means, width);
            for (int kind = ABLATION_ZERO; kind <= ABLATION_MATCHED; kind++) {
                AblationSet set = {&units[u], 1, (AblationKind)kind, false};
                AblationResult result;
                assert_int_equal(ablation_run(&result, &bench.in, &set, 1, "one", WORK_ALONE), 0);
                assert_true(mean_total(&result, 0, true) > 1e-4);
                for (size_t i = 0; i < result.n; i++) {
                    const AblationPosition *at = &bench.positions.at[i];
                    real *kept = u == 0 ? plain.z : plain.post;
                    plain.position = i;
                    plain.n = at->n_moves;
                    plain.kind = (AblationKind)kind;
                    if (kind == ABLATION_RESAMPLE || kind == ABLATION_MATCHED) {
                        plain.reading = true;
                        plain_metric(&plain, tape,
                                     bench.donors.moves + at->donor[kind == ABLATION_MATCHED] * 32,
                                     true);
                    } else if (kind == ABLATION_MEAN) {
                        memcpy(kept, means, n_ctx * width * sizeof(real));
                    }
                    plain.reading = false;
                    double clean = plain_metric(&plain, tape, at->moves, false);
                    double total = clean - plain_metric(&plain, tape, at->moves, true);
                    assert_true(fabs(clean - (double)result.clean[i].total) < 5e-6);
                    assert_true(fabs(total - (double)result.effects[i].total) < 5e-6);
                }
                ablation_release(&result);
            }
            free(plain.z);
            free(plain.post);
            free(means);
        }
        tape_free(tape);
        bench_close(&bench);
    }
    (void)state;
}

typedef struct Last {
    real z[24], end[24];
} Last;

static void last_hook(void *context, const HookPoint *point)
{
    Last *last = context;
    memcpy(point->site == HOOK_Z ? last->z : last->end, point->value + (point->T - 1) * 24,
           24 * sizeof(real));
}

/* Logits of a stream behind the last block, the LayerNorm's scale given, in double. */
static void plain_head(double *logits, const Gpt *gpt, const double *x, double s)
{
    size_t C = (size_t)gpt->cfg.d_model, V = (size_t)gpt->cfg.d_vocab;
    double mean = 0.0;
    for (size_t c = 0; c < C; c++) {
        mean += x[c] / (double)C;
    }
    for (size_t v = 0; v < V; v++) {
        logits[v] = (double)gpt->params[gpt->map.b_U + v];
        for (size_t c = 0; c < C; c++) {
            double y = (x[c] - mean) / s * (double)gpt->params[gpt->map.lnf_w + c] +
                       (double)gpt->params[gpt->map.lnf_b + c];
            logits[v] += y * (double)gpt->params[gpt->map.W_U + c * V + v];
        }
    }
}

static double plain_scale(const double *x, size_t C, double eps)
{
    double mean = 0.0, variance = 0.0;
    for (size_t c = 0; c < C; c++) {
        mean += x[c] / (double)C;
    }
    for (size_t c = 0; c < C; c++) {
        variance += (x[c] - mean) * (x[c] - mean) / (double)C;
    }
    return sqrt(variance + eps);
}

static double weigh(const AblationPositions *positions, size_t i, const double *logits)
{
    double sum = 0.0;
    for (int v = 0; v < positions->vocab->d_vocab; v++) {
        sum += (double)positions->weights[i * (size_t)positions->vocab->d_vocab + (size_t)v] *
               logits[v];
    }
    return sum;
}

static void the_direct_effect_is_that_of_the_frozen_rest(void **state)
{
    AblationUnit unit = {ABLATE_HEAD, 1, 1};
    AblationSet set = {&unit, 1, ABLATION_ZERO, false};
    AblationResult result;
    AblationBench bench;
    Tape *tape;
    double recomputed = 0.0;
    bench_open(&bench, 6, 10, false);
    const Gpt *gpt = bench.gpt;
    const Vocab *vocab = bench.positions.vocab;
    assert_int_equal(tape_new(&tape, &gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    assert_int_equal(ablation_run(&result, &bench.in, &set, 1, "one", WORK_ALONE), 0);
    for (size_t i = 0; i < result.n; i++) {
        const AblationPosition *at = &bench.positions.at[i];
        uint8_t tokens[GAME_MAX_MOVES];
        double x[24], changed[24], logits[64];
        Last last;
        Hooks hooks = {.fn = last_hook, .context = &last};
        hooks.sites[HOOK_Z] = 1ULL << unit.layer;
        hooks.sites[HOOK_RESID_POST] = 1ULL << (gpt->cfg.n_layers - 1);
        for (int t = 0; t < at->n_moves; t++) {
            tokens[t] = vocab->tok_of_sq[at->moves[t]];
        }
        gpt_forward(gpt, tape, tokens, 1, (size_t)at->n_moves, &hooks);
        for (size_t c = 0; c < 24; c++) {
            x[c] = changed[c] = (double)last.end[c];
            for (size_t j = 8; j < 16; j++) {
                changed[c] -=
                    (double)last.z[j] *
                    (double)gpt->params[gpt->map.W_O + gpt->map.block_stride + j * 24 + c];
            }
        }
        double s = plain_scale(x, 24, (double)gpt->cfg.eps);
        plain_head(logits, gpt, x, s);
        double clean = weigh(&bench.positions, i, logits);
        plain_head(logits, gpt, changed, s);
        double direct = clean - weigh(&bench.positions, i, logits);
        assert_true(fabs(direct - (double)result.effects[i].direct) < 5e-6);
        /* Twin: with the scale computed anew it is another number. */
        plain_head(logits, gpt, changed, plain_scale(changed, 24, (double)gpt->cfg.eps));
        recomputed = fmax(recomputed, fabs(clean - weigh(&bench.positions, i, logits) - direct));
    }
    assert_true(recomputed > 1e-3);
    ablation_release(&result);
    tape_free(tape);
    bench_close(&bench);
    (void)state;
}

/* ---- everything, and whole blocks ---- */

static void without_all_units_the_biases_are_left(void **state)
{
    AblationBench bench;
    AblationResult result;
    bench_open(&bench, 6, 10, false);
    const Gpt *gpt = bench.gpt;
    unsigned kinds = 1U << ABLATE_INPUT | 1U << ABLATE_HEAD | 1U << ABLATE_NEURON;
    size_t n = ablation_units_count(&gpt->cfg, kinds);
    AblationUnit *units = calloc(n, sizeof(*units));
    assert_non_null(units);
    ablation_units_list(units, &gpt->cfg, kinds);
    AblationSet set = {units, n, ABLATION_ZERO, false};
    double x[24] = {0}, logits[64];
    for (size_t c = 0; c < 24; c++) {
        for (size_t l = 0; l < 3; l++) {
            x[c] += (double)gpt->params[gpt->map.b_O + l * gpt->map.block_stride + c] +
                    (double)gpt->params[gpt->map.b_out + l * gpt->map.block_stride + c];
        }
    }
    for (int all = 0; all < 2; all++) {
        bench.in.all = all;
        assert_int_equal(ablation_run(&result, &bench.in, &set, 1, "all", WORK_ALONE), 0);
        assert_true(result.identity_error < 2e-6);
        plain_head(logits, gpt, x, plain_scale(x, 24, (double)gpt->cfg.eps));
        for (size_t i = 0; i < result.n; i++) {
            double left = (double)(result.clean[i].total - result.effects[i].total);
            assert_true(fabs(left - weigh(&bench.positions, i, logits)) < 5e-6);
            assert_true(fabs((double)result.effects[i].total) > 1e-3);
        }
        ablation_release(&result);
    }
    set.n--; /* twin: one neuron stays */
    assert_int_equal(ablation_run(&result, &bench.in, &set, 1, "twin", WORK_ALONE), 0);
    double worst = 0.0;
    for (size_t i = 0; i < result.n; i++) {
        double left = (double)(result.clean[i].total - result.effects[i].total);
        worst = fmax(worst, fabs(left - weigh(&bench.positions, i, logits)));
    }
    assert_true(worst > 1e-4);
    ablation_release(&result);
    free(units);
    bench_close(&bench);
    (void)state;
}

/* A network of the blocks `order` (n of them) of another one. */
static Gpt *of_blocks(const Gpt *gpt, const int *order, int n)
{
    GptConfig cfg = gpt->cfg;
    Gpt *out = NULL;
    cfg.n_layers = n;
    assert_int_equal(gpt_new(&out, &cfg), 0);
    for (size_t i = 0; i < out->n_specs; i++) {
        const TensorSpec *spec = &out->specs[i];
        char name[64];
        if (spec->layer >= 0) {
            const char *rest = strchr(strchr(spec->name, '.') + 1, '.');
            snprintf(name, sizeof(name), "blocks.%d%s", order[spec->layer], rest);
        } else {
            snprintf(name, sizeof(name), "%s", spec->name);
        }
        int from = gpt_tensor_index(gpt, name);
        assert_true(from >= 0);
        memcpy(out->params + spec->offset, gpt->params + gpt->specs[from].offset,
               spec->count * sizeof(real));
    }
    return out;
}

static void a_block_without_output_passes_the_stream_through(void **state)
{
    static const int orders[3][3] = {{0, 2}, {1, 0, 2}, {0, 1, 2}};
    static const int lengths[3] = {2, 3, 3};
    AblationBench bench;
    AblationCurves curves;
    AblationResult result;
    AblationUnit unit = {ABLATE_BLOCK, 1, 0};
    AblationSet set = {&unit, 1, ABLATION_ZERO, false};
    bench_open(&bench, 6, 12, true);
    assert_int_equal(ablation_curves(&curves, &bench.in, WORK_ALONE), 0);
    assert_int_equal(curves.n_points, 6);
    assert_int_equal(ablation_run(&result, &bench.in, &set, 1, "block", WORK_ALONE), 0);
    double differ[3] = {0}, swap_is_not_clean = 0.0, drop = 0.0, twin = 0.0;
    for (int o = 0; o < 3; o++) {
        Gpt *other = of_blocks(bench.gpt, orders[o], lengths[o]);
        Plain plain = {.bench = &bench, .gpt = other};
        Tape *tape;
        assert_int_equal(tape_new(&tape, &other->cfg, 1, TAPE_FORWARD, NULL), 0);
        for (size_t i = 0; i < result.n; i++) {
            plain.position = i;
            plain.n = bench.positions.at[i].n_moves;
            double m = plain_metric(&plain, tape, bench.positions.at[i].moves, false);
            double clean = (double)curves.points[0].effects[i].total;
            double removed = clean - (double)curves.points[2].effects[i].total;
            double swapped = clean - (double)curves.points[4].effects[i].total;
            double zero = (double)(result.clean[i].total - result.effects[i].total);
            differ[o] = fmax(differ[o], fabs(m - (o == 0 ? removed : o == 1 ? swapped : clean)));
            drop = o == 0 ? fmax(drop, fabs(m - zero)) : drop;
            twin = o == 2 ? fmax(twin, fabs(m - removed)) : twin;
            swap_is_not_clean =
                o == 2 ? fmax(swap_is_not_clean, fabs(m - swapped)) : swap_is_not_clean;
        }
        tape_free(tape);
        gpt_free(other);
    }
    assert_int_equal(curves.points[2].curve, CURVE_REMOVED);
    assert_int_equal(curves.points[2].layer, 1);
    assert_int_equal(curves.points[4].curve, CURVE_SWAPPED);
    assert_true(differ[0] < 5e-6 && differ[1] < 5e-6 && differ[2] < 5e-6);
    assert_true(drop < 5e-6);
    assert_true(twin > 0.01 && swap_is_not_clean > 0.01);
    ablation_release(&result);
    ablation_curves_release(&curves);
    bench_close(&bench);
    (void)state;
}

int main(void)
{
    if (blas_init() != 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(total_is_direct_minus_repair),
        cmocka_unit_test(what_is_put_back_has_the_bits_of_the_clean_pass),
        cmocka_unit_test(totals_are_those_of_a_plain_pass),
        cmocka_unit_test(the_direct_effect_is_that_of_the_frozen_rest),
        cmocka_unit_test(without_all_units_the_biases_are_left),
        cmocka_unit_test(a_block_without_output_passes_the_stream_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
