/* tests/probes/activations/test_activations_write.c - shards of activations: exactly the rows of
 * a capture with their games and boards, resuming after an interruption, repair of damage, and
 * refusals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/js.h"
#include "base/formats/npy.h"
#include "base/process.h"
#include "probes/activations/activations_verify.h"
#include "probes/activations/activations_write.h"
#include "tests/probes/probe_fixture.h"
#include "tests/there.h"

enum { WIDTH = 24, N_GAMES = 50 };

static ProbeFixture fixture;

typedef struct Watch {
    size_t stop_after, n_shards;
    uint64_t seed; /* 0: 3 */
} Watch;

static void on_shard(void *context, const char *stage, double done, double total)
{
    Watch *watch = context;
    watch->n_shards++;
    assert_string_equal(stage, "shards");
    if ((size_t)done == watch->stop_after) {
        interrupt_set(15);
    }
}

/* 16 games a shard: three whole ones and one of two games. */
static ActivationsOptions four_shards(void)
{
    return (ActivationsOptions){.task = "mine",
                                .labels = "mover",
                                .site = HOOK_RESID_POST,
                                .n_layers = 2,
                                .layers = {LAYER_EMBED, 2},
                                .split_mask = 1U << SPLIT_TRAIN,
                                .n_games = N_GAMES,
                                .plies = 4};
}

static int write_to(ActivationsReport *out, const char *name, bool replace,
                    const ActivationsOptions *options, Watch *watch)
{
    char path[FILES_PATH_MAX];
    ActivationsOptions asked = *options;
    const Work work = {.seed = watch->seed ? watch->seed : 3,
                       .memory_bytes = 1,
                       .tick = on_shard,
                       .context = watch};
    asked.replace = replace;
    fixture_path(path, &fixture, name);
    int rc = activations_write(out, path, &fixture.subject, fixture.corpus, &asked, &work);
    interrupt_set(0);
    return rc;
}

static void *array_of(NpyHeader *header, const char *name, size_t shard, const char *file)
{
    char path[FILES_PATH_MAX], relative[128];
    void *data = NULL;
    snprintf(relative, sizeof(relative), "%s/shard-%05zu/%s", name, shard, file);
    fixture_path(path, &fixture, relative);
    assert_int_equal(npy_read(header, &data, path, 1 << 24), 0);
    return data;
}

static void hash_of(char hex[HASH_HEX_SIZE], const char *name, size_t shard, const char *file)
{
    char path[FILES_PATH_MAX], relative[128];
    snprintf(relative, sizeof(relative), "%s/shard-%05zu/%s", name, shard, file);
    fixture_path(path, &fixture, relative);
    assert_int_equal(sha256_file(hex, path), 0);
}

/* Every row is compared with a capture of the same positions; its game is read from the corpus by
 * its number, and its board is replayed. */
