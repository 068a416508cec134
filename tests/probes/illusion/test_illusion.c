/* tests/probes/illusion/test_illusion.c - parts of directions: planted networks whose truth is
 * known, a W_out that reads everything, gradients, methods. links: model/planted */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "model/planted/planted.h"
#include "probes/illusion/illusion_fit.h"
#include "probes/illusion/illusion_pass.h"
#include "probes/illusion/illusion_study.h"

/* The pass of the first history and a changed one do the same sums in other shapes: 1e-6 of a logit
 * of the order of 1, as a share of a way of the order of 0.1. */
#define PASS_ROUNDING 1e-4

static Gpt *noisy_network(int size, int d_mlp)
{
    const Vocab *vocab = vocab_of(game_variant(size));
    const GptConfig cfg = {.n_layers = 2,
                           .d_model = 16,
                           .n_heads = 2,
                           .d_head = 8,
                           .d_mlp = d_mlp,
                           .n_ctx = vocab->n_ctx,
                           .d_vocab = vocab->d_vocab,
                           .eps = 1e-5F};
    Gpt *gpt;
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    for (size_t i = 0; i < gpt->n_numbers; i++) {
        Rng rng = rng_at(7, RNG_TEST, i);
        gpt->params[i] = (real)(0.3 * rng_normal(&rng));
    }
    return gpt;
}

static PairSet some_pairs(int size, size_t n, uint64_t seed)
{
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    const Work work = {.seed = seed};
    PairSet pairs;
    options.n = n;
    options.before_end = case_before_end(game_variant(size));
    assert_int_equal(pairs_make(&pairs, game_variant(size), &options, &work), 0);
    return pairs;
}

/* A bank whose vectors are all the same. */
static SteerBank one_vector(const Gpt *gpt, HookSite site, const float *v)
{
    const int size = vocab_by_size(gpt->cfg.d_vocab)->variant->size;
    SteerBank bank;
    assert_int_equal(steer_bank_new(&bank, site, &gpt->cfg, (size_t)(size * size)), 0);
    for (size_t i = 0; i < bank.n_layers * bank.n_groups && v; i++) {
        memcpy(bank.vectors + i * bank.width, v, bank.width * sizeof(float));
    }
    return bank;
}

/* The change of Delta of the first pair, as a share of the way, for every part of v. */
static void patch_effects(double out[N_ILLUSION_PARTS], const Gpt *gpt, const PairSet *pairs,
                          const float *v)
{
    IllusionSpace spaces[PLANTED_LAYERS];
    IllusionSetting settings[N_ILLUSION_PARTS];
    IllusionVectors vectors;
    IllusionRuns runs;
    SteerBank full = one_vector(gpt, HOOK_POST, v), none = one_vector(gpt, HOOK_POST, NULL);
    for (int l = 0; l < gpt->cfg.n_layers; l++) {
        assert_int_equal(illusion_space_of_weights(&spaces[l], gpt, l), 0);
    }
    assert_int_equal(illusion_vectors_of(&vectors, &full, spaces, 1), 0);
    for (int p = 0; p < N_ILLUSION_PARTS; p++) {
        settings[p] = (IllusionSetting){&vectors, ILLUSION_PATCH, (IllusionPart)p, 1};
    }
    const IllusionInputs in = {.gpt = gpt,
                               .pairs = pairs,
                               .site = HOOK_POST,
                               .theirs = &none,
                               .mine = &none,
                               .spaces = spaces};
    assert_int_equal(illusion_runs(&runs, &in, settings, N_ILLUSION_PARTS, WORK_ALONE), 0);
    for (int p = 0; p < N_ILLUSION_PARTS; p++) {
        out[p] = (runs.changed[p].delta - runs.base[0].delta) /
                 (runs.source[0].delta - runs.base[0].delta);
    }
    illusion_runs_release(&runs);
    illusion_vectors_release(&vectors);
    steer_bank_release(&none);
    for (int l = 0; l < gpt->cfg.n_layers; l++) {
        illusion_space_release(&spaces[l]);
    }
}

