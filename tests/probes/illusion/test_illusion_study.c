/* tests/probes/illusion/test_illusion_study.c - trained directions, what the answer reads, the
 * study. */
#include "probes/illusion/illusion_fixture.h"

#include "num/matrices/psd.h"

/* Sum over the pairs of a square of the effect of a patch to first order, in layer 1. */
static double first_order(const IllusionRows *rows, const PairSet *pairs, const SteerBank *bank,
                          int sq)
{
    double sum = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (pairs->pairs[i].turned != 1ULL << sq) {
            continue;
        }
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

/* The largest eigenvalue of the symmetric part of sum d g^T over the pairs of a square in layer 1,
 * by rotations of the whole matrix. It is shifted by its trace norm's bound, to have no negative
 * ones. */
static double largest_by_rotations(const IllusionRows *rows, const PairSet *pairs, int sq)
{
    const size_t n = rows->width;
    double *m = mem_calloc(n * n, sizeof(*m), "a matrix"), values[64], shift = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const float *d = rows->difference + (i * rows->n_layers + 1) * n;
        const float *g = rows->gradient + (i * rows->n_layers + 1) * n;
        double dd = 0, gg = 0;
        if (pairs->pairs[i].turned != 1ULL << sq) {
            continue;
        }
        for (size_t a = 0; a < n; a++) {
            for (size_t b = 0; b < n; b++) {
                m[a * n + b] += ((double)d[a] * g[b] + (double)g[a] * d[b]) / 2;
            }
            dd += (double)d[a] * d[a];
            gg += (double)g[a] * g[a];
        }
        shift += sqrt(dd * gg);
    }
    for (size_t a = 0; a < n; a++) {
        m[a * n + a] += shift;
    }
    psd_eigenvectors(values, m, n);
    mem_free(m);
    return values[0] - shift;
}

/* The effect of the trained direction to first order, summed over the pairs of a square, is the
 * largest there is: the eigenvalue. Rayleigh's quotient is off by the square of the residual, 1e-3,
 * over the gap to the next eigenvalue: 1e-3 leaves room for a gap of 1e-3. The start is far below.
 */
static void test_training_finds_the_largest(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 7);
    PairSet pairs = some_pairs(6, 60, 2);
    IllusionRows rows;
    float v[64];
    int n_squares = 0;
    for (int i = 0; i < 64; i++) {
        v[i] = (float)sin(2.0 * i + 1);
    }
    SteerBank start = one_vector(gpt, HOOK_POST, v), trained;
    assert_int_equal(illusion_rows(&rows, gpt, &pairs, HOOK_POST, WORK_ALONE), 0);
    assert_int_equal(illusion_trained(&trained, &rows, &pairs, &start, WORK_ALONE), 0);
    for (int sq = 0; sq < 64; sq++) {
        const double reached = first_order(&rows, &pairs, &trained, sq);
        const double largest = largest_by_rotations(&rows, &pairs, sq);
        if (largest > 0) {
            assert_true(fabs(reached - largest) < 1e-3 * largest);
            assert_true(first_order(&rows, &pairs, &start, sq) < largest * 0.9);
            n_squares++;
        }
    }
    assert_true(n_squares > 10);
    steer_bank_release(&start);
    steer_bank_release(&trained);
    illusion_rows_release(&rows);
    pairs_release(&pairs);
    gpt_free(gpt);
}

typedef struct Nudging {
    const float *v;
    double step;
} Nudging;

static void nudge(void *context, const HookPoint *point)
{
    const Nudging *nudging = context;
    for (size_t i = 0; i < point->B * point->width; i++) {
        point->value[i] += (float)(nudging->step * (double)nudging->v[i % point->width]);
    }
}

/* |d (logits less their mean) / d step|^2 along v at resid_post of layer 0, mean over the first
 * histories, by differences of two passes. */
