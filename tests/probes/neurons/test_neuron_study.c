/* tests/probes/neurons/test_neuron_study.c - a whole network: planted neurons are found where they
 * were planted and not in the controls, neurons add up to their MLP, ablation is that of the room.
 */
#include <stdio.h>

#include "base/arena.h"
#include "probes/attribution/attribution_run.h"
#include "probes/neurons/neuron_study.h"
#include "tests/probes/neurons/neuron_fixture.h"

enum { LAYERS = 2, NEURONS = 64 };

static const NeuronStudyOptions few = {.sample = {60, 30, 8},
                                       .look = {4, false},
                                       .threshold = 0.7,
                                       .controls = true,
                                       .use = {.games = 12,
                                               .plies = 3,
                                               .ablated = 4,
                                               .kind = ABLATION_MEAN,
                                               .mean_games = 30,
                                               .neuron = -1}};

/* Neurons 0 to 31 of layer 0 ask whether the last move was one square: what the token embedding
 * says is a direction of its own for every token, and the LayerNorm in front is plain. */
static Gpt *planted_network(void)
{
    Gpt *gpt = neuron_network(6, LAYERS);
    size_t C = 16, V = 33, M = NEURONS;
    real *embed = gpt->params + gpt->map.W_E, *position = gpt->params + gpt->map.W_pos;
    real *W_in = gpt->params + gpt->map.W_in, *b_in = gpt->params + gpt->map.b_in;
    for (size_t i = 0; i < V * C; i++) {
        embed[i] *= 100;
    }
    for (size_t i = 0; i < 31 * C; i++) {
        position[i] *= 0.01F;
    }
    for (size_t k = 0; k < 32; k++) {
        double mean = 0, square = 0;
        for (size_t c = 0; c < C; c++) {
            mean += (double)embed[(k + 1) * C + c] / (double)C;
        }
        for (size_t c = 0; c < C; c++) {
            square += pow((double)embed[(k + 1) * C + c] - mean, 2) / (double)C;
        }
        for (size_t c = 0; c < C; c++) { /* 1 at its own token, below elsewhere; 0.9 is taken off */
            W_in[c * M + k] =
                (real)(((double)embed[(k + 1) * C + c] - mean) / sqrt(square) * 50 / (double)C);
        }
        b_in[k] = -45;
    }
    return gpt;
}

static void run_study(NeuronStudy *study, const Gpt *gpt, const Work *work)
{
    const Vocab *vocab = vocab_of(game_variant(6));
    assert_int_equal(neuron_study_open(study, vocab, NULL, &few, work->seed), 0);
    assert_int_equal(neuron_study_draw(study, work), 0);
    assert_true(neuron_study_bytes(study, gpt, true, false, work) > study->games.n * NEURONS * 4);
    assert_int_equal(neuron_study_run(study, gpt, work), 0);
    assert_int_equal(neuron_study_use(study, gpt, work), 0);
}

static void planted_neurons_are_rules_and_controls_are_not(void **state)
{
    Gpt *gpt = planted_network();
    NeuronStudy study;
    Work work = {.seed = 4};
    run_study(&study, gpt, &work);
    const NeuronLayer *layer = study.layers;
    size_t named = 0;
    for (int k = 0; k < 32; k++) {
        char expected[32];
        int sq = study.games.vocab->sq_of_tok[k + 1];
        snprintf(expected, sizeof(expected), "last move %c%c", 'a' + sq % 8, '1' + sq / 8);
        named += strcmp(study.rows[k].rule.text, expected) == 0;
        assert_int_equal(study.rows[k].neuron, k);
    }
    assert_true(named >= 28); /* a square that is hardly ever last has too few rows */
    assert_true(layer[NEURONS_TRAINED].shares.rules.value > 0.4);
    assert_true(layer[NEURONS_ROTATED].shares.rules.value < 0.2);
    assert_true(layer[NEURONS_SHUFFLED].shares.rules.value < 0.1);
    assert_true(layer[NEURONS_RANDOM].shares.rules.value < 0.2);
    assert_true(study.layers[N_NEURON_ARMS].shares.rules.value < 0.2); /* nothing was planted */
    for (int arm = 0; arm < N_NEURON_ARMS; arm++) {
        const NeuronShares *shares = &layer[arm].shares;
        assert_true(shares->rules.low <= shares->rules.value + 0.1);
        assert_true(shares->rules.low <= shares->rules.high);
        assert_true(shares->only.value <= shares->rules.value);
    }
    assert_int_equal(study.n_flanks, 360);
    assert_int_equal(study.n_playable, 316);
    neuron_study_release(&study);
    gpt_free(gpt);
}

