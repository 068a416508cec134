/* tests/probes/illusion/test_illusion.c - parts of directions: planted networks whose truth is
 * known, a W_out that reads everything, gradients, methods. links: model/planted */
#include "probes/illusion/illusion_fixture.h"

#include "datasets/labels.h"
#include "model/planted/planted.h"
#include "num/vectors.h"

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

/* Whether the row part of v hardly varies in games, in block 1. */
static bool is_dormant(const Gpt *gpt, const SteerFit *fit, const float *v)
{
    IllusionSpace spaces[PLANTED_LAYERS];
    IllusionVectors vectors;
    uint8_t dormant[PLANTED_LAYERS * 16];
    SteerBank full = one_vector(gpt, HOOK_POST, v);
    for (int l = 0; l < PLANTED_LAYERS; l++) {
        assert_int_equal(illusion_space_of_weights(&spaces[l], gpt, l), 0);
    }
    assert_int_equal(illusion_vectors_of(&vectors, &full, spaces, 1), 0);
    /* Two banks in one visit, each for itself: the planted one is dormant or not beside another. */
    const SteerBank *banks[] = {&vectors.of[ILLUSION_RANDOM_ROW], &vectors.of[ILLUSION_ROW]};
    uint8_t beside[PLANTED_LAYERS * 16], *found[] = {beside, dormant};
    assert_int_equal(illusion_dormant(found, banks, 2, spaces, gpt, fit, WORK_ALONE), 0);
    for (int g = 0; g < 16; g++) {
        assert_int_equal(dormant[16 + g], dormant[16]); /* all squares have the same vector */
    }
    illusion_vectors_release(&vectors);
    for (int l = 0; l < PLANTED_LAYERS; l++) {
        illusion_space_release(&spaces[l]);
    }
    return dormant[16];
}

static void check_dormant(const Gpt *gpt, const int neuron[3])
{
    GameSource *source;
    SteerFit fit;
    float *v = mem_calloc((size_t)gpt->cfg.d_mlp, sizeof(*v), "a direction");
    assert_int_equal(source_fresh(&source, game_variant(4), 3, RNG_FRESH), 0);
    assert_int_equal(steer_fit_draw(&fit, source, STEER_MINE, 100, 4, WORK_ALONE), 0);
    source_free(source);
    v[neuron[0]] = v[neuron[1]] = 1;
    assert_true(is_dormant(gpt, &fit, v)); /* B is what is read of it */
    v[neuron[0]] = v[neuron[1]] = 0;
    v[neuron[2]] = 1;
    assert_false(is_dormant(gpt, &fit, v));
    steer_fit_release(&fit);
    mem_free(v);
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
    check_dormant(gpt, neuron);
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
        Gpt *gpt = noisy_network(6, d_mlp, 7);
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
    Gpt *gpt = noisy_network(6, 64, 7);
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

/* Along the gradient itself the slope is its length. A step of 0.02 leaves the curvature, of the
 * order of 0.02 squared, and rounding, 1e-6 of a logit over 0.04: together below 1e-3. */
static void test_gradients_are_differences(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 7);
    PairSet pairs = some_pairs(6, 3, 2);
    const HookSite sites[] = {HOOK_POST, HOOK_RESID_POST};
    for (int s = 0; s < 2; s++) {
        IllusionRows rows;
        assert_int_equal(illusion_rows(&rows, gpt, &pairs, sites[s], WORK_ALONE), 0);
        for (int layer = 0; layer < 2; layer++) {
            const float *g = rows.gradient + (1 * rows.n_layers + (size_t)layer) * rows.width;
            float v[64] = {0};
            memcpy(v, g, rows.width * sizeof(*v));
            const double length = vector_unit(v, rows.width), tolerance = 1e-3;
            const double up = nudged(gpt, &pairs, 1, sites[s], layer, v, 0.02);
            const double down = nudged(gpt, &pairs, 1, sites[s], layer, v, -0.02);
            const double slope = -(up - down) / 0.04; /* of m = -Delta */
            assert_true(fabs(slope - length) < tolerance);
            assert_true(slope > 50 * tolerance);
        }
        illusion_rows_release(&rows);
    }
    pairs_release(&pairs);
    gpt_free(gpt);
}

