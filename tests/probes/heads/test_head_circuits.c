/* tests/probes/heads/test_head_circuits.c - circuits of weights that are known, and compositions
 * against whole matrices and their exact null. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "num/blas.h"
#include "probes/heads/head_circuits.h"
#include "probes/heads/head_composition.h"
#include "tests/probes/probe_fixture.h"

/* 4x4: 12 moves, embedded and read along their own axes; one head as wide as the stream. W_O is I,
 * minus I, or turns each pair of axes by 90 degrees. */
enum { MOVES = 12, WIDTH = 16 };

static Gpt *axes_network(size_t n_layers)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    GptConfig cfg = {.n_layers = (int)n_layers,
                     .d_model = WIDTH,
                     .n_heads = 1,
                     .d_head = WIDTH,
                     .d_mlp = WIDTH,
                     .n_ctx = vocab->n_ctx,
                     .d_vocab = vocab->d_vocab,
                     .eps = 1e-5f};
    Gpt *gpt = NULL;
    if (gpt_new(&gpt, &cfg) != 0) {
        return NULL;
    }
    for (size_t c = 0; c < WIDTH; c++) {
        gpt->params[gpt->map.lnf_w + c] = 1;
        for (size_t layer = 0; layer < n_layers; layer++) {
            real *block = gpt->params + layer * gpt->map.block_stride;
            block[gpt->map.ln1_w + c] = 1;
            block[gpt->map.W_V + c * WIDTH + c] = 1;
        }
    }
    for (size_t i = 0; i < MOVES; i++) {
        gpt->params[gpt->map.W_E + (i + 1) * WIDTH + i] = 1;
        gpt->params[gpt->map.W_U + i * (MOVES + 1) + i + 1] = 1;
    }
    return gpt;
}

static double copying_of(Gpt *gpt, double along, double across)
{
    HeadCircuit circuit;
    real *o = gpt->params + gpt->map.W_O;
    memset(o, 0, WIDTH * WIDTH * sizeof(*o));
    for (size_t i = 0; i < WIDTH; i++) {
        o[i * WIDTH + i] = (real)along;
        o[i * WIDTH + (i ^ 1)] = (real)(i % 2 ? -across : across);
    }
    assert_int_equal(head_circuits_run(&circuit, gpt, vocab_of(game_variant(4)), NULL, WORK_ALONE),
                     0);
    assert_true(isnan(circuit.copying_empty) && isnan(circuit.own_mine)); /* no probe */
    return circuit.copying;
}

static void copying_scores(void **state)
{
    Gpt *gpt = axes_network(1);
    assert_non_null(gpt);
    assert_true(fabs(copying_of(gpt, 1, 0) - 1) < 1e-6);
    assert_true(fabs(copying_of(gpt, -1, 0) + 1) < 1e-6);
    assert_true(fabs(copying_of(gpt, 0, 1)) < 1e-6);
    double between = copying_of(gpt, 1, 1); /* by 45 degrees: cos 45 */
    assert_true(fabs(between - sqrt(0.5)) < 0.02);
    assert_true(isnan(copying_of(gpt, 0, 0)));
    gpt_free(gpt);
}

/* A probe whose directions are the axes: a head that writes minus the move's axis takes emptiness
 * of its own square away, and touches no other. */
