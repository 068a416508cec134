/* probes/legality/layout_check.h - do two representations of a network agree on games? */
#ifndef OGPT_PROBES_LEGALITY_LAYOUT_CHECK_H
#define OGPT_PROBES_LEGALITY_LAYOUT_CHECK_H

#include "base/work.h"
#include "model/layouts/layouts.h"

/* Our logits are sums of floats, those of the plain network sums of doubles. On the golden model,
 * with logits up to 6.5, they differ by 5e-6 (tests/model/test_golden.c). A wrong GELU, the mildest
 * mistake known, makes 1.7e-3. Allowed are 1e-5 of the largest logit, and at least 1e-4. */
#define LAYOUT_TOLERANCE 1e-5
#define LAYOUT_TOLERANCE_LEAST 1e-4

typedef struct LayoutDifference {
    size_t positions;
    double largest;   /* difference between two logits */
    double tolerance; /* what `largest` may be at most */
} LayoutDifference;

/* Forward `n_positions` positions of random legal games through both networks. Token tok of gpt
 * is token order[tok] of net (NULL: the same). work: the pool, the seed of the games,
 * tick("games"). Returns 0, OGPT_EFORMAT (d_vocab and n_ctx fit no board), OGPT_ENUM (not
 * finite), OGPT_EINTR, OGPT_ENOMEM. */
int layout_difference(LayoutDifference *out, const Gpt *gpt, const PlainNet *net,
                      const uint8_t *order, size_t n_positions, const Work *work);

#endif
