/* probes/steering/steer_heads.h - function vectors: what the heads that count most write where the
 * property holds.
 *
 * A head counts as much as this: its output at the last position is replaced by its mean over
 * positions of class TO, and m (probes/steering/steer_cases.h) rises by so much, on the mean over
 * the cases that care. (The average indirect effect of Todd et al. 2024.)
 */
#ifndef OGPT_PROBES_STEERING_STEER_HEADS_H
#define OGPT_PROBES_STEERING_STEER_HEADS_H

#include "num/statistics/stats.h"
#include "probes/steering/steer_run.h"

typedef struct SteerHead {
    int layer, head;
    Interval effect; /* rise of m, nats of logit, by game */
} SteerHead;

/* Every head of the network, the one that counts most first (ties: of lower layer and number).
 * to: means of z over TO (steer_bank_means at HOOK_Z). clean (n), answers (n, d_vocab): of the
 * unchanged network. work: journal (stage "heads"), tick("heads"). out (n_layers * n_heads). */
int steer_heads_rank(SteerHead *out, const Gpt *gpt, const SteerCases *cases, const SteerBank *to,
                     const SteerScore *clean, const float *answers, const Work *work);
/* Sum over the first n of `heads` of what they write on the mean, bias of the values left out
 * (probes/graph/outputs.h); the same vector at every layer of the bank, whose site is as wide as
 * the residual stream. from: taken away, or NULL. */
int steer_heads_bank(SteerBank *out, HookSite site, const Gpt *gpt, const SteerBank *to,
                     const SteerBank *from, const SteerHead *heads, size_t n);

#endif
