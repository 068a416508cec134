/* tests/base/test_manifest.c - label: counted - publishing a directory, and refusing every damaged
 * one. */
#include "tests/base/base_test.h"

#include <fcntl.h>
#include <stdbool.h>

#include "base/hash.h"
#include "base/manifest.h"
#include "tests/there.h"

static const char weights[] = "\0\1\2\3weights\xff";

static Js *fields_make(void)
{
    Js *fields = js_object();
    js_set_int(fields, "step", 1200);
    js_set_num(fields, "lr", 3e-5); /* printed with an exponent: 'e' and 'E' mean the same */
    js_set_str(fields, "command", "ogpt train run --steps 1200");
    return fields;
}

static int publish_model(const char *path, bool replace)
{
    Publish *publish;
    int rc = publish_begin(&publish, path, replace);
    if (rc != 0) {
        return rc;
    }
    rc = publish_file(publish, "config.json", "{}\n", 3);
    rc = rc ? rc : publish_file(publish, "model.safetensors", weights, sizeof(weights));
    if (rc == 0) {
        rc = publish_file(publish, "train/state.json", "{\"x\":1}", 7);
    }
    if (rc != 0) {
        publish_abort(publish);
        return rc;
    }
    Js *fields = fields_make();
    rc = publish_commit(publish, fields);
    js_free(fields);
    return rc;
}

/* Entries of a directory whose names begin with a dot: temporary ones, all of them. */
static size_t leftovers_count(const char *path)
{
    char **names;
    size_t n, n_hidden = 0;
    assert_int_equal(dir_list(&names, &n, path), 0);
    for (size_t i = 0; i < n; i++) {
        n_hidden += names[i][0] == '.';
    }
    names_free(names, n);
    return n_hidden;
}

static void test_publish_and_verify(void **state)
{
    Js *manifest;
    char hex[HASH_HEX_SIZE];
    assert_int_equal(publish_model(at("runs/step-1"), false), 0); /* makes the parent too */
    assert_int_equal(leftovers_count(at("runs")), 0);
    assert_int_equal(manifest_verify(&manifest, at("runs/step-1")), 0);
    assert_int_equal(js_int_of(js_member(manifest, "step")), 1200);
    sha256_of(hex, weights, sizeof(weights));
    assert_string_equal(manifest_file_sha256(manifest, "model.safetensors"), hex);
    assert_non_null(manifest_file_sha256(manifest, "train/state.json"));
    assert_null(manifest_file_sha256(manifest, "other"));
    js_free(manifest);
    assert_int_equal(manifest_verify(NULL, at("runs/step-1/")), 0);
}

static void test_existing_is_kept_or_replaced(void **state)
{
    Publish *publish;
    assert_int_equal(publish_model(at("r/model"), false), 0);
    assert_refused(publish_begin(&publish, at("r/model"), false), OGPT_EUSAGE, "exists already");
    assert_null(publish);

    assert_int_equal(publish_begin(&publish, at("r/model/"), true), 0); /* slash at the end */
    assert_int_equal(publish_file(publish, "new", "n", 1), 0);
    assert_int_equal(manifest_verify(NULL, at("r/model")), 0); /* the old one is valid until then */
    assert_true(file_exists(at("r/model/config.json")));
    assert_int_equal(publish_commit(publish, NULL), 0);
    assert_int_equal(manifest_verify(NULL, at("r/model")), 0);
    assert_true(file_exists(at("r/model/new")) && !file_exists(at("r/model/config.json")));
    assert_int_equal(leftovers_count(at("r")), 0);

    /* only a directory is replaced by one */
    put("file", "f", 1);
    assert_int_equal(symlink(at("r/model"), at("link")), 0);
    assert_refused(publish_begin(&publish, at("file"), true), OGPT_EUSAGE, "found a regular file");
    assert_refused(publish_begin(&publish, at("link"), true), OGPT_EUSAGE, "found a symbolic link");
    assert_true(file_exists(at("file")) && file_exists(at("link/new")));

    /* two publish the same new name: the second to commit is refused, the first is kept */
    assert_int_equal(publish_begin(&publish, at("r/race"), false), 0);
    assert_int_equal(publish_file(publish, "mine", "n", 1), 0);
    assert_int_equal(dir_create(at("r/race/theirs")), 0);
    assert_refused(publish_commit(publish, NULL), OGPT_EUSAGE, "another process");
    assert_true(dir_exists(at("r/race/theirs")));
    assert_int_equal(leftovers_count(at("r")), 0);
}

