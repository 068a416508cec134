/* tests/datasets/test_batch.c - sources of games: every game once an epoch, in an order that is a
 * pure function of (seed, epoch), for fetches in any order; tokens and the floor of a batch.
 */
#include "datasets/datasets_test.h"

#include <math.h>

#include "base/pool.h"
#include "datasets/batch.h"
#include "game/play.h"
#include "game/rules_ref.h"

#define STRIDE 12 /* of 4x4 */
#define DIGITS 6  /* moves that spell a game's number */
#define WINDOW (64 * CORPUS_BLOCK_GAMES)
#define ALL_SPLITS 7U
#define SEED 8

/* Game i of the test corpora is not a game: its moves spell i in base 12, so that it can be
 * recognised. Reading requires only playable squares. */
static void spell(uint8_t *moves, uint64_t i)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    memset(moves, SQ_NONE, STRIDE);
    for (int digit = 0; digit < DIGITS; digit++) {
        moves[digit] = vocab->sq_of_tok[1 + i % 12];
        i /= 12;
    }
}

static uint64_t read_spelling(const uint8_t *moves)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    uint64_t i = 0;
    for (int digit = DIGITS - 1; digit >= 0; digit--) {
        i = 12 * i + vocab->tok_of_sq[moves[digit]] - 1;
    }
    return i;
}

