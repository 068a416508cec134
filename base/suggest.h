/* base/suggest.h - "did you mean": the word that somebody meant, among those that there are. */
#ifndef OGPT_BASE_SUGGEST_H
#define OGPT_BASE_SUGGEST_H

#include <stddef.h>

/* The candidate nearest to `word` by edit distance, or NULL when none is near enough for a
 * "did you mean". */
typedef struct Suggestion {
    const char *word;
    const char *best;
    size_t distance;
} Suggestion;
void suggestion_offer(Suggestion *suggestion, const char *candidate);
/* Number of insertions, deletions, replacements and swaps of neighbours. Words longer than 63
 * bytes count as infinitely far. */
size_t edit_distance(const char *a, const char *b);

#endif
