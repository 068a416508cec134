/* tests/probes/edits/test_edit_metrics.c - label: counted - what is measured besides the error:
 * predictors made of rules, with known ranks, crosstalk and play-on, each with a twin that must
 * give other values.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "datasets/labels.h"
#include "probes/edits/edit_methods.h"
#include "probes/edits/edit_measure.h"
#include "probes/legality/answers.h"
#include "tests/probes/cases/case_fixture.h"
#include "tests/probes/edits/kept_cases.h"
#include "tests/probes/stopped_journal.h"

enum { MAX_WORKERS = 3, N_LAYERS = 3 };

static bool sanitized(void)
{
    const char *value = getenv("OGPT_SANITIZED");
    return value && strcmp(value, "1") == 0;
}

/* ---- a predictor made of rules ---- */

typedef struct Rules {
    uint64_t seed;
    bool edits_work;     /* arm edit answers for the edited board, and plays on from it */
    bool forgets;        /* but plays on from the original board */
    int n_leaks;         /* other squares that an edit changes for the reading probe, last layer */
    bool silent;         /* fails when asked: everything must come from the journal */
    size_t n_asked;      /* queries so far; of one worker */
    size_t interrupt_at; /* the user presses Ctrl-C during this one; 0: never */
    const Probe *reader;
    Board boards[MAX_WORKERS][EDIT_CHUNK_CASES]; /* of the query answered last */
    int plies[MAX_WORKERS];
} Rules;

/* A bonus for legal moves, and a little noise that falls at random but the same for every way of
 * asking: by case, arm and ply. */
static void answer(float *logits, const Rules *rules, const GameVariant *variant,
                   const Board *board, uint64_t stream)
{
    const Vocab *vocab = vocab_of(variant);
    uint64_t legal = answer_tokens(vocab, board_moves(variant, board));
    Rng rng = rng_at(rules->seed, RNG_TEST, stream);
    for (int tok = 0; tok < vocab->d_vocab; tok++) {
        logits[tok] = (float)((legal >> tok & 1 ? 40 : 0) + 0.01 * rng_uniform(&rng));
    }
}

static void read_board(uint8_t *classes, const Rules *rules, const EditCase *edit, bool edited)
{
    const Probe *reader = rules->reader;
    BoardTerms terms = direction_terms(reader);
    EditSquares squares = edit_squares(&terms, edit);
    for (int layer = 0; layer < reader->n_layers; layer++) {
        uint8_t *out = classes + layer * reader->n_squares;
        int n_leaks = edited && layer == reader->n_layers - 1 ? rules->n_leaks : 0;
        labels_mine(out, game_variant(reader->size), &edit->before, edit->n_moves - 1,
                    LABELS_MOVER);
        for (int s = 0; edited && s < squares.n; s++) {
            out[squares.squares[s]] = (uint8_t)squares.to[s];
        }
        for (int s = 0; n_leaks > 0; s++) {
            if (s != squares.squares[0]) {
                out[s] = (uint8_t)((out[s] + 1) % 3);
                n_leaks--;
            }
        }
    }
}

static int predict(void *context, float *logits, const EditQuery *query, size_t worker)
{
    Rules *rules = context;
    size_t V = (size_t)vocab_of(query->set->variant)->d_vocab;
    if (rules->silent) {
        return err_set(OGPT_EIO, "asked again");
    }
    if (worker == 0 && ++rules->n_asked == rules->interrupt_at) {
        interrupt_set(2);
    }
    rules->plies[worker] = 0;
    for (size_t i = 0; i < query->n; i++) {
        const EditCase *edit = &query->set->cases[query->order[i]];
        bool on_edited = query->arm == ARM_EDIT && rules->edits_work;
        const Board *board = on_edited ? &edit->edited : &edit->before;
        answer(logits + i * V, rules, query->set->variant, board,
               query->order[i] * 1024 + query->arm);
        rules->boards[worker][i] = on_edited && !rules->forgets ? edit->edited : edit->before;
        if (query->classes) {
            read_board(query->classes +
                           i * (size_t)(rules->reader->n_layers * rules->reader->n_squares),
                       rules, edit, on_edited);
        }
    }
    return 0;
}

