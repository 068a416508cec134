/* tests/probes/attribution/test_attribution.c - contributions add up to what they explain, at every
 * grain; removing a component on the direct path does what the attribution says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attribution_fixture.h"
#include "probes/graph/outputs.h"

enum { N_GRAINS = GRAIN_NEURON + 1 };

static Gpt *gpt;

static int open_network(void **state)
{
    gpt = random_network(3, 5);
    (void)state;
    return gpt ? 0 : -1;
}

static int close_network(void **state)
{
    gpt_free(gpt);
    (void)state;
    return 0;
}

static void contributions_add_up_to_every_logit(void **state)
{
    Readout readout;
    assert_int_equal(readout_of_logits(&readout, gpt), 0);
    readout_draw_random(&readout, 1);
    for (AttributionGrain grain = 0; (int)grain < N_GRAINS; grain++) {
        Trial trial;
        assert_int_equal(trial_open(&trial, gpt, grain, &readout, 2 * FIXTURE_GAMES), 0);
        trial_pass(&trial, 1);
        double *logits = trial_logits(&trial);
        TrialErrors errors = trial_errors(&trial, logits);
        assert_true(errors.largest > 1);
        /* Sums of at most 300 float contributions of size 1: 300 * 6e-8, and the pass itself. */
        assert_true(errors.products < 1e-4);
        assert_true(errors.one_by_one < 1e-4);
        assert_true(errors.weighted < 5e-4); /* twelve columns with weights of size 1 */
        /* Twin: without one head's z the identity is broken. */
        size_t C = (size_t)gpt->cfg.d_model;
        for (size_t i = 0; i < trial.writes.n; i++) {
            for (int c = 0; c < gpt->cfg.d_head; c++) {
                trial.writes.z[i * C + (size_t)c] = 0;
            }
        }
        if (grain != GRAIN_SOURCE) { /* it reads pattern and v */
            assert_true(trial_errors(&trial, logits).products > 0.01);
        }
        free(logits);
        trial_close(&trial);
    }
    readout_release(&readout);
    (void)state;
}

/* The sum of components a .. b-1 of a row, of the frozen contributions to the weighted number. */
static double sum_of(const AttributionValues *v, size_t J, size_t row, size_t a, size_t b)
{
    double sum = 0;
    for (size_t j = a; j < b; j++) {
        sum += v->frozen[row * J + j];
    }
    return sum;
}

/* Contributions at a finer grain add up to those at a coarser one. */
static void parts_add_up_to_their_whole(void **state)
{
    Readout readout;
    Trial trial[N_GRAINS];
    const AttributionValues *v[N_GRAINS];
    assert_int_equal(readout_of_logits(&readout, gpt), 0);
    for (AttributionGrain grain = 0; (int)grain < N_GRAINS; grain++) {
        assert_int_equal(trial_open(&trial[grain], gpt, grain, &readout, FIXTURE_GAMES), 0);
        trial_pass(&trial[grain], 2);
        v[grain] = trial_rows(&trial[grain], 0);
    }
    const ComponentList *head = &trial[GRAIN_HEAD].list, *source = &trial[GRAIN_SOURCE].list;
    const ComponentList *part = &trial[GRAIN_PART].list, *layer = &trial[GRAIN_LAYER].list;
    const ComponentList *neuron = &trial[GRAIN_NEURON].list;
    size_t heads = (size_t)head->n_heads, sources = (size_t)source->n_sources;
    double largest = 0, wrong = 0;
    for (size_t i = 0; i < v[0]->n; i++) {
        for (int l = 0; l < gpt->cfg.n_layers; l++) {
            size_t at = component_layer(head, l), fine = component_layer(source, l);
            for (size_t h = 0; h < heads; h++) {
                double whole = v[GRAIN_HEAD]->frozen[i * head->n + at + h];
                double sum = sum_of(v[GRAIN_SOURCE], source->n, i, fine + h * sources,
                                    fine + (h + 1) * sources);
                assert_true(fabs(whole - sum) < 1e-4);
                largest = fmax(largest, fabs(whole));
                wrong =
                    fmax(wrong, fabs(whole - sum +
                                     v[GRAIN_SOURCE]->frozen[i * source->n + fine + h * sources]));
            }
            double attention = v[GRAIN_PART]->frozen[i * part->n + component_layer(part, l)];
            double mlp = v[GRAIN_PART]->frozen[i * part->n + component_mlp(part, l)];
            assert_true(fabs(attention - sum_of(v[GRAIN_HEAD], head->n, i, at, at + heads + 1)) <
                        1e-4);
            assert_true(fabs(mlp - sum_of(v[GRAIN_NEURON], neuron->n, i, component_mlp(neuron, l),
                                          component_layer(neuron, l + 1))) < 1e-4);
            assert_true(fabs(v[GRAIN_LAYER]->frozen[i * layer->n + component_layer(layer, l)] -
                             attention - mlp) < 1e-4);
        }
    }
    assert_true(largest > 0.5);
    assert_true(wrong > 0.1); /* twin: the first position left out */
    for (int grain = 0; grain < N_GRAINS; grain++) {
        trial_close(&trial[grain]);
    }
    readout_release(&readout);
    (void)state;
}

