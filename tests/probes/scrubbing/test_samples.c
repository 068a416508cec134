/* tests/probes/scrubbing/test_samples.c - who may lend: features and positions by the plain rules,
 * and draws against a search through all games. */
#include <stdio.h>

#include "base/process.h"
#include "game/rules_ref.h"
#include "tests/probes/probe_fixture.h"
#include "tests/probes/scrubbing/scrub_fixture.h"

enum { N_GAMES = 400 };

static ScrubGames fresh(int size, size_t n, const Work *work)
{
    ScrubGames games;
    assert_int_equal(scrub_games_fresh(&games, game_variant(size), RNG_SCRUB, 0, n, work), 0);
    return games;
}

/* A node of one feature, from its words. */
static Hypothesis node_of(const char *carries, const char *at)
{
    GptConfig cfg;
    char text[200];
    Hypothesis out;
    assert_int_equal(gpt_config_preset(&cfg, "tiny"), 0);
    Graph graph = graph_of(&cfg);
    snprintf(text, sizeof(text), "logits <- a\nnode a = L3H3 %s%s carries %s\n", at ? "at " : "",
             at ? at : "", carries);
    assert_int_equal(hypothesis_parse(&out, &graph, game_variant(6), text, strlen(text), "x"), 0);
    return out;
}

/* The value of a feature of e3 by the reference rules. */
static int value_by_rules(const char *feature, const uint8_t *moves, int t)
{
    RefBoard before, after;
    char own, cell, cell_before;
    ref_start(&after, 6);
    before = after;
    for (int s = 0; s <= t; s++) {
        before = after;
        ref_play(&after, moves[s] / 8, moves[s] % 8);
    }
    own = after.to_move;
    cell = after.cell[2][4];
    cell_before = before.cell[2][4];
    if (strcmp(feature, "mine e3") == 0) {
        return cell == '.' ? 0 : cell == own ? 2 : 1;
    }
    if (strcmp(feature, "colour e3") == 0) {
        return cell == '.' ? 0 : cell == 'w' ? 1 : 2;
    }
    if (strcmp(feature, "empty e3") == 0) {
        return cell != '.';
    }
    if (strcmp(feature, "legal e3") == 0) {
        return ref_is_legal(&after, own, 2, 4);
    }
    if (strcmp(feature, "flipped e3") == 0) {
        return cell_before != '.' && cell != cell_before;
    }
    if (strcmp(feature, "played e3") == 0) {
        return moves[t] == 8 * 2 + 4;
    }
    if (strcmp(feature, "previous e3") == 0) {
        return cell_before == '.' ? 0 : cell_before == own ? 2 : 1;
    }
    if (strcmp(feature, "mover") == 0) {
        return own == 'w';
    }
    return moves[t]; /* last */
}

static const char *const features[] = {"mine e3",     "colour e3",  "empty e3",
                                       "legal e3",    "flipped e3", "played e3",
                                       "previous e3", "mover",      "last"};

static void features_are_those_of_the_plain_rules(void **state)
{
    ScrubGames games = fresh(6, 60, WORK_ALONE);
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        Hypothesis h = node_of(features[i], NULL);
        bool seen[64] = {false};
        size_t n_seen = 0;
        for (size_t g = 0; g < games.n; g++) {
            const uint8_t *moves = scrub_game(&games, g);
            Board boards[GAME_MAX_MOVES];
            uint8_t value[64];
            int t = (int)g % (games.n_moves[g] - 1);
            game_replay(games.variant, moves, t + 1, boards);
            assert_int_equal(
                feature_values(value, &h.nodes[0].features[0], games.variant, moves, boards, t), 1);
            assert_int_equal(value[0], value_by_rules(features[i], moves, t));
            n_seen += !seen[value[0]];
            seen[value[0]] = true;
        }
        assert_true(n_seen >= 2); /* no feature is one thing throughout */
        hypothesis_release(&h);
    }
    scrub_games_release(&games);
    (void)state;
}

