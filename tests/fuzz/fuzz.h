/* tests/fuzz/fuzz.h - what the fuzz targets share.
 *
 * A target is one file with LLVMFuzzerTestOneInput, run by libFuzzer (preset fuzz) or by
 * replay_main.c over the stored inputs (every other preset). It must take any bytes. It
 * reports through fuzz_require what it finds wrong itself.
 */
#ifndef OGPT_TESTS_FUZZ_FUZZ_H
#define OGPT_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* True while the replay plants a mistake: a target that compares then changes one side, and
 * its fuzz_require must notice. */
extern bool fuzz_planted;
/* How often fuzz_require noticed something while a mistake was planted. */
extern unsigned long fuzz_noticed;

/* What must hold; if not, the message on stderr and abort, or a count while planted. */
void fuzz_require(bool holds, const char *what);
/* Change one byte while a mistake is planted. */
void fuzz_plant(void *bytes, size_t n_bytes);

/* The input, consumed from the front. Beyond its end it is zero. */
typedef struct FuzzInput {
    const uint8_t *at;
    size_t n;
} FuzzInput;
uint8_t fuzz_byte(FuzzInput *input);
/* n_bytes (at most 8) as a little-endian number. */
uint64_t fuzz_number(FuzzInput *input, size_t n_bytes);
/* Consume the bytes up to and including the first `stop`; *n_bytes without it. */
const uint8_t *fuzz_until(size_t *n_bytes, FuzzInput *input, uint8_t stop);

/* The directory of this process, made on the first call, removed at the end: below TMPDIR if
 * set, else in memory. Borrowed. */
const char *fuzz_dir(void);
/* Give file `name` of that directory this content and return its path (borrowed, valid until
 * the name is used again). The file stays the same one and is kept open: at most 8 names. */
const char *fuzz_file(const char *name, const void *data, size_t n_bytes);

#endif
