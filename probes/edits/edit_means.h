/* probes/edits/edit_means.h - the mean of a hook site's rows for each state of each square.
 *
 * Directions without a probe: the mean row over positions where a square is in one state, less
 * that where it is in another (mean-difference or "mass mean" directions: Marks & Tegmark 2023).
 * The means are kept as the weights of a Probe (weight[c][square][class] = mean of x[c], bias 0),
 * so that whatever takes directions from a probe takes them from means.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_MEANS_H
#define OGPT_PROBES_EDITS_EDIT_MEANS_H

#include "base/pool.h"
#include "datasets/corpus.h"
#include "probes/board/probe.h"

typedef struct EditMeansOptions {
    HookSite site;
    const char *labels; /* "mover" or "parity" */
    size_t n_games;     /* of the training split */
    int plies;          /* drawn of each game; 0: all */
    uint64_t seed;
    size_t memory_bytes; /* for activations: layers are captured in groups that fit, one at least */
} EditMeansOptions;

/* 2,000 games of 8 positions. A mean over m positions that did not depend on each other would have
 * a standard error of 1 / sqrt(m) of a row's deviation; positions of a game do depend, and where
 * all 8 are alike it is sqrt(8 / m). A state that is rare (a corner that is taken) has few: see
 * `least` below. */
#define EDIT_MEANS_OPTIONS_DEFAULT                                                                 \
    ((EditMeansOptions){.site = HOOK_RESID_POST,                                                   \
                        .labels = "mover",                                                         \
                        .n_games = 2000,                                                           \
                        .plies = 8,                                                                \
                        .seed = 1,                                                                 \
                        .memory_bytes = (size_t)256 << 20})

/* Most bytes that edit_means_fit holds at once for activations: the rows of a group of layers, and
 * what a capture needs beside them. */
size_t edit_means_bytes(const GptConfig *cfg, const EditMeansOptions *options, size_t n_workers);
/* Means of task "mine" in every layer of the model, from training games of a corpus of its board.
 * *out owned (probe_release). *least = positions behind the mean of the rarest state that the
 * sample has at all; a state that a square never has gets the mean over all positions. The same
 * bytes for any number of workers and any memory_bytes.
 * Returns 0, OGPT_EFORMAT (another board; no game), OGPT_EUSAGE (labels), OGPT_EIO, OGPT_EINTR,
 * OGPT_ENUM, OGPT_ENOMEM. */
int edit_means_fit(Probe *out, size_t *least, const Gpt *gpt, Corpus *corpus,
                   const EditMeansOptions *options, Pool *pool);

#endif
