/* tests/probes/heads/test_head_network.c - heads of whole networks: number of workers, attention
 * that is replaced, what cannot be measured. */
#include "tests/probes/heads/head_fixture.h"

#include "base/err.h"
#include "probes/activations/passes.h"
#include "probes/heads/head_follow.h"
#include "probes/heads/head_hard.h"
#include "tests/probes/probe_fixture.h"

enum { N_GAMES = 20 };

static bool same(const void *a, const void *b, size_t bytes)
{
    return memcmp(a, b, bytes) == 0;
}

/* The same bits at 1, 2 and 3 workers; another seed gives other intervals. */
static void workers_change_no_bit(void **state)
{
    HeadGames games;
    HeadPatterns one, many;
    HeadHard hard_one, hard_many;
    Gpt *gpt = fixture_network(6, 1);
    assert_true(gpt && blas_init() == 0);
    head_games_fresh(&games, 6, N_GAMES, 2);
    assert_int_equal(head_patterns_run(&one, gpt, &games, NULL, &(Work){.seed = 4}), 0);
    assert_int_equal(head_hard_run(&hard_one, gpt, &games, 20, &(Work){.seed = 4}),
                     0); /* 3 passes */
    for (size_t n = 2; n <= 3; n++) {
        Pool *pool;
        assert_int_equal(pool_new(&pool, n), 0);
        const Work work = {.pool = pool, .seed = 4};
        assert_int_equal(head_patterns_run(&many, gpt, &games, NULL, &work), 0);
        assert_int_equal(head_hard_run(&hard_many, gpt, &games, 20, &work), 0);
        assert_true(same(one.heads, many.heads, one.H * sizeof(*one.heads)));
        assert_true(same(one.ordinary, many.ordinary,
                         one.H * head_triangle(one.T) * sizeof(*one.ordinary)));
        assert_true(same(hard_one.losses, hard_many.losses,
                         one.H * N_HEAD_REPLACEMENTS * sizeof(*hard_one.losses)));
        head_patterns_release(&many);
        head_hard_release(&hard_many);
        pool_free(pool);
    }
    assert_int_equal(head_patterns_run(&many, gpt, &games, NULL, &(Work){.seed = 5}), 0);
    assert_true(!same(one.heads, many.heads, one.H * sizeof(*one.heads)));
    assert_true(one.heads[3].entropy.value == many.heads[3].entropy.value);
    head_patterns_release(&many);
    head_patterns_release(&one);
    head_hard_release(&hard_one);
    head_games_release(&games);
    gpt_free(gpt);
}

/* A network whose queries and keys are 0 has uniform heads: they score 0, being made uniform
 * changes no bit that matters, and being made hard does. */
static void uniform_heads(void **state)
{
    HeadGames games;
    HeadPatterns found;
    HeadHard hard;
    Gpt *gpt = fixture_network(6, 1);
    assert_true(gpt && blas_init() == 0);
    for (size_t layer = 0; layer < 3; layer++) {
        real *block = gpt->params + layer * gpt->map.block_stride;
        memset(block + gpt->map.W_Q, 0, 24 * 24 * sizeof(real));
        memset(block + gpt->map.b_Q, 0, 24 * sizeof(real));
    }
    head_games_fresh(&games, 6, N_GAMES, 2);
    assert_int_equal(head_patterns_run(&found, gpt, &games, NULL, WORK_ALONE), 0);
    assert_int_equal(head_hard_run(&hard, gpt, &games, 6, WORK_ALONE), 0);
    for (size_t h = 0; h < found.H; h++) {
        for (int d = 0; d < N_HEAD_SETS; d++) {
            const HeadScore *score = &found.heads[h].scores[d];
            assert_true(score->share > 0.01 && score->queries > 0);
            assert_true(fabs(head_score_of(score, (HeadDetector)d)->difference.value) < 1e-5);
        }
        assert_int_equal(found.heads[h].kind, -1);
        const HeadLoss *loss = hard.losses + h * N_HEAD_REPLACEMENTS;
        assert_true(fabs(loss[HEAD_UNIFORM].kl.value) < 1e-5);
        assert_true(fabs(loss[HEAD_HARD].kl.value) > 1e-4);
    }
    head_patterns_release(&found);
    head_hard_release(&hard);
    head_games_release(&games);
    gpt_free(gpt);
}

