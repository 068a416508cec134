/* tests/probes/patching/test_patch_study.c - rows of patches: intervals, controls, sets and each
 * edge alone, a journal, names. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/process.h"
#include "probes/patching/patch_fixture.h"
#include "probes/patching/patch_study.h"
#include "tests/probes/stopped_journal.h"

static PairSet transpositions(void)
{
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    PairSet out = {0};
    options.n = 4;
    options.kind = PAIR_TRANSPOSITION;
    options.max_moves = 12;
    assert_int_equal(pairs_make(&out, game_variant(6), &options, &(Work){.seed = 2}), 0);
    return out;
}

static PatchAsked asked_of(const PatchFixture *f, const PairSet *control)
{
    return (PatchAsked){.gpt = f->gpt,
                        .graph = &f->graph,
                        .vocab = f->question.vocab,
                        .pairs = f->set.pairs,
                        .n_pairs = f->set.n,
                        .control = control->pairs,
                        .n_control = control->n,
                        .modes = 7,
                        .layers = ~0ULL,
                        .scope = PATCH_ALL};
}

static void sites_have_intervals_and_controls(void **state)
{
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    PairSet control = transpositions();
    PatchAsked asked = asked_of(&f, &control);
    PatchStudy study;
    asked.sites = 1ULL << HOOK_RESID_POST | 1ULL << HOOK_Z;
    assert_int_equal(patch_study_run(&study, &asked, &(Work){.seed = 3}), 0);
    assert_int_equal(study.n_rows, 3 * 3 * 2 * N_PATCH_POSITIONS);
    assert_int_equal(study.n_runs, 4 + 4 + 2);
    assert_int_equal(study.self_changed, 0);
    assert_true(fabs(study.total[MODE_NOISING].value -
                     (study.runs[0].delta.value - study.runs[1].delta.value)) < 1e-9);
    assert_true(study.total[MODE_NOISING].value == -study.total[MODE_DENOISING].value);
    /* Delta of the clean run, minus that of the corrupt one, is the same seen from both. */
    assert_true(study.runs[0].delta.value == study.runs[5].delta.value);
    assert_true(fabs(study.runs[0].delta.value - study.runs[1].delta.value) > 1e-3);
    for (size_t i = 0; i < study.n_rows; i++) {
        const PatchRow *row = &study.rows[i];
        const PatchEffect *effect = &row->effect;
        if (row->cell.site == HOOK_RESID_POST && row->cell.at == PATCH_AT_ALL) {
            assert_true(effect->effect.value == 1.0 && effect->moved == 1.0);
            assert_true(row->mode == MODE_NOISE ? isnan(effect->control) : effect->control > 0.05);
        }
        if (row->cell.site == HOOK_Z && row->cell.layer == 1 && row->cell.at == PATCH_AT_ALL) {
            assert_true(effect->effect.low <= effect->effect.value);
            assert_true(effect->moved > 0.01);
            assert_true(effect->wrong[0] > 0.0 && effect->strict[1] >= 0.0);
        }
    }
    patch_study_release(&study);
    pairs_release(&control);
    patch_close(&f);
    (void)state;
}

static const PatchRow *row_of(const PatchStudy *study, PatchMode mode, size_t edge)
{
    for (size_t i = 0; i < study->n_rows; i++) {
        const PatchRow *row = &study->rows[i];
        if (row->mode == mode && row->edge == edge && !row->random) {
            return row;
        }
    }
    return NULL;
}

