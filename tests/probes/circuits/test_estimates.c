/* tests/probes/circuits/test_estimates.c - estimates of edges against passes in double precision,
 * on random and on planted networks and their twins. links: model/planted */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/ranks/ranks.h"
#include "circuit_fixture.h"
#include "probes/circuits/estimates.h"

enum { ALL_ESTIMATES = (1 << N_ESTIMATES) - 1 };

static double largest(const double *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs(x[i]));
    }
    return most;
}

static void make(EstimateSet *out, const CircuitFixture *f, unsigned wanted, int points)
{
    EstimateOptions options = {.wanted = wanted, .points = points};
    assert_int_equal(estimates_make(out, &f->question, &options, WORK_ALONE), 0);
}

/* On a random network the gradient of every edge is the central difference of patching a little of
 * it, and not that of patching all of it: the network is curved. */
static void derivative_in_scope(PatchScope scope)
{
    CircuitFixture f;
    EstimateSet set;
    fixture_random(&f, 0.25);
    f.question.scope = scope;
    size_t n = f.graph.n_edges, wrong = 0, curved = 0, fixed = 0;
    make(&set, &f, 1U << ESTIMATE_ATP | 1U << ESTIMATE_ATP_QK, 1);
    double *up = fixture_exact(&f, 1e-3, 5), *down = fixture_exact(&f, -1e-3, 5);
    double *whole = fixture_exact(&f, 1.0, 5), size = 0;
    for (size_t e = 0; e < n; e++) {
        up[e] = (up[e] - down[e]) / 2e-3;
    }
    size = largest(up, n);
    assert_true(size > 0.1);
    for (size_t e = 0; e < n; e += 5) {
        double atp = (double)set.values[ESTIMATE_ATP][e],
               qk = (double)set.values[ESTIMATE_ATP_QK][e];
        size_t s, r;
        graph_edge(&s, &r, &f.graph, e);
        /* Float rounding over three blocks; the differences are exact to 1e-6. */
        wrong += !(fabs(atp - up[e]) < 1e-4 * size);
        curved += fabs(whole[e] - up[e]) > 1e-2 * size;
        bool into_softmax = graph_receiver(&f.graph, r).kind <= RECEIVER_K;
        assert_true(into_softmax || atp == qk);
        fixed += atp != qk;
    }
    assert_int_equal(wrong, 0);
    assert_true(curved > n / 100); /* twin: the whole patch is another number */
    assert_true(fixed > n / 20);
    free(up);
    free(down);
    free(whole);
    estimates_release(&set);
    gpt_free(f.gpt);
}

static void atp_is_the_derivative_of_patching(void **state)
{
    derivative_in_scope(PATCH_ALL);
    derivative_in_scope(PATCH_LAST);
    (void)state;
}

/* A little of a query or a key moves the softmax as its gradient says; all of it does not. */
static void qk_fix_of_a_small_change_is_the_gradient(void **state)
{
    for (int part = 0; part < 2; part++) {
        CircuitFixture f;
        EstimateSet set;
        double off = 0, size = 0, nodes = 0;
        fixture_random(&f, 0.25);
        real *E = f.gpt->params + f.gpt->map.W_E;
        size_t C = (size_t)f.gpt->cfg.d_model, t = f.truth.differs_at;
        for (size_t c = 0; c < C; c++) { /* the corrupt token is nearly the clean one */
            real clean = E[f.truth.clean[t] * C + c], *corrupt = &E[f.truth.corrupt[t] * C + c];
            *corrupt = part ? clean + (real)1e-3 * (*corrupt - clean) : *corrupt;
        }
        make(&set, &f, 1U << ESTIMATE_ATP | 1U << ESTIMATE_ATP_QK, 1);
        for (size_t e = 0; e < set.n_edges; e++) {
            double atp = (double)set.values[ESTIMATE_ATP][e];
            off = fmax(off, fabs((double)set.values[ESTIMATE_ATP_QK][e] - atp));
            size = fmax(size, fabs(atp));
        }
        if (part) { /* and a little of everything that a q, k or v reads moves it as its node says
                     */
            for (size_t r = 0; r + 1 < f.graph.n_receivers; r++) {
                Receiver to = graph_receiver(&f.graph, r);
                double sum = 0;
                for (size_t s = 0; s < graph_sees(&f.graph, r); s++) {
                    sum += (double)set.values[ESTIMATE_ATP][graph_first_edge(&f.graph, r) + s];
                }
                if (to.kind != RECEIVER_MLP) {
                    size_t node = set.n_edges + circuit_node_of(&f.graph, to);
                    double atp = (double)set.values[ESTIMATE_ATP][node];
                    nodes = fmax(nodes, fabs(atp));
                    assert_true(fabs(atp - sum) < 1e-2 * size);
                    assert_true(fabs((double)set.values[ESTIMATE_ATP_QK][node] - atp) <
                                1e-2 * size);
                }
            }
            assert_true(nodes > 0.1 * size);
        }
        assert_true(size > (part ? 1e-5 : 1e-1));
        assert_true(part ? off < 1e-2 * size : off > 3e-2 * size);
        estimates_release(&set);
        gpt_free(f.gpt);
    }
    (void)state;
}

