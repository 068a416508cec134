/* tests/probes/lens/test_lens_study.c - the board lens at its own layer is ogpt probe eval; what
 * comes first, by hand; what is decoded, planted; a whole study, with its controls, and
 * interrupted. */
#include "tests/probes/lens/lens_fixture.h"

#include "base/err.h"
#include "base/process.h"
#include "probes/board/sweep.h"
#include "tests/probes/stopped_journal.h"

/* ---- the board lens ---- */

static void diagonal_is_probe_eval(void **state)
{
    const Gpt *gpt = fixture.model.gpt;
    SweepOptions options = SWEEP_OPTIONS_DEFAULT;
    SweepResult fitted, scored;
    Probe probe;
    LensRows train_rows, test_rows;
    LensDesign designs[LENS_PLACES_MAX] = {{0}};
    LensBoard board;
    char path[FILES_PATH_MAX];
    options.n_games = 150;
    options.n_test_games = 60;
    options.plies = 4;
    options.l2 = 1e-2;
    options.controls = false;
    fixture_path(path, &fixture, "probe");
    assert_int_equal(
        sweep_fit(&fitted, &probe, path, &fixture.subject, fixture.corpus, &options, &usual), 0);
    assert_int_equal(
        sweep_score(&scored, &probe, path, &fixture.subject, fixture.corpus, &options, &usual), 0);
    assert_int_equal(lens_rows_capture(&train_rows, gpt, &train.set, &usual), 0);
    assert_int_equal(lens_rows_capture(&test_rows, gpt, &test.set, &usual), 0);
    for (int place = 0; place < train_rows.n_places; place++) {
        assert_int_equal(lens_design_make(&designs[place], train_rows.x[place], train_rows.n,
                                          train_rows.d_model, LENS_RIDGE, &usual),
                         0);
    }
    const LensBoardInputs in = {&probe, &train, &test, &train_rows, &test_rows, designs};
    assert_int_equal(lens_board_read(&board, &in, &usual), 0);
    assert_int_equal(board.n, 4);
    for (size_t k = 0; k < board.n; k++) {
        const LensBoardCell *own = &board.cells[k * board.n + k];
        const ProbeScore *eval = &scored.layers[k].test;
        assert_memory_equal(&own->accuracy, &eval->accuracy, sizeof(Interval));
        assert_memory_equal(&own->board, &eval->board, sizeof(Interval));
        assert_memory_equal(&own->accuracy, &own->moved_accuracy, sizeof(Interval));
        assert_true(fabs(own->cosine - 1) < 1e-9);
        /* The control: exchanged squares are read worse than the square and ply alone would. */
        assert_true(own->shuffled.high < own->accuracy.low);
        assert_true(own->shuffled.high < board.majority.value);
    }
    /* The twin: at another layer it is another number; carried there, it reads better. */
    const LensBoardCell *away = &board.cells[3 * board.n + 1];
    assert_true(away->accuracy.value != scored.layers[3].test.accuracy.value);
    assert_true(away->moved_accuracy.value > away->accuracy.value);
    assert_true(fabs(away->cosine) < 0.999);
    for (int place = 0; place < train_rows.n_places; place++) {
        lens_design_release(&designs[place]);
    }
    lens_board_release(&board);
    lens_rows_release(&train_rows);
    lens_rows_release(&test_rows);
    probe_release(&probe);
}

/* ---- what comes first ---- */

static uint8_t *holds(LensOrder *order, LensCriterion criterion, int layer)
{
    return order->holds + ((size_t)criterion * (size_t)order->n_layers + (size_t)layer) * order->n;
}

static const LensOrderRow *row_of(const LensOrder *order, LensPair pair, bool settled, int band)
{
    for (size_t i = 0; i < order->n_rows; i++) {
        const LensOrderRow *row = &order->rows[i];
        if (row->pair.board == pair.board && row->pair.move == pair.move &&
            row->settled == settled && (int)(i % (LENS_BANDS + 1)) == band) {
            return row;
        }
    }
    return NULL;
}

/* Three layers. Every fourth position: the move at once, the board at layer 1 (move first); at
 * layer 1 both (together); the board at 0 and the move at 1, and then the board is lost again
 * (board first, settled: move first); nothing at all. */