static void planted_pair(PairSet *out, GamePair *pair, const PlantedTruth *truth)
{
    const GameVariant *variant = game_variant(truth->size);
    const Vocab *vocab = vocab_of(variant);
    *pair = (GamePair){.n_moves = (int)truth->n_tokens,
                       .target = 1ULL << vocab->sq_of_tok[truth->target],
                       .other = 1ULL << vocab->sq_of_tok[truth->other]};
    memset(pair->clean, SQ_NONE, sizeof(pair->clean));
    memset(pair->corrupt, SQ_NONE, sizeof(pair->corrupt));
    for (size_t t = 0; t < truth->n_tokens; t++) {
        pair->clean[t] = vocab->sq_of_tok[truth->clean[t]];
        pair->corrupt[t] = vocab->sq_of_tok[truth->corrupt[t]];
    }
    assert_int_equal(pair_derive(pair, variant), 0);
    *out = (PairSet){.variant = variant, .pairs = pair, .n = 1};
}

/* Neuron A varies and nobody reads it, B is read and never varies, C varies and is read. The patch
 * along A + B moves B by half of what A does: effect 1/2. Its row part is B, along which the runs
 * do not differ: effect 0. So the index is the whole effect. C is read: index 0. */
static void test_planted_illusion(void **state)
{
    const PlantedOptions options = {.kind = PLANTED_DORMANT, .size = 4, .seed = 3};
    PlantedTruth truth;
    GamePair pair;
    PairSet pairs;
    Gpt *gpt;
    assert_int_equal(planted_make(&gpt, &options), 0);
    assert_int_equal(planted_truth(&truth, &options), 0);
    planted_pair(&pairs, &pair, &truth);
    int neuron[3] = {0}, n = 0;
    for (size_t i = 0; i < truth.n_parts; i++) {
        if (truth.parts[i].node == PLANTED_NEURON) {
            neuron[n++] = truth.parts[i].index;
        }
    }
    assert_int_equal(n, 3);
    float *v = mem_calloc((size_t)gpt->cfg.d_mlp, sizeof(*v), "a direction");
    double effect[N_ILLUSION_PARTS];
    v[neuron[0]] = v[neuron[1]] = 1;
    patch_effects(effect, gpt, &pairs, v);
    assert_true(fabs(effect[ILLUSION_FULL] - 0.5) < 1e-3);
    assert_true(fabs(effect[ILLUSION_ROW]) < 1e-4);
    assert_true(fabs(effect[ILLUSION_NULL]) < 1e-4);
    v[neuron[0]] = v[neuron[1]] = 0;
    v[neuron[2]] = 1;
    patch_effects(effect, gpt, &pairs, v);
    assert_true(fabs(effect[ILLUSION_FULL] - 1) < 1e-3);
    assert_true(fabs(effect[ILLUSION_FULL] - effect[ILLUSION_ROW]) < 1e-4);
    assert_true(fabs(effect[ILLUSION_RANDOM]) < 0.9); /* and a random direction is no reader */
    mem_free(v);
    gpt_free(gpt);
}

/* W_out is square, and reads every direction: v_row is v, bit for bit. With fewer columns it is
 * not. */
static void test_square_weights_hide_nothing(void **state)
{
    for (int d_mlp = 16; d_mlp <= 64; d_mlp += 48) {
        Gpt *gpt = noisy_network(6, d_mlp);
        PairSet pairs = some_pairs(6, 1, 2);
        float v[64];
        double effect[N_ILLUSION_PARTS];
        for (int i = 0; i < d_mlp; i++) {
            v[i] = (float)sin(i + 1.0);
        }
        patch_effects(effect, gpt, &pairs, v);
        assert_true(effect[ILLUSION_FULL] != 0);
        if (d_mlp == 16) {
            assert_true(effect[ILLUSION_FULL] == effect[ILLUSION_ROW]);
            assert_true(fabs(effect[ILLUSION_NULL]) < PASS_ROUNDING);
        } else {
            assert_true(fabs(effect[ILLUSION_FULL] - effect[ILLUSION_ROW]) > 1e-2);
            assert_true(fabs(effect[ILLUSION_NULL]) < PASS_ROUNDING); /* W_out reads none of it */
        }
        pairs_release(&pairs);
        gpt_free(gpt);
    }
}

