/* links: datasets
 * What makes each planted network what it is, its games before the rules, its options. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "datasets/vocab.h"
#include "game/board.h"
#include "planted_passes.h"

/* ---- what makes each kind what it is ---- */

/* The head of P1 looks at all positions alike; that of the twin does not. */
static void emptiness_looks_everywhere(void **state)
{
    Passes p;
    (void)state;
    for (int twin = 0; twin < 2; twin++) {
        begin(&p, PLANTED_EMPTINESS, 4, twin, NULL);
        const PlantedPart *head = &p.truth.parts[1];
        size_t n = p.truth.n_tokens;
        double off = 0;
        for (size_t s = 0; s < n; s++) {
            const float *row = p.clean->values[HOOK_PATTERN][0] + (n - 1) * PLANTED_HEADS * n;
            off = fmax(off, fabs((double)row[(size_t)head->index * n + s] - 1 / (double)n));
        }
        assert_true(twin ? off > 0.01 : off < 1e-6);
        end(&p);
    }
}

/* Score of a token at the last position for the selecting head of P4. */
static double score_at(const Passes *p, const PassRows *rows, const uint8_t *tokens, uint8_t token)
{
    size_t n = p->truth.n_tokens, s = 0;
    while (tokens[s] != token) {
        s++;
    }
    return (double)
        rows->values[HOOK_SCORES][1]
                    [((n - 1) * PLANTED_HEADS + (size_t)p->truth.parts[2].index) * n + s];
}

static void saturated_gap_flips(void **state)
{
    Passes p;
    (void)state;
    for (int twin = 0; twin < 2; twin++) {
        begin(&p, PLANTED_SATURATED, 4, twin, NULL);
        const uint8_t *a = p.truth.attended;
        double clean =
            score_at(&p, p.clean, p.truth.clean, a[0]) - score_at(&p, p.clean, p.truth.clean, a[1]);
        double corrupt = score_at(&p, p.corrupt, p.truth.corrupt, a[0]) -
                         score_at(&p, p.corrupt, p.truth.corrupt, a[1]);
        assert_true(p.truth.score_gap == 20);
        bool flips = fabs(clean - 20) < 1e-3 && fabs(corrupt + 20) < 1e-3;
        assert_true(flips == !twin);
        end(&p);
    }
}

/* How far logits and stream of a mixture of two inputs are from the mixture of both, relative to
 * how far the two are from one another. */
typedef struct Nonlinearity {
    double logits, stream;
} Nonlinearity;

static double off_the_line(const float *mixed, const float *a, const float *b, size_t n)
{
    double worst = 0, moved = 0;
    for (size_t i = 0; i < n; i++) {
        double line = 0.75 * (double)a[i] + 0.25 * (double)b[i];
        worst = fmax(worst, fabs((double)mixed[i] - line));
        moved = fmax(moved, fabs((double)a[i] - (double)b[i]));
    }
    assert_true(moved > 0);
    return worst / moved;
}

static Nonlinearity nonlinearity(PlantedKind kind)
{
    static float mix[T_MAX * 256];
    Passes p;
    begin(&p, kind, 4, false, NULL);
    size_t n = p.truth.n_tokens * (size_t)p.gpt->cfg.d_model;
    const float *clean = p.clean->values[HOOK_RESID_PRE][0];
    const float *corrupt = p.corrupt->values[HOOK_RESID_PRE][0];
    for (size_t i = 0; i < n; i++) {
        mix[i] = 0.75f * clean[i] + 0.25f * corrupt[i];
    }
    p.mix = &mix;
    PassRows *mixed = keep_pass(&p, p.truth.clean);
    Nonlinearity found = {
        .logits = off_the_line(mixed->logits, p.clean->logits, p.corrupt->logits,
                               (size_t)p.gpt->cfg.d_vocab),
        .stream = off_the_line(mixed->values[HOOK_RESID_POST][PLANTED_LAYERS - 1],
                               p.clean->values[HOOK_RESID_POST][PLANTED_LAYERS - 1],
                               p.corrupt->values[HOOK_RESID_POST][PLANTED_LAYERS - 1], n)};
    free(mixed);
    end(&p);
    return found;
}

