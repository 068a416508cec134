/* tests/cli/commands/test_eval_seen.c - ogpt eval leaves out games that training had: in a corpus
 * with games of a --fresh run it finds every one, in another corpus none. */
#include "tests/base/base_test.h"

#include "base/js.h"
#include "cli/commands/commands.h"
#include "cli/command.h"
#include "datasets/corpus.h"
#include "game/play.h"

enum { GAMES = 400, REPEATED = 100, MOVES = 32, OWN_SEED = 5, OTHER_STEPS = 31, BATCH = 8 };

/* GAMES fresh 6x6 games, the first n_own of them of OWN_SEED and the others of seed 6, but for the
 * last REPEATED, which are the first ones again; returns how many of each lie in the test split;
 * `later`: others behind those that OTHER_STEPS steps of training take. */
typedef struct Tested {
    size_t own, others, own_once, later;
} Tested;

static Tested corpus_made(const char *name, size_t n_own)
{
    static uint8_t moves[GAMES * MOVES];
    const GameVariant *variant = game_variant(6);
    CorpusInfo meta = {
        .variant = variant, .source = "random", .n_games = GAMES, .generator = "test"};
    Corpus *corpus = NULL;
    Tested n = {0};
    assert_int_equal(variant->n_moves, MOVES);
    for (size_t i = 0; i < GAMES; i++) {
        size_t k = i < GAMES - REPEATED ? i : i - (GAMES - REPEATED);
        play_random(moves + i * MOVES, variant, k < n_own ? OWN_SEED : 6, RNG_FRESH, k);
        bool tested = split_of_game(moves + i * MOVES, variant, SPLIT_BY_CANONICAL) == SPLIT_TEST;
        n.own += tested && k < n_own;
        n.others += tested && k >= n_own;
        n.own_once += tested && i < n_own;
        n.later += tested && k >= n_own && k >= OTHER_STEPS * BATCH;
    }
    assert_int_equal(corpus_create(&corpus, at(name), &meta), 0);
    assert_int_equal(corpus_write_blocks(corpus, 0, 1, moves), 0);
    assert_int_equal(corpus_finish(corpus), 0);
    corpus_close(corpus);
    return n;
}

/* One command line; its stdout goes into the file `out`. */
static int command_run(const char **words)
{
    int n = 0;
    while (words[n]) {
        n++;
    }
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    assert_true(kept >= 0 && freopen(at("out"), "w", stdout));
    int rc = cli_run(n, (char **)words);
    fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    return rc;
}

static void evaluate(Js **out, const char *corpus, const char *games)
{
    const char *words[] = {"eval", "model",  "--corpus", corpus, "--games",
                           games,  "--json", "--quiet",  NULL};
    assert_int_equal(command_run(words), 0);
    assert_int_equal(js_parse_file(out, at("out"), 1 << 20), 0);
    assert_int_equal(js_int_of(js_member(*out, "remade_games")), GAMES);
}

static void training_games_are_left_out(void **state)
{
    Js *mixed = NULL, *other = NULL, *few = NULL;
    Tested half = corpus_made("mixed.ogpc", GAMES / 2), none = corpus_made("other.ogpc", 0);
    assert_true(half.own_once > 5 && half.own > half.own_once + 5 && half.others > 3);
    corpus_made("own.ogpc", GAMES);
    assert_int_equal(chdir(run_folder), 0);
    const char *train[] = {"train",   "model",   "--fresh",  "--size",  "6",
                           "--seed",  "5",       "--layers", "1",       "--d-model",
                           "16",      "--heads", "2",        "--batch", "8",
                           "--steps", "50",      "--quiet",  NULL};
    assert_int_equal(command_run(train), 0);
    evaluate(&mixed, "mixed.ogpc", "1000");
    assert_int_equal(js_int_of(js_member(mixed, "seen_games")), (int64_t)half.own);
    assert_int_equal(js_int_of(js_member(mixed, "games")), (int64_t)half.others);
    evaluate(&other, "other.ogpc", "1000");
    assert_int_equal(js_type(js_member(other, "seen_games")), JS_INT);
    assert_int_equal(js_int_of(js_member(other, "seen_games")), 0);
    assert_int_equal(js_int_of(js_member(other, "games")), (int64_t)none.others);
    /* A few games: what is repeated behind them does not count. */
    char few_games[8];
    snprintf(few_games, sizeof(few_games), "%zu", half.own_once + 1);
    evaluate(&few, "mixed.ogpc", few_games);
    assert_int_equal(js_int_of(js_member(few, "seen_games")), (int64_t)half.own_once);
    assert_int_equal(js_int_of(js_member(few, "games")), 1);
    const char *all[] = {"eval", "model", "--corpus", "own.ogpc", "--quiet", NULL};
    assert_refused(command_run(all), OGPT_EFORMAT, "none of its 400 games");
    const char *one[] = {"eval",    "model", "--corpus", "mixed.ogpc",
                         "--games", "1",     "--quiet",  NULL};
    assert_refused(command_run(one), OGPT_EFORMAT, "training had all 1 games");
    js_free(few);
    js_free(other);
    js_free(mixed);
}

static void compare(Js **out, const char *option)
{
    const char *words[] = {"eval",      "compare", "model",   "other", "--corpus",
                           "both.ogpc", "--json",  "--quiet", option,  NULL};
    assert_int_equal(command_run(words), 0);
    assert_int_equal(js_parse_file(out, at("out"), 1 << 20), 0);
}

/* Games that training of either network had are left out for both. */
static void either_training_is_left_out_of_a_comparison(void **state)
{
    Js *paired = NULL, *whole = NULL;
    const Tested half = corpus_made("both.ogpc", GAMES / 2);
    assert_true(half.later > 1 && half.others > half.later);
    const char *train[] = {"train",   "other",   "--fresh",  "--size",  "6",
                           "--seed",  "6",       "--layers", "1",       "--d-model",
                           "16",      "--heads", "2",        "--batch", "8",
                           "--steps", "31",      "--quiet",  NULL};
    assert_int_equal(command_run(train), 0);
    compare(&paired, NULL);
    const Js *row = js_at(js_member(paired, "tests"), 0);
    assert_int_equal(js_int_of(js_member(row, "games")), (int64_t)half.later);
    assert_int_equal(js_int_of(js_member(paired, "seen_games")),
                     (int64_t)(half.own + half.others - half.later));
    /* The twin: nobody looks. */
    compare(&whole, "--no-seen");
    row = js_at(js_member(whole, "tests"), 0);
    assert_int_equal(js_int_of(js_member(row, "games")), (int64_t)(half.own + half.others));
    assert_false(js_has(whole, "seen_games"));
    js_free(paired);
    js_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_games_are_left_out),
        cmocka_unit_test(either_training_is_left_out_of_a_comparison), /* goes on with its model */
    };
    commands_install();
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
