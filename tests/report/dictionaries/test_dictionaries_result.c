/* tests/report/dictionaries/test_dictionaries_result.c - each number of a study is in its column,
 * and a trained dictionary is compared with the twins of its own group alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "report/dictionaries/dictionaries_result.h"

static const Table *table_named(const Report *report, const char *name)
{
    for (size_t i = 0; i < report->n_items; i++) {
        const Table *table = report_table_at(report, i);
        if (table && strcmp(table->spec->name, name) == 0) {
            return table;
        }
    }
    fail_msg("no table %s", name);
    return NULL;
}

/* Rows that hold a text somewhere. */
static size_t rows_with(const Table *table, const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < table_rows(table); i++) {
        char *row = NULL;
        assert_int_equal(js_print(&row, js_at(table->rows, i), 0), 0);
        n += strstr(row, text) ? 1 : 0;
        mem_free(row);
    }
    return n;
}

static void test_rows(void **state)
{
    static CodebookScore scores[4];
    Sae sae = {.cfg = {.kind = SAE_GATED}};
    const Sae *saes[] = {&sae, &sae};
    const char *const names[] = {"first", "second"};
    LabelledSet set = {.set = {.n_games = 7, .n_positions = 70}};
    CodebookStudyInputs in = {.fit = &set,
                              .valid = &set,
                              .test = &set,
                              .saes = saes,
                              .names = names,
                              .n_saes = 2,
                              .site = HOOK_MLP_OUT,
                              .layer = 3};
    CodebookStudyRow rows[] = {{.role = STUDY_TRAINED, .name = "first", .group = 4, .features = 9},
                               {.role = STUDY_TWIN, .name = "pca", .group = 4, .features = 8},
                               {.role = STUDY_TRAINED, .name = "second", .sae = 1, .group = 6},
                               {.role = STUDY_TWIN, .name = "pca", .group = 6}};
    CodebookPair pair = {0, 1, {.mean = 0.5, .above = 0.25, .n = 9}};
    CodebookStudy study = {.n_rows = 4, .rows = rows, .n_pairs = 1, .pairs = &pair};
    pair.mmcs.histogram[19] = 9;
    for (int i = 0; i < 4; i++) {
        rows[i].score = &scores[i];
        scores[i].coverage[BOARD_ALL] = (Interval){0.1 * (i + 1), 0.1 * i, 0.1 * (i + 2)};
        scores[i].alive = 5;
        for (int r = 0; r < BOOTSTRAP_REPLICATES; r++) {
            scores[i].coverage_draws[BOARD_ALL][r] = 0.1 * (i + 1) + 1e-6 * r;
        }
    }
    scores[0].density[0] = 2;
    scores[0].density[DENSITY_BINS - 1] = 3;
    CodebookMethods methods;
    assert_int_equal(codebook_methods_make(&methods, &study, &in), 0);
    Report report;
    report_init(&report);
    dictionaries_report(&report, &(DictionariesFindings){.study = &study,
                                                         .in = &in,
                                                         .methods = &methods,
                                                         .source = "games",
                                                         .model_hash = "ff",
                                                         .probe = ""});
    assert_int_equal(report_check(&report), 0);
    const Table *table = table_named(&report, "rows");
    assert_int_equal(table_rows(table), 4);
    assert_int_equal(rows_with(table, "\"method\":\"gated\""), 2);
    assert_int_equal(rows_with(table, "\"method\":\"pca\""), 2);
    assert_int_equal(rows_with(table, "\"dead\":4"), 1);
    const Table *differences = table_named(&report, "differences");
    assert_int_equal(table_rows(differences), 2);
    assert_int_equal(rows_with(differences, "\"group_l0\":4"), 1);
    /* Both share the draws, so that the difference has no spread. */
    const Js *row = js_at(differences->rows, 0);
    assert_true(fabs(js_num_of(js_member(row, "coverage")) + 0.1) < 1e-9);
    assert_true(fabs(js_num_of(js_member(row, "coverage_low")) + 0.1) < 1e-9);
    const Table *densities = table_named(&report, "densities");
    assert_int_equal(table_rows(densities), 2);
    assert_true(js_num_of(js_member(js_at(densities->rows, 0), "above")) == 0);
    assert_true(js_num_of(js_member(js_at(densities->rows, 1), "above")) == 1);
    assert_int_equal(table_rows(table_named(&report, "pairs")), 1);
    assert_true(js_num_of(js_member(js_at(table_named(&report, "cosines")->rows, 0), "above")) ==
                0.95);
    /* One seed each: no spread; four methods and, of two groups, a verdict by each number. */
    assert_int_equal(table_rows(table_named(&report, "methods")), 4);
    assert_true(table_named(&report, "methods")->hidden && !table->hidden);
    const Table *verdicts = table_named(&report, "verdicts");
    assert_int_equal(table_rows(verdicts), 2 * N_METHOD_MEASURES);
    assert_int_equal(rows_with(verdicts, "\"best\":\"pca\",\"value\":0.2"), 1);
    report_release(&report);
    codebook_methods_release(&methods);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