/* P6 is linear, its filling too. The logits of P5 are linear, its filling is not; P4 is not. */
static void linear_is_linear(void **state)
{
    (void)state;
    Nonlinearity linear = nonlinearity(PLANTED_LINEAR), cancel = nonlinearity(PLANTED_CANCEL);
    Nonlinearity saturated = nonlinearity(PLANTED_SATURATED);
    assert_true(linear.logits < PLANTED_TOLERANCE && linear.stream < PLANTED_TOLERANCE);
    assert_true(cancel.logits < PLANTED_TOLERANCE && cancel.stream > 1e-3);
    assert_true(saturated.logits > 0.1);
}

/* Patching along (varying neuron + silent neuron) / sqrt 2 moves m by half the strength, although
 * neither of the two has an effect; along the part that is written it moves nothing. A direction
 * that is read and varies has its whole effect in that part. Makelov et al. 2023. */
static double patched_along(Passes *p, const double by[3])
{
    static float neurons[ROW_MAX];
    size_t M = (size_t)p->gpt->cfg.d_mlp;
    memcpy(neurons, p->clean->values[HOOK_POST][1], p->truth.n_tokens * M * sizeof(float));
    for (size_t t = 0; t < p->truth.n_tokens; t++) {
        double along = 0;
        for (int i = 0; i < 3; i++) {
            size_t at = t * M + (size_t)p->truth.parts[2 + i].index;
            along += by[i] * ((double)p->corrupt->values[HOOK_POST][1][at] -
                              (double)p->clean->values[HOOK_POST][1][at]);
        }
        for (int i = 0; i < 3; i++) {
            neurons[t * M + (size_t)p->truth.parts[2 + i].index] += (float)(along * by[i]);
        }
    }
    p->neurons = neurons;
    double found = lost(p);
    p->neurons = NULL;
    return found;
}

static void dormant_direction_is_an_illusion(void **state)
{
    const double root = sqrt(0.5), mixed[] = {root, root, 0}, written[] = {0, 1, 0};
    const double reader[] = {0, 0, 1};
    Passes p;
    (void)state;
    for (int twin = 0; twin < 2; twin++) {
        begin(&p, PLANTED_DORMANT, 4, twin, NULL);
        compare(&p, "mixed direction", 0, patched_along(&p, mixed), p.truth.strength / 2);
        compare(&p, "its written part", 0, patched_along(&p, written), 0);
        compare(&p, "true reader", 0, patched_along(&p, reader), p.truth.strength);
        assert_int_equal(p.n_wrong, twin ? 2 : 0);
        end(&p);
    }
}

/* The gate of P3 opens when half of the first head's write is gone: up to there half a write is
 * half the metric. */
static void backup_gate_has_its_threshold(void **state)
{
    static float halved[ROW_MAX];
    Passes p;
    (void)state;
    for (int percent = 50; percent <= 100; percent += 50) {
        begin(&p, PLANTED_BACKUP, 4, false, NULL);
        const PlantedPart *head = &p.truth.parts[1];
        size_t C = (size_t)p.gpt->cfg.d_model, HS = (size_t)p.gpt->cfg.d_head;
        memcpy(halved, p.clean->values[HOOK_Z][0], p.truth.n_tokens * C * sizeof(float));
        for (size_t t = 0; t < p.truth.n_tokens; t++) {
            for (size_t j = 0; j < HS; j++) {
                halved[t * C + (size_t)head->index * HS + j] *= 1 - (float)percent / 100;
            }
        }
        p.heads = halved;
        double truth = percent == 50 ? p.truth.strength / 2 : head->total;
        assert_true(fabs(lost(&p) - truth) <= PLANTED_TOLERANCE * p.truth.strength);
        end(&p);
    }
}

/* ---- the filling writes where nobody of the circuit reads ---- */

/* The largest |cosine| of a column of W_Q, W_K, W_V or W_in with a row that the filling of block 0
 * writes. */
