/* tests/base/formats/test_safetensors.c - round trips, and a table of files to refuse. */
#include "tests/base/base_test.h"

#include <math.h>
#include <stdbool.h>

#include "base/formats/safetensors.h"
#include "tests/there.h"

enum { LENGTH_TRUE, LENGTH_GIVEN, WHOLE_FILE };

typedef struct BadFile {
    const char *name;
    const char *message; /* must be in the refusal */
    const char *head;    /* header = head, then n_fill times `fill`, then tail */
    const char *tail;
    size_t n_data;   /* zero bytes after the header */
    uint64_t length; /* of LENGTH_GIVEN */
    size_t n_fill;
    int kind; /* WHOLE_FILE: head is the file, n_data its number of bytes */
    char fill;
} BadFile;

#define T(name, dtype, shape, offsets)                                                             \
    "\"" name "\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define F(shape, offsets) "{" T("a", "\"F32\"", shape, offsets) "}"
#define TEXT(head_) .head = head_, .tail = ""
#define FILLED(head_, fill_, n_, tail_) .head = head_, .fill = fill_, .n_fill = n_, .tail = tail_

static const BadFile bad[] = {
    /* the length field */
    {"file_of_0_bytes", "at least 8 bytes, found 0", TEXT(""), .n_data = 0, .kind = WHOLE_FILE},
    {"file_of_7_bytes", "at least 8 bytes, found 7", TEXT("\2\0\0\0\0\0\0"), .n_data = 7,
     .kind = WHOLE_FILE},
    {"length_0", "found length 0", TEXT("{}"), .kind = LENGTH_GIVEN, .length = 0},
    {"length_1", "found length 1", TEXT("{}"), .kind = LENGTH_GIVEN, .length = 1},
    {"length_beyond_the_file", "found length 3", TEXT("{}"), .kind = LENGTH_GIVEN, .length = 3},
    {"length_100000001", "found length 100000001", TEXT("{}"), .kind = LENGTH_GIVEN,
     .length = 100000001},
    {"length_2_63", "found length 9223372036854775808", TEXT("{}"), .kind = LENGTH_GIVEN,
     .length = 1UL << 63},
    {"length_2_64_less_1", "found length 18446744073709551615", TEXT("{}"), .kind = LENGTH_GIVEN,
     .length = UINT64_MAX},
    {"length_2_64_less_8", "found length 18446744073709551608", TEXT("{}"), .kind = LENGTH_GIVEN,
     .length = UINT64_MAX - 7},
    {"header_over_4_mib", "2..4194304 bytes", FILLED("{", ' ', 4 << 20, "}")},
    /* the text */
    {"not_utf8", "unable to decode", TEXT("{\"a\xff\":1}")},
    {"begins_with_space", "expected '{', found byte 0x20", TEXT(" {}")},
    {"begins_with_bom", "found byte 0xef", TEXT("\xef\xbb\xbf{}")},
    {"array", "expected '{', found byte 0x5b", TEXT("[1,2]")},
    {"null", "expected '{', found byte 0x6e", TEXT("null")},
    {"cut_text", "near end of file", TEXT("{\"a\":")},
    {"unclosed", "expected JSON", TEXT("{\"__metadata__\":{}")},
    {"bytes_after_the_object", "end of file expected", TEXT("{} x")},
    {"second_object", "end of file expected", TEXT("{}{}")},
    {"nul_after_the_object", "expected JSON", .head = "{}", .fill = 0, .n_fill = 6, .tail = ""},
    {"not_a_number", "invalid token", TEXT(F("[NaN]", "[0,4]")), .n_data = 4},
    {"nested_3000", "nested deeper than 64", FILLED("{\"a\":", '[', 3000, "")},
    {"nested_65_objects_in_metadata", "nested deeper than 64",
     FILLED("{\"__metadata__\":{\"k\":", '[', 63, "")},
    {"nested_4_mib", "nested deeper than 64", FILLED("{\"a\":", '[', (4 << 20) - 5, "")},
    /* entries */
    {"tensor_twice", "duplicate object key",
     TEXT("{" T("a", "\"F32\"", "[1]", "[0,4]") "," T("a", "\"F32\"", "[1]", "[4,8]") "}"),
     .n_data = 8},
    {"dtype_twice", "duplicate object key",
     TEXT("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"),
     .n_data = 4},
    {"unknown_dtype", "unknown dtype \"F31\"", TEXT("{" T("a", "\"F31\"", "[1]", "[0,4]") "}"),
     .n_data = 4},
    {"dtype_lower_case", "unknown dtype \"f32\"", TEXT("{" T("a", "\"f32\"", "[1]", "[0,4]") "}"),
     .n_data = 4},
    {"dtype_number", "\"dtype\": expected a string", TEXT("{" T("a", "32", "[1]", "[0,4]") "}"),
     .n_data = 4},
    {"no_dtype", "exactly dtype, shape", TEXT("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}"),
     .n_data = 4},
    {"no_shape", "exactly dtype, shape", TEXT("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}"),
     .n_data = 4},
    {"no_offsets", "exactly dtype, shape", TEXT("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}"),
     .n_data = 4},
    {"other_name_for_offsets", "\"data_offsets\": expected an array, found nothing",
     TEXT("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"offsets\":[0,4]}}"), .n_data = 4},
    {"one_field_more", "exactly dtype, shape",
     TEXT("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}"), .n_data = 4},
    {"entry_a_number", "exactly dtype, shape", TEXT("{\"a\":4}"), .n_data = 4},
    {"entry_an_array", "exactly dtype, shape", TEXT("{\"a\":[1,2,3]}"), .n_data = 4},
    /* numbers */
    {"shape_a_number", "\"shape\": expected an array", TEXT(F("1", "[0,4]")), .n_data = 4},
    {"shape_negative", "entry 0 of shape", TEXT(F("[-1]", "[0,4]")), .n_data = 4},
    {"shape_float", "entry 1 of shape", TEXT(F("[1,1.0]", "[0,4]")), .n_data = 4},
    {"shape_2_64", "too big integer", TEXT(F("[18446744073709551616]", "[0,4]")), .n_data = 4},
    {"shape_text", "entry 0 of shape", TEXT(F("[\"1\"]", "[0,4]")), .n_data = 4},
    {"shape_true", "entry 0 of shape", TEXT(F("[true]", "[0,4]")), .n_data = 4},
    {"rank_9", "at most 8 numbers in shape, found 9", TEXT(F("[1,1,1,1,1,1,1,1,1]", "[0,4]")),
     .n_data = 4},
    {"shape_product_overflows", "more than 2^64", TEXT(F("[4611686018427387904,4]", "[0,0]"))},
    {"shape_times_dtype_overflows", "more than 2^64", TEXT(F("[4611686018427387904]", "[0,0]"))},
    {"offsets_one", "expected 2 data_offsets, found 1", TEXT(F("[1]", "[4]")), .n_data = 4},
    {"offsets_three", "at most 2 numbers in data_offsets", TEXT(F("[1]", "[0,4,8]")), .n_data = 4},
    {"offsets_none", "expected 2 data_offsets, found 0", TEXT(F("[1]", "[]")), .n_data = 4},
    {"offsets_negative", "entry 0 of data_offsets", TEXT(F("[1]", "[-4,0]")), .n_data = 4},
    {"offsets_float", "entry 1 of data_offsets", TEXT(F("[1]", "[0,4.0]")), .n_data = 4},
    {"offsets_text", "\"data_offsets\": expected an array", TEXT(F("[1]", "\"0,4\"")), .n_data = 4},
    {"offsets_2_63", "too big integer", TEXT(F("[1]", "[0,9223372036854775808]")), .n_data = 4},
    /* places */
    {"begin_above_end", "rising within", TEXT(F("[1]", "[4,0]")), .n_data = 4},
    {"end_beyond_the_file", "rising within the file's 4 data bytes", TEXT(F("[2]", "[0,8]")),
     .n_data = 4},
    {"end_far_beyond", "rising within", TEXT(F("[1]", "[0,9223372036854775807]")), .n_data = 4},
    {"shape_less_than_offsets", "need 4 bytes, data_offsets hold 8", TEXT(F("[1]", "[0,8]")),
     .n_data = 8},
    {"shape_more_than_offsets", "need 8 bytes, data_offsets hold 4", TEXT(F("[2]", "[0,4]")),
     .n_data = 4},
    {"hole_at_the_start", "leaves a hole", TEXT(F("[1]", "[4,8]")), .n_data = 8},
    {"hole_between", "\"b\": leaves a hole",
     TEXT("{" T("a", "\"F32\"", "[1]", "[0,4]") "," T("b", "\"F32\"", "[1]", "[8,12]") "}"),
     .n_data = 12},
    {"overlap", "overlaps another",
     TEXT("{" T("a", "\"F32\"", "[2]", "[0,8]") "," T("b", "\"F32\"", "[2]", "[4,12]") "}"),
     .n_data = 12},
    {"same_place_twice", "overlaps another",
     TEXT("{" T("a", "\"F32\"", "[1]", "[0,4]") "," T("b", "\"F32\"", "[1]", "[0,4]") "}"),
     .n_data = 4},
    {"empty_tensor_beyond_the_last", "rising within",
     TEXT("{" T("a", "\"F32\"", "[1]", "[0,4]") "," T("b", "\"F32\"", "[0]", "[8,8]") "}"),
     .n_data = 4},
    {"empty_tensor_inside_another", "overlaps another",
     TEXT("{" T("a", "\"F32\"", "[2]", "[0,8]") "," T("b", "\"F32\"", "[0]", "[4,4]") "}"),
     .n_data = 8},
    {"bytes_after_the_last", "end at data byte 4, the file holds 5", TEXT(F("[1]", "[0,4]")),
     .n_data = 5},
    {"bytes_without_tensor", "end at data byte 0, the file holds 4", TEXT("{}"), .n_data = 4},
    /* metadata */
    {"metadata_number", "__metadata__ key \"k\": expected a string",
     TEXT("{\"__metadata__\":{\"k\":1}}")},
    {"metadata_nested", "__metadata__ key \"k\": expected a string",
     TEXT("{\"__metadata__\":{\"j\":\"\",\"k\":{\"l\":\"m\"}}}")},
    {"metadata_array", "__metadata__: expected an object", TEXT("{\"__metadata__\":[\"k\"]}")},
    {"metadata_text", "__metadata__: expected an object", TEXT("{\"__metadata__\":\"k\"}")},
    /* names */
    {"name_with_slash", "without '/'", TEXT("{" T("../a", "\"F32\"", "[1]", "[0,4]") "}"),
     .n_data = 4},
    {"name_with_nul", "NUL byte in object key",
     TEXT("{" T("a\\u0000b", "\"F32\"", "[1]", "[0,4]") "}"), .n_data = 4},
    {"name_with_escape", "tensor name \"a?[31m\"",
     TEXT("{" T("a\\u001b[31m", "\"F32\"", "[1]", "[0,4]") "}"), .n_data = 4},
    {"name_with_newline", "control characters", TEXT("{" T("a\\nb", "\"F32\"", "[1]", "[0,4]") "}"),
     .n_data = 4},
    {"name_with_delete", "control characters",
     TEXT("{" T("a\\u007fb", "\"F32\"", "[1]", "[0,4]") "}"), .n_data = 4},
    {"name_empty", "1..256 bytes", TEXT("{" T("", "\"F32\"", "[1]", "[0,4]") "}"), .n_data = 4},
    {"name_of_257_bytes", "found 257 bytes",
     FILLED("{\"", 'n', 257, "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"),
     .n_data = 4},
    {"name_of_10_kb", "found 10240 bytes",
     FILLED("{\"", 'n', 10240, "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"),
     .n_data = 4},
    /* other kinds of files */
    {"zip_pth", "found a zip archive (a PyTorch .pt, .pth or .ckpt?)",
     TEXT("PK\3\4\24\0\0\0\10\0archive"), .n_data = 18, .kind = WHOLE_FILE},
    {"pickle_pth", "found a pickle (of PyTorch: .pt, .pth or .ckpt?)",
     TEXT("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80"), .n_data = 16, .kind = WHOLE_FILE},
    {"pickle_0", "found a pickle", TEXT("(dp0\nS'model'\np1\n."), .n_data = 18, .kind = WHOLE_FILE},
    {"pickle_4", "weights_only=True); s.save_file(", TEXT("\x80\4\x95\x10\0\0\0\0\0\0\0}\x94."),
     .n_data = 14, .kind = WHOLE_FILE},
    {"gzip", "found a gzip file; unpack it first: gunzip -k ", TEXT("\x1f\x8b\10\0\0\0\0\0\0\3"),
     .n_data = 10, .kind = WHOLE_FILE},
    {"bzip2", "found a bzip2 file; unpack it first: bunzip2 -k ", TEXT("BZh91AY&SY"), .n_data = 10,
     .kind = WHOLE_FILE},
    {"xz", "found a xz file; unpack it first: unxz -k ",
     TEXT("\xfd"
          "7zXZ\0\0\0\0\0\0\0"),
     .n_data = 10, .kind = WHOLE_FILE},
    {"zstd", "found a Zstandard file", TEXT("\x28\xb5\x2f\xfd\4\0\0\0\0\0"), .n_data = 10,
     .kind = WHOLE_FILE},
    {"zip_torch", "found a zip archive (a PyTorch .pt, .pth or .ckpt?)",
     TEXT("PK\3\4\24\0\0\0\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\20\0\0\0archive/data.pkl"),
     .n_data = 46, .kind = WHOLE_FILE},
    {"zip_other", "found a zip archive; unpack it first (unzip ",
     TEXT("PK\3\4\24\0\0\0\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\10\0\0\0game.pgn"), .n_data = 38,
     .kind = WHOLE_FILE},
    {"numpy", "not safetensors, or damaged", TEXT("\x93NUMPY\1\0v\0{'descr'"), .n_data = 18,
     .kind = WHOLE_FILE},
};
enum { N_BAD = sizeof(bad) / sizeof(bad[0]) };
_Static_assert(N_BAD >= 40, "fewer than 40 bad files");