/* Play the token where the board that the predictor believes in allows it. */
static int append(void *context, float *logits, const EditQuery *query, const uint8_t *tokens,
                  size_t worker)
{
    Rules *rules = context;
    const Vocab *vocab = vocab_of(query->set->variant);
    rules->plies[worker]++;
    for (size_t i = 0; i < query->n; i++) {
        Board *board = &rules->boards[worker][i];
        int sq = vocab->sq_of_tok[tokens[i]];
        if (tokens[i] != TOK_PAD && board_moves(vocab->variant, board) >> sq & 1) {
            board_play(vocab->variant, board, sq);
        }
        answer(logits + i * (size_t)vocab->d_vocab, rules, vocab->variant, board,
               query->order[i] * 1024 + (uint64_t)rules->plies[worker] * 8 + query->arm);
    }
    return 0;
}

static Probe make_reader(int size)
{
    return (Probe){.task = "mine",
                   .labels = "mover",
                   .site = HOOK_RESID_POST,
                   .classes = {"empty", "theirs", "mine"},
                   .n_classes = 3,
                   .size = size,
                   .n_squares = size * size,
                   .n_layers = N_LAYERS,
                   .layers = {0, 1, 2},
                   .fitted = {true, true, true}};
}

static int measure(EditMetrics *out, Rules *rules, const CaseSet *set, AnswerRule rule, Pool *pool,
                   const WorkJournal *journal)
{
    const EditPredictor predictor = {rules, vocab_of(set->variant)->d_vocab, predict, append};
    const Work work = {.seed = 1, .pool = pool, .journal = journal};
    const EditMeasureOptions options = {.scoring = {.rule = rule, .stage = "metrics"},
                                        .reader = rules->reader,
                                        .play_on = true,
                                        .n_ctx = vocab_of(set->variant)->n_ctx};
    EditPlan plan = EDIT_PLAN_DEFAULT;
    plan.layers = 1 << 1;
    return edit_measure(out, &predictor, set, &plan, &options, &work);
}

static EditMetrics measured(Rules *rules, const CaseSet *set)
{
    EditMetrics metrics;
    assert_int_equal(measure(&metrics, rules, set, RULE_TOPN, NULL, NULL), 0);
    return metrics;
}

static double value(const EditMetrics *metrics, Arm arm, EditMetric metric)
{
    return metrics->value[arm][metric].value;
}

/* ---- tests ---- */

static void ranks_are_counted_by_hand(void **state)
{
    /* Token:             0     1     2     3     4     5 */
    const float logits[] = {0.5F, 3.0F, 1.0F, 3.0F, 2.0F, 0.5F};
    static const int ranks[] = {5, 1, 4, 2, 3, 6};
    for (int tok = 0; tok < 6; tok++) {
        assert_int_equal(answer_rank(logits, 6, tok), ranks[tok]);
    }
}

/* A 4x4 case with made-up legal sets: tokens 1..4 are the squares a1 b1 c1 d1. */
static void one_answer_is_measured_by_hand(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    /* a1, b1 before; b1, c1, d1 after: newly illegal a1, newly legal c1 and d1, still legal b1. */
    const EditCase edit = {.legal_before = 0x3, .legal_edited = 0xe};
    /* Ranks: a1 1, c1 2, pad 3, b1 4, d1 5. N = 3: the top holds a1, c1 and the pad. */
    float logits[16] = {5, 9, 4, 8, 3};
    Share of[N_EDIT_METRICS];
    Observed seen;
    edit_observe(&seen, &edit, vocab, ARM_EDIT, logits, RULE_TOPN);
    edit_metrics_of(of, &seen);
    assert_true(of[METRIC_ERROR].part == 4);
    assert_true(of[METRIC_FALSE_POSITIVES].part == 2 && of[METRIC_FALSE_NEGATIVES].part == 2);
    assert_true(fabs(of[METRIC_F1].part - 1.0 / 3) < 1e-12);
    assert_true(of[METRIC_RANK_NEWLY_LEGAL].part == 2 + 5);
    assert_true(of[METRIC_RANK_NEWLY_LEGAL].whole == 2);
    assert_true(of[METRIC_RANK_NEWLY_ILLEGAL].part == 1);
    assert_true(of[METRIC_PASSED].part == 1 && of[METRIC_PASSED].whole == 2);
    assert_true(of[METRIC_ENTERED].part == 1 && of[METRIC_FELL_OUT].part == 0);
    /* Against the board before (N = 2): the top is a1 and c1, wrong by c1 and b1. */
    assert_true(of[METRIC_DRIFT].part == 2 && of[METRIC_DRIFT].whole == 1);
    /* Against its own board (arm self, N = 2): the top is a1 and c1, wrong by c1 and b1. */
    edit_observe(&seen, &edit, vocab, ARM_SELF, logits, RULE_TOPN);
    edit_metrics_of(of, &seen);
    assert_true(of[METRIC_ERROR].part == 2 && of[METRIC_ENTERED].whole == 0);
}