/* Every draw agrees in the features, by the rules; the number of candidates is that of a search;
 * no other game would do, and each of them comes. */
static void draws_agree_exactly(void **state)
{
    ScrubGames games = fresh(6, N_GAMES, WORK_ALONE), roots = fresh(6, 20, &(Work){.seed = 9});
    Hypothesis h = node_of("mine e3, legal e3, mover", NULL);
    static const char *const words[] = {"mine e3", "legal e3", "mover"};
    const HypothesisNode *nodes[] = {&h.nodes[0]};
    SamplePool pool;
    size_t n_missed = 0;
    assert_int_equal(samples_index(&pool, &games, nodes, 1, WORK_ALONE), 0);
    assert_int_equal(samples_set(&pool, &h.nodes[0]), 1);
    assert_int_equal(samples_set(&pool, NULL), 0);
    for (size_t r = 0; r < roots.n; r++) {
        const uint8_t *moves = scrub_game(&roots, r);
        int t = 2 + (int)r;
        bool fits[N_GAMES], drawn[N_GAMES] = {false};
        size_t n = 0, n_drawn = 0, found;
        Board boards[GAME_MAX_MOVES];
        game_replay(games.variant, moves, t + 1, boards);
        for (size_t g = 0; g < games.n; g++) {
            fits[g] = t + 1 < games.n_moves[g];
            for (size_t w = 0; w < 3 && fits[g]; w++) {
                fits[g] = value_by_rules(words[w], scrub_game(&games, g), t) ==
                          value_by_rules(words[w], moves, t);
            }
            n += fits[g];
        }
        n_missed += games.n - n;
        for (uint64_t i = 0; i < 40 * n; i++) {
            Rng rng = rng_at(1, RNG_TEST, i);
            size_t game = 0;
            found = samples_draw(&game, &pool, 1, t,
                                 feature_key(&h.nodes[0], games.variant, moves, boards, t), &rng);
            assert_int_equal(found, n);
            assert_true(fits[game]);
            n_drawn += !drawn[game];
            drawn[game] = true;
        }
        /* Each is missed by 40 n draws with probability e^-40. */
        assert_int_equal(n_drawn, n);
    }
    assert_true(n_missed > 0);
    samples_release(&pool);
    hypothesis_release(&h);
    scrub_games_release(&games);
    scrub_games_release(&roots);
    (void)state;
}

static void without_features_every_game_with_the_position_lends(void **state)
{
    ScrubGames games = fresh(6, N_GAMES, WORK_ALONE);
    Hypothesis h = node_of("nothing", NULL);
    const HypothesisNode *nodes[] = {&h.nodes[0]};
    SamplePool pool;
    size_t shorter = 0;
    assert_int_equal(samples_index(&pool, &games, nodes, 1, WORK_ALONE), 0);
    assert_int_equal(pool.n_sets, 1);
    for (int t = 0; t < 31; t++) {
        size_t n = 0, game = 0;
        Rng rng = rng_at(1, RNG_TEST, (uint64_t)t);
        for (size_t g = 0; g < games.n; g++) {
            n += t + 1 < games.n_moves[g];
        }
        shorter += games.n - n;
        assert_int_equal(samples_draw(&game, &pool, 0, t, 0, &rng), n);
        assert_true(t + 1 < games.n_moves[game]);
        /* A key that no game has. */
        assert_int_equal(samples_draw(&game, &pool, 0, t, 7, &rng), 0);
    }
    assert_true(shorter > 0);
    samples_release(&pool);
    hypothesis_release(&h);
    scrub_games_release(&games);
    (void)state;
}