/* A space that reads the first 9 of 16 coordinates. */
static IllusionSpace first_coordinates(void)
{
    IllusionSpace space = {.width = 16, .rank = 9};
    space.basis = mem_calloc(9 * 16, sizeof(*space.basis), "a space");
    for (size_t i = 0; i < 9; i++) {
        space.basis[i * 17] = 1;
    }
    return space;
}

/* Each method is an addition along w; how long it must be is worked out here from the rows. Once w
 * is v, and once its part in a space. */
static void test_methods_are_their_formulas(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 7);
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
    spaces[0] = first_coordinates();
    spaces[1] = first_coordinates();
    IllusionVectors vectors;
    assert_int_equal(illusion_vectors_of(&vectors, &full, spaces, 1), 0);
    for (int part = ILLUSION_FULL; part <= ILLUSION_ROW; part++) {
        float w[16] = {0};
        double xw = 0, ow = 0, aw = 0, bw = 0, av = 0, bv = 0, ww = 0;
        memcpy(w, v, (part == ILLUSION_FULL ? 16 : 9) * sizeof(*w));
        for (int c = 0; c < 16; c++) {
            xw += (double)illusion_pass_row(&pass, pass.x, 0, 1)[c] * w[c];
            ow += (double)illusion_pass_row(&pass, pass.other, 0, 1)[c] * w[c];
            aw += (double)a[c] * w[c];
            bw += (double)b[c] * w[c];
            av += (double)a[c] * v[c];
            bv += (double)b[c] * v[c];
            ww += (double)w[c] * w[c];
        }
        /* of a line only the direction counts, so s / |w| along w of length 1; add is v's amount of
         * w */
        const double wanted[] = {[ILLUSION_PATCH] = (ow - xw) / sqrt(ww),
                                 [ILLUSION_SET] = (bw - xw) / sqrt(ww),
                                 [ILLUSION_PROJECT] = (aw + bw - 2 * xw) / sqrt(ww),
                                 [ILLUSION_ADD] = (bv - av) * sqrt(ww)};
        vector_unit(w, 16);
        for (int method = ILLUSION_PATCH; method <= ILLUSION_ADD; method++) {
            const IllusionSetting setting = {&vectors, (IllusionMethod)method, (IllusionPart)part,
                                             0};
            IllusionRuns runs;
            assert_int_equal(illusion_runs(&runs, &in, &setting, 1, WORK_ALONE), 0);
            const double same = nudged(gpt, &pairs, 1, HOOK_RESID_POST, 0, w, wanted[method]);
            /* the same sum in another order: 1e-6 of a logit of the order of 1 */
            assert_true(fabs(runs.changed[1].delta - same) < 1e-5);
            assert_true(fabs(runs.changed[1].delta - runs.base[1].delta) > 50 * 1e-5);
            illusion_runs_release(&runs);
        }
    }
    illusion_space_release(&spaces[0]);
    illusion_space_release(&spaces[1]);
    illusion_pass_release(&pass);
    illusion_vectors_release(&vectors);
    steer_bank_release(&from);
    steer_bank_release(&to);
    pairs_release(&pairs);
    gpt_free(gpt);
}

