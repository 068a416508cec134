/* tests/probes/steering/test_steer_bank.c - targets, cases, means, and the controls. */
#include "probes/steering/steer_fixture.h"

#include "base/err.h"
#include "datasets/labels.h"

/* ---- targets and cases ---- */

/* The edit of a case, done by hand on the discs. */
static void check_edit(const SteerCases *cases, size_t i)
{
    const SteerCase *at = &cases->at[i];
    const GameVariant *variant = cases->vocab->variant;
    uint64_t mine = at->edit.before.mine, theirs = at->edit.before.theirs;
    const uint64_t squares = steer_group(cases->target, variant, at->group);
    if (cases->target == STEER_MINE) {
        assert_true((squares & theirs) == squares);
        mine |= squares;
        theirs &= ~squares;
    } else {
        assert_true(squares & (mine | theirs));
        mine &= ~squares;
        theirs &= ~squares;
    }
    assert_true(at->edit.edited.mine == mine && at->edit.edited.theirs == theirs);
    assert_true(steer_class(cases->target, variant, at->group, &at->edit.before) == STEER_FROM);
    assert_true(steer_class(cases->target, variant, at->group, &at->edit.edited) == STEER_TO);
    assert_true(at->group != at->wrong);
    assert_true(at->cares ==
                (board_moves(variant, &at->edit.before) != board_moves(variant, &at->edit.edited)));
    assert_true(i == 0 || cases->read[i - 1] <= cases->read[i]);
}

static void test_cases_are_what_the_rules_say(void **state)
{
    for (int target = 0; target < N_STEER_TARGETS; target++) {
        for (int size = 4; size <= 8; size += 2) {
            SteerCases cases = some_cases(size, (SteerTarget)target, 20);
            assert_true(cases.n > 10 && cases.n_caring > 0 && cases.n_caring < cases.n);
            for (size_t i = 0; i < cases.n; i++) {
                double sum = 0, size_of = 0;
                check_edit(&cases, i);
                for (int tok = 0; tok < cases.vocab->d_vocab; tok++) {
                    const double w = cases.weights[i * (size_t)cases.vocab->d_vocab + (size_t)tok];
                    assert_true(w <= 0 || cases.at[i].edited >> tok & 1);
                    assert_true(w >= 0 || cases.at[i].before >> tok & 1);
                    sum += w;
                    size_of += fabs(w);
                }
                assert_true(fabs(sum) < 1e-6);
                assert_true(cases.at[i].cares || size_of == 0);
            }
            steer_cases_release(&cases);
        }
    }
}

static bool same_history(const SteerCases *a, size_t i, const SteerCases *b, size_t k)
{
    return memcmp(a->at[i].edit.moves, b->at[k].edit.moves, sizeof(a->at[i].edit.moves)) == 0;
}

/* Positions that a draw takes, and how many histories they have. */
static size_t count_drawn(size_t *n_histories, int size, size_t games)
{
    GameSource *source = fresh_games(size, RNG_EVAL);
    const size_t n_moves = (size_t)game_variant(size)->n_moves;
    PositionSet set;
    uint8_t(*seen)[GAME_MAX_MOVES] = mem_alloc(games * 3, sizeof(*seen), "histories");
    assert_int_equal(positions_draw(&set, source, games, 3, WORK_ALONE), 0);
    *n_histories = 0;
    for (size_t g = 0; g < set.n_games; g++) {
        for (size_t i = set.first[g]; i < set.first[g + 1]; i++) {
            uint8_t *history = seen[*n_histories];
            bool is_new = true;
            memset(history, SQ_NONE, sizeof(*seen));
            memcpy(history, set.moves + g * n_moves, set.t[i] + (size_t)1);
            for (size_t k = 0; k < *n_histories; k++) {
                is_new = is_new && memcmp(history, seen[k], sizeof(*seen)) != 0;
            }
            *n_histories += is_new;
        }
    }
    const size_t n = set.n_positions;
    mem_free(seen);
    positions_release(&set);
    source_free(source);
    return n;
}

/* On 4x4 many games begin alike. A history makes one case if one of its positions makes one; its
 * positions may be edited at different squares, so they need not all. */
