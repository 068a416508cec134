/* tests/probes/ablation/test_ablation_parts.c - names of units and kinds, positions, lending games,
 * and that neither workers nor an interruption change a bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/ablation/ablation.h"
#include "tests/probes/probe_fixture.h"
#include "tests/probes/stopped_journal.h"

/* ---- names ---- */

static void lists_of_names_are_read_strictly(void **state)
{
    static const char *const wrong[] = {"", "head,", "heads", "head,head", ",head", "head mlp"};
    unsigned bits;
    assert_int_equal(ablation_units_parse(&bits, "head,mlp", "--units"), 0);
    assert_int_equal(bits, 1U << ABLATE_HEAD | 1U << ABLATE_MLP);
    assert_int_equal(ablation_kinds_parse(&bits, "random,zero", "--kinds"), 0);
    assert_int_equal(bits, 1U << ABLATION_ZERO | 1U << ABLATION_RANDOM);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(ablation_units_parse(&bits, wrong[i], "--units"), OGPT_EUSAGE);
        assert_non_null(strstr(err_message(), "--units"));
    }
    (void)state;
}

static void units_are_listed_once_with_names(void **state)
{
    static const char *const names[] = {"input", "L0H0", "L0H1", "L1H0",   "L1H1",  "attn0",
                                        "attn1", "mlp0", "mlp1", "block0", "block1"};
    GptConfig cfg = {.n_layers = 2, .n_heads = 2, .d_mlp = 3};
    AblationUnit units[64];
    char name[ABLATION_NAME_MAX];
    unsigned kinds = ((1U << N_ABLATION_UNITS) - 1) & ~(1U << ABLATE_NEURON);
    size_t n = ablation_units_count(&cfg, kinds);
    assert_int_equal(n, sizeof(names) / sizeof(names[0]));
    ablation_units_list(units, &cfg, kinds);
    for (size_t i = 0; i < n; i++) {
        ablation_unit_name(name, units[i]);
        assert_string_equal(name, names[i]);
    }
    assert_int_equal(ablation_units_count(&cfg, 1U << ABLATE_NEURON), 6);
    ablation_units_list(units, &cfg, 1U << ABLATE_NEURON);
    ablation_unit_name(name, units[5]);
    assert_string_equal(name, "L1N2");
    (void)state;
}

/* ---- positions and lending games ---- */

static GameSource *fresh(RngPurpose purpose)
{
    GameSource *source;
    assert_int_equal(source_fresh(&source, game_variant(6), 3, purpose), 0);
    return source;
}

static void positions_are_those_of_the_rules(void **state)
{
    GameSource *games = fresh(RNG_EVAL);
    AblationPositions positions, part;
    size_t V = 33;
    assert_int_equal(ablation_positions_draw(&positions, games, 50, 3, WORK_ALONE), 0);
    assert_true(positions.n > 100 && positions.n <= 150 && positions.n_games <= 50);
    for (size_t i = 0; i < positions.n; i++) {
        const AblationPosition *at = &positions.at[i];
        double sum = 0.0, up = 0.0;
        uint64_t occupied = at->board.mine | at->board.theirs;
        assert_true(i == 0 || at->n_moves <= at[-1].n_moves);
        assert_true(at->game < positions.n_games);
        assert_true(at->legal >> at->square & 1);
        assert_int_equal(at->legal, board_moves(game_variant(6), &at->board));
        for (size_t v = 0; v < V; v++) {
            double w = (double)positions.weights[i * V + v];
            uint8_t sq = positions.vocab->sq_of_tok[v];
            bool legal = v > 0 && at->legal >> sq & 1, full = v == 0 || occupied >> sq & 1;
            assert_true(full ? w == 0 : legal ? w > 0 : w < 0);
            sum += w;
            up += w > 0 ? w : 0;
        }
        assert_true(sum > -1e-5 && sum < 1e-5 && up > 0.9999 && up < 1.0001);
    }
    assert_int_equal(ablation_positions_part(&part, &positions, 20), 0);
    assert_int_equal(part.n, 20);
    assert_true(part.at[0].n_moves > 20 && part.at[19].n_moves < 8); /* not the longest alone */
    assert_memory_equal(part.at[3].moves, positions.at[3 * positions.n / 20].moves, 60);
    ablation_positions_release(&part);
    ablation_positions_release(&positions);
    source_free(games);
    (void)state;
}

/* Squares of the mask on which two boards differ. */
static int differences(const Board *a, const Board *b, uint64_t squares)
{
    return __builtin_popcountll(((a->mine ^ b->mine) | (a->theirs ^ b->theirs)) & squares);
}

