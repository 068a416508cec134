/* tests/probes/legality/test_layout_check.c - the check of ogpt convert passes on the same network
 * under either notation, and fails for each kind of mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "probes/legality/layout_check.h"
#include "tests/probes/probe_fixture.h"
#include "tests/probes/tick_log.h"

static ProbeFixture fixture;
static PlainNet *net; /* the fixture's network, in layout mingpt */
static uint8_t order[64];

static int setup(void **state)
{
    char path[FILES_PATH_MAX], hash[HASH_HEX_SIZE];
    Publish *publish = NULL;
    size_t n_tensors = 0;
    LayoutFiles files;
    LayoutConfig config;
    if (fixture_open(&fixture, 1) != 0) {
        return -1;
    }
    Gpt *gpt = fixture.model.gpt;
    memset(gpt->params + gpt->map.b_U, 0, (size_t)gpt->cfg.d_vocab * sizeof(real));
    vocab_transpose(order, vocab_by_size(gpt->cfg.d_vocab, RULES_CLASSIC));
    fixture_path(path, &fixture, "mingpt");
    Js *fields = js_object();
    int rc = publish_begin(&publish, path, true);
    rc = rc ? rc : layout_write(publish, &n_tensors, hash, gpt, LAYOUT_MINGPT, NULL, false);
    rc = rc ? rc : publish_commit(publish, fields);
    rc = rc ? rc : layout_files_find(&files, path);
    rc = rc ? rc : layout_config_read(&config, LAYOUT_MINGPT, &files, 0);
    js_free(fields);
    return rc ? rc : plain_net_open(&net, LAYOUT_MINGPT, files.tensors, &config);
}

static int teardown(void **state)
{
    plain_net_free(net);
    fixture_close(&fixture);
    return 0;
}

static LayoutDifference difference_of(const Gpt *gpt, const uint8_t *map)
{
    LayoutDifference difference;
    LayoutDifference pooled;
    Pool *pool = NULL;
    TickLog log;
    assert_int_equal(pool_new(&pool, 2), 0);
    const Work heard = tick_log_work(&log, (Work){.pool = pool, .seed = 1});
    assert_int_equal(layout_difference(&difference, gpt, net, map, 100, &(Work){.seed = 1}), 0);
    assert_int_equal(layout_difference(&pooled, gpt, net, map, 100, &heard), 0);
    assert_memory_equal(&pooled, &difference, sizeof(pooled));
    assert_true(tick_log_ended(&log, "games", log.total));
    pool_free(pool);
    assert_int_equal(difference.positions, 100);
    return difference;
}

static void the_same_network_passes(void **state)
{
    LayoutDifference same = difference_of(fixture.model.gpt, NULL);
    assert_true(same.largest > 0 && same.largest <= same.tolerance);
    assert_true(same.tolerance < 1e-2); /* for logits of at most about 100 */
}

/* With the tokens of the other notation, both networks are the same function of games. */
static void the_other_notation_is_the_same_function(void **state)
{
    Gpt *turned = fixture_network(6, 1);
    memset(turned->params + turned->map.b_U, 0, (size_t)turned->cfg.d_vocab * sizeof(real));
    assert_int_equal(gpt_permute_tokens(turned, order), 0);
    LayoutDifference right = difference_of(turned, order), wrong = difference_of(turned, NULL);
    assert_true(right.largest <= right.tolerance);
    assert_true(wrong.largest > 100 * wrong.tolerance);
    assert_int_equal(gpt_permute_tokens(turned, order), 0); /* its own inverse */
    assert_memory_equal(turned->params, fixture.model.gpt->params,
                        turned->n_numbers * sizeof(real));
    gpt_free(turned);
}

/* Exchange two heads of the queries, or transpose a square matrix, in memory. */
static void heads_exchange(real *w, size_t C, size_t HS)
{
    for (size_t c = 0; c < C; c++) {
        for (size_t e = 0; e < HS; e++) {
            real kept = w[c * C + e];
            w[c * C + e] = w[c * C + HS + e];
            w[c * C + HS + e] = kept;
        }
    }
}

static void matrix_turn(real *w, size_t C)
{
    for (size_t r = 0; r < C; r++) {
        for (size_t c = 0; c < r; c++) {
            real kept = w[r * C + c];
            w[r * C + c] = w[c * C + r];
            w[c * C + r] = kept;
        }
    }
}

static void wrong_conversions_are_seen(void **state)
{
    const Gpt *gpt = fixture.model.gpt;
    const size_t C = (size_t)gpt->cfg.d_model, HS = (size_t)gpt->cfg.d_head;
    const size_t squares[] = {gpt->map.W_Q, gpt->map.W_K, gpt->map.W_V, gpt->map.W_O};
    for (size_t i = 0; i < 8; i++) {
        Gpt *other = fixture_network(6, 1);
        memset(other->params + other->map.b_U, 0, (size_t)other->cfg.d_vocab * sizeof(real));
        if (i < 4) {
            matrix_turn(other->params + squares[i], C);
        } else if (i < 7) {
            heads_exchange(other->params + squares[i - 4], C, HS);
        } else { /* queries and keys exchanged: the scores of a pair are swapped */
            for (size_t j = 0; j < C * C; j++) {
                real kept = other->params[gpt->map.W_Q + j];
                other->params[gpt->map.W_Q + j] = other->params[gpt->map.W_K + j];
                other->params[gpt->map.W_K + j] = kept;
            }
        }
        LayoutDifference wrong = difference_of(other, NULL);
        if (wrong.largest <= 10 * wrong.tolerance) {
            fail_msg("damage %zu: %g", i, wrong.largest);
        }
        gpt_free(other);
    }
}

static void other_sizes_are_refused(void **state)
{
    GptConfig cfg = fixture.model.gpt->cfg;
    LayoutDifference difference;
    Gpt *other = NULL;
    cfg.n_ctx = 30;
    assert_int_equal(gpt_new(&other, &cfg), 0);
    assert_int_equal(layout_difference(&difference, other, net, NULL, 100, &(Work){.seed = 1}),
                     OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "fit no board"));
    gpt_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_network_passes),
        cmocka_unit_test(the_other_notation_is_the_same_function),
        cmocka_unit_test(wrong_conversions_are_seen),
        cmocka_unit_test(other_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
