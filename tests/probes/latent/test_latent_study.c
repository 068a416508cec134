/* tests/probes/latent/test_latent_study.c - a whole study of a small network: rows, journal, memory
 * that is missing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/latent/latent_study.h"
#include "tests/probes/probe_fixture.h"
#include "tests/probes/stopped_journal.h"

static ProbeFixture fixture;
static LabelledSet sets[3];
static LatentInputs inputs;
static const int layers[] = {-1, 1};

static int setup(void **state)
{
    int rc = fixture_open(&fixture, 300);
    for (int k = 0; k < 3 && rc == 0; k++) {
        GameSource *source = NULL;
        rc = source_corpus(&source, fixture.corpus, 1U << k, false, 1) ||
             labelled_draw(&sets[k], source, task_find("mine"), LABELS_MOVER, 12, 0,
                           &(Work){.seed = 1});
        source_free(source);
    }
    inputs = (LatentInputs){.gpt = fixture.model.gpt,
                            .sets = {&sets[0], &sets[1], &sets[2]},
                            .layers = layers,
                            .n_layers = 2,
                            .options = {2, 6, 0}};
    return rc;
}

static int teardown(void **state)
{
    for (int k = 0; k < 3; k++) {
        labelled_release(&sets[k]);
    }
    fixture_close(&fixture);
    return 0;
}

static void whole_and_continued(void **state)
{
    StoppedJournal journal;
    const Work work = {.seed = 1, .journal = &journal.callbacks};
    LatentStudy whole, again;
    journal_begin(&journal, 7);
    assert_int_equal(latent_study_run(&whole, &inputs, &(Work){.seed = 1}), 0);
    assert_int_equal(whole.n_rows, 5 * 2 * 3);
    /* Stopped after seven fits; the next call takes these from the journal. */
    assert_int_equal(latent_study_run(&again, &inputs, &work), OGPT_EINTR);
    journal.stop_after = SIZE_MAX;
    assert_int_equal(latent_study_run(&again, &inputs, &work), 0);
    assert_int_equal(journal.n_recalled, 7);
    assert_int_equal(journal.n_kept, 30);
    for (size_t i = 0; i < whole.n_rows; i++) {
        const LatentRow *a = &whole.rows[i], *b = &again.rows[i];
        assert_true(a->subject == b->subject && a->layer == b->layer && a->method == b->method);
        assert_memory_equal(&a->score.accuracy, &b->score.accuracy, sizeof(Interval));
        assert_memory_equal(&a->score.squares[14].loss, &b->score.squares[14].loss, sizeof(double));
        assert_true(isfinite(a->score.accuracy.value));
    }
    /* With labels the planted board is read, from few games. */
    assert_int_equal(whole.rows[29].subject, LATENT_PLANTED);
    assert_int_equal(whole.rows[29].method, LATENT_LABELS);
    assert_true(whole.rows[29].score.accuracy.value > 0.9);
    assert_string_equal(latent_subject_name(LATENT_PLANTED), "planted");
    assert_string_equal(latent_method_name(LATENT_CRC), "crc-tpc");
    latent_study_release(&whole);
    latent_study_release(&again);
    journal_end(&journal);
}

/* Rows of positions and of both members of their pairs, labels, sums of CCS, the random network,
 * and what the larger one of two fits takes besides: in all at least so much. */
static size_t parts(size_t games, size_t starts, bool network)
{
    const GameVariant *variant = sets[0].set.vocab->variant;
    size_t S = sets[0].n_squares, n = games * (size_t)variant->n_moves, width = 2 * S;
    size_t chunks = (n + 511) / 512;
    assert_true(width > (size_t)inputs.gpt->cfg.d_model && chunks <= 64);
    return 3 * n * (3 * width * sizeof(float) + S + sizeof(uint32_t) + 2 * sizeof(uint64_t)) +
           (chunks + 4) * (width + 1) * S * starts * sizeof(float) +
           (network ? inputs.gpt->n_numbers * sizeof(real) : 0);
}

static size_t estimated(size_t games, size_t starts, const Work *work)
{
    const LatentOptions options = {starts, 6, 0};
    return latent_study_bytes((size_t[3]){games, games, games}, sets[0].set.vocab->variant,
                              inputs.gpt, &options, work);
}

static void estimate_has_all_parts(void **state)
{
    size_t once = estimated(200, 5, WORK_ALONE), twice = estimated(400, 5, WORK_ALONE);
    assert_true(once >= parts(200, 5, true));
    assert_true(once < 3 * parts(200, 5, true)); /* not everything at once */
    assert_true(twice - once >= parts(400, 5, false) - parts(200, 5, false));
    assert_true(estimated(200, 50, WORK_ALONE) - once >=
                parts(200, 50, false) - parts(200, 5, false));
    /* All games that were drawn fit into what was said of them. */
    for (int k = 0; k < 3; k++) {
        assert_true(sets[k].set.n_positions <=
                    sets[k].set.n_games * (size_t)sets[k].set.vocab->variant->n_moves);
    }
    /* Each further worker has scores of its own. */
    Pool *pool;
    assert_int_equal(pool_new(&pool, 3), 0);
    assert_true(estimated(200, 5, &(Work){.pool = pool}) - once >=
                2 * 1024 * sets[0].n_squares * 5 * sizeof(float));
    pool_free(pool);
}

/* The row that says whether enough was given: planted, without parity, by CCS. */
static void check_is_the_planted_row(void **state)
{
    LatentRow rows[] = {
        {.subject = LATENT_OWN, .by_ply = true, .method = LATENT_CCS},
        {.subject = LATENT_PLANTED, .by_ply = false, .method = LATENT_CCS},
        {.subject = LATENT_PLANTED, .by_ply = true, .method = LATENT_LABELS},
        {.subject = LATENT_PLANTED, .by_ply = true, .method = LATENT_CCS},
    };
    assert_ptr_equal(latent_study_check(&(LatentStudy){.n_rows = 4, .rows = rows}), &rows[3]);
    assert_null(latent_study_check(&(LatentStudy){.n_rows = 3, .rows = rows}));
}

static void memory_that_is_missing(void **state)
{
    LatentStudy study;
    for (uint64_t n = 1; n < 120; n += 13) {
        mem_fail_at(n, 0);
        int rc = latent_study_run(&study, &inputs, &(Work){.seed = 1});
        mem_fail_at(0, 0);
        assert_int_equal(rc, OGPT_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_and_continued),
        cmocka_unit_test(estimate_has_all_parts),
        cmocka_unit_test(check_is_the_planted_row),
        cmocka_unit_test(memory_that_is_missing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