static void shards_hold_the_capture(void **state)
{
    ActivationsReport report;
    ActivationsOptions options = four_shards();
    Watch watch = {0};
    PositionSet set;
    GameSource *source = NULL;
    const GameVariant *variant = game_variant(6);
    Board after[GAME_MAX_MOVES];
    uint8_t moves[32], labels[36];
    size_t row = 0;
    assert_int_equal(write_to(&report, "acts", false, &options, &watch), 0);
    assert_int_equal(report.n_shards, 4);
    assert_int_equal(report.n_rows, 4 * N_GAMES);
    assert_int_equal(report.shard_games, 16);
    assert_int_equal(report.n_kept, 0);
    assert_int_equal(report.n_tokens, N_GAMES * 31);
    assert_int_equal(source_corpus(&source, fixture.corpus, 1U << SPLIT_TRAIN, false, 3), 0);
    assert_int_equal(positions_draw(&set, source, N_GAMES, 4, &(Work){.seed = 3}), 0);
    source_free(source);
    float *rows[2];
    for (int i = 0; i < 2; i++) {
        rows[i] = test_malloc(activations_bytes(set.n_positions, WIDTH));
    }
    assert_int_equal(activations_capture(rows, &set, fixture.model.gpt,
                                         &(SiteLayers){HOOK_RESID_POST, options.layers, 2},
                                         WORK_ALONE),
                     0);
    for (size_t shard = 0; shard < 4; shard++) {
        NpyHeader x, l, g, p;
        float *embed = array_of(&x, "acts", shard, "blocks.0.hook_resid_pre.npy");
        assert_memory_equal(embed, rows[0] + row * WIDTH, x.data_bytes);
        float *values = array_of(&x, "acts", shard, "blocks.2.hook_resid_post.npy");
        uint8_t *boards = array_of(&l, "acts", shard, "labels.npy");
        int64_t *game = array_of(&g, "acts", shard, "game.npy");
        uint8_t *ply = array_of(&p, "acts", shard, "ply.npy");
        assert_string_equal(x.dtype, "f4");
        assert_int_equal(x.shape[0], shard < 3 ? 64 : 8);
        assert_int_equal(x.shape[1], WIDTH);
        assert_int_equal(l.rank, 3);
        assert_memory_equal(values, rows[1] + row * WIDTH, x.data_bytes);
        for (size_t i = 0; i < x.shape[0]; i++, row++) {
            assert_int_equal(corpus_read(fixture.corpus, moves, (uint64_t)game[i], 1), 0);
            assert_int_equal(split_of_game(moves, variant, SPLIT_BY_CANONICAL), SPLIT_TRAIN);
            assert_int_equal(ply[i], set.t[row] + 1);
            assert_int_equal(game_replay(variant, moves, ply[i], after), ply[i]);
            labels_mine(labels, variant, &after[ply[i] - 1], ply[i] - 1, LABELS_MOVER);
            assert_memory_equal(labels, boards + i * 36, 36);
        }
        mem_free(embed);
        mem_free(values);
        mem_free(boards);
        mem_free(game);
        mem_free(ply);
    }
    test_free(rows[0]);
    test_free(rows[1]);
    positions_release(&set);
}

static void an_interrupted_call_goes_on(void **state)
{
    static const char *const files[] = {"blocks.2.hook_resid_post.npy", "labels.npy", "game.npy"};
    char whole[HASH_HEX_SIZE], pieces[HASH_HEX_SIZE], path[FILES_PATH_MAX];
    ActivationsReport report;
    ActivationsOptions options = four_shards();
    Watch watch = {.stop_after = 2};
    assert_int_equal(write_to(&report, "broken", false, &options, &watch), OGPT_EINTR);
    assert_int_equal(watch.n_shards, 2);
    watch = (Watch){0};
    assert_int_equal(write_to(&report, "broken", false, &options, &watch), 0);
    assert_int_equal(report.n_kept, 2);
    for (size_t shard = 0; shard < 4; shard++) {
        for (int i = 0; i < 3; i++) {
            hash_of(whole, "acts", shard, files[i]);
            hash_of(pieces, "broken", shard, files[i]);
            assert_string_equal(whole, pieces);
        }
    }
    /* The manifest finds damage, the shard is made again, and the other shards are kept. */
    fixture_path(path, &fixture, "broken/shard-00001/labels.npy");
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fseek(file, 200, SEEK_SET), 0);
    assert_int_equal(fputc(9, file), 9);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(write_to(&report, "broken", false, &options, &watch), 0);
    assert_int_equal(report.n_kept, 3);
    hash_of(whole, "acts", 1, "labels.npy");
    hash_of(pieces, "broken", 1, "labels.npy");
    assert_string_equal(whole, pieces);
    assert_int_equal(write_to(&report, "broken", false, &options, &watch), 0);
    assert_int_equal(report.n_kept, 4);
    assert_int_equal(report.n_tokens, 0);
}

static size_t n_findings;
static char last_finding[1024];

static void keep_finding(void *context, const char *line)
{
    n_findings++;
    snprintf(last_finding, sizeof(last_finding), "%s", line);
}