/* The row of pair 1 in a block behind the descent through a probe, less the row. */
static void change_by_descent(float change[16], const IllusionPass *pass,
                              const BoardDirections *directions, int layer)
{
    const GamePair *pair = &pass->pairs[1];
    const float *x = illusion_pass_row(pass, pass->x, layer, 1);
    const int sq = __builtin_ctzll(pair->turned);
    const bool black = board_discs(&pair->clean_board, BLACK) >> sq & 1;
    EditCase edit = {.n_moves = pair->n_moves, .n_squares = 1};
    EditPlan plan = EDIT_PLAN_DEFAULT;
    CaseVerdict verdict;
    float scratch[EDIT_ROW_SCRATCH(16)];
    memcpy(edit.moves, pair->clean, sizeof(edit.moves));
    edit.squares[0] = (CaseSquare){(uint8_t)sq, black ? LABEL_BLACK : LABEL_WHITE,
                                   black ? LABEL_WHITE : LABEL_BLACK};
    assert_int_equal(case_derive(&edit, &verdict, game_variant(6)), 0);
    const EditSquares squares = edit_squares(&directions->terms, &edit);
    plan.method = METHOD_GRADIENT;
    plan.site = HOOK_RESID_POST;
    memcpy(change, x, 16 * sizeof(*change));
    edit_row(change, scratch, &plan, directions, layer, &squares);
    for (int c = 0; c < 16; c++) {
        change[c] -= x[c];
    }
}

/* What is added for a part, by the change of the descent and the random directions. */
static void part_of_change(float out[16], const float change[16], int part,
                           const IllusionVectors *vectors, int layer, size_t group)
{
    double length = 0, row = 0;
    for (int c = 0; c < 16; c++) {
        length += (double)change[c] * change[c];
        row += c < 9 ? (double)change[c] * change[c] : 0;
    }
    for (int c = 0; c < 16; c++) {
        const bool read = c < 9; /* by first_coordinates */
        const double random = steer_bank_at(&vectors->of[part], layer, group)[c];
        out[c] = (float)(part == ILLUSION_FULL       ? change[c]
                         : part == ILLUSION_ROW      ? (read ? change[c] : 0)
                         : part == ILLUSION_ROW_LONG ? (read ? change[c] * sqrt(length / row) : 0)
                         : part == ILLUSION_NULL     ? (read ? 0 : change[c])
                                                     : random * sqrt(length));
    }
}

/* The descent runs once for all parts; each is its formula, in whatever order they are asked. */
static void test_descent_is_its_formula(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 7);
    PairSet pairs = some_pairs(6, 2, 2);
    Probe probe = random_probe(&gpt->cfg, HOOK_RESID_POST);
    BoardDirections directions;
    IllusionPass pass;
    IllusionSpace spaces[2] = {first_coordinates(), first_coordinates()};
    float change[2][16], added[16], v[16];
    for (int c = 0; c < 16; c++) {
        v[c] = c % 3 ? 0.3F : -0.1F;
    }
    assert_int_equal(direction_board_of_probe(&directions, &probe), 0);
    assert_int_equal(
        illusion_pass_init(&pass, gpt, vocab_of(pairs.variant), HOOK_RESID_POST, TAPE_FORWARD), 0);
    assert_int_equal(illusion_pass_hold(&pass, pairs.pairs, 2, NULL, NULL), 0);
    for (int layer = 0; layer < 2; layer++) {
        change_by_descent(change[layer], &pass, &directions, layer);
    }
    SteerBank full = one_vector(gpt, HOOK_RESID_POST, v);
    SteerBank none = one_vector(gpt, HOOK_RESID_POST, NULL);
    IllusionVectors vectors;
    assert_int_equal(illusion_vectors_of(&vectors, &full, spaces, 1), 0);
    IllusionSetting settings[2 * N_ILLUSION_PARTS];
    for (int s = 0; s < 2 * N_ILLUSION_PARTS; s++) { /* each part in both blocks by turns */
        settings[s] = (IllusionSetting){&vectors, ILLUSION_GRADIENT, (IllusionPart)(s / 2), s % 2};
    }
    const IllusionInputs in = {.gpt = gpt,
                               .pairs = &pairs,
                               .site = HOOK_RESID_POST,
                               .theirs = &none,
                               .mine = &none,
                               .spaces = spaces,
                               .directions = &directions};
    IllusionRuns runs;
    const size_t group =
        steer_group_of_square(pairs.variant, __builtin_ctzll(pairs.pairs[1].turned));
    assert_int_equal(illusion_runs(&runs, &in, settings, 2 * N_ILLUSION_PARTS, WORK_ALONE), 0);
    const IllusionAnswer *answers = runs.changed + 2 * N_ILLUSION_PARTS; /* of pair 1 */
    for (int s = 0; s < 2 * N_ILLUSION_PARTS; s++) {
        const int layer = s % 2;
        part_of_change(added, change[layer], s / 2, &vectors, layer, group);
        const double length = vector_unit(added, 16);
        const double same = nudged(gpt, &pairs, 1, HOOK_RESID_POST, layer, added, length);
        /* the same sum in another order: 1e-6 of a logit of the order of 1 */
        assert_true(fabs(answers[s].delta - same) < 1e-5);
        assert_true(fabs(answers[s].delta - runs.base[1].delta) > 50 * 1e-5);
        assert_true(fabs(answers[s ^ 1].delta - same) > 50 * 1e-5); /* another block */
    }
    illusion_runs_release(&runs);
    for (int l = 0; l < 2; l++) {
        illusion_space_release(&spaces[l]);
    }
    illusion_pass_release(&pass);
    illusion_vectors_release(&vectors);
    steer_bank_release(&none);
    direction_board_release(&directions);
    probe_release(&probe);
    pairs_release(&pairs);
    gpt_free(gpt);
}

