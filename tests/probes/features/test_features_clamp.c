/* tests/probes/features/test_features_clamp.c - clamping a feature does to the answer what a pass
 * that is changed by hand does, as the rules judge it; a dead feature changes nothing; which
 * positions are shown; any number of workers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "probes/activations/passes.h"
#include "probes/board/direction_set.h"
#include "probes/features/features_study.h"
#include "probes/legality/answers.h"
#include "tests/probes/probe_fixture.h"
#include "tests/probes/stopped_journal.h"

/* A dictionary at the last layer: feature MOVE has the column of a move in the unembedding, DEAD is
 * never on, ALWAYS is always on; the others are random. */
enum { MOVE, DEAD, ALWAYS, FEATURES = 6, D = 24, LAYER = 2, MOVED = 9 };
static ProbeFixture fixture;
static Pool *pool;
static Sae *sae;
static FeaturesStudyInput in;

static Sae *planted(const Gpt *gpt)
{
    SaeConfig cfg = {.kind = SAE_STANDARD,
                     .d_in = D,
                     .d_out = D,
                     .features = FEATURES,
                     .site = HOOK_RESID_POST,
                     .site_out = HOOK_RESID_POST,
                     .layer = LAYER};
    Sae *out = NULL;
    assert_int_equal(sae_new(&out, &cfg), 0);
    for (size_t j = 0; j < FEATURES; j++) {
        float *column = out->w_dec + j * D;
        double length = direction_random(column, D, 8, j);
        for (size_t c = 0; c < D && j == MOVE; c++) {
            column[c] = (float)(gpt->params[gpt->map.W_U + c * (size_t)gpt->cfg.d_vocab + MOVED] *
                                gpt->params[gpt->map.lnf_w + c]);
            length = c == 0 ? 0 : length;
            length += (double)column[c] * (double)column[c];
        }
        length = j == MOVE ? sqrt(length) : length;
        for (size_t c = 0; c < D; c++) {
            column[c] = (float)(column[c] / length);
            out->w_enc[j * D + c] = j == DEAD || j == ALWAYS ? 0 : column[c];
        }
        out->b_enc[j] = j == DEAD ? -1 : j == ALWAYS ? 2 : 0;
    }
    sae_prepare(out);
    return out;
}

enum { TEST_GAMES = 12 }; /* more than a page shows */

static int setup(void **state)
{
    int rc = fixture_open(&fixture, 240) || pool_new(&pool, 3);
    sae = planted(fixture.subject.model.gpt);
    in = (FeaturesStudyInput){
        .gpt = fixture.subject.model.gpt, .sae = sae, .path = "planted", .looks = true};
    return rc ||
           codebook_inputs_draw_set(&in.fit.set, fixture.subject.variant, fixture.corpus,
                                    SPLIT_TRAIN, 10, 4, &(Work){.seed = 1}) ||
           codebook_inputs_draw_set(&in.test.set, fixture.subject.variant, fixture.corpus,
                                    SPLIT_TEST, TEST_GAMES, 4, &(Work){.seed = 1});
}

static int teardown(void **state)
{
    features_set_release(&in.fit);
    features_set_release(&in.test);
    sae_free(sae);
    pool_free(pool);
    fixture_close(&fixture);
    return 0;
}

static int study_run(FeaturesStudy *out, size_t clamped, const Work *work)
{
    FeaturesStudyInput given = in;
    given.clamped = clamped;
    const int rc = features_study_run(out, &given, work);
    mem_free(given.fit.x);
    mem_free(given.fit.own);
    mem_free(given.fit.other);
    mem_free(given.test.x);
    mem_free(given.test.own);
    mem_free(given.test.other);
    return rc;
}

static FeaturesStudy study_of(Pool *by, size_t clamped, uint64_t seed)
{
    FeaturesStudy out;
    assert_int_equal(study_run(&out, clamped, &(Work){.pool = by, .seed = seed}), 0);
    return out;
}

static const FeaturesLook *look_of(const FeaturesStudy *study, size_t feature)
{
    for (size_t i = 0; i < study->n_looks; i++) {
        if (study->looks[i].feature == feature) {
            return &study->looks[i];
        }
    }
    fail_msg("no look at %zu", feature);
    return NULL;
}

/* ---- by hand: one position a pass ---- */

typedef struct ByHand {
    size_t feature;
    double value; /* NaN: nothing is changed */
    size_t n;     /* positions of the history */
    float f, logits[64];
} ByHand;

