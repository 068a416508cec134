/* tests/base/formats/test_npy.c - NumPy arrays: bytes written, arrays read, everything else
 * refused. */
#include "tests/base/base_test.h"

#include "base/formats/npy.h"
#include "tests/there.h"

typedef struct BadArray {
    const char *name;
    const char *header;  /* the dictionary; the test adds magic, length, padding and newline */
    const char *message; /* must be in the refusal */
    size_t n_data;
    unsigned char version[2];
    size_t n_extra; /* added to the length field */
} BadArray;

#define V1                                                                                         \
    {                                                                                              \
        1, 0                                                                                       \
    }
#define GOOD "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"

static const BadArray bad[] = {
    {"version_0", GOOD, "version 1.0 or 2.0, found 0.0", 8, {0, 0}, 0},
    {"version_3", GOOD, "version 1.0 or 2.0, found 3.0", 8, {3, 0}, 0},
    {"version_1_1", GOOD, "found 1.1", 8, {1, 1}, 0},
    {"header_longer_than_file", GOOD, "within the file", 8, V1, 20000},
    {"header_over_the_cap", GOOD, "at most 65536 bytes", 8, {2, 0}, 65536},
    {"object", "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
     "object arrays need pickle, which is never read", 8, V1, 0},
    {"structured", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
     "structured arrays are not read", 8, V1, 0},
    {"big_endian", "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", "big-endian", 8, V1,
     0},
    {"f8", "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", "found <f8", 8, V1, 0},
    {"f2", "{'descr': '<f2', 'fortran_order': False, 'shape': (4,), }", "found <f2", 8, V1, 0},
    {"text", "{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }", "found <U2", 8, V1, 0},
    {"fortran", "{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }",
     "fortran_order: expected False, found True", 8, V1, 0},
    {"order_number", "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", "True or False", 8,
     V1, 0},
    {"shape_overflow",
     "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
     "more than 2^64", 8, V1, 0},
    {"shape_overflow_by_item",
     "{'descr': '<i8', 'fortran_order': False, 'shape': (2305843009213693952,), }",
     "more than 2^64", 0, V1, 0},
    {"number_overflow",
     "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,), }", "below 2^64",
     0, V1, 0},
    {"negative", "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "below 2^64", 8, V1,
     0},
    {"float_shape", "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,), }", "expected", 8,
     V1, 0},
    {"rank_9", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }",
     "more than 8 dimensions", 8, V1, 0},
    {"bare_number", "{'descr': '<f4', 'fortran_order': False, 'shape': 2, }", "a tuple", 8, V1, 0},
    {"number_in_brackets", "{'descr': '<f4', 'fortran_order': False, 'shape': (2), }",
     "tuple of one", 8, V1, 0},
    {"list_shape", "{'descr': '<f4', 'fortran_order': False, 'shape': [2], }", "a tuple", 8, V1, 0},
    {"two_commas", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,,), }", "expected", 8, V1,
     0},
    {"open_shape", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,", "expected", 8, V1, 0},
    {"no_dictionary", "['descr', '<f4']", "expected '{'", 8, V1, 0},
    {"call", "dict(descr='<f4', fortran_order=False, shape=(2,))", "expected '{'", 8, V1, 0},
    {"missing_key", "{'descr': '<f4', 'shape': (2,), }", "one is missing", 8, V1, 0},
    {"key_twice", "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
     "given twice", 8, V1, 0},
    {"unknown_key", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}",
     "key 'x' is unknown", 8, V1, 0},
    {"rest", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } __import__('os')",
     "nothing after '}'", 8, V1, 0},
    {"escape", "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (2,), }", "dtype in quotes",
     8, V1, 0},
    {"long_word", "{'descr': '<f4<f4<f4<f4<f4<f4<f4<f4<f4<f4<f4', 'shape': (2,), }",
     "dtype in quotes", 8, V1, 0},
    {"data_short", GOOD, "need 8 data bytes, the file holds 7", 7, V1, 0},
    {"data_long", GOOD, "need 8 data bytes, the file holds 9", 9, V1, 0},
    {"empty_header", "", "expected '{'", 8, V1, 0},
};
enum { N_BAD = sizeof(bad) / sizeof(bad[0]) };

