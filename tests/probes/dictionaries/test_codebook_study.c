/* tests/probes/dictionaries/test_codebook_study.c - a whole study: groups of equal L0 with their
 * twins, the same rows for any number of workers and behind an interruption. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "probes/activations/activations.h"
#include "probes/board/direction_set.h"
#include "probes/dictionaries/codebook_inputs.h"
#include "probes/dictionaries/trained_twins.h"
#include "probes/sae/training/sae_train.h"
#include "tests/probes/probe_fixture.h"
#include "tests/probes/stopped_journal.h"

enum { FEATURES = 32, LAYER = 1 };
static ProbeFixture fixture;
static Pool *pool;
static Sae *saes[3];
static const Sae *given[3];
static const char *const names[] = {"one", "two", "three"};
static CodebookSets sets;
static CodebookStudyInputs in;

/* An autoencoder of random directions, of which a row keeps the k largest. */
static Sae *random_sae(size_t k, uint64_t seed)
{
    SaeConfig cfg = {.kind = SAE_TOPK,
                     .d_in = 24,
                     .d_out = 24,
                     .features = FEATURES,
                     .k = k,
                     .site = HOOK_RESID_POST,
                     .site_out = HOOK_RESID_POST,
                     .layer = LAYER,
                     .scale = 1,
                     .scale_out = 1};
    Sae *out = NULL;
    memset(cfg.model_hash, 'a', HASH_HEX_SIZE - 1);
    assert_int_equal(sae_new(&out, &cfg), 0);
    for (size_t j = 0; j < FEATURES; j++) {
        double length = direction_random(out->w_dec + j * 24, 24, seed, j);
        for (size_t c = 0; c < 24; c++) {
            out->w_dec[j * 24 + c] /= (float)length;
            out->w_enc[j * 24 + c] = out->w_dec[j * 24 + c];
        }
    }
    sae_prepare(out);
    return out;
}

static int setup(void **state)
{
    int rc = fixture_open(&fixture, 120) || pool_new(&pool, 3);
    saes[0] = random_sae(3, 1);
    saes[1] = random_sae(6, 2);
    saes[2] = random_sae(3, 4); /* in the group of the first */
    for (int i = 0; i < 3; i++) {
        given[i] = saes[i];
    }
    in = (CodebookStudyInputs){.gpt = fixture.subject.model.gpt,
                               .site = HOOK_RESID_POST,
                               .layer = LAYER,
                               .saes = given,
                               .names = names,
                               .n_saes = 3,
                               .twin_activations = 2000};
    const CodebookSample sample = {30, 10, 10, 0};
    return rc || codebook_inputs_draw(&sets, &in, fixture.subject.variant, fixture.corpus, &sample,
                                      &(Work){.seed = 1});
}

static int teardown(void **state)
{
    codebook_sets_release(&sets);
    sae_free(saes[0]);
    sae_free(saes[1]);
    sae_free(saes[2]);
    pool_free(pool);
    fixture_close(&fixture);
    return 0;
}

static const CodebookStudyRow *find(const CodebookStudy *study, const char *name, size_t group)
{
    for (size_t i = 0; i < study->n_rows; i++) {
        if (strcmp(study->rows[i].name, name) == 0 && study->rows[i].group == group) {
            return &study->rows[i];
        }
    }
    fail_msg("no row %s at %zu", name, group);
    return NULL;
}

static void same_rows(const CodebookStudy *a, const CodebookStudy *b)
{
    assert_int_equal(a->n_rows, b->n_rows);
    for (size_t i = 0; i < a->n_rows; i++) {
        assert_string_equal(a->rows[i].name, b->rows[i].name);
        assert_int_equal(a->rows[i].group, b->rows[i].group);
        assert_int_equal(a->rows[i].features, b->rows[i].features);
        assert_memory_equal(a->rows[i].score, b->rows[i].score, sizeof(CodebookScore));
        assert_memory_equal(&a->rows[i].excess, &b->rows[i].excess, sizeof(Interval));
        assert_memory_equal(&a->rows[i].strict, &b->rows[i].strict, sizeof(Interval));
        assert_memory_equal(a->rows[i].excess_draws, b->rows[i].excess_draws,
                            sizeof(a->rows[i].excess_draws));
        assert_true(a->rows[i].loss == b->rows[i].loss);
        assert_true(a->rows[i].recovered == b->rows[i].recovered);
    }
}

