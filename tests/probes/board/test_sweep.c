/* tests/probes/board/test_sweep.c - label: counted - links: probes/edits - a sweep continues after
 * an interruption with the same bytes, refuses to mix settings and gives the same bytes at any
 * number of workers; its scores and controls measure what they claim. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "game/play.h"
#include "probes/edits/decode.h"
#include "tests/probes/board/sweep_fixture.h"

static void an_interrupted_sweep_goes_on(void **state)
{
    char whole[HASH_HEX_SIZE], part[HASH_HEX_SIZE], joined[HASH_HEX_SIZE], path[FILES_PATH_MAX];
    SweepResult first, second, third;
    Probe begun;
    SweepOptions options = small_options();
    SweepWatch watch = {0};
    assert_int_equal(fit(&first, whole, "whole", &options, &watch, &usual), 0);
    assert_int_equal(watch.n_layers, 4); /* embed and three blocks */
    assert_true(tick_log_ended(&watch.log, "layers", 4));
    watch = (SweepWatch){.stop_after = 2};
    Work small = usual;
    small.memory_bytes = 1; /* one layer a group: the captures are made again */
    assert_int_equal(fit(&second, part, "parts", &options, &watch, &small), OGPT_EINTR);
    assert_string_not_equal(part, whole);
    fixture_path(path, &fixture, "parts");
    assert_int_equal(probe_load(&begun, path), 0);
    watch = (SweepWatch){0};
    assert_int_equal(fit(&second, joined, "parts", &options, &watch, &small), 0);
    assert_string_equal(joined, whole);
    for (int i = 0; i < 4; i++) {
        /* If a layer were fitted again, its time would differ. */
        assert_int_equal(second.layers[i].seconds == begun.seconds[i], i < 2);
        assert_true(second.layers[i].fit.objective == first.layers[i].fit.objective);
        assert_int_equal(second.layers[i].fit.rounds, first.layers[i].fit.rounds);
        assert_int_equal(second.layers[i].fit.n_absent, first.layers[i].fit.n_absent);
        assert_true(second.layers[i].test.accuracy.value == first.layers[i].test.accuracy.value);
    }
    /* A call after the end fits nothing and returns the same result. */
    assert_int_equal(fit(&third, joined, "parts", &options, &watch, &small), 0);
    for (int i = 0; i < 4; i++) {
        assert_true(third.layers[i].seconds == second.layers[i].seconds);
        assert_memory_equal(&third.layers[i].fit, &second.layers[i].fit, sizeof(FitReport));
    }
    assert_string_equal(joined, whole);
    probe_release(&begun);
}

static void other_settings_are_refused(void **state)
{
    char hash[HASH_HEX_SIZE], before[HASH_HEX_SIZE];
    SweepResult result;
    SweepWatch watch = {0};
    SweepOptions options = small_options();
    options.n_layers = 1;
    options.layers[0] = 1;
    assert_int_equal(fit(&result, before, "one", &options, &watch, &usual), 0);
    SweepOptions changed[7];
    const char *named[] = {"--task",  "--labels", "--solver", "--l2",
                           "--plies", "--seed",   "--layers"};
    for (int i = 0; i < 7; i++) {
        changed[i] = options;
    }
    changed[0].task = "colour";
    changed[1].labels = "parity";
    changed[2].solver = "liblinear";
    changed[3].l2 = 0.5;
    changed[4].plies = 3;
    changed[6].layers[0] = 2;
    for (int i = 0; i < 7; i++) {
        Work other = usual;
        other.seed = i == 5 ? 2 : 1;
        assert_int_equal(fit(&result, hash, "one", &changed[i], &watch, &other), OGPT_EUSAGE);
        assert_non_null(strstr(err_message(), named[i]));
        assert_string_equal(hash, before); /* and nothing was touched */
    }
    fixture.model.model_hash[0] = 'b';
    assert_int_equal(fit(&result, hash, "one", &options, &watch, &usual), OGPT_EUSAGE);
    fixture.model.model_hash[0] = 'a';
    assert_int_equal(fit(&result, hash, "one", &options, &watch, &usual), 0);
    options.site = HOOK_FINAL; /* outside the blocks: no row of layer 1 would ever be read */
    assert_int_equal(fit(&result, hash, "none", &options, &watch, &usual), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "no vectors"));
    options.site = HOOK_RESID_POST;
    options.layers[0] = 3; /* the network has layers 0 to 2 */
    assert_int_equal(fit(&result, hash, "none", &options, &watch, &usual), OGPT_EUSAGE);
    assert_string_equal(hash, "");
}

