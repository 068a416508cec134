/* tests/datasets/test_corpus.c - the corpus file: what is written is read, and damage is named. */
#include "datasets/datasets_test.h"

#include "base/hash.h"
#include "base/rng.h"
#include "datasets/corpus_internal.h"
#include "game/play.h"
#include "tests/there.h"

#define N_GAMES 2500 /* two whole blocks and one of 452 games */
#define STRIDE 32    /* of 6x6, the size of most tests here */

static CorpusInfo meta_of(int size, uint64_t n_games)
{
    CorpusInfo meta = {.variant = game_variant(size), .seed = 1, .n_games = n_games};
    snprintf(meta.source, sizeof(meta.source), "import");
    snprintf(meta.generator, sizeof(meta.generator), "test");
    return meta;
}

static uint8_t *random_games(int size, uint64_t n)
{
    const GameVariant *variant = game_variant(size);
    uint8_t *moves = mem_alloc(n, (size_t)variant->n_moves, "test games");
    assert_non_null(moves);
    for (uint64_t i = 0; i < n; i++) {
        play_random(moves + i * (size_t)variant->n_moves, variant, 5, RNG_TEST, i);
    }
    return moves;
}

static void what_is_written_is_read(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const size_t stride = (size_t)game_variant(size)->n_moves;
        const CorpusInfo meta = meta_of(size, N_GAMES);
        uint8_t *moves = random_games(size, N_GAMES);
        uint8_t *read = mem_calloc(N_GAMES, stride, "games read");
        Corpus *corpus = NULL;
        corpus_remove("round.db");
        assert_int_equal(corpus_create(&corpus, at("round.db"), &meta), 0);
        /* Out of order, so that the content hash is made by reading again. */
        assert_int_equal(corpus_write_blocks(corpus, 2, 1, moves + 2048 * stride), 0);
        assert_false(corpus_has_block(corpus, 1));
        assert_int_equal(corpus_info(corpus)->n_games_present, N_GAMES - 2048);
        assert_refused(corpus_finish(corpus), OGPT_EUSAGE, "expected 2500 games, found 452");
        assert_int_equal(corpus_write_blocks(corpus, 0, 2, moves), 0);
        assert_true(corpus_has_block(corpus, 1));
        assert_false(corpus_has_block(corpus, 3));
        assert_refused(corpus_write_blocks(corpus, 1, 1, moves), OGPT_EUSAGE, "there already");
        assert_refused(corpus_write_blocks(corpus, 3, 1, moves), OGPT_EUSAGE, "beyond the last");
        assert_int_equal(corpus_finish(corpus), 0);
        corpus_close(corpus);

        assert_int_equal(corpus_open(&corpus, at("round.db"), false), 0);
        const CorpusInfo *info = corpus_info(corpus);
        char content_hash[HASH_HEX_SIZE];
        sha256_of(content_hash, moves, N_GAMES * stride);
        assert_string_equal(info->content_hash, content_hash);
        assert_true(info->complete);
        assert_ptr_equal(info->variant, meta.variant);
        assert_int_equal(info->n_games, N_GAMES);
        assert_int_equal(info->n_games_present, N_GAMES);
        uint64_t plies = 0;
        for (size_t i = 0; i < N_GAMES; i++) {
            plies += (uint64_t)game_length(moves + i * stride, (int)stride);
        }
        assert_int_equal(info->plies, plies);
        static const uint64_t ranges[][2] = {{0, N_GAMES}, {1023, 2}, {1024, 1024},
                                             {2047, 453},  {2499, 1}, {N_GAMES, 0}};
        for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
            const uint64_t first = ranges[i][0];
            const uint64_t n = ranges[i][1];
            assert_int_equal(corpus_read(corpus, read, first, n), 0);
            assert_memory_equal(read, moves + first * stride, n * stride);
        }
        assert_refused(corpus_read(corpus, read, 2499, 2), OGPT_EUSAGE, "it has 2500");
        assert_refused(corpus_read(corpus, read, UINT64_MAX, 2), OGPT_EUSAGE, "it has 2500");
        corpus_close(corpus);
        mem_free(moves);
        mem_free(read);
    }
}

/* Lines of a verification, and what was reported last. */
static char last_line[1024];

static void note_line(void *context, const char *line)
{
    snprintf(last_line, sizeof(last_line), "%s", line);
    (*(int *)context)++;
}

static void verify(CorpusReport *report, const char *name)
{
    int lines = 0;
    last_line[0] = '\0';
    assert_int_equal(corpus_verify(report, at(name), note_line, &lines), 0);
    assert_int_equal(report->findings, lines);
}