static void test_no_history_is_a_case_twice(void **state)
{
    const size_t games[] = {60, 20};
    for (int size = 4; size <= 6; size += 2) {
        const size_t n_games = games[size / 2 - 2];
        SteerCases cases = some_cases(size, STEER_MINE, n_games);
        size_t n_histories, n_caring = 0;
        const size_t n_drawn = count_drawn(&n_histories, size, n_games);
        for (size_t i = 0; i < cases.n; i++) {
            for (size_t k = 0; k < i; k++) {
                assert_false(same_history(&cases, i, &cases, k));
            }
            n_caring += cases.at[i].cares;
        }
        assert_int_equal(n_caring, cases.n_caring);
        assert_int_equal(cases.n + cases.left_out + cases.repeated, n_drawn);
        assert_true(cases.repeated > 0 && cases.repeated <= n_drawn - n_histories);
        assert_true(cases.n <= n_histories && cases.n + cases.left_out >= n_histories);
        steer_cases_release(&cases);
    }
}

/* The tuning positions whose history no test position has stay, in their order and with all that is
 * theirs. */
static void test_tuning_and_test_share_no_history(void **state)
{
    GameSource *source = fresh_games(4, RNG_HELDOUT);
    SteerCases tuning, drawn, test = some_cases(4, STEER_MINE, 60);
    const size_t V = (size_t)test.vocab->d_vocab, n_moves = (size_t)test.vocab->variant->n_moves;
    assert_int_equal(
        steer_cases_draw(&drawn, source, STEER_MINE, STEER_ANY_GROUPS, 30, 3, WORK_ALONE), 0);
    source_free(source);
    source = fresh_games(4, RNG_HELDOUT);
    assert_int_equal(
        steer_cases_draw(&tuning, source, STEER_MINE, STEER_ANY_GROUPS, 30, 3, WORK_ALONE), 0);
    source_free(source);
    assert_int_equal(steer_cases_leave_out(&tuning, &test), 0);
    size_t n = 0, n_caring = 0;
    for (size_t i = 0; i < drawn.n; i++) {
        bool shared = false;
        for (size_t k = 0; k < test.n; k++) {
            shared = shared || same_history(&drawn, i, &test, k);
        }
        if (shared) {
            continue;
        }
        assert_true(n < tuning.n && same_history(&drawn, i, &tuning, n));
        assert_int_equal(drawn.at[i].group, tuning.at[n].group);
        assert_int_equal(drawn.read[i], tuning.read[n]);
        assert_memory_equal(drawn.moves + i * n_moves, tuning.moves + n * n_moves, n_moves);
        assert_memory_equal(drawn.weights + i * V, tuning.weights + n * V, V * sizeof(real));
        n_caring += drawn.at[i].cares;
        n++;
    }
    assert_true(n < drawn.n && n > 10); /* some are shared, and most are not */
    assert_int_equal(tuning.n, n);
    assert_int_equal(tuning.n_caring, n_caring);
    assert_int_equal(tuning.repeated, drawn.repeated + drawn.n - n);
    assert_int_equal(steer_cases_leave_out(&tuning, &drawn), OGPT_EFORMAT); /* nothing is left */
    assert_non_null(strstr(err_message(), "take more --tuning-games"));
    steer_cases_release(&tuning);
    steer_cases_release(&drawn);
    steer_cases_release(&test);
}

static void test_corners(void **state)
{
    const GameVariant *six = game_variant(6);
    char name[STEER_GROUP_NAME];
    assert_true(steer_group(STEER_NO_CORNER, six, 0) ==
                (1ULL << 0 | 1ULL << 5 | 1ULL << 40 | 1ULL << 45));
    assert_true(steer_group(STEER_NO_CORNER, six, 1) ==
                (1ULL << 1 | 1ULL << 4 | 1ULL << 41 | 1ULL << 44));
    assert_false(steer_group_steered(STEER_NO_CORNER, six, 1));
    steer_group_name(name, STEER_MINE, six, 7);
    assert_string_equal(name, "b2");
    assert_false(steer_group_steered(STEER_OCCUPIED, six, 14)); /* c3, of the centre */
    assert_true(steer_group_steered(STEER_MINE, six, 14));
}

/* ---- vectors ---- */

static double cosine(const float *a, const float *b, size_t n)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    return ab / sqrt(aa * bb);
}