static int hand_hook(void *context, const PassBatch *pass, const HookPoint *point)
{
    ByHand *hand = context;
    float *row = point->value + (hand->n - 1) * D, f[FEATURES];
    sae_encode(sae, row, 1, f);
    hand->f = f[hand->feature];
    for (size_t c = 0; c < D && !isnan(hand->value); c++) {
        row[c] += ((float)hand->value - hand->f) * sae->w_dec[hand->feature * D + c];
    }
    return 0;
}

static int hand_visit(void *context, const PassBatch *pass)
{
    ByHand *hand = context;
    const size_t V = (size_t)pass->gpt->cfg.d_vocab;
    memcpy(hand->logits, pass->logits + (hand->n - 1) * V, V * sizeof(float));
    return 0;
}

static void hand_run(ByHand *hand, const uint8_t *moves)
{
    const uint8_t read = (uint8_t)hand->n;
    const PassGames games = {.vocab = fixture.subject.vocab, .n = 1, .moves = moves, .read = &read};
    PassCalls calls = {.context = hand, .hook = hand_hook, .visit = hand_visit};
    calls.sites[HOOK_RESID_POST] = 1U << LAYER;
    assert_int_equal(passes_run(in.gpt, &games, &calls, WORK_ALONE), 0);
}

static double kl_of(const float *from, const float *to, size_t V)
{
    double sum_from = 0, sum_to = 0, out = 0;
    for (size_t i = 0; i < V; i++) {
        sum_from += exp((double)from[i]);
        sum_to += exp((double)to[i]);
    }
    for (size_t i = 0; i < V; i++) {
        const double p = exp((double)from[i]) / sum_from, q = exp((double)to[i]) / sum_to;
        out += p * log(p / q);
    }
    return out;
}

typedef struct HandSums {
    size_t n;
    double kl, wrong, strict, wrong_clean;
} HandSums;

static HandSums by_hand(size_t feature, double value, bool on)
{
    const PositionSet *set = &in.test.set.set;
    const Vocab *vocab = set->vocab;
    HandSums out = {0};
    for (size_t g = 0; g < set->n_games; g++) {
        const uint8_t *moves = set->moves + g * (size_t)vocab->variant->n_moves;
        Board after[GAME_MAX_MOVES];
        game_replay(vocab->variant, moves, game_length(moves, vocab->variant->n_moves), after);
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            ByHand clean = {.feature = feature, .value = NAN, .n = (size_t)set->t[i] + 1};
            ByHand changed = {.feature = feature, .value = value, .n = clean.n};
            hand_run(&clean, moves);
            hand_run(&changed, moves);
            if ((clean.f > 0) != on) {
                continue;
            }
            const uint64_t legal =
                answer_tokens(vocab, board_moves(vocab->variant, &after[set->t[i]]));
            const int V = vocab->d_vocab;
            out.n++;
            out.kl += kl_of(clean.logits, changed.logits, (size_t)V);
            out.wrong += answer_score(changed.logits, V, legal, RULE_TOPN).error;
            out.wrong_clean += answer_score(clean.logits, V, legal, RULE_TOPN).error;
            out.strict += (legal >> answer_top(changed.logits, V) & 1) == 0;
        }
    }
    return out;
}

static void same_as_by_hand(const FeaturesClamp *clamp, const HandSums *hand)
{
    const double n = (double)hand->n;
    assert_int_equal(clamp->n, hand->n);
    assert_true(fabs(clamp->kl - hand->kl / n) <
                1e-7 + 1e-4 * hand->kl / n); /* passes are in float */
    assert_true(clamp->wrong == hand->wrong / n && clamp->wrong_clean == hand->wrong_clean / n);
    assert_true(clamp->strict == hand->strict / n);
}

static void test_against_hand(void **state)
{
    FeaturesStudy study = study_of(pool, 1000, 1); /* all positions */
    double moved = 0;
    for (size_t j = 0; j < FEATURES; j++) {
        const FeaturesLook *look = look_of(&study, j);
        const double mean = study.table.rows[j].mean_on;
        const HandSums zero = by_hand(j, 0, true), up = by_hand(j, isnan(mean) ? 0 : mean, false);
        if (zero.n > 0) {
            same_as_by_hand(&look->clamps[FEATURES_ON_ZERO], &zero);
            assert_true(look->clamps[FEATURES_ON_ZERO].kl > 1e-6);
            assert_true(look->clamps[FEATURES_ON_RANDOM].kl > 0 &&
                        look->clamps[FEATURES_ON_RANDOM].kl != look->clamps[FEATURES_ON_ZERO].kl);
        }
        if (up.n > 0) {
            const FeaturesClamp *off = &look->clamps[FEATURES_OFF_ZERO];
            same_as_by_hand(&look->clamps[FEATURES_OFF_MEAN], &up);
            assert_true(off->n == up.n && off->kl == 0 && off->wrong == off->wrong_clean);
        }
        moved += look->clamps[FEATURES_ON_ZERO].n > 0
                     ? fabs(look->clamps[FEATURES_ON_ZERO].wrong -
                            look->clamps[FEATURES_ON_ZERO].wrong_clean)
                     : 0;
    }
    assert_true(moved > 0); /* the rules had something to judge */
    features_study_release(&study);
}