static double largest_cosine(const Passes *p, const float *column, size_t stride)
{
    const TensorMap *map = &p->gpt->map;
    size_t C = (size_t)p->gpt->cfg.d_model, HS = (size_t)p->gpt->cfg.d_head;
    size_t M = (size_t)p->gpt->cfg.d_mlp;
    double most = 0;
    for (size_t i = 0; i < C + M; i++) {
        const float *row = p->gpt->params + (i < C ? map->W_O + i * C : map->W_out + (i - C) * C);
        double product = 0, a = 0, b = 0;
        bool planted = false;
        for (size_t k = 1; k + 1 < p->truth.n_parts; k++) {
            const PlantedPart *part = &p->truth.parts[k];
            bool head = part->node == PLANTED_HEAD && i < C && i / HS == (size_t)part->index;
            planted = planted || (part->layer == 0 && head);
            for (size_t n = 0; n < part->n_neurons; n++) {
                planted = planted || (part->layer == 0 && i == C + (size_t)part->neurons[n]);
            }
        }
        for (size_t c = 0; c < C; c++) {
            double x = (double)row[c], y = (double)column[c * stride];
            product += x * y;
            a += x * x;
            b += y * y;
        }
        if (!planted && a > 0 && b > 0) {
            most = fmax(most, fabs(product) / sqrt(a * b));
        }
    }
    return most;
}

/* Queries, keys and values of the selecting heads, and the neuron behind the cancelled head. */
static void filling_writes_past_the_circuit(void **state)
{
    Passes p;
    (void)state;
    for (int twin = 0; twin < 2; twin++) {
        size_t n_read = 0;
        for (int kind = 0; kind < N_PLANTED; kind++) {
            begin(&p, (PlantedKind)kind, 4, twin, NULL);
            const TensorMap *map = &p.gpt->map;
            const float *block = p.gpt->params + map->block_stride;
            size_t C = (size_t)p.gpt->cfg.d_model, HS = (size_t)p.gpt->cfg.d_head;
            size_t M = (size_t)p.gpt->cfg.d_mlp;
            bool selects = kind == PLANTED_BACKUP || kind == PLANTED_SATURATED;
            for (size_t k = 1; k + 1 < p.truth.n_parts; k++) {
                const PlantedPart *part = &p.truth.parts[k];
                const size_t W[] = {map->W_V, map->W_Q, map->W_K};
                if (part->layer != 1) {
                    continue;
                }
                for (size_t i = 0; part->node == PLANTED_HEAD && i < (selects ? 3 : 1); i++) {
                    double cosine = largest_cosine(&p, block + W[i] + (size_t)part->index * HS, C);
                    assert_true(twin ? cosine > 0.1 : cosine < 1e-6);
                    n_read++;
                }
                for (size_t n = 0; n < part->n_neurons; n++) {
                    double cosine =
                        largest_cosine(&p, block + map->W_in + (size_t)part->neurons[n], M);
                    assert_true(twin ? cosine > 0.1 : cosine < 1e-6);
                    n_read++;
                }
            }
            end(&p);
        }
        assert_int_equal(n_read, 15); /* see planted_kinds.c */
    }
}

/* ---- options, games, bits ---- */

static void games_are_legal(void **state)
{
    (void)state;
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        const Vocab *vocab = vocab_of(variant);
        PlantedTruth truth;
        PlantedOptions options = {.kind = PLANTED_CANCEL, .size = size, .seed = 1};
        assert_int_equal(planted_truth(&truth, &options), 0);
        size_t n_other = 0;
        for (int run = 0; run < 2; run++) {
            const uint8_t *tokens = run ? truth.corrupt : truth.clean;
            uint8_t moves[T_MAX];
            Board after[T_MAX];
            for (size_t t = 0; t < truth.n_tokens; t++) {
                moves[t] = vocab->sq_of_tok[tokens[t]];
                n_other += run && tokens[t] != truth.clean[t];
            }
            assert_int_equal(game_replay(variant, moves, (int)truth.n_tokens, after),
                             truth.n_tokens);
            uint64_t legal = board_moves(variant, &after[truth.n_tokens - 1]);
            assert_true(legal >> vocab->sq_of_tok[truth.target] & 1);
            assert_true(legal >> vocab->sq_of_tok[truth.other] & 1);
        }
        assert_int_equal(n_other, 1);
        assert_int_not_equal(truth.clean[truth.differs_at], truth.corrupt[truth.differs_at]);
        Gpt *gpt;
        assert_int_equal(planted_make(&gpt, &options), 0);
        assert_int_equal(gpt->cfg.d_vocab, vocab->d_vocab);
        assert_int_equal(gpt->cfg.n_ctx, vocab->n_ctx);
        gpt_free(gpt);
    }
}

