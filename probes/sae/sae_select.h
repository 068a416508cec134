/* probes/sae/sae_select.h - which numbers are the largest, without sorting. Private to this room.
 *
 * Positive floats are in the order of their bits, so a count of leading bits finds the k-th largest
 * in three rounds. Counts are whole numbers: they may be added in any order.
 */
#ifndef OGPT_PROBES_SAE_SAE_SELECT_H
#define OGPT_PROBES_SAE_SAE_SELECT_H

#include <stddef.h>
#include <stdint.h>

#define SELECT_ROUNDS 3
#define SELECT_BINS 2048

/* A search for the k-th largest of the positive numbers among many: all numbers are shown once a
 * round, in any pieces; then sae__select_round. */
typedef struct Selection {
    uint64_t k;      /* still to be found among the numbers that begin with `prefix` */
    uint32_t prefix; /* leading bits of the answer, as far as known */
    int round;       /* 0 .. SELECT_ROUNDS */
} Selection;

/* Count the positive numbers of x that begin with the prefix by their next bits, into bins. */
void sae__select_count(uint32_t bins[SELECT_BINS], const Selection *selection, const float *x,
                       size_t n);
/* One round done. Returns false if fewer than k numbers are positive: then there is no answer. */
int sae__select_round(Selection *selection, const uint64_t bins[SELECT_BINS]);
/* The answer after the last round. */
float sae__select_value(const Selection *selection);

/* The numbers of x (n) above `floor`, in their order, into out (n); returns how many. */
size_t sae__select_above(float *out, const float *x, size_t n, float floor);
/* The k-th largest of the positive numbers of x (n); 0 if fewer than k are positive. */
float sae__kth_largest(const float *x, size_t n, size_t k);
#endif
