/* tests/base/formats/test_safetensors_bytes.c - what is written, byte by byte. */
#include "tests/base/base_test.h"

#include "base/formats/safetensors.h"

/* The bytes themselves, written out by hand from the format's description. */
static void test_written_bytes(void **state)
{
    static const char expected[] =
        "\x38\0\0\0\0\0\0\0"
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}"
        "\0\0\x80\x3f\0\0\0\xc0";
    const float data[] = {1, -2};
    const StEntry entry = {.name = "w", .rank = 2, .shape = {1, 2}, .data = data};
    void *bytes;
    size_t n_bytes;
    assert_int_equal(st_write(at("bytes"), &entry, 1, NULL, 0), 0);
    assert_int_equal(file_read_all(&bytes, &n_bytes, at("bytes"), 1000), 0);
    assert_int_equal(n_bytes, sizeof(expected) - 1);
    assert_memory_equal(bytes, expected, n_bytes);
    mem_free(bytes);
}

/* Halves take two bytes each, more than one buffer of them too, and are what they round to. */
static void test_writes_halves(void **state)
{
    enum { N = 5000 };
    static const char expected[] =
        "\x38\0\0\0\0\0\0\0"
        "{\"w\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[0,4]}}"
        "\0\x3c\0\xc0";
    static float many[N], back[N];
    const float data[] = {1, -2};
    const StEntry entry = {.name = "w", .rank = 2, .shape = {1, 2}, .data = data, .half = true};
    const StEntry long_one = {.name = "w", .rank = 1, .shape = {N}, .data = many, .half = true};
    StFile *file;
    void *bytes;
    size_t n_bytes, n_rounded = 0;
    assert_int_equal(st_write(at("halves"), &entry, 1, NULL, 0), 0);
    assert_int_equal(file_read_all(&bytes, &n_bytes, at("halves"), 1000), 0);
    assert_int_equal(n_bytes, sizeof(expected) - 1);
    assert_memory_equal(bytes, expected, n_bytes);
    mem_free(bytes);

    for (size_t i = 0; i < N; i++) {
        many[i] = 1.0f / (float)(i + 3);
    }
    assert_int_equal(st_write(at("many-halves"), &long_one, 1, NULL, 0), 0);
    assert_int_equal(st_open(&file, at("many-halves")), 0);
    assert_int_equal(st_read_f32(back, file, "w", 1, (uint64_t[]){N}, false), 0);
    st_close(file);
    for (size_t i = 0; i < N; i++) {
        assert_true(back[i] == float16_widen(float16_narrow(many[i])));
        n_rounded += back[i] != many[i];
    }
    assert_true(n_rounded > N / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_bytes),
        cmocka_unit_test(test_writes_halves),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