/* The other direction of a pair is the pair turned round, whose metric has the other sign. */
static void denoising_is_the_pair_turned_round(void **state)
{
    CircuitFixture f;
    EstimateSet a, b, forth;
    fixture_random(&f, 0.25);
    make(&forth, &f, ALL_ESTIMATES, 3);
    f.question.direction = PATCH_DENOISING;
    make(&a, &f, ALL_ESTIMATES, 3);
    GamePair turned = f.pair;
    memcpy(turned.clean, f.pair.corrupt, sizeof(turned.clean));
    memcpy(turned.corrupt, f.pair.clean, sizeof(turned.corrupt));
    turned.legal_clean = f.pair.legal_corrupt;
    turned.legal_corrupt = f.pair.legal_clean;
    f.pair = turned;
    f.question.direction = PATCH_NOISING;
    make(&b, &f, ALL_ESTIMATES, 3);
    assert_true(a.denominator[0] == -b.denominator[0] && fabs(a.denominator[0]) > 0.1);
    size_t differ = 0;
    for (size_t i = 0; i < a.n_edges; i++) {
        assert_true(a.values[ESTIMATE_EAP_IG][i] == -b.values[ESTIMATE_EAP_IG][i]);
        assert_true(a.values[ESTIMATE_ATP_QK][i] == -b.values[ESTIMATE_ATP_QK][i]);
        differ += a.values[ESTIMATE_ATP][i] != -forth.values[ESTIMATE_ATP][i];
    }
    assert_true(differ > a.n_edges / 2); /* twin: the gradient is that of the base run */
    estimates_release(&forth);
    estimates_release(&a);
    estimates_release(&b);
    gpt_free(f.gpt);
    (void)state;
}

/* Pairs of three lengths, in one chunk and in two, by one worker and by three, with all estimates
 * and with one: the same bits. */