/* Positions by the reference rules: who moved, and where e3 was filled or turned last. */
static void places_are_those_of_the_plain_rules(void **state)
{
    static const char *const places[] = {"self",        "back 3", "placed e3",
                                         "last-set e3", "mine",   "theirs"};
    ScrubGames games = fresh(6, 100, WORK_ALONE);
    for (size_t i = 0; i < 6; i++) {
        Hypothesis h = node_of("mover", places[i]);
        size_t n_named = 0;
        for (size_t g = 0; g < games.n; g++) {
            const uint8_t *moves = scrub_game(&games, g);
            int t = (int)(g % 28), last = -1;
            uint64_t expected = 0, mine = 0;
            Board boards[GAME_MAX_MOVES];
            RefBoard board;
            char players[32];
            if (t + 1 >= games.n_moves[g]) {
                continue;
            }
            ref_start(&board, 6);
            for (int s = 0; s <= t; s++) {
                char cell = board.cell[2][4];
                players[s] = board.to_move;
                ref_play(&board, moves[s] / 8, moves[s] % 8);
                last = board.cell[2][4] != cell ? s : last;
                expected |= i == 2 && moves[s] == 20 ? 1ULL << s : 0;
            }
            for (int s = 0; s <= t; s++) {
                mine |= players[s] == board.to_move ? 1ULL << s : 0;
            }
            expected = i == 0   ? 1ULL << t
                       : i == 1 ? (t >= 3 ? 1ULL << (t - 3) : 0)
                       : i == 2 ? expected
                       : i == 3 ? (last >= 0 ? 1ULL << last : 0)
                       : i == 4 ? mine
                                : ~mine & ((1ULL << (t + 1)) - 1);
            game_replay(games.variant, moves, t + 1, boards);
            assert_true(place_positions(&h.nodes[0].groups[0], games.variant, moves, boards, t) ==
                        expected);
            n_named += expected != 0;
        }
        assert_true(n_named > 20);
        hypothesis_release(&h);
    }
    /* Several: any of them; none: all. */
    Hypothesis h = node_of("mover", "self, back 1");
    Hypothesis none = node_of("mover", NULL);
    Board boards[GAME_MAX_MOVES];
    game_replay(games.variant, scrub_game(&games, 0), 9, boards);
    assert_true(place_positions(&h.nodes[0].groups[0], games.variant, scrub_game(&games, 0), boards,
                                8) == 3ULL << 7);
    assert_true(place_positions(&none.nodes[0].groups[0], games.variant, scrub_game(&games, 0),
                                boards, 8) == 0x1ff);
    hypothesis_release(&h);
    hypothesis_release(&none);
    scrub_games_release(&games);
    (void)state;
}

static void workers_change_nothing(void **state)
{
    Pool *threads;
    assert_int_equal(pool_new(&threads, 2), 0);
    const Work two = {.pool = threads};
    ScrubGames one_games = fresh(6, N_GAMES, WORK_ALONE), two_games = fresh(6, N_GAMES, &two);
    ScrubGames other = fresh(6, N_GAMES, &(Work){.seed = 1});
    Hypothesis h = node_of("mine e3", NULL);
    const HypothesisNode *nodes[] = {&h.nodes[0]};
    SamplePool a, b;
    assert_memory_equal(one_games.moves, two_games.moves, N_GAMES * 32);
    assert_memory_not_equal(one_games.moves, other.moves, N_GAMES * 32);
    assert_int_equal(samples_index(&a, &one_games, nodes, 1, WORK_ALONE), 0);
    assert_int_equal(samples_index(&b, &two_games, nodes, 1, &two), 0);
    assert_memory_equal(a.n_valid, b.n_valid, a.n_plies * sizeof(*a.n_valid));
    for (size_t set = 0; set < 2; set++) {
        for (size_t t = 0; t < a.n_plies; t++) {
            size_t at = (set * a.n_plies + t) * N_GAMES;
            assert_memory_equal(a.order + at, b.order + at, a.n_valid[t] * sizeof(*a.order));
        }
    }
    samples_release(&a);
    samples_release(&b);
    hypothesis_release(&h);
    scrub_games_release(&one_games);
    scrub_games_release(&two_games);
    scrub_games_release(&other);
    pool_free(threads);
    (void)state;
}

