/* tests/library/test_library.c - the interface for other programs: the boards of a planted probe,
 * the next move, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/files.h"
#include "library/ogpt.h"
#include "probes/board/probe.h"
#include "tests/folder.h"

static char folder[FOLDER_MAX];
static char model_path[FILES_PATH_MAX], probe_path[FILES_PATH_MAX], legal_path[FILES_PATH_MAX];

/* A probe of layers 2 and 5 that reads class `square % 3` of each square, whatever the network
 * holds; at layer 5 class 0 of all. */
static int save_probe(const char *task, const char *path, const char *model_hash)
{
    static const char *const classes[] = {"empty", "theirs", "mine"};
    Probe probe = {.solver = "newton",
                   .labels = "mover",
                   .site = HOOK_RESID_POST,
                   .size = 6,
                   .n_squares = 36,
                   .d_model = 128,
                   .n_classes = 3,
                   .n_layers = 2,
                   .layers = {2, 5},
                   .n_games = 1,
                   .n_positions = 1};
    snprintf(probe.task, sizeof(probe.task), "%s", task);
    snprintf(probe.model_hash, sizeof(probe.model_hash), "%s", model_hash);
    snprintf(probe.corpus_hash, sizeof(probe.corpus_hash), "%s", model_hash);
    for (int k = 0; k < 3; k++) {
        snprintf(probe.classes[k], sizeof(probe.classes[k]), "%s", classes[k]);
    }
    int rc = probe_allocate(&probe);
    for (int i = 0; i < 2 && rc == 0; i++) {
        probe.fitted[i] = true;
        for (int s = 0; s < 36; s++) {
            probe.bias[i][s * 3 + (i == 0 ? s % 3 : 0)] = 1;
        }
    }
    rc = rc ? rc : probe_save(&probe, path);
    probe_release(&probe);
    return rc;
}

static int set_up(void **state)
{
    const char *source = getenv("OGPT_SOURCE");
    ModelFile model;
    char *warning = NULL;
    (void)state;
    snprintf(model_path, sizeof(model_path), "%s/datasets/models/tiny-6x6", source ? source : ".");
    if (folder_make(folder) != 0 || path_join(probe_path, folder, "probe") != 0 ||
        path_join(legal_path, folder, "previous") != 0 ||
        model_load(&model, model_path, &warning) != 0) {
        return -1;
    }
    int rc = save_probe("mine", probe_path, model.model_hash);
    rc = rc ? rc : save_probe("previous", legal_path, model.model_hash);
    model_release(&model);
    return rc;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void reads_boards(void **state)
{
    OgptReader *reader = NULL;
    char board[65], read[65];
    float next[36];
    (void)state;
    assert_int_equal(ogpt_reader_open(&reader, model_path, probe_path), 0);
    assert_int_equal(ogpt_reader_size(reader), 6);
    assert_int_equal(ogpt_reader_layers(reader), 2);
    assert_int_equal(ogpt_reader_layer(reader, 0), 2);
    assert_int_equal(ogpt_reader_layer(reader, 1), 5);
    ogpt_reader_board(reader, board);
    assert_string_equal(board, "..............OX....XO..............");
    assert_int_equal(ogpt_reader_read(reader, read, 0), OGPT_EUSAGE);
    assert_int_equal(ogpt_reader_next(reader, next), OGPT_EUSAGE);
    assert_int_equal(ogpt_reader_play(reader, "e4"), 0);
    ogpt_reader_board(reader, board);
    assert_string_equal(board, "..............OX....XX"
                               "X.............");
    /* White is to move: "mine" is white, "theirs" black. */
    assert_int_equal(ogpt_reader_read(reader, read, 0), 0);
    assert_string_equal(read, ".XO.XO.XO.XO.XO.XO.XO.XO.XO.XO.XO.XO");
    assert_int_equal(ogpt_reader_read(reader, read, 1), 0);
    assert_string_equal(read, "....................................");
    /* The network moves to a legal square with nearly all of its probability. */
    assert_int_equal(ogpt_reader_next(reader, next), 0);
    double legal = (double)(next[28] + next[26] + next[16]), all = 0;
    for (int i = 0; i < 36; i++) {
        all += (double)next[i];
    }
    assert_true(legal > 0.9 && all < 1.00001 && next[14] == 0 && next[22] < 0.01f);
    /* What is refused leaves the game as it was. */
    assert_int_equal(ogpt_reader_play(reader, "e4 a1"), OGPT_EFORMAT);
    assert_non_null(strstr(ogpt_error(), "a1"));
    assert_int_equal(ogpt_reader_play(reader, " "), OGPT_EUSAGE);
    assert_int_equal(ogpt_reader_read(reader, read, 2), OGPT_EUSAGE);
    assert_int_equal(ogpt_reader_read(reader, read, -1), OGPT_EUSAGE);
    ogpt_reader_board(reader, board);
    assert_string_equal(board, "..............OX....XX"
                               "X.............");
    /* Black to move: the colours of the same classes change places. */
    assert_int_equal(ogpt_reader_play(reader, "e4e5"), 0);
    assert_int_equal(ogpt_reader_read(reader, read, 0), 0);
    assert_string_equal(read, ".OX.OX.OX.OX.OX.OX.OX.OX.OX.OX.OX.OX");
    ogpt_reader_close(reader);
    ogpt_reader_close(NULL);
}

static void refuses(void **state)
{
    OgptReader *reader = NULL;
    (void)state;
    assert_int_equal(ogpt_reader_open(&reader, model_path, legal_path), OGPT_EUSAGE);
    assert_non_null(strstr(ogpt_error(), "task previous"));
    assert_null(reader);
    assert_int_not_equal(ogpt_reader_open(&reader, model_path, "/nonexistent"), 0);
    assert_int_not_equal(ogpt_reader_open(&reader, "/nonexistent", NULL), 0);
    assert_non_null(strstr(ogpt_error(), "/nonexistent"));
    assert_true(strchr(ogpt_version(), '.'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_boards),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
