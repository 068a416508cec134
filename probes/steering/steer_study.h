/* probes/steering/steer_study.h - all that is asked when a network is steered to a property: at
 * which layer and how far, whether the rules accept it, what it damages, and the same of its
 * controls.
 *
 * Three sets of games: vectors are fitted on the first; layer, scale and heads are chosen on the
 * second, by the wrong moves on the edited board; everything reported is of the third.
 */
#ifndef OGPT_PROBES_STEERING_STEER_STUDY_H
#define OGPT_PROBES_STEERING_STEER_STUDY_H

#include "base/enums.h"
#include "probes/steering/steer_heads.h"
#include "probes/steering/steer_sums.h"

/* X(enumerator, name, what is added, or taken out) */
#define STEER_ARMS(X)                                                                              \
    X(STEER_ARM_NULL, "null", "nothing is changed")                                                \
    X(STEER_ARM_STEER, "steer", "the vector")                                                      \
    X(STEER_ARM_RANDOM, "random", "a random direction of equal length")                            \
    X(STEER_ARM_PERMUTED, "permuted", "the signed permutation of the vector")                      \
    X(STEER_ARM_WRONG, "wrong_square", "the vector of another square")                             \
    X(STEER_ARM_SHUFFLED, "shuffled", "means by the labels of other games, equal length")          \
    X(STEER_ARM_PROBE, "probe", "the probe's direction of equal length")
typedef enum SteerArm { STEER_ARMS(ENUM_ID) N_STEER_ARMS } SteerArm;
const char *steer_arm_name(SteerArm arm);    /* static */
const char *steer_arm_meaning(SteerArm arm); /* static */

enum { STEER_ALPHAS_MAX = 16 };
typedef struct SteerOptions {
    SteerTarget target;
    SteerOrigin origin;
    HookSite site;
    uint64_t layers; /* 0: every one alone is tried, and the best is taken */
    double alphas[STEER_ALPHAS_MAX];
    size_t n_alphas;
    bool all;           /* positions of the history: all, or the last */
    size_t n_heads;     /* of a function vector */
    const Probe *probe; /* borrowed; of STEER_PROBE, and of the arm probe of STEER_SAE (or NULL) */
    const SteerBank *features; /* borrowed; of STEER_SAE: its vectors */
} SteerOptions;

/* "0.5,1,2" into alphas: numbers from 0 to 1000. Returns 0 or OGPT_EUSAGE, naming --alpha. */
int steer_alphas_parse(SteerOptions *out, const char *text);

typedef struct SteerInputs {
    const Gpt *gpt;
    const SteerFit *fit;
    const SteerCases *tuning, *test;
    SteerOptions options;
} SteerInputs;

/* One setting on the tuning cases. */
typedef struct SteerTrial {
    uint64_t layers;
    double alpha;
    Interval edited, kl; /* wrong moves where it must work; nats where it must not matter */
} SteerTrial;

typedef struct SteerArmResult {
    Interval edited, closed, gain; /* gain: wrong moves of null minus those of this arm, paired */
    Interval behind;               /* wrong moves of this arm minus those of steer, paired */
    Interval before, strict_edited;
    Interval metric;                             /* rise of m over null, paired */
    Interval kl_caring, kl_others, wrong_others; /* wrong moves where it must not matter */
} SteerArmResult;

/* A direction taken out of all writes: judged by the board as it is. */
typedef struct SteerAblation {
    Interval caring, others;               /* wrong moves */
    Interval more_caring, more_others;     /* minus those of null, paired */
    Interval strict_caring, strict_others; /* share */
    Interval kl_caring, kl_others;
} SteerAblation;

typedef struct SteerStudy {
    SteerTrial *trials; /* (n_trials); owned */
    size_t n_trials;
    SteerHead *heads; /* (n_layers * n_heads), or NULL; owned */
    size_t n_ranked;
    SteerTrial best;
    double norm; /* mean length of the vectors of the best layers, over the groups */
    SteerArmResult arms[N_STEER_ARMS];
    bool ablated; /* false: the site is no place of the residual stream */
    int ablation_layer;
    SteerAblation ablations[N_STEER_ARMS];
    double identity_error; /* largest difference of a logit between ablation in the pass and in the
                            * weights, on n_identity test cases of all lengths and along some of
                            * their directions, as a share of the largest logit; NaN: not ablated */
    size_t n_identity;
    Interval self;  /* wrong moves of null by its own board, in the cases that care */
    SteerBank bank; /* the vectors; owned */
} SteerStudy;

/* Whether there is a result of the arm: the arm probe belongs to STEER_SAE, and needs a probe. */
bool steer_arm_is_asked(SteerArm arm, const SteerOptions *options);
/* Games, the probe and the vectors of features if there are any, into the key of a journal. */
void steer_study_hash(Sha256 *hash, const SteerInputs *in);
/* Bytes that it takes, roughly, with the rows of one layer to fit on. */
size_t steer_study_bytes(const SteerInputs *in, const Work *work);
/* The same result for any number of workers. work: seed, journal, tick("runs"), memory_bytes for
 * the rows to fit on (at least one layer). Returns 0,
 * OGPT_EUSAGE (a layer without directions, or no layer with any), OGPT_ENUM, OGPT_EINTR,
 * OGPT_ENOMEM. */
int steer_study_run(SteerStudy *out, const SteerInputs *in, const Work *work);
void steer_study_release(SteerStudy *study);

#endif