static void perfect_edits_do_what_they_should_and_no_more(void **state)
{
    for (int size = 6; size <= 8; size += 2) {
        CaseSet set = fixture_cases(size, sanitized() ? 40 : 150, false);
        Probe reader = make_reader(size);
        Rules rules = {.seed = 1, .edits_work = true, .reader = &reader};
        EditMetrics metrics = measured(&rules, &set);
        double entered = value(&metrics, ARM_NULL, METRIC_ENTERED);
        assert_true(value(&metrics, ARM_EDIT, METRIC_ERROR) == 0);
        assert_true(value(&metrics, ARM_EDIT, METRIC_F1) == 1);
        assert_true(metrics.value[ARM_EDIT][METRIC_DRIFT].low > 1); /* gone from its own board */
        assert_true(value(&metrics, ARM_NULL, METRIC_DRIFT) == 0);
        assert_true(value(&metrics, ARM_EDIT, METRIC_ENTERED) == 1);
        assert_true(value(&metrics, ARM_EDIT, METRIC_FELL_OUT) == 1);
        assert_true(value(&metrics, ARM_EDIT, METRIC_PASSED) > 0.5); /* ties with the still legal */
        assert_true(value(&metrics, ARM_EDIT, METRIC_RANK_NEWLY_LEGAL) <
                    value(&metrics, ARM_NULL, METRIC_RANK_NEWLY_LEGAL));
        assert_true(value(&metrics, ARM_EDIT, METRIC_CROSSTALK) == 0);
        assert_true(value(&metrics, ARM_EDIT, METRIC_TURNED) == 1);
        assert_true(value(&metrics, ARM_NULL, METRIC_TURNED) == 0);
        assert_true(value(&metrics, ARM_EDIT, METRIC_ILLEGAL_SHARE) == 0);
        assert_true(value(&metrics, ARM_SELF, METRIC_ILLEGAL_SHARE) == 0);
        assert_true(value(&metrics, ARM_SELF, METRIC_ERROR) == 0);
        assert_true(value(&metrics, ARM_EDIT, METRIC_LEGAL_PLIES) > 8);
        assert_true(value(&metrics, ARM_EDIT, METRIC_LEGAL_PLIES) <= EDIT_PLAY_ON_PLIES);
        assert_true(isnan(value(&metrics, ARM_SELF, METRIC_ENTERED)));
        assert_true(metrics.edit_less_null[METRIC_ENTERED].low > 0 && entered < 0.5);
        assert_true(metrics.edit_less_null[METRIC_ILLEGAL_SHARE].high < 0);
        assert_int_equal(metrics.n_layers, 2); /* layer 0 comes before the edit */
        assert_int_equal(metrics.layers[0].layer, 1);
        edit_metrics_release(&metrics);

        /* Negative twin: edits that do nothing. */
        rules.edits_work = false;
        metrics = measured(&rules, &set);
        assert_true(value(&metrics, ARM_EDIT, METRIC_ERROR) > 1);
        assert_true(value(&metrics, ARM_EDIT, METRIC_ENTERED) < 0.5);
        assert_true(value(&metrics, ARM_EDIT, METRIC_TURNED) == 0);
        assert_true(value(&metrics, ARM_EDIT, METRIC_ILLEGAL_SHARE) > 0.02);
        assert_true(metrics.edit_less_null[METRIC_ENTERED].low <= 0);
        edit_metrics_release(&metrics);
        cases_release(&set);
    }
}

