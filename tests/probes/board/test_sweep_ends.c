/* tests/probes/board/test_sweep_ends.c - label: counted - a sweep that is stopped in its controls
 * goes on with them, and networks with extreme weights end at once, with the layer and the reason.
 */
#include <math.h>

#include "base/arena.h"
#include "base/manifest.h"
#include "tests/probes/board/sweep_fixture.h"

/* Interrupted in its controls and called again: the same result, and what was finished is not
 * fitted again. With another setting everything is. */
static void controls_are_kept(void **state)
{
    char hash[HASH_HEX_SIZE], kept[FILES_PATH_MAX];
    SweepResult whole, part;
    SweepOptions options = fast_options();
    options.controls = true;
    SweepWatch watch = {0};
    assert_int_equal(fit(&whole, hash, "undisturbed", &options, &watch, &usual), 0);
    /* The progress covers the controls, the longer half here, and ends at the end. */
    assert_true(watch.parts > 99.999 && watch.parts_of_layers > 1 && watch.parts_of_layers < 60);
    fixture_path(kept, &fixture, "undisturbed.controls");
    assert_false(dir_exists(kept));
    fixture_path(kept, &fixture, "disturbed.controls");
    int finished = CONTROL_RANDOM_MODEL; /* controls before it are done when it begins */
    watch = (SweepWatch){.stop_control = 2 * finished + 1};
    assert_int_equal(fit(&part, hash, "disturbed", &options, &watch, &usual), OGPT_EINTR);
    assert_true(dir_exists(kept));
    double seconds[N_CONTROLS];
    memcpy(seconds, part.control_seconds, sizeof(seconds));
    for (int again = 0; again < 2;
         again++) { /* the second time with another number of test games */
        watch = (SweepWatch){.stop_control = again ? 0 : 2 * finished + 1};
        options.n_test_games = again ? 15 : 20;
        int rc = fit(&part, hash, "disturbed", &options, &watch, &usual);
        assert_int_equal(rc, again ? 0 : OGPT_EINTR);
        for (int control = CONTROL_HISTORY; control < finished; control++) {
            /* If it were fitted again, its time would differ. */
            bool same =
                fabs(part.control_seconds[control] - seconds[control]) < 1e-3 * seconds[control];
            assert_int_equal(same, again == 0);
        }
    }
    assert_false(dir_exists(kept));
    options.n_test_games = 20;
    watch = (SweepWatch){.stop_control = 2 * finished + 1};
    assert_int_equal(fit(&part, hash, "disturbed", &options, &watch, &usual), OGPT_EINTR);
    watch = (SweepWatch){0};
    assert_int_equal(fit(&part, hash, "disturbed", &options, &watch, &usual), 0);
    assert_int_equal(watch.n_controls, 2 * N_CONTROLS);
    for (int control = 0; control < N_CONTROLS; control++) {
        assert_memory_equal(&part.control[control], &whole.control[control], sizeof(ProbeScore));
        assert_memory_equal(&part.control_fit[control].rounds, &whole.control_fit[control].rounds,
                            sizeof(int));
        assert_true(part.control_fit[control].objective == whole.control_fit[control].objective);
    }
    assert_false(dir_exists(kept));
    assert_memory_not_equal(&whole.control[CONTROL_HISTORY], &whole.control[CONTROL_MAJORITY],
                            sizeof(ProbeScore));
}

/* Under the name of what is kept lies a file: nothing is kept, the sweep is done, the file stays.
 * And a reading that is no class of the task, in a folder whose sums are right, is not taken. */
static void what_is_not_ours_is_left_alone(void **state)
{
    char hash[HASH_HEX_SIZE], folder[FILES_PATH_MAX], file[FILES_PATH_MAX], path[FILES_PATH_MAX];
    SweepResult whole, part;
    SweepOptions options = fast_options();
    SweepWatch watch = {0};
    options.controls = true;
    fixture_path(file, &fixture, "blocked.controls");
    assert_int_equal(file_write_atomic(file, "mine", 4, false), 0);
    assert_int_equal(fit(&whole, hash, "blocked", &options, &watch, &usual), 0);
    assert_true(file_exists(file));

    watch = (SweepWatch){.stop_control = 2 * CONTROL_RANDOM_MODEL + 1};
    assert_int_equal(fit(&part, hash, "hurt", &options, &watch, &usual), OGPT_EINTR);
    fixture_path(path, &fixture, "hurt.controls");
    assert_int_equal(path_join(folder, path, control_name(CONTROL_HISTORY)), 0);
    static const char *const names[] = {"control.json", "reading.bin"};
    void *data[2];
    size_t n[2];
    Publish *publish = NULL;
    Js *fields = js_object();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(path_join(file, folder, names[i]), 0);
        assert_int_equal(file_read_all(&data[i], &n[i], file, 1 << 20), 0);
    }
    memset(data[1], 200, n[1]);
    assert_int_equal(publish_begin(&publish, folder, true), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(publish_file(publish, names[i], data[i], n[i]), 0);
        mem_free(data[i]);
    }
    assert_int_equal(publish_commit(publish, fields), 0);
    js_free(fields);
    watch = (SweepWatch){0};
    assert_int_equal(fit(&part, hash, "hurt", &options, &watch, &usual), 0);
    assert_memory_equal(&part.control[CONTROL_HISTORY], &whole.control[CONTROL_HISTORY],
                        sizeof(ProbeScore));
}

