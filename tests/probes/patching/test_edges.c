/* tests/probes/patching/test_edges.c - patched edges against the plain definition, and the
 * identities that hold for sets of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "probes/patching/patch_fixture.h"
#include "probes/patching/patch_reference.h"
#include "tests/probes/stopped_journal.h"

static double reference_delta(const PatchFixture *fixture, size_t pair, const uint8_t *patched)
{
    real logits[V_MAX], weights[V_MAX];
    pair_weights(weights, fixture->question.vocab, &fixture->question.pairs[pair]);
    assert_int_equal(reference_run(logits, &fixture->question, pair, patched), 0);
    return pair_delta(weights, logits, fixture->gpt->cfg.d_vocab);
}

/* Exact effects of every edge and pair; rms over all. */
static double *exact_of(PatchFixture *fixture, double *denominator, double *rms, const Work *work)
{
    EdgeRuns *runs;
    size_t n = fixture->question.n_pairs * fixture->graph.n_edges;
    double *effect = numbers(n), sum = 0.0;
    fixture->question.graph = &fixture->graph;
    assert_int_equal(edges_new(&runs, &fixture->question, work), 0);
    assert_int_equal(edges_exact(effect, denominator, runs, work), 0);
    edges_free(runs);
    for (size_t i = 0; i < n; i++) {
        sum += effect[i] * effect[i];
    }
    *rms = sqrt(sum / (double)n);
    return effect;
}

static void check_exact(PatchScope scope, PatchNorm norm, PatchDirection direction)
{
    PatchFixture fixture = patch_open(scope, norm, direction);
    double denominator[N_TEST_PAIRS], rms, worst = 0.0, twin = 0.0;
    size_t n_edges = fixture.graph.n_edges;
    double *effect = exact_of(&fixture, denominator, &rms, WORK_ALONE);
    uint8_t *patched = calloc(n_edges, 1);
    assert_non_null(patched);
    assert_true(rms > 0.02); /* the truth is not zero */
    for (size_t pair = 0; pair < fixture.set.n; pair += 2) {
        double base = reference_delta(&fixture, pair, NULL);
        memset(patched, 1, n_edges);
        for (size_t e = 0; e < n_edges; e++) {
            memset(patched, 0, n_edges);
            patched[e] = 1;
            double truth = reference_delta(&fixture, pair, patched) - base;
            worst = fmax(worst, fabs(truth - effect[pair * n_edges + e]));
            twin = fmax(twin, fabs(truth - effect[pair * n_edges + (e + 1) % n_edges]));
        }
    }
    assert_true(worst < TOL);
    assert_true(twin > 0.1); /* the effects of other edges */
    free(effect);
    free(patched);
    patch_close(&fixture);
}

static void exact_edges_are_those_of_the_definition(void **state)
{
    check_exact(PATCH_LAST, PATCH_RECOMPUTED, PATCH_NOISING);
    check_exact(PATCH_LAST, PATCH_FROZEN, PATCH_DENOISING);
    check_exact(PATCH_ALL, PATCH_RECOMPUTED, PATCH_DENOISING);
    check_exact(PATCH_ALL, PATCH_FROZEN, PATCH_NOISING);
    (void)state;
}

/* Scope, norm and direction each change the effects: none of them is ignored. */
static void the_question_decides(void **state)
{
    static const EdgeQuestion questions[] = {{.scope = PATCH_LAST},
                                             {.scope = PATCH_ALL},
                                             {.norm = PATCH_FROZEN},
                                             {.direction = PATCH_DENOISING}};
    double denominator[4][N_TEST_PAIRS], rms;
    double *effects[4];
    size_t n = 0;
    for (size_t i = 0; i < 4; i++) {
        PatchFixture fixture =
            patch_open(questions[i].scope, questions[i].norm, questions[i].direction);
        n = fixture.set.n * fixture.graph.n_edges;
        effects[i] = exact_of(&fixture, denominator[i], &rms, WORK_ALONE);
        patch_close(&fixture);
    }
    for (size_t i = 1; i < 4; i++) {
        double gap = 0.0;
        for (size_t e = 0; e < n; e++) {
            gap = fmax(gap, fabs(effects[0][e] - effects[i][e]));
        }
        assert_true(gap > 0.05);
    }
    for (size_t pair = 0; pair < N_TEST_PAIRS; pair++) {
        assert_true(fabs(denominator[0][pair] + denominator[3][pair]) < TOL);
    }
    for (size_t i = 0; i < 4; i++) {
        free(effects[i]);
    }
    (void)state;
}