/* An edit that is gone after the first move: right at its position, wrong in play. */
static void play_on_needs_the_edit_to_stay(void **state)
{
    CaseSet set = fixture_cases(8, sanitized() ? 40 : 150, false);
    Rules rules = {.seed = 1, .edits_work = true, .forgets = true};
    EditMetrics metrics = measured(&rules, &set);
    assert_true(value(&metrics, ARM_EDIT, METRIC_ERROR) == 0);
    assert_true(value(&metrics, ARM_EDIT, METRIC_ILLEGAL_SHARE) > 0.02);
    assert_true(value(&metrics, ARM_EDIT, METRIC_LEGAL_PLIES) < 9);
    assert_true(isnan(value(&metrics, ARM_EDIT, METRIC_CROSSTALK))); /* no reading probe */
    for (size_t i = 0; i < set.n; i++) {
        const CaseMetrics one = case_at(&metrics, i);
        const Share *of = one.of[ARM_EDIT];
        assert_true(of[METRIC_ILLEGAL_SHARE].part <= 1);
        assert_true(of[METRIC_LEGAL_PLIES].part + of[METRIC_ILLEGAL_SHARE].part ==
                    of[METRIC_ILLEGAL_SHARE].whole);
    }
    edit_metrics_release(&metrics);
    cases_release(&set);
}

static void crosstalk_counts_other_squares_where_they_change(void **state)
{
    CaseSet set = fixture_cases(6, 60, false);
    Probe reader = make_reader(6);
    Rules rules = {.seed = 1, .edits_work = true, .n_leaks = 2, .reader = &reader};
    EditMetrics metrics = measured(&rules, &set);
    assert_true(value(&metrics, ARM_EDIT, METRIC_CROSSTALK) == 0);       /* layer 1, edited */
    assert_true(value(&metrics, ARM_EDIT, METRIC_CROSSTALK_FINAL) == 2); /* layer 2, leaking */
    assert_true(metrics.layers[1].others[ARM_EDIT].value == 2);
    assert_true(metrics.layers[1].turned[ARM_EDIT].value == 1);
    assert_true(value(&metrics, ARM_RANDOM, METRIC_CROSSTALK_FINAL) ==
                0); /* the leak is the edit's */
    edit_metrics_release(&metrics);
    cases_release(&set);
}

/* A probe of a site before the edited one does not see the edit in the last edited block: it counts
 * from the next block on. */
static void a_reader_before_the_edited_site_counts_from_the_next_block(void **state)
{
    CaseSet set = fixture_cases(6, 60, false);
    Probe reader = make_reader(6);
    Rules rules = {.seed = 1, .edits_work = true, .n_leaks = 2, .reader = &reader};
    EditMetrics metrics;
    reader.site = HOOK_RESID_MID; /* the edit is at resid_post of block 1 */
    metrics = measured(&rules, &set);
    assert_true(value(&metrics, ARM_EDIT, METRIC_CROSSTALK) == 2); /* layer 2, leaking */
    assert_int_equal(metrics.n_layers, 1);
    assert_int_equal(metrics.layers[0].layer, 2);
    edit_metrics_release(&metrics);
    /* Negative twin: at the same site, or behind it, the block itself counts. */
    reader.site = HOOK_RESID_POST;
    metrics = measured(&rules, &set);
    assert_true(value(&metrics, ARM_EDIT, METRIC_CROSSTALK) == 0);
    assert_int_equal(metrics.layers[0].layer, 1);
    edit_metrics_release(&metrics);
    /* Nothing is read after the last block: no crosstalk, rather than none found. */
    reader.site = HOOK_RESID_MID;
    reader.n_layers = 2;
    metrics = measured(&rules, &set);
    assert_true(isnan(value(&metrics, ARM_EDIT, METRIC_CROSSTALK)));
    assert_true(isnan(value(&metrics, ARM_EDIT, METRIC_TURNED_FINAL)));
    assert_int_equal(metrics.n_layers, 0);
    edit_metrics_release(&metrics);
    cases_release(&set);
}

/* A perfect model of the original board with random ties: arm null is arm ideal null, averaged
 * over tie orders. The tolerance is five standard errors of the mean over the orders' own
 * averages. */
