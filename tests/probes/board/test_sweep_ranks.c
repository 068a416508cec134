/* tests/probes/board/test_sweep_ranks.c - a sweep of several ranks: each fits its layers and
 * controls with the bits of one process, and only the first writes. Here no message arrives: what
 * other ranks have fitted stays zero. tests/ranks/ranks_results.sh has real ones. */
#include "base/arena.h"
#include "base/ranks/ranks.h"
#include "tests/probes/board/sweep_fixture.h"

static int sweep_as(SweepResult *out, Probe *probe, const char *name, int own, int count)
{
    char path[FILES_PATH_MAX];
    SweepOptions options = fast_options();
    options.controls = true;
    fixture_path(path, &fixture, name);
    ranks_pretend(own, count);
    int rc = sweep_fit(out, probe, path, &fixture.subject, fixture.corpus, &options, &usual);
    ranks_pretend(0, 1);
    return rc;
}

static size_t weight_bytes(const Probe *probe)
{
    return probe_inputs(probe) * (size_t)probe->n_squares * (size_t)probe->n_classes *
           sizeof(float);
}

static bool is_zero(const float *weights, size_t n_bytes)
{
    const char *bytes = (const char *)weights;
    size_t i = 0;
    while (i < n_bytes && bytes[i] == 0) {
        i++;
    }
    return i == n_bytes;
}

static void each_rank_fits_its_share(void **state)
{
    enum { COUNT = 2 };
    SweepResult whole, part;
    Probe one, of_rank;
    (void)state;
    assert_int_equal(sweep_as(&whole, &one, "one", 0, 1), 0);
    assert_true(whole.n_layers >= COUNT);
    for (int rank = 0; rank < COUNT; rank++) {
        char name[] = "rank-0", path[FILES_PATH_MAX];
        const double start = clock_seconds();
        name[5] = (char)('0' + rank);
        assert_int_equal(sweep_as(&part, &of_rank, name, rank, COUNT), 0);
        fixture_path(path, &fixture, name);
        assert_int_equal(dir_exists(path), rank == 0);
        for (int i = 0; i < whole.n_layers; i++) {
            const size_t n_bytes = weight_bytes(&one);
            assert_true(of_rank.fitted[i]);
            if (i % COUNT == rank) {
                assert_memory_equal(of_rank.weight[i], one.weight[i], n_bytes);
            } else {
                assert_true(is_zero(of_rank.weight[i], n_bytes));
            }
        }
        /* The first fitted control belongs to the first rank, the next one to the second. */
        const bool own[] = {rank == 0, rank == 1};
        const Control controls[] = {CONTROL_HISTORY, CONTROL_HISTORY_MLP};
        for (int c = 0; c < 2; c++) {
            const FitReport *fit = &part.control_fit[controls[c]];
            assert_true(part.has_control[controls[c]]);
            assert_int_equal(fit->objective == whole.control_fit[controls[c]].objective, own[c]);
            assert_int_equal(fit->rounds > 0, own[c]);
            assert_true(part.control_seconds[controls[c]] <= clock_seconds() - start);
        }
        fixture_path(path, &fixture, rank == 0 ? "rank-0.controls" : "rank-1.controls");
        assert_false(dir_exists(path));
        probe_release(&of_rank);
    }
    probe_release(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_rank_fits_its_share)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