static double read_along(IllusionPass *pass, const Gpt *gpt, const float *v)
{
    const size_t V = (size_t)gpt->cfg.d_vocab, n = pass->n * V;
    double *moved = mem_calloc(n, sizeof(*moved), "logits"), sum = 0;
    for (int side = -1; side <= 1; side += 2) {
        Nudging nudging = {v, 0.02 * side};
        Hooks hooks = {.fn = nudge, .context = &nudging};
        hooks.sites[HOOK_RESID_POST] = 1;
        const real *logits = prefix_last(pass->base, gpt, &hooks);
        for (size_t i = 0; i < n; i++) {
            moved[i] += side * (double)logits[i] / 0.04;
        }
    }
    for (size_t i = 0; i < pass->n; i++) {
        double mean = 0;
        for (size_t tok = 0; tok < V; tok++) {
            mean += moved[i * V + tok] / (double)V;
        }
        for (size_t tok = 0; tok < V; tok++) {
            sum += (moved[i * V + tok] - mean) * (moved[i * V + tok] - mean);
        }
    }
    mem_free(moved);
    return sum / (double)pass->n;
}

static double quadratic(const double *gram, const float *v)
{
    double sum = 0;
    for (int i = 0; i < 256; i++) {
        sum += (double)v[i / 16] * gram[i] * (double)v[i % 16];
    }
    return sum;
}

/* v^T G v is what the answer moves along v. The wrong vector is v with a coordinate turned round.
 * The differences leave curvature (0.02 squared) and rounding (1e-6 / 0.04): 1e-3 is more than
 * both.
 */
static void test_gram_is_what_is_read(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 7);
    PairSet pairs = some_pairs(6, 20, 2);
    IllusionPass pass;
    double gram[2 * 256], trace = 0, ones = 0;
    float v[16], wrong[16];
    for (int c = 0; c < 16; c++) {
        v[c] = wrong[c] = (float)cos(1.3 * c) / 4;
    }
    wrong[3] = -wrong[3];
    assert_int_equal(
        illusion_pass_init(&pass, gpt, vocab_of(pairs.variant), HOOK_RESID_POST, TAPE_FORWARD), 0);
    assert_int_equal(illusion_pass_hold(&pass, pairs.pairs, pairs.n, NULL, NULL), 0);
    assert_int_equal(illusion_gram(gram, gpt, &pairs, 20, HOOK_RESID_POST, WORK_ALONE), 0);
    const double read = read_along(&pass, gpt, v);
    assert_true(fabs(quadratic(gram, v) - read) < 1e-3 * read);
    assert_true(fabs(quadratic(gram, wrong) - read) > 0.1 * read);
    /* Behind the last block, LN takes the mean of a row away: ones are not read. */
    for (int i = 0; i < 256; i++) {
        ones += gram[256 + i] / 16;
        trace += i % 17 == 0 ? gram[256 + i] : 0;
    }
    assert_true(trace > 0.1 && fabs(ones) < 1e-6 * trace);
    illusion_pass_release(&pass);
    pairs_release(&pairs);
    gpt_free(gpt);
}

/* ---- the whole study ---- */

static bool shares_history(const GamePair *a, const GamePair *b)
{
    const size_t n = sizeof(a->clean);
    return memcmp(a->clean, b->clean, n) == 0 || memcmp(a->clean, b->corrupt, n) == 0 ||
           memcmp(a->corrupt, b->clean, n) == 0 || memcmp(a->corrupt, b->corrupt, n) == 0;
}

/* On 4x4 two draws have histories in common, in either place of a pair. None of the training pairs
 * that are kept has one, and of those that are drawn all others are kept. */
static void test_no_training_pair_is_reported(void **state)
{
    PairSet training, test, drawn = some_pairs(4, 60, ~(uint64_t)1);
    const Work work = {.seed = 1};
    size_t kept = 0, by_first = 0;
    assert_int_equal(illusion_pairs(&training, &test, game_variant(4), 60, 60, &work), 0);
    for (size_t i = 0; i < drawn.n; i++) {
        bool shared = false, first = false;
        for (size_t k = 0; k < test.n; k++) {
            const uint8_t *clean = test.pairs[k].clean;
            shared = shared || shares_history(&drawn.pairs[i], &test.pairs[k]);
            first = first || memcmp(drawn.pairs[i].clean, clean, sizeof(test.pairs[k].clean)) == 0;
        }
        if (!shared) {
            assert_true(kept < training.n);
            assert_memory_equal(drawn.pairs[i].clean, training.pairs[kept].clean,
                                sizeof(drawn.pairs[i].clean));
            kept++;
        }
        by_first += first;
    }
    assert_int_equal(training.n, kept);
    assert_true(kept > 0 && kept < drawn.n - by_first); /* not by the first histories alone */
    pairs_release(&drawn);
    pairs_release(&training);
    pairs_release(&test);
}