static void threads_and_company_change_no_bit(void **state)
{
    enum { N = 7 };
    CircuitFixture f;
    EstimateSet one, three, alone;
    GamePair pairs[N];
    Pool *pool;
    fixture_random(&f, 0.25);
    for (int i = 0; i < N; i++) {
        pairs[i] = f.pair;
        pairs[i].n_moves = f.pair.n_moves - i % 3;
    }
    f.question.pairs = pairs;
    f.question.n_pairs = N;
    make(&one, &f, ALL_ESTIMATES, 2);
    make(&alone, &f, 1U << ESTIMATE_ATP_STAR, 2);
    assert_int_equal(pool_new(&pool, 3), 0);
    EstimateOptions options = {.wanted = ALL_ESTIMATES, .points = 2};
    Work work = {.pool = pool};
    assert_int_equal(estimates_make(&three, &f.question, &options, &work), 0);
    for (int e = 0; e < N_ESTIMATES; e++) {
        size_t n = estimates_planes((Estimate)e, f.graph.n_layers) * N * one.width;
        assert_memory_equal(one.values[e], three.values[e], n * sizeof(float));
        assert_int_equal(e == ESTIMATE_ATP_STAR, alone.values[e] ? 1 : 0);
    }
    size_t n = estimates_planes(ESTIMATE_ATP_STAR, f.graph.n_layers) * N * one.width;
    assert_memory_equal(one.values[ESTIMATE_ATP_STAR], alone.values[ESTIMATE_ATP_STAR],
                        n * sizeof(float));
    /* Two ranks, no messages: each has some of the chunks, the other has the rest. */
    for (int rank = 0; rank < 2; rank++) {
        EstimateSet part;
        ranks_pretend(rank, 2);
        make(&part, &f, ALL_ESTIMATES, 2);
        ranks_pretend(0, 1);
        for (int e = 0; e < N_ESTIMATES; e++) {
            n = estimates_planes((Estimate)e, f.graph.n_layers) * N * one.width;
            assert_memory_not_equal(part.values[e], one.values[e], n * sizeof(float));
            for (size_t i = 0; i < n; i++) {
                three.values[e][i] -= part.values[e][i];
            }
        }
        estimates_release(&part);
    }
    for (int e = 0; e < N_ESTIMATES; e++) {
        n = estimates_planes((Estimate)e, f.graph.n_layers) * N * one.width;
        for (size_t i = 0; i < n; i++) {
            assert_true(three.values[e][i] == 0);
        }
    }
    /* Twin: pairs of other lengths differ. */
    assert_true(memcmp(one.values[ESTIMATE_ATP], one.values[ESTIMATE_ATP] + one.width,
                       one.width * sizeof(float)) != 0);
    estimates_release(&one);
    estimates_release(&three);
    estimates_release(&alone);
    pool_free(pool);
    gpt_free(f.gpt);
    (void)state;
}

static void wrong_questions_are_refused(void **state)
{
    CircuitFixture f;
    EstimateSet set;
    fixture_random(&f, 0.25);
    EstimateOptions options = {.wanted = ALL_ESTIMATES, .points = 0};
    assert_int_equal(estimates_make(&set, &f.question, &options, WORK_ALONE), OGPT_EUSAGE);
    options.points = ESTIMATE_POINTS_MAX + 1;
    assert_int_equal(estimates_make(&set, &f.question, &options, WORK_ALONE), OGPT_EUSAGE);
    options.points = 1;
    f.pair.n_moves = f.gpt->cfg.n_ctx + 1;
    assert_int_equal(estimates_make(&set, &f.question, &options, WORK_ALONE), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "pair 0 has"));
    f.pair.n_moves = 3;
    f.question.vocab = vocab_of(game_variant(6));
    assert_int_equal(estimates_make(&set, &f.question, &options, WORK_ALONE), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "board size"));
    f.question.n_pairs = 0;
    assert_int_equal(estimates_make(&set, &f.question, &options, WORK_ALONE), OGPT_EUSAGE);
    gpt_free(f.gpt);
    (void)state;
}

static void completeness_comes_with_the_points(void **state)
{
    CircuitFixture f;
    EstimateSet set;
    fixture_random(&f, 0.25);
    make(&set, &f, 1U << ESTIMATE_EAP_IG | 1U << ESTIMATE_ATP, 256);
    double of_input = 0, by_atp = 0, whole = set.denominator[0];
    for (size_t r = 0; r < f.graph.n_receivers; r++) {
        of_input += set.values[ESTIMATE_EAP_IG][graph_first_edge(&f.graph, r)];
        by_atp += set.values[ESTIMATE_ATP][graph_first_edge(&f.graph, r)];
    }
    for (int i = 0; i < set.n_trials; i++) {
        print_message("%3d points: error %.2e\n", set.trials[i].points, set.trials[i].error);
    }
    assert_int_equal(set.n_trials, 9);
    assert_int_equal(set.trials[8].points, 256);
    assert_true(fabs(whole) > 0.1);
    assert_true(fabs(of_input - whole) < 1e-3 * fabs(whole));
    assert_true(fabs(by_atp - whole) > 1e-2 * fabs(whole)); /* twin: one gradient is not enough */
    /* Midpoints: the error falls with the square, 0.28 / 256^2 = 4e-6; with k / m it would be the
     * difference of the two end gradients over 512, about 1e-3. */
    assert_true(set.trials[8].error < 5e-5);
    assert_true(set.trials[8].error < set.trials[3].error);
    assert_true(set.trials[3].error < set.trials[0].error);
    estimates_release(&set);
    gpt_free(f.gpt);
    (void)state;
}

