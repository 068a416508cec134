/* probes/steering/steer_bank.h - the directions that positions are steered along: one vector for
 * each group of squares and each layer.
 *
 * Where they come from (x: rows of the site at positions whose label is known):
 *   means      mean of x over TO minus mean of x over FROM
 *   probe      the direction of a linear probe, unit(w_TO - w_FROM), as long as the difference of
 *              the means is along it. Several classes on one side: the mean of their weights;
 *              several squares: the mean of their directions, each of length 1 first
 *   function   the function vector: sum over the heads that count most of their mean output over TO
 *              (Todd et al. 2024, arXiv:2310.15213), the same in every layer
 *   contrast   the same minus their mean output over FROM
 *   random     a random direction of the group, the same in every layer, as long as means
 *   sae        features of an autoencoder that say TO minus those that say FROM, each column times
 *              its mean where it is on; whoever has the autoencoder makes the bank
 *              (probes/features/features_handles.h)
 * So 1 times a vector is what the data say; other multiples are asked for by a scale.
 *
 * Controls, each as long as the vector whose place they take:
 *   permuted   the same coordinates in another order and with other signs, one signed permutation
 *              for all layers and groups: all norms, and all angles between layers and between
 *              groups, stay (control of a repository of joint-embedding networks on Othello)
 *   random     as above
 *   shuffled   the difference of means by the labels of other games at the same ply: what the ply
 *              alone tells is left in it
 */
#ifndef OGPT_PROBES_STEERING_STEER_BANK_H
#define OGPT_PROBES_STEERING_STEER_BANK_H

#include "base/enums.h"
#include "base/work.h"
#include "model/gpt.h"
#include "probes/activations/positions.h"
#include "probes/board/probe.h"
#include "probes/steering/steer_target.h"

#define STEER_ORIGINS(X)                                                                           \
    X(STEER_MEANS, "means")                                                                        \
    X(STEER_PROBE, "probe")                                                                        \
    X(STEER_FUNCTION, "function")                                                                  \
    X(STEER_CONTRAST, "contrast")                                                                  \
    X(STEER_RANDOM, "random")                                                                      \
    X(STEER_SAE, "sae")
typedef enum SteerOrigin { STEER_ORIGINS(ENUM_ID) N_STEER_ORIGINS } SteerOrigin;
#define STEER_ORIGIN_BAR(id, name) "|" name
#define STEER_ORIGIN_NAMES (&(STEER_ORIGINS(STEER_ORIGIN_BAR))[1])
const char *steer_origin_name(SteerOrigin origin); /* static */

/* Whether rows of the site are rows of the residual stream, or are added to them. Others may be as
 * wide (a query), but what is written is not written in their coordinates. */
bool steer_in_stream(HookSite site);

/* Vectors (n_layers, n_groups, width) of one site; zeros where there is none. */
typedef struct SteerBank {
    HookSite site;
    size_t n_layers, n_groups, width;
    float *vectors; /* owned */
} SteerBank;
int steer_bank_new(SteerBank *out, HookSite site, const GptConfig *cfg, size_t n_groups);
int steer_bank_copy(SteerBank *out, const SteerBank *of);
void steer_bank_release(SteerBank *bank);
float *steer_bank_at(const SteerBank *bank, int layer, size_t group);
/* out (width): the vector, of length 1; zeros if there is none. */
void steer_bank_unit(float *out, const SteerBank *bank, int layer, size_t group);
double steer_bank_norm(const SteerBank *bank, int layer, size_t group);

/* Labelled positions to take means over. */
typedef struct SteerFit {
    PositionSet set;
    SteerTarget target;
    size_t n_groups;
    uint8_t *labels;   /* (n_positions, n_groups) SteerClass; owned */
    uint32_t *shuffle; /* (n_positions): the position of another game at the same ply whose labels
                        * are lent; itself where it is the only one. A permutation; owned */
    size_t least;      /* positions of the rarer class, in the rarest group that is steered */
} SteerFit;
/* `plies` positions of each of the first n_games games (0: all). Returns as positions_draw, or
 * OGPT_EFORMAT (a group that is steered lacks a class). */
int steer_fit_draw(SteerFit *out, GameSource *source, SteerTarget target, size_t n_games, int plies,
                   const Work *work);
void steer_fit_release(SteerFit *fit);

/* Means (n_layers, n_groups, width) over the positions of a class, of a site at all layers. Each of
 * the two banks may be NULL. The same bits for any number of workers. Returns as activations_visit.
 */
int steer_bank_means(SteerBank *from, SteerBank *to, const Gpt *gpt, const SteerFit *fit,
                     HookSite site, const Work *work);
/* Their differences, TO minus FROM, and the same by lent labels: the games go through the network
 * once for both. */
int steer_bank_differences(SteerBank *own, SteerBank *lent, const Gpt *gpt, const SteerFit *fit,
                           HookSite site, const Work *work);
/* out = to - from. */
int steer_bank_difference(SteerBank *out, const SteerBank *to, const SteerBank *from);
/* Refuse a probe with a hidden layer, of another task than "mine", of other labels than the
 * mover's, of another site, without a block's layer, or an unfinished one: OGPT_EUSAGE. */
int steer_bank_check_probe(const Probe *probe, const char *path, HookSite site);
/* As said above, scaled by the difference of means, for a probe that passes the check. Layers that
 * the probe lacks stay zero. Returns 0 or OGPT_ENOMEM. */
int steer_bank_probe(SteerBank *out, const Probe *probe, const SteerBank *means, SteerTarget target,
                     const GameVariant *variant);
int steer_bank_random(SteerBank *out, const SteerBank *as_long, uint64_t seed);
int steer_bank_permuted(SteerBank *out, const SteerBank *of, uint64_t seed);
/* Scale every vector to the length of that in `as_long`; one without a length stays zero. */
void steer_bank_scale(SteerBank *bank, const SteerBank *as_long);

#endif
