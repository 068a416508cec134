/* tests/probes/activations/test_passes.c - the engine compared with forward passes by hand: which
 * games a pass holds, what hooks read and change, fetched games, lengths, order, ticks and errors.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/process.h"
#include "probes/activations/passes.h"
#include "tests/probes/probe_fixture.h"
#include "tests/probes/tick_log.h"

enum { N_GAMES = 150, MOVES = 32, T_ALL = 31, V = 33, LOGITS = T_ALL * V };

static ProbeFixture fixture;
static uint8_t moves[N_GAMES * MOVES];

/* Keeps the logits of every game and counts the windows. */
typedef struct Kept {
    float *logits; /* (N_GAMES, T_ALL, V) */
    size_t gathered, n_windows, bad_game;
    int hooked; /* calls of the hook in pass 0 */
    float shift;
} Kept;

static int keep_logits(void *context, const PassBatch *pass)
{
    Kept *kept = context;
    for (size_t b = 0; b < pass->B; b++) {
        size_t game = pass->game + b;
        if (game == kept->bad_game) {
            return err_set(OGPT_ENUM, "game %zu", game);
        }
        if (memcmp(pass->moves + b * MOVES, moves + game * MOVES, MOVES) != 0) {
            return err_set(OGPT_EFORMAT, "game %zu is another one", game);
        }
        memcpy(kept->logits + game * LOGITS, pass->logits + b * pass->T * V,
               pass->T * V * sizeof(float));
    }
    return 0;
}

static int keep_order(void *context, size_t first, size_t n)
{
    Kept *kept = context;
    assert_int_equal(first, kept->gathered);
    kept->gathered += n;
    kept->n_windows++;
    return 0;
}

static int shift_stream(void *context, const PassBatch *pass, const HookPoint *point)
{
    Kept *kept = context;
    assert_null(pass->logits);
    assert_int_equal(point->site, HOOK_RESID_POST);
    assert_int_equal(point->layer, 1);
    if (pass->game == 0) {
        kept->hooked++;
    }
    for (size_t i = 0; i < point->B * point->T * point->width; i += point->width) {
        point->value[i] += kept->shift;
    }
    return 0;
}

static Kept kept_new(void)
{
    return (Kept){.logits = test_calloc(N_GAMES * LOGITS, sizeof(float)), .bad_game = SIZE_MAX};
}

static PassGames all_games(void)
{
    return (PassGames){.vocab = fixture.subject.vocab, .n = N_GAMES, .moves = moves};
}

static int push(Kept *kept, const PassGames *games, const Work *work)
{
    PassCalls calls = {.context = kept, .visit = keep_logits, .gather = keep_order};
    if (kept->shift != 0) {
        calls.hook = shift_stream;
        passes_hook_layer(&calls, HOOK_RESID_POST, 1);
    }
    return passes_run(fixture.model.gpt, games, &calls, work);
}

/* The same 16 games in one forward pass. */
static void passes_are_forward_passes(void **state)
{
    Kept kept = kept_new();
    PassGames games = all_games();
    uint8_t input[PASS_GAMES * T_ALL], target[PASS_GAMES * T_ALL];
    Tape *tape = NULL;
    assert_int_equal(push(&kept, &games, WORK_ALONE), 0);
    assert_int_equal(tape_new(&tape, &fixture.model.gpt->cfg, PASS_GAMES, TAPE_FORWARD, NULL), 0);
    batch_encode(input, target, games.vocab, moves + 32 * MOVES, PASS_GAMES);
    const real *logits = gpt_forward(fixture.model.gpt, tape, input, PASS_GAMES, T_ALL, NULL);
    assert_memory_equal(kept.logits + 32 * LOGITS, logits, PASS_GAMES * LOGITS * sizeof(float));
    assert_memory_not_equal(kept.logits + 31 * LOGITS, logits, LOGITS * sizeof(float));
    tape_free(tape);
    test_free(kept.logits);
}

