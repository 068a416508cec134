/* tests/probes/dictionaries/test_splice.c - rows that are taken out of a pass and put back change
 * no bit; what changes them is seen; neurons rebuild what they wrote. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/activations/activations.h"
#include "probes/dictionaries/splice.h"
#include "probes/dictionaries/twins.h"
#include "tests/probes/probe_fixture.h"

static ProbeFixture fixture;
static PositionSet set;
static Pool *pool;

static int setup(void **state)
{
    GameSource *source = NULL;
    int rc = fixture_open(&fixture, 40) || pool_new(&pool, 2) ||
             source_corpus(&source, fixture.corpus, SPLIT_ALL, false, 1) ||
             positions_draw(&set, source, 40, 0, &(Work){.seed = 1});
    source_free(source);
    return rc;
}

static int teardown(void **state)
{
    positions_release(&set);
    pool_free(pool);
    fixture_close(&fixture);
    return 0;
}

static SpliceScore score(SpliceMode mode, HookSite site, int layer, const Codebook *codebook,
                         Pool *by)
{
    SpliceScore out;
    const SplicePlace place = {fixture.subject.model.gpt, site, layer};
    assert_int_equal(splice_score(&out, &place, mode, codebook, &set, &(Work){.pool = by}), 0);
    return out;
}

static bool same(const SpliceScore *a, const SpliceScore *b)
{
    return memcmp(a->games, b->games, a->n_games * sizeof(*a->games)) == 0 &&
           memcmp(&a->total, &b->total, sizeof(a->total)) == 0;
}

static void copy(const void *self, const float *x, size_t rows, float *f)
{
    memcpy(f, x, rows * *(const size_t *)self * sizeof(float));
}

/* As many features as a row has numbers: each is one of them, as it is. */
static Codebook identity_codebook(size_t width)
{
    static size_t self;
    self = width;
    return (Codebook){.inputs = width,
                      .width = width,
                      .features = width,
                      .encode = copy,
                      .decode = copy,
                      .self = &self};
}

static void test_identity_changes_nothing(void **state)
{
    SpliceScore clean = score(SPLICE_NONE, HOOK_RESID_POST, 1, NULL, NULL);
    LegalityScore plain;
    GameSource *source = NULL;
    assert_int_equal(source_corpus(&source, fixture.corpus, SPLIT_ALL, false, 1), 0);
    assert_int_equal(legality_score(&plain, fixture.subject.model.gpt, source, 0, 40, WORK_ALONE),
                     0);
    assert_memory_equal(&plain.total, &clean.total, sizeof(plain.total));
    legality_release(&plain);
    source_free(source);
    for (int layer = LAYER_EMBED; layer < 3; layer++) {
        Codebook rows = identity_codebook(24);
        SpliceScore identity = score(SPLICE_CODEBOOK, HOOK_RESID_POST, layer, &rows, pool);
        SpliceScore zero = score(SPLICE_ZERO, HOOK_RESID_POST, layer, NULL, pool);
        Interval ratio, strict;
        double draws[BOOTSTRAP_REPLICATES];
        assert_true(same(&identity, &clean));
        assert_false(same(&zero, &clean));
        assert_int_equal(splice_excess(&ratio, &strict, draws, &identity, &clean, 1), 0);
        assert_true(ratio.value == 1 && ratio.low == 1 && ratio.high == 1);
        assert_true(draws[0] == 1 && draws[BOOTSTRAP_REPLICATES - 1] == 1);
        assert_true(strict.value == clean.total.strict_errors / clean.total.positions);
        splice_release(&identity);
        splice_release(&zero);
    }
    splice_release(&clean);
}

/* All coordinates rebuild the row, a few do not; a dictionary of neurons rebuilds mlp_out exactly,
 * because the MLP's output is linear in them. */
