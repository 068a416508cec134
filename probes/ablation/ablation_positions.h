/* probes/ablation/ablation_positions.h - at which positions units are ablated, and by which number
 * the answer is judged.
 *
 * The metric m of a position is a weighted sum of the logits of the next move, so it is linear in
 * them. From a pair (probes/cases/pairs.h): Delta (probes/graph/pair_metric.h) after the clean
 * history. From a game: mean logit of the legal moves minus mean logit of the other empty squares.
 * Beside it the rules count wrong moves: how many of the N tokens of highest logit are not among
 * the N legal moves, and whether the first is not (strict error).
 */
#ifndef OGPT_PROBES_ABLATION_ABLATION_POSITIONS_H
#define OGPT_PROBES_ABLATION_ABLATION_POSITIONS_H

#include "base/work.h"
#include "datasets/batch.h"
#include "datasets/vocab.h"
#include "num/real.h"
#include "probes/cases/pairs.h"

typedef struct AblationPosition {
    int n_moves;                   /* of the history: at least 1, at most n_ctx */
    uint8_t moves[GAME_MAX_MOVES]; /* SQ_NONE after the last */
    size_t game;                   /* the unit of intervals: 0 .. n_games-1 */
    Board board;                   /* after the moves */
    uint64_t legal;                /* squares */
    uint8_t square;                /* its own: the one turned in a pair, else a legal move drawn */
    uint32_t donor[2];             /* games that lend values: resample, matched */
} AblationPosition;

typedef struct AblationPositions {
    const Vocab *vocab;
    AblationPosition *at; /* (n), owned; longest history first */
    real *weights;        /* (n, d_vocab) m = weights . logits; owned */
    size_t n, n_games;
    const char *metric; /* what it compares, in words (static) */
    size_t no_metric;   /* left out: no legal move, or no other empty square */
    size_t no_donor;    /* left out: no game of the pool can lend (ablation_donors_assign) */
} AblationPositions;

/* The clean histories of a set of pairs. Returns 0, OGPT_EFORMAT (a history longer than the
 * network's context, no position left), OGPT_ENOMEM. */
int ablation_positions_of_pairs(AblationPositions *out, const PairSet *pairs, const Work *work);
/* `plies` positions of each of the first n_games games of a source (0: all of each), drawn by the
 * seed of the work. Returns as positions_draw. */
int ablation_positions_draw(AblationPositions *out, GameSource *source, size_t n_games, int plies,
                            const Work *work);
/* n of them (all if there are no more), evenly spaced over the lengths; games are numbered anew.
 * Owned: ablation_positions_release. */
int ablation_positions_part(AblationPositions *out, const AblationPositions *from, size_t n);
void ablation_positions_release(AblationPositions *positions);

#endif
