/* tests/report/dictionaries/test_codebook_methods.c - means over seeds and verdicts of a study
 * whose numbers are written down here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/dictionaries/codebook_methods.h"

enum { STUDY_ROWS = 9 };
static CodebookScore scores[STUDY_ROWS];
static CodebookStudyRow rows[STUDY_ROWS];
static CodebookPair pairs[] = {{0, 1, {.mean = 0.5}}, {1, 0, {.mean = 0.7}}, {2, 3, {.mean = 0.1}}};
static Sae sae[4] = {{.cfg = {.kind = SAE_GATED}},
                     {.cfg = {.kind = SAE_GATED}},
                     {.cfg = {.kind = SAE_TOPK}},
                     {.cfg = {.kind = SAE_TOPK}}};
static const Sae *saes[] = {&sae[0], &sae[1], &sae[2], &sae[3]};
static const CodebookStudyInputs in = {.saes = saes, .n_saes = 4};
static const CodebookStudy study = {
    .n_rows = STUDY_ROWS, .rows = rows, .n_pairs = 3, .pairs = pairs};

/* Every number of a row is `value`, excess 10 - value; draw r is as far off for all rows. */
static void set_row(size_t i, StudyRole role, const char *name, size_t group, double value)
{
    rows[i] = (CodebookStudyRow){
        .role = role, .sae = role == STUDY_TRAINED ? i : 0, .group = group, .score = &scores[i]};
    snprintf(rows[i].name, sizeof(rows[i].name), "%s", name);
    scores[i].l0 = (double)group;
    scores[i].explained = value / 2;
    rows[i].excess.value = 10 - value;
    for (int mask = 0; mask < BOARD_MASKS; mask++) {
        scores[i].coverage[mask].value = scores[i].board[mask].value = value;
        for (int r = 0; r < BOOTSTRAP_REPLICATES; r++) {
            const double off = (r % 100) * 1e-3;
            scores[i].coverage_draws[mask][r] = scores[i].board_draws[mask][r] = value + off;
            rows[i].excess_draws[r] = 10 - value + off;
        }
    }
}

static int setup(void **state)
{
    set_row(0, STUDY_TRAINED, "one", 8, 0.4);
    set_row(1, STUDY_TRAINED, "two", 8, 0.6);
    set_row(2, STUDY_TRAINED, "three", 8, 0.7);
    set_row(3, STUDY_TRAINED, "four", 8, 0.74);
    set_row(4, STUDY_TWIN, "neurons", 8, 0.3);
    set_row(5, STUDY_TWIN, "probe", 8, 0.71);
    set_row(6, STUDY_RANDOM_WEIGHTS, "random_weights", 8, 0.99);
    set_row(7, STUDY_GAUSSIAN, "gaussian", 8, 0.2);
    set_row(8, STUDY_TWIN, "neurons", 0, 0.95);
    return 0;
}

static const CodebookVerdict *verdict_of(const CodebookMethods *methods, MethodMeasure measure)
{
    for (size_t i = 0; i < methods->n_verdicts; i++) {
        if (methods->verdicts[i].measure == measure) {
            return &methods->verdicts[i];
        }
    }
    fail_msg("no verdict by %s", codebook_measure_name(measure));
    return NULL;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-12; /* sums of a few numbers below 10 */
}

static void test_means(void **state)
{
    CodebookMethods methods;
    assert_int_equal(codebook_methods_make(&methods, &study, &in), 0);
    assert_int_equal(methods.n, 7); /* two kinds, and five twins */
    assert_true(methods.repeated);
    const CodebookMethod *gated = &methods.methods[0], *topk = &methods.methods[1];
    assert_string_equal(gated->name, "gated");
    assert_int_equal(gated->n, 2);
    const MethodEstimate *coverage = &gated->estimates[METHOD_COVERAGE];
    assert_true(near(coverage->mean.value, 0.5) && coverage->least == 0.4 && coverage->most == 0.6);
    assert_true(near(coverage->mean.low, 0.5 + 0.002) && near(coverage->mean.high, 0.5 + 0.097));
    assert_true(near(gated->explained, 0.25) && near(gated->explained_most, 0.3));
    assert_true(near(gated->mmcs, 0.6) && near(topk->mmcs, 0.1));
    assert_true(isnan(methods.methods[2].mmcs));
    codebook_methods_release(&methods);
}

static void test_verdicts(void **state)
{
    CodebookMethods methods;
    assert_int_equal(codebook_methods_make(&methods, &study, &in), 0);
    assert_int_equal(methods.n_verdicts, N_METHOD_MEASURES); /* none of group 0 */
    const CodebookVerdict *verdict = verdict_of(&methods, METHOD_BOARDS);
    /* Not random_weights, which reads another network. A seed of the best is behind the second. */
    assert_string_equal(verdict->best->name, "topk");
    assert_string_equal(verdict->second->name, "probe");
    assert_true(near(verdict->ahead.value, 0.01) && near(verdict->ahead.low, 0.01));
    assert_false(verdict->clear);
    assert_true(near(verdict->neurons.value, 0.42) && near(verdict->probe.value, 0.01));
    /* Less excess is better. */
    verdict = verdict_of(&methods, METHOD_EXCESS);
    assert_string_equal(verdict->best->name, "topk");
    assert_true(near(verdict->ahead.value, -0.01));
    codebook_methods_release(&methods);
    /* With every seed ahead it is clear; with the seeds' mean behind it is the probe that wins. */
    set_row(2, STUDY_TRAINED, "three", 8, 0.72);
    assert_int_equal(codebook_methods_make(&methods, &study, &in), 0);
    assert_true(verdict_of(&methods, METHOD_COVERAGE)->clear);
    assert_true(verdict_of(&methods, METHOD_EXCESS)->clear);
    codebook_methods_release(&methods);
    set_row(2, STUDY_TRAINED, "three", 8, 0.5);
    assert_int_equal(codebook_methods_make(&methods, &study, &in), 0);
    assert_string_equal(verdict_of(&methods, METHOD_COVERAGE)->best->name, "probe");
    assert_string_equal(verdict_of(&methods, METHOD_COVERAGE)->own->name, "topk");
    assert_true(verdict_of(&methods, METHOD_COVERAGE)->probe.value < 0);
    codebook_methods_release(&methods);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_means),
                                       cmocka_unit_test(test_verdicts)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
