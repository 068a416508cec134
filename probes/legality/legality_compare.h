/* probes/legality/legality_compare.h - which of two networks plays more legally, on the same games?
 *
 * Hard games are hard for both networks, so their difference is much better known than either
 * number: it is tested game by game (num/statistics/stats.h), and corrected for the number of
 * measures (Holm 1979).
 */
#ifndef OGPT_PROBES_LEGALITY_LEGALITY_COMPARE_H
#define OGPT_PROBES_LEGALITY_LEGALITY_COMPARE_H

#include "probes/legality/legality.h"

#define LEGALITY_MEASURES 5
#define LEGALITY_DIFFERS_BELOW 0.05 /* a corrected p-value below this is called a difference */

/* One measure, in the order strict_error, lenient_error, loss, set_f1, legal_mass. The floor is
 * that of the games, so the difference of the losses is that of the excesses too. */
typedef struct LegalityDifference {
    const char *measure;   /* a member of LegalitySums, as its column is called; static */
    bool higher_is_better; /* else lower */
    double a, b;           /* means over the positions */
    PairedTest test;       /* a - b; all measures corrected together */
} LegalityDifference;

/* How a difference speaks: for the first network, for the second, or for none. */
typedef enum LegalitySide { LEGALITY_NONE, LEGALITY_A, LEGALITY_B } LegalitySide;

/* a, b: scores of the same games, in the same order. work: the pool, the seed of the bootstrap.
 * Returns 0, OGPT_EFORMAT (other games), OGPT_ENOMEM. */
int legality_compare(LegalityDifference out[LEGALITY_MEASURES], const LegalityScore *a,
                     const LegalityScore *b, const Work *work);
/* LEGALITY_NONE unless the corrected p-value is below LEGALITY_DIFFERS_BELOW. */
LegalitySide legality_side(const LegalityDifference *difference);

#endif