/* Verify a folder and expect n findings; the last one contains `text`. */
static void verify(const char *name, size_t n_there, size_t findings, const char *text)
{
    char path[FILES_PATH_MAX];
    ActivationsFound out;
    fixture_path(path, &fixture, name);
    n_findings = 0;
    last_finding[0] = '\0';
    assert_int_equal(activations_verify(&out, path, keep_finding, NULL), 0);
    assert_string_equal(out.site, "resid_post");
    assert_string_equal(out.model_hash, fixture.model.model_hash);
    assert_int_equal(out.n_shards, 4);
    assert_int_equal(out.n_rows, 4 * N_GAMES);
    assert_int_equal(out.n_there, n_there);
    assert_int_equal(n_findings, findings);
    assert_non_null(strstr(last_finding, text));
}

/* Change one byte of a file, and change it back by the same call. */
static void flip(const char *name, long at)
{
    char path[FILES_PATH_MAX];
    fixture_path(path, &fixture, name);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file) ^ 1;
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte, file), byte);
    assert_int_equal(fclose(file), 0);
}

static void index_replace(const char *from, const char *to)
{
    char path[FILES_PATH_MAX];
    void *text = NULL;
    size_t n = 0;
    fixture_path(path, &fixture, "broken/index.json");
    assert_int_equal(file_read_all(&text, &n, path, 1 << 20), 0);
    char *at = strstr(text, from);
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    assert_int_equal(file_write_atomic(path, text, n, true), 0);
    mem_free(text);
}

static void verify_finds_what_is_damaged(void **state)
{
    char path[FILES_PATH_MAX];
    ActivationsFound out;
    verify("broken", 4, 0, "");
    flip("broken/shard-00002/labels.npy", 200);
    verify("broken", 4, 1, "shard-00002");
    flip("broken/shard-00002/labels.npy", 200);
    verify("broken", 4, 0, "");
    index_replace("\"rows\": 64", "\"rows\": 63");
    index_replace("\"rows\": 64", "\"rows\": 65");
    verify("broken", 4, 2, "expected 65 rows as in index.json, found 64");
    index_replace("\"rows\": 63", "\"rows\": 64");
    index_replace("\"rows\": 65", "\"rows\": 64");
    index_replace("\"corpus_hash\": \"", "\"corpus_hush\": \"");
    verify("broken", 4, 4, "corpus_hash");
    index_replace("\"corpus_hush\": \"", "\"corpus_hash\": \"");
    index_replace("\"rows\": 200,", "\"rows\": 201,");
    fixture_path(path, &fixture, "broken");
    assert_int_equal(activations_verify(&out, path, keep_finding, NULL), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "201 rows, its 4 shards hold 200"));
    index_replace("\"rows\": 201,", "\"rows\": 200,");
    interrupt_set(15);
    assert_int_equal(activations_verify(&out, path, keep_finding, NULL), OGPT_EINTR);
    interrupt_set(0);
    /* First an interrupt leaves out the last shard; then two go from the front. */
    fixture_path(path, &fixture, "broken/shard-00003");
    assert_int_equal(dir_remove(path), 0);
    verify("broken", 3, 0, "");
    for (int shard = 0; shard < 2; shard++) {
        fixture_path(path, &fixture, shard == 0 ? "broken/shard-00000" : "broken/shard-00001");
        assert_int_equal(dir_remove(path), 0);
        verify("broken", (size_t)(2 - shard), (size_t)(1 + shard), "missing");
    }
    assert_non_null(strstr(last_finding, "shard-00001"));
    fixture_path(path, &fixture, "broken/.tmp-999999999-shard-00001");
    assert_int_equal(dir_create(path), 0);
    verify("broken", 1, 3, "left by a process that is over");
    index_replace("shard-00002", "../../../xy");
    fixture_path(path, &fixture, "broken");
    assert_int_equal(activations_verify(&out, path, keep_finding, NULL), OGPT_EFORMAT);
    bool ours = false;
    assert_int_equal(activations_is_folder(&ours, path), 0);
    assert_true(ours);
    index_replace("activations", "activotions");
    assert_int_equal(activations_is_folder(&ours, path), 0);
    assert_false(ours);
    assert_int_equal(activations_verify(&out, path, keep_finding, NULL), OGPT_EFORMAT);
}

