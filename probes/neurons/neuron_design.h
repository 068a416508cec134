/* probes/neurons/neuron_design.h - the features of all positions, laid out for fitting.
 *
 * Rows are positions, the fit positions first. A design may show every position the facts of its
 * twin instead of its own: a control in which only the ply is right.
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_DESIGN_H
#define OGPT_PROBES_NEURONS_NEURON_DESIGN_H

#include "probes/neurons/neuron_games.h"

typedef struct NeuronDesign {
    size_t n, n_fit;
    const NeuronFacts *facts;         /* (n) of the rows */
    uint64_t offered[N_NEURON_FACTS]; /* squares whose fact rules may ask for */
    /* Features that hold in row i, but those of kind FACT_EMPTY: active[first[i] .. first[i+1]-1].
     * An empty square is one with no disc, so its sums are differences. Owned. */
    uint32_t *first;
    uint16_t *active;
    NeuronFacts *shuffled; /* owned, or NULL */
} NeuronDesign;

/* legal: offer legal moves too. shuffled: facts of twins. games is borrowed. Returns 0 or
 * OGPT_ENOMEM. neuron_design_release. */
int neuron_design_make(NeuronDesign *out, const NeuronGames *games, bool legal, bool shuffled);
/* The same for rows that come from elsewhere; facts is borrowed. */
int neuron_design_of_facts(NeuronDesign *out, const GameVariant *variant, const NeuronFacts *facts,
                           size_t n, size_t n_fit, bool legal);
void neuron_design_release(NeuronDesign *design);
/* Bytes for n rows. */
size_t neuron_design_bytes(size_t n);

static inline bool neuron_design_offers(const NeuronDesign *design, int feature)
{
    return (design->offered[feature / BOARD_SQUARES] >> feature % BOARD_SQUARES & 1) != 0;
}

#endif
