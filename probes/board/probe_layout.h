/* probes/board/probe_layout.h - linear probes in the layout of the published one; probes under
 * another notation of the board.
 *
 * Nanda, Lee, Wattenberg (BlackboxNLP 2023), repository mech_int_othelloGPT, main_linear_probe:
 * one tensor [mode, d_model, rows, cols, option] of one layer, without bias. Modes: black to play,
 * white to play, all positions. Options: empty, white, black. Its notebooks turn it into one probe
 * of "mine" and "theirs": the mean of both modes, with white and black exchanged in the second. Our
 * file is a safetensors file with this tensor and, optionally, a bias [mode, rows, cols, option].
 * The published probe has no bias.
 */
#ifndef OGPT_PROBES_BOARD_PROBE_LAYOUT_H
#define OGPT_PROBES_BOARD_PROBE_LAYOUT_H

#include "base/manifest.h"
#include "probes/board/probe.h"

#define PROBE_LAYOUT_FILE "linear_probe.safetensors"
#define PROBE_LAYOUT_TENSOR "linear_probe"
#define PROBE_LAYOUT_BIAS "linear_probe_bias"

/* Exchange rows and columns of the board in every layer: the same probe under the notation where
 * the letter is the row. Applied twice it changes nothing. Returns 0 or OGPT_ENOMEM. */
int probe_transpose(Probe *probe);

/* Write layer index i as PROBE_LAYOUT_FILE into a directory being published; the metadata
 * hold layer, site, labels, solver, notation, and the hashes of model and corpus. The mode for all
 * positions is the mean of black and white to play. Only linear probes of task mine: OGPT_EUSAGE
 * otherwise. */
int probe_layout_write(Publish *publish, const Probe *probe, int i, const char *notation);

/* Read such a file into a probe of one layer. Missing metadata are those of the published probe:
 * site resid_post, labels by parity, solver adamw. `layer` (LAYER_EMBED - 1: not given) and
 * `model_hash`
 * ("": not given) are required if the file does not say them. Returns 0, OGPT_EIO, OGPT_EFORMAT,
 * OGPT_EUSAGE (a required value is missing, or differs from the file), OGPT_ENOMEM. */
int probe_layout_read(Probe *out, const char *path, int layer, const char *model_hash,
                      const char *notation);

/* Largest difference, over n random rows, between the scores of layer index i and those of the
 * file's two modes, combined as the notebooks do. */
int probe_layout_difference(double *largest, const Probe *probe, int i, const char *path, size_t n,
                            uint64_t seed);

#endif
