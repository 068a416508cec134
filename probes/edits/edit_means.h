/* probes/edits/edit_means.h - directions without a probe: class means of a hook site's rows.
 *
 * For each state of each square the mean row over the positions where the square is in that state
 * (mean-difference or "mass mean" directions: Marks & Tegmark 2023). The means take the place of a
 * probe's weights in a BoardDirections, without a bias.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_MEANS_H
#define OGPT_PROBES_EDITS_EDIT_MEANS_H

#include "base/work.h"
#include "datasets/corpus.h"
#include "probes/board/direction_set.h"

typedef struct EditMeansOptions {
    HookSite site;
    const char *labels; /* "mover" or "parity" */
    size_t n_games;     /* of the training split */
    int plies;          /* drawn of each game; 0: all */
} EditMeansOptions;

/* 2,000 games, 8 positions each. The mean over m independent positions has a standard error of
 * 1 / sqrt(m) of a row's deviation. Positions of one game are not independent: if all 8 are alike,
 * it is sqrt(8 / m). A rare state (a corner that is taken) has few positions: see
 * EditMeansReport.least. */
#define EDIT_MEANS_OPTIONS_DEFAULT                                                                 \
    ((EditMeansOptions){.site = HOOK_RESID_POST, .labels = "mover", .n_games = 2000, .plies = 8})
#define EDIT_MEANS_MEMORY ((size_t)256 << 20)

/* The sample behind the means. */
typedef struct EditMeansReport {
    int64_t n_games, n_positions;
    size_t least; /* positions behind the mean of the rarest state that the sample has at all */
    char corpus_hash[HASH_HEX_SIZE + 32];
} EditMeansReport;

/* The most bytes that edit_means_fit holds at once for activations: the rows of a group of layers,
 * and the scratch of a capture. */
size_t edit_means_bytes(const GptConfig *cfg, const EditMeansOptions *options, const Work *work);
/* Means of task "mine" in every layer of the model, from training games of a corpus of its board.
 * *out owned (direction_board_release). A state that a square never has gets the mean over all
 * positions. work: the seed of the sample, and the memory for activations (0: EDIT_MEANS_MEMORY).
 * Layers are captured in groups that fit into it, at least one at a time. The same bytes for any
 * number of workers and any memory.
 * Returns 0, OGPT_EFORMAT (another board; no game), OGPT_EUSAGE (labels), OGPT_EIO, OGPT_EINTR,
 * OGPT_ENUM, OGPT_ENOMEM. */
int edit_means_fit(BoardDirections *out, EditMeansReport *report, const Gpt *gpt, Corpus *corpus,
                   const EditMeansOptions *options, const Work *work);

#endif
