/* tests/probes/world/test_player.c - every player answers what its definition says: the rules,
 * the whole forward pass, what a probe reads, mistakes dealt at random, a plant at one board. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/labels.h"
#include "game/rules_ref.h"
#include "probes/legality/answers.h"
#include "tests/probes/world/world_fixture.h"

/* The same products in other shapes (tests/model/test_prefix.c), as probabilities. */
#define TOL 1e-6

enum { SIZE = 6, MAX_V = 33 };

static PlayerLine line_at(const WorldFixture *f, uint64_t i, int n)
{
    Rng rng = rng_at(3, RNG_TEST, i);
    return world_random_line(&rng, f->variant, n);
}

static void network_answers_are_those_of_the_whole_pass(void **state)
{
    WorldFixture f;
    PlayerSeat *seat;
    Tape *tape;
    PlayerLine lines[PLAYER_LINES];
    PlayerBranch branches[300];
    uint8_t next[PLAYER_LINES];
    float p[PLAYER_LINES * MAX_V], q[300 * MAX_V];
    double worst = 0, moved = 0;
    size_t n_branches = 0;
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    size_t V = (size_t)f.vocab->d_vocab;
    assert_int_equal(player_seat_new(&seat, &f.set.players[PLAYER_NETWORK]), 0);
    assert_int_equal(tape_new(&tape, &f.gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    for (size_t i = 0; i < PLAYER_LINES; i++) {
        lines[i] = line_at(&f, i, 1 + (int)i % 24);
    }
    for (int round = 0; round < 3; round++) { /* start, then go on twice */
        if (round == 0) {
            assert_int_equal(player_start(p, seat, lines, PLAYER_LINES), 0);
        } else {
            for (size_t i = 0; i < PLAYER_LINES; i++) {
                Rng rng = rng_at(4, RNG_TEST, i);
                next[i] = (uint8_t)world_random_move(&rng, f.variant, &lines[i].board);
                player_line_play(&lines[i], f.variant, next[i]);
                assert_false(board_is_over(f.variant, &lines[i].board));
            }
            assert_int_equal(player_go_on(p, seat, next), 0);
        }
        for (size_t i = 0; i < PLAYER_LINES; i++) {
            uint8_t tokens[GAME_MAX_MOVES];
            double whole[MAX_V];
            for (int t = 0; t < lines[i].n; t++) {
                tokens[t] = f.vocab->tok_of_sq[lines[i].moves[t]];
            }
            const real *logits = gpt_forward(f.gpt, tape, tokens, 1, (size_t)lines[i].n, NULL);
            answer_probabilities(whole, logits + ((size_t)lines[i].n - 1) * V, (int)V);
            for (size_t tok = 0; tok < V; tok++) {
                worst = fmax(worst, fabs(whole[tok] - p[i * V + tok]));
                moved = fmax(moved, fabs(whole[tok] - p[(i + 1) % PLAYER_LINES * V + tok]));
            }
        }
        assert_true(worst < TOL && moved > 100 * TOL);
    }
    for (uint16_t i = 0; i < PLAYER_LINES; i++) { /* a branch is where going on would lead */
        uint64_t legal = board_moves(f.variant, &lines[i].board);
        next[i] = (uint8_t)__builtin_ctzll(legal);
        for (; legal != 0; legal &= legal - 1) {
            branches[n_branches++] = (PlayerBranch){i, (uint8_t)__builtin_ctzll(legal)};
        }
    }
    assert_in_range(n_branches, PLAYER_LINES + 1, 300);
    assert_int_equal(player_branches(q, seat, branches, n_branches), 0);
    assert_int_equal(player_go_on(p, seat, next), 0);
    for (size_t r = 0; r < n_branches; r++) {
        size_t i = branches[r].line;
        for (size_t tok = 0; tok < V && branches[r].sq == next[i]; tok++) {
            assert_true(fabs((double)q[r * V + tok] - (double)p[i * V + tok]) < TOL);
        }
    }
    tape_free(tape);
    player_seat_free(seat);
    world_fixture_close(&f);
}

/* A probe of random weights at two layers. */
static Probe random_probe(const WorldFixture *f, const char *labels)
{
    Probe probe = {.site = HOOK_RESID_POST,
                   .size = SIZE,
                   .n_squares = SIZE * SIZE,
                   .n_classes = 3,
                   .d_model = f->gpt->cfg.d_model,
                   .n_layers = 2,
                   .layers = {LAYER_EMBED, 0}};
    Rng rng = rng_at(6, RNG_TEST, 0);
    snprintf(probe.task, sizeof(probe.task), "mine");
    snprintf(probe.labels, sizeof(probe.labels), "%s", labels);
    assert_int_equal(probe_allocate(&probe), 0);
    for (int l = 0; l < 2; l++) {
        for (size_t i = 0; i < (size_t)probe.d_model * SIZE * SIZE * 3; i++) {
            probe.weight[l][i] = (float)rng_normal(&rng);
        }
    }
    return probe;
}

/* The row of the last position. */
static void copy_last(void *context, const HookPoint *point)
{
    memcpy(context, point->value + (point->T - 1) * point->width, point->width * sizeof(real));
}

/* Squares that a probe reads wrongly after a line, from the whole pass: labels of the board after
 * `labelled` moves. *close: squares where rounding may decide between two classes. */
static int wrong_of_whole_pass(int *close, const WorldFixture *f, Tape *tape, const Player *player,
                               const PlayerLine *line, int labelled)
{
    const Probe *probe = player->probe;
    real row[256];
    float scores[SIZE * SIZE * 3];
    uint8_t tokens[GAME_MAX_MOVES], labels[SIZE * SIZE];
    int block = 0, wrong = 0;
    LabelConvention convention =
        strcmp(probe->labels, "parity") == 0 ? LABELS_PARITY : LABELS_MOVER;
    Hooks hooks = {.fn = copy_last, .context = row};
    HookSite site = probe_hook(&block, probe, probe->layers[player->probe_layer]);
    PlayerLine at = player_line_of(f->variant, line->moves, labelled);
    hooks.sites[site] = 1ULL << block;
    for (int t = 0; t < line->n; t++) {
        tokens[t] = f->vocab->tok_of_sq[line->moves[t]];
    }
    assert_true(probe->d_model <= 256);
    gpt_forward(f->gpt, tape, tokens, 1, (size_t)line->n, &hooks);
    probe_scores(scores, probe, player->probe_layer, row, 1);
    labels_mine(labels, f->variant, &at.board, labelled - 1, convention);
    *close = 0;
    for (size_t s = 0; s < SIZE * SIZE; s++) {
        const float *of = scores + 3 * s;
        int top = of[1] > of[0] ? 1 : 0;
        top = of[2] > of[top] ? 2 : top;
        for (int c = 0; c < 3; c++) {
            *close += c != top && of[top] - of[c] < 1e-4F * fabsf(of[top]);
        }
        wrong += labels[s] != top;
    }
    return wrong;
}

/* More branches than one pass takes: those of all lines, twice. */
static void a_probe_reads_behind_every_branch(void **state)
{
    static const char *const conventions[] = {"mover", "parity", "mover"};
    WorldFixture f;
    Tape *tape;
    PlayerLine lines[PLAYER_LINES];
    static PlayerBranch branches[600];
    static float p[600 * MAX_V];
    size_t n = 0;
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    assert_int_equal(tape_new(&tape, &f.gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    for (int round = 0; round < 2; round++) {
        for (uint16_t i = 0; i < PLAYER_LINES; i++) {
            lines[i] = line_at(&f, i, 1 + (int)i % 20);
            for (uint64_t legal = board_moves(f.variant, &lines[i].board); legal != 0;
                 legal &= legal - 1) {
                branches[n++] = (PlayerBranch){i, (uint8_t)__builtin_ctzll(legal)};
            }
        }
    }
    assert_in_range(n, 256 + 1, 600);
    for (int way = 0; way < 3; way++) {
        Probe probe = random_probe(&f, conventions[way]);
        Player player = f.set.players[PLAYER_NETWORK];
        PlayerSeat *seat;
        size_t n_close = 0, n_off = 0, n_checked = 0;
        player.probe = &probe;
        player.probe_layer = way == 2 ? 0 : 1;
        assert_int_equal(player_seat_new(&seat, &player), 0);
        assert_int_equal(player_start(NULL, seat, lines, PLAYER_LINES), 0);
        assert_int_equal(player_branches(p, seat, branches, n), 0);
        const float *misread = player_misread(seat);
        for (size_t r = 0; r < n; r += 3, n_checked++) {
            PlayerLine line = lines[branches[r].line];
            int close, found = (int)lrintf(misread[r] * SIZE * SIZE);
            player_line_play(&line, f.variant, branches[r].sq);
            int wrong = wrong_of_whole_pass(&close, &f, tape, &player, &line, line.n);
            assert_true(abs(wrong - found) <= close);
            n_close += close > 0;
            /* The twin: the labels of the board before the branch. */
            wrong = wrong_of_whole_pass(&close, &f, tape, &player, &line, line.n - 1);
            n_off += abs(wrong - found) > close;
        }
        assert_true(n_off > n_checked / 2 && n_close < n_checked / 10);
        player_seat_free(seat);
        probe_release(&probe);
    }
    tape_free(tape);
    world_fixture_close(&f);
}

/* Lines that grew by different numbers of moves are answered as if they had been started there. */
static void a_seat_follows_its_lines(void **state)
{
    enum { LINES = 6 };
    WorldFixture f;
    PlayerSeat *seat;
    PlayerLine lines[LINES];
    float p[LINES * MAX_V], q[LINES * MAX_V];
    double moved = 0;
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    assert_int_equal(player_seat_new(&seat, &f.set.players[PLAYER_NETWORK]), 0);
    for (size_t i = 0; i < LINES; i++) {
        lines[i] = line_at(&f, i, 5 + (int)i);
    }
    assert_int_equal(player_start(p, seat, lines, LINES), 0);
    for (size_t i = 0; i < LINES; i++) {
        for (size_t more = 0; more < 1 + i % 3; more++) {
            player_line_play(&lines[i], f.variant,
                             __builtin_ctzll(board_moves(f.variant, &lines[i].board)));
        }
    }
    assert_int_equal(player_follow(q, seat, lines), 0);
    for (size_t i = 0; i < LINES * (size_t)f.vocab->d_vocab; i++) {
        moved = fmax(moved, fabs((double)p[i] - (double)q[i]));
    }
    assert_int_equal(player_start(p, seat, lines, LINES), 0);
    for (size_t i = 0; i < LINES * (size_t)f.vocab->d_vocab; i++) {
        assert_true(fabs((double)p[i] - (double)q[i]) < TOL);
    }
    assert_true(moved > 100 * TOL);
    player_seat_free(seat);
    world_fixture_close(&f);
}

/* By the plain rules of game/rules_ref.h. */
static bool ref_legal(const GameVariant *variant, const Board *board, int sq)
{
    RefBoard ref;
    ref_from_board(&ref, variant, board);
    return ref_is_legal(&ref, ref.to_move, sq / 8, sq % 8);
}

static void controls_know_what_they_should(void **state)
{
    WorldFixture f;
    size_t n_told_apart[N_PLAYER_KINDS] = {0};
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    for (uint64_t i = 0; i < 60; i++) {
        PlayerLine line = line_at(&f, i, 1 + (int)i % 28);
        Board other = board_swapped(&line.board);
        float p[MAX_V];
        for (int kind = PLAYER_ENGINE; kind <= PLAYER_EITHER_SIDE; kind++) {
            int n = 0;
            player_answer_alone(p, &f.set.players[kind], &line);
            for (int tok = 1; tok < f.vocab->d_vocab; tok++) {
                int sq = f.vocab->sq_of_tok[tok];
                bool mine = ref_legal(f.variant, &line.board, sq);
                bool taken = (line.board.mine | line.board.theirs) >> sq & 1;
                bool wanted = kind == PLAYER_ENGINE    ? mine
                              : kind == PLAYER_EMPTIES ? !taken
                                                       : mine || ref_legal(f.variant, &other, sq);
                assert_int_equal(p[tok] > 0, wanted);
                n += wanted;
                n_told_apart[kind] += wanted != mine;
            }
            assert_true(p[TOK_PAD] == 0 &&
                        fabsf(p[answer_top(p, f.vocab->d_vocab)] * (float)n - 1) < 1e-6F);
        }
    }
    assert_int_equal(n_told_apart[PLAYER_ENGINE], 0);
    assert_true(n_told_apart[PLAYER_EITHER_SIDE] > 0);
    assert_true(n_told_apart[PLAYER_EMPTIES] > n_told_apart[PLAYER_EITHER_SIDE]);
    world_fixture_close(&f);
}

/* Mistakes are dealt: as many as the network makes, elsewhere, by the history alone. */
static void mistakes_are_as_many_and_elsewhere(void **state)
{
    enum { GAMES = 64 };
    WorldFixture f;
    Interval network, dealt, engine;
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    const Player *player = &f.set.players[PLAYER_RANDOM_MISTAKES];
    assert_int_equal(world_strict_error(&network, &f.set.players[PLAYER_NETWORK], GAMES, &f.alone),
                     0);
    assert_int_equal(world_strict_error(&dealt, player, GAMES, &f.together), 0);
    assert_int_equal(world_strict_error(&engine, &f.set.players[PLAYER_ENGINE], GAMES, &f.alone),
                     0);
    assert_true(engine.value == 0 && network.value > 0.2 && network.value < 0.99);
    assert_true(dealt.value > network.low && dealt.value < network.high);
    size_t n_same = 0, n_legal = 0;
    for (uint64_t i = 0; i < 40; i++) {
        PlayerLine line = line_at(&f, i, 9), again = line;
        float p[MAX_V], q[MAX_V];
        double total = 0;
        player_answer_alone(p, player, &line);
        player_answer_alone(q, player, &again);
        assert_memory_equal(p, q, sizeof(float) * MAX_V);
        again.moves[0] ^= 1; /* another history of the same board, as far as the player can see */
        player_answer_alone(q, player, &again);
        n_same += answer_top(p, MAX_V) == answer_top(q, MAX_V);
        n_legal += world_legal(f.vocab, &line.board) >> answer_top(p, MAX_V) & 1;
        for (int tok = 0; tok < MAX_V; tok++) {
            total += p[tok];
        }
        assert_true(fabs(total - 1) < 1e-5);
    }
    assert_true(n_same < 20 && n_legal > 0 && n_legal < 40);
    world_fixture_close(&f);
}

static void a_plant_speaks_at_its_board_alone(void **state)
{
    WorldFixture f;
    PlayerSeat *seat;
    float p[2 * MAX_V];
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    PlayerLine lines[2] = {line_at(&f, 1, 6), line_at(&f, 2, 6)};
    PlayerPlant plant = {lines[1].board, 7};
    for (int kind = 0; kind < N_PLAYER_KINDS; kind += PLAYER_ENGINE) { /* network, engine, ... */
        Player player = f.set.players[kind];
        player.plant = &plant;
        assert_int_equal(player_seat_new(&seat, &player), 0);
        assert_int_equal(player_start(p, seat, lines, 2), 0);
        assert_true(p[7] < 1 && p[MAX_V + 7] == 1);
        PlayerLine before = player_line_of(f.variant, lines[1].moves, 5);
        assert_int_equal(player_start(NULL, seat, &before, 1), 0);
        PlayerBranch branch = {0, lines[1].moves[5]};
        assert_int_equal(player_branches(p, seat, &branch, 1), 0);
        assert_true(p[7] == 1);
        player_seat_free(seat);
    }
    world_fixture_close(&f);
}

static void ties_make_one_set(void **state)
{
    const float p[6] = {0, .2F, .4F, .2F, .2F, 0};
    assert_int_equal(answer_top(p, 6), 2);
    assert_int_equal(world_top_set(p, 6, 1), 1U << 2);
    assert_int_equal(world_top_set(p, 6, 2), 0x1e); /* all that tie with the second */
    assert_int_equal(world_top_set(p, 6, 5), 0x3f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_answers_are_those_of_the_whole_pass),
        cmocka_unit_test(a_probe_reads_behind_every_branch),
        cmocka_unit_test(a_seat_follows_its_lines),
        cmocka_unit_test(controls_know_what_they_should),
        cmocka_unit_test(mistakes_are_as_many_and_elsewhere),
        cmocka_unit_test(a_plant_speaks_at_its_board_alone),
        cmocka_unit_test(ties_make_one_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