/* ---- spaces ---- */

static void test_split(void **state)
{
    Gpt *gpt = noisy_network(6, 64);
    IllusionSpace space;
    float v[64], row[64], null[64], random[64], scratch[128];
    assert_int_equal(illusion_space_of_weights(&space, gpt, 1), 0);
    assert_int_equal(space.rank, 16);
    for (int i = 0; i < 64; i++) {
        v[i] = (float)cos(3.0 * i);
    }
    illusion_split(row, null, &space, v);
    const real *w = gpt->params + gpt->map.W_out + gpt->map.block_stride;
    double across = 0, moved = 0;
    for (int c = 0; c < 16; c++) {
        double seen = 0, unseen = 0;
        for (int k = 0; k < 64; k++) {
            unseen += (double)null[k] * (double)w[k * 16 + c];
            seen += (double)row[k] * (double)w[k * 16 + c];
        }
        assert_true(fabs(unseen) < 1e-5);
        moved = fmax(moved, fabs(seen));
    }
    for (int k = 0; k < 64; k++) {
        across += (double)row[k] * null[k];
        assert_true(fabs((double)row[k] + null[k] - v[k]) < 1e-6);
    }
    assert_true(fabs(across) < 1e-4 && moved > 0.1);
    Rng rng = rng_at(1, RNG_TEST, 1);
    illusion_random(random, scratch, &space, 0.3, &rng);
    illusion_split(row, null, &space, random);
    across = 0;
    for (int k = 0; k < 64; k++) {
        across += (double)null[k] * null[k];
    }
    assert_true(fabs(across - 0.3) < 1e-5);
    illusion_space_release(&space);
    /* The eigenvectors of diag(4, 1, 0) turned by an angle: 80 % of the trace is one of them. */
    const double c = cos(0.5), s = sin(0.5);
    double g[9] = {4 * c * c + s * s, 3 * c * s, 0, 3 * c * s, 4 * s * s + c * c, 0, 0, 0, 0};
    assert_int_equal(illusion_space_of_gram(&space, g, 3, 0.79), 0);
    assert_int_equal(space.rank, 1);
    assert_true(fabs(fabs(space.basis[0]) - c) < 1e-9 && fabs(fabs(space.basis[1]) - s) < 1e-9);
    illusion_space_release(&space);
    gpt_free(gpt);
}

/* ---- gradients ---- */

/* Delta of pair i when the row is moved a little along a direction. */
static double nudged(const Gpt *gpt, const PairSet *pairs, size_t i, HookSite site, int layer,
                     const float *direction, double step)
{
    IllusionSpace spaces[2] = {{0}, {0}};
    SteerBank full = one_vector(gpt, site, direction), theirs = one_vector(gpt, site, NULL);
    SteerBank mine = one_vector(gpt, site, direction); /* apart by `step` along v */
    const bool to_mine = (pairs->pairs[i].clean_board.theirs & pairs->pairs[i].turned) != 0;
    IllusionVectors vectors;
    IllusionRuns runs;
    for (size_t k = 0; k < mine.n_layers * mine.n_groups * mine.width; k++) {
        mine.vectors[k] *= (float)(to_mine ? step : -step);
    }
    for (int l = 0; l < 2; l++) {
        spaces[l] = (IllusionSpace){.width = full.width, .rank = full.width};
    }
    assert_int_equal(illusion_vectors_of(&vectors, &full, spaces, 1), 0);
    const IllusionSetting setting = {&vectors, ILLUSION_ADD, ILLUSION_FULL, layer};
    const IllusionInputs in = {.gpt = gpt,
                               .pairs = pairs,
                               .site = site,
                               .theirs = &theirs,
                               .mine = &mine,
                               .spaces = spaces};
    assert_int_equal(illusion_runs(&runs, &in, &setting, 1, WORK_ALONE), 0);
    const double delta = runs.changed[i].delta;
    illusion_runs_release(&runs);
    illusion_vectors_release(&vectors);
    steer_bank_release(&theirs);
    steer_bank_release(&mine);
    return delta;
}