static void games_that_lend_agree_where_they_must(void **state)
{
    static const char *const words[] = {"local", "own", "b3"};
    GameSource *games = fresh(RNG_EVAL), *training = fresh(RNG_FRESH);
    AblationDonors donors;
    AblationMatch match;
    assert_int_equal(ablation_donors_open(&donors, training, 4000, WORK_ALONE), 0);
    for (size_t w = 0; w < 3; w++) {
        AblationPositions positions;
        size_t differ[2] = {0};
        assert_int_equal(ablation_positions_draw(&positions, games, 60, 1, WORK_ALONE), 0);
        size_t all = positions.n;
        assert_int_equal(ablation_match_parse(&match, game_variant(6), words[w], "--match"), 0);
        assert_int_equal(ablation_donors_assign(&positions, &donors, &match, WORK_ALONE), 0);
        assert_int_equal(positions.n + positions.no_donor, all);
        assert_true(positions.n > all / 2);
        for (size_t i = 0; i < positions.n; i++) {
            const AblationPosition *at = &positions.at[i];
            uint64_t squares = ablation_match_squares(&match, game_variant(6), at);
            assert_int_equal(squares >> (w == 2 ? 8 * 2 + 1 : at->square) & 1, 1);
            assert_true(w == 0 ? squares & (squares - 1) : (squares & (squares - 1)) == 0);
            for (int d = 0; d < 2; d++) {
                const uint8_t *moves = donors.moves + at->donor[d] * 32;
                Board after[GAME_MAX_MOVES];
                assert_int_equal(game_replay(game_variant(6), moves, at->n_moves, after),
                                 at->n_moves);
                assert_true(memcmp(moves, at->moves, (size_t)at->n_moves) != 0);
                differ[d] += differences(&after[at->n_moves - 1], &at->board, squares) > 0;
            }
        }
        assert_int_equal(differ[1], 0);
        assert_true(differ[0] > 5); /* twin: a game drawn freely does not agree */
        ablation_positions_release(&positions);
    }
    /* Nothing is matched: hardly one of few games agrees, and all of them can lend. */
    AblationPositions positions;
    donors.n = 3;
    assert_int_equal(ablation_positions_draw(&positions, games, 60, 1, WORK_ALONE), 0);
    size_t all = positions.n;
    assert_int_equal(ablation_donors_assign(&positions, &donors, NULL, WORK_ALONE), 0);
    assert_int_equal(positions.n, all);
    assert_int_equal(positions.at[all - 1].donor[0], positions.at[all - 1].donor[1]);
    assert_int_equal(ablation_match_parse(&match, game_variant(6), "local", "--match"), 0);
    assert_int_equal(ablation_donors_assign(&positions, &donors, &match, WORK_ALONE), 0);
    assert_true(positions.n < all); /* twin */
    ablation_positions_release(&positions);
    assert_int_equal(ablation_match_parse(&match, game_variant(6), "h8", "--match"), OGPT_EUSAGE);
    assert_int_equal(ablation_match_parse(&match, game_variant(6), "near", "--match"), OGPT_EUSAGE);
    ablation_donors_release(&donors);
    source_free(games);
    source_free(training);
    (void)state;
}

/* ---- workers, interruption, errors ---- */

