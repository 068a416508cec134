/* tests/model/planted/graph_check.h - the truth about planted networks against plain_graph.h: every
 * part, every edge, every pair of parts, and that no other edge matters. Twins fail each of it. */
#ifndef OGPT_TESTS_GRAPH_CHECK_H
#define OGPT_TESTS_GRAPH_CHECK_H

#include <math.h>
#include <stdlib.h>

#include "plain_graph.h"

/* A network, its truth, and its two runs. */
typedef struct PlantedRuns {
    PlantedOptions options;
    PlantedTruth truth;
    Gpt *gpt;
    PlainRun *clean, *corrupt;
    double tolerance;
    size_t n_checked, n_wrong; /* comparisons with a truth that is not zero */
    double worst;
} PlantedRuns;

static PlantedRuns begin(PlantedKind kind, int size, uint64_t seed, bool twin)
{
    PlantedRuns p = {.options = {.kind = kind, .size = size, .seed = seed, .twin = twin}};
    assert_int_equal(planted_make(&p.gpt, &p.options), 0);
    assert_int_equal(planted_truth(&p.truth, &p.options), 0);
    p.clean = plain_run(p.gpt, p.truth.clean, p.truth.n_tokens, NULL);
    p.corrupt = plain_run(p.gpt, p.truth.corrupt, p.truth.n_tokens, NULL);
    p.tolerance = PLANTED_TOLERANCE * p.truth.strength;
    return p;
}

static void end(PlantedRuns *p)
{
    plain_free(p->clean);
    plain_free(p->corrupt);
    gpt_free(p->gpt);
}

static double metric_of(const PlantedRuns *p, const PlainRun *run)
{
    return run->logits[p->truth.target] - run->logits[p->truth.other];
}

/* m(clean) - m of the clean tokens, edited. */
static double lost(const PlantedRuns *p, const PlainEdit *edit)
{
    PlainRun *run = plain_run(p->gpt, p->truth.clean, p->truth.n_tokens, edit);
    double m = metric_of(p, run);
    plain_free(run);
    return metric_of(p, p->clean) - m;
}

/* Zeros must be zeros, and count for nothing. */
static void compare(PlantedRuns *p, const char *what, size_t index, double found, double truth)
{
    bool wrong = !(fabs(found - truth) <= p->tolerance);
    p->worst = fmax(p->worst, fabs(found - truth) / p->truth.strength);
    p->n_checked += truth != 0;
    p->n_wrong += wrong && truth != 0;
    if (wrong && (!p->options.twin || truth == 0)) {
        fail_msg("%s, board %d: %s %zu: expected %.9g, found %.9g",
                 planted_kind_name(p->truth.kind), p->options.size, what, index, truth, found);
    }
}

static void make_absent(PlainEdit *edit, const PlantedPart *part)
{
    if (part->node == PLANTED_NEURON) {
        edit->no_neuron[part->layer][part->index] = true;
    } else {
        edit->absent[node_of(part)] = true;
    }
}

/* Without the part's output on the way to the logits: its own edge there is cut by a run in which
 * it is absent and everything else is as it was. */
static double lost_directly(const PlantedRuns *p, const PlantedPart *part)
{
    PlainEdit *edit = calloc(2, sizeof(*edit));
    make_absent(&edit[0], part);
    PlainRun *without = plain_run(p->gpt, p->truth.clean, p->truth.n_tokens, &edit[0]);
    edit[1].other = without;
    edit[1].carries[PLAIN_LOGITS][PLANTED_WHOLE][node_of(part)] = true;
    double found = lost(p, &edit[1]);
    plain_free(without);
    free(edit);
    return found;
}