static void count_ticks(void *context, const char *stage, double done, double total)
{
    size_t *ticks = context;
    assert_true(done <= total && total > 0);
    *ticks += strcmp(stage, "pairs") == 0;
}

/* At mlp_post nothing reads v_null, so what adds the whole of v does what its row part does; what
 * interchanges a coordinate does not. */
static void check_row(const IllusionRow *row, size_t *n_apart)
{
    const double full = row->effect[ILLUSION_FULL].value, part = row->effect[ILLUSION_ROW].value;
    assert_true(fabs(row->index.value - (full - part)) < 1e-9);
    assert_true(fabs(row->beyond.value - (row->index.value - row->random_index.value)) < 1e-9);
    assert_true(fabs(row->effect[ILLUSION_NULL].value) < PASS_ROUNDING);
    assert_int_equal(row->rank, 16);
    assert_true(row->disconnected > 0 && row->disconnected < 1);
    assert_true(isfinite(row->training) && row->training != 0);
    if (row->method == ILLUSION_ADD || row->method == ILLUSION_GRADIENT) {
        assert_true(fabs(full) > 10 * PASS_ROUNDING);
        assert_true(fabs(full - part) < PASS_ROUNDING);
    } else {
        *n_apart += fabs(full - part) > 10 * PASS_ROUNDING;
    }
    assert_true(row->method != ILLUSION_GRADIENT || row->origin == ILLUSION_PROBE);
}

/* (null - changed) / (null - self), and the share of the way, over all pairs; full and row are the
 * settings 2 at and 2 at + 1. Returns whether the two parts have other wrong moves. */
static bool check_answers(const IllusionRow *row, const IllusionRuns *runs, size_t at)
{
    double null = 0, self = 0, way = 0, wrong[2] = {0}, moved[2] = {0};
    for (size_t i = 0; i < runs->n; i++) {
        null += runs->base[i].wrong;
        self += runs->self[i];
        way += runs->source[i].delta - runs->base[i].delta;
        for (size_t part = 0; part < 2; part++) {
            const IllusionAnswer *changed = &runs->changed[i * runs->n_settings + 2 * at + part];
            wrong[part] += changed->wrong;
            moved[part] += changed->delta - runs->base[i].delta;
        }
    }
    assert_true(fabs(row->closed.value - (null - wrong[0]) / (null - self)) < 1e-9);
    assert_true(fabs(row->closed_row.value - (null - wrong[1]) / (null - self)) < 1e-9);
    assert_true(fabs(row->effect[ILLUSION_FULL].value - moved[0] / way) < 1e-9);
    assert_true(fabs(row->effect[ILLUSION_ROW].value - moved[1] / way) < 1e-9);
    return wrong[0] != wrong[1] && wrong[0] != null;
}

/* The rows of the probe, patched, set or projected, say what runs of its parts say that are done
 * here. */
static void check_runs(const IllusionStudy *study, const IllusionStudyInputs *in, uint64_t seed)
{
    IllusionSpace spaces[2];
    SteerBank theirs = {0}, mine = {0}, means, full;
    IllusionVectors vectors;
    IllusionSetting settings[12];
    IllusionRuns runs;
    size_t n_checked = 0, n_apart = 0;
    for (int l = 0; l < 2; l++) {
        assert_int_equal(illusion_space_of_weights(&spaces[l], in->gpt, l), 0);
    }
    assert_int_equal(steer_bank_means(&theirs, &mine, in->gpt, in->fit, in->site, WORK_ALONE), 0);
    assert_int_equal(steer_bank_difference(&means, &mine, &theirs), 0);
    assert_int_equal(steer_bank_probe(&full, in->probe, &means, STEER_MINE, game_variant(6)), 0);
    assert_int_equal(illusion_vectors_of(&vectors, &full, spaces, seed), 0);
    const IllusionInputs inputs = {.gpt = in->gpt,
                                   .pairs = in->test,
                                   .site = in->site,
                                   .theirs = &theirs,
                                   .mine = &mine,
                                   .spaces = spaces};
    for (int s = 0; s < 12; s++) {
        settings[s] = (IllusionSetting){&vectors, (IllusionMethod)(s / 4),
                                        s % 2 ? ILLUSION_ROW : ILLUSION_FULL, s / 2 % 2};
    }
    assert_int_equal(illusion_runs(&runs, &inputs, settings, 12, WORK_ALONE), 0);
    for (size_t r = 0; r < study->n_rows; r++) {
        const IllusionRow *row = &study->rows[r];
        if (row->origin == ILLUSION_PROBE && row->method < ILLUSION_ADD) {
            n_apart += check_answers(row, &runs, 2 * (size_t)row->method + (size_t)row->layer);
            n_checked++;
        }
    }
    assert_int_equal(n_checked, 6);
    assert_true(n_apart > 0); /* or one part would do for the other */
    illusion_runs_release(&runs);
    illusion_vectors_release(&vectors);
    steer_bank_release(&theirs);
    steer_bank_release(&mine);
    steer_bank_release(&means);
    illusion_space_release(&spaces[0]);
    illusion_space_release(&spaces[1]);
}