/* If the fit depends on the validation games, another number of them is refused. Two seeds that are
 * the same double are still two seeds. */
static void other_validation_games_and_close_seeds_are_refused(void **state)
{
    char hash[HASH_HEX_SIZE];
    SweepResult result;
    SweepWatch watch = {0};
    SweepOptions options = small_options();
    options.n_layers = 1;
    options.layers[0] = 1;
    Work far = usual;
    far.seed = UINT64_C(1) << 53;
    assert_int_equal(fit(&result, hash, "fixed", &options, &watch, &far), 0);
    options.n_test_games = 30; /* allowed: only the scores are of other games */
    assert_int_equal(fit(&result, hash, "fixed", &options, &watch, &far), 0);
    far.seed++;
    assert_int_equal(fit(&result, hash, "fixed", &options, &watch, &far), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "--seed 9007199254740992, asked for 9007199254740993"));
    options.l2 = FIT_L2_AUTO;
    assert_int_equal(fit(&result, hash, "auto", &options, &watch, &far), 0);
    assert_int_equal(fit(&result, hash, "auto", &options, &watch, &far), 0);
    options.n_test_games = 60;
    assert_int_equal(fit(&result, hash, "auto", &options, &watch, &far), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "validation games (half of --test-games) 15"));
    options.l2 = FIT_L2;
    options.solver = "adamw";
    options.n_hidden = 8;
    options.epochs = 1;
    assert_int_equal(fit(&result, hash, "hidden", &options, &watch, &far), 0);
    options.n_test_games = 30;
    assert_int_equal(fit(&result, hash, "hidden", &options, &watch, &far), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "validation games"));
}

/* The history MLP has its own recipe: the epochs of the probe do not change it. It begins as the
 * linear fit, so on the validation games it is at least as good. */
static void the_history_mlp_has_its_own_recipe(void **state)
{
    char hash[HASH_HEX_SIZE];
    SweepResult free, starved;
    SweepOptions options = few_options();
    SweepWatch watch = {0};
    options.controls = true;
    options.solver = "adamw";
    options.n_layers = 1;
    options.layers[0] = 1;
    assert_int_equal(fit(&free, hash, "free", &options, &watch, &usual), 0);
    options.epochs = 3;
    assert_int_equal(fit(&starved, hash, "starved", &options, &watch, &usual), 0);
    assert_memory_equal(&free.control[CONTROL_HISTORY_MLP], &starved.control[CONTROL_HISTORY_MLP],
                        sizeof(ProbeScore));
    assert_memory_equal(&free.control_fit[CONTROL_HISTORY_MLP],
                        &starved.control_fit[CONTROL_HISTORY_MLP], sizeof(FitReport));
    /* The twin: epochs change the controls that are fitted like the probe. */
    assert_int_equal(free.control_fit[CONTROL_HISTORY].rounds, 1);
    assert_int_equal(starved.control_fit[CONTROL_HISTORY].rounds, 3);
}

static void stop_at_once(void *context, const SweepResult *so_far)
{
    interrupt_set(15);
}

/* The announced memory includes the rows and the parameters of the random model, in addition to the
 * group of captured layers. The layer here is wider than any history. */
