/* tests/datasets/test_split.c - who trains, who is tested: a game and its mirror images lie on one
 * side, corpora of version 1 stay divided as they were, and rules that differ leave a game out. */
#include "tests/datasets/datasets_test.h"

#include "base/arena.h"
#include "game/canonical.h"
#include "game/play.h"

#define SEED 3
#define N_GAMES 2000

static CorpusInfo imported(int size, uint64_t n_games)
{
    CorpusInfo meta = {.variant = game_variant(size), .n_games = n_games};
    snprintf(meta.source, sizeof(meta.source), "import");
    snprintf(meta.generator, sizeof(meta.generator), "test-1");
    return meta;
}

/* Half of the n games at random, and an image of each: moves[n * n_moves], owned. */
static uint8_t *games_and_images(int size, uint64_t n)
{
    const GameVariant *variant = game_variant(size);
    const size_t stride = (size_t)variant->n_moves;
    uint8_t *moves = mem_alloc(n, stride, "games");
    int symmetries[4];
    game_symmetries(symmetries, variant);
    for (uint64_t i = 0; i < n / 2; i++) {
        uint8_t *game = moves + i * stride, *image = moves + (n / 2 + i) * stride;
        play_random(game, variant, SEED, RNG_TEST, i);
        for (size_t t = 0; t < stride; t++) {
            image[t] = game[t] == SQ_NONE
                           ? SQ_NONE
                           : (uint8_t)symmetry_sq(variant, symmetries[1 + i % 3], game[t]);
        }
    }
    return moves;
}

