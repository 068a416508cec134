/* probes/steering/steer_run.h - positions go through a network that is steered, and the rules judge
 * its answers.
 *
 * add      x <- x + alpha v at a site, in chosen layers, at the last position of the history or at
 *          all of them; v is that of the case's group and the layer
 *
 * ablate   x <- x - (x . r) r at everything that writes into the residual stream: the embeddings,
 *          attn_out and mlp_out of every layer, at all positions. r is the unit vector of the
 *          case's group, of one layer of the bank
 *
 * head     the output of one head at the last position becomes what a bank says (its slice of z)
 *
 * Weight orthogonalisation, W <- W - W r r^T for W_E, W_pos, W_O, b_O, W_out and b_out, does to a
 * network what `ablate` does to a pass: whatever is written has no part along r. (Arditi et al.
 * 2024, arXiv:2406.11717.) No other weight writes, with LayerNorm weights folded or not.
 */
#ifndef OGPT_PROBES_STEERING_STEER_RUN_H
#define OGPT_PROBES_STEERING_STEER_RUN_H

#include "probes/steering/steer_bank.h"
#include "probes/steering/steer_cases.h"

typedef enum SteerKind { STEER_PLAIN, STEER_ADD, STEER_ABLATE, STEER_HEAD } SteerKind;

typedef struct SteerChange {
    SteerKind kind;
    const SteerBank *bank; /* NULL if plain */
    bool wrong;            /* of the case's wrong group, as long as that of its own */
    int group;             /* of this group in every case; -1: of its own */
    uint64_t layers;       /* STEER_ADD: bit l */
    double alpha;          /* STEER_ADD */
    bool all;              /* STEER_ADD: all positions of the history */
    int layer;             /* STEER_ABLATE: the one r is of; STEER_HEAD */
    int head;              /* STEER_HEAD */
} SteerChange;
#define STEER_NO_CHANGE ((SteerChange){.kind = STEER_PLAIN, .group = -1})

/* One answer. Wrong moves: of the N tokens of highest logit against the N legal moves, both kinds
 * of error, as `ogpt intervene` counts them. */
typedef struct SteerScore {
    double edited, before;               /* wrong moves by the edited board, by the board */
    double strict_edited, strict_before; /* 1: the token of highest logit is not legal there */
    double metric;                       /* m (probes/steering/steer_cases.h) */
    double kl; /* nats from the answer of the unchanged network to this one; 0 for that one */
} SteerScore;
#define STEER_SCORE_NUMBERS (sizeof(SteerScore) / sizeof(double))

/* scores (n) of every case, and unless NULL logits (n, d_vocab). clean (n, d_vocab): the answers
 * that kl is measured from; NULL: kl is 0. The same bits for any number of workers. work: the pool;
 * tick("games"). Returns as passes_run, or OGPT_ENUM (logits that are not finite). */
int steer_run(SteerScore *scores, float *logits, const Gpt *gpt, const SteerCases *cases,
              const SteerChange *change, const float *clean, const Work *work);

/* x (n) <- x - (x . r) r, r of length 1. */
void steer_project(float *x, const float *r, size_t n);
/* Copy a network and orthogonalise the copy against r (d_model), of length 1. Owned: gpt_free.
 * Returns 0 or OGPT_ENOMEM. */
int steer_orthogonalise(Gpt **out, const Gpt *gpt, const float *r);

#endif
