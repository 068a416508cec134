/* tests/probes/board/test_probe_file.c - probes on disk: a round trip, damage, and probes that
 * belong to something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/formats/safetensors.h"
#include "tests/probes/probe_fixture.h"
#include "probes/board/direction_set.h"
#include "tests/there.h"

static ProbeFixture fixture;

/* A probe of the fixture's network with layers embed, 0 and 2, of which 2 is unfitted. */
static void probe_make(Probe *out)
{
    *out = (Probe){.site = HOOK_RESID_POST,
                   .size = 6,
                   .n_squares = 36,
                   .d_model = 24,
                   .n_classes = 3,
                   .n_layers = 3,
                   .layers = {LAYER_EMBED, 0, 2},
                   .l2 = 0.1,
                   .n_games = 12,
                   .plies = 8,
                   .n_positions = 96,
                   .seed = UINT64_MAX - 4,
                   .fit = {{.objective = 1.0 / 3, .gradient = NAN, .rounds = 7, .n_absent = 5},
                           {.objective = 2.5,
                            .gradient = 0.1,
                            .rounds = 9,
                            .n_unconverged = 2,
                            .unconverged = (uint64_t)1 << 35 | 4}},
                   .seconds = {0.1, 1e-3},
                   .fitted = {true, true, false},
                   .task = "mine",
                   .classes = {"empty", "theirs", "mine"},
                   .solver = "newton",
                   .labels = "mover"};
    memcpy(out->model_hash, fixture.model.model_hash, HASH_HEX_SIZE);
    snprintf(out->corpus_hash, sizeof(out->corpus_hash), "fresh:6:1");
    assert_int_equal(probe_allocate(out), 0);
    Rng rng = rng_at(2, RNG_TEST, 1);
    for (int i = 0; i < 2; i++) {
        for (size_t j = 0; j < 24 * 36 * 3; j++) {
            out->weight[i][j] = (float)rng_normal(&rng);
        }
        for (size_t j = 0; j < 36 * 3; j++) {
            out->bias[i][j] = (float)rng_normal(&rng);
        }
    }
}

static void what_is_written_is_read(void **state)
{
    char path[FILES_PATH_MAX];
    Probe probe, back;
    probe_make(&probe);
    fixture_path(path, &fixture, "round");
    assert_int_equal(probe_save(&probe, path), 0);
    assert_int_equal(probe_save(&probe, path), 0); /* publishing again replaces */
    assert_int_equal(probe_load(&back, path), 0);
    assert_string_equal(back.task, "mine");
    assert_string_equal(back.classes[1], "theirs");
    assert_string_equal(back.solver, "newton");
    assert_string_equal(back.labels, "mover");
    assert_string_equal(back.model_hash, probe.model_hash);
    assert_string_equal(back.corpus_hash, "fresh:6:1");
    assert_int_equal(back.site, HOOK_RESID_POST);
    assert_int_equal(back.n_squares, 36);
    assert_int_equal(back.n_classes, 3);
    assert_true(back.l2 == 0.1 && back.seed == UINT64_MAX - 4);
    assert_true(back.n_games == 12 && back.plies == 8 && back.n_positions == 96);
    assert_int_equal(back.n_layers, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(back.layers[i], probe.layers[i]);
        assert_int_equal(back.fitted[i], i < 2);
        assert_memory_equal(back.weight[i], probe.weight[i], 24 * 36 * 3 * sizeof(float));
        assert_memory_equal(back.bias[i], probe.bias[i], 36 * 3 * sizeof(float));
    }
    assert_true(back.fit[0].objective == 1.0 / 3 && back.fit[1].objective == 2.5);
    assert_true(isnan(back.fit[0].gradient) && back.fit[1].gradient == 0.1);
    assert_true(back.fit[0].rounds == 7 && back.fit[1].rounds == 9);
    assert_true(back.fit[0].n_absent == 5 && back.fit[1].n_absent == 0);
    assert_true(back.fit[0].n_unconverged == 0 && back.fit[1].n_unconverged == 2);
    assert_true(back.fit[0].unconverged == 0 && back.fit[1].unconverged == ((uint64_t)1 << 35 | 4));
    assert_true(back.seconds[0] == 0.1 && back.seconds[1] == 1e-3);
    assert_int_equal(probe_layer_index(&back, 2), 2);
    assert_int_equal(probe_layer_index(&back, 1), -1);
    assert_int_equal(probe_class(&back, "mine"), 2);
    assert_int_equal(probe_class(&back, "black"), -1);
    probe_release(&probe);
    probe_release(&back);
}