static void the_random_model_is_announced(void **state)
{
    enum { WIDE = 2048 };
    SweepResult result[2];
    SweepOptions options = small_options();
    SweepObserver observer = {.start = stop_at_once};
    Subject subject = fixture.subject;
    ModelFile *wide = &subject.model;
    Work small = usual;
    char path[FILES_PATH_MAX];
    GptConfig cfg = fixture.model.gpt->cfg;
    cfg.d_mlp = WIDE;
    assert_int_equal(gpt_new(&wide->gpt, &cfg), 0);
    memset(wide->model_hash, 'c', HASH_HEX_SIZE - 1);
    options.site = HOOK_POST;
    options.n_games = 40;
    options.n_test_games = 10;
    small.memory_bytes = 1;
    options.observer = &observer;
    fixture_path(path, &fixture, "wide");
    for (int controls = 0; controls < 2; controls++) {
        Probe probe;
        options.controls = controls;
        assert_int_equal(
            sweep_fit(&result[controls], &probe, path, &subject, fixture.corpus, &options, &small),
            OGPT_EINTR);
        interrupt_set(0);
        probe_release(&probe);
    }
    size_t n = result[0].n_train + result[0].n_validation + result[0].n_test;
    assert_true(result[1].bytes >=
                result[0].bytes + n * WIDE * sizeof(float) + wide->gpt->n_numbers * sizeof(real));
    gpt_free(wide->gpt);
}

static void threads_change_no_byte(void **state)
{
    char one[HASH_HEX_SIZE], other[HASH_HEX_SIZE], name[16];
    SweepResult first, second;
    SweepOptions options = few_options();
    SweepWatch watch = {0};
    options.controls = true;
    assert_int_equal(fit(&first, one, "threads", &options, &watch, &(Work){.seed = 1}), 0);
    for (size_t threads = 2; threads <= 3; threads++) {
        Pool *workers = NULL;
        assert_int_equal(pool_new(&workers, threads), 0);
        snprintf(name, sizeof(name), "threads-%zu", threads);
        assert_int_equal(
            fit(&second, other, name, &options, &watch, &(Work){.pool = workers, .seed = 1}), 0);
        pool_free(workers);
        assert_string_equal(one, other);
        assert_memory_equal(first.control, second.control, sizeof(first.control));
        assert_int_equal(first.best, second.best);
    }
    /* Negative twin: another sample gives other bytes. */
    options.controls = false;
    assert_int_equal(fit(&second, other, "seed", &options, &watch, &(Work){.seed = 2}), 0);
    assert_string_not_equal(one, other);
}

/* The history says which squares were played, so it knows which are empty. On shuffled labels a
 * probe beats the majority only by the luck of 240 positions (two points). */
static void controls_are_what_they_say(void **state)
{
    char hash[HASH_HEX_SIZE];
    SweepResult result;
    SweepOptions options = small_options();
    SweepWatch watch = {0};
    options.task = "empty";
    options.controls = true;
    assert_int_equal(fit(&result, hash, "controls", &options, &watch, &usual), 0);
    assert_int_equal(watch.n_controls, 2 * N_CONTROLS);
    double majority = result.control[CONTROL_MAJORITY].accuracy.value;
    for (int control = 0; control < N_CONTROLS; control++) {
        const Interval *accuracy = &result.control[control].accuracy;
        assert_true(result.has_control[control]);
        assert_true(accuracy->low <= accuracy->value && accuracy->value <= accuracy->high);
    }
    assert_true(result.control[CONTROL_HISTORY].accuracy.value > 0.999);
    assert_true(result.control[CONTROL_HISTORY].board.value > 0.98);
    /* The shuffled control and its majority use the same shuffled labels; all others use the true
     * ones. */
    const double *right = watch.right;
    assert_true(right[CONTROL_SHUFFLED] == result.control[CONTROL_SHUFFLED].accuracy.value);
    assert_true(right[CONTROL_SHUFFLED] < right[CONTROL_CHANCE] + 0.02);
    assert_true(fabs(right[CONTROL_CHANCE] - majority) < 0.05);
    assert_true(watch.truth[CONTROL_SHUFFLED] == watch.truth[CONTROL_CHANCE]);
    assert_true(watch.truth[CONTROL_SHUFFLED] != watch.truth[CONTROL_MAJORITY]);
    assert_true(watch.truth[CONTROL_HISTORY] == watch.truth[CONTROL_MAJORITY]);
    assert_true(watch.truth[CONTROL_PLANTED] == 0);
    assert_true(result.control[CONTROL_HISTORY_MLP].accuracy.value > majority + 0.05);
    /* 400 rows of 72 columns do not find all of it (docs/METHODS.md), but far more than chance. */
    assert_true(result.control[CONTROL_PLANTED].accuracy.value > 0.9);
    /* Without controls there are none in the result. */
    options.controls = false;
    assert_int_equal(fit(&result, hash, "controls", &options, &watch, &usual), 0);
    assert_false(result.has_control[CONTROL_MAJORITY]);
}

