/* base/formats/pickle_sniff.h - recognise Python pickles, the zip archives that hold them, and
 * compressed files.
 *
 * A pickle is a program that its reader runs, so it is never read: it is recognised, refused, and
 * the message says how to convert. The signs are those of the pickle module's own protocol
 * description (protocols 2 to 5 begin with byte 0x80 and their number; 0 and 1 with the opcodes of
 * a dictionary or a list) and of the zip format ("PK", local or empty central header), in which
 * .pt, .pth and .npz files come. torch.save writes NAME/data.pkl as the first entry of its archive.
 * Compressed files have the magic numbers of gzip (RFC 1952), bzip2, xz and Zstandard (RFC 8878).
 */
#ifndef OGPT_BASE_FORMATS_PICKLE_SNIFF_H
#define OGPT_BASE_FORMATS_PICKLE_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICKLE_SNIFF_BYTES                                                                         \
    128 /* a head of this many bytes is enough; a shorter one is less sure                         \
         */

/* True if a file that begins with these n bytes (it may be longer) is a pickle or a zip archive.
 * A safetensors header whose length happens to begin with byte 0x80 is neither. */
bool looks_like_pickle(const uint8_t *head, size_t n);

/* Refuse a file that begins with these n bytes if it is packed, or a pickle: the message names what
 * it is and how to come to the file in it. `expected` is what the caller reads ("safetensors");
 * `remedy` follows after a pickle or PyTorch archive ("convert it ..."). Returns 0 if it is
 * neither, else OGPT_EFORMAT. */
int packed_refuse(const uint8_t *head, size_t n, const char *path, const char *expected,
                  const char *remedy);

/* Whether a file is a pickle or an archive of torch.save; false if it is not a regular file or
 * cannot be read. */
bool file_is_pickle(const char *path);

/* How somebody who trusts such a file turns it into safetensors: three lines of Python, for a state
 * dict, a Lightning checkpoint and a bare tensor alike. docs/NOTEBOOKS.md shows the same lines. */
#define PICKLE_RECIPE_1 "import torch, safetensors.torch as s"
#define PICKLE_RECIPE_2 "w = torch.load('in.pth', map_location='cpu', weights_only=True)"
#define PICKLE_RECIPE_3                                                                            \
    "s.save_file({k: v.clone().contiguous() for k, v in (w.get('state_dict', w).items() "          \
    "if hasattr(w, 'get') else [('linear_probe', w)])}, 'out.safetensors')"
#define PICKLE_RECIPE PICKLE_RECIPE_1 "; " PICKLE_RECIPE_2 "; " PICKLE_RECIPE_3

#endif