static void neither_workers_nor_an_interruption_change_a_bit(void **state)
{
    GameSource *games = fresh(RNG_EVAL), *training = fresh(RNG_FRESH);
    AblationPositions positions;
    AblationMeans means, again;
    AblationResult first, second, third;
    Gpt *gpt = fixture_network(6, 1);
    Pool *pool;
    StoppedJournal journal;
    assert_non_null(gpt);
    assert_int_equal(pool_new(&pool, 3), 0);
    const Work shared = {.pool = pool}, journalled = {.pool = pool, .journal = &journal.callbacks};
    assert_int_equal(ablation_positions_draw(&positions, games, 100, 1, WORK_ALONE), 0);
    assert_int_equal(ablation_means_fit(&means, gpt, training, 150, WORK_ALONE), 0);
    assert_int_equal(ablation_means_fit(&again, gpt, training, 150, &shared), 0);
    assert_memory_equal(means.rows, again.rows, 31 * (24 + 3 * (3 * 24 + 96)) * sizeof(real));
    AblationInputs in = {.gpt = gpt, .positions = &positions, .means = &means, .seed = 5};
    AblationUnit units[288];
    AblationSet sets[288];
    ablation_units_list(units, &gpt->cfg, 1U << ABLATE_NEURON);
    for (size_t i = 0; i < 288; i++) {
        sets[i] = (AblationSet){&units[i], 1, i % 2 ? ABLATION_MEAN : ABLATION_RANDOM, false};
    }
    assert_int_equal(ablation_run(&first, &in, sets, 288, "one", WORK_ALONE), 0);
    assert_int_equal(ablation_run(&second, &in, sets, 288, "one", &shared), 0);
    journal_begin(&journal, 3);
    assert_int_equal(ablation_run(&third, &in, sets, 288, "one", &journalled), OGPT_EINTR);
    journal.stop_after = SIZE_MAX;
    assert_int_equal(ablation_run(&third, &in, sets, 288, "one", &journalled), 0);
    assert_int_equal(journal.n_recalled, 3);
    size_t effects = 288 * positions.n * sizeof(AblationEffect);
    assert_memory_equal(first.effects, second.effects, effects);
    assert_memory_equal(first.effects, third.effects, effects);
    assert_memory_equal(first.parts, second.parts, 288 * first.n_senders * sizeof(double));
    assert_memory_equal(first.parts, third.parts, 288 * first.n_senders * sizeof(double));
    assert_true(first.identity_error > 0 && first.identity_error == third.identity_error);
    in.seed = 6; /* twin: another seed draws other directions */
    ablation_release(&second);
    assert_int_equal(ablation_run(&second, &in, sets, 288, "one", WORK_ALONE), 0);
    assert_true(memcmp(first.effects, second.effects, effects) != 0);
    journal_end(&journal);
    ablation_release(&first);
    ablation_release(&second);
    ablation_release(&third);
    ablation_means_release(&means);
    ablation_means_release(&again);
    ablation_positions_release(&positions);
    pool_free(pool);
    gpt_free(gpt);
    source_free(games);
    source_free(training);
    (void)state;
}

static void what_cannot_be_done_is_refused(void **state)
{
    GameSource *games = fresh(RNG_EVAL);
    AblationPositions positions;
    AblationResult result;
    Gpt *gpt = fixture_network(6, 1), *other = fixture_network(4, 1);
    AblationUnit units[2] = {{ABLATE_HEAD, 0, 0}, {ABLATE_HEAD, 9, 0}};
    AblationSet mean = {units, 1, ABLATION_MEAN, false}, lent = {units, 1, ABLATION_MATCHED, false};
    AblationSet two = {units, 2, ABLATION_RANDOM, false}, none = {units, 0, ABLATION_ZERO, false};
    AblationSet deep = {units + 1, 1, ABLATION_ZERO, false},
                good = {units, 1, ABLATION_ZERO, false};
    AblationMeans empty = {0};
    const AblationSet *const wrong[] = {&mean, &lent, &two, &none, &deep};
    assert_int_equal(ablation_positions_draw(&positions, games, 5, 1, WORK_ALONE), 0);
    AblationInputs in = {.gpt = gpt, .positions = &positions};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(ablation_run(&result, &in, wrong[i], 1, "one", WORK_ALONE), OGPT_EUSAGE);
    }
    assert_int_equal(ablation_run(&result, &in, &good, 1, "one", WORK_ALONE), 0);
    ablation_release(&result);
    in.gpt = other; /* a network of another board */
    assert_int_equal(ablation_run(&result, &in, &good, 1, "one", WORK_ALONE), OGPT_EFORMAT);
    in.gpt = gpt;
    empty.counts = calloc(31, sizeof(uint64_t)); /* means of no game */
    assert_non_null(empty.counts);
    in.means = &empty;
    assert_int_equal(ablation_run(&result, &in, &good, 1, "one", WORK_ALONE), OGPT_EFORMAT);
    free(empty.counts);
    in.means = NULL;
    gpt->params[gpt->map.W_U] = (real)(0.0 / 0.0);
    assert_int_equal(ablation_run(&result, &in, &good, 1, "one", WORK_ALONE), OGPT_ENUM);
    ablation_positions_release(&positions);
    gpt_free(gpt);
    gpt_free(other);
    source_free(games);
    (void)state;
}

int main(void)
{
    if (blas_init() != 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_names_are_read_strictly),
        cmocka_unit_test(units_are_listed_once_with_names),
        cmocka_unit_test(positions_are_those_of_the_rules),
        cmocka_unit_test(games_that_lend_agree_where_they_must),
        cmocka_unit_test(neither_workers_nor_an_interruption_change_a_bit),
        cmocka_unit_test(what_cannot_be_done_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