/* Replacing removes a directory with all its contents, so only a probe is ever replaced. */
static void only_a_probe_is_replaced(void **state)
{
    char folder[FILES_PATH_MAX], path[FILES_PATH_MAX];
    Probe probe;
    probe_make(&probe);
    fixture_path(folder, &fixture, "precious");
    assert_int_equal(probe_check_goal(folder), 0); /* nothing is there */
    assert_int_equal(dir_create(folder), 0);
    static const char *const names[] = {"diary", "MANIFEST.json"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(path_join(path, folder, names[i]), 0);
        assert_int_equal(file_write_atomic(path, "{}", 2, false), 0);
        assert_int_equal(probe_save(&probe, folder), OGPT_EUSAGE);
        assert_non_null(strstr(err_message(), "precious"));
        assert_int_equal(probe_save(&probe, path), OGPT_EUSAGE); /* a file */
        assert_true(file_exists(path));
    }
    assert_int_equal(path_join(path, folder, "probe.json"), 0);
    assert_int_equal(file_write_atomic(path, "{}", 2, false), 0);
    assert_int_equal(probe_save(&probe, folder), 0); /* a probe, though a damaged one */
    probe_release(&probe);
}

static void tensors_have_their_names_and_shapes(void **state)
{
    char path[FILES_PATH_MAX], file[FILES_PATH_MAX];
    Probe probe;
    StFile *st = NULL;
    probe_make(&probe);
    fixture_path(path, &fixture, "names");
    assert_int_equal(probe_save(&probe, path), 0);
    assert_int_equal(path_join(file, path, "probe.safetensors"), 0);
    assert_int_equal(st_open(&st, file), 0);
    assert_int_equal(st_count(st), 4);
    const StTensor *weight = st_find(st, "blocks.0.hook_resid_pre.weight");
    assert_non_null(weight);
    assert_true(weight->rank == 4 && weight->shape[0] == 24 && weight->shape[1] == 6 &&
                weight->shape[2] == 6 && weight->shape[3] == 3);
    assert_non_null(st_find(st, "blocks.0.hook_resid_post.bias"));
    assert_null(
        st_find(st, "blocks.2.hook_resid_post.bias")); /* unfitted layers are not in the file */
    st_close(st);
    probe_release(&probe);
}

/* Flip one bit of a file of the probe. Reading must fail and return no probe. */
static void damage_and_refuse(const char *path, const char *name, size_t at)
{
    char file[FILES_PATH_MAX];
    void *bytes;
    size_t n;
    Probe back;
    assert_int_equal(path_join(file, path, name), 0);
    assert_int_equal(file_read_all(&bytes, &n, file, 1 << 24), 0);
    ((unsigned char *)bytes)[at < n ? at : n - 1] ^= 1;
    assert_int_equal(file_write_atomic(file, bytes, n, true), 0);
    assert_int_equal(probe_load(&back, path), OGPT_EFORMAT);
    assert_true(strlen(err_message()) > 0);
    assert_null(back.weight[0]);
    ((unsigned char *)bytes)[at < n ? at : n - 1] ^= 1;
    assert_int_equal(file_write_atomic(file, bytes, n, true), 0);
    assert_int_equal(probe_load(&back, path), 0); /* whole again: the damage was the reason */
    probe_release(&back);
    assert_int_equal(file_write_atomic(file, bytes, n - 5, true), 0);
    assert_int_equal(probe_load(&back, path), OGPT_EFORMAT);
    assert_int_equal(file_write_atomic(file, bytes, n, true), 0);
    mem_free(bytes);
}

static void damage_is_refused(void **state)
{
    char path[FILES_PATH_MAX];
    Probe probe, back;
    probe_make(&probe);
    fixture_path(path, &fixture, "damage");
    assert_int_equal(probe_save(&probe, path), 0);
    static const size_t places[] = {0, 9, 40, 300, SIZE_MAX};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        damage_and_refuse(path, "probe.safetensors", places[i]);
        damage_and_refuse(path, "probe.json", places[i]);
    }
    fixture_path(path, &fixture, "nowhere");
    assert_int_equal(probe_load(&back, path), OGPT_EIO);
    probe_release(&probe);
}

/* A published directory with a probe.json that does not match its tensors. */
static void save_with(Probe *probe, const char *name, char path[FILES_PATH_MAX])
{
    fixture_path(path, &fixture, name);
    assert_int_equal(probe_save(probe, path), 0);
}

