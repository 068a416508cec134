/* tests/probes/edits/test_saliency.c - saliency of predictors made of rules: a network that plays
 * on its board shows effects where the rules say so, one that no edit reaches shows none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "datasets/labels.h"
#include "datasets/vocab.h"
#include "game/notation.h"
#include "probes/legality/answers.h"
#include "probes/edits/saliency.h"

typedef struct Rules {
    bool deaf;     /* no edit reaches it */
    bool poisoned; /* no number */
} Rules;

/* Uniform over the legal moves, e^-4 as likely elsewhere. */
static int predict(void *context, float *logits, const EditQuery *query, size_t worker)
{
    const Rules *rules = context;
    const Vocab *vocab = vocab_of(query->set->variant);
    for (size_t i = 0; i < query->n; i++) {
        const EditCase *edit = &query->set->cases[query->order[i]];
        bool edited = query->arm == ARM_EDIT && !rules->deaf;
        uint64_t legal = answer_tokens(vocab, edited ? edit->legal_edited : edit->legal_before);
        for (int tok = 0; tok < vocab->d_vocab; tok++) {
            logits[i * (size_t)vocab->d_vocab + (size_t)tok] = legal >> tok & 1 ? 4 : 0;
        }
        if (rules->poisoned) {
            logits[i * (size_t)vocab->d_vocab + 1] = NAN;
        }
    }
    return 0;
}

static int map_of(Saliency *out, Rules *rules, const char *game, int move, SaliencyPlaced placed)
{
    const GameVariant *variant = game_variant(8);
    const EditPredictor predictor = {.context = rules, .d_vocab = 61, .predict = predict};
    EditPlan plan = EDIT_PLAN_DEFAULT;
    uint8_t moves[GAME_MAX_MOVES];
    int n;
    plan.layers = 1;
    assert_int_equal(moves_parse(moves, &n, variant, game), 0);
    SaliencyQuestion question = {variant, moves, n, move, placed};
    return saliency_map(out, &predictor, &question, &plan);
}

static const SaliencySquare *square_of(const Saliency *map, const char *name)
{
    int sq = square_parse(game_variant(8), name);
    for (int i = 0; i < map->n; i++) {
        if (map->squares[i].sq == sq) {
            return &map->squares[i];
        }
    }
    return NULL;
}

static void effects_stand_where_the_rules_say(void **state)
{
    Rules rules = {0};
    Saliency map;
    int c4 = square_parse(game_variant(8), "c4");
    /* Black turns d4 over by c4: it rests on d4 being white, on c4 being empty, and on a black
     * disc that ends the line. */
    assert_int_equal(map_of(&map, &rules, "f5 d6 c3 d3", c4, PLACED_MINE), 0);
    assert_int_equal(map.n, 64);
    assert_true(map.legal && map.board.to_move == BLACK);
    assert_true(map.p > 0.05 && map.p < 1);
    assert_true(fabs(map.log_odds - log(map.p / (1 - map.p))) < 1e-9);
    for (int i = 0; i < map.n; i++) {
        const SaliencySquare *square = &map.squares[i];
        assert_true((square->from == LABEL_EMPTY) == (square->to == LABEL_BLACK) ||
                    square->from != LABEL_EMPTY);
        assert_true(square->from != square->to && square->to != LABEL_EMPTY);
        /* 4 nats make the difference between legal and not; the number of legal moves adds less
         * than 1 to the odds. */
        assert_true(square->legal ? fabs(square->effect) < 1.2 : square->effect < -2.5);
    }
    assert_false(square_of(&map, "c4")->legal); /* taken */
    assert_true(map.n_deciding >= 1 && map.separation == 1);
    assert_true(map.deciding_effect > map.other_effect + 2);

    /* A move that is illegal as things stand can only rise. */
    assert_int_equal(
        map_of(&map, &rules, "f5 d6 c3 d3", square_parse(game_variant(8), "a1"), PLACED_THEIRS), 0);
    assert_false(map.legal);
    assert_int_equal(square_of(&map, "b8")->to, LABEL_WHITE);

    /* Occupied squares alone; and the predictor's own choice, the first legal move. */
    assert_int_equal(map_of(&map, &rules, "f5 d6 c3 d3", -1, PLACED_NONE), 0);
    assert_int_equal(map.n, 8);
    assert_true(map.legal);
    assert_null(square_of(&map, "a1"));
}

/* Negative twin: a predictor that no edit reaches shows nothing, and so no separation. */
static void a_deaf_predictor_shows_nothing(void **state)
{
    Rules rules = {.deaf = true};
    Saliency map;
    assert_int_equal(
        map_of(&map, &rules, "f5 d6 c3 d3", square_parse(game_variant(8), "c4"), PLACED_MINE), 0);
    for (int i = 0; i < map.n; i++) {
        assert_true(map.squares[i].effect == 0 && map.squares[i].p == map.p);
    }
    assert_true(map.separation == 0.5 && map.deciding_effect == 0);
}

static void what_cannot_be_mapped_is_refused(void **state)
{
    Rules rules = {0};
    Saliency map;
    assert_int_equal(map_of(&map, &rules, "f5", square_parse(game_variant(8), "d4"), PLACED_MINE),
                     OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "d4"));
    assert_int_equal(map_of(&map, &rules, "f5", 64, PLACED_MINE), OGPT_EUSAGE);
    rules.poisoned = true;
    assert_int_equal(map_of(&map, &rules, "f5", 0, PLACED_MINE), OGPT_ENUM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_stand_where_the_rules_say),
        cmocka_unit_test(a_deaf_predictor_shows_nothing),
        cmocka_unit_test(what_cannot_be_mapped_is_refused),
    };
    return cmocka_run_group_tests_name("saliency", tests, NULL, NULL);
}