static void file_put(const char *name, const BadFile *file)
{
    if (file->kind == WHOLE_FILE) {
        put(name, file->head, file->n_data);
        return;
    }
    size_t n_head = strlen(file->head), n_tail = strlen(file->tail);
    uint64_t true_length = n_head + file->n_fill + n_tail;
    uint64_t length = file->kind == LENGTH_GIVEN ? file->length : true_length;
    char *bytes = mem_calloc(8 + true_length + file->n_data, 1, "a test file");
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, file->head, n_head);
    memset(bytes + 8 + n_head, file->fill, file->n_fill);
    memcpy(bytes + 8 + n_head + file->n_fill, file->tail, n_tail);
    put(name, bytes, 8 + true_length + file->n_data);
    mem_free(bytes);
}

static void test_bad_file(void **state)
{
    const BadFile *file = *state;
    StFile *opened;
    file_put("bad", file);
    assert_refused(st_open(&opened, at("bad")), OGPT_EFORMAT, file->message);
    assert_non_null(strstr(err_message(), "/bad: "));
    assert_null(opened);
}

/* The negative twin of the table: the same builder makes files that are accepted. */
static void test_good_files(void **state)
{
    static const BadFile good[] = {
        {"none", "", TEXT("{}")},
        {"padded", "", FILLED(F("[1]", "[0,4]"), ' ', 3000, ""), .n_data = 4},
        {"rank_0", "", TEXT(F("[]", "[0,4]")), .n_data = 4},
        {"zero_size", "", TEXT(F("[3,0,2]", "[0,0]"))},
        {"zero_size_at_the_end", "",
         TEXT("{" T("a", "\"F32\"", "[1]", "[0,4]") "," T("b", "\"F32\"", "[0]", "[4,4]") "}"),
         .n_data = 4},
        {"other_order", "",
         TEXT("{" T("b", "\"I64\"", "[1]", "[4,12]") "," T("a", "\"F16\"", "[2]", "[0,4]") "}"),
         .n_data = 12},
        {"metadata", "", TEXT("{\"__metadata__\":{\"k\":\"v\"}}")},
        {"name_of_256_bytes", "",
         FILLED("{\"", 'n', 256, "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"),
         .n_data = 4},
        /* 640 bytes of header: the length field begins like a pickle */
        {"begins_like_a_pickle", "", FILLED("{", ' ', 638, "}")},
    };
    static const size_t counts[] = {0, 1, 1, 1, 2, 2, 0, 1, 0};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        StFile *file;
        file_put("good", &good[i]);
        if (st_open(&file, at("good")) != 0) {
            fail_msg("%s: %s", good[i].name, err_message());
        }
        assert_int_equal(st_count(file), counts[i]);
        st_close(file);
    }
}

