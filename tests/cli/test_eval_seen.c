/* tests/cli/test_eval_seen.c - ogpt eval counts scored games that training had: of a corpus made of
 * the very games of a --fresh run it finds every one, of another none. */
#include "base/base_test.h"

#include "base/js.h"
#include "cli/command.h"
#include "datasets/batch.h"

enum { GAMES = 400, MOVES = 32 };

/* One block of fresh 6x6 games of `seed`; returns how many lie in the test split. */
static size_t corpus_made(const char *name, uint64_t seed)
{
    static uint8_t moves[GAMES * MOVES];
    const GameVariant *variant = game_variant(6);
    CorpusInfo meta = {.variant = variant,
                       .source = "random",
                       .seed = seed,
                       .n_games = GAMES,
                       .generator = "test"};
    GameSource *source = NULL;
    Corpus *corpus = NULL;
    size_t n = 0;
    assert_int_equal(variant->n_moves, MOVES);
    assert_int_equal(source_fresh(&source, variant, seed, RNG_FRESH), 0);
    assert_int_equal(source_fetch(source, moves, 0, GAMES, NULL), 0);
    source_free(source);
    assert_int_equal(corpus_create(&corpus, at(name), &meta), 0);
    assert_int_equal(corpus_write_blocks(corpus, 0, 1, moves), 0);
    assert_int_equal(corpus_finish(corpus), 0);
    corpus_close(corpus);
    for (size_t i = 0; i < GAMES; i++) {
        n += split_of_game(moves + i * MOVES, variant) == SPLIT_TEST;
    }
    return n;
}

/* One command line; its stdout goes into the file `out`. */
static void command_run(const char **words)
{
    int n = 0;
    while (words[n] != NULL) {
        n++;
    }
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    assert_true(kept >= 0 && freopen(at("out"), "w", stdout) != NULL);
    int code = cli_run(n, (char **)words);
    fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    assert_int_equal(code, 0);
}

static void evaluate(Js **out, const char *corpus)
{
    const char *words[] = {"eval", "model", "--corpus", corpus, "--json", "--quiet", NULL};
    command_run(words);
    assert_int_equal(js_parse_file(out, at("out"), 1 << 20), 0);
    assert_int_equal(js_int_of(js_member(*out, "remade_games")), GAMES);
}

static void training_games_are_counted(void **state)
{
    Js *seen = NULL, *other = NULL;
    size_t n = corpus_made("seen.ogpc", 5);
    assert_true(n > 20 && n < 80);
    corpus_made("other.ogpc", 6);
    assert_int_equal(chdir(work), 0);
    const char *train[] = {"train",   "model",   "--fresh",  "--size",  "6",
                           "--seed",  "5",       "--layers", "1",       "--d-model",
                           "16",      "--heads", "2",        "--batch", "8",
                           "--steps", "50",      "--quiet",  NULL};
    command_run(train);
    evaluate(&seen, "seen.ogpc");
    assert_int_equal(js_int_of(js_member(seen, "games")), (int64_t)n);
    assert_int_equal(js_int_of(js_member(seen, "seen_games")), (int64_t)n);
    evaluate(&other, "other.ogpc");
    assert_int_equal(js_type(js_member(other, "seen_games")), JS_INT);
    assert_int_equal(js_int_of(js_member(other, "seen_games")), 0);
    js_free(other);
    js_free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_games_are_counted),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