static void contradictions_are_refused(void **state)
{
    char path[FILES_PATH_MAX];
    Probe probe, back;
    probe_make(&probe);
    probe.layers[2] = 0; /* twice the same layer */
    save_with(&probe, "twice", path);
    assert_int_equal(probe_load(&back, path), OGPT_EFORMAT);
    probe.layers[2] = 2;
    probe.size = 5; /* no such board */
    save_with(&probe, "five", path);
    assert_int_equal(probe_load(&back, path), OGPT_EFORMAT);
    probe.size = 6;
    probe.weight[1][77] = NAN;
    save_with(&probe, "nan", path);
    assert_int_equal(probe_load(&back, path), OGPT_EFORMAT);
    probe_release(&probe);
}

static void other_models_are_refused(void **state)
{
    Probe probe;
    GptConfig cfg = fixture.model.gpt->cfg;
    char other[HASH_HEX_SIZE];
    probe_make(&probe);
    assert_int_equal(probe_check_model(&probe, "p", fixture.model.model_hash, &cfg), 0);
    memset(other, 'b', HASH_HEX_SIZE);
    other[HASH_HEX_SIZE - 1] = '\0';
    assert_int_equal(probe_check_model(&probe, "p", other, &cfg), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "aaaaaaaaaaaa")); /* both sides are named */
    assert_non_null(strstr(err_message(), "bbbbbbbbbbbb"));
    cfg.d_model = 32;
    assert_int_equal(probe_check_model(&probe, "p", fixture.model.model_hash, &cfg), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "24"));
    assert_non_null(strstr(err_message(), "32"));
    cfg = fixture.model.gpt->cfg;
    cfg.d_vocab = 61;
    cfg.n_ctx = 59;
    assert_int_equal(probe_check_model(&probe, "p", fixture.model.model_hash, &cfg), OGPT_EFORMAT);
    cfg = fixture.model.gpt->cfg;
    cfg.n_layers = 2; /* the probe holds layer 2 */
    assert_int_equal(probe_check_model(&probe, "p", fixture.model.model_hash, &cfg), OGPT_EFORMAT);
    probe_release(&probe);
}

/* Scores, classes and directions by plain arithmetic. Sums of 24 products of unit normals round
 * by less than 1e-5 in float. */
static void scores_and_directions_are_what_they_say(void **state)
{
    Probe probe;
    float x[2 * 24], scores[2 * 36 * 3];
    uint8_t classes[2 * 36];
    probe_make(&probe);
    Rng rng = rng_at(2, RNG_TEST, 5);
    for (size_t i = 0; i < 48; i++) {
        x[i] = (float)rng_normal(&rng);
    }
    probe_scores(scores, &probe, 1, x, 2);
    float scratch[2 * 36 * 3];
    probe_classify(classes, scratch, &probe, 1, x, 2);
    for (size_t cell = 0; cell < 2 * 36 * 3; cell++) {
        size_t row = cell / 108, column = cell % 108;
        double sum = (double)probe.bias[1][column];
        for (size_t c = 0; c < 24; c++) {
            sum += (double)x[row * 24 + c] * (double)probe.weight[1][c * 108 + column];
        }
        assert_true(fabs(sum - (double)scores[cell]) < 1e-4);
        assert_true(scores[cell] <= scores[cell / 3 * 3 + classes[cell / 3]]);
    }
    BoardDirections directions;
    probe.fitted[2] = true;
    assert_int_equal(direction_board_of_probe(&directions, &probe), 0);
    size_t at = direction_of_square(&directions.sets[1], 17, 1, 2);
    const float *direction = directions.sets[1].unit + at * 24;
    double norm = directions.sets[1].length[at], length = 0;
    for (size_t c = 0; c < 24; c++) {
        const float *w = probe.weight[1] + c * 108 + 17 * 3;
        assert_true(fabs(norm * (double)direction[c] - ((double)w[2] - (double)w[1])) < 1e-5);
        length += (double)direction[c] * (double)direction[c];
    }
    assert_true(fabs(length - 1) < 1e-5);
    assert_string_equal(directions.sets[1].name[at], "f3 theirs to mine");
    assert_true(directions.sets[1].n_present > 0 && directions.sets[2].n_present == 0);
    assert_true(directions.sets[2].length[at] == 0); /* all weights zero */
    direction_board_release(&directions);
    probe_release(&probe);
}

static int setup(void **state)
{
    return fixture_open(&fixture, 10);
}

static int teardown(void **state)
{
    fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(only_a_probe_is_replaced),
        cmocka_unit_test(tensors_have_their_names_and_shapes),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(other_models_are_refused),
        cmocka_unit_test(scores_and_directions_are_what_they_say),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
