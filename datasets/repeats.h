/* datasets/repeats.h - which of very many hashes equal an earlier one, in bounded memory.
 *
 * Hashes are numbered from 0 as they are added. They are dealt to REPEATS_PARTS parts by their
 * highest bits; the parts lie in a spill (base/spill/spill.h), and are looked through one after the
 * other at the end. A hash has 64 bits: among ten million games, two different ones share a hash
 * with probability 3e-6. Memory: 2 MB for the parts, up to 4 MB of the spill, and 24 to 48 bytes
 * for each hash of the largest part, which is up to a twentieth of a byte for each hash. Disk: 16
 * bytes a hash.
 */
#ifndef OGPT_DATASETS_REPEATS_H
#define OGPT_DATASETS_REPEATS_H

#include <stdint.h>

#define REPEATS_PARTS 1024

typedef struct Repeats Repeats;

/* folder: where the spill makes its file (NULL: the usual place). Returns 0, OGPT_EUSAGE or
 * OGPT_ENOMEM. */
int repeats_new(Repeats **out, const char *folder);
void repeats_free(Repeats *repeats);
/* Returns 0 or OGPT_EIO. */
int repeats_add(Repeats *repeats, uint64_t hash);
/* How many were added. */
uint64_t repeats_count(const Repeats *repeats);
/* Call `found` once with the number of each hash that equals one of a smaller number; in no order.
 * Returns 0, OGPT_EIO, OGPT_EINTR (a signal is pending) or OGPT_ENOMEM. */
int repeats_find(Repeats *repeats, void (*found)(void *context, uint64_t index), void *context);

#endif
