/* probes/artefacts/probe_layout.h - linear probes in the layouts of published ones; probes under
 * another notation of the board.
 *
 * Nanda, Lee, Wattenberg (BlackboxNLP 2023), repository mech_int_othelloGPT, main_linear_probe:
 * one tensor [mode, d_model, rows, cols, option] of one layer, without bias. Modes: black to play,
 * white to play, all positions. Options: empty, white, black. Its notebooks turn it into one probe
 * of "mine" and "theirs": the mean of both modes, with white and black exchanged in the second. Our
 * file is a safetensors file with this tensor and, optionally, a bias [mode, rows, cols, option].
 * The published probe has no bias.
 *
 * Three more forms are read, all in notation othello_world:
 *
 * - [1, d_model, rows, cols, 3]: empty, theirs, mine by the parity of the ply.
 *
 * - [1, d_model, rows, cols, 2]: flipped by the last move, not flipped. Both are in repository
 *   ajyl/mech_int_othelloGPT, one file a layer; layer L is resid_post of layer L here.
 *
 * - "proj.weight" [3 * squares, d_model] and "proj.bias", row 3 * square + option. Li et al. (ICLR
 *   2023, repository othello_world): white, empty, black. Hazineh et al. (2023, repository
 *   Emergent-World-Representations-Othello) first multiply the board by the parity of the ply:
 *   mine, empty, theirs. The file does not say which, so the caller names the task. Layer L has
 *   passed L blocks: it is layer L - 1 here.
 */
#ifndef OGPT_PROBES_ARTEFACTS_PROBE_LAYOUT_H
#define OGPT_PROBES_ARTEFACTS_PROBE_LAYOUT_H

#include "base/manifest.h"
#include "probes/board/probe.h"

#define PROBE_LAYOUT_FILE "linear_probe.safetensors"
#define PROBE_LAYOUT_TENSOR "linear_probe"
#define PROBE_LAYOUT_BIAS "linear_probe_bias"
#define PROBE_LAYOUT_PROJ "proj.weight"
#define PROBE_LAYOUT_PROJ_BIAS "proj.bias"

/* Whether a file of this path (with or without the prefixes of wrappers) holds one of these
 * tensors. Returns 0 or the errors of st_open. */
int probe_layout_recognise(bool *out, const char *path);

/* Exchange rows and columns of the board in every layer: the same probe under the notation where
 * the letter is the row. Applied twice it changes nothing. Returns 0 or OGPT_ENOMEM. */
int probe_transpose(Probe *probe);

/* Write layer index i as PROBE_LAYOUT_FILE into a directory being published; the metadata
 * hold layer, site, labels, solver, notation, and the hashes of model and corpus. The mode for all
 * positions is the mean of black and white to play. Only linear probes of task mine: OGPT_EUSAGE
 * otherwise. */
int probe_layout_write(Publish *publish, const Probe *probe, int i, const char *notation);

/* What the file may not say. */
typedef struct ProbeGiven {
    int layer;              /* LAYER_EMBED - 1: not given */
    const char *model_hash; /* "": not given */
    const char *notation;
    const char *task; /* "mine" or "colour", for proj.weight; NULL: not given */
} ProbeGiven;

/* Read a file in one of the layouts into a probe of one layer. Missing metadata are those of the
 * published probe: site resid_post, labels by parity, solver adamw. Layer and model hash are
 * required if the file does not say them, the task for proj.weight. Returns 0, OGPT_EIO,
 * OGPT_EFORMAT, OGPT_EUSAGE (a required value is missing, or differs from the file), OGPT_ENOMEM.
 */
int probe_layout_read(Probe *out, const char *path, const ProbeGiven *given);

/* Largest difference, over n random rows, between the scores of layer index i and those of the
 * file: of its two modes, combined as the notebooks do, or of its only one. */
int probe_layout_difference(double *largest, const Probe *probe, int i, const char *path, size_t n,
                            uint64_t seed);

#endif
