/* base/suggest.c - contract in base/suggest.h. */
#include "base/suggest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WORD_MAX 63

/* Optimal string alignment distance (Damerau-Levenshtein without overlapping swaps).
 *   d[i][j] = least cost of turning the first i bytes of a into the first j bytes of b
 * Ref: Boytsov 2011, Indexing methods for approximate dictionary searching, section 2. */
size_t edit_distance(const char *a, const char *b)
{
    size_t length_a = strlen(a);
    size_t length_b = strlen(b);
    if (length_a > WORD_MAX || length_b > WORD_MAX) {
        return SIZE_MAX;
    }
    uint8_t d[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= length_a; i++) {
        for (size_t j = 0; j <= length_b; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (uint8_t)(i + j);
                continue;
            }
            uint8_t best = (uint8_t)(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            best = d[i - 1][j] + 1 < best ? (uint8_t)(d[i - 1][j] + 1) : best;
            best = d[i][j - 1] + 1 < best ? (uint8_t)(d[i][j - 1] + 1) : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = d[i - 2][j - 2] + 1 < best ? (uint8_t)(d[i - 2][j - 2] + 1) : best;
            }
            d[i][j] = best;
        }
    }
    return d[length_a][length_b];
}

/* Near enough: a third of the typed word wrong, or the beginning of the candidate. */
void suggestion_offer(Suggestion *suggestion, const char *candidate)
{
    size_t length = strlen(suggestion->word);
    size_t distance = edit_distance(suggestion->word, candidate);
    if (length >= 2 && strncmp(candidate, suggestion->word, length) == 0) {
        distance = 1;
    }
    size_t limit = length < 6 ? 2 : length / 3;
    bool near = distance <= limit && distance < length;
    if (near && (!suggestion->best || distance < suggestion->distance)) {
        suggestion->best = candidate;
        suggestion->distance = distance;
    }
}
