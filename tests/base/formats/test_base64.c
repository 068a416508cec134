/* tests/base/formats/test_base64.c - base64 by the vectors of the standard, and the name of a
 * script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/formats/base64.h"

static void test_base64_is_that_of_the_standard(void **state)
{
    static const struct {
        const char *bytes, *text;
    } vectors[] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
    char out[16];
    for (size_t i = 0; i < 5; i++) { /* RFC 4648, section 10 */
        base64_write(out, (const uint8_t *)vectors[i].bytes, strlen(vectors[i].bytes));
        assert_string_equal(out, vectors[i].text);
    }
    base64_write(out, (const uint8_t *)"\xfb\xff\xbf", 3);
    assert_string_equal(out, "+/+/");
    assert_string_not_equal(out, "-_-_");
}

/* printf "alert('Hello, world.');" | openssl dgst -sha256 -binary | base64: the example of Content
 * Security Policy Level 2. */
static void test_a_script_has_its_name(void **state)
{
    static const char script[] = "alert('Hello, world.');";
    char hash[BASE64_HASH_SIZE];
    base64_hash(hash, script, strlen(script));
    assert_string_equal(hash, "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
    base64_hash(hash, script, strlen(script) - 1);
    assert_string_not_equal(hash, "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64_is_that_of_the_standard),
        cmocka_unit_test(test_a_script_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