static void games_with_an_illegal_move_are_refused(void **state)
{
    ScrubGames games = fresh(6, 5, WORK_ALONE), copy;
    assert_int_equal(scrub_games_copy(&copy, games.variant, games.moves, 5), 0);
    assert_memory_equal(copy.moves, games.moves, 5 * 32);
    assert_memory_equal(copy.n_moves, games.n_moves, 5);
    scrub_games_release(&copy);
    games.moves[3 * 32 + 2] = games.moves[3 * 32 + 1]; /* occupied */
    assert_int_equal(scrub_games_copy(&copy, games.variant, games.moves, 5), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "game 3: move 3 is illegal"));
    scrub_games_release(&games);
    (void)state;
}

/* Games of a corpus, in its order: the test split on one side, all others on the other. */
static void splits_of_a_corpus_stay_apart(void **state)
{
    ProbeFixture f;
    ScrubGames roots, lenders, few;
    assert_int_equal(fixture_open(&f, 1500), 0);
    assert_int_equal(scrub_games_corpus(&roots, f.corpus, true, 2000), 0);
    assert_int_equal(scrub_games_corpus(&lenders, f.corpus, false, 2000), 0);
    assert_int_equal(roots.n + lenders.n, 1500);
    assert_true(roots.n > 0 && lenders.n > roots.n);
    for (size_t g = 0; g < roots.n; g++) {
        assert_int_equal(corpus_split(f.corpus, scrub_game(&roots, g)), SPLIT_TEST);
    }
    for (size_t g = 0; g < lenders.n; g++) {
        assert_int_not_equal(corpus_split(f.corpus, scrub_game(&lenders, g)), SPLIT_TEST);
    }
    assert_int_equal(scrub_games_corpus(&few, f.corpus, false, 7), 0);
    assert_int_equal(few.n, 7);
    assert_memory_equal(few.moves, lenders.moves, 7 * 32);
    scrub_games_release(&few);
    scrub_games_release(&roots);
    scrub_games_release(&lenders);
    fixture_close(&f);
    assert_int_equal(fixture_open(&f, 1), 0); /* it cannot be in both */
    int rc[2] = {scrub_games_corpus(&roots, f.corpus, true, 5),
                 scrub_games_corpus(&lenders, f.corpus, false, 5)};
    assert_true((rc[0] == OGPT_EUSAGE) != (rc[1] == OGPT_EUSAGE));
    scrub_games_release(rc[0] == 0 ? &roots : &lenders);
    fixture_close(&f);
    (void)state;
}

static void a_signal_stops_the_work(void **state)
{
    ScrubGames games = fresh(6, 10, WORK_ALONE), none;
    Hypothesis h = node_of("mine e3", NULL);
    const HypothesisNode *nodes[] = {&h.nodes[0]};
    SamplePool pool;
    interrupt_set(15);
    assert_int_equal(scrub_games_fresh(&none, games.variant, RNG_SCRUB, 0, 10, WORK_ALONE),
                     OGPT_EINTR);
    assert_null(none.moves);
    assert_int_equal(samples_index(&pool, &games, nodes, 1, WORK_ALONE), OGPT_EINTR);
    assert_null(pool.keys);
    interrupt_set(0);
    hypothesis_release(&h);
    scrub_games_release(&games);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_those_of_the_plain_rules),
        cmocka_unit_test(draws_agree_exactly),
        cmocka_unit_test(without_features_every_game_with_the_position_lends),
        cmocka_unit_test(places_are_those_of_the_plain_rules),
        cmocka_unit_test(workers_change_nothing),
        cmocka_unit_test(games_with_an_illegal_move_are_refused),
        cmocka_unit_test(splits_of_a_corpus_stay_apart),
        cmocka_unit_test(a_signal_stops_the_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