/* The move of its column gains most where the feature is put on, and loses most where it is taken
 * away; random directions do not. */
static void test_planted_move(void **state)
{
    FeaturesStudy study = study_of(NULL, 1000, 1);
    const FeaturesLook *look = look_of(&study, MOVE);
    const int sq = fixture.subject.vocab->sq_of_tok[MOVED];
    const FeaturesClamp *up = &look->clamps[FEATURES_OFF_MEAN],
                        *down = &look->clamps[FEATURES_ON_ZERO];
    assert_true(up->n > 0 && down->n > 0);
    assert_int_equal(study.table.rows[MOVE].move.square, sq);
    for (int other = 0; other < BOARD_SQUARES; other++) {
        if (!isnan(up->change[other]) && other != sq) {
            assert_true(up->change[other] < up->change[sq]);
            assert_true(down->change[other] > down->change[sq]);
        }
    }
    assert_true(up->change[sq] > 0 && down->change[sq] < 0);
    assert_true(look->clamps[FEATURES_ON_RANDOM].change[sq] > down->change[sq] / 2);
    features_study_release(&study);
}

static void test_dead_and_always(void **state)
{
    FeaturesStudy study = study_of(pool, 1000, 1);
    const FeaturesLook *dead = look_of(&study, DEAD), *always = look_of(&study, ALWAYS);
    const size_t n = in.test.set.set.n_positions;
    assert_false(study.table.rows[DEAD].alive);
    assert_true(dead->n_top == 0 && dead->n_drawn == 0);
    assert_true(dead->clamps[FEATURES_ON_ZERO].n == 0 && isnan(dead->clamps[FEATURES_ON_ZERO].kl));
    for (int kind = FEATURES_OFF_MEAN; kind <= FEATURES_OFF_ZERO; kind++) {
        const FeaturesClamp *clamp = &dead->clamps[kind];
        assert_true(clamp->n == n && clamp->kl == 0 && clamp->wrong == clamp->wrong_clean);
        for (int sq = 0; sq < BOARD_SQUARES; sq++) {
            assert_true(isnan(clamp->change[sq]) || clamp->change[sq] == 0);
        }
        assert_true(clamp->wrong_clean > 0);
    }
    assert_true(always->clamps[FEATURES_ON_MEAN].n == n &&
                always->clamps[FEATURES_ON_MEAN].kl < 1e-9); /* it is at its mean already */
    assert_true(always->clamps[FEATURES_ON_ZERO].kl > 1e-3);
    assert_true(always->clamps[FEATURES_OFF_MEAN].n == 0);
    assert_true(TEST_GAMES > FEATURES_SHOWN && in.test.set.set.n_games == TEST_GAMES);
    assert_true(always->n_top == FEATURES_SHOWN && always->n_drawn == FEATURES_SHOWN);
    features_study_release(&study);
}

static void test_sights(void **state)
{
    FeaturesStudy study = study_of(NULL, 0, 1);
    const PositionSet *set = &in.test.set.set;
    for (size_t i = 0; i < study.n_looks; i++) {
        const FeaturesLook *look = &study.looks[i];
        const float *values = study.table.values + look->feature * set->n_positions;
        assert_true(look->clamps[FEATURES_ON_ZERO].n == 0); /* unasked */
        for (size_t k = 0; k < look->n_top; k++) {
            const FeaturesSight *sight = &look->top[k];
            const uint8_t *moves = set->moves + sight->game * (size_t)set->vocab->variant->n_moves;
            Board after[GAME_MAX_MOVES];
            game_replay(set->vocab->variant, moves, sight->n_moves, after);
            assert_memory_equal(&sight->board.mine, &after[sight->n_moves - 1].mine, 8);
            assert_int_equal(sight->last, moves[sight->n_moves - 1]);
            assert_true(sight->turned != 0 && sight->value == (double)values[sight->position]);
            assert_true(k == 0 || sight->value <= look->top[k - 1].value);
            for (size_t p = set->first[sight->game]; p < set->first[sight->game + 1]; p++) {
                assert_true((double)values[p] <= sight->value);
            }
        }
        /* Shown are the games with the largest values: what is left out has less. */
        size_t ahead = 0;
        for (size_t g = 0; g < set->n_games && look->n_top == FEATURES_SHOWN; g++) {
            float most = 0;
            for (size_t p = set->first[g]; p < set->first[g + 1]; p++) {
                most = values[p] > most ? values[p] : most;
            }
            ahead += (double)most > look->top[FEATURES_SHOWN - 1].value;
        }
        assert_true(ahead < FEATURES_SHOWN);
        for (size_t k = 0; k < look->n_drawn; k++) {
            assert_true(look->drawn[k].value > 0 && look->drawn[k].value <= look->top[0].value);
            for (size_t other = 0; other < k; other++) {
                assert_true(look->drawn[k].position != look->drawn[other].position);
            }
        }
    }
    features_study_release(&study);
}

