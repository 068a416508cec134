/* probes/neurons/neuron_design.c - see probes/neurons/neuron_design.h. */
#include "probes/neurons/neuron_design.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* 64 discs, a last move, and what may be turned or legal: well below. */
enum { ACTIVE_A_ROW = 160 };

size_t neuron_design_bytes(size_t n)
{
    return n * (sizeof(NeuronFacts) + sizeof(uint32_t) + ACTIVE_A_ROW * sizeof(uint16_t));
}

void neuron_design_release(NeuronDesign *design)
{
    mem_free(design->first);
    mem_free(design->active);
    mem_free(design->shuffled);
    *design = (NeuronDesign){0};
}

static void offer(NeuronDesign *out, const GameVariant *variant, bool legal)
{
    uint64_t played = variant->squares & ~variant->centre;
    out->offered[FACT_EMPTY] = played; /* the centre is never empty */
    out->offered[FACT_THEIRS] = variant->squares;
    out->offered[FACT_MINE] = variant->squares;
    out->offered[FACT_LAST] = played;
    out->offered[FACT_TURNED] = variant->squares;
    out->offered[FACT_LEGAL] = legal ? played : 0;
}

int neuron_design_of_facts(NeuronDesign *out, const GameVariant *variant, const NeuronFacts *facts,
                           size_t n, size_t n_fit, bool legal)
{
    size_t at = 0;
    NeuronFacts *shuffled = out->shuffled; /* kept: of neuron_design_make */
    *out = (NeuronDesign){.n = n, .n_fit = n_fit, .facts = facts, .shuffled = shuffled};
    offer(out, variant, legal);
    for (size_t i = 0; i < n; i++) {
        for (int fact = FACT_EMPTY + 1; fact < N_NEURON_FACTS; fact++) {
            at += (size_t)__builtin_popcountll(facts[i].squares[fact] & out->offered[fact]);
        }
    }
    out->first = mem_alloc(n + 1, sizeof(*out->first), "features");
    out->active = mem_alloc(at, sizeof(*out->active), "features");
    if (!out->first || !out->active) {
        return OGPT_ENOMEM;
    }
    at = 0;
    for (size_t i = 0; i < n; i++) {
        out->first[i] = (uint32_t)at;
        for (int fact = FACT_EMPTY + 1; fact < N_NEURON_FACTS; fact++) {
            for (uint64_t left = facts[i].squares[fact] & out->offered[fact]; left;
                 left &= left - 1) {
                int sq = __builtin_ctzll(left);
                out->active[at++] = (uint16_t)neuron_feature((NeuronFact)fact, sq);
            }
        }
    }
    out->first[n] = (uint32_t)at;
    return 0;
}

int neuron_design_make(NeuronDesign *out, const NeuronGames *games, bool legal, bool shuffled)
{
    const NeuronFacts *facts = games->facts;
    *out = (NeuronDesign){0};
    if (shuffled) {
        out->shuffled = mem_alloc(games->n, sizeof(*out->shuffled), "facts of twins");
        if (!out->shuffled) {
            return OGPT_ENOMEM;
        }
        for (size_t i = 0; i < games->n; i++) {
            out->shuffled[i] = games->facts[games->twin[i]];
        }
        facts = out->shuffled;
    }
    return neuron_design_of_facts(out, games->vocab->variant, facts, games->n, games->n_fit, legal);
}