static const float values[6] = {1, -2.5f, 3, 0.125f, 5e-40f, -6};

static void sample_write(const char *name)
{
    const StEntry entries[] = {
        {.name = "embed.W_E", .rank = 2, .shape = {2, 3}, .data = values},
        {.name = "scalar", .rank = 0, .data = values + 1},
        {.name = "empty", .rank = 2, .shape = {0, 4}, .data = NULL},
        {.name = "b", .rank = 1, .shape = {4}, .data = values + 2},
    };
    const char *const metadata[][2] = {{"format", "pt"}, {"z", "\xc3\xa9 \"q\""}};
    unlink(at(name));
    assert_int_equal(st_write(at(name), entries, 4, metadata, 2), 0);
}

static void assert_same_bytes(const char *a, const char *b, bool same)
{
    void *x, *y;
    size_t n_x, n_y;
    assert_int_equal(file_read_all(&x, &n_x, at(a), 1 << 20), 0);
    assert_int_equal(file_read_all(&y, &n_y, at(b), 1 << 20), 0);
    assert_int_equal(n_x == n_y && memcmp(x, y, n_x) == 0, same);
    mem_free(x);
    mem_free(y);
}

/* Read everything of a file and write it again: the same bytes. */
static void test_round_trip(void **state)
{
    StFile *file;
    StEntry entries[4];
    float data[4][8];
    sample_write("first");
    sample_write("twin");
    assert_same_bytes("first", "twin", true);
    assert_int_equal(st_open(&file, at("first")), 0);
    assert_int_equal(st_count(file), 4);
    for (size_t i = 0; i < 4; i++) {
        const StTensor *tensor = st_tensor(file, i);
        entries[i] = (StEntry){.name = tensor->name, .rank = tensor->rank, .data = data[i]};
        memcpy(entries[i].shape, tensor->shape, sizeof(tensor->shape));
        assert_int_equal(
            st_read_f32(data[i], file, tensor->name, tensor->rank, tensor->shape, false), 0);
    }
    assert_memory_equal(data[0], values, sizeof(values));
    assert_string_equal(st_metadata(file, "z"), "\xc3\xa9 \"q\"");
    assert_null(st_metadata(file, "y"));
    const char *const metadata[][2] = {{"format", st_metadata(file, "format")},
                                       {"z", st_metadata(file, "z")}};
    assert_int_equal(st_write(at("second"), entries, 4, metadata, 2), 0);
    assert_same_bytes("first", "second", true);
    data[3][0] = nextafterf(data[3][0], 9); /* one bit of one value, and they differ */
    assert_int_equal(st_write(at("third"), entries, 4, metadata, 2), 0);
    assert_same_bytes("first", "third", false);
    st_close(file);
}