static void workers_and_fetching_change_no_bit(void **state)
{
    Kept alone = kept_new(), other = kept_new();
    PassGames games = all_games(), fetched = all_games();
    Pool *pool = NULL;
    TickLog log;
    assert_int_equal(pool_new(&pool, 3), 0);
    games.games_a_pass = fetched.games_a_pass = 2; /* 75 passes: two windows */
    assert_int_equal(push(&alone, &games, WORK_ALONE), 0);
    assert_int_equal(alone.n_windows, 2);
    assert_int_equal(alone.gathered, N_GAMES);
    fetched.moves = NULL;
    assert_int_equal(source_corpus(&fetched.source, fixture.corpus, 7, false, 1), 0);
    const Work heard = tick_log_work(&log, (Work){.pool = pool});
    assert_int_equal(push(&other, &fetched, &heard), 0);
    assert_true(tick_log_ended(&log, "games", N_GAMES));
    assert_int_equal(log.n, 2);
    assert_memory_equal(alone.logits, other.logits, N_GAMES * LOGITS * sizeof(float));
    /* Negative twin: with another first game every game differs. */
    fetched.first = 1;
    assert_int_equal(push(&other, &fetched, &heard), OGPT_EFORMAT);
    source_free(fetched.source);
    pool_free(pool);
    test_free(alone.logits);
    test_free(other.logits);
}

static void what_hooks_leave_goes_on(void **state)
{
    Kept plain = kept_new(), shifted = kept_new();
    PassGames games = all_games();
    shifted.shift = 1;
    assert_int_equal(push(&plain, &games, WORK_ALONE), 0);
    assert_int_equal(push(&shifted, &games, WORK_ALONE), 0);
    assert_int_equal(shifted.hooked, 1); /* one site at one layer */
    assert_memory_not_equal(plain.logits, shifted.logits, LOGITS * sizeof(float));
    test_free(plain.logits);
    test_free(shifted.logits);
}

/* d loss / d residual stream of the first game of a pass, at layer 1. */
typedef struct Slope {
    float gradient[T_ALL * 24];
    double loss;
} Slope;

static void keep_gradient(void *context, const HookPoint *point)
{
    Slope *slope = context;
    memcpy(slope->gradient, point->gradient, T_ALL * point->width * sizeof(float));
}

static int ask_gradient(void *context, const PassBatch *pass)
{
    Slope *slope = context;
    float dlogits[2 * LOGITS] = {0};
    Hooks back = {.fn = keep_gradient, .context = slope, .sites[HOOK_RESID_POST] = 2};
    if (pass->game > 0) {
        return 0;
    }
    dlogits[5 * V + 7] = 1; /* the metric: one logit, of game 0 alone */
    slope->loss = (double)pass->logits[5 * V + 7];
    gpt_gradient(fixture.model.gpt, pass->tape, pass->tokens, dlogits, &back, NULL);
    return 0;
}

/* A visit asks for the gradient of a metric. A small shift of coordinate 0 changes the metric as
 * the gradient says. Behind position 5 the gradient is zero, because later positions are not read.
 */
static void a_visit_may_ask_for_gradients(void **state)
{
    static Slope slope;
    PassGames games = all_games();
    PassCalls calls = {.context = &slope, .mode = TAPE_GRADIENT, .visit = ask_gradient};
    Kept plain = kept_new(), moved = kept_new();
    games.n = 2;
    games.games_a_pass = 2;
    assert_int_equal(passes_run(fixture.model.gpt, &games, &calls, WORK_ALONE), 0);
    for (size_t i = 6 * 24; i < T_ALL * 24; i++) {
        assert_true(slope.gradient[i] == 0);
    }
    double slope_0 = 0; /* along coordinate 0, at all positions */
    for (size_t t = 0; t < 6; t++) {
        slope_0 += (double)slope.gradient[t * 24];
    }
    moved.shift = 1e-2f;
    assert_int_equal(push(&plain, &games, WORK_ALONE), 0);
    assert_int_equal(push(&moved, &games, WORK_ALONE), 0);
    double change = (double)moved.logits[5 * V + 7] - (double)plain.logits[5 * V + 7];
    assert_true(slope.loss == (double)plain.logits[5 * V + 7]);
    assert_true(fabs(slope_0) > 1e-3);
    assert_true(fabs(change / 1e-2 - slope_0) < 0.05 * fabs(slope_0)); /* a step, not a limit */
    test_free(plain.logits);
    test_free(moved.logits);
}

/* Layer embed is the input of block 0, whatever the site. */
static void embed_is_the_input_of_block_0(void **state)
{
    PassCalls calls = {0};
    passes_hook_layer(&calls, HOOK_ATTN_OUT, LAYER_EMBED);
    passes_hook_layer(&calls, HOOK_ATTN_OUT, 2);
    assert_true(calls.sites[HOOK_RESID_PRE] == 1 && calls.sites[HOOK_ATTN_OUT] == 4);
}

typedef struct SeenPass {
    size_t T;
    uint8_t tokens[4 * T_ALL], targets[4 * T_ALL];
} SeenPass;