static void test_gradients_are_differences(void **state)
{
    Gpt *gpt = noisy_network(6, 64);
    PairSet pairs = some_pairs(6, 3, 2);
    const HookSite sites[] = {HOOK_POST, HOOK_RESID_POST};
    for (int s = 0; s < 2; s++) {
        IllusionRows rows;
        assert_int_equal(illusion_rows(&rows, gpt, &pairs, sites[s], WORK_ALONE), 0);
        for (int layer = 0; layer < 2; layer++) {
            const size_t at = (1 * rows.n_layers + (size_t)layer) * rows.width;
            float v[64] = {0};
            v[5] = 1;
            const double up = nudged(gpt, &pairs, 1, sites[s], layer, v, 0.02);
            const double down = nudged(gpt, &pairs, 1, sites[s], layer, v, -0.02);
            const double slope = -(up - down) / 0.04; /* of m = -Delta */
            assert_true(fabs(slope - rows.gradient[at + 5]) < 2e-3 + 0.02 * fabs(slope));
            assert_true(fabs(slope) > 1e-3);
        }
        illusion_rows_release(&rows);
    }
    pairs_release(&pairs);
    gpt_free(gpt);
}

/* Each method is an addition along v; how long it must be is worked out here from the rows. */
static void test_methods_are_their_formulas(void **state)
{
    Gpt *gpt = noisy_network(6, 64);
    PairSet pairs = some_pairs(6, 2, 2);
    IllusionPass pass;
    IllusionSpace spaces[2];
    float v[16], a[16], b[16];
    for (int c = 0; c < 16; c++) {
        v[c] = 0.25F * (c % 2 ? 1 : -1);
        a[c] = (float)sin(c + 1.0);
        b[c] = (float)cos(2.0 * c);
    }
    assert_int_equal(
        illusion_pass_init(&pass, gpt, vocab_of(pairs.variant), HOOK_RESID_POST, TAPE_FORWARD), 0);
    assert_int_equal(illusion_pass_hold(&pass, pairs.pairs, 2, NULL, NULL), 0);
    SteerBank full = one_vector(gpt, HOOK_RESID_POST, v);
    const bool theirs = (pairs.pairs[1].clean_board.theirs & pairs.pairs[1].turned) != 0;
    SteerBank from = one_vector(gpt, HOOK_RESID_POST, a), to = one_vector(gpt, HOOK_RESID_POST, b);
    const IllusionInputs in = {.gpt = gpt,
                               .pairs = &pairs,
                               .site = HOOK_RESID_POST,
                               .theirs = theirs ? &from : &to,
                               .mine = theirs ? &to : &from,
                               .spaces = spaces};
    for (int l = 0; l < 2; l++) {
        spaces[l] = (IllusionSpace){.width = 16, .rank = 16};
    }
    IllusionVectors vectors;
    assert_int_equal(illusion_vectors_of(&vectors, &full, spaces, 1), 0);
    double xv = 0, ov = 0, av = 0, bv = 0;
    for (int c = 0; c < 16; c++) {
        xv += (double)illusion_pass_row(&pass, pass.x, 0, 1)[c] * v[c];
        ov += (double)illusion_pass_row(&pass, pass.other, 0, 1)[c] * v[c];
        av += (double)a[c] * v[c];
        bv += (double)b[c] * v[c];
    }
    const double wanted[] = {[ILLUSION_PATCH] = ov - xv,
                             [ILLUSION_SET] = bv - xv,
                             [ILLUSION_PROJECT] = av + bv - 2 * xv,
                             [ILLUSION_ADD] = bv - av};
    for (int method = ILLUSION_PATCH; method <= ILLUSION_ADD; method++) {
        const IllusionSetting setting = {&vectors, (IllusionMethod)method, ILLUSION_FULL, 0};
        IllusionRuns runs;
        assert_int_equal(illusion_runs(&runs, &in, &setting, 1, WORK_ALONE), 0);
        const double same = nudged(gpt, &pairs, 1, HOOK_RESID_POST, 0, v, wanted[method]);
        assert_true(fabs(runs.changed[1].delta - same) < 1e-4);
        assert_true(fabs(runs.changed[1].delta - runs.base[1].delta) > 1e-3);
        illusion_runs_release(&runs);
    }
    illusion_pass_release(&pass);
    illusion_vectors_release(&vectors);
    steer_bank_release(&from);
    steer_bank_release(&to);
    pairs_release(&pairs);
    gpt_free(gpt);
}

