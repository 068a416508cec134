/* base/formats/safetensors.h - the safetensors container, read with suspicion and written
 * canonically.
 *
 * Layout: u64 little-endian header length, UTF-8 JSON header padded with spaces to 8 bytes,
 * tensor bytes in header order without holes. F32, F16 and BF16 tensors can be read as numbers
 * (halves are widened, which is exact); other known dtypes are listed. Reading checks everything
 * before allocating: header length against file size and 4 MiB, JSON object, no duplicate key,
 * known dtype, exactly dtype/shape/data_offsets, non-negative integers, product of shape * size ==
 * end - begin by checked 64-bit arithmetic, no hole, no overlap, nothing after the last byte;
 * __metadata__ a flat object of strings; names of at most 256 bytes without '/', NUL or control
 * characters. A pickle or zip (.pth, .pt) is recognised and refused with a conversion recipe, a
 * compressed file with the command that unpacks it. Ref: the format's own description (repository
 * huggingface/safetensors, README); IEEE 754-2008 binary16; bfloat16 is the upper half of a
 * binary32.
 */
#ifndef OGPT_BASE_FORMATS_SAFETENSORS_H
#define OGPT_BASE_FORMATS_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ST_MAX_RANK 8

typedef struct StTensor {
    const char *name; /* borrowed from the file or the caller */
    char dtype[8];    /* "F32", ... */
    size_t rank;
    uint64_t shape[ST_MAX_RANK];
    uint64_t begin, end; /* byte offsets from the start of the data section */
} StTensor;

typedef struct StFile StFile;

/* Open and check the header completely. Returns 0, OGPT_EIO, OGPT_EFORMAT, OGPT_ENOMEM. */
int st_open(StFile **out, const char *path);
/* As st_open, for a file that a manifest lists: the SHA-256 of the very bytes that will be read. */
int st_open_listed(StFile **out, const char *path, const char *sha256);
void st_close(StFile *file);
size_t st_count(const StFile *file);
const StTensor *st_tensor(const StFile *file, size_t index);
const StTensor *st_find(const StFile *file, const char *name); /* NULL when absent */
const char *st_metadata(const StFile *file, const char *key);  /* NULL when absent; borrowed */
/* Programs that wrap a network write a prefix before all names: torch.nn.DataParallel "module.",
 * torch.compile "_orig_mod.". Takes such prefixes away, also two of them. OGPT_EFORMAT if some
 * names have one and others do not. */
int st_drop_wrappers(StFile *file);
/* The same for any prefix; names that begin with `except` (NULL: none) may lack it. *dropped:
 * whether there was one. */
int st_drop_prefix(bool *dropped, StFile *file, const char *prefix, const char *except);
/* Whether st_read_f32 reads it, and how many numbers it holds. */
bool st_is_float(const StTensor *tensor);
uint64_t st_numbers(const StTensor *tensor);
/* Exact: every half is a float. */
float float16_widen(uint16_t half);
float bfloat16_widen(uint16_t half);
/* The nearest half, ties to even; infinity above 65519, NaN stays NaN (IEEE 754-2008, 4.3.1). */
uint16_t float16_narrow(float number);
/* Read an F32, F16 or BF16 tensor of exactly this shape into out. OGPT_EFORMAT names tensor and
 * both shapes; NaN or infinity is refused (tensor and index named) unless allow_nonfinite. */
int st_read_f32(float *out, const StFile *file, const char *name, size_t rank,
                const uint64_t *shape, bool allow_nonfinite);

/* One tensor to be written. `data` is borrowed until st_write returns. */
typedef struct StEntry {
    const char *name;
    size_t rank;
    uint64_t shape[ST_MAX_RANK];
    const float *data;
    bool half; /* written as F16, each number rounded as float16_narrow does; else F32 */
} StEntry;

/* Serialise tensors in the order given (the header keeps it), `metadata` = n_meta pairs of
 * strings (may be NULL). The same input gives the same bytes. Written to `path` with fsync;
 * the caller publishes. Returns 0, OGPT_EIO, OGPT_ENOMEM. */
int st_write(const char *path, const StEntry *entries, size_t n, const char *const (*metadata)[2],
             size_t n_meta);

#endif