static Corpus *corpus_of(const char *name, int size, const uint8_t *moves, uint64_t n)
{
    Corpus *corpus = NULL;
    const CorpusInfo meta = imported(size, n);
    corpus_remove(name);
    assert_int_equal(corpus_create(&corpus, at(name), &meta), 0);
    assert_int_equal(
        corpus_write_blocks(corpus, 0, (n + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES, moves),
        0);
    assert_int_equal(corpus_finish(corpus), 0);
    corpus_close(corpus);
    assert_int_equal(corpus_open(&corpus, at(name), false), 0);
    return corpus;
}

static void twins_lie_on_one_side(void **state)
{
    static const int sizes[] = {6, 8};
    for (size_t k = 0; k < 2; k++) {
        const GameVariant *variant = game_variant(sizes[k]);
        const size_t stride = (size_t)variant->n_moves;
        uint8_t *moves = games_and_images(sizes[k], N_GAMES);
        Corpus *corpus = corpus_of("twins.ogpc", sizes[k], moves, N_GAMES);
        CorpusCounts counts;
        size_t apart = 0;
        assert_int_equal(corpus_info(corpus)->version, 2);
        assert_int_equal(corpus_info(corpus)->split_rules, SPLIT_BY_CANONICAL);
        for (size_t i = 0; i < N_GAMES / 2; i++) {
            const uint8_t *game = moves + i * stride, *twin = game + N_GAMES / 2 * stride;
            assert_int_equal(corpus_split(corpus, game), corpus_split(corpus, twin));
            apart += split_of_game(game, variant, SPLIT_BY_GAME) !=
                     split_of_game(twin, variant, SPLIT_BY_GAME);
        }
        /* Negative twin: by the game alone, 1 - 0.8^2 - 2 0.1^2 = 34 % of the pairs are apart. */
        assert_in_range(apart, N_GAMES / 2 * 28 / 100, N_GAMES / 2 * 40 / 100);
        assert_int_equal(corpus_count(&counts, corpus), 0);
        assert_in_range(counts.duplicates, 0, 5); /* some images equal their game's neighbours */
        assert_in_range(counts.duplicates_symmetric, N_GAMES / 2, N_GAMES / 2 + 5);
        assert_int_equal(counts.splits[SPLIT_TRAIN] + counts.splits[SPLIT_VALIDATION] +
                             counts.splits[SPLIT_TEST],
                         N_GAMES);
        assert_in_range(counts.splits[SPLIT_TRAIN], N_GAMES * 75 / 100, N_GAMES * 85 / 100);
        assert_in_range(counts.splits[SPLIT_TEST], N_GAMES * 7 / 100, N_GAMES * 13 / 100);
        corpus_close(corpus);
        mem_free(moves);
    }
}

/* A copy of the stored corpus of version 1; the stored one is only read. */
static void copy_version_1(const char *name)
{
    char path[FILES_PATH_MAX];
    void *bytes = NULL;
    size_t n_bytes = 0;
    snprintf(path, sizeof(path), "%s/tests/datasets/fixture_version1/games.ogpc",
             getenv("OGPT_SOURCE"));
    corpus_remove(name);
    assert_int_equal(file_read_all(&bytes, &n_bytes, path, 1 << 20), 0);
    assert_int_equal(file_write_atomic(at(name), bytes, n_bytes, true), 0);
    mem_free(bytes);
}

/* The split of each game, one letter a game. */
static void splits_read(char out[101], Corpus *corpus, unsigned rules)
{
    const GameVariant *variant = corpus_info(corpus)->variant;
    uint8_t moves[100 * 12];
    assert_int_equal(corpus_info(corpus)->n_games, 100);
    assert_int_equal(corpus_read(corpus, moves, 0, 100), 0);
    for (int i = 0; i < 100; i++) {
        out[i] = ".vt?"[rules ? split_of_game(moves + 12 * i, variant, rules)
                              : corpus_split(corpus, moves + 12 * i)];
    }
    out[100] = '\0';
}

/* What a program before version 2 made of these games (its README). */
static const char version_1_splits[] = "..v...v...t....vv.....v...............v..................t"
                                       "........v.v...v........v..vv..vt........vv";

static void version_1_keeps_its_split(void **state)
{
    char found[101], canonical[101];
    Corpus *corpus = NULL;
    CorpusCounts counts;
    copy_version_1("old.ogpc");
    assert_int_equal(corpus_open(&corpus, at("old.ogpc"), false), 0);
    assert_int_equal(corpus_info(corpus)->version, 1);
    assert_int_equal(corpus_info(corpus)->split_rules, SPLIT_BY_GAME);
    assert_string_equal(corpus_info(corpus)->content_hash,
                        "4836e5b94b564e2c3e12600a145d81e6e856491f9086683ef8114245076c2289");
    splits_read(found, corpus, 0);
    assert_string_equal(found, version_1_splits);
    splits_read(canonical, corpus, SPLIT_BY_CANONICAL);
    assert_string_not_equal(found, canonical); /* negative twin */
    assert_int_equal(corpus_count(&counts, corpus), 0);
    assert_int_equal(counts.splits[SPLIT_TRAIN], 82);
    assert_int_equal(counts.splits[SPLIT_VALIDATION], 15);
    assert_int_equal(counts.splits[SPLIT_TEST], 3);
    corpus_close(corpus);
}

/* The same games made now have the same content hash, and are divided in the new way. */
static void the_content_hash_stays(void **state)
{
    GenerateResult made;
    Corpus *corpus = NULL;
    char found[101];
    make_corpus(&made, "new.ogpc", 4, SEED, 100);
    assert_string_equal(made.content_hash,
                        "4836e5b94b564e2c3e12600a145d81e6e856491f9086683ef8114245076c2289");
    assert_int_equal(corpus_open(&corpus, at("new.ogpc"), false), 0);
    assert_int_equal(corpus_info(corpus)->version, 2);
    splits_read(found, corpus, 0);
    assert_string_not_equal(found, version_1_splits);
    corpus_close(corpus);
}

/* An unfinished corpus of version 1 is finished as one. */
static void a_begun_corpus_keeps_its_version(void **state)
{
    GenerateResult made;
    Corpus *corpus = NULL;
    char found[101];
    copy_version_1("begun.ogpc");
    corpus_sql("begun.ogpc", "DELETE FROM blocks; UPDATE meta SET content_hash = '', plies = 0");
    assert_int_equal(
        generate_corpus(&made, at("begun.ogpc"), game_variant(4), 100, &(Work){.seed = SEED}), 0);
    assert_int_equal(made.games_made_now, 100);
    assert_int_equal(corpus_open(&corpus, at("begun.ogpc"), false), 0);
    assert_int_equal(corpus_info(corpus)->version, 1);
    splits_read(found, corpus, 0);
    assert_string_equal(found, version_1_splits);
    corpus_close(corpus);
}

/* With both rules a game has a split only if both agree; nothing that one rule calls a test game is
 * then a training game of the other. */
static void rules_that_differ_leave_a_game_out(void **state)
{
    const GameVariant *variant = game_variant(6);
    size_t n_none = 0, n_test = 0;
    for (uint64_t i = 0; i < N_GAMES; i++) {
        uint8_t moves[GAME_MAX_MOVES];
        play_random(moves, variant, SEED, RNG_TEST, i);
        const Split game = split_of_game(moves, variant, SPLIT_BY_GAME);
        const Split canonical = split_of_game(moves, variant, SPLIT_BY_CANONICAL);
        const Split both = split_of_game(moves, variant, SPLIT_BY_GAME | SPLIT_BY_CANONICAL);
        assert_int_equal(both, game == canonical ? game : SPLIT_NONE);
        n_none += both == SPLIT_NONE;
        n_test += both == SPLIT_TEST;
    }
    assert_in_range(n_none, N_GAMES * 20 / 100, N_GAMES * 31 / 100); /* three quarters of 34 % */
    assert_in_range(n_test, N_GAMES * 2 / 100, N_GAMES * 5 / 100);
}

static void a_corpus_can_be_divided_by_more_rules(void **state)
{
    Corpus *corpus = NULL;
    char found[101], both[101];
    make_corpus(NULL, "new.ogpc", 4, SEED, 100);
    assert_int_equal(corpus_open(&corpus, at("new.ogpc"), false), 0);
    corpus_divide(corpus, 0);
    assert_int_equal(corpus_info(corpus)->split_rules, SPLIT_BY_CANONICAL);
    corpus_divide(corpus, SPLIT_BY_GAME);
    splits_read(found, corpus, 0);
    splits_read(both, corpus, SPLIT_BY_GAME | SPLIT_BY_CANONICAL);
    assert_string_equal(found, both);
    assert_non_null(strchr(found, '?'));
    corpus_close(corpus);
}

static void rules_have_names(void **state)
{
    for (unsigned rules = SPLIT_BY_GAME; rules <= (SPLIT_BY_GAME | SPLIT_BY_CANONICAL); rules++) {
        assert_int_equal(split_rules_of(split_rules_name(rules)), rules);
    }
    assert_string_equal(split_rules_name(SPLIT_BY_CANONICAL), "canonical");
    assert_int_equal(split_rules_of(NULL), SPLIT_BY_GAME);
    assert_int_equal(split_rules_of("of a later program"), SPLIT_BY_GAME | SPLIT_BY_CANONICAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins_lie_on_one_side),
        cmocka_unit_test(version_1_keeps_its_split),
        cmocka_unit_test(the_content_hash_stays),
        cmocka_unit_test(a_begun_corpus_keeps_its_version),
        cmocka_unit_test(rules_that_differ_leave_a_game_out),
        cmocka_unit_test(a_corpus_can_be_divided_by_more_rules),
        cmocka_unit_test(rules_have_names),
    };
    return cmocka_run_group_tests_name("split", tests, work_create, work_remove);
}