static void an_edge_in_a_set_is_the_edge_alone(void **state)
{
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    PairSet control = transpositions();
    PatchAsked asked = asked_of(&f, &control);
    PatchStudy set, each;
    uint8_t *patched = calloc(f.graph.n_edges, 1);
    double largest = 0.0;
    assert_non_null(patched);
    assert_int_equal(patch_edges_parse(patched, &f.graph, "input->mlp1,L0H1->L2H0,mlp2->logits"),
                     0);
    asked.edges = patched;
    asked.modes = 3;
    assert_int_equal(patch_study_run(&set, &asked, &(Work){.seed = 3}), 0);
    assert_int_equal(set.n_rows, 2 * (1 + 5 + 1)); /* the head has three channels */
    asked.edges = NULL;
    asked.every_edge = true;
    assert_int_equal(patch_study_run(&each, &asked, &(Work){.seed = 3}), 0);
    assert_int_equal(each.n_rows, 2 * f.graph.n_edges);
    for (size_t e = 0; e < f.graph.n_edges; e++) {
        for (int mode = MODE_NOISING; patched[e] && mode <= MODE_DENOISING; mode++) {
            const PatchEffect *a = &row_of(&set, (PatchMode)mode, e)->effect;
            const PatchEffect *b = &row_of(&each, (PatchMode)mode, e)->effect;
            assert_true(fabs(a->effect.value - b->effect.value) < 1e-4);
            assert_true(fabs(a->control - b->control) < 1e-4);
            assert_true(!isnan(a->wrong[0]) && isnan(b->wrong[0]));
            largest = fmax(largest, fabs(a->effect.value));
        }
    }
    assert_true(largest > 0.02);
    assert_int_equal(set.rows[6].random, true);
    assert_true(fabs(set.rows[6].effect.effect.value - set.rows[0].effect.effect.value) > 1e-3);
    patch_study_release(&set);
    patch_study_release(&each);
    free(patched);
    pairs_release(&control);
    patch_close(&f);
    (void)state;
}

/* ---- a journal of many stages ---- */

/* Pairs, transpositions and directions have stages of their own; recalled they give the same. */
static void kept_blocks_are_the_same_rows(void **state)
{
    StoppedJournal journal;
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    PairSet control = transpositions();
    const Work work = {.seed = 3, .journal = &journal.callbacks};
    for (int edges = 0; edges < 2; edges++) {
        PatchAsked asked = asked_of(&f, &control);
        PatchStudy first, again;
        journal_begin(&journal, SIZE_MAX);
        asked.sites = 1ULL << HOOK_Z;
        asked.modes = 3;
        asked.n_pairs = asked.n_control = 2;
        asked.scope = PATCH_LAST;
        asked.every_edge = edges == 1;
        assert_int_equal(patch_study_run(&first, &asked, &work), 0);
        assert_true(journal.n_kept > 8);
        assert_int_equal(patch_study_run(&again, &asked, &work), 0);
        assert_int_equal(journal.n_recalled, journal.n_kept);
        for (size_t i = 0; i < first.n_rows; i++) {
            assert_memory_equal(&first.rows[i].effect.effect, &again.rows[i].effect.effect,
                                sizeof(Interval));
            assert_memory_equal(&first.rows[i].effect.control, &again.rows[i].effect.control,
                                sizeof(double));
        }
        journal_end(&journal);
        patch_study_release(&first);
        patch_study_release(&again);
    }
    pairs_release(&control);
    patch_close(&f);
    (void)state;
}

static void names_are_read_strictly(void **state)
{
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    uint8_t patched[1024] = {0};
    uint64_t sites;
    assert_int_equal(patch_edges_parse(patched, &f.graph, "input->mlp1,"), OGPT_EUSAGE);
    assert_int_equal(patch_edges_parse(patched, &f.graph, "input->L7H0"), OGPT_EUSAGE);
    assert_int_equal(patch_edges_parse(patched, &f.graph, ""), OGPT_EUSAGE);
    assert_int_equal(patch_sites_parse(&sites, "all"), 0);
    assert_true(sites == (1ULL << N_HOOK_SITES) - 1);
    assert_int_equal(patch_sites_parse(&sites, "z,hook_resid_post"), 0);
    assert_true(sites == (1ULL << HOOK_Z | 1ULL << HOOK_RESID_POST));
    assert_int_equal(patch_sites_parse(&sites, "z,"), OGPT_EUSAGE);
    assert_int_equal(patch_sites_parse(&sites, "zz"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "zz"));
    assert_string_equal(patch_direction_name(PATCH_DENOISING), "denoising");
    assert_string_equal(patch_direction_name(PATCH_NOISING), "noising");
    assert_string_equal(patch_scope_name(PATCH_LAST), "last");
    assert_string_equal(patch_scope_name(PATCH_ALL), "all");
    assert_string_equal(patch_norm_name(PATCH_FROZEN), "frozen");
    assert_string_equal(patch_norm_name(PATCH_RECOMPUTED), "recomputed");
    patch_close(&f);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_have_intervals_and_controls),
        cmocka_unit_test(an_edge_in_a_set_is_the_edge_alone),
        cmocka_unit_test(kept_blocks_are_the_same_rows),
        cmocka_unit_test(names_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