static void array_put(const char *name, const BadArray *array)
{
    unsigned char file[1024] = "\x93NUMPY";
    size_t n_prefix = array->version[0] == 2 ? 12 : 10, n_header = strlen(array->header);
    memcpy(file + 6, array->version, 2);
    memcpy(file + n_prefix, array->header, n_header);
    file[n_prefix + n_header] = '\n';
    size_t length = n_header + 1 + array->n_extra;
    for (size_t i = 8; i < n_prefix; i++) {
        file[i] = (unsigned char)(length >> 8 * (i - 8));
    }
    put(name, file, n_prefix + n_header + 1 + array->n_data);
}

static void test_bad_array(void **state)
{
    const BadArray *array = *state;
    NpyHeader header;
    void *data;
    array_put("bad.npy", array);
    assert_refused(npy_read_header(&header, at("bad.npy")), OGPT_EFORMAT, array->message);
    assert_refused(npy_read(&header, &data, at("bad.npy"), 1 << 20), OGPT_EFORMAT, array->message);
    assert_null(data);
}

/* Without the damage of the table the file is good; other writers' layouts are read too. */
static void test_good_layouts(void **state)
{
    static const BadArray good[] = {
        {"v1", GOOD, "", 8, V1, 0},
        {"v2", GOOD, "", 8, {2, 0}, 0},
        {"order", "{\"shape\":(2, 1,),\"descr\":\"<f4\",\"fortran_order\":False}  ", "", 8, V1, 0},
        {"rank_0", "{'descr': '<i8', 'fortran_order': False, 'shape': (), }", "", 8, V1, 0},
        {"empty", "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 59), }", "", 0, V1, 0},
    };
    static const uint64_t rank[] = {1, 1, 2, 0, 2};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        NpyHeader header;
        void *data;
        array_put("good.npy", &good[i]);
        assert_int_equal(npy_read(&header, &data, at("good.npy"), 8), 0);
        assert_int_equal(header.rank, rank[i]);
        assert_int_equal(header.data_bytes, good[i].n_data);
        mem_free(data);
    }
}

static void test_not_an_array(void **state)
{
    NpyHeader header;
    put("x", "", 0);
    assert_refused(npy_read_header(&header, at("x")), OGPT_EFORMAT, "magic");
    put("x", "\x93NUMPX\1\0\2\0{}", 12);
    assert_refused(npy_read_header(&header, at("x")), OGPT_EFORMAT, "magic");
    put("x", "PK\3\4aaaaaaaaaaaaaaaa", 20); /* an .npz archive */
    assert_refused(npy_read_header(&header, at("x")), OGPT_EFORMAT, "found a zip archive");
    put("x", "\x80\4\x95\x10\0\0\0\0\0\0\0]\x94.", 14);
    assert_refused(npy_read_header(&header, at("x")), OGPT_EFORMAT, "allow_pickle=False");
    put("x", "\x93NUMPY\1\0\4\0{\0}\n", 14);
    assert_refused(npy_read_header(&header, at("x")), OGPT_EFORMAT, "NUL");
    assert_refused(npy_read_header(&header, at("none")), OGPT_EIO, "none");
}

/* Every shorter file is refused. */
static void test_every_truncation(void **state)
{
    NpyHeader header;
    NpyWriter *writer;
    void *file;
    size_t n_bytes;
    assert_int_equal(npy_writer_new(&writer, at("t.npy"), "i4", 1, (uint64_t[]){3}), 0);
    assert_int_equal(npy_writer_add(writer, (int32_t[]){1, 2, 3}, 12), 0);
    assert_int_equal(npy_writer_finish(writer), 0);
    assert_int_equal(file_read_all(&file, &n_bytes, at("t.npy"), 1024), 0);
    for (size_t length = n_bytes; length-- > 0;) {
        assert_int_equal(truncate(at("t.npy"), (off_t)length), 0);
        assert_int_equal(npy_read_header(&header, at("t.npy")), OGPT_EFORMAT);
    }
    put("t.npy", file, n_bytes);
    assert_int_equal(npy_read_header(&header, at("t.npy")), 0);
    mem_free(file);
}

