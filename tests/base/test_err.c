/* tests/base/test_err.c - messages and exit codes. */
#include "tests/base/base_test.h"

#include <errno.h>

static void test_message_is_kept_and_code_returned(void **state)
{
    assert_int_equal(err_set(OGPT_EFORMAT, "%s: token %d", "a.db", 61), OGPT_EFORMAT);
    assert_string_equal(err_message(), "a.db: token 61");
    errno = ENOSPC;
    assert_int_equal(err_set_errno(OGPT_EIO, "b"), OGPT_EIO);
    assert_string_equal(err_message(),
                        "b: No space left on device; make room or choose another place");
}

static void test_message_may_quote_itself(void **state)
{
    err_set(OGPT_EIO, "inner");
    err_set(OGPT_EIO, "outer (%s)", err_message());
    assert_string_equal(err_message(), "outer (inner)");
}

static void test_controls_are_replaced(void **state)
{
    err_set(OGPT_EFORMAT, "%s",
            "a\x1b[31m\n\x7f\xc2\x9b"
            "b\xc3\xa9");
    assert_string_equal(err_message(), "a?[31m????b\xc3\xa9");
}

static void test_long_message_is_cut(void **state)
{
    char text[3000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    err_set(OGPT_EFORMAT, "%s", text);
    assert_int_equal(strlen(err_message()), 1000);
    errno = EIO;
    err_set_errno(OGPT_EIO, "%s", text);
    assert_int_equal(strlen(err_message()), 1000);
}

static void test_exit_codes(void **state)
{
    static const int table[][2] = {
        {OGPT_OK, 0},       {OGPT_ENEGATIVE, 1}, {OGPT_EUSAGE, 2},  {OGPT_EFORMAT, 3},
        {OGPT_EIO, 4},      {OGPT_ELOCKED, 5},   {OGPT_ENUM, 6},    {OGPT_ENOMEM, 4},
        {OGPT_EVERSION, 3}, {OGPT_EINTR, 143},   {OGPT_EPIPE, 141},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(err_exit_code(table[i][0], SIGTERM), table[i][1]);
    }
    assert_int_equal(err_exit_code(OGPT_EINTR, SIGINT), 130);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_is_kept_and_code_returned),
        cmocka_unit_test(test_message_may_quote_itself),
        cmocka_unit_test(test_controls_are_replaced),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
