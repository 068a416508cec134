/* tests/probes/alignment/test_alignment.c - a network and its iago twin are one stream; what is no
 * twin is not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/batch.h"
#include "model/layouts/layouts.h"
#include "num/blas.h"
#include "probes/alignment/alignment.h"
#include "probes/legality/legality.h"
#include "tests/probes/small_network.h"

enum { SIZE = 6, GAMES = 30, LAYERS = 3 };

static Gpt *copy_of(const Gpt *gpt)
{
    Gpt *copy = NULL;
    assert_int_equal(gpt_new(&copy, &gpt->cfg), 0);
    memcpy(copy->params, gpt->params, gpt->n_numbers * sizeof(*copy->params));
    return copy;
}

static Gpt *twin_of(const Gpt *gpt)
{
    uint8_t order[BOARD_SQUARES];
    Gpt *twin = copy_of(gpt);
    vocab_translate(order, vocab_of(game_variant_with(SIZE, RULES_IAGO)),
                    vocab_of(game_variant(SIZE)));
    assert_int_equal(gpt_permute_tokens(twin, order), 0);
    return twin;
}

static AlignmentSide side_of(const Gpt *gpt, GameRules rules)
{
    return (AlignmentSide){gpt, vocab_of(game_variant_with(SIZE, rules))};
}

static void measure(AlignmentRow *rows, AlignmentSide from, AlignmentSide to, Pool *pool)
{
    const Work work = {.seed = 3, .pool = pool};
    assert_int_equal(alignment_measure(rows, &from, &to, GAMES, GAMES / 2, &work), 0);
}

/* The twin: nothing is left at any layer, by its own map and by the shared one, and it plays on as
 * the other would. The controls leave much. */
static void the_twin_leaves_nothing(void **state)
{
    Gpt *gpt = noisy_network(SIZE, 32, 1), *twin = twin_of(gpt);
    AlignmentRow rows[LAYERS], again[LAYERS];
    Pool *pool = NULL;
    measure(rows, side_of(twin, RULES_IAGO), side_of(gpt, RULES_CLASSIC), NULL);
    for (int l = 0; l < LAYERS; l++) {
        assert_int_equal(rows[l].layer, l - 1);
        assert_true(rows[l].rank == 16); /* rows of 16 numbers; the embedding has 32 tokens */
        for (int m = ALIGNMENT_OWN; m <= ALIGNMENT_SHARED; m++) {
            /* the map is the identity to the rounding of floats, 6e-8, squared */
            assert_true(rows[l].rest[m].value < 1e-12);
            assert_true(fabs(rows[l].alpha[m].value - rows[l].unchanged.value) < 1e-6);
        }
        assert_true(rows[l].rest[ALIGNMENT_RANDOM].value > 0.5);
        assert_true(rows[l].rest[ALIGNMENT_UNPAIRED].value > 0.1);
        assert_true(fabs(rows[l].lead.value) < 1e-6);
    }
    assert_int_equal(pool_new(&pool, 3), 0);
    measure(again, side_of(twin, RULES_IAGO), side_of(gpt, RULES_CLASSIC), pool);
    assert_memory_equal(again, rows, sizeof(rows)); /* any number of workers */
    pool_free(pool);
    /* The same weights under an unrelated permutation: classic tokens read as iago's. */
    measure(rows, side_of(gpt, RULES_IAGO), side_of(gpt, RULES_CLASSIC), NULL);
    for (int l = 0; l < LAYERS; l++) {
        assert_true(rows[l].rest[ALIGNMENT_OWN].value > 0.05);
    }
    gpt_free(gpt);
    gpt_free(twin);
}

/* Every score of the twin on iago games is that of the network on classic ones, which are the same
 * moves. Sums over tokens run in another order: the loss may differ by rounding. */
static void the_twin_scores_alike(void **state)
{
    Gpt *gpt = noisy_network(SIZE, 32, 1), *twin = twin_of(gpt);
    const Gpt *nets[3] = {gpt, twin, gpt};
    const GameRules rules[3] = {RULES_CLASSIC, RULES_IAGO, RULES_IAGO};
    LegalityScore scores[3];
    for (int i = 0; i < 3; i++) {
        GameSource *source = NULL;
        assert_int_equal(source_fresh(&source, game_variant_with(SIZE, rules[i]), 7, RNG_TEST), 0);
        assert_int_equal(legality_score(&scores[i], nets[i], source, 0, 40, WORK_ALONE), 0);
        source_free(source);
    }
    const LegalitySums *a = &scores[0].total, *b = &scores[1].total;
    assert_true(a->positions == b->positions && a->floor == b->floor);
    assert_true(a->strict_errors == b->strict_errors && a->lenient_errors == b->lenient_errors);
    assert_true(a->set_f1 == b->set_f1);
    /* a thousand logarithms of sums of 33 floats, each to 1e-7 of 3 nats */
    assert_true(fabs(a->loss - b->loss) < 1e-3 && fabs(a->kl - b->kl) < 1e-3);
    assert_true(fabs(a->legal_mass - b->legal_mass) < 1e-3);
    /* the network itself on iago's tokens does not */
    assert_true(fabs(a->loss - scores[2].total.loss) > 1);
    for (int i = 0; i < 3; i++) {
        legality_release(&scores[i]);
    }
    gpt_free(gpt);
    gpt_free(twin);
}

static void what_cannot_be_joined_is_refused(void **state)
{
    Gpt *gpt = noisy_network(SIZE, 32, 1), *deep = NULL, *wide = NULL;
    GptConfig cfg = small_config(SIZE, 3, 32);
    AlignmentRow rows[LAYERS + 1];
    assert_int_equal(gpt_new(&deep, &cfg), 0);
    cfg = small_config(SIZE, 2, 32);
    cfg.d_model = 32;
    cfg.d_head = 16;
    assert_int_equal(gpt_new(&wide, &cfg), 0);
    const AlignmentSide classic = side_of(gpt, RULES_CLASSIC);
    const struct {
        AlignmentSide other;
        const char *fault;
    } others[] = {{side_of(gpt, RULES_NO_MID_FLIP), "different games"},
                  {side_of(deep, RULES_CLASSIC), "numbers of layers"},
                  {side_of(wide, RULES_CLASSIC), "different widths"}};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        assert_int_equal(alignment_measure(rows, &classic, &others[i].other, 2, 2, WORK_ALONE),
                         OGPT_EUSAGE);
        assert_non_null(strstr(err_message(), others[i].fault));
    }
    assert_null(alignment_fault(&classic, &classic));
    gpt_free(gpt);
    gpt_free(deep);
    gpt_free(wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_twin_leaves_nothing),
        cmocka_unit_test(the_twin_scores_alike),
        cmocka_unit_test(what_cannot_be_joined_is_refused),
    };
    blas_reserve(3);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
