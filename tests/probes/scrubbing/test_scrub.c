/* tests/probes/scrubbing/test_scrub.c - causal scrubbing: what is exact, the same rows whatever
 * happens on the way, and what is refused. */
#include <math.h>
#include <stdio.h>

#include "tests/probes/scrubbing/scrub_fixture.h"
#include "tests/probes/stopped_journal.h"

static size_t n_of(size_t n)
{
    return fixture_sanitized() ? n / 4 : n;
}

/* The row of a hypothesis is another row of the same result, bit for bit. */
static bool rows_equal(const ScrubRow *a, const ScrubRow *b)
{
    return a->n == b->n && a->metric.value == b->metric.value && a->metric.low == b->metric.low &&
           a->metric.high == b->metric.high && a->strict.value == b->strict.value &&
           a->wrong.value == b->wrong.value;
}

static void everything_is_full_and_nothing_is_shuffled(void **state)
{
    static const char *const identities[] = {
        "logits <- all\nnode all = * carries everything\n",
        /* Each sender a node of its own, nested: nothing is computed anew, so no bit changes. */
        "logits <- i a m b n\nnode i = input carries everything\n"
        "node a = L0H* carries everything <- i\nnode m = mlp0 carries everything <- a i\n"
        "node b = L1H* carries everything <- m a i\n"
        "node n = mlp1 carries mover, everything <- b m a i\n",
    };
    ScrubFixture f = fixture_random(2, 60, 200);
    for (size_t i = 0; i < 2; i++) {
        ScrubResult r = fixture_scrub_early(&f, identities[i], n_of(40), 20);
        assert_int_equal(r.rows[2].kind, SCRUB_HYPOTHESIS);
        assert_true(rows_equal(&r.rows[2], &r.rows[0]));
        assert_true(r.rows[2].score.value == 1.0 && r.rows[2].unmatched == 0);
        /* The twins: the same without features, and full is not shuffled. */
        assert_int_equal(r.rows[3].kind, SCRUB_UNBOUND);
        assert_false(rows_equal(&r.rows[3], &r.rows[0]));
        assert_false(rows_equal(&r.rows[0], &r.rows[1]));
    }
    ScrubResult r = fixture_scrub(&f, "# nothing is said\nlogits <-\n", n_of(40));
    assert_int_equal(r.n_rows, 3);
    assert_true(rows_equal(&r.rows[2], &r.rows[1]));
    assert_true(r.rows[2].score.value == 0.0);
    /* A node that says nothing about one head is not the empty hypothesis. */
    r = fixture_scrub(&f, "logits <- a\nnode a = L1H0 carries nothing\n", n_of(40));
    assert_false(rows_equal(&r.rows[2], &r.rows[1]));
    fixture_release(&f);
    (void)state;
}

static void workers_change_nothing_and_seeds_do(void **state)
{
    const char *text = "logits <- m\nnode m = mlp1 carries mine c3 <- h\n"
                       "node h = L1H1 L1H2 at back 1, last-set c3 carries mover <- e\n"
                       "node e = mlp0 carries flipped c3\n";
    ScrubFixture f = fixture_random(2, 80, 300);
    Hypothesis hypothesis = fixture_hypothesis(&f, text);
    ScrubQuestion question = fixture_question(&f, &hypothesis, 48);
    ScrubResult one, two, other;
    Pool *pool;
    question.by_node = true;
    assert_int_equal(scrub_run(&one, &question, &(Work){.seed = 1}), 0);
    assert_int_equal(pool_new(&pool, 2), 0);
    assert_int_equal(scrub_run(&two, &question, &(Work){.seed = 1, .pool = pool}), 0);
    pool_free(pool);
    assert_int_equal(scrub_run(&other, &question, &(Work){.seed = 2}), 0);
    assert_int_equal(one.n_rows, 8); /* full, shuffled, it, elsewhere, unbound, three kept */
    for (size_t row = 0; row < one.n_rows; row++) {
        assert_true(rows_equal(&one.rows[row], &two.rows[row]));
        assert_true(one.rows[row].score.value == two.rows[row].score.value);
        assert_false(rows_equal(&one.rows[row], &other.rows[row]));
    }
    assert_true(one.rows[2].draws > 3 && one.rows[2].candidates > 1);
    hypothesis_release(&hypothesis);
    fixture_release(&f);
    (void)state;
}

/* ---- going on ---- */

