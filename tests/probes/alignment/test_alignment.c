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
#include "tests/probes/tick_log.h"

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

static Interval strict[2]; /* of the last measurement */

static void measure(AlignmentRow *rows, AlignmentSide from, AlignmentSide to, Pool *pool)
{
    TickLog log;
    const Work work = tick_log_work(&log, (Work){.seed = 3, .pool = pool});
    assert_int_equal(alignment_measure(rows, strict, &from, &to, GAMES, GAMES / 2, &work), 0);
    const int places = to.gpt->cfg.n_layers + 1; /* rows, maps, two networks, a row and its maps */
    assert_true(tick_log_ended(&log, "parts", places + 3 + places * (1 + N_ALIGNMENT_MAPS)));
    assert_int_equal(log.n, log.total);
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

/* Strict errors are those of the first test games, each network in its own tokens. */
static void strict_errors_are_of_each_network(void **state)
{
    Gpt *gpt = noisy_network(SIZE, 32, 1), *twin = twin_of(gpt),
        *other = noisy_network(SIZE, 32, 2);
    AlignmentRow rows[LAYERS];
    LegalityScore score;
    GameSource *source = NULL;
    assert_int_equal(source_fresh(&source, game_variant(SIZE), 3, RNG_EVAL), 0);
    assert_int_equal(legality_score(&score, gpt, source, 0, GAMES / 2, WORK_ALONE), 0);
    measure(rows, side_of(twin, RULES_IAGO), side_of(gpt, RULES_CLASSIC), NULL);
    assert_true(strict[1].value == score.total.strict_errors / score.total.positions);
    assert_true(strict[0].value == strict[1].value && strict[0].low == strict[1].low);
    measure(rows, side_of(other, RULES_CLASSIC), side_of(gpt, RULES_CLASSIC), NULL);
    assert_true(strict[0].value != strict[1].value);
    legality_release(&score);
    source_free(source);
    gpt_free(gpt);
    gpt_free(twin);
    gpt_free(other);
}

/* A twin is known from either side; one weight off, it is another network. */
static void a_renamed_network_is_known(void **state)
{
    Gpt *gpt = noisy_network(SIZE, 32, 1), *twin = twin_of(gpt);
    const AlignmentSide iago = side_of(twin, RULES_IAGO), classic = side_of(gpt, RULES_CLASSIC);
    const AlignmentSide misread = side_of(gpt, RULES_IAGO);
    bool renamed = false;
    assert_int_equal(alignment_renamed(&renamed, &iago, &classic), 0);
    assert_true(renamed);
    assert_int_equal(alignment_renamed(&renamed, &classic, &iago), 0);
    assert_true(renamed);
    assert_int_equal(alignment_renamed(&renamed, &misread, &classic), 0);
    assert_false(renamed);
    twin->params[twin->n_numbers / 2] += 1e-3F;
    assert_int_equal(alignment_renamed(&renamed, &iago, &classic), 0);
    assert_false(renamed);
    gpt_free(gpt);
    gpt_free(twin);
}

/* A network that only suppresses the token it has just seen. Tokens are orthogonal rows of +1 and
 * -1 that sum to 0, so a LayerNorm leaves them. Where turns[l], place l (embedding, blocks 0 and 1)
 * exchanges the coordinates: a block adds x P - x, by pairs gelu(u) - gelu(-u) = u. */
static Gpt *turning_network(const bool turns[LAYERS])
{
    enum { WIDE = 64 };
    GptConfig cfg = small_config(SIZE, LAYERS - 1, 2 * WIDE);
    Gpt *gpt = NULL;
    size_t place[WIDE], V = (size_t)cfg.d_vocab;
    cfg.d_model = WIDE;
    cfg.d_head = WIDE / 2;
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    for (size_t c = 0; c < WIDE; c++) {
        place[c] = c;
        gpt->params[gpt->map.lnf_w + c] = 1;
    }
    for (uint64_t l = 0; l < LAYERS; l++) {
        real *block = gpt->params + (l > 0 ? l - 1 : 0) * gpt->map.block_stride;
        for (size_t c = 0; c < WIDE; c++) {
            size_t to = (size_t)rng_permute(9, RNG_TEST, l, c, WIDE);
            if (l > 0) {
                block[gpt->map.ln2_w + c] = 1;
                block[gpt->map.W_in + c * 2 * WIDE + c] = 1;
                block[gpt->map.W_in + c * 2 * WIDE + WIDE + c] = -1;
            }
            if (l > 0 && turns[l]) {
                for (size_t half = 0; half < 2; half++) {
                    real *out = block + gpt->map.W_out + (half * WIDE + c) * WIDE;
                    out[to] += half == 0 ? 1 : -1;
                    out[c] -= half == 0 ? 1 : -1;
                }
            }
        }
        for (size_t c = 0; c < WIDE && turns[l]; c++) {
            place[c] = (size_t)rng_permute(9, RNG_TEST, l, place[c], WIDE);
        }
        for (size_t tok = 0; tok < V && (l == 0 || l + 1 == LAYERS); tok++) {
            for (size_t c = 0; c < WIDE; c++) {
                float sign = __builtin_popcountll(c & (tok + 1)) % 2 == 0 ? 1 : -1;
                if (l == 0) {
                    gpt->params[gpt->map.W_E + tok * WIDE + place[c]] = sign;
                } else {
                    gpt->params[gpt->map.W_U + place[c] * V + tok] = -sign * 20 / WIDE;
                }
            }
        }
    }
    return gpt;
}

/* Streams that are turned by one rotation share it; turned by another at each layer, they do not:
 * own maps leave nothing, and play on as the other does, and the shared one does neither. */
static void lead_tells_one_rotation_from_many(void **state)
{
    static const bool still[LAYERS] = {false, false, false}, once[LAYERS] = {true, false, false},
                      each[LAYERS] = {false, true, true};
    Gpt *a = turning_network(still), *b = turning_network(once), *c = turning_network(each);
    AlignmentRow rows[LAYERS];
    measure(rows, side_of(a, RULES_CLASSIC), side_of(b, RULES_CLASSIC), NULL);
    for (int l = 0; l < LAYERS; l++) {
        /* rows of +1 and -1, to the eps of a LayerNorm (1e-5) at most */
        assert_true(rows[l].rest[ALIGNMENT_SHARED].value < 1e-8);
        assert_true(fabs(rows[l].lead.value) < 1e-4);
    }
    measure(rows, side_of(a, RULES_CLASSIC), side_of(c, RULES_CLASSIC), NULL);
    for (int l = 0; l < LAYERS; l++) {
        assert_true(rows[l].rest[ALIGNMENT_OWN].value < 1e-8);
        assert_true(rows[l].rest[ALIGNMENT_SHARED].value > 0.1);
        assert_true(fabs(rows[l].alpha[ALIGNMENT_OWN].value - rows[l].unchanged.value) < 1e-4);
        /* Logits of wrong rows are off by 20 times a random cosine in 64 dimensions, 2.5, and more
         * than a nat a move is lost; what is lost is the lead. */
        assert_true(rows[l].lead.low > 0.1);
        assert_true(fabs(rows[l].lead.value - (rows[l].alpha[ALIGNMENT_OWN].value -
                                               rows[l].alpha[ALIGNMENT_SHARED].value)) < 1e-9);
    }
    gpt_free(a);
    gpt_free(b);
    gpt_free(c);
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
        assert_int_equal(
            alignment_measure(rows, strict, &classic, &others[i].other, 2, 2, WORK_ALONE),
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
        cmocka_unit_test(strict_errors_are_of_each_network),
        cmocka_unit_test(a_renamed_network_is_known),
        cmocka_unit_test(lead_tells_one_rotation_from_many),
        cmocka_unit_test(what_cannot_be_joined_is_refused),
    };
    blas_reserve(3);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
