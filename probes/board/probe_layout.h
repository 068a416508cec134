/* probes/board/probe_layout.h - linear probes in the layout of the published one, and turned
 * boards.
 *
 * Nanda, Lee, Wattenberg (BlackboxNLP 2023), repository mech_int_othelloGPT, main_linear_probe:
 * one tensor [mode, d_model, rows, cols, option] of one layer, without bias. Modes: black to play,
 * white to play, all positions. Options: empty, white, black. Its notebooks make one probe of the
 * mover's and the other's discs from it: the mean of both modes, white and black exchanged in the
 * second. Here the tensor stands alone in a safetensors file; a bias [mode, rows, cols, option],
 * which the published probe lacks, may stand beside it.
 */
#ifndef OGPT_PROBES_BOARD_PROBE_LAYOUT_H
#define OGPT_PROBES_BOARD_PROBE_LAYOUT_H

#include "base/manifest.h"
#include "probes/board/probe.h"

#define PROBE_LAYOUT_FILE "linear_probe.safetensors"
#define PROBE_LAYOUT_TENSOR "linear_probe"
#define PROBE_LAYOUT_BIAS "linear_probe_bias"

/* Exchange rows and columns of the board in every layer: the same probe under the notation in
 * which the letter is the row. Its own inverse. Returns 0 or OGPT_ENOMEM. */
int probe_transpose(Probe *probe);

/* Write layer index i as PROBE_LAYOUT_FILE into a directory being published; the metadata say
 * layer, site, labels, solver, notation and whose probe it is. All positions get the mean of black
 * and white to play. Only linear probes of task mine: OGPT_EUSAGE otherwise. */
int probe_layout_write(Publish *publish, const Probe *probe, int i, const char *notation);

/* Read such a file into a probe of one layer. What its metadata do not say is the published
 * probe's: site resid_post, labels by parity, solver adamw; `layer` (LAYER_EMBED - 1: unknown) and
 * `model_hash`
 * ("": unknown) must then be given. Returns 0, OGPT_EIO, OGPT_EFORMAT, OGPT_EUSAGE (something not
 * given, or given otherwise than the file says), OGPT_ENOMEM. */
int probe_layout_read(Probe *out, const char *path, int layer, const char *model_hash,
                      const char *notation);

/* Largest difference between scores of layer index i, and those of the file's own two modes, read
 * as its notebooks do, over n random rows. */
int probe_layout_difference(double *largest, const Probe *probe, int i, const char *path, size_t n,
                            uint64_t seed);

#endif