static void test_permutation_keeps_norms_and_angles(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 5);
    SteerFit fit = some_fit(6, STEER_MINE, 80);
    SteerBank bank = some_bank(gpt, &fit, HOOK_RESID_POST), permuted, random;
    const size_t W = bank.width, n = bank.n_layers * bank.n_groups;
    double angle_of_random = 0, alike = 0;
    assert_int_equal(steer_bank_permuted(&permuted, &bank, 1), 0);
    assert_int_equal(steer_bank_random(&random, &bank, 1), 0);
    for (size_t i = 0; i < n; i++) {
        const float *v = bank.vectors + i * W, *p = permuted.vectors + i * W;
        const float *next = bank.vectors + (i + 1) % n * W;
        const double angle = cosine(v, next, W);
        assert_true(fabs(cosine(p, permuted.vectors + (i + 1) % n * W, W) - angle) < 1e-6);
        angle_of_random =
            fmax(angle_of_random,
                 fabs(cosine(random.vectors + i * W, random.vectors + (i + 1) % n * W, W) - angle));
        alike += fabs(cosine(v, p, W)) / (double)n;
        for (int l = 0; l < 2; l++) {
            const size_t g = i % bank.n_groups;
            assert_true(fabs(steer_bank_norm(&permuted, l, g) / steer_bank_norm(&bank, l, g) - 1) <
                        1e-6);
            assert_true(fabs(steer_bank_norm(&random, l, g) / steer_bank_norm(&bank, l, g) - 1) <
                        1e-6);
        }
    }
    assert_true(angle_of_random > 0.3); /* a random direction keeps no angle */
    assert_true(alike < 0.9);           /* and the permutation is another direction */
    steer_bank_release(&bank);
    steer_bank_release(&permuted);
    steer_bank_release(&random);
    steer_fit_release(&fit);
    gpt_free(gpt);
}

/* Lent labels: a permutation, of another game at the same ply. */
static void test_lent_labels(void **state)
{
    SteerFit fit = some_fit(6, STEER_MINE, 80);
    const size_t n = fit.set.n_positions;
    bool *seen = mem_calloc(n, sizeof(*seen), "lenders");
    uint32_t *game = mem_calloc(n, sizeof(*game), "games of positions");
    size_t moved = 0;
    for (size_t g = 0; g < fit.set.n_games; g++) {
        for (size_t i = fit.set.first[g]; i < fit.set.first[g + 1]; i++) {
            game[i] = (uint32_t)g;
        }
    }
    for (size_t i = 0; i < n; i++) {
        const size_t from = fit.shuffle[i];
        size_t alike = 0;
        assert_true(from < n && !seen[from]);
        seen[from] = true;
        assert_int_equal(fit.set.t[i], fit.set.t[from]);
        for (size_t other = 0; other < n; other++) {
            alike += fit.set.t[other] == fit.set.t[i];
        }
        assert_true(game[from] != game[i] || alike == 1); /* nobody else is at this ply */
        moved += from != i;
    }
    assert_true(moved > n * 9 / 10);
    mem_free(seen);
    mem_free(game);
    steer_fit_release(&fit);
}

/* Sums of W_E[move t] + W_pos[t] over the positions of a class, by the moves alone. */
static size_t sum_by_hand(double *sum, const SteerFit *fit, const Gpt *gpt, size_t group,
                          bool empty)
{
    const Vocab *vocab = fit->set.vocab;
    const size_t C = (size_t)gpt->cfg.d_model;
    const int sq = (int)(8 * (group / 6) + group % 6);
    size_t n = 0;
    memset(sum, 0, C * sizeof(*sum));
    for (size_t g = 0; g < fit->set.n_games; g++) {
        const uint8_t *moves = fit->set.moves + g * (size_t)vocab->variant->n_moves;
        for (size_t i = fit->set.first[g]; i < fit->set.first[g + 1]; i++) {
            bool played = false;
            for (int t = 0; t <= fit->set.t[i]; t++) {
                played = played || moves[t] == sq;
            }
            if (played == empty) {
                continue;
            }
            const real *move =
                gpt->params + gpt->map.W_E + vocab->tok_of_sq[moves[fit->set.t[i]]] * C;
            const real *place = gpt->params + gpt->map.W_pos + fit->set.t[i] * C;
            for (size_t c = 0; c < C; c++) {
                sum[c] += (double)move[c] + (double)place[c];
            }
            n++;
        }
    }
    return n;
}