/* Worst difference between an estimate and the truth, in units of the strength. Edges that are not
 * planted must be zero. */
static double worst_of(const CircuitFixture *f, const EstimateSet *set, Estimate estimate,
                       bool exact, double *size)
{
    double *scores = calloc(set->n_edges, sizeof(*scores)), worst = 0;
    double share = set->denominator[0] / f->truth.difference; /* -1 where the plant works */
    estimates_scores(scores, set, estimate, ESTIMATE_EDGES, NULL);
    *size = largest(scores, set->n_edges);
    for (size_t i = 0; i < f->truth.n_edges; i++) {
        size_t e = fixture_edge(f, &f->truth.edges[i]);
        double truth = exact ? f->truth.edges[i].effect : f->truth.edges[i].estimate;
        worst = fmax(worst, fabs(scores[e] * fabs(share) - truth / f->truth.difference));
        scores[e] = 0;
    }
    worst = fmax(worst, largest(scores, set->n_edges) * fabs(share));
    free(scores);
    return worst;
}

static void gradients_see_what_is_planted(void **state)
{
    for (int kind = 0; kind < N_PLANTED; kind++) {
        CircuitFixture f;
        EstimateSet set;
        double size;
        fixture_plant(&f, (PlantedKind)kind, false);
        make(&set, &f, ALL_ESTIMATES, 4);
        assert_true(fabs(set.denominator[0] + f.truth.difference) < 1e-4 * f.truth.difference);
        double worst = worst_of(&f, &set, ESTIMATE_ATP, false, &size);
        print_message("%s: atp off by %.1e of the strength\n", planted_kind_name(f.truth.kind),
                      worst);
        assert_true(worst < 1e-4);
        assert_true(size > 0.4); /* and it is not zeros that agree */
        estimates_release(&set);
        gpt_free(f.gpt);
        fixture_plant(&f, (PlantedKind)kind, true);
        make(&set, &f, 1U << ESTIMATE_ATP, 4);
        for (size_t e = 0; e < set.n_edges; e++) { /* numerators: the twin has no effect at all */
            assert_true(fabs((double)set.values[ESTIMATE_ATP][e]) < 1e-4 * f.truth.strength);
        }
        estimates_release(&set);
        gpt_free(f.gpt);
    }
    (void)state;
}

/* With a frozen scale the logits are linear in what an edge adds, so the estimate is the truth
 * there; with a scale that is computed again it is not. */
static void frozen_makes_the_last_edges_exact(void **state)
{
    CircuitFixture f;
    double off[2] = {0, 0}, size = 0;
    fixture_random(&f, 0.25);
    double *exact = calloc(f.graph.n_edges, sizeof(*exact)), whole;
    for (int norm = PATCH_RECOMPUTED; norm <= PATCH_FROZEN; norm++) {
        EdgeRuns *runs;
        EstimateSet set;
        f.question.norm = (PatchNorm)norm;
        assert_int_equal(edges_new(&runs, &f.question, WORK_ALONE), 0);
        assert_int_equal(edges_exact(exact, &whole, runs, WORK_ALONE), 0);
        make(&set, &f, 1U << ESTIMATE_ATP, 1);
        assert_true(fabs(whole - set.denominator[0]) < 1e-4 * fabs(whole));
        for (size_t s = 0; s < f.graph.n_senders; s++) {
            size_t e = graph_first_edge(&f.graph, f.graph.n_receivers - 1) + s;
            off[norm] = fmax(off[norm], fabs(exact[e] - (double)set.values[ESTIMATE_ATP][e]));
            size = fmax(size, fabs(exact[e]));
        }
        edges_free(runs);
        estimates_release(&set);
    }
    assert_true(size > 0.1);
    assert_true(off[PATCH_FROZEN] < 1e-5 * size);
    assert_true(off[PATCH_RECOMPUTED] > 1e-3 * size);
    free(exact);
    gpt_free(f.gpt);
    (void)state;
}