static void order_by_hand(void **state)
{
    const PositionSet *set = &test.set;
    AblationDraws draws;
    LensOrder order;
    const LensPair pair = {LENS_BOARD_RIGHT, LENS_MOVE_TUNED};
    assert_int_equal(ablation_draws_init(&draws, set->n_games, 1), 0);
    assert_int_equal(lens_order_make(&order, 3, set->n_positions), 0);
    double n[4] = {0};
    for (size_t i = 0; i < set->n_positions; i++) {
        int kind = (int)(i % 4);
        n[kind] += 1;
        for (int layer = 0; layer < 3; layer++) {
            holds(&order, LENS_MOVE_TUNED, layer)[i] = kind == 0 || (kind < 3 && layer > 0);
            holds(&order, LENS_BOARD_RIGHT, layer)[i] =
                kind == 2 ? layer < 2 : kind < 2 && layer > 0;
        }
    }
    assert_int_equal(lens_order_finish(&order, set, &draws), 0);
    double all = (double)set->n_positions;
    const LensOrderRow *first = row_of(&order, pair, false, LENS_BANDS);
    assert_int_equal(first->positions, set->n_positions);
    assert_true(fabs(first->move_first.value - n[0] / all) < 1e-12);
    assert_true(fabs(first->board_first.value - n[2] / all) < 1e-12);
    assert_true(fabs(first->together.value - n[1] / all) < 1e-12);
    assert_true(fabs(first->neither.value - n[3] / all) < 1e-12);
    assert_true(fabs(first->lead.value - (n[0] - n[2]) / all) < 1e-12);
    const LensOrderRow *settled = row_of(&order, pair, true, LENS_BANDS);
    assert_true(fabs(settled->move_first.value - (n[0] + n[2]) / all) < 1e-12);
    assert_true(settled->board_first.value == 0);
    /* Bands share out the positions; plies count the moves seen. */
    size_t sum = 0;
    for (int band = 0; band < LENS_BANDS; band++) {
        sum += row_of(&order, pair, true, band)->positions;
    }
    assert_int_equal(sum, set->n_positions);
    assert_int_equal(row_of(&order, pair, true, 0)->ply_from, 1);
    assert_int_equal(row_of(&order, pair, true, LENS_BANDS - 1)->ply_to, set->vocab->n_ctx);
    const LensArrival *last = &order.arrivals[order.n_arrivals - 1];
    assert_int_equal(last->layer, 1); /* embed, 0, 1 */
    assert_true(fabs(last->holds[LENS_MOVE_TUNED].value - (n[0] + n[1] + n[2]) / all) < 1e-12);
    assert_true(fabs(last->holds[LENS_BOARD_RIGHT].value - (n[0] + n[1]) / all) < 1e-12);
    assert_true(last->holds[LENS_MOVE_LEGAL].value == 0);
    lens_order_release(&order);
    ablation_draws_release(&draws);
}

/* ---- what is decoded ---- */

/* Rows that hold the one-hot token (input planted), or the logits themselves (output planted). */
static float *planted_rows_of(const PositionSet *set, const float *finals, bool input)
{
    size_t V = (size_t)set->vocab->d_vocab, stride = (size_t)set->vocab->variant->n_moves;
    float *x = calloc(set->n_positions * V, sizeof(float));
    Rng rng = rng_at(8, RNG_TEST, input);
    for (size_t g = 0; g < set->n_games; g++) {
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            for (size_t v = 0; v < V; v++) {
                x[i * V + v] = input ? (float)(1e-3 * rng_normal(&rng)) : finals[i * V + v];
            }
            if (input) {
                x[i * V + set->vocab->tok_of_sq[set->moves[g * stride + set->t[i]]]] += 1;
            }
        }
    }
    return x;
}

static float *random_logits(const PositionSet *set, uint64_t seed)
{
    size_t n = set->n_positions * (size_t)set->vocab->d_vocab;
    float *out = malloc(n * sizeof(float));
    Rng rng = rng_at(seed, RNG_TEST, 2);
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)rng_normal(&rng);
    }
    return out;
}