/* Sets of edges: some at random, few to many. */
static void check_sets(PatchScope scope, PatchNorm norm)
{
    PatchFixture fixture = patch_open(scope, norm, PATCH_NOISING);
    size_t n_edges = fixture.graph.n_edges;
    double delta[N_TEST_PAIRS], moved = 0.0;
    uint8_t *patched = calloc(n_edges, 1);
    EdgeRuns *runs;
    fixture.question.graph = &fixture.graph;
    assert_non_null(patched);
    assert_int_equal(edges_new(&runs, &fixture.question, WORK_ALONE), 0);
    for (uint64_t round = 0; round < 8; round++) {
        Rng rng = rng_at(4, RNG_TEST, round);
        size_t from = round % 2 == 0 ? 0 : n_edges / 2; /* a pass that begins in the middle too */
        for (size_t e = 0; e < n_edges; e++) {
            patched[e] = e >= from && rng_below(&rng, 8) < round;
        }
        patched[n_edges - 1] = 1;
        assert_int_equal(edges_patched(delta, NULL, runs, patched, WORK_ALONE), 0);
        for (size_t pair = 0; pair < fixture.set.n; pair++) {
            double truth = reference_delta(&fixture, pair, patched);
            assert_true(fabs(truth - delta[pair]) < TOL);
            moved = fmax(moved, fabs(truth - edges_delta(runs, false)[pair]));
        }
    }
    assert_true(moved > 0.2);
    edges_free(runs);
    free(patched);
    patch_close(&fixture);
}

static void sets_are_those_of_the_definition(void **state)
{
    check_sets(PATCH_LAST, PATCH_RECOMPUTED);
    check_sets(PATCH_LAST, PATCH_FROZEN);
    check_sets(PATCH_ALL, PATCH_RECOMPUTED);
    check_sets(PATCH_ALL, PATCH_FROZEN);
    (void)state;
}

/* ---- identities ---- */

static double gap_to(const double *delta, const double *truth, size_t n)
{
    double worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(delta[i] - truth[i]));
    }
    return worst;
}

/* All edges at once: the other run. For scope last both runs are compared at the last position, so
 * that the truth is a base history whose last move alone is the other's; here only scope all. */
static void all_edges_are_the_other_run(void **state)
{
    PatchFixture fixture = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    size_t n_edges = fixture.graph.n_edges, n = fixture.set.n;
    double delta[N_TEST_PAIRS];
    uint8_t *patched = malloc(n_edges);
    EdgeRuns *runs;
    fixture.question.graph = &fixture.graph;
    assert_non_null(patched);
    assert_int_equal(edges_new(&runs, &fixture.question, WORK_ALONE), 0);
    assert_true(gap_to(edges_delta(runs, true), edges_delta(runs, false), n) > 0.1);
    memset(patched, 1, n_edges);
    assert_int_equal(edges_patched(delta, NULL, runs, patched, WORK_ALONE), 0);
    assert_true(gap_to(delta, edges_delta(runs, true), n) < TOL);
    patched[n_edges - fixture.graph.n_senders] = 0; /* twin: without input->logits */
    assert_int_equal(edges_patched(delta, NULL, runs, patched, WORK_ALONE), 0);
    assert_true(gap_to(delta, edges_delta(runs, true), n) > 0.01);
    edges_free(runs);
    free(patched);
    patch_close(&fixture);
    (void)state;
}