/* Sources counted back from the reader are the same numbers in other places. */
static void sources_are_counted_from_either_end(void **state)
{
    Readout readout;
    Trial trial[2];
    const AttributionValues *v[2];
    size_t T = (size_t)gpt->cfg.n_ctx, differ = 0;
    assert_int_equal(readout_of_logits(&readout, gpt), 0);
    for (int back = 0; back < 2; back++) {
        assert_int_equal(trial_open(&trial[back], gpt, GRAIN_SOURCE, &readout, 1), 0);
        trial[back].list.back = back;
        trial_pass(&trial[back], 7);
        v[back] = trial_rows(&trial[back], 0);
    }
    const ComponentList *list = &trial[0].list;
    for (size_t t = 0; t < T; t++) {
        size_t first = t * list->n + component_layer(list, 1) + 2 * T; /* head 2 of layer 1 */
        for (size_t s = 0; s < T; s++) {
            double there = s <= t ? v[1]->frozen[first + t - s] : v[1]->frozen[first + s];
            assert_true(v[0]->frozen[first + s] == there);
            assert_true((s <= t) == (there != 0)); /* behind the reader there is nothing */
            differ += v[0]->frozen[first + s] != v[1]->frozen[first + s];
        }
    }
    assert_true(differ > T);
    trial_close(&trial[0]);
    trial_close(&trial[1]);
    readout_release(&readout);
    (void)state;
}

/* ---- removing a component on the direct path ---- */

typedef struct Removal {
    const real *vector; /* (rows, C) to be taken out of the last block's output */
} Removal;

static void remove_vector(void *context, const HookPoint *point)
{
    const Removal *removal = context;
    for (size_t i = 0; i < point->B * point->T * point->width; i++) {
        point->value[i] -= removal->vector[i];
    }
}

/* The weighted number of a row after a pass without `vector`; the tape is the trial's own. */
static double number_without(const Trial *trial, const real *vector, size_t row)
{
    Removal removal = {vector};
    Hooks hooks = {.fn = remove_vector, .context = &removal};
    size_t V = (size_t)gpt->cfg.d_vocab, K = V - 1;
    double sum = 0;
    hooks.sites[HOOK_RESID_POST] = 1ULL << (gpt->cfg.n_layers - 1);
    const real *logits =
        gpt_forward(gpt, trial->tape, trial->tokens, trial->B, trial->T, vector ? &hooks : NULL);
    for (size_t k = 0; k < K; k++) {
        sum += (double)trial->weights[row * K + k] * (double)logits[row * V + k + 1];
    }
    return sum;
}

static void recomputed_is_what_a_removal_does(void **state)
{
    Readout readout;
    Trial trial;
    size_t C = (size_t)gpt->cfg.d_model, N = FIXTURE_GAMES * (size_t)gpt->cfg.n_ctx;
    real *vector = calloc(N * C, sizeof(real));
    double gap = 0;
    assert_non_null(vector);
    assert_int_equal(readout_of_logits(&readout, gpt), 0);
    assert_int_equal(trial_open(&trial, gpt, GRAIN_NEURON, &readout, FIXTURE_GAMES), 0);
    trial_pass(&trial, 3);
    const AttributionValues *v = trial_rows(&trial, 0);
    for (int l = 0; l < gpt->cfg.n_layers; l++) {
        size_t M = (size_t)gpt->cfg.d_mlp, m = 7 * (size_t)l + 3, row = 5 + (size_t)l;
        const real *w = gpt->params + gpt->map.W_out + (size_t)l * gpt->map.block_stride + m * C;
        size_t of_head = row * trial.list.n + component_layer(&trial.list, l) + 1;
        size_t of_neuron = row * trial.list.n + component_mlp(&trial.list, l) + m;
        outputs_of_head(vector, gpt, l, 1, trial.writes.z + (size_t)l * N * C, N);
        double whole = number_without(&trial, NULL, row);
        double effect = whole - number_without(&trial, vector, row);
        assert_true(fabs(effect) > 0.02);
        assert_true(fabs(effect - v->recomputed[of_head]) < 2e-4);
        gap = fmax(gap, fabs(effect - v->frozen[of_head]));
        for (size_t i = 0; i < N * C; i++) {
            vector[i] = trial.writes.post[((size_t)l * N + i / C) * M + m] * w[i % C];
        }
        effect = whole - number_without(&trial, vector, row);
        assert_true(fabs(effect - v->recomputed[of_neuron]) < 2e-4);
    }
    assert_true(gap > 0.01); /* twin: with the scale kept it is another number */
    free(vector);
    trial_close(&trial);
    readout_release(&readout);
    (void)state;
}

