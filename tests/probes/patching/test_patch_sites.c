/* tests/probes/patching/test_patch_sites.c - activation patching of hook sites: identities, and a
 * plain pass. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/process.h"
#include "probes/legality/answers.h"
#include "probes/patching/patch_fixture.h"
#include "probes/patching/patch_sites.h"
#include "tests/probes/stopped_journal.h"

#define ALL_SITES ((1ULL << N_HOOK_SITES) - 1)

static SiteQuestion question_of(const PatchFixture *fixture, PatchDirection direction)
{
    return (SiteQuestion){.gpt = fixture->gpt,
                          .vocab = fixture->question.vocab,
                          .pairs = fixture->set.pairs,
                          .n_pairs = fixture->set.n,
                          .direction = direction,
                          .sites = ALL_SITES,
                          .layers = ~0ULL};
}

static const PatchScore *cell_of(const SiteEffects *effects, HookSite site, int layer, int at)
{
    for (size_t i = 0; i < effects->n_cells; i++) {
        PatchCell cell = effects->cells[i];
        if (cell.site == site && cell.layer == layer && cell.at == at) {
            return effects->scores + i * effects->n_pairs;
        }
    }
    return NULL;
}

static double moved(const PatchScore *scores, const PatchScore *from, size_t n)
{
    double worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(scores[i].delta - from[i].delta));
    }
    return worst;
}

static void the_stream_is_the_other_run(void **state)
{
    for (int direction = PATCH_NOISING; direction <= PATCH_DENOISING; direction++) {
        PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
        SiteQuestion question = question_of(&f, (PatchDirection)direction);
        SiteEffects effects;
        assert_int_equal(patch_sites(&effects, &question, WORK_ALONE), 0);
        /* 16 sites in 3 layers, 2 behind them, 5 classes. */
        assert_int_equal(effects.n_cells, (16 * 3 + 2) * N_PATCH_POSITIONS);
        assert_true(moved(effects.other, effects.base, N_TEST_PAIRS) > 0.1);
        for (int layer = 0; layer < 3; layer++) {
            static const HookSite stream[] = {HOOK_RESID_PRE, HOOK_RESID_MID, HOOK_RESID_POST};
            for (size_t i = 0; i < 3; i++) {
                assert_memory_equal(cell_of(&effects, stream[i], layer, PATCH_AT_ALL),
                                    effects.other, N_TEST_PAIRS * sizeof(PatchScore));
            }
            /* Twins: a part of the stream, or a part of the positions. */
            assert_true(moved(cell_of(&effects, HOOK_Z, layer, PATCH_AT_ALL), effects.other,
                              N_TEST_PAIRS) > 0.05);
            assert_true(moved(cell_of(&effects, HOOK_RESID_PRE, layer, PATCH_AT_PREVIOUS),
                              effects.other, N_TEST_PAIRS) > 0.05);
        }
        assert_memory_equal(cell_of(&effects, HOOK_FINAL, 3, PATCH_AT_LAST), effects.other,
                            N_TEST_PAIRS * sizeof(PatchScore));
        /* Behind the last keys and values nobody reads another position. */
        assert_memory_equal(cell_of(&effects, HOOK_RESID_POST, 2, PATCH_AT_PREVIOUS), effects.base,
                            N_TEST_PAIRS * sizeof(PatchScore));
        patch_sites_release(&effects);
        patch_close(&f);
    }
    (void)state;
}

/* A cell is called whole where it is the other run bit for bit, and nowhere else. */
static void whole_cells_are_the_other_run(void **state)
{
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    SiteQuestion question = question_of(&f, PATCH_NOISING);
    for (question.back = 0; question.back <= 3; question.back += 3) {
        SiteEffects effects;
        size_t n_whole = 0;
        assert_int_equal(patch_sites(&effects, &question, WORK_ALONE), 0);
        for (size_t i = 0; i < effects.n_cells; i++) {
            bool whole = patch_cell_whole(&effects.cells[i], 3, question.back);
            bool same = memcmp(effects.scores + i * N_TEST_PAIRS, effects.other,
                               N_TEST_PAIRS * sizeof(PatchScore)) == 0;
            assert_int_equal(whole, same);
            n_whole += whole;
        }
        assert_int_equal(n_whole, question.back > 0 ? 3 : 3 * 3 + 1 + 3);
        patch_sites_release(&effects);
    }
    patch_close(&f);
    (void)state;
}