static void probe_directions_are_read(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    Gpt *gpt = axes_network(1);
    Probe probe = {.task = "mine",
                   .labels = "mover",
                   .site = HOOK_RESID_POST,
                   .size = 4,
                   .n_squares = 16,
                   .d_model = WIDTH,
                   .n_classes = 3,
                   .n_layers = 1,
                   .layers = {0}};
    HeadCircuit circuit;
    double matrix[MOVES * MOVES];
    assert_non_null(gpt);
    assert_int_equal(probe_allocate(&probe), 0);
    for (size_t i = 0; i < MOVES; i++) {
        int sq = vocab->sq_of_tok[i + 1];
        size_t at = (i * 16 + (size_t)(sq / 8 * 4 + sq % 8)) * 3;
        probe.weight[0][at + LABEL_EMPTY] = 1;
        probe.weight[0][at + LABEL_MINE] = 0.5f;
        gpt->params[gpt->map.W_O + i * WIDTH + i] = -1;
    }
    assert_int_equal(probe_check_mine(&probe, "p"), OGPT_EUSAGE); /* not fitted yet */
    probe.fitted[0] = true;
    assert_int_equal(probe_check_mine(&probe, "p"), 0);
    assert_int_equal(head_circuits_run(&circuit, gpt, vocab, &probe, WORK_ALONE), 0);
    assert_true(fabs(circuit.copying_empty + 1) < 1e-6 && circuit.copying_mine < -1 + 1e-6);
    assert_true(circuit.own_empty < -0.9 && fabs(circuit.other_empty) < 0.1);
    assert_true(circuit.own_mine < -0.9);
    assert_int_equal(head_circuit_matrix(matrix, gpt, vocab, &probe, 0, HEAD_OV_EMPTY), 0);
    for (size_t i = 0; i < MOVES * MOVES; i++) {
        assert_true(i % (MOVES + 1) == 0 ? matrix[i] < -2 : fabs(matrix[i]) < 1);
    }
    /* Queries and keys read nothing, and the layer in front of block 0 has no probe. */
    assert_true(circuit.moves_spread == 0 && circuit.places_spread == 0);
    assert_int_equal(head_circuit_matrix(matrix, gpt, vocab, &probe, 0, HEAD_QK_PROBE), 0);
    assert_true(isnan(matrix[0]));
    snprintf(probe.labels, sizeof(probe.labels), "parity");
    assert_int_equal(probe_check_mine(&probe, "p"), OGPT_EUSAGE);
    snprintf(probe.labels, sizeof(probe.labels), "mover");
    snprintf(probe.task, sizeof(probe.task), "colour");
    assert_int_equal(probe_check_mine(&probe, "p"), OGPT_EUSAGE);
    probe_release(&probe);
    gpt_free(gpt);
}

/* A head that scores keys by the parity of their age, by its positions. */
static void places_by_parity(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    Gpt *gpt = axes_network(1);
    HeadCircuit circuit;
    double matrix[11 * 11];
    assert_non_null(gpt);
    for (size_t t = 0; t < 11; t++) { /* axis 14: even plies; axis 15: odd ones */
        gpt->params[gpt->map.W_pos + t * WIDTH + 14 + t % 2] = 1;
    }
    for (size_t i = 0; i < 2; i++) { /* queries of even plies ask for odd ones, and back */
        gpt->params[gpt->map.W_Q + (14 + i) * WIDTH + i] = 1;
        gpt->params[gpt->map.W_K + (14 + i) * WIDTH + 1 - i] = 1;
    }
    assert_int_equal(head_circuits_run(&circuit, gpt, vocab, NULL, WORK_ALONE), 0);
    assert_int_equal(head_circuit_matrix(matrix, gpt, vocab, NULL, 0, HEAD_QK_PLACES), 0);
    assert_true(circuit.parity > 1 && circuit.places_spread > 0.5);
    assert_true(fabs(circuit.parity - (matrix[5 * 11 + 4] - matrix[5 * 11 + 3])) < 1e-5);
    assert_true(isnan(matrix[4 * 11 + 5]));
    gpt_free(gpt);
}

/* ---- composition ---- */

static void composition_is_that_of_whole_matrices(void **state)
{
    HeadComposition found;
    Gpt *gpt = fixture_network(6, 1);
    size_t pairs = 0;
    assert_true(gpt && blas_init() == 0);
    assert_int_equal(head_composition_run(&found, gpt, 2, WORK_ALONE), 0);
    for (int channel = 0; channel < N_HEAD_CHANNELS; channel++) {
        for (size_t from = 0; from < found.H; from++) {
            for (size_t to = 0; to < found.H; to++) {
                double plain = head_composition_ref(gpt, (HeadChannel)channel, from, to);
                double fast = found.score[head_pair(&found, (HeadChannel)channel, from, to)];
                assert_int_equal(isnan(plain), from / 3 >= to / 3);
                assert_int_equal(isnan(fast), isnan(plain));
                assert_true(isnan(plain) || fabs(plain - fast) < 1e-5 * plain);
                pairs += !isnan(plain);
            }
        }
    }
    assert_int_equal(pairs, N_HEAD_CHANNELS * 27);
    head_composition_release(&found);
    gpt_free(gpt);
}

