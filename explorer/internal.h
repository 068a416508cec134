/* explorer/internal.h - the parts of a page. Private to the room. */
#ifndef OGPT_EXPLORER_INTERNAL_H
#define OGPT_EXPLORER_INTERNAL_H

#include "base/stream.h"
#include "explorer/explorer_page.h"

/* The JSON object of the page: names, shape, where each tensor begins. '<' and '&' are escaped, so
 * that no text ends the element it lies in. */
void explorer__about(Text *text, const ExplorerPage *page);

/* All numbers, in lines of base64. *change: the largest change of a number by rounding. Returns 0,
 * OGPT_EFORMAT (a number that is not finite as float16: its tensor is named), OGPT_EIO. */
int explorer__write_numbers(StreamWriter *file, double *change, const ExplorerPage *page);

/* The largest change of a logit by the rounding of the network. Returns 0, OGPT_EFORMAT,
 * OGPT_ENOMEM. */
int explorer__logit_change(double *out, const Subject *subject);

#endif
