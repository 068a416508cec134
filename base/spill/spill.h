/* base/spill/spill.h - bytes that may be too many for memory: written and read at any place, gone
 * with the process.
 *
 * The first SPILL_MEMORY bytes lie in memory. What comes behind them lies in a file without a name,
 * which is made when the first such byte is written: a small spill touches no disk, and whatever
 * the process dies of, nothing is left behind.
 */
#ifndef OGPT_BASE_SPILL_H
#define OGPT_BASE_SPILL_H

#include <stddef.h>
#include <stdint.h>

#define SPILL_MEMORY ((size_t)4 << 20) /* bytes */

typedef struct Spill Spill;

/* folder: where the file is made, NULL: in $TMPDIR, else in /var/tmp, else in /tmp. `what` names
 * the bytes in messages ("rows of the cases"); it is borrowed. Returns 0, OGPT_EUSAGE (a path too
 * long) or OGPT_ENOMEM. */
int spill_new(Spill **out, const char *folder, const char *what);
void spill_free(Spill *spill);

/* Write n_bytes at `offset`. Places that were jumped over hold zeros. Not for two threads at once.
 * Returns 0 or OGPT_EIO (the file cannot be made, the disk is full; the folder is named). */
int spill_write(Spill *spill, const void *data, size_t n_bytes, uint64_t offset);
/* Read n_bytes at `offset`. Several threads may read at once, while none writes. OGPT_EIO: the file
 * cannot be read, or nothing was written there. */
int spill_read(const Spill *spill, void *out, size_t n_bytes, uint64_t offset);
/* Behind the last byte that was written. */
uint64_t spill_bytes(const Spill *spill);

#endif