static int see_pass(void *context, const PassBatch *pass)
{
    SeenPass *seen = context;
    seen->T = pass->T;
    memcpy(seen->tokens, pass->tokens, pass->B * pass->T);
    memcpy(seen->targets, pass->targets, pass->B * pass->T);
    return 0;
}

/* A pass is as long as its longest game; shorter games are padded. */
static void lengths_are_kept(void **state)
{
    const uint8_t read[2] = {3, 5};
    SeenPass seen;
    PassGames games = {
        .vocab = fixture.subject.vocab, .n = 2, .moves = moves, .read = read, .games_a_pass = 4};
    PassCalls calls = {.context = &seen, .visit = see_pass};
    assert_int_equal(passes_run(fixture.model.gpt, &games, &calls, WORK_ALONE), 0);
    assert_int_equal(seen.T, 5);
    for (size_t t = 0; t < 5; t++) {
        uint8_t tok = games.vocab->tok_of_sq[moves[t]];
        assert_int_equal(seen.tokens[t], t < 3 ? tok : TOK_PAD);
        assert_int_equal(seen.targets[t], t < 3 ? games.vocab->tok_of_sq[moves[t + 1]] : TOK_PAD);
        assert_int_equal(seen.tokens[5 + t], games.vocab->tok_of_sq[moves[MOVES + t]]);
    }
}

/* Behind its last move a game is padded, however many moves are to be read. */
static void a_short_game_is_padded(void **state)
{
    const uint8_t read[1] = {5};
    uint8_t game[MOVES];
    SeenPass seen;
    PassGames games = {.vocab = fixture.subject.vocab, .n = 1, .moves = game, .read = read};
    PassCalls calls = {.context = &seen, .visit = see_pass};
    memset(game, SQ_NONE, sizeof(game));
    memcpy(game, moves, 3);
    assert_int_equal(passes_run(fixture.model.gpt, &games, &calls, WORK_ALONE), 0);
    assert_int_equal(seen.T, 5);
    for (size_t t = 0; t < 5; t++) {
        assert_int_equal(seen.tokens[t], t < 3 ? games.vocab->tok_of_sq[moves[t]] : TOK_PAD);
        assert_int_equal(seen.targets[t], t < 2 ? games.vocab->tok_of_sq[moves[t + 1]] : TOK_PAD);
    }
}

static int refuse_layer(void *context, const PassBatch *pass, const HookPoint *point)
{
    int *calls = context;
    ++*calls;
    return err_set(OGPT_ENUM, "layer %d of game %zu", point->layer, pass->game);
}

static void faults_are_reported(void **state)
{
    Kept kept = kept_new();
    PassGames games = all_games();
    int n_calls = 0;
    kept.bad_game = 70;
    assert_int_equal(push(&kept, &games, WORK_ALONE), OGPT_ENUM);
    assert_string_equal(err_message(), "game 70");
    PassCalls refusing = {.context = &n_calls, .hook = refuse_layer};
    passes_hook_layer(&refusing, HOOK_RESID_POST, 0);
    passes_hook_layer(&refusing, HOOK_RESID_POST, 1);
    assert_int_equal(passes_run(fixture.model.gpt, &games, &refusing, WORK_ALONE), OGPT_ENUM);
    assert_string_equal(err_message(), "layer 0 of game 0");
    assert_int_equal(n_calls, 1); /* the rest of the pass is not hooked */
    games.vocab = vocab_of(game_variant(8));
    assert_int_equal(push(&kept, &games, WORK_ALONE), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "d_vocab 33"));
    games = all_games();
    interrupt_set(15);
    assert_int_equal(push(&kept, &games, WORK_ALONE), OGPT_EINTR);
    interrupt_set(0);
    test_free(kept.logits);
}

static int setup(void **state)
{
    return fixture_open(&fixture, N_GAMES) || corpus_read(fixture.corpus, moves, 0, N_GAMES);
}

static int teardown(void **state)
{
    fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_are_forward_passes),
        cmocka_unit_test(workers_and_fetching_change_no_bit),
        cmocka_unit_test(what_hooks_leave_goes_on),
        cmocka_unit_test(a_visit_may_ask_for_gradients),
        cmocka_unit_test(embed_is_the_input_of_block_0),
        cmocka_unit_test(lengths_are_kept),
        cmocka_unit_test(a_short_game_is_padded),
        cmocka_unit_test(faults_are_reported),
    };
    return cmocka_run_group_tests_name("passes", tests, setup, teardown);
}