/* The trained direction has a larger first-order effect on its pairs than where it began. */
static double first_order(const IllusionRows *rows, const PairSet *pairs, const SteerBank *bank)
{
    double sum = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const int sq = __builtin_ctzll(pairs->pairs[i].turned);
        const float *w = steer_bank_at(bank, 1, (size_t)(sq / 8 * 6 + sq % 8));
        const float *d = rows->difference + (i * rows->n_layers + 1) * rows->width;
        const float *g = rows->gradient + (i * rows->n_layers + 1) * rows->width;
        double dw = 0, gw = 0, ww = 0;
        for (size_t c = 0; c < rows->width; c++) {
            dw += (double)d[c] * w[c];
            gw += (double)g[c] * w[c];
            ww += (double)w[c] * w[c];
        }
        sum += dw * gw / ww;
    }
    return sum;
}

static void test_training_and_gram(void **state)
{
    Gpt *gpt = noisy_network(6, 64);
    PairSet pairs = some_pairs(6, 60, 2);
    IllusionRows rows;
    float v[64];
    for (int i = 0; i < 64; i++) {
        v[i] = (float)sin(2.0 * i + 1);
    }
    SteerBank start = one_vector(gpt, HOOK_POST, v), trained;
    assert_int_equal(illusion_rows(&rows, gpt, &pairs, HOOK_POST, WORK_ALONE), 0);
    assert_int_equal(illusion_trained(&trained, &rows, &pairs, &start, WORK_ALONE), 0);
    const double before = first_order(&rows, &pairs, &start);
    assert_true(first_order(&rows, &pairs, &trained) > before + 0.5);
    /* trace of E[J^T J] is above what the one metric reads, and G is positive */
    double gram[2 * 16 * 16], trace = 0;
    assert_int_equal(illusion_gram(gram, gpt, &pairs, 20, HOOK_RESID_POST, WORK_ALONE), 0);
    for (int i = 0; i < 16; i++) {
        assert_true(gram[256 + i * 17] >= 0);
        trace += gram[256 + i * 17];
        for (int j = 0; j < 16; j++) {
            assert_true(fabs(gram[256 + i * 16 + j] - gram[256 + j * 16 + i]) < 1e-9);
        }
    }
    /* Behind the last block, LN takes the mean of the row away: the direction of ones is not read,
     * but for what the LayerNorm's weights make of it. */
    double ones = 0;
    for (int i = 0; i < 256; i++) {
        ones += gram[256 + i] / 16;
    }
    assert_true(trace > 0.1 && fabs(ones) < 1e-6 * trace);
    steer_bank_release(&start);
    steer_bank_release(&trained);
    illusion_rows_release(&rows);
    pairs_release(&pairs);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_illusion),
        cmocka_unit_test(test_square_weights_hide_nothing),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_gradients_are_differences),
        cmocka_unit_test(test_methods_are_their_formulas),
        cmocka_unit_test(test_training_and_gram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
