/* probes/neurons/neuron_games.h - the positions at which neurons are read.
 *
 * Games are all different. The first of them are fitted on, the others are held out: rules are
 * never scored on a game that they have seen, because positions of one game are alike. Position t
 * of a game is the one behind move t (datasets/labels.h).
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_GAMES_H
#define OGPT_PROBES_NEURONS_NEURON_GAMES_H

#include "base/work.h"
#include "datasets/batch.h"
#include "probes/neurons/neuron_facts.h"

#define NEURON_POSITIONS_MAX (1U << 20) /* what the sums of a tree can hold */

typedef struct NeuronGames {
    const Vocab *vocab;
    size_t n_games, n_fit_games;
    size_t n, n_fit;    /* positions; those of the fit games come first */
    uint8_t *moves;     /* (n_games, n_moves) */
    uint32_t *first;    /* (n_games + 1) positions of game g are first[g] .. first[g+1]-1 */
    uint32_t *game;     /* (n) */
    uint8_t *t;         /* (n) ascending inside a game */
    Board *board;       /* (n) behind move t */
    NeuronFacts *facts; /* (n) of that board */
    /* (n) a position of another game at the same ply, on the same side of the split: the board of a
     * control. Every position is the twin of one other; itself where no other game has the ply. */
    uint32_t *twin;
    size_t n_repeated; /* games of the source that were left out because they came before */
} NeuronGames;

/* Where games come from; owned. */
typedef struct NeuronSources {
    GameSource *rules,
        *used;            /* that rules are fitted and scored on; that are attributed and ablated */
    GameSource *training; /* of means, and that lend values */
} NeuronSources;

/* The first two are the test split of a corpus, the last its training split. Without one (NULL)
 * they are fresh games, the last those that a training by this seed sees. Returns 0 or an error of
 * source_corpus; neuron_sources_release in both cases. */
int neuron_sources_open(NeuronSources *out, const GameVariant *variant, Corpus *corpus,
                        uint64_t seed);
void neuron_sources_release(NeuronSources *sources);

typedef struct NeuronSample {
    size_t fit_games, test_games; /* at least 2 each */
    int plies;                    /* positions drawn of each game; 0: all */
} NeuronSample;

/* The first different games of a source: fewer if it holds fewer, in the asked proportion. Returns
 * 0, OGPT_EIO, OGPT_EFORMAT (an illegal game; fewer than two games on a side), OGPT_EUSAGE (more
 * than NEURON_POSITIONS_MAX positions), OGPT_ENOMEM, OGPT_EINTR. neuron_games_release. */
int neuron_games_draw(NeuronGames *out, const Vocab *vocab, GameSource *source,
                      const NeuronSample *sample, const Work *work);
/* No more games than a source holds, in the asked proportion. */
void neuron_sample_limit(NeuronSample *sample, const GameSource *source);
/* Bytes of it at most. */
size_t neuron_games_bytes(const Vocab *vocab, const NeuronSample *sample);
/* Positions at most. */
size_t neuron_sample_positions(const Vocab *vocab, const NeuronSample *sample);
void neuron_games_release(NeuronGames *games);

#endif