static void own_values_change_no_bit(void **state)
{
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    SiteQuestion question = question_of(&f, PATCH_NOISING);
    SiteEffects effects;
    question.self = true;
    assert_int_equal(patch_sites(&effects, &question, WORK_ALONE), 0);
    assert_int_equal(effects.self_changed, 0);
    /* Twin: the other run's values change answers at every kind of site. */
    for (int site = 0; site < N_HOOK_SITES; site++) {
        int layer = hook_site_outside((HookSite)site) ? 3 : 1;
        assert_true(moved(cell_of(&effects, (HookSite)site, layer, PATCH_AT_ALL), effects.base,
                          N_TEST_PAIRS) > 1e-4);
    }
    patch_sites_release(&effects);
    patch_close(&f);
    (void)state;
}

/* ---- a plain pass ---- */

typedef struct PlainPatch {
    const GamePair *pair;
    real kept[GAME_MAX_MOVES * 96];
    bool other, changed; /* which run; only positions whose moves differ, but the last */
} PlainPatch;

static void plain_hook(void *context, const HookPoint *point)
{
    PlainPatch *plain = context;
    for (size_t t = 0; t < point->T; t++) {
        real *row = point->value + t * point->width, *kept = plain->kept + t * point->width;
        bool here = t + 1 < point->T && plain->pair->clean[t] != plain->pair->corrupt[t];
        if (plain->other) {
            memcpy(kept, row, point->width * sizeof(*row));
        } else if (here || !plain->changed) {
            memcpy(row, kept, point->width * sizeof(*row));
        }
    }
}