static double score_of(const CircuitFixture *f, const EstimateSet *set, Estimate estimate,
                       size_t edge)
{
    double *scores = calloc(set->n_edges, sizeof(*scores));
    estimates_scores(scores, set, estimate, ESTIMATE_EDGES, NULL);
    double score = scores[fixture_edge(f, &f->truth.edges[edge])];
    free(scores);
    return score;
}

/* Saturated: the edge into the query moves everything, its gradient nothing. */
static void saturated_needs_the_qk_fix(void **state)
{
    CircuitFixture f;
    EstimateSet set;
    fixture_plant(&f, PLANTED_SATURATED, false);
    make(&set, &f, ALL_ESTIMATES, 4);
    assert_int_equal(f.truth.edges[1].channel, PLANTED_Q);
    assert_true(fabs(f.truth.edges[1].effect - f.truth.difference) < 1e-9);
    assert_true(fabs(score_of(&f, &set, ESTIMATE_ATP, 1)) < 1e-3);
    assert_true(fabs(score_of(&f, &set, ESTIMATE_ATP_QK, 1) - 1) < 1e-4);
    /* Nothing is between this head and the logits, so every pass of GradDrop says the same. */
    assert_true(fabs(score_of(&f, &set, ESTIMATE_ATP_STAR, 1) - 1) < 1e-4);
    assert_true(fabs(score_of(&f, &set, ESTIMATE_ATP_DROP, 1)) < 1e-3);
    estimates_release(&set);
    gpt_free(f.gpt);
    (void)state;
}

/* Cancelling: a write that a later MLP takes away has no gradient; without that MLP it has. */
static void cancelled_needs_graddrop(void **state)
{
    CircuitFixture f;
    EstimateSet set;
    fixture_plant(&f, PLANTED_CANCEL, false);
    make(&set, &f, ALL_ESTIMATES, 4);
    assert_true(fabs(f.truth.edges[3].effect - f.truth.difference) < 1e-9); /* its write is large */
    assert_true(fabs(score_of(&f, &set, ESTIMATE_ATP, 0)) < 1e-4);
    /* The MLP is in block 1 of three: one pass of two sees the write uncancelled. */
    assert_true(fabs(score_of(&f, &set, ESTIMATE_ATP_DROP, 0) - 0.5) < 1e-4);
    assert_true(fabs(score_of(&f, &set, ESTIMATE_ATP_STAR, 0) - 0.5) < 1e-4);
    estimates_release(&set);
    gpt_free(f.gpt);
    (void)state;
}

/* The linear network: every estimate but GradDrop's mean is the truth. */
static void linear_makes_every_estimate_exact(void **state)
{
    static const Estimate exact[] = {ESTIMATE_ATP, ESTIMATE_ATP_QK, ESTIMATE_EAP_IG,
                                     ESTIMATE_CLEAN_CORRUPTED};
    CircuitFixture f;
    EstimateSet set;
    double size;
    fixture_plant(&f, PLANTED_LINEAR, false);
    make(&set, &f, ALL_ESTIMATES, 4);
    for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
        assert_true(worst_of(&f, &set, exact[i], true, &size) < 1e-4);
        assert_true(size > 0.5);
    }
    assert_true(set.trials[0].error < 1e-4); /* one point is enough */
    estimates_release(&set);
    gpt_free(f.gpt);
    fixture_plant(&f, PLANTED_BACKUP, false); /* twin: not linear, not exact */
    make(&set, &f, ALL_ESTIMATES, 4);
    assert_true(worst_of(&f, &set, ESTIMATE_ATP, true, &size) > 0.5);
    estimates_release(&set);
    gpt_free(f.gpt);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(atp_is_the_derivative_of_patching),
        cmocka_unit_test(qk_fix_of_a_small_change_is_the_gradient),
        cmocka_unit_test(denoising_is_the_pair_turned_round),
        cmocka_unit_test(threads_and_company_change_no_bit),
        cmocka_unit_test(wrong_questions_are_refused),
        cmocka_unit_test(completeness_comes_with_the_points),
        cmocka_unit_test(gradients_see_what_is_planted),
        cmocka_unit_test(frozen_makes_the_last_edges_exact),
        cmocka_unit_test(saturated_needs_the_qk_fix),
        cmocka_unit_test(cancelled_needs_graddrop),
        cmocka_unit_test(linear_makes_every_estimate_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