static void test_streamed_files_are_adopted(void **state)
{
    Publish *publish;
    char path[FILES_PATH_MAX];
    Js *manifest;
    assert_int_equal(publish_begin(&publish, at("s/model"), false), 0);
    assert_int_equal(publish_path(path, publish, "train/big.bin"), 0);
    assert_int_equal(file_write_atomic(path, "big", 3, false), 0);
    assert_int_equal(publish_adopt(publish, "train/big.bin"), 0);
    assert_refused(publish_adopt(publish, "train/big.bin"), OGPT_EUSAGE, "published twice");
    assert_refused(publish_adopt(publish, "absent"), OGPT_EIO, "absent");
    assert_int_equal(publish_commit(publish, NULL), 0);
    assert_int_equal(manifest_verify(&manifest, at("s/model")), 0);
    assert_non_null(manifest_file_sha256(manifest, "train/big.bin"));
    js_free(manifest);
}

static void test_bad_names_are_refused(void **state)
{
    static const char *const names[] = {"",    "/a",   "a/",      "a/b/c", "../a",          "a/..",
                                        ".",   ".a",   "a b",     "a\nb",  "MANIFEST.json", "a//b",
                                        "-rf", "a/.b", "\xc3\xa9"};
    Publish *publish;
    assert_int_equal(publish_begin(&publish, at("names"), false), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_refused(publish_file(publish, names[i], "x", 1), OGPT_EUSAGE, "cannot name");
    }
    char longest[66];
    memset(longest, 'n', 65);
    longest[65] = 0;
    assert_refused(publish_file(publish, longest, "x", 1), OGPT_EUSAGE, "cannot name");
    longest[64] = 0;
    assert_int_equal(publish_file(publish, longest, "x", 1), 0);
    Js *fields = js_object();
    js_set_str(fields, "files", "mine");
    assert_refused(publish_commit(publish, fields), OGPT_EUSAGE, "\"files\" itself");
    js_free(fields);
    assert_false(dir_exists(at("names")));
    assert_int_equal(leftovers_count(run_folder), 0);
}

static void test_abort_leaves_nothing(void **state)
{
    Publish *publish;
    assert_int_equal(publish_begin(&publish, at("aborted"), false), 0);
    assert_int_equal(publish_file(publish, "a", "x", 1), 0);
    assert_int_equal(leftovers_count(run_folder), 1);
    err_set(OGPT_EIO, "the reason");
    publish_abort(publish);
    assert_string_equal(err_message(), "the reason");
    assert_int_equal(leftovers_count(run_folder), 0);
    publish_abort(NULL);
}

/* Overwrite one byte in place, as damage does. */
static void byte_set(int fd, size_t offset, unsigned char byte)
{
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
}

