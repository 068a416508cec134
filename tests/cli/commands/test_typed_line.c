/* tests/cli/commands/test_typed_line.c - a printed command line, cut into words again: every name
 * is one word, whatever is in it. */
#include "tests/base/base_test.h"

#include "cli/commands/results/typed_line.h"
#include "cli/framework.h"

static void quoted_names_are_words_again(void **state)
{
    static const char *const names[] = {
        "a'b c", "x' --force '", "it's",  "plain-6x6", "two  blanks ",
        "'",     "''",           "a\\b'", "\\'",       "\xc3\xa9t\xc3\xa9"};
    const int n_names = sizeof(names) / sizeof(names[0]);
    char *words[TYPED_WORDS_MAX];
    Text line = {0};
    (void)state;
    for (int i = 0; i < n_names; i++) { /* alone */
        command__word(&line, names[i]);
        assert_int_equal(typed_words(line.data, words), 1);
        assert_string_equal(words[0], names[i]);
        text_release(&line);
    }
    for (int i = 0; i < n_names; i++) { /* and among others */
        command__word(&line, names[i]);
    }
    assert_int_equal(typed_words(line.data, words), n_names);
    for (int i = 0; i < n_names; i++) {
        assert_string_equal(words[i], names[i]);
    }
    text_release(&line);
}

static void lines_of_the_program_are_cut_at_blanks(void **state)
{
    char line[] = "  circuit net --method 'exact,atp,atp*'  --out '' -x ", nothing[] = "  ";
    static const char *const expected[] = {"circuit", "net", "--method", "exact,atp,atp*",
                                           "--out",   "",    "-x"};
    char *words[TYPED_WORDS_MAX];
    (void)state;
    assert_int_equal(typed_words(line, words), 7);
    for (int i = 0; i < 7; i++) {
        assert_string_equal(words[i], expected[i]);
    }
    assert_int_equal(typed_words(nothing, words), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoted_names_are_words_again),
        cmocka_unit_test(lines_of_the_program_are_cut_at_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