static void unedited_rules_measure_the_ideal_null(void **state)
{
    static const EditMetric exact[] = {
        METRIC_ERROR,   METRIC_FALSE_POSITIVES,    METRIC_F1,       METRIC_RANK_NEWLY_LEGAL,
        METRIC_ENTERED, METRIC_RANK_NEWLY_ILLEGAL, METRIC_FELL_OUT, METRIC_FALSE_NEGATIVES};
    enum { N_EXACT = sizeof(exact) / sizeof(exact[0]), N_ORDERS = 16 };
    CaseSet set = fixture_cases(8, sanitized() ? 50 : 100, false);
    double sum[N_EXACT] = {0}, squares[N_EXACT] = {0}, ideal[N_EXACT] = {0};

    for (uint64_t seed = 0; seed < N_ORDERS; seed++) {
        Rules rules = {.seed = 100 + seed};
        EditMetrics metrics = measured(&rules, &set);
        for (int k = 0; k < N_EXACT; k++) {
            double found = value(&metrics, ARM_NULL, exact[k]);
            sum[k] += found;
            squares[k] += found * found;
            ideal[k] = value(&metrics, ARM_IDEAL_NULL, exact[k]);
        }
        assert_true(value(&metrics, ARM_NULL, METRIC_PASSED) == 0);
        assert_true(value(&metrics, ARM_IDEAL_NULL, METRIC_PASSED) == 0);
        edit_metrics_release(&metrics);
    }
    for (int k = 0; k < N_EXACT; k++) {
        double mean = sum[k] / N_ORDERS, variance = squares[k] / N_ORDERS - mean * mean;
        double error = sqrt(fmax(variance, 0) / (N_ORDERS - 1));
        if (fabs(mean - ideal[k]) > 5 * error + 1e-9) {
            fail_msg("%s: mean %.4f, ideal %.4f, standard error %.4f", edit_metric_name(exact[k]),
                     mean, ideal[k], error);
        }
        /* Negative twin: an expectation off by a fifth would be noticed (shares of rare events
         * are too noisy for that). */
        assert_true(ideal[k] < 1 || fabs(mean - 1.2 * ideal[k]) > 5 * error + 1e-9);
    }
    cases_release(&set);
}

static bool same_numbers(const EditMetrics *a, const EditMetrics *b)
{
    return cases_are_equal(a, b) && memcmp(a->value, b->value, sizeof(a->value)) == 0 &&
           a->n_layers == b->n_layers &&
           memcmp(a->layers[0].others, b->layers[0].others, sizeof(a->layers[0].others)) == 0;
}

static void workers_change_nothing(void **state)
{
    CaseSet set = fixture_cases(6, 150, false);
    Probe reader = make_reader(6);
    Rules rules = {.seed = 1, .edits_work = true, .forgets = true, .n_leaks = 1, .reader = &reader};
    EditMetrics one = measured(&rules, &set), other;
    for (size_t n = 2; n <= MAX_WORKERS; n++) {
        Pool *pool;
        assert_int_equal(pool_new(&pool, n), 0);
        assert_int_equal(measure(&other, &rules, &set, RULE_TOPN, pool, NULL), 0);
        assert_true(same_numbers(&one, &other));
        edit_metrics_release(&other);
        pool_free(pool);
    }
    rules.seed = 2;
    other = measured(&rules, &set);
    assert_false(same_numbers(&one, &other));
    edit_metrics_release(&other);
    edit_metrics_release(&one);
    cases_release(&set);
}

/* ---- the journal ---- */

static void finished_chunks_are_not_measured_again(void **state)
{
    CaseSet set = fixture_cases(6, 150, false);
    Probe reader = make_reader(6);
    Rules rules = {.seed = 1, .edits_work = true, .n_leaks = 1, .reader = &reader};
    StoppedJournal journal;
    journal_begin(&journal, SIZE_MAX);
    EditMetrics fresh = measured(&rules, &set), first, second;
    assert_int_equal(measure(&first, &rules, &set, RULE_TOPN, NULL, &journal.callbacks), 0);
    assert_int_equal(journal.n_kept, (150 + EDIT_CHUNK_CASES - 1) / EDIT_CHUNK_CASES);
    rules.silent = true;
    assert_int_equal(measure(&second, &rules, &set, RULE_TOPN, NULL, &journal.callbacks), 0);
    assert_true(same_numbers(&fresh, &first) && same_numbers(&fresh, &second));
    edit_metrics_release(&second);
    /* Negative twins: a kept number that changed shows; a chunk that is not kept is asked for. */
    journal_values(&journal, "metrics", 0)[0] += 1;
    assert_int_equal(measure(&second, &rules, &set, RULE_TOPN, NULL, &journal.callbacks), 0);
    assert_false(same_numbers(&fresh, &second));
    edit_metrics_release(&second);
    journal_forget(&journal, "metrics", 1);
    assert_int_equal(measure(&second, &rules, &set, RULE_TOPN, NULL, &journal.callbacks), OGPT_EIO);
    journal_end(&journal);
    edit_metrics_release(&first);
    edit_metrics_release(&fresh);
    cases_release(&set);
}

