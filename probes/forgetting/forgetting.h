/* probes/forgetting/forgetting.h - what is measured of a network that learns other games.
 *
 * `before` is the network under study. It was trained on the old games; `there` learned the new
 * ones from it, `back` the old ones again from that, and `same`, the control, more of the old games
 * from `before`. Each is asked about the same test games of both kinds. Probes are linear, of the
 * task mine, of the stream behind the middle block:
 *
 *   own    fitted on this network and these games, read on this network
 *   old    fitted on `before` and the old games, read on this network
 *   back   fitted on this network and these games, read on `before` and the old games
 */
#ifndef OGPT_PROBES_FORGETTING_FORGETTING_H
#define OGPT_PROBES_FORGETTING_FORGETTING_H

#include "base/enums.h"
#include "base/work.h"
#include "probes/board/scores.h"

#define FORGET_NETWORKS(X)                                                                         \
    X(FORGET_BEFORE, "before", "the network under study")                                          \
    X(FORGET_THERE, "there", "after the new games")                                                \
    X(FORGET_BACK, "back", "and after as many of the old games again")                             \
    X(FORGET_SAME, "same", "control: as many more of the old games instead")
typedef enum ForgetNetwork { FORGET_NETWORKS(ENUM_ID) N_FORGET_NETWORKS } ForgetNetwork;
const char *forget_network_name(ForgetNetwork network); /* static */

typedef enum ForgetKind { FORGET_OLD, FORGET_NEW, N_FORGET_KINDS } ForgetKind;
const char *forget_kind_name(ForgetKind kind); /* "old", "new" */

/* By game: a sum and what it is divided by. */
typedef enum ForgetMeasure {
    FORGET_LOSS,
    FORGET_EXCESS, /* above the floor of random games */
    FORGET_STRICT,
    FORGET_PROBE_OWN,
    FORGET_PROBE_OLD,
    FORGET_PROBE_BACK,
    N_FORGET_MEASURES
} ForgetMeasure;
enum { N_FORGET_PLAYED = FORGET_PROBE_OWN }; /* measures that need no probe */

/* Games of one kind, borrowed: to fit probes on, and to score. */
typedef struct ForgetSources {
    GameSource *fit, *test;
} ForgetSources;

typedef struct ForgetStudy ForgetStudy;
/* Draw fit_games and test_games of each kind by work->seed, `plies` positions of each for probes
 * (0: all), and fit the probe of `before`, which is borrowed. tick("parts"). Returns 0,
 * OGPT_EFORMAT, OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM; owned: forget_study_free. */
int forget_study_new(ForgetStudy **out, const Gpt *before, const ForgetSources *sources,
                     size_t fit_games, size_t test_games, int plies, const Work *work);
void forget_study_free(ForgetStudy *study);
/* Numbers of a network: (N_FORGET_KINDS, N_FORGET_MEASURES, test games, 2). */
size_t forget_numbers(const ForgetStudy *study);
/* values (forget_numbers) of one network of the same shape. Without `probes` those measures are 0
 * of 0. tick("parts"). Errors as above. */
int forget_measure(double *values, const ForgetStudy *study, const Gpt *gpt, bool probes,
                   const Work *work);

#define FORGET_LINE 11 /* networks on the line between two, both ends among them */
/* loss (FORGET_LINE): of the old games, of the networks whose weights lie on the straight line from
 * `before` to gpt. tick("networks"). */
int forget_line(double *loss, const ForgetStudy *study, const Gpt *gpt, const Work *work);

#endif
