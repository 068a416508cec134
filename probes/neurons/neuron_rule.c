/* probes/neurons/neuron_rule.c - see probes/neurons/neuron_rule.h. */
#include "probes/neurons/neuron_rule.h"

#include <stdio.h>
#include <string.h>

enum { N_STATES = 3, ALL_STATES = 7 };

/* What is known: the states that each square may have, and other facts that hold, or do not. */
typedef struct Known {
    uint8_t states[BOARD_SQUARES];
    uint64_t holds[N_NEURON_FACTS], fails[N_NEURON_FACTS];
} Known;

static void learn(Known *known, int feature, bool yes)
{
    int fact = feature / BOARD_SQUARES, sq = feature % BOARD_SQUARES;
    if (fact < N_STATES) {
        unsigned bit = 1U << fact;
        known->states[sq] &= (uint8_t)(yes ? bit : ALL_STATES & ~bit);
    } else if (yes) {
        known->holds[fact] |= UINT64_C(1) << sq;
    } else {
        known->fails[fact] |= UINT64_C(1) << sq;
    }
}

/* The questions on the way to a node. False if it is not below `at`. */
static bool find_way(Known *known, const NeuronTree *tree, int at, int goal)
{
    const NeuronNode *node = &tree->nodes[at];
    if (at == goal) {
        return true;
    }
    if (node->feature < 0) {
        return false;
    }
    bool yes = find_way(known, tree, node->yes, goal);
    if (!yes && !find_way(known, tree, node->no, goal)) {
        return false;
    }
    learn(known, node->feature, yes);
    return true;
}

static void say(NeuronRule *rule, int feature, bool no)
{
    char name[NEURON_FEATURE_NAME];
    size_t at = strlen(rule->text);
    neuron_feature_name(name, feature, no);
    snprintf(rule->text + at, sizeof(rule->text) - at, "%s%s", at > 0 ? " & " : "", name);
}

static void say_state(NeuronRule *rule, int sq, unsigned states)
{
    for (int fact = 0; fact < N_STATES; fact++) {
        if (states == 1U << fact) {
            say(rule, neuron_feature((NeuronFact)fact, sq), false);
        } else if (states == (ALL_STATES & ~(1U << fact))) {
            say(rule, neuron_feature((NeuronFact)fact, sq), true);
        }
    }
}

void neuron_rule_of_node(NeuronRule *out, const NeuronTree *tree, int node)
{
    Known known = {.holds = {0}};
    memset(known.states, ALL_STATES, sizeof(known.states));
    find_way(&known, tree, 0, node);
    *out = (NeuronRule){.node = node, .n = tree->nodes[node].n, .mean = tree->nodes[node].mean};
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        say_state(out, sq, known.states[sq]);
    }
    for (int fact = N_STATES; fact < N_NEURON_FACTS; fact++) {
        for (int sq = 0; sq < BOARD_SQUARES; sq++) {
            if (known.holds[fact] >> sq & 1) {
                say(out, neuron_feature((NeuronFact)fact, sq), false);
            }
        }
        /* Only one square is the last move: of that fact nothing more is known. */
        const bool told = fact == FACT_LAST && known.holds[fact] != 0;
        for (int sq = 0; sq < BOARD_SQUARES && !told; sq++) {
            if (known.fails[fact] >> sq & 1) {
                say(out, neuron_feature((NeuronFact)fact, sq), true);
            }
        }
    }
    if (out->text[0] == '\0') {
        snprintf(out->text, sizeof(out->text), "always");
    }
}

void neuron_rule_best(NeuronRule *out, const NeuronTree *tree)
{
    int best = 0;
    double most = 0, middle = tree->nodes[0].mean;
    for (int i = 1; i < tree->n; i++) {
        double off = tree->nodes[i].mean - middle, explained = tree->nodes[i].n * off * off;
        if (off > 0 && explained > most) {
            best = i;
            most = explained;
        }
    }
    neuron_rule_of_node(out, tree, best);
}

int neuron_rule_leaves(int *leaves, const NeuronTree *tree)
{
    int n = 0;
    for (int i = 0; i < tree->n; i++) {
        if (tree->nodes[i].feature >= 0) {
            continue;
        }
        int at = n++;
        while (at > 0 && tree->nodes[leaves[at - 1]].mean < tree->nodes[i].mean) {
            leaves[at] = leaves[at - 1];
            at--;
        }
        leaves[at] = i;
    }
    return n;
}