static double plain_delta(const PatchFixture *f, const GamePair *pair, HookSite site, bool changed)
{
    static PlainPatch plain;
    Hooks hooks = {.fn = plain_hook, .context = &plain};
    uint8_t tokens[2][GAME_MAX_MOVES];
    size_t T = (size_t)pair->n_moves;
    const Vocab *vocab = f->question.vocab;
    real weights[V_MAX];
    Tape *tape;
    plain = (PlainPatch){.pair = pair, .other = true, .changed = changed};
    hooks.sites[site] = 2; /* layer 1 */
    for (size_t t = 0; t < T; t++) {
        tokens[0][t] = vocab->tok_of_sq[pair->clean[t]];
        tokens[1][t] = vocab->tok_of_sq[pair->corrupt[t]];
    }
    assert_int_equal(tape_new(&tape, &f->gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    gpt_forward(f->gpt, tape, tokens[1], 1, T, &hooks);
    plain.other = false;
    const real *logits = gpt_forward(f->gpt, tape, tokens[0], 1, T, &hooks);
    pair_weights(weights, vocab, pair);
    double delta = pair_delta(weights, logits + (T - 1) * (size_t)vocab->d_vocab, vocab->d_vocab);
    tape_free(tape);
    return delta;
}

static void sites_are_those_of_a_plain_pass(void **state)
{
    static const HookSite sites[] = {HOOK_Q,        HOOK_K,    HOOK_V,      HOOK_Z,
                                     HOOK_ATTN_OUT, HOOK_POST, HOOK_MLP_OUT};
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    SiteQuestion question = question_of(&f, PATCH_NOISING);
    SiteEffects effects;
    double largest = 0.0;
    assert_int_equal(patch_sites(&effects, &question, WORK_ALONE), 0);
    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
        for (size_t pair = 0; pair < N_TEST_PAIRS; pair++) {
            const PatchScore *all = cell_of(&effects, sites[i], 1, PATCH_AT_ALL);
            const PatchScore *some = cell_of(&effects, sites[i], 1, PATCH_AT_CHANGED);
            double truth = plain_delta(&f, &f.set.pairs[pair], sites[i], false);
            assert_true(fabs(all[pair].delta - truth) < TOL);
            largest = fmax(largest, fabs(truth - effects.base[pair].delta));
            if (!isnan(some[pair].delta)) {
                double other = plain_delta(&f, &f.set.pairs[pair], sites[i], true);
                assert_true(fabs(some[pair].delta - other) < TOL);
            }
        }
    }
    assert_true(largest > 0.1);
    patch_sites_release(&effects);
    patch_close(&f);
    (void)state;
}

/* Judged by the rules: the answer that holds exactly the legal moves of one board. */
static void answers_are_judged_on_both_boards(void **state)
{
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    const Vocab *vocab = f.question.vocab;
    for (size_t i = 0; i < N_TEST_PAIRS; i++) {
        const GamePair *pair = &f.set.pairs[i];
        real logits[V_MAX] = {0};
        uint64_t tokens = answer_tokens(vocab, pair->legal_clean);
        for (int tok = 0; tok < vocab->d_vocab; tok++) {
            logits[tok] = (tokens >> tok & 1) != 0 ? 1.0F : 0.0F;
        }
        PatchScore score = patch_score(pair, vocab, logits);
        assert_true(score.wrong[0] == 0.0 && score.strict[0] == 0.0);
        assert_true(score.wrong[1] > 0.0); /* twin: the other board */
        assert_true(score.delta > -1e-6);  /* 0 where no move is legal on the clean board alone */
    }
    patch_close(&f);
    (void)state;
}

static void noise_is_taken_away_by_restoring(void **state)
{
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    SiteQuestion question = question_of(&f, PATCH_NOISING);
    SiteEffects effects, plain, seeds;
    assert_int_equal(patch_sites(&plain, &question, WORK_ALONE), 0);
    question.noise = true;
    question.sites = 1ULL << HOOK_RESID_PRE | 1ULL << HOOK_Z;
    assert_int_equal(patch_sites(&effects, &question, &(Work){.seed = 1}), 0);
    assert_int_equal(patch_sites(&seeds, &question, &(Work){.seed = 2}), 0);
    /* The other run is the clean one, with the bits it had as a base run. */
    assert_memory_equal(effects.other, plain.base, N_TEST_PAIRS * sizeof(PatchScore));
    assert_memory_equal(cell_of(&effects, HOOK_RESID_PRE, 0, PATCH_AT_ALL), effects.other,
                        N_TEST_PAIRS * sizeof(PatchScore));
    assert_true(moved(effects.base, effects.other, N_TEST_PAIRS) > 0.05);
    assert_true(moved(effects.base, seeds.base, N_TEST_PAIRS) > 0.01);
    assert_true(moved(cell_of(&effects, HOOK_Z, 1, PATCH_AT_ALL), effects.base, N_TEST_PAIRS) >
                0.01);
    patch_sites_release(&effects);
    patch_sites_release(&seeds);
    patch_sites_release(&plain);
    patch_close(&f);
    (void)state;
}

static void positions_one_by_one(void **state)
{
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    SiteQuestion question = question_of(&f, PATCH_NOISING);
    SiteEffects classes, single;
    assert_int_equal(patch_sites(&classes, &question, WORK_ALONE), 0);
    question.back = 20; /* more than the pairs have moves */
    assert_int_equal(patch_sites(&single, &question, WORK_ALONE), 0);
    assert_memory_equal(cell_of(&classes, HOOK_Z, 1, PATCH_AT_LAST), cell_of(&single, HOOK_Z, 1, 0),
                        N_TEST_PAIRS * sizeof(PatchScore));
    assert_memory_equal(cell_of(&classes, HOOK_Z, 1, PATCH_AT_PREVIOUS),
                        cell_of(&single, HOOK_Z, 1, 1), N_TEST_PAIRS * sizeof(PatchScore));
    for (size_t i = 0; i < N_TEST_PAIRS; i++) {
        for (int at = 0; at < 20; at++) {
            bool none = at >= f.set.pairs[i].n_moves;
            assert_int_equal(isnan(cell_of(&single, HOOK_Z, 1, at)[i].delta), none);
        }
    }
    patch_sites_release(&classes);
    patch_sites_release(&single);
    patch_close(&f);
    (void)state;
}

static void workers_and_interruptions_change_no_bit(void **state)
{
    PatchFixture f = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    StoppedJournal journal;
    SiteQuestion question = question_of(&f, PATCH_NOISING);
    SiteEffects truth, again;
    Pool *pool;
    journal_begin(&journal, SIZE_MAX);
    journal.interrupt_after = 1;
    assert_int_equal(pool_new(&pool, 3), 0);
    Work alone = {.journal = &journal.callbacks},
         work = {.pool = pool, .journal = &journal.callbacks};
    question.sites = 1ULL << HOOK_Z | 1ULL << HOOK_PATTERN | 1ULL << HOOK_FINAL;
    assert_int_equal(patch_sites(&truth, &question, WORK_ALONE), 0);
    assert_int_equal(patch_sites(&again, &question, &alone), OGPT_EINTR);
    interrupt_set(0);
    assert_non_null(journal_find(&journal, "patch noising", 0));
    assert_int_equal(journal.n_kept, 2); /* the first window of one worker */
    assert_int_equal(patch_sites(&again, &question, &work), 0);
    assert_int_equal(journal.n_recalled, 2);
    assert_memory_equal(again.scores, truth.scores,
                        truth.n_cells * truth.n_pairs * sizeof(*truth.scores));
    patch_sites_release(&truth);
    patch_sites_release(&again);
    pool_free(pool);
    journal_end(&journal);
    patch_close(&f);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_is_the_other_run),
        cmocka_unit_test(whole_cells_are_the_other_run),
        cmocka_unit_test(own_values_change_no_bit),
        cmocka_unit_test(sites_are_those_of_a_plain_pass),
        cmocka_unit_test(answers_are_judged_on_both_boards),
        cmocka_unit_test(noise_is_taken_away_by_restoring),
        cmocka_unit_test(positions_one_by_one),
        cmocka_unit_test(workers_and_interruptions_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