static void what_does_not_fit_is_refused(void **state)
{
    char path[FILES_PATH_MAX];
    ActivationsReport report;
    ActivationsOptions options = four_shards();
    Watch watch = {0};
    options.layers[1] = 1;
    assert_int_equal(write_to(&report, "acts", false, &options, &watch), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "layers"));
    options = four_shards();
    watch.seed = 4;
    assert_int_equal(write_to(&report, "acts", false, &options, &watch), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "seed 3, asked for 4"));
    /* If asked, replace them: nothing is left of the old ones. */
    options.n_games = 16;
    assert_int_equal(write_to(&report, "acts", true, &options, &watch), 0);
    assert_int_equal(report.n_shards, 1);
    fixture_path(path, &fixture, "acts/shard-00001");
    assert_false(dir_exists(path));
    /* Other folders are never touched, with or without `replace`. */
    fixture_path(path, &fixture, "precious");
    assert_int_equal(dir_create(path), 0);
    fixture_path(path, &fixture, "precious/diary");
    assert_int_equal(file_write_atomic(path, "kept", 4, false), 0);
    assert_int_equal(write_to(&report, "precious", true, &options, &watch), OGPT_EUSAGE);
    fixture_path(path, &fixture, "precious/index.json");
    assert_int_equal(file_write_atomic(path, "{\"kind\": 3}", 11, false), 0);
    assert_int_equal(write_to(&report, "precious", true, &options, &watch), OGPT_EUSAGE);
    fixture_path(path, &fixture, "precious/LOCK");
    assert_false(file_exists(path));
    for (int bad = 0; bad < 7; bad++) {
        options = four_shards();
        options.n_layers = bad == 0 ? 0 : 2;
        options.layers[1] = bad == 1 ? 3 : bad == 2 ? LAYER_EMBED : 2;
        options.site = bad == 3   ? HOOK_Z
                       : bad == 5 ? HOOK_FINAL
                       : bad == 6 ? HOOK_SCORES
                                  : HOOK_RESID_POST;
        options.layers[0] = bad >= 5 ? 1 : options.layers[0]; /* wrong by its site alone */
        options.ply_mask = bad == 4 ? 1 : 0;
        assert_int_equal(write_to(&report, "bad", false, &options, &watch), OGPT_EUSAGE);
    }
    fixture_path(path, &fixture, "bad");
    assert_false(dir_exists(path));
}

/* Only the chosen plies; the width of a pattern is heads times context. */
static void plies_and_sites_are_chosen(void **state)
{
    ActivationsReport report;
    ActivationsOptions options = four_shards();
    Watch watch = {0};
    NpyHeader header;
    options.plies = 0;
    options.ply_mask = 1U << 4 | 1U << 9;
    options.site = HOOK_PATTERN;
    options.n_layers = 1;
    options.layers[0] = 1;
    options.split_mask = 1U << SPLIT_TEST;
    assert_int_equal(write_to(&report, "plies", false, &options, &watch), 0);
    uint8_t *ply = array_of(&header, "plies", 0, "ply.npy");
    assert_int_equal(header.shape[0], 32);
    for (size_t i = 0; i < 32; i++) {
        assert_int_equal(ply[i], i % 2 == 0 ? 5 : 10);
    }
    mem_free(ply);
    float *pattern = array_of(&header, "plies", 0, "blocks.1.attn.hook_pattern.npy");
    assert_int_equal(header.shape[1], 3 * 31);
    for (size_t i = 0; i < 32; i++) {
        double sum = 0;
        for (size_t k = 0; k < 93; k++) {
            sum += (double)pattern[i * 93 + k];
        }
        assert_true(fabs(sum - 3) < 1e-4); /* each head's weights add up to 1 */
    }
    mem_free(pattern);
    options.ply_mask = UINT64_C(1) << 40; /* later than any 6x6 game */
    assert_int_equal(write_to(&report, "late", false, &options, &watch), OGPT_EUSAGE);
}

static int setup(void **state)
{
    return fixture_open(&fixture, 300);
}

static int teardown(void **state)
{
    fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_hold_the_capture),
        cmocka_unit_test(an_interrupted_call_goes_on),
        cmocka_unit_test(verify_finds_what_is_damaged),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(plies_and_sites_are_chosen),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