static void test_reading_checks_content(void **state)
{
    StFile *file;
    float out[8], poisoned[6];
    sample_write("content");
    assert_int_equal(st_open(&file, at("content")), 0);
    assert_int_equal(st_find(file, "b")->begin, 28);
    assert_null(st_find(file, "c"));
    assert_refused(st_read_f32(out, file, "c", 1, (uint64_t[]){4}, false), OGPT_EFORMAT,
                   "tensor \"c\" is missing");
    assert_refused(st_read_f32(out, file, "embed.W_E", 2, (uint64_t[]){3, 2}, false), OGPT_EFORMAT,
                   "tensor \"embed.W_E\": expected shape [3,2], found [2,3]");
    assert_refused(st_read_f32(out, file, "embed.W_E", 1, (uint64_t[]){6}, false), OGPT_EFORMAT,
                   "expected shape [6], found [2,3]");
    assert_refused(st_read_f32(out, file, "scalar", 1, (uint64_t[]){1}, false), OGPT_EFORMAT,
                   "expected shape [1], found []");
    /* cut after it was opened and checked: an error, not a crash */
    assert_int_equal(truncate(at("content"), 300), 0);
    assert_refused(st_read_f32(out, file, "b", 1, (uint64_t[]){4}, false), OGPT_EFORMAT,
                   "cut short");
    st_close(file);

    static const float bad_values[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        memcpy(poisoned, values, sizeof(values));
        poisoned[4] = bad_values[i];
        const StEntry entry = {.name = "w", .rank = 1, .shape = {6}, .data = poisoned};
        unlink(at("nan"));
        assert_int_equal(st_write(at("nan"), &entry, 1, NULL, 0), 0);
        assert_int_equal(st_open(&file, at("nan")), 0);
        assert_refused(st_read_f32(out, file, "w", 1, entry.shape, false), OGPT_EFORMAT,
                       "at index 4");
        assert_int_equal(st_read_f32(out, file, "w", 1, entry.shape, true), 0);
        assert_memory_equal(out, poisoned, sizeof(poisoned));
        st_close(file);
    }

    file_put(
        "double",
        &(BadFile){.head = "{" T("a", "\"F64\"", "[1]", "[0,8]") "}", .tail = "", .n_data = 8});
    assert_int_equal(st_open(&file, at("double")), 0);
    assert_refused(st_read_f32(out, file, "a", 1, (uint64_t[]){1}, false), OGPT_EFORMAT,
                   "expected dtype F32, F16 or BF16, found F64");
    st_close(file);
}