static void a_sound_corpus_has_no_findings(void **state)
{
    CorpusReport report;
    GenerateResult made;
    make_corpus(&made, "sound.db", 6, 3, N_GAMES);
    verify(&report, "sound.db");
    assert_string_equal(last_line, "");
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.games, N_GAMES);
    assert_int_equal(report.plies, made.plies);
    assert_int_equal(report.bad_blocks + report.illegal_games, 0);
}

/* Flip bits of one byte of a block. `reseal` corrects the checksum, as another program could. */
static void damage_block(const char *name, int64_t block, size_t offset, uint8_t byte, bool reseal)
{
    Db *db = NULL;
    DbStmt *stmt = NULL;
    assert_int_equal(db_open(&db, at(name), DB_WRITE, &corpus_schema), 0);
    assert_int_equal(db_prepare(&stmt, db, "SELECT moves, checksum FROM blocks WHERE block = ?1"),
                     0);
    db_bind_int(stmt, 1, block);
    assert_int_equal(db_step(stmt), 1);
    size_t n_bytes = 0;
    const void *blob = db_column_blob(stmt, 0, &n_bytes);
    uint8_t *moves = mem_alloc(n_bytes, 1, "a block");
    memcpy(moves, blob, n_bytes);
    moves[offset] ^= byte;
    const int64_t checksum = reseal ? (int64_t)xxh3(moves, n_bytes) : db_column_int(stmt, 1);
    db_finalize(stmt);
    assert_int_equal(
        db_prepare(&stmt, db, "UPDATE blocks SET moves = ?2, checksum = ?3 WHERE block = ?1"), 0);
    db_bind_int(stmt, 1, block);
    db_bind_blob(stmt, 2, moves, n_bytes);
    db_bind_int(stmt, 3, checksum);
    assert_int_equal(db_step(stmt), 0);
    db_finalize(stmt);
    db_close(db);
    mem_free(moves);
}

static void a_damaged_block_is_named(void **state)
{
    CorpusReport report;
    Corpus *corpus = NULL;
    uint8_t moves[STRIDE];
    make_corpus(NULL, "damaged.db", 6, 3, N_GAMES);
    damage_block("damaged.db", 1, 12345, 1, false);
    /* The first and the last block are sound, so the file opens; reading finds it. */
    assert_int_equal(corpus_open(&corpus, at("damaged.db"), false), 0);
    assert_int_equal(corpus_read(corpus, moves, 1023, 1), 0);
    assert_refused(corpus_read(corpus, moves, 1024, 1), OGPT_EFORMAT,
                   "block 1: damaged: expected checksum");
    assert_int_equal(corpus_read(corpus, moves, 2048, 1), 0);
    corpus_close(corpus);
    verify(&report, "damaged.db");
    assert_int_equal(report.bad_blocks, 1);
    assert_int_equal(report.games, N_GAMES - 1024);
    assert_non_null(strstr(last_line, "block 1"));
    /* Opening checks the first and the last block. */
    for (int64_t block = 0; block <= 2; block += 2) {
        make_corpus(NULL, "damaged.db", 6, 3, N_GAMES);
        damage_block("damaged.db", block, 0, 1, false);
        assert_refused(corpus_open(&corpus, at("damaged.db"), false), OGPT_EFORMAT,
                       block == 0 ? "block 0: damaged" : "block 2: damaged");
        assert_null(corpus);
    }
}

/* Blocks with a correct checksum that another program made. */
static void forged_games_are_found(void **state)
{
    CorpusReport report;
    Corpus *corpus = NULL;
    uint8_t moves[STRIDE];
    make_corpus(NULL, "forged.db", 6, 3, N_GAMES);
    damage_block("forged.db", 1, 5 * STRIDE, 0x40, true); /* 64 and above: no square */
    assert_int_equal(corpus_open(&corpus, at("forged.db"), false), 0);
    assert_refused(corpus_read(corpus, moves, 1029, 1), OGPT_EFORMAT,
                   "game 1029: expected a playable square or 255, found");
    corpus_close(corpus);

    make_corpus(NULL, "forged.db", 6, 3, N_GAMES);
    damage_block("forged.db", 1, 5 * STRIDE, 0x01, true); /* another first move: c2 or d2 */
    verify(&report, "forged.db");
    assert_true(report.illegal_games == 1 || report.bad_blocks == 1);
    assert_true(report.findings >= 2); /* and the content hash */
    assert_non_null(strstr(last_line, report.bad_blocks ? "block 1" : "content hash"));

    /* A game cut short is legal in an imported corpus, not in a random one. */
    make_corpus(NULL, "forged.db", 6, 3, N_GAMES);
    assert_int_equal(corpus_open(&corpus, at("forged.db"), false), 0);
    assert_int_equal(corpus_read(corpus, moves, 7, 1), 0);
    corpus_close(corpus);
    const int last = game_length(moves, STRIDE) - 1;
    damage_block("forged.db", 0, 7 * STRIDE + (size_t)last, moves[last] ^ SQ_NONE, true);
    verify(&report, "forged.db");
    assert_int_equal(report.illegal_games, 1);
    corpus_sql("forged.db", "UPDATE meta SET source = 'import'");
    verify(&report, "forged.db");
    assert_int_equal(report.illegal_games, 0);
    assert_true(report.findings >= 1); /* the content hash still differs */
}

