/* tests/probes/activations/test_subject.c - a network is opened with its board; a network of no
 * board and a corpus of another board are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "tests/probes/probe_fixture.h"

static ProbeFixture fixture;

/* Save a network of the fixture's shape with another context at `name`, trained by `rules`. */
static void save(char path[FILES_PATH_MAX], const char *name, int n_ctx, const char *rules)
{
    char hash[HASH_HEX_SIZE];
    Publish *publish = NULL;
    Gpt *gpt = NULL;
    GptConfig cfg = fixture.model.gpt->cfg;
    Js *fields = js_object(), *about = js_object();
    cfg.n_ctx = n_ctx;
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    fixture_path(path, &fixture, name);
    assert_int_equal(publish_begin(&publish, path, true), 0);
    assert_int_equal(model_save(publish, hash, gpt, about, false), 0);
    js_set_str(fields, "model_hash", hash);
    if (rules) {
        js_set_str(fields, "rules", rules);
    }
    assert_int_equal(publish_commit(publish, fields), 0);
    js_free(fields);
    js_free(about);
    gpt_free(gpt);
}

static void a_network_is_opened_with_its_board(void **state)
{
    char path[FILES_PATH_MAX];
    Subject subject;
    save(path, "six", 31, NULL);
    assert_int_equal(subject_open(&subject, path, NULL), 0);
    assert_int_equal(subject.size, 6);
    assert_ptr_equal(subject.variant, game_variant(6));
    assert_int_equal(subject.vocab->d_vocab, subject.model.gpt->cfg.d_vocab);
    assert_int_equal(subject_check_corpus(&subject, "games", fixture.corpus), 0);
    subject_release(&subject);
    subject_release(&subject); /* an empty one may be released */
    assert_null(subject.model.gpt);
}

static void a_network_of_no_board_is_refused(void **state)
{
    char path[FILES_PATH_MAX];
    Subject subject;
    save(path, "long", 40, NULL);
    assert_int_equal(subject_open(&subject, path, NULL), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "d_vocab 33 and n_ctx 40 fit no board"));
    assert_null(subject.model.gpt);
    fixture_path(path, &fixture, "nothing");
    assert_int_not_equal(subject_open(&subject, path, NULL), 0);
    assert_null(subject.model.gpt);
}

static void a_corpus_of_another_board_is_refused(void **state)
{
    Subject eight = {.model.path = "eight", .size = 8, .variant = game_variant(8)};
    assert_int_equal(subject_check_corpus(&eight, "games", fixture.corpus), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "games: holds games of 6x6, the model eight plays 8x8"));
    assert_non_null(strstr(err_message(), "--size 8"));
}

static void the_rules_come_from_the_manifest(void **state)
{
    char path[FILES_PATH_MAX];
    Subject subject;
    for (int rules = 0; rules < N_GAME_RULES; rules++) {
        const char *name = game_rules_name((GameRules)rules);
        save(path, name, 31, name);
        assert_int_equal(subject_open(&subject, path, NULL), 0);
        assert_ptr_equal(subject.variant, game_variant_with(6, (GameRules)rules));
        assert_ptr_equal(subject.vocab, vocab_of(subject.variant));
        /* The games of the fixture are classic: others are refused, with both rules named. */
        const int rc = subject_check_corpus(&subject, "games", fixture.corpus);
        assert_int_equal(rc, rules == RULES_CLASSIC ? 0 : OGPT_EFORMAT);
        if (rc != 0) {
            assert_non_null(strstr(err_message(), "games: holds games by the rules classic"));
            assert_non_null(strstr(err_message(), "plays by"));
            assert_non_null(strstr(err_message(), name));
        }
        subject_release(&subject);
    }
    save(path, "strange", 31, "no-such-rules");
    assert_int_equal(subject_open(&subject, path, NULL), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "found no-such-rules"));
}

static int setup(void **state)
{
    return fixture_open(&fixture, 20);
}

static int teardown(void **state)
{
    fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_is_opened_with_its_board),
        cmocka_unit_test(a_network_of_no_board_is_refused),
        cmocka_unit_test(the_rules_come_from_the_manifest),
        cmocka_unit_test(a_corpus_of_another_board_is_refused),
    };
    return cmocka_run_group_tests_name("subject", tests, setup, teardown);
}