/* The value of a half by its definition (IEEE 754-2008, 3.4): `bits` of fraction, a bias. */
static double half_value(unsigned half, int bits, int bias)
{
    unsigned fraction = half & ((1u << bits) - 1), exponent = (half & 0x7fff) >> bits;
    double sign = half & 0x8000 ? -1 : 1;
    if (exponent == 0x7fffu >> bits) {
        return fraction ? (double)NAN : sign * (double)INFINITY;
    }
    return sign * (exponent ? ldexp(1 + ldexp(fraction, -bits), (int)exponent - bias)
                            : ldexp(fraction, 1 - bias - bits));
}

/* A file of n halves under one name. */
static void halves_put(const char *dtype, const uint16_t *halves, size_t n)
{
    static char bytes[200 + 2 * 65536];
    int length = snprintf(bytes + 8, 190,
                          "{\"w\":{\"dtype\":\"%s\",\"shape\":[%zu],"
                          "\"data_offsets\":[0,%zu]}}",
                          dtype, n, 2 * n);
    uint64_t header = (uint64_t)length;
    memcpy(bytes, &header, 8);
    memcpy(bytes + 8 + length, halves, 2 * n);
    put("halves", bytes, 8 + (size_t)length + 2 * n);
}

/* Every half comes back, and every number next to a tie goes to the nearer half. */
static void test_halves_are_narrowed(void **state)
{
    float between[2], number;
    for (uint32_t half = 0; half < 65536; half++) {
        float wide = float16_widen((uint16_t)half);
        uint16_t back = float16_narrow(wide);
        assert_true(isnan(wide) ? isnan(float16_widen(back)) && back >> 15 == half >> 15
                                : back == half);
    }
    for (uint32_t half = 0; half + 1 < 0x7c00; half++) { /* halves of equal sign, in their order */
        double low = (double)float16_widen((uint16_t)half);
        double high = half + 1 == 0x7c00 ? 65536 : (double)float16_widen((uint16_t)(half + 1));
        number = (float)((low + high) / 2); /* a tie: exact in single precision */
        between[0] = nextafterf(number, 0.0f);
        between[1] = nextafterf(number, 1e9f);
        assert_int_equal(float16_narrow(number), half + (half & 1));
        assert_int_equal(float16_narrow(between[0]), half);
        assert_int_equal(float16_narrow(between[1]), half + 1);
        assert_int_equal(float16_narrow(-number), 0x8000 | (half + (half & 1)));
    }
    assert_int_equal(float16_narrow(65519.99f), 0x7bff);
    assert_int_equal(float16_narrow(65520.0f), 0x7c00);
    assert_int_equal(float16_narrow(-1e30f), 0xfc00);
    assert_int_equal(float16_narrow(1e-30f), 0);
}