static void shuffled_labels_keep_ply_and_whole_games(void **state)
{
    enum { PLIES = 6 };
    LabelledSet set;
    GameSource *source = NULL;
    const Task *task = task_find("empty");
    assert_int_equal(source_corpus(&source, fixture.corpus, 1U << SPLIT_TRAIN, false, 1), 0);
    assert_int_equal(labelled_draw(&set, source, task, LABELS_MOVER, 100, PLIES, &usual), 0);
    uint8_t *shuffled = test_malloc(set.set.n_positions * 36);
    assert_int_equal(shuffled_labels(shuffled, &set.set, task, LABELS_MOVER, &usual), 0);
    size_t same = 0, broken = 0;
    for (size_t g = 0; g < 100; g++) {
        for (size_t i = set.set.first[g]; i < set.set.first[g + 1]; i++) {
            int occupied = 0, emptied = 0;
            for (size_t s = 0; s < 36; s++) {
                occupied += shuffled[i * 36 + s];
                emptied +=
                    i > set.set.first[g] && shuffled[i * 36 + s] < shuffled[(i - 1) * 36 + s];
            }
            assert_int_equal(occupied, 4 + set.set.t[i] + 1); /* the ply is kept */
            broken += emptied > 0;
            same += memcmp(shuffled + i * 36, set.labels + i * 36, 36) == 0;
        }
    }
    assert_true(same < set.set.n_positions / 10); /* early boards may coincide */
    /* Squares fill up as in one game, except where a partner ended early and another took its
     * place. */
    assert_true(broken < set.set.n_positions / 20);
    test_free(shuffled);
    labelled_release(&set);
    source_free(source);
}

/* Positions behind the last moves, of games of one length: each gets the board of another. */
static void ends_of_equal_length_lend_to_each_other(void **state)
{
    enum { N = 40, STRIDE = 32, LENGTH = 14 };
    uint8_t moves[N * STRIDE], labels[N * 36], shuffled[N * 36];
    const GameVariant *variant = game_variant(6);
    const Task *task = task_find("mine");
    PositionSet set;
    size_t same = 0;
    assert_int_equal(variant->n_moves, STRIDE);
    play_random_games(moves, variant, 3, RNG_TEST, 0, N);
    for (size_t g = 0; g < N; g++) {
        memset(moves + g * STRIDE + LENGTH, SQ_NONE, STRIDE - LENGTH);
    }
    assert_int_equal(positions_ends(&set, variant, moves, N), 0);
    assert_int_equal(positions_label(labels, &set, task, LABELS_MOVER, &usual), 0);
    assert_int_equal(shuffled_labels(shuffled, &set, task, LABELS_MOVER, &usual), 0);
    for (size_t g = 0; g < N; g++) {
        same += memcmp(labels + g * 36, shuffled + g * 36, 36) == 0;
    }
    assert_int_equal(same, 0); /* boards after 14 random moves do not coincide */
    positions_release(&set);
}