/* Stopped and begun again: what was kept is taken, the rest computed. */
static void test_goes_on(void **state)
{
    FeaturesStudy whole = study_of(pool, 3, 1), part;
    StoppedJournal journal;
    journal_begin(&journal, 2);
    const Work work = {.pool = pool, .seed = 1, .journal = &journal.callbacks};
    assert_int_equal(study_run(&part, 3, &work), OGPT_EINTR);
    features_study_release(&part);
    assert_int_equal(journal.n_kept, 2);
    journal.stop_after = SIZE_MAX;
    const size_t first = whole.looks[0].feature;
    journal_values(&journal, NULL, first)[1] =
        6.25; /* what is kept is not computed again: wrong moves */
    assert_int_equal(study_run(&part, 3, &work), 0);
    assert_int_equal(journal.n_kept, FEATURES);
    assert_true(part.looks[0].clamps[0].wrong == 6.25 && whole.looks[0].clamps[0].wrong != 6.25);
    part.looks[0].clamps[0].wrong = whole.looks[0].clamps[0].wrong;
    for (size_t i = 0; i < FEATURES; i++) {
        assert_memory_equal(part.looks[i].clamps, whole.looks[i].clamps,
                            sizeof(whole.looks[i].clamps));
        assert_int_equal(part.looks[i].n_drawn, whole.looks[i].n_drawn);
    }
    journal_end(&journal);
    features_study_release(&whole);
    features_study_release(&part);
}

/* The key changes with what the looks depend on, and not with what is looked at. */
static void test_key(void **state)
{
    char keys[4][HASH_HEX_SIZE];
    const bool chosen[FEATURES] = {true};
    FeaturesStudyInput given[4] = {in, in, in, in};
    Sae *other = planted(in.gpt);
    other->b_enc[MOVE] += 0.5f;
    given[1].chosen = chosen;
    given[2].clamped = in.clamped + 1;
    given[3].sae = other;
    for (size_t i = 0; i < 4; i++) {
        Sha256 *hash;
        assert_int_equal(sha256_new(&hash), 0);
        features_study_hash(hash, &given[i]);
        sha256_finish(hash, keys[i]);
    }
    assert_string_equal(keys[0], keys[1]);
    assert_string_not_equal(keys[0], keys[2]);
    assert_string_not_equal(keys[0], keys[3]);
    assert_string_not_equal(keys[2], keys[3]);
    sae_free(other);
}

static void test_threads_and_seeds(void **state)
{
    FeaturesStudy many = study_of(pool, 3, 1), alone = study_of(NULL, 3, 1);
    FeaturesStudy other = study_of(NULL, 3, 2);
    size_t differ = 0;
    assert_int_equal(many.n_looks, FEATURES);
    for (size_t i = 0; i < FEATURES; i++) {
        const FeaturesLook *a = &many.looks[i], *b = &alone.looks[i];
        assert_int_equal(a->feature, b->feature);
        assert_int_equal(a->n_top, b->n_top);
        assert_memory_equal(a->clamps, b->clamps, sizeof(a->clamps));
        assert_true(a->clamps[FEATURES_ON_ZERO].n <= 3);
        const FeaturesLook *c = look_of(&other, a->feature);
        differ += c && memcmp(a->clamps, c->clamps, sizeof(c->clamps)) != 0;
    }
    assert_true(differ >= 3);
    features_study_release(&many);
    features_study_release(&alone);
    features_study_release(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_hand),      cmocka_unit_test(test_planted_move),
        cmocka_unit_test(test_dead_and_always),   cmocka_unit_test(test_sights),
        cmocka_unit_test(test_goes_on),           cmocka_unit_test(test_key),
        cmocka_unit_test(test_threads_and_seeds),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