static void test_groups(void **state)
{
    CodebookStudy study, alone;
    assert_int_equal(codebook_study_run(&study, &in, &(Work){.pool = pool, .seed = 1}), 0);
    assert_int_equal(codebook_study_run(&alone, &in, &(Work){.seed = 1}), 0);
    same_rows(&study, &alone);
    codebook_study_release(&alone);
    /* Two groups of four twins (there is no probe) and two trained twins; neurons and the mean with
     * all features. */
    assert_int_equal(study.n_rows, 3 + 2 * 6 + 2);
    assert_int_equal(find(&study, "three", 3)->sae, 2);
    const char *const twins[] = {"neurons", "basis", "pca", "random", "random_weights", "gaussian"};
    for (int i = 0; i < 2; i++) {
        const size_t group = i ? 6 : 3;
        const CodebookStudyRow *own = find(&study, names[i], group);
        assert_int_equal(own->role, STUDY_TRAINED);
        for (size_t t = 0; t < 6; t++) {
            const CodebookStudyRow *twin = find(&study, twins[t], group);
            assert_true(twin->score->l0 <= (double)group && twin->score->l0 > 0);
            assert_true(twin->score->coverage[BOARD_ALL].value > 0);
            /* Each of the trained twins is measured on its own network. */
            assert_true((twin->loss == own->loss) == false && twin->strict.value > 0);
            /* Rows with fewer features above 0 are rare, but where neurons are. */
            assert_true(t == 0 || twin->score->l0 > (double)group - 0.5);
            Interval none = codebook_difference(twin->score, twin->score, false, BOARD_ALL);
            assert_true(none.value == 0 && none.low == 0 && none.high == 0);
        }
        /* The k largest of random directions without a fitted decoder rebuild worse than with one;
         * components rebuild better than both. */
        assert_true(find(&study, "random", group)->score->explained > own->score->explained);
        assert_true(find(&study, "pca", group)->score->explained >
                    find(&study, "random", group)->score->explained);
        assert_true(find(&study, "basis", group)->features == 48);
    }
    assert_true(find(&study, "mean", 0)->score->l0 == 0);
    assert_true(find(&study, "neurons", 0)->score->l0 > find(&study, "neurons", 6)->score->l0);
    assert_true(study.zero_loss != study.clean_loss && study.floor < study.clean_loss);
    /* Each of one kind in each other. */
    assert_int_equal(study.n_pairs, 6);
    assert_true(study.pairs[0].mmcs.mean > 0 && study.pairs[0].mmcs.mean < 0.9);
    codebook_study_release(&study);
}

/* ---- trained twins ---- */

/* |b - mean of the rows of a network|^2. An autoencoder starts at the mean of what it is shown. */
static double off_mean(const float *b, const Gpt *gpt)
{
    const SiteLayers where = {HOOK_RESID_POST, &in.layer, 1};
    const PositionSet *set = &in.test->set;
    float *x = malloc(set->n_positions * 24 * sizeof(*x));
    double sum = 0;
    assert_int_equal(activations_capture(&x, set, gpt, &where, WORK_ALONE), 0);
    for (size_t c = 0; c < 24; c++) {
        double mean = 0;
        for (size_t i = 0; i < set->n_positions; i++) {
            mean += (double)x[i * 24 + c] / (double)set->n_positions;
        }
        sum += pow(b[c] - mean, 2);
    }
    free(x);
    return sum;
}

static void test_trained_twins(void **state)
{
    const TwinShape shape = {3, FEATURES, 24};
    const Work work = {.pool = pool, .seed = 1};
    Gpt *random = NULL, *again = NULL, *other = NULL;
    Sae *own = NULL, *twin = NULL;
    assert_int_equal(twin_trained_network(&random, in.gpt, 1), 0);
    assert_int_equal(twin_trained_network(&again, in.gpt, 1), 0);
    assert_int_equal(twin_trained_network(&other, in.gpt, 2), 0);
    assert_memory_equal(random->params, again->params, random->n_numbers * sizeof(real));
    assert_memory_not_equal(random->params, other->params, random->n_numbers * sizeof(real));
    assert_memory_not_equal(random->params, in.gpt->params, random->n_numbers * sizeof(real));
    assert_int_equal(twin_trained_on_network(&own, &in, in.gpt, shape, &work), 0);
    assert_int_equal(twin_trained_on_network(&twin, &in, random, shape, &work), 0);
    assert_true(off_mean(own->b_dec, in.gpt) < off_mean(own->b_dec, random) / 2);
    assert_true(off_mean(twin->b_dec, random) < off_mean(twin->b_dec, in.gpt) / 2);
    /* So few rows, and yet dead features are told, and so revived. */
    assert_true(twin->cfg.dead >= 0 && twin->cfg.kind == SAE_TOPK && twin->cfg.k == 3);
    assert_int_equal(twin->cfg.features, FEATURES);
    sae_free(own);
    sae_free(twin);
    gpt_free(random);
    gpt_free(again);
    gpt_free(other);
}