/* No edge at all, and an edge set whose sender wrote the same in both runs: no bit moves. */
static void nothing_patched_changes_no_bit(void **state)
{
    PatchFixture fixture = patch_open(PATCH_LAST, PATCH_RECOMPUTED, PATCH_NOISING);
    size_t n_edges = fixture.graph.n_edges, n = fixture.set.n;
    double delta[N_TEST_PAIRS];
    real logits[N_TEST_PAIRS * V_MAX];
    uint8_t *patched = calloc(n_edges, 1);
    EdgeRuns *runs;
    assert_non_null(patched);
    for (int scope = PATCH_LAST; scope <= PATCH_ALL; scope++) {
        fixture.question.graph = &fixture.graph;
        fixture.question.scope = (PatchScope)scope;
        assert_int_equal(edges_new(&runs, &fixture.question, WORK_ALONE), 0);
        assert_int_equal(edges_patched(delta, logits, runs, patched, WORK_ALONE), 0);
        assert_memory_equal(delta, edges_delta(runs, false), n * sizeof(*delta));
        assert_memory_equal(logits, edges_logits(runs, false),
                            n * (size_t)fixture.gpt->cfg.d_vocab * sizeof(*logits));
        patched[5] = 1; /* twin */
        assert_int_equal(edges_patched(delta, logits, runs, patched, WORK_ALONE), 0);
        assert_memory_not_equal(delta, edges_delta(runs, false), n * sizeof(*delta));
        patched[5] = 0;
        edges_free(runs);
    }
    free(patched);
    patch_close(&fixture);
    (void)state;
}

/* A pair whose histories are the same: every effect is rounding, whatever is patched. */
static void a_pair_with_itself_shows_no_effect(void **state)
{
    PatchFixture fixture = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    double denominator[N_TEST_PAIRS], rms;
    size_t n_edges = fixture.graph.n_edges;
    memcpy(fixture.set.pairs[0].corrupt, fixture.set.pairs[0].clean, GAME_MAX_MOVES);
    double *effect = exact_of(&fixture, denominator, &rms, WORK_ALONE);
    assert_true(denominator[0] == 0.0);
    for (size_t e = 0; e < n_edges; e++) {
        assert_true(fabs(effect[e]) < TOL);
    }
    assert_true(rms > 0.02); /* the other pairs are the twin */
    free(effect);
    patch_close(&fixture);
    (void)state;
}

/* ---- a node and all its out-edges ---- */

typedef struct NodePatch {
    const PatchFixture *fixture;
    Sender sender;
    real *kept; /* (T, width) of the other run */
    bool other;
} NodePatch;

static void node_hook(void *context, const HookPoint *point)
{
    const NodePatch *patch = context;
    size_t HS = (size_t)patch->fixture->gpt->cfg.d_head, T = point->T, width = point->width;
    bool head = patch->sender.kind == SENDER_HEAD;
    size_t at = head ? (size_t)patch->sender.head * HS : 0, n = head ? HS : width;
    size_t from = patch->fixture->question.scope == PATCH_ALL ? 0 : T - 1;
    for (size_t t = from; t < T; t++) {
        real *here = point->value + t * width + at, *kept = patch->kept + t * width + at;
        memcpy(patch->other ? kept : here, patch->other ? here : kept, n * sizeof(*here));
    }
}

