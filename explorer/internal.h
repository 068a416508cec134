/* explorer/internal.h - the parts of a page. Private to the room. */
#ifndef OGPT_EXPLORER_INTERNAL_H
#define OGPT_EXPLORER_INTERNAL_H

#include "base/js.h"
#include "base/stream.h"
#include "explorer/explorer_page.h"

/* The JSON object of the page: names, shape, where each tensor begins. '<' and '&' are escaped, so
 * that no text ends the element it lies in. */
void explorer__about(Text *text, const ExplorerPage *page);

/* How many numbers a page holds: of network and probe, or of all that is in it. */
uint64_t explorer__n_numbers_read(const ExplorerPage *page);
uint64_t explorer__n_numbers(const ExplorerPage *page);

/* All numbers, in lines of base64. *change: the largest change of a number by rounding. Returns 0,
 * OGPT_EFORMAT (a number that is not finite as float16: its tensor is named), OGPT_EIO. */
int explorer__write_numbers(StreamWriter *file, double *change, const ExplorerPage *page);

/* The largest change of a logit by the rounding of the network. Returns 0, OGPT_EFORMAT,
 * OGPT_ENOMEM. */
int explorer__logit_change(double *out, const Subject *subject);

/* ---- the autoencoder ---- */

#define EXPLORER_SAE_TENSORS 6
/* Its tensors in the order of the page: "w_enc", "b_enc", "w_dec", "b_dec", and those that the kind
 * has besides. Returns how many. */
typedef struct ExplorerTensor {
    const char *name;
    const float *values; /* borrowed */
    size_t n;
} ExplorerTensor;
size_t explorer__sae_tensors(ExplorerTensor out[EXPLORER_SAE_TENSORS], const Sae *sae);
/* The member "sae": what it is, where its tensors begin, and a row for each feature. */
Js *explorer__sae_json(const ExplorerPage *page);
/* feature_change and features_turned of *out. Returns 0, OGPT_EFORMAT, OGPT_ENOMEM. */
int explorer__sae_change(ExplorerWritten *out, const ExplorerPage *page);

#endif
