/* probes/neurons/neuron_facts.c - see probes/neurons/neuron_facts.h. */
#include "probes/neurons/neuron_facts.h"

#include <stdio.h>

#include "game/notation.h"

#define FACT_BEHIND(id, behind, front) behind,
#define FACT_FRONT(id, behind, front) front,
static const char *const words_behind[] = {NEURON_FACTS(FACT_BEHIND)};
static const char *const words_front[] = {NEURON_FACTS(FACT_FRONT)};

NeuronFacts neuron_facts_of(const GameVariant *variant, const Board *before, const Board *after,
                            int last)
{
    NeuronFacts out;
    out.squares[FACT_MINE] = after->mine;
    out.squares[FACT_THEIRS] = after->theirs;
    out.squares[FACT_EMPTY] = variant->squares & ~(after->mine | after->theirs);
    out.squares[FACT_LAST] = UINT64_C(1) << last;
    out.squares[FACT_TURNED] = board_flips(variant, before, last);
    out.squares[FACT_LEGAL] = board_moves(variant, after);
    return out;
}

void neuron_feature_name(char out[NEURON_FEATURE_NAME], int feature, bool no)
{
    char square[3];
    int fact = feature / BOARD_SQUARES;
    square_print(square, feature % BOARD_SQUARES);
    if (words_front[fact][0] != '\0') {
        snprintf(out, NEURON_FEATURE_NAME, "%s%s%s", no ? "not " : "", words_front[fact], square);
    } else {
        snprintf(out, NEURON_FEATURE_NAME, "%s%s%s", square, no ? " not" : "", words_behind[fact]);
    }
}
