/* probes/neurons/neuron_study.h - all that is measured of the neurons of one network.
 *
 * Every layer is measured as it is and as three controls, by the same code on the same games:
 *   trained   the neurons
 *   random    those of a network of the same shape with drawn weights, never trained
 *   rotated   the activations of the trained layer along as many random orthogonal directions: what
 *             any basis of the same space would give
 *   shuffled  the trained neurons, with the board of another game at the same ply: what the ply
 *             alone gives
 */
#ifndef OGPT_PROBES_NEURONS_NEURON_STUDY_H
#define OGPT_PROBES_NEURONS_NEURON_STUDY_H

#include "base/enums.h"
#include "probes/neurons/neuron_fit.h"
#include "probes/neurons/neuron_look.h"
#include "probes/neurons/neuron_use.h"

/* X(enumerator, name, meaning) */
#define NEURON_ARMS(X)                                                                             \
    X(NEURONS_TRAINED, "trained", "the neurons")                                                   \
    X(NEURONS_RANDOM, "random", "a network with random weights")                                   \
    X(NEURONS_ROTATED, "rotated", "random directions of the same layer")                           \
    X(NEURONS_SHUFFLED, "shuffled", "the neurons, with boards of other games at the same ply")

typedef enum NeuronArm { NEURON_ARMS(ENUM_ID) N_NEURON_ARMS } NeuronArm;
const char *neuron_arm_name(NeuronArm arm);
const char *neuron_arm_meaning(NeuronArm arm);

typedef struct NeuronStudyOptions {
    NeuronSample sample;
    NeuronLookOptions look; /* depth of the trees, legal moves */
    double threshold;       /* R2 above which a neuron counts as a rule */
    bool controls;          /* all arms, else the neurons alone */
    NeuronUseOptions use;
} NeuronStudyOptions;

/* One layer in one arm. */
typedef struct NeuronLayer {
    NeuronShares shares;
    double median[N_NEURON_MODELS];     /* R2 */
    size_t detecting[N_NEURON_DEMANDS]; /* neurons that detect a flank */
    size_t holding[N_NEURON_DEMANDS];   /* of these, on held-out games too */
} NeuronLayer;

/* All layers of one arm together: rules, and flanks that some neuron detects. */
typedef struct NeuronCover {
    Interval rules; /* share of all neurons with an R2 of the tree above the threshold */
    size_t detecting[N_NEURON_DEMANDS], holding[N_NEURON_DEMANDS];    /* neurons */
    size_t covered[N_NEURON_DEMANDS], covered_held[N_NEURON_DEMANDS]; /* flanks; by those that
                                                                       * hold */
} NeuronCover;

typedef struct NeuronRow {
    int layer, neuron;
    double r2[N_NEURON_MODELS];
    NeuronRule rule;
    NeuronDetection detections[N_NEURON_DEMANDS];
    NeuronShape shape;
    double write_norm;
    int top; /* the move that it raises most */
    double value_legal, value_legal_by_chance;
} NeuronRow;

/* One flank: which of the trained neurons detect it. */
typedef struct NeuronFlankRow {
    NeuronFlank flank;
    size_t seen, seen_test;             /* positions */
    size_t detecting[N_NEURON_DEMANDS]; /* neurons */
    int best;                           /* the one with the largest F1 at the last demand, or -1 */
    double f1, test_f1;                 /* of its union */
} NeuronFlankRow;

typedef struct NeuronStudy {
    NeuronStudyOptions options;
    const Vocab *vocab;
    NeuronSources sources;
    NeuronGames games;
    size_t L, M, n_arms;
    NeuronLayer *layers; /* (L, N_NEURON_ARMS); owned */
    NeuronCover covers[N_NEURON_ARMS];
    size_t n_flanks, n_playable;
    size_t n_frequent;      /* flanks seen at least NEURON_HITS times in the fit games */
    NeuronFlankRow *flanks; /* (n_flanks); owned */
    NeuronRow *rows;        /* (L * M); owned */
    NeuronUse use;          /* empty if it was not asked for */
} NeuronStudy;

/* Sources of games, of a corpus or (NULL) fresh ones, and the options with no more games than there
 * are. Returns as neuron_sources_open; neuron_study_release in both cases. */
int neuron_study_open(NeuronStudy *out, const Vocab *vocab, Corpus *corpus,
                      const NeuronStudyOptions *options, uint64_t seed);
/* Memory in bytes of all that is done with it, at most; known before a game is drawn. rules: of
 * neuron_study_run and neuron_study_use; looks: of neuron_study_look and neuron_study_use, or, with
 * rules, of looks at a layer behind them. */
size_t neuron_study_bytes(const NeuronStudy *study, const Gpt *gpt, bool rules, bool looks,
                          const Work *work);
/* Its games. Errors as neuron_games_draw. */
int neuron_study_draw(NeuronStudy *study, const Work *work);
/* Measure the rules. work: pool, seed, tick("layers": layers of all arms). Any number of workers
 * gives the same bits. Returns 0 or an error of the parts. */
int neuron_study_run(NeuronStudy *study, const Gpt *gpt, const Work *work);
/* Attribution and ablation. Returns as neuron_use_run. */
int neuron_study_use(NeuronStudy *study, const Gpt *gpt, const Work *work);
/* A look at the one neuron of options.use.neuron. Returns as neuron_looks_make. */
int neuron_study_look(NeuronLook *out, const NeuronStudy *study, const Gpt *gpt, const Probe *probe,
                      const Work *work);
void neuron_study_release(NeuronStudy *study);

#endif