/* Ctrl-C while a window runs: its finished chunks are kept, and no further row is asked for. */
static void an_interrupt_costs_unfinished_chunks_alone(void **state)
{
    enum { ROWS_ASKED = 5 }; /* null, self, edit, random, wrong square */
    CaseSet set = fixture_cases(6, 150, false);
    Rules rules = {.seed = 1, .edits_work = true, .interrupt_at = ROWS_ASKED + 2};
    StoppedJournal journal;
    journal_begin(&journal, SIZE_MAX);
    EditMetrics fresh, resumed;

    assert_int_equal(measure(&resumed, &rules, &set, RULE_TOPN, NULL, &journal.callbacks),
                     OGPT_EINTR);
    interrupt_set(0);
    assert_int_equal(rules.n_asked, ROWS_ASKED + 2);
    assert_int_equal(journal.n_kept, 1);
    rules.n_asked = rules.interrupt_at = 0;
    assert_int_equal(measure(&resumed, &rules, &set, RULE_TOPN, NULL, &journal.callbacks), 0);
    assert_int_equal(rules.n_asked, 2 * ROWS_ASKED); /* two chunks of three */
    assert_int_equal(journal.n_kept, 3);
    fresh = measured(&rules, &set);
    assert_true(same_numbers(&fresh, &resumed));
    journal_end(&journal);
    edit_metrics_release(&resumed);
    edit_metrics_release(&fresh);
    cases_release(&set);
}

static void controls_that_close_something_are_told(void **state)
{
    static EditMetrics report = {
        .closed = {[ARM_RANDOM] = {0.01, -0.02, 0.04}, [ARM_WRONG_SQUARE] = {-0.1, -0.2, -0.05}}};
    assert_true(edit_controls_close_nothing(&report));
    report.closed[ARM_RANDOM] = (Interval){0.04, 0.01, 0.07};
    assert_false(edit_controls_close_nothing(&report));
    report.closed[ARM_RANDOM] = (Interval){0.01, -0.02, 0.04};
    report.closed[ARM_WRONG_SQUARE].low = 0.01;
    assert_false(edit_controls_close_nothing(&report));
    report.closed[ARM_WRONG_SQUARE].low = NAN;
    assert_false(edit_controls_close_nothing(&report));
}

static void predictors_that_cannot_play_on_are_refused(void **state)
{
    CaseSet set = fixture_cases(6, 10, false);
    Rules rules = {.seed = 1};
    const EditPredictor predictor = {&rules, 33, predict, NULL},
                        other = {&rules, 61, predict, append};
    const Work work = {.seed = 1};
    EditMeasureOptions options = {.scoring = {.stage = "metrics"}, .play_on = true, .n_ctx = 31};
    EditPlan plan = EDIT_PLAN_DEFAULT;
    EditMetrics metrics;
    plan.layers = 1;
    assert_int_equal(edit_measure(&metrics, &predictor, &set, &plan, &options, &work), OGPT_EUSAGE);
    assert_int_equal(edit_measure(&metrics, &other, &set, &plan, &options, &work), OGPT_EFORMAT);
    options.play_on = false;
    assert_int_equal(edit_measure(&metrics, &predictor, &set, &plan, &options, &work), 0);
    assert_true(isnan(value(&metrics, ARM_EDIT, METRIC_LEGAL_PLIES)));
    assert_int_equal(rules.n_asked, 4); /* self is judged by the answer to null */
    assert_true(value(&metrics, ARM_SELF, METRIC_ERROR) == 0);
    assert_true(value(&metrics, ARM_NULL, METRIC_ERROR) > 0);
    edit_metrics_release(&metrics);
    cases_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_counted_by_hand),
        cmocka_unit_test(one_answer_is_measured_by_hand),
        cmocka_unit_test(perfect_edits_do_what_they_should_and_no_more),
        cmocka_unit_test(play_on_needs_the_edit_to_stay),
        cmocka_unit_test(crosstalk_counts_other_squares_where_they_change),
        cmocka_unit_test(a_reader_before_the_edited_site_counts_from_the_next_block),
        cmocka_unit_test(unedited_rules_measure_the_ideal_null),
        cmocka_unit_test(workers_change_nothing),
        cmocka_unit_test(finished_chunks_are_not_measured_again),
        cmocka_unit_test(an_interrupt_costs_unfinished_chunks_alone),
        cmocka_unit_test(controls_that_close_something_are_told),
        cmocka_unit_test(predictors_that_cannot_play_on_are_refused),
    };
    return cmocka_run_group_tests_name("edit metrics", tests, NULL, NULL);
}