static double node_delta(const PatchFixture *fixture, Sender sender, size_t pair)
{
    size_t T = (size_t)fixture->set.pairs[pair].n_moves, V = (size_t)fixture->gpt->cfg.d_vocab;
    real kept[GAME_MAX_MOVES * 24], weights[V_MAX];
    NodePatch patch = {.fixture = fixture, .sender = sender, .kept = kept, .other = true};
    Hooks hooks = {.fn = node_hook, .context = &patch};
    uint8_t tokens[GAME_MAX_MOVES];
    Tape *tape;
    hooks.sites[sender.kind == SENDER_HEAD  ? HOOK_Z
                : sender.kind == SENDER_MLP ? HOOK_MLP_OUT
                                            : HOOK_RESID_PRE] =
        1ULL << (sender.layer < 0 ? 0 : sender.layer);
    assert_int_equal(tape_new(&tape, &fixture->gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    reference_tokens(tokens, &fixture->question, pair, true);
    gpt_forward(fixture->gpt, tape, tokens, 1, T, &hooks);
    patch.other = false;
    reference_tokens(tokens, &fixture->question, pair, false);
    const real *logits = gpt_forward(fixture->gpt, tape, tokens, 1, T, &hooks);
    pair_weights(weights, fixture->question.vocab, &fixture->set.pairs[pair]);
    double delta = pair_delta(weights, logits + (T - 1) * V, (int)V);
    tape_free(tape);
    return delta;
}

static void out_edges_together_are_activation_patching(void **state)
{
    for (int scope = PATCH_LAST; scope <= PATCH_ALL; scope++) {
        PatchFixture fixture = patch_open((PatchScope)scope, PATCH_RECOMPUTED, PATCH_DENOISING);
        const Graph *graph = &fixture.graph;
        double delta[N_TEST_PAIRS], moved = 0.0, twin = 0.0;
        uint8_t *patched = calloc(graph->n_edges, 1);
        EdgeRuns *runs;
        assert_non_null(patched);
        fixture.question.graph = graph;
        assert_int_equal(edges_new(&runs, &fixture.question, WORK_ALONE), 0);
        for (size_t s = 0; s < graph->n_senders; s++) {
            memset(patched, 0, graph->n_edges);
            for (size_t r = 0; r < graph->n_receivers; r++) {
                if (s < graph_sees(graph, r)) {
                    patched[graph_first_edge(graph, r) + s] = 1;
                }
            }
            assert_int_equal(edges_patched(delta, NULL, runs, patched, WORK_ALONE), 0);
            for (size_t pair = 0; pair < N_TEST_PAIRS; pair++) {
                double truth = node_delta(&fixture, graph_sender(graph, s), pair);
                assert_true(fabs(truth - delta[pair]) < TOL);
                moved = fmax(moved, fabs(truth - edges_delta(runs, false)[pair]));
            }
            patched[graph->n_edges - graph->n_senders + s] = 0; /* its edge to the logits */
            assert_int_equal(edges_patched(delta, NULL, runs, patched, WORK_ALONE), 0);
            twin = fmax(twin, fabs(delta[0] - node_delta(&fixture, graph_sender(graph, s), 0)));
        }
        assert_true(moved > 0.2);
        assert_true(twin > 0.01);
        edges_free(runs);
        free(patched);
        patch_close(&fixture);
    }
    (void)state;
}

/* ---- workers, interruption, faults ---- */

static void workers_and_interruptions_change_no_bit(void **state)
{
    for (int scope = PATCH_LAST; scope <= PATCH_ALL; scope++) {
        PatchFixture fixture = patch_open((PatchScope)scope, PATCH_RECOMPUTED, PATCH_NOISING);
        StoppedJournal journal;
        journal_begin(&journal, SIZE_MAX);
        journal.interrupt_after = 1;
        double denominator[N_TEST_PAIRS], rms;
        size_t n = fixture.set.n * fixture.graph.n_edges;
        double *truth = exact_of(&fixture, denominator, &rms, WORK_ALONE), *again = numbers(n);
        Pool *pool;
        EdgeRuns *runs;
        assert_int_equal(pool_new(&pool, 3), 0);
        Work alone = {.journal = &journal.callbacks},
             work = {.pool = pool, .journal = &journal.callbacks};
        assert_int_equal(edges_new(&runs, &fixture.question, &work), 0);
        assert_int_equal(edges_exact(again, denominator, runs, &alone), OGPT_EINTR);
        edges_free(runs);
        interrupt_set(0);
        assert_non_null(journal_find(&journal, "edges", 0));
        assert_int_equal(journal.n_kept, 2); /* the first window of one worker */
        /* Begun with one worker, gone on with three. */
        assert_int_equal(edges_new(&runs, &fixture.question, WORK_ALONE), 0);
        assert_int_equal(edges_exact(again, denominator, runs, &work), 0);
        assert_int_equal(journal.n_recalled, 2);
        assert_memory_equal(again, truth, n * sizeof(*truth));
        edges_free(runs);
        pool_free(pool);
        journal_end(&journal);
        free(truth);
        free(again);
        patch_close(&fixture);
    }
    (void)state;
}

/* Ranks without messages: the parts that they did are together what one does alone. */
static void ranks_share_jobs_and_blocks(void **state)
{
    PatchFixture fixture = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    double denominator[N_TEST_PAIRS], rms, truth[N_TEST_PAIRS], delta[N_TEST_PAIRS];
    size_t n_edges = fixture.graph.n_edges, n = fixture.set.n * n_edges;
    double *alone = exact_of(&fixture, denominator, &rms, WORK_ALONE), *sum = numbers(n);
    uint8_t *patched = calloc(n_edges, 1), *nearly = calloc(n_edges, 1);
    EdgeRuns *runs;
    assert_non_null(patched);
    assert_non_null(nearly);
    patched[5] = patched[n_edges - 1] = nearly[7] = 1;
    assert_int_equal(edges_new(&runs, &fixture.question, WORK_ALONE), 0);
    assert_int_equal(edges_patched(truth, NULL, runs, patched, WORK_ALONE), 0);
    for (int count = 2; count < 5; count++) {
        size_t worked = 0;
        memset(sum, 0, n * sizeof(*sum));
        assert_int_equal(edges_patched(delta, NULL, runs, nearly, WORK_ALONE), 0);
        for (int rank = 0; rank < count; rank++) {
            ranks_pretend(rank, count);
            double *part = exact_of(&fixture, denominator, &rms, WORK_ALONE);
            assert_memory_not_equal(part, alone, n * sizeof(*part));
            worked += rms > 0;
            for (size_t i = 0; i < n; i++) {
                sum[i] += part[i];
            }
            free(part);
            assert_true(rank > 0 || memcmp(delta, truth, sizeof(truth)) != 0);
            assert_int_equal(edges_patched(delta, NULL, runs, patched, WORK_ALONE), 0);
            ranks_pretend(0, 1);
        }
        assert_true(worked >= 2);
        assert_memory_equal(sum, alone, n * sizeof(*sum));
        assert_memory_equal(delta, truth, sizeof(truth));
    }
    edges_free(runs);
    free(alone);
    free(sum);
    free(patched);
    free(nearly);
    patch_close(&fixture);
    (void)state;
}

static void bad_questions_are_refused(void **state)
{
    PatchFixture fixture = patch_open(PATCH_ALL, PATCH_RECOMPUTED, PATCH_NOISING);
    EdgeQuestion question = fixture.question;
    EdgeRuns *runs;
    question.graph = &fixture.graph;
    question.vocab = vocab_of(game_variant(8));
    assert_int_equal(edges_new(&runs, &question, WORK_ALONE), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "8x8"));
    question.vocab = vocab_of(game_variant(6));
    question.n_pairs = 0;
    assert_int_equal(edges_new(&runs, &question, WORK_ALONE), OGPT_EUSAGE);
    question.n_pairs = fixture.set.n;
    assert_true(edges_bytes(&question, WORK_ALONE) > 100000);
    assert_int_equal(edges_new(&runs, &question, &(Work){.memory_bytes = 100000}), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "memory"));
    fixture.set.pairs[1].n_moves = 40;
    assert_int_equal(edges_new(&runs, &question, WORK_ALONE), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "pair 1 has 40 moves"));
    patch_close(&fixture);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_edges_are_those_of_the_definition),
        cmocka_unit_test(the_question_decides),
        cmocka_unit_test(sets_are_those_of_the_definition),
        cmocka_unit_test(all_edges_are_the_other_run),
        cmocka_unit_test(nothing_patched_changes_no_bit),
        cmocka_unit_test(a_pair_with_itself_shows_no_effect),
        cmocka_unit_test(out_edges_together_are_activation_patching),
        cmocka_unit_test(workers_and_interruptions_change_no_bit),
        cmocka_unit_test(ranks_share_jobs_and_blocks),
        cmocka_unit_test(bad_questions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
