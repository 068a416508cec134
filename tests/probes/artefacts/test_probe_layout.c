/* tests/probes/artefacts/test_probe_layout.c - the published probe's layout: round trip, bytes by
 * hand, transposed boards, and files that are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/formats/safetensors.h"
#include "tests/probes/probe_fixture.h"
#include "probes/artefacts/probe_layout.h"

enum { SIZE = 6, SQUARES = SIZE * SIZE, WIDTH = 24, BOARD = SQUARES * 3 };

static ProbeFixture fixture;

static void probe_make(Probe *out)
{
    *out = (Probe){.task = "mine",
                   .classes = {"empty", "theirs", "mine"},
                   .solver = "newton",
                   .labels = "mover",
                   .site = HOOK_RESID_POST,
                   .size = SIZE,
                   .n_squares = SQUARES,
                   .d_model = WIDTH,
                   .n_classes = 3,
                   .n_layers = 2,
                   .layers = {0, 2},
                   .fitted = {true, true},
                   .l2 = 1e-4};
    memcpy(out->model_hash, fixture.model.model_hash, HASH_HEX_SIZE);
    snprintf(out->corpus_hash, sizeof(out->corpus_hash), "fresh:6:1");
    assert_int_equal(probe_allocate(out), 0);
    Rng rng = rng_at(3, RNG_TEST, 1);
    for (int i = 0; i < 2; i++) {
        for (size_t j = 0; j < WIDTH * BOARD; j++) {
            out->weight[i][j] = (float)rng_normal(&rng);
        }
        for (size_t j = 0; j < BOARD; j++) {
            out->bias[i][j] = (float)rng_normal(&rng);
        }
    }
}

/* Publish layer index 1 in the published layout; `file` is the tensor's path. */
static void layout_put(char file[FILES_PATH_MAX], const Probe *probe, const char *notation)
{
    char path[FILES_PATH_MAX];
    Publish *publish = NULL;
    Js *fields = js_object();
    fixture_path(path, &fixture, "published");
    assert_int_equal(publish_begin(&publish, path, true), 0);
    assert_int_equal(probe_layout_write(publish, probe, 1, notation), 0);
    assert_int_equal(publish_commit(publish, fields), 0);
    assert_int_equal(path_join(file, path, PROBE_LAYOUT_FILE), 0);
    js_free(fields);
}

static int read_back(Probe *out, const char *file, int layer, const char *model_hash,
                     const char *notation)
{
    const ProbeGiven given = {.layer = layer, .model_hash = model_hash, .notation = notation};
    return probe_layout_read(out, file, &given);
}

static void there_and_back(void **state)
{
    char file[FILES_PATH_MAX];
    Probe probe, back;
    double largest = 1;
    probe_make(&probe);
    layout_put(file, &probe, "standard");
    assert_int_equal(read_back(&back, file, LAYER_EMBED - 1, "", "standard"), 0);
    assert_int_equal(back.n_layers, 1);
    assert_int_equal(back.layers[0], 2);
    assert_int_equal(back.size, SIZE);
    assert_int_equal(back.site, HOOK_RESID_POST);
    assert_string_equal(back.task, "mine");
    assert_string_equal(back.labels, "mover");
    assert_string_equal(back.solver, "newton");
    assert_string_equal(back.model_hash, probe.model_hash);
    assert_string_equal(back.corpus_hash, "fresh:6:1");
    assert_true(back.l2 == 1e-4 && back.fitted[0]);
    assert_memory_equal(back.weight[0], probe.weight[1], WIDTH * BOARD * sizeof(float));
    assert_memory_equal(back.bias[0], probe.bias[1], BOARD * sizeof(float));
    /* Float sums of 24 products of order 1 against double ones. */
    assert_int_equal(probe_layout_difference(&largest, &back, 0, file, 20, 1), 0);
    assert_true(largest < 1e-4);
    probe_release(&back);
    /* a saved one can be read by every command */
    char path[FILES_PATH_MAX];
    assert_int_equal(read_back(&back, file, 2, "", "standard"), 0);
    fixture_path(path, &fixture, "ours");
    assert_int_equal(probe_save(&back, path), 0);
    probe_release(&back);
    assert_int_equal(probe_load(&back, path), 0);
    assert_memory_equal(back.weight[0], probe.weight[1], WIDTH * BOARD * sizeof(float));
    /* negative twin: another layer, or theirs and mine exchanged, is another probe */
    assert_int_equal(probe_layout_difference(&largest, &probe, 0, file, 20, 1), 0);
    assert_true(largest > 0.1);
    for (size_t j = 0; j < WIDTH * SQUARES; j++) {
        float kept = back.weight[0][3 * j + 1];
        back.weight[0][3 * j + 1] = back.weight[0][3 * j + 2];
        back.weight[0][3 * j + 2] = kept;
    }
    assert_int_equal(probe_layout_difference(&largest, &back, 0, file, 20, 1), 0);
    assert_true(largest > 0.1);
    probe_release(&back);
    probe_release(&probe);
}