/* What the first block reads is the embedding of the move. TO is: no disc was put on the square. */
static void test_means_are_those_of_a_hand_loop(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 5);
    SteerFit fit = some_fit(6, STEER_OCCUPIED, 200);
    SteerBank from, to;
    SteerBank difference = some_bank(gpt, &fit, HOOK_RESID_PRE);
    SteerBank behind = some_bank(gpt, &fit, HOOK_RESID_POST);
    assert_int_equal(steer_bank_means(&from, &to, gpt, &fit, HOOK_RESID_PRE, WORK_ALONE), 0);
    double apart = 0;
    for (size_t g = 0; g < 36; g++) {
        double with[16], without[16];
        if (!steer_group_steered(STEER_OCCUPIED, fit.set.vocab->variant, g)) {
            continue;
        }
        const double n_with = (double)sum_by_hand(with, &fit, gpt, g, false);
        const double n_without = (double)sum_by_hand(without, &fit, gpt, g, true);
        for (size_t c = 0; c < 16; c++) {
            const double a = with[c] / n_with, b = without[c] / n_without;
            assert_true(fabs(steer_bank_at(&from, 0, g)[c] - a) < 1e-6);
            assert_true(fabs(steer_bank_at(&to, 0, g)[c] - b) < 1e-6);
            assert_true(fabs(steer_bank_at(&difference, 0, g)[c] - (b - a)) < 1e-6);
            apart = fmax(apart, fabs(b - a));
        }
        /* Layers in their order: what leaves the first block enters the second. */
        assert_memory_equal(steer_bank_at(&difference, 1, g), steer_bank_at(&behind, 0, g),
                            16 * sizeof(float));
    }
    assert_true(apart > 0.05); /* so the other sign would be seen */
    steer_bank_release(&from);
    steer_bank_release(&to);
    steer_bank_release(&difference);
    steer_bank_release(&behind);
    steer_fit_release(&fit);
    gpt_free(gpt);
}

/* Labels as another position has them. */
static uint8_t *lend_labels(const SteerFit *fit)
{
    const size_t n = fit->set.n_positions, G = fit->n_groups;
    uint8_t *labels = mem_alloc(n, G, "labels");
    for (size_t i = 0; i < n; i++) {
        memcpy(labels + i * G, fit->labels + fit->shuffle[i] * G, G);
    }
    return labels;
}

static bool same_vectors(const SteerBank *a, const SteerBank *b)
{
    return memcmp(a->vectors, b->vectors,
                  a->n_layers * a->n_groups * a->width * sizeof(*a->vectors)) == 0;
}

/* Both differences of one visit have the bits of the means by these labels, each taken alone. With
 * lent labels the mean over both classes stays, and the difference becomes another. */
static void test_means_by_lent_labels(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 5);
    SteerFit fit = some_fit(6, STEER_OCCUPIED, 400);
    SteerBank from, to, none, lent, own, shuffled, apart;
    SteerBank bank = some_bank(gpt, &fit, HOOK_RESID_PRE);
    uint8_t *labels = fit.labels;
    assert_int_equal(steer_bank_means(&from, &to, gpt, &fit, HOOK_RESID_PRE, WORK_ALONE), 0);
    assert_int_equal(steer_bank_differences(&own, &shuffled, gpt, &fit, HOOK_RESID_PRE, WORK_ALONE),
                     0);
    fit.labels = lend_labels(&fit);
    assert_int_equal(steer_bank_means(&none, &lent, gpt, &fit, HOOK_RESID_PRE, WORK_ALONE), 0);
    assert_int_equal(steer_bank_difference(&apart, &lent, &none), 0);
    assert_true(same_vectors(&own, &bank) && same_vectors(&shuffled, &apart));
    mem_free(fit.labels);
    fit.labels = labels;
    for (size_t c = 0; c < from.width; c++) {
        double n[3] = {0}, sum, other;
        for (size_t i = 0; i < fit.set.n_positions; i++) {
            n[fit.labels[i * fit.n_groups]]++;
        }
        sum = n[STEER_FROM] * steer_bank_at(&from, 0, 0)[c] +
              n[STEER_TO] * steer_bank_at(&to, 0, 0)[c];
        other = n[STEER_FROM] * steer_bank_at(&none, 0, 0)[c] +
                n[STEER_TO] * steer_bank_at(&lent, 0, 0)[c];
        assert_true(fabs(sum - other) < 1e-3 * (1 + fabs(sum)));
    }
    assert_true(steer_bank_norm(&shuffled, 0, 0) > 0);
    assert_true(fabs(cosine(steer_bank_at(&shuffled, 0, 0), steer_bank_at(&bank, 0, 0), 16)) <
                0.99);
    SteerBank *all[] = {&from, &to, &none, &lent, &own, &shuffled, &apart, &bank};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        steer_bank_release(all[i]);
    }
    steer_fit_release(&fit);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases_are_what_the_rules_say),
        cmocka_unit_test(test_no_history_is_a_case_twice),
        cmocka_unit_test(test_tuning_and_test_share_no_history),
        cmocka_unit_test(test_corners),
        cmocka_unit_test(test_permutation_keeps_norms_and_angles),
        cmocka_unit_test(test_lent_labels),
        cmocka_unit_test(test_means_are_those_of_a_hand_loop),
        cmocka_unit_test(test_means_by_lent_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
