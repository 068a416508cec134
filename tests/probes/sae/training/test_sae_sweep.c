/* tests/probes/sae/training/test_sae_sweep.c - what is typed of a sweep, in words and one by one,
 * and what may be in its folder. */
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
#include "probes/sae/training/sae_sweep.h"
#include "tests/folder.h"

static void test_words(void **state)
{
    SaeSweep sweep;
    SweepWords words = {.kind = "topk,gated", .k = "4,8", .values = "32", .seeds = 3};
    assert_int_equal(sae_sweep_read(&sweep, &words), 0);
    assert_int_equal(sweep.n, 12);
    assert_string_equal(sae_sweep_item(&sweep, 0).name, "topk-k-4-s1");
    assert_string_equal(sae_sweep_item(&sweep, 3).name, "gated-l0-8-s1");
    assert_string_equal(sae_sweep_item(&sweep, 11).name, "gated-l0-8-s3");
    words = (SweepWords){.kind = "all", .values = "8,16,32,64", .seeds = 3};
    assert_int_equal(sae_sweep_read(&sweep, &words), 0);
    assert_int_equal(sweep.n, (N_SAE_KINDS - 1) * 4 * 3);
    assert_true(sweep.values[3] == 64);
    words = (SweepWords){.kind = "jumprelu", .values = "32", .seeds = 1};
    assert_int_equal(sae_sweep_read(&sweep, &words), 0);
    assert_string_equal(sae_sweep_item(&sweep, 0).swept, "l0");
    const SweepWords wrong[] = {{.kind = "topk", .l0 = "3", .values = "32", .seeds = 1},
                                {.kind = "jumprelu", .k = "3", .values = "32", .seeds = 1},
                                {.kind = "topk,topk", .values = "32", .seeds = 1},
                                {.kind = "topk,transcoder", .values = "32", .seeds = 1},
                                {.kind = "gated,topk", .l1 = "1", .values = "32", .seeds = 1},
                                {.kind = "topk,gated", .k = "3", .l0 = "3", .seeds = 1},
                                {.kind = "gated", .l0 = "3", .l1 = "1", .seeds = 1},
                                {.kind = "topk", .k = "3,x", .seeds = 1}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(sae_sweep_read(&sweep, &wrong[i]), OGPT_EUSAGE);
    }
}

static void make(const char *folder, const char *name)
{
    char path[FILES_PATH_MAX];
    assert_int_equal(path_join(path, folder, name), 0);
    assert_int_equal(dir_create(path), 0);
}

static void test_folder(void **state)
{
    char folder[FOLDER_MAX], missing[FILES_PATH_MAX];
    SaeSweep sweep, one;
    const SweepWords words = {.kind = "topk", .k = "4,8", .seeds = 1};
    const SweepWords alone = {.kind = "topk", .k = "4", .seeds = 1};
    assert_int_equal(sae_sweep_read(&sweep, &words), 0);
    assert_int_equal(sae_sweep_read(&one, &alone), 0);
    assert_int_equal(folder_make(folder), 0);
    assert_int_equal(path_join(missing, folder, "none"), 0);
    assert_int_equal(sae_sweep_check_folder(&sweep, missing), 0);
    make(folder, "k-4");
    make(folder, "k-8.training");
    make(folder, ".tmp-1-k-8");
    assert_int_equal(sae_sweep_check_folder(&sweep, folder), 0);
    make(folder, "k-88");
    assert_int_equal(sae_sweep_check_folder(&sweep, folder), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "holds k-88, which is none of the 2 autoencoders"));
    assert_int_equal(sae_sweep_check_folder(&one, folder), 0); /* it has no folder */
    assert_int_equal(dir_remove(folder), 0);
    assert_int_equal(file_write_atomic(folder, "text", 4, false), 0);
    assert_int_not_equal(sae_sweep_check_folder(&sweep, folder), 0);
    assert_int_equal(unlink(folder), 0);
}

/* Nothing is there; a folder of something else is refused. */
static void test_find(void **state)
{
    char folder[FOLDER_MAX], missing[FILES_PATH_MAX];
    bool there = true;
    assert_int_equal(folder_make(folder), 0);
    assert_int_equal(path_join(missing, folder, "none"), 0);
    assert_int_equal(sae_sweep_find(&there, missing, NULL), 0);
    assert_false(there);
    make(folder, "letters");
    there = true;
    assert_int_equal(sae_sweep_find(&there, folder, NULL), OGPT_EUSAGE);
    assert_false(there);
    assert_int_equal(dir_remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