/* Rotated pairs score 1 / sqrt(d) within 3 standard errors, whatever the weights; a later head that
 * reads exactly what an earlier one writes is far from it, and its z says so. */
static void rotations_have_the_exact_null(void **state)
{
    HeadComposition found;
    Gpt *gpt = fixture_network(6, 1);
    assert_true(gpt && blas_init() == 0);
    const TensorMap *map = &gpt->map;
    real *late = gpt->params + map->block_stride;
    /* Head 1 of block 1 has as values the transpose of what head 2 of block 0 writes. */
    for (size_t c = 0; c < 24; c++) {
        late[map->ln1_w + c] = 1;
        for (size_t i = 0; i < 8; i++) {
            late[map->W_V + c * 24 + 8 + i] = gpt->params[map->W_O + (16 + i) * 24 + c];
        }
    }
    assert_int_equal(head_composition_run(&found, gpt, HEAD_ROTATIONS, &(Work){.seed = 2}), 0);
    assert_true(fabs(found.null - 1 / sqrt(24)) < 1e-12);
    assert_true(found.rotated_error > 0 && found.rotated_error < 0.01 * found.null);
    assert_true(fabs(found.rotated - found.null) < 3 * found.rotated_error);
    size_t planted = head_pair(&found, HEAD_V, 2, 4), largest = planted;
    for (size_t at = 0; at < N_HEAD_CHANNELS * found.H * found.H; at++) {
        double z = (found.score[at] - found.mean[at]) / found.deviation[at];
        double most = (found.score[largest] - found.mean[largest]) / found.deviation[largest];
        largest = z > most ? at : largest;
    }
    assert_int_equal(largest, planted);
    assert_true(found.score[planted] > found.null + 3 * found.deviation[planted]);
    head_composition_release(&found);
    gpt_free(gpt);
}

/* A with writes along the inputs of A^T: |A A^T| / |A|^2 from the singular values of A. Here A is
 * of rank 2 with singular values 3 and 1 (both directions without a mean): sqrt(81 + 1) / (9 + 1).
 */
static void analytic_value(void **state)
{
    HeadComposition found;
    Gpt *gpt = axes_network(2);
    assert_true(gpt && blas_init() == 0);
    real *early = gpt->params, *late = early + gpt->map.block_stride;
    memset(early + gpt->map.W_V, 0, WIDTH * WIDTH * sizeof(real));
    memset(late + gpt->map.W_V, 0, WIDTH * WIDTH * sizeof(real));
    for (size_t i = 0; i < 2; i++) {
        real size = i == 0 ? 3 : 1, half = (real)sqrt(0.5);
        early[gpt->map.W_V + i * WIDTH + i] = size;         /* reads axis i */
        early[gpt->map.W_O + i * WIDTH + 4 + 2 * i] = half; /* writes (4+2i) - (5+2i) */
        early[gpt->map.W_O + i * WIDTH + 5 + 2 * i] = -half;
        late[gpt->map.W_V + (4 + 2 * i) * WIDTH + i] = half; /* reads what was written */
        late[gpt->map.W_V + (5 + 2 * i) * WIDTH + i] = -half;
        late[gpt->map.W_O + i * WIDTH + 8 + 2 * i] = size * half;
        late[gpt->map.W_O + i * WIDTH + 9 + 2 * i] = -size * half;
    }
    assert_int_equal(head_composition_run(&found, gpt, 2, WORK_ALONE), 0);
    double score = found.score[head_pair(&found, HEAD_V, 0, 1)];
    assert_true(fabs(score - sqrt(82.0) / 10) < 1e-5);
    assert_true(isnan(found.score[head_pair(&found, HEAD_Q, 0, 1)])); /* no queries */
    head_composition_release(&found);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copying_scores),
        cmocka_unit_test(probe_directions_are_read),
        cmocka_unit_test(places_by_parity),
        cmocka_unit_test(composition_is_that_of_whole_matrices),
        cmocka_unit_test(rotations_have_the_exact_null),
        cmocka_unit_test(analytic_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