/* Every one of the 65,536 values of both kinds, sign of zero and kind of NaN included. */
static void test_halves_are_widened(void **state)
{
    static uint16_t halves[65536];
    static float out[65536];
    static const struct {
        const char *dtype;
        int bits, bias;
    } kinds[] = {{"F16", 10, 15}, {"BF16", 7, 127}};
    StFile *file;
    for (size_t i = 0; i < 65536; i++) {
        halves[i] = (uint16_t)(i * 40503); /* all of them, in another order */
    }
    for (size_t k = 0; k < 2; k++) {
        size_t n_same = 0;
        halves_put(kinds[k].dtype, halves, 65536);
        assert_int_equal(st_open(&file, at("halves")), 0);
        assert_int_equal(st_numbers(st_tensor(file, 0)), 65536);
        assert_refused(st_read_f32(out, file, "w", 1, (uint64_t[]){65536}, false), OGPT_EFORMAT,
                       "expected finite numbers");
        assert_int_equal(st_read_f32(out, file, "w", 1, (uint64_t[]){65536}, true), 0);
        for (size_t i = 0; i < 65536; i++) {
            double expected = half_value(halves[i], kinds[k].bits, kinds[k].bias);
            float alone = k == 0 ? float16_widen(halves[i]) : bfloat16_widen(halves[i]);
            bool same = isnan(expected) ? isnan(out[i]) && isnan(alone)
                                        : (double)out[i] == expected && (double)alone == expected;
            assert_true(same);
            assert_int_equal(signbit(out[i]) != 0, halves[i] >> 15);
            n_same += (double)out[i] == half_value(halves[i] ^ 1u, kinds[k].bits, kinds[k].bias);
        }
        assert_int_equal(n_same, 0); /* negative twin: the last bit matters */
        st_close(file);
    }
    halves_put("F16", halves, 3); /* an odd number of them, and a cut file */
    assert_int_equal(st_open(&file, at("halves")), 0);
    assert_int_equal(st_read_f32(out, file, "w", 1, (uint64_t[]){3}, true), 0);
    assert_true((double)out[1] == half_value(halves[1], 10, 15));
    uint64_t size;
    assert_int_equal(file_size(&size, at("halves")), 0);
    assert_int_equal(truncate(at("halves"), (off_t)size - 1), 0);
    assert_refused(st_read_f32(out, file, "w", 1, (uint64_t[]){3}, true), OGPT_EFORMAT,
                   "cut short");
    st_close(file);
}