/* A network whose weights are scaled out of the range of single precision, and one that overflows:
 * both end at once, with the layer named, whichever solver. */
static void extreme_networks_are_refused(void **state)
{
    static const char *const solvers[] = {"newton", "liblinear", "adamw"};
    static const struct {
        double scale;
        const char *message, *tensor; /* NULL: all */
    } extreme[] = {{1e-38, "layer -1: column", NULL},
                   {1e30, "are not finite", NULL},
                   {1e25, "layer 1, game 0 of the sample: the activations are not finite",
                    "blocks.1.attn.W_"}}; /* scores of +infinity */
    Gpt *gpt = fixture.model.gpt;
    float *kept = test_malloc(gpt->n_numbers * sizeof(*kept));
    memcpy(kept, gpt->params, gpt->n_numbers * sizeof(*kept));
    for (size_t e = 0; e < sizeof(extreme) / sizeof(extreme[0]); e++) {
        for (size_t t = 0; t < gpt->n_specs; t++) {
            const TensorSpec *spec = &gpt->specs[t];
            const char *own = extreme[e].tensor;
            bool scaled = !own || (strncmp(spec->name, own, strlen(own)) == 0 &&
                                   strchr("QK", spec->name[strlen(own)]));
            for (size_t i = spec->offset; i < spec->offset + spec->count; i++) {
                gpt->params[i] = kept[i] * (scaled ? (float)extreme[e].scale : 1);
            }
        }
        for (size_t s = 0; s < 3; s++) {
            SweepOptions options = small_options();
            SweepResult result;
            Probe probe;
            char path[FILES_PATH_MAX];
            options.solver = solvers[s];
            fixture_path(path, &fixture, "extreme");
            assert_int_equal(sweep_fit(&result, &probe, path, &fixture.subject, fixture.corpus,
                                       &options, &usual),
                             OGPT_ENUM);
            assert_non_null(strstr(err_message(), extreme[e].message));
            assert_false(dir_exists(path));
            probe_release(&probe);
        }
    }
    memcpy(gpt->params, kept, gpt->n_numbers * sizeof(*kept));
    test_free(kept);
}

/* What was kept while the same games were divided by another rule is not taken: other games are
 * tested. Last, because the corpus stays divided by both rules. */
static void another_division_is_another_sweep(void **state)
{
    char hash[HASH_HEX_SIZE], path[FILES_PATH_MAX];
    SweepResult whole, part;
    SweepOptions options = fast_options();
    SweepWatch watch = {.stop_control = 2 * CONTROL_RANDOM_MODEL + 1};
    options.controls = true;
    assert_int_equal(fit(&part, hash, "divided", &options, &watch, &usual), OGPT_EINTR);
    fixture_path(path, &fixture, "divided");
    assert_int_equal(dir_remove(path), 0); /* the layers; the controls stay */
    corpus_divide(fixture.corpus, SPLIT_BY_GAME);
    watch = (SweepWatch){0};
    assert_int_equal(fit(&part, hash, "divided", &options, &watch, &usual), 0);
    watch = (SweepWatch){0};
    assert_int_equal(fit(&whole, hash, "divided-whole", &options, &watch, &usual), 0);
    assert_memory_equal(&part.control[CONTROL_HISTORY], &whole.control[CONTROL_HISTORY],
                        sizeof(ProbeScore));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extreme_networks_are_refused),
        cmocka_unit_test(controls_are_kept),
        cmocka_unit_test(what_is_not_ours_is_left_alone),
        cmocka_unit_test(another_division_is_another_sweep),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