/* ---- the board, and the controls ---- */

/* A made-up probe: columns of random numbers, read at each site of a block. */
static void contributions_add_up_to_a_probe(void **state)
{
    enum { K = 16 };
    static const HookSite sites[] = {HOOK_RESID_PRE, HOOK_RESID_MID, HOOK_RESID_POST};
    size_t C = (size_t)gpt->cfg.d_model, N = FIXTURE_GAMES * (size_t)gpt->cfg.n_ctx;
    float *direction = calloc(C * K, sizeof(float)), constant[K];
    double *truth = calloc(N * K, sizeof(double));
    Rng rng = rng_at(4, RNG_TEST, 0);
    assert_non_null(direction);
    assert_non_null(truth);
    for (size_t i = 0; i < C * K; i++) {
        direction[i] = (float)rng_normal(&rng);
        constant[i % K] = (float)rng_normal(&rng);
    }
    for (size_t s = 0; s < 3; s++) {
        for (AttributionGrain grain = 0; (int)grain < N_GRAINS; grain++) {
            Readout readout;
            Trial trial;
            assert_int_equal(readout_of_columns(&readout, C, K, direction, constant), 0);
            readout.site = sites[s];
            readout.layer = 1;
            assert_int_equal(trial_open(&trial, gpt, grain, &readout, FIXTURE_GAMES), 0);
            trial_pass(&trial, 4);
            for (size_t i = 0; i < N * K; i++) {
                truth[i] = constant[i % K];
                for (size_t c = 0; c < C; c++) {
                    truth[i] +=
                        (double)trial.writes.stream[i / K * C + c] * direction[c * K + i % K];
                }
            }
            TrialErrors errors = trial_errors(&trial, truth);
            assert_true(errors.largest > 5);
            assert_true(errors.products < 2e-4);
            assert_true(errors.one_by_one < 2e-4);
            truth[3] += 1;
            assert_true(trial_errors(&trial, truth).products > 0.9); /* twin */
            trial_close(&trial);
            readout_release(&readout);
        }
    }
    free(direction);
    free(truth);
    (void)state;
}

static void controls_are_what_they_say(void **state)
{
    Readout readout;
    Trial trial;
    assert_int_equal(readout_of_logits(&readout, gpt), 0);
    readout_draw_random(&readout, 9);
    assert_int_equal(trial_open(&trial, gpt, GRAIN_NEURON, &readout, 1), 0);
    trial_pass(&trial, 5);
    size_t K = readout.n_columns, J = trial.list.n;
    const AttributionValues *v = trial_rows(&trial, 0);
    double *frozen = calloc(v->n * J, sizeof(double)), *shuffled = calloc(v->n * J, sizeof(double));
    double of_target = 0, of_random = 0;
    assert_non_null(frozen);
    assert_non_null(shuffled);
    for (size_t at = 0; at < v->n * J; at++) {
        double mean = 0, sum = 0;
        for (size_t k = 0; k < K; k++) {
            mean += (double)v->all[at * K + k] / (double)K;
        }
        for (size_t k = 0; k < K; k++) {
            sum += fabs((double)v->all[at * K + k] - mean) / (double)K;
        }
        assert_true(fabs(sum - v->magnitude[at]) < 1e-5);
        of_target += v->frozen[at] * v->frozen[at] * (at % J + 1 < J);
        of_random += v->random[at] * v->random[at];
        frozen[at] = v->frozen[at];
        shuffled[at] = v->shuffled[at];
    }
    for (size_t k = 0; k < K; k++) {
        double length = 0, random = 0;
        for (size_t c = 0; c < readout.width; c++) {
            length += pow((double)readout.direction[c * K + k], 2);
            random += pow((double)readout.random[c * K + k], 2);
        }
        assert_true(length > 0.1 && fabs(random / length - 1) < 1e-4);
    }
    /* Directions of equal length: about the same size, and not the same numbers. */
    assert_true(of_random > 0.3 * of_target && of_random < 3 * of_target);
    real *swap = trial.weights;
    trial.weights = trial.shuffled;
    trial.shuffled = swap;
    v = trial_rows(&trial, 0);
    double differ = 0;
    for (size_t at = 0; at < v->n * J; at++) {
        assert_true(fabs(v->frozen[at] - shuffled[at]) < 1e-6);
        assert_true(fabs(v->shuffled[at] - frozen[at]) < 1e-6);
        differ = fmax(differ, fabs(v->frozen[at] - v->shuffled[at]));
    }
    assert_true(differ > 0.1);
    free(frozen);
    free(shuffled);
    trial_close(&trial);
    readout_release(&readout);
    (void)state;
}

