/* probes/heads/head_circuits.h - what a head does with a move if it looks at it (OV), and which
 * moves and places attract it (QK): from the weights alone.
 *
 * Elhage et al. 2021. x(i) is the embedding of move i behind the first part of a LayerNorm (minus
 * its mean, over sqrt(variance + eps)), p(t) that of position t. W_V, W_Q, W_K are those of
 * head_weights.h: with the weight of their LayerNorm, W_O centred.
 *   ov_logits  x(i) W_V W_O diag(w) W_U, w the weight of the last LayerNorm, over the playable
 *              moves, each row minus its mean: what it adds to the logit of j if it looks at i. The
 *              scale of the last LayerNorm is left out
 *   ov_empty   x(i) W_V W_O . (empty - the mean of the other classes of square j), the probe of the
 *              stream behind the head's block
 *   ov_mine    the same with (mine - theirs)
 *   qk_moves   (x(i) W_Q + b) . (x(j) W_K) / sqrt(d_head), b the constant of the query: score of
 *              key j for query i; the constant of the keys moves no attention
 *   qk_places  the same of p(t) and p(s), s <= t
 *   qk_probe   the same of (mine - theirs) of two squares, the probe of the stream in front of the
 *              block, without b
 * The weakness of all of them: behind layer 0 the stream is not the embedding.
 *
 * Copying score of a matrix M: sum of the real parts of its eigenvalues over the sum of their
 * absolute values, from -1 to 1: 1 copies, -1 takes away. A move is never legal again, so a head
 * that tells which squares were played takes away.
 */
#ifndef OGPT_PROBES_HEADS_HEAD_CIRCUITS_H
#define OGPT_PROBES_HEADS_HEAD_CIRCUITS_H

#include "base/enums.h"
#include "base/work.h"
#include "probes/board/probe.h"

#define HEAD_CIRCUITS(X)                                                                           \
    X(HEAD_OV_LOGITS, "ov_logits")                                                                 \
    X(HEAD_OV_EMPTY, "ov_empty")                                                                   \
    X(HEAD_OV_MINE, "ov_mine")                                                                     \
    X(HEAD_QK_MOVES, "qk_moves")                                                                   \
    X(HEAD_QK_PLACES, "qk_places")                                                                 \
    X(HEAD_QK_PROBE, "qk_probe")
typedef enum HeadCircuitKind { HEAD_CIRCUITS(ENUM_ID) N_HEAD_CIRCUITS } HeadCircuitKind;
const char *head_circuit_name(HeadCircuitKind kind); /* static */

typedef struct HeadCircuit {
    double copying;                     /* of ov_logits */
    double copying_empty, copying_mine; /* of ov_empty and ov_mine on the playable squares */
    /* Mean cosine of what move i writes with (empty - others) of its own square, and of another
     * square; the same with (mine - theirs). NaN without a probe of that layer. */
    double own_empty, other_empty, own_mine, other_mine;
    double moves_spread, places_spread; /* nats: deviation over the keys, root of the mean square
                                         * over the queries */
    double
        parity;  /* nats: qk_places of keys of odd age minus those of even age, mean over t >= 2 */
    double line; /* nats: qk_moves of keys in one line with the query minus the others, mean */
} HeadCircuit;

/* circuits (n_layers * n_heads). probe: linear, with classes empty, theirs, mine at resid_post, or
 * NULL. work: pool. Returns 0, OGPT_ENUM (eigenvalues), OGPT_ENOMEM. */
int head_circuits_run(HeadCircuit *circuits, const Gpt *gpt, const Vocab *vocab, const Probe *probe,
                      const Work *work);

/* One whole matrix: out (n, n), n = head_circuit_size: the playable moves in the order of their
 * tokens, or positions. NaN for keys behind the query, and throughout where the probe is missing.
 * Returns 0 or OGPT_ENOMEM. */
size_t head_circuit_size(const Vocab *vocab, HeadCircuitKind kind);
int head_circuit_matrix(double *out, const Gpt *gpt, const Vocab *vocab, const Probe *probe,
                        size_t head, HeadCircuitKind kind);

/* sum Re / sum | | of the eigenvalues of left (n, r) right (r, n), by those of right left (r, r).
 * NaN if all are 0. Returns 0, OGPT_ENUM or OGPT_ENOMEM. */
int head_copying(double *out, const double *left, const double *right, size_t n, size_t r);

#endif