/* The memory that is asked for holds every answer and the rows of the training pairs; twice the
 * test pairs ask for their answers more. */
static void check_bytes(const IllusionStudy *study, const IllusionStudyInputs *in, const Work *work)
{
    const size_t answers = study->n_rows * N_ILLUSION_PARTS * in->test->n * sizeof(IllusionAnswer);
    const size_t rows = 2 * in->training->n * 2 * 64 * sizeof(float); /* 2 layers, 64 wide */
    PairSet twice = *in->test;
    IllusionStudyInputs more = *in;
    twice.n *= 2;
    more.test = &twice;
    assert_true(illusion_study_bytes(in, work) > answers + rows);
    assert_true(illusion_study_bytes(&more, work) >= illusion_study_bytes(in, work) + answers);
}

static void test_study(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 7);
    PairSet training, test;
    Probe probe = random_probe(&gpt->cfg, HOOK_POST);
    GameSource *source;
    SteerFit fit;
    size_t ticks = 0, n_apart = 0;
    uint64_t missing = 0;
    const Work work = {.seed = 3, .tick = count_ticks, .context = &ticks};
    assert_int_equal(source_fresh(&source, game_variant(6), 3, RNG_FRESH), 0);
    assert_int_equal(steer_fit_draw(&fit, source, STEER_MINE, 80, 4, WORK_ALONE), 0);
    source_free(source);
    assert_int_equal(illusion_pairs(&training, &test, game_variant(6), 60, 150, WORK_ALONE), 0);
    IllusionStudyInputs in = {.gpt = gpt,
                              .fit = &fit,
                              .training = &training,
                              .test = &test,
                              .site = HOOK_POST,
                              .kept = 0.99,
                              .gram_pairs = 20,
                              .probe = &probe};
    IllusionStudy study;
    assert_int_equal(illusion_study_run(&study, &in, &work), 0);
    assert_int_equal(study.n_rows, 2 * (4 + 4 + 5));
    assert_int_equal(ticks, 3); /* chunks of 64 */
    double patched[N_ILLUSION_ORIGINS] = {0};
    for (size_t r = 0; r < study.n_rows; r++) {
        const IllusionRow *row = &study.rows[r];
        check_row(row, &n_apart);
        patched[row->origin] += row->method == ILLUSION_PATCH ? fabs(row->training) : 0;
    }
    assert_int_equal(n_apart, 18); /* 2 layers, 3 origins, 3 methods */
    /* Trained directions do most to the pairs they were trained on. */
    assert_true(patched[ILLUSION_TRAINED] > 2 * patched[ILLUSION_MEANS]);
    assert_true(patched[ILLUSION_TRAINED] > 2 * patched[ILLUSION_PROBE]);
    for (size_t i = 0; i < test.n; i++) {
        bool found = false;
        for (size_t k = 0; k < training.n; k++) {
            found = found || training.pairs[k].turned == test.pairs[i].turned;
        }
        missing |= found ? 0 : test.pairs[i].turned;
    }
    assert_int_equal(study.n_untrained, __builtin_popcountll(missing));
    check_runs(&study, &in, work.seed);
    check_bytes(&study, &in, &work);
    illusion_study_release(&study);
    pairs_release(&training);
    pairs_release(&test);
    probe_release(&probe);
    steer_fit_release(&fit);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training_finds_the_largest),
        cmocka_unit_test(test_gram_is_what_is_read),
        cmocka_unit_test(test_no_training_pair_is_reported),
        cmocka_unit_test(test_study),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
