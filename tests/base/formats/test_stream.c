/* tests/base/formats/test_stream.c - files in pieces, publishing what was written in pieces, and
 * recognising pickles. */
#include "tests/base/base_test.h"

#include "base/formats/pickle_sniff.h"
#include "base/stream.h"
#include "tests/there.h"

#define PIECE 1000

static void pieces_are_the_whole(void **state)
{
    const size_t n_bytes = (size_t)5 << 19; /* 2.5 buffers */
    unsigned char *data = malloc(n_bytes);
    StreamWriter *writer = NULL;
    StreamReader reader;
    unsigned char piece[PIECE];
    size_t done = 0;
    size_t n = 0;
    assert_non_null(data);
    for (size_t i = 0; i < n_bytes; i++) {
        data[i] = (unsigned char)(i * 2654435761u >> 13);
    }
    assert_int_equal(stream_writer_new(&writer, at("pieces")), 0);
    for (size_t i = 0; i < n_bytes;) {
        const size_t some = i % 70000 + 1 < n_bytes - i ? i % 70000 + 1 : n_bytes - i;
        assert_int_equal(stream_writer_add(writer, data + i, some), 0);
        i += some;
    }
    assert_int_equal(stream_writer_finish(writer), 0);
    assert_int_equal(stream_open(&reader, at("pieces")), 0);
    assert_int_equal(reader.size, n_bytes);
    do {
        assert_int_equal(stream_read(&reader, piece, PIECE, &n), 0);
        assert_memory_equal(piece, data + done, n);
        done += n;
        assert_int_equal(reader.at, done);
    } while (n > 0);
    assert_int_equal(done, n_bytes);
    reader.at = 7; /* and back */
    assert_int_equal(stream_read(&reader, piece, 3, &n), 0);
    assert_memory_equal(piece, data + 7, 3);
    /* The file shrinks while it is read: an error, not an early end. */
    assert_int_equal(truncate(at("pieces"), 100), 0);
    reader.at = 0;
    assert_refused(stream_read(&reader, piece, PIECE, &n), OGPT_EFORMAT, "cut short");
    stream_close(&reader);
    stream_close(&reader); /* twice is fine */
    free(data);
}

static void nothing_is_written_over_or_left(void **state)
{
    StreamWriter *writer = NULL;
    StreamReader reader;
    put("there", "old", 3);
    assert_refused(stream_writer_new(&writer, at("there")), OGPT_EIO, "cannot be created");
    assert_null(writer);
    assert_int_equal(stream_writer_new(&writer, at("new")), 0);
    assert_int_equal(stream_writer_add(writer, "half", 4), 0);
    stream_writer_abort(writer);
    assert_false(file_exists(at("new")));
    stream_writer_abort(NULL);
    assert_refused(stream_open(&reader, at("new")), OGPT_EIO, "cannot be opened");
    assert_refused(stream_open(&reader, run_folder), OGPT_EIO, "regular file, found a directory");
}

static void publishing_replaces_only_when_asked(void **state)
{
    char beside[FILES_PATH_MAX];
    void *data = NULL;
    size_t n = 0;
    put("goal", "old", 3);
    assert_refused(path_temporary(beside, at("none/goal")), OGPT_EIO, "none is not a directory");
    assert_refused(file_write_atomic(at("none/goal"), "x", 1, false), OGPT_EIO,
                   "none is not a directory; make it first");
    assert_int_equal(path_temporary(beside, at("goal")), 0);
    assert_non_null(strstr(beside, "/.tmp-"));
    put(strrchr(beside, '/') + 1, "new", 3);
    assert_refused(file_publish(beside, at("goal"), false), OGPT_EUSAGE, "exists already");
    assert_false(file_exists(beside)); /* a refused file is not left behind */
    put(strrchr(beside, '/') + 1, "new", 3);
    assert_int_equal(file_publish(beside, at("goal"), true), 0);
    assert_false(file_exists(beside));
    assert_int_equal(file_read_all(&data, &n, at("goal"), 100), 0);
    assert_string_equal(data, "new");
    mem_free(data);
    put(strrchr(beside, '/') + 1, "new", 3);
    assert_int_equal(file_publish(beside, at("fresh"), false), 0);
    assert_true(file_exists(at("fresh")));
    assert_refused(file_publish(beside, at("fresh"), true), OGPT_EIO, "cannot be put in place");
}

static void pickles_and_zips_are_known_by_their_first_bytes(void **state)
{
#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
    static const struct {
        const uint8_t *head;
        size_t n;
    } pickles[] =
        {
            BYTES("PK\3\4zip"),
            BYTES("PK\5\6"),                                    /* an empty archive */
            BYTES("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."), /* the old torch.save */
            BYTES("\x80\2}q"),
            BYTES("\x80\3]q"),
            BYTES("\x80\4\x95\x10\0\0\0\0\0\0\0{"),
            BYTES("\x80\5N."),
            BYTES("(dp0\n"),
            BYTES("(lp1\n"),
            BYTES("}q\0."),
            BYTES("]q\0."),
        },
      others[] = {
          BYTES(""),
          BYTES("\x80"),
          BYTES("\x80\2"),
          BYTES("PK"),
          BYTES("\x93NUMPY\1\0"),
          BYTES("\x80\2\0\0\0\0\0\0{\"a\""), /* safetensors with a header of 640 bytes */
          BYTES("\x80\3N\0\0\0\0\0{\"a\""),  /* and of 5,112,704 */
          BYTES("\x80\1}q"),
          BYTES("\x80\6}q"),
          BYTES("(dp)"),
          BYTES("[Event \"x\"]"),
          BYTES("f5 d6 c3"),
          BYTES("\24\5\6\7\3\0\0\0"), /* WTHOR */
          BYTES("SQLite format 3"),
          BYTES("{\"json\": 1}"),
      };
    for (size_t i = 0; i < sizeof(pickles) / sizeof(*pickles); i++) {
        if (!looks_like_pickle(pickles[i].head, pickles[i].n)) {
            fail_msg("pickle %zu was not recognised", i);
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        if (looks_like_pickle(others[i].head, others[i].n)) {
            fail_msg("file %zu was taken for a pickle", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_the_whole),
        cmocka_unit_test(nothing_is_written_over_or_left),
        cmocka_unit_test(publishing_replaces_only_when_asked),
        cmocka_unit_test(pickles_and_zips_are_known_by_their_first_bytes),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