/* Prefixes of wrappers go, singly and one in the other; a mixture is refused. */
static void test_wrappers(void **state)
{
    static const float one[2] = {1, 2};
    static const struct {
        const char *a, *b, *found;
    } rows[] = {
        {"w", "module", "w"}, /* a name, not a prefix */
        {"module.w", "module.b", "w"},
        {"_orig_mod.w", "_orig_mod.b", "w"},
        {"_orig_mod.module.w", "_orig_mod.module.b", "w"},
        {"module._orig_mod.w", "module._orig_mod.b", "w"},
        {"module.w", "b", NULL},
        {"module.w", "_orig_mod.b", NULL},
        {"module._orig_mod.w", "module.b", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        StFile *file;
        StEntry entries[] = {{.name = rows[i].a, .rank = 1, .shape = {2}, .data = one},
                             {.name = rows[i].b, .rank = 1, .shape = {2}, .data = one}};
        unlink(at("wrapped"));
        assert_int_equal(st_write(at("wrapped"), entries, 2, NULL, 0), 0);
        assert_int_equal(st_open(&file, at("wrapped")), 0);
        if (rows[i].found) {
            assert_int_equal(st_drop_wrappers(file), 0);
            assert_non_null(st_find(file, rows[i].found));
        } else {
            assert_refused(st_drop_wrappers(file), OGPT_EFORMAT, "are two networks mixed in it?");
        }
        st_close(file);
    }
}

static void test_every_truncation(void **state)
{
    uint64_t size;
    StFile *file;
    sample_write("cut");
    assert_int_equal(file_size(&size, at("cut")), 0);
    while (size-- > 0) {
        assert_int_equal(truncate(at("cut"), (off_t)size), 0);
        assert_int_equal(st_open(&file, at("cut")), OGPT_EFORMAT);
    }
    assert_refused(st_open(&file, at("none")), OGPT_EIO, "none: expected a safetensors file");
    assert_refused(st_open(&file, run_folder), OGPT_EIO, "expected a safetensors file");
}

static void test_writing_refuses(void **state)
{
    const float one = 1;
    const StEntry twice[] = {{.name = "a", .data = &one}, {.name = "a", .data = &one}};
    const StEntry slash = {.name = "a/b", .data = &one};
    const StEntry huge = {.name = "a", .rank = 2, .shape = {1UL << 62, 4}, .data = &one};
    assert_refused(st_write(at("w"), twice, 2, NULL, 0), OGPT_EUSAGE, "used twice");
    assert_refused(st_write(at("w"), &slash, 1, NULL, 0), OGPT_EUSAGE, "cannot name a tensor");
    assert_refused(st_write(at("w"), &huge, 1, NULL, 0), OGPT_EUSAGE, "above 2^63");
    assert_false(file_exists(at("w")));
    put("w", "mine", 4);
    assert_refused(st_write(at("w"), twice, 1, NULL, 0), OGPT_EIO, "File exists");
    assert_refused(st_write(at("none/w"), twice, 1, NULL, 0), OGPT_EIO, "cannot be created");
}

static void test_allocation_faults(void **state)
{
    sample_write("whole");
    int rc = OGPT_ENOMEM;
    for (uint64_t n = 1; rc != 0; n++) {
        StFile *file;
        mem_fail_at(n, 0);
        rc = st_open(&file, at("whole"));
        assert_true(rc == 0 || (rc == OGPT_ENOMEM && !file));
        st_close(file);
    }
    rc = OGPT_ENOMEM;
    for (uint64_t n = 1; rc != 0; n++) {
        const StEntry entry = {.name = "w", .rank = 1, .shape = {6}, .data = values};
        const char *const metadata[][2] = {{"k", "v"}};
        mem_fail_at(n, 0);
        rc = st_write(at("faulty"), &entry, 1, metadata, 1);
        assert_true(rc == 0 || rc == OGPT_ENOMEM);
        assert_int_equal(file_exists(at("faulty")), rc == 0);
    }
    mem_fail_at(0, 0);
}

int main(void)
{
    const struct CMUnitTest rest[] = {
        cmocka_unit_test(test_good_files),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_reading_checks_content),
        cmocka_unit_test(test_halves_are_narrowed),
        cmocka_unit_test(test_halves_are_widened),
        cmocka_unit_test(test_wrappers),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_writing_refuses),
        cmocka_unit_test(test_allocation_faults),
    };
    enum { N_REST = sizeof(rest) / sizeof(rest[0]) };
    struct CMUnitTest tests[N_BAD + N_REST];
    for (size_t i = 0; i < N_BAD; i++) {
        tests[i] = (struct CMUnitTest){
            .name = bad[i].name, .test_func = test_bad_file, .initial_state = (void *)&bad[i]};
    }
    memcpy(tests + N_BAD, rest, sizeof(rest));
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
