/* probes/legality/answers.h - one answer of a network, judged by the rules of the game.
 *
 * An answer is the logits (d_vocab) of one next move. The functions see nothing else of
 * the network. They are thread-safe and cannot fail. Logits must be finite (answer_bad_token).
 * Sets are masks: bit tok in a set of tokens, bit 8*row+column in a set of squares. If two
 * logits are equal, the one with the lower token id is ahead.
 */
#ifndef OGPT_PROBES_LEGALITY_ANSWERS_H
#define OGPT_PROBES_LEGALITY_ANSWERS_H

#include "datasets/vocab.h"

/* How a predicted set is chosen for N legal moves: topn takes the N tokens of highest logit,
 * threshold the tokens with p > 1/(2N). */
typedef enum AnswerRule { RULE_TOPN, RULE_THRESHOLD } AnswerRule;

/* A predicted set compared with the legal tokens of a board. error = false positives + false
 * negatives. kl: nats from uniform over the legal tokens to the answer; it does not depend on the
 * rule. */
typedef struct SetScore {
    double error, false_positives, false_negatives, f1, kl;
} SetScore;

/* ---- one token ---- */

/* The first token with a logit that is not finite, or -1. */
int answer_bad_token(const float *logits, int d_vocab);
/* The token of highest logit; the pad counts like every other. */
int answer_top(const float *logits, int d_vocab);
/* 1 + the number of tokens ahead of `tok`. */
int answer_rank(const float *logits, int d_vocab, int tok);
/* ln sum exp of the logits, without overflow: ln p(tok) = logits[tok] - total. */
double answer_log_total(const float *logits, int d_vocab);
/* Nats from the softmax of `from` to that of `to`: exactly 0 if they are the same numbers. Each
 * with its answer_log_total. */
double answer_kl(const float *from, double from_total, const float *to, double to_total,
                 int d_vocab);
/* p (d_vocab) = softmax of the logits. */
void answer_probabilities(double *p, const float *logits, int d_vocab);

/* ---- sets ---- */

/* Tokens of a set of squares; the centre squares have none. */
uint64_t answer_tokens(const Vocab *vocab, uint64_t squares);
/* Squares of a set of tokens; the pad has none. */
uint64_t answer_squares(const Vocab *vocab, uint64_t tokens);
/* The n tokens of highest logit; all of them if n >= d_vocab. */
uint64_t answer_top_set(const float *logits, int d_vocab, int n);
/* The set that a rule predicts for a board of n_legal legal moves. */
uint64_t answer_predicted(const float *logits, int d_vocab, int n_legal, AnswerRule rule);
/* KL in nats from uniform over a set of tokens (not empty) to the softmax of the logits. */
double answer_uniform_kl(const float *logits, int d_vocab, uint64_t tokens);
/* The predicted set compared with `legal`, a set of tokens (not empty). */
SetScore answer_score(const float *logits, int d_vocab, uint64_t legal, AnswerRule rule);

#endif