/* A pass with a hook of one's own gives what head_hard_run says. */
typedef struct Alone {
    size_t head;
    double strict, positions;
    const Vocab *vocab;
} Alone;

static int harden(void *context, const PassBatch *pass, const HookPoint *point)
{
    const Alone *alone = context;
    for (size_t i = 0; i < point->B * point->T; i++) {
        float *row = point->value + i * point->width + alone->head * point->T;
        size_t largest = 0;
        for (size_t s = 0; s <= i % point->T; s++) {
            largest = row[s] > row[largest] ? s : largest;
        }
        for (size_t s = 0; s < point->T; s++) {
            row[s] = s == largest;
        }
    }
    return 0;
}

static int count_errors(void *context, const PassBatch *pass)
{
    Alone *alone = context;
    const GameVariant *variant = alone->vocab->variant;
    for (size_t b = 0; b < pass->B; b++) {
        const uint8_t *moves = pass->moves + b * (size_t)variant->n_moves;
        Board after[GAME_MAX_MOVES];
        int n = game_replay(variant, moves, game_length(moves, variant->n_moves), after);
        for (int t = 0; t + 1 < n; t++) {
            const real *logits = pass->logits + (b * pass->T + (size_t)t) * 33;
            size_t top = 0;
            for (size_t v = 1; v < 33; v++) {
                top = logits[v] > logits[top] ? v : top;
            }
            bool legal = top > 0 &&
                         (board_moves(variant, &after[t]) >> alone->vocab->sq_of_tok[top] & 1) != 0;
            alone->strict += legal ? 0 : 1;
            alone->positions += 1;
        }
    }
    return 0;
}

static void replaced_as_by_a_hook(void **state)
{
    HeadGames games;
    HeadHard hard;
    Gpt *gpt = fixture_network(6, 3);
    assert_true(gpt && blas_init() == 0);
    head_games_fresh(&games, 6, 12, 2);
    assert_int_equal(head_hard_run(&hard, gpt, &games, 12, WORK_ALONE), 0);
    double moved = 0;
    for (size_t h = 0; h < hard.H; h++) {
        Alone alone = {.head = h % 3, .vocab = games.vocab};
        PassGames given = {.vocab = games.vocab, .n = 12, .moves = games.moves};
        PassCalls calls = {.context = &alone, .hook = harden, .visit = count_errors};
        passes_hook_layer(&calls, HOOK_PATTERN, (int)(h / 3));
        assert_int_equal(passes_run(gpt, &given, &calls, WORK_ALONE), 0);
        double found = hard.losses[h * N_HEAD_REPLACEMENTS + HEAD_HARD].strict.value;
        assert_true(fabs(alone.strict / alone.positions - hard.strict.value - found) < 1e-12);
        moved += fabs(found);
    }
    assert_true(moved > 0);
    head_hard_release(&hard);
    head_games_release(&games);
    gpt_free(gpt);
}

/* Attention that is not finite, and games of another board, are refused. */
static void refused(void **state)
{
    HeadGames games;
    HeadPatterns found;
    HeadHard hard;
    Gpt *gpt = fixture_network(6, 1);
    assert_true(gpt && blas_init() == 0);
    head_games_fresh(&games, 4, 4, 2);
    assert_int_equal(head_patterns_run(&found, gpt, &games, NULL, WORK_ALONE), OGPT_EFORMAT);
    assert_int_equal(head_hard_run(&hard, gpt, &games, 4, WORK_ALONE), OGPT_EFORMAT);
    head_games_release(&games);
    gpt->params[gpt->map.W_Q] = NAN;
    head_games_fresh(&games, 6, 4, 2);
    assert_int_equal(head_patterns_run(&found, gpt, &games, NULL, WORK_ALONE), OGPT_ENUM);
    assert_non_null(strstr(err_message(), "layer 0"));
    assert_int_equal(head_hard_run(&hard, gpt, &games, 4, WORK_ALONE), OGPT_ENUM);
    head_games_release(&games);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_change_no_bit),
        cmocka_unit_test(uniform_heads),
        cmocka_unit_test(replaced_as_by_a_hook),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