/* The tensor as the published notebooks index it, [mode, d_model, row, col, option]. */
static void places_in_the_tensor(void **state)
{
    char file[FILES_PATH_MAX];
    Probe probe;
    StFile *st = NULL;
    static float all[3][WIDTH][SIZE][SIZE][3];
    probe_make(&probe);
    layout_put(file, &probe, "standard");
    assert_int_equal(st_open(&st, file), 0);
    assert_int_equal(st_read_f32(&all[0][0][0][0][0], st, "linear_probe", 5,
                                 (uint64_t[]){3, WIDTH, SIZE, SIZE, 3}, false),
                     0);
    for (size_t c = 0; c < WIDTH; c++) {
        for (size_t cell = 0; cell < SQUARES; cell++) {
            const float *ours = probe.weight[1] + (c * SQUARES + cell) * 3;
            const float *black = all[0][c][cell / SIZE][cell % SIZE];
            const float *white = all[1][c][cell / SIZE][cell % SIZE];
            const float *any = all[2][c][cell / SIZE][cell % SIZE];
            /* options empty, white, black; with black to play white discs are theirs */
            assert_true(black[0] == ours[0] && black[1] == ours[1] && black[2] == ours[2]);
            assert_true(white[0] == ours[0] && white[1] == ours[2] && white[2] == ours[1]);
            assert_true(any[0] == ours[0] && any[1] == any[2]);
        }
    }
    st_close(st);
    probe_release(&probe);
}

/* A file as it was published: the tensor alone, without bias and metadata. */
static void published_file(void **state)
{
    char file[FILES_PATH_MAX];
    Probe back;
    static float all[3][WIDTH][SIZE][SIZE][3];
    Rng rng = rng_at(4, RNG_TEST, 1);
    for (size_t i = 0; i < sizeof(all) / sizeof(float); i++) {
        (&all[0][0][0][0][0])[i] = (float)rng_normal(&rng);
    }
    StEntry entry = {.name = "linear_probe",
                     .rank = 5,
                     .shape = {3, WIDTH, SIZE, SIZE, 3},
                     .data = &all[0][0][0][0][0]};
    fixture_path(file, &fixture, "bare.safetensors");
    assert_int_equal(st_write(file, &entry, 1, NULL, 0), 0);
    assert_int_equal(read_back(&back, file, LAYER_EMBED - 1, "abc", "standard"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "give --layer"));
    assert_int_equal(read_back(&back, file, 6, "", "standard"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "give --model"));
    assert_int_equal(read_back(&back, file, 6, "abc", "othello_world"), 0);
    assert_int_equal(back.layers[0], 6);
    assert_string_equal(back.labels, "parity");
    assert_string_equal(back.model_hash, "abc");
    const float *cell = back.weight[0] + (7 * SQUARES + 2 * SIZE + 5) * 3;
    const float *black = all[0][7][2][5], *white = all[1][7][2][5];
    assert_true(cell[0] == 0.5f * black[0] + 0.5f * white[0]);
    assert_true(cell[1] == 0.5f * black[1] + 0.5f * white[2]); /* theirs */
    assert_true(cell[2] == 0.5f * black[2] + 0.5f * white[1]); /* mine */
    assert_true(back.bias[0][10] == 0);
    probe_release(&back);
}