static int recall_fails(void *context, double *values, size_t n, const char *stage, size_t block)
{
    return err_set(OGPT_EIO, "the journal cannot be read");
}

static void what_was_interrupted_goes_on(void **state)
{
    ScrubFixture f = fixture_random(1, 150, 200);
    Hypothesis hypothesis = fixture_hypothesis(&f, "logits <- m\nnode m = mlp0 carries mine c3\n");
    ScrubQuestion question = fixture_question(&f, &hypothesis, 100);
    StoppedJournal journal;
    const Work work = {.seed = 1, .journal = &journal.callbacks};
    ScrubResult whole, resumed;
    journal_begin(&journal, 2);
    assert_int_equal(scrub_run(&whole, &question, &(Work){.seed = 1}), 0);
    assert_int_equal(scrub_run(&resumed, &question, &work), OGPT_EINTR);
    journal.stop_after = SIZE_MAX;
    assert_int_equal(scrub_run(&resumed, &question, &work), 0);
    assert_int_equal(journal.n_recalled, 2);
    assert_int_equal(journal.n_kept, 4); /* 32 roots a block */
    for (size_t row = 0; row < whole.n_rows; row++) {
        assert_true(rows_equal(&whole.rows[row], &resumed.rows[row]));
    }
    /* A false block shows: what is recalled is used. */
    journal_values(&journal, "roots", 0)[0] += 1.0;
    assert_int_equal(scrub_run(&resumed, &question, &work), 0);
    assert_false(rows_equal(&whole.rows[0], &resumed.rows[0]));
    journal.callbacks.recall = recall_fails; /* an error is no block of zeros */
    assert_int_equal(scrub_run(&resumed, &question, &work), OGPT_EIO);
    journal_end(&journal);
    hypothesis_release(&hypothesis);
    fixture_release(&f);
    (void)state;
}

/* ---- what cannot be answered ---- */

static void roots_without_a_match_are_counted(void **state)
{
    ScrubFixture f = fixture_random(1, 200, 60);
    ScrubResult r = fixture_scrub(
        &f, "logits <- m\nnode m = mlp0 carries mine c2, mine d5, mine e3, colour b4\n", 100);
    assert_true(r.rows[2].unmatched > 20 && r.rows[2].n > 0);
    assert_int_equal(r.rows[2].n + r.rows[2].unmatched, 100);
    assert_int_equal(r.rows[0].n, 100);
    /* The same node with a feature that every game can match. */
    r = fixture_scrub(&f, "logits <- m\nnode m = mlp0 carries mover\n", 100);
    assert_int_equal(r.rows[2].unmatched, 0);
    fixture_release(&f);
    (void)state;
}

static void what_cannot_be_done_is_refused(void **state)
{
    ScrubFixture f = fixture_random(4, 30, 100);
    Hypothesis hypothesis = fixture_hypothesis(
        &f, "logits <- d\nnode d = L3H0 carries mover <- c\nnode c = L2H0 carries mover <- b\n"
            "node b = L1H0 carries mover <- a\nnode a = L0H0 carries mover\n");
    ScrubQuestion question = fixture_question(&f, &hypothesis, 20);
    ScrubResult result;
    question.min_moves = 20;
    /* Heads at every position, which read heads at every position: and so on. */
    assert_int_equal(scrub_run(&result, &question, &(Work){.seed = 1}), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "name fewer positions"));
    question.min_moves = 4;
    question.n_roots = 31;
    assert_int_equal(scrub_run(&result, &question, &(Work){.seed = 1}), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "roots in 30 games, 31 asked for"));
    question.n_roots = 20;
    assert_int_equal(scrub_run(&result, &question, &(Work){.seed = 1, .memory_bytes = 1000}),
                     OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "the index of 100 games"));
    hypothesis_release(&hypothesis);
    f.gpt->params[f.gpt->map.W_U] = NAN;
    hypothesis = fixture_hypothesis(&f, "logits <-\n");
    assert_int_equal(scrub_run(&result, &question, &(Work){.seed = 1}), OGPT_ENUM);
    hypothesis_release(&hypothesis);
    fixture_release(&f);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_full_and_nothing_is_shuffled),
        cmocka_unit_test(workers_change_nothing_and_seeds_do),
        cmocka_unit_test(what_was_interrupted_goes_on),
        cmocka_unit_test(roots_without_a_match_are_counted),
        cmocka_unit_test(what_cannot_be_done_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