/* Every single bit and every shorter length of one file. Returns the number of bits. */
static size_t file_attack(const char *dir, const char *name)
{
    void *text;
    size_t n_bytes;
    char path[FILES_PATH_MAX];
    assert_int_equal(path_join(path, dir, name), 0);
    assert_int_equal(file_read_all(&text, &n_bytes, path, 1 << 20), 0);
    const unsigned char *data = text;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    for (size_t bit = 0; bit < 8 * n_bytes; bit++) {
        byte_set(fd, bit / 8, data[bit / 8] ^ (unsigned char)(1 << bit % 8));
        int rc = manifest_verify(NULL, dir);
        if (rc != OGPT_EFORMAT) {
            fail_msg("%s: flip of bit %zu gives %d", name, bit, rc);
        }
        byte_set(fd, bit / 8, data[bit / 8]);
    }
    for (size_t length = n_bytes; length-- > 0;) {
        assert_int_equal(ftruncate(fd, (off_t)length), 0);
        assert_int_equal(manifest_verify(NULL, dir), OGPT_EFORMAT);
    }
    assert_int_equal(pwrite(fd, data, n_bytes, 0), n_bytes);
    assert_int_equal(manifest_verify(NULL, dir), 0); /* undamaged again: accepted again */
    close(fd);
    mem_free(text);
    return 8 * n_bytes;
}

static void test_every_flip_and_truncation_is_detected(void **state)
{
    static const char *const published[] = {"MANIFEST.json", "config.json", "model.safetensors",
                                            "train/state.json"};
    char dir[FILES_PATH_MAX];
    snprintf(dir, sizeof(dir), "%s", at("flip"));
    assert_int_equal(publish_model(dir, false), 0);
    size_t n_flips = 0;
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        n_flips += file_attack(dir, published[i]);
    }
    assert_true(n_flips > 4000);
}

static void test_messages_name_file_and_values(void **state)
{
    char dir[FILES_PATH_MAX];
    snprintf(dir, sizeof(dir), "%s", at("told"));
    assert_refused(manifest_verify(NULL, dir), OGPT_EIO, "told: expected a directory, found none");
    assert_int_equal(dir_create(dir), 0);
    assert_refused(manifest_verify(NULL, dir), OGPT_EFORMAT, "told/MANIFEST.json: missing");
    assert_int_equal(publish_model(dir, true), 0);
    put("told/config.json", "[]\n", 3);
    assert_refused(manifest_verify(NULL, dir), OGPT_EFORMAT, "config.json: expected SHA-256 ca3d");
    put("told/config.json", "{}", 2);
    assert_refused(manifest_verify(NULL, dir), OGPT_EFORMAT, "expected 3 bytes, found 2");
    assert_int_equal(remove(at("told/config.json")), 0);
    assert_refused(manifest_verify(NULL, dir), OGPT_EFORMAT, "config.json: listed in MANIFEST");
}

/* A commit whose manifest has somewhat more than n_bytes. */
static int publish_large(const char *path, size_t n_bytes)
{
    Publish *publish;
    Js *fields = js_object();
    char *word = malloc(n_bytes + 1);
    assert_non_null(word);
    memset(word, 'a', n_bytes);
    word[n_bytes] = '\0';
    js_set_str(fields, "word", word);
    assert_int_equal(publish_begin(&publish, path, false), 0);
    int rc = publish_commit(publish, fields);
    js_free(fields);
    free(word);
    return rc;
}

/* The pages of 35,000 neurons have a manifest of 4.5 MB. */
static void test_what_is_written_can_be_read(void **state)
{
    assert_int_equal(dir_create(at("large")), 0);
    assert_int_equal(publish_large(at("large/pages"), 17 << 18), 0);
    assert_int_equal(manifest_verify(NULL, at("large/pages")), 0);
    assert_refused(publish_large(at("large/more"), 64 << 20), OGPT_EUSAGE, "publish fewer files");
    assert_false(dir_exists(at("large/more")));
    assert_int_equal(leftovers_count(at("large")), 0);
}

