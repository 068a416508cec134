/* probes/heads/head_detectors.h - which keys a kind of head looks at: one table.
 *
 * A query at position t has seen moves 0..t; its keys are these moves. A detector names some of
 * them, by the rules of the game alone. The score of a head is the share of its attention that lies
 * on them, minus what chance gives (probes/heads/head_patterns.h).
 *
 * Duplicate-token and induction heads (Elhage et al. 2021, Olsson et al. 2022) look for a token
 * that came before. No square is played twice, so no such key exists here.
 */
#ifndef OGPT_PROBES_HEADS_HEAD_DETECTORS_H
#define OGPT_PROBES_HEADS_HEAD_DETECTORS_H

#include "base/enums.h"
#include "datasets/vocab.h"

/* X(enumerator, name, kind, meaning). The kind says which chance the score is measured against:
 *
 * - AGE: the keys are known from t alone, so a head that looks by age can do it: against attention
 *   that is uniform over the keys.
 *
 * - BOARD: the keys depend on the moves: against the attention of the same head at the same ply of
 *   other games (same ages, other squares). */
#define HEAD_DETECTORS(X)                                                                          \
    X(HEAD_SELF, "self", HEAD_AGE, "the last move itself")                                         \
    X(HEAD_PREVIOUS, "previous", HEAD_AGE, "the move before the last")                             \
    X(HEAD_FIRST, "first", HEAD_AGE, "the first move")                                             \
    X(HEAD_PARITY, "parity", HEAD_AGE, "every second move, as if the side to move had made them")  \
    X(HEAD_MINE, "mine", HEAD_BOARD, "moves that the side now to move made")                       \
    X(HEAD_THEIRS, "theirs", HEAD_BOARD, "moves that the other side made")                         \
    X(HEAD_RAY, "ray", HEAD_BOARD, "squares in one line with the last move")                       \
    X(HEAD_FLIPPED, "flipped", HEAD_BOARD, "squares that the last move turned over")               \
    X(HEAD_NEIGHBOUR, "neighbour", HEAD_BOARD, "squares beside the last move")                     \
    X(HEAD_SQUARE, "square", HEAD_BOARD, "one square of the board, chosen for each head")

typedef enum HeadDetector { HEAD_DETECTORS(ENUM_ID) N_HEAD_DETECTORS } HeadDetector;
#define N_HEAD_SETS HEAD_SQUARE /* detectors with one set of keys for all heads */
typedef enum HeadKind { HEAD_AGE, HEAD_BOARD } HeadKind;

const char *head_detector_name(HeadDetector detector);    /* static */
const char *head_detector_meaning(HeadDetector detector); /* static */
HeadKind head_detector_kind(HeadDetector detector);

/* The keys of one query: bit s is move s. */
typedef struct HeadKeys {
    uint64_t all; /* moves 0..t */
    uint64_t sets[N_HEAD_SETS];
    uint64_t disputed; /* keys whose owner by the engine is not the one by parity: there are some
                        * where a forced pass lies between the key and the move to come */
} HeadKeys;

/* Keys of position t of a replayed game; after[t] is not the end of the game. */
void head_keys(HeadKeys *out, const GameVariant *variant, const uint8_t *moves, const Board *after,
               int t);
/* The detectors that decide something at this query, as bits: some of the keys, but not all, are
 * in the set. None at position 0, which has one key. */
unsigned head_deciding(const HeadKeys *keys);

/* Keys of all positions whose next move is scored: keys (n_moves) is filled from 0 to the number
 * that is returned. after (n_moves) is scratch. A negative number is -1 - the index of the first
 * illegal move. */
int head_game_keys(HeadKeys *keys, Board *after, const GameVariant *variant, const uint8_t *moves);

#endif