static void decoding_of_planted_rows(void **state)
{
    size_t V = (size_t)test.set.vocab->d_vocab;
    AblationDraws draws;
    float *fit_logits = random_logits(&train.set, 1), *test_logits = random_logits(&test.set, 2);
    assert_int_equal(ablation_draws_init(&draws, test.set.n_games, 1), 0);
    for (int input = 0; input < 2; input++) {
        float *x = planted_rows_of(&train.set, fit_logits, input);
        float *y = planted_rows_of(&test.set, test_logits, input);
        LensDesign design;
        LensDecoded found;
        assert_int_equal(lens_design_make(&design, x, train.set.n_positions, V, 1e-6, &usual), 0);
        const LensDecodeInputs in = {
            {&train.set, fit_logits}, {&test.set, test_logits}, &design, y, &draws};
        assert_int_equal(lens_decode(&found, &in, &usual), 0);
        if (input) {
            assert_true(found.token.value == 1 && found.input.value > 0.99);
            assert_true(found.output.value < 0.05); /* random numbers: nothing to be read */
        } else {
            assert_true(found.output.value > 0.99);
            assert_true(found.token.value < 0.2 && found.input.value < 0.05);
        }
        lens_design_release(&design);
        free(x);
        free(y);
    }
    free(fit_logits);
    free(test_logits);
    ablation_draws_release(&draws);
}

/* ---- the whole ---- */

static void whole_study(void **state)
{
    StoppedJournal journal;
    Work work = usual;
    LensStudy study, again;
    Gpt *other = fixture_network(6, 2);
    LensStudyInputs in = {
        .gpt = fixture.model.gpt, .train = &train, .test = &test, .fit = {.rounds = 10}};
    journal_begin(&journal, SIZE_MAX);
    journal.interrupt_after = 4;
    work.journal = &journal.callbacks;
    enliven(other);
    assert_int_equal(lens_study_run(&study, &in, &work), OGPT_EINTR);
    interrupt_set(0);
    assert_int_equal(lens_study_run(&study, &in, &work), 0);
    assert_int_equal(journal.n_recalled, 4); /* nothing that was finished is done again */
    assert_int_equal(journal.n_kept, 2 * 7 + 2 * 4);
    assert_int_equal(lens_study_run(&again, &in, &usual), 0);
    assert_memory_equal(study.places, again.places, (size_t)study.n_places * sizeof(*study.places));
    assert_memory_equal(study.order.holds, again.order.holds,
                        N_LENS_CRITERIA * (size_t)study.order.n_layers * study.order.n);
    assert_true(study.measured.last_error == 0);
    for (int place = 0; place < study.n_places - 1; place++) {
        const LensPlaceRow *row = &study.places[place];
        assert_true(row->fit.kl <= row->fit.kl_logit);
        assert_true(row->tuned_change.low <= 0); /* not worse on games that were not fitted */
        /* Controls fail: another network's lens, and rows that know nothing. */
        assert_true(row->scores[LENS_OTHER][LENS_KL].low > row->scores[LENS_TUNED][LENS_KL].high);
        if (place > 2) {
            assert_true(row->scores[LENS_RANDOM_TUNED][LENS_KL].low >
                        row->scores[LENS_TUNED][LENS_KL].high);
        }
        assert_true(row->scores[LENS_RANDOM][LENS_KL].value >
                    row->scores[LENS_TUNED][LENS_KL].value);
    }
    assert_int_equal(study.n_blocks, 6);
    assert_true(fabs(study.blocks[0].scores[LENS_KL].value) < 1e-12);
    assert_true(study.blocks[1].scores[LENS_KL].low > 0.01);
    /* With another network's weights the lens of that network is fitted, and fails here. */
    lens_study_release(&again);
    in.other = other;
    in.fit.rounds = 5;
    assert_int_equal(lens_study_run(&again, &in, &usual), 0);
    assert_true(again.places[3].scores[LENS_OTHER][LENS_KL].value >
                again.places[3].scores[LENS_TUNED][LENS_KL].value);
    journal_end(&journal);
    lens_study_release(&again);
    lens_study_release(&study);
    gpt_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diagonal_is_probe_eval),
        cmocka_unit_test(order_by_hand),
        cmocka_unit_test(decoding_of_planted_rows),
        cmocka_unit_test(whole_study),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