static void contradictions_are_refused(void **state)
{
    static const struct {
        const char *sql;
        const char *text;
    } rows[] = {
        {"UPDATE meta SET size = 5", "meta.size: expected 4, 6 or 8, with 100 or 200 added"},
        {"UPDATE meta SET size = 8", "bytes of moves"},
        {"UPDATE meta SET size = 308", "found 308"},
        {"UPDATE meta SET size = 4294967300", "found 4294967300"},
        {"UPDATE meta SET source = 'else'", "meta.source"},
        {"UPDATE meta SET n_games = 0", "meta.n_games"},
        {"UPDATE meta SET n_games = -5", "meta.n_games"},
        {"UPDATE meta SET n_games = 9223372036854775807", "meta.n_games"},
        {"UPDATE meta SET n_games = 2048", "block 2: expected blocks 0 to 1"},
        {"UPDATE meta SET n_games = 2499", "block 2: expected 451 games, found 452"},
        {"UPDATE meta SET n_games = 9000", "block 2: expected 1024 games, found 452"},
        {"UPDATE meta SET content_hash = 'short'", "meta.content_hash"},
        {"UPDATE meta SET generator = hex(zeroblob(99))", "meta.generator"},
        {"DELETE FROM meta", "never begun"},
        {"DELETE FROM blocks WHERE block = 1", "unfinished: expected 2500 games, found 1476"},
        {"UPDATE blocks SET first_game = 7 WHERE block = 1", "block 1: expected first game 1024"},
        {"UPDATE blocks SET n_games = 7 WHERE block = 1", "block 1: expected 1024 games, found 7"},
        {"UPDATE blocks SET block = 9 WHERE block = 1", "block 9: expected blocks 0 to 2"},
        {"UPDATE blocks SET block = -1 WHERE block = 1", "block -1: expected blocks 0 to 2"},
        {"UPDATE blocks SET moves = zeroblob(8) WHERE block = 1", "bytes of moves, found 8"},
        {"PRAGMA application_id = 7", "this is another kind of file"},
        {"DROP TABLE blocks", "the table 'blocks' is missing"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        Corpus *corpus = NULL;
        make_corpus(NULL, "bad.db", 6, 3, N_GAMES);
        corpus_sql("bad.db", rows[i].sql);
        assert_refused(corpus_open(&corpus, at("bad.db"), false), OGPT_EFORMAT, rows[i].text);
        assert_null(corpus);
        CorpusReport report;
        const int rc = corpus_verify(&report, at("bad.db"), NULL, NULL);
        assert_true(rc == OGPT_EFORMAT || (rc == 0 && report.findings > 0));
    }
    Corpus *corpus = NULL;
    make_corpus(NULL, "bad.db", 6, 3, N_GAMES);
    corpus_sql("bad.db", "PRAGMA user_version = 3");
    assert_refused(corpus_open(&corpus, at("bad.db"), false), OGPT_EVERSION, "newer ogpt");
    assert_refused(corpus_open(&corpus, at("absent.db"), false), OGPT_EIO, "no such file");
    assert_false(file_exists(at("absent.db")));
    assert_int_equal(file_write_atomic(at("text.db"), "f5d6c3\n", 7, true), 0);
    assert_refused(corpus_open(&corpus, at("text.db"), false), OGPT_EFORMAT, "not a database");
    assert_refused(corpus_open(&corpus, run_folder, false), OGPT_EFORMAT, "a directory");
}

/* Every game as the whole file gives it, or NULL when reading fails anywhere. */
static uint8_t *read_all(const char *name)
{
    Corpus *corpus = NULL;
    uint8_t *moves = NULL;
    if (corpus_open(&corpus, at(name), false) == 0) {
        const CorpusInfo *info = corpus_info(corpus);
        moves = mem_calloc(info->n_games, (size_t)info->variant->n_moves, "all games");
        if (info->n_games != N_GAMES || corpus_read(corpus, moves, 0, info->n_games) != 0) {
            mem_free(moves);
            moves = NULL;
        }
        corpus_close(corpus);
    }
    return moves;
}

/* Without the fsync of file_write_atomic, which would be most of the time of this test. */
static void write_copy(const char *name, const void *bytes, size_t n_bytes)
{
    corpus_remove(name);
    FILE *file = fopen(at(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
    assert_int_equal(fclose(file), 0);
}

/* A cut or changed file is refused, or at least gives exactly the games that were written. */
static void cut_and_flipped_files_never_give_other_games(void **state)
{
    const int n_cuts = is_sanitized() ? 8 : 40;
    const int n_flips = is_sanitized() ? 30 : 300;
    void *bytes = NULL;
    size_t n_bytes = 0;
    int detected = 0;
    make_corpus(NULL, "whole.db", 6, 3, N_GAMES);
    uint8_t *expected = read_all("whole.db");
    assert_non_null(expected);
    assert_int_equal(file_read_all(&bytes, &n_bytes, at("whole.db"), 1 << 24), 0);
    for (int i = 0; i < n_cuts; i++) {
        const size_t kept = n_bytes * (size_t)i / (size_t)n_cuts;
        write_copy("cut.db", bytes, kept);
        uint8_t *found = read_all("cut.db");
        assert_true(!found);
        CorpusReport report;
        const int rc = corpus_verify(&report, at("cut.db"), NULL, NULL);
        assert_true(rc != 0 || report.findings > 0);
    }
    for (int i = 0; i < n_flips; i++) {
        Rng rng = rng_at(9, RNG_TEST, (uint64_t)i);
        /* Half of the flips hit the first two pages: header and tables. */
        const size_t place = rng_below(&rng, i % 2 == 0 ? 32768 : (uint32_t)n_bytes);
        const uint8_t bit = (uint8_t)(1U << rng_below(&rng, 8));
        ((uint8_t *)bytes)[place] ^= bit;
        write_copy("flip.db", bytes, n_bytes);
        ((uint8_t *)bytes)[place] ^= bit;
        uint8_t *found = read_all("flip.db");
        detected += !found;
        if (found) {
            assert_memory_equal(found, expected, (size_t)N_GAMES * STRIDE);
        }
        mem_free(found);
    }
    /* 80,000 of the file's 131,072 bytes are moves, and half of the flips fall anywhere: 0.3 of all
     * must have been noticed, minus four standard errors of 300. */
    assert_true(detected > n_flips / 5);
    mem_free(expected);
    mem_free(bytes);
}

static void each_byte_is_a_playable_square_or_none(void **state)
{
    static const int sizes[] = {4, 6, 8};
    for (size_t k = 0; k < 3; k++) {
        const GameVariant *variant = game_variant(sizes[k]);
        uint8_t moves[100];
        memset(moves, SQ_NONE, sizeof(moves));
        assert_true(corpus__playable(moves, sizeof(moves), variant));
        for (int byte = 0; byte < 256; byte++) {
            const bool playable =
                byte == SQ_NONE ||
                (byte < BOARD_SQUARES && (variant->squares & ~variant->centre) >> byte & 1);
            moves[byte % 100] = (uint8_t)byte;
            assert_int_equal(corpus__playable(moves, sizeof(moves), variant), playable);
            moves[byte % 100] = SQ_NONE;
        }
    }
}

static void duplicates_are_counted(void **state)
{
    CorpusReport report;
    Corpus *corpus = NULL;
    CorpusCounts counts = {0};
    const CorpusInfo meta = meta_of(6, N_GAMES);
    uint8_t *moves = random_games(6, N_GAMES);
    memcpy(moves + 9 * STRIDE, moves + 2000 * STRIDE, STRIDE);
    memcpy(moves + 2400 * STRIDE, moves + 2000 * STRIDE, STRIDE);
    memcpy(moves + 2401 * STRIDE, moves, STRIDE);
    corpus_remove("twice.db");
    assert_int_equal(corpus_create(&corpus, at("twice.db"), &meta), 0);
    assert_int_equal(corpus_write_blocks(corpus, 0, 3, moves), 0);
    assert_int_equal(corpus_finish(corpus), 0);
    assert_int_equal(corpus_count(&counts, corpus), 0);
    assert_int_equal(counts.duplicates, 3);
    assert_int_equal(counts.duplicates_symmetric, 3); /* 6x6 games hardly ever have a twin */
    corpus_close(corpus);
    verify(&report, "twice.db");
    assert_int_equal(report.duplicates, 3);
    assert_int_equal(report.findings, 0); /* counted, not rejected */
    mem_free(moves);
}

static void a_corpus_has_one_writer(void **state)
{
    const CorpusInfo meta = meta_of(6, N_GAMES);
    Corpus *first = NULL;
    Corpus *second = NULL;
    corpus_remove("lock.db");
    assert_int_equal(corpus_create(&first, at("lock.db"), &meta), 0);
    assert_refused(corpus_create(&second, at("lock.db"), &meta), OGPT_ELOCKED, "lock.db.lock");
    assert_null(second);
    corpus_close(first);
    assert_int_equal(corpus_create(&second, at("lock.db"), &meta), 0);
    corpus_close(second);
    const CorpusInfo none = meta_of(6, 0);
    const CorpusInfo many = meta_of(6, CORPUS_MAX_GAMES + 1);
    assert_refused(corpus_create(&second, at("none.db"), &none), OGPT_EUSAGE, "found 0");
    assert_refused(corpus_create(&second, at("many.db"), &many), OGPT_EUSAGE, "4294967297");
}

static void a_finished_corpus_is_one_file(void **state)
{
    make_corpus(NULL, "one.db", 6, 3, N_GAMES);
    mem_free(read_all("one.db"));
    assert_true(file_exists(at("one.db")));
    assert_false(file_exists(at("one.db-wal")));
    assert_false(file_exists(at("one.db-shm")));
}

/* Each allocation fails once: the call says so, leaves nothing behind, and works afterwards. */
static void failing_allocations_are_reported(void **state)
{
    CorpusReport report;
    Corpus *corpus = NULL;
    make_corpus(NULL, "memory.db", 6, 3, N_GAMES);
    for (int call = 0; call < 2; call++) {
        int rc = OGPT_ENOMEM;
        uint64_t n = 0;
        while (rc != 0 && n < 100) {
            n++;
            mem_fail_at(n, 0);
            rc = call == 0 ? corpus_open(&corpus, at("memory.db"), false)
                           : corpus_verify(&report, at("memory.db"), NULL, NULL);
            mem_fail_at(0, 0);
            if (rc == 0 && call == 1 && report.findings > 0) {
                rc = OGPT_ENOMEM; /* a failed read inside verification is a finding */
            } else if (rc != 0) {
                assert_int_equal(rc, OGPT_ENOMEM);
            }
        }
        assert_true(n > 3 && n < 100);
    }
    corpus_close(corpus);
}

static void splits_are_80_10_10_by_whole_game(void **state)
{
    const GameVariant *variant = game_variant(8);
    int count[3] = {0};
    const int n = 20000;
    for (int i = 0; i < n; i++) {
        uint8_t moves[GAME_MAX_MOVES];
        play_random(moves, variant, 6, RNG_TEST, (uint64_t)i);
        const Split split = split_of_game(moves, variant, SPLIT_BY_CANONICAL);
        assert_int_equal(split_of_game(moves, variant, SPLIT_BY_CANONICAL), split);
        count[split]++;
    }
    /* Four standard errors of a share of n games: sqrt(0.8 * 0.2 / n) = 0.0028, and 0.0021. */
    assert_true(abs(count[SPLIT_TRAIN] - n * 8 / 10) < n * 4 * 0.0028);
    assert_true(abs(count[SPLIT_VALIDATION] - n / 10) < n * 4 * 0.0021);
    assert_true(abs(count[SPLIT_TEST] - n / 10) < n * 4 * 0.0021);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_sound_corpus_has_no_findings),
        cmocka_unit_test(a_damaged_block_is_named),
        cmocka_unit_test(forged_games_are_found),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(cut_and_flipped_files_never_give_other_games),
        cmocka_unit_test(each_byte_is_a_playable_square_or_none),
        cmocka_unit_test(duplicates_are_counted),
        cmocka_unit_test(a_corpus_has_one_writer),
        cmocka_unit_test(a_finished_corpus_is_one_file),
        cmocka_unit_test(failing_allocations_are_reported),
        cmocka_unit_test(splits_are_80_10_10_by_whole_game),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
