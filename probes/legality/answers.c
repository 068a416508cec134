/* probes/legality/answers.c - see probes/legality/answers.h. */
#include "probes/legality/answers.h"

#include <math.h>

/* ---- one token ---- */

int answer_bad_token(const float *logits, int d_vocab)
{
    for (int tok = 0; tok < d_vocab; tok++) {
        if (!isfinite(logits[tok])) {
            return tok;
        }
    }
    return -1;
}

int answer_top(const float *logits, int d_vocab)
{
    int best = 0;
    for (int tok = 1; tok < d_vocab; tok++) {
        if (logits[tok] > logits[best]) {
            best = tok;
        }
    }
    return best;
}

int answer_rank(const float *logits, int d_vocab, int tok)
{
    int rank = 1;
    for (int other = 0; other < d_vocab; other++) {
        bool ahead = other < tok ? logits[other] >= logits[tok] : logits[other] > logits[tok];
        rank += ahead;
    }
    return rank;
}

double answer_log_total(const float *logits, int d_vocab)
{
    double top = logits[answer_top(logits, d_vocab)];
    double sum = 0.0;
    for (int tok = 0; tok < d_vocab; tok++) {
        sum += exp(logits[tok] - top);
    }
    return top + log(sum);
}

double answer_kl(const float *from, double from_total, const float *to, double to_total,
                 int d_vocab)
{
    double sum = 0;
    for (int tok = 0; tok < d_vocab; tok++) {
        const double log_from = from[tok] - from_total;
        sum += exp(log_from) * (log_from - (to[tok] - to_total));
    }
    return sum;
}

void answer_probabilities(double *p, const float *logits, int d_vocab)
{
    double top = logits[answer_top(logits, d_vocab)], sum = 0.0;
    for (int tok = 0; tok < d_vocab; tok++) {
        p[tok] = exp(logits[tok] - top);
        sum += p[tok];
    }
    for (int tok = 0; tok < d_vocab; tok++) {
        p[tok] /= sum;
    }
}

/* ---- sets ---- */

uint64_t answer_tokens(const Vocab *vocab, uint64_t squares)
{
    uint64_t tokens = 0;
    for (uint64_t rest = squares; rest != 0; rest &= rest - 1) {
        tokens |= 1ULL << vocab->tok_of_sq[__builtin_ctzll(rest)];
    }
    return tokens & ~(1ULL << TOK_PAD);
}

uint64_t answer_squares(const Vocab *vocab, uint64_t tokens)
{
    uint64_t squares = 0;
    for (uint64_t rest = tokens & ~(1ULL << TOK_PAD); rest != 0; rest &= rest - 1) {
        squares |= 1ULL << vocab->sq_of_tok[__builtin_ctzll(rest)];
    }
    return squares;
}

uint64_t answer_top_set(const float *logits, int d_vocab, int n)
{
    uint64_t chosen = 0;
    for (int i = 0; i < n && i < d_vocab; i++) {
        int best = -1;
        for (int tok = 0; tok < d_vocab; tok++) {
            if ((chosen >> tok & 1) == 0 && (best < 0 || logits[tok] > logits[best])) {
                best = tok;
            }
        }
        chosen |= 1ULL << best;
    }
    return chosen;
}

uint64_t answer_predicted(const float *logits, int d_vocab, int n_legal, AnswerRule rule)
{
    if (rule == RULE_TOPN) {
        return answer_top_set(logits, d_vocab, n_legal);
    }
    double total = answer_log_total(logits, d_vocab), least = -log(2.0 * n_legal);
    uint64_t set = 0;
    for (int tok = 0; tok < d_vocab; tok++) {
        set |= logits[tok] - total > least ? 1ULL << tok : 0;
    }
    return set;
}

double answer_uniform_kl(const float *logits, int d_vocab, uint64_t tokens)
{
    double total = answer_log_total(logits, d_vocab), n = __builtin_popcountll(tokens);
    double kl = -log(n);
    for (uint64_t rest = tokens; rest != 0; rest &= rest - 1) {
        kl -= (logits[__builtin_ctzll(rest)] - total) / n;
    }
    return kl;
}

SetScore answer_score(const float *logits, int d_vocab, uint64_t legal, AnswerRule rule)
{
    int n_legal = __builtin_popcountll(legal);
    uint64_t set = answer_predicted(logits, d_vocab, n_legal, rule);
    double error = __builtin_popcountll(set ^ legal);
    return (SetScore){.error = error,
                      .false_positives = __builtin_popcountll(set & ~legal),
                      .false_negatives = __builtin_popcountll(legal & ~set),
                      .f1 = 1.0 - error / (__builtin_popcountll(set) + n_legal),
                      .kl = answer_uniform_kl(logits, d_vocab, legal)};
}