static void check_parts(PlantedRuns *p)
{
    for (size_t i = 1; i + 1 < p->truth.n_parts; i++) {
        const PlantedPart *part = &p->truth.parts[i];
        PlainEdit *edit = calloc(2, sizeof(*edit));
        make_absent(&edit[0], part);
        compare(p, "total of part", i, lost(p, &edit[0]), part->total);
        compare(p, "direct of part", i, lost_directly(p, part), part->direct);
        edit[1].other = p->corrupt;
        if (part->node == PLANTED_NEURON) {
            edit[1].other_neuron[part->layer][part->index] = true;
        } else {
            edit[1].replaced[node_of(part)] = true;
        }
        compare(p, "effect of part", i, lost(p, &edit[1]), part->effect);
        free(edit);
    }
    for (size_t i = 0; i < p->truth.n_joints; i++) {
        const PlantedJoint *joint = &p->truth.joints[i];
        PlainEdit *edit = calloc(1, sizeof(*edit));
        make_absent(edit, &p->truth.parts[joint->parts[0]]);
        make_absent(edit, &p->truth.parts[joint->parts[1]]);
        compare(p, "joint", i, lost(p, edit), joint->total);
        free(edit);
    }
}

static void check_edges(PlantedRuns *p)
{
    for (size_t i = 0; i < p->truth.n_edges; i++) {
        const PlantedEdge *edge = &p->truth.edges[i];
        PlainEdit *edit = calloc(1, sizeof(*edit));
        edit->other = p->corrupt;
        edit->carries[node_of(&p->truth.parts[edge->to])][edge->channel]
                     [node_of(&p->truth.parts[edge->from])] = true;
        compare(p, "edge", i, lost(p, edit), edge->effect);
        free(edit);
    }
}

/* All edges of the network but the planted ones carry the corrupt run: one by one without effect,
 * together too. */
static void check_other_edges(PlantedRuns *p)
{
    PlainEdit *all = calloc(1, sizeof(*all));
    all->other = p->corrupt;
    for (int to = 1; to <= PLAIN_LOGITS; to++) {
        int layer = (to - 1) / PER_BLOCK, place = (to - 1) % PER_BLOCK;
        bool head = to < PLAIN_LOGITS && place < PLANTED_HEADS;
        int n_senders = head ? 1 + layer * PER_BLOCK : to;
        for (int channel = head ? PLANTED_Q : PLANTED_WHOLE;
             channel <= (head ? PLANTED_V : PLANTED_WHOLE); channel++) {
            for (int from = 0; from < n_senders; from++) {
                all->carries[to][channel][from] = true;
            }
        }
    }
    for (size_t i = 0; i < p->truth.n_edges; i++) {
        const PlantedEdge *edge = &p->truth.edges[i];
        all->carries[node_of(&p->truth.parts[edge->to])][edge->channel]
                    [node_of(&p->truth.parts[edge->from])] = false;
    }
    compare(p, "all other edges", 0, lost(p, all), 0);
    for (size_t i = 0; i < p->truth.n_edges; i++) { /* now the smallest set alone */
        const PlantedEdge *edge = &p->truth.edges[i];
        all->carries[node_of(&p->truth.parts[edge->to])][edge->channel]
                    [node_of(&p->truth.parts[edge->from])] = !edge->minimal;
    }
    compare(p, "m(minimal) - m(corrupt)", 0,
            metric_of(p, p->clean) - lost(p, all) - metric_of(p, p->corrupt), p->truth.difference);
    free(all);
}

static void check_all(PlantedRuns *p)
{
    compare(p, "difference", 0, metric_of(p, p->clean) - metric_of(p, p->corrupt),
            p->truth.difference);
    assert_true(p->truth.difference >= 1);
    check_parts(p);
    check_edges(p);
    check_other_edges(p);
}

/* The truth holds; on the twin every number that is not zero is wrong, so each can go red. */
static void graph_check_kind(PlantedKind kind, int size, uint64_t seed)
{
    PlantedRuns p = begin(kind, size, seed, false);
    check_all(&p);
    assert_int_equal(p.n_wrong, 0);
    assert_true(p.n_checked >= 6);
    print_message("%s, board %d: %zu numbers other than zero, worst error %.1e of the strength\n",
                  planted_kind_name(kind), size, p.n_checked, p.worst);
    end(&p);
    PlantedRuns twin = begin(kind, size, seed, true);
    check_all(&twin);
    assert_int_equal(twin.n_wrong, twin.n_checked);
    end(&twin);
}

#endif
