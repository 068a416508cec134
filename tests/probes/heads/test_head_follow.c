/* tests/probes/heads/test_head_follow.c - heads made by hand that know who made a move, and heads
 * that count: both look alike until there is a pass. */
#include "probes/heads/head_following.h"
#include "tests/probes/heads/head_fixture.h"

enum { N_GAMES = 400, N_DISPUTED = 40, N_HEADS = 5 };

static const int kinds[N_HEADS] = {HEAD_PARITY, HEAD_MINE, HEAD_THEIRS, N_HEAD_DETECTORS, HEAD_RAY};
static const void *contexts[N_HEADS];

/* Games without a disputed key among the first, or with one. */
static void disputed_fresh(HeadGames *out, size_t n)
{
    GameSource *source = NULL;
    const GameVariant *variant = game_variant(6);
    assert_int_equal(source_fresh(&source, variant, 12, RNG_TEST), 0);
    assert_int_equal(head_games_disputed(out, vocab_of(variant), source, n, 100 * n, WORK_ALONE),
                     0);
    source_free(source);
    assert_int_equal(out->n, n);
    assert_true(out->n_scanned > n);
}

static void who_follows_what(void **state)
{
    HeadGames games, disputed;
    HeadPatterns patterns;
    HeadFollowing following;
    HeadFollows found;
    head_games_fresh(&games, 6, N_GAMES, 3);
    disputed_fresh(&disputed, N_DISPUTED);
    head_score_twins(&patterns, &games, &disputed, N_HEADS, head_look_at, contexts);
    assert_int_equal(head_following_open(&following, &found, &patterns, &games, &disputed), 0);
    float *attention = malloc(games.T * N_HEADS * games.T * sizeof(float));
    for (size_t g = 0; g < disputed.n; g++) {
        head_attention_handmade(attention, &disputed, g, N_HEADS, head_look_at, contexts);
        head_following_add(&following, g, 0, attention);
    }
    assert_int_equal(head_following_close(&following, &(Work){.seed = 1}), 0);
    const HeadFollow *parity = &found.heads[0], *mine = &found.heads[1], *theirs = &found.heads[2];
    assert_true(found.n_queries > N_DISPUTED && found.n_games == N_DISPUTED);
    assert_int_equal(parity->verdict, HEAD_FOLLOWS_PARITY);
    assert_true(fabs(parity->follow.value) < 1e-5 && parity->preference.value > 0.2);
    assert_int_equal(mine->verdict, HEAD_FOLLOWS_MOVER);
    assert_true(fabs(mine->follow.value - 1) < 0.1 && mine->preference.value > 0.2);
    assert_int_equal(theirs->verdict, HEAD_FOLLOWS_MOVER);
    assert_true(fabs(theirs->follow.value - 1) < 0.1 && theirs->preference.value < -0.2);
    assert_int_equal(found.heads[3].verdict, HEAD_FOLLOWS_NOTHING);
    /* The same keys where nothing is disputed: both count. */
    assert_true(fabs(parity->twin.value) < 0.02 && fabs(mine->twin.value) < 0.02);
    assert_true(mine->twin.low < mine->twin.high);
    free(attention);
    head_following_release(&following);
    head_follow_release(&found);
    head_patterns_release(&patterns);
    head_games_release(&games);
    head_games_release(&disputed);
}

/* Without a game that has a pass there is no verdict, and no error. */
static void nothing_to_compare(void **state)
{
    HeadGames games, none;
    HeadPatterns patterns;
    HeadFollowing following;
    HeadFollows found;
    GameSource *source = NULL;
    head_games_fresh(&games, 6, 4, 3);
    assert_int_equal(source_fresh(&source, game_variant(6), 12, RNG_TEST), 0);
    assert_int_equal(head_games_disputed(&none, games.vocab, source, 3, 0, WORK_ALONE), 0);
    assert_int_equal(none.n, 0);
    head_score_twins(&patterns, &games, &none, N_HEADS, head_look_at, contexts);
    assert_int_equal(head_following_open(&following, &found, &patterns, &games, &none), 0);
    assert_int_equal(head_following_close(&following, WORK_ALONE), 0);
    assert_true(!found.heads && found.n_queries == 0);
    source_free(source);
    head_following_release(&following);
    head_follow_release(&found);
    head_patterns_release(&patterns);
    head_games_release(&games);
    head_games_release(&none);
}

int main(void)
{
    for (size_t i = 0; i < N_HEADS; i++) {
        contexts[i] = &kinds[i];
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_follows_what),
        cmocka_unit_test(nothing_to_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