static Gpt *made(PlantedKind kind, uint64_t seed, bool twin)
{
    Gpt *gpt;
    PlantedOptions options = {.kind = kind, .size = 4, .seed = seed, .twin = twin};
    assert_int_equal(planted_make(&gpt, &options), 0);
    return gpt;
}

static size_t n_different(const Gpt *a, const Gpt *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_numbers; i++) {
        n += a->params[i] != b->params[i];
    }
    return n;
}

/* Same options, same bits; the twin differs in the planted heads and neurons alone. */
static void twin_has_the_same_filling(void **state)
{
    (void)state;
    Gpt *a = made(PLANTED_CANCEL, 1, false), *b = made(PLANTED_CANCEL, 1, false);
    Gpt *other = made(PLANTED_CANCEL, 2, false), *twin = made(PLANTED_CANCEL, 1, true);
    size_t C = (size_t)a->cfg.d_model, HS = (size_t)a->cfg.d_head;
    size_t of_head = 3 * C * HS + 2 * HS, of_neuron = 2 * C + 1; /* W_Q, W_V, W_O, b_Q, b_V */
    assert_int_equal(n_different(a, b), 0);
    assert_true(n_different(a, other) > a->n_numbers / 2);
    assert_true(n_different(a, twin) > 2 * of_head - 10);
    assert_true(n_different(a, twin) <= 2 * of_head + 2 * of_neuron);
    gpt_free(a);
    gpt_free(b);
    gpt_free(other);
    gpt_free(twin);
}

static void names_are_read_back(void **state)
{
    PlantedKind kind;
    (void)state;
    for (int i = 0; i < N_PLANTED; i++) {
        assert_int_equal(planted_kind_parse(&kind, planted_kind_name((PlantedKind)i)), 0);
        assert_int_equal(kind, i);
        assert_true(strlen(planted_kind_meaning(kind)) > 10);
    }
    assert_int_equal(planted_kind_parse(&kind, "dormand"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "did you mean dormant?"));
    assert_int_equal(planted_kind_parse(&kind, "mouse"), OGPT_EUSAGE);
    assert_null(strstr(err_message(), "did you mean"));
    assert_string_equal(planted_node_name(PLANTED_NEURON), "neuron");
    assert_string_equal(planted_channel_name(PLANTED_V), "v");
}

static void bad_options_are_refused(void **state)
{
    const PlantedOptions bad[] = {{.kind = N_PLANTED, .size = 4},
                                  {.kind = PLANTED_LINEAR, .size = 5},
                                  {.kind = PLANTED_LINEAR, .size = 4, .strength = 13},
                                  {.kind = PLANTED_LINEAR, .size = 4, .strength = NAN}};
    const char *const words[] = {"kind", "board", "strength", "strength"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        Gpt *gpt;
        PlantedTruth truth;
        assert_int_equal(planted_make(&gpt, &bad[i]), OGPT_EUSAGE);
        assert_null(gpt);
        assert_non_null(strstr(err_message(), words[i]));
        assert_int_equal(planted_truth(&truth, &bad[i]), OGPT_EUSAGE);
    }
    Gpt *gpt = NULL;
    PlantedOptions good = {.kind = PLANTED_LINEAR, .size = 4};
    for (uint64_t at = 1; at <= 4; at++) {
        mem_fail_at(at, 0);
        assert_int_equal(planted_make(&gpt, &good), OGPT_ENOMEM);
        assert_null(gpt);
    }
    mem_fail_at(0, 0);
    assert_int_equal(planted_make(&gpt, &good), 0);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emptiness_looks_everywhere),
        cmocka_unit_test(saturated_gap_flips),
        cmocka_unit_test(linear_is_linear),
        cmocka_unit_test(dormant_direction_is_an_illusion),
        cmocka_unit_test(backup_gate_has_its_threshold),
        cmocka_unit_test(filling_writes_past_the_circuit),
        cmocka_unit_test(games_are_legal),
        cmocka_unit_test(twin_has_the_same_filling),
        cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(bad_options_are_refused),
    };
    return cmocka_run_group_tests_name("planted_kinds", tests, NULL, NULL);
}