static void turned_boards(void **state)
{
    Probe probe, twice;
    probe_make(&probe);
    probe_make(&twice);
    assert_int_equal(probe_transpose(&twice), 0);
    const float *there = twice.weight[1] + (3 * SQUARES + 1 * SIZE + 4) * 3;
    const float *here = probe.weight[1] + (3 * SQUARES + 4 * SIZE + 1) * 3;
    assert_memory_equal(there, here, 3 * sizeof(float));
    assert_memory_equal(twice.bias[0] + (0 * SIZE + 5) * 3, probe.bias[0] + (5 * SIZE + 0) * 3,
                        3 * sizeof(float));
    assert_memory_not_equal(twice.weight[1], probe.weight[1], WIDTH * BOARD * sizeof(float));
    assert_int_equal(probe_transpose(&twice), 0);
    assert_memory_equal(twice.weight[1], probe.weight[1], WIDTH * BOARD * sizeof(float));
    probe_release(&probe);
    probe_release(&twice);
}

static void other_probes_are_refused(void **state)
{
    char path[FILES_PATH_MAX];
    Probe probe;
    Publish *publish = NULL;
    probe_make(&probe);
    fixture_path(path, &fixture, "never");
    assert_int_equal(publish_begin(&publish, path, true), 0);
    snprintf(probe.task, sizeof(probe.task), "colour");
    assert_int_equal(probe_layout_write(publish, &probe, 0, "standard"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "task colour"));
    publish_abort(publish);
    probe_release(&probe);
}

/* The forms of one mode, as their repositories index them. */
static void forms_of_one_mode(void **state)
{
    static float raw[SQUARES * 3 * WIDTH], raw_bias[SQUARES * 3];
    static const struct {
        const char *task, *given;
        size_t n_options;
        bool proj;
        int option_of_class[3]; /* published option of our class */
    } rows[] = {
        {"mine", NULL, 3, false, {0, 1, 2}},
        {"flipped", NULL, 2, false, {1, 0}},
        {"colour", "colour", 3, true, {1, 0, 2}},
        {"mine", "mine", 3, true, {1, 2, 0}},
    };
    char file[FILES_PATH_MAX], path[FILES_PATH_MAX];
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        size_t K = rows[r].n_options;
        bool proj = rows[r].proj;
        Rng rng = rng_at(5, RNG_TEST, r);
        Probe back, saved;
        double largest = 1;
        for (size_t i = 0; i < SQUARES * K * WIDTH; i++) {
            raw[i] = (float)rng_normal(&rng);
        }
        for (size_t i = 0; i < SQUARES * K; i++) {
            raw_bias[i] = (float)rng_normal(&rng);
        }
        StEntry entries[2] = {
            {.name = proj ? "module.proj.weight" : "linear_probe",
             .rank = proj ? 2 : 5,
             .shape = {1, WIDTH, SIZE, SIZE, K},
             .data = raw},
            {.name = "module.proj.bias", .rank = 1, .shape = {SQUARES * K}, .data = raw_bias},
        };
        if (proj) {
            entries[0].shape[0] = SQUARES * K;
        }
        fixture_path(file, &fixture, "one.safetensors");
        remove(file);
        assert_int_equal(st_write(file, entries, proj ? 2 : 1, NULL, 0), 0);
        ProbeGiven given = {
            .layer = 3, .model_hash = "abc", .notation = "standard", .task = rows[r].given};
        bool is = false;
        assert_int_equal(probe_layout_recognise(&is, file), 0);
        assert_true(is);
        assert_int_equal(probe_layout_read(&back, file, &given), 0);
        assert_string_equal(back.task, rows[r].task);
        assert_string_equal(back.labels, "parity");
        assert_int_equal(back.n_classes, K);
        assert_int_equal(back.layers[0], 3);
        for (size_t s = 0; s < SQUARES; s++) {
            for (size_t k = 0; k < K; k++) {
                size_t o = (size_t)rows[r].option_of_class[k];
                for (size_t c = 0; c < WIDTH; c++) {
                    size_t at = proj ? (s * K + o) * WIDTH + c
                                     : ((c * SIZE + s / SIZE) * SIZE + s % SIZE) * K + o;
                    assert_true(back.weight[0][(c * SQUARES + s) * K + k] == raw[at]);
                }
                assert_true(back.bias[0][s * K + k] == (proj ? raw_bias[s * K + o] : 0));
            }
        }
        assert_int_equal(probe_layout_difference(&largest, &back, 0, file, 20, 1), 0);
        assert_true(largest < 1e-4);
        fixture_path(path, &fixture, "one");
        assert_int_equal(probe_save(&back, path), 0);
        assert_int_equal(probe_load(&saved, path), 0);
        assert_memory_equal(saved.weight[0], back.weight[0], WIDTH * SQUARES * K * sizeof(float));
        back.weight[0][5] += 1; /* negative twins */
        assert_int_equal(probe_layout_difference(&largest, &back, 0, file, 20, 1), 0);
        assert_true(largest > 0.1);
        probe_release(&back);
        probe_release(&saved);
        given.task = proj ? NULL : "colour";
        assert_int_equal(probe_layout_read(&back, file, &given), OGPT_EUSAGE);
        assert_non_null(strstr(err_message(), proj ? "give --task colour" : "leave --task out"));
    }
}