/* Right predictions, and predictions with known errors. */
static void scores_count_what_they_say(void **state)
{
    LabelledSet set;
    GameSource *source = NULL;
    ProbeScore score;
    assert_int_equal(source_corpus(&source, fixture.corpus, 1U << SPLIT_TEST, false, 1), 0);
    assert_int_equal(labelled_draw(&set, source, task_find("mine"), LABELS_MOVER, 30, 4, &usual),
                     0);
    size_t n = set.set.n_positions, occupied = 0, flipped = 0;
    uint8_t *predicted = test_malloc(n * 36);
    memcpy(predicted, set.labels, n * 36);
    assert_int_equal(score_predictions(&score, &set, predicted, &usual), 0);
    assert_true(score.accuracy.value == 1 && score.board.low == 1 && score.flipped.value == 1);
    for (size_t i = 0; i < n; i++) {
        occupied += (size_t)__builtin_popcountll(set.occupied[i]);
        flipped += (size_t)__builtin_popcountll(set.flipped[i]);
        assert_true((set.flipped[i] & ~set.occupied[i]) == 0);
        assert_int_equal(__builtin_popcountll(set.occupied[i]), 4 + set.set.t[i] + 1);
    }
    assert_true(flipped > 0 && flipped < occupied);
    uint64_t bit = set.flipped[5] & -set.flipped[5]; /* one flipped disc of position 5 */
    predicted[5 * 36 + __builtin_ctzll(bit)] ^= 3;
    assert_int_equal(score_predictions(&score, &set, predicted, &usual), 0);
    assert_true(fabs(score.accuracy.value - (1 - 1.0 / (double)(36 * n))) < 1e-12);
    assert_true(fabs(score.board.value - (1 - 1.0 / (double)n)) < 1e-12);
    assert_true(fabs(score.nonempty.value - (1 - 1.0 / (double)occupied)) < 1e-12);
    assert_true(fabs(score.flipped.value - (1 - 1.0 / (double)flipped)) < 1e-12);
    test_free(predicted);
    labelled_release(&set);
    source_free(source);
}

/* A layer that is fitted alone has the same bytes as among all layers. */
static void layers_do_not_depend_on_each_other(void **state)
{
    char hash[HASH_HEX_SIZE], path[FILES_PATH_MAX];
    SweepResult result;
    SweepOptions options = small_options();
    SweepWatch watch = {0};
    Probe all, alone;
    assert_int_equal(fit(&result, hash, "all-layers", &options, &watch, &usual), 0);
    options.n_layers = 1;
    options.layers[0] = 1;
    assert_int_equal(fit(&result, hash, "layer-1", &options, &watch, &usual), 0);
    fixture_path(path, &fixture, "all-layers");
    assert_int_equal(probe_load(&all, path), 0);
    fixture_path(path, &fixture, "layer-1");
    assert_int_equal(probe_load(&alone, path), 0);
    size_t bytes = (size_t)all.d_model * 36 * 3 * sizeof(float);
    assert_memory_equal(all.weight[2], alone.weight[0], bytes);
    assert_memory_not_equal(all.weight[1], alone.weight[0], bytes);
    probe_release(&all);
    probe_release(&alone);
}

/* Rows that lie on the disk because memory is short: captured in many pieces, the same bytes. */
static void rows_on_the_disk_change_no_byte(void **state)
{
    char in_memory[HASH_HEX_SIZE], spilled[HASH_HEX_SIZE];
    SweepResult first, second;
    SweepOptions options = small_options();
    SweepWatch watch = {0};
    Work little = usual;
    little.memory_bytes = 4000;
    assert_int_equal(fit(&first, in_memory, "in-memory", &options, &watch, &usual), 0);
    assert_int_equal(fit(&second, spilled, "spilled", &options, &watch, &little), 0);
    assert_string_equal(in_memory, spilled);
    assert_int_equal(first.best, second.best);
    assert_memory_equal(&first.layers[0].test, &second.layers[0].test,
                        sizeof(first.layers[0].test));
    /* Stopped behind the first layer, whose training rows are not captured again: the same. */
    watch = (SweepWatch){.stop_after = 1};
    assert_int_equal(fit(&second, spilled, "spilled-twice", &options, &watch, &little), OGPT_EINTR);
    watch = (SweepWatch){0};
    interrupt_set(0);
    assert_int_equal(fit(&second, spilled, "spilled-twice", &options, &watch, &little), 0);
    assert_string_equal(in_memory, spilled);
}

