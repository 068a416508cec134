/* tests/base/test_hash.c - known answers of the content hashes. */
#include "tests/base/base_test.h"

#include "base/hash.h"

static const char abc_sha256[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/* FIPS 180-2, appendix B.1 and B.3 (one million letters a). */
static void test_sha256_known_answers(void **state)
{
    char hex[HASH_HEX_SIZE];
    sha256_of(hex, "abc", 3);
    assert_string_equal(hex, abc_sha256);
    sha256_of(hex, "abd", 3);
    assert_string_not_equal(hex, abc_sha256);

    Sha256 *hash;
    assert_int_equal(sha256_new(&hash), 0);
    char piece[1000];
    memset(piece, 'a', sizeof(piece));
    for (int i = 0; i < 1000; i++) {
        sha256_add(hash, piece, sizeof(piece));
    }
    sha256_finish(hash, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void hash_in_pieces(char hex[HASH_HEX_SIZE], const uint8_t *data, size_t n, size_t piece)
{
    Sha256 *hash;
    assert_int_equal(sha256_new(&hash), 0);
    for (size_t at = 0; at < n; at += piece) {
        sha256_add(hash, data + at, n - at < piece ? n - at : piece);
    }
    sha256_finish(hash, hex);
}

/* Byte by byte no block is whole: then libmd does all the work, the plain twin of hash_blocks.h. */
static void test_sha256_is_that_of_libmd(void **state)
{
    enum { LONGEST = 400 };
    uint8_t data[LONGEST];
    char hex[HASH_HEX_SIZE], plain[HASH_HEX_SIZE];
    for (int i = 0; i < LONGEST; i++) {
        data[i] = (uint8_t)(i * i + i / 3);
    }
    for (size_t n = 0; n <= LONGEST; n++) {
        hash_in_pieces(plain, data, n, 1);
        sha256_of(hex, data, n);
        assert_string_equal(hex, plain);
        hash_in_pieces(hex, data, n, 100); /* the second piece begins within a block */
        assert_string_equal(hex, plain);
        hash_in_pieces(hex, data, n, 128);
        assert_string_equal(hex, plain);
    }
    data[LONGEST - 1] ^= 1;
    sha256_of(hex, data, LONGEST);
    assert_string_not_equal(hex, plain);
}

static void test_sha256_of_a_file(void **state)
{
    char hex[HASH_HEX_SIZE], whole[HASH_HEX_SIZE];
    put("abc", "abc", 3);
    assert_int_equal(sha256_file(hex, at("abc")), 0);
    assert_string_equal(hex, abc_sha256);

    size_t n_bytes = 300001; /* several pieces and a rest */
    char *data = mem_calloc(n_bytes, 1, "test data");
    data[n_bytes - 1] = 1;
    put("long", data, n_bytes);
    sha256_of(whole, data, n_bytes);
    mem_free(data);
    assert_int_equal(sha256_file(hex, at("long")), 0);
    assert_string_equal(hex, whole);
    assert_refused(sha256_file(hex, at("none")), OGPT_EIO, "none: cannot be opened");
    assert_refused(sha256_file(hex, run_folder), OGPT_EIO, "Is a directory");
}

/* XXH3_64bits of nothing, seed 0, as the reference implementation's sanity check lists it. */
static void test_xxh3_known_answer(void **state)
{
    assert_true(xxh3("", 0) == 0x2d06800538d394c2U);
    assert_true(xxh3("a", 1) != xxh3("b", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_known_answers),
        cmocka_unit_test(test_sha256_is_that_of_libmd),
        cmocka_unit_test(test_sha256_of_a_file),
        cmocka_unit_test(test_xxh3_known_answer),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