/* Right name, wrong content. */
static void bad_files(void **state)
{
    static const struct {
        const char *message, *name, *key, *value;
        size_t rank;
        uint64_t shape[5];
    } rows[] = {
        {"found another shape or none", "probe", NULL, NULL, 5, {3, 2, 4, 4, 3}},
        {"found another shape or none", "linear_probe", NULL, NULL, 4, {2, 4, 4, 3}},
        {"found another shape or none", "linear_probe", NULL, NULL, 5, {2, 3, 4, 4, 3}},
        {"found another shape or none", "linear_probe", NULL, NULL, 5, {3, 2, 4, 6, 3}},
        {"found another shape or none", "linear_probe", NULL, NULL, 5, {3, 2, 5, 5, 3}},
        {"found another shape or none", "linear_probe", NULL, NULL, 5, {3, 2, 4, 4, 2}},
        {"found another shape or none", "linear_probe", NULL, NULL, 5, {1, 2, 4, 4, 4}},
        {"found another shape or none", "linear_probe", NULL, NULL, 5, {1, 2, 4, 6, 3}},
        {"found another shape or none", "proj.weight", NULL, NULL, 2, {47, 3}},
        {"found another shape or none", "proj.weight", NULL, NULL, 2, {75, 3}},
        {"found another shape or none", "proj.weight", NULL, NULL, 1, {48}},
        {"\"layer\": expected a number", "linear_probe", "layer", "six", 5, {3, 2, 4, 4, 3}},
        {"which layer", "linear_probe", "layer", "1.5", 5, {3, 2, 4, 4, 3}},
        {"which layer", "linear_probe", "layer", "64", 5, {3, 2, 4, 4, 3}},
        {"is not a hook site", "linear_probe", "site", "resid", 5, {3, 2, 4, 4, 3}},
        {"\"labels\": expected at most 15",
         "linear_probe",
         "labels",
         "a label too long to be one",
         5,
         {3, 2, 4, 4, 3}},
        {"\"l2\": expected a number", "linear_probe", "l2", "nan", 5, {3, 2, 4, 4, 3}},
    };
    static const float zeros[3 * 2 * 8 * 8 * 3];
    char file[FILES_PATH_MAX];
    Probe back;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        StEntry entry = {.name = rows[i].name, .rank = rows[i].rank, .data = zeros};
        const char *const metadata[][2] = {{rows[i].key, rows[i].value}};
        memcpy(entry.shape, rows[i].shape, sizeof(rows[i].shape));
        fixture_path(file, &fixture, "bad.safetensors");
        remove(file);
        assert_int_equal(st_write(file, &entry, 1, metadata, rows[i].key ? 1 : 0), 0);
        int layer = rows[i].key && strcmp(rows[i].key, "layer") == 0 ? LAYER_EMBED - 1 : 3;
        int rc = read_back(&back, file, layer, "abc", "standard");
        if (rc != OGPT_EFORMAT || !strstr(err_message(), rows[i].message)) {
            fail_msg("row %zu: code %d, \"%s\"", i, rc, err_message());
        }
        assert_null(back.weight[0]);
    }
}

static int setup(void **state)
{
    return fixture_open(&fixture, 1);
}

static int teardown(void **state)
{
    fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),           cmocka_unit_test(places_in_the_tensor),
        cmocka_unit_test(published_file),           cmocka_unit_test(turned_boards),
        cmocka_unit_test(other_probes_are_refused), cmocka_unit_test(bad_files),
        cmocka_unit_test(forms_of_one_mode),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