/* A line has no length: v_row at the length of v answers as v_row does, bit for bit, for the
 * methods that move along one. What is added counts its length. */
static void test_length_of_a_line_is_nothing(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 7);
    PairSet pairs = some_pairs(6, 3, 2);
    IllusionSpace spaces[2] = {first_coordinates(), first_coordinates()};
    float v[16], b[16];
    for (int c = 0; c < 16; c++) {
        v[c] = c % 3 ? 0.3F : -0.1F;
        b[c] = (float)cos(2.0 * c);
    }
    SteerBank full = one_vector(gpt, HOOK_RESID_POST, v);
    SteerBank theirs = one_vector(gpt, HOOK_RESID_POST, v);
    SteerBank mine = one_vector(gpt, HOOK_RESID_POST, b);
    IllusionVectors vectors;
    assert_int_equal(illusion_vectors_of(&vectors, &full, spaces, 1), 0);
    IllusionSetting settings[8];
    for (int s = 0; s < 8; s++) {
        settings[s] = (IllusionSetting){&vectors, (IllusionMethod)(s / 2),
                                        s % 2 ? ILLUSION_ROW_LONG : ILLUSION_ROW, 1};
    }
    const IllusionInputs in = {.gpt = gpt,
                               .pairs = &pairs,
                               .site = HOOK_RESID_POST,
                               .theirs = &theirs,
                               .mine = &mine,
                               .spaces = spaces};
    IllusionRuns runs;
    assert_int_equal(illusion_runs(&runs, &in, settings, 8, WORK_ALONE), 0);
    for (size_t i = 0; i < 3; i++) {
        const IllusionAnswer *of = runs.changed + i * 8;
        for (int method = ILLUSION_PATCH; method <= ILLUSION_ADD; method++) {
            const IllusionAnswer *row = &of[2 * method], *as_long = row + 1;
            assert_true((memcmp(row, as_long, sizeof(*row)) == 0) == (method != ILLUSION_ADD));
            assert_true(row->delta != runs.base[i].delta);
        }
        assert_true(of[0].delta != of[2].delta && of[2].delta != of[4].delta);
    }
    illusion_runs_release(&runs);
    for (int l = 0; l < 2; l++) {
        illusion_space_release(&spaces[l]);
    }
    illusion_vectors_release(&vectors);
    steer_bank_release(&theirs);
    steer_bank_release(&mine);
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
        cmocka_unit_test(test_descent_is_its_formula),
        cmocka_unit_test(test_length_of_a_line_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