/* ---- progress ---- */

typedef struct Ticks {
    size_t early, rows, details; /* before the first row; rows; between them */
    double done, total;
    bool backwards, network, trained, pca;
} Ticks;

static void listen(void *context, const char *stage, double done, double total)
{
    Ticks *ticks = context;
    const bool row = strcmp(stage, "dictionaries") == 0;
    ticks->early += !row && ticks->rows == 0;
    ticks->details += !row;
    ticks->rows += row;
    ticks->backwards = ticks->backwards || done < ticks->done || done > total;
    ticks->network = ticks->network || strncmp(stage, "the network: games, ", 20) == 0;
    ticks->trained = ticks->trained || strncmp(stage, "gaussian: rows, ", 16) == 0;
    ticks->pca = ticks->pca || strcmp(stage, "pca: coverage, 50 %") == 0;
    ticks->done = done;
    ticks->total = total;
}

/* Something is said from the beginning, and what is to come was known. */
static void test_says_what_it_does(void **state)
{
    CodebookStudy study;
    Ticks ticks = {0};
    const Work work = {.pool = pool, .seed = 1, .tick = listen, .context = &ticks};
    assert_int_equal(codebook_study_run(&study, &in, &work), 0);
    assert_true(ticks.early > 5 && ticks.network && ticks.trained && ticks.pca);
    assert_int_equal(ticks.rows, study.n_rows);
    assert_true(ticks.details > 5 * ticks.rows);
    assert_true(ticks.done == ticks.total && ticks.total == (double)study.n_rows);
    assert_false(ticks.backwards);
    codebook_study_release(&study);
}

/* ---- interruption ---- */

static void test_goes_on(void **state)
{
    CodebookStudy whole, part;
    CodebookStudyInputs few = in;
    few.twin_activations = 0;
    StoppedJournal journal;
    journal_begin(&journal, 5);
    const Work work = {.pool = pool, .seed = 1, .journal = &journal.callbacks};
    assert_int_equal(codebook_study_run(&whole, &few, &(Work){.pool = pool, .seed = 1}), 0);
    assert_int_equal(codebook_study_run(&part, &few, &work), OGPT_EINTR);
    codebook_study_release(&part);
    assert_int_equal(journal.n_kept, 5);
    journal.stop_after = SIZE_MAX;
    journal_values(&journal, NULL, 1)[0] = 6.25; /* what is kept is taken, not computed again: L0 */
    assert_int_equal(codebook_study_run(&part, &few, &work), 0);
    assert_true(find(&part, "two", 6)->score->l0 == 6.25);
    ((CodebookStudyRow *)find(&part, "two", 6))->score->l0 = find(&whole, "two", 6)->score->l0;
    same_rows(&whole, &part);
    codebook_study_release(&whole);
    codebook_study_release(&part);
    journal_end(&journal);
}

static void test_what_does_not_belong_together(void **state)
{
    Sae *other = random_sae(3, 3);
    assert_int_equal(codebook_inputs_check_sae(other, "o", saes[0], &fixture.subject), 0);
    other->cfg.layer = 2;
    assert_int_equal(codebook_inputs_check_sae(other, "o", saes[0], &fixture.subject),
                     OGPT_EFORMAT);
    other->cfg.layer = LAYER;
    other->cfg.kind = SAE_TRANSCODER;
    assert_int_equal(codebook_inputs_check_sae(other, "o", saes[0], &fixture.subject), OGPT_EUSAGE);
    other->cfg.kind = SAE_TOPK;
    other->cfg.model_hash[0] = 'b';
    assert_int_equal(codebook_inputs_check_sae(other, "o", saes[0], &fixture.subject),
                     OGPT_EFORMAT);
    sae_free(other);
    Probe probe = {.task = "mine",
                   .n_classes = 3,
                   .classes = {"empty", "theirs", "mine"},
                   .labels = "mover",
                   .site = HOOK_RESID_POST,
                   .n_layers = 1,
                   .layers = {LAYER},
                   .fitted = {true}};
    assert_int_equal(codebook_inputs_check_probe(&probe, "p"), 0);
    assert_int_equal(codebook_inputs_check_place(&probe, "p", &in), 0);
    probe.layers[0] = 2;
    assert_int_equal(codebook_inputs_check_place(&probe, "p", &in), OGPT_EUSAGE);
    probe.n_hidden = 3;
    assert_int_equal(codebook_inputs_check_probe(&probe, "p"), OGPT_EUSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_trained_twins),
        cmocka_unit_test(test_says_what_it_does),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_what_does_not_belong_together),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
