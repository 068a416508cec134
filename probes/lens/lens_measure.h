/* probes/lens/lens_measure.h - what lenses answer at every place, judged.
 *
 * At each chosen position, against the network's own answer p and the legal moves L (N of them):
 *   kl        KL(p || lens), nats
 *   excess    -ln lens(played move) - ln N: loss over the floor, as ogpt eval has it
 *   kl_legal  KL(uniform over L || lens), nats: the same without the luck of the played move
 *   strict    1 if the first choice is not in L; the pad counts as a token
 *   f1        F1 of the top-N tokens against L
 * and whether the top-N tokens are L exactly ("exact").
 */
#ifndef OGPT_PROBES_LENS_LENS_MEASURE_H
#define OGPT_PROBES_LENS_LENS_MEASURE_H

#include "base/enums.h"
#include "probes/ablation/ablation_draws.h"
#include "probes/lens/lens.h"

typedef enum LensScore {
    LENS_KL,
    LENS_EXCESS,
    LENS_KL_LEGAL,
    LENS_STRICT,
    LENS_F1,
    N_LENS_SCORES
} LensScore;

/* Readers of one study, in this order. */
#define LENS_READERS(X)                                                                            \
    X(LENS_LOGIT, "logit", "the logit lens")                                                       \
    X(LENS_RIDGE_MAP, "ridge", "behind the closed-form map to the last rows")                      \
    X(LENS_TUNED, "tuned", "behind that map, refined on KL")                                       \
    X(LENS_OTHER, "other", "control: the tuned lens of another network")                           \
    X(LENS_RANDOM, "random", "control: the logit lens of random weights")                          \
    X(LENS_RANDOM_TUNED, "random_tuned",                                                           \
      "control: rows of random weights, tuned to this network's answers")
typedef enum LensReader { LENS_READERS(ENUM_ID) N_LENS_READERS } LensReader;
const char *lens_reader_name(LensReader reader);

/* Scores of some readers at some places; zeros where nothing was measured. */
typedef struct LensMeasured {
    int n_places;
    size_t n_games, n_positions, n_readers;
    double *sums;      /* (readers, places, N_LENS_SCORES, n_games) */
    double *count;     /* (n_games) positions */
    uint8_t *exact;    /* (readers, places, n_positions) */
    float *finals;     /* (n_positions, d_vocab): logits of the network itself */
    double last_error; /* max |lens(last place) - logits| of a logit lens by its own head */
} LensMeasured;

/* Zeros. Owned: lens_measured_release. Returns 0 or OGPT_ENOMEM. */
int lens_measured_make(LensMeasured *out, const PositionSet *set, const GptConfig *cfg,
                       size_t n_readers);
void lens_measured_release(LensMeasured *measured);

/* One call of lens_measure. Readers first .. first+n-1 of the result are filled. */
typedef struct LensReading {
    const Gpt *gpt;  /* whose rows are read */
    const Gpt *head; /* whose LN_f, W_U and b_U answer; the same shape */
    const PositionSet *set;
    const LensBank *banks[N_LENS_READERS]; /* of reader first + i; NULL: the logit lens */
    size_t first, n;
    int first_place; /* places before it are left out */
    /* KL is taken from the answers that `finals` of the result holds; false: they are filled by
     * this call first. */
    bool keep_finals;
} LensReading;

/* Any number of workers gives the same bits. work: the pool, tick("games"). Returns as passes_run,
 * and OGPT_ENUM for an answer that is not finite (place and game named). */
int lens_measure(LensMeasured *out, const LensReading *reading, const Work *work);
/* Mean over positions, 95 % interval over games. */
Interval lens_measured_score(const LensMeasured *measured, const AblationDraws *draws,
                             size_t reader, int place, LensScore score);
/* Score a minus score b of two readers at a place, paired. */
Interval lens_measured_change(const LensMeasured *measured, const AblationDraws *draws,
                              const size_t readers[2], int place, LensScore score);
/* Sums over the games of a reader's score at a place. */
double *lens_measured_at(const LensMeasured *measured, size_t reader, int place, LensScore score);

#endif