/* What the neurons of a layer add, and the MLP's bias, is what its MLP adds. */
static void neurons_add_up_to_their_mlp(void **state)
{
    Gpt *gpt = planted_network();
    NeuronStudy study;
    Work work = {.seed = 4};
    AttributionTarget target;
    AttributionPositions positions;
    AttributionOptions options[2] = {{.grain = GRAIN_NEURON}, {.grain = GRAIN_PART}};
    Attribution found[2];
    double all = 0;
    for (int layer = 0; layer < LAYERS; layer++) {
        for (size_t c = 0; c < 16; c++) { /* a bias that writes */
            gpt->params[gpt->map.b_out + (size_t)layer * gpt->map.block_stride + c] =
                0.3F * (real)c;
        }
        for (size_t i = 0; i < NEURONS * 16; i++) {
            gpt->params[gpt->map.W_out + (size_t)layer * gpt->map.block_stride + i] *= 30;
        }
    }
    run_study(&study, gpt, &work);
    assert_int_equal(attribution_target_logits(&target, gpt, TARGET_DELTA, -1), 0);
    assert_int_equal(attribution_positions_draw(&positions, study.sources.used, few.use.games,
                                                few.use.plies, &work),
                     0);
    assert_int_equal(attribution_aim(&positions, &target, &work), 0);
    for (int g = 0; g < 2; g++) {
        assert_int_equal(attribution_run(&found[g], gpt, &target, &positions, &options[g], &work),
                         0);
    }
    assert_true(study.use.identity_error < 1e-4);
    for (int layer = 0; layer < LAYERS; layer++) {
        double sum = 0;
        size_t mlp = component_mlp(&found[1].list, layer);
        size_t bias = component_mlp(&found[0].list, layer) + NEURONS;
        assert_int_equal(found[0].rows[bias].what.kind, COMPONENT_MLP_BIAS);
        assert_int_equal(found[1].rows[mlp].what.kind, COMPONENT_MLP);
        for (size_t k = 0; k < NEURONS; k++) {
            sum += study.use.value[(size_t)layer * NEURONS + k];
            all += fabs(study.use.value[(size_t)layer * NEURONS + k]);
        }
        assert_true(fabs(found[0].rows[bias].value.value) > 1e-6);
        assert_true(fabs(sum + found[0].rows[bias].value.value - found[1].rows[mlp].value.value) <
                    1e-5);
        assert_true(fabs(sum - found[1].rows[mlp].value.value) > 1e-6); /* the bias is missing */
    }
    assert_true(all > 1e-2);
    for (int g = 0; g < 2; g++) {
        attribution_release(&found[g]);
    }
    attribution_positions_release(&positions);
    attribution_target_release(&target);
    neuron_study_release(&study);
    gpt_free(gpt);
}

static void ablated_neurons_are_the_largest_and_some_others(void **state)
{
    Gpt *gpt = planted_network();
    NeuronStudy study, again;
    Work work = {.seed = 4};
    Pool *pool = NULL;
    size_t n[3] = {0};
    double least = INFINITY, most = 0;
    run_study(&study, gpt, &work);
    const NeuronUse *use = &study.use;
    for (size_t k = 0; k < use->n; k++) {
        n[use->ablated[k]]++;
        if (use->ablated[k] == NEURON_LARGEST) {
            least = fmin(least, use->magnitude[k]);
        } else {
            most = fmax(most, use->magnitude[k]);
        }
        assert_true(use->ablated[k] != NEURON_KEPT || use->loss[k].value == 0);
    }
    assert_true(n[NEURON_LARGEST] == 4 && n[NEURON_DRAWN_ANEW] == 4 && least >= most);
    assert_true(use->largest_loss > use->drawn_loss && use->drawn_loss > 0);
    assert_true(use->ablation_error < 1e-4);
    assert_int_equal(pool_new(&pool, 3), 0);
    Work three = {.seed = 4, .pool = pool};
    run_study(&again, gpt, &three);
    for (size_t k = 0; k < use->n; k++) {
        assert_true(again.use.loss[k].value == use->loss[k].value);
        assert_true(again.rows[k].r2[0] == study.rows[k].r2[0] ||
                    (isnan(again.rows[k].r2[0]) && isnan(study.rows[k].r2[0])));
    }
    assert_memory_equal(&again.layers[1].shares, &study.layers[1].shares, sizeof(NeuronShares));
    pool_free(pool);
    neuron_study_release(&study);
    neuron_study_release(&again);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_neurons_are_rules_and_controls_are_not),
        cmocka_unit_test(neurons_add_up_to_their_mlp),
        cmocka_unit_test(ablated_neurons_are_the_largest_and_some_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