/* A probe on file keeps its scores; a probe of another model is refused. */
static void a_probe_on_file_is_scored(void **state)
{
    char hash[HASH_HEX_SIZE], path[FILES_PATH_MAX];
    SweepResult fitted, scored;
    SweepOptions options = small_options();
    SweepWatch watch = {0};
    Probe probe;
    assert_int_equal(fit(&fitted, hash, "scored", &options, &watch, &usual), 0);
    fixture_path(path, &fixture, "scored");
    assert_int_equal(probe_load(&probe, path), 0);
    assert_int_equal(
        sweep_score(&scored, &probe, path, &fixture.subject, fixture.corpus, &options, &usual), 0);
    for (int i = 0; i < 4; i++) {
        assert_memory_equal(&scored.layers[i].test, &fitted.layers[i].test, sizeof(ProbeScore));
    }
    fixture.model.model_hash[0] = 'b';
    assert_int_equal(
        sweep_score(&scored, &probe, path, &fixture.subject, fixture.corpus, &options, &usual),
        OGPT_EFORMAT);
    fixture.model.model_hash[0] = 'a';
    probe_release(&probe);
}

/* A typed game is read by the probe, and an edit changes what the probe reads there. */
static void a_typed_game_is_decoded(void **state)
{
    char hash[HASH_HEX_SIZE], path[FILES_PATH_MAX];
    uint8_t moves[32];
    static Decoded plain, edited;
    SweepResult result;
    SweepOptions options = small_options();
    SweepWatch watch = {0};
    Probe probe;
    assert_int_equal(fit(&result, hash, "decoded", &options, &watch, &usual), 0);
    fixture_path(path, &fixture, "decoded");
    assert_int_equal(probe_load(&probe, path), 0);
    assert_int_equal(corpus_read(fixture.corpus, moves, 3, 1), 0);
    const Subject *subject = &fixture.subject;
    assert_int_equal(decode_game(&plain, subject, &probe, moves, 12, NULL), 0);
    assert_int_equal(decode_game(&plain, subject, &probe, moves, 0, NULL), OGPT_EUSAGE);
    assert_int_equal(decode_game(&plain, subject, &probe, moves, 32, NULL), OGPT_EUSAGE);
    assert_int_equal(decode_game(&plain, subject, &probe, moves, 12, NULL), 0);
    /* Turn a square from what is read there to the next class, at layer 1 (index 2). */
    int square = 20, from = plain.classes[2][square];
    DecodeEdit edit = {.square = square, .from_class = from, .to_class = (from + 1) % 3};
    edit.plan = (EditPlan){.method = METHOD_ADD,
                           .site = HOOK_RESID_POST,
                           .layers = 2,
                           .scale = {1e3, false},
                           .probe_layer = PROBE_LAYER_OWN};
    BoardDirections directions;
    assert_int_equal(direction_board_of_probe(&directions, &probe), 0);
    edit.directions = &directions;
    assert_int_equal(decode_game(&edited, subject, &probe, moves, 12, &edit), 0);
    direction_board_release(&directions);
    assert_memory_equal(plain.classes[0], edited.classes[0], 36); /* before the edit: the same */
    assert_memory_equal(plain.classes[1], edited.classes[1], 36);
    assert_int_not_equal(edited.classes[2][square], from);
    assert_memory_not_equal(plain.logits, edited.logits, sizeof(plain.logits));
    uint64_t black, white, black_seen_by_white, white_seen_by_white;
    assert_true(decode_discs(&black, &white, &probe, BLACK, plain.classes[3]));
    decode_discs(&black_seen_by_white, &white_seen_by_white, &probe, WHITE, plain.classes[3]);
    assert_true(black == white_seen_by_white && white == black_seen_by_white);
    assert_true((black & white) == 0);
    probe_release(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interrupted_sweep_goes_on),
        cmocka_unit_test(other_settings_are_refused),
        cmocka_unit_test(other_validation_games_and_close_seeds_are_refused),
        cmocka_unit_test(the_history_mlp_has_its_own_recipe),
        cmocka_unit_test(the_random_model_is_announced),
        cmocka_unit_test(threads_change_no_byte),
        cmocka_unit_test(controls_are_what_they_say),
        cmocka_unit_test(shuffled_labels_keep_ply_and_whole_games),
        cmocka_unit_test(ends_of_equal_length_lend_to_each_other),
        cmocka_unit_test(scores_count_what_they_say),
        cmocka_unit_test(layers_do_not_depend_on_each_other),
        cmocka_unit_test(rows_on_the_disk_change_no_byte),
        cmocka_unit_test(a_probe_on_file_is_scored),
        cmocka_unit_test(a_typed_game_is_decoded),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