/* Even a manifest with a correct hash must not name files outside its directory. */
static void test_listed_paths_stay_inside(void **state)
{
    char hex[HASH_HEX_SIZE], text[512], rest[256];
    snprintf(rest, sizeof(rest), "{\"files\":{\"../secret\":{\"size\":0,\"sha256\":\"\"}}");
    snprintf(text, sizeof(text), "%s}", rest);
    sha256_of(hex, text, strlen(text));
    snprintf(text, sizeof(text),
             "{\n  \"files\": {\n    \"../secret\": {\n      \"size\": 0,\n      \"sha256\": \"\"\n"
             "    }\n  },\n  \"manifest_sha256\": \"%s\"\n}\n",
             hex);
    assert_int_equal(dir_create(at("inside")), 0);
    put("inside/MANIFEST.json", text, strlen(text));
    assert_refused(manifest_verify(NULL, at("inside")), OGPT_EFORMAT, "\"../secret\" cannot name");
}

/* A process killed while publishing leaves a directory that no reader sees, and that
 * dir_clean_stale removes. */
static void test_killed_leftovers_are_cleaned(void **state)
{
    int out;
    pid_t pid = child_start(&out, "publish", at("killed/model"));
    child_await(out);
    kill(pid, SIGKILL);
    assert_true(WIFSIGNALED(child_end(pid, out)));
    assert_int_equal(leftovers_count(at("killed")), 1);
    assert_false(dir_exists(at("killed/model")));
    size_t n;
    assert_int_equal(dir_clean_stale(&n, at("killed")), 0);
    assert_int_equal(n, 1);
    assert_int_equal(leftovers_count(at("killed")), 0);
    assert_int_equal(publish_model(at("killed/model"), false), 0);
}

static int child_publish(const char *path)
{
    Publish *publish;
    if (publish_begin(&publish, path, false) != 0 ||
        publish_file(publish, "train/a", "half", 4) != 0 || write(1, "x", 1) != 1) {
        return 1;
    }
    pause();
    return 0;
}

/* Allocation n fails, once or for good: ENOMEM and nothing left, or a directory that verifies.
 * Returns whether it was published. */
static bool publish_with_fault(uint64_t n, int sticky)
{
    mem_fail_at(n, sticky);
    int rc = publish_model(at("faulty/model"), false);
    uint64_t n_asked = mem_count();
    mem_fail_at(0, 0);
    if (rc == 0) {
        assert_true(n_asked < n); /* no fault was skipped */
        assert_int_equal(manifest_verify(NULL, at("faulty/model")), 0);
        return true;
    }
    assert_int_equal(rc, OGPT_ENOMEM);
    assert_false(dir_exists(at("faulty/model")));
    assert_true(!dir_exists(at("faulty")) || leftovers_count(at("faulty")) == 0);
    return false;
}

static void test_allocation_faults(void **state)
{
    /* every n once; for good only each 7th, as each attempt waits for the disk several times */
    for (uint64_t n = 1; !publish_with_fault(n, 0); n++) {
        assert_in_range(n, 1, 2000);
    }
    assert_int_equal(dir_remove(at("faulty")), 0);
    for (uint64_t n = 1; !publish_with_fault(n, 1); n += 7) {
        assert_in_range(n, 1, 2000);
    }
    for (int sticky = 0; sticky < 2; sticky++) {
        int rc = OGPT_ENOMEM;
        for (uint64_t n = 1; rc != 0; n++) {
            mem_fail_at(n, sticky);
            rc = manifest_verify(NULL, at("faulty/model"));
            assert_true(rc == 0 || rc == OGPT_ENOMEM);
        }
        mem_fail_at(0, 0);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        return child_publish(argv[2]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publish_and_verify),
        cmocka_unit_test(test_existing_is_kept_or_replaced),
        cmocka_unit_test(test_streamed_files_are_adopted),
        cmocka_unit_test(test_bad_names_are_refused),
        cmocka_unit_test(test_abort_leaves_nothing),
        cmocka_unit_test(test_every_flip_and_truncation_is_detected),
        cmocka_unit_test(test_messages_name_file_and_values),
        cmocka_unit_test(test_what_is_written_can_be_read),
        cmocka_unit_test(test_listed_paths_stay_inside),
        cmocka_unit_test(test_killed_leftovers_are_cleaned),
        cmocka_unit_test(test_allocation_faults),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