static void test_codebooks(void **state)
{
    const Gpt *gpt = fixture.subject.model.gpt;
    const size_t d = 24, m = 96, n = set.n_positions;
    float *x = malloc(n * d * sizeof(float)), *neurons = malloc(n * m * sizeof(float));
    const int layer = 1;
    assert_int_equal(
        activations_capture(&x, &set, gpt, &(SiteLayers){HOOK_MLP_OUT, &layer, 1}, WORK_ALONE), 0);
    assert_int_equal(
        activations_capture(&neurons, &set, gpt, &(SiteLayers){HOOK_POST, &layer, 1}, WORK_ALONE),
        0);
    TwinSource source = {.x = x, .n = n, .width = d, .neurons = neurons, .n_neurons = m, .seed = 1};
    SpliceScore clean = score(SPLICE_NONE, HOOK_MLP_OUT, 1, NULL, NULL);
    double last = INFINITY;
    for (size_t keep = 2; keep <= 48; keep += 46) {
        Codebook basis;
        assert_int_equal(twin_make(&basis, TWIN_BASIS, &source, keep, 0, WORK_ALONE), 0);
        SpliceScore alone = score(SPLICE_CODEBOOK, HOOK_MLP_OUT, 1, &basis, NULL);
        SpliceScore many = score(SPLICE_CODEBOOK, HOOK_MLP_OUT, 1, &basis, pool);
        assert_true(same(&alone, &many));
        double gap = fabs(alone.total.loss - clean.total.loss);
        assert_true(gap < last / 20 && gap > 0);
        last = gap;
        splice_release(&alone);
        splice_release(&many);
        codebook_release(&basis);
    }
    /* The same without the ReLU that dictionaries have: neurons are a little below 0 too. */
    Codebook linear;
    assert_int_equal(twin_make(&linear, TWIN_NEURONS, &source, 0, 0, WORK_ALONE), 0);
    SpliceScore whole = score(SPLICE_CODEBOOK, HOOK_MLP_OUT, 1, &linear, pool);
    linear.keep = 3;
    SpliceScore few = score(SPLICE_CODEBOOK, HOOK_MLP_OUT, 1, &linear, pool);
    assert_true(fabs(whole.total.loss - clean.total.loss) <
                fabs(few.total.loss - clean.total.loss) / 2);
    splice_release(&whole);
    splice_release(&few);
    codebook_release(&linear);
    splice_release(&clean);
    free(x);
    free(neurons);
}

static void write_ones(const void *self, const float *f, size_t rows, float *x_hat)
{
    for (size_t i = 0; i < rows * 24; i++) {
        x_hat[i] = 1;
    }
}

/* A LayerNorm sees no difference between rows of ones and rows of zeros; one number that stayed as
 * it was would be seen. */
static void test_all_numbers_are_replaced(void **state)
{
    Codebook ones = identity_codebook(24);
    ones.decode = write_ones;
    SpliceScore flat = score(SPLICE_CODEBOOK, HOOK_RESID_POST, 2, &ones, pool);
    SpliceScore zero = score(SPLICE_ZERO, HOOK_RESID_POST, 2, NULL, NULL);
    assert_true(same(&flat, &zero));
    splice_release(&flat);
    flat = score(SPLICE_CODEBOOK, HOOK_RESID_POST, 1, &ones, pool);
    assert_false(same(&flat, &zero));
    splice_release(&flat);
    splice_release(&zero);
}

static void test_where_neurons_are_known(void **state)
{
    assert_true(splice_sees_neurons(HOOK_RESID_POST, 0));
    assert_true(splice_sees_neurons(HOOK_MLP_OUT, 2));
    assert_false(splice_sees_neurons(HOOK_RESID_MID, 1));
    assert_false(splice_sees_neurons(HOOK_RESID_POST, LAYER_EMBED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity_changes_nothing),
        cmocka_unit_test(test_codebooks),
        cmocka_unit_test(test_all_numbers_are_replaced),
        cmocka_unit_test(test_where_neurons_are_known),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