/* The bytes that numpy.save writes for numpy.array([[1,2,3],[4,5,6]], '<i4'). */
static void test_written_bytes(void **state)
{
    static const char expected[] = "\x93NUMPY\1\0\x76\0"
                                   "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }"
                                   "                                                          \n"
                                   "\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6\0\0\0";
    NpyWriter *writer;
    void *file, *data;
    size_t n_bytes;
    NpyHeader header;
    const int32_t values[] = {1, 2, 3, 4, 5, 6};
    assert_int_equal(npy_writer_new(&writer, at("w.npy"), "i4", 2, (uint64_t[]){2, 3}), 0);
    assert_int_equal(npy_writer_add(writer, values, 12), 0);
    assert_int_equal(npy_writer_add(writer, values + 3, 12), 0);
    assert_int_equal(npy_writer_finish(writer), 0);
    assert_int_equal(file_read_all(&file, &n_bytes, at("w.npy"), 1024), 0);
    assert_int_equal(n_bytes, sizeof(expected) - 1);
    assert_memory_equal(file, expected, n_bytes);
    mem_free(file);
    assert_int_equal(npy_read(&header, &data, at("w.npy"), 24), 0);
    assert_string_equal(header.dtype, "i4");
    assert_int_equal(header.item_bytes, 4);
    assert_int_equal(header.data_offset, 128);
    assert_memory_equal(header.shape, ((uint64_t[]){2, 3}), 16);
    assert_memory_equal(data, values, 24);
    mem_free(data);
    assert_refused(npy_read(&header, &data, at("w.npy"), 23), OGPT_EFORMAT,
                   "at most 23 data bytes, found 24");
}

static void test_round_trip_of_every_kind(void **state)
{
    static const char *const dtypes[] = {"f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"};
    unsigned char values[240], n = 0;
    for (size_t i = 0; i < sizeof(values); i++) {
        values[i] = n++;
    }
    for (size_t d = 0; d < 9; d++) {
        for (size_t rank = 0; rank <= NPY_MAX_RANK; rank++) {
            uint64_t shape[NPY_MAX_RANK] = {3, 1, 2, 1, 5, 1, 1, 1};
            static const size_t counts[] = {1, 3, 3, 6, 6, 30, 30, 30, 30};
            static const size_t sizes[] = {4, 1, 2, 4, 8, 1, 2, 4, 8};
            NpyWriter *writer;
            NpyHeader header;
            void *data;
            size_t n_bytes = counts[rank] * sizes[d];
            unlink(at("r.npy"));
            assert_int_equal(npy_writer_new(&writer, at("r.npy"), dtypes[d], rank, shape), 0);
            assert_int_equal(npy_writer_add(writer, values, n_bytes), 0);
            assert_int_equal(npy_writer_finish(writer), 0);
            assert_int_equal(npy_read(&header, &data, at("r.npy"), n_bytes), 0);
            assert_string_equal(header.dtype, dtypes[d]);
            assert_int_equal(header.rank, rank);
            assert_int_equal(header.data_offset % 64, 0);
            assert_memory_equal(header.shape, shape, rank * sizeof(*shape));
            assert_memory_equal(data, values, n_bytes);
            mem_free(data);
        }
    }
}

static void test_writer_keeps_its_word(void **state)
{
    NpyWriter *writer;
    const char *path = at("word.npy");
    assert_int_equal(npy_writer_new(&writer, path, "u1", 1, (uint64_t[]){4}), 0);
    assert_int_equal(npy_writer_add(writer, "abc", 3), 0);
    assert_refused(npy_writer_add(writer, "de", 2), OGPT_EUSAGE, "1 bytes more than");
    assert_refused(npy_writer_finish(writer), OGPT_EUSAGE, "1 bytes of the announced shape");
    assert_false(file_exists(path));
    assert_int_equal(npy_writer_new(&writer, path, "u1", 1, (uint64_t[]){4}), 0);
    npy_writer_abort(writer);
    assert_false(file_exists(path));
    put("word.npy", "mine", 4);
    assert_refused(npy_writer_new(&writer, path, "u1", 1, (uint64_t[]){4}), OGPT_EIO,
                   "File exists");
    assert_null(writer);
    assert_refused(npy_writer_new(&writer, path, "f4", 2, (uint64_t[]){1UL << 62, 4}), OGPT_EUSAGE,
                   "more than 2^64");
    npy_writer_abort(NULL);
}

int main(void)
{
    const struct CMUnitTest rest[] = {
        cmocka_unit_test(test_good_layouts),
        cmocka_unit_test(test_not_an_array),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_written_bytes),
        cmocka_unit_test(test_round_trip_of_every_kind),
        cmocka_unit_test(test_writer_keeps_its_word),
    };
    enum { N_REST = sizeof(rest) / sizeof(rest[0]) };
    struct CMUnitTest tests[N_BAD + N_REST];
    for (size_t i = 0; i < N_BAD; i++) {
        tests[i] = (struct CMUnitTest){
            .name = bad[i].name, .test_func = test_bad_array, .initial_state = (void *)&bad[i]};
    }
    memcpy(tests + N_BAD, rest, sizeof(rest));
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