static Corpus *spelled_corpus(uint64_t n_games)
{
    CorpusInfo meta = {.variant = game_variant(4), .seed = 1, .n_games = n_games};
    snprintf(meta.source, sizeof(meta.source), "import");
    snprintf(meta.generator, sizeof(meta.generator), "test");
    uint8_t *moves = mem_alloc(n_games, STRIDE, "spelled games");
    for (uint64_t i = 0; i < n_games; i++) {
        spell(moves + i * STRIDE, i);
    }
    Corpus *corpus = NULL;
    corpus_remove("spelled.db");
    assert_int_equal(corpus_create(&corpus, at("spelled.db"), &meta), 0);
    const uint64_t n_blocks = (n_games + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES;
    assert_int_equal(corpus_write_blocks(corpus, 0, n_blocks, moves), 0);
    assert_int_equal(corpus_finish(corpus), 0);
    corpus_close(corpus);
    mem_free(moves);
    assert_int_equal(corpus_open(&corpus, at("spelled.db"), false), 0);
    return corpus;
}

/* Numbers of games first .. first+n-1 of the source. */
static void fetch_order(uint32_t *order, GameSource *source, uint64_t first, size_t n)
{
    uint8_t *moves = mem_alloc(n, STRIDE, "fetched games");
    assert_int_equal(source_fetch(source, moves, first, n, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        order[i] = (uint32_t)read_spelling(moves + i * STRIDE);
    }
    mem_free(moves);
}

/* Whether order[n] holds each number below n_games whose game lies in the splits exactly once. */
static bool is_epoch(const uint32_t *order, size_t n, uint64_t n_games, unsigned splits)
{
    const GameVariant *variant = game_variant(4);
    uint8_t *seen = mem_calloc(n_games, 1, "games seen");
    bool right = true;
    for (size_t i = 0; i < n && right; i++) {
        right = order[i] < n_games && !seen[order[i]];
        if (right) {
            seen[order[i]] = 1;
        }
    }
    for (uint64_t i = 0; i < n_games && right; i++) {
        uint8_t moves[STRIDE];
        spell(moves, i);
        right = seen[i] == (splits >> split_of_game(moves, variant, SPLIT_BY_CANONICAL) & 1);
    }
    mem_free(seen);
    return right;
}

static size_t count_equal(const uint32_t *a, const uint32_t *b, size_t n)
{
    size_t equal = 0;
    for (size_t i = 0; i < n; i++) {
        equal += a[i] == b[i];
    }
    return equal;
}

/* Sizes around a block and around a window of 64 blocks. */
static void every_epoch_is_a_new_permutation_of_the_split(void **state)
{
    static const uint64_t sizes[] = {1,      2,          1023,
                                     1024,   1025,       WINDOW - 1,
                                     WINDOW, WINDOW + 1, WINDOW + 3 * CORPUS_BLOCK_GAMES + 5};
    static const unsigned splits[] = {ALL_SPLITS, 1U << SPLIT_TRAIN, 1U << SPLIT_TEST};
    for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
        const uint64_t n_games = sizes[k];
        Corpus *corpus = spelled_corpus(n_games);
        uint64_t selected = 0;
        for (size_t j = 0; j < sizeof(splits) / sizeof(*splits); j++) {
            GameSource *source = NULL;
            const int rc = source_corpus(&source, corpus, splits[j], true, SEED);
            if (rc != 0) { /* one or two games may miss a split */
                assert_true(n_games <= 2);
                assert_refused(rc, OGPT_EFORMAT, "lies in the asked splits");
                assert_null(source);
                continue;
            }
            const size_t n = source_games(source);
            uint32_t *first = mem_alloc(n + 1, sizeof(*first), "an order");
            uint32_t *second = mem_alloc(n + 1, sizeof(*second), "an order");
            fetch_order(first, source, 0, n);
            fetch_order(second, source, n, n);
            assert_true(is_epoch(first, n, n_games, splits[j]));
            assert_true(is_epoch(second, n, n_games, splits[j]));
            if (n > 100) {
                /* Two random orders agree in one place on average, and practically never in 20 or
                 * more. */
                assert_true(count_equal(first, second, n) < 20);
                /* The twin: one game twice instead of another. */
                first[n / 2] = first[0];
                assert_false(is_epoch(first, n, n_games, splits[j]));
            }
            selected += j > 0 ? n : 0;
            mem_free(first);
            mem_free(second);
            source_free(source);
        }
        assert_true(selected <= n_games);
        corpus_close(corpus);
    }
}

static void order_does_not_depend_on_what_was_fetched_before(void **state)
{
    const uint64_t n_games = 2 * WINDOW + 777;
    Corpus *corpus = spelled_corpus(n_games);
    GameSource *whole = NULL;
    GameSource *pieces = NULL;
    GameSource *other = NULL;
    assert_int_equal(source_corpus(&whole, corpus, 1U << SPLIT_TRAIN, true, SEED), 0);
    assert_int_equal(source_corpus(&pieces, corpus, 1U << SPLIT_TRAIN, true, SEED), 0);
    assert_int_equal(source_corpus(&other, corpus, 1U << SPLIT_TRAIN, true, SEED + 1), 0);
    const size_t n = source_games(whole);
    uint32_t *order = mem_alloc(2 * n, sizeof(*order), "an order");
    fetch_order(order, whole, 0, 2 * n);
    const int n_pieces = is_sanitized() ? 10 : 40;
    for (int i = 0; i < n_pieces; i++) {
        Rng rng = rng_at(SEED, RNG_TEST, (uint64_t)i);
        uint32_t piece[300];
        const size_t length = 1 + rng_below(&rng, 300);
        uint64_t first = rng_below(&rng, (uint32_t)(2 * n - length));
        if (i == 0) {
            first = n - length / 2; /* from one epoch into the next */
        }
        fetch_order(piece, pieces, first, length);
        assert_memory_equal(piece, order + first, length * sizeof(*piece));
    }
    /* Another seed gives another order. */
    uint32_t *changed = mem_alloc(n, sizeof(*changed), "an order");
    fetch_order(changed, other, 0, n);
    assert_true(count_equal(order, changed, n) < 20);
    mem_free(changed);
    mem_free(order);
    source_free(whole);
    source_free(pieces);
    source_free(other);
    corpus_close(corpus);
}

/* Neighbours in the file must not stay neighbours in a batch, and each window must draw from all
 * over the file. */
static void shuffling_mixes(void **state)
{
    const uint64_t n_games = 4 * WINDOW;
    Corpus *corpus = spelled_corpus(n_games);
    GameSource *source = NULL;
    assert_int_equal(source_corpus(&source, corpus, ALL_SPLITS, true, SEED), 0);
    uint32_t *order = mem_alloc(WINDOW, sizeof(*order), "an order");
    fetch_order(order, source, 0, WINDOW);
    int neighbours = 0;
    int quarter[4] = {0};
    for (size_t i = 0; i < WINDOW; i++) {
        neighbours += i > 0 && order[i] == order[i - 1] + 1;
        quarter[order[i] / WINDOW]++;
    }
    /* By chance about one pair; and of 64 blocks drawn from 256 each quarter of the file holds
     * 16 +- 3, of which 4 are more than four standard errors below. */
    assert_true(neighbours < 20);
    for (int k = 0; k < 4; k++) {
        assert_true(quarter[k] >= 4 * CORPUS_BLOCK_GAMES);
    }
    mem_free(order);
    source_free(source);
    corpus_close(corpus);
}

static void without_shuffling_games_come_in_file_order(void **state)
{
    const uint64_t n_games = WINDOW + 100;
    Corpus *corpus = spelled_corpus(n_games);
    GameSource *source = NULL;
    assert_int_equal(source_corpus(&source, corpus, 1U << SPLIT_VALIDATION, false, SEED), 0);
    const size_t n = source_games(source);
    uint32_t *order = mem_alloc(2 * n, sizeof(*order), "an order");
    fetch_order(order, source, 0, 2 * n);
    assert_true(is_epoch(order, n, n_games, 1U << SPLIT_VALIDATION));
    for (size_t i = 1; i < n; i++) {
        assert_true(order[i] > order[i - 1]);
    }
    assert_memory_equal(order, order + n, n * sizeof(*order));
    assert_string_equal(source_identity(source), corpus_info(corpus)->content_hash);
    assert_ptr_equal(source_variant(source), game_variant(4));
    mem_free(order);
    source_free(source);
    corpus_close(corpus);
}

static void the_three_splits_share_out_the_corpus(void **state)
{
    const uint64_t n_games = 5000;
    Corpus *corpus = spelled_corpus(n_games);
    uint64_t sum = 0;
    for (unsigned split = 0; split < 3; split++) {
        GameSource *source = NULL;
        assert_int_equal(source_corpus(&source, corpus, 1U << split, true, SEED), 0);
        sum += source_games(source);
        source_free(source);
    }
    assert_int_equal(sum, n_games);
    GameSource *none = NULL;
    assert_refused(source_corpus(&none, corpus, 0, true, SEED), OGPT_EFORMAT, "none of its 5000");
    corpus_close(corpus);
}

/* The name of a source says which games it plays; iago plays those of classic. */
static void a_fresh_source_names_its_rules(void **state)
{
    static const char *const names[N_GAME_RULES] = {"fresh:6:5", "fresh:106:5", "fresh:6:5"};
    for (int rules = 0; rules < N_GAME_RULES; rules++) {
        GameSource *source = NULL;
        const GameVariant *variant = game_variant_with(6, (GameRules)rules);
        assert_int_equal(source_fresh(&source, variant, 5, RNG_FRESH), 0);
        assert_string_equal(source_identity(source), names[rules]);
        assert_ptr_equal(source_variant(source), variant);
        source_free(source);
    }
}

static void fresh_games_are_those_of_the_seed(void **state)
{
    const GameVariant *variant = game_variant(6);
    const size_t stride = (size_t)variant->n_moves;
    enum { N = 300 };
    GameSource *source = NULL;
    Pool *pool = NULL;
    uint8_t *found = mem_calloc(N, stride, "games");
    uint8_t *again = mem_calloc(N, stride, "games");
    assert_int_equal(pool_new(&pool, 3), 0);
    assert_int_equal(source_fresh(&source, variant, 5, RNG_FRESH), 0);
    assert_int_equal(source_games(source), 0);
    assert_string_equal(source_identity(source), "fresh:6:5");
    assert_int_equal(source_fetch(source, found, 1000, N, pool), 0);
    assert_int_equal(source_fetch(source, again, 1000, N, NULL), 0);
    assert_memory_equal(found, again, N * stride);
    for (size_t i = 0; i < N; i++) {
        uint8_t expected[GAME_MAX_MOVES];
        play_random(expected, variant, 5, RNG_FRESH, 1000 + i);
        assert_memory_equal(found + i * stride, expected, stride);
    }
    assert_int_equal(source_fetch(source, again, 1001, N, pool), 0);
    assert_memory_not_equal(found, again, N * stride);
    source_free(source);
    pool_free(pool);
    mem_free(found);
    mem_free(again);
}

/* Sum of ln(number of legal moves) before moves 2..n, by the reference rules. */
static double floor_by_reference(const GameVariant *variant, const uint8_t *moves, int n,
                                 size_t *positions)
{
    RefBoard board;
    double sum = 0.0;
    ref_from_board(&board, variant, &variant->start);
    for (int t = 0; t < n; t++) {
        if (t > 0) {
            sum += log(ref_count_moves(&board, board.to_move));
            (*positions)++;
        }
        ref_play(&board, moves[t] / 8, moves[t] % 8);
    }
    return sum;
}

static void tokens_and_floor_of_a_batch(void **state)
{
    for (int v = 0; v < 3 * N_GAME_RULES; v++) {
        const GameVariant *variant = game_variant_with(4 + v % 3 * 2, (GameRules)(v / 3));
        const Vocab *vocab = vocab_of(variant);
        const size_t stride = (size_t)variant->n_moves;
        const size_t n_ctx = (size_t)vocab->n_ctx;
        enum { N = 50 };
        uint8_t moves[N * GAME_MAX_MOVES];
        uint8_t input[N * GAME_MAX_MOVES];
        uint8_t target[N * GAME_MAX_MOVES];
        double expected = 0.0;
        size_t positions = 0;
        for (size_t i = 0; i < N; i++) {
            const int n = play_random(moves + i * stride, variant, SEED, RNG_TEST, i);
            expected += floor_by_reference(variant, moves + i * stride, n, &positions);
        }
        assert_int_equal(batch_encode(input, target, vocab, moves, N), positions);
        for (size_t i = 0; i < N; i++) {
            uint8_t one_input[GAME_MAX_MOVES];
            uint8_t one_target[GAME_MAX_MOVES];
            vocab_encode(one_input, one_target, vocab, moves + i * stride);
            assert_memory_equal(input + i * n_ctx, one_input, n_ctx);
            assert_memory_equal(target + i * n_ctx, one_target, n_ctx);
        }
        /* The same terms in the same order within a game: at most 3,000 additions of rounding
         * 1.1e-16 of a sum below 6,000. */
        const double tolerance = 2e-9;
        const double found = batch_floor_sum(variant, moves, N);
        assert_true(fabs(found - expected) < tolerance);
        /* The twin: one game fewer. */
        assert_false(fabs(batch_floor_sum(variant, moves, N - 1) - expected) < tolerance);
    }
}

static void failing_allocations_are_reported(void **state)
{
    Corpus *corpus = spelled_corpus(3000);
    GameSource *source = NULL;
    int rc = OGPT_ENOMEM;
    uint64_t n = 0;
    while (rc != 0 && n < 100) {
        n++;
        mem_fail_at(n, 0);
        rc = source_corpus(&source, corpus, ALL_SPLITS, true, SEED);
        mem_fail_at(0, 0);
        if (rc != 0) {
            assert_refused(rc, OGPT_ENOMEM, "out of memory: wanted");
            assert_null(source);
        }
    }
    assert_true(n > 4 && n < 100);
    assert_int_equal(source_games(source), 3000);
    const uint64_t none[2] = {1, 2}; /* no game has these hashes */
    for (n = 1; n <= 2; n++) {
        mem_fail_at(n, 0);
        rc = source_leave_out(source, none, 2);
        mem_fail_at(0, 0);
        assert_refused(rc, OGPT_ENOMEM, "out of memory: wanted");
        assert_int_equal(source_games(source), 3000);
    }
    assert_int_equal(source_leave_out(source, none, 2), 0);
    assert_int_equal(source_games(source), 3000);
    source_free(source);
    corpus_close(corpus);
}

static int hashes_compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Left out of a corpus are the games of these hashes; the others come in their order. */
static void games_are_left_out_of_a_corpus(void **state)
{
    enum { N = 3000, OUT = 40 };
    Corpus *corpus = spelled_corpus(N);
    const GameVariant *variant = corpus_info(corpus)->variant;
    const size_t stride = (size_t)variant->n_moves;
    uint8_t *all = mem_alloc(N, stride, "games"), *rest = mem_alloc(N, stride, "games");
    uint64_t hashes[OUT];
    GameSource *source;
    assert_int_equal(source_corpus(&source, corpus, ALL_SPLITS, false, SEED), 0);
    assert_int_equal(source_fetch(source, all, 0, N, NULL), 0);
    for (size_t i = 0; i < OUT; i++) { /* every 70th, over several blocks */
        hashes[i] = game_hash(all + i * 70 * stride, variant);
    }
    assert_int_equal(source_leave_out(source, hashes, OUT), 0);
    assert_int_equal(source_games(source), N - OUT);
    assert_int_equal(source_fetch(source, rest, 0, N - OUT, NULL), 0);
    for (size_t i = 0, j = 0; i < N; i++) {
        if (i % 70 != 0 || i / 70 >= OUT) {
            assert_memory_equal(rest + j++ * stride, all + i * stride, stride);
        }
    }
    assert_int_equal(source_leave_out(source, hashes, 0), 0); /* replaces those before */
    assert_int_equal(source_games(source), N);
    source_free(source);
    assert_int_equal(source_fresh(&source, game_variant(6), SEED, RNG_FRESH), 0);
    assert_refused(source_leave_out(source, hashes, OUT), OGPT_EUSAGE, "of a corpus only");
    source_free(source);
    mem_free(rest);
    mem_free(all);
    corpus_close(corpus);
}

/* Hold games out that the source would deliver itself: all must be replaced, the others must stay,
 * and fetching in pieces must give the same. */
static void held_out_games_are_never_handed_out(void **state)
{
    enum { HELD = 50, N = 200, MOVES = 32 };
    static uint8_t plain[N * MOVES], kept_out[N * MOVES], again[MOVES], plain_again[MOVES];
    uint64_t hashes[HELD];
    GameSource *a, *b, *held, *small;
    assert_int_equal(source_fresh(&a, game_variant(6), SEED, RNG_FRESH), 0);
    assert_int_equal(source_fresh(&b, game_variant(6), SEED, RNG_FRESH), 0);
    assert_int_equal(source_fresh(&held, game_variant(6), SEED, RNG_FRESH), 0);
    assert_int_equal(source_exclude(b, held, HELD, NULL), 0);
    assert_int_equal(source_fetch(a, plain, 0, N, NULL), 0);
    assert_int_equal(source_fetch(b, kept_out, 0, N, NULL), 0);
    assert_int_equal(source_collisions(a), 0);
    assert_int_equal(source_collisions(b), HELD);
    for (int i = 0; i < N; i++) {
        assert_int_equal(memcmp(plain + i * MOVES, kept_out + i * MOVES, MOVES) == 0, i >= HELD);
        for (int j = 0; j < HELD; j++) {
            assert_memory_not_equal(kept_out + i * MOVES, plain + j * MOVES, MOVES);
        }
    }
    assert_int_equal(source_fetch(b, again, 7, 1, NULL), 0);
    assert_memory_equal(again, kept_out + 7 * MOVES, MOVES);
    assert_int_equal(source_collided(a, hashes), 0);
    /* Another seed has its own games; the count and the notes are kept. */
    source_reseed(b, SEED + 1);
    source_reseed(a, SEED + 1);
    assert_string_equal(source_identity(b), source_identity(a));
    assert_int_equal(source_fetch(a, plain_again, 0, 1, NULL), 0);
    assert_int_equal(source_fetch(b, again, 0, 1, NULL), 0);
    assert_memory_equal(again, plain_again, MOVES);
    assert_memory_not_equal(again, plain, MOVES);
    assert_int_equal(source_collided(b, hashes), HELD);
    for (int i = 0; i < HELD; i++) {
        uint64_t hash = game_hash(plain + i * MOVES, game_variant(6));
        assert_non_null(bsearch(&hash, hashes, HELD, sizeof(hash), hashes_compare));
    }
    assert_int_equal(source_fresh(&small, game_variant(4), SEED, RNG_FRESH), 0);
    assert_int_equal(source_exclude(small, small, HELD, NULL), OGPT_EUSAGE);
    source_free(small);
    source_free(held);
    source_free(b);
    source_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_epoch_is_a_new_permutation_of_the_split),
        cmocka_unit_test(order_does_not_depend_on_what_was_fetched_before),
        cmocka_unit_test(shuffling_mixes),
        cmocka_unit_test(without_shuffling_games_come_in_file_order),
        cmocka_unit_test(the_three_splits_share_out_the_corpus),
        cmocka_unit_test(a_fresh_source_names_its_rules),
        cmocka_unit_test(fresh_games_are_those_of_the_seed),
        cmocka_unit_test(held_out_games_are_never_handed_out),
        cmocka_unit_test(games_are_left_out_of_a_corpus),
        cmocka_unit_test(tokens_and_floor_of_a_batch),
        cmocka_unit_test(failing_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