/* -sum x . y / sum x . x by plain loops over vectors made here. */
static void erasure_is_the_projection_of_later_writes(void **state)
{
    Readout readout;
    Trial trial;
    size_t C = (size_t)gpt->cfg.d_model, T = (size_t)gpt->cfg.n_ctx, M = (size_t)gpt->cfg.d_mlp;
    real *head = calloc(T * C, sizeof(real));
    double of_head = 0, self = 0, of_neuron = 0, g_self = 0;
    assert_non_null(head);
    assert_int_equal(readout_of_logits(&readout, gpt), 0);
    for (AttributionGrain grain = GRAIN_HEAD; grain <= GRAIN_NEURON; grain += 2) {
        assert_int_equal(trial_open(&trial, gpt, grain, &readout, 1), 0);
        trial_pass(&trial, 6);
        trial_rows(&trial, 0);
        AttributionErasure sums = {.n_erasers = attribution_erasers(&trial.list)};
        sums.dot = calloc(trial.list.n * sums.n_erasers, sizeof(float));
        sums.self = calloc(trial.list.n, sizeof(double));
        assert_true(sums.dot && sums.self);
        attributor_add_erasure(&sums, trial.attributor, &trial.writes);
        /* Head 2 of layer 0, and neuron 9 of it, against the MLP of layer 2. */
        size_t c = component_layer(&trial.list, 0) + 2, n = component_mlp(&trial.list, 0) + 9;
        size_t e = grain == GRAIN_HEAD ? component_mlp(&trial.list, 2) : 5;
        const real *later = trial.writes.mlp + 2 * T * C;
        const real *w = gpt->params + gpt->map.W_out + 9 * C;
        outputs_of_head(head, gpt, 0, 2, trial.writes.z, T);
        of_head = self = of_neuron = g_self = 0;
        for (size_t i = 0; i < T * C; i++) {
            double g = grain == GRAIN_NEURON ? (double)trial.writes.post[i / C * M + 9] : 0;
            of_head += (double)head[i] * (double)later[i];
            self += (double)head[i] * (double)head[i];
            of_neuron += g * (double)w[i % C] * (double)later[i];
            g_self += g * g * (double)w[i % C] * (double)w[i % C];
        }
        size_t at = grain == GRAIN_HEAD ? c : n;
        double dot = grain == GRAIN_HEAD ? of_head : of_neuron;
        assert_true(fabs(dot) > 0.05);
        assert_true(fabs(sums.dot[at * sums.n_erasers + e] - dot) < 1e-3);
        assert_true(fabs(sums.self[at] - (grain == GRAIN_HEAD ? self : g_self)) < 1e-3);
        assert_true(attribution_erases(&trial.list, e, at));
        assert_false(attribution_erases(&trial.list, grain == GRAIN_HEAD ? c + 1 : 0, at));
        free(sums.dot);
        free(sums.self);
        trial_close(&trial);
    }
    free(head);
    readout_release(&readout);
    (void)state;
}

static void names_say_which(void **state)
{
    static const char *const names[] = {"tok", "pos", "L0H0", "L0H1", "L0H2", "L0H3", "attn0.bias"};
    char name[COMPONENT_NAME_MAX];
    ComponentList list = components_of(&gpt->cfg, GRAIN_NEURON, HOOK_RESID_MID, 2);
    for (size_t j = 0; j < 7; j++) {
        component_name(name, &list, component_at(&list, j));
        assert_string_equal(name, names[j]);
    }
    component_name(name, &list, component_at(&list, component_mlp(&list, 1) + 4));
    assert_string_equal(name, "L1N4");
    component_name(name, &list, component_at(&list, list.n - 2));
    assert_string_equal(name, "attn2.bias");
    list = components_of(&gpt->cfg, GRAIN_SOURCE, HOOK_RESID_POST, 2);
    component_name(name, &list, component_at(&list, component_layer(&list, 1) + 11 + 4));
    assert_string_equal(name, "L1H1@4");
    list.back = true;
    component_name(name, &list, component_at(&list, component_layer(&list, 1) + 11 + 4));
    assert_string_equal(name, "L1H1@-4");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contributions_add_up_to_every_logit),
        cmocka_unit_test(parts_add_up_to_their_whole),
        cmocka_unit_test(sources_are_counted_from_either_end),
        cmocka_unit_test(recomputed_is_what_a_removal_does),
        cmocka_unit_test(contributions_add_up_to_a_probe),
        cmocka_unit_test(controls_are_what_they_say),
        cmocka_unit_test(erasure_is_the_projection_of_later_writes),
        cmocka_unit_test(names_say_which),
    };
    return cmocka_run_group_tests(tests, open_network, close_network);
}
